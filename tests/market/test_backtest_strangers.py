"""A stranger's trade: other codes, few years, missing quantities, planted futures, splits that leak."""

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
from evernormal.market.history.asked import asked_episodes
from evernormal.market.history.episodes import Episode, registry
from evernormal.market.history.families import family_of
from evernormal.market.history.folds import folds_of, itself
from evernormal.market.history.layout import read_trade
from evernormal.market.history.records import arrange
from evernormal.market.history.runs import cross_validated, earlier_years, ground, nothing_learned
from evernormal.market.history.shipped import shipped_codes, shipped_fold, shipped_rows
from evernormal.result import Result

BACI = ("t", "i", "j", "k", "v", "q")
SELLERS = ("CHN", "AUS", "BRA", "ZAF", "PER", "IDN")
BUYERS = ("KOR", "JPN", "DEU", "USA", "IND", "ITA", "FRA", "THA")


def invented(codes: int, years: int, *, noise: float = 0.5, seed: int = 1) -> tuple[pl.DataFrame, list[str]]:
    """Return invented trade in BACI's layout and its cuts.

    The truth is known: every flow has a usual size and scatters around it, nobody reacts to a cut, and the
    cutting exporter ships 40 % of the usual to everyone.  A forecaster who expects the usual is right.
    """
    rng = np.random.default_rng(seed)
    rows, cuts = [], []
    for n in range(codes):
        code, cutting, when = f"{381000 + 10 * n}", SELLERS[n % len(SELLERS)], years - 1 - n % 2
        cuts.append(f"{code},{cutting},{2000 + when}")
        usual = 1e4 * np.exp(rng.normal(0, 0.4, (len(SELLERS), len(BUYERS))))
        price = 900 * np.exp(rng.normal(0, 0.5))
        for t in range(years):
            flows = usual * np.exp(rng.normal(0, noise, usual.shape))
            for i, seller in enumerate(SELLERS):
                for j, buyer in enumerate(BUYERS):
                    cut = 0.4 if (seller, t) == (cutting, when) else 1.0
                    tonnes = round(float(usual[i, j] * cut if cut < 1 else flows[i, j]), 3)
                    paid = round(tonnes * price * float(np.exp(rng.normal(0, 0.1))) / 1000, 3)
                    rows.append((2000 + t, seller, buyer, int(code), paid, tonnes))
    return pl.DataFrame(rows, schema=list(BACI), orient="row"), cuts


def score(result: Result, name: str, known: str = "nothing else") -> dict[str, float]:
    found = result["scores"].filter(
        (pl.col("model") == "reduced form") & (pl.col("known") == known) & (pl.col("score") == name)
    )
    return found.row(0, named=True)


# Skill on trade that nobody here has seen ---------------------------------------------------------


@pytest.mark.parametrize(("codes", "years"), [(12, 12), (10, 6)])
def test_codes_that_nobody_saw_are_forecast_better_than_by_the_rule(codes: int, years: int) -> None:
    """Trade that returns to the usual: shipped coefficients know that, the pro-rata cut does not."""
    trade, cuts = invented(codes, years)
    assert all(shipped_fold(cut[:6]) is None for cut in cuts)
    result = backtest(cuts, trade)
    for name in ("imports", "other exporters", "flows"):
        assert score(result, name)["low"] > 0, name


def test_trade_that_never_changes_leaves_nothing_to_gain() -> None:
    """Where last year is what comes, the rule is exact and the model must not be far from it."""
    trade, cuts = invented(10, 8, noise=0.0)
    episodes = backtest(cuts, trade)["episodes"]
    assert episodes["flows_rule"].to_numpy() == pytest.approx(0, abs=1e-3)
    assert episodes["flows_model"].to_numpy().max() < 0.06


