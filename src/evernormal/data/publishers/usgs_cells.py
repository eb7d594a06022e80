"""Printed cells of the Mineral Commodity Summaries, whatever layout they came in, and what names tell."""

from __future__ import annotations

import csv
import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass

from evernormal.data.publishers.text import Problems
from evernormal.data.schema import TABLES
from evernormal.errors import SourceFormatError

__all__ = [
    "CURE",
    "Cell",
    "Printed",
    "Record",
    "Skipped",
    "Table",
    "commodity_of",
    "edition_of",
    "named_edition",
    "squeezed",
    "years_in",
]

CURE = (
    "Give a data release of the USGS Mineral Commodity Summaries as published: MCS2026_Commodities_Data.csv,"
    " MCS2025_World_Data.csv, mcs2024-galli_world.csv, mcs2024-galli_salient.csv or a zip file of them."
)
_YEARS = re.compile(r"(\d{4})(?:\.0)?(?:\s*[–-]\s*(\d{2}|\d{4}))?")
_EDITION = re.compile(r"mcs[ _-]?(20\d\d)", re.IGNORECASE)
_CODE = re.compile(r"mcs ?20\d\d-?([a-z-]+)_(?:world|salient)", re.IGNORECASE)


@dataclass(frozen=True)
class Printed:
    """One printed cell: where it stands, and what its row and header say about it.

    Attributes:
        file: name of the file.
        row: row as a spreadsheet counts.
        column: header of the cell.
        edition: year of the edition.
        world: whether it stands in a table of countries; the other tables are about the United States.
        commodity: as printed.
        country: as printed.
        statistic: production, capacity, reserves and so on, as printed.
        detail: line of the table.
        unit: as printed, in the row, the header or the note.
        year: calendar year, the last where there are several.
        text: the cell; empty where a listed country has none.
        notes: the publisher's notes on it.
        section: heading of the table.
        chapter: note on the chapter, which may say the basis.
        estimated: whether the publisher marks it as estimated.
        period: the years, where there are several.
        origin: file that the cell was first in, where ``file`` puts several together.
        guessed_unit: whether the unit is that of the rest of the table, its own being blank.
    """

    file: str
    row: int
    column: str
    edition: int
    world: bool
    commodity: str
    country: str
    statistic: str
    detail: str
    unit: str
    year: int
    text: str
    notes: str = ""
    section: str = ""
    chapter: str = ""
    estimated: bool = False
    period: str = ""
    origin: str = ""
    guessed_unit: bool = False


@dataclass(frozen=True)
class Skipped:
    """A cell that holds no figure, and why."""

    file: str
    row: int
    column: str
    reason: str


@dataclass(frozen=True)
class Table:
    """A file as text: its name, its header without stray spaces, and its rows with their numbers."""

    file: str
    header: tuple[str, ...]
    rows: tuple[tuple[int, dict[str, str]], ...]


@dataclass(frozen=True)
class Record:
    """One row of a world table, whatever file it came from; ``values`` is header to row and text."""

    file: str
    row: int
    edition: int
    commodity: str
    country: str
    kind: str
    unit: str
    values: Mapping[str, tuple[int, str]]
    origin: str = ""
    guessed_unit: bool = False


Cell = Printed | Skipped


def squeezed(name: str) -> str:
    """Return a header without any space, in small letters: ``PROD_EST_ 2024`` is ``prod_est_2024``."""
    return re.sub(r"\s+", "", name).lower()


def years_in(text: str) -> tuple[int, str] | None:
    """Return the last year of a cell, and the period when it is several; None where it is no year.

    >>> years_in("2025"), years_in("2021–24"), years_in("soon")
    ((2025, ''), (2024, '2021–2024'), None)
    """
    found = _YEARS.fullmatch(text)
    if not found:
        return None
    if not found[2]:
        return int(found[1]), ""
    last = int(found[2]) if len(found[2]) == 4 else int(found[1][:2] + found[2])
    return last, f"{found[1]}–{last}"


def named_edition(text: str) -> int | None:
    """Return the edition that a name says.

    >>> named_edition("mcs2024-galli_world.csv"), named_edition("MCS 2024"), named_edition("data.csv")
    (2024, 2024, None)
    """
    found = _EDITION.search(text)
    return int(found[1]) if found else None


def edition_of(source: str, table: Table, row: int, problems: Problems) -> int:
    """Return the edition of a row: what it says itself, else what the file's name says."""
    told, named = named_edition(source), named_edition(table.file)
    if told and named and told != named:
        problems.add(row, "Source", f"the row is of edition {told}, the file's name says {named}")
    if not told and not named:
        raise SourceFormatError(
            f"row {row} does not tell the edition ({source!r}), nor does the file's name",
            where=table.file,
            cure="Give the file under the publisher's name, such as mcs2024-galli_world.csv.",
        )
    return told or named or 0


def commodity_of(file: str) -> str:
    """Return the commodity that the short name inside a file's name stands for.

    >>> commodity_of("mcs2024-galli_world.csv"), commodity_of("MCS2024-bismu_world.csv")
    ('Gallium', 'Bismuth')
    """
    found = _CODE.search(file)
    return _chapters().get(found[1].lower(), found[1].lower()) if found else ""


@functools.cache
def _chapters() -> dict[str, str]:
    with (TABLES / "usgs_chapters.csv").open(encoding="utf-8", newline="") as stream:
        return {row["code"]: row["commodity"] for row in csv.DictReader(stream)}
