"""Which assumption drives the answer: Sobol indices, or a moment-independent measure from the draws at
hand."""

from __future__ import annotations

import importlib
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evernormal.errors import InputError

__all__ = ["SENSITIVITIES", "SensitivityName", "borgonovo_delta", "sobol_indices", "sobol_points"]

Floats = NDArray[np.float64]
SensitivityName = Literal["delta", "sobol", "none"]

SENSITIVITIES: tuple[SensitivityName, ...] = ("delta", "sobol", "none")
RESAMPLES = 20
GRID = 100
CONFIDENCE = 0.95
NORMAL_95 = 1.959963984540054
ATOM_SHARE = 0.01
"""A value that this share of the draws has in common is a mass of its own, not part of a density."""


def borgonovo_delta(
    factors: ArrayLike, outcome: ArrayLike, rng: np.random.Generator, *, resamples: int = RESAMPLES
) -> dict[str, Floats]:
    """Return how far knowing a factor shifts the whole distribution of an outcome (equation E94).

    Half of the mean area between the density of the outcome and its density given the factor, 0 (the factor
    says nothing) to 1, estimated from any draws by classes of the factor (Plischke, Borgonovo and Smith
    2013), with their bootstrap reduction of bias.  Outcomes that many draws share, such as no loss at all,
    are masses of their own beside the density.

    Args:
        factors: (N, d) values of the factors.
        outcome: (N,) values of the outcome.
        rng: source of the bootstrap.
        resamples: bootstrap samples; 0 for the plain estimate.

    Returns:
        ``delta`` and ``first_order`` (share of the variance that the factor explains alone) and the
        half-widths of their 95 % intervals, each (d,).  All NaN when the outcome never varies.

    Raises:
        InputError: fewer than 50 draws, or an unknown value.

    Example:
        The first factor is the outcome, the second is noise.  The exact index is 1 and 0; so few draws, whose
        densities are smoothed, see 0.7 of it (SALib's estimate of the same draws is 0.71):

        >>> rng = np.random.default_rng(1)
        >>> x = rng.random((400, 2))
        >>> found = borgonovo_delta(x, x[:, 0], rng)
        >>> [round(float(delta), 2) for delta in found["delta"]]
        [0.7, 0.0]
    """
    x, y = np.asarray(factors, dtype=np.float64), np.asarray(outcome, dtype=np.float64)
    if len(y) < 50 or not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InputError("a sensitivity needs 50 draws or more, all known")
    names = ("delta", "delta_error", "first_order", "first_order_error")
    if np.ptp(y) == 0:
        return {name: np.full(x.shape[1], np.nan) for name in names}
    edges = _classes(len(y))
    plain = _both(x, y, edges)
    drawn = np.empty((resamples, 2, x.shape[1]))
    for n in range(resamples):
        chosen = rng.integers(len(y), size=len(y))
        drawn[n] = _both(x[chosen], y[chosen], edges)
    if not resamples:
        return dict(zip(names, (plain[0], 0 * plain[0], plain[1], 0 * plain[1]), strict=True))
    reduced = 2.0 * plain - drawn.mean(axis=0)
    error = NORMAL_95 * drawn.std(axis=0, ddof=1)
    delta, first = np.clip(reduced[0], 0.0, 1.0), np.clip(reduced[1], 0.0, 1.0)
    return dict(zip(names, (delta, error[0], first, error[1]), strict=True))


def _classes(count: int) -> Floats:
    """Edges of classes of equal size, as many as Plischke and others take for so many draws."""
    power = 2.0 / (7.0 + np.tanh((1500.0 - count) / 500.0))
    return np.linspace(0, count, int(np.round(min(int(np.ceil(count**power)), 48))) + 1)


def _both(x: Floats, y: Floats, edges: Floats) -> Floats:
    """(2, d) delta and first-order index of every factor."""
    atoms = _atoms(y)
    smooth = ~np.isin(y, atoms)
    grid = np.linspace(y[smooth].min(), y[smooth].max(), GRID) if np.ptp(y[smooth]) > 0 else None
    whole = _density(y[smooth], grid, len(y))
    masses = _masses(y, atoms)
    found = np.zeros((2, x.shape[1]))
    for d in range(x.shape[1]):
        rank = np.empty(len(y), dtype=np.int64)
        rank[np.argsort(x[:, d], kind="stable")] = np.arange(1, len(y) + 1)
        for left, right in pairwise(edges):
            inside = (rank > left) & (rank <= right)
            values = y[inside]
            part = values[smooth[inside]]
            area = float(np.abs(_masses(values, atoms) - masses).sum())
            if grid is not None:
                area += float(np.trapezoid(np.abs(whole - _density(part, grid, len(values))), grid))
            found[0, d] += area * len(values) / (2 * len(y))
            found[1, d] += (values.mean() - y.mean()) ** 2 * len(values) / len(y)
    found[1] /= y.var()
    return found


