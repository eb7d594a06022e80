"""Pieces that the English and the Korean sentences share: numbers, ranges, passages."""

from __future__ import annotations

from evernormal.errors import InputError
from evernormal.network.uncertain import Uncertain

__all__ = ["PASSAGE_NAMES", "given", "is_all", "percent", "quantity"]

PASSAGE_NAMES = {
    "malacca": ("the Strait of Malacca", "말라카 해협"),
    "sunda": ("the Sunda Strait", "순다 해협"),
    "lombok": ("the Lombok Strait", "롬복 해협"),
    "suez": ("the Suez Canal", "수에즈 운하"),
    "panama": ("the Panama Canal", "파나마 운하"),
    "ormuz": ("the Strait of Hormuz", "호르무즈 해협"),
    "hormuz": ("the Strait of Hormuz", "호르무즈 해협"),
    "babalmandab": ("the Bab el-Mandeb Strait", "바브엘만데브 해협"),
    "gibraltar": ("the Strait of Gibraltar", "지브롤터 해협"),
    "bosporus": ("the Bosporus", "보스포루스 해협"),
    "taiwan": ("the Taiwan Strait", "대만 해협"),
    "south_africa": ("the Cape of Good Hope", "희망봉"),
}


def _number(value: float) -> str:
    return f"{value:,.10g}" if abs(value) < 1000 else f"{value:,.0f}"


def quantity(number: Uncertain, scale: float = 1.0, *, korean: bool = False, unit: str = "") -> str:
    """``60 %``, ``40 to 80 %`` or ``40 to 80 % (most likely 60 %)``."""
    parts = [_number(round(value * scale, 10)) for value in (number.low, number.high)]
    if number.is_fixed:
        return f"{parts[0]}{unit}"
    text = f"{parts[0]}{'~' if korean else ' to '}{parts[1]}{unit}"
    if number.mode is not None:
        mode = _number(round(number.mode * scale, 10))
        text += f" (최빈값 {mode}{unit})" if korean else f" (most likely {mode}{unit})"
    return text


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
