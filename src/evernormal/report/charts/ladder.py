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
LEFT, RIGHT = 136, 92


def ladder_chart(result: Result, lang: str = "en") -> Figure:
    """Return the ladder of a bloc as multiples of each member's base price.

    Args:
        result: a Result with a table ``ladder``.
        lang: ``en`` or ``ko``.
    """
    words = language(lang)
    rows, headings = _rows(result["ladder"], lang)
    height = ROW * max(len(rows) + len(headings), 1)
    seen = [row[name] for row in rows for name in ("home", "reference", "before", "border")]
    scale = alt.Scale(domain=[max(min(0.9, *seen, 9.0) - 0.05, 0.0), max(1.1, *seen, 0.0) + 0.05], nice=False)
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
        base.mark_text(align="left", color=theme.SOFT).encode(
            x=alt.value(theme.WIDTH - LEFT - RIGHT + 10), y=across, text="levy:N"
        ),
    ]
    heads = alt.Chart(theme.data(headings))
    layers.append(
        heads.mark_text(align="left", color=theme.INK, fontWeight="bold").encode(
            x=alt.value(4 - LEFT), y=across, text="label:N"
        )
    )
    description = words.text("bloc.ladder_alt", count=len(rows))
    return theme.finish(
        ("ladder", words.text("bloc.ladder"), description), layers, height=height, left=LEFT, right=RIGHT,
        above=4,
        notes=(words.text("bloc.ladder_note"),),
    )  # fmt: skip


def _rows(ladder: pl.DataFrame, lang: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return a row for each member shown, and a heading for each form above its members."""
    words = language(lang)
    rows: list[dict[str, Any]] = []
    headings: list[dict[str, Any]] = []
    held = ladder.drop_nulls("reference_usd_t")
    for form in held["form"].unique(maintain_order=True).to_list():
        headings.append({"y": ROW * (len(rows) + len(headings) + 0.5), "label": words.form(form)})
        shown = held.filter(form=form).sort("outside_t", "member", descending=[True, False]).head(MOST)
        for row in shown.iter_rows(named=True):
            base = row["base_price_usd_t"]
            border = row["border_usd_t"] if row["border_usd_t"] is not None else row["user_usd_t"]
            name = words.country(row["member"])
            rows.append(
                {
                    "y": ROW * (len(rows) + len(headings) + 0.5),
                    "label": theme.shortened(name, LEFT - 16, theme.TEXT_SIZE),
                    "levy": _levy(row, lang),
                    "home": row["user_usd_t"] / base,
                    "border": max(border / base, 0.0),
                    "before": row["before_usd_t"] / base,
                    "reference": row["reference_usd_t"] / base,
                }
            )
    return rows, headings


def _levy(row: dict[str, Any], lang: str) -> str:
    """What stands beside a bar: the levy per tonne, or why there is none."""
    words = language(lang)
    if row["levy_usd_t"]:
        return words.money(row["levy_usd_t"])
    return words.text(f"bloc.status.{row['status'].replace(' ', '_')}")
