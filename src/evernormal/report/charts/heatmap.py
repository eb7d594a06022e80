"""Heat map: things down, indicators or years across; darker is worse, unknown is hatched.

The colours are one hue that darkens (ColorBrewer YlOrBr), which people with any colour vision can order;
every cell carries its number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import altair as alt
import polars as pl

from evernormal.errors import InputError, NotCoveredError
from evernormal.report.charts import theme
from evernormal.report.charts.figure import Figure
from evernormal.report.charts.view import View
from evernormal.report.indicators import INDICATORS, indicator_table
from evernormal.report.language import clean

__all__ = ["STEPS", "Grid", "concentration_heat", "exposure_heat", "geopolrisk_heat", "grid_chart", "level"]

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
    """

    rows: Sequence[str]
    columns: Sequence[str]
    cells: Mapping[tuple[int, int], float | None]
    full: Sequence[float]
    show: Callable[[int, float], str]
    others: int = field(default=0)


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
    if name in {"geopolrisk", "eu_supply_risk"}:
        return max([v for v in values if v is not None] or [1.0])
    return 1.0


def geopolrisk_heat(view: View) -> Figure:
    """Return materials by year, or by country where several were asked for one year."""
    table = view.result["geopolrisk"]
    key = "country" if table["country"].n_unique() > 1 and table["year"].n_unique() == 1 else "year"
    if key == "year" and table["country"].n_unique() > 1:
        place = view.choose("country", table["country"].to_list(), table["country"][0])
        table = table.filter(pl.col("country") == place)
    columns = table[key].unique(maintain_order=True).to_list()[:MOST_COLUMNS]
    worst = (
        table.group_by("material")
        .agg(pl.col("score").max())
        .sort("score", "material", descending=[True, False], nulls_last=True)
    )
    return _keyed(
        view,
        table,
        ("material", key, "score"),
        worst["material"].to_list(),
        columns,
        "visual.heat_geopolrisk",
    )


def concentration_heat(view: View) -> Figure:
    """Return codes by year, or by importer where several were asked for one year."""
    table = view.result["concentration"]
    key = "importer" if table["importer"].n_unique() > 1 and table["year"].n_unique() == 1 else "year"
    if key == "year" and table["importer"].n_unique() > 1:
        place = view.choose("country", table["importer"].to_list(), table["importer"][0])
        table = table.filter(pl.col("importer") == place)
    columns = sorted(table[key].unique().to_list())[-MOST_COLUMNS:]
    codes = table["code"].unique(maintain_order=True).to_list()
    return _keyed(view, table, ("code", key, "hhi_value"), codes, columns, "visual.heat_concentration")


def _keyed(
    view: View,
    table: pl.DataFrame,
    names: tuple[str, str, str],
    rows: list[Any],
    columns: list[Any],
    key: str,
) -> Figure:
    """Return the grid of a table with one row per key pair."""
    if not rows:
        raise NotCoveredError("nothing is known", cure="Ask another year or country.")
    kept = rows[:MOST_ROWS]
    found = {(a, b): v for a, b, v in table.select(*names).iter_rows()}
    words = view.words
    known = [v for v in found.values() if v is not None]
    most = 1.0 if names[2].startswith("hhi") else max(known or [1.0])
    labels = [words.country(str(c)) if names[1] != "year" else str(c) for c in columns]
    grid = Grid(
        [clean(str(row)) for row in kept],
        labels,
        {(i, j): found.get((row, c)) for i, row in enumerate(kept) for j, c in enumerate(columns)},
        [most] * len(columns),
        lambda _, v: words.number(v, 2),
        len(rows) - len(kept),
    )
    if names[1] == "year":
        table_place = next((table[c][0] for c in ("country", "importer") if c in table.columns), view.place)
        place = words.country_inline(str(table_place))
    else:
        place = words.text("visual.several")
    years = sorted(set(table["year"].to_list()))
    period = str(years[0]) if len(years) == 1 else words.period(f"{years[0]}/{years[-1]}")
    title = words.text(key, place=place, year=period)
    return grid_chart(view, grid, ("heatmap", title), [words.text("visual.heat_note")])


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
        dark = level(value, grid.full[j])
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
