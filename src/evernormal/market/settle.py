"""Settle one assembled program: Newton's method on the dual straight on the arrays, else the other solvers.

The answer carries its active set, from which a neighbouring program starts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evernormal.market.dual_newton import ActiveSet, active_set, newton, prices_of_active_set
from evernormal.market.program import Assembled
from evernormal.market.solver import Solution, SolverName, solve

__all__ = ["Settled", "settle"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Settled:
    """A proven solution and where its variables stand (None when another solver than Newton's answered)."""

    solution: Solution
    standing: ActiveSet | None


def settle(assembled: Assembled, *, solver: SolverName = "newton", start: ActiveSet | None = None) -> Settled:
    """Return the equilibrium of a program.

    Newton's method works on variables of unit curvature, so its plan is optimal for its prices by
    construction and the gap of the balances is the whole residual; what it does not settle, and quotas, go
    to :func:`evernormal.market.solver.solve`.

    Args:
        solver: which solver is asked first.
        start: active set of a neighbouring program of the same pattern.

    Raises:
        InfeasibleError: no point obeys the constraints.
        SolverError: no proven answer.
    """
    if solver == "newton":
        settled = _by_newton(assembled, start)
        if settled is not None:
            return settled
        if assembled.quotas is None:
            return Settled(solve(assembled.program, solver="piqp"), None)
    return Settled(solve(assembled.program, solver=solver), None)


def _by_newton(assembled: Assembled, start: ActiveSet | None) -> Settled | None:
    band = assembled.layout.band
    lower, upper, curvature = assembled.lower, assembled.upper, assembled.curvature
    if assembled.quotas is not None or band is None or (lower > upper).any() or (curvature <= 0).any():
        return None
    width = 1.0 / np.sqrt(curvature)
    equality = assembled.layout.stretched(assembled.entries, width)
    band = band.with_data(equality.data)
    cost, low, high = assembled.linear * width, lower / width, upper / width
    prices = None
    if start is not None and start.shape == cost.shape:
        prices = prices_of_active_set(equality, assembled.rhs, cost, low, high, band, start)
    found = newton(equality, assembled.rhs, cost, low, high, band, start=prices)
    if found is None and prices is not None:
        found = newton(equality, assembled.rhs, cost, low, high, band)
    if found is None:
        return None
    plan, price, iterations = found
    residual = float(np.abs(assembled.rhs - equality @ plan).max(initial=0.0))
    x = np.clip(plan * width, lower, upper)
    solution = Solution(x, price, np.zeros(0), residual, "newton", iterations)
    return Settled(solution, active_set(equality, cost, low, high, price))
