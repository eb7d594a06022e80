"""The Korea Customs Service's files as its sites save them: CSV, workbook, JSON, and the API's XML."""

from __future__ import annotations

import json
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from evernormal import data
from evernormal.data.publishers.adapters import Asked, Reading
from evernormal.data.publishers.korea_customs import hs_revision, hsk_revision, reading
from evernormal.errors import InputError, SourceFormatError

KNOWN_ON = date(2024, 6, 20)
NAME = "수출입 실적(품목별+국가별)_20240620.csv"
HEADING = "기간,국가,HS코드,품목명,수출 중량(톤),수출 금액(천 달러),수입 중량(톤),수입 금액(천 달러),무역수지"
ROWS = (
    '총계,-,-,-,1.0,10,"1,501.5","25,010","-25,000"',
    '2024.05,중국,2825201000,산화리튬,1.0,10,"1,500.0","25,000","-24,990"',
    "2024.05,아랍에미리트 연합,2825201000,산화리튬,0.0,0,1.5,10,-10",
)


def table(*rows: str, heading: str = HEADING, above: tuple[str, ...] = ()) -> str:
    return "\n".join([*above, heading, *(rows or ROWS)]) + "\n"


def read(folder: Path, text: str | bytes, name: str = NAME, **asked: Any) -> Reading:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8-sig"))
    return reading(path, Asked(**asked))


def flows(found: Reading) -> list[tuple[Any, ...]]:
    return found.table.select("partner", "flow", "value_usd", "quantity_t").rows()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "cp949"])
def test_a_table_of_the_site(tmp_path: Path, encoding: str) -> None:
    found = read(tmp_path, table().encode(encoding))
    assert flows(found) == [
        ("CHN", "export", 10_000.0, 1.0),
        ("ARE", "import", 10_000.0, 1.5),
        ("CHN", "import", 25_000_000.0, 1500.0),
    ]
    first = found.table.row(0, named=True)
    assert (first["period"], first["revision"], first["code"]) == ("2024-05", "HSK2024", "2825201000")
    assert found.table["basis"].to_list() == ["FOB", "CIF", "CIF"]
    assert (found.as_of, found.dataset) == (KNOWN_ON, "korea-customs-monthly-282520")
    assert not found.findings


def test_total_rows_are_not_added_but_checked(tmp_path: Path) -> None:
    """A file that lost rows does not meet its own total."""
    found = read(tmp_path, table(ROWS[0], ROWS[1]))
    assert found.table.filter(flow="import")["value_usd"].to_list() == [25_000_000.0]
    said = [f for f in found.findings if f.code == "total-not-met"]
    assert {f.values["measure"] for f in said} == {"value", "quantity"}
    assert all(f.level == "warning" for f in said)


def test_the_unit_line_above_the_table_holds_for_headings_of_two_rows(tmp_path: Path) -> None:
    text = table(
        ",,,,중량,금액,중량,금액,",
        '2024.05,대만,282520,산화리튬,0,0,"1,500","25,000",-25000',
        heading="기간,국가,HS코드,품목명,수출,,수입,,무역수지",
        above=("품목별 국가별 수출입 실적", '"(단위 : 킬로그램(KG), 천 달러(USD 1,000))"'),
    )
    assert flows(read(tmp_path, text)) == [("TWN", "import", 25_000_000.0, 1.5)]


@pytest.mark.parametrize(
    ("weight", "value", "tonnes", "dollars"),
    [
        ("(톤)", "(천 달러)", 3.0, 7_000.0),
        ("(T)", "(천$)", 3.0, 7_000.0),
        ("(TON)", "(천불)", 3.0, 7_000.0),
        ("(kg)", "(달러)", 0.003, 7.0),
        ("(KG)", "(USD)", 0.003, 7.0),
        ("(Kg)", "($)", 0.003, 7.0),
        ("(톤)", "(USD 1,000)", 3.0, 7_000.0),
        ("(M/T)", "(US$1,000)", 3.0, 7_000.0),
        ("(톤)", "(백만 달러)", 3.0, 7_000_000.0),
    ],
)
def test_units_stand_in_the_heading(
    tmp_path: Path, weight: str, value: str, tonnes: float, dollars: float
) -> None:
    """Law 4."""
    heading = f'기간,국가명,품목코드,품목명,"수입 중량{weight}","수입 금액{value}"'
    found = read(tmp_path, table("2024.05,호주,2825201000,산화리튬,3,7", heading=heading))
    assert flows(found) == [("AUS", "import", dollars, tonnes)]


