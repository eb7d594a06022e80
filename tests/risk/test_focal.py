"""Supply risk of any country by the Union's method."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from evernormal.data import governance, production, trade
from evernormal.errors import InputError, NotCoveredError, UnknownNameError
from evernormal.network.forms import form
from evernormal.network.observations import contained_rows
from evernormal.risk import eu_supply_risk, hhi_wgi_t, net_import_reliance, supply_risk
from evernormal.risk.cells import MEMBERS
from evernormal.risk.focal_sums import _any_share, _ends


def levels(year: int) -> dict[str, float]:
    """Governance 0 to 10 by country."""
    rows = governance(years=[year], indicators=["normalized"])
    return {c: 10 * v for c, v in rows.select("country", "value").iter_rows() if v is not None}


def by_hand(country: str, name: str, year: int, factor: dict[str, float]) -> tuple[float, float, float]:
    """World and own concentration and import reliance of one cell, the slow way."""
    found, level = form(name), levels(year)
    made = dict(production([found.production_source.partition(":")[2]], years=[year]).select(
        "country", "value").iter_rows())  # fmt: skip
    total = sum(made.values())
    names = sorted(made)
    world = hhi_wgi_t(
        [made[n] / total for n in names], [level[n] for n in names], [factor.get(n, 1.0) for n in names]
    )
    rows = contained_rows(trade(found.trade_codes, years=[year]), found).filter(importer=country)
    bought = dict(rows.group_by("exporter").agg(pl.col("contained_t").sum()).iter_rows())
    bought.pop(country, None)
    bought[country] = made.get(country, 0.0)
    supply = sum(bought.values())
    names = sorted(n for n, t in bought.items() if t > 0)
    own = hhi_wgi_t(
        [bought[n] / supply for n in names], [level[n] for n in names], [factor.get(n, 1.0) for n in names]
    )
    reliance = net_import_reliance(name, [country], [year])["reliance"]["reliance"].item()
    return float(world), float(own), reliance


@pytest.mark.parametrize(("country", "name"), [("KOR", "nickel/ore"), ("JPN", "zinc/ore")])
def test_one_cell_by_hand(country: str, name: str) -> None:
    """Independent route: each share by itself, the published formula on top."""
    factor = {"CHN": 1.2, "IDN": 1.5}
    world, own, reliance = by_hand(country, name, 2022, factor)
    row = supply_risk([country], [2022], [name], trade_parameter=factor, eol_recycling_input_rate=0.2,
                      substitution=0.9)["supply_risk"].row(0, named=True)  # fmt: skip
    assert (row["hhi_global"], row["hhi_sourcing"]) == pytest.approx((world, own), rel=1e-6)
    assert row["import_reliance"] == pytest.approx(reliance)
    assert row["supply_risk"] == pytest.approx(
        float(eu_supply_risk(world, own, reliance, 0.2, 0.9)), rel=1e-6
    )


def test_the_whole_world_is_each_cell_by_itself() -> None:
    """Law 7: asking for more does not change a number."""
    every = supply_risk(None, [2021, 2022], ["nickel/ore", "zinc/ore"])["supply_risk"]
    one = supply_risk(["KOR"], [2022], ["zinc/ore"])["supply_risk"]
    assert every.filter(country="KOR", form="zinc/ore", year=2022).equals(one)
    assert every["country"].n_unique() > 200


def test_without_recycling_and_substitution_a_score_has_two_ends() -> None:
    """Law 2: and what becomes known lies between them."""
    wide = supply_risk(["KOR"], [2022], ["nickel/ore"])
    row = wide["supply_risk"].row(0, named=True)
    assert row["supply_risk"] is None and row["supply_risk_low"] == 0.0
    known = supply_risk(["KOR"], [2022], ["nickel/ore"], eol_recycling_input_rate=0.3, substitution=0.9)
    assert 0 < known["supply_risk"]["supply_risk"].item() < row["supply_risk_high"]
    codes = {finding.code for finding in wide.findings}
    assert {"supply-risk-bounded", "governance-one-dimension"} <= codes
    assert "supply-risk-bounded" not in {finding.code for finding in known.findings}


def test_production_that_nobody_counts_leaves_an_interval() -> None:
    """Law 2: lithium hydroxide is not counted at home, so own supply may be all or nothing."""
    row = supply_risk(["KOR"], [2022], ["lithium/hydroxide"], eol_recycling_input_rate=0.0,
                      substitution=1.0)["supply_risk"].row(0, named=True)  # fmt: skip
    assert row["hhi_global"] is row["hhi_sourcing"] is row["import_reliance"] is row["supply_risk"] is None
    assert 0 < row["supply_risk_low"] < row["supply_risk_high"]


@pytest.mark.parametrize("most", [None, 40.0, 0.5])
def test_ends_hold_whatever_an_unknown_producer_makes(most: float | None) -> None:
    """Equation E111 against every amount that the unknown producer could have made; None: any."""
    amounts, weight = np.array([[6.0, 3.0, 1.0, 0.0]]), np.array([4.0, 2.0, 1.0, 3.0])
    if most is None:
        low, high = _any_share(amounts, np.array([[False, False, False, True]]), weight, weight)
    else:
        low, high = _ends(amounts, np.array([[0.0, 0.0, 0.0, most]]), weight, weight)
    scores = []
    for unknown in np.concatenate(([0.0], np.logspace(-3, 5 if most is None else np.log10(most), 400))):
        parts = np.array([6.0, 3.0, 1.0, unknown]) / (10 + unknown)
        scores.append(float((parts**2 * weight).sum()))
    assert min(scores) == pytest.approx(low[0], rel=1e-3) and max(scores) == pytest.approx(high[0], rel=1e-3)
    assert low[0] <= min(scores) + 1e-12 and max(scores) <= high[0] + 1e-12


def test_ends_hold_for_several_unknown_producers() -> None:
    """Against random amounts within their ranges, corners among them."""
    draw = np.random.default_rng(0)
    for _ in range(20):
        known = draw.uniform(0, 10, 6) * (draw.random(6) < 0.6) + np.eye(6)[0]
        most = np.where(known > 0, 0.0, draw.uniform(0, 30, 6))
        weight = draw.uniform(0, 10, 6)
        low, high = (float(end[0]) for end in _ends(known[None], most[None], weight, weight))
        part = np.concatenate((draw.random((3000, 6)), draw.random((500, 6)) < 0.5))
        tried = known + most * part
        scores = (tried**2 * weight).sum(axis=1) / tried.sum(axis=1) ** 2
        assert low <= scores.min() + 1e-12 and scores.max() <= high + 1e-12
        assert scores.max() == pytest.approx(high, rel=1e-9)


def test_a_small_producer_without_a_figure_is_not_the_world() -> None:
    """Cyprus is listed without a figure for copper: it made at most what it ever made, not everything."""
    listed = production(["Copper"], years=[2023]).filter(pl.col("value").is_null())["country"].to_list()
    assert "CYP" in listed
    row = supply_risk(["KOR"], [2023], ["copper/ore"], eol_recycling_input_rate=0.0, substitution=1.0)
    low, high = row["supply_risk"].select("supply_risk_low", "supply_risk_high").row(0)
    assert 0 < low < high < 1.001 * low


def test_the_union_is_one_country() -> None:
    """Trade among members is neither imported nor exported; each member's output is a supplier of its own."""
    rows = supply_risk(["EU"], [2022], ["nickel/ore"])
    amounts = rows["amounts"].row(0, named=True)
    found = form("nickel/ore")
    flows = contained_rows(trade(found.trade_codes, years=[2022]), found)
    inside, outside = pl.col("importer").is_in(MEMBERS), ~pl.col("exporter").is_in(MEMBERS)
    bought = flows.filter(inside, outside)
    sold = flows.filter(~inside, ~outside)
    assert amounts["imports_t"] == pytest.approx(bought["contained_t"].sum())
    assert amounts["exports_t"] == pytest.approx(sold["contained_t"].sum())
    made = production(["Nickel"], years=[2022]).filter(pl.col("country").is_in(MEMBERS))
    assert amounts["production_t"] == pytest.approx(made["value"].sum() * found.production_factor)
    supply = dict(bought.group_by("exporter").agg(pl.col("contained_t").sum()).iter_rows())
    supply |= dict(made.select("country", "value").iter_rows())
    total, level = sum(supply.values()), levels(2022)
    own = sum((tonnes / total) ** 2 * level[name] for name, tonnes in supply.items())
    assert rows["supply_risk"]["hhi_sourcing"].item() == pytest.approx(own, rel=1e-6)
    assert 0 < rows["supply_risk"]["import_reliance"].item() < 1


