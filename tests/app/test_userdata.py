"""From a file of one's own to a briefing, by hand: add, then name it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evernormal.app import settings
from evernormal.app.main import run
from evernormal.network.userdata import OWN_MARK

HEAD = (
    "fact_id,topic,material,form,region,partner,value,low,high,unit,basis,period,definition,source,source_ref,"
    "as_of,grade"
)
TAIL = "2022,as counted by the desk,desk of the ministry,note 7,2023-03-01,C"
ROWS = (
    f"jpn-imports,imports,gallium,gallium/metal,JPN,,90,,,t,gross,{TAIL}",
    f"jpn-chn,import_share,gallium,gallium/metal,JPN,CHN,0.6,,,1,quantity,{TAIL}",
    f"jpn-twn,import_share,gallium,gallium/metal,JPN,TWN,0.2,,,1,quantity,{TAIL}",
)


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with the desk's figures for Japan's gallium."""
    folder = tmp_path / "store"
    monkeypatch.setenv(settings.DATA_DIRECTORY_VARIABLE, str(folder))
    file = tmp_path / "our-figures.csv"
    file.write_text("\n".join([HEAD, *ROWS]) + "\n", "utf-8")
    assert run(["data", "add", "facts", str(file), "--name", "ours"]) == 0
    return folder


def test_a_refused_briefing_is_made_on_the_users_facts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [
        "brief",
        "gallium-licence-2023",
        "--focal",
        "JPN",
        "--draws",
        "0",
        "--out",
        str(tmp_path / "out"),
    ]
    capsys.readouterr()
    assert run(asked) == 3
    assert "data add facts FILE, then add --facts NAME" in capsys.readouterr().err
    assert run([*asked, "--facts", "ours", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["focal"] == "JPN"
    assert any(finding["code"] == "own-facts" for finding in found["findings"])
    head = json.loads(Path(found["files"]["parquet"]).read_text("utf-8"))
    assert any(one["name"].startswith("ours/") and one["sha256"] for one in head["lineage"]["inputs"])
    assert run(["explain", str(tmp_path / "out"), "base_imports_year_t"]) == 0
    assert OWN_MARK in capsys.readouterr().out
    assert "--facts ours" in Path(found["files"]["html"]).read_text("utf-8")
    assert run([*asked, "--facts", "ours", "--lang", "ko"]) == 0
    page = (tmp_path / "out" / "brief.ko.html").read_text("utf-8")
    assert "사용자 자료 ours(" in page


def test_the_network_shows_grade_and_source_of_the_users_rows(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["network", "show", "gallium/metal", "--focal", "JPN", "--year", "2022", "--facts", "ours"]
    capsys.readouterr()
    assert run(asked) == 0
    out = capsys.readouterr().out
    assert "Imports of JPN that rest on your data" in out
    assert f"desk of the ministry {OWN_MARK}ours/" in out
    assert run([*asked, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {row["grade"] for row in found["base_rows"]} == {"C"}
    assert any(one["name"].startswith("ours/") for one in found["inputs"])


def test_shares_are_those_of_the_user(capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    asked = ["shares", "JPN", "gallium/metal", "--by", "quantity", "--year", "2022", "--facts", "ours"]
    assert run([*asked, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["supplier"]: row["share"] for row in rows} == {"CHN": 0.6, "TWN": 0.2}


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--facts", "our"], 2, "Did you mean 'ours'"),
        (["--trade", "ours"], 2, "It holds facts: give it as facts"),
        (["--facts", "ours", "--as-of", "2022-12-31"], 3, "no vintage of 'ours' was knowable on 2022-12-31"),
        (["--facts", "ours", "--as-of", "31.12.2022"], 2, "31.12.2022"),
    ],
)
def test_law_12_what_is_wrong_is_told(
    options: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Law 12: what, where and the nearest right value."""
    capsys.readouterr()
    assert run(["network", "show", "gallium/metal", "--focal", "JPN", "--year", "2022", *options]) == code
    assert message in capsys.readouterr().err


def test_law_12_a_tampered_vintage_stops_the_briefing(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Law 12: nothing is written from a file that was changed."""
    file = next(store.rglob("facts.parquet"))
    file.write_bytes(file.read_bytes()[:-3])
    capsys.readouterr()
    out = tmp_path / "out"
    asked = ["brief", "gallium-licence-2023", "--focal", "JPN", "--facts", "ours", "--out", str(out)]
    assert run(asked) == 3
    assert "truncated or changed" in capsys.readouterr().err
    assert not out.exists()


def test_the_shell_completes_the_users_data_sets() -> None:
    from evernormal.app.completion import complete_facts, complete_trade

    assert [name for name, _ in complete_facts("o")] == ["ours"]
    assert list(complete_trade("")) == []
