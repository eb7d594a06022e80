"""Units, bases and stoichiometry: published factors, and there and back again."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evernormal import units
from evernormal.elements import ATOMIC_WEIGHTS, composition
from evernormal.errors import UnitError

MASS = sorted(n for n, u in units.UNITS.items() if u.kind == "mass")
TIME = sorted(n for n, u in units.UNITS.items() if u.kind == "time")
BY_ELEMENT: dict[str, list[str]] = {}
for name, basis in units.BASES.items():
    BY_ELEMENT.setdefault(basis.element, []).append(name)
NUMBER = st.floats(allow_nan=False, allow_infinity=False, width=64)
REASONABLE = st.floats(1e-9, 1e15)


@given(NUMBER, st.sampled_from([MASS, TIME]), st.data())
def test_a_quantity_comes_back_as_the_very_number(value: float, kind: list[str], data: st.DataObject) -> None:
    """Law 4, in units: exactly the same bits after any tour."""
    tour = data.draw(st.lists(st.sampled_from(kind), min_size=1, max_size=4))
    quantity = start = units.Quantity.of(value, tour[0])
    for name in tour[1:]:
        quantity = quantity.to(name)
    assert float(quantity.to(tour[0])) == value
    assert quantity.to(tour[0]) == start


@given(NUMBER, st.sampled_from(sorted(BY_ELEMENT)), st.data())
def test_a_quantity_comes_back_on_its_basis(value: float, element: str, data: st.DataObject) -> None:
    """Law 4, in bases: element, oxide, equivalent and back, exactly."""
    tour = data.draw(st.lists(st.sampled_from(BY_ELEMENT[element]), min_size=1, max_size=4))
    quantity = units.Quantity.of(value, "t", tour[0])
    for name in tour[1:]:
        quantity = quantity.in_basis(name).to("kg")
    assert float(quantity.in_basis(tour[0]).to("t")) == value


@given(REASONABLE, st.sampled_from(MASS), st.sampled_from(MASS))
def test_floats_come_back_to_the_last_bit_but_one(value: float, a: str, b: str) -> None:
    """Law 4 for plain floats: one rounding each way."""
    assert units.convert(units.convert(value, a, b), b, a) == pytest.approx(value, rel=4e-16)


@given(REASONABLE, st.floats(1e-6, 1.0))
def test_gross_and_contained_come_back(gross: float, content: float) -> None:
    """Law 4 between gross and contained."""
    there = units.contained_from_gross(gross, content)
    assert units.gross_from_contained(there, content) == pytest.approx(gross, rel=4e-16)


@given(st.sampled_from(MASS), st.sampled_from(MASS), st.sampled_from(MASS))
def test_factors_compose(a: str, b: str, c: str) -> None:
    """Law 4: two steps equal one, exactly."""
    assert units.factor(a, b) * units.factor(b, c) == units.factor(a, c)


PUBLISHED = [
    # USGS Mineral Commodity Summaries 2026 data release
    ("Nb2O5", "Nb", 0.69904, 1e-4),
    ("Ta2O5", "Ta", 0.81897, 1e-4),
    ("V2O5", "V", 0.56, 5e-4),
    ("GeO2", "Ge", 0.69, 5e-3),
    ("SrCO3", "Sr", 0.5935, 1e-4),
    ("NH4ReO4", "Re", 0.6942, 1e-4),
    ("As2O3", "As", 0.7571, 5e-4),
    # conversion factors of the lithium trade: Li 0.1654 in LiOH.H2O, 0.4645 in Li2O, 0.1879 in Li2CO3
    ("LiOH.H2O", "Li", 0.1654, 5e-5),
    ("Li2O", "Li", 0.4645, 5e-5),
    ("Li2CO3", "Li", 0.1879, 5e-5),
    ("Dy2O3", "Dy", 0.8713, 5e-5),
    ("Nd2O3", "Nd", 0.8574, 5e-5),
    ("WO3", "W", 0.7930, 5e-5),
    ("Cr2O3", "Cr", 0.6842, 5e-5),
    ("TiO2", "Ti", 0.5993, 6e-5),
    ("U3O8", "U", 0.8480, 5e-5),
]


@pytest.mark.parametrize(("formula", "element", "fraction", "tolerance"), PUBLISHED)
def test_published_mass_fractions(formula: str, element: str, fraction: float, tolerance: float) -> None:
    assert units.element_fraction(formula, element) == pytest.approx(fraction, abs=tolerance)


def test_published_equivalents() -> None:
    """Factors of the lithium trade: to LCE from Li 5.323, from Li2O 2.473, from LiOH.H2O 0.880."""
    assert units.convert_basis(1.0, "Li", "LCE") == pytest.approx(5.323, abs=5e-4)
    assert units.convert_basis(1.0, "Li2O", "LCE") == pytest.approx(2.473, abs=5e-4)
    assert units.convert_basis(1.0, "LiOH.H2O", "LCE") == pytest.approx(0.880, abs=5e-4)


@pytest.mark.parametrize(
    ("formula", "atoms"),
    [
        ("CuSO4.5H2O", {"Cu": 1, "S": 1, "O": 9, "H": 10}),
        ("NiSO4·6H2O", {"Ni": 1, "S": 1, "O": 10, "H": 12}),
        ("CeO1.83", {"Ce": 1, "O": Fraction("1.83")}),
        ("Li1.05Ni0.8O2", {"Li": Fraction("1.05"), "Ni": Fraction("0.8"), "O": 2}),
        ("(NH4)10H2W12O42.4H2O", {"N": 10, "H": 50, "W": 12, "O": 46}),
        ("Ni0.8Co0.2(OH)2", {"Ni": Fraction("0.8"), "Co": Fraction("0.2"), "O": 2, "H": 2}),
        ("Ca5[PO4]3F", {"Ca": 5, "P": 3, "O": 12, "F": 1}),
    ],
)
def test_formulas_are_read(formula: str, atoms: dict[str, Fraction]) -> None:
    assert composition(formula) == atoms


@given(st.dictionaries(st.sampled_from(sorted(ATOMIC_WEIGHTS)), st.integers(1, 30), min_size=1, max_size=6))
def test_mass_fractions_sum_to_one(atoms: dict[str, int]) -> None:
    formula = "".join(f"{e}{n}" for e, n in atoms.items())
    assert composition(formula) == atoms
    assert sum(units.element_fraction(formula, e) for e in atoms) == pytest.approx(1.0, abs=1e-12)


def test_every_rare_earth_has_an_oxide_basis() -> None:
    rare = re.findall(r"\w+", "Sc Y La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu")
    assert len(rare) == 17
    assert all(0.6 < units.element_fraction(units.oxide_of(e), e) < 0.9 for e in rare)
    assert units.convert_basis(1.0, "REO", "contained", element="Dy") == pytest.approx(0.8713, abs=5e-5)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: units.convert(1.0, "tonns", "kg"), r"unknown unit 'tonns'. Did you mean 'tonnes'"),
        (lambda: units.convert(1.0, "t", "month"), r"'t' is mass and 'month' is time"),
        (lambda: units.convert(1.0, "MUSD", "bn KRW"), r"exchange rate"),
        (lambda: units.convert(float("nan"), "t", "kg"), r"NaN"),
        (lambda: units.convert_basis(1.0, "Li", "Nb2O5"), r"counts Li and 'Nb2O5' counts Nb"),
        (lambda: units.convert_basis(1.0, "LCF", "Li"), r"unknown basis 'LCF'. Did you mean .*'LCE'"),
        (lambda: units.convert_basis(1.0, "REO", "contained"), r"which element"),
        (lambda: units.convert_basis(1.0, "gross", "Li"), r"content factor"),
        (lambda: units.contained_from_gross(1.0, 27.0), r"above 0 and at most 1"),
        (lambda: units.contained_from_gross(1.0, 0.0), r"above 0 and at most 1"),
        (lambda: units.element_fraction("Lt2O", "Li"), r"unknown element 'Lt'. Did you mean .*'Li'"),
        (lambda: units.element_fraction("Li2CO3", "Co"), r"Li2CO3 holds no Co"),
        (lambda: units.element_fraction("Li2(CO3", "Li"), r"cannot read"),
        (lambda: units.element_fraction("Li0O", "O"), r"counts zero"),
        (lambda: units.element_fraction("lithium", "Li"), r"cannot read"),
        (lambda: units.molar_mass(""), r"empty formula"),
        (lambda: units.exchange(1.0, "USD", "KRW", rate=0.0), r"must be positive"),
        (lambda: units.exchange(1.0, "t", "KRW", rate=1.0), r"not money"),
        (lambda: units.Quantity.of(1.0, "t").in_basis("LCE"), r"no basis"),
    ],
)
def test_errors_say_what_would_be_right(call, says: str) -> None:
    """Law 12: what was wrong and the nearest right value."""
    with pytest.raises(UnitError, match=says):
        call()


def test_publishers_unit_labels_are_known() -> None:
    assert units.convert(1.0, "metr. t", "kg") == 1000.0
    assert units.convert(1.0, "thousand USD", "USD") == 1000.0
    assert units.convert(1.0, "USD/kg", "USD/t") == 1000.0
    assert units.exchange(250.0, "bn KRW", "MUSD", rate=1 / 1453.5) == pytest.approx(172.0, abs=0.1)
