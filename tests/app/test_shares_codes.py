"""``evernormal shares`` without a form: one customs code, several, or everything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evernormal import data
from evernormal.app.main import run

ROWS = ["2023,156,410,282520,750.5,30.25", "2023,152,410,282520,249.5,NA", "2023,36,410,260300,3000,7"]


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A small release of the user's: China and Chile sell lithium hydroxide, Australia copper ore."""
    monkeypatch.setenv("EVERNORMAL_DATA_DIR", str(tmp_path / "store"))
    path = tmp_path / "BACI_HS22_Y2023_V202501.csv"
    path.write_text("\n".join(["t,i,j,k,v,q", *ROWS]) + "\n", "utf-8")
    return str(data.add("baci", path, tmp_path / "store")["added"]["dataset"].item())


@pytest.mark.parametrize(
    ("options", "shares"),
    [
        ([], {"AUS": 0.75, "CHN": 0.187625, "CHL": 0.062375}),
        (["--code", "282520"], {"CHN": 0.7505, "CHL": 0.2495}),
        (["--code", "282520", "--code", "260300"], {"AUS": 0.75, "CHN": 0.187625, "CHL": 0.062375}),
    ],
)
def test_shares_of_codes_and_of_everything(
    dataset: str, options: list[str], shares: dict[str, float], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["shares", "KOR", "--dataset", dataset, "--json", *options]) == 0
    shown = capsys.readouterr()
    assert {row["supplier"]: row["share"] for row in json.loads(shown.out)} == pytest.approx(shares)
    assert ("3 trade rows are behind these shares" in shown.err) is (not options)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["lithium/hydroxide", "--code", "282520"], "FORM and --code cannot be given together"),
        (["--facts", "mine"], "--facts needs a FORM"),
        (["--code", "28252"], "code must be six digits as text, got '28252'"),
    ],
)
def test_what_does_not_go_together_is_told(
    dataset: str, arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["shares", "KOR", *arguments]) == 2
    assert says in capsys.readouterr().err


def test_one_name_for_trade_that_you_added(dataset: str, capsys: pytest.CaptureFixture[str]) -> None:
    """``--trade`` everywhere; ``--dataset`` is the same; a country by name or by two letters."""
    answers = []
    for country, option in (("KOR", "--trade"), ("KR", "--dataset"), ("Korea, Rep. of", "--trade")):
        assert run(["shares", country, option, dataset, "--code", "282520", "--json"]) == 0
        answers.append(capsys.readouterr().out)
    assert len(set(answers)) == 1


def test_commands_that_need_no_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["visibility", "284690", "--json"]) == 0
    assert {row["year"] for row in json.loads(capsys.readouterr().out)} == {2024}
    assert run(["data", "compare", "cobalt", "--stage", "ore", "--json"]) == 0
    assert {row["asked_year"] for row in json.loads(capsys.readouterr().out)["rows"]} == {2024}
