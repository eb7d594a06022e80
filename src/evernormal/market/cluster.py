"""The batches of an ensemble on a Dask cluster, one that exists or one started here.

The plan travels once to every worker, also to one that joins later or takes the place of one that died; a
batch whose worker died is run again elsewhere.  A scheduler that does not answer, and a cluster that has lost
all its workers, are errors after a bounded time.
"""

from __future__ import annotations

import hashlib
import importlib
import pickle
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING, Any

from evernormal.errors import EvernormalError, InputError, SolverError
from evernormal.market.batch import Batch, Kernel, Plan

if TYPE_CHECKING:
    from evernormal.market.executors import Executor, Task

__all__ = ["CONNECT_SECONDS", "connected"]

CONNECT_SECONDS = 10
"""How long a scheduler may take to answer, and a cluster to show its first worker."""
LOST_SECONDS = 60
"""How long a cluster may be without any worker before the run is given up."""
POLL_SECONDS = 5
RETRIES = 3
PER_WORKER = 3
"""Batches handed out per worker: one under way and two in waiting."""


class Shared:
    """What a worker needs: a Dask plugin that makes the kernel of the plan when the first batch comes."""

    def __init__(self, plan: bytes, name: str) -> None:
        self.name, self._plan = name, plan
        self._kernel: Kernel | None = None

    def setup(self, worker: Any) -> None:
        """Make ready on a worker, new ones included."""
        self._lock = Lock()

    def teardown(self, worker: Any) -> None:
        """Let the kernel go."""
        self._kernel = None

    def run(self, task: Task) -> Batch:
        """Run a batch; one at a time per process."""
        with self._lock:
            if self._kernel is None:
                self._kernel = Kernel(pickle.loads(self._plan))
            return self._kernel.run(*task)


def _work(name: str, task: Task) -> Batch:
    distributed: Any = importlib.import_module("distributed")
    shared: Shared = distributed.get_worker().plugins[name]
    return shared.run(task)


def _version() -> str:
    from evernormal import __version__  # noqa: PLC0415

    return __version__


@contextmanager
def connected(workers: int, scheduler: str | None) -> Iterator[Executor]:
    """Yield the executor of a cluster; see :func:`evernormal.market.executors.opened`.

    Raises:
        InputError: ``distributed`` is not installed, the scheduler does not answer in time, it has no
            workers, or they run another version of evernormal (law 6).
        SolverError: the cluster lost its workers or gave a batch up.
    """
    try:
        distributed: Any = importlib.import_module("distributed")
    except ImportError as error:
        raise InputError(
            "a run on Dask needs the package distributed",
            cure="Install it: pip install 'evernormal[cluster]'.",
        ) from error
    cluster: Any = None
    if scheduler is None:
        cluster = distributed.LocalCluster(
            n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
        )
    client = None
    try:
        client = _client(distributed, cluster or scheduler)
        yield partial(_collected, distributed, client)
    finally:
        if client is not None:
            client.close(timeout=5)
        if cluster is not None:
            cluster.close(timeout=10)


def _client(distributed: Any, address: Any) -> Any:
    """Return a client whose cluster has workers of our version."""
    where = address if isinstance(address, str) else "a cluster on this machine"
    try:
        client = distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise InputError(
            f"no Dask scheduler answers within {CONNECT_SECONDS} seconds ({error})",
            where=str(where),
            cure="Start one with `dask scheduler`, check the address (tcp://host:8786), or leave it out.",
        ) from error
    try:
        client.wait_for_workers(1, timeout=CONNECT_SECONDS)
        versions = set(client.run(_version).values())
    except TimeoutError as error:
        client.close(timeout=5)
        raise InputError(
            f"the Dask scheduler shows no worker within {CONNECT_SECONDS} seconds",
            where=str(where),
            cure="Start workers with `dask worker ADDRESS`.",
        ) from error
    except Exception as error:
        client.close(timeout=5)
        raise InputError(
            f"a Dask worker cannot load evernormal ({type(error).__name__}: {error})",
            where=str(where),
            cure="Install the same version of evernormal where the workers run.",
        ) from error
    if versions != {_version()}:
        client.close(timeout=5)
        raise InputError(
            f"Dask workers run evernormal {', '.join(sorted(versions))}, this is {_version()}",
            where=str(where),
            cure="Install the same version everywhere: results would differ (law 6).",
        )
    return client


def _collected(distributed: Any, client: Any, plan: Plan, tasks: Iterable[Task]) -> Iterator[Batch]:
    packed = pickle.dumps(plan)
    name = f"evernormal-{hashlib.sha256(packed).hexdigest()[:16]}"
    client.register_plugin(_plugin(distributed, packed, name), name=name)
    waiting, running, lost = iter(tasks), set[Any](), 0

    def more() -> set[Any]:
        room = PER_WORKER * max(len(client.nthreads()), 1) - len(running)
        return {
            client.submit(_work, name, task, pure=False, retries=RETRIES, key=f"{name}-{task[0]}")
            for task in islice(waiting, max(room, 0))
        }

    try:
        while True:
            running |= more()
            if not running:
                return
            try:
                with client.as_current():
                    done, running = distributed.wait(
                        running, timeout=POLL_SECONDS, return_when="FIRST_COMPLETED"
                    )
            except TimeoutError:
                lost = 0 if client.nthreads() else lost + POLL_SECONDS
                if lost >= LOST_SECONDS:
                    raise _given_up(f"the cluster has been without workers for {lost} seconds") from None
                continue
            lost = 0
            for future in done:
                yield future.result()
                future.release()
    except EvernormalError:
        raise
    except (distributed.KilledWorker, OSError, TimeoutError) as error:
        raise _given_up(f"{type(error).__name__}: {error}") from error
    except (distributed.CancelledError, distributed.client.FuturesCancelledError) as error:
        raise _given_up(f"the scheduler let go of batches ({type(error).__name__})") from error
    finally:
        if client.status == "running":
            client.cancel(list(running))
            client.unregister_worker_plugin(name)


def _plugin(distributed: Any, packed: bytes, name: str) -> Any:
    """Return :class:`Shared` as a plugin that Dask accepts."""
    return type("SharedPlan", (Shared, distributed.WorkerPlugin), {})(packed, name)


def _given_up(why: str) -> SolverError:
    return SolverError(
        f"the cluster did not finish the draws: {why}",
        cure="Run again when it is up; --resume keeps what is done.",
    )
