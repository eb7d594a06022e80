"""``risk.forecast`` and its command: what a user gets, and what was measured on the past."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from evernormal import data, risk
from evernormal.app.main import run
from evernormal.errors import InputError, NotCoveredError, UnknownNameError
from evernormal.report.explaining import explain
from evernormal.result import Input
from evernormal.risk import forecast_evaluation as evaluation
from evernormal.risk.forecast_methods import pool
from evernormal.risk.forecast_monthly import _series
from evernormal.risk.forecast_scores import calibration, inside, rolling_errors, score
from evernormal.risk.forecast_statistics import statistics_of

TABLES = Path(evaluation.__file__).parent / "tables"


@pytest.fixture(scope="module")
def hydroxide() -> Any:
    return risk.forecast("lithium/hydroxide", "KOR", 3)


@pytest.fixture(scope="module")
def driven() -> Any:
    return risk.forecast("lithium/hydroxide", "KOR", 3, scenario="iea-steps")


@pytest.fixture(scope="module")
def panel() -> list[tuple[str, Any]]:
    return evaluation.panel()


def rows(name: str) -> list[dict[str, str]]:
    with (TABLES / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


# --- what was measured ------------------------------------------------------


def test_published_skill_is_positive_on_at_least_twenty_forms() -> None:
    """The standard method against naive: Korea, countries never fitted on, the world; every horizon told."""
    for scored in ("KOR", "held-out countries", "WLD"):
        found = [r for r in rows("forecast_skill.csv") if r["scored"] == scored and r["method"] == "blend"]
        assert {int(r["horizon"]) for r in found} == {0, 1, 2, 3, 4, 5}
        whole = next(r for r in found if r["horizon"] == "0")
        assert int(whole["forms"]) >= 20
        assert float(whole["skill"]) > 0.02
        assert float(whole["square_skill"]) > 0.02


def test_the_standard_method_was_chosen_on_other_countries_and_earlier_years() -> None:
    """Law 11: the choice saw targets to 2014 only, and neither Korea nor a held-out country."""
    found = [r for r in rows("forecast_skill.csv") if r["scored"] == "choice" and r["horizon"] == "0"]
    best = max(found, key=lambda r: float(r["skill"]))
    assert best["method"] == "blend"
    assert all(evaluation.held_out(place) for place in ("KOR", "WLD"))


def test_published_coverage_lies_between_70_and_90_per_cent() -> None:
    """Overall, by horizon, and by size of the flow."""
    for scored in ("KOR", "held-out countries", "WLD"):
        for r in rows("forecast_coverage.csv"):
            if r["scored"] == scored and (r["horizon"] == "0" or r["group"] == "all"):
                assert 0.70 <= float(r["coverage"]) <= 0.90, r


def test_the_published_figures_come_out_again(panel: list[tuple[str, Any]]) -> None:
    """Forecasts of Korea from three years are made again: skill above naive, coverage within bounds."""
    korea = [(name, series) for name, series in panel if series.country == "KOR"]
    made = [rolling_errors(name, series, range(2012, 2024, 5), 5) for name, series in korea]
    errors = pl.concat([table for table in made if table.height])
    late = errors.filter(pl.col("period") > evaluation.CHOSEN_THROUGH)
    assert late["form"].n_unique() >= 20
    assert score(late, "blend")["skill"] > 0
    judged = inside(late, calibration(), "blend", own=False)
    assert 0.70 <= float(judged["inside"].mean()) <= 0.90  # type: ignore[arg-type]


def test_the_shipped_regression_is_that_of_the_shipped_trade(panel: list[tuple[str, Any]]) -> None:
    """Law 6: the same data give the same coefficients."""
    made = evaluation._pool([(n, s) for n, s in panel if s.periods[0] <= 2024])
    assert made.keys() == pool().keys()
    for key in ((2012, 1), (2024, 5)):
        assert made[key] == pytest.approx(pool()[key], rel=1e-5)


# --- what a user gets -------------------------------------------------------


def test_end_uses_add_up_and_percentiles_are_in_order(hydroxide: Any) -> None:
    table = hydroxide["forecast"]
    assert (table["p10"] < table["p50"]).all() and (table["p50"] < table["p90"]).all()
    whole = table.filter(pl.col("end_use") == "all")
    parts = (
        table.filter(pl.col("end_use") != "all").group_by("period").agg(pl.col("p50").sum()).sort("period")
    )
    assert parts["p50"].to_list() == pytest.approx(whole["p50"].to_list())
    assert whole["period"].to_list() == ["2025", "2026", "2027"]
    assert hydroxide.scalar("origin_amount_t") == pytest.approx(16_880.7, abs=1)


def test_the_forecast_is_the_same_each_time(hydroxide: Any) -> None:
    """Law 6."""
    again = risk.forecast("lithium/hydroxide", "KOR", 3)
    for name in hydroxide.tables:
        assert again[name].equals(hydroxide[name]), name


def test_a_replay_says_what_the_back_test_says_was_said(hydroxide: Any) -> None:
    """Law 11: a forecast from 2015 uses nothing later, and equals the rolling origin of that year."""
    replay = risk.forecast("lithium/hydroxide", "KOR", 3, origin=2015)
    then = hydroxide["errors"].filter(pl.col("origin") == 2015).sort("horizon")
    said = replay["methods"].filter(pl.col("method") == "blend").sort("horizon")["amount"].to_list()
    assert said == pytest.approx(np.exp(then["blend"].to_numpy()).tolist(), rel=1e-9)
    assert replay["history"]["year"].max() == 2015
    ends = replay["intervals"].sort("horizon")
    assert ends["low"].to_list() == pytest.approx(then["low"].to_list())


def test_a_driven_use_is_share_times_origin_times_growth(driven: Any, hydroxide: Any) -> None:
    """Equation E143 by hand, the other uses as statistics have them, the total their sum."""
    table = driven["forecast"].filter(pl.col("year") == 2027)
    index = driven["drivers"].filter(pl.col("year") == 2027)["index"].item()
    start = driven.scalar("origin_amount_t")
    cathodes = table.filter(pl.col("end_use") == "cathodes")
    assert cathodes["p50"].item() == pytest.approx(0.97 * start * index)
    greases = (
        hydroxide["forecast"].filter(pl.col("year") == 2027, pl.col("end_use") == "greases")["p50"].item()
    )
    assert table.filter(pl.col("end_use") == "greases")["p50"].item() == pytest.approx(greases)
    whole = table.filter(pl.col("end_use") == "all")
    parts = table.filter(pl.col("end_use") != "all")
    assert whole["p90"].item() == pytest.approx(parts["p90"].sum())
    assert whole["driver_share"].item() == pytest.approx(cathodes["p50"].item() / whole["p50"].item())
    assert "driver-not-tested" in {finding.code for finding in driven.findings}


def test_every_number_leads_to_its_source(driven: Any, tmp_path: Path) -> None:
    """``explain`` walks from a percentile to the equation, and survives saving."""
    found = explain(driven, "forecast.p50[end_use=cathodes,period=2026]")
    assert found.equation is not None and found.equation.key == "E143"
    driven.save(tmp_path)
    from evernormal.result import Result

    again = Result.load(tmp_path)
    assert again["forecast"].equals(driven["forecast"])
    assert {"trade", "forecast_pool", "forecast_errors", "ev_sales_iea_minerals"} <= {
        pinned.name for pinned in again.lineage.inputs
    }


def test_skill_of_the_series_stands_beside_that_of_all(hydroxide: Any) -> None:
    scored = hydroxide["skill"]["scored"].unique(maintain_order=True).to_list()
    assert scored == ["this series", "choice", "KOR", "held-out countries", "WLD"]
    assert "driver-left-out" in {finding.code for finding in hydroxide.findings}


def test_what_was_clearly_worse_than_naive_is_naive(panel: list[tuple[str, Any]]) -> None:
    """Where the past of a series says so, the last value is carried on, and it is told."""
    told = {}
    for name, series in panel:
        if series.country == "KOR" and name in ("zinc/ore", "molybdenum/ore", "niobium/ferro", "tin/ore"):
            found = statistics_of(name, series, 3)
            told[name] = (found.method, {finding.code for finding in found.findings})
    assert told
    for method, codes in told.values():
        assert (method == "naive") == ("naive-used" in codes)


def test_a_short_series_is_carried_on_with_a_wide_interval() -> None:
    """Production is shipped from 2018: apparent use has seven years."""
    result = risk.forecast("tin/ore", "CHN", 2, measure="apparent_use")
    assert {"short-series", "calibrated-on-imports"} <= {finding.code for finding in result.findings}
    whole = result["forecast"].filter(pl.col("end_use") == "all")
    assert whole["p50"].to_list() == pytest.approx([result.scalar("origin_amount_t")] * 2)
    assert (whole["p90"] / whole["p10"] > 1.5).all()


def test_an_erratic_series_is_told() -> None:
    """A small buyer's reports jump by factors of hundreds: the interval says so, and a finding too."""
    result = risk.forecast("cobalt/oxides", "NAM", 1, measure="net_imports")
    found = {finding.code: finding for finding in result.findings}
    assert found["erratic-series"].level == "warning"
    assert found["erratic-series"].values["factor"] > 20


