"""What the environment says; no other file of evernormal reads it."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["DATA_DIRECTORY_VARIABLE", "data_directory"]

DATA_DIRECTORY_VARIABLE = "EVERNORMAL_DATA_DIR"


def data_directory() -> Path | None:
    """Return the folder for the user's own data that the environment names, or None for the platform's."""
    given = os.environ.get(DATA_DIRECTORY_VARIABLE, "").strip()
    return Path(given).expanduser() if given else None
