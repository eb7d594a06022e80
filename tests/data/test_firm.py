"""A firm's own workbook: the template, what is read back, faults cell by cell, hostile files."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from openpyxl import Workbook, load_workbook

from evernormal import data
from evernormal.data.publishers.firm_layout import form_names, sheets
from evernormal.errors import InputError, NotCoveredError, SourceFormatError, UnknownNameError
from evernormal.network.forms import forms

from .made_up_statistics import EVERYWHERE

Change = Callable[[Workbook], None]
PURCHASES = [
    [
        "",
        "lithium/hydroxide",
        "A Lithium",
        "Chile",
        "2025-01",
        60,
        "t",
        11.5,
        "USD",
        "kg",
        "CIF",
        "contract",
        45,
    ],
    [
        "",
        "lithium/hydroxide",
        "B Lithium",
        "CHN",
        "2025-02",
        140000,
        "kg",
        None,
        None,
        None,
        None,
        "spot",
        None,
    ],
]
STOCKS = [
    ["", "lithium/hydroxide", "Ochang", 90, "t", 0.165, "2025-03-31"],
    ["", "lithium/hydroxide", "Pohang", 20, "t", None, "2025-03-31"],
]
SUPPLIERS = [["", "A Lithium", "CHL", "CHL", "yes", 45, "B Lithium", ""]]
USE = [
    ["", "lithium/hydroxide", "Ochang", "2025-02", 56, "t", 30],
    ["", "lithium/hydroxide", "Ochang", "2025-03", 62, "t", 30],
    ["", "lithium/hydroxide", "Pohang", "2025-03", 31, "t", None],
]


def workbook(path: Path, change: Change = lambda book: None, language: str = "en") -> Path:
    """Fill in the template as a firm would, then change it."""
    data.firm_template(path, language)  # type: ignore[arg-type]
    book = load_workbook(path)
    for sheet, rows in zip(book.worksheets, (PURCHASES, STOCKS, SUPPLIERS, USE), strict=False):
        for row in rows:
            sheet.append([value if value != "" else None for value in row])
    change(book)
    book.save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store to which the filled template was added."""
    data.add("firm", workbook(tmp_path / "firm.xlsx"), tmp_path / "store")
    return tmp_path / "store"


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_template_is_read_back_in_both_languages(tmp_path: Path, language: str) -> None:
    path = workbook(tmp_path / "firm.xlsx", language=language)
    result = data.add("firm", path, tmp_path / "store")
    assert "examples-skipped" in {f.code for f in result.findings}
    found = data.firm(folder=tmp_path / "store")
    assert found["purchases"].select("supplier", "country", "period", "quantity", "unit").rows() == [
        ("A Lithium", "CHL", "2025-01", 60.0, "t"),
        ("B Lithium", "CHN", "2025-02", 140000.0, "kg"),
    ]
    assert found["stocks"]["known_on"].to_list() == [date(2025, 3, 31)] * 2
    assert found["suppliers"].row(0, named=True)["qualified"] == "yes"
    assert found["use"]["stops_at"].to_list() == [30.0, 30.0, None]


def test_the_template_offers_lists_and_is_the_same_bytes_again(tmp_path: Path) -> None:
    """Law 6: same template, same bytes."""
    for name in ("one.xlsx", "two.xlsx"):
        data.firm_template(tmp_path / name, "ko")
    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "two.xlsx").read_bytes()
    book = load_workbook(tmp_path / "one.xlsx")
    assert book.sheetnames == ["구매", "재고", "공급처", "사용", "목록"]
    rules = [str(rule.formula1) for rule in book["구매"].data_validations.dataValidation]
    assert "'목록'!$A$2:$A$135" in rules
    assert book["구매"]["A1"].value.startswith("품목, 공급처")
    assert "t, kg, g, lb 중 하나" in [cell.value for cell in book["구매"][5]]


def test_the_forms_that_the_template_offers_are_those_of_the_catalogue() -> None:
    """Two tables of two rooms say the same."""
    table = forms()
    assert form_names() == {r["form"]: (r["name_en"], r["name_ko"]) for r in table.iter_rows(named=True)}


