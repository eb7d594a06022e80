"""The world as a ground for arcs: projection, outline, curves and labels that do not meet."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import altair as alt

from evernormal.report.charts import theme

__all__ = ["Globe", "arc", "arc_layer", "points", "spread"]

HEIGHT, EQUATOR, SCALE, STEPS = 334, 176, 134, 28
LAND = "#e9e6df"
# Coefficients of the Equal Earth projection (Savric, Patterson and Jenny 2019).
_A = (1.340264, -0.081106, 0.000893, 0.003796)
_SEATS = {"EU": (4.4, 50.8)}
"""Where a union of countries stands: its seat."""

Row = dict[str, Any]


@cache
def _world() -> dict[str, Any]:
    path = resources.files("evernormal.report") / "assets" / "world.json"
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def points() -> Mapping[str, Sequence[float]]:
    """Return longitude and latitude of every country that has a place on the map."""
    found: Mapping[str, Sequence[float]] = _world()["points"]
    return {**found, **_SEATS}


@dataclass(frozen=True)
class Globe:
    """A world map of one width, with one meridian in the middle.

    Attributes:
        center: longitude of the middle.
        width: of the plot in pixels.

    >>> Globe.around("KOR").center, Globe.around("DEU").center
    (150.0, 10.0)
    """

    center: float
    width: int = theme.WIDTH - 8

    @classmethod
    def around(cls, country: str, width: int = theme.WIDTH - 8) -> Globe:
        """Return the map on which a country stands well: the Pacific for Asia, the Atlantic otherwise."""
        longitude = float(points().get(country, (0.0, 0.0))[0])
        return cls(150.0 if longitude > 60 else 10.0, width)

    @property
    def _ratio(self) -> float:
        return self.width / (theme.WIDTH - 8)

    @property
    def height(self) -> int:
        """Height of the plot, without notes."""
        return round(HEIGHT * self._ratio)

    def pixel(self, country: str) -> tuple[float, float]:
        """Project the place of a country as the chart's projection does (Equal Earth)."""
        longitude, latitude = points()[country]
        shifted = (longitude - self.center + 180) % 360 - 180
        theta = math.asin(math.sqrt(3) / 2 * math.sin(math.radians(latitude)))
        square = theta * theta
        sixth = square**3
        a1, a2, a3, a4 = _A
        slope = a1 + 3 * a2 * square + sixth * (7 * a3 + 9 * a4 * square)
        x = math.radians(shifted) * math.cos(theta) / (math.sqrt(3) / 2 * slope)
        y = theta * (a1 + a2 * square + sixth * (a3 + a4 * square))
        scale = SCALE * self._ratio
        return self.width / 2 + scale * x, EQUATOR * self._ratio - scale * y

    def land(self) -> alt.Chart:
        """Return the outline of the continents."""
        geometry = {"type": "MultiPolygon", "coordinates": _world()["land"]}
        shape = {"type": "Feature", "geometry": geometry, "properties": {}}
        layer: alt.Chart = (
            alt.Chart(theme.data([shape]))
            .mark_geoshape(fill=LAND, stroke=None)
            .project(
                type="equalEarth",
                rotate=[-self.center, 0, 0],
                scale=SCALE * self._ratio,
                translate=[self.width / 2, EQUATOR * self._ratio],
            )
        )
        return layer


def arc(
    start: tuple[float, float], end: tuple[float, float], key: str, width: float, color: str
) -> list[Row]:
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


def arc_layer(rows: Sequence[Row]) -> alt.Chart:
    """Return the arcs, each of its own width and colour."""
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


def spread(rows: list[Row], width: float) -> list[alt.Chart]:
    """Return dots and labels, each label beside its point where it meets no label placed before.

    Args:
        rows: ``x, y, label, color`` of each, the country in question last; it is placed first.
        width: of the plot.
    """
    taken: list[tuple[float, float, float, float]] = []
    dots = {(row["x"], row["y"]) for row in rows}
    for row in sorted(rows, key=lambda r: (r["label"] != rows[-1]["label"], r["x"])):
        half = theme.text_width(row["label"], 11) / 2 + 2
        for dx, dy in _places(half):
            x = min(max(row["x"] + dx, half), width - half)
            box = (x - half, row["y"] + dy - 6, x + half, row["y"] + dy + 6)
            spots = [(a - 3, b - 3, a + 3, b + 3) for a, b in dots - {(row["x"], row["y"])}]
            if not any(_meet(box, other) for other in (*taken, *spots)):
                break
        taken.append(box)
        row["lx"], row["ly"] = x, row["y"] + dy
    return _label_layers(rows)


def _label_layers(rows: Sequence[Row]) -> list[alt.Chart]:
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


def _places(half: float) -> list[tuple[float, float]]:
    """Return where a label may stand around its point, best first."""
    beside = half + 6
    return [
        (0, 13), (0, -12), (beside, 0), (-beside, 0), (0, 26), (0, -25), (half, 20), (-half, 20), (0, 40),
    ]  # fmt: skip


def _meet(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
