"""UN Comtrade: files as the publisher ships them, and the API over recorded exchanges."""

from __future__ import annotations

import csv
import gzip
import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest

from evernormal import data
from evernormal.data.online.comtrade_client import ComtradeClient, Patience
from evernormal.data.online.comtrade_query import Query, query_for
from evernormal.data.publishers.adapters import Asked, Reading
from evernormal.data.publishers.archive import Limits
from evernormal.data.publishers.comtrade import reading
from evernormal.errors import DataError, InputError, NotCoveredError, SourceFormatError

from .made_up_customs import Played, answer_of, record, recorded

KNOWN_ON = date(2024, 8, 15)
ASKED = Asked(as_of=KNOWN_ON)


def body() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = recorded("imports_202405").json()["data"]
    return found


def saved(folder: Path, rows: list[dict[str, Any]], name: str = "answer.json", **more: Any) -> Path:
    path = folder / name
    path.write_text(
        json.dumps({"elapsedTime": "1 secs", "count": len(rows), "data": rows, "error": ""} | more)
    )
    return path


def as_csv(rows: list[dict[str, Any]], delimiter: str = ",", end: str = "") -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(rows[0])
    for row in rows:
        writer.writerow(["" if cell is None else cell for cell in row.values()] + ([""] if end else []))
    return text.getvalue()


def read(path: Path, asked: Asked = ASKED) -> Reading:
    return reading(path, asked)


def by_partner(table: pl.DataFrame) -> dict[str, dict[str, Any]]:
    return {row["partner"]: row for row in table.to_dicts()}


# Files ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "iso3"),
    [
        (490, "TWN"),
        (842, "USA"),
        (251, "FRA"),
        (757, "CHE"),
        (579, "NOR"),
        (699, "IND"),
        (516, "NAM"),
        (688, "SRB"),
        (729, "SDN"),
        (412, "XKX"),
        (156, "CHN"),
        (0, "WLD"),
        (899, "ROW"),
        (492, "ROW"),
    ],
)
def test_countries_arrive_as_themselves(tmp_path: Path, code: int, iso3: str) -> None:
    """Law 3: as partner and, where it can report, as reporter."""
    assert read(saved(tmp_path, [record(partnerCode=code)])).table["partner"].to_list() == [iso3]
    assert data.country(code, source="comtrade") == iso3


def test_an_answer_becomes_declarations(tmp_path: Path) -> None:
    found = read(saved(tmp_path, body()))
    china = by_partner(found.table)["CHN"]
    assert china["value_usd"] == 160e6
    assert china["quantity_t"] == 10_000
    assert (china["period"], china["year"], china["revision"]) == ("2024-05", 2024, "HS2022")
    assert (china["flow"], china["basis"], china["code"]) == ("import", "CIF", "282520")
    assert found.dataset == "comtrade-monthly-kor-282520"


def test_a_weight_of_zero_beside_a_value_is_unknown(tmp_path: Path) -> None:
    """Law 2."""
    found = read(saved(tmp_path, body()))
    taiwan = by_partner(found.table)["TWN"]
    assert taiwan["value_usd"] == 500.5
    assert taiwan["quantity_t"] is None
    assert "unknown" in taiwan["flag"]
    assert "weight-unknown" in {f.code for f in found.findings}


def test_no_trade_has_no_weight_and_that_is_zero(tmp_path: Path) -> None:
    row = read(
        saved(tmp_path, [record(primaryValue=0.0, cifvalue=0.0, netWgt=0.0, qty=0.0)])
    ).table.to_dicts()[0]
    assert (row["value_usd"], row["quantity_t"]) == (0.0, 0.0)


def test_estimates_are_flagged(tmp_path: Path) -> None:
    usa = by_partner(read(saved(tmp_path, body())).table)["USA"]
    assert usa["flag"] == "net weight estimated; legacy estimation flag 4"


def test_breakdowns_and_parts_are_not_counted_again(tmp_path: Path) -> None:
    """The same flow by transport, and domestic exports inside exports, are left out and told."""
    found = read(saved(tmp_path, body()))
    assert found.table.filter(pl.col("partner") == "CHN").height == 1
    assert {"breakdowns-left-out", "partial-flows-left-out"} <= {f.code for f in found.findings}


def test_a_flow_that_comes_only_in_parts_is_unknown(tmp_path: Path) -> None:
    """Law 2: parts without their total are not added up to one."""
    found = read(saved(tmp_path, [record(), record(partnerCode=392, motCode=2100)]))
    assert found.table["partner"].to_list() == ["CHN"]
    assert "flows-without-total" in {f.code for f in found.findings}


