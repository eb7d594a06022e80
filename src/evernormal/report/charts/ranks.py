"""Where indicators disagree: one line per form through its rank by each of them.

A form that an indicator says nothing about stands in the hatched band of the unknown, not at the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import polars as pl

from evernormal.errors import NotCoveredError
from evernormal.report.charts import theme
from evernormal.report.charts.figure import Figure
from evernormal.report.charts.view import View
from evernormal.report.indicators import RANKED, indicator_table

__all__ = ["most_disputed", "rank_chart"]

HIGHLIGHTED, HEIGHT, BAND = 5, 230, 26
_COLORS = (theme.LOST, "#0072B2", "#009E73", "#CC79A7", "#8a6d00")


def most_disputed(table: pl.DataFrame, count: int = HIGHLIGHTED) -> list[str]:
    """Return the forms about which the indicators disagree most: by the spread of the rank as a part of all.

    Args:
        table: form, indicator, rank and of how many.
        count: how many.
    """
    part = (pl.col("rank") - 1) / pl.max_horizontal(pl.col("of") - 1, 1)
    ranked = (
        table.filter(pl.col("rank").is_not_null())
        .with_columns(part=part)
        .group_by("form")
        .agg(spread=pl.col("part").max() - pl.col("part").min(), known=pl.len())
        .filter(pl.col("known") >= 2)
        .sort("spread", "form", descending=[True, False])
    )
    return [str(form) for form in ranked["form"].head(count)]


def rank_chart(view: View) -> Figure:
    """Return the ranks of the forms by each indicator; some forms stand out.

    The forms that stand out are those chosen as ``forms``, else those that are disputed most.
    """
    told = {"scores", "ranks"} <= set(view.result.tables)
    table, order = _ranks(view)
    counts = dict(table.select("indicator", "of").unique().iter_rows())
    shown = [name for name in order if counts.get(name, 0) >= 2]
    if len(shown) < 2:
        raise NotCoveredError(
            "fewer than two indicators rank the forms", cure="Ask a country or year with more trade."
        )
    forms = table["form"].unique(maintain_order=True).to_list()
    chosen = [view.choose("form", forms, None)] if view.choices.get("form") else []
    chosen += [f for f in (view.choices.get("forms") or ()) if f in forms and f not in chosen]
    ranked = set(table.filter(pl.col("rank").is_not_null())["form"].to_list())
    disputed = view.result["ranks"]["form"].to_list() if told else most_disputed(table)
    standing = ([f for f in chosen if f in ranked] or [f for f in disputed if f in ranked])[:HIGHLIGHTED]
    ranks = {(f, i): r for f, i, r in table.select("form", "indicator", "rank").iter_rows()}
    labels = [theme.wrapped(view.words.form(f), 132, 11) for f in standing]
    right = int(min(max([60.0, *(theme.text_width(p, 11) + 22 for label in labels for p in label)]), 160))
    sides = [view.words.text("visual.worst"), view.words.text("visual.least"), view.words.unknown]
    left = int(max(theme.text_width(side, 10.5) for side in sides)) + 22
    plot = view.width - left - right
    pitch = plot / max(len(shown) - 1, 1)
    heads = [theme.wrapped(view.words.text(f"indicator.{n}"), min(pitch, 92) - 6, 10.5) for n in shown]
    layers: list[Any] = [
        *_ground(view, plot),
        *_lines([f for f in forms if f not in standing], shown, ranks, counts, pitch, None),
        *_lines(standing, shown, ranks, counts, pitch, _COLORS),
        *_ends(standing, labels, shown, ranks, counts, plot),
        *_heads(heads, counts, shown, pitch, view),
    ]
    words = view.words
    title = words.text(
        "visual.ranks", place=view.place_inline, year=str(view.result.lineage.call.get("year"))
    )
    description = words.text(
        "visual.ranks_alt", forms="; ".join(_in_words(view, f, shown, ranks, counts) for f in standing)
    )
    above = 13 * max(len(head) for head in heads) + 20
    return theme.finish(
        ("ranks", title, description), layers, height=HEIGHT + BAND + 6, left=left, right=right, bottom=8,
        above=above, width=view.width, notes=[words.text("visual.ranks_note"), *view.sources()],
    )  # fmt: skip


def _ranks(view: View) -> tuple[pl.DataFrame, Sequence[str]]:
    """Return form, indicator, rank and of how many, and the indicators in order."""
    if "scores" in view.result.tables:
        table = view.result["scores"].rename({"method": "indicator"})
        order = table["indicator"].unique(maintain_order=True).to_list()
        worst = (
            table.group_by("form").agg(pl.col("place").mean()).sort("place", "form", descending=[True, False])
        )
        return worst.select("form").join(table, on="form", how="left", maintain_order="left"), order
    table = indicator_table(view.result, view.choices.get("more") or ())
    return table.filter(pl.col("indicator").is_in(RANKED)), RANKED


def _y(rank: int | None, of: int) -> float:
    """Return the height of a rank among so many: first at the top, last at the foot, unknown below."""
    if rank is None:
        return HEIGHT + 6 + BAND / 2
    return round(10 + (HEIGHT - 20) * (rank - 1) / max(of - 1, 1), 1)


def _ground(view: View, plot: float) -> list[alt.Chart]:
    """Return what the ends mean, at the left, and the band of the unknown."""
    ends = ((1, "worst"), (2, "least"))
    rows = [{"x": -14, "y": _y(r, 2), "label": view.words.text(f"visual.{key}")} for r, key in ends]
    rows.append({"x": -14, "y": HEIGHT + 6 + BAND / 2, "label": view.words.unknown})
    text = {"x": theme.pixels_x("x"), "y": theme.pixels("y"), "text": "label:N"}
    return [
        alt.Chart(theme.data(rows))
        .mark_text(align="right", color=theme.SOFT, baseline="middle", fontSize=10.5)
        .encode(**text),
        *theme.hatched([(0.0, HEIGHT + 6.0, plot, HEIGHT + 6.0 + BAND)]),
    ]


def _lines(
    forms: Sequence[str],
    shown: Sequence[str],
    ranks: Mapping[tuple[str, str], int | None],
    counts: Mapping[str, int],
    pitch: float,
    colors: Sequence[str] | None,
) -> list[alt.Chart]:
    """Return a line per form, broken to and from the unknown."""
    solid, broken, dots = [], [], []
    for number, form in enumerate(forms):
        ink = colors[number % len(colors)] if colors else "#d0d0d0"
        for j, name in enumerate(shown):
            rank = ranks[form, name]
            here = {"x": round(j * pitch, 1), "y": _y(rank, counts[name]), "color": ink}
            if colors:
                blank = {"label": "?", "fill": "#ffffff", "ink": ink}
                known = {"label": str(rank), "fill": ink, "ink": "#ffffff"}
                dots.append({**here, **(blank if rank is None else known)})
            if j + 1 == len(shown):
                continue
            after = ranks[form, shown[j + 1]]
            piece = {**here, "x2": round((j + 1) * pitch, 1), "y2": _y(after, counts[shown[j + 1]])}
            if rank is not None and after is not None:
                solid.append(piece)
            elif colors:
                broken.append(piece)
    places = {"x": theme.pixels_x("x"), "x2": "x2:Q", "y": theme.pixels("y"), "y2": "y2:Q"}
    color = alt.Color("color:N", scale=None)
    layers = []
    if solid:
        width = 2.2 if colors else 1.0
        layers.append(alt.Chart(theme.data(solid)).mark_rule(strokeWidth=width).encode(**places, color=color))
    if broken:
        layers.append(
            alt.Chart(theme.data(broken))
            .mark_rule(strokeWidth=1.2, strokeDash=[2, 3])
            .encode(**places, color=color)
        )
    if dots:
        base = alt.Chart(theme.data(dots))
        spot = {"x": places["x"], "y": places["y"]}
        fill = alt.Fill("fill:N", scale=None)
        written = alt.Color("ink:N", scale=None)
        layers.append(
            base.mark_point(size=270, opacity=1, strokeWidth=1.6).encode(**spot, color=color, fill=fill)
        )
        layers.append(
            base.mark_text(baseline="middle", fontSize=9.5, fontWeight="bold").encode(
                **spot, text="label:N", color=written
            )
        )
    return layers


def _ends(
    standing: Sequence[str],
    labels: Sequence[Sequence[str]],
    shown: Sequence[str],
    ranks: Mapping[tuple[str, str], int | None],
    counts: Mapping[str, int],
    plot: float,
) -> list[alt.Chart]:
    """Name the forms that stand out, right of their last point."""
    if not standing:
        return []
    tallest = max(len(label) for label in labels)
    wanted = [_y(ranks[form, shown[-1]], counts[shown[-1]]) for form in standing]
    placed = theme.moved_apart(wanted, 13.0 * tallest + 2, 6.0, HEIGHT + BAND + 0.0)
    texts = [
        {"x": plot + 16, "y": y + 12.5 * (i - (len(label) - 1) / 2), "label": part, "color": color}
        for y, label, color in zip(placed, labels, _COLORS, strict=False)
        for i, part in enumerate(label)
    ]
    return [
        alt.Chart(theme.data(texts))
        .mark_text(align="left", baseline="middle", fontSize=11, fontWeight="bold")
        .encode(
            x=theme.pixels_x("x"), y=theme.pixels("y"), text="label:N",
            color=alt.Color("color:N", scale=None),
        )
    ]  # fmt: skip


def _heads(
    heads: Sequence[Sequence[str]], counts: Mapping[str, int], shown: Sequence[str], pitch: float, view: View
) -> list[alt.Chart]:
    """Name every indicator over its column, and of how many forms it is known."""
    rows = []
    for j, (lines, name) in enumerate(zip(heads, shown, strict=True)):
        said = [*lines, view.words.text("visual.of", count=counts[name])]
        for i, line in enumerate(said):
            soft = i == len(said) - 1
            rows.append({"x": j * pitch, "y": -4 - 13 * (len(said) - 1 - i), "label": line, "soft": soft})
    layers = []
    for soft, color in ((False, theme.INK), (True, theme.SOFT)):
        part = [row for row in rows if row["soft"] is soft]
        layers.append(
            alt.Chart(theme.data(part))
            .mark_text(baseline="bottom", fontSize=10.5, color=color)
            .encode(x=theme.pixels_x("x"), y=theme.pixels("y"), text="label:N")
        )
    return layers


def _in_words(
    view: View,
    form: str,
    shown: Sequence[str],
    ranks: Mapping[tuple[str, str], int | None],
    counts: Mapping[str, int],
) -> str:
    words = view.words
    parts = [
        words.text(
            "visual.rank_of", indicator=words.text(f"indicator.{name}"), rank=ranks[form, name],
            count=counts[name],
        )
        for name in shown
        if ranks[form, name] is not None
    ]  # fmt: skip
    return f"{words.form(form)}: {', '.join(parts)}"
