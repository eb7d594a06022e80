"""A trade table on disk, shipped or the user's: where it is, what its codes mean, which rows it can give."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from evernormal.data.editions import Vintage, scan, vintage
from evernormal.data.geography import aliases, check_iso3, codes_of
from evernormal.data.parts import Question, filtered, matching
from evernormal.data.publishers.baci import REVISION
from evernormal.data.publishers.registry import carrier, source_of_table
from evernormal.data.schema import day
from evernormal.data.snapshot import SNAPSHOT, inputs, resource
from evernormal.errors import InputError, NotCoveredError
from evernormal.result import Input

__all__ = ["TradeTable", "country_of_number", "trade_table"]


@dataclass(frozen=True)
class TradeTable:
    """One trade table: its codes' revision, and what each of its rows says about its source.

    Attributes:
        place: its file, for errors.
        revision: of its codes.
        source: of its rows.
        as_of: day on which it was knowable.
        grade: of its rows.
        input: it as an input of a result.
        rows_of: makes a lazy frame over the stored rows of a question, after checking the files it reads.
        coverage_of: returns its codes and its first and last year.
        most_rows: greatest number of rows that a question can have, from the list of parts.
    """

    place: Path
    revision: str
    source: str
    as_of: date
    grade: str
    input: Input
    rows_of: Callable[[Question], pl.LazyFrame]
    coverage_of: Callable[[], tuple[tuple[int, ...], tuple[int, int]]]
    most_rows: Callable[[Question], int]

    @property
    def codes(self) -> tuple[int, ...]:
        """Codes that it has, as numbers."""
        return self.coverage_of()[0]

    def question(
        self,
        codes: Iterable[str] | None,
        importers: Iterable[str] | None,
        exporters: Iterable[str] | None,
        years: Iterable[int] | None,
    ) -> Question:
        """Return a question in the publisher's numbers.

        Raises:
            InputError: a code is not six digits.
            UnknownNameError: no such country.
            NotCoveredError: none of the codes, or nothing of the years, is in the table, or the publisher
                does not report a country apart.
        """
        return Question(
            None if codes is None else frozenset(self._codes(codes)),
            None if importers is None else frozenset(_numbers(importers, "importer")),
            None if exporters is None else frozenset(_numbers(exporters, "exporter")),
            None if years is None else frozenset(self._years(years)),
        )

    def _codes(self, codes: Iterable[str]) -> list[int]:
        wanted = []
        for code in [codes] if isinstance(codes, str) else codes:
            if not (isinstance(code, str) and len(code) == 6 and code.isascii() and code.isdigit()):
                raise InputError(
                    f"code must be six digits as text, got {code!r}", cure="Write it like '282520'."
                )
            wanted.append(int(code))
        if wanted and not set(self.codes).intersection(wanted):
            shown = ", ".join(f"{code:06d}" for code in wanted)
            raise NotCoveredError(
                f"{self.source} has no trade of {self.revision} code {shown}",
                cure="Add a data set that has it: `evernormal data add baci FILE`.",
            )
        return wanted

    def _years(self, years: Iterable[int]) -> list[int]:
        wanted = list(years)
        first, last = self.coverage_of()[1]
        if wanted and not any(first <= year <= last for year in wanted):
            shown = ", ".join(str(year) for year in wanted)
            raise NotCoveredError(f"{self.source} has no trade of {shown}; it covers {first} to {last}")
        return wanted


def trade_table(name: str | None, folder: str | Path | None, as_of: date | str | None) -> TradeTable:
    """Return the shipped trade table, or the vintage of a stored data set that was knowable on a day.

    Raises:
        InputError: a data set without the folder of the store.
        UnknownNameError: no such data set of trade.
        NotCoveredError: nothing was knowable on ``as_of``.
        SnapshotError: the file, or the list of its parts, was truncated or changed.
    """
    known_on = day(as_of)
    return _shipped(known_on) if name is None else _stored(name, folder, known_on)


def _shipped(known_on: date | None) -> TradeTable:
    found = resource("trade", SNAPSHOT)
    source = source_of_table("trade")
    if known_on is not None and known_on < date.fromisoformat(carrier().as_of):
        raise NotCoveredError(
            f"the shipped trade table was not knowable on {known_on}; it dates from {carrier().as_of}",
            cure="Leave as_of out, or add an older vintage with `evernormal data add`.",
        )
    return TradeTable(
        place=found.path,
        revision=REVISION,
        source=source.label,
        as_of=date.fromisoformat(carrier().as_of),
        grade=source.grade,
        input=inputs("trade")[0],
        rows_of=lambda asked: filtered(pl.scan_parquet(found.path), asked),
        coverage_of=lambda: _coverage(found.path, found.sha256),
        most_rows=lambda asked: found.rows,
    )


def _stored(name: str, folder: str | Path | None, known_on: date | None) -> TradeTable:
    if folder is None:
        raise InputError(f"data set {name!r} needs the folder of the store", cure="Give folder=...")
    found = vintage(name, folder, kind="trade", as_of=known_on)
    return TradeTable(
        place=found.path,
        revision=found.revision,
        source=found.title,
        as_of=date.fromisoformat(found.as_of),
        grade=found.grade,
        input=found.as_input(),
        rows_of=lambda asked: scan(found, asked),
        coverage_of=lambda: _coverage_of_vintage(found),
        most_rows=lambda asked: _most_rows(found, asked),
    )


def _coverage_of_vintage(found: Vintage) -> tuple[tuple[int, ...], tuple[int, int]]:
    manifest = found.manifest
    if manifest is None:
        return _coverage(found.path, found.sha256)
    return manifest.codes, (min(manifest.years), max(manifest.years))


def _most_rows(found: Vintage, asked: Question) -> int:
    manifest = found.manifest
    return found.rows if manifest is None else sum(part.rows for part in matching(manifest, asked))


@functools.lru_cache(maxsize=16)
def _coverage(path: Path, sha256: str) -> tuple[tuple[int, ...], tuple[int, int]]:
    """Return the codes and the first and last year of a trade table of one file."""
    rows = pl.scan_parquet(path)
    codes = rows.select(pl.col("code").unique().sort()).collect()["code"].to_list()
    first, last = (
        rows.select(pl.col("year").min().alias("a"), pl.col("year").max().alias("b")).collect().row(0)
    )
    return tuple(codes), (first, last)


def _numbers(countries: Iterable[str], column: str) -> list[int]:
    """Return the publisher's codes of the countries; a country that it does not report apart is an error."""
    numbers: list[int] = []
    for iso3 in check_iso3(countries, where=f"{column}s"):
        found = codes_of(iso3, "baci")
        if not found:
            raise NotCoveredError(
                f"BACI does not report {column} {iso3} apart",
                cure="Its trade is part of another country or group.",
            )
        numbers += [int(code) for code in found]
    return numbers


@functools.cache
def country_of_number() -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Return the publisher's numbers and the ISO 3166 alpha-3 code of each."""
    pairs = [(int(code), iso3) for code, iso3 in aliases("baci").items()]
    return tuple(p[0] for p in pairs), tuple(p[1] for p in pairs)
