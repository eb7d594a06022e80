"""BACI as CEPII ships it: CSV files t, i, j, k, v, q, one per year, alone or in the zip file of a release.

Everything is checked before anything is stored, and every fault is named with file, row and column.
"""

from __future__ import annotations

import csv
import re
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from evernormal.data.geography import aliases
from evernormal.data.publishers.adapters import Asked, Reading
from evernormal.data.publishers.archive import Limits, csv_members, extract
from evernormal.data.publishers.text import Problems, refuse_non_text, require_header
from evernormal.errors import InputError, SourceFormatError, nearest

__all__ = ["Release", "read_baci", "reading", "release_of"]

_COLUMNS = ("t", "i", "j", "k", "v", "q")
_REVISIONS = {"92": "HS1992", "96": "HS1996", "02": "HS2002", "07": "HS2007", "12": "HS2012", "17": "HS2017"}
_REVISIONS |= {"22": "HS2022"}
_RELEASE = re.compile(r"BACI_HS(\d\d)(?:_Y\d{4})?_V(\d{4})(\d\d)", re.IGNORECASE)
_SIDE_TABLES = re.compile(r"(country_codes|product_codes|readme)", re.IGNORECASE)
_UNKNOWN = ("", "NA")
_NUMBER = r"^\d+(\.\d*)?([eE][-+]?\d+)?$"
_KEY = ("year", "exporter", "importer", "code")
_SHOWN = 200


@dataclass(frozen=True)
class Release:
    """What a file's name and the caller say about it: revision of its codes, and the day it was knowable."""

    revision: str
    as_of: date


def release_of(path: Path, revision: str | None, as_of: date | None) -> Release:
    """Return the release of a file; the name ``BACI_HS17_Y2022_V202401b`` tells both, the caller may say
    otherwise.

    Raises:
        InputError: neither the name nor the caller tells the revision or the day, or the revision is unknown.

    >>> release_of(Path("BACI_HS17_V202401b.zip"), None, None)
    Release(revision='HS2017', as_of=datetime.date(2024, 1, 31))
    """
    named = _RELEASE.search(path.name)
    if revision is None and named:
        revision = _REVISIONS.get(named[1])
    if revision is None:
        raise InputError(
            "the file name does not tell the revision of its codes",
            where=path.name,
            cure=f"Give it: revision is one of {', '.join(_REVISIONS.values())}.",
        )
    if revision not in _REVISIONS.values():
        close = nearest(revision, _REVISIONS.values()) or list(_REVISIONS.values())
        raise InputError(f"unknown revision {revision!r}", cure=f"Give {' or '.join(close)}.")
    if as_of is None and named:
        following = date(int(named[2]), int(named[3]), 28) + timedelta(days=4)
        as_of = following.replace(day=1) - timedelta(days=1)
    if as_of is None:
        raise InputError(
            "the file name does not tell when it was published",
            where=path.name,
            cure="Give as_of, the day on which it was knowable, like 2024-01-31.",
        )
    return Release(revision, as_of)


def reading(path: Path, asked: Asked) -> Reading:
    """Return the trade of a file of CEPII; its name says the revision and the day, or the caller does."""
    release = release_of(path, asked.revision, asked.as_of)
    return Reading(
        read_baci(path, codes=asked.codes, limits=asked.limits, progress=asked.progress),
        dataset=f"baci-{release.revision.lower()}",
        title=f"CEPII, BACI, {release.revision}, {path.name}",
        as_of=release.as_of,
        revision=release.revision,
        grade="A",
    )


def read_baci(
    path: Path,
    *,
    codes: Iterable[str] | None = None,
    limits: Limits | None = None,
    progress: Callable[[str], None] = lambda step: None,
) -> pl.DataFrame:
    """Return the trade rows of a CSV or zip file: year, exporter, importer, code, value_usd, quantity_kg.

    Args:
        path: the publisher's file.
        codes: keep these six-digit codes only; None for all.
        limits: what an archive may hold.
        progress: called with the name of each file.

    Raises:
        SourceFormatError: names file, row, column and cure of every fault found first.
    """
    wanted = None if codes is None else [int(code) for code in codes]
    with path.open("rb") as stream:
        packed = stream.read(4) == b"PK\x03\x04"
    if not packed:
        progress(path.name)
        tables = [_read_csv(path, path.name, wanted)]
    else:
        tables = _read_archive(path, wanted, limits or Limits(), progress)
    rows = pl.concat(tables).sort("code", "exporter", "importer", "year")
    if rows.is_empty():
        raise SourceFormatError(
            "no row is left" if wanted else "the file has a header and no rows", where=path.name
        )
    twice = rows.filter(_flow().is_duplicated()) if len(tables) > 1 else rows.clear()
    if not twice.is_empty():
        flow = ", ".join(
            f"{name}={cell}" for name, cell in zip("tijk", twice.select(_KEY).row(0), strict=True)
        )
        raise SourceFormatError(f"the flow {flow} is in two files of the archive", where=path.name)
    return rows


def _flow() -> pl.Expr:
    """One number per flow: quicker to compare than four columns."""
    year, exporter, importer, code = (pl.col(name).cast(pl.Int64) for name in _KEY)
    return ((year * 100_000 + exporter) * 100_000 + importer) * 1_000_000 + code


