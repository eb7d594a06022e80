"""Who supplies a country, year by year: a line per supplier against the thresholds of the duty.

A year of which nothing is recorded is hatched and breaks the lines; it is never drawn as nothing bought.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import polars as pl

from evernormal.errors import NotCoveredError
from evernormal.report.charts import theme
from evernormal.report.charts.figure import Figure
from evernormal.report.charts.view import View

__all__ = ["LIMITS", "share_chart", "supplier_colors"]

NAMED = 5
LIMITS = (0.5, 0.75)
"""Thresholds of the duty of early warning: one country, neighbouring countries together."""

LIMIT = "#7a5195"
_CHINA = theme.LOST
_COLORS = ("#0072B2", "#009E73", "#CC79A7", "#56B4E9", "#8a6d00")


@dataclass(frozen=True)
class Line:
    """One line: its label, colour, style and share by year."""

    key: str
    label: str
    color: str
    points: Mapping[int, float]
    dash: tuple[int, int] = (1, 0)


def supplier_colors(suppliers: Sequence[str]) -> dict[str, str]:
    """Return a colour for each supplier; China has the same one on every chart.

    >>> supplier_colors(["AUS", "CHN"])["CHN"]
    '#D55E00'
    """
    others = iter(_COLORS)
    return {s: _CHINA if s == "CHN" else next(others, theme.STEADY) for s in suppliers}


def share_chart(view: View) -> Figure:
    """Return the shares of a country's suppliers over the years, the largest five and all others."""
    table = view.rows("shares").filter(pl.col("share").is_not_null())
    if table.is_empty():
        raise NotCoveredError(
            "no share is known", where="table shares", cure="Ask another year, country or form."
        )
    published = "definition" in table.columns
    years = list(range(int(str(table["year"].min())), int(str(table["year"].max())) + 1))
    recorded = set(table["year"].to_list())
    lines = _published_lines(view, table) if published else _lines(view, table, recorded)
    if not published:
        lines += _neighbours(view, recorded)
    labels = [_label(view, line) for line in lines]
    right = int(min(max(theme.text_width(part, 11) for label in labels for part in label) + 26, 152))
    left, height = 40, 220
    plot = view.width - left - right
    at = _places(years, plot)
    layers: list[Any] = [
        *_blanks(view, years, recorded, at, plot, height),
        *_grid(view, plot, height),
        *_paths(lines, at, height, joined=not published),
        *_limits(view, plot, height),
        *_year_labels(view, years, at, height),
        *_end_labels(lines, labels, plot, height),
    ]
    by = str(view.result.lineage.call.get("by") or "value")
    title = view.words.text(f"visual.shares_{by}", form=view.form, place=view.place_inline)
    return theme.finish(
        (f"shares-{by}", title, _description(view, lines, years)),
        layers, height=height, left=left, right=right, bottom=28, above=4, width=view.width,
        notes=_notes(view, table, published=published, blank=len(recorded) < len(years)),
    )  # fmt: skip


def _lines(view: View, table: pl.DataFrame, recorded: set[int]) -> list[Line]:
    """Return the largest suppliers of the last year, then of all years, and the others as one."""
    last = max(recorded)
    size = (
        table.group_by("supplier")
        .agg(
            now=pl.col("share").filter(pl.col("year") == last).max().fill_null(0.0),
            ever=pl.col("share").sort().sum(),
        )
        .sort("now", "ever", "supplier", descending=[True, True, False])
    )
    ranked = size["supplier"].to_list()
    named = ranked[:NAMED]
    colors = supplier_colors(named)
    found = {(year, s): share for year, s, share in table.select("year", "supplier", "share").iter_rows()}
    lines = [
        Line(s, view.words.country(s), colors[s], {y: found.get((y, s), 0.0) for y in sorted(recorded)})
        for s in named
    ]
    if rest := ranked[NAMED:]:
        others = {year: max(0.0, 1.0 - sum(line.points[year] for line in lines)) for year in sorted(recorded)}
        label = view.words.text("word.others", count=len(rest))
        lines.append(Line("others", label, "#a6a6a6", others))
    return lines


def _published_lines(view: View, table: pl.DataFrame) -> list[Line]:
    """Return the suppliers that publications name; of several figures for a year the last source's."""
    ranked = table.sort("year", "source", "share", "supplier")
    last = (
        ranked.group_by("supplier").last().sort("year", "share", "supplier", descending=[True, True, False])
    )
    named = last["supplier"].to_list()[:NAMED]
    colors = supplier_colors(named)
    return [
        Line(
            s,
            view.words.country(s),
            colors[s],
            dict(ranked.filter(pl.col("supplier") == s).select("year", "share").iter_rows()),
        )
        for s in named
    ]


