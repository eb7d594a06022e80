"""The tables of a bloc: prices by stage, who makes and uses what, flows, diversion, budgets and welfare."""

from __future__ import annotations

from math import fsum
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evernormal.market.bloc_accounts import ACCOUNTS
from evernormal.market.bloc_year import Year
from evernormal.network.forms import form

__all__ = [
    "amounts",
    "budget_of",
    "diversion",
    "flow_table",
    "ladder",
    "leaks",
    "margins",
    "positions",
    "region_table",
    "welfare_of",
]

Floats = NDArray[np.float64]

STATE = ("levy", "tariff", "contract", "purchase", "state_sales")
"""Accounts of governments."""
NOTHING_MOVES = 1e-9
VISIBLE = 1e-3
"""Converters and exporters below this share of all are left out of tables."""
SEEN = 0.01
"""Losses below this share of what was sent are not divided by."""


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def ladder(before: Year, after: Year) -> pl.DataFrame:
    """Return the price of every member and stage beside its reference, with the levy that holds it.

    Columns: member, form, stage, base_price_usd_t, before_usd_t, reference_usd_t, user_usd_t, maker_usd_t,
    border_usd_t, levy_usd_t, levy_rate (over the border price), outside_t (what pays at the border; where
    nothing is due there, what comes from non-members), status.
    With a levy by origin the border price and the levy are means over what pays.
    """
    network, mechanism = after.setting.network, after.mechanism
    rows: list[dict[str, Any]] = []
    paying = _paying(after)
    bought = paying[0] if mechanism.at_border else amounts(after)["from_others"]
    for r in np.flatnonzero(mechanism.members).tolist():
        for g, name in enumerate(network.forms):
            if not np.isfinite(after.home[r, g]):
                continue
            outside, levy = bought[r, g], _levy(after, r, g, paying)
            user = after.home[r, g]
            border = None if levy is None else user - levy
            rows.append(
                {
                    "member": network.regions[r],
                    "form": name,
                    "stage": form(name).stage,
                    "base_price_usd_t": float(after.built.price[r, g]),
                    "before_usd_t": float(before.home[r, g]),
                    "reference_usd_t": _number(mechanism.reference[r, g]),
                    "user_usd_t": float(user),
                    "maker_usd_t": _number(_maker(after, r, g)),
                    "border_usd_t": border,
                    "levy_usd_t": levy,
                    "levy_rate": None if levy is None or not border or border <= 0 else levy / border,
                    "outside_t": float(outside),
                    "status": _status(after, r, g, levy),
                }
            )
    return pl.DataFrame(rows, schema=LADDER)


LADDER = {
    "member": pl.String, "form": pl.String, "stage": pl.String, "base_price_usd_t": pl.Float64,
    "before_usd_t": pl.Float64, "reference_usd_t": pl.Float64, "user_usd_t": pl.Float64,
    "maker_usd_t": pl.Float64, "border_usd_t": pl.Float64, "levy_usd_t": pl.Float64,
    "levy_rate": pl.Float64, "outside_t": pl.Float64, "status": pl.String,
}  # fmt: skip


def _paying(year: Year) -> tuple[Floats, Floats]:
    """(R, G) tonnes that pay at the border, and what they pay in USD."""
    routes = year.setting.routes
    tonnes, paid = np.zeros_like(year.built.price), np.zeros_like(year.built.price)
    a = np.flatnonzero(np.isfinite(year.route_levy) & (year.paying > 0))
    cells = (routes.target[a], routes.form[a])
    np.add.at(tonnes, cells, year.paying[a])
    np.add.at(paid, cells, year.paying[a] * year.route_levy[a])
    return tonnes, paid


def _levy(year: Year, r: int, g: int, paying: tuple[Floats, Floats]) -> float | None:
    """Levy of a cell in USD per tonne; None where none is held or no levy reaches."""
    mechanism = year.mechanism
    if mechanism.instrument not in ("levy", "tariff") or not mechanism.held[r, g] or year.out_of_reach[r, g]:
        return None
    if mechanism.by_origin and mechanism.instrument == "levy":
        return float(paying[1][r, g] / paying[0][r, g]) if paying[0][r, g] > 0 else None
    return float(year.home[r, g] - year.border[r, g])


def _maker(year: Year, r: int, g: int) -> float:
    """What makers get per tonne: the price of own goods weighted by where they go; NaN where nobody makes."""
    if year.made[r, g] <= NOTHING_MOVES * year.built.price.size:
        return float("nan")
    return float(year.maker[r, g])


def _status(year: Year, r: int, g: int, levy: float | None) -> str:
    mechanism = year.mechanism
    if not mechanism.held[r, g] or mechanism.instrument == "none":
        return "no reference"
    if mechanism.instrument in ("contract", "tariff"):
        return mechanism.instrument
    if year.out_of_reach[r, g]:
        return "out of reach"
    if mechanism.instrument == "purchase":
        return "bought" if year.bought[r, g] > NOTHING_MOVES * year.used.sum() else "above"
    if mechanism.by_origin:
        return "held" if levy else "above"
    return "held" if levy is not None and levy > NOTHING_MOVES * year.built.price[r, g] else "above"


