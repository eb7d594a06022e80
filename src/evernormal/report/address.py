"""Addresses of numbers in a result, such as ``shortage_t`` or ``imports.imports_t[supplier=CHN]``.

A value with a comma, a bracket or an equals sign in it stands in double quotes; a quote inside is doubled.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from evernormal.errors import InputError, UnknownNameError
from evernormal.report.language import as_date
from evernormal.result import Result

__all__ = ["NAMING", "Address", "completed", "parse", "require_one_row", "selected"]

NAMING = (
    "country", "importer", "exporter", "focal", "reporter", "supplier", "partner", "hub", "form", "material",
    "element", "member", "code", "year", "asked_year", "period", "stage", "measure", "rule", "source",
    "series", "dataset", "target", "method", "other", "end_use", "horizon", "name", "component",
)  # fmt: skip
"""Columns that say what a row is about."""

_QUOTED = r'"(?:[^"]|"")*"'
_FORM = re.compile(
    rf"\s*(?P<table>[\w-]+)(?:\.(?P<column>[\w-]+))?\s*(?:\[(?P<keys>(?:{_QUOTED}|[^\]\"])*)\])?\s*"
)
_PART = re.compile(rf"(?:{_QUOTED}|[^,\"])+")
_PLAIN = re.compile(r"[^,\[\]=\"\s](?:[^,\[\]=\"]*[^,\[\]=\"\s])?")


@dataclass(frozen=True)
class Address:
    """A column of a table, at some rows.

    Attributes:
        table: table of the result.
        column: column of it; for ``summary`` the name of the value.
        keys: column to the value that a row must have.
    """

    table: str
    column: str
    keys: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        if not self.keys:
            return f"{self.table}.{self.column}"
        inside = ",".join(f"{k}={_written(v)}" for k, v in self.keys.items())
        return f"{self.table}.{self.column}[{inside}]"


def _written(value: Any) -> str:
    if isinstance(value, dt.date):
        return value.isoformat()[:7] if value.day == 1 else value.isoformat()
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    return text if _PLAIN.fullmatch(text) else '"' + text.replace('"', '""') + '"'


def parse(result: Result, text: str) -> Address:
    """Return the address that a text names in a result.

    A column of the result's first table, or one that a single table has, needs no table: ``score``.

    Errors: :class:`UnknownNameError` with the nearest name for a table, column, key or value that does not
    exist; :class:`InputError` when the text is no address.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise InputError(
            f"{text!r} is no address of a number",
            cure="Write a summary name such as shortage_t, or table.column[key=value,...] such as "
            "imports.imports_t[month=2024-03,supplier=CHN].",
        )
    name, column, keys = match["table"], match["column"], match["keys"]
    if column is None:
        return _short_name(result, name, keys)
    if name == "summary":
        return Address("summary", _known("summary value", column, _summary_names(result)))
    table = result[name]
    _known("column", column, table.columns, where=f"table {name!r}")
    return Address(name, column, _keys(table, name, keys or ""))


def _short_name(result: Result, name: str, keys: str | None) -> Address:
    """Return the address of a summary value, or of a column that stands without its table.

    The first table of a result without a summary is what it is about: a column of it needs no table, nor one
    that a single table has.
    """
    names = _summary_names(result)
    if name in names and not keys:
        return Address("summary", name)
    homes = [table for table, frame in result.tables.items() if name in frame.columns]
    if not homes:
        columns = {f"{table}.{c}" for table, frame in result.tables.items() for c in frame.columns}
        raise UnknownNameError("number", name, {*names, *columns})
    if len(homes) > 1 and (names or homes[0] != next(iter(result.tables))):
        raise InputError(
            f"{name!r} is a column of several tables",
            cure=f"Write {' or '.join(f'{home}.{name}' for home in sorted(homes)[:4])}.",
        )
    return Address(homes[0], name, _keys(result[homes[0]], homes[0], keys or ""))


def _summary_names(result: Result) -> list[str]:
    table = result.tables.get("summary", pl.DataFrame())
    return [str(n) for n in table["name"].to_list()] if "name" in table.columns else []


