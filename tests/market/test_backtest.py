"""The back-test: methods on cases known by hand, shipped scores, and a stranger's own episodes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from evernormal.app.main import run
from evernormal.data import scan_trade
from evernormal.errors import (
    EvernormalError,
    InputError,
    NotCoveredError,
    SourceFormatError,
    UnknownNameError,
)
from evernormal.market import backtest
from evernormal.market.curves import constant_elasticity_price
from evernormal.market.history.baselines import BASELINES
from evernormal.market.history.closing import close
from evernormal.market.history.common_factor import CommonFactor
from evernormal.market.history.episodes import registry
from evernormal.market.history.equilibria import TEXTBOOK, Elasticities, isoelastic, linear
from evernormal.market.history.features import SIDES
from evernormal.market.history.folds import folds_of
from evernormal.market.history.intervals import ErrorRow, calibrate, coverage
from evernormal.market.history.least_absolute import least_absolute
from evernormal.market.history.panel import panel
from evernormal.market.history.records import TradeRecords, arrange, exports_of, imports_of
from evernormal.market.history.reduced_form import fit, fit_folds
from evernormal.market.history.score_tables import GOALS
from evernormal.market.history.scores import bootstrap_change, flow_scores
from evernormal.market.history.shipped import shipped_errors, shipped_models, shipped_rows
from evernormal.market.history.situation import Situation, situation

NICKEL = ("260400", "IDN", 2014)


@pytest.fixture(scope="module")
def ores() -> TradeRecords:
    return arrange(scan_trade(["260400", "260600", "260700", "260800"]).collect())


@pytest.fixture(scope="module")
def nickel(ores: TradeRecords) -> Situation:
    return situation(ores.codes["260400"], ["IDN"], 2014)


def scores_of(split: str, known: str, model: str = "reduced form") -> dict[str, dict[str, float]]:
    return {
        row["score"]: {name: float(row[name]) for name in ("value", "low", "high")}
        for row in shipped_rows("backtest_scores")
        if (row["split"], row["known"], row["model"]) == (split, known, model)
    }


# What is known ------------------------------------------------------------------------------------


def test_a_forecast_does_not_look_at_the_year_itself(ores: TradeRecords) -> None:
    """Law 11: with everyone else's trade of the year erased, the forecast of the year is the same."""
    rows = scan_trade(["260400"]).collect()
    kept = (pl.col("year") < 2014) | ((pl.col("year") == 2014) & (pl.col("exporter") == "IDN"))
    blind = arrange(rows.filter(kept))
    one, two = situation(ores.codes["260400"], ["IDN"], 2014), situation(blind.codes["260400"], ["IDN"], 2014)
    models = shipped_models()

    def imports(case: Situation) -> dict[str, float]:
        made = close(case, models.plain.amounts(case)).imports
        return {c: float(v) for c, v in zip(case.records.countries, made, strict=True) if v > 0}

    assert imports(one) == pytest.approx(imports(two), rel=1e-9)
    assert models.price.change(one) == pytest.approx(models.price.change(two), rel=1e-9)


def test_the_pro_rata_cut_keeps_what_the_exporter_still_ships(nickel: Situation) -> None:
    shipped = exports_of(nickel.records, nickel.pro_rata)
    place = nickel.records.place("IDN")
    assert shipped[place] == pytest.approx(nickel.records.exports[place, nickel.t])
    others = np.arange(len(shipped)) != place
    np.testing.assert_allclose(shipped[others], nickel.records.exports[others, nickel.t - 1])


def test_a_refill_loses_nothing_and_persistence_ignores_the_cut(nickel: Situation) -> None:
    refilled = BASELINES["pro-rata cut, refilled"](nickel)
    assert refilled.sum() == pytest.approx(nickel.base.sum())
    assert (BASELINES["persistence"](nickel) == nickel.base).all()


def test_knowing_the_importers_is_using_their_flows(ores: TradeRecords) -> None:
    case = situation(ores.codes["260400"], ["IDN"], 2014, importers_known=True)
    own = case.of_cutting
    assert (case.pro_rata[own] == case.records.quantity[own, case.t]).all()


