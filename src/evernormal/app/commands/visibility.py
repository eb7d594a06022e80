"""``evernormal visibility``: how visible an element is in trade, and what a new code would show."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from evernormal.app import output, settings
from evernormal.app.completion import complete_country
from evernormal.app.drawing import check_chart, draw_chart, tell_chart
from evernormal.app.keeping import kept
from evernormal.app.options import (
    AsOf,
    Chart,
    ChartLanguage,
    Explain,
    Json,
    Language,
    Out,
    Trade,
    Years,
)
from evernormal.app.progress import progress
from evernormal.app.reading import read_focal, read_topics

__all__ = ["register"]


class Table(StrEnum):
    """Tables that the command can show."""

    elements = "elements"
    members = "members"
    codes = "codes"


class Side(StrEnum):
    """What orders the new codes."""

    value = "value"
    quantity = "quantity"


class Flow(StrEnum):
    """Side of the border."""

    imports = "import"
    exports = "export"


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("visibility", epilog="Example: evernormal visibility 284690 --country JPN --year 2023")(
        visibility
    )


def visibility(
    of: Annotated[
        list[str],
        typer.Argument(
            metavar="MATERIAL|CODE",
            help="A material such as neodymium, a form, or a six-digit code.",
            callback=read_topics,
        ),
    ],
    country: Annotated[
        str,
        typer.Option(
            "--country",
            "--focal",
            metavar="ISO3",
            help="Country: ISO 3166 code or name.",
            autocompletion=complete_country,
            callback=read_focal,
        ),
    ] = "KOR",
    year: Years = None,
    new_code: Annotated[
        list[str] | None,
        typer.Option(
            help="An element, material or form that gets a national code of its own, or all; may be given"
            " more than once.",
            show_default=False,
        ),
    ] = None,
    table: Annotated[
        Table, typer.Option(help="Elements; members of each code; or new codes by what each would show.")
    ] = Table.elements,
    by: Annotated[Side, typer.Option(help="What orders the new codes.")] = Side.value,
    flow: Annotated[Flow, typer.Option(help="Imports or exports.")] = Flow.imports,
    trade: Trade = None,
    customs: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="A customs data set that you added, with national codes."),
    ] = None,
    as_of: AsOf = None,
    chart: Chart = None,
    lang: ChartLanguage = Language.en,
    out: Out = None,
    explain: Explain = None,
    as_json: Json = False,
) -> None:
    """Show how much of the trade of a basket code each element may be, and how narrow that is.

    Visibility is 1 less the width of the interval over the trade of the codes that may hold the element: 0 is
    invisible inside the basket, 1 is known exactly.  With --json: a list of the rows of the table; findings
    go to standard error.
    """
    from evernormal.network import visibility as seen

    check_chart(chart)
    with progress("Splitting baskets", quiet=as_json):
        result = seen(
            of,
            country,
            year or None,
            new_codes=new_code or (),
            rank=table is Table.codes,
            by=by.value,
            flow=flow.value,
            customs=customs,
            dataset=trade,
            folder=settings.store_folder() if trade or customs else None,
            as_of=as_of,
        )
    if kept(result, out, explain, lang, as_json=as_json):
        return
    name = "new_codes" if table is Table.codes else table.value
    drawn = draw_chart(result, chart, lang, quiet=as_json, by=by.value)
    if as_json:
        output.print_json(result[name])
    else:
        shown = [column for column in result[name].columns if result[name][column].null_count() == 0]
        output.print_table(result[name].select(shown), units=result.units[name])
    tell_chart(drawn, error=as_json)
    output.print_findings(result.findings, error=as_json)
