"""The fan of a forecast: what was taken in, the middle of what is ahead, and the 80 % interval around it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import altair as alt
import polars as pl

from evernormal.errors import NotCoveredError
from evernormal.report.charts import theme
from evernormal.report.charts.figure import Figure
from evernormal.report.charts.view import View

__all__ = ["fan_chart"]

HEIGHT, ALL, SHOWN = 210, "all", 20


def fan_chart(view: View) -> Figure:
    """Return history and forecast of all uses, or of the one chosen as ``end_use``."""
    table, history = view.result["forecast"], view.result["history"]
    uses = table["end_use"].unique(maintain_order=True).to_list()
    use = view.choose("end_use", uses, ALL if ALL in uses else uses[0])
    ahead = table.filter(pl.col("end_use") == use).sort("horizon")
    monthly = "-" in str(ahead["period"][0])
    past = _past(history, monthly=monthly) if use == ALL else []
    future = [
        (_when(str(p)), low, mid, high)
        for p, low, mid, high in ahead.select("period", "p10", "p50", "p90").iter_rows()
    ]
    if not future:
        raise NotCoveredError("the forecast has no row", where="table forecast", cure="Ask another form.")
    first = min([x for x, _ in past] or [future[0][0]])
    last = future[-1][0]
    top = _top(max([a for _, a in past if a is not None] + [high for *_, high in future]))
    words = view.words
    ends = [words.text(f"visual.{k}", value=words.tonnes(v, rounded=True)) for k, v in _ends_of(future[-1])]
    left, right = 62, int(max(theme.text_width(end, 11) for end in ends)) + 14
    plot = view.width - left - right
    span = max(last - first, 1)

    def at(x: int) -> float:
        return round(plot * (x - first) / span, 1)

    def y(value: float) -> float:
        return round(HEIGHT * (1 - value / top), 1)

    layers = [
        *_grid(view, top, plot),
        *_gaps(view, past, at),
        *_fan(past, future, at, y),
        *_ticks(first, last, at, monthly=monthly),
        *_ends(future[-1], ends, at, y),
    ]
    unit = view.result.units["forecast"]["p50"]
    unit = words.text("unit.short_plain") if unit == "t contained" else unit
    title = words.text("visual.fan", form=view.form, place=view.place_inline, unit=unit)
    shown = words.tonnes
    description = words.text(
        "visual.fan_alt", period=str(ahead["period"][-1]), middle=shown(future[-1][2], rounded=True),
        low=shown(future[-1][1], rounded=True), high=shown(future[-1][3], rounded=True),
    )  # fmt: skip
    return theme.finish(
        ("forecast", title, description), layers, height=HEIGHT, left=left, right=right, bottom=28, above=4,
        width=view.width, notes=[*_judged(view), *view.sources()],
    )  # fmt: skip


def _top(value: float) -> float:
    """Return a number at or above a value whose quarters are round."""
    power = 10.0 ** math.floor(math.log10(value)) if value > 0 else 1.0
    return next(f * power for f in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10) if f * power >= value * 0.999999)


def _when(period: str) -> int:
    """Return a period as a whole number: a year, or months since year 0."""
    year, _, month = period.partition("-")
    return int(year) * 12 + int(month) - 1 if month else int(year)


def _past(history: pl.DataFrame, *, monthly: bool) -> list[tuple[int, float | None]]:
    """Return the last periods with what was taken in; a period that is not there is unknown."""
    column = "period" if "period" in history.columns else "year"
    amounts = next(c for c in ("amount_t", "amount", "imports_t") if c in history.columns)
    known = {_when(str(p)): a for p, a in history.select(column, amounts).iter_rows() if a is not None}
    if not known:
        return []
    last = max(known)
    first = max(min(known), last - SHOWN * (12 if monthly else 1) // (4 if monthly else 1))
    return [(x, known.get(x)) for x in range(first, last + 1)]


def _grid(view: View, top: float, plot: float) -> list[alt.Chart]:
    rows = [
        {"x": 0, "x2": plot, "y": HEIGHT * (1 - i / 4), "at": -6, "label": view.words.number(top * i / 4)}
        for i in range(5)
    ]
    base = alt.Chart(theme.data(rows))
    return [
        base.mark_rule(color=theme.FAINT).encode(x=theme.pixels_x("x"), x2="x2:Q", y=theme.pixels("y")),
        base.mark_text(align="right", baseline="middle", color=theme.SOFT, fontSize=11).encode(
            x=theme.pixels_x("at"), y=theme.pixels("y"), text="label:N"
        ),
    ]


def _gaps(view: View, past: list[tuple[int, float | None]], at: Any) -> list[alt.Chart]:
    """Hatch the periods of which nothing is recorded."""
    if not past:
        return []
    half = (at(past[0][0] + 1) - at(past[0][0])) / 2
    boxes = [
        (max(at(x) - half, 0.0), 0.0, at(x) + half, float(HEIGHT)) for x, amount in past if amount is None
    ]
    layers = theme.hatched(boxes)
    if boxes:
        word = [{"x": (boxes[0][0] + boxes[0][2]) / 2, "y": HEIGHT / 2, "label": view.words.unknown}]
        layers.append(
            alt.Chart(theme.data(word))
            .mark_text(fontSize=11, angle=270, color=theme.SOFT, baseline="middle")
            .encode(x=theme.pixels_x("x"), y=theme.pixels("y"), text="label:N")
        )
    return layers


def _fan(past: list[tuple[int, float | None]], future: list[Any], at: Any, y: Any) -> list[alt.Chart]:
    """Return the line of the past, the fan and its middle, all from the last known point."""
    known = [(x, amount) for x, amount in past if amount is not None]
    start = [(known[-1][0], *[known[-1][1]] * 3)] if known else []
    spread = [*start, *future]
    places = {"x": theme.pixels_x("x"), "y": theme.pixels("y")}
    layers = [
        alt.Chart(theme.data([{"x": at(x), "y": y(high), "y2": y(low)} for x, low, _, high in spread]))
        .mark_area(color=theme.GAINED, opacity=0.2)
        .encode(**places, y2="y2:Q"),
        alt.Chart(theme.data([{"x": at(x), "y": y(middle)} for x, _, middle, _ in spread]))
        .mark_line(color=theme.GAINED, strokeWidth=2.2, strokeDash=[5, 3])
        .encode(**places),
    ]
    run, rows, before = 0, [], None
    for x, amount in known:
        run += before is not None and x != before + 1
        rows.append({"x": at(x), "y": y(amount), "run": run})
        before = x
    if rows:
        base = alt.Chart(theme.data(rows))
        layers.append(base.mark_line(color=theme.INK, strokeWidth=2.2).encode(**places, detail="run:N"))
        if len(rows) == 1:
            layers.append(base.mark_circle(color=theme.INK, size=46, opacity=1).encode(**places))
    return layers


def _ticks(first: int, last: int, at: Any, *, monthly: bool) -> list[alt.Chart]:
    """Name years that fit, the last one always."""
    unit = 12 if monthly else 1
    years = [x for x in range(first, last + 1) if x % unit == 0]
    step = next(s for s in (1, 2, 5, 10, 20, 50) if len(years) / s <= 7)
    rows = [{"x": at(x), "y": HEIGHT + 14, "label": str(x // unit)} for x in years if (x // unit) % step == 0]
    if not monthly and last % step:
        rows = [r for r in rows if at(last) - r["x"] > 30] + [
            {"x": at(last), "y": HEIGHT + 14, "label": str(last)}
        ]
    return [
        alt.Chart(theme.data(rows))
        .mark_text(color=theme.SOFT, baseline="middle", fontSize=11)
        .encode(x=theme.pixels_x("x"), y=theme.pixels("y"), text="label:N")
    ]


def _ends_of(last: tuple[Any, ...]) -> tuple[tuple[str, float], ...]:
    """Return the ends of the interval and its middle, from the top."""
    return ("p90", last[3]), ("p50", last[2]), ("p10", last[1])


def _ends(last: tuple[Any, ...], labels: Sequence[str], at: Any, y: Any) -> list[alt.Chart]:
    """Write the ends of the interval and its middle beside the last period."""
    keys = _ends_of(last)
    placed = theme.moved_apart([y(v) for _, v in keys], 15, 6, HEIGHT - 4)
    rows = [
        {"x": at(last[0]) + 7, "y": place, "label": label, "weight": "bold" if key == "p50" else "normal"}
        for place, (key, _), label in zip(placed, keys, labels, strict=True)
    ]
    return [
        alt.Chart(theme.data([row for row in rows if row["weight"] == weight]))
        .mark_text(align="left", baseline="middle", fontSize=11, fontWeight=weight, color=theme.INK)
        .encode(x=theme.pixels_x("x"), y=theme.pixels("y"), text="label:N")
        for weight in ("bold", "normal")
    ]


def _judged(view: View) -> list[str]:
    """Say how good forecasts of this kind were, and what share of outcomes such intervals held."""
    words, notes = view.words, [view.words.text("visual.fan_note")]
    held = view.result.tables.get("interval_coverage", pl.DataFrame())
    if "coverage" in held.columns:
        own = held.filter(pl.col("horizon") == 0).drop_nulls("coverage")
        if own.height:
            notes.append(
                words.text("visual.fan_held", share=view.shared(own["coverage"][0]), count=own["errors"][0])
            )
    return notes