def test_days_of_cover_and_shares_of_suppliers(folder: Path) -> None:
    """By hand: Ochang used 118 t in 59 days of February and March, 2 t a day, and holds 90 t."""
    found = data.firm_cover(folder=folder)
    cover = {row["site"]: row for row in found["cover"].iter_rows(named=True)}
    assert cover["Ochang"]["days"] == pytest.approx(45.0)
    assert cover["Ochang"]["days_to_stop"] == pytest.approx(30.0)
    assert cover["Pohang"]["days"] == pytest.approx(20.0)
    assert cover["Pohang"]["days_to_stop"] is None
    assert cover[None]["stock_t"] == pytest.approx(110.0)
    assert cover[None]["days"] == pytest.approx(110 / (149 / 59))
    shares = found["supplier_shares"].select("supplier", "country", "quantity_t", "share").rows()
    assert shares == [("B Lithium", "CHN", 140.0, 0.7), ("A Lithium", "CHL", 60.0, 0.3)]


def test_cover_without_use_is_unknown(tmp_path: Path) -> None:
    """Law 2: no use is no endless cover."""
    data.add("firm", workbook(tmp_path / "f.xlsx", lambda book: book.remove(book["use"])), tmp_path / "s")
    found = data.firm_cover(folder=tmp_path / "s")
    assert found["cover"]["days"].to_list() == [None, None, None]
    assert "use-unknown" in {f.code for f in found.findings}


def test_a_later_workbook_is_a_vintage(tmp_path: Path, folder: Path) -> None:
    """Law 11: an earlier day sees the earlier stock."""

    def april(book: Workbook) -> None:
        book["stocks"].append([None, "lithium/hydroxide", "Ochang", 50, "t", None, "2025-04-30"])

    data.add("firm", workbook(tmp_path / "april.xlsx", april), folder)
    now, then = (data.firm_cover(folder=folder, as_of=day)["cover"] for day in (None, "2025-04-15"))
    assert now.filter(site="Ochang")["stock_t"].item() == 50
    assert then.filter(site="Ochang")["stock_t"].item() == 90
    with pytest.raises(NotCoveredError):
        data.firm_cover(folder=folder, as_of="2025-01-01")
    with pytest.raises(UnknownNameError, match="lithium/hydroxide"):
        data.firm_cover("lithium/hydroxid", folder=folder)


@pytest.mark.parametrize(("name", "iso3"), EVERYWHERE.items())
def test_every_country_arrives_as_itself(tmp_path: Path, name: str, iso3: str) -> None:
    """By name, by code and as the list of the template writes it."""
    ways = [name, iso3, f"{iso3} | {name}"] + (["NA", "나미비아"] if iso3 == "NAM" else [])

    def change(book: Workbook) -> None:
        for number, way in enumerate(ways):
            book["suppliers"].append([None, f"S{number}", way])

    result = data.add("firm", workbook(tmp_path / "f.xlsx", change), tmp_path / "s")
    rows = data.firm(folder=tmp_path / "s")["suppliers"].filter(pl.col("supplier").str.starts_with("S"))
    assert rows["country"].unique().to_list() == [iso3]
    assert ("country-na" in {f.code for f in result.findings}) == (iso3 == "NAM")


def put(sheet: str, cell: str, value: Any) -> Change:
    """A change of one cell."""
    return lambda book: book[sheet].__setitem__(cell, value)


