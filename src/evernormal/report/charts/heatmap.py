"""Heat map: things down, indicators or years across; darker is worse, unknown is hatched.

The colours are one hue that darkens (ColorBrewer YlOrBr), which people with any colour vision can order;
every cell carries its number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import altair as alt
import polars as pl

from evernormal.errors import InputError, NotCoveredError
from evernormal.report.charts import theme
from evernormal.report.charts.figure import Figure
from evernormal.report.charts.view import View
from evernormal.report.indicators import INDICATORS, indicator_table
from evernormal.report.language import clean

__all__ = ["STEPS", "Grid", "exposure_heat", "grid_chart", "keyed_heat", "level"]

STEPS = (0.25, 0.5, 0.75, 0.9)
"""Where a darker colour begins, as part of the scale of the column; 50 and 75 % are the duty's thresholds."""

COLORS = ("#fff7df", "#fee08f", "#fdae4b", "#d95f0e", "#8c2d04")
_INKS = (theme.INK, theme.INK, theme.INK, "#ffffff", "#ffffff")
ROW, MOST_ROWS, MOST_COLUMNS = 19, 80, 12


@dataclass(frozen=True)
class Grid:
    """Numbers to show as a heat map.

    Attributes:
        rows: label of every row.
        columns: label of every column.
        cells: value by row and column; None where unknown.
        full: end of each column's scale: the darkest colour.
        show: how a value of a column is written.
        others: rows that were left out.
        low_is_worse: whether a small value is the worse.
    """

    rows: Sequence[str]
    columns: Sequence[str]
    cells: Mapping[tuple[int, int], float | None]
    full: Sequence[float]
    show: Callable[[int, float], str]
    others: int = 0
    low_is_worse: bool = False


def level(value: float, full: float) -> int:
    """Return how dark a value is, 0 to 4.

    >>> [level(v, 1.0) for v in (0.1, 0.25, 0.5, 0.8, 0.95)]
    [0, 1, 2, 3, 4]
    """
    part = value / full if full > 0 else 0.0
    return sum(part >= step for step in STEPS)


def exposure_heat(view: View) -> Figure:
    """Return forms by indicator, the worst first."""
    table = indicator_table(view.result, view.choices.get("more") or ())
    forms = table["form"].unique(maintain_order=True).to_list()
    top = view.choices.get("top") or MOST_ROWS
    kept = forms[:top]
    found = {(f, i): v for f, i, v in table.select("form", "indicator", "value").iter_rows()}
    shown = [name for name in INDICATORS if any(found[f, name] is not None for f in kept)]
    if not kept:
        raise NotCoveredError("of no form is anything known", cure="Ask another year or country.")
    full = [_full(name, [found[f, name] for f in forms]) for name in shown]
    units = dict(table.select("indicator", "unit").unique().iter_rows())
    words = view.words
    grid = Grid(
        [words.form(f) for f in kept],
        [words.text(f"indicator.{name}") for name in shown],
        {(i, j): found[f, name] for i, f in enumerate(kept) for j, name in enumerate(shown)},
        full,
        lambda j, v: view.shared(v) if units[shown[j]] == "fraction" else words.number(v, 2),
        len(forms) - len(kept),
    )
    call = view.result.lineage.call
    title = words.text("visual.heat", place=view.place_inline, year=str(call.get("year")))
    notes = [words.text("visual.heat_note"), words.text("visual.heat_columns")]
    return grid_chart(view, grid, ("heatmap", title), notes)


def _full(name: str, values: Sequence[float | None]) -> float:
    if name in {"geopolrisk", "eu-supply-risk"}:
        return max([v for v in values if v is not None] or [1.0])
    return 1.0


@dataclass(frozen=True)
class _Table:
    """Which table of a result is drawn, of which value, and what its darkest colour stands for.

    Attributes:
        name: table of the result.
        rows: column whose values stand at the left, the first that the table has.
        places: column of countries, the first that the table has.
        value: column of the value.
        title: message.
        full: end of the scale; None for the largest value.
        low_is_worse: whether a small value is the worse.
        percent: whether the value is told as per cent.
    """

    name: str
    rows: tuple[str, ...]
    value: str
    title: str
    full: float | None = None
    low_is_worse: bool = False
    percent: bool = False
    places: tuple[str, ...] = ("country", "importer", "focal")


