"""``evernormal explain``: from a number back to its sources, and to what was known of it earlier."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evernormal.app import output, settings
from evernormal.app.options import Json, Language, LanguageOption

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("explain", epilog="Example: evernormal explain out/lithium-hydroxide-100 shortage_t")(explain)


def explain(
    result: Annotated[
        Path,
        typer.Argument(
            metavar="RESULT",
            help="Folder that a command wrote with --out, such as brief, indicator, shares or trace.",
        ),
    ],
    number: Annotated[
        str,
        typer.Argument(
            metavar="NUMBER",
            help="A summary value such as shortage_t, or table.column[key=value,...] such as"
            " imports.imports_t[month=2024-03,supplier=CHN] or"
            " geopolrisk.score[country=KOR,material=Lithium,year=2023].",
        ),
    ],
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            metavar="YYYY-MM-DD",
            help="Replay: the value as it was known on this day, beside that of the result, with the inputs"
            " and source rows that differ.",
            show_default=False,
        ),
    ] = None,
    depth: Annotated[int, typer.Option(min=0, help="How many steps to walk at most.")] = 6,
    lang: LanguageOption = Language.en,
    as_json: Json = False,
) -> None:
    """Walk from a number of a result back to its equation, its assumptions and its source rows.

    The rows behind an indicator are fetched again from the inputs that the result names by their hash, and
    the number is worked out from them; what differs is an error.
    """
    from evernormal.report import explain as explained
    from evernormal.report import replay
    from evernormal.result import Result

    loaded = Result.load(result.parent if result.name == "result.json" else result)
    folder = settings.store_folder()
    found = (
        explained(loaded, number, depth=depth, folder=folder)
        if as_of is None
        else replay(loaded, as_of=as_of, folder=folder, number=number)
    )
    if as_json:
        output.print_json(found.as_dict())
    else:
        output.console().print(found.tree(lang.value))