FAULTS: list[tuple[Change, str, str]] = [
    (put("purchases", "F7", "=60*1"), "F7", "a formula.*paste it as a value"),
    (put("purchases", "F7", "1,200.5"), "F7", "thousands separators: write 1200.5"),
    (put("purchases", "F7", "60 t"), "F7", "is no number"),
    (put("purchases", "F7", -3), "F7", "cannot be"),
    (put("purchases", "G7", None), "G7", "Unit is missing"),
    (put("purchases", "G7", "ton"), "G7", "can be three units"),
    (put("purchases", "G7", "kgg"), "G7", "is no unit of mass: did you mean"),
    (put("purchases", "B7", "lithium/hydroxyde"), "B7", "did you mean 'lithium/hydroxide'"),
    (put("purchases", "D7", "Chili"), "D7", "is no country: did you mean"),
    (put("purchases", "E7", "01/2025"), "E7", "is no month: write 2025-01"),
    (put("purchases", "I7", "Dollar"), "I7", "is no currency"),
    (put("purchases", "I7", None), "I7", "the price has no currency"),
    (put("purchases", "K7", "CNF"), "K7", "is no Incoterm of 2020"),
    (put("purchases", "L7", "maybe"), "L7", "none of contract, spot"),
    (put("stocks", "G7", "31/03/2025"), "G7", "is a text that is no date: write 2025-03-31"),
    (put("stocks", "F7", 16.5), "F7", "write 0.165 for 16.5 %"),
    (lambda book: book["purchases"].merge_cells("C7:C8"), "C7", "merged cells C7:C8"),
    (lambda book: book["stocks"].append([None, *STOCKS[0][1:]]), "A9", "the row repeats row 7"),
    (put("purchases", "Q7", "extra"), "Q7", "stands under no heading"),
]


@pytest.mark.parametrize(("change", "cell", "told"), FAULTS)
def test_a_fault_is_named_by_cell_and_marked_in_a_copy(
    tmp_path: Path, change: Change, cell: str, told: str
) -> None:
    """Law 12: sheet, cell, row, column and cure are named, the copy marks the cell, nothing is stored."""
    path = workbook(tmp_path / "f.xlsx", change)
    with pytest.raises(SourceFormatError, match=rf"cell {cell} \(row \d+, column .*{told}"):
        data.add("firm", path, tmp_path / "s")
    assert not (tmp_path / "s").exists()
    faults = data.mark_faults(path, tmp_path / "marked.xlsx")["faults"]
    assert cell in faults["cell"].to_list()
    sheet = faults.filter(cell=cell)["sheet"][0]
    marked = load_workbook(tmp_path / "marked.xlsx")[sheet][cell]
    assert marked.fill.start_color.rgb == "00FFC7CE"
    assert marked.comment is not None


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    def many(book: Workbook) -> None:
        for row in range(9, 24):
            book["purchases"].cell(row, 2, "no/form")

    with pytest.raises(SourceFormatError, match="and 80 more") as caught:
        data.add("firm", workbook(tmp_path / "f.xlsx", many), tmp_path / "s")
    assert "sheet 'purchases' cell B9" in str(caught.value)


def test_what_could_act_is_never_written_back(tmp_path: Path) -> None:
    """A formula and a text that begins like one come back as plain text; a link does not come back."""

    def armed(book: Workbook) -> None:
        sheet = book["purchases"]
        sheet["C7"] = '=cmd|"/c calc"!A1'
        sheet["C8"].value, sheet["C8"].data_type = "=HYPERLINK(1)", "s"
        sheet["A8"] = "@SUM(1)"
        sheet["D8"].hyperlink = "http://example.invalid/"

    path = workbook(tmp_path / "f.xlsx", armed)
    data.mark_faults(path, tmp_path / "m.xlsx")
    sheet = load_workbook(tmp_path / "m.xlsx")["purchases"]
    for cell in ("C7", "C8", "A8"):
        assert sheet[cell].data_type == "s" and sheet[cell].quotePrefix, cell
    assert sheet["D8"].hyperlink is None
    with zipfile.ZipFile(tmp_path / "m.xlsx") as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")


def test_a_marked_copy_is_another_file(tmp_path: Path) -> None:
    path = workbook(tmp_path / "f.xlsx")
    with pytest.raises(InputError, match="cannot be the marked copy"):
        data.mark_faults(path, path)
    assert data.mark_faults(path, tmp_path / "m.xlsx")["faults"].is_empty()


# --- hostile files ------------------------------------------------------------------------------


