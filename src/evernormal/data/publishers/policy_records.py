"""What every record of a policy becomes: whose act, of which kind, on which materials and forms, from when.

Publishers tag minerals loosely: a tax on rare earths was tagged as one on lithium.  So materials are read
from the customs codes and from the words of a record, never from its tags; what the tags say is kept in the
detail and counted where it differs.  Nothing is dropped: a record that names no material is stored without
one.
"""

from __future__ import annotations

import csv
import functools
import html
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl

from evernormal.data.geography import aliases, named
from evernormal.data.schema import TABLES, public_columns
from evernormal.errors import nearest
from evernormal.result import Finding, Level

__all__ = [
    "BORDER",
    "RARE_EARTHS",
    "Notes",
    "Subject",
    "by_name",
    "codes_in",
    "joined",
    "kind_of",
    "nearest_country",
    "plain",
    "policies_table",
    "rate_in",
    "stated_day",
    "subject_of",
    "targets_in",
    "words_of",
]

BORDER = frozenset({"ban", "quota", "licence", "tariff", "price_floor"})
"""Kinds that act at a border."""

RARE_EARTHS = frozenset(
    [
        "lanthanum",
        "cerium",
        "praseodymium",
        "neodymium",
        "promethium",
        "samarium",
        "europium",
        "gadolinium",
        "terbium",
        "dysprosium",
        "holmium",
        "erbium",
        "thulium",
        "ytterbium",
        "lutetium",
        "scandium",
        "yttrium",
    ]
)
"""The seventeen."""

_LONGEST = 4000
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
         "november", "december"), start=1)
}  # fmt: skip
_PERCENT = re.compile(r"(^|[^\d.,])(\d+(?:[.,]\d+)?) ?(?:%|per ?cent\b)")
_DAY = re.compile(r"\b(?:(\d{1,2}) ([A-Z][a-z]+)|([A-Z][a-z]+) (\d{1,2}),?) (\d{4})\b")


@dataclass(frozen=True)
class Subject:
    """What a record is about.

    Attributes:
        materials: materials that its codes or its words name, in alphabetical order.
        forms: forms that its codes name, in alphabetical order.
        said: how they were found, for the detail of the row.
    """

    materials: tuple[str, ...]
    forms: tuple[str, ...]
    said: str


@dataclass
class Notes:
    """What is counted while a file is read, told once at its end."""

    counts: Counter[tuple[str, Level, str]] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def count(self, code: str, level: Level, text: str, example: str = "") -> None:
        """Count one record under a finding; ``text`` follows the number of records."""
        self.counts[code, level, text] += 1
        shown = self.examples.setdefault(code + text, [])
        if example and example not in shown and len(shown) < 5:
            shown.append(example)

    def findings(self) -> tuple[Finding, ...]:
        """Return one finding per reason with its number of records, in alphabetical order."""
        found = []
        for (code, level, text), number in sorted(self.counts.items()):
            examples = self.examples[code + text]
            shown = f" ({'; '.join(examples)})" if examples else ""
            plural = "record" if number == 1 else "records"
            message = f"{number} {plural}: {text}{shown}."
            found.append(Finding(code, level, message, {"records": number, "examples": examples}))
        return tuple(found)


