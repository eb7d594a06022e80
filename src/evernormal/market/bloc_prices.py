"""Prices as those who decide see them: at home, at the border, with the levy; own goods apart (E82, E84)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evernormal.market.bloc_act import made_in
from evernormal.market.bloc_ground import Ground

__all__ = ["Own", "Views", "prices_seen"]

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Views:
    """Where the prices of a cell stand among the prices seen; -1 where there is none.

    Attributes:
        home: (R, G) what users pay and, unless a contract says otherwise, producers get.
        border: (R, G) what is offered at the border, before the levy.
        taxed: (R, G) home price less a fixed tariff.
        maker: (R, G) what members' makers get.
        own: (R, G) what own goods fetch that go free to other members; -1 where rules are not strict.
        landed: (A,) landed price of a route with its own levy.
    """

    home: Integers
    border: Integers
    taxed: Integers
    maker: Integers
    own: Integers
    landed: Integers


@dataclass(frozen=True)
class Own:
    """What members made themselves, where rules of origin are strict (E84).

    Attributes:
        share: (A,) share of a member's shipment to another that it made; 1 elsewhere.
        row: (R, G) balance of own goods, -1 where there is none.
    """

    share: Floats
    row: Integers


def prices_seen(ground: Ground) -> tuple[Views, Own]:
    """Add the prices as seen; return where they stand, and the balances of own goods."""
    active = ground.active
    kind, held = ground.mechanism.instrument, ground.mechanism.held & active
    reference = np.where(np.isfinite(ground.mechanism.reference), ground.mechanism.reference, 0.0)
    border = _view_of(ground, active)
    levied = held & (kind == "levy") & (not ground.mechanism.by_origin)
    bent = levied | (held & (kind == "purchase"))
    home = np.where(active, -1, -1)
    home[active] = ground.parts.add_views(
        ground.cell[active],
        threshold=np.where(bent, reference, 0.0)[active],
        rest_threshold=np.where(bent, np.minimum(reference, ground.price), 0.0)[active],
        below=np.where(bent, 0.0, 1.0)[active],
        border=np.where(levied, border, -1)[active],
    )
    taxed = home.copy()
    if kind == "tariff" and ground.mechanism.rate is not None:
        rate = np.broadcast_to(ground.mechanism.rate, active.shape)[held]
        taxed[held] = ground.parts.add_views(
            ground.cell[held], below=1 / (1 + rate), above=1 / (1 + rate), rest_slope=1.0
        )
    maker = home.copy()
    if kind == "contract":
        maker[held] = ground.parts.add_views(
            ground.cell[held],
            threshold=reference[held],
            rest_threshold=np.minimum(reference, ground.price)[held],
            below=0.0,
        )
    own, fetched = _own_goods(ground)
    maker = np.where(own.row >= 0, fetched, maker)
    return Views(home, border, taxed, maker, fetched, _landed(ground, own, reference)), own


def _view_of(ground: Ground, mask: Booleans) -> Integers:
    place = np.full(mask.shape, -1, dtype=np.int64)
    place[mask] = ground.parts.add_views(ground.cell[mask])
    return place


def _own_goods(ground: Ground) -> tuple[Own, Integers]:
    """Where rules of origin are strict, what a member makes has a balance of its own (E84).

    Only out of it do goods go free to other members; what is left is sold as any other goods are.  Of
    what a member sends on without having made it the base year shows the share.  The second
    answer is where own goods' prices stand.
    """
    active, routes, mechanism = ground.active, ground.routes, ground.mechanism
    price = np.full(active.shape, -1, dtype=np.int64)
    inner = mechanism.inner(routes) & mechanism.strict
    row = price.copy()
    if not inner.any():
        return Own(np.ones(len(routes.base)), row), price
    made = made_in(ground.network)
    sent = np.zeros_like(made)
    np.add.at(sent, (routes.origin[inner], routes.form[inner]), 12 * routes.base[inner])
    share = np.divide(np.minimum(made, sent), sent, out=np.ones_like(made), where=sent > 0)
    share = np.where(made > 0, share, 0.0)
    here = np.zeros_like(active)
    here[routes.origin[inner], routes.form[inner]] = True
    here &= (made > 0) & active
    rows = ground.parts.add_rows(ground.price[here], ground.scale[here])
    row[here] = rows
    price[here] = ground.parts.add_views(rows)
    return Own(np.where(inner, share[routes.origin, routes.form], 1.0), row), price


def _landed(ground: Ground, own: Own, reference: Floats) -> Integers:
    routes, place = ground.routes, np.full(len(ground.routes.base), -1, dtype=np.int64)
    levied = ground.mechanism.levied(routes) | (ground.mechanism.inner(routes) & (own.share < 1))
    if ground.mechanism.instrument != "levy" or not ground.mechanism.by_origin or not levied.any():
        return place
    a = np.flatnonzero(levied & ground.open_routes())
    seller = ground.price[routes.origin[a], routes.form[a]]
    margin = ground.margin()[a]
    threshold = reference[routes.target[a], routes.form[a]]
    place[a] = ground.parts.add_views(
        ground.cell[routes.origin[a], routes.form[a]],
        constant=margin + ground.wedge()[a],
        rest_constant=margin,
        threshold=threshold,
        rest_threshold=np.minimum(threshold, seller + margin),
        below=0.0,
    )
    return place
