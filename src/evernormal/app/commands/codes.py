"""``evernormal codes``: what a form's customs codes are, and which forms a code holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from evernormal.app import output, settings
from evernormal.app.completion import complete_country, complete_form
from evernormal.app.keeping import kept
from evernormal.app.options import AsOf, Explain, ExplainLanguage, Json, Language, Out
from evernormal.app.reading import read_country, read_day, read_form

if TYPE_CHECKING:
    from evernormal.result import Result

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("codes", epilog="Example: evernormal codes germanium/metal --country KOR")(codes)


def codes(
    form: Annotated[
        str | None,
        typer.Argument(
            help="Form: material/stage-or-product, such as lithium/hydroxide.",
            autocompletion=complete_form,
            callback=read_form,
            show_default=False,
        ),
    ] = None,
    code: Annotated[
        str | None,
        typer.Option("--code", metavar="CODE", help="Show the forms under this customs code instead."),
    ] = None,
    revision: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this revision, such as HS2022 or HSK2022.")
    ] = None,
    country: Annotated[
        str | None,
        typer.Option(
            "--country",
            "--focal",
            metavar="ISO3",
            help="World codes and the national codes of this country.",
            autocompletion=complete_country,
            callback=read_country,
        ),
    ] = None,
    date: Annotated[
        str | None,
        typer.Option(
            "--date", metavar="YYYY-MM-DD", help="Only codes in force on this day.", callback=read_day
        ),
    ] = None,
    dataset: Annotated[
        list[str] | None,
        typer.Option(
            "--concordance",
            "--dataset",
            metavar="NAME",
            help="A concordance that you added, in place of the shipped one; may be given more than once, and"
            " 'shipped' fills in.",
        ),
    ] = None,
    as_of: AsOf = None,
    out: Out = None,
    explain: Explain = None,
    lang: ExplainLanguage = Language.en,
    as_json: Json = False,
) -> None:
    """Show every customs code of a form by revision and country, who shares it, and how it divides.

    With --json: a list of rows with form, system, revision, code, valid_from, valid_to, description, basket,
    shared_with, source and next: where its goods go in the next revision, with to_revision, to_code, weight,
    low, high (fractions), basis and grade. With --code: a list of rows with code, revision, system, form,
    name_en, name_ko, stage, basket, description.
    """
    from evernormal.errors import InputError
    from evernormal.network.code_history import codes_of_form, forms_of_code

    if (form is None) == (code is None):
        raise InputError(
            "give a form, or --code with a customs code",
            where="FORM",
            cure="Write, for instance, evernormal codes germanium/metal, or codes --code 811292.",
        )
    if code is not None:
        if country is not None or date is not None or as_of is not None or dataset:
            raise InputError("--code goes with --revision only", where="--code",
                             cure="Leave the other options out.")  # fmt: skip
        _show_forms(forms_of_code(code, revision), as_json)
        return
    assert form is not None
    result = codes_of_form(
        form,
        revision,
        country,
        date,
        dataset=dataset or None,
        folder=settings.store_folder(),
        as_of=as_of,
    )
    if kept(result, out, explain, lang, as_json=as_json):
        return
    if as_json:
        output.print_json(_rows(result))
    else:
        _print_codes(result)
    output.print_findings(result.findings, error=as_json)


def _show_forms(result: Result, as_json: bool) -> None:
    if as_json:
        output.print_json(result["forms"])
    else:
        output.print_table(result["forms"].drop("name_ko", "description"))
    output.print_findings(result.findings, error=as_json)


def _rows(result: Result) -> list[dict[str, Any]]:
    """Return the rows of codes, each with its links to the next revision."""
    onward: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for link in result["links"].to_dicts():
        place = link.pop("from_revision"), link.pop("from_code")
        onward.setdefault(place, []).append(link)
    return [
        {**row, "next": onward.get((row["revision"], row["code"]), [])} for row in result["codes"].to_dicts()
    ]


def _print_codes(result: Result) -> None:
    """Print the codes, then only those steps in which something changes."""
    import polars as pl

    table = result["codes"]
    if not table.is_empty():
        title = f"{table['form'][0]}: customs codes"
        output.print_table(table.drop("form", "source"), title=title, unknown="–")
    links = result["links"]
    if links.is_empty():
        return
    changed = (pl.col("from_code") != pl.col("to_code")).fill_null(True)
    changes = links.filter(changed.any().over("from_revision", "from_code"))
    if not changes.is_empty():
        output.print_line()
        shown = changes.drop("grade")
        output.print_table(shown, title="How they divide", units=result.units["links"], unknown="not named")
