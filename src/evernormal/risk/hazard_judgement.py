"""A user's own judgement of hazards: read, checked, and weighed against the model's figure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evernormal.data.geography import aliases
from evernormal.data.publishers.text import Problems, read_rows
from evernormal.errors import InputError, nearest
from evernormal.network.forms import form_names, materials
from evernormal.network.yaml_reader import read_bytes, read_yaml
from evernormal.risk.hazard_rates import Z80

__all__ = [
    "COLUMNS",
    "QUANTITIES",
    "Judgement",
    "Weighed",
    "judgement_for",
    "narrowness",
    "read_judgements",
    "weighed",
]

COLUMNS = ("exporter", "form", "quantity", "value", "low", "high", "weight", "source")
"""Columns of a file; exporter or form empty: all of them; low, high and weight may be empty."""

QUANTITIES = {
    "rate_per_year": (0.0, 12.0),
    "severity": (0.0, 1.0),
    "onset_days": (0.0, 3650.0),
    "duration_months": (0.0, 1200.0),
}
"""What can be judged, and the range that it can have."""


@dataclass(frozen=True)
class Judgement:
    """One figure of the user's.

    Attributes:
        exporter: ISO 3166 alpha-3; empty for every exporter.
        form: form, or material for all its forms; empty for every form.
        quantity: one of :data:`QUANTITIES`.
        value: the figure.
        low: lower end of an 80 % interval; the value where none is given.
        high: upper end.
        weight: 1 replaces the model, 0.5 stands halfway on the scale of logarithms.
        source: whose judgement, and why.
    """

    exporter: str
    form: str
    quantity: str
    value: float
    low: float
    high: float
    weight: float
    source: str


@dataclass(frozen=True)
class Weighed:
    """A figure as it is used: value, 80 % interval, and the weight that the judgement has in it."""

    value: float
    low: float
    high: float
    weight: float
    source: str


def read_judgements(path: str | Path) -> list[Judgement]:
    """Return the judgements of a CSV file with :data:`COLUMNS`, or of a YAML list of the same keys.

    Raises:
        SourceFormatError: names file, row and column of every fault.
        InputError: no such file, or YAML that cannot be read.
    """
    place = Path(path)
    if not place.is_file():
        raise InputError("no such file", where=str(place), cure="Check the path of the judgements.")
    yaml = place.suffix.lower() in (".yaml", ".yml")
    rows = _yaml_rows(place) if yaml else read_rows(place, COLUMNS)
    problems = Problems(place.name)
    found = [_judgement(row, number, problems) for number, row in enumerate(rows, start=2)]
    seen: dict[tuple[str, str, str], int] = {}
    for number, one in enumerate(found, start=2):
        if one is None:
            continue
        key = one.exporter, one.form, one.quantity
        if key in seen:
            problems.add(number, "quantity", f"the same exporter, form and quantity are in row {seen[key]}")
        seen.setdefault(key, number)
    problems.raise_if_any("Correct the file.")
    return [one for one in found if one is not None]


def _yaml_rows(place: Path) -> list[dict[str, str]]:
    document = read_yaml(read_bytes(place))
    if document.problems:
        raise InputError(document.problems[0].what, where=place.name, cure="Write a YAML list of judgements.")
    if not isinstance(document.data, list) or not all(isinstance(one, Mapping) for one in document.data):
        raise InputError("is no list of judgements", where=place.name, cure="Begin each with '- exporter:'.")
    problems = Problems(place.name)
    rows = []
    for number, one in enumerate(document.data, start=2):
        for key in one:
            if key not in COLUMNS:
                problems.add(number, str(key)[:40], f"is no key; known: {', '.join(COLUMNS)}")
        rows.append({c: "" if one.get(c) is None else str(one[c]) for c in COLUMNS})
    problems.raise_if_any("Correct the file; judgements count from 2, as rows do.")
    return rows


def _judgement(row: Mapping[str, str], number: int, problems: Problems) -> Judgement | None:
    before = len(problems.found)
    cells = {c: (row.get(c) or "").strip() for c in COLUMNS}
    if cells["exporter"] and cells["exporter"] not in aliases("iso3"):
        problems.add(number, "exporter", f"{cells['exporter']!r} is no ISO 3166 alpha-3 code")
    known = (*form_names(), *materials()["material"].to_list())
    if cells["form"] and cells["form"] not in known:
        near = nearest(cells["form"], known)
        text = f"{cells['form']!r} is no form or material"
        problems.add(number, "form", text + (f"; near: {', '.join(near)}" if near else ""))
    if cells["quantity"] not in QUANTITIES:
        problems.add(number, "quantity", f"must be one of {', '.join(QUANTITIES)}, got {cells['quantity']!r}")
    if not cells["source"]:
        problems.add(number, "source", "is empty: say whose judgement it is, and why")
    limits = QUANTITIES.get(cells["quantity"], (0.0, math.inf))
    value = _number(cells["value"], number, "value", limits, problems)
    low = _number(cells["low"], number, "low", limits, problems, value)
    high = _number(cells["high"], number, "high", limits, problems, value)
    weight = _number(cells["weight"], number, "weight", (0.0, 1.0), problems, 1.0)
    if len(problems.found) == before and not low <= value <= high:
        problems.add(number, "value", f"must lie between low {low:g} and high {high:g}, got {value:g}")
    if len(problems.found) == before and weight == 0:
        problems.add(number, "weight", "must be above 0; remove the row to leave the model alone")
    if len(problems.found) > before:
        return None
    return Judgement(
        cells["exporter"], cells["form"], cells["quantity"], value, low, high, weight, cells["source"]
    )


def _number(
    text: str,
    row: int,
    column: str,
    limits: tuple[float, float],
    problems: Problems,
    absent: float = math.nan,
) -> float:
    if not text:
        if math.isnan(absent) and column == "value":
            problems.add(row, column, "is empty")
        return absent
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and limits[0] <= value <= limits[1]):
        problems.add(row, column, f"must be a number from {limits[0]:g} to {limits[1]:g}, got {text!r}")
        return absent
    return value


def judgement_for(
    judgements: Sequence[Judgement], exporter: str, form: str, quantity: str
) -> Judgement | None:
    """Return the judgement nearest to the case.

    Both named come before one, the exporter before the form, a form before its material."""
    fits = [
        one
        for one in judgements
        if one.quantity == quantity
        and one.exporter in ("", exporter)
        and one.form in ("", form, form.partition("/")[0])
    ]
    return max(fits, key=narrowness, default=None)


def narrowness(one: Judgement) -> tuple[int, bool, bool]:
    """Sort key of judgements of one case: the larger is the nearer."""
    return bool(one.exporter) + bool(one.form), bool(one.exporter), "/" in one.form


def weighed(model: tuple[float, float, float], judgement: Judgement | None) -> Weighed:
    """Return the figure to use: the model's and the judgement's, weighed on the scale of logarithms.

    Args:
        model: value, low and high of the model; NaN where it has none, and then the judgement stands alone.
        judgement: the user's; None for the model alone.

    >>> mine = Judgement("CHN", "", "rate_per_year", 0.4, 0.2, 0.8, 0.5, "desk")
    >>> round(weighed((0.1, 0.05, 0.2), mine).value, 3)  # the geometric mean
    0.2
    """
    if judgement is None:
        return Weighed(*model, 0.0, "")
    own = judgement.value, judgement.low, judgement.high
    weight = 1.0 if math.isnan(model[0]) else judgement.weight
    if weight == 1.0 or min(model[0], own[0]) <= 0:
        return Weighed(*own, weight, judgement.source)
    value = math.exp((1 - weight) * math.log(model[0]) + weight * math.log(own[0]))
    spread = (1 - weight) * _spread(model) + weight * _spread(own)
    return Weighed(
        value, value * math.exp(-Z80 * spread), value * math.exp(Z80 * spread), weight, judgement.source
    )


def _spread(figure: tuple[float, float, float]) -> float:
    """Standard deviation of the logarithm behind an 80 % interval."""
    _, low, high = figure
    return float(np.log(high / low) / (2 * Z80)) if 0 < low < high else 0.0
