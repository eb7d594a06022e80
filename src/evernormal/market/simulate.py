"""From a network and a scenario to a Result: the central run, the run without policies, and the draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evernormal.errors import InputError, LabelError
from evernormal.market.acts import Act, Calendar, Use
from evernormal.market.parameters import (
    MONTHLY_KINDS,
    Behaviour,
    behaviour,
    market_parameters,
    sample_behaviour,
)
from evernormal.market.routes import Routes, routes_of
from evernormal.market.run import TAIL_MONTHS, Run, between, final_uses, run
from evernormal.market.runway import Runway, runway
from evernormal.market.solver import SolverName
from evernormal.network.network import EndUse, Network
from evernormal.result import Parameter, Result

if TYPE_CHECKING:
    from evernormal.network.measures import Measure
    from evernormal.network.scenario import Scenario

__all__ = ["DRAWN_SERIES", "Drawn", "Outcome", "simulate"]

Floats = NDArray[np.float64]

DRAWN_SERIES = ("imports_t", "price_ratio", "cover_days", "shortage_t", "loss_usd")


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


@dataclass(frozen=True)
class Drawn:
    """The draws: series of :data:`DRAWN_SERIES`, each (N, T), and stop dates as days from the start (NaN:
    none)."""

    series: dict[str, Floats]
    stop_days: Floats


@dataclass(frozen=True)
class _Draw:
    behaviour: Behaviour
    elasticity: float
    value_added: float
    substitutable: float
    acts: tuple[Act, ...]


def simulate(
    network: Network,
    scenario: Scenario,
    *,
    draws: int | None = None,
    seed: int | None = None,
    workers: int = 1,
    parameters: dict[str, float] | None = None,
    solver: SolverName = "piqp",
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
        rerouting, regions, flows, measures, summary, base_rows, adjustments, parameters, end_use_names``,
        quantities in tonnes contained per month unless said.

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
    calendar = _calendar(scenario)
    with_policies = _outcome(network, central, calendar, _central_acts(scenario, True), None, solver)
    without = with_policies
    if scenario.policies:
        without = _outcome(network, central, calendar, _central_acts(scenario, False), None, solver)
    drawn = _draws(network, scenario, count, chosen_seed, workers, parameters or {}, solver, progress)
    from evernormal.market.tables import simulation_result  # noqa: PLC0415 - tables import this module

    shown = _used_parameters(network, parameters or {})
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


def _calendar(scenario: Scenario) -> Calendar:
    year, month = (int(part) for part in str(scenario.start).split("-")[:2])
    return Calendar.of(date(year, month, 1), int(scenario.months) + TAIL_MONTHS)


def _resolved(scenario: Scenario, policies: bool) -> list[Measure]:
    return [*scenario.resolved_measures(), *(scenario.resolved_policies() if policies else ())]


def _central_acts(scenario: Scenario, policies: bool) -> tuple[Act, ...]:
    return tuple(
        Act(measure, {name: number.central() for name, number in measure.hardness().items()})
        for measure in _resolved(scenario, policies)
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


def _outcome(
    network: Network,
    chosen: Behaviour,
    calendar: Calendar,
    acts: Sequence[Act],
    draw: _Draw | None,
    solver: SolverName,
) -> Outcome:
    """Run the market once and read it from the focal region's side."""
    routes = routes_of(network, chosen.new_route_size)
    uses = final_uses(network, chosen, draw.elasticity if draw else 0.0)
    done = run(network, routes, chosen, uses, calendar, acts, solver=solver)
    horizon = len(calendar.months) - TAIL_MONTHS
    shown = Calendar.of(calendar.months[0], horizon)
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
    days = np.bincount(shown.month_of_day)
    ends = _end_uses(network, uses, path.used[:, :horizon], wanted, draw)
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
    network: Network, uses: tuple[Use, ...], used: Floats, wanted: Floats, draw: _Draw | None
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
        value = between(end.value_added, draw.value_added if draw else 0.0)
        without = between(end.substitutable, draw.substitutable if draw else 0.0)
        found.append((end, key, path, base, short * value * (1.0 - without)))
    return tuple(found)


# Draws ----------------------------------------------------------------------------------------------------


def _draw(scenario: Scenario, seed: np.random.SeedSequence, fixed: dict[str, float]) -> _Draw:
    rng = np.random.default_rng(seed)
    chosen = sample_behaviour(rng, fixed)
    elasticity, value_added, substitutable = (float(p) for p in rng.triangular(-1.0, 0.0, 1.0, size=3))
    acts = tuple(
        Act(measure, {name: number.sample(rng) for name, number in measure.hardness().items()})
        for measure in _resolved(scenario, True)
    )
    return _Draw(chosen, elasticity, value_added, substitutable, acts)


def _run_draws(
    network: Network,
    scenario: Scenario,
    seeds: Sequence[np.random.SeedSequence],
    fixed: dict[str, float],
    solver: SolverName,
) -> tuple[dict[str, Floats], Floats]:
    calendar = _calendar(scenario)
    rows: dict[str, list[Floats]] = {name: [] for name in DRAWN_SERIES}
    stops = []
    for seed in seeds:
        draw = _draw(scenario, seed, fixed)
        out = _outcome(network, draw.behaviour, calendar, draw.acts, draw, solver)
        series = (out.imports, out.price_ratio, out.cover_days, out.shortage, out.loss)
        for name, values in zip(DRAWN_SERIES, series, strict=True):
            rows[name].append(values)
        stops.append(np.nan if out.stop.stop is None else float((out.stop.stop - calendar.months[0]).days))
    return {name: np.array(values) for name, values in rows.items()}, np.array(stops)


def _draws(
    network: Network,
    scenario: Scenario,
    count: int,
    seed: int,
    workers: int,
    fixed: dict[str, float],
    solver: SolverName,
    progress: Callable[[int, int], None] | None,
) -> Drawn | None:
    """Run the draws in batches; a draw depends on its own seed only, so any split gives the same bytes (law
    6)."""
    if count == 0:
        return None
    seeds = np.random.SeedSequence(seed).spawn(count)
    size = 10 if workers == 1 else max(1, min(25, -(-count // (4 * workers))))
    batches = [seeds[n : n + size] for n in range(0, count, size)]
    lean = replace(network, tables={}, coverage=pl.DataFrame(), findings=())
    parts = []

    def collect(results: Any) -> None:
        done = 0
        for part in results:
            parts.append(part)
            done += len(part[1])
            if progress is not None:
                progress(done, count)

    if workers == 1:
        collect(_run_draws(lean, scenario, batch, fixed, solver) for batch in batches)
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            tasks = [pool.submit(_run_draws, lean, scenario, batch, fixed, solver) for batch in batches]
            try:
                collect(task.result() for task in tasks)
            except BaseException:  # an interrupt must not wait for the draws that are left
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    series = {name: np.concatenate([p[0][name] for p in parts]) for name in DRAWN_SERIES}
    return Drawn(series, np.concatenate([p[1] for p in parts]))
