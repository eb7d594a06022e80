"""Who supplies the world with a form, from statistics or published shares, with what is not known of it.

A producer that statistics list without a figure is bounded by the most that was ever counted of it, or, where
nothing was, by the smallest producer of the year: small by all that is known, but not nothing (law 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from evernormal.data.schema import day
from evernormal.network.forms import Form
from evernormal.network.observations import TONNES
from evernormal.network.stocks import nearest_period
from evernormal.risk.focal_sums import suppliers
from evernormal.risk.origin_accounts import OLDEST_SHARES

__all__ = ["Hazard", "Known", "WorldSupply", "hazard_of", "known_on", "world_supply"]

Floats = npt.NDArray[np.float64]

_OLDEST_GOVERNANCE = 2


@dataclass(frozen=True)
class Known:
    """Tables behind world supply as they were knowable; None where not yet (law 11).

    Attributes:
        production: production statistics of every year.
        governance: governance risk, ``year, country, value``.
        facts: published facts.
    """

    production: pl.DataFrame | None
    governance: pl.DataFrame | None
    facts: pl.DataFrame


@dataclass(frozen=True)
class Hazard:
    """Governance risk 0 (stable) to 1 per supplier; unknown is 0 to 1, with 0.5 in the middle."""

    low: Floats
    middle: Floats
    high: Floats


@dataclass(frozen=True)
class WorldSupply:
    """World supply of one form in one year, in the order of :func:`suppliers`.

    Attributes:
        amounts: tonnes contained, or shares; 0 for a country that is not named.
        most: the most that a producer without a figure may have supplied; 0 for all others.
        rest: share of the world that no named country supplies.
        how: ``statistics``, ``published shares`` or ``unknown``.
        source: where it comes from.
    """

    amounts: Floats
    most: Floats
    rest: float
    how: str
    source: str

    @property
    def total(self) -> float:
        """Sum of what is known, the rest included."""
        known = float(self.amounts.sum())
        return known / (1.0 - self.rest) if self.rest < 1.0 else known

    def terms(self, hazard: Hazard) -> tuple[Floats, Floats, Floats]:
        """Return squared shares times hazard per supplier: least, middle and greatest (equation E121)."""
        if self.how == "unknown" or self.total <= 0:
            blank = np.full(len(self.amounts), np.nan)
            return blank, blank, blank
        shares = self.amounts / self.total
        diluted = self.amounts / (self.total + self.most.sum())
        unsure = self.most / self.total
        return (
            diluted**2 * hazard.low,
            shares**2 * hazard.middle,
            np.minimum(shares**2 + unsure**2, 1.0) * hazard.high,
        )


def known_on(as_of: date | str | None) -> Known:
    """Return the tables as they were knowable on a day."""
    from evernormal import data  # noqa: PLC0415 - opens the snapshot
    from evernormal.data.snapshot import source_day  # noqa: PLC0415

    asked = day(as_of)

    def knowable(table: str) -> bool:
        return asked is None or source_day(table) <= asked

    made = data.production() if knowable("production") else None
    ruled = data.governance(indicators=["normalized"]) if knowable("governance") else None
    return Known(
        None if made is None else made.with_columns(pl.col("year").cast(pl.Int64)),
        None if ruled is None else ruled.select(pl.col("year").cast(pl.Int64), "country", "value"),
        data.facts(as_of=as_of),
    )


def hazard_of(known: Known, year: int) -> Hazard:
    """Return governance risk of a year, or of the latest of the two before it that is published."""
    names = suppliers()
    level = np.full(len(names), np.nan)
    if known.governance is not None:
        near = known.governance.filter(pl.col("year").is_between(year - _OLDEST_GOVERNANCE, year))
        place = {name: number for number, name in enumerate(names)}
        for _, country, value in near.sort("year", "country").iter_rows():
            if country in place and value is not None:
                level[place[country]] = value
    blank = np.isnan(level)
    low, middle, high = (np.where(blank, end, level) for end in (0.0, 0.5, 1.0))
    return Hazard(low, middle, high)


def world_supply(known: Known, one: Form, year: int) -> WorldSupply:
    """Return who supplies the world with a form in a year."""
    counted = _counted(known, one, year)
    return counted if counted is not None else _published(known, one, year)


def _counted(known: Known, one: Form, year: int) -> WorldSupply | None:
    if known.production is None or not one.production_source or one.production_factor is None:
        return None
    rows = known.production.filter(pl.col("material") == one.production_source.partition(":")[2])
    now = rows.filter(pl.col("year") == year)
    if now.filter(pl.col("value") > 0).is_empty():
        return None
    place = {name: number for number, name in enumerate(suppliers())}
    amounts, most = np.zeros(len(place)), np.zeros(len(place))
    least = float(str(now.filter(pl.col("value") > 0)["value"].min()))
    highest = dict(rows.group_by("country").agg(pl.col("value").max()).iter_rows())
    for country, value, unit in now.sort("country").select("country", "value", "unit").iter_rows():
        scale = TONNES[unit] * one.production_factor
        if value is None:
            ever = highest.get(country)
            most[place[country]] = (least if ever is None else ever) * scale
        else:
            amounts[place[country]] += value * scale
    return WorldSupply(amounts, most, 0.0, "statistics", f"{now['source'][0]}, {year}")


def _published(known: Known, one: Form, year: int) -> WorldSupply:
    """World supply from published shares of the nearest period, at most five years away."""
    names = suppliers()
    nothing = np.zeros(len(names))
    topic = "mine_share" if one.stage == "ore" else "refining_share"
    about = (pl.col("topic") == topic) & (pl.col("form") == one.name) & (pl.col("unit") == "1")
    rows = known.facts.filter(about & pl.col("value").is_not_null() & ~pl.col("region").is_in(["WLD", "ROW"]))
    rows = nearest_period(rows, year).filter(pl.col("_away") <= OLDEST_SHARES.value)
    if rows.is_empty():
        return WorldSupply(nothing, nothing, 1.0, "unknown", "")
    first = rows.row(0, named=True)
    rows = rows.filter((pl.col("period") == first["period"]) & (pl.col("source") == first["source"]))
    place = {name: number for number, name in enumerate(names)}
    amounts = nothing.copy()
    for region, value in rows.select("region", "value").unique("region").sort("region").iter_rows():
        if region in place:
            amounts[place[region]] = value
    whole = max(1.0, float(amounts.sum()))
    amounts = amounts / whole
    rest = max(0.0, 1.0 - float(amounts.sum()))
    return WorldSupply(amounts, nothing, rest, "published shares", f"{first['source']}, {first['period']}")
