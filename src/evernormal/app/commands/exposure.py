"""``evernormal exposure``: how exposed a country is in every form, worst first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from evernormal.app import output, settings
from evernormal.app.completion import complete_country
from evernormal.app.options import AsOf, Json, Trade
from evernormal.app.progress import progress

if TYPE_CHECKING:
    import polars as pl

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
    country: Annotated[
        str,
        typer.Argument(
            metavar="COUNTRY",
            help="Importing country: ISO 3166 alpha-3 code or name, or EU.",
            autocompletion=complete_country,
        ),
    ],
    year: Annotated[
        int | None,
        typer.Option(help="Calendar year; the last that the trade holds when left out.", show_default=False),
    ] = None,
    neighbour: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ISO3",
            help="Country that counts as neighbouring for the early-warning duty; may be given more than"
            " once. The default of the country when left out.",
            autocompletion=complete_country,
            show_default=False,
        ),
    ] = None,
    trade: Trade = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Show how dependent a country is in every form, on whom, since when, and whether it gets worse.

    With --json: a list of the rows of all forms, also of those of which nothing is known.
    """
    from evernormal.risk import exposure as exposure_of
    from evernormal.risk.exposure_tables import exposure_sentence

    with progress("Reading trade and tracing origins", quiet=as_json):
        result = exposure_of(
            country,
            year,
            neighbours=neighbour or None,
            as_of=as_of,
            dataset=trade,
            folder=settings.store_folder(),
        )
    if as_json:
        output.print_json(result["exposure"])
    else:
        table = result["exposure"]
        output.print_table(_short(table), unknown="–")
        output.print_line(LEGEND)
        output.page().print(exposure_sentence(result))
        left = table.height - min(SHOWN, table.height)
        output.print_line(f"{left} more forms, and all columns: add --json.")
    output.print_findings(result.findings, error=as_json)


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
