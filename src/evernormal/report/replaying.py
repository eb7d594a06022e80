"""A value as it was known on an earlier day: the same call on what was knowable then, and what differs.

An older vintage of a data set of the user's takes the place of a later one; shipped tables and published
facts count from their own day on (law 11).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from evernormal.data.schema import day
from evernormal.errors import NotCoveredError, SnapshotError
from evernormal.report.address import NAMING, Address, parse, require_one_row, selected
from evernormal.report.explain_finders import found_again
from evernormal.report.explain_rows import Context, Evidence
from evernormal.report.joining import part_of
from evernormal.report.making import called
from evernormal.result import Input, Result

if TYPE_CHECKING:
    from rich.tree import Tree

__all__ = ["InputThen", "Replay", "RowThen", "replay"]


@dataclass(frozen=True)
class InputThen:
    """One table or data set: what the result read, and what was knowable then.

    Attributes:
        name: table, or data set without its vintage.
        now: what the result read; None where it did not read it.
        then: what was knowable; None where nothing was.
    """

    name: str
    now: Input | None
    then: Input | None

    @property
    def same(self) -> bool:
        """Whether both are the same bytes."""
        return self.now is not None and self.then is not None and self.now.sha256 == self.then.sha256


@dataclass(frozen=True)
class RowThen:
    """One number of a source row that differs.

    Attributes:
        input: table or data set.
        row: what tells the row from others.
        column: column that differs.
        now: its value in what the result read; None where the row is not there or says nothing.
        then: its value then.
        there_now: whether the row is in what the result read.
        there_then: whether it was there then.
    """

    input: str
    row: Mapping[str, Any]
    column: str
    now: float | None
    then: float | None
    there_now: bool
    there_then: bool


@dataclass(frozen=True)
class Replay:
    """A value now and then.

    Attributes:
        as_of: the day.
        result: the whole result as it would have been made then.
        inputs: every table that either of the two read.
        address: where the value stands; empty when no value was asked for.
        unit: its unit.
        now: its value in the result.
        then: its value then; None where it was unknown.
        there_then: whether the row was there then at all.
        rows: source rows behind the value that differ.
        changes: without an address, every cell that differs: table, keys, column, now, then.
    """

    as_of: str
    result: Result
    inputs: tuple[InputThen, ...]
    address: str = ""
    unit: str = ""
    now: float | str | None = None
    then: float | str | None = None
    there_then: bool = True
    rows: tuple[RowThen, ...] = ()
    changes: pl.DataFrame = field(default_factory=pl.DataFrame)

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON can say; the result itself is left out."""
        found: dict[str, Any] = {"as_of": self.as_of}
        if self.address:
            found |= {"address": self.address, "unit": self.unit, "now": self.now, "then": self.then}
            found |= {"there_then": self.there_then}
            found["rows"] = [vars(row) | {"row": _plain(row.row)} for row in self.rows]
        else:
            found["changes"] = self.changes.to_dicts()
        found["inputs"] = [
            {"name": one.name, "same": one.same, "now": _input(one.now), "then": _input(one.then)}
            for one in self.inputs
        ]
        return found

    def tree(self, lang: str = "en") -> Tree:
        """Return the comparison as a Rich tree."""
        from evernormal.report.explain_tree import replay_tree  # noqa: PLC0415 - only where a terminal is

        return replay_tree(self, lang)


