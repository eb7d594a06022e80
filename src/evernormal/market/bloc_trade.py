"""Trade of one year as pieces of a bloc's market: routes, what leaks, and quotas (equations E83 and E84)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evernormal.market.bloc_act import made_in
from evernormal.market.bloc_ground import Ground
from evernormal.market.bloc_parts import Terms
from evernormal.market.bloc_prices import Own, Views

__all__ = ["add_trade"]

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Integers = NDArray[np.int64]

RELABELLING_RANGE = 0.05
"""Gain beyond its cost, as a share of the exporter's price, at which all that can be relabelled is."""
FRICTION = 1e-4

_Quota = tuple[Booleans, int, int]
"""Routes under a quota, its balance, and what its last tonne is worth among the prices seen."""


def add_trade(ground: Ground, views: Views, own: Own) -> None:
    """Add quotas, then everything that is shipped, to the parts of a year."""
    quotas = _quota_rows(ground)
    _sold_as_plain(ground, views, own)
    _routes(ground, views, own, quotas)
    _leaks(ground, views, quotas)


def _quota_rows(ground: Ground) -> list[_Quota]:
    """A cap on a sum of routes; what its last tonne is worth falls to whoever may ship."""
    quotas: list[_Quota] = []
    routes = ground.routes
    for number, (mask, cap) in enumerate(ground.acts.quotas):
        base = float(12 * routes.base[mask].sum())
        form = int(routes.form[mask][0]) if mask.any() else 0
        size = np.array([max(base, cap, 1e-9 * float(ground.scale[:, form].sum()))])
        give = size / ground.price[:, form].mean()
        ample = max(cap, 2 * base)
        row = ground.parts.add_rows(-(ample - base) / give, size, -cap, -ample)
        value = ground.parts.add_views(row, below=0.0)
        plain = ground.parts.add_views(row)
        quotas.append((mask, int(row[0]), int(value[0])))
        origin = routes.origin[mask][:1] if mask.any() else np.zeros(1, dtype=np.int64)
        ground.parts.add_piece(
            f"unused_quota_{number}", prices=[(plain, 1.0)], balances=[(row, 1.0)], slope=give,
            offset=0.0, lower=-np.inf, upper=0.0, region=origin, form=np.array([form]),
        )  # fmt: skip
    return quotas


def _under_quota(quotas: list[_Quota], a: Integers, prices: Terms, balances: Terms) -> None:
    for mask, row, value in quotas:
        prices.append((np.where(mask[a], value, -1), -1.0))
        balances.append((np.where(mask[a], row, -1), -1.0))


def _sold_as_plain(ground: Ground, views: Views, own: Own) -> None:
    """Own goods sold without proof of origin, at a friction of a ten-thousandth of the price."""
    r, g = np.nonzero(own.row >= 0)
    if not len(r):
        return
    price = ground.price[r, g]
    inner = ground.mechanism.inner(ground.routes)
    sent = np.zeros_like(ground.price)
    routes = ground.routes
    np.add.at(sent, (routes.origin[inner], routes.form[inner]), (12 * routes.base * own.share)[inner])
    spare = np.maximum(made_in(ground.network)[r, g] - sent[r, g], 0.0)
    slope = ground.scale[r, g] / (FRICTION * price)
    ground.parts.add_piece(
        "plain", prices=[(views.home[r, g], 1.0), (views.own[r, g], -1.0)],
        balances=[(ground.cell[r, g], 1.0), (own.row[r, g], -1.0)], slope=slope,
        offset=-spare / slope, lower=0.0, upper=np.inf, region=r, form=g,
    )  # fmt: skip


def _routes(ground: Ground, views: Views, own: Own, quotas: list[_Quota]) -> None:
    """Free routes, levied ones, and what members send on that they did not make."""
    levied = ground.mechanism.levied(ground.routes)
    inner = ground.mechanism.inner(ground.routes)
    open_now = ground.open_routes()
    for name, mask, share in (
        ("route", ~levied & (own.share > 0), own.share),
        ("levied", levied, np.ones_like(own.share)),
        ("passed_on", inner & (own.share < 1), 1.0 - own.share),
    ):
        _add_routes(ground, views, own, quotas, name, np.flatnonzero(open_now & mask), share)


def _add_routes(
    ground: Ground, views: Views, own: Own, quotas: list[_Quota], name: str, a: Integers, share: Floats
) -> None:
    routes, free = ground.routes, name == "route"
    i, j, g = routes.origin[a], routes.target[a], routes.form[a]
    buyer, seller = views.home[j, g], views.home[i, g]
    offset, rest = ground.margin()[a] + ground.wedge()[a], ground.margin()[a]
    if not free and ground.mechanism.instrument == "tariff":
        buyer = views.taxed[j, g]
    elif not free and ground.mechanism.by_origin:
        seller, offset, rest = views.landed[a], np.zeros(len(a)), np.zeros(len(a))
    elif not free:
        buyer = views.border[j, g]
    base, size = 12 * routes.base[a] * share[a], 12 * routes.reference[a] * share[a]
    cap = ground.acts.cap[a] * share[a]
    price = ground.price[i, g]
    slope = size * float(ground.behaviour.substitution(ground.known)[0]) / price
    premium = np.where(routes.base[a] == 0, ground.behaviour.new_route_premium * price, 0.0)
    row = ground.cell[i, g]
    if free:
        proven = ground.mechanism.inner(routes)[a] & (own.row[i, g] >= 0)
        seller, row = np.where(proven, views.own[i, g], seller), np.where(proven, own.row[i, g], row)
    prices: Terms = [(buyer, 1.0), (seller, -1.0)]
    balances: Terms = [(ground.cell[j, g], 1.0), (row, -1.0)]
    _under_quota(quotas, a, prices, balances)
    ground.parts.add_piece(
        name,
        prices=prices,
        balances=balances,
        slope=slope,
        offset=offset + premium - base / slope,
        rest_offset=rest + premium - base / slope,
        lower=0.0,
        upper=cap,
        rest_upper=np.where(np.isfinite(cap), np.maximum(cap, 2 * size), np.inf),
        region=j,
        form=g,
        item=a,
    )


def _leaks(ground: Ground, views: Views, quotas: list[_Quota]) -> None:
    """Goods from outside that a member or a third country passes off as made inside (E84)."""
    mechanism, routes = ground.mechanism, ground.routes
    ways = mechanism.through or (-1,)
    if mechanism.leakage <= 0 or not mechanism.at_border:
        return
    for way in ways:
        a = np.flatnonzero(
            mechanism.levied(routes) & ground.open_routes() & (routes.base > 0) & (routes.origin != way)
        )
        i, j, g = routes.origin[a], routes.target[a], routes.form[a]
        most = np.minimum(12 * routes.base[a], ground.acts.cap[a]) * mechanism.leakage / len(ways)
        price = ground.price[i, g]
        cost = ground.margin()[a] + mechanism.relabelling_cost * price
        prices: Terms = [(views.home[j, g], 1.0), (views.home[i, g], -1.0)]
        balances: Terms = [(ground.cell[j, g], 1.0), (ground.cell[i, g], -1.0)]
        _under_quota(quotas, a, prices, balances)
        ground.parts.add_piece(
            f"leak_{way}" if way >= 0 else "leak",
            prices=prices,
            balances=balances,
            slope=np.maximum(most, 1e-300) / (RELABELLING_RANGE * price),
            offset=cost + ground.wedge()[a],
            rest_offset=cost,
            lower=0.0,
            upper=most,
            region=j,
            form=g,
            item=a,
        )
