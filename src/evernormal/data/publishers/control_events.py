"""Export controls typed by hand, one act a row, each with the address of its source.

A month stands where the day is not known: its first day is stored, and the row counts as known from the last
day of the month on.  An end that a note calls a suspension (``suspended from DAY until DAY``) is stored as
one: what follows it is not known.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from evernormal.data.publishers.adapters import Asked, Reading, name_from
from evernormal.data.publishers.policy_files import Moment, file_day, moment
from evernormal.data.publishers.policy_records import (
    RARE_EARTHS,
    Notes,
    by_name,
    joined,
    kind_of,
    nearest_country,
    plain,
    policies_table,
    subject_of,
)
from evernormal.data.publishers.text import Problems, read_rows
from evernormal.errors import nearest

__all__ = ["reading"]

COLUMNS = (
    "announced",
    "effective",
    "end_or_suspended",
    "measure",
    "instrument",
    "materials",
    "target",
    "source_url",
    "note",
)
_CODES = ("codes", "chinese_hs_codes_quoted_on_page")
_SYMBOLS_TYPED = """
Li lithium Ni nickel Co cobalt Cu copper Mo molybdenum W tungsten C graphite Mn manganese Al aluminium Zn zinc
Mg magnesium Sn tin Ti titanium Si silicon Cr chromium V vanadium Nb niobium Pb lead Sb antimony Ga gallium
Ge germanium In indium Pt platinum Pd palladium Bi bismuth Ta tantalum Zr zirconium Sr strontium Se selenium
La lanthanum Ce cerium Pr praseodymium Nd neodymium Pm promethium Sm samarium Eu europium Gd gadolinium
Tb terbium Dy dysprosium Ho holmium Er erbium Tm thulium Yb ytterbium Lu lutetium Sc scandium Y yttrium
REE rare-earths RE rare-earths
"""
_SYMBOL_NAMES = _SYMBOLS_TYPED.split()
_SYMBOLS = dict(zip(_SYMBOL_NAMES[::2], _SYMBOL_NAMES[1::2], strict=True))
_SUSPENSION = re.compile(
    r"suspended\b\D{0,20}(\d{4}-\d{2}-\d{2}).{0,60}?\buntil (\d{4}-\d{2}-\d{2})", re.IGNORECASE
)
_WORLD = {"", "world", "all", "everyone", "global"}


def reading(path: Path, asked: Asked) -> Reading:
    """Return the acts of a file, one row each; the actor is China unless a column ``by`` names another.

    Raises:
        SourceFormatError: names file, row and column of every fault.
    """
    asked.progress(path.name)
    rows = read_rows(path, COLUMNS)
    problems, notes = Problems(path.name), Notes()
    typed = list(_typed(rows, problems, notes, path.name))
    problems.raise_if_any()
    taken: Counter[str] = Counter()
    for row in typed:
        taken[row["record"]] += 1
        row["record"] += f"-{taken[row['record']]}" if taken[row["record"]] > 1 else ""
    own = [day for row in typed for day in (row["as_of"], row["suspended"]) if day is not None]
    known = file_day(asked, [], own, notes, path)
    return Reading(
        policies_table(typed),
        name_from("controls", path)[:61].rstrip("-"),
        f"export controls of {path.name}",
        known,
        findings=notes.findings(),
    )


def _typed(
    rows: list[dict[str, str]], problems: Problems, notes: Notes, file: str
) -> Iterator[dict[str, Any]]:
    seen: dict[tuple[str, ...], int] = {}
    if "by" not in rows[0]:
        notes.count("actor-assumed", "info", "the file has no column by; every act is taken as China's")
    for number, cells in enumerate(rows, start=2):
        key = tuple(cells.values())
        if key in seen:
            problems.add(number, "announced", f"the row repeats row {seen[key]}")
        seen.setdefault(key, number)
        row = _row(number, cells, problems, notes, file)
        if row is not None:
            yield row


def _row(
    number: int, cells: dict[str, str], problems: Problems, notes: Notes, file: str
) -> dict[str, Any] | None:
    announced = _moment(cells, "announced", number, problems)
    effective = _moment(cells, "effective", number, problems)
    found = kind_of("control-events", cells["instrument"].partition("(")[0])
    if found is None:
        text = f"{cells['instrument'][:40]!r} is none of licence, ban, quota, export tax, import tariff"
        problems.add(number, "instrument", text)
    by = by_name(cells.get("by", "CHN"), "name" if len(cells.get("by", "CHN")) > 3 else "iso3")
    if by is None:
        problems.add(number, "by", nearest_country(cells["by"], "iso3"))
    against = _targets(cells["target"], number, problems)
    materials = _materials(cells["materials"], number, problems, notes)
    codes = _codes(cells)
    if announced is None or found is None or by is None:
        return None
    for name, what in (("announced", announced), ("effective", effective)):
        if what is not None and not what.is_day:
            text = (
                f"only the month of {name} is known: its first day stands for it, known from its last day on"
            )
            notes.count("month-only", "caution", text, f"row {number}")
    subject = subject_of(cells["measure"], f"{cells['materials']} {cells['note']}", codes, extra=materials)
    note = (
        f"{cells['note']}" if announced.is_day else f"the day is not known, only the month; {cells['note']}"
    )
    return {
        "record": f"{by}-{announced.first}-{found[0]}",
        "by": by,
        "against": joined(against),
        "kind": found[0],
        "side": found[1],
        "stance": "restrictive",
        "materials": joined(subject.materials),
        "forms": joined(subject.forms),
        "codes": joined(codes),
        "announced": announced.first,
        "effective": effective.first if effective else None,
        **_end(cells, number, problems, notes),
        "title": plain(cells["measure"]) or "(no title)",
        "detail": plain(f"materials as typed: {cells['materials']}; materials {subject.said}. {note}"),
        "url": cells["source_url"].strip() or None,
        "source": cells["source_url"].strip() or file,
        "source_ref": f"{file} row {number}",
        "as_of": announced.last,
        "grade": "B",
    }


def _moment(cells: dict[str, str], name: str, number: int, problems: Problems) -> Moment | None:
    text = cells[name].strip()
    found = moment(text) if text else None
    if found is None and (text or name == "announced"):
        problems.add(
            number, name, f"{text!r} is no day (write 2023-10-20, or 2010-07 where only the month is known)"
        )
    if found is not None and (found.last - found.first).days > 31:
        problems.add(number, name, f"{text!r} is a year only; give at least the month")
    return found


def _end(cells: dict[str, str], number: int, problems: Problems, notes: Notes) -> dict[str, date | None]:
    """Return end, suspension and resumption; an end that the note calls a suspension is no end."""
    end = _moment(cells, "end_or_suspended", number, problems)
    said = _SUSPENSION.search(cells["note"])
    if said is None:
        return {"ends": end.first if end else None, "suspended": None, "resumes": None}
    first, last = moment(said[1]), moment(said[2])
    if first is None or last is None:
        problems.add(number, "note", f"{said[0]!r} names a day that is none")
        return {"ends": None, "suspended": None, "resumes": None}
    text = "suspended until a day; what follows it is not known and stored as in force again on the next day"
    notes.count("suspension-open", "info", text, f"row {number}")
    return {"ends": None, "suspended": first.first, "resumes": last.first + timedelta(days=1)}


def _targets(text: str, number: int, problems: Problems) -> list[str]:
    if text.strip().casefold() in _WORLD:
        return []
    found = []
    for name in text.split(";"):
        code = by_name(name.strip(), "iso3") or by_name(name.strip(), "gta")
        if code is None:
            problems.add(number, "target", nearest_country(name.strip(), "gta"))
        else:
            found.append(code)
    return found


def _materials(text: str, number: int, problems: Problems, notes: Notes) -> set[str]:
    """Return the materials that symbols name; other words are left to the reading of words."""
    found = set()
    for piece in re.split(r"[;,]", text):
        name = piece.strip()
        if name in _SYMBOLS:
            found.add(_SYMBOLS[name])
        elif re.fullmatch(r"[A-Z][a-z]?", name):
            close = nearest(name, _SYMBOLS)
            shown = f" (nearest: {', '.join(close)})" if close else ""
            notes.count(
                "symbol-without-material", "info", f"{name} is none of the materials{shown}", f"row {number}"
            )
    return found | ({"rare-earths"} if found & RARE_EARTHS else set())


def _codes(cells: dict[str, str]) -> list[str]:
    text = " ".join(cells.get(name, "") for name in _CODES)
    return list(re.findall(r"(?<![\w.-])(\d{6,10})(?![\w.-])", text))