def test_six_years_of_one_code_are_enough_for_skill() -> None:
    """Each core episode alone: its code, four years before, the year and the year after."""
    trade = scan_trade().collect()
    rule = model = 0.0
    tried = [e for e in registry() if 2000 <= e.year <= 2022][::4]
    for one in tried:
        near = (pl.col("code") == one.code) & pl.col("year").is_between(one.year - 4, one.year + 1)
        row = backtest([one], trade.filter(near))["episodes"].row(0, named=True)
        rule, model = rule + row["flows_rule"], model + row["flows_model"]
    assert len(tried) > 12 and model < 0.95 * rule


def test_quantities_that_are_missing_here_and_there_do_not_end_the_skill() -> None:
    """Law 2: a flow of unknown quantity is left out on both sides; what is left is still forecast."""
    trade, cuts = invented(12, 10)
    gone = np.random.default_rng(3).random(trade.height) < 0.1
    kept = trade.with_columns(pl.when(pl.Series(gone)).then(None).otherwise("q").alias("q"))
    found = score(backtest(cuts, kept), "flows")
    assert found["episodes"] == 12 and found["low"] > 0


def test_a_table_large_enough_is_fitted_anew_without_the_mineral() -> None:
    trade, cuts = invented(20, 8)
    result = backtest(cuts[:4], trade, refit=True)
    assert "shipped-coefficients" not in {f.code for f in result.findings}
    assert score(result, "flows")["value"] > 0.1


# Nothing leaks ------------------------------------------------------------------------------------


def test_an_ore_and_its_metal_leave_together() -> None:
    assert family_of("260400") == family_of("750210") and family_of("261000") != family_of("260400")
    folds = folds_of(shipped_codes())
    assert folds["284610"] == folds["284690"] == folds["280530"] and len(set(folds.values())) == 10
    alone = folds_of(shipped_codes(), group_of=itself)
    assert alone != folds
    for code in shipped_codes():
        assert shipped_fold(code) == folds[code]


CODES = ("260400", "284610", "284690", "252910", "811230", "261100", "261510")


def some_cuts() -> tuple[Episode, ...]:
    return tuple(e for e in registry() if e.code in CODES)


def test_a_planted_future_changes_no_forecast() -> None:
    """Law 11: others' flows of the year, all later years and the mineral's other codes are bent at random."""
    rows = scan_trade(CODES).collect()
    one = next(e for e in registry() if e.name == "284690-CHN-2012")
    draw = np.random.default_rng(7).lognormal(0, 2, rows.height)
    later = (pl.col("code") == one.code) & (
        (pl.col("year") > one.year) | ((pl.col("year") == one.year) & (pl.col("exporter") != "CHN"))
    )
    planted = rows.with_columns(
        pl.when(later | (pl.col("code") == "284610"))
        .then(pl.col("quantity_t") * pl.Series(draw))
        .otherwise("quantity_t")
        .alias("quantity_t")
    )
    found = []
    for table in (rows, planted):
        trade = arrange(table)
        on = ground(trade, some_cuts(), ())
        (trial,), _ = cross_validated(on, [one])
        found.append(trial)
    clean, dirty = found
    assert clean.scores["nothing else", "reduced form"] != dirty.scores["nothing else", "reduced form"]
    for known in ("nothing else", "year's factor"):
        assert (clean.closed[known].imports == dirty.closed[known].imports).all()
        assert (clean.closed[known].flows == dirty.closed[known].flows).all()
        assert clean.price[known, "reduced form"] == dirty.price[known, "reduced form"]


def test_earlier_years_alone_know_nothing_later() -> None:
    """Law 11: with every year after the episode gone, and the year itself in other codes, nothing changes."""
    rows = scan_trade(CODES).collect()
    one = next(e for e in registry() if e.name == "260400-IDN-2014")
    found = []
    known = [e for e in registry() if e.code in CODES and (e.year < 2014 or e == one)]
    for table in (rows, rows.filter((pl.col("year") < 2014) | (pl.col("code") == "260400"))):
        on = ground(arrange(table), known, ())
        (trial,), _ = earlier_years(on, [one])
        found.append(trial)
    assert found[0].closed["nothing else"].imports == pytest.approx(
        found[1].closed["nothing else"].imports, rel=1e-9
    )


