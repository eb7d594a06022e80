"""Facts as CSV: one published figure per row with its citation; columns in ``tables/schema.csv``."""

from __future__ import annotations

import csv
import functools
import math
import re
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from evernormal.data.geography import aliases
from evernormal.data.publishers.adapters import Asked, Reading, name_from
from evernormal.data.publishers.text import Problems, read_rows
from evernormal.data.schema import TABLES, Column, public_columns
from evernormal.errors import UnitError, nearest
from evernormal.units import unit

__all__ = ["TOPICS", "read_facts", "reading"]

TOPICS = (
    "world_production",
    "refining_share",
    "mine_share",
    "imports",
    "import_share",
    "exports",
    "consumption",
    "price",
    "stock_days",
    "stockpile_target",
    "dependence_target",
    "policy",
)
_SHARES = {"refining_share", "mine_share", "import_share"}
_FORM = re.compile(r"[a-z0-9-]+/[a-z0-9-]+")
_PERIOD = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?(/\d{4}(-\d{2}(-\d{2})?)?)?")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_STAMPS = frozenset({"yyyymm", "yyyymmdd", "level"})
"""Units of facts that count nothing: a month, a day, a level of alert."""

_USUAL = ("1", "t", "USD", "USD/t", "KRW", "day")
"""How the shipped facts write units; a fact replaces a shipped one only in the same unit."""

_CODES = {"topic": TOPICS, "grade": ("A", "B", "C")}


def reading(path: Path, asked: Asked) -> Reading:
    """Return the facts of a user's file; it was knowable when its latest row was."""
    asked.progress(path.name)
    table = read_facts(path)
    latest = table["as_of"].max()
    assert isinstance(latest, date)
    return Reading(table, name_from("facts", path), f"facts of {path.name}", asked.as_of or latest)


def read_facts(path: Path) -> pl.DataFrame:
    """Return the facts in a CSV file, typed and checked.

    Raises:
        SourceFormatError: names file, row and column of every fault: unknown topic, country or grade, no
            number, a share outside 0..1, low above high, a missing source, a fact_id that is there twice.
    """
    columns = public_columns("facts")
    rows = read_rows(path, [column.name for column in columns])
    problems = Problems(path.name)
    seen: dict[str, int] = {}
    typed = []
    for number, cells in enumerate(rows, start=2):
        values = {c.name: _cell(c, cells[c.name].strip(), number, problems) for c in columns}
        _check_row(values, number, problems)
        fact_id = str(values["fact_id"])
        if fact_id in seen:
            problems.add(number, "fact_id", f"{fact_id!r} is already in row {seen[fact_id]}")
        seen.setdefault(fact_id, number)
        typed.append(values)
    problems.raise_if_any()
    return pl.DataFrame(typed, schema={c.name: c.dtype for c in columns})


def _cell(column: Column, text: str, row: int, problems: Problems) -> Any:
    if not text:
        if not column.nullable:
            problems.add(row, column.name, "is empty")
        return None
    if column.type == "float64":
        number = float(text) if _NUMBER.fullmatch(text) else math.nan
        if not math.isfinite(number):
            problems.add(row, column.name, f"{text!r} is no number (write 1234.5, no thousands separator)")
            return None
        return number
    if column.type == "date":
        try:
            return date.fromisoformat(text)
        except ValueError:
            problems.add(row, column.name, f"{text!r} is no date (write 2024-12-31)")
            return None
    return text


def _check_row(values: dict[str, Any], row: int, problems: Problems) -> None:
    for name, known in _CODES.items():
        if values[name] is not None and values[name] not in known:
            close = nearest(values[name], known)
            problems.add(row, name, f"{values[name]!r} is none of {', '.join(close or known)}")
    for name in ("region", "partner"):
        if values[name] is not None and values[name] not in aliases("iso3"):
            problems.add(row, name, f"{values[name]!r} is no ISO 3166 alpha-3 code")
    for name, pattern in (("form", _FORM), ("period", _PERIOD)):
        if values[name] is not None and not pattern.fullmatch(values[name]):
            example = "lithium/hydroxide" if name == "form" else "2024, 2024-05 or 2019-01/2023-05"
            problems.add(row, name, f"{values[name]!r} is not written like {example}")
    values["unit"] = _unit(values["unit"], row, problems)
    _check_names(values, row, problems)
    _check_range(values, row, problems)


def _unit(text: str | None, row: int, problems: Problems) -> str | None:
    """Return a unit as the shipped facts write it."""
    if text is None or text in _STAMPS:
        return text
    try:
        found = unit(text)
    except UnitError:
        problems.add(row, "unit", f"{text[:40]!r} is no known unit (write t, USD, USD/t, day, 1)")
        return text
    return next((name for name in _USUAL if unit(name) == found), text)


def _check_names(values: dict[str, Any], row: int, problems: Problems) -> None:
    """Law 3: a name that nothing answers to would never be used."""
    for name, known in (("form", _forms()), ("material", _materials())):
        text = values[name]
        if text is None or text in known or (name == "form" and not _FORM.fullmatch(text)):
            continue
        close = nearest(text, known)
        hint = f"; did you mean {' or '.join(close)}?" if close else ""
        problems.add(row, name, f"unknown {name} {text[:40]!r}{hint}")
    form, material = values["form"], values["material"]
    if form in _forms() and material in _materials() and not form.startswith(f"{material}/"):
        problems.add(row, "material", f"{material!r} is not the material of form {form!r}")


@functools.cache
def _forms() -> frozenset[str]:
    with (TABLES / "form_names.csv").open(encoding="utf-8", newline="") as stream:
        return frozenset(row["form"] for row in csv.DictReader(stream))


@functools.cache
def _materials() -> frozenset[str]:
    return frozenset(form.partition("/")[0] for form in _forms())


def _check_range(values: dict[str, Any], row: int, problems: Problems) -> None:
    value, low, high = values["value"], values["low"], values["high"]
    if value is None and low is None and high is None:
        problems.add(row, "value", "value, low and high are all empty")
    ordered = [number for number in (low, value, high) if number is not None]
    if ordered != sorted(ordered):
        problems.add(row, "value", f"low, value, high are not in order: {ordered}")
    if values["topic"] in _SHARES and any(not 0 <= number <= 1 for number in ordered):
        problems.add(row, "value", f"a share is a fraction from 0 to 1, got {ordered}")
    if values["topic"] not in {"policy", "price"} and any(number < 0 for number in ordered):
        problems.add(row, "value", f"must not be negative, got {ordered}")
