"""A scenario with price floors from every side: instruments, membership, attacks, projects, years."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.market.conftest import FORM

from evernormal.errors import InputError, LabelError, ScenarioError
from evernormal.market import bloc_study, read_projects
from evernormal.market.bloc_projects import COLUMNS, annuity, break_even
from evernormal.market.bloc_question import lay_out, pair_of
from evernormal.market.bloc_ranges import ranges
from evernormal.network.network import Network
from evernormal.network.question import network_of
from evernormal.network.scenario import Scenario, load_scenario, scenario_from
from evernormal.report.bloc_sheets import bloc_sheets
from evernormal.report.bloc_words import bloc_sentences
from evernormal.report.language import language
from evernormal.result import Result

SHIPPED = ("bloc-aluminium-outside", "bloc-lithium-hydroxide", "bloc-neodymium-magnet")


def asked(*measures: dict[str, Any], months: int = 60) -> Scenario:
    """A scenario on the small world of two sellers and two buyers."""
    return scenario_from(
        {
            "name": "bloc", "title": {"en": "A bloc", "ko": "기준 가격제"}, "form": FORM, "focal": "KOR",
            "base_year": 2023, "start": "2024-01", "months": months, "measures": list(measures),
        }
    )  # fmt: skip


def floor(**more: Any) -> dict[str, Any]:
    """Korea and Chile hold 1.3 times the base price for two years."""
    return {
        "kind": "price_floor", "id": "floor", "by": "FORGE", "members": ["KOR", "CHL"], "share_of_base": 1.3,
        "effective": "2024-01-01", "ends": "2026-01-01", **more,
    }  # fmt: skip


def projects(**more: Any) -> pl.DataFrame:
    """One made-up plant in Korea that pays at 1.2 times the base price and is built in a year."""
    row: dict[str, Any] = {
        "name": "Plant", "country": "KOR", "form": FORM, "capacity_t_gross": 100.0, "content": 0.5,
        "operating_cost_usd_t_gross": 20_000.0, "capital_cost_usd": 32_000.0 * 50 / annuity(0.08, 20),
        "life_years": 20.0, "years_to_build": 1, "public_share": 0.25, "grade": "C",
        "source": "assumption: made up", **more,
    }  # fmt: skip
    return pl.DataFrame([row], schema=COLUMNS)


@pytest.fixture
def world(one_form: Network) -> Network:
    """The small world with prices of 60,000 USD a tonne."""
    from dataclasses import replace

    return replace(one_form, price=np.full_like(one_form.price, 60_000.0))


@pytest.fixture(scope="module")
def lithium() -> Result:
    """The shipped study of lithium, once."""
    scenario = load_scenario("bloc-lithium-hydroxide")
    return bloc_study(network_of(scenario), scenario)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_bloc_holds_and_its_accounts_close(name: str, lithium: Result) -> None:
    """Residuals of market, levies and accounts, on real networks with and without Korea."""
    scenario = load_scenario(name)
    network = network_of(scenario)
    known = name == "bloc-lithium-hydroxide"
    result = lithium if known else bloc_study(network, scenario, with_ranges=False)
    outside = {region for region in network.regions if region not in result.lineage.call["members"]}
    assert len(outside - {"KOR", "MEX", "THA", "ROW"}) > 3
    assert result["attacks"]["by"][0] in outside - {"KOR", "ROW"}
    assert result.scalar("market_residual") < 1e-9
    assert result.scalar("complementarity_residual") < 1e-8
    assert result.scalar("accounts_residual") < 1e-9
    assert result["alternatives"]["accounts_residual_ratio"].max() < 1e-9
    assert set(result["membership"]["position"]) == {"none", "outside", "inside"}
    ladder = result["ladder"].filter(status="held")
    assert ladder.height > 0
    assert (ladder["user_usd_t"] / ladder["reference_usd_t"] - 1).abs().max() < 1e-9  # type: ignore[operator]
    assert (ladder["levy_usd_t"] > 0).all()


def test_korea_inside_and_outside(lithium: Result) -> None:
    """An outsider buys cheaper than without a bloc, a member dearer; the levy is the member's."""
    stand = {row["position"]: row for row in lithium["membership"].iter_rows(named=True)}
    assert stand["outside"]["price_usd_t"] < stand["none"]["price_usd_t"] < stand["inside"]["price_usd_t"]
    assert stand["inside"]["government_usd"] > 0 > stand["inside"]["users_usd"]
    assert stand["inside"]["main_supplier"] == "CHN" and stand["inside"]["levy_usd_t"] > 0


