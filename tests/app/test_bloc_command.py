"""``evernormal bloc``: the ladder on standard output, files, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evernormal.app.main import run

ALUMINIUM = "bloc-aluminium-outside"


def test_the_ladder_as_json_and_the_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One row per member and stage; findings on standard error; tables, ladder and picture in the folder."""
    assert run(["bloc", ALUMINIUM, "--json", "--out", str(tmp_path)]) == 0
    shown = capsys.readouterr()
    rows = json.loads(shown.out)
    assert {"member", "form", "stage", "reference_usd_t", "user_usd_t", "levy_usd_t", "status"} <= set(
        rows[0]
    )
    assert {row["status"] for row in rows} <= {"held", "above", "out of reach"}
    assert "enter free under another origin" in shown.err
    assert (tmp_path / "ladder.csv").read_bytes().startswith(b"\xef\xbb\xbfmember,form,stage")
    assert "<title" in (tmp_path / "ladder.svg").read_text("utf-8")
    assert (tmp_path / "result.json").is_file() and (tmp_path / "alternatives.parquet").is_file()


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("en", "South Korea pays USD"), ("ko", "한국의 톤당 가격은 기준 가격제가 없으면")],
)
def test_sentences_in_two_languages(language: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What a minister reads: who pays, inside and outside."""
    assert run(["bloc", ALUMINIUM, "--lang", language]) == 0
    shown = capsys.readouterr().out
    assert sentence in shown
    assert "{" not in shown


def test_a_scenario_without_a_floor_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Law 12: exit code 2, what is missing and what would be right."""
    assert run(["bloc", "base", "--json"]) == 2
    error = json.loads(capsys.readouterr().out)
    assert "price_floor" in error["what"] and "evernormal scenario show" in error["cure"]
