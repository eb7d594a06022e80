"""Tables, units and lineage of a forecast."""

from __future__ import annotations

import csv
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from evernormal.network.network import EndUse
from evernormal.result import Derivation, Input, Lineage, Parameter, sha256_of
from evernormal.risk.forecast_drivers import Driver
from evernormal.risk.forecast_methods import DEFAULT
from evernormal.risk.forecast_scores import score, skill_interval
from evernormal.risk.forecast_series import Series
from evernormal.risk.forecast_statistics import BENCHMARK, Statistics
from evernormal.risk.forecast_uses import ALL, Total

__all__ = ["lineage_of", "tables_of", "units_of"]

SEED = 0
THIS = "this series"
TABLES = Path(__file__).parent / "tables"
MADE = ("forecast_pool", "forecast_errors", "forecast_skill", "forecast_coverage")


def _period(series: Series, step: int) -> str:
    period = series.periods[-1] + step
    return str(period) if series.season == 1 else f"{period // 12}-{period % 12 + 1:02d}"


def tables_of(
    form: str,
    series: Series,
    statistics: Statistics,
    uses: Sequence[EndUse],
    driven: Sequence[str],
    driver: Driver | None,
    rows: Sequence[Total],
) -> dict[str, pl.DataFrame]:
    """Return the tables of the result by name."""
    year_of = {step.horizon: step.year for step in statistics.steps}
    made = [
        (form, series.country, row.end_use, _period(series, row.horizon), year_of[row.horizon], row.horizon,
         row.p10, row.p50, row.p90, row.driver_share)
        for row in rows
    ]  # fmt: skip
    schema: dict[str, Any] = {
        "form": pl.String,
        "country": pl.String,
        "end_use": pl.String,
        "period": pl.String,
    }
    schema |= {"year": pl.Int64, "horizon": pl.Int64}
    schema |= dict.fromkeys(("p10", "p50", "p90", "driver_share"), pl.Float64)
    shares = [
        (use.name, use.name_en, use.name_ko, use.share.value, use.share.low, use.share.high,
         driver is not None and use.name in driven)
        for use in uses
    ]  # fmt: skip
    names: dict[str, Any] = dict.fromkeys(("end_use", "name_en", "name_ko"), pl.String)
    names |= dict.fromkeys(("share", "share_low", "share_high"), pl.Float64)
    skill = _skill(series, statistics)
    held = _coverage(series, statistics)
    table = pl.DataFrame(made, schema=schema, orient="row")
    tables = {
        "forecast": table,
        "history": series.history,
        "skill": skill,
        "interval_coverage": held,
        "errors": statistics.errors,
        "methods": statistics.methods,
        "intervals": statistics.intervals,
        "end_uses": pl.DataFrame(shares, schema={**names, "driven": pl.Boolean}, orient="row"),
        "summary": _summary(series, statistics, table, skill, held),
    }
    return tables if driver is None else {**tables, "drivers": driver.table}


@functools.cache
def _shipped(table: str) -> tuple[dict[str, str], ...]:
    path = TABLES / f"{table}.csv"
    if not path.is_file():
        return ()
    with path.open(encoding="utf-8", newline="") as stream:
        return tuple(csv.DictReader(stream))


def _skill(series: Series, statistics: Statistics) -> pl.DataFrame:
    """Skill of this series, and of the back-test on other series."""
    rows: list[tuple[Any, ...]] = []
    errors, benchmark = statistics.errors, BENCHMARK[series.season]
    if errors.height:
        steps = (0, *sorted(set(errors["horizon"].to_list())))
        for step in steps:
            part = errors if step == 0 else errors.filter(pl.col("horizon") == step)
            found = score(part, statistics.method, benchmark)
            ends = skill_interval(part, statistics.method, np.random.default_rng(SEED), benchmark, "origin")
            rows.append((THIS, statistics.method, benchmark, step, part.height, *_three(found), *ends))
    if series.season == 1:
        for row in _shipped("forecast_skill"):
            if row["method"] == DEFAULT:
                columns = ("mean_absolute_error", "benchmark_error", "skill", "skill_low", "skill_high")
                kept = [float(row[column]) for column in columns]
                rows.append((row["scored"], DEFAULT, "naive", int(row["horizon"]), int(row["errors"]), *kept))
    schema: dict[str, Any] = {"scored": pl.String, "method": pl.String, "benchmark": pl.String}
    schema |= {"horizon": pl.Int64, "errors": pl.Int64}
    columns = ("mean_absolute_error", "benchmark_error", "skill", "skill_low", "skill_high")
    return pl.DataFrame(rows, schema={**schema, **dict.fromkeys(columns, pl.Float64)}, orient="row")


def _three(found: dict[str, float]) -> tuple[float, float, float]:
    return found["mean_absolute_error"], found["benchmark_error"], found["skill"]


