"""``evernormal data mirror``: what exporter and importer declare about the same flow, side by side."""

from __future__ import annotations

from typing import Annotated

import typer

from evernormal.app import output, settings
from evernormal.app.completion import complete_country
from evernormal.app.keeping import kept
from evernormal.app.options import AsOf, Basis, Explain, ExplainLanguage, Json, Language, Out
from evernormal.app.progress import progress
from evernormal.app.reading import read_country

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("mirror", epilog="Example: evernormal data mirror CHN KOR --code 282520")(mirror)


def mirror(
    exporter: Annotated[
        str,
        typer.Argument(
            metavar="EXPORTER",
            help="Exporting country: ISO 3166 alpha-3 code or name.",
            autocompletion=complete_country,
            callback=read_country,
        ),
    ],
    importer: Annotated[
        str,
        typer.Argument(
            metavar="IMPORTER",
            help="Importing country: ISO 3166 alpha-3 code or name.",
            autocompletion=complete_country,
            callback=read_country,
        ),
    ],
    code: Annotated[
        list[str] | None,
        typer.Option(help="Customs code of two, four or six digits; may be given more than once."),
    ] = None,
    period: Annotated[
        list[str] | None,
        typer.Option(help="Year (2024) or month (2024-05); may be given more than once."),
    ] = None,
    by: Annotated[Basis, typer.Option(help="Values in USD, or weights in tonnes.")] = Basis.value,
    dataset: Annotated[
        list[str] | None,
        typer.Option(
            "--customs",
            "--dataset",
            metavar="NAME",
            help="Data set of customs declarations that you added; the only one when left out."
            " May be given more than once: where two declare the same, the first is taken.",
        ),
    ] = None,
    as_of: AsOf = None,
    out: Out = None,
    explain: Explain = None,
    lang: ExplainLanguage = Language.en,
    as_json: Json = False,
) -> None:
    """Show what both sides declare, the value between them with its interval, and how well each reports.

    With --json: a list of the rows of flows; findings go to standard error.
    """
    from evernormal import data

    pair = exporter, importer
    with progress("Reading declarations", quiet=as_json):
        result = data.mirror_flows(
            code or None,
            pair[0],
            pair[1],
            period or None,
            by.value,
            dataset=dataset or None,
            folder=settings.store_folder(),
            as_of=as_of,
        )
    if kept(result, out, explain, lang, as_json=as_json):
        return
    if as_json:
        output.print_json(result["flows"])
        output.print_findings(result.findings, error=True)
        return
    shown = ("period", "code", "exporter_reports", "importer_reports", "cif_fob", "weight_exporter")
    units = result.units
    output.print_table(
        result["flows"].select(*shown, "reconciled", "low", "high"),
        title=f"{pair[0]} to {pair[1]}",
        units=units["flows"],
    )
    output.print_line()
    known = result["reliability"].filter(result["reliability"]["country"].is_in(list(pair)))
    output.print_table(known, title="How well they report", units=units["reliability"])
    if not result["hubs"].is_empty():
        output.print_line()
        output.print_table(
            result["hubs"].select("period", "code", "hub", "origin", "hub_reports", "through_hub"),
            title="May have passed through a hub",
            units=units["hubs"],
        )
    output.print_findings(result.findings)
