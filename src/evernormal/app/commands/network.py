"""``evernormal network``: the balanced base-year picture of a chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from evernormal.app import output, settings
from evernormal.app.options import AsOf, Facts, Focal, Form, Json, Scope, Trade
from evernormal.app.progress import progress
from evernormal.app.reading import read_year

if TYPE_CHECKING:
    import polars as pl

__all__ = ["app"]

SHOWN = 15

app = typer.Typer(no_args_is_help=True, help="The balanced base-year picture of a chain.")


@app.callback()
def _group() -> None:
    """Keep ``show`` a command of its own although it is the only one."""


@app.command("show", epilog="Example: evernormal network show lithium/hydroxide --country KOR --year 2023")
def show_network(
    form: Form,
    focal: Focal = "KOR",
    year: Annotated[int, typer.Option(help="Base year.", callback=read_year)] = 2023,
    scope: Annotated[Scope, typer.Option(help="The form alone, or the whole chain up to it.")] = Scope.form,
    facts: Facts = None,
    trade: Trade = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Show production, use, trade and prices of each region, and what balancing changed."""
    import polars as pl

    from evernormal.network.userdata import network_with

    with progress(f"Loading {form}", quiet=as_json):
        loaded = network_with(
            form,
            focal or "KOR",
            year,
            facts=facts,
            trade=trade,
            folder=settings.store_folder(),
            as_of=as_of,
            scope=scope.value,
        )
    if as_json:
        output.print_json(
            {
                "form": loaded.form,
                "focal": loaded.focal,
                "year": loaded.year,
                "regions": loaded.table(),
                "flows": loaded.flow_table(),
                "implied_flows": loaded.tables["implied_flows"],
                "adjustments": loaded.tables["adjustments"],
                "base_rows": loaded.tables["base_rows"],
                "coverage": loaded.coverage,
                "inputs": loaded.inputs,
                "findings": loaded.findings,
            }
        )
        return
    head = f"{loaded.form} in {loaded.year}, seen from {loaded.focal}: tonnes contained a year, USD per tonne"
    output.print_table(loaded.table(), title=head)
    flows = loaded.flow_table().sort("flow_t", "exporter", "importer", descending=[True, False, False])
    _print_largest(flows, "Largest flows, tonnes contained a year")
    implied = loaded.tables["implied_flows"]
    if implied.height:
        columns = (
            "supplier",
            "relay",
            "form",
            "implied_t",
            "exports_t",
            "production_t",
            "recovered_t",
            "grade",
        )
        ranked = implied.sort("implied_t", "supplier", "relay", descending=[True, False, False])
        _print_largest(ranked.select(columns), "Implied by what relays ship (E27), seen by nobody")
    _print_own(loaded.tables["base_rows"], loaded.focal)
    adjustments = loaded.tables["adjustments"].sort(
        pl.col("change_t").abs(), descending=True, nulls_last=True
    )
    _print_largest(adjustments, "What balancing changed, largest first")
    output.print_line()
    output.print_findings(loaded.findings)


def _print_own(base_rows: pl.DataFrame, focal: str) -> None:
    """Print the imports of the focal country that rest on the user's facts, with grade and source."""
    import polars as pl

    from evernormal.network.userdata import OWN_MARK

    mine = base_rows.filter(pl.col("source").str.contains(OWN_MARK, literal=True))
    if mine.height:
        shown = mine.sort("contained_t", "supplier", descending=[True, False])
        columns = ("supplier", "contained_t", "grade", "source")
        _print_largest(shown.select(columns), f"Imports of {focal} that rest on your data")


def _print_largest(table: pl.DataFrame, title: str) -> None:
    """Print the first rows of a sorted table and say how many follow."""
    output.print_line()
    output.print_table(table.head(SHOWN), title=title, unknown="–")
    if table.height > SHOWN:
        output.print_line(f"{table.height - SHOWN} smaller ones: add --json.")
