"""``evernormal data policies``: who restricted, licensed, taxed or supported what; and as a scenario."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evernormal.app import output, settings
from evernormal.app.completion import complete_country, complete_form
from evernormal.app.options import AsOf, Json
from evernormal.app.reading import read_countries, read_focal, read_forms, read_materials

if TYPE_CHECKING:
    import polars as pl

    from evernormal.result import Result

__all__ = ["register"]

SHOWN_ROWS, WIDTH = 40, 60
_SHOWN = ("by", "against", "kind", "side", "materials", "announced", "effective", "ends", "title", "dataset")


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command(
        "policies",
        epilog="Example: evernormal data policies --by CHN --form graphite/natural --since 2020-01-01",
    )(policies)


def policies(
    by: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ISO3",
            help="Who acts: ISO 3166 code or name; may be given more than once.",
            autocompletion=complete_country,
            show_default=False,
            callback=read_countries,
        ),
    ] = None,
    form: Annotated[
        list[str] | None,
        typer.Option(
            help="Form, such as graphite/natural; may be given more than once.",
            autocompletion=complete_form,
            show_default=False,
            callback=read_forms,
        ),
    ] = None,
    material: Annotated[
        list[str] | None,
        typer.Option(
            help="Material, such as graphite; may be given more than once.",
            show_default=False,
            callback=read_materials,
        ),
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(help="ban, quota, licence, tariff, subsidy ...; may be given more than once."),
    ] = None,
    side: Annotated[str | None, typer.Option(help="export, import, domestic or unknown.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="YYYY[-MM-DD]", help="Announced or in force on this day or later.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="YYYY[-MM-DD]", help="Announced or in force on this day or before.")
    ] = None,
    dataset: Annotated[
        list[str] | None,
        typer.Option(help="Data set; all when left out; may be given more than once.", show_default=False),
    ] = None,
    scenario: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the records of the one --form as a scenario file (YAML)."),
    ] = None,
    focal: Annotated[
        str,
        typer.Option(
            "--country",
            "--focal",
            metavar="ISO3",
            help="With --scenario: country in whose place to stand.",
            autocompletion=complete_country,
            callback=read_focal,
        ),
    ] = "KOR",
    start: Annotated[
        str | None, typer.Option(metavar="YYYY-MM", help="With --scenario: first month of the horizon.")
    ] = None,
    months: Annotated[int, typer.Option(min=1, help="With --scenario: length of the horizon.")] = 24,
    base_year: Annotated[
        int | None,
        typer.Option(
            help="With --scenario: base year; the year before --start when left out.", show_default=False
        ),
    ] = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """List the policy records that you added, or make the measures of a scenario of them.

    With --json: a list of the records, or with --scenario an object with the lists measures and unmade;
    findings go to standard error.
    """
    from evernormal import data

    result = data.policies(
        by=by,
        forms=form or None,
        materials=material or None,
        kinds=kind or None,
        sides=side,
        since=_first_day(since),
        until=_last_day(until),
        dataset=dataset or None,
        folder=settings.store_folder(),
        as_of=as_of,
    )
    if scenario is None:
        _show(result["policies"], as_json=as_json)
        output.print_findings(result.findings, error=as_json)
        return
    _scenario(result, scenario, form or [], focal, start, months, base_year, as_of, as_json=as_json)


def _first_day(text: str | None) -> str | None:
    return f"{text}-01-01" if text and text.isdigit() else text


def _last_day(text: str | None) -> str | None:
    return f"{text}-12-31" if text and text.isdigit() else text


def _show(table: pl.DataFrame, *, as_json: bool) -> None:
    import polars as pl

    if as_json:
        output.print_json(table)
        return
    short = pl.when(pl.col(pl.String).str.len_chars() > WIDTH).then(
        pl.col(pl.String).str.slice(0, WIDTH - 1) + "…"
    )
    shown = table.select(_SHOWN).with_columns(short.otherwise(pl.col(pl.String)).name.keep())
    output.print_table(shown.head(SHOWN_ROWS), title=f"{table.height} records", unknown="–")
    if table.height > SHOWN_ROWS:
        output.print_line(f"{table.height - SHOWN_ROWS} more: add --json or a narrower question.")


def _scenario(
    records: Result,
    file: Path,
    forms: list[str],
    focal: str,
    start: str | None,
    months: int,
    base_year: int | None,
    as_of: str | None,
    *,
    as_json: bool,
) -> None:
    """Write the scenario file, all or nothing, and tell what became a measure and what did not."""
    from evernormal import network
    from evernormal.errors import InputError
    from evernormal.storage import written

    if len(forms) != 1 or start is None:
        raise InputError(
            "a scenario needs one --form and a --start",
            where="--scenario",
            cure="Write: --form graphite/natural --start 2023-10",
        )
    made = network.measures_from_policies(
        records["policies"], focal, forms, start, months=months, base_year=base_year, as_of=as_of
    )
    name = file.stem.lower().replace("_", "-").replace(" ", "-")
    built = network.scenario_from_policies(
        made, name, forms[0], focal, start, months=months, base_year=base_year
    )

    def write(folder: Path) -> Path:
        place = folder / file.name
        place.write_text(built.to_yaml(), "utf-8")
        return place

    written(file.parent, {file.name: write})
    if as_json:
        output.print_json(made.tables)
    else:
        shown = ("id", "kind", "by", "against", "announced", "effective", "ends", "hardness", "grade")
        output.print_table(made["measures"].select(shown), title="Measures", unknown="–")
        counts = made["unmade"].group_by("reason").len("records").sort("reason")
        output.print_table(counts, title="Records that became no measure of their own")
        output.print_line(f"Written: {file}")
    output.print_findings((*records.findings, *made.findings), error=as_json)
