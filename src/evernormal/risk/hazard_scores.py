"""Would the frequencies have been right?  Years forecast from those before, against one common rate."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evernormal.risk.hazard_rates import fit_rates

__all__ = ["METHODS", "forecasts_of_years", "scored"]

Floats = NDArray[np.float64]

METHODS = {
    "base": (False, False),
    "covariates": (True, False),
    "pooling": (False, True),
    "full": (True, True),
}
"""Method to (covariates, factors): one rate for all; governance and share; exporter and item; all of it."""


def forecasts_of_years(panel: pl.DataFrame, first: int) -> pl.DataFrame:
    """Return the chance that each method gave to every exposed cell from a year on, with what happened.

    Each year is forecast from the years before it alone.

    Returns:
        exporter, item, year, event, and one column of chances per method.
    """
    parts = []
    for year in sorted(y for y in panel["year"].unique().to_list() if y >= first):
        before, now = panel.filter(pl.col("year") < year), panel.filter(pl.col("year") == year)
        if not before["event"].any():
            continue
        columns = {}
        for name, (covariates, factors) in METHODS.items():
            rates = fit_rates(before, covariates=covariates, factors=factors)
            mean, _ = rates.rates(
                now["exporter"].to_list(),
                now["item"].to_list(),
                now["governance"].to_numpy(),
                now["share"].to_numpy(),
            )
            columns[name] = pl.Series(-np.expm1(-mean))
        parts.append(now.select("exporter", "item", "year", "event").with_columns(**columns))
    schema = {"exporter": pl.String, "item": pl.String, "year": pl.Int64, "event": pl.Boolean}
    return pl.concat(parts) if parts else pl.DataFrame(schema=schema | dict.fromkeys(METHODS, pl.Float64))


def scored(forecasts: pl.DataFrame, seed: int, resamples: int = 1000) -> pl.DataFrame:
    """Return log score and Brier score of each method against the base rate (equation E149).

    Args:
        forecasts: of :func:`forecasts_of_years`.
        seed: of the bootstrap over exporters.
        resamples: of it.

    Returns:
        method, log_score (mean, lower is better), brier, gain and its 80 % interval (share of the base rate's
        log score that is saved), brier_gain, expected (events forecast), events, cells.
    """
    y = forecasts["event"].to_numpy().astype(np.float64)
    exporters = forecasts["exporter"].to_numpy()
    names, place = np.unique(exporters, return_inverse=True)
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    chosen = rng.integers(0, len(names), size=(resamples, len(names)))
    weights = np.array([np.bincount(row, minlength=len(names)) for row in chosen], dtype=np.float64)
    losses = {name: _losses(forecasts[name].to_numpy(), y) for name in METHODS}
    by_exporter = {name: np.bincount(place, loss, len(names)) for name, (loss, _) in losses.items()}
    rows = []
    for name, (loss, brier) in losses.items():
        gains = 1 - (weights @ by_exporter[name]) / (weights @ by_exporter["base"])
        low, high = np.quantile(gains, [0.1, 0.9])
        base_loss, base_brier = losses["base"]
        rows.append(
            {
                "method": name,
                "log_score": float(loss.mean()),
                "brier": float(brier.mean()),
                "gain": float(1 - loss.sum() / base_loss.sum()),
                "gain_low": float(low),
                "gain_high": float(high),
                "brier_gain": float(1 - brier.sum() / base_brier.sum()),
                "expected": float(forecasts[name].to_numpy().sum()),
                "events": int(y.sum()),
                "cells": len(y),
            }
        )
    return pl.DataFrame(rows)


def _losses(chance: Floats, happened: Floats) -> tuple[Floats, Floats]:
    p = np.clip(chance, 1e-9, 1 - 1e-9)
    return -(happened * np.log(p) + (1 - happened) * np.log1p(-p)), (p - happened) ** 2
