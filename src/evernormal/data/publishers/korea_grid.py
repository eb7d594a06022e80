"""A sheet as rows of text, whether it was saved as CSV (UTF-8 or cp949), as a workbook or as JSON."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from evernormal.data.publishers.archive import Limits
from evernormal.data.publishers.text import (
    Problems,
    csv_fault,
    place_of_byte,
    refuse_non_text,
    refuse_other_tables,
    spoiled,
)
from evernormal.errors import SourceFormatError

__all__ = ["Grid", "read_grid"]

_AGAIN = "Download it again."
_WIDEST = 500
_HEADER_ROWS = 30


@dataclass
class Grid:
    """Rows of text.

    Attributes:
        name: name of the file, for messages.
        rows: row number, counted from 1, and the text of its cells.
    """

    name: str
    rows: list[tuple[int, list[str]]]


def read_grid(path: Path, limits: Limits) -> Grid:
    """Return the cells of a file.

    Raises:
        SourceFormatError: a web page, a bomb, a broken workbook, JSON or CSV, a formula, merged cells in the
            rows of data, or text in neither encoding: names row and column.
        InputError: a workbook, and the package that reads it is not installed.
    """
    content = path.read_bytes()
    if content.startswith(b"PK\x03\x04"):
        return _workbook(path, limits)
    if content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        return _records(content, path.name)
    refuse_non_text(content[:4096], path.name)
    text = _decoded(content, path.name)
    refuse_other_tables(text, path.name)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[tuple[int, list[str]]] = []
    try:
        for cells in reader:
            rows.append((reader.line_num, [_squeezed(cell) for cell in cells]))
    except csv.Error as error:
        raise SourceFormatError(
            f"row {reader.line_num}: {csv_fault(error)}", where=path.name, cure=_AGAIN
        ) from error
    return Grid(path.name, [(number, cells) for number, cells in rows if any(cells)])


def _decoded(content: bytes, name: str) -> str:
    """Return text in the two encodings that the publisher writes."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as unicode_error:
        try:
            return content.decode("cp949")
        except UnicodeDecodeError as error:
            row, column = place_of_byte(content, unicode_error.start)
            raise SourceFormatError(
                f"row {row}, column {column} is neither UTF-8 nor cp949 text",
                where=name,
                cure="Save it as CSV UTF-8, or download it again.",
            ) from error


def _records(content: bytes, name: str) -> Grid:
    """Return the cells of the statistics site's JSON: one list of records under the name of the table."""
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise SourceFormatError(
            f"the JSON is broken or cut off ({error})", where=name, cure=_AGAIN
        ) from error
    lists = [document] if isinstance(document, list) else []
    if isinstance(document, dict):
        lists = [value for value in document.values() if isinstance(value, list)]
    if len(lists) != 1 or not lists[0] or not all(isinstance(record, dict) for record in lists[0]):
        raise SourceFormatError("there is no one list of records in it", where=name, cure=_AGAIN)
    header = list(dict.fromkeys(str(key) for record in lists[0] for key in record))
    rows = [(1, header)]
    for number, record in enumerate(lists[0], start=2):
        rows.append((number, [_shown(record.get(key)) for key in header]))
    return Grid(name, rows)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return f"{value.year}.{value.month:02d}"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return _squeezed(str(value))


def _squeezed(text: str) -> str:
    """Return one line of text; full-width digits and letters, and letters in parts, as usual ones."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _workbook(path: Path, limits: Limits) -> Grid:
    from evernormal.data.publishers.workbook import open_book, require_size  # noqa: PLC0415 - loads openpyxl

    book = open_book(path, limits)
    sheets = [sheet for sheet in book.worksheets if sheet.max_row > 1]
    if not sheets:
        raise SourceFormatError("no sheet of the workbook has rows", where=path.name, cure=_AGAIN)
    if len(sheets) > 1:
        raise SourceFormatError(
            f"the workbook has {len(sheets)} sheets with rows: {', '.join(s.title for s in sheets)[:100]}",
            where=path.name,
            cure="Save the sheet that you mean as a workbook of its own.",
        )
    sheet = sheets[0]
    require_size(sheet, path.name)
    problems = Problems(path.name)
    spans = _filled_spans(sheet, problems)
    grid = Grid(path.name, [])
    for cells in sheet.iter_rows(max_col=min(sheet.max_column, _WIDEST)):
        texts = []
        for cell in cells:
            if cell.data_type == "f":
                problems.add(cell.row, cell.column_letter, "a formula, expected its value")
            elif cell.data_type == "e":
                problems.add(cell.row, cell.column_letter, spoiled(str(cell.value)) or f"{cell.value!r}")
            texts.append(_shown(spans.get((cell.row, cell.column), cell.value)))
        if any(texts):
            grid.rows.append((cells[0].row, texts))
    problems.raise_if_any("Copy the values over the formulas and undo merged cells; nothing was stored.")
    return grid


def _filled_spans(sheet: Any, problems: Problems) -> dict[tuple[int, int], Any]:
    """Return the text of merged headings for each cell that they cover; merged cells below are a fault."""
    found: dict[tuple[int, int], Any] = {}
    for span in sheet.merged_cells.ranges:
        value = sheet.cell(span.min_row, span.min_col).value
        if span.min_row > _HEADER_ROWS:
            problems.add(span.min_row, span.coord, f"merged cells ({_shown(value)[:30]!r})")
            continue
        for row in range(span.min_row, min(span.max_row, _HEADER_ROWS) + 1):
            for column in range(span.min_col, min(span.max_col, _WIDEST) + 1):
                found[(row, column)] = value
    return found
