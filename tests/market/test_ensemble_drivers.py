"""Which assumption drives the answer: known functions, an independent code, and a small world."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import fields

import numpy as np
import polars as pl
import pytest

from evernormal import ensemble
from evernormal.errors import InputError
from evernormal.market.batch import Atlas
from evernormal.market.factors import Joint, Space
from evernormal.market.parameters import Behaviour
from evernormal.market.sensitivity import borgonovo_delta, sobol_indices, sobol_points
from evernormal.market.tail import conditional_value_at_risk, value_at_risk
from evernormal.network.measures import Measure
from evernormal.network.network import Network
from evernormal.network.scenario import Scenario

MakeAct = Callable[..., Measure]
MakeScenario = Callable[..., Scenario]


def ishigami(points: np.ndarray) -> np.ndarray:
    """Ishigami and Homma 1990 with a = 7, b = 0.1 on the unit cube."""
    x = np.pi * (2 * points - 1)
    return np.asarray(np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0]))


def test_sobol_indices_of_ishigami() -> None:
    """Published: first order .3139, .4424, 0; total .5576, .4424, .2437 (Saltelli and others 2008)."""
    found = sobol_indices(ishigami(sobol_points(3, 2048, 1)), 3, 0)
    np.testing.assert_allclose(found["first_order"], [0.3139, 0.4424, 0.0], atol=0.03)
    np.testing.assert_allclose(found["total_order"], [0.5576, 0.4424, 0.2437], atol=0.03)
    again = sobol_indices(ishigami(sobol_points(3, 2048, 1)), 3, 0)
    for name, values in found.items():
        np.testing.assert_array_equal(again[name], values)


def test_delta_of_a_sum_of_normals() -> None:
    """Y = X1 + X2 with variances 1 and 1/4: the areas between normals by quadrature."""
    from scipy.stats import norm

    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    weights = weights / weights.sum()
    grid = np.linspace(-8, 8, 4001)

    def exact(own: float, other: float) -> float:
        whole = norm.pdf(grid, scale=np.hypot(own, other))
        areas = [np.trapezoid(np.abs(whole - norm.pdf(grid, own * z, other)), grid) for z in nodes]
        return float(0.5 * (weights * areas).sum())

    rng = np.random.default_rng(3)
    x = rng.standard_normal((4000, 3)) * [1.0, 0.5, 1.0]
    found = borgonovo_delta(x, x[:, 0] + x[:, 1], rng)
    np.testing.assert_allclose(found["delta"], [exact(1, 0.5), exact(0.5, 1), 0.0], atol=0.05)
    np.testing.assert_allclose(found["first_order"], [0.8, 0.2, 0.0], atol=0.05)


def test_delta_is_that_of_salib_where_nothing_is_shared() -> None:
    """The plain estimate equals SALib's for outcomes without masses."""
    from SALib.analyze import delta as salib

    rng = np.random.default_rng(3)
    x = rng.random((500, 3))
    y = ishigami(x)
    found = borgonovo_delta(x, y, rng, resamples=0)
    power = 2.0 / (7.0 + np.tanh((1500.0 - len(y)) / 500.0))
    edges = np.linspace(0, len(y), int(np.round(min(int(np.ceil(len(y) ** power)), 48))) + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = [salib.calc_delta(y, np.linspace(y.min(), y.max(), 100), x[:, d], edges) for d in range(3)]
    np.testing.assert_allclose(found["delta"], other, rtol=1e-9)


def test_delta_sees_a_mass_at_zero() -> None:
    """A factor that decides between loss and no loss drives it, although no density shows that."""
    rng = np.random.default_rng(3)
    x = rng.random((1000, 2))
    y = np.where(x[:, 0] < 0.7, 0.0, 1.0 + 0.01 * rng.random(1000))
    found = borgonovo_delta(x, y, rng)
    assert found["delta"][0] == pytest.approx(
        2 * 0.7 * 0.3, abs=0.05
    )  # half of E|shift of mass| over both sides
    assert found["delta"][1] < 0.05
    still = borgonovo_delta(x, np.zeros(1000), rng)
    assert np.isnan(still["delta"]).all()


def test_what_is_asked_of_a_sensitivity_must_be_possible() -> None:
    with pytest.raises(InputError, match="50 draws"):
        borgonovo_delta(np.ones((20, 1)), np.ones(20), np.random.default_rng(0))
    with pytest.raises(InputError, match="5 known values per draw"):
        sobol_indices(np.ones(16), 3, 0)
    with pytest.raises(InputError, match="at least one"):
        value_at_risk([])
    with pytest.raises(InputError, match="level"):
        conditional_value_at_risk([1.0], 1.0)


def test_the_tail_mean_is_coherent() -> None:
    """Equation E91: between the quantile and the worst loss, and never above the sum of its parts."""
    rng = np.random.default_rng(0)
    one, two = rng.lognormal(size=997), rng.lognormal(size=997)
    for level in (0.5, 0.9, 0.95, 0.999):
        tail = conditional_value_at_risk(one, level)
        assert value_at_risk(one, level) <= tail <= one.max() * (1 + 1e-12)
        together = conditional_value_at_risk(one + two, level)
        assert together <= tail + conditional_value_at_risk(two, level) + 1e-9


@pytest.fixture
def asked(act: MakeAct, scenario: MakeScenario) -> Scenario:
    return scenario(act("ban", id="ban", severity={"low": 0.0, "high": 1.0}), months=4)


def all_fixed_but(*names: str) -> dict[str, float]:
    from evernormal.market.parameters import MONTHLY_KINDS, market_parameters

    known = {item.name for item in fields(Behaviour)}
    assert set(names) <= known
    return {p.name: p.value for p in market_parameters(MONTHLY_KINDS) if p.name not in names}


def test_the_severity_drives_the_shortage(one_form: Network, asked: Scenario) -> None:
    """Both ways agree on what matters most."""
    fixed = all_fixed_but("spare_capacity")
    given = ensemble(one_form, asked, 250, 1, parameters=fixed)
    short = given["drivers"].filter(pl.col("outcome") == "shortage_t")
    assert short["factor"][0] == "ban.severity" and short["delta"][0] > 0.4
    assert set(short["factor"]) == {
        "ban.severity",
        "spare_capacity",
        "end use elasticity",
        "end use value added",
        "end use substitutable",
    }
    sobol = ensemble(one_form, asked, 32, 1, parameters=fixed, sensitivity="sobol")
    short = sobol["drivers"].filter(pl.col("outcome") == "shortage_t")
    assert short["factor"][0] == "ban.severity" and short["total_order"][0] > 0.8
    assert short["delta"].null_count() == short.height
    assert sobol["outcomes"].height == 32 * (5 + 2)
    loss = sobol["distribution"].filter(pl.col("name") == "loss_usd")
    points = sobol["outcomes"].filter((pl.col("draw") % 7).is_in([0, 6]))
    assert loss["mean"][0] == pytest.approx(points["loss_usd"].mean())  # independent points only


def test_factors_hit_their_ranges(asked: Scenario) -> None:
    """Equation E39: the quantiles of the cube are those of each number; equation E90 keeps every margin."""
    space = Space((asked,), {}, Joint(0.9))
    points = np.random.default_rng(0).random((4000, space.dimension))
    values = space.values(points)
    for d, factor in enumerate(space.factors):
        assert values[:, d].min() >= factor.low and values[:, d].max() <= factor.high
    column = [factor.name for factor in space.factors].index("ban.severity")
    assert np.percentile(values[:, column], [10, 50, 90]) == pytest.approx([0.1, 0.5, 0.9], abs=0.03)
    low = space.values(np.zeros((1, space.dimension)))
    assert low[0, 0] == pytest.approx(space.factors[0].low, rel=1e-4)


def test_a_mood_makes_everything_harder(act: MakeAct, scenario: MakeScenario) -> None:
    """Equation E90: in a hard mood a licence takes longer, less is approved, and a quota is smaller."""
    licence = act(
        "licence", id="licence", delay_days={"low": 10, "high": 90}, approval_share={"low": 0.1, "high": 0.9}
    )
    quota = act("quota", id="quota", share_of_base={"low": 0.2, "high": 0.8})
    space = Space((scenario(licence, quota),), {}, Joint(0.9))
    names = [factor.name for factor in space.factors]
    points = np.full((2, space.dimension), 0.5)
    points[:, names.index("actor CHN")] = [0.1, 0.9]
    calm, hard = space.values(points)
    assert hard[names.index("licence.delay_days")] > calm[names.index("licence.delay_days")] + 20
    assert hard[names.index("licence.approval_share")] < calm[names.index("licence.approval_share")] - 0.2
    assert hard[names.index("quota.share_of_base")] < calm[names.index("quota.share_of_base")] - 0.2


def test_the_atlas_learns_which_factors_move_the_answer() -> None:
    """Starts are looked for where the active set is alike: a factor that moves nothing does not count."""
    rng = np.random.default_rng(2)
    points = rng.random((40, 3))
    moved = [{0: (np.arange(100) < 60 * x).astype(np.int8)} for x in points[:, 1]]
    learned = Atlas(points, tuple((stood,) for stood in moved)).weighed().weights
    assert learned is not None and learned.shape == (1, 3)
    assert learned[0, 1] > 4 * max(learned[0, 0], learned[0, 2])
    few = Atlas(points, tuple((stood if n < 5 else {},) for n, stood in enumerate(moved))).weighed().weights
    np.testing.assert_array_equal(few, np.ones((1, 3)))
    unlike = [{n % 2: stood[0]} for n, stood in enumerate(moved)]
    assert Atlas(points, tuple((stood,) for stood in unlike)).weighed().weights is not None
