"""Units, bases and stoichiometry: a tiny explicit registry, exact in rational arithmetic (law 4).

Three questions are kept apart, because mixing them is how "tonnes" go wrong:

- *unit*: tonnes or kilograms, dollars or thousand dollars, days or years (:func:`convert`);
- *basis*: tonnes of what, the element, its oxide, lithium carbonate equivalent (:func:`convert_basis`);
- *gross or contained*: what the scale weighed against what the metallurgist counts; this needs a content
  factor and never happens by itself (:func:`contained_from_gross`, :func:`gross_from_contained`).

Factors are fractions, so nothing is lost on the way there and back: :class:`Quantity` returns the very
number; the float functions round once, at the end.  Currencies need a dated rate (:func:`exchange`).
Atomic weights are in :mod:`evernormal.elements`.

>>> convert(2.5, "kt", "t")
2500.0
>>> round(convert_basis(1.0, "Li", "LCE"), 3)           # lithium to lithium carbonate equivalent
5.323
>>> round(element_fraction("LiOH.H2O", "Li"), 4), round(element_fraction("Dy2O3", "Dy"), 4)
(0.1654, 0.8713)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType

from evernormal.elements import exact_element_fraction, exact_molar_mass
from evernormal.errors import UnitError, nearest

__all__ = [
    "BASES",
    "MONTH_DAYS",
    "UNITS",
    "YEAR_DAYS",
    "Basis",
    "Quantity",
    "Unit",
    "basis_factor",
    "contained_from_gross",
    "convert",
    "convert_basis",
    "element_fraction",
    "exchange",
    "factor",
    "gross_from_contained",
    "molar_mass",
    "oxide_of",
    "unit",
]

YEAR_DAYS = 365
"""Days of the year in which days of cover are counted."""

MONTH_DAYS = Fraction(YEAR_DAYS, 12)
"""Days of a month: one twelfth of a year."""


@dataclass(frozen=True)
class Unit:
    """One unit: what it measures and how many base units it holds.

    Attributes:
        name: as written, such as ``t`` or ``USD/t``.
        kind: ``mass``, ``time``, ``number``, ``money:USD`` or a quotient of two of them.
        factor: base units (gram, day, one, one currency unit) in one of this unit, exact.
    """

    name: str
    kind: str
    factor: Fraction


@dataclass(frozen=True)
class Basis:
    """What is counted: an element, or that element written as a compound.

    Attributes:
        name: as the trade writes it, such as ``LCE`` or ``Nb2O5``.
        element: symbol of the element that the basis stands for.
        formula: compound in which it is expressed; the element itself when it is contained metal.
    """

    name: str
    element: str
    formula: str


def _registry() -> dict[str, Unit]:
    gram = Fraction(1)
    pound = Fraction("453.59237")
    mass = {
        "mg": gram / 1000,
        "g": gram,
        "kg": gram * 1000,
        "t": gram * 10**6,
        "kt": gram * 10**9,
        "Mt": gram * 10**12,
        "lb": pound,
        "short ton": pound * 2000,
        "long ton": pound * 2240,
        "oz t": Fraction("31.1034768"),
        "ct": Fraction(1, 5),
        "mtu": gram * 10**4,
    }
    time = {
        "d": Fraction(1),
        "week": Fraction(7),
        "month": MONTH_DAYS,
        "year": Fraction(YEAR_DAYS),
    }
    number = {"1": Fraction(1), "%": Fraction(1, 100), "ppm": Fraction(1, 10**6)}
    units = {name: Unit(name, "mass", f) for name, f in mass.items()}
    units |= {name: Unit(name, "time", f) for name, f in time.items()}
    units |= {name: Unit(name, "number", f) for name, f in number.items()}
    scales = (("", 1), ("k", 10**3), ("M", 10**6), ("bn ", 10**9))
    for currency in ("USD", "KRW", "EUR", "CNY", "JPY", "GBP", "AUD"):
        for prefix, scale in scales:
            units[prefix + currency] = Unit(prefix + currency, f"money:{currency}", Fraction(scale))
    return units


UNITS: Mapping[str, Unit] = MappingProxyType(_registry())
"""Every simple unit.  ``mtu`` is the metric ton unit of ore prices: one hundredth of a tonne."""

_OTHER_NAMES = {
    "t": ("tonne", "tonnes", "metr. t", "metric ton", "metric tons"),
    "kt": ("thousand metric tons",),
    "Mt": ("million metric tons",),
    "kg": ("kilogram", "kilograms"),
    "g": ("gram", "grams"),
    "oz t": ("troy ounce",),
    "ct": ("carat",),
    "lb": ("pound",),
    "d": ("day", "days"),
    "week": ("weeks",),
    "month": ("months",),
    "year": ("years", "a"),
    "1": ("fraction",),
    "%": ("percent",),
    "kUSD": ("thousand USD",),
    "MUSD": ("million USD",),
    "bn USD": ("billion USD",),
    "USD": ("dollars",),
}

_ALIASES = {alias: name for name, aliases in _OTHER_NAMES.items() for alias in aliases}


def unit(name: str) -> Unit:
    """Return a unit by name, alias or quotient.

    Args:
        name: such as ``t``, ``metr. t``, ``USD/t``, ``t/month``.

    Raises:
        UnitError: the unit is unknown; the nearest is named.

    >>> unit("USD/t").kind
    'money:USD/mass'
    >>> unit("tonns")
    Traceback (most recent call last):
    ...
    evernormal.errors.UnitError: unknown unit 'tonns'. Did you mean 'tonnes' or 'tonne'?
    """
    text = name.strip()
    if text in UNITS:
        return UNITS[text]
    if text in _ALIASES:
        return UNITS[_ALIASES[text]]
    over, slash, under = text.partition("/")
    if slash and over and under and "/" not in under:
        numerator, denominator = unit(over), unit(under)
        return Unit(text, f"{numerator.kind}/{denominator.kind}", numerator.factor / denominator.factor)
    raise UnitError(f"unknown unit {name!r}", cure=_suggest(text, [*UNITS, *_ALIASES]))


def _suggest(name: str, options: list[str]) -> str:
    close = nearest(name, options)
    if close:
        return f"Did you mean {' or '.join(repr(c) for c in close)}?"
    return f"Known: {', '.join(sorted(options)[:40])}."


def factor(source: str, target: str) -> Fraction:
    """Return how many ``target`` units make one ``source`` unit, exactly.

    Raises:
        UnitError: a unit is unknown, or the two measure different things.

    >>> factor("t", "kg")
    Fraction(1000, 1)
    >>> factor("USD/kg", "USD/t")
    Fraction(1000, 1)
    >>> factor("t", "d")
    Traceback (most recent call last):
    ...
    evernormal.errors.UnitError: 't' is mass and 'd' is time. Convert only within one kind.
    """
    a, b = unit(source), unit(target)
    if a.kind != b.kind:
        cure = "Convert only within one kind."
        if a.kind.startswith("money:") and b.kind.startswith("money:") and "/" not in a.kind + b.kind:
            cure = "Give the dated exchange rate to exchange()."
        raise UnitError(f"{source!r} is {a.kind} and {target!r} is {b.kind}", cure=cure)
    return a.factor / b.factor


def _finite(value: float, what: str) -> Fraction:
    if not math.isfinite(value):
        raise UnitError(f"{what} is {value}", cure="Leave out what is unknown; do not pass NaN or infinity.")
    return Fraction(value)


def convert(value: float, source: str, target: str) -> float:
    """Return ``value`` in another unit, rounded once.

    >>> convert(1.0, "lb", "kg")
    0.45359237
    >>> convert(73.0, "d", "year")
    0.2
    """
    return float(_finite(value, "the value to convert") * factor(source, target))


def exchange(value: float, source: str, target: str, rate: float) -> float:
    """Return money in another currency.

    Args:
        value: amount in ``source``.
        source: money unit, such as ``MUSD``.
        target: money unit of another currency, such as ``bn KRW``.
        rate: whole units of the target currency for one whole unit of the source currency, of a known day.

    >>> exchange(172.0, "MUSD", "bn KRW", rate=1450.0)
    249.4
    """
    a, b = unit(source), unit(target)
    for u in (a, b):
        if not u.kind.startswith("money:") or "/" in u.kind:
            raise UnitError(f"{u.name!r} is {u.kind}, not money", cure="Exchange amounts of money only.")
    if not rate > 0:
        raise UnitError(f"exchange rate is {rate}", cure="It must be positive.")
    exact = _finite(value, "the amount") * a.factor * _finite(rate, "the rate") / b.factor
    return float(exact)


# --- stoichiometry ------------------------------------------------------------


def molar_mass(formula: str) -> float:
    """Return grams per mole of a compound.

    Args:
        formula: such as ``Li2CO3``, ``LiOH.H2O``, ``NiSO4·6H2O``, ``Ni0.8Co0.1Mn0.1(OH)2``, ``CeO1.83``.

    Raises:
        UnitError: the formula cannot be read, or names an element that does not exist.

    >>> round(molar_mass("Li2CO3"), 3)
    73.888
    """
    return float(exact_molar_mass(formula))


def element_fraction(formula: str, element: str) -> float:
    """Return kilograms of an element in one kilogram of a pure compound (equation E30).

    Raises:
        UnitError: the formula cannot be read, or does not hold the element.

    Published factors it meets (USGS Mineral Commodity Summaries 2026: Nb2O5 69.904 %, Ta2O5 81.897 %,
    GeO2 69 %, V2O5 0.56, SrCO3 59.35 %):

    >>> [round(element_fraction(f, e), 4) for f, e in (("Nb2O5", "Nb"), ("Ta2O5", "Ta"), ("V2O5", "V"))]
    [0.699, 0.819, 0.5602]
    >>> [round(element_fraction(f, e), 4) for f, e in (("Li2O", "Li"), ("GeO2", "Ge"), ("SrCO3", "Sr"))]
    [0.4645, 0.6942, 0.5935]
    """
    return float(exact_element_fraction(formula, element))


# --- basis --------------------------------------------------------------------

_OXIDE_TABLE = """
Li Li2O  Mg MgO  Al Al2O3  Si SiO2  Ti TiO2  V V2O5  Cr Cr2O3  Mn MnO2  Co Co3O4  Ni NiO  Zn ZnO
Ga Ga2O3  Ge GeO2  Sr SrO  Zr ZrO2  Nb Nb2O5  Mo MoO3  In In2O3  Sn SnO2  Sb Sb2O3  Ta Ta2O5  W WO3
Bi Bi2O3  U U3O8  Sc Sc2O3  Y Y2O3  La La2O3  Ce CeO2  Pr Pr6O11  Nd Nd2O3  Pm Pm2O3  Sm Sm2O3
Eu Eu2O3  Gd Gd2O3  Tb Tb4O7  Dy Dy2O3  Ho Ho2O3  Er Er2O3  Tm Tm2O3  Yb Yb2O3  Lu Lu2O3
"""

_OXIDES = dict(zip(_OXIDE_TABLE.split()[::2], _OXIDE_TABLE.split()[1::2], strict=True))


def oxide_of(element: str) -> str:
    """Return the oxide in which the trade counts an element (REO for a rare earth).

    >>> oxide_of("Nd"), oxide_of("Ce"), oxide_of("Pr"), oxide_of("Tb")
    ('Nd2O3', 'CeO2', 'Pr6O11', 'Tb4O7')
    """
    if element not in _OXIDES:
        raise UnitError(f"no oxide basis for {element!r}", cure=_suggest(element, list(_OXIDES)))
    return _OXIDES[element]


def _bases() -> dict[str, Basis]:
    bases = {element: Basis(element, element, element) for element in _OXIDES}
    bases |= {formula: Basis(formula, element, formula) for element, formula in _OXIDES.items()}
    bases["LCE"] = Basis("LCE", "Li", "Li2CO3")
    for name in ("Li2CO3", "LiOH.H2O", "LiOH"):
        bases[name] = Basis(name, "Li", name)
    bases["APT"] = Basis("APT", "W", "(NH4)10H2W12O42.4H2O")
    for formula, element in (("V2O3", "V"), ("CoO", "Co"), ("Co(OH)2", "Co"), ("MnO", "Mn"), ("MoS2", "Mo")):
        bases[formula] = Basis(formula, element, formula)
    return bases


BASES: Mapping[str, Basis] = MappingProxyType(_bases())
"""Every basis by the name that the trade uses; an element's symbol means contained element."""


