"""The World Bank's Pink Sheet: small workbooks in its layout, and the published file where it is present."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from openpyxl import Workbook

from evernormal import data
from evernormal.errors import InputError, NotCoveredError, SourceFormatError, UnitError, UnknownNameError

SHARED = Path(__file__).parents[3] / "shared" / "data" / "prices"
Change = Callable[[Workbook], None]
NAMES = ("Aluminum", "Iron ore, cfr spot", "Copper", "Platinum", "Plywood", "Beef **", "Nickel")
UNITS = ("($/mt)", "($/dmtu)", "($/mt)", "($/troy oz)", "(cents/sheet)", "($/kg)", "($/mt)")


def workbook(path: Path, change: Change = lambda book: None, updated: str = "June 02, 2026") -> Path:
    """Lay a workbook out as the World Bank does: notes, names, units, months."""
    book = Workbook()
    book.remove(book.worksheets[0])
    book.create_sheet("AFOSHEET").sheet_state = "hidden"
    sheet = book.create_sheet("Monthly Prices")
    for row, text in enumerate(
        ("World Bank Commodity Price Data (The Pink Sheet)", "monthly prices in nominal US dollars",
         "(monthly series are available only in nominal US dollars)", f"Updated on {updated}"), start=1
    ):  # fmt: skip
        sheet.cell(row, 1, text)
    for column, (name, unit) in enumerate(zip(NAMES, UNITS, strict=True), start=2):
        sheet.cell(5, column, name)
        sheet.cell(6, column, unit)
    figures = {
        "2026M04": (3599.85, 106.05, 12950.96, 2027.66, 343.04, "…", 17961.6),
        "2026M05": (3666.1, 108.64, 13543.19, 1998.39, 345.34, 7.95, 18805.77),
    }
    for row, (month, prices) in enumerate(figures.items(), start=7):
        sheet.cell(row, 1, month)
        for column, price in enumerate(prices, start=2):
            sheet.cell(row, column, price)
    indices = book.create_sheet("Monthly Indices")
    indices["A2"] = "monthly indices based on nominal US dollars, 2010=100, 1960 to present"
    indices["B6"], indices["C7"], indices["D8"] = "Total Index", "Agriculture **", "Beverages"
    indices["A10"], indices["B10"], indices["C10"], indices["D10"] = "2026M05", 132.43, 116.11, 145.71
    said = book.create_sheet("Description")
    said["B9"] = "Copper (LME), grade A, minimum 99.9935% purity, cathodes and wire bar shapes"
    said["B10"] = "Iron ore (any origin) fines, spot price, c.f.r. China, 62% Fe beginning December 2008"
    change(book)
    book.save(path)
    return path


def added(tmp_path: Path, change: Change = lambda book: None) -> Path:
    """Add a workbook and return the folder of the store."""
    data.add("pink-sheet", workbook(tmp_path / "CMO.xlsx", change), tmp_path / "store")
    return tmp_path / "store"


def test_every_column_is_stored_with_unit_currency_and_cell(tmp_path: Path) -> None:
    rows = data.prices(folder=added(tmp_path))
    assert rows["commodity"].n_unique() == 10
    copper = rows.filter(commodity="Copper", period="2026-05").row(0, named=True)
    assert copper["price"] == 13543.19
    assert (copper["currency"], copper["unit"], copper["form"]) == ("USD", "t", "copper/metal")
    assert copper["source_ref"] == "sheet 'Monthly Prices' cell D8"
    assert copper["basis"].startswith("monthly average; Copper (LME), grade A")
    assert str(copper["as_of"]) == "2026-06-02"


def test_unknown_stays_unknown_and_marks_and_cents_are_read(tmp_path: Path) -> None:
    """Law 2: an ellipsis is no zero."""
    rows = data.prices(folder=added(tmp_path))
    beef = rows.filter(commodity="Beef").sort("period")
    assert beef["price"].to_list() == [None, 7.95]
    assert beef["flag"].unique().to_list() == ["**"]
    assert rows.filter(commodity="Plywood", period="2026-05")["price"].item() == pytest.approx(3.4534)
    index = rows.filter(commodity="index: Beverages").row(0, named=True)
    assert (index["price"], index["currency"]) == (145.71, "index 2010=100")


def test_prices_convert_between_masses_and_currencies(tmp_path: Path) -> None:
    """Law 4: a troy ounce has 31.1034768 grams; what is for no mass is told."""
    folder = added(tmp_path)
    in_kg = data.prices("platinum/metal", first="2026-05", unit="kg", folder=folder)
    assert in_kg["price"].item() == pytest.approx(1998.39 / 0.0311034768)
    won = data.prices(
        "nickel/metal", first="2026-05", unit="kg", currency="KRW", rates={"2026": 1400.0}, folder=folder
    )
    assert won["price"].item() == pytest.approx(18.80577 * 1400)
    assert won["currency"].item() == "KRW"
    with pytest.raises(UnitError, match="Iron ore, cfr spot is priced for 'dmtu'"):
        data.prices(commodities="Iron ore, cfr spot", unit="t", folder=folder)
    with pytest.raises(UnitError, match="no rate of KRW for 2026-04"):
        data.prices("nickel/metal", currency="KRW", rates={"2026-05": 1400.0}, folder=folder)
    with pytest.raises(UnknownNameError, match="Did you mean 'nickel/metal'"):
        data.prices("nickel/metl", folder=folder)


def test_an_edition_is_not_known_before_its_day_and_the_older_stays(tmp_path: Path) -> None:
    """Law 11: the sheet says when it was updated."""
    folder = added(tmp_path)

    def later(book: Workbook) -> None:
        book["Monthly Prices"]["A4"] = "Updated on July 02, 2026"
        book["Monthly Prices"]["D8"] = 13600.0

    data.add("pink-sheet", workbook(tmp_path / "July.xlsx", later), folder)
    copper = {"forms": "copper/metal", "first": "2026-05", "folder": folder}
    assert data.prices(**copper)["price"].item() == 13600.0
    assert data.prices(**copper, as_of="2026-06-15")["price"].item() == 13543.19
    with pytest.raises(NotCoveredError, match="2026-06-02"):
        data.prices(**copper, as_of="2026-06-01")


def test_other_editions_with_other_columns_and_codes_are_read(tmp_path: Path) -> None:
    """A row of codes between units and months, another order of columns, one column more."""

    def older(book: Workbook) -> None:
        sheet = book["Monthly Prices"]
        sheet.insert_rows(7)
        for column in range(2, 9):
            sheet.cell(7, column, f"K_CODE_{column}")
        sheet.move_range("B5:B9", cols=8)
        sheet["B5"], sheet["B6"], sheet["B8"] = "Coal, Colombian", "($/mt)", 61.5

    rows = data.prices(folder=added(tmp_path, older))
    assert rows.filter(commodity="Aluminum", period="2026-05")["price"].item() == 3666.1
    assert rows.filter(commodity="Coal, Colombian", period="2026-04")["price"].item() == 61.5


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda b: b["Monthly Prices"].__setitem__("D8", "=D7*1.1"), "row 8.*D: a formula"),
        (lambda b: b["Monthly Prices"].__setitem__("D8", "13,543.19"), "row 8.*D: '13,543.19' is no number"),
        (lambda b: b["Monthly Prices"].__setitem__("D8", -1), "row 8.*D: a price of -1"),
        (lambda b: b["Monthly Prices"].merge_cells("D7:D8"), "row 8.*D7:D8: merged cells"),
        (
            lambda b: b["Monthly Prices"].__setitem__("A8", "2026M04"),
            "row 8, column A: 2026M04 is already in row 7",
        ),
        (lambda b: b["Monthly Prices"].__setitem__("A8", "May-26"), "row 8, column A: 'May-26' is no month"),
        (lambda b: b["Monthly Prices"].__setitem__("D6", None), "column D: 'Copper' has no unit"),
        (lambda b: b["Monthly Prices"].__setitem__("D5", "Nickel"), "'Nickel' is already in column"),
        (lambda b: b.remove(b["Monthly Prices"]), "no sheet 'Monthly Prices'"),
    ],
)
def test_faults_are_named_with_sheet_row_and_column(tmp_path: Path, change: Change, told: str) -> None:
    """Law 12: nothing is stored."""
    with pytest.raises(SourceFormatError, match=told):
        data.add("pink-sheet", workbook(tmp_path / "CMO.xlsx", change), tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_a_sheet_without_its_day_asks_for_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not tell when it was published"):
        added(tmp_path, lambda book: book["Monthly Prices"].__setitem__("A4", None))


@pytest.mark.skipif(not SHARED.is_dir(), reason="the World Bank's file is not here")
def test_the_published_file(tmp_path: Path) -> None:
    """World Bank, Pink Sheet of 2 June 2026: figures read off the sheet."""
    file = next(SHARED.glob("WB_CMO-Historical-Data-Monthly_*.xlsx"))
    result = data.add("pink-sheet", file, tmp_path)
    assert {f.code for f in result.findings} == {"prices-unknown", "unit-contradicted"}
    rows = data.prices(folder=tmp_path)
    assert rows["commodity"].n_unique() == 87
    known = {("Copper", "1960-01"): 715.4, ("Tin", "2026-05"): 53562.79, ("Gold", "2026-05"): 4587.21,
             ("Phosphate rock", "2026-05"): 152.5, ("Iron ore, cfr spot", "1960-01"): 11.42,
             ("index: Total Index", "1960-01"): 7.64}  # fmt: skip
    for (commodity, period), price in known.items():
        assert (
            rows.filter(pl.col("commodity") == commodity, pl.col("period") == period)["price"].item() == price
        )
    assert (
        rows.filter(pl.col("commodity") == "Coal, Australian", pl.col("period") == "1960-01")["price"].item()
        is None
    )
