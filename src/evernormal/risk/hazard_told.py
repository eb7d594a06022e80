"""The labelled tables of hazards, their units, and what a reader must know first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import polars as pl
from scipy.stats import gamma

from evernormal.result import Finding
from evernormal.risk.hazard_copula import Correlation, fit_correlation
from evernormal.risk.hazard_judgement import Judgement
from evernormal.risk.hazard_rates import Rates
from evernormal.risk.hazard_scores import forecasts_of_years, scored

__all__ = ["hazard_findings", "hazard_tables", "hazard_units"]


def hazard_tables(
    rows: list[dict[str, Any]],
    laws: list[dict[str, Any]],
    panel: pl.DataFrame,
    events: pl.DataFrame,
    rates: Rates,
    first_scored: int | None,
    seed: int,
) -> dict[str, pl.DataFrame]:
    """Return every table; past years are scored from ``first_scored`` on, not at all when it is None."""
    mean, _ = rates.rates(
        panel["exporter"].to_list(),
        panel["item"].to_list(),
        panel["governance"].to_numpy(),
        panel["share"].to_numpy(),
    )
    together = fit_correlation(panel, -np.expm1(-mean))
    order = [c for c in rows[0] if c != "source"]
    shown = pl.DataFrame(rows, infer_schema_length=None).select(*order, "source").fill_nan(None)
    tables = {
        "hazards": shown.sort("rate", "exporter", "item", descending=[True, False, False], nulls_last=True),
        "distributions": pl.DataFrame(laws, infer_schema_length=None).fill_nan(None).sort("exporter", "item"),
        "correlation": _correlation(together),
        "coefficients": _coefficients(rates),
        "factors": _factors(rates),
        "events": events,
    }
    if first_scored is not None:
        past = forecasts_of_years(panel, first_scored)
        if past.height and past["event"].any():
            tables["skill"] = scored(past, seed)
    return tables


def _correlation(found: Correlation) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "scope": ["one exporter, one year", "one year"],
            "correlation": [found.year + found.exporter, found.year],
            "pairs": list(found.pairs),
            "pairs_alone": [float(v) for v in found.alone],
        }
    )


def _coefficients(rates: Rates) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "term": ["constant", "governance risk, standardised", "log share, standardised"],
            "value": [float(v) for v in rates.beta],
            "standard_error": [float(v) for v in np.sqrt(np.diag(rates.covariance))],
        }
    )


def _factors(rates: Rates) -> pl.DataFrame:
    rows = []
    for side, factors in (("exporter", rates.exporters), ("item", rates.items)):
        for member in sorted(factors.posterior):
            shape, rate = factors.posterior[member]
            low, high = (float(v) for v in gamma.ppf([0.1, 0.9], shape, scale=1 / rate))
            rows.append((side, member, shape / rate, low, high, factors.shape))
    schema = {"side": pl.String, "member": pl.String} | dict.fromkeys(
        ("factor", "low", "high", "shape"), pl.Float64
    )
    return pl.DataFrame(rows, schema=schema, orient="row")


def hazard_findings(
    tables: Mapping[str, pl.DataFrame],
    forms: set[str],
    judged: Sequence[Judgement],
) -> list[Finding]:
    """Return what was unknown, what was judged, and whether the past would have been foreseen."""
    found = []
    shown = tables["hazards"]
    unknown = shown.filter(pl.col("governance").is_null() & (pl.col("exposed_years") > 0))
    if unknown.height:
        names = ", ".join(unknown["exporter"].unique().sort().to_list())
        text = f"The governance of {names} is unknown; the mean stands for it in the rate."
        found.append(Finding("hazard-governance-unknown", "caution", text, {"exporters": names}))
    covered = {name for forms_ in shown["forms"].to_list() for name in forms_.split(";")}
    missing = sorted(forms - covered)
    if missing and len(forms) <= 12:
        text = f"No hazard is told for {', '.join(missing)}: no exporter of it is measured as large enough."
        found.append(Finding("hazard-form-not-measured", "caution", text, {"forms": ", ".join(missing)}))
    if judged:
        text = f"{len(judged)} judgements of yours are in the figures; the columns of weights say how much."
        found.append(Finding("hazard-judgement-used", "info", text, {"count": len(judged)}))
    if "skill" in tables:
        row = tables["skill"].row(by_predicate=pl.col("method") == "full", named=True)
        sure = row["gain_low"] > 0
        verdict = "better than" if sure else "not surely better than"
        text = (
            f"Forecasting {row['events']} events in {row['cells']} exposed years from the years before, the"
            f" rates were {verdict} one rate for all: log score {row['gain']:+.1%}, 80 % interval"
            f" {row['gain_low']:+.1%} to {row['gain_high']:+.1%}."
        )
        level: Literal["info", "caution"] = "info" if sure else "caution"
        values = {key: row[key] for key in ("events", "cells", "gain", "gain_low", "gain_high")}
        found.append(Finding("hazard-skill", level, text, {**values, "better": sure}))
    return found


def hazard_units(tables: Mapping[str, pl.DataFrame]) -> dict[str, dict[str, str]]:
    """Return the unit of every number."""
    endings = {
        "rate": "events/year", "severity": "share of shipments", "onset_days": "d",
        "duration_months": "month",
        "share": "share of world exports", "governance": "0 good to 1 bad", "duration_scale": "month",
        "lost": "share of exports of the year before", "share_lost": "share of exports",
        "log_score": "nat/cell", "expected": "events", "pairs_alone": "pairs",
    }  # fmt: skip
    named: dict[str, dict[str, str]] = {}
    for name, table in tables.items():
        named[name] = {}
        for column, dtype in table.schema.items():
            if dtype.is_float():
                fits = [unit for start, unit in endings.items() if column.startswith(start)]
                plain = column.endswith("_weight") or not fits
                named[name][column] = endings.get(column) or ("1" if plain else fits[0])
    return named
