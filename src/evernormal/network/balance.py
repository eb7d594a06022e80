"""Reconcile statistics that disagree: the smallest weighted change that closes every balance.

The method is the adjustment of conditioned observations by least squares that Stone, Champernowne and Meade
(1942) proposed for national accounts and van der Ploeg (1982) made practical for large tables, here with
non-negativity: an observation is moved in proportion to its variance, an unknown is placed where the balances
leave room.

Equations E20 (standard deviation from grade and spread) and E21 (least change).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from evernormal.errors import BalanceError, InputError, LabelError, SolverError, nearest
from evernormal.network.least_change import LeastChange, least_change

__all__ = ["RELATIVE_SIGMA", "BalanceProblem", "BalanceResult", "balance", "sigma_of"]

Floats = NDArray[np.float64]

RELATIVE_SIGMA: Mapping[str, float] = {"A": 0.05, "B": 0.15, "C": 0.50}
"""Relative standard deviation by grade.  Assumption: the order of magnitude that data-quality scores get in
material flow analysis (a few per cent for official statistics, tens of per cent for expert guesses)."""

UNKNOWN_SPREAD = 10.0
"""Standard deviation of an unknown, in multiples of what passes through its balances."""

IMPLAUSIBLE = 5.0
MATERIAL = 0.005
CHANGED = 1e-9
CLOSED = 1e-12

_ITEM_SCHEMA = {"item": pl.String, "value": pl.Float64, "sigma": pl.Float64, "grade": pl.String}
_TERM_SCHEMA = {"balance": pl.String, "item": pl.String, "coefficient": pl.Float64}


@dataclass(frozen=True)
class BalanceProblem:
    """Observations and the balances that they must obey.

    Attributes:
        items: one row per quantity: ``item`` (unique name), ``value`` (null: unknown), ``sigma`` (absolute
            standard deviation; null: from the grade, or wide when unknown; 0: exact), ``grade`` (A, B, C) and
            optionally ``prior`` (where to place an unknown; null: where its balances leave room).
        terms: the balances as signed terms: ``balance``, ``item``, ``coefficient``; each balance sums to its
            right side.
        right: right sides that are not 0, by balance.
        unit: unit of every value, for messages.
        where: what is balanced, for messages.
    """

    items: pl.DataFrame
    terms: pl.DataFrame
    right: Mapping[str, float] = field(default_factory=dict)
    unit: str = "t"
    where: str = "balance"


@dataclass(frozen=True)
class BalanceResult:
    """Balanced quantities and what it took.

    Attributes:
        items: the items in the order given: ``item, observed, balanced, change, sigma, sigmas, grade,
            status``; ``observed`` and ``sigmas`` (change in standard deviations) are null for an unknown;
            ``status`` is ``observed``, ``adjusted`` or ``estimated``.
        residual: largest remaining imbalance, as a fraction of the largest term of its balance.
        optimality: largest violation of the optimality conditions, in standard deviations.
        solver: ``projection`` when no bound binds, else ``newton``, ``clarabel`` or ``piqp``.
    """

    items: pl.DataFrame
    residual: float
    optimality: float
    solver: str

    @property
    def adjustments(self) -> pl.DataFrame:
        """Observations that were changed, largest in standard deviations first."""
        changed = self.items.filter(pl.col("status") == "adjusted")
        return (
            changed.with_columns(size=pl.col("sigmas").abs())
            .sort("size", "item", descending=[True, False])
            .drop("size")
        )

    def balanced(self) -> dict[str, float]:
        """Balanced value by item."""
        return dict(zip(self.items["item"], self.items["balanced"], strict=True))


def sigma_of(
    value: float, grade: str, *, low: float | None = None, high: float | None = None, floor: float = 0.0
) -> float:
    """Standard deviation of an observation from its grade and its published spread (equation E20).

    Args:
        value: the observation.
        grade: A, B or C.
        low: published low end; with ``high`` read as four standard deviations apart.
        high: published high end.
        floor: smallest standard deviation allowed, same unit as ``value``.

    >>> sigma_of(100.0, "A")
    5.0
    >>> sigma_of(100.0, "A", low=60.0, high=140.0)
    20.0
    """
    if grade not in RELATIVE_SIGMA:
        raise InputError(f"unknown grade {grade!r}", cure="Use A, B or C.")
    if low is not None and high is not None:
        return max((high - low) / 4.0, floor)
    return max(RELATIVE_SIGMA[grade] * abs(value), floor)


def balance(
    problem: BalanceProblem,
    *,
    implausible: float = IMPLAUSIBLE,
    material: float = MATERIAL,
    solver: str = "auto",
) -> BalanceResult:
    """Close every balance with the smallest weighted change, all quantities non-negative (equation E21).

    Args:
        problem: items and balances.
        implausible: an A or B observation may not move by more standard deviations than this ...
        material: ... when the move is also larger than this fraction of all that enters the balances.
        solver: ``auto``, ``newton``, ``clarabel`` or ``piqp``.

    Returns:
        Balanced items; the same whatever the order of rows and, scaled, whatever the unit (law 7).

    Raises:
        InputError, LabelError: the tables do not say what they must.
        BalanceError: the balances contradict each other, or only an implausible change closes them; names the
            offenders.

    The heat exchanger with bypass of Narasimhan and Jordache (2000), six flow meters:

    >>> readings = {"F1": 101.91, "F2": 64.45, "F3": 34.65, "F4": 64.20, "F5": 36.44, "F6": 98.88}
    >>> items = pl.DataFrame(
    ...     [{"item": k, "value": v, "sigma": 1.0, "grade": "A"} for k, v in readings.items()])
    >>> splits = {"splitter": ("F1", "-F2", "-F3"), "exchanger": ("F2", "-F4"),
    ...           "valve": ("F3", "-F5"), "mixer": ("F4", "F5", "-F6")}
    >>> terms = pl.DataFrame([
    ...     {"balance": b, "item": i.lstrip("-"), "coefficient": -1.0 if i[0] == "-" else 1.0}
    ...     for b, row in splits.items() for i in row])
    >>> result = balance(BalanceProblem(items, terms))
    >>> [round(value, 2) for value in result.balanced().values()]
    [100.22, 64.5, 35.72, 64.5, 35.72, 100.22]
    """
    system = _System.of(problem)
    found = system.solve(solver)
    items = system.report(found)
    _require_plausible(problem, items, implausible, material * system.volume * system.scale)
    return BalanceResult(items, float(found.infeasibility.max(initial=0.0)), found.optimality, found.solver)


@dataclass(frozen=True)
class _System:
    """The problem as arrays of order one, items and balances in name order."""

    problem: BalanceProblem
    order: tuple[int, ...]
    start: Floats
    sigma: Floats
    matrix: sparse.csr_array
    right: Floats
    balances: tuple[str, ...]
    scale: float
    volume: float

    @classmethod
    def of(cls, problem: BalanceProblem) -> _System:
        items = _checked_items(problem)
        terms = _checked_terms(problem, items)
        order = tuple(int(i) for i in items["item"].arg_sort())
        items = items[list(order)]
        names = tuple(sorted(set(terms["balance"])))
        rows = {name: m for m, name in enumerate(names)}
        columns = {name: n for n, name in enumerate(items["item"])}
        matrix = sparse.csr_array(
            (
                terms["coefficient"].to_numpy(),
                ([rows[b] for b in terms["balance"]], [columns[i] for i in terms["item"]]),
            ),
            shape=(len(names), len(columns)),
        )
        observed = items["value"].to_numpy()
        right = np.array([float(problem.right.get(name, 0.0)) for name in names])
        spread = items["sigma"].fill_null(0.0).to_numpy()
        sizes = np.concatenate([np.nan_to_num(observed), np.abs(right), spread])
        scale = float(sizes.max(initial=0.0)) or 1.0
        observed, right = observed / scale, right / scale
        known = ~np.isnan(observed)
        inflow = np.asarray(matrix.maximum(0) @ np.where(known, observed, 0.0)) + np.maximum(-right, 0.0)
        outflow = np.asarray((-matrix).maximum(0) @ np.where(known, observed, 0.0)) + np.maximum(right, 0.0)
        start = _start(items, observed, matrix, right, scale)
        sigma = _sigma(items, start, matrix, np.maximum(inflow, outflow), scale)
        volume = float(np.maximum(inflow, outflow).sum())
        return cls(problem, order, start, sigma, matrix, right, names, scale, volume)

    def solve(self, solver: str) -> LeastChange:
        """Find the least change; explain it when there is none."""
        free = np.flatnonzero(self.sigma > 0)
        fixed = np.where(self.sigma > 0, 0.0, self.start)
        right = self.right - self.matrix @ fixed
        part = sparse.csr_array(self.matrix[:, free])
        if not len(free):
            self._explain(part, right)
            nothing = np.zeros(len(right))
            return LeastChange(fixed, nothing, 0.0, np.abs(right), "projection")
        try:
            found = least_change(self.start[free], self.sigma[free], part, right, solver)
        except SolverError:
            self._explain(part, right)
            raise
        if (found.infeasibility > CLOSED).any():
            self._explain(part, right)
        point = fixed.copy()
        point[free] = found.point
        return LeastChange(point, found.multipliers, found.optimality, found.infeasibility, found.solver)

    def _explain(self, part: sparse.csr_array, right: Floats) -> None:
        """Raise when no non-negative values satisfy the balances, naming those that must be left open."""
        from scipy.optimize import linprog  # noqa: PLC0415  slow to import, and only needed on failure

        count, free = part.shape
        slack = sparse.eye_array(count)
        cost = np.concatenate([np.zeros(free), np.ones(2 * count)])
        found = linprog(cost, A_eq=sparse.hstack([part, slack, -slack]).tocsr(), b_eq=right, method="highs")
        gap = np.abs(found.x[free : free + count] - found.x[free + count :])
        worst = [m for m in np.argsort(-gap, kind="stable") if gap[m] > 1e-9][:5]
        if worst:
            unit = self.problem.unit
            named = ", ".join(f"{self.balances[m]} by {gap[m] * self.scale:.4g} {unit}" for m in worst)
            raise BalanceError(
                f"no non-negative values close these balances: {named}",
                where=self.problem.where,
                cure="Leave the doubtful value unknown, or give it a spread instead of calling it exact.",
            )

    def report(self, found: LeastChange) -> pl.DataFrame:
        """One row per item, in the order given."""
        back = np.empty(len(self.order), dtype=np.int64)
        back[list(self.order)] = np.arange(len(self.order))
        balanced = (found.point * self.scale)[back]
        sigma = (self.sigma * self.scale)[back]
        given = self.problem.items
        unchanged = np.abs(found.point - self.start)[back] <= CHANGED * np.maximum(self.start, CHANGED)[back]
        table = pl.DataFrame(
            {
                "item": given["item"],
                "observed": given["value"].cast(pl.Float64),
                "balanced": balanced,
                "sigma": sigma,
                "grade": given["grade"],
                "unchanged": unchanged,
            }
        )
        change = pl.col("balanced") - pl.col("observed")
        return table.with_columns(
            change=change,
            sigmas=pl.when(pl.col("sigma") > 0).then(change / pl.col("sigma")),
            status=pl.when(pl.col("observed").is_null())
            .then(pl.lit("estimated"))
            .when(pl.col("unchanged"))
            .then(pl.lit("observed"))
            .otherwise(pl.lit("adjusted")),
        ).select("item", "observed", "balanced", "change", "sigma", "sigmas", "grade", "status")


def _start(
    items: pl.DataFrame, observed: Floats, matrix: sparse.csr_array, right: Floats, scale: float
) -> Floats:
    """Observations where known, else the prior given, else the room that the balances leave."""
    known = ~np.isnan(observed)
    start = np.where(known, observed, 0.0)
    rest = right - matrix @ start
    room = np.zeros(len(start))
    seen = np.zeros(len(start))
    table = matrix.tocoo()
    unknown_side: dict[tuple[int, float], int] = {}
    entries = [(m, n, a) for m, n, a in zip(*table.coords, table.data, strict=True) if not known[n] and a]
    for m, _, a in entries:
        unknown_side[(m, np.sign(a))] = unknown_side.get((m, np.sign(a)), 0) + 1
    for m, n, a in entries:
        room[n] += max(rest[m] / a, 0.0) / unknown_side[(m, np.sign(a))]
        seen[n] += 1.0
    start = np.where(known, start, room / np.maximum(seen, 1.0))
    if "prior" in items.columns:
        prior = items["prior"].cast(pl.Float64).to_numpy() / scale
        start = np.where(known | np.isnan(prior), start, prior)
    return start


def _sigma(
    items: pl.DataFrame, start: Floats, matrix: sparse.csr_array, through: Floats, scale: float
) -> Floats:
    """Standard deviations: given, else by grade (observed) or wide (unknown)."""
    given = items["sigma"].cast(pl.Float64).to_numpy() / scale
    by_grade = np.array([RELATIVE_SIGMA[grade] for grade in items["grade"]]) * start
    largest = _reach(abs(matrix).sign(), through)
    wide = UNKNOWN_SPREAD * np.maximum(np.maximum(largest, start), 1e-9)
    default = np.where(items["value"].is_null().to_numpy(), wide, np.maximum(by_grade, 1e-9))
    return np.where(np.isnan(given), default, given)


def _reach(pattern: sparse.csr_array, through: Floats) -> Floats:
    """Largest throughput of the balances of each item; a balance of unknowns borrows its neighbours'."""
    through = through.copy()
    for _ in range(len(through) + 1):
        by_item = pattern.multiply(through[:, None]).max(axis=0).toarray().ravel()
        borrowed = pattern.multiply(by_item[None, :]).max(axis=1).toarray().ravel()
        empty = (through == 0) & (borrowed > 0)
        if not empty.any():
            break
        through[empty] = borrowed[empty]
    return np.asarray(by_item)


