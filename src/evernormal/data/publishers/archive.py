"""Zip files from anywhere: their members one by one, guarded against bombs, lies and truncation.

Nothing of an archive is unpacked to a disk to be read: a member comes as blocks of bytes, so that a table of
any size takes the memory of one block.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from evernormal.errors import SourceFormatError

__all__ = ["Limits", "csv_members", "extract", "is_zip", "member_blocks", "read_member"]

_BLOCK = 1 << 20
_ENCRYPTED = 0x1
_LOCAL_HEADER = 30
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OverflowError)
_PACKED = (".zip", ".7z", ".rar", ".gz", ".tar", ".xz", ".bz2")


@dataclass(frozen=True)
class Limits:
    """What an archive may hold: the defaults fit a full BACI release (about 12 GB of text).

    Attributes:
        members: number of files.
        total: bytes of all files unpacked.
        ratio: unpacked over packed size of one file; tables of numbers reach about 10.
    """

    members: int = 500
    total: int = 20_000_000_000
    ratio: float = 100.0


def is_zip(path: Path) -> bool:
    """Say whether a file begins as a zip file does."""
    with path.open("rb") as stream:
        return stream.read(4) == b"PK\x03\x04"


def csv_members(path: Path, limits: Limits) -> list[str]:
    """Return the names of the CSV files in an archive, after checking what it claims to hold.

    Raises:
        SourceFormatError: no zip file, truncated, encrypted, too many files, two files of one name or in one
            place, archives inside it, or far larger unpacked than packed.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
            start = archive.start_dir
    except (*_DAMAGED, NotImplementedError) as error:
        raise SourceFormatError(
            f"the zip file is truncated or damaged ({error})", where=path.name, cure="Download it again."
        ) from error
    _require_modest(infos, path.name, limits)
    _require_apart(infos, start, path.name)
    found = sorted(info.filename for info in infos if info.filename.lower().endswith(".csv"))
    packed = [info.filename for info in infos if info.filename.lower().endswith(_PACKED)]
    if packed and not found:
        raise SourceFormatError(
            f"it holds another archive, {packed[0]}, and no table",
            where=path.name,
            cure="Unpack it and add the archive or the table inside.",
        )
    return found


def member_blocks(path: Path, member: str, limits: Limits) -> Iterator[bytes]:
    """Yield one member block by block; stop when it is larger than the archive says.

    Raises:
        SourceFormatError: truncated or damaged, packed in a way that cannot be read, or larger than it says.
    """
    try:
        with zipfile.ZipFile(path) as archive, archive.open(member) as incoming:
            left = min(limits.total, archive.getinfo(member).file_size)
            while block := incoming.read(_BLOCK):
                left -= len(block)
                if left < 0:
                    raise SourceFormatError(f"{member} is larger than the archive says", where=path.name)
                yield block
            if left:
                raise SourceFormatError(
                    f"{member} is smaller than the archive says",
                    where=path.name,
                    cure="Download the zip file again.",
                )
    except NotImplementedError as error:
        raise SourceFormatError(
            f"{member} is packed in a way that is not read here ({error})",
            where=path.name,
            cure="Unpack it, pack it again as an ordinary zip file (deflate) and add that.",
        ) from error
    except _DAMAGED as error:
        raise SourceFormatError(
            f"{member} is truncated or damaged ({error})",
            where=path.name,
            cure="Download the zip file again.",
        ) from error


def extract(path: Path, member: str, target: Path, limits: Limits) -> None:
    """Copy one member to ``target``.

    Raises:
        SourceFormatError: as :func:`member_blocks`.
    """
    with target.open("wb") as outgoing:
        for block in member_blocks(path, member, limits):
            outgoing.write(block)


def read_member(path: Path, member: str, limits: Limits, *, largest: int = 10_000_000) -> bytes:
    """Return the content of a small member.

    Raises:
        SourceFormatError: as :func:`member_blocks`, or it has more than ``largest`` bytes.
    """
    content = bytearray()
    for block in member_blocks(path, member, limits):
        content += block
        if len(content) > largest:
            raise SourceFormatError(f"{member} has more than {largest:,} bytes", where=path.name)
    return bytes(content)


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


def _require_apart(infos: Iterable[zipfile.ZipInfo], end: int, name: str) -> None:
    """Refuse members that share bytes (how the strongest bombs are built) or a name."""
    previous: zipfile.ZipInfo | None = None
    names: set[str] = set()
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.filename in names:
            raise SourceFormatError(
                f"{info.filename} is there twice", where=name, cure="Give the file as the publisher ships it."
            )
        names.add(info.filename)
        if previous is not None:
            _require_room(previous, info.header_offset, name)
        previous = info
    if previous is not None:
        _require_room(previous, end, name)


def _require_room(info: zipfile.ZipInfo, following: int, name: str) -> None:
    if info.header_offset + _LOCAL_HEADER + info.compress_size > following:
        raise SourceFormatError(
            f"{info.filename} overlaps what follows it: the archive is damaged or made to do harm",
            where=name,
            cure="Download it again from the publisher.",
        )
