"""The economy: Leontief, limits, bottlenecks, and inputs that belong together."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evernormal import market
from evernormal.errors import InfeasibleError, InputError, LabelError, NotCoveredError, UnknownNameError
from evernormal.market.economy_inputs import end_use_sectors
from evernormal.market.economy_recipes import recipes_table
from evernormal.market.input_output_algebra import best_allocation, bottleneck, coefficients, limited_output
from evernormal.market.input_output_table import InputOutput, input_output_of
from evernormal.network.form_tables import rows as table_rows
from evernormal.network.forms import form_names
from evernormal.result import Lineage, Result

Z, X = np.array([[150.0, 500], [200, 100]]), np.array([1000.0, 2000])


def economy(n: int = 4, seed: int = 3) -> InputOutput:
    rng = np.random.default_rng(seed)
    home, abroad = rng.random((n, n)) * 8, rng.random((n, n)) * 3
    output = home.sum(axis=1) + 40 + rng.random(n) * 30
    return input_output_of(home, output, imported=abroad)


def test_leontief_inverse_of_miller_and_blair() -> None:
    """Miller and Blair 2009: L, and the output for final use of 600 and 1500."""
    inverse = market.leontief_inverse(Z, X)
    np.testing.assert_allclose(inverse, [[1.2541, 0.3300], [0.2640, 1.1221]], atol=5e-5)
    np.testing.assert_allclose(inverse @ [600, 1500], [1247.52, 1841.58], atol=5e-3)


def test_a_table_without_an_inverse_is_refused() -> None:
    with pytest.raises(InfeasibleError, match="more than they make"):
        market.leontief_inverse([[900, 500], [200, 2100]], [1000, 2000])
    with pytest.raises(LabelError):
        market.leontief_inverse(Z, [1000.0])
    with pytest.raises(InputError, match="finite"):
        market.leontief_inverse(np.array([[np.nan, 1.0], [1.0, 1.0]]), [10, 10])


def test_the_mixed_model_by_hand() -> None:
    """Output of the first is given; the second makes its final use and what both need of it."""
    home, final = coefficients(Z, X), X - Z.sum(axis=1)
    found = limited_output(home, final, np.array([900.0, np.inf]))
    assert found.output[1] == pytest.approx((final[1] + 0.2 * 900) / 0.95)
    assert found.final[0] == pytest.approx(0.85 * 900 - 0.25 * found.output[1])
    assert found.binding.tolist() == [True, False]


def test_a_limit_that_demand_does_not_reach_does_not_bind() -> None:
    """When the first sector stops, the second sells so much less that its own small limit is slack."""
    home, final = np.array([[0.0, 0.0], [0.9, 0.0]]), np.array([100.0, 10.0])
    found = limited_output(home, final, np.array([10.0, 95.0]))
    assert found.output.tolist() == pytest.approx([10.0, 19.0])
    assert found.binding.tolist() == [True, False]


@given(st.integers(0, 500), st.floats(0, 0.5))
@settings(max_examples=40, deadline=None)
def test_the_mixed_model_is_the_best_allocation_while_final_use_can_give_way(seed: int, cut: float) -> None:
    """Two independent routes: a linear system, and a linear programme solved by another code."""
    table = economy(seed=seed)
    worth = np.maximum(table.worth, 0.01)
    limit = np.where(np.arange(4) == seed % 4, (1 - cut) * table.output, np.inf)
    mixed = limited_output(table.home, table.final, limit)
    if (mixed.final < 0).any():
        return
    best = best_allocation(table.home, table.final, limit, worth)
    np.testing.assert_allclose(best.output, mixed.output, rtol=1e-7)


def test_no_loss_no_change() -> None:
    """Law 5: without a loss every sector makes what it made."""
    found = market.propagate_loss({"s1": 0.0}, economy())
    assert found["sectors"]["total_usd"].to_list() == [0.0] * 4 and found.scalar("highest") == 0


def test_total_is_direct_and_indirect_once() -> None:
    """No double counting: direct is the loss given, and Leontief's inverse applied to it would give more."""
    table = economy()
    found = market.propagate_loss({"s2": 5.0}, table, of="output")
    sectors = found["sectors"]
    own = sectors.filter(pl.col("sector") == "s2").row(0, named=True)
    assert own["output_lost_usd"] == pytest.approx(5.0) and own["indirect_usd"] == pytest.approx(
        0.0, abs=1e-12
    )
    for row in sectors.iter_rows(named=True):
        assert row["direct_usd"] + row["indirect_usd"] == pytest.approx(row["total_usd"])
    naive = table.worth @ market.leontief_inverse(table.domestic, table.output)[:, 1] * 5.0
    assert found.scalar("direct") < found.scalar("total") < naive
    assert found.scalar("total") <= found.scalar("highest")


