"""The supply-stability index month by month, from a country's own customs declarations and prices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from evernormal.errors import InputError, NotCoveredError
from evernormal.network.forms import form as form_of
from evernormal.result import Finding, Input, Result
from evernormal.risk.momentum_panel import form_codes, opened
from evernormal.risk.stability import DISCOUNTS, checked_weights, past_ratio
from evernormal.risk.stability_cells import Components, stability_tables
from evernormal.risk.stability_table import (
    UNITS,
    Events,
    annual_tightness,
    events_known,
    lineage_of,
    ranked,
    said_of,
)

__all__ = ["monthly_stability"]

Floats = npt.NDArray[np.float64]

_YEAR = 12
_PAST = 36
_REVISION = "HS2022"


def monthly_stability(
    country: str,
    form: str,
    *,
    codes: Iterable[str] | None = None,
    customs: str | None = None,
    prices: str | None = None,
    commodity: str | None = None,
    events: Events | None = None,
    weights: Mapping[str, float] | Sequence[float] | None = None,
    discount: float | None = None,
    draws: int = 500,
    seed: int = 0,
    as_of: date | str | None = None,
    folder: str | Path | None = None,
) -> Result:
    """Return the supply-stability index of one form for every month that customs declare (E123 to E125).

    As :func:`supply_stability`, with the country's own months: the price over its last 36 months, imports of
    twelve months over the twelve before, concentration of the suppliers of twelve months.  World supply and
    world exports are those of the year before, which is what a month could know of them.

    Args:
        country: ISO 3166 alpha-3 of the importer.
        form: form name.
        codes: digits as text by which customs show the form; None for its own codes of HS 2022.
        customs: data set of customs declarations; None for the only one of the store.
        prices: data set of prices; None for the unit value of the imports.
        commodity: the publisher's label of the price; None for the only one of the form or its material.
        events: form or material to years, as in :func:`supply_stability`.
        weights: as in :func:`supply_stability`.
        discount: as in :func:`supply_stability`.
        draws: as in :func:`supply_stability`.
        seed: as in :func:`supply_stability`.
        as_of: use only what was knowable on this day (law 11).
        folder: folder of the user's store.

    Returns:
        Result ``supply-stability`` with tables ``stability`` and ``components`` as :func:`supply_stability`,
        but ``period`` (month) in place of year.

    Raises:
        UnknownNameError: no such form, country or data set.
        NotCoveredError: no monthly declaration, or no price, of the form.
        InputError: no folder, or several labels of a price and none named.
    """
    from evernormal.data import customs_shares  # noqa: PLC0415 - opens the store

    one = form_of(form)
    listed = list(codes) if codes is not None else [c.code for c in one.codes_for(_REVISION) if not c.basket]
    if not listed:
        raise InputError(f"{form} has no code of its own in {_REVISION}", cure="Give the codes yourself.")
    found = customs_shares(country, listed, dataset=customs, folder=folder, as_of=as_of)
    rows = found["shares"].filter(pl.col("period").str.len_chars() == 7)
    if rows.is_empty():
        raise NotCoveredError(
            f"no monthly import of {form} by {country} is declared",
            where=", ".join(i.name for i in found.lineage.inputs),
            cure="Fetch months: evernormal data fetch comtrade --frequency monthly.",
        )
    months = _months(rows)
    price, price_input = _price(rows, months, one.name, one.material, prices, commodity, folder, as_of)
    chosen = opened(None, None, None)
    annual = annual_tightness(chosen, country, form_codes([form], chosen), chosen.coverage_of()[1][1])
    parts = _components(rows, months, price, annual)
    happened, told = events_known(events, [country], [form], as_of)
    by_month = {pair: frozenset(m for m in months if m[:4] in years) for pair, years in happened.items()}
    shares, most = checked_weights(weights, discount)
    keys = ([country], [form], months)
    tables = stability_tables(parts, keys, range(len(months)), by_month, shares, most, draws, seed)
    call: dict[str, object] = {
        "country": country, "form": form, "codes": listed, "customs": customs, "prices": prices,
        "commodity": commodity, "weights": shares.tolist(), "discount": most, "draws": draws,
        "as_of": None if as_of is None else str(as_of),
    }  # fmt: skip
    inputs = (*found.lineage.inputs, *price_input, chosen.input)
    text = "World supply and world exports are those of the year before each month, from the shipped trade."
    findings = (
        *said_of(tables["stability"], len(months), weights is not None),
        *told,
        Finding("stability-world-yearly", "info", text, {"form": form}),
        *found.findings,
    )
    lineage = lineage_of(inputs, call, shares, most, seed)
    return Result("supply-stability", tables, UNITS, lineage, findings)


def _months(rows: pl.DataFrame) -> list[str]:
    """Every month from the first declared to the last."""
    ends = sorted(set(rows["period"].to_list()))
    year, month = int(ends[0][:4]), int(ends[0][5:])
    months = [ends[0]]
    while months[-1] < ends[-1]:
        year, month = (year + 1, 1) if month == _YEAR else (year, month + 1)
        months.append(f"{year}-{month:02d}")
    return months


def _series(rows: pl.DataFrame, months: Sequence[str], column: str) -> Floats:
    place = {month: number for number, month in enumerate(months)}
    values = np.full(len(months), np.nan)
    for month, value in rows.select("period", column).iter_rows():
        if month in place and value is not None:
            values[place[month]] = value
    return values


def _price(
    rows: pl.DataFrame,
    months: Sequence[str],
    form: str,
    material: str,
    dataset: str | None,
    commodity: str | None,
    folder: str | Path | None,
    as_of: date | str | None,
) -> tuple[Floats, tuple[Input, ...]]:
    """Monthly price: the publisher's, or the unit value of imports whose weight is known."""
    if dataset is None:
        sums = rows.filter(pl.col("quantity_t") > 0).sort("period", "supplier").group_by("period").agg(
            pl.col("value_usd").sum() / pl.col("quantity_t").sum()
        )  # fmt: skip
        return _series(sums.rename({"value_usd": "price"}), months, "price"), ()
    from evernormal.data.stored import stored  # noqa: PLC0415 - opens the store

    table, used = stored("prices", dataset, folder, as_of)
    table = table.filter(pl.col("period").str.len_chars() == 7)
    if commodity is not None:
        kept = table.filter(pl.col("commodity") == commodity)
    else:
        own = table.filter(pl.col("form") == form)
        kept = (
            own if own.height else table.filter((pl.col("material") == material) & pl.col("form").is_null())
        )
    labels = sorted(set(kept["commodity"].to_list()))
    if not labels:
        raise NotCoveredError(f"{dataset} has no monthly price of {commodity or form}", where=used.name)
    if len(labels) > 1:
        raise InputError(
            f"{dataset} has {len(labels)} prices of {form}",
            where="commodity",
            cure=f"Name one of {', '.join(labels)}.",
        )
    return _series(kept, months, "price"), (used,)


