"""Minerals: codes that are one mineral at different stages or in different grades.

An ore and its metal are often cut in the same year.  A score is out of sample only when the coefficients saw
neither, so that folds are made of minerals and not of codes.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files

__all__ = ["family_of", "without_family"]

HEADING = 4
"""Digits of a heading: what the table does not name is of one mineral with its heading."""


@lru_cache(maxsize=1)
def _prefixes() -> dict[str, str]:
    text = files("evernormal.market").joinpath("tables/backtest_families.csv").read_text("utf-8")
    return {row["heading"]: row["family"] for row in csv.DictReader(text.splitlines())}


def family_of(code: str) -> str:
    """Return the mineral of a code, by its longest prefix in ``tables/backtest_families.csv``.

    A code that no prefix names belongs with the other codes of its heading, in any edition of the HS.

    >>> family_of("260400") == family_of("750210"), family_of("284690") == family_of("850511")
    (True, True)
    >>> family_of("251110")
    '2511'
    """
    known = _prefixes()
    for length in range(len(code), 1, -1):
        if code[:length] in known:
            return known[code[:length]]
    return code[:HEADING]


def without_family(codes: Iterable[str], code: str) -> list[str]:
    """Return the codes that are of another mineral."""
    own = family_of(code)
    return [other for other in codes if family_of(other) != own]
