"""Input-output algebra on plain arrays: Leontief's inverse, limits on some sectors, the best allocation of
what is left, and what inputs that nothing replaces would stop.

Rows deliver and columns use, everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from evernormal.errors import InfeasibleError, InputError, LabelError, SolverError

__all__ = [
    "Limited",
    "best_allocation",
    "bottleneck",
    "coefficients",
    "ghosh_inverse",
    "leontief_inverse",
    "limited_output",
]

Floats = NDArray[np.float64]

ROUNDS = 200


def coefficients(transactions: npt.ArrayLike, output: npt.ArrayLike) -> Floats:
    """Return input per unit of output, zero in a sector without output (equation E150).

    >>> coefficients([[150, 500], [200, 100]], [1000, 2000]).tolist()
    [[0.15, 0.25], [0.2, 0.05]]
    """
    z, x = _square(transactions, output)
    return np.asarray(np.divide(z, x[None, :], out=np.zeros_like(z), where=x[None, :] > 0))


def leontief_inverse(transactions: npt.ArrayLike, output: npt.ArrayLike) -> Floats:
    """Return the output of every sector that one unit of final use of each takes (equation E150).

    Args:
        transactions: (n, n) deliveries from row to column.
        output: (n,) same unit.

    Raises:
        LabelError: the shapes do not fit.
        InfeasibleError: a set of sectors uses more than it makes, so that no inverse means anything.

    Miller and Blair 2009, section 2.3:

    >>> inverse = leontief_inverse([[150, 500], [200, 100]], [1000, 2000])
    >>> [round(float(x), 2) for x in inverse @ [600, 1500]]
    [1247.52, 1841.58]
    """
    a = coefficients(transactions, output)
    try:
        inverse = np.linalg.inv(np.eye(len(a)) - a)
    except np.linalg.LinAlgError:
        inverse = np.full_like(a, np.nan)
    if not (np.isfinite(inverse).all() and (inverse > -1e-9).all()):
        worst = int(np.argmax(a.sum(axis=0)))
        raise InfeasibleError(
            "the table has no Leontief inverse: some sectors use more than they make",
            where=f"column {worst}",
            cure="Inputs of a sector must be less than its output; check the table's balance.",
        )
    return np.asarray(inverse)


def ghosh_inverse(transactions: npt.ArrayLike, output: npt.ArrayLike) -> Floats:
    """Return the output that one unit of primary input of each sector makes possible (equation E155).

    Ghosh's supply-driven model lets every input replace every other without limit, so that output follows
    supply in fixed shares of sales.  It is shown for comparison, never used for a loss (Oosterhaven 1988).
    """
    z, x = _square(transactions, output)
    sales = np.divide(z, x[:, None], out=np.zeros_like(z), where=x[:, None] > 0)
    return np.asarray(np.linalg.inv(np.eye(len(x)) - sales))


@dataclass(frozen=True)
class Limited:
    """What is made when some sectors cannot make more than a limit.

    Attributes:
        output: (n,) of every sector.
        binding: (n,) whether the sector's limit holds it back; others follow demand.
        final: (n,) what is left for final use.
    """

    output: Floats
    binding: NDArray[np.bool_]
    final: Floats


def limited_output(domestic: Floats, final: Floats, limit: Floats) -> Limited:
    """Return output when sectors have a limit, users of their goods go first, and others follow demand.

    The mixed model (equation E151): where the limit binds, output is given and final use is what is left;
    elsewhere final use is given and output is what others need.  Which limits bind is part of the answer: a
    sector that sells less to the others may need less than its limit.

    Args:
        domestic: (n, n) home inputs per unit of output.
        final: (n,) final use before, exports among it.
        limit: (n,) most that each sector can make; infinite where nothing limits it.
    """
    n = len(final)
    binding = np.isfinite(limit)
    for _ in range(n + 2):
        free = ~binding
        output = np.where(binding, np.where(np.isfinite(limit), limit, 0.0), 0.0)
        if free.any():
            need = final[free] + domestic[np.ix_(free, binding)] @ output[binding]
            output[free] = np.linalg.solve(np.eye(int(free.sum())) - domestic[np.ix_(free, free)], need)
        demand = domestic @ output + final
        slack = binding & (demand < limit * (1 - 1e-12))
        over = free & (output > limit * (1 + 1e-12))
        if not slack.any() and not over.any():
            return Limited(output, binding, output - domestic @ output)
        binding = (binding & ~slack) | over
    raise SolverError("no set of binding limits was found", where="limited_output")


def best_allocation(domestic: Floats, final: Floats, limit: Floats, worth: Floats) -> Limited:
    """Return the output that loses the least value added under the limits (equation E152).

    Final use may fall anywhere, never below zero and never above what it was; every sector keeps its recipe.

    Args:
        domestic: (n, n) home inputs per unit of output.
        final: (n,) final use before; a negative one (stocks drawn down) stays as it is.
        limit: (n,) most that each sector can make.
        worth: (n,) value added per unit of output.

    Raises:
        SolverError: the solver gave no proven answer.
    """
    from scipy.optimize import linprog  # noqa: PLC0415 - heavy

    n = len(final)
    leontief = np.eye(n) - domestic
    low, high = np.minimum(final, 0.0), final
    scale = max(float(np.abs(final).max()), 1e-300)
    bounds = [(0.0, None if not np.isfinite(m) else max(m, 0.0) / scale) for m in limit]
    found = linprog(
        -np.maximum(worth, 0.0) - 1e-9,
        A_ub=np.vstack([leontief, -leontief]),
        b_ub=np.concatenate([high, -low]) / scale,
        bounds=bounds,
        method="highs-ds",
    )
    if found.status != 0:
        raise SolverError(f"no best allocation was found ({found.message})", where="best_allocation")
    output = np.asarray(found.x) * scale
    return Limited(output, output >= limit * (1 - 1e-9), output - domestic @ output)


def bottleneck(domestic: Floats, imported: Floats, lost: Floats) -> Floats:
    """Return the share of output that each sector loses when no input can be replaced (equation E153).

    Every user of a home good, final users too, gets the same share less of it; imports stay as they were; a
    sector falls with the input of which it lacks most.  This is the most that a shortage can pass on: within
    one sector of a table stand goods that do not contain the missing one at all.

    Args:
        domestic: (n, n) home deliveries.
        imported: (n, n) imported deliveries.
        lost: (n,) share of output that each sector loses by itself.

    >>> home, abroad = np.array([[0.0, 4.0], [0.0, 0.0]]), np.array([[0.0, 1.0], [0.0, 0.0]])
    >>> bottleneck(home, abroad, np.array([0.5, 0.0]))
    array([0.5, 0.4])
    """
    total = domestic + imported
    home = np.divide(domestic, total, out=np.zeros_like(total), where=total > 0)
    share = np.array(lost, dtype=np.float64)
    for _ in range(ROUNDS):
        passed = np.maximum(share, (home * share[:, None]).max(axis=0))
        if np.allclose(passed, share, rtol=0, atol=1e-12):
            return np.asarray(passed)
        share = passed
    return np.asarray(share)


def _square(transactions: npt.ArrayLike, output: npt.ArrayLike) -> tuple[Floats, Floats]:
    z, x = np.asarray(transactions, dtype=np.float64), np.asarray(output, dtype=np.float64)
    if z.ndim != 2 or z.shape[0] != z.shape[1] or x.shape != (len(z),):
        raise LabelError(
            f"transactions have shape {z.shape}, output {x.shape}", cure="Give (n, n) and (n,): row delivers."
        )
    if not (np.isfinite(z).all() and np.isfinite(x).all()):
        raise InputError("transactions and output must be finite numbers")
    if (x < 0).any():
        raise InputError(f"output must be at least 0, got {x.min():g}", where=f"sector {int(x.argmin())}")
    return z, x
