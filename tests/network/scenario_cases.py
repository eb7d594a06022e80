"""Hypothesis strategies for hardness, measures and scenarios."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

COUNTRIES = ("CHN", "USA", "JPN", "AUS", "CHL", "NOR", "IDN", "DEU")
FORMS = ("lithium/hydroxide", "lithium/carbonate", "graphite/natural", "tin/ore")
TEXT = st.text(max_size=60).filter(lambda t: all(c.isprintable() or c in "\n " for c in t) and _encodable(t))
TRICKY = st.sampled_from(
    ["NO", "yes", "1e3", "0x1F", "2024-01-01", "null", "~", "12:30", "- a", "a: b", "# x", "'"]
)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def numbers(low: float, high: float) -> st.SearchStrategy[Any]:
    """A number, a uniform range or a triangular one, as a file writes them."""
    value = st.floats(low, high, allow_nan=False).map(lambda x: round(x, 6))
    pair = st.tuples(value, value).map(sorted).map(lambda v: {"low": v[0], "high": v[1]})
    three = (
        st.tuples(value, value, value).map(sorted).map(lambda v: {"low": v[0], "mode": v[1], "high": v[2]})
    )
    return st.one_of(value, pair, three)


@st.composite
def windows(draw: st.DrawFn) -> dict[str, str]:
    """Dates in a right order; in force on at least one day between 2024-01-01 and 2025-12-31."""
    effective = date(2024, 1, 1) + timedelta(days=draw(st.integers(0, 700)))
    dates = {"effective": effective}
    if draw(st.booleans()):
        dates["announced"] = effective - timedelta(days=draw(st.integers(0, 90)))
    last = effective
    if draw(st.booleans()):
        dates["suspended"] = last = last + timedelta(days=draw(st.integers(1, 200)))
        if draw(st.booleans()):
            dates["resumes"] = last = last + timedelta(days=draw(st.integers(1, 200)))
    if draw(st.booleans()):
        dates["ends"] = last + timedelta(days=draw(st.integers(1, 400)))
    return {name: day.isoformat() for name, day in dates.items()}


@st.composite
def measures(draw: st.DrawFn, index: int = 0) -> dict[str, Any]:
    """One measure of a random kind, as plain data."""
    hard: dict[str, Any] = draw(
        st.sampled_from(
            [
                {"kind": "ban", "severity": numbers(0, 1)},
                {"kind": "quota", "share_of_base": numbers(0, 10)},
                {"kind": "quota", "tonnes_per_year": numbers(0, 1e6)},
                {
                    "kind": "licence",
                    "delay_days": numbers(0, 365),
                    "approval_share": numbers(0.5, 1),
                    "first_approval_share": numbers(0, 0.5),
                    "approval_months": numbers(0, 24),
                    "covers": numbers(0, 1),
                },
                {"kind": "inspection", "delay_days": numbers(0, 60)},
                {"kind": "tariff", "rate": numbers(0, 3)},
                {"kind": "dumping", "price_cut": numbers(0, 0.9)},
                {"kind": "accident", "capacity_lost": numbers(0, 1)},
                {"kind": "demand_surge", "growth": numbers(0, 2)},
            ]
        )
    )
    fixed = {
        key: draw(value) if isinstance(value, st.SearchStrategy) else value for key, value in hard.items()
    }
    by = draw(st.sampled_from(COUNTRIES))
    data = {**fixed, "id": f"m{index}", "by": by, **draw(windows())}
    if fixed["kind"] not in {"accident", "demand_surge"} and draw(st.booleans()):
        others = st.sampled_from([c for c in (*COUNTRIES, "focal") if c != by])
        data["against"] = draw(st.lists(others, unique=True, min_size=1, max_size=3))
    if draw(st.booleans()):
        data["forms"] = draw(st.lists(st.sampled_from(FORMS), unique=True, min_size=1, max_size=2))
    if draw(st.booleans()):
        data["note"] = draw(st.one_of(TEXT, TRICKY))
    return data


@st.composite
def scenarios(draw: st.DrawFn) -> dict[str, Any]:
    """A scenario as plain data."""
    count = draw(st.integers(0, 4))
    data: dict[str, Any] = {
        "name": draw(st.sampled_from(["a", "a-1", "case-2024"])),
        "title": {"en": draw(st.one_of(TRICKY, TEXT.filter(bool))), "ko": draw(TEXT)},
        "form": draw(st.sampled_from(FORMS)),
        "focal": "KOR",
        "base_year": draw(st.integers(1995, 2024)),
        "start": "2024-01",
        "months": 24,
        "measures": [draw(measures(index)) for index in range(count)],
        "seed": draw(st.integers(0, 2**40)),
        "tags": draw(st.lists(TRICKY, unique=True, max_size=3)),
        "sources": [
            {"title": draw(TRICKY), "reference": draw(TRICKY)} for _ in range(draw(st.integers(0, 2)))
        ],
    }
    if draw(st.booleans()):
        data["policies"] = [
            {
                "kind": "stock_release",
                "id": "release",
                "effective": "2024-03-01",
                "share": draw(numbers(0, 1)),
            }
        ]
    return data
