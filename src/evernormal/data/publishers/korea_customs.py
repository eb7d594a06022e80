"""Korean trade by HSK code and country, as the Korea Customs Service gives it: table, JSON or the API's XML.

Imports are valued CIF and exports FOB, in US dollars; weights are net (data.go.kr 15100475).  Rows of totals
(총계, 합계) are compared with what they total and never added.  A weight of 0 beside a value is less than
half the unit in which the file writes: unknown, not nothing (law 2).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import polars as pl

from evernormal.data.geography import aliases, named
from evernormal.data.publishers.adapters import Asked, Reading, require_day
from evernormal.data.publishers.comtrade import dataset_name
from evernormal.data.publishers.korea_grid import Grid, read_grid
from evernormal.data.publishers.korea_layout import Layout, layout_of, period_of
from evernormal.data.publishers.text import Problems
from evernormal.data.schema import public_columns
from evernormal.errors import SourceFormatError, nearest
from evernormal.result import Finding

__all__ = ["hs_revision", "hsk_revision", "reading"]

_TOTALS = {"총계", "합계", "소계", "계", "누계", "전체", "전국가", "전세계", "세계", "total", "world"}
_EDITIONS = (
    (2022, "HS2022"),
    (2017, "HS2017"),
    (2012, "HS2012"),
    (2007, "HS2007"),
    (2002, "HS2002"),
    (1996, "HS1996"),
    (1900, "HS1992"),
)
_NUMBER = re.compile(r"\d{1,20}(\.\d+)?|\d{1,3}(,\d{3}){1,6}(\.\d+)?")
_NOTHING = ("", "-")
_DAY = re.compile(r"(?<!\d)(20\d\d)[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12]\d|3[01])(?!\d)")
_BASIS = {"import": "CIF", "export": "FOB"}
_API = {
    ("export", "value"): ("expDlr", 1.0),
    ("import", "value"): ("impDlr", 1.0),
    ("export", "quantity"): ("expWgt", 1e-3),
    ("import", "quantity"): ("impWgt", 1e-3),
}
_AGAIN = "Download it again."


@dataclass(frozen=True)
class _Line:
    """One line of a file: its dimensions as written, and per flow value and quantity as written."""

    row: int
    period: str
    country: str
    code: str
    description: str
    figures: dict[tuple[str, str], tuple[str, str, float]]


def reading(path: Path, asked: Asked) -> Reading:
    """Return the declarations in a file of the Korea Customs Service; its name tells the day."""
    asked.progress(path.name)
    content = path.read_bytes()
    findings: list[Finding] = []
    if content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<" and not _is_page(content):
        lines = list(_api_lines(content, path.name))
    else:
        grid = read_grid(path, asked.limits)
        layout = layout_of(grid)
        lines = list(_grid_lines(grid, layout))
        if layout.unread:
            text = f"Columns that were not read: {', '.join(layout.unread)}."
            findings.append(Finding("columns-not-read", "info", text, {"columns": list(layout.unread)}))
    as_of = require_day(asked, _named_day(path.name), path)
    rows, more = _rows(lines, path.name)
    if asked.codes is not None:
        rows = [row for row in rows if row["code"] in asked.codes]
    if not rows:
        raise SourceFormatError("the file has no row of trade", where=path.name, cure=_AGAIN)
    title = f"Korea Customs Service, {path.name}"
    table = pl.DataFrame(
        [{**row, "source": title, "as_of": as_of, "grade": "A"} for row in rows],
        schema={column.name: column.dtype for column in public_columns("customs")},
    ).sort("flow", "code", "period", "partner", "source_ref")
    name = dataset_name("korea-customs", table).replace("-kor-", "-")
    return Reading(table, name, title, as_of, findings=(*findings, *more, *_edition_findings(table)))


def hsk_revision(period: str) -> str:
    """Return the Korean schedule in force in a period: it is amended at the start of every year.

    >>> hsk_revision("2024-05")
    'HSK2024'
    """
    return f"HSK{period[:4]}"


def hs_revision(period: str) -> str:
    """Return the edition of the Harmonized System that the Korean schedule followed in a period.

    Korea takes an edition over on the day when it enters into force.

    >>> hs_revision("2021-12"), hs_revision("2022-01")
    ('HS2017', 'HS2022')
    """
    return next(edition for first, edition in _EDITIONS if int(period[:4]) >= first)


def _is_page(content: bytes) -> bool:
    head = content[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return head.startswith((b"<!doctype html", b"<html", b"<head", b"<script", b"<!--")) or b"<html" in head


def _api_lines(content: bytes, name: str) -> Iterator[_Line]:
    """Yield the items of an answer of the public-data API."""
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise SourceFormatError("the XML defines entities: no answer of the API does", where=name)
    try:
        root = ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise SourceFormatError(f"the XML is broken or cut off ({error})", where=name, cure=_AGAIN) from error
    code = root.findtext(".//resultCode") or root.findtext(".//returnReasonCode")
    if code is None or code.strip() not in {"00", "0", "000"}:
        said = root.findtext(".//resultMsg") or root.findtext(".//returnAuthMsg") or "it has no resultCode"
        raise SourceFormatError(
            f"this is a refusal of the API, not data: {(code or '').strip()} {said.strip()}".strip(),
            where=name,
            cure="Check the service key and ask for at most one year at a time.",
        )
    items = list(root.iter("item"))
    count = root.findtext(".//totalCount")
    if count and count.strip().isdigit() and int(count) > len(items):
        raise SourceFormatError(
            f"the answer holds {len(items):,} of {int(count):,} items", where=name, cure="Ask for every page."
        )
    for number, item in enumerate(items, start=1):
        fields = {child.tag: " ".join((child.text or "").split()) for child in item}
        missing = [field for field, _ in _API.values() if field not in fields]
        if missing or "year" not in fields:
            raise SourceFormatError(f"item {number} has no {', '.join(missing) or 'year'}", where=name)
        figures = {key: (field, fields[field], factor) for key, (field, factor) in _API.items()}
        country = fields.get("statCd", "")
        country = fields.get("statCdCntnKor1", "") if country in _NOTHING else country
        hs = fields.get("hsCd") or fields.get("hsCode") or ""
        yield _Line(number, fields["year"], country, hs, fields.get("statKor", ""), figures)


def _grid_lines(grid: Grid, layout: Layout) -> Iterator[_Line]:
    """Yield the lines of a table, one per period where periods stand in the headings."""
    width = max(*layout.roles.values(), *(column.index for column in layout.columns)) + 1
    widest = max(len(cells) for _, cells in grid.rows[: layout.first])
    periods = dict.fromkeys(column.period for column in layout.columns)
    for row, cells in grid.rows[layout.first :]:
        if any(cells[widest:]):
            raise SourceFormatError(
                f"row {row} has {len(cells)} cells, the heading has {widest}",
                where=grid.name,
                cure="Quote a number that has commas, or write it without.",
            )
        if len(cells) < width:
            if len([text for text in cells if text]) == 1:
                continue  # a note below the table
            raise SourceFormatError(
                f"row {row} has {len(cells)} cells, the heading has {width} or more",
                where=grid.name,
                cure="The file was cut off or edited: download it again.",
            )
        said = {role: cells[index] for role, index in layout.roles.items()}
        for period in periods:
            figures = {
                (column.flow, column.measure): (column.label, cells[column.index], column.factor)
                for column in layout.columns
                if column.period == period
            }
            yield _Line(
                row,
                period or said.get("period") or layout.facts.get("period", ""),
                said.get("country", layout.facts.get("country", "전체")),
                said["code"],
                said.get("description", ""),
                figures,
            )


def _is_total(text: str) -> bool:
    return "".join(text.split()).casefold() in _TOTALS


def _rows(lines: list[_Line], name: str) -> tuple[list[dict[str, object]], list[Finding]]:
    problems = Problems(name)
    rows: list[dict[str, object]] = []
    seen: dict[tuple[str, str, str], int] = {}
    totals: list[_Line] = []
    padded = 0
    two_digits = not any(re.fullmatch(r"\d{4}\s*\.\s*[2-9]", line.period) for line in lines)
    for line in lines:
        if _is_total(line.period) or _is_total(line.code) or _is_total(line.description):
            totals.append(line)
            _check_total(line, problems)
            continue
        period = period_of(line.period, two_digits=two_digits)
        partner = _partner(line.country)
        code, restored = _code(line.code)
        padded += restored
        if period is None:
            problems.add(line.row, "기간", f"{line.period!r}, expected a month like 2024.05 or a year")
        if partner is None:
            near = nearest(line.country, _names(), count=1)
            hint = f"; did the file mean {near[0]!r}?" if near else ""
            problems.add(
                line.row, "국가", f"{line.country!r} is no country of the Korea Customs Service{hint}"
            )
        if code is None:
            problems.add(line.row, "HS코드", f"{line.code!r}, expected 2, 4, 6 or 10 digits")
        if period is None or partner is None or code is None:
            continue
        first = seen.setdefault((period, line.country, code), line.row)
        if first != line.row:
            problems.add(line.row, "기간, 국가, HS코드", f"the same as row {first}")
        for flow in ("import", "export"):
            amounts = _amounts(line, flow, problems)
            if amounts is None:
                continue
            rows.append(
                {
                    "period": period,
                    "year": int(period[:4]),
                    "reporter": "KOR",
                    "partner": partner,
                    "flow": flow,
                    "revision": hsk_revision(period),
                    "code": code,
                    "description": line.description.strip("- ") or None,
                    **amounts,
                    "basis": _BASIS[flow],
                    "source_ref": f"row {line.row}: {line.period} {line.country} {line.code} {flow}",
                }
            )
    problems.raise_if_any()
    return rows, [*_total_findings(lines, totals), *_padding_finding(padded)]


def _check_total(line: _Line, problems: Problems) -> None:
    for label, text, _ in line.figures.values():
        if text not in _NOTHING and not _NUMBER.fullmatch(text):
            problems.add(line.row, label, f"{text[:40]!r}, expected a number of zero or more")


def _amounts(line: _Line, flow: str, problems: Problems) -> dict[str, object] | None:
    """Return value and weight of a flow; None where the file says that nothing moved, or nothing at all."""
    said: dict[str, float | None] = {}
    for measure in ("value", "quantity"):
        label, text, factor = line.figures.get((flow, measure), ("", "", 1.0))
        said[measure] = None
        if text not in _NOTHING:
            if _NUMBER.fullmatch(text):
                said[measure] = float(text.replace(",", "")) * factor
            else:
                problems.add(line.row, label, f"{text[:40]!r}, expected a number of zero or more")
    value, weight = said["value"], said["quantity"]
    if not value and not weight:
        return None
    flag = None
    if value and weight == 0:
        weight, flag = None, "weight below half the unit of the file"
    elif weight and value == 0:
        value, flag = None, "value below half the unit of the file"
    return {"value_usd": value, "quantity_t": weight, "quantity": None, "quantity_unit": None, "flag": flag}


def _code(text: str) -> tuple[str | None, bool]:
    """Return the digits of a code, and whether a spreadsheet had dropped its leading zero."""
    digits = re.sub(r"[.\-\s]", "", text)
    if not digits.isascii() or not digits.isdigit():
        return None, False
    if len(digits) in {1, 3, 5, 9}:
        return f"0{digits}", True
    return (digits, False) if len(digits) in {2, 4, 6, 10} else (None, False)


@functools.cache
def _names() -> dict[str, str]:
    return {"".join(name.split()): iso3 for name, iso3 in aliases("korea-customs").items()}


def _partner(text: str) -> str | None:
    if _is_total(text):
        return "WLD"
    return _names().get("".join(text.split())) or named(text)


def _total_findings(lines: list[_Line], totals: list[_Line]) -> list[Finding]:
    """Compare the grand total with the lines that it totals: a file that was cut off does not meet it."""
    grand = [line for line in totals if _is_total(line.period)]
    apart = {id(line) for line in totals}
    detail = [line for line in lines if id(line) not in apart and not _is_total(line.country)]
    if len(grand) != 1 or not detail or len({len(_code(line.code)[0] or "") for line in detail}) != 1:
        return []
    found = []
    for (flow, measure), (label, text, _) in grand[0].figures.items():
        if not _NUMBER.fullmatch(text):
            continue
        total = float(text.replace(",", ""))
        parts = sorted(_plain(line.figures[(flow, measure)][1]) for line in detail)
        decimals = len(text.partition(".")[2])
        if abs(total - sum(parts)) > 0.5 * 10**-decimals * (len(parts) + 1):
            said = f"{label}: the total is {text}, the {len(parts):,} rows add to {sum(parts):,.10g}."
            said += " Rows may be missing: compare with the site."
            found.append(Finding("total-not-met", "warning", said, {"flow": flow, "measure": measure}))
    return found


def _plain(text: str) -> float:
    return float(text.replace(",", "")) if _NUMBER.fullmatch(text) else 0.0


def _padding_finding(padded: int) -> list[Finding]:
    if not padded:
        return []
    text = f"{padded:,} codes had lost their leading zero; it was put back."
    return [Finding("leading-zero-restored", "info", text, {"rows": padded})]


def _edition_findings(table: pl.DataFrame) -> list[Finding]:
    editions = sorted({hs_revision(period) for period in table["period"].unique().to_list()})
    if len(editions) < 2:
        return []
    text = f"The periods follow {', '.join(editions)}: a code may mean different goods before and after."
    return [Finding("several-editions", "caution", text, {"revisions": editions})]


def _named_day(name: str) -> date | None:
    """Return the day in a file name, as the site writes it.

    >>> _named_day("수출입 실적(품목별+국가별)_20260506.csv")
    datetime.date(2026, 5, 6)
    """
    found = _DAY.search(name)
    try:
        return date(int(found[1]), int(found[2]), int(found[3])) if found else None
    except ValueError:
        return None
