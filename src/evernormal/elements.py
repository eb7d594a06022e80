"""Atomic weights and chemical formulas, in exact fractions.

Weights: IUPAC standard atomic weights 2021, abridged to five figures (Prohaska and others 2022, Pure and
Applied Chemistry 94(5), 573-600, doi 10.1515/pac-2019-0603; Commission on Isotopic Abundances and Atomic
Weights, CIAAW).  Promethium has no stable isotope and no standard weight: the mass number of its
longest-lived isotope stands in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType

from evernormal.errors import UnitError, nearest

__all__ = ["ATOMIC_WEIGHTS", "composition", "exact_element_fraction", "exact_molar_mass"]

_TABLE = """
H 1.0080 He 4.0026 Li 6.94 Be 9.0122 B 10.81 C 12.011 N 14.007 O 15.999 F 18.998 Ne 20.180 Na 22.990
Mg 24.305 Al 26.982 Si 28.085 P 30.974 S 32.06 Cl 35.45 Ar 39.95 K 39.098 Ca 40.078 Sc 44.956 Ti 47.867
V 50.942 Cr 51.996 Mn 54.938 Fe 55.845 Co 58.933 Ni 58.693 Cu 63.546 Zn 65.38 Ga 69.723 Ge 72.630
As 74.922 Se 78.971 Br 79.904 Kr 83.798 Rb 85.468 Sr 87.62 Y 88.906 Zr 91.224 Nb 92.906 Mo 95.95
Ru 101.07 Rh 102.91 Pd 106.42 Ag 107.87 Cd 112.41 In 114.82 Sn 118.71 Sb 121.76 Te 127.60 I 126.90
Xe 131.29 Cs 132.91 Ba 137.33 La 138.91 Ce 140.12 Pr 140.91 Nd 144.24 Pm 145 Sm 150.36 Eu 151.96
Gd 157.25 Tb 158.93 Dy 162.50 Ho 164.93 Er 167.26 Tm 168.93 Yb 173.05 Lu 174.97 Hf 178.49 Ta 180.95
W 183.84 Re 186.21 Os 190.23 Ir 192.22 Pt 195.08 Au 196.97 Hg 200.59 Tl 204.38 Pb 207.2 Bi 208.98
Th 232.04 Pa 231.04 U 238.03
"""


def _weights() -> dict[str, Fraction]:
    words = _TABLE.split()
    return {symbol: Fraction(weight) for symbol, weight in zip(words[::2], words[1::2], strict=True)}


ATOMIC_WEIGHTS: Mapping[str, Fraction] = MappingProxyType(_weights())
"""Grams per mole by element symbol."""

_TOKEN = re.compile(r"([A-Z][a-z]?)|([(\[])|([)\]])|(\d+(?:\.\d+)?)")
# A full stop begins a hydrate when water follows it ("NiSO4.6H2O"), unless a lone zero stands before it.
_HYDRATE = re.compile(r"[·•*]|(?<![A-Za-z)]0)\.(?=\d*H2O)|\.(?=[A-Z(\[])")
_COEFFICIENT = re.compile(r"^\d+(?:\.\d+)?")


def composition(formula: str) -> dict[str, Fraction]:
    """Return moles of each element in one mole of a compound.

    Args:
        formula: element symbols, counts (whole or decimal), brackets, and parts joined by ``·`` or ``.``,
            each with an optional coefficient: ``Ni0.8Co0.1Mn0.1(OH)2``, ``CeO1.83``, ``CuSO4.5H2O``.

    Raises:
        UnitError: the formula cannot be read; the nearest element is named.

    >>> {k: int(v) for k, v in composition("NiSO4.6H2O").items()}
    {'Ni': 1, 'S': 1, 'O': 10, 'H': 12}
    >>> composition("Lt2O")
    Traceback (most recent call last):
    ...
    evernormal.errors.UnitError: formula 'Lt2O': unknown element 'Lt'. Did you mean 'La' or 'Li' or 'Lu'?
    """
    text = formula.strip().replace(" ", "")
    total: dict[str, Fraction] = {}
    if not text:
        raise UnitError("an empty formula", cure="Write it such as Li2CO3.")
    for part in _HYDRATE.split(text):
        match = _COEFFICIENT.match(part)
        times = Fraction(match.group()) if match else Fraction(1)
        body = part[match.end() :] if match else part
        for element, count in _group(body, formula).items():
            total[element] = total.get(element, Fraction(0)) + times * count
    if not all(count > 0 for count in total.values()):
        raise UnitError(f"formula {formula!r}: an element counts zero", where="", cure="Leave it out.")
    return total


def _group(body: str, formula: str) -> dict[str, Fraction]:
    """Count the atoms of one part, brackets included."""
    stack: list[dict[str, Fraction]] = [{}]
    last: dict[str, Fraction] = {}
    position = 0
    for token in _TOKEN.finditer(body):
        if token.start() != position:
            break
        position = token.end()
        symbol, opening, closing, number = token.groups()
        if symbol:
            _known(symbol, formula)
            last = {symbol: Fraction(1)}
            _add(stack[-1], last, Fraction(1))
        elif opening:
            stack.append({})
            last = {}
        elif closing and len(stack) > 1:
            last = stack.pop()
            _add(stack[-1], last, Fraction(1))
        elif number and last:
            _add(stack[-1], last, Fraction(number) - 1)
            last = {}
        else:
            raise _unreadable(formula, body[token.start() :])
    if position != len(body) or len(stack) != 1 or not stack[0]:
        raise _unreadable(formula, body[position:] or body)
    return stack[0]


def _add(into: dict[str, Fraction], what: Mapping[str, Fraction], times: Fraction) -> None:
    for element, count in what.items():
        into[element] = into.get(element, Fraction(0)) + times * count


def _known(symbol: str, formula: str) -> None:
    if symbol in ATOMIC_WEIGHTS:
        return
    near = sorted(s for s in ATOMIC_WEIGHTS if s[0] == symbol[0] and len(s) == len(symbol))[:3]
    near = near or nearest(symbol, ATOMIC_WEIGHTS)
    cure = f"Did you mean {' or '.join(repr(n) for n in near)}?" if near else "Use element symbols."
    raise UnitError(f"unknown element {symbol!r}", where=f"formula {formula!r}", cure=cure)


def _unreadable(formula: str, rest: str) -> UnitError:
    return UnitError(
        f"cannot read {rest!r}",
        where=f"formula {formula!r}",
        cure="Write symbols, counts and brackets, such as Ni0.8Co0.1Mn0.1(OH)2 or LiOH·H2O.",
    )


def exact_molar_mass(formula: str) -> Fraction:
    """Return grams per mole, exactly.

    >>> exact_molar_mass("H2O")
    Fraction(3603, 200)
    """
    return sum((ATOMIC_WEIGHTS[e] * n for e, n in composition(formula).items()), Fraction(0))


def exact_element_fraction(formula: str, element: str) -> Fraction:
    """Return kilograms of an element per kilogram of a pure compound, exactly (equation E30).

    >>> exact_element_fraction("Li", "Li")
    Fraction(1, 1)
    """
    atoms = composition(formula)
    _known(element, element)
    if element not in atoms:
        raise UnitError(f"{formula} holds no {element}", cure=f"It holds {', '.join(sorted(atoms))}.")
    return ATOMIC_WEIGHTS[element] * atoms[element] / exact_molar_mass(formula)
