"""``ensemble``: thousands of scenarios over severity, duration, parameters and joint events, and what they
say."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evernormal.errors import InputError, LabelError, SolverError
from evernormal.market.batch import BATCH, Kernel, Plan, bare
from evernormal.market.executors import Executor, ExecutorName, Task, opened
from evernormal.market.factors import Joint, Space
from evernormal.market.futures import Futures, read_futures
from evernormal.market.many_tables import ensemble_result
from evernormal.market.outcome import Outcome
from evernormal.market.parameters import behaviour
from evernormal.market.sensitivity import SENSITIVITIES, SensitivityName, sobol_points
from evernormal.market.solver import SolverName
from evernormal.market.stream import Kept, OnDisk, Store
from evernormal.network.network import Network
from evernormal.result import Result
from evernormal.storage import exclusive

if TYPE_CHECKING:
    from evernormal.network.scenario import Scenario

__all__ = ["ensemble"]

Floats = NDArray[np.float64]
Points = Callable[[int, int], Floats]

MOST_DRAWS = 10_000_000
SHOWN_FAILURES = 10


def ensemble(
    network: Network | Sequence[Network],
    scenario: Scenario | Sequence[Scenario],
    draws: int,
    seed: int,
    *,
    executor: ExecutorName = "local",
    workers: int = 1,
    scheduler: str | None = None,
    joint: Joint | None = None,
    events: Result | pl.DataFrame | None = None,
    parameters: Mapping[str, float] | None = None,
    sensitivity: SensitivityName = "delta",
    failures: Literal["refuse", "flag"] = "refuse",
    out: str | Path | None = None,
    resume: bool = False,
    solver: SolverName = "newton",
    progress: Callable[[int, int], None] | None = None,
) -> Result:
    """Run a scenario many times over all that is uncertain in it (equations E90 to E94).

    Draw ``n`` depends on ``seed`` and ``n`` alone: any number of workers, here or on a Dask cluster, in any
    order, after any number of kills, gives the same bytes (law 6).

    Args:
        network: balanced base year; several for joint events on several chains.
        scenario: dated measures and policies, one per network, of the same form and focal region.
        draws: number of draws, at least 1; with ``sensitivity="sobol"`` the number of base points, a power of
            two, and ``draws * (factors + 2)`` runs are made.
        seed: seed of everything drawn.
        executor: ``local`` or ``dask``.
        workers: processes that share the draws.
        scheduler: address of a Dask scheduler; None starts a cluster on this machine.
        joint: correlation, chance and duration of measures; :class:`evernormal.market.factors.Joint`.
        events: what happens beside the scenario's measures, draw by draw: the result of
            :func:`evernormal.risk.draw_hazards`, or a table of events (``draw, exporter, item, forms,
            announced, effective, ends, severity``).
        parameters: behavioural parameters that are fixed by name instead of drawn.
        sensitivity: ``delta`` (moment-independent, from the draws), ``sobol`` (through SALib) or ``none``.
        failures: what happens when some draws have no proven answer: ``refuse`` the result, or ``flag`` them
            in a table and a finding and leave them out.
        out: folder of the result; batches are kept there as they are done.
        resume: go on with what a killed run left in ``out``.
        solver: which solver is asked first.
        progress: called with (runs done, runs asked).

    Returns:
        A Result of kind ``ensemble`` with the tables ``distribution, exceedance, stop_dates, bands, drivers,
        draws, outcomes, factors, failed, measures``; quantities in tonnes contained, losses in USD.

    Raises:
        InputError: a number out of range, an unknown executor or measure, a scheduler that does not answer,
            an unfinished ensemble of another question in ``out``, events that make no sense or do not fit.
        LabelError: networks and scenarios speak of different focal regions or forms, or an event is of an
            exporter that a network does not show (law 3).
        SolverError: draws without a proven answer (with ``failures="refuse"``), or workers that died.
        StorageError: disk full or no permission; what is whole stays for ``resume``.
    """
    networks, scenarios = _pairs(network, scenario)
    _require(draws, seed, workers, sensitivity, failures, resume, out)
    behaviour(parameters)
    joint = joint or Joint()
    if events is not None and sensitivity == "sobol":
        raise InputError(
            "Sobol indices need factors that can be set one by one; drawn events cannot",
            where="sensitivity",
            cure="Take 'delta'.",
        )
    futures = None if events is None else read_futures(events, networks, scenarios, draws)
    space = Space(scenarios, dict(parameters or {}), joint, futures)
    plan = Plan(tuple(bare(n) for n in networks), scenarios, space, solver)
    runs, points = _points(space, draws, seed, sensitivity)
    asked = _question(networks, scenarios, draws, seed, joint, parameters, sensitivity, solver, futures)

    def finish(store: Store) -> Result:
        with opened(executor, workers, scheduler) as run:
            central = _run_all(plan, runs, points, store, run, progress)
        _require_whole(store, networks, runs, failures)
        return ensemble_result(networks, scenarios, space, central, store, asked, sensitivity)

    if out is None:
        return finish(Kept())
    folder = Path(out)
    with exclusive(folder / ".evernormal.lock", doing="writing an ensemble here"):
        if resume and (whole := _finished(folder, asked)) is not None:
            return whole
        disk = OnDisk(folder, asked, resume=resume)
        result = finish(disk)
        result.save(folder)
        disk.remove()
    return result


def _pairs(
    network: Network | Sequence[Network], scenario: Scenario | Sequence[Scenario]
) -> tuple[tuple[Network, ...], tuple[Scenario, ...]]:
    """Return networks and scenarios, each network with the scenario of its form, in the order of the
    forms."""
    networks = (network,) if isinstance(network, Network) else tuple(network)
    scenarios = tuple(scenario) if isinstance(scenario, Sequence) else (scenario,)
    if not networks or len(networks) != len(scenarios):
        raise InputError(
            f"{len(networks)} networks and {len(scenarios)} scenarios; give one of each per chain"
        )
    for net, asked in zip(networks, scenarios, strict=True):
        if (net.focal, net.form) != (asked.focal, asked.form):
            raise LabelError(
                f"the network is about {net.form} in {net.focal}, scenario {asked.name!r} about "
                f"{asked.form} in {asked.focal}",
                cure="Load the network of the scenario's form and focal region.",
            )
    forms = [net.form for net in networks]
    if len(set(forms)) < len(forms):
        raise LabelError("two networks are about the same form", cure="Give one network per form.")
    first = scenarios[0]
    for asked in scenarios[1:]:
        if (asked.focal, asked.start, asked.months) != (first.focal, first.start, first.months):
            raise LabelError(
                f"scenario {asked.name!r} has another focal region or horizon than {first.name!r}",
                cure="Joint events need the same focal region, start and months.",
            )
    order = sorted(range(len(forms)), key=lambda k: forms[k])
    return tuple(networks[k] for k in order), tuple(scenarios[k] for k in order)


def _require(
    draws: int,
    seed: int,
    workers: int,
    sensitivity: str,
    failures: str,
    resume: bool,
    out: str | Path | None,
) -> None:
    if not 1 <= draws <= MOST_DRAWS:
        raise InputError(f"draws must be between 1 and {MOST_DRAWS:,}, got {draws}")
    if seed < 0:
        raise InputError(f"seed must be at least 0, got {seed}")
    if workers < 1:
        raise InputError(f"workers must be at least 1, got {workers}")
    if sensitivity not in SENSITIVITIES:
        raise InputError(f"unknown sensitivity {sensitivity!r}", cure=f"Known: {', '.join(SENSITIVITIES)}.")
    if failures not in {"refuse", "flag"}:
        raise InputError(f"failures must be 'refuse' or 'flag', got {failures!r}")
    if resume and out is None:
        raise InputError("resume needs the folder of the run that was killed", cure="Give out.")


def _points(space: Space, draws: int, seed: int, sensitivity: str) -> tuple[int, Points]:
    """Return the number of runs and the points of the unit cube of any of them."""
    if sensitivity == "sobol":
        every = sobol_points(space.dimension, draws, seed)
        return len(every), lambda first, count: every[first : first + count]

    def drawn(first: int, count: int) -> Floats:
        streams = (np.random.SeedSequence(seed, spawn_key=(n,)) for n in range(first, first + count))
        return np.array([np.random.default_rng(stream).random(space.dimension) for stream in streams])

    return draws, drawn


def _question(
    networks: Sequence[Network],
    scenarios: Sequence[Scenario],
    draws: int,
    seed: int,
    joint: Joint,
    parameters: Mapping[str, float] | None,
    sensitivity: str,
    solver: str,
    futures: Futures | None,
) -> dict[str, Any]:
    """Return all that the result depends on, and its hash."""
    from evernormal import __version__  # noqa: PLC0415 - avoids a cycle at import

    asked: dict[str, Any] = {
        "version": __version__,
        "scenarios": {s.name: s.sha256() for s in scenarios},
        "networks": {n.form: _fingerprint(n) for n in networks},
        "draws": draws,
        "seed": seed,
        "joint": {
            "correlation": joint.correlation,
            "probability": dict(sorted(joint.probability.items())),
            "duration": {name: number.plain() for name, number in sorted(joint.duration.items())},
        },
        "events": None if futures is None else futures.sha256,
        "parameters": dict(sorted((parameters or {}).items())),
        "sensitivity": sensitivity,
        "solver": solver,
        "batch": BATCH,
    }
    text = json.dumps(asked, sort_keys=True, separators=(",", ":"))
    return {**asked, "sha256": hashlib.sha256(text.encode()).hexdigest()}


def _fingerprint(network: Network) -> str:
    """Return the hash of everything in a network that the engine reads."""
    digest = hashlib.sha256()
    labels = [network.focal, network.form, network.year, network.regions, network.forms]
    labels += [[asdict(c) for c in network.conversions], [asdict(e) for e in network.end_uses]]
    digest.update(json.dumps(labels, sort_keys=True, default=str).encode())
    for name in (
        "production", "use", "activity", "flow_from", "flow_to", "flow_form", "flow", "transit_days", "price",
        "commercial_stock", "state_stock",
    ):  # fmt: skip
        digest.update(np.ascontiguousarray(getattr(network, name)).tobytes())
    return digest.hexdigest()


def _finished(folder: Path, asked: Mapping[str, Any]) -> Result | None:
    """Return the result in a folder when it answers this very question."""
    if not (folder / "result.json").is_file():
        return None
    there = Result.load(folder)
    return there if there.lineage.call.get("question_sha256") == asked["sha256"] else None


def _run_all(
    plan: Plan,
    runs: int,
    points: Points,
    store: Store,
    run: Executor,
    progress: Callable[[int, int], None] | None,
) -> tuple[Outcome, ...]:
    """Run what the store does not hold yet; the first batch here, for the atlas, the rest anywhere."""
    kernel = Kernel(plan)
    central = kernel.central()
    first, atlas = kernel.survey(points(0, min(BATCH, runs)), central)
    held = store.done()
    if 0 not in held:
        store.put(first)
    plan = replace(plan, atlas=atlas)
    done = sum(store.done().values())
    if progress is not None:
        progress(done, runs)

    def tasks() -> Iterator[Task]:
        for start in range(BATCH, runs, BATCH):
            if start not in held:
                yield start, points(start, min(BATCH, runs - start))

    if done == runs:
        return central
    for batch in run(plan, tasks()):
        store.put(batch)
        done += len(batch.values)
        if progress is not None:
            progress(done, runs)
    return central


def _require_whole(store: Store, networks: Sequence[Network], runs: int, failures: str) -> None:
    """Refuse a result with draws that have no proven answer, and one that lacks draws."""
    if sum(store.done().values()) != runs:
        raise SolverError(f"{sum(store.done().values())} of {runs} draws were run")
    if failures == "flag":
        return
    for k, network in enumerate(networks):
        failed = store.column(["draw", f"failure_{k}"]).filter(pl.col(f"failure_{k}").is_not_null())
        if failed.height:
            named = ", ".join(str(n) for n in failed["draw"].head(SHOWN_FAILURES))
            more = " ..." if failed.height > SHOWN_FAILURES else ""
            raise SolverError(
                f"{failed.height} of {runs} draws of {network.form} have no proven answer "
                f"(draws {named}{more}): {failed[f'failure_{k}'][0]}",
                cure="Narrow the ranges, or ask for failures='flag' to leave these draws out and say so.",
            )
