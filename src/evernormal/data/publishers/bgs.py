"""BGS World Mineral Statistics: production (and trade) by country and year, as the service's CSV gives it.

A row is one country, year and kind of commodity (``copper, mine``, ``copper, refined``); columns come in any
order.  ``sdmx_code`` says what a blank or zero means: O figures not available, N more than nothing and less
than half a unit; ``*`` in the code of notes marks an estimate.  There is no world total in these files.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

from evernormal.data.geography import aliases
from evernormal.data.publishers.adapters import Asked, Reading, name_from
from evernormal.data.publishers.statistic_labels import contained_basis, label_of
from evernormal.data.publishers.statistics_table import statistics_table
from evernormal.data.publishers.text import Problems, require_header
from evernormal.data.publishers.usgs_cells import Table, years_in
from evernormal.data.publishers.usgs_places import place
from evernormal.data.publishers.usgs_text import table_of
from evernormal.errors import SourceFormatError, nearest
from evernormal.result import Finding

__all__ = ["reading"]

_COLUMNS = (
    "country_trans",
    "bgs_commodity_trans",
    "bgs_sub_commodity_trans",
    "bgs_statistic_type_trans",
    "units",
    "year",
    "quantity",
    "sdmx_code",
    "concat_figure_notes_code",
    "concat_figure_notes_text",
)
_TITLE = "British Geological Survey, World Mineral Statistics"
_FACTORS = {
    "tonnes": Fraction(1),
    "thousand tonnes": Fraction(1000),
    "million tonnes": Fraction(10**6),
    "kilograms": Fraction(1, 1000),
    "carats": Fraction(1, 5_000_000),
}
_OTHER_UNITS = ("cubic metres", "thousand cubic metres", "million cubic metres", "number")
_UNIT = re.compile(r"(.+?)\s*(?:\((.*)\))?")
_CONTENT = re.compile(r"([A-Za-z0-9]+) content")
_KINDS = {"mine", "refined", "primary", "smelter", "refinery", "metal"}
_YEARS_LATER = 2
_NUMBER = re.compile(r"-?\d+(\.\d*)?([eE][-+]?\d+)?")


def reading(path: Path, asked: Asked) -> Reading:
    """Return a file of the service as statistics.

    Raises:
        SourceFormatError: no such file, or faults in it, each named with row and column.
    """
    asked.progress(path.name)
    table = table_of(path.read_bytes(), path.name)
    try:
        require_header(table.header, _COLUMNS, path.name)
    except SourceFormatError as error:
        error.cure = "Give the CSV of the BGS World Mineral Statistics service, with all of its columns."
        error.args = (error.message,)
        raise
    problems = Problems(path.name)
    found = [row for number, cells in table.rows if (row := _row(number, cells, table.file, problems))]
    _refuse_twice(table, problems)
    problems.raise_if_any()
    latest = max(row["year"] for row in found)
    known_on = asked.as_of or date(latest + _YEARS_LATER, 12, 31)
    for row in found:
        row["as_of"] = known_on
    return Reading(
        statistics_table(found),
        _dataset(path, {cells["bgs_commodity_trans"] for _, cells in table.rows}),
        f"{_TITLE}, {path.name}",
        known_on,
        findings=tuple(_findings(found, asked, known_on)),
    )


def _row(number: int, cells: dict[str, str], file: str, problems: Problems) -> dict[str, Any] | None:
    """Return one row as a statistic; None where it has a fault, which is noted."""
    where = place(cells["country_trans"], "bgs")
    dated = years_in(cells["year"][:10].partition("-")[0] if "-" in cells["year"] else cells["year"])
    unit = _unit(cells["units"])
    if where.iso3 is None:
        close = nearest(cells["country_trans"], aliases("bgs"))
        hint = f"; did the publisher mean {' or '.join(close)}?" if close else ""
        problems.add(number, "country_trans", f"unknown country {cells['country_trans']!r}{hint}")
    if dated is None:
        problems.add(number, "year", f"{cells['year']!r} is no year like 2023 or 2023-01-01 00:00:00")
    if unit is None:
        problems.add(number, "units", "is empty: say what the quantity counts, such as tonnes (metric)")
    value, low, high, marks = _quantity(number, cells, problems)
    if where.iso3 is None or dated is None or unit is None:
        return None
    name, factor, content = unit
    sub = cells["bgs_sub_commodity_trans"]
    commodity = f"{cells['bgs_commodity_trans']}: {sub}" if sub else cells["bgs_commodity_trans"]
    statistic = cells["bgs_statistic_type_trans"].lower()
    label = label_of("bgs", commodity, statistic)
    notes = [part for part in cells["concat_figure_notes_text"].split("|") if part and part != "Estimates."]
    estimated = "*" in cells["concat_figure_notes_code"]
    flag = "; ".join(part for part in (*marks, "e" if estimated else "", where.qualifier, *notes) if part)
    numbers = (None if x is None else float(Fraction(x) * factor) for x in (value, low, high))
    return {
        "year": dated[0],
        "country": where.iso3,
        "commodity": commodity,
        "material": label.material,
        "stage": label.stage,
        "form": label.form,
        "statistic": statistic,
        **dict(zip(("value", "low", "high"), numbers, strict=True)),
        "unit": name,
        "basis": _basis(content, label.basis, label.material),
        "flag": flag[:300] or None,
        "source": _TITLE,
        "source_ref": f"{file}, row {number}, quantity: {cells['quantity'] or 'blank'} {cells['units']}",
        "grade": "B" if estimated else "A",
    }


def _quantity(
    number: int, cells: dict[str, str], problems: Problems
) -> tuple[float | None, float | None, float | None, list[str]]:
    """Return value, bounds and marks of a quantity."""
    text, code = cells["quantity"], cells["sdmx_code"]
    if code not in ("A", "O", "N", "E", "P", ""):
        problems.add(number, "sdmx_code", f"{code!r} is none of A (normal), O (missing), N (not significant)")
    if code == "O" or not text:
        if code != "O":
            problems.add(
                number, "quantity", f"is empty, and sdmx_code {code!r} does not say that it is missing"
            )
        return None, None, None, ["NA"]
    if code == "N":
        return None, 0.0, 0.5, ["<"]
    if not _NUMBER.fullmatch(text) or not 0 <= float(text) < math.inf:
        hint = " (separators are not part of it)" if re.fullmatch(r"\d[\d.,' ]*", text) else ""
        problems.add(number, "quantity", f"{text!r} is no number of zero or more{hint}")
        return None, None, None, []
    return float(text), None, None, []


def _unit(text: str) -> tuple[str, Fraction, str] | None:
    """Return the unit that is stored, how many make one printed, and what it counts.

    >>> _unit("kilograms (metal content)")
    ('t', Fraction(1, 1000), 'metal content')
    """
    found = _UNIT.fullmatch(text)
    if not text or found is None:
        return None
    name, content = found[1].lower(), (found[2] or "").lower()
    if name in _FACTORS:
        return "t", _FACTORS[name], content
    return text, Fraction(1), content


def _basis(content: str, usual: str, material: str | None) -> str:
    """Return what a quantity counts: the unit says metal content or a compound, else the label's usual."""
    if content == "metal content":
        return (
            usual
            if usual.startswith("contained")
            else f"contained {contained_basis(material or '') or 'metal'}"
        )
    if found := _CONTENT.search(content):
        return f"contained {found[1].capitalize() if len(found[1]) <= 2 else found[1].upper()}"
    return usual or "gross"


