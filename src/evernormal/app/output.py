"""Print for people and for programs: aligned columns, or exactly one JSON document on standard output."""

from __future__ import annotations

import dataclasses
import json
import math
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

__all__ = [
    "console",
    "figure",
    "page",
    "prepare_streams",
    "print_findings",
    "print_json",
    "print_line",
    "print_record",
    "print_rows",
    "print_table",
    "print_values",
    "to_plain",
]

PIPE_WIDTH = 4000
"""Width of a line that no terminal cuts: what is piped or saved is never folded."""

PAGE_WIDTH = 110

UNKNOWN = "unknown"


def prepare_streams() -> None:
    """Let a narrow encoding replace what it cannot write instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def console(*, error: bool = False) -> Console:
    """Return a console on standard output or standard error as they are now.

    Args:
        error: write to standard error.
    """
    from rich.console import Console

    stream = sys.stderr if error else sys.stdout
    made = Console(file=stream, markup=False, highlight=False, emoji=False)
    if not made.is_terminal:
        made = Console(file=stream, markup=False, highlight=False, emoji=False, width=PIPE_WIDTH)
    return made


def page() -> Console:
    """Return a console for text that fills the width: the terminal's, or that of a printed page."""
    made = console()
    if not made.is_terminal:
        made.width = PAGE_WIDTH
    return made


def print_line(text: str = "", *, error: bool = False) -> None:
    """Print text as it is, folded by the terminal only."""
    console(error=error).print(text, soft_wrap=True)


def to_plain(value: Any) -> Any:
    """Turn tables, dates, models and paths into what JSON can say; a number that is not finite becomes null.

    >>> to_plain({"when": date(2024, 1, 1), "share": float("nan"), "codes": ("282520",)})
    {'when': '2024-01-01', 'share': None, 'codes': ['282520']}
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    return _to_plain_object(value)


def _to_plain_object(value: Any) -> Any:
    if hasattr(value, "to_dicts"):
        return to_plain(value.to_dicts())
    if hasattr(value, "model_dump"):
        return to_plain(value.model_dump(mode="json"))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Sequence | set | frozenset):
        return [to_plain(item) for item in value]
    if hasattr(value, "tolist"):
        return to_plain(value.tolist())
    return str(value)


def print_json(document: Any) -> None:
    """Print one JSON document on standard output; escapes what the output's encoding cannot write."""
    unicode = (sys.stdout.encoding or "utf-8").lower().replace("-", "").startswith("utf")
    text = json.dumps(to_plain(document), ensure_ascii=not unicode, indent=2, allow_nan=False)
    sys.stdout.write(text + "\n")


def figure(value: Any, unit: str = "", unknown: str = UNKNOWN) -> str:
    """Write one cell for people: four significant figures, thousands apart (no year), fractions as per cent.

    >>> figure(81234.5), figure(0.8123, "fraction"), figure(None), figure(12.3456)
    ('81,234', '81.2 %', 'unknown', '12.35')
    """
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return unknown
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _number(value, unit)
    if isinstance(value, list | tuple):
        return ", ".join(figure(item) for item in value)
    return str(value)


def _number(value: float, unit: str) -> str:
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if unit == "fraction":
        return f"{value:.1%}".replace("%", " %")
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def print_table(
    table: pl.DataFrame, *, title: str = "", units: Mapping[str, str] | None = None, unknown: str = UNKNOWN
) -> None:
    """Print a table in columns; numbers to the right, units in the heading.

    Args:
        table: what to print.
        title: one line above it.
        units: unit per column; ``fraction`` is shown as per cent.
        unknown: what stands where there is no value.
    """
    from rich import box
    from rich.table import Table

    units = units or {}
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name, dtype in table.schema.items():
        unit = units.get(name, "")
        heading = f"{name} ({unit})" if unit and unit != "fraction" else name
        shown.add_column(heading, justify="right" if dtype.is_numeric() and name != "year" else "left")
    for row in table.iter_rows(named=True):
        shown.add_row(*(figure(value, units.get(name, ""), unknown) for name, value in row.items()))
    out = console()
    if title:
        print_line(title)
    out.print(shown)


def print_rows(
    rows: Sequence[Mapping[str, Any]], *, title: str = "", units: Mapping[str, str] | None = None
) -> None:
    """Print records as a table, see :func:`print_table`; columns in which nothing is said are left out."""
    import polars as pl

    table = pl.DataFrame([to_plain(row) for row in rows], infer_schema_length=None)
    said = [name for name in table.columns if any(_says_something(value) for value in table[name].to_list())]
    print_table(table.select(said), title=title, units=units)


def print_record(record: Any) -> None:
    """Print one thing for people: its plain values by name, then each list of records as a table."""
    plain = to_plain(record)
    tables = {name: rows for name, rows in plain.items() if _is_table(rows)}
    print_values(
        {name: value for name, value in plain.items() if name not in tables and value not in ("", [], {})}
    )
    for name, rows in tables.items():
        print_line()
        print_rows(rows, title=name)


def _says_something(value: Any) -> bool:
    return value not in (None, "", [], {})


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def print_values(values: Mapping[str, Any]) -> None:
    """Print names and values, one a line, the values aligned."""
    width = max((len(name) for name in values), default=0)
    for name, value in values.items():
        print_line(f"{name:<{width}}  {figure(value)}")


def print_findings(findings: Sequence[Any], *, error: bool = False) -> None:
    """Print findings, gravest first; each is one sentence."""
    order = {"warning": 0, "caution": 1, "info": 2}
    for finding in sorted(findings, key=lambda f: order.get(f.level, 3)):
        print_line(f"{finding.level}: {finding.message}", error=error)