def test_behaviour_at_the_ends_of_its_intervals(lithium: Result) -> None:
    """The central row is the answer; each assumption moves it, and what is fixed by the user is not moved."""
    table = lithium["ranges"]
    assert table["end"].to_list() == ["central", *["low", "high"] * 3]
    assert table["members_usd"][0] == pytest.approx(lithium.scalar("members_welfare_usd"), rel=1e-12)
    assert table["members_usd"].n_unique() == table.height
    scenario = load_scenario("bloc-lithium-hydroxide")
    network = network_of(scenario)
    fixed = {"use_elasticity": 0.2, "substitution_long": 1.5}
    question = lay_out(network, scenario, fixed)
    some = ranges(network, scenario, fixed, question, pair_of(question, question.mechanism))
    assert some["assumption"].to_list() == ["central", "supply", "supply"]


def test_a_real_project_that_pays_only_with_the_floor(lithium: Result) -> None:
    """Thacker Pass: 7,508 USD/t and 2.93 billion USD over 25 years at 8 % need 14,370 a tonne."""
    row = lithium["projects"].filter(pl.col("name") == "Thacker Pass phase 1").row(0, named=True)
    assert row["break_even_usd_t"] * 0.18787 == pytest.approx(7508 + 2.93e9 * 0.0936788 / 40_000, rel=1e-5)
    assert (row["pays_without"], row["pays_with"]) == (False, True)
    assert row["price_without_usd_t"] < row["break_even_usd_t"] < row["least_reference_usd_t"]
    path = lithium["path"]
    assert path["in_force"].to_list() == [True, True, True, False, False]
    left = lithium["plants"].filter(year=4)
    assert (
        path["unpaid_capital_usd"][3] == pytest.approx(left["unpaid_usd"].sum()) and left["unpaid_usd"][0] > 0
    )


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_sentences_and_tables_tell_the_same_study(lithium: Result, lang: str) -> None:
    """Every stage has its ladder with the focal country first; projects and what is left of them are told."""
    sheets = bloc_sheets(lithium, lang)
    words = language(lang)
    assert [sheet.rows[0][0] for sheet in sheets[:2]] == [words.country("KOR")] * 2
    assert all(len(row) == len(sheet.columns) for sheet in sheets for row in sheet.rows)
    told = " ".join(bloc_sentences(lithium, lang))
    assert "Thacker Pass phase 1" in told and "{" not in told
    assert words.money(lithium.scalar("members_levy_usd")) in told


def test_a_price_cut_moves_revenue_and_no_held_price(lithium: Result) -> None:
    """A deeper cut by China: the same largest price over its reference, more revenue."""
    row = {r["attack"]: r for r in lithium["attacks"].iter_rows(named=True)}
    assert row["price_cut"]["user_usd_t"] == pytest.approx(row["as_announced"]["user_usd_t"], rel=1e-6)
    assert row["price_cut"]["levy_revenue_usd"] > row["as_announced"]["levy_revenue_usd"]
    assert row["withheld"]["price_over_reference_max_ratio"] > 1.01


def test_instruments_on_the_same_market(lithium: Result) -> None:
    """Users pay more by levy and purchase and not by contract; the last two cost the budget."""
    row = {r["instrument"]: r for r in lithium["alternatives"].iter_rows(named=True)}
    assert row["contract"]["user_usd_t"] < row["none"]["user_usd_t"] < row["levy"]["user_usd_t"]
    assert row["levy"]["budget_usd"] > 0 > row["contract"]["budget_usd"] > row["purchase"]["budget_usd"]
    assert row["purchase"]["bought_t"] > 0 == row["levy"]["bought_t"]
    assert row["contract"]["made_t"] > row["none"]["made_t"]
    assert row["levy"]["world_usd"] < row["levy_by_origin"]["world_usd"] < 0


def test_a_mine_built_on_a_floor_that_is_withdrawn(world: Network) -> None:
    """It pays at 72,000 and not at 60,000; when the floor ends it runs on and leaves capital unpaid (E89)."""
    result = bloc_study(world, asked(floor()), projects=projects(), with_ranges=False)
    row = result["projects"].row(0, named=True)
    assert row["break_even_usd_t"] == pytest.approx(72_000.0)
    assert (row["pays_without"], row["pays_with"]) == (False, True)
    assert result["path"]["in_force"].to_list() == [True, True, False, False, False]
    plants = result["plants"]
    assert plants["year"].to_list() == [2, 3, 4, 5]
    assert plants["output_t"].to_list() == pytest.approx([50.0] * 4)
    held, after = plants.row(0, named=True), plants.row(1, named=True)
    assert held["unpaid_usd"] == 0 < after["unpaid_usd"]
    assert after["unpaid_usd"] == pytest.approx((72_000 - after["price_usd_t"]) * 50, rel=1e-9)
    assert after["unpaid_public_usd"] == pytest.approx(0.25 * after["unpaid_usd"])
    path = result["path"]
    assert path["maker_usd_t"][2] < path["maker_usd_t"][1]
    assert path["unpaid_capital_usd"][2] == pytest.approx(after["unpaid_usd"])