def _read_archive(
    path: Path, wanted: list[int] | None, limits: Limits, progress: Callable[[str], None]
) -> list[pl.DataFrame]:
    members = [name for name in csv_members(path, limits) if not _SIDE_TABLES.search(Path(name).name)]
    if not members:
        raise SourceFormatError("there is no trade table in it", where=path.name, cure="Give a BACI release.")
    tables = []
    for name in members:
        progress(Path(name).name)
        with tempfile.TemporaryDirectory(prefix="evernormal-") as folder:
            unpacked = Path(folder) / "member.csv"
            extract(path, name, unpacked, limits)
            tables.append(_read_csv(unpacked, f"{path.name}, {name}", wanted))
    return tables


def _read_csv(path: Path, name: str, wanted: list[int] | None) -> pl.DataFrame:
    with path.open("rb") as stream:
        head = stream.read(4096)
    refuse_non_text(head, name)
    first = head.decode("utf-8-sig", errors="replace").splitlines()[0]
    require_header([cell.strip().strip('"') for cell in first.split(",")], _COLUMNS, name)
    try:
        rows = _parse(path).collect(engine="streaming")
    except pl.exceptions.PolarsError as error:
        _explain(path, name)
        raise SourceFormatError(f"cannot be read as CSV ({error})", where=name) from error
    _refuse_faults(path, rows, name)
    if wanted is not None:
        rows = rows.filter(pl.col("code").is_in(wanted))
    return rows.drop("row", "fault")


def _cells(path: Path) -> pl.LazyFrame:
    """Return every cell as stripped text, with its row as a spreadsheet counts."""
    table = pl.scan_csv(path, infer_schema=False, row_index_name="row", row_index_offset=2)
    table = table.rename(lambda name: name.strip().strip("\ufeff"))
    return table.select("row", *(pl.col(c).fill_null("").str.strip_chars().alias(c) for c in _COLUMNS))


def _parse(path: Path) -> pl.LazyFrame:
    known = [int(code) for code in aliases("baci")]
    numbers = _cells(path).with_columns(
        year=pl.col("t").cast(pl.Int16, strict=False),
        exporter=pl.col("i").cast(pl.Int16, strict=False),
        importer=pl.col("j").cast(pl.Int16, strict=False),
        code=pl.col("k").cast(pl.Int32, strict=False),
        value_usd=pl.when(pl.col("v").str.contains(_NUMBER)).then(pl.col("v").cast(pl.Float64, strict=False))
        * 1000,
        quantity_kg=pl.when(pl.col("q").str.contains(_NUMBER)).then(
            pl.col("q").cast(pl.Float64, strict=False)
        )
        * 1000,
    )
    checks = {
        "t": pl.col("year").is_between(1962, 2100),
        "i": pl.col("exporter").is_in(known),
        "j": pl.col("importer").is_in(known),
        "k": pl.col("code").is_between(1, 999_999),
        "v": pl.col("value_usd").is_finite(),
        "q": pl.col("quantity_kg").is_finite() | pl.col("q").is_in(_UNKNOWN),
    }
    fault = pl.coalesce(
        *(pl.when(~good.fill_null(value=False)).then(pl.lit(column)) for column, good in checks.items()),
        pl.lit(""),
    )
    return numbers.with_columns(fault=fault).select("row", *_KEY, "value_usd", "quantity_kg", "fault")


def _refuse_faults(path: Path, rows: pl.DataFrame, name: str) -> None:
    problems = Problems(name)
    faulty = rows.filter(pl.col("fault") != "").head(_SHOWN)
    if not faulty.is_empty():
        cells = _cells(path).filter(pl.col("row").is_in(faulty["row"].to_list())).collect()
        for (row, fault), text in zip(
            faulty.select("row", "fault").rows(), cells.iter_rows(named=True), strict=True
        ):
            problems.add(row, fault, _say(fault, text[fault]))
    twice = rows.filter(_flow().is_duplicated()).select("row", *_KEY).sort(*_KEY, "row").head(_SHOWN)
    for first, second in zip(twice.rows(), twice.rows()[1:], strict=False):
        if first[1:] == second[1:]:
            problems.add(second[0], "t, i, j, k", f"the same flow as row {first[0]}")
    problems.raise_if_any()


def _say(column: str, text: str) -> str:
    """Return what is wrong with a cell."""
    shown = text if len(text) <= 40 else text[:37] + "..."
    expected = {
        "t": "a year like 2023",
        "k": "a code of up to six digits",
        "v": "a value in thousand USD of zero or more",
        "q": "a quantity in tonnes of zero or more, or empty or NA",
    }
    if column in ("i", "j"):
        return f"{shown!r} is no country code of BACI"
    return f"{shown!r}, expected {expected[column]}"


def _explain(path: Path, name: str) -> None:
    """Find the row that stopped the CSV reader, and raise naming it."""
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            try:
                cells = next(csv.reader([line.decode("utf-8-sig")]), [])
            except UnicodeDecodeError:
                raise SourceFormatError(
                    f"row {number} is not UTF-8", where=name, cure="Save it as UTF-8."
                ) from None
            if cells and len(cells) != len(_COLUMNS):
                raise SourceFormatError(
                    f"row {number} has {len(cells)} cells, expected {len(_COLUMNS)}", where=name
                )
