"""A workbook from anywhere as sheets of values, after everything that a hostile or broken one can be.

What is refused before a sheet is opened: an encrypted or old workbook, a web page or a CSV file under the
name of one, a zip bomb, a half download, macros, links to other files, declarations of entities.  What is
only noted, because its adapter must name the cell: formulas and merged cells.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from evernormal.data.publishers.archive import Limits, csv_members
from evernormal.errors import InputError, SourceFormatError

__all__ = ["Sheet", "check_workbook", "column_letter", "open_book", "read_sheets", "require_size"]

_LARGEST = 80_000_000
_MOST_CELLS = 4_000_000
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_AGAIN = "Download it again."


@dataclass(frozen=True)
class Sheet:
    """One sheet: the values that were typed, and where it has formulas and merged cells.

    Attributes:
        name: its title.
        rows: values row by row, from A1 on.
        formulas: text of each formula by row and column, counted from 1.
        merged: each merged range as written, with its first and last row.
    """

    name: str
    rows: list[list[Any]]
    formulas: Mapping[tuple[int, int], str]
    merged: tuple[tuple[str, int, int], ...]

    def at(self, row: int, column: int) -> Any:
        """Return a cell, counted from 1 as in a spreadsheet; None outside."""
        cells = self.rows[row - 1] if 0 < row <= len(self.rows) else []
        return cells[column - 1] if 0 < column <= len(cells) else None

    def text(self, row: int, column: int) -> str:
        """Return a cell as one line of text; nothing for an empty one."""
        value = self.at(row, column)
        if value is None:
            return ""
        if isinstance(value, datetime | date):
            return value.isoformat()[:10]
        if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        return " ".join(str(value).split())

    def place(self, row: int, column: int) -> str:
        """Return sheet and cell as a person names them."""
        return f"sheet {self.name!r} cell {column_letter(column)}{row}"


def column_letter(column: int) -> str:
    """Return the letters of a column counted from 1.

    >>> column_letter(1), column_letter(28)
    ('A', 'AB')
    """
    letters = ""
    while column > 0:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def read_sheets(
    path: Path,
    limits: Limits,
    *,
    wanted: Callable[[str], bool] = lambda name: True,
    largest: tuple[int, int] = (20_000, 500),
    cure: str = _AGAIN,
) -> list[Sheet]:
    """Return the sheets of a workbook whose title is wanted, in their order.

    Args:
        path: the file.
        limits: what the zip file inside it may hold.
        wanted: chooses sheets by title.
        largest: rows and columns that a wanted sheet may have.
        cure: what would be right.

    Raises:
        SourceFormatError: no workbook, or one that is not safe to open.
        InputError: openpyxl is not installed.
    """
    book = open_book(path, limits, cure=cure)
    found = []
    for sheet in book.worksheets:
        if not wanted(sheet.title):
            continue
        require_size(sheet, path.name, largest)
        formulas: dict[tuple[int, int], str] = {}
        rows = []
        for cells in sheet.iter_rows():
            rows.append([cell.value for cell in cells])
            for cell in cells:
                if cell.data_type == "f":
                    formulas[cell.row, cell.column] = str(getattr(cell.value, "text", cell.value))
        merged = tuple((str(span), span.min_row, span.max_row) for span in sheet.merged_cells.ranges)
        found.append(Sheet(sheet.title, rows, formulas, merged))
    return found


def require_size(sheet: Any, name: str, largest: tuple[int, int] = (1_048_576, 16_384)) -> None:
    """Raise when an openpyxl sheet has more rows, columns or cells than are read.

    One cell far away makes a sheet of thousands of millions of empty ones.
    """
    rows, columns = sheet.max_row, sheet.max_column
    if rows > largest[0] or columns > largest[1] or rows * columns > _MOST_CELLS:
        raise SourceFormatError(
            f"sheet {sheet.title!r} reaches to cell {column_letter(columns)}{rows}: {rows:,} rows and"
            f" {columns:,} columns; at most {largest[0]:,} and {largest[1]:,} are read, and"
            f" {_MOST_CELLS:,} cells",
            where=name,
            cure="Delete the empty rows and columns that are formatted.",
        )


def open_book(path: Path, limits: Limits, *, cure: str = _AGAIN) -> Any:
    """Return an openpyxl workbook after refusing what is none or is not safe; formulas stay formulas.

    Raises:
        SourceFormatError: as :func:`read_sheets`.
        InputError: openpyxl is not installed.
    """
    try:
        from openpyxl import load_workbook  # noqa: PLC0415 - an extra
    except ImportError:
        raise InputError(
            "reading a workbook needs the package openpyxl", cure="Install evernormal[office]."
        ) from None
    check_workbook(path, limits, cure=cure)
    try:
        return load_workbook(path, data_only=False, keep_links=False)
    except Exception as error:  # openpyxl lets many kinds out of a damaged file
        raise SourceFormatError(
            f"this is no workbook that can be read ({type(error).__name__}: {str(error)[:200]})",
            where=path.name,
            cure=f"The download may be cut off. {cure}",
        ) from error


def check_workbook(path: Path, limits: Limits, *, cure: str = _AGAIN) -> None:
    """Raise unless a file is a workbook that is safe to open.

    Raises:
        SourceFormatError: encrypted, old, a web page, a bomb, a half download, macros, links to other files,
            declarations of entities.
    """
    _require_workbook(path, cure)
    csv_members(path, replace(limits, total=min(limits.total, _LARGEST)))
    _refuse_parts(path, cure)


def _require_workbook(path: Path, cure: str) -> None:
    """Raise unless the first bytes are those of a zip file; say what they are instead."""
    with path.open("rb") as stream:
        head = stream.read(4096)
        rest = stream.read(4_000_000) if head.startswith(_OLE) else b""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    what = ""
    if not head.strip():
        what = "the file is empty"
    elif head.startswith(_OLE) and _ENCRYPTED in head + rest:
        what, cure = "the workbook is encrypted", "Open it with its password and save it without one."
    elif head.startswith(_OLE):
        what, cure = "this is an old Excel workbook (.xls)", "Save it as an Excel workbook (.xlsx)."
    elif start.startswith((b"<!doctype", b"<html", b"<head", b"<script", b"<table", b"<?xml")):
        what = "this is a web page saved under the name of a workbook"
        cure = "The download failed or needs a login: open the address in a browser, save the file itself."
    elif not head.startswith(b"PK\x03\x04"):
        what, cure = "this is no Excel workbook", f"Save it as an Excel workbook (.xlsx). {cure}"
    if what:
        raise SourceFormatError(what, where=path.name, cure=cure)


def _refuse_parts(path: Path, cure: str) -> None:
    """Raise when a part of the workbook can act by itself or reach elsewhere."""
    with zipfile.ZipFile(path) as archive:
        names = [info.filename for info in archive.infolist()]
        lower = {name.lower() for name in names}
        if not any(name.endswith("workbook.xml") for name in lower):
            raise SourceFormatError("this is a zip file, not an Excel workbook", where=path.name, cure=cure)
        if any(name.endswith("vbaproject.bin") or "/macrosheets/" in name for name in lower):
            raise SourceFormatError(
                "the workbook carries macros", where=path.name, cure="Save it as .xlsx, without macros."
            )
        if any("/externallinks/" in name for name in lower):
            raise SourceFormatError(
                "the workbook has links to other files, whose values cannot be checked",
                where=path.name,
                cure="Break the links (Data, Edit Links), paste values, save, and try again.",
            )
        for name in names:
            if name.lower().endswith((".xml", ".rels")):
                with archive.open(name) as stream:
                    head = stream.read(4096)
                if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
                    raise SourceFormatError(
                        f"{name} declares entities, which no spreadsheet program writes",
                        where=path.name,
                        cure=cure,
                    )
