"""The flow map: who ships to the focal country, and who ships less or more than in the base year."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any

import altair as alt

from evernormal.report.charts import theme
from evernormal.report.charts.chain import Flow, chain_of
from evernormal.report.charts.figure import Figure
from evernormal.report.reading import Reading

HEIGHT, EQUATOR, SCALE, WIDEST, STEPS, LABELS = 334, 176, 134, 18.0, 28, 10
LAND, STEADY = "#e9e6df", "#8c8c8c"
PALE = {theme.LOST: "#f5c3a1", theme.GAINED: "#a9d0ea", STEADY: "#cfcfcf"}
# Coefficients of the Equal Earth projection (Savric, Patterson and Jenny 2019).
_A = (1.340264, -0.081106, 0.000893, 0.003796)


def flow_map(reading: Reading) -> Figure:
    """Return arcs from each supplier to the focal country over a world outline."""
    words, world = reading.words, _world()
    suppliers = [f for f in chain_of(reading, named=30).sources if f.base is not None]
    placed = [f for f in suppliers if f.key in world["points"]]
    center = _center(reading.focal)
    layers: list[Any] = [_land(world["land"], center)]
    if reading.focal in world["points"] and placed:
        layers += _arcs(reading, placed, center)
    total = sum(f.base or 0.0 for f in suppliers)
    aside = [f for f in suppliers if f not in placed and max(f.amount, f.base or 0.0) > 0.001 * total]
    layers += _notes(reading, aside)
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
    return theme.finish(("map", title, description), layers, height=HEIGHT, left=4, right=4, bottom=8)


@cache
def _world() -> dict[str, Any]:
    path = resources.files("evernormal.report") / "assets" / "world.json"
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def _center(focal: str) -> float:
    """Return the meridian in the middle: the Pacific for Asia and Oceania, the Atlantic otherwise."""
    longitude = float(_world()["points"].get(focal, (0.0, 0.0))[0])
    return 150.0 if longitude > 60 else 10.0


def _pixel(point: Sequence[float], center: float) -> tuple[float, float]:
    """Project a longitude and latitude as the chart's projection does (Equal Earth)."""
    longitude, latitude = point
    shifted = (longitude - center + 180) % 360 - 180
    theta = math.asin(math.sqrt(3) / 2 * math.sin(math.radians(latitude)))
    square = theta * theta
    sixth = square**3
    a1, a2, a3, a4 = _A
    slope = a1 + 3 * a2 * square + sixth * (7 * a3 + 9 * a4 * square)
    x = math.radians(shifted) * math.cos(theta) / (math.sqrt(3) / 2 * slope)
    y = theta * (a1 + a2 * square + sixth * (a3 + a4 * square))
    return (theme.WIDTH - 8) / 2 + SCALE * x, EQUATOR - SCALE * y


def _land(polygons: list[Any], center: float) -> alt.Chart:
    shape = {
        "type": "Feature",
        "geometry": {"type": "MultiPolygon", "coordinates": polygons},
        "properties": {},
    }
    layer: alt.Chart = (
        alt.Chart(theme.data([shape]))
        .mark_geoshape(fill=LAND, stroke=None)
        .project(
            type="equalEarth",
            rotate=[-center, 0, 0],
            scale=SCALE,
            translate=[(theme.WIDTH - 8) / 2, EQUATOR],
        )
    )
    return layer


def _arcs(reading: Reading, flows: list[Flow], center: float) -> list[alt.Chart]:
    """Draw a pale arc as wide as the larger of base and now, on it a strong one as wide as the smaller."""
    points = _world()["points"]
    end = _pixel(points[reading.focal], center)
    most = max(max(f.amount, f.base or 0.0) for f in flows) or 1.0
    shown = [f for f in flows if max(f.amount, f.base or 0.0) > 0.001 * most]
    layers = []
    for strong in (False, True):
        rows = []
        for flow in shown:
            base = flow.base or 0.0
            color = _color(flow)
            width = WIDEST * (min if strong else max)(flow.amount, base) / most
            start = _pixel(points[flow.key], center)
            if strong and width < 0.05:
                continue
            rows += _arc(start, end, flow.key, max(width, 0.8), color if strong else PALE[color])
        layers.append(_arc_layer(rows))
    return [*layers, *_point_labels(reading, shown, center, end)]


def _color(flow: Flow) -> str:
    base = flow.base or 0.0
    if abs(flow.amount - base) <= 0.01 * max(base, 1e-12):
        return STEADY
    return theme.LOST if flow.amount < base else theme.GAINED