def _checked_items(problem: BalanceProblem) -> pl.DataFrame:
    items = problem.items
    missing = [name for name in _ITEM_SCHEMA if name not in items.columns]
    if missing:
        raise InputError(f"items lack column {', '.join(missing)}", where=problem.where)
    items = items.with_columns(pl.col(name).cast(kind) for name, kind in _ITEM_SCHEMA.items())
    twice = items["item"].filter(items["item"].is_duplicated()).unique().sort().to_list()
    if twice:
        raise LabelError(f"items given twice: {', '.join(twice[:5])}", where=problem.where)
    for name in ("value", "sigma", "prior"):
        if name not in items.columns:
            continue
        bad = items.filter(pl.col(name).is_not_null() & ~(pl.col(name).is_finite() & (pl.col(name) >= 0)))
        if len(bad):
            row = bad.row(0, named=True)
            raise InputError(
                f"{name} of {row['item']!r} must be a number not below 0, got {row[name]}",
                where=problem.where,
                cure="Leave it null when it is unknown.",
            )
    graded = items.filter(~pl.col("grade").is_in(list(RELATIVE_SIGMA)) | pl.col("grade").is_null())
    if len(graded):
        row = graded.row(0, named=True)
        raise InputError(
            f"grade of {row['item']!r} must be A, B or C, got {row['grade']!r}", where=problem.where
        )
    return items


