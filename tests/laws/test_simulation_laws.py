"""Laws at the door ``simulate``, on made-up worlds that hypothesis draws."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evernormal
from evernormal.errors import LabelError, ScenarioError
from evernormal.network.network import Network
from evernormal.result import Result

from .cases import (
    FOCAL,
    LAW,
    ORE,
    REFINED,
    REGIONS,
    Floats,
    ban,
    exporting_only,
    networks,
    release,
    scenario,
)

HARD = st.floats(0.0, 1.0)
TINY = 1e-6
FLOWS = ("production_t", "imports_t", "other_supply_t", "use_t", "exports_t", "stock_t")


@contextmanager
def flat_roads() -> Iterator[None]:
    """Every new route takes 20 days and no passage: here the names of regions carry no distance."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("evernormal.network.transit.transit_days", lambda *_, **__: 20.0)
        patch.setattr("evernormal.network.transit.passages", lambda *_: ())
        yield


def run(world: Network, *measures: dict[str, object], **more: object) -> Result:
    """Simulate without draws unless asked."""
    with flat_roads():
        return evernormal.simulate(world, scenario(*measures, **more))  # type: ignore[arg-type]


def cube(result: Result, column: str, forms: tuple[str, ...]) -> Floats:
    """(R, G, T) values of the table ``regions``; unknown is 0 only where nothing moves."""
    table = result["regions"]
    months = table["month"].unique().sort().to_list()
    out = np.zeros((len(REGIONS), len(forms), len(months)))
    for region, form, month, value in table.select("region", "form", "month", column).iter_rows():
        out[REGIONS.index(region), forms.index(form), months.index(month)] = value
    return out


def left_over(result: Result, world: Network) -> Floats:
    """(R, G, T) what comes in less what goes out of every balance, conversion left aside."""
    parts = {name: cube(result, name, world.forms) for name in FLOWS}
    before = np.concatenate([world.commercial_stock[..., None], parts["stock_t"][..., :-1]], axis=-1)
    left = parts["production_t"] + parts["imports_t"] + parts["other_supply_t"] + before
    left -= parts["use_t"] + parts["exports_t"] + parts["stock_t"]
    left[world.focal_index, world.form_index(world.form)] += result["supply"]["release_t"].to_numpy()
    return left


# Law 1 --------------------------------------------------------------------------------------------


@LAW
@given(networks(stages=1), HARD, st.booleans())
def test_every_month_balances(world: Network, severity: float, released: bool) -> None:
    """Law 1: all supply + stock before + release = use + shipments + stock after, to 1e-6."""
    policies = (release(1.0),) if released else ()
    gap = left_over(run(world, ban(severity), policies=policies), world)
    scale = np.maximum(world.throughput() / 12, 1e-6 * world.throughput().sum() / 12)[..., None]
    worst = np.abs(gap) / scale
    assert worst.max() <= TINY, f"{worst.max():.2e} at {np.unravel_index(worst.argmax(), worst.shape)}"


@LAW
@given(networks(stages=2), HARD)
def test_every_month_balances_along_the_chain(world: Network, severity: float) -> None:
    """Law 1: ore that leaves the ore balance comes out refined, at the recovery of the step."""
    left = left_over(run(world, ban(severity)), world)
    ore, refined = world.form_index(ORE), world.form_index(REFINED)
    made = left[:, ore] * world.conversions[0].recovery.value
    np.testing.assert_allclose(made, -left[:, refined], atol=TINY * world.throughput().max() / 12)


@settings(LAW, max_examples=40)
@given(networks(), st.floats(0.8, 1.0))
def test_nothing_is_negative(world: Network, severity: float) -> None:
    """Laws 1 and 8: no output, use, shipment, stock or conversion runs below zero, however hard the cut."""
    for result in (run(world, ban(severity)), run(exporting_only(world), ban(severity, ()))):
        _nothing_negative(result, world)


def _nothing_negative(result: Result, world: Network) -> None:
    for name in FLOWS:
        assert result["regions"][name].min() >= -TINY * world.throughput().max(), name
    if world.conversions:
        refined = world.form_index(REFINED)
        assert -left_over(result, world)[:, refined].min() >= -TINY * world.throughput().max() / 12


