"""A table too big for one file: stored in parts, read in part, and as hard to deceive as a small one."""

from __future__ import annotations

import json
import os
import random
import signal
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evernormal import data
from evernormal.data import additions, flows, parting, store
from evernormal.data.editions import stored_files
from evernormal.data.parts import Question, matching
from evernormal.data.publishers import archive, baci_csv, baci_rows
from evernormal.data.publishers.baci_rows import Header, line_blocks
from evernormal.errors import InputError, SnapshotError, SourceFormatError, StorageError
from evernormal.result import sha256_of

from .made_up import tree

HEADER = "t,i,j,k,v,q"
NAME = "BACI_HS17_V202501.zip"
COUNTRIES = (156, 842, 251, 490, 757, 579, 699, 410, 516, 152)
"""China, United States, France, Taiwan, Switzerland, Norway, India, Korea, Namibia, Chile in BACI."""
CODES = (10110, 252910, 282520, 284690, 811292, 850511, 850760)
SMALL = """
from evernormal.data import parting, store
from evernormal.data.publishers import archive, baci_csv
store.ROWS_OF_ONE_FILE = 50
parting.Sizes.rows_of_codes, parting.Sizes.rows_of_pairs, parting.Sizes.rows_of_group = 192, 160, 16
archive._BLOCK = baci_csv.BLOCK = 1 << 12
"""


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks, parts and the one file so small that a few hundred rows are many."""
    monkeypatch.setattr(store, "ROWS_OF_ONE_FILE", 50)
    for name, size in (("rows_of_codes", 192), ("rows_of_pairs", 160), ("rows_of_group", 16)):
        monkeypatch.setattr(parting.Sizes, name, size)
    monkeypatch.setattr(archive, "_BLOCK", 1 << 12)
    monkeypatch.setattr(baci_csv, "BLOCK", 1 << 12)


def lines(year: int, *, seed: int = 0, chance: float = 0.6) -> list[str]:
    """Made-up rows of a year as CEPII pads them."""
    draw = random.Random(100 * seed + year)
    found = []
    for exporter in COUNTRIES:
        for importer in COUNTRIES:
            for code in CODES:
                if exporter != importer and draw.random() < chance:
                    value, quantity = draw.randint(1, 10**8) / 1000, draw.randint(1, 10**7) / 1000
                    known = f"{quantity:14.3f}" if draw.random() < 0.9 else "NA".rjust(14)
                    found.append(f"{year},{exporter},{importer},{code:06d},{value:14.3f},{known}")
    return found


def release(folder: Path, years: dict[str, list[str]], name: str = NAME, **others: str) -> Path:
    """A zip file with one CSV per key of ``years``, and other files."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for label, rows in years.items():
            file.writestr(f"BACI_HS17_Y{label}_V202501.csv", "\n".join([HEADER, *rows]) + "\n")
        for label, text in others.items():
            file.writestr(f"{label}_V202501.csv", text)
    return path


def whole(folder: Path) -> Path:
    """Four years of some 380 rows each."""
    return release(folder, {str(year): lines(year) for year in range(2019, 2023)})