def test_episodes_without_a_past_are_left_out_and_named() -> None:
    trade, cuts = invented(20, 9)
    early = [cut[:-4] + "2004" for cut in cuts[:2]]
    result = backtest([*cuts, *early], trade, apart="years")
    left = next(f for f in result.findings if f.code == "episodes-too-early")
    assert left.values["count"] == 2 and result["episodes"].height == 20
    assert result["scores"]["split"].unique().to_list() == ["earlier years alone"]
    with pytest.raises(NotCoveredError, match="enough years before"):
        backtest(early, trade, apart="years")


def test_who_learned_nothing_has_no_skill() -> None:
    """Coefficients fitted on shuffled outcomes: neither imports nor others' exports gain."""
    on = ground(arrange(scan_trade(CODES).collect()), some_cuts(), ())
    tried = nothing_learned(on, some_cuts())
    errors = {
        name: [t.scores["nothing else", model]["other exporters"] for t in tried]
        for name, model in (("model", "reduced form"), ("rule", "pro-rata cut"))
    }
    assert sum(errors["model"]) > 0.97 * sum(errors["rule"])
    shipped = {
        r["score"]: float(r["value"])
        for r in shipped_rows("backtest_scores")
        if (r["split"], r["known"], r["model"]) == ("nothing learned", "nothing else", "reduced form")
    }
    assert shipped["imports"] < 0.03 and shipped["other exporters"] < 0.03


# What is refused ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small() -> tuple[pl.DataFrame, list[str]]:
    return invented(3, 6)


def refused(
    episodes: object, trade: object, kind: type[EvernormalError], words: str, **other: object
) -> None:
    with pytest.raises(kind, match=words):
        backtest(episodes, trade, **other)  # type: ignore[arg-type]


def test_what_cannot_be_tried_is_told_all_at_once(small: tuple[pl.DataFrame, list[str]]) -> None:
    """Law 12."""
    trade, cuts = small
    wrong = [*cuts, "381000,CHN,2031", "381000,XYZ,2004"]
    refused(wrong, trade, InputError, "2 of 5 episodes cannot be tried.*XYZ.*2031")
    result = backtest(wrong, trade, skip=True)
    left = next(f for f in result.findings if f.code == "episodes-left-out")
    assert left.values["episodes"] == ["381000-XYZ-2004", "381000-CHN-2031"]
    assert result["episodes"].height == 3
    refused(["381000,CHN,2031"], trade, NotCoveredError, "2031", skip=True)


def test_a_split_that_leaks_is_refused_and_a_clean_one_is_scored(
    small: tuple[pl.DataFrame, list[str]],
) -> None:
    trade, cuts = small
    leaking = [("381000", "CHN", 2005, "train"), ("381000", "CHN", 2004, "held-out")]
    refused(leaking, trade, InputError, "the split leaks.*CHN.*381000")
    together = [("381000", "CHN", 2005, "train"), ("381000", "AUS", 2005, "held-out")]
    refused(together, trade, InputError, "the split leaks")
    refused([("381000", "CHN", 2005, "test")], trade, InputError, "split must be")
    clean = [(*cuts[0].split(","), "train"), (*cuts[1].split(","), "held-out")]
    splits = backtest(clean, trade)["scores"]["split"].unique(maintain_order=True).to_list()
    assert splits == ["cross-validated", "train", "held-out"]