def replay(
    result: Result,
    *,
    as_of: date | str,
    folder: str | Path | None = None,
    number: str | None = None,
) -> Replay:
    """Make a result again with only what was knowable on a day, and compare.

    Args:
        result: the result of an indicator, of exposure, a trace, a forecast or another of what is known.
        as_of: the day.
        folder: folder of the user's store, where the result read a data set of the user's.
        number: address of one value, as :func:`evernormal.report.explain` takes it; None for every
            cell that differs.

    Raises:
        NotCoveredError: nothing of what the result needs was knowable then.
        InputError: the result cannot be made again from its lineage, or ``number`` names no one value.
        UnknownNameError: ``number`` names what the result does not have.

    >>> from evernormal.risk import geopolrisk
    >>> made = geopolrisk(["KOR"], [2023], ["Lithium"])
    >>> then = replay(made, as_of="2026-09-01", number="geopolrisk.score[country=KOR]")
    >>> round(then.now, 6) == round(then.then, 6), then.inputs[0].same
    (True, True)
    """
    known_on = str(day(as_of))
    asked = None if number is None else parse(result, number)
    if asked is not None and asked.table != "summary":
        require_one_row(result, asked)
    if asked is not None:
        result, asked = part_of(result, asked)
    try:
        then = called(result, folder, as_of=known_on)
    except NotCoveredError as error:
        raise NotCoveredError(
            f"as of {known_on}: {error.what}", where=error.where, cure=error.cure
        ) from error
    inputs = _inputs(result, then)
    if asked is None:
        return Replay(known_on, then, inputs, changes=_changes(result, then))
    now_rows, then_rows = selected(result, asked), _selected(then, asked)
    column = "value" if asked.table == "summary" else asked.column
    return Replay(
        as_of=known_on,
        result=then,
        inputs=inputs,
        address=str(asked),
        unit=str(result.units.get(asked.table, {}).get(asked.column, "")),
        now=_value(now_rows, column),
        then=_value(then_rows, column),
        there_then=then_rows.height == 1,
        rows=_rows(result, then, asked, folder) if asked.table != "summary" else (),
    )


def _selected(then: Result, asked: Address) -> pl.DataFrame:
    """Return the row of an address in the result of that day; none where a table or column is not there."""
    table = then.tables.get(asked.table, pl.DataFrame())
    if asked.table != "summary" and not {asked.column, *asked.keys} <= set(table.columns):
        return pl.DataFrame()
    return selected(then, asked)


def _value(rows: pl.DataFrame, column: str) -> float | str | None:
    if rows.height != 1 or rows[column][0] is None:
        return None
    value = rows[column][0]
    if isinstance(value, str):
        return value
    return value.isoformat() if isinstance(value, date) else float(value)


# --- what differs ------------------------------------------------------------------------------------


def _inputs(now: Result, then: Result) -> tuple[InputThen, ...]:
    """Pair the inputs of two results by table or data set."""
    sides = [{one.name.partition("/")[0]: one for one in side.lineage.inputs} for side in (now, then)]
    names = dict.fromkeys((*sides[0], *sides[1]))
    return tuple(InputThen(name, sides[0].get(name), sides[1].get(name)) for name in names)


def _rows(now: Result, then: Result, asked: Address, folder: str | Path | None) -> tuple[RowThen, ...]:
    """Compare the source rows behind a value."""
    sides: list[dict[_Key, Mapping[str, Any]]] = []
    for result in (now, then):
        if _selected(result, asked).height != 1:
            sides.append({})
            continue
        try:
            working = found_again(Context(result, folder), asked.table, asked.column, asked.keys, top=False)
        except SnapshotError:  # an input is gone: no rows to compare
            working = None
        deeper = _behind(result, asked, folder)
        sides.append(_by_key((*(working.evidence if working else ()), *deeper)))
    found = []
    for place in dict.fromkeys((*sides[0], *sides[1])):
        found += _differences(place, sides[0].get(place), sides[1].get(place))
    return tuple(found)


def _behind(result: Result, asked: Address, folder: str | Path | None) -> tuple[Evidence, ...]:
    """Return the rows behind the columns that a value is made of, such as a score's."""
    context, seen, waiting = Context(result, folder), {(asked.table, asked.column)}, [asked]
    found: list[Evidence] = []
    made = {(d.table, d.column): d for d in result.lineage.derivations}
    while waiting:
        here = waiting.pop()
        derivation = made.get((here.table, here.column))
        for name in derivation.inputs if derivation else ():
            table, dot, column = name.partition(".")
            if not dot or (table, column) in seen or table not in result.tables or table == "rows":
                continue
            seen.add((table, column))
            keys = {k: v for k, v in here.keys.items() if k in result[table].columns}
            deeper = Address(table, column, keys)
            waiting.append(deeper)
            if selected(result, deeper).height != 1:
                continue
            try:
                working = found_again(context, table, column, keys, top=False)
            except SnapshotError:
                continue
            found += working.evidence if working else ()
    return tuple(found)


