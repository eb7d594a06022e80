"""Is it getting worse?  Slope and significance over some years, and the change of the last one."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evernormal.errors import InputError, LabelError

__all__ = ["Trend", "trend"]

Floats = npt.NDArray[np.float64]

_EXACT_UP_TO = 40
_FEWEST = 3


@dataclass(frozen=True)
class Trend:
    """Trends of many series at once; NaN where too little is known.

    Attributes:
        slope: median change a year, in the unit of the series.
        probability: two-sided probability of a Kendall S this large without a trend.
        momentum: change of the last year.
        years: number of known years.
    """

    slope: Floats
    probability: Floats
    momentum: Floats
    years: npt.NDArray[np.int64]

    def significant(self, level: float = 0.05) -> npt.NDArray[np.bool_]:
        """Whether the trend is unlikely to be chance at this level."""
        with np.errstate(invalid="ignore"):
            return self.probability <= level


def trend(values: npt.ArrayLike, years: npt.ArrayLike | None = None) -> Trend:
    """Return robust slope, significance and momentum of series (equations E118 and E119).

    Args:
        values: one series per row, years along the last axis; NaN where unknown.
        years: calendar years of the last axis, rising; consecutive when left out.

    At least three known years are needed for a slope; momentum needs the last two years both known.
    With five years only a series that rises or falls every year is significant at 5 % (probability 1/60).

    Raises:
        InputError: fewer than two years, or years that do not rise.
        LabelError: not one year per value.

    >>> found = trend([[0.5, 0.6, 0.65, 0.7, 0.8], [0.5, 0.4, 0.6, 0.5, 0.5]])
    >>> found.slope.round(4).tolist(), found.probability.round(4).tolist()
    ([0.0708, 0.0], [0.0167, 0.8167])
    """
    series = np.asarray(values, dtype=np.float64)
    if series.ndim == 0 or series.shape[-1] < 2:
        raise InputError("a trend needs at least two years", where="values")
    when = np.arange(series.shape[-1], dtype=np.float64) if years is None else np.asarray(years, np.float64)
    if when.shape != (series.shape[-1],):
        raise LabelError(f"values have {series.shape[-1]} years, years name {when.size}")
    if (np.diff(when) <= 0).any():
        raise InputError("years must rise", where="years")
    first, second = np.triu_indices(len(when), 1)
    change = series[..., second] - series[..., first]
    change = np.where(np.abs(change) < 1e-12, 0.0, change)
    known = (~np.isnan(series)).sum(axis=-1)
    enough = known >= _FEWEST
    slope = np.where(enough, _median(change / (when[second] - when[first])), np.nan)
    score = np.nansum(np.sign(change), axis=-1)
    flat = np.array(
        [_probability(int(n), int(s)) if e else np.nan for n, s, e in zip(
            np.ravel(known), np.ravel(score), np.ravel(enough), strict=True)]
    )  # fmt: skip
    next_year = when[-1] - when[-2] == 1
    momentum = series[..., -1] - series[..., -2] if next_year else np.full(series.shape[:-1], np.nan)
    return Trend(
        np.asarray(slope, np.float64), flat.reshape(np.shape(known)), np.asarray(momentum), np.asarray(known)
    )


def _median(values: Floats) -> Floats:
    """Median of the known values of each row; NaN where none is known."""
    ranked = np.sort(values, axis=-1)  # NaN last
    count = (~np.isnan(ranked)).sum(axis=-1, keepdims=True)
    low, high = np.maximum((count - 1) // 2, 0), count // 2
    high = np.minimum(high, ranked.shape[-1] - 1)
    ends = [np.take_along_axis(ranked, place, axis=-1)[..., 0] for place in (low, high)]
    middle: Floats = (ends[0] + ends[1]) / 2
    return middle


def _probability(count: int, score: int) -> float:
    """Two-sided probability of Kendall's S at least this far from 0; ties make it conservative."""
    if count <= _EXACT_UP_TO:
        ways = _ways(count)
        top = count * (count - 1) // 2
        # S runs over top, top - 2, ...: a score in between (ties) counts as the next one nearer to 0
        tail = sum(w for k, w in enumerate(ways) if top - 2 * k >= abs(score))
        return min(1.0, 2.0 * tail / math.factorial(count)) if score else 1.0
    spread = math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    return math.erfc(max(abs(score) - 1, 0) / spread / math.sqrt(2))


@functools.cache
def _ways(count: int) -> tuple[int, ...]:
    """Number of orders of ``count`` values by inversions, 0 first."""
    ways = [1]
    for size in range(2, count + 1):
        longer = [0] * (len(ways) + size - 1)
        for k, number in enumerate(ways):
            for step in range(size):
                longer[k + step] += number
        ways = longer
    return tuple(ways)
