"""The engine: what a measure does to quantities and prices, month by month."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evernormal.errors import InfeasibleError, InputError, LabelError, UnknownNameError
from evernormal.market.acts import Act, Calendar
from evernormal.market.curves import constant_elasticity_price
from evernormal.market.parameters import behaviour
from evernormal.market.routes import routes_of
from evernormal.market.run import Run, final_uses, run
from evernormal.network.measures import Measure
from evernormal.network.network import Network

MONTHS = 18
ONLY_SHORT_RUN = {"use_elasticity_growth": 1.0, "other_supply_limit": 1e-9}
"""Behaviour of a textbook market: nothing adjusts with time and nothing stands behind supply."""
Make = Callable[..., Measure]
QUICK = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def live(network: Network, *measures: Measure, start: date = date(2024, 1, 1), **given_values: Any) -> Run:
    """Run the small world under measures at their central hardness."""
    solver = given_values.pop("solver", "piqp")
    chosen = behaviour(given_values)
    resolved = [m.resolved(network.focal, network.form) for m in measures]
    acts = [Act(m, {name: u.central() for name, u in m.hardness().items()}) for m in resolved]
    uses = final_uses(network, chosen)
    routes = routes_of(network, chosen.new_route_size)
    return run(network, routes, chosen, uses, Calendar.of(start, MONTHS), acts, solver=solver)


def arrivals(network: Network, done: Run, exporter: str | None = None, importer: str = "KOR") -> np.ndarray:
    """Arrivals of the network's form by month."""
    routes = routes_of(network, behaviour().new_route_size)
    here = (routes.target == network.region(importer)) & (routes.form == network.form_index(network.form))
    if exporter:
        here &= routes.origin == network.region(exporter)
    return done.path.arrived[here].sum(axis=0)


def used(network: Network, done: Run, region: str = "KOR") -> np.ndarray:
    """Final use of the network's form by month."""
    uses = final_uses(network, behaviour())
    rows = [u.region == network.region(region) and network.forms[u.form] == network.form for u in uses]
    return done.path.used[np.array(rows)].sum(axis=0)


@pytest.mark.parametrize("solver", ["newton", "piqp", "clarabel"])
@pytest.mark.parametrize("world", ["one_form", "two_stage"])
def test_no_measure_no_change(world: str, solver: str, request: pytest.FixtureRequest) -> None:
    """Law 5: the base scenario reproduces the base year, by solving it."""
    network: Network = request.getfixturevalue(world)
    done = live(network, solver=solver)
    base = np.repeat(network.flow[:, None] / 12, MONTHS, axis=1)
    assert done.path.shipped[: len(network.flow)] == pytest.approx(base, rel=1e-6)
    assert done.path.shipped[len(network.flow) :] == pytest.approx(0, abs=1e-6 * network.flow.max())
    assert np.nanmax(np.abs(done.path.price - 1)) < 1e-6
    assert done.path.production == pytest.approx(
        np.repeat(network.production[..., None] / 12, MONTHS, axis=-1), rel=1e-6, abs=1e-9
    )


def test_an_announcement_that_hits_nobody_changes_nothing(one_form: Network, act: Make) -> None:
    """Law 5: a ban of severity 0 leaves every number where it was."""
    done = live(one_form, act("ban", severity=0))
    assert arrivals(one_form, done) == pytest.approx(1000 / 12, rel=1e-6)


