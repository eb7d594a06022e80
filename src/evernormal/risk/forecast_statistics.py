"""The statistical forecast of one series: method, steps, intervals, and its own rolling errors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from evernormal.errors import NotCoveredError
from evernormal.result import Finding
from evernormal.risk.forecast_methods import DEFAULT, FIRST_POOLED, forecasts, volatility
from evernormal.risk.forecast_scores import (
    Calibration,
    calibrate,
    calibration,
    inside,
    interval,
    rolling_errors,
    score,
    series_interval,
)
from evernormal.risk.forecast_series import MINIMUM_VALUES, Series
from evernormal.risk.forecast_uses import Step

__all__ = ["BENCHMARK", "Statistics", "statistics_of"]

WORSE = -0.10
FEWEST_SCORED = 25
MONTHS_BACK = 36
NEAR_MONTHS = 2
FEWEST_MONTHLY = 20
ERRATIC = math.log(20)
OWN_METHOD = {1: DEFAULT, 12: "combination"}
BENCHMARK = {1: "naive", 12: "seasonal_naive"}

Ends = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Statistics:
    """Statistical forecast of one series.

    Attributes:
        method: which method the forecast is of.
        steps: percentiles of every step.
        methods: method, horizon, amount: what each one says.
        errors: every rolling origin, with the interval given at the time; empty where nothing was scored.
        intervals: method, horizon, volatility, low, high (log units).
        findings: what a reader must know.
    """

    method: str
    steps: tuple[Step, ...]
    methods: pl.DataFrame
    errors: pl.DataFrame
    intervals: pl.DataFrame
    findings: tuple[Finding, ...]


def statistics_of(form: str, series: Series, steps: int) -> Statistics:
    """Forecast a series, and score the same on its own past (equations E135 to E139).

    Args:
        form: form name.
        series: values up to the origin.
        steps: how many periods ahead.
    """
    origin, count = series.periods[-1], int(series.known.sum())
    benchmark = BENCHMARK[series.season]
    if count < MINIMUM_VALUES:
        return _short(form, series, steps)
    errors = rolling_errors(form, series, _origins(series), steps)
    method, findings = _method(form, series, errors, benchmark)
    known = calibration() if series.season == 1 else _own_calibration(errors, method, origin, steps)
    made = forecasts(series.logs, steps, season=series.season, origin=origin)
    spread = volatility(series.logs)
    annual = series.season == 1
    if not annual and (method, origin, steps) not in known:
        raise NotCoveredError(
            f"{count} months of {form} are too few to test a forecast {steps} months ahead",
            where=f"{form}, {series.country}",
            cure="Ask for fewer years, or bring a longer series.",
        )
    past = errors if annual else errors.clear()  # months are calibrated on the series itself already
    given = [interval(known, method, origin, step, spread) for step in range(1, steps + 1)]
    ends = [series_interval(end, method, past, origin, step) for step, end in enumerate(given, start=1)]
    if ends != given:
        findings = (*findings, _widened(form, series))
    findings = (*findings, *_erratic(form, series, ends))
    judged = inside(errors, known, method, keep=True, own=annual) if errors.height else errors
    return Statistics(
        method, _steps(series, made[method], ends, given), _methods(made, series), judged,
        _intervals(ends, given, spread, method), findings,
    )  # fmt: skip


def _origins(series: Series) -> range:
    last = series.periods[-1]
    return range(FIRST_POOLED, last) if series.season == 1 else range(last - MONTHS_BACK, last)


def _method(
    form: str, series: Series, errors: pl.DataFrame, benchmark: str
) -> tuple[str, tuple[Finding, ...]]:
    """Choose the standard method unless it was clearly worse than naive on this very series."""
    standard = OWN_METHOD[series.season]
    about = {"form": form, "country": series.country}
    if errors.height < FEWEST_SCORED:
        text = (
            f"{form}, {series.country}: only {errors.height} past forecasts can be scored; skill is pooled."
        )
        return standard, (Finding("skill-unknown", "info", text, {**about, "errors": errors.height}),)
    skill = score(errors, standard, benchmark)["skill"]
    plain = benchmark.replace("_", "-")
    if skill < WORSE:
        text = (
            f"{form}, {series.country}: the standard method was {-skill:.0%} worse than {plain} on this"
            f" series; {plain} is used."
        )
        return benchmark, (
            Finding("naive-used", "caution", text, {**about, "worse_share": -skill, "benchmark": plain}),
        )
    if skill < 0:
        text = (
            f"{form}, {series.country}: the standard method was {-skill:.1%} worse than {plain} on this"
            " series; it is kept, because leaving it for so little lowers skill on average."
        )
        return standard, (
            Finding("no-skill", "caution", text, {**about, "worse_share": -skill, "benchmark": plain}),
        )
    return standard, ()


def _short(form: str, series: Series, steps: int) -> Statistics:
    """Naive with the interval of the most volatile third, where the past is too short to be judged."""
    origin, count = series.periods[-1], int(series.known.sum())
    made = {"naive": np.full(steps, series.logs[-1])}
    known = calibration()
    spread = max(volatility(series.logs), _widest(known, origin))
    ends = [interval(known, "naive", origin, step, spread) for step in range(1, steps + 1)]
    text = (
        f"{form}, {series.country}: {count} known values are too few to judge a method; the last value is"
        " carried on, with the interval of the most volatile third of series."
    )
    about = {"form": form, "country": series.country, "values": count}
    return Statistics(
        "naive", _steps(series, made["naive"], ends, ends), _methods(made, series), pl.DataFrame(),
        _intervals(ends, ends, spread, "naive"), (Finding("short-series", "warning", text, about),),
    )  # fmt: skip


def _widest(known: Calibration, origin: int) -> float:
    edges = [edge for key, parts in known.items() if key[1] == origin for edge, *_ in parts]
    return max((edge for edge in edges if math.isfinite(edge)), default=0.0)


def _own_calibration(errors: pl.DataFrame, method: str, origin: int, steps: int) -> Calibration:
    """Calibrate months on the series itself: errors of horizons up to two apart are put together."""
    found: Calibration = {}
    for through in sorted({*errors["origin"].to_list(), origin}):
        for step in range(1, steps + 1):
            near = errors.filter((pl.col("horizon") - step).abs() <= NEAR_MONTHS).with_columns(
                horizon=pl.lit(step)
            )
            for key, parts in calibrate(near, method, through, step, groups=1, fewest=FEWEST_MONTHLY).items():
                if key[2] == step:
                    found[key] = parts
    return found


def _steps(series: Series, logs: Any, ends: Ends, given: Ends) -> tuple[Step, ...]:
    """Percentiles of every step, and the spread that all series have, for uses that follow a path."""
    origin = series.periods[-1]
    made = []
    for number, ((low, high), (below, above)) in enumerate(zip(ends, given, strict=True), start=1):
        middle = float(logs[number - 1])
        period = origin + number
        year = period if series.season == 1 else period // 12
        amounts = (math.exp(middle + min(low, 0.0)), math.exp(middle), math.exp(middle + max(high, 0.0)))
        noise = (math.exp(max(-below, 0.0)), math.exp(max(above, 0.0)))
        made.append(Step(number, year, *amounts, *noise))
    return tuple(made)


def _widened(form: str, series: Series) -> Finding:
    text = (
        f"{form}, {series.country}: past outcomes mostly left the interval that holds for all series; it is"
        " widened by the errors of this series."
    )
    return Finding("interval-widened", "caution", text, {"form": form, "country": series.country})


def _erratic(form: str, series: Series, ends: Ends) -> tuple[Finding, ...]:
    """Say where an interval is so wide that the forecast tells next to nothing."""
    low, high = ends[0]
    if high - low < ERRATIC:
        return ()
    factor = math.exp(high - low)
    text = (
        f"{form}, {series.country}: reported amounts are so erratic that already the first interval spans a"
        f" factor of {factor:,.0f}: this forecast tells next to nothing."
    )
    about = {"form": form, "country": series.country, "factor": round(factor)}
    return (Finding("erratic-series", "warning", text, about),)


def _methods(made: dict[str, Any], series: Series) -> pl.DataFrame:
    rows = [
        (name, step + 1, math.exp(float(logs[step])))
        for name, logs in made.items()
        for step in range(len(logs))
    ]
    schema = {"method": pl.String, "horizon": pl.Int64, "amount": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _intervals(ends: Ends, given: Ends, spread: float, method: str) -> pl.DataFrame:
    rows = [
        (method, number, spread, *end, *pooled)
        for number, (end, pooled) in enumerate(zip(ends, given, strict=True), start=1)
    ]
    columns = ("volatility", "low", "high", "low_of_all", "high_of_all")
    schema: dict[str, Any] = {"method": pl.String, "horizon": pl.Int64, **dict.fromkeys(columns, pl.Float64)}
    return pl.DataFrame(rows, schema=schema, orient="row")
