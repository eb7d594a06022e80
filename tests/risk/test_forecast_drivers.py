"""Paths of electric cars against published figures, and the file of a user."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from evernormal.errors import InputError, NotCoveredError, SourceFormatError, UnknownNameError
from evernormal.network.forms import form
from evernormal.risk.forecast_drivers import battery_driver, implied_tonnes, intensity
from evernormal.risk.forecast_series import annual_amounts

IEA_2024 = {"lithium": 109.03, "nickel": 321.14, "cobalt": 66.51}
"""Kilotonnes in electric vehicles, IEA Critical Minerals Data Explorer 2025."""

CARS = 715_588_926.5 / 950e6
"""Energy of battery electric cars sold in 2024 (EV Volumes) over all batteries of electric vehicles (IEA)."""


@pytest.mark.parametrize("material", IEA_2024)
def test_material_in_cars_sold_is_near_the_published_demand(material: str) -> None:
    """Cars are three quarters of all batteries of vehicles; losses in making them add up to a quarter."""
    whole = implied_tonnes(material, 2024) / 1000 / CARS
    assert 0.7 < whole / IEA_2024[material] < 1.15


def test_lithium_by_hand() -> None:
    """272.3 GWh of LFP x 0.089 + 443.2 GWh of nickel cathodes x 0.092 to 0.115 kg/kWh."""
    assert implied_tonnes("lithium", 2024) == pytest.approx(66_700, rel=0.005)
    assert intensity("nickel").low < intensity("nickel").value < intensity("nickel").high
    assert intensity("nickel").value == pytest.approx(0.352, abs=0.01)


def test_a_published_path_runs_through_its_published_points() -> None:
    """IEA, lithium in vehicles and storage, Stated Policies: 128.0 kt in 2024, 368.7 kt in 2030."""
    driver = battery_driver("lithium", "iea-steps", 2024, 5)
    table = driver.table
    assert table["kilotonnes"][0] == pytest.approx(128.0, abs=0.05)
    growth = (368.72 / 128.01) ** (1 / 6)
    assert driver.at(2027)[1] == pytest.approx(growth**3, rel=1e-6)
    assert table["index"][0] == 1.0
    low, central, high = driver.at(2029)
    assert low < central < high


def test_a_path_that_missed_its_first_year_is_told() -> None:
    """14.50 million cars on the path of 2024, 11.30 million sold."""
    found = battery_driver("nickel", "icct-ambitious", 2024, 3).findings
    assert [finding.code for finding in found] == ["path-missed-origin"]
    assert found[0].values["off_share"] == pytest.approx(14_499_537 / 11_302_866 - 1)


def test_a_path_was_not_knowable_before_it_was_published() -> None:
    """Law 11."""
    with pytest.raises(NotCoveredError, match="nobody had it"):
        battery_driver("lithium", "iea-steps", 2019, 3)
    with pytest.raises(NotCoveredError, match="not knowable on 2025-01-01"):
        battery_driver("lithium", "iea-aps", 2024, 3, as_of=date(2025, 1, 1))


def test_wrong_questions_name_what_would_be_right() -> None:
    with pytest.raises(UnknownNameError, match="iea-steps"):
        battery_driver("lithium", "iea-step", 2024, 3)
    with pytest.raises(InputError, match="the world only"):
        battery_driver("lithium", "iea-steps", 2024, 3, market="CHN")
    with pytest.raises(NotCoveredError, match="says nothing of tin"):
        battery_driver("tin", "iea-steps", 2024, 3)
    with pytest.raises(InputError, match="no such file"):
        battery_driver("lithium", "mine/path.csv", 2024, 3)


def test_trade_grew_slower_than_batteries() -> None:
    """What the finding of every path says: 2.7 against 1.6 times from 2021 to 2024."""
    traded = {2021: 0.0, 2024: 0.0}
    for name in ("lithium/hydroxide", "lithium/carbonate"):
        table = annual_amounts(form(name), dataset=None, folder=None, as_of=None, until=None)
        for year in traded:
            row = table.filter(pl.col("country") == "WLD", pl.col("year") == year)
            traded[year] += row["imports_t"].item()
    assert traded[2024] / traded[2021] == pytest.approx(1.6, abs=0.05)
    assert implied_tonnes("lithium", 2024) / implied_tonnes("lithium", 2021) == pytest.approx(2.7, abs=0.05)


def own(folder: Path, text: str) -> str:
    path = folder / "path.csv"
    path.write_text(text, "utf-8")
    return str(path)


def test_a_path_of_your_own(tmp_path: Path) -> None:
    text = "year,vehicles,kwh_per_vehicle,kg_per_kwh\n2024,100,50,0.1\n2025,200,60,0.1\n2026,200,60,0.08\n"
    driver = battery_driver("lithium", own(tmp_path, text), 2024, 2)
    assert driver.at(2025) == pytest.approx((2.4, 2.4, 2.4))
    assert driver.at(2026)[1] == pytest.approx(1.92)
    assert driver.inputs[0].name == "path.csv"
    bare = battery_driver("lithium", own(tmp_path, "year,vehicles\n2024,100\n2025,150\n"), 2024, 1)
    assert bare.at(2025)[1] == pytest.approx(1.5)
    assert bare.at(2025)[0] < 1.5


def test_every_fault_of_a_path_is_named_with_row_and_column(tmp_path: Path) -> None:
    text = 'year,vehicles,size\n2024,"1,000",5\n2024,-3,5\n26,5,5\n2027,,5\n'
    with pytest.raises(SourceFormatError) as caught:
        battery_driver("lithium", own(tmp_path, text), 2024, 2)
    said = str(caught.value)
    for part in (
        "path.csv", "column size: no such column", "row 2, column vehicles: a plain number",
        "thousands separator",
        "row 3, column year: 2024 is in row 2", "row 4, column year", "row 5, column vehicles: empty",
        "no row for 2025",
    ):  # fmt: skip
        assert part in said, part
    with pytest.raises(SourceFormatError, match="web page"):
        battery_driver("lithium", own(tmp_path, "<html>no</html>"), 2024, 2)
