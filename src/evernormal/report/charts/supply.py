"""Imports by month, stacked by supplier, with state release and other supply, against the base year."""

from __future__ import annotations

import altair as alt
import polars as pl

from evernormal.report.charts import theme
from evernormal.report.charts.figure import Figure
from evernormal.report.reading import Reading

NAMED, HEIGHT = 6, 250


def supply_chart(reading: Reading) -> Figure:
    """Return stacked columns of imports by supplier and what adds to them, with the base year as a line."""
    words, months = reading.words, reading.months
    stacks, colors = _stacks(reading)
    base = reading.table("supply")["base_imports_t"].to_list()
    top = theme.nice_top(max(*base, *(s[-1]["y2"] for s in stacks.values() if s)))
    bars = [bar for column in stacks.values() for bar in column]
    y = alt.Scale(domain=[0, top], nice=False)
    x = theme.month_x(months)
    columns = (
        alt.Chart(theme.data(bars))
        .mark_rect(stroke="#ffffff", strokeWidth=0.5, opacity=1)
        .encode(
            x=alt.X("x:Q", scale=x, axis=None),
            x2="x2:Q",
            y=alt.Y("y:Q", scale=y, axis=alt.Axis(tickCount=5, format=",.10~g")),
            y2="y2:Q",
            color=alt.Color("color:N", scale=None),
        )
    )
    path = [{"x": i + half, "y": value} for i, value in enumerate(base) for half in (-0.5, 0.5)]
    line = (
        alt.Chart(theme.data(path))
        .mark_line(color=theme.INK, strokeDash=[5, 3], strokeWidth=1.6)
        .encode(x=alt.X("x:Q", scale=x, axis=None), y=alt.Y("y:Q", scale=y))
    )
    labels = _labels(reading, stacks, colors, base[-1], top)
    layers = [
        *theme.window_band(reading, HEIGHT),
        columns,
        line,
        *theme.month_labels(reading, HEIGHT),
        *labels,
    ]
    supply = reading.table("supply")
    lowest = supply.row(supply["imports_t"].arg_min() or 0, named=True)
    title = words.text("chart.supply", form=reading.form_inline, unit=reading.short_unit)
    description = words.text(
        "chart.supply_alt",
        base=words.tonnes(base[0], rounded=True),
        month=words.month(lowest["month"]),
        lowest=words.tonnes(lowest["imports_t"], rounded=True),
    )
    return theme.finish(("supply", title, description), layers, height=HEIGHT, above=16)


def _stacks(reading: Reading) -> tuple[dict[object, list[dict[str, object]]], dict[str, str]]:
    """Return the bars of every month from the bottom up, and the colour of every label."""
    imports = reading.table("imports")
    total = imports.group_by("supplier").agg(
        pl.max_horizontal(pl.col("imports_t").sum(), pl.col("base_imports_t").sum()).alias("size")
    )
    ordered = total.sort(["size", "supplier"], descending=[True, False])["supplier"].to_list()
    hit = {row["by"] for row in reading.acts}
    named = sorted(ordered[:NAMED], key=lambda s: (s not in hit, ordered.index(s)))
    losers, others = iter(theme.LOSERS), iter(theme.PALETTE)
    colors = {s: next(losers, theme.LOSERS[-1]) if s in hit else next(others) for s in named}
    rest = len(ordered) - len(named)
    rest_label = reading.words.text("word.others", count=rest)
    release, other = (reading.words.text(f"chart.supply_{key}") for key in ("release", "other"))
    amounts = _amounts(imports, named)
    stacks: dict[object, list[dict[str, object]]] = {}
    released, added = _by_month(reading, "release_t"), _by_month(reading, "other_supply_t")
    for i, month in enumerate(reading.months):
        pieces = [(reading.words.country(s), amounts.get((month, s), 0.0), colors[s]) for s in named]
        pieces.append((rest_label, amounts.get((month, None), 0.0), theme.OTHERS))
        pieces.append((release, released.get(month) or 0.0, theme.STATE))
        pieces.append((other, added.get(month) or 0.0, theme.OTHER_SUPPLY))
        stacks[month] = _pile(i, pieces)
    labels = {reading.words.country(s): c for s, c in colors.items()}
    if rest:
        labels[rest_label] = theme.OTHERS
    if any(released.values()):
        labels[release] = theme.STATE
    if reading.other_supply:
        labels[other] = theme.OTHER_SUPPLY
    return stacks, labels


def _by_month(reading: Reading, column: str) -> dict[object, float]:
    """Return a column of the supply table by month; empty where the result has none."""
    supply = reading.table("supply")
    return dict(supply.select("month", column).iter_rows()) if column in supply.columns else {}


def _amounts(imports: pl.DataFrame, named: list[str]) -> dict[tuple[object, str | None], float]:
    """Return imports by month and named supplier; None stands for all others."""
    grouped = (
        imports.with_columns(
            pl.when(pl.col("supplier").is_in(named)).then(pl.col("supplier")).otherwise(None).alias("who")
        )
        .group_by("month", "who")
        .agg(pl.col("imports_t").sum())
    )
    return {(month, who): amount for month, who, amount in grouped.iter_rows()}


def _pile(i: int, pieces: list[tuple[str, float, str]]) -> list[dict[str, object]]:
    bars: list[dict[str, object]] = []
    height = 0.0
    for label, amount, color in pieces:
        bars.append(
            {
                "x": i - 0.44,
                "x2": i + 0.44,
                "y": height,
                "y2": height + amount,
                "color": color,
                "label": label,
            }
        )
        height += amount
    return bars


def _labels(
    reading: Reading,
    stacks: dict[object, list[dict[str, object]]],
    colors: dict[str, str],
    base: float,
    top: float,
) -> list[alt.Chart]:
    """Return one label a supplier at the height of its last piece, and one for the base line."""
    last = {str(bar["label"]): bar for bar in stacks[reading.months[-1]]}
    rows = [(HEIGHT * (1 - base / top) - 9, reading.words.text("chart.supply_base"), "")]
    for label, color in colors.items():
        middle = (float(str(last[label]["y"])) + float(str(last[label]["y2"]))) / 2
        rows.append((HEIGHT * (1 - middle / top), label, color))
    return theme.side_labels(rows, HEIGHT)
