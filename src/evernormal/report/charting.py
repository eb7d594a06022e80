"""One chart of any result: what a notebook, the command line, a page and the web desk all call."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evernormal.errors import InputError, UnknownNameError
from evernormal.report.language import language
from evernormal.result import Result
from evernormal.storage import written

if TYPE_CHECKING:
    from evernormal.report.charts.figure import Figure

__all__ = ["FORMATS", "chart", "chart_format", "chart_names", "write_chart"]

FORMATS = ("svg", "png", "pdf")
"""Kinds of picture that can be written."""

_HEAT = (
    "geopolrisk", "concentration", "supply-risk", "usgs-supply-risk", "supply-stability",
    "net-import-reliance", "n-minus-one",
)  # fmt: skip
"""Kinds of result that are a table of one indicator."""

_CHARTS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "supplier-shares": {"shares": ("shares", "share_chart"), "map": ("flowmap", "supplier_map")},
    "origin": {"sankey": ("origin_sankey", "origin_sankey"), "map": ("flowmap", "supplier_map")},
    "exposure": {"heatmap": ("heatmap", "exposure_heat"), "ranks": ("ranks", "rank_chart")},
    "method-disagreement": {"ranks": ("ranks", "rank_chart")},
    **{kind: {"heatmap": ("heatmap", "keyed_heat")} for kind in _HEAT},
    "forecast": {"forecast": ("forecast", "fan_chart")},
    "visibility": {"visibility": ("visibility", "visibility_chart")},
}
"""Kind of result to its charts, the one that is drawn by default first: module and function."""


def chart_names(result: Result) -> tuple[str, ...]:
    """Return the names of the charts that a result can carry, the default first; none for other kinds.

    >>> from evernormal.data import supplier_shares
    >>> chart_names(supplier_shares("KOR", ["282520"]))
    ('shares', 'map')
    """
    if result.kind == "simulation":
        from evernormal.report.charts.draw import CHARTS  # noqa: PLC0415 - Altair is heavy

        return tuple(CHARTS)
    return tuple(_CHARTS.get(result.kind, ()))


def chart(
    result: Result, name: str | None = None, lang: str = "en", *, width: int = 720, **choices: Any
) -> Figure:
    """Draw a chart of a result.

    The figures come from the tables of the result and nowhere else.  A value that is not known is hatched or
    left out with the word unknown, never drawn as zero (law 2); the same result gives the same bytes (law 6).

    Args:
        result: of kind ``supplier-shares`` (charts ``shares``, ``map``), ``origin`` (``sankey``, ``map``),
            ``exposure`` (``heatmap``, ``ranks``), ``method-disagreement`` (``ranks``), ``geopolrisk``,
            ``concentration``, ``supply-risk``, ``usgs-supply-risk``, ``supply-stability``,
            ``net-import-reliance`` or ``n-minus-one`` (``heatmap``), ``forecast``, ``visibility``, or
            ``simulation`` (``supply``, ``price``, ``runway``, ``sankey``, ``map``).
        name: chart; the first of :func:`chart_names` when left out.
        lang: ``en`` or ``ko``.
        width: in pixels, 360 to 1600; simulations have a fixed one.
        choices: ``country`` and ``year`` of several; ``form`` for the name in titles, or the form that stands
            out in ``ranks``; ``forms`` that stand out; ``more``: results of ``risk.method_disagreement``
            for ``heatmap`` and ``ranks`` of an exposure; ``top`` rows of ``heatmap``; ``by`` of
            ``visibility``; ``end_use`` of ``forecast``.

    Returns:
        A figure: ``svg()``, ``png()`` and ``pdf()`` give the picture, ``chart()`` the Altair chart.

    Raises:
        UnknownNameError: no such chart, language, country, year or table; the nearest is named.
        NotCoveredError: nothing is known that could be drawn.
        InputError: a width out of range.

    >>> from evernormal.risk import supplier_shares
    >>> figure = chart(supplier_shares("lithium/hydroxide", "KOR"), "shares", form="lithium/hydroxide")
    >>> figure.title
    'Suppliers of lithium hydroxide to South Korea, share of import value,\xa0%'
    """
    words = language(lang)
    names = chart_names(result)
    if not names:
        known = sorted({*_CHARTS, "simulation"})
        raise UnknownNameError("kind of result with a chart", result.kind, known)
    asked = name or names[0]
    if asked not in names:
        raise UnknownNameError("chart", asked, names, where=f"{result.kind} result")
    if result.kind == "simulation":
        from evernormal.report.charts.draw import draw  # noqa: PLC0415

        return draw(result, asked, lang)
    if isinstance(width, bool) or not isinstance(width, int) or not 360 <= width <= 1600:
        raise InputError(f"width must be a whole number from 360 to 1600, got {width!r}", where="width")
    from evernormal.report.charts.view import View  # noqa: PLC0415 - Altair is heavy

    module, function = _CHARTS[result.kind][asked]
    home = importlib.import_module(f"evernormal.report.charts.{module}")
    draw_one: Callable[[View], Figure] = getattr(home, function)
    return draw_one(View(result, words, width, choices))


def chart_format(path: str | Path) -> str:
    """Return how a chart would be written to a path: ``svg``, ``png`` or ``pdf``.

    Raises:
        InputError: another ending.

    >>> chart_format("shares.PNG")
    'png'
    """
    target = Path(path)
    kind = target.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise InputError(
            f"a chart cannot be written as {target.suffix or 'a file without an ending'}",
            where=str(target),
            cure="End the name with .svg, .png or .pdf.",
        )
    return kind


def write_chart(figure: Figure, path: str | Path) -> Path:
    """Write a figure to a file whose ending says how: ``.svg``, ``.png`` or ``.pdf``, all or nothing.

    Raises:
        InputError: another ending.
        StorageError: the file cannot be written; an older one stays.
    """
    target, kind = Path(path), chart_format(path)
    makers: dict[str, Callable[[], bytes]] = {
        "svg": lambda: figure.svg_file().encode("utf-8"),
        "png": figure.png,
        "pdf": figure.pdf,
    }

    def make(place: Path) -> Path:
        made = place / target.name
        made.write_bytes(makers[kind]())
        return made

    return written(target.parent, {"chart": make})["chart"]
