"""What else could have been done: instruments, membership, and attacks on the mechanism."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evernormal.market import bloc_tables
from evernormal.market.bloc_accounts import compare_accounts
from evernormal.market.bloc_act import Mechanism
from evernormal.market.bloc_ground import base_price
from evernormal.market.bloc_question import BlocQuestion, pair_of
from evernormal.market.bloc_year import Year
from evernormal.network.network import REST_OF_WORLD

__all__ = ["PRICE_CUT", "WITHHELD", "alternatives", "attacks", "mean_price", "membership", "outcome"]

Floats = NDArray[np.float64]

PRICE_CUT = 0.2
"""Price cut of the largest outside supplier that a study tries."""
WITHHELD = 0.5
"""Share of its shipments to members that the same supplier withholds in a study's retaliation."""

# Instruments ----------------------------------------------------------------------------------------------


def alternatives(question: BlocQuestion, changes: pl.DataFrame, before: Year, after: Year) -> pl.DataFrame:
    """The same reference held in other ways, and a fixed tariff of the same average rate."""
    rate = _average_rate(after, changes)
    asked = question.mechanism
    levy = replace(asked, instrument="levy", rate=None)
    tried = {
        "none": asked.without(),
        "levy": replace(levy, by_origin=False),
        "levy_by_origin": replace(levy, by_origin=True),
        "tariff": replace(levy, instrument="tariff", by_origin=False, rate=rate),
        "purchase": replace(asked, instrument="purchase", leakage=0.0),
        "contract": replace(asked, instrument="contract", leakage=0.0),
    }
    rows = []
    for name, mechanism in tried.items():
        if name == "tariff" and rate is None:
            continue
        same = mechanism == asked or (name == "levy" and asked.instrument == "levy" and not asked.by_origin)
        year = after if same else before if name == "none" else pair_of(question, mechanism)[1]
        rows.append({"instrument": name, **outcome(question, before, year)})
    return pl.DataFrame(rows)


def _average_rate(after: Year, changes: pl.DataFrame) -> Floats | None:
    """(G,) revenue over the value at the border: the fixed tariff that weighs as much; None without one."""
    if after.mechanism.instrument != "levy":
        return None
    rates = []
    for g, name in enumerate(after.setting.network.forms):
        revenue = float(changes.filter(account="levy", form=name)["change_usd"].sum())
        value = _value_at_border(after, g)
        rates.append(revenue / value if value > 0 and revenue > 0 else 0.0)
    return np.array(rates) if any(rates) else None


def _value_at_border(year: Year, g: int) -> float:
    routes = year.setting.routes
    a = np.flatnonzero((routes.form == g) & (year.paying > 0) & np.isfinite(year.route_levy))
    return float(((year.home[routes.target[a], g] - year.route_levy[a]) * year.paying[a]).sum())


def outcome(question: BlocQuestion, before: Year, year: Year) -> dict[str, float | None]:
    """Return what a year means for members, in the columns of every comparison.

    Prices are means over members of the scenario's form: of users over what is used, of makers over what is
    made, a contract's top-up included.
    """
    network, members = question.setting.network, question.mechanism.members
    g = network.form_index(network.form)
    amounts = bloc_tables.amounts(year)
    changes, residual = compare_accounts(before, year)
    held = question.mechanism.held
    total = {
        name: float(changes.filter(pl.col("member") & pl.col("account").is_in(accounts))["change_usd"].sum())
        for name, accounts in (
            ("users", ["users"]),
            ("makers", ["producers", "processors"]),
            ("traders", ["traders"]),
        )
    }
    return {
        "user_usd_t": mean_price(year.home[members, g], amounts["used"][members, g]),
        "maker_usd_t": mean_price(year.maker[members, g], amounts["made"][members, g]),
        "made_t": float(amounts["made"][members, g].sum()),
        "used_t": float(amounts["used"][members, g].sum()),
        "from_others_t": float(amounts["from_others"][members, g].sum()),
        "bought_t": float(amounts["bought"][held].sum()),
        "budget_usd": bloc_tables.budget_of(changes),
        "users_usd": total["users"],
        "makers_usd": total["makers"],
        "traders_usd": total["traders"],
        "members_usd": bloc_tables.welfare_of(changes, "members"),
        "world_usd": bloc_tables.welfare_of(changes, "world"),
        "accounts_residual_ratio": residual,
    }


def mean_price(price: Floats, weight: Floats) -> float | None:
    """Return the mean of prices weighted by tonnes; None without any."""
    known = np.isfinite(price) & (weight > 0)
    return float((price[known] * weight[known]).sum() / weight[known].sum()) if known.any() else None


# Membership -----------------------------------------------------------------------------------------------


def membership(question: BlocQuestion, before: Year, after: Year) -> pl.DataFrame:
    """The focal country without a bloc, outside of it, and inside."""
    network, mechanism = question.setting.network, question.mechanism
    focal = network.focal_index
    other = mechanism.members.copy()
    other[focal] = not other[focal]
    worlds: dict[str, Year | None] = {"none": before}
    worlds["inside" if mechanism.members[focal] else "outside"] = after
    changed = "outside" if mechanism.members[focal] else "inside"
    swapped = replace(mechanism, members=other, reference=_widened(mechanism, focal, base_price(network)))
    worlds[changed] = pair_of(question, swapped)[1] if other.any() and swapped.held.any() else None
    rows = []
    for name in ("none", "outside", "inside"):
        year = worlds.get(name)
        if year is not None:
            rows.append({"focal": network.focal, "position": name, **_stand(before, year, focal)})
    return pl.DataFrame(rows)


