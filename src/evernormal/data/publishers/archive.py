"""Zip files from anywhere: their CSV members one by one, guarded against bombs and truncation."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from evernormal.errors import SourceFormatError

__all__ = ["Limits", "csv_members", "extract"]

_BLOCK = 1 << 20
_ENCRYPTED = 0x1


@dataclass(frozen=True)
class Limits:
    """What an archive may hold: the defaults fit a full BACI release (about 8 GB of text).

    Attributes:
        members: number of files.
        total: bytes of all files unpacked.
        ratio: unpacked over packed size of one file; tables of numbers reach about 10.
    """

    members: int = 500
    total: int = 20_000_000_000
    ratio: float = 100.0


def csv_members(path: Path, limits: Limits) -> list[str]:
    """Return the names of the CSV files in an archive, after checking what it claims to hold.

    Raises:
        SourceFormatError: no zip file, truncated, encrypted, too many files, or far larger unpacked than
            packed.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError) as error:
        raise SourceFormatError(
            f"the zip file is truncated or damaged ({error})", where=path.name, cure="Download it again."
        ) from error
    _require_modest(infos, path.name, limits)
    return sorted(info.filename for info in infos if info.filename.lower().endswith(".csv"))


def extract(path: Path, member: str, target: Path, limits: Limits) -> None:
    """Copy one member to ``target``; stop when it is larger than the archive says."""
    try:
        with (
            zipfile.ZipFile(path) as archive,
            archive.open(member) as incoming,
            target.open("wb") as outgoing,
        ):
            allowed = min(limits.total, archive.getinfo(member).file_size)
            for block in _blocks(incoming):
                allowed -= len(block)
                if allowed < 0:
                    raise SourceFormatError(f"{member} is larger than the archive says", where=path.name)
                outgoing.write(block)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise SourceFormatError(
            f"{member} is truncated or damaged ({error})",
            where=path.name,
            cure="Download the zip file again.",
        ) from error


def _blocks(stream: object) -> Iterator[bytes]:
    while block := stream.read(_BLOCK):  # type: ignore[attr-defined]
        yield block


def _require_modest(infos: list[zipfile.ZipInfo], name: str, limits: Limits) -> None:
    total = sum(info.file_size for info in infos)
    if len(infos) > limits.members or total > limits.total:
        raise SourceFormatError(
            f"it would unpack to {len(infos):,} files of {total:,} bytes; "
            f"the limit is {limits.members:,} files of {limits.total:,} bytes",
            where=name,
            cure="Take the tables that you need out of it and add those.",
        )
    for info in infos:
        if info.flag_bits & _ENCRYPTED:
            raise SourceFormatError(
                f"{info.filename} is encrypted", where=name, cure="Unpack it and add the CSV."
            )
        if info.file_size > limits.ratio * max(info.compress_size, 1024):
            raise SourceFormatError(
                f"{info.filename} would unpack to {info.file_size:,} bytes from {info.compress_size:,}: "
                "no table of numbers packs so well",
                where=name,
                cure="If you trust it, unpack it yourself and add the CSV.",
            )
