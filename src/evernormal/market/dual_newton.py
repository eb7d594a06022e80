"""Newton's method on the convex dual of a market program: the fast path of the draws.

With unit curvature (see :func:`evernormal.market.solver.solve`) the best plan for given prices is known in
closed form, ``x(p) = clip(A'p - c, lower, upper)``, so the dual is a concave, piecewise quadratic function of
the prices alone: one price per balance.  Its generalized Hessian is ``A_F A_F'`` over the variables between
their bounds, banded when rows are ordered by month, and factorized in the time of a few sparse products.

The method is the semismooth Newton method of Qi and Sun (1993, Mathematical Programming 58:353-367) with a
line search on the dual.  It gives up rather than return a point that is not proven: the caller then asks
another solver.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

__all__ = ["BandedDual", "newton"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

WIDEST_BAND = 400
MOST_ITERATIONS = 200
SEARCHES = 30
RIDGE = 1e-9
"""Added to the Hessian's diagonal (rows are scaled to order one): idle balances do not stop the step."""


@dataclass(frozen=True)
class BandedDual:
    """What stays while bounds and prices change: where each pair of entries of a column lands in the band.

    Attributes:
        order: (m,) row of the program at each place of the banded order.
        width: bandwidth.
        place: flat index into the band of every pair of entries.
        column: variable of every pair.
        product: product of the two entries.
    """

    order: Integers
    width: int
    place: Integers
    column: Integers
    product: Floats

    @classmethod
    def of(cls, equality: sparse.csc_matrix, months: int) -> BandedDual | None:
        """Order the rows of ``equality`` by month (they come cell by cell) and lay out the band."""
        m = equality.shape[0]
        rows = np.arange(m)
        position = (rows % months) * (m // months) + rows // months
        starts, counts = equality.indptr[:-1], np.diff(equality.indptr)
        first, second, column = _pairs(starts, counts)
        one, two = position[equality.indices[first]], position[equality.indices[second]]
        low, high = np.minimum(one, two), np.maximum(one, two)
        width = int((high - low).max(initial=0))
        if width > WIDEST_BAND:
            return None
        order = np.empty(m, dtype=np.int64)
        order[position] = rows
        product = equality.data[first] * equality.data[second]
        return cls(order, width, (high - low) * m + low, column, product)

    def hessian(self, free: NDArray[np.bool_], rows: int) -> Floats:
        """Return ``A_F A_F'`` in lower banded form, with a small ridge."""
        weights = self.product * free[self.column]
        size = (self.width + 1) * rows
        band = np.bincount(self.place, weights=weights, minlength=size).reshape(self.width + 1, rows)
        band[0] += RIDGE
        return np.asarray(band, dtype=np.float64)


def _pairs(starts: Integers, counts: Integers) -> tuple[Integers, Integers, Integers]:
    """Every unordered pair of entries of every column, an entry with itself included."""
    first, second, column = [], [], []
    for count in np.unique(counts):
        chosen = np.flatnonzero(counts == count)
        a, b = np.triu_indices(int(count))
        base = starts[chosen][:, None].astype(np.int64)
        first.append((base + a).reshape(-1))
        second.append((base + b).reshape(-1))
        column.append(np.repeat(chosen, len(a)))
    return np.concatenate(first), np.concatenate(second), np.concatenate(column)


def newton(
    equality: sparse.csc_matrix,
    rhs: Floats,
    cost: Floats,
    lower: Floats,
    upper: Floats,
    band: BandedDual,
    tolerance: float = 1e-10,
    start: Floats | None = None,
) -> tuple[Floats, Floats, int] | None:
    """Return plan, prices and iterations of ``min 1/2 x'x + c'x``, ``Ax = b``, bounds; None: not settled.

    Args:
        equality: (m, n) rows scaled to order one.
        rhs: (m,).
        cost: (n,).
        lower: (n,) finite or ``-inf``.
        upper: (n,) finite or ``inf``.
        band: layout of the Hessian.
        tolerance: largest gap of a balance that counts as closed.
        start: (m,) prices to start from; the base prices (0) when omitted or of another shape.
    """
    transposed = sparse.csr_matrix(equality.T)
    price = np.zeros(len(rhs)) if start is None or start.shape != rhs.shape else start
    wanted = transposed @ price - cost
    plan = np.clip(wanted, lower, upper)
    for iteration in range(1, MOST_ITERATIONS + 1):
        gap = rhs - equality @ plan
        if np.abs(gap).max(initial=0.0) <= tolerance:
            return plan, price, iteration
        free = (wanted > lower) & (wanted < upper)
        step = _newton_step(band, free, gap)
        if step is None:
            return None
        turned = transposed @ step
        length = _length(wanted, turned, lower, upper, float(rhs @ step))
        if length <= 0.0:
            return None
        price = price + length * step
        wanted = wanted + length * turned
        plan = np.clip(wanted, lower, upper)
    return None


def _length(wanted: Floats, turned: Floats, lower: Floats, upper: Floats, level: float) -> float:
    """Best step length along a direction, by the Illinois method on the falling slope of the dual.

    The slope at length a is ``b'd - x(a)'A'd``; the full step is kept while the dual still rises there.
    """

    def slope(length: float) -> float:
        return level - float(np.clip(wanted + length * turned, lower, upper) @ turned)

    left, right = 0.0, 1.0
    at_left, at_right = slope(0.0), slope(1.0)
    if at_right >= 0.0:
        return 1.0
    if at_left <= 0.0:
        return 0.0
    first = at_left
    for _ in range(SEARCHES):
        middle = (left * at_right - right * at_left) / (at_right - at_left)
        value = slope(middle)
        if abs(value) <= 0.05 * first:
            return middle
        if value > 0:
            left, at_left, at_right = middle, value, at_right / 2
        else:
            right, at_right, at_left = middle, value, at_left / 2
    return left if left > 0 else middle


def _newton_step(band: BandedDual, free: NDArray[np.bool_], gap: Floats) -> Floats | None:
    try:
        factor = linalg.cholesky_banded(
            band.hessian(free, len(gap)), lower=True, overwrite_ab=True, check_finite=False
        )
    except linalg.LinAlgError:
        return None
    step = np.empty_like(gap)
    step[band.order] = linalg.cho_solve_banded((factor, True), gap[band.order], check_finite=False)
    return step
