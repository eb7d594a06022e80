"""``evernormal data template`` and ``data cover``: a firm's own workbook, and what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evernormal.app import output, settings
from evernormal.app.completion import complete_form
from evernormal.app.options import AsOf, Json, Language, LanguageOption

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.command("template", epilog="Example: evernormal data template firm.xlsx --lang ko")(template)
    app.command("cover", epilog="Example: evernormal data cover --form lithium/hydroxide")(cover)


def template(
    file: Annotated[Path, typer.Argument(help="Workbook to write (.xlsx); one of that name is replaced.")],
    language: LanguageOption = Language.en,
    as_json: Json = False,
) -> None:
    """Write the workbook that a firm fills in: purchases, stocks, suppliers and use.

    Bring it back with `evernormal data add firm FILE`; --marked there writes a copy with faulty cells marked.
    """
    from evernormal import data

    result = data.firm_template(file, language.value)
    if as_json:
        output.print_json(result["sheets"])
        return
    output.print_table(result["sheets"].select("title", "columns"))
    output.print_line(f"Written: {file}")


def cover(
    form: Annotated[
        list[str] | None,
        typer.Option(
            help="Form, such as lithium/hydroxide; may be given more than once.",
            autocompletion=complete_form,
            show_default=False,
        ),
    ] = None,
    months: Annotated[int, typer.Option(help="Months of use that are averaged.")] = 3,
    dataset: Annotated[
        str | None, typer.Option(help="Data set of the firm; the only one when left out.")
    ] = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Show how many days a firm's stock lasts, by form and site, and the shares of its suppliers.

    With --json: an object with the lists cover and supplier_shares; findings go to standard error.
    """
    from evernormal import data

    result = data.firm_cover(
        form or None, months=months, dataset=dataset, folder=settings.store_folder(), as_of=as_of
    )
    if as_json:
        output.print_json(result.tables)
    else:
        for name, title in (("cover", "Days of cover"), ("supplier_shares", "Suppliers")):
            output.print_table(result[name], title=title, units=result.units[name], unknown="–")
    output.print_findings(result.findings, error=as_json)
