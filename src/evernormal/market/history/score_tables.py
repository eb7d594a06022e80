"""Tables of a back-test: scores with intervals, episodes, forecasts, interval widths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from evernormal.market.history.cross_validation import KNOWN, Trial
from evernormal.market.history.intervals import (
    CLASSES,
    ErrorRow,
    Interval,
    amounts,
    calibrate,
    coverage,
    error_rows,
    price_scale,
)
from evernormal.market.history.records import exports_of, imports_of
from evernormal.market.history.scores import SCORES, Change, bootstrap_change, bootstrap_mean

__all__ = [
    "GOALS",
    "LARGE_LOSS",
    "MODEL",
    "RULE",
    "SPLITS",
    "UNITS",
    "Held",
    "episode_table",
    "forecast_table",
    "held_of",
    "interval_table",
    "score_table",
]

RULE = "pro-rata cut"
MODEL = "reduced form"
SPLITS: Mapping[str, str] = {
    "mineral": "cross-validated",
    "code": "cross-validated by code",
    "years": "earlier years alone",
}
"""What coefficients must not have seen, and the name of the split that says so."""

LARGE_LOSS = 0.2
CRISIS = 2009
"""Year of a fall of demand: cuts of that year are left out of the price score of large losses."""

GOALS: Mapping[tuple[str, str], float] = {
    (KNOWN[0], "imports"): 0.05,
    (KNOWN[0], "other exporters"): 0.08,
    (KNOWN[0], "flows"): 0.05,
    (KNOWN[1], "imports"): 0.07,
    (KNOWN[1], "other exporters"): 0.12,
    (KNOWN[1], "flows"): 0.07,
    (KNOWN[2], "imports"): 0.16,
    (KNOWN[0], "rank of losses"): 0.30,
    (KNOWN[0], "unit value"): 0.10,
    (KNOWN[0], "unit value, large losses"): 0.25,
    (KNOWN[1], "unit value, large losses"): 0.35,
    (KNOWN[0], "sign of unit value, large losses"): 0.80,
    (KNOWN[0], "interval coverage"): 0.75,
    (KNOWN[0], "interval coverage, policies"): 0.75,
}
"""What the reduced form set out to reach in cross-validation, stated before it was fitted."""

UNITS: Mapping[str, Mapping[str, str]] = {
    "scores": {"value": "1", "low": "1", "high": "1", "error": "fraction of world trade"},
    "episodes": {
        "lost": "fraction",
        "imports_rule": "fraction",
        "imports_model": "fraction",
        "exporters_rule": "fraction",
        "exporters_model": "fraction",
        "flows_rule": "fraction",
        "flows_model": "fraction",
        "unit_value_forecast": "1",
        "unit_value_low": "1",
        "unit_value_high": "1",
        "unit_value_actual": "1",
    },
    "forecasts": dict.fromkeys(
        ("before_t", "pro_rata_t", "forecast_t", "low_t", "high_t", "actual_t"), "t gross"
    ),
    "intervals": {"low": "1", "high": "1", "coverage": "fraction", "coverage_policy": "fraction"},
    "coefficients": {"value": "1", "standard_error": "1"},
}


Held = Sequence[tuple[ErrorRow, bool]]
"""Errors, and whether their intervals held them."""


def score_table(trials: Mapping[str, Sequence[Trial]], held: Mapping[str, Held]) -> pl.DataFrame:
    """Return every score of every model, by split and by what is known.

    Args:
        trials: episodes tried, by name of the split.
        held: errors and whether their intervals held them, by name of the split.

    Returns:
        split, known, model, score, measure, value, low, high (80 %, codes drawn again), error (mean;
        null for what is no error), episodes.
    """
    rows = []
    for split, tried in trials.items():
        if tried:
            rows += [*_of_split(split, tried), *_coverage_rows(split, held.get(split, ()))]
    kinds = {"value": pl.Float64, "low": pl.Float64, "high": pl.Float64, "error": pl.Float64}
    table = pl.DataFrame(rows, schema_overrides=kinds, infer_schema_length=None)
    return table.with_columns(pl.col(*kinds).fill_nan(None))


def _of_split(split: str, tried: Sequence[Trial]) -> Iterator[dict[str, Any]]:
    codes = [trial.episode.code for trial in tried]
    rule = {name: [trial.scores[KNOWN[0], RULE][name] for trial in tried] for name in SCORES}
    for known, model in tried[0].scores:
        own = [trial.scores[known, model] for trial in tried]
        head = {"split": split, "known": known, "model": model}
        for name in SCORES:
            values = [scores[name] for scores in own]
            change = bootstrap_change(values, rule[name], codes)
            yield head | _row(name, "below the pro-rata cut", change, float(np.mean(values)))
        for name in ("rank of losses", "rank of tonnes lost"):
            values = [scores[name] for scores in own]
            if np.isfinite(values).any():
                yield head | _row(name, "mean correlation", bootstrap_mean(values, codes), None)
    for known, model in tried[0].price:
        if model not in {"persistence", RULE} and not model.startswith(("pro-rata", "trend")):
            yield from _price_rows({"split": split, "known": known, "model": model}, tried)


def _price_rows(head: dict[str, Any], tried: Sequence[Trial]) -> Iterator[dict[str, Any]]:
    key = head["known"], head["model"]
    every = [trial for trial in tried if np.isfinite(trial.price_actual)]
    large = [t for t in every if t.episode.lost > LARGE_LOSS and t.episode.year != CRISIS]
    for name, chosen in (("unit value", every), ("unit value, large losses", large)):
        if not chosen:
            continue
        codes = [trial.episode.code for trial in chosen]
        wrong = [abs(trial.price[key] - trial.price_actual) for trial in chosen]
        change = bootstrap_change(wrong, [abs(trial.price_actual) for trial in chosen], codes)
        yield head | _row(name, "below no change", change, None)
        same = [float(np.sign(t.price[key]) == np.sign(t.price_actual)) for t in chosen]
        yield head | _row(f"sign of {name}", "share right", bootstrap_mean(same, codes), None)


def _coverage_rows(split: str, held: Held) -> Iterator[dict[str, Any]]:
    for name, rows in (
        ("interval coverage", held),
        ("interval coverage, policies", [pair for pair in held if pair[0].policy]),
    ):
        if rows:
            change = bootstrap_mean([float(inside) for _, inside in rows], [row.code for row, _ in rows])
            episodes = len({row.episode for row, _ in rows})
            found = Change(change.value, change.low, change.high, episodes)
            head = {"split": split, "known": KNOWN[0], "model": MODEL}
            yield head | _row(name, "share inside, nominal 0.8", found, None)


def _row(score: str, measure: str, change: Change, error: float | None) -> dict[str, Any]:
    return {
        "score": score,
        "measure": measure,
        "value": change.value,
        "low": change.low,
        "high": change.high,
        "error": error,
        "episodes": change.episodes,
    }


def episode_table(
    tried: Sequence[Trial], errors: Sequence[ErrorRow], broken: Mapping[str, Sequence[str]]
) -> pl.DataFrame:
    """Return one row per episode: what it was, the errors of rule and model, and the world unit value.

    Args:
        tried: episodes.
        errors: past errors, for intervals; those of the episode's own code are left out.
        broken: name of an episode to the cleaning rules that it breaks.
    """
    rows = []
    for trial in tried:
        episode = trial.episode
        rule, model = trial.scores[KNOWN[0], RULE], trial.scores[KNOWN[0], MODEL]
        made = calibrate(errors, episode.code).get(CLASSES[-1][0])
        forecast = float(np.exp(trial.price[KNOWN[0], MODEL]))
        low, high = (None, None) if made is None else made.factors(price_scale(trial.case))
        known = bool(np.isfinite(trial.price_actual))
        rows.append(
            {
                "episode": episode.name,
                "code": episode.code,
                "exporters": "+".join(episode.exporters),
                "year": episode.year,
                "lost": trial.case.lost,
                "split": episode.split,
                "policy": episode.policy,
                "imports_rule": rule["imports"],
                "imports_model": model["imports"],
                "exporters_rule": rule["other exporters"],
                "exporters_model": model["other exporters"],
                "flows_rule": rule["flows"],
                "flows_model": model["flows"],
                "unit_value_forecast": forecast,
                "unit_value_low": None if low is None else forecast * low,
                "unit_value_high": None if high is None else forecast * high,
                "unit_value_actual": float(np.exp(trial.price_actual)) if known else None,
                "rules_broken": " ".join(broken.get(episode.name, ())),
            }
        )
    kinds = dict.fromkeys(UNITS["episodes"], pl.Float64)
    return pl.DataFrame(rows, schema_overrides=kinds, infer_schema_length=None)


def forecast_table(tried: Sequence[Trial], errors: Sequence[ErrorRow]) -> pl.DataFrame:
    """Return the forecast of every importer and other exporter with 1 % of the world or more.

    Tonnes of the year before, by the pro-rata cut, forecast with the ends of its interval, and as it was.
    """
    rows = []
    for trial in tried:
        made = calibrate(errors, trial.episode.code)
        rows += list(_forecasts(trial, made))
    kinds = dict.fromkeys(UNITS["forecasts"], pl.Float64)
    return pl.DataFrame(rows, schema_overrides=kinds, infer_schema_length=None)


def _forecasts(trial: Trial, made: Mapping[str, Interval]) -> Iterator[dict[str, Any]]:
    case, records, t = trial.case, trial.case.records, trial.case.t
    rule = {
        "importer": imports_of(records, case.pro_rata),
        "other exporter": exports_of(records, case.pro_rata),
        "world": np.array([case.pro_rata.sum()]),
    }
    table = {"importer": records.imports, "other exporter": records.exports, "world": records.world[None, :]}
    for group, place, _, forecast, scale in amounts(case, trial.closed[KNOWN[0]]):
        side = next(name for name in table if group.startswith(name))
        low, high = made[group].factors(scale) if group in made else (None, None)
        yield {
            "episode": trial.episode.name,
            "side": side,
            "country": records.countries[place] if place >= 0 else "WLD",
            "before_t": float(table[side][place, t - 1]),
            "pro_rata_t": float(rule[side][place]),
            "forecast_t": forecast,
            "low_t": None if low is None else forecast * low,
            "high_t": None if high is None else forecast * high,
            "actual_t": float(table[side][place, t]),
        }


COVERED = (SPLITS["mineral"], "held-out", "smaller cuts", "cuts that cleaning rejects")
"""Splits whose intervals are checked, besides that of earlier years."""


def held_of(trials: Mapping[str, Sequence[Trial]], pool: Sequence[ErrorRow]) -> dict[str, Held]:
    """Return, by split, every error and whether its interval held it.

    Intervals are made from the errors of other minerals; those of the held-out split from the training
    episodes' alone, those of earlier years from that line's own.

    Args:
        trials: episodes tried, by name of the split.
        pool: past errors that intervals are made from.
    """
    found: dict[str, Held] = {}
    for split, tried in trials.items():
        if split == SPLITS["years"]:
            found[split] = coverage(error_rows(tried))
        elif split in COVERED:
            train = {t.episode.name for t in trials.get("train", ())} if split == "held-out" else set()
            chosen = [row for row in pool if row.episode in train] if train else list(pool)
            found[split] = coverage(error_rows(tried), chosen)
    return found


def interval_table(errors: Sequence[ErrorRow], held: Held | None = None) -> pl.DataFrame:
    """Return the factors of every class for an amount of typical unrest, and how often they held.

    Args:
        errors: past errors.
        held: errors and whether their intervals held them; the past errors themselves when omitted.
    """
    made, held = calibrate(errors), coverage(errors) if held is None else held
    rows = []
    for group, interval in made.items():
        low, high = interval.factors()
        inside = [hit for row, hit in held if row.group == group]
        policy = [hit for row, hit in held if row.group == group and row.policy]
        rows.append(
            {
                "forecast": group,
                "low": low,
                "high": high,
                "errors": interval.rows,
                "coverage": float(np.mean(inside)) if inside else None,
                "coverage_policy": float(np.mean(policy)) if policy else None,
                "errors_policy": len(policy),
            }
        )
    kinds = {"coverage_policy": pl.Float64, "low": pl.Float64, "high": pl.Float64, "coverage": pl.Float64}
    return pl.DataFrame(rows, schema_overrides=kinds, infer_schema_length=None)
