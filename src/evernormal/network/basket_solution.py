"""A basket as a problem and its solution: what is known of every flow, intervals, and the central split."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evernormal.network.basket_bounds import part_bounds, part_possible
from evernormal.network.basket_flows import Told, with_parts
from evernormal.network.basket_information import (
    Group,
    accepted,
    clash_findings,
    composition,
    made_by,
    price_groups,
    production,
    published_shares,
)
from evernormal.network.basket_limits import SMALL, Flow, Row, Side, Splits, clean, components
from evernormal.network.basket_prices import Band, mixes, price_bands
from evernormal.network.basket_tables import Basket, table_inputs
from evernormal.result import Finding, Input

__all__ = ["FLOW", "SIDES", "Problem", "Solution", "problem_of", "producer_mix", "solution_of", "sum_of"]

SIDES: tuple[Side, Side] = ("quantity", "value")
"""Both sides of a flow."""

FLOW = ("year", "exporter", "importer")
"""What names a flow."""


@dataclass(frozen=True)
class Problem:
    """Flows of a basket with everything that is known of them.

    Attributes:
        known: the basket.
        keys: year, exporter, importer, value_usd and quantity_t of every flow, in order.
        flows: the same with their parts.
        groups: information that can be true together.
        dropped: information that cannot.
        bands: year to member to band of unit values.
        split: names of the flows that national codes split.
        inputs: what it was made of.
        findings: what a reader must know.
        as_of: day on which all of it was knowable; None for today.
    """

    known: Basket
    keys: pl.DataFrame
    flows: tuple[Flow, ...]
    groups: tuple[Group, ...]
    dropped: tuple[Group, ...]
    bands: Mapping[int, Mapping[str, Band]]
    split: tuple[str, ...]
    inputs: tuple[Input, ...]
    findings: tuple[Finding, ...]
    as_of: date | None = None

    def bounded_parts(self) -> dict[int, set[int]]:
        """Return, for every flow, the parts whose unit values prices bound."""
        found: dict[int, set[int]] = {flow: set() for flow in range(len(self.flows))}
        for group in self.groups:
            if group.kind == "prices":
                found[group.flows[0]].update(group.parts)
        return found

    def limits(
        self, flow: int, members: Sequence[int], bounded: bool
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the least and greatest unit values of some members in a flow; 0 and inf where unknown."""
        bands = self.bands[self.keys["year"][flow]]
        names = [self.known.names[m] for m in members]
        found = [bands.get(name) if bounded else None for name in names]
        low = [0.0 if band is None else band.low for band in found]
        high = [math.inf if band is None or band.high is None else band.high for band in found]
        return np.array(low), np.array(high)


@dataclass(frozen=True)
class Solution:
    """Intervals and central split of every flow, in shares of its total; and the sets behind joint sums."""

    low: Mapping[tuple[int, int, Side], float]
    high: Mapping[tuple[int, int, Side], float]
    middle: Mapping[tuple[int, int, Side], float]
    joint: tuple[Splits, ...]
    alone: tuple[int, ...]


def problem_of(
    known: Basket,
    rows: pl.DataFrame,
    use: Sequence[str],
    given: tuple[Told | None, tuple[Finding, ...], tuple[Input, ...]] = (None, (), ()),
    *,
    prices: pl.DataFrame | None = None,
    facts: str | None = None,
    folder: str | Path | None = None,
    as_of: date | None = None,
    production_limit: float | None = None,
    inputs: tuple[Input, ...] = (),
) -> Problem:
    """Return flows with their parts and all information about them that can be true together."""
    flows, split, adjusted = with_parts(rows.select(*FLOW, "value_usd", "quantity_t"), known, given[0])
    years = sorted(set(rows["year"].to_list()))
    bands = {year: price_bands(known, year, as_of, prices) for year in years}
    groups: list[Group] = []
    findings = [*given[1], *adjusted]
    if "published-shares" in use:
        from evernormal.data import facts as published  # noqa: PLC0415

        told = published("import_share", dataset=facts, folder=folder, as_of=as_of)
        groups += published_shares(rows, known, told)
    if "composition" in use:
        groups += composition(rows, known, mixes(known, as_of))
    if "production" in use and production_limit is not None:
        made = made_by(known, years, rows["exporter"].to_list(), as_of)
        groups += production(rows, known, made, production_limit)
    if "prices" in use:
        groups += price_groups(flows, rows, known, bands)
        findings += _price_findings(known, bands)
    kept, dropped = accepted(flows, len(known.members), groups)
    findings += _basket_findings(known, rows) + list(clash_findings(rows, flows, dropped))
    pinned = (*inputs, *table_inputs())
    return Problem(
        known,
        rows,
        tuple(flows),
        tuple(kept),
        tuple(dropped),
        bands,
        tuple(split),
        pinned,
        tuple(findings),
        as_of,
    )


