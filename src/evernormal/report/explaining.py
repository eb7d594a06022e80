"""From any number of a result back to its equation, its assumptions and its source rows."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from evernormal.equations import EQUATIONS, Equation
from evernormal.errors import DataError, InputError, NotCoveredError, SnapshotError
from evernormal.report.address import Address, parse, require_one_row, selected
from evernormal.report.explain_finders import found_again, has_finder, require_equal, touching
from evernormal.report.explain_rows import Context, Evidence
from evernormal.report.joining import part_of
from evernormal.report.making import pinned_inputs
from evernormal.result import Derivation, Finding, Input, Parameter, Result

if TYPE_CHECKING:
    from rich.tree import Tree

__all__ = ["Explanation", "explain"]

DEPTH, SHOWN_ROWS, SHOWN_TABLE_ROWS = 12, 12, 5


def _adds_up(column: str) -> bool:
    """Whether rows of a column may be added up: flows and money may, stocks and prices may not."""
    return column.endswith(("_t", "_usd")) and not column.endswith("_usd_t") and "stock" not in column


@dataclass(frozen=True)
class Explanation:
    """What a number is, how it was made, and what it was made from.

    Attributes:
        address: where the number stands, such as ``supply.shortage_t``.
        value: the number, its date or text, or None when unknown or when several rows cannot be added up.
        unit: unit of the value.
        text: how it was made, in one sentence; empty for an observation.
        equation: the numbered equation, where one applies.
        rows: number of table rows behind the value.
        low: least of several rows.
        high: greatest of several rows.
        inputs: explanations of what it was made from.
        parameters: assumptions that entered here, with interval, grade and source.
        source_rows: the observations themselves, the largest first.
        more_rows: observations left out.
        note: ``deeper``, ``repeated``, ``no_derivation``, ``no_parameter`` or empty.
        lineage: the inputs of the whole result by hash; only at the top.
        worked: the equation with its numbers put in.
        checked: how the value was worked out again and found equal: ``rows`` (from its source rows),
            ``again`` (the whole call was made again) or empty.
        evidence: rows of the inputs behind the value, fetched from the inputs that the result was pinned to.
        unfetched: why source rows could not be fetched, such as an input that is gone; empty where they were.
        findings: findings that touch the value; only at the top.
        states: what became of each input of ``lineage``: ``same``, ``changed``, ``gone`` or ``unchecked``.
    """

    address: str
    value: float | str | None = None
    unit: str = ""
    text: str = ""
    equation: Equation | None = None
    rows: int = 1
    low: float | None = None
    high: float | None = None
    inputs: tuple[Explanation, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    source_rows: tuple[Mapping[str, Any], ...] = ()
    more_rows: int = 0
    note: str = ""
    lineage: tuple[Input, ...] = field(default=())
    worked: str = ""
    checked: str = ""
    evidence: tuple[Evidence, ...] = ()
    unfetched: str = ""
    findings: tuple[Finding, ...] = ()
    states: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the explanation as what JSON can say; what is empty is left out."""
        found: dict[str, Any] = {"address": self.address, "value": _finite(self.value), "unit": self.unit}
        if self.equation:
            e = self.equation
            found["equation"] = {
                "key": e.key,
                "name": e.name,
                "text": e.text,
                "source": e.source,
                "where": e.where,
            }
        if self.rows != 1:
            found |= {"rows": self.rows, "low": self.low, "high": self.high}
        optional: dict[str, Any] = {
            "text": self.text,
            "worked": self.worked,
            "checked": self.checked,
            "evidence": [_shown_rows(one) for one in self.evidence],
            "unfetched": self.unfetched,
            "findings": [vars(one) | {"values": dict(one.values)} for one in self.findings],
            "note": self.note,
            "parameters": [vars(p) for p in self.parameters],
            "source_rows": [{k: _jsonable(v) for k, v in row.items()} for row in self.source_rows],
            "more_rows": self.more_rows,
            "inputs": [i.as_dict() for i in self.inputs],
            "lineage": [
                vars(i) | ({"state": state} if state else {})
                for i, state in zip_longest(self.lineage, self.states, fillvalue="")
            ],
        }
        return found | {key: value for key, value in optional.items() if value}

    def tree(self, lang: str = "en") -> Tree:
        """Return the explanation as a Rich tree."""
        from evernormal.report.explain_tree import tree_of  # noqa: PLC0415 - only where a terminal is

        return tree_of(self, lang)


