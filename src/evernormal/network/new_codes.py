"""What a new national code would make visible: widths of intervals before and after, and their order."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from evernormal.errors import UnknownNameError
from evernormal.network.basket_limits import Side
from evernormal.network.basket_solution import SIDES, Problem, Solution, solution_of, sum_of
from evernormal.network.basket_tables import Basket

__all__ = ["EVERY", "UNIT", "Case", "Widths", "chosen", "ranked", "widths_with"]

EVERY = "all"
"""As a new code: every element of the baskets gets a code of its own."""

UNIT = {"quantity": "t", "value": "usd"}
"""How columns of either side end."""

Widths = Mapping[Side, float]
"""Width of an interval in tonnes and in dollars."""


@dataclass(frozen=True)
class Case:
    """One code of one year: the problem, its solution by value, and what new codes can be asked of it."""

    year: int
    known: Basket
    problem: Problem
    solved: Solution

    def trade(self, side: Side) -> float | None:
        """Return trade of the code, t gross (of the flows whose quantity is known) or USD."""
        known = [total for flow in self.problem.flows if (total := flow.total(side)) is not None]
        return math.fsum(known) if known else None

    def ends(self, side: Side, solved: Solution | None = None) -> list[tuple[float, float]]:
        """Return the interval of each member over all flows, t or USD."""
        flows = [n for n, flow in enumerate(self.problem.flows) if flow.total(side) is not None]
        count = len(self.known.members)
        return [sum_of(self.problem, solved or self.solved, flows, m, side) for m in range(count)]

    def widths(self, solved: Solution | None = None) -> list[Widths]:
        """Return the width of each member's interval on both sides."""
        ends = {side: self.ends(side, solved) for side in SIDES}
        return [
            {side: ends[side][m][1] - ends[side][m][0] for side in SIDES}
            for m in range(len(self.known.members))
        ]


def chosen(new_codes: Sequence[str], cases: Sequence[Case]) -> list[tuple[str, ...]]:
    """Return, for every case, the members that get a code of their own."""
    hit: set[str] = set()
    found = []
    for case in cases:
        mine = []
        for member in case.known.members:
            asked = {EVERY, member.name, member.element, member.material} & set(new_codes)
            hit |= asked
            if asked and len(case.known.members) > 1:
                mine.append(member.name)
        found.append(tuple(mine))
    lost = sorted(set(new_codes) - hit)
    if lost:
        members = [member for case in cases for member in case.known.members]
        known = {name for m in members for name in (m.name, m.element, m.material)} - {""}
        raise UnknownNameError("member of the baskets", lost[0], known | {EVERY}, where="new_codes")
    return found


def widths_with(case: Case, names: Sequence[str]) -> list[Widths]:
    """Return the widths when the members named have codes of their own that report the central split."""
    before = case.widths()
    if not names:
        return before
    none: Widths = {"quantity": 0.0, "value": 0.0}
    own = [case.known.names.index(name) for name in names]
    if len(set(own)) >= len(case.known.members) - 1:
        return [none for _ in before]  # the last one is what is left
    pins = {key: share for key, share in case.solved.middle.items() if key[1] in own}
    after = case.widths(solution_of(case.problem, SIDES, central=False, pinned=pins, each=False))
    return [
        none if m in own else {side: min(a[side], b[side]) for side in SIDES}
        for m, (a, b) in enumerate(zip(after, before, strict=True))
    ]


def ranked(cases: Sequence[Case], by: Side) -> pl.DataFrame:
    """Return what a code for each member by itself would make visible, the best first."""
    schema: dict[str, Any] = {"year": pl.Int64, "code": pl.String, "member": pl.String}
    for side in SIDES:
        gains = [f"gained_{whose}{UNIT[side]}" for whose in ("own_", "others_", "")]
        schema |= dict.fromkeys((*gains, f"{side}_visibility_gained"), pl.Float64)
    rows = []
    for case in cases:
        if len(case.known.members) > 1:
            before = case.widths()
            for place, name in enumerate(case.known.names):
                after = widths_with(case, [name])
                row: dict[str, Any] = {"year": case.year, "code": case.known.code, "member": name}
                for side in SIDES:
                    row |= _gain(side, place, [w[side] for w in before], [w[side] for w in after])
                rows.append(row)
    table = pl.DataFrame(rows, schema=schema)
    order = ["year", f"gained_{UNIT[by]}", "code", "member"]
    return table.sort(order, descending=[False, True, False, False])


def _gain(side: Side, place: int, before: Sequence[float], after: Sequence[float]) -> dict[str, float | None]:
    own = before[place]
    others = math.fsum(b - a for m, (b, a) in enumerate(zip(before, after, strict=True)) if m != place)
    whole = math.fsum(before)
    unit = UNIT[side]
    return {
        f"gained_own_{unit}": own,
        f"gained_others_{unit}": others,
        f"gained_{unit}": own + others,
        f"{side}_visibility_gained": (own + others) / whole if whole > 0 else None,
    }
