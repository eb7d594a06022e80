"""Base-year prices by region: unit values, drawn towards the world's where trade is thin (equation E24)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evernormal.network.observations import Observed

__all__ = ["regional_prices"]

Floats = NDArray[np.float64]

THIN_TRADE = 0.01
WIDEST = 3.0


def regional_prices(observed: Observed, regions: Sequence[str], flows: pl.DataFrame) -> Floats:
    """Price of a form in each region, USD per tonne contained (equation E24).

    The region's own import unit value counts with weight ``M / (M + 0.01 T)`` (its imports ``M`` in world
    trade ``T``) on the logarithmic scale, and at most a factor of three from the world price; a region
    without priced imports gets the world price.  Never zero, never missing.

    Args:
        observed: the form's observations.
        regions: labels.
        flows: flows by region, ``importer, contained_t, value_usd``.
    """
    world = observed.price.value
    total = float(flows["contained_t"].sum())
    imports = {
        row["importer"]: (row["contained_t"], row["value_usd"])
        for row in flows.group_by("importer")
        .agg(pl.col("contained_t").sum(), pl.col("value_usd").sum())
        .iter_rows(named=True)
    }
    prices = np.full(len(regions), world)
    for r, region in enumerate(regions):
        tonnes, value = imports.get(region, (0.0, 0.0))
        if tonnes > 0 and value is not None and value > 0:
            own = np.clip(value / tonnes / world, 1.0 / WIDEST, WIDEST)
            prices[r] = world * own ** (tonnes / (tonnes + THIN_TRADE * total))
    return prices
