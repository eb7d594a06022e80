"""The Excel workbook of a result: notes first, then one sheet a table, with units in every heading.

Text is always written as text, so that a name that starts with ``=`` is never run as a formula; an unknown
value is an empty cell, never zero; the same result gives the same bytes (law 6).
"""

from __future__ import annotations

import datetime as dt
import io
import math
from dataclasses import dataclass
from typing import Any, Protocol

import polars as pl

from evernormal.errors import InputError
from evernormal.report import story
from evernormal.report.language import Language, clean
from evernormal.report.reading import Reading
from evernormal.report.workbook_charts import add_price_chart, add_supply_chart
from evernormal.report.workbook_notes import write_notes
from evernormal.result import Result

__all__ = ["Formats", "Told", "formats_of", "opened", "workbook_bytes", "write_table"]

_CREATED = dt.datetime(2000, 1, 1)
"""A fixed date inside the file: the bytes must not tell when they were written."""

_SHEETS = (
    "summary", "supply", "imports", "end_use", "bands", "runway", "rerouting", "base_rows", "parameters",
    "measures",
)  # fmt: skip

_PATTERN_BY_ENDING = (
    ("_share", "share"), ("use_possible", "share"), ("_usd", "money"), ("_usd_t", "money"), ("_days", "days"),
    ("_t", "tonnes"), ("ratio", "ratio"),
)  # fmt: skip


class Told(Protocol):
    """What a sheet asks of a result: its language and its units."""

    @property
    def words(self) -> Language:
        """Language of headings and names."""

    @property
    def result(self) -> Result:
        """Where the table and its units come from."""


@dataclass(frozen=True)
class Formats:
    """Cell formats of one workbook."""

    heading: Any
    text: Any
    title: Any
    bold: Any
    day: Any
    month: Any
    numbers: dict[str, Any]


def workbook_bytes(result: Result, lang: str = "en") -> bytes:
    """Return the workbook as bytes of an ``.xlsx`` file.

    Args:
        result: a simulation result.
        lang: ``en`` or ``ko``; decides names of sheets and headings.

    Errors: :class:`InputError` when ``xlsxwriter`` is not installed.
    """
    reading = Reading.of(result, lang)
    stream = io.BytesIO()
    book = opened(stream, reading, reading.title)
    formats = formats_of(book)
    write_notes(book.add_worksheet(_sheet_name(reading, "notes")), reading, formats, story.reproduce(reading))
    sheets: dict[str, Any] = {}
    for name in _SHEETS:
        table = _prepared(reading, name)
        if table.columns:
            sheets[name] = book.add_worksheet(_sheet_name(reading, name))
            write_table(sheets[name], reading, name, table, formats)
    if "supply" in sheets and reading.months:
        supply = _prepared(reading, "supply")
        add_supply_chart(book, sheets["supply"], reading, supply)
        add_price_chart(book, sheets["supply"], reading, supply, _prepared(reading, "bands"))
    book.close()
    return stream.getvalue()


def opened(stream: io.BytesIO, reading: Told, title: str) -> Any:
    """Return a new workbook: no text is ever run as a formula, and the same input gives the same bytes.

    Args:
        stream: where it is written when it is closed.
        reading: language and result.
        title: of the document.

    Raises:
        InputError: ``xlsxwriter`` is not installed.
    """
    try:
        import xlsxwriter  # noqa: PLC0415 - an extra
    except ImportError:
        raise InputError(
            "the workbook needs the package xlsxwriter",
            cure="Install evernormal[office], or leave xlsx out of the formats.",
        ) from None
    options: dict[str, Any] = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    if reading.words.korean:
        options["default_format_properties"] = {"font_name": "Malgun Gothic", "font_size": 10}
    book = xlsxwriter.Workbook(stream, options)
    author = f"evernormal {reading.result.lineage.version}"
    book.set_properties({"title": title[:250], "author": author, "created": _CREATED})
    return book


def formats_of(book: Any) -> Formats:
    """Return the cell formats of a workbook."""

    def made(**properties: Any) -> Any:
        return book.add_format({"valign": "top", **properties})

    patterns = {
        "tonnes": "#,##0.0",
        "money": "#,##0",
        "ratio": "0.000",
        "days": "0.0",
        "share": "0.0%",
        "any": "General",
    }
    return Formats(
        heading=made(bold=True, text_wrap=True, bottom=1, bg_color="#F6F4EF"),
        text=made(text_wrap=True),
        title=made(bold=True, font_size=14),
        bold=made(bold=True),
        day=made(num_format="yyyy-mm-dd", align="left"),
        month=made(num_format="yyyy-mm", align="left"),
        numbers={key: made(num_format=pattern) for key, pattern in patterns.items()},
    )  # fmt: skip


