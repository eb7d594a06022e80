"""From one revision of customs codes to the next: which codes share goods, and how far we know it.

A step leads from each code of one revision to the codes of another that its goods can be declared under.
The shipped steps are between neighbouring revisions of the Harmonized System and know a list of codes
(``tables/hs_concordance_codes.csv``) with their changes (``tables/hs_concordance.csv``): a listed code
without a change is the same code on both sides.  A table that the user added is a step of its own, in both
directions.
"""

from __future__ import annotations

import csv
import functools
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from evernormal.data.schema import TABLES
from evernormal.data.stored import stored
from evernormal.errors import InputError, NotCoveredError, UnknownNameError
from evernormal.result import Input, sha256_of

__all__ = ["IN_FORCE", "SHIPPED", "Step", "check_revision", "revision_on", "route"]

SHIPPED = "shipped"
"""Name of the shipped steps where data sets are named."""

IN_FORCE = {
    revision: date(int(revision[2:]), 1, 1)
    for revision in ("HS1992", "HS1996", "HS2002", "HS2007", "HS2012", "HS2017", "HS2022")
}
"""Day on which each revision of the Harmonized System entered into force."""

_FILES = ("hs_concordance.csv", "hs_concordance_codes.csv")


@dataclass(frozen=True)
class Step:
    """One step between two revisions.

    Attributes:
        from_revision: revision that is left.
        to_revision: revision that is entered.
        targets: for each known code, the codes that it leads to, sorted; None stands for codes that the
            table does not name and comes last.
        named: for a code, the one that the publisher's conversion table gives, where there is such a table.
        rows: the published rows behind it.
        source: what the rows come from.
        known_on: day on which the step was knowable.
        doubtful: codes of grade B: not every table between the revisions was read for them.
    """

    from_revision: str
    to_revision: str
    targets: Mapping[str, tuple[str | None, ...]]
    named: Mapping[str, str]
    rows: pl.DataFrame
    source: Input
    known_on: date
    doubtful: frozenset[str] = frozenset()


def check_revision(revision: str, where: str) -> str:
    """Return a revision as it is written here: ``HS2017``, ``HSK2022``.

    Raises:
        UnknownNameError: it is neither a revision of the Harmonized System nor of the Korean codes.

    >>> check_revision("hs2017", "from_revision")
    'HS2017'
    """
    name = revision.strip().upper()
    national = name.startswith("HSK") and name[3:].isdigit() and len(name) == 7
    if name not in IN_FORCE and not national:
        raise UnknownNameError("revision", revision, IN_FORCE, where=where)
    return name


def revision_on(day: date) -> str:
    """Return the revision of the Harmonized System in force on a day.

    >>> revision_on(date(2016, 12, 31)), revision_on(date(2017, 1, 1))
    ('HS2012', 'HS2017')
    """
    past = [revision for revision, first in IN_FORCE.items() if first <= day]
    if not past:
        raise NotCoveredError(f"no revision known here was in force on {day}; the first began on 1992-01-01")
    return past[-1]


def route(
    from_revision: str,
    to_revision: str,
    dataset: str | Sequence[str] | None = None,
    folder: str | Path | None = None,
    as_of: date | None = None,
) -> tuple[Step, ...]:
    """Return the fewest steps from one revision to another; none when they are the same.

    Args:
        from_revision: revision that is left.
        to_revision: revision that is entered.
        dataset: None for the shipped steps; or names of data sets of kind concordance, ``"shipped"`` among
            them where the shipped steps may fill in.  Of two ways of one length the earlier names win.
        folder: folder of the store; needed with a data set.
        as_of: use only what was knowable on this day (law 11).

    Raises:
        NotCoveredError: no way leads there.
    """
    if from_revision == to_revision:
        return ()
    edges = _edges(dataset, folder, as_of)
    reached: dict[str, tuple[tuple[str, str], ...]] = {from_revision: ()}
    frontier = [from_revision]
    while frontier and to_revision not in reached:
        following: list[str] = []
        for here in frontier:
            for one, other in edges:
                if one == here and other not in reached:
                    reached[other] = (*reached[here], (one, other))
                    following.append(other)
        frontier = following
    if to_revision not in reached:
        when = f" that was knowable on {as_of}" if as_of else ""
        raise NotCoveredError(
            f"no concordance{when} leads from {from_revision} to {to_revision}",
            cure="Add the publisher's table, `evernormal data add hs-correlation FILE`, and name it.",
        )
    return tuple(edges[pair] for pair in reached[to_revision])


