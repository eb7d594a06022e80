"""BACI as CEPII ships it: CSV files t, i, j, k, v, q, one per year, alone or in the zip file of a release.

Everything is checked before anything is kept, every fault is named with file, row and column, and no more
than one block of text is in memory, whatever the size of the release.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from evernormal.data.publishers.adapters import Asked, Reading
from evernormal.data.publishers.archive import Limits, csv_members, is_zip, member_blocks
from evernormal.data.publishers.baci_codes import CodeTables, code_tables
from evernormal.data.publishers.baci_rows import BLOCK, KEY, ROWS, line_blocks, parse, read_header
from evernormal.errors import InputError, SourceFormatError, nearest
from evernormal.result import Finding

__all__ = ["Flows", "Release", "reading", "release_of"]

_REVISIONS = {"92": "HS1992", "96": "HS1996", "02": "HS2002", "07": "HS2007", "12": "HS2012", "17": "HS2017"}
_REVISIONS |= {"22": "HS2022"}
_RELEASE = re.compile(r"BACI_HS(\d\d)(?:_Y\d{4})?_V(\d{4})(\d\d)", re.IGNORECASE)
_YEAR = re.compile(r"_Y(\d{4})", re.IGNORECASE)
_SIDE_TABLES = re.compile(r"(country_codes|product_codes|readme)", re.IGNORECASE)
_DAY_AFTER_27 = timedelta(days=4)
_PIECE = 1 << 20
_SHORT = 0.5


@dataclass(frozen=True)
class Release:
    """What a file's name and the caller say about it: revision of its codes, and the day it was knowable."""

    revision: str
    as_of: date


def release_of(path: Path, revision: str | None, as_of: date | None, inside: str = "") -> Release:
    """Return the release of a file; the name ``BACI_HS17_Y2022_V202401b`` tells both, the caller may say
    otherwise.

    Args:
        path: the file.
        revision: what the caller says.
        as_of: what the caller says.
        inside: name of a file inside it, asked when the file's own name tells nothing.

    Raises:
        InputError: neither the name nor the caller tells the revision or the day, or the revision is unknown.

    >>> release_of(Path("BACI_HS17_V202401b.zip"), None, None)
    Release(revision='HS2017', as_of=datetime.date(2024, 1, 31))
    """
    named = _RELEASE.search(path.name) or _RELEASE.search(inside)
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
        as_of = _last_day(int(named[2]), int(named[3]), path.name)
    if as_of is None:
        raise InputError(
            "the file name does not tell when it was published",
            where=path.name,
            cure="Give as_of, the day on which it was knowable, like 2024-01-31.",
        )
    return Release(revision, as_of)


def _last_day(year: int, month: int, name: str) -> date:
    try:
        following = date(year, month, 28) + _DAY_AFTER_27
    except ValueError:
        raise InputError(
            f"the file name tells no month: V{year}{month:02d}", where=name, cure="Give as_of."
        ) from None
    return following.replace(day=1) - timedelta(days=1)


def reading(path: Path, asked: Asked) -> Reading:
    """Return the trade of a file of CEPII; its name says the revision and the day, or the caller does.

    Raises:
        SourceFormatError: the file is no table of BACI, or an archive that cannot be trusted.
        InputError: the revision or the day is not known.
    """
    tables = _tables(path, asked.limits)
    release = release_of(path, asked.revision, asked.as_of, Path(tables[0].member).name)
    _require_one_revision(path, tables)
    return Reading(
        pl.DataFrame(schema=ROWS),
        dataset=f"baci-{release.revision.lower()}",
        title=f"CEPII, BACI, {release.revision}, {path.name}",
        as_of=release.as_of,
        revision=release.revision,
        grade="A",
        portions=Flows(path, tables, asked),
    )


@dataclass(frozen=True)
class _Table:
    """One CSV of trade: its name for errors, and a way to read it from its start."""

    name: str
    member: str
    pieces: Callable[[], Iterator[bytes]]


def _tables(path: Path, limits: Limits) -> list[_Table]:
    if not is_zip(path):
        return [_Table(path.name, path.name, lambda: _pieces(path))]
    members = [name for name in csv_members(path, limits) if not _SIDE_TABLES.search(Path(name).name)]
    if not members:
        raise SourceFormatError("there is no trade table in it", where=path.name, cure="Give a BACI release.")
    return [_Table(f"{path.name}, {m}", m, lambda m=m: member_blocks(path, m, limits)) for m in members]  # type: ignore[misc]


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            yield piece


def _require_one_revision(path: Path, tables: list[_Table]) -> None:
    """Refuse an archive that mixes revisions: the same six digits mean different goods in each."""
    named = {
        found[1]: table.member for table in tables if (found := _RELEASE.search(Path(table.member).name))
    }
    if len(named) > 1:
        raise SourceFormatError(
            f"it mixes revisions of the codes: {', '.join(sorted(named.values()))}",
            where=path.name,
            cure="Add one release at a time.",
        )


def _six_digits(code: str) -> int:
    if not re.fullmatch(r"\d{6}", code, re.ASCII):
        raise InputError(
            f"{code!r} is no code of six digits", where="code", cure="Write it like 282520, with its zeros."
        )
    return int(code)