def test_units_and_names_do_not_matter(nickel: Situation) -> None:
    """Law 7: kilograms instead of tonnes give a thousand times the forecast."""
    rows = scan_trade(["260400"]).collect().with_columns(pl.col("quantity_t") * 1000)
    other = situation(arrange(rows).codes["260400"], ["IDN"], 2014)
    models = shipped_models()
    one = close(nickel, models.plain.amounts(nickel)).imports
    np.testing.assert_allclose(close(other, models.plain.amounts(other)).imports, one * 1000, rtol=1e-6)


# Methods ------------------------------------------------------------------------------------------


def test_least_absolute_deviations_are_the_weighted_median() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4001, 1))
    y = 2.0 + 3.0 * x[:, 0] + rng.standard_cauchy(4001)
    fit_ = least_absolute(np.column_stack([np.ones(4001), x]), y, np.ones(4001))
    np.testing.assert_allclose(fit_, [2.0, 3.0], atol=0.1)


def test_least_absolute_deviations_agree_with_a_linear_program() -> None:
    from scipy.optimize import linprog

    rng = np.random.default_rng(1)
    x, y = np.column_stack([np.ones(60), rng.normal(size=(60, 2))]), rng.normal(size=60)
    w = rng.uniform(0.5, 2.0, 60)
    exact = linprog(
        np.concatenate([np.zeros(3), w, w]),
        A_eq=np.hstack([x, np.eye(60), -np.eye(60)]),
        b_eq=y,
        bounds=[(None, None)] * 3 + [(0, None)] * 120,
    )
    ours = float(w @ np.abs(y - x @ least_absolute(x, y, w)))
    assert ours == pytest.approx(exact.fun, rel=1e-3)


def test_a_forecast_closes_and_nothing_is_negative(nickel: Situation) -> None:
    """Law 1: shipped = received, country by country, named routes and unnamed together."""
    made = close(nickel, shipped_models().plain.amounts(nickel))
    assert made.imports.sum() == pytest.approx(made.exports.sum())
    assert made.unnamed_imports.sum() == pytest.approx(made.unnamed_exports.sum())
    for table in (made.imports, made.exports, made.flows, made.unnamed_imports, made.unnamed_exports):
        assert (table >= 0).all()
    records = nickel.records
    np.testing.assert_allclose(
        imports_of(records, made.flows) + made.unnamed_imports, made.imports, atol=1e-6
    )
    np.testing.assert_allclose(
        exports_of(records, made.flows) + made.unnamed_exports, made.exports, atol=1e-6
    )
    place = records.place("IDN")
    assert made.exports[place] == pytest.approx(records.exports[place, nickel.t])
    np.testing.assert_allclose(imports_of(records, made.spread), made.imports, rtol=2e-3)


def test_no_cut_no_change_in_both_equilibria(ores: TradeRecords) -> None:
    """Law 5: an exporter that ships what it shipped changes nothing."""
    records = ores.codes["260600"]
    calm = Situation(records, records.column(2012))
    for cleared in (isoelastic(calm, TEXTBOOK), linear(calm, TEXTBOOK)):
        np.testing.assert_allclose(cleared.flows, calm.base, atol=1e-5 * calm.base.sum())
        assert cleared.world_price == pytest.approx(1.0, abs=1e-6)


def test_the_isoelastic_market_of_one_importer_is_the_textbook_formula() -> None:
    """Published: half of supply lost, elasticities (.2, -.3): the price ratio is 4."""
    rows = [(y, "AAA" if e else "BBB", "XXX", "260400", 1.0, 1.0) for y in range(2000, 2003) for e in (0, 1)]
    table = pl.DataFrame(
        rows, schema=["year", "exporter", "importer", "code", "value_usd", "quantity_t"], orient="row"
    )
    gone = table.filter(~((pl.col("year") == 2002) & (pl.col("exporter") == "AAA")))
    case = situation(arrange(gone).codes["260400"], ["AAA"], 2002)
    cleared = isoelastic(case, Elasticities(0.3, 0.2, 50.0))
    wanted = float(constant_elasticity_price(0.5, 0.2, -0.3))
    assert wanted == pytest.approx(4.0)
    assert cleared.price[case.records.place("XXX")] == pytest.approx(wanted, rel=2e-2)


