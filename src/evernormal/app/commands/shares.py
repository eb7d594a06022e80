"""``evernormal shares``: who supplies a country with a form, year by year."""

from __future__ import annotations

from typing import Annotated

import typer

from evernormal.app import output
from evernormal.app.completion import complete_country
from evernormal.app.options import Basis, Form, Json

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("shares", epilog="Example: evernormal shares KOR lithium/hydroxide --by value")(shares)


def shares(
    importer: Annotated[
        str,
        typer.Argument(
            metavar="IMPORTER",
            help="Importing country: ISO 3166 alpha-3 code.",
            autocompletion=complete_country,
        ),
    ],
    form: Form,
    by: Annotated[Basis, typer.Option(help="Shares of value or of quantity.")] = Basis.value,
    as_json: Json = False,
) -> None:
    """Show each supplier's share of a country's imports of a form, year by year."""
    raise NotImplementedError