@pytest.mark.parametrize(
    ("heading", "message"),
    [
        (HEADING.replace("(톤)", ""), r"row 1, column 수입 중량: the unit is said neither"),
        (HEADING.replace("(천 달러)", ""), r"row 1, column 수입 금액: the unit is said neither"),
        (HEADING.replace("(천 달러)", "(천원)"), "in won, expected dollars"),
        (HEADING.replace("HS코드", "번호"), "no row of headings with HS코드"),
    ],
)
def test_a_unit_that_is_missing_is_a_fault(tmp_path: Path, heading: str, message: str) -> None:
    """Law 4: a number without unit is no quantity."""
    with pytest.raises(SourceFormatError, match=message):
        read(tmp_path, table(heading=heading))


def test_the_traders_association_writes_periods_over_the_columns(tmp_path: Path) -> None:
    text = table(
        ",,금액,증감률,중량,금액,증감률,중량",
        "2825201000,산화리튬,5,10.0,2,7,40.0,3",
        heading="코드,품목명,2024년(04월),,,2024년(05월),,",
        above=("국가명 : 칠레,수출입구분 : 수입", '"(단위 : 천불, 톤)"'),
    )
    found = read(tmp_path, text)
    assert found.table.select("period", "partner", "flow", "value_usd", "quantity_t").rows() == [
        ("2024-04", "CHL", "import", 5000.0, 2.0),
        ("2024-05", "CHL", "import", 7000.0, 3.0),
    ]


def test_a_weight_that_rounds_to_zero_is_unknown(tmp_path: Path) -> None:
    """Law 2."""
    row = read(tmp_path, table("2024.05,일본,2825201000,산화리튬,0.0,0,0.0,12,-12")).table.row(0, named=True)
    assert (row["value_usd"], row["quantity_t"]) == (12_000.0, None)
    assert "below half the unit" in row["flag"]
    row = read(tmp_path, table("2024.05,일본,2825201000,산화리튬,0.0,0,0.2,0,0")).table.row(0, named=True)
    assert (row["value_usd"], row["quantity_t"]) == (None, 0.2)


@pytest.mark.parametrize(
    ("name", "iso3"),
    [
        ("나미비아", "NAM"),
        ("대만", "TWN"),
        ("미국", "USA"),
        ("프랑스", "FRA"),
        ("스위스", "CHE"),
        ("노르웨이", "NOR"),
        ("인도", "IND"),
        ("세르비아", "SRB"),
        ("수단", "SDN"),
        ("코소보", "XKX"),
        ("콩고", "COG"),
        ("콩고 민주공화국", "COD"),
        ("콩고민주공화국", "COD"),
        ("도미니카", "DMA"),
        ("도미니카 공화국", "DOM"),
        ("터키", "TUR"),
        ("튀르키예", "TUR"),
        ("NA", "NAM"),
        ("TW", "TWN"),
        ("XK", "XKX"),
        ("SD", "SDN"),
        ("기타국", "ROW"),
        ("총계", "WLD"),
    ],
)
def test_countries_arrive_as_themselves(tmp_path: Path, name: str, iso3: str) -> None:
    """Law 3: by the publisher's names and by its two letters; Namibia's are NA."""
    found = read(tmp_path, table(f"2024.05,{name},2825201000,산화리튬,0,0,1,5,-5"))
    assert found.table["partner"].to_list() == [iso3]