@LAW
@given(networks(), HARD)
def test_tables_tell_one_story(world: Network, severity: float) -> None:
    """Law 1: the supply table, the suppliers, the end uses and the world table add up to each other."""
    result = run(world, ban(severity))
    supply = result["supply"].sort("month")
    by_supplier = result["imports"].group_by("month").agg(pl.col("imports_t").sum()).sort("month")
    ends = result["end_use"]
    of_form = ends.filter(~pl.col("end_use").str.contains(":"))
    by_use = of_form.group_by("month").agg(pl.col("use_t", "shortage_t").sum()).sort("month")
    lost = ends.group_by("month").agg(pl.col("loss_usd").sum()).sort("month")
    scale = float(supply["base_use_t"].max() + supply["base_imports_t"].max())
    for left, right in (
        (supply["imports_t"], by_supplier["imports_t"]),
        (supply["use_t"], by_use["use_t"]),
        (supply["shortage_t"], by_use["shortage_t"]),
    ):
        np.testing.assert_allclose(left.to_numpy(), right.to_numpy(), atol=1e-5 * scale)
    np.testing.assert_allclose(supply["loss_usd"], lost["loss_usd"], rtol=1e-9, atol=1e-3)
    assert result.scalar("shortage_t") == pytest.approx(supply["shortage_t"].sum(), rel=1e-9, abs=1e-9)
    assert result.scalar("loss_usd") == pytest.approx(supply["loss_usd"].sum(), rel=1e-9, abs=1e-9)


# Laws 2, 3 and 4 ----------------------------------------------------------------------------------


@LAW
@given(networks())
def test_network_and_scenario_must_speak_of_the_same(world: Network) -> None:
    """Law 3: a scenario for another focal country or form is refused, and both sides are named."""
    other = scenario(ban(0.5)).with_focal("JPN")
    with pytest.raises(LabelError, match=r"KOR.*JPN|JPN.*KOR"):
        evernormal.simulate(world, other, draws=0)


def test_an_actor_outside_the_picture_is_named() -> None:
    """Law 3: a measure by a country that the network does not show is refused by name, not dropped."""
    world = _plain_world()
    with pytest.raises(LabelError, match="BRA"):
        run(world, ban(0.5, by="BRA"))


@LAW
@given(networks())
def test_every_number_has_a_unit(world: Network) -> None:
    """Law 4: each number column of each table names its unit."""
    result = run(world, ban(0.5))
    for name, table in result.tables.items():
        for column, dtype in table.schema.items():
            assert not dtype.is_float() or result.units[name].get(column), f"{name}.{column}"


def test_an_unknown_price_does_not_become_zero() -> None:
    """Law 2: a region where nothing moves has no price, not a price of 0."""
    world = _plain_world()
    table = run(world, ban(1.0))["regions"]
    still = table.filter((pl.col("region") == "ROW") & (pl.col("use_t") == 0) & (pl.col("imports_t") == 0))
    assert still.height and still["price_ratio"].null_count() == still.height


# Law 5 --------------------------------------------------------------------------------------------


@LAW
@given(networks(), st.integers(1, 18))
def test_no_measure_no_change(world: Network, months: int) -> None:
    """Law 5: with no measure every month is a twelfth of the base year, to 1e-6, and nothing is short."""
    result = run(world, months=months)
    supply = result["supply"]
    assert supply.height == months
    np.testing.assert_allclose(supply["imports_t"], supply["base_imports_t"], rtol=TINY)
    np.testing.assert_allclose(supply["use_t"], supply["base_use_t"], rtol=TINY)
    np.testing.assert_allclose(supply["price_ratio"], 1.0, rtol=TINY)
    assert supply["shortage_t"].sum() == 0 and supply["loss_usd"].sum() == 0
    for name, annual in (
        ("production_t", world.production),
        ("use_t", world.use),
        ("imports_t", world.imports()),
        ("exports_t", world.exports()),
    ):
        steady = np.broadcast_to(annual[..., None] / 12, (*annual.shape, months))
        np.testing.assert_allclose(
            cube(result, name, world.forms), steady, rtol=TINY, atol=TINY * world.flow.sum()
        )
    shipped = result["flows"]
    np.testing.assert_allclose(
        shipped["shipped_t"], shipped["base_t"], rtol=TINY, atol=TINY * world.flow.sum()
    )