def margins(before: Year, after: Year) -> pl.DataFrame:
    """Return what converting a tonne leaves over its input, before and after (equation E88).

    Columns: member, conversion, input_t_before, input_t, margin_before_usd_t, margin_usd_t (per tonne of
    input), effective_protection (change over the margin before).  A reference held for an ore alone squeezes
    those who refine it.
    """
    network = after.setting.network
    rows = []
    for c, conversion in enumerate(network.conversions):
        source, target = network.form_index(conversion.source), network.form_index(conversion.target)
        visible = network.activity[c] > VISIBLE * network.activity[c].sum()
        for r in np.flatnonzero(after.mechanism.members & visible).tolist():
            old, new = (
                conversion.recovery.value * year.maker[r, target] - year.home[r, source]
                for year in (before, after)
            )
            if not np.isfinite(old + new):
                continue
            rows.append(
                {
                    "member": network.regions[r],
                    "conversion": conversion.name,
                    "input_before_t": float(before.converted[c, r]),
                    "input_t": float(after.converted[c, r]),
                    "margin_before_usd_t": float(old),
                    "margin_usd_t": float(new),
                    "effective_protection": float((new - old) / old) if old > 0 else None,
                }
            )
    numbers = ("input_before_t", "input_t", "margin_before_usd_t", "margin_usd_t", "effective_protection")
    return pl.DataFrame(
        rows, schema={"member": pl.String, "conversion": pl.String, **dict.fromkeys(numbers, pl.Float64)}
    )


def region_table(before: Year, after: Year) -> pl.DataFrame:
    """Return output, use and trade of every region and form, before and after."""
    network = after.setting.network
    rows = []
    columns = {name: (amounts(before)[name], amounts(after)[name]) for name in amounts(after)}
    for r, region in enumerate(network.regions):
        for g, name in enumerate(network.forms):
            if not np.isfinite(after.home[r, g]):
                continue
            row: dict[str, Any] = {
                "region": region,
                "member": bool(after.mechanism.members[r]),
                "form": name,
                "price_before_usd_t": float(before.home[r, g]),
                "price_usd_t": float(after.home[r, g]),
            }
            for key, (old, new) in columns.items():
                row[f"{key}_before_t"], row[f"{key}_t"] = float(old[r, g]), float(new[r, g])
            rows.append(row)
    return pl.DataFrame(rows)


def amounts(year: Year) -> dict[str, Floats]:
    """(R, G) tonnes made, used, bought by states, from members, from others, sent out, passed off."""
    routes, shape = year.setting.routes, year.built.price
    used, inner, outer, sent, leaked = (np.zeros_like(shape) for _ in range(5))
    for use, amount in zip(year.built.uses, year.used.tolist(), strict=True):
        used[use.region, use.form] += amount
    inside = year.mechanism.members[routes.origin]
    np.add.at(inner, (routes.target[inside], routes.form[inside]), year.shipped[inside])
    np.add.at(outer, (routes.target[~inside], routes.form[~inside]), year.shipped[~inside])
    np.add.at(sent, (routes.origin, routes.form), year.shipped)
    np.add.at(leaked, (routes.target, routes.form), year.leaked)
    return {
        "made": year.made,
        "used": used,
        "bought": year.bought,
        "from_members": inner,
        "from_others": outer,
        "sent": sent,
        "passed_off": leaked,
    }


def flow_table(before: Year, after: Year) -> pl.DataFrame:
    """Return every flow before and after, with the levy due and what was passed off."""
    network, routes = after.setting.network, after.setting.routes
    shown = np.flatnonzero((before.shipped > 0) | (after.shipped > 0))
    levy = after.route_levy[shown]
    inside = after.mechanism.members
    table = pl.DataFrame(
        {
            "exporter": [network.regions[i] for i in routes.origin[shown]],
            "importer": [network.regions[j] for j in routes.target[shown]],
            "form": [network.forms[g] for g in routes.form[shown]],
            "from_member": inside[routes.origin[shown]],
            "to_member": inside[routes.target[shown]],
            "before_t": before.shipped[shown],
            "after_t": after.shipped[shown],
            "levy_usd_t": pl.Series([_number(x) for x in levy], dtype=pl.Float64),
            "paying_t": after.paying[shown],
            "passed_off_t": after.leaked[shown],
        }
    )
    return table.sort("form", "exporter", "importer")


