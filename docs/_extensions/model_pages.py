"""What the model rests on, as Markdown: equations, errors, parameters, oracles, tables of a simulation."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from cells import frame, table

import evernormal
from evernormal.app.validations import run_validations
from evernormal.equations import EQUATIONS
from evernormal.errors import EvernormalError
from evernormal.market.parameters import market_parameters
from evernormal.result import Result

__all__ = ["equations", "errors", "oracles", "parameters", "result_tables"]


def equations() -> str:
    """Every numbered equation, with the place that computes it."""
    parts = []
    for key, equation in EQUATIONS.items():
        parts.append(
            f"({key.lower()})=\n\n## {key}. {equation.name}\n\n"
            f"```{{math}}\n{equation.latex}\n```\n\n"
            f"In words: {equation.text}.\n\n"
            f"Source: {equation.source}. Computed by `{equation.where}`.\n"
        )
    return "\n".join(parts)


def errors() -> str:
    """Every error class, its exit code and its meaning."""

    def family(kind: type[EvernormalError], depth: int = 0) -> Iterator[tuple[str, object, str]]:
        meaning = (kind.__doc__ or "").split("\n")[0]
        yield ("— " * depth + kind.__name__, kind.exit_code, meaning.replace("``", "`"))
        for child in kind.__subclasses__():
            if child.__module__ == EvernormalError.__module__:
                yield from family(child, depth + 1)

    return table(("class", "exit code", "meaning"), family(EvernormalError))


def parameters() -> str:
    """Every behavioural parameter with interval, grade and source, by kind."""
    kinds = {
        "monthly_use": "Use, month by month",
        "supply": "Supply and processing",
        "trade": "Trade",
        "stock": "Stocks",
        "regime": "Regime",
        "price": "Prices",
        "annual_import": "Annual imports (never used month by month)",
    }
    known = {kind: market_parameters([kind]) for kind in kinds if _has(kind)}
    told = sum(len(rows) for rows in known.values())
    if told != len(market_parameters()):
        raise ValueError("a kind of parameter has no heading in the documentation")
    parts = []
    for kind, rows in known.items():
        cells = ((f"`{p.name}`", p.value, p.low, p.high, p.unit, p.grade, p.source) for p in rows)
        parts.append(f"## {kinds[kind]}\n")
        parts.append(table(("name", "value", "low", "high", "unit", "grade", "source"), cells))
    return "\n".join(parts)


def _has(kind: str) -> bool:
    try:
        return bool(market_parameters([kind]))
    except EvernormalError:
        return False


def oracles() -> str:
    """What ``evernormal verify`` prints."""
    found = run_validations()["oracles"]
    return frame(
        found,
        name="what",
        published="published",
        ours="ours",
        difference="difference",
        tolerance="tolerance",
        unit="unit",
        passed="passed",
        source="source",
    )


@lru_cache(maxsize=1)
def _example() -> Result:
    scenario = evernormal.load_scenario("lithium-hydroxide-100")
    network = evernormal.load_network(scenario.form, focal=scenario.focal, year=scenario.base_year)
    return evernormal.simulate(network, scenario, draws=2)


def result_tables() -> str:
    """Every table of a simulation: columns, units, and how each was made."""
    result = _example()
    made = {(step.table, step.column): step for step in result.lineage.derivations}
    parts = []
    for name, content in result.tables.items():
        rows = []
        for column, kind in content.schema.items():
            step = made.get((name, column))
            equation = f"{{ref}}`{step.equation} <{step.equation.lower()}>`" if step and step.equation else ""
            unit = result.units.get(name, {}).get(column, "")
            rows.append((f"`{column}`", str(kind), unit, equation, step.text if step else ""))
        parts.append(f"## {name}\n\n" + _raw(("column", "type", "unit", "equation", "how it is made"), rows))
        if "name" in content.columns and "value" in content.columns and name != "parameters":
            parts.append("Its rows:\n\n" + _named_rows(result, name))
    return "\n".join(parts)


def _named_rows(result: Result, name: str) -> str:
    """Rows of a table of names and values: name, unit, equation, how it is made."""
    made = {step.column: step for step in result.lineage.derivations if step.table == name}
    rows = []
    for row in result[name].iter_rows(named=True):
        key = row.get("equation") or ""
        equation = f"{{ref}}`{key} <{key.lower()}>`" if key else ""
        text = made[row["name"]].text if row["name"] in made else ""
        rows.append((f"`{row['name']}`", row["unit"], equation, text))
    return _raw(("name", "unit", "equation", "how it is made"), rows)


def _raw(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table whose cells are Markdown already."""
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"
