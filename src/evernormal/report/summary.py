"""The answer in short: as JSON for programs, as a panel and tables for a terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import polars as pl

from evernormal.report import figures, rows, story
from evernormal.report.reading import Reading
from evernormal.result import Result

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["brief_json", "terminal_summary"]

SERIES = (
    "imports_t", "base_imports_t", "other_supply_t", "price_ratio", "cover_days", "shortage_t", "loss_usd",
)  # fmt: skip


def brief_json(result: Result) -> dict[str, Any]:
    """Return the result as ``evernormal brief --json`` prints it.

    Args:
        result: a simulation result.

    Returns:
        ``scenario, focal, form, months, imports_t, base_imports_t, other_supply_t, price_ratio, cover_days,
        stop_date, shortage_t, loss_usd, bands, findings, files``: lists by month (``months`` as ``YYYY-MM``),
        ``bands`` as series to ``p10, p50, p90`` lists, ``stop_date`` with the release and
        ``stop_date_without_release``, ``totals`` and ``units``.  What is unknown is ``None``, never NaN and
        never 0.

    Example:
        >>> from evernormal.result import Lineage
        >>> import datetime as dt
        >>> supply = pl.DataFrame({"month": [dt.date(2024, 1, 1)], "imports_t": [float("nan")]})
        >>> lineage = Lineage("0", call={"scenario": "quiet", "focal": "KOR", "form": "tin/refined"})
        >>> units = {"supply": {"imports_t": "t"}}
        >>> made = brief_json(Result("simulation", {"supply": supply}, units, lineage))
        >>> made["scenario"], made["months"], made["imports_t"], made["stop_date"]
        ('quiet', ['2024-01'], [None], None)
    """
    reading = Reading.of(result, "en")
    supply = reading.table("supply")
    series = {name: _finite_list(supply, name) for name in SERIES}
    with_release, without = (reading.day(f"stop_date_{policy}_release") for policy in ("with", "without"))
    return {
        "scenario": reading.name,
        "focal": reading.focal,
        "form": reading.form,
        "months": [month.strftime("%Y-%m") for month in reading.months],
        **series,
        "stop_date": with_release.isoformat() if with_release else None,
        "stop_date_without_release": without.isoformat() if without else None,
        "bands": _bands(reading),
        "totals": {
            name: reading.value(name) for name in reading.summary_names if reading.unit_of(name) != "date"
        },
        "units": dict(result.units.get("supply", {})),
        "basis": reading.unit,
        "findings": [
            {"code": f.code, "level": f.level, "message": f.message, "values": _plain(dict(f.values))}
            for f in result.findings
        ],
        "files": {},
    }


def _finite_list(table: pl.DataFrame, column: str) -> list[float | None]:
    if column not in table.columns:
        return [None] * table.height
    return [_finite(value) for value in table[column].to_list()]


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def _plain(value: Any) -> Any:
    """Turn a value of a finding into what JSON can say."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        return _finite(value)
    if value is None or isinstance(value, str | int | bool):
        return value
    return str(value)


def _bands(reading: Reading) -> dict[str, dict[str, list[float | None]]]:
    table = reading.table("bands")
    if "series" not in table.columns:
        return {}
    found = {}
    for name in table["series"].unique(maintain_order=True).to_list():
        part = table.filter(pl.col("series") == name).sort("month")
        found[str(name)] = {point: _finite_list(part, point) for point in ("p10", "p50", "p90")}
    return found


def terminal_summary(result: Result, lang: str = "en") -> RenderableType:
    """Return what a terminal shows after ``evernormal brief``: answer, figures, suppliers, end uses.

    Args:
        result: a simulation result.
        lang: ``en`` or ``ko``.

    Returns:
        A Rich renderable; text from the result carries no markup.
    """
    from rich.console import Group  # noqa: PLC0415 - only where a terminal is

    reading = Reading.of(result, lang)
    words = reading.words
    parts: list[Any] = [_panel(reading), _figures(reading)]
    suppliers = rows.suppliers(reading)
    if notice := story.share_based(reading):
        parts.append(_text(notice, style="yellow"))
    if suppliers:
        parts += [_table(words.text("section.suppliers"), suppliers), _text(rows.stepping_in(reading))]
    uses = rows.end_uses(reading)
    if uses:
        parts.append(_table(words.text("section.end_use"), uses))
    parts.append(_text(story.not_known(reading), style="yellow"))
    return Group(*parts)


def _text(line: str, style: str = "") -> Any:
    from rich.text import Text  # noqa: PLC0415

    return Text(line, style=style)


def _panel(reading: Reading) -> Any:
    from rich.panel import Panel  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    sentences = story.headline(reading)
    body = Text()
    body.append(sentences[0] if sentences else "", style="bold")
    for sentence in sentences[1:]:
        body.append("\n" + sentence)
    title = Text(reading.words.text("terminal.title", title=reading.title))
    return Panel(body, title=title, title_align="left")


def _figures(reading: Reading) -> Any:
    from rich.table import Table  # noqa: PLC0415

    words = reading.words
    table = Table(box=None, pad_edge=False)
    for key, justify in (("column.name", "left"), ("terminal.central", "right"), ("terminal.range", "left")):
        table.add_column(_text(words.text(key)), justify=justify)  # type: ignore[arg-type]
    for figure in (*figures.key_figures(reading), *figures.other_figure(reading)):
        table.add_row(_text(figure.label), _text(figure.value, "bold"), _text("; ".join(figure.remarks)))
    return table


def _table(title: str, grid: rows.Grid) -> Any:
    from rich.table import Table  # noqa: PLC0415

    table = Table(title=_text(title), title_justify="left", box=None, pad_edge=False)
    for i, heading in enumerate(grid.headings):
        narrow = i == 0 and max(len(row[0]) for row in grid.rows) <= 24
        table.add_column(_text(heading), justify="left" if i < grid.words else "right", no_wrap=narrow)
    for row in grid.rows:
        last = grid.total and row is grid.rows[-1]
        table.add_row(*(_text(cell, "bold" if last else "") for cell in row))
    return table