def test_a_value_free_on_board_keeps_its_basis(tmp_path: Path) -> None:
    row = record(cifvalue=None, fobvalue=160e6)
    assert read(saved(tmp_path, [row])).table["basis"].item() == "FOB"
    silent = record(cifvalue=None, fobvalue=None)
    assert "not said" in read(saved(tmp_path, [silent])).table["basis"].item()


def test_supplementary_quantity_keeps_its_unit(tmp_path: Path) -> None:
    rows = [
        record(qtyUnitCode=5, qtyUnitAbbr=None, qty=12.0),
        record(partnerCode=392, altQtyUnitCode=13, altQtyUnitAbbr=None, altQty=7.0),
    ]
    found = by_partner(read(saved(tmp_path, rows)).table)
    assert (found["CHN"]["quantity"], found["CHN"]["quantity_unit"]) == (12.0, "u")
    assert (found["JPN"]["quantity"], found["JPN"]["quantity_unit"]) == (7.0, "carat")


def test_a_weight_in_the_quantity_stands_in_for_the_net_weight(tmp_path: Path) -> None:
    row = record(netWgt=None, qty=2500.0, qtyUnitCode=8)
    assert read(saved(tmp_path, [row])).table["quantity_t"].item() == 2.5


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_the_csv_of_the_site_says_the_same(tmp_path: Path, encoding: str) -> None:
    rows = [{**row, "partnerDesc": "Türkiye"} for row in body()]
    path = tmp_path / "TradeData_8_15_2024_10_30_9.csv"
    path.write_bytes(as_csv(rows, end="yes").encode(encoding))
    same = (
        "period",
        "reporter",
        "partner",
        "flow",
        "code",
        "value_usd",
        "quantity_t",
        "basis",
        "flag",
        "as_of",
    )
    wanted = read(saved(tmp_path, rows)).table.select(same)
    assert read(path, Asked()).table.select(same).equals(wanted)


def test_a_bulk_file_says_the_same(tmp_path: Path) -> None:
    path = tmp_path / "COMTRADE-FINAL-CM410202405H6[2024-08-15].gz"
    path.write_bytes(gzip.compress(as_csv(body(), delimiter="\t").encode()))
    found = read(path, Asked())
    assert found.as_of == KNOWN_ON
    assert found.table.height == read(saved(tmp_path, body())).table.height


def test_annual_rows(tmp_path: Path) -> None:
    found = read(saved(tmp_path, [record(freqCode="A", period="2023", refMonth=52)]))
    assert found.table["period"].to_list() == ["2023"]
    assert found.dataset == "comtrade-annual-kor-282520"


def test_a_leading_zero_that_a_spreadsheet_ate_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(as_csv([record(cmdCode="10619", aggrLevel=6)]))
    found = read(path)
    assert found.table["code"].to_list() == ["010619"]
    assert "leading-zero-restored" in {f.code for f in found.findings}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"partnerCode": 9999},
            "row 2, column partnerCode: '9999' is no country or area code of UN Comtrade",
        ),
        ({"period": "2024-05"}, "row 2, column period"),
        ({"period": "202413"}, "column period"),
        ({"flowCode": "Q"}, "column flowCode"),
        ({"classificationCode": "H9"}, "column classificationCode"),
        ({"cmdCode": "28252", "aggrLevel": None}, "column cmdCode"),
        ({"primaryValue": "1,234.5"}, "without thousands separators"),
        ({"netWgt": -5}, "column netWgt"),
        ({"typeCode": "S"}, "column typeCode: 'S', expected C"),
    ],
)
def test_a_fault_is_named_with_row_and_column(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    """Law 12."""
    with pytest.raises(SourceFormatError, match=message) as caught:
        read(saved(tmp_path, [record(), record(**{"partnerCode": 392} | change)]))
    assert "answer.json" in caught.value.message


def test_the_same_flow_twice_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(SourceFormatError, match="the same flow as row 1"):
        read(saved(tmp_path, [record(), record(primaryValue=5.0)]))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<!DOCTYPE html><html></html>", "web page"),
        (b'{"count": 3, "data": [{"typeCode": "C"', "broken or cut off"),
        (b'{"statusCode": 429, "message": "Rate limit is exceeded."}', "without data: Rate limit"),
        (b'{"count": 2, "data": [], "error": ""}', "says 2 rows and holds 0"),
        (b'{"count": 1, "data": [5], "error": ""}', "no record"),
        (b'{"count": 1, "data": [{"period": "2023"}], "error": ""}', "column freqCode"),
        (b'{"count": 1, "data": [{"primaryValue": NaN}], "error": ""}', "no number"),
        (b"", "empty"),
        (b"PK\x03\x04abc", "Excel"),
        (b"typeCode,freqCode\nC,M\n", "is missing"),
        (gzip.compress(b"x" * 5000, mtime=0)[:-20], "truncated"),
    ],
)
def test_what_is_no_answer_is_told(tmp_path: Path, content: bytes, message: str) -> None:
    """Law 12: a page, a cut-off download, a refusal saved as data."""
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    with pytest.raises(SourceFormatError, match=message):
        read(path)


