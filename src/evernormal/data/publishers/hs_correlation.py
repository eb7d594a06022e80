"""Which code of one revision shares goods with which code of another, as the publishers print it.

Three forms are read.  The workbook of the UN Statistics Division (``HS2022toHS2017ConversionAndCorrelation
Tables.xlsx``): a sheet of correlations (a title over two columns, then ``HS2022 | HS2017 | Relationship``)
and one of conversions (``From HS2022 | To HS2017``), which names one old code for each new one.  The World
Bank's CSV, alone or in its zip (``HS 2017 Product Code, HS 2017 Product Description, HS 2012 Product Code,
...``, Windows-1252).  A linkage table of national codes, such as the Korean 연계표, with a column per side.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from evernormal.data.publishers.adapters import Asked, Reading, require_day
from evernormal.data.publishers.archive import csv_members, is_zip, read_member
from evernormal.data.publishers.correlation_grid import (
    Grid,
    Header,
    Pair,
    header_of,
    pairs_of,
    revisions_asked,
)
from evernormal.data.publishers.text import Problems, decode, refuse_non_text
from evernormal.data.schema import public_columns
from evernormal.errors import InputError, SourceFormatError
from evernormal.result import Finding

__all__ = ["reading"]

_WORKBOOK = b"xl/workbook.xml"
_LARGEST = 60_000_000
_CURE = (
    "Give the file as the publisher ships it, with the two revisions in the header (HS2022, HS 2017 Product "
    "Code, HSK 2022); where the header only says old and new, give revision as HSK2017>HSK2022."
)


@dataclass(frozen=True)
class _Table:
    """One grid that was understood."""

    grid: Grid
    header: Header
    pairs: list[Pair]

    @property
    def direction(self) -> tuple[str, str]:
        return self.header.from_revision, self.header.to_revision


def reading(path: Path, asked: Asked) -> Reading:
    """Return the pairs of codes in a file, in the direction in which it prints them.

    Raises:
        SourceFormatError: no table with two revisions in it; names file, sheet, row and column of every
            fault: no code, a formula, merged cells, a pair that is there twice.
        InputError: the revisions are neither in the header nor given.
    """
    asked.progress(path.name)
    sides = revisions_asked(asked.revision)
    if asked.revision is not None and sides is None:
        raise InputError(
            f"{asked.revision!r} does not say two revisions",
            where="revision",
            cure="Write it like HSK2017>HSK2022, the older first.",
        )
    problems = Problems(path.name)
    tables = _tables(_grids(path, asked), sides, problems)
    problems.raise_if_any()
    if not tables:
        raise SourceFormatError("no table sets two revisions against each other", where=path.name, cure=_CURE)
    chosen = next((t for t in tables if not t.header.is_conversion), tables[0])
    _require_one_pair(tables, chosen, path)
    return _reading(path, asked, chosen, _named(tables, chosen), sides)


def _grids(path: Path, asked: Asked) -> list[Grid]:
    """Return the grids of a file, whatever holds them."""
    if not is_zip(path):
        with path.open("rb") as stream:
            refuse_non_text(stream.read(4096), path.name)
        return [_text_grid(path.read_bytes(), path.name)]
    members = csv_members(path, asked.limits)  # checks what the archive claims to hold, a workbook's too
    if _WORKBOOK in path.read_bytes():
        return _sheets(path, asked)
    if len(members) != 1:
        raise SourceFormatError(
            f"the zip file holds {len(members)} CSV files, expected one",
            where=path.name,
            cure="Take the concordance out of it and add that.",
        )
    return [_text_grid(read_member(path, members[0], asked.limits, largest=_LARGEST), members[0])]


def _text_grid(content: bytes, name: str) -> Grid:
    """Return a CSV file as a grid; the World Bank writes Windows-1252, everyone else must write UTF-8."""
    refuse_non_text(content[:4096], name)
    head = content[:200].lower()
    if b"product code" in head:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("cp1252", errors="replace")
    else:
        text = decode(content, name)
    try:
        rows = tuple(tuple(cells) for cells in csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise SourceFormatError(
            f"it is no whole CSV file ({error})", where=name, cure="Download it again."
        ) from error
    return Grid(name, "", rows)


def _sheets(path: Path, asked: Asked) -> list[Grid]:
    from evernormal.data.publishers.workbook import read_sheets  # noqa: PLC0415 - loads openpyxl

    return [
        Grid(
            path.name,
            sheet.name,
            tuple(map(tuple, sheet.rows)),
            tuple((last, span) for span, _, last in sheet.merged),
        )
        for sheet in read_sheets(path, asked.limits, largest=(400_000, 200))
    ]


def _tables(grids: list[Grid], sides: tuple[str, str] | None, problems: Problems) -> list[_Table]:
    found = []
    for grid in grids:
        header = header_of(grid, sides)
        if header is None:
            continue
        local = Problems(grid.place)
        pairs = pairs_of(grid, header, local)
        if not pairs and not local.found:
            local.add(header.row, header.left_name, "no row follows the header")
        for row, column, text in local.found:
            problems.add(row, f"{grid.sheet}!{column}" if grid.sheet else column, text)
        found.append(_Table(grid, header, pairs))
    return found


def _require_one_pair(tables: list[_Table], chosen: _Table, path: Path) -> None:
    """Raise unless every table is about the same two revisions, and both directions say the same."""
    pairs = {(p.left, p.right) for p in chosen.pairs}
    for table in tables:
        if set(table.direction) != set(chosen.direction):
            raise SourceFormatError(
                f"it sets {' against '.join(table.direction)} and {' against '.join(chosen.direction)}",
                where=path.name,
                cure="Give one pair of revisions per file.",
            )
        other = table.direction != chosen.direction
        if other and not table.header.is_conversion and {(p.right, p.left) for p in table.pairs} != pairs:
            raise SourceFormatError(
                f"sheets {chosen.grid.sheet!r} and {table.grid.sheet!r} do not hold the same pairs",
                where=path.name,
                cure="Keep the one that is right.",
            )


def _named(tables: list[_Table], chosen: _Table) -> dict[str, str | None]:
    """Return the code that the conversion table names for each code that is left."""
    for table in tables:
        if table is not chosen and table.header.is_conversion and table.direction == chosen.direction:
            return {pair.left: pair.right for pair in table.pairs}
    return {}


def _reading(
    path: Path, asked: Asked, chosen: _Table, named: dict[str, str | None], sides: tuple[str, str] | None
) -> Reading:
    pairs = list(chosen.pairs)
    known = {(p.left, p.right) for p in pairs}
    only = [Pair(0, left, right) for left, right in sorted(named.items()) if (left, right) not in known]
    if asked.codes is not None:
        wanted = set(asked.codes)
        pairs = [p for p in pairs if p.left in wanted or p.right in wanted]
        only = [p for p in only if p.left in wanted or p.right in wanted]
    if not pairs:
        raise SourceFormatError("none of the codes is in it", where=path.name)
    older, newer = sorted(chosen.direction, key=lambda revision: int(revision[-4:]))
    known_on = require_day(asked, date(int(newer[-4:]), 1, 1), path)
    publisher = _publisher(chosen, sides)
    title = f"{publisher}, correlation of {chosen.direction[0]} with {chosen.direction[1]}"
    return Reading(
        _typed(chosen, pairs, only, named, title, known_on),
        f"hs-correlation-{chosen.direction[0].lower()}-{chosen.direction[1].lower()}",
        title,
        known_on,
        revision=f"{older}>{newer}",
        findings=tuple(_findings(asked, only, known_on)),
    )


def _publisher(chosen: _Table, sides: tuple[str, str] | None) -> str:
    if "product code" in chosen.header.left_name.lower():
        return "World Bank, WITS"
    national = sides is not None or "HSK" in "".join(chosen.direction)
    return "Korea Customs Service" if national else "UN Statistics Division"


def _findings(asked: Asked, only: list[Pair], known_on: date) -> list[Finding]:
    found = []
    if asked.as_of is None:
        text = f"No day of publication is given: {known_on} is used, the first day of the newer revision."
        found.append(Finding("as-of-of-revision", "info", text, {"as_of": str(known_on)}))
    if only:
        codes = [p.left for p in only]
        text = (
            f"The conversion table has {len(only)} pairs that the correlations lack: {', '.join(codes[:8])}."
        )
        found.append(Finding("conversion-without-correlation", "caution", text, {"codes": codes}))
    return found


def _typed(
    chosen: _Table,
    pairs: list[Pair],
    only: list[Pair],
    named: dict[str, str | None],
    title: str,
    known_on: date,
) -> pl.DataFrame:
    from_left = Counter(p.left for p in pairs)
    from_right = Counter(p.right for p in pairs)
    sheet = f"{chosen.grid.sheet}, " if chosen.grid.sheet else ""
    rows: list[dict[str, Any]] = []
    for pair in pairs:
        counted = f"{'n' if from_right[pair.right] > 1 else '1'}:{'n' if from_left[pair.left] > 1 else '1'}"
        rows.append(
            {
                "from_code": pair.left,
                "to_code": pair.right,
                "relation": pair.relation or counted,
                "named": _said(named, pair),
                "valid_from": pair.start,
                "from_description": pair.left_description,
                "to_description": pair.right_description,
                "source_ref": f"{sheet}row {pair.row}",
            }
        )
    for pair in only:
        note = "only the conversion table has this pair"
        rows.append({"from_code": pair.left, "to_code": pair.right, "named": "yes", "note": note})
    common = {
        "from_revision": chosen.direction[0],
        "to_revision": chosen.direction[1],
        "source": title,
        "as_of": known_on,
        "grade": "A",
    }
    columns = public_columns("concordance")
    table = pl.DataFrame(
        [
            {c.name: (common | {"source_ref": "conversion table"} | row).get(c.name) for c in columns}
            for row in rows
        ],
        schema={c.name: c.dtype for c in columns},
    )
    return table.sort("from_code", "to_code", nulls_last=True)


def _said(named: dict[str, str | None], pair: Pair) -> str | None:
    if pair.left not in named:
        return None
    return "yes" if named[pair.left] == pair.right else "no"
