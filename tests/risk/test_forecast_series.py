"""What becomes of a country's reported trade before anything is forecast."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from evernormal.errors import NotCoveredError
from evernormal.network.forms import form
from evernormal.risk.forecast_methods import forecasts
from evernormal.risk.forecast_monthly import monthly_amounts
from evernormal.risk.forecast_series import Series, annual_amounts, annual_series, series_of


def made(amounts: dict[int, float | None], latest: int = 2024) -> Series:
    table = pl.DataFrame({"year": list(amounts), "amount_t": list(amounts.values())})
    return series_of("tin/ore", "KOR", table, latest, season=1, inputs=(), unit="t contained")


def codes(series: Series) -> list[str]:
    return [finding.code for finding in series.findings]


def test_a_short_gap_is_bridged_and_never_counts_as_known() -> None:
    """Law 2: a year that nobody reported is unknown; the bridge is the geometric mean, not zero."""
    series = made({2020: 100.0, 2021: None, 2022: 400.0, 2023: 400.0, 2024: 100.0})
    assert math.exp(series.logs[1]) == pytest.approx(200.0)
    assert series.known.tolist() == [True, False, True, True, True]
    assert "gap-bridged" in codes(series)


def test_a_long_gap_cuts_the_series() -> None:
    series = made({2015: 9.0, 2019: 1.0, 2020: 2.0, 2021: 2.0, 2022: 2.0, 2023: 2.0, 2024: 3.0})
    assert series.periods[0] == 2019
    assert "series-cut" in codes(series)


def test_too_little_after_a_long_gap_is_refused() -> None:
    with pytest.raises(NotCoveredError, match="2 years with a known amount"):
        made({2000: 1.0, 2001: 2.0, 2002: 2.0, 2003: 2.0, 2023: 3.0, 2024: 3.0})


def test_a_recorded_zero_is_no_amount_on_the_log_scale() -> None:
    series = made({2020: 1.0, 2021: 2.0, 2022: 0.0, 2023: 2.0, 2024: 3.0})
    assert not series.known[2]


def test_who_stopped_reporting_is_refused() -> None:
    with pytest.raises(NotCoveredError, match="since 2021"):
        made({2019: 1.0, 2020: 2.0, 2021: 3.0})
    early = made({2020: 1.0, 2021: 2.0, 2022: 2.0, 2023: 3.0})
    assert "series-ends-early" in codes(early)
    with pytest.raises(NotCoveredError, match="2 years"):
        made({2023: 1.0, 2024: 2.0})


def test_what_came_later_does_not_change_what_was_used_then() -> None:
    """Law 11: values up to an origin are the same whether or not later ones are known."""
    full = annual_series(
        form("cobalt/oxides"), "KOR", "imports", origin=None, dataset=None, folder=None, as_of=None
    )
    cut = annual_series(
        form("cobalt/oxides"), "KOR", "imports", origin=2015, dataset=None, folder=None, as_of=None
    )
    then = full.until(2015)
    assert then is not None
    assert then.tolist() == cut.logs.tolist()
    assert cut.periods[-1] == 2015


def test_imports_of_all_countries_make_world_trade() -> None:
    """Law 1: the world's row is the sum of the importers' rows."""
    table = annual_amounts(form("tin/ore"), dataset=None, folder=None, as_of=None, until=2005)
    world = table.filter(pl.col("country") == "WLD", pl.col("year") == 2003)["imports_t"].item()
    others = table.filter(pl.col("country") != "WLD", pl.col("year") == 2003)["imports_t"].sum()
    assert world == pytest.approx(others, rel=1e-9)


def customs(rows: list[tuple[str, str, str, float | None, float | None]]) -> pl.DataFrame:
    """Rows of the kind customs: period, partner, code, value, quantity."""
    schema = {"period": pl.String, "partner": pl.String, "code": pl.String}
    table = pl.DataFrame(
        rows, schema={**schema, "value_usd": pl.Float64, "quantity_t": pl.Float64}, orient="row"
    )
    year = pl.col("period").str.slice(0, 4).cast(pl.Int16)
    return table.with_columns(year=year, reporter=pl.lit("KOR"), flow=pl.lit("import"))


def test_a_total_over_partners_is_not_added_to_its_parts() -> None:
    rows = customs(
        [
            ("2024-01", "WLD", "2825200000", 3e6, 300.0),
            ("2024-01", "CHN", "2825200000", 2e6, 200.0),
            ("2024-02", "CHN", "2825200000", 2e6, 200.0),
            ("2024-02", "CHL", "2825200000", 1e6, 50.0),
            ("2024", "WLD", "2825200000", 9e9, 9e6),
        ]
    )
    table = monthly_amounts(rows, form("lithium/hydroxide"), "KOR")
    assert table["gross_t"].to_list() == [300.0, 250.0]
    assert table["period"].to_list() == ["2024-01", "2024-02"]
    assert table["amount_t"][0] == pytest.approx(300.0 * 0.1654, rel=1e-3)  # Li in LiOH.H2O


def test_a_month_without_quantities_is_unknown() -> None:
    """Law 2: one third of the value without a quantity is too much; a tenth is filled by value."""
    rows = customs(
        [
            ("2024-01", "CHN", "2825200000", 2e6, 200.0),
            ("2024-01", "CHL", "2825200000", 1e6, None),
            ("2024-02", "CHN", "2825200000", 9e6, 900.0),
            ("2024-02", "CHL", "2825200000", 1e6, None),
        ]
    )
    table = monthly_amounts(rows, form("lithium/hydroxide"), "KOR")
    assert table["gross_t"][0] is None
    assert table["gross_t"][1] == pytest.approx(1000.0)


def test_customs_data_without_the_code_are_told() -> None:
    rows = customs([("2024-01", "CHN", "8112920000", 2e6, 200.0)])
    with pytest.raises(NotCoveredError, match="no month of a code"):
        monthly_amounts(rows, form("lithium/hydroxide"), "KOR")


@pytest.mark.parametrize("season", [1, 12])
def test_what_never_moved_is_expected_to_stay(season: int) -> None:
    """The library's theta method makes 37,000 tonnes of a lasting 100."""
    made = forecasts(np.full(48, np.log(100.0)), 3, season=season, origin=2024)
    for name, logs in made.items():
        assert np.exp(logs) == pytest.approx(100.0, rel=0.05), name


def test_what_is_no_number_is_unknown() -> None:
    """Law 2: neither NaN nor infinity is an amount; the year is bridged."""
    years = list(range(2000, 2020))
    for odd in (float("nan"), float("inf"), 0.0, -5.0):
        amounts = [100.0 + year % 3 for year in years]
        amounts[10] = odd
        table = pl.DataFrame({"year": years, "amount_t": amounts})
        series = series_of("tin/ore", "KOR", table, 2019, season=1, inputs=(), unit="t")
        assert not series.known[10] and np.isfinite(series.logs).all()
        assert series.history["used"].to_list().count(False) == 1
