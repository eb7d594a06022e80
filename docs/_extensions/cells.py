"""Markdown tables that survive what a cell may hold."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

__all__ = ["frame", "table"]


def table(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a Markdown table; a bar inside a cell is escaped, an unknown value is an empty cell."""
    names = list(header)
    lines = ["| " + " | ".join(names) + " |", "|" + " --- |" * len(names)]
    lines += ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def frame(data: pl.DataFrame, **headings: str) -> str:
    """Return the columns named in ``headings`` of a table under those headings."""
    return table(headings.values(), data.select(list(headings)).iter_rows())


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        value = f"{value:.6g}"
    if isinstance(value, list | tuple):
        value = ", ".join(str(item) for item in value)
    text = str(value).replace("|", "\\|").replace("\n", " ")
    if not text.startswith("`"):
        for character in "<*_$":
            text = text.replace(character, "\\" + character)
    return text
