"""The user's own data: files that you bring, checked, stored as Parquet, never mixed with the shipped
snapshot.

A data set (``baci-hs2017``) has vintages, each named by the hash of its content and dated by the day on
which it was knowable; older vintages stay.  Nothing is created before something is added.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from evernormal.data import additions
from evernormal.data.publishers.adapters import Adapter, Asked, Kind, Reading, adapter, adapters
from evernormal.data.publishers.archive import Limits
from evernormal.data.schema import OBSERVATIONS, columns, day, public_columns
from evernormal.data.snapshot import Resource, check_resource
from evernormal.errors import InputError, NotCoveredError, SourceFormatError, UnknownNameError
from evernormal.result import Finding, Input, Lineage, Result, sha256_of
from evernormal.storage import exclusive, staged_folder, storage_error, system_error

__all__ = ["Vintage", "add", "check_vintage", "default_folder", "journal", "vintage", "vintages"]

_NAME = re.compile(r"[a-z][a-z0-9-]{0,60}")
_CURE = "Add the publisher's file again with `evernormal data add`, or restore the folder from a backup."
_RESERVED = {name.replace("_", "-") for name in (*OBSERVATIONS, "countries", "country_aliases")}


@dataclass(frozen=True)
class Vintage:
    """One stored version of a data set."""

    dataset: str
    vintage: str
    kind: Kind
    path: Path
    sha256: str
    size: int
    rows: int
    revision: str
    as_of: str
    title: str
    licence: str
    grade: str
    file: str
    file_sha256: str
    sequence: int

    def as_resource(self) -> Resource:
        """Return what its file must look like."""
        return Resource(f"{self.dataset}/{self.vintage}", self.path, self.sha256, self.size, self.rows)

    def as_input(self) -> Input:
        """Return it as an input of a result."""
        return Input(f"{self.dataset}/{self.vintage}", self.sha256, self.title, self.licence, self.as_of)


def default_folder() -> Path:
    """Return the folder of user data that this platform prefers; it need not exist."""
    import platformdirs  # noqa: PLC0415

    return Path(platformdirs.user_data_dir("evernormal", appauthor=False))


def journal(folder: str | Path) -> pl.DataFrame:
    """Return what was added to a store, oldest first.

    Returns:
        sequence, dataset, vintage, kind, file, file_sha256, sha256, rows, revision, as_of; no rows where
        nothing was.
    """
    names = {"sequence": pl.Int64(), "dataset": pl.String(), "vintage": pl.String(), "kind": pl.String()}
    names |= dict.fromkeys(("file", "file_sha256", "sha256"), pl.String())
    names |= {"rows": pl.Int64(), "revision": pl.String(), "as_of": pl.String()}
    entries = [[entry[name] for name in names] for entry in additions.read(Path(folder))]
    return pl.DataFrame(entries, schema=names, orient="row")


def vintages(folder: str | Path) -> tuple[Vintage, ...]:
    """Return every stored vintage, oldest addition first."""
    root = Path(folder)
    return tuple(_vintage(entry, root) for entry in additions.read(root))


def vintage(
    dataset: str, folder: str | Path, *, kind: Kind | None = None, as_of: date | None = None
) -> Vintage:
    """Return the latest vintage of a data set that was knowable on ``as_of``, after checking its hash.

    Raises:
        UnknownNameError: there is no such data set of this kind.
        NotCoveredError: every vintage is later than ``as_of``.
        SnapshotError: the stored file was truncated or changed.
    """
    known = [v for v in vintages(folder) if kind is None or v.kind == kind]
    named = [v for v in known if v.dataset == dataset]
    if not named:
        raise _unknown(dataset, folder, kind, known)
    knowable = [v for v in named if as_of is None or date.fromisoformat(v.as_of) <= as_of]
    if not knowable:
        first = min(v.as_of for v in named)
        raise NotCoveredError(f"no vintage of {dataset!r} was knowable on {as_of}; the first is of {first}")
    found = max(knowable, key=lambda v: (v.as_of, v.sequence))
    return check_vintage(found)


def _unknown(dataset: str, folder: str | Path, kind: Kind | None, known: list[Vintage]) -> UnknownNameError:
    """Return the error for a data set that is not there: the nearest, or how to add one."""
    error = UnknownNameError(
        f"data set of kind {kind}" if kind else "data set",
        dataset,
        {v.dataset for v in known},
        where=str(folder),
    )
    other = next((v for v in vintages(folder) if v.dataset == dataset), None)
    if other is not None:
        error.cure = f"It holds {other.kind}: give it as {other.kind}."
    elif not known:
        source = next((name for name, made in adapters().items() if made.kind == kind), "SOURCE")
        error.cure = f"No data set of this kind is stored: evernormal data add {source} FILE."
    error.args = (error.message,)
    return error


def check_vintage(found: Vintage) -> Vintage:
    """Return a vintage after checking its size and hash.

    Raises:
        SnapshotError: the file is missing, truncated or changed.
    """
    check_resource(found.as_resource(), cure=_CURE)
    return found


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
    if not path.is_file():
        raise InputError(
            "there is no such file", where=str(path), cure="Give the path of the publisher's file."
        )
    wanted = None if codes is None else tuple([codes] if isinstance(codes, str) else codes)
    asked = Asked(revision, day(as_of), wanted, limits or Limits(), progress)
    if name is not None:
        _require_name(name)
    try:
        path.open("rb").close()
    except OSError as error:
        raise InputError(f"the file cannot be read ({error.strerror})", where=str(path)) from error
    try:
        found = chosen.reading(path, asked)
    except OSError as error:
        raise storage_error(error, "nothing was added") from error
    _require_schema(chosen.kind, found.table)
    described = _describe(chosen, found, name)
    progress("store")
    with exclusive(root / "add.lock", doing="adding data to this folder"):
        before = vintages(root)
        entry, new = _store(found.table, described, path, root)
    return _addition(_vintage(entry, root), found, new, before)


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
    table: pl.DataFrame, described: dict[str, Any], file: Path, root: Path
) -> tuple[dict[str, Any], bool]:
    """Write the table as a new vintage and enter it in the journal; return the entry, and if it is new."""
    known = [entry for entry in additions.read(root) if entry["dataset"] == described["dataset"]]
    _require_same_kind(known, described, file)
    place = root / "datasets" / described["dataset"]
    name = f"{described['kind']}.parquet"
    with staged_folder(place, unchanged="nothing was added") as staging:
        _write(table, staging.path / name)
        digest = sha256_of(staging.path / name)
        found = next((entry for entry in known if entry["sha256"] == digest), None)
        if found is not None:
            return found, False
        size = (staging.path / name).stat().st_size
        entry = described | {"vintage": digest[:12], "sha256": digest, "bytes": size, "rows": table.height}
        entry |= {"file": file.name, "file_sha256": sha256_of(file)}
        staging.move_to(place / digest[:12])
        try:
            additions.append(root, entry)
        finally:
            written = additions.read(root)
            if not any(e["dataset"] == entry["dataset"] and e["sha256"] == digest for e in written):
                shutil.rmtree(place / digest[:12], ignore_errors=True)
                staging.placed = None
    return written[-1], True


def _write(table: pl.DataFrame, path: Path) -> None:
    try:
        table.write_parquet(path, compression="zstd", compression_level=9)
    except pl.exceptions.PolarsError as error:
        raise system_error(error) or error from error


def _require_same_kind(known: list[dict[str, Any]], described: dict[str, Any], file: Path) -> None:
    for entry in known[:1]:
        for key in ("kind", "revision"):
            if entry[key] != described[key]:
                raise SourceFormatError(
                    f"data set {entry['dataset']!r} holds {key} {entry[key]!r}, the file {described[key]!r}",
                    where=file.name,
                    cure="Give the file another name of data set.",
                )


def _addition(found: Vintage, read: Reading, new: bool, before: tuple[Vintage, ...]) -> Result:
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
    findings = [*read.findings, *_unusual(found.kind, read.table)]
    if new and found.kind == "trade":
        findings += _lost_years(found, read.table, before)
    if not new:
        text = f"The same content is already stored as {found.dataset} {found.vintage}; nothing was added."
        findings.insert(0, Finding("already-stored", "info", text, {"dataset": found.dataset}))
    pinned = Input(found.file, found.file_sha256, found.title, found.licence, found.as_of)
    return Result(
        "data-addition", {"added": pl.DataFrame([row])}, {}, Lineage(__version__, (pinned,)), tuple(findings)
    )


def _lost_years(found: Vintage, table: pl.DataFrame, before: tuple[Vintage, ...]) -> Iterable[Finding]:
    """Yield a finding when an older vintage of the data set has years that the new one lacks."""
    years = set(table["year"].unique().to_list())
    for old in before:
        if old.dataset == found.dataset and old.path.is_file():
            other = set(pl.read_parquet(old.path, columns=["year"])["year"].unique().to_list())
            lost = sorted(other - years)
            if lost:
                years_lost = ", ".join(map(str, lost))
                text = (
                    f"Vintage {old.vintage} of {old.dataset} has {years_lost}, the new one has not; "
                    "one vintage is read at a time. Add the zip file of the release, which holds every year."
                )
                yield Finding(
                    "years-not-in-vintage", "warning", text, {"dataset": old.dataset, "years": lost}
                )


def _unusual(kind: Kind, table: pl.DataFrame) -> Iterable[Finding]:
    """Yield a finding for each column with values outside its expected range."""
    for column in columns(kind):
        low, high = column.expected
        if column.name not in table.columns or (low is None and high is None):
            continue
        value = pl.col(column.name)
        count = table.filter((value < (low or -1e300)) | (value > (high or 1e300))).height
        if count:
            usual = f"{low:g} to {high:g} {column.unit}".rstrip()
            text = f"{count:,} rows have {column.name} outside the usual {usual}"
            yield Finding(
                "outside-expected-range", "caution", f"{text}.", {"column": column.name, "rows": count}
            )


def _vintage(entry: dict[str, Any], root: Path) -> Vintage:
    folder = root / "datasets" / entry["dataset"] / entry["vintage"]
    return Vintage(
        dataset=entry["dataset"],
        vintage=entry["vintage"],
        kind=entry["kind"],
        path=folder / f"{entry['kind']}.parquet",
        sha256=entry["sha256"],
        size=entry["bytes"],
        rows=entry["rows"],
        revision=entry["revision"],
        as_of=entry["as_of"],
        title=entry["title"],
        licence=entry["licence"],
        grade=entry["grade"],
        file=entry["file"],
        file_sha256=entry["file_sha256"],
        sequence=entry["sequence"],
    )
