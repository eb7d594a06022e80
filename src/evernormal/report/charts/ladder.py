"""The price ladder of a bloc: levy, price at home and reference by stage and member."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from evernormal.report.charts import theme
from evernormal.report.charts.figure import Figure
from evernormal.report.language import language
from evernormal.result import Result

__all__ = ["ladder_chart"]

ROW = 22
MOST = 6
"""Members shown of each form: those that buy most from outside."""
LEFT = 260


def ladder_chart(result: Result, lang: str = "en") -> Figure:
    """Return the ladder of a bloc as multiples of each member's base price.

    Args:
        result: a Result with a table ``ladder``.
        lang: ``en`` or ``ko``.
    """
    words = language(lang)
    rows = _rows(result["ladder"], lang)
    height = ROW * max(len(rows), 1)
    top = theme.nice_top(max([1.1, *(value for row in rows for value in (row["home"], row["reference"]))]))
    low = min([0.9, *(row["border"] for row in rows), *(row["before"] for row in rows)])
    scale = alt.Scale(domain=[max(low - 0.05, 0.0), top], nice=False, zero=False)
    x = alt.X("home:Q", scale=scale, axis=alt.Axis(tickCount=6, format=".10~g"))
    base = alt.Chart(theme.data(rows))
    across = alt.Y("y:Q", scale=None, axis=None)
    layers: list[Any] = [
        alt.Chart(theme.data([{"x": 1.0}]))
        .mark_rule(color=theme.SOFT, strokeDash=[4, 3])
        .encode(x=alt.X("x:Q", scale=scale)),
        base.mark_bar(height=10, color=theme.LOST, opacity=0.75).encode(x=x, x2="border:Q", y=across),
        base.mark_tick(color=theme.INK, thickness=2.5, size=18).encode(
            x=alt.X("reference:Q", scale=scale), y=across
        ),
        base.mark_point(filled=True, size=45, color=theme.GAINED, opacity=1).encode(
            x=alt.X("before:Q", scale=scale), y=across
        ),
        base.mark_text(align="right", color=theme.INK).encode(x=alt.value(-10), y=across, text="label:N"),
    ]
    description = words.text("bloc.ladder_alt", count=len(rows))
    return theme.finish(
        ("ladder", words.text("bloc.ladder"), description), layers, height=height, left=LEFT, right=24,
        notes=(words.text("bloc.ladder_note"),),
    )  # fmt: skip


def _rows(ladder: pl.DataFrame, lang: str) -> list[dict[str, Any]]:
    words = language(lang)
    rows: list[dict[str, Any]] = []
    held = ladder.drop_nulls("reference_usd_t")
    for form in held["form"].unique(maintain_order=True).to_list():
        shown = held.filter(form=form).sort("outside_t", "member", descending=[True, False]).head(MOST)
        for row in shown.iter_rows(named=True):
            base = row["base_price_usd_t"]
            border = row["border_usd_t"] if row["border_usd_t"] is not None else row["user_usd_t"]
            rows.append(
                {
                    "y": ROW * (len(rows) + 0.5),
                    "label": theme.shortened(
                        f"{words.form(form)} · {words.country(row['member'])}", LEFT - 16, theme.TEXT_SIZE
                    ),
                    "home": row["user_usd_t"] / base,
                    "border": max(border / base, 0.0),
                    "before": row["before_usd_t"] / base,
                    "reference": row["reference_usd_t"] / base,
                }
            )
    return rows
