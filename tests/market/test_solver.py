"""The solver wrapper: two independent solvers, statuses never believed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from evernormal.errors import InfeasibleError, SolverError
from evernormal.market import solver
from evernormal.market.solver import QuadraticProgram, kkt_residual, solve


def program(upper: float = 10.0, rhs: float = 3.0) -> QuadraticProgram:
    """Three variables that must add up to ``rhs`` with x0 + x1 <= 1: by hand x = (0.5, 0.5, 2) for rhs 3."""
    return QuadraticProgram(
        sparse.eye_array(3, format="csc"),
        np.zeros(3),
        sparse.csc_array(np.ones((1, 3))),
        np.array([rhs]),
        np.zeros(3),
        np.full(3, upper),
        sparse.csc_array([[1.0, 1.0, 0.0]]),
        np.array([1.0]),
    )


@pytest.mark.parametrize("name", ["piqp", "clarabel"])
def test_solution_and_duals_by_hand(name: str) -> None:
    answer = solve(program(), solver=name)
    assert answer.x == pytest.approx([0.5, 0.5, 2.0], abs=1e-7)
    assert answer.price == pytest.approx([2.0], abs=1e-6)
    assert answer.shadow == pytest.approx([1.5], abs=1e-6)
    assert answer.residual < 1e-7


@pytest.mark.parametrize("name", ["piqp", "clarabel"])
def test_infeasible_is_said_by_both(name: str) -> None:
    with pytest.raises(InfeasibleError):
        solve(program(upper=0.5), solver=name)


def test_crossed_bounds_are_named() -> None:
    wrong = program()
    wrong.lower[1] = 11.0
    with pytest.raises(InfeasibleError, match="variable 1"):
        solve(wrong)


def test_a_wrong_status_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """A solver that says solved but returns a wrong point is overruled by the other one."""

    def lying(given: QuadraticProgram, tolerance: float) -> tuple[str, solver.Solution]:
        x, price, shadow = np.array([1.0, 1.0, 1.0]), np.zeros(1), np.zeros(1)
        return "solved", solver.Solution(x, price, shadow, kkt_residual(given, x, price, shadow), "piqp", 1)

    monkeypatch.setattr(solver, "_piqp", lying)
    assert solve(program()).solver == "clarabel"
    with pytest.raises(SolverError, match="proven"):
        solve(program(), fallback=False)
