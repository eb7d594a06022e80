"""Supply risk of the European Union against the study of 2017."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import numpy as np
import pytest

from evernormal.errors import InputError, LabelError
from evernormal.risk import eu_supply_risk, herfindahl, hhi_wgi_t

REFERENCE = Path(__file__).parents[3] / "shared" / "reference" / "eu_crm_2017.csv"

# European Commission (2017), Study on the review of the list of critical raw materials, tables 3, 18 and 19:
# HHI x WGI x t global and EU, import reliance %, EoL recycling input rate %, substitution, sourcing, SR.
PUBLISHED = {
    "Aluminium": (1.4, 0.3, 64, 12, 0.9, "both", 0.5),
    "Antimony": (7.1, 5.7, 100, 28, 0.9, "both", 4.3),
    "Beryllium": (2.4, None, None, 0, 1.0, "global", 2.4),
    "Borate": (1.1, 5.0, 100, 0, 1.0, "both", 3.0),
    "Cobalt": (3.6, 1.3, 32, 0, 1.0, "both", 1.6),
    "Dysprosium": (9.2, 1.8, 100, 0, 0.9, "both", 5.2),
    "Fluorspar": (2.6, 0.7, 70, 1, 1.0, "both", 1.3),
    "Gallium": (3.5, 1.1, 34, 0, 1.0, "both", 1.4),
    "Germanium": (2.9, 1.5, 64, 2, 1.0, "both", 1.9),
    "Magnesium": (4.4, 5.2, 100, 9, 0.9, "both", 4.0),
    "Natural graphite": (3.2, 2.9, 99, 3, 1.0, "both", 2.9),
    "Niobium": (4.1, 2.5, 100, 0, 0.9, "both", 3.1),
    "Natural cork": (1.0, 1.3, 0, 8, 0.9, "eu", 1.1),
    "Phosphorus": (2.3, 4.5, 100, 0, 0.9, "eu", 4.1),
    "Platinum": (2.5, 0.0, 98, 11, 1.0, "global", 2.1),
    "Tungsten": (7.5, 1.9, 44, 42, 1.0, "both", 1.8),
}  # fmt: skip


def ends(value: float | None, half: float, low: float = 0.0, high: float = np.inf) -> tuple[float, float]:
    """Ends of a rounded figure."""
    return (np.nan, np.nan) if value is None else (max(low, value - half), min(high, value + half))


def inside(row: tuple[float | None, ...], sourcing: str, published: float) -> bool:
    """The published score lies between the scores of the rounded inputs' ends, itself rounded."""
    world, union, reliance, recycled, index = row
    sides = (
        ends(world, 0.05),
        ends(union, 0.05),
        ends(None if reliance is None else reliance / 100, 0.005, 0, 1),
        ends(None if recycled is None else recycled / 100, 0.005, 0, 1),
        ends(index, 0.05, 0, 1),
    )
    scores = [float(eu_supply_risk(*corner, sourcing)) for corner in itertools.product(*sides)]
    return min(scores) - 0.05 - 1e-9 <= published <= max(scores) + 0.05 + 1e-9


@pytest.mark.parametrize("material", PUBLISHED)
def test_published_scores_lie_in_the_rounding_interval(material: str) -> None:
    *inputs, sourcing, published = PUBLISHED[material]
    assert inside(tuple(inputs), sourcing, published)


def test_all_78_materials_of_2017() -> None:
    """Every material of the study."""
    if not REFERENCE.is_file():
        pytest.skip("the reference table of the study of 2017 is not beside the repository")
    with REFERENCE.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    words = {"GS + EUS": "both", "GS only": "global", "EUS only": "eu"}
    names = ("HHIWGIt_GS", "HHIWGIt_EU", "IR_pct", "EoL_RIR_pct", "SI_SR")
    outside = [
        row["material"]
        for row in rows
        if not inside(
            tuple(float(row[name]) if row[name] else None for name in names),
            words[row["supply_used"]],
            float(row["SR_2017"]),
        )
    ]
    assert len(rows) == 78 and outside == []


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