def _neighbours(view: View, recorded: set[int]) -> list[Line]:
    """Return all neighbouring countries together, where the result judges them."""
    table = view.result.tables.get("thresholds", pl.DataFrame())
    if "rule" not in table.columns:
        return []
    rows = table.filter(pl.col("rule") == "neighbouring countries")
    points = {y: s for y, s in rows.select("year", "share").iter_rows() if y in recorded and s is not None}
    if not points:
        return []
    return [Line("neighbours", view.words.text("visual.neighbours"), theme.INK, points, (5, 3))]


def _places(years: Sequence[int], plot: float) -> dict[int, float]:
    """Return where each year stands; a single one in the middle."""
    if len(years) == 1:
        return {years[0]: plot / 2}
    return {year: round(plot * i / (len(years) - 1), 1) for i, year in enumerate(years)}


def _runs(points: Mapping[int, float]) -> list[list[int]]:
    """Return the years that follow one another."""
    runs: list[list[int]] = []
    for year in sorted(points):
        if runs and runs[-1][-1] == year - 1:
            runs[-1].append(year)
        else:
            runs.append([year])
    return runs


def _blanks(
    view: View, years: Sequence[int], recorded: set[int], at: Mapping[int, float], plot: float, height: int
) -> list[alt.Chart]:
    """Hatch the years of which nothing is recorded, with the word unknown."""
    half = plot / (2 * max(len(years) - 1, 1))
    boxes: list[tuple[float, float, float, float]] = []
    labels: list[dict[str, Any]] = []
    for run in _runs({year: 0.0 for year in years if year not in recorded}):
        left, right = max(at[run[0]] - half, 0.0), min(at[run[-1]] + half, plot)
        boxes.append((left, 0.0, right, float(height)))
        word = view.words.unknown
        upright = right - left < theme.text_width(word, 11) + 4
        labels.append(
            {"x": (left + right) / 2, "y": height / 2, "label": word, "angle": 270 if upright else 0}
        )
    layers = theme.hatched(boxes)
    for label in labels:
        layers.append(
            alt.Chart(theme.data([label]))
            .mark_text(fontSize=11, color=theme.SOFT, baseline="middle", angle=label["angle"])
            .encode(x=theme.pixels_x("x"), y=theme.pixels("y"), text="label:N")
        )
    return layers


