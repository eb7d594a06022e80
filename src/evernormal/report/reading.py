"""One result read in one language: what every page, sheet and chart asks of it.

A table or column that the result lacks reads as empty or as None, never as zero (law 2).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from evernormal.report.digits import decimals_of_total
from evernormal.report.language import Language, as_date, clean, language
from evernormal.result import Result

__all__ = ["NOTABLE_SHARE", "POLICY_KINDS", "Band", "Reading", "is_policy"]

POLICY_KINDS = frozenset(
    {"stock_release", "buy", "swap", "loan", "allocation_order", "price_cap", "price_floor"}
)
"""Kinds of measures that the focal side takes itself; they do not bite."""

NOTABLE_SHARE = 0.001
"""A shortage below this share of base use is not announced as one."""

_ORDER = (
    "month",
    "date",
    "policy",
    "series",
    "form",
    "region",
    "exporter",
    "importer",
    "supplier",
    "end_use",
)


@dataclass(frozen=True)
class Band:
    """The 10, 50 and 90 % points of one summary value; None where it was not computed."""

    p10: float | None = None
    p50: float | None = None
    p90: float | None = None

    @property
    def known(self) -> bool:
        """Whether both ends are known."""
        return self.p10 is not None and self.p90 is not None


@dataclass(frozen=True)
class Reading:
    """A simulation result with names, dates and figures in one language.

    Attributes:
        result: the simulation result.
        words: the language.
    """

    result: Result
    words: Language

    @classmethod
    def of(cls, result: Result, lang: str) -> Reading:
        """Read a result in the language of a code (``en`` or ``ko``)."""
        return cls(result, language(lang))

    def table(self, name: str) -> pl.DataFrame:
        """Return a table in an order of its own, so that the order of the rows changes nothing (law 7).

        It is empty without columns when the result has none of that name; tables that are read as a list
        (measures, summary, parameters) keep their order.
        """
        table = self.result.tables.get(name, pl.DataFrame())
        keys = [column for column in _ORDER if column in table.columns]
        return table.sort(keys, maintain_order=True) if keys and name != "measures" else table

    # The question ----------------------------------------------------------------------------------------

    @cached_property
    def scenario(self) -> Mapping[str, Any]:
        """The scenario as data; only its name when the result carries no more."""
        found = self.result.lineage.call.get("scenario")
        if isinstance(found, Mapping):
            return found
        return {"name": str(found)} if found else {}

    def _asked(self, key: str) -> Any:
        call = self.result.lineage.call
        return call[key] if call.get(key) is not None else self.scenario.get(key)

    @property
    def name(self) -> str:
        """Name of the scenario."""
        return clean(str(self.scenario.get("name") or self.result.kind))

    def _worded(self, key: str) -> str:
        text = self.scenario.get(key)
        if text is None:
            call = self.result.lineage.call
            text = call.get(f"{key}_{self.words.code}") or call.get(f"{key}_en")
        if isinstance(text, Mapping):
            text = text.get(self.words.code) or text.get("en") or next(iter(text.values()), "")
        return clean(str(text or ""))

    @property
    def title(self) -> str:
        """Title of the scenario."""
        return self._worded("title") or self.name

    @property
    def description(self) -> str:
        """Description of the scenario, possibly empty."""
        return self._worded("description")

    @property
    def focal(self) -> str:
        """ISO 3166 alpha-3 of the focal country."""
        return str(self._asked("focal") or "")

    @property
    def form(self) -> str:
        """Name of the form."""
        return str(self._asked("form") or "")

    @property
    def focal_name(self) -> str:
        """Name of the focal country."""
        return self.words.country(self.focal)

    @property
    def form_name(self) -> str:
        """Name of the form, lower case in the middle of an English sentence."""
        return self.words.form(self.form)

    @property
    def form_inline(self) -> str:
        """Name of the form as it stands inside a sentence."""
        return self.words.inline(self.form_name)

    @property
    def base_year(self) -> str:
        """Base year as text."""
        return str(self._asked("base_year") or self._asked("year") or self.words.unknown)

    @property
    def draws(self) -> int | None:
        """Number of parameter draws behind the bands."""
        found = self.result.lineage.call.get("draws")
        if found is None:
            found = (self.scenario.get("uncertainty") or {}).get("draws")
        return int(found) if found is not None else None

    @cached_property
    def months(self) -> list[dt.date]:
        """First day of every month of the horizon."""
        supply = self.table("supply")
        return supply["month"].to_list() if "month" in supply.columns else []

    @cached_property
    def unit(self) -> str:
        """What a tonne is a tonne of."""
        if self.element:
            return self.words.text("unit.contained", element=self.element)
        return self.words.text("unit.contained_plain")

    @cached_property
    def element(self) -> str:
        """Symbol of what is contained; empty when the table of forms does not tell."""
        return _contained_element(self.form)

    @cached_property
    def contained_name(self) -> str:
        """Name of what is contained, as inside a sentence."""
        return self.words.contained(self.element) if self.element else ""

    @cached_property
    def decimals(self) -> int:
        """Decimals that show monthly tonnes to four figures of what is used or comes in a month."""
        supply = self.table("supply")
        columns = [supply[c] for c in ("base_imports_t", "base_use_t") if c in supply.columns]
        largest = [value for column in columns for value in column.drop_nulls().to_list()]
        return decimals_of_total(max(largest, default=0.0))

    @property
    def focal_inline(self) -> str:
        """Name of the focal country inside a sentence."""
        return self.words.country_inline(self.focal)

    @property
    def short_unit(self) -> str:
        """The same, short, for the title of a chart."""
        if not self.element:
            return self.words.text("unit.short_plain")
        return self.words.text("unit.short", element=self.element)

    @property
    def column_unit(self) -> str:
        """The same, shorter still, for the heading of a narrow column."""
        if not self.element:
            return self.words.text("unit.column_plain")
        return self.words.text("unit.column", element=self.element)

    # The answer ------------------------------------------------------------------------------------------

    @cached_property
    def _summary(self) -> dict[str, dict[str, Any]]:
        table = self.table("summary")
        return {row["name"]: row for row in table.iter_rows(named=True)} if "name" in table.columns else {}

    def value(self, name: str) -> float | None:
        """Return a summary number; None when unknown."""
        found = self._summary.get(name, {}).get("value")
        return float(found) if found is not None and math.isfinite(found) else None

    def day(self, name: str) -> dt.date | None:
        """Return a summary date; None when there is none."""
        return as_date(self._summary.get(name, {}).get("text"))

    def unit_of(self, name: str) -> str:
        """Return the unit of a summary value."""
        return str(self._summary.get(name, {}).get("unit") or "")

    @property
    def summary_names(self) -> list[str]:
        """Names of the summary values in their order."""
        return list(self._summary)

    @cached_property
    def _bands(self) -> dict[str, Band]:
        table = self.table("summary_bands")
        if "name" not in table.columns:
            return {}
        return {
            row["name"]: Band(*(_finite(row.get(p)) for p in ("p10", "p50", "p90")))
            for row in table.iter_rows(named=True)
        }

    def band(self, name: str) -> Band:
        """Return the range of a summary value; unknown where none was computed."""
        return self._bands.get(name, Band())

    def shown(self, name: str, value: float | None, *, rounded: bool = True) -> str:
        """Return a summary value formatted by its name."""
        words = self.words
        if name.startswith(("loss_usd", "price_usd")):
            return words.money(value)
        if "ratio" in name:
            return words.ratio(value)
        if name.endswith("_days"):
            return words.days(value)
        if name.endswith("_share"):
            return words.percent(value)
        if name == "gross_per_contained":
            return words.number(value, 2)
        return words.tonnes(value, rounded=rounded)

    @property
    def is_short(self) -> bool:
        """Whether there is a shortage worth announcing."""
        share = self.value("shortage_share")
        return share is not None and share > NOTABLE_SHARE

    @cached_property
    def other_supply(self) -> float:
        """Tonnes of other supply (equation E58) over the months in which a measure bites."""
        supply = self.table("supply")
        if "other_supply_t" not in supply.columns:
            return 0.0
        found = float(supply.filter(pl.col("month").is_in(self.window))["other_supply_t"].sum())
        return found if found > 1e-6 * (self.value("base_use_year_t") or 0.0) else 0.0

    # Windows and names -----------------------------------------------------------------------------------

    @cached_property
    def acts(self) -> list[dict[str, Any]]:
        """Measures that bite, as rows: not the policies of the focal side."""
        return [row for row in self.table("measures").iter_rows(named=True) if not is_policy(row)]

    @cached_property
    def biting_months(self) -> list[dt.date]:
        """Months from the first to the last in which a measure is in force; empty when none is."""
        found = [i for i, month in enumerate(self.months) if any(_in_force(row, month) for row in self.acts)]
        return self.months[found[0] : found[-1] + 1] if found else []

    @property
    def window(self) -> list[dt.date]:
        """The biting months, or the whole horizon when no measure is in force."""
        return self.biting_months or self.months

    @cached_property
    def start(self) -> dt.date | None:
        """First day of the horizon."""
        return self.months[0] if self.months else None

    @cached_property
    def end_use_names(self) -> dict[str, str]:
        """End use to its name."""
        table, column = self.table("end_use_names"), f"name_{self.words.code}"
        if column not in table.columns:
            return {}
        return {row["end_use"]: clean(row[column] or row["end_use"]) for row in table.iter_rows(named=True)}

    def end_use(self, key: str) -> str:
        """Return the name of an end use; that of another form of the chain says of which."""
        form, other, _ = key.partition(": ")
        name = self.end_use_names.get(key, clean(key))
        return self.words.text("word.of_form", name=name, form=self.words.form(form)) if other else name

    def cite(self, *columns: str) -> str:
        """Return the numbers of the equations behind ``table.column`` names, in brackets, or nothing."""
        wanted = set(columns)
        keys = {
            d.equation
            for d in self.result.lineage.derivations
            if f"{d.table}.{d.column}" in wanted and d.equation
        }
        ordered = sorted(keys, key=lambda key: (len(key), key))
        return self.words.text("method.cite", keys=", ".join(ordered)) if ordered else ""


def is_policy(row: Mapping[str, Any]) -> bool:
    """Whether a row of the table of measures is an act of the focal side."""
    role = row.get("role")
    return role == "policy" if role else row["kind"] in POLICY_KINDS


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def _in_force(row: Mapping[str, Any], month: dt.date) -> bool:
    """Whether a measure is in force on any day of a month."""
    next_month = dt.date(month.year + month.month // 12, month.month % 12 + 1, 1)
    start = as_date(row.get("effective"))
    stops = [day for day in (as_date(row.get("suspended")), as_date(row.get("ends"))) if day is not None]
    if start is None or start >= next_month:
        return False
    return all(stop > month for stop in stops)


def _contained_element(form: str) -> str:
    """Symbol of what is contained; empty when the table of forms does not tell."""
    from evernormal.errors import UnknownNameError  # noqa: PLC0415
    from evernormal.network.forms import form as form_of  # noqa: PLC0415 - reads a table when needed

    try:
        return str(form_of(form).contained or "")
    except UnknownNameError:
        return ""
