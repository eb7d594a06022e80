"""A bloc on plain arrays: by hand, against independent solvers, and the conditions that define it."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from evernormal import spatial_equilibrium
from evernormal.errors import InfeasibleError, InputError, LabelError, SolverError, UnknownNameError
from evernormal.market import levy
from evernormal.market.solver import QuadraticProgram, solve

DEMSLV13: tuple[Any, ...] = (
    [9, 3, 18], [1, 2, 1], [42, 54, 51], [3, 2, 1], [[0, 3, 9], [3, 0, 3], [6, 3, 0]],
)  # fmt: skip
P1 = 51.5 / (7 / 3)
"""Price in region 1 when region 3 holds 33: p - 9 + (p + 3 - 3)/2 - (42 - p)/3 - (54 - p - 3)/2 = 3."""
EXPERIMENT = settings(max_examples=40, deadline=None, derandomize=True, database=None)


def test_demslv13_with_a_held_price_by_hand() -> None:
    """Region 3 uses 18 and makes 15 at 33, so 3 units come in whatever they cost at the border."""
    held = spatial_equilibrium(*DEMSLV13, members=[2], reference_price=33)
    assert held["prices"]["price"].to_list() == pytest.approx([P1, P1 + 3, 33.0], abs=1e-9)
    row = held["levies"].row(0, named=True)
    assert (row["levy"], row["quantity"]) == pytest.approx((33 - P1 - 6, 3.0), abs=1e-9)
    assert row["revenue"] == pytest.approx(3 * (33 - P1 - 6), abs=1e-8)


@pytest.mark.parametrize("solver", ["piqp", "clarabel"])
def test_one_levy_for_all_is_a_cap_on_imports(solver: Any) -> None:
    """One quadratic program gives the same: imports of region 3 capped at 3, the multiplier is the levy."""
    a, b, c, d, freight = (np.array(part, dtype=float) for part in DEMSLV13)
    links = [(i, j) for i in range(3) for j in range(3)]
    into = sparse.csc_matrix([[1.0 if j == 2 and i != 2 else 0.0 for i, j in links]])
    by_supply = sparse.csc_matrix([[float(i == r) for i, _ in links] for r in range(3)])
    by_demand = sparse.csc_matrix([[float(j == r) for _, j in links] for r in range(3)])
    program = QuadraticProgram(
        sparse.block_diag([np.diag(b), np.diag(d), sparse.csc_matrix((9, 9))], format="csc"),
        np.concatenate([a, -c, [freight[i, j] for i, j in links]]),
        sparse.bmat([[sparse.eye(3), None, -by_supply], [None, -sparse.eye(3), by_demand]], format="csc"),
        np.zeros(6), np.zeros(15), np.full(15, np.inf),
        sparse.csc_matrix(sparse.hstack([sparse.csc_matrix((1, 6)), into])), np.array([3.0]),
    )  # fmt: skip
    answer = solve(program, solver=solver, fallback=False)
    held = spatial_equilibrium(*DEMSLV13, members=[2], reference_price=33)
    assert held["supply"]["quantity"].to_list() == pytest.approx(answer.x[:3], abs=1e-6)
    assert held["levies"]["levy"][0] == pytest.approx(answer.shadow[0], abs=1e-6)


@pytest.mark.parametrize("solver", ["piqp", "clarabel"])
@pytest.mark.parametrize("reference", [30.5, 31, 33, 34.4])
def test_the_levies_as_tariffs_give_the_same_equilibrium(solver: Any, reference: float) -> None:
    """Independent solvers find the held prices when the levies are handed to them as tariffs, to 1e-5."""
    held = spatial_equilibrium(*DEMSLV13, members=[2], reference_price=reference)
    again = spatial_equilibrium(*DEMSLV13, as_tariff(held, 1, 3)[0], solver=solver)
    assert again["prices"]["price"].to_list() == pytest.approx(held["prices"]["price"].to_list(), abs=1e-5)


def as_tariff(held: Any, goods: int, regions: int, share: float = 1.0) -> np.ndarray[Any, Any]:
    """The levies of an answer as a table of tariffs."""
    table = np.zeros((goods, regions, regions))
    for row in held["flows"].iter_rows(named=True):
        table[row["good"], row["exporter"], row["importer"]] = share * row["levy"]
    return table


def test_the_levy_is_the_least() -> None:
    """A levy one per cent lower leaves the price below its reference."""
    held = spatial_equilibrium(*DEMSLV13, members=[2], reference_price=33)
    lower = spatial_equilibrium(*DEMSLV13, as_tariff(held, 1, 3, 0.99)[0])
    assert lower["prices"]["price"][2] < 33 - 1e-3


def test_a_reference_below_the_price_changes_nothing() -> None:
    """Law 5: no levy is due where the price stands above the reference."""
    free = spatial_equilibrium(*DEMSLV13)
    held = spatial_equilibrium(*DEMSLV13, members=[2], reference_price=30)
    assert held["prices"]["price"].to_list() == pytest.approx(free["prices"]["price"].to_list(), abs=1e-9)
    assert held["levies"]["levy"].to_list() == [0.0]


LANDED = [40.0, 60.0, 80.0, 110.0, 130.0]
SELLERS: tuple[Any, ...] = (
    [*LANDED, 500.0], np.zeros(6), [0.0] * 5 + [200.0], np.ones(6),
    np.where(np.arange(6) == 5, 0.0, np.inf) * np.ones((6, 1)),
)  # fmt: skip


def by_origin(landed: list[float]) -> pl.DataFrame:
    """Levies of one member with reference 110 on five origins that land at fixed prices."""
    market = ([*landed, 500.0], *SELLERS[1:4], np.where(np.arange(6) == 5, 0.0, 1e4) * np.ones((6, 1)))
    return spatial_equilibrium(*market, members=[5], reference_price=110, levy="by_origin", origin_slope=1.0)[
        "levies"
    ].sort("exporter")


def test_the_variable_levy_of_the_reference() -> None:
    """Reference 110, landed 40, 60, 80, 110 and 130: levies 70, 50, 30, 0 and 0."""
    assert by_origin(LANDED)["levy"].to_list() == pytest.approx([70.0, 50.0, 30.0, 0.0, 0.0], abs=1e-9)


def test_a_price_cut_leaves_the_landed_price_unchanged() -> None:
    """While its levy is positive an exporter's price cut of 10 only raises the levy by 10."""
    before, after = by_origin(LANDED), by_origin([30.0, *LANDED[1:]])
    assert after["levy"][0] == pytest.approx(before["levy"][0] + 10, abs=1e-9)
    assert before["price"].to_list() == pytest.approx([110.0, 110.0, 110.0, 110.0, 130.0], abs=1e-9)
    assert after["price"].to_list() == pytest.approx(before["price"].to_list(), abs=1e-9)


