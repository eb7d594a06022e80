"""What is known and what is shipped, as Markdown: sources, facts, forms, scenarios, the scenario file."""

from __future__ import annotations

from typing import Any, Literal

import polars as pl
from cells import frame, table

from evernormal import data
from evernormal.network.forms import forms as form_table
from evernormal.network.forms import materials
from evernormal.network.scenario import load_scenario, scenario_names, scenario_schema

__all__ = ["facts", "forms", "scenario_schema_page", "scenarios", "shares_compared", "sources"]

SHOWN_FOR_KOREA = ("import_share", "price")
SHOWN_IN_FULL = ("import_share", "stock_days", "stockpile_target", "dependence_target", "policy", "price")


def sources() -> str:
    """Publishers, licences, what each file holds, and the corrections made to them."""
    result = data.sources()
    parts = ["## In the snapshot\n"]
    for row in result["sources"].iter_rows(named=True):
        parts.append(f"### {row['title']}\n")
        cells = ((name, value) for name, value in row.items() if name not in ("key", "title") and value)
        parts.append(table(("", ""), cells))
    parts.append("## The carrier\n")
    parts.append(table(("", ""), result["carrier"].row(0, named=True).items()))
    parts.append("## What you can add yourself\n")
    parts.append(frame(result["adapters"], source="source", table="table", reads="what it reads"))
    parts.append("## Corrections\n\nWhat a publisher's file says and what we read, with the reason.\n")
    corrections = result["corrections"].select(pl.all().cast(pl.String))
    parts.append(table(corrections.columns, corrections.iter_rows()))
    return "\n".join(parts)


def facts() -> str:
    """How many facts stand on each topic, and the short topics in full."""
    known = data.facts()
    counted = (
        known.group_by("topic", "grade")
        .len("rows")
        .pivot(on="grade", index="topic", values="rows", sort_columns=True)
        .sort("topic")
    )
    parts = ["## How many\n", table(counted.columns, counted.iter_rows())]
    for topic in SHOWN_IN_FULL:
        rows = known.filter(pl.col("topic") == topic)
        heading = topic.replace("_", " ").capitalize()
        if topic in SHOWN_FOR_KOREA:
            rows = rows.filter(pl.col("region") == "KOR")
            heading += " of South Korea"
        rows = rows.sort("form", "region", "period", "source", nulls_last=True)
        if rows.is_empty():
            continue
        parts.append(f"## {heading}\n")
        parts.append(
            frame(
                rows,
                form="form",
                region="region",
                partner="partner",
                period="period",
                value="value",
                unit="unit",
                definition="definition",
                source="source",
                grade="grade",
            )
        )
    return "\n".join(parts)


def shares_compared() -> str:
    """Published shares of Korea's suppliers beside those of the shipped trade, whatever the definition."""
    codes = {row["form"]: row["codes"] for row in form_table().iter_rows(named=True) if row["codes"]}
    published = data.facts(topic="import_share", region="KOR").filter(
        pl.col("form").is_in(list(codes)),
        pl.col("period").str.contains(r"^\d{4}$"),
        ~pl.col("source").str.contains("BACI"),
        pl.col("unit") == "1",
    )
    rows = []
    for fact in published.sort("form", "partner", "period", "source").iter_rows(named=True):
        found = [_our_share(codes[fact["form"]], by, fact["partner"], int(fact["period"])) for by in BASES]
        rows.append(
            (fact["form"], fact["partner"], fact["period"], _percent(fact["value"]), *map(_percent, found),
             fact["definition"], fact["source"])
        )  # fmt: skip
    heads = (
        "form",
        "supplier",
        "year",
        "published",
        "ours by value",
        "ours by quantity",
        "definition",
        "source",
    )
    return table(heads, rows)


BASES: tuple[Literal["value", "quantity"], ...] = ("value", "quantity")


def _our_share(codes: list[str], by: Literal["value", "quantity"], supplier: str, year: int) -> float | None:
    shares = data.supplier_shares("KOR", codes, by, [year])["shares"]
    found = shares.filter(pl.col("supplier") == supplier)["share"]
    return None if found.is_empty() else found[0]


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"


def forms() -> str:
    """Every form under its material."""
    table_of_forms = form_table()
    counted = table_of_forms.group_by("coverage").len("forms").sort("coverage")
    parts = ["## How many\n", table(("coverage", "forms"), counted.iter_rows())]
    for material in materials().iter_rows(named=True):
        own = table_of_forms.filter(pl.col("material") == material["material"])
        marks = [
            text
            for column, text in (
                ("korea_critical", "One of Korea's 33 critical minerals"),
                ("korea_strategic", "one of the ten strategic ones"),
                ("rare_earth", "a rare earth"),
            )
            if str(material[column]).lower() == "true"
        ]
        parts.append(f"## {material['name_en']} ({material['symbol']}), {material['name_ko']}\n")
        if marks:
            text = ", ".join(marks)
            parts.append(text[0].upper() + text[1:] + ".\n")
        if own.is_empty():
            parts.append("No form of its own: data exist only for the group that it is traded in.\n")
            continue
        parts.append(
            frame(
                own,
                form="form",
                stage="stage",
                name_en="English",
                name_ko="Korean",
                contained="contained",
                coverage="coverage",
                codes="codes",
                note="note",
            )
        )
    return "\n".join(parts)


