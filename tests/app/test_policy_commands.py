"""``evernormal data policies``, ``data template``, ``data cover`` and ``data add firm --marked``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from openpyxl import load_workbook

from evernormal import data
from evernormal.app.main import run
from evernormal.network.scenario import read_scenario

INTERVENTION = {
    "id": "129576",
    "title": "China: Government announces export control measures for graphite",
    "evaluation": "harmful",
    "interventionType": "Export licensing requirement",
    "minerals": ["Graphite"],
    "implementers": ["China"],
    "dateISO": "2023-12-01",
    "description": "<p>On 20 October 2023, the Ministry announced licences from 1 December 2023.</p>",
}


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of the user's own."""
    monkeypatch.setenv("EVERNORMAL_DATA_DIR", str(tmp_path / "store"))
    return tmp_path / "store"


def test_records_are_listed_and_become_a_scenario(
    tmp_path: Path, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gta.json").write_text(json.dumps([INTERVENTION]), "utf-8")
    data.add("gta", tmp_path / "gta.json", store)
    asked = ["data", "policies", "--by", "China", "--form", "graphite/natural"]
    assert run([*asked, "--since", "2020", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["record"], row["announced"]) for row in rows] == [("129576", "2023-10-20")]
    assert run([*asked, "--since", "2024", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    file = tmp_path / "graphite_licence.yaml"
    assert run([*asked, "--scenario", str(file), "--start", "2023-10", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [row["id"] for row in shown["measures"]] == ["licence-chn-2023-12-01"]
    scenario = read_scenario(file.read_text("utf-8"))
    assert (scenario.name, scenario.base_year) == ("graphite-licence", 2022)
    assert run(["data", "policies", "--scenario", str(file)]) == 2
    assert "a scenario needs one --form and a --start" in capsys.readouterr().err


def test_a_firm_fills_in_the_template(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Faults are marked in a copy; corrected, the file is added and tells its cover."""
    path, marked = tmp_path / "firm.xlsx", tmp_path / "marked.xlsx"
    assert run(["data", "template", str(path), "--lang", "ko"]) == 0
    book = load_workbook(path)
    book["재고"].append([None, "천연흑연", "포항", "1,200", "t", None, "2025-03-31"])
    book["사용"].append([None, "천연흑연", None, "2025-03", 310, "톤", None])
    book.save(path)
    assert run(["data", "add", "firm", str(path), "--marked", str(marked)]) == 3
    assert "sheet '재고' cell D7" in capsys.readouterr().err
    assert load_workbook(marked)["재고"]["D7"].comment.text.endswith("write 1200")
    book["재고"]["D7"] = 1200
    book.save(path)
    assert run(["data", "add", "firm", str(path)]) == 0
    capsys.readouterr()
    assert run(["data", "cover", "--json"]) == 0
    cover = json.loads(capsys.readouterr().out)["cover"]
    assert [(row["site"], row["days"]) for row in cover] == [("포항", None), (None, 120.0)]
