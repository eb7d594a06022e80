"""A scenario with price floors laid out over its network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from evernormal.errors import InputError, LabelError
from evernormal.market.acts import Act, Calendar
from evernormal.market.bloc import setting_of, solve_pair
from evernormal.market.bloc_act import MONTHS, Mechanism, YearActs, mechanism_for, year_acts
from evernormal.market.bloc_ground import base_price
from evernormal.market.bloc_year import Setting, Year
from evernormal.network.network import Network
from evernormal.result import Finding

if TYPE_CHECKING:
    from evernormal.network.scenario import Scenario

__all__ = ["BlocQuestion", "lay_out", "pair_of"]


@dataclass(frozen=True)
class BlocQuestion:
    """A scenario laid out over a network.

    Attributes:
        setting: network and behaviour.
        mechanism: what the bloc does while its floor is in force.
        acts: what measures do in every year.
        in_force: whether the floor holds in every year.
        findings: what laying it out has told.
    """

    setting: Setting
    mechanism: Mechanism
    acts: tuple[YearActs, ...]
    in_force: tuple[bool, ...]
    findings: tuple[Finding, ...]

    @property
    def shown(self) -> int:
        """The year that the tables show: the last in which the floor holds (from 0)."""
        return max(year for year, holds in enumerate(self.in_force) if holds)


def lay_out(
    network: Network, scenario: Scenario, parameters: Mapping[str, float] | None = None
) -> BlocQuestion:
    """Return the question that a scenario asks."""
    if network.focal != scenario.focal or network.form != scenario.form:
        raise LabelError(
            f"the network is of {network.form} for {network.focal}, scenario {scenario.name!r} of"
            f" {scenario.form} for {scenario.focal}",
            cure="Load the scenario's own network.",
        )
    acts = (*scenario.resolved_measures(), *scenario.resolved_policies())
    floors: list[Any] = [act for act in acts if act.kind == "price_floor"]
    if not floors:
        raise InputError(
            f"scenario {scenario.name!r} has no measure of kind 'price_floor'",
            where="scenario",
            cure="Add one; see `evernormal scenario show bloc-lithium-hydroxide`.",
        )
    setting = setting_of(network, parameters)
    mechanism = _mechanism(network, floors)
    others = [
        Act(act, {name: number.central() for name, number in act.hardness().items()})
        for act in acts
        if act.kind != "price_floor"
    ]
    years = max(1, scenario.months // MONTHS)
    calendar = Calendar.of(scenario.start_date, years * MONTHS)
    laid = [year_acts(network, setting.routes, calendar, setting.uses, others, y) for y in range(years)]
    in_force = tuple(_holds(floors, calendar, year) for year in range(years))
    if not any(in_force):
        raise InputError(
            f"the price floor of scenario {scenario.name!r} holds in no whole year of it",
            where="scenario",
            cure="Give it at least half of a year counted from the start.",
        )
    return BlocQuestion(setting, mechanism, tuple(a for a, _ in laid), in_force, laid[0][1])


def _holds(floors: Sequence[Any], calendar: Calendar, year: int) -> bool:
    """Whether the floors are in force on most days of a year."""
    days = [calendar.active(floor)[(calendar.month_of_day // MONTHS) == year] for floor in floors]
    return bool(np.mean([day.mean() for day in days]) >= 0.5)


def _mechanism(network: Network, floors: Sequence[Any]) -> Mechanism:
    """Return one mechanism out of the floors of all forms."""
    shared = ("members", "partners", "instrument", "levy", "rules_of_origin", "leakage", "relabelling_cost",
              "through", "effective", "ends")  # fmt: skip
    first = floors[0]
    for floor in floors[1:]:
        for name in shared:
            if getattr(floor, name) != getattr(first, name):
                raise InputError(
                    f"price floors {first.id!r} and {floor.id!r} differ in {name}",
                    where="scenario",
                    cure="Floors of one bloc differ in form and price only: same members, rules and dates.",
                )
    base = base_price(network)
    prices: dict[str, dict[str, float]] = {}
    for floor in floors:
        for name in floor.forms:
            if name in prices:
                raise InputError(f"two price floors hold {name}", where="scenario", cure="Keep one of them.")
            prices[name] = {}
            if name not in network.forms:
                continue
            g = network.form_index(name)
            for member in floor.members:
                if member in network.regions:
                    own = base[network.region(member), g]
                    prices[name][member] = (
                        floor.usd_per_tonne.central()
                        if floor.share_of_base is None
                        else floor.share_of_base.central() * own
                    )
    return mechanism_for(
        network,
        first.members,
        prices,
        exempt=first.partners,
        instrument=first.instrument,
        levy=first.levy,
        rules_of_origin=first.rules_of_origin,
        leakage=first.leakage.central(),
        relabelling_cost=first.relabelling_cost.central(),
        through=first.through,
        base=base,
    )


def pair_of(question: BlocQuestion, mechanism: Mechanism, acts: YearActs | None = None) -> tuple[Year, Year]:
    """Return the year that the tables show, without and with a mechanism."""
    year = question.shown
    known = question.acts[year] if acts is None else acts
    return solve_pair(question.setting, mechanism, known, MONTHS * (year + 1))
