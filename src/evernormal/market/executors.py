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
from itertools import islice
from multiprocessing import get_context
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
    else:
        yield lambda plan, tasks: _in_pool(plan, tasks, workers)


def _in_process(plan: Plan, tasks: Iterable[Task]) -> Iterator[Batch]:
    kernel = Kernel(plan)
    for first, points in tasks:
        yield kernel.run(first, points)


_kernels: list[Kernel] = []
"""The kernel of this worker process; empty in every other process."""


def _start(plan: bytes) -> None:
    _kernels[:] = [Kernel(pickle.loads(plan))]


def _work(first: int, points: Floats) -> Batch:
    return _kernels[0].run(first, points)


def _in_pool(plan: Plan, tasks: Iterable[Task], workers: int) -> Iterator[Batch]:
    waiting = iter(tasks)
    context = get_context("spawn")
    pool = ProcessPoolExecutor(
        workers, mp_context=context, initializer=_start, initargs=(pickle.dumps(plan),)
    )
    try:
        running: set[Future[Batch]] = set()
        while True:
            wanted = WAITING * workers - len(running)
            running |= {pool.submit(_work, *task) for task in islice(waiting, wanted)}
            if not running:
                break
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
    finally:  # an interrupt must not wait for the draws that are left
        pool.shutdown(wait=False, cancel_futures=True)
