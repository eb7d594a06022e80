"""Convex quadratic programs: one form, independent solvers, no status believed without a check.

A program is ``min 1/2 x'Px + c'x`` subject to ``Ax = b``, ``Gx <= h`` and ``lower <= x <= upper``, with
quantities scaled to order one by whoever builds it.  Programs that are laid out by month go first to
Newton's method on their dual (:mod:`evernormal.market.dual_newton`), everything else and whatever it does not
settle to PIQP (Schwan and others 2023, proximal interior point), with Clarabel (Goulart and Chen 2024,
homogeneous embedding) as the second opinion.  All return primal and dual values; the Karush-Kuhn-Tucker
residual is recomputed here from the data, so a wrong status cannot pass.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from evernormal.errors import InfeasibleError, SolverError
from evernormal.market.dual_newton import BandedDual, newton

__all__ = ["QuadraticProgram", "Solution", "SolverName", "kkt_residual", "solve"]

Floats = NDArray[np.float64]
SolverName = Literal["newton", "piqp", "clarabel"]

ACCEPTED_RESIDUAL = 1e-6
"""Largest scaled KKT residual that counts as solved (quantities are of order one)."""


@dataclass(frozen=True)
class QuadraticProgram:
    """``min 1/2 x'Px + c'x``, ``Ax = b``, ``Gx <= h``, ``lower <= x <= upper``.

    Attributes:
        quadratic: (n, n) symmetric positive semidefinite, sparse.
        linear: (n,).
        equality: (m, n) sparse.
        equality_rhs: (m,).
        lower: (n,), may hold ``-inf``.
        upper: (n,), may hold ``inf``.
        inequality: (k, n) sparse, or ``None``.
        inequality_rhs: (k,), or ``None``.
        months: when the equality rows come cell by cell, so many months each; 0 when they do not.
    """

    quadratic: sparse.csc_matrix
    linear: Floats
    equality: sparse.csc_matrix
    equality_rhs: Floats
    lower: Floats
    upper: Floats
    inequality: sparse.csc_matrix | None = None
    inequality_rhs: Floats | None = None
    months: int = 0


@dataclass(frozen=True)
class Solution:
    """Primal point, dual values and how good they are.

    Attributes:
        x: (n,) primal point.
        price: (m,) derivative of the optimal cost with respect to ``equality_rhs`` (marginal cost of one
            more unit required by the row).
        shadow: (k,) non-negative multipliers of the inequality rows.
        residual: largest scaled KKT violation, recomputed from the program with unit curvature.
        solver: which solver answered.
        iterations: its iterations.
    """

    x: Floats
    price: Floats
    shadow: Floats
    residual: float
    solver: str
    iterations: int


def solve(
    program: QuadraticProgram,
    *,
    solver: SolverName = "piqp",
    tolerance: float = 1e-12,
    fallback: bool = True,
    start: Floats | None = None,
) -> Solution:
    """Solve a convex quadratic program and check the answer.

    Args:
        program: the program, scaled so that typical quantities are of order one.
        solver: which solver is asked first.
        tolerance: accuracy asked of the solver.
        fallback: ask the others when the first fails; if both interior-point solvers find no feasible point
            the program is infeasible.
        start: (m,) prices from which Newton's method starts, such as those of a neighbouring program.

    Raises:
        InfeasibleError: both interior-point solvers say that no point obeys the constraints, or that nothing
            bounds the objective.
        SolverError: no solver returned a point whose recomputed residual is acceptable.

    Example:
        The point of ``x + y = 1`` nearest to the origin is (0.5, 0.5), and one more unit costs 0.5:

        >>> import numpy as np
        >>> from scipy import sparse
        >>> program = QuadraticProgram(
        ...     sparse.eye_array(2, format="csc"), np.zeros(2), sparse.csc_array([[1.0, 1.0]]),
        ...     np.ones(1), np.zeros(2), np.full(2, np.inf))
        >>> answer = solve(program)
        >>> [round(float(v), 6) for v in (*answer.x, *answer.price)]
        [0.5, 0.5, 0.5]
    """
    if (program.lower > program.upper).any():
        where = int(np.argmax(program.lower - program.upper))
        raise InfeasibleError(
            f"variable {where} has lower bound {program.lower[where]:.4g} above {program.upper[where]:.4g}"
        )
    order: list[SolverName] = [solver]
    if fallback:
        order += [name for name in ("piqp", "clarabel") if name != solver]
    statuses: list[str] = []
    scaled, width = _equilibrated(program)
    for name in order:
        status, solution = _ask(name, scaled, tolerance, start)
        if solution is not None and solution.residual <= ACCEPTED_RESIDUAL:
            return replace(solution, x=np.clip(solution.x * width, program.lower, program.upper))
        statuses.append(f"{name}: {status}")
    said = [s for s in statuses if not s.startswith("newton")]
    if said and all("infeasible" in s.lower() and "dual" not in s.lower() for s in said):
        raise InfeasibleError("no point obeys every constraint (" + "; ".join(statuses) + ")")
    if said and all("dual" in s.lower() and "infeasible" in s.lower() for s in said):
        raise InfeasibleError(
            "the program is unbounded: some plan earns without limit (" + "; ".join(said) + ")",
            cure="Give supply or demand a slope, or bound the quantities.",
        )
    raise SolverError(
        "no solver returned a proven answer (" + "; ".join(statuses) + ")",
        cure="Check the scale of quantities and the bounds of the measures.",
    )


def _ask(
    name: SolverName, scaled: QuadraticProgram, tolerance: float, start: Floats | None
) -> tuple[str, Solution | None]:
    if name == "newton":
        return _newton(scaled, start)
    return (_piqp if name == "piqp" else _clarabel)(scaled, tolerance)


def _newton(program: QuadraticProgram, start: Floats | None) -> tuple[str, Solution | None]:
    """Newton's method on the dual of a program with unit curvature that is laid out by month."""
    if program.inequality is not None or not program.months:
        return "not a program of months", None
    band = BandedDual.of(program.equality, program.months)
    if band is None:
        return "balances are coupled too widely", None
    found = newton(
        program.equality,
        program.equality_rhs,
        program.linear,
        program.lower,
        program.upper,
        band,
        start=start,
    )
    if found is None:
        return "did not settle", None
    plan, price, iterations = found
    return "solved", _checked(program, plan, price, np.zeros(0), "newton", iterations)


