"""English and Korean: messages, numbers, dates, names.

Every sentence that a reader sees stands in ``tables/messages.toml`` under one key, English beside Korean,
and every finding code in ``tables/findings.toml`` with its Korean sentence.  Korean particles that depend
on the last sound of a word are written ``[을/를]`` in a template and chosen when the value is known.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from evernormal.errors import UnknownNameError
from evernormal.report.digits import by_ten_thousands, decimals_for, significant
from evernormal.report.particles import choose_particles
from evernormal.result import Finding

__all__ = ["LANGUAGES", "Language", "language"]

LANGUAGES = ("en", "ko")
NARROW = "\N{NARROW NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
_ISO_DATE = re.compile(r"\d{4}-\d{2}(-\d{2})?")
_PLACES = frozenset(
    {"country", "region", "focal", "supplier", "exporter", "importer", "by", "partner", "through"}
) | {"neighbours", "members"}
_WITH_ARTICLE = frozenset({"USA", "GBR", "NLD", "PHL", "ARE", "COD", "CAF", "DOM"})
_COUNTRY_CODE = re.compile(r"(?<![\w/-])[A-Z]{3}(?![\w/-])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")

Number = float | int | None


def language(code: str) -> Language:
    """Return the language of a code.

    Errors: :class:`UnknownNameError` for anything but ``en`` and ``ko``.

    >>> language("ko").tonnes(12345.6)
    '12,346톤'
    >>> language("en").date("2025-11-10")
    '10 November 2025'
    """
    if code not in LANGUAGES:
        raise UnknownNameError("language", code, LANGUAGES)
    return Language(code)


@dataclass(frozen=True)
class Language:
    """One language: looks up messages and formats values.

    Attributes:
        code: ``en`` or ``ko``.

    >>> language("en").money(1.234e9), language("ko").money(1.234e9)
    ('USD 1.23 billion', '12.3억 달러')
    >>> language("en").percent(0.385)
    '38.5\u202f%'
    >>> language("ko").month("2024-03")
    '2024년 3월'
    """

    code: str

    @property
    def korean(self) -> bool:
        """Whether this is Korean."""
        return self.code == "ko"

    def text(self, key: str, /, **values: object) -> str:
        """Return the message of a key with its values filled in.

        Errors: :class:`UnknownNameError` when no message has the key.
        """
        messages = _messages()
        if key not in messages:
            raise UnknownNameError("message", key, messages)
        return self.fill(messages[key][self.code], values)

    @staticmethod
    def has(key: str) -> bool:
        """Whether a message has the key."""
        return key in _messages()

    def fill(self, template: str, values: Mapping[str, object]) -> str:
        """Fill a template of ours; values are text already formatted, or numbers."""
        filled = template.format_map({k: self._plain(v) for k, v in values.items()})
        return choose_particles(filled) if self.korean else filled

    def _plain(self, value: object) -> str:
        if value is None:
            return self.unknown
        if isinstance(value, bool):
            return str(value)
        if isinstance(value, int | float):
            return self.number(value)
        if isinstance(value, dt.date):
            return self.date(value)
        if isinstance(value, list | tuple | set | frozenset):
            return ", ".join(self._plain(v) for v in value)
        return clean(str(value))

    @property
    def unknown(self) -> str:
        """The word for a value that nobody has (law 2)."""
        return _messages()["word.unknown"][self.code]

    def number(self, value: Number, digits: int | None = None, *, signed: bool = False) -> str:
        """Return a grouped number; ``digits`` decimals, or as many as three significant figures need."""
        if value is None or not math.isfinite(value):
            return self.unknown
        if digits is None:
            digits = 0 if value == int(value) or abs(value) >= 100 else decimals_for(value)
        text = f"{abs(value):,.{digits}f}"
        if not text.strip("0.,"):
            return text
        return f"{_sign(value, signed)}{text}"

    def tonnes(self, value: Number, *, signed: bool = False, rounded: bool = False) -> str:
        """Return tonnes; ``rounded`` keeps three significant figures, for sentences (in Korean by 만).

        >>> language("ko").tonnes(40_319.0, rounded=True)
        '4만 300톤'
        """
        if value is None or not math.isfinite(value):
            return self.unknown
        shown = significant(value, 3) if rounded else value
        digits = 0 if abs(shown) >= 10 or shown == 0 else decimals_for(shown, 2)
        if self.korean and rounded and abs(shown) >= 10_000:
            return f"{_sign(shown, signed)}{by_ten_thousands(round(abs(shown)))}톤"
        number = self.number(shown, digits, signed=signed)
        return f"{number}톤" if self.korean else f"{number}{NARROW}t"

    def percent(self, fraction: Number, *, signed: bool = False, digits: int = 1) -> str:
        """Return a fraction as percent."""
        if fraction is None or not math.isfinite(fraction):
            return self.unknown
        value = fraction * 100
        digits = 0 if abs(value) >= 99.95 or float(value).is_integer() else digits
        number = self.number(value, digits, signed=signed)
        return f"{number}%" if self.korean else f"{number}{NARROW}%"

    def money(self, usd: Number) -> str:
        """Return US dollars to three significant figures, in the units that the language counts in."""
        if usd is None or not math.isfinite(usd):
            return self.unknown
        scales = _KOREAN_MONEY if self.korean else _ENGLISH_MONEY
        size = abs(significant(usd, 3))
        scale, template = next((s for s in scales if size >= s[0]), scales[-1])
        value = significant(usd, 3) / scale
        return template.format(self.number(value, decimals_for(value) if value % 1 else 0))

    def days(self, value: Number) -> str:
        """Return a number of days."""
        if value is None or not math.isfinite(value):
            return self.unknown
        digits = 1 if 0 < abs(value) < 10 else 0
        return self.text("unit.days", value=self.number(value, digits))

    def ratio(self, value: Number) -> str:
        """Return a multiple of the base year."""
        if value is None or not math.isfinite(value):
            return self.unknown
        number = self.number(value, 2)
        return f"{number}배" if self.korean else f"{number}×"

    def date(self, value: dt.date | str | None) -> str:
        """Return a day."""
        day = as_date(value)
        if day is None:
            return self.unknown
        if self.korean:
            return f"{day.year}년 {day.month}월 {day.day}일"
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"

    def month(self, value: dt.date | str | None, *, short: bool = False) -> str:
        """Return a month."""
        day = as_date(value)
        if day is None:
            return self.unknown
        if self.korean:
            return f"{day.year}.{day.month:02d}" if short else f"{day.year}년 {day.month}월"
        name = _MONTHS[day.month - 1]
        return f"{name[:3] if short else name} {day.year}"

    def period(self, value: str) -> str:
        """Return a period such as ``2019-01/2023-05``, a month or a year in words.

        >>> language("en").period("2019-01/2023-05"), language("ko").period("2024")
        ('January 2019 to May 2023', '2024년')
        """
        ends = [
            self.month(end) if as_date(end) else f"{end}년" if self.korean and end.isdigit() else clean(end)
            for end in value.split("/")
        ]
        return self.text("word.period", first=ends[0], last=ends[-1]) if len(ends) > 1 else ends[0]

    def span(self, low: Number, high: Number, show: Callable[[Number], str]) -> str:
        """Return the 10 to 90 % range of a value; both ends alike are told once."""
        first, last = show(low), show(high)
        if first == last:
            return self.text("word.range_point", value=first)
        return self.text("word.range", low=first, high=last)

    def inline(self, name: str) -> str:
        """Return a name as it stands inside a sentence: in English in lower case, unless it has capitals.

        >>> language("en").inline("Lithium hydroxide"), language("en").inline("NCM cathode precursor")
        ('lithium hydroxide', 'NCM cathode precursor')
        """
        first = name.partition(" ")[0]
        return name if self.korean or first[1:] != first[1:].lower() else name[:1].lower() + name[1:]

    def contained(self, symbol: str) -> str:
        """Return the name of what a symbol such as ``Li`` or ``REO`` stands for, inside a sentence."""
        key = f"contained.{symbol}"
        if key in _messages():
            return self.text(key)
        return self.inline(_element_names(self.code).get(symbol, clean(symbol)))

    def country(self, code: str) -> str:
        """Return the name of an ISO 3166 alpha-3 code; a label that is no country stays as it is."""
        key = f"place.{code}"
        if key in _messages():
            return self.text(key)
        return _country_names(self.code).get(code, clean(code))

    def country_inline(self, code: str) -> str:
        """Return the name of a country inside a sentence, in English with the article that it takes."""
        if (key := f"place.{code}_inline") in _messages():
            return self.text(key)
        name = self.country(code)
        return name if self.korean or code not in _WITH_ARTICLE else f"the {name}"

    def form(self, name: str) -> str:
        """Return the name of a form; a form that the table lacks stays as it is."""
        return _form_names(self.code).get(name, clean(name))

    def finding(self, finding: Finding) -> str:
        """Return the sentence of a finding; English with a mark where no Korean one exists or fits."""
        if not self.korean:
            return self._spelled_out(finding)
        template = _findings().get(finding.code, {}).get("ko")
        if template is None:
            return self.text("finding.untranslated", message=finding.message)
        try:
            return self.fill(template, {k: self._named(k, v) for k, v in finding.values.items()})
        except (KeyError, IndexError, ValueError):
            return self.text("finding.untranslated", message=finding.message)

    def _spelled_out(self, finding: Finding) -> str:
        """Return the English sentence with names in the place of the codes that its values hold."""
        text = clean(finding.message)
        for key, value in finding.values.items():
            many = value if isinstance(value, list | tuple) else (value,)
            role = _singular(key) if isinstance(value, list | tuple) else key
            for code in sorted({v for v in many if isinstance(v, str) and v}):
                if role.rsplit("_", 1)[-1] == "form" and (name := self.inline(self.form(code))) != code:
                    text = re.sub(rf"(?<![\w/-]){re.escape(code)}(?![\w/-])", name.replace("\\", r"\\"), text)
        if "-" in (period := str(finding.values.get("period", ""))):
            text = text.replace(period, self.period(period))
        text = _COUNTRY_CODE.sub(lambda code: self.country_inline(code[0]), text)
        return text[:1].upper() + text[1:]

    def gap(self, finding: Finding) -> str:
        """Return what a finding is about in a few words, to stand in a list."""
        return _findings().get(finding.code, {}).get(f"short_{self.code}", finding.code.replace("-", " "))

    def _measured(self, role: str, value: float) -> object:
        """Format a finding's number by its role; a year is not grouped."""
        if role == "share" or (role in {"country", "countries"} and isinstance(value, float)):
            return self.percent(value)
        if role == "t":
            return self.tonnes(value)
        return str(value) if role in {"year", "network", "scenario"} else value

    def _named(self, key: str, value: object) -> object:
        """Give a finding's value its name or format by the role that its key tells."""
        if isinstance(value, list | tuple):
            return ", ".join(self._plain(self._named(_singular(key), v)) for v in value)
        role = key.rsplit("_", 1)[-1]
        if isinstance(value, float | int):
            return self._measured(role, value)
        if not isinstance(value, str) or not value:
            return value
        if role in _PLACES:
            return ", ".join(self.country(code) for code in value.split(", "))
        if role == "period" or _ISO_DATE.fullmatch(value):
            return self.date(value) if len(value) == 10 else self.period(value)
        return self.form(value) if role == "form" else value


