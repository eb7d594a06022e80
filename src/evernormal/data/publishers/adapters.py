"""The files that a user can bring: one adapter each, named in ``tables/adapters.toml``.

An adapter is a module of this folder with ``reading(path, asked) -> Reading``: it reads one file of one
publisher in that publisher's own form, refuses what is not that form with every fault named, and returns the
rows with what the publisher says about them.  It never touches the store.
"""

from __future__ import annotations

import functools
import importlib
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

import polars as pl

from evernormal.data.publishers.archive import Limits
from evernormal.data.schema import TABLES
from evernormal.errors import InputError, UnknownNameError
from evernormal.result import Finding

__all__ = [
    "KINDS",
    "Adapter",
    "Asked",
    "Kind",
    "Portions",
    "Reading",
    "adapter",
    "adapters",
    "name_from",
    "require_day",
]

Kind = Literal[
    "trade",
    "facts",
    "customs",
    "statistics",
    "prices",
    "policies",
    "firm",
    "concordance",
    "input_output",
]
"""Kind of table that a file becomes; its columns are in ``tables/schema.csv``."""

KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Asked:
    """What the caller says about a file, apart from the file itself.

    Attributes:
        revision: revision of customs codes; None when the file says it.
        as_of: day on which the file was knowable; None when the file says it.
        codes: keep these codes only; None for all.
        limits: what an archive may hold.
        progress: called with the name of each step.
    """

    revision: str | None = None
    as_of: date | None = None
    codes: tuple[str, ...] | None = None
    limits: Limits = field(default_factory=Limits)
    progress: Callable[[str], None] = lambda step: None


class Portions(Protocol):
    """Rows of a file that may be larger than memory, handed over a portion at a time, in any order.

    Nothing is kept unless every portion came: a fault of the file is raised where it is met.
    """

    def __iter__(self) -> Iterator[pl.DataFrame]:
        """Yield portions with the stored columns of the kind; raise SourceFormatError at a fault."""

    def findings(self) -> tuple[Finding, ...]:
        """Return what a reader of the rows must know; asked after the last portion."""

    def twice(self, rows: pl.DataFrame) -> Exception:
        """Return the error that names where the file has these rows, which have the same key."""


@dataclass(frozen=True)
class Reading:
    """What an adapter found in a file.

    Attributes:
        table: rows with the columns of the kind, as ``tables/schema.csv`` stores them; with ``portions`` an
            empty table.
        dataset: name of the data set when the user gives none.
        title: publisher, table and edition, as a row's source says it.
        as_of: day on which the file was knowable (law 11).
        revision: revision of its customs codes; empty where it has none.
        licence: licence of these rows; empty for that of the adapter.
        grade: grade of the file as a whole; empty where each row has its own.
        findings: what a reader of the rows must know.
        portions: for a trade table of any size: its rows a portion at a time, in place of ``table``.
    """

    table: pl.DataFrame
    dataset: str
    title: str
    as_of: date
    revision: str = ""
    licence: str = ""
    grade: str = ""
    findings: tuple[Finding, ...] = ()
    portions: Portions | None = None


@dataclass(frozen=True)
class Adapter:
    """One publisher's file that can be added: what it becomes, who made it, under which terms."""

    key: str
    kind: Kind
    module: str
    reads: str
    publisher: str
    title: str
    licence: str
    licence_url: str
    citation: str
    url: str
    grade: str

    @property
    def reading(self) -> Callable[[Path, Asked], Reading]:
        """The adapter's function; its module is loaded when this is first asked for."""
        module = importlib.import_module(f"evernormal.data.publishers.{self.module}")
        found: Callable[[Path, Asked], Reading] = module.reading
        return found


@functools.cache
def adapters() -> dict[str, Adapter]:
    """Return every adapter by its key, in the order of the table.

    >>> adapters()["baci"].kind
    'trade'
    """
    rows: dict[str, dict[str, Any]] = tomllib.loads((TABLES / "adapters.toml").read_text("utf-8"))
    return {key: Adapter(key=key, **row) for key, row in rows.items()}


def adapter(key: str) -> Adapter:
    """Return one adapter.

    Raises:
        UnknownNameError: there is none of this name; names the nearest.
    """
    if key not in adapters():
        error = UnknownNameError("source", key, adapters(), where="data add")
        if not error.suggestions:
            error.cure = f"Known: {', '.join(adapters())}; see `evernormal data sources`."
            error.args = (error.message,)
        raise error
    return adapters()[key]


def name_from(prefix: str, path: Path) -> str:
    """Return a name of a data set made from a file's name.

    >>> name_from("facts", Path("My figures (2024).csv"))
    'facts-my-figures-2024'
    """
    return f"{prefix}-" + re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-")


def require_day(asked: Asked, found: date | None, path: Path) -> date:
    """Return the day on which a file was knowable: what the caller says, else what the file says.

    Raises:
        InputError: neither says it.
    """
    known_on = asked.as_of or found
    if known_on is None:
        raise InputError(
            "the file does not tell when it was published",
            where=path.name,
            cure="Give as_of, the day on which it was knowable, like 2024-01-31.",
        )
    return known_on