def _rolling(values: Floats) -> Floats:
    """Sum of the twelve months up to each; NaN where a month is unknown or too early."""
    found = np.full(len(values), np.nan)
    for t in range(_YEAR - 1, len(values)):
        found[t] = values[t - _YEAR + 1 : t + 1].sum()
    return found


def _components(
    rows: pl.DataFrame, months: Sequence[str], price: Floats, annual: tuple[Components, list[int]]
) -> Components:
    """Measures of the months, ranked in their own history; the world's stand as they were ranked by year."""
    weight = rows.sort("period", "supplier").group_by("period").agg(pl.col("quantity_t").sum())
    bought = _rolling(_series(weight, months, "quantity_t"))
    growth = np.full(len(months), np.nan)
    before = bought[:-_YEAR]
    with np.errstate(divide="ignore", invalid="ignore"):
        growth[_YEAR:] = np.where(before > 0, bought[_YEAR:] / before, np.nan)
    measures = np.full((1, 1, len(months), len(DISCOUNTS) + 1), np.nan)
    measures[0, 0, :, 0] = past_ratio(price, _PAST)
    measures[0, 0, :, 3] = growth
    measures[0, 0, :, 4] = _concentration(rows, months)
    found = ranked(measures)
    world, years = annual
    for place, month in enumerate(months):
        year = int(month[:4]) - 1
        if year in years:
            at = years.index(year)
            found.measures[0, 0, place, 1:3] = world.measures[0, 0, at, 1:3]
            found.tightness[0, 0, place, 0:2] = world.tightness[0, 0, at, 0:2]
    return found


def _concentration(rows: pl.DataFrame, months: Sequence[str]) -> Floats:
    """Concentration of the suppliers of the twelve months up to each, by value (equation E100)."""
    names = sorted(set(rows["supplier"].to_list()))
    value = np.zeros((len(names), len(months)))
    place = {month: number for number, month in enumerate(months)}
    for month, name, usd in rows.select("period", "supplier", "value_usd").iter_rows():
        value[names.index(name), place[month]] += usd or 0.0
    found = np.full(len(months), np.nan)
    for t in range(_YEAR - 1, len(months)):
        sums = value[:, t - _YEAR + 1 : t + 1].sum(axis=1)
        if sums.sum() > 0:
            found[t] = ((sums / sums.sum()) ** 2).sum()
    return found