def test_a_loss_is_linear_and_of_its_period() -> None:
    """Law 4: a loss over six months in a table of a year is that of half a year's economy."""
    table = economy()
    one, two = (market.propagate_loss({"s1": loss}, table).scalar("total") for loss in (1.0, 2.0))
    assert two == pytest.approx(2 * one)
    half = market.propagate_loss({"s1": 1.0}, table, months=6)
    assert half.scalar("total") == pytest.approx(one)
    whole = market.propagate_loss({"s1": 1.0}, table)
    assert half["sectors"]["share_lost"][0] == pytest.approx(2 * whole["sectors"]["share_lost"][0])


def test_order_of_sectors_and_currency_change_nothing() -> None:
    """Law 7: the same table with sectors in another order and in another currency."""
    table = economy()
    order = [2, 0, 3, 1]
    turned = input_output_of(
        table.domestic[np.ix_(order, order)] * 1300,
        table.output[order] * 1300,
        imported=table.all_imported[np.ix_(order, order)] * 1300,
        sectors=[table.sectors[k] for k in order],
        currency="KRW",
    )
    first = market.propagate_loss({"s1": 2.0, "s3": 1.0}, table)["sectors"].sort("sector")
    second = market.propagate_loss({"s1": 2.0, "s3": 1.0}, turned, per_usd=1300.0)["sectors"].sort("sector")
    for column in ("total_usd", "highest_usd", "indirect_usd"):
        np.testing.assert_allclose(first[column], second[column], rtol=1e-9)


@given(st.integers(0, 300), st.floats(0.01, 0.3), st.floats(0.01, 0.3))
@settings(max_examples=30, deadline=None)
def test_a_harder_shortage_never_loses_less(seed: int, small: float, more: float) -> None:
    """Law 9: a larger loss in one sector loses at least as much in all."""
    table = economy(seed=seed)
    loss = small * float(table.value_added[0])
    first = market.propagate_loss({"s1": loss}, table)
    second = market.propagate_loss({"s1": loss * (1 + more)}, table)
    for name in ("total", "highest"):
        assert second.scalar(name) >= first.scalar(name) * (1 - 1e-9)


def test_when_final_use_is_too_small_users_must_stop() -> None:
    """A sector that sells to others only: its shortage is passed on even at best, and a finding says so."""
    home = np.array([[0.0, 90.0], [0.0, 0.0]])
    table = input_output_of(home, np.array([100.0, 1000.0]))
    found = market.propagate_loss({"s1": 50.0}, table, of="output")
    assert next(f.code for f in found.findings) == "forward-forced"
    second = found["sectors"].filter(pl.col("sector") == "s2").row(0, named=True)
    assert second["output_lost_usd"] == pytest.approx(1000 * (1 - 50 / 90))
    assert found.scalar("total") == pytest.approx(found.scalar("highest"), rel=0.2)


def test_bottleneck_stops_at_imports() -> None:
    """Imports replace nothing and lack nothing: half of an input that is home-made to 80 % stops 40 %."""
    home, abroad = np.array([[0.0, 8.0], [0.0, 0.0]]), np.array([[0.0, 2.0], [0.0, 0.0]])
    assert bottleneck(home, abroad, np.array([0.5, 0.1])).tolist() == pytest.approx([0.5, 0.4])


def test_bad_questions_are_named() -> None:
    table = economy()
    with pytest.raises(UnknownNameError, match="unknown sector 's9'"):
        market.propagate_loss({"s9": 1.0}, table)
    with pytest.raises(InputError, match="at least 0"):
        market.propagate_loss({"s1": -1.0}, table)
    with pytest.raises(InputError, match="sector s1 makes"):
        market.propagate_loss({"s1": 1e9}, table)
    with pytest.raises(InputError, match="one USD was"):
        market.propagate_loss({"s1": 1.0}, input_output_of(Z, X, currency="KRW", year=2020))
    with pytest.raises(InputError, match="no mapping of end uses"):
        market.propagate_loss({"cathodes": 1.0}, table)
    with pytest.raises(NotCoveredError, match="no loss is known"):
        market.propagate_loss({"s1": float("nan")}, table)
    with pytest.raises(InputError, match="no loss was given"):
        market.propagate_loss({}, table)


def test_an_unknown_loss_is_left_out_and_told() -> None:
    """Law 2: an end use whose loss is unknown is not zero; the totals say that they lack it."""
    found = market.propagate_loss({"s1": 1.0, "s2": float("nan")}, economy())
    assert "end-use-loss-unknown" in {f.code for f in found.findings}
    assert found["end_uses"]["loss_usd"].to_list() == [1.0, None]


