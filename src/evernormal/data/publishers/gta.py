"""Global Trade Alert: interventions of governments, as policies.

Read in three layouts: the CSV export of the data centre, an answer of its API, and a list of interventions
that others converted to JSON.  The converted list has one day only, the one of implementation or, where there
is none, of announcement; the description often begins with the day of announcement and is believed then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from evernormal.data.publishers.adapters import Asked, Reading
from evernormal.data.publishers.gta_records import Record, records_of
from evernormal.data.publishers.policy_files import file_day, read_text
from evernormal.data.publishers.policy_records import (
    RARE_EARTHS,
    Notes,
    Subject,
    codes_in,
    joined,
    kind_of,
    policies_table,
    rate_in,
    subject_of,
    targets_in,
)
from evernormal.data.publishers.text import Problems

__all__ = ["reading"]

SOURCE = "Global Trade Alert"
_STANCES = {
    "green": "liberalising",
    "liberalising": "liberalising",
    "liberalizing": "liberalising",
    "red": "restrictive",
    "harmful": "restrictive",
    "amber": "restrictive",
    "murky": "restrictive",
}


def reading(path: Path, asked: Asked) -> Reading:
    """Return the interventions of a file, one row for each government that acts.

    Raises:
        SourceFormatError: another layout, a country that the source does not write, a day or code that is
            none, two records under one number; each named with its row.
    """
    asked.progress(path.name)
    problems, notes = Problems(path.name), Notes()
    records, revised = records_of(read_text(path), path.name, problems)
    problems.raise_if_any()
    own = [record.announced for record in records]
    if asked.as_of is None:
        own = [_known(record) for record in records]
    known = file_day(asked, revised, [day for day in own if day], notes, path)
    rows = [row for record in records for row in _rows(record, known, notes)]
    return Reading(
        policies_table(rows),
        f"gta-{path.stem.lower().replace('_', '-')}"[:61].rstrip("-") if not _usual(path) else "gta",
        SOURCE,
        known,
        findings=notes.findings(),
    )


def _usual(path: Path) -> bool:
    """Whether a file has the name of a plain download, whose later editions are vintages of one data set."""
    return bool(re.fullmatch(r"(gta[-_ ])?interventions?.*|gta.*", path.stem.casefold()))


# --- rows -----------------------------------------------------------------------------------------


def _known(record: Record) -> date | None:
    """Return the day from which a record was public: its announcement, else its first day in force."""
    return record.announced or record.effective


def _rows(record: Record, known: date, notes: Notes) -> Iterator[dict[str, Any]]:
    kind, side = kind_of("gta", record.type) or ("other", "unknown")
    if kind_of("gta", record.type) is None:
        notes.count("type-unknown", "caution", f"type {record.type!r} is not known and became other")
    border = side in ("export", "import")
    codes = record.codes or (codes_in(record.text) if border else ())
    subject = subject_of(record.title, record.text, codes)
    _tell(record, subject, notes)
    stance = _STANCES.get(record.evaluation.casefold(), "unknown")
    if stance == "restrictive" and kind == "subsidy":
        stance = "supportive"
    own = _known(record)
    rate = record.rate
    if rate is None and kind == "tariff" and not record.codes:
        rate = rate_in(record.text)
    against = () if record.inferred else record.against
    against = against or targets_in(record.title.partition(":")[2], side)
    row = {
        "record": record.record,
        "against": joined(code for code in against if code not in record.by),
        "kind": kind,
        "side": side,
        "stance": stance,
        "materials": joined(subject.materials),
        "forms": joined(subject.forms),
        "revision": "HS2012" if record.codes else None,
        "codes": joined(codes),
        "rate": rate,
        "announced": record.announced,
        "effective": record.effective,
        "ends": record.ends,
        "title": record.title,
        "detail": _detail(record, subject, named=bool(codes) and not record.codes),
        "url": record.url,
        "source": SOURCE,
        "source_ref": f"intervention {record.record}",
        "as_of": own if own is not None and own <= known else known,
        "grade": "B",
    }
    if not record.by:
        notes.count("actor-unknown", "caution", "no government is named; stored as unknown", record.record)
    for actor in record.by or ("unknown",):
        yield row | {"by": actor}


def _detail(record: Record, subject: Subject, *, named: bool) -> str:
    parts = [f"type: {record.type}", f"evaluation: {record.evaluation}"]
    if named:
        parts.append("codes as the description names them")
    if record.inferred and record.against:
        parts.append(f"affected as the publisher infers: {', '.join(record.against[:60])}")
    if record.tags:
        parts.append(f"publisher's tags, not used: {', '.join(record.tags)}")
    if subject.said:
        parts.append(f"materials {subject.said}")
    if record.in_force in ("0", "false", "no") and record.ends is None:
        parts.append("not in force on the day of the file; the day of its end is not given")
    return "; ".join(parts) + (f". {record.text}" if record.text else "")


def _tell(record: Record, subject: Subject, notes: Notes) -> None:
    """Count what a reader must know of one record."""
    tags = {tag.casefold().replace(" ", "-") for tag in record.tags}
    if not subject.materials:
        notes.count("no-material", "info", "name no material in words or codes; stored without one")
    elif tags and not tags & _with_groups(subject.materials):
        notes.count(
            "tags-contradicted", "info", "words and codes name other materials than the publisher's tags",
            f"{record.record}: tag {', '.join(record.tags)}, read as {', '.join(subject.materials)}",
        )  # fmt: skip
    elif tags - _with_groups(subject.materials):
        notes.count(
            "tags-not-confirmed", "info", "some of the publisher's tags are confirmed by no word or code"
        )
    if record.effective is None and record.announced is None:
        notes.count(
            "day-unknown", "info", "neither the day of announcement nor the first day is given", record.record
        )


def _with_groups(materials: Iterable[str]) -> set[str]:
    found = set(materials)
    return found | {"rare-earths"} if found & RARE_EARTHS else found
