"""Arguments and options that several commands share, each written once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from evernormal.app.completion import complete_country, complete_form, complete_scenario

__all__ = ["Basis", "Focal", "Form", "Json", "Language", "LanguageOption", "Out", "Scenario", "Scope"]


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

Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Folder to write to; made when absent."),
]