def _labelled(words: Language, key: str, otherwise: str) -> str:
    """Return the message of a key, or the raw word where there is none."""
    return words.text(key) if words.has(key) else otherwise


def _sheet_name(reading: Reading, name: str) -> str:
    return reading.words.text(f"sheet.{name}")[:31]


def _prepared(reading: Reading, name: str) -> pl.DataFrame:
    """Return a table as the sheet shows it: with names beside codes and labels beside keys."""
    table, words = reading.table(name), reading.words
    if name == "summary" and "name" in table.columns:
        bands = reading.table("summary_bands")
        if "name" in bands.columns:
            points = bands.select("name", "p10", "p50", "p90")
            table = table.join(points, on="name", how="left", maintain_order="left")
        labels = [_labelled(words, f"summary.{n}", n) for n in table["name"]]
        order = ("figure", "value", "text", "p10", "p50", "p90", "unit", "equation", "name")
        table = table.with_columns(pl.Series("figure", labels, dtype=pl.String))
        return table.select([c for c in order if c in table.columns])
    for key, label, naming in (
        ("supplier", "supplier_name", words.country),
        ("end_use", "end_use_name", reading.end_use),
        ("series", "series_name", lambda key: _labelled(words, f"series.{key}", key)),
        ("policy", "policy_name", lambda key: _labelled(words, f"policy.{key.replace(' ', '_')}", key)),
        ("kind", "kind_name", lambda key: _labelled(words, f"kind.{key}", key)),
    ):
        if key in table.columns:
            names = pl.Series(label, [naming(code) for code in table[key]], dtype=pl.String)
            place = table.columns.index(key) + 1
            table = table.select(*table.columns[:place], names, *table.columns[place:])
    if name == "bands" and "series" in table.columns:
        return table.sort("series", "month", maintain_order=True)
    return table


def write_table(sheet: Any, reading: Told, name: str, table: pl.DataFrame, formats: Formats) -> None:
    """Write headings with units, typed cells, a frozen first row and a filter.

    Args:
        sheet: worksheet to fill.
        reading: language and result, whose units stand in the headings.
        name: table of the result.
        table: what to write; may have columns of names beside those of the result.
        formats: of :func:`formats_of`.
    """
    for i, column in enumerate(table.columns):
        heading = _heading(reading, name, column)
        sheet.write_string(0, i, heading, formats.heading)
        cells = _cell_formats(table, name, column, formats)
        sheet.set_column(i, i, _width(heading, table[column]))
        for row, (value, cell) in enumerate(zip(table[column].to_list(), cells, strict=True), start=1):
            _write_cell(sheet, row, i, value, cell, formats)
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, max(table.height, 1), len(table.columns) - 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.set_row(0, 32)


def _heading(reading: Told, name: str, column: str) -> str:
    words = reading.words
    label = _labelled(words, f"field.{column}", column)
    unit = reading.result.units.get(name, {}).get(column, "")
    if not unit or unit.startswith("see "):
        return label
    return f"{label}\n({_labelled(words, f'unitname.{unit}', unit)})"


def _cell_formats(table: pl.DataFrame, name: str, column: str, formats: Formats) -> list[Any]:
    """Return the format of every cell of a column; in the summary each row has a unit of its own."""
    dtype = table[column].dtype
    if name == "summary" and dtype.is_float():
        return [_cell_format(str(row), dtype, formats) for row in table["name"].to_list()]
    return [_cell_format(column, dtype, formats)] * table.height


def _cell_format(column: str, dtype: pl.DataType, formats: Formats) -> Any:
    if dtype == pl.Date:
        return formats.month if column == "month" else formats.day
    if not dtype.is_numeric():
        return formats.text
    if not dtype.is_float():
        return formats.numbers["any"]
    endings = (key for ending, key in _PATTERN_BY_ENDING if column.endswith(ending))
    return formats.numbers[next(endings, "any")]


def _write_cell(sheet: Any, row: int, column: int, value: Any, cell: Any, formats: Formats) -> None:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return
    if isinstance(value, dt.date):
        sheet.write_datetime(row, column, dt.datetime(value.year, value.month, value.day), cell)
    elif isinstance(value, bool) or not isinstance(value, int | float):
        sheet.write_string(row, column, clean(str(value)), formats.text)
    else:
        sheet.write_number(row, column, value, cell)


def _width(heading: str, column: pl.Series) -> float:
    """Return a width in characters that shows most cells whole; a Korean letter counts two."""
    longest = max(_letters(line) for line in heading.split("\n"))
    if column.dtype == pl.String:
        lengths = [_letters(str(v)) for v in column.head(200).to_list() if v is not None]
        longest = max([longest, *lengths])
    return min(max(longest + 2, 10), 60)


def _letters(text: str) -> int:
    return sum(2 if ord(c) > 0x1100 else 1 for c in text)
