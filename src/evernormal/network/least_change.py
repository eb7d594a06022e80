"""The nearest non-negative point of a set of linear equations, in weighted least squares (equation E21).

Arrays in, arrays out; :mod:`evernormal.network.balance` gives them names and units.  The dual of the problem
is concave and piecewise quadratic in one price per equation, so a Newton method with line search ends
exactly; it starts from the prices of the problem without bounds, and when that fails from those of Clarabel,
then of PIQP.  An exact solve on the variables that no bound holds polishes the answer, so that the result
depends neither on the solver nor on its stopping rule.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from evernormal.errors import SolverError

__all__ = ["LeastChange", "least_change"]

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

NEWTON_ROUNDS = 100
POLISH_ROUNDS = 10
OPTIMAL = 1e-8
SMALL = 1e-6


@dataclass(frozen=True)
class LeastChange:
    """Answer of :func:`least_change`.

    Attributes:
        point: (N,) nearest point, exactly 0 where a bound binds.
        multipliers: (M,) price of each equation.
        optimality: largest violation of the optimality conditions, in units of sigma.
        infeasibility: (M,) what is left of each equation, as a fraction of its largest term.
        solver: ``projection`` when no bound binds, else the route that succeeded.
    """

    point: Floats
    multipliers: Floats
    optimality: float
    infeasibility: Floats
    solver: str


def least_change(
    start: Floats, sigma: Floats, matrix: sparse.csr_array, right: Floats, solver: str = "auto"
) -> LeastChange:
    """Minimise the sum of ``((x - start) / sigma)**2`` subject to ``matrix @ x = right`` and ``x >= 0``.

    Args:
        start: (N,) non-negative values, of order one.
        sigma: (N,) positive standard deviations.
        matrix: (M, N) coefficients; rows may be redundant.
        right: (M,) right sides.
        solver: ``auto`` (each in turn until one succeeds), ``newton``, ``clarabel`` or ``piqp``.

    Raises:
        SolverError: no solver gave a point that satisfies the optimality conditions.

    >>> answer = least_change(
    ...     np.array([2.0, 1.0]), np.ones(2), sparse.csr_array(np.array([[1.0, 1.0]])), np.array([1.0]))
    >>> answer.point.tolist()
    [1.0, 0.0]
    """
    problem = _Scaled.of(start, sigma, matrix, right)
    routes = {"newton": _projection, "clarabel": _clarabel, "piqp": _piqp}
    for name in routes if solver == "auto" else (solver,):
        price = routes[name](problem)
        found = None if price is None else problem.polish(problem.newton(price), name)
        if found is not None:
            return found
    raise SolverError(
        "no solver gave a point that satisfies the optimality conditions",
        where="balance",
        cure="Look for values that differ by more than twelve orders of magnitude.",
    )


@dataclass(frozen=True)
class _Scaled:
    """The problem in steps of one sigma: minimise |y|^2 / 2, matrix y = right, y >= lower."""

    start: Floats
    sigma: Floats
    matrix: sparse.csr_array
    right: Floats
    lower: Floats
    norms: Floats

    @classmethod
    def of(cls, start: Floats, sigma: Floats, matrix: sparse.csr_array, right: Floats) -> _Scaled:
        weighted = sparse.csr_array(matrix @ sparse.diags_array(sigma))
        norms = np.sqrt(np.asarray((weighted.multiply(weighted)).sum(axis=1)).ravel())
        norms = np.where(norms > 0, norms, 1.0)
        scaled = sparse.csr_array(sparse.diags_array(1.0 / norms) @ weighted)
        rest = (right - matrix @ start) / norms
        return cls(start, sigma, scaled, rest, -start / sigma, norms)

    def project(self, free: Booleans) -> tuple[Floats, Floats]:
        """Nearest point with the variables that are not free held at their bound, and the prices."""
        step = np.where(free, 0.0, self.lower)
        part = self.matrix[:, np.flatnonzero(free)]
        solve = _inverse((part @ part.T).toarray(), 1e-13)
        price = np.zeros(len(self.right))
        for _ in range(3):
            change = solve(self.right - self.matrix @ step)
            step[free] += part.T @ change
            price += change
        return step, price

    def newton(self, price: Floats) -> Floats:
        """Maximise the dual from ``price``: semismooth Newton with a line search."""
        value, step = self._dual(price)
        size = max(1.0, float(np.abs(self.right).max(initial=0.0)))
        before = np.inf
        for _ in range(NEWTON_ROUNDS):
            rest = self.right - self.matrix @ step
            left = float(np.abs(rest).max(initial=0.0)) / size
            if left <= 1e-14 or (left <= 1e-9 and left > 0.5 * before):
                break  # closed, or only rounding is left
            before = left
            part = self.matrix[:, np.flatnonzero(step > self.lower)]
            direction = np.linalg.solve((part @ part.T).toarray() + 1e-12 * np.eye(len(rest)), rest)
            length, slope = 1.0, float(rest @ direction)
            while length > 1e-12:
                better, moved = self._dual(price + length * direction)
                if better >= value + 1e-4 * length * slope:
                    break
                length /= 2.0
            else:
                break
            price, value, step = price + length * direction, better, moved
        return price

    def _dual(self, price: Floats) -> tuple[float, Floats]:
        """Dual objective at ``price`` and the steps that attain it."""
        pull = self.matrix.T @ price
        step = np.maximum(pull, self.lower)
        return float(self.right @ price + (0.5 * step * step - step * pull).sum()), step

    def polish(self, price: Floats, name: str) -> LeastChange | None:
        """Exact solution with the bounds that bind at ``price``; None when it is not optimal."""
        pull = self.matrix.T @ price
        free = pull > self.lower
        for _ in range(POLISH_ROUNDS):
            step, price = self.project(free)
            slack = 1e-12 * np.maximum(1.0, np.abs(self.lower))
            below = free & (step < self.lower - slack)
            wrong = ~free & (self.matrix.T @ price > self.lower + slack)
            if not below.any() and not wrong.any():
                break
            free = (free & ~below) | wrong
        label = "projection" if name == "newton" and free.all() else name
        answer = self.answer(step, price, free, label)
        good = answer.optimality <= OPTIMAL and (answer.infeasibility <= OPTIMAL).all()
        return answer if good else None

    def answer(self, step: Floats, price: Floats, free: Booleans, solver: str) -> LeastChange:
        """Undo the scaling, measure how well the optimality conditions hold."""
        push = step - self.matrix.T @ price
        size = np.maximum(1.0, np.abs(step))
        dual = np.where(free, np.abs(push), np.maximum(-push, 0.0)) / size
        primal = np.maximum(self.lower - step, 0.0) / size
        point = np.where(free, np.maximum(self.start + self.sigma * step, 0.0), 0.0)
        terms = abs(self.matrix).multiply((point / self.sigma)[None, :]).max(axis=1).toarray().ravel()
        rest = np.abs(self.matrix @ step - self.right) / np.maximum(terms, SMALL / self.norms)
        worst = max(float(dual.max(initial=0.0)), float(primal.max(initial=0.0)))
        return LeastChange(point, price, worst, rest, solver)


def _inverse(gram: Floats, cut: float) -> Callable[[Floats], Floats]:
    """Multiplication by the pseudo-inverse of a symmetric matrix."""
    values, vectors = np.linalg.eigh(gram)
    kept = values > cut * max(float(values.max(initial=0.0)), 1e-300)
    vectors, values = vectors[:, kept], values[kept]
    return lambda right: vectors @ ((vectors.T @ right) / values)


def _projection(problem: _Scaled) -> Floats:
    """Prices of the problem without bounds."""
    return problem.project(np.ones(len(problem.lower), dtype=bool))[1]


def _clarabel(problem: _Scaled) -> Floats | None:
    import clarabel  # noqa: PLC0415  heavy, and only needed when Newton fails

    count = len(problem.lower)
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.max_threads = 1
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-11
    rows = sparse.csc_matrix(sparse.vstack([problem.matrix, -sparse.eye_array(count)]))
    cones = [clarabel.ZeroConeT(len(problem.right)), clarabel.NonnegativeConeT(count)]
    solution = clarabel.DefaultSolver(
        sparse.csc_matrix(sparse.eye_array(count)),
        np.zeros(count),
        rows,
        np.concatenate([problem.right, -problem.lower]),
        cones,
        settings,
    ).solve()
    good = str(solution.status) in {"Solved", "AlmostSolved", "InsufficientProgress"}
    return -np.asarray(solution.z)[: len(problem.right)] if good else None


def _piqp(problem: _Scaled) -> Floats | None:
    import piqp  # noqa: PLC0415  heavy, and only needed when Newton fails

    count = len(problem.lower)
    solver = piqp.SparseSolver()
    solver.settings.eps_abs = solver.settings.eps_rel = 1e-10
    solver.settings.max_iter = 500
    solver.setup(
        sparse.csc_matrix(sparse.eye_array(count)),
        np.zeros(count),
        sparse.csc_matrix(problem.matrix),
        problem.right,
        None,
        None,
        None,
        problem.lower,
        np.full(count, np.inf),
    )
    status = solver.solve()
    good = status in {piqp.PIQP_SOLVED, piqp.PIQP_MAX_ITER_REACHED}
    return -np.asarray(solver.result.y) if good else None
