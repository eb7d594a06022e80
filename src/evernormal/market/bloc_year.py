"""A solved year of a bloc's market: prices, quantities and levies by their names."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from evernormal.market.acts import Use
from evernormal.market.bloc_act import Mechanism, YearActs
from evernormal.market.bloc_ground import Projects
from evernormal.market.bloc_market import BlocMarket, build
from evernormal.market.levy import Market, Point, solve_market
from evernormal.market.parameters import Behaviour
from evernormal.market.routes import Routes
from evernormal.network.network import Network

__all__ = ["SHIPPING", "Setting", "Year", "solve_year"]

Floats = NDArray[np.float64]

SHIPPING = ("route", "levied", "passed_on")
"""Pieces that are shipments as declared; those whose name begins with ``leak`` are shipments passed off."""


@dataclass(frozen=True)
class Setting:
    """What stays the same from one question to the next: the network and how its actors behave."""

    network: Network
    routes: Routes
    behaviour: Behaviour
    uses: tuple[Use, ...]


@dataclass(frozen=True)
class Year:
    """A solved year.  R regions, G forms, A routes, C conversions, U uses.

    Attributes:
        setting: network and behaviour.
        mechanism: what the bloc does.
        acts: what measures do.
        projects: supply beyond the base year's.
        built: the market that was solved.
        market: its arrays.
        point: its solution.
        rest: quantities when nobody acts.
    """

    setting: Setting
    mechanism: Mechanism
    acts: YearActs
    projects: Projects
    built: BlocMarket
    market: Market
    point: Point
    rest: Floats

    def quantity(self, piece: str) -> Floats:
        """Return the tonnes of a piece; empty when the market does not have it."""
        known = self.built.parts.pieces.get(piece)
        return np.zeros(0) if known is None else self.point.quantities[known.place]

    def _seen(self, views: NDArray[np.int64]) -> Floats:
        return np.where(views >= 0, self.point.prices[np.maximum(views, 0)], np.nan)

    @cached_property
    def home(self) -> Floats:
        """(R, G) what users pay, NaN where nothing moves."""
        return self._seen(self.built.views.home)

    @cached_property
    def maker(self) -> Floats:
        """(R, G) what makers get."""
        return self._seen(self.built.views.maker)

    @cached_property
    def border(self) -> Floats:
        """(R, G) what is paid to whoever sells at the border."""
        if self.mechanism.instrument == "tariff":
            return self._seen(self.built.views.taxed)
        if self.mechanism.instrument == "levy":
            return np.where(self.out_of_reach, np.nan, self._seen(self.built.views.border))
        return self.home

    @cached_property
    def out_of_reach(self) -> NDArray[np.bool_]:
        """(R, G) cells whose price no levy lifts to the reference."""
        home = self.built.views.home
        return (home >= 0) & self.point.out_of_reach[np.maximum(home, 0)]

    @cached_property
    def route_levy(self) -> Floats:
        """(A,) levy or tariff per tonne of goods from outside; NaN where none can be due."""
        routes, kind = self.setting.routes, self.mechanism.instrument
        levy = np.full(len(routes.base), np.nan)
        for name in ("levied", "passed_on"):
            piece = self.built.parts.pieces.get(name)
            if piece is None:
                continue
            a = piece.item
            if kind == "levy" and self.mechanism.by_origin:
                view = self.built.views.landed[a]
                levy[a] = self.point.prices[view] - self.point.plain[view]
            else:
                j, g = routes.target[a], routes.form[a]
                levy[a] = self.home[j, g] - self.border[j, g]
        return levy

    @cached_property
    def shipped(self) -> Floats:
        """(A,) tonnes on every route, what is passed off included."""
        total = np.zeros(len(self.setting.routes.base))
        for name, piece in self.built.parts.pieces.items():
            if name in SHIPPING or name.startswith("leak"):
                np.add.at(total, piece.item, self.point.quantities[piece.place])
        return total

    @cached_property
    def leaked(self) -> Floats:
        """(A,) tonnes that are passed off as made inside."""
        total = np.zeros(len(self.setting.routes.base))
        for name, piece in self.built.parts.pieces.items():
            if name.startswith("leak"):
                np.add.at(total, piece.item, self.point.quantities[piece.place])
        return total

    @cached_property
    def paying(self) -> Floats:
        """(A,) tonnes that pay at the border."""
        total = np.zeros(len(self.setting.routes.base))
        for name in ("levied", "passed_on"):
            piece = self.built.parts.pieces.get(name)
            if piece is not None:
                np.add.at(total, piece.item, self.point.quantities[piece.place])
        return total

    def _by_cell(self, *pieces: str, sign: tuple[float, ...] = (1.0, -1.0)) -> Floats:
        total = np.zeros_like(self.built.price)
        for name, factor in zip(pieces, sign, strict=False):
            piece = self.built.parts.pieces.get(name)
            if piece is not None:
                np.add.at(total, (piece.region, piece.form), factor * self.point.quantities[piece.place])
        return total

    @cached_property
    def production(self) -> Floats:
        """(R, G) primary output, projects included."""
        return self._by_cell("production", "production_idle", "project", sign=(1.0, -1.0, 1.0))

    @cached_property
    def converted(self) -> Floats:
        """(C, R) tonnes taken in by every conversion."""
        total = np.zeros_like(self.setting.network.activity)
        for name, factor in (("conversion", 1.0), ("conversion_idle", -1.0)):
            piece = self.built.parts.pieces.get(name)
            if piece is not None:
                np.add.at(total, (piece.item, piece.region), factor * self.point.quantities[piece.place])
        return total

    @cached_property
    def made(self) -> Floats:
        """(R, G) primary output and conversion output."""
        made = self.production.copy()
        network = self.setting.network
        for c, conversion in enumerate(network.conversions):
            made[:, network.form_index(conversion.target)] += self.converted[c] * conversion.recovery.value
        return made

    @cached_property
    def relieved(self) -> Floats:
        """(U,) tonnes that users do without."""
        return sum(
            (self.quantity(name) for name in self.built.parts.pieces if name.startswith("use_")),
            np.zeros(len(self.built.uses)),
        )

    @cached_property
    def used(self) -> Floats:
        """(U,) tonnes used, other supply included."""
        return self.built.use - self.relieved

    @cached_property
    def bought(self) -> Floats:
        """(R, G) tonnes that governments buy to hold the price."""
        return self._by_cell("purchase", sign=(1.0,))

    def complementarity(self) -> float:
        """Return the largest violation of E80 or E81, relative to the base price.

        A levy is never negative, a price never below its reference, and one of the two is exact.
        """
        held, levy = self.mechanism.held & np.isfinite(self.home), self.mechanism.instrument == "levy"
        if not levy or not held.any():
            return 0.0
        if self.mechanism.by_origin:
            view = self.built.views.landed
            a = np.flatnonzero(view >= 0)
            routes = self.setting.routes
            reference = self.mechanism.reference[routes.target[a], routes.form[a]]
            above, due = self.point.prices[view[a]] - reference, self.route_levy[a]
            size = self.built.price[routes.target[a], routes.form[a]]
        else:
            cells = held & ~self.out_of_reach
            above = (self.home - self.mechanism.reference)[cells]
            due, size = (self.home - self.border)[cells], self.built.price[cells]
        return float(np.abs(np.minimum(above, due) / size).max(initial=0.0))


def solve_year(
    setting: Setting,
    mechanism: Mechanism,
    acts: YearActs,
    months: int,
    projects: Projects | None = None,
) -> Year:
    """Return the market of a year.

    Args:
        months: months since the market knows, which widens its elasticities.

    Raises:
        SolverError: no balanced point was found.
    """
    some = Projects.none() if projects is None else projects
    built = build(
        setting.network, setting.routes, setting.behaviour, setting.uses, acts, mechanism, some, months
    )
    market, resting, start = built.parts.market(), built.parts.market(resting=True), built.parts.start()
    point = solve_market(market, start, None if mechanism.instrument == "tariff" else resting)
    rest = resting.quantities(resting.seen(start)[1])
    return Year(setting, mechanism, acts, some, built, market, point, rest)
