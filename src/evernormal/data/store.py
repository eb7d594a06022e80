"""The user's own data: files that you bring, checked, stored as Parquet, never mixed with the shipped
snapshot.

A data set (``baci-hs2017``) has vintages, each named by the hash of its content and dated by the day on
which it was knowable; older vintages stay.  Nothing is created before something is added.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from evernormal.data import additions
from evernormal.data.editions import (
    Vintage,
    check_vintage,
    default_folder,
    journal,
    scan,
    vintage,
    vintage_of,
    vintages,
)
from evernormal.data.noticed import Noticed, lost_years
from evernormal.data.parting import are_whole, repeated, stored_amounts, write_parts
from evernormal.data.parts import MANIFEST
from evernormal.data.publishers.adapters import Adapter, Asked, Kind, Portions, Reading, adapter
from evernormal.data.publishers.archive import Limits
from evernormal.data.publishers.text import without_end
from evernormal.data.schema import OBSERVATIONS, day, public_columns
from evernormal.errors import InputError, SourceFormatError
from evernormal.result import Finding, Input, Lineage, Result, sha256_of
from evernormal.storage import (
    Staging,
    exclusive,
    remove_leftovers,
    staged_folder,
    storage_error,
    system_error,
)

__all__ = ["Vintage", "add", "check_vintage", "default_folder", "journal", "scan", "vintage", "vintages"]

_NAME = re.compile(r"[a-z][a-z0-9-]{0,60}")
ROWS_OF_ONE_FILE = 2_000_000
"""A trade table with more rows than this is stored in parts."""

_CODED = frozenset(("trade", "customs", "concordance", "input_output"))
_REVISED = frozenset(("trade", "customs", "concordance", "policies", "input_output"))

_RESERVED = {name.replace("_", "-") for name in (*OBSERVATIONS, "countries", "country_aliases")}


def add(
    source: str,
    file: str | Path,
    folder: str | Path,
    *,
    name: str | None = None,
    revision: str | None = None,
    as_of: date | str | None = None,
    codes: Iterable[str] | None = None,
    limits: Limits | None = None,
    progress: Callable[[str], None] = lambda step: None,
) -> Result:
    """Check a publisher's file and store it, all or nothing.

    Args:
        source: adapter, such as ``baci`` or ``facts``: see :func:`evernormal.data.sources`.
        file: the file.
        folder: folder of the store; made when it is not there.
        name: name of the data set; by default made from the source, its edition or the file's name.
        revision: revision of the codes, such as ``HS2017``; by default what the file name says.
        as_of: day on which the file was knowable (law 11); by default what the file name says.
        codes: for trade: keep these codes only.
        limits: what a zip file may hold.
        progress: called with the name of each step.

    Returns:
        Result ``data-addition`` with table ``added``: dataset, vintage, kind, rows, revision, as_of,
        sha256, path.

    Raises:
        UnknownNameError: there is no such adapter.
        InputError: the file is not there, or its revision or day is not known.
        SourceFormatError: the file is not what the adapter reads; names file, row, column and cure.
        StorageError: disk full, no permission, or another process is adding; the store is as it was.
    """
    chosen = adapter(source)
    path, root = Path(file), Path(folder)
    _require_file(path)
    wanted = None if codes is None else tuple([codes] if isinstance(codes, str) else codes)
    _require_fitting(chosen, wanted, revision)
    asked = Asked(revision, day(as_of), wanted, limits or Limits(), progress)
    if name is not None:
        _require_name(name)
    try:
        path.open("rb").close()
    except OSError as error:
        raise InputError(f"the file cannot be read ({error.strerror})", where=str(path)) from error
    with _no_empty_folders(root):
        try:
            found = _told_when_cut_off(chosen.reading(path, asked), path)
            rows, noticed = _gathered(chosen.kind, found)
            described = _describe(chosen, found, name)
            progress("store")
            with exclusive(root / "add.lock", doing="adding data to this folder"):
                before = vintages(root)
                entry, new = _store(rows, described, path, root, progress)
        except OSError as error:
            raise storage_error(error, "nothing was added") from error
    return _addition(vintage_of(entry, root), found, noticed, new, before)


def _require_fitting(chosen: Adapter, codes: tuple[str, ...] | None, revision: str | None) -> None:
    """Raise where something is asked that the table does not have, and that would be passed over."""
    given = {"codes": codes, "revision": revision}
    for name, kinds in (("codes", _CODED), ("revision", _REVISED)):
        if given[name] is not None and chosen.kind not in kinds:
            raise InputError(
                f"{name} cannot be chosen: {chosen.key} becomes a table of {chosen.kind}, which has none",
                where=name,
                cure="Leave it out.",
            )


def _require_file(path: Path) -> None:
    """Raise unless a path is that of an ordinary file: a device or a pipe may never end."""
    if path.is_file():
        return
    what = "there is no such file"
    if path.is_dir():
        what = "this is a folder, expected a file"
    elif path.exists():
        what = "this is a device or a pipe, expected an ordinary file"
    elif path.is_symlink():
        what = "this is a link that leads to no file"
    raise InputError(what, where=str(path), cure="Give the path of the publisher's file.")


def _told_when_cut_off(found: Reading, path: Path) -> Reading:
    """Add a finding where the last line of a text file has no end: its last number may be cut off too."""
    if not without_end(path):
        return found
    text = "The last line of the file has no end: if the download was cut off, its last cell is not whole."
    told = Finding("last-line-without-end", "caution", text, {"file": path.name})
    return replace(found, findings=(*found.findings, told))


@dataclass
class _Rows:
    """The rows of a file: one table, or more than that and the way to read the rest."""

    table: pl.DataFrame
    more: Iterator[pl.DataFrame] | None = None
    source: Portions | None = None

    def portions(self) -> Iterator[pl.DataFrame]:
        yield self.table
        self.table = self.table.clear()
        yield from self.more or ()


def _gathered(kind: Kind, found: Reading) -> tuple[_Rows, Noticed]:
    """Read until the rows are all there, or are too many for one file."""
    noticed = Noticed(kind)
    if found.portions is None:
        _require_schema(kind, found.table)
        noticed.see(found.table)
        return _Rows(found.table), noticed
    coming = noticed.watch(found.portions)
    begun: list[pl.DataFrame] = []
    for portion in coming:
        begun.append(portion)
        if sum(table.height for table in begun) > ROWS_OF_ONE_FILE:
            return _Rows(pl.concat(begun), coming, found.portions), noticed
    if not begun:
        raise SourceFormatError("no row is left", where=found.title, cure="Give codes that the file has.")
    table = pl.concat(begun).sort("code", "exporter", "importer", "year")
    again = repeated(table)
    if not again.is_empty():
        raise found.portions.twice(again)
    return _Rows(stored_amounts(table, are_whole(table))), noticed


@contextlib.contextmanager
def _no_empty_folders(root: Path) -> Iterator[None]:
    """Remove the folders that an addition made when nothing came into them."""
    existed = root.exists()
    try:
        yield
    except BaseException:
        made = [*(root / "datasets").glob("*"), root / "datasets", *([] if existed else [root])]
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


def _describe(chosen: Adapter, found: Reading, name: str | None) -> dict[str, Any]:
    """Return what the journal says about a file apart from its content."""
    return {
        "kind": chosen.kind,
        "dataset": _require_name(name or found.dataset[:61].rstrip("-")),
        "title": found.title,
        "revision": found.revision,
        "as_of": str(found.as_of),
        "licence": found.licence or chosen.licence,
        "grade": found.grade,
    }


def _require_name(name: str) -> str:
    if not _NAME.fullmatch(name) or name in _RESERVED:
        raise InputError(
            f"{name!r} cannot be the name of a data set",
            where="name",
            cure="Use small letters, digits and hyphens, a letter first, and no name of a shipped table.",
        )
    return name


def _require_schema(kind: Kind, table: pl.DataFrame) -> None:
    """Raise unless an adapter's rows have the columns that ``tables/schema.csv`` gives to their kind."""
    if kind == "trade":
        return
    wanted = {column.name: column.dtype for column in public_columns(kind)}
    if dict(table.schema) != wanted:
        raise TypeError(f"rows of kind {kind} have {dict(table.schema)}, the schema says {wanted}")


