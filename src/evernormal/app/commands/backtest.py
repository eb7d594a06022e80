"""``evernormal backtest``: would the model have been right about past export cuts?"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from evernormal.app import output, settings
from evernormal.app.options import AsOf, Json, Out
from evernormal.app.progress import progress

if TYPE_CHECKING:
    from pathlib import Path

    from evernormal.result import Result

__all__ = ["register"]


class Tier(StrEnum):
    """How large a cut must be to be in the registry."""

    core = "core"
    wider = "wider"


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("backtest", epilog="Example: evernormal backtest --episode 260400,IDN,2014")(backtest)


def backtest(
    episode: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CODE,EXPORTER,YEAR",
            help="An export cut of your own: six-digit code, ISO 3166 alpha-3, year; may be given more than"
            " once. The registry when left out.",
            show_default=False,
        ),
    ] = None,
    trade: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Trade that you added, or a CSV or Parquet file in BACI's layout, in place of the shipped"
            " trade.",
            show_default=False,
        ),
    ] = None,
    tier: Annotated[
        Tier, typer.Option(help="Registry: core (share 15 %, cut 40 %) or wider (10 %, 25 %).")
    ] = Tier.core,
    as_of: AsOf = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Try naive rules, equilibria and the reduced form on past export cuts, each without its own code.

    Prints errors against the pro-rata cut with 80 % intervals; the whole registry takes one to two minutes.
    With --out: the result and a page, backtest.md. With --json: a list of rows with split, known, model,
    score, measure, value, low, high, error and episodes.
    """
    from evernormal.market import backtest as try_episodes

    with progress("Trying export cuts", quiet=as_json) as advance:
        result = try_episodes(
            episode or None,
            trade,
            tier=tier.value,
            folder=settings.store_folder(),
            as_of=as_of,
            advance=advance,
        )
    if out is not None:
        _write(result, out)
    if as_json:
        output.print_json(result["scores"])
    else:
        _print(result, own=bool(episode))
    output.print_findings(result.findings, error=as_json)


def _write(result: Result, out: Path) -> None:
    from evernormal.market.history.page import backtest_page
    from evernormal.storage import written

    page = backtest_page(result)

    def write(folder: Path) -> Path:
        (folder / "backtest.md").write_text(page, "utf-8")
        return result.write_into(folder)

    written(out, {"backtest": write})


def _print(result: Result, *, own: bool) -> None:
    from evernormal.market.history.page import side_by_side, worst_first

    scores = result["scores"]
    if not own:
        for split in scores["split"].unique(maintain_order=True).to_list():
            table = side_by_side(scores, split)
            output.print_table(table, title=f"{split}: below the pro-rata cut, 80 % interval", unknown="")
            output.print_line()
        output.print_table(result["intervals"], title="Factors on a forecast between which 80 % lies")
        return
    shown = worst_first(result["episodes"])
    output.print_table(shown, title="Error of the reduced form over that of the pro-rata cut", unknown="")
    output.print_line()
    output.print_table(
        result["forecasts"],
        title="Forecast, 80 % interval and what happened",
        units=result.units["forecasts"],
    )
