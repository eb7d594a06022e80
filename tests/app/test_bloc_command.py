"""``evernormal bloc``: the ladder on standard output, files, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evernormal.app import output
from evernormal.app.main import run
from evernormal.market import bloc_scenario
from evernormal.network import question
from evernormal.network.scenario import Scenario
from evernormal.result import Result

ALUMINIUM = "bloc-aluminium-outside"

STUDIES: dict[str, Result] = {}


@pytest.fixture(autouse=True)
def studied_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each scenario is balanced and solved once for all tests of this file."""
    solve, load = bloc_scenario.bloc_study, question.network_of

    def study(network: Any, scenario: Scenario, **more: Any) -> Result:
        if scenario.name not in STUDIES:
            STUDIES[scenario.name] = solve(load(scenario), scenario, **more)
        return STUDIES[scenario.name]

    monkeypatch.setattr(bloc_scenario, "bloc_study", study)
    monkeypatch.setattr(question, "network_of", lambda *_, **__: None)


def test_the_ladder_as_json_and_the_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every table, the ladder first; findings on standard error; tables, ladder and picture in the folder."""
    assert run(["bloc", ALUMINIUM, "--json", "--out", str(tmp_path)]) == 0
    shown = capsys.readouterr()
    tables = json.loads(shown.out)
    rows = tables["ladder"]
    wanted = {"summary", "incidence", "positions", "diversion", "leakage", "alternatives", "membership"}
    assert next(iter(tables)) == "ladder" and wanted | {"attacks", "projects", "path", "plants"} <= set(
        tables
    )
    assert {"member", "form", "stage", "reference_usd_t", "user_usd_t", "levy_usd_t", "status"} <= set(
        rows[0]
    )
    assert {row["status"] for row in rows} <= {"held", "above", "out of reach"}
    assert "enter free under another origin" in shown.err
    assert (tmp_path / "ladder.csv").read_bytes().startswith(b"\xef\xbb\xbfmember,form,stage")
    assert "<title" in (tmp_path / "ladder.svg").read_text("utf-8")
    assert (tmp_path / "result.json").is_file() and (tmp_path / "alternatives.parquet").is_file()


@pytest.mark.parametrize(
    ("language", "sentence", "caution"),
    [
        ("en", "South Korea pays USD", "caution: The levy on aluminium"),
        ("ko", "한국의 톤당 가격은 기준 가격제가 없으면", "주의: "),
    ],
)
def test_what_is_read_in_two_languages(
    language: str, sentence: str, caution: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who pays, inside and outside, before the tables; nothing left of a template, no code of a country."""
    assert run(["bloc", ALUMINIUM, "--lang", language]) == 0
    shown = capsys.readouterr().out
    assert sentence in shown and caution in shown
    assert shown.index(sentence) < shown.index("───")
    assert "{" not in shown and "usd_t" not in shown and "DEU" not in shown


def test_the_tables_fit_a_terminal_of_a_hundred_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every column of every table is whole at 100 columns; all members are shown when asked."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(output, "PIPE_WIDTH", 100)
    shown = []
    for more in ([], ["--all"]):
        assert run(["bloc", "bloc-lithium-hydroxide", *more]) == 0
        shown.append(capsys.readouterr().out)
    lines = shown[0].splitlines()
    tables = [line for line in lines if line.startswith(("South Korea ", "One levy", "Thacker", "3     yes"))]
    assert len(tables) >= 5 and max(len(line) for line in tables) <= 100
    assert "…" not in shown[0] and "Spain" in shown[1]
    assert len(shown[1].splitlines()) > len(lines) + 10
    assert "--all shows them" in shown[0] and "--all shows them" not in shown[1]


def test_a_scenario_without_a_floor_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Law 12: exit code 2, what is missing and what would be right."""
    assert run(["bloc", "base", "--json"]) == 2
    error = json.loads(capsys.readouterr().out)
    assert "price_floor" in error["what"] and "evernormal scenario show" in error["cure"]
