"""A solved program read back into tonnes and price ratios by month."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evernormal.market.acts import Acts, Use
from evernormal.market.program import Assembled, History, arrivals_of
from evernormal.market.routes import Routes
from evernormal.market.solver import Solution
from evernormal.network.network import Network

__all__ = ["Path", "read_path"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Path:
    """Physical quantities by month, tonnes contained (per month), and price ratios.

    Attributes:
        shipped: (A, T) leaving.
        arrived: (A, T) arriving.
        production: (R, G, T).
        activity: (C, R, T) conversion input.
        used: (U, T) by final use.
        other: (U, T) of it covered by domestic output, recycling and other forms that no statistic shows.
        absorbed: (R, G, T) taken up at home because it could neither be shipped nor stopped on its way.
        stock: (R, G, T) commercial stock at the end of the month.
        price: (R, G, T) price over base price.
        residual: largest scaled optimality residual of the program.
    """

    shipped: Floats
    arrived: Floats
    production: Floats
    activity: Floats
    used: Floats
    other: Floats
    absorbed: Floats
    stock: Floats
    price: Floats
    residual: float


def read_path(
    assembled: Assembled,
    solution: Solution,
    network: Network,
    routes: Routes,
    uses: tuple[Use, ...],
    acts: Acts,
    history: History,
) -> Path:
    """Turn a solution back into tonnes and price ratios of the open months."""
    t = assembled.months

    def block(name: str) -> Floats:
        size = assembled.blocks[name].lower.size
        start = assembled.offsets[name]
        return solution.x[start : start + size].reshape(-1, t)

    shipped = routes.base[:, None] + routes.reference[:, None] * block("route")
    everything = np.concatenate([history.shipped, shipped], axis=1)
    arrived = arrivals_of(everything, assembled.lag, assembled.late, routes)[:, history.start :]
    production = np.zeros((*network.production.shape, t))
    production += (network.production / 12)[..., None]
    known = assembled.prepared
    r, g = known.producers
    production[r, g] = (network.production[r, g] / 12)[:, None] * (
        1 + block("production") - block("production_idle")
    )
    activity = np.zeros((*network.activity.shape, t))
    activity += (network.activity / 12)[..., None]
    c, k, _, _ = known.processors
    activity[c, k] = (network.activity[c, k] / 12)[:, None] * (1 + block("activity") - block("activity_idle"))
    given_up = sum(
        (block(name) for name in assembled.blocks if name.startswith("use_")), np.zeros((len(uses), t))
    )
    wanted = np.array([u.base for u in uses])[:, None] * (1 + acts.demand_growth[:, history.start :])
    used = wanted * (1 - given_up)
    absorbed = np.zeros((*network.production.shape, t))
    taken_up = known.row_scale[:, None] * block("absorbed")
    absorbed[known.cell_index >= 0] = np.where(taken_up > 1e-7 * known.row_scale[:, None], taken_up, 0.0)
    stock = np.zeros((*network.production.shape, t))
    r, g = known.holders
    stock[r, g] = assembled.blocks["stock"].scale[:, None] * (1 + block("stock"))
    return Path(
        np.maximum(shipped, 0.0),
        arrived,
        production,
        activity,
        np.maximum(used, 0.0),
        wanted * block("other_supply"),
        absorbed,
        np.where(stock > 1e-9 * known.throughput[..., None], stock, 0.0),
        _price_ratio(assembled, solution, network),
        solution.residual,
    )


def _price_ratio(assembled: Assembled, solution: Solution, network: Network) -> Floats:
    """(R, G, T) dual of each balance over the base price (equation E50); NaN where nothing moves."""
    t, known = assembled.months, assembled.prepared
    ratio = np.full((*network.production.shape, t), np.nan)
    marginal = solution.price.reshape(-1, t) * assembled.money / known.row_scale[:, None]
    r, g = np.nonzero(known.cell_index >= 0)
    base = np.where(network.price[r, g] > 0, network.price[r, g], np.nan)
    ratio[r, g] = 1.0 + marginal[known.cell_index[r, g]] / base[:, None]
    return ratio
