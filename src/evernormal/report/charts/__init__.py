"""The charts of a brief: Altair charts with title and alternative text, rendered without a network."""

from __future__ import annotations

from evernormal.report.charts.draw import CHARTS, draw, draw_all
from evernormal.report.charts.figure import Figure

__all__ = ["CHARTS", "Figure", "draw", "draw_all"]
