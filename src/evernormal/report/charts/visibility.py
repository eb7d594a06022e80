"""How visible each element is in trade: what of a basket it certainly is, and what it may be at most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import polars as pl

from evernormal.errors import NotCoveredError
from evernormal.report.charts import theme
from evernormal.report.charts.figure import Figure
from evernormal.report.charts.view import View

__all__ = ["visibility_chart"]

ROW, MOST_ROWS = 20, 40
CERTAIN, POSSIBLE = theme.GAINED, "#c7def0"


def visibility_chart(view: View) -> Figure:
    """Return the least and the greatest share of the trade that each element may be, and its visibility.

    The choice ``by`` takes ``value`` (default) or ``quantity``; ``year`` one of the years.
    """
    by = view.choose("by", ("value", "quantity"), "value")
    unit = {"value": "usd", "quantity": "t"}[by]
    table = view.result["elements"]
    year = view.choose("year", table["year"].to_list(), int(str(table["year"].max())))
    seen = f"{by}_visibility"
    rows = (
        table.filter((pl.col("year") == year) & (pl.col(f"trade_{unit}") > 0))
        .sort(seen, "element", descending=[False, False], nulls_last=True)
        .head(MOST_ROWS)
    )
    if rows.is_empty():
        raise NotCoveredError(f"no trade by {by} is known", where="table elements", cure="Ask another year.")
    words = view.words
    names = [words.contained(str(symbol)) for symbol in rows["element"]]
    names = [name if words.korean else name[:1].upper() + name[1:] for name in names]
    left = int(min(max([60.0, *(theme.text_width(n, 11) + 14 for n in names)]), 150))
    after = rows[f"{seen}_after"].null_count() < rows.height
    right = 112 if after else 66
    plot, height = view.width - left - right, ROW * rows.height
    layers = [
        *_bars(rows, unit, plot),
        *_names(names),
        *_values(view, rows, seen, plot, after=after),
        *_axis(view, plot, height),
    ]
    title = words.text(
        f"visual.visibility_{by}", place=view.place_inline, year=str(year), codes=_codes(view, year)
    )
    worst = ", ".join(names[:4])
    description = words.text("visual.visibility_alt", names=worst)
    return theme.finish(
        ("visibility", title, description), layers, height=height, left=left, right=right, bottom=24,
        above=22, width=view.width, notes=[words.text("visual.visibility_note"), *view.sources()],
    )  # fmt: skip


def _codes(view: View, year: object) -> str:
    rows = view.rows("members", year=year)
    return ", ".join(sorted(set(rows["code"].to_list())))


def _bars(rows: pl.DataFrame, unit: str, plot: float) -> list[alt.Chart]:
    """Return a strong bar up to the least and a hatched one from there to the greatest."""
    certain, possible = [], []
    for i, (low, high, trade) in enumerate(
        rows.select(f"low_{unit}", f"high_{unit}", f"trade_{unit}").iter_rows()
    ):
        top, bottom = i * ROW + 4, (i + 1) * ROW - 4
        least, most = plot * low / trade, plot * high / trade
        certain.append({"x": 0, "x2": round(least, 1), "y": top, "y2": bottom})
        if most - least > 0.5:
            possible.append((round(least, 1), float(top), round(most, 1), float(bottom)))
    places = {"x": theme.pixels_x("x"), "x2": "x2:Q", "y": theme.pixels("y"), "y2": "y2:Q"}
    return [
        *theme.hatched(possible, 5.0),
        alt.Chart(theme.data(certain)).mark_rect(color=CERTAIN, opacity=1).encode(**places),
    ]


def _names(names: Sequence[str]) -> list[alt.Chart]:
    rows = [{"x": -8, "y": (i + 0.5) * ROW, "label": name} for i, name in enumerate(names)]
    return [_text(rows, {"align": "right", "color": theme.INK})]


def _values(view: View, rows: pl.DataFrame, seen: str, plot: float, *, after: bool) -> list[alt.Chart]:
    """Return visibility at the right, and after new codes where they were asked about."""
    words, texts = view.words, []
    for i, (now, later) in enumerate(rows.select(seen, f"{seen}_after").iter_rows()):
        label = view.shared(now)
        if after and later is not None:
            label = words.text("visual.visibility_change", before=label, after=view.shared(later))
        texts.append({"x": plot + 8, "y": (i + 0.5) * ROW, "label": label})
    head = words.text("visual.visible_after" if after else "visual.visible")
    heading = [{"x": plot + 8, "y": -8, "label": head}]
    return [
        _text(texts, {"align": "left", "color": theme.INK, "fontWeight": "bold"}),
        _text(heading, {"align": "left", "color": theme.SOFT}),
    ]


def _axis(view: View, plot: float, height: int) -> list[alt.Chart]:
    rows = [
        {"x": plot * part, "y": 0, "y2": height, "label": view.shared(part), "at": height + 12}
        for part in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    base = alt.Chart(theme.data(rows))
    rules = base.mark_rule(color=theme.FAINT, opacity=0.7).encode(
        x=theme.pixels_x("x"), y=theme.pixels("y"), y2="y2:Q"
    )
    labels = base.mark_text(baseline="middle", fontSize=10.5, color=theme.SOFT).encode(
        x=theme.pixels_x("x"), y=theme.pixels("at"), text="label:N"
    )
    return [rules, labels]


def _text(rows: Sequence[Mapping[str, Any]], style: Mapping[str, Any]) -> alt.Chart:
    layer: alt.Chart = (
        alt.Chart(theme.data(rows))
        .mark_text(baseline="middle", fontSize=11, **style)
        .encode(x=theme.pixels_x("x"), y=theme.pixels("y"), text="label:N")
    )
    return layer
