"""Sums behind the supply risk of any country: own supply and world supply per form and year, as arrays.

Rows are the reporters of the trade table and, last, the European Union; columns are :func:`suppliers`, who
also count where the trade table does not report them apart, as Kosovo.  A producer that statistics list
without a figure may have made as much as ever, and then a concentration has two ends (equation E111).
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from evernormal.data.schema import day
from evernormal.data.trade_table import TradeTable, trade_table
from evernormal.errors import InputError, NotCoveredError
from evernormal.network.form_tables import SHIPPED_REVISION
from evernormal.network.forms import Form
from evernormal.network.load import codes_in
from evernormal.risk.cells import MEMBERS, reporters

__all__ = ["Read", "Weights", "codes_of_form", "form_sums", "suppliers", "weights_of"]

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]

_TONNES = {"t": 1.0, "kg": 1e-3, "million m3": 1.0}
_WORST = 10.0
_ROUNDS, _STILL = 200, 1e-14


@dataclass(frozen=True)
class Weights:
    """Governance 0 to 10 per country and year, times the trade parameter; low and high where unknown."""

    low: Numbers
    high: Numbers
    unrated: Flags


@functools.cache
def suppliers() -> tuple[str, ...]:
    """Return every country that can supply: the reporters, then producers that are not among them.

    >>> "XKX" in suppliers(), suppliers()[: len(reporters())] == reporters()
    (True, True)
    """
    from evernormal.data import production  # noqa: PLC0415 - opens the snapshot

    others = set(production()["country"].to_list()) - set(reporters())
    return (*reporters(), *sorted(others))


@dataclass(frozen=True)
class Read:
    """Which trade is read, and as of which day."""

    dataset: str | None = None
    folder: str | Path | None = None
    as_of: date | str | None = None


def codes_of_form(form: Form, trade: TradeTable) -> tuple[str, ...]:
    """Return the codes of a form that a trade table holds, in the table's own revision."""
    listed = form.trade_codes if trade.revision == SHIPPED_REVISION else codes_in(form, trade.revision)
    held = set(trade.codes)
    return tuple(code for code in listed if int(code) in held)


def form_sums(form: Form, years: list[int], weights: Weights, read: Read) -> dict[str, Numbers]:
    """Return concentrations, import reliance and amounts of one form; arrays of (country, year).

    Raises:
        NotCoveredError: the trade was not knowable on the day asked.
    """
    flows = _flows(form, years, read)
    produced, most, listed = _production(form, years, day(read.as_of))
    count = len(reporters())
    found: dict[str, Numbers] = {}
    for column in range(len(years)):
        own = produced[:, column] if listed[column] else np.full(len(produced), np.nan)
        cells = _year(flows[column], own, most[:, column], weights.low[:, column], weights.high[:, column])
        for name, values in cells.items():
            found.setdefault(name, np.full((count + 1, len(years)), np.nan))[:, column] = values
    return found


def _year(flows: Numbers, own: Numbers, most: Numbers, low: Numbers, high: Numbers) -> dict[str, Numbers]:
    """Sum one form in one year; ``flows`` has importers in rows and exporters in columns.

    ``most`` is what a producer without a figure may have made.  Where nobody's production is counted a
    country's own is unknown altogether, and its suppliers' concentration with it.
    """
    count = len(reporters())
    members = np.isin(np.asarray(suppliers()), MEMBERS)
    inside = members[:count]
    union = np.where(members, 0.0, flows[inside].sum(axis=0))
    supplied = np.vstack((flows, union))
    shipped = np.append(flows.sum(axis=0)[:count], flows[~inside][:, members].sum())
    imports, produced = supplied.sum(axis=1), np.append(own[:count], own[members].sum())
    at_home, unsure = np.zeros_like(supplied), np.zeros_like(supplied)
    for made, kept in ((own, at_home), (most, unsure)):
        kept[range(count), range(count)] = made[:count]
        kept[-1] = np.where(members, made, 0.0)
    unseen = (imports <= 0) & (shipped <= 0)
    net = imports - shipped
    with np.errstate(invalid="ignore", divide="ignore"):
        reliance = np.clip(np.where(net <= 0, 0.0, net / (produced + net)), 0, 1)
    reliance = np.where(np.isnan(produced) | unseen, np.nan, reliance)
    if np.isnan(own).all():  # nobody counts: anything from nothing to everything may be made at home
        sourcing = _any_share(supplied, np.isnan(at_home), low, high)
        world = (np.array([np.nan]), np.array([np.nan]))
    else:
        sourcing = _ends(supplied + np.nan_to_num(at_home), unsure, low, high)
        world = _ends(np.nan_to_num(own)[None], most[None], low, high)
    return {
        "production": produced,
        "imports": np.where(unseen, np.nan, imports),
        "exports": np.where(unseen, np.nan, shipped),
        "reliance": reliance,
        "global_low": np.full(len(imports), world[0][0]),
        "global_high": np.full(len(imports), world[1][0]),
        "sourcing_low": np.where(unseen, np.nan, sourcing[0]),
        "sourcing_high": np.where(unseen, np.nan, sourcing[1]),
    }


