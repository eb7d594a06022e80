"""USGS Mineral Commodity Summaries, the data releases from 2022 on, as statistics.

World production, capacity and reserves by country, and the salient statistics of the United States.  Masses
are stored in tonnes, world totals as ``WLD`` (rounded by the publisher), "Other countries" as ``ROW``; every
figure keeps its mark, and ``source_ref`` its row and its printed form.  What is no figure is counted with the
reason, so that nothing is dropped silently.
"""

from __future__ import annotations

import re
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

from evernormal.data.geography import aliases
from evernormal.data.publishers.adapters import Asked, Reading, name_from
from evernormal.data.publishers.archive import csv_members, is_zip, read_member
from evernormal.data.publishers.statistic_labels import label_of
from evernormal.data.publishers.statistics_table import statistics_table
from evernormal.data.publishers.text import Problems
from evernormal.data.publishers.usgs_accounts import Accounts, Seen, edition_day, findings_of
from evernormal.data.publishers.usgs_cells import CURE, Printed, Skipped, Table
from evernormal.data.publishers.usgs_figures import (
    NoFigureError,
    PrintedFigure,
    basis_in,
    figure,
    less_than,
    printed_unit,
    reliance,
)
from evernormal.data.publishers.usgs_layouts import printed_cells
from evernormal.data.publishers.usgs_places import place
from evernormal.data.publishers.usgs_text import table_of
from evernormal.errors import SourceFormatError, nearest

__all__ = ["ALONE", "Accounts", "read", "reading"]

_STATISTICS = {
    "production": "production",
    "capacity": "capacity",
    "reserves": "reserves",
    "import": "imports",
    "export": "exports",
    "consumption": "consumption",
    "price": "price",
    "stock": "stocks",
    "net import reliance": "net_import_reliance",
    "employment": "employment",
    "shipment": "shipments",
    "sold or used": "sold_or_used",
    "sold": "sold_or_used",
    "sales": "sold_or_used",
    "supply": "supply",
}
_DRESSING = re.compile(
    r"\s*[:,]\s*rounded|\s*\(rounded\)|\s*\((?:thousand|million) metric tons\)", re.IGNORECASE
)
_DULL = re.compile(r"estimated|reported|see appendix|reserves for .* revised|na|w|xx", re.IGNORECASE)
_Key = tuple[str, str, str]
ALONE = "United States"
"""What the label of a line says that is about the United States alone."""


def reading(path: Path, asked: Asked) -> Reading:
    """Return a release as statistics.

    Raises:
        SourceFormatError: no such release, or faults in it, each named with row and column.
    """
    accounts = read(path, asked)
    latest = max(accounts.editions)
    titles = " and ".join(str(year) for year in sorted(accounts.editions))
    return Reading(
        statistics_table(accounts.found),
        _dataset(path, accounts.editions),
        f"USGS, Mineral Commodity Summaries {titles}, {path.name}",
        asked.as_of or edition_day(latest)[0],
        findings=tuple(findings_of(accounts, asked)),
    )


def read(path: Path, asked: Asked) -> Accounts:
    """Return the rows of a release and what became of every cell of it."""
    asked.progress(path.name)
    if not is_zip(path):
        files = {path.name: path.read_bytes()}
    else:
        members = [name for name in csv_members(path, asked.limits) if not Path(name).name.startswith(".")]
        if not members:
            raise SourceFormatError("there is no CSV file in it", where=path.name, cure=CURE)
        files = {name: read_member(path, name, asked.limits) for name in members}
    accounts = Accounts()
    for name, content in files.items():
        where = path.name if name == path.name else f"{path.name}, {name}"
        _read_table(table_of(content, Path(name).name), where, accounts, asked, alone=len(files) == 1)
    if not accounts.found:
        raise SourceFormatError("there is no figure in it", where=path.name, cure=CURE)
    _join_labels(accounts.found)
    return accounts


def _read_table(table: Table, where: str, accounts: Accounts, asked: Asked, *, alone: bool) -> None:
    """Note every cell of one table; in an archive a table of another kind is left out with the reason."""
    problems = Problems(where)
    try:
        cells = printed_cells(table, problems)
    except SourceFormatError:
        if alone:
            raise
        reason = f"not a table of countries or of salient statistics ({table.file})"
        accounts.skipped.append(Skipped(table.file, 1, "", reason))
        return
    for cell in cells:
        if isinstance(cell, Skipped):
            accounts.skipped.append(cell)
        else:
            _note(cell, accounts, problems, asked.as_of)
    problems.raise_if_any()


