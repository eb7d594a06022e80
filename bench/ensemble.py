"""Ensembles of a thousand draws beside rebuilding with a modelling layer; hot starts, workers, growth,
memory.

Eight made-up chains of one form over 40 regions and 24 months, a partial ban of each chain's largest exporter
on the focal region, every behavioural parameter drawn.  The other side writes the same program in CVXPY for
every draw (``bench.engine.layered``); a handful of its rebuilds is timed and scaled.  Ratios are of processor
time within one run; two workers are compared by the clock.  Run: ``python -m bench ensemble``.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from bench import engine
from evernormal.data import countries
from evernormal.market.acts import Act, Calendar, acts_of
from evernormal.market.batch import Atlas, Kernel, Plan, bare
from evernormal.market.factors import Joint, Space
from evernormal.market.many import ensemble
from evernormal.market.outcome import calendar_of, outcome_of
from evernormal.market.parameters import MONTHLY_KINDS, behaviour, market_parameters
from evernormal.market.routes import routes_of
from evernormal.market.run import final_uses
from evernormal.market.solver import SolverName
from evernormal.network.load import load_network
from evernormal.network.measures import Ban
from evernormal.network.network import Network
from evernormal.network.question import actors
from evernormal.network.scenario import Scenario, Words, load_scenario
from evernormal.network.uncertain import Uncertain

DRAWS, REBUILDS, CHAINS = 1000, 4, 8
FIXED = {"use_elasticity_growth": 1.0, "other_supply_limit": 1e-9}
"""The layered model has no adjustment of use with time and no other supply."""
FORMS = (
    "antimony/ore", "cobalt/ore", "copper/ore", "graphite/natural", "lithium/ore", "nickel/ore", "tin/ore",
    "tungsten/ore",
)  # fmt: skip


def world(number: int) -> tuple[Network, Scenario]:
    """A made-up chain of one form under a name of its own, and a ban on it."""
    network = engine.chain(1, seed=number + 1)
    codes = [code for code in countries()["iso3"].sort().to_list() if code != "KOR"]
    regions = ("KOR", *codes[:: len(codes) // engine.REGIONS][: engine.REGIONS - 1])
    network = replace(network, regions=regions, form=FORMS[number], forms=(FORMS[number],))
    largest = network.regions[int(network.flow_from[np.argmax(network.flow * (network.flow_to == 0))])]
    ban = Ban(
        by=largest, against=("focal",), severity={"low": 0.3, "mode": 0.7, "high": 1.0}, id="ban",
        effective=date(2024, 1, 1),
    )  # fmt: skip
    scenario = Scenario(
        name=f"chain-{number}", title=Words(en="Bench"), form=network.form, focal="KOR", base_year=2023,
        start="2024-01",
        months=engine.MONTHS - 3, measures=(ban,),
    )  # fmt: skip
    return network, scenario


def spent(work: Callable[[], object]) -> float:
    """Processor seconds of this process."""
    start = time.process_time()
    work()
    return time.process_time() - start


def rebuilt(network: Network, scenario: Scenario) -> float:
    """Mean processor seconds of one rebuild with the modelling layer."""
    chosen = behaviour(FIXED)
    routes = routes_of(network, chosen.new_route_size)
    routes = replace(routes, transit_days=np.zeros_like(routes.transit_days))
    calendar = Calendar.of(date(2024, 1, 1), engine.MONTHS)
    act = Act(scenario.resolved_measures()[0], {"severity": 0.7})
    acts, _ = acts_of(network, routes, calendar, final_uses(network, chosen), [act])
    return spent(lambda: [engine.layered(network, routes, chosen, acts) for _ in range(REBUILDS)]) / REBUILDS


def against_layer() -> None:
    """A thousand draws on eight chains: one or two hit in a draw, and all."""
    networks, scenarios = zip(*(world(n) for n in range(CHAINS)), strict=True)
    layer = rebuilt(networks[0], scenarios[0])
    print(f"one chain rebuilt and solved with the layer: {layer * 1e3:.0f} ms")
    for name, joint, asked in (
        ("one or two of eight chains hit", Joint(0.5, probability={"ban": 1.5 / CHAINS}), 100),
        ("all eight chains hit", Joint(0.5), 25),
    ):
        start = time.process_time()
        result = ensemble(networks, scenarios, DRAWS, 1, joint=joint, parameters=FIXED, sensitivity="none")
        ours = time.process_time() - start
        hit = float(result["outcomes"]["hit"].sum())
        whole = layer * CHAINS * DRAWS
        print(
            f"{name}: {ours:.1f} s for {DRAWS} draws; {whole / ours:.0f} x rebuilding all chains "
            f"(asked {asked}), {layer * hit / ours:.0f} x rebuilding only the {hit / DRAWS:.1f} that are hit"
        )


def medium(fixed: dict[str, float]) -> tuple[Kernel, Kernel, np.ndarray]:
    """The shipped lithium chain, three forms and 45 balances a month: kernels before and after the survey."""
    asked = load_scenario("lithium-hydroxide-100")
    network = load_network(asked.form, asked.focal, asked.base_year, scope="chain", keep=actors(asked))
    uncertain = {"severity": Uncertain(0.3, 1.0, 0.7)}
    asked = asked.model_copy(update={"measures": (asked.measures[0].model_copy(update=uncertain),)})
    space = Space((asked,), fixed, Joint())
    plan = Plan((bare(network),), (asked,), space)
    cold = Kernel(plan)
    points = np.random.default_rng(1).random((110, space.dimension))
    _, atlas = cold.survey(points[:50], cold.central())
    return cold, Kernel(replace(plan, atlas=atlas)), points[50:]


def hot_against_cold() -> None:
    """The same draws with nothing kept, and with a prepared network and a start from the atlas."""
    central = {p.name: p.value for p in market_parameters(MONTHLY_KINDS)}
    for name, fixed in (("only bounds change", central), ("every parameter changes too", {})):
        cold, hot, points = medium(fixed)
        plan = cold.plan
        network, calendar = plan.networks[0], calendar_of(plan.scenarios[0])
        draws = plan.space.draws(points)

        def from_nothing(solver: SolverName, count: int) -> float:
            start = time.process_time()
            for draw in draws[:count]:  # noqa: B023 - called within the loop
                acts = draw.acts[0]
                outcome_of(network, draw.behaviour, calendar, acts, stand=draw.stand, solver=solver)  # noqa: B023
            return (time.process_time() - start) / count

        hot.run(50, points[:2])
        start = time.process_time()
        hot.run(50, points)
        kept = (time.process_time() - start) / len(points)
        newton, interior = from_nothing("newton", 20), from_nothing("piqp", 5)
        print(
            f"lithium chain, {name}: hot {kept * 1e3:.1f} ms a draw; cold with the same solver "
            f"{newton * 1e3:.1f} ms ({newton / kept:.1f} x), with the interior-point solver "
            f"{interior * 1e3:.0f} ms ({interior / kept:.1f} x) (asked 8 x)"
        )


def guaranteed_bits() -> None:
    """Every draw from the atlas, beside every draw from the one before it."""
    _, kernel, points = medium({})
    atlas = kernel.plan.atlas
    assert atlas is not None
    kernel.run(50, points[:5])
    start, at = time.process_time(), Atlas(atlas.points[:1], atlas.standing[:1])
    for n in range(len(points)):
        _, standing = kernel.run_from(n, points[n : n + 1], at)
        at = Atlas(points[n : n + 1], standing)
    free = time.process_time() - start
    start = time.process_time()
    for n in range(len(points)):
        kernel.run(50 + n, points[n : n + 1])
    bound = time.process_time() - start
    print(f"bits that do not depend on order: {bound / free:.2f} x the time without (asked at most 1.15)")


def two_workers() -> None:
    """The clock of one and of two processes, start of the processes included."""
    networks, scenarios = zip(*(world(n) for n in range(CHAINS)), strict=True)
    seconds = {}
    for workers in (1, 2):
        start = time.perf_counter()
        ensemble(networks, scenarios, DRAWS, 1, workers=workers, sensitivity="none")
        seconds[workers] = time.perf_counter() - start
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    print(
        f"two workers: {seconds[1] / seconds[2]:.2f} x one ({seconds[1]:.1f} s and {seconds[2]:.1f} s; "
        f"asked 1.6; load of the machine {load})"
    )


def grown(draws: int) -> dict[str, float]:
    """Processor seconds per draw and peak memory of one ensemble written to disk."""
    network, scenario = world(2)
    with tempfile.TemporaryDirectory() as folder:
        seconds = spent(lambda: ensemble(network, scenario, draws, 1, out=Path(folder), sensitivity="none"))
    return {"seconds": seconds / draws, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def growth() -> None:
    """Cost per draw and peak memory from a hundred to ten thousand draws, each in a process of its own."""
    rows = {}
    for draws in (100, 1000, 10_000):
        command = [sys.executable, "-m", "bench.ensemble", "--grown", str(draws)]
        rows[draws] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        row = rows[draws]
        print(f"{draws:>6} draws: {row['seconds'] * 1e3:.2f} ms a draw, peak memory {row['memory']:.0f} MB")
    first, last = rows[100], rows[10_000]
    print(
        f"from 100 to 10,000 draws: cost per draw {last['seconds'] / first['seconds']:.2f} x, "
        f"peak memory {last['memory'] / first['memory']:.2f} x"
    )


def main() -> None:
    """Print every ratio."""
    with threadpool_limits(1, "blas"):
        against_layer()
        hot_against_cold()
        guaranteed_bits()
    two_workers()
    growth()


if __name__ == "__main__":
    if "--grown" in sys.argv:
        print(json.dumps(grown(int(sys.argv[sys.argv.index("--grown") + 1]))))
    else:
        main()
