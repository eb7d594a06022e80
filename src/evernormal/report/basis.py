"""Tonnes of what: an amount told to a reader says what it is contained in and how much product that makes.

The figures of a result are tonnes contained (law 4).  A sentence adds the product that holds them where the
result knows ``gross_per_contained``; where it does not, it says that the tonnes are contained.
"""

from __future__ import annotations

from evernormal.report.reading import Reading

__all__ = ["amount", "basis", "remark"]

SAME = 0.02
"""Product that weighs this little more than what it contains is not told apart from it."""


def amount(reading: Reading, contained_t: float | None, *, listed: bool = False) -> str:
    """Return an amount for a sentence, such as ``6,670 t of lithium (about 40,300 t of product)``.

    Args:
        reading: the result in its language.
        contained_t: tonnes contained; None when unknown.
        listed: whether it sums up other amounts of the sentence, which are contained: contained comes first.
    """
    words, name = reading.words, reading.contained_name
    shown = words.tonnes(contained_t, rounded=True)
    if contained_t is None or not name:
        return shown
    case = _case(reading)
    if case == "same" and name in reading.form_inline:
        return shown
    key = f"basis.{case}_listed" if listed and case == "both" else f"basis.{case}"
    return words.text(key, amount=shown, name=name, product=_product(reading, contained_t))


def remark(reading: Reading, contained_t: float | None) -> str:
    """Return what to say below an amount: of what it is, and about how much product holds it."""
    name = reading.contained_name
    if contained_t is None or not name:
        return ""
    product = _product(reading, contained_t)
    return reading.words.text(f"basis.{_case(reading)}_note", name=name, product=product)


def basis(reading: Reading) -> str:
    """Return the sentence on the unit of every quantity of a page."""
    factor = reading.value("gross_per_contained")
    key = "brief.basis" if factor is None else "brief.basis_gross"
    words, name = reading.words, reading.contained_name
    unit = words.text("unit.contained", element=name) if name else reading.unit
    return words.text(key, unit=unit, short=reading.column_unit, factor=words.number(factor, 2))


def _case(reading: Reading) -> str:
    factor = reading.value("gross_per_contained")
    if factor is None:
        return "contained"
    return "same" if abs(factor - 1.0) < SAME else "both"


def _product(reading: Reading, contained_t: float) -> str:
    factor = reading.value("gross_per_contained")
    return reading.words.tonnes(None if factor is None else contained_t * factor, rounded=True)
