"""Events drawn from hazards as what happens in an ensemble."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from evernormal import Result, ensemble
from evernormal.app.main import run
from evernormal.errors import InputError, LabelError
from evernormal.market.futures import COLUMNS, read_futures
from evernormal.network.measures import Measure
from evernormal.network.network import Network
from evernormal.network.scenario import Scenario

MakeAct = Callable[..., Measure]
MakeScenario = Callable[..., Scenario]


@pytest.fixture
def calm(scenario: MakeScenario) -> Scenario:
    """Six months in which nothing is foreseen."""
    return scenario(months=6)


def events(form: str, *rows: tuple[int, str, float], begins: date = date(2024, 2, 1)) -> pl.DataFrame:
    """Bans from February 2024 on: draw, exporter, severity."""
    ends = date(begins.year + 1, begins.month, begins.day)
    listed = [(d, who, "made up", form, begins, begins, ends, hard) for d, who, hard in rows]
    return pl.DataFrame(listed, schema=list(COLUMNS), orient="row")


def test_only_draws_with_an_event_differ_from_the_base_year(one_form: Network, calm: Scenario) -> None:
    """Law 5 draw by draw; the same event as a measure of the scenario gives the same loss."""
    drawn = events(one_form.form, (3, "CHN", 0.8), (17, "CHN", 0.4))
    result = ensemble(one_form, calm, 30, 1, events=drawn, sensitivity="none")
    hit = result["outcomes"].filter("hit")
    assert hit["draw"].to_list() == [3, 17]
    assert hit["shortage_t"][0] > hit["shortage_t"][1] > 0
    rest = result["outcomes"].filter(~pl.col("hit"))
    assert rest["shortage_t"].max() == 0 and rest["peak_price_ratio"].max() == 1
    told = {finding.code: finding for finding in result.findings}
    assert told["drawn-events"].values == {"events": 2, "hit": 2, "draws": 30}


def test_an_event_is_the_measure_that_it_stands_for(
    one_form: Network, calm: Scenario, act: MakeAct, scenario: MakeScenario
) -> None:
    ban = act("ban", id="ban", severity=0.8, effective=date(2024, 2, 1), ends=date(2025, 2, 1), against=())
    written = ensemble(one_form, scenario(ban, months=6), 12, 1, sensitivity="none")["outcomes"]
    table = events(one_form.form, *((n, "CHN", 0.8) for n in range(12)))
    drawn = ensemble(one_form, calm, 12, 1, events=table, sensitivity="none")["outcomes"]
    for name in ("shortage_t", "loss_usd", "peak_price_ratio"):
        assert drawn[name].to_list() == pytest.approx(written[name].to_list(), rel=1e-7)


def test_the_same_bytes_with_two_workers_and_any_order_of_rows(
    one_form: Network, calm: Scenario, tmp_path: Path
) -> None:
    """Laws 6 and 7."""
    table = events(one_form.form, *((n, "CHN", 0.2 + n / 200) for n in range(0, 120, 3)))
    ensemble(one_form, calm, 120, 5, events=table, out=tmp_path / "one", sensitivity="none")
    again = table.sample(fraction=1, shuffle=True, seed=1)
    ensemble(one_form, calm, 120, 5, events=again, workers=2, out=tmp_path / "two", sensitivity="none")
    files = {
        name: {path.name: path.read_bytes() for path in (tmp_path / name).iterdir() if path.is_file()}
        for name in ("one", "two")
    }
    assert files["one"] == files["two"]


def test_events_are_drivers(one_form: Network, calm: Scenario) -> None:
    """What is drawn outside stands in the tables with the rest and drives the loss."""
    table = events(one_form.form, *((n, "CHN", 0.9) for n in range(0, 200, 2)))
    result = ensemble(one_form, calm, 200, 2, events=table)
    first = result["drivers"].filter(outcome="shortage_t").row(0, named=True)
    assert first["factor"] == "event CHN" and first["first_order"] > 0.5
    share = result["draws"]["event CHN"]
    in_force = (date(2024, 7, 1) - date(2024, 2, 1)).days / (date(2024, 7, 1) - date(2024, 1, 1)).days
    assert share[0] == pytest.approx(0.9 * in_force) and share[1] == 0
    assert result["factors"].filter(factor="event CHN")["kind"].item() == "event"


def test_what_does_not_reach_the_question_strikes_nobody(one_form: Network, calm: Scenario) -> None:
    """Other forms, days after the horizon, draws beyond the last, and the focal country's own acts."""
    parts = (
        events("tin/ore", (1, "CHN", 0.9)),
        events(one_form.form, (2, "CHN", 0.9), begins=date(2025, 1, 1)),
        events(one_form.form, (30, "CHN", 0.9), (4, one_form.focal, 0.9)),
    )
    found = read_futures(pl.concat(parts), [one_form], [calm], 30)
    assert found.events == ({},) and found.columns == ()
    result = ensemble(one_form, calm, 30, 1, events=pl.concat(parts), sensitivity="none")
    assert not result["outcomes"]["hit"].any()