@pytest.mark.parametrize(
    ("written", "period"),
    [
        ("2024.05", "2024-05"),
        ("2024-05", "2024-05"),
        ("202405", "2024-05"),
        ("2024년 05월", "2024-05"),
        ("2024년 5월", "2024-05"),
        ("2024.1", "2024-10"),
        ("2024", "2024"),
        ("2024년", "2024"),
    ],
)
def test_periods(tmp_path: Path, written: str, period: str) -> None:
    found = read(tmp_path, table(f"{written},중국,2825201000,산화리튬,0,0,1,5,-5"))
    assert found.table["period"].to_list() == [period]


def test_months_of_one_digit_are_taken_as_such_when_others_are(tmp_path: Path) -> None:
    rows = [f"2024.{month},중국,2825201000,산화리튬,0,0,1,5,-5" for month in (1, 2, 10)]
    assert read(tmp_path, table(*rows)).table["period"].to_list() == ["2024-01", "2024-02", "2024-10"]


def test_the_schedule_follows_the_date() -> None:
    """Codes are those of the year's schedule, which follows an edition of the Harmonized System."""
    assert [hsk_revision(p) for p in ("2021-12", "2022-01")] == ["HSK2021", "HSK2022"]
    assert [hs_revision(p) for p in ("2016-12", "2017-01", "2021-12", "2022-01")] == [
        "HS2012",
        "HS2017",
        "HS2017",
        "HS2022",
    ]


def test_a_change_of_edition_inside_a_file_is_told(tmp_path: Path) -> None:
    rows = [f"{period},중국,8112921000,갈륨,0,0,1,5,-5" for period in ("2021.12", "2022.01")]
    found = read(tmp_path, table(*rows))
    assert found.table["revision"].to_list() == ["HSK2021", "HSK2022"]
    assert "several-editions" in {f.code for f in found.findings}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "2024.05,아랍에미리트 연함,2825201000,x,0,0,1,5,-5",
            "row 2, column 국가: '아랍에미리트 연함' is no country.*did the file mean '아랍에미리트연합'",
        ),
        ("2024.13,중국,2825201000,x,0,0,1,5,-5", "row 2, column 기간: '2024.13'"),
        ("2024.05,중국,28252010,x,0,0,1,5,-5", "row 2, column HS코드: '28252010', expected 2, 4, 6 or 10"),
        ("2024.05,중국,28A5201000,x,0,0,1,5,-5", "row 2, column HS코드"),
        ('2024.05,중국,2825201000,x,0,0,1,"1,23",-5', "row 2, column 수입 금액.*'1,23'"),
        ("2024.05,중국,2825201000,x,0,0,1,-5,-5", "row 2, column 수입 금액"),
        ("2024.05,중국,2825201000,x,0,0,=B2,5,-5", "row 2, column 수입 중량"),
        ("2024.05,중국,2825201000,x,0,0", "row 2 has 6 cells"),
    ],
)
def test_a_fault_is_named_with_row_and_column(tmp_path: Path, row: str, message: str) -> None:
    """Law 12."""
    with pytest.raises(SourceFormatError, match=message) as caught:
        read(tmp_path, table(row))
    assert NAME in caught.value.message


def test_the_same_row_twice_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(SourceFormatError, match="row 3, column 기간, 국가, HS코드: the same as row 2"):
        read(tmp_path, table(ROWS[1], ROWS[1]))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<!DOCTYPE html><html><body>로그인</body></html>", "web page"),
        ("<html></html>", "web page"),
        ("", "empty"),
        ("기간,국가\n".encode("utf-16"), "this is UTF-16 text"),
        (b"x\xff\xfa\n\xff", "row 1, column 1 is neither UTF-8 nor cp949"),
        ("%PDF-1.7", "PDF"),
        ('{"a": [', "broken or cut off"),
    ],
)
def test_what_is_no_table_is_told(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(SourceFormatError, match=message):
        read(tmp_path, content if isinstance(content, bytes) else content.encode())


def test_without_a_day_the_file_is_refused(tmp_path: Path) -> None:
    """Law 11."""
    with pytest.raises(InputError, match="does not tell when it was published"):
        read(tmp_path, table(), name="download.csv")
    assert read(tmp_path, table(), name="download.csv", as_of=KNOWN_ON).as_of == KNOWN_ON


# Workbook ------------------------------------------------------------------------------------------


def workbook(folder: Path, *rows: list[Any], merge: str = "") -> Path:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["수출입 실적(품목별+국가별)"])
    sheet.append(["(단위 : 톤(TON), 천 달러(USD 1,000))"])
    sheet.append(["기간", "국가", "HS코드", "품목명", "수출", None, "수입", None, "무역수지"])
    sheet.append([None, None, None, None, "중량", "금액", "중량", "금액", None])
    for span in ("A1:I1", "A3:A4", "B3:B4", "C3:C4", "D3:D4", "E3:F3", "G3:H3", "I3:I4"):
        sheet.merge_cells(span)
    for row in rows:
        sheet.append(row)
    if merge:
        sheet.merge_cells(merge)
    path = folder / "수출입 실적(품목별+국가별)_20241120.xlsx"
    book.save(path)
    return path


