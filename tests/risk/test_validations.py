"""What ``evernormal verify`` runs of the risk room, and how rooms are collected."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from evernormal.app.validations import ROOMS, run_validations
from evernormal.risk import validations as risk_validations


def test_every_validation_passes() -> None:
    table = risk_validations.validations()["oracles"]
    assert table.filter(~table["passed"])["name"].to_list() == []


def test_a_wrong_score_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A guard that cannot fail guards nothing: antimony published at 5.3 is outside."""
    text = risk_validations._TABLE.read_text("utf-8")
    planted = tmp_path / "eu.csv"
    planted.write_text(text.replace("0.9,both,4.3,4.3", "0.9,both,5.3,4.3"), "utf-8")
    monkeypatch.setattr(risk_validations, "_TABLE", planted)
    row = risk_validations.validations()["oracles"].row(0, named=True)
    assert (row["passed"], row["ours"]) == (False, 77.0) and "Antimony" in row["source"]


def test_rooms_with_a_module_of_validations_take_part() -> None:
    table = run_validations()["oracles"]
    assert {"market", "risk"} <= set(table["room"]) <= set(ROOMS)
    for room in set(table["room"]):
        assert callable(importlib.import_module(f"evernormal.{room}.validations").validations)
