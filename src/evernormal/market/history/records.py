"""Trade as arrays: one code, one row per pair of countries, one column per year."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evernormal.errors import NotCoveredError, UnknownNameError

__all__ = ["Records", "TradeRecords", "arrange", "exports_of", "imports_of"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Records:
    """Trade of one code.

    Attributes:
        code: six digits.
        countries: every country that trades it, sorted.
        years: consecutive calendar years of the columns.
        exporter: (P,) place in ``countries`` of each pair's exporter.
        importer: (P,) place in ``countries`` of each pair's importer.
        quantity: (P, Y) tonnes; 0 where no quantity is known.
        value: (P, Y) USD of the shipments whose quantity is known.
        blank: (P, Y) USD of the shipments whose quantity is unknown.
    """

    code: str
    countries: tuple[str, ...]
    years: tuple[int, ...]
    exporter: Integers
    importer: Integers
    quantity: Floats
    value: Floats
    blank: Floats

    @cached_property
    def exports(self) -> Floats:
        """(N, Y) tonnes shipped by each country."""
        return exports_of(self, self.quantity)

    @cached_property
    def imports(self) -> Floats:
        """(N, Y) tonnes received by each country."""
        return imports_of(self, self.quantity)

    @cached_property
    def export_value(self) -> Floats:
        """(N, Y) USD behind ``exports``."""
        return exports_of(self, self.value)

    @cached_property
    def export_blank(self) -> Floats:
        """(N, Y) USD shipped without a known quantity."""
        return exports_of(self, self.blank)

    @cached_property
    def world(self) -> Floats:
        """(Y,) tonnes of the world."""
        return np.asarray(self.quantity.sum(axis=0))

    @cached_property
    def world_value(self) -> Floats:
        """(Y,) USD behind ``world``."""
        return np.asarray(self.value.sum(axis=0))

    def place(self, country: str) -> int:
        """Return the place of a country in ``countries``.

        Raises:
            UnknownNameError: it does not trade the code.
        """
        try:
            return self._places[country]
        except KeyError:
            raise UnknownNameError(
                "country", country, self.countries, where=f"trade of code {self.code}"
            ) from None

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: n for n, name in enumerate(self.countries)}

    def column(self, year: int) -> int:
        """Return the column of a year.

        Raises:
            NotCoveredError: the year is outside the table.
        """
        if not self.years[0] <= year <= self.years[-1]:
            raise NotCoveredError(
                f"year {year} is not in the trade of code {self.code}",
                cure=f"It covers {self.years[0]} to {self.years[-1]}.",
            )
        return year - self.years[0]


@dataclass(frozen=True)
class TradeRecords:
    """Trade of many codes over the same years.

    Attributes:
        codes: code to its records, in the order of the codes.
        years: consecutive calendar years.
        revision: of the codes; empty where the table does not say.
    """

    codes: Mapping[str, Records]
    years: tuple[int, ...]
    revision: str = ""
    _value: dict[str, Floats] = field(default_factory=dict, repr=False, compare=False)

    def records(self, code: str) -> Records:
        """Return the records of a code.

        Raises:
            UnknownNameError: the table has no trade of it.
        """
        try:
            return self.codes[code]
        except KeyError:
            raise UnknownNameError("code", code, self.codes, where="trade table") from None

    @cached_property
    def value_by_code(self) -> Mapping[str, tuple[tuple[str, Floats], ...]]:
        """Country to its exports in USD, known quantity or not, by code."""
        found: dict[str, list[tuple[str, Floats]]] = {}
        for code, records in self.codes.items():
            total = records.export_value + records.export_blank
            for n in np.flatnonzero(total.sum(axis=1) > 0):
                found.setdefault(records.countries[n], []).append((code, total[n]))
        return {country: tuple(rows) for country, rows in found.items()}


def exports_of(records: Records, amounts: Floats) -> Floats:
    """Return (N, ...) sums of amounts by exporter."""
    return _sums(records.exporter, amounts, len(records.countries))


def imports_of(records: Records, amounts: Floats) -> Floats:
    """Return (N, ...) sums of amounts by importer."""
    return _sums(records.importer, amounts, len(records.countries))


def _sums(index: Integers, amounts: Floats, size: int) -> Floats:
    out = np.zeros((size, *amounts.shape[1:]))
    np.add.at(out, index, amounts)
    return out


def arrange(rows: pl.DataFrame, *, revision: str = "", codes: Iterable[str] | None = None) -> TradeRecords:
    """Return trade rows as arrays.

    The rows are sorted first, so that their order does not change a bit of any sum (laws 6 and 7).

    Args:
        rows: year, exporter, importer, code, value_usd, quantity_t (null where unknown).
        revision: of the codes.
        codes: only these; every code when omitted.

    Raises:
        NotCoveredError: no row is left.
    """
    if codes is not None:
        rows = rows.filter(pl.col("code").is_in(sorted(set(codes))))
    if rows.is_empty():
        raise NotCoveredError("the trade table has no rows", cure="Give years and codes that it covers.")
    order = ["code", "exporter", "importer", "year", "value_usd", "quantity_t"]
    rows = rows.select(order).sort(order, nulls_last=True)
    first, last = int(rows["year"].min()), int(rows["year"].max())  # type: ignore[arg-type]
    years = tuple(range(first, last + 1))
    parts = rows.partition_by("code", maintain_order=True, as_dict=True)
    return TradeRecords(
        {str(key[0]): _code(str(key[0]), part, years) for key, part in parts.items()}, years, revision
    )


def _code(code: str, rows: pl.DataFrame, years: tuple[int, ...]) -> Records:
    names = sorted({*rows["exporter"].unique().to_list(), *rows["importer"].unique().to_list()})
    places = pl.Series(range(len(names)), dtype=pl.Int64)
    exporter, importer = (
        rows[column].replace_strict(names, places, return_dtype=pl.Int64).to_numpy()
        for column in ("exporter", "importer")
    )
    pair, row = np.unique(exporter * len(names) + importer, return_inverse=True)
    cell = row * len(years) + (rows["year"].to_numpy().astype(np.int64) - years[0])
    tonnes, value = rows["quantity_t"].to_numpy(), rows["value_usd"].to_numpy()
    known = np.isfinite(tonnes)

    def table(chosen: NDArray[np.bool_], amounts: Any) -> Floats:
        flat = np.bincount(cell[chosen], amounts[chosen], len(pair) * len(years))
        return np.asarray(flat.reshape(len(pair), len(years)))

    return Records(
        code,
        tuple(names),
        years,
        pair // len(names),
        pair % len(names),
        table(known, tonnes),
        table(known, value),
        table(~known, value),
    )
