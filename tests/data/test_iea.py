"""The IEA's critical minerals dataset, as workbook and as JSON."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from openpyxl import Workbook

from evernormal import data
from evernormal.data.stored import stored
from evernormal.errors import InputError, SourceFormatError
from evernormal.result import Result

SHARED = Path(__file__).parents[3] / "shared" / "data" / "iea" / "iea_cm_data_explorer_2025_barrytho.json"
Change = Callable[[Workbook], None]


def demand_sheet(book: Workbook, name: str, rows: list[list[Any]]) -> None:
    """Lay a sheet of demand out as the IEA does: base year, a blank column, one block per scenario."""
    sheet = book.create_sheet(name)
    sheet["A1"] = "Total demand for key minerals (kt)"
    for column, scenario in ((4, "Stated Policies scenario"), (7, "Announced Pledges scenario")):
        sheet.cell(4, column, scenario)
        sheet.cell(5, column, 2030)
        sheet.cell(5, column + 1, 2040)
    sheet.merge_cells("D4:E4")
    sheet["A5"], sheet["B5"] = "Demand by sector", 2024
    for number, cells in enumerate(rows, start=7):
        for column, value in enumerate(cells, start=1):
            if value is not None:
                sheet.cell(number, column, value)
    sheet.cell(8 + len(rows), 1, "Notes: totals may not add up")


def workbook(path: Path, change: Change = lambda book: None) -> Path:
    """Make a workbook as the IEA lays it out, with made-up figures."""
    book = Workbook()
    book.remove(book.worksheets[0])
    book.create_sheet("Contents")["A1"] = "Critical Minerals Dataset"
    copper = [
        ["Copper"],
        ["Solar PV", 1657.2, None, 2373.5, 2230.25, None, 2802.75, 2626.5],
        ["Total demand", 26717.5, None, 31348.25, 34136.5, None, 32620.5, 36739.5],
        ["Share of clean technologies in total demand", 0.29, None, 0.348, 0.356, None, 0.386, 0.445],
    ]
    demand_sheet(book, "1 Total demand for key minerals", copper)
    demand_sheet(book, "3.2 Cleantech demand by mineral", [["Boron", 0.5, None, 1, 2, None, 3, 4]])
    cases = [
        ["Base case"],
        ["Silicon", 1434.5, None, 1500, 1600, None, 1700, 1800],
        ["Wider adoption of perovskites"],
        ["Silicon", 1434.5, None, 1400, 1300, None, 1200, 1100],
    ]
    demand_sheet(book, "4.1 Solar PV", cases)
    sheet = book.create_sheet("2 Total supply for key minerals")
    rows = [
        ["Supply (kt)"], [],
        [None, 2024, 2030, None, None, None, None, 2024, 2030],
        ["Cobalt - Mining", None, None, None, None, None, "Cobalt - Refining"],
        ["Democratic Republic of Congo", 181.5, 199.5, None, None, None, "China", 196.25, 251.5],
        ["Rest of world", 91.5, 120.5, None, None, None, "Rest of world", 53.75, 73.5],
        ["Total", 273, 320, None, None, None, "Total clean technologies", 250, 325],
        ["Top 3 share", 0.81, 0.83, None, None, None, "Top 3 share", 0.887, 0.866],
        [],
        ["Notes: Supply projections are built from announced projects"],
    ]  # fmt: skip
    for cells in rows:
        sheet.append(cells)
    change(book)
    book.save(path)
    return path


def add(path: Path, **asked: object) -> tuple[Result, pl.DataFrame]:
    """Add a file; return the addition and the stored rows."""
    store = path.parent / "store"
    added = data.add("iea", path, store, **asked)  # type: ignore[arg-type]
    rows, _ = stored("statistics", added["added"]["dataset"].item(), store)
    return added, rows


def refused(path: Path) -> str:
    """Return the message that a file is refused with; nothing may have been stored."""
    with pytest.raises(SourceFormatError) as error:
        data.add("iea", path, path.parent / "store")
    assert data.vintages(path.parent / "store") == () and not (path.parent / "store" / "datasets").exists()
    return str(error.value)


def test_supply_stands_side_by_side(tmp_path: Path) -> None:
    added, table = add(workbook(tmp_path / "CM_Data_Explorer.xlsx"))
    assert added["added"].select("dataset", "as_of").row(0) == ("iea-minerals-2025", "2025-05-21")
    supply = table.filter(statistic="production", year=2024).select("commodity", "stage", "country", "value")
    assert supply.rows() == [
        ("Cobalt - Mining", "ore", "COD", 181.5),
        ("Cobalt - Mining", "ore", "ROW", 91.5),
        ("Cobalt - Mining", "ore", "WLD", 273.0),
        ("Cobalt - Refining", "refined", "CHN", 196.25),
        ("Cobalt - Refining", "refined", "ROW", 53.75),
        ("Cobalt - Refining", "refined", "WLD", 250.0),
    ]
    assert set(table.filter(statistic="production", year=2030)["scenario"]) == {"Base case"}
    assert set(table.filter(statistic="top_3_share")["unit"]) == {"1"}


def test_demand_has_a_base_year_and_scenarios(tmp_path: Path) -> None:
    _, table = add(workbook(tmp_path / "CM_Data_Explorer.xlsx"))
    solar = table.filter(commodity="Copper; Solar PV").select("scenario", "year", "value").rows()
    assert solar == [
        (None, 2024, 1657.2),
        ("Stated Policies", 2030, 2373.5), ("Stated Policies", 2040, 2230.25),
        ("Announced Pledges", 2030, 2802.75), ("Announced Pledges", 2040, 2626.5),
    ]  # fmt: skip
    assert table.filter(statistic="clean_energy_share")["value"].max() == 0.445
    assert table.filter(commodity="Boron")["statistic"].unique().item() == "energy_demand"
    assert set(table["unit"]) == {"kt", "1"}


def test_cases_of_a_technology_are_scenarios_of_their_own(tmp_path: Path) -> None:
    _, table = add(workbook(tmp_path / "CM_Data_Explorer.xlsx"))
    silicon = table.filter(commodity="Silicon; Solar PV", year=2030)
    assert dict(silicon.select("scenario", "value").iter_rows()) == {
        "Stated Policies": 1500.0,
        "Announced Pledges": 1700.0,
        "Stated Policies; Wider adoption of perovskites": 1400.0,
        "Announced Pledges; Wider adoption of perovskites": 1200.0,
    }


def test_a_later_edition_moves_the_base_year_and_renames_sheets_and_scenarios(tmp_path: Path) -> None:
    def change(book: Workbook) -> None:
        for sheet in book.worksheets:
            for cells in sheet.iter_rows():
                for cell in cells:
                    if cell.value == 2024:
                        cell.value = 2025
                    if cell.value == "Announced Pledges scenario":
                        cell.value = "Current Policies scenario"
        book["3.2 Cleantech demand by mineral"].title = "3.2 Energy demand by mineral"

    added, table = add(workbook(tmp_path / "IEA Critical Minerals Dataset 2026.xlsx", change))
    assert added["added"].select("dataset", "as_of").row(0) == ("iea-minerals-2026", "2026-07-27")
    assert "Current Policies" in table["scenario"].to_list()


def test_an_unknown_edition_asks_for_its_day(tmp_path: Path) -> None:
    def change(book: Workbook) -> None:
        for sheet in book.worksheets:
            for cells in sheet.iter_rows():
                for cell in cells:
                    if cell.value == 2024:
                        cell.value = 2019

    path = workbook(tmp_path / "old.xlsx", change)
    with pytest.raises(InputError, match="Give as_of"):
        data.add("iea", path, tmp_path / "store")
    _, table = add(path, as_of="2020-06-01")
    assert set(table["as_of"]) == {date(2020, 6, 1)}


COUNTRIES = {
    "Namibia": "NAM", "Chinese Taipei": "TWN", "United States": "USA", "France": "FRA", "Switzerland": "CHE",
    "Norway": "NOR", "India": "IND", "Serbia": "SRB", "Sudan": "SDN", "Kosovo": "XKX", "Korea": "KOR",
    "Taiwan": "TWN", "Türkiye": "TUR", "Viet Nam": "VNM",
}  # fmt: skip


@pytest.mark.parametrize("name", COUNTRIES)
def test_every_country_arrives_as_itself(tmp_path: Path, name: str) -> None:
    def change(book: Workbook) -> None:
        book["2 Total supply for key minerals"]["G5"] = name

    _, table = add(workbook(tmp_path / "CM_Data_Explorer.xlsx", change))
    assert table.filter(statistic="production", stage="refined", year=2024)["country"][0] == COUNTRIES[name]


def put(sheet: str, cell: str, value: object) -> Change:
    """Return what writes one cell."""

    def change(book: Workbook) -> None:
        book[sheet][cell] = value

    return change


def merge(sheet: str, cells: str) -> Change:
    """Return what merges cells."""
    return lambda book: book[sheet].merge_cells(cells)


ONE, TWO = "1 Total demand for key minerals", "2 Total supply for key minerals"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put(ONE, "D8", "=1+1"), f"sheet '{ONE}' cell D8: a formula: paste it as a value"),
        (put(TWO, "B7", "=SUM(B5:B6)"), f"sheet '{TWO}' cell B7: a formula"),
        (merge(ONE, "D8:E8"), f"sheet '{ONE}' cells D8:E8: merged cells"),
        (put(ONE, "D8", "2,373.5"), f"sheet '{ONE}' cell D8: '2,373.5' is no number"),
        (put(ONE, "D8", -1), "cell D8: must be at least 0, got -1"),
        (put(ONE, "D10", 34.8), "cell D10: must be a fraction from 0 to 1, got 34.8"),
        (put(ONE, "D8", "#REF!"), "cell D8: '#REF!' is no number"),
        (put(TWO, "A5", "Atlantis"), "cell B5: 'Atlantis' is no country of this dataset"),
        (put(TWO, "A4", "Cobalt"), "cell A4: 'Cobalt' is no heading like 'Copper - Mining'"),
        (put(ONE, "A9", "Solar PV"), "the same figure is already in sheet"),
        (put(ONE, "A7", None), "stands under no mineral"),
        (put(ONE, "XFD8", 1), "16,384 columns"),
    ],
)
def test_faults_are_named_with_sheet_and_cell(tmp_path: Path, change: Change, message: str) -> None:
    """Law 12."""
    assert message in refused(workbook(tmp_path / "CM_Data_Explorer.xlsx", change))


def test_a_workbook_without_a_unit_is_refused(tmp_path: Path) -> None:
    """Law 4."""

    def change(book: Workbook) -> None:
        for sheet in book.worksheets:
            sheet["A1"] = "Mineral demand"

    assert "does not say its unit" in refused(workbook(tmp_path / "CM.xlsx", change))


def test_another_workbook_is_refused(tmp_path: Path) -> None:
    book = Workbook()
    book.save(tmp_path / "other.xlsx")
    assert "no sheet of the dataset" in refused(tmp_path / "other.xlsx")


def test_half_a_workbook_and_a_bomb_are_refused(tmp_path: Path) -> None:
    whole = workbook(tmp_path / "whole.xlsx").read_bytes()
    half = tmp_path / "CM_Data_Explorer.xlsx"
    half.write_bytes(whole[: len(whole) // 2])
    assert "truncated or damaged" in refused(half)
    with zipfile.ZipFile(half, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 30_000_000)
    assert "no table of numbers packs so well" in refused(half)


def test_entities_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "CM_Data_Explorer.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')
    assert "declares entities" in refused(path)


JSON: dict[str, Any] = {
    "totalDemand": {
        "Lithium": {"sectors": {"Electric vehicles": {"2024": 109.5, "STEPS": {"2030": 326.25}}}}
    },
    "supply": {
        "Lithium": {
            "mining": {
                "countries": {"Australia": {"2024": 90, "2030": 120}, "Notes: as announced": {"2024": None}},
                "total": {"2024": 100, "2030": 120},
            }
        }
    },
}


def test_the_conversion_to_json_is_read(tmp_path: Path) -> None:
    path = tmp_path / "iea.json"
    path.write_text(json.dumps(JSON), "utf-8")
    added, table = add(path)
    assert {f.code for f in added.findings} == {
        "third-party-conversion", "row-without-figure", "total-differs-from-sum",
    }  # fmt: skip
    assert table.select("commodity", "scenario", "year", "value").rows() == [
        ("Lithium; Electric vehicles", None, 2024, 109.5),
        ("Lithium; Electric vehicles", "Stated Policies", 2030, 326.25),
        ("Lithium - mining", None, 2024, 90.0),
        ("Lithium - mining", "Base case", 2030, 120.0),
        ("Lithium - mining", None, 2024, 100.0),
        ("Lithium - mining", "Base case", 2030, 120.0),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty"),
        ("<html>login</html>", "a web page"),
        ('{"supply": {"Lithium": ', "no whole JSON file"),
        ('{"other": 1}', "no table of the dataset"),
        ('{"supply": {"Copper": {}, "Copper": {}}}', "key Copper is there twice"),
        ('{"totalDemand": {"Copper": {"sectors": {"Wind": {"2024": NaN}}}}}', "NaN is no number"),
        ('{"totalDemand": {"Copper": {"sectors": {"Wind": {"2024": "1,657.2"}}}}}', "'1,657.2' is no number"),
        ('{"totalDemand": {"Copper": {"sectors": {"Wind": {"2024": true}}}}}', "'True' is no number"),
        (
            '{"supply": {"Copper": {"mining": {"countries": {"Atlantis": {"2024": 1}}}}}}',
            "'Atlantis' is no country",
        ),
        ("[" * 5000, "no whole JSON file"),
    ],
)
def test_wrong_json_is_refused(tmp_path: Path, content: str, message: str) -> None:
    """Law 12."""
    path = tmp_path / "iea.json"
    path.write_text(content, "utf-8")
    assert message in refused(path)


def test_published_refining_shares_of_china(tmp_path: Path) -> None:
    """IEA 2025: cobalt 78.4, lithium 70.2, graphite 95.7, rare earths 91.3 per cent in 2024."""
    if not SHARED.is_file():
        pytest.skip("the conversion of the IEA's dataset is not beside the repository")
    data.add("iea", SHARED, tmp_path)
    table, _ = stored("statistics", "iea-minerals-2025", tmp_path)
    refined = table.filter(statistic="production", stage="refined", year=2024)
    world = refined.filter(country="WLD").select("material", world="value")
    china = refined.filter(country="CHN").join(world, on="material")
    shares = {m: round(100 * v / w, 1) for m, v, w in china.select("material", "value", "world").iter_rows()}
    assert {m: shares[m] for m in ("cobalt", "lithium", "graphite", "rare-earths")} == {
        "cobalt": 78.4, "lithium": 70.2, "graphite": 95.7, "rare-earths": 91.3,
    }  # fmt: skip
