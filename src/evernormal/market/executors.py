"""Who runs the batches of an ensemble: this process, a pool of processes, or a Dask cluster; same code, same
bytes.

Every executor takes a plan and tasks (number of the first draw, points of the unit cube) and yields batches
as they are done.  Tasks are made when a worker is free, so memory does not grow with the number of draws.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evernormal.errors import InputError, SolverError
from evernormal.market.batch import Batch, Kernel, Plan

__all__ = ["EXECUTORS", "Executor", "ExecutorName", "Task", "opened"]

Floats = NDArray[np.float64]
Task = tuple[int, Floats]
ExecutorName = Literal["local", "dask"]
Executor = Callable[[Plan, Iterable[Task]], Iterator[Batch]]
"""Takes a plan whose atlas is made and tasks, which it reads when a worker is free; yields batches as they
are done."""

EXECUTORS: tuple[ExecutorName, ...] = ("local", "dask")
WAITING = 3
"""Tasks handed out per worker: one under way and two in waiting."""


@contextmanager
def opened(executor: ExecutorName, workers: int, scheduler: str | None) -> Iterator[Executor]:
    """Yield who runs batches; a cluster is connected first, so that what cannot run fails before any work.

    Args:
        executor: ``local`` or ``dask``.
        workers: processes; on a given ``scheduler`` its own workers count.
        scheduler: address of a Dask scheduler; None starts a cluster of ``workers`` processes on this
            machine.

    Raises:
        InputError: an executor that does not exist, a scheduler that does not answer.
        SolverError: a worker died and its draws could not be run again.
    """
    if executor not in EXECUTORS:
        raise InputError(f"unknown executor {executor!r}", cure=f"Known: {', '.join(EXECUTORS)}.")
    if executor == "dask":
        from evernormal.market.cluster import connected  # noqa: PLC0415 - distributed is an extra

        with connected(workers, scheduler) as run:
            yield run
        return
    if scheduler is not None:
        raise InputError(
            "a scheduler is given but the executor is local", cure="Use executor='dask', or leave it out."
        )
    if workers == 1:
        yield _in_process
        return
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    try:
        for _ in range(workers):  # processes start while the first draws are run here
            pool.submit(_wake)
        yield partial(_in_pool, pool, workers)
    finally:  # an interrupt must not wait for the draws that are left
        pool.shutdown(wait=False, cancel_futures=True)


def _in_process(plan: Plan, tasks: Iterable[Task]) -> Iterator[Batch]:
    kernel = Kernel(plan)
    for first, points in tasks:
        yield kernel.run(first, points)


_kernels: dict[str, Kernel] = {}
"""The kernel of this worker process under the name of its plan; empty in every other process."""


def _wake() -> None:
    """Load what the work needs."""


def _work(packed: Path, name: str, first: int, points: Floats) -> Batch:
    if name not in _kernels:
        _kernels.clear()
        _kernels[name] = Kernel(pickle.loads(packed.read_bytes()))
    return _kernels[name].run(first, points)


def _in_pool(pool: ProcessPoolExecutor, workers: int, plan: Plan, tasks: Iterable[Task]) -> Iterator[Batch]:
    with TemporaryDirectory(
        prefix="evernormal-"
    ) as folder:  # the plan travels once to each, not with each task
        packed = Path(folder) / "plan"
        packed.write_bytes(pickle.dumps(plan))
        yield from _collected(pool, workers, packed, iter(tasks))


def _collected(
    pool: ProcessPoolExecutor, workers: int, packed: Path, waiting: Iterator[Task]
) -> Iterator[Batch]:
    running: set[Future[Batch]] = set()
    try:
        while True:
            wanted = WAITING * workers - len(running)
            running |= {
                pool.submit(_work, packed, packed.parent.name, *task) for task in islice(waiting, wanted)
            }
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
    except BrokenProcessPool as error:
        raise SolverError(
            "a worker process died before its draws were done",
            where=f"{workers} workers",
            cure="Run again (--resume keeps what is done), with fewer workers where memory is short; a "
            "script must start from `if __name__ == '__main__':`.",
        ) from error