def _equilibrated(program: QuadraticProgram) -> tuple[QuadraticProgram, Floats]:
    """Give every variable with curvature the curvature 1: small traders are solved as exactly as large ones.

    Returns the program in ``y = x / width`` and ``width``; the dual values of the rows stay as they are.
    """
    curvature = program.quadratic.diagonal()
    width = np.where(curvature > 0, 1.0 / np.sqrt(np.where(curvature > 0, curvature, 1.0)), 1.0)
    stretch = sparse.diags_array(width, format="csc")
    inequality = None if program.inequality is None else sparse.csc_matrix(program.inequality @ stretch)
    scaled = QuadraticProgram(
        sparse.csc_matrix(stretch @ program.quadratic @ stretch),
        program.linear * width,
        sparse.csc_matrix(program.equality @ stretch),
        program.equality_rhs,
        program.lower / width,
        program.upper / width,
        inequality,
        program.inequality_rhs,
        program.months,
    )
    return scaled, width


def _piqp(program: QuadraticProgram, tolerance: float) -> tuple[str, Solution | None]:
    import piqp  # noqa: PLC0415 - loaded when a program is solved

    solver: Any = piqp.SparseSolver()
    settings = solver.settings
    settings.eps_abs = tolerance
    settings.eps_rel = tolerance
    settings.eps_duality_gap_abs = tolerance
    settings.eps_duality_gap_rel = tolerance
    settings.max_iter = 300
    inequality: dict[str, Any] = {}
    if program.inequality is not None:
        inequality = {"G": sparse.csc_matrix(program.inequality), "h_u": program.inequality_rhs}
    solver.setup(
        sparse.csc_matrix(sparse.triu(program.quadratic)),
        program.linear,
        sparse.csc_matrix(program.equality),
        program.equality_rhs,
        x_l=program.lower,
        x_u=program.upper,
        **inequality,
    )
    status = solver.solve()
    result = solver.result
    rows = 0 if program.inequality is None else program.inequality.shape[0]
    shadow = np.asarray(result.z_u)[:rows] if rows else np.zeros(0)
    solution = _checked(
        program, np.array(result.x), -np.array(result.y), np.array(shadow), "piqp", int(result.info.iter)
    )
    return str(status), solution


