"""The common factor of a year: how trade and prices moved in the codes of all other minerals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evernormal.market.history.families import family_of
from evernormal.market.history.records import Records, TradeRecords

__all__ = ["CommonFactor", "YearFactor", "price_change"]

Floats = NDArray[np.float64]

FEWEST_CODES = 5
"""With fewer other codes there is no common factor: 0 stands for no change."""


class YearFactor(NamedTuple):
    """Median change over codes of other minerals: log of world tonnes and log of the world unit value."""

    tonnes: float
    unit_value: float


def price_change(records: Records) -> Floats:
    """Return (Y,) the log change of the world unit value from the year before; nan where unknown."""
    with np.errstate(divide="ignore", invalid="ignore"):
        level = np.log(records.world_value / records.world)
        change = np.concatenate([[np.nan], np.diff(level)])
    return np.where(np.isfinite(change), change, np.nan)


class CommonFactor:
    """Common factors of a trade table, one per year, each without the mineral it is used for (equation E67).

    Args:
        trade: records of every code.
        hidden: codes that enter no factor, such as those of a fold.
    """

    def __init__(self, trade: TradeRecords, hidden: Iterable[str] = ()) -> None:
        self.trade = trade
        self._hidden = np.isin(list(trade.codes), list(hidden))

    def without(self, codes: Iterable[str]) -> CommonFactor:
        """Return the factors into which some codes do not enter."""
        return CommonFactor(self.trade, codes)

    def of(self, code: str, t: int) -> YearFactor:
        """Return the factor of the year in column ``t`` from every code of another mineral."""
        tonnes, price = self._table[family_of(code)][:, t]
        return YearFactor(float(tonnes), float(price))

    def rows(self, codes: Iterable[str], years: Iterable[int]) -> Floats:
        """Return (n, 2) the factors of codes and years, row by row."""
        first = self.trade.years[0]
        found = [self._table[family_of(c)][:, int(y) - first] for c, y in zip(codes, years, strict=True)]
        return np.array(found).reshape(-1, 2)

    @cached_property
    def _table(self) -> Mapping[str, Floats]:
        """Mineral to (2, Y) factors."""
        families = np.array([family_of(code) for code in self.trade.codes])
        tonnes, prices = self._changes
        found = {}
        for family in np.unique(families):
            others = (families != family) & ~self._hidden
            found[str(family)] = np.stack([_medians(tonnes[others]), _medians(prices[others])])
        return found

    @cached_property
    def _changes(self) -> tuple[Floats, Floats]:
        records = list(self.trade.codes.values())
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.log(np.stack([one.world for one in records]))
            change = np.diff(logs, axis=1, prepend=np.nan)
        tonnes = np.where(np.isfinite(change), change, np.nan)
        return tonnes, np.stack([price_change(one) for one in records])


def _medians(changes: Floats) -> Floats:
    """Return (Y,) the median of the known changes of each year; 0 where few codes know one."""
    return np.array([_median(column) for column in changes.T])


def _median(changes: Floats) -> float:
    known = changes[np.isfinite(changes)]
    return float(np.median(known)) if len(known) >= FEWEST_CODES else 0.0
