"""What spreadsheets, browsers and broken downloads do to files, over every source: named, never half-stored.

Law 12: an error names file, row, column and cure, and leaves stored data as it was.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from openpyxl import Workbook, load_workbook

from evernormal import data
from evernormal.data.geography import country, named
from evernormal.data.publishers.text import Problems, without_end
from evernormal.data.schema import TABLES
from evernormal.data.store import add
from evernormal.errors import DataError, InputError, SourceFormatError, UnknownNameError
from evernormal.network import visibility

from .made_up import tree
from .made_up_customs import record
from .made_up_policies import EVENT_COLUMNS, GTA_COLUMNS, IEA_COLUMNS, csv_text, event, gta_row, iea_row
from .made_up_statistics import BGS_HEADER, LONG_HEADER, bgs_row, gallium_2026, text_of
from .test_firm import workbook as firm_workbook
from .test_korea_customs import table as korea_table
from .test_korea_customs import workbook as korea_workbook

BACI = "t,i,j,k,v,q\n" + "".join(f"2022,{i},410,282520,{i}.5,2\n" for i in (156, 152, 32))
OECD = "Country,Measure,HS code,Commodity,Introduced,Removed\nNamibia,Export tax,260300,Copper,2015-01-01,\n"
EU = "Material,Stage,Country,Share,t\nGallium,P,China,93.8%,1\nGallium,P,Japan,6.2%,1\n"


def facts() -> str:
    """Two shipped facts."""
    return "".join((TABLES / "facts.csv").read_text("utf-8").splitlines(keepends=True)[:3])


def comtrade() -> str:
    rows = [record(partnerCode=code) for code in (156, 152)]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(rows[0])
    writer.writerows(["" if cell is None else cell for cell in row.values()] for row in rows)
    return stream.getvalue()


SOURCES: dict[str, tuple[str, Callable[[], str]]] = {
    "baci": ("BACI_HS17_Y2022_V202501.csv", lambda: BACI),
    "facts": ("mine.csv", facts),
    "comtrade": ("TradeData.csv", comtrade),
    "korea-customs": ("export_20240620.csv", korea_table),
    "usgs": ("MCS2026_Commodities_Data.csv", lambda: text_of(LONG_HEADER, gallium_2026())),
    "bgs": ("BGS_gallium_production.csv", lambda: text_of(BGS_HEADER, [bgs_row(), bgs_row("Japan", "3")])),
    "eu-crm": ("fact_GlobalSupplyShares.csv", lambda: EU),
    "gta": ("gta.csv", lambda: csv_text(GTA_COLUMNS, [gta_row()])),
    "iea-policies": ("iea.csv", lambda: csv_text(IEA_COLUMNS, [iea_row()])),
    "oecd-restrictions": ("oecd.csv", lambda: OECD),
    "control-events": ("events.csv", lambda: csv_text(EVENT_COLUMNS, [event()])),
}
TEXT = pytest.mark.parametrize("source", SOURCES)


def added(folder: Path, source: str, text: str | bytes) -> Any:
    """Add a text under the usual name of its source, into a store that holds something already."""
    name, _ = SOURCES[source]
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return add(source, folder / name, folder / "store", name="it", as_of="2026-11-01")


def refused(folder: Path, source: str, text: str | bytes, match: str) -> SourceFormatError:
    """Return the refusal of a text, after comparing the store byte for byte."""
    add("facts", TABLES / "facts.csv", folder / "store", name="before")
    before = tree(folder / "store")
    with pytest.raises(SourceFormatError, match=match) as told:
        added(folder, source, text)
    assert tree(folder / "store") == before
    assert told.value.where
    assert told.value.cure
    return told.value


@TEXT
def test_the_good_file_is_taken(tmp_path: Path, source: str) -> None:
    result = added(tmp_path, source, SOURCES[source][1]())
    assert result["added"]["rows"].item() > 0
    assert "last-line-without-end" not in {f.code for f in result.findings}


@TEXT
@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (lambda text: text.encode("utf-16"), "UTF-16 text, which Excel calls Unicode text"),
        (lambda text: text.encode("utf-16-le"), "UTF-16 text"),
        (lambda text: b"", "the file is empty"),
        (lambda text: text.splitlines(keepends=True)[0].encode(), "no row|no rows"),
        (lambda text: b"\n<!-- x -->\n<html><body>Forbidden</body></html>", "a web page"),
        (lambda text: b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "a picture"),
        (lambda text: text.encode() + b"a" * 300_000, "more than 131,072 characters|cells|expected"),
    ],
)
def test_what_is_no_table_is_named(
    tmp_path: Path, source: str, spoil: Callable[[str], bytes], match: str
) -> None:
    refused(tmp_path, source, spoil(SOURCES[source][1]()), match)


@TEXT
def test_an_answer_of_a_service_in_place_of_a_table(tmp_path: Path, source: str) -> None:
    """The service says why: what it says is shown, or that no data are in it."""
    answer = b'{"statusCode":401,"message":"Access denied due to missing subscription key"}'
    told = refused(tmp_path, source, answer, "JSON|without data|no list|no one list|no column")
    assert "expected after" not in told.what


@TEXT
def test_a_last_line_without_end_is_told(tmp_path: Path, source: str) -> None:
    """The last number of a half-downloaded file may have lost digits: the rows are kept, and it is said."""
    result = added(tmp_path, source, SOURCES[source][1]().rstrip("\r\n"))
    assert "last-line-without-end" in {f.code for f in result.findings}


@pytest.mark.parametrize(
    "source", ["facts", "usgs", "bgs", "eu-crm", "gta", "iea-policies", "oecd-restrictions"]
)
@pytest.mark.parametrize("cell", ["#N/A", "#REF!", "=A1*2"])
def test_a_cell_that_a_spreadsheet_spoiled_is_a_fault_in_any_column(
    tmp_path: Path, source: str, cell: str
) -> None:
    rows = list(csv.reader(io.StringIO(SOURCES[source][1]())))
    for column, name in enumerate(rows[0]):
        spoiled = [list(row) for row in rows]
        spoiled[1][column] = cell
        stream = io.StringIO()
        csv.writer(stream).writerows(spoiled)
        (tmp_path / f"{column}").mkdir()
        with pytest.raises(SourceFormatError, match=r"row 2, column") as told:
            added(tmp_path / f"{column}", source, stream.getvalue())
        assert name.strip() in told.value.what


@pytest.mark.parametrize("source", ["baci", "facts", "usgs", "bgs", "eu-crm", "korea-customs"])
def test_semicolons_are_told_from_missing_columns(tmp_path: Path, source: str) -> None:
    refused(tmp_path, source, SOURCES[source][1]().replace(",", ";"), "separated by semicolons")


def test_a_byte_of_another_encoding_is_named_with_its_column(tmp_path: Path) -> None:
    text = facts().encode().replace(b"IEA, Critical", b"IEA \xb5 Critical", 1)
    refused(tmp_path, "facts", text, "row 2, column source is not UTF-8")
    rows = BACI.encode().replace(b"152,410", b"152,4\xb50")
    refused(tmp_path, "baci", rows, "row 3, column j is not UTF-8")


def test_full_width_digits_are_explained() -> None:
    problems = Problems("x.csv")
    problems.add(2, "t", "'２０２２', expected a year")
    with pytest.raises(SourceFormatError, match="Type digits as 0-9"):
        problems.raise_if_any()


# --- one source each --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("t,i,j,k,v,q\n\n2022,156,410,282520,1,2\n", "row 2 is empty"),
        ("t,i,j,k,v,q\n2022,156,410,2825,1,2\n", "row 2, column k: '2825', expected a code of six digits"),
    ],
)
def test_trade_that_is_none(tmp_path: Path, text: str, match: str) -> None:
    refused(tmp_path, "baci", text, match)


def test_a_code_without_its_leading_zero_is_one(tmp_path: Path) -> None:
    added(tmp_path, "baci", "t,i,j,k,v,q\n2022,156,410,10121,1,2\n")
    rows = data.trade(["010121"], dataset="it", folder=tmp_path / "store")
    assert rows.height == 1


@pytest.mark.parametrize("code", ["abc", "2825", "10121"])
def test_codes_to_keep_are_six_digits(tmp_path: Path, code: str) -> None:
    (tmp_path / SOURCES["baci"][0]).write_text(BACI, "utf-8")
    with pytest.raises(InputError, match="no code of six digits"):
        add("baci", tmp_path / SOURCES["baci"][0], tmp_path / "store", codes=[code])
    assert not (tmp_path / "store").exists()


def test_an_option_that_a_table_does_not_have_is_refused(tmp_path: Path) -> None:
    for more in ({"codes": ["282520"]}, {"revision": "HS2017"}):
        with pytest.raises(InputError, match="cannot be chosen: facts becomes a table of facts"):
            add("facts", TABLES / "facts.csv", tmp_path / "store", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("column", "cell", "match"),
    [
        ("unit", "furlong", "'furlong' is no known unit"),
        ("value", "1_000", "is no number"),
        ("value", "１２３", "is no number"),
        ("material", "coblat", "unknown material 'coblat'; did you mean cobalt"),
        ("form", "cobalt/metall", "unknown form 'cobalt/metall'; did you mean cobalt/"),
        ("form", "nickel/ore", "'cobalt' is not the material of form 'nickel/ore'"),
    ],
)
def test_facts_in_names_and_units_that_nothing_answers_to(
    tmp_path: Path, column: str, cell: str, match: str
) -> None:
    """Law 3: such a fact would be stored and never used."""
    rows = list(csv.DictReader(io.StringIO(facts())))
    rows[0] |= {column: cell}
    refused(tmp_path, "facts", csv_text(tuple(rows[0]), rows), match)


def test_facts_may_write_units_in_words(tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(facts())))
    rows[0] |= {"unit": "tonnes"}
    added(tmp_path, "facts", csv_text(tuple(rows[0]), rows))
    assert set(data.facts(dataset="it", folder=tmp_path / "store")["unit"]) == {"t"}


def test_numbers_beyond_sense_are_named(tmp_path: Path) -> None:
    long = text_of(BGS_HEADER, [bgs_row(quantity="9" * 400)])
    refused(tmp_path, "bgs", long, "row 2, column quantity")
    rows = gallium_2026()
    below = text_of(LONG_HEADER, [[*rows[0][:8], "-5", *rows[0][9:]], *rows[1:]])
    (tmp_path / "usgs").mkdir()
    refused(tmp_path / "usgs", "usgs", below, "row 2, column Value: '-5' is below zero")


def test_a_unit_of_the_bgs_that_is_not_known_is_told(tmp_path: Path) -> None:
    result = added(tmp_path, "bgs", text_of(BGS_HEADER, [bgs_row(units="barrels")]))
    assert "unit-as-printed" in {f.code for f in result.findings}


@pytest.mark.parametrize(
    ("start", "end", "match"),
    [
        ("45292", "", "a spreadsheet's number for 2024-01-01; write the day"),
        ("2015-01-01", "soon", "column Removed: 'soon' is no day"),
        ("", "", "neither a year nor a day"),
    ],
)
def test_days_of_a_restriction_that_are_none(tmp_path: Path, start: str, end: str, match: str) -> None:
    """A removal that cannot be read must not leave a restriction in force."""
    refused(tmp_path, "oecd-restrictions", OECD.replace("2015-01-01,", f"{start},{end}"), match)


def test_korean_rows_shifted_by_separators_and_full_width_digits(tmp_path: Path) -> None:
    row = "2024.05,중국,2825201000,산화리튬,1.0,10,1,500.0,25,000,-24,990"
    refused(tmp_path, "korea-customs", korea_table(row), "row 2 has 12 cells, the heading has 9")
    total = "총계,-,-,-,abc,10,1.0,25,-15"
    good = "2024.05,중국,2825201000,산화리튬,1.0,10,1.0,25,-15"
    refused(tmp_path, "korea-customs", korea_table(total, good), "row 2, column 수출 중량")
    wide = good.translate({ord(digit): ord("０") + int(digit) for digit in "0123456789"})
    result = added(tmp_path, "korea-customs", korea_table(wide))
    assert result["added"]["rows"].item() == 2


@pytest.mark.parametrize("content", ["[]", '{"data": [], "count": 0, "error": ""}'])
def test_an_empty_answer_of_un_comtrade(tmp_path: Path, content: str) -> None:
    (tmp_path / "answer.json").write_text(content, "utf-8")
    with pytest.raises(SourceFormatError, match="the answer has no rows"):
        add("comtrade", tmp_path / "answer.json", tmp_path / "store", as_of="2025-01-01")
    assert not (tmp_path / "store").exists()


# --- workbooks ------------------------------------------------------------------------------------------


def _oecd_book(folder: Path) -> Path:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(["Country", "Measure", "HS code", "Commodity", "Year", "Value"])
    sheet.append(["Namibia", "Export tax", 260300, "Copper", 2021, 5])
    book.save(folder / "oecd.xlsx")
    return folder / "oecd.xlsx"


def _correlation_book(folder: Path) -> Path:
    book = Workbook()
    sheet = book.worksheets[0]
    for row in (["Between HS2022 and HS2017"], ["HS2022", "HS2017"], ["811231", "811292"]):
        sheet.append(row)
    book.save(folder / "HS2022toHS2017.xlsx")
    return folder / "HS2022toHS2017.xlsx"


def _korean_book(folder: Path) -> Path:
    return korea_workbook(folder, [2024.05, "수단", "2825201000", "산화리튬", 0, 0, 1, 3, -3])


BOOKS: dict[str, Callable[[Path], Path]] = {
    "oecd-restrictions": _oecd_book,
    "hs-correlation": _correlation_book,
    "korea-customs": _korean_book,
    "firm": lambda folder: firm_workbook(folder / "firm.xlsx"),
}


@pytest.mark.parametrize("source", BOOKS)
def test_a_far_cell_does_not_fill_the_memory(tmp_path: Path, source: str) -> None:
    """One cell in row 1,000,000 and column 16,000 makes 16 thousand million empty ones."""
    path = BOOKS[source](tmp_path)
    book = load_workbook(path)
    book.worksheets[0].cell(1_000_000, 16_000, "x")
    book.save(path)
    with pytest.raises(SourceFormatError, match="1,000,000 rows and 16,000 columns"):
        add(source, path, tmp_path / "store", as_of="2026-01-01")
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("source", ["oecd-restrictions", "korea-customs"])
def test_an_error_value_in_a_workbook_is_named(tmp_path: Path, source: str) -> None:
    path = BOOKS[source](tmp_path)
    book = load_workbook(path)
    sheet = book.worksheets[0]
    sheet.cell(sheet.max_row, 6 if source == "oecd-restrictions" else 8, "#DIV/0!")
    book.save(path)
    with pytest.raises(SourceFormatError, match="'#DIV/0!' is an error of a spreadsheet's formula"):
        add(source, path, tmp_path / "store", as_of="2026-01-01")


# --- places, names, defaults ----------------------------------------------------------------------------


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name, match in (
        ("folder", "a folder"),
        ("pipe", "a device or a pipe"),
        ("loop", "a link that leads"),
    ):
        with pytest.raises(InputError, match=match):
            add("facts", tmp_path / name, tmp_path / "store")
    with pytest.raises(UnknownNameError, match=r"Known: baci, facts.*evernormal data sources"):
        add("zzzzzz", TABLES / "facts.csv", tmp_path / "store")


def test_packed_files_have_no_last_line(tmp_path: Path) -> None:
    for content in (b"PK\x03\x04abc", b'{"a": 1}', b"<x/>", b""):
        (tmp_path / "f").write_bytes(content)
        assert not without_end(tmp_path / "f")


@pytest.mark.parametrize(
    ("name", "iso3"),
    [
        ("Taiwan, Province of China", "TWN"), ("China, Taiwan Province of", "TWN"), ("Taiwan (China)", "TWN"),
        ("Other Asia, nes", "TWN"), ("Korea, Rep. of", "KOR"), ("Korea, Dem. People's Rep. of", "PRK"),
        ("Fmr Sudan", "SDN"), ("Sudan, South", "SSD"), ("Republic of Serbia", "SRB"),
        ("Serbia-Montenegro", "SCG"), ("Kosovo (under UNSCR 1244/99)", "XKX"), ("Republic of Namibia", "NAM"),
        ("USA, Puerto Rico and US Virgin Islands", "USA"), ("France, Monaco", "FRA"),
        ("Switzerland-Liechtenstein", "CHE"), ("Norway, Svalbard and Jan Mayen", "NOR"),
        ("India, excl. Sikkim", "IND"), ("Belgium/Luxembourg", "BEL"), ("Fmr Fed. Rep. of Germany", "DEU"),
        ("Hong Kong, China", "HKG"), ("Congo, Dem. Rep.", "COD"), ("Congo, Rep.", "COG"),
        ("Côte d’Ivoire", "CIV"), ("Republic of Nowhere", None),
    ],
)  # fmt: skip
def test_names_of_countries_in_any_order_of_words(name: str, iso3: str | None) -> None:
    assert named(name) == iso3


def test_two_countries_do_not_share_the_words_of_a_name() -> None:
    """No name of one country stands for another when its words change places."""
    from evernormal.data.geography import _by_words, _words, aliases

    for name, iso3 in aliases("name").items():
        if len(name) > 3:
            assert _by_words()[_words(name)] == iso3


def test_baci_in_iso_numbers_and_two_letters(tmp_path: Path) -> None:
    """Files made from BACI write 840 for 842; Namibia's two letters are NA."""
    ours = {840: "USA", 250: "FRA", 756: "CHE", 578: "NOR", 356: "IND", 158: "TWN", 729: "SDN", 736: "SDN"}
    text = "t,i,j,k,v,q\n" + "".join(f"2010,{number},410,282520,1,1\n" for number in ours)
    added(tmp_path, "baci", text)
    rows = data.trade(["282520"], dataset="it", folder=tmp_path / "store")
    assert set(rows["exporter"]) == set(ours.values())
    assert (country("NA"), country("KR"), country("Korea, Rep.")) == ("NAM", "KOR", "KOR")


