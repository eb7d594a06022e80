"""One year's input-output table of one country as arrays, its accounts checked cell by cell, and its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evernormal.data.publishers.text import Problems
from evernormal.data.schema import public_columns
from evernormal.result import Finding

__all__ = ["CURRENCIES", "DOMESTIC", "IMPORTED", "Accounts", "account_findings", "check_accounts", "rows_of"]

Floats = NDArray[np.float64]

DOMESTIC, IMPORTED = "domestic", "imported"

CURRENCIES = {
    "USD": (1e8, 6e13),
    "KRW": (5e13, 2e16),
    "EUR": (1e8, 5e13),
    "JPY": (1e11, 2e15),
    "CNY": (1e9, 4e14),
}
"""Least and largest value added that an economy can have in a year since 1990, in units of the currency."""

REFUSED = 0.01
"""Share of a sector's output by which its accounts may fail to close before the file is refused."""


@dataclass(frozen=True)
class Accounts:
    """One country and year; n sectors.

    Attributes:
        region: ISO 3166 alpha-3.
        year: calendar year.
        unit: currency and size, such as ``million USD``.
        classification: whose sectors.
        sectors: codes.
        names: the publisher's names of the sectors.
        domestic: (n, n) home goods used by sectors; row delivers, column uses.
        imported: origin to (n, n) imported goods used by sectors.
        final: (n, k) home goods of each final use, exports among them.
        uses: codes of the k final uses.
        use_names: their names.
        value_added: (n,).
        taxes: (n,) taxes less subsidies, margins and adjustments on what sectors buy.
        output: (n,).
        place: names the cell of a row, a column (sector, ``output``, ``value added``) and an origin for an
            error: file row and column.
        blanks: number of empty cells, read as zero.
    """

    region: str
    year: int
    unit: str
    classification: str
    sectors: tuple[str, ...]
    names: Mapping[str, str]
    domestic: Floats
    imported: Mapping[str, Floats]
    final: Floats
    uses: tuple[str, ...]
    use_names: Mapping[str, str]
    value_added: Floats
    taxes: Floats
    output: Floats
    place: Callable[..., tuple[int, str]] = field(
        default=lambda row, column, origin="": (0, f"{row}/{column}")
    )
    blanks: int = 0

    @property
    def currency(self) -> str:
        """ISO 4217 code at the end of the unit."""
        return self.unit.split()[-1]

    @property
    def size(self) -> float:
        """Units of the currency in one unit of the table."""
        return {"thousand": 1e3, "million": 1e6, "billion": 1e9}.get(self.unit.split()[0], 1.0)

    def inputs(self) -> Floats:
        """(n,) goods at home and abroad bought, taxes on them, and value added."""
        bought = self.domestic.sum(axis=0) + sum(z.sum(axis=0) for z in self.imported.values())
        return np.asarray(bought + self.taxes + self.value_added)

    def deliveries(self) -> Floats:
        """(n,) home goods delivered to sectors and to final uses."""
        return np.asarray(self.domestic.sum(axis=1) + self.final.sum(axis=1))


def check_accounts(accounts: Accounts, problems: Problems) -> None:
    """Note every fault: negative deliveries, sums that fail to close, a size that cannot be."""
    _check_negative(accounts, problems)
    for what, sums, row_first in (
        ("inputs and value added", accounts.inputs(), False),
        ("deliveries to sectors and final uses", accounts.deliveries(), True),
    ):
        gap = sums - accounts.output
        for i in np.flatnonzero(
            np.abs(gap) > np.maximum(REFUSED * np.abs(accounts.output), _rounding(accounts))
        ):
            sector = accounts.sectors[i]
            row, column = accounts.place(sector, "output") if row_first else accounts.place("output", sector)
            problems.add(
                row,
                column,
                f"{what} of {sector} sum to {sums[i]:,.6g}, the file says {accounts.output[i]:,.6g}",
            )
    _check_size(accounts, problems)


def _check_negative(accounts: Accounts, problems: Problems) -> None:
    for origin, matrix in ((DOMESTIC, accounts.domestic), *sorted(accounts.imported.items())):
        for i, j in zip(*np.nonzero(matrix < -_rounding(accounts)), strict=True):
            row, column = accounts.place(accounts.sectors[i], accounts.sectors[j], origin)
            problems.add(row, column, f"a delivery cannot be negative, got {matrix[i, j]:,.6g}")
    for i in np.flatnonzero(accounts.output < 0):
        row, column = accounts.place(accounts.sectors[i], "output")
        problems.add(row, column, f"output cannot be negative, got {accounts.output[i]:,.6g}")


