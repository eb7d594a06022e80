"""The workbook that the IEA ships: sheets laid out for people, read by where years and headings stand.

Sheets are known by the number that their name begins with, which stayed while their names changed: 1 demand
by use, 2 supply by country (mining and refining side by side), 3.1 and 3.2 demand of energy technologies, 4.x
each technology by case.  A mineral or a case stands in a row without figures; the scenario stands above the
first of its years; years to the left of every scenario are the base year.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evernormal.data.publishers.archive import Limits
from evernormal.data.publishers.iea_rows import Figures, scenario_name, stage_of
from evernormal.data.publishers.workbook import check_workbook
from evernormal.errors import InputError, SourceFormatError

__all__ = ["read_workbook"]

_ROWS, _COLUMNS = 2000, 200
_HEADER_ROWS = 20
_CURE = "Give CM_Data_Explorer.xlsx as the IEA ships it."
_NOTES = re.compile(r"(note|source)s?\b", re.IGNORECASE)
_DERIVED = ("total", "top 3", "share of")


@dataclass(frozen=True)
class _Sheet:
    """One sheet: what its cells show, and where it has formulas and merged cells."""

    name: str
    rows: list[list[Any]]
    formulas: frozenset[tuple[int, int]]
    merged: tuple[tuple[str, int, int], ...]

    def at(self, row: int, column: int) -> Any:
        """Return a cell, counted from 1 as in a spreadsheet."""
        cells = self.rows[row - 1] if row <= len(self.rows) else []
        return cells[column - 1] if column <= len(cells) else None

    def text(self, row: int, column: int) -> str:
        """Return the text of a cell without line breaks; nothing for a number."""
        value = self.at(row, column)
        return " ".join(value.split()) if isinstance(value, str) else ""

    def place(self, row: int, column: int) -> str:
        """Return sheet and cell as a person names them."""
        from openpyxl.utils import get_column_letter  # noqa: PLC0415 - an extra

        return f"sheet {self.name!r} cell {get_column_letter(column)}{row}"


@dataclass(frozen=True)
class _Years:
    """The row of years of a sheet, and the scenario of each of its columns; None for the base year."""

    row: int
    columns: dict[int, int]
    scenarios: dict[int, str | None]


def read_workbook(path: Path, figures: Figures, limits: Limits) -> None:
    """Note every figure of the workbook.

    Raises:
        SourceFormatError: no workbook, damaged, or without the sheets of the dataset.
        InputError: openpyxl is not installed.
    """
    sheets = list(_sheets(path, limits))
    unit = next((found for sheet in sheets if (found := _unit(sheet))), None)
    used = 0
    for sheet in sheets:
        number = re.match(r"(\d)(?:\.(\d+))?(?=\D|$)", sheet.name.strip())
        if number is None or number.group(1) not in "1234":
            continue
        own = _unit(sheet) or unit
        if own is None:
            raise SourceFormatError(
                f"sheet {sheet.name!r} does not say its unit", where=path.name, cure=f"It is (kt). {_CURE}"
            )
        if own != "kt":
            raise SourceFormatError(
                f"sheet {sheet.name!r} is in {own}, not in kt", where=path.name, cure=_CURE
            )
        years = _years(sheet, path.name)
        _require_flat(sheet, years, figures)
        _read_sheet(sheet, years, number.group(0), figures)
        used += 1
    if not used:
        names = ", ".join(repr(sheet.name) for sheet in sheets[:8])
        raise SourceFormatError(
            f"no sheet of the dataset is in it (it has {names})", where=path.name, cure=_CURE
        )


def _sheets(path: Path, limits: Limits) -> Iterator[_Sheet]:
    try:
        from openpyxl import load_workbook  # noqa: PLC0415 - an extra
    except ImportError:
        raise InputError(
            "reading a workbook needs the package openpyxl", cure="Install evernormal[office]."
        ) from None
    check_workbook(path, limits, cure=_CURE)
    try:
        shown = load_workbook(path, data_only=True)
        typed = load_workbook(path, data_only=False)
    except Exception as error:  # openpyxl lets many kinds out of a damaged file
        raise SourceFormatError(
            f"this is no workbook that can be read ({type(error).__name__}: {error})",
            where=path.name,
            cure=f"The download may be cut off. {_CURE}",
        ) from error
    for sheet in shown.worksheets:
        if sheet.max_row > _ROWS or sheet.max_column > _COLUMNS:
            raise SourceFormatError(
                f"sheet {sheet.title!r} has {sheet.max_row:,} rows and {sheet.max_column:,} columns;"
                f" the dataset has at most {_ROWS:,} and {_COLUMNS}",
                where=path.name,
                cure=_CURE,
            )
        rows = [list(cells) for cells in sheet.iter_rows(values_only=True)]
        formulas = frozenset(
            (cell.row, cell.column) for cells in typed[sheet.title].iter_rows() for cell in cells
            if cell.data_type == "f"
        )  # fmt: skip
        merged = tuple((str(span), span.min_row, span.max_row) for span in sheet.merged_cells.ranges)
        yield _Sheet(sheet.title, rows, formulas, merged)


def _unit(sheet: _Sheet) -> str | None:
    """Return the unit of mass that the sheet prints in brackets near its top."""
    for row in range(1, min(len(sheet.rows), _HEADER_ROWS) + 1):
        for value in sheet.rows[row - 1]:
            found = (
                re.search(r"\((kt|Mt|t|thousand tonnes)\b[^)]*\)", value) if isinstance(value, str) else None
            )
            if found:
                return "kt" if found.group(1) == "thousand tonnes" else found.group(1)
    return None


def _years(sheet: _Sheet, file: str) -> _Years:
    for row in range(1, min(len(sheet.rows), _HEADER_ROWS) + 1):
        columns = {
            number: int(value)
            for number, value in enumerate(sheet.rows[row - 1], start=1)
            if isinstance(value, int | float) and not isinstance(value, bool)
            and value == int(value) and 1990 <= value <= 2100
        }  # fmt: skip
        if len(columns) >= 2:
            return _Years(row, columns, _scenarios(sheet, row, columns))
    raise SourceFormatError(
        f"sheet {sheet.name!r} has no row of years in its first {_HEADER_ROWS} rows", where=file, cure=_CURE
    )


def _scenarios(sheet: _Sheet, row: int, columns: dict[int, int]) -> dict[int, str | None]:
    """Give each column of years the scenario that stands above it or to its left; None where none does."""
    above = {
        column: sheet.text(row - 1, column)
        for column in range(2, max(columns) + 1)
        if row > 1 and "scenario" in sheet.text(row - 1, column).casefold()
    }
    found: dict[int, str | None] = {}
    for column in columns:
        left = [start for start in above if start <= column]
        found[column] = scenario_name(above[max(left)]) if left else None
    return found


def _require_flat(sheet: _Sheet, years: _Years, figures: Figures) -> None:
    """Note merged cells below the row of years: which row a figure in one belongs to cannot be known."""
    for span, _, last in sheet.merged:
        if last > years.row and not _is_text_only(sheet, span):
            figures.fault(
                f"sheet {sheet.name!r} cells {span}", "merged cells: write each figure in its own cell"
            )


def _is_text_only(sheet: _Sheet, span: str) -> bool:
    """Whether a merged range is a note or a heading and holds no figure."""
    from openpyxl.utils import range_boundaries  # noqa: PLC0415 - an extra

    column, row, *_ = range_boundaries(span)
    return column == 1 and isinstance(sheet.at(row, column), str)


def _read_sheet(sheet: _Sheet, years: _Years, number: str, figures: Figures) -> None:
    if number == "2":
        for label, columns in _blocks(years):
            _supply(sheet, years, label, columns, figures)
    else:
        _demand(sheet, years, number, figures)


def _blocks(years: _Years) -> list[tuple[int, list[int]]]:
    """Return the column of labels and the columns of years of each table that stands side by side."""
    blocks: list[tuple[int, list[int]]] = []
    for column in sorted(years.columns):
        if blocks and column == blocks[-1][1][-1] + 1:
            blocks[-1][1].append(column)
        else:
            blocks.append((column - 1, [column]))
    return [block for block in blocks if block[0] >= 1]


def _labelled(
    sheet: _Sheet, years: _Years, label: int, columns: list[int]
) -> Iterator[tuple[int, str, bool]]:
    """Yield row, label and whether it has figures, down to the notes."""
    for row in range(years.row + 1, len(sheet.rows) + 1):
        text = sheet.text(row, label)
        if _NOTES.match(text) or _NOTES.match(sheet.text(row, 1)):
            return
        if text:
            yield row, text, any(sheet.at(row, column) is not None or (row, column) in sheet.formulas
                                 for column in columns)  # fmt: skip


def _supply(sheet: _Sheet, years: _Years, label: int, columns: list[int], figures: Figures) -> None:
    heading, stage = "", None
    base = min(years.columns[column] for column in columns)
    for row, text, filled in _labelled(sheet, years, label, columns):
        if not filled:
            heading, stage = text.partition("(")[0].strip(), stage_of(text)
            if stage is None:
                figures.fault(sheet.place(row, label), f"{text[:60]!r} is no heading like 'Copper - Mining'")
            continue
        if stage is None:
            figures.fault(
                sheet.place(row, label), f"{text[:60]!r} stands under no heading like 'Copper - Mining'"
            )
            continue
        for column in columns:
            year, place = years.columns[column], sheet.place(row, column)
            if _is_figure(sheet, row, column, text, figures):
                scenario = None if year == base else "Base case"
                figures.supply(place, heading, stage, text, scenario, year, sheet.at(row, column))


def _demand(sheet: _Sheet, years: _Years, number: str, figures: Figures) -> None:
    columns, heading = sorted(years.columns), ""
    technology = re.sub(r"^[\d.]+\s*", "", sheet.name.strip())
    for row, text, filled in _labelled(sheet, years, 1, columns):
        if not filled:
            heading = text
            continue
        if number == "3.2":
            mineral, use, statistic, case = text, "", "energy_demand", ""
        elif number.startswith("4"):
            mineral, use, statistic = text, technology, "technology_demand"
            case = "" if heading.casefold() in {"", "base case"} else heading
        elif heading:
            mineral, use, case = heading, text, ""
            statistic = "demand" if number == "1" else "energy_demand"
        else:
            figures.fault(sheet.place(row, 1), f"{text[:60]!r} stands under no mineral")
            continue
        for column in columns:
            if _is_figure(sheet, row, column, text, figures):
                parts = [part for part in (years.scenarios[column], case) if part]
                scenario = "; ".join(parts) if parts else None
                place, value = sheet.place(row, column), sheet.at(row, column)
                figures.demand(place, statistic, mineral, use, scenario, years.columns[column], value)


def _is_figure(sheet: _Sheet, row: int, column: int, label: str, figures: Figures) -> bool:
    """Whether a cell can be noted: a formula is a fault, except the result of a sum that Excel kept."""
    if (row, column) not in sheet.formulas:
        return True
    if label.casefold().startswith(_DERIVED) and sheet.at(row, column) is not None:
        return True
    figures.fault(sheet.place(row, column), "a formula: paste it as a value (Paste special, Values)")
    return False
