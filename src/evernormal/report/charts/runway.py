"""Days of cover, day by day, with and without the release, and the date on which stock runs out."""

from __future__ import annotations

import datetime as dt
from typing import Any

import altair as alt
import polars as pl

from evernormal.report.charts import theme
from evernormal.report.charts.figure import Figure
from evernormal.report.reading import Reading

HEIGHT = 210
POLICIES = (
    ("with release", "with_release", theme.GAINED),
    ("without release", "without_release", theme.LOST),
)


def runway_chart(reading: Reading) -> Figure:
    """Return one line of cover a policy; a policy that changes nothing is not drawn twice."""
    words, table = reading.words, reading.table("runway")
    paths = {policy: _path(reading, table, policy) for policy, _, _ in POLICIES}
    alike = paths["with release"] == paths["without release"]
    if alike:
        paths["without release"] = []
    top = theme.nice_top(max([p["y"] for path in paths.values() for p in path] or [1.0]))
    x, y = theme.month_x(reading.months), alt.Scale(domain=[0, top], nice=False)
    layers: list[alt.Chart] = theme.window_band(reading, HEIGHT)
    ends: list[tuple[float, str, str]] = []
    for policy, key, color in reversed(POLICIES):
        path = paths[policy]
        if not path:
            continue
        dash = [1, 0] if key == "with_release" else [6, 3]
        layers.append(
            alt.Chart(theme.data(path))
            .mark_line(color=color, strokeWidth=2.2, strokeDash=dash, clip=True)
            .encode(
                x=alt.X("x:Q", scale=x, axis=None),
                y=alt.Y("y:Q", scale=y, axis=alt.Axis(tickCount=5, format=".10~g")),
            )
        )
        ends.append(
            (
                HEIGHT * (1 - path[-1]["y"] / top),
                words.text("chart.runway_only" if alike else f"policy.{key}"),
                color,
            )
        )
    stops = {key: reading.day(f"stop_date_{key}") for policy, key, _ in POLICIES if paths[policy]}
    layers += (
        _stops(reading, stops, x) + theme.month_labels(reading, HEIGHT) + theme.side_labels(ends, HEIGHT)
    )
    description = words.text(
        "chart.runway_alt",
        **{key: _when(reading, reading.day(f"stop_date_{key}")) for _, key, _ in POLICIES},
    )
    title = words.text("chart.runway", form=reading.form_inline, focal=reading.focal_inline)
    return theme.finish(("runway", title, description), layers, height=HEIGHT, above=16)


def _when(reading: Reading, day: dt.date | None) -> str:
    return reading.words.date(day) if day else reading.words.text("word.no_stop")


def _path(reading: Reading, table: pl.DataFrame, policy: str) -> list[dict[str, float]]:
    """Return the line of a policy, one point every second day: more than a page can show."""
    rows = table.filter(pl.col("policy") == policy).sort("date").drop_nulls("cover_days")
    return [
        {"x": theme.position(reading.months, day), "y": cover}
        for i, (day, cover) in enumerate(rows.select("date", "cover_days").iter_rows())
        if i % 2 == 0 or i == rows.height - 1
    ]


def _stops(reading: Reading, stops: dict[str, dt.date | None], x: alt.Scale) -> list[alt.Chart]:
    """Mark the stop dates with a line and a label that says the date."""
    colors = {key: color for _, key, color in POLICIES}
    rows: list[dict[str, Any]] = []
    dated = sorted((day, key) for key, day in stops.items() if day is not None)
    for rank, (day, key) in enumerate(dated):
        place = theme.position(reading.months, day)
        right = place < len(reading.months) * 0.62
        rows.append(
            {
                "x": place,
                "y": 12 + 18 * rank,
                "label": reading.words.text("chart.runway_stop", date=reading.words.date(day)),
                "color": colors[key],
                "right": right,
            }
        )
    layers: list[alt.Chart] = []
    for row in rows:
        base = alt.Chart(theme.data([row]))
        horizontal = alt.X("x:Q", scale=x, axis=None)
        layers.append(
            base.mark_rule(strokeWidth=1.4, color=row["color"]).encode(
                x=horizontal, y=theme.pixels("y"), y2=alt.value(HEIGHT)
            )
        )
        layers.append(
            base.mark_text(
                align="left" if row["right"] else "right",
                dx=5 if row["right"] else -5,
                fontWeight="bold",
                color=row["color"],
                baseline="middle",
            ).encode(x=horizontal, y=theme.pixels("y"), text="label:N")
        )
    return layers
