"""A forecast by end use: shares of the form's uses, and growth along a path where a use is driven by one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from evernormal.network.network import EndUse
from evernormal.result import Finding
from evernormal.risk.forecast_drivers import Driver

__all__ = ["ALL", "Step", "Total", "battery_finding", "by_use"]

ALL = "all"
"""Name of the sum over end uses."""


@dataclass(frozen=True)
class Step:
    """Statistical forecast of one period.

    Attributes:
        horizon: step from the origin, from 1.
        year: calendar year.
        p10: 10th percentile, tonnes.
        p50: median, tonnes.
        p90: 90th percentile, tonnes.
        below: factor by which outcomes of all series fall below a forecast, at least 1.
        above: factor by which they rise above it, at least 1.
    """

    horizon: int
    year: int
    p10: float
    p50: float
    p90: float
    below: float
    above: float


@dataclass(frozen=True)
class Total:
    """One row of the forecast: percentiles of an end use, and the share of the median that a path drives."""

    end_use: str
    horizon: int
    p10: float
    p50: float
    p90: float
    driver_share: float


def by_use(
    steps: Sequence[Step], uses: Sequence[EndUse], driven: Sequence[str], driver: Driver | None, start: float
) -> list[Total]:
    """Split a forecast by end use (equations E140, E143 and E144).

    Args:
        steps: statistical forecast of the whole form.
        uses: end uses with shares that sum to 1.
        driven: names of the uses that a path drives.
        driver: the path; None leaves every use to statistics.
        start: amount in the origin year, tonnes.

    Returns:
        One row per use and step, and one ``all`` per step.  With a path the total is the sum over uses, and
        its ends the sums of theirs, as if all uses went wrong together: an outer interval.
    """
    rows: list[Total] = []
    for step in steps:
        parts = [
            _driven(use, step, driver, start)
            if driver is not None and use.name in driven
            else _statistical(use, step)
            for use in uses
        ]
        rows.append(_whole(step, parts, driver))
        if len(uses) > 1 or uses[0].name != ALL:
            rows += parts
    return rows


def _whole(step: Step, parts: Sequence[Total], driver: Driver | None) -> Total:
    if driver is None:
        return Total(ALL, step.horizon, step.p10, step.p50, step.p90, 0.0)
    middle = math.fsum(part.p50 for part in parts)
    driven = math.fsum(part.p50 for part in parts if part.driver_share)
    low, high = math.fsum(part.p10 for part in parts), math.fsum(part.p90 for part in parts)
    return Total(ALL, step.horizon, low, middle, high, driven / middle)


def _statistical(use: EndUse, step: Step) -> Total:
    """Share of the statistical forecast; the range of the share widens the interval (E140, E144)."""
    share = use.share
    low = _wider(step.p50 / step.p10, _ratio(share.value, share.low))
    high = _wider(step.p90 / step.p50, _ratio(share.high, share.value))
    middle = share.value * step.p50
    return Total(use.name, step.horizon, middle / low, middle, middle * high, 0.0)


def _driven(use: EndUse, step: Step, driver: Driver, start: float) -> Total:
    """Share of the origin year grown along the path; noise, share, chemistry in the interval (E143, E144).

    The noise is that of all series: growth that this series alone had is in the path already.
    """
    share = use.share
    below, central, above = driver.at(step.year)
    low = _wider(step.below, _ratio(share.value, share.low), central / below)
    high = _wider(step.above, _ratio(share.high, share.value), above / central)
    middle = share.value * start * central
    return Total(use.name, step.horizon, middle / low, middle, middle * high, 1.0)


def _ratio(above: float, below: float) -> float:
    return above / below if below > 0 and above > 0 else 1.0


def _wider(*factors: float) -> float:
    """Put independent relative spreads together: the root of the sum of squared logarithms (E144)."""
    return math.exp(math.sqrt(math.fsum(math.log(max(factor, 1.0)) ** 2 for factor in factors)))


def battery_finding(form: str, uses: Sequence[EndUse], driven: Sequence[str]) -> Finding | None:
    """Say that part of the form goes into batteries, where no path was asked for."""
    share = math.fsum(use.share.value for use in uses if use.name in driven)
    if not share:
        return None
    text = (
        f"{share:.0%} of {form} goes into batteries or motors of electric cars, and no path of their sales"
        " was asked for: this is what statistics alone say."
    )
    return Finding("driver-left-out", "info", text, {"form": form, "share": share})
