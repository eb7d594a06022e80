"""A firm's own purchases, stocks, suppliers and use, and what they say about cover and suppliers."""

from __future__ import annotations

import calendar
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from evernormal import units
from evernormal.data.schema import day
from evernormal.data.stored import datasets, stored
from evernormal.errors import InputError, NotCoveredError, UnknownNameError
from evernormal.result import Derivation, Finding, Input, Lineage, Result

__all__ = ["firm", "firm_cover"]

_TABLES = {
    "purchases": (
        *("form", "supplier", "country", "period", "quantity", "unit", "price", "currency", "price_unit"),
        *("incoterm", "contract", "lead_time_days"),
    ),
    "stocks": ("form", "site", "quantity", "unit", "content", "known_on"),
    "suppliers": (
        *("supplier", "country", "source_country", "qualified", "lead_time_days", "alternative", "form"),
    ),
    "use": ("form", "site", "period", "quantity", "unit", "stops_at"),
}
_COMMON = ("source", "source_ref", "as_of", "grade")
_UNITS = {
    "quantity": "(column unit)",
    "price": "(columns currency and price_unit)",
    "content": "fraction",
    "lead_time_days": "d",
    "stops_at": "(column unit)",
}
_MONTHS = 3


def firm(
    *,
    dataset: str | None = None,
    folder: str | Path | None = None,
    as_of: date | str | None = None,
) -> Result:
    """Return what a firm brought with its workbook.

    Args:
        dataset: name of the data set; None for the only one.
        folder: folder of the user's store.
        as_of: what was knowable on this day (law 11).

    Returns:
        Result ``firm`` with tables ``purchases``, ``stocks``, ``suppliers`` and ``use``, whose columns are
        those of the workbook and source, source_ref, as_of, grade.  Quantities are product weight.

    Raises:
        NotCoveredError: no workbook of a firm was added, or none was knowable.
        InputError: several data sets, and none named.
    """
    rows, pinned = _stored(dataset, folder, as_of)
    tables = {
        name: rows.filter(pl.col("sheet") == name).select(*columns, *_COMMON)
        for name, columns in _TABLES.items()
    }
    known = {
        name: {c: _UNITS[c] for c, dtype in table.schema.items() if dtype.is_float()}
        for name, table in tables.items()
    }
    return Result("firm", tables, known, _lineage(pinned, as_of))


def firm_cover(
    forms: str | Iterable[str] | None = None,
    *,
    months: int = _MONTHS,
    dataset: str | None = None,
    folder: str | Path | None = None,
    as_of: date | str | None = None,
) -> Result:
    """Return how long a firm's stock lasts, by form and site, and how its purchases divide among suppliers.

    Days of cover are the latest stock over the use of a day (equation E53), where use of a day is that of the
    latest ``months`` months not after the stock over their days; ``days_to_stop`` counts only what lies above
    the stock at which the line stops.  Shares of suppliers are by product weight (equation E12) over the
    twelve months that end with the latest purchase.

    Args:
        forms: such as ``lithium/hydroxide``; None for every form that the firm stocks or buys.
        months: months of use that are averaged.
        dataset: name of the data set; None for the only one.
        folder: folder of the user's store.
        as_of: what was knowable on this day (law 11).

    Returns:
        Result ``firm-cover`` with tables ``cover`` (form, site, stock_day, stock_t, use_t_per_day,
        stops_at_t, days, days_to_stop; one row per site and one for the firm as a whole, without site) and
        ``supplier_shares`` (form, supplier, country, quantity_t, share, months).  Unknown use or stock gives
        unknown days (law 2).

    Raises:
        NotCoveredError: no workbook, or it has neither stocks nor purchases of the forms.
        UnknownNameError: a form that the firm does not name.
    """
    if months < 1:
        raise InputError(f"months must be 1 or more, got {months}", where="months")
    rows, pinned = _stored(dataset, folder, as_of)
    known = rows["form"].drop_nulls().unique().sort().to_list()
    wanted = known if forms is None else [forms] if isinstance(forms, str) else list(forms)
    for name in wanted:
        if name not in known:
            raise UnknownNameError("form of the firm", name, known)
    rows = rows.filter(pl.col("form").is_in(wanted)).with_columns(_tonnes("quantity"), _tonnes("stops_at"))
    findings: list[Finding] = []
    cover = [
        row for name in wanted for row in _cover(name, rows.filter(pl.col("form") == name), months, findings)
    ]
    shares = [row for name in wanted for row in _shares(name, rows.filter(pl.col("form") == name))]
    if not cover and not shares:
        raise NotCoveredError("the firm gives neither stocks nor purchases of these forms")
    tables = {
        "cover": pl.DataFrame(cover, schema=_COVER, orient="row"),
        "supplier_shares": pl.DataFrame(shares, schema=_SHARES, orient="row"),
    }
    return Result("firm-cover", tables, _COVER_UNITS, _lineage(pinned, as_of, _DERIVED), tuple(findings))


_COVER = {
    "form": pl.String(),
    "site": pl.String(),
    "stock_day": pl.Date(),
    **dict.fromkeys(("stock_t", "use_t_per_day", "stops_at_t", "days", "days_to_stop"), pl.Float64()),
}
_SHARES = {
    **dict.fromkeys(("form", "supplier", "country"), pl.String()),
    **dict.fromkeys(("quantity_t", "share"), pl.Float64()),
    "months": pl.String(),
}
_COVER_UNITS = {
    "cover": {"stock_t": "t", "use_t_per_day": "t/d", "stops_at_t": "t", "days": "d", "days_to_stop": "d"},
    "supplier_shares": {"quantity_t": "t", "share": "fraction"},
}
_DERIVED = (
    Derivation("cover", "days", "E53", ("cover.stock_t", "cover.use_t_per_day"), "stock over use of a day"),
    Derivation(
        "cover", "days_to_stop", "E53", ("cover.stock_t", "cover.stops_at_t", "cover.use_t_per_day"),
        "stock above the level at which the line stops, over use of a day",
    ),
    Derivation(
        "supplier_shares", "share", "E12", ("supplier_shares.quantity_t",),
        "purchases from a supplier over all purchases of the form, by product weight",
    ),
)  # fmt: skip


