"""Pieces that the English and the Korean sentences share: numbers and ranges."""

from __future__ import annotations

from evernormal.errors import InputError
from evernormal.network.uncertain import Uncertain

__all__ = ["given", "is_all", "percent", "quantity"]


def _number(value: float) -> str:
    return f"{value:,.10g}" if abs(value) < 1000 else f"{value:,.0f}"


def quantity(number: Uncertain, scale: float = 1.0, *, korean: bool = False, unit: str = "") -> str:
    """Return ``60 %``, ``40 to 80 %`` or, with a most likely value, ``60 % (40 to 80 %)``."""
    low, central, high = (
        _number(round(value * scale, 10)) for value in (number.low, number.central(), number.high)
    )
    if number.is_fixed:
        return f"{low}{unit}"
    span = f"{low}~{high}{unit}" if korean else f"{low} to {high}{unit}"
    if number.mode is None:
        return span
    return f"{central}{unit}({span})" if korean else f"{central}{unit} ({span})"


def percent(number: Uncertain, *, korean: bool = False) -> str:
    """Return a share in per cent, spaced as the language does."""
    return quantity(number, 100, korean=korean, unit="%" if korean else " %")


def is_all(number: Uncertain) -> bool:
    """Return whether a share is exactly one."""
    return number.is_fixed and number.low == 1


def given(number: Uncertain | None) -> Uncertain:
    """Return an amount that the measure classes guarantee."""
    if number is None:  # pragma: no cover - the classes refuse it
        raise InputError("an amount is missing")
    return number
