"""``evernormal form``: the traded forms of each mineral and what data covers them."""

from __future__ import annotations

from typing import Annotated

import typer

from evernormal.app import output
from evernormal.app.options import Form, Json
from evernormal.app.reading import read_material

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="The traded forms of each mineral.")


@app.command("list", epilog="Example: evernormal form list --material lithium")
def list_forms(
    material: Annotated[
        str | None, typer.Option(help="Only forms of this material.", callback=read_material)
    ] = None,
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
    """Show one form: customs codes with validity, content factors, conversions, end uses, coverage."""
    from evernormal.network.forms import conversions_of, end_uses, form

    shown = form(name)
    if as_json:
        more = {"conversions": conversions_of(name), "end_uses": end_uses(name)}
        output.print_json({**output.to_plain(shown), **more})
        return
    output.print_record(shown)
    output.print_line()
    steps = [
        {"conversion": step.name, "recovery": step.recovery.value, "grade": step.recovery.grade}
        for step in conversions_of(name)
    ]
    uses = [
        {
            "end_use": use.name_en,
            "name_ko": use.name_ko,
            "share": use.share.value,
            "substitutable": use.substitutable.value,
            "value_added": use.value_added.value,
            "grade": use.share.grade,
        }
        for use in end_uses(name)
    ]
    units = {"recovery": "t/t", "share": "fraction", "substitutable": "fraction", "value_added": "USD/t"}
    for title, rows in (("conversions", steps), ("end uses", uses)):
        if rows:
            output.print_rows(rows, title=title, units=units)
            output.print_line()
    output.print_line("Intervals and sources of every number: add --json.")
