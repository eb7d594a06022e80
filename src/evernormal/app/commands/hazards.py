"""``evernormal hazards``: how often an exporter cuts or restricts a form, how hard, for how long."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evernormal.app import output, settings
from evernormal.app.completion import complete_country, complete_form
from evernormal.app.keeping import kept
from evernormal.app.options import AsOf, Explain, ExplainLanguage, Json, Language, Out, Trade
from evernormal.app.progress import progress
from evernormal.app.reading import read_countries, read_day, read_topics, read_year

if TYPE_CHECKING:
    import polars as pl

    from evernormal.result import Result

__all__ = ["register"]

SHOWN = 15


class Kind(StrEnum):
    """What is counted."""

    restriction = "restriction"
    cut = "cut"


class Tier(StrEnum):
    """How large a cut must be."""

    core = "core"
    wider = "wider"


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("hazards", epilog="Example: evernormal hazards gallium nickel/ore")(hazards)


def hazards(
    form: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FORM|MATERIAL]...",
            help="Forms such as graphite/natural, or materials for all their forms; left out: all.",
            autocompletion=complete_form,
            callback=read_topics,
            show_default=False,
        ),
    ] = None,
    exporter: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ISO3",
            help="Only this exporter; may be given more than once.",
            autocompletion=complete_country,
            show_default=False,
            callback=read_countries,
        ),
    ] = None,
    kind: Annotated[
        Kind, typer.Option(help="Acts that restrict exports, or cuts seen in trade whatever their cause.")
    ] = Kind.restriction,
    tier: Annotated[
        Tier, typer.Option(help="Of cuts: 40 % by exporters of 15 %, or 25 % by exporters of 10 %.")
    ] = Tier.core,
    judgement: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Figures of your own, CSV or YAML, in place of the model's or weighed against them.",
            show_default=False,
        ),
    ] = None,
    through: Annotated[
        int | None,
        typer.Option(
            metavar="YEAR", help="Last year of data to fit on.", show_default=False, callback=read_year
        ),
    ] = None,
    draws: Annotated[
        int,
        typer.Option(min=0, help="Joint futures to draw; their chances are shown, with --json their events."),
    ] = 0,
    start: Annotated[
        str, typer.Option(metavar="YYYY-MM-DD", help="First day of the drawn futures.", callback=read_day)
    ] = "2026-01-01",
    years: Annotated[int, typer.Option(min=1, help="Years of the drawn futures.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draws.")] = 0,
    trade: Trade = None,
    as_of: AsOf = None,
    lang: ExplainLanguage = Language.en,
    out: Out = None,
    explain: Explain = None,
    as_json: Json = False,
) -> None:
    """Show rate, severity, onset and duration by exporter and form, each with its 80 % interval.

    With --json: a list of rows of hazards; with --draws: a list of drawn events.
    """
    from evernormal import risk

    with progress("Fitting hazards", quiet=as_json):
        result = risk.hazards(
            form or None,
            exporter,
            kind=kind.value,
            tier=tier.value,
            through=through,
            judgements=judgement,
            score=not (as_json and draws),
            seed=seed,
            dataset=trade,
            folder=settings.store_folder(),
            as_of=as_of,
        )
        drawn = risk.draw_hazards(result, draws, seed, start, years=years) if draws else None
    if kept(drawn or result, out, explain, lang, as_json=as_json):
        return
    if as_json:
        output.print_json(result["hazards"] if drawn is None else drawn["draws"])
    else:
        _print(result, drawn)
    output.print_findings((drawn or result).findings, error=as_json)


def _print(result: Result, drawn: Result | None) -> None:
    fractions = dict.fromkeys(("share", "severity", "yours"), "fraction")
    title = "Hazards: events a year (80 % range), share of shipments lost, days of notice, months in force"
    output.print_table(_short(result["hazards"]), title=title, units=fractions, unknown="–")
    left = result["hazards"].height - SHOWN
    if left > 0:
        output.print_line(f"{left} more, and all columns: add --json.")
    output.print_line()
    output.print_table(result["correlation"], title="Events that come together", units={})
    if "skill" in result.tables:
        output.print_line()
        output.print_table(
            result["skill"].select("method", "log_score", "brier", "gain", "gain_low", "gain_high"),
            title="Years forecast from the years before them, against one rate for all",
            units=dict.fromkeys(("gain", "gain_low", "gain_high"), "fraction"),
        )
    if drawn is not None:
        output.print_line()
        output.print_table(drawn["summary"], title="Drawn futures", units={})


def _short(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the first rows as a reader takes them in; the weight of a judgement only where there is one."""
    import polars as pl

    def ranged(name: str) -> pl.Series:
        figures = rows.head(SHOWN).select(name, f"{name}_low", f"{name}_high").iter_rows()
        return pl.Series(
            [None if v is None else f"{v:.3f} ({low:.2f}–{high:.2f})" for v, low, high in figures],
            dtype=pl.String,
        )

    first = rows.head(SHOWN)
    shown = first.select(
        "exporter",
        "item",
        "share",
        (pl.col("events").cast(pl.String) + " in " + pl.col("exposed_years").cast(pl.String)).alias("years"),
        ranged("rate").alias("rate"),
        "severity",
        pl.col("onset_days").round(0).cast(pl.Int64).alias("onset"),
        pl.col("duration_months").round(0).cast(pl.Int64).alias("months"),
        pl.col("rate_weight").alias("yours"),
    )
    empty = [name for name in ("onset",) if shown[name].null_count() == shown.height]
    return shown.drop(*empty, *([] if first["rate_weight"].sum() else ["yours"]))