@pytest.mark.parametrize("world", ["one_form", "two_stage"])
@pytest.mark.parametrize("severity", [0.3, 1.0])
def test_balance_closes_in_every_cell_and_month(
    world: str, severity: float, request: pytest.FixtureRequest, act: Make
) -> None:
    """Law 1: output + arrivals + conversion + stock before = conversion input + use + shipments + stock
    after."""
    network: Network = request.getfixturevalue(world)
    done = live(network, act("ban", severity=severity))
    path, routes = done.path, routes_of(network, behaviour().new_route_size)
    shape = (*network.production.shape, MONTHS)
    gap = path.production.copy()
    np.add.at(gap, (routes.target, routes.form), path.arrived)
    np.add.at(gap, (routes.origin, routes.form), -path.shipped)
    for c, conversion in enumerate(network.conversions):
        gap[:, network.form_index(conversion.source)] -= path.activity[c]
        gap[:, network.form_index(conversion.target)] += path.activity[c] * conversion.recovery.value
    for use, series, other in zip(final_uses(network, behaviour()), path.used, path.other, strict=True):
        gap[use.region, use.form] += other - series
    before = np.concatenate([network.commercial_stock[..., None], path.stock[..., :-1]], axis=-1)
    gap += before - path.stock - path.absorbed
    scale = np.broadcast_to((network.throughput() / 12)[..., None], shape)
    assert np.abs(gap[scale > 0] / scale[scale > 0]).max() < 1e-7


def test_two_solvers_agree(one_form: Network, act: Make) -> None:
    """PIQP and Clarabel, independent codes, within 1e-5 of trade."""
    one, two = (live(one_form, act("ban", severity=1), solver=name) for name in ("piqp", "clarabel"))
    assert np.abs(one.path.shipped - two.path.shipped).max() < 1e-5 * one_form.flow.max() / 12
    assert np.nanmax(np.abs(one.path.price - two.path.price)) < 1e-4


def test_loss_of_all_supply_meets_the_closed_form_price() -> None:
    """One region that loses half its output, with fixed supply, pays 0.5^(1/-0.5) = 4 times the price
    (E40)."""
    network = Network(
        "KOR",
        "lithium/hydroxide",
        2023,
        ("KOR",),
        ("lithium/hydroxide",),
        np.array([[120.0]]),
        np.array([[120.0]]),
        (),
        np.zeros((0, 1)),
        *(np.zeros(0, dtype=np.int64) for _ in range(3)),
        np.zeros(0),
        np.zeros(0),
        np.array([[1.0]]),
        np.zeros((1, 1)),
        np.zeros((1, 1)),
    )
    from evernormal.network.measures import Accident

    for lost in (0.1, 0.3, 0.5):
        accident = Accident(by="KOR", capacity_lost=lost, effective=date(2024, 1, 1))
        done = live(network, accident, use_elasticity=0.5, **ONLY_SHORT_RUN)
        published = float(constant_elasticity_price(lost, 0.0, -0.5))
        assert done.path.price[0, 0] == pytest.approx(published, rel=1e-5)


def test_full_stop_reroutes_raises_the_price_and_runs_stocks_down(one_form: Network, act: Make) -> None:
    done = live(one_form, act("ban", severity=1))
    korea = one_form.focal_index
    assert arrivals(one_form, done, "CHN")[1:12] == pytest.approx(0, abs=1e-6)
    assert arrivals(one_form, done, "CHL")[3:12].min() > 200 / 12 * 1.05
    assert done.path.price[korea, 0, :12].min() > 1.5
    assert done.path.stock[korea, 0, 11] < 0.5 * done.path.stock[korea, 0, 0]
    assert done.path.price[one_form.region("CHN"), 0, :12].max() < 1.0


def test_transit_time_delays_the_loss(one_form: Network, act: Make) -> None:
    """Chilean cargo at sea keeps arriving in the month in which Chile stops."""
    done = live(one_form, act("ban", by="CHL", severity=1))
    from_chile = arrivals(one_form, done, "CHL")
    assert from_chile[0] == pytest.approx(200 / 12, rel=1e-6)
    assert from_chile[3:12] == pytest.approx(0, abs=1e-6)