def test_a_gzip_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bulk.gz"
    path.write_bytes(gzip.compress(b"0" * 5_000_000))
    with pytest.raises(SourceFormatError, match="no table packs so well"):
        read(path, Asked(as_of=KNOWN_ON, limits=Limits(ratio=50)))


def test_a_csv_that_was_cut_off_names_the_row(tmp_path: Path) -> None:
    path = tmp_path / "cut.csv"
    path.write_text(as_csv(body())[:-150])
    with pytest.raises(SourceFormatError, match=r"row \d+ has \d+ cells, the header has"):
        read(path)


def test_an_answer_of_exactly_the_most_rows_is_suspect(tmp_path: Path) -> None:
    rows = [record(cmdCode=f"{n:06d}") for n in range(500)]
    assert "answer-may-be-cut" in {f.code for f in read(saved(tmp_path, rows)).findings}


def test_without_a_day_the_file_is_refused(tmp_path: Path) -> None:
    """Law 11."""
    with pytest.raises(InputError, match="does not tell when it was published"):
        read(saved(tmp_path, body()), Asked())


def test_added_twice_vintages_stay(tmp_path: Path) -> None:
    """Law 11: a later answer does not hide what was knowable before."""
    store = tmp_path / "store"
    data.add("comtrade", saved(tmp_path, [record()]), store, as_of="2024-07-01")
    data.add("comtrade", saved(tmp_path, [record(primaryValue=5.0)]), store, as_of="2024-09-01")
    assert data.customs(folder=store, as_of="2024-08-01")["value_usd"].to_list() == [160e6]
    assert data.customs(folder=store)["value_usd"].to_list() == [5.0]


def test_months_that_were_added_one_after_another_stay(tmp_path: Path) -> None:
    """A later download of other months hides nothing, and takes the place of what it repeats."""
    store = tmp_path / "store"
    may, june = record(), record(period="202406", refMonth=6)
    data.add("comtrade", saved(tmp_path, [may, {**may, "partnerCode": 392}]), store, as_of="2024-07-01")
    data.add("comtrade", saved(tmp_path, [june], name="june.json"), store, as_of="2024-08-01")
    assert data.journal(store)["dataset"].n_unique() == 1
    assert data.customs(folder=store).select("period", "partner").rows() == [
        ("2024-05", "CHN"),
        ("2024-05", "JPN"),
        ("2024-06", "CHN"),
    ]
    revised = {**may, "primaryValue": 7.0}
    data.add("comtrade", saved(tmp_path, [revised], name="may.json"), store, as_of="2024-09-01")
    assert data.customs(folder=store)["value_usd"].to_list() == [7.0, 160e6]
    assert data.customs(folder=store, as_of="2024-07-15").height == 2


# The API -------------------------------------------------------------------------------------------


def fetch(played: Played, store: Path, **more: Any) -> Any:
    asked = {"codes": ["282520"], "periods": ["2024-05"], "reporters": ["KOR"], "flows": ["import"]} | more
    return data.fetch_comtrade(asked.pop("codes"), asked.pop("periods"), store, **played.settings(**asked))


