"""Prices that the user added: one publisher's series each, as printed or per another unit and currency."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

import polars as pl

from evernormal import units
from evernormal.data.schema import day, public_columns
from evernormal.data.stored import datasets, stored
from evernormal.errors import InputError, NotCoveredError, UnitError, UnknownNameError
from evernormal.result import Input

__all__ = ["price_inputs", "prices"]

_AMOUNTS = ("price", "low", "high")


def prices(
    forms: str | Iterable[str] | None = None,
    materials: str | Iterable[str] | None = None,
    commodities: str | Iterable[str] | None = None,
    first: str | None = None,
    last: str | None = None,
    *,
    unit: str | None = None,
    currency: str | None = None,
    rates: Mapping[str, float] | None = None,
    dataset: str | None = None,
    folder: str | Path | None = None,
    as_of: date | str | None = None,
) -> pl.DataFrame:
    """Return prices by month or year, one row per series and period.

    Args:
        forms: such as ``nickel/metal``; None for all.
        materials: such as ``nickel``; None for all, and for labels that are none of the materials.
        commodities: the publisher's labels, such as ``Coal, Australian``; None for all.
        first: first period, like ``2020-01``; None for the beginning.
        last: last period, included; None for the end.
        unit: mass that prices shall be for, such as ``t`` or ``kg``; None: as printed.
        currency: ISO 4217 code that prices shall be in; None: as printed.
        rates: with ``currency``: whole units of it for one US dollar, by period like ``2024-05`` or by year.
        dataset: name of one data set; None for every data set of prices in ``folder``.
        folder: folder of the user's store.
        as_of: what was knowable on this day (law 11).

    Returns:
        period, year, commodity, material, form, price, low, high (in ``currency`` per ``unit`` of ``basis``;
        null where not known), currency, unit, basis, flag, source, source_ref, as_of, grade; in the order of
        source, commodity and period.

    Raises:
        NotCoveredError: no prices were added or knowable, or nothing covers what was asked.
        UnknownNameError: a data set, form, material or commodity that has no price.
        UnitError: a price is for no mass, or the rate of a period is not given (law 4).
    """
    found = price_inputs(dataset, folder, as_of)
    rows = pl.concat([table for table, _ in found])
    for column, wanted in (("form", forms), ("material", materials), ("commodity", commodities)):
        if wanted is not None:
            names = [wanted] if isinstance(wanted, str) else list(wanted)
            known = rows[column].drop_nulls().unique().to_list()
            for name in names:
                if name not in known:
                    raise UnknownNameError(f"{column} of the prices that were added", name, known)
            rows = rows.filter(pl.col(column).is_in(names))
    if first is not None:
        rows = rows.filter(pl.col("period") >= first)
    if last is not None:
        rows = rows.filter(pl.col("period").str.slice(0, len(last)) <= last)
    if rows.is_empty():
        raise NotCoveredError("no price covers what was asked", where=", ".join(i.name for _, i in found))
    if unit is not None:
        rows = _per(rows, unit)
    if currency is not None:
        rows = _in(rows, currency, rates or {})
    return rows.sort("source", "commodity", "period")


def price_inputs(
    dataset: str | None, folder: str | Path | None, as_of: date | str | None = None
) -> list[tuple[pl.DataFrame, Input]]:
    """Return the rows of each data set of prices that was knowable on a day, and the file behind them.

    Raises:
        NotCoveredError: none was added, or none was knowable.
    """
    names = [dataset] if dataset is not None else sorted(datasets("prices", folder))
    if not names:
        raise NotCoveredError(
            "no prices were added", cure="Add a publisher's file: evernormal data add pink-sheet FILE."
        )
    tables = []
    late: list[NotCoveredError] = []
    for name in names:
        try:
            tables.append(stored("prices", name, folder, day(as_of)))
        except NotCoveredError as error:
            late.append(error)
    if not tables:
        raise late[0]
    wanted = [column.name for column in public_columns("prices")]
    return [(table.select(wanted), pinned) for table, pinned in tables]


def _per(rows: pl.DataFrame, unit: str) -> pl.DataFrame:
    """Return prices per one unit of mass, exactly converted and rounded once."""
    if units.unit(unit).kind != "mass":
        raise UnitError(f"{unit!r} is no unit of mass", where="unit", cure="Give one like t, kg or oz t.")
    factors: dict[str, float] = {}
    for printed in rows["unit"].unique().sort().to_list():
        try:
            factors[printed] = float(units.factor(unit, printed))
        except UnitError as error:
            labels = rows.filter(pl.col("unit") == printed)["commodity"].unique().sort().to_list()
            raise UnitError(
                f"{', '.join(labels[:5])} {'is' if len(labels) == 1 else 'are'} priced for {printed!r},"
                f" which is no {unit!r}",
                where="unit",
                cure="Ask for forms or materials that are priced by mass, or leave out unit.",
            ) from error
    factor = pl.col("unit").replace_strict(factors, return_dtype=pl.Float64)
    return rows.with_columns(*(pl.col(name) * factor for name in _AMOUNTS), unit=pl.lit(unit))


def _in(rows: pl.DataFrame, currency: str, rates: Mapping[str, float]) -> pl.DataFrame:
    """Return prices in another currency by the rate of their period, else of their year."""
    printed = rows["currency"].unique().sort().to_list()
    if printed == [currency]:
        return rows
    other = [name for name in printed if name not in ("USD", currency)]
    if other:
        raise UnitError(
            f"prices in {', '.join(other)} have no rate", where="currency", cure="Ask for prices in USD only."
        )
    needed = rows.filter(pl.col("currency") == "USD")["period"].unique().sort().to_list()
    missing = [period for period in needed if period not in rates and period[:4] not in rates]
    if missing:
        raise UnitError(
            f"no rate of {currency} for {missing[0]}{' and later' if len(missing) > 1 else ''}",
            where="rates",
            cure=f'Give whole {currency} for one USD, like rates={{"{missing[0]}": 1370.0}}.',
        )
    used = {period: float(rates.get(period, rates.get(period[:4], 0.0))) for period in needed}
    if any(not rate > 0 for rate in used.values()):
        raise InputError("an exchange rate must be positive", where="rates")
    rate = pl.when(pl.col("currency") == currency).then(1.0).otherwise(
        pl.col("period").replace_strict(used, default=1.0, return_dtype=pl.Float64)
    )  # fmt: skip
    return rows.with_columns(*(pl.col(name) * rate for name in _AMOUNTS), currency=pl.lit(currency))