def test_both_forms_of_the_equilibrium_agree_on_a_small_cut(ores: TradeRecords) -> None:
    """Independent routes: the engine's quadratic program and the alternating closed forms."""
    records = ores.codes["260600"]
    t = records.column(2012)
    case = Situation(records, t, (records.place("BRA"),))
    object.__setattr__(
        case,
        "known_exports",
        0.99 * records.exports[:, t - 1] * (np.arange(len(records.countries)) == records.place("BRA")),
    )
    one, two = isoelastic(case, TEXTBOOK), linear(case, TEXTBOOK)
    moved = np.abs(one.flows - case.base).sum()
    assert np.abs(one.flows - two.flows).sum() < 0.03 * moved
    assert one.world_price > 1 and two.world_price == pytest.approx(one.world_price, rel=1e-3)


def test_scores_are_sums_of_absolute_errors(nickel: Situation) -> None:
    exact = flow_scores(nickel, nickel.records.quantity[:, nickel.t])
    assert exact["imports"] == exact["flows"] == exact["other exporters"] == 0
    assert exact["rank of losses"] == pytest.approx(1.0)
    nothing = flow_scores(nickel, np.zeros_like(nickel.base))
    assert nothing["flows"] == pytest.approx(nickel.records.world[nickel.t] / nickel.size)


def test_the_bootstrap_draws_codes_not_episodes() -> None:
    one_code = bootstrap_change([0.5, 1.5], [1.0, 1.0], ["260400", "260400"])
    assert one_code.low == one_code.high == one_code.value == 0.0
    two = bootstrap_change([0.5, 1.5], [1.0, 1.0], ["260400", "260600"])
    assert (two.low, two.high) == (-0.5, 0.5)


def test_intervals_cover_what_they_say_on_other_draws() -> None:
    rng = np.random.default_rng(5)

    def rows(count: int) -> list[ErrorRow]:
        return [
            ErrorRow("world total", float(rng.normal() * s), float(s), f"{n % 40:06d}", False, str(n))
            for n, s in enumerate(rng.uniform(0.4, 2.0, count))
        ]

    made = calibrate(rows(4000))["world total"]
    assert np.mean([made.holds(row) for row in rows(4000)]) == pytest.approx(0.8, abs=0.03)


def test_a_code_never_helps_to_forecast_itself(ores: TradeRecords) -> None:
    """Coefficients of a fold do not change when the fold's own trade does."""
    episodes = [e for e in registry() if e.code in ores.codes]
    folds = folds_of(ores.codes, 4)
    code = "260400"
    part = panel(ores, episodes)["purchases"]
    bent = replace(part, target=np.where(part.code == part.codes.index(code), 3.0, part.target))
    one, two = (
        fit_folds({"purchases": rows}, folds, fit({"purchases": rows}))[1][folds[code]].sides["purchases"]
        for rows in (part, bent)
    )
    assert (one.values == two.values).all()


def test_the_common_factor_leaves_the_own_code_out() -> None:
    trade = arrange(scan_trade(years=range(2005, 2012)).collect())
    factors = CommonFactor(trade)
    assert factors.of("260400", 4).tonnes < -0.05  # 2009
    few = arrange(scan_trade(["260400", "260600"]).collect())
    assert CommonFactor(few).of("260400", 5) == (0.0, 0.0)


# Scores that are shipped --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "score"), [pair for pair in GOALS if pair[1] != "sign of unit value, large losses"]
)
def test_cross_validated_skill_reaches_what_was_aimed_at(known: str, score: str) -> None:
    assert scores_of("cross-validated", known)[score]["value"] >= GOALS[known, score] - 0.0005


def test_the_sign_after_large_losses() -> None:
    """19 of 24 without the year's factor, 20 of 24 with it; 80 % was aimed at."""
    plain = scores_of("cross-validated", "nothing else")["sign of unit value, large losses"]
    given = scores_of("cross-validated", "year's factor")["sign of unit value, large losses"]
    assert plain["value"] == pytest.approx(19 / 24, abs=1e-4) and given["value"] >= 0.8


@pytest.mark.parametrize("split", ["cross-validated", "train", "held-out"])
def test_the_intervals_of_skill_lie_above_zero(split: str) -> None:
    for known in ("nothing else", "year's factor", "importers cut"):
        for score in ("imports", "other exporters", "flows"):
            assert scores_of(split, known)[score]["low"] > 0, (split, known, score)


