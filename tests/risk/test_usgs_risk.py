"""Supply risk in the manner of the USGS: the published form, published reliance, and what is not known."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from evernormal import risk
from evernormal.errors import InputError, LabelError, NotCoveredError, UnknownNameError

PARTS = ("disruption_potential", "trade_exposure", "economic_vulnerability", "supply_risk")


@pytest.fixture(scope="module")
def korea() -> pl.DataFrame:
    return risk.usgs_supply_risk_table(["KOR"], 2023)["usgs_supply_risk"]


def row(table: pl.DataFrame, form: str) -> dict[str, object]:
    return table.row(by_predicate=pl.col("form") == form, named=True)


def test_the_form_is_the_cube_root_of_three_parts() -> None:
    """Nassar and others 2020: the geometric mean; one part of nothing is no risk."""
    assert float(risk.usgs_supply_risk(0.2, 0.5, 0.27)) == pytest.approx((0.2 * 0.5 * 0.27) ** (1 / 3))
    assert risk.usgs_supply_risk([[1.0], [0.0]], [1.0, 0.5], 1.0).tolist() == [
        [1.0, pytest.approx(0.5 ** (1 / 3))],
        [0.0, 0.0],
    ]


def test_an_unknown_part_leaves_the_risk_unknown_unless_another_is_nothing() -> None:
    """Law 2."""
    assert np.isnan(risk.usgs_supply_risk(0.2, float("nan"), 0.5))
    assert float(risk.usgs_supply_risk(0.0, float("nan"), 0.5)) == 0.0


def test_wrong_parts_are_refused() -> None:
    """Laws 3 and 12."""
    with pytest.raises(InputError, match="trade_exposure must be from 0 to 1, got 82"):
        risk.usgs_supply_risk(0.2, 82.0, 0.5)
    with pytest.raises(LabelError, match="shapes do not fit"):
        risk.usgs_supply_risk([0.1, 0.2], [0.1, 0.2, 0.3], 0.5)
    with pytest.raises(InputError, match=r"shares sum to 1\.2"):
        risk.disruption_potential([0.6, 0.6], [0.5, 0.5])
    with pytest.raises(InputError, match="value added above 0"):
        risk.economic_vulnerability([1.0], 5.0, [0.0])


def test_the_focal_country_does_not_disrupt_itself() -> None:
    own = risk.usgs_supply_risk_table(["CHN", "KOR"], 2023, ["rare-earths/compounds"])["usgs_supply_risk"]
    china, other = own["disruption_potential"].to_list()
    assert china < 0.02 < 0.4 < other


def test_reliance_of_the_united_states_is_what_the_survey_publishes() -> None:
    """USGS, Mineral Commodity Summaries 2023, figure 2: net import reliance in 2022, natural graphite and
    manganese 100 %, bismuth 96 %; tolerance 5 points."""
    table = risk.usgs_supply_risk_table(["USA"], 2022)["usgs_supply_risk"]
    for form, published in (("graphite/natural", 1.0), ("manganese/ore", 1.0), ("bismuth/metal", 0.96)):
        assert row(table, form)["trade_exposure"] == pytest.approx(published, abs=0.05), form


def test_what_the_paper_names_first_stands_high() -> None:
    """Nassar and others 2020 name niobium, rare earths and tungsten among the greatest risks: their
    disruption potential towards the United States is in the upper third of all forms."""
    table = risk.usgs_supply_risk_table(["USA"], 2020)["usgs_supply_risk"].drop_nulls("disruption_potential")
    ranked = table.sort("disruption_potential", descending=True)["form"].to_list()
    for form in ("niobium/ferro", "rare-earths/cerium-compounds", "tungsten/ore"):
        assert ranked.index(form) < len(ranked) / 3, form


def test_two_routes_give_one_number(korea: pl.DataFrame) -> None:
    """The whole-world arrays and the cases that resampling draws agree on every form that both know."""
    for part in PARTS:
        name = {"trade_exposure": "net-import-reliance"}.get(part, part.replace("_", "-"))
        name = "usgs-supply-risk" if part == "supply_risk" else name
        drawn = risk.resample(name, "KOR", 2023, draws=2)["intervals"]
        both = korea.join(drawn, on="form").filter(pl.col(part).is_not_null(), pl.col("value").is_not_null())
        assert both.height >= 20, part
        assert both[part].to_list() == pytest.approx(both["value"].to_list(), abs=1e-9), part


def test_reliance_is_that_of_net_import_reliance(korea: pl.DataFrame) -> None:
    for form in ("graphite/natural", "molybdenum/ore", "tin/ore"):
        found = risk.net_import_reliance(form, ["KOR"], [2023])["reliance"]["reliance"].item()
        assert row(korea, form)["trade_exposure"] == pytest.approx(found, abs=1e-12)


def test_the_middle_lies_between_the_ends(korea: pl.DataFrame) -> None:
    for part in PARTS:
        known = korea.drop_nulls(part)
        assert (known[part] >= known[f"{part}_low"] - 1e-12).all()
        assert (known[part] <= known[f"{part}_high"] + 1e-12).all()


def test_a_form_without_production_has_two_ends_and_no_middle(korea: pl.DataFrame) -> None:
    """Law 2: nobody counts Korea's own lithium hydroxide, so its reliance may be anything."""
    hydroxide = row(korea, "lithium/hydroxide")
    assert hydroxide["trade_exposure"] is None and hydroxide["supply_risk"] is None
    assert (hydroxide["supply_risk_low"], hydroxide["world_supply"]) == (0.0, "published shares")
    assert 0.5 < hydroxide["supply_risk_high"] < 0.8  # type: ignore[operator]
    codes = {f.code for f in risk.usgs_supply_risk_table(["KOR"], 2023, ["lithium/hydroxide"]).findings}
    assert {"usgs-deviations", "usgs-risk-bounded", "world-supply-published"} <= codes


def test_vulnerability_of_ones_own_takes_the_place_of_ours() -> None:
    table = risk.usgs_supply_risk_table(["KOR"], 2023, ["nickel/ore"], vulnerability=0.5)["usgs_supply_risk"]
    assert table["economic_vulnerability"].item() == 0.5
    with pytest.raises(UnknownNameError, match="nickel/ore"):
        risk.usgs_supply_risk_table(["KOR"], 2023, ["nickel/ore"], vulnerability={"nickel/ores": 0.5})


def test_every_country_and_the_union_at_once() -> None:
    table = risk.usgs_supply_risk_table(None, 2022, ["nickel/ore"])["usgs_supply_risk"]
    assert {"KOR", "TWN", "NAM", "EU"} <= set(table["country"]) and table.height > 230
    one = risk.usgs_supply_risk_table(["EU"], 2022, ["nickel/ore"])["usgs_supply_risk"]
    assert table.filter(pl.col("country") == "EU").equals(one)


def test_nothing_later_than_the_day_is_used() -> None:
    """Law 11: the shipped trade was not knowable in 2020."""
    with pytest.raises(NotCoveredError, match="not knowable"):
        risk.usgs_supply_risk_table(["KOR"], 2018, as_of="2020-01-01")
