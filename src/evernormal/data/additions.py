"""The journal of additions: one JSON line each, every line sealed by the hash of the line before it.

What the journal does not name is not there: a data set counts from the moment when its line is on disk.  A
last line that was cut off by a crash is no line.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from evernormal.errors import SnapshotError
from evernormal.storage import storage_error

__all__ = ["append", "read"]

_NAME = "journal.jsonl"
_START = "0" * 64


def read(folder: Path) -> list[dict[str, Any]]:
    """Return every entry of the journal, oldest first; an empty list where there is none.

    Raises:
        SnapshotError: a line is no JSON, or does not follow from the line before it.
    """
    path = folder / _NAME
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SnapshotError(f"cannot be read ({error.strerror})", where=str(path)) from error
    entries = []
    previous = _START
    for number, line in enumerate(_complete_lines(content), start=1):
        try:
            entry = json.loads(line)
            sealed = entry["previous"] == previous
        except (ValueError, KeyError, TypeError) as error:
            raise _broken(path, number, "is not a journal entry") from error
        if not sealed:
            raise _broken(path, number, "does not follow from the line before: a line was changed or removed")
        previous = hashlib.sha256(line).hexdigest()
        entries.append(entry)
    return entries


def append(folder: Path, entry: dict[str, Any]) -> None:
    """Add an entry and flush it to the disk; call it only while holding the store's lock.

    Raises:
        StorageError: disk full or no permission; the journal is as it was.
    """
    path = folder / _NAME
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        content = b""
    lines = _complete_lines(content)
    kept = sum(len(line) + 1 for line in lines)
    previous = hashlib.sha256(lines[-1]).hexdigest() if lines else _START
    sealed = {"sequence": len(lines) + 1, **entry, "previous": previous}
    text = json.dumps(sealed, ensure_ascii=False, sort_keys=True) + "\n"
    try:
        with path.open("r+b" if content else "wb") as stream:
            stream.seek(kept)
            stream.truncate()
            try:
                stream.write(text.encode("utf-8"))
                stream.flush()
                os.fsync(stream.fileno())
            except BaseException:
                stream.seek(kept)
                stream.truncate()
                raise
    except OSError as error:
        raise storage_error(error, "nothing was added") from error


def _complete_lines(content: bytes) -> list[bytes]:
    """Return the lines that end; what a crash cut off is dropped."""
    return content.split(b"\n")[:-1]


def _broken(path: Path, number: int, text: str) -> SnapshotError:
    cure = "Restore the folder from a backup, or add your files to a new folder."
    return SnapshotError(f"line {number} {text}", where=str(path), cure=cure)
