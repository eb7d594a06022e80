"""Trade tables of strangers: BACI's columns or ours, in memory, in a file, or in the store."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from evernormal.data import scan_trade
from evernormal.data.geography import aliases
from evernormal.data.trade_table import trade_table
from evernormal.errors import InputError, NotCoveredError, SourceFormatError, UnknownNameError
from evernormal.result import Input

__all__ = ["BACI_COLUMNS", "OUR_COLUMNS", "read_trade"]

BACI_COLUMNS = ("t", "i", "j", "k", "v", "q")
OUR_COLUMNS = ("year", "exporter", "importer", "code", "value_usd", "quantity_t")


LONGEST_HEADER = 10_000
MOST_CHARACTERS = 60
MOST_CODES = 150
"""Codes of a data set that are read at most: those asked for, and others for the year's factor."""


def read_trade(
    trade: Any,
    *,
    folder: str | Path | None = None,
    as_of: date | str | None = None,
    wanted: Iterable[str] = (),
) -> tuple[pl.DataFrame, str, Input]:
    """Return rows in our columns, the revision of their codes ("" when unknown) and what they are.

    Args:
        trade: None for the shipped trade; the name of a data set in ``folder``; the path of a CSV or Parquet
            file; or a table with a column for each of :data:`BACI_COLUMNS` (v in thousand USD, q in tonnes,
            i and j in BACI's numbers) or :data:`OUR_COLUMNS` (ISO 3166 alpha-3, USD, tonnes): of Polars, or
            any object with ``columns`` and ``[]`` such as one of pandas.
        folder: folder of the user's store.
        as_of: use only what was knowable on this day; for the shipped trade and data sets.
        wanted: codes that must be there; of a large table only these are read, and 150 others.

    Raises:
        InputError: neither layout, a value that is no number, negative or missing, a row twice.
        SourceFormatError: a file that cannot be read.
        UnknownNameError: a wanted code is not in the table.
        NotCoveredError, SnapshotError: as :func:`evernormal.data.trade`.
    """
    asked = sorted(set(wanted))
    if trade is None or (isinstance(trade, str) and Path(trade).suffix not in {".csv", ".parquet"}):
        chosen = trade_table(trade, folder, as_of)
        codes = _some([f"{code:06d}" for code in chosen.codes], asked)
        rows = scan_trade(codes, dataset=trade, folder=folder, as_of=as_of).collect()
        return rows, chosen.revision, chosen.input
    if as_of is not None:
        raise InputError("as_of needs a data set", cure="Add the table with `evernormal data add baci FILE`.")
    table, name = _table(trade)
    rows = _checked(table, name)
    if rows.is_empty():
        raise NotCoveredError("the trade table has no rows", where=name, cure="Give a table that has some.")
    rows = rows.filter(pl.col("code").is_in(_some(rows["code"].unique().to_list(), asked)))
    digest = hashlib.sha256(rows.write_csv().encode()).hexdigest()
    return rows, "", Input(name, digest, "given by the caller")


def _some(codes: Iterable[str], asked: list[str]) -> list[str]:
    """Return the codes that are read: the wanted ones, and evenly chosen others where there are many."""
    listed = sorted(codes)
    for code in asked:
        if code not in listed:
            raise UnknownNameError("code", code, listed, where="trade table")
    if not asked or len(listed) <= MOST_CODES:
        return listed
    step = len(listed) / MOST_CODES
    return sorted({*asked, *(listed[int(n * step)] for n in range(MOST_CODES))})


def _table(trade: Any) -> tuple[pl.DataFrame, str]:
    if isinstance(trade, pl.LazyFrame):
        return trade.collect(), "trade"
    if isinstance(trade, pl.DataFrame):
        return trade, "trade"
    if isinstance(trade, str | Path):
        return _file(Path(trade)), Path(trade).name
    if hasattr(trade, "columns") and hasattr(trade, "__getitem__"):
        columns = [str(name) for name in trade.columns]
        return pl.DataFrame({name: list(trade[name]) for name in columns}, strict=False), "trade"
    raise InputError(
        f"trade must be a table, a file or the name of a data set, got {type(trade).__name__}",
        cure=f"Give columns {', '.join(BACI_COLUMNS)} or {', '.join(OUR_COLUMNS)}.",
    )


def _file(path: Path) -> pl.DataFrame:
    try:
        with path.open("rb") as stream:
            if path.suffix == ".parquet":
                return pl.read_parquet(stream)
            separator = _separator(stream.readline(LONGEST_HEADER))
            stream.seek(0)
            return pl.read_csv(stream, infer_schema=False, separator=separator)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise SourceFormatError(
            f"cannot be read as {path.suffix[1:]} ({_reason(error)})",
            where=path.name,
            cure="Give a table in BACI's layout.",
        ) from error


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error).splitlines() or [type(error).__name__])[0]


