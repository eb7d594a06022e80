"""The draws: every uncertain parameter and hardness at once, many times, each from a seed of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from evernormal.errors import SolverError
from evernormal.market.acts import Act
from evernormal.market.cells import active_cells
from evernormal.market.digits import rounded
from evernormal.market.dual_newton import ActiveSet
from evernormal.market.outcome import Stand, calendar_of, outcome_of
from evernormal.market.parameters import sample_behaviour
from evernormal.market.prepared import Prepared
from evernormal.market.solver import SolverName
from evernormal.network.network import Network

if TYPE_CHECKING:
    from evernormal.network.scenario import Scenario

__all__ = ["DRAWN_SERIES", "DrawPlan", "Drawn", "draw_all"]

Floats = NDArray[np.float64]
Seeds = Sequence[np.random.SeedSequence]

DRAWN_SERIES = ("imports_t", "price_ratio", "cover_days", "shortage_t", "loss_usd")
POOL_PAYS_FROM = 8_000_000
"""Draws x cells squared x months below which starting processes takes longer than they save (some 3
seconds)."""


@dataclass(frozen=True)
class Drawn:
    """The draws: series of :data:`DRAWN_SERIES`, each (N, T), and stop dates as days from the start (NaN:
    none)."""

    series: dict[str, Floats]
    stop_days: Floats


@dataclass(frozen=True)
class DrawPlan:
    """What every draw has in common.

    Attributes:
        network: base year without its tables, to travel light.
        scenario: measures and policies.
        fixed: behavioural parameters that are not drawn.
        solver: which solver is asked first.
        near: active sets of the central run, from which every draw starts; no draw depends on another.
    """

    network: Network
    scenario: Scenario
    fixed: Mapping[str, float]
    solver: SolverName
    near: Mapping[int, ActiveSet]


def draw_all(
    question: DrawPlan,
    count: int,
    seed: int,
    workers: int,
    progress: Callable[[int, int], None] | None = None,
) -> Drawn | None:
    """Run the draws in batches; a draw depends on its own seed only, so any split gives the same bytes.

    Returns:
        None when ``count`` is 0.

    Raises:
        SolverError: no proven answer in a draw, or a worker process died; nothing partial is returned.
    """
    if count == 0:
        return None
    seeds = np.random.SeedSequence(seed).spawn(count)
    workers = workers if _work(question, count) >= POOL_PAYS_FROM else 1
    size = 10 if workers == 1 else max(1, min(25, -(-count // (4 * workers))))
    batches = [seeds[n : n + size] for n in range(0, count, size)]
    bare = replace(question.network, tables={}, coverage=pl.DataFrame(), findings=())
    question = replace(question, network=bare)
    parts: list[Drawn] = []

    def collect(results: Iterable[Drawn]) -> None:
        done = 0
        for part in results:
            parts.append(part)
            done += len(part.stop_days)
            if progress is not None:
                progress(done, count)

    if workers == 1:
        collect(_run_batch(question, batch) for batch in batches)
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            tasks = [pool.submit(_run_batch, question, batch) for batch in batches]
            try:
                collect(task.result() for task in tasks)
            except BrokenProcessPool as error:
                raise SolverError(
                    "a worker process died before its draws were done",
                    where=f"{workers} workers",
                    cure="Use workers=1, or start the script from `if __name__ == '__main__':`.",
                ) from error
            except BaseException:  # an interrupt must not wait for the draws that are left
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    series = {name: np.concatenate([part.series[name] for part in parts]) for name in DRAWN_SERIES}
    return Drawn(series, np.concatenate([part.stop_days for part in parts]))


def _work(question: DrawPlan, count: int) -> int:
    """Return a measure of the work: most of it is the factorization of a band about as wide as there are
    cells."""
    cells = int(active_cells(question.network).sum())
    return count * cells**2 * int(question.scenario.months)


def _run_batch(question: DrawPlan, seeds: Seeds) -> Drawn:
    calendar, prepared = calendar_of(question.scenario), Prepared(question.network)
    rows: dict[str, list[Floats]] = {name: [] for name in DRAWN_SERIES}
    stops = []
    with threadpool_limits(1, "blas"):
        for seed in seeds:
            rng = np.random.default_rng(seed)
            chosen = sample_behaviour(rng, question.fixed)
            stand = Stand(*(float(p) for p in rng.triangular(-1.0, 0.0, 1.0, size=3)))
            out = outcome_of(
                question.network,
                chosen,
                calendar,
                _drawn_acts(question.scenario, rng),
                stand=stand,
                solver=question.solver,
                near=question.near,
                prepared=prepared,
            )
            series = (out.imports, out.price_ratio, out.cover_days, out.shortage, out.loss)
            for name, values in zip(DRAWN_SERIES, series, strict=True):
                rows[name].append(rounded(values))
            stop = out.stop.stop
            stops.append(np.nan if stop is None else float((stop - calendar.months[0]).days))
    return Drawn({name: np.array(values) for name, values in rows.items()}, np.array(stops))


def _drawn_acts(scenario: Scenario, rng: np.random.Generator) -> tuple[Act, ...]:
    """Draw every hardness; resolved measures come in the order of their ids, not in that of the file."""
    return tuple(
        Act(measure, {name: number.sample(rng) for name, number in measure.hardness().items()})
        for measure in (*scenario.resolved_measures(), *scenario.resolved_policies())
    )