def test_one_exporter_one_code_one_row_too_many(small: tuple[pl.DataFrame, list[str]]) -> None:
    trade, cuts = small
    alone = trade.filter((pl.col("k") == 381000) & (pl.col("i") == "CHN"))
    result = backtest([cuts[0]], alone)
    assert result["episodes"]["exporters_rule"][0] == 0
    assert all(v is None or np.isfinite(v) for v in result["scores"]["value"])
    twice = pl.concat([trade, trade.head(1)])
    refused([cuts[0]], twice, InputError, f"rows 1, {trade.height + 1} are the same")
    other = pl.concat([trade, trade.head(1).with_columns(pl.col("q") * 2)])
    added = backtest([cuts[0]], other)
    assert next(f for f in added.findings if f.code == "trade-rows-added").values["rows"] == 2


def test_tables_that_hold_too_little(small: tuple[pl.DataFrame, list[str]]) -> None:
    trade, cuts = small
    refused([cuts[0]], trade.clear(), NotCoveredError, "no rows")
    refused([cuts[0]], trade.filter(pl.col("t") > 2003), NotCoveredError, "fewer than three years")
    refused([cuts[0]], trade, NotCoveredError, "too little to fit on", refit=True)
    refused([cuts[0]], trade, NotCoveredError, "too little to fit on", apart="years")
    refused([cuts[0]], trade, InputError, "refit is False", apart="code", refit=False)
    refused([cuts[0]], trade, InputError, "apart must be", apart="country")
    refused(["999999,CHN,2004"], trade, UnknownNameError, "999999")
    nothing = trade.filter(~((pl.col("k") == 381000) & (pl.col("t") == 2005)))
    refused([cuts[0]], nothing, NotCoveredError, "nothing of known quantity")
    unknown = trade.with_columns(pl.lit(None, dtype=pl.Float64).alias("q"))
    refused([cuts[0]], unknown, NotCoveredError, "unknown")


def test_a_year_that_is_missing_is_not_zero(small: tuple[pl.DataFrame, list[str]]) -> None:
    """Law 2: a gap three years before the cut is bridged; as a zero it would halve the usual."""
    trade, cuts = small
    code, year = int(cuts[0][:6]), int(cuts[0][-4:])
    full = backtest([cuts[0]], trade)["forecasts"]
    gap = trade.filter(~((pl.col("k") == code) & (pl.col("t") == year - 3)))
    bridged = backtest([cuts[0]], gap)["forecasts"]
    ratio = bridged["forecast_t"].to_numpy().sum() / full["forecast_t"].to_numpy().sum()
    assert 0.85 < ratio < 1.15


def test_a_gap_the_year_before_is_told(small: tuple[pl.DataFrame, list[str]]) -> None:
    trade, cuts = small
    code, year = int(cuts[0][:6]), int(cuts[0][-4:])
    gap = trade.filter(~((pl.col("k") == code) & (pl.col("t") == year - 1)))
    refused([cuts[0]], gap, NotCoveredError, "a year before is unknown")


# Ways to say it -----------------------------------------------------------------------------------


def test_files_as_offices_write_them(small: tuple[pl.DataFrame, list[str]], tmp_path: Path) -> None:
    """Semicolons, tabs, a byte order mark, capital letters: the same table; no file at all: a plain error."""
    trade, cuts = small
    wanted = backtest([cuts[0]], trade)["forecasts"]
    for name, separator in (("semicolon", ";"), ("tab", "\t")):
        path = tmp_path / f"{name}.csv"
        text = trade.rename(str.upper).write_csv(separator=separator)
        path.write_text("\ufeff" + text, "utf-8")
        cut = tmp_path / f"{name}-cuts.csv"
        cut.write_text(
            f"code{separator}exporter{separator}year\n{cuts[0].replace(',', separator)}\n", "utf-8"
        )
        assert backtest(cut, path)["forecasts"].equals(wanted)
    (tmp_path / "folder.csv").mkdir()
    for broken in ("folder.csv", "none.csv", "none.parquet"):
        refused([cuts[0]], tmp_path / broken, SourceFormatError, f"{broken}.*cannot be read")
    refused(tmp_path / "none.csv", trade, SourceFormatError, "No such file")