def _price_findings(known: Basket, bands: Mapping[int, Mapping[str, Band]]) -> list[Finding]:
    findings = []
    for year, found in bands.items():
        blank = [name for name in known.names if name not in found]
        if blank and len(known.names) > 1:
            text = (
                f"No price of {year} is known of {', '.join(blank)}: unit values bound these members from no"
                " side, and the others less."
            )
            values = {"year": year, "members": blank, "code": known.code}
            findings.append(Finding("basket-price-unknown", "caution", text, values))
    return findings


def _basket_findings(known: Basket, rows: pl.DataFrame) -> list[Finding]:
    findings = []
    count = len(known.members)
    if count > 1:
        text = (
            f"{known.code} holds {count} members; the figures of each are the ends of what is possible,"
            " and the central ones an assumption."
        )
        findings.append(Finding("basket-interval", "info", text, {"code": known.code, "count": count}))
    if not known.closed:
        text = f"The members of {known.code} are not all known; {known.names[-1]} stands for the rest."
        findings.append(Finding("basket-open", "caution", text, {"code": known.code}))
    blank = rows.filter(pl.col("quantity_t").is_null())
    if blank.height:
        whole = math.fsum(rows["value_usd"].to_list())
        share = math.fsum(blank["value_usd"].to_list()) / whole if whole > 0 else 0.0
        text = (
            f"{blank.height} flows ({100 * share:.1f} % of the value) have no known quantity: tonnes leave"
            " them out, and no unit value bounds them."
        )
        values = {"code": known.code, "count": blank.height, "value_share": share}
        findings.append(Finding("basket-quantity-unknown", "caution", text, values))
    return findings


def solution_of(
    problem: Problem,
    sides: Sequence[Side] = SIDES,
    central: bool = True,
    pinned: Mapping[tuple[int, int, Side], float] = MappingProxyType({}),
    each: bool = True,
) -> Solution:
    """Return the interval of every member in every flow, and the central split.

    Args:
        problem: flows and information.
        sides: quantity, value or both.
        central: compute the central split as well; without it ``middle`` is empty.
        pinned: shares of members that are known besides, both sides of a member together.
        each: solve for each flow of those that are tied as well; their sums do not need it.
    """
    count = len(problem.known.members)
    rows = [row for group in problem.groups for row in group.rows]
    together = components(len(problem.flows), rows)
    alone = tuple(group[0] for group in together if len(group) == 1)
    low: dict[tuple[int, int, Side], float] = {}
    high: dict[tuple[int, int, Side], float] = {}
    quick = _quick(problem, alone, bool(pinned))
    bounded = problem.bounded_parts()
    pins_of: dict[int, dict[tuple[int, Side], float]] = {}
    for (flow, member, side), share in pinned.items():
        pins_of.setdefault(flow, {})[member, side] = share
    for flow in quick:
        for key, ends in _closed_form(problem, flow, bounded[flow], pins_of.get(flow, {})).items():
            low[key], high[key] = ends
    slow = tuple(flow for flow in alone if flow not in quick)
    tied = [*rows, *_pins(problem, pinned)]
    sets = [Splits(problem.flows, count, tied, slow)] if slow else []
    joint = tuple(Splits(problem.flows, count, tied, group) for group in together if len(group) > 1)
    for position, splits in enumerate((*sets, *joint) if each else sets):
        for member in range(count):
            for side in sides:
                for flow, ends in splits.extremes(member, side, position < len(sets)).items():
                    low[flow, member, side], high[flow, member, side] = ends
    middle = _central(problem, rows, alone, joint) if central else {}
    for key, share in middle.items():
        if key in low:
            low[key], high[key] = min(low[key], share), max(high[key], share)
    return Solution(low, high, middle, joint, alone)


