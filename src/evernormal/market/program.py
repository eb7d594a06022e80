"""The multi-period spatial price equilibrium of one chain as a quadratic program (equations E45 to E54).

Every variable is a deviation from the base picture, scaled by its own base, so the base year is the point
where all variables vanish and all marginal costs meet (positive mathematical programming, Howitt 1995): no
measure, no change. The signed terms of the balance are written once, in :func:`_Assembly.rows`; the checker
and the report read the same physical quantities.

Adjustment is a route's elasticity that widens with the months since the market knows (equation E46) instead
of a cost on month-to-month change: the program stays a convex flow in time, for which a harder ban never
helps who is banned.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from evernormal.market.acts import DAYS_PER_MONTH, Acts, Use
from evernormal.market.curves import use_curve
from evernormal.market.layout import Layout, Term
from evernormal.market.parameters import Behaviour
from evernormal.market.prepared import Prepared
from evernormal.market.routes import Routes
from evernormal.market.solver import QuadraticProgram
from evernormal.network.network import Network

__all__ = ["Assembled", "History", "arrivals_of", "assemble"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

FLAT = 1e-3
"""Slope given to flat pieces so that equal plans are told apart (share of the base price)."""


@dataclass(frozen=True)
class History:
    """What is already done when a program starts in month ``start``.

    Attributes:
        start: index of the first month still open.
        known_since: index of the month in which the market first knew of a measure.
        shipped: (A, start) tonnes shipped in the months before.
        stock: (R, G) commercial stock at the start of the first open month.
    """

    start: int
    known_since: int
    shipped: Floats
    stock: Floats


@dataclass(frozen=True)
class Block:
    """A group of variables, one per item and month: value = scale * v, with cost 1/2 quadratic v^2 + linear
    v."""

    scale: Floats
    quadratic: Floats
    linear: Floats
    lower: Floats
    upper: Floats


@dataclass(frozen=True)
class Assembled:
    """A program and what is needed to read its answer.

    Attributes:
        prepared: the network that it was made from.
        blocks: groups of variables in their order.
        offsets: number of each block's first variable.
        months: open months.
        constant_arrivals: (A, T) arrivals when every open month ships its base.
        lag: (A, first + T) whole months on the way.
        late: (A, first + T) share that arrives one month later still.
        layout: pattern of the balances.
        entries: their entries, rows scaled to order one.
        rhs: (m,) right-hand sides, scaled alike.
        curvature: (n,) second derivative of the cost, in units of ``money``.
        linear: (n,) first derivative at zero.
        lower: (n,) bounds.
        upper: (n,) bounds.
        quotas: caps on sums of routes, with their limits, or None.
    """

    prepared: Prepared
    blocks: dict[str, Block]
    offsets: dict[str, int]
    months: int
    constant_arrivals: Floats
    lag: Integers
    late: Floats
    layout: Layout
    entries: Floats
    rhs: Floats
    curvature: Floats
    linear: Floats
    lower: Floats
    upper: Floats
    quotas: tuple[sparse.csc_matrix, Floats] | None

    @property
    def money(self) -> float:
        """USD that count as one in the objective."""
        return self.prepared.money

    @cached_property
    def program(self) -> QuadraticProgram:
        """The program in the form that every solver takes."""
        quotas, limits = self.quotas or (None, None)
        return QuadraticProgram(
            sparse.diags_array(self.curvature, format="csc"),
            self.linear,
            self.layout.matrix(self.entries),
            self.rhs,
            self.lower,
            self.upper,
            quotas,
            limits,
            self.months,
        )


class _Assembly:
    """Builds the blocks and rows of one program; T open months from ``history.start`` on."""

    def __init__(
        self,
        prepared: Prepared,
        routes: Routes,
        behaviour: Behaviour,
        uses: tuple[Use, ...],
        acts: Acts,
        history: History,
    ) -> None:
        self.prepared, self.network = prepared, prepared.network
        self.routes, self.behaviour = routes, behaviour
        self.uses, self.history = uses, history
        self.first = history.start
        self.months = acts.added.shape[1] - history.start
        self.acts = acts
        self.active, self.cell_index = prepared.active, prepared.cell_index
        self.row_scale, self.price, self.money = prepared.row_scale, prepared.price, prepared.money

    # Blocks -----------------------------------------------------------------------------------------------

    def blocks(self) -> dict[str, Block]:
        production, activity = self._production(), self._activity()
        return {
            "route": self._routes(),
            "production": production,
            "production_idle": self._production_idle(production),
            "activity": activity,
            "activity_idle": self._activity_idle(activity),
            **{f"use_{k}": block for k, block in enumerate(self._use_segments())},
            "other_supply": self._other_supply(),
            "absorbed": self._absorbed(),
            "stock": self._stock(),
        }

    def _over_months(self, per_item: Floats) -> Floats:
        return np.repeat(per_item[:, None], self.months, axis=1)

    def _routes(self) -> Block:
        routes, acts = self.routes, self.acts
        new = routes.base == 0
        value = self.price[routes.origin, routes.form] * routes.reference
        elasticity = self.behaviour.substitution(self._known())
        cap = acts.route_cap[:, self.first :]
        premium = np.where(new, self.behaviour.new_route_premium, 0.0)
        return Block(
            routes.reference,
            value[:, None] / elasticity[None, :],
            value[:, None] * (premium[:, None] + acts.route_wedge[:, self.first :]),
            self._over_months(np.where(new, 0.0, -1.0)),
            np.where(new[:, None], cap, np.maximum(cap - 1.0, -1.0)),
        )

    def _production(self) -> Block:
        r, g = self.prepared.producers
        b = self.behaviour
        base = self.network.production[r, g] / 12
        value = self.price[r, g] * base
        cap = self.acts.production_cap[r, g, self.first :] - 1.0
        upper = np.minimum(b.spare_capacity, cap)
        lower = np.minimum(-b.idle_discount * b.supply_elasticity, upper)
        zero = np.zeros_like(upper)
        return Block(base, zero + value[:, None] / b.supply_elasticity, zero, lower, upper)

    def _production_idle(self, running: Block) -> Block:
        r, g = self.prepared.producers
        return self._idle(running.scale, self.price[r, g] * running.scale, running)

    def _idle(self, base: Floats, value_of_base: Floats, running: Block) -> Block:
        """Plants that stop altogether: what is left of ``running`` at its lower bound, so output is never
        negative."""
        value = self._over_months(value_of_base)
        return Block(
            base,
            value * FLAT,
            value * self.behaviour.idle_discount,
            np.zeros_like(value),
            np.maximum(1.0 + running.lower, 0.0),
        )

    def _activity(self) -> Block:
        c, r, source, _ = self.prepared.processors
        b = self.behaviour
        base = self.network.activity[c, r] / 12
        value = self._over_months(self.price[r, source] * base)
        zero = np.zeros_like(value)
        lower = np.full_like(value, -b.idle_discount * b.processing_elasticity)
        return Block(
            base, value / b.processing_elasticity, zero, lower, np.full_like(value, b.processing_spare)
        )

    def _activity_idle(self, running: Block) -> Block:
        _, r, source, _ = self.prepared.processors
        return self._idle(running.scale, self.price[r, source] * running.scale, running)

    def _grown(self) -> Floats:
        return np.asarray(1.0 + self.acts.demand_growth[:, self.first :])

    def _use_segments(self) -> list[Block]:
        """Use given up, in segments of rising value (equation E41); the first also runs upward."""
        if not self.uses:
            return []
        short = np.array([u.elasticity for u in self.uses])
        curve = use_curve(
            np.outer(short, self.behaviour.use_factor(self._known())), self.behaviour.choke_ratio
        )
        value = self._worth_of_use()[:, None] * self._grown()
        blocks = []
        for k, width in enumerate(curve.widths):
            lower = np.full_like(value, -1.0 if k == 0 else 0.0)
            slope = np.maximum(curve.slope[k], FLAT)
            upper = np.full_like(value, width)
            blocks.append(Block(np.ones(len(short)), value * slope, value * curve.start[k], lower, upper))
        return blocks

    def _worth_of_use(self) -> Floats:
        return np.array([self.price[u.region, u.form] * u.base for u in self.uses])

    def _other_supply(self) -> Block:
        """Domestic output, recycling and other forms that take over part of a use (equation E58)."""
        b = self.behaviour
        value = self._worth_of_use()[:, None] * self._grown()
        upper = np.broadcast_to(b.other_supply(self._known()), value.shape)
        rise = (b.other_supply_full - b.other_supply_start) / np.maximum(upper, 1e-3)
        return Block(
            np.ones(len(value)), value * rise, value * b.other_supply_start, np.zeros_like(value), upper
        )

    def _absorbed(self) -> Block:
        """What can neither be shipped nor stopped on its way is taken up at home, at a discount."""
        value = self._over_months(self.price[self.active] * self.row_scale)
        discount = self.behaviour.absorption_discount
        free = np.full_like(value, np.inf)
        return Block(self.row_scale, value, value * discount, np.zeros_like(value), free)

    def _known(self) -> Integers:
        """(T,) months since the market first knew of a measure."""
        return np.arange(self.first, self.first + self.months) - self.history.known_since

    def _stock(self) -> Block:
        r, g = self.prepared.holders
        base = self._target_stock()[r, g]
        value = self._over_months(self.price[r, g] * base)
        free = np.full_like(value, np.inf)
        return Block(
            base,
            value * self.behaviour.convenience_slope,
            np.zeros_like(value),
            np.full_like(value, -1.0),
            free,
        )

    def _target_stock(self) -> Floats:
        return np.asarray(self.network.commercial_stock * self.behaviour.commercial_stock_scale)

    # Rows: the balance of every cell and month, written once ----------------------------------------------

    def lags(self) -> tuple[Integers, Floats]:
        """(A, first + T) whole months on the way and the share that arrives one month later still."""
        months = (self.routes.transit_days[:, None] + self.acts.route_delay) / DAYS_PER_MONTH
        whole = np.floor(months).astype(np.int64)
        return whole, months - whole

    def constant_arrivals(self, whole: Integers, late: Floats) -> Floats:
        """(A, T) arrivals when every open month ships its base: cargo at sea included."""
        return arrivals_of(self._shipped_at_base(), whole, late, self.routes)[:, self.first :]

    def _shipped_at_base(self) -> Floats:
        open_months = np.repeat(self.routes.base[:, None], self.months, axis=1)
        return np.concatenate([self.history.shipped, open_months], axis=1)

    def terms(self, offsets: dict[str, int], whole: Integers, late: Floats) -> list[Term]:
        """Return every signed term of the balances, in tonnes per unit of the scaled variable."""
        terms: list[Term] = []

        def put(block: str, region: Integers, form: Integers, weight: Floats) -> None:
            terms.append(Term(offsets[block], self.cell_index[region, form], weight))

        routes = self.routes
        put("route", routes.origin, routes.form, -routes.reference[:, None])
        terms.extend(self._arrival_terms(offsets["route"], whole, late))
        r, g = self.prepared.producers
        base = (self.network.production[r, g] / 12)[:, None]
        put("production", r, g, base)
        put("production_idle", r, g, -base)
        c, region, source, target = self.prepared.processors
        taken = (self.network.activity[c, region] / 12)[:, None]
        recovery = np.array([self.network.conversions[k].recovery.value for k in c])[:, None]
        for block, sign in (("activity", 1.0), ("activity_idle", -1.0)):
            put(block, region, source, -sign * taken)
            put(block, region, target, sign * taken * recovery)
        users = np.array([u.region for u in self.uses], dtype=np.int64)
        forms = np.array([u.form for u in self.uses], dtype=np.int64)
        given_up = np.array([u.base for u in self.uses])[:, None] * self._grown()
        for block in ("other_supply", *(name for name in offsets if name.startswith("use_"))):
            put(block, users, forms, given_up)
        here, form = np.nonzero(self.active)
        put("absorbed", here, form, -self.row_scale[:, None])
        terms.extend(self._stock_terms(offsets["stock"]))
        return terms

    def _arrival_terms(self, offset: int, whole: Integers, late: Floats) -> list[Term]:
        routes, t = self.routes, np.arange(self.months)
        cell = self.cell_index[routes.target, routes.form]
        terms = []
        for extra, share in ((0, 1.0 - late), (1, late)):
            month = t + whole[:, self.first :] + extra
            weight = routes.reference[:, None] * share[:, self.first :]
            terms.append(Term(offset, cell, weight, month, weight > 0))
        return terms

    def _stock_terms(self, offset: int) -> list[Term]:
        r, g = self.prepared.holders
        cell = self.cell_index[r, g]
        held = self._target_stock()[r, g][:, None]
        later = np.broadcast_to(np.arange(1, self.months + 1), (len(cell), self.months))
        return [Term(offset, cell, -held), Term(offset, cell, held, later)]

    def layout(self, terms: list[Term], whole: Integers, late: Floats, columns: int) -> Layout:
        """Return the pattern of the balances, made once per first month and lags."""
        opened = slice(self.first, None)
        key = (
            self.first,
            self.months,
            columns,
            tuple((use.region, use.form) for use in self.uses),
            self.routes.origin.tobytes() + self.routes.target.tobytes() + self.routes.form.tobytes(),
            whole[:, opened].tobytes(),
            (late[:, opened] > 0).tobytes(),
        )
        return self.prepared.kept("layouts", key, lambda: Layout(terms, self.row_scale, self.months, columns))

    def right_hand_side(self, arrivals: Floats) -> Floats:
        """(cells * T) what the variables must make up for, in tonnes."""
        gain = np.zeros((len(self.row_scale), self.months))
        routes = self.routes
        cell = self.cell_index[routes.target, routes.form]
        np.add.at(gain, cell[cell >= 0], (arrivals - routes.base[:, None])[cell >= 0])
        if self.acts.demand_growth.any():
            for use, growth in zip(self.uses, self._grown() - 1.0, strict=True):
                gain[self.cell_index[use.region, use.form]] -= use.base * growth
        cell = self.cell_index[:, self.network.form_index(self.network.form)]
        gain[cell[cell >= 0]] += self.acts.added[cell >= 0, self.first :]
        r, g = self.prepared.holders
        np.add.at(gain[:, 0], self.cell_index[r, g], self.history.stock[r, g] - self._target_stock()[r, g])
        return -gain.reshape(-1)

    def quota_rows(self, offset: int, columns: int) -> tuple[sparse.csc_matrix, Floats] | None:
        """Return caps on sums of routes, as shares of the base shipments, and their limits."""
        rows: list[Integers] = []
        places: list[Integers] = []
        values: list[Floats] = []
        limits: list[float] = []
        base = self.routes.base
        for mask, cap in self.acts.quotas:
            total = max(float(base[mask].sum()), 1e-12)
            for t in np.flatnonzero(np.isfinite(cap[self.first :])):
                items = np.flatnonzero(mask)
                rows.append(np.full(len(items), len(limits)))
                places.append(offset + items * self.months + t)
                values.append(self.routes.reference[items] / total)
                limits.append((cap[self.first + t] - base[mask].sum()) / total)
        if not limits:
            return None
        triplets = (np.concatenate(values), (np.concatenate(rows), np.concatenate(places)))
        return sparse.csc_matrix(triplets, shape=(len(limits), columns)), np.array(limits)


def assemble(
    network: Network,
    routes: Routes,
    behaviour: Behaviour,
    uses: tuple[Use, ...],
    acts: Acts,
    history: History,
    *,
    prepared: Prepared | None = None,
) -> Assembled:
    """Return the quadratic program of the open months, scaled to order one.

    Args:
        prepared: ``network`` prepared before; prepared here when omitted.
    """
    build = _Assembly(prepared or Prepared(network), routes, behaviour, uses, acts, history)
    blocks = build.blocks()
    offsets, size = {}, 0
    for name, block in blocks.items():
        offsets[name] = size
        size += block.lower.size
    whole, late = build.lags()
    arrivals = build.constant_arrivals(whole, late)
    terms = build.terms(offsets, whole, late)
    layout = build.layout(terms, whole, late, size)

    def joined(part: str) -> Floats:
        return np.concatenate([getattr(b, part).reshape(-1) for b in blocks.values()])

    return Assembled(
        build.prepared,
        blocks,
        offsets,
        build.months,
        arrivals,
        whole,
        late,
        layout,
        layout.data(terms),
        build.right_hand_side(arrivals) / np.repeat(build.row_scale, build.months),
        joined("quadratic") / build.money,
        joined("linear") / build.money,
        joined("lower"),
        joined("upper"),
        build.quota_rows(offsets["route"], size),
    )


def arrivals_of(shipped: Floats, whole: Integers, late: Floats, routes: Routes) -> Floats:
    """Return (A, T) arrivals of everything shipped, base cargo at sea before the first month included."""
    count = shipped.shape[1]
    before = int(whole.max(initial=0)) + 2
    base_whole = np.floor(routes.transit_days / DAYS_PER_MONTH).astype(np.int64)
    base_late = routes.transit_days / DAYS_PER_MONTH - base_whole
    cargo = np.concatenate([np.repeat(routes.base[:, None], before, axis=1), shipped], axis=1)
    if (whole == base_whole[:, None]).all() and (late == base_late[:, None]).all():  # nothing is held up
        month = before + np.arange(count) - base_whole[:, None]
        arrived = np.take_along_axis(cargo, month, axis=1) * (1 - base_late[:, None])
        return np.asarray(arrived + np.take_along_axis(cargo, month - 1, axis=1) * base_late[:, None])
    lag = np.concatenate([np.repeat(base_whole[:, None], before, axis=1), whole], axis=1)
    share = np.concatenate([np.repeat(base_late[:, None], before, axis=1), late], axis=1)
    span = before + count + before + 2
    place = np.arange(len(routes.base))[:, None] * span + np.arange(before + count) + lag
    places = np.concatenate([place.reshape(-1), place.reshape(-1) + 1])
    amounts = np.concatenate([(cargo * (1 - share)).reshape(-1), (cargo * share).reshape(-1)])
    total = np.bincount(places, weights=amounts, minlength=len(routes.base) * span).astype(np.float64)
    return total.reshape(len(routes.base), span)[:, before : before + count]
