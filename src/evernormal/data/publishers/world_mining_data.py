"""World Mining Data, as the wheel packs it: one table per mineral, a column per year, a row per country and
a total.

The row ``Total`` is the publisher's sum; it is no country and goes to its own table, because it does not
always equal the sum of the countries.  ``data_source`` marks a row r (reported), e (estimated) or p
(provisional).
"""

from __future__ import annotations

import csv
import functools
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from evernormal.data.geography import country
from evernormal.data.publishers.corrections import corrections
from evernormal.data.publishers.sqlite import column_names, open_database, quoted, require
from evernormal.data.schema import TABLES, stored_columns
from evernormal.errors import SourceFormatError

__all__ = ["minerals", "read_production"]

_TOTAL = "Total"
_UNITS = {"metr. t": "t", "kg": "kg", "ct": "carat", "Mio m3": "million m3"}
_FLAGS = {"r", "e", "p"}
_COLUMNS = ("Country", "Country_ISO", "unit", "data_source")


class Mineral(NamedTuple):
    """Unit and basis of one mineral, and where the basis comes from."""

    unit: str
    basis: str
    note: str


@functools.cache
def minerals() -> dict[str, Mineral]:
    """Return unit and basis of each of the publisher's minerals.

    >>> minerals()["Lithium (Li2O)"].basis
    'contained Li2O'
    """
    with (TABLES / "minerals.csv").open(encoding="utf-8", newline="") as stream:
        return {
            row["material"]: Mineral(row["unit"], row["basis"], row["note"]) for row in csv.DictReader(stream)
        }


def read_production(path: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return production by country, and the publisher's totals, both as stored.

    Raises:
        SourceFormatError: a table lacks a column, has another unit than expected, or a row is there twice.
        UnknownNameError: a country name that the alias table lacks.
    """
    rows: list[dict[str, Any]] = []
    totals: list[dict[str, Any]] = []
    with open_database(path) as connection:
        for material, mineral in minerals().items():
            require(connection, material, _COLUMNS, path)
            for row in _read_sheet(connection, material, mineral, path):
                (totals if row["country"] is None else rows).append(row)
        _refuse_new_sheets(connection, path)
    production = _table("production", rows).sort("material", "country", "year")
    twice = production.filter(production.select("material", "country", "year").is_duplicated())
    if not twice.is_empty():
        raise SourceFormatError(f"{twice.row(0, named=True)} is there twice", where=path.name)
    return production, _table("production_totals", totals).sort("material", "year")


def _table(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    wanted = {c.name: c.stored_dtype for c in stored_columns(name) if c.table == name}
    return pl.DataFrame(rows, schema_overrides=wanted).select(*wanted)


def _refuse_new_sheets(connection: sqlite3.Connection, path: Path) -> None:
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    sheets = {name for name in names if {"Country", "data_source"} <= set(column_names(connection, name))}
    new = sorted(sheets - set(minerals()))
    if new:
        raise SourceFormatError(
            f"mineral {new[0]!r} has no unit and basis", where=path.name, cure="Add it to minerals.csv."
        )


def _read_sheet(
    connection: sqlite3.Connection, material: str, mineral: Mineral, path: Path
) -> Iterator[dict[str, Any]]:
    names = column_names(connection, material)
    years = [name for name in names if name.isdigit()]
    for number, cells in enumerate(connection.execute(f"SELECT * FROM {quoted(material)}"), start=1):
        row = dict(zip(names, cells, strict=True))
        where = f"{path.name}, {material}, row {number}"
        if _UNITS.get(row["unit"]) != mineral.unit:
            raise SourceFormatError(f"unit {row['unit']!r}, expected {mineral.unit!r}", where=where)
        is_total = row["Country"] == _TOTAL
        if not is_total and row["data_source"] not in _FLAGS:
            raise SourceFormatError(f"data_source {row['data_source']!r} is none of r, e, p", where=where)
        iso3 = None if is_total else _country(row["Country"], row["Country_ISO"], where)
        for year in years:
            yield {
                "year": int(year),
                "country": iso3,
                "material": material,
                "value": _value(material, row["Country"], year, row[year], where),
                "unit": mineral.unit,
                "basis": mineral.basis,
                "flag": row["data_source"],
            }


def _country(name: str, code: str, where: str) -> str:
    """Return the country of a row: the name decides; another code needs a correction that says so."""
    iso3 = country(name, source="wmd", where=where)
    if code != iso3 and (name, code, iso3) not in {
        (c.key, c.published, c.corrected) for c in corrections("wmd")
    }:
        raise SourceFormatError(f"{name} is coded {code!r}, expected {iso3!r}", where=where)
    return iso3


def _value(material: str, name: str, year: str, cell: float | None, where: str) -> float | None:
    """Return a cell as a number, or None where it is empty or corrected to unknown."""
    if cell is not None and (isinstance(cell, str) or cell < 0):
        raise SourceFormatError(f"{year} is {cell!r}, expected a number of zero or more", where=where)
    for fix in corrections("wmd"):
        if (fix.table, fix.key, fix.year) == (material, name, year):
            if cell != float(fix.published):
                raise SourceFormatError(
                    f"{year} is {cell!r}; the correction expects {fix.published}", where=where
                )
            return float(fix.corrected) if fix.corrected else None
    return None if cell is None else float(cell)
