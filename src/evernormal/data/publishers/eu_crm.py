"""The European Commission's studies on critical raw materials: shares, uses and scores, as tables of CSV.

The tables are told apart by their header: supply shares by country and stage with the trade parameter t (of
the world, or of what the Union draws on), shares of use by sector with value added, scores over the studies,
groups of materials, and results with their inputs as the study of 2017 prints them.  What the study prints
as "<0.1%" is an interval, not a number (law 2).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from evernormal.data.publishers.adapters import Asked, Reading
from evernormal.data.publishers.eu_crm_tables import (
    Context,
    Row,
    groups,
    old_results,
    results,
    scores,
    supply,
    uses,
)
from evernormal.data.publishers.statistics_table import statistics_table
from evernormal.data.publishers.text import (
    Problems,
    csv_fault,
    place_of_byte,
    refuse_non_text,
    refuse_other_tables,
    refuse_spoiled,
)
from evernormal.errors import SourceFormatError

__all__ = ["EDITIONS", "reading"]

EDITIONS = {
    2011: date(2011, 2, 2),
    2014: date(2014, 5, 26),
    2017: date(2017, 9, 13),
    2020: date(2020, 9, 3),
    2023: date(2023, 3, 16),
}
"""Year of each study and the day of the communication or proposal that it came with: COM(2011) 25,
COM(2014) 297, COM(2017) 490, COM(2020) 474, COM(2023) 160."""

_YEAR = re.compile(r"(?<!\d)(2011|2014|2017|2020|2023)(?!\d)")
_CURE = "Give the table as the study prints it, saved as CSV; `evernormal data sources` says what is read."


@dataclass(frozen=True)
class _Layout:
    """One table of the study: its columns, its name, the edition that prints it, and who reads its rows."""

    columns: tuple[str, ...]
    name: str
    edition: int
    read: Callable[[list[Row], Context], None]


_LAYOUTS = (
    _Layout(("Material", "Stage", "Country", "Share", "t"), "supply", 2023, supply),
    _Layout(("Material", "Application", "Share", "NACE sector", "VA in million €"), "uses", 2023, uses),
    _Layout(("Material", "Year", "SR", "EI"), "scores", 2023, scores),
    _Layout(
        ("screened_material", "perm_noXREE_noPGM", "perm_noXREE_PGM", "perm_XREE_noPGM", "perm_XREE_PGM"),
        "groups",
        2023,
        groups,
    ),
    _Layout(
        ("material", "stage", "SR", "EI", "import_reliance_pct", "EoL_RIR_pct", "supply_basis"),
        "results",
        2017,
        old_results,
    ),
    _Layout(
        ("material", "stage", "SR_2017", "EI_2017", "IR_pct", "EoL_RIR_pct", "supply_used", "SI_EI", "SI_SR",
         "HHIWGIt_GS", "HHIWGIt_EU"),
        "results",
        2017,
        results,
    ),
)  # fmt: skip


def reading(path: Path, asked: Asked) -> Reading:
    """Return one table of a study as statistics.

    Raises:
        SourceFormatError: no table of the study, or faults in it, each named with row and column.
    """
    asked.progress(path.name)
    content = path.read_bytes()
    refuse_non_text(content[:4096], path.name)
    text, recoded = _text(content, path.name)
    header, rows = _cells(text, path.name)
    layout = _layout(header, path.name)
    edition, told = _edition(path.name, asked.as_of, layout)
    problems = Problems(path.name)
    source = f"European Commission, Study on the critical raw materials for the EU {edition}"
    known = asked.as_of or EDITIONS[edition]
    days = dict.fromkeys(EDITIONS, asked.as_of) if asked.as_of else EDITIONS
    context = Context(path.name, edition, source, known, {y: d or known for y, d in days.items()}, problems)
    layout.read(rows, context)
    problems.raise_if_any()
    if recoded:
        context.tell("read-as-cp1252", "info", "The file is not UTF-8; it was read as Windows 1252.", {})
    if not told:
        context.tell(
            "edition-assumed",
            "caution",
            f"Neither file nor call says the study's year: taken for {edition}, whose study prints this"
            " table. Give as_of for another.",
            {"edition": edition},
        )
    return Reading(
        statistics_table(context.found),
        f"eu-crm-{edition}-{context.name or layout.name}",
        f"{source}, {context.name or layout.name}",
        context.latest,
        findings=tuple(context.findings),
    )


def _text(content: bytes, name: str) -> tuple[str, bool]:
    """Return the text, and whether it had to be read as Windows 1252, which Excel writes."""
    try:
        return content.decode("utf-8-sig"), False
    except UnicodeDecodeError as error:
        row, column = place_of_byte(content, error.start)
        try:
            return content.decode("cp1252"), True
        except UnicodeDecodeError:
            raise SourceFormatError(
                f"row {row}, column {column} is neither UTF-8 nor Windows 1252",
                where=name,
                cure="Save the file as CSV UTF-8.",
            ) from error


def _cells(text: str, name: str) -> tuple[list[str], list[Row]]:
    refuse_other_tables(text, name)
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    rows: list[Row] = []
    number = 1
    try:
        header = [_plain(cell) for cell in next(reader, [])]
        for number, cells in enumerate(reader, start=2):
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                raise SourceFormatError(
                    f"row {number} has {len(cells)} cells, the header has {len(header)}"
                    f" (it begins {', '.join(cells[:3])!r})",
                    where=name,
                    cure="Quote a cell that has a comma; a half-downloaded file ends like this too.",
                )
            values = [_plain(cell) for cell in cells]
            rows.append(Row(number, dict(zip(header, values, strict=True))))
    except csv.Error as error:
        raise SourceFormatError(f"row {number + 1}: {csv_fault(error)}", where=name, cure=_CURE) from error
    if not rows:
        raise SourceFormatError("the file has a header and no rows", where=name, cure="Download it again.")
    refuse_spoiled(((row.number, list(row.cells.values())) for row in rows), header, name)
    return header, rows


def _plain(cell: str) -> str:
    """Return a cell without the line breaks and double spaces that a printed table brings."""
    return " ".join(cell.split())


def _layout(header: list[str], name: str) -> _Layout:
    for layout in _LAYOUTS:
        if set(layout.columns) <= set(header) and len(header) == len(set(header)):
            return layout
    nearest = max(_LAYOUTS, key=lambda one: len(set(one.columns) & set(header)))
    missing = [column for column in nearest.columns if column not in header]
    twice = sorted({column for column in header if header.count(column) > 1})
    what = f"column {', '.join(twice)} is there twice" if twice else (
        f"this is no table of the study that is known; nearest is {nearest.name!r}, of which column"
        f" {', '.join(missing)} is missing; the header has {', '.join(header)}"
    )  # fmt: skip
    raise SourceFormatError(what, where=name, cure=_CURE)


def _edition(name: str, as_of: date | None, layout: _Layout) -> tuple[int, bool]:
    """Return the study's year, and whether file, call or layout tells it."""
    named = {int(year) for year in _YEAR.findall(name)}
    if len(named) == 1:
        return named.pop(), True
    if as_of is not None:
        published = [year for year, day in EDITIONS.items() if day <= as_of]
        return (max(published) if published else layout.edition), True
    return layout.edition, layout.name in {"scores", "results", "groups"}
