"""An explanation as a tree for a terminal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from rich.text import Text
from rich.tree import Tree

from evernormal.report.explain import Explanation
from evernormal.report.language import Language, clean, language
from evernormal.result import Parameter

__all__ = ["tree_of"]

SHOWN_PARAMETERS = 8
_TAIL = ("source", "source_ref", "as_of", "grade")


def tree_of(found: Explanation, lang: str = "en") -> Tree:
    """Return an explanation as a tree; text from the result carries no markup."""
    words = language(lang)
    root = _branch(found, words, set())
    if found.lineage:
        inputs = root.add(Text(words.text("explain.inputs"), style="bold"))
        for entry in found.lineage:
            parts = (entry.name, entry.source, entry.licence, entry.as_of, entry.sha256[:12])
            inputs.add(Text(clean(" · ".join(part for part in parts if part))))
    return root


def _branch(found: Explanation, words: Language, told: set[str]) -> Tree:
    """Return one step; an equation that was told above is only named."""
    tree = Tree(_title(found, words))
    if found.note == "repeated":
        tree.add(Text(words.text("explain.repeated"), style="dim"))
        return tree
    if found.text:
        tree.add(Text(clean(found.text)))
    if found.equation and found.equation.key in told:
        tree.add(Text(words.text("explain.equation_above", key=found.equation.key), style="cyan"))
    elif found.equation:
        told.add(found.equation.key)
        line = words.text("explain.equation", key=found.equation.key, text="{text}")
        text = Text(line.replace("{text}", found.equation.text), style="cyan")
        tree.add(text).add(Text(f"{words.text('explain.source')}: {found.equation.source}", style="dim"))
    for parameter in found.parameters[:SHOWN_PARAMETERS]:
        tree.add(_parameter(parameter, words))
    left = len(found.parameters) - SHOWN_PARAMETERS
    if left > 0:
        tree.add(Text(words.text("explain.more", count=left), style="dim"))
    for child in found.inputs:
        tree.children.append(_branch(child, words, told))
    if found.source_rows:
        _source_rows(tree, found, words)
    if found.note:
        tree.add(Text(words.text(f"explain.{found.note}"), style="dim"))
    return tree


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
    tail = [str(row[key]) for key in ("source", "source_ref") if row.get(key)]
    if row.get("as_of"):
        tail.append(words.text("explain.as_of", date=str(row["as_of"])))
    if row.get("grade"):
        tail.append(words.text("explain.grade", grade=row["grade"]))
    return ", ".join(facts) + (f" — {'; '.join(tail)}" if tail else "")


def _shown(value: Any, key: str, words: Language) -> str:
    if isinstance(value, float):
        return words.number(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value) if key != "year" else f"{value}"
