"""The set of all splits of a basket that agree with what is known, and its extremes (equations E59 to E62).

Arrays and labels in, numbers out; :mod:`evernormal.network.baskets` knows what the numbers mean.  A *flow* is
one exporter's shipments of the code to one importer in one year.  It consists of *parts*: one per national
code that was told, one for the rest.  Quantity and value of every member of every part are unknown and not
negative; both are counted in the flow's own total, so that the unit of either leaves no trace (law 7).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from evernormal.errors import SolverError

__all__ = ["SMALL", "Flow", "Part", "Row", "Side", "Splits", "clean", "components"]

Floats = NDArray[np.float64]
Side = Literal["quantity", "value"]

SMALL = 1e-9
"""Shares that differ by less are one number."""


@dataclass(frozen=True)
class Part:
    """Shipments of one flow under one national code.

    Attributes:
        members: positions of the members that it may hold.
        quantity: tonnes gross; None where unknown.
        value: USD.
    """

    members: tuple[int, ...]
    quantity: float | None
    value: float | None


@dataclass(frozen=True)
class Flow:
    """One exporter's shipments to one importer in one year: totals, and the parts that they consist of."""

    quantity: float | None
    value: float
    parts: tuple[Part, ...]

    def total(self, side: Side) -> float | None:
        """Return tonnes or dollars; None where unknown."""
        return self.quantity if side == "quantity" else self.value


@dataclass(frozen=True)
class Row:
    """One thing that is known: ``low <= sum of terms <= high``.

    Attributes:
        kind: what it is of: ``national-codes``, ``published-shares``, ``composition``, ``production`` or
            ``prices``.
        label: what it says, for the reader.
        terms: (flow, part, member, side) to coefficient, in tonnes and dollars; part -1 is all of them.
        low: least; -inf for none.
        high: greatest; inf for none.
    """

    kind: str
    label: str
    terms: Mapping[tuple[int, int, int, Side], float]
    low: float
    high: float
    flows: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "flows", tuple(sorted({term[0] for term in self.terms})))


def components(count: int, rows: Iterable[Row]) -> list[tuple[int, ...]]:
    """Return the flows that share a constraint, together; the rest alone, in order."""
    head = list(range(count))

    def find(flow: int) -> int:
        while head[flow] != flow:
            flow = head[flow]
        return flow

    for row in rows:
        for other in row.flows[1:]:
            a, b = sorted((find(row.flows[0]), find(other)))
            head[b] = a
    groups: dict[int, list[int]] = {}
    for flow in range(count):
        groups.setdefault(find(flow), []).append(flow)
    return [tuple(group) for group in groups.values()]


