"""The price path with its range."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from evernormal.report.charts import theme
from evernormal.report.charts.figure import Figure
from evernormal.report.reading import Reading

HEIGHT = 200


def price_chart(reading: Reading) -> Figure:
    """Return the monthly price as a multiple of the base year, with the 10 to 90 % range where known."""
    words, supply = reading.words, reading.table("supply")
    ratios = supply["price_ratio"].to_list()
    band = _band(reading)
    values = [v for v in ratios if v is not None] + [v for row in band for v in (row["low"], row["high"])]
    low, high = min(0.9, *values), theme.nice_top(max(1.1, *values))
    low = 0.0 if low < 0.5 else int(low * 10) / 10
    x, y = theme.month_x(reading.months), alt.Scale(domain=[low, high], nice=False, zero=False)
    horizontal = alt.X("x:Q", scale=x, axis=None)
    vertical = alt.Y("y:Q", scale=y, axis=alt.Axis(tickCount=5, format=".10~g"))
    layers: list[alt.Chart] = theme.window_band(reading, HEIGHT)
    if band:
        layers.append(
            alt.Chart(theme.data(band))
            .mark_area(color=theme.GAINED, opacity=0.18)
            .encode(x=horizontal, y=alt.Y("low:Q", scale=y), y2="high:Q")
        )
    layers.append(
        alt.Chart(theme.data([{"y": 1.0}]))
        .mark_rule(color=theme.INK, strokeDash=[5, 3])
        .encode(y=alt.Y("y:Q", scale=y))
    )
    line = [{"x": i, "y": v} for i, v in enumerate(ratios)]
    layers.append(
        alt.Chart(theme.data(line))
        .mark_line(color=theme.GAINED, strokeWidth=2.4)
        .encode(x=horizontal, y=vertical)
    )
    peak = max(range(len(ratios)), key=lambda i: ratios[i] if ratios[i] is not None else -1.0)
    layers += _peak(reading, peak, ratios[peak], (x, y))
    layers += theme.month_labels(reading, HEIGHT) + _labels(reading, ratios, band, (low, high))
    key = "chart.price" if band else "chart.price_plain"
    description = words.text(
        "chart.price_alt", peak=words.ratio(ratios[peak]), month=words.month(reading.months[peak])
    )
    title = words.text(key, form=reading.form_inline)
    return theme.finish(("price", title, description), layers, height=HEIGHT, above=16)


def _band(reading: Reading) -> list[dict[str, float]]:
    table = reading.table("bands")
    if "series" not in table.columns:
        return []
    place = {month: i for i, month in enumerate(reading.months)}
    rows = table.filter(pl.col("series") == "price_ratio").sort("month").drop_nulls(["p10", "p90"])
    return [
        {"x": place[row["month"]], "low": row["p10"], "high": row["p90"]}
        for row in rows.iter_rows(named=True)
        if row["month"] in place
    ]


def _peak(
    reading: Reading, i: int, value: float | None, scales: tuple[alt.Scale, alt.Scale]
) -> list[alt.Chart]:
    if value is None or value < 1.005:
        return []
    words, count = reading.words, len(reading.months)
    label = words.text("chart.price_peak", ratio=words.ratio(value), month=words.month(reading.months[i]))
    side: Any = "left" if i < count * 0.15 else "right" if i > count * 0.85 else "center"
    base = alt.Chart(theme.data([{"x": i, "y": value, "label": label}]))
    x, y = alt.X("x:Q", scale=scales[0], axis=None), alt.Y("y:Q", scale=scales[1])
    return [
        base.mark_point(color=theme.GAINED, filled=True, size=60, opacity=1).encode(x=x, y=y),
        base.mark_text(dy=-12, align=side, fontWeight="bold", color=theme.INK).encode(
            x=x, y=y, text="label:N"
        ),
    ]


def _labels(
    reading: Reading, ratios: list[float | None], band: list[dict[str, float]], ends: tuple[float, float]
) -> list[alt.Chart]:
    words = reading.words
    low, high = ends

    def place(value: float) -> float:
        return HEIGHT * (1 - (value - low) / (high - low))

    rows = [(place(1.0), words.text("chart.supply_base"), "")]
    if ratios[-1] is not None:
        rows.append(
            (place(ratios[-1]), words.text("chart.central", value=words.ratio(ratios[-1])), theme.GAINED)
        )
    if band:
        rows.append((place(band[-1]["high"]), words.text("chart.price_band"), "#cfe3f0"))
    return theme.side_labels(rows, HEIGHT)
