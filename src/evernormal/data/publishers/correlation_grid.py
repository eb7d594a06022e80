"""A table that sets codes of one revision against codes of another: header, rows, and every fault of them.

A grid is what a sheet or a CSV file holds, cell by cell.  The header names two revisions (``HS2022``,
``HS 2017 Product Code``, ``From HS2022``, ``HS 1988/92 Product Code``, ``HSK 2022``), or says which side is
old and which is new (``개정 전``, ``개정 후``; ``old``, ``new``), and the caller gives the revisions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from evernormal.data.publishers.text import Problems

__all__ = ["Grid", "Header", "Pair", "header_of", "pairs_of", "revisions_asked"]

_REVISION = re.compile(r"\bHS(K?)[\s\-_(]*((?:19|20)\d\d)(?:\s*/\s*(\d\d))?", re.IGNORECASE)
_YEAR_FIRST = re.compile(r"((?:19|20)\d\d)\s*년?\s*HS(K?)\b", re.IGNORECASE)
_DESCRIPTION = re.compile(r"descri|품명|품목명|name", re.IGNORECASE)
_RELATION = re.compile(r"relation|관계|연계\s*구분", re.IGNORECASE)
_START = re.compile(r"시행|적용|effective|valid", re.IGNORECASE)
_OLD = re.compile(r"개정\s*전|변경\s*전|종전|^구\b|^구\s*(HS|번호|품목)|\bold\b", re.IGNORECASE)
_NEW = re.compile(r"개정\s*후|변경\s*후|현행|^신\b|^신\s*(HS|번호|품목)|\bnew\b", re.IGNORECASE)
_PAIR = re.compile(r"(HSK?\d{4})\s*(?:>|->|→|to|:)\s*(HSK?\d{4})", re.IGNORECASE)
_DIGITS = {"HS": 6, "HSK": 10}
_HEADER_ROWS = 12
_RELATIONS = ("1:1", "1:n", "n:1", "n:n")


@dataclass(frozen=True)
class Grid:
    """Cells of one sheet or file, row by row from 1; ``merged`` are the ranges that one cell fills."""

    file: str
    sheet: str
    rows: tuple[tuple[object, ...], ...]
    merged: tuple[tuple[int, str], ...] = ()

    @property
    def place(self) -> str:
        """How a fault names it."""
        return f"{self.file}, sheet {self.sheet!r}" if self.sheet else self.file


@dataclass(frozen=True)
class Header:
    """Where the columns of a grid are, and what they hold."""

    row: int
    left: int
    right: int
    from_revision: str
    to_revision: str
    left_name: str
    right_name: str
    relation: int | None = None
    left_description: int | None = None
    right_description: int | None = None
    start: int | None = None
    is_conversion: bool = False


@dataclass(frozen=True)
class Pair:
    """One row: two codes that share goods."""

    row: int
    left: str
    right: str | None
    relation: str | None = None
    left_description: str | None = None
    right_description: str | None = None
    start: date | None = None


@dataclass
class _Columns:
    codes: list[tuple[int, str]] = field(default_factory=list)
    descriptions: list[tuple[int, str]] = field(default_factory=list)
    relation: int | None = None
    start: int | None = None


def revisions_asked(revision: str | None) -> tuple[str, str] | None:
    """Return the two revisions that a caller wrote like ``HSK2017>HSK2022``, the older first or not.

    >>> revisions_asked("hsk2017 > hsk2022")
    ('HSK2017', 'HSK2022')
    """
    found = _PAIR.fullmatch((revision or "").strip())
    return (found[1].upper(), found[2].upper()) if found else None


def header_of(grid: Grid, asked: tuple[str, str] | None) -> Header | None:
    """Return the header of a grid, or None when no row of its first twelve is one."""
    for number, cells in enumerate(grid.rows[:_HEADER_ROWS], start=1):
        names = [_text(cell) for cell in cells]
        found = _columns(names, asked)
        if len(found.codes) == 2:
            return _header(number, names, found, grid)
    return None


def _columns(names: Sequence[str], asked: tuple[str, str] | None) -> _Columns:
    found = _Columns()
    for index, name in enumerate(names):
        revision = _revision(name, asked)
        if revision and _DESCRIPTION.search(name):
            found.descriptions.append((index, revision))
        elif revision and len(name) <= 40:
            found.codes.append((index, revision))
        elif _RELATION.search(name) and found.codes:
            found.relation = index
        elif _START.search(name) and found.codes:
            found.start = index
    if len({revision for _, revision in found.codes}) != 2:
        found.codes = []
    return found


def _revision(name: str, asked: tuple[str, str] | None) -> str:
    if match := _REVISION.search(name):
        year = f"{match[2][:2]}{match[3]}" if match[3] else match[2]
        return f"HS{match[1].upper()}{year}"
    if match := _YEAR_FIRST.search(name):
        return f"HS{match[2].upper()}{match[1]}"
    if asked and _OLD.search(name):
        return asked[0]
    if asked and _NEW.search(name):
        return asked[1]
    return ""


def _header(row: int, names: Sequence[str], found: _Columns, grid: Grid) -> Header:
    (left, old), (right, new) = found.codes
    described = {revision: index for index, revision in found.descriptions}
    words = f"{grid.sheet} {names[left]} {names[right]}".lower()
    return Header(
        row,
        *(left, right, old, new, names[left], names[right], found.relation),
        left_description=described.get(old),
        right_description=described.get(new),
        start=found.start,
        is_conversion="conversion" in words or ("from " in words and "to " in words),
    )


def pairs_of(grid: Grid, header: Header, problems: Problems) -> list[Pair]:
    """Return the rows under a header; every fault goes to ``problems`` with row and column."""
    for row, area in grid.merged:
        if row > header.row:
            problems.add(row, area, "cells are merged: write the code into each row")
    digits = tuple(_DIGITS[r.rstrip("0123456789")] for r in (header.from_revision, header.to_revision))
    found: list[Pair] = []
    seen: dict[tuple[str, str | None], int] = {}
    for number, cells in enumerate(grid.rows[header.row :], start=header.row + 1):
        cell = dict(enumerate(cells))
        if not _text(cell.get(header.left)) and not _text(cell.get(header.right)):
            continue
        left = _code(cell.get(header.left), digits[0], number, header.left_name, problems)
        right = _code(
            cell.get(header.right), digits[1], number, header.right_name, problems, may_end=digits[1] > 6
        )
        if left is None:
            continue
        if (left, right) in seen:
            problems.add(
                number, header.left_name, f"{left} with {right} is already in row {seen[left, right]}"
            )
        seen.setdefault((left, right), number)
        found.append(_pair(number, left, right, cell, header, problems))
    return found


def _pair(
    number: int, left: str, right: str | None, cell: dict[int, object], header: Header, problems: Problems
) -> Pair:
    relation = _text(cell.get(header.relation)) if header.relation is not None else ""
    if relation and relation not in _RELATIONS:
        problems.add(number, "Relationship", f"{relation!r} is none of {', '.join(_RELATIONS)}")
    start = _day(cell.get(header.start), number, problems) if header.start is not None else None
    return Pair(
        number,
        left,
        right,
        relation or None,
        _said(cell, header.left_description),
        _said(cell, header.right_description),
        start,
    )


def _said(cell: dict[int, object], index: int | None) -> str | None:
    return (_text(cell.get(index)) or None) if index is not None else None


def _code(
    cell: object, digits: int, row: int, column: str, problems: Problems, *, may_end: bool = False
) -> str | None:
    """Return a code as text of so many digits; a number that lost its leading zero gets it back."""
    text = _text(cell)
    if not text:
        if not may_end:
            problems.add(row, column, "is empty")
        return None
    if text.startswith("="):
        problems.add(row, column, f"{text[:30]!r} is a formula: write the code itself")
        return None
    plain = re.sub(r"[.\s\-]", "", text)
    if isinstance(cell, int | float) or len(plain) == digits - 1:
        plain = plain.zfill(digits)
    if not (plain.isascii() and plain.isdigit() and len(plain) == digits and plain[:2] != "00"):
        problems.add(row, column, f"{text[:30]!r} is no code of {digits} digits")
        return None
    return plain


def _day(cell: object, row: int, problems: Problems) -> date | None:
    if isinstance(cell, datetime):
        return cell.date()
    text = _text(cell).replace(".", "-").replace("/", "-").rstrip("-")
    if not text:
        return None
    if re.fullmatch(r"\d{8}", text):
        text = f"{text[:4]}-{text[4:6]}-{text[6:]}"
    try:
        return date.fromisoformat(text)
    except ValueError:
        problems.add(row, "date", f"{text!r} is no date (write 2022-01-01)")
        return None


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return re.sub(r"\s+", " ", str(cell)).strip()
