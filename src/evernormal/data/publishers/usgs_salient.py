"""Salient statistics of the United States, one table per commodity and a row per year, editions to 2025.

Headers join what is counted, of what, and the unit: ``Imports_GaAs_kg``, ``Price_Spot_dlb``, ``NIR_pct``.  In
some files the publisher's program cut or glued them (``USprod_Primarykg``, ``Employment_um``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from evernormal.data.publishers.text import Problems
from evernormal.data.publishers.usgs_cells import (
    Cell,
    Printed,
    Skipped,
    Table,
    edition_of,
    squeezed,
    years_in,
)

__all__ = ["SalientYear", "own_unit", "salient_cell", "salient_cells"]

_STATISTICS = tuple(
    (re.compile(pattern, re.IGNORECASE), name)
    for pattern, name in (
        (r"^nir|net_import", "Net import reliance"),
        (r"price", "Price"),
        (r"employ", "Employment"),
        (r"import", "Import"),
        (r"export", "Export"),
        (r"stock", "Stock"),
        (r"shipment", "Shipment"),
        (r"consum", "Consumption"),
        (r"prod", "Production"),
        (r"sold|sales", "Sold or used"),
        (r"supply", "Supply"),
    )
)
_TOKENS = frozenset(
    {"ctslb", "dtoz", "mdol", "msqft", "dto", "dst", "dct", "dkg", "dlb", "pct", "num", "mmt", "mct", "kct"}
    | {"mcm", "dt", "dg", "df", "kt", "kg", "mt", "ct", "t"}
)
_MASS = frozenset({"t", "kt", "kg", "mmt", "mt", "kct", "mct"})
_GLUED = re.compile(r"(?<=[a-z0-9])(dkg|dt|pct|mcm|kt|kg|t)$")
_FIXED = {"Net import reliance": "pct", "Employment": "num"}
_ABOUT = {"datasource", "source", "commodity", "year"}


class SalientYear:
    """One row of a salient table: where it stands and what it is about."""

    def __init__(
        self, file: str, edition: int, commodity: str, year: int, own: str, origin: str = ""
    ) -> None:
        self.file = file
        self.edition = edition
        self.commodity = commodity
        self.year = year
        self.own = own
        self.origin = origin


def own_unit(fields: Iterable[str]) -> str:
    """Return the unit of mass of a file, where its headers clearly name one only.

    >>> own_unit(["USprod_Primarykg", "Imports_Metal_kg", "Consump_g"])
    'kg'
    """
    tokens = {name: name.rsplit("_", 1)[-1].lower() for name in fields}
    glued = (_GLUED.search(name) for name, token in tokens.items() if token not in _TOKENS)
    units = (set(tokens.values()) | {found[1] for found in glued if found}) & _MASS
    return units.pop() if len(units) == 1 else ""


def salient_cells(table: Table, problems: Problems) -> Iterator[Cell]:
    """Yield the cells of a salient table."""
    names = {squeezed(name): name for name in table.header}
    fields = [name for name in table.header if squeezed(name) not in _ABOUT]
    own = own_unit(fields)
    for row, cells in table.rows:
        dated = years_in(cells[names["year"]])
        if dated is None:
            problems.add(row, names["year"], f"{cells[names['year']]!r} is no year")
            continue
        source = cells.get(names.get("datasource", names.get("source", "")), "")
        edition = edition_of(source, table, row, problems)
        year = SalientYear(table.file, edition, cells[names["commodity"]], dated[0], own)
        for name in fields:
            yield salient_cell(year, row, name, cells[name])


def salient_cell(year: SalientYear, row: int, name: str, text: str) -> Cell:
    """Return one cell: what its header counts, in which unit; skipped where the header does not say it."""
    statistic = next((s for pattern, s in _STATISTICS if pattern.search(name)), "Other")
    detail, token = _unit(name, statistic, year.own)
    if name.startswith("CASE STATEMENT ERROR"):
        return Skipped(year.file, row, name, "the header is an error message of the publisher's program")
    if not token:
        return Skipped(year.file, row, name, "the header names no unit")
    if not text:
        return Skipped(year.file, row, name, "the cell is blank")
    return Printed(
        file=year.file,
        row=row,
        column=name,
        edition=year.edition,
        world=False,
        commodity=year.commodity,
        country="United States",
        statistic=statistic,
        detail=detail,
        unit=token,
        year=year.year,
        text=text,
        estimated=year.year == year.edition - 1,
        origin=year.origin,
    )


def _unit(name: str, statistic: str, own: str) -> tuple[str, str]:
    """Return what a header says without its unit, and the unit; empty where it cannot be told."""
    head, _, token = name.rpartition("_")
    token = token.lower()
    if token not in _TOKENS:
        glued = _GLUED.search(name)
        head, token = (name[: glued.start()], glued[1]) if glued else (head or name, "")
    if "index" in name.lower():
        head, token = name, "index"
    if not token and statistic != "Price":
        token = own
    return head.replace("_", " ").strip() or name, _FIXED.get(statistic, token)
