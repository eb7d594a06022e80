"""A trade table too big for one file: many small Parquet files, each sealed by its hash, in two orders.

The rows are stored twice.  Under ``codes`` each file holds a range of codes of one year: a question about
codes or years touches few of them.  Under ``pairs`` each file holds the trade of a group of importers with a
group of exporters over all years: a question about a country touches one row or one column of that grid.
``manifest.json`` lists every file with size, hash and what is in it; its own hash is in the journal.  A
reader takes the order that needs fewer bytes, checks the files it reads, and no others.
"""

from __future__ import annotations

import functools
import json
import os
from bisect import bisect_left
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from evernormal.data.snapshot import Resource, check_resource
from evernormal.errors import SnapshotError

__all__ = [
    "FORMAT",
    "KEY",
    "MANIFEST",
    "Manifest",
    "Part",
    "Question",
    "check_parts",
    "filtered",
    "matching",
    "read_manifest",
    "scan_parts",
]

MANIFEST = "manifest.json"
FORMAT = 1
KEY = ("year", "exporter", "importer", "code")

_CURE = "Add the publisher's file again with `evernormal data add`, or restore the folder from a backup."


@dataclass(frozen=True)
class Question:
    """Rows that a question is about, in the publisher's numbers; None for all."""

    codes: frozenset[int] | None = None
    importers: frozenset[int] | None = None
    exporters: frozenset[int] | None = None
    years: frozenset[int] | None = None


@dataclass(frozen=True)
class Part:
    """One file: where it is, what it must look like, and which rows may be in it.

    ``codes`` files have ``year`` and the least and greatest code; ``pairs`` files the numbers of their
    groups of importers and exporters.
    """

    order: str
    path: str
    sha256: str
    size: int
    rows: int
    first: int
    last: int
    year: int

    def resource(self, folder: Path) -> Resource:
        """Return what the file must look like."""
        return Resource(self.path, folder / self.path, self.sha256, self.size, self.rows)


@dataclass(frozen=True)
class Manifest:
    """What a folder of parts holds.

    Attributes:
        folder: where it is.
        rows: number of rows, each stored once in each order.
        size: bytes of all parts.
        years: rows of each year.
        codes: every code.
        importers: groups of importers, by the publisher's numbers.
        exporters: groups of exporters.
        parts: every file.
    """

    folder: Path
    rows: int
    size: int
    years: dict[int, int]
    codes: tuple[int, ...]
    importers: tuple[frozenset[int], ...]
    exporters: tuple[frozenset[int], ...]
    parts: tuple[Part, ...]


def read_manifest(path: Path) -> Manifest:
    """Return a manifest whose hash was checked before; read once per state of the file.

    Raises:
        SnapshotError: it cannot be read.
    """
    try:
        changed = path.stat().st_mtime_ns
    except OSError as error:
        raise SnapshotError(f"cannot be read ({error.strerror})", where=str(path), cure=_CURE) from error
    return _read(path, changed)


@functools.lru_cache(maxsize=8)
def _read(path: Path, changed: int) -> Manifest:
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
        if found["format"] != FORMAT:
            raise SnapshotError(
                f"format {found['format']} of the stored table is not known to this version",
                where=str(path),
                cure="Use the version of evernormal that added it, or add the file again.",
            )
        return Manifest(
            folder=path.parent,
            rows=found["rows"],
            size=found["bytes"],
            years={int(year): count for year, count in found["years"]},
            codes=tuple(found["codes"]),
            importers=tuple(map(frozenset, found["importers"])),
            exporters=tuple(map(frozenset, found["exporters"])),
            parts=tuple(Part(*cells) for cells in found["parts"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SnapshotError(
            f"the list of parts cannot be read ({type(error).__name__}: {error})", where=str(path), cure=_CURE
        ) from error


def matching(manifest: Manifest, asked: Question, order: str | None = None) -> tuple[Part, ...]:
    """Return the files that can hold rows of a question, in the order that takes fewer bytes.

    Args:
        manifest: what is stored.
        asked: the question.
        order: ``codes`` or ``pairs`` to choose it here.
    """
    choices = {"codes": _by_code(manifest, asked), "pairs": _by_pair(manifest, asked)}
    if order is not None:
        return choices[order]
    return min(choices.values(), key=lambda parts: sum(part.size for part in parts))


def _by_code(manifest: Manifest, asked: Question) -> tuple[Part, ...]:
    codes = None if asked.codes is None else sorted(asked.codes)
    return tuple(
        part
        for part in manifest.parts
        if part.order == "codes"
        and (asked.years is None or part.year in asked.years)
        and (codes is None or _reaches(codes, part.first, part.last))
    )


def _reaches(codes: list[int], first: int, last: int) -> bool:
    place = bisect_left(codes, first)
    return place < len(codes) and codes[place] <= last


def _by_pair(manifest: Manifest, asked: Question) -> tuple[Part, ...]:
    rows = _groups(manifest.importers, asked.importers)
    columns = _groups(manifest.exporters, asked.exporters)
    return tuple(p for p in manifest.parts if p.order == "pairs" and p.first in rows and p.last in columns)


def _groups(groups: tuple[frozenset[int], ...], wanted: frozenset[int] | None) -> set[int]:
    return {n for n, group in enumerate(groups) if wanted is None or group & wanted}


def scan_parts(manifest: Manifest, asked: Question) -> pl.LazyFrame:
    """Return a lazy frame over the rows of a question, after checking the files that it reads.

    Raises:
        SnapshotError: a file that is needed is missing, truncated or changed.
    """
    parts = matching(manifest, asked)
    check_parts(manifest, parts)
    if not parts:
        parts = manifest.parts[:1]
        return pl.scan_parquet(manifest.folder / parts[0].path).filter(pl.lit(value=False))
    return filtered(pl.scan_parquet([manifest.folder / part.path for part in parts]), asked)


def check_parts(manifest: Manifest, parts: Iterable[Part]) -> None:
    """Check size and hash of files, several at a time, once per process and per state of a file.

    Raises:
        SnapshotError: a file is missing, truncated or changed.
    """
    found = [part.resource(manifest.folder) for part in parts]
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1), thread_name_prefix="check") as pool:
        for _ in pool.map(lambda one: check_resource(one, cure=_CURE), found):
            pass


def filtered(rows: pl.LazyFrame, asked: Question) -> pl.LazyFrame:
    """Keep the rows of a question."""
    columns = {
        "code": asked.codes,
        "importer": asked.importers,
        "exporter": asked.exporters,
        "year": asked.years,
    }
    for column, wanted in columns.items():
        if wanted is not None:
            rows = rows.filter(_within(column, sorted(wanted)))
    return rows


def _within(column: str, wanted: list[int]) -> pl.Expr:
    """Bounds first: they let whole groups of rows of a file be skipped."""
    if not wanted:
        return pl.lit(value=False)
    if len(wanted) == 1:
        return pl.col(column) == wanted[0]
    return pl.col(column).is_between(wanted[0], wanted[-1]) & pl.col(column).is_in(wanted)
