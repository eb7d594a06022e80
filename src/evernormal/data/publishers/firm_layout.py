"""What the workbook of a firm holds: its sheets and their columns, headed in English or Korean."""

from __future__ import annotations

import csv
import functools
from dataclasses import dataclass

from evernormal.data.geography import countries
from evernormal.data.schema import TABLES

__all__ = [
    "EXAMPLE",
    "LISTS",
    "Field",
    "SheetLayout",
    "form_names",
    "listed_countries",
    "listed_forms",
]

EXAMPLE = {"en": "example, not read", "ko": "예시(읽지 않음)"}
"""How the first cell of the example row begins; such rows are not data."""

LISTS = {"en": "lists", "ko": "목록"}
"""Title of the sheet that holds what the lists offer."""


@dataclass(frozen=True)
class Field:
    """One column of a sheet.

    Attributes:
        name: column of the table that it becomes; ``note`` is not stored.
        en: heading in English.
        ko: heading in Korean.
        kind: ``form``, ``country``, ``month``, ``day``, ``number``, ``fraction``, ``unit``, ``currency``,
            ``text`` or a list of words: ``incoterm``, ``contract``, ``yes``.
        needed: whether a row must have it.
        help_en: how to write it.
        help_ko: the same in Korean.
        example: what the example row shows.
    """

    name: str
    en: str
    ko: str
    kind: str
    needed: bool
    help_en: str
    help_ko: str
    example: str | float

    def heading(self, language: str) -> str:
        """Return the heading in a language."""
        return self.ko if language == "ko" else self.en


@dataclass(frozen=True)
class SheetLayout:
    """One sheet: its title and what it is for in both languages, and its columns."""

    name: str
    ko: str
    about_en: str
    about_ko: str
    fields: tuple[Field, ...]

    def title(self, language: str) -> str:
        """Return the title in a language."""
        return self.ko if language == "ko" else self.name


def _number(text: str) -> str | float:
    """Return a number of the table as a number, so that the example shows one."""
    try:
        return float(text)
    except ValueError:
        return text


@functools.cache
def sheets() -> tuple[SheetLayout, ...]:
    """Return the sheets of the template in their order, as ``tables/firm_layout.csv`` says.

    >>> [sheet.name for sheet in sheets()]
    ['purchases', 'stocks', 'suppliers', 'use']
    """
    rows = _read("firm_layout.csv")
    return tuple(
        SheetLayout(
            about["sheet"],
            about["sheet_ko"],
            about["help_en"],
            about["help_ko"],
            tuple(
                Field(
                    *(row["column"], row["en"], row["ko"], row["kind"], row["needed"] == "yes"),
                    *(row["help_en"], row["help_ko"], _number(row["example"])),
                )
                for row in rows
                if row["sheet"] == about["sheet"] and row["kind"] != "sheet"
            ),
        )
        for about in rows
        if about["kind"] == "sheet"
    )


@functools.cache
def form_names() -> dict[str, tuple[str, str]]:
    """Return every form of the catalogue with its English and Korean name.

    >>> form_names()["graphite/natural"]
    ('Natural graphite', '천연흑연')
    """
    return {row["form"]: (row["name_en"], row["name_ko"]) for row in _read("form_names.csv")}


def listed_forms(language: str) -> list[str]:
    """Return the forms as the list of the template shows them: key, bar, name."""
    return [f"{key} | {names[1 if language == 'ko' else 0]}" for key, names in form_names().items()]


def listed_countries(language: str) -> list[str]:
    """Return the countries as the list of the template shows them, by code."""
    table = countries().filter(countries()["kind"] == "country").sort("iso3")
    names = table["name_ko" if language == "ko" else "name_en"]
    return [f"{code} | {name}" for code, name in zip(table["iso3"], names, strict=True)]


def _read(name: str) -> list[dict[str, str]]:
    with (TABLES / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
