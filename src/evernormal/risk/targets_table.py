"""Targets of dependence with their definitions: the shipped ones, or a user's CSV or YAML file."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal, cast

import polars as pl

from evernormal.data.geography import aliases
from evernormal.data.publishers.text import Problems, read_rows
from evernormal.data.schema import day
from evernormal.errors import InputError
from evernormal.network.yaml_reader import read_bytes, read_yaml
from evernormal.risk.cells import EUROPEAN_UNION

__all__ = ["COLUMNS", "MEASURES", "Target", "read_targets", "shipped_targets"]

MEASURES = (
    "largest-share",
    "partner-share",
    "production-share-ore",
    "production-share-refined",
    "recycled-share",
    "unmeasured",
)
"""What a target can be about; the last two have no series in the shipped data."""

COLUMNS = (
    "target", "country", "measure", "by", "partner", "direction", "base_year", "base_value", "target_year",
    "target_value", "definition_en", "definition_ko", "source", "as_of", "grade",
)  # fmt: skip
"""Columns of a user's file; partner, base_value and definition_ko may be empty."""

_PATH = Path(__file__).parent / "tables" / "targets.csv"
_OPTIONAL = {"partner", "base_value", "definition_ko"}
_CHOICES = {
    "measure": MEASURES,
    "by": ("value", "quantity"),
    "direction": ("at most", "at least"),
    "grade": ("A", "B", "C"),
}


@dataclass(frozen=True)
class Target:
    """One target and what it is a target of.

    Attributes:
        target: stable name.
        country: ISO 3166 alpha-3, or ``EU``.
        measure: one of :data:`MEASURES`.
        by: value or quantity.
        partner: supplier that a partner share is of; empty otherwise.
        direction: ``at most`` or ``at least``.
        base_year: year from which progress counts.
        base_value: published level of the base, fraction; NaN where none is.
        target_year: year by which.
        target_value: fraction.
        definition_en: what exactly is measured.
        definition_ko: the same in Korean.
        source: who set it, and what is assumed about it.
        as_of: day on which it was known.
        grade: grade of the definition, not of the target.
    """

    target: str
    country: str
    measure: str
    by: Literal["value", "quantity"]
    partner: str
    direction: Literal["at most", "at least"]
    base_year: int
    base_value: float
    target_year: int
    target_value: float
    definition_en: str
    definition_ko: str
    source: str
    as_of: date
    grade: Literal["A", "B", "C"]


def shipped_targets(as_of: date | str | None = None) -> list[Target]:
    """Return the shipped targets that were known on a day; levels that are published facts are read there.

    >>> {t.target_value for t in shipped_targets() if t.country == "KOR" and t.direction == "at most"}
    {0.5}
    """
    from evernormal.data import facts  # noqa: PLC0415 - reads tables

    known = facts("dependence_target", as_of=as_of)
    values = dict(known.filter(pl.col("value").is_not_null()).select("fact_id", "value").iter_rows())
    sources = dict(known.select("fact_id", "source").iter_rows())
    with _PATH.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    found = []
    for row in rows:
        base, goal = row.pop("base_fact"), row.pop("target_fact")
        if goal and goal not in values:
            continue
        if goal:
            row["target_value"] = str(values[goal])
            row["base_value"] = str(values.get(base, ""))
            row["source"] = f"{sources[goal]}; {row['source']}"
        found.append(row)
    problems = Problems(_PATH.name)
    listed = [_target(row, number, problems) for number, row in enumerate(found, start=2)]
    problems.raise_if_any("Install the package again.")
    asked = day(as_of)
    return [one for one in listed if one is not None and (asked is None or one.as_of <= asked)]


