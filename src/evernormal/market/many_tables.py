"""The labelled tables of an ensemble, and the findings that a reader needs before trusting them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evernormal.market.batch import OUTCOMES, SERIES
from evernormal.market.factors import Space
from evernormal.market.findings import ADVISED_DRAWS
from evernormal.market.outcome import Outcome
from evernormal.market.parameters import MONTHLY_KINDS, market_parameters
from evernormal.market.sensitivity import borgonovo_delta, sobol_indices
from evernormal.market.stream import Store
from evernormal.market.tail import (
    TAIL_LEVEL,
    bands_table,
    distribution_table,
    exceedance_table,
    stop_table,
)
from evernormal.network.network import Network
from evernormal.result import Derivation, Finding, Input, Lineage, Result

if TYPE_CHECKING:
    from evernormal.network.scenario import Scenario

__all__ = ["ALL_FORMS", "ensemble_result"]

Floats = NDArray[np.float64]

ALL_FORMS = "all forms"
"""Stands for the sum over chains; only money is added, tonnes of different minerals are not."""
FEWEST_IN_TAIL = 20
FEWEST_FOR_DELTA = 200
DRIVEN = ("loss_usd", "shortage_t")

DRIVER_COLUMNS = (
    "delta", "delta_error", "first_order", "first_order_error", "total_order", "total_order_error",
)  # fmt: skip

UNITS = {
    "_t": "t contained",
    "_usd": "USD",
    "_ratio": "1 (base = 1)",
    "_days": "day",
}

DERIVATIONS = (
    Derivation("draws", "draw", "E90", ("factors.factor",), "Values of the factors of every draw."),
    Derivation("outcomes", "shortage_t", "E51", ("draws.draw",), "Sum over the months of a draw."),
    Derivation("outcomes", "loss_usd", "E52", ("draws.draw",), "Sum over the months of a draw."),
    Derivation("distribution", "value_at_risk", "E91", ("outcomes.loss_usd",), "Quantile at the tail level."),
    Derivation("distribution", "tail_mean", "E91", ("outcomes.loss_usd",), "Mean beyond the tail level."),
    Derivation("exceedance", "probability", "E92", ("outcomes.loss_usd",), "Share of the draws."),
    Derivation("stop_dates", "probability_by", "E92", ("outcomes.stop_days",), "Share of the draws."),
    Derivation("bands", "p50", "E56", ("draws.draw",), "Percentiles over draws, month by month."),
    Derivation("drivers", "first_order", "E93", ("outcomes.loss_usd", "draws.draw"), "Variance explained."),
    Derivation("drivers", "delta", "E94", ("outcomes.loss_usd", "draws.draw"), "Shift of the distribution."),
)


def ensemble_result(
    networks: Sequence[Network],
    scenarios: Sequence[Scenario],
    space: Space,
    central: Sequence[Outcome],
    store: Store,
    asked: Mapping[str, Any],
    sensitivity: str,
) -> Result:
    """Put the draws of a store into one Result; every column is read when it is needed."""
    forms = [network.form for network in networks]
    good = _good(store, len(forms))
    counted = good & _independent(len(good), space.dimension, sensitivity)
    shapes = _shapes(store, forms, central, counted)
    tables = {
        **shapes,
        "drivers": _drivers(store, forms, space, good, asked, sensitivity),
        "draws": _draws(store, space),
        "outcomes": _outcomes(store, forms),
        "factors": _factors(space),
        "failed": _failed(store, forms),
        "measures": _measures(scenarios),
    }
    findings = (
        *(finding for network in networks for finding in network.findings),
        *(finding for out in central for finding in out.run.findings),
        *(space.futures.findings if space.futures else ()),
        *_findings(forms, space, tables, int(counted.sum()), len(good) - int(good.sum())),
    )
    coverage = [network.coverage for network in networks if network.coverage.width]
    return Result(
        "ensemble",
        tables,
        _units(tables),
        _lineage(networks, scenarios, asked, space.futures.inputs if space.futures else ()),
        _distinct(findings),
        pl.concat(coverage, how="diagonal") if coverage else pl.DataFrame(),
    )


def _distinct(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    seen: dict[tuple[str, str], Finding] = {}
    for finding in findings:
        seen.setdefault((finding.code, finding.message), finding)
    return tuple(seen.values())


def _good(store: Store, chains: int) -> NDArray[np.bool_]:
    """(N,) draws with a proven answer in every chain."""
    failures = store.column([f"failure_{k}" for k in range(chains)])
    whole = failures.select(pl.all_horizontal(pl.all().is_null())).to_series()
    return np.asarray(whole.to_numpy(), dtype=bool)


def _independent(count: int, dimension: int, sensitivity: str) -> NDArray[np.bool_]:
    """(N,) runs that are independent draws: of Saltelli's points the first and the last of each block."""
    if sensitivity != "sobol":
        return np.ones(count, dtype=bool)
    place = np.arange(count) % (dimension + 2)
    return np.asarray((place == 0) | (place == dimension + 1))