@pytest.mark.parametrize(("lang", "nobody"), [("en", "no member makes it"), ("ko", "생산하는 참여국은 없음")])
def test_a_bloc_that_makes_nothing_is_told_so(world: Network, lang: str, nobody: str) -> None:
    """No price of makers is invented, none is called unknown (law 2)."""
    study = bloc_study(world, asked(floor(members=["KOR", "JPN"])), with_ranges=False)
    told = bloc_sentences(study, lang)
    assert nobody in told[0] and language(lang).unknown not in " ".join(told)


def test_what_is_not_known_of_a_project_stays_unknown(world: Network) -> None:
    """Law 2: without its capital cost nobody says whether it pays."""
    unknown = projects(capital_cost_usd=None, public_share=None)
    row = bloc_study(world, asked(floor(), months=12), projects=unknown, with_ranges=False)["projects"].row(
        0, named=True
    )
    assert row["break_even_usd_t"] is None and row["pays_with"] is None and row["pays_without"] is None


def test_the_rungs_say_which_reference_makes_a_project_pay(world: Network) -> None:
    """Below its break-even price a project does not pay, above it does; the least tried one is named."""
    result = bloc_study(world, asked(floor(), months=12), projects=projects(), with_ranges=False)
    rungs = result["project_ladder"]
    assert (rungs["pays"] == (rungs["price_usd_t"] >= 72_000)).all()
    least = result["projects"]["least_reference_usd_t"][0]
    assert least == rungs.filter(pl.col("pays"))["reference_usd_t"].min()


def test_published_costs_of_a_project() -> None:
    """Piedmont's integrated study: 3,716 USD/t and 545 million USD for 22,720 t over 25 years at 8 %."""
    assert break_even(3716, 545e6, 22_720, 0.08, 25) == pytest.approx(
        3716 + 545e6 * 0.0936788 / 22_720, rel=1e-6
    )
    assert annuity(0.0, 20) == pytest.approx(0.05)
    shipped = read_projects()
    assert shipped.filter(grade="B").height == shipped.height > 3


@pytest.mark.parametrize(
    ("cell", "value", "said"),
    [
        ("capacity_t_gross", "0", "above 0"),
        ("content", "much", "must be a number"),
        ("public_share", "1.5", "at most 1"),
        ("years_to_build", "1.5", "whole number"),
        ("grade", "D", "A, B or C"),
        ("name", "", "is empty"),
        ("operating_cost_usd_t_gross", "-3", "at least 0"),
    ],
)
def test_a_wrong_cell_is_named(tmp_path: Path, cell: str, value: str, said: str) -> None:
    """Law 12: row, column and what would be right."""
    table = projects().cast(pl.String).with_columns(pl.lit(value).alias(cell))
    path = tmp_path / "mine.csv"
    table.write_csv(path)
    with pytest.raises(InputError, match=f"row 2, {cell}: .*{said}"):
        read_projects(path)


def test_a_file_without_a_column_is_refused(tmp_path: Path) -> None:
    """Law 3: the missing column is named."""
    path = tmp_path / "mine.csv"
    projects().drop("content").write_csv(path)
    with pytest.raises((InputError, LabelError), match="content"):
        read_projects(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_projects(tmp_path / "nothing.csv")


@pytest.mark.parametrize(
    ("measures", "said"),
    [
        ([], "no measure of kind 'price_floor'"),
        ([floor(), floor(id="two")], "two price floors hold"),
        ([floor(), floor(id="two", forms=["lithium/ore"], members=["KOR"])], "differ in members"),
        ([floor(effective="2024-12-01", ends="2025-02-01")], "no whole year"),
    ],
)
def test_floors_that_do_not_fit(one_form: Network, measures: list[dict[str, Any]], said: str) -> None:
    """Law 12: the scenario says what is missing or what clashes."""
    with pytest.raises(InputError, match=said):
        bloc_study(one_form, asked(*measures))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"usd_per_tonne": 5.0}, "both share_of_base and usd_per_tonne"),
        ({"share_of_base": None}, "neither"),
        ({"leakage": 0.1}, "strict rules"),
        ({"instrument": "wish"}, "instrument"),
    ],
)
def test_a_floor_that_contradicts_itself(more: dict[str, Any], said: str) -> None:
    """Law 12: the scenario file is refused before anything is computed."""
    with pytest.raises(ScenarioError, match=said):
        asked(floor(**more))