@LAW
@given(networks())
def test_a_measure_of_no_hardness_changes_nothing(world: Network) -> None:
    """Law 5: a ban of severity 0 is no ban."""
    supply = run(world, ban(0.0))["supply"]
    np.testing.assert_allclose(supply["imports_t"], supply["base_imports_t"], rtol=TINY)
    np.testing.assert_allclose(supply["price_ratio"], 1.0, rtol=TINY)


@LAW
@given(networks(), HARD)
def test_nobody_foresees(world: Network, severity: float) -> None:
    """Laws 5 and 11: until a measure is announced the world goes on as in the base year."""
    result = run(world, ban(severity, announced="2024-04-10"))
    supply = result["supply"].filter(pl.col("month") < pl.date(2024, 4, 1))
    assert supply.height == 3
    np.testing.assert_allclose(supply["imports_t"], supply["base_imports_t"], rtol=TINY)
    np.testing.assert_allclose(supply["use_t"], supply["base_use_t"], rtol=TINY)


# Law 6 --------------------------------------------------------------------------------------------


def saved(result: Result) -> dict[str, bytes]:
    """Every file of a saved result."""
    with tempfile.TemporaryDirectory() as folder:
        return {path.name: path.read_bytes() for path in sorted(map(Path, result.save(folder)))}


@settings(LAW, max_examples=4)
@given(networks(), st.integers(0, 2**31))
def test_same_seed_same_bytes(world: Network, seed: int) -> None:
    """Law 6: the same inputs and seed give the same bytes; another seed gives other bands."""
    uncertain = ban(0.6) | {"severity": {"low": 0.3, "mode": 0.6, "high": 0.9}}
    first = saved(run(world, uncertain, draws=5, seed=seed))
    assert saved(run(world, uncertain, draws=5, seed=seed)) == first
    other = saved(run(world, uncertain, draws=5, seed=seed + 1))
    assert other["bands.parquet"] != first["bands.parquet"]
    assert other["supply.parquet"] == first["supply.parquet"]