def explain(
    result: Result, address: str, *, depth: int = DEPTH, folder: str | Path | None = None
) -> Explanation:
    """Walk from a number of a result to its equation, its assumptions and its source rows.

    Args:
        result: any result whose lineage carries derivations.
        address: name of a summary value (``shortage_t``), or ``table.column[key=value,...]``, such as
            ``imports.imports_t[month=2024-03,supplier=CHN]``; dates as ``YYYY-MM`` or ``YYYY-MM-DD``.
        depth: how many steps to walk at most.
        folder: folder of the user's store, where the result read a data set of the user's.

    Of an indicator the source rows are fetched again from the inputs that the result was pinned to, and the
    value is worked out from them; a table that says anything else is an error.

    Errors: :class:`UnknownNameError` with the nearest name for whatever does not exist;
    :class:`InputError` for a text that is no address, or that stands for several rows of an indicator;
    :class:`DataError` when the source rows do not give the value of the table.

    Example:
        >>> from evernormal.result import Lineage
        >>> table = pl.DataFrame({"supplier": ["CHL", "CHN"], "imports_t": [2.0, 6.0]})
        >>> made = Derivation("imports", "imports_t", "E1", (), "Arrivals.")
        >>> lineage = Lineage("0", derivations=(made,))
        >>> result = Result("simulation", {"imports": table}, {"imports": {"imports_t": "t"}}, lineage)
        >>> found = explain(result, "imports.imports_t[supplier=CHN]")
        >>> found.value, found.unit, found.equation.key
        (6.0, 't', 'E1')
        >>> explain(result, "imports.imports_t").value
        8.0
    """
    asked = parse(result, address)
    if not has_finder(result.kind):
        found = _Walk(result).step(asked, depth)
        return replace(found, lineage=result.lineage.inputs)
    if asked.table != "summary":
        require_one_row(result, asked)
    result, asked = part_of(result, asked)
    context = Context(result, folder)
    found = _Walk(result, context).step(asked, depth)
    try:
        findings = touching(context, asked.table, asked.keys)
    except (DataError, InputError):  # an input is gone: what the result says of itself is left
        findings = result.findings
    states = tuple(one.state for one in pinned_inputs(result, folder))
    return replace(found, lineage=result.lineage.inputs, findings=findings, states=states)


