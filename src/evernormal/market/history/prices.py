"""The world unit value after a cut: a small median regression, and what it may know.

Unit values are not spot prices.  A cut of exporters that are cheap (laterite ore) raises the mean by itself:
``mix`` is that part, from last year's figures alone.  What a code's unit value was above or below its own
usual comes back in part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from evernormal.market.history.common_factor import CommonFactor, price_change
from evernormal.market.history.episodes import Episode
from evernormal.market.history.least_absolute import least_absolute
from evernormal.market.history.records import TradeRecords
from evernormal.market.history.situation import Situation, situation

__all__ = [
    "PRICE_TERMS",
    "PRICE_TERMS_WITH_FACTOR",
    "PriceModel",
    "PriceRows",
    "fit_prices",
    "price_rows",
    "price_terms",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

PRICE_TERMS = ("constant", "lost", "above_usual", "mix")
PRICE_TERMS_WITH_FACTOR = ("constant", "lost", "above_usual", "common_unit_value")
"""With the year's common factor known, the mix of a code adds nothing and is left out."""

FARTHEST = 1.5
LARGEST_CHANGE = 2.5
"""A calm year in which the unit value changes more than twelve times is a break in the statistics."""


def price_terms(case: Situation) -> Floats:
    """Return the terms of a situation: 1, -log(1 - lost share), level above the usual, mix."""
    records, t = case.records, case.t
    change = np.nan_to_num(price_change(records)[:t])
    level = np.cumsum(change)
    usual = float(np.median(level[max(0, t - 5) : t]))
    lost = -np.log1p(-min(case.lost, 0.95))
    return np.array(
        [
            1.0,
            lost,
            float(np.clip(level[-1] - usual, -FARTHEST, FARTHEST)),
            _mix(case),
        ]
    )


def _mix(case: Situation) -> float:
    """Return the log change of the world unit value if everyone sold at last year's price after the cut."""
    records, t = case.records, case.t - 1
    tonnes, value = float(records.world[t]), float(records.world_value[t])
    for place in case.cutting:
        shipped = float(records.exports[place, t])
        gone = 1 - float(case.known_exports[place]) / shipped
        tonnes -= gone * shipped
        value -= gone * float(records.export_value[place, t])
    if tonnes <= 0 or value <= 0:
        return 0.0
    mixed = np.log(value / tonnes) - np.log(records.world_value[t] / records.world[t])
    return float(np.clip(mixed, -FARTHEST, FARTHEST))


@dataclass(frozen=True)
class PriceRows:
    """Terms and log changes of the unit value of many codes and years."""

    terms: Floats
    target: Floats
    factor: Floats
    code: NDArray[np.str_]
    year: Integers

    def without(self, hidden: Iterable[Episode]) -> PriceRows:
        """Return the rows without the years of some episodes."""
        out = {(e.code, e.year) for e in hidden}
        return self._only(
            np.array([(str(c), int(y)) not in out for c, y in zip(self.code, self.year, strict=True)])
        )

    def before(self, year: int) -> PriceRows:
        """Return the rows of the years before one."""
        return self._only(self.year < year)

    def with_factors(self, factors: CommonFactor) -> PriceRows:
        """Return the rows with other common factors."""
        return replace(self, factor=factors.rows(self.code.tolist(), self.year.tolist())[:, 1])

    def _only(self, kept: NDArray[np.bool_]) -> PriceRows:
        return PriceRows(
            self.terms[kept], self.target[kept], self.factor[kept], self.code[kept], self.year[kept]
        )


@dataclass(frozen=True)
class PriceModel:
    """Coefficients of the price terms, those with the factor where it is known."""

    values: Floats
    with_factor: bool

    def change(self, case: Situation, factor: float | None = None) -> float:
        """Return the forecast log change of the world unit value (equation E72)."""
        terms = price_terms(case)
        if self.with_factor:
            terms[-1] = 0.0 if factor is None else factor
        return float(terms @ self.values)


def price_rows(trade: TradeRecords, episodes: Iterable[Episode], factors: CommonFactor) -> PriceRows:
    """Return the training rows: every code and year whose unit value is known.

    Args:
        trade: records of every code.
        episodes: cuts of both tiers: smaller cuts tell as much about a price.
        factors: common factors of ``trade``.
    """
    cuts: Mapping[tuple[str, int], Episode] = {(e.code, e.year): e for e in episodes}
    terms, target, factor, names, years = [], [], [], [], []
    for code, records in trade.codes.items():
        change = price_change(records)
        for t in range(3, len(records.years)):
            key = (code, records.years[t])
            if not np.isfinite(change[t]) or abs(change[t]) > LARGEST_CHANGE:
                continue
            if not (records.world[t - 2 : t] > 0).all():
                continue
            cut = cuts.get(key)
            case = situation(records, cut.exporters, cut.year) if cut else Situation(records, t)
            terms.append(price_terms(case))
            target.append(change[t])
            factor.append(factors.of(code, t).unit_value)
            names.append(code)
            years.append(key[1])
    return PriceRows(
        np.array(terms).reshape(-1, len(PRICE_TERMS)),
        np.array(target),
        np.array(factor),
        np.array(names, dtype=np.str_),
        np.array(years, dtype=np.int64),
    )


def fit_prices(rows: PriceRows, *, with_factor: bool = False, without: Iterable[str] = ()) -> PriceModel:
    """Return the coefficients fitted on every code but some.

    Args:
        rows: training rows.
        with_factor: whether the year's common factor is known.
        without: codes that are left out.
    """
    kept = ~np.isin(rows.code, list(without))
    terms = rows.terms[kept]
    if with_factor:
        terms[:, -1] = rows.factor[kept]
    return PriceModel(least_absolute(terms, rows.target[kept], np.ones(int(kept.sum()))), with_factor)
