"""``evernormal verify``: the shipped oracles, ours next to the published number."""

from __future__ import annotations

from typing import Any

import typer

from evernormal.app import output
from evernormal.app.options import Json
from evernormal.app.progress import progress
from evernormal.errors import ModelError

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("verify", epilog="Example: evernormal verify")(verify)


def verify(as_json: Json = False) -> None:
    """Run what every room validates; print our number next to the published one.

    Exit code 4 when one of them fails.
    """
    from evernormal.app.validations import run_validations

    with progress("Running the oracles", quiet=as_json):
        result = run_validations()
    table = result["oracles"]
    failed = table.filter(~table["passed"])["name"].to_list()
    if as_json:
        output.print_json({"passed": not failed, "failed": failed, "oracles": table})
    else:
        for row in table.iter_rows(named=True):
            output.print_line(_sentence(row))
        output.print_line()
        output.print_line(f"{len(table) - len(failed)} of {len(table)} oracles passed.")
    if failed:
        if as_json:
            raise typer.Exit(ModelError.exit_code)
        raise ModelError(
            f"{len(failed)} of {len(table)} oracles failed: {', '.join(failed)}",
            where="evernormal verify",
            cure="Do not trust results of this installation; reinstall it from its lock file.",
        )


def _sentence(row: dict[str, Any]) -> str:
    """Return one oracle: verdict, name, ours next to the published number, tolerance, source."""
    verdict = "pass" if row["passed"] else "FAIL"
    unit = "" if row["unit"] == "1" else f" {row['unit']}"
    ours = "not computed" if row["ours"] is None else f"{row['ours']:.8g}"
    published = "unknown" if row["published"] is None else f"{row['published']:.8g}"
    tolerance = "" if row["tolerance"] is None else f" (tolerance {row['tolerance']:g})"
    numbers = f"ours {ours}, published {published}{unit}{tolerance}"
    return f"{verdict}  {row['name']}\n      {numbers}; {row['source']}"