class _Walk:
    """One walk through a result; what was explained once is only named the second time."""

    def __init__(self, result: Result, context: Context | None = None) -> None:
        self.result = result
        self.context = context
        self.top = True
        self.seen: set[str] = set()
        self.shown: set[str] = set()
        self.made: dict[tuple[str, str], Derivation] = {
            (d.table, d.column): d for d in result.lineage.derivations
        }

    def step(self, address: Address, depth: int) -> Explanation:
        """Explain one address and, while depth lasts, what it was made from."""
        facts = self._facts(address)
        derivation = self.made.get((address.table, address.column))
        equation = EQUATIONS.get(derivation.equation if derivation else self._summary_equation(address))
        facts |= {"equation": equation, "text": derivation.text if derivation else ""}
        if str(address) in self.seen:
            return Explanation(str(address), **facts, note="repeated")
        self.seen.add(str(address))
        facts |= self._worked(address, facts)
        if derivation is None and facts.get("checked"):
            return Explanation(str(address), **facts)
        if derivation is None:
            return Explanation(str(address), **facts, **self._observed(address))
        if depth <= 1 and derivation.inputs:
            return Explanation(str(address), **facts, note="deeper")
        rows, more = self._source_rows(address) if "source" in self._columns(address.table) else ((), 0)
        inputs, parameters = self._inputs(address, derivation, depth)
        return Explanation(
            str(address), **facts, inputs=inputs, parameters=parameters, source_rows=rows, more_rows=more
        )

    def _worked(self, address: Address, facts: dict[str, Any]) -> dict[str, Any]:
        """Fetch the source rows behind a cell of an indicator, and require that they give its value."""
        top, self.top = self.top, False
        if self.context is None or facts.get("rows", 1) != 1 or address.table == "summary":
            return {}
        try:
            working = found_again(self.context, address.table, address.column, address.keys, top=top)
        except (SnapshotError, NotCoveredError) as error:
            return {"unfetched": error.message}
        if working is None:
            return {}
        require_equal(str(address), facts.get("value"), working)
        evidence = tuple(one for one in working.evidence if self._first(one))
        checked = "again" if working.again else "rows"
        return {"worked": working.worked, "checked": checked, "evidence": evidence}

    def _first(self, one: Evidence) -> bool:
        """Whether rows of an input were not shown yet."""
        place = f"{one.input}: {one.rows['source_ref'].to_list() if 'source_ref' in one.rows.columns else ''}"
        if one.rows.is_empty() or place in self.shown:
            return False
        self.shown.add(place)
        return True

    def _summary_equation(self, address: Address) -> str:
        rows = selected(self.result, address)
        if address.table == "summary" and "equation" in rows.columns and rows.height:
            return str(rows["equation"][0] or "")
        return ""

    def _facts(self, address: Address) -> dict[str, Any]:
        """Return value, unit and number of rows; several rows are added up where that has a meaning."""
        rows = selected(self.result, address)
        if address.table == "summary":
            row = rows.row(0, named=True)
            value = row["value"] if row.get("value") is not None else row.get("text")
            return {"value": value, "unit": row.get("unit") or ""}
        unit = self.result.units.get(address.table, {}).get(address.column, "")
        if "unit" in rows.columns and rows.height == 1:
            unit = str(rows["unit"][0] or unit)
        if address.column not in rows.columns or rows.is_empty():
            return {"unit": unit, "rows": rows.height}
        column = rows[address.column]
        if rows.height == 1:
            return {"value": _plain(column[0]), "unit": unit}
        if not column.dtype.is_numeric():
            return {"unit": unit, "rows": rows.height}
        known = column.drop_nulls()
        low, high = _finite(known.min()), _finite(known.max())
        add = _adds_up(address.column) and not known.is_empty() and known.len() == column.len()
        return {
            "value": float(known.sum()) if add else None,
            "unit": unit,
            "rows": rows.height,
            "low": low,
            "high": high,
        }

    def _observed(self, address: Address) -> dict[str, Any]:
        """Return the source rows of an observation, or say that nothing more is recorded."""
        if "source" not in self._columns(address.table):
            return {"note": "no_derivation"}
        rows, more = self._source_rows(address)
        return {"source_rows": rows, "more_rows": more}

    def _columns(self, table: str) -> list[str]:
        return self.result.tables.get(table, pl.DataFrame()).columns

    def _source_rows(self, address: Address) -> tuple[tuple[dict[str, Any], ...], int]:
        """Return the observations of an address once, the largest first, and how many are left out."""
        place = str(Address(address.table, "", address.keys))
        if place in self.shown:
            return (), 0
        self.shown.add(place)
        rows = selected(self.result, address)
        if address.column in rows.columns and rows[address.column].dtype.is_numeric():
            rows = rows.sort(address.column, descending=True, nulls_last=True, maintain_order=True)
        return tuple(rows.head(SHOWN_ROWS).iter_rows(named=True)), max(rows.height - SHOWN_ROWS, 0)

    def _inputs(
        self, address: Address, derivation: Derivation, depth: int
    ) -> tuple[tuple[Explanation, ...], tuple[Parameter, ...]]:
        inputs: list[Explanation] = []
        parameters: list[Parameter] = []
        for name in derivation.inputs:
            kind, colon, rest = name.partition(":")
            if colon and kind == "parameter":
                found = self._parameters(rest)
                parameters += found
                if not found:
                    inputs.append(Explanation(name, note="no_parameter"))
            elif name == "parameters":
                parameters += self.result.lineage.parameters
            elif "." in name:
                table, _, column = name.partition(".")
                if table == "rows" and self.context is not None:
                    continue  # the rows themselves are fetched
                inputs.append(self.step(Address(table, column, self._kept(table, address)), depth - 1))
            else:
                inputs.append(self._whole_table(name, address))
        return tuple(inputs), tuple(parameters)

    def _parameters(self, name: str) -> list[Parameter]:
        """Return the parameters of a name, whatever form or end use it is scoped to."""
        return [
            p
            for p in self.result.lineage.parameters
            if p.name == name or (p.name.startswith(name) and p.name[len(name)] in "[(:/. @")
        ]

    def _kept(self, table: str, address: Address) -> dict[str, Any]:
        """Return the keys of an address that the next table has as well."""
        columns = self._columns(table)
        return {key: value for key, value in address.keys.items() if key in columns}

    def _whole_table(self, name: str, address: Address) -> Explanation:
        """Name a table that entered as a whole, with its first rows."""
        table = _concerned(selected(self.result, Address(name, "", self._kept(name, address))), address)
        if name in self.seen:
            return Explanation(name, rows=table.height, note="repeated")
        self.seen.add(name)
        rows = tuple(table.head(SHOWN_TABLE_ROWS).iter_rows(named=True))
        more = max(table.height - SHOWN_TABLE_ROWS, 0)
        return Explanation(name, rows=table.height, source_rows=rows, more_rows=more)


def _concerned(table: pl.DataFrame, address: Address) -> pl.DataFrame:
    """Keep the adjustments that concern the supplier of an address, the largest first."""
    if not {"region", "partner", "change_t"} <= set(table.columns):
        return table
    supplier = address.keys.get("supplier")
    if supplier is not None:
        table = table.filter((pl.col("region") == supplier) | (pl.col("partner") == supplier))
    return table.sort(pl.col("change_t").abs(), descending=True, nulls_last=True, maintain_order=True)


def _shown_rows(one: Evidence) -> dict[str, Any]:
    """Return rows of an input as what JSON can say."""
    rows = [{k: _jsonable(v) for k, v in row.items()} for row in one.rows.iter_rows(named=True)]
    return {"input": one.input, "rows": rows}


def _plain(value: Any) -> float | str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dt.date):
        return value.isoformat()
    return float(value)


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _jsonable(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else _finite(value)
