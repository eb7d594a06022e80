"""A back-test for people: tables that fit a page, what was aimed at on top, and the page itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from evernormal.market.history.cross_validation import KNOWN
from evernormal.market.history.score_tables import GOALS, MODEL, RULE, SPLITS
from evernormal.result import Result

__all__ = [
    "aims",
    "backtest_page",
    "bans",
    "episode_lines",
    "forecasts_of",
    "intervals_in_short",
    "models_in_short",
    "splits_in_short",
]

SHORT: Mapping[str, str] = {
    "imports": "imports",
    "other exporters": "others",
    "flows": "flows",
    "rank of losses": "rank",
    "unit value": "price",
    "unit value, large losses": "large",
}
"""Scores that stand side by side, and their headings."""

NAMES: Mapping[str, str] = {
    "imports": "imports by importer",
    "other exporters": "other exporters' exports",
    "flows": "flows of pairs",
    "rank of losses": "rank of who loses",
    "unit value": "world unit value",
    "unit value, large losses": "unit value, over a fifth lost",
    "sign of unit value, large losses": "sign of price, over a fifth lost",
    "interval coverage": "interval coverage",
    "interval coverage, policies": "coverage, named policies",
}

HIDDEN = ("reduced form, routes spread", "reduced form, not closed")
BANS = ("260400-IDN-2014", "260400-IDN-2020", "260600-IDN-2014")
"""Cuts that everybody knows: Indonesia's bans of nickel ore and bauxite."""

LARGEST_COVERAGE = 0.85


def aims(scores: pl.DataFrame, split: str = SPLITS["mineral"]) -> pl.DataFrame:
    """Return what the reduced form was to reach in cross-validation, and what it reached, as text.

    Args:
        scores: table ``scores`` of a back-test.
        split: whose scores.
    """
    own = scores.filter((pl.col("split") == split) & (pl.col("model") == MODEL))
    rows = []
    for (known, name), aim in GOALS.items():
        found = own.filter((pl.col("known") == known) & (pl.col("score") == name))
        if not found.height:
            continue
        row = found.row(0, named=True)
        most = LARGEST_COVERAGE if name.startswith("interval") else float("inf")
        rows.append(
            {
                "score": NAMES[name],
                "known": known,
                "value": _value(name, row["value"]),
                "80 % interval": f"{_bare(name, row['low'])} to {_bare(name, row['high'])}",
                "aim": f"{100 * aim:.0f} to {100 * most:.0f} %" if most < 1 else _aim(name, aim),
                "reached": _reached(row["value"], aim, most),
            }
        )
    return pl.DataFrame(rows, infer_schema_length=None)


def _reached(value: float | None, aim: float, most: float) -> str:
    if value is None:
        return "unknown"
    return "yes" if aim <= value <= most else "no"


def _value(name: str, value: float | None) -> str:
    if value is None:
        return "unknown"
    return f"{value:.2f}" if name.startswith("rank") else f"{100 * value:.1f} %"


def _bare(name: str, value: float | None) -> str:
    if value is None:
        return "unknown"
    return f"{value:.2f}" if name.startswith("rank") else f"{100 * value:.1f}"


def _aim(name: str, aim: float) -> str:
    return f"{aim:.2f}" if name.startswith("rank") else f"{100 * aim:.0f} %"


def models_in_short(scores: pl.DataFrame, split: str, *, every: bool = False) -> pl.DataFrame:
    """Return one row per rule and model of a split, one column per score, as text without intervals.

    Errors are in per cent below the pro-rata cut (a minus is worse), prices below no change, ranks are
    correlations.

    Args:
        scores: table ``scores`` of a back-test.
        split: which episodes.
        every: show the reduced form before it is closed and with routes spread, too.
    """
    own = scores.filter((pl.col("split") == split) & (every | ~pl.col("model").is_in(HIDDEN)))
    rows = []
    for (known, model), part in own.group_by("known", "model", maintain_order=True):
        cells = _cells(part)
        if any(cells.values()):
            rows.append({"model": model, "known": known, **cells})
    return pl.DataFrame(rows, infer_schema_length=None)


def splits_in_short(scores: pl.DataFrame) -> pl.DataFrame:
    """Return the reduced form with nothing else known on every split, one row per split, as text."""
    own = scores.filter((pl.col("model") == MODEL) & (pl.col("known") == KNOWN[0]))
    rows = []
    for (split,), part in own.group_by("split", maintain_order=True):
        counted = part.filter(pl.col("score") == "imports")["episodes"]
        inside = part.filter(pl.col("score") == "interval coverage")["value"]
        held = f"{inside[0]:.2f}" if inside.len() else ""
        rows.append({"split": split, "episodes": counted[0], **_cells(part), "coverage": held})
    return pl.DataFrame(rows, infer_schema_length=None)


def _cells(part: pl.DataFrame) -> dict[str, str]:
    found = {row["score"]: row["value"] for row in part.iter_rows(named=True)}
    return {
        short: "" if name not in found else _bare(name, found[name]).replace("-0.0", "0.0")
        for name, short in SHORT.items()
    }