def _note(cell: Printed, accounts: Accounts, problems: Problems, as_of: date | None) -> None:
    """Turn one printed cell into a row, or say why it is none."""
    where = place(cell.country)
    if where.several:
        accounts.skipped.append(Skipped(cell.file, cell.row, cell.column, "several countries together"))
        return
    if where.iso3 is None:
        close = nearest(cell.country, aliases("usgs"))
        hint = f"; did the publisher mean {' or '.join(close)}?" if close else ""
        problems.add(cell.row, "Country", f"unknown country {cell.country!r}{hint}")
        return
    try:
        found = _figure(cell)
    except NoFigureError as error:
        problems.add(cell.row, cell.column, str(error))
        return
    if cell.world and found.value is not None and found.value < 0:
        problems.add(cell.row, cell.column, f"{cell.text!r} is below zero: no country produces or holds that")
        return
    unit = printed_unit(cell.unit) or printed_unit(_unit_in(cell.detail))
    if unit is None:
        if found.value is not None or found.low is not None:
            problems.add(cell.row, "Unit", "is empty: say what the figure counts, such as metric tons")
            return
        unit = printed_unit("unit not given")
    assert unit is not None
    if not unit.known:
        accounts.kept[cell.unit.strip() or "not given"] += 1
    row = _row(cell, found.times(unit.factor), unit.unit, where.iso3, where.qualifier, as_of)
    if _is_new(cell, row, where.qualifier, accounts, problems):
        accounts.blank += not cell.text
        if cell.guessed_unit and cell.row not in accounts.guessed:
            accounts.guessed.append(cell.row)
        accounts.editions.add(cell.edition)
        accounts.found.append(row)
        if not label_of("usgs", cell.commodity, f"{row['statistic']}: {cell.detail}").known:
            accounts.unknown[cell.commodity] += 1


def _figure(cell: Printed) -> PrintedFigure:
    """Return the figure of a cell with the bound that its note or its statistic gives."""
    if not cell.text:
        return PrintedFigure(marks=("blank",))
    smallest = None
    if told := less_than(f"{cell.text} {cell.notes}"):
        own, printed = printed_unit(told[1] or cell.unit), printed_unit(cell.unit)
        if own and printed and own.unit == printed.unit:
            smallest = float(Fraction(told[0]) * own.factor / printed.factor)
    found = figure(cell.text, cell.notes, smallest, price=cell.statistic.lower() == "price")
    return reliance(found) if cell.statistic.lower() == "net import reliance" else found


def _unit_in(detail: str) -> str:
    """Return a unit that the line itself says: ``Price, dollars per pound``."""
    found = re.search(
        r"(?:thousand|million)? ?metric tons|kilograms|(?:dollars|cents) per [a-z ]+|percent", detail.lower()
    )
    return found[0].strip() if found else ""


def _row(
    cell: Printed, found: PrintedFigure, unit: str, country: str, qualifier: str, as_of: date | None
) -> dict[str, Any]:
    statistic = _STATISTICS.get(cell.statistic.lower(), cell.statistic.lower().replace(" ", "_"))
    if cell.statistic.lower().startswith("import sources"):
        statistic = "import_source_share"
    detail = _DRESSING.sub("", cell.detail).strip(" :")
    label = label_of("usgs", cell.commodity, f"{statistic}: {detail}")
    if label.stage is None:
        label = label_of("usgs", cell.commodity, f"{statistic}: {cell.section}: {detail}")
    marks = [*found.marks, *(["e"] if cell.estimated and "e" not in found.marks else [])]
    notes = [part for part in re.split(r"\s*--\s*", cell.notes) if part and not _DULL.match(part)]
    flag = "; ".join(dict.fromkeys(part for part in (*marks, qualifier, *notes) if part))
    return {
        "year": cell.year,
        "country": country,
        "commodity": _label(cell, detail),
        "material": label.material,
        "stage": label.stage,
        "form": label.form,
        "statistic": statistic,
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "unit": unit,
        "basis": _basis(cell, unit, label.basis),
        "flag": flag[:300] or None,
        "source": f"USGS, Mineral Commodity Summaries {cell.edition}",
        "source_ref": f"{cell.file}, row {cell.row}, {cell.column}: {cell.text or 'blank'} {cell.unit}",
        "as_of": as_of or edition_day(cell.edition)[0],
        "grade": "B" if "e" in marks else "A",
    }


def _label(cell: Printed, detail: str) -> str:
    """Return the label of a line; those of the United States alone say so."""
    commodity = " ".join(cell.commodity.split())
    if cell.statistic.lower().startswith("import sources"):
        return f"{commodity}: imports of the United States {cell.period}: {detail}"
    return f"{commodity}: {detail}" if cell.world else f"{commodity}: {ALONE}: {detail}"


