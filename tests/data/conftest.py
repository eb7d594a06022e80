"""Fixtures of the data room."""

from __future__ import annotations

from pathlib import Path

import pytest

from .made_up import BACI_CSV, BACI_NAME


@pytest.fixture
def baci_file(tmp_path: Path) -> Path:
    """A small BACI file of 2023 in HS 2017."""
    path = tmp_path / BACI_NAME
    path.write_text(BACI_CSV, "utf-8")
    return path
