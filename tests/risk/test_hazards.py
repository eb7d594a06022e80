"""Hazards: frequency, severity, onset, duration, what strikes together, judgements, and joint draws."""

from __future__ import annotations

import json
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evernormal import data, risk
from evernormal.app.main import run
from evernormal.errors import InputError, NotCoveredError, SourceFormatError, UnknownNameError
from evernormal.network.forms import form_names
from evernormal.network.scenario import Scenario
from evernormal.result import Result
from evernormal.risk.hazard_copula import fit_correlation
from evernormal.risk.hazard_events import Spans, restriction_events, typed_restrictions
from evernormal.risk.hazard_judgement import Judgement, judgement_for, read_judgements, weighed
from evernormal.risk.hazard_rates import firth, fit_rates, pooled, shrinkage
from evernormal.risk.hazard_scores import forecasts_of_years, scored
from evernormal.risk.hazard_spans import fit_durations, fit_onsets, fit_severities


@lru_cache(maxsize=4)
def known(kind: Literal["cut", "restriction"] = "restriction") -> Result:
    return risk.hazards(kind=kind, score=False)


def panel(rates: dict[str, float], years: int = 40, items: int = 5, seed: int = 1) -> pl.DataFrame:
    """Made-up exposed years: exporters with a rate each, items alike."""
    rng = np.random.default_rng(seed)
    rows = [
        (who, f"i{k}", 1980 + y, 0.3, 0.5 + 0.01 * len(who), bool(rng.random() < rate))
        for who, rate in rates.items()
        for k in range(items)
        for y in range(years)
    ]
    schema = ["exporter", "item", "year", "share", "governance", "event"]
    return pl.DataFrame(rows, schema=schema, orient="row")


# Pieces -------------------------------------------------------------------------------------------


def test_firth_of_a_two_by_two_table() -> None:
    """With one binary covariate Firth's estimate adds half an event to every cell."""
    x = np.array([[1.0, 0.0]] * 20 + [[1.0, 1.0]] * 30)
    y = np.array([1.0] * 0 + [0.0] * 20 + [1.0] * 6 + [0.0] * 24)
    beta, _ = firth(x, y)
    first, second = 0.5 / 20.5, 6.5 / 24.5
    assert beta[0] == pytest.approx(np.log(first), abs=1e-6)
    assert beta[1] == pytest.approx(np.log(second / first), abs=1e-6)


def test_a_slope_within_its_error_is_dropped() -> None:
    assert shrinkage(np.array([0.3, -3.0]), np.array([0.2, 1.0])).tolist() == pytest.approx([0.0, 8 / 9])


def test_alike_members_are_pooled_wholly_and_unlike_ones_are_not() -> None:
    alike = pooled({f"m{k}": 5.0 for k in range(30)}, {f"m{k}": 5.0 for k in range(30)})
    assert alike.mean("m1") == 1.0 and alike.mean("never seen") == 1.0
    unlike = pooled({f"m{k}": 20.0 * (k % 2) for k in range(30)}, {f"m{k}": 10.0 for k in range(30)})
    assert unlike.mean("m1") > 1.5 > 0.3 > unlike.mean("m0")
    assert unlike.mean("never seen") == 1.0


def test_rates_of_exporters_that_differ_are_found_and_drawn_together() -> None:
    table = panel({"AAA": 0.02, "BBB": 0.02, "CCC": 0.3, "DDD": 0.05, "EEE": 0.03})
    rates = fit_rates(table)
    mean, shape = rates.rates(["CCC", "AAA"], ["i0", "i0"], np.array([0.53, 0.53]), np.array([0.3, 0.3]))
    raw = table.filter(pl.col("exporter") == "CCC")["event"].mean()
    assert mean[0] == pytest.approx(float(raw), rel=0.25) and mean[1] < 0.05  # type: ignore[arg-type]
    assert shape[0] > shape[1]


def test_a_better_forecast_scores_better_and_noise_does_not() -> None:
    told = scored(forecasts_of_years(panel({"AAA": 0.02, "BBB": 0.3, "CCC": 0.02, "DDD": 0.1}), 2000), 1)
    best = told.row(by_predicate=pl.col("method") == "pooling", named=True)
    assert best["gain"] > 0.05 and best["gain_low"] > 0
    same = scored(forecasts_of_years(panel(dict.fromkeys(("AAA", "BBB", "CCC", "DDD"), 0.1)), 2000), 1)
    assert abs(same.row(by_predicate=pl.col("method") == "full", named=True)["gain"]) < 0.02


