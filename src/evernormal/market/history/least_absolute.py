"""Least absolute deviations: the weighted median regression behind the reduced form."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evernormal.errors import SolverError

__all__ = ["least_absolute"]

Floats = NDArray[np.float64]

SMOOTHING = 1e-3
"""Residuals below this count as this: the kink of the absolute value is rounded off."""

BLOCK = 4096
"""Rows at a time."""

RIDGE = 1e-6
"""Share of the mean diagonal that is added to it, so that columns that never vary stop no fit."""


def least_absolute(
    matrix: Floats,
    target: Floats,
    weight: Floats,
    start: Floats | None = None,
    *,
    most: int = 60,
    tolerance: float = 5e-6,
) -> Floats:
    r"""Return the coefficients that minimise the weighted sum of absolute residuals (equation E65).

    Iteratively reweighted least squares (Schlossmacher 1973, Journal of the American Statistical Association
    68:857-859): each round weights a row by one over its last residual.

    Args:
        matrix: (n, K).
        target: (n,).
        weight: (n,) at least 0.
        start: (K,) coefficients to start from; least squares when omitted.
        most: most rounds.
        tolerance: relative fall of the sum in one round at which it stops.

    Raises:
        SolverError: the coefficients are not finite.

    Example:
        The median does not follow an outlier:

        >>> import numpy as np
        >>> fit = least_absolute(np.ones((5, 1)), np.array([1.0, 2.0, 3.0, 4.0, 100.0]), np.ones(5))
        >>> round(float(fit[0]), 2)
        3.0
    """
    beta = _weighted(matrix, target, weight, None) if start is None else start
    last = np.inf
    for _ in range(most):
        beta_before = beta
        beta = _weighted(matrix, target, weight, beta)
        error = float(weight @ np.abs(target - matrix @ beta_before))
        if last - error < tolerance * error:
            break
        last = error
    if not np.isfinite(beta).all():
        raise SolverError("the regression has no finite answer", cure="Give more episodes or more years.")
    return beta


def _weighted(matrix: Floats, target: Floats, weight: Floats, beta: Floats | None) -> Floats:
    """Solve one weighted least squares problem, block by block so that a block stays in the cache."""
    terms = matrix.shape[1]
    gram, right = np.zeros((terms, terms)), np.zeros(terms)
    for first in range(0, len(target), BLOCK):
        rows = slice(first, first + BLOCK)
        part, wanted, own = matrix[rows], target[rows], weight[rows]
        if beta is not None:
            own = own / np.maximum(np.abs(wanted - part @ beta), SMOOTHING)
        scaled = part * own[:, None]
        gram += scaled.T @ part
        right += scaled.T @ wanted
    gram[np.diag_indices_from(gram)] += RIDGE * np.trace(gram) / terms + 1e-300
    return np.asarray(np.linalg.solve(gram, right))
