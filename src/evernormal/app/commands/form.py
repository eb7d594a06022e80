"""``evernormal form``: the traded forms of each mineral and what data covers them."""

from __future__ import annotations

from typing import Annotated

import typer

from evernormal.app import output
from evernormal.app.options import Form, Json

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="The traded forms of each mineral.")


@app.command("list", epilog="Example: evernormal form list --material lithium")
def list_forms(
    material: Annotated[str | None, typer.Option(help="Only forms of this material.")] = None,
    stage: Annotated[
        str | None, typer.Option(help="Only this stage: ore, refined, material, component.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List every form with its stage, names and what data covers it."""
    from evernormal.network.forms import forms

    table = forms(material=material, stage=stage)
    if as_json:
        output.print_json(table)
    else:
        output.print_table(table.select("form", "stage", "name_en", "name_ko", "coverage"))


@app.command("show", epilog="Example: evernormal form show lithium/hydroxide")
def show_form(name: Form, as_json: Json = False) -> None:
    """Show one form: customs codes with validity, content factors, end uses, coverage."""
    from evernormal.network.forms import form

    shown = form(name)
    if as_json:
        output.print_json(shown)
    else:
        output.print_record(shown)
