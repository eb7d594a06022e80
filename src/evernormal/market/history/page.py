"""A back-test as a page: what was tried, how wrong every model was, and every episode."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from evernormal.market.history.score_tables import GOALS, MODEL, RULE
from evernormal.result import Result

__all__ = ["backtest_page", "side_by_side"]

COLUMNS = ("imports", "other exporters", "flows", "rank of losses", "unit value", "unit value, large losses")
HIDDEN = ("reduced form, routes spread", "reduced form, not closed")


def side_by_side(scores: pl.DataFrame, split: str, *, every: bool = False) -> pl.DataFrame:
    """Return the scores of a split as text: one row per model, one column per score.

    Errors are in per cent below the pro-rata cut (a minus is worse), unit values below no change, ranks are
    correlations; in brackets the 80 % interval.

    Args:
        scores: table ``scores`` of a back-test.
        split: ``cross-validated``, ``train``, ``held-out`` or ``shipped coefficients``.
        every: show the reduced form before it is closed and with routes spread, too.
    """
    own = scores.filter((pl.col("split") == split) & (every | ~pl.col("model").is_in(HIDDEN)))
    rows = []
    for (known, model), part in own.group_by("known", "model", maintain_order=True):
        found = {row["score"]: row for row in part.iter_rows(named=True)}
        if any(name in found for name in COLUMNS):
            cells = {name: _cell(found.get(name)) for name in COLUMNS}
            rows.append({"model": model, "known": known, **cells})
    return pl.DataFrame(rows, infer_schema_length=None)


def _cell(row: dict[str, object] | None) -> str:
    if row is None:
        return ""
    value, low, high = (float(row[name]) for name in ("value", "low", "high"))  # type: ignore[arg-type]
    if row["measure"] == "mean correlation":
        return f"{value:.2f} [{low:.2f}, {high:.2f}]"
    return f"{100 * value:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"


def backtest_page(result: Result) -> str:
    """Return the page of a back-test in Markdown."""
    scores, episodes = result["scores"], result["episodes"]
    splits = scores["split"].unique(maintain_order=True).to_list()
    parts = ["# Back-test\n", _summary(result)]
    for split in splits:
        parts += [f"## {split[:1].upper()}{split[1:]}\n", _markdown(side_by_side(scores, split))]
    if "cross-validated" in splits and episodes.height > 30:
        parts += ["## Against what was aimed at\n", _markdown(goals(scores))]
    parts += ["## Intervals\n", _markdown(_rounded(result["intervals"]))]
    parts += ["## Episodes, worst first\n", _markdown(worst_first(episodes))]
    parts += [f"- {finding.level}: {finding.message}" for finding in result.findings]
    return "\n".join(parts) + "\n"


def _summary(result: Result) -> str:
    tried = result["episodes"].height
    source = result.lineage.inputs[0]
    return (
        f"{tried} export cuts in {source.source} (sha256 {source.sha256[:12]}), evernormal"
        f" {result.lineage.version}. Errors of trade are per cent below the {RULE} and errors of the unit"
        " value per cent below no change, with the 80 % interval; a minus is worse.\n"
    )


def goals(scores: pl.DataFrame) -> pl.DataFrame:
    """Return what the reduced form was to reach in cross-validation, and what it reached."""
    own = scores.filter((pl.col("split") == "cross-validated") & (pl.col("model") == MODEL))
    rows = []
    for (known, name), aim in GOALS.items():
        found = own.filter((pl.col("known") == known) & (pl.col("score") == name))
        if found.height:
            row = found.row(0, named=True)
            reached = "yes" if row["value"] >= aim else "no"
            rows.append(
                {"score": name, "known": known, "aim": f"{aim:.2f}", "value": f"{row['value']:.3f}",
                 "80 % interval": f"{row['low']:.3f} to {row['high']:.3f}", "reached": reached}
            )  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None)


def worst_first(episodes: pl.DataFrame) -> pl.DataFrame:
    """Return the episodes by how far the reduced form is above the pro-rata cut on flows, worst first."""
    ratio = (pl.col("flows_model") / pl.col("flows_rule")).alias("flows against rule")
    inside = pl.col("unit_value_actual").is_between("unit_value_low", "unit_value_high").alias("price inside")
    ordered = episodes.with_columns(ratio, inside).sort(
        "flows against rule", "episode", descending=[True, False]
    )
    return _rounded(
        ordered.select(
            "episode",
            "policy",
            "lost",
            (pl.col("imports_model") / pl.col("imports_rule")).alias("imports against rule"),
            (pl.col("exporters_model") / pl.col("exporters_rule")).alias("exporters against rule"),
            "flows against rule",
            pl.col("unit_value_forecast").alias("unit value forecast"),
            pl.col("unit_value_actual").alias("unit value"),
            "price inside",
        )
    )


def _rounded(table: pl.DataFrame) -> pl.DataFrame:
    floats = [name for name, dtype in table.schema.items() if dtype.is_float()]
    return table.with_columns(pl.col(floats).round(2))


def _markdown(table: pl.DataFrame) -> str:
    lines = ["| " + " | ".join(table.columns) + " |", "|" + " --- |" * table.width]
    lines += ["| " + " | ".join(_text(row)) + " |" for row in table.iter_rows()]
    return "\n".join(lines) + "\n"


def _text(row: Iterable[object]) -> Iterable[str]:
    for cell in row:
        yield "" if cell is None else str(cell).replace("|", "\\|")