def _arc(
    start: tuple[float, float], end: tuple[float, float], key: str, width: float, color: str
) -> list[dict[str, Any]]:
    """Return the points of a curve that leaves the straight line to the side of the pole."""
    (x0, y0), (x1, y1) = start, end
    distance = math.hypot(x1 - x0, y1 - y0)
    lift = 0.22 * distance
    xm, ym = (x0 + x1) / 2, (y0 + y1) / 2 - lift
    rows = []
    for step in range(STEPS + 1):
        t = step / STEPS
        a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t * t
        rows.append(
            {
                "x": round(a * x0 + b * xm + c * x1, 1),
                "y": round(a * y0 + b * ym + c * y1, 1),
                "step": step,
                "arc": key,
                "width": round(width, 2),
                "color": color,
            }
        )
    return rows


def _arc_layer(rows: list[dict[str, Any]]) -> alt.Chart:
    layer: alt.Chart = (
        alt.Chart(theme.data(rows))
        .mark_line(strokeCap="round", opacity=0.9)
        .encode(
            x=theme.pixels_x("x"),
            y=theme.pixels("y"),
            order="step:Q",
            detail="arc:N",
            strokeWidth=alt.StrokeWidth("width:Q", scale=None),
            color=alt.Color("color:N", scale=None),
        )
    )
    return layer


def _point_labels(
    reading: Reading, flows: list[Flow], center: float, end: tuple[float, float]
) -> list[alt.Chart]:
    """Name the biggest suppliers beside their point, moved apart; and the focal country."""
    points = _world()["points"]
    biggest = sorted(flows, key=_weight, reverse=True)[:LABELS]
    biggest = [f for f in biggest if _weight(f) > 0.003 * _weight(biggest[0])]
    rows = []
    for flow in biggest:
        x, y = _pixel(points[flow.key], center)
        rows.append({"x": x, "y": y, "label": _changed(reading, [flow]), "color": _color(flow)})
    rows.append({"x": end[0], "y": end[1], "label": reading.focal_name, "color": theme.INK})
    _spread(rows)
    base = alt.Chart(theme.data(rows))
    color = alt.Color("color:N", scale=None)
    dots = base.mark_circle(size=26, opacity=1).encode(
        x=theme.pixels_x("x"), y=theme.pixels("y"), color=color
    )
    halo, text = (
        base.mark_text(baseline="middle", fontSize=11, **style).encode(
            x=theme.pixels_x("lx"), y=theme.pixels("ly"), text="label:N"
        )
        for style in (
            {"stroke": "#ffffff", "strokeWidth": 3, "opacity": 0.85, "align": "center"},
            {"color": theme.INK, "align": "center"},
        )
    )
    return [dots, halo, text]


def _weight(flow: Flow) -> float:
    """Return how much a reader must see the name: its change, or a part of what it ships."""
    base = flow.base or 0.0
    return max(abs(flow.amount - base), 0.2 * base)


def _spread(rows: list[dict[str, Any]]) -> None:
    """Place each label under or over its point where it meets no label placed before."""
    taken: list[tuple[float, float, float, float]] = []
    for row in sorted(rows, key=lambda r: (r["label"] != rows[-1]["label"], r["x"])):
        half = theme.text_width(row["label"], 11) / 2 + 2
        for dx, dy in _places(half):
            x = min(max(row["x"] + dx, half), theme.WIDTH - 8 - half)
            box = (x - half, row["y"] + dy - 6, x + half, row["y"] + dy + 6)
            if not any(_meet(box, other) for other in taken):
                break
        taken.append(box)
        row["lx"], row["ly"] = x, row["y"] + dy


def _places(half: float) -> list[tuple[float, float]]:
    """Return where a label may stand around its point, best first."""
    beside = half + 6
    return [
        (0, 13), (0, -12), (beside, 0), (-beside, 0), (0, 26), (0, -25), (half, 20), (-half, 20), (0, 40),
    ]  # fmt: skip


def _meet(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _changed(reading: Reading, flows: list[Flow]) -> str:
    words = reading.words
    return ", ".join(
        f"{f.label} {words.number(f.amount - (f.base or 0.0), reading.decimals, signed=True)}" for f in flows
    ) or words.text("word.none")


def _notes(reading: Reading, unplaced: list[Flow]) -> list[alt.Chart]:
    words = reading.words
    lines = [words.text("chart.map_legend"), words.text("chart.map_outline")]
    if unplaced:
        lines.insert(1, words.text("chart.map_unplaced", items=_changed(reading, unplaced)))
    rows = [{"y": HEIGHT - 14 * (len(lines) - 1 - i), "label": line} for i, line in enumerate(lines)]
    return [
        alt.Chart(theme.data(rows))
        .mark_text(align="left", baseline="bottom", color=theme.SOFT, fontSize=11)
        .encode(x=alt.value(4), y=theme.pixels("y"), text="label:N")
    ]
