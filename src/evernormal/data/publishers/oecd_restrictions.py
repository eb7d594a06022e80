"""OECD's inventory of export restrictions on industrial raw materials, as policies.

The inventory is offered as tables whose headings changed from edition to edition: a row per country, product
and year, or a column per year, with codes, with labels or with both.  So columns are known by what stands in
them: the one whose cells are countries, the one whose cells are the inventory's measures.  Years in a row
become one record; a record that begins with the first year of the file may be older, and that is told.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from evernormal.data.geography import named
from evernormal.data.publishers.adapters import Asked, Reading
from evernormal.data.publishers.policy_files import (
    file_day,
    moment,
    no_day,
    read_table,
    read_text,
    require_rows,
)
from evernormal.data.publishers.policy_records import (
    Notes,
    by_name,
    joined,
    kind_of,
    nearest_country,
    plain,
    policies_table,
    subject_of,
)
from evernormal.data.publishers.text import Problems, spoiled
from evernormal.errors import SourceFormatError

__all__ = ["reading"]

SOURCE = "OECD, Inventory of Export Restrictions on Industrial Raw Materials"
_CURE = "Give the inventory as the OECD ships it, with country, measure, product and year."
_HEADER_ROWS = 30
_NAMES: dict[str, tuple[str, ...]] = {
    "country": ("country", "reporter", "reporting country", "ref area", "reference area", "exporting country",
                "exporter", "iso3", "iso", "country code"),
    "measure": ("measure", "measure type", "type of measure", "export measure", "restriction",
                "export restriction", "type of restriction", "policy measure"),
    "code": ("hs code", "hs6", "hs6 code", "hs", "hs2007", "hs2012", "hs2017", "hs2022", "hs2007 code",
             "hs2012 code", "hs 6 digit", "hs code (6 digit)", "product code", "commodity code"),
    "commodity": ("commodity", "raw material", "material", "mineral", "product", "product name",
                  "commodity name", "product description", "hs description"),
    "year": ("year", "time period", "reference year", "survey year"),
    "start": ("introduced", "date of introduction", "date introduced", "start date", "implementation date",
              "year of introduction", "year introduced", "in force since", "effective date"),
    "end": ("removed", "date of removal", "end date", "termination date", "year removed"),
    "value": ("value", "level", "value of measure", "obs value", "observation value", "rate",
              "measure value"),
    "unit": ("unit", "unit of value", "unit of measure", "unit measure", "value unit"),
    "note": ("comment", "comments", "note", "notes", "description", "legal basis", "details", "source"),
}  # fmt: skip


@dataclass(frozen=True)
class _Line:
    """One restriction of one product in one year or from one day on; ``row`` counts as a spreadsheet does."""

    row: int
    country: str
    measure: str
    code: str
    commodity: str
    year: int | None
    start: str
    end: str
    value: str
    unit: str
    note: str


def reading(path: Path, asked: Asked) -> Reading:
    """Return the restrictions of a file, one row per country, measure, product group and spell.

    Raises:
        SourceFormatError: no such table, a country or code that is none, merged cells, a formula, a repeated
            row; each named with row and column.
        InputError: a workbook, and openpyxl is not installed; or the file does not tell its day.
    """
    asked.progress(path.name)
    problems, notes = Problems(path.name), Notes()
    with path.open("rb") as stream:
        book = stream.read(4).startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0"))
    header, rows = _sheet(path, asked, problems) if book else _csv(path)
    lines = list(_lines(header, rows, problems, path.name))
    require_rows(rows, path.name)
    _refuse_repeats(lines, problems)
    problems.raise_if_any()
    years = [line.year for line in lines if line.year is not None]
    records = list(_records(lines, years, asked.revision, notes))
    edition = max(years, default=0)
    own = [row["as_of"] for row in records]
    known = file_day(asked, [], own, notes, path)
    return Reading(
        policies_table(records),
        "oecd-restrictions",
        f"{SOURCE}, data to {edition}" if edition else SOURCE,
        known,
        findings=notes.findings(),
    )


# --- the table ---------------------------------------------------------------------------------


def _csv(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    return read_table(read_text(path), path.name, cure=_CURE)


def _sheet(path: Path, asked: Asked, problems: Problems) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the first sheet that has a row of headings, below its notes."""
    from evernormal.data.publishers.workbook import read_sheets  # noqa: PLC0415 - loads openpyxl

    sheets = read_sheets(path, asked.limits, largest=(400_000, 200), cure=_CURE)
    for sheet in sheets:
        for top in range(1, min(len(sheet.rows), _HEADER_ROWS) + 1):
            header = [sheet.text(top, column + 1) for column in range(len(sheet.rows[top - 1]))]
            if _fields(header, "country") and _fields(header, "measure"):
                for (row, column), _ in sorted(sheet.formulas.items()):
                    if row > top:
                        problems.add(row, sheet.place(row, column), "a formula, expected its value")
                for span, _, last in sheet.merged:
                    if last > top:
                        problems.add(
                            last, f"sheet {sheet.name!r} {span}", "merged cells, expected one value a cell"
                        )
                rows = [
                    (number, [sheet.text(number, column + 1) for column in range(len(header))])
                    for number in range(top + 1, len(sheet.rows) + 1)
                ]
                found = [(number, cells) for number, cells in rows if any(cells)]
                for number, cells in found:
                    for name, cell in zip(header, cells, strict=True):
                        if cell.startswith("#") and (fault := spoiled(cell)):
                            problems.add(number, name, fault)
                return header, found
    names = ", ".join(repr(sheet.name) for sheet in sheets[:8])
    raise SourceFormatError(
        f"no sheet has headings for country and measure (it has {names})", where=path.name, cure=_CURE
    )


