"""Indicators drawn again: the same bytes however they are cut, and intervals that say what they claim."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from evernormal import risk
from evernormal.errors import InputError, UnknownNameError
from evernormal.risk.momentum_panel import opened
from evernormal.risk.resampling_cases import BLOCK, cases_of, governance_of, sample
from evernormal.risk.resampling_indicators import INDICATORS

FORMS = ["lithium/hydroxide", "nickel/ore", "graphite/natural", "tungsten/ore"]


def intervals(indicator: str = "hhi", **more: object) -> pl.DataFrame:
    return risk.resample(indicator, "KOR", 2023, more.pop("forms", FORMS), **more)["intervals"]  # type: ignore[arg-type]


def test_any_chunk_gives_the_same_bytes() -> None:
    """Law 6: one draw at a time, some, or all at once, across the border of a block of streams."""
    whole = intervals("eu-supply-risk", draws=BLOCK + 20)
    for chunk in (1, 7, BLOCK, BLOCK + 3):
        assert intervals("eu-supply-risk", draws=BLOCK + 20, chunk=chunk).equals(whole), chunk


def test_what_else_is_asked_does_not_matter() -> None:
    """Law 7: a form has the same draws alone as among others; and in whatever order."""
    some = intervals("geopolrisk", draws=100)
    alone = intervals("geopolrisk", draws=100, forms=["nickel/ore"])
    columns = ["value", "p10", "p50", "p90"]
    nickel = some.filter(pl.col("form") == "nickel/ore").select(columns)
    assert nickel.equals(alone.select(columns))
    both = risk.resample(["hhi", "geopolrisk"], "KOR", 2023, FORMS, draws=100)["intervals"]
    assert both.filter(pl.col("indicator") == "geopolrisk").equals(some)


def test_seeds_differ_and_zero_is_one() -> None:
    zero, one = intervals(draws=50, seed=0), intervals(draws=50, seed=1)
    assert intervals(draws=50).equals(zero) and not zero.equals(one)


def test_the_published_value_lies_in_its_interval() -> None:
    """A linear indicator is drawn around what is published; the interval is neither empty nor everything."""
    for name in ("largest-share", "hhi", "net-import-reliance", "world-hhi", "geopolrisk", "eu-supply-risk"):
        table = risk.resample(name, "KOR", 2023, draws=300)["intervals"].drop_nulls("p50")
        inside = (table["p10"] - 1e-9 <= table["value"]) & (table["value"] <= table["p90"] + 1e-9)
        assert inside.mean() > 0.9, name  # type: ignore[operator]
        assert (table["p90"] - table["p10"]).max() < 0.5 * max(1.0, float(table["value"].max())), name  # type: ignore[arg-type]


def test_a_share_is_as_sure_as_its_grade_says() -> None:
    """By hand: two suppliers with shares s and 1-s and 5 % on each have a share with a deviation of about
    s (1-s) times 5 % times the root of two."""
    table = risk.resample("china-share", "KOR", 2023, ["lithium/hydroxide"], draws=2000)["intervals"]
    row = table.row(0, named=True)
    share = row["value"]
    expected = share * (1 - share) * 0.05 * np.sqrt(2)
    assert (row["p90"] - row["p10"]) / 2.563 == pytest.approx(expected, rel=0.15)


def test_governance_is_drawn_once_for_all_forms() -> None:
    chosen = opened(None, None, None)
    first, second = cases_of(chosen, "KOR", 2023, ["lithium/hydroxide", "graphite/natural"])
    ruled = governance_of(2023, None)
    drawn = [sample(case, ruled, 3, 0, 20) for case in (first, second)]
    china = [d.risk[:, d.case.partners.index("CHN")] for d in drawn]
    assert china[0].tobytes() == china[1].tobytes()
    assert china[0].std() == pytest.approx(0.2329 / 5, rel=0.5)  # the publisher's standard error of 2023


def test_an_unknown_input_gives_no_interval() -> None:
    """Law 2."""
    result = risk.resample("n-minus-one", "KOR", 2023, ["lithium/hydroxide", "nickel/ore"], draws=50)
    table = result["intervals"]
    assert table["p50"].is_null().to_list() == [True, False]
    assert "resampling-unknown" in {finding.code for finding in result.findings}


def test_thresholds_and_ranks() -> None:
    table = intervals("largest-share", draws=200, threshold=0.5, forms=None)
    known = table.drop_nulls("above")
    sure = known.filter((pl.col("p10") > 0.51) | (pl.col("p90") < 0.49))
    assert set(sure["above"]) <= {0.0, 1.0}
    near = known.filter(pl.col("form") == "manganese/ore").row(0, named=True)
    assert 0.2 < near["above"] < 0.8  # 49.9 % from South Africa
    assert (known["rank_p10"] <= known["rank"]).all() and (known["rank"] <= known["rank_p90"]).all()
    less = risk.resample("n-minus-one", "KOR", 2023, draws=50)["intervals"].drop_nulls("rank")
    assert less.sort("rank")["value"].is_sorted()


def test_geopolrisk_of_a_material_that_is_one_form() -> None:
    """Independent route: graphite's published GeoPolRisk differs from the form's by its basis only."""
    ours = intervals("geopolrisk", draws=2, forms=["graphite/natural"])["value"].item()
    published = risk.geopolrisk(["KOR"], [2023], ["Graphite"])["geopolrisk"]["score"].item()
    assert ours == pytest.approx(published, rel=0.02)


def test_wrong_questions_are_refused() -> None:
    """Law 12."""
    with pytest.raises(UnknownNameError, match="hhi"):
        risk.resample("hh", "KOR", 2023)
    with pytest.raises(InputError, match="seed"):
        risk.resample("hhi", "KOR", 2023, seed=-1)
    with pytest.raises(InputError, match="draws"):
        risk.resample("hhi", "KOR", 2023, draws=1)
    assert set(INDICATORS) >= {"hhi", "geopolrisk", "eu-supply-risk", "usgs-supply-risk"}
