"""A national table in parts (a zip file of matrices) or as a list of cells."""

from __future__ import annotations

import csv
import io
import math
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evernormal.data.geography import aliases
from evernormal.data.publishers.adapters import Asked
from evernormal.data.publishers.archive import csv_members, read_member
from evernormal.data.publishers.input_output_cells import DOMESTIC, IMPORTED, Accounts
from evernormal.data.publishers.text import Problems, decode, require_header
from evernormal.errors import SourceFormatError

__all__ = ["LONG_COLUMNS", "read_long", "read_parts"]

Floats = NDArray[np.float64]

LONG_COLUMNS = ("year", "region", "block", "origin", "row", "column", "value", "unit")
"""Columns of a list of cells; ``classification``, ``row_name`` and ``column_name`` may stand beside them."""

_UNIT_WORDS = {
    "musd": "million USD",
    "mkrw": "million KRW",
    "bkrw": "billion KRW",
    "meur": "million EUR",
    "kusd": "thousand USD",
}
_BLOCKS = ("intermediate", "final", "value_added", "taxes", "output")
_PART = re.compile(
    r"(?P<region>[A-Z]{3})_(?P<set>[a-z]+)(?P<year>\d{4})_(?P<what>.+?)_(?P<unit>[a-z]+)\.csv$"
)


def read_parts(path: Path, asked: Asked) -> Sequence[Accounts]:
    """Return the accounts of a zip file of parts.

    The parts are ``KOR_wiod2011_Z_domestic_musd.csv``, ``..._Z_imported_musd.csv`` (and perhaps
    ``..._Z_imported_from_CHN_musd.csv``) and ``..._output_fd_va_musd.csv`` with the columns output, final
    uses and value added.
    """
    parts: dict[str, tuple[str, str]] = {}
    heads = set()
    for member in csv_members(path, asked.limits):
        found = _PART.search(member.rsplit("/", 1)[-1])
        if found is None:
            continue
        parts[found["what"]] = (member, found["unit"])
        heads.add((found["region"], found["set"] + found["year"], found["year"], found["unit"]))
    missing = {"Z_domestic", "Z_imported", "output_fd_va"} - set(parts)
    if missing:
        raise SourceFormatError(
            f"the zip file has no part {', '.join(sorted(missing))}",
            where=path.name,
            cure="Pack KOR_wiod2011_Z_domestic_musd.csv, _Z_imported_ and _output_fd_va_ of it together.",
        )
    if len(heads) != 1:
        raise SourceFormatError("the parts are of different tables, years or units", where=path.name)
    region, classification, year, unit = heads.pop()
    if unit not in _UNIT_WORDS:
        raise SourceFormatError(
            f"unit {unit!r} is not known", where=path.name, cure=f"Known: {', '.join(_UNIT_WORDS)}."
        )
    problems = Problems(path.name)
    grids = {what: _grid(path, member, asked, problems) for what, (member, _) in parts.items()}
    problems.raise_if_any()
    return [_of_parts(path, grids, region, int(year), _UNIT_WORDS[unit], classification)]


Grid = tuple[list[str], list[str], Floats]


def _grid(path: Path, member: str, asked: Asked, problems: Problems) -> Grid:
    text = decode(read_member(path, member, asked.limits), member)
    lines = list(csv.reader(io.StringIO(text)))
    columns = [cell.strip() for cell in lines[0][1:]]
    rows, values = [], []
    for number, cells in enumerate(lines[1:], start=2):
        if len(cells) != len(columns) + 1:
            problems.add(number, member, f"has {len(cells)} cells, the header has {len(columns) + 1}")
            continue
        rows.append(cells[0].strip())
        values.append(
            [
                _number(cell, number, f"{member} {c}", problems)
                for cell, c in zip(cells[1:], columns, strict=True)
            ]
        )
    return rows, columns, np.array(values, dtype=np.float64)


def _number(text: str, row: int, column: str, problems: Problems) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        problems.add(row, column, f"{text!r} is no number")
    return value


def _of_parts(
    path: Path, grids: dict[str, Grid], region: str, year: int, unit: str, classification: str
) -> Accounts:
    sectors = grids["Z_domestic"][0]
    for what, (rows, columns, _) in grids.items():
        other = columns if what.startswith("Z_") else rows
        for have in (rows, other):
            missing = [s for s in sectors if s not in have] or [s for s in have if s not in sectors]
            if missing or len(have) != len(sectors):
                raise SourceFormatError(
                    f"part {what} and Z_domestic list different sectors: {', '.join(missing[:5])}",
                    where=path.name,
                )
    position = {s: k for k, s in enumerate(sectors)}

    def square(what: str) -> Floats:
        rows, columns, values = grids[what]
        out = np.empty_like(values)
        out[np.ix_([position[r] for r in rows], [position[c] for c in columns])] = values
        return out

    rows, columns, values = grids["output_fd_va"]
    side = values[np.argsort([position[r] for r in rows])]
    require_header(columns, ["output"], f"{path.name} output_fd_va")
    added = next((c for c in columns if c.startswith("value_added")), None)
    if added is None:
        raise SourceFormatError("column value_added is missing", where=f"{path.name} output_fd_va")
    uses = tuple(c for c in columns if c not in ("output", added))
    imported, findings = square("Z_imported"), {}
    for what in grids:
        if what.startswith("Z_imported_from_"):
            findings[what.rsplit("_", 1)[1]] = square(what)
    rest = imported - sum(findings.values(), np.zeros_like(imported))
    order = {s: k + 2 for k, s in enumerate(sectors)}
    return Accounts(
        region,
        year,
        unit,
        "wiod2013" if classification.startswith("wiod") and year <= 2011 else classification,
        tuple(sectors),
        {},
        square("Z_domestic"),
        {**findings, IMPORTED: rest},
        side[:, [columns.index(c) for c in uses]],
        tuple("exports_" + u.removeprefix("exports_") if u.startswith("exports") else u for u in uses),
        {},
        side[:, columns.index(added)],
        np.zeros(len(sectors)),
        side[:, columns.index("output")],
        lambda row, column, origin="": (
            order.get(row, order.get(column, 0)),
            column if row in order else f"{column} ({row})",
        ),
    )


