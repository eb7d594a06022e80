"""The simulation Result: tables that agree with one another, bands by seed, runways that add up."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from evernormal import Result, simulate
from evernormal.errors import InputError, LabelError, SnapshotError, StorageError
from evernormal.market.oracles import run_oracles
from evernormal.network.measures import Measure
from evernormal.network.network import Network
from evernormal.network.scenario import Scenario, Uncertainty

MakeAct = Callable[..., Measure]
MakeScenario = Callable[..., Scenario]


@pytest.fixture
def answer(one_form: Network, act: MakeAct, scenario: MakeScenario) -> Result:
    """A full stop for a year with the whole state stock released in the first two months."""
    release = act("stock_release", share=1, effective=date(2024, 1, 1), ends=date(2024, 3, 1), months=2)
    question = scenario(
        act("ban", severity=1), policies=(release,), uncertainty=Uncertainty(draws=12), seed=3
    )
    return simulate(one_form, question)


def test_tables_agree_with_one_another(answer: Result) -> None:
    """What is told twice is the same number."""
    supply = answer["supply"]
    by_supplier = answer["imports"].group_by("month").agg(pl.col("imports_t").sum()).sort("month")
    assert by_supplier["imports_t"].to_list() == pytest.approx(supply["imports_t"].to_list(), rel=1e-6)
    by_use = answer["end_use"].group_by("month").agg(pl.col("shortage_t", "loss_usd").sum()).sort("month")
    assert by_use["shortage_t"].to_list() == pytest.approx(supply["shortage_t"].to_list(), rel=1e-5, abs=1e-6)
    assert by_use["loss_usd"].to_list() == pytest.approx(supply["loss_usd"].to_list(), rel=1e-6)
    assert answer.scalar("shortage_t") == pytest.approx(supply["shortage_t"].sum())
    assert answer.scalar("loss_usd") == pytest.approx(supply["loss_usd"].sum())
    assert answer.scalar("peak_price_ratio") == supply["price_ratio"].max()


def test_loss_is_shortage_times_value_added_less_what_is_substituted(answer: Result) -> None:
    """Equation E52 with 1000 USD a tonne; a tenth of batteries and half of grease can be substituted."""
    rows = answer["end_use"].filter(pl.col("shortage_t") > 0)
    kept = rows["end_use"].replace_strict({"batteries": 0.9, "grease": 0.5}, return_dtype=pl.Float64)
    assert rows["loss_usd"].to_list() == pytest.approx((rows["shortage_t"] * 1000 * kept).to_list())


def test_runway_by_hand(answer: Result) -> None:
    """One month of commercial stock; Chinese cargo five days at sea; the state adds 40 t."""
    runway = answer["runway"].filter(pl.col("policy") == "without release")
    first = runway.row(0, named=True)
    imports = answer["supply"]["imports_t"][0]
    assert first["stock_t"] == pytest.approx(1000 / 12 + (imports - 1000 / 12) / 31, rel=0.05)
    with_release, without = (
        date.fromisoformat(answer["summary"].filter(pl.col("name") == name)["text"][0])
        for name in ("stop_date_with_release", "stop_date_without_release")
    )
    assert date(2024, 1, 15) < without < with_release < date(2024, 6, 1)


def test_a_state_stock_that_nobody_releases_does_not_help(
    one_form: Network, act: MakeAct, scenario: MakeScenario
) -> None:
    """State stock moves only by policy."""
    result = simulate(one_form, scenario(act("ban", severity=1)))
    summary = {row["name"]: row["text"] for row in result["summary"].iter_rows(named=True)}
    assert summary["stop_date_with_release"] == summary["stop_date_without_release"]
    assert result["supply"]["state_stock_t"].to_list() == pytest.approx([40.0] * 18)


def test_bands_hold_the_middle_and_spread(answer: Result) -> None:
    bands = answer["bands"]
    assert (bands["p10"] <= bands["p50"]).all()
    assert (bands["p50"] <= bands["p90"]).all()
    spread = bands.filter((pl.col("series") == "shortage_t") & (pl.col("month") == date(2024, 6, 1)))
    assert spread["p90"][0] > spread["p10"][0] * 1.02


def test_same_seed_same_bytes_for_any_number_of_workers(
    one_form: Network,
    act: MakeAct,
    scenario: MakeScenario,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Law 6."""
    monkeypatch.setattr("evernormal.market.draws.POOL_PAYS_FROM", 0)
    question = scenario(act("ban", severity=0.7), months=6, uncertainty=Uncertainty(draws=8), seed=5)
    simulate(one_form, question).save(tmp_path / "one")
    simulate(one_form, question, workers=2).save(tmp_path / "two")
    other = simulate(one_form, question, seed=6)
    for path in sorted((tmp_path / "one").iterdir()):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name
    again = Result.load(tmp_path / "one")
    assert not again["bands"].equals(other["bands"])
    assert again["bands"].equals(Result.load(tmp_path / "two")["bands"])


def test_a_changed_result_is_refused(answer: Result, tmp_path: Path) -> None:
    """Law 12: a table that was edited after it was written does not pass."""
    answer.save(tmp_path)
    path = tmp_path / "supply.parquet"
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(SnapshotError, match="supply"):
        Result.load(tmp_path)


def test_base_scenario_has_no_shortage_and_no_stop(one_form: Network, scenario: MakeScenario) -> None:
    """Law 5."""
    result = simulate(one_form, scenario())
    assert result.scalar("shortage_t") == 0
    assert result.scalar("loss_usd") == 0
    assert result["supply"]["price_ratio"].to_list() == pytest.approx([1.0] * 18, abs=1e-6)
    assert result["summary"].filter(pl.col("name") == "stop_date_with_release")["text"][0] is None


def test_unknown_value_added_gives_no_loss_figure(
    one_form: Network, act: MakeAct, scenario: MakeScenario
) -> None:
    """Law 2: an unknown loss is null with a finding, not 0."""
    result = simulate(replace(one_form, end_uses=()), scenario(act("ban", severity=1)))
    assert result.scalar("loss_usd") is None
    assert result["supply"]["loss_usd"].null_count() == 18
    assert "loss-unknown" in {f.code for f in result.findings}


def test_labels_that_differ_are_refused(one_form: Network, scenario: MakeScenario) -> None:
    """Law 3: both sides are named."""
    with pytest.raises(LabelError, match=r"for KOR, scenario 'test' for JPN"):
        simulate(one_form, scenario(focal="JPN"))
    with pytest.raises(LabelError, match="lithium/carbonate"):
        simulate(one_form, scenario(form="lithium/carbonate"))
    with pytest.raises(InputError, match="draws must be at least 0"):
        simulate(one_form, scenario(), draws=-1)


def test_every_oracle_passes() -> None:
    oracles = run_oracles()["oracles"]
    failed = oracles.filter(~pl.col("passed"))
    assert failed.is_empty(), failed.to_dicts()
    assert len(oracles) >= 15


def test_a_full_disk_leaves_the_old_result(
    answer: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law 12: what was stored stays whole when the disk is full half way."""
    answer.save(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    real = pl.DataFrame.write_parquet

    def full(self: pl.DataFrame, file: Path, **more: object) -> None:
        if Path(file).name.startswith("runway"):
            raise OSError(errno.ENOSPC, "No space left on device", str(file))
        real(self, file, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(pl.DataFrame, "write_parquet", full)
    with pytest.raises(StorageError, match="is as it was"):
        answer.save(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
