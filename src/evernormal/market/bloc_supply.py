"""Output and use of one year as pieces of a bloc's market (equations E41 and E82)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evernormal.market.bloc_ground import Ground
from evernormal.market.bloc_parts import Terms
from evernormal.market.bloc_prices import Own, Views
from evernormal.market.cells import processors, producers
from evernormal.market.curves import use_curve
from evernormal.market.program import FLAT

__all__ = ["add_supply"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def add_supply(ground: Ground, views: Views, own: Own) -> None:
    """Add whoever makes, converts, uses, stores or buys to the parts of a year."""
    _production(ground, views, own)
    _conversion(ground, views, own)
    _uses(ground, views)
    _projects(ground, views, own)
    _absorption(ground, views)
    _purchases(ground, views)


def _made(
    ground: Ground, views: Views, own: Own, r: Integers, g: Integers, amount: Floats | float
) -> tuple[Terms, Terms]:
    """Price that a maker gets and balances in which its output counts, per unit of ``amount``."""
    row = np.where(own.row[r, g] >= 0, own.row[r, g], ground.cell[r, g])
    return [(views.maker[r, g], amount)], [(row, amount)]


def _production(ground: Ground, views: Views, own: Own) -> None:
    b = ground.behaviour
    r, g = producers(ground.network)
    base, price = ground.network.production[r, g], ground.price[r, g]
    most = base * (1 + b.spare_capacity)
    upper = np.minimum(most, base * ground.acts.output[r, g])
    lower = np.minimum(base * max(1 - b.idle_discount * b.supply_elasticity, 0.0), upper)
    slope = base * b.supply_elasticity / price
    prices, balances = _made(ground, views, own, r, g, 1.0)
    labels = {"region": r, "form": g, "item": np.arange(len(r))}
    ground.parts.add_piece(
        "production", prices=prices, balances=balances, slope=slope, offset=price - base / slope,
        lower=lower, upper=upper, rest_upper=most,
        rest_lower=base * max(1 - b.idle_discount * b.supply_elasticity, 0.0), **labels,
    )  # fmt: skip
    prices, balances = _made(ground, views, own, r, g, -1.0)
    ground.parts.add_piece(
        "production_idle", prices=prices, balances=balances, slope=base / (FLAT * price),
        offset=-price * (1 - b.idle_discount), lower=0.0, upper=lower,
        rest_upper=base * max(1 - b.idle_discount * b.supply_elasticity, 0.0), **labels,
    )  # fmt: skip


def _conversion(ground: Ground, views: Views, own: Own) -> None:
    b, steps = ground.behaviour, ground.network.conversions
    c, r = processors(ground.network)
    if not len(c):
        return
    source = np.array([ground.network.form_index(steps[k].source) for k in c], dtype=np.int64)
    target = np.array([ground.network.form_index(steps[k].target) for k in c], dtype=np.int64)
    recovery = np.array([steps[k].recovery.value for k in c])
    base, price = ground.network.activity[c, r], ground.price[r, source]
    margin = recovery * ground.price[r, target] - price
    slope = base * b.processing_elasticity / price
    least = base * max(1 - b.idle_discount * b.processing_elasticity, 0.0)
    for name, sign in (("conversion", 1.0), ("conversion_idle", -1.0)):
        prices, balances = _made(ground, views, own, r, target, sign * recovery)
        prices.append((views.home[r, source], -sign))
        balances.append((ground.cell[r, source], -sign))
        running = sign > 0
        ground.parts.add_piece(
            name,
            prices=prices,
            balances=balances,
            slope=slope if running else base / (FLAT * price),
            offset=margin - base / slope if running else -margin + b.idle_discount * price,
            lower=least if running else 0.0,
            upper=base * (1 + b.processing_spare) if running else least,
            region=r,
            form=target,
            item=c,
        )


def _uses(ground: Ground, views: Views) -> None:
    """Use given up in segments of rising value, and other supply that takes over part of it."""
    if not ground.uses:
        return
    b = ground.behaviour
    short = np.array([u.elasticity for u in ground.uses])
    curve = use_curve(short * float(b.use_factor(ground.known)[0]), b.choke_ratio)
    r = np.array([u.region for u in ground.uses], dtype=np.int64)
    g = np.array([u.form for u in ground.uses], dtype=np.int64)
    price, wanted = ground.price[r, g], ground.wanted * (1 + ground.acts.growth)
    for k, width in enumerate(curve.widths):
        _relief(ground, views,
            f"use_{k}", r, g, wanted / (price * np.maximum(curve.slope[k], FLAT)),
            price * (1 + curve.start[k]), -wanted if k == 0 else 0.0, wanted * width, ground.wanted * width,
        )  # fmt: skip
    most = float(b.other_supply(ground.known)[0])
    rise = (b.other_supply_full - b.other_supply_start) / max(most, 1e-3)
    _relief(ground, views,
        "other_supply", r, g, wanted / (price * rise), price * (1 + b.other_supply_start), 0.0,
        wanted * most, ground.wanted * most,
    )  # fmt: skip


def _relief(
    ground: Ground,
    views: Views,
    name: str,
    r: Integers,
    g: Integers,
    slope: Floats,
    offset: Floats,
    lower: Floats | float,
    upper: Floats,
    rest_upper: Floats,
) -> None:
    """Tonnes that users do without, or find elsewhere, as their price rises."""
    ground.parts.add_piece(
        name, prices=[(views.home[r, g], 1.0)], balances=[(ground.cell[r, g], 1.0)], slope=slope,
        offset=offset, lower=lower, upper=upper, rest_upper=rest_upper, region=r, form=g,
        item=np.arange(len(r)),
    )  # fmt: skip


def _projects(ground: Ground, views: Views, own: Own) -> None:
    p = ground.projects
    if not len(p.region):
        return
    prices, balances = _made(ground, views, own, p.region, p.form, 1.0)
    ground.parts.add_piece(
        "project", prices=prices, balances=balances,
        slope=np.maximum(p.capacity, 1e-300) / (FLAT * ground.price[p.region, p.form]), offset=p.price,
        lower=0.0, upper=p.capacity, rest_upper=0.0, region=p.region, form=p.form,
        item=np.arange(len(p.region)),
    )  # fmt: skip


def _absorption(ground: Ground, views: Views) -> None:
    """What can neither be shipped nor stopped is taken up at home, at a discount."""
    r, g = np.nonzero(ground.cell >= 0)
    price = ground.price[r, g]
    ground.parts.add_piece(
        "absorbed", prices=[(views.home[r, g], -1.0)], balances=[(ground.cell[r, g], -1.0)],
        slope=ground.scale[r, g] / price, offset=price * (ground.behaviour.absorption_discount - 1),
        lower=0.0, upper=np.inf, region=r, form=g,
    )  # fmt: skip


def _purchases(ground: Ground, views: Views) -> None:
    """Governments buy whatever is offered at the reference price; it goes to stock."""
    if ground.mechanism.instrument != "purchase":
        return
    r, g = np.nonzero(ground.mechanism.held & (ground.cell >= 0))
    reference, price = ground.mechanism.reference[r, g], ground.price[r, g]
    ground.parts.add_piece(
        "purchase", prices=[(views.border[r, g], -1.0)], balances=[(ground.cell[r, g], -1.0)],
        slope=ground.scale[r, g] / price, offset=-reference, rest_offset=-np.minimum(reference, price),
        lower=0.0, upper=np.inf, region=r, form=g,
    )  # fmt: skip