def _quick(problem: Problem, alone: Sequence[int], pinned: bool) -> frozenset[int]:
    """Return the flows that nothing but prices bounds, part by part: their extremes have a closed form."""
    other = {flow for group in problem.groups if group.kind != "prices" for flow in group.flows}
    found = []
    for flow in alone:
        parts = problem.flows[flow].parts
        known = all(p.value is not None for p in parts) and (
            len(parts) == 1 or all(p.quantity is not None for p in parts)
        )
        if flow not in other and known and (len(parts) == 1 or not pinned):
            found.append(flow)
    return frozenset(found)


def _closed_form(
    problem: Problem, flow: int, bounded: Collection[int], pinned: Mapping[tuple[int, Side], float]
) -> dict[tuple[int, int, Side], tuple[float, float]]:
    """Return the extremes of every member of a flow that only prices bound, in shares of the flow."""
    this = problem.flows[flow]
    ends = {side: np.zeros((len(problem.known.members), 2)) for side in SIDES}
    for place, part in enumerate(this.parts):
        free = [m for m in part.members if (m, "value") not in pinned]
        low, high = problem.limits(flow, free, place in bounded)
        left = {}
        for side, amount in zip(SIDES, (part.quantity, part.value), strict=True):
            total = this.total(side)
            share = amount / total if amount is not None and total else 1.0 / len(this.parts)
            told = math.fsum(pinned[m, side] for m in part.members if (m, side) in pinned)
            left[side] = max(share - told, 0.0)
        ratio = (this.value / this.quantity) if this.quantity else 0.0
        if min(left.values()) <= SMALL or ratio <= 0 or not free:
            low, high, ratio = np.zeros(len(free)), np.full(len(free), np.inf), 1.0
        elif not part_possible(left["quantity"], left["value"] * ratio, low, high):
            low, high = np.zeros(len(free)), np.full(len(free), np.inf)  # a pin to the last digit
        if free:
            tonnes = max(left["quantity"], SMALL)
            found = part_bounds(tonnes, max(left["value"], SMALL) * ratio, low, high)
            for side, shares in zip(SIDES, found, strict=True):
                ends[side][free] += shares * left[side]
    for (member, side), share in pinned.items():
        ends[side][member] = share
    return {
        (flow, member, side): (clean(float(a)), clean(float(b)))
        for side in SIDES
        if this.total(side) is not None
        for member, (a, b) in enumerate(ends[side])
    }


def _pins(problem: Problem, pinned: Mapping[tuple[int, int, Side], float]) -> list[Row]:
    """Return rows that hold members at known shares, to within what a solver can tell apart."""
    rows = []
    for (flow, member, side), share in pinned.items():
        total = problem.flows[flow].total(side)
        if total:
            terms: dict[tuple[int, int, int, Side], float] = {(flow, -1, member, side): 1.0}
            rows.append(Row("pin", "", terms, (share - SMALL) * total, (share + SMALL) * total))
    return rows


def _central(
    problem: Problem, rows: Sequence[Row], alone: Sequence[int], joint: Sequence[Splits]
) -> dict[tuple[int, int, Side], float]:
    """Return the split of least relative change from the prior, flow by flow where nothing ties them."""
    count = len(problem.known.members)
    prior = _prior(problem)
    middle: dict[tuple[int, int, Side], float] = {
        (flow, member, side): 0.0  # a member that no part may hold
        for flow, this in enumerate(problem.flows)
        for side in SIDES
        if this.total(side) is not None
        for member in range(count)
    }
    for splits in (*([Splits(problem.flows, count, rows, alone)] if alone else []), *joint):
        middle |= splits.nearest({name: prior[name] for name in splits.columns})
    return middle