def test_a_workbook_with_merged_headings(tmp_path: Path) -> None:
    """Numbers in cells lose zeros: October is 2024.1, a code of chapter 01 has nine digits."""
    rows = [
        ["총계", "-", "-", "-", 1.5, 10, 0, 3, 7],
        [2024.1, "세르비아", 106191000, "기타", 1.5, 10, 0, 3, 7],
        [2024.09, "수단", "2825201000", "산화리튬", "0.0", "0", "1,000.5", "2,000", "-2,000"],
    ]
    found = reading(workbook(tmp_path, *rows), Asked())
    assert found.table.select("period", "partner", "flow", "code", "value_usd", "quantity_t").rows() == [
        ("2024-10", "SRB", "export", "0106191000", 10_000.0, 1.5),
        ("2024-10", "SRB", "import", "0106191000", 3_000.0, None),
        ("2024-09", "SDN", "import", "2825201000", 2_000_000.0, 1000.5),
    ]
    assert "leading-zero-restored" in {f.code for f in found.findings}


def test_a_formula_is_named_with_its_cell(tmp_path: Path) -> None:
    path = workbook(tmp_path, [2024.05, "수단", "2825201000", "산화리튬", 0, 0, "=A1", 3, 7])
    with pytest.raises(SourceFormatError, match="row 5, column G: a formula"):
        reading(path, Asked())


def test_merged_cells_in_the_data_are_named(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        [2024.05, "수단", f"28252{n:05d}", "산화리튬", 0, 0, 1, 3, -3] for n in range(40)
    ]
    with pytest.raises(SourceFormatError, match="row 40, column B40:B41: merged cells"):
        reading(workbook(tmp_path, *rows, merge="B40:B41"), Asked())


def test_a_workbook_that_is_a_bomb_or_cut_off(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 30_000_000)
    with pytest.raises(SourceFormatError, match="packs so well"):
        reading(bomb, Asked(as_of=KNOWN_ON))
    good = workbook(tmp_path, [2024.05, "수단", "2825201000", "산화리튬", 0, 0, 1, 3, 7])
    good.write_bytes(good.read_bytes()[:-500])
    with pytest.raises(SourceFormatError, match="truncated or damaged"):
        reading(good, Asked(as_of=KNOWN_ON))


# JSON and XML --------------------------------------------------------------------------------------


def test_the_json_of_the_site(tmp_path: Path) -> None:
    heads = HEADING.split(",")
    cells = ["2024.05", "중국", "2825201000", "산화리튬", "1.0", "10", "1,500.0", "25,000", "-24,990"]
    document = {"수출입 실적(품목별+국가별)": [dict(zip(heads, cells, strict=True))]}
    found = read(
        tmp_path, json.dumps(document, ensure_ascii=False).encode(), name="수출입 실적_20240620.json"
    )
    assert flows(found) == [("CHN", "export", 10_000.0, 1.0), ("CHN", "import", 25_000_000.0, 1500.0)]


def item(**fields: str) -> str:
    known = {"balPayments": "0", "expDlr": "0", "expWgt": "0", "hsCd": "2825201000", "impDlr": "100"}
    known |= {
        "impWgt": "10",
        "statCd": "CN",
        "statCdCntnKor1": "중국",
        "statKor": "산화리튬",
        "year": "2024.05",
    }
    return "<item>" + "".join(f"<{k}>{v}</{k}>" for k, v in (known | fields).items()) + "</item>"