def _separator(header: bytes) -> str:
    """Return what stands between the columns of a header: a comma, a semicolon or a tab."""
    return max(",;\t", key=lambda one: header.count(one.encode()))


def _checked(table: pl.DataFrame, name: str) -> pl.DataFrame:
    plain = {column: column.strip().lower() for column in table.columns}
    if len(set(plain.values())) == len(plain):
        table = table.rename(plain)
    if set(OUR_COLUMNS) <= set(table.columns):
        names, money, numbers = OUR_COLUMNS, 1.0, False
    elif set(BACI_COLUMNS) <= set(table.columns):
        names, money, numbers = BACI_COLUMNS, 1_000.0, True
    else:
        raise InputError(
            f"columns {', '.join(table.columns[:12]) or 'none'} are neither BACI's nor ours",
            where=name,
            cure=f"Give {', '.join(BACI_COLUMNS)} or {', '.join(OUR_COLUMNS)}.",
        )
    read = table.select(
        _number(names[0], pl.Int64).alias("year"),
        *(
            pl.col(old).cast(pl.String).str.strip_chars().alias(new)
            for old, new in zip(names[1:4], OUR_COLUMNS[1:4], strict=True)
        ),
        (_number(names[4], pl.Float64) * money).alias("value_usd"),
        _number(names[5], pl.Float64).alias("quantity_t"),
    )
    _require(read, table, names, name)
    read = read.with_columns(pl.col("code").str.zfill(6))
    _require_once(read, name)
    return _countries(read, names) if numbers else read


def _require_once(read: pl.DataFrame, name: str) -> None:
    """Refuse a row that stands twice, value and all; rows of one key that differ are added up."""
    again = read.is_duplicated()
    if again.any():
        first = read.row(int(again.arg_true()[0]))
        repeated = read.with_row_index().filter(again).iter_rows()
        places = [str(number + 1) for number, *row in repeated if tuple(row) == first]
        shown = ", ".join(places[:5])
        raise InputError(
            f"rows {shown} are the same ({first[0]}, {first[1]}, {first[2]}, {first[3]})",
            where=name,
            cure="Give every row once.",
        )


def _number(column: str, dtype: Any) -> pl.Expr:
    return pl.col(column).cast(pl.String).str.strip_chars().cast(dtype, strict=False)


def _require(read: pl.DataFrame, table: pl.DataFrame, names: Iterable[str], name: str) -> None:
    """Refuse what is no number, negative or missing; a quantity may be unknown, not wrong."""
    old = dict(zip(OUR_COLUMNS, names, strict=True))
    given = table[old["quantity_t"]].cast(pl.String).str.strip_chars()
    blank = given.is_null() | given.is_in(["", "NA", "NaN", "nan", "null"])
    faults = {
        "year": read["year"].is_null(),
        "exporter": read["exporter"].is_null() | (read["exporter"] == ""),
        "importer": read["importer"].is_null() | (read["importer"] == ""),
        "code": ~read["code"].fill_null("").str.contains(r"^\d{1,6}$"),
        "value_usd": ~(
            read["value_usd"].fill_null(-1.0).is_finite() & (read["value_usd"].fill_null(-1.0) >= 0)
        ),
        "quantity_t": ~blank
        & ~(read["quantity_t"].fill_null(-1.0).is_finite() & (read["quantity_t"].fill_null(-1.0) >= 0)),
    }
    for column, wrong in faults.items():
        if wrong.any():
            row = int(wrong.arg_true()[0])
            raise InputError(
                f"{_short(table[old[column]][row])} is no {column.replace('_', ' ')}",
                where=f"{name}, row {row + 1}, column {old[column]}",
                cure="A quantity may be empty or NA where it is unknown; nothing else may.",
            )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"


def _countries(rows: pl.DataFrame, names: Iterable[str]) -> pl.DataFrame:
    """Turn BACI's numbers into ISO 3166 alpha-3; a number that BACI does not list stays a number."""
    known = aliases("baci")
    seen = sorted({*rows["exporter"].unique().to_list(), *rows["importer"].unique().to_list()})
    iso3 = [known.get(str(int(code)) if code.isdigit() else code, code) for code in seen]
    return rows.with_columns(
        pl.col(column).replace_strict(seen, iso3, return_dtype=pl.String)
        for column in ("exporter", "importer")
    )
