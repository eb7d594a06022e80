"""``evernormal version``: what is installed and what it stands on."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version

import typer

from evernormal import __version__
from evernormal.app import output
from evernormal.app.options import Json

__all__ = ["register"]

_STANDS_ON = ("numpy", "scipy", "polars", "duckdb", "piqp", "clarabel", "altair")


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("version", epilog="Example: evernormal version --json")(show_version)


def show_version(as_json: Json = False) -> None:
    """Show the version of evernormal, of Python and of the libraries that compute."""
    document = {"evernormal": __version__, "python": platform.python_version()}
    for name in _STANDS_ON:
        try:
            document[name] = installed_version(name)
        except PackageNotFoundError:
            document[name] = "not installed"
    if as_json:
        output.print_json(document)
    else:
        output.print_values(document)
