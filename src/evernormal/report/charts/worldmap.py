"""The flow map: who ships to the focal country, and who ships less or more than in the base year."""

from __future__ import annotations

from typing import Any

import altair as alt

from evernormal.report.charts import theme
from evernormal.report.charts.chain import Flow, chain_of
from evernormal.report.charts.figure import Figure
from evernormal.report.charts.globe import Globe, arc, arc_layer, points, spread
from evernormal.report.reading import Reading

WIDEST, LABELS = 18.0, 10
STEADY = "#8c8c8c"
PALE = {theme.LOST: "#f5c3a1", theme.GAINED: "#a9d0ea", STEADY: "#cfcfcf"}


def flow_map(reading: Reading) -> Figure:
    """Return arcs from each supplier to the focal country over a world outline."""
    words, globe = reading.words, Globe.around(reading.focal)
    suppliers = [f for f in chain_of(reading, named=30).sources if f.base is not None]
    placed = [f for f in suppliers if f.key in points()]
    layers: list[Any] = [globe.land()]
    if reading.focal in points() and placed:
        layers += _arcs(reading, placed, globe)
    total = sum(f.base or 0.0 for f in suppliers)
    aside = [f for f in suppliers if f not in placed and max(f.amount, f.base or 0.0) > 0.001 * total]
    layers += _notes(reading, aside, globe.height)
    first, last = reading.window[0], reading.window[-1]
    title = words.text(
        "chart.map", focal=reading.focal_inline, form=reading.form_inline, first=words.month(first),
        last=words.month(last), unit=reading.short_unit,
    )  # fmt: skip
    ranked = sorted(suppliers, key=lambda f: f.amount - (f.base or 0.0))
    description = words.text(
        "chart.map_alt",
        focal=reading.focal_inline,
        fall=_changed(reading, ranked[:1]),
        rise=_changed(reading, ranked[-1:]),
    )
    return theme.finish(("map", title, description), layers, height=globe.height, left=4, right=4, bottom=8)


def _arcs(reading: Reading, flows: list[Flow], globe: Globe) -> list[alt.Chart]:
    """Draw a pale arc as wide as the larger of base and now, on it a strong one as wide as the smaller."""
    end = globe.pixel(reading.focal)
    most = max(max(f.amount, f.base or 0.0) for f in flows) or 1.0
    shown = [f for f in flows if max(f.amount, f.base or 0.0) > 0.001 * most]
    layers = []
    for strong in (False, True):
        rows = []
        for flow in shown:
            base = flow.base or 0.0
            color = _color(flow)
            width = WIDEST * (min if strong else max)(flow.amount, base) / most
            start = globe.pixel(flow.key)
            if strong and width < 0.05:
                continue
            rows += arc(start, end, flow.key, max(width, 0.8), color if strong else PALE[color])
        layers.append(arc_layer(rows))
    return [*layers, *_point_labels(reading, shown, globe)]


def _color(flow: Flow) -> str:
    base = flow.base or 0.0
    if abs(flow.amount - base) <= 0.01 * max(base, 1e-12):
        return STEADY
    return theme.LOST if flow.amount < base else theme.GAINED


def _point_labels(reading: Reading, flows: list[Flow], globe: Globe) -> list[alt.Chart]:
    """Name the biggest suppliers beside their point, moved apart; and the focal country."""
    end = globe.pixel(reading.focal)
    biggest = sorted(flows, key=_weight, reverse=True)[:LABELS]
    biggest = [f for f in biggest if _weight(f) > 0.003 * _weight(biggest[0])]
    rows = []
    for flow in biggest:
        x, y = globe.pixel(flow.key)
        rows.append({"x": x, "y": y, "label": _changed(reading, [flow]), "color": _color(flow)})
    rows.append({"x": end[0], "y": end[1], "label": reading.focal_name, "color": theme.INK})
    return spread(rows, globe.width)


def _weight(flow: Flow) -> float:
    """Return how much a reader must see the name: its change, or a part of what it ships."""
    base = flow.base or 0.0
    return max(abs(flow.amount - base), 0.2 * base)


def _changed(reading: Reading, flows: list[Flow]) -> str:
    words = reading.words
    return ", ".join(
        f"{f.label} {words.number(f.amount - (f.base or 0.0), reading.decimals, signed=True)}" for f in flows
    ) or words.text("word.none")


def _notes(reading: Reading, unplaced: list[Flow], height: int) -> list[alt.Chart]:
    words = reading.words
    lines = [words.text("chart.map_legend"), words.text("chart.map_outline")]
    if unplaced:
        lines.insert(1, words.text("chart.map_unplaced", items=_changed(reading, unplaced)))
    rows = [{"y": height - 14 * (len(lines) - 1 - i), "label": line} for i, line in enumerate(lines)]
    return [
        alt.Chart(theme.data(rows))
        .mark_text(align="left", baseline="bottom", color=theme.SOFT, fontSize=11)
        .encode(x=alt.value(4), y=theme.pixels("y"), text="label:N")
    ]