def months(count: int) -> Any:
    """Made-up customs data with a season and some growth."""
    from evernormal.network.forms import form

    draw = np.random.default_rng(4)
    numbers = range(12 * 2023 - count, 12 * 2023)
    shape = [0.4 * np.sin(n * np.pi / 6) + 0.004 * (n - 24204) + draw.normal(0, 0.05) for n in numbers]
    table = pl.DataFrame(
        {"period": [f"{n // 12}-{n % 12 + 1:02d}" for n in numbers], "quantity_t": np.exp(shape) * 100,
         "code": ["2825200000"] * count, "partner": ["WLD"] * count, "value_usd": np.exp(shape) * 1e6}
    ).with_columns(
        year=pl.col("period").str.slice(0, 4).cast(pl.Int16), reporter=pl.lit("KOR"), flow=pl.lit("import")
    )  # fmt: skip
    return _series(form("lithium/hydroxide"), "KOR", table, Input("own", "0", "made up"))


def test_months_have_seasons() -> None:
    """The season is found, and skill is told against seasonal-naive."""
    found = statistics_of("lithium/hydroxide", months(72), 12)
    assert found.method == "combination"
    assert found.steps[2].p50 / found.steps[8].p50 == pytest.approx(np.exp(0.8), rel=0.25)
    assert score(found.errors, "combination", "seasonal_naive")["skill"] > 0
    held = found.errors.filter(pl.col("low").is_not_null())["inside"].mean()
    assert 0.6 <= float(held) <= 0.97  # type: ignore[arg-type]


