"""Methods that forecast one series on the log scale; the statistical ones are those of statsmodels.

Every method sees the values up to the origin and nothing else (law 11).
"""

from __future__ import annotations

import csv
import functools
import importlib
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from evernormal.errors import InputError

__all__ = [
    "COMBINED",
    "DEFAULT",
    "FEATURES",
    "FIRST_POOLED",
    "METHODS",
    "SEASONAL",
    "Pool",
    "features",
    "forecasts",
    "pool",
    "require_library",
    "volatility",
]

Numbers = npt.NDArray[np.float64]
Pool = dict[tuple[int, int], Numbers]

METHODS = (
    "naive", "drift", "smoothing", "damped", "theta", "autoregression", "combination", "pooled", "blend",
)  # fmt: skip
"""Candidates for annual series.  Exponential smoothing stands for ARIMA (0,1,1), which is the same model."""

SEASONAL = ("seasonal_naive", "naive", "smoothing", "damped", "theta", "combination")
"""Candidates for monthly series."""

COMBINED = ("naive", "smoothing", "damped", "theta", "autoregression")
"""Members of the combination of annual series."""

COMBINED_SEASONAL = ("seasonal_naive", "smoothing", "damped", "theta")

DEFAULT = "blend"
"""Chosen on other countries, before Korea and the held-out countries were scored."""

FEATURES = ("constant", "change", "change_before", "above_3", "above_5", "above_10", "drift")
FIRST_POOLED = 2008
DIGITS = 10
STILL = 1e-9
"""A series whose logarithm moves less than this is constant: there is nothing to fit."""


def require_library() -> None:
    """Raise when the statistical library is not installed.

    Raises:
        InputError: with the command that installs it.
    """
    try:
        importlib.import_module("statsmodels")
    except ImportError as error:
        raise InputError(
            "a forecast needs the package statsmodels",
            cure="Install it: pip install 'evernormal[forecast]'.",
        ) from error


def volatility(logs: Numbers) -> float:
    """Return the mean absolute change from one period to the next on the log scale.

    >>> round(volatility(np.array([0.0, 0.1, 0.0, 0.1])), 3)
    0.1
    """
    return float(np.abs(np.diff(logs)).mean())


def features(logs: Numbers) -> Numbers:
    """Return what the pooled regression knows of a series: see :data:`FEATURES` (equation E136).

    The last two changes, how far the last value stands above the mean of the last 3, 5 and 10, and the mean
    change of the whole series.
    """
    last = logs[-1]
    above = [last - logs[-min(count, len(logs)) :].mean() for count in (3, 5, 10)]
    drift = (last - logs[0]) / (len(logs) - 1)
    return np.array([1.0, last - logs[-2], logs[-2] - logs[-3], *above, drift])


def forecasts(
    logs: Numbers,
    steps: int,
    *,
    season: int = 1,
    origin: int = 0,
    coefficients: Pool | None = None,
    names: Iterable[str] | None = None,
) -> dict[str, Numbers]:
    """Forecast a series by every method that is named (equations E135 and E136).

    Args:
        logs: natural logarithms, oldest first, up to the origin.
        steps: how many periods ahead.
        season: 1 for years, 12 for months.
        origin: year of the last value; the pooled regression takes the coefficients of that year.
        coefficients: of the pooled regression; by default those shipped.
        names: methods wanted; by default those that the default needs, and ``naive``.

    Returns:
        Method to logarithms, each of shape (steps,).  ``pooled`` and ``blend`` fall back on the combination
        where no coefficient of the year is known.
    """
    standard = (*COMBINED, "combination", "pooled", DEFAULT) if season == 1 else SEASONAL
    wanted = standard if names is None else tuple(names)
    members = COMBINED if season == 1 else COMBINED_SEASONAL
    together = members if not set(wanted) <= set(_SINGLE) else ()
    with threadpool_limits(1):  # the library's small systems lose by threads
        made = {
            name: _SINGLE[name](logs, steps, season)
            for name in dict.fromkeys((*together, *wanted))
            if name in _SINGLE
        }
    if together:
        made["combination"] = np.mean([made[member] for member in members], axis=0)
        made["pooled"] = _pooled(logs, steps, origin, coefficients, made["combination"])
        made["blend"] = (made["combination"] + made["pooled"]) / 2
    return {name: made[name] for name in wanted}


