"""Corrections of published data, as rows with a reason (``tables/corrections.csv``).

A correction says what was published; where the data no longer say so, reading stops, so that a correction
is never applied to something else.
"""

from __future__ import annotations

import csv
import functools
from dataclasses import dataclass

from evernormal.data.schema import TABLES

__all__ = ["Correction", "corrections"]


@dataclass(frozen=True)
class Correction:
    """One correction: in ``source``'s ``table`` (``*`` for all), ``published`` becomes ``corrected``, and
    why.

    ``key`` is the row: a country's name, a row number, or ``*``.  An empty ``corrected`` means unknown.
    """

    source: str
    table: str
    key: str
    year: str
    published: str
    corrected: str
    reason: str


@functools.cache
def corrections(source: str) -> tuple[Correction, ...]:
    """Return the corrections of one source.

    >>> [c.corrected for c in corrections("wmd") if c.key == "Taiwan"]
    ['TWN']
    """
    with (TABLES / "corrections.csv").open(encoding="utf-8", newline="") as stream:
        return tuple(Correction(**row) for row in csv.DictReader(stream) if row["source"] == source)