def _widened(mechanism: Mechanism, region: int, base: Floats) -> Floats:
    """References with one for a region that may have none: the members' mean ratio to their base prices."""
    reference = mechanism.reference.copy()
    for g in range(reference.shape[1]):
        cells = mechanism.held[:, g]
        if cells.any() and not np.isfinite(reference[region, g]):
            reference[region, g] = float((reference[cells, g] / base[cells, g]).mean() * base[region, g])
    return reference


def _stand(before: Year, year: Year, focal: int) -> dict[str, Any]:
    """What one country pays and gets."""
    network, routes = year.setting.network, year.setting.routes
    g = network.form_index(network.form)
    changes, _ = compare_accounts(before, year)
    mine = changes.filter(region=network.regions[focal])
    sums = {
        name: float(mine.filter(pl.col("account").is_in(accounts))["change_usd"].sum())
        for name, accounts in (
            ("users", ["users"]),
            ("makers", ["producers", "processors"]),
            ("traders", ["traders", "other_supply", "absorption"]),
            ("government", list(bloc_tables.STATE)),
        )
    }
    here = (routes.target == focal) & (routes.form == g)
    members = before.mechanism.members
    foreign = np.array([label != REST_OF_WORLD for label in network.regions]) & ~members
    outer = here & foreign[routes.origin] & (before.shipped > 0)
    main = int(routes.origin[outer][np.argmax(before.shipped[outer])]) if outer.any() else -1
    levies = year.route_levy[here & (routes.origin == main)]
    return {
        "price_usd_t": float(year.home[focal, g]),
        "main_supplier": network.regions[main] if outer.any() else None,
        "from_main_supplier_t": float(year.shipped[here & (routes.origin == main)].sum()),
        "imports_t": float(year.shipped[here].sum()),
        "levy_usd_t": float(levies[0]) if len(levies) and np.isfinite(levies[0]) else 0.0,
        **{f"{name}_usd": value for name, value in sums.items()},
        "total_usd": float(mine["change_usd"].sum()),
    }


# Attacks --------------------------------------------------------------------------------------------------


def attacks(question: BlocQuestion, before: Year, after: Year) -> pl.DataFrame:
    """A price cut by the largest outside supplier, and shipments withheld by it, under the mechanism."""
    network, routes = question.setting.network, question.setting.routes
    g, inside = network.form_index(network.form), question.mechanism.members
    acts = question.acts[question.shown]
    outer = (routes.form == g) & ~inside[routes.origin] & inside[routes.target] & (routes.base > 0)
    outer &= _named(question)[routes.origin] & (routes.origin != network.focal_index)
    if not outer.any():
        return pl.DataFrame(schema={"attack": pl.String, "by": pl.String})
    sums = np.bincount(routes.origin[outer], 12 * routes.base[outer], len(inside))
    largest = int(np.argmax(sums))
    hit = (routes.form == g) & (routes.origin == largest) & inside[routes.target]
    old = routes.base > 0
    cut = np.where(hit, acts.dumping + PRICE_CUT, acts.dumping)
    cap = np.where(hit & old, np.minimum(acts.cap, (1 - WITHHELD) * 12 * routes.base), acts.cap)
    cap = np.where(hit & ~old, 0.0, cap)
    tried = {
        "as_announced": None,
        "price_cut": replace(acts, dumping=cut),
        "withheld": replace(acts, cap=cap),
    }
    rows = []
    for name, changed in tried.items():
        calm, year = (before, after) if changed is None else pair_of(question, question.mechanism, changed)
        held = question.mechanism.held[:, g] & np.isfinite(year.home[:, g])
        above = year.home[held, g] / question.mechanism.reference[held, g]
        rows.append(
            {
                "attack": name,
                "by": network.regions[largest],
                "size_ratio": {"price_cut": PRICE_CUT, "withheld": WITHHELD}.get(name, 0.0),
                "price_over_reference_min_ratio": float(above.min()) if held.any() else None,
                "price_over_reference_max_ratio": float(above.max()) if held.any() else None,
                "without_mechanism_usd_t": mean_price(
                    calm.home[inside, g], bloc_tables.amounts(calm)["used"][inside, g]
                ),
                "levy_revenue_usd": _revenue(year, g),
                **outcome(question, calm, year),
            }
        )
    return pl.DataFrame(rows)


def _named(question: BlocQuestion) -> NDArray[np.bool_]:
    """(R,) regions that are one country."""
    return np.array([label != REST_OF_WORLD for label in question.setting.network.regions])


def _revenue(year: Year, g: int) -> float:
    routes = year.setting.routes
    a = np.flatnonzero((routes.form == g) & (year.paying > 0) & np.isfinite(year.route_levy))
    return float((year.route_levy[a] * year.paying[a]).sum())