def test_parts_answer_as_one_file_does(tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Laws 6 and 7: the way of storing leaves no trace in any answer."""
    path = whole(tmp_path)
    data.add("baci", path, tmp_path / "parts")
    monkeypatch.setattr(store, "ROWS_OF_ONE_FILE", 10_000)
    data.add("baci", path, tmp_path / "one")
    assert data.vintages(tmp_path / "parts")[0].in_parts
    assert not data.vintages(tmp_path / "one")[0].in_parts
    draw = random.Random(1)
    countries = ["CHN", "USA", "FRA", "TWN", "CHE", "NOR", "IND", "KOR", "NAM", "CHL"]
    for _ in range(25):
        asked = {
            "codes": draw.choice([None, ["282520"], ["252910", "850511", "850760"], ["010110", "999999"]]),
            "importers": draw.choice([None, ["KOR"], ["NAM", "TWN"]]),
            "exporters": draw.choice([None, ["CHN"], draw.sample(countries, 3)]),
            "years": draw.choice([None, [2020], [2019, 2022]]),
        }
        one, parts = (
            data.trade(**asked, dataset="baci-hs2017", folder=tmp_path / kind) for kind in ("one", "parts")
        )
        assert parts.equals(one)
        lazy = data.scan_trade(**asked, dataset="baci-hs2017", folder=tmp_path / "parts").collect()
        assert lazy.sort("code", "year", "exporter", "importer").equals(one.select(lazy.columns))
    for by in ("value", "quantity"):
        for codes in (None, ["282520", "850511"]):
            one_result, parts_result = (
                data.supplier_shares("KOR", codes, by, dataset="baci-hs2017", folder=tmp_path / kind)  # type: ignore[arg-type]
                for kind in ("one", "parts")
            )
            assert parts_result["shares"].equals(one_result["shares"])
            assert parts_result.findings == one_result.findings
    known = ["rows", "first_year", "last_year", "countries", "codes"]
    one_row, parts_row = (data.status(tmp_path / k)["tables"].tail(1).select(known) for k in ("one", "parts"))
    assert parts_row.equals(one_row)
    sql = 'SELECT importer, count(*), sum(value_usd) FROM "baci-hs2017" GROUP BY importer ORDER BY importer'
    assert data.query(sql, tmp_path / "parts").equals(data.query(sql, tmp_path / "one"))


def test_shares_of_everything_are_those_of_every_code(tmp_path: Path, small: None) -> None:
    """No codes means every code; the rows behind are counted, not listed."""
    added = data.add("baci", whole(tmp_path), tmp_path / "store")
    assert added.findings == ()
    chosen = {"dataset": "baci-hs2017", "folder": tmp_path / "store"}
    everything = data.supplier_shares("KOR", **chosen)  # type: ignore[arg-type]
    listed = data.supplier_shares("KOR", data.covered_codes(**chosen), **chosen)  # type: ignore[arg-type]
    assert everything["shares"].equals(listed["shares"])
    assert "rows" not in everything.tables
    count = listed["rows"].height
    assert [(f.code, f.values["rows"]) for f in everything.findings] == [("rows-not-listed", count)]
    sums = everything["shares"].group_by("year").agg(pl.col("share").sum())
    assert sums["share"].to_list() == pytest.approx([1.0] * 4)


def test_a_question_reads_few_parts(tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """One importer, one exporter, one code or one year each touch a small part of what is stored."""
    monkeypatch.setattr(parting.Sizes, "rows_of_codes", 64)
    monkeypatch.setattr(parting.Sizes, "rows_of_pairs", 64)
    data.add("baci", whole(tmp_path), tmp_path / "store")
    manifest = data.vintages(tmp_path / "store")[0].manifest
    assert manifest is not None
    assert manifest.rows == sum(p.rows for p in manifest.parts if p.order == "codes")
    assert manifest.rows == sum(p.rows for p in manifest.parts if p.order == "pairs")
    for asked in (
        Question(importers=frozenset({410})),
        Question(exporters=frozenset({156})),
        Question(codes=frozenset({282520})),
        Question(years=frozenset({2020})),
    ):
        read = sum(part.rows for part in matching(manifest, asked))
        assert read < manifest.rows / 2


def test_what_is_read_is_checked_and_nothing_else(tmp_path: Path, small: None) -> None:
    """A part that was changed stops the questions that need it, and only those; verify names every one."""
    data.add("baci", whole(tmp_path), tmp_path / "store")
    found = data.vintages(tmp_path / "store")[0]
    manifest = found.manifest
    assert manifest is not None
    chosen = {"dataset": "baci-hs2017", "folder": tmp_path / "store"}
    damaged = [part for part in manifest.parts if part.order == "codes" and part.year == 2020][:2]
    for part in damaged:
        path = manifest.folder / part.path
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    assert data.trade(years=[2021], **chosen).height > 100  # type: ignore[arg-type]
    with pytest.raises(SnapshotError, match="the file was changed"):
        data.trade(years=[2020], **chosen)  # type: ignore[arg-type]
    with pytest.raises(SnapshotError, match="the file was changed"):
        data.query('SELECT count(*) FROM "baci-hs2017"', tmp_path / "store")
    faults = data.verify(tmp_path / "store")["faults"].filter(pl.col("check") == "store")
    assert [Path(where).name for where in faults["where"]] == [Path(part.path).name for part in damaged]
    (manifest.folder / damaged[0].path).unlink()
    with pytest.raises(SnapshotError, match="cannot read"):
        data.trade(years=[2020], **chosen)  # type: ignore[arg-type]


def test_the_list_of_parts_is_sealed(tmp_path: Path, small: None) -> None:
    """The journal holds the hash of the list, the list the hash of each part."""
    data.add("baci", whole(tmp_path), tmp_path / "store")
    found = data.vintages(tmp_path / "store")[0]
    text = found.path.read_text("utf-8")
    listed = json.loads(text)
    listed["parts"].pop()
    found.path.write_text(json.dumps(listed, separators=(",", ":")).ljust(len(text)), "utf-8")
    for read in (
        lambda: data.trade(["282520"], dataset="baci-hs2017", folder=tmp_path / "store"),
        lambda: data.status(tmp_path / "store"),
        lambda: stored_files(found),
    ):
        with pytest.raises(SnapshotError, match="the file was changed"):
            read()
    assert not data.verify(tmp_path / "store")["checks"].filter(pl.col("check") == "store")["ok"].item()


def test_order_of_rows_and_threads_leave_no_trace(tmp_path: Path, small: None) -> None:
    """Laws 6 and 7: rows in any order, files in any split, on one thread or more: the same bytes."""
    years = {str(year): lines(year) for year in range(2019, 2023)}
    data.add("baci", release(tmp_path / "a", years), tmp_path / "store-a")
    mixed = [row for rows in years.values() for row in rows]
    random.Random(5).shuffle(mixed)
    path = tmp_path / "b" / "BACI_HS17_V202501.csv"
    path.parent.mkdir()
    path.write_text("\n".join([HEADER, *mixed]) + "\n", "utf-8")
    code = (
        f"from evernormal.data import add\n{SMALL}add('baci', {str(path)!r}, {str(tmp_path / 'store-b')!r})"
    )
    environment = {**os.environ, "POLARS_MAX_THREADS": "1"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    one, other = (data.vintages(tmp_path / f"store-{n}")[0] for n in "ab")
    assert one.sha256 == other.sha256
    assert tree(one.path.parent) == tree(other.path.parent)


def test_adding_again_older_vintages_and_codes(tmp_path: Path, small: None) -> None:
    """Law 11: vintages in parts live beside one another; the same content is stored once."""
    data.add("baci", whole(tmp_path), tmp_path / "store")
    before = tree(tmp_path / "store")
    assert [f.code for f in data.add("baci", tmp_path / NAME, tmp_path / "store").findings] == [
        "already-stored"
    ]
    assert tree(tmp_path / "store") == before
    newer = release(tmp_path, {"2020": lines(2020, seed=3), "2021": lines(2021)}, "BACI_HS17_V202601.zip")
    result = data.add("baci", newer, tmp_path / "store")
    assert [f.code for f in result.findings] == ["years-not-in-vintage"]
    assert result.findings[0].values["years"] == [2019, 2022]
    chosen = {"dataset": "baci-hs2017", "folder": tmp_path / "store"}
    assert data.trade(**chosen)["year"].unique().sort().to_list() == [2020, 2021]  # type: ignore[arg-type]
    then = data.trade(**chosen, as_of="2025-12-31")  # type: ignore[arg-type]
    assert then["year"].unique().sort().to_list() == [2019, 2020, 2021, 2022]
    few = data.add("baci", tmp_path / NAME, tmp_path / "few", codes=["282520", "850511"])
    assert few["added"]["rows"].item() == then["code"].is_in(["282520", "850511"]).sum()
    assert data.covered_codes(dataset="baci-hs2017", folder=tmp_path / "few") == ("282520", "850511")


def test_a_store_of_an_older_version_is_read(tmp_path: Path) -> None:
    """What was stored as one file with numbers in floating point is read as before."""
    rows = pl.DataFrame(
        {"year": [2023], "exporter": [156], "importer": [410], "code": [850511], "v": [1234.5], "q": [None]},
        schema={
            "year": pl.Int16,
            "exporter": pl.Int16,
            "importer": pl.Int16,
            "code": pl.Int32,
            "v": pl.Float64,
            "q": pl.Float64,
        },
    ).rename({"v": "value_usd", "q": "quantity_kg"})
    place = tmp_path / "store" / "datasets" / "baci-hs2017"
    place.mkdir(parents=True)
    rows.write_parquet(place / "trade.parquet")
    digest = sha256_of(place / "trade.parquet")
    (place / digest[:12]).mkdir()
    (place / "trade.parquet").rename(place / digest[:12] / "trade.parquet")
    entry = {"kind": "trade", "dataset": "baci-hs2017", "title": "CEPII", "revision": "HS2017"}
    entry |= {"as_of": "2025-01-31", "licence": "Etalab 2.0", "grade": "A", "vintage": digest[:12]}
    entry |= {"sha256": digest, "file": "BACI.csv", "file_sha256": "0" * 64}
    size = (place / digest[:12] / "trade.parquet").stat().st_size
    additions.append(tmp_path / "store", entry | {"bytes": size, "rows": 1})
    chosen = {"dataset": "baci-hs2017", "folder": tmp_path / "store"}
    assert data.trade(**chosen).row(0)[:7] == (2023, "CHN", "KOR", "HS2017", "850511", 1234.5, None)  # type: ignore[arg-type]
    assert data.supplier_shares("KOR", **chosen)["shares"].row(0)[:3] == (2023, "CHN", 1.0)  # type: ignore[arg-type]
    assert data.verify(tmp_path / "store")["checks"]["ok"].all()


def test_amounts_that_are_not_whole_stay_as_they_are(tmp_path: Path, small: None) -> None:
    """Law 4: more than three decimals are kept; three decimals come back exactly."""
    rows = [*lines(2021), "2021,156,410,999999,0.0004,0.0000125", "2021,156,842,999999,1234567.891,NA"]
    data.add("baci", release(tmp_path, {"2021": rows}), tmp_path / "store")
    found = data.trade(["999999"], dataset="baci-hs2017", folder=tmp_path / "store").sort("importer")
    assert found["value_usd"].to_list() == [0.4, 1_234_567_891.0]
    assert found["quantity_t"].to_list() == [0.0000125, None]


def test_more_rows_than_memory_holds_are_not_returned(
    tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    data.add("baci", whole(tmp_path), tmp_path / "store")
    monkeypatch.setattr(flows, "ROWS_AT_ONCE", 400)
    chosen = {"dataset": "baci-hs2017", "folder": tmp_path / "store"}
    with pytest.raises(
        InputError, match=r"has 1,\d\d\d rows, at most 400 .* sum with evernormal.data.scan_trade"
    ):
        data.trade(**chosen)  # type: ignore[arg-type]
    assert data.trade(["282520"], **chosen).height < 400  # type: ignore[arg-type]
    assert data.scan_trade(**chosen).select(pl.len()).collect().item() > 1400  # type: ignore[arg-type]


# ---- faults of the text ------------------------------------------------------------------------------------

ROW = "2021,156,410,850511,1.5,2"


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        ([ROW, ROW], r"Y2021.*: row \d+, column t, i, j, k: the same flow as row \d+ \(t=2021, i=156"),
        (["2021,999,410,850511,1,2"], r"row \d+, column i: '999' is no country code of BACI"),
        (
            ['2021,156,410,850511,"1,234.5",2'],
            r"column v: '1,234.5', expected .*without thousands separators",
        ),
        (["2021,156,410,850511,1 234.5,2"], r"column v: '1 234.5', expected .*without thousands separators"),
        (["2021,156,410,850511,1,234.5,2"], r"row \d+ has 7 cells, expected 6"),
        (["2021,156,410,850511,1"], r"row \d+ has 5 cells, expected 6"),
        (["2021,156,410,85051,1,n/a"], r"column q: 'n/a', expected a quantity"),
        (["2021;156;410;850511;1;2"], r"row \d+ has 1 cells, expected 6"),
        (["<html><body>Gateway time-out</body></html>"], r"row \d+ has 1 cells"),
    ],
)
def test_a_fault_anywhere_is_named_and_nothing_is_stored(
    tmp_path: Path, small: None, rows: list[str], match: str
) -> None:
    """Law 12: a fault in the third file of a big release: file, row, column, cure; no folder stays."""
    years = {"2019": lines(2019), "2020": lines(2020), "2021": [*lines(2021, seed=9, chance=0.2), *rows]}
    years["2021"] = [r for r in years["2021"] if not r.startswith("2021,156,410,") or r in rows]
    path = release(tmp_path / "files", years)
    with pytest.raises(SourceFormatError, match=match) as caught:
        data.add("baci", path, tmp_path / "store")
    assert "Y2021" in str(caught.value)
    assert caught.value.cure
    assert not (tmp_path / "store").exists()


def test_the_row_of_a_fault_is_counted_over_blocks(tmp_path: Path, small: None) -> None:
    rows = lines(2021)
    path = release(tmp_path, {"2021": [*rows[:300], "2021,156,410,0,1,2", *rows[300:]]})
    with pytest.raises(SourceFormatError, match="row 302, column k: '0'"):
        data.add("baci", path, tmp_path / "store")


def test_a_flow_in_two_files_is_named_with_both_rows(tmp_path: Path, small: None) -> None:
    """Duplicates across years and files are found wherever they are."""
    again = lines(2019)[7]
    path = release(tmp_path, {"2019": lines(2019), "2020": [*lines(2020), again]})
    row = len(lines(2020)) + 2
    with pytest.raises(
        SourceFormatError, match=rf"is in two files of the archive: .*Y2019_V202501.csv, row 9; .*, row {row}"
    ):
        data.add("baci", path, tmp_path / "store")
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (HEADER.encode("utf-16"), "UTF-16 text"),
        (
            f"{HEADER}\n2021,156,410,850511,1,2\n2021,156,\xb5,850511,1,2\n".encode("latin-1"),
            "row 3, column j is not UTF-8",
        ),
        (
            f"{HEADER}\n{ROW}\n2021,156,410,8505".encode(),
            "row 3 has 4 cells, expected 6: the file ends in the mid",
        ),
        (b"<!DOCTYPE html><html>Please log in</html>", "web page saved under the name of a table"),
        (f"{HEADER}\n".encode(), "a header and no rows"),
        (b"", "the file is empty"),
        (f"{HEADER}\n{ROW}\n".encode() + b"7" * 3_000_000, "row 3: a cell has more than 131,072 characters"),
        (f"{HEADER}\n{ROW}\n\n{ROW.replace('2021', '2020')}\n".encode(), "row 3, column t: ''"),
    ],
)
def test_files_that_are_something_else(tmp_path: Path, content: bytes, match: str) -> None:
    """Law 12: alone or inside a zip file, they are refused with what they are."""
    name = "BACI_HS17_Y2021_V202501"
    (tmp_path / f"{name}.csv").write_bytes(content)
    with zipfile.ZipFile(tmp_path / NAME, "w") as file:
        file.writestr(f"{name}.csv", content)
    for path in (tmp_path / f"{name}.csv", tmp_path / NAME):
        with pytest.raises(SourceFormatError, match=match):
            data.add("baci", path, tmp_path / "store")
    assert not (tmp_path / "store").exists()


_NUMBERS = (" 1", "  0.001", "12.5  ", "1e3", ".5", "5.", "-1", "-0", "nan", "inf", "1_0", "1d3", "+5", '"7"')
CELLS = {
    "year": st.sampled_from(["2021", " 2021", "2021 ", "21", "2021.0", "", "+2021"]),
    "country": st.sampled_from(["156", "  410", "0156", "999", "-156", "40000", "", "4.1"]),
    "code": st.sampled_from(["850511", "  010110", "0", "1000000", "8505AA", "85051 "]),
    "amount": st.sampled_from(
        [*_NUMBERS, "NA", "      NA", "NA ", "", "N/A", "1e999", "12345678.901", "0x1"]
    ),
}


@given(
    st.lists(
        st.tuples(*(CELLS[n] for n in ("year", "country", "country", "code", "amount", "amount"))),
        min_size=1,
        max_size=3,
    ),
    st.sampled_from(["\n", "\r\n"]),
)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_quick_way_accepts_what_the_slow_way_accepts(rows: list[tuple[str, ...]], end: str) -> None:
    """Whatever the quick way reads, the slow way reads the same."""
    block = "".join(",".join(row) + end for row in rows).encode()
    header = Header(baci_rows.COLUMNS)
    quick = baci_rows._quickly(block, header)
    if quick is None:
        return
    slow, count = baci_rows._slowly(block, header, 2, "file")
    assert count == len(rows)
    assert slow.equals(quick)


@given(st.binary(max_size=60), st.integers(1, 9), st.integers(1, 30))
@settings(max_examples=100, deadline=None)
def test_blocks_are_whole_lines(text: bytes, piece: int, size: int) -> None:
    pieces = [text[n : n + piece] for n in range(0, len(text), piece)]
    blocks = list(line_blocks(pieces, "file", size))
    assert b"".join(blocks) == text
    assert all(block.endswith(b"\n") for block in blocks[:-1] if block)


# ---- what a release says about itself ----------------------------------------------------------------------


def test_years_that_are_missing_or_cut_off_are_told(tmp_path: Path, small: None) -> None:
    """Law 2: a year that is not there is unknown, and is said to be."""
    years = {"2018": lines(2018), "2020": lines(2020), "2021": lines(2021)[:100], "2022": lines(2022)}
    years["2018"].append(lines(2017)[0])
    result = data.add("baci", release(tmp_path, years), tmp_path / "store")
    found = {f.code: f.values for f in result.findings}
    assert found["year-missing"]["years"] == [2019]
    assert found["year-looks-short"]["year"] == 2021
    assert found["year-not-of-name"]["years"] == [2017]


def test_codes_are_checked_against_the_releases_own_list(tmp_path: Path, small: None) -> None:
    """A code that the publisher's list lacks is named with its row; keeping known codes is a way out."""
    products = "code,description\n" + "\n".join(f"{code:06d},made up" for code in CODES if code != 811292)
    products += "\n9999AA,Commodities not specified\n"
    path = release(tmp_path, {"2021": lines(2021)}, product_codes_HS17=products)
    row = next(n for n, line in enumerate(lines(2021), start=2) if ",811292," in line)
    with pytest.raises(
        SourceFormatError, match=rf"row {row}, column k: '811292' is no code of product_codes"
    ):
        data.add("baci", path, tmp_path / "store")
    assert not (tmp_path / "store").exists()
    data.add("baci", path, tmp_path / "store", codes=["282520"])


def test_countries_that_the_release_names_otherwise_are_told(tmp_path: Path) -> None:
    table = "country_code,country_name,country_iso2,country_iso3\n156,China,CN,CHN\n490,Oth. Asia,N/A,S19\n"
    table += "516,Namibia,NA,ZAF\n"
    path = release(tmp_path, {"2021": lines(2021)}, country_codes=table)
    found = data.add("baci", path, tmp_path / "store").findings
    assert [(f.code, f.values["codes"]) for f in found] == [("country-code-differs", ["516"])]


def test_a_renamed_release_is_known_by_its_files(tmp_path: Path) -> None:
    path = release(tmp_path, {"2021": lines(2021)}, "download.zip")
    added = data.add("baci", path, tmp_path / "store")["added"].row(0, named=True)
    assert (added["revision"], added["as_of"]) == ("HS2017", "2025-01-31")
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("BACI_HS92_Y2020_V202501.csv", f"{HEADER}\n{ROW}\n")
    with pytest.raises(SourceFormatError, match="mixes revisions of the codes"):
        data.add("baci", path, tmp_path / "store")


# ---- archives made to do harm ------------------------------------------------------------------------------


def _patched(path: Path, change: Callable[[bytearray, int, int], None]) -> Path:
    """Change the first local header and the first entry of the directory."""
    content = bytearray(path.read_bytes())
    change(content, content.index(b"PK\x03\x04"), content.index(b"PK\x01\x02"))
    path.write_bytes(content)
    return path


def _claim(size: int) -> Callable[[bytearray, int, int], None]:
    def change(content: bytearray, local: int, entry: int) -> None:
        struct.pack_into("<L", content, local + 22, size)
        struct.pack_into("<L", content, entry + 24, size)

    return change


def _method(content: bytearray, local: int, entry: int) -> None:
    struct.pack_into("<H", content, local + 8, 9)
    struct.pack_into("<H", content, entry + 10, 9)


def _overlap(content: bytearray, local: int, entry: int) -> None:
    """Let the second entry of the directory point at the first file."""
    other = content.index(b"PK\x01\x02", entry + 4)
    struct.pack_into("<L", content, other + 42, local)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (_claim(40), "is truncated or damaged|is larger than the archive says"),
        (_claim(30_000), "is smaller than the archive says|is truncated or damaged"),
        (_claim(4_000_000_000), "no table of numbers packs so well"),
        (_method, "packed in a way that is not read here .* Unpack it, pack it again"),
        (_overlap, "overlaps what follows it"),
    ],
)
def test_archives_that_lie(tmp_path: Path, change: Callable[[bytearray, int, int], None], match: str) -> None:
    path = _patched(release(tmp_path, {"2020": lines(2020), "2021": lines(2021)}), change)
    with pytest.raises(SourceFormatError, match=match):
        data.add("baci", path, tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_an_archive_in_an_archive_and_a_name_twice(tmp_path: Path) -> None:
    inner = whole(tmp_path / "inner")
    outer = tmp_path / NAME
    with zipfile.ZipFile(outer, "w") as file:
        file.write(inner, "BACI_HS17.zip")
    with pytest.raises(SourceFormatError, match="it holds another archive, BACI_HS17"):
        data.add("baci", outer, tmp_path / "store")
    with zipfile.ZipFile(outer, "w") as file, pytest.warns(UserWarning, match="Duplicate name"):
        for _ in range(2):
            file.writestr("BACI_HS17_Y2021_V202501.csv", f"{HEADER}\n{ROW}\n")
    with pytest.raises(SourceFormatError, match="is there twice"):
        data.add("baci", outer, tmp_path / "store")


@pytest.mark.parametrize("part", [0.01, 0.3, 0.7, 0.97, 0.999])
def test_a_half_downloaded_release_is_refused(tmp_path: Path, part: float) -> None:
    path = whole(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * part)])
    with pytest.raises(SourceFormatError, match=r"truncated or damaged .* Download it again"):
        data.add("baci", path, tmp_path / "store")
    path.write_bytes(b"<!DOCTYPE html><html>404</html>")
    with pytest.raises(SourceFormatError, match="web page saved under the name of a table"):
        data.add("baci", path, tmp_path / "store")
    assert not (tmp_path / "store").exists()