def test_no_year_sees_itself() -> None:
    """Law 11: what a year turns out to be changes no forecast of that year or of one before."""
    table = panel({"AAA": 0.05, "BBB": 0.2}, years=25)
    other = table.with_columns(
        event=pl.when(pl.col("year") >= 2000).then(~pl.col("event")).otherwise("event")
    )
    first, second = (forecasts_of_years(t, 1995).filter(pl.col("year") <= 2000) for t in (table, other))
    assert first.drop("event").equals(second.drop("event"))


def test_severity_of_many_own_events_is_their_own() -> None:
    rng = np.random.default_rng(5)
    lost = np.concatenate([0.4 + 0.6 * rng.beta(8, 2, 60), 0.4 + 0.6 * rng.beta(2, 8, 60)])
    found = fit_severities(("HIGH",) * 60 + ("LOW",) * 60, lost, 0.4)
    high, low, new = (float(found.quantile(who, 0.5)) for who in ("HIGH", "LOW", "NEW"))
    assert high > 0.8 and low < 0.6 and low < new < high
    with pytest.raises(InputError, match="too few"):
        fit_severities(("A", "B"), np.array([0.5, 0.6]), 0.4)


@given(st.floats(0.6, 2.5), st.floats(5, 60))
@settings(max_examples=10, deadline=None)
def test_durations_are_recovered_with_ends_open(shape: float, scale: float) -> None:
    """Weibull lengths seen in whole months, a part of them still open."""
    rng = np.random.default_rng(11)
    true = scale * rng.weibull(shape, 1500)
    seen = np.full(1500, 1.2 * scale)
    low = np.minimum(np.floor(true), seen)
    high = np.where(true <= seen, np.floor(true) + 1, np.inf)
    found = fit_durations(Spans(("A",) * 1500, ("x",) * 1500, low, high))
    assert float(found.quantile("A", 0.5)) == pytest.approx(scale * np.log(2) ** (1 / shape), rel=0.12)


def test_an_exporter_that_ends_quickly_is_told_apart() -> None:
    low = np.concatenate([np.full(40, 2.0), np.full(40, 40.0)])
    found = fit_durations(Spans(("FAST",) * 40 + ("SLOW",) * 40, ("x",) * 80, low, low + 4))
    assert (
        float(found.quantile("FAST", 0.5))
        < float(found.quantile("NEW", 0.5))
        < float(found.quantile("SLOW", 0.5))
    )


def test_onset_before_announcement_is_refused() -> None:
    with pytest.raises(InputError, match="before its announcement"):
        fit_onsets(("A", "B", "C"), np.array([3.0, -2.0, 4.0]))
    found = fit_onsets(("A",) * 5 + ("B",) * 5, np.array([0, 1, 0, 0, 1, 30, 40, 35, 30, 42.0]))
    assert found.quantile("A", 0.0) < 5 < found.quantile("NEW", 0.0) < found.quantile("B", 0.0)


def test_correlation_is_recovered() -> None:
    """Events made with known factors of the year and of the exporter's year."""
    rng = np.random.default_rng(3)
    rows = []
    for year in range(400):
        common = rng.standard_normal()
        for who in ("A", "B", "C", "D"):
            capital = rng.standard_normal()
            for item in range(6):
                latent = np.sqrt(0.1) * common + np.sqrt(0.3) * capital + np.sqrt(0.6) * rng.standard_normal()
                rows.append((who, f"i{item}", year, bool(latent < -1.6449)))
    table = pl.DataFrame(rows, schema=["exporter", "item", "year", "event"], orient="row")
    found = fit_correlation(table, np.full(table.height, 0.05))
    assert found.year == pytest.approx(0.1, abs=0.04) and found.exporter == pytest.approx(0.3, abs=0.06)
    alone = fit_correlation(
        table.with_columns(event=pl.Series(rng.random(table.height) < 0.05)), np.full(table.height, 0.05)
    )
    assert alone.year < 0.02 and alone.exporter < 0.03


# The whole ----------------------------------------------------------------------------------------


