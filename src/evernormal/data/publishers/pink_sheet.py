"""The World Bank's Pink Sheet: monthly prices of commodities since 1960, and the indices made of them.

Both sheets hold notes, a row of names (on the sheet of indices several rows, one under the other), units in
brackets, and months like ``1960M01``.  Editions differ in their columns, so the first month of column A says
where the table begins, and every column that has a name is stored.  ``…`` stands for an unknown price.
"""

from __future__ import annotations

import csv
import functools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from evernormal.data.publishers.adapters import Asked, Reading, require_day
from evernormal.data.publishers.text import Problems
from evernormal.data.publishers.workbook import Sheet, column_letter, read_sheets
from evernormal.data.schema import TABLES, public_columns
from evernormal.errors import SourceFormatError
from evernormal.result import Finding

__all__ = ["reading"]

SOURCE = "World Bank, Commodity Price Data (The Pink Sheet)"
_CURE = "Give CMO-Historical-Data-Monthly.xlsx as the World Bank ships it."
_MONTH = re.compile(r"(\d{4})M(\d{2})")
_UNKNOWN = {"", "…", "...", "..", "-", "n.a.", "na"}
_HEADER_ROWS = 30
_UNITS = {"mt": "t", "metric ton": "t", "troy oz": "oz t", "toz": "oz t", "kg": "kg", "lb": "lb"}


@dataclass(frozen=True)
class _Series:
    """One column: its name, marks, unit and what the description sheet says of it."""

    column: int
    name: str
    flag: str
    currency: str
    unit: str
    scale: float
    basis: str
    material: str | None
    form: str | None


def reading(path: Path, asked: Asked) -> Reading:
    """Return every price and index of a file; it was knowable on the day on which the sheet was updated.

    Raises:
        SourceFormatError: no Pink Sheet, not safe to open, or faults in it, each named with sheet and cell.
        InputError: openpyxl is not installed, or neither the file nor the caller says its day.
    """
    asked.progress(path.name)
    sheets = read_sheets(path, asked.limits, wanted=_is_wanted, cure=_CURE)
    described = next((sheet for sheet in sheets if "descr" in sheet.name.casefold()), None)
    tables = [sheet for sheet in sheets if sheet is not described]
    if not any("price" in sheet.name.casefold() for sheet in tables):
        names = ", ".join(repr(sheet.name) for sheet in sheets)
        raise SourceFormatError(
            f"it has no sheet 'Monthly Prices' (of the Pink Sheet's sheets it has {names or 'none'})",
            where=path.name,
            cure=_CURE,
        )
    problems = Problems(path.name)
    updated = next((day for sheet in tables if (day := _updated(sheet))), None)
    known = require_day(asked, updated, path)
    common = {"source": f"{SOURCE}, {known}", "as_of": known, "grade": "A"}
    rows: list[dict[str, Any]] = []
    findings: list[Finding] = []
    for sheet in tables:
        rows += [row | common for row in _read(sheet, described, problems, findings)]
    problems.raise_if_any()
    schema = {column.name: column.dtype for column in public_columns("prices")}
    table = pl.DataFrame(rows, schema=schema).sort("commodity", "period")
    findings += _unknown(table) + _units_told(table)
    return Reading(table, "pink-sheet", SOURCE, known, findings=tuple(findings))


def _is_wanted(name: str) -> bool:
    return bool(re.fullmatch(r"monthly (prices|indices)|description", name.strip().casefold()))


def _updated(sheet: Sheet) -> date | None:
    """Return the day in the note ``Updated on June 02, 2026``."""
    for cells in sheet.rows[:_HEADER_ROWS]:
        for value in cells:
            found = re.search(r"updated on:? ([a-z]+ \d{1,2}, \d{4})", str(value or ""), re.IGNORECASE)
            if found:
                for pattern in ("%B %d, %Y", "%b %d, %Y"):
                    try:
                        return datetime.strptime(found[1], pattern).date()
                    except ValueError:
                        continue
    return None


