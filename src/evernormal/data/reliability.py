"""How well a country reports its trade: how far its reports lie from those of its partners.

The idea is that of BACI (Gaulier and Zignago 2010): the distance between the two reports of a flow is
decomposed into parts of the two reporters, and the better reporter weighs more.  Here the parts are
variances, so that the weights are inverse variances and an interval follows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Reporting", "reporting_variances"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_ROUNDS = 500
_CLOSE = 1e-10
_LEAST = 1e-3
"""A variance is never below this part of the common one: no reporter is beyond doubt."""


@dataclass(frozen=True)
class Reporting:
    """What the distances tell about reporters.

    Attributes:
        variances: variance of the logarithm of each reporter's reports.
        common: variance that all reporters would share; what a reporter with few pairs is drawn to.
        rounds: rounds until nothing moved.
    """

    variances: Floats
    common: float
    rounds: int


def reporting_variances(
    exporters: Integers, importers: Integers, distances: Floats, reporters: int, prior_pairs: float
) -> Reporting:
    """Return the reporting variance of each country (equation E17).

    A distance between two reports of normal errors has the mean sqrt(2/pi) times the root of the sum of the
    two variances.  The variances are fitted to the absolute distances by weighted least squares, weights
    inverse to the variance of a distance, repeated until they fit their own weights; they are never
    negative.  As if each reporter had ``prior_pairs`` more pairs with an average partner and of average
    distance, few pairs draw a reporter to the common variance.

    Args:
        exporters: index of the exporter of each pair of reports.
        importers: index of the importer.
        distances: logarithm of the importer's over the exporter's report, transport costs taken out.
        reporters: number of reporters; each index is below it.
        prior_pairs: strength of the drawing to the common variance, in pairs; more than 0.

    Returns:
        The variances, in squared log points; all equal where no reporter can be told from another.

    >>> import numpy as np
    >>> same = reporting_variances(np.array([0, 1]), np.array([1, 0]), np.array([0.1, -0.1]), 2, 5.0)
    >>> bool(np.isclose(same.variances[0], same.variances[1])), round(same.common, 6)
    (True, 0.007854)
    """
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 - heavy

    absolute = np.abs(distances)
    common = math.pi / 4 * math.fsum(absolute.tolist()) ** 2 / max(1, absolute.size) ** 2
    if common == 0:
        return Reporting(np.zeros(reporters), 0.0, 0)
    variances = np.full(reporters, common)
    moved, rounds = 1.0, 0
    with threadpool_limits(1):  # many cores would add in another order (law 6)
        while moved > _CLOSE and rounds < _ROUNDS:
            following = _step(exporters, importers, absolute, variances, common, prior_pairs)
            moved = float(np.max(np.abs(following - variances))) / common
            variances = following
            rounds += 1
    return Reporting(variances, common, rounds)


def _step(
    exporters: Integers,
    importers: Integers,
    absolute: Floats,
    variances: Floats,
    common: float,
    prior_pairs: float,
) -> Floats:
    """Fit the variances once, with weights and a linear form taken at the present ones."""
    from scipy.optimize import nnls  # noqa: PLC0415 - heavy

    size = variances.size
    both = variances[exporters] + variances[importers]
    expected = np.sqrt(2 / math.pi * both)
    target = both * (2 * absolute / expected - 1)
    weight = 1 / both**2
    matrix = np.zeros((size, size))
    for left, right in ((exporters, exporters), (importers, importers), (exporters, importers)):
        part = np.bincount(left * size + right, weights=weight, minlength=size * size).reshape(size, size)
        matrix += part if left is right else part + part.T
    side: Floats = np.bincount(exporters, weights=weight * target, minlength=size).astype(np.float64)
    side = side + np.bincount(importers, weights=weight * target, minlength=size)
    average = variances + common  # a pair with an average partner, at the distance of two average reporters
    prior = prior_pairs / average**2
    matrix[np.diag_indices(size)] += prior
    side = side + prior * (average * (2 * np.sqrt(2 * common / average) - 1) - common)
    scale = float(np.mean(np.diag(matrix)))
    lower = np.linalg.cholesky(matrix / scale)
    fitted, _ = nnls(lower.T, np.linalg.solve(lower, side / scale), maxiter=100 * size)
    found: Floats = np.maximum(fitted, _LEAST * common)
    return 0.5 * (found + variances)
