"""The workbook's own Excel charts: they follow the cells when a reader changes them."""

from __future__ import annotations

from typing import Any

import polars as pl

from evernormal.report.reading import Reading

__all__ = ["add_price_chart", "add_supply_chart"]

_STACKED = (("imports_t", "#0072B2"), ("domestic_t", "#009E73"), ("release_t", "#333333"),
    ("other_supply_t", "#999933"),
)  # fmt: skip


def _range(sheet: Any, column: int, first: int, last: int) -> list[Any]:
    return [sheet.get_name(), first, column, last, column]


def _series(
    sheet: Any, table: pl.DataFrame, column: str, name: str, rows: tuple[int, int], **style: Any
) -> dict[str, Any]:
    months = table.columns.index("month")
    return {
        "name": name,
        "categories": _range(sheet, months, *rows),
        "values": _range(sheet, table.columns.index(column), *rows),
        **style,
    }


def add_supply_chart(book: Any, sheet: Any, reading: Reading, table: pl.DataFrame) -> None:
    """Add imports and all other supply as stacked columns, with base imports as a line."""
    words, rows = reading.words, (1, table.height)
    columns = book.add_chart({"type": "column", "subtype": "stacked"})
    for column, color in _STACKED:
        if column in table.columns:
            name = words.text(f"field.{column}")
            columns.add_series(_series(sheet, table, column, name, rows, fill={"color": color}, gap=40))
    line = book.add_chart({"type": "line"})
    style = {"line": {"color": "#D55E00", "width": 2, "dash_type": "dash"}}
    name = words.text("field.base_imports_t")
    line.add_series(_series(sheet, table, "base_imports_t", name, rows, **style))
    columns.combine(line)
    title = words.text("chart.supply", form=reading.form_inline, unit=reading.short_unit)
    _finish(columns, title, reading.short_unit)
    sheet.insert_chart(1, len(table.columns) + 1, columns)


def add_price_chart(
    book: Any, sheet: Any, reading: Reading, table: pl.DataFrame, bands: pl.DataFrame
) -> None:
    """Add the price path and, where it is known, its 10 and 90 % points as thin lines."""
    words = reading.words
    chart = book.add_chart({"type": "line"})
    style: dict[str, Any] = {"line": {"color": "#0072B2", "width": 2.5}}
    name = words.text("column.central")
    chart.add_series(_series(sheet, table, "price_ratio", name, (1, table.height), **style))
    places = (
        bands.with_row_index("row").filter(pl.col("series") == "price_ratio")["row"].to_list()
        if "series" in bands.columns
        else []
    )
    if places:
        source = book.get_worksheet_by_name(words.text("sheet.bands")[:31])
        rows = (int(places[0]) + 1, int(places[-1]) + 1)
        for point in ("p10", "p90"):
            style = {"line": {"color": "#56B4E9", "width": 1, "dash_type": "dash"}}
            chart.add_series(_series(source, bands, point, words.text(f"field.{point}"), rows, **style))
    title = words.text("chart.price" if places else "chart.price_plain", form=reading.form_inline)
    _finish(chart, title, "")
    sheet.insert_chart(20, len(table.columns) + 1, chart)


def _finish(chart: Any, title: str, unit: str) -> None:
    chart.set_title({"name": title, "name_font": {"size": 12}, "overlay": False})
    chart.set_x_axis({"date_axis": True, "num_format": "yyyy-mm", "num_font": {"rotation": -45}})
    axis: dict[str, Any] = {"major_gridlines": {"visible": True, "line": {"color": "#D9D9D9"}}}
    if unit:
        axis |= {"name": unit, "num_format": "#,##0"}
    chart.set_y_axis(axis)
    chart.set_legend({"position": "bottom"})
    chart.set_size({"width": 720, "height": 360})