def intervals_in_short(intervals: pl.DataFrame) -> pl.DataFrame:
    """Return the table of intervals with two decimals and short headings."""
    return intervals.select(
        "forecast",
        pl.col("low").round(2),
        pl.col("high").round(2),
        "errors",
        pl.col("coverage").round(2).alias("inside"),
        pl.col("coverage_policy").round(2).alias("policies"),
    )


def episode_lines(episodes: pl.DataFrame, *, policy: bool = True) -> pl.DataFrame:
    """Return one line per episode, worst forecast of flows first.

    Errors are in per cent below the pro-rata cut, prices over those of the year before.

    Args:
        episodes: table ``episodes`` of a back-test.
        policy: with the policy behind it.
    """
    below = [
        (100 * (1 - pl.col(f"{side}_model") / pl.col(f"{side}_rule"))).round(1).alias(short)
        for side, short in (("imports", "imports"), ("exporters", "others"), ("flows", "flows"))
    ]
    price = (pl.col(f"unit_value_{name}") for name in ("forecast", "low", "high", "actual"))
    forecast, low, high, actual = (_two(one) for one in price)
    lines = episodes.select(
        "episode",
        (100 * pl.col("lost")).round(0).cast(pl.Int64).alias("lost %"),
        *below,
        forecast.alias("price"),
        pl.format("{} to {}", low, high).alias("80 % interval"),
        actual.alias("was"),
        pl.col("unit_value_actual")
        .is_between("unit_value_low", "unit_value_high")
        .replace_strict({True: "yes", False: "no"}, default="unknown", return_dtype=pl.String)
        .alias("inside"),
        *(["policy"] if policy else []),
    )
    return lines.sort("flows", "episode", nulls_last=True)


def _two(column: pl.Expr) -> pl.Expr:
    return column.map_elements(lambda value: f"{value:.2f}", return_dtype=pl.String)


def bans(episodes: pl.DataFrame) -> pl.DataFrame:
    """Return the lines of Indonesia's ore bans, by code and year."""
    return episode_lines(episodes.filter(pl.col("episode").is_in(BANS)), policy=False).sort("episode")


def forecasts_of(forecasts: pl.DataFrame, episode: str) -> pl.DataFrame:
    """Return the forecast of one episode, the world first and then the largest of each side."""
    order = pl.col("side").replace_strict({"world": 0, "importer": 1}, default=2, return_dtype=pl.Int64)
    return (
        forecasts.filter(pl.col("episode") == episode)
        .sort(order, "before_t", descending=[False, True])
        .drop("episode")
    )


def backtest_page(result: Result) -> str:
    """Return the page of a back-test in Markdown: what was aimed at first, then models, splits, episodes."""
    scores, episodes = result["scores"], result["episodes"]
    splits = scores["split"].unique(maintain_order=True).to_list()
    parts = ["# Back-test\n", _summary(result)]
    parts += ["## Read this first\n", *_findings(result), ""]
    shown = aims(scores, splits[0])
    if shown.height:
        parts += ["## Against what was aimed at\n", _markdown(shown)]
    parts += [f"## Every rule and model, {splits[0]}\n", _markdown(models_in_short(scores, splits[0]))]
    if len(splits) > 1:
        parts += ["## The reduced form on every split\n", _markdown(splits_in_short(scores))]
    known = bans(episodes)
    if known.height and episodes.height > known.height:
        parts += ["## Indonesia's ore bans\n", _markdown(known)]
    parts += ["## Intervals\n", INTERVALS, _markdown(intervals_in_short(result["intervals"]))]
    lines = episode_lines(episodes)
    parts += ["## Episodes, worst first\n", EPISODES, _markdown(lines)]
    return "\n".join(parts) + "\n"


INTERVALS = (
    "Factors on a forecast between which 80 % of past errors lie, for an amount as unsteady as the median;"
    " share of errors inside, and inside where a named policy cut.\n"
)
EPISODES = (
    "Errors of imports, of other exporters' exports and of flows in per cent below the pro-rata cut; the"
    " world unit value over that of the year before: forecast, interval, as it was.\n"
)


def _summary(result: Result) -> str:
    tried = result["episodes"].height
    source = result.lineage.inputs[0]
    return (
        f"{tried} export cuts in {source.source} (sha256 {source.sha256[:12]}), evernormal"
        f" {result.lineage.version}. Errors of trade are in per cent below the {RULE}, errors of the unit"
        " value (price; large: where over a fifth of world trade was lost) in per cent below no change; a"
        " minus is worse. Rank is a correlation.\n"
    )


def _findings(result: Result) -> Sequence[str]:
    return [f"- {finding.level}: {finding.message}" for finding in result.findings] or ["No findings."]


def _markdown(table: pl.DataFrame) -> str:
    lines = ["| " + " | ".join(table.columns) + " |", "|" + " --- |" * table.width]
    lines += ["| " + " | ".join(_text(row)) + " |" for row in table.iter_rows()]
    return "\n".join(lines) + "\n"


def _text(row: Iterable[object]) -> Iterable[str]:
    for cell in row:
        yield "" if cell is None else str(cell).replace("|", "\\|")
