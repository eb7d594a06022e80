"""An explanation as a tree for a terminal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from rich.text import Text
from rich.tree import Tree

from evernormal.report.derivation_texts import derivation_text
from evernormal.report.explain_rows import Evidence
from evernormal.report.explaining import Explanation
from evernormal.report.language import Language, clean, language
from evernormal.report.replaying import Replay, RowThen
from evernormal.result import Input, Parameter

__all__ = ["replay_tree", "row_text", "tree_of"]

SHOWN_PARAMETERS, SHOWN_ROWS, SHOWN_CHANGES = 8, 12, 40
_PLACES = frozenset({"country", "exporter", "importer", "partner", "region", "reporter"})
_TAIL = ("source", "source_ref", "as_of", "grade")


def tree_of(found: Explanation, lang: str = "en") -> Tree:
    """Return an explanation as a tree; text from the result carries no markup."""
    words = language(lang)
    root = _branch(found, words, set())
    if found.findings:
        told = root.add(Text(words.text("explain.findings"), style="bold"))
        for finding in found.findings:
            told.add(Text(words.finding(finding), style="yellow" if finding.level != "info" else ""))
    if found.lineage:
        inputs = root.add(Text(words.text("explain.inputs"), style="bold"))
        states = found.states or ("",) * len(found.lineage)
        for entry, state in zip(found.lineage, states, strict=True):
            parts = [entry.name, entry.source, entry.licence, entry.as_of, entry.sha256[:12]]
            parts.append(words.text(f"explain.input_{state}") if state else "")
            inputs.add(Text(clean(" · ".join(part for part in parts if part))))
    return root


def _branch(found: Explanation, words: Language, told: set[str]) -> Tree:
    """Return one step; an equation that was told above is only named."""
    tree = Tree(_title(found, words))
    if found.note == "repeated":
        tree.add(Text(words.text("explain.repeated"), style="dim"))
        return tree
    if found.text:
        tree.add(Text(clean(derivation_text(words, found.text))))
    if found.equation and found.equation.key in told:
        tree.add(Text(words.text("explain.equation_above", key=found.equation.key), style="cyan"))
    elif found.equation:
        told.add(found.equation.key)
        line = words.text("explain.equation", key=found.equation.key, text="{text}")
        text = Text(line.replace("{text}", found.equation.text), style="cyan")
        tree.add(text).add(Text(f"{words.text('explain.source')}: {found.equation.source}", style="dim"))
    _worked(tree, found, words)
    for parameter in found.parameters[:SHOWN_PARAMETERS]:
        tree.add(_parameter(parameter, words))
    left = len(found.parameters) - SHOWN_PARAMETERS
    if left > 0:
        tree.add(Text(words.text("explain.more", count=left), style="dim"))
    for child in found.inputs:
        tree.children.append(_branch(child, words, told))
    for one in found.evidence:
        _evidence(tree, one, words)
    if found.source_rows:
        _source_rows(tree, found, words)
    if found.note:
        tree.add(Text(words.text(f"explain.{found.note}"), style="dim"))
    return tree


def _worked(tree: Tree, found: Explanation, words: Language) -> None:
    """Show the equation with its numbers, and that the source rows give the value."""
    if found.worked:
        tree.add(Text(words.text("explain.worked", text="{text}").replace("{text}", found.worked)))
    if found.checked:
        tree.add(Text(words.text(f"explain.checked_{found.checked}"), style="dim green"))
    if found.unfetched:
        tree.add(Text(words.text("explain.unfetched", reason=clean(found.unfetched)), style="bold yellow"))


def _evidence(tree: Tree, one: Evidence, words: Language) -> None:
    """Show rows of one input, the first few."""
    title = words.text("explain.evidence", name=one.input, count=one.rows.height)
    common = [name for name in ("source", "as_of") if name in one.rows and one.rows[name].n_unique() == 1]
    head = one.rows.row(0, named=True)
    branch = tree.add(Text(title, style="bold").append(_told({c: head[c] for c in common}, words), "dim"))
    for row in one.rows.drop(common).head(SHOWN_ROWS).iter_rows(named=True):
        branch.add(Text(clean(row_text(row, words))))
    if one.rows.height > SHOWN_ROWS:
        branch.add(Text(words.text("explain.more", count=one.rows.height - SHOWN_ROWS), style="dim"))


def row_text(row: Mapping[str, Any], words: Language) -> str:
    """Return a source row in one line: what it says, then who says so and since when."""
    if {"exporter", "importer", "code", "value_usd"} <= set(row):
        said = words.text(
            "explain.row_trade",
            **{name: str(row[name]) for name in ("year", "revision", "code")},
            exporter=words.country(row["exporter"]),
            importer=words.country(row["importer"]),
            value=words.money(row["value_usd"]),
            quantity=words.tonnes(row["quantity_t"]),
        )
        if "contained_t" in row:
            said += words.text("explain.row_contained", contained=words.tonnes(row["contained_t"]))
    elif {"country", "indicator", "dimension"} <= set(row):
        said = words.text(
            "explain.row_governance", year=str(row["year"]), country=words.country(row["country"]),
            value=words.number(row["value"], 4),
        )  # fmt: skip
    elif "country" in row and ("production" in row or "material" in row) and "unit" in row:
        said = words.text(
            "explain.row_production", year=str(row["year"]), country=words.country(row["country"]),
            material=str(row.get("material") or row.get("commodity") or ""), unit=row["unit"],
            amount=words.number(row.get("production", row.get("value"))), basis=row["basis"],
        ).replace(", :", ":")  # fmt: skip
    else:
        return _row(row, words)
    return said + _told(row, words)


def _told(row: Mapping[str, Any], words: Language) -> str:
    """Who says a row, where, since when and how good it is."""
    tail = [str(row[key]) for key in ("source", "source_ref") if row.get(key)]
    if row.get("as_of"):
        tail.append(words.text("explain.as_of", date=str(row["as_of"])))
    if row.get("grade"):
        tail.append(words.text("explain.grade", grade=row["grade"]))
    return f" — {'; '.join(tail)}" if tail else ""


def replay_tree(found: Replay, lang: str = "en") -> Tree:
    """Return a value then and now as a tree, with the inputs and source rows that differ."""
    words = language(lang)
    date = words.date(found.as_of)
    title = words.text("replay.title", address="{address}", date=date).replace("{address}", found.address)
    root = Tree(Text(title if found.address else words.text("replay.all", date=date), style="bold"))
    if found.address:
        then = _amount(found.then, found.unit, words) if found.there_then else words.text("replay.absent")
        root.add(Text(words.text("replay.then", value=then), style="bold green"))
        root.add(Text(words.text("replay.now", value=_amount(found.now, found.unit, words)), style="bold"))
        if found.then == found.now and found.there_then:
            root.add(Text(words.text("replay.same"), style="dim"))
    inputs = root.add(Text(words.text("replay.inputs"), style="bold"))
    for one in found.inputs:
        now, then = (_version(side, words) for side in (one.now, one.then))
        key = "replay.input_same" if one.same else "replay.input_other"
        inputs.add(Text(clean(words.text(key, name=one.name, version=then, then=then, now=now))))
    if not found.address:
        return root
    if not found.rows:
        root.add(Text(words.text("replay.no_rows"), style="dim"))
        return root
    rows = root.add(Text(words.text("replay.rows", count=len(found.rows)), style="bold"))
    for row in found.rows[:SHOWN_CHANGES]:
        rows.add(Text(clean(_changed(row, words))))
    if len(found.rows) > SHOWN_CHANGES:
        rows.add(Text(words.text("explain.more", count=len(found.rows) - SHOWN_CHANGES), style="dim"))
    return root


def _amount(value: float | str | None, unit: str, words: Language) -> str:
    if isinstance(value, str):
        return clean(value)
    shown = words.unknown if value is None else f"{value:,.6g}"
    return f"{shown} {unit}".rstrip() if value is not None and unit != "1" else shown


def _version(one: Input | None, words: Language) -> str:
    if one is None:
        return words.text("replay.none")
    return " · ".join(part for part in (one.name, one.as_of, one.sha256[:12]) if part)


def _changed(one: RowThen, words: Language) -> str:
    """One number of a source row, then and now."""
    named = [
        words.country(value) if key in _PLACES and isinstance(value, str) else str(value)
        for key, value in one.row.items()
        if value is not None and key != "own"
    ]
    now = words.number(one.now) if one.there_now else words.text("replay.row_absent")
    then = words.number(one.then) if one.there_then else words.text("replay.row_absent")
    return words.text("replay.row", row=" ".join(named), column=one.column, then=then, now=now)


def _title(found: Explanation, words: Language) -> Text:
    line = Text(clean(found.address), style="bold")
    if isinstance(found.value, str):
        shown = words.date(found.value) if found.unit in {"date", "month"} else clean(found.value)
        line.append(f" = {shown}", style="bold green")
    elif found.value is not None:
        unit = "" if found.unit == "1" else found.unit
        line.append(f" = {words.number(found.value)} {unit}".rstrip(), style="bold green")
    elif found.rows == 1 and found.note != "no_parameter":
        line.append(f" = {words.unknown}", style="bold yellow")
    if found.rows > 1:
        line.append(f"  ({_many(found, words)})", style="dim")
    return line


def _many(found: Explanation, words: Language) -> str:
    if found.value is not None:
        return words.text("explain.sum_rows", count=found.rows)
    if found.low is None:
        return words.text("explain.rows", count=found.rows)
    return words.text(
        "explain.span_rows", count=found.rows, low=words.number(found.low), high=words.number(found.high)
    )


def _parameter(parameter: Parameter, words: Language) -> Text:
    span = f"{words.number(parameter.low)}–{words.number(parameter.high)}"
    grade = words.text("explain.grade", grade=parameter.grade)
    unit = "" if parameter.unit == "1" else parameter.unit
    head = f"{words.text('explain.parameter')} {parameter.name} = {words.number(parameter.value)} {unit}"
    return Text(clean(f"{head.rstrip()} [{span}], {grade}; {parameter.source}"), style="magenta")


def _source_rows(tree: Tree, found: Explanation, words: Language) -> None:
    branch = tree.add(Text(words.text("explain.source_rows"), style="bold"))
    for row in found.source_rows:
        branch.add(Text(clean(_row(row, words))))
    if found.more_rows:
        branch.add(Text(words.text("explain.more", count=found.more_rows), style="dim"))


def _row(row: Mapping[str, Any], words: Language) -> str:
    """Return a row as ``column value`` pairs, its source at the end."""
    other = f"text_{'en' if words.korean else 'ko'}"
    facts = [
        f"{key} {_shown(value, key, words)}"
        for key, value in row.items()
        if key not in _TAIL and key != other and value is not None
    ]
    return ", ".join(facts) + _told(row, words)


def _shown(value: Any, key: str, words: Language) -> str:
    if isinstance(value, float):
        return words.number(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value) if key != "year" else f"{value}"