def test_too_few_months_are_refused() -> None:
    with pytest.raises(NotCoveredError, match="At least 48"):
        months(40)
    with pytest.raises(NotCoveredError, match="24 months ahead"):
        statistics_of("lithium/hydroxide", months(48), 24)
    assert len(statistics_of("lithium/hydroxide", months(48), 12).steps) == 12


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"form": "lithium/hydroxyde"}, UnknownNameError, "lithium/hydroxide"),
        ({"form": "nickel/ore", "country": "KRO"}, UnknownNameError, "KRO"),
        ({"form": "nickel/ore", "years": 6}, InputError, "from 1 to 5"),
        ({"form": "nickel/ore", "years": 0}, InputError, "from 1 to 5"),
        ({"form": "nickel/ore", "origin": 2030}, InputError, "at most 2024"),
        ({"form": "nickel/ore", "origin": 2008}, NotCoveredError, "from 2013 to 2024"),
        ({"form": "gallium/metal"}, NotCoveredError, "shows gallium/metal apart"),
        ({"form": "nickel/ore", "measure": "stocks"}, InputError, "imports"),
        ({"form": "nickel/ore", "market": "MARS", "scenario": "iea-nze"}, InputError, "market"),
        ({"form": "nickel/ore", "as_of": "2010-01-01"}, NotCoveredError, "2010-01-01"),
        ({"form": "nickel/ore", "country": "TUV"}, NotCoveredError, "TUV"),
        ({"form": "nickel/ore", "customs": "mine"}, InputError, "folder"),
    ],
)
def test_wrong_questions(arguments: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error) as caught:
        risk.forecast(**arguments)
    assert said in str(caught.value)


# --- the command ------------------------------------------------------------


def test_the_command_prints_the_rows_of_the_function(capsys: pytest.CaptureFixture[str], driven: Any) -> None:
    line = "forecast lithium/hydroxide --country KOR --years 3 --scenario iea-steps"
    assert run([*line.split(), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == driven["forecast"].to_dicts()
    assert run(line.split()) == 0
    shown = capsys.readouterr().out
    assert "this series" in shown and "cathodes" in shown


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("forecast", 2),
        ("forecast tin/oar", 2),
        ("forecast tin/ore --evaluate", 2),
        ("forecast zinc/metal", 3),
    ],
)
def test_a_wrong_question_ends_with_the_code_of_its_error(line: str, code: int) -> None:
    assert run(line.split()) == code


def test_the_whole_back_test_runs_on_one_form() -> None:
    """What ``--evaluate`` runs, on one form: errors, the sets that are scored, their skill."""
    small = evaluation.panel(["tin/ore"], 2)
    errors = evaluation._all_errors(small, {}, 1, lambda done, total: None)
    assert errors["country"].n_unique() >= 3
    sets = evaluation._sets(errors, errors.filter(pl.col("country") != "KOR"))
    assert int(sets["KOR"]["period"].min()) == 2015
    table = evaluation._skill(sets, np.random.default_rng(0))
    naive = table.filter(pl.col("method") == "naive", pl.col("horizon") == 0)
    assert naive["skill"].to_list() == [0.0] * naive.height


def test_the_union_is_forecast_as_one_country() -> None:
    """Its history is what its members bought from outside, also where production counts."""
    from evernormal.data.european_union import MEMBERS

    made = risk.forecast("nickel/ore", "EU", 1, measure="apparent_use")
    rows = data.trade(["260400"], years=[2022])
    inside = [pl.col(side).is_in(MEMBERS) for side in ("importer", "exporter")]
    gross = rows.filter(inside[0] & ~inside[1])["quantity_t"].sum()
    year = made["history"].row(by_predicate=pl.col("year") == 2022, named=True)
    assert year["gross_t"] == pytest.approx(gross, rel=1e-6)
    reliance = risk.net_import_reliance("nickel/ore", ["EU"], [2022])["reliance"].row(0, named=True)
    assert year["amount_t"] == pytest.approx(reliance["apparent_use_t"], rel=1e-6)
    assert made["forecast"]["country"].unique().to_list() == ["EU"]
    with pytest.raises(InputError, match="one country"):
        risk.forecast("nickel/ore", "EU", customs="some")
