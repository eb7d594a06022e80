"""What became of every cell of a release of the USGS, when its edition was knowable, and what is told."""

from __future__ import annotations

import csv
import functools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from evernormal.data.publishers.adapters import Asked
from evernormal.data.publishers.usgs_cells import Skipped
from evernormal.data.schema import TABLES
from evernormal.result import Finding

__all__ = ["Accounts", "Seen", "edition_day", "findings_of"]

_LATE = (4, 30)
"""Month and day on which an edition whose day is not known is taken to be out: rather late (law 11)."""


@dataclass(frozen=True)
class Seen:
    """A line that was stored: where it stands and what it says."""

    row: int
    origin: str
    text: str
    notes: str
    flag: str | None
    value: tuple[float | None, float | None, float | None]


@dataclass
class Accounts:
    """What became of every cell of a file.

    Attributes:
        found: rows of kind statistics.
        skipped: cells without a figure, each with its reason.
        blank: figures that a listed country leaves blank, stored as unknown.
        unknown: labels that no table of labels knows.
        kept: units that are stored as printed.
        guessed: rows whose blank unit is that of the rest of their table.
        twice: labels of the United States that stand twice for one year.
    """

    found: list[dict[str, Any]] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    blank: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)
    guessed: list[int] = field(default_factory=list)
    twice: Counter[str] = field(default_factory=Counter)
    seen: dict[tuple[Any, ...], Seen] = field(default_factory=dict)
    editions: set[int] = field(default_factory=set)


@functools.cache
def _editions() -> dict[int, date]:
    with (TABLES / "usgs_editions.csv").open(encoding="utf-8", newline="") as stream:
        return {int(row["edition"]): date.fromisoformat(row["as_of"]) for row in csv.DictReader(stream)}


def edition_day(edition: int) -> tuple[date, bool]:
    """Return the day on which an edition was knowable, and whether that day is known: if not, a late one."""
    known = _editions().get(edition)
    return (known, True) if known else (date(edition, *_LATE), False)


def findings_of(accounts: Accounts, asked: Asked) -> Iterator[Finding]:
    """Yield what a reader of a release must know."""
    reasons = Counter(
        re.sub(r"\(.*?\)|\d+|'.*?'| from .*", "", skipped.reason) for skipped in accounts.skipped
    )
    stored = len(accounts.found)
    parts = "; ".join(f"{count:,} {' '.join(reason.split())}" for reason, count in reasons.most_common())
    text = f"{stored:,} figures stored; {len(accounts.skipped):,} cells are no figure" + (
        f": {parts}." if parts else "."
    )
    values = {"stored": stored, "skipped": len(accounts.skipped), "reasons": dict(reasons)}
    yield Finding("cells-accounted", "info", text, values)
    if accounts.blank:
        text = f"{accounts.blank:,} cells of listed countries are blank: stored as unknown, not as zero."
        yield Finding("blank-is-unknown", "caution", text, {"cells": accounts.blank})
    if accounts.unknown:
        names = sorted(accounts.unknown)
        text = f"Labels that no table knows, kept without a material: {', '.join(names[:20])}."
        yield Finding("label-unknown", "caution", text, {"labels": names})
    if accounts.kept:
        text = f"Units stored as printed: {', '.join(sorted(accounts.kept))}."
        yield Finding("unit-as-printed", "info", text, {"units": sorted(accounts.kept)})
    if accounts.guessed:
        rows = ", ".join(map(str, accounts.guessed))
        text = f"The unit is blank in row {rows}: taken from the rest of the table."
        yield Finding("unit-from-the-table", "caution", text, {"rows": accounts.guessed})
    if accounts.twice:
        text = f"Lines of one name get a number: {', '.join(sorted(accounts.twice))}."
        yield Finding("label-there-twice", "caution", text, {"labels": sorted(accounts.twice)})
    yield from _differing(accounts)
    unknown = [year for year in sorted(accounts.editions) if not edition_day(year)[1]]
    if unknown and asked.as_of is None:
        shown = ", ".join(f"{year} on {edition_day(year)[0]}" for year in unknown)
        text = f"When edition {shown} was published is assumed, rather late; give as_of if you know the day."
        yield Finding("edition-day-assumed", "caution", text, {"editions": unknown})


def _differing(accounts: Accounts) -> Iterator[Finding]:
    """Yield a finding when files of one release give different figures for one line."""
    found = [skipped for skipped in accounts.skipped if skipped.reason.startswith("another")]
    if found:
        rows = [skipped.row for skipped in found]
        text = (
            f"{len(found):,} figures differ between files of one release; the first was stored."
            f" Rows {', '.join(map(str, rows[:10]))}{' and more' if len(rows) > 10 else ''}."
        )
        yield Finding("figures-differ-in-release", "caution", text, {"rows": rows})