def test_textbook_elasticities_are_worse_than_no_reaction() -> None:
    """The reason to fit: textbook refill is not what trade does in the first year."""
    found = scores_of("cross-validated", "nothing else", "textbook equilibrium")
    assert all(found[score]["high"] < 0 for score in ("imports", "other exporters", "flows"))


def test_intervals_cover_on_episodes_they_were_not_made_from() -> None:
    held = coverage(shipped_errors())
    every = np.mean([inside for _, inside in held])
    policies = np.mean([inside for row, inside in held if row.policy])
    assert 0.75 <= every <= 0.85 and 0.75 <= policies <= 0.85


@pytest.mark.parametrize("name", ["260400-IDN-2014", "260400-IDN-2020", "260600-IDN-2014"])
def test_prices_of_the_ore_bans_lie_in_their_intervals(name: str) -> None:
    row = next(r for r in shipped_rows("backtest_episodes") if r["episode"] == name)
    low, high, actual = (float(row[f"unit_value_{part}"]) for part in ("low", "high", "actual"))
    if name == "260400-IDN-2014":
        assert high < actual < 1.01 * high  # a miss, told on the page: twice the price, the end is 2.01
    else:
        assert low < actual < high
    if name.startswith("260400"):
        assert float(row["flows_model"]) < float(row["flows_rule"])
        assert float(row["imports_model"]) < float(row["imports_rule"])


def test_shipped_coefficients_fit_the_shipped_trade() -> None:
    """Exporters' coefficients fitted again give the shipped forecasts (law 6, to a hundredth)."""
    trade = arrange(scan_trade().collect())
    case = situation(trade.codes["260400"], ["IDN"], 2014)
    exporters = SIDES[2]
    assert exporters.name == "exporters"
    part = {"exporters": panel(trade, registry())["exporters"]}
    rows = exporters.rows(case, 1e-3)
    new, old = fit(part).sides["exporters"], shipped_models().plain.sides["exporters"]
    assert new.names == old.names
    np.testing.assert_allclose(rows.matrix @ new.values, rows.matrix @ old.values, atol=0.02)


# A stranger's own ---------------------------------------------------------------------------------


def baci(rows: pl.DataFrame) -> pl.DataFrame:
    from evernormal.data.geography import codes_of

    def number(column: str) -> pl.Series:
        return pl.Series([int(codes_of(iso3, "baci")[0]) for iso3 in rows[column]])

    return pl.DataFrame(
        {
            "t": rows["year"],
            "i": number("exporter"),
            "j": number("importer"),
            "k": rows["code"].cast(pl.Int64),
            "v": rows["value_usd"] / 1000,
            "q": rows["quantity_t"].cast(pl.String).fill_null("           NA"),
        }
    )


@pytest.fixture(scope="module")
def own_trade() -> pl.DataFrame:
    """BACI's layout: numbers for countries and codes, thousand USD, NA for an unknown quantity."""
    return baci(scan_trade(["260400", "260600"], years=range(2008, 2016)).collect())