def test_no_trade_recorded_is_unknown() -> None:
    """Law 2: a country that reports no trade of a form has no score, not a score of 0."""
    table = supply_risk(None, [2022], ["bismuth/metal"])
    blank = table["amounts"].filter(pl.col("imports_t").is_null())["country"].to_list()
    assert blank, "some small country has no row"
    rows = table["supply_risk"].filter(pl.col("country").is_in(blank))
    assert rows["supply_risk_low"].null_count() == rows["supply_risk_high"].null_count() == rows.height


def test_wrong_calls_are_told() -> None:
    """Laws 3, 11 and 12."""
    with pytest.raises(UnknownNameError, match="nickel/oer"):
        supply_risk(["KOR"], [2022], ["nickel/oer"])
    with pytest.raises(UnknownNameError, match="zinc/ore"):
        supply_risk(["KOR"], [2022], ["nickel/ore"], substitution={"zinc/ore": 1.0})
    with pytest.raises(InputError, match="Give a fraction"):
        supply_risk(["KOR"], [2022], ["nickel/ore"], substitution=90)
    with pytest.raises(InputError, match="trade_parameter"):
        supply_risk(["KOR"], [2022], ["nickel/ore"], trade_parameter={"CHN": 3.0})
    with pytest.raises(NotCoveredError, match="governance"):
        supply_risk(["KOR"], [1997], ["nickel/ore"])
    with pytest.raises(NotCoveredError):
        supply_risk(["KOR"], [2022], ["nickel/ore"], as_of="2001-01-01")
    with pytest.raises(InputError, match="whole numbers"):
        supply_risk(["KOR"], [], ["nickel/ore"])
