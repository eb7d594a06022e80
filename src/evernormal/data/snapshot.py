"""The shipped snapshot: compact Parquet tables, described by a Frictionless data package and pinned by hash.

Every table is checked once per process, against size and SHA-256 in ``datapackage.json``, before its first
row is read.  A file that was truncated or changed raises :class:`~evernormal.errors.SnapshotError`; nothing
is read from it.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from evernormal.data.publishers.registry import Source, carrier, source_of_table
from evernormal.data.schema import TABLES
from evernormal.errors import SnapshotError, UnknownNameError
from evernormal.result import Input, sha256_of

__all__ = [
    "SNAPSHOT",
    "SNAPSHOT_TABLES",
    "Resource",
    "check_resource",
    "inputs",
    "resource",
    "resources",
    "scan",
    "source_day",
]

SNAPSHOT = Path(__file__).parent / "snapshot"
"""Folder of the shipped snapshot."""

SNAPSHOT_TABLES = ("trade", "production", "production_totals", "governance")

_CURE = (
    "Run `evernormal data verify` to see every fault, and `evernormal data build` to make the snapshot again."
)


@dataclass(frozen=True)
class Resource:
    """One table of a data package: where it is and what it must look like."""

    name: str
    path: Path
    sha256: str
    size: int
    rows: int


def resources(folder: Path = SNAPSHOT) -> dict[str, Resource]:
    """Return the tables that the data package of ``folder`` lists."""
    path = folder / "datapackage.json"
    stamp = _stamp(path)
    return dict(_read_package(path, stamp))


def resource(table: str, folder: Path = SNAPSHOT) -> Resource:
    """Return one table of the snapshot after checking its size and hash.

    Raises:
        SnapshotError: the file is missing, truncated or changed.
    """
    known = resources(folder)
    if table not in known:
        raise UnknownNameError("snapshot table", table, known)
    return check_resource(known[table])


def check_resource(found: Resource, *, cure: str = _CURE) -> Resource:
    """Return a stored table after checking its size and hash, once per process and per state of the file.

    Raises:
        SnapshotError: the file is missing, truncated or changed.
    """
    _check(found, _stamp(found.path, cure), cure)
    return found


def scan(table: str, folder: Path = SNAPSHOT) -> pl.LazyFrame:
    """Return a lazy frame over a checked table of the snapshot, as stored.

    >>> scan("trade").select(pl.len()).collect().item()
    1264888
    """
    return pl.scan_parquet(resource(table, folder).path)


def inputs(*tables: str) -> tuple[Input, ...]:
    """Return name, hash, source, licence and date of the tables that a result was made from.

    Args:
        tables: snapshot tables (``trade``, ``production``, ``production_totals``, ``governance``) or typed
            tables (``facts``, ``countries``, ...); without any, the four snapshot tables.

    >>> [i.licence for i in inputs("trade")]
    ['Etalab Open Licence 2.0']
    """
    return tuple(_input(table) for table in tables or SNAPSHOT_TABLES)


def source_day(table: str) -> date:
    """Return the day on which the rows of a snapshot table were knowable (law 11)."""
    source_of_table(table)
    return date.fromisoformat(carrier().as_of)


def _input(table: str) -> Input:
    if table in SNAPSHOT_TABLES:
        source: Source = source_of_table(table)
        return Input(
            name=table,
            sha256=resources()[table].sha256,
            source=source.label,
            licence=source.licence,
            as_of=carrier().as_of,
        )
    path = TABLES / f"{table}.csv"
    if not path.is_file():
        known = {*SNAPSHOT_TABLES, *(p.stem for p in TABLES.glob("*.csv"))}
        raise UnknownNameError("table", table, known)
    return Input(
        name=table,
        sha256=sha256_of(path),
        source="evernormal, table typed from the sources that its rows name",
        licence="Apache-2.0",
    )


def _stamp(path: Path, cure: str = _CURE) -> tuple[int, int]:
    """Return size and time of change, so that a check is repeated when the file is replaced."""
    try:
        found = path.stat()
    except OSError as error:
        raise SnapshotError(
            f"cannot read {path.name} ({error.strerror})", where=str(path), cure=cure
        ) from error
    return found.st_size, found.st_mtime_ns


@functools.lru_cache(maxsize=32)
def _read_package(path: Path, stamp: tuple[int, int]) -> tuple[tuple[str, Resource], ...]:
    try:
        package: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return tuple(
            (
                entry["name"],
                Resource(
                    name=entry["name"],
                    path=path.parent / Path(entry["path"]).name,
                    sha256=entry["hash"].removeprefix("sha256:"),
                    size=int(entry["bytes"]),
                    rows=int(entry["rows"]),
                ),
            )
            for entry in package["resources"]
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SnapshotError(
            f"the data package cannot be read ({type(error).__name__}: {error})", where=str(path), cure=_CURE
        ) from error


@functools.lru_cache(maxsize=1 << 14)  # a full release of trade has some three thousand files
def _check(found: Resource, stamp: tuple[int, int], cure: str) -> None:
    if stamp[0] != found.size:
        raise SnapshotError(
            f"the file has {stamp[0]:,} bytes, the data package says {found.size:,}: truncated or changed",
            where=str(found.path),
            cure=cure,
        )
    digest = sha256_of(found.path)
    if digest != found.sha256:
        raise SnapshotError(
            f"the file was changed: SHA-256 {digest[:12]}..., the data package says {found.sha256[:12]}...",
            where=str(found.path),
            cure=cure,
        )