# ---- all or nothing ----------------------------------------------------------------------------------------


def _steps(path: Path, folder: Path) -> Iterator[str]:
    seen: list[str] = []
    data.add("baci", path, folder, progress=seen.append)
    return iter(seen)


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_kill_at_any_step_leaves_nothing_half_stored(tmp_path: Path, small: None) -> None:
    """Law 12: kill -9 while unpacking, sorting a year, sorting importers: the older vintage is all there is,
    and the next one sweeps up, whatever data set it adds to."""
    path = whole(tmp_path)
    older = release(tmp_path, {"2020": lines(2020, seed=4)}, "BACI_HS17_V202401.zip")
    steps = list(_steps(path, tmp_path / "dry"))
    assert steps[-1].startswith("sort importers")
    data.add("baci", older, tmp_path / "store")
    before = tree(tmp_path / "store")
    for step in (steps[2], "sort 2020", "sort importers 1 of", steps[-1]):
        code = f"""
import os, signal
from evernormal.data import add
{SMALL}
def progress(step):
    if step.startswith({step!r}):
        os.kill(os.getpid(), signal.SIGKILL)
add("baci", {str(path)!r}, {str(tmp_path / "store")!r}, progress=progress)
"""
        done = subprocess.run([sys.executable, "-c", code], check=False)
        assert done.returncode == -signal.SIGKILL
        kept = {k: v for k, v in tree(tmp_path / "store").items() if ".evernormal-building-" not in k}
        kept.pop("add.lock", None)
        assert kept == before
        assert data.journal(tmp_path / "store").height == 1
        assert data.trade(dataset="baci-hs2017", folder=tmp_path / "store")["year"].unique().to_list() == [
            2020
        ]
    assert any(".evernormal-building-" in name for name in tree(tmp_path / "store"))
    data.add("baci", path, tmp_path / "store", name="other")
    assert not any(".evernormal-building-" in name for name in tree(tmp_path / "store"))
    assert data.trade(dataset="other", folder=tmp_path / "store").height > 1400
    assert data.verify(tmp_path / "store")["checks"]["ok"].all()