def test_declarations_are_fetched_and_stored(tmp_path: Path) -> None:
    played = Played("imports_202405")
    added = fetch(played, tmp_path)["added"].row(0, named=True)
    assert (added["dataset"], added["as_of"]) == ("comtrade-monthly-kor-282520", "2024-08-15")
    rows = data.customs("KOR", ["CHN", "TWN"], ["282520"], "import", folder=tmp_path)
    assert rows["value_usd"].to_list() == [160e6, 500.5]
    request = played.asked[0]
    assert request.url.path == "/data/v1/get/C/M/HS"
    assert request.headers["Ocp-Apim-Subscription-Key"] == "secret-key"
    assert "secret-key" not in str(request.url)
    wanted = {"period": "202405", "reporterCode": "410", "cmdCode": "282520", "flowCode": "M"}
    wanted |= {"partner2Code": "0", "motCode": "0", "customsCode": "C00", "maxRecords": "250000"}
    assert wanted.items() <= dict(request.url.params).items()
    assert not (tmp_path / "downloads" / "x").exists()
    assert not list((tmp_path / "downloads").glob("*/*.json")), "answers are not kept when all is stored"


def test_too_many_requests_are_waited_out_as_long_as_the_server_says(tmp_path: Path) -> None:
    played = Played("too_many_requests", "too_many_requests_in_words", "imports_202405")
    fetch(played, tmp_path)
    assert played.waits == [3.0, 7.0]


def test_a_time_to_come_back_is_honoured(tmp_path: Path) -> None:
    later = httpx.Response(429, headers={"Retry-After": "Thu, 15 Aug 2024 12:00:40 GMT"}, text="")
    played = Played(later, "imports_202405")
    fetch(played, tmp_path)
    assert played.waits == [40.0]


def test_passing_failures_are_waited_out_twice_as_long_each_time(tmp_path: Path) -> None:
    played = Played(
        "server_fault",
        httpx.ReadTimeout("slow"),
        httpx.ConnectError("down"),
        "maintenance_page",
        httpx.Response(200, content=b'{"count": 1, "data": [{"typeC'),
        "imports_202405",
    )
    fetch(played, tmp_path)
    assert played.waits == [2.0, 4.0, 8.0, 16.0, 32.0]


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        ("server_fault", DataError, "503 Service Temporarily Unavailable.*asked 3 times"),
        ("maintenance_page", SourceFormatError, "a web page came instead of data; asked 3 times"),
        (httpx.ReadTimeout("slow"), DataError, "did not answer in time; asked 3 times"),
        ("too_many_requests", DataError, "too many requests.*asked 3 times"),
    ],
)
def test_patience_ends(tmp_path: Path, answer: Any, error: type[DataError], message: str) -> None:
    """Law 12: a bounded number of tries, and nothing is stored."""
    played = Played(answer)
    with pytest.raises(error, match=message) as caught:
        fetch(played, tmp_path, patience=Patience(tries=3))
    assert len(played.asked) == 3
    assert "secret" not in caught.value.message
    assert data.journal(tmp_path).is_empty()


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        ("key_not_accepted", InputError, "does not accept the key.*comtradedeveloper"),
        ("quota_used_up", DataError, "quota of this key is used up; it is filled again in 07:01:20"),
        ("bad_request", DataError, "The request period is not valid"),
    ],
)
def test_what_waiting_cannot_cure_is_told_at_once(
    tmp_path: Path, answer: str, error: type[DataError], message: str
) -> None:
    played = Played(answer)
    with pytest.raises(error, match=message) as caught:
        fetch(played, tmp_path)
    assert len(played.asked) == 1
    assert not played.waits
    assert "secret" not in caught.value.message


def test_no_rows_is_unknown_not_zero(tmp_path: Path) -> None:
    """Law 2."""
    with pytest.raises(NotCoveredError, match="unknown, not zero"):
        fetch(Played("no_rows"), tmp_path)


def limited(most: int) -> Any:
    """A server that cuts every answer off at a number of rows."""

    def answer(request: httpx.Request) -> httpx.Response:
        asked = {name: values.split(",") for name, values in request.url.params.items()}
        rows = [
            record(period=period, cmdCode=code, flowCode=flow, primaryValue=1000.0 + int(code), cifvalue=None)
            for period in asked["period"]
            for code in asked["cmdCode"]
            for flow in asked["flowCode"]
        ]
        return answer_of(rows[:most], count=len(rows))

    return answer


def test_an_answer_that_is_cut_off_is_asked_again_in_halves(tmp_path: Path) -> None:
    """No row is lost and none comes twice, whatever is cut: periods, codes, flows."""
    played = Played(limited(1))
    months = data.periods_between("2024-01", "2024-04")
    more = {"periods": months, "codes": ["282520", "283691"], "flows": ["import", "export"]}
    fetch(played, tmp_path, **more)
    rows = data.customs(folder=tmp_path)
    assert rows.height == 16
    assert rows.select("period", "code", "flow").is_duplicated().sum() == 0