def test_an_unknown_part_of_a_sum_is_told() -> None:
    """Law 2: 7 known tonnes do not vanish without a word because another code's are unknown."""
    rows = pl.DataFrame({"code": ["740110", "740120"], "value_usd": [1.0, 1.0], "quantity_t": [7.0, None]})
    result = data.convert_codes(rows, "HS2002", "HS2007")
    told = {f.code: f.values for f in result.findings}
    assert told["known-amount-hidden"] == {"amount": "quantity_t", "share": 1.0}


def test_comparison_and_visibility_choose_the_latest_year() -> None:
    assert data.compare_sources("cobalt", "ore")["rows"]["asked_year"].unique().to_list() == [2024]
    table = visibility("284690", "KOR", rank=False)["elements"]
    assert table["year"].unique().to_list() == [2024]


def test_a_code_of_another_revision_is_translated() -> None:
    with pytest.raises(DataError, match="In HS1992 its goods are under 811291"):
        visibility("811292", "KOR")


def test_json_cells_of_the_wrong_kind_never_crash(tmp_path: Path) -> None:
    for wrong in ([], {}, True, "#N/A", "１", -5):
        for column in ("primaryValue", "netWgt", "partnerCode", "period", "cmdCode"):
            document = {"count": 1, "data": [record(**{column: wrong})], "error": ""}
            (tmp_path / "a.json").write_text(json.dumps(document), "utf-8")
            with pytest.raises(SourceFormatError):
                add("comtrade", tmp_path / "a.json", tmp_path / "store", as_of="2025-01-01")
    assert not (tmp_path / "store").exists()
