"""What thousands of draws say: distribution, tail, exceedance curve, when plants stop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from evernormal.errors import InputError

__all__ = [
    "TAIL_LEVEL",
    "bands_table",
    "conditional_value_at_risk",
    "distribution_table",
    "exceedance_table",
    "stop_table",
    "value_at_risk",
]

Floats = NDArray[np.float64]

TAIL_LEVEL = 0.95
"""Level of value at risk and of the mean beyond it."""

PERCENTILES = (5, 10, 25, 50, 75, 90, 95, 99)
CURVE_POINTS = 101
NORMAL_90 = 1.6448536269514722
"""Normal score of a two-sided interval of 90 %."""

UNITS = {
    "shortage_t": "t contained",
    "loss_usd": "USD",
    "peak_price_ratio": "1 (base = 1)",
    "min_cover_days": "day",
    "imports_lost_t": "t contained",
}
LOW_IS_BAD = frozenset({"min_cover_days"})


def value_at_risk(values: ArrayLike, level: float = TAIL_LEVEL) -> float:
    """Return the loss that is not exceeded with chance ``level``: the lower quantile (equation E91).

    Args:
        values: (N,) losses of N equally likely draws, any unit.
        level: chance, 0 to below 1.

    Raises:
        InputError: no draws, an unknown loss, or a level outside [0, 1).

    >>> value_at_risk([1.0, 2.0, 3.0, 4.0, 10.0], 0.8)
    4.0
    """
    losses = _sorted(values, level)
    return float(losses[max(int(np.ceil(level * len(losses) - 1e-9)) - 1, 0)])


def conditional_value_at_risk(values: ArrayLike, level: float = TAIL_LEVEL) -> float:
    """Return the mean of the worst ``1 - level`` of losses (equation E91).

    ``VaR + sum(max(0, x - VaR)) / (N (1 - level))``: the draw at the quantile counts with the part of it that
    lies beyond the level.

    Args:
        values: (N,) losses of N equally likely draws, any unit.
        level: chance, 0 to below 1.

    Raises:
        InputError: no draws, an unknown loss, or a level outside [0, 1).

    Example:
        The worst fifth of five draws is the worst one; of the worst two fifths the mean is 7:

        >>> round(conditional_value_at_risk([1.0, 2.0, 3.0, 4.0, 10.0], 0.8), 9)
        10.0
        >>> round(conditional_value_at_risk([1.0, 2.0, 3.0, 4.0, 10.0], 0.6), 9)
        7.0
    """
    losses = _sorted(values, level)
    quantile = value_at_risk(losses, level)
    beyond = float(np.maximum(losses - quantile, 0.0).sum())
    return float(quantile + beyond / (len(losses) * (1.0 - level)))


def _sorted(values: ArrayLike, level: float) -> Floats:
    losses = np.sort(np.asarray(values, dtype=np.float64))
    if losses.ndim != 1 or not len(losses) or not np.isfinite(losses).all():
        raise InputError("losses must be a list of known numbers, at least one")
    if not 0 <= level < 1:
        raise InputError(f"level must be at least 0 and below 1, got {level}")
    return losses


def distribution_table(form: str, outcomes: Mapping[str, Floats]) -> pl.DataFrame:
    """Return one row per outcome: mean, spread, percentiles, value at risk and mean beyond it.

    Unknown outcomes (such as the loss of a form without value added) have null in every column (law 2).  For
    days of cover, where less is worse, the tail is the lower one.
    """
    rows = []
    for name, unit in UNITS.items():
        values = outcomes[name]
        known = bool(np.isfinite(values).all())
        numbers: dict[str, float | None] = dict.fromkeys(_columns())
        if known:
            numbers = _described(values, name in LOW_IS_BAD)
        rows.append({"form": form, "name": name, **numbers, "unit": unit})
    schema = {"form": pl.String, "name": pl.String} | dict.fromkeys(_columns(), pl.Float64)
    return pl.DataFrame(rows, schema={**schema, "unit": pl.String})


def _columns() -> list[str]:
    tail = ["value_at_risk", "tail_mean", "tail_mean_error"]
    return ["mean", "mean_error", "standard_deviation", *(f"p{p}" for p in PERCENTILES), *tail]


def _described(values: Floats, low_is_bad: bool) -> dict[str, float | None]:
    count = len(values)
    ordered = np.sort(values)
    spread = float(ordered.std(ddof=1)) if count > 1 else 0.0
    sign = -1.0 if low_is_bad else 1.0
    percentiles = np.percentile(ordered, PERCENTILES)
    described = {"mean": float(ordered.mean()), "mean_error": spread / np.sqrt(count)}
    described |= {"standard_deviation": spread}
    described |= {f"p{p}": float(v) for p, v in zip(PERCENTILES, percentiles, strict=True)}
    described |= {
        "value_at_risk": sign * value_at_risk(sign * ordered),
        "tail_mean": sign * conditional_value_at_risk(sign * ordered),
        "tail_mean_error": _tail_error(sign * ordered),
    }
    return {name: float(value) + 0.0 for name, value in described.items()}  # no -0.0


def _tail_error(losses: Floats) -> float:
    """Standard error of the tail mean: that of the excess over the quantile, which the quantile's own error
    does not touch in first order (Rockafellar and Uryasev 2000)."""
    excess = np.maximum(losses - value_at_risk(losses), 0.0)
    if len(losses) < 2:
        return 0.0
    return float(excess.std(ddof=1) / np.sqrt(len(losses)) / (1.0 - TAIL_LEVEL))


def exceedance_table(form: str, outcomes: Mapping[str, Floats]) -> pl.DataFrame:
    """Return the chance that loss and shortage reach a size, with a 90 % interval (equation E92).

    One row per point of the curve; sizes are order statistics of the draws at even steps of the chance.
    """
    schema = {"form": pl.String, "name": pl.String} | dict.fromkeys(
        ("value", "probability", "low", "high"), pl.Float64
    )
    frames = [pl.DataFrame(schema={**schema, "unit": pl.String})]
    for name in ("loss_usd", "shortage_t"):
        ordered = np.sort(outcomes[name])
        if not np.isfinite(ordered).all():
            continue
        count = len(ordered)
        places = np.unique(np.round(np.linspace(0, count - 1, min(CURVE_POINTS, count))).astype(np.int64))
        sizes = np.unique(ordered[places])
        chance = 1.0 - np.searchsorted(ordered, sizes, side="left") / count
        low, high = _wilson(chance, count)
        frames.append(
            pl.DataFrame(
                {
                    "form": [form] * len(sizes),
                    "name": [name] * len(sizes),
                    "value": sizes,
                    "probability": chance,
                    "low": low,
                    "high": high,
                    "unit": [UNITS[name]] * len(sizes),
                }
            )
        )
    return pl.concat(frames)


def _wilson(chance: Floats, count: int) -> tuple[Floats, Floats]:
    """Wilson's interval of a chance estimated from ``count`` draws (Wilson 1927)."""
    z2 = NORMAL_90**2
    middle = (chance + z2 / (2 * count)) / (1 + z2 / count)
    half = NORMAL_90 * np.sqrt(chance * (1 - chance) / count + z2 / (4 * count**2)) / (1 + z2 / count)
    return np.clip(middle - half, 0.0, 1.0), np.clip(middle + half, 0.0, 1.0)


