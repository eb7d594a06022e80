"""Exposure of a country in every form, the early-warning duty, and trends."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from evernormal import data, risk
from evernormal.app.main import run
from evernormal.errors import InputError, LabelError, NotCoveredError, UnknownNameError
from evernormal.network.forms import form, form_names
from evernormal.result import Result
from evernormal.risk.exposure_tables import exposure_sentence


@pytest.fixture(scope="module")
def korea() -> Result:
    return risk.exposure("KOR", 2023)


def row(result: Result, name: str) -> dict[str, Any]:
    return result["exposure"].row(by_predicate=pl.col("form") == name, named=True)


def test_every_form_has_a_row_and_unknown_says_why(korea: Result) -> None:
    """Law 2: a form of which nothing is known is listed with nulls and a reason, never with 0."""
    table = korea["exposure"]
    assert sorted(table["form"]) == sorted(form_names())
    nothing = table.filter(pl.col("known_by") == "nothing")
    assert nothing["unknown"].null_count() == 0
    assert nothing.select("share_value", "share_quantity", "reliance", "duty").null_count().row(0) == (
        (nothing.height,) * 4
    )
    assert nothing["rank"].min() == table.height - nothing.height + 1


def test_china_s_share_of_lithium_hydroxide_is_that_of_the_trade_association(korea: Result) -> None:
    """KITA 2018-2023: 64.9, 74.4, 81.2, 83.8, 87.9, 79.6 %."""
    assert row(korea, "lithium/hydroxide")["china_value"] == pytest.approx(0.796, abs=0.01)


def test_one_function_stands_behind_each_number(korea: Result) -> None:
    """The table for all forms agrees with the functions for one."""
    for name in ("graphite/natural", "nickel/ore", "cobalt/oxides"):
        found = row(korea, name)
        shares = data.supplier_shares("KOR", form(name).trade_codes, "value", [2023])["shares"]
        assert found["share_value"] == pytest.approx(shares["share"][0], rel=1e-12)
        assert found["hhi_value"] == pytest.approx((shares["share"] ** 2).sum(), rel=1e-9)
        reliance = risk.net_import_reliance(name, ["KOR"], [2023])["reliance"]
        assert found["imports_t"] == pytest.approx(reliance["imports_t"].item(), rel=1e-9)
        assert found["reliance"] == (
            None
            if reliance["reliance"].item() is None
            else pytest.approx(reliance["reliance"].item(), rel=1e-9)
        )
        left = risk.n_minus_one(name, ["KOR"], [2023])["n_minus_one"]["remaining"].item()
        assert found["remaining"] == (None if left is None else pytest.approx(left, rel=1e-9))
    origin = risk.trace_origin("cobalt/oxides", "KOR", [2023])["origin"]
    best = origin.filter(pl.col("stage") == "mined").row(0, named=True)
    cobalt = row(korea, "cobalt/oxides")
    assert (cobalt["mine"], cobalt["mine_share"]) == (best["country"], pytest.approx(best["share"]))
    scores = risk.geopolrisk(["KOR"], [2023], ["Graphite"])["geopolrisk"]
    assert row(korea, "graphite/natural")["geopolrisk"] == pytest.approx(scores["score"].item())


def test_a_mostly_unexplained_origin_names_no_mine(korea: Result) -> None:
    """Law 2: Japan ships Korea's tin ore and mines none."""
    tin = row(korea, "tin/ore")
    assert (tin["supplier"], tin["mine"]) == ("JPN", None)
    assert "unexplained" in tin["unknown"]


def test_since_when_and_whether_it_gets_worse(korea: Result) -> None:
    found = row(korea, "lithium/hydroxide")
    shares = data.supplier_shares("KOR", ["282520"])["shares"].filter(pl.col("supplier") == "CHN")
    by_year = dict(shares.select("year", "share").iter_rows())
    assert by_year[found["since"]] >= 0.5 > by_year[found["since"] - 1]
    assert found["momentum"] == pytest.approx(by_year[2023] - by_year[2022])
    bismuth = row(korea, "bismuth/metal")
    assert (bismuth["direction"], bismuth["trend"] > 0) == ("worse", True)


def test_worst_comes_first(korea: Result) -> None:
    known = korea["exposure"].filter(pl.col("known_by") != "nothing")
    assert known["duty"].fill_null(value=False).to_list() == sorted(
        known["duty"].fill_null(value=False).to_list(), reverse=True
    )
    exposed = (pl.coalesce("share_value", "share_quantity") * pl.col("reliance").fill_null(1.0)).alias("x")
    first = known.filter(pl.col("duty")).select(exposed)["x"].to_list()
    assert first == sorted(first, reverse=True)


def test_a_basket_says_nothing_of_the_metals_in_it() -> None:
    """Law 2: 8112.92 of 2024 holds gallium, germanium, indium and more; it is not read as any of them."""
    table = risk.exposure("KOR", 2024, origins=False)["exposure"]
    assert table.row(by_predicate=pl.col("form") == "germanium/metal", named=True)["known_by"] == "nothing"


def test_a_part_of_the_suppliers_makes_no_largest() -> None:
    """Law 2: a published 28.6 % from China leaves the largest supplier of nickel sulphate unknown."""
    table = risk.exposure("KOR", 2024, origins=False)["exposure"]
    found = table.row(by_predicate=pl.col("form") == "nickel/sulphate", named=True)
    assert (found["supplier"], found["china_value"], found["duty"]) == (None, 0.286, None)


