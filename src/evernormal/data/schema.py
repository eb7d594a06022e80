"""One table says what every column is; readers, checks, data package and docs follow it.

The table is ``tables/schema.csv``: table, column, type, unit, basis, whether null is allowed, the range
that a value must lie in (*hard*), the range where it usually lies (*expected*), and what it means.  Rows
whose table is ``*`` hold for every table of observations: each row carries its source, reference, date and
grade (law 10).
"""

from __future__ import annotations

import csv
import functools
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from evernormal.errors import InputError, UnknownNameError

__all__ = [
    "OBSERVATIONS",
    "TABLES",
    "Column",
    "columns",
    "day",
    "public_columns",
    "schema_table",
    "stored_columns",
]

TABLES = Path(__file__).parent / "tables"
"""Folder of the tables that are typed by hand and shipped."""

OBSERVATIONS = (
    "trade",
    "production",
    "production_totals",
    "governance",
    "facts",
    "customs",
    "statistics",
    "prices",
    "policies",
    "firm",
    "concordance",
    "input_output",
)
"""Tables whose rows are observations and so carry source, reference, date and grade."""

_TYPES: dict[str, pl.DataType] = {
    "int16": pl.Int16(),
    "int32": pl.Int32(),
    "int64": pl.Int64(),
    "float64": pl.Float64(),
    "text": pl.String(),
    "date": pl.Date(),
}


@dataclass(frozen=True)
class Column:
    """One column of one table.

    Attributes:
        table: table that has it.
        name: its name.
        type: type that readers return; empty when it is stored but not returned.
        stored_as: type in the Parquet file; empty when readers compute it.
        unit: unit, or ``(column unit)`` when another column of the row says it.
        basis: what the unit counts.
        nullable: whether null (unknown) is allowed.
        hard: range outside which a value is wrong; None where open.
        expected: range outside which a value deserves a look; None where open.
        meaning: one sentence.
    """

    table: str
    name: str
    type: str
    stored_as: str
    unit: str
    basis: str
    nullable: bool
    hard: tuple[float | None, float | None]
    expected: tuple[float | None, float | None]
    meaning: str

    @property
    def dtype(self) -> pl.DataType:
        """Polars type of the column as readers return it."""
        return _TYPES[self.type]

    @property
    def stored_dtype(self) -> pl.DataType:
        """Polars type of the column in the Parquet file."""
        return _TYPES[self.stored_as]


def _bounds(low: str, high: str) -> tuple[float | None, float | None]:
    return (float(low) if low else None, float(high) if high else None)


@functools.cache
def _rows() -> tuple[Column, ...]:
    with (TABLES / "schema.csv").open(encoding="utf-8", newline="") as stream:
        return tuple(
            Column(
                table=row["table"],
                name=row["column"],
                type=row["type"],
                stored_as=row["stored_as"],
                unit=row["unit"],
                basis=row["basis"],
                nullable=row["nullable"] == "yes",
                hard=_bounds(row["hard_low"], row["hard_high"]),
                expected=_bounds(row["expected_low"], row["expected_high"]),
                meaning=row["meaning"],
            )
            for row in csv.DictReader(stream)
        )


def day(value: date | str | None) -> date | None:
    """Return a day given as a date or as text like ``2024-12-31``; None stays None.

    >>> day("2024-12-31")
    datetime.date(2024, 12, 31)
    """
    if not isinstance(value, str):
        return value
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise InputError(f"{value!r} is no day", where="as_of", cure="Write it like 2024-12-31.") from None


def columns(table: str) -> tuple[Column, ...]:
    """Return every column of ``table``, observations' common columns last.

    >>> [c.name for c in columns("trade")][:3]
    ['year', 'exporter', 'importer']
    """
    own = tuple(c for c in _rows() if c.table == table)
    if not own:
        raise UnknownNameError("table", table, {c.table for c in _rows()} - {"*"})
    common = tuple(c for c in _rows() if c.table == "*") if table in OBSERVATIONS else ()
    return own + common


def public_columns(table: str) -> tuple[Column, ...]:
    """Return the columns that readers of ``table`` return, in order."""
    return tuple(c for c in columns(table) if c.type)


def stored_columns(table: str) -> tuple[Column, ...]:
    """Return the columns of the Parquet file of ``table``, in order."""
    return tuple(c for c in columns(table) if c.stored_as)


def schema_table() -> pl.DataFrame:
    """Return the schema as a table, one row per column of each table.

    Returns:
        table, column, type, stored_as, unit, basis, nullable, hard_low, hard_high, expected_low,
        expected_high, meaning.

    >>> schema_table().filter(pl.col("table") == "trade", pl.col("column") == "value_usd")["unit"].item()
    'USD'
    """
    return pl.DataFrame(
        [
            {
                "table": c.table,
                "column": c.name,
                "type": c.type,
                "stored_as": c.stored_as,
                "unit": c.unit,
                "basis": c.basis,
                "nullable": c.nullable,
                "hard_low": c.hard[0],
                "hard_high": c.hard[1],
                "expected_low": c.expected[0],
                "expected_high": c.expected[1],
                "meaning": c.meaning,
            }
            for c in _rows()
        ],
        schema_overrides={
            "hard_low": pl.Float64(),
            "hard_high": pl.Float64(),
            "expected_low": pl.Float64(),
            "expected_high": pl.Float64(),
        },
    )