def test_every_cut_of_the_registry_is_an_exposed_year() -> None:
    """84 cuts in 2,826 exposed years: none is lost on the way."""
    found = known("cut")
    assert found["events"].height == 84
    assert {"RUS", "CHN"} <= set(found["hazards"]["exporter"])
    assert found["hazards"]["severity"].min() > 0.4  # type: ignore[operator]


def test_the_skill_says_honestly_how_little_is_foreseen() -> None:
    found = risk.hazards("nickel/ore", kind="cut")
    row = found["skill"].row(by_predicate=pl.col("method") == "full", named=True)
    assert row["events"] > 50 and -0.02 < row["gain"] < 0.05
    told = [f for f in found.findings if f.code == "hazard-skill"]
    assert len(told) == 1 and ("not surely" in told[0].message) == (row["gain_low"] <= 0)


def test_one_capital_restricts_many_minerals_at_once() -> None:
    """Restrictions of one exporter in one year come in pairs far above chance, of several exporters not."""
    rows = {r["scope"]: r for r in known()["correlation"].iter_rows(named=True)}
    own, other = rows["one exporter, one year"], rows["one year"]
    assert own["pairs"] > 3 * own["pairs_alone"] and own["correlation"] > 0.3
    assert other["correlation"] < 0.1


def test_restrictions_of_what_china_dominates_are_the_likeliest() -> None:
    table = known()["hazards"]
    rate = {(r["exporter"], r["item"]): r["rate"] for r in table.iter_rows(named=True)}
    assert rate["CHN", "gallium"] > rate["CHN", "rare-earths"] > rate["CHN", "aluminium"]
    assert (table["rate_low"] <= table["rate"]).all() and (table["rate"] <= table["rate_high"] + 1e-9).all()


def test_every_typed_restriction_names_its_source() -> None:
    """Law 10: each row has a source and a day from which it was knowable."""
    for row in typed_restrictions():
        assert row["source"] and row["as_of"] and row["grade"] in {"A", "B", "C"}, row["event"]


def test_restrictions_are_those_known_on_the_day() -> None:
    """Law 11: an act is not there before it is announced, its end not before it came."""
    before, _, _ = restriction_events(None, date(2023, 7, 2))
    after, _, _ = restriction_events(None, date(2023, 7, 31))
    assert "gallium" not in before["material"].to_list() and "gallium" in after["material"].to_list()
    gallium = after.filter(pl.col("material") == "gallium").row(0, named=True)
    assert gallium["share_lost"] is None
    quota, _, _ = restriction_events(None, date(2014, 6, 30))
    assert quota.filter(pl.col("material") == "rare-earths")["ends"].to_list() == [None]
    with pytest.raises(NotCoveredError, match="was not knowable"):
        risk.hazards("nickel/ore", as_of="2015-01-01")


def test_policy_records_that_were_added_count(tmp_path: Path) -> None:
    text = (
        "announced,effective,end_or_suspended,measure,instrument,materials,target,source_url,note,by\n"
        "2022-02-01,2022-03-01,2022-09-01,Guinea holds back bauxite,quota,Al,world,https://example.org/a,,GIN\n"
        "2024-02-01,2024-03-01,,Guinea holds back bauxite again,ban,Al,world,https://example.org/b,,GIN\n"
    )
    path = tmp_path / "events.csv"
    path.write_text(text, "utf-8")
    data.add("control-events", path, tmp_path / "store", as_of="2026-01-01")
    mine = risk.hazards(
        "aluminium/bauxite", "GIN", kind="restriction", score=False, folder=tmp_path / "store"
    )
    shipped = risk.hazards("aluminium/bauxite", "GIN", kind="restriction", score=False)
    assert mine["hazards"]["events"].item() == 2 and shipped["hazards"]["events"].item() == 0
    assert mine["hazards"]["rate"].item() > 3 * shipped["hazards"]["rate"].item()