def test_policies_wait_for_an_event(one_form: Network, act: MakeAct, scenario: MakeScenario) -> None:
    policy = act("stock_release", id="sale", by="focal", tonnes=5)
    asked = scenario(months=6).model_copy(update={"policies": (policy,)})
    table = events(one_form.form, (3, "CHN", 0.8))
    result = ensemble(one_form, asked, 20, 1, events=table, sensitivity="none")
    assert result["outcomes"].filter("hit")["draw"].to_list() == [3]
    assert "policies-at-fixed-dates" in {finding.code for finding in result.findings}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (pl.lit(1.4).alias("severity"), "row 1: severity"),
        (pl.lit(date(2020, 1, 1)).alias("ends"), "row 1"),
        (pl.lit("tin/ores").alias("forms"), "row 1: .*tin/ore"),
        (pl.lit(-1).alias("draw"), "row 1: draw must be"),
        (pl.lit(None, dtype=pl.String).alias("exporter"), "row 1: .*empty"),
        (pl.lit("soon").alias("effective"), "cannot be read"),
    ],
)
def test_an_event_that_makes_no_sense_is_named(
    one_form: Network, calm: Scenario, change: pl.Expr, said: str
) -> None:
    """Law 12."""
    bad = events(one_form.form, (0, "CHN", 0.5)).with_columns(change)
    with pytest.raises(InputError, match=said):
        ensemble(one_form, calm, 5, 1, events=bad)
    with pytest.raises(InputError, match="lacks severity"):
        ensemble(one_form, calm, 5, 1, events=bad.drop("severity"))


def test_an_exporter_that_the_network_hides_is_an_error(one_form: Network, calm: Scenario) -> None:
    """Law 3: an event that nobody would feel must not vanish."""
    with pytest.raises(LabelError, match=r"ZWE.*keep=\['ZWE'\]"):
        ensemble(one_form, calm, 5, 1, events=events(one_form.form, (0, "ZWE", 0.5)))


def test_sobol_and_drawn_events_exclude_each_other(one_form: Network, calm: Scenario) -> None:
    with pytest.raises(InputError, match="delta"):
        ensemble(one_form, calm, 8, 1, events=events(one_form.form, (0, "CHN", 0.5)), sensitivity="sobol")


def test_resume_refuses_other_events(one_form: Network, calm: Scenario, tmp_path: Path) -> None:
    """Law 6: what was drawn is part of the question."""

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    table = events(one_form.form, (0, "CHN", 0.5))
    with pytest.raises(KeyboardInterrupt):
        ensemble(one_form, calm, 120, 1, events=table, out=tmp_path, progress=stop)
    other = table.with_columns(severity=pl.lit(0.6))
    with pytest.raises(InputError, match="events"):
        ensemble(one_form, calm, 120, 1, events=other, out=tmp_path, resume=True)


def test_hazards_of_another_horizon_are_refused(one_form: Network, calm: Scenario) -> None:
    from evernormal import risk

    told = risk.hazards([one_form.form], "CHN", kind="restriction", score=False)
    for start, years, draws, said in (
        ("2024-01-01", 1, 4, "futures 0 to 3 were drawn"),
        ("2023-01-01", 1, 5, "start='2024-01-01'"),
        (calm.start_date, 1, 5, ""),
    ):
        drawn = risk.draw_hazards(told, draws, 1, start, years=years)
        if said:
            with pytest.raises(InputError, match=said):
                ensemble(one_form, calm, 5, 1, events=drawn)
            continue
        result = ensemble(one_form, calm, 5, 1, events=drawn, sensitivity="none")
        assert "restriction-list-incomplete" in {finding.code for finding in result.findings}
    with pytest.raises(InputError, match=r"risk\.draw_hazards"):
        ensemble(one_form, calm, 5, 1, events=told)


def test_the_command_draws_hazards_in_place_of_the_measures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Most draws are quiet, China's event drives the loss, a page of 100 columns holds it all."""
    words = ["ensemble", "gallium-licence-2023", "--draws", "200", "--workers", "1", "--out", str(tmp_path)]
    assert run([*words, "--hazards", "restriction"]) == 0
    page = capsys.readouterr().out
    tables = [line for line in page.splitlines() if not line.startswith(("warning", "caution", "info"))]
    assert max(map(len, tables)) <= 100
    result = Result.load(tmp_path)
    assert result["measures"].filter(role="measure").is_empty()
    assert 0.02 < result["outcomes"]["hit"].mean() < 0.4  # type: ignore[operator]
    assert "event CHN" in page and result["drivers"]["factor"][0] == "event CHN"
    assert {"drawn-events", "restriction-list-incomplete"} <= {f.code for f in result.findings}
    assert run([*words, "--resume", "--hazards", "restriction"]) == 0
    assert run([*words[:2], "--judgement", "desk.csv"]) == 2
    assert "--hazards" in capsys.readouterr().err
