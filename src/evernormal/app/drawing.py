"""Draw a result into a file for ``--chart``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from evernormal.app import output
from evernormal.app.options import Language
from evernormal.app.progress import progress

if TYPE_CHECKING:
    from evernormal.result import Result

__all__ = ["check_chart", "draw_chart", "tell_chart"]


def check_chart(path: Path | None) -> None:
    """Refuse a file that no chart can be written to, before anything is computed.

    Raises:
        InputError: another ending than .svg, .png or .pdf.
    """
    if path is not None:
        from evernormal.report.charting import chart_format

        chart_format(path)


def draw_chart(
    result: Result, path: Path | None, lang: Language, *, quiet: bool, **choices: Any
) -> Path | None:
    """Draw the first chart that a result can carry into a file; nothing without a path.

    Call it before anything is printed: what cannot be drawn is an error of the whole command.

    Args:
        result: what is drawn.
        path: file; its ending says how.
        lang: language of the chart.
        quiet: show no progress.
        choices: as :func:`evernormal.report.charting.chart`; None is left out.

    Returns:
        Where it was written.

    Raises:
        UnknownNameError: the result has no chart.
        NotCoveredError: nothing is known that could be drawn.
        StorageError: the file cannot be written.
    """
    if path is None:
        return None
    from evernormal.errors import NotCoveredError
    from evernormal.report.charting import chart, chart_names, write_chart

    chosen = {name: value for name, value in choices.items() if value is not None}
    names: tuple[str | None, ...] = chart_names(result) or (None,)
    with progress("Drawing", quiet=quiet):
        for name in names:
            try:
                figure = chart(result, name, lang.value, **chosen)
            except NotCoveredError:
                if name == names[-1]:
                    raise
            else:
                break
        return write_chart(figure, path)


def tell_chart(path: Path | None, *, error: bool) -> None:
    """Say where a chart is, on standard error where standard output holds JSON."""
    if path is not None:
        output.print_line(str(path), error=error)