def scenarios() -> str:
    """Every shipped scenario with its measures and sources."""
    parts = []
    for name in scenario_names():
        scenario = load_scenario(name)
        parts.append(f"## {name}\n\n**{scenario.title.en}** · {scenario.title.ko}\n")
        parts.append(f"{scenario.description.en}\n")
        parts.append(
            f"Form `{scenario.form}`, focal country {scenario.focal}, base year {scenario.base_year}, "
            f"{scenario.months} months from {scenario.start}.\n"
        )
        for heading, acts in (("Measures", scenario.measures), ("Policies", scenario.policies)):
            if acts:
                lines = [f"- {scenario.describe(act)} *Source: {act.source}*" for act in acts]
                parts.append(f"{heading}:\n\n" + "\n".join(lines) + "\n")
        lines = [f"- {source.title}: {_link(source.reference)}" for source in scenario.sources]
        parts.append("Sources:\n\n" + "\n".join(lines) + "\n")
    return "\n".join(parts)


def _link(reference: str) -> str:
    return f"<{reference}>" if reference.startswith(("http://", "https://")) else reference


def scenario_schema_page() -> str:
    """Every key of a scenario file, drawn from the JSON Schema."""
    schema = scenario_schema()
    definitions: dict[str, Any] = schema["$defs"]
    parts = ["## The scenario\n", _keys(schema)]
    for name in ("Words", "Source", "Uncertainty"):
        parts += [f"## {name}\n", _keys(_block(definitions[name]))]
    kinds = {name: block for name, block in definitions.items() if "kind" in block.get("properties", {})}
    shared = set.intersection(*(set(block["properties"]) for block in kinds.values())) - {"kind", "by"}
    first = next(iter(kinds.values()))
    parts.append("## Every measure and policy\n")
    parts.append(_keys({**first, "properties": {key: first["properties"][key] for key in sorted(shared)}}))
    for name, block in kinds.items():
        own = {key: value for key, value in block["properties"].items() if key not in shared}
        parts.append(f"## kind: {own.pop('kind')['const']}\n\n{_prose(block.get('description', name))}\n")
        parts.append(_keys({**block, "properties": own}))
    return "\n".join(parts)


def _block(schema: dict[str, Any]) -> dict[str, Any]:
    return next((option for option in schema.get("anyOf", ()) if "properties" in option), schema)


def _keys(schema: dict[str, Any]) -> str:
    required = set(schema.get("required", ()))
    rows = (
        (f"`{key}`", "yes" if key in required else "", _kind(value), _prose(value.get("description", "")))
        for key, value in schema["properties"].items()
    )
    return table(("key", "required", "holds", "meaning"), rows)


def _kind(schema: dict[str, Any]) -> str:
    """What a key may hold, in a few words."""
    choices = [_kind(option) for option in schema.get("anyOf", schema.get("oneOf", ()))]
    kind = str(schema.get("type", "any"))
    if "$ref" in schema:
        told = str(schema["$ref"]).rsplit("/", 1)[-1]
    elif "enum" in schema or "const" in schema:
        told = " or ".join(str(value) for value in schema.get("enum", [schema.get("const")]))
    elif choices:
        named = list(dict.fromkeys(choice for choice in choices if choice != "null"))
        told = "any kind of measure below" if "Ban" in named else " or ".join(named)
    elif kind == "array":
        told = f"list of {_kind(schema.get('items', {}))}"
    elif kind == "object":
        told = "{" + ", ".join(schema.get("properties", {})) + "}"
    else:
        told = _number_or_text(schema, kind)
    return told


def _number_or_text(schema: dict[str, Any], kind: str) -> str:
    bounds = [
        f"{word} {_size(schema[key])}" for key, word in BOUNDS if isinstance(schema.get(key), int | float)
    ]
    unit = f" ({schema['unit']})" if "unit" in schema else ""
    return " ".join(["date" if schema.get("format") == "date" else kind, *bounds]) + unit


def _size(number: float) -> str:
    return "2^63 - 1" if number == 2**63 - 1 else f"{number:g}"


BOUNDS = (
    ("minimum", "from"),
    ("exclusiveMinimum", "above"),
    ("maximum", "to"),
    ("exclusiveMaximum", "below"),
)


def _prose(text: str) -> str:
    return " ".join(text.replace("``", "`").split())