def diversion(before: Year, after: Year) -> pl.DataFrame:
    """Return where each non-member's exports go: to members or to other non-members.

    Columns: exporter, form, to_members_before_t, to_members_t, to_others_before_t, to_others_t,
    price_before_usd_t, price_usd_t, diverted_share (of what members no longer take).
    """
    network, routes = after.setting.network, after.setting.routes
    inside = after.mechanism.members
    outside = amounts(before)["from_others"][inside].sum(axis=0)
    rows = []
    for g, name in enumerate(network.forms):
        for r in np.flatnonzero(~inside).tolist():
            mine = (routes.origin == r) & (routes.form == g)
            sums = [
                float(year.shipped[mine & (inside[routes.target] == member)].sum())
                for member in (True, False)
                for year in (before, after)
            ]
            if sums[0] <= VISIBLE * outside[g]:
                continue
            lost = sums[0] - sums[1]
            rows.append(
                {
                    "exporter": network.regions[r],
                    "form": name,
                    "to_members_before_t": sums[0],
                    "to_members_t": sums[1],
                    "to_others_before_t": sums[2],
                    "to_others_t": sums[3],
                    "price_before_usd_t": float(before.home[r, g]),
                    "price_usd_t": float(after.home[r, g]),
                    "diverted_share": (sums[3] - sums[2]) / lost if lost > SEEN * sums[0] else None,
                }
            )
    numbers = (
        "to_members_before_t", "to_members_t", "to_others_before_t", "to_others_t", "price_before_usd_t",
        "price_usd_t", "diverted_share",
    )  # fmt: skip
    schema = {"exporter": pl.String, "form": pl.String, **dict.fromkeys(numbers, pl.Float64)}
    return pl.DataFrame(rows, schema=schema).sort("form", "to_members_before_t", descending=[False, True])


def leaks(before: Year, after: Year) -> pl.DataFrame:
    """Return what comes in free although others made it: passed off, and sent on beyond own output (E84).

    Nothing where nothing is due at the border.

    Columns: form, passed_off_t, sent_on_before_t, sent_on_t, levy_avoided_usd.
    """
    network = after.setting.network
    rows = []
    for g, name in enumerate(network.forms):
        if not after.mechanism.held[:, g].any() or not after.mechanism.at_border:
            continue
        routes = after.setting.routes
        here = (after.leaked > 0) & (routes.form == g)
        gap = np.nan_to_num(after.home - after.border)[routes.target, routes.form]
        rows.append(
            {
                "form": name,
                "passed_off_t": float(after.leaked[here].sum()),
                "sent_on_before_t": _sent_on(before, after, g),
                "sent_on_t": _sent_on(after, after, g),
                "levy_avoided_usd": float((after.leaked * gap)[here].sum()),
            }
        )
    numbers = ("passed_off_t", "sent_on_before_t", "sent_on_t", "levy_avoided_usd")
    return pl.DataFrame(rows, schema={"form": pl.String, **dict.fromkeys(numbers, pl.Float64)})


def _sent_on(year: Year, after: Year, g: int) -> float:
    """Tonnes that members send free to one another beyond what they make themselves."""
    routes, members = after.setting.routes, after.mechanism.members
    inner = members[routes.origin] & after.mechanism.held[routes.target, routes.form] & (routes.form == g)
    free = year.shipped - year.paying - year.leaked
    total = np.zeros(len(members))
    np.add.at(total, routes.origin[inner], free[inner])
    extra = np.maximum(total - year.made[:, g], 0.0)
    return float(np.where(extra > 1e-9 * np.maximum(total, 1e-300), extra, 0.0).sum())


def budget_of(changes: pl.DataFrame, region: str | None = None) -> float:
    """Return the change of governments' budgets among members, or of one region, in USD."""
    chosen = changes.filter(pl.col("member") if region is None else pl.col("region") == region)
    return fsum(chosen.filter(pl.col("account").is_in(list(STATE)))["change_usd"].to_list())


def welfare_of(changes: pl.DataFrame, who: str) -> float:
    """Return the change of welfare of ``members``, ``others``, ``world`` or a region, in USD."""
    masks = {"members": pl.col("member"), "others": ~pl.col("member"), "world": pl.lit(True)}
    return fsum(changes.filter(masks.get(who, pl.col("region") == who))["change_usd"].to_list())


def positions(changes: pl.DataFrame) -> pl.DataFrame:
    """Return one row per region: the change of every group of accounts and their sum, in USD."""
    groups: dict[str, tuple[str, ...]] = {name: (name,) for name in ACCOUNTS if name not in STATE}
    groups["government"] = STATE
    rows = []
    for region in changes["region"].unique().sort().to_list():
        mine = changes.filter(pl.col("region") == region)
        row: dict[str, Any] = {"region": region, "member": bool(mine["member"][0])}
        for name, accounts in groups.items():
            some = mine.filter(pl.col("account").is_in(list(accounts)))
            row[f"{name}_usd"] = fsum(some["change_usd"].to_list())
        row["total_usd"] = fsum(mine["change_usd"].to_list())
        rows.append(row)
    return pl.DataFrame(rows)