def _edges(
    dataset: str | Sequence[str] | None, folder: str | Path | None, as_of: date | None
) -> dict[tuple[str, str], Step]:
    names = [SHIPPED] if dataset is None else [dataset] if isinstance(dataset, str) else list(dataset)
    if not names:
        raise InputError("no concordance is named", where="dataset")
    edges: dict[tuple[str, str], Step] = {}
    for name in names:
        steps = _shipped() if name == SHIPPED else _added(name, folder, as_of)
        for step in steps:
            if as_of is None or step.known_on <= as_of:
                edges.setdefault((step.from_revision, step.to_revision), step)
    return edges


# --- steps from the user's tables --------------------------------------------


def _added(name: str, folder: str | Path | None, as_of: date | None) -> list[Step]:
    rows, pinned = stored("concordance", name, folder, as_of)
    steps = []
    for (one, other), part in sorted(
        rows.group_by("from_revision", "to_revision", maintain_order=True), key=lambda item: str(item[0])
    ):
        pairs = list(part.select("from_code", "to_code").iter_rows())
        named = {row["from_code"]: row["to_code"] for row in part.filter(pl.col("named") == "yes").to_dicts()}
        known_on = part["as_of"].max()
        assert isinstance(known_on, date)
        back = [(right, left) for left, right in pairs if right is not None]
        steps.append(Step(str(one), str(other), _targets(pairs), named, part, pinned, known_on))
        steps.append(Step(str(other), str(one), _targets(back), {}, part, pinned, known_on))
    return steps


def _targets(pairs: Iterable[tuple[str, str | None]]) -> dict[str, tuple[str | None, ...]]:
    found: dict[str, set[str | None]] = {}
    for left, right in pairs:
        found.setdefault(left, set()).add(right)
    return {left: _ordered(found[left]) for left in sorted(found)}


def _ordered(codes: Iterable[str | None]) -> tuple[str | None, ...]:
    return tuple(sorted(codes, key=lambda code: (code is None, code or "")))


# --- shipped steps ------------------------------------------------------------


@functools.cache
def _shipped() -> tuple[Step, ...]:
    changes, lives = (_read(name) for name in _FILES)
    pinned = Input(
        "hs_concordance",
        sha256_of(TABLES / _FILES[0]),
        "UN Statistics Division, correlation tables between editions of the Harmonized System",
        "facts typed with their citation",
        "2022-01-01",
    )
    doubtful = frozenset(life["code"] for life in lives if life["grade"] != "A")
    order = list(IN_FORCE)
    steps = []
    for older, newer in itertools.pairwise(order):
        rows = [r for r in changes if (r["from_revision"], r["to_revision"]) == (older, newer)]
        forward, back = _both_ways(rows, lives, order.index(older), order)
        table = _as_table(rows, older, newer)
        for one, other, targets in ((older, newer, forward), (newer, older, back)):
            steps.append(Step(one, other, targets, {}, table, pinned, IN_FORCE[newer], doubtful))
    return tuple(steps)


def _both_ways(
    rows: Sequence[Mapping[str, str]], lives: Sequence[Mapping[str, str]], position: int, order: list[str]
) -> tuple[dict[str, tuple[str | None, ...]], dict[str, tuple[str | None, ...]]]:
    """Return where each listed code leads, from the older revision to the newer and back."""
    changed = [(row["from_code"], row["to_code"] or None) for row in rows]
    left = _targets(changed)
    right = _targets((new, old) for old, new in changed if new is not None)
    forward: dict[str, tuple[str | None, ...]] = {}
    back: dict[str, tuple[str | None, ...]] = {}
    for life in lives:
        code, first, last = life["code"], order.index(life["first"]), order.index(life["last"])
        before, after = first <= position <= last, first <= position + 1 <= last
        if before:
            forward[code] = left.get(code) or (code,)
        if after:
            same = {code} if before and code not in left else set()
            back[code] = _ordered({*right.get(code, ()), *same})
    return forward, back


def _as_table(rows: Sequence[Mapping[str, str]], older: str, newer: str) -> pl.DataFrame:
    names = ("from_revision", "from_code", "to_revision", "to_code", "note", "source", "as_of", "grade")
    table = pl.DataFrame(
        [{name: row[name] or None for name in names} for row in rows],
        schema=dict.fromkeys(names, pl.String()),
    )
    return table.with_columns(pl.col("as_of").str.to_date())


def _read(name: str) -> list[dict[str, str]]:
    with (TABLES / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