def _fields(header: Sequence[str], field: str) -> list[int]:
    plain_names = [" ".join(re.sub(r"[_\s]+", " ", name).split()).casefold() for name in header]
    return [number for number, name in enumerate(plain_names) if name in _NAMES[field]]


def _best(header: Sequence[str], rows: Sequence[tuple[int, list[str]]], field: str, fits: Any) -> int | None:
    """Return the column of a field whose cells fit best; of equals the last, where labels stand."""
    found = _fields(header, field)
    counted = [(sum(bool(fits(cells[number])) for _, cells in rows[:2000]), number) for number in found]
    return max(counted)[1] if counted else None


def _lines(
    header: Sequence[str], rows: Sequence[tuple[int, list[str]]], problems: Problems, file: str
) -> Iterator[_Line]:
    """Yield every cell of the inventory as one line, whichever way its years stand."""
    columns = {
        "country": _best(header, rows, "country", lambda text: by_name(text, "oecd")),
        "measure": _best(header, rows, "measure", lambda text: kind_of("oecd", text)),
        "code": _best(header, rows, "code", lambda text: re.fullmatch(r"[\d.]{4,10}", text)),
        **{field: _best(header, rows, field, bool)
           for field in ("commodity", "year", "start", "end", "value", "unit", "note")},
    }  # fmt: skip
    wide = [number for number, name in enumerate(header) if re.fullmatch(r"(19|20)\d\d", name)]
    if columns["country"] is None or columns["measure"] is None:
        raise SourceFormatError(
            f"no column of countries or of measures; the header has {', '.join(header)[:200]}",
            where=file, cure=_CURE,
        )  # fmt: skip
    if columns["code"] is None and columns["commodity"] is None:
        raise SourceFormatError("no column of HS codes or commodities", where=file, cure=_CURE)
    if columns["year"] is None and columns["start"] is None and not wide:
        raise SourceFormatError("no column of years or of days of introduction", where=file, cure=_CURE)
    for number, cells in rows:
        found = {f: " ".join(cells[at].split()) if at is not None else "" for f, at in columns.items()}
        country = by_name(found["country"], "oecd") or named(found["country"])
        if country is None:
            problems.add(number, header[columns["country"]], nearest_country(found["country"], "oecd"))
            continue
        code = found["code"].replace(".", "")
        if code and not re.fullmatch(r"\d{2,10}", code):
            problems.add(number, header[columns["code"] or 0], f"{found['code'][:30]!r} is no HS code")
        if len(code) in (3, 5):
            code = code.zfill(len(code) + 1)
        _check_days(found, columns, header, number, problems)
        base: dict[str, Any] = {"row": number, "country": country, "measure": found["measure"], "code": code}
        base |= {name: found[name] for name in ("commodity", "start", "end", "unit", "note")}
        if wide:
            for at in wide:
                if cells[at] and cells[at].casefold() not in ("0", "no", "-", "n", "none"):
                    yield _Line(**base, year=int(header[at]), value=_amount(cells[at]))
        else:
            year = _year(found["year"], number, problems)
            if year is None and not found["start"]:
                empty = columns["year"] if columns["year"] is not None else columns["start"]
                problems.add(number, header[empty or 0], "is empty: neither a year nor a day of introduction")
            yield _Line(**base, year=year, value=found["value"])


def _check_days(
    found: dict[str, str], columns: dict[str, int | None], header: Sequence[str], row: int, problems: Problems
) -> None:
    for field in ("start", "end"):
        if found[field] and moment(found[field]) is None:
            problems.add(row, header[columns[field] or 0], no_day(found[field]))


def _amount(mark: str) -> str:
    """Return what a cell under a year says of the level: nothing where it is only a mark."""
    return mark if re.search(r"\d", mark) and mark != "1" else ""


def _year(text: str, number: int, problems: Problems) -> int | None:
    if not text:
        return None
    found = re.fullmatch(r"((?:19|20)\d\d)(?:\.0)?", text)
    if found is None:
        problems.add(number, "year", f"{text[:20]!r} is no year")
        return None
    return int(found[1])


