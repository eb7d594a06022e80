"""What is known of a basket beyond its totals, as rows of a linear program; what clashes is left out.

Order of trust: totals and national codes, then published shares, composition of unseparated ores, production
of the exporter, and unit values against prices.  What cannot be true together with something trusted more is
dropped for the flows that it concerns, with a finding: an interval is never forced.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from evernormal.network.basket_bounds import part_possible
from evernormal.network.basket_limits import Flow, Row, Side, Splits, components
from evernormal.network.basket_prices import Band, Mix, content_of
from evernormal.network.basket_tables import Basket
from evernormal.network.forms import form, form_names
from evernormal.result import Finding

__all__ = [
    "KINDS",
    "Group",
    "accepted",
    "clash_findings",
    "composition",
    "day_of",
    "made_by",
    "price_groups",
    "production",
    "published_shares",
]

KINDS = ("published-shares", "composition", "production", "prices")
"""Kinds of information beside national codes, most trusted first."""

SHARE_TOLERANCE = 0.01
"""assumption: a published share differs from ours by a point, for rounding and for another code set."""

_PLAIN = {
    "published-shares": "a published share",
    "composition": "the composition of the exporter's ore",
    "production": "the exporter's production",
    "prices": "prices",
}


@dataclass(frozen=True)
class Group:
    """Rows that stand or fall together.

    Attributes:
        kind: one of :data:`KINDS`.
        flows: positions of the flows that they are about.
        text: what they say.
        rows: the rows.
        source: where it was read.
    """

    kind: str
    flows: tuple[int, ...]
    text: str
    rows: tuple[Row, ...]
    source: str

    @property
    def parts(self) -> tuple[int, ...]:
        """Positions of the parts of its flows that it is about; -1 where it is about the whole flow."""
        return tuple(sorted({term[1] for row in self.rows for term in row.terms}))


def price_groups(
    flows: Sequence[Flow], keys: pl.DataFrame, known: Basket, bands: Mapping[int, Mapping[str, Band]]
) -> list[Group]:
    """Return equation E60 for every part that may hold more than one member: value between two prices.

    Args:
        flows: the flows.
        keys: their year, exporter and importer.
        known: the basket.
        bands: year to member to band.
    """
    found = []
    for number, year in enumerate(keys["year"].to_list()):
        this = flows[number]
        if not this.quantity or this.value <= 0:
            continue
        for place, part in enumerate(this.parts):
            if len(part.members) < 2 or part.quantity == 0 or part.value == 0:
                continue
            rows = [
                row
                for member in part.members
                for row in _band_rows(number, place, member, bands[year].get(known.names[member]))
            ]
            if rows:
                found.append(Group("prices", (number,), "unit value against prices", tuple(rows), ""))
    return found


def _band_rows(flow: int, part: int, member: int, band: Band | None) -> list[Row]:
    if band is None:
        return []
    value: tuple[int, int, int, Side] = (flow, part, member, "value")
    quantity: tuple[int, int, int, Side] = (flow, part, member, "quantity")
    rows = []
    if band.low > 0:
        rows.append(Row("prices", "not cheaper", {value: 1.0, quantity: -band.low}, 0.0, math.inf))
    if band.high is not None:
        rows.append(Row("prices", "not dearer", {value: 1.0, quantity: -band.high}, -math.inf, 0.0))
    return rows


def composition(keys: pl.DataFrame, known: Basket, found: Sequence[Mix]) -> list[Group]:
    """Return equation E61 for exporters whose ore leaves unseparated: shares of groups of members."""
    place = {name: number for number, name in enumerate(known.names)}
    groups = []
    for number, exporter in enumerate(keys["exporter"].to_list()):
        mine = [mix for mix in found if mix.binding and mix.exporter == exporter]
        rows = []
        for mix in mine:
            inside = {place[name] for name in mix.members}
            for high, sign in ((mix.high, 1.0), (mix.low, -1.0)):
                terms: dict[tuple[int, int, int, Side], float] = {
                    (number, -1, member, "quantity"): sign * ((member in inside) - high)
                    for member in range(len(place))
                }
                rows.append(Row("composition", mix.origin, terms, -math.inf, 0.0))
        if rows:
            text = f"composition of {mine[0].origin}"
            groups.append(Group("composition", (number,), text, tuple(rows), mine[0].source))
    return groups


def production(
    keys: pl.DataFrame, known: Basket, made: Mapping[tuple[int, str, str], float], limit: float
) -> list[Group]:
    """Return the bound that no exporter ships more than ``limit`` times its production of an element.

    Args:
        keys: year, exporter and importer of the flows.
        known: the basket.
        made: (year, exporter, member) to tonnes contained.
        limit: how many times its production an exporter can ship, out of stock, scrap and imports.
    """
    groups = []
    for (year, exporter, name), tonnes in sorted(made.items()):
        if name not in known.names or tonnes <= 0:
            continue
        member = known.names.index(name)
        content = content_of(known.members[member], known.code, exporter)
        flows = tuple(
            number
            for number, row in enumerate(keys.iter_rows(named=True))
            if row["year"] == year and row["exporter"] == exporter
        )
        if content is None or not flows:
            continue
        terms: dict[tuple[int, int, int, Side], float] = {
            (f, -1, member, "quantity"): content[0] for f in flows
        }
        row = Row("production", name, terms, -math.inf, limit * tonnes)
        text = f"{exporter} made {tonnes:g} t of {name}"
        groups.append(Group("production", flows, text, (row,), "World Mining Data"))
    return groups


def made_by(
    known: Basket, years: Sequence[int], exporters: Sequence[str], as_of: date | None = None
) -> dict[tuple[int, str, str], float]:
    """Return tonnes contained of each member that an exporter made, where production is known."""
    from evernormal.data import production as produced  # noqa: PLC0415  reads a table only when it is needed

    found: dict[tuple[int, str, str], float] = {}
    wanted = set(exporters)
    for name in known.names:
        if name not in form_names() or not (source := form(name).production_source):
            continue
        rows = produced([source.removeprefix("world-mining-data:")], years=years)
        for row in rows.iter_rows(named=True):
            scale = {"t": 1.0, "kg": 1e-3}.get(row["unit"])
            late = as_of is not None and row["as_of"] > as_of
            if row["value"] and scale and not late and row["country"] in wanted:
                factor = form(name).production_factor or 1.0
                found[row["year"], row["country"], name] = row["value"] * scale * factor
    return found


def published_shares(keys: pl.DataFrame, known: Basket, facts: pl.DataFrame) -> list[Group]:
    """Return what publications say of a supplier's share in a country's imports of one member.

    A figure that was itself taken from the basket code says nothing of its members and is passed over; so is
    one that does not say whether it is by value or by quantity, or that covers more or less than a year.
    """
    groups = []
    usable = facts.filter(
        (pl.col("topic") == "import_share")
        & pl.col("form").is_in(known.names)
        & pl.col("basis").is_in(["value", "quantity"])
        & ~pl.col("definition").str.contains(rf"(?i)basket|{known.code}")
    )
    for fact in usable.sort("fact_id").iter_rows(named=True):
        flows = [
            (number, row["exporter"])
            for number, row in enumerate(keys.iter_rows(named=True))
            if row["importer"] == fact["region"] and str(row["year"]) == fact["period"]
        ]
        if not any(exporter == fact["partner"] for _, exporter in flows):
            continue
        groups.append(_share_group(fact, flows, known.names.index(fact["form"])))
    return groups


def _share_group(fact: Mapping[str, Any], flows: Sequence[tuple[int, str]], member: int) -> Group:
    side: Side = "value" if fact["basis"] == "value" else "quantity"
    middle = fact["value"]
    low = fact["low"] if fact["low"] is not None else (middle or 0.0) - SHARE_TOLERANCE
    high = fact["high"] if fact["high"] is not None else (1.0 if middle is None else middle + SHARE_TOLERANCE)
    rows = []
    for end, sign in ((min(high, 1.0), 1.0), (max(low, 0.0), -1.0)):
        terms: dict[tuple[int, int, int, Side], float] = {
            (number, -1, member, side): sign * ((exporter == fact["partner"]) - end)
            for number, exporter in flows
        }
        rows.append(Row("published-shares", fact["fact_id"], terms, -math.inf, 0.0))
    told = middle if middle is not None else f"{low} to {high}"
    text = f"{fact['partner']} supplies {told} of {fact['region']}'s {fact['form']} by {side}"
    return Group("published-shares", tuple(n for n, _ in flows), text, tuple(rows), fact["source"])


def accepted(flows: Sequence[Flow], members: int, groups: Sequence[Group]) -> tuple[list[Group], list[Group]]:
    """Return the groups that can be true together, in the order of trust, and those that cannot."""
    kept: list[Group] = []
    dropped: list[Group] = []
    for kind in KINDS:
        new = [group for group in groups if group.kind == kind]
        for together in _components(len(flows), kept, new):
            mine = [group for group in new if set(group.flows) <= set(together)]
            if not mine:
                continue
            base = [group for group in kept if set(group.flows) <= set(together)]
            if kind == "prices" and not base and len(together) == 1:
                for group in mine:
                    (kept if _price_possible(flows, group) else dropped).append(group)
                continue
            if _possible(flows, members, [*base, *mine], together):
                kept += mine
                continue
            for group in mine:
                fits = _possible(flows, members, [*base, group], together)
                (base if fits else dropped).append(group)
                if fits:
                    kept.append(group)
    return kept, dropped


def _price_possible(flows: Sequence[Flow], group: Group) -> bool:
    """Whether the unit value of a part lies between the prices of its members."""
    part = flows[group.flows[0]].parts[group.parts[0]]
    if part.quantity is None or part.value is None:
        return _possible(flows, 1 + max(part.members), [group], group.flows)
    low = dict.fromkeys(part.members, 0.0)
    high = dict.fromkeys(part.members, math.inf)
    for row in group.rows:
        for (_, _, member, side), factor in row.terms.items():
            if side == "quantity":
                (low if row.low == 0.0 else high)[member] = -factor
    limits = (np.array([bounds[m] for m in part.members]) for bounds in (low, high))
    return part_possible(part.quantity, part.value, *limits)


def _components(count: int, kept: Sequence[Group], new: Sequence[Group]) -> list[tuple[int, ...]]:
    return components(count, [row for group in (*kept, *new) for row in group.rows])


def _possible(flows: Sequence[Flow], members: int, groups: Sequence[Group], chosen: Sequence[int]) -> bool:
    return Splits(flows, members, [row for group in groups for row in group.rows], chosen).feasible()


def clash_findings(
    keys: pl.DataFrame, flows: Sequence[Flow], dropped: Sequence[Group]
) -> tuple[Finding, ...]:
    """Return one finding per kind of information that had to be left out."""
    findings = []
    whole = math.fsum(flow.value for flow in flows)
    for kind in KINDS:
        out = [group for group in dropped if group.kind == kind]
        if not out:
            continue
        touched = sorted({number for group in out for number in group.flows})
        share = math.fsum(flows[number].value for number in touched) / whole if whole > 0 else 0.0
        names = [f"{e} to {i} {y}" for y, e, i in keys[touched].select("year", "exporter", "importer").rows()]
        text = (
            f"{_PLAIN[kind].capitalize()} cannot be true together with the totals of {len(names)} flows"
            f" ({100 * share:.1f} % of the value) and was left out there: their intervals are wider."
        )
        values = {"kind": kind, "flows": names, "value_share": share, "count": len(names)}
        values["said"] = sorted({group.text for group in out})
        findings.append(Finding("basket-sources-clash", "caution", text, values))
    return tuple(findings)


def day_of(value: date | str | None) -> date | None:
    """Return a day given as text or date."""
    return date.fromisoformat(value) if isinstance(value, str) else value
