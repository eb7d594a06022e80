"""What the cells of a firm's workbook say, or why they cannot be read and what would be right."""

from __future__ import annotations

import calendar
import math
import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from evernormal.data.geography import aliases, named
from evernormal.data.publishers.firm_layout import Field, form_names
from evernormal.errors import nearest
from evernormal.units import UNITS

__all__ = ["INCOTERMS", "CellError", "month_end", "read_cell"]

INCOTERMS = ("EXW", "FCA", "FAS", "FOB", "CFR", "CIF", "CPT", "CIP", "DAP", "DPU", "DDP")
"""Delivery terms of Incoterms 2020."""

_CURRENCIES = (
    *(
        "USD",
        "KRW",
        "EUR",
        "CNY",
        "JPY",
        "GBP",
        "AUD",
        "CAD",
        "CHF",
        "CLP",
        "INR",
        "IDR",
        "RUB",
        "TWD",
        "VND",
    ),
    *("ZAR", "BRL", "MXN", "NOK", "SEK", "SGD", "HKD", "THB", "MYR", "PHP", "KZT", "MNT"),
)
_UNIT_NAMES = {
    **{"톤": "t", "킬로그램": "kg", "그램": "g", "파운드": "lb"},
    **{
        "tonne": "t",
        "tonnes": "t",
        "mt": "t",
        "metric ton": "t",
        "metric tons": "t",
        "kgs": "kg",
        "lbs": "lb",
    },
}
_WORDS = {
    "contract": {
        **{"contract": "contract", "spot": "spot"},
        **{"장기계약": "contract", "계약": "contract", "현물": "spot"},
    },
    "yes": {
        **{"yes": "yes", "y": "yes", "no": "no", "n": "no"},
        **{"예": "yes", "네": "yes", "아니오": "no", "아니요": "no"},
    },
}
_LONGEST = 500


class CellError(ValueError):
    """A cell cannot be read: what is wrong, and what would be right.

    Attributes:
        what: one clause with the offending value.
        cure: what to write instead.
    """

    def __init__(self, what: str, cure: str) -> None:
        self.what = what
        self.cure = cure
        super().__init__(f"{what}; {cure}")


def read_cell(field: Field, value: Any) -> Any:
    """Return the typed value of a cell that is not empty.

    Raises:
        CellError: with what is wrong and what would be right.

    >>> from evernormal.data.publishers.firm_layout import sheets
    >>> read_cell(sheets()[0].fields[1], "천연흑연")
    'graphite/natural'
    """
    readers = {
        "form": _form,
        "country": _country,
        "month": _month,
        "day": _day,
        "number": _number,
        "fraction": _fraction,
        "unit": _unit,
        "currency": _currency,
        "incoterm": _incoterm,
        "text": _text,
    }
    if field.kind in _WORDS:
        return _word(value, _WORDS[field.kind])
    return readers[field.kind](value)


def month_end(month: str) -> date:
    """Return the last day of a month like ``2025-03``.

    >>> month_end("2024-02")
    datetime.date(2024, 2, 29)
    """
    year, number = int(month[:4]), int(month[5:7])
    return date(year, number, calendar.monthrange(year, number)[1])


def _text(value: Any) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()[:10]
    text = " ".join(str(value).split())
    if any(not letter.isprintable() for letter in text):
        raise CellError("the text holds control characters", "type it again")
    if len(text) > _LONGEST:
        raise CellError(f"the text has {len(text)} letters", f"write at most {_LONGEST}")
    return text


def _shown(value: Any) -> str:
    text = str(value)
    return repr(text if len(text) <= 40 else f"{text[:39]}…")


def _options(close: Iterable[str]) -> str:
    found = list(close)
    return f"did you mean {' or '.join(map(repr, found))}?" if found else "choose from the list"


def _form(value: Any) -> str:
    text = _text(value).partition("|")[0].strip()
    names = form_names()
    if text in names:
        return text
    by_word = {word.casefold(): key for key, both in names.items() for word in (key, *both)}
    found = by_word.get(text.casefold())
    if found is None:
        close = [by_word[word] for word in nearest(text, by_word)]
        raise CellError(f"{_shown(value)} is no form", _options(dict.fromkeys(close)))
    return found


