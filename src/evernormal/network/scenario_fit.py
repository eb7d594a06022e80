"""Checks of what measures must be to each other and to their scenario: ids, horizon, who hits whom."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from evernormal.network.known import FOCAL
from evernormal.network.measure import Measure

__all__ = ["Misfit", "misfits", "month_start"]


def month_start(start: str, offset: int) -> date:
    """Return the first day of the month ``offset`` months after ``start`` (YYYY-MM)."""
    year, month = divmod(int(start[:4]) * 12 + int(start[5:7]) - 1 + offset, 12)
    return date(year, month + 1, 1)


Misfit = tuple[tuple[str | int, ...], str, str]


def misfits(numbered: list[tuple[int, Measure]], name: str, data: Mapping[str, Any]) -> list[Misfit]:
    """Return what is wrong among measures that are each right by themselves: (path inside, what, cure)."""
    found: list[Misfit] = []
    taken = (
        {act.id: f"measures[{n}]" for n, act in enumerate(data.get("measures", ()))}
        if name == "policies"
        else {}
    )
    for index, act in numbered:
        if act.id in taken:
            found.append(
                ((index,), f"the id {act.id!r} is already that of {taken[act.id]}", "Give one its own 'id'.")
            )
        taken.setdefault(act.id, f"{name}[{index}]")
        found.extend(_out_of_place(index, act, name, data.get("focal")))
        if "start" in data and "months" in data:
            found.extend(_off_horizon(index, act, data["start"], data["months"]))
    return found


def _out_of_place(index: int, act: Measure, name: str, focal: str | None) -> list[Misfit]:
    if focal is None:
        return []
    by = focal if act.by == FOCAL else act.by
    if name == "policies" and act.by not in {FOCAL, focal}:
        what = f"a policy is an act of the focal side, got by {act.by!r}"
        return [((index, "by"), what, f"Write 'focal' or {focal!r}, or move it to 'measures'.")]
    if by == focal and (FOCAL in act.against or focal in act.against):
        what = f"an act of {focal} would hit {focal} itself"
        return [((index, "against"), what, "Choose another focal country or another 'by'.")]
    return []


def _off_horizon(index: int, act: Measure, start: str, months: int) -> list[Misfit]:
    first, after = month_start(start, 0), month_start(start, months)
    if any(begin < after and (end is None or end > first) for begin, end in act.window()):
        return []
    span = f"{first} to {date.fromordinal(after.toordinal() - 1)}"
    what = f"is never in force in the horizon {span}"
    return [((index, "effective"), what, "Move the measure, or change 'start' and 'months'.")]
