"""A path of electric cars that the user brings as a CSV file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl

from evernormal.data.publishers.text import Problems, read_rows
from evernormal.errors import InputError

__all__ = ["COLUMNS", "OPTIONAL", "read_path"]

COLUMNS = ("year", "vehicles")
OPTIONAL = ("kwh_per_vehicle", "kg_per_kwh")
LIMITS = {"vehicles": (0.0, 1e10), "kwh_per_vehicle": (0.0, 1e4), "kg_per_kwh": (0.0, 10.0)}
"""Every number must be above the first and at most the second."""


def read_path(path: Path, years: Iterable[int]) -> pl.DataFrame:
    """Read a path of electric cars: columns ``year, vehicles``; ``kwh_per_vehicle, kg_per_kwh`` if wanted.

    Args:
        path: CSV file in UTF-8.
        years: years that must be there, the origin first.

    Raises:
        InputError: there is no such file.
        SourceFormatError: names every fault with row, column and cure.
    """
    if not path.is_file():
        raise InputError("there is no such file", where=str(path), cure="Give the path of a CSV file.")
    rows = read_rows(path, COLUMNS)
    problems = Problems(path.name)
    unknown = sorted(set(rows[0]) - {*COLUMNS, *OPTIONAL})
    if unknown:
        problems.add(1, unknown[0], f"no such column; known: {', '.join((*COLUMNS, *OPTIONAL))}")
    seen: dict[int, int] = {}
    table: list[dict[str, Any]] = []
    for number, row in enumerate(rows, start=2):
        year = _year(row["year"], number, seen, problems)
        numbers = {column: _number(row, column, number, problems) for column in LIMITS}
        if year is not None:
            table.append({"year": year, **numbers})
    for year in years:
        if year not in seen:
            problems.add(len(rows) + 2, "year", f"no row for {year}, which the forecast needs")
    problems.raise_if_any("Correct the file and run the command again.")
    schema = {"year": pl.Int64, **dict.fromkeys(LIMITS, pl.Float64)}
    return pl.DataFrame(table, schema=schema).sort("year")


def _year(text: str, number: int, seen: dict[int, int], problems: Problems) -> int | None:
    cleaned = text.strip()
    if not (cleaned.isascii() and cleaned.isdigit() and len(cleaned) == 4):
        problems.add(number, "year", f"a year of four digits is wanted, got {cleaned!r}")
        return None
    year = int(cleaned)
    if year in seen:
        problems.add(number, "year", f"{year} is in row {seen[year]} already")
        return None
    seen[year] = number
    return year


def _number(row: dict[str, str], column: str, number: int, problems: Problems) -> float | None:
    text = row.get(column, "").strip()
    if not text:
        if column in COLUMNS:
            problems.add(number, column, "empty: unknown is not zero, give a number")
        return None
    try:
        value = float(text)
    except ValueError:
        hint = "; leave the thousands separator out" if "," in text else ""
        problems.add(number, column, f"a plain number is wanted, got {text!r}{hint}")
        return None
    low, high = LIMITS[column]
    if not low < value <= high:
        problems.add(number, column, f"must be above {low:g} and at most {high:g}, got {text}")
        return None
    return value