def _first_month(sheet: Sheet) -> int:
    for row in range(1, min(len(sheet.rows), _HEADER_ROWS) + 1):
        if _MONTH.fullmatch(sheet.text(row, 1)):
            return row
    raise SourceFormatError(
        f"sheet {sheet.name!r} has no month like 1960M01 in the first {_HEADER_ROWS} rows of column A",
        where=sheet.name,
        cure=_CURE,
    )


def _read(
    sheet: Sheet, described: Sheet | None, problems: Problems, findings: list[Finding]
) -> Iterator[dict[str, Any]]:
    top = _first_month(sheet)
    series = list(_series(sheet, top, described, problems))
    for span, _, last in sheet.merged:
        if last >= top:
            problems.add(last, f"sheet {sheet.name!r} {span}", "merged cells, expected one value a cell")
    months: dict[str, int] = {}
    for row in range(top, len(sheet.rows) + 1):
        text = sheet.text(row, 1)
        found = _MONTH.fullmatch(text)
        if found is None:
            if text and any(isinstance(value, int | float) for value in sheet.rows[row - 1][1:]):
                problems.add(row, "A", f"{text[:20]!r} is no month like 2024M05")
            continue
        period = f"{found[1]}-{found[2]}"
        if period in months or not 1 <= int(found[2]) <= 12:
            first = f"already in row {months[period]}" if period in months else "no month"
            problems.add(row, "A", f"{text} is {first}")
            continue
        months[period] = row
        for one in series:
            yield {
                "period": period,
                "year": int(found[1]),
                "commodity": one.name,
                "material": one.material,
                "form": one.form,
                "price": _price(sheet, row, one, problems),
                "currency": one.currency,
                "unit": one.unit,
                "basis": one.basis,
                "flag": one.flag or None,
                "source_ref": sheet.place(row, one.column),
            }
    findings += _gaps(sheet.name, sorted(months))


def _price(sheet: Sheet, row: int, series: _Series, problems: Problems) -> float | None:
    place = f"sheet {sheet.name!r} {column_letter(series.column)}"
    if (row, series.column) in sheet.formulas:
        problems.add(row, place, "a formula, expected its value (paste it as a value)")
        return None
    value = sheet.at(row, series.column)
    if value is None or (isinstance(value, str) and value.strip().casefold() in _UNKNOWN):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        problems.add(row, place, f"{str(value)[:30]!r} is no number (and not … for unknown)")
        return None
    if not math.isfinite(value) or value < 0:
        problems.add(row, place, f"a price of {value} cannot be")
        return None
    return float(value) / series.scale


def _series(sheet: Sheet, top: int, described: Sheet | None, problems: Problems) -> Iterator[_Series]:
    """Yield every column that has a name above its months."""
    prices = "price" in sheet.name.casefold()
    width = max((len(cells) for cells in sheet.rows[:top]), default=0)
    notes = " ".join(sheet.text(row, 1) for row in range(1, top))
    base = re.search(r"\b(\d{4} ?= ?100)\b", notes)
    seen: dict[str, int] = {}
    for column in range(2, width + 1):
        heads = [sheet.text(row, column) for row in range(1, top)]
        names = [head for head in heads if head and not head.startswith("(") and not _is_code(head)]
        units = [head for head in heads if head.startswith("(")]
        if not names:
            if any(sheet.at(row, column) is not None for row in range(top, len(sheet.rows) + 1)):
                problems.add(top - 1, column_letter(column), f"sheet {sheet.name!r}: figures without a name")
            continue
        name = names[-1].rstrip("* ").strip()
        flag = names[-1][len(names[-1].rstrip("* ")) :].strip()
        name = name if prices else f"index: {name}"
        if name in seen:
            problems.add(top - 1, column_letter(column), f"{name!r} is already in column {seen[name]}")
        seen.setdefault(name, column)
        if prices and not units:
            problems.add(top - 1, column_letter(column), f"{name!r} has no unit like ($/mt)")
            continue
        unit = units[-1].strip("() ") if units else (base[1].replace(" ", "") if base else "index")
        currency, per, scale = _unit(unit)
        label = _label(name)
        yield _Series(
            column, name, flag, currency, per, scale, _basis(label, name, described, prices=prices),
            *((label["material"] or None, label["form"] or None) if label else (None, None)),
        )  # fmt: skip


