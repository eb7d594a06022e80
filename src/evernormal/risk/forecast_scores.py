"""How good a forecast is: rolling origins, skill against naive, intervals from past errors.

Errors are on the log scale: the logarithm of the actual amount less that of the forecast.  An origin uses
data up to itself, and what is calibrated at an origin uses errors whose target was known by then (law 11).
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from evernormal.errors import NotCoveredError
from evernormal.risk.forecast_methods import Pool, forecasts, volatility
from evernormal.risk.forecast_series import Series

__all__ = [
    "GROUPS",
    "LEVEL",
    "Calibration",
    "calibrate",
    "calibration",
    "inside",
    "interval",
    "rolling_errors",
    "scale",
    "score",
    "series_interval",
    "skill_interval",
    "widened",
]

Numbers = npt.NDArray[np.float64]
Calibration = dict[tuple[str, int, int], tuple[tuple[float, float, float], ...]]
"""Method, last year of the errors, step: per group its upper edge of volatility, and the two quantiles."""

LEVEL = 0.8
"""Share of outcomes that an interval should hold."""

GROUPS = 3
"""Series are grouped by terciles of their volatility."""

POWER = 0.75
FLOOR = 0.03
FEWEST_ERRORS = 90
FEWEST_OWN = 10
FEWEST_NEAR = 6
OFTEN = 0.5
RESAMPLES = 1000
DIGITS = 6


def scale(changes: npt.ArrayLike) -> Numbers:
    """Return what errors are divided by before series are put together (equation E138).

    Volatility to the power 0.75, at least that of 3 %: errors grow with volatility, but less than in
    proportion.
    """
    return np.asarray(np.maximum(np.asarray(changes, dtype=np.float64), FLOOR) ** POWER)


def rolling_errors(
    form: str,
    series: Series,
    origins: Iterable[int],
    steps: int,
    *,
    names: Sequence[str] | None = None,
    coefficients: Pool | None = None,
) -> pl.DataFrame:
    """Forecast from every origin and compare with what came (equation E137).

    Args:
        form: form name.
        series: the series.
        origins: last periods that a forecast may see.
        steps: horizons 1 to ``steps``.
        names: methods; by default the standard ones.
        coefficients: of the pooled regression; by default those shipped.

    Returns:
        form, country, origin, horizon, period, volatility, actual (log), and the forecast log of each method.
        Bridged values are neither origin nor target.
    """
    first = series.periods[0]
    rows: list[tuple[object, ...]] = []
    columns: list[str] = []
    for origin in origins:
        logs = series.until(origin)
        if logs is None or origin >= series.periods[-1]:
            continue
        made = forecasts(
            logs, steps, season=series.season, origin=origin, coefficients=coefficients, names=names
        )
        columns = columns or list(made)
        spread = volatility(logs)
        for step in range(1, min(steps, series.periods[-1] - origin) + 1):
            place = origin + step - first
            if series.known[place]:
                forecast = [float(made[name][step - 1]) for name in columns]
                actual = float(series.logs[place])
                rows.append((form, series.country, origin, step, origin + step, spread, actual, *forecast))
    kept = {"form": pl.String, "country": pl.String, "origin": pl.Int64, "horizon": pl.Int64}
    kept |= {"period": pl.Int64, "volatility": pl.Float64, "actual": pl.Float64}
    schema: dict[str, type[pl.DataType]] = {**kept, **dict.fromkeys(columns, pl.Float64)}
    return pl.DataFrame(rows, schema=schema, orient="row")


def calibrate(
    errors: pl.DataFrame,
    method: str,
    through: int,
    steps: int,
    *,
    groups: int = GROUPS,
    fewest: int = FEWEST_ERRORS,
) -> Calibration:
    """Return the quantiles of scaled past errors by horizon and volatility (equation E138).

    Split conformal: the smallest interval that holds the asked share of the errors whose target was known
    at ``through``, with the small-sample correction of n + 1.

    Args:
        errors: as :func:`rolling_errors` gives them.
        method: column of the method.
        through: last period that a target may have (law 11).
        steps: horizons 1 to ``steps``.
        groups: how many groups of volatility.
        fewest: fewer errors than these calibrate nothing.
    """
    found: Calibration = {}
    known = errors.filter(pl.col("period") <= through)
    for step in range(1, steps + 1):
        rows = known.filter(pl.col("horizon") == step)
        if rows.height < fewest:
            continue
        spread = rows["volatility"].to_numpy()
        scaled = (rows["actual"] - rows[method]).to_numpy() / scale(spread)
        edges = np.quantile(spread, [(g + 1) / groups for g in range(groups - 1)])
        group = np.digitize(spread, edges)
        parts = []
        for number in range(groups):
            edge = float(edges[number]) if number < groups - 1 else np.inf
            parts.append((round(edge, DIGITS), *_quantiles(scaled[group == number])))
        found[method, through, step] = tuple(parts)
    return found


def _quantiles(scaled: Numbers) -> tuple[float, float]:
    ordered = np.sort(scaled)
    count = len(ordered)
    rank = int(np.floor((count + 1) * (1 - LEVEL) / 2))
    low, high = ordered[max(rank - 1, 0)], ordered[min(count - rank, count - 1)]
    return round(float(low), DIGITS), round(float(high), DIGITS)


@functools.cache
def calibration() -> Calibration:
    """Return the shipped quantiles of past errors (equation E138)."""
    path = Path(__file__).parent / "tables" / "forecast_errors.csv"
    if not path.is_file():
        return {}
    found: dict[tuple[str, int, int], list[tuple[float, float, float]]] = {}
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            key = (row["method"], int(row["through"]), int(row["horizon"]))
            edge = float(row["volatility_to"] or "inf")
            found.setdefault(key, []).append((edge, float(row["low"]), float(row["high"])))
    return {key: tuple(sorted(parts)) for key, parts in found.items()}


def interval(known: Calibration, method: str, through: int, step: int, changes: float) -> tuple[float, float]:
    """Return the two ends of the interval around a forecast, on the log scale (equation E138).

    Args:
        known: calibration.
        method: method of the forecast.
        through: the origin.
        step: horizon.
        changes: volatility of the series at the origin.

    Raises:
        NotCoveredError: nothing was calibrated for this origin.
    """
    parts = known.get((method, through, step))
    if parts is None:
        years = sorted({year for name, year, _ in known if name == method})
        raise NotCoveredError(
            f"no errors are known by which a forecast from {through} could be given an interval",
            where="origin",
            cure=f"Give an origin from {years[0]} to {years[-1]}." if years else "",
        )
    _, low, high = next(part for part in parts if changes < part[0])
    width = float(scale(changes))
    return low * width, high * width


def widened(ends: tuple[float, float], own: Numbers, near: Numbers) -> tuple[float, float]:
    """Widen an interval that this very series has mostly left in the past (equation E138).

    Where fewer than half of its own errors would lie inside, its own quantiles take over on the side where
    they reach farther.

    Args:
        ends: interval from all series, log scale.
        own: errors of the series known at the origin, any horizon.
        near: those of the same horizon or one apart.
    """
    if len(own) < FEWEST_OWN or len(near) < FEWEST_NEAR:
        return ends
    if float(((near >= ends[0]) & (near <= ends[1])).mean()) >= OFTEN:
        return ends
    below, above = _quantiles(near)
    return min(ends[0], below), max(ends[1], above)


def series_interval(
    ends: tuple[float, float], method: str, errors: pl.DataFrame, origin: int, step: int
) -> tuple[float, float]:
    """Return the interval around a forecast of one series: that of all series, widened where it must be.

    Args:
        ends: interval from all series, log scale.
        method: method of the forecast.
        errors: rolling errors of this series alone; those known at the origin are used (law 11).
        origin: origin of the forecast.
        step: horizon.
    """
    return ends if errors.is_empty() else widened(ends, *_own(_Past(errors, method), origin, step))


class _Past:
    """Arrays of the rolling errors of one series."""

    def __init__(self, errors: pl.DataFrame, method: str) -> None:
        self.period = errors["period"].to_numpy()
        self.horizon = errors["horizon"].to_numpy()
        self.off = (errors["actual"] - errors[method]).to_numpy()


def _own(past: _Past, origin: int, step: int) -> tuple[Numbers, Numbers]:
    """Errors known at the origin: all, and those of a horizon at most one apart."""
    seen = past.period <= origin
    return past.off[seen], past.off[seen & (np.abs(past.horizon - step) <= 1)]


def inside(
    errors: pl.DataFrame, known: Calibration, method: str, *, keep: bool = False, own: bool = True
) -> pl.DataFrame:
    """Add ``low, high, inside`` of the interval that was given at each origin (equation E139).

    Args:
        errors: as :func:`rolling_errors` gives them, every origin of each series.
        known: calibration of every origin.
        method: column of the method.
        keep: keep rows for which no interval was known, with nulls.
        own: widen by the series' own past errors, as a forecast does.
    """
    parts = []
    for part in errors.partition_by("form", "country", maintain_order=True):
        past = _Past(part, method)
        ends: list[tuple[float | None, float | None]] = []
        for origin, step, changes in part.select("origin", "horizon", "volatility").iter_rows():
            if (method, origin, step) not in known:
                ends.append((None, None))
                continue
            given = interval(known, method, origin, step, changes)
            ends.append(widened(given, *_own(past, origin, step)) if own else given)
        low, high = (pl.Series([end[side] for end in ends], dtype=pl.Float64) for side in (0, 1))
        parts.append(part.with_columns(low=low, high=high))
    table = pl.concat(parts)
    error = pl.col("actual") - pl.col(method)
    table = table.with_columns(inside=(error >= pl.col("low")) & (error <= pl.col("high")))
    return table if keep else table.filter(pl.col("low").is_not_null())


def score(errors: pl.DataFrame, method: str, benchmark: str = "naive") -> dict[str, float]:
    """Return errors and skill of a method against a benchmark (equation E137).

    Returns:
        errors (count), mean_absolute_error, benchmark_error (log units), skill (1 - their ratio),
        scaled_error (mean absolute error over the volatility of the series), scaled_skill, square_skill
        (1 - the ratio of root mean squares).
    """
    off = (errors["actual"] - errors[method]).to_numpy()
    plain = (errors["actual"] - errors[benchmark]).to_numpy()
    spread = np.maximum(errors["volatility"].to_numpy(), FLOOR)
    mean, base = float(np.abs(off).mean()), float(np.abs(plain).mean())
    scaled, scaled_base = float((np.abs(off) / spread).mean()), float((np.abs(plain) / spread).mean())
    return {
        "errors": float(len(off)),
        "mean_absolute_error": mean,
        "benchmark_error": base,
        "skill": 1 - mean / base if base > 0 else 0.0,
        "scaled_error": scaled,
        "scaled_skill": 1 - scaled / scaled_base if scaled_base > 0 else 0.0,
        "square_skill": 1 - float(np.sqrt((off**2).mean() / (plain**2).mean())) if base > 0 else 0.0,
    }


def skill_interval(
    errors: pl.DataFrame,
    method: str,
    generator: np.random.Generator,
    benchmark: str = "naive",
    by: str = "form",
) -> tuple[float, float]:
    """Return the 80 % interval of the skill, by drawing whole groups again with repetition.

    Errors of one form hang together over its countries, years and horizons: forms are drawn, not errors.

    Args:
        errors: as :func:`rolling_errors` gives them.
        method: column of the method.
        generator: source of the draws.
        benchmark: column of the benchmark.
        by: column of the groups: ``form``, or ``origin`` where there is one form.
    """
    sums = (
        errors.select(
            by,
            off=(pl.col("actual") - pl.col(method)).abs(),
            plain=(pl.col("actual") - pl.col(benchmark)).abs(),
        )
        .sort(by, "off", "plain")
        .group_by(by, maintain_order=True)
        .agg(pl.col("off").sum(), pl.col("plain").sum())
    )
    off, plain = sums["off"].to_numpy(), sums["plain"].to_numpy()
    drawn = generator.integers(0, len(off), size=(RESAMPLES, len(off)))
    base = plain[drawn].sum(axis=1)
    skill = 1 - off[drawn].sum(axis=1) / np.where(base > 0, base, 1.0)
    low, high = np.quantile(skill, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