def _check_size(accounts: Accounts, problems: Problems) -> None:
    total = float(accounts.value_added.sum()) * accounts.size
    low, high = CURRENCIES.get(accounts.currency, (0.0, np.inf))
    low = low if accounts.year >= 1990 else 0.0
    if not low <= total <= high:
        row, column = accounts.place("value added", accounts.sectors[0])
        text = (
            f"value added of all sectors is {total:.3g} {accounts.currency} if the unit is {accounts.unit!r};"
            f" an economy has {low:.0e} to {high:.0e}: the unit is wrong"
        )
        problems.add(row, column, text)


def _rounding(accounts: Accounts) -> float:
    """What rounding of printed cells can add up to in one sum."""
    cells = np.concatenate([accounts.domestic.ravel(), accounts.final.ravel(), accounts.output])
    resolution = next(
        (10.0**-d for d in range(7) if np.allclose(cells, np.round(cells, d), rtol=0, atol=1e-9)), 0.0
    )
    return 0.5 * resolution * (len(accounts.sectors) * (1 + len(accounts.imported)) + len(accounts.uses) + 3)


def account_findings(accounts: Accounts) -> Iterator[Finding]:
    """Tell what a reader of a sound table must still know."""
    where = f"{accounts.region} {accounts.year}"
    gaps = np.maximum(
        np.abs(accounts.inputs() - accounts.output), np.abs(accounts.deliveries() - accounts.output)
    )
    open_ = gaps > _rounding(accounts)
    if open_.any():
        share = float((gaps[open_] / np.maximum(accounts.output[open_], 1e-300)).max())
        text = (
            f"{where}: the accounts of {int(open_.sum())} sectors miss their output by more than rounding, "
            f"at most {share:.2%}."
        )
        values = {"table": where, "count": int(open_.sum()), "largest": share}
        yield Finding("input-output-open", "caution", text, values)
    negative = [
        (accounts.sectors[j], accounts.place("value added", accounts.sectors[j]))
        for j in np.flatnonzero(accounts.value_added < 0)
    ]
    if negative:
        shown = ", ".join(f"{sector} (row {row}, column {column})" for sector, (row, column) in negative[:5])
        text = f"{where}: value added is negative in {shown}; a loss in those sectors has no meaning."
        values = {"table": where, "sectors": [s for s, _ in negative]}
        yield Finding("negative-value-added", "warning", text, values)
    if accounts.blanks:
        text = (
            f"{where}: {accounts.blanks:,} empty cells were read as no delivery; every total agrees with it."
        )
        yield Finding("blank-cells-zero", "info", text, {"table": where, "count": accounts.blanks})


def rows_of(accounts: Accounts, source: str, as_of: date, grade: str = "A") -> pl.DataFrame:
    """Return the rows as ``tables/schema.csv`` has them; cells of zero are left out, outputs never."""
    parts = [_block("intermediate", DOMESTIC, accounts.domestic, accounts.sectors, accounts.sectors)]
    for origin in sorted(accounts.imported):
        matrix = accounts.imported[origin]
        parts.append(_block("intermediate", origin, matrix, accounts.sectors, accounts.sectors))
    parts.append(_block("final", DOMESTIC, accounts.final, accounts.sectors, accounts.uses))
    for block, vector in (("value_added", accounts.value_added), ("taxes", accounts.taxes)):
        parts.append(_block(block, None, vector[None, :], (block,), accounts.sectors))
    parts.append(_block("output", None, accounts.output[None, :], ("output",), accounts.sectors, zeros=True))
    names = {**accounts.names, **accounts.use_names}
    where = f"{accounts.region} {accounts.year}"
    table = pl.concat(parts).with_columns(
        year=pl.lit(accounts.year, pl.Int16),
        region=pl.lit(accounts.region),
        classification=pl.lit(accounts.classification),
        row_name=pl.col("row").replace_strict(names, default=None, return_dtype=pl.String),
        column_name=pl.col("column").replace_strict(names, default=None, return_dtype=pl.String),
        unit=pl.lit(accounts.unit),
        source=pl.lit(source),
        source_ref=pl.lit(where),
        as_of=pl.lit(as_of),
        grade=pl.lit(grade),
    )
    return table.select(pl.col(c.name).cast(c.dtype) for c in public_columns("input_output"))


def _block(
    block: str,
    origin: str | None,
    matrix: Floats,
    rows: tuple[str, ...],
    columns: tuple[str, ...],
    *,
    zeros: bool = False,
) -> pl.DataFrame:
    i, j = np.nonzero(np.ones_like(matrix) if zeros else matrix)
    return pl.DataFrame(
        {
            "block": pl.Series([block] * len(i), dtype=pl.String),
            "origin": pl.Series([origin] * len(i), dtype=pl.String),
            "row": pl.Series([rows[k] for k in i], dtype=pl.String),
            "column": pl.Series([columns[k] for k in j], dtype=pl.String),
            "value": pl.Series(matrix[i, j], dtype=pl.Float64),
        }
    )