def _stored(
    dataset: str | None, folder: str | Path | None, as_of: date | str | None
) -> tuple[pl.DataFrame, Input]:
    names = datasets("firm", folder)
    if dataset is None and not names:
        raise NotCoveredError(
            "no workbook of a firm was added", cure="Add one: evernormal data add firm FILE.xlsx."
        )
    if dataset is None and len(names) > 1:
        raise InputError(f"several firms were added: {', '.join(names)}", cure="Name one with dataset.")
    return stored("firm", dataset or names[0], folder, as_of)


def _lineage(pinned: Input, as_of: date | str | None, derived: Sequence[Derivation] = ()) -> Lineage:
    from evernormal import __version__  # noqa: PLC0415

    call = {"as_of": str(day(as_of))} if as_of is not None else {}
    return Lineage(__version__, (pinned,), derivations=tuple(derived), call=call)


def _tonnes(column: str) -> pl.Expr:
    """Return a column in tonnes; a row without a unit has no quantity."""
    masses = {
        name: float(units.factor(name, "t")) for name, unit in units.UNITS.items() if unit.kind == "mass"
    }
    factor = pl.col("unit").replace_strict(masses, default=None, return_dtype=pl.Float64)
    return (pl.col(column) * factor).alias(f"{column}_t")


def _cover(form: str, rows: pl.DataFrame, months: int, findings: list[Finding]) -> list[tuple[Any, ...]]:
    """Return a row for each site that has a stock, and one for the firm as a whole."""
    stocks = rows.filter(pl.col("sheet") == "stocks")
    if stocks.is_empty():
        return []
    use = rows.filter(pl.col("sheet") == "use")
    found: list[tuple[Any, ...]] = []
    latest: list[tuple[date, float]] = []
    for site in stocks["site"].unique().sort().to_list():
        mine = stocks.filter(pl.col("site") == site)
        on = mine["known_on"].max()
        assert isinstance(on, date)
        stock = math.fsum(mine.filter(pl.col("known_on") == on)["quantity_t"].to_list())
        latest.append((on, stock))
        used, stop = _use(use.filter(pl.col("site") == site), on, months)
        found.append((form, site, on, stock, used, stop, *_days(stock, used, stop)))
    first, last = min(on for on, _ in latest), max(on for on, _ in latest)
    if first != last:
        text = f"The stocks of {form} are of different days, {first} to {last}; their sum is of the later."
        findings.append(Finding("stock-days-differ", "caution", text, {"form": form}))
    total = math.fsum(stock for _, stock in latest)
    used, stop = _use(use, last, months)
    found.append((form, None, last, total, used, stop, *_days(total, used, stop)))
    if used is None:
        text = f"The firm gives no use of {form}: its days of cover are unknown."
        findings.append(Finding("use-unknown", "caution", text, {"form": form}))
    return found


def _use(use: pl.DataFrame, on: date, months: int) -> tuple[float | None, float | None]:
    """Return tonnes used a day, and the stock at which the line stops, from the months nearest to a day.

    The latest months up to that of the stock count; where all are later, the first of them, which are a plan.
    """
    amounts: dict[str, list[float]] = defaultdict(list)
    for period, quantity in use.select("period", "quantity_t").iter_rows():
        amounts[period].append(quantity)
    before = sorted(period for period in amounts if period <= f"{on.year}-{on.month:02}")[-months:]
    chosen = before or sorted(amounts)[:months]
    if not chosen:
        return None, None
    days = sum(calendar.monthrange(int(p[:4]), int(p[5:]))[1] for p in chosen)
    per_day = math.fsum(value for period in chosen for value in amounts[period]) / days
    stops = use.filter(pl.col("period") == chosen[-1])["stops_at_t"].to_list()
    stop = math.fsum(stops) if stops and None not in stops else None
    return per_day, stop


def _days(stock: float, used: float | None, stop: float | None) -> tuple[float | None, float | None]:
    """Return days of cover, and days until the line stops; unknown without use (law 2)."""
    if used is None or used <= 0:
        return None, None
    return stock / used, None if stop is None else max(0.0, stock - stop) / used


def _shares(form: str, rows: pl.DataFrame) -> list[tuple[Any, ...]]:
    """Return each supplier's and country's share of the purchases of the latest twelve months."""
    bought = rows.filter(pl.col("sheet") == "purchases", pl.col("quantity_t").is_not_null())
    if bought.is_empty():
        return []
    last = str(bought["period"].max())
    index = int(last[:4]) * 12 + int(last[5:]) - 12
    first = f"{index // 12}-{index % 12 + 1:02}"
    amounts: dict[tuple[str, str], list[float]] = defaultdict(list)
    for supplier, country, period, quantity in bought.select(
        "supplier", "country", "period", "quantity_t"
    ).iter_rows():
        if period >= first:
            amounts[supplier, country].append(quantity)
    sums = {key: math.fsum(values) for key, values in amounts.items()}
    total = math.fsum(sums.values())
    ordered = sorted(sums.items(), key=lambda item: (-item[1], item[0]))
    span = f"{max(first, str(bought['period'].min()))} to {last}"
    return [
        (form, supplier, country, amount, amount / total if total > 0 else None, span)
        for (supplier, country), amount in ordered
    ]
