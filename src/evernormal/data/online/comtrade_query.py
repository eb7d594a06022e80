"""What UN Comtrade is asked for, and how a question is cut into questions that it answers whole.

The API has no page or offset: an answer stops at a number of rows.  The only way to the rest is a narrower
question, so a question is cut by periods, then codes, reporters, partners and flows.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from evernormal.data.geography import check_iso3, codes_of
from evernormal.errors import InputError, NotCoveredError

__all__ = ["MOST_PERIODS", "Query", "area_codes", "periods_between", "query_for"]

MOST_PERIODS = 12
"""Periods that one question may name: twelve years, or twelve months."""

_LONGEST = 3_000
"""Characters of one question; the publisher refuses addresses of more than 4,096."""

_FLOWS = {"import": "M", "export": "X", "re-import": "RM", "re-export": "RX"}
_CUT_BY = ("periods", "codes", "reporters", "partners", "flows")


@dataclass(frozen=True)
class Query:
    """One question: codes as the publisher writes them; an empty tuple means all.

    Attributes:
        frequency: ``A`` annual or ``M`` monthly.
        periods: ``2023`` or ``202305``.
        codes: codes of the goods.
        reporters: numeric codes of the countries that report.
        partners: numeric codes of their partners; ``0`` is the world.
        flows: ``M``, ``X``, ``RM``, ``RX``.
        classification: ``HS`` as reported, or one revision such as ``H6``.
    """

    frequency: Literal["A", "M"]
    periods: tuple[str, ...]
    codes: tuple[str, ...]
    reporters: tuple[str, ...] = ()
    partners: tuple[str, ...] = ()
    flows: tuple[str, ...] = ("M", "X")
    classification: str = "HS"

    @property
    def parameters(self) -> dict[str, str]:
        """The question as the publisher reads it: totals of every breakdown only."""
        named = {
            "reporterCode": self.reporters,
            "period": self.periods,
            "cmdCode": self.codes,
            "flowCode": self.flows,
            "partnerCode": self.partners,
        }
        chosen = {name: ",".join(values) for name, values in named.items() if values}
        return chosen | {"partner2Code": "0", "motCode": "0", "customsCode": "C00", "includeDesc": "true"}

    @property
    def key(self) -> str:
        """A name that is the same for the same question, and only for it."""
        text = json.dumps([self.frequency, self.classification, self.parameters], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:24]

    @property
    def length(self) -> int:
        """Characters of the question in an address."""
        return sum(len(name) + len(value) * 3 // 2 + 2 for name, value in self.parameters.items())

    def halves(self) -> tuple[Query, Query] | None:
        """Return two narrower questions that together ask the same, or None when there is nothing to cut."""
        for field in _CUT_BY:
            values: tuple[str, ...] = getattr(self, field)
            if len(values) > 1:
                middle = len(values) // 2
                return self._with(field, values[:middle]), self._with(field, values[middle:])
        return None

    def fitting(self) -> tuple[Query, ...]:
        """Return questions that name at most twelve periods each and are short enough to be asked."""
        if len(self.periods) > MOST_PERIODS:
            first = replace(self, periods=self.periods[:MOST_PERIODS])
            rest = replace(self, periods=self.periods[MOST_PERIODS:])
            return (*first.fitting(), *rest.fitting())
        if self.length <= _LONGEST:
            return (self,)
        longest = max(_CUT_BY, key=lambda field: sum(map(len, getattr(self, field))))
        values: tuple[str, ...] = getattr(self, longest)
        if len(values) < 2:
            return (self,)
        middle = len(values) // 2
        left, right = self._with(longest, values[:middle]), self._with(longest, values[middle:])
        return (*left.fitting(), *right.fitting())

    def _with(self, field: str, values: tuple[str, ...]) -> Query:
        changed: dict[str, Any] = {field: values}
        return replace(self, **changed)


def query_for(
    codes: Iterable[str],
    periods: Iterable[str],
    *,
    reporters: Iterable[str],
    partners: Iterable[str] = (),
    flows: Iterable[str] = ("import", "export"),
    classification: str = "HS",
) -> Query:
    """Return the question in the publisher's codes.

    Args:
        codes: two, four or six digits as text, or ``TOTAL``.
        periods: years like ``2024`` or months like ``2024-05``, not both.
        reporters: ISO 3166 alpha-3.
        partners: ISO 3166 alpha-3, ``WLD`` for the world; none for every partner.
        flows: ``import``, ``export``, ``re-import`` or ``re-export``.
        classification: ``HS`` as reported, or one revision such as ``H6``.

    Raises:
        InputError: a code, a period or a flow is none, or nothing was asked for.
        UnknownNameError: a country does not exist.
        NotCoveredError: the publisher has no code for a country.

    >>> asked = query_for(["282520"], ["2024-05"], reporters=["KOR"], partners=["TWN", "WLD"])
    >>> asked.parameters["period"], asked.parameters["reporterCode"], asked.parameters["partnerCode"]
    ('202405', '410', '158,490,0')
    """
    asked = tuple(dict.fromkeys(periods))
    monthly = [bool(re.fullmatch(r"(19|20)\d\d-(0[1-9]|1[0-2])", period)) for period in asked]
    annual = [bool(re.fullmatch(r"(19|20)\d\d", period)) for period in asked]
    if not asked or not (all(monthly) or all(annual)):
        raise InputError(
            f"periods must be all years or all months, got {', '.join(asked[:6]) or 'none'}",
            where="periods",
            cure="Write years like 2024, or months like 2024-05.",
        )
    wanted = tuple(dict.fromkeys(codes))
    wrong = [code for code in wanted if not re.fullmatch(r"(\d\d){1,3}|TOTAL", code)]
    if wrong or not wanted:
        raise InputError(
            f"{', '.join(map(repr, wrong)) or 'nothing'} is no code that UN Comtrade is asked for",
            where="codes",
            cure="Write two, four or six digits as text, like '282520'.",
        )
    unknown = sorted(set(flows) - set(_FLOWS))
    if unknown:
        raise InputError(f"unknown flow {unknown[0]!r}", where="flows", cure=f"Give {', '.join(_FLOWS)}.")
    return Query(
        "M" if all(monthly) else "A",
        tuple(period.replace("-", "") for period in asked),
        wanted,
        area_codes(reporters),
        area_codes(partners),
        tuple(_FLOWS[flow] for flow in dict.fromkeys(flows)),
        classification,
    )


def periods_between(first: str, last: str) -> tuple[str, ...]:
    """Return every year or month from the first to the last.

    >>> periods_between("2023-11", "2024-01")
    ('2023-11', '2023-12', '2024-01')
    """
    shape = r"(19|20)\d\d(-(0[1-9]|1[0-2]))?"
    if not (re.fullmatch(shape, first) and re.fullmatch(shape, last)) or len(first) != len(last):
        raise InputError(f"{first} to {last} is no span of years or months", cure="Write 2024 or 2024-05.")
    if len(first) == 4:
        found = [str(year) for year in range(int(first), int(last) + 1)]
    else:
        start, end = (int(p[:4]) * 12 + int(p[5:]) - 1 for p in (first, last))
        found = [f"{month // 12}-{month % 12 + 1:02d}" for month in range(start, end + 1)]
    if not found:
        raise InputError(f"{first} is later than {last}", cure="Give the earlier period first.")
    return tuple(found)


def area_codes(countries: Iterable[str]) -> tuple[str, ...]:
    """Return every code that the publisher has used for countries: each year has rows under one of them.

    Raises:
        UnknownNameError: a country does not exist.
        NotCoveredError: the publisher has no code for a country.

    >>> area_codes(["FRA"])
    ('250', '251')
    """
    found: list[str] = []
    for iso3 in check_iso3(countries):
        codes = codes_of(iso3, "comtrade")
        if not codes:
            raise NotCoveredError(f"UN Comtrade has no code for {iso3}")
        found += codes
    return tuple(dict.fromkeys(found))
