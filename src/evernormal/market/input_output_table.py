"""A national input-output table as arrays, ready for questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evernormal.data.input_output_rows import input_output
from evernormal.errors import InputError, LabelError, UnknownNameError
from evernormal.market.input_output_algebra import coefficients
from evernormal.result import Input

__all__ = ["InputOutput", "input_output_of", "open_input_output"]

Floats = NDArray[np.float64]

SIZES = {"thousand": 1e3, "million": 1e6, "billion": 1e9}


@dataclass(frozen=True)
class InputOutput:
    """One country and year; n sectors, every amount in units of ``currency`` a year.

    Attributes:
        region: ISO 3166 alpha-3.
        year: calendar year.
        currency: ISO 4217 code.
        classification: whose sectors: ``icio``, ``wiod2016``, ``wiod2013``, ``bok`` or ``own``.
        sectors: codes, sorted.
        names: the publisher's names; empty where it gives none.
        domestic: (n, n) home deliveries, row to column.
        imported: origin to (n, n) imported deliveries; ``imported`` where the table does not say from where.
        final: (n,) final use of home goods, exports among it.
        exports: (n,) exports alone; NaN where the table does not part them.
        value_added: (n,).
        output: (n,).
        inputs: the files behind it.
    """

    region: str
    year: int
    currency: str
    classification: str
    sectors: tuple[str, ...]
    names: Mapping[str, str]
    domestic: Floats
    imported: Mapping[str, Floats]
    final: Floats
    exports: Floats
    value_added: Floats
    output: Floats
    inputs: tuple[Input, ...] = field(default=())

    @property
    def home(self) -> Floats:
        """(n, n) home inputs per unit of output (equation E150)."""
        return coefficients(self.domestic, self.output)

    @property
    def all_imported(self) -> Floats:
        """(n, n) imported deliveries from everywhere."""
        total = np.zeros_like(self.domestic)
        for origin in sorted(self.imported):
            total = total + self.imported[origin]
        return total

    @property
    def worth(self) -> Floats:
        """(n,) value added per unit of output; NaN where output is zero or value added negative (law 2)."""
        known = (self.output > 0) & (self.value_added >= 0)
        blank = np.full(len(self.output), np.nan)
        return np.asarray(np.divide(self.value_added, self.output, out=blank, where=known))

    def place(self, sector: str) -> int:
        """Return the index of a sector, given by code or by name.

        Raises:
            UnknownNameError: there is none; names the nearest.
        """
        if sector in self.sectors:
            return self.sectors.index(sector)
        named = [s for s in self.sectors if self.names.get(s, "").replace(" ", "") == sector.replace(" ", "")]
        if len(named) == 1:
            return self.sectors.index(named[0])
        known = [*self.sectors, *self.names.values()]
        raise UnknownNameError(
            "sector", sector, known, where=f"{self.classification} {self.region} {self.year}"
        )


def input_output_of(
    transactions: Floats,
    output: Floats,
    *,
    imported: Floats | None = None,
    value_added: Floats | None = None,
    sectors: Sequence[str] | None = None,
    region: str = "KOR",
    year: int = 0,
    currency: str = "USD",
) -> InputOutput:
    """Return a table from plain arrays; final use is what sectors do not take.

    Args:
        transactions: (n, n) home deliveries, row to column.
        output: (n,).
        imported: (n, n) imported deliveries; none when left out.
        value_added: (n,); output less all inputs when left out.
        sectors: n names; ``s1`` and so on when left out.
        region: ISO 3166 alpha-3.
        year: calendar year.
        currency: ISO 4217 code.

    Raises:
        LabelError: shapes or names do not fit.
    """
    z, x = np.asarray(transactions, dtype=np.float64), np.asarray(output, dtype=np.float64)
    coefficients(z, x)
    m = np.zeros_like(z) if imported is None else np.asarray(imported, dtype=np.float64)
    added = (
        x - z.sum(axis=0) - m.sum(axis=0)
        if value_added is None
        else np.asarray(value_added, dtype=np.float64)
    )
    names = tuple(f"s{k + 1}" for k in range(len(x))) if sectors is None else tuple(sectors)
    if m.shape != z.shape or added.shape != x.shape or len(names) != len(x) or len(set(names)) != len(names):
        raise LabelError("imported, value added and sectors must have the shape of the table, each name once")
    unknown = np.full(len(x), np.nan)
    return InputOutput(
        region, year, currency, "own", names, {}, z, {"imported": m}, x - z.sum(axis=1), unknown, added, x
    )


def open_input_output(
    region: str,
    year: int | None = None,
    *,
    dataset: str | None = None,
    folder: str | Path | None = None,
    as_of: date | str | None = None,
) -> InputOutput:
    """Return a table that the user added.

    Args:
        region: country: ISO 3166 alpha-3.
        year: calendar year; the last that is there when left out.
        dataset: which data set; needed when several hold the country and year.
        folder: folder of the user's store.
        as_of: what was knowable on this day (law 11).

    Raises:
        NotCoveredError: no such table was added, or it was not knowable yet.
        InputError: several data sets hold one.
    """
    found = input_output(region, year, dataset=dataset, folder=folder, as_of=as_of)
    cells = found["cells"]
    chosen = int(cells["year"].max()) if year is None else year  # type: ignore[arg-type]
    cells = cells.filter(pl.col("year") == chosen)
    names = sorted(cells["dataset"].unique().to_list())
    if len(names) > 1:
        raise InputError(
            f"{region} {chosen} is in {' and '.join(names)}", where="dataset", cure="Say which: dataset=..."
        )
    return _of_cells(cells, region, chosen, found.lineage.inputs)


def _of_cells(cells: pl.DataFrame, region: str, year: int, inputs: tuple[Input, ...]) -> InputOutput:
    size, _, currency = str(cells["unit"][0]).rpartition(" ")
    sectors = tuple(sorted(cells.filter(pl.col("block") == "output")["column"].to_list()))
    place = {s: k for k, s in enumerate(sectors)}
    n, scale = len(sectors), SIZES.get(size, 1.0)
    between = cells.filter(pl.col("block") == "intermediate")
    matrices = {"domestic": np.zeros((n, n))}
    for origin, row, column, value in between.select("origin", "row", "column", "value").iter_rows():
        matrix = matrices.setdefault(origin, np.zeros((n, n)))
        matrix[place[row], place[column]] = value * scale

    def vector(block: str) -> Floats:
        out = np.zeros(n)
        for column, value in cells.filter(pl.col("block") == block).select("column", "value").iter_rows():
            out[place[column]] = value * scale
        return out

    final, exports = np.zeros(n), np.zeros(n)
    uses = cells.filter(pl.col("block") == "final").sort("row", "column")
    for row, column, value in uses.select("row", "column", "value").iter_rows():
        final[place[row]] += value * scale
        if str(column).startswith("exports"):
            exports[place[row]] += value * scale
    names = {
        str(code): str(name)
        for side in ("row", "column")
        for code, name in cells.select(side, f"{side}_name").drop_nulls().unique().sort(side).iter_rows()
        if code in place
    }
    domestic = matrices.pop("domestic")
    classification = str(cells["classification"][0])
    return InputOutput(
        region, year, currency, classification, sectors, names, domestic, matrices, final, exports,
        vector("value_added"), vector("output"), inputs,
    )  # fmt: skip