def _basis(name: str, element: str) -> Basis:
    wanted = name
    if name in ("contained", "element"):
        wanted = element
    elif name in ("oxide", "REO"):
        wanted = oxide_of(element) if element else name
    if name in ("gross",):
        raise UnitError(
            "a gross weight has no basis factor",
            cure="Use contained_from_gross() or gross_from_contained() with a content factor.",
        )
    if not wanted or wanted not in BASES:
        hint = "Say which element with element=." if wanted in ("", "REO", "oxide") else ""
        raise UnitError(f"unknown basis {name!r}", cure=hint or _suggest(name, list(BASES)))
    return BASES[wanted]


def basis_factor(source: str, target: str, element: str = "") -> Fraction:
    """Return how many tonnes on basis ``target`` express one tonne on basis ``source``, exactly.

    Args:
        source: an element symbol, an oxide, ``LCE``, ``APT``, ``contained``, ``oxide`` or ``REO``.
        target: as ``source``.
        element: needed by ``contained``, ``oxide`` and ``REO``.

    Raises:
        UnitError: a basis is unknown, or the two stand for different elements.

    >>> round(float(basis_factor("Li2O", "LCE")), 3)
    2.473
    >>> round(float(basis_factor("REO", "contained", element="Nd")), 4)
    0.8574
    """
    a, b = _basis(source, element), _basis(target, element)
    if a.element != b.element:
        raise UnitError(
            f"basis {source!r} counts {a.element} and {target!r} counts {b.element}",
            cure="Convert only between bases of one element.",
        )
    return exact_element_fraction(a.formula, a.element) / exact_element_fraction(b.formula, b.element)


