"""Economic importance by the European Commission's method."""

from __future__ import annotations

import numpy as np
import pytest

from evernormal.errors import InputError, LabelError
from evernormal.risk import economic_importance, economic_importance_interval

LARGEST = 204200.0
C23, C24, C26, C27, C29 = 64990.0, 64561.0, 77000.0, 89422.0, 194448.0


def test_published_scores_of_materials_without_substitutes() -> None:
    """European Commission 2023, annex 6 (uses) and annex 4 (scores): aggregates 3.2."""
    assert float(economic_importance([1.0], [C23], largest=LARGEST)) == pytest.approx(3.2, abs=0.05)


def test_an_index_scales_and_the_largest_sector_is_ten() -> None:
    assert float(economic_importance([1.0], [LARGEST], 1.0)) == pytest.approx(10.0)
    assert float(economic_importance([0.5, 0.5], [LARGEST, 0.0], 0.8)) == pytest.approx(4.0)


def test_materials_in_rows_are_each_by_itself() -> None:
    """Law 7: order of materials and sectors, and the unit of value, do not matter."""
    shares = np.array([[0.2, 0.5, 0.3], [1.0, 0.0, 0.0]])
    money = np.array([C24, C26, C29])
    found = economic_importance(shares, money, [0.9, 1.0], largest=LARGEST)
    one = [
        float(economic_importance(row, money, i, largest=LARGEST))
        for row, i in zip(shares, [0.9, 1], strict=True)
    ]
    assert np.allclose(found, one)
    assert np.allclose(found, economic_importance(shares[:, ::-1], money[::-1], [0.9, 1.0], largest=LARGEST))
    assert np.allclose(found, economic_importance(shares, money / 1e3, [0.9, 1.0], largest=LARGEST / 1e3))


def test_unknown_stays_unknown_and_has_ends() -> None:
    """Law 2."""
    nan = float("nan")
    assert np.isnan(economic_importance([0.5, 0.5], [C24, nan], largest=LARGEST))
    assert np.isnan(economic_importance([0.5, 0.5], [C24, C26], nan, largest=LARGEST))
    assert not np.isnan(economic_importance([1.0, 0.0], [C24, nan], largest=LARGEST))
    low, high = economic_importance_interval([0.5, 0.5], [LARGEST, nan], 1.0, largest=LARGEST)
    assert (float(low), float(high)) == (5.0, 10.0)
    low, high = economic_importance_interval([1.0], [LARGEST], largest=LARGEST)
    assert (float(low), float(high)) == (0.0, 10.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([40, 60], [C24, C26], 1.0), "fractions, not per cent"),
        (([0.9, 0.9], [C24, C26], 1.0), "sum to 1.8"),
        (([0.5, 0.5], [-1.0, C26], 1.0), "value_added must be at least 0"),
        (([0.5, 0.5], [C24, C26], 95.0), "substitution must be from 0 to 1"),
        ((0.5, [C24], 1.0), "one share per sector"),
    ],
)
def test_wrong_numbers_are_told(arguments: tuple[object, ...], message: str) -> None:
    """Laws 4 and 12."""
    with pytest.raises(InputError, match=message):
        economic_importance(*arguments)  # type: ignore[arg-type]


def test_shapes_that_do_not_fit_are_told() -> None:
    """Law 3."""
    with pytest.raises(LabelError, match="use_shares"):
        economic_importance([0.5, 0.5], [C24, C26, C27])
    with pytest.raises(InputError, match="largest"):
        economic_importance([1.0], [0.0])