def policies_table(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Return rows as the table that is stored, in the order of day, record and who acts."""
    schema = {column.name: column.dtype for column in public_columns("policies")}
    table = pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)
    return table.sort("announced", "effective", "record", "by", nulls_last=True, maintain_order=True)


def kind_of(source: str, name: str) -> tuple[str, str] | None:
    """Return kind and side of a publisher's type of measure; None when the table has no such type.

    >>> kind_of("gta", "Export licensing requirement"), kind_of("gta", "Unheard of")
    (('licence', 'export'), None)
    """
    return _kinds().get((source, " ".join(name.casefold().split())))


def subject_of(
    title: str,
    text: str = "",
    codes: Sequence[str] = (),
    *,
    revision: str | None = None,
    extra: Iterable[str] = (),
) -> Subject:
    """Return what a record is about, from its codes and its words.

    Its description counts where its title names no material, and for the elements of the rare earths that
    the title names as a group: descriptions mention much in passing.

    Args:
        title: its title.
        text: its description without markup.
        codes: customs codes of two or more digits.
        revision: revision of the codes; None: any.
        extra: materials that a column of the file names by itself.

    >>> subject_of("Export ban of lithium ore", codes=["253090"]).forms
    ('lithium/ore',)
    """
    words = words_of(title) | set(extra)
    if not words:
        words = words_of(text)
    elif "rare-earths" in words and not words & RARE_EARTHS:
        words |= words_of(text) & RARE_EARTHS
    rows = [row for code in codes for row in _codes_under(code[:6]) if not revision or revision in row[3]]
    alone = {form.partition("/")[0] for _, form, shared, _ in rows if not shared}
    by_code = {code: {f.partition("/")[0] for c, f, s, _ in rows if c == code and not s} for code, *_ in rows}
    forms = {
        form for code, form, shared, _ in rows
        if not shared or _is_meant(form.partition("/")[0], words | by_code[code])
    }  # fmt: skip
    parts = []
    if words:
        parts.append(f"by words: {', '.join(sorted(words))}")
    if alone:
        parts.append(f"by codes: {', '.join(sorted(alone))}")
    basket = sorted({code for code, _, shared, _ in rows if shared} - {c for c, _, s, _ in rows if not s})
    if basket:
        parts.append(f"shared codes: {', '.join(basket[:10])}")
    return Subject(tuple(sorted(words | alone)), tuple(sorted(forms)), "; ".join(parts))


def _is_meant(material: str, named: set[str]) -> bool:
    """Whether a material of a shared code is named; an element of the rare earths names their group."""
    return material in named or (material == "rare-earths" and bool(named & RARE_EARTHS))


def words_of(text: str) -> set[str]:
    """Return the materials that a text names.

    >>> sorted(words_of("Talks lead to a ban on lead, zinc and tin ores"))
    ['lead', 'tin', 'zinc']
    """
    return {material for pattern, material in _words() if pattern.search(text)}


def plain(text: str | None) -> str:
    """Return text without markup, entities and line breaks, cut at 4,000 characters.

    >>> plain("<p>Export&nbsp;ban<br>on <b>tin</b></p>")
    'Export ban on tin'
    """
    bare = html.unescape(re.sub(r"<[^<>]*>", " ", html.unescape(text or "")))
    bare = "".join(letter if letter.isprintable() else " " for letter in bare)
    bare = " ".join(bare.split())
    return bare if len(bare) <= _LONGEST else bare[: _LONGEST - 1] + "…"


def stated_day(text: str) -> date | None:
    """Return the day with which a description begins, as in ``On 20 October 2023, the Ministry announced``.

    >>> stated_day("On 20 October 2023, the Ministry announced controls from 1 December 2023.")
    datetime.date(2023, 10, 20)
    """
    found = _DAY.search(text[:120])
    if not found or not re.match(r"\W*On\b", text[:20]):
        return None
    day, month = (found[1], found[2]) if found[1] else (found[4], found[3])
    try:
        return date(int(found[5]), _MONTHS[month.casefold()], int(day))
    except (KeyError, ValueError):
        return None


def rate_in(text: str) -> float | None:
    """Return the ad valorem rate of a text, as a fraction, when it names one percentage only, as a rate.

    >>> rate_in("an export duty of 5% of the customs value"), rate_in("a tax from 10% to 15%")
    (0.05, None)
    >>> rate_in("a tax of up to 40 percent") is None
    True
    """
    found = {m[2].replace(",", ".") for m in _PERCENT.finditer(text)}
    if len(found) != 1:
        return None
    first = next(_PERCENT.finditer(text))
    around = text[max(0, first.start() - 60) : first.end() + 30].casefold()
    if not re.search(r"dut(y|ies)|tax|tariff|royalt|levy|levied", around) or re.search(
        r"up to|at most|between|than", around
    ):
        return None
    return float(found.pop()) / 100


def codes_in(text: str) -> tuple[str, ...]:
    """Return the customs codes that a text names: ``7403.12`` anywhere, ``260300`` or ``7502`` after HS.

    Only chapters 25 to 85, where minerals, metals and what is made of them are.

    >>> codes_in("permits for tariff headings 7403.12 and 7403.13 (HS 7502 too)")
    ('740312', '740313', '7502')
    """
    if not re.search(r"\b(HS|CN|HTS|HTSUS|tariff|codes?|headings?|subheadings?|classified)\b", text):
        return ()
    found = [
        m[1] + m[2] for m in re.finditer(r"(?<![\d.,])(\d{4})\.(\d{2})(?!\d|%| ?(?:million|billion))", text)
    ]
    found += [
        m[1] for m in re.finditer(r"\b(?:HS|CN|HTS)(?: codes?| headings?)? (\d{4}(?:\d{2}){0,3})\b", text)
    ]
    return tuple(dict.fromkeys(code[:6] for code in found if 25 <= int(code[:2]) <= 85))


def joined(values: Iterable[str]) -> str | None:
    """Return values in alphabetical order joined by semicolons; None when there is none."""
    return ";".join(sorted(set(values))) or None


def by_name(name: str, source: str) -> str | None:
    """Return the country that a publisher's name or ISO code means; None when the table has none."""
    text = " ".join(name.split())
    found = aliases(source).get(text) or (text if text in aliases("iso3") else None)
    return found or _folded(source).get(_fold(text)) or (named(text) if "," not in text else None)


def _fold(name: str) -> str:
    """Return a name without accents, case and the ways of writing *and* and *Saint*."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return " ".join(bare.replace("&", " and ").replace("’", "'").replace("St. ", "Saint ").casefold().split())


@functools.cache
def _folded(source: str) -> dict[str, str]:
    """Return the names of a source, and those that everyone uses, by what is left of them when folded."""
    names = {**aliases("name"), **aliases(source)}
    return {_fold(name): iso3 for name, iso3 in names.items() if len(name) > 3}


def targets_in(title: str, side: str) -> tuple[str, ...]:
    """Return the countries that a title says a measure of trade is aimed at, as in ``exports to Russia``.

    >>> targets_in("Strengthening the export control of dual-use items to the United States", "export")
    ('USA',)
    """
    if side not in ("export", "import"):
        return ()
    before = "to|against|towards" if side == "export" else "from|against"
    found = re.findall(rf"\b(?:{before}) (?:the )?({_country_pattern()})\b", title)
    names = aliases("name")
    return tuple(dict.fromkeys(names[name.casefold()] for name in found))


@functools.cache
def _country_pattern() -> str:
    """Return an expression of every name of a country that is no code, the longest first."""
    groups = {"EUU", "R20", "ROW", "WLD", "ZA1"}
    names = [n for n, iso in aliases("name").items() if len(n) > 3 and n.isascii() and iso not in groups]
    return "(?i:" + "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True)) + ")"


def nearest_country(name: str, source: str) -> str:
    """Return a clause that names what an unknown country may be."""
    close = nearest(name, aliases(source))
    return f"{name[:60]!r} is no country that the source is known to write" + (
        f" (nearest: {', '.join(close)})" if close else ""
    )


@functools.cache
def _codes_under(code: str) -> tuple[tuple[str, str, bool, str], ...]:
    """Return code, form, whether the code is shared, and revisions, of every code that begins so."""
    return tuple(row for row in _codes() if len(code) >= 2 and row[0].startswith(code))


@functools.cache
def _codes() -> tuple[tuple[str, str, bool, str], ...]:
    return tuple(
        (row["code"], row["form"], row["basket"] == "yes", row["revisions"])
        for row in _read("policy_codes.csv")
    )


@functools.cache
def _words() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(r["pattern"], re.IGNORECASE), r["material"]) for r in _read("policy_words.csv"))


@functools.cache
def _kinds() -> dict[tuple[str, str], tuple[str, str]]:
    return {
        (row["source"], " ".join(row["type"].casefold().split())): (row["kind"], row["side"])
        for row in _read("policy_kinds.csv")
    }


def _read(name: str) -> list[dict[str, str]]:
    with (TABLES / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
