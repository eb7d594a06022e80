"""The user's store: everything is checked first, nothing is half stored, nothing is mixed."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evernormal import data, storage
from evernormal.data import additions
from evernormal.data.publishers import baci_csv
from evernormal.data.publishers.archive import Limits
from evernormal.data.schema import TABLES
from evernormal.errors import (
    EvernormalError,
    InputError,
    NotCoveredError,
    SnapshotError,
    SourceFormatError,
    StorageError,
    UnknownNameError,
)

from .made_up import BACI_CSV, BACI_NAME, tree

QUICK = settings(max_examples=12, deadline=None)
HEADER = "t,i,j,k,v,q"


def write(folder: Path, text: str | bytes, name: str = BACI_NAME) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return path


@contextmanager
def temporary() -> Iterator[Path]:
    """A folder for one example of a property test."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def add_text(folder: Path, text: str | bytes, file: str = BACI_NAME, **options: object) -> pl.DataFrame:
    return data.add("baci", write(folder / "files", text, file), folder / "store", **options)["added"]  # type: ignore[arg-type]


def test_added_rows_come_back(tmp_path: Path, baci_file: Path) -> None:
    """Laws 2 and 4: units, unknown quantities and leading zeros survive; every row names its source."""
    added = data.add("baci", baci_file, tmp_path / "store")["added"].row(0, named=True)
    assert (added["dataset"], added["rows"], added["revision"], added["as_of"]) == (
        "baci-hs2017",
        3,
        "HS2017",
        "2025-01-31",
    )
    rows = data.trade(dataset="baci-hs2017", folder=tmp_path / "store").sort("exporter")
    assert rows.select("exporter", "code", "value_usd", "quantity_t").rows() == [
        ("CHN", "850511", 1_234_567.0, 12.5),
        ("TWN", "850511", 10_100.0, None),
        ("USA", "010110", 5_000.0, None),
    ]
    assert rows["source"].unique().item() == f"CEPII, BACI, HS2017, {BACI_NAME}"
    assert rows["source_ref"][0] == "t=2023 i=156 j=410 k=850511"


def test_data_sets_are_not_mixed(tmp_path: Path, baci_file: Path) -> None:
    data.add("baci", baci_file, tmp_path / "store")
    with pytest.raises(NotCoveredError, match="no trade of HS1992 code 850511"):
        data.trade(["850511"], folder=tmp_path / "store")
    with pytest.raises(
        UnknownNameError, match=r"unknown data set of kind trade 'baci-hs2012'. Did you mean 'baci-hs2017'"
    ):
        data.trade(["850511"], dataset="baci-hs2012", folder=tmp_path / "store")
    with pytest.raises(UnknownNameError, match="unknown data set of kind facts"):
        data.facts(dataset="baci-hs2017", folder=tmp_path / "store")


def test_lineage_names_the_users_file(tmp_path: Path, baci_file: Path) -> None:
    """Law 6: a result made from user data says so by hash."""
    data.add("baci", baci_file, tmp_path / "store")
    result = data.supplier_shares("KOR", ["850511"], dataset="baci-hs2017", folder=tmp_path / "store")
    assert result["shares"]["supplier"].to_list() == ["CHN", "TWN"]
    stored = data.vintages(tmp_path / "store")[0]
    assert [(i.name, i.sha256) for i in result.lineage.inputs] == [
        (f"baci-hs2017/{stored.vintage}", stored.sha256)
    ]


def test_older_vintages_stay(tmp_path: Path) -> None:
    """Law 11: on an earlier day the earlier vintage is read."""
    add_text(tmp_path, BACI_CSV)
    add_text(tmp_path, BACI_CSV.replace("1234.567", "2000"), "BACI_HS17_Y2023_V202601.csv")
    chosen = {"dataset": "baci-hs2017", "folder": tmp_path / "store", "exporters": ["CHN"]}
    assert data.trade(**chosen)["value_usd"].item() == 2_000_000  # type: ignore[arg-type]
    assert data.trade(**chosen, as_of="2025-12-31")["value_usd"].item() == 1_234_567  # type: ignore[arg-type]
    with pytest.raises(NotCoveredError, match="no vintage of 'baci-hs2017' was knowable on 2025-01-30"):
        data.trade(**chosen, as_of="2025-01-30")  # type: ignore[arg-type]
    assert data.journal(tmp_path / "store")["as_of"].to_list() == ["2025-01-31", "2026-01-31"]


