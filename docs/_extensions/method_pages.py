"""How the methods rank one country's forms, as Markdown: ranks, agreement, and why they differ."""

from __future__ import annotations

from functools import lru_cache

import polars as pl
from cells import table

from evernormal import risk
from evernormal.result import Result
from evernormal.risk.disagreement_reasons import METHODS

__all__ = ["method_agreement", "method_ranks", "stability_published"]

COUNTRY, YEAR = "KOR", 2023
PUBLISHED_2022 = (("lithium", 2.85), ("nickel", 7.41), ("cobalt", 5.6))
"""KOMIR's index, monthly means of the first half of 2022, via Hankook Ilbo."""


@lru_cache(maxsize=1)
def _compared() -> Result:
    return risk.method_disagreement(COUNTRY, YEAR)


def _rank(value: int | None) -> str:
    return "" if value is None else str(value)


def method_ranks() -> str:
    """Rank of every form by every method, the form they disagree most on first, and why."""
    rows = []
    for row in _compared()["ranks"].iter_rows(named=True):
        ends = ", ".join(f"{METHODS[row[end]].title} {row[row[end]]}" for end in ("worst", "best"))
        ranks = [_rank(row[name]) for name in METHODS]
        mark = " *" if row["none_at_home"] else ""
        rows.append((f"{row['form']}{mark}", *ranks, f"{ends}. {row['reason_en']}"))
    return table(("form", *(method.title for method in METHODS.values()), "widest apart, and why"), rows)


def method_agreement() -> str:
    """Kendall's tau of every pair of methods, and the form on which they differ most."""
    pairs = _compared()["correlation"].sort("tau", descending=True, nulls_last=True)
    rows = [
        (METHODS[row["method"]].title, METHODS[row["other"]].title,
         "" if row["tau"] is None else f"{row['tau']:.2f}", str(row["forms"]),
         "" if row["form"] is None else f"{row['form']} ({row['rank']} and {row['other_rank']})",
         row["reason_en"] or "")
        for row in pairs.iter_rows(named=True)
    ]  # fmt: skip
    return table(("method", "other", "tau", "forms", "widest apart (ranks)", "why"), rows)


def stability_published() -> str:
    """Our index of 2022 beside what KOMIR published for its first half."""
    found = risk.supply_stability([COUNTRY], 2022)["stability"]
    rows = []
    for material, level in PUBLISHED_2022:
        own = found.filter(pl.col("form").str.starts_with(f"{material}/")).drop_nulls("index").sort("form")
        for row in own.iter_rows(named=True):
            interval = f"{row['index_low']:.1f} to {row['index_high']:.1f}"
            band = str(risk.stability_band([level])[0])
            rows.append(
                (material, f"{level:.2f}", band, row["form"], f"{row['index']:.1f}", interval, row["band"])
            )
    return table(
        ("material", "KOMIR", "its band", "our form", "ours", "over other weights", "our band"), rows
    )