@QUICK
@given(severities=st.tuples(st.floats(0, 1), st.floats(0, 1)), targeted=st.booleans())
def test_a_harder_ban_never_helps(
    one_form: Network, act: Make, severities: tuple[float, float], targeted: bool
) -> None:
    """Law 9: imports and use of the focal region never rise with the severity, nor do its prices fall."""
    against = ("focal",) if targeted else ()
    mild, hard = (live(one_form, act("ban", severity=s, against=against)) for s in sorted(severities))
    assert arrivals(one_form, hard).sum() <= arrivals(one_form, mild).sum() * (1 + 1e-6)
    assert (used(one_form, hard) <= used(one_form, mild) * (1 + 1e-6)).all()
    korea = one_form.focal_index
    assert (hard.path.price[korea] >= mild.path.price[korea] - 1e-4).all()


@QUICK
@given(extra=st.floats(1.0, 5.0))
def test_more_stock_never_hurts(one_form: Network, act: Make, extra: float) -> None:
    """Law 9: more stock at the start never lowers the use of the focal region."""
    richer = replace(one_form, commercial_stock=one_form.commercial_stock.copy())
    richer.commercial_stock[one_form.focal_index] *= extra
    poor, rich = (live(n, act("ban", severity=0.8)) for n in (one_form, richer))
    assert used(one_form, rich).sum() >= used(one_form, poor).sum() * (1 - 1e-6)


@QUICK
@given(order=st.permutations(range(4)), unit=st.sampled_from([1e-3, 1.0, 1e4]))
def test_order_of_regions_and_unit_do_not_matter(
    one_form: Network, act: Make, order: list[int], unit: float
) -> None:
    """Law 7."""
    where = np.argsort(order)
    shuffled = replace(
        one_form,
        regions=tuple(one_form.regions[k] for k in order),
        production=one_form.production[order] * unit,
        use=one_form.use[order] * unit,
        price=one_form.price[order] / unit,
        commercial_stock=one_form.commercial_stock[order] * unit,
        state_stock=one_form.state_stock[order] * unit,
        flow_from=where[one_form.flow_from][::-1].copy(),
        flow_to=where[one_form.flow_to][::-1].copy(),
        flow=one_form.flow[::-1].copy() * unit,
        transit_days=one_form.transit_days[::-1].copy(),
    )
    one, two = (live(n, act("ban", severity=0.9)) for n in (one_form, shuffled))
    assert arrivals(shuffled, two) / unit == pytest.approx(arrivals(one_form, one), rel=1e-5)
    assert two.path.price[shuffled.focal_index] == pytest.approx(
        one.path.price[one_form.focal_index], rel=1e-4
    )


def test_nobody_foresees_a_measure(one_form: Network, act: Make) -> None:
    """Before the announcement everything is as in the base; after it, before the effect, buyers stock up."""
    later = act("ban", severity=1, announced=date(2024, 4, 2), effective=date(2024, 7, 1))
    done = live(one_form, later)
    assert arrivals(one_form, done)[:3] == pytest.approx(1000 / 12, rel=1e-9)
    assert done.path.price[one_form.focal_index, 0, :3] == pytest.approx(1.0)
    assert arrivals(one_form, done)[3:6].max() > 1000 / 12 * 1.01
    surprise = live(one_form, act("ban", severity=1, effective=date(2024, 7, 1)))
    assert arrivals(one_form, surprise)[:6] == pytest.approx(1000 / 12, rel=1e-9)
    assert used(one_form, done)[6:].sum() > used(one_form, surprise)[6:].sum()


def test_nobody_foresees_a_suspension(one_form: Network, act: Make) -> None:
    forever = act("ban", severity=1, ends=date(2025, 6, 1))
    lifted = act("ban", severity=1, suspended=date(2024, 10, 1), ends=date(2025, 6, 1))
    one, two = live(one_form, forever), live(one_form, lifted)
    assert two.path.shipped[:, :9] == pytest.approx(one.path.shipped[:, :9], abs=1e-9)
    assert arrivals(one_form, two, "CHN")[10:].min() > 40