def _store(
    rows: _Rows, described: dict[str, Any], file: Path, root: Path, progress: Callable[[str], None]
) -> tuple[dict[str, Any], bool]:
    """Write the rows as a new vintage and enter it in the journal; return the entry, and if it is new."""
    known = [entry for entry in additions.read(root) if entry["dataset"] == described["dataset"]]
    _require_same_kind(known, described, file)
    for other in (root / "datasets").glob("*"):
        remove_leftovers(other)
    place = root / "datasets" / described["dataset"]
    with staged_folder(place, unchanged="nothing was added") as staging:
        written = _write(rows, described["kind"], staging, progress)
        digest = written["sha256"]
        found = next((entry for entry in known if entry["sha256"] == digest), None)
        if found is not None:
            return found, False
        entry = described | written | {"vintage": digest[:12]}
        entry |= {"file": file.name, "file_sha256": sha256_of(file)}
        staging.move_to(place / digest[:12])
        try:
            additions.append(root, entry)
        finally:
            entries = additions.read(root)
            if not any(e["dataset"] == entry["dataset"] and e["sha256"] == digest for e in entries):
                shutil.rmtree(place / digest[:12], ignore_errors=True)
                staging.placed = None
    return entries[-1], True


def _write(rows: _Rows, kind: Kind, staging: Staging, progress: Callable[[str], None]) -> dict[str, Any]:
    """Write one file, or the parts of a big table, and return what the journal says about it."""
    if rows.more is not None and rows.source is not None:
        path = staging.path / MANIFEST
        found = write_parts(rows.portions(), staging.path, rows.source.twice, progress)
        said: dict[str, Any] = {"rows": found["rows"], "parts": len(found["parts"])}
    else:
        path = staging.path / f"{kind}.parquet"
        said = {"rows": rows.table.height}
        try:
            rows.table.write_parquet(path, compression="zstd", compression_level=9)
        except pl.exceptions.PolarsError as error:
            raise system_error(error) or error from error
    return said | {"sha256": sha256_of(path), "bytes": path.stat().st_size}