@EXPERIMENT
@given(seed=st.integers(0, 10_000), unit=st.sampled_from([1e-3, 1.0, 1e4]), origin=st.booleans())
def test_any_market_holds_or_says_where_it_cannot(seed: int, unit: float, origin: bool) -> None:
    """Levy and price obey 0 <= levy, price >= reference, one of them exact; nothing is traded at a loss."""
    market, members, reference = drawn(seed, unit)
    more: dict[str, Any] = {"levy": "by_origin", "origin_slope": 0.5 / unit} if origin else {}
    try:
        held = spatial_equilibrium(*market, members=members, reference_price=reference, **more)
    except InfeasibleError as error:
        assert "region" in error.what
        return
    levies = held["levies"]
    assert levies["residual"].max() < 1e-8
    assert levies["levy"].min() >= 0
    if not origin:
        gap = (levies["price"] - levies["reference_price"]).to_numpy()
        assert np.minimum(gap, levies["levy"].to_numpy()) == pytest.approx(np.zeros(len(gap)), abs=1e-8)
        again = spatial_equilibrium(*market, as_tariff(held, 1, len(market[0]))[0])
        assert again["prices"]["price"].to_list() == pytest.approx(
            held["prices"]["price"].to_list(), abs=1e-5
        )


def drawn(seed: int, unit: float = 1.0) -> tuple[tuple[Any, ...], list[int], float]:
    """A market of three to eight regions with its bloc and a reference near its prices."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 9))
    freight = rng.uniform(1, 8, (n, n))
    np.fill_diagonal(freight, 0)
    slopes = rng.uniform(0.2, 3, (2, n)) / unit
    members = sorted(rng.choice(n, int(rng.integers(1, n)), replace=False).tolist())
    inside = np.isin(np.arange(n), members)
    supply = rng.uniform(0, 20, n) + 20 * inside * rng.integers(0, 2)
    market = (supply, slopes[0], rng.uniform(25, 60, n), slopes[1], freight)
    return market, members, float(rng.uniform(22, 36))


@EXPERIMENT
@given(seed=st.integers(0, 10_000))
def test_order_of_regions_does_not_matter(seed: int) -> None:
    """Law 7: shuffled regions give shuffled prices."""
    market, members, reference = drawn(seed)
    a, b, c, d, freight = market
    order = np.random.default_rng(seed + 1).permutation(len(a))
    place = np.argsort(order)
    turned = (a[order], b[order], c[order], d[order], freight[np.ix_(order, order)])
    try:
        held = spatial_equilibrium(*market, members=members, reference_price=reference)
    except InfeasibleError:
        with pytest.raises(InfeasibleError):
            spatial_equilibrium(*turned, members=place[members].tolist(), reference_price=reference)
        return
    again = spatial_equilibrium(*turned, members=place[members].tolist(), reference_price=reference)
    assert again["prices"]["price"].to_numpy()[place] == pytest.approx(
        held["prices"]["price"].to_numpy(), rel=1e-7
    )


def test_goods_and_members_have_references_of_their_own() -> None:
    """Two goods, two members, NaN where nothing is held; asymmetric slopes."""
    slope = np.array([[[2.0, 0.4], [0.1, 1.5]]] * 3)
    freight = np.array([[0.0, 2.0, 3.0], [2.0, 0.0, 1.0], [3.0, 1.0, 0.0]])
    market = (np.array([[5.0, 4.0]] + [[30.0, 30.0]] * 2), slope, np.full((3, 2), 60.0), slope, freight)
    reference = [[30.0, np.nan], [np.nan, 35.0]]
    held = spatial_equilibrium(*market, members=[1, 2], reference_price=reference)
    levies = held["levies"]
    assert levies.select("region", "good").rows() == [(1, 0), (2, 1)]
    assert np.minimum(
        levies["levy"].to_numpy(), (levies["price"] - levies["reference_price"]).to_numpy()
    ) == pytest.approx([0, 0], abs=1e-8)
    again = spatial_equilibrium(*market, as_tariff(held, 2, 3))
    assert again["prices"]["price"].to_list() == pytest.approx(held["prices"]["price"].to_list(), abs=1e-5)


@pytest.mark.parametrize(
    ("more", "error", "said"),
    [
        ({"members": [2]}, InputError, "reference_price"),
        ({"reference_price": 3}, InputError, "members"),
        ({"members": [7], "reference_price": 3}, UnknownNameError, "region"),
        ({"members": [], "reference_price": 3}, InputError, "at least one"),
        ({"members": [2, 2], "reference_price": 3}, InputError, "once"),
        ({"members": [2], "reference_price": -1}, InputError, "at least 0"),
        ({"members": [2], "reference_price": "dear"}, InputError, "number"),
        ({"members": [2], "reference_price": [1, 2]}, LabelError, "shape"),
        ({"members": [0, 1, 2], "reference_price": 30}, InputError, "outside"),
        ({"members": [2], "reference_price": 33, "levy": "by_origin"}, InputError, "origin_slope"),
        ({"members": [2], "reference_price": 33, "origin_slope": 1.0}, InputError, "by_origin"),
        ({"members": [2], "reference_price": 33, "levy": "fair"}, UnknownNameError, "kind of levy"),
        ({"members": [0], "reference_price": 40}, InfeasibleError, "region 0"),
    ],
)
def test_what_is_refused(more: dict[str, Any], error: type[Exception], said: str) -> None:
    """Law 12: each refusal names what was wrong."""
    with pytest.raises(error, match=said):
        spatial_equilibrium(*DEMSLV13, **more)


def test_a_solver_at_its_limit_gives_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that is longer than allowed is an error, not a partial result."""
    monkeypatch.setattr(levy, "_newton", lambda *_: None)
    monkeypatch.setattr(levy, "MOST_PIECES", 1)
    with pytest.raises(SolverError, match="1 pieces"):
        spatial_equilibrium(*DEMSLV13, members=[2], reference_price=33)


