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
        ("indicator concentration --country EUR --year 2023", 2),
        ("indicator nonsense --country KOR --year 2023", 2),
    ],
)
def test_what_is_wrong_is_told(line: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Law 12: a message and the documented exit code."""
    assert run(line.split()) == code
    assert "Error: " in capsys.readouterr().err


FORM = "--form nickel/ore"


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("eu-supply-risk", lambda: risk.supply_risk(["KOR"], [2023], ["nickel/ore"])["supply_risk"]),
        (
            "usgs-supply-risk",
            lambda: risk.usgs_supply_risk_table(["KOR"], 2023, ["nickel/ore"])["usgs_supply_risk"],
        ),
        ("stability", lambda: risk.supply_stability(["KOR"], 2023, ["nickel/ore"], draws=1000)["stability"]),
        ("trend", lambda: risk.dependence_trends(["KOR"], ["nickel/ore"], 2023)["trends"]),
        ("disagreement", lambda: risk.method_disagreement("KOR", 2023, ["nickel/ore"])["ranks"]),
    ],
)  # fmt: skip
def test_every_indicator_prints_what_its_function_gives(
    name: str, table: object, capsys: pytest.CaptureFixture[str]
) -> None:
    """One function behind the command line and Python."""
    assert run(f"indicator {name} --country KOR --year 2023 {FORM} --json".split()) == 0
    assert json.loads(capsys.readouterr().out) == table().to_dicts()  # type: ignore[operator]


def test_indicators_of_one_form_take_several(capsys: pytest.CaptureFixture[str]) -> None:
    line = "--country KOR --country EU --year 2023 --form nickel/ore --form tin/ore --json"
    for name in ("net-import-reliance", "n-minus-one"):
        assert run(f"indicator {name} {line}".split()) == 0
        rows = json.loads(capsys.readouterr().out)
        assert {(row["form"], row["country"]) for row in rows} == {
            (form, place) for form in ("nickel/ore", "tin/ore") for place in ("KOR", "EU")
        }
    assert (
        run(
            [
                "indicator",
                "duty",
                "--country",
                "KOR",
                "--year",
                "2023",
                "--form",
                "lithium/hydroxide",
                "--json",
            ]
        )
        == 0
    )
    duty = json.loads(capsys.readouterr().out)
    assert [row["reached"] for row in duty] == [True, True] and duty[0]["form"] == "lithium/hydroxide"


def test_uncertainty_names_its_indicators(capsys: pytest.CaptureFixture[str]) -> None:
    line = (
        f"indicator uncertainty --country KOR --year 2023 {FORM} --of hhi --of n-minus-one --draws 50 --json"
    )
    assert run(line.split()) == 0
    assert [row["indicator"] for row in json.loads(capsys.readouterr().out)] == ["hhi", "n-minus-one"]


def test_the_list_and_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["indicator", "--list", "--json"]) == 0
    names = {row["name"] for row in json.loads(capsys.readouterr().out)}
    assert {"geopolrisk", "stability", "usgs-supply-risk", "disagreement", "duty"} <= names
    assert run(["indicator", "stability"]) == 2
    assert "--country" in capsys.readouterr().err
    assert run(["indicator", "stability", "--country", "KOR", "--year", "2023", "--as-of", "2001-01-01"]) == 3


def test_targets(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["targets", "KOR", "--year", "2023", "--form", "lithium/hydroxide", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["target"] for row in rows} >= {"kor-2030-china-value", "kor-2030-recycled-share"}
    assert run(["targets", "South Korea"]) == 0
    shown = capsys.readouterr().out
    assert "share of China" in shown and "off track" in shown
    assert run(["targets", "JPN"]) == 3
    assert run(["targets", "KOR", "--file", "absent.csv"]) == 2
