"""Results of several calls put under each other, such as one call for each form, and taken apart again.

A joined result remembers the call of each part, so that any of its numbers can be explained and replayed as
one of its own part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from evernormal.report.address import Address, selected
from evernormal.result import Lineage, Result

__all__ = ["joined", "labelled", "part_of"]

_LABELS, _PARTS = "labels", "parts"


def labelled(result: Result, table: str, **labels: str) -> Result:
    """Put what a table is about in front of its columns, where it does not say it itself.

    Args:
        result: result of one call.
        table: its table.
        labels: column to the value of every row.
    """
    new = {name: value for name, value in labels.items() if name not in result[table].columns}
    first = [pl.lit(value).alias(name) for name, value in new.items()]
    shown = result[table].select(*first, *result[table].columns)
    marked = {**result.lineage.call, _LABELS: {table: list(new)}}
    lineage = replace(result.lineage, call=marked)
    return replace(result, tables={**result.tables, table: shown}, lineage=lineage)


def joined(results: Sequence[Result], table: str) -> Result:
    """Return the first result with the rows of all in a table, each finding and input once.

    Args:
        results: results of one kind, at least one.
        table: the table whose rows are put under each other; other tables are those of the first.
    """
    if len(results) == 1:
        return results[0]
    rows = pl.concat([one[table] for one in results], how="vertical_relaxed")
    findings = {finding.message: finding for one in results for finding in one.findings}
    parts = [part for one in results for part in _parts(one, table)]
    first = results[0].lineage
    lineage = Lineage(
        first.version,
        tuple(dict.fromkeys(i for one in results for i in one.lineage.inputs)),
        tuple(dict.fromkeys(p for one in results for p in one.lineage.parameters)),
        tuple(dict.fromkeys(d for one in results for d in one.lineage.derivations)),
        first.seed,
        {**{k: v for k, v in first.call.items() if k not in (_LABELS, _PARTS)}, _PARTS: parts},
    )
    tables = {**results[0].tables, table: rows}
    return replace(results[0], tables=tables, findings=tuple(findings.values()), lineage=lineage)


def _parts(one: Result, table: str) -> list[dict[str, Any]]:
    """Return what is needed to take a result out of a joined one again."""
    if _PARTS in one.lineage.call:
        return list(one.lineage.call[_PARTS])
    call = {name: value for name, value in one.lineage.call.items() if name != _LABELS}
    labels = one.lineage.call.get(_LABELS, {}).get(table, [])
    inputs = [entry.name for entry in one.lineage.inputs]
    return [{"table": table, "rows": one[table].height, "labels": labels, "call": call, "inputs": inputs}]


def part_of(result: Result, asked: Address) -> tuple[Result, Address]:
    """Return the part of a joined result that holds an address, and the address inside it.

    A result of one call is returned as it is.
    """
    call = result.lineage.call
    labels: Mapping[str, Sequence[str]] = call.get(_LABELS, {})
    if _PARTS not in call:
        if not labels:
            return result, asked
        part = _parts(result, next(iter(labels)))[0]
        return _taken(result, part, 0), _inside(asked, part["labels"])
    parts: list[dict[str, Any]] = list(call[_PARTS])
    first = 0
    if asked.table == parts[0]["table"]:
        place = _place(result, asked)
        for part in parts:
            if place < first + part["rows"]:
                return _taken(result, part, first), _inside(asked, part["labels"])
            first += part["rows"]
    return _taken(result, parts[0], 0), asked


def _place(result: Result, asked: Address) -> int:
    """Return the number of the first row of an address."""
    numbered = result[asked.table].with_row_index("_place")
    rows = selected(replace(result, tables={asked.table: numbered}), asked)
    return int(rows["_place"][0]) if rows.height else 0


def _inside(asked: Address, labels: Sequence[str]) -> Address:
    return replace(asked, keys={k: v for k, v in asked.keys.items() if k not in labels})


def _taken(result: Result, part: Mapping[str, Any], first: int) -> Result:
    rows = result[part["table"]].slice(first, part["rows"]).drop(part["labels"])
    inputs = tuple(entry for entry in result.lineage.inputs if entry.name in part["inputs"])
    lineage = replace(result.lineage, call=dict(part["call"]), inputs=inputs)
    return replace(result, tables={**result.tables, part["table"]: rows}, lineage=lineage)