def _read(store: Store, name: str, chains: int) -> Floats:
    """(N, C) one outcome of every draw and chain."""
    return store.column([f"{name}_{k}" for k in range(chains)]).to_numpy()


def _shapes(
    store: Store, forms: Sequence[str], central: Sequence[Outcome], counted: NDArray[np.bool_]
) -> dict[str, pl.DataFrame]:
    """Distribution, exceedance curve, stops and bands; nothing where no draw has an answer."""
    frames: dict[str, list[pl.DataFrame]] = {
        name: [] for name in ("distribution", "exceedance", "stop_dates", "bands")
    }
    outcomes = {name: _read(store, name, len(forms))[counted] for name in OUTCOMES}
    for k, form in enumerate(forms):
        mine = {name: values[:, k] for name, values in outcomes.items()}
        months = central[k].calendar.months
        frames["distribution"].append(distribution_table(form, mine))
        frames["exceedance"].append(exceedance_table(form, mine))
        frames["stop_dates"].append(stop_table(form, mine["stop_days"], months[0], months))
        for name in SERIES:
            paths = store.column([f"{name}_{k}_{t}" for t in range(len(months))]).to_numpy()[counted]
            frames["bands"].append(bands_table(form, name, months, paths))
    if len(forms) > 1:
        together = {name: np.full(int(counted.sum()), np.nan) for name in OUTCOMES}
        together["loss_usd"] = outcomes["loss_usd"].sum(axis=1)
        loss_only = pl.col("name") == "loss_usd"
        frames["distribution"].append(distribution_table(ALL_FORMS, together).filter(loss_only))
        frames["exceedance"].append(exceedance_table(ALL_FORMS, together))
    return {name: pl.concat(parts) for name, parts in frames.items()}


def _drivers(
    store: Store,
    forms: Sequence[str],
    space: Space,
    good: NDArray[np.bool_],
    asked: Mapping[str, Any],
    sensitivity: str,
) -> pl.DataFrame:
    """One row per form, outcome and factor, the strongest first."""
    schema = {"form": pl.String, "outcome": pl.String, "factor": pl.String}
    frames = [pl.DataFrame(schema={**schema, **dict.fromkeys(DRIVER_COLUMNS, pl.Float64)})]
    enough = good.all() if sensitivity == "sobol" else int(good.sum()) >= FEWEST_FOR_DELTA
    if sensitivity == "none" or not enough or not space.factors:
        return frames[0]
    points = store.column([f"factor_{d}" for d in range(len(space.factors))]).to_numpy()[good]
    names = [factor.name for factor in space.factors]
    for form, outcome, values in _driven(store, forms):
        found = _indices(points, values[good], space, asked, sensitivity, f"{form} {outcome}")
        if not found:
            continue
        columns = {name: found.get(name, np.full(len(names), np.nan)) for name in DRIVER_COLUMNS}
        key = "total_order" if sensitivity == "sobol" else "delta"
        frame = pl.DataFrame(
            {"form": [form] * len(names), "outcome": [outcome] * len(names), "factor": names, **columns}
        )
        frames.append(frame.fill_nan(None).sort(key, "factor", descending=[True, False], nulls_last=True))
    return pl.concat(frames)


