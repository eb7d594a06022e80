"""How ribbons, boxes and labels of a flow diagram are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from evernormal.report.charts import theme
from evernormal.report.charts.layout import Box, Ribbon

__all__ = ["NODE", "box_layer", "label_layers", "ribbon_layer"]

NODE, STEPS = 12, 24


def ribbon_layer(ribbons: Sequence[Ribbon]) -> alt.Chart:
    """Return the ribbons, each of its own colour."""
    rows = []
    for number, ribbon in enumerate(ribbons):
        for step in range(STEPS + 1):
            t = step / STEPS
            ease = t * t * (3 - 2 * t)
            thick = ribbon.thickness + (ribbon.end - ribbon.thickness) * ease
            top = ribbon.y0 + (ribbon.y1 - ribbon.y0) * ease
            rows.append(
                {
                    "x": round(ribbon.x0 + (ribbon.x1 - ribbon.x0) * t, 1),
                    "y": round(top, 1),
                    "y2": round(top + max(thick, 0.6), 1),
                    "ribbon": number,
                    "color": ribbon.link.color,
                }
            )
    layer: alt.Chart = (
        alt.Chart(theme.data(rows))
        .mark_area(opacity=0.5)
        .encode(
            x=theme.pixels_x("x"),
            y=theme.pixels("y"),
            y2="y2:Q",
            detail="ribbon:N",
            color=alt.Color("color:N", scale=None),
        )
    )
    return layer


def box_layer(boxes: Sequence[Box]) -> alt.Chart:
    """Return the nodes as boxes."""
    rows = [
        {"x": b.x, "x2": b.x + NODE, "y": b.y, "y2": b.y + max(b.height, 1.5), "color": b.node.color}
        for b in boxes
    ]
    layer: alt.Chart = (
        alt.Chart(theme.data(rows))
        .mark_rect(opacity=1)
        .encode(
            x=theme.pixels_x("x"),
            x2="x2:Q",
            y=theme.pixels("y"),
            y2="y2:Q",
            color=alt.Color("color:N", scale=None),
        )
    )
    return layer


def label_layers(
    rows: Sequence[dict[str, Any]], size: float = theme.TEXT_SIZE, *, halo: bool = False
) -> list[alt.Chart]:
    """Return text beside boxes: ``x, y, label`` and the ``side`` at which it begins; a halo over ribbons."""
    layers = []
    for side in ("left", "right", "center"):
        base = alt.Chart(theme.data([r for r in rows if r["side"] == side]))
        style: dict[str, Any] = {"align": side, "baseline": "middle", "fontSize": size}
        place = {"x": theme.pixels_x("x"), "y": theme.pixels("y"), "text": "label:N"}
        if halo or side == "center":
            layers.append(
                base.mark_text(stroke="#ffffff", strokeWidth=4, opacity=0.9, **style).encode(**place)
            )
        layers.append(base.mark_text(color=theme.INK, **style).encode(**place))
    return layers
