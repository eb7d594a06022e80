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

FEW = 3
"""Episodes of which every forecast is printed."""

MOST_LINES = 20


class Tier(StrEnum):
    """How large a cut must be to be in the registry."""

    core = "core"
    wider = "wider"


class Apart(StrEnum):
    """What coefficients must not have seen."""

    mineral = "mineral"
    code = "code"
    years = "years"


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
    episodes: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Export cuts of your own: a CSV file with the columns code, exporter and year, and split"
            " (train or held-out) where there is one.",
            show_default=False,
        ),
    ] = None,
    trade: Annotated[
        str | None,
        typer.Option(
            "--trade",
            "--dataset",
            metavar="NAME",
            help="Trade that you added, or a CSV or Parquet file in BACI's layout, in place of the shipped"
            " trade.",
            show_default=False,
        ),
    ] = None,
    tier: Annotated[
        Tier, typer.Option(help="Registry: core (share 15 %, cut 40 %) or wider (10 %, 25 %).")
    ] = Tier.core,
    refit: Annotated[
        bool | None,
        typer.Option(
            "--refit/--no-refit",
            help="Fit anew, fold by fold, or use the coefficients that come with the program. Left out: anew"
            " for a registry, not for episodes of your own.",
            show_default=False,
        ),
    ] = None,
    apart: Annotated[
        Apart,
        typer.Option(
            help="What coefficients must not have seen: the mineral at any stage, the code alone, or the year"
            " and any later one."
        ),
    ] = Apart.mineral,
    skip: Annotated[
        bool,
        typer.Option("--skip", help="Leave out episodes that cannot be tried, and say which."),
    ] = False,
    as_of: AsOf = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Try naive rules, equilibria and the reduced form on past export cuts, each without its own mineral.

    Prints errors against the pro-rata cut with 80 % intervals. Fitting anew on the whole registry takes one
    to two minutes, --no-refit three seconds. With --out: the result and a page, backtest.md. With --json: a
    list of rows with split, known, model, score, measure, value, low, high, error and episodes.
    """
    from evernormal.errors import InputError
    from evernormal.market import backtest as try_episodes

    if episode and episodes:
        raise InputError("--episode and --episodes were both given", cure="Give one of them.")
    asked = episode or (None if episodes is None else _file(episodes))
    with progress("Trying export cuts", quiet=as_json) as advance:
        result = try_episodes(
            asked,
            trade,
            tier=tier.value,
            refit=refit,
            apart=apart.value,
            skip=skip,
            folder=settings.store_folder(),
            as_of=as_of,
            advance=advance,
        )
    if out is not None:
        _write(result, out)
    if as_json:
        output.print_json(result["scores"])
    else:
        _print(result, own=asked is not None)
    output.print_findings(result.findings, error=as_json)


def _file(name: str) -> Path:
    from pathlib import Path

    return Path(name)


def _write(result: Result, out: Path) -> None:
    from evernormal.market.history.page import backtest_page
    from evernormal.storage import written

    page = backtest_page(result)

    def write(folder: Path) -> Path:
        (folder / "backtest.md").write_text(page, "utf-8")
        return result.write_into(folder)

    written(out, {"backtest": write})


def _print(result: Result, *, own: bool) -> None:
    """Print what was aimed at first, then models, splits and intervals; or a user's own episodes first."""
    if own:
        _print_own(result)
    if not own or result["episodes"].height > MOST_LINES:
        _print_scores(result, own=own)


FEWEST = 30
"""Episodes from which on what was aimed at is worth comparing with."""


def _print_scores(result: Result, *, own: bool) -> None:
    from evernormal.market.history import page

    scores = result["scores"]
    splits = scores["split"].unique(maintain_order=True).to_list()
    count = result["episodes"].height
    aimed = page.aims(scores, splits[0])
    _table(
        aimed.drop("aim", "reached") if own or count < FEWEST else aimed,
        f"The reduced form on {count} export cuts, {splits[0]}",
    )
    _table(
        page.models_in_short(scores, splits[0]),
        "Every rule and model: per cent below the pro-rata cut (price, large: below no change), rank",
    )
    if len(splits) > 1:
        _table(page.splits_in_short(scores), "The reduced form, nothing else known, on every split")
    if not own:
        known = page.bans(result["episodes"])
        if known.height:
            _table(known, "Indonesia's ore bans: per cent below the pro-rata cut; price over the year before")
    _table(
        page.intervals_in_short(result["intervals"]),
        "Factors on a forecast between which 80 % lies, and the share of errors inside",
    )


def _print_own(result: Result) -> None:
    from evernormal.market.history import page

    lines = page.episode_lines(result["episodes"], policy=False)
    more = f", the worst {MOST_LINES} of {lines.height}" if lines.height > MOST_LINES else ""
    _table(
        lines.head(MOST_LINES),
        f"Per cent below the pro-rata cut (a minus is worse); price over the year before{more}",
    )
    names = result["episodes"]["episode"].to_list()
    for name in names if len(names) <= FEW else []:
        output.print_table(
            page.forecasts_of(result["forecasts"], name),
            title=f"{name}: tonnes before, by the pro-rata cut, forecast with 80 % interval, and as it was",
            units=dict.fromkeys(result.units["forecasts"], ""),
        )
        output.print_line()
    if len(names) > FEW:
        output.print_line("Tonnes by importer and exporter: add --out DIR.\n")


def _table(table: object, title: str) -> None:
    output.print_table(table, title=title, unknown="")  # type: ignore[arg-type]
    output.print_line()