def test_workers_do_not_change_a_byte() -> None:
    """Law 6: one process or two, the same bytes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("evernormal.market.draws.POOL_PAYS_FROM", 0)
        _same_for_two_workers()


def _same_for_two_workers() -> None:
    uncertain = ban(0.6) | {"severity": {"low": 0.3, "mode": 0.6, "high": 0.9}}
    asked = scenario(uncertain, draws=6, seed=3)
    world = _plain_world()
    alone = saved(evernormal.simulate(world, asked, workers=1))
    assert saved(evernormal.simulate(world, asked, workers=2)) == alone


# Law 7 --------------------------------------------------------------------------------------------


def turned(world: Network, regions: list[int], arcs: list[int]) -> Network:
    """The same world with regions and arcs in another order."""
    place = np.argsort(regions)
    return dataclasses.replace(
        world,
        regions=tuple(world.regions[r] for r in regions),
        production=world.production[regions],
        use=world.use[regions],
        activity=world.activity[:, regions],
        price=world.price[regions],
        commercial_stock=world.commercial_stock[regions],
        state_stock=world.state_stock[regions],
        flow_from=place[world.flow_from[arcs]],
        flow_to=place[world.flow_to[arcs]],
        flow_form=world.flow_form[arcs],
        flow=world.flow[arcs],
        transit_days=world.transit_days[arcs],
    )


def compare(first: Result, second: Result, factor: float = 1.0) -> None:
    """Supply, loss and prices agree; quantities of ``second`` are ``factor`` times those of ``first``."""
    left, right = first["supply"].sort("month"), second["supply"].sort("month")
    for column in ("imports_t", "use_t", "shortage_t", "commercial_stock_t", "loss_usd"):
        scale = float(left[column].abs().max()) + float(left["base_use_t"].max()) * (
            1e5 if column == "loss_usd" else 1
        )
        np.testing.assert_allclose(right[column] / factor, left[column], atol=1e-5 * scale, err_msg=column)
    np.testing.assert_allclose(right["price_ratio"], left["price_ratio"], rtol=1e-5)
    np.testing.assert_allclose(right["cover_days"], left["cover_days"], rtol=1e-4, atol=1e-4)


@LAW
@given(networks(), HARD, st.randoms(use_true_random=False))
def test_order_does_not_matter(world: Network, severity: float, random: object) -> None:
    """Law 7: regions and arcs in another order, the same answer."""
    regions, arcs = list(range(len(world.regions))), list(range(len(world.flow)))
    random.shuffle(regions)  # type: ignore[attr-defined]
    random.shuffle(arcs)  # type: ignore[attr-defined]
    compare(run(world, ban(severity)), run(turned(world, regions, arcs), ban(severity)))


@LAW
@given(networks(), HARD, st.sampled_from([1e-3, 1e3]))
def test_unit_scale_does_not_matter(world: Network, severity: float, factor: float) -> None:
    """Law 7: a world a thousand times larger or smaller reacts alike."""
    scaled = dataclasses.replace(
        world,
        production=world.production * factor,
        use=world.use * factor,
        activity=world.activity * factor,
        flow=world.flow * factor,
        commercial_stock=world.commercial_stock * factor,
        state_stock=world.state_stock * factor,
    )
    compare(run(world, ban(severity)), run(scaled, ban(severity)), factor)


@LAW
@given(networks(), HARD)
def test_names_do_not_matter(world: Network, severity: float) -> None:
    """Law 7: the same world under other names of its regions reacts alike."""
    names = {"CHN": "IDN", "AUS": "ZAF", "CHL": "ARG"}
    renamed = dataclasses.replace(world, regions=tuple(names.get(r, r) for r in world.regions))
    compare(run(world, ban(severity)), run(renamed, ban(severity, by="IDN")))


@LAW
@given(networks(), HARD, HARD)
def test_order_of_measures_does_not_matter(world: Network, first: float, second: float) -> None:
    """Law 7: two measures in either order are the same scenario."""
    one, two = ban(first), ban(second) | {"id": "other", "by": "CHL", "announced": "2024-03-01"}
    compare(run(world, one, two), run(world, two, one))


@settings(LAW, max_examples=4)
@given(networks(), st.integers(0, 2**31))
def test_order_of_measures_does_not_matter_to_the_draws(world: Network, seed: int) -> None:
    """Laws 6 and 7: the draws do not depend on which of two measures stands first."""
    low, high = {"low": 0.1, "high": 0.4}, {"low": 0.5, "mode": 0.7, "high": 1.0}
    one, two = ban(0.0) | {"severity": low}, ban(0.0) | {"id": "other", "by": "CHL", "severity": high}
    first, second = run(world, one, two, draws=3, seed=seed), run(world, two, one, draws=3, seed=seed)
    for column in ("p10", "p50", "p90"):
        np.testing.assert_allclose(first["bands"][column], second["bands"][column], rtol=1e-5, atol=1e-5)


# Law 12 -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"severity": -0.2}, "severity"),
        ({"severity": 1.5}, "severity"),
        ({"ends": "2024-03-01"}, "ends"),
        ({"by": "CHM"}, "unknown country 'CHM'. Did you mean"),
        ({"severty": 0.4}, "severity"),
        ({"forms": ["lithium/hydroxyde"]}, "lithium/hydroxide"),
    ],
)
def test_a_bad_measure_is_named_with_the_nearest_right_value(change: dict[str, object], named: str) -> None:
    """Law 12: the error names the key and what would be right."""
    with pytest.raises(ScenarioError, match=named):
        scenario({**ban(0.5), **change})


def _plain_world() -> Network:
    """A fixed world in which the rest of the world takes no part."""
    from .cases import network

    flow = np.zeros((len(REGIONS), len(REGIONS)))
    focal = REGIONS.index(FOCAL)
    flow[0, focal], flow[2, focal], flow[0, 1] = 9_000.0, 2_000.0, 500.0
    return network(flow, np.array([20_000.0, 3_000.0, 1_000.0, 11_000.0, 0.0]))
