"""Newton's method on the convex dual of a market program: the fast path of the draws.

With unit curvature (see :func:`evernormal.market.solver.solve`) the best plan for given prices is known in
closed form, ``x(p) = clip(A'p - c, lower, upper)``, so the dual is a concave, piecewise quadratic function of
the prices alone: one price per balance.  Its generalized Hessian is ``A_F A_F'`` over the variables between
their bounds, banded when rows are ordered by month, and factorized in the time of a few sparse products.

The method is the semismooth Newton method of Qi and Sun (1993, Mathematical Programming 58:353-367) with a
line search on the dual.  It gives up rather than return a point that is not proven: the caller then asks
another solver.

A neighbouring program helps most through its *active set*: which of its variables stood at which bound.
Prices that are optimal for that set under the data of the program at hand (one linear system) are a better
start than the neighbour's prices, because prices near a kink move with the data while the set does not (the
critical regions of parametric programming, Bemporad and others 2002, Automatica 38:3-20).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

__all__ = ["ActiveSet", "BandedDual", "active_set", "newton", "prices_of_active_set"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
ActiveSet = NDArray[np.int8]
"""(n,) where a variable stands: -1 at its lower bound, 1 at its upper, 0 between."""

WIDEST_BAND = 400
MOST_ITERATIONS = 200
SEARCHES = 30
SLOPE_LEFT = 0.1
"""A step length is good when this fraction of the dual's first slope along the direction is left at most."""
RIDGE = 1e-9
"""Added to the Hessian's diagonal (rows are scaled to order one): idle balances do not stop the step."""


@dataclass(frozen=True)
class BandedDual:
    """What stays while bounds and prices change: where each pair of entries of a column lands in the band.

    Attributes:
        order: (m,) row of the program at each place of the banded order.
        width: bandwidth.
        place: flat index into the band of every pair of entries, as LAPACK stores it, rising.
        column: variable of every pair.
        first: index of the first entry of every pair in the data of the matrix.
        second: index of the second.
        product: product of the two entries.
    """

    order: Integers
    width: int
    place: Integers
    column: Integers
    first: Integers
    second: Integers
    product: Floats

    @classmethod
    def of(cls, equality: sparse.csc_matrix, months: int) -> BandedDual | None:
        """Order the rows of ``equality`` by month (they come cell by cell) and lay out the band.

        Returns:
            None when rows are coupled too widely for a band to pay.
        """
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
        place = low * (width + 1) + (high - low)
        by_place = np.argsort(place, kind="stable")
        first, second, column = first[by_place], second[by_place], column[by_place]
        product = equality.data[first] * equality.data[second]
        return cls(order, width, place[by_place], column, first, second, product)

    def with_data(self, data: Floats) -> BandedDual:
        """Return the same layout for a matrix of the same pattern with other entries."""
        return replace(self, product=data[self.first] * data[self.second])

    def hessian(self, free: NDArray[np.bool_], rows: int) -> Floats:
        """Return ``A_F A_F'`` in lower banded form (width + 1, m), column by column, with a small ridge."""
        weights = self.product * free[self.column]
        flat = np.bincount(self.place, weights=weights, minlength=(self.width + 1) * rows)
        band = np.asarray(flat, dtype=np.float64).reshape(rows, self.width + 1).T
        band[0] += RIDGE
        return band


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
    transposed = _transposed(equality)
    price = np.zeros(len(rhs)) if start is None or start.shape != rhs.shape else start
    wanted = transposed @ price - cost
    for iteration in range(1, MOST_ITERATIONS + 1):
        plan = np.minimum(np.maximum(wanted, lower), upper)
        gap = rhs - equality @ plan
        if np.abs(gap).max(initial=0.0) <= tolerance:
            wanted = transposed @ price - cost  # from the prices alone, so that no rounding has piled up
            plan = np.minimum(np.maximum(wanted, lower), upper)
            gap = rhs - equality @ plan
            if np.abs(gap).max(initial=0.0) <= tolerance:
                return plan, price, iteration
        step = _solved(band, (wanted > lower) & (wanted < upper), gap)
        if step is None:
            return None
        turned = transposed @ step
        length = _length(wanted, turned, lower, upper, float(rhs @ step), float(gap @ step))
        if length <= 0.0:
            return None
        price = price + length * step
        wanted = wanted + length * turned
    return None


def _transposed(equality: sparse.csc_matrix) -> sparse.csr_matrix:
    """Return the transpose on the same arrays: the columns of the one are the rows of the other."""
    parts = (equality.data, equality.indices, equality.indptr)
    return sparse.csr_matrix(parts, shape=(equality.shape[1], equality.shape[0]), copy=False)


def active_set(
    equality: sparse.csc_matrix, cost: Floats, lower: Floats, upper: Floats, price: Floats
) -> ActiveSet:
    """Return where every variable stands at given prices."""
    wanted = _transposed(equality) @ price - cost
    return np.asarray((wanted >= upper).astype(np.int8) - (wanted <= lower).astype(np.int8))


def prices_of_active_set(
    equality: sparse.csc_matrix,
    rhs: Floats,
    cost: Floats,
    lower: Floats,
    upper: Floats,
    band: BandedDual,
    standing: ActiveSet,
) -> Floats | None:
    """Return the prices that close every balance when each variable stands where ``standing`` says.

    These are the optimal prices of every program with that active set; of a neighbour they are a good start.
    None when the set is not one of this program (an infinite bound) or leaves a balance without a price.
    """
    bound = np.where(standing < 0, lower, np.where(standing > 0, upper, 0.0))
    if not np.isfinite(bound).all():
        return None
    free = standing == 0
    return _solved(band, free, rhs - equality @ (bound - np.where(free, cost, 0.0)))


def _length(
    wanted: Floats, turned: Floats, lower: Floats, upper: Floats, level: float, first: float
) -> float:
    """Good step length along a direction, by the Illinois method on the falling slope of the dual.

    The slope at length a is ``b'd - x(a)'A'd``, ``first`` at 0; the full step is kept while the dual still
    rises there.
    """

    def slope(length: float) -> float:
        moved = length * turned
        moved += wanted
        np.maximum(moved, lower, out=moved)
        np.minimum(moved, upper, out=moved)
        return level - float(moved @ turned)

    left, right = 0.0, 1.0
    at_left, at_right = first, slope(1.0)
    if at_left <= 0.0:
        return 0.0
    if at_right >= -SLOPE_LEFT * first:
        return 1.0
    for _ in range(SEARCHES):
        middle = (left * at_right - right * at_left) / (at_right - at_left)
        value = slope(middle)
        if abs(value) <= SLOPE_LEFT * first:
            return middle
        if value > 0:
            left, at_left, at_right = middle, value, at_right / 2
        else:
            right, at_right, at_left = middle, value, at_left / 2
    return left if left > 0 else middle


def _solved(band: BandedDual, free: NDArray[np.bool_], right: Floats) -> Floats | None:
    """Solve ``A_F A_F' p = right``; None when the factorization breaks down."""
    factor, failed = linalg.lapack.dpbtrf(band.hessian(free, len(right)), lower=1, overwrite_ab=1)
    if failed:
        return None
    turned, failed = linalg.lapack.dpbtrs(factor, right[band.order], lower=1, overwrite_b=1)
    if failed:
        return None
    solved = np.empty_like(right)
    solved[band.order] = turned
    return solved
