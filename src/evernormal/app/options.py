"""Arguments and options that several commands share, each written once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from evernormal.app.completion import (
    complete_country,
    complete_facts,
    complete_form,
    complete_scenario,
    complete_trade,
)
from evernormal.app.reading import (
    read_countries,
    read_day,
    read_focal,
    read_form,
    read_forms,
    read_region,
    read_regions,
    read_year,
    read_years,
)

__all__ = [
    "AsOf",
    "Basis",
    "Chart",
    "ChartLanguage",
    "Countries",
    "Explain",
    "ExplainLanguage",
    "Facts",
    "Focal",
    "Form",
    "Forms",
    "Importer",
    "Json",
    "Language",
    "LanguageOption",
    "Neighbours",
    "Out",
    "Region",
    "Regions",
    "Scenario",
    "Scope",
    "Trade",
    "Year",
    "Years",
]


class Language(StrEnum):
    """Languages that people read."""

    en = "en"
    ko = "ko"


class Basis(StrEnum):
    """What a share is a share of."""

    value = "value"
    quantity = "quantity"


class Scope(StrEnum):
    """How much of a chain a network holds."""

    form = "form"
    chain = "chain"


Json = Annotated[
    bool,
    typer.Option("--json", help="Print exactly one JSON document on standard output."),
]

Scenario = Annotated[
    str,
    typer.Argument(
        help="Name of a shipped scenario, or path of a scenario file (YAML).",
        autocompletion=complete_scenario,
    ),
]

Form = Annotated[
    str,
    typer.Argument(
        help="Form: material/stage-or-product, such as lithium/hydroxide, its name in English or Korean, or a"
        " material that has one form.",
        autocompletion=complete_form,
        callback=read_form,
    ),
]

Forms = Annotated[
    list[str] | None,
    typer.Option(
        "--form",
        help="Only this form; may be given more than once.",
        autocompletion=complete_form,
        show_default=False,
        callback=read_forms,
    ),
]

Focal = Annotated[
    str | None,
    typer.Option(
        "--country",
        "--focal",
        metavar="ISO3",
        help="Country in whose place to stand: ISO 3166 code or name.",
        autocompletion=complete_country,
        callback=read_focal,
    ),
]

Region = Annotated[
    str | None,
    typer.Option(
        "--country",
        "--focal",
        metavar="ISO3",
        help="The country by name, in place of the argument.",
        autocompletion=complete_country,
        show_default=False,
        callback=read_region,
    ),
]

Importer = Annotated[
    str | None,
    typer.Argument(
        metavar="COUNTRY",
        help="Country: ISO 3166 code or name, or EU; or give --country.",
        autocompletion=complete_country,
        show_default=False,
        callback=read_region,
    ),
]

Regions = Annotated[
    list[str] | None,
    typer.Option(
        "--country",
        "--focal",
        metavar="ISO3",
        help="Importing country: ISO 3166 code or name, or EU; may be given more than once. KOR when left"
        " out.",
        autocompletion=complete_country,
        show_default=False,
        callback=read_regions,
    ),
]

Countries = Annotated[
    list[str] | None,
    typer.Option(
        "--country",
        "--focal",
        metavar="ISO3",
        help="Only this country: ISO 3166 code or name; may be given more than once.",
        autocompletion=complete_country,
        show_default=False,
        callback=read_countries,
    ),
]

Neighbours = Annotated[
    list[str] | None,
    typer.Option(
        "--neighbour",
        metavar="ISO3",
        help="Country that counts as neighbouring for the early-warning duty; may be given more than once."
        " The default of the country when left out.",
        autocompletion=complete_country,
        show_default=False,
        callback=read_countries,
    ),
]

Year = Annotated[
    int | None,
    typer.Option(
        "--year",
        help="Calendar year; the last one known when left out.",
        show_default=False,
        callback=read_year,
    ),
]

Years = Annotated[
    list[int] | None,
    typer.Option(
        "--year",
        "--years",
        metavar="YEAR",
        help="Calendar year; may be given more than once. The last one known, or all, when left out.",
        show_default=False,
        callback=read_years,
    ),
]

LanguageOption = Annotated[Language, typer.Option("--lang", help="Language of texts: English or Korean.")]

ExplainLanguage = Annotated[
    Language, typer.Option("--lang", help="Language of --explain: English or Korean.")
]

Chart = Annotated[
    Path | None,
    typer.Option(
        "--chart",
        metavar="FILE",
        help="Also draw the result into this file: its ending, .svg, .png or .pdf, says how.",
        show_default=False,
    ),
]

ChartLanguage = Annotated[
    Language, typer.Option("--lang", help="Language of the chart and of --explain: English or Korean.")
]

Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Folder to write to; made when absent."),
]

Explain = Annotated[
    str | None,
    typer.Option(
        "--explain",
        metavar="NUMBER",
        help="In place of the table: open this number down to its source rows. A column such as score, or"
        " table.column[key=value,...].",
        show_default=False,
    ),
]

Facts = Annotated[
    str | None,
    typer.Option(
        "--facts",
        metavar="NAME",
        help="Facts that you added: a row about the same thing replaces the shipped one, any other is added.",
        autocompletion=complete_facts,
    ),
]

Trade = Annotated[
    str | None,
    typer.Option(
        "--trade",
        "--dataset",
        metavar="NAME",
        help="Trade that you added, in place of the shipped trade, with the codes of its revision.",
        autocompletion=complete_trade,
    ),
]

AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="YYYY-MM-DD",
        help="Use only data that was knowable on this day.",
        callback=read_day,
    ),
]
