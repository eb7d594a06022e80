"""One year of a network as a market that a bloc can act on (equations E82 to E84).

The curves are those of the monthly engine at the elasticities that hold after so many months: use falls along
its chain of chords (E41), supply rises into spare capacity, routes are calibrated to the base year (E49).
Quantities are tonnes contained per year, prices USD per tonne contained.  Every quantity is a slope between
two bounds, so that the whole is solved exactly (:mod:`evernormal.market.levy`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evernormal.market.acts import Use
from evernormal.market.bloc_act import Mechanism, YearActs, made_in
from evernormal.market.bloc_parts import Parts, Terms
from evernormal.market.cells import active_cells, processors, producers
from evernormal.market.curves import use_curve
from evernormal.market.parameters import Behaviour
from evernormal.market.program import FLAT
from evernormal.market.routes import Routes
from evernormal.network.network import Network

__all__ = ["BlocMarket", "Projects", "Views", "base_price", "build"]

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Integers = NDArray[np.int64]

RELABELLING_RANGE = 0.05
"""Gain beyond its cost, as a share of the exporter's price, at which all that can be relabelled is."""
FRICTION = 1e-4


@dataclass(frozen=True)
class Projects:
    """Supply that may be built: where, of what, how much a year, from which price on.

    Attributes:
        region: (J,) region index.
        form: (J,) form index.
        capacity: (J,) tonnes contained per year.
        price: (J,) USD per tonne contained above which it runs.
    """

    region: Integers
    form: Integers
    capacity: Floats
    price: Floats

    @classmethod
    def none(cls) -> Projects:
        """Return no project."""
        empty = np.zeros(0, dtype=np.int64)
        return cls(empty, empty, np.zeros(0), np.zeros(0))


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
class BlocMarket:
    """The parts of a year's market and what they rest on.

    Attributes:
        parts: prices as seen, quantities and balances, ready to be solved.
        views: where the prices of each cell stand.
        price: (R, G) base price, positive.
        cell: (R, G) row of the balance, -1 where nothing moves.
        use: (U,) tonnes that users want at base prices.
        uses: final uses.
        added: (R,) tonnes of the network's form that states put on a market.
        recovery: (C,) tonnes contained made per tonne converted.
    """

    parts: Parts
    views: Views
    price: Floats
    cell: Integers
    use: Floats
    uses: tuple[Use, ...]
    added: Floats
    recovery: Floats


def base_price(network: Network) -> Floats:
    """(R, G) base prices; a region without one has the form's mean, weighted by throughput."""
    throughput = network.throughput()
    trade = throughput.sum(axis=0)
    mean = np.divide(
        (network.price * throughput).sum(axis=0), trade, out=np.ones_like(trade), where=trade > 0
    )
    return np.asarray(np.where(network.price > 0, network.price, mean))


def build(
    network: Network,
    routes: Routes,
    behaviour: Behaviour,
    uses: tuple[Use, ...],
    acts: YearActs,
    mechanism: Mechanism,
    projects: Projects,
    months: int,
) -> BlocMarket:
    """Return the market of one year.

    Args:
        network: balanced base year.
        routes: arcs of the base year and those that could open.
        behaviour: curves of all actors.
        uses: final uses, tonnes per month.
        acts: what measures do in the year.
        mechanism: what the bloc does.
        projects: supply beyond the base year's.
        months: months since the market knows, which widens its elasticities.
    """
    return _Build(network, routes, behaviour, uses, acts, mechanism, projects, months).market()