def convert_basis(value: float, source: str, target: str, element: str = "") -> float:
    """Return a mass on another basis, rounded once.

    >>> round(convert_basis(100.0, "LiOH.H2O", "LCE"), 1)
    88.0
    """
    return float(_finite(value, "the value to convert") * basis_factor(source, target, element))


def contained_from_gross(gross: float, content: float) -> float:
    """Return contained mass from gross mass and content (equation E31).

    Args:
        gross: any mass unit.
        content: kilograms contained in one kilogram gross, above 0 and at most 1.

    >>> contained_from_gross(1000.0, 0.27)
    270.0
    """
    return float(_finite(gross, "the gross mass") * _content(content))


def gross_from_contained(contained: float, content: float) -> float:
    """Return gross mass from contained mass and content (equation E31, turned round).

    >>> gross_from_contained(270.0, 0.27)
    1000.0
    """
    return float(_finite(contained, "the contained mass") / _content(content))


def _content(content: float) -> Fraction:
    if not 0 < content <= 1:
        raise UnitError(f"content is {content}", cure="It must be above 0 and at most 1 (kg per kg gross).")
    # The decimal that was written, not its binary neighbour: 0.27 means 27/100.
    return Fraction(str(content))


@dataclass(frozen=True)
class Quantity:
    """A mass, time or money with unit and basis, exact until asked for a float (law 4).

    Attributes:
        value: exact magnitude.
        unit: unit name.
        basis: ``""`` (none), ``gross`` or a basis of :data:`BASES`.

    >>> q = Quantity.of(0.1, "t", "Li")
    >>> float(q.to("kg").in_basis("LCE").in_basis("Li").to("t")) == 0.1
    True
    """

    value: Fraction
    unit: str
    basis: str = ""

    @classmethod
    def of(cls, value: float, unit_name: str, basis: str = "") -> Quantity:
        """Make a quantity from a number, a unit name and a basis."""
        unit(unit_name)
        if basis not in ("", "gross"):
            _basis(basis, "")
        return cls(_finite(value, "the value"), unit_name, basis)

    def to(self, unit_name: str) -> Quantity:
        """Return the same quantity in another unit."""
        return Quantity(self.value * factor(self.unit, unit_name), unit_name, self.basis)

    def in_basis(self, basis: str) -> Quantity:
        """Return the same quantity on another basis of the same element."""
        if not self.basis:
            raise UnitError(f"{self} has no basis", cure="Say what it is tonnes of when you make it.")
        return Quantity(self.value * basis_factor(self.basis, basis), self.unit, basis)

    def __float__(self) -> float:
        return float(self.value)

    def __str__(self) -> str:
        return f"{float(self.value):g} {self.unit} {self.basis}".rstrip()
