"""BACI trade, as the wheel packs it: table ``baci_trade`` with columns t, i, j, k, v, q, mostly as text.

``v`` is thousand USD and ``q`` tonnes, both with three decimals: stored as whole dollars and kilograms,
which loses nothing.  An empty ``q`` is unknown and stays so.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import polars as pl

from evernormal.data.geography import aliases
from evernormal.data.publishers.sqlite import open_database, require
from evernormal.data.schema import stored_columns
from evernormal.errors import SourceFormatError, UnknownNameError

__all__ = ["REVISION", "read_trade"]

REVISION = "HS1992"

_TABLE = "baci_trade"
_NUMBER = "trim({0}) = '' OR trim({0}) GLOB '*[^0-9.]*' OR trim({0}) GLOB '*.*.*'"
_BAD_ROW = f"""
    SELECT rowid, t, i, j, k, v, q FROM {_TABLE}
    WHERE t IS NULL OR t NOT GLOB '[12][0-9][0-9][0-9]' OR i IS NULL OR i GLOB '*[^0-9]*'
       OR j IS NULL OR j GLOB '*[^0-9]*' OR k IS NULL
       OR CAST(k AS TEXT) GLOB '*[^0-9]*' OR k NOT BETWEEN 1 AND 999999
       OR v IS NULL OR {_NUMBER.format("v")} OR (q IS NOT NULL AND ({_NUMBER.format("q")}))
       OR abs(v * 1000 - round(v * 1000)) > 0.01 OR abs(q * 1000 - round(q * 1000)) > 0.01
    ORDER BY rowid LIMIT 1
"""
_ROWS = f"""
    SELECT CAST(t AS INTEGER), CAST(i AS INTEGER), CAST(j AS INTEGER), CAST(k AS INTEGER),
           CAST(round(v * 1000) AS INTEGER), CAST(round(q * 1000) AS INTEGER)
    FROM {_TABLE}
"""
_KEY = ("year", "exporter", "importer", "code")


def read_trade(path: Path) -> pl.DataFrame:
    """Return the trade table as stored: year, exporter, importer, code, value_usd, quantity_kg.

    Raises:
        SourceFormatError: a column is missing, a cell is no number, or a row is there twice.
        UnknownNameError: a country code that the alias table lacks, naming the first row.
    """
    with open_database(path) as connection:
        require(connection, _TABLE, ("t", "i", "j", "k", "v", "q"), path)
        _require_numbers(connection, path)
        _require_countries(connection, path)
        rows = connection.execute(_ROWS).fetchall()
    columns = {c.name: c.stored_dtype for c in stored_columns("trade") if c.table == "trade"}
    order = ("year", "exporter", "importer", "code", "value_usd", "quantity_kg")
    table = pl.DataFrame(rows, schema={name: columns[name] for name in order}, orient="row")
    table = table.sort("code", "exporter", "importer", "year")
    twice = table.filter(table.select(_KEY).is_duplicated())
    if not twice.is_empty():
        raise SourceFormatError(f"the flow {twice.row(0, named=True)} is there twice", where=str(path))
    return table


def _require_numbers(connection: sqlite3.Connection, path: Path) -> None:
    bad = connection.execute(_BAD_ROW).fetchone()
    if bad is not None:
        rowid, *cells = bad
        shown = ", ".join(f"{name}={cell!r}" for name, cell in zip("tijkvq", cells, strict=True))
        raise SourceFormatError(
            f"a cell is not the number it should be: {shown}", where=f"{path.name}, {_TABLE}, row {rowid}"
        )


def _require_countries(connection: sqlite3.Connection, path: Path) -> None:
    known = aliases("baci")
    for column in ("i", "j"):
        for (code,) in connection.execute(f"SELECT DISTINCT {column} FROM {_TABLE}").fetchall():
            if code not in known:
                query = f"SELECT min(rowid) FROM {_TABLE} WHERE {column} = ?"
                row = connection.execute(query, (code,)).fetchone()[0]
                where = f"{path.name}, {_TABLE}, row {row}, column {column}"
                raise UnknownNameError("country of source 'baci'", code, known, where=where)