def test_trade_that_was_added_has_a_registry_of_its_own(tmp_path: Path) -> None:
    """Another code of which nobody here has heard: what is exposed and what was cut comes from the file."""
    rng = np.random.default_rng(2)
    lines = ["t,i,j,k,v,q"]
    for year in range(2005, 2023):
        for exporter, base in ((156, 9000), (710, 4000), (36, 3000), (643, 5000)):
            for importer in (392, 410, 842, 276):
                cut = 0.2 if exporter == 643 and year in (2012, 2018) else 1.0
                tonnes = base * cut * float(rng.uniform(0.9, 1.1)) * (1 + importer % 7 / 10)
                price = float(rng.uniform(0.8, 1.0))
                lines.append(f"{year},{exporter},{importer},250410,{tonnes * price:.3f},{tonnes:.3f}")
    path = tmp_path / "BACI_HS92_V202401.csv"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    data.add("baci", path, tmp_path / "store", revision="HS1992", as_of="2024-01-31", name="mine")
    found = risk.hazards(
        "graphite/natural", kind="cut", score=False, dataset="mine", folder=tmp_path / "store"
    )
    assert set(found["events"]["exporter"]) == {"RUS"} and found["events"]["year"].to_list() == [2012, 2018]
    rate = {r["exporter"]: r["rate"] for r in found["hazards"].iter_rows(named=True)}
    assert rate["RUS"] >= max(rate.values()) - 1e-12
    assert {f.code for f in found.findings} >= {"hazard-part-unknown"}


def test_unknown_names_and_empty_questions() -> None:
    with pytest.raises(UnknownNameError, match="graphite/natural"):
        risk.hazards("graphite/naturel")
    with pytest.raises(UnknownNameError, match="kind"):
        risk.hazards("nickel/ore", kind="war")  # type: ignore[arg-type]
    with pytest.raises(NotCoveredError, match="no exporter of KOR"):
        risk.hazards("nickel/ore", "KOR", score=False)


# Judgements ---------------------------------------------------------------------------------------

HEAD = "exporter,form,quantity,value,low,high,weight,source\n"


def test_a_judgement_overrides_and_its_weight_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "desk.csv"
    path.write_text(
        HEAD + "CHN,graphite/natural,rate_per_year,0.5,0.3,0.8,1,desk: talks\n"
        "CHN,,severity,0.6,0.4,0.9,0.5,desk: quota in view\n",
        "utf-8",
    )
    found = risk.hazards(
        ["graphite/natural", "tungsten/ore"], "CHN", kind="restriction", judgements=path, score=False
    )
    rows = {r["item"]: r for r in found["hazards"].iter_rows(named=True)}
    assert (rows["graphite"]["rate"], rows["graphite"]["rate_weight"]) == (0.5, 1.0)
    assert rows["graphite"]["rate_model"] < 0.2 and "desk: talks" in rows["graphite"]["source"]
    assert rows["tungsten"]["rate_weight"] == 0
    tungsten = rows["tungsten"]
    assert tungsten["severity_weight"] == 0.5
    assert tungsten["severity"] == pytest.approx(np.sqrt(0.6 * tungsten["severity_model"]))


def test_a_judgement_stands_where_the_model_has_none() -> None:
    """Law 2: a form of which nobody's exports are measured has no hazard but a judged one."""
    mine = Judgement("CHN", "gallium/metal", "rate_per_year", 0.2, 0.1, 0.4, 0.3, "desk")
    found = risk.hazards("gallium/metal", kind="cut", judgements=[mine], score=False)
    row = found["hazards"].row(0, named=True)
    assert row["rate"] == 0.2 and row["rate_weight"] == 1.0 and row["rate_model"] is None


FAULTY = {
    "CHN,graphite/naturel,severity,0.5,,,1,desk\n": r"row 2, column form: 'graphite/naturel' is no form",
    "CHI,graphite/natural,severity,0.5,,,1,desk\n": r"row 2, column exporter: 'CHI' is no ISO",
    "CHN,graphite/natural,hardness,0.5,,,1,desk\n": r"row 2, column quantity: must be one of rate_per_year",
    "CHN,graphite/natural,severity,50,,,1,desk\n": r"row 2, column value: must be a number from 0 to 1, got",
    "CHN,graphite/natural,severity,0.5,0.6,0.9,1,desk\n": r"row 2, column value: must lie between",
    "CHN,graphite/natural,severity,0.5,,,2,desk\n": r"row 2, column weight: must be a number from 0 to 1",
    "CHN,graphite/natural,severity,0.5,,,0,desk\n": r"row 2, column weight: must be above 0",
    "CHN,graphite/natural,severity,0.5,,,1,\n": r"row 2, column source: is empty",
    "CHN,,severity,0.5,,,1,a\nCHN,,severity,0.6,,,1,b\n": r"row 3, column quantity: the same exporter",
}


