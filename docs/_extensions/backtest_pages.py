"""The back-test, as Markdown: scores, failures, intervals, rules and registry, from the shipped tables."""

from __future__ import annotations

import polars as pl
from cells import frame, table

from evernormal.market.history.cleaning import RULES
from evernormal.market.history.episodes import registry, rejected
from evernormal.market.history.page import goals, side_by_side, worst_first
from evernormal.market.history.score_tables import interval_table
from evernormal.market.history.shipped import shipped_errors, shipped_rows

__all__ = [
    "backtest_failures",
    "backtest_goals",
    "backtest_intervals",
    "backtest_registry",
    "backtest_rules",
    "backtest_scores",
]

WORST = 12
_NUMBERS = ("value", "low", "high", "error")


def _table(name: str, numbers: tuple[str, ...]) -> pl.DataFrame:
    rows = pl.DataFrame(shipped_rows(name))
    return rows.with_columns(pl.col(numbers).cast(pl.Float64, strict=False))


def _same(data: pl.DataFrame) -> str:
    return frame(data, **{name: name for name in data.columns})


def backtest_scores(split: str) -> str:
    """Every rule and model on the episodes of a split."""
    return _same(side_by_side(_table("backtest_scores", _NUMBERS), split, every=True))


def backtest_goals() -> str:
    """What the reduced form was to reach, and reached."""
    return _same(goals(_table("backtest_scores", _NUMBERS)))


def backtest_failures() -> str:
    """The episodes on which the reduced form is worst against the rule, and every named policy."""
    names = [name for name in shipped_rows("backtest_episodes")[0] if "_" in name and name != "rules_broken"]
    found = worst_first(_table("backtest_episodes", ("lost", *names)))
    shown = found.with_row_index().filter((pl.col("index") < WORST) | (pl.col("policy") != ""))
    return _same(shown.drop("index"))


def backtest_intervals() -> str:
    """Width and coverage of the intervals."""
    made = interval_table(shipped_errors())
    floats = [name for name, dtype in made.schema.items() if dtype.is_float()]
    return _same(made.with_columns(pl.col(floats).round(2)))


def backtest_rules() -> str:
    """Every cleaning rule, and how many candidates broke it."""
    broken = [name for row in rejected() for name in row["rules"].split()]
    rows = [
        (r.name, "presumption" if r.presumption else "measurement", broken.count(r.name), r.text)
        for r in RULES
    ]
    return table(("rule", "kind", "candidates that break it", "what it rejects"), rows)


def backtest_registry() -> str:
    """Every core episode."""
    rows = [(e.code, e.year, e.exporters, f"{e.lost:.2f}", e.split, e.policy) for e in registry()]
    return table(("code", "year", "exporters", "lost share of the world", "split", "policy"), rows)
