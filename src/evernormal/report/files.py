"""Write a set of files all or nothing: make them beside their place, flush, then move them there.

The folder is not replaced as a whole, because it may hold other files of the user.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl

from evernormal.data.atomic import storage_error, sync, system_error

__all__ = ["written"]


def written(folder: Path, makers: Mapping[str, Callable[[Path], Path]]) -> dict[str, Path]:
    """Run every maker in an empty folder beside the target and move what they made into the target.

    Args:
        folder: target, made when absent.
        makers: name to a function that writes into the folder it is given and returns its main file.

    Returns:
        Name to the main file's path in the target.

    Errors: :class:`StorageError` when the file system refuses; the target is as it was.
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
