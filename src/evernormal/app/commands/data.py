"""``evernormal data``: what is shipped, what is yours, where it comes from."""

from __future__ import annotations

import typer

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="What is shipped, what is yours, where it comes from.")