def _clarabel(program: QuadraticProgram, tolerance: float) -> tuple[str, Solution | None]:
    import clarabel  # noqa: PLC0415

    n = len(program.linear)
    lower, upper = np.isfinite(program.lower), np.isfinite(program.upper)
    eye = sparse.eye_array(n, format="csr")
    blocks = [program.equality]
    rhs = [program.equality_rhs]
    rows = 0
    if program.inequality is not None and program.inequality_rhs is not None:
        rows = program.inequality.shape[0]
        blocks.append(program.inequality)
        rhs.append(program.inequality_rhs)
    blocks += [-eye[lower], eye[upper]]
    rhs += [-program.lower[lower], program.upper[upper]]
    equalities = program.equality.shape[0]
    stacked = sparse.csc_matrix(sparse.vstack(blocks))
    cones = [clarabel.ZeroConeT(equalities), clarabel.NonnegativeConeT(stacked.shape[0] - equalities)]
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_feas = settings.tol_gap_abs = settings.tol_gap_rel = max(tolerance, 1e-11)
    settings.max_iter = 500
    settings.max_threads = 1
    quadratic = sparse.csc_matrix(sparse.triu(program.quadratic))
    answer = clarabel.DefaultSolver(
        quadratic, program.linear, stacked, np.concatenate(rhs), cones, settings
    ).solve()
    dual = np.array(answer.z)
    solution = _checked(
        program,
        np.array(answer.x),
        -dual[:equalities],
        dual[equalities : equalities + rows],
        "clarabel",
        int(answer.iterations),
    )
    return str(answer.status), solution


def _checked(
    program: QuadraticProgram, x: Floats, price: Floats, shadow: Floats, name: str, iterations: int
) -> Solution | None:
    if x.shape != program.linear.shape or not (np.isfinite(x).all() and np.isfinite(price).all()):
        return None
    x = np.clip(x, program.lower, program.upper)
    residual = kkt_residual(program, x, price, shadow)
    return Solution(x, price, shadow, residual, name, iterations)


def kkt_residual(program: QuadraticProgram, x: Floats, price: Floats, shadow: Floats) -> float:
    """Return the largest violation of the Karush-Kuhn-Tucker conditions, scaled by the size of the data.

    Reduced costs must vanish inside the bounds, be non-negative at a lower and non-positive at an upper
    bound; a reduced cost times its distance to the bound counts as complementarity.
    """
    reduced = program.quadratic @ x + program.linear - program.equality.T @ price
    worst = _largest(program.equality @ x - program.equality_rhs)
    if program.inequality is not None and program.inequality_rhs is not None:
        slack = program.inequality_rhs - program.inequality @ x
        reduced = reduced + program.inequality.T @ shadow
        worst = max(worst, _largest(np.minimum(slack, 0.0)), _largest(np.minimum(shadow, 0.0)))
        worst = max(worst, _largest(np.minimum(np.abs(slack), np.abs(shadow))))
    above = np.where(np.isfinite(program.lower), x - program.lower, np.inf)
    below = np.where(np.isfinite(program.upper), program.upper - x, np.inf)
    gap = np.where(reduced > 0, np.minimum(reduced, above), np.minimum(-reduced, below))
    scale = 1.0 + _largest(program.linear)
    return float(max(worst, _largest(gap) / scale))


def _largest(values: Floats) -> float:
    return float(np.max(np.abs(values))) if values.size else 0.0