def _driven(store: Store, forms: Sequence[str]) -> Iterator[tuple[str, str, Floats]]:
    """(form, outcome, values) of everything that has drivers."""
    for k, form in enumerate(forms):
        for name in DRIVEN:
            yield form, name, store.column([f"{name}_{k}"]).to_series().to_numpy()
    if len(forms) > 1:
        yield ALL_FORMS, "loss_usd", _read(store, "loss_usd", len(forms)).sum(axis=1)


def _indices(
    points: Floats,
    values: Floats,
    space: Space,
    asked: Mapping[str, Any],
    sensitivity: str,
    what: str,
) -> dict[str, Floats]:
    """Indices of one outcome; none where it is unknown."""
    if not np.isfinite(values).all():
        return {}
    if sensitivity == "sobol":
        return sobol_indices(values, space.dimension, int(asked["seed"]))
    stream = np.random.SeedSequence([int(asked["seed"]), *what.encode()])
    return borgonovo_delta(points, values, np.random.default_rng(stream))


def _draws(store: Store, space: Space) -> pl.DataFrame:
    """One row per draw with the value of every factor under its name."""
    names = {f"factor_{d}": factor.name for d, factor in enumerate(space.factors)}
    return store.column(["draw", *names]).rename(names)


def _outcomes(store: Store, forms: Sequence[str]) -> pl.DataFrame:
    """One row per draw and form."""
    frames = []
    for k, form in enumerate(forms):
        names = {f"{name}_{k}": name for name in OUTCOMES}
        mine = store.column(["draw", *names]).rename(names)
        hit = pl.col("hit") == 1
        frames.append(mine.select("draw", pl.lit(form).alias("form"), *OUTCOMES[:-1], hit))
    return pl.concat(frames).fill_nan(None).sort("draw", "form")


def _factors(space: Space) -> pl.DataFrame:
    schema = {"factor": pl.String, "kind": pl.String, "actor": pl.String}
    rows = [(f.name, f.kind, f.actor, *(_finite(v) for v in (f.low, f.mode, f.high))) for f in space.factors]
    numbers = dict.fromkeys(("low", "mode", "high"), pl.Float64)
    return pl.DataFrame(rows, schema={**schema, **numbers}, orient="row")


