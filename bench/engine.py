"""Solves per second of the market engine, beside the same model built with a general modelling layer.

Chains of one, two and three forms over 40 regions and 24 months, a full ban of the largest exporter on the
focal region, on one core.  Ours assembles arrays and solves with Newton's method on the dual (the default) or
with PIQP; the other side writes the same program in CVXPY, variable by variable and balance by balance, and
solves it with PIQP.  Objectives must agree.  Run: ``make bench``.
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date
from itertools import pairwise

import cvxpy as cp
import numpy as np
from threadpoolctl import threadpool_limits

from evernormal.market.acts import Act, Acts, Calendar, acts_of
from evernormal.market.curves import use_curve
from evernormal.market.parameters import Behaviour, behaviour
from evernormal.market.program import FLAT, History, assemble
from evernormal.market.routes import Routes, routes_of
from evernormal.market.run import final_uses
from evernormal.market.solver import SolverName, solve
from evernormal.network.measures import Ban
from evernormal.network.network import Conversion, Network
from evernormal.result import Parameter

REGIONS, MONTHS, SELLERS, PARTNERS = 40, 24, 12, 6
FORMS = ("lithium/ore", "lithium/carbonate", "lithium/hydroxide")


def chain(stages: int, seed: int = 1) -> Network:
    """A balanced made-up chain of ``stages`` forms; the first region is the focal one and buys most from
    R01."""
    rng = np.random.default_rng(seed)
    forms = FORMS[-stages:]
    regions = ("KOR", *(f"R{n:02d}" for n in range(1, REGIONS)))
    production, use = np.zeros((REGIONS, stages)), np.zeros((REGIONS, stages))
    activity = np.zeros((max(stages - 1, 0), REGIONS))
    arcs: list[tuple[int, int, int, float]] = []
    pull = rng.lognormal(3.0, 1.0, REGIONS)
    pull[0] = 400.0
    for g in reversed(range(stages)):
        need = pull.copy()
        sellers = 1 + rng.permutation(SELLERS)
        sold = np.zeros(REGIONS)
        for j in range(REGIONS):
            if j in sellers:
                continue
            share = rng.dirichlet(np.ones(PARTNERS))
            for k, i in enumerate(rng.permutation(sellers)[:PARTNERS]):
                arcs.append((int(i), j, g, float(need[j] * share[k])))
                sold[i] += need[j] * share[k]
        own = np.where(np.isin(np.arange(REGIONS), sellers), need, 0.0) + sold
        use[:, g] = need - activity[g] if g < stages - 1 else need
        if g > 0:
            activity[g - 1] = own / 0.9
            pull = own / 0.9 + rng.lognormal(1.0, 0.5, REGIONS)
        else:
            production[:, g] = own
    conversions = tuple(
        Conversion(a, b, Parameter("recovery", 0.9, 0.9, 0.9, "1", "C", "assumption: bench"))
        for a, b in pairwise(forms)
    )
    i, j, g, flow = (np.array(column) for column in zip(*arcs, strict=True))
    network = Network(
        "KOR", forms[-1], 2023, regions, forms, production, use, conversions, activity,
        i, j, g, flow.astype(float), np.full(len(flow), 0.0), np.full((REGIONS, stages), 1000.0),
        use / 12, np.zeros((REGIONS, stages)),
    )  # fmt: skip
    network.require_balance()
    return network


def ours(
    network: Network, routes: Routes, chosen: Behaviour, acts: Acts, solver: SolverName = "newton"
) -> float:
    """Assemble and solve once; return the scaled objective."""
    history = History(0, 0, np.zeros((len(routes.base), 0)), network.commercial_stock)
    assembled = assemble(network, routes, chosen, final_uses(network, chosen), acts, history)
    answer = solve(assembled.program, solver=solver)
    program = assembled.program
    return (
        float(0.5 * answer.x @ (program.quadratic @ answer.x) + program.linear @ answer.x) * assembled.money
    )


def layered(  # noqa: PLR0915 - one model, written out
    network: Network, routes: Routes, chosen: Behaviour, acts: Acts
) -> float:
    """Write the same model in CVXPY, one array of variables per kind, and solve it with the same solver."""
    uses = final_uses(network, chosen)
    price = 1000.0
    months = np.arange(MONTHS)
    sigma = chosen.substitution(months)
    new = routes.base == 0
    cost: list[cp.Expression] = []
    rules: list[cp.Constraint] = []

    def variable(rows: int, low: np.ndarray, high: np.ndarray) -> cp.Variable:
        x = cp.Variable((rows, MONTHS))
        finite = np.isfinite(high)
        rules.append(x >= low)
        if finite.any():
            rules.append(x[finite] <= high[finite])
        return x

    def spend(x: cp.Variable, quadratic: np.ndarray, linear: np.ndarray | None = None) -> None:
        cost.append(0.5 * cp.sum(cp.multiply(quadratic, cp.square(x))))
        if linear is not None:
            cost.append(cp.sum(cp.multiply(linear, x)))

    full = np.ones((1, MONTHS))
    cap = np.where(new[:, None], acts.route_cap, np.maximum(acts.route_cap - 1, -1))
    route = variable(len(routes.base), np.where(new, 0.0, -1.0)[:, None] * full, cap)
    value = price * routes.reference[:, None]
    spend(
        route,
        value / sigma,
        value * (np.where(new, chosen.new_route_premium, 0.0)[:, None] + acts.route_wedge),
    )
    gain: dict[tuple[int, int], list[cp.Expression]] = {}

    def put(region: int, form: int, flow: cp.Expression) -> None:
        gain.setdefault((region, form), []).append(flow)

    for a in range(len(routes.base)):
        moved = routes.reference[a] * route[a]
        put(int(routes.origin[a]), int(routes.form[a]), -moved)
        put(int(routes.target[a]), int(routes.form[a]), moved)
    for annual, elasticity, spare, place in (
        (network.production, chosen.supply_elasticity, chosen.spare_capacity, "output"),
        (network.activity, chosen.processing_elasticity, chosen.processing_spare, "conversion"),
    ):
        row, column = np.nonzero(annual > 0)
        if not len(row):
            continue
        base = (annual[row, column] / 12)[:, None]
        low = np.full((len(row), MONTHS), -chosen.idle_discount * elasticity)
        made = variable(len(row), low, np.full((len(row), MONTHS), spare))
        idle = variable(len(row), 0 * low, np.ones_like(low))
        spend(made, price * base / elasticity * full)
        spend(idle, price * base * FLAT * full, price * base * chosen.idle_discount * full)
        for n in range(len(row)):
            flow = base[n, 0] * (made[n] - idle[n])
            if place == "output":
                put(int(row[n]), int(column[n]), flow)
            else:
                step = network.conversions[row[n]]
                put(int(column[n]), network.form_index(step.source), -flow)
                put(int(column[n]), network.form_index(step.target), step.recovery.value * flow)
    for use in uses:
        curve = use_curve(use.elasticity, chosen.choke_ratio)
        low = np.where(np.arange(len(curve.widths)) == 0, -1.0, 0.0)[:, None] * full
        given = variable(len(curve.widths), low, curve.widths[:, None] * full)
        worth = price * use.base
        spend(
            given, worth * np.maximum(curve.slope, FLAT)[:, None] * full, worth * curve.start[:, None] * full
        )
        put(use.region, use.form, use.base * cp.sum(given, axis=0))
    for r, g in zip(*np.nonzero(network.commercial_stock > 0), strict=True):
        held = network.commercial_stock[r, g]
        stock = variable(1, -full, np.full((1, MONTHS), np.inf))
        spend(stock, price * held * chosen.convenience_slope * full)
        put(int(r), int(g), held * cp.hstack([-stock[0, :1], stock[0, :-1] - stock[0, 1:]]))
    size = network.throughput() / 12
    for (r, g), terms in gain.items():
        taken = variable(1, 0 * full, np.full((1, MONTHS), np.inf))
        worth = price * size[r, g] * full
        spend(taken, worth, worth * chosen.absorption_discount)
        terms.append(-size[r, g] * taken[0])
    rules += [sum(terms) == 0 for terms in gain.values()]
    problem = cp.Problem(cp.Minimize(sum(cost) / 1e6), rules)
    problem.solve(solver=cp.PIQP)
    return float(problem.value) * 1e6


def main() -> None:
    """Print solves per second for each chain and the ratio to the modelling layer, all in one run."""
    with threadpool_limits(1, "blas"):
        measure()


def measure() -> None:
    """Measure on one core."""
    chosen = behaviour({"use_elasticity_growth": 1.0, "other_supply_limit": 1e-9})
    print("solves per second, and as a ratio to the modelling layer")
    print(
        f"{'chain':<14}{'variables':>10}{'newton':>12}{'piqp':>10}{'layer':>10}{'newton/l':>10}{'piqp/l':>10}"
    )
    for stages, name in ((1, "one form"), (2, "two stages"), (3, "three stages")):
        network = chain(stages)
        routes = routes_of(network, chosen.new_route_size)
        routes = replace(routes, transit_days=np.zeros_like(routes.transit_days))
        calendar = Calendar.of(date(2024, 1, 1), MONTHS)
        largest = network.regions[int(network.flow_from[np.argmax(network.flow * (network.flow_to == 0))])]
        ban = Ban.model_construct(
            id="ban", kind="ban", by=largest, against=("KOR",), exempt=(), forms=(network.form,),
            announced=date(2024, 1, 1), effective=date(2024, 1, 1), suspended=None, resumes=None, ends=None,
        )  # fmt: skip
        acts, _ = acts_of(
            network, routes, calendar, final_uses(network, chosen), [Act(ban, {"severity": 1.0})]
        )
        rates, values = {}, {}
        for solver in ("newton", "piqp"):
            ours(network, routes, chosen, acts, solver)
            rounds, start = 10, time.perf_counter()
            for _ in range(rounds):
                values[solver] = ours(network, routes, chosen, acts, solver)
            rates[solver] = rounds / (time.perf_counter() - start)
        start = time.perf_counter()
        other = layered(network, routes, chosen, acts)
        layer = 1 / (time.perf_counter() - start)
        for solver, value in values.items():
            if abs(value - other) > 1e-4 * abs(other):
                raise SystemExit(f"{name}, {solver}: objectives differ, {value:.6g} and {other:.6g}")
        history = History(0, 0, np.zeros((len(routes.base), 0)), network.commercial_stock)
        size = len(
            assemble(network, routes, chosen, final_uses(network, chosen), acts, history).program.linear
        )
        line = f"{name:<14}{size:>10}{rates['newton']:>12.1f}{rates['piqp']:>10.1f}{layer:>10.2f}"
        print(line + f"{rates['newton'] / layer:>10.1f}{rates['piqp'] / layer:>10.1f}")


if __name__ == "__main__":
    main()
