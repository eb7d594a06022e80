"""A firm's purchases, stocks, suppliers and use, from the workbook that the template starts.

Sheets and headings may be in English or Korean, in any order, with notes above.  Every fault is named by its
sheet and cell, with what would be right; :func:`mark_faults` writes them into a copy of the workbook.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from evernormal.data.publishers.adapters import Asked, Reading, require_day
from evernormal.data.publishers.archive import Limits
from evernormal.data.publishers.firm_cells import CellError, month_end, read_cell
from evernormal.data.publishers.firm_layout import EXAMPLE, LISTS, Field, SheetLayout, sheets
from evernormal.data.publishers.workbook import Sheet, column_letter, read_sheets
from evernormal.data.schema import public_columns
from evernormal.errors import SourceFormatError
from evernormal.result import Finding

__all__ = ["Fault", "faults_of", "reading"]

_CURE = "Start from the workbook that `evernormal data template FILE.xlsx` writes."
_HEADING_ROWS, _SHOWN = 20, 10


@dataclass(frozen=True)
class Fault:
    """One cell that cannot be read.

    Attributes:
        sheet: title of the sheet.
        cell: such as ``C7``.
        row: row number.
        column: column number.
        heading: heading of the column.
        what: what is wrong.
        cure: what would be right.
    """

    sheet: str
    cell: str
    row: int
    column: int
    heading: str
    what: str
    cure: str


@dataclass
class _Found:
    """What was read so far."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    examples: int = 0
    namibia: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def reading(path: Path, asked: Asked) -> Reading:
    """Return the rows of every sheet.

    Raises:
        SourceFormatError: not safe to open, no such workbook, or faults, each named with sheet and cell.
        InputError: openpyxl is not installed, or the workbook does not tell its day.
    """
    asked.progress(path.name)
    found = _read(path, asked.limits)
    if found.faults:
        raise _error(path.name, found.faults)
    known = require_day(asked, _latest(found.rows), path)
    for row in found.rows:
        own = _own_day(row) or known
        row["as_of"] = min(own, known)
        row["source"], row["grade"] = f"{path.name} (the firm's own books)", "B"
    schema = {column.name: column.dtype for column in public_columns("firm")}
    table = pl.DataFrame([{name: row.get(name) for name in schema} for row in found.rows], schema=schema)
    return Reading(
        table.sort("sheet", "form", "site", "supplier", "period", "known_on", "source_ref", nulls_last=True),
        "firm-books",
        f"purchases, stocks, suppliers and use, {path.name}",
        known,
        findings=tuple(_findings(found)),
    )


def faults_of(path: Path, limits: Limits | None = None) -> list[Fault]:
    """Return every fault of a workbook's cells, in the order of sheet and cell.

    Raises:
        SourceFormatError: it is not safe to open, or no sheet of the template is in it.
    """
    return _read(path, limits or Limits()).faults


def _error(file: str, faults: list[Fault]) -> SourceFormatError:
    shown = "; ".join(
        f"sheet {f.sheet!r} cell {f.cell} (row {f.row}, column {f.heading}): {f.what}: {f.cure}"
        for f in faults[:_SHOWN]
    )
    more = f"; and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
    return SourceFormatError(
        f"{shown}{more}",
        where=file,
        cure="Correct the cells and add the file again; --marked FILE writes a copy with each of them marked;"
        " nothing was stored.",
    )


# --- sheets --------------------------------------------------------------------------------------


