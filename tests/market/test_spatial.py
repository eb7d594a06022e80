"""The textbook equilibrium: published prices, and the conditions that define it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evernormal import spatial_equilibrium
from evernormal.errors import InfeasibleError, InputError, LabelError

DEMSLV13 = ([9, 3, 18], [1, 2, 1], [42, 54, 51], [3, 2, 1], [[0, 3, 9], [3, 0, 3], [6, 3, 0]])


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("solver", ["piqp", "clarabel"])
def test_demslv13_published_prices(sign: int, solver: str) -> None:
    """Miranda and Fackler (2002), with the demand slope written as 3 or as -3."""
    a, b, c, d, freight = DEMSLV13
    answer = spatial_equilibrium(a, b, c, np.multiply(sign, d), freight, solver=solver)
    assert answer["prices"]["price"].to_list() == pytest.approx([24.346154, 27.346154, 30.346154], abs=1e-5)
    assert answer["supply"]["quantity"].sum() == pytest.approx(answer["demand"]["quantity"].sum(), abs=1e-7)


def test_two_regions_with_tariff_by_hand() -> None:
    """1 + s abroad, 21 - d at home, freight 2, tariff 4: 1 + x + 6 = 21 - x, so x = 7, prices 8 and 14."""
    answer = spatial_equilibrium([1], [1], [21], [1], [[2]], [[4]])
    assert answer["flows"]["quantity"].to_list() == pytest.approx([7.0])
    assert answer["prices"]["price"].to_list() == pytest.approx([14.0])
    assert answer["supply"]["price"].to_list() == pytest.approx([8.0])


def test_prohibitive_tariff_leaves_autarky() -> None:
    """Two countries that stop trading return to their own prices: 1 + q = 9 - q and 5 + q = 9 - q."""
    inf = np.inf
    answer = spatial_equilibrium([1, 5], [1, 1], [9, 9], [1, 1], [[0, 1], [1, 0]], [[0, 99], [99, 0]])
    assert answer["prices"]["price"].to_list() == pytest.approx([5.0, 7.0])
    closed = spatial_equilibrium([1, 5], [1, 1], [9, 9], [1, 1], [[0, inf], [inf, 0]])
    assert closed["prices"]["price"].to_list() == pytest.approx([5.0, 7.0])


def test_asymmetric_cross_price_terms_by_hand() -> None:
    """Two goods, one market.

    Supply 1 + 2 q1 + q2 and q2, demand 10 - q1 and 8 - q2: q2 = 4 and 3 q1 = 9 - 4.
    """
    supply_slope = np.array([[[2.0, 1.0], [0.0, 1.0]]])
    answer = spatial_equilibrium([[1.0, 0.0]], supply_slope, [[10.0, 8.0]], [[1.0, 1.0]], np.zeros((2, 1, 1)))
    assert answer["demand"]["quantity"].to_list() == pytest.approx([5 / 3, 4.0], abs=1e-6)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10_000),
    shape=st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3)),
    symmetric=st.booleans(),
    unit=st.sampled_from([1e-3, 1.0, 1e5]),
)
def test_no_trade_left_unmade_and_none_at_a_loss(
    seed: int, shape: tuple[int, int, int], symmetric: bool, unit: float
) -> None:
    """Equation E44 on random worlds, in any unit (law 7)."""
    m, n, goods = shape
    rng = np.random.default_rng(seed)

    def slopes(count: int) -> np.ndarray:
        matrix = rng.uniform(-0.3, 0.3, (count, goods, goods))
        matrix[:, range(goods), range(goods)] = rng.uniform(1.0, 3.0, (count, goods))
        return (matrix + matrix.transpose(0, 2, 1)) / 2 if symmetric else matrix

    a, c = rng.uniform(0, 10, (m, goods)), rng.uniform(8, 40, (n, goods))
    b, d, freight = slopes(m), slopes(n), rng.uniform(0, 15, (goods, m, n))
    shown = (a, b, c, d) if goods > 1 else (a[:, 0], b[:, 0, 0], c[:, 0], d[:, 0, 0])
    answer = spatial_equilibrium(shown[0], shown[1] / unit, shown[2], shown[3] / unit, freight)
    supply = answer["supply"]["quantity"].to_numpy().reshape(m, goods) / unit
    demand = answer["demand"]["quantity"].to_numpy().reshape(n, goods) / unit
    cost = a + np.einsum("mgh,mh->mg", b, supply)
    worth = c - np.einsum("ngh,nh->ng", d, demand)
    flows = answer["flows"]
    i, j, g = (flows[name].to_numpy() for name in ("exporter", "importer", "good"))
    gap = cost[i, g] + freight[g, i, j] - worth[j, g]
    shipped = flows["quantity"].to_numpy() / unit
    assert (gap > -1e-6).all()
    assert np.minimum(gap, shipped).max() < 1e-6


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"freight": [[0, 1]]}, LabelError, "freight has shape"),
        ({"supply_slope": [1, 2]}, LabelError, "supply_slope has shape"),
        ({"demand_intercept": [42, np.nan, 51]}, InputError, "not finite"),
        ({"demand_slope": [3, -2, 1]}, InputError, "not monotone"),
        ({"freight": np.full((3, 3), np.inf)}, InputError, "no usable route"),
        ({"freight": []}, InputError, "freight is empty"),
        (
            {"supply_intercept": ["nine", 3, 18]},
            InputError,
            "supply_intercept is not an array of real numbers",
        ),
        ({"demand_intercept": [42j, 54, 51]}, InputError, "demand_intercept is not an array of real numbers"),
    ],
)
def test_bad_input_names_what_is_wrong(change: dict, kind: type[Exception], words: str) -> None:
    """Law 3 and law 12."""
    names = ("supply_intercept", "supply_slope", "demand_intercept", "demand_slope", "freight")
    arguments = {**dict(zip(names, DEMSLV13, strict=True)), **change}
    with pytest.raises(kind, match=words):
        spatial_equilibrium(**arguments)


def test_a_market_without_any_slope_is_called_unbounded() -> None:
    """Perfectly elastic supply at 1 and demand at 9 have no finite trade."""
    with pytest.raises(InfeasibleError, match="unbounded"):
        spatial_equilibrium([1], [0], [9], [0], [[2]])
