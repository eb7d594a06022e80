"""Show that work goes on: a bar on standard error, only on a terminal and only after two seconds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from evernormal.app import output

__all__ = ["DELAY_SECONDS", "Advance", "progress"]

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
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    screen = output.console(error=True)
    if quiet or not screen.is_terminal:
        yield _ignore
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=screen, transient=True)
    task = bar.add_task(text, total=None)
    timer = threading.Timer(DELAY_SECONDS, bar.start)
    timer.daemon = True
    timer.start()
    try:
        yield lambda done, total: bar.update(task, completed=done, total=total)
    finally:
        timer.cancel()
        timer.join()
        bar.stop()


def _ignore(done: int, total: int) -> None:
    """Advance nothing."""