def _country(value: Any) -> str:
    text = _text(value).partition("|")[0].strip()
    code = aliases("iso3").get(text.upper()) or aliases("iso2").get(text.upper())
    code = code or named(text)
    if code is None:
        names = nearest(text, aliases("name")) or nearest(text, aliases("iso3"))
        raise CellError(f"{_shown(value)} is no country", _options(names))
    return code


def _month(value: Any) -> str:
    if isinstance(value, datetime | date):
        return f"{value.year}-{value.month:02}"
    text = _text(value)
    found = re.fullmatch(r"(\d{4})-(\d{2})(-\d{2})?", text)
    if found and 1 <= int(found[2]) <= 12 and 1990 <= int(found[1]) <= 2100:
        return f"{found[1]}-{found[2]}"
    guess = _guessed(text)
    raise CellError(
        f"{_shown(value)} is no month",
        f"write {guess.year}-{guess.month:02}" if guess else "write it like 2025-03",
    )


def _day(value: Any) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    text = _text(value)
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    guess = _guessed(text)
    raise CellError(
        f"{_shown(value)} is a text that is no date",
        f"write {guess}" if guess and guess.day > 12 else "write it like 2025-03-31",
    )


def _guessed(text: str) -> date | None:
    """Return the day or month that a text may mean, for the cure only; never for the data."""
    numbers = [int(number) for number in re.findall(r"\d+", text)[:3]]
    orders = ((0, 1, 2), (2, 1, 0)) if len(numbers) == 3 else ((0, 1, None), (1, 0, None))
    for year, month, day in orders:
        try:
            return date(numbers[year], numbers[month], numbers[day] if day is not None else 1)
        except (ValueError, IndexError):
            continue
    return None


def _number(value: Any) -> float:
    if isinstance(value, bool | datetime | date):
        raise CellError(f"{_shown(value)} is no number", "write a number like 1234.5")
    if isinstance(value, int | float):
        number = float(value)
    else:
        text = _text(value)
        bare = text.replace(" ", "")
        if re.fullmatch(r"-?\d{1,3}([,.' ]\d{3})+([.,]\d+)?", bare) and re.search(r"[,' ]", bare):
            cure = f"write {re.sub(r'[, ]', '', bare)}"
            raise CellError(f"{_shown(value)} is a text with thousands separators", cure)
        if not re.fullmatch(r"-?\d+(\.\d+)?", bare):
            raise CellError(f"{_shown(value)} is no number", "write a number like 1234.5 alone")
        number = float(bare)
    if not math.isfinite(number) or number < 0:
        raise CellError(f"{number:g} cannot be", "write a number of 0 or more")
    if number > 1e12:
        raise CellError(f"{number:g} is too large", "check the unit")
    return number


def _fraction(value: Any) -> float:
    number = _number(value.rstrip("% ") if isinstance(value, str) else value)
    if number > 1 or (isinstance(value, str) and "%" in value):
        cure = f"write {number / 100:g} for {number:g} %" if number <= 100 else "write a share from 0 to 1"
        raise CellError(f"{_shown(value)} is no fraction from 0 to 1", cure)
    return number


def _unit(value: Any) -> str:
    text = _text(value)
    masses = [name for name, unit in UNITS.items() if unit.kind == "mass"]
    if text in masses:
        return text
    known = _UNIT_NAMES.get(text.casefold(), text.casefold())
    if known in masses:
        return known
    if text.casefold() in ("ton", "tons"):
        raise CellError(f"{_shown(value)} can be three units", "write t for metric, short ton or long ton")
    raise CellError(f"{_shown(value)} is no unit of mass", _options(nearest(text, [*masses, *_UNIT_NAMES])))


def _currency(value: Any) -> str:
    text = _text(value).upper()
    if text not in _CURRENCIES:
        raise CellError(f"{_shown(value)} is no currency", _options(nearest(text, _CURRENCIES)))
    return text


def _incoterm(value: Any) -> str:
    text = _text(value).upper().partition(" ")[0]
    if text not in INCOTERMS:
        raise CellError(f"{_shown(value)} is no Incoterm of 2020", _options(nearest(text, INCOTERMS)))
    return text


def _word(value: Any, known: dict[str, str]) -> str:
    text = _text(value).casefold()
    if text not in known:
        raise CellError(f"{_shown(value)} is none of {', '.join(known)}", "choose from the list")
    return known[text]