def test_adding_the_same_file_again_changes_nothing(tmp_path: Path, baci_file: Path) -> None:
    data.add("baci", baci_file, tmp_path / "store")
    before = tree(tmp_path / "store")
    result = data.add("baci", baci_file, tmp_path / "store")
    assert [f.code for f in result.findings] == ["already-stored"]
    assert tree(tmp_path / "store") == before


def test_years_that_the_new_vintage_lacks_are_told(tmp_path: Path) -> None:
    add_text(tmp_path, BACI_CSV)
    path = write(tmp_path / "files", BACI_CSV.replace("2023", "2022"), "BACI_HS17_Y2022_V202501.csv")
    result = data.add("baci", path, tmp_path / "store")
    assert [f.code for f in result.findings] == ["years-not-in-vintage"]


def test_a_release_is_added_as_its_zip_file(tmp_path: Path) -> None:
    path = tmp_path / "BACI_HS22_V202601.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for year in ("2022", "2023"):
            archive.writestr(f"BACI_HS22_Y{year}_V202601.csv", BACI_CSV.replace("2023", year))
        archive.writestr("country_codes_V202601.csv", "country_code,country_name\n4,Afghanistan\n")
    result = data.add("baci", path, tmp_path / "store", codes=["850511"])
    assert result["added"].row(0, named=True)["rows"] == 4
    assert data.covered_codes(dataset="baci-hs2022", folder=tmp_path / "store") == ("850511",)


def test_facts_of_the_user(tmp_path: Path) -> None:
    header = (TABLES / "facts.csv").read_text("utf-8").splitlines()[0]
    row = "mine-1,stock_days,gallium,,KOR,,40,,,day,,2023-10,days held,Ministry,page 3,2023-10-31,B"
    path = write(tmp_path, f"\ufeff{header}\n{row}\n", "Our facts.csv")
    added = data.add("facts", path, tmp_path / "store")["added"].row(0, named=True)
    assert (added["dataset"], added["as_of"]) == ("facts-our-facts", "2023-10-31")
    rows = data.facts("stock_days", region="KOR", dataset="facts-our-facts", folder=tmp_path / "store")
    assert rows["value"].to_list() == [40.0]
    assert rows["low"].null_count() == 1
    assert data.facts().filter(pl.col("fact_id") == "mine-1").is_empty()


FACT = {
    "fact_id": "x",
    "topic": "import_share",
    "material": "gallium",
    "region": "KOR",
    "value": "0.5",
    "unit": "1",
    "period": "2023",
    "definition": "by value",
    "source": "KITA",
    "source_ref": "p. 1",
    "as_of": "2024-01-31",
    "grade": "B",
}


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"topic": "import_shares"}, "row 2, column topic: 'import_shares' is none of import_share"),
        ({"region": "KRO"}, "row 2, column region: 'KRO' is no ISO 3166 alpha-3 code"),
        ({"grade": "D"}, "row 2, column grade"),
        ({"value": "1,600,000"}, "row 2, column value: '1,600,000' is no number"),
        ({"value": "nan"}, "'nan' is no number"),
        ({"value": "1.5"}, "a share is a fraction from 0 to 1, got"),
        ({"value": "0.5", "low": "0.6"}, "not in order"),
        ({"value": ""}, "value, low and high are all empty"),
        ({"source": " "}, "row 2, column source: is empty"),
        ({"as_of": "31.1.2024"}, "'31.1.2024' is no date"),
        ({"form": "Gallium"}, "not written like lithium/hydroxide"),
    ],
)
def test_faulty_facts_are_named(tmp_path: Path, change: dict[str, str], match: str) -> None:
    """Laws 2, 4, 10 and 12: file, row, column and cure; nothing is stored."""
    header = (TABLES / "facts.csv").read_text("utf-8").splitlines()[0].split(",")
    cells = FACT | change
    line = ",".join(f'"{cells.get(name, "")}"' for name in header)
    path = write(tmp_path, ",".join(header) + "\n" + line + "\n", "f.csv")
    with pytest.raises(SourceFormatError, match=match):
        data.add("facts", path, tmp_path / "store")
    assert not (tmp_path / "store").exists()