def test_newton_and_the_path_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two ways to the same point."""
    quick = spatial_equilibrium(*DEMSLV13, members=[2], reference_price=33)
    monkeypatch.setattr(levy, "_newton", lambda *_: None)
    slow = spatial_equilibrium(*DEMSLV13, members=[2], reference_price=33)
    assert slow["prices"]["price"].to_list() == pytest.approx(quick["prices"]["price"].to_list(), abs=1e-8)


@pytest.mark.parametrize("seed", [3, 8, 21, 34])
@pytest.mark.parametrize("regions", [2, 7, 30, 60])
def test_every_condition_on_markets_of_two_to_sixty_regions(regions: int, seed: int) -> None:
    """E44 and E80 recomputed from the tables alone: ties, steep and flat supply, routes that do not exist."""
    rng = np.random.default_rng(seed)
    freight = np.round(rng.uniform(1, 8, (regions, regions)))
    freight = np.where(rng.random((regions, regions)) < 0.3, np.inf, freight)
    np.fill_diagonal(freight, 0.0)
    members = np.sort(rng.choice(regions, max(1, regions // 3), replace=False))
    inside = np.isin(np.arange(regions), members)
    freight[np.flatnonzero(~inside)[0], members] = 2.0
    a, c = rng.uniform(0, 20, regions) + 15 * inside, rng.uniform(30, 60, regions)
    b = rng.choice([0.0, 0.5, 1.0, 1e6], regions, p=[0.1, 0.4, 0.4, 0.1]) + 1e-3 * (rng.random(regions) < 0.5)
    d = rng.uniform(0.5, 2.0, regions)
    free = spatial_equilibrium(a, b, c, d, freight)["prices"]["price"].to_numpy()
    lowest = float(free[members].min())
    held, reference = highest_held((a, b, c, d, freight), members.tolist(), lowest)
    price, levies = held["prices"]["price"].to_numpy(), held["levies"]
    assert levies["price"].to_list() == pytest.approx(price[members].tolist(), abs=1e-7)
    assert np.minimum(levies["levy"].to_numpy(), price[members] - reference) == pytest.approx(0.0, abs=1e-6)
    flow, levy = np.zeros_like(freight), np.zeros_like(freight)
    for row in held["flows"].iter_rows(named=True):
        flow[row["exporter"], row["importer"]] = row["quantity"]
        levy[row["exporter"], row["importer"]] = row["levy"]
    assert flow.min() >= -1e-9 and levy.min() >= 0
    assert not levy[np.ix_(inside, inside)].any() and not levy[:, ~inside].any()
    gain = price[None, :] - (a + b * flow.sum(axis=1))[:, None] - freight - levy
    assert gain.max() < 1e-5
    assert np.abs(np.where(flow > 1e-6, gain, 0.0)).max() < 1e-5


def highest_held(market: tuple[Any, ...], members: list[int], low: float) -> tuple[Any, float]:
    """The bloc at the highest of some references above a price that a levy can hold."""
    for ratio in (1.5, 1.2, 1.05, 1.01, 1.0):
        try:
            return spatial_equilibrium(*market, members=members, reference_price=ratio * low), ratio * low
        except InfeasibleError:
            continue
    raise AssertionError("not even the price without a mechanism is held")


def test_steep_curves_leave_rounding_only() -> None:
    """Supply that hardly answers, beside supply at a constant price: an answer, its residual under 1e-8."""
    held = spatial_equilibrium(
        [10.0, 5.0, 12.0, 8.0], [1e6, 2.4, 1e6, 0.0], [50.0, 45.0, 40.0, 55.0], [1.7, 1.2, 1.6, 2.7],
        np.abs(np.subtract.outer(range(4), range(4))) * 1.5, members=[0, 2], reference_price=[25.1, 30.5],
    )  # fmt: skip
    assert held["levies"]["residual"].max() < 1e-8
    assert held["levies"]["price"].to_list() == pytest.approx([25.1, 30.5], abs=1e-6)


def test_a_reference_far_out_of_reach_is_said_at_once() -> None:
    """Members that make more than they use at the reference: the error names them, no long search before."""
    market = ([1.0, 1.0, 9.0], [0.1, 0.1, 1.0], [20.0, 20.0, 60.0], [1.0, 1.0, 1.0], np.ones((3, 3)))
    with pytest.raises(InfeasibleError, match=r"region 0: .* against 500.*region 1"):
        spatial_equilibrium(*market, members=[0, 1], reference_price=500)


def test_a_member_that_buys_nothing_has_one_price() -> None:
    """It would pay 10 and the cheapest offer is 12 + 1: both tables show the offer, and no levy is due."""
    market = ([12.0, 30.0], [0.0, 1.0], [40.0, 10.0], [1.0, 1.0], [[0.0, 1.0], [1.0, 0.0]])
    held = spatial_equilibrium(*market, members=[1], reference_price=5)
    assert held["prices"]["price"][1] == pytest.approx(13.0)
    assert held["levies"].select("price", "levy", "quantity").row(0) == pytest.approx((13.0, 0.0, 0.0))
