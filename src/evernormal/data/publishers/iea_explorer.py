"""The International Energy Agency's critical minerals dataset: demand by use, mining and refining by country.

The publisher ships a workbook (``CM_Data_Explorer.xlsx``); a conversion of it to JSON that others published
is read too.  The base year is observed or estimated and has no scenario; later years are projections and
name theirs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from evernormal.data.publishers.adapters import Asked, Reading, require_day
from evernormal.data.publishers.iea_rows import EDITIONS, Figures, scenario_name
from evernormal.data.publishers.statistics_table import statistics_table
from evernormal.data.publishers.text import decode, refuse_non_text
from evernormal.errors import SourceFormatError

__all__ = ["reading"]

_LARGEST = 20_000_000
_TABLES = ("totalDemand", "supply", "cleantechByTech", "cleantechByMineral", "byTechnology")
_AGGREGATES = {
    "totalClean": "Total clean technologies",
    "otherUses": "Other uses",
    "totalDemand": "Total demand",
    "cleanShare": "Share of clean technologies in total demand",
    "total": "Total clean technologies",
}
_CURE = "Give CM_Data_Explorer.xlsx as the IEA ships it."


def reading(path: Path, asked: Asked) -> Reading:
    """Return the dataset as statistics; from the publisher's workbook, or from its conversion to JSON.

    Raises:
        SourceFormatError: neither, or faults in it, each named with sheet and cell.
        InputError: a workbook is given and the library that reads it is not installed.
    """
    asked.progress(path.name)
    with path.open("rb") as stream:
        head = stream.read(4096)
    figures = Figures(path.name)
    workbook = head.startswith(b"PK\x03\x04")
    if workbook:
        from evernormal.data.publishers.iea_workbook import read_workbook  # noqa: PLC0415 - loads openpyxl

        read_workbook(path, figures, asked.limits)
    else:
        _read_json(path, head, figures)
    figures.raise_if_faulty()
    figures.tell_totals()
    base = figures.base_year()
    known = require_day(asked, EDITIONS.get(base), path)
    return _reading(figures, base, known, converted=not workbook)


def _reading(figures: Figures, base: int, known: date, *, converted: bool) -> Reading:
    edition = EDITIONS.get(base, known).year
    source = f"IEA, Critical Minerals Dataset {edition}"
    if converted:
        source = f"{source}, converted to JSON by others"
        text = (
            "A conversion by others, not the IEA's workbook: it leaves out the unit, thousand tonnes there."
        )
        figures.tell("third-party-conversion", "caution", text, {"file": figures.file})
    common = {"source": source, "as_of": known, "grade": "B"}
    return Reading(
        statistics_table(row | common for row in figures.rows),
        f"iea-minerals-{edition}",
        source,
        known,
        findings=tuple(figures.findings),
    )


def _read_json(path: Path, head: bytes, figures: Figures) -> None:
    refuse_non_text(head, path.name)
    if path.stat().st_size > _LARGEST:
        raise SourceFormatError(f"larger than {_LARGEST:,} bytes", where=path.name, cure=_CURE)
    text = decode(path.read_bytes(), path.name)
    try:
        found = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise SourceFormatError(
            f"this is no whole JSON file ({error})", where=path.name, cure=_CURE
        ) from error
    if not isinstance(found, dict) or not set(_TABLES) & set(found):
        raise SourceFormatError(
            f"this is no table of the dataset: none of {', '.join(_TABLES)} is in it",
            where=path.name,
            cure=_CURE,
        )
    _demand(found.get("totalDemand", {}), "demand", "totalDemand", figures)
    _supply(found.get("supply", {}), figures)
    _demand(found.get("cleantechByTech", {}), "energy_demand", "cleantechByTech", figures)
    for mineral, series in _items(found.get("cleantechByMineral", {}), "cleantechByMineral", figures):
        place = f"cleantechByMineral.{mineral}"
        for scenario, year, value, where in _series(series, place, figures):
            figures.demand(where, "energy_demand", mineral, "", scenario, year, value)
    for technology, one in _items(found.get("byTechnology", {}), "byTechnology", figures):
        place = f"byTechnology.{technology}.minerals"
        for mineral, series in _items(_get(one, "minerals"), place, figures):
            for scenario, year, value, where in _series(series, f"{place}.{mineral}", figures):
                figures.demand(where, "technology_demand", mineral, technology, scenario, year, value)


def _demand(table: object, statistic: str, name: str, figures: Figures) -> None:
    for mineral, one in _items(table, name, figures):
        uses = list(_items(_get(one, "sectors"), f"{name}.{mineral}.sectors", figures))
        for key, label in _AGGREGATES.items():
            if _get(one, key) is not None:
                uses.append((label, _get(one, key)))
        for use, series in uses:
            for scenario, year, value, where in _series(series, f"{name}.{mineral}.{use}", figures):
                figures.demand(where, statistic, mineral, use, scenario, year, value)


def _supply(table: object, figures: Figures) -> None:
    """Note supply; the first year is the base year, later ones are the base case."""
    for mineral, one in _items(table, "supply", figures):
        for word, stage in (("mining", "ore"), ("refining", "refined")):
            part, place = _get(one, word), f"supply.{mineral}.{word}"
            rows = list(_items(_get(part, "countries"), f"{place}.countries", figures))
            sums = {"total": "Total", "top3Share": "Top 3 share"}
            rows += [(label, _get(part, key)) for key, label in sums.items() if _get(part, key) is not None]
            for country, series in rows:
                years = list(_series(series, f"{place}.{country}", figures))
                if all(value is None for _, _, value, _ in years):
                    _leave_out(country, f"{place}.{country}", figures)
                    continue
                first = min(year for _, year, _, _ in years)
                for _, year, value, where in years:
                    scenario = None if year == first else "Base case"
                    figures.supply(where, f"{mineral} - {word}", stage, country, scenario, year, value)


def _leave_out(label: str, place: str, figures: Figures) -> None:
    """Leave out a row without any figure: the sheet's notes, which the conversion took for countries."""
    text = f"Without any figure and left out: {label[:60]!r} ({place[:60]})."
    figures.tell("row-without-figure", "info", text, {"label": label})


def _series(series: object, place: str, figures: Figures) -> Iterator[tuple[str | None, int, Any, str]]:
    """Yield scenario, year, value and place of one series."""
    for key, value in _items(series, place, figures):
        if key.isdigit():
            yield None, int(key), value, f"{place}.{key}"
        else:
            for year, figure in _items(value, f"{place}.{key}", figures):
                if year.isdigit():
                    yield scenario_name(key), int(year), figure, f"{place}.{key}.{year}"
                else:
                    figures.fault(f"{place}.{key}.{year}", f"{year!r} is no year")


def _items(table: object, place: str, figures: Figures) -> Iterator[tuple[str, Any]]:
    if isinstance(table, dict):
        yield from table.items()
    elif table is not None:
        figures.fault(place, f"{str(table)[:40]!r} is no table")


def _get(table: object, key: str) -> Any:
    return table.get(key) if isinstance(table, dict) else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"key {', '.join(twice)} is there twice in one table")
    return found


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")
