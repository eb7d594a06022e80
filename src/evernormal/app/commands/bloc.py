"""``evernormal bloc``: what a bloc's reference prices do, to whom, at what cost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evernormal.app import output, settings
from evernormal.app.options import AsOf, Facts, Focal, Json, Language, LanguageOption, Out, Trade
from evernormal.app.options import Scenario as ScenarioArgument
from evernormal.app.progress import progress

if TYPE_CHECKING:
    import polars as pl

    from evernormal.network.scenario import Scenario
    from evernormal.result import Result

__all__ = ["register"]

LADDER = (
    "member", "form", "base_price_usd_t", "before_usd_t", "reference_usd_t", "user_usd_t", "border_usd_t",
    "levy_usd_t", "levy_rate", "status",
)  # fmt: skip
INSTRUMENTS = (
    "instrument", "user_usd_t", "maker_usd_t", "made_t", "from_others_t", "budget_usd", "users_usd",
    "makers_usd", "members_usd", "world_usd",
)  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("bloc", epilog="Example: evernormal bloc bloc-lithium-hydroxide --lang ko")(bloc)


def bloc(
    scenario: ScenarioArgument,
    focal: Focal = None,
    lang: LanguageOption = Language.en,
    out: Out = None,
    projects: Annotated[
        Path | None,
        typer.Option(
            "--projects",
            metavar="FILE",
            help="Projects of your own (CSV) instead of the shipped ones with published costs.",
        ),
    ] = None,
    discount_rate: Annotated[
        float, typer.Option(min=0.0, help="Yearly rate at which a project's capital must earn.")
    ] = 0.08,
    facts: Facts = None,
    trade: Trade = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Hold the reference prices of a scenario by levies; say who pays and what else could be done.

    The scenario has a measure of kind price_floor. With --json: the rows of the price ladder by member and
    stage; findings go to standard error. With --out: every table, the ladder for a spreadsheet and as a
    picture.
    """
    from evernormal.market import bloc_study, read_projects
    from evernormal.network.question import network_of
    from evernormal.report.bloc_words import bloc_sentences

    chosen = _chosen(scenario, focal)
    table = None if projects is None else read_projects(projects)
    with progress(f"Balancing {chosen.form}", quiet=as_json):
        network = network_of(chosen, facts=facts, trade=trade, folder=settings.store_folder(), as_of=as_of)
    with progress("Holding prices", quiet=as_json):
        result = bloc_study(network, chosen, projects=table, discount_rate=discount_rate)
    result = result.with_call(as_of=as_of)
    files = {} if out is None else _write(result, out, lang.value)
    if as_json:
        output.print_json(result["ladder"])
    else:
        _print_ladder(result)
        for sentence in bloc_sentences(result, lang.value):
            output.print_line(sentence)
        output.print_line()
        for path in files.values():
            output.print_line(str(path))
    output.print_findings([f for f in result.findings if _told(f.code)], error=as_json)


def _chosen(name: str, focal: str | None) -> Scenario:
    from evernormal.data import country
    from evernormal.network.scenario import load_scenario

    chosen = load_scenario(name)
    return chosen if focal is None else chosen.with_focal(country(focal, where="--focal"))


def _told(code: str) -> bool:
    """Whether a finding is about the bloc; those about the network stand with `network show`."""
    return code.startswith(("bloc-", "project-", "measure-"))


def _print_ladder(result: Result) -> None:
    ladder = result["ladder"].drop_nulls("reference_usd_t")
    units = {**result.units["ladder"], "levy_rate": "fraction"}
    output.print_table(ladder.select(LADDER), title="Price ladder by stage", units=units, unknown="–")
    output.print_line()
    table: pl.DataFrame = result["alternatives"]
    output.print_table(
        table.select(INSTRUMENTS),
        title="The same reference held in other ways",
        units=result.units["alternatives"],
    )
    output.print_line()


def _write(result: Result, folder: Path, lang: str) -> dict[str, Path]:
    """Write the result, the ladder for Excel and its picture, all or nothing."""
    from evernormal.report.charts.ladder import ladder_chart
    from evernormal.storage import written

    def table(place: Path) -> Path:
        path = place / "ladder.csv"
        path.write_bytes(b"\xef\xbb\xbf" + result["ladder"].write_csv().encode())
        return path

    def picture(place: Path) -> Path:
        path = place / "ladder.svg"
        path.write_text(ladder_chart(result, lang).svg_file(), "utf-8")
        return path

    return written(folder, {"result": result.write_into, "ladder": table, "picture": picture})