class Splits:
    """Every split of some flows that agrees with the totals and with the rows given.

    Args:
        flows: all flows.
        members: number of members.
        rows: what is known; rows about other flows are left out.
        chosen: positions of the flows in question.
    """

    def __init__(
        self, flows: Sequence[Flow], members: int, rows: Iterable[Row], chosen: Sequence[int]
    ) -> None:
        self.flows, self.members, self.chosen = flows, members, tuple(chosen)
        self.columns: dict[tuple[int, int, int, Side], int] = {}
        for flow in self.chosen:
            for side in ("quantity", "value"):
                if flows[flow].total(side) is not None:
                    for number, part in enumerate(flows[flow].parts):
                        for member in part.members:
                            self.columns[flow, number, member, side] = len(self.columns)
        self._rows: list[tuple[dict[int, float], float, float]] = []
        self._add_totals()
        wanted = set(self.chosen)
        for row in rows:
            if wanted.issuperset(row.flows):
                self._add(row)
        self._matrices = self._build()

    def _add_totals(self) -> None:
        """Equation E59: parts sum to their own total and to that of the flow."""
        for flow in self.chosen:
            this = self.flows[flow]
            for side in ("quantity", "value"):
                total = this.total(side)
                if total is None:
                    continue
                told = [(part.quantity if side == "quantity" else part.value) for part in this.parts]
                for number, amount in enumerate(told):
                    if amount is not None:
                        share = 1.0 if len(told) == 1 else (amount / total if total > 0 else 0.0)
                        self._rows.append((self._part(flow, number, side), share, share))
                if None in told:
                    terms: dict[int, float] = {}
                    for number in range(len(told)):
                        terms |= self._part(flow, number, side)
                    self._rows.append((terms, 1.0, 1.0))

    def _part(self, flow: int, number: int, side: Side) -> dict[int, float]:
        part = self.flows[flow].parts[number]
        return {self.columns[flow, number, member, side]: 1.0 for member in part.members}

    def _places(self, flow: int, member: int, side: Side) -> list[int]:
        """Columns of a member of a flow, over its parts."""
        found = []
        for number in range(len(self.flows[flow].parts)):
            place = self.columns.get((flow, number, member, side))
            if place is not None:
                found.append(place)
        return found

    def _add(self, row: Row) -> None:
        terms: dict[int, float] = {}
        for (flow, number, member, side), factor in row.terms.items():
            total = self.flows[flow].total(side)
            if total is None:
                return  # a row about an unknown total says nothing (law 2)
            alone = self.columns.get((flow, number, member, side))
            for place in self._places(flow, member, side) if number < 0 else [] if alone is None else [alone]:
                terms[place] = terms.get(place, 0.0) + factor * total
        size = max((abs(v) for v in terms.values()), default=0.0)
        if size > 0:
            scaled = {place: v / size for place, v in terms.items()}
            self._rows.append((scaled, row.low / size, row.high / size))

    def _build(self) -> tuple[sparse.csr_array, Floats, sparse.csr_array, Floats]:
        equal = [(t, a) for t, a, b in self._rows if a == b]
        above = [({p: -v for p, v in t.items()}, -a) for t, a, b in self._rows if a != b and np.isfinite(a)]
        below = [(t, b) for t, a, b in self._rows if a != b and np.isfinite(b)]
        return (*self._matrix(equal), *self._matrix([*above, *below]))

    def _matrix(self, rows: list[tuple[dict[int, float], float]]) -> tuple[sparse.csr_array, Floats]:
        places = [(i, p, v) for i, (terms, _) in enumerate(rows) for p, v in terms.items()]
        shape = (len(rows), len(self.columns))
        if not places:
            return sparse.csr_array(shape), np.array([b for _, b in rows])
        i, p, v = zip(*places, strict=True)
        return sparse.csr_array((v, (i, p)), shape=shape), np.array([b for _, b in rows])

    def feasible(self) -> bool:
        """Whether any split agrees with everything."""
        return self._solve(np.zeros(len(self.columns))) is not None

    def _solve(self, cost: Floats) -> Floats | None:
        from scipy.optimize import linprog  # noqa: PLC0415  heavy, and only needed when something is split

        equal, right, below, bound = self._matrices
        found = linprog(
            cost,
            A_ub=below if below.shape[0] else None,
            b_ub=bound if below.shape[0] else None,
            A_eq=equal,
            b_eq=right,
            method="highs",
            options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
        )
        if found.status == 2:
            return None
        if found.status != 0:
            raise SolverError(
                f"the linear program of a basket stopped without an answer ({found.message})",
                cure="Look for prices or totals that differ by more than twelve orders of magnitude.",
            )
        return np.asarray(found.x, dtype=np.float64)

    def extremes(self, member: int, side: Side, alone: bool) -> dict[int, tuple[float, float]]:
        """Return the least and greatest share of a member in each flow (equation E62).

        Args:
            member: its position.
            side: share of the quantity or of the value.
            alone: no row ties flows together, so that one program serves them all.
        """
        places = {flow: self._places(flow, member, side) for flow in self.chosen}
        known = {flow: found for flow, found in places.items() if self.flows[flow].total(side) is not None}
        groups = [list(known)] if alone else [[flow] for flow in known]
        answer: dict[int, tuple[float, float]] = {}
        for group in groups:
            cost = np.zeros(len(self.columns))
            for flow in group:
                cost[known[flow]] = 1.0
            low, high = self._ends(cost)
            for flow in group:
                ends = (float(low[known[flow]].sum()), float(high[known[flow]].sum()))
                answer[flow] = (clean(ends[0]), clean(ends[1]))
        return answer

    def extremes_of_sum(self, member: int, side: Side, over: Iterable[int]) -> tuple[float, float]:
        """Return the least and greatest sum of a member over some flows, in tonnes or dollars (E62)."""
        cost = np.zeros(len(self.columns))
        size = 0.0
        for flow in over:
            total = self.flows[flow].total(side)
            if total is not None:
                cost[self._places(flow, member, side)] = total
                size = max(size, total)
        if size == 0.0:
            return 0.0, 0.0
        cost /= size
        low, high = self._ends(cost)
        return clean(float(cost @ low), np.inf) * size, clean(float(cost @ high), np.inf) * size

    def _ends(self, cost: Floats) -> tuple[Floats, Floats]:
        low, high = self._solve(cost), self._solve(-cost)
        if low is None or high is None:
            raise SolverError("a split that was feasible has no extreme", where="basket")
        return low, high

    def nearest(
        self, prior: Mapping[tuple[int, int, int, Side], float]
    ) -> dict[tuple[int, int, Side], float]:
        """Return the split of least relative change from a prior (equation E63), as shares of the flows."""
        names = list(self.columns)
        start = np.maximum(np.array([prior[name] for name in names]), 1e-6)
        found = self._quadratic(start)
        found = self._close(np.maximum(found, 0.0))
        shares: dict[tuple[int, int, Side], float] = {}
        for (flow, _, member, side), share in zip(names, found, strict=True):
            key = (flow, member, side)
            shares[key] = shares.get(key, 0.0) + float(share)
        return shares

    def _quadratic(self, start: Floats) -> Floats:
        import piqp  # noqa: PLC0415  heavy, and only needed when something is split

        equal, right, below, bound = self._matrices
        solver = piqp.SparseSolver()
        solver.settings.eps_abs = solver.settings.eps_rel = 1e-11
        solver.settings.max_iter = 500
        rows = below.shape[0]
        solver.setup(
            sparse.csc_matrix(sparse.diags_array(1.0 / start)),
            -np.ones(len(start)),
            sparse.csc_matrix(equal),
            right,
            sparse.csc_matrix(below) if rows else None,
            None,
            bound if rows else None,
            np.zeros(len(start)),
            np.full(len(start), np.inf),
        )
        status = solver.solve()
        if status not in {piqp.PIQP_SOLVED, piqp.PIQP_MAX_ITER_REACHED}:
            raise SolverError("no central split was found", where="basket")
        return np.asarray(solver.result.x, dtype=np.float64)

    def _close(self, found: Floats) -> Floats:
        """Make the parts of every flow sum to their totals exactly."""
        for terms, low, high in self._rows:
            if low == high and all(v == 1.0 for v in terms.values()):
                places = list(terms)
                total = float(found[places].sum())
                found[places] = found[places] * (low / total) if total > 0 else low / len(places)
        return found


def clean(share: float, ceiling: float = 1.0) -> float:
    """Cut what a solver leaves beyond 0 and the whole, and take a hair's breadth for none."""
    cut = min(max(share, 0.0), ceiling)
    for end in (0.0, ceiling):
        if abs(cut - end) < SMALL:
            return end
    return cut
