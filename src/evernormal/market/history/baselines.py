"""Naive rules: what a forecast must beat."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from evernormal.market.history.situation import Situation

__all__ = ["BASELINES", "averaged_base", "persistence", "pro_rata", "pro_rata_refilled", "trend"]

Floats = NDArray[np.float64]

AVERAGED = 0.15
"""Weight of the mean of the two years before last year in an averaged base year."""


def persistence(case: Situation) -> Floats:
    """Return last year's flows: nothing happens."""
    return case.base.copy()


def pro_rata(case: Situation) -> Floats:
    """Return last year's flows, those of the cutting exporters cut in proportion; nobody reacts."""
    return case.pro_rata.copy()


def pro_rata_refilled(case: Situation) -> Floats:
    """Return the pro-rata cut with everyone else's flows raised in proportion until nothing is missing."""
    rest = case.rest[:, -1]
    missing = case.base.sum() - case.pro_rata.sum()
    raised = rest.sum() + missing
    return case.kept + (rest * (raised / rest.sum()) if rest.sum() > 0 else rest)


def trend(case: Situation) -> Floats:
    """Return the pro-rata cut with everyone else's flows going on as over the last two years.

    The yearly change is kept between half and double; a flow that was not there two years ago stays.
    """
    rest = case.rest
    change = np.divide(rest[:, -1], rest[:, -3], out=np.ones(len(rest)), where=rest[:, -3] > 0)
    return np.asarray(case.kept + rest[:, -1] * np.sqrt(np.clip(change, 0.25, 4.0)))


def averaged_base(case: Situation, weight: float = AVERAGED) -> Floats:
    """Return the pro-rata cut on a base year that is averaged over three."""
    rest = case.rest
    mixed = (1 - weight) * rest[:, -1] + weight * (rest[:, -2] + rest[:, -3]) / 2
    return case.kept + mixed


BASELINES: Mapping[str, Callable[[Situation], Floats]] = MappingProxyType(
    {
        "persistence": persistence,
        "pro-rata cut": pro_rata,
        "pro-rata cut, refilled": pro_rata_refilled,
        "trend": trend,
        "pro-rata cut, averaged base": averaged_base,
    }
)
