"""``evernormal targets``: how far a country is from its targets of dependence, form by form."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evernormal.app import output, settings
from evernormal.app.keeping import kept
from evernormal.app.options import (
    AsOf,
    Explain,
    ExplainLanguage,
    Forms,
    Importer,
    Json,
    Language,
    Out,
    Region,
    Trade,
    Year,
)
from evernormal.app.progress import progress
from evernormal.app.reading import the_country

if TYPE_CHECKING:
    import polars as pl

__all__ = ["register"]

SHOWN = 12


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("targets", epilog="Example: evernormal targets KOR --form lithium/hydroxide")(targets)


def targets(
    country: Importer = None,
    named: Region = None,
    year: Year = None,
    form: Forms = None,
    file: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Targets of your own, CSV or YAML, in place of the shipped ones.",
            show_default=False,
        ),
    ] = None,
    window: Annotated[int, typer.Option(help="Years over which the pace is taken.", min=3)] = 5,
    trade: Trade = None,
    as_of: AsOf = None,
    out: Out = None,
    explain: Explain = None,
    lang: ExplainLanguage = Language.en,
    as_json: Json = False,
) -> None:
    """Show base, now, the pace that is needed and the pace there is, and where it leads.

    With --json: a list of the rows of progress, one per target and form.
    """
    from evernormal import risk

    place = the_country(country, named, "targets")
    with progress("Reading trade", quiet=as_json):
        result = risk.target_progress(
            place,
            year,
            form or None,
            targets=file,
            window=window,
            as_of=as_of,
            dataset=trade,
            folder=settings.store_folder(),
        )
    if kept(result, out, explain, lang, as_json=as_json):
        return
    if as_json:
        output.print_json(result["progress"])
    else:
        for definition in result["definitions"].iter_rows(named=True):
            output.print_line(f"{definition['target']}: {definition['definition_en']}")
        output.print_line()
        output.print_table(_counts(result["summary"]), units=result.units["summary"], unknown="–")
        output.print_line()
        output.print_table(_furthest(result["progress"]), units=_SHOWN_UNITS, unknown="–")
        left = result["progress"].height - SHOWN
        if left > 0:
            output.print_line(f"{left} more rows, and all columns: add --json.")
    output.print_findings(result.findings, error=as_json)


_SHOWN_UNITS = dict.fromkeys(("base", "now", "needed", "pace", "projected"), "fraction")


def _counts(summary: pl.DataFrame) -> pl.DataFrame:
    """Return the summary without what every row repeats."""
    return summary.drop("target_year", "published_base", "weighted_now")


def _furthest(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that are furthest from their goal."""
    import polars as pl

    order = ["gap", "target", "form"]
    shown = rows.filter(pl.col("form").is_not_null()).sort(
        *order, descending=[True, False, False], nulls_last=True
    )
    return shown.head(SHOWN).select(
        "target", "form", "partner", "base", "now", "needed", "pace", "projected", "status"
    )
