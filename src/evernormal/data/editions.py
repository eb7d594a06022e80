"""The vintages of the user's data sets: which there are, which was knowable when, and their rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from evernormal.data import additions, parts
from evernormal.data.parts import MANIFEST, Manifest, read_manifest
from evernormal.data.publishers.adapters import Kind, adapters
from evernormal.data.snapshot import Resource, check_resource
from evernormal.errors import NotCoveredError, SnapshotError, UnknownNameError
from evernormal.result import Input

__all__ = [
    "CURE",
    "Vintage",
    "check_vintage",
    "damage",
    "default_folder",
    "journal",
    "scan",
    "stored_files",
    "vintage",
    "vintage_of",
    "vintages",
]

CURE = "Add the publisher's file again with `evernormal data add`, or restore the folder from a backup."
"""What to do when a stored file is damaged."""


@dataclass(frozen=True)
class Vintage:
    """One stored version of a data set.

    ``path`` is its Parquet file, or for a trade table too big for one file the list of its parts; ``sha256``
    is the hash of that file.  Read the rows with :func:`scan`, which knows both.
    """

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
    in_parts: bool = False

    @property
    def manifest(self) -> Manifest | None:
        """What its parts are, after checking its hash; None when it is one file."""
        if not self.in_parts:
            return None
        check_resource(self.as_resource(), cure=CURE)
        return read_manifest(self.path)

    @property
    def stored_bytes(self) -> int:
        """Bytes on the disk."""
        found = self.manifest
        return self.size if found is None else self.size + found.size

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
    return tuple(vintage_of(entry, root) for entry in additions.read(root))


def vintage(
    dataset: str, folder: str | Path, *, kind: Kind | None = None, as_of: date | None = None
) -> Vintage:
    """Return the latest vintage of a data set that was knowable on ``as_of``, after checking its hash.

    ``NAME/VINTAGE`` names exactly one vintage, as the inputs of a result do.

    Of a vintage in parts the list of parts is checked here, and each part when :func:`scan` reads it.

    Raises:
        UnknownNameError: there is no such data set of this kind.
        NotCoveredError: every vintage is later than ``as_of``.
        SnapshotError: the stored file was truncated or changed.
    """
    known = [v for v in vintages(folder) if kind is None or v.kind == kind]
    name, _, exactly = dataset.partition("/")
    named = [v for v in known if v.dataset == name and (not exactly or v.vintage == exactly)]
    if not named:
        raise _unknown(dataset, folder, kind, known)
    knowable = [v for v in named if as_of is None or date.fromisoformat(v.as_of) <= as_of]
    if not knowable:
        first = min(v.as_of for v in named)
        raise NotCoveredError(f"no vintage of {dataset!r} was knowable on {as_of}; the first is of {first}")
    found = max(knowable, key=lambda v: (v.as_of, v.sequence))
    check_resource(found.as_resource(), cure=CURE)
    return found


def scan(found: Vintage, asked: parts.Question | None = None) -> pl.LazyFrame:
    """Return a lazy frame over the stored rows of a vintage; the files that it reads are checked first.

    Args:
        found: the vintage, of any kind.
        asked: for trade: codes, importers, exporters, years in the publisher's numbers; None for all.  What
            was stored in parts is read only where such rows can be.

    Raises:
        SnapshotError: a file that is needed was truncated or changed.
    """
    check_resource(found.as_resource(), cure=CURE)
    manifest = found.manifest
    if manifest is not None:
        return parts.scan_parts(manifest, asked or parts.Question())
    rows = pl.scan_parquet(found.path)
    return rows if asked is None else parts.filtered(rows, asked)


def stored_files(found: Vintage) -> list[Path]:
    """Return files that together hold every row of a vintage once, after checking them.

    Raises:
        SnapshotError: a file is missing, truncated or changed.
    """
    manifest = found.manifest
    if manifest is None:
        check_resource(found.as_resource(), cure=CURE)
        return [found.path]
    chosen = parts.matching(manifest, parts.Question(), "codes")
    parts.check_parts(manifest, chosen)
    return [manifest.folder / part.path for part in chosen]


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
    """Return a vintage after checking size and hash of every file that it has.

    Raises:
        SnapshotError: a file is missing, truncated or changed.
    """
    for error in damage(found):
        raise error
    return found


def damage(found: Vintage) -> Iterator[SnapshotError]:
    """Yield the error of every file of a vintage that is missing, truncated or changed."""
    try:
        check_resource(found.as_resource(), cure=CURE)
        manifest = found.manifest
    except SnapshotError as error:
        yield error
        return
    for part in manifest.parts if manifest else ():
        try:
            check_resource(part.resource(found.path.parent), cure=CURE)
        except SnapshotError as error:
            yield error


def vintage_of(entry: dict[str, Any], root: Path) -> Vintage:
    """Return the vintage that an entry of the journal names."""
    folder = root / "datasets" / entry["dataset"] / entry["vintage"]
    return Vintage(
        dataset=entry["dataset"],
        vintage=entry["vintage"],
        kind=entry["kind"],
        path=folder / (MANIFEST if entry.get("parts") else f"{entry['kind']}.parquet"),
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
        in_parts=bool(entry.get("parts")),
    )