class _Build:
    """Adds the pieces one after another."""

    def __init__(
        self,
        network: Network,
        routes: Routes,
        behaviour: Behaviour,
        uses: tuple[Use, ...],
        acts: YearActs,
        mechanism: Mechanism,
        projects: Projects,
        months: int,
    ) -> None:
        self.network, self.routes, self.behaviour = network, routes, behaviour
        self.uses, self.acts, self.mechanism, self.projects = uses, acts, mechanism, projects
        self.known = np.array([months])
        active = active_cells(network)
        self.cell = np.where(active, np.cumsum(active.reshape(-1)).reshape(active.shape) - 1, -1)
        self.price = base_price(network)
        self.scale = network.throughput()
        self.wanted = np.array([u.base * 12 for u in uses])
        self.parts = Parts()
        self.parts.add_rows(self.price[active], self.scale[active], self._fixed(acts), self._fixed(None))
        self.views = self._views(active)

    def market(self) -> BlocMarket:
        self._quota_rows()
        self._sold_as_plain()
        self._routes()
        self._leaks()
        self._production()
        self._conversion()
        self._uses()
        self._projects()
        self._absorption()
        self._purchases()
        recovery = np.array([c.recovery.value for c in self.network.conversions])
        wanted = self.wanted * (1 + self.acts.growth)
        return BlocMarket(
            self.parts, self.views, self.price, self.cell, wanted, self.uses, self.acts.added, recovery
        )

    def _fixed(self, acts: YearActs | None) -> Floats:
        """Tonnes that every balance must bring up: use at base prices less what states add."""
        need = np.zeros(int(self.cell.max()) + 1)
        growth = np.zeros(len(self.uses)) if acts is None else acts.growth
        for use, wanted in zip(self.uses, self.wanted * (1 + growth), strict=True):
            need[self.cell[use.region, use.form]] += wanted
        if acts is not None:
            rows = self.cell[:, self.network.form_index(self.network.form)]
            need[rows[rows >= 0]] -= acts.added[rows >= 0]
        return need

    # Prices as seen ---------------------------------------------------------------------------------------

    def _views(self, active: Booleans) -> Views:
        kind, held = self.mechanism.instrument, self.mechanism.held & active
        reference = np.where(np.isfinite(self.mechanism.reference), self.mechanism.reference, 0.0)
        border = self._view_of(active)
        levied = held & (kind == "levy") & (not self.mechanism.by_origin)
        bent = levied | (held & (kind == "purchase"))
        home = np.where(active, -1, -1)
        home[active] = self.parts.add_views(
            self.cell[active],
            threshold=np.where(bent, reference, 0.0)[active],
            rest_threshold=np.where(bent, np.minimum(reference, self.price), 0.0)[active],
            below=np.where(bent, 0.0, 1.0)[active],
            border=np.where(levied, border, -1)[active],
        )
        taxed = home.copy()
        if kind == "tariff" and self.mechanism.rate is not None:
            rate = np.broadcast_to(self.mechanism.rate, active.shape)[held]
            taxed[held] = self.parts.add_views(
                self.cell[held], below=1 / (1 + rate), above=1 / (1 + rate), rest_slope=1.0
            )
        maker = home.copy()
        if kind == "contract":
            maker[held] = self.parts.add_views(
                self.cell[held],
                threshold=reference[held],
                rest_threshold=np.minimum(reference, self.price)[held],
                below=0.0,
            )
        own = self._own_goods(active)
        maker = np.where(own >= 0, own, maker)
        return Views(home, border, taxed, maker, own, self._landed(reference))

    def _view_of(self, mask: Booleans) -> Integers:
        place = np.full(mask.shape, -1, dtype=np.int64)
        place[mask] = self.parts.add_views(self.cell[mask])
        return place

    def _own_goods(self, active: Booleans) -> Integers:
        """Where rules of origin are strict, what a member makes has a balance of its own (E84).

        Only out of it do goods go free to other members; what is left is sold as any other goods are.  Of
        what a member sends on without having made it the base year shows the share.
        """
        routes, mechanism = self.routes, self.mechanism
        price = np.full(active.shape, -1, dtype=np.int64)
        inner = mechanism.inner(routes) & mechanism.strict
        self.own = np.ones(len(routes.base))
        self.own_row = np.full(active.shape, -1, dtype=np.int64)
        if not inner.any():
            return price
        made = made_in(self.network)
        sent = np.zeros_like(made)
        np.add.at(sent, (routes.origin[inner], routes.form[inner]), 12 * routes.base[inner])
        share = np.divide(np.minimum(made, sent), sent, out=np.ones_like(made), where=sent > 0)
        share = np.where(made > 0, share, 0.0)
        self.own = np.where(inner, share[routes.origin, routes.form], 1.0)
        here = np.zeros_like(active)
        here[routes.origin[inner], routes.form[inner]] = True
        here &= (made > 0) & active
        rows = self.parts.add_rows(self.price[here], self.scale[here])
        self.own_row[here] = rows
        price[here] = self.parts.add_views(rows)
        return price

    def _sold_as_plain(self) -> None:
        """Own goods sold without proof of origin, at a friction of a ten-thousandth of the price."""
        r, g = np.nonzero(self.own_row >= 0)
        if not len(r):
            return
        own, price = self.views.own[r, g], self.price[r, g]
        inner = self.mechanism.inner(self.routes)
        sent = np.zeros_like(self.price)
        routes = self.routes
        np.add.at(sent, (routes.origin[inner], routes.form[inner]), (12 * routes.base * self.own)[inner])
        spare = np.maximum(made_in(self.network)[r, g] - sent[r, g], 0.0)
        slope = self.scale[r, g] / (FRICTION * price)
        self.parts.add_piece(
            "plain", prices=[(self.views.home[r, g], 1.0), (own, -1.0)],
            balances=[(self.cell[r, g], 1.0), (self.own_row[r, g], -1.0)], slope=slope,
            offset=-spare / slope, lower=0.0, upper=np.inf, region=r, form=g,
        )  # fmt: skip

    def _landed(self, reference: Floats) -> Integers:
        routes, place = self.routes, np.full(len(self.routes.base), -1, dtype=np.int64)
        levied = self.mechanism.levied(routes) | (self.mechanism.inner(routes) & (self.own < 1))
        if self.mechanism.instrument != "levy" or not self.mechanism.by_origin or not levied.any():
            return place
        a = np.flatnonzero(levied & self._open())
        seller = self.price[routes.origin[a], routes.form[a]]
        margin = self._margin()[a]
        threshold = reference[routes.target[a], routes.form[a]]
        place[a] = self.parts.add_views(
            self.cell[routes.origin[a], routes.form[a]],
            constant=margin + self._wedge()[a],
            rest_constant=margin,
            threshold=threshold,
            rest_threshold=np.minimum(threshold, seller + margin),
            below=0.0,
        )
        return place

    # Trade ------------------------------------------------------------------------------------------------

    def _open(self) -> Booleans:
        routes = self.routes
        ends = (self.cell[routes.origin, routes.form], self.cell[routes.target, routes.form])
        return np.asarray((ends[0] >= 0) & (ends[1] >= 0))

    def _margin(self) -> Floats:
        """(A,) what shipping costs in the base year: the gap between the prices at both ends (E83)."""
        routes = self.routes
        return np.asarray(self.price[routes.target, routes.form] - self.price[routes.origin, routes.form])

    def _wedge(self) -> Floats:
        """(A,) what measures add to the cost of a route, USD per tonne contained."""
        seller = self.price[self.routes.origin, self.routes.form]
        return np.asarray((self.acts.tariff - self.acts.dumping) * seller)

    def _routes(self) -> None:
        """Free routes, levied ones, and what members send on that they did not make."""
        levied = self.mechanism.levied(self.routes)
        inner = self.mechanism.inner(self.routes)
        open_now = self._open()
        self._add_routes("route", open_now & ~levied & (self.own > 0), self.own, "home", own=inner)
        self._add_routes("levied", open_now & levied, np.ones_like(self.own), "levied")
        self._add_routes("passed_on", open_now & inner & (self.own < 1), 1.0 - self.own, "passed_on")

    def _add_routes(
        self, name: str, mask: Booleans, share: Floats, duty: str, own: Booleans | None = None
    ) -> None:
        routes, views = self.routes, self.views
        a = np.flatnonzero(mask)
        i, j, g = routes.origin[a], routes.target[a], routes.form[a]
        buyer, seller = views.home[j, g], views.home[i, g]
        offset, rest = self._margin()[a] + self._wedge()[a], self._margin()[a]
        if duty != "home" and self.mechanism.instrument == "tariff":
            buyer = views.taxed[j, g]
        elif duty != "home" and self.mechanism.by_origin:
            seller, offset, rest = views.landed[a], np.zeros(len(a)), np.zeros(len(a))
        elif duty != "home":
            buyer = views.border[j, g]
        base, size = 12 * routes.base[a] * share[a], 12 * routes.reference[a] * share[a]
        cap = self.acts.cap[a] * share[a]
        price = self.price[i, g]
        slope = size * float(self.behaviour.substitution(self.known)[0]) / price
        premium = np.where(routes.base[a] == 0, self.behaviour.new_route_premium * price, 0.0)
        row = self.cell[i, g]
        if own is not None:
            proven = own[a] & (self.own_row[i, g] >= 0)
            seller, row = np.where(proven, views.own[i, g], seller), np.where(proven, self.own_row[i, g], row)
        prices: Terms = [(buyer, 1.0), (seller, -1.0)]
        balances: Terms = [(self.cell[j, g], 1.0), (row, -1.0)]
        self._under_quota(a, prices, balances)
        self.parts.add_piece(
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

    def _leaks(self) -> None:
        """Goods from outside that a member or a third country passes off as made inside (E84)."""
        mechanism, routes = self.mechanism, self.routes
        ways = mechanism.through or (-1,)
        if mechanism.leakage <= 0 or not mechanism.at_border:
            return
        for way in ways:
            a = np.flatnonzero(
                mechanism.levied(routes) & self._open() & (routes.base > 0) & (routes.origin != way)
            )
            i, j, g = routes.origin[a], routes.target[a], routes.form[a]
            most = np.minimum(12 * routes.base[a], self.acts.cap[a]) * mechanism.leakage / len(ways)
            price = self.price[i, g]
            cost = self._margin()[a] + mechanism.relabelling_cost * price
            prices: Terms = [(self.views.home[j, g], 1.0), (self.views.home[i, g], -1.0)]
            balances: Terms = [(self.cell[j, g], 1.0), (self.cell[i, g], -1.0)]
            self._under_quota(a, prices, balances)
            self.parts.add_piece(
                f"leak_{way}" if way >= 0 else "leak",
                prices=prices,
                balances=balances,
                slope=np.maximum(most, 1e-300) / (RELABELLING_RANGE * price),
                offset=cost + self._wedge()[a],
                rest_offset=cost,
                lower=0.0,
                upper=most,
                region=j,
                form=g,
                item=a,
            )

    def _quota_rows(self) -> None:
        """A cap on a sum of routes; what its last tonne is worth falls to whoever may ship."""
        self.quotas: list[tuple[Booleans, int, int]] = []
        routes = self.routes
        for number, (mask, cap) in enumerate(self.acts.quotas):
            base = float(12 * routes.base[mask].sum())
            form = int(routes.form[mask][0]) if mask.any() else 0
            size = np.array([max(base, cap, 1e-9 * float(self.scale[:, form].sum()))])
            give = size / self.price[:, form].mean()
            ample = max(cap, 2 * base)
            row = self.parts.add_rows(-(ample - base) / give, size, -cap, -ample)
            value = self.parts.add_views(row, below=0.0)
            plain = self.parts.add_views(row)
            self.quotas.append((mask, int(row[0]), int(value[0])))
            origin = routes.origin[mask][:1] if mask.any() else np.zeros(1, dtype=np.int64)
            self.parts.add_piece(
                f"unused_quota_{number}", prices=[(plain, 1.0)], balances=[(row, 1.0)], slope=give,
                offset=0.0, lower=-np.inf, upper=0.0, region=origin, form=np.array([form]),
            )  # fmt: skip

    def _under_quota(self, a: Integers, prices: Terms, balances: Terms) -> None:
        for mask, row, value in self.quotas:
            prices.append((np.where(mask[a], value, -1), -1.0))
            balances.append((np.where(mask[a], row, -1), -1.0))

    # Output and use ---------------------------------------------------------------------------------------

    def _made(self, r: Integers, g: Integers, amount: Floats | float) -> tuple[Terms, Terms]:
        """Price that a maker gets and balances in which its output counts, per unit of ``amount``."""
        row = np.where(self.own_row[r, g] >= 0, self.own_row[r, g], self.cell[r, g])
        return [(self.views.maker[r, g], amount)], [(row, amount)]

    def _production(self) -> None:
        b = self.behaviour
        r, g = producers(self.network)
        base, price = self.network.production[r, g], self.price[r, g]
        most = base * (1 + b.spare_capacity)
        upper = np.minimum(most, base * self.acts.output[r, g])
        lower = np.minimum(base * max(1 - b.idle_discount * b.supply_elasticity, 0.0), upper)
        slope = base * b.supply_elasticity / price
        prices, balances = self._made(r, g, 1.0)
        labels = {"region": r, "form": g, "item": np.arange(len(r))}
        self.parts.add_piece(
            "production", prices=prices, balances=balances, slope=slope, offset=price - base / slope,
            lower=lower, upper=upper, rest_upper=most,
            rest_lower=base * max(1 - b.idle_discount * b.supply_elasticity, 0.0), **labels,
        )  # fmt: skip
        prices, balances = self._made(r, g, -1.0)
        self.parts.add_piece(
            "production_idle", prices=prices, balances=balances, slope=base / (FLAT * price),
            offset=-price * (1 - b.idle_discount), lower=0.0, upper=lower,
            rest_upper=base * max(1 - b.idle_discount * b.supply_elasticity, 0.0), **labels,
        )  # fmt: skip

    def _conversion(self) -> None:
        b, steps = self.behaviour, self.network.conversions
        c, r = processors(self.network)
        if not len(c):
            return
        source = np.array([self.network.form_index(steps[k].source) for k in c], dtype=np.int64)
        target = np.array([self.network.form_index(steps[k].target) for k in c], dtype=np.int64)
        recovery = np.array([steps[k].recovery.value for k in c])
        base, price = self.network.activity[c, r], self.price[r, source]
        margin = recovery * self.price[r, target] - price
        slope = base * b.processing_elasticity / price
        least = base * max(1 - b.idle_discount * b.processing_elasticity, 0.0)
        for name, sign in (("conversion", 1.0), ("conversion_idle", -1.0)):
            prices, balances = self._made(r, target, sign * recovery)
            prices.append((self.views.home[r, source], -sign))
            balances.append((self.cell[r, source], -sign))
            running = sign > 0
            self.parts.add_piece(
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

    def _uses(self) -> None:
        """Use given up in segments of rising value, and other supply that takes over part of it."""
        if not self.uses:
            return
        b = self.behaviour
        short = np.array([u.elasticity for u in self.uses])
        curve = use_curve(short * float(b.use_factor(self.known)[0]), b.choke_ratio)
        r = np.array([u.region for u in self.uses], dtype=np.int64)
        g = np.array([u.form for u in self.uses], dtype=np.int64)
        price, wanted = self.price[r, g], self.wanted * (1 + self.acts.growth)
        for k, width in enumerate(curve.widths):
            self._relief(
                f"use_{k}", r, g, wanted / (price * np.maximum(curve.slope[k], FLAT)),
                price * (1 + curve.start[k]), -wanted if k == 0 else 0.0, wanted * width, self.wanted * width,
            )  # fmt: skip
        most = float(b.other_supply(self.known)[0])
        rise = (b.other_supply_full - b.other_supply_start) / max(most, 1e-3)
        self._relief(
            "other_supply", r, g, wanted / (price * rise), price * (1 + b.other_supply_start), 0.0,
            wanted * most, self.wanted * most,
        )  # fmt: skip

    def _relief(
        self,
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
        self.parts.add_piece(
            name, prices=[(self.views.home[r, g], 1.0)], balances=[(self.cell[r, g], 1.0)], slope=slope,
            offset=offset, lower=lower, upper=upper, rest_upper=rest_upper, region=r, form=g,
            item=np.arange(len(r)),
        )  # fmt: skip

    def _projects(self) -> None:
        p = self.projects
        if not len(p.region):
            return
        prices, balances = self._made(p.region, p.form, 1.0)
        self.parts.add_piece(
            "project", prices=prices, balances=balances,
            slope=np.maximum(p.capacity, 1e-300) / (FLAT * self.price[p.region, p.form]), offset=p.price,
            lower=0.0, upper=p.capacity, rest_upper=0.0, region=p.region, form=p.form,
            item=np.arange(len(p.region)),
        )  # fmt: skip

    def _absorption(self) -> None:
        """What can neither be shipped nor stopped is taken up at home, at a discount."""
        r, g = np.nonzero(self.cell >= 0)
        price = self.price[r, g]
        self.parts.add_piece(
            "absorbed", prices=[(self.views.home[r, g], -1.0)], balances=[(self.cell[r, g], -1.0)],
            slope=self.scale[r, g] / price, offset=price * (self.behaviour.absorption_discount - 1),
            lower=0.0, upper=np.inf, region=r, form=g,
        )  # fmt: skip

    def _purchases(self) -> None:
        """Governments buy whatever is offered at the reference price; it goes to stock."""
        if self.mechanism.instrument != "purchase":
            return
        r, g = np.nonzero(self.mechanism.held & (self.cell >= 0))
        reference, price = self.mechanism.reference[r, g], self.price[r, g]
        self.parts.add_piece(
            "purchase", prices=[(self.views.border[r, g], -1.0)], balances=[(self.cell[r, g], -1.0)],
            slope=self.scale[r, g] / price, offset=-reference, rest_offset=-np.minimum(reference, price),
            lower=0.0, upper=np.inf, region=r, form=g,
        )  # fmt: skip
