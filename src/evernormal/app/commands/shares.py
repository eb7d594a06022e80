"""``evernormal shares``: who supplies a country with a form, with codes, or with everything, year by year."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from evernormal.app import output, settings
from evernormal.app.completion import complete_country, complete_form
from evernormal.app.drawing import check_chart, draw_chart, tell_chart
from evernormal.app.keeping import kept
from evernormal.app.options import (
    AsOf,
    Basis,
    Chart,
    ChartLanguage,
    Explain,
    Facts,
    Json,
    Language,
    Out,
    Region,
    Trade,
    Years,
)
from evernormal.app.progress import progress
from evernormal.app.reading import form_named, region_named, the_country
from evernormal.errors import InputError

if TYPE_CHECKING:
    import polars as pl

    from evernormal.result import Result

__all__ = ["register"]

SHOWN_YEARS, SHOWN_SUPPLIERS = 6, 10


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("shares", epilog="Example: evernormal shares KOR lithium/hydroxide --by value")(shares)


def shares(
    importer: Annotated[
        str | None,
        typer.Argument(
            metavar="IMPORTER",
            help="Importing country: ISO 3166 code or name, or EU; or give --country.",
            autocompletion=complete_country,
            show_default=False,
        ),
    ] = None,
    form: Annotated[
        str | None,
        typer.Argument(
            metavar="[FORM]",
            help="Form, such as lithium/hydroxide; every code together when left out.",
            autocompletion=complete_form,
            show_default=False,
        ),
    ] = None,
    named: Region = None,
    by: Annotated[Basis, typer.Option(help="Shares of value or of quantity.")] = Basis.value,
    year: Years = None,
    trade: Trade = None,
    facts: Facts = None,
    code: Annotated[
        list[str] | None,
        typer.Option(
            help="In place of a form: this customs code; may be given more than once.", show_default=False
        ),
    ] = None,
    chart: Chart = None,
    lang: ChartLanguage = Language.en,
    as_of: AsOf = None,
    out: Out = None,
    explain: Explain = None,
    as_json: Json = False,
) -> None:
    """Show each supplier's share of a country's imports of a form, of codes or of everything, year by year.

    With --json: a list of rows with year, supplier, share, value_usd (USD) and quantity_t (tonnes gross).
    """
    check_chart(chart)
    if named is not None and importer is not None and form is None:
        importer, form = None, importer  # with --country the one argument is the form
    if importer is not None:
        importer = region_named(importer, "IMPORTER")
    importer = the_country(importer, named, "shares")
    form = None if form is None else form_named(form, "FORM")
    years = year or None
    with progress("Reading trade", quiet=as_json):
        result = (
            _of_form(importer, form, by, years, trade, facts, code, as_of)
            if form is not None
            else _of_codes(importer, code, by, years, trade, facts, as_of)
        )
    if kept(result, out, explain, lang, as_json=as_json):
        return
    drawn = draw_chart(result, chart, lang, quiet=as_json, form=form)
    if as_json:
        output.print_json(result["shares"])
        tell_chart(drawn, error=True)
        output.print_findings(result.findings, error=True)
        return
    table = result["shares"]
    if "definition" in table.columns:
        output.print_rows(table.to_dicts(), units=result.units["shares"])
    else:
        what = form or ", ".join(code or ["every code"])
        _print_years(table, f"{importer}: suppliers of {what}, share of imports by {by.value}")
    tell_chart(drawn, error=False)
    output.print_findings(result.findings)


def _of_form(
    importer: str,
    form: str,
    by: Basis,
    years: list[int] | None,
    dataset: str | None,
    facts: str | None,
    code: list[str] | None,
    as_of: str | None,
) -> Result:
    from evernormal.network.suppliers import suppliers

    if code:
        raise InputError("FORM and --code cannot be given together", cure="Give one of them.")
    folder = settings.store_folder()
    return suppliers(
        importer, form, by.value, years, dataset=dataset, facts=facts, folder=folder, as_of=as_of
    )


def _of_codes(
    importer: str,
    code: list[str] | None,
    by: Basis,
    years: list[int] | None,
    dataset: str | None,
    facts: str | None,
    as_of: str | None,
) -> Result:
    from evernormal.data import supplier_shares

    if facts is not None:
        raise InputError("--facts needs a FORM", cure="Name the form whose published shares you want.")
    folder = settings.store_folder()
    return supplier_shares(
        importer, code or None, by.value, years, dataset=dataset, folder=folder, as_of=as_of
    )


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
