"""From a network and a scenario to a Result: the central run, the run without policies, and the draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from threadpoolctl import threadpool_limits

from evernormal.errors import InputError, LabelError
from evernormal.market.acts import Act
from evernormal.market.draws import DrawPlan, draw_all
from evernormal.market.outcome import calendar_of, outcome_of
from evernormal.market.parameters import MONTHLY_KINDS, behaviour, market_parameters
from evernormal.market.solver import SolverName
from evernormal.market.tables import simulation_result
from evernormal.network.network import Network
from evernormal.result import Parameter, Result

if TYPE_CHECKING:
    from evernormal.network.scenario import Scenario

__all__ = ["simulate"]


def simulate(
    network: Network,
    scenario: Scenario,
    *,
    draws: int | None = None,
    seed: int | None = None,
    workers: int = 1,
    parameters: dict[str, float] | None = None,
    solver: SolverName = "newton",
    progress: Callable[[int, int], None] | None = None,
) -> Result:
    """Simulate a scenario on a network (equations E45 to E56).

    Args:
        network: balanced base year; its focal region and form must be the scenario's.
        scenario: dated measures and policies.
        draws: number of parameter draws for the bands; the scenario's own when omitted, 0 for none.
        seed: seed of the draws; the scenario's own when omitted.
        workers: processes that share the draws; results do not depend on it (law 6).
        parameters: behavioural parameters fixed by name instead of the shipped central value and interval.
        solver: which solver is asked first.
        progress: called with (draws done, draws asked).

    Returns:
        A Result of kind ``simulation``; tables ``supply, imports, end_use, runway, bands, summary_bands,
        rerouting, regions, flows, measures, summary, base_rows, adjustments, implied_flows, parameters,
        end_use_names``, quantities in tonnes contained per month unless said.

    Raises:
        LabelError: network and scenario speak of different focal regions or forms (law 3).
        InputError: a negative number of draws, an unknown parameter, a measure that is not simulated.
        SolverError: no proven answer; nothing partial is returned.
    """
    _require_same(network, scenario)
    count = int(scenario.uncertainty.draws if draws is None else draws)
    if count < 0:
        raise InputError(f"draws must be at least 0, got {count}")
    if workers < 1:
        raise InputError(f"workers must be at least 1, got {workers}")
    chosen_seed = int(scenario.seed if seed is None else seed)
    central = behaviour(parameters)
    calendar = calendar_of(scenario)
    with threadpool_limits(1, "blas"):
        with_policies = outcome_of(network, central, calendar, _central_acts(scenario, True), solver=solver)
        without = with_policies
        if scenario.policies:
            without = outcome_of(network, central, calendar, _central_acts(scenario, False), solver=solver)
    fixed = dict(parameters or {})
    question = DrawPlan(network, scenario, fixed, solver, with_policies.run.standing)
    drawn = draw_all(question, count, chosen_seed, workers, progress)
    shown = (*_used_parameters(network, fixed), *scenario.measured())
    return simulation_result(network, scenario, with_policies, without, drawn, shown, chosen_seed, count)


def _require_same(network: Network, scenario: Scenario) -> None:
    if network.focal != scenario.focal:
        raise LabelError(
            f"the network is for {network.focal}, scenario {scenario.name!r} for {scenario.focal}",
            cure=f"Use scenario.with_focal({network.focal!r}) or load the network for {scenario.focal}.",
        )
    if network.form != scenario.form:
        raise LabelError(
            f"the network is about {network.form}, scenario {scenario.name!r} about {scenario.form}",
            cure=f"Load the network of {scenario.form}.",
        )


def _central_acts(scenario: Scenario, policies: bool) -> tuple[Act, ...]:
    return tuple(
        Act(measure, {name: number.central() for name, number in measure.hardness().items()})
        for measure in (*scenario.resolved_measures(), *(scenario.resolved_policies() if policies else ()))
    )


def _used_parameters(network: Network, fixed: dict[str, float]) -> tuple[Parameter, ...]:
    """Parameters as they were used: a fixed one has no interval left and says so."""
    own = [
        replace(
            p, value=fixed[p.name], low=fixed[p.name], high=fixed[p.name], grade="C", source="set by the user"
        )
        if p.name in fixed
        else p
        for p in market_parameters(MONTHLY_KINDS)
    ]
    return (*own, *network.parameters, *_end_use_parameters(network))


def _end_use_parameters(network: Network) -> tuple[Parameter, ...]:
    """Elasticity, value added and substitutable share of every end use of the form, by name and end use."""
    return tuple(
        replace(parameter, name=f"{name} [{end.name}]")
        for end in network.end_uses
        if end.form == network.form
        for name, parameter in (
            ("share", end.share),
            ("elasticity", end.elasticity),
            ("value_added", end.value_added),
            ("substitutable", end.substitutable),
        )
    )
