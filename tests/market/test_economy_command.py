"""``evernormal economy``: from the folder of a brief to suppliers and users."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.data.made_up_input_output import World, icio

from evernormal import Result, data, load_network, load_scenario, market, simulate
from evernormal.app.main import run
from evernormal.errors import InputError
from evernormal.market.economy_recipes import joined_apart
from evernormal.market.input_output_table import input_output_of


@pytest.fixture(scope="module")
def lithium() -> Result:
    """Lithium hydroxide stops; batteries and other uses lose."""
    asked = load_scenario("lithium-hydroxide-100")
    return simulate(load_network(asked.form, asked.focal, asked.base_year), asked, draws=0)


@pytest.fixture
def home(lithium: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a made-up table of Korea in the store and the saved result."""
    monkeypatch.setenv("EVERNORMAL_DATA_DIR", str(tmp_path / "store"))
    table = icio(World(sectors=("C19", "C20", "C27")), tmp_path / "2020_SML.csv")
    data.add("input-output", table, tmp_path / "store", as_of="2023-12-01", codes=["KOR"])
    lithium.save(tmp_path / "lithium")
    return tmp_path


def test_a_saved_result_is_carried_through_the_table(
    home: Path, lithium: Result, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command says what the Python function says, and saves it."""
    assert run(["economy", str(home / "lithium"), "--json", "--out", str(home / "loss")]) == 0
    told = {row["name"]: row["value"] for row in json.loads(capsys.readouterr().out)["summary"]}
    expected = market.propagate_loss(lithium, market.open_input_output("KOR", folder=home / "store"))
    assert told == dict(expected["summary"].iter_rows())
    assert 0 < told["direct"] < told["total"] <= told["highest"]
    assert Result.load(home / "loss").kind == "economic-loss"


def test_losses_without_a_folder_and_a_readable_page(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["economy", "--loss", "C27=1000000", "--table", "South Korea", "--months", "12"]) == 0
    page = capsys.readouterr().out
    assert "Loss of KOR over 12 months" in page and "suppliers that lose orders" in page
    assert max(len(line) for line in page.splitlines() if not line.startswith(("caution", "warning"))) <= 100


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "not both"),
        (["--loss", "C27=1"], "--table KOR"),
        (["--loss", "C27", "--table", "KOR"], "NAME=VALUE"),
        (["--loss", "C27=much", "--table", "KOR"], "number of USD"),
        (["--loss", "C28=1", "--table", "KOR"], "unknown sector 'C28'"),
        (["--loss", "C27=-1", "--table", "KOR"], "at least 0"),
        (["--loss", "C27=1", "--table", "JPN"], "no input-output table of JPN"),
        (["nowhere"], "nowhere"),
    ],
)
def test_what_cannot_be_carried_is_said(
    home: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Law 12."""
    assert run(["economy", *words]) in (2, 3)
    assert said in " ".join(capsys.readouterr().err.split())


def material(result: Result, name: str) -> Result:
    """The same losses as if another mineral had stopped."""
    call = {**result.lineage.call, "form": name}
    return replace(result, lineage=replace(result.lineage, call=call))


def test_minerals_of_the_same_cells_count_once_when_asked(
    home: Path, lithium: Result, capsys: pytest.CaptureFixture[str]
) -> None:
    """The joint loss lies between the largest and the sum; refused while nobody says how they join."""
    uses = lithium["end_use"].filter(pl.col("end_use").is_in(["cathodes", "other"]))
    nickel = material(replace(lithium, tables={**lithium.tables, "end_use": uses}), "nickel/sulphate")
    nickel.save(home / "nickel")
    both = ["economy", str(home / "lithium"), str(home / "nickel")]
    assert run(both) == 2
    assert "--joint" in capsys.readouterr().err
    assert run([*both, "--joint", "--json"]) == 0
    told = {row["end_use"]: row["loss_usd"] for row in json.loads(capsys.readouterr().out)["end_uses"]}
    alone = lithium["end_use"].filter(end_use="cathodes")["loss_usd"].sum()
    assert alone < told["cathodes"] < 2 * alone
    sums = lithium["end_use"].group_by("end_use").agg(pl.col("loss_usd").sum())
    once = dict(sums.iter_rows())
    assert told["other"] == pytest.approx(2 * once["other"])
    assert told["greases"] == pytest.approx(once["greases"])


def test_an_unknown_loss_stays_unknown_when_joined(lithium: Result) -> None:
    """Law 2: the loss of cathodes whose value added nobody knows is not zero."""
    blank = lithium["end_use"].with_columns(loss_usd=pl.lit(None, dtype=pl.Float64))
    unknown = replace(material(lithium, "nickel/sulphate"), tables={**lithium.tables, "end_use": blank})
    joint, *_ = joined_apart([lithium, unknown])
    assert joint.scalar("loss_usd") is None
    assert "joint-loss-unknown" in {finding.code for finding in joint.findings}


def test_results_of_other_months_do_not_add(lithium: Result) -> None:
    later = lithium["end_use"].with_columns(pl.col("month").dt.offset_by("1y"), end_use=pl.lit("stainless"))
    other = replace(material(lithium, "nickel/ore"), tables={**lithium.tables, "end_use": later})
    economy = input_output_of(np.array([[1.0]]), np.array([100.0]), region="KOR")
    with pytest.raises(InputError, match=r"months from 2024-01-01 and .* from 2025-01-01"):
        market.propagate_loss([lithium, other], economy)
