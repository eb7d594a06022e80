"""The workbook, opened with another library than the one that wrote it."""

from __future__ import annotations

import datetime as dt
import io
import sys

import openpyxl
import polars as pl
import pytest
from synthetic import synthetic_result
from test_charts import with_tables

from evernormal.errors import InputError
from evernormal.report.workbook import workbook_bytes
from evernormal.result import Result

pytest.importorskip("xlsxwriter", reason="the workbook needs the extra 'office'")


def opened(result: Result, lang: str = "en") -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(workbook_bytes(result, lang)))


def test_sheets_and_headings(result: Result) -> None:
    book = opened(result)
    assert book.sheetnames == [
        "Read me",
        "Summary",
        "Supply by month",
        "Imports by supplier",
        "End use",
        "Bands",
        "Runway",
        "Rerouting",
        "Base rows",
        "Parameters",
        "Measures",
    ]
    supply = book["Supply by month"]
    assert supply["B1"].value == "Imports\n(t contained)"
    assert supply.freeze_panes == "B2" and supply.auto_filter.ref == "A1:N25"
    assert len(supply._charts) == 2
    assert supply["A2"].value == dt.datetime(2024, 1, 1) and supply["B2"].number_format == "#,##0.0"
    assert supply.max_row == 25


def test_korean_workbook(result: Result) -> None:
    book = opened(result, "ko")
    assert book.sheetnames[:4] == ["안내", "요약", "월별 공급", "수입선별 수입"]
    assert book["월별 공급"]["B1"].value == "수입량\n(톤, 함유량)"
    assert book["수입선별 수입"]["C2"].value == "아르헨티나"


def test_the_cells_hold_the_tables(result: Result) -> None:
    sheet = opened(result)["Supply by month"]
    heads = [str(c.value).split("\n")[0] for c in sheet[1]]
    column = heads.index("Shortage") + 1
    cells = [sheet.cell(row, column).value for row in range(2, 26)]
    assert sum(cells) == pytest.approx(result.scalar("shortage_t"))


def test_text_that_looks_like_a_formula_stays_text() -> None:
    for start in "=+-@":
        hostile = f'{start}cmd|"/c calc"!A1'
        result = synthetic_result(title=hostile)
        measures = result["measures"].with_columns(text_en=pl.lit(hostile))
        book = opened(with_tables(result, measures=measures))
        assert book["Read me"]["A1"].value == hostile and book["Read me"]["A1"].data_type == "s"
        for sheet in book:
            assert all(c.data_type != "f" for row in sheet.iter_rows() for c in row), sheet.title


def test_unknown_is_an_empty_cell(result: Result) -> None:
    """Law 2."""
    supply = result["supply"].with_columns(
        cover_days=pl.lit(float("nan")), loss_usd=pl.lit(None, dtype=pl.Float64)
    )
    sheet = opened(with_tables(result, supply=supply))["Supply by month"]
    assert sheet["K2"].value is None and sheet["N2"].value is None


def test_the_same_result_gives_the_same_bytes_and_stays_as_it_is(result: Result) -> None:
    """Law 6."""
    before = {name: table.columns for name, table in result.tables.items()}
    assert workbook_bytes(result) == workbook_bytes(result)
    assert {name: table.columns for name, table in result.tables.items()} == before


def test_the_notes_say_what_where_from_and_how_again(result: Result) -> None:
    notes = [str(row[0]) for row in opened(result)["Read me"].iter_rows(values_only=True) if row[0]]
    text = "\n".join(notes)
    for part in (
        "lithium contained (t\u00a0Li)",
        "An empty cell is unknown, not zero.",
        "CEPII BACI",
        "aaaaaaaaaaaa",
        "--seed 20250207",
        "Caution:",
    ):
        assert part in text


def test_without_the_extra_the_cure_is_named(result: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(InputError, match=r"evernormal\[office\]"):
        workbook_bytes(result)


def test_a_result_without_draws_has_no_band_lines(result: Result) -> None:
    book = opened(
        with_tables(result, bands=result["bands"].clear(), summary_bands=result["summary_bands"].clear())
    )
    assert len(book["Supply by month"]._charts[1].series) == 1