_TABLES = {
    "geopolrisk": _Table("geopolrisk", ("material",), "score", "visual.heat_geopolrisk"),
    "concentration": _Table("concentration", ("code",), "hhi_value", "visual.heat_concentration", 1.0),
    "supply-risk": _Table("supply_risk", ("form",), "supply_risk_high", "visual.heat_eu"),
    "usgs-supply-risk": _Table("usgs_supply_risk", ("form",), "supply_risk", "visual.heat_usgs", 1.0),
    "supply-stability": _Table(
        "stability", ("form",), "index", "visual.heat_stability", 100.0, low_is_worse=True
    ),
    "net-import-reliance": _Table(
        "reliance", ("form",), "reliance", "visual.heat_reliance", 1.0, percent=True
    ),
    "n-minus-one": _Table(
        "n_minus_one", ("form",), "remaining", "visual.heat_remaining", 1.0, low_is_worse=True, percent=True
    ),
}


def keyed_heat(view: View) -> Figure:
    """Return the table of an indicator: things by year, or by country where one year of several is asked."""
    spec = _TABLES[view.result.kind]
    table = view.result[spec.name]
    if table.is_empty():
        raise NotCoveredError("nothing is known", cure="Ask another year or country.")
    place = next(c for c in spec.places if c in table.columns)
    several = table[place].n_unique() > 1
    across = place if several and table["year"].n_unique() == 1 else "year"
    if across == "year" and several:
        chosen = view.choose("country", table[place].to_list(), table[place][0])
        table = table.filter(pl.col(place) == chosen)
    down = next((c for c in spec.rows if c in table.columns), None)
    if down is None:
        table, down = table.with_columns(_row=pl.lit(view.form)), "_row"
    words = view.words
    where = words.text("visual.several") if across != "year" else words.country_inline(table[place][0])
    grid = _grid(view, spec, table, down, across)
    years = sorted(set(table["year"].to_list()))
    period = str(years[0]) if len(years) == 1 else words.period(f"{years[0]}/{years[-1]}")
    title = words.text(spec.title, place=where, year=period)
    return grid_chart(view, grid, ("heatmap", title), [words.text("visual.heat_note")])


def _grid(view: View, spec: _Table, table: pl.DataFrame, down: str, across: str) -> Grid:
    """Return the worst rows first, the last years."""
    words = view.words
    sign = -1.0 if spec.low_is_worse else 1.0
    ranked = (
        table.group_by(down)
        .agg((sign * pl.col(spec.value)).max().alias("worst"))
        .sort("worst", down, descending=[True, False], nulls_last=True)
    )
    rows = ranked[down].to_list()
    kept = rows[:MOST_ROWS]
    columns = sorted(set(table[across].to_list()))[-MOST_COLUMNS:]
    found = {(a, b): v for a, b, v in table.select(down, across, spec.value).iter_rows()}
    known = [v for v in found.values() if v is not None]
    full = spec.full if spec.full is not None else max(known or [1.0])
    return Grid(
        [words.form(str(row)) if down == "form" else clean(str(row)) for row in kept],
        [str(c) if across == "year" else words.country(str(c)) for c in columns],
        {(i, j): found.get((row, c)) for i, row in enumerate(kept) for j, c in enumerate(columns)},
        [full] * len(columns),
        lambda _, v: view.shared(v) if spec.percent else words.number(v, 2 if full <= 10 else 0),
        len(rows) - len(kept),
        low_is_worse=spec.low_is_worse,
    )


