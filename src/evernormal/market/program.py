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

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from evernormal.market.acts import DAYS_PER_MONTH, Acts, Use
from evernormal.market.cells import active_cells, processors, producers
from evernormal.market.curves import use_curve
from evernormal.market.parameters import Behaviour
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
    """A program and what is needed to read its answer."""

    program: QuadraticProgram
    blocks: dict[str, Block]
    offsets: dict[str, int]
    cells: Integers
    row_scale: Floats
    money: float
    months: int
    constant_arrivals: Floats
    lag: Integers
    late: Floats


class _Assembly:
    """Builds the blocks and rows of one program; T open months from ``history.start`` on."""

    def __init__(
        self,
        network: Network,
        routes: Routes,
        behaviour: Behaviour,
        uses: tuple[Use, ...],
        acts: Acts,
        history: History,
    ) -> None:
        self.network, self.routes, self.behaviour = network, routes, behaviour
        self.uses, self.history = uses, history
        self.first = history.start
        self.months = acts.added.shape[1] - history.start
        self.acts = acts
        throughput = network.throughput() / 12
        self.active = active_cells(network)
        self.cell_index = np.where(
            self.active, np.cumsum(self.active.reshape(-1)).reshape(throughput.shape) - 1, -1
        )
        self.row_scale = throughput[self.active]
        trade = np.array([throughput[:, g].sum() for g in range(len(network.forms))])
        weight = np.divide(
            (network.price * throughput).sum(axis=0), trade, out=np.ones_like(trade), where=trade > 0
        )
        self.price = np.where(network.price > 0, network.price, weight)
        form = network.form_index(network.form)
        self.money = float(weight[form] * trade[form]) / max(len(network.regions), 1)

    # Blocks -----------------------------------------------------------------------------------------------

    def blocks(self) -> dict[str, Block]:
        return {
            "route": self._routes(),
            "production": self._production(),
            "production_idle": self._production_idle(),
            "activity": self._activity(),
            "activity_idle": self._activity_idle(),
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

    def _producers(self) -> tuple[Integers, Integers]:
        r, g = producers(self.network)
        return r, g

    def _production(self) -> Block:
        r, g = self._producers()
        b = self.behaviour
        base = self.network.production[r, g] / 12
        value = self.price[r, g] * base
        cap = self.acts.production_cap[r, g, self.first :] - 1.0
        upper = np.minimum(b.spare_capacity, cap)
        lower = np.minimum(-b.idle_discount * b.supply_elasticity, upper)
        zero = np.zeros_like(upper)
        return Block(base, zero + value[:, None] / b.supply_elasticity, zero, lower, upper)

    def _production_idle(self) -> Block:
        r, g = self._producers()
        base = self.network.production[r, g] / 12
        return self._idle(base, self.price[r, g] * base, self._production())

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

    def _processors(self) -> tuple[Integers, Integers, Integers, Integers]:
        c, r = processors(self.network)
        names = self.network.conversions
        source = np.array([self.network.form_index(names[k].source) for k in c], dtype=np.int64)
        target = np.array([self.network.form_index(names[k].target) for k in c], dtype=np.int64)
        return c, r, source, target

    def _activity(self) -> Block:
        c, r, source, _ = self._processors()
        b = self.behaviour
        base = self.network.activity[c, r] / 12
        value = self._over_months(self.price[r, source] * base)
        zero = np.zeros_like(value)
        lower = np.full_like(value, -b.idle_discount * b.processing_elasticity)
        return Block(
            base, value / b.processing_elasticity, zero, lower, np.full_like(value, b.processing_spare)
        )

    def _activity_idle(self) -> Block:
        c, r, source, _ = self._processors()
        base = self.network.activity[c, r] / 12
        return self._idle(base, self.price[r, source] * base, self._activity())

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
        r, g = self._holders()
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

    def _holders(self) -> tuple[Integers, Integers]:
        r, g = np.nonzero((self.network.commercial_stock > 0) & (self.cell_index >= 0))
        return r, g

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

    def rows(
        self, offsets: dict[str, int], whole: Integers, late: Floats
    ) -> list[tuple[Integers, Integers, Floats]]:
        """Return (row, column, coefficient) triplets in tonnes per unit of the scaled variable."""
        t = np.arange(self.months)
        entries: list[tuple[Integers, Integers, Floats]] = []

        def put(block: str, region: Integers, form: Integers, weight: Floats) -> None:
            cell = self.cell_index[region, form]
            row = cell[:, None] * self.months + t
            column = offsets[block] + np.arange(len(cell))[:, None] * self.months + t
            whole_weight = np.broadcast_to(np.asarray(weight), row.shape)
            seen = cell >= 0
            entries.append((row[seen], column[seen], whole_weight[seen]))

        routes = self.routes
        put("route", routes.origin, routes.form, -routes.reference[:, None])
        entries.extend(self._arrival_entries(offsets["route"], whole, late))
        r, g = self._producers()
        base = (self.network.production[r, g] / 12)[:, None]
        put("production", r, g, base)
        put("production_idle", r, g, -base)
        c, region, source, target = self._processors()
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
        entries.extend(self._stock_entries(offsets["stock"]))
        return entries

    def _arrival_entries(
        self, offset: int, whole: Integers, late: Floats
    ) -> list[tuple[Integers, Integers, Floats]]:
        routes, t = self.routes, np.arange(self.months)
        cell = self.cell_index[routes.target, routes.form]
        column = offset + np.arange(len(cell))[:, None] * self.months + t
        entries = []
        for extra, share in ((0, 1.0 - late), (1, late)):
            month = t + whole[:, self.first :] + extra
            weight = routes.reference[:, None] * share[:, self.first :]
            seen = (month < self.months) & (weight > 0) & (cell >= 0)[:, None]
            entries.append(((cell[:, None] * self.months + month)[seen], column[seen], weight[seen]))
        return entries

    def _stock_entries(self, offset: int) -> list[tuple[Integers, Integers, Floats]]:
        r, g = self._holders()
        t = np.arange(self.months)
        cell = self.cell_index[r, g]
        row = cell[:, None] * self.months + t
        column = offset + np.arange(len(cell))[:, None] * self.months + t
        held = np.broadcast_to(self._target_stock()[r, g][:, None], row.shape)
        return [(row, column, -held), (row[:, 1:], column[:, :-1], held[:, :-1])]

    def right_hand_side(self, arrivals: Floats) -> Floats:
        """(cells * T) what the variables must make up for, in tonnes."""
        gain = np.zeros((len(self.row_scale), self.months))
        routes = self.routes
        cell = self.cell_index[routes.target, routes.form]
        np.add.at(gain, cell[cell >= 0], (arrivals - routes.base[:, None])[cell >= 0])
        for use, growth in zip(self.uses, self._grown() - 1.0, strict=True):
            gain[self.cell_index[use.region, use.form]] -= use.base * growth
        cell = self.cell_index[:, self.network.form_index(self.network.form)]
        gain[cell[cell >= 0]] += self.acts.added[cell >= 0, self.first :]
        r, g = self._holders()
        np.add.at(gain[:, 0], self.cell_index[r, g], self.history.stock[r, g] - self._target_stock()[r, g])
        return -gain.reshape(-1)

    def quota_rows(self, offset: int) -> tuple[sparse.csc_matrix | None, Floats | None]:
        rows: list[Integers] = []
        columns: list[Integers] = []
        values: list[Floats] = []
        limits: list[float] = []
        base = self.routes.base
        for mask, cap in self.acts.quotas:
            total = max(float(base[mask].sum()), 1e-12)
            for t in np.flatnonzero(np.isfinite(cap[self.first :])):
                items = np.flatnonzero(mask)
                rows.append(np.full(len(items), len(limits)))
                columns.append(offset + items * self.months + t)
                values.append(self.routes.reference[items] / total)
                limits.append((cap[self.first + t] - base[mask].sum()) / total)
        if not limits:
            return None, None
        shape = (len(limits), offset + len(base) * self.months)
        matrix = sparse.csc_matrix(
            (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=shape
        )
        return matrix, np.array(limits)


def assemble(
    network: Network,
    routes: Routes,
    behaviour: Behaviour,
    uses: tuple[Use, ...],
    acts: Acts,
    history: History,
) -> Assembled:
    """Return the quadratic program of the open months, scaled to order one."""
    build = _Assembly(network, routes, behaviour, uses, acts, history)
    blocks = build.blocks()
    offsets, size = {}, 0
    for name, block in blocks.items():
        offsets[name] = size
        size += block.lower.size
    whole, late = build.lags()
    arrivals = build.constant_arrivals(whole, late)
    entries = build.rows(offsets, whole, late)
    row = np.concatenate([e[0].reshape(-1) for e in entries])
    column = np.concatenate([e[1].reshape(-1) for e in entries])
    scale = np.repeat(build.row_scale, build.months)
    weight = np.concatenate([e[2].reshape(-1) for e in entries]) / scale[row]
    equality = sparse.csc_matrix((weight, (row, column)), shape=(len(scale), size))

    def joined(part: str) -> Floats:
        return np.concatenate([getattr(b, part).reshape(-1) for b in blocks.values()])

    quotas, limits = build.quota_rows(offsets["route"])
    if quotas is not None:
        quotas.resize((quotas.shape[0], size))
    program = QuadraticProgram(
        sparse.diags_array(joined("quadratic") / build.money, format="csc"),
        joined("linear") / build.money,
        equality,
        build.right_hand_side(arrivals) / scale,
        joined("lower"),
        joined("upper"),
        quotas,
        limits,
        build.months,
    )
    return Assembled(
        program,
        blocks,
        offsets,
        build.cell_index,
        build.row_scale,
        build.money,
        build.months,
        arrivals,
        whole,
        late,
    )


def arrivals_of(shipped: Floats, whole: Integers, late: Floats, routes: Routes) -> Floats:
    """Return (A, T) arrivals of everything shipped, base cargo at sea before the first month included."""
    count = shipped.shape[1]
    before = int(whole.max(initial=0)) + 2
    base_whole = np.floor(routes.transit_days / DAYS_PER_MONTH).astype(np.int64)
    base_late = routes.transit_days / DAYS_PER_MONTH - base_whole
    cargo = np.concatenate([np.repeat(routes.base[:, None], before, axis=1), shipped], axis=1)
    lag = np.concatenate([np.repeat(base_whole[:, None], before, axis=1), whole], axis=1)
    share = np.concatenate([np.repeat(base_late[:, None], before, axis=1), late], axis=1)
    total = np.zeros((len(routes.base), before + count + before + 2))
    route = np.repeat(np.arange(len(routes.base))[:, None], before + count, axis=1)
    month = np.arange(before + count)[None, :] + lag
    np.add.at(total, (route, month), cargo * (1 - share))
    np.add.at(total, (route, month + 1), cargo * share)
    return total[:, before : before + count]