def _coverage(series: Series, statistics: Statistics) -> pl.DataFrame:
    """Share of outcomes inside the interval given at the time, of this series and of the back-test."""
    rows: list[tuple[Any, ...]] = []
    if statistics.errors.height:
        judged = statistics.errors.filter(pl.col("low").is_not_null())
        for step in (0, *sorted(set(judged["horizon"].to_list()))):
            part = judged if step == 0 else judged.filter(pl.col("horizon") == step)
            if part.height:
                rows.append((THIS, step, part.height, int(part["inside"].sum()) / part.height))
    if series.season == 1:
        rows += [
            (row["scored"], int(row["horizon"]), int(row["errors"]), float(row["coverage"]))
            for row in _shipped("forecast_coverage")
            if row["group"] == ALL
        ]
    schema = {"scored": pl.String, "horizon": pl.Int64, "errors": pl.Int64, "coverage": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _summary(
    series: Series, statistics: Statistics, table: pl.DataFrame, skill: pl.DataFrame, held: pl.DataFrame
) -> pl.DataFrame:
    total = table.filter(pl.col("end_use") == ALL)
    start = float(np.exp(series.logs[-1]))
    own = skill.filter(pl.col("scored") == THIS, pl.col("horizon") == 0)
    inside_own = held.filter(pl.col("scored") == THIS, pl.col("horizon") == 0)
    rows = [
        ("origin_amount_t", start),
        ("last_p50_t", float(total["p50"][-1])),
        ("growth_per_year", float((total["p50"][-1] / start) ** (series.season / total.height) - 1)),
        ("driver_share_last", float(total["driver_share"][-1])),
        ("skill_this_series", float(own["skill"][0]) if own.height else None),
        ("coverage_this_series", float(inside_own["coverage"][0]) if inside_own.height else None),
    ]
    return pl.DataFrame(rows, schema={"name": pl.String, "value": pl.Float64}, orient="row")


def units_of(unit: str, tables: dict[str, pl.DataFrame]) -> dict[str, dict[str, str]]:
    """Unit of every float column (law 4)."""
    named = {
        **dict.fromkeys(("p10", "p50", "p90", "amount", "amount_t", "imports_t", "exports_t"), unit),
        **dict.fromkeys(("production_t",), "t contained"),
        **dict.fromkeys(("gross_t",), "t gross"),
        **dict.fromkeys(("value_usd",), "USD"),
        **dict.fromkeys(
            ("driver_share", "estimated", "skill", "skill_low", "skill_high", "coverage"), "fraction"
        ),
        **dict.fromkeys(("share", "share_low", "share_high"), "fraction"),
        **dict.fromkeys(("mean_absolute_error", "benchmark_error", "volatility", "actual"), "log units"),
        **{"vehicles": "cars", "kwh_per_vehicle": "kWh", "gwh": "GWh", "kg_per_kwh": "kg/kWh"},
        **{"kilotonnes": "kt contained", "index": "1", "value": "as named"},
    }
    units: dict[str, dict[str, str]] = {}
    for name, table in tables.items():
        default = "1" if name == "drivers" else "log units"
        floats = [column for column, dtype in table.schema.items() if dtype.is_float()]
        units[name] = {column: named.get(column, default) for column in floats}
    return units


def lineage_of(
    series: Series, driver: Driver | None, uses: Sequence[EndUse], call: dict[str, Any]
) -> Lineage:
    """Return inputs, parameters and derivations of a forecast."""
    from evernormal import __version__  # noqa: PLC0415 - the package's own

    actual, said = ("errors.actual",), "What each method says; the standard one is the mean of the"
    derived = [
        Derivation("history", "amount_t", "E22", (), "Contained tonnes that arrived, of all suppliers."),
        Derivation(
            "methods",
            "amount",
            "E135",
            ("history.amount_t",),
            f"{said} combination and the regression (E136).",
        ),
        Derivation("intervals", "low", "E138", actual, "Quantile of past scaled errors of many series."),
        Derivation("intervals", "high", "E138", actual, "Quantile of past scaled errors of many series."),
        Derivation("skill", "skill", "E137", actual, "One less the error over that of the benchmark."),
        Derivation("interval_coverage", "coverage", "E139", actual, "Outcomes inside over all outcomes."),
    ]
    path = ("drivers.index", "history.amount_t") if driver else ()
    shares = ("end_uses.share",)
    middle = "E143" if driver else "E140"
    text = "Share of each end use; driven uses grow along the path." if driver else "Share of each end use."
    derived.append(Derivation("forecast", "p50", middle, ("methods.amount", *shares, *path), text))
    for column, end in (("p10", "low"), ("p90", "high")):
        inputs = ("forecast.p50", f"intervals.{end}", *shares)
        derived.append(
            Derivation("forecast", column, "E144", inputs, "Spreads put together around the median.")
        )
    derived.append(
        Derivation("intervals", "high", "E138", ("errors.actual",), "Quantile of past scaled errors.")
    )
    parameters: list[Parameter] = [use.share for use in uses]
    pinned: tuple[Input, ...] = (*series.inputs, *_tables_used(series))
    if driver is not None:
        derived.append(Derivation("drivers", "index", "E142", (), "Growth of the path since the origin."))
        derived.append(
            Derivation("forecast", "driver_share", "E143", ("forecast.p50",), "Driven over all uses.")
        )
        parameters += driver.parameters
        pinned += driver.inputs
    return Lineage(__version__, pinned, tuple(parameters), tuple(derived), call=call)


def _tables_used(series: Series) -> tuple[Input, ...]:
    if series.season != 1:
        return ()
    source = "evernormal forecast --evaluate, from the shipped trade"
    return tuple(
        Input(name, sha256_of(TABLES / f"{name}.csv"), source)
        for name in MADE
        if (TABLES / f"{name}.csv").is_file()
    )
