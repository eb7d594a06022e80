"""What one year's market of a bloc rests on, shared by all who add to it: network, prices, balances, acts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evernormal.market.acts import Use
from evernormal.market.bloc_act import Mechanism, YearActs
from evernormal.market.bloc_parts import Parts
from evernormal.market.cells import active_cells
from evernormal.market.parameters import Behaviour
from evernormal.market.routes import Routes
from evernormal.network.network import Network

__all__ = ["Ground", "Projects", "base_price"]

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Integers = NDArray[np.int64]


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


def base_price(network: Network) -> Floats:
    """(R, G) base prices; a region without one has the form's mean, weighted by throughput."""
    throughput = network.throughput()
    trade = throughput.sum(axis=0)
    mean = np.divide(
        (network.price * throughput).sum(axis=0), trade, out=np.ones_like(trade), where=trade > 0
    )
    return np.asarray(np.where(network.price > 0, network.price, mean))


class Ground:
    """One year: what is given, what follows from it for every cell, and the parts that grow on it.

    Attributes:
        known: (1,) months since the market knows.
        active: (R, G) whether anything moves.
        cell: (R, G) row of the balance, -1 where nothing moves.
        price: (R, G) base price, positive.
        scale: (R, G) throughput of the base year.
        wanted: (U,) tonnes a year of each use in the base year.
        parts: prices as seen, quantities and balances so far; the balances of all cells come first.
    """

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
        self.active = active = active_cells(network)
        self.cell = np.where(active, np.cumsum(active.reshape(-1)).reshape(active.shape) - 1, -1)
        self.price = base_price(network)
        self.scale = network.throughput()
        self.wanted = np.array([u.base * 12 for u in uses])
        self.parts = Parts()
        self.parts.add_rows(self.price[active], self.scale[active], self._fixed(acts), self._fixed(None))

    def open_routes(self) -> Booleans:
        """(A,) whether something moves at both ends."""
        routes = self.routes
        ends = (self.cell[routes.origin, routes.form], self.cell[routes.target, routes.form])
        return np.asarray((ends[0] >= 0) & (ends[1] >= 0))

    def margin(self) -> Floats:
        """(A,) what shipping costs in the base year: the gap between the prices at both ends (E83)."""
        routes = self.routes
        return np.asarray(self.price[routes.target, routes.form] - self.price[routes.origin, routes.form])

    def wedge(self) -> Floats:
        """(A,) what measures add to the cost of a route, USD per tonne contained."""
        seller = self.price[self.routes.origin, self.routes.form]
        return np.asarray((self.acts.tariff - self.acts.dumping) * seller)

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
