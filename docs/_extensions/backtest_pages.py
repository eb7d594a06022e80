"""The back-test, as Markdown from the shipped tables: words, scores, failures, intervals, rules, registry."""

from __future__ import annotations

import polars as pl
from cells import frame, table

from evernormal.market.history import page
from evernormal.market.history.cleaning import RULES
from evernormal.market.history.episodes import registry, rejected
from evernormal.market.history.licence import licence_defaults, licence_months, licence_parameters
from evernormal.market.history.score_tables import interval_table
from evernormal.market.history.shipped import shipped_errors, shipped_rows

__all__ = [
    "backtest_aims",
    "backtest_bans",
    "backtest_defaults",
    "backtest_failures",
    "backtest_intervals",
    "backtest_licences",
    "backtest_misses",
    "backtest_models",
    "backtest_record",
    "backtest_registry",
    "backtest_rules",
    "backtest_splits",
    "backtest_words",
]

WORST = 12
_NUMBERS = ("value", "low", "high", "error", "episodes")


def _scores() -> pl.DataFrame:
    rows = pl.DataFrame(shipped_rows("backtest_scores"))
    return rows.with_columns(pl.col(_NUMBERS).cast(pl.Float64, strict=False)).with_columns(
        pl.col("episodes").cast(pl.Int64)
    )


def _episodes() -> pl.DataFrame:
    rows = shipped_rows("backtest_episodes")
    numbers = [name for name in rows[0] if "_" in name and name != "rules_broken"]
    return pl.DataFrame(rows).with_columns(pl.col("lost", *numbers).cast(pl.Float64, strict=False))


def _same(data: pl.DataFrame) -> str:
    return frame(data, **{name: name for name in data.columns})


def _score(name: str, model: str = "reduced form") -> dict[str, float]:
    found = _scores().filter(
        (pl.col("split") == "cross-validated")
        & (pl.col("known") == "nothing else")
        & (pl.col("model") == model)
        & (pl.col("score") == name)
    )
    return found.row(0, named=True)


def backtest_words() -> str:
    """How good the model is, in four sentences."""
    rule, model = _score("imports", "pro-rata cut"), _score("imports")
    largest = interval_table(shipped_errors()).row(0, named=True)
    right = _score("sign of unit value, large losses")
    return (
        f"Tried on {model['episodes']} export cuts since 1997. Summed over importers, the simple rule (last"
        f" year's flows, the exporter's share taken out) is wrong by {100 * rule['error']:.0f} % of world"
        f" trade, the model by {100 * model['error']:.0f} %: **{100 * model['value']:.0f} % less error**"
        f" (80 % interval {100 * model['low']:.0f} to {100 * model['high']:.0f}). That is better, and it is"
        " not good: for an importer with over a tenth of the world's imports, the truth lies between"
        f" {largest['low']:.2f} and {largest['high']:.2f} times the forecast in four cases of five. Where"
        " over a fifth of world trade is lost, the model knows whether the price rises or falls in"
        f" {100 * right['value']:.0f} % of the cases ({right['value'] * right['episodes']:.0f} of"
        f" {right['episodes']}).\n"
    )


def backtest_misses() -> str:
    """What was aimed at and not reached, and what lies outside its interval."""
    aimed = page.aims(_scores()).filter(pl.col("reached") != "yes")
    missed = page.bans(_episodes()).filter(pl.col("inside") != "yes")
    lines = [
        f"- Short of its aim: {row['score']} ({row['known']} known): {row['value']}, aim {row['aim']}."
        for row in aimed.iter_rows(named=True)
    ]
    lines += [
        f"- {row['episode']}: the price was {row['was']} times that of the year before, outside the interval"
        f" {row['80 % interval']}."
        for row in missed.iter_rows(named=True)
    ]
    outside = page.episode_lines(_episodes()).filter(pl.col("inside") == "no")
    lines.append(
        f"- In {outside.height} of {len(registry())} cuts the world unit value lies outside its interval; a"
        " fifth should. Farthest above it:"
    )
    above = _episodes().with_columns((pl.col("unit_value_actual") / pl.col("unit_value_high")).alias("times"))
    for row in above.sort("times", descending=True).head(3).iter_rows(named=True):
        lines.append(
            f"  - {row['episode']}: {row['unit_value_actual']:.1f} times the year before, against a forecast"
            f" of {row['unit_value_forecast']:.1f} and an upper end of {row['unit_value_high']:.1f}."
        )
    worse = page.episode_lines(_episodes()).filter(pl.col("flows") < 0)
    lines.append(
        f"- On {worse.height} of {len(registry())} cuts the simple rule forecasts flows better than the"
        " model."
    )
    return "\n".join(lines) + "\n"


def backtest_models(split: str) -> str:
    """Every rule and model on the episodes of a split."""
    return _same(page.models_in_short(_scores(), split, every=True))


def backtest_splits() -> str:
    """The reduced form on every split and under every stricter line."""
    return _same(page.splits_in_short(_scores()))


def backtest_aims() -> str:
    """What the reduced form was to reach, and reached."""
    return _same(page.aims(_scores()))


def backtest_bans() -> str:
    """Indonesia's ore bans."""
    return _same(page.bans(_episodes()))


def backtest_failures() -> str:
    """The episodes on which the reduced form is worst against the rule, and every named policy."""
    found = page.episode_lines(_episodes()).with_row_index()
    return _same(found.filter((pl.col("index") < WORST) | (pl.col("policy") != "")).drop("index"))


def backtest_intervals() -> str:
    """Width and coverage of the intervals."""
    return _same(page.intervals_in_short(interval_table(shipped_errors())))


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


def backtest_record() -> str:
    """What export licences did, month by month."""
    rows = [
        (
            p.name.removeprefix("licence_").replace("_", " "),
            round(p.value, 2),
            f"{p.low:.3g} to {p.high:.3g}",
            p.unit,
            p.source,
        )
        for p in licence_parameters()
    ]
    return table(("what", "value", "seen", "unit", "source"), rows)


def backtest_licences() -> str:
    """Exports under licence as published and as simulated."""
    months = licence_months().with_columns(pl.col("simulated", "rising").round(2))
    return _same(months)


def backtest_defaults() -> str:
    """What a licence measure takes where nobody says otherwise."""
    rows = [
        (r["form"], r["field"], r["value"], f"{r['low']:g} to {r['high']:g}", r["grade"], r["source"])
        for r in licence_defaults().iter_rows(named=True)
    ]
    return table(("form", "field", "value", "interval", "grade", "source"), rows)
