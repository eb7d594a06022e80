"""Laws at the doors that a user's input goes through: units, shipped tables, names, scenario files."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from evernormal import units
from evernormal.data import countries
from evernormal.errors import InputError, ScenarioError, UnitError, UnknownNameError
from evernormal.network.forms import form, forms

from . import test_shipped_numbers
from .cases import LAW, ban, scenario

MASS = sorted(name for name, unit in units.UNITS.items() if unit.kind == "mass")
BASES = sorted(units.BASES)
FORMS = forms()["form"].to_list()
COUNTRIES = countries().filter(kind="country")["iso3"].to_list()
SOURCED = test_shipped_numbers.sourced_tables()


@LAW
@given(st.floats(1e-9, 1e12), st.sampled_from(MASS), st.sampled_from(MASS))
def test_a_mass_comes_back(value: float, there: str, back: str) -> None:
    """Law 4: a mass in any unit and back is the mass."""
    assert units.convert(units.convert(value, there, back), back, there) == pytest.approx(value, rel=1e-15)


@LAW
@given(st.floats(1e-9, 1e12), st.sampled_from(BASES), st.data())
def test_a_basis_comes_back(value: float, there: str, data: st.DataObject) -> None:
    """Law 4: tonnes on another basis of the same element and back are the tonnes."""
    element = units.BASES[there].element
    same = [name for name in BASES if units.BASES[name].element == element]
    back = data.draw(st.sampled_from(same))
    again = units.convert_basis(units.convert_basis(value, there, back), back, there)
    assert again == pytest.approx(value, rel=1e-15)


@LAW
@given(st.sampled_from(BASES), st.sampled_from(BASES))
def test_bases_of_two_elements_do_not_mix(there: str, back: str) -> None:
    """Law 4: a basis of another element is refused, both are named."""
    assume(units.BASES[there].element != units.BASES[back].element)
    with pytest.raises(UnitError) as caught:
        units.convert_basis(1.0, there, back)
    assert there in str(caught.value) and back in str(caught.value)


@LAW
@given(st.sampled_from(SOURCED), st.data())
def test_a_lost_source_is_seen(path: object, data: st.DataObject) -> None:
    """Law 10: take source, grade or the word "assumption" from any row, and its check says so."""
    rows = test_shipped_numbers.rows_of(path)  # type: ignore[arg-type]
    place = data.draw(st.integers(0, len(rows) - 1))
    row = dict(rows[place])
    damage = data.draw(st.sampled_from(["source", "grade", "assumption"]))
    if damage == "assumption":
        assume(row["grade"] == "C")
        row = {key: text.replace("assumption", "figure") for key, text in row.items()}
    else:
        row[damage] = ""
    assert not test_shipped_numbers.problems_of_row("here", rows[place])
    assert test_shipped_numbers.problems_of_row("here", row)


@LAW
@given(st.sampled_from(FORMS), st.integers(0, 40), st.sampled_from("xq7_"))
def test_a_misspelt_form_is_answered_with_the_nearest(name: str, place: int, wrong: str) -> None:
    """Law 12: one wrong letter in a form, and the message has the right form in it."""
    at = place % len(name)
    misspelt = name[:at] + wrong + name[at + 1 :]
    assume(misspelt not in FORMS)
    with pytest.raises(UnknownNameError) as caught:
        form(misspelt)
    assert misspelt in str(caught.value) and name in caught.value.suggestions
    assert caught.value.exit_code == 2


@LAW
@given(st.one_of(st.floats(-1e6, -1e-6), st.floats(1 + 1e-6, 1e6)))
def test_an_impossible_severity_is_refused(severity: float) -> None:
    """Law 12: a share below 0 or above 1 is refused; key, value and bounds are named."""
    with pytest.raises(ScenarioError, match=r"severity.* 0 (to|and) 1"):
        scenario(ban(severity))


@LAW
@given(st.integers(0, 600))
def test_an_end_before_the_start_is_refused(days: int) -> None:
    """Law 12: a measure that ends no later than it takes effect is refused; a date that would do is told."""
    ends = date(2024, 4, 10) - timedelta(days=days)
    with pytest.raises(ScenarioError, match=r"ends.*2024-04-1"):
        scenario(ban(0.5, ends=str(ends)))


@LAW
@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=3, max_size=3))
def test_only_countries_are_countries(code: str) -> None:
    """Laws 3 and 12: three letters are a country of the table or an error, never something near."""
    assume(code != "CHN")  # the actor of the scenario cannot be its focal country
    if code in COUNTRIES:
        assert scenario(ban(0.5)).with_focal(code).focal == code
        return
    with pytest.raises(InputError, match=code):
        scenario(ban(0.5)).with_focal(code)
