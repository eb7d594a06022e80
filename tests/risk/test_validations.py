"""What ``evernormal verify`` runs of the risk room, and how rooms are collected."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from evernormal.app.validations import ROOMS, run_validations
from evernormal.risk import validations as risk_validations
from evernormal.risk import validations_dependence as dependence


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


@pytest.mark.parametrize("begins", ["Nile", "KOMIR", "China's share", "GeoPolRisk", "EU 2017", "EU 2023"])
def test_every_method_stands_beside_something_published(begins: str) -> None:
    """Each with its citation and a number of its own."""
    rows = risk_validations.validations()["oracles"].filter(pl.col("name").str.starts_with(begins))
    assert rows.height and rows["source"].str.len_chars().min() > 20  # type: ignore[operator]
    assert rows["ours"].is_finite().all()


def test_a_moved_band_or_a_wrong_trade_table_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards that can fail: an edge that moves, a code that is another's."""
    monkeypatch.setattr(dependence, "stability_band", lambda index, event: np.full(len(index), "stable"))
    assert dependence.bands()[0][2] == 2.0
    monkeypatch.setitem(dependence._KITA, 2018, 75.0)
    name, published, ours, tolerance, _ = dependence.trade_shares()[0]
    assert "2018" in name and abs(ours - published) > tolerance