def xml(*items: str, code: str = "00", tail: str = "") -> bytes:
    head = f"<header><resultCode>{code}</resultCode><resultMsg>정상서비스.</resultMsg></header>"
    text = f"<response>{head}<body><items>{''.join(items)}</items>{tail}</body></response>"
    return f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>{text}'.encode()


TOTAL = item(year="총계", hsCd="-", statCd="-", statCdCntnKor1="-", statKor="-", impDlr="300", impWgt="30")


def test_the_api_writes_dollars_and_kilograms(tmp_path: Path) -> None:
    answer = xml(TOTAL, item(), item(statCd="NA", statCdCntnKor1="나미비아", impDlr="200", impWgt="20"))
    found = read(tmp_path, answer, name="answer.xml", as_of=KNOWN_ON)
    assert flows(found) == [("CHN", "import", 100.0, 0.01), ("NAM", "import", 200.0, 0.02)]
    assert not found.findings


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (xml(item())[:-40], "broken or cut off"),
        (xml(code="99"), "refusal of the API, not data: 99"),
        (
            b"<OpenAPI_ServiceResponse><cmmMsgHeader><errMsg>SERVICE ERROR</errMsg><returnAuthMsg>"
            b"SERVICE_KEY_IS_NOT_REGISTERED_ERROR</returnAuthMsg><returnReasonCode>30</returnReasonCode>"
            b"</cmmMsgHeader></OpenAPI_ServiceResponse>",
            "30 SERVICE_KEY_IS_NOT_REGISTERED_ERROR",
        ),
        (xml(item(), tail="<totalCount>250</totalCount>"), "holds 1 of 250 items"),
        (xml(TOTAL), "no row of trade"),
        (xml(item(impDlr="x")), "row 1, column impDlr: 'x'"),
        (b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "defines entities"),
    ],
)
def test_an_answer_that_is_none_is_told(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(SourceFormatError, match=message):
        read(tmp_path, content, name="answer.xml", as_of=KNOWN_ON)


# Stored --------------------------------------------------------------------------------------------


def test_nothing_is_stored_of_a_file_with_a_fault(tmp_path: Path) -> None:
    """Law 12."""
    path = tmp_path / NAME
    path.write_text(table(ROWS[1], "2024.05,중귝,2825201000,x,0,0,1,5,-5"), "utf-8")
    with pytest.raises(SourceFormatError):
        data.add("korea-customs", path, tmp_path / "store")
    assert data.journal(tmp_path / "store").is_empty()


def test_suppliers_month_by_month(tmp_path: Path) -> None:
    rows = [
        "2024.04,중국,2825201000,산화리튬,0,0,80,800,-800",
        "2024.04,칠레,2825201000,산화리튬,0,0,20,200,-200",
        "2024.05,중국,2825201000,산화리튬,0,0,30,300,-300",
        "2024.05,칠레,2825202000,수산화리튬,0,0,10,100,-100",
    ]
    path = tmp_path / NAME
    path.write_text(table(*rows), "utf-8")
    data.add("korea-customs", path, tmp_path / "store")
    result = data.customs_shares("KOR", ["282520"], folder=tmp_path / "store")
    assert result["shares"].select("period", "supplier", "share").rows() == [
        ("2024-04", "CHN", 0.8),
        ("2024-04", "CHL", 0.2),
        ("2024-05", "CHN", 0.75),
        ("2024-05", "CHL", 0.25),
    ]
    may = data.customs_shares(
        "KOR", "2825201000", "quantity", ["2024-05", "2024-06"], folder=tmp_path / "store"
    )
    assert may["shares"].rows() == [("2024-05", "CHN", 1.0, 300_000.0, 30.0)]
    assert [f.code for f in may.findings] == ["no-import-reported"]
    assert result.lineage.derivations[0].equation == "E11"
    assert result["rows"].filter(pl.col("source_ref").str.contains("row 2")).height == 1