def read_long(path: Path) -> Sequence[Accounts]:
    """Return the accounts of a list of cells with :data:`LONG_COLUMNS`; a cell that is not listed is zero."""
    reader = csv.reader(decode(path.read_bytes(), path.name).splitlines(keepends=True), strict=True)
    header = [cell.strip() for cell in next(reader)]
    require_header(header, LONG_COLUMNS, path.name)
    problems = Problems(path.name)
    cells: dict[tuple[str, str], list[tuple[int, dict[str, str]]]] = defaultdict(list)
    for number, values in enumerate(reader, start=2):
        if not any(values):
            continue
        if len(values) != len(header):
            problems.add(number, "row", f"has {len(values)} cells, the header has {len(header)}")
            continue
        row = {c: v.strip() for c, v in zip(header, values, strict=True)}
        if row["region"] not in aliases("iso3"):
            problems.add(number, "region", f"{row['region']!r} is no ISO 3166 alpha-3 code")
        if not (row["year"].isdigit() and len(row["year"]) == 4):
            problems.add(number, "year", f"must be a year, got {row['year']!r}")
        if row["block"] not in _BLOCKS:
            problems.add(number, "block", f"must be one of {', '.join(_BLOCKS)}, got {row['block']!r}")
        if not re.fullmatch(r"(thousand |million |billion )?[A-Z]{3}", row["unit"]):
            problems.add(number, "unit", f"must be written like 'million USD', got {row['unit']!r}")
        cells[row["region"], row["year"]].append((number, row))
    problems.raise_if_any()
    if not cells:
        raise SourceFormatError("the file has a header and no rows", where=path.name)
    found = [_of_cells(rows, region, int(year), problems) for (region, year), rows in sorted(cells.items())]
    problems.raise_if_any()
    return [accounts for accounts in found if accounts is not None]


def _of_cells(
    rows: list[tuple[int, dict[str, str]]], region: str, year: int, problems: Problems
) -> Accounts | None:
    before = len(problems.found)
    sectors = list(dict.fromkeys(r["column"] for _, r in rows if r["block"] == "output"))
    uses = list(dict.fromkeys(r["column"] for _, r in rows if r["block"] == "final"))
    position, use = {s: k for k, s in enumerate(sectors)}, {u: k for k, u in enumerate(uses)}
    n = len(sectors)
    matrices: dict[str, Floats] = {DOMESTIC: np.zeros((n, n))}
    final = np.zeros((n, len(uses)))
    vectors = {
        block: np.full(n, math.nan if block != "taxes" else 0.0)
        for block in ("value_added", "taxes", "output")
    }
    seen: dict[tuple[str, ...], int] = {}
    for number, row in rows:
        value = _number(row["value"], number, "value", problems)
        key = tuple(row[c] for c in ("block", "origin", "row", "column"))
        if key in seen:
            problems.add(number, "row", f"repeats row {seen[key]}")
        seen.setdefault(key, number)
        checks: list[tuple[str, dict[str, int]]] = [("column", use if row["block"] == "final" else position)]
        if row["block"] in ("intermediate", "final"):
            checks.append(("row", position))
        unknown = [(c, row[c]) for c, known in checks if row[c] not in known]
        for column, name in unknown:
            problems.add(number, column, f"sector {name!r} has no output in the file")
        if unknown:
            continue
        if row["block"] == "intermediate":
            matrix = matrices.setdefault(row["origin"] or DOMESTIC, np.zeros((n, n)))
            matrix[position[row["row"]], position[row["column"]]] = value
        elif row["block"] == "final":
            final[position[row["row"]], use[row["column"]]] = value
        else:
            vectors[row["block"]][position[row["column"]]] = value
    for k in np.flatnonzero(np.isnan(vectors["value_added"])):
        problems.add(rows[0][0], "value_added", f"value added of sector {sectors[k]!r} is missing")
    units = {r["unit"] for _, r in rows}
    if len(units) > 1:
        problems.add(rows[0][0], "unit", f"one table has several units: {', '.join(sorted(units))}")
    if len(problems.found) > before:
        return None
    first = rows[0][1]
    names = {r[c]: r.get(f"{c}_name", "") for _, r in rows for c in ("row", "column") if r.get(f"{c}_name")}
    domestic = matrices.pop(DOMESTIC)
    return Accounts(
        region, year, units.pop(), first.get("classification") or "own", tuple(sectors), names, domestic,
        matrices, final, tuple(uses), {u: names[u] for u in uses if u in names}, vectors["value_added"],
        vectors["taxes"], vectors["output"], _place(seen),
    )  # fmt: skip


def _place(seen: dict[tuple[str, ...], int]) -> Callable[..., tuple[int, str]]:
    """Name a cell by the row of the list that holds it."""
    rows = {(o or DOMESTIC, r, c): number for (_, o, r, c), number in seen.items()}
    by_block = {(block, c): number for (block, _, _, c), number in seen.items()}

    def place(row: str, column: str, origin: str = DOMESTIC) -> tuple[int, str]:
        block = {"value added": "value_added", "output": "output"}.get(row)
        if block:
            return by_block.get((block, column), 0), f"value of {row} of {column}"
        if column == "output":
            return by_block.get(("output", row), 0), f"value of output of {row}"
        return rows.get((origin, row, column), 0), f"value from {row} to {column}"

    return place
