"""The Excel workbook beside the page on a country's dependence: every table of it, with names and units."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from evernormal.report import exposure_story as story
from evernormal.report.exposure_parts import Dossier
from evernormal.report.indicators import indicator_table
from evernormal.report.language import Language, clean, language
from evernormal.report.workbook import formats_of, opened, write_table
from evernormal.result import Result

__all__ = ["exposure_workbook"]

_PLACES = ("supplier", "country", "maker", "mine", "focal", "source", "target", "hub")


@dataclass(frozen=True)
class _Sheet:
    """One result in one language, as a sheet reads it."""

    words: Language
    result: Result


def exposure_workbook(dossier: Dossier, lang: str = "en") -> bytes:
    """Return the workbook as bytes of an ``.xlsx`` file; the same input gives the same bytes (law 6).

    Sheets: read me; every form; indicators with ranks; supplier shares by year; origin by stage; flows from
    the mine; forecast; visibility.  A sheet without rows is left out.

    Raises:
        InputError: ``xlsxwriter`` is not installed.
    """
    words = language(lang)
    stream = io.BytesIO()
    head = _Sheet(words, dossier.exposure)
    title = words.text("exposure.title", place=words.country(dossier.place), year=str(dossier.year))
    book = opened(stream, head, title)
    formats = formats_of(book)
    _notes(book.add_worksheet(words.text("sheet.notes")[:31]), dossier, words, formats, title)
    for name, (table, units) in _tables(dossier).items():
        if table.height:
            one = _Sheet(words, Result(name, {}, {name: units}, dossier.exposure.lineage))
            sheet = book.add_worksheet(words.text(f"sheet.{name}")[:31])
            write_table(sheet, one, name, _named(words, table), formats)
    book.close()
    return stream.getvalue()


def _tables(dossier: Dossier) -> dict[str, tuple[pl.DataFrame, Mapping[str, str]]]:
    """Return every table of the page, one of a kind, with the form in the first column."""
    groups = dossier.groups
    shares = [(form, one) for group in groups for form, one in group.shares.items()]
    origins = [(group.lead, group.origin) for group in groups if group.origin is not None]
    ahead = [(group.lead, group.forecast) for group in groups if group.forecast is not None]
    seen = [(group.name, group.visibility) for group in groups if group.visibility is not None]
    exposure = dossier.exposure
    return {
        "exposure": (exposure["exposure"], exposure.units["exposure"]),
        "indicators": (indicator_table(exposure, dossier.more), {"value": "see unit"}),
        "shares": _joined([(f, one, "shares") for f, one in shares], "form"),
        "origin": _joined([(f, one, "origin") for f, one in origins], "traced"),
        "flows": _joined([(f, one, "flows") for f, one in origins], "traced"),
        "forecast": _joined([(f, one, "forecast") for f, one in ahead], "traced"),
        "elements": _joined([(f, one, "elements") for f, one in seen], "group"),
    }


def _joined(parts: list[tuple[str | None, Result, str]], key: str) -> tuple[pl.DataFrame, Mapping[str, str]]:
    """Return the tables of one kind below one another, each with what it is about."""
    tables: list[pl.DataFrame] = []
    units: dict[str, str] = {}
    for name, result, table in parts:
        found = result[table]
        if key not in found.columns:
            found = found.select(pl.lit(name, pl.String).alias(key), pl.all())
        tables.append(found)
        units |= result.units.get(table, {})
    if not tables:
        return pl.DataFrame(), {}
    return pl.concat(tables, how="diagonal_relaxed"), units


def _named(words: Language, table: pl.DataFrame) -> pl.DataFrame:
    """Put names beside codes of countries and forms; a source that is a text stays one."""
    for column in table.columns:
        if table[column].dtype != pl.String:
            continue
        if column in _PLACES and _codes(table[column]):
            names = [None if code is None else words.country(code) for code in table[column]]
        elif column in {"form", "traced"}:
            names = [None if code is None else words.form(code) for code in table[column]]
        elif column == "indicator":
            names = [words.text(f"indicator.{code}") for code in table[column]]
        elif column in {"stage", "source_stage", "target_stage"} and "share" not in column:
            key = "visual.stage_{}"
            names = [
                words.text(key.format(code)) if words.has(key.format(code)) else code
                for code in table[column]
            ]
        else:
            continue
        place = table.columns.index(column) + 1
        label = pl.Series(f"{column}_name", names, dtype=pl.String)
        table = table.select(*table.columns[:place], label, *table.columns[place:])
    return table


def _codes(column: pl.Series) -> bool:
    """Whether a column holds codes of countries rather than text."""
    return bool(column.drop_nulls().str.len_chars().is_in([2, 3]).all())


def _notes(sheet: Any, dossier: Dossier, words: Language, formats: Any, title: str) -> None:
    """Write what this is, what is not known, the findings and the sources."""
    sheet.set_column(0, 0, 110)
    sheet.write_string(0, 0, title, formats.title)
    findings = [f"{words.text(f'level.{f.level}')}: {words.finding(f)}" for f in dossier.exposure.findings]
    kept = {(i.name, i.sha256): i for result in dossier.results() for i in result.lineage.inputs}
    sources = [
        " · ".join(
            part for part in (i.name, i.source, i.licence, i.as_of, f"SHA-256 {i.sha256[:12]}") if part
        )
        for i in kept.values()
    ]
    answer = [*story.answer(dossier.exposure, words), story.unknown_line(dossier.exposure, words)]
    row = 1
    for heading, lines in (
        ("notes.about", [*answer, story.duty_sentence(dossier.exposure, words)]),
        ("notes.units", [words.text("notes.empty_cell")]),
        ("notes.findings", findings),
        ("notes.sources", sources),
    ):
        row += 1
        sheet.write_string(row, 0, words.text(heading), formats.bold)
        for line in lines:
            row += 1
            sheet.write_string(row, 0, clean(line), formats.text)
        row += 1
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
