"""``evernormal explain``: from a number back to its sources."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evernormal.app import output
from evernormal.app.options import Json, Language, LanguageOption

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("explain", epilog="Example: evernormal explain out/lithium-hydroxide-100 shortage_t")(explain)


def explain(
    result: Annotated[
        Path, typer.Argument(metavar="RESULT", help="Folder that `evernormal brief --out` wrote.")
    ],
    number: Annotated[
        str,
        typer.Argument(
            metavar="NUMBER",
            help="A summary value such as shortage_t, or table.column[key=value,...] such as"
            " imports.imports_t[month=2024-03,supplier=CHN].",
        ),
    ],
    depth: Annotated[int, typer.Option(min=0, help="How many steps to walk at most.")] = 6,
    lang: LanguageOption = Language.en,
    as_json: Json = False,
) -> None:
    """Walk from a number of a result back to its equation, its assumptions and its source rows."""
    from evernormal.report import explain as explaining
    from evernormal.result import Result

    folder = result.parent if result.name == "result.json" else result
    found = explaining.explain(Result.load(folder), number, depth=depth)
    if as_json:
        output.print_json(found.as_dict())
    else:
        output.console().print(found.tree(lang.value))