def read_targets(path: str | Path) -> list[Target]:
    """Return the targets of a user's file: CSV with :data:`COLUMNS`, or a YAML list of the same keys.

    Raises:
        SourceFormatError: names file, row and column of every fault.
        InputError: no such file, or YAML that cannot be read.
    """
    place = Path(path)
    if not place.is_file():
        raise InputError("no such file", where=str(place), cure="Check the path of the targets.")
    written = place.suffix.lower() in (".yaml", ".yml")
    rows = _yaml_rows(place) if written else read_rows(place, COLUMNS)
    problems = Problems(place.name)
    found = [_target(row, number, problems) for number, row in enumerate(rows, start=2)]
    names = [one.target for one in found if one is not None]
    for number, one in enumerate(found, start=2):
        if one is not None and names.count(one.target) > 1:
            problems.add(number, "target", f"{one.target!r} is there twice")
    problems.raise_if_any("Correct the file.")
    if not found:
        raise InputError("the file has no target", where=place.name, cure="Give at least one.")
    return [one for one in found if one is not None]


def _yaml_rows(place: Path) -> list[dict[str, str]]:
    document = read_yaml(read_bytes(place))
    if document.problems:
        raise InputError(document.problems[0].what, where=place.name, cure="Write a YAML list of targets.")
    if not isinstance(document.data, list) or not all(isinstance(one, Mapping) for one in document.data):
        raise InputError(
            "is no list of targets", where=place.name, cure="Begin each target with '- target:'."
        )
    problems = Problems(place.name)
    rows = []
    for number, one in enumerate(document.data, start=2):
        for key in one:
            if key not in COLUMNS:
                problems.add(number, str(key)[:40], f"is no key; known: {', '.join(COLUMNS)}")
        rows.append({column: "" if one.get(column) is None else str(one[column]) for column in COLUMNS})
    problems.raise_if_any("Correct the file; targets count from 2, as rows do.")
    return rows


def _target(row: Mapping[str, str], number: int, problems: Problems) -> Target | None:
    """Return one target, or None with its faults noted."""
    before = len(problems.found)
    cells = {column: (row.get(column) or "").strip() for column in COLUMNS}
    for column, text in cells.items():
        if not text and column not in _OPTIONAL:
            problems.add(number, column, "is empty")
        elif text and column in _CHOICES and text not in _CHOICES[column]:
            problems.add(number, column, f"must be one of {', '.join(_CHOICES[column])}, got {text!r}")
    for column in ("country", "partner"):
        text = cells[column]
        if text and text not in aliases("iso3") and not (column == "country" and text == EUROPEAN_UNION):
            problems.add(number, column, f"{text!r} is no ISO 3166 alpha-3 code")
    if cells["measure"] == "partner-share" and not cells["partner"]:
        problems.add(number, "partner", "a share of a partner needs the partner")
    years = [_year(cells[column], number, column, problems) for column in ("base_year", "target_year")]
    if None not in years and cast(int, years[0]) >= cast(int, years[1]):
        problems.add(number, "target_year", "must be after base_year")
    levels = [_level(cells[column], number, column, problems) for column in ("base_value", "target_value")]
    known_on = _day(cells["as_of"], number, problems)
    if len(problems.found) > before or known_on is None:
        return None
    return Target(
        cells["target"], cells["country"], cells["measure"], cells["by"], cells["partner"],  # type: ignore[arg-type]
        cells["direction"], cast(int, years[0]), levels[0], cast(int, years[1]), levels[1],  # type: ignore[arg-type]
        cells["definition_en"], cells["definition_ko"], cells["source"], known_on, cells["grade"],  # type: ignore[arg-type]
    )  # fmt: skip


def _year(text: str, number: int, column: str, problems: Problems) -> int | None:
    if not (text.isascii() and text.isdigit() and len(text) == 4):
        if text:
            problems.add(number, column, f"must be a year, got {text!r}")
        return None
    return int(text)


def _level(text: str, number: int, column: str, problems: Problems) -> float:
    if not text:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        problems.add(number, column, f"must be a number, got {text!r}")
        return math.nan
    if not 0 <= value <= 1:
        problems.add(number, column, f"must be a fraction from 0 to 1, got {text}")
    return value


def _day(text: str, number: int, problems: Problems) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        if text:
            problems.add(number, "as_of", f"must be a day like 2024-12-31, got {text!r}")
        return None


def of_country(targets: Sequence[Target], country: str) -> list[Target]:
    """Return the targets of one country."""
    return [one for one in targets if one.country == country]
