"""Methods, errors, skill and intervals on series whose answer is known."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from evernormal.errors import NotCoveredError
from evernormal.risk.forecast_methods import METHODS, SEASONAL, features, forecasts, volatility
from evernormal.risk.forecast_scores import (
    calibrate,
    inside,
    interval,
    rolling_errors,
    score,
    skill_interval,
    widened,
)
from evernormal.risk.forecast_series import Series, series_of

RISING = np.log(np.linspace(100, 200, 20)) + np.random.default_rng(1).normal(0, 0.1, 20)


def series(logs: np.ndarray, first: int = 2000) -> Series:
    years = list(range(first, first + len(logs)))
    table = pl.DataFrame({"year": years, "amount_t": np.exp(logs)})
    return series_of("tin/ore", "KOR", table, years[-1], season=1, inputs=(), unit="t contained")


def test_simple_methods_give_what_they_say() -> None:
    made = forecasts(np.array([0.0, 1.0, 2.0, 4.0]), 2, names=["naive", "drift"])
    assert made["naive"].tolist() == [4.0, 4.0]
    assert made["drift"].tolist() == pytest.approx([4 + 4 / 3, 4 + 8 / 3])


def test_the_season_of_a_year_ago_is_repeated() -> None:
    logs = np.tile(np.arange(12.0), 4)
    made = forecasts(logs, 14, season=12, names=["seasonal_naive"])["seasonal_naive"]
    assert made.tolist() == [*range(12), 0.0, 1.0]
    every = forecasts(logs + np.random.default_rng(0).normal(0, 0.01, 48), 12, season=12)
    assert set(every) == set(SEASONAL)
    assert np.abs(every["combination"] - np.arange(12)).max() < 0.1


def test_the_combination_is_the_mean_of_its_members() -> None:
    made = forecasts(RISING, 5, names=METHODS, coefficients={})
    members = ("naive", "smoothing", "damped", "theta", "autoregression")
    assert made["combination"].tolist() == pytest.approx(np.mean([made[m] for m in members], axis=0).tolist())
    assert made["blend"].tolist() == made["combination"].tolist()  # without coefficients of the year


def test_the_pooled_regression_is_the_last_value_and_the_features_by_the_coefficients() -> None:
    beta = np.array([0.1, 0.0, 0.0, -0.5, 0.0, 0.0, 1.0])
    made = forecasts(RISING, 1, origin=2019, coefficients={(2019, 1): beta}, names=["pooled"])["pooled"]
    assert made[0] == pytest.approx(RISING[-1] + float(features(RISING) @ beta))
    assert features(np.array([0.0, 1.0, 3.0])).tolist() == pytest.approx([1, 2, 1, 5 / 3, 5 / 3, 5 / 3, 1.5])


def test_the_unit_of_the_amount_changes_nothing() -> None:
    """Law 7: tonnes or kilograms, the growth that is forecast is the same."""
    here, there = (
        forecasts(logs, 3, names=METHODS, coefficients={}) for logs in (RISING, RISING + np.log(1000))
    )
    for name in METHODS:
        assert (there[name] - here[name]).tolist() == pytest.approx([np.log(1000)] * 3, abs=2e-3), name


def test_an_explosive_autoregression_stays_where_it_is() -> None:
    logs = np.cumsum(1.2 ** np.arange(20.0))
    made = forecasts(logs, 2, names=["autoregression"])["autoregression"]
    assert made.tolist() == pytest.approx([logs[-1]] * 2)


def test_rolling_origins_use_the_past_only_and_skip_what_was_bridged() -> None:
    """Law 11: changing the future changes no forecast, only its error."""
    one = rolling_errors("tin/ore", series(RISING), range(2008, 2019), 2, coefficients={})
    other = RISING.copy()
    other[15:] += 3.0
    two = rolling_errors("tin/ore", series(other), range(2008, 2019), 2, coefficients={})
    early = pl.col("origin") < 2015
    assert one.filter(early)["blend"].to_list() == two.filter(early)["blend"].to_list()
    assert one.filter(early)["actual"].to_list() != two.filter(early)["actual"].to_list()


def errors_of(off: list[float], plain: list[float], volatility: float = 0.5) -> pl.DataFrame:
    count = len(off)
    return pl.DataFrame(
        {"form": ["a"] * count, "country": ["KOR"] * count, "origin": [2000] * count, "horizon": [1] * count,
         "period": [2001] * count, "volatility": [volatility] * count, "actual": [0.0] * count,
         "blend": [-x for x in off], "naive": [-x for x in plain]}
    )  # fmt: skip


def test_skill_by_hand() -> None:
    found = score(errors_of([0.1, -0.2], [0.4, 0.2]), "blend")
    assert found["mean_absolute_error"] == pytest.approx(0.15)
    assert found["skill"] == pytest.approx(0.5)
    assert found["scaled_error"] == pytest.approx(0.3)
    assert found["square_skill"] == pytest.approx(1 - (0.05 / 0.2) ** 0.5)
    low, high = skill_interval(errors_of([0.1], [0.2]), "blend", np.random.default_rng(0))
    assert (low, high) == (0.5, 0.5)


def many(seed: int, years: range, spread: float = 0.3) -> pl.DataFrame:
    """Errors of 60 series whose volatility is known."""
    draw = np.random.default_rng(seed)
    rows = [
        ("a", f"{number:03d}", year, 1, year + 1, width, float(draw.normal(0, width)), 0.0, 0.0)
        for number in range(60)
        for year in years
        for width in [spread * (1 + number / 30)]
    ]
    names = ["form", "country", "origin", "horizon", "period", "volatility", "actual", "blend", "naive"]
    return pl.DataFrame(rows, schema=names, orient="row")


def test_intervals_hold_what_they_claim_on_errors_they_have_not_seen() -> None:
    known = calibrate(many(1, range(2000, 2010)), "blend", 2010, 1)
    later = many(2, range(2010, 2011))
    wanted = inside(later, known, "blend")
    held = wanted["inside"].mean()
    assert held == pytest.approx(0.8, abs=0.12)
    assert interval(known, "blend", 2010, 1, 0.3)[1] < interval(known, "blend", 2010, 1, 0.9)[1]


def test_errors_of_later_years_calibrate_nothing() -> None:
    """Law 11: what was not known by the origin does not enter its interval."""
    early = many(1, range(2000, 2010))
    wild = many(3, range(2010, 2020), spread=5.0)
    assert calibrate(pl.concat([early, wild]), "blend", 2010, 1) == calibrate(early, "blend", 2010, 1)
    with pytest.raises(NotCoveredError, match="2005"):
        interval({}, "blend", 2005, 1, 0.3)


def test_a_series_that_left_its_interval_gets_its_own() -> None:
    own, calm = np.full(12, 2.0), np.zeros(12)
    assert widened((-1.0, 1.0), own, own) == (-1.0, 2.0)
    assert widened((-1.0, 1.0), own[:9], own[:9]) == (-1.0, 1.0)  # too few to judge
    assert widened((-1.0, 1.0), calm, calm) == (-1.0, 1.0)


def test_volatility_is_the_mean_change() -> None:
    assert volatility(np.array([0.0, 0.2, -0.2])) == pytest.approx(0.3)
