"""What the files of policy records share: their text, their day, cells that hold days of several kinds."""

from __future__ import annotations

import calendar
import csv
import io
import re
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from evernormal.data.publishers.adapters import Asked, require_day
from evernormal.data.publishers.policy_records import Notes
from evernormal.data.publishers.text import csv_fault, decode, refuse_json, refuse_spoiled
from evernormal.errors import InputError, SourceFormatError

__all__ = ["Moment", "file_day", "moment", "no_day", "read_table", "read_text", "require_rows"]

_LARGEST = 200_000_000


def read_text(path: Path) -> str:
    """Return the text of a file.

    Raises:
        SourceFormatError: a web page, no text, not UTF-8, or more than 200 million bytes.
    """
    if path.stat().st_size > _LARGEST:
        raise SourceFormatError(f"the file has more than {_LARGEST:,} bytes", where=path.name)
    return decode(path.read_bytes(), path.name)


def file_day(asked: Asked, revised: Sequence[date], own: Sequence[date], notes: Notes, path: Path) -> date:
    """Return the day on which a file of records was knowable (law 11).

    Args:
        asked: what the caller says; it must not be before a record of the file.
        revised: days on which the publisher changed its records, where the file says them.
        own: days on which the acts themselves were known.
        notes: told when the latest day of a record stands in for the day of the file.
        path: the file.

    Raises:
        InputError: ``as_of`` is before a record of the file, or no day is known at all.
    """
    latest = max([*revised, *own], default=None)
    if asked.as_of is not None and latest is not None and asked.as_of < latest:
        raise InputError(
            f"as_of {asked.as_of} is before {latest}, a day in the file",
            where=path.name,
            cure=f"Give the day of the download, {latest} or later.",
        )
    if asked.as_of is None and latest is not None and not revised:
        text = f"the file does not tell its own day; its latest record, of {latest}, stands for it"
        notes.count("file-day-from-records", "caution", text)
    return require_day(asked, latest, path)


def read_table(text: str, name: str, *, cure: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return header and rows of a CSV text with their line numbers; commas, semicolons or tabs divide cells.

    Raises:
        SourceFormatError: broken or cut off, named by its row.
    """
    refuse_json(text, name)
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    rows: list[tuple[int, list[str]]] = []
    try:
        header = [" ".join(cell.split()) for cell in next(reader, [])]
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                raise SourceFormatError(
                    f"row {reader.line_num} has {len(cells)} cells, the header has {len(header)}",
                    where=name,
                    cure="The download may be cut off: download it again.",
                )
            rows.append((reader.line_num, cells))
    except csv.Error as error:
        raise SourceFormatError(
            f"row {reader.line_num}: {csv_fault(error)}", where=name, cure=cure
        ) from error
    refuse_spoiled(rows, header, name)
    return header, rows


def require_rows(rows: Sequence[object], name: str) -> None:
    """Raise when a table has a header and nothing below it."""
    if not rows:
        raise SourceFormatError("the file has a header and no rows", where=name, cure="Download it again.")


class Moment:
    """A day, or the month or year that stands where a day is not known.

    Attributes:
        first: first day that it can be.
        last: last day that it can be; from then on it is known for sure.
    """

    def __init__(self, first: date, last: date) -> None:
        self.first = first
        self.last = last

    @property
    def is_day(self) -> bool:
        """Whether it is one day."""
        return self.first == self.last


def no_day(text: str) -> str:
    """Return what is wrong with a cell that is no day; a spreadsheet's number for a day is told apart.

    >>> no_day("45292")
    "'45292' is no day: a spreadsheet's number for 2024-01-01; write the day"
    """
    if re.fullmatch(r"[1-9]\d{4}(\.\d+)?", text, re.ASCII):
        day = date(1899, 12, 30) + timedelta(days=int(text[:5]))
        return f"{text[:20]!r} is no day: a spreadsheet's number for {day}; write the day"
    return f"{text[:30]!r} is no day (write 2024-12-31)"


def moment(text: str) -> Moment | None:
    """Return what a cell says: ``2023-10-20``, ``20-10-2023``, ``2010-07`` or ``2021``; None when it is none.

    >>> moment("29-12-2009").first, moment("2010-07").last, moment("soon")
    (datetime.date(2009, 12, 29), datetime.date(2010, 7, 31), None)
    """
    bare = text.strip()
    try:
        if found := re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ].*)?", bare):
            day = date(int(found[1]), int(found[2]), int(found[3]))
            return Moment(day, day)
        if found := re.fullmatch(r"(\d{1,2})[-./](\d{1,2})[-./](\d{4})", bare):
            day = date(int(found[3]), int(found[2]), int(found[1]))
            return Moment(day, day)
        if found := re.fullmatch(r"(\d{4})-(\d{1,2})", bare):
            year, month = int(found[1]), int(found[2])
            return Moment(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]))
        if found := re.fullmatch(r"(\d{4})(?:\.0)?", bare):
            return Moment(date(int(found[1]), 1, 1), date(int(found[1]), 12, 31))
    except ValueError:
        return None
    return None
