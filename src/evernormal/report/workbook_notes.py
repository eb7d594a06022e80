"""The first sheet of the workbook: what this is, units, findings, sources, how to cite and to reproduce."""

from __future__ import annotations

from typing import Any

from evernormal.report import story
from evernormal.report.basis import basis
from evernormal.report.reading import Reading

__all__ = ["write_notes"]


def write_notes(sheet: Any, reading: Reading, formats: Any, command: str) -> None:
    """Write the notes, one statement a row, under headings.

    Args:
        sheet: worksheet to fill.
        reading: the result in its language.
        formats: cell formats with ``title``, ``bold`` and ``text``.
        command: what makes the same numbers again.
    """
    sheet.set_column(0, 0, 110)
    sheet.write_string(0, 0, reading.title, formats.title)
    row = 1
    for heading, lines in _sections(reading, command):
        row += 1
        sheet.write_string(row, 0, heading, formats.bold)
        for line in lines:
            row += 1
            sheet.write_string(row, 0, line, formats.text)
        row += 1
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


def _sections(reading: Reading, command: str) -> list[tuple[str, list[str]]]:
    words, lineage = reading.words, reading.result.lineage
    notes = words.text
    about = [
        line
        for line in (
            reading.description,
            *story.headline(reading),
            story.share_based(reading),
            story.not_known(reading),
        )
        if line
    ]
    findings = [f"{notes(f'level.{f.level}')}: {words.finding(f)}" for f in reading.result.findings]
    sources = [
        " · ".join(
            part for part in (i.name, i.source, i.licence, i.as_of, f"SHA-256 {i.sha256[:12]}") if part
        )
        for i in lineage.inputs
    ]
    cite = notes(
        "notes.cite_text",
        version=lineage.version,
        scenario=reading.name,
        focal=reading.focal,
        seed=str(lineage.seed),
    )
    return [
        (notes("notes.about"), about),
        (notes("notes.units"), [basis(reading), notes("notes.empty_cell")]),
        (notes("notes.findings"), findings or [notes("intro.findings_none")]),
        (notes("section.method"), story.method(reading)),
        (notes("notes.sources"), sources or [words.unknown]),
        (notes("notes.cite"), [cite]),
        (notes("notes.reproduce"), [command]),
    ]
