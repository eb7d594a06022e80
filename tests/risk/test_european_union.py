"""Supply risk of the European Union against the study of 2017."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from evernormal.errors import InputError, LabelError
from evernormal.risk import eu_critical, eu_supply_risk, eu_supply_risk_interval, herfindahl, hhi_wgi_t
from evernormal.risk.validations import eu_2017

REFERENCE = Path(__file__).parents[3] / "shared" / "reference" / "eu_crm_2017.csv"


def corners(row: tuple[float, ...], sourcing: str) -> tuple[float, float]:
    """Least and greatest score over every corner of the rounded inputs: the slow way."""
    halves, highs = (0.05, 0.05, 0.005, 0.005, 0.05), (np.inf, np.inf, 1, 1, 1)
    sides = [
        (np.nan, np.nan) if np.isnan(value) else (max(0.0, value - half), min(high, value + half))
        for value, half, high in zip(row, halves, highs, strict=True)
    ]
    scores = [float(eu_supply_risk(*corner, sourcing)) for corner in itertools.product(*sides)]
    return min(scores), max(scores)


def test_all_78_materials_of_2017_lie_in_the_rounding_interval() -> None:
    """Every material of the study, from the shipped table."""
    table = eu_2017()["supply_risk"]
    assert table.height == 78 and table.filter(~pl.col("inside"))["material"].to_list() == []
    width = (table["high"] - table["low"]).max()
    assert isinstance(width, float) and width < 1.0, "an interval that holds anything proves nothing"


def test_the_interval_is_that_of_every_corner() -> None:
    """Independent route: all 32 corners of the rounded inputs."""
    names = ("concentration_global", "concentration_eu", "import_reliance", "eol_recycling_input_rate",
             "substitution")  # fmt: skip
    for row in eu_2017()["supply_risk"].iter_rows(named=True):
        given = tuple(np.nan if row[name] is None else row[name] for name in names)
        if np.isnan(given).any():
            continue
        assert (row["low"], row["high"]) == pytest.approx(corners(given, row["sourcing"])), row["material"]


def test_one_score_off_by_two_tenths_is_outside() -> None:
    """The interval of germanium, published 1.9, has no room for 2.2 or 1.6."""
    low, high = eu_supply_risk_interval(2.9, 1.5, 0.64, 0.02, 1.0)
    assert low - 0.05 > 1.6 and high + 0.05 < 2.2


def test_the_shipped_table_is_that_of_the_study() -> None:
    if not REFERENCE.is_file():
        pytest.skip("the reference table of the study of 2017 is not beside the repository")
    with REFERENCE.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    table = eu_2017()["supply_risk"]
    assert table["material"].to_list() == [row["material"] for row in rows]
    for ours, theirs in (("published", "SR_2017"), ("concentration_global", "HHIWGIt_GS"),
                         ("concentration_eu", "HHIWGIt_EU"), ("substitution", "SI_SR")):  # fmt: skip
        assert table[ours].to_list() == [float(row[theirs]) if row[theirs] else None for row in rows], ours


def test_unknown_inputs_take_their_whole_range() -> None:
    """Law 2: bounds instead of a guess, and the known score lies between them."""
    nan = float("nan")
    low, high = eu_supply_risk_interval(2.0, 1.0, nan, nan, nan, rounded=False)
    assert (float(low), float(high)) == (0.0, 1.5)
    low, high = eu_supply_risk_interval(nan, 1.0, 1.0, 0.0, 1.0, rounded=False)
    assert (float(low), float(high)) == (0.5, 10.5)
    low, high = eu_supply_risk_interval(nan, 1.0, 0.0, 0.0, 1.0, rounded=False)
    assert float(low) == float(high) == 1.0, "world supply does not count for a net exporter"
    low, high = eu_supply_risk_interval(nan, 1.0, nan, 0.0, 1.0, "eu", rounded=False)
    assert float(low) == float(high) == 1.0


@pytest.mark.parametrize("seed", range(5))
def test_the_exact_interval_is_the_score(seed: int) -> None:
    random = np.random.default_rng(seed)
    given = random.random((5, 50)) * np.array([[8], [8], [1], [1], [1]])
    low, high = eu_supply_risk_interval(*given, rounded=False)
    assert np.allclose(low, eu_supply_risk(*given)) and np.allclose(high, low)


def test_thresholds() -> None:
    """Both must be reached; one that is missed decides, known or not the other (law 2)."""
    nan = float("nan")
    found = eu_critical([1.0, 0.9, 1.0, nan, nan, 0.5], [2.8, 9.0, 2.7, 9.0, 1.0, nan])
    assert np.array_equal(found, [1, 0, 0, nan, 0, 0], equal_nan=True)
    with pytest.raises(InputError, match="2011"):
        eu_critical(1.0, 3.0, 2011)
    with pytest.raises(LabelError):
        eu_critical([1.0, 2.0], [1.0, 2.0, 3.0])


def test_a_needed_input_that_is_unknown_makes_the_answer_unknown() -> None:
    """Law 2: and one that is not needed does not."""
    nan = float("nan")
    assert np.isnan(eu_supply_risk(2.0, nan, 0.5, 0.1, 1.0))
    assert np.isnan(eu_supply_risk(2.0, 1.0, nan, 0.1, 1.0))
    assert eu_supply_risk(2.0, nan, nan, 0.1, 1.0, "global") == pytest.approx(1.8)
    assert eu_supply_risk(nan, 1.0, nan, 0.1, 1.0, "eu") == pytest.approx(0.9)


def test_a_net_exporter_has_no_import_reliance() -> None:
    assert eu_supply_risk(4.0, 1.0, -0.3, 0.0, 1.0) == eu_supply_risk(4.0, 1.0, 0.0, 0.0, 1.0) == 1.0


def test_arrays_and_words_go_together() -> None:
    """Law 7: an array of materials is each material by itself."""
    many = eu_supply_risk([2.0, 3.0], [1.0, 2.0], 1.0, 0.0, 1.0, ["both", "eu"])
    assert many.tolist() == [1.5, 2.0]


def test_wrong_numbers_are_told() -> None:
    """Laws 3, 4 and 12."""
    with pytest.raises(InputError, match="fraction, not per cent"):
        eu_supply_risk(2.0, 1.0, 64, 0.1, 1.0)
    with pytest.raises(InputError, match="'World'"):
        eu_supply_risk(2.0, 1.0, 0.5, 0.1, 1.0, "World")
    with pytest.raises(LabelError, match="shapes"):
        eu_supply_risk([1.0, 2.0], [1.0, 2.0, 3.0], 0.5, 0.1, 1.0)
    with pytest.raises(InputError, match="wgi"):
        hhi_wgi_t([0.5, 0.5], [11.0, 2.0])


def test_equal_weights_leave_the_herfindahl_index() -> None:
    shares = [0.6, 0.3, 0.1]
    assert hhi_wgi_t(shares, 1.0) == pytest.approx(float(herfindahl(shares)))
