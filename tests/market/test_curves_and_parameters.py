"""Curves against published prices; parameters of different kinds are never mixed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evernormal.errors import InputError, UnknownNameError
from evernormal.market.curves import constant_elasticity_price, use_curve
from evernormal.market.parameters import (
    MONTHLY_KINDS,
    behaviour,
    market_parameters,
    sample_behaviour,
)


@pytest.mark.parametrize(
    ("lost", "supply", "demand", "published"),
    [(0.5, 0.0, -0.5, 4.0), (0.5, 0.2, -0.3, 4.0), (0.1, 0.0, -0.2, 1.6935)],
)
def test_published_constant_elasticity_prices(
    lost: float, supply: float, demand: float, published: float
) -> None:
    assert float(constant_elasticity_price(lost, supply, demand)) == pytest.approx(published, abs=5e-5)


@given(st.floats(-0.9, -0.05), st.floats(2.0, 50.0))
def test_use_curve_is_isoelastic_at_its_breakpoints_and_never_above_the_choke(
    elasticity: float, choke: float
) -> None:
    curve = use_curve(elasticity, choke)
    for left in (0.9, 0.7, 0.5, 0.3):
        expected = min(left ** (1 / elasticity), choke)
        assert float(curve.premium(1 - left)) + 1 == pytest.approx(expected, rel=1e-9)
    assert (curve.slope >= 0).all()
    assert float(curve.premium(1.0)) + 1 == pytest.approx(choke)


def test_annual_and_monthly_elasticities_are_apart() -> None:
    annual = {p.name for p in market_parameters(["annual_import"])}
    monthly = {p.name for p in market_parameters(MONTHLY_KINDS)}
    assert annual and not annual & monthly
    with pytest.raises(UnknownNameError, match="annual_import_elasticity"):
        behaviour({"annual_import_elasticity": 2.0})


def test_every_parameter_has_an_interval_and_a_source() -> None:
    """Law 10: every shipped number has a source, every assumption says that it is one."""
    for p in market_parameters():
        assert p.low <= p.value <= p.high, p.name
        assert len(p.source) > 20, p.name
        assert (p.grade == "C") == p.source.startswith("assumption"), p.name


def test_draws_stay_inside_the_intervals_and_follow_the_seed() -> None:
    """Law 6."""
    one, two = (sample_behaviour(np.random.default_rng(7)) for _ in range(2))
    assert one == two
    for p in market_parameters(MONTHLY_KINDS):
        assert p.low - 1e-12 <= getattr(one, p.name) <= max(p.high, one.substitution_short) + 1e-12


@pytest.mark.parametrize(
    ("overrides", "kind"),
    [
        ({"choke_ratio": 0.5}, InputError),
        ({"supply_elasticity": -1.0}, InputError),
        ({"chok_ratio": 5.0}, UnknownNameError),
    ],
)
def test_wrong_behaviour_is_refused(overrides: dict[str, float], kind: type[Exception]) -> None:
    with pytest.raises(kind):
        behaviour(overrides)
