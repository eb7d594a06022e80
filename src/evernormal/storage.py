"""All or nothing on disk: build beside the target, flush, then swap; one writer at a time.

A process that is killed leaves at most a folder named ``.evernormal-building-...`` beside the target; the
next writer, which holds the lock, removes it.  Nothing is ever read from such a folder.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from io import FileIO
from pathlib import Path

import polars as pl

from evernormal.errors import StorageError

__all__ = [
    "Staging",
    "exclusive",
    "remove_leftovers",
    "staged_folder",
    "storage_error",
    "sync",
    "system_error",
    "written",
]

_PREFIX = ".evernormal-building-"
_RENAME_EXCHANGE = 2
_AT_FDCWD = -100
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Staging:
    """A folder being written beside its place; readers never see it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.placed: Path | None = None

    def move_to(self, target: Path) -> None:
        """Flush everything, then put the folder in the place of ``target`` in one step.

        Raises:
            StorageError: ``target`` is there and no folder of its own: a file, a device, a pipe or a link.
        """
        if target.is_symlink() or (target.exists() and not target.is_dir()):
            raise _not_ours(target, "a folder")
        for path in sorted(self.path.rglob("*")):
            sync(path)
        sync(self.path)
        _replace(self.path, target)
        self.placed = target
        sync(target.parent)


@contextlib.contextmanager
def staged_folder(parent: Path, *, unchanged: str) -> Iterator[Staging]:
    """Yield an empty folder inside ``parent``; it vanishes unless it was moved to its place.

    Hold the lock of the place: what killed writers left in ``parent`` is removed first.

    Args:
        parent: folder in which the staging folder and its later place are; made when missing.
        unchanged: what a message says is still there, such as ``"the snapshot is as it was"``.

    Raises:
        StorageError: disk full, no permission or any other refusal of the file system; the target is as it
            was.
        KeyboardInterrupt: the user stopped it; the message says what state things are in.
    """
    staging: Staging | None = None
    try:
        parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(parent)
        staging = Staging(Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent)))
        staging.path.chmod(0o755)
        yield staging
    except OSError as error:
        raise storage_error(error, unchanged) from error
    except KeyboardInterrupt:
        placed = staging.placed if staging else None
        state = f"{placed} was already complete" if placed else unchanged
        raise KeyboardInterrupt(f"interrupted; {state}") from None
    finally:
        if staging is not None:
            shutil.rmtree(staging.path, ignore_errors=True)


def storage_error(error: OSError, unchanged: str) -> StorageError:
    """Turn an error of the operating system into one that says what it means here."""
    place = str(error.filename or "")
    if error.errno in _FULL:
        return StorageError(
            f"the disk is full; {unchanged}", where=place, cure="Free some space and run the command again."
        )
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return StorageError(
            f"no permission to write; {unchanged}", where=place, cure="Give a folder that you may write to."
        )
    return StorageError(f"writing failed ({error.strerror or error}); {unchanged}", where=place)


def system_error(error: Exception) -> OSError | None:
    """Return the error of the operating system inside an error of polars, or None when there is none."""
    found = re.search(r"\(os error (\d+)\)", str(error))
    return OSError(int(found[1]), os.strerror(int(found[1]))) if found else None


def _not_ours(place: Path, wanted: str) -> StorageError:
    """Return the refusal to put something over a device, a pipe or whatever else is not of its kind."""
    return StorageError(
        f"there is something here that is not {wanted}; it is left as it is",
        where=str(place),
        cure="Give another place, or move it away.",
    )


def remove_leftovers(folder: Path) -> None:
    """Remove what killed writers left in ``folder``; call it only while holding the lock."""
    for path in folder.glob(f"{_PREFIX}*"):
        if path.is_dir() and not path.is_symlink():  # a writer leaves folders only; opening a pipe would wait
            shutil.rmtree(path, ignore_errors=True)


def written(folder: Path, makers: Mapping[str, Callable[[Path], Path]]) -> dict[str, Path]:
    """Run every maker in an empty folder beside the target and move what they made into the target.

    The folder is not replaced as a whole, because it may hold other files of the user.

    Args:
        folder: target, made when absent.
        makers: name to a function that writes into the folder it is given and returns its main file.

    Returns:
        Name to the main file's path in the target.

    Raises:
        StorageError: the file system refuses; the target is as it was.
    """
    unchanged = f"{folder} is as it was"
    existed = folder.is_dir()
    staging: Path | None = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".evernormal-writing-", dir=folder))
        main = {name: maker(staging).name for name, maker in makers.items()}
        made = sorted(staging.iterdir(), key=lambda path: (path.name == "result.json", path.name))
        for path in made:
            sync(path)
        for path in made:
            place = folder / path.name
            if place.exists() and not place.is_file():
                raise _not_ours(place, "a plain file")
        for path in made:
            path.replace(folder / path.name)
        sync(folder)
    except OSError as error:
        raise storage_error(error, unchanged) from error
    except pl.exceptions.PolarsError as error:
        refused = system_error(error)
        if refused is None:
            raise
        raise storage_error(refused, unchanged) from error
    finally:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)
        if not existed and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    return {name: folder / file for name, file in main.items()}


@contextlib.contextmanager
def exclusive(path: Path, *, doing: str) -> Iterator[None]:
    """Hold the lock file ``path``, or fail at once when another process holds it.

    The operating system releases the lock when a process dies, so a killed writer blocks nobody.

    Raises:
        StorageError: another process holds the lock, or the lock file cannot be made.
    """
    unchanged = "nothing was changed"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = path.open("a+b", buffering=0)
    except OSError as error:
        raise storage_error(error, unchanged) from error
    with stream:
        if not _try_lock(stream) or not _is_same_file(stream, path):
            stream.seek(0)
            holder = (stream.read(20) or b"").strip()
            who = f" (process {holder.decode()})" if holder.isdigit() else ""
            raise StorageError(
                f"another process{who} is {doing}; {unchanged}",
                where=str(path),
                cure="Wait until it has finished and run the command again.",
            )
        with contextlib.suppress(
            OSError
        ):  # on a full disk the number is missing from a message, nothing else
            stream.truncate(0)
            stream.write(f"{os.getpid()}\n".encode())
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Flush a file or a folder to the disk."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _replace(new: Path, target: Path) -> None:
    """Put ``new`` in the place of ``target``; afterwards ``new`` is the old folder, or gone."""
    if not target.exists():
        new.rename(target)
        return
    if _exchange(new, target):
        return
    aside = new.with_name(new.name + "-old")
    target.rename(aside)
    try:
        new.rename(target)
    except BaseException:
        aside.rename(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step where the system can (Linux); return whether it did."""
    if sys.platform != "linux":
        return False
    swap = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if swap is None:
        return False
    done = swap(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE)
    return bool(done == 0)


def _is_same_file(stream: FileIO, path: Path) -> bool:
    """Say whether ``path`` is still the file that was opened (another writer may have removed it)."""
    try:
        return os.path.samestat(os.fstat(stream.fileno()), path.stat())
    except FileNotFoundError:
        return False


if sys.platform == "win32":
    import msvcrt

    def _try_lock(stream: FileIO) -> bool:
        try:
            stream.seek(1 << 30)
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(stream: FileIO) -> bool:
        try:
            fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