def _is_code(head: str) -> bool:
    """Whether a heading is the World Bank's code of a series, which some editions print in a row."""
    return bool(re.fullmatch(r"[iK]?[A-Z0-9]+(_[A-Z0-9]+)+|i[A-Z]{3,}", head))


def _unit(text: str) -> tuple[str, str, float]:
    """Return currency, quantity, and what one unit of the currency is of the printed one.

    >>> _unit("$/mt"), _unit("cents/sheet"), _unit("2010=100")
    (('USD', 't', 1.0), ('USD', 'sheet', 100.0), ('index 2010=100', '1', 1.0))
    """
    if re.search(r"\d{4} ?= ?100", text) or text == "index":
        return f"index {text.replace(' ', '')}" if text != "index" else "index", "1", 1.0
    money, _, per = text.partition("/")
    scale = 100.0 if re.search(r"cent|¢", money, re.IGNORECASE) else 1.0
    per = " ".join(per.split())
    return "USD", _UNITS.get(per.casefold(), per), scale


@functools.cache
def _labels() -> tuple[dict[str, str], ...]:
    with (TABLES / "price_labels.csv").open(encoding="utf-8", newline="") as stream:
        return tuple(csv.DictReader(stream))


def _label(name: str) -> dict[str, str] | None:
    return next((row for row in _labels() if re.fullmatch(row["commodity"], name.casefold())), None)


def _basis(label: dict[str, str] | None, name: str, described: Sheet | None, *, prices: bool) -> str:
    """Return what the description sheet says of a series, in the publisher's words."""
    if not prices:
        return "index of nominal US dollar prices"
    if described is None or (label is None and "," in name):
        return "monthly average; see the sheet Description"
    starts = label["description"].split("|") if label else [re.escape(name.partition("(")[0].strip())]
    texts = [described.text(row, column) for row in range(1, len(described.rows) + 1) for column in (1, 2, 3)]
    for start in starts:
        found = [text for text in texts if re.match(rf"{start}(?!\w)", text) and len(text) > 20]
        if len(found) == 1 or (label and found):
            return f"monthly average; {found[0]}"
    return "monthly average; see the sheet Description"


def _gaps(sheet: str, months: list[str]) -> list[Finding]:
    if not months:
        return []
    first, last = (int(text[:4]) * 12 + int(text[5:]) - 1 for text in (months[0], months[-1]))
    wanted = [f"{n // 12}-{n % 12 + 1:02}" for n in range(first, last + 1)]
    missing = [month for month in wanted if month not in set(months)]
    if not missing:
        return []
    text = f"Sheet {sheet!r} has no row for {len(missing)} months, the first is {missing[0]}."
    return [Finding("months-missing", "caution", text, {"sheet": sheet, "months": missing[:20]})]


def _unknown(table: pl.DataFrame) -> list[Finding]:
    """Tell how many prices are not known, and the series that ended."""
    latest = str(table["period"].max())
    ended = (
        table.filter(pl.col("price").is_not_null())
        .group_by("commodity")
        .agg(pl.col("period").max())
        .filter(pl.col("period") < latest)
        .sort("commodity")
    )
    unknown = table["price"].null_count()
    text = (
        f"{unknown} of {table.height} prices are not known; {ended.height} series have none for {latest}:"
        f" {', '.join(ended['commodity'].to_list()[:10]) or 'none'}."
    )
    return [
        Finding("prices-unknown", "info", text, {"unknown": unknown, "ended": ended["commodity"].to_list()})
    ]


def _units_told(table: pl.DataFrame) -> list[Finding]:
    """Tell the one unit that the publisher's own description contradicts."""
    iron = table.filter(pl.col("unit") == "dmtu", pl.col("basis").str.contains("(?i)c.f.r. China"))
    if iron.is_empty():
        return []
    text = (
        "Iron ore is printed in dollars per dry metric ton unit, while the sheet Description calls the spot"
        " price since December 2008 one per dry ton; the unit is stored as printed and not converted."
    )
    return [Finding("unit-contradicted", "caution", text, {"commodity": iron["commodity"][0]})]
