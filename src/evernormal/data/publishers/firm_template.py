"""The workbook that a firm fills in: headings, lists to choose from, units, notes and an example row."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import polars as pl

from evernormal.data.publishers.firm_layout import (
    EXAMPLE,
    LISTS,
    Field,
    SheetLayout,
    listed_countries,
    listed_forms,
    sheets,
)
from evernormal.errors import InputError
from evernormal.result import Input, Lineage, Result, sha256_of
from evernormal.storage import written

__all__ = ["firm_template"]

_ROWS = 2000
_HEADING_ROW, _HELP_ROW, _EXAMPLE_ROW = 3, 4, 5
_CHOICES = {
    "unit": ["t", "kg", "g", "lb", "kt"],
    "currency": ["USD", "KRW", "EUR", "CNY", "JPY", "GBP", "AUD"],
    "incoterm": ["EXW", "FCA", "FAS", "FOB", "CFR", "CIF", "CPT", "CIP", "DAP", "DPU", "DDP"],
    "contract": ["contract", "spot"],
    "yes": ["yes", "no"],
}
_KOREAN = {"contract": ["장기계약", "현물"], "yes": ["예", "아니오"]}
_NOTES = {
    "en": "Columns with * are needed. Write numbers without thousands separators, months like 2025-03. No "
    "formulas, no merged cells. Rows whose note begins with 'example' are not read.",
    "ko": "* 표시 열은 필수입니다. 숫자에 천 단위 구분 기호를 쓰지 말고, 월은 2025-03처럼 적습니다. "
    "수식과 병합된 셀은 쓰지 않습니다. 비고가 '예시'로 시작하는 행은 읽지 않습니다.",
}


def firm_template(path: str | Path, language: Literal["en", "ko"] = "en") -> Result:
    """Write the template of a firm's own data, all or nothing.

    Args:
        path: where the workbook goes (.xlsx).
        language: of headings, notes and lists; both are read back.

    Returns:
        Result ``firm-template`` with table ``sheets``: sheet, title, columns, path.

    Raises:
        InputError: another language or ending, or xlsxwriter is not installed.
        StorageError: the file cannot be written.
    """
    if language not in ("en", "ko"):
        raise InputError(f"unknown language {language!r}", where="language", cure="Give en or ko.")
    target = Path(path)
    if target.suffix.lower() != ".xlsx":
        raise InputError(
            f"{target.name} does not end in .xlsx", where="path", cure="Name the file like firm.xlsx."
        )
    try:
        import xlsxwriter  # noqa: PLC0415 - an extra
    except ImportError:
        raise InputError(
            "writing a workbook needs the package xlsxwriter", cure="Install evernormal[office]."
        ) from None

    def write(folder: Path) -> Path:
        options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
        book = xlsxwriter.Workbook(str(folder / target.name), options)
        book.set_properties({"created": datetime(2025, 1, 1), "title": "evernormal firm template"})
        _fill(book, language)
        book.close()
        return folder / target.name

    written(target.parent, {target.name: write})
    return _told(target, language)


def _fill(book: Any, language: str) -> None:
    styles = {
        "heading": book.add_format({"bold": True, "bg_color": "#DCE6F1", "border": 1, "text_wrap": True}),
        "help": book.add_format({"italic": True, "font_color": "#595959", "text_wrap": True}),
        "example": book.add_format({"font_color": "#808080", "bg_color": "#F2F2F2"}),
        "title": book.add_format({"bold": True, "font_size": 13}),
        "month": book.add_format({"num_format": "@"}),
    }
    added = [(layout, book.add_worksheet(layout.title(language))) for layout in sheets()]
    ranges = _lists(book, language)
    for layout, sheet in added:
        _sheet(layout, sheet, language, ranges, styles)


def _lists(book: Any, language: str) -> dict[str, str]:
    """Write the sheet of lists; return the range of each."""
    sheet = book.add_worksheet(LISTS[language])
    found = {}
    for column, (kind, values) in enumerate(
        (("form", listed_forms(language)), ("country", listed_countries(language)))
    ):
        sheet.write_string(0, column, kind)
        for row, value in enumerate(values, start=1):
            sheet.write_string(row, column, value)
        sheet.set_column(column, column, 44)
        letter = "AB"[column]
        found[kind] = f"='{LISTS[language]}'!${letter}$2:${letter}${len(values) + 1}"
    return found


def _sheet(
    layout: SheetLayout, sheet: Any, language: str, ranges: dict[str, str], styles: dict[str, Any]
) -> None:
    korean = language == "ko"
    sheet.write_string(0, 0, layout.about_ko if korean else layout.about_en, styles["title"])
    sheet.write_string(1, 0, _NOTES[language])
    sheet.freeze_panes(_HELP_ROW + 1, 2)
    for column, field in enumerate(layout.fields):
        mark = " *" if field.needed else ""
        sheet.write_string(_HEADING_ROW, column, field.heading(language) + mark, styles["heading"])
        sheet.write_string(_HELP_ROW, column, field.help_ko if korean else field.help_en, styles["help"])
        _example(sheet, column, field, language, styles["example"])
        wide = {"form": 34, "country": 24, "text": 20}.get(field.kind, 14)
        sheet.set_column(column, column, wide, styles["month"] if field.kind in ("month", "day") else None)
        _validate(sheet, column, field, language, ranges)


def _example(sheet: Any, column: int, field: Field, language: str, style: Any) -> None:
    value: Any = field.example
    if field.name == "note":
        value = EXAMPLE[language]
    if field.kind in ("form", "country"):
        offered = listed_forms(language) if field.kind == "form" else listed_countries(language)
        value = next(text for text in offered if text.startswith(f"{field.example} |"))
    if language == "ko" and field.kind in _KOREAN:
        value = _KOREAN[field.kind][_CHOICES[field.kind].index(str(field.example))]
    if isinstance(value, str):
        sheet.write_string(_EXAMPLE_ROW, column, value, style)
    else:
        sheet.write_number(_EXAMPLE_ROW, column, value, style)


def _validate(sheet: Any, column: int, field: Field, language: str, ranges: dict[str, str]) -> None:
    """Let the sheet itself offer or refuse what a cell may hold; the reader checks again."""
    rule: dict[str, Any] | None = None
    if field.kind in ranges:
        rule = {"validate": "list", "source": ranges[field.kind], "error_type": "warning"}
    elif field.kind in _CHOICES:
        values = _KOREAN.get(field.kind, _CHOICES[field.kind]) if language == "ko" else _CHOICES[field.kind]
        rule = {"validate": "list", "source": values, "error_type": "warning"}
    elif field.kind in ("number", "fraction"):
        top = 1 if field.kind == "fraction" else 1e12
        rule = {"validate": "decimal", "criteria": "between", "minimum": 0, "maximum": top}
    if rule is not None:
        sheet.data_validation(_EXAMPLE_ROW, column, _ROWS, column, rule | {"ignore_blank": True})


def _told(path: Path, language: str) -> Result:
    from evernormal import __version__  # noqa: PLC0415

    rows = [
        {
            "sheet": layout.name,
            "title": layout.title(language),
            "columns": "; ".join(field.heading(language) for field in layout.fields),
            "path": str(path),
        }
        for layout in sheets()
    ]
    pinned = Input(path.name, sha256_of(path), "template of evernormal")
    lineage = Lineage(__version__, (pinned,), call={"language": language})
    return Result("firm-template", {"sheets": pl.DataFrame(rows)}, {}, lineage)