ROW = "2023,156,410,850511,1,2"


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "the file is empty"),
        ("\n\n", "the file is empty"),
        ("<!DOCTYPE html><html><body>Please log in", "web page saved under the name of a table"),
        ("\ufeff<html>", "web page"),
        (b"PK\x05\x06nonsense", "column t, i, j, k, v, q is missing"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an old Excel workbook"),
        ("t,i,j,k,v\n1,2,3,4,5\n", "column q is missing; the header has t, i, j, k, v"),
        ("t,i,j,k,v,q,q\n1,2,3,4,5,6,7\n", "column q is there twice"),
        (f"{HEADER}\n", "a header and no rows"),
        (f"{HEADER}\n{ROW}\n{ROW}\n", "row 3, column t, i, j, k: the same flow as row 2"),
        (f"{HEADER}\n2023,999,410,850511,1,2\n", "row 2, column i: '999' is no country code of BACI"),
        (
            f"{HEADER}\n{ROW}\n2023,156,410,850511,-1,2\n",
            "row 3, column v: '-1', expected a value in thousand USD",
        ),
        (f"{HEADER}\n2023,156,410,850511,1,-2\n", "row 2, column q: '-2', expected a quantity in tonnes"),
        (f"{HEADER}\n2023,156,410,850511,1e999,2\n", "row 2, column v"),
        (f"{HEADER}\n2023,156,410,850511,,2\n", "row 2, column v: ''"),
        (
            f"{HEADER}\n2023,156,410,8505110,1,2\n",
            "row 2, column k: '8505110', expected a code of six digits",
        ),
        (f"{HEADER}\n23,156,410,850511,1,2\n", "row 2, column t: '23', expected a year like 2023"),
        (f"{HEADER}\n{ROW}\n2023,156,410,850512,1,2,3\n", "row 3 has 7 cells, expected 6"),
        (f"{HEADER}\n2023,156,410\n", "row 2 has 3 cells, expected 6"),
        (f"{HEADER}\n{ROW}\n2023,\xe9,410,850511,1,2\n".encode("latin-1"), "row 3, column i is not UTF-8"),
    ],
)
def test_faulty_trade_is_named(tmp_path: Path, text: str | bytes, match: str) -> None:
    """Law 12: file, row, column and cure; nothing is stored, not even a folder."""
    with pytest.raises(SourceFormatError, match=match) as caught:
        add_text(tmp_path, text)
    assert BACI_NAME in caught.value.where
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"revision": "HS2018"}, InputError, "unknown revision 'HS2018'. Give HS2017"),
        ({"name": "trade"}, InputError, "cannot be the name of a data set"),
        ({"name": "../evil"}, InputError, "cannot be the name of a data set"),
        ({"as_of": "soon"}, InputError, "'soon' is no day"),
        ({"codes": ["999999"]}, SourceFormatError, "no row is left"),
    ],
)
def test_faulty_options_are_named(
    tmp_path: Path, options: dict[str, object], error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        add_text(tmp_path, BACI_CSV, **options)
    assert not (tmp_path / "store").exists()


def test_what_the_file_name_does_not_tell_must_be_given(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not tell the revision of its codes"):
        add_text(tmp_path, BACI_CSV, "flows.csv")
    with pytest.raises(InputError, match="does not tell when it was published"):
        add_text(tmp_path, BACI_CSV, "flows.csv", revision="HS2022")
    added = add_text(tmp_path, BACI_CSV, "flows.csv", revision="HS2022", as_of="2024-05-01", name="mine")
    assert added["dataset"].item() == "mine"
    with pytest.raises(UnknownNameError, match=r"unknown source 'bacci'. Did you mean 'baci'"):
        data.add("bacci", tmp_path / "files/flows.csv", tmp_path / "store")
    with pytest.raises(InputError, match="there is no such file"):
        data.add("baci", tmp_path / "nothing.csv", tmp_path / "store")
    with pytest.raises(SourceFormatError, match="'mine' holds revision 'HS2022', the file 'HS2017'"):
        add_text(tmp_path, BACI_CSV, "flows.csv", revision="HS2017", as_of="2024-05-01", name="mine")


def archive_of(folder: Path, content: bytes, **options: object) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "BACI_HS17_V202501.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("BACI_HS17_Y2023_V202501.csv", content)
    return path


def test_hostile_archives_are_refused(tmp_path: Path) -> None:
    """A zip bomb, a truncated zip, one that is too large, one without tables."""
    bomb = archive_of(tmp_path / "a", b"0" * 20_000_000)
    with pytest.raises(
        SourceFormatError, match=r"would unpack to 20,000,000 bytes from .* no table of numbers packs so well"
    ):
        data.add("baci", bomb, tmp_path / "store")
    whole = archive_of(tmp_path / "b", BACI_CSV.encode())
    with pytest.raises(SourceFormatError, match="the limit is 500 files of 10 bytes"):
        data.add("baci", whole, tmp_path / "store", limits=Limits(total=10))
    whole.write_bytes(whole.read_bytes()[:-40])
    with pytest.raises(SourceFormatError, match=r"truncated or damaged .* Download it again"):
        data.add("baci", whole, tmp_path / "store")
    damaged = archive_of(tmp_path / "c", os.urandom(3000))
    content = bytearray(damaged.read_bytes())
    content[500] ^= 0xFF
    damaged.write_bytes(content)
    with pytest.raises(SourceFormatError, match="truncated or damaged"):
        data.add("baci", damaged, tmp_path / "store")
    with zipfile.ZipFile(tmp_path / "BACI_HS17_V202502.zip", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    with pytest.raises(SourceFormatError, match="no trade table in it"):
        data.add("baci", tmp_path / "BACI_HS17_V202502.zip", tmp_path / "store")
    assert not (tmp_path / "store").exists()


@given(seed=st.integers(0, 10_000))
@QUICK
def test_row_order_does_not_change_what_is_stored(seed: int) -> None:
    """Law 7: the same rows in any order are the same vintage, and unit spellings change nothing."""
    lines = BACI_CSV.splitlines()[1:]
    random.Random(seed).shuffle(lines)
    padded = [line.replace(",", ",   ") for line in lines]
    with temporary() as folder:
        one = add_text(folder / "a", BACI_CSV)
        two = add_text(folder / "b", "\r\n".join([HEADER, *padded]) + "\r\n")
        assert one["sha256"].item() == two["sha256"].item()


@given(scale=st.floats(1e-3, 1e6), by=st.sampled_from(["value", "quantity"]))
@QUICK
def test_unit_scale_does_not_change_shares(scale: float, by: str) -> None:
    """Law 7: all values and quantities times the same number, the same shares."""
    flows = [("156", 5.0, 2.0), ("152", 3.0, 1.0), ("36", 2.0, 5.0)]
    with temporary() as folder:
        shares = []
        for factor in (1.0, scale):
            rows = [f"2023,{i},410,282520,{v * factor!r},{q * factor!r}" for i, v, q in flows]
            add_text(
                folder,
                "\n".join([HEADER, *rows]),
                file="x.csv",
                revision="HS2017",
                as_of=f"20{20 + len(shares)}-01-01",
            )
            result = data.supplier_shares(
                "KOR", ["282520"], by=by, dataset="baci-hs2017", folder=folder / "store"
            )  # type: ignore[arg-type]
            shares.append(dict(result["shares"].select("supplier", "share").rows()))
        assert shares[0] == pytest.approx(shares[1], rel=1e-3)


@given(position=st.integers(0, len(BACI_CSV) - 1), junk=st.binary(max_size=3))
@settings(max_examples=40, deadline=None)
def test_any_damage_is_refused_or_read_but_never_half_stored(position: int, junk: bytes) -> None:
    """Law 12: whatever bytes a file has, the answer is rows of the schema or one clear error and no trace."""
    content = BACI_CSV.encode()
    damaged = content[:position] + junk + content[position + 1 :]
    with temporary() as folder:
        add_text(folder, BACI_CSV, "BACI_HS17_Y2023_V202401.csv")
        before = tree(folder / "store")
        try:
            add_text(folder, damaged)
        except (SourceFormatError, InputError) as error:
            assert error.where
            assert tree(folder / "store") == before
        else:
            rows = data.trade(dataset="baci-hs2017", folder=folder / "store")
            assert rows["value_usd"].is_finite().all()
            assert (rows["value_usd"] >= 0).all()


STEPS = ["read", "write", "swap", "journal", "journal is written"]


def _fail_at(step: str, error: BaseException, patch: pytest.MonkeyPatch) -> None:
    """Make one step of adding fail."""

    def fail(*_: object, **__: object) -> None:
        raise error

    def written(*arguments: object) -> None:
        original(*arguments)  # type: ignore[arg-type]
        raise error

    original = additions.append
    targets = {
        "read": (baci_csv, "parse", fail),
        "write": (pl.DataFrame, "write_parquet", fail),
        "swap": (storage, "_replace", fail),
        "journal": (additions, "append", fail),
        "journal is written": (additions, "append", written),
    }
    owner, name, replacement = targets[step]
    patch.setattr(owner, name, replacement)


@pytest.mark.parametrize("step", STEPS[:-1])
@pytest.mark.parametrize("first", [True, False])
def test_a_full_disk_stores_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, first: bool
) -> None:
    """Law 12: disk full at any step, and the store is as it was."""
    if not first:
        add_text(tmp_path, BACI_CSV)
    path = write(tmp_path / "files", BACI_CSV.replace("1234.567", "9"), "BACI_HS17_Y2023_V202601.csv")
    before = tree(tmp_path)
    with monkeypatch.context() as patch:
        _fail_at(step, OSError(errno.ENOSPC, "No space left on device", "trade.parquet"), patch)
        with pytest.raises(StorageError, match="the disk is full; nothing was added"):
            data.add("baci", path, tmp_path / "store")
    assert tree(tmp_path) == before
    assert data.add("baci", path, tmp_path / "store").findings == ()


@pytest.mark.skipif(os.name == "nt", reason="limits of POSIX")
@pytest.mark.parametrize("limit", [0, 500, 1500])
def test_what_the_system_refuses_is_told(tmp_path: Path, baci_file: Path, limit: int) -> None:
    """Law 12: the writers' own errors, not simulated ones: a file may not grow beyond a limit."""
    code = f"""
import resource, signal
from evernormal.data import add
from evernormal.errors import StorageError
import polars
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
try:
    add("baci", {str(baci_file)!r}, {str(tmp_path / "store")!r})
except StorageError as error:
    print(error.what)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert "the disk is full; nothing was added" in done.stdout
    assert data.journal(tmp_path / "store").is_empty()
    assert not list((tmp_path / "store").rglob("*.parquet"))


@pytest.mark.parametrize("step", STEPS)
def test_an_interrupt_stores_all_or_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Law 12: an interrupt at any step; what the journal names is there, and nothing else."""
    add_text(tmp_path, BACI_CSV)
    path = write(tmp_path / "files", BACI_CSV.replace("1234.567", "9"), "BACI_HS17_Y2023_V202601.csv")
    before = tree(tmp_path)
    with monkeypatch.context() as patch:
        _fail_at(step, KeyboardInterrupt(), patch)
        with pytest.raises(KeyboardInterrupt):
            data.add("baci", path, tmp_path / "store")
    if step == "journal is written":
        assert data.journal(tmp_path / "store").height == 2
        assert data.trade(dataset="baci-hs2017", folder=tmp_path / "store").height == 3
    else:
        assert tree(tmp_path) == before


def test_only_one_process_adds(tmp_path: Path, baci_file: Path) -> None:
    with (
        storage.exclusive(tmp_path / "store" / "add.lock", doing="adding data to this folder"),
        pytest.raises(
            StorageError, match=f"process {os.getpid()}.* is adding data .* Wait until it has finished"
        ),
    ):
        data.add("baci", baci_file, tmp_path / "store")
    data.add("baci", baci_file, tmp_path / "store")


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_killed_process_leaves_no_trace(tmp_path: Path, baci_file: Path) -> None:
    """Law 12: kill -9 between writing and the journal; the next one adds, and sweeps up."""
    code = f"""
import time
from evernormal.data import add, additions
def wait(*_):
    print("ready", flush=True)
    time.sleep(60)
additions.append = wait
add("baci", {str(baci_file)!r}, {str(tmp_path / "store")!r})
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        with pytest.raises(StorageError, match=f"process {process.pid}"):
            data.add("baci", baci_file, tmp_path / "store")
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=10)
    assert data.journal(tmp_path / "store").is_empty()
    with pytest.raises(UnknownNameError):
        data.trade(dataset="baci-hs2017", folder=tmp_path / "store")
    assert data.add("baci", baci_file, tmp_path / "store")["added"].height == 1
    names = sorted(p.name for p in (tmp_path / "store").rglob("*") if p.is_file())
    assert names == ["journal.jsonl", "trade.parquet"]


def test_a_line_cut_off_by_a_crash_is_no_line(tmp_path: Path, baci_file: Path) -> None:
    add_text(tmp_path, BACI_CSV.replace("1234.567", "9"), "BACI_HS17_Y2023_V202401.csv")
    journal = tmp_path / "store" / "journal.jsonl"
    whole = journal.read_bytes()
    journal.write_bytes(whole + whole[:50])
    assert data.journal(tmp_path / "store").height == 1
    data.add("baci", baci_file, tmp_path / "store")
    assert data.journal(tmp_path / "store")["sequence"].to_list() == [1, 2]


def test_a_changed_journal_is_noticed(tmp_path: Path) -> None:
    """The journal is a hash chain: a changed or a missing line breaks it."""
    add_text(tmp_path, BACI_CSV)
    add_text(tmp_path, BACI_CSV.replace("1234.567", "9"), "BACI_HS17_Y2023_V202601.csv")
    journal = tmp_path / "store" / "journal.jsonl"
    lines = journal.read_text("utf-8").splitlines()
    journal.write_text(lines[0].replace("2025", "2024") + "\n" + lines[1] + "\n", "utf-8")
    with pytest.raises(SnapshotError, match="line 2 does not follow from the line before"):
        data.journal(tmp_path / "store")
    journal.write_text(lines[1] + "\n", "utf-8")
    with pytest.raises(SnapshotError, match="line 1 does not follow"):
        data.trade(dataset="baci-hs2017", folder=tmp_path / "store")
    journal.write_text("nonsense\n", "utf-8")
    with pytest.raises(SnapshotError, match="line 1 is not a journal entry"):
        data.status(tmp_path / "store")


def test_a_changed_vintage_is_never_read(tmp_path: Path, baci_file: Path) -> None:
    data.add("baci", baci_file, tmp_path / "store")
    stored = next((tmp_path / "store").rglob("*.parquet"))
    stored.write_bytes(stored.read_bytes()[:-10])
    with pytest.raises(
        SnapshotError, match=r"trade.parquet: .*truncated or changed. Add the publisher's file again"
    ):
        data.trade(dataset="baci-hs2017", folder=tmp_path / "store")


def test_reading_creates_nothing(tmp_path: Path) -> None:
    """Nothing is made at import or at read."""
    folder = tmp_path / "nowhere"
    assert data.journal(folder).is_empty()
    assert data.vintages(folder) == ()
    assert data.status(folder)["tables"].height == 6
    assert data.verify(folder)["checks"]["ok"].all()
    with pytest.raises(UnknownNameError):
        data.trade(dataset="baci-hs2017", folder=folder)
    assert not folder.exists()
    assert data.default_folder().name == "evernormal"


def test_no_permission_is_said(tmp_path: Path, baci_file: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder", "utf-8")
    with pytest.raises(StorageError, match="nothing was changed"):
        data.add("baci", baci_file, blocked / "store")


def test_every_error_of_this_room_is_one_of_ours(tmp_path: Path) -> None:
    """Law 12: errors carry what, where and cure, and travel as JSON."""
    with pytest.raises(EvernormalError) as caught:
        add_text(tmp_path, f"{HEADER}\n2023,999,410,850511,1,2\n")
    assert set(json.loads(json.dumps(caught.value.as_dict()))) == {"error", "what", "where", "cure"}
    assert caught.value.exit_code == 3


def test_law_11_facts_of_a_day_come_from_the_vintage_of_that_day(tmp_path: Path) -> None:
    """Law 11: a figure that a later vintage corrected is read as it then stood."""
    rows = data.facts("stock_days").head(1)
    for value, day in ((40.0, "2023-07-04"), (45.0, "2024-07-04")):
        path = tmp_path / "own.csv"
        rows.with_columns(value=pl.lit(value), as_of=pl.lit(day)).write_csv(path)
        data.add("facts", path, tmp_path / "store", name="own")
    for day, value in (("2024-01-01", [40.0]), ("2024-12-31", [45.0]), (None, [45.0])):
        found = data.facts(dataset="own", folder=tmp_path / "store", as_of=day)
        assert found["value"].to_list() == value
