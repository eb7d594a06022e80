"""The source rows behind one cell of a result, fetched again from the inputs that the result was pinned to.

A *finder* knows for one kind of result which rows of which table are behind a cell, and works the value out
from them by the equation, not by the code that made the table.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from evernormal.report.making import made_again, maker_of, pins, require_inputs
from evernormal.result import Input, Result

if TYPE_CHECKING:
    from evernormal.network.forms import Form
    from evernormal.risk.world_tables import WorldTables

__all__ = ["Context", "Evidence", "Finder", "Working", "figure", "spelled", "summed", "total"]

NAMED = 3


@dataclass(frozen=True)
class Evidence:
    """Rows of one input behind a value.

    Attributes:
        input: name of the input among those of the result.
        rows: the rows, the weightiest first.
    """

    input: str
    rows: pl.DataFrame


@dataclass(frozen=True)
class Working:
    """A value worked out again.

    Attributes:
        value: the value; None where the rows leave it unknown.
        worked: the equation with its numbers put in.
        evidence: the rows.
        again: whether the whole call was made again, because the value hangs on more than its own rows.
    """

    value: float | str | None
    worked: str = ""
    evidence: tuple[Evidence, ...] = ()
    again: bool = False


Finder = Callable[["Context", str, Mapping[str, Any]], Working | None]
"""Works one column out at the keys of a row; None where it does not know the column."""


@dataclass
class Context:
    """A result and the tables behind it, read when they are needed and as they were pinned.

    Attributes:
        result: the result.
        folder: folder of the user's store.
    """

    result: Result
    folder: str | Path | None = None
    kept: dict[Any, Any] = field(default_factory=dict)

    @property
    def call(self) -> Mapping[str, Any]:
        """What the result was asked with."""
        return self.result.lineage.call

    @cached_property
    def checked(self) -> bool:
        """True once every input was found to be what it was; raises otherwise."""
        require_inputs(self.result, self.folder)
        return True

    @cached_property
    def pins(self) -> Mapping[str, Any]:
        """Vintages of the user's data sets that the result read."""
        return pins(self.result)

    @cached_property
    def again(self) -> Result:
        """The whole result, made again."""
        return made_again(self.result, self.folder)

    def narrowed(self, keys: Mapping[str, Any]) -> Result:
        """Return the same call asked for the row of some keys only, as far as the call can be narrowed."""
        narrow = {a: [keys[c]] for c, a in maker_of(self.result).narrow.items() if c in keys}
        place = tuple(sorted((name, str(value)) for name, value in narrow.items()))
        if not narrow:
            return self.again
        if place not in self.kept:
            self.kept[place] = made_again(self.result, self.folder, **narrow)
        found: Result = self.kept[place]
        return found

    # --- tables -----------------------------------------------------------------

    def input_of(self, table: str) -> str:
        """Return the name of the input that holds a shipped table, or of the data set in its place."""
        own = self.pins.get("dataset") if table == "trade" else None
        if own is not None:
            return str(own)
        return next((one.name for one in self.result.lineage.inputs if one.name == table), table)

    def named(self, name: str) -> Input | None:
        """Return an input of the result by its name."""
        return next((one for one in self.result.lineage.inputs if one.name == name), None)

    def trade(
        self,
        codes: Iterable[str] | None,
        importers: Iterable[str] | None = None,
        exporters: Iterable[str] | None = None,
        years: Iterable[int] | None = None,
    ) -> pl.DataFrame:
        """Return trade rows of the vintage that the result read."""
        from evernormal.data import trade  # noqa: PLC0415 - opens the snapshot

        assert self.checked
        what, into, out = (None if names is None else tuple(names) for names in (codes, importers, exporters))
        when = None if years is None else tuple(years)
        place = ("trade", what, into, out, when)
        if place not in self.kept:
            where: dict[str, Any] = {"dataset": self.pins.get("dataset"), "folder": self.folder}
            rows = trade(what, into, out, when, **where)
            self.kept[place] = rows.with_columns(pl.col("year").cast(pl.Int64))
        found: pl.DataFrame = self.kept[place]
        return found

    def contained(self, form_name: str, years: Iterable[int]) -> pl.DataFrame:
        """Return the trade rows of a form, all countries, with contained tonnes (equation E22)."""
        from evernormal.network.observations import contained_rows  # noqa: PLC0415

        place = ("contained", form_name, tuple(years))
        if place not in self.kept:
            one = self.form(form_name)
            rows = contained_rows(self.trade(self.codes(one), years=place[2]), one)
            self.kept[place] = rows.filter(pl.col("exporter") != pl.col("importer"))
        found: pl.DataFrame = self.kept[place]
        return found

    def form(self, name: str) -> Form:
        """Return a form by its name."""
        from evernormal.network.forms import form as form_of  # noqa: PLC0415 - reads tables

        return form_of(name)

    def codes(self, one: Form) -> tuple[str, ...]:
        """Return the codes of a form that the pinned trade holds, in its own revision."""
        from evernormal.data.trade_table import trade_table  # noqa: PLC0415 - opens the snapshot
        from evernormal.risk.focal_sums import codes_of_form  # noqa: PLC0415

        assert self.checked
        return codes_of_form(one, trade_table(self.pins.get("dataset"), self.folder, None))

    def production(self, label: str, years: Sequence[int]) -> pl.DataFrame:
        """Return production of a label of World Mining Data."""
        from evernormal.data import production  # noqa: PLC0415 - opens the snapshot

        assert self.checked
        return production([label], years=years).with_columns(pl.col("year").cast(pl.Int64))

    def governance(self, year: int) -> pl.DataFrame:
        """Return the governance risk of every country in a year."""
        from evernormal.data import governance  # noqa: PLC0415 - opens the snapshot

        assert self.checked
        return governance(years=[year], indicators="normalized")

    def world(self) -> WorldTables:
        """Return the tables of GeoPolRisk as the result read them."""
        from evernormal.risk.world_tables import open_world  # noqa: PLC0415

        assert self.checked
        if "world" not in self.kept:
            where = {"dataset": self.pins.get("dataset"), "statistics": self.pins.get("statistics")}
            self.kept["world"] = open_world(**where, folder=self.folder, as_of=self.call.get("as_of"))
        found: WorldTables = self.kept["world"]
        return found


