"""Named policies behind export cuts, each with a source."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType

__all__ = ["PolicyEpisode", "policy_episodes"]


@dataclass(frozen=True)
class PolicyEpisode:
    """One act that cut exports of a code in a year.

    Attributes:
        code: six digits (HS1992).
        exporter: ISO 3166 alpha-3.
        year: calendar year in whose trade the act shows.
        form: ban, quota, licence, export tax, mining suspension, border closure or war.
        name: one clause.
        announced: date, as exact as the source says.
        effective: date, as exact as the source says.
        source: where it was read.
    """

    code: str
    exporter: str
    year: int
    form: str
    name: str
    announced: str
    effective: str
    source: str

    @property
    def key(self) -> tuple[str, str, int]:
        """Code, exporter and year."""
        return self.code, self.exporter, self.year


@lru_cache(maxsize=1)
def policy_episodes() -> Mapping[tuple[str, str, int], PolicyEpisode]:
    """Return the named policies by code, exporter and year.

    A row says that the act is on record; whether its year is an episode, the rules decide
    (:func:`evernormal.market.history.episodes.build_registry`).

    >>> policy_episodes()["260400", "IDN", 2014].form
    'ban'
    """
    text = files("evernormal.market").joinpath("tables/policy_episodes.csv").read_text("utf-8")
    rows = [
        PolicyEpisode(**{**row, "year": int(row["year"])})  # type: ignore[arg-type]
        for row in csv.DictReader(text.splitlines())
    ]
    return MappingProxyType({row.key: row for row in rows})
