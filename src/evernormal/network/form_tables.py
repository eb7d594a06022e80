"""The tables of the forms catalogue as data classes, read once from the packaged CSV files.

Readers use :mod:`evernormal.network.forms`; this file only says what the tables hold and how they are read.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib import resources
from typing import Any

import polars as pl

from evernormal.errors import NotCoveredError, SourceFormatError
from evernormal.result import Grade, Parameter

__all__ = ["SHIPPED_REVISION", "STAGES", "Code", "Content", "Form", "Material", "read_table", "rows"]

STAGES = ("ore", "refined", "material", "component")
"""Stages from the mine to the factory."""

SHIPPED_REVISION = "HS1992"
"""Revision in which the shipped trade table writes its codes."""

_NUMBERS = {
    "materials": (),
    "forms": ("production_factor",),
    "codes": (),
    "content": ("content", "low", "high"),
    "conversions": ("recovery", "low", "high"),
    "end_uses": (
        *("share", "share_low", "share_high"),
        *("elasticity", "elasticity_low", "elasticity_high"),
        *("value_added_usd_t", "value_added_low", "value_added_high"),
        *("substitutable", "substitutable_low", "substitutable_high"),
    ),
}


@dataclass(frozen=True)
class Material:
    """One mineral, or one group of them.

    Attributes:
        name: such as ``neodymium``.
        symbol: chemical symbol; empty for a group.
        name_en: English name.
        name_ko: Korean name in ministry usage.
        korea_critical: one of the 33 critical minerals of South Korea (2023).
        korea_strategic: one of the ten strategic ones.
        rare_earth: one of the seventeen rare earths, or their group.
        source: where the flags come from.
    """

    name: str
    symbol: str
    name_en: str
    name_ko: str
    korea_critical: bool
    korea_strategic: bool
    rare_earth: bool
    source: str


@dataclass(frozen=True)
class Code:
    """One customs code of a form.

    Attributes:
        system: ``HS`` (world, 6 digits), ``CN`` (European Union, 8) or ``HSK`` (South Korea, 10).
        revision: such as ``HS1992``.
        code: text, leading zeros kept.
        valid_from: ISO date; empty when unbounded or not known.
        valid_to: ISO date; empty when still valid or not known.
        description: what the code holds.
        basket: true when goods of other forms are declared under it too.
        source: where it was read.
    """

    system: str
    revision: str
    code: str
    valid_from: str
    valid_to: str
    description: str
    basket: bool
    source: str


@dataclass(frozen=True)
class Content:
    """Kilograms contained in one kilogram gross of a form (equation E31).

    Attributes:
        form: form name.
        system: code system of ``code``; empty when the form has no code.
        revision: revision of ``code``.
        code: customs code.
        exporter: ISO 3166 alpha-3; empty for every exporter without a row of its own.
        value: kg contained per kg gross, above 0 and at most 1.
        low: low end.
        high: high end.
        grade: A official statistic, B published estimate, C assumption.
        source: where it comes from; an assumption says so.
    """

    form: str
    system: str
    revision: str
    code: str
    exporter: str
    value: float
    low: float
    high: float
    grade: Grade
    source: str

    @property
    def parameter(self) -> Parameter:
        """The same as a named number with interval, grade and source."""
        name = " ".join(part for part in ("content", self.form, self.code, self.exporter) if part)
        return Parameter(name, self.value, self.low, self.high, "kg/kg", self.grade, self.source)


@dataclass(frozen=True)
class Form:
    """One traded product of one material at one stage.

    Attributes:
        name: ``material/product``.
        material: material name.
        stage: one of :data:`STAGES`.
        name_en: English name.
        name_ko: Korean name in ministry usage.
        contained: what "contained" counts: an element symbol, ``REO`` (rare-earth oxides) or ``REM``
            (rare-earth metals).
        formula: chemical formula when the form is one compound; else empty.
        coverage: ``full``, ``share`` or ``none``.
        production_source: such as ``world-mining-data:Lithium (Li2O)``; empty when none counts this stage.
        production_factor: tonnes contained per tonne of the source's basis, after conversion of its unit to
            tonnes; None when there is no source.
        codes: customs codes.
        content: content rows.
        note: what a reader must know.
    """

    name: str
    material: str
    stage: str
    name_en: str
    name_ko: str
    contained: str
    formula: str
    coverage: str
    production_source: str
    production_factor: float | None
    codes: tuple[Code, ...]
    content: tuple[Content, ...]
    note: str

    def codes_for(self, revision: str) -> tuple[Code, ...]:
        """Return the codes of one revision, such as ``HS1992``; empty when the form has none in it.

        >>> from evernormal.network.forms import form
        >>> [c.code for c in form("graphite/natural").codes_for("HS1992")]
        ['250410', '250490']
        """
        return tuple(c for c in self.codes if c.revision == revision)

    @property
    def trade_codes(self) -> tuple[str, ...]:
        """Codes to read from the shipped trade table; empty unless coverage is full."""
        if self.coverage != "full":
            return ()
        return tuple(c.code for c in self.codes_for(SHIPPED_REVISION))


@functools.cache
def read_table(name: str) -> pl.DataFrame:
    """Read one packaged table: text as text, numbers as numbers, empty text as ``""``."""
    path = resources.files("evernormal.network") / "tables" / f"{name}.csv"
    if not path.is_file():
        raise NotCoveredError(
            f"no table {name}.csv", where="evernormal/network/tables", cure="Install again."
        )
    return _typed(name, pl.read_csv(path.read_bytes(), infer_schema=False, encoding="utf8"))


def _typed(name: str, table: pl.DataFrame) -> pl.DataFrame:
    numbers = _NUMBERS[name]
    missing = [c for c in numbers if c not in table.columns]
    if missing:
        raise SourceFormatError(
            f"no column {', '.join(missing)}", where=f"{name}.csv", cure=f"It has {', '.join(table.columns)}."
        )
    text = [c for c in table.columns if c not in numbers]
    return table.with_columns(
        *(pl.col(c).fill_null("").str.strip_chars() for c in text),
        *(pl.col(c).cast(pl.Float64) for c in numbers),
    )


def rows(name: str) -> list[dict[str, Any]]:
    """Return the rows of a packaged table; every call gives rows of its own."""
    return read_table(name).to_dicts()