@pytest.mark.parametrize("rows", FAULTY)
def test_faults_of_judgements_name_row_and_column(rows: str, tmp_path: Path) -> None:
    """Law 12."""
    path = tmp_path / "desk.csv"
    path.write_text(HEAD + rows, "utf-8")
    with pytest.raises(SourceFormatError, match=FAULTY[rows]):
        read_judgements(path)


def test_judgements_as_yaml(tmp_path: Path) -> None:
    path = tmp_path / "desk.yaml"
    path.write_text("- {exporter: CHN, quantity: onset_days, value: 30, source: desk}\n", "utf-8")
    one = read_judgements(path)[0]
    assert (one.form, one.value, one.low, one.weight) == ("", 30.0, 30.0, 1.0)
    path.write_text("- {exporter: CHN, quantiti: onset_days, value: 30, source: desk}\n", "utf-8")
    with pytest.raises(SourceFormatError, match="column quantiti: is no key"):
        read_judgements(path)


def test_the_nearest_judgement_counts() -> None:
    figures = {("", ""): 0.1, ("", "nickel/ore"): 0.2, ("IDN", ""): 0.3, ("IDN", "nickel/ore"): 0.4}
    listed = [Judgement(*key, "severity", v, v, v, 1.0, "desk") for key, v in figures.items()]
    asked = {
        ("IDN", "nickel/ore"): 0.4,
        ("IDN", "tin/ore"): 0.3,
        ("PHL", "nickel/ore"): 0.2,
        ("PHL", "tin/ore"): 0.1,
    }
    for (exporter, form), value in asked.items():
        found = judgement_for(listed, exporter, form, "severity")
        assert found is not None and found.value == value
    assert weighed((0.3, 0.2, 0.4), None).weight == 0


# Draws --------------------------------------------------------------------------------------------


def test_draws_are_the_same_bytes_in_any_parts(tmp_path: Path) -> None:
    """Law 6: one run, or three parts put together."""
    whole = risk.draw_hazards(known(), 300, 9, "2026-01-01", years=2)
    parts = [
        risk.draw_hazards(known(), n, 9, "2026-01-01", years=2, first=f)
        for f, n in ((0, 50), (50, 200), (250, 50))
    ]
    joined = pl.concat([p["draws"] for p in parts])
    assert whole["draws"].equals(joined)
    whole["draws"].write_parquet(tmp_path / "a.parquet")
    risk.draw_hazards(known(), 300, 9, "2026-01-01", years=2)["draws"].write_parquet(tmp_path / "b.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    assert not whole["draws"].equals(risk.draw_hazards(known(), 300, 10, "2026-01-01", years=2)["draws"])


def test_draws_have_the_chances_of_the_hazards() -> None:
    drawn = risk.draw_hazards(known(), 4000, 4, "2026-01-01")
    chances = drawn["chances"].filter(pl.col("expected") > 0.03)
    assert chances.height > 5
    # rates are drawn too: the mean of 1 - exp(-rate) lies a little below that at the mean rate
    off = (chances["chance"] - chances["expected"]) / chances["expected"]
    assert off.abs().max() < 0.35 and abs(float(off.mean())) < 0.15  # type: ignore[arg-type,operator]


def test_one_exporter_strikes_many_items_more_often_than_if_each_were_alone() -> None:
    drawn = risk.draw_hazards(known(), 3000, 6, "2026-01-01")
    china = drawn["chances"].filter(pl.col("exporter") == "CHN")["chance"].to_numpy()
    alone = 1 - np.prod(1 - china) - sum(c * np.prod(np.delete(1 - china, k)) for k, c in enumerate(china))
    per_draw = (
        drawn["draws"].filter(pl.col("exporter") == "CHN").group_by("draw").agg(pl.col("item").n_unique())
    )
    several = per_draw.filter(pl.col("item") > 1).height / 3000
    many = per_draw.filter(pl.col("item") > 3).height / 3000
    assert many > 0.02 and several < alone  # clustered: fewer draws with some, more with many


def test_events_are_in_order_of_days_and_within_their_ranges() -> None:
    table = risk.draw_hazards(known(), 500, 2, "2026-01-01", years=5)["draws"]
    assert (table["announced"] <= table["effective"]).all() and (table["effective"] < table["ends"]).all()
    assert table["severity"].is_between(0, 1).all()
    assert table["announced"].min() >= date(2026, 1, 1)  # type: ignore[operator]
    for _, group in table.group_by("draw", "exporter", "item"):
        ordered = group.sort("announced")
        assert (ordered["announced"][1:] >= ordered["ends"][:-1]).all()


def test_a_draw_becomes_measures_of_a_scenario() -> None:
    drawn = risk.draw_hazards(known(), 400, 8, "2026-01-01")
    hit = drawn["draws"].filter(pl.col("forms").str.contains("graphite/natural"))["draw"][0]
    measures = [m for m in risk.hazard_measures(drawn, hit) if "graphite/natural" in m.forms]
    scenario = Scenario.model_validate(
        {
            "name": "drawn", "title": {"en": "drawn"}, "form": "graphite/natural", "focal": "KOR",
            "base_year": 2023, "start": "2026-01", "months": 24, "measures": tuple(measures), "seed": 1,
            "sources": ({"title": "draw", "reference": "draw"},),
        },
    )  # fmt: skip
    assert scenario.measures[0].by == measures[0].by
    assert risk.hazard_measures(drawn, 10**6) == ()


def test_bad_draws_are_named() -> None:
    for given_ in ({"draws": 0}, {"draws": 1, "years": 0}, {"draws": 1, "first": -1}):
        arguments = {"seed": 1, "start": "2026-01-01", **given_}
        with pytest.raises(InputError, match="must be at least"):
            risk.draw_hazards(known(), **arguments)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="holds no hazards"):
        risk.draw_hazards(risk.draw_hazards(known(), 1, 1, "2026-01-01"), 1, 1, "2026-01-01")


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["hazards", "graphite/natural", "--exporter", "China", "--json"]) == 0
    shown = capsys.readouterr()
    rows = json.loads(shown.out)
    assert [(r["exporter"], r["item"]) for r in rows] == [("CHN", "graphite")]
    assert "warning: Restrictions are those" in shown.err
    assert run(["hazards", "graphite/natural", "--draws", "50", "--json"]) == 0
    assert isinstance(json.loads(capsys.readouterr().out), list)
    assert run(["hazards", "nosuch/form"]) == 2
    assert "unknown form" in capsys.readouterr().err


