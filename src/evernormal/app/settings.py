"""What the environment says; no other file of evernormal reads it."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["COMTRADE_KEY_VARIABLE", "DATA_DIRECTORY_VARIABLE", "comtrade_key", "store_folder", "workers"]

COMTRADE_KEY_VARIABLE = "EVERNORMAL_COMTRADE_KEY"
DATA_DIRECTORY_VARIABLE = "EVERNORMAL_DATA_DIR"


def store_folder() -> Path:
    """Return the folder of the user's own data: the one that the environment names, or the platform's."""
    from evernormal.data import default_folder

    given = os.environ.get(DATA_DIRECTORY_VARIABLE, "").strip()
    return Path(given).expanduser() if given else default_folder()


def comtrade_key() -> str | None:
    """Return the user's subscription key of UN Comtrade, or None when the environment has none."""
    return os.environ.get(COMTRADE_KEY_VARIABLE, "").strip() or None


def workers() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