def _require_same_kind(known: list[dict[str, Any]], described: dict[str, Any], file: Path) -> None:
    for entry in known[:1]:
        for key in ("kind", "revision"):
            if entry[key] != described[key]:
                raise SourceFormatError(
                    f"data set {entry['dataset']!r} holds {key} {entry[key]!r}, the file {described[key]!r}",
                    where=file.name,
                    cure="Give the file another name of data set.",
                )


def _addition(
    found: Vintage, read: Reading, noticed: Noticed, new: bool, before: tuple[Vintage, ...]
) -> Result:
    from evernormal import __version__  # noqa: PLC0415

    row = {
        "dataset": found.dataset,
        "vintage": found.vintage,
        "kind": found.kind,
        "rows": found.rows,
        "revision": found.revision,
        "as_of": found.as_of,
        "sha256": found.sha256,
        "path": str(found.path),
    }
    findings = [*read.findings, *(read.portions.findings() if read.portions else ()), *noticed.findings()]
    if new and found.kind == "trade":
        findings += lost_years(found, before)
    if not new:
        text = f"The same content is already stored as {found.dataset} {found.vintage}; nothing was added."
        findings.insert(0, Finding("already-stored", "info", text, {"dataset": found.dataset}))
    pinned = Input(found.file, found.file_sha256, found.title, found.licence, found.as_of)
    return Result(
        "data-addition", {"added": pl.DataFrame([row])}, {}, Lineage(__version__, (pinned,)), tuple(findings)
    )
