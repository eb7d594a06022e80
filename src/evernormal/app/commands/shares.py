"""``evernormal shares``: who supplies a country with a form, year by year."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from evernormal.app import output, settings
from evernormal.app.completion import complete_country
from evernormal.app.options import Basis, Facts, Form, Json
from evernormal.app.progress import progress

if TYPE_CHECKING:
    import polars as pl

__all__ = ["register"]

SHOWN_YEARS, SHOWN_SUPPLIERS = 6, 10


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("shares", epilog="Example: evernormal shares KOR lithium/hydroxide --by value")(shares)


def shares(
    importer: Annotated[
        str,
        typer.Argument(
            metavar="IMPORTER",
            help="Importing country: ISO 3166 alpha-3 code or name.",
            autocompletion=complete_country,
        ),
    ],
    form: Form,
    by: Annotated[Basis, typer.Option(help="Shares of value or of quantity.")] = Basis.value,
    year: Annotated[
        list[int] | None,
        typer.Option(help="Only this year; may be given more than once.", show_default=False),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="A data set that you added, instead of the shipped trade."),
    ] = None,
    facts: Facts = None,
    as_json: Json = False,
) -> None:
    """Show each supplier's share of a country's imports of a form, year by year.

    With --json: a list of rows with year, supplier, share, value_usd (USD) and quantity_t (tonnes gross).
    """
    from evernormal.data import country
    from evernormal.network.suppliers import suppliers

    code = country(importer, where="IMPORTER")
    with progress("Reading trade", quiet=as_json):
        result = suppliers(
            code,
            form,
            by.value,
            year or None,
            dataset=dataset,
            facts=facts,
            folder=settings.store_folder(),
        )
    if as_json:
        output.print_json(result["shares"])
        output.print_findings(result.findings, error=True)
        return
    table = result["shares"]
    if "definition" in table.columns:
        output.print_rows(table.to_dicts(), units=result.units["shares"])
    else:
        _print_years(table, f"{code}: suppliers of {form}, share of imports by {by.value}")
    output.print_findings(result.findings)


def _print_years(table: pl.DataFrame, title: str) -> None:
    """Print suppliers down and the last years across."""
    import polars as pl

    years = sorted(table["year"].unique().to_list())[-SHOWN_YEARS:]
    wide = table.filter(pl.col("year").is_in(years)).pivot("year", index="supplier", values="share")
    wide = wide.select("supplier", *(str(y) for y in years)).sort(
        *(str(y) for y in reversed(years)),
        "supplier",
        descending=[True] * len(years) + [False],
        nulls_last=True,
    )
    output.print_table(
        wide.head(SHOWN_SUPPLIERS), title=title, units={str(y): "fraction" for y in years}, unknown="–"
    )
    left = wide.height - SHOWN_SUPPLIERS
    if left > 0:
        output.print_line(f"{left} smaller suppliers and earlier years: add --json or --year.")
