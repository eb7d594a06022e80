"""When the methods disagree: ranks that are the methods' own, agreement by scipy, reasons that hold."""

from __future__ import annotations

import polars as pl
import pytest
from scipy.stats import kendalltau

from evernormal import risk
from evernormal.errors import NotCoveredError
from evernormal.result import Result
from evernormal.risk.disagreement_reasons import COMPONENTS, METHODS, reason_of


@pytest.fixture(scope="module")
def korea() -> Result:
    return risk.method_disagreement("KOR", 2023)


def test_scores_are_those_of_the_methods(korea: Result) -> None:
    """What ranks here is what the indicator gives alone."""
    scores = korea["scores"]

    def score(form: str, method: str) -> float:
        about = (pl.col("form") == form) & (pl.col("method") == method)
        return float(scores.row(by_predicate=about, named=True)["score"])

    graphite = risk.geopolrisk(["KOR"], [2023], ["Graphite"])["geopolrisk"]["score"].item()
    assert score("graphite/natural", "geopolrisk") == pytest.approx(graphite, abs=1e-12)
    union = risk.supply_risk(
        ["KOR"], [2023], ["nickel/ore"], eol_recycling_input_rate=0.0, substitution=1.0
    )["supply_risk"]["supply_risk"].item()  # fmt: skip
    assert score("nickel/ore", "eu-supply-risk") == pytest.approx(union, abs=1e-9)
    usgs = risk.usgs_supply_risk_table(["KOR"], 2023, ["nickel/ore"])["usgs_supply_risk"][
        "supply_risk"
    ].item()
    assert score("nickel/ore", "usgs-supply-risk") == pytest.approx(usgs, abs=1e-9)
    index = risk.supply_stability(["KOR"], 2023, ["nickel/ore"])["stability"]["index"].item()
    assert score("nickel/ore", "stability") == pytest.approx(index, abs=1e-9)
    left = risk.n_minus_one("nickel/ore", ["KOR"], [2023])["n_minus_one"]["remaining"].item()
    assert score("nickel/ore", "n-minus-one") == pytest.approx(left, abs=1e-9)


def test_rank_one_is_the_worst(korea: Result) -> None:
    for name, method in METHODS.items():
        own = korea["scores"].filter(pl.col("method") == name).drop_nulls("score")
        worst = own.sort("rank")["score"][0]
        assert worst == (own["score"].max() if method.worse > 0 else own["score"].min()), name
        assert own["of"].unique().to_list() == [own.height]


def test_agreement_is_that_of_scipy(korea: Result) -> None:
    wide = korea["scores"].pivot("method", index="form", values="score")
    for row in korea["correlation"].iter_rows(named=True):
        both = wide.select(row["method"], row["other"]).drop_nulls()
        sign = METHODS[row["method"]].worse * METHODS[row["other"]].worse
        tau = sign * kendalltau(*(both[c].to_numpy() for c in both.columns)).statistic
        assert row["tau"] == pytest.approx(tau) and row["forms"] == both.height
    assert korea["correlation"].height == 21


def test_methods_that_look_at_the_same_agree(korea: Result) -> None:
    """The largest share and the index are two views of one thing; the index of stability is another."""
    table = korea["correlation"]

    def tau(a: str, b: str) -> float:
        return float(
            table.row(by_predicate=(pl.col("method") == a) & (pl.col("other") == b), named=True)["tau"]
        )

    assert tau("hhi", "largest-share") > 0.9
    assert tau("eu-supply-risk", "hhi") > tau("geopolrisk", "hhi")
    assert abs(tau("geopolrisk", "stability")) < 0.3
    assert "methods-disagree" in {finding.code for finding in korea.findings}


def test_a_reason_names_what_one_method_alone_sees(korea: Result) -> None:
    for row in korea["ranks"].drop_nulls("reason").iter_rows(named=True):
        seen = [row["reason"] in METHODS[row[side]].sees for side in ("worst", "best")]
        assert seen.count(True) == 1, row["form"]
        about = (pl.col("form") == row["form"]) & (pl.col("component") == row["reason"])
        place = korea["components"].row(by_predicate=about, named=True)["place"]
        assert place > 0.5 if seen[0] else place < 0.5


def test_reasons_by_hand() -> None:
    hhi, geopol, n_1 = METHODS["hhi"], METHODS["geopolrisk"], METHODS["n-minus-one"]
    high = reason_of(hhi, geopol, {"imports": 0.95, "production": 0.4, "governance": 0.6})
    assert (high.component, round(high.strength, 2)) == ("imports", 0.45)
    low = reason_of(hhi, geopol, {"imports": 0.55, "production": 0.05, "governance": 0.6})
    assert low.component == "production" and "is low; GeoPolRisk looks at it" in low.text_en
    assert reason_of(hhi, METHODS["largest-share"], {"imports": 0.9}).component == ""
    assert reason_of(n_1, hhi, {"reliance": 0.1}).component == ""  # low reliance does not make N-1 worse
    assert "수입국 편중도" in high.text_ko and set(COMPONENTS) >= {"production", "imports", "governance"}


def test_forms_that_nobody_counts_are_told(korea: Result) -> None:
    """Law 2: taken as not made at home, and said so."""
    told = {f.code: f.values for f in korea.findings}["none-at-home-assumed"]
    assert told["forms"] == korea["ranks"]["none_at_home"].sum()
    assert (
        korea["ranks"].row(by_predicate=pl.col("form") == "nickel/ore", named=True)["none_at_home"] is False
    )


def test_other_years_and_countries() -> None:
    early = risk.method_disagreement("JPN", 2016)
    assert "geopolrisk-of-forms" in {finding.code for finding in early.findings}
    assert early["scores"].filter(pl.col("method") == "hhi")["score"].null_count() == 0
    assert risk.method_disagreement("EU", 2022)["ranks"].height == 35
    with pytest.raises(NotCoveredError):
        risk.method_disagreement("KOR", 1990)