def stop_table(form: str, stop_days: Floats, start: date, months: Sequence[date]) -> pl.DataFrame:
    """Return by month the chance that plants stop in it, and by its end, with a 90 % interval.

    Args:
        stop_days: (N,) days from ``start`` to the stop, NaN where plants never stop.
        start: first day.
        months: first days of the months of the horizon.
    """
    count = len(stop_days)
    stops = np.sort(stop_days[np.isfinite(stop_days)])
    ends = [(_next_month(month) - start).days for month in months]
    by = np.searchsorted(stops, np.array(ends, dtype=np.float64), side="left") / count
    low, high = _wilson(by, count)
    return pl.DataFrame(
        {
            "form": [form] * len(months),
            "month": list(months),
            "probability_in": np.diff(by, prepend=0.0),
            "probability_by": by,
            "low": low,
            "high": high,
        }
    )


def _next_month(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def bands_table(form: str, series: str, months: Sequence[date], paths: Floats) -> pl.DataFrame:
    """Return percentiles of one monthly series (N, T) by month (equation E56)."""
    levels = np.percentile(paths, (5, 10, 50, 90, 95), axis=0)
    columns = {f"p{p}": levels[n] for n, p in enumerate((5, 10, 50, 90, 95))}
    head = {"form": [form] * len(months), "series": [series] * len(months), "month": list(months)}
    return pl.DataFrame({**head, **columns}).fill_nan(None)
