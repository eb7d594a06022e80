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
from evernormal.market.bloc_act import Mechanism, YearActs
from evernormal.market.bloc_ground import Ground, Projects
from evernormal.market.bloc_parts import Parts
from evernormal.market.bloc_prices import Views, prices_seen
from evernormal.market.bloc_supply import add_supply
from evernormal.market.bloc_trade import add_trade
from evernormal.market.parameters import Behaviour
from evernormal.market.routes import Routes
from evernormal.network.network import Network

__all__ = ["BlocMarket", "build"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


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
    ground = Ground(network, routes, behaviour, uses, acts, mechanism, projects, months)
    views, own = prices_seen(ground)
    add_trade(ground, views, own)
    add_supply(ground, views, own)
    recovery = np.array([c.recovery.value for c in network.conversions])
    wanted = ground.wanted * (1 + acts.growth)
    return BlocMarket(ground.parts, views, ground.price, ground.cell, wanted, uses, acts.added, recovery)