@pytest.mark.parametrize("place", ["EU", "JPN", "대만", "China"])
def test_any_country_has_an_answer(place: str) -> None:
    found = risk.exposure(place, 2023, origins=False)
    assert found["exposure"].height == len(form_names())
    assert "early-warning duty" in exposure_sentence(found)


def test_the_union_imports_from_outside_only() -> None:
    from evernormal.risk.cells import MEMBERS

    suppliers = set(risk.exposure("EU", 2023, origins=False)["exposure"]["supplier"].drop_nulls())
    assert not suppliers & set(MEMBERS)


def test_china_is_not_shown_as_its_own_supplier() -> None:
    table = risk.exposure("CHN", 2023, origins=False)["exposure"]
    assert table["china_value"].null_count() == table.height


def test_neighbours_are_a_parameter_with_a_stated_assumption(korea: Result) -> None:
    assert "neighbours-assumed" in {f.code for f in korea.findings}
    alone = risk.exposure("KOR", 2023, neighbours=[], origins=False)
    assert "neighbours-not-named" in {f.code for f in alone.findings}
    assert alone["exposure"]["neighbour_share"].null_count() == len(form_names())
    assert all(p.grade == "C" and "assumption" in p.source for p in korea.lineage.parameters)


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"country": "KRO"}, UnknownNameError, "KOR"),
        ({"year": 1990}, NotCoveredError, "1990"),
        ({"year": 2023, "as_of": "2020-01-01"}, NotCoveredError, "knowable"),
        ({"year": 2023, "neighbours": ["XXX"]}, UnknownNameError, "XXX"),
        ({"year": "2023"}, InputError, "whole number"),
    ],
)
def test_bad_questions_are_refused(arguments: dict[str, object], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        risk.exposure(**arguments, origins=False)  # type: ignore[arg-type]


def test_the_duty_at_its_thresholds() -> None:
    suppliers = ["CHN", "JPN", "USA"]
    rows = [[0.5, 0.0, 0.5], [0.499, 0.25, 0.251], [0.4, 0.35, 0.25], [np.nan] * 3]
    duty = risk.concentration_duty(rows, suppliers, ["CHN", "JPN", "RUS"])
    assert duty.one_country.tolist() == [True, False, False, False]
    assert duty.neighbouring.tolist() == [False, False, True, False]
    assert math.isnan(duty.largest_share[3])
    assert duty.largest[3] == -1
    one = risk.concentration_duty([0.45, 0.1, 0.45], suppliers, ["CHN"], one_country=0.45)
    assert bool(one.one_country)
    assert not bool(one.neighbouring)  # one neighbour is not two
    with pytest.raises(InputError, match="fraction"):
        risk.concentration_duty([0.5, 0.5, 0.0], suppliers, one_country=50)
    with pytest.raises(LabelError):
        risk.concentration_duty([0.5, 0.5], suppliers)


@pytest.mark.parametrize("size", [4, 5, 8, 10, 20])
def test_trends_agree_with_another_library(size: int) -> None:
    """Slope and significance are those of Theil-Sen and Kendall's tau in SciPy."""
    series = np.random.default_rng(size).random((12, size))
    found = risk.trend(series)
    for number, one in enumerate(series):
        assert found.slope[number] == pytest.approx(stats.theilslopes(one, np.arange(size))[0])
        other = stats.kendalltau(np.arange(size), one, method="exact").pvalue
        assert found.probability[number] == pytest.approx(other, abs=1e-12)


def test_a_trend_knows_what_it_does_not_know() -> None:
    """Law 2: two known years make no trend, and a gap before the last year no momentum."""
    found = risk.trend([[np.nan, np.nan, np.nan, 0.2, 0.3], [0.1, 0.2, 0.3, np.nan, 0.4]])
    assert math.isnan(found.slope[0])
    assert math.isnan(found.probability[0])
    assert found.momentum[0] == pytest.approx(0.1)
    assert math.isnan(found.momentum[1])
    assert found.slope[1] == pytest.approx(0.0875)
    with pytest.raises(InputError):
        risk.trend([0.1])
    with pytest.raises(InputError):
        risk.trend([0.1, 0.2], [2023, 2022])
    with pytest.raises(LabelError):
        risk.trend([0.1, 0.2], [2023])


def test_reliance_takes_one_country_several_or_the_union() -> None:
    one = risk.net_import_reliance("nickel/ore", focal="JPN", years=[2023])["reliance"]
    assert one["country"].to_list() == ["JPN"]
    union = risk.net_import_reliance("nickel/ore", ["EU"], [2023])["reliance"].row(0, named=True)
    assert 0 < union["reliance"] < 1
    assert union["apparent_use_t"] == pytest.approx(union["production_t"] + union["net_imports_t"])
    assert risk.n_minus_one("nickel/ore", ["EU"], [2023])["n_minus_one"]["largest"].item() == "BRA"
    every = risk.net_import_reliance("graphite/natural", focal="KOR")["reliance"]
    assert (every["year"].min(), every["year"].max()) == (1995, 2024)


def test_the_command(capsys: pytest.CaptureFixture[str], korea: Result) -> None:
    assert run(["exposure", "KOR", "--year", "2023", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [r["form"] for r in shown] == korea["exposure"]["form"].to_list()
    assert shown[0]["as_of"] == korea["exposure"]["as_of"][0].isoformat()
    assert run(["exposure", "KOR", "--year", "2023"]) == 0
    out = capsys.readouterr().out
    assert "텅스텐 분말" in out
    assert exposure_sentence(korea)[:40] in out
    assert run(["exposure", "KRO", "--year", "2023"]) == 2
    assert "Error: " in capsys.readouterr().err