def _refuse_repeats(lines: Iterable[_Line], problems: Problems) -> None:
    seen: dict[tuple[object, ...], int] = {}
    for line in lines:
        key: tuple[object, ...] = (
            line.country,
            line.measure,
            line.code,
            line.commodity,
            line.year,
            line.start,
            line.value,
            line.note,
        )
        if key in seen and seen[key] != line.row:
            problems.add(line.row, "country", f"the row repeats row {seen[key]}")
        seen.setdefault(key, line.row)


# --- records -----------------------------------------------------------------------------------


def _records(
    lines: Sequence[_Line], years: Sequence[int], revision: str | None, notes: Notes
) -> Iterator[dict[str, Any]]:
    """Yield one record per country, measure, commodity, level and spell of years or day of introduction."""
    spells: dict[tuple[str, ...], dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    first_row: dict[tuple[str, ...], _Line] = {}
    for line in lines:
        said = (line.country, line.measure, line.commodity, line.value, line.unit, line.start, line.end)
        spells[said][line.code].add(line.year or 0)
        first_row.setdefault(said, line)
    for key in sorted(spells):
        groups: dict[tuple[int, int], list[str]] = defaultdict(list)
        for code, found in spells[key].items():
            for spell in _runs(found):
                groups[spell].append(code)
        for spell, codes in sorted(groups.items()):
            yield _row(first_row[key], spell, sorted(c for c in codes if c), years, revision, notes)


def _runs(years: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield first and last year of each unbroken run.

    >>> list(_runs({2012, 2013, 2016}))
    [(2012, 2013), (2016, 2016)]
    """
    ordered = sorted(years)
    first = last = ordered[0]
    for year in ordered[1:]:
        if year != last + 1:
            yield first, last
            first = year
        last = year
    yield first, last


def _row(
    line: _Line,
    spell: tuple[int, int],
    codes: list[str],
    years: Sequence[int],
    revision: str | None,
    notes: Notes,
) -> dict[str, Any]:
    found = kind_of("oecd", line.measure)
    if found is None:
        notes.count("type-unknown", "caution", f"measure {line.measure!r} is not known and became other")
    kind, side = found or ("other", "export")
    title = f"{line.measure}: {line.commodity or ', '.join(codes)}"
    subject = subject_of(line.commodity, line.note, codes, revision=revision)
    if not subject.materials:
        notes.count("no-material", "info", "name no material in words or codes; stored without one")
    days = _days(line, spell, years, notes)
    value = f"; level: {line.value} {line.unit}".rstrip() if line.value else ""
    return {
        "record": _name(line, kind, spell, codes),
        "by": line.country,
        "kind": kind,
        "side": side,
        "stance": "restrictive",
        "materials": joined(subject.materials),
        "forms": joined(subject.forms),
        "revision": (revision or "HS2007") if codes else None,
        "codes": joined(codes),
        "rate": _rate(line) if kind == "tariff" else None,
        "announced": None,
        **days,
        "title": title[:300],
        "detail": plain(
            f"measure: {line.measure}{value}; {_told(spell)}; materials {subject.said}. {line.note}"
        ),
        "source": SOURCE,
        "source_ref": f"row {line.row}",
        "grade": "A",
    }


def _name(line: _Line, kind: str, spell: tuple[int, int], codes: list[str]) -> str:
    """Return a name of a record that stays the same in another edition."""
    what = line.commodity or (codes[0] if codes else "goods")
    words = f"{line.country} {kind} {what} {line.value} {line.start or spell[0]}"
    return re.sub(r"[^A-Za-z0-9]+", "-", words)[:100].strip("-")


def _told(spell: tuple[int, int]) -> str:
    if not spell[0]:
        return "from its day of introduction"
    return f"in force in {spell[0]}" if spell[0] == spell[1] else f"in force in {spell[0]} to {spell[1]}"


def _days(line: _Line, spell: tuple[int, int], years: Sequence[int], notes: Notes) -> dict[str, date | None]:
    """Return the days of a spell: given ones, else what the years allow to say."""
    start, end = moment(line.start), moment(line.end)
    effective = start.first if start is not None and start.is_day else None
    ends = end.first if end is not None and end.is_day else None
    if ends is None and spell[0] and spell[1] < max(years):
        ends = date(spell[1] + 1, 1, 1)
    known = start.last if start is not None else date(spell[0], 12, 31)
    if effective is None and spell[0] and spell[0] == min(years) and start is None:
        notes.count(
            "older-than-file", "info", "are in force from the first year of the file on and may be older"
        )
    elif effective is None:
        notes.count("year-only", "info", "only the year of introduction is known; effective stays unknown")
    return {"effective": effective, "ends": ends, "as_of": known}


def _rate(line: _Line) -> float | None:
    """Return an ad valorem level as a fraction."""
    value = line.value.replace(",", ".").strip()
    percent = value.endswith("%") or re.search(r"%|per ?cent|ad valorem", line.unit, re.IGNORECASE)
    try:
        return float(value.rstrip("% ")) / 100 if percent else None
    except ValueError:
        return None