def test_licence_ships_nothing_in_the_wait_then_what_is_approved(one_form: Network, act: Make) -> None:
    """A licence of 60 days from 1 January: nothing in January and February, then the share that is
    approved."""
    done = live(one_form, act("licence", delay_days=60, approval_share=0.5))
    shipped = done.path.shipped[0]
    assert shipped[0] == pytest.approx(0, abs=1e-6)
    assert shipped[1] == pytest.approx(0, abs=1e-6)
    assert shipped[3:11].max() <= 0.5 * 800 / 12 * (1 + 1e-6)


def test_approvals_that_rise_start_low_and_reach_the_share(one_form: Network, act: Make) -> None:
    """From nothing at the end of the wait, 1 March, over four months in a straight line to 80 %."""
    slow = {"first_approval_share": 0, "approval_months": 4}
    done = live(one_form, act("licence", delay_days=60, approval_share=0.8, **slow))
    share = done.path.shipped[0] / (800 / 12)
    assert share[1] == pytest.approx(0, abs=1e-6)
    assert share[2:6] == pytest.approx([0.1, 0.3, 0.5, 0.7], abs=0.02)
    assert share[7:10] == pytest.approx(0.8, abs=1e-6)


def test_a_licence_that_grants_all_at_once_is_nothing(one_form: Network, act: Make) -> None:
    """Law 5: approval of 1 without delay changes nothing, also where the first share is said."""
    free = {"delay_days": 0, "approval_share": 1, "first_approval_share": 1, "approval_months": 6}
    for keys in (free, {"delay_days": 0, "approval_share": 1}):
        done = live(one_form, act("licence", **keys))
        assert done.path.shipped[0] == pytest.approx(800 / 12, rel=1e-6)


def test_inspection_only_delays(one_form: Network, act: Make) -> None:
    done = live(one_form, act("inspection", delay_days=30))
    assert arrivals(one_form, done, "CHN")[0] < 800 / 12 * 0.5
    assert done.path.shipped[0].sum() > 0.95 * 800 / 12 * MONTHS


def test_quota_caps_the_sum_over_targets(one_form: Network, act: Make) -> None:
    done = live(one_form, act("quota", against=(), share_of_base=0.6))
    routes = routes_of(one_form, behaviour().new_route_size)
    from_china = done.path.shipped[routes.origin == one_form.region("CHN")].sum(axis=0)
    assert from_china[:12].max() <= 0.6 * 1100 / 12 * (1 + 1e-6)
    assert from_china[:12].min() > 0.55 * 1100 / 12


def test_tariff_and_dumping_move_the_price_in_opposite_directions(one_form: Network, act: Make) -> None:
    korea = one_form.focal_index
    levy = live(one_form, act("tariff", by="focal", against=("CHN",), rate=0.2))
    dump = live(one_form, act("dumping", price_cut=0.3))
    assert 1.0 < levy.path.price[korea, 0, 5] <= 1.2 + 1e-6
    assert 0.7 - 1e-6 <= dump.path.price[korea, 0, 5] < 1.0
    assert arrivals(one_form, levy, "CHN")[5] < 800 / 12 < arrivals(one_form, dump, "CHN")[5]


def test_accident_and_surge(one_form: Network, act: Make) -> None:
    hit = live(one_form, act("accident", by="CHL", capacity_lost=0.5))
    assert hit.path.production[one_form.region("CHL"), 0, 3] == pytest.approx(0.5 * 360 / 12, rel=1e-5)
    surge = live(one_form, act("demand_surge", growth=0.5, regions=("focal",)))
    assert used(one_form, surge)[3:12].min() > 1000 / 12
    assert surge.path.price[one_form.focal_index, 0, 5] > 1.05
    with pytest.raises(UnknownNameError, match="end use"):
        live(one_form, act("demand_surge", growth=0.5, regions=("focal",), end_use="baterries"))