def _basis(cell: Printed, unit: str, usual: str) -> str:
    """Return what a figure counts: what line, section, note or chapter say, in this order, else the usual."""
    if unit != "t":
        return "price" if unit.startswith("USD/") else cell.statistic.lower()
    stated = next((b for b in map(basis_in, (cell.detail, cell.section)) if b), "")
    if stated:
        return stated
    own = next((b for b in map(basis_in, re.split(r"\s*--\s*", cell.notes)) if b == "gross"), "")
    if cell.statistic.lower() == "reserves" and not own:
        own = basis_in(cell.notes) if "content" in cell.notes[:20] else ""
    return own or basis_in(cell.chapter.partition(" -- ")[0]) or usual or "gross"


def _is_new(
    cell: Printed, row: dict[str, Any], qualifier: str, accounts: Accounts, problems: Problems
) -> bool:
    """Whether a figure is not there yet.

    The same line in another file of the release is left out with the reason; in one table of countries it is
    a fault; the United States may have two lines of one name, which then get a number.
    """
    names = ("year", "country", "statistic", "unit", "source")
    key = (*(row[name] for name in names), row["commodity"].casefold())
    here = Seen(
        cell.row,
        cell.origin or cell.file,
        cell.text,
        cell.notes,
        row["flag"],
        (row["value"], row["low"], row["high"]),
    )
    known = accounts.seen.setdefault(key, here)
    if known is here:
        return True
    if known.origin != here.origin:
        what = "the same" if known.value == here.value else f"another ({known.text})"
        reason = f"{what} figure as in row {known.row} from {known.origin}"
        accounts.skipped.append(Skipped(cell.file, cell.row, cell.column, reason))
        return False
    if qualifier and cell.world and qualifier not in (known.flag or ""):
        row["commodity"] = f"{row['commodity']}: {qualifier}"
        return _is_new(cell, row, "", accounts, problems)
    if cell.world or (known.text, known.notes) == (here.text, here.notes):
        problems.add(cell.row, "Commodity, Country, Year", f"the same line as row {known.row}")
        return False
    number = 2
    while (*key[:-1], f"{key[-1]} ({number})") in accounts.seen:
        number += 1
    accounts.seen[(*key[:-1], f"{key[-1]} ({number})")] = here
    accounts.twice[row["commodity"]] += 1
    row["commodity"] = f"{row['commodity']} ({number})"
    return True


def _join_labels(rows: list[dict[str, Any]]) -> None:
    """Give every line of one table the same label.

    A world total may be headed ``ilmenite`` where the countries are headed ``Ilmenite``; a line of one
    country may have a qualifier (``Mine production: beneficiated``) that is no table: it goes to the flag.
    """
    spelt: dict[tuple[str, str], str] = {}
    members: dict[tuple[str, str, str], set[str]] = {}
    for row in rows:
        same = (row["source"], row["commodity"].casefold())
        row["commodity"] = spelt.setdefault(same, row["commodity"])
        members.setdefault((row["source"], row["statistic"], row["commodity"]), set()).add(row["country"])
    tables = {key for key, own in members.items() if "WLD" in own}
    for row in rows:
        key = (row["source"], row["statistic"], row["commodity"])
        if key not in tables and f": {ALONE}: " not in row["commodity"]:
            _move(row, members, tables)


def _move(row: dict[str, Any], members: dict[_Key, set[str]], tables: set[_Key]) -> None:
    """Move a line of few countries to the one table of its commodity that has a world total."""
    source, statistic, label = row["source"], row["statistic"], row["commodity"]
    base, _, qualifier = label.rpartition(": ")
    commodity = label.partition(": ")[0]
    near = [key for key in tables if key[:2] == (source, statistic) and key[2] == base] or [
        key for key in tables if key[:2] == (source, statistic) and key[2].partition(": ")[0] == commodity
    ]
    if len(near) == 1 and not members[source, statistic, label] & members[near[0]]:
        row["commodity"] = near[0][2]
        row["flag"] = "; ".join(part for part in (row["flag"], qualifier) if part)


def _dataset(path: Path, editions: set[int]) -> str:
    """Return the name of the data set: one per release, so that editions stand beside each other."""
    if re.match(r"mcs ?20\d\d", path.name, re.IGNORECASE):
        return name_from("usgs", path)
    first, last = min(editions), max(editions)
    return name_from(f"usgs-mcs{first}" if first == last else f"usgs-mcs{first}-{last}", path)