def _checked_terms(problem: BalanceProblem, items: pl.DataFrame) -> pl.DataFrame:
    missing = [name for name in _TERM_SCHEMA if name not in problem.terms.columns]
    if missing:
        raise InputError(f"terms lack column {', '.join(missing)}", where=problem.where)
    terms = problem.terms.with_columns(pl.col(name).cast(kind) for name, kind in _TERM_SCHEMA.items())
    known = set(items["item"])
    strange = sorted(set(terms["item"]) - known)
    if strange:
        near = nearest(strange[0], known)
        cure = f"Did you mean {' or '.join(repr(n) for n in near)}?" if near else ""
        raise LabelError(f"terms name {strange[0]!r}, items do not", where=problem.where, cure=cure)
    lost = sorted(set(problem.right) - set(terms["balance"]))
    if lost:
        raise LabelError(f"right side given for {lost[0]!r}, which has no terms", where=problem.where)
    if not terms["coefficient"].is_finite().all():
        raise InputError("a coefficient is not a finite number", where=problem.where)
    return terms.group_by("balance", "item").agg(pl.col("coefficient").sum()).sort("balance", "item")


def _require_plausible(problem: BalanceProblem, items: pl.DataFrame, implausible: float, size: float) -> None:
    offenders = items.filter(
        pl.col("grade").is_in(["A", "B"])
        & pl.col("observed").is_not_null()
        & (pl.col("sigmas").abs() > implausible)
        & (pl.col("change").abs() > size)
    ).sort(pl.col("change").abs(), "item", descending=[True, False])
    if offenders.is_empty():
        return
    named = "; ".join(
        f"{row['item']} from {row['observed']:.4g} to {row['balanced']:.4g} {problem.unit}"
        f" ({row['sigmas']:+.1f} sigma, grade {row['grade']})"
        for row in offenders.head(5).iter_rows(named=True)
    )
    raise BalanceError(
        f"closing the balances would change {len(offenders)} observations implausibly: {named}",
        where=problem.where,
        cure="Check unit, basis and content of these rows and of the others in their balances; "
        "a weak observation belongs in grade C.",
    )