def test_corridor_closure_delays_or_blocks(
    one_form: Network, act: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Traffic with a way round arrives late; without one it stays away."""
    import evernormal.network.transit as transit

    def days(exporter: str, importer: str, closed: tuple[str, ...] = ()) -> float:
        return 5.0 if not closed else {"CHN": 20.0, "CHL": float("inf")}.get(exporter, 5.0)

    monkeypatch.setattr(transit, "passages", lambda i, j: ("malacca",) if j == "KOR" else ())
    monkeypatch.setattr(transit, "transit_days", days)
    done = live(one_form, act("corridor_closure", corridor="malacca", severity=1))
    assert arrivals(one_form, done, "CHL")[4:11] == pytest.approx(0, abs=1e-6)
    assert arrivals(one_form, done, "CHN")[0] < 800 / 12 * 0.7
    assert arrivals(one_form, done, "CHN")[4:11].min() > 800 / 12 * 0.99


def test_release_adds_no_more_than_is_held(one_form: Network, act: Make) -> None:
    """Law 8: 40 t are held, so 40 t are released, and the finding says so."""
    release = act("stock_release", tonnes=400, effective=date(2024, 1, 1), ends=date(2024, 3, 1))
    done = live(one_form, act("ban", severity=1), release)
    assert done.acts.added.sum() == pytest.approx(40)
    assert done.acts.state_stock[-1] == pytest.approx(0)
    assert [f.code for f in done.findings] == ["release-exceeds-stock"]
    without = live(one_form, act("ban", severity=1))
    assert used(one_form, done).sum() > used(one_form, without).sum() + 20


def test_stages_pass_a_shock_on(two_stage: Network, act: Make) -> None:
    """An accident in the mine reaches the refined price of the focal region, through both stages."""
    done = live(two_stage, act("accident", by="AUS", capacity_lost=0.3, forms=("lithium/ore",)))
    korea = two_stage.focal_index
    assert done.path.activity[0, korea, 6] < 400 / 12
    assert done.path.price[korea, 1, 6] > 1.2
    assert used(two_stage, done)[6] < 1260 / 12


def test_what_is_not_simulated_is_refused(one_form: Network, act: Make) -> None:
    """Law 12: no measure is silently ignored."""
    with pytest.raises(InputError, match="price_floor"):
        live(one_form, act("price_floor", by="USA", usd_per_tonne=1.0, ends=None))
    with pytest.raises(LabelError, match=r"keep=\('IDN',\)"):
        live(one_form, act("ban", by="IDN", severity=1))


@pytest.mark.parametrize("by", ["CHN", "world"])
def test_a_full_stop_towards_everyone_leaves_cargo_at_home(one_form: Network, act: Make, by: str) -> None:
    """What may not be shipped on has somewhere to go, cargo that still arrives included."""
    passing_on = replace(
        one_form,
        use=np.array([[0.0], [10.0], [450.0], [1000.0]]),
        production=np.array([[1050.0], [410.0], [0.0], [0.0]]),
        flow_from=np.append(one_form.flow_from, 1),
        flow_to=np.append(one_form.flow_to, 0),
        flow_form=np.append(one_form.flow_form, 0),
        flow=np.append(one_form.flow, 50.0),
        transit_days=np.append(one_form.transit_days, 45.0),
    )
    passing_on.require_balance()
    done = live(passing_on, act("ban", by=by, against=(), severity=1))
    china = passing_on.region("CHN")
    assert done.path.absorbed[china, 0, 0] == pytest.approx(50 / 12, rel=1e-3)
    assert done.path.absorbed[passing_on.focal_index].max() == 0
    assert done.path.production[china, 0, 3] == pytest.approx(0, abs=1e-4)
    assert done.path.residual < 1e-6


def test_a_state_that_buys_more_than_there_is_gets_a_clear_no(one_form: Network, act: Make) -> None:
    """Law 12: what cannot be is said with months and cure."""
    with pytest.raises(InfeasibleError, match="2024-01 on the measures ask for more than there is"):
        live(one_form, act("ban", severity=1), act("buy", tonnes_per_month=5000, ends=date(2024, 6, 1)))