def _finite(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None


def _failed(store: Store, forms: Sequence[str]) -> pl.DataFrame:
    frames = []
    for k, form in enumerate(forms):
        rows = store.column(["draw", f"failure_{k}"]).filter(pl.col(f"failure_{k}").is_not_null())
        frames.append(rows.select("draw", pl.lit(form).alias("form"), pl.col(f"failure_{k}").alias("why")))
    return pl.concat(frames).sort("draw", "form")


def _measures(scenarios: Sequence[Scenario]) -> pl.DataFrame:
    rows = [
        {
            "form": scenario.form,
            "id": measure.id,
            "role": role,
            "kind": measure.kind,
            "by": str(measure.by),
            "announced": measure.announced,
            "effective": measure.effective,
            "ends": measure.ends,
            "text_en": scenario.describe(measure, "en"),
            "text_ko": scenario.describe(measure, "ko"),
        }
        for scenario in scenarios
        for role, group in (("measure", scenario.measures), ("policy", scenario.policies))
        for measure in sorted(group, key=lambda m: m.id)
    ]
    texts = dict.fromkeys(("form", "id", "role", "kind", "by"), pl.String)
    dates = dict.fromkeys(("announced", "effective", "ends"), pl.Date)
    return pl.DataFrame(rows, schema={**texts, **dates, "text_en": pl.String, "text_ko": pl.String})


def _units(tables: Mapping[str, pl.DataFrame]) -> dict[str, dict[str, str]]:
    units: dict[str, dict[str, str]] = {}
    for name, table in tables.items():
        default = "see column unit" if name in {"distribution", "exceedance"} else "1"
        if name == "bands":
            default = "see column series"
        if name in {"draws", "factors"}:
            default = "unit of the factor"
        units[name] = {}
        for column, dtype in table.schema.items():
            if dtype.is_float():
                ending = next((unit for end, unit in UNITS.items() if column.endswith(end)), default)
                units[name][column] = ending if name == "outcomes" else default
    for column in ("probability", "low", "high"):
        units["exceedance"][column] = "1"
    return units


def _lineage(
    networks: Sequence[Network],
    scenarios: Sequence[Scenario],
    asked: Mapping[str, Any],
    drawn: tuple[Input, ...],
) -> Lineage:
    inputs = {i: None for network in networks for i in network.inputs}
    own = (Input(f"scenario {s.name}", s.sha256(), "scenario file") for s in scenarios)
    call = {key: value for key, value in asked.items() if key not in {"sha256", "version", "seed"}}
    return Lineage(
        str(asked["version"]),
        (*dict.fromkeys((*inputs, *drawn)), *own),
        tuple(
            dict.fromkeys((*market_parameters(MONTHLY_KINDS), *_parameters(networks), *_measured(scenarios)))
        ),
        DERIVATIONS,
        int(asked["seed"]),
        {**call, "question_sha256": asked["sha256"], "tail_level": TAIL_LEVEL},
    )


def _parameters(networks: Sequence[Network]) -> Iterator[Any]:
    for network in networks:
        yield from network.parameters


def _measured(scenarios: Sequence[Scenario]) -> Iterator[Any]:
    for scenario in scenarios:
        yield from scenario.measured()


def _findings(
    forms: Sequence[str], space: Space, tables: Mapping[str, pl.DataFrame], counted: int, failed: int
) -> Iterator[Finding]:
    for row in tables["distribution"].filter(pl.col("name") == "loss_usd").iter_rows(named=True):
        if row["mean"] is None and row["form"] in forms:
            yield Finding(
                "ensemble-loss-unknown",
                "warning",
                f"No value added per tonne of {row['form']} is known; its draws have a shortage but no loss.",
                {"form": row["form"]},
            )
    if counted < ADVISED_DRAWS:
        yield Finding(
            "few-draws",
            "caution",
            f"Bands rest on {counted} draws; {ADVISED_DRAWS} or more are advised for 10 and 90 % bounds.",
            {"draws": counted},
        )
    beyond = round(counted * (1 - TAIL_LEVEL))
    if beyond < FEWEST_IN_TAIL:
        yield Finding(
            "few-draws-in-tail",
            "caution",
            f"Only {beyond} draws make up the worst {1 - TAIL_LEVEL:.0%}; with {FEWEST_IN_TAIL} or more the "
            "mean of the tail is steadier.",
            {"draws": beyond, "tail_share": 1 - TAIL_LEVEL},
        )
    actors = [factor.actor for factor in space.factors if factor.kind == "actor"]
    if actors:
        yield Finding(
            "joint-measures-assumed",
            "caution",
            f"Measures of {', '.join(actors)} are drawn with an assumed correlation of "
            f"{space.joint.correlation:g}; the tail of the loss depends on it.",
            {"actors": actors, "correlation": space.joint.correlation},
        )
    if failed:
        yield Finding(
            "draws-failed",
            "warning",
            f"{failed} draws have no proven answer and are left out of every summary; they are listed in the "
            "table 'failed'.",
            {"draws": failed},
        )