def test_a_material_stands_for_all_its_forms() -> None:
    """A name of a material is every form of it; a judgement of one too, after a judgement of a form."""
    by_name = risk.hazards("graphite", kind="restriction", score=False)["hazards"]
    forms = [name for name in form_names() if name.startswith("graphite/")]
    assert len(forms) > 1
    assert by_name.equals(risk.hazards(forms, kind="restriction", score=False)["hazards"])
    mine = [
        Judgement("CHN", "graphite", "severity", 0.4, 0.4, 0.4, 1.0, "desk"),
        Judgement("CHN", "gallium/metal", "severity", 0.7, 0.7, 0.7, 1.0, "desk"),
        Judgement("CHN", "gallium", "severity", 0.1, 0.1, 0.1, 1.0, "desk"),
        Judgement("CHN", "graphite", "rate_per_year", 0.3, 0.3, 0.3, 1.0, "desk"),
        Judgement("CHN", "helium", "rate_per_year", 0.3, 0.3, 0.3, 1.0, "desk"),
    ]
    rows = risk.hazards(["graphite", "gallium"], "CHN", kind="restriction", judgements=mine, score=False)[
        "hazards"
    ]
    told = {row["item"]: row for row in rows.to_dicts()}
    assert sorted(told) == ["gallium", "graphite"] and rows.height == 2
    assert (told["graphite"]["severity"], told["gallium"]["severity"]) == (0.4, 0.7)
    assert told["graphite"]["rate"] == 0.3
    with pytest.raises(UnknownNameError, match=r"'galium'.*gallium"):
        risk.hazards("galium")


def test_a_judgement_of_a_material_adds_only_forms_that_no_cell_has() -> None:
    """Cuts are told by form: a judged material covers the forms that the model does not reach, once each."""
    mine = [Judgement("CHN", "graphite", "rate_per_year", 0.3, 0.3, 0.3, 1.0, "desk")]
    rows = risk.hazards("graphite", "CHN", judgements=mine, score=False)["hazards"]
    covered = [name for forms in rows["forms"].to_list() for name in forms.split(";")]
    assert sorted(covered) == sorted({name for name in form_names() if name.startswith("graphite/")})
    assert rows["rate"].to_list() == [0.3] * rows.height
