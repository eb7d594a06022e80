"""``evernormal codes`` as a person and as a program sees it."""

from __future__ import annotations

import json

import pytest

from evernormal.app.main import run


def test_codes_of_a_form_as_rows(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["codes", "germanium/metal", "--country", "KOR", "--json"]) == 0
    out, err = capsys.readouterr()
    rows = json.loads(out)
    assert [row["code"] for row in rows] == ["811230"] * 3 + ["811292"] * 4
    assert rows[2]["next"][0] == {
        **{"to_revision": "HS2007", "to_code": "811292", "weight": 0.5, "low": 0.0, "high": 1.0},
        **{"basis": "assumed", "grade": "C"},
    }
    assert rows[-1]["next"] == []
    assert "How to divide 811230, 811292 is not known" in err


def test_codes_for_people_show_what_divides(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["codes", "germanium/metal"]) == 0
    out = capsys.readouterr().out
    assert "germanium/metal: customs codes" in out
    assert "How they divide" in out
    assert out.count("811241") == 1
    assert run(["codes", "lithium/hydroxide", "--date", "2024-01-01"]) == 0
    assert "How they divide" not in capsys.readouterr().out


def test_forms_of_a_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["codes", "--code", "811292", "--revision", "HS2022", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["form"] for row in rows} == {
        "gallium/metal",
        "germanium/metal",
        "indium/metal",
        "niobium/metal",
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["codes"], "give a form, or --code"),
        (["codes", "lithium/ore", "--code", "811292"], "give a form, or --code"),
        (["codes", "--code", "811292", "--country", "KOR"], "--code goes with --revision only"),
        (["codes", "lithium/oer"], "Did you mean 'lithium/ore'"),
        (["codes", "lithium/ore", "--date", "yesterday"], "is no day"),
        (["codes", "lithium/ore", "--dataset", "none-such"], "No data set of this kind is stored"),
    ],
)
def test_a_wrong_question_is_answered_with_the_cure(
    arguments: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: object,
) -> None:
    monkeypatch.setenv("EVERNORMAL_DATA_DIR", str(tmp_path))
    assert run(arguments) == 2
    err = " ".join(capsys.readouterr().err.split())
    assert said in err