def test_episodes_in_every_form(small: tuple[pl.DataFrame, list[str]], tmp_path: Path) -> None:
    table = pl.DataFrame({"code": ["381000"], "exporter": ["CHN"], "year": [2005]})
    path = tmp_path / "cuts.csv"
    table.write_csv(path)
    wanted = (Episode("381000", 2005, ("CHN",), "asked"),)
    forms = (["381000,chn,2005"], [("381000", 156, 2005)], [["381000", "CHN", "2005"]], wanted, table, path)
    for given in (*forms, "381000,CHN,2005", str(path)):
        (found,) = asked_episodes(given)
        assert replace(found, tier="asked") == wanted[0]
    pandas = pytest.importorskip("pandas")
    assert asked_episodes(pandas.DataFrame(table.to_dict(as_series=False))) == wanted


@pytest.mark.parametrize(
    "given", [5, [5], [{}], [("381000", "", 2005)], [("381000", "CHN+CHN", 2005)], pl.DataFrame({"a": [1]})]
)
def test_episodes_that_are_none(given: object) -> None:
    with pytest.raises(InputError):
        asked_episodes(given)


def test_a_large_table_is_read_in_part() -> None:
    """Of thousands of codes only those asked for are arranged, and 150 others for the year's factor."""
    wide = pl.DataFrame(
        [
            (t, "CHN", "KOR", f"{n:06d}", 1.0, 1.0)
            for n in range(100_000, 100_400)
            for t in (2001, 2002, 2003)
        ],
        schema=list(BACI),
        orient="row",
    )
    rows, _, _ = read_trade(wide, wanted=["100333"])
    assert 140 <= rows["code"].n_unique() <= 151 and "100333" in rows["code"]
    assert read_trade(wide)[0]["code"].n_unique() == 400


def test_the_command_takes_files_and_fits_a_terminal(
    small: tuple[pl.DataFrame, list[str]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    trade, cuts = small
    trade.write_csv("trade.csv")
    Path("cuts.csv").write_text("\ufeffcode,exporter,year\n" + "\n".join(cuts) + "\n", "utf-8")
    asked = ["backtest", "--trade", "trade.csv", "--episodes", "cuts.csv"]
    assert run([*asked, "--out", "page"]) == 0
    shown = capsys.readouterr().out
    assert max(len(line) for line in shown.splitlines() if not line.startswith("info:")) <= 120
    assert run([*asked, "--json"]) == 0
    assert {row["split"] for row in json.loads(capsys.readouterr().out)} == {"cross-validated"}
    assert run([*asked, "--episode", cuts[0]]) == 2
    capsys.readouterr()
    name = cuts[0].replace(",", "-")
    assert run(["explain", "page", f"episodes.flows_model[episode={name}]"]) == 0
    told = capsys.readouterr().out
    assert "E70" in told and "no derivation" not in told
    assert run(["explain", "page", f"episodes.lost[episode={name}]", "--lang", "ko"]) == 0
    assert "기록되지 않음" not in capsys.readouterr().out


def test_the_registry_fits_a_terminal_with_what_was_aimed_at_on_top(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the shipped coefficients of the folds give the shipped scores."""
    assert run(["backtest", "--no-refit", "--out", str(tmp_path / "page")]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert "79 export cuts" in shown[0] and "aim" in shown[1]
    assert max(len(line) for line in shown if not line.startswith("info:")) <= 120
    assert any(line.startswith("260400-IDN-2014") for line in shown)
    found = Result.load(tmp_path / "page")["scores"]
    wanted = [row for row in shipped_rows("backtest_scores") if row["split"] == "cross-validated"]
    assert found["score"].to_list() == [row["score"] for row in wanted]
    values = [float(row["value"]) for row in wanted]
    np.testing.assert_allclose(found["value"].to_numpy(), values, atol=2e-3)
    page = (tmp_path / "page" / "backtest.md").read_text("utf-8")
    assert page.index("Read this first") < page.index("Against what was aimed at") < page.index("Intervals")
