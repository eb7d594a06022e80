"""The supply-stability index: KOMIR's bands and published values, its parts, its weights, month by month."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.data.made_up_customs import add_declarations, declared

from evernormal import risk
from evernormal.errors import InputError, LabelError, NotCoveredError, UnknownNameError
from evernormal.report.explaining import explain
from evernormal.risk.stability import past_ratio, percentile_rank, weights_sensitivity

BATTERY = ["lithium/hydroxide", "lithium/carbonate", "nickel/ore", "cobalt/intermediates", "cobalt/oxides"]


@pytest.fixture(scope="module")
def korea() -> risk.Result:  # type: ignore[name-defined]
    return risk.supply_stability(["KOR"], [2015, 2022, 2023, 2024], [*BATTERY, "graphite/natural"])


def band_of(result: object, form: str, year: int) -> dict[str, object]:
    table = result["stability"]  # type: ignore[index]
    return table.row(by_predicate=(pl.col("form") == form) & (pl.col("year") == year), named=True)


def test_the_bands_of_2022_are_those_that_komir_published(korea: object) -> None:
    """KOMIR, first half of 2022 (monthly means, via Hankook Ilbo): lithium 2.85 unstable, nickel 7.41 and
    cobalt 5.6 caution.  Other formula, same bands; no value is compared."""
    published = {"lithium": 2.85, "nickel": 7.41, "cobalt": 5.6}
    for form in BATTERY:
        level = published[form.split("/", maxsplit=1)[0]]
        found = band_of(korea, form, 2022)
        assert found["band"] == risk.stability_band([level])[0], form
        assert found["band_chance"] > 0.9, form  # type: ignore[operator]


def test_a_crisis_needs_an_event() -> None:
    """KOMIR: 0 to 1 and an event is a crisis; a low index alone never is."""
    assert risk.stability_band([0.0, 0.99, 1.0], [False] * 3).tolist() == ["unstable"] * 3
    assert risk.stability_band([0.0, 0.99, 1.0], [True] * 3).tolist() == ["crisis", "crisis", "unstable"]
    quiet = risk.supply_stability(["KOR"], list(range(2005, 2025)), events={})["stability"]
    assert "crisis" not in set(quiet["band"])
    told = risk.supply_stability(["KOR"], 2022, ["lithium/hydroxide"], events={"lithium": [2022]})[
        "stability"
    ]
    assert told["event"].item() is True


def test_events_are_those_that_hit_the_country(korea: object) -> None:
    """Graphite licences of December 2023 hit everyone; the check of 2024 hit the United States only."""
    assert band_of(korea, "graphite/natural", 2023)["event"] is True
    assert band_of(korea, "graphite/natural", 2024)["event"] is False
    america = risk.supply_stability(["USA"], 2024, ["graphite/natural"])["stability"]
    assert america["event"].item() is True


def test_the_points_add_to_the_index(korea: object) -> None:
    sums = korea["components"].group_by("form", "year").agg(pl.col("points").sum())  # type: ignore[index]
    both = korea["stability"].join(sums, on=["form", "year"])  # type: ignore[index]
    assert both["index"].to_list() == pytest.approx(both["points"].to_list(), abs=1e-9)


def test_nothing_later_is_used(korea: object) -> None:
    """Law 11: the index of 2015 is the same when nobody asks for later years."""
    then = risk.supply_stability(["KOR"], 2015, ["nickel/ore"])["stability"]
    assert then["index"].item() == band_of(korea, "nickel/ore", 2015)["index"]
    series = np.random.default_rng(0).random(30)
    assert percentile_rank(series)[:12].tolist() == pytest.approx(
        percentile_rank(series[:12]).tolist(), nan_ok=True
    )


def test_inflation_alone_is_no_record() -> None:
    """A price that only rises with all others stands in the middle of its history."""
    rising = 100.0 * 1.02 ** np.arange(30)
    assert past_ratio(rising)[10:].max() - past_ratio(rising)[10:].min() < 1e-12


def test_an_unknown_discount_leaves_two_ends() -> None:
    """Law 2: a country that bought its first year ago has no history of imports."""
    table = risk.supply_stability(None, 2023, ["cobalt/oxides"])["stability"]
    partly = table.filter(pl.col("index").is_null() & pl.col("index_low").is_not_null())
    assert partly.height and (partly["index_low"] < partly["index_high"]).all()
    assert partly["band"].null_count() == partly.height
    known = table.drop_nulls("index")
    assert ((known["index"] >= 0) & (known["index"] <= 100)).all()


def test_weights_are_scaled_and_checked() -> None:
    """Laws 3 and 12."""
    tight = [0.2, 0.4, 0.6, 0.8]
    assert risk.stability_index(0.5, tight, [2, 2, 2, 2]) == risk.stability_index(0.5, tight)
    assert float(risk.stability_index(0.5, tight, {"monopoly": 1.0}, 1.0)) == pytest.approx(30.0)
    with pytest.raises(UnknownNameError, match="monopoly"):
        risk.stability_index(0.5, tight, {"monopole": 1.0})
    with pytest.raises(InputError, match="not all 0"):
        risk.stability_index(0.5, tight, [0, 0, 0, 0])
    with pytest.raises(LabelError):
        risk.stability_index(0.5, [0.2, 0.4])
    with pytest.raises(InputError, match="0 to 100"):
        risk.stability_band([101.0])


def test_sensitivity_is_the_same_bytes_every_time() -> None:
    """Law 6; and the interval holds the index of the shipped weights."""
    tight = np.random.default_rng(1).random((50, 4))
    base = np.linspace(0.05, 0.95, 50)
    one, two = (weights_sensitivity(base, tight, draws=200, seed=0) for _ in range(2))
    assert one.low.tobytes() == two.low.tobytes()
    index = np.asarray(risk.stability_index(base, tight))
    assert ((one.low <= index) & (index <= one.high)).mean() > 0.9
    assert one.chance.sum(axis=1) == pytest.approx(np.ones(50))


def test_explain_opens_the_index() -> None:
    found = explain(risk.supply_stability(["KOR"], 2022, ["nickel/ore"]), "stability.index")
    assert found.equation.key == "E123" and found.inputs[0].rows == 5
    assert any(parameter.name == "discount" for parameter in found.inputs[0].parameters)


def months_of(first: int, last: int) -> list[str]:
    return [f"{year}-{month:02d}" for year in range(first, last + 1) for month in range(1, 13)]


def test_the_monthly_index_falls_when_the_price_jumps_and_suppliers_vanish(tmp_path: Path) -> None:
    """Made-up months: six quiet years, then a price five times as high from one supplier only."""
    rows = []
    for number, month in enumerate(months_of(2018, 2024)):
        dear = month >= "2024-01"
        unit = 50_000.0 if dear else 10_000.0 + 10 * (number % 7)
        for partner, tonnes in (("CHN", 60.0), ("CHL", 0.5 if dear else 40.0)):
            rows.append((month, "KOR", partner, "import", "282520", unit * tonnes, tonnes))
    folder = add_declarations(tmp_path / "store", declared(*rows))
    result = risk.monthly_stability("KOR", "lithium/hydroxide", folder=folder)
    table = result["stability"]
    assert table["period"].to_list()[-1] == "2024-12"
    calm = table.filter(pl.col("period") == "2023-06")["index"].item()
    tight = table.filter(pl.col("period") == "2024-02").row(0, named=True)
    assert calm > 20 > 5 > tight["index"] and tight["band"] == "unstable"
    replay = risk.monthly_stability("KOR", "lithium/hydroxide", folder=folder, as_of="2025-06-01")
    assert replay["stability"].equals(table)
    with pytest.raises(NotCoveredError):
        risk.monthly_stability("KOR", "lithium/hydroxide", folder=folder, as_of="2024-06-01")
