"""The parameters of a run as short tables: how the market reacts, prices and stocks, end uses."""

from __future__ import annotations

import re
from collections.abc import Sequence

from evernormal.report.language import clean
from evernormal.report.reading import Reading
from evernormal.report.rows import Grid, headings
from evernormal.result import Parameter

__all__ = ["parameter_groups", "shortened"]

LONGEST_SOURCE = 160
"""Characters of a source that a page shows; the workbook and the table have it whole."""

_END_USE = re.compile(r"(?P<figure>\w+)(?: (?P<form>\S+/\S+))? ?\[(?P<end_use>[^\]]+)\]")
_FIGURES = ("share", "elasticity", "value_added", "substitutable")


def parameter_groups(reading: Reading) -> list[tuple[str, Grid]]:
    """Return the heading and the table of every group of parameters that the result has."""
    groups: dict[str, list[Parameter]] = {"behaviour": [], "stock": [], "end_use": []}
    for parameter in reading.result.lineage.parameters:
        groups[_group(parameter)].append(parameter)
    groups["end_use"].sort(key=_figure_first)
    return [
        (reading.words.text(f"parameters.{key}"), _grid(reading, found))
        for key, found in groups.items()
        if found
    ]


def _group(parameter: Parameter) -> str:
    if _END_USE.fullmatch(parameter.name):
        return "end_use"
    return "stock" if " " in parameter.name else "behaviour"


def _figure_first(parameter: Parameter) -> int:
    """Order end-use figures by what they tell, so that figures of one source stand together."""
    figure = parameter.name.partition(" ")[0].partition("[")[0]
    return _FIGURES.index(figure) if figure in _FIGURES else len(_FIGURES)


def _grid(reading: Reading, parameters: Sequence[Parameter]) -> Grid:
    words, number, above = reading.words, reading.words.number, reading.words.text("word.as_above")
    rows, before = [], ""
    for p in parameters:
        source = above if p.source == before else shortened(clean(p.source))
        interval = words.text("word.interval", low=number(p.low), high=number(p.high))
        rows.append(
            (
                _name(reading, p.name),
                number(p.value),
                interval if p.low != p.high else "",
                _unit(reading, p.unit),
                p.grade,
                source,
            )
        )
        before = p.source
    keys = ("parameter", "value", "interval", "unit", "grade", "source")
    return Grid(headings(reading, *keys), tuple(rows), remarks=3)


def _unit(reading: Reading, unit: str) -> str:
    return reading.words.text("word.not_set") if unit == "1" else clean(unit)


def _name(reading: Reading, name: str) -> str:
    """Return the name of a parameter; that of an end use in words."""
    found = _END_USE.fullmatch(name)
    if found is None or found["figure"] not in _FIGURES:
        return clean(name)
    figure = reading.words.text(f"parameters.{found['figure']}")
    key = (
        found["end_use"] if found["form"] in {None, reading.form} else f"{found['form']}: {found['end_use']}"
    )
    return f"{figure}: {reading.words.inline(reading.end_use(key))}"


def shortened(text: str, longest: int = LONGEST_SOURCE) -> str:
    """Return a text cut at a word, with a mark where something is left out.

    >>> shortened("assumption: about a month", 16)
    'assumption …'
    """
    if len(text) <= longest:
        return text
    return text[: longest - 1].rsplit(" ", 1)[0].rstrip(" ,;:(") + " …"
