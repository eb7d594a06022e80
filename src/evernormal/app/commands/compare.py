"""``evernormal data compare``: what each source says about a material and stage, and where they disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from evernormal.app import output, settings
from evernormal.app.keeping import kept
from evernormal.app.options import AsOf, Countries, Explain, ExplainLanguage, Json, Language, Out, Years
from evernormal.app.progress import progress
from evernormal.app.reading import read_material

if TYPE_CHECKING:
    from evernormal.result import Result

__all__ = ["register"]

SHOWN_ROWS, SHOWN_PAIRS, WIDTH = 25, 15, 50


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("compare", epilog="Example: evernormal data compare gallium --stage refined --year 2023")(
        compare
    )


def compare(
    material: Annotated[
        str, typer.Argument(help="Material, such as gallium or rare-earths.", callback=read_material)
    ],
    year: Years = None,
    stage: Annotated[str, typer.Option(help="ore, refined, material or component.")] = "refined",
    country: Countries = None,
    within: Annotated[
        int,
        typer.Option(min=0, help="A source without the year shows its nearest year at most so many away."),
    ] = 3,
    tolerance: Annotated[
        float,
        typer.Option(min=0.0, help="Relative difference from which two figures are listed, as a fraction."),
    ] = 0.05,
    as_of: AsOf = None,
    out: Out = None,
    explain: Explain = None,
    lang: ExplainLanguage = Language.en,
    as_json: Json = False,
) -> None:
    """Set the sources side by side: shares and tonnes by country, and every disagreement with its reason.

    With --json: an object with the lists rows, worlds, disagreements and spread, whose columns are those of
    the Python function evernormal.data.compare_sources; shares are fractions, masses tonnes.
    """
    from evernormal import data

    with progress("Comparing sources", quiet=as_json):
        result = data.compare_sources(
            material,
            stage,
            year or None,
            country,
            folder=settings.store_folder(),
            as_of=as_of,
            within=within,
            tolerance=tolerance,
        )
    if kept(result, out, explain, lang, as_json=as_json):
        return
    if as_json:
        output.print_json(result.tables)
        output.print_findings(result.findings, error=True)
        return
    _show(result)


def _show(result: Result) -> None:
    """Print the largest figures and disagreements for people; long words are cut, --json has them whole."""
    import polars as pl

    rows = result["rows"].select("source", "series", "country", "period", "tonnes", "basis", "share", "flag")
    worlds = result["worlds"].select("source", "series", "year", "printed_t", "summed_t", "unknown")
    pairs = result["disagreements"].select(
        "country", "source_a", "share_a", "tonnes_a", "source_b", "share_b", "tonnes_b", "ratio", "reasons"
    )
    rows, worlds, pairs = (
        table.with_columns(
            pl.when(pl.col(pl.String).str.len_chars() > WIDTH)
            .then(pl.col(pl.String).str.slice(0, WIDTH - 1) + "…")
            .otherwise(pl.col(pl.String))
            .name.keep()
        )
        for table in (rows, worlds, pairs)
    )
    output.print_table(
        rows.head(SHOWN_ROWS), title="What the sources say", units=result.units["rows"], unknown="–"
    )
    output.print_table(worlds, title="Their worlds", units=result.units["worlds"], unknown="–")
    output.print_table(
        pairs.head(SHOWN_PAIRS),
        title="Where they disagree, the largest first",
        units=result.units["disagreements"],
        unknown="–",
    )
    for what, left in (("rows", rows.height - SHOWN_ROWS), ("disagreements", pairs.height - SHOWN_PAIRS)):
        if left > 0:
            output.print_line(f"{left} more {what}: add --json or --country.")
    output.print_findings(result.findings)