def test_one_question_that_cannot_be_cut_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Name the partners"):
        fetch(Played(answer_of([record()], count=7)), tmp_path)


def test_partners_that_were_asked_for_stand_in_the_name(tmp_path: Path) -> None:
    """Declarations with one partner do not take the place of those with another."""
    for partner in ("CHN", "CHL"):
        added = fetch(Played("imports_202405"), tmp_path, partners=[partner])["added"].row(0, named=True)
        assert added["dataset"] == f"comtrade-monthly-kor-with-{partner.lower()}-282520"


def test_twelve_periods_at_a_time(tmp_path: Path) -> None:
    played = Played(limited(10_000))
    fetch(played, tmp_path, periods=data.periods_between("2022-01", "2024-04"))
    assert [len(r.url.params["period"].split(",")) for r in played.asked] == [12, 12, 4]
    assert data.customs(folder=tmp_path).height == 28


def test_no_address_is_longer_than_the_publisher_takes(tmp_path: Path) -> None:
    played = Played(limited(10_000))
    fetch(played, tmp_path, codes=[f"{n:06d}" for n in range(280_000, 281_500)])
    assert all(len(str(request.url)) < 4096 for request in played.asked)
    assert data.customs(folder=tmp_path).height == 1500


def test_a_fetch_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    """What was acknowledged is not asked again, and a damaged answer is."""
    months = data.periods_between("2022-01", "2024-12")
    first = Played(limited(10_000), limited(10_000), "quota_used_up")
    with pytest.raises(DataError, match="What has come so far is kept"):
        fetch(first, tmp_path, periods=months)
    assert data.journal(tmp_path).is_empty(), "nothing is stored before everything has come"
    answers = sorted((tmp_path / "downloads").glob("*/*.json"))
    assert len(answers) == 2
    answers[0].write_text(answers[0].read_text()[:-30])
    second = Played(limited(10_000))
    fetch(second, tmp_path, periods=months)
    assert len(second.asked) == 2
    assert data.customs(folder=tmp_path).height == 36


def test_without_a_key_the_public_preview_is_asked(tmp_path: Path) -> None:
    played = Played("imports_202405")
    fetch(played, tmp_path, key=None)
    assert played.asked[0].url.path == "/public/v1/preview/C/M/HS"
    assert played.asked[0].url.params["maxRecords"] == "500"
    assert "Ocp-Apim-Subscription-Key" not in played.asked[0].headers


def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    """The key goes nowhere else."""
    played = Played(httpx.Response(302, headers={"Location": "https://elsewhere.example/"}))
    with pytest.raises(DataError, match="302"):
        fetch(played, tmp_path)
    assert len(played.asked) == 1


def test_what_is_published_can_be_asked() -> None:
    played = Played("availability")
    table = data.comtrade_availability("M", reporters=["KOR"], periods=["2024-05"], **played.settings())
    assert table["reporter"].to_list() == ["CHE", "KOR"]
    assert table.filter(pl.col("reporter") == "KOR").row(0)[1:] == (
        "2024-05",
        "H6",
        168000,
        "2024-07-02",
        "2024-08-02",
    )
    assert played.asked[0].url.path == "/data/v1/getDa/C/M/HS"


@pytest.mark.parametrize(
    ("codes", "periods", "message"),
    [
        (["28252"], ["2024"], "no code"),
        (["2825201000"], ["2024"], "no code"),
        ([], ["2024"], "nothing is no code"),
        (["282520"], [], "none"),
        (["282520"], ["2024", "2024-05"], "all years or all months"),
        (["282520"], ["2024-13"], "all years or all months"),
    ],
)
def test_a_wrong_question_is_refused_before_it_is_asked(
    codes: list[str], periods: list[str], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        query_for(codes, periods, reporters=["KOR"])


def test_the_pause_between_questions_is_kept() -> None:
    played = Played("imports_202405")
    client = ComtradeClient(played.client, "k", sleep=played.waits.append, now=played.now)
    question = Query("M", ("202405",), ("282520",), ("410",))
    client.ask(question)
    client.ask(question)
    assert played.waits == [1.0]


def test_the_whole_world_of_codes_asks_past_codes_too() -> None:
    """Countries have had other codes: each year has rows under one of them."""
    assert query_for(["TOTAL"], ["1985"], reporters=["DEU"]).reporters == ("276", "280")
