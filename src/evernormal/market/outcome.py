"""What one run of the market means for the focal region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from evernormal.market.acts import Act, Calendar, Use
from evernormal.market.dual_newton import ActiveSet
from evernormal.market.parameters import Behaviour
from evernormal.market.prepared import Prepared
from evernormal.market.routes import Routes
from evernormal.market.run import TAIL_MONTHS, Run, between, final_uses, run
from evernormal.market.runway import Runway, runway
from evernormal.market.solver import SolverName
from evernormal.network.network import EndUse, Network

if TYPE_CHECKING:
    from evernormal.network.scenario import Scenario

__all__ = ["CENTRE", "Outcome", "Stand", "calendar_of", "outcome_of"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Stand:
    """Where in the intervals of all end uses a run stands: -1 low, 0 central value, 1 high."""

    elasticity: float = 0.0
    value_added: float = 0.0
    substitutable: float = 0.0


CENTRE = Stand()


@dataclass(frozen=True)
class Outcome:
    """What one run means for the focal region; T months of the horizon, tonnes contained per month."""

    run: Run
    calendar: Calendar
    routes: Routes
    imports: Floats
    base_imports: Floats
    domestic: Floats
    other: Floats
    use: Floats
    base_use: Floats
    shortage: Floats
    stock: Floats
    state_stock: Floats
    price_ratio: Floats
    cover_days: Floats
    end_use: tuple[tuple[EndUse | None, str, Floats, Floats, Floats], ...]
    loss: Floats
    stop: Runway
    uses: tuple[Use, ...]

    def biting(self) -> NDArray[np.bool_]:
        """(T,) months from the first to the last in which a measure bites, within the horizon."""
        biting = self.run.acts.biting()[: len(self.calendar.months)]
        where = np.flatnonzero(biting)
        if len(where):
            biting[where[0] : where[-1] + 1] = True
        return biting

    def suppliers(self, network: Network) -> NDArray[np.int64]:
        """Indices of the routes that bring the scenario's form to the focal region."""
        here = self.routes.target == network.focal_index
        return np.flatnonzero(here & (self.routes.form == network.form_index(network.form)))


def calendar_of(scenario: Scenario) -> Calendar:
    """Return the months of a scenario and the tail that is solved beyond them."""
    year, month = (int(part) for part in str(scenario.start).split("-")[:2])
    return Calendar.of(date(year, month, 1), int(scenario.months) + TAIL_MONTHS)


def outcome_of(
    network: Network,
    chosen: Behaviour,
    calendar: Calendar,
    acts: Sequence[Act],
    *,
    stand: Stand = CENTRE,
    solver: SolverName = "newton",
    near: Mapping[int, ActiveSet] | None = None,
    prepared: Prepared | None = None,
    rest_known: bool = False,
) -> Outcome:
    """Run the market once and read it from the focal region's side.

    Args:
        network: balanced base year.
        chosen: behaviour of this run.
        calendar: months of the horizon and the tail.
        acts: resolved measures with their hardness.
        stand: where in the intervals of the end uses this run stands.
        solver: which solver is asked first.
        near: active sets of a neighbouring run, see :func:`evernormal.market.run.run`.
        prepared: ``network`` prepared before; prepared here when omitted.
        rest_known: see :func:`evernormal.market.run.run`.
    """
    prepared = prepared or Prepared(network)
    routes = prepared.routes(chosen.new_route_size)
    uses = final_uses(network, chosen, stand.elasticity)
    done = run(
        network,
        routes,
        chosen,
        uses,
        calendar,
        acts,
        solver=solver,
        near=near,
        prepared=prepared,
        rest_known=rest_known,
    )
    horizon = len(calendar.months) - TAIL_MONTHS
    shown = prepared.kept(
        "calendars", (calendar.months[0], horizon), lambda: Calendar.of(calendar.months[0], horizon)
    )
    path, r, g = done.path, network.focal_index, network.form_index(network.form)
    here = (routes.target == r) & (routes.form == g)
    imports = path.arrived[here].sum(axis=0)[:horizon]
    domestic = path.production[r, g, :horizon].copy()
    converted, base_converted = np.zeros(horizon), 0.0
    for c, conversion in enumerate(network.conversions):
        if conversion.target == network.form:
            domestic += path.activity[c, r, :horizon] * conversion.recovery.value
        if conversion.source == network.form:
            converted += path.activity[c, r, :horizon]
            base_converted += float(network.activity[c, r]) / 12
    final = np.array([u.region == r and u.form == g for u in uses], dtype=bool)
    wanted = np.array([u.base for u in uses])[:, None] * (1 + done.acts.demand_growth[:, :horizon])
    used = path.used[final, :horizon].sum(axis=0) + converted
    base_use = wanted[final].sum(axis=0) + base_converted
    stock, state = path.stock[r, g, :horizon], done.acts.state_stock[:horizon]
    days = shown.days_in_month
    ends = _end_uses(network, uses, path.used[:, :horizon], wanted, stand)
    start = float(network.commercial_stock[r, g]) * chosen.commercial_stock_scale
    held = float(network.state_stock[r, g]) if any(a.measure.kind == "stock_release" for a in acts) else 0.0
    return Outcome(
        done,
        shown,
        routes,
        imports,
        np.full(horizon, float(routes.base[here].sum())),
        domestic,
        path.other[final, :horizon].sum(axis=0),
        used,
        base_use,
        _positive(base_use - used, base_use),
        stock,
        state,
        path.price[r, g, :horizon],
        np.divide((stock + state) * days, base_use, out=np.full(horizon, np.nan), where=base_use > 0),
        ends,
        sum((loss for *_, loss in ends), np.zeros(horizon)),
        runway(shown, start + held, imports + domestic + path.other[final, :horizon].sum(axis=0), base_use),
        uses,
    )


def _positive(gap: Floats, scale: Floats) -> Floats:
    """Drop gaps below the accuracy of the solution, so that the base year has no shortage at all (law 5)."""
    return np.where(gap > 1e-7 * np.maximum(scale, 1e-300), gap, 0.0)


def _end_uses(
    network: Network, uses: tuple[Use, ...], used: Floats, wanted: Floats, stand: Stand
) -> tuple[tuple[EndUse | None, str, Floats, Floats, Floats], ...]:
    """Per end use of the focal region: (end use, key, used, base use, loss in USD), equation E52.

    Without an end use in the tables the loss is unknown: NaN, never 0 (law 2).
    """
    found: list[tuple[EndUse | None, str, Floats, Floats, Floats]] = []
    for use, path, base in zip(uses, used, wanted, strict=True):
        if use.region != network.focal_index:
            continue
        form = network.forms[use.form]
        end = next((e for e in network.end_uses if e.form == form and e.name == use.name), None)
        key = use.name if form == network.form else f"{form}: {use.name}"
        short = _positive(base - path, base)
        if end is None:
            found.append((None, key, path, base, np.full_like(path, np.nan)))
            continue
        value = between(end.value_added, stand.value_added)
        without = between(end.substitutable, stand.substitutable)
        found.append((end, key, path, base, short * value * (1.0 - without)))
    return tuple(found)
