"""Ensembles: same bytes however they are run, resumable after a kill, refused rather than incomplete."""

from __future__ import annotations

import errno
import json
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from evernormal import Result, ensemble
from evernormal.errors import InputError, LabelError, SolverError, StorageError, UnknownNameError
from evernormal.market import batch, many, run
from evernormal.market.batch import Atlas, Kernel, Plan, bare
from evernormal.market.factors import Joint, Space
from evernormal.market.stream import FOLDER
from evernormal.network.measures import Measure
from evernormal.network.network import Network
from evernormal.network.scenario import Scenario
from evernormal.network.uncertain import Uncertain

MakeAct = Callable[..., Measure]
MakeScenario = Callable[..., Scenario]

RANGE = {"low": 0.4, "mode": 0.7, "high": 1.0}


@pytest.fixture
def asked(act: MakeAct, scenario: MakeScenario) -> Scenario:
    """A ban of uncertain severity and a licence by the same capital, six months."""
    ban = act("ban", id="ban", severity=RANGE, ends=date(2024, 5, 1))
    licence = act("licence", id="licence", delay_days={"low": 20, "high": 60}, approval_share=0.8,
                  against=("JPN",))  # fmt: skip
    return scenario(ban, licence, months=6)


def saved(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


# Same bytes ---------------------------------------------------------------------------------------


def test_the_same_bytes_from_one_process_and_from_a_pool(
    one_form: Network, asked: Scenario, tmp_path: Path
) -> None:
    """Law 6: workers leave no trace, another seed does."""
    ensemble(one_form, asked, 160, 3, out=tmp_path / "one")
    ensemble(one_form, asked, 160, 3, workers=2, out=tmp_path / "two")
    one = saved(tmp_path / "one")
    assert one == saved(tmp_path / "two")
    assert "draws.parquet" in one and not (tmp_path / "one" / FOLDER).exists()
    other = ensemble(one_form, asked, 60, 4)
    assert not other["outcomes"].equals(Result.load(tmp_path / "one")["outcomes"].head(60))


def test_a_draw_is_the_same_in_any_order_and_in_a_larger_ensemble(one_form: Network, asked: Scenario) -> None:
    """Law 6: draws run backwards, one by one, are those of the ensemble; more change none of the first."""
    space = Space((asked,), {}, Joint())
    plan = Plan((bare(one_form),), (asked,), space)
    kernel = Kernel(plan)
    points = np.random.default_rng(5).random((90, space.dimension))
    _, atlas = kernel.survey(points[:50], kernel.central())
    plan = replace(plan, atlas=atlas)
    forward = Kernel(plan).run(50, points[50:])
    worker = Kernel(plan)
    for n in reversed(range(50, 90)):
        alone = worker.run(n, points[n : n + 1])
        for name, values in forward.outcomes.items():
            np.testing.assert_array_equal(alone.outcomes[name][0], values[n - 50], err_msg=name)
        for name, paths in forward.series.items():
            np.testing.assert_array_equal(alone.series[name][0], paths[n - 50], err_msg=name)
    few, more = (ensemble(one_form, asked, n, 8, sensitivity="none") for n in (70, 120))
    assert few["outcomes"].equals(more["outcomes"].head(70))


def test_another_start_moves_no_more_than_the_last_kept_digits(one_form: Network, asked: Scenario) -> None:
    """A start is a matter of time only: from nowhere, the same answer to eight digits."""
    space = Space((asked,), {}, Joint())
    kernel = Kernel(Plan((bare(one_form),), (asked,), space))
    points = np.random.default_rng(5).random((20, space.dimension))
    hot, _ = kernel.survey(points, kernel.central())
    cold, _ = kernel.run_from(0, points, Atlas(points[:1], (({},),)))
    for name, values in hot.outcomes.items():
        np.testing.assert_allclose(cold.outcomes[name], values, rtol=2e-8, atol=1e-7, err_msg=name)


def test_draws_agree_with_the_simulation(one_form: Network, asked: Scenario) -> None:
    """The central run of an ensemble is that of ``simulate``."""
    from evernormal import simulate

    kernel = Kernel(Plan((bare(one_form),), (asked,), Space((asked,), {}, Joint())))
    (central,) = kernel.central()
    supply = simulate(one_form, asked)["supply"]
    np.testing.assert_allclose(central.shortage, supply["shortage_t"], rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(central.price_ratio, supply["price_ratio"], rtol=1e-8)


# Interruptions ------------------------------------------------------------------------------------

CHILD = """
    import os, pickle, signal, sys
    from evernormal import ensemble

    if __name__ == "__main__":
        network, asked = pickle.loads(open(sys.argv[1], "rb").read())

        def killed(done, total):
            if done >= 100:
                os.kill(os.getpid(), signal.SIGKILL)

        ensemble(network, asked, 200, 9, out=sys.argv[2], progress=killed, sensitivity="none")
"""


def test_a_killed_run_resumes_and_ends_with_the_same_bytes(
    one_form: Network, asked: Scenario, tmp_path: Path
) -> None:
    """Law 6 and law 12: SIGKILL in the middle, then --resume; what was whole is not run again."""
    import pickle

    (tmp_path / "question").write_bytes(pickle.dumps((one_form, asked)))
    (tmp_path / "child.py").write_text(textwrap.dedent(CHILD), "utf-8")
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    child = [sys.executable, str(tmp_path / "child.py"), str(tmp_path / "question"), str(killed)]
    assert subprocess.run(child, check=False).returncode == -signal.SIGKILL
    assert not (killed / "result.json").exists()
    held = sorted((killed / FOLDER).glob("*.parquet"))
    assert len(held) == 2
    with (killed / FOLDER / "batches.jsonl").open("a") as log:
        log.write('{"first": 100, "dra')  # the last line of a log may be cut off
    seen: list[int] = []
    with pytest.raises(InputError, match="unfinished ensemble of the same question"):
        ensemble(one_form, asked, 200, 9, out=killed, sensitivity="none")
    ensemble(
        one_form, asked, 200, 9, out=killed, sensitivity="none", resume=True,
        progress=lambda done, _: seen.append(done),
    )  # fmt: skip
    assert seen == [100, 150, 200]
    ensemble(one_form, asked, 200, 9, out=whole, sensitivity="none")
    assert saved(killed) == saved(whole)
    again = ensemble(
        one_form, asked, 200, 9, out=killed, sensitivity="none", resume=True, progress=seen.append
    )
    assert again["outcomes"].height == 200 and seen == [100, 150, 200]  # found, not run


def unfinished(one_form: Network, asked: Scenario, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave two of three batches in a folder."""

    def stop(done: int, _: int) -> None:
        if done >= 100:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ensemble(one_form, asked, 150, 9, out=out, sensitivity="none", progress=stop)


@pytest.mark.parametrize("change", ["seed", "draws", "network", "scenario", "joint", "version"])
def test_resume_refuses_another_question(
    change: str, one_form: Network, asked: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What differs is named and nothing is lost."""
    unfinished(one_form, asked, tmp_path, monkeypatch)
    network, scenario, draws, seed, more = one_form, asked, 150, 9, {}
    if change == "seed":
        seed = 10
    elif change == "draws":
        draws = 151
    elif change == "network":
        network = replace(one_form, commercial_stock=one_form.commercial_stock * 1.01)
    elif change == "scenario":
        scenario = asked.model_copy(update={"months": 5})
    elif change == "joint":
        more = {"joint": Joint(correlation=0.1)}
    else:
        monkeypatch.setattr("evernormal.__version__", "0.0.0")
    named = {"network": "networks", "scenario": "scenarios"}.get(change, change)
    with pytest.raises(InputError, match=f"asks something else.*{named}"):
        ensemble(network, scenario, draws, seed, out=tmp_path, sensitivity="none", resume=True, **more)
    assert len(list((tmp_path / FOLDER).glob("*.parquet"))) == 2


def test_a_batch_that_was_changed_is_run_again(
    one_form: Network, asked: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law 12: a file that differs from the log does not count."""
    unfinished(one_form, asked, tmp_path / "a", monkeypatch)
    path = sorted((tmp_path / "a" / FOLDER).glob("*.parquet"))[1]
    path.write_bytes(path.read_bytes()[:-3])
    ensemble(one_form, asked, 150, 9, out=tmp_path / "a", sensitivity="none", resume=True)
    ensemble(one_form, asked, 150, 9, out=tmp_path / "b", sensitivity="none")
    assert saved(tmp_path / "a") == saved(tmp_path / "b")


def test_a_full_disk_keeps_what_is_whole(
    one_form: Network, asked: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law 12: the disk fills half way; the error says so and --resume ends with the same bytes."""
    write = pl.DataFrame.write_parquet

    def full(self: pl.DataFrame, path: Any, **more: Any) -> None:
        if "draws-00000050" in str(path):
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write(self, path, **more)

    with monkeypatch.context() as patch:
        patch.setattr(pl.DataFrame, "write_parquet", full)
        with pytest.raises(StorageError, match=r"disk is full.*unfinished"):
            ensemble(one_form, asked, 150, 9, out=tmp_path / "a", sensitivity="none")
    assert not (tmp_path / "a" / "result.json").exists()
    ensemble(one_form, asked, 150, 9, out=tmp_path / "a", sensitivity="none", resume=True)
    ensemble(one_form, asked, 150, 9, out=tmp_path / "b", sensitivity="none")
    assert saved(tmp_path / "a") == saved(tmp_path / "b")


def test_a_run_that_never_began_leaves_nothing_in_the_way(
    one_form: Network, asked: Scenario, tmp_path: Path
) -> None:
    """No batch was whole, so another question may be asked in the same folder."""
    with pytest.raises(InputError, match="executor is local"):
        ensemble(one_form, asked, 60, 9, out=tmp_path, scheduler="tcp://127.0.0.1:9", sensitivity="none")
    assert (tmp_path / FOLDER).is_dir()
    result = ensemble(one_form, asked, 30, 4, out=tmp_path, sensitivity="none")
    assert result["draws"].height == 30 and not (tmp_path / FOLDER).exists()


# Draws without an answer --------------------------------------------------------------------------


def some_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every draw with a severity above 0.9 ends at the solver's iteration limit."""
    solve = batch.outcome_of

    def limited(network: Any, chosen: Any, calendar: Any, acts: Any, **more: Any) -> Any:
        if any(act.hardness.get("severity", 0.0) > 0.9 for act in acts):
            raise SolverError("no solver returned a proven answer (iteration limit)")
        return solve(network, chosen, calendar, acts, **more)

    monkeypatch.setattr(batch, "outcome_of", limited)


def test_draws_without_an_answer_are_named_and_the_result_refused(
    one_form: Network, asked: Scenario, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No partial result passes for a whole one."""
    some_fail(monkeypatch)
    with pytest.raises(SolverError, match=r"\d+ of 80 draws .*draws \d+, .*iteration limit"):
        ensemble(one_form, asked, 80, 3, out=tmp_path)
    assert not (tmp_path / "result.json").exists()


def test_draws_without_an_answer_are_flagged_when_asked(
    one_form: Network, asked: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    some_fail(monkeypatch)
    result = ensemble(one_form, asked, 80, 3, failures="flag", sensitivity="none")
    hard = result["draws"].filter(pl.col("ban.severity") > 0.9)["draw"].to_list()
    assert hard and result["failed"]["draw"].to_list() == hard
    assert "draws-failed" in {finding.code for finding in result.findings}
    lost = result["outcomes"].filter(pl.col("draw").is_in(hard))
    assert lost["shortage_t"].null_count() == lost.height
    assert result["distribution"].filter(pl.col("name") == "shortage_t")["p99"][0] > 0


# Bad input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"draws": 0}, "draws must be between 1"),
        ({"workers": 0}, "workers must be at least 1"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"executor": "ray"}, "unknown executor 'ray'. Known: local, dask"),
        ({"sensitivity": "morris"}, "unknown sensitivity 'morris'"),
        ({"failures": "ignore"}, "failures must be"),
        ({"resume": True}, "resume needs the folder"),
        ({"scheduler": "tcp://127.0.0.1:1"}, "a scheduler is given but the executor is local"),
        ({"sensitivity": "sobol", "draws": 100}, "power of two.*Write 64 or 128"),
        ({"parameters": {"choke": 3.0}}, "unknown behavioural parameter 'choke'"),
        ({"joint": lambda: Joint(correlation=1.0)}, "correlation must be at least 0 and below 1"),
        ({"joint": lambda: Joint(probability={"ban": 0.0})}, "probability of 'ban' must be above 0"),
        (
            {"joint": lambda: Joint(duration={"ban": Uncertain(0.0, 1.0)})},
            "duration of 'ban' must be above 0",
        ),
    ],
)
def test_bad_input_is_named(change: dict[str, Any], message: str, one_form: Network, asked: Scenario) -> None:
    call: dict[str, Any] = {"draws": 60, "seed": 1, **change}
    with pytest.raises(InputError, match=message):
        if callable(call.get("joint")):
            call["joint"] = call["joint"]()
        ensemble(one_form, asked, **call)


def test_measures_of_the_joint_settings_must_exist(
    one_form: Network, asked: Scenario, act: MakeAct, scenario: MakeScenario
) -> None:
    """Law 3: the nearest name is offered; a measure without end has no duration."""
    with pytest.raises(UnknownNameError, match="Did you mean 'licence'"):
        ensemble(one_form, asked, 60, 1, joint=Joint(probability={"license": 0.5}))
    forever = scenario(act("ban", id="ban", severity=1, ends=None))
    with pytest.raises(InputError, match="has no end"):
        ensemble(one_form, forever, 60, 1, joint=Joint(duration={"ban": Uncertain(0.5, 2.0)}))


def test_networks_and_scenarios_must_match(one_form: Network, two_stage: Network, asked: Scenario) -> None:
    """Law 3: both sides are named."""
    with pytest.raises(LabelError, match=r"KOR, scenario 'test' about .* in JPN"):
        ensemble(one_form, asked.with_focal("JPN"), 60, 1)
    with pytest.raises(InputError, match="2 networks and 1 scenarios"):
        ensemble([one_form, two_stage], asked, 60, 1)
    with pytest.raises(LabelError, match="the same form"):
        ensemble([one_form, one_form], [asked, asked], 60, 1)


def test_an_unreachable_scheduler_is_a_clear_error_in_bounded_time(
    one_form: Network, asked: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    from evernormal.market import cluster

    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 2)
    monkeypatch.setattr(many, "Kernel", None)  # nothing is run before the scheduler has answered
    before = time.monotonic()
    with pytest.raises(InputError, match=r"tcp://127\.0\.0\.1:9: no Dask scheduler answers within 2 seconds"):
        ensemble(one_form, asked, 60, 1, executor="dask", scheduler="tcp://127.0.0.1:9")
    assert time.monotonic() - before < 15


# A real cluster -----------------------------------------------------------------------------------

ON_CLUSTER = """
    import os, pickle, signal, sys
    from distributed import Client, LocalCluster
    from evernormal import ensemble

    def main():
        network, asked = pickle.loads(open(sys.argv[1], "rb").read())
        with LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
        ) as cluster:
            with Client(cluster) as client:
                victim = sorted(client.run(os.getpid).values())[0]
            killed = []

            def kill(done, total):
                if done > 100 and not killed:
                    killed.append(victim)
                    os.kill(victim, signal.SIGKILL)

            ensemble(
                network, asked, 600, 9, executor="dask", scheduler=cluster.scheduler_address,
                out=sys.argv[2], progress=kill, sensitivity="none",
            )
            print("killed", len(killed))

    if __name__ == "__main__":
        main()
"""


def test_a_cluster_that_loses_a_worker_gives_the_same_bytes(
    one_form: Network, asked: Scenario, tmp_path: Path
) -> None:
    """Law 6: two Dask workers, one of them killed in the middle, and one process here: the same bytes."""
    import pickle

    (tmp_path / "question").write_bytes(pickle.dumps((one_form, asked)))
    (tmp_path / "child.py").write_text(textwrap.dedent(ON_CLUSTER), "utf-8")
    child = [sys.executable, str(tmp_path / "child.py"), str(tmp_path / "question"), str(tmp_path / "dask")]
    done = subprocess.run(child, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "killed 1" in done.stdout
    ensemble(one_form, asked, 600, 9, out=tmp_path / "here", sensitivity="none")
    assert saved(tmp_path / "dask") == saved(tmp_path / "here")


# What the draws say -------------------------------------------------------------------------------


def test_chance_and_duration_do_what_they_say(one_form: Network, asked: Scenario) -> None:
    """A measure of chance 0.3 happens in three of ten draws; where none happens nothing is lost."""
    only = asked.model_copy(update={"measures": asked.measures[:1]})
    rare = ensemble(one_form, only, 400, 2, joint=Joint(probability={"ban": 0.3}), sensitivity="none")
    outcomes = rare["outcomes"]
    assert outcomes["hit"].mean() == pytest.approx(0.3, abs=0.07)
    calm = outcomes.filter(~pl.col("hit"))
    assert calm["shortage_t"].sum() == 0 and calm["loss_usd"].sum() == 0
    assert set(calm["peak_price_ratio"]) == {1.0}
    long, short = (
        ensemble(one_form, only, 60, 2, joint=Joint(duration={"ban": Uncertain.of(f)}), sensitivity="none")
        for f in (1.25, 0.25)
    )
    more, less = (r["outcomes"]["shortage_t"].to_numpy() for r in (long, short))
    assert (more >= less - 1e-6).all() and more.sum() > 1.5 * less.sum()


def test_a_chain_that_nothing_hits_is_not_solved(
    one_form: Network, asked: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Draws without a measure cost no solve."""
    solved = []
    settle = run.settle
    monkeypatch.setattr("evernormal.market.run.settle", lambda *a, **k: solved.append(1) or settle(*a, **k))
    only = asked.model_copy(update={"measures": asked.measures[:1]})
    result = ensemble(one_form, only, 60, 2, joint=Joint(probability={"ban": 0.2}), sensitivity="none")
    assert len(solved) == 1 + int(
        result["outcomes"]["hit"].sum()
    )  # the central run and the draws that are hit


def test_one_capital_acts_on_several_forms_at_once(
    one_form: Network, two_stage: Network, act: MakeAct, scenario: MakeScenario
) -> None:
    """Equation E90: with a common factor both chains are hit together and the tail of the sum is heavier."""
    carbonate = replace(one_form, form="lithium/carbonate", forms=("lithium/carbonate",), end_uses=tuple(
        replace(end, form="lithium/carbonate") for end in one_form.end_uses))  # fmt: skip
    ban = act("ban", id="ban", severity={"low": 0.0, "high": 1.0})
    chains = [scenario(ban, months=5), scenario(ban, months=5, form="lithium/carbonate", name="other")]
    tails, together = [], []
    for correlation in (0.0, 0.9):
        joint = Joint(correlation, probability={"ban": 0.3})
        result = ensemble([one_form, carbonate], chains, 400, 2, joint=joint, sensitivity="none")
        wide = result["outcomes"].pivot("form", index="draw", values="hit")
        together.append((wide["lithium/hydroxide"] & wide["lithium/carbonate"]).mean())
        total = result["distribution"].filter(pl.col("form") == "all forms")
        assert total["name"].to_list() == ["loss_usd"]  # tonnes of different minerals are not added
        tails.append(total["tail_mean"][0])
    assert together[0] == pytest.approx(0.09, abs=0.05) and together[1] > 0.18
    assert tails[1] > tails[0] * 1.02


def test_summaries_are_those_of_the_draws(one_form: Network, asked: Scenario) -> None:
    result = ensemble(one_form, asked, 300, 2, sensitivity="none")
    loss = np.sort(result["outcomes"]["loss_usd"].to_numpy())
    row = result["distribution"].filter(pl.col("name") == "loss_usd").row(0, named=True)
    assert row["mean"] == pytest.approx(loss.mean()) and row["p50"] == pytest.approx(np.median(loss))
    assert row["value_at_risk"] == loss[284] and row["tail_mean"] == pytest.approx(loss[285:].mean())
    curve = result["exceedance"].filter(pl.col("name") == "loss_usd")
    assert curve["probability"][0] == 1.0 and curve["probability"].is_sorted(descending=True)
    for value, chance in curve.select("value", "probability").iter_rows():
        assert chance == pytest.approx((loss >= value).mean())
    stops = result["outcomes"]["stop_days"]
    table = result["stop_dates"]
    assert table["probability_by"][-1] == pytest.approx(stops.is_not_null().mean())
    first = table.filter(pl.col("probability_in") > 0)["month"][0]
    assert (date(2024, 1, 1).toordinal() + stops.min()) // 1 >= first.toordinal()


def test_an_unknown_loss_stays_unknown(one_form: Network, asked: Scenario) -> None:
    """Law 2: without value added there is a shortage but no loss, and a finding."""
    result = ensemble(replace(one_form, end_uses=()), asked, 60, 2)
    assert result["outcomes"]["loss_usd"].null_count() == 60
    row = result["distribution"].filter(pl.col("name") == "loss_usd").row(0, named=True)
    assert row["mean"] is None and row["tail_mean"] is None
    assert "ensemble-loss-unknown" in {finding.code for finding in result.findings}


def test_the_order_of_measures_does_not_matter(one_form: Network, asked: Scenario) -> None:
    """Law 7."""
    turned = asked.model_copy(update={"measures": tuple(reversed(asked.measures))})
    one, two = (ensemble(one_form, s, 60, 2, sensitivity="none") for s in (asked, turned))
    assert one["outcomes"].equals(two["outcomes"]) and one["draws"].equals(two["draws"])


def test_the_question_is_told(one_form: Network, asked: Scenario, tmp_path: Path) -> None:
    """Seed, version, settings and inputs travel with the result."""
    ensemble(one_form, asked, 60, 2, joint=Joint(0.25), out=tmp_path)
    head = json.loads((tmp_path / "result.json").read_text("utf-8"))
    assert head["lineage"]["seed"] == 2 and head["lineage"]["call"]["joint"]["correlation"] == 0.25
    assert len(head["lineage"]["call"]["question_sha256"]) == 64