def test_a_folder_that_no_entry_names_is_told(tmp_path: Path, small: None) -> None:
    """A kill between the move into place and the journal leaves a folder that is never read."""
    data.add("baci", whole(tmp_path), tmp_path / "store")
    (tmp_path / "store" / "journal.jsonl").unlink()
    faults = data.verify(tmp_path / "store")["faults"].filter(pl.col("check") == "store")
    assert faults["level"].to_list() == ["info"]
    assert "no entry of the journal names this folder" in faults["message"].item()
    data.add("baci", tmp_path / NAME, tmp_path / "store")
    assert data.verify(tmp_path / "store")["faults"].filter(pl.col("check") == "store").is_empty()


@pytest.mark.skipif(os.name == "nt", reason="limits of POSIX")
@pytest.mark.parametrize("limit", [500, 4_000, 9_000])
def test_a_full_disk_while_sorting_stores_nothing(tmp_path: Path, limit: int) -> None:
    """Law 12: the writers' own errors: no file may grow beyond a limit."""
    path = release(tmp_path / "files", {str(year): lines(year, chance=0.95) for year in (2020, 2021)})
    code = f"""
import resource, signal
from evernormal.data import add
from evernormal.errors import StorageError
{SMALL}
archive._BLOCK = baci_csv.BLOCK = 1 << 20
parting.Sizes.rows_of_codes = parting.Sizes.rows_of_pairs = parting.Sizes.rows_of_group = 1000
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
try:
    add("baci", {str(path)!r}, {str(tmp_path / "store")!r})
except StorageError as error:
    print(error.what)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert "the disk is full; nothing was added" in done.stdout
    assert not (tmp_path / "store").exists()


def test_an_interrupt_while_sorting_stores_nothing(tmp_path: Path, small: None) -> None:
    def stop(step: str) -> None:
        if step.startswith("sort importers"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="nothing was added"):
        data.add("baci", whole(tmp_path), tmp_path / "store", progress=stop)
    assert not (tmp_path / "store").exists()


def test_two_processes_do_not_add_at_once(tmp_path: Path, small: None) -> None:
    def other(step: str) -> None:
        if step == "sort 2020":
            data.add("baci", tmp_path / NAME, tmp_path / "store")

    whole(tmp_path)
    with pytest.raises(StorageError, match="is adding data to this folder"):
        data.add("baci", tmp_path / NAME, tmp_path / "store", progress=other)
    assert not (tmp_path / "store").exists()