def _refuse_twice(table: Table, problems: Problems) -> None:
    """Note every line that stands twice: one country, year, statistic and kind of commodity."""
    names = (
        "country_trans",
        "bgs_commodity_trans",
        "bgs_sub_commodity_trans",
        "bgs_statistic_type_trans",
        "year",
    )
    seen: dict[tuple[str, ...], int] = {}
    for number, cells in table.rows:
        key = (*(cells[name] for name in names), cells.get("bgs_commodity_code", ""))
        if key in seen:
            problems.add(number, "country_trans, year", f"the same line as row {seen[key]}")
        seen.setdefault(key, number)


def _dataset(path: Path, commodities: set[str]) -> str:
    """Return the name of the data set: what its commodities have in common, else the file's name."""
    words = [re.findall(r"[a-z]+", commodity.lower()) for commodity in sorted(commodities)]
    common = []
    for column in zip(*words, strict=False):
        if len(set(column)) > 1:
            break
        common.append(column[0])
    while common and common[-1] in _KINDS:
        common.pop()
    return "-".join(["bgs", *common]) if common else name_from("bgs", path)


def _findings(found: list[dict[str, Any]], asked: Asked, known_on: date) -> list[Finding]:
    findings = []
    unknown = Counter(
        row["commodity"]
        for row in found
        if row["material"] is None and not label_of("bgs", row["commodity"], row["statistic"]).known
    )
    if unknown:
        text = f"Labels that no table knows, kept without a material: {', '.join(sorted(unknown)[:20])}."
        findings.append(Finding("label-unknown", "caution", text, {"labels": sorted(unknown)}))
    kept = sorted({row["unit"] for row in found if row["unit"] not in ("t", *_OTHER_UNITS)})
    if kept:
        text = f"Units that are not known are kept as printed: {', '.join(kept)[:200]}."
        findings.append(Finding("unit-as-printed", "caution", text, {"units": kept}))
    missing = sum(row["flag"] is not None and row["flag"].startswith("NA") for row in found)
    if missing:
        text = f"{missing:,} figures are not available to the publisher: stored as unknown, not as zero."
        findings.append(Finding("not-available", "info", text, {"rows": missing}))
    if asked.as_of is None:
        text = (
            f"The file does not tell when it was published; {known_on} is assumed, rather late."
            " Give as_of if you know the day."
        )
        findings.append(Finding("edition-day-assumed", "caution", text, {"as_of": str(known_on)}))
    return findings