class Flows:
    """The rows of a file of BACI, a block at a time: year, exporter, importer, code, value_usd, quantity_kg.

    Raises SourceFormatError with file, row, column and cure where a fault is met.
    """

    def __init__(self, path: Path, tables: list[_Table], asked: Asked) -> None:
        self._path = path
        self._tables = tables
        self._asked = asked
        self._wanted = None if asked.codes is None else [_six_digits(code) for code in asked.codes]
        self._codes = code_tables(path, asked.limits) if is_zip(path) else CodeTables()
        self._years: dict[int, int] = {}
        self._misnamed: dict[str, list[int]] = {}

    def __iter__(self) -> Iterator[pl.DataFrame]:
        self._years.clear()
        self._misnamed.clear()
        for table in self._tables:
            self._asked.progress(Path(table.member).name)
            rows = 0
            for _, block in _blocks(table, self._codes, self._wanted):
                rows += block.height
                self._count(table, block)
                kept = block if self._wanted is None else block.filter(pl.col("code").is_in(self._wanted))
                if kept.height:
                    yield kept
            if not rows:
                raise SourceFormatError(
                    "the file has a header and no rows", where=table.name, cure="Download it again."
                )

    def _count(self, table: _Table, block: pl.DataFrame) -> None:
        counts = block.group_by("year").len().sort("year")
        named = _YEAR.search(Path(table.member).name)
        for year, count in counts.iter_rows():
            self._years[year] = self._years.get(year, 0) + count
            if named and year != int(named[1]) and year not in self._misnamed.setdefault(table.member, []):
                self._misnamed[table.member].append(year)

    def findings(self) -> tuple[Finding, ...]:
        """Return years that are missing or look cut off, and codes that differ from ours."""
        found = [*_gaps(self._years), *_short_years(self._years), *self._codes.findings]
        for member, years in self._misnamed.items():
            if years:
                shown = ", ".join(map(str, years))
                text = f"{member} has rows of {shown}, which is not the year of its name."
                found.append(Finding("year-not-of-name", "caution", text, {"file": member, "years": years}))
        return tuple(found)

    def twice(self, rows: pl.DataFrame) -> SourceFormatError:
        """Return the error that says in which files and rows a flow is found twice; reads the file again."""
        wanted = rows.select(KEY).unique().sort(KEY).head(1)
        places: list[tuple[str, int]] = []
        for table in self._tables:
            for first, block in _blocks(table, CodeTables(), None):
                hits = block.with_row_index("row", first).join(wanted, on=KEY, how="semi")["row"].to_list()
                places += [(table.name, row) for row in hits]
            if len(places) > 1:
                break
        flow = ", ".join(f"{name}={cell}" for name, cell in zip("tijk", wanted.row(0), strict=True))
        cure = "Correct the file and add it again; nothing was stored."
        if len({name for name, _ in places}) > 1:
            told = "; ".join(f"{name}, row {row}" for name, row in places[:2])
            return SourceFormatError(
                f"the flow {flow} is in two files of the archive: {told}", where=self._path.name, cure=cure
            )
        (name, one), (_, other) = places[:2]
        return SourceFormatError(
            f"row {other}, column t, i, j, k: the same flow as row {one} ({flow})", where=name, cure=cure
        )


def _blocks(table: _Table, codes: CodeTables, wanted: list[int] | None) -> Iterator[tuple[int, pl.DataFrame]]:
    """Yield the rows of a table with the number of the first line; reads ahead while one block is parsed."""
    blocks = line_blocks(table.pieces(), table.name, BLOCK)
    first = next(blocks, b"")
    header, rest = read_header(first, table.name)
    line = 2
    for block in _ahead(rest, blocks):
        if not block:
            continue
        rows, lines = parse(block, header, line, table.name)
        codes.require_known(rows, line, table.name, wanted)
        yield line, rows
        line += lines


def _ahead(first: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    with ThreadPoolExecutor(1, thread_name_prefix="unpack") as pool:
        coming = pool.submit(next, blocks, None)
        yield first
        while (block := coming.result()) is not None:
            coming = pool.submit(next, blocks, None)
            yield block


def _gaps(years: dict[int, int]) -> Iterator[Finding]:
    missing = sorted(set(range(min(years, default=0), max(years, default=0))) - set(years))
    if missing:
        shown = ", ".join(map(str, missing))
        text = (
            f"No file has {shown}, between {min(years)} and {max(years)}: trade of then is unknown, not zero."
        )
        yield Finding("year-missing", "warning", text, {"years": missing})


def _short_years(years: dict[int, int]) -> Iterator[Finding]:
    """Yield a finding for each year with far fewer rows than the years beside it."""
    for year, count in sorted(years.items()):
        beside = [years[other] for other in (year - 1, year + 1) if other in years]
        if len(beside) > 1 and count < _SHORT * min(beside):
            text = (
                f"{year} has {count:,} rows, the years beside it {min(beside):,} or more: is its file whole?"
            )
            yield Finding("year-looks-short", "caution", text, {"year": year, "rows": count})