def grid_chart(view: View, grid: Grid, named: tuple[str, str], notes: Sequence[str]) -> Figure:
    """Draw a grid.

    Args:
        view: language, width and sources.
        grid: what to draw.
        named: key and title.
        notes: what to say below, before the source.
    """
    if not grid.columns:
        raise InputError("a heat map needs a column", cure="Ask for at least one indicator or year.")
    words = view.words
    left = int(min(max([70.0, *(theme.text_width(r, 11) + 12 for r in grid.rows)]), 0.34 * view.width))
    pitch = (view.width - left - 8) / len(grid.columns)
    heads = [theme.wrapped(label, pitch - 6, 10.5) for label in grid.columns]
    above = 13 * max(len(h) for h in heads) + 6
    layers = [*_cells(view, grid, pitch), *_row_labels(grid, left), *_heads(heads, pitch)]
    if grid.others:
        notes = [*notes, words.text("visual.heat_more", count=grid.others)]
    blank = sum(value is None for value in grid.cells.values())
    description = words.text(
        "visual.heat_alt", rows=len(grid.rows), columns=", ".join(grid.columns), unknown=blank
    )
    return theme.finish(
        (*named, description), layers, height=ROW * len(grid.rows), left=left, right=8, bottom=8, above=above,
        width=view.width, notes=[*notes, *view.sources()],
    )  # fmt: skip


def _cells(view: View, grid: Grid, pitch: float) -> list[alt.Chart]:
    """Return the coloured cells with their numbers, and the hatched ones with the word unknown."""
    known, blank, labels, words = [], [], [], []
    for (i, j), value in grid.cells.items():
        box = (round(j * pitch, 1), i * ROW, round((j + 1) * pitch - 1.5, 1), (i + 1) * ROW - 1.5)
        middle = {"x": round((j + 0.5) * pitch, 1), "y": (i + 0.5) * ROW}
        if value is None:
            blank.append(box)
            words.append({**middle, "label": view.words.unknown})
            continue
        full = grid.full[j]
        dark = level(full - value if grid.low_is_worse else value, full)
        known.append({"x": box[0], "y": box[1], "x2": box[2], "y2": box[3], "color": COLORS[dark]})
        labels.append({**middle, "label": grid.show(j, value), "color": _INKS[dark]})
    places = {"x": theme.pixels_x("x"), "x2": "x2:Q", "y": theme.pixels("y"), "y2": "y2:Q"}
    color = alt.Color("color:N", scale=None)
    return [
        alt.Chart(theme.data(known)).mark_rect(opacity=1).encode(**places, color=color),
        *theme.hatched(blank, 5.0),
        alt.Chart(theme.data(words))
        .mark_text(baseline="middle", fontSize=10, stroke=theme.UNKNOWN, strokeWidth=4)
        .encode(x=theme.pixels_x("x"), y=theme.pixels("y"), text="label:N"),
        alt.Chart(theme.data(words))
        .mark_text(baseline="middle", fontSize=10, color=theme.SOFT)
        .encode(x=theme.pixels_x("x"), y=theme.pixels("y"), text="label:N"),
        alt.Chart(theme.data(labels))
        .mark_text(baseline="middle", fontSize=10.5)
        .encode(x=theme.pixels_x("x"), y=theme.pixels("y"), text="label:N", color=color),
    ]


def _row_labels(grid: Grid, left: int) -> list[alt.Chart]:
    rows = [
        {"x": -8, "y": (i + 0.5) * ROW, "label": theme.shortened(label, left - 12, 11)}
        for i, label in enumerate(grid.rows)
    ]
    return [
        alt.Chart(theme.data(rows))
        .mark_text(align="right", baseline="middle", fontSize=11, color=theme.INK)
        .encode(x=theme.pixels_x("x"), y=theme.pixels("y"), text="label:N")
    ]


def _heads(heads: Sequence[Sequence[str]], pitch: float) -> list[alt.Chart]:
    rows = [
        {"x": (j + 0.5) * pitch, "y": -5 - 13 * (len(lines) - 1 - i), "label": line}
        for j, lines in enumerate(heads)
        for i, line in enumerate(lines)
    ]
    return [
        alt.Chart(theme.data(rows))
        .mark_text(baseline="bottom", fontSize=10.5, color=theme.INK)
        .encode(x=theme.pixels_x("x"), y=theme.pixels("y"), text="label:N")
    ]