_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
_ENGLISH_MONEY = (
    (1e12, "USD {} trillion"),
    (1e9, "USD {} billion"),
    (1e6, "USD {} million"),
    (1.0, "USD {}"),
)
_KOREAN_MONEY = ((1e12, "{}조 달러"), (1e8, "{}억 달러"), (1e4, "{}만 달러"), (1.0, "{}달러"))


def _singular(key: str) -> str:
    """Return the role of one of many: ``countries`` holds a ``country`` each."""
    return f"{key[:-3]}y" if key.endswith("ies") else key.removesuffix("s")


def clean(text: str) -> str:
    """Drop control and direction-changing characters that could garble a page or a sheet."""
    return _CONTROL.sub("", text)


def as_date(value: dt.date | str | None) -> dt.date | None:
    """Return a date from a date, ``YYYY-MM`` or ``YYYY-MM-DD``; None when it is none of them."""
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    if value is None or not _ISO_DATE.fullmatch(value):
        return None
    try:
        return dt.date.fromisoformat(value if len(value) == 10 else f"{value}-01")
    except ValueError:
        return None


def _sign(value: float, signed: bool) -> str:
    if value < 0:
        return MINUS
    return "+" if signed and value > 0 else ""


def _flatten(table: Mapping[str, Any], prefix: str = "") -> dict[str, dict[str, str]]:
    flat: dict[str, dict[str, str]] = {}
    for key, value in table.items():
        name = f"{prefix}{key}"
        if set(value) == set(LANGUAGES):
            flat[name] = value
        else:
            flat.update(_flatten(value, f"{name}."))
    return flat


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((resources.files("evernormal.report") / "tables" / name).read_text("utf-8"))


@cache
def _messages() -> dict[str, dict[str, str]]:
    return _flatten(_toml("messages.toml"))


@cache
def _findings() -> dict[str, dict[str, str]]:
    return dict(_toml("findings.toml"))


@cache
def _country_names(code: str) -> dict[str, str]:
    from evernormal.data import countries  # noqa: PLC0415 - reads a table when needed

    table = countries()
    return dict(zip(table["iso3"].to_list(), table[f"name_{code}"].to_list(), strict=True))


@cache
def _element_names(code: str) -> dict[str, str]:
    from evernormal.network.forms import materials  # noqa: PLC0415 - reads a table when needed

    table = materials()
    return dict(zip(table["symbol"].to_list(), table[f"name_{code}"].to_list(), strict=True))


@cache
def _form_names(code: str) -> dict[str, str]:
    from evernormal.network.forms import forms  # noqa: PLC0415 - reads a table when needed

    table = forms()
    return dict(zip(table["form"].to_list(), table[f"name_{code}"].to_list(), strict=True))