def simulation(form: str, end_use: str, shortage: list[float], loss: list[float]) -> Result:
    months = [date(2024, k + 1, 1) for k in range(len(shortage))]
    table = pl.DataFrame(
        {"month": months, "end_use": [end_use] * len(months), "base_use_t": [10.0] * len(months)}
    ).with_columns(shortage_t=pl.Series(shortage) * 10, loss_usd=pl.Series(loss))
    units = {"end_use": dict.fromkeys(("base_use_t", "shortage_t", "loss_usd"), "x")}
    return Result("simulation", {"end_use": table}, units, Lineage("0", call={"form": form}))


def test_losses_of_simulations_go_to_sectors_and_are_not_added_where_inputs_belong_together() -> None:
    table = economy()
    lithium = simulation("lithium/hydroxide", "cathodes", [0.1, 0.2], [0.1, 0.2])
    nickel = simulation("nickel/sulphate", "cathodes", [0.3, 0.1], [0.4, 0.1])
    alone = market.propagate_loss(lithium, table, sectors={"cathodes": "s3"})
    assert alone.scalar("direct") == pytest.approx(0.3)
    with pytest.raises(InputError, match="do not add"):
        market.propagate_loss([lithium, nickel], table, sectors={"cathodes": "s3"})
    abroad = replace(lithium, lineage=Lineage("0", call={"form": "lithium/hydroxide", "focal": "JPN"}))
    with pytest.raises(LabelError, match="JPN's, the input-output table is KOR's"):
        market.propagate_loss(abroad, table, sectors={"cathodes": "s3"})
    joint = market.joint_shortage([lithium, nickel])
    both = market.propagate_loss(joint, table, sectors={"cathodes": "s3"})
    assert 0.5 <= both.scalar("direct") <= 0.8


def test_every_mapped_end_use_exists_and_every_sector_is_sourced() -> None:
    """Law 10: the mapping names its source, and speaks of end uses that there are."""
    mapping = end_use_sectors()
    used = {row["end_use"] for row in table_rows("end_uses")}
    assert set(mapping["end_use"]) <= used
    assert mapping.filter(pl.col("grade") == "C")["source"].str.starts_with("assumption").all()
    assert used - set(mapping["end_use"]) <= {"all", "other", "metal"}
    assert form_names()


# Joint shortage -----------------------------------------------------------------------------------

MATERIALS = ("lithium", "nickel", "cobalt", "manganese", "graphite")


@given(st.dictionaries(st.sampled_from(MATERIALS), st.tuples(st.floats(0, 1), st.floats(0, 1e9)), min_size=1))
@settings(max_examples=60, deadline=None)
def test_joint_loss_lies_between_the_largest_and_the_sum(given_: dict[str, tuple[float, float]]) -> None:
    shortages = {name: s for name, (s, _) in given_.items()}
    losses = {name: v for name, (_, v) in given_.items()}
    row = market.joint_shortage(shortages, losses=losses)["periods"].row(0, named=True)
    assert row["largest_alone"] - 1e-9 <= row["output_lost"] <= row["sum_alone"] + 1e-9
    scale = max(row["sum_losses_usd"], 1.0)
    assert row["largest_loss_usd"] - 1e-9 * scale <= row["loss_usd"] <= row["sum_losses_usd"] + 1e-9 * scale


@pytest.mark.parametrize("material", MATERIALS)
def test_one_short_input_is_its_single_loss(material: str) -> None:
    other = "nickel" if material == "lithium" else "lithium"
    found = market.joint_shortage({material: 0.4, other: 0.0}, losses={material: 7.0, other: 0.0})
    row = found["periods"].row(0, named=True)
    assert row["loss_usd"] == pytest.approx(7.0)
    assert row["output_lost"] == pytest.approx(row["sum_alone"])


def test_every_product_is_held_by_its_scarcest_input() -> None:
    """Nickel cells lose by nickel, iron phosphate by lithium alone."""
    products = market.joint_shortage({"lithium": 0.2, "nickel": 0.5, "cobalt": 0.3})["products"]
    kept = dict(products.select("product", "output_share").iter_rows())
    assert kept["LFP"] == pytest.approx(0.8) and kept["NMC 811"] == pytest.approx(0.5)
    assert dict(products.select("product", "limiting").iter_rows())["LFP"] == "lithium"


