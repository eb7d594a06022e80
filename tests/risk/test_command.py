"""``evernormal indicator`` as a user types it."""

from __future__ import annotations

import json

import pytest

from evernormal import risk
from evernormal.app.main import run


def test_the_command_prints_the_rows_of_the_function(capsys: pytest.CaptureFixture[str]) -> None:
    """One function behind the command line and Python."""
    arguments = ["indicator", "geopolrisk", "--country", "KOR", "--year", "2023"]
    assert run([*arguments, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown == risk.geopolrisk(["KOR"], [2023])["geopolrisk"].to_dicts()
    assert run([*arguments, "--material", "Germanium"]) == 0
    assert "unknown" in capsys.readouterr().out


def test_countries_by_name_and_the_union(capsys: pytest.CaptureFixture[str]) -> None:
    line = "indicator geopolrisk --country Taiwan --country EU --year 2022 --material Tin --compatible --json"
    assert run(line.split()) == 0
    assert [row["country"] for row in json.loads(capsys.readouterr().out)] == ["TWN", "EU"]


def test_concentration_by_code(capsys: pytest.CaptureFixture[str]) -> None:
    line = "indicator concentration --country KOR --year 2023 --material 282520 --json"
    assert run(line.split()) == 0
    assert json.loads(capsys.readouterr().out)[0]["largest"] == "CHN"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("indicator geopolrisk --country KRO --year 2023", 2),
        ("indicator geopolrisk --country KOR --year 1990", 3),
        ("indicator geopolrisk --country KOR --year 2023 --material Lithum", 2),
        ("indicator concentration --country EU --year 2023", 2),
        ("indicator nonsense --country KOR --year 2023", 2),
    ],
)
def test_what_is_wrong_is_told(line: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Law 12: a message and the documented exit code."""
    assert run(line.split()) == code
    assert "Error: " in capsys.readouterr().err
