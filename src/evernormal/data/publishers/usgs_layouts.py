"""The layouts of the Mineral Commodity Summaries data releases, each turned into the same printed cells.

- *one long table*, from the edition of 2026 on: a row per figure;
- *a world table* of all commodities (2025) or of one (2022 to 2024), see
  :mod:`evernormal.data.publishers.usgs_world`;
- *a salient table* of the United States per commodity (2022 to 2025), see
  :mod:`evernormal.data.publishers.usgs_salient`;
- *a long conversion* of those tables, a row per cell with the name of the file that it came from.
"""

from __future__ import annotations

from collections.abc import Iterator

from evernormal.data.publishers.text import Problems
from evernormal.data.publishers.usgs_cells import (
    CURE,
    Cell,
    Printed,
    Record,
    Skipped,
    Table,
    commodity_of,
    named_edition,
    years_in,
)
from evernormal.data.publishers.usgs_salient import SalientYear, own_unit, salient_cell, salient_cells
from evernormal.data.publishers.usgs_world import figures_of, is_dated, is_world_field, world_cells
from evernormal.errors import SourceFormatError

__all__ = ["printed_cells"]

_LONG = ("MCS chapter", "Section", "Commodity", "Country", "Statistics", "Statistics_detail", "Unit", "Year",
         "Value", "Notes")  # fmt: skip
_CONVERSION = ("release", "file", "row_key", "field", "value")
_Key = tuple[str, str, str]
_Values = dict[str, tuple[int, str]]


def printed_cells(table: Table, problems: Problems) -> Iterator[Cell]:
    """Yield every cell of a file that holds or should hold a figure.

    Raises:
        SourceFormatError: the header is of none of the layouts.
    """
    lower = {name.lower() for name in table.header}
    if set(_LONG) <= set(table.header):
        return _long(table, problems)
    if set(table.header) == set(_CONVERSION):
        return _conversion(table, problems)
    if "country" in lower and is_dated(table.header):
        return world_cells(table, problems)
    if {"commodity", "year"} <= lower and any("source" in name for name in lower):
        return salient_cells(table, problems)
    missing = [name for name in _LONG if name not in table.header]
    if len(missing) <= 5:
        what = f"column {', '.join(missing)} is missing; the header has {', '.join(table.header)}"
    else:
        what = f"this is no such release; the header has {', '.join(table.header)[:200]}"
    raise SourceFormatError(what, where=table.file, cure=CURE)


def _long(table: Table, problems: Problems) -> Iterator[Cell]:
    dated = []
    for row, cells in table.rows:
        years = years_in(cells["Year"])
        if years is None:
            problems.add(row, "Year", f"{cells['Year']!r} is no year like 2025 or 2021–24")
        else:
            dated.append((row, cells, *years))
    latest = max((year for _, _, year, _ in dated), default=0)
    edition = named_edition(table.file) or latest + 1
    if dated and latest + 1 != edition and not problems.found:
        raise SourceFormatError(
            f"its name says edition {edition}, its latest year {latest} says edition {latest + 1}",
            where=table.file,
            cure="Give the file of one release under the publisher's own name.",
        )
    for row, cells, year, period in dated:
        section, notes = cells["Section"], cells["Notes"]
        yield Printed(
            file=table.file,
            row=row,
            column="Value",
            edition=edition,
            world=not section.lower().startswith(("salient", "import sources")),
            commodity=cells["Commodity"],
            country=cells["Country"],
            statistic=cells["Statistics"],
            detail=cells["Statistics_detail"],
            unit=cells["Unit"],
            year=year,
            text=cells["Value"],
            notes=notes,
            section=section,
            chapter=cells.get("Other notes", ""),
            estimated=notes.lower().startswith("estimated"),
            period=period,
        )


def _conversion(table: Table, problems: Problems) -> Iterator[Cell]:
    """Yield the cells of a conversion: its rows are put together again into the rows of their files."""
    rows: dict[_Key, _Values] = {}
    for row, cells in table.rows:
        record = rows.setdefault((cells["release"], cells["file"], cells["row_key"]), {})
        name, text = cells["field"], cells["value"]
        if name not in record:
            record[name] = (row, text)
        elif record[name][1] == text:
            yield Skipped(table.file, row, "value", f"the same cell as in row {record[name][0]}")
        else:
            problems.add(
                row, "value", f"{name} is {text!r}, and {record[name][1]!r} in row {record[name][0]}"
            )
    files: dict[_Key, list[tuple[str, _Values]]] = {}
    for (release, file, key), values in rows.items():
        world = "world" if any(is_world_field(name) for name in values) else "salient"
        files.setdefault((release, file, world), []).append((key, values))
    for (release, file, kind), found in files.items():
        edition = named_edition(file) or named_edition(f"mcs{release}") or 0
        if not edition:
            problems.add(min(r for r, _ in found[0][1].values()), "release", f"{release!r} tells no edition")
        elif kind == "world":
            yield from _world_file(table.file, file, edition, found)
        else:
            yield from _salient_file(table.file, file, edition, found)


def _world_file(name: str, file: str, edition: int, rows: list[tuple[str, _Values]]) -> Iterator[Cell]:
    records = []
    header: dict[str, None] = {}
    for key, values in rows:
        country, _, kind = key.partition("|")
        first = min(row for row, _ in values.values())
        for field, (row, text) in values.items():
            if not is_world_field(field):
                kind = kind or text
                yield Skipped(name, row, field, "the kind of production, kept with its figures")
        header |= dict.fromkeys(values)
        records.append(Record(name, first, edition, commodity_of(file), country, kind, "", values, file))
    yield from figures_of(records, list(header))


def _salient_file(name: str, file: str, edition: int, rows: list[tuple[str, _Values]]) -> Iterator[Cell]:
    own = own_unit({field for _, values in rows for field in values})
    for key, values in rows:
        commodity, _, tail = key.partition("|")
        dated = years_in(tail)
        for field, (row, text) in values.items():
            if dated is None:
                yield Skipped(name, row, field, f"the row key {key!r} names no year")
            else:
                yield salient_cell(
                    SalientYear(name, edition, commodity, dated[0], own, file), row, field, text
                )
