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

__all__ = [
    "AsOf",
    "Basis",
    "Chart",
    "ChartLanguage",
    "Explain",
    "Facts",
    "Focal",
    "Form",
    "Json",
    "Language",
    "LanguageOption",
    "Out",
    "Scenario",
    "Scope",
    "Trade",
    "TradeOrDataset",
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
        help="Form: material/stage-or-product, such as lithium/hydroxide.",
        autocompletion=complete_form,
    ),
]

Focal = Annotated[
    str | None,
    typer.Option(
        "--focal",
        metavar="ISO3",
        help="Country in whose place to stand: ISO 3166 alpha-3 code.",
        autocompletion=complete_country,
    ),
]

LanguageOption = Annotated[Language, typer.Option("--lang", help="Language of texts: English or Korean.")]

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
        metavar="NAME",
        help="Trade that you added, in place of the shipped trade, with the codes of its revision.",
        autocompletion=complete_trade,
    ),
]

TradeOrDataset = Annotated[
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
    typer.Option("--as-of", metavar="YYYY-MM-DD", help="Use only data that was knowable on this day."),
]
