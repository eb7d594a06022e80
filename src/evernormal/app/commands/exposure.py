"""``evernormal exposure``: how exposed a country is in every form, worst first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evernormal.app import output, settings
from evernormal.app.keeping import kept
from evernormal.app.options import (
    AsOf,
    Explain,
    Importer,
    Json,
    Language,
    LanguageOption,
    Neighbours,
    Out,
    Region,
    Trade,
    Year,
)
from evernormal.app.progress import progress
from evernormal.app.reading import read_materials, the_country

if TYPE_CHECKING:
    import polars as pl

    from evernormal.result import Result

__all__ = ["register"]

SHOWN = 15

LEGEND = (
    "from: largest supplier; %: its share of imports; CHN: China's share; NIR: net import reliance;\n"
    "since: has had half since; trend: points a year over five years, * significant;\n"
    "duty: of early warning; mined: largest mine behind it and its share."
)


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("exposure", epilog="Example: evernormal exposure KOR --year 2023")(exposure)


def exposure(
    country: Importer = None,
    named: Region = None,
    year: Year = None,
    neighbour: Neighbours = None,
    material: Annotated[
        list[str] | None,
        typer.Option(
            help="With --out: material that the page tells one by one; may be given more than once. Those"
            " that South Korea designates as strategic when left out.",
            callback=read_materials,
            show_default=False,
        ),
    ] = None,
    out: Out = None,
    lang: LanguageOption = Language.en,
    trade: Trade = None,
    as_of: AsOf = None,
    explain: Explain = None,
    as_json: Json = False,
) -> None:
    """Show how dependent a country is in every form, on whom, since when, and whether it gets worse.

    With --out: also the result, a page with charts, a workbook and every chart as SVG.  With
    --json: a list of the rows of all forms, also of those of which nothing is known.
    """
    from evernormal.risk import exposure as exposure_of

    place = the_country(country, named, "exposure")
    with progress("Reading trade and tracing origins", quiet=as_json):
        result = exposure_of(
            place,
            year,
            neighbours=neighbour or None,
            as_of=as_of,
            dataset=trade,
            folder=settings.store_folder(),
        )
    if kept(result, out, explain, lang, as_json=as_json):
        return
    files = _written(result, out, lang, material or None, quiet=as_json)
    if as_json:
        output.print_json(result["exposure"])
    else:
        table = result["exposure"]
        output.print_table(_short(table), unknown="–")
        output.print_line(LEGEND)
        output.page().print(_sentence(result, lang))
        left = table.height - min(SHOWN, table.height)
        output.print_line(f"{left} more forms, and all columns: add --json.")
    output.print_findings(result.findings, error=as_json)
    for path in files:
        output.print_line(str(path), error=as_json)


def _sentence(result: Result, lang: Language) -> str:
    """Return the answer in a sentence or a few."""
    if lang is Language.ko:
        from evernormal.report.exposure_story import exposure_summary

        return exposure_summary(result, lang.value)
    from evernormal.risk.exposure_tables import exposure_sentence

    return exposure_sentence(result)


def _written(
    result: Result, out: Path | None, lang: Language, materials: list[str] | None, *, quiet: bool
) -> list[Path]:
    """Write page, workbook and figures into a folder, the page last; nothing without a folder."""
    if out is None:
        return []
    from evernormal.report.exposure_page import write_exposure
    from evernormal.report.exposure_parts import gather

    with progress("Tracing, forecasting and splitting by material", quiet=quiet) as advance:
        dossier = gather(result, materials=materials, folder=settings.store_folder(), progress=advance)
    with progress("Drawing", quiet=quiet):
        files = write_exposure(dossier, out, lang.value)
    return list(reversed(files.values()))


def _short(table: pl.DataFrame) -> pl.DataFrame:
    """Return the first rows in columns that fit a page."""
    import polars as pl

    shown = table.filter(pl.col("known_by") != "nothing").head(SHOWN)
    share = pl.coalesce("share_value", "share_quantity")
    china = pl.coalesce("china_value", "china_quantity")

    def percent(column: pl.Expr) -> pl.Expr:
        return pl.format("{}", (column * 100).round(0).cast(pl.Int64))

    trends = [
        None if slope is None else f"{100 * slope:+.1f}{'' if direction == 'unclear' else '*'}"
        for slope, direction in shown.select("trend", "direction").iter_rows()
    ]
    return shown.select(
        "form",
        pl.col("name_ko").str.slice(0, 8).alias("name"),
        pl.col("supplier").alias("from"),
        percent(share).alias("%"),
        percent(china).alias("CHN"),
        percent(pl.col("reliance")).alias("NIR"),
        pl.col("since").cast(pl.String),
        pl.Series("trend", trends),
        pl.col("duty").replace_strict({True: "yes", False: "no"}, default=None).alias("duty"),
        pl.format("{} {}", "mine", percent(pl.col("mine_share"))).alias("mined"),
    )