def _ends(amounts: Numbers, most: Numbers, low: Numbers, high: Numbers) -> tuple[Numbers, Numbers]:
    """Return the least and greatest concentration of each row of suppliers (equations E110, E111).

    Args:
        amounts: known amounts; 0 where the amount is not known.
        most: what a supplier without a figure may have supplied at most beyond that; 0 for all others.
        low: weight of each supplier at least.
        high: weight of each supplier at most.
    """
    total = amounts.sum(axis=1)
    blank = (total <= 0) & ~(most > 0).any(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        least = (amounts**2 * low).sum(axis=1) / total**2
        greatest = (amounts**2 * high).sum(axis=1) / total**2
    for row in np.flatnonzero((most > 0).any(axis=1)):
        unsure = np.flatnonzero(most[row] > 0)
        given = (amounts[row], most[row], unsure)
        least[row], greatest[row] = _least(*given, low), _greatest(*given, high)
    return np.where(blank, np.nan, least), np.where(blank, np.nan, greatest)


def _any_share(amounts: Numbers, unknown: Flags, low: Numbers, high: Numbers) -> tuple[Numbers, Numbers]:
    """Return the ends where some suppliers may have any share of a row's supply (equation E111)."""
    total = amounts.sum(axis=1)
    squares = (amounts / np.where(total > 0, total, np.nan)[:, None]) ** 2
    least, most = (squares * low).sum(axis=1), (squares * high).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = 1 / np.where(unknown, 1 / low, 0.0).sum(axis=1)
        lower = np.where(np.isnan(least), spread, least * spread / (least + spread))
    lower = np.where((least == 0) | (spread == 0), 0.0, lower)
    return lower, np.fmax(most, np.where(unknown, high, -np.inf).max(axis=1))


def _index(amounts: Numbers, weight: Numbers) -> float:
    total = float(amounts.sum())
    return float((amounts**2 * weight).sum()) / total**2 if total > 0 else 0.0


def _greatest(known: Numbers, most: Numbers, unsure: Places, weight: Numbers) -> float:
    """In each unknown amount the index first falls, then rises: the greatest is at an end of every range."""
    ends = [0.0]
    for choice in itertools.product((0.0, 1.0), repeat=len(unsure)):
        tried = known.copy()
        tried[unsure] += most[unsure] * np.array(choice)
        ends.append(_index(tried, weight))
    return max(ends)


def _least(known: Numbers, most: Numbers, unsure: Places, weight: Numbers) -> float:
    """One unknown amount after the other where the index falls no more: squares over others' sum."""
    if known.sum() <= 0:
        return 0.0
    tried = known.copy()
    for _ in range(_ROUNDS):
        before = _index(tried, weight)
        for place in unsure:
            others = tried.copy()
            others[place] = 0.0
            rest = float((others**2 * weight).sum())
            pull = float(weight[place] * others.sum())
            best = rest / pull if pull > 0 else np.inf
            tried[place] = np.clip(best, known[place], known[place] + most[place])
        if before - _index(tried, weight) <= _STILL * before:
            break
    return _index(tried, weight)


def _flows(form: Form, years: list[int], read: Read) -> list[Numbers]:
    """Return one matrix of contained tonnes per year, importers in rows and exporters in columns."""
    from evernormal.data import trade  # noqa: PLC0415 - opens the snapshot
    from evernormal.network.observations import contained_rows  # noqa: PLC0415

    where: dict[str, Any] = {"dataset": read.dataset, "folder": read.folder, "as_of": read.as_of}
    codes = codes_of_form(form, trade_table(read.dataset, read.folder, read.as_of))
    rows = contained_rows(trade(codes, years=years, **where), form)
    rows = rows.filter(pl.col("exporter") != pl.col("importer"))
    place = {name: number for number, name in enumerate(suppliers())}
    matrices = [np.zeros((len(reporters()), len(place))) for _ in years]
    for year, exporter, importer, tonnes in rows.select(
        "year", "exporter", "importer", "contained_t"
    ).iter_rows():
        if tonnes is not None:
            matrices[years.index(year)][place[importer], place[exporter]] += tonnes
    return matrices


def _production(form: Form, years: list[int], known_on: date | None) -> tuple[Numbers, Numbers, list[bool]]:
    """Return contained tonnes per country and year, their most where there is no figure, and years covered.

    A country listed without a figure is NaN; it made at most what was ever counted of it or, where nothing
    ever was, what the least producer of the year made.
    """
    from evernormal.data import production  # noqa: PLC0415 - opens the snapshot
    from evernormal.data.snapshot import source_day  # noqa: PLC0415 - opens the snapshot

    place = {name: number for number, name in enumerate(suppliers())}
    found, most = np.zeros((2, len(place), len(years)))
    late = known_on is not None and known_on < source_day("production")
    if late or not form.production_source or form.production_factor is None:
        return found, most, [False] * len(years)
    rows = production([form.production_source.partition(":")[2]])
    highest = dict(rows.group_by("country").agg(pl.col("value").max()).iter_rows())
    rows = rows.filter(pl.col("year").is_in(years))
    counted = rows.filter(pl.col("value") > 0)
    least = dict(counted.group_by("year").agg(pl.col("value").min()).iter_rows())
    for country, year, value, unit in rows.select("country", "year", "value", "unit").iter_rows():
        scale, column = _TONNES[unit] * form.production_factor, years.index(year)
        found[place[country], column] += np.nan if value is None else value * scale
        if value is None:
            ever = highest.get(country)
            most[place[country], column] = (least.get(year, 0.0) if ever is None else ever) * scale
    covered = set(rows.filter(pl.col("value").is_not_null())["year"].to_list())
    return found, most, [year in covered for year in years]


def weights_of(years: list[int], trade_parameter: float | Mapping[str, float]) -> Weights:
    """Return the weight of every reporter and year.

    Raises:
        InputError: a trade parameter outside 0 to 2.
        NotCoveredError: a year without shipped governance.
    """
    from evernormal.data import governance  # noqa: PLC0415 - opens the snapshot
    from evernormal.data.geography import check_iso3  # noqa: PLC0415 - reads tables

    names = suppliers()
    factor = np.ones(len(names))
    if isinstance(trade_parameter, Mapping):
        for country in check_iso3(trade_parameter, where="trade_parameter"):
            if country in names:
                factor[names.index(country)] = trade_parameter[country]
    else:
        factor[:] = trade_parameter
    if not np.all((factor >= 0) & (factor <= 2)):
        raise InputError("trade_parameter must be from 0 to 2", where="trade_parameter")
    level = np.full((len(names), len(years)), np.nan)
    rows = governance(years=years, indicators=["normalized"]).select("country", "year", "value")
    for country, year, value in rows.iter_rows():
        if country in names and value is not None:
            level[names.index(country), years.index(year)] = _WORST * value
    blank = np.isnan(level)
    if blank.all(axis=0).any():
        missing = [year for year, none in zip(years, blank.all(axis=0), strict=True) if none]
        raise NotCoveredError(f"no governance is shipped for {missing[0]}", where="years")
    low, high = (np.where(blank, end, level) * factor[:, None] for end in (0.0, _WORST))
    return Weights(low, high, blank)