def _grid(view: View, plot: float, height: int) -> list[alt.Chart]:
    """Draw quarters of the whole."""
    ticks = [
        {"y": height * (1 - part), "x": 0, "x2": plot, "label": view.shared(part), "at": -6}
        for part in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    base = alt.Chart(theme.data(ticks))
    rule = {"x": theme.pixels_x("x"), "x2": "x2:Q", "y": theme.pixels("y")}
    return [
        base.mark_rule(color=theme.FAINT).encode(**rule),
        base.mark_text(align="right", baseline="middle", color=theme.SOFT, fontSize=11).encode(
            x=theme.pixels_x("at"), y=theme.pixels("y"), text="label:N"
        ),
    ]


def _limits(view: View, plot: float, height: int) -> list[alt.Chart]:
    """Draw the thresholds of the duty with what they are."""
    limits = [
        {"y": height * (1 - limit), "x": 0, "x2": plot, "label": view.words.text(f"visual.limit_{key}")}
        for key, limit in zip(("one", "near"), LIMITS, strict=True)
    ]
    marked = alt.Chart(theme.data(limits))
    text: dict[str, Any] = {"align": "right", "baseline": "bottom", "fontSize": 10.5, "dx": -3, "dy": -2}
    place = {"x": theme.pixels_x("x2"), "y": theme.pixels("y"), "text": "label:N"}
    rule = {"x": theme.pixels_x("x"), "x2": "x2:Q", "y": theme.pixels("y")}
    return [
        marked.mark_rule(color=LIMIT, strokeDash=[2, 3], strokeWidth=1.4).encode(**rule),
        marked.mark_text(stroke="#ffffff", strokeWidth=4, opacity=0.9, **text).encode(**place),
        marked.mark_text(color=LIMIT, **text).encode(**place),
    ]


def _paths(lines: Sequence[Line], at: Mapping[int, float], height: int, *, joined: bool) -> list[alt.Chart]:
    """Draw every run of years as a line and lone years, or published figures, as dots."""
    layers = []
    for line in reversed(lines):
        runs = _runs(line.points)
        rows = [
            {"x": at[year], "y": round(height * (1 - line.points[year]), 1), "run": number}
            for number, run in enumerate(runs)
            for year in run
        ]
        lone = {number for number, run in enumerate(runs) if len(run) == 1 or not joined}
        places = {"x": theme.pixels_x("x"), "y": theme.pixels("y")}
        drawn = [row for row in rows if row["run"] not in lone]
        if drawn:
            layers.append(
                alt.Chart(theme.data(drawn))
                .mark_line(color=line.color, strokeWidth=2.2, strokeDash=list(line.dash))
                .encode(**places, detail="run:N")
            )
        dots = [row for row in rows if row["run"] in lone]
        if dots:
            layers.append(
                alt.Chart(theme.data(dots)).mark_circle(color=line.color, size=46, opacity=1).encode(**places)
            )
    return layers


def _year_labels(view: View, years: Sequence[int], at: Mapping[int, float], height: int) -> list[alt.Chart]:
    """Name years that fit: the last one always, round ones before it."""
    step = next(s for s in (1, 2, 5, 10, 20, 50, 100) if len(years) / s <= view.width / 55)
    shown = {y for y in years if y % step == 0 and min(years[-1] - y, y - years[0]) >= 0.6 * step}
    shown |= {years[0], years[-1]}
    rows = [{"x": at[y], "y": height + 14, "label": str(y)} for y in years if y in shown]
    return [
        alt.Chart(theme.data(rows))
        .mark_text(color=theme.SOFT, baseline="middle", fontSize=11)
        .encode(x=theme.pixels_x("x"), y=theme.pixels("y"), text="label:N")
    ]


def _label(view: View, line: Line) -> list[str]:
    """Return name and last share, on two lines where one is too long."""
    share = view.shared(line.points[max(line.points)])
    return theme.wrapped(f"{line.label} {share}", 124, 11)


def _end_labels(
    lines: Sequence[Line], labels: Sequence[Sequence[str]], plot: float, height: int
) -> list[alt.Chart]:
    """Name every line at its right end, moved apart."""
    tallest = max(len(label) for label in labels)
    wanted = [height * (1 - line.points[max(line.points)]) for line in lines]
    placed = theme.moved_apart(wanted, 13.0 * tallest + 2, 4.0, float(height))
    texts, marks = [], []
    for line, label, y in zip(lines, labels, placed, strict=True):
        marks.append({"x": plot + 10, "y": y, "color": line.color})
        for i, part in enumerate(label):
            texts.append({"x": plot + 17, "y": y + 12.5 * (i - (len(label) - 1) / 2), "label": part})
    places = {"x": theme.pixels_x("x"), "y": theme.pixels("y")}
    return [
        alt.Chart(theme.data(marks))
        .mark_square(size=60, opacity=1)
        .encode(**places, color=alt.Color("color:N", scale=None)),
        alt.Chart(theme.data(texts))
        .mark_text(align="left", baseline="middle", fontSize=11, color=theme.INK)
        .encode(**places, text="label:N"),
    ]


def _description(view: View, lines: Sequence[Line], years: Sequence[int]) -> str:
    named = [
        f"{line.label} {view.shared(line.points[max(line.points)])}"
        for line in lines
        if line.key not in {"others", "neighbours"}
    ]
    return view.words.text(
        "visual.shares_alt", first=str(years[0]), last=str(years[-1]), suppliers=", ".join(named)
    )


def _notes(view: View, table: pl.DataFrame, *, published: bool, blank: bool) -> list[str]:
    words = view.words
    notes = []
    if published:
        notes.append(words.text("visual.published"))
        days = pl.col("as_of") if "as_of" in table.columns else pl.lit(None)
        given = table.sort("year", "source", descending=[True, False]).select("source", days.alias("as_of"))
        return [*notes, *view.sources(given.unique(maintain_order=True).rows())]
    if blank:
        notes.append(words.text("visual.blank"))
    rows = view.result.tables.get("rows", pl.DataFrame())
    if {"source", "as_of"} <= set(rows.columns) and rows.height:
        return [*notes, *view.sources(rows.select("source", "as_of").unique(maintain_order=True).rows())]
    return [*notes, *view.sources()]