def test_a_table_in_bacis_layout_in_memory_and_as_a_file(own_trade: pl.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    own_trade.write_csv(path)
    one = backtest([NICKEL], own_trade)
    two = backtest(["260400,IDN,2014"], path)
    assert one["episodes"].equals(two["episodes"])
    assert "shipped-coefficients" in {f.code for f in one.findings}
    row = one["episodes"].row(0, named=True)
    assert row["flows_model"] < row["flows_rule"]
    assert one.lineage.inputs[0].sha256 and one.lineage.call["episodes"] == ["260400,IDN,2014"]


def test_our_columns_do_as_well_as_bacis(own_trade: pl.DataFrame) -> None:
    ours = scan_trade(["260400", "260600"], years=range(2008, 2016)).collect()
    one, two = backtest([NICKEL], ours)["forecasts"], backtest([NICKEL], own_trade)["forecasts"]
    assert one["country"].equals(two["country"])
    np.testing.assert_allclose(one["forecast_t"].to_numpy(), two["forecast_t"].to_numpy(), rtol=1e-9)


def test_exporters_that_cut_together_are_one_episode(own_trade: pl.DataFrame) -> None:
    found = backtest([("260600", "IDN", 2014), ("260600", "GUY", 2014)], own_trade)["episodes"]
    assert found["exporters"].to_list() == ["GUY+IDN"]


def test_a_cut_that_is_none_is_tried_and_said_to_be_small(own_trade: pl.DataFrame) -> None:
    result = backtest([("260400", "PHL", 2012)], own_trade)
    assert "episode-small-cut" in {f.code for f in result.findings}


@pytest.mark.parametrize(
    ("episodes", "error", "words"),
    [
        ([], InputError, "no episode"),
        ([("260400", "IDN")], InputError, "code, exporter and year"),
        ([("2604", "IDN", 2014)], InputError, "six digits"),
        ([("260400", "IDN", "soon")], InputError, "four digits"),
        ([NICKEL, NICKEL], InputError, "twice"),
        ([("999999", "IDN", 2014)], UnknownNameError, "999999"),
        ([("260400", "XYZ", 2014)], UnknownNameError, "XYZ"),
        ([("260400", "IDN", 2031)], NotCoveredError, "2031"),
        ([("260400", "IDN", 2009)], InputError, "two years before"),
        ([("260400", "CHE", 2013)], InputError, "nothing|unknown"),
    ],
)
def test_an_episode_that_cannot_be_tried_is_named(
    own_trade: pl.DataFrame, episodes: list[tuple[object, ...]], error: type[EvernormalError], words: str
) -> None:
    """Law 12."""
    with pytest.raises(error, match=words):
        backtest(episodes, own_trade)


def test_an_unknown_quantity_is_no_zero(own_trade: pl.DataFrame) -> None:
    """Law 2: exports of unknown quantity cannot be cut to anything."""
    gone = (pl.col("i") == 360) & (pl.col("t") == 2014) & (pl.col("k") == 260400)
    with pytest.raises(InputError, match="IDN's quantity of the year is unknown"):
        backtest([NICKEL], own_trade.with_columns(pl.when(gone).then(pl.lit("NA")).otherwise("q").alias("q")))


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [("q", "many", "row 3, column q"), ("v", "-1", "row 3, column v"), ("k", "nickel", "row 3, column k")],
)
def test_a_wrong_cell_is_named(own_trade: pl.DataFrame, column: str, value: str, words: str) -> None:
    """Law 12."""
    text = own_trade.with_columns(pl.all().cast(pl.String)).with_row_index()
    bad = text.with_columns(pl.when(pl.col("index") == 2).then(pl.lit(value)).otherwise(column).alias(column))
    with pytest.raises(InputError, match=words):
        backtest([NICKEL], bad.drop("index"))


def test_a_table_of_other_columns_and_a_broken_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="neither BACI's nor ours"):
        backtest([NICKEL], pl.DataFrame({"a": [1]}))
    with pytest.raises(InputError, match="must be a table"):
        backtest([NICKEL], 5)
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"no parquet")
    with pytest.raises(SourceFormatError, match=r"broken\.parquet"):
        backtest([NICKEL], broken)
    with pytest.raises(InputError, match="tier must be"):
        backtest(tier="huge")


def test_the_registry_of_a_table_without_cuts_is_empty(own_trade: pl.DataFrame) -> None:
    calm = own_trade.filter((pl.col("t") < 2012) & (pl.col("k") == 260600))
    with pytest.raises(InputError, match="no episode"):
        backtest(None, calm)


def test_the_command_prints_rows_and_writes_a_page(
    own_trade: pl.DataFrame,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    own_trade.write_parquet(tmp_path / "own.parquet")
    asked = ["backtest", "--episode", "260400,IDN,2014", "--trade", "own.parquet"]
    assert run([*asked, "--json", "--out", "page"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {
        "split",
        "known",
        "model",
        "score",
        "measure",
        "value",
        "low",
        "high",
        "error",
        "episodes",
    } == set(rows[0])
    page = (tmp_path / "page" / "backtest.md").read_text("utf-8")
    assert "260400-IDN-2014" in page and "textbook equilibrium" in page
    assert (tmp_path / "page" / "result.json").is_file()
    assert run(asked) == 0
    assert "CHN" in capsys.readouterr().out
    assert run(["backtest", "--episode", "260400,IDN"]) == 2