def ole(name: str) -> bytes:
    """The beginning of an OLE file, as Excel wraps an encrypted workbook."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504 + name.encode("utf-16-le") + b"\0" * 512


def bomb(path: Path) -> bytes:
    """A workbook whose first sheet unpacks to 60 million spaces."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b" " * 60_000_000)
    return path.read_bytes()


def with_part(name: str, content: bytes) -> Callable[[Path], bytes]:
    """The filled template with one more part."""

    def make(path: Path) -> bytes:
        workbook(path)
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(name, content)
        return path.read_bytes()

    return make


def zipped(path: Path) -> bytes:
    """A zip file of a text."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "b")
    return path.read_bytes()


HOSTILE: dict[str, tuple[Callable[[Path], bytes], str]] = {
    "empty": (lambda path: b"", "the file is empty"),
    "encrypted": (lambda path: ole("EncryptedPackage"), "encrypted.*without one"),
    "old": (lambda path: ole("Workbook"), r"old Excel workbook \(.xls\)"),
    "web page": (lambda path: b"<!DOCTYPE html><html>Please log in", "web page"),
    "CSV": (lambda path: b"form,supplier\n", "no Excel workbook"),
    "zip": (zipped, "a zip file, not an Excel workbook"),
    "half": (lambda path: workbook(path).read_bytes()[:9000], "truncated or damaged"),
    "bomb": (bomb, "no table of numbers packs so well"),
    "macros": (with_part("xl/vbaProject.bin", b"x"), "carries macros"),
    "links": (with_part("xl/externalLinks/externalLink1.xml", b"<x/>"), "links to other files"),
    "entities": (with_part("xl/more.xml", b'<!DOCTYPE x [<!ENTITY a "b">]><x/>'), "declares entities"),
    "far cell": (
        lambda path: workbook(path, put("use", "ZZZ9", 1)).read_bytes(), "18,278 columns"
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_files_are_refused(tmp_path: Path, kind: str) -> None:
    """Law 12: each by its name and its cure, nothing stored, no marked copy written."""
    make, told = HOSTILE[kind]
    content = make(tmp_path / "f.xlsx")
    (tmp_path / "f.xlsx").write_bytes(content)
    with pytest.raises(SourceFormatError, match=rf"f\.xlsx: .*{told}"):
        data.add("firm", tmp_path / "f.xlsx", tmp_path / "s")
    assert not (tmp_path / "s").exists()
    with pytest.raises(SourceFormatError):
        data.mark_faults(tmp_path / "f.xlsx", tmp_path / "m.xlsx")
    assert not (tmp_path / "m.xlsx").exists()


def test_another_workbook_and_an_empty_template_are_told(tmp_path: Path) -> None:
    book = Workbook()
    book.save(tmp_path / "other.xlsx")
    with pytest.raises(SourceFormatError, match="no sheet of the template is in it"):
        data.add("firm", tmp_path / "other.xlsx", tmp_path / "s")
    data.firm_template(tmp_path / "empty.xlsx")
    with pytest.raises(SourceFormatError, match="no sheet has a row of data"):
        data.add("firm", tmp_path / "empty.xlsx", tmp_path / "s")
    with pytest.raises(SourceFormatError, match="no column Unit"):
        data.add("firm", workbook(tmp_path / "f.xlsx", put("stocks", "E4", "Mass")), tmp_path / "s")


def test_dates_may_be_dates(tmp_path: Path) -> None:
    def dated(book: Workbook) -> None:
        book["stocks"]["G7"] = datetime(2025, 3, 31)
        book["purchases"]["E7"] = datetime(2025, 1, 15)

    data.add("firm", workbook(tmp_path / "f.xlsx", dated), tmp_path / "s")
    assert data.firm(folder=tmp_path / "s")["purchases"]["period"][0] == "2025-01"


def test_headings_are_known_in_both_languages() -> None:
    for sheet in sheets():
        for field in sheet.fields:
            assert field.en and field.ko and field.help_en and field.help_ko
