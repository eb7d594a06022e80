"""What strikes together: a common factor of the year and one of each exporter and year (equation E148)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

__all__ = ["Correlation", "fit_correlation"]

Floats = NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(60)
_CHANCES = _WEIGHTS / _WEIGHTS.sum()
MOST = 0.95


@dataclass(frozen=True)
class Correlation:
    """Correlations of the normal variable behind each event.

    Attributes:
        year: between exporters in one year.
        exporter: beyond that, between forms of one exporter in one year.
        pairs: pairs of events that occurred together (same exporter, other exporters).
        alone: pairs that independence would give.
    """

    year: float
    exporter: float
    pairs: tuple[int, int]
    alone: tuple[float, float]


def fit_correlation(panel: pl.DataFrame, chances: Floats) -> Correlation:
    """Return the correlations that give as many pairs of events as were seen.

    Args:
        panel: exposed cells with exporter, year and event.
        chances: (n,) chance of each cell by itself; scaled to the number of events that came.
    """
    order = np.lexsort((panel["item"].to_numpy(), panel["exporter"].to_numpy(), panel["year"].to_numpy()))
    event = panel["event"].to_numpy()[order].astype(np.float64)
    chance = chances[order] * event.sum() / max(float(np.sort(chances).sum()), 1e-300)
    year = panel["year"].to_numpy()[order]
    _, years = np.unique(year, return_inverse=True)
    _, groups = np.unique(
        np.array([f"{e}|{y}" for e, y in zip(panel["exporter"].to_numpy()[order], year, strict=True)]),
        return_inverse=True,
    )
    threshold = ndtri(np.clip(chance, 1e-9, 1 - 1e-9))

    def seen(place: NDArray[np.int64]) -> float:
        n = np.bincount(place, event)
        return float((n * (n - 1) / 2).sum())

    def expected(place: NDArray[np.int64], rho: float) -> float:
        inside = ndtr((threshold[:, None] - np.sqrt(rho) * _NODES) / np.sqrt(1 - rho))
        total = 0.0
        for node, weight in enumerate(_CHANCES):
            p = inside[:, node]
            first, second = np.bincount(place, p), np.bincount(place, p * p)
            total += weight * float(((first**2 - second) / 2).sum())
        return total

    own_seen, own_alone = seen(groups), expected(groups, 0.0)
    other_seen = seen(years) - own_seen
    other_alone = expected(years, 0.0) - own_alone
    shared = _matched(lambda rho: expected(years, rho) - expected(groups, rho), other_seen)
    together = _matched(lambda rho: expected(groups, rho), own_seen)
    extra = max(0.0, together - shared)
    return Correlation(shared, extra, (int(own_seen), int(other_seen)), (own_alone, other_alone))


def _matched(pairs: object, wanted: float) -> float:
    """Return the correlation that gives the wanted number of pairs; 0 when fewer than chance came."""
    call = pairs
    assert callable(call)
    if wanted <= call(0.0):
        return 0.0
    if wanted >= call(MOST):
        return MOST
    return float(brentq(lambda rho: call(rho) - wanted, 0.0, MOST, xtol=1e-8))
