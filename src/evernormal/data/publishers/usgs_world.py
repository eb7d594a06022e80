"""World tables of the Mineral Commodity Summaries with years, capacity and reserves side by side.

The edition of 2025 has one for all commodities, with a column of units; those of 2022 to 2024 one per
commodity, with units and years in the headers: ``Prod_kg_2022``, ``Prod_kg_est_2023``, ``Cap_kg_2023``,
``Reserves_t``.  A mark such as NA may stand in the column of notes beside a blank cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from evernormal.data.publishers.text import Problems
from evernormal.data.publishers.usgs_cells import (
    Cell,
    Printed,
    Record,
    Skipped,
    Table,
    commodity_of,
    edition_of,
    squeezed,
)

__all__ = ["NOTED", "figures_of", "is_dated", "is_world_field", "world_cells"]

_TIMED = r"(?:(?P<unit>[a-z]+)_)??(?P<est>est_?)?(?P<year>\d{4})"
_PRODUCTION = re.compile(rf"prod_(?P<part>sponge_)?{_TIMED}")
_CAPACITY = re.compile(rf"cap_(?P<part>pigment_|sponge_)?{_TIMED}")
_RESERVES = re.compile(
    r"reserves?_?(?P<part>ore_k2o_equiv_|ore_)?(?:(?P<unit>(?!notes?$)[a-z]+))?_?(?P<year>\d{4})?"
)
_NOTES = re.compile(r"(prod|cap|rese)[a-z]*_notes?")
_KINDS = (("production", _PRODUCTION), ("capacity", _CAPACITY), ("reserves", _RESERVES))
_ABOUT = ("source", "commodity", "country", "unit_meas")
_NOTE_KEYS = {"production": "prod", "capacity": "cap", "reserves": "rese"}
_NUMBER_IN_NOTES = "a number stands in a column of notes"
NOTED = "a note, kept with its figure"
_YEARS = re.compile(r"20\d\d")
_NOTE_MARKS = tuple(
    (re.compile(pattern, re.IGNORECASE), mark)
    for pattern, mark in (
        (r"n\.?a\.?\b", "NA"),
        (r"w\b", "W"),
        (r"xx$", "XX"),
        (r"less than (½|1/2|one-half|a half) unit", "Less than ½ unit"),
        (r"(very )?(small|moderate|large)\b|categorized|considered|included (in|with)", ""),
    )
)


def is_dated(header: Sequence[str]) -> bool:
    """Whether a header has a column of production or capacity of a year."""
    return any(p.fullmatch(squeezed(name)) for name in header for p in (_PRODUCTION, _CAPACITY))


def is_world_field(name: str) -> bool:
    """Whether a header belongs to a world table."""
    key = squeezed(name)
    return any(p.fullmatch(key) for _, p in _KINDS) or bool(_NOTES.fullmatch(key))


def world_cells(table: Table, problems: Problems) -> Iterator[Cell]:
    """Yield the cells of a world table: what is printed, and what a listed country leaves blank."""
    names = {squeezed(name): name for name in table.header}
    kind = next((names[n] for n in ("type", "form") if n in names), "")
    if not kind:  # headed with its own content, as in the fluorspar table of 2024
        kind = next((name for name in table.header if "production" in name.lower()), "")
    records = []
    units: dict[tuple[str, str], set[str]] = {}
    for row, cells in table.rows:
        about = {key: cells.get(names.get(key, ""), "") for key in _ABOUT}
        edition = edition_of(about["source"], table, row, problems)
        values = {name: (row, cells[name]) for name in table.header if cells[name]}
        commodity = about["commodity"] or commodity_of(table.file)
        label = cells.get(kind, "")
        units.setdefault((commodity, label), set()).add(about["unit_meas"])
        records.append(
            Record(table.file, row, edition, commodity, about["country"], label, about["unit_meas"], values)
        )
    yield from figures_of([_with_unit(record, units) for record in records], table.header)


def _with_unit(record: Record, units: dict[tuple[str, str], set[str]]) -> Record:
    """Return a record whose unit is blank with the one unit that the rest of its table has."""
    known = units.get((record.commodity, record.kind), set()) - {""}
    if record.unit or len(known) != 1:
        return record
    return replace(record, unit=next(iter(known)), guessed_unit=True)


def figures_of(records: Sequence[Record], header: Sequence[str]) -> Iterator[Cell]:
    """Yield the cells of the rows of world tables: figures, and what is none."""
    columns = [
        (name, statistic, found)
        for name in header
        if not _NOTES.fullmatch(squeezed(name))
        for statistic, pattern in _KINDS
        if (found := pattern.fullmatch(squeezed(name)))
    ]
    notes = {found[1]: name for name in header if (found := _NOTES.fullmatch(squeezed(name)))}
    used = {(r.commodity, r.kind, name) for r in records for name in r.values}
    for record in records:
        group = (record.commodity, record.kind)
        printing = any((*group, name) in used for name, _, _ in columns)
        for name, statistic, found in columns:
            note = record.values.get(notes.get(_NOTE_KEYS[statistic], ""), (0, ""))[1]
            in_use = (*group, name) in used or (statistic == "production" and not printing)
            if name in record.values or in_use or _mark(note, found["year"]):
                yield _cell(record, name, statistic, found, note)
        for name, (row, text) in record.values.items():
            if name in notes.values():
                number = re.fullmatch(r"[\d,.]+", text)
                yield Skipped(record.file, row, name, _NUMBER_IN_NOTES if number else NOTED)


def _cell(record: Record, name: str, statistic: str, found: re.Match[str], note: str) -> Printed:
    """Return one figure; a blank cell takes the mark that stands in the note."""
    row, text = record.values.get(name, (record.row, ""))
    year = int(found["year"] or record.edition - 1)
    told = found.groupdict()
    part = (told["part"] or "").strip("_").replace("_", " ")
    return Printed(
        file=record.file,
        row=row,
        column=name,
        edition=record.edition,
        world=True,
        commodity=record.commodity,
        country=record.country,
        statistic=statistic,
        detail=": ".join(x for x in (record.kind, part) if x),
        unit=_unit(told["unit"] or record.unit, note, statistic),
        year=year,
        text=text or _mark(note, str(year)),
        notes=note,
        estimated=_estimated(note, year, record.kind, statistic, headed=bool(told.get("est"))),
        origin=record.origin,
        guessed_unit=record.guessed_unit,
    )


def _mark(note: str, year: str | None) -> str:
    """Return the mark that a note gives to a blank cell: NA, W, XX, less than half a unit, a word of size."""
    text = note.strip().rstrip(".")
    for pattern, mark in _NOTE_MARKS:
        if pattern.match(text):
            years = _YEARS.findall(text)
            return "" if mark == "NA" and years and year and year not in years else mark or text
    return ""


def _estimated(note: str, year: int, kind: str, statistic: str, *, headed: bool) -> bool:
    """Whether a figure is estimated: the header says so unless the note says reported, or the note does."""
    text = note.lower()
    years = _YEARS.findall(text)
    if headed:
        return not re.match(r"reported\b", text) or (bool(years) and str(year) not in years)
    if statistic == "production" and kind.lower().endswith("estimated"):
        return True
    return "estimated" in text and (not years or str(year) in years)


def _unit(unit: str, note: str, statistic: str) -> str:
    """Return the unit of a cell: reserves may have their own, which the note says."""
    found = (
        re.search(r"(million|thousand) metric tons", note, re.IGNORECASE) if statistic == "reserves" else None
    )
    return found[0].lower() if found else unit
