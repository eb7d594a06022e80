"""The International Energy Agency's policies on critical minerals, from the CSV of its policy database.

A record says the year of a policy and sometimes the day of its promulgation; a year alone is no day, so
``announced`` and ``effective`` stay unknown then and the row counts as known from the end of that year on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from evernormal.data.publishers.adapters import Asked, Reading
from evernormal.data.publishers.policy_files import file_day, moment, read_table, read_text, require_rows
from evernormal.data.publishers.policy_records import (
    Notes,
    by_name,
    codes_in,
    joined,
    nearest_country,
    plain,
    policies_table,
    rate_in,
    subject_of,
    targets_in,
)
from evernormal.data.publishers.text import Problems, require_header

__all__ = ["reading"]

SOURCE = "IEA, Policies and Measures Database"
_COLUMNS = (
    *("title", "description", "status", "year", "datePromulgated", "yearEnded", "learnMore"),
    *("dateModified", "countries", "policyType"),
)
_CURE = "Give the CSV of the IEA's policy database as it ships it."
_EXPORT, _IMPORT = r"\bexport", r"\bimport"
_TRADE = (
    ("Export and import ban", "ban"),
    ("Export controls and restrictions", ""),
    ("Import controls and restrictions", ""),
    ("Tariffs and duties", "tariff"),
    ("Non-tariff measures", ""),
    ("Foreign direct investment (FDI)", "investment_screening"),
)
"""Types of trade policy, the one that says most first; an empty kind is read from the words."""
_WORDS = (
    (r"\bquotas?\b", "quota"),
    (r"\b(ban|bans|banned|prohibit\w*|suspension|suspend\w*)\b", "ban"),
    (r"\b(licen[cs]\w*|permits?|authori[sz]ation|export controls?)\b", "licence"),
    (r"\b(dut(y|ies)|tax(es)?|tariffs?|lev(y|ies)|royalt(y|ies))\b", "tariff"),
    (r"\b(domestic market obligation|local processing|beneficiation|downstream)\b", "local_processing"),
)
_SUPPORT = re.compile(r"financ|fund|invest|tax incentive|loan|grant|spending|support", re.IGNORECASE)


def reading(path: Path, asked: Asked) -> Reading:
    """Return the policies of a file, one row for each country that made one.

    Raises:
        SourceFormatError: another table, a country that the source does not write, broken JSON in a cell, a
            repeated row; each named with its row.
    """
    asked.progress(path.name)
    records = list(_records(read_text(path), path.name))
    problems, notes = Problems(path.name), Notes()
    seen: dict[str, int] = {}
    rows: list[dict[str, Any]] = []
    modified: list[date] = []
    for number, cells in records:
        key = json.dumps(cells, sort_keys=True)
        if key in seen:
            problems.add(number, "title", f"the row repeats row {seen[key]}")
        seen.setdefault(key, number)
        modified += _modified(cells, number, problems)
        rows.extend(row | {"cells": key} for row in _rows(number, cells, problems, notes))
    problems.raise_if_any()
    _number(rows)
    known = file_day(asked, modified, [row["as_of"] for row in rows if not row["open"]], notes, path)
    for row in rows:
        row["as_of"] = min(row["as_of"], known)
    return Reading(policies_table(rows), "iea-policies", SOURCE, known, findings=notes.findings())


def _records(text: str, name: str) -> Iterator[tuple[int, dict[str, str]]]:
    header, rows = read_table(text, name, cure=_CURE)
    require_header(header, _COLUMNS, name)
    require_rows(rows, name)
    for number, cells in rows:
        yield number, dict(zip(header, cells, strict=True))


def _number(rows: list[dict[str, Any]]) -> None:
    """Give records of one title and year a number each, whatever their order in the file."""
    found: dict[str, dict[str, int]] = {}
    for row in sorted(rows, key=lambda row: (row["record"], row["cells"])):
        same = found.setdefault(row["record"], {})
        row["number"] = same.setdefault(row["cells"], len(same) + 1)
    for row in rows:
        row["record"] += f"-{row['number']}" if row["number"] > 1 else ""


def _name(title: str, year: str) -> str:
    """Return a name of a record that stays the same in another edition: its title and year."""
    return f"{re.sub(r'[^a-z0-9]+', '-', title.casefold())[:70].strip('-')}-{year.strip()}"


def _list(text: str, column: str, number: int, problems: Problems) -> list[Any]:
    try:
        found = json.loads(text) if text.strip() else []
    except ValueError:
        found = None
    if not isinstance(found, list):
        problems.add(number, column, f"{text[:40]!r} is no list")
        return []
    return found


def _modified(cells: Mapping[str, str], number: int, problems: Problems) -> list[date]:
    """Return the day on which the IEA changed the record: milliseconds since 1970."""
    text = cells["dateModified"].strip()
    if not text:
        return []
    try:
        return [datetime.fromtimestamp(int(text) / 1000, UTC).date()]
    except (ValueError, OverflowError, OSError):
        problems.add(number, "dateModified", f"{text[:30]!r} is no time in milliseconds")
        return []


def _rows(
    number: int, cells: Mapping[str, str], problems: Problems, notes: Notes
) -> Iterator[dict[str, Any]]:
    title, text = plain(cells["title"]), plain(cells["description"])
    types = [t for t in _list(cells["policyType"], "policyType", number, problems) if isinstance(t, dict)]
    kind, side = _kind(types, title, text)
    border = side in ("export", "import")
    codes = codes_in(text) if border else ()
    subject = subject_of(title, text, codes)
    if not subject.materials:
        notes.count("no-material", "info", "name no material in words or codes; stored without one")
    day = _days(cells, number, problems, notes)
    names = "; ".join(dict.fromkeys(str(t.get("name")) for t in types))
    row = {
        "record": _name(title, cells["year"]),
        "kind": kind,
        "side": side,
        "stance": _stance(kind, f"{title} {text[:200]}"),
        "materials": joined(subject.materials),
        "forms": joined(subject.forms),
        "codes": joined(codes),
        "rate": rate_in(text) if kind == "tariff" else None,
        **day,
        "against": joined(targets_in(title, side)),
        "title": title or "(no title)",
        "detail": f"types: {names}; status: {cells['status']}; year: {cells['year']};"
        f" ended: {cells['yearEnded'] or 'not said'}; materials {subject.said or 'none'}. {text}",
        "url": cells["learnMore"].strip() or None,
        "source": SOURCE,
        "source_ref": f"row {number}: {title[:120]}",
        "grade": "B",
    }
    actors = _actors(cells, number, problems)
    if not actors:
        notes.count("actor-unknown", "caution", "no country is named; stored as unknown", title[:60])
    for actor in actors or ["unknown"]:
        yield row | {"by": actor}


def _actors(cells: Mapping[str, str], number: int, problems: Problems) -> list[str]:
    found = []
    for part in _list(cells["countries"], "countries", number, problems):
        name = str(part.get("name", "") if isinstance(part, dict) else part)
        iso = str(part.get("iso3", "")) if isinstance(part, dict) else ""
        code = (by_name(iso, "iea-policies") if iso else None) or by_name(name, "iea-policies")
        if code is None:
            problems.add(number, "countries", nearest_country(name or iso, "iea-policies"))
        else:
            found.append(code)
    return list(dict.fromkeys(found))


def _days(cells: Mapping[str, str], number: int, problems: Problems, notes: Notes) -> dict[str, Any]:
    """Return the days of a record; a year alone leaves them unknown."""
    promulgated = moment(cells["datePromulgated"])
    if promulgated is None and cells["datePromulgated"].strip():
        problems.add(number, "datePromulgated", f"{cells['datePromulgated'][:30]!r} is no day")
    year = moment(cells["year"])
    if year is None:
        problems.add(number, "year", f"{cells['year'][:20]!r} is no year")
    in_force = cells["status"].strip() != "Announced"
    if promulgated is not None and promulgated.is_day:
        day = promulgated.first
        return {"announced": day, "effective": day if in_force else None, "as_of": day, "open": False}
    notes.count("year-only", "info", "only the year is known; announced and effective stay unknown")
    last = year.last if year is not None else date(9999, 12, 31)
    return {"announced": None, "effective": None, "as_of": last, "open": True}


def _kind(types: list[dict[str, Any]], title: str, text: str) -> tuple[str, str]:
    """Return kind and side: the trade type that says most, else support, else other."""
    trade = [str(t.get("name")) for t in types if t.get("family") == "Trade"]
    for name, kind in _TRADE:
        if name not in trade:
            continue
        if kind == "investment_screening":
            return kind, "domestic"
        if (
            kind == "ban"
            and len(set(trade)) > 1
            and not re.search(r"\b(ban|bans|banned|prohibit\w*)\b", text)
        ):
            continue
        read = (title,) if name == "Non-tariff measures" else (title, text)
        found = kind or next(
            (k for words in read for p, k in _WORDS if re.search(p, words, re.IGNORECASE)), "other"
        )
        return found, _side(name, title, text)
    support = any(_SUPPORT.search(f"{t.get('name')}") for t in types if t.get("family") == "Economic")
    return ("subsidy", "domestic") if support else ("other", "domestic")


def _side(name: str, title: str, text: str) -> str:
    """Return the side of the border: as the type says, else as the title, else as the description."""
    if name.startswith(("Export controls", "Import controls")):
        return name[:6].casefold()
    for words in (title, text):
        exports, imports = (len(re.findall(p, words, re.IGNORECASE)) for p in (_EXPORT, _IMPORT))
        if exports != imports:
            return "export" if exports > imports else "import"
    return "unknown"


def _stance(kind: str, words: str) -> str:
    """Return the stance; the IEA does not give one, so only what the kind says."""
    if kind == "subsidy":
        return "supportive"
    if kind in ("ban", "quota", "licence"):
        return (
            "liberalising"
            if re.search(r"\b(lift|remov|eas|relax|repeal)", words, re.IGNORECASE)
            else "restrictive"
        )
    return "unknown"
