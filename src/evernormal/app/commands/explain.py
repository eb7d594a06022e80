"""``evernormal explain``: from a number back to its sources."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evernormal.app import output
from evernormal.app.options import Json

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("explain", epilog="Example: evernormal explain out/lithium-hydroxide-100 shortage_t")(explain)


def explain(
    result: Annotated[
        Path, typer.Argument(metavar="RESULT", help="Folder that `evernormal brief --out` wrote.")
    ],
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="Name of a number, such as shortage_t.")],
    as_json: Json = False,
) -> None:
    """Walk from a number of a result back to its equation, its assumptions and its source rows."""
    raise NotImplementedError
