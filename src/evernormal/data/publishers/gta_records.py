"""Interventions of Global Trade Alert in one form, whichever layout they came in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from evernormal.data.geography import aliases
from evernormal.data.publishers.policy_files import read_table, require_rows
from evernormal.data.publishers.policy_records import by_name, nearest_country, plain, stated_day
from evernormal.data.publishers.text import Problems
from evernormal.errors import SourceFormatError

__all__ = ["Record", "records_of"]

_URL = "https://globaltradealert.org/intervention/"
_CURE = "Give the CSV export of globaltradealert.org/data-center or an answer of its API."
_NAMES: dict[str, tuple[str, ...]] = {
    "record": ("intervention id", "intervention_id", "id"),
    "title": ("state act title", "state_act_title", "title"),
    "text": ("intervention description", "intervention_description", "description"),
    "type": ("intervention type", "intervention_type", "interventiontype"),
    "evaluation": ("gta evaluation", "gta_evaluation", "evaluation"),
    "by": ("implementing jurisdictions", "implementing jurisdiction", "implementing jurisdiction(s)",
           "implementing_jurisdictions", "implementers"),
    "groups": ("implementing jurisdiction groups", "implementing_jurisdiction_groups"),
    "against": ("affected jurisdictions", "affected jurisdiction", "affected jurisdiction(s)",
                "affected_jurisdictions"),
    "inferred": ("inferred_jurisdictions", "inferred jurisdictions"),
    "codes": ("affected products", "affected product", "affected product(s)", "affected_products",
              "hs codes", "hs code"),
    "tags": ("minerals",),
    "announced": ("date announced", "announcement date", "date_announced"),
    "effective": ("date implemented", "implementation date", "inception date", "date_implemented"),
    "ends": ("date removed", "removal date", "date_removed"),
    "one_day": ("dateiso",),
    "in_force": ("is in force", "is_in_force", "currently in force"),
    "url": ("intervention url", "intervention_url", "link", "url"),
    "revised": ("last_updated", "last updated", "date_published", "date published"),
}  # fmt: skip
_NEEDED = ("record", "title", "type", "by")


@dataclass(frozen=True)
class Record:
    """One intervention as a layout gives it, in one form for all; ``row`` counts from 2 in a CSV file."""

    row: int
    record: str
    title: str
    text: str
    type: str
    evaluation: str
    by: tuple[str, ...]
    against: tuple[str, ...]
    inferred: bool
    codes: tuple[str, ...]
    tags: tuple[str, ...]
    announced: date | None
    effective: date | None
    ends: date | None
    in_force: str
    url: str
    rate: float | None


def records_of(text: str, name: str, problems: Problems) -> tuple[list[Record], list[date]]:
    """Return the interventions of a file's text, and the days on which the publisher changed them.

    Raises:
        SourceFormatError: broken or cut off, or another layout; faults of records go to ``problems``.
    """
    raw = list(_json(text, name) if text.lstrip()[:1] in "[{" else _csv(text, name))
    records, revised = [], []
    for row, cells in raw:
        record, last = _record(row, cells, problems)
        records.append(record)
        revised.extend(last)
    return _merged(records, problems), revised


# --- layouts ---------------------------------------------------------------------------------


def _json(text: str, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SourceFormatError(
            f"the JSON is broken or cut off ({error})", where=name, cure="Download it again."
        ) from error
    if isinstance(document, dict):
        lists = [document[key] for key in ("interventions", "results", "data") if key in document]
        document = lists[0] if lists else None
    if not isinstance(document, list) or not document or not all(isinstance(r, dict) for r in document):
        raise SourceFormatError("there is no list of interventions in it", where=name, cure=_CURE)
    names = {key.casefold() for record in document for key in record}
    _require(names, name)
    for number, record in enumerate(document, start=1):
        cells = {key.casefold(): value for key, value in record.items()}
        yield number, {field: _first(cells, aliases) for field, aliases in _NAMES.items()}


def _csv(text: str, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    header, rows = read_table(text, name, cure=_CURE)
    header = [cell.casefold() for cell in header]
    _require(set(header), name)
    require_rows(rows, name)
    for number, cells in rows:
        found = dict(zip(header, cells, strict=True))
        yield number, {field: _first(found, aliases) for field, aliases in _NAMES.items()}


def _require(names: set[str], file: str) -> None:
    missing = [field for field in _NEEDED if not names & set(_NAMES[field])]
    if not names & {*_NAMES["announced"], *_NAMES["effective"], *_NAMES["one_day"]}:
        missing.append("date")
    if missing:
        wanted = ", ".join(repr(_NAMES.get(field, (field,))[0]) for field in missing)
        raise SourceFormatError(
            f"no column {wanted}; it has {', '.join(sorted(names))[:200]}", where=file, cure=_CURE
        )


def _first(cells: Mapping[str, Any], names: Iterable[str]) -> Any:
    return next((cells[name] for name in names if cells.get(name) not in (None, "")), None)


# --- one record --------------------------------------------------------------------------------


def _record(row: int, cells: Mapping[str, Any], problems: Problems) -> tuple[Record, list[date]]:
    def day(field: str) -> date | None:
        text = str(cells[field] or "").strip()[:10]
        if not text or text in ("0000-00-00", "None"):
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            problems.add(row, _NAMES[field][0], f"{text!r} is no day (expected like 2024-01-31)")
            return None

    text = plain(_texts(cells["text"]))
    announced, effective, one = day("announced"), day("effective"), day("one_day")
    if one is not None:
        announced, effective = announced or stated_day(text), one
    products = cells["codes"]
    codes, rate = _codes(products, row, problems)
    number = str(cells["record"] or "").strip()
    if not number:
        problems.add(row, _NAMES["record"][0], "is empty")
    tags = cells["tags"] if isinstance(cells["tags"], list) else []
    last = day("revised")
    return Record(
        row=row,
        record=number,
        title=plain(_texts(cells["title"])) or "(no title)",
        text=text,
        type=plain(str(cells["type"] or "")),
        evaluation=str(cells["evaluation"] or "").strip(),
        by=_countries("by", cells["by"], row, problems) or _group(cells["groups"]),
        against=_countries("against", cells["against"], row, problems),
        inferred=str(cells["inferred"] or "").strip().casefold().startswith("inferred"),
        codes=codes,
        tags=tuple(str(tag) for tag in tags),
        announced=announced,
        effective=effective,
        ends=day("ends"),
        in_force=str(cells["in_force"] if cells["in_force"] is not None else "").strip().casefold(),
        url=str(cells["url"] or f"{_URL}{number}").partition("?")[0].strip(),
        rate=rate,
    ), [last] if last else []


def _texts(value: Any) -> str:
    """Return a text that the API gives as a list of versions: the latest of them."""
    if isinstance(value, list):
        parts = [part.get("text", "") if isinstance(part, dict) else str(part) for part in value]
        return " ".join(str(part) for part in parts)
    return str(value or "")


def _group(value: Any) -> tuple[str, ...]:
    """Return the group that acts where no single government is listed."""
    names = (
        [part.get("name", "") for part in value if isinstance(part, dict)] if isinstance(value, list) else []
    )
    return tuple(code for code in (by_name(str(name), "gta") for name in names) if code)


def _countries(field: str, value: Any, row: int, problems: Problems) -> tuple[str, ...]:
    """Return ISO codes of a list of names, of objects with name and ISO code, or of a text of names."""
    column = _NAMES[field][0]
    if isinstance(value, list):
        found = []
        for part in value:
            name = str(part.get("name", "") if isinstance(part, dict) else part).strip()
            iso = str(part.get("iso", "")) if isinstance(part, dict) else ""
            code = by_name(name, "gta") or (by_name(iso, "gta") if iso else None)
            if code is None:
                problems.add(row, column, nearest_country(name, "gta"))
            else:
                found.append(code)
        return tuple(dict.fromkeys(found))
    return _split_countries(str(value or ""), column, row, problems)


def _split_countries(text: str, column: str, row: int, problems: Problems) -> tuple[str, ...]:
    """Split names at semicolons, else at commas, keeping a name together that has a comma itself."""
    pieces = [piece.strip() for piece in re.split(r";|\|", text) if piece.strip()]
    if len(pieces) <= 1:
        pieces = [piece.strip() for piece in text.split(",") if piece.strip()]
    found: list[str] = []
    start = 0
    while start < len(pieces):
        for end in range(min(start + 3, len(pieces)), start, -1):
            code = _together(pieces[start:end])
            if code is not None:
                found.append(code)
                start = end
                break
        else:
            problems.add(row, column, nearest_country(pieces[start], "gta"))
            start += 1
    return tuple(dict.fromkeys(found))


def _together(pieces: list[str]) -> str | None:
    """Return the country whose name the pieces are; None where they name several.

    >>> _together(["Hong Kong", "China"]), _together(["Korea", "South"])
    (None, 'KOR')
    """
    name = ", ".join(pieces)
    if len(pieces) > 1 and name not in aliases("gta") and all(by_name(one, "gta") for one in pieces):
        return None
    return by_name(name, "gta")


def _codes(value: Any, row: int, problems: Problems) -> tuple[tuple[str, ...], float | None]:
    """Return the customs codes of a record and the one ad valorem rate that all of them get."""
    rates: set[float] = set()
    if isinstance(value, list):
        raw = []
        for part in value:
            raw.append(str(part.get("product_id", "") if isinstance(part, dict) else part).strip())
            if isinstance(part, dict):
                rates.add(_level(part))
    else:
        raw = [piece.strip() for piece in re.split(r"[,;|\s]+", str(value or "")) if piece.strip()]
    found = []
    for code in raw:
        digits = code.replace(".", "")
        if not re.fullmatch(r"\d{1,10}", digits):
            problems.add(row, _NAMES["codes"][0], f"{code[:40]!r} is no customs code")
        else:
            found.append(digits.zfill(6) if len(digits) == 5 else digits)
    rate = rates.pop() if len(rates) == 1 else None
    return tuple(dict.fromkeys(found)), rate if rate is not None and rate >= 0 else None


def _level(product: Mapping[str, Any]) -> float:
    """Return the new ad valorem level of a product as a fraction; -1 where it is none."""
    unit = str(product.get("unit") or "").casefold()
    try:
        return float(str(product.get("new_level"))) / 100 if unit in ("percent", "%") else -1.0
    except ValueError:
        return -1.0


def _merged(records: Sequence[Record], problems: Problems) -> list[Record]:
    """Join rows of one intervention that differ in whom or what they name only; tell other repetitions."""
    found: dict[str, Record] = {}
    for record in records:
        first = found.get(record.record)
        if first is None:
            found[record.record] = record
        elif replace(record, row=0) == replace(first, row=0):
            problems.add(
                record.row, "record", f"{record.record} is already in row {first.row}: duplicate row"
            )
        elif _same_act(first, record):
            found[record.record] = replace(
                first,
                by=tuple(dict.fromkeys((*first.by, *record.by))),
                against=tuple(dict.fromkeys((*first.against, *record.against))),
                codes=tuple(dict.fromkeys((*first.codes, *record.codes))),
            )
        else:
            text = f"{record.record} is already in row {first.row} with another title, type or day"
            problems.add(record.row, "record", text)
    return list(found.values())


def _same_act(one: Record, other: Record) -> bool:
    blank: dict[str, Any] = {"row": 0, "by": (), "against": (), "codes": (), "rate": None}
    return replace(one, **blank) == replace(other, **blank)