def _pooled(logs: Numbers, steps: int, origin: int, coefficients: Pool | None, otherwise: Numbers) -> Numbers:
    known = pool() if coefficients is None else coefficients
    if len(logs) < 3 or any((origin, step) not in known for step in range(1, steps + 1)):
        return otherwise
    row = features(logs)
    return np.array([logs[-1] + float(row @ known[origin, step]) for step in range(1, steps + 1)])


@functools.cache
def pool() -> Pool:
    """Return the shipped coefficients of the pooled regression by origin and step (equation E136)."""
    path = Path(__file__).parent / "tables" / "forecast_pool.csv"
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as stream:
        return {
            (int(row["through"]), int(row["horizon"])): np.array([float(row[name]) for name in FEATURES])
            for row in csv.DictReader(stream)
        }


# --- single methods ---------------------------------------------------------


def _naive(logs: Numbers, steps: int, season: int) -> Numbers:
    return np.full(steps, logs[-1])


def _seasonal_naive(logs: Numbers, steps: int, season: int) -> Numbers:
    return np.array([logs[len(logs) - season + step % season] for step in range(steps)])


def _drift(logs: Numbers, steps: int, season: int) -> Numbers:
    mean = float(logs[-1] - logs[0]) / (len(logs) - 1)
    return np.asarray(logs[-1] + mean * np.arange(1, steps + 1), dtype=np.float64)


def _smoothing(logs: Numbers, steps: int, season: int) -> Numbers:
    return _exponential(logs, steps, season, trend=None)


def _damped(logs: Numbers, steps: int, season: int) -> Numbers:
    return _exponential(logs, steps, season, trend="add")


def _exponential(logs: Numbers, steps: int, season: int, *, trend: str | None) -> Numbers:
    from statsmodels.tsa.holtwinters import ExponentialSmoothing  # noqa: PLC0415 - an extra

    seasonal = {"seasonal": "add", "seasonal_periods": season} if season > 1 else {}
    model = ExponentialSmoothing(
        logs, trend=trend, damped_trend=trend is not None, initialization_method="estimated", **seasonal
    )
    return _fitted(lambda: model.fit().forecast(steps), logs, steps)


def _theta(logs: Numbers, steps: int, season: int) -> Numbers:
    from statsmodels.tsa.forecasting.theta import ThetaModel  # noqa: PLC0415 - an extra

    model = ThetaModel(logs, period=season, deseasonalize=season > 1, method="additive")
    return _fitted(lambda: model.fit().forecast(steps), logs, steps)


def _autoregression(logs: Numbers, steps: int, season: int) -> Numbers:
    from statsmodels.tsa.ar_model import AutoReg  # noqa: PLC0415 - an extra

    def run() -> Any:
        fitted = AutoReg(logs, lags=1, trend="c").fit()
        explosive = not abs(float(fitted.params[1])) < 1
        return np.full(steps, logs[-1]) if explosive else fitted.forecast(steps)

    return _fitted(run, logs, steps)


def _fitted(run: Callable[[], Any], logs: Numbers, steps: int) -> Numbers:
    """Run a fit quietly; what it cannot fit, or never moved, stays at the last value."""
    if np.ptp(logs) <= STILL:
        return np.full(steps, logs[-1])  # the library's theta makes 37,000 of a lasting 100
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            made = np.asarray(run(), dtype=np.float64)
        except (ValueError, np.linalg.LinAlgError, ZeroDivisionError):
            return np.full(steps, logs[-1])
    return np.round(made, DIGITS) if np.all(np.isfinite(made)) else np.full(steps, logs[-1])


_SINGLE: dict[str, Callable[[Numbers, int, int], Numbers]] = {
    "naive": _naive,
    "seasonal_naive": _seasonal_naive,
    "drift": _drift,
    "smoothing": _smoothing,
    "damped": _damped,
    "theta": _theta,
    "autoregression": _autoregression,
}
