"""Show that work goes on: a bar on standard error, only on a terminal and only after two seconds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from evernormal.app import output

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

__all__ = ["DELAY_SECONDS", "Advance", "progress", "steps"]

DELAY_SECONDS = 2.0

Advance = Callable[[int, int], None]
"""Called with the steps done and the steps in all."""


@contextmanager
def progress(text: str, *, quiet: bool = False) -> Iterator[Advance]:
    """Show a bar named ``text`` while the block runs.

    Yields a function to call with (steps done, steps in all); uncalled, the bar only shows the time spent.

    Args:
        text: what is being done.
        quiet: never show anything.
    """
    with _bar(text, quiet=quiet) as (bar, task):
        if bar is None:
            yield _ignore
        else:
            yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def steps(*, quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """Show the name of the step under way while the block runs; yields a function to call with each name.

    Args:
        quiet: never show anything.
    """
    with _bar("Working", quiet=quiet) as (bar, task):
        if bar is None:
            yield _say_nothing
        else:
            yield lambda name: bar.update(task, description=f"{name[:1].upper()}{name[1:]}")


@contextmanager
def _bar(text: str, *, quiet: bool) -> Iterator[tuple[Progress | None, TaskID]]:
    """Yield a bar that starts by itself after a while, or None where nothing may be shown."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    screen = output.console(error=True)
    if quiet or not screen.is_terminal:
        yield None, cast("TaskID", 0)
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=screen, transient=True)
    task = bar.add_task(text, total=None)
    timer = threading.Timer(DELAY_SECONDS, bar.start)
    timer.daemon = True
    timer.start()
    try:
        yield bar, task
    finally:
        timer.cancel()
        timer.join()
        bar.stop()


def _ignore(done: int, total: int) -> None:
    """Advance nothing."""


def _say_nothing(name: str) -> None:
    """Name nothing."""