def figure(value: float | None) -> str:
    """Write a number of a worked equation: six significant figures, thousands apart.

    >>> figure(1234567.891), figure(0.138809756), figure(None)
    ('1,234,568', '0.13881', '?')
    """
    if value is None or math.isnan(value):
        return "?"
    if value == 0 or abs(value) >= 1e5:
        return f"{value:,.0f}"
    return f"{value:,.6g}"


def spelled(terms: Sequence[str]) -> str:
    """Write a sum: the first terms, and how many follow.

    >>> spelled(["1", "2", "3", "4", "5"])
    '(1 + 2 + 3 + … +2)'
    """
    if not terms:
        return "0"
    if len(terms) == 1:
        return terms[0]
    more = f" + … +{len(terms) - NAMED}" if len(terms) > NAMED else ""
    return f"({' + '.join(terms[:NAMED])}{more})"


def summed(values: Iterable[float | None], value: float | None) -> str:
    """Write a sum and what it comes to.

    >>> summed([1.0, 2.5], 3.5), summed([], 0.0)
    ('(1 + 2.5) = 3.5', '= 0')
    """
    terms = [figure(one) for one in values if one is not None]
    return f"{spelled(terms)} = {figure(value)}" if len(terms) > 1 else f"= {figure(value)}"


def total(values: Iterable[float | None]) -> float:
    """Add numbers up in an order of their own (law 7); what is unknown is left out."""
    return math.fsum(sorted(value for value in values if value is not None))