def _read(path: Path, limits: Limits) -> _Found:
    book = read_sheets(path, limits, largest=(200_000, 200), cure=_CURE)
    found = _Found()
    used = 0
    for layout in sheets():
        titles = {layout.name.casefold(), layout.ko}
        mine = [sheet for sheet in book if sheet.name.strip().casefold() in titles]
        if not mine:
            found.missing.append(layout.name)
            continue
        used += 1
        _read_sheet(mine[0], layout, found, path.name)
    if not used:
        names = ", ".join(repr(sheet.name) for sheet in book[:8])
        raise SourceFormatError(
            f"no sheet of the template is in it (it has {names or 'none'})", where=path.name, cure=_CURE
        )
    found.faults.sort(key=lambda f: ([sheet.name for sheet in book].index(f.sheet), f.row, f.column))
    known = {title for layout in sheets() for title in (layout.name, layout.ko)} | set(LISTS.values())
    other = [sheet.name for sheet in book if sheet.name.strip().casefold() not in known]
    found.missing += [f"(not read: {name})" for name in other]
    if not found.rows and not found.faults:
        raise SourceFormatError(
            "no sheet has a row of data", where=path.name, cure="Fill in at least one row below the example."
        )
    return found


def _read_sheet(sheet: Sheet, layout: SheetLayout, found: _Found, file: str) -> None:
    top, columns = _headings(sheet, layout, file)
    faulty: set[tuple[int, int]] = set()

    def fault(row: int, column: int, what: str, cure: str) -> None:
        faulty.add((row, column))
        heading = sheet.text(top, column).rstrip("* ")
        cell = f"{column_letter(column)}{row}"
        found.faults.append(Fault(sheet.name, cell, row, column, heading, what, cure))

    first_of = min(columns)
    skipped = {
        row
        for row in range(top + 1, len(sheet.rows) + 1)
        if _is_example(sheet, row, columns) or _is_help(sheet, row, columns)
    }
    found.examples += sum(_is_example(sheet, row, columns) for row in skipped)
    for span, first, last in sheet.merged:
        if last > top and not set(range(first, last + 1)) <= skipped:
            letters = re.match(r"[A-Z]+", span)
            column = _number_of(letters[0]) if letters else first_of
            fault(first, column, f"merged cells {span}", "undo the merge, one value a cell")
    for (row, column), text in sorted(sheet.formulas.items()):
        if row > top and row not in skipped:
            fault(row, column, f"a formula ({text[:30]})", "paste it as a value")
    seen: dict[tuple[object, ...], int] = {}
    for row in range(top + 1, len(sheet.rows) + 1):
        if row in skipped:
            continue
        filled = [
            number for number, value in enumerate(sheet.rows[row - 1], start=1)
            if value is not None and str(value).strip()
        ]  # fmt: skip
        if not [number for number in filled if number in columns and columns[number].name != "note"]:
            continue
        for number in filled:
            if number not in columns:
                fault(
                    row, number, f"{str(sheet.at(row, number))[:30]!r} stands under no heading", "delete it"
                )
        values = _row(sheet, row, columns, faulty, fault, found.namibia)
        _check(layout, values, row, columns, fault)
        key = tuple(sorted((name, str(value)) for name, value in values.items()))
        if any(at == row for at, _ in faulty):
            continue
        if key in seen:
            fault(row, first_of, f"the row repeats row {seen[key]}", "delete one of the two")
        seen.setdefault(key, row)
        place = f"sheet {sheet.name!r} row {row}"
        found.rows.append({"sheet": layout.name, "source_ref": place} | values)