_Key = tuple[str, tuple[tuple[str, Any], ...]]
_DESCRIBING = frozenset(
    {"source", "source_ref", "as_of", "grade", "flag", "definition", "revision", "fact_id"}
)


def _by_key(evidence: Sequence[Evidence]) -> dict[_Key, Mapping[str, Any]]:
    """Return rows by what tells them apart."""
    found: dict[_Key, Mapping[str, Any]] = {}
    for one in evidence:
        name = one.input.partition("/")[0]
        keys = [c for c, t in one.rows.schema.items() if not t.is_float() and c not in _DESCRIBING]
        for row in one.rows.iter_rows(named=True):
            found.setdefault((name, tuple((k, row[k]) for k in keys)), row)
    return found


def _differences(place: _Key, now: Mapping[str, Any] | None, then: Mapping[str, Any] | None) -> list[RowThen]:
    name, keys = place
    row = now if now is not None else then
    assert row is not None
    return [
        RowThen(
            name,
            dict(keys),
            column,
            now.get(column) if now else None,
            then.get(column) if then else None,
            now is not None,
            then is not None,
        )
        for column in row
        if _is_number(column, now, then)
        and (now.get(column) if now else None) != (then.get(column) if then else None)
    ]


def _is_number(column: str, now: Mapping[str, Any] | None, then: Mapping[str, Any] | None) -> bool:
    values = [side.get(column) for side in (now, then) if side is not None]
    return any(isinstance(value, float) for value in values)


def _changes(now: Result, then: Result) -> pl.DataFrame:
    """Return every cell that differs, of the tables that both results have."""
    parts = []
    for name, table in now.tables.items():
        other = then.tables.get(name)
        if other is None or name == "rows" or table.is_empty():
            continue
        numbers = [c for c, t in table.schema.items() if t.is_float() and c in other.columns]
        keys = _telling(
            table, [c for c, t in table.schema.items() if not t.is_float() and c in other.columns]
        )
        if not keys or other.select(keys).is_duplicated().any():
            continue
        both = table.select(*keys, *numbers).join(
            other.select(*keys, *numbers), on=keys, how="full", suffix=" then", coalesce=True,
            nulls_equal=True, maintain_order="left_right",
        )  # fmt: skip
        label = pl.concat_str(
            [pl.format(f"{k}={{}}", pl.col(k)) for k in keys], separator=",", ignore_nulls=True
        )
        parts += [
            both.filter(pl.col(c).ne_missing(pl.col(f"{c} then"))).select(
                pl.lit(name).alias("table"), label.alias("keys"), pl.lit(c).alias("column"),
                pl.col(c).alias("now"), pl.col(f"{c} then").alias("then"),
            )
            for c in numbers
        ]  # fmt: skip
    schema = {
        "table": pl.String,
        "keys": pl.String,
        "column": pl.String,
        "now": pl.Float64,
        "then": pl.Float64,
    }
    return pl.concat(parts) if parts else pl.DataFrame(schema=schema)


def _telling(table: pl.DataFrame, columns: Sequence[str]) -> list[str]:
    """Return the columns that name things, as far as they tell the rows apart; none where they do not."""
    keys = [column for column in columns if column in NAMING]
    return keys if keys and not table.select(keys).is_duplicated().any() else []


def _input(one: Input | None) -> dict[str, str] | None:
    return None if one is None else dict(vars(one))


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v.isoformat() if isinstance(v, date) else v for k, v in row.items()}
