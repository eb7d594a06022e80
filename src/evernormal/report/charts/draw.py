"""Choose and draw the charts that a result can carry."""

from __future__ import annotations

from collections.abc import Callable

from evernormal.errors import UnknownNameError
from evernormal.report.charts.figure import Figure
from evernormal.report.charts.price import price_chart
from evernormal.report.charts.runway import runway_chart
from evernormal.report.charts.sankey import sankey_chart
from evernormal.report.charts.supply import supply_chart
from evernormal.report.charts.worldmap import flow_map
from evernormal.report.reading import Reading
from evernormal.result import Result

__all__ = ["CHARTS", "draw", "draw_all"]

CHARTS: dict[str, tuple[Callable[[Reading], Figure], tuple[str, ...]]] = {
    "supply": (supply_chart, ("supply", "imports")),
    "price": (price_chart, ("supply",)),
    "runway": (runway_chart, ("runway", "supply")),
    "sankey": (sankey_chart, ("supply", "imports")),
    "map": (flow_map, ("supply", "imports")),
}
"""Chart to its function and the tables without which it cannot be drawn."""


def draw(result: Result, chart: str, lang: str = "en") -> Figure:
    """Draw one chart of a simulation.

    Args:
        result: a simulation result.
        chart: ``supply``, ``price``, ``runway``, ``sankey`` or ``map``.
        lang: ``en`` or ``ko``.

    Returns:
        A :class:`Figure`; its ``svg()``, ``png()`` and ``chart()`` give the picture.

    Errors: :class:`UnknownNameError` for a chart, a language or a table that does not exist.
    """
    if chart not in CHARTS:
        raise UnknownNameError("chart", chart, CHARTS)
    function, tables = CHARTS[chart]
    for table in tables:
        result[table]
    return function(Reading.of(result, lang))


def draw_all(result: Result, lang: str = "en") -> dict[str, Figure]:
    """Draw every chart whose tables the result has, in the order of :data:`CHARTS`."""
    able = (
        name
        for name, (_, tables) in CHARTS.items()
        if all(t in result.tables and result.tables[t].height for t in tables)
    )
    return {name: draw(result, name, lang) for name in able}