def _number_of(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _headings(sheet: Sheet, layout: SheetLayout, file: str) -> tuple[int, dict[int, Field]]:
    """Return the row of headings and the field of each column that has one."""
    best: tuple[int, dict[int, Field]] = (0, {})
    for row in range(1, min(len(sheet.rows), _HEADING_ROWS) + 1):
        columns: dict[int, Field] = {}
        for column in range(1, len(sheet.rows[row - 1]) + 1):
            one = _field(layout, sheet.text(row, column))
            if one is not None:
                columns[column] = one
        if len(columns) > len(best[1]):
            best = (row, columns)
    missing = [f for f in layout.fields if f.needed and f.name not in {c.name for c in best[1].values()}]
    if missing:
        names = ", ".join(f"{f.en} ({f.ko})" for f in missing)
        raise SourceFormatError(f"sheet {sheet.name!r} has no column {names}", where=file, cure=_CURE)
    said = [one.name for one in best[1].values()]
    twice = sorted({name for name in said if said.count(name) > 1})
    if twice:
        raise SourceFormatError(
            f"sheet {sheet.name!r} row {best[0]} has the column {', '.join(twice)} twice",
            where=file,
            cure=_CURE,
        )
    return best


def _field(layout: SheetLayout, text: str) -> Field | None:
    bare = text.rstrip("* ").casefold()
    return next((f for f in layout.fields if bare and bare in (f.en.casefold(), f.ko.casefold())), None)


def _is_example(sheet: Sheet, row: int, columns: Mapping[int, Field]) -> bool:
    note = next((column for column, one in columns.items() if one.name == "note"), None)
    text = sheet.text(row, note).casefold() if note else ""
    return text.startswith(tuple(word.partition(",")[0].partition("(")[0] for word in EXAMPLE.values()))


def _is_help(sheet: Sheet, row: int, columns: Mapping[int, Field]) -> bool:
    """Whether a row is the one that says how to write each column."""
    texts = [(sheet.text(row, column), one) for column, one in columns.items()]
    return (
        bool(texts)
        and all(text in (one.help_en, one.help_ko) for text, one in texts if text)
        and any(text for text, _ in texts)
    )


# --- rows -----------------------------------------------------------------------------------------


def _row(
    sheet: Sheet,
    row: int,
    columns: Mapping[int, Field],
    faulty: set[tuple[int, int]],
    fault: Any,
    namibia: list[str],
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for column, one in columns.items():
        value = sheet.at(row, column)
        if one.name == "note" or (row, column) in faulty:
            continue
        if value is None or not str(value).strip():
            if one.needed:
                fault(row, column, f"{one.en} is missing", one.help_en)
            continue
        if one.kind == "country" and str(value).strip().upper() == "NA":
            namibia.append(sheet.place(row, column))
        try:
            values[one.name] = read_cell(one, value)
        except CellError as error:
            fault(row, column, error.what, error.cure)
    return values


def _check(
    layout: SheetLayout, values: Mapping[str, Any], row: int, columns: Mapping[int, Field], fault: Any
) -> None:
    """Note what does not fit together in a row."""
    at = {one.name: column for column, one in columns.items()}
    if "price" in values:
        for name, what in (
            ("currency", "the price has no currency"),
            ("price_unit", "the price has no unit"),
        ):
            if name not in values and name in at:
                fault(row, at[name], what, f"write the {name.replace('_', ' ')}, such as "
                      + ("USD" if name == "currency" else "kg"))  # fmt: skip
    if layout.name == "stocks" and values.get("content") == 0:
        fault(row, at["content"], "a content of 0", "leave it empty when it is not known")


# --- days ------------------------------------------------------------------------------------------


def _own_day(row: Mapping[str, Any]) -> date | None:
    """Return the day from which a row of the firm's books can be known."""
    if row.get("known_on") is not None:
        found: date = row["known_on"]
        return found
    return month_end(row["period"]) if row.get("period") else None


def _latest(rows: list[dict[str, Any]]) -> date | None:
    """Return the latest day of stocks and purchases, else of use; use may be a plan for later months."""
    held = [day for row in rows if row["sheet"] in ("stocks", "purchases") and (day := _own_day(row))]
    used = [day for row in rows if row["sheet"] == "use" and (day := _own_day(row))]
    return max(held or used, default=None)


def _findings(found: _Found) -> Iterator[Finding]:
    if found.examples:
        text = f"{found.examples} example rows of the template were not read."
        yield Finding("examples-skipped", "info", text, {"rows": found.examples})
    if found.missing:
        text = f"Sheets that are missing or not read: {', '.join(found.missing)}."
        yield Finding("sheets-missing", "info", text, {"sheets": found.missing})
    if found.namibia:
        text = f"The country NA is read as Namibia, its ISO code, in {', '.join(found.namibia[:5])}."
        yield Finding("country-na", "caution", text, {"cells": found.namibia})