def test_of_one_product_the_joint_loss_is_the_largest() -> None:
    """Every nickel cell holds cobalt too: what nickel costs, cobalt costs no second time."""
    found = market.joint_shortage(
        {"nickel": 0.5, "cobalt": 0.3}, losses={"nickel": 5.0, "cobalt": 3.0}, mix={"NMC 811": 1.0}
    )
    row = found["periods"].row(0, named=True)
    assert (row["loss_usd"], row["output_lost"]) == (pytest.approx(5.0), pytest.approx(0.5))


def test_switching_spares_output_and_never_more_than_there_is() -> None:
    """Law 8: products that move take only what materials are left; more room never loses more output."""
    shortage = {"nickel": 0.4, "lithium": 0.1}
    lost = [market.joint_shortage(shortage, switching=s) for s in (0.0, 0.05, 0.2, 1.0)]
    outputs = [r["periods"]["output_lost"].item() for r in lost]
    assert outputs == sorted(outputs, reverse=True) and outputs[-1] >= 0.1 - 0.02
    for result in lost:
        for row in result["materials"].iter_rows(named=True):
            assert row["used_share"] <= 1 - row["shortage"] + 1e-9


def test_when_each_is_the_way_out_of_the_other_the_sum_is_passed_and_told() -> None:
    recipes = pl.DataFrame(
        {"product": ["a", "b"], "base_share": [0.5, 0.5], "material": ["m", "n"], "content": [1.0, 1.0]}
    )
    one = market.joint_shortage({"m": 0.5, "n": 0.0}, recipes, switching=1.0)
    assert one["periods"]["output_lost"].item() == pytest.approx(0.25)
    spare = recipes.with_columns(content=pl.Series([1.0, 0.5]))
    both = market.joint_shortage({"m": 1.0, "n": 1.0}, spare, switching=1.0)
    assert both["periods"]["output_lost"].item() == pytest.approx(1.0)


def test_months_of_simulations_are_joined_month_by_month() -> None:
    lithium = simulation("lithium/hydroxide", "cathodes", [0.1, 0.5], [1.0, 5.0])
    nickel = simulation("nickel/sulphate", "cathodes", [0.4, 0.0], [4.0, 0.0])
    periods = market.joint_shortage([lithium, nickel])["periods"]
    assert periods["period"].to_list() == [date(2024, 1, 1), date(2024, 2, 1)]
    assert periods["loss_usd"][1] == pytest.approx(5.0)
    assert 4.0 <= periods["loss_usd"][0] <= 5.0
    with pytest.raises(InputError, match="two results are about lithium"):
        market.joint_shortage([lithium, lithium])
    with pytest.raises(InputError, match="no end use"):
        market.joint_shortage([simulation("lithium/hydroxide", "greases", [0.1], [1.0])])


def test_bad_recipes_and_shares_are_named() -> None:
    with pytest.raises(LabelError, match="no product of the recipes needs gallium"):
        market.joint_shortage({"gallium": 0.1})
    with pytest.raises(InputError, match="share from 0 to 1"):
        market.joint_shortage({"nickel": 1.2})
    with pytest.raises(UnknownNameError, match="unknown recipes"):
        market.joint_shortage({"nickel": 0.2}, "magnet")
    with pytest.raises(InputError, match="lack column content"):
        market.joint_shortage({"nickel": 0.2}, recipes_table().drop("content"))
    with pytest.raises(LabelError, match="have different lengths"):
        market.joint_shortage({"nickel": 0.2}, losses={"nickel": [1.0, 2.0]})
    with pytest.raises(InputError, match="switching"):
        market.joint_shortage({"nickel": 0.2}, switching=-1)
    with pytest.raises(UnknownNameError, match="product"):
        market.joint_shortage({"nickel": 0.2}, mix={"NMC 999": 1.0})


def test_without_losses_only_output_is_told() -> None:
    """Law 2: no loss behind a material is not a loss of nothing."""
    found = market.joint_shortage({"nickel": 0.2, "cobalt": 0.1}, losses={"nickel": 5.0})
    assert found["periods"]["loss_usd"].item() is None
    assert {f.code for f in found.findings} == {"joint-loss-unknown"}


def test_recipes_are_those_of_the_forecast() -> None:
    """Kilograms per kilowatt-hour and shares stand in two rooms and are the same figures."""
    import csv
    from pathlib import Path

    import evernormal

    folder = Path(evernormal.__file__).parent / "risk" / "tables"
    with (folder / "battery_intensity.csv").open(encoding="utf-8") as stream:
        theirs = {
            (r["chemistry"], r["material"]): float(r["kg_per_kwh"])
            for r in csv.DictReader(stream)
            if float(r["kg_per_kwh"])
        }
    ours = {(r["product"], r["material"]): r["content"] for r in recipes_table().iter_rows(named=True)}
    assert ours == theirs