def _prior(problem: Problem) -> dict[tuple[int, int, int, Side], float]:
    """Return the prior of parts and members in shares of the flow: tonnes by producer mix, value by price."""
    known = problem.known
    years = sorted(set(problem.keys["year"].to_list()))
    made = made_by(known, years, problem.keys["exporter"].to_list(), problem.as_of)
    found: dict[tuple[int, int, int, Side], float] = {}
    cache: dict[tuple[int, str], list[float]] = {}
    for number, (year, exporter) in enumerate(problem.keys.select("year", "exporter").iter_rows()):
        mix = cache.setdefault(
            (year, exporter), producer_mix(known, exporter, year, made, problem.bands[year], problem.as_of)
        )
        this = problem.flows[number]
        unit = this.value / this.quantity if this.quantity else 0.0
        band = problem.bands[year]
        middles = [b.middle if (b := band.get(name)) and b.middle else unit for name in known.names]
        for place, part in enumerate(this.parts):
            size = (part.value or 0.0) / this.value if this.value > 0 else 1.0 / len(this.parts)
            weight = part.quantity / this.quantity if part.quantity is not None and this.quantity else size
            tonnes = math.fsum(mix[m] for m in part.members)
            dollars = math.fsum(mix[m] * middles[m] for m in part.members)
            for m in part.members:
                found[number, place, m, "quantity"] = weight * mix[m] / tonnes
                value = mix[m] * middles[m] / dollars if dollars > 0 else mix[m] / tonnes
                found[number, place, m, "value"] = size * value
    return found


def producer_mix(
    known: Basket,
    exporter: str,
    year: int,
    made: Mapping[tuple[int, str, str], float],
    bands: Mapping[str, Band] = MappingProxyType({}),
    as_of: date | None = None,
) -> list[float]:
    """Return the prior shares of the members in an exporter's tonnes (equation E63).

    Known production gives the shares of the members that have it, the mean of those the rest.  Without any,
    weight and value are treated alike: shares go with one over the root of the price, those of unknown price
    with the middle one.  The groups of an ore's composition are then met by proportional fitting.

    Args:
        known: the basket.
        exporter: ISO 3166 alpha-3.
        year: calendar year.
        made: (year, exporter, member) to tonnes.
        bands: member to band of unit values.
        as_of: compositions that were knowable on this day.

    >>> from evernormal.network.basket_tables import basket
    >>> producer_mix(basket("850511", "HS2017"), "JPN", 2023, {})
    [0.3333333333333333, 0.3333333333333333, 0.3333333333333333]
    """
    tonnes = {name: t for (y, e, name), t in made.items() if (y, e) == (year, exporter)}
    if tonnes:
        mean = math.fsum(tonnes.values()) / len(tonnes)
        shares = [tonnes.get(name, mean) for name in known.names]
    else:
        middles = sorted(b.middle for b in bands.values() if b.middle)
        usual = middles[len(middles) // 2] if middles else 1.0
        found = [bands.get(name) for name in known.names]
        shares = [1.0 / math.sqrt((b.middle if b else None) or usual) for b in found]
    whole = math.fsum(shares)
    shares = [share / whole for share in shares]
    groups = [
        ({known.names.index(name) for name in mix.members}, mix.low, mix.high)
        for mix in mixes(known, as_of)
        if mix.exporter == exporter
    ]
    for _ in range(200 if groups else 0):
        for inside, low, high in groups:
            held = math.fsum(shares[m] for m in inside)
            wanted = min(max(held, low), high)
            if 0 < held < 1 and wanted != held:
                up, down = wanted / held, (1 - wanted) / (1 - held)
                shares = [share * (up if m in inside else down) for m, share in enumerate(shares)]
    floored = [max(share, 1e-4) for share in shares]
    whole = math.fsum(floored)
    return [share / whole for share in floored]


def sum_of(
    problem: Problem, solved: Solution, flows: Sequence[int], member: int, side: Side
) -> tuple[float, float]:
    """Return the least and greatest sum over flows: ends added where they are free, else one program."""
    free = set(solved.alone)
    ends = []
    for flow in flows:
        if flow in free:
            total = problem.flows[flow].total(side) or 0.0
            ends.append((total * solved.low[flow, member, side], total * solved.high[flow, member, side]))
    for splits in solved.joint:
        inside = [flow for flow in flows if flow in splits.chosen]
        if inside:
            ends.append(splits.extremes_of_sum(member, side, inside))
    return math.fsum(low for low, _ in ends), math.fsum(high for _, high in ends)
