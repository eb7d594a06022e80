"""Forms: what is traded, of which material, at which stage, under which customs codes, how rich in metal.

A *form* is one traded product of one material at one stage, such as ``lithium/hydroxide``.  The tables are
data, packaged beside this file, every row with its source: ``materials.csv``, ``forms.csv``, ``codes.csv``,
``content.csv``, ``conversions.csv`` and ``end_uses.csv``.

Coverage says what the shipped trade knows of a form, and does not flatter:

- ``full``: its customs codes are in the shipped trade table, and it alone reads them;
- ``share``: its trade is not shipped; published facts (shares, totals) or production statistics reach it;
- ``none``: neither; the form is named so that a user can bring data for it.

A code marked *basket* holds goods of other forms too.  Only one form reads a shipped code; the others that
share it say so and stay at ``share`` or ``none`` (law 2: what cannot be told apart is unknown, not zero).
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterable
from typing import Any, cast

import polars as pl

from evernormal.errors import NotCoveredError, SourceFormatError, UnknownNameError
from evernormal.network.form_tables import (
    SHIPPED_REVISION,
    STAGES,
    Code,
    Content,
    Form,
    Material,
    read_table,
    rows,
)
from evernormal.network.network import Conversion, EndUse
from evernormal.result import Finding, Grade, Parameter

__all__ = [
    "SHIPPED_REVISION",
    "STAGES",
    "Code",
    "Content",
    "Form",
    "Material",
    "check_forms",
    "contained",
    "conversions",
    "conversions_of",
    "end_uses",
    "end_uses_from",
    "form",
    "form_names",
    "forms",
    "material",
    "materials",
]


def materials() -> pl.DataFrame:
    """Return every material: name, symbol, names, the flags of the Korean list, source.

    >>> materials().filter(pl.col("korea_critical")).height
    33
    """
    flags = ("korea_critical", "korea_strategic", "rare_earth")
    return read_table("materials").with_columns(*((pl.col(c) == "true").alias(c) for c in flags))


@functools.cache
def _materials() -> dict[str, Material]:
    return {row["material"]: Material(name=row.pop("material"), **row) for row in materials().to_dicts()}


def material(name: str) -> Material:
    """Return one material by name.

    Raises:
        UnknownNameError: no such material; the nearest is named.

    >>> material("antimony").name_ko
    '안티모니'
    """
    if name not in _materials():
        raise UnknownNameError("material", name, _materials())
    return _materials()[name]


@functools.cache
def _forms() -> dict[str, Form]:
    codes: dict[str, list[Code]] = {}
    for row in rows("codes"):
        row["basket"] = row["basket"] == "true"
        codes.setdefault(row.pop("form"), []).append(Code(**row))
    content: dict[str, list[Content]] = {}
    for row in rows("content"):
        row["value"] = row.pop("content")
        content.setdefault(row["form"], []).append(Content(**row))
    found = {}
    for row in rows("forms"):
        name = row.pop("form")
        found[name] = Form(
            name, **row, codes=tuple(codes.get(name, ())), content=tuple(content.get(name, ()))
        )
    return found


def form_names() -> tuple[str, ...]:
    """Return the name of every form, in the order of the table."""
    return tuple(_forms())


def form(name: str) -> Form:
    """Return one form by name.

    Raises:
        UnknownNameError: no such form; the nearest is named.

    >>> form("lithium/hydroxide").name_ko
    '수산화리튬'
    >>> form("lead/ores")
    Traceback (most recent call last):
    ...
    evernormal.errors.UnknownNameError: unknown form 'lead/ores'. Did you mean 'lead/ore' or 'lead/metal'?
    """
    if name not in _forms():
        raise UnknownNameError("form", name, _forms())
    return _forms()[name]


def forms(material: str | None = None, stage: str | None = None) -> pl.DataFrame:
    """Return forms, one row each, with the shipped trade codes that they read.

    Args:
        material: only forms of this material.
        stage: only forms at this stage, one of :data:`STAGES`.

    Raises:
        UnknownNameError: no such material or stage.

    Columns: form, material, stage, name_en, name_ko, contained, formula, coverage, production_source,
    production_factor (null without a source), codes (of the shipped revision, that the form reads), note.
    """
    reads = pl.Series("codes", [list(f.trade_codes) for f in _forms().values()], dtype=pl.List(pl.String))
    table = read_table("forms").with_columns(reads).select(pl.exclude("note"), "note")
    for column, wanted, known in (("material", material, _materials()), ("stage", stage, STAGES)):
        if wanted is not None:
            if wanted not in known:
                raise UnknownNameError(column, wanted, known)
            table = table.filter(pl.col(column) == wanted)
    return table


def contained(form_name: str, code: str = "", exporter: str = "") -> Content:
    """Return the content of a form as one exporter ships it.

    Args:
        form_name: form name.
        code: customs code of any system; a longer national code falls back on its first six digits.  Empty
            takes the form's first code.
        exporter: ISO 3166 alpha-3; an exporter without a row of its own gets the row for all.

    Raises:
        UnknownNameError: no such form, or a code that is not one of the form's.
        NotCoveredError: the form has no content factor.

    >>> contained("nickel/ore", "260400", "PHL").value < contained("nickel/ore", "260400", "AUS").value
    True
    """
    this = form(form_name)
    known = {c.code for c in this.codes} | {row.code for row in this.content}
    if code and code not in known:
        raise UnknownNameError("customs code", code, known - {""}, where=f"form {form_name!r}")
    tried = (code, code[:6], "") if code else tuple(dict.fromkeys(row.code for row in this.content))[:1]
    for wanted in tried:
        for who in dict.fromkeys((exporter, "")):
            for row in this.content:
                if row.code == wanted and row.exporter == who:
                    return row
    raise NotCoveredError(
        f"no content factor of {form_name} under code {code or 'any'}",
        where="content.csv",
        cure="Work in gross tonnes, or bring a factor with its source.",
    )


@functools.cache
def conversions() -> tuple[Conversion, ...]:
    """Return every conversion between forms, with its recovery.

    Recovery is tonnes contained of the target per tonne contained of the source; from oxides (``REO``) to
    metals (``REM``) it holds the metal's share of the oxide too.
    """
    return tuple(
        Conversion(
            row["source_form"],
            row["target_form"],
            Parameter(
                f"recovery {row['source_form']} -> {row['target_form']}",
                *(row["recovery"], row["low"], row["high"]),
                *("t/t", row["grade"], row["source"]),
            ),
        )
        for row in rows("conversions")
    )


def conversions_of(form_name: str) -> tuple[Conversion, ...]:
    """Return the conversions that make or consume a form, those that make it first.

    >>> [c.name for c in conversions_of("vanadium/ferro")]
    ['vanadium/oxide -> vanadium/ferro']
    """
    form(form_name)
    makes = tuple(c for c in conversions() if c.target == form_name)
    return makes + tuple(c for c in conversions() if c.source == form_name)


def end_uses(form_name: str, region: str = "WLD") -> tuple[EndUse, ...]:
    """Return the final uses of a form in a region.

    Args:
        form_name: form name.
        region: ISO 3166 alpha-3; a region without rows of its own gets the world's.

    Returns:
        One or more uses whose shares sum to 1.  A form without rows gets one use ``all`` with the generic
        parameters of the row ``*``.

    Raises:
        UnknownNameError: no such form.
        NotCoveredError: neither the form nor ``*`` has a row.
    """
    form(form_name)
    return end_uses_from(rows("end_uses"), form_name, region)


def end_uses_from(given: Iterable[dict[str, Any]], form_name: str, region: str) -> tuple[EndUse, ...]:
    """Choose and read the end-use rows of one form; see :func:`end_uses`."""
    table = list(given)
    for name in (form_name, "*"):
        for where in dict.fromkeys((region, "WLD")):
            chosen = [r for r in table if r["form"] == name and r["region"] == where]
            if chosen and name == "*":
                generic = {"end_use": "all", "name_en": "all uses", "name_ko": "전체 용도"}
                everything = {"share": 1.0, "share_low": 1.0, "share_high": 1.0}
                chosen = [chosen[0] | generic | everything]
            if chosen:
                _require_whole(chosen, form_name, where)
                return tuple(_end_use(form_name, r) for r in chosen)
    raise NotCoveredError(
        f"no end use of {form_name} is known in {region} or the world",
        where="end_uses.csv",
        cure="Add rows for the form, or a generic row with form '*'.",
    )


def _require_whole(rows: list[dict[str, Any]], form_name: str, region: str) -> None:
    total = sum(r["share"] for r in rows)
    if abs(total - 1) > 1e-6:
        raise SourceFormatError(
            f"end-use shares of {form_name} in {region} sum to {total:g}",
            where="end_uses.csv",
            cure="They must sum to 1.",
        )


_PIECES = re.compile(r"(?:^|; )(share|elasticity|value added|substitutable) \(([ABC])\): ")
"""The source of an end use speaks of each of its figures: ``share (C): ...; elasticity (C): ...``."""


def _piece(row: dict[str, Any], figure: str) -> tuple[Grade, str]:
    """Return grade and source of one figure of an end use, or of the whole row when it is not told apart."""
    parts = _PIECES.split(row["source"])
    for name, grade, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        if name == figure:
            said = grade != "C" or "assumption" in text
            return cast(Grade, grade), text if said else f"assumption, derived: {text}"
    return cast(Grade, row["grade"]), row["source"]


def _end_use(form_name: str, row: dict[str, Any]) -> EndUse:
    def parameter(column: str, unit: str, stem: str = "") -> Parameter:
        low, high = f"{stem or column}_low", f"{stem or column}_high"
        name = f"{stem or column} {form_name} {row['end_use']}"
        grade, source = _piece(row, (stem or column).replace("_", " "))
        blank = math.nan  # unknown is not 0 (law 2)
        value, below, above = (blank if row[c] is None else row[c] for c in (column, low, high))
        return Parameter(name, value, below, above, unit, grade, source)

    return EndUse(
        form_name,
        *(row["end_use"], row["name_en"], row["name_ko"]),
        share=parameter("share", "fraction"),
        elasticity=parameter("elasticity", "1"),
        value_added=parameter("value_added_usd_t", "USD/t", "value_added"),
        substitutable=parameter("substitutable", "fraction"),
    )


# --- consistency ------------------------------------------------------------


def check_forms(shipped: Iterable[str] | None = None) -> tuple[Finding, ...]:
    """Return every inconsistency of the catalogue; empty when it is sound.

    Args:
        shipped: six-digit codes of the trade table at hand, in the shipped revision.  When given, coverage is
            checked against it: a fully covered form reads shipped codes only, and every other form that uses
            one admits that it is a basket.

    Each finding has the level ``warning`` and names the row that is wrong.
    """
    found = [*_names_missing(), *_two_readers(), *_wrong_content(), *_wrong_chain()]
    if shipped is not None:
        found += _coverage_lies(frozenset(shipped))
    return tuple(found)


def _finding(kind: str, message: str, /, **values: Any) -> Finding:
    return Finding(kind, "warning", message, values)


def _names_missing() -> list[Finding]:
    found = []
    for this in _forms().values():
        if this.material not in _materials():
            found.append(_finding("form-material", f"{this.name} names no known material", form=this.name))
        if this.name.split("/")[0] != this.material or this.stage not in STAGES:
            found.append(_finding("form-stage", f"{this.name} has a wrong stage or prefix", form=this.name))
        if not this.name_en or not _hangul(this.name_ko):
            found.append(
                _finding("form-name", f"{this.name} lacks an English or Korean name", form=this.name)
            )
    for mineral in _materials().values():
        if not mineral.name_en or not _hangul(mineral.name_ko):
            found.append(_finding("material-name", f"{mineral.name} lacks a name", material=mineral.name))
        if not any(this.material == mineral.name for this in _forms().values()):
            found.append(_finding("material-empty", f"{mineral.name} has no form", material=mineral.name))
    return found


def _hangul(text: str) -> bool:
    return any("가" <= letter <= "힣" for letter in text)


def _two_readers() -> list[Finding]:
    """A code that a fully covered form reads belongs to it alone; the others must call it a basket."""
    found = []
    readers: dict[str, str] = {}
    for this in _forms().values():
        for code in this.trade_codes:
            if code in readers:
                both = f"{readers[code]} and {this.name}"
                found.append(_finding("code-two-readers", f"{both} both read {code}", code=code))
            readers[code] = this.name
    for this in _forms().values():
        for used in this.codes_for(SHIPPED_REVISION):
            owner = readers.get(used.code, this.name)
            if owner != this.name and not used.basket:
                text = f"{this.name} uses {used.code}, which {owner} reads, without calling it a basket"
                found.append(_finding("code-basket", text, form=this.name, code=used.code))
    return found


def _wrong_content() -> list[Finding]:
    found = []
    for this in _forms().values():
        known = {c.code for c in this.codes} | {""}
        for row in this.content:
            if not 0 < row.low <= row.value <= row.high <= 1 or row.code not in known:
                text = f"content of {this.name} {row.code} {row.exporter} is out of range or has no such code"
                found.append(_finding("content", text, form=this.name, code=row.code))
        for code in this.trade_codes:
            if not any(row.code == code and not row.exporter for row in this.content):
                text = f"{this.name} has no content for {code}"
                found.append(_finding("content-missing", text, form=this.name, code=code))
        if this.production_source and not this.production_factor:
            text = f"{this.name} has a production source without a factor"
            found.append(_finding("production-factor", text, form=this.name))
    return found


def _wrong_chain() -> list[Finding]:
    found = []
    for step in conversions():
        unknown = [name for name in (step.source, step.target) if name not in _forms()]
        value = step.recovery
        if unknown or not 0 < value.low <= value.value <= value.high <= 1:
            found.append(_finding("conversion", f"{step.name}: unknown form or recovery out of range"))
            continue
        bases = {_forms()[step.source].contained, _forms()[step.target].contained}
        if len(bases) > 1 and bases != {"REO", "REM"}:
            found.append(_finding("conversion-basis", f"{step.name} changes {' to '.join(sorted(bases))}"))
    left = {(step.source, step.target) for step in conversions()}
    while left:
        free = {pair for pair in left if pair[0] not in {target for _, target in left}}
        if not free:
            found.append(_finding("chain-cycle", f"conversions form a cycle: {sorted(left)}"))
            break
        left -= free
    return found


def _coverage_lies(shipped: frozenset[str]) -> list[Finding]:
    found = []
    for this in _forms().values():
        own = this.codes_for(SHIPPED_REVISION)
        if this.coverage == "full":
            absent = [c.code for c in own if c.code not in shipped]
            if absent or not own:
                text = f"{this.name} claims full coverage, not shipped: {', '.join(absent) or 'any code'}"
                found.append(_finding("coverage", text, form=this.name))
        elif this.coverage in ("share", "none"):
            hidden = [c.code for c in own if c.code in shipped and not c.basket and not c.valid_to]
            if hidden:
                text = f"{this.name} claims {this.coverage}, but {', '.join(hidden)} is shipped"
                found.append(_finding("coverage", text, form=this.name))
        else:
            found.append(_finding("coverage", f"{this.name}: coverage {this.coverage!r} is no such word"))
    return found
