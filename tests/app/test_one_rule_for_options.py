"""One rule for what people type: countries, forms, years, days and added trade, in every command."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from evernormal.app.main import run
from evernormal.app.reading import form_named, material_named, region_named
from evernormal.app.reference import commands
from evernormal.errors import InputError, UnknownNameError

LITHIUM = "lithium has 6 forms: lithium/ore, lithium/carbonate, lithium/hydroxide"


@pytest.fixture(autouse=True)
def empty_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the data of whoever runs it."""
    monkeypatch.setenv("EVERNORMAL_DATA_DIR", str(tmp_path / "store"))


def options() -> list[tuple[str, set[str]]]:
    """Every option of every command, with all its names."""
    return [
        (name, set(parameter.opts))
        for name, command in commands()
        for parameter in command.params
        if parameter.param_type_name == "option"
    ]


@pytest.mark.parametrize("pair", [("--country", "--focal")])
def test_the_country_has_the_same_two_names_everywhere(pair: tuple[str, str]) -> None:
    found = [(name, names) for name, names in options() if names & set(pair)]
    assert len(found) >= 14
    assert [name for name, names in found if not set(pair) <= names] == []


def test_added_trade_has_the_same_two_names_everywhere() -> None:
    found = [(name, names) for name, names in options() if "--trade" in names]
    assert {name.split()[1] for name, _ in found} >= {
        "forecast",
        "indicator",
        "exposure",
        "trace",
        "backtest",
    }
    assert [name for name, names in found if "--dataset" not in names] == []


@pytest.mark.parametrize("text", ["KOR", "kor", "KR", "kr", "Korea, Rep. of", "대한민국", "한국", " KOR "])
def test_a_country_by_code_or_name(text: str) -> None:
    assert region_named(text, "--country") == "KOR"


@pytest.mark.parametrize("text", ["EU", "eu", "EUU", "European Union", "유럽연합"])
def test_the_european_union_is_one_importer(text: str) -> None:
    assert region_named(text, "--country") == "EU"


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("lithium/hydroxide", "lithium/hydroxide"),
        ("Lithium/Hydroxide", "lithium/hydroxide"),
        ("수산화리튬", "lithium/hydroxide"),
        ("금속 리튬", "lithium/metal"),
    ],
)
def test_a_form_by_any_of_its_names(text: str, form: str) -> None:
    assert form_named(text, "FORM") == form


@pytest.mark.parametrize("text", ["gallium", "갈륨", "Ga"])
def test_a_material_of_several_forms_is_never_guessed(text: str) -> None:
    """Gallium metal is called gallium too, and still the wafer may be meant."""
    with pytest.raises(InputError, match="has 2 forms: gallium/metal, gallium/wafer; say which"):
        form_named(text, "FORM")
    assert material_named(text) == "gallium"


def test_an_unknown_form_is_told_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="수산화리튬"):
        form_named("수산화리듐", "FORM")
    with pytest.raises(UnknownNameError) as refused:
        form_named("배터리", "FORM")
    assert refused.value.cure == "See: evernormal form list"


@pytest.mark.parametrize(
    "arguments",
    [
        ["trace", "lithium"],
        ["forecast", "lithium"],
        ["codes", "lithium"],
        ["shares", "KOR", "lithium"],
        ["network", "show", "lithium"],
        ["form", "show", "lithium"],
        ["targets", "KOR", "--form", "lithium"],
        ["indicator", "n-minus-one", "--country", "KOR", "--material", "lithium"],
        ["data", "policies", "--form", "lithium"],
    ],
    ids=" ".join,
)
def test_a_bare_material_lists_its_forms_in_every_command(
    arguments: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*arguments]) == 2
    assert LITHIUM in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "what", "where"),
    [
        (["trace", "cobalt/oxides", "--year", "-5"], "must be a calendar year, got -5", "--year"),
        (["indicator", "geopolrisk", "--years", "99999"], "must be a calendar year, got 99999", "--year"),
        (["forecast", "lithium/hydroxide", "--origin", "20"], "must be a calendar year, got 20", "--origin"),
        (["exposure", "KOR", "--as-of", "yesterday"], "'yesterday' is no day", "--as-of"),
        (["hazards", "nickel/ore", "--start", "soon"], "'soon' is no day", "--start"),
        (["brief", "lithium-hydroxide-100", "--country", "EU"], "EU is a group of countries", "--country"),
        (["bloc", "bloc-lithium-hydroxide", "--focal", "Atlantis"], "country 'Atlantis'", "--country"),
        (["exposure"], "no country was given", "COUNTRY"),
        (["shares"], "no country was given", "COUNTRY"),
        (["exposure", "KR", "--country", "JPN"], "two countries were given, KOR and JPN", "--country"),
        (["forecast", "lithium/hydroxide", "--market", "Mars"], "unknown country 'Mars'", "--market"),
        (["ensemble", "lithium-hydroxide-100", "--correlation", "3"], "below 1, got 3", "--correlation"),
        (
            ["ensemble", "lithium-hydroxide-100", "--probability", "ban=7"],
            "at most 1, got 7",
            "--probability",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_wrong_is_named_with_its_option_and_cure(
    arguments: list[str], what: str, where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*arguments, "--json"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert what in told["what"]
    assert told["where"] == where
    assert told["cure"]


def test_the_country_as_an_argument_or_as_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    answers = []
    for words in (
        ["KOR", "lithium/hydroxide", "--year", "2023"],
        ["--country", "KR", "수산화리튬", "--years", "2023"],
        ["대한민국", "Lithium/Hydroxide", "--focal", "Korea, Rep. of", "--year", "2023"],
    ):
        assert run(["shares", *words, "--json"]) == 0
        answers.append(json.loads(capsys.readouterr().out))
    assert answers[0] == answers[1] == answers[2]
    assert {row["year"] for row in answers[0]} == {2023}