def _known(kind: str, name: str, known: list[str], *, where: str = "") -> str:
    if name not in known:
        raise UnknownNameError(kind, name, known, where=where)
    return name


def _keys(table: pl.DataFrame, name: str, text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    where = f"address in table {name!r}"
    for part in filter(None, (p.strip() for p in _PART.findall(text))):
        key, equals, raw = (p.strip() for p in part.partition("="))
        if not equals or not raw:
            raise InputError(f"{part!r} is not key=value", where=where)
        if raw[0] == '"':
            raw = raw[1:-1].replace('""', '"')
        _known("key", key, table.columns, where=f"table {name!r}")
        if key in found:
            raise InputError(f"key {key!r} stands there twice", where=where, cure="Give each key once.")
        found[key] = _value(table[key], key, raw, name)
    return found


def _value(column: pl.Series, key: str, raw: str, table: str) -> Any:
    """Return the value of a key in the type of its column; it must occur there."""
    where = f"{table}.{key}"
    value: Any = raw
    if column.dtype == pl.Date:
        value = as_date(raw)
        if value is None:
            raise InputError(f"{raw!r} is no date", where=where, cure="Write YYYY-MM or YYYY-MM-DD.")
    elif column.dtype == pl.Boolean:
        if raw.lower() not in ("true", "false"):
            raise InputError(f"{raw!r} is neither true nor false", where=where)
        value = raw.lower() == "true"
    elif column.dtype.is_numeric():
        try:
            value = float(raw) if column.dtype.is_float() else int(raw)
        except ValueError:
            raise InputError(f"{raw!r} is no number", where=where) from None
    if not column.is_in([value]).any():
        known = {_written(v) for v in column.drop_nulls().unique().to_list()}
        raise UnknownNameError(key, raw, known, where=where)
    return value


def selected(result: Result, address: Address) -> pl.DataFrame:
    """Return the rows of an address; keys that the table lacks select nothing away."""
    table = result.tables.get(address.table, pl.DataFrame())
    if address.table == "summary" and "name" in table.columns:
        return table.filter(pl.col("name") == address.column)
    for key, value in address.keys.items():
        if key in table.columns:
            table = table.filter(pl.col(key) == value)
    return table


def require_one_row(result: Result, address: Address) -> None:
    """Raise unless an address names exactly one row; say which keys tell the rows apart.

    Raises:
        InputError: no row, or several; names the keys that are missing and what they may be.
    """
    rows = selected(result, address)
    if rows.height == 1:
        return
    where = f"table {address.table!r}"
    if rows.is_empty():
        raise InputError(
            f"no row has {', '.join(f'{k}={_written(v)}' for k, v in address.keys.items())} together",
            where=where,
            cure=_advice(result.tables[address.table], address),
        )
    raise InputError(f"{address} stands for {rows.height:,} rows", where=where, cure=_advice(rows, address))


def completed(result: Result, table: str, keys: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return keys with what else the one row that they name is about; as they are where they name several."""
    rows = selected(result, Address(table, "", keys))
    if rows.height != 1:
        return keys
    return {**{name: rows[name][0] for name in NAMING if name in rows.columns}, **keys}


def _advice(rows: pl.DataFrame, address: Address) -> str:
    """Name the keys that tell rows apart, with some of their values."""
    said = []
    for name, dtype in rows.schema.items():
        if name in address.keys or name == address.column or dtype.is_float() or name in _DESCRIBING:
            continue
        values = [_written(v) for v in rows[name].drop_nulls().unique(maintain_order=True).head(6).to_list()]
        if len(values) > 1:
            said.append(f"{name} ({', '.join(values[:5])}{', ...' if len(values) > 5 else ''})")
    if not said:
        return "Give other values."
    return f"Say which: {'; '.join(said[:6])}."


_DESCRIBING = frozenset({"source", "source_ref", "as_of", "grade", "reasons", "flag", "text", "unknown"})
