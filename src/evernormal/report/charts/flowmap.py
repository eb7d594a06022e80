"""Where it comes from on the map: arcs from the suppliers, bubbles on the countries that mined it."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from evernormal.errors import NotCoveredError
from evernormal.report.charts import theme
from evernormal.report.charts.figure import Figure
from evernormal.report.charts.globe import Globe, arc, arc_layer, points, spread
from evernormal.report.charts.origin_sankey import chosen_case
from evernormal.report.charts.view import View

__all__ = ["supplier_map"]

WIDEST, LABELS, SMALL, LARGEST = 12.0, 6, 0.01, 34.0
MINE, SHIP = "#b9924c", theme.GAINED

Shares = list[tuple[str, float]]
"""Country and its share of the imports, the largest first."""


def supplier_map(view: View) -> Figure:
    """Return arcs as wide as each supplier's share, and bubbles as large as what each country mined of it."""
    if "origin" in view.result.tables:
        place, year = chosen_case(view)
        ships, mines = _traced(view, place, year)
    else:
        place, year = view.place, _last_year(view)
        ships, mines = _bought(view, year), []
    if not ships:
        raise NotCoveredError("no supplier is known", cure="Ask another year, country or form.")
    globe = Globe.around(place, view.width - 8)
    words = view.words
    layers = [globe.land(), *_drawn(view, globe, place, ships, mines)]
    title = words.text("visual.map", form=view.form, place=words.country_inline(place), year=str(year))
    named = ", ".join(f"{words.country(a)} {view.shared(s)}" for a, s in ships[:3])
    alternative = words.text("visual.map_alt", place=words.country_inline(place), suppliers=named)
    notes = [*_legend(view, mines), *_missing(view, place, ships), *view.sources()]
    return theme.finish(
        ("suppliers", title, alternative),
        layers, height=globe.height - round(28 * globe.width / (theme.WIDTH - 8)), left=4, right=4, bottom=6,
        width=view.width, notes=[*notes, words.text("chart.map_outline")],
    )  # fmt: skip


def _ranked(shares: dict[str, float]) -> Shares:
    return sorted(((c, s) for c, s in shares.items() if s > 0), key=lambda p: (-p[1], p[0]))


def _last_year(view: View) -> int:
    years = view.result["shares"].filter(pl.col("share").is_not_null())["year"]
    if years.is_empty():
        raise NotCoveredError("no share is known", where="table shares", cure="Ask another year or form.")
    return int(view.choose("year", sorted(set(years.to_list())), int(str(years.max()))))


def _bought(view: View, year: int) -> Shares:
    """Return the suppliers of a year; of several published figures for one the last."""
    rows = view.rows("shares", year=year).filter(pl.col("share").is_not_null())
    keys = [c for c in ("source", "share") if c in rows.columns]
    return _ranked(dict(rows.sort("supplier", *keys).select("supplier", "share").iter_rows()))


def _traced(view: View, place: str, year: int) -> tuple[Shares, Shares]:
    """Return the suppliers, and the countries that mined it."""
    rows = view.rows("origin", focal=place, year=year)
    found = []
    for stage in ("direct", "mined"):
        part = rows.filter(pl.col("stage") == stage)
        found.append(_ranked(dict(part.select("country", "share").iter_rows())))
    return found[0], found[1]


def _drawn(view: View, globe: Globe, place: str, ships: Shares, mines: Shares) -> list[Any]:
    """Draw bubbles first, arcs over them, then dots and names."""
    known, layers = points(), []
    ratio = globe.width / (theme.WIDTH - 8)
    bubbles = []
    for country, share in mines:
        if share >= SMALL and country in known:
            x, y = globe.pixel(country)
            bubbles.append({"x": x, "y": y, "size": round(share * (LARGEST * ratio) ** 2 * 2, 1)})
    if bubbles:
        layers.append(
            alt.Chart(theme.data(bubbles))
            .mark_circle(color=MINE, opacity=0.55)
            .encode(x=theme.pixels_x("x"), y=theme.pixels("y"), size=alt.Size("size:Q", scale=None))
        )
    rows = []
    for source, share in ships:
        if share >= SMALL and source in known and place in known and source != place:
            width = max(0.8, WIDEST * share * ratio)
            rows += arc(globe.pixel(source), globe.pixel(place), source, width, SHIP)
    layers += [arc_layer(rows)] if rows else []
    return [*layers, *_names(view, globe, place, dict(ships), dict(mines))]


def _names(
    view: View, globe: Globe, place: str, ships: dict[str, float], mines: dict[str, float]
) -> list[alt.Chart]:
    """Name the largest suppliers and mine countries with their shares, and the country itself."""
    known, words = points(), view.words
    shown = [c for c, s in ships.items() if s >= 0.02 and c in known][:LABELS]
    shown += [c for c, s in mines.items() if s >= 0.05 and c in known and c not in shown][:4]
    rows: list[dict[str, Any]] = []
    for country in shown:
        if country == place:
            continue
        x, y = globe.pixel(country)
        name, parts = words.country(country), []
        if ships.get(country, 0.0) >= SMALL:
            parts.append(view.shared(ships[country]))
        if mines.get(country, 0.0) >= 0.05:
            parts.append(words.text("visual.map_mined", share=view.shared(mines[country])))
        color = SHIP if country in ships else MINE
        rows.append({"x": x, "y": y, "label": f"{name} {', '.join(parts)}", "color": color})
    if place in known:
        x, y = globe.pixel(place)
        rows.append({"x": x, "y": y, "label": words.country(place), "color": theme.INK})
    return spread(rows, globe.width) if rows else []


def _legend(view: View, mines: Shares) -> list[str]:
    return [view.words.text("visual.map_mines" if mines else "visual.map_ships")]


def _missing(view: View, place: str, ships: Shares) -> list[str]:
    """Say who is not on the map, and what share nobody is named for."""
    known, words, lines = points(), view.words, []
    aside = [a for a, s in ships if a not in known and s >= 0.005]
    aside += [] if place in known else [place]
    if aside:
        lines.append(words.text("chart.map_unplaced", items=", ".join(words.country(a) for a in aside)))
    rest = 1.0 - sum(s for _, s in ships)
    if rest > 0.01:
        lines.append(words.text("visual.map_rest", share=view.shared(rest)))
    return lines
