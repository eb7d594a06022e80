"""Trends and breaks of dependence: against textbook series, against scipy, and over the whole world."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.stats import theilslopes

from evernormal import data, risk
from evernormal.errors import InputError, NotCoveredError
from evernormal.risk.cells import MEMBERS

# Annual flow of the Nile at Aswan 1871 to 1970, 10^8 m3 (Cobb 1978, Biometrika 65:243-251)
NILE = [
    1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960, 1180, 799, 958,
    1140, 1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774, 840, 874, 694, 940, 833, 701, 916, 692, 1020,
    1050, 969, 831, 726, 456, 824, 702, 1120, 1100, 832, 764, 821, 768, 845, 864, 862, 698, 845, 744, 796,
    1040, 759, 781, 865, 845, 944, 984, 897, 822, 1010, 771, 676, 649, 846, 812, 742, 801, 1040, 860, 874,
    848, 890, 744, 749, 838, 1050, 918, 986, 797, 923, 975, 815, 1020, 906, 901, 1170, 912, 746, 919, 718,
    714, 740,
]  # fmt: skip


def test_the_nile_breaks_after_1898() -> None:
    """Published: the flow drops after 1898, means 1097.75 and 849.97 (Cobb 1978)."""
    found = risk.change_point([[float(flow) for flow in NILE]])
    assert 1871 + int(found.place[0]) == 1898
    assert float(found.before[0]) == pytest.approx(1097.75, abs=0.005)
    assert float(found.after[0]) == pytest.approx(849.97, abs=0.005)
    assert float(found.probability[0]) < 1e-6


def test_gaps_do_not_move_a_break() -> None:
    """Law 2: an unknown year is left out, not taken as nothing."""
    series = np.array([float(flow) for flow in NILE])
    series[[3, 40, 77]] = np.nan
    assert 1871 + int(risk.change_point(series[None]).place[0]) == 1898
    few = risk.change_point([[1.0, np.nan, np.nan, 2.0, 3.0]])
    assert int(few.place[0]) == -1 and np.isnan(few.probability[0])


def test_the_slope_is_that_of_scipy() -> None:
    """Independent route: Theil-Sen over five years, form by form."""
    table = risk.dependence_trends(["KOR"], None, 2023)["trends"].filter(pl.col("measure") == "largest")
    shares = {}
    for form, code in (("lithium/hydroxide", "282520"), ("tungsten/powder", "810110")):
        rows = data.supplier_shares("KOR", [code], years=range(2019, 2024))["shares"]
        shares[form] = rows.group_by("year").agg(pl.col("share").max()).sort("year")["share"].to_list()
    for form, series in shares.items():
        found = table.row(by_predicate=pl.col("form") == form, named=True)
        assert found["slope"] == pytest.approx(theilslopes(series, range(5)).slope, abs=1e-9)
        assert found["value"] == pytest.approx(series[-1], abs=1e-9)
        assert found["momentum"] == pytest.approx(series[-1] - series[-2], abs=1e-9)


def test_it_agrees_with_exposure() -> None:
    """One trend in both tables: slope, significance, momentum and since when."""
    ours = risk.dependence_trends(["KOR"], None, 2023)["trends"].filter(pl.col("measure") == "supplier")
    theirs = risk.exposure("KOR", 2023, origins=False)["exposure"].filter(pl.col("known_by") == "trade")
    both = ours.join(theirs, on="form", suffix="_exposure")
    assert both.height >= 30
    for mine, other in (("slope", "trend"), ("momentum", "momentum_exposure"), ("value", "share_value")):
        pairs = both.select(mine, other).drop_nulls()
        assert pairs[mine].to_list() == pytest.approx(pairs[other].to_list(), abs=1e-9), mine
    assert both["since"].to_list() == both["since_exposure"].to_list()
    assert both["direction"].to_list() == both["direction_exposure"].to_list()


def test_china_passed_half_of_korean_lithium_hydroxide_in_2013() -> None:
    table = risk.dependence_trends(["KOR"], ["lithium/hydroxide"], 2023, partner="CHN")["trends"]
    row = table.row(by_predicate=pl.col("measure") == "partner", named=True)
    assert (row["first"], row["since"], row["broken"]) == (2013, 2015, True)
    assert row["before"] < 0.15 < 0.55 < row["after"]


def test_the_union_buys_from_others_only() -> None:
    table = risk.dependence_trends(["EU"], None, 2023)["trends"].filter(pl.col("measure") == "supplier")
    assert not set(table["supplier"]) & {*MEMBERS, "EU"}
    assert table["years"].min() > 20


def test_nothing_later_than_the_year_is_used() -> None:
    """Law 11: the table of 2015 is the same whatever was traded after it."""
    table = risk.dependence_trends(["KOR"], ["lithium/hydroxide"], 2015)["trends"]
    assert set(table["year"]) == {2015} and table["years"].max() == 21


def test_a_country_does_not_depend_on_itself() -> None:
    table = risk.dependence_trends(["CHN", "KOR"], ["tungsten/powder"], 2023, partner="CHN")["trends"]
    assert table.filter(pl.col("measure") == "partner")["country"].to_list() == ["KOR"]


def test_wrong_questions_are_refused() -> None:
    """Law 12."""
    with pytest.raises(InputError, match="window must be at least 3"):
        risk.dependence_trends(["KOR"], window=2)
    with pytest.raises(InputError, match="threshold"):
        risk.dependence_trends(["KOR"], threshold=50)
    with pytest.raises(NotCoveredError, match="1980"):
        risk.dependence_trends(["KOR"], year=1980)