def _atoms(y: Floats) -> Floats:
    values, counts = np.unique(y, return_counts=True)
    return values[counts >= max(ATOM_SHARE * len(y), 3)]


def _masses(values: Floats, atoms: Floats) -> Floats:
    return np.array([(values == atom).mean() for atom in atoms])


def _density(values: Floats, grid: Floats | None, count: int) -> Floats:
    """Gaussian kernel density with Silverman's bandwidth, times the share of ``count`` that it stands for."""
    if grid is None:
        return np.zeros(GRID)
    if len(values) < 2 or np.ptp(values) == 0:
        return np.zeros(len(grid))
    width = values.std(ddof=1) * (len(values) * 0.75) ** -0.2
    away = (grid[:, None] - values[None, :]) / width
    return np.asarray(np.exp(-0.5 * away**2).sum(axis=1) / (width * np.sqrt(2 * np.pi) * count))


def sobol_points(dimension: int, draws: int, seed: int) -> Floats:
    """Return Saltelli's points of the unit cube: ``draws * (dimension + 2)`` rows (equation E93).

    Raises:
        InputError: ``draws`` is not a power of two, or SALib is not installed.
    """
    if draws < 2 or draws & (draws - 1):
        below = 1 << max(draws.bit_length() - 1, 1)
        raise InputError(
            f"Sobol indices need a power of two as the number of draws, got {draws}",
            cure=f"Write {below} or {2 * below}.",
        )
    sample, _ = _salib()
    problem = {"num_vars": dimension, "names": [f"x{n}" for n in range(dimension)]}
    problem["bounds"] = [[0.0, 1.0]] * dimension
    return np.asarray(sample.sample(problem, draws, calc_second_order=False, seed=seed), dtype=np.float64)


def sobol_indices(outcome: ArrayLike, dimension: int, seed: int) -> dict[str, Floats]:
    """Return first-order and total Sobol indices of an outcome at :func:`sobol_points` (equation E93).

    Args:
        outcome: values at all points, in their order.
        dimension: number of factors.
        seed: seed of the bootstrap.

    Returns:
        ``first_order``, ``total_order`` and the half-widths of their 95 % intervals, each (d,); all NaN when
        the outcome never varies.

    Raises:
        InputError: another number of values than points, an unknown value, or SALib is not installed.
    """
    y = np.asarray(outcome, dtype=np.float64)
    names = ("first_order", "first_order_error", "total_order", "total_order_error")
    if not len(y) or len(y) % (dimension + 2) or not np.isfinite(y).all():
        raise InputError(
            f"a Sobol analysis of {dimension} factors needs {dimension + 2} known values per draw"
        )
    if np.ptp(y) == 0:
        return {name: np.full(dimension, np.nan) for name in names}
    _, analyze = _salib()
    problem = {"num_vars": dimension, "names": [f"x{n}" for n in range(dimension)]}
    problem["bounds"] = [[0.0, 1.0]] * dimension
    found: dict[str, Any] = analyze.analyze(
        problem, y, calc_second_order=False, conf_level=CONFIDENCE, seed=1 + seed % (2**31 - 2)
    )  # SALib takes a seed of 0 for none
    columns = (found["S1"], found["S1_conf"], found["ST"], found["ST_conf"])
    return {name: np.asarray(column, dtype=np.float64) for name, column in zip(names, columns, strict=True)}


def _salib() -> tuple[Any, Any]:
    try:
        sample: Any = importlib.import_module("SALib.sample.sobol")
        analyze: Any = importlib.import_module("SALib.analyze.sobol")
    except ImportError as error:
        raise InputError(
            "Sobol indices need the package SALib", cure="Install it: pip install 'evernormal[sensitivity]'."
        ) from error
    return sample, analyze
