"""The common factor of a year: how trade and prices moved in the codes of all other minerals."""

from __future__ import annotations

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
    """

    def __init__(self, trade: TradeRecords) -> None:
        self.trade = trade

    @cached_property
    def _families(self) -> NDArray[np.str_]:
        return np.array([family_of(code) for code in self.trade.codes])

    @cached_property
    def _tonnes(self) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.log(np.stack([records.world for records in self.trade.codes.values()]))
            change = np.diff(logs, axis=1, prepend=np.nan)
        return np.where(np.isfinite(change), change, np.nan)

    @cached_property
    def _prices(self) -> Floats:
        return np.stack([price_change(records) for records in self.trade.codes.values()])

    def of(self, code: str, t: int) -> YearFactor:
        """Return the factor of the year in column ``t`` from every code of another mineral."""
        others = self._families != family_of(code)
        return YearFactor(_median(self._tonnes[others, t]), _median(self._prices[others, t]))


def _median(changes: Floats) -> float:
    known = changes[np.isfinite(changes)]
    return float(np.median(known)) if len(known) >= FEWEST_CODES else 0.0
