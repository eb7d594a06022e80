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
    from evernormal.network.scenario import Scenario
    from evernormal.report.bloc_sheets import Sheet
    from evernormal.result import Result

__all__ = ["register"]


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
    every_member: Annotated[
        bool, typer.Option("--all", help="Show every member, not only the largest buyers from outside.")
    ] = False,
    facts: Facts = None,
    trade: Trade = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Hold the reference prices of a scenario by levies; say who pays and what else could be done.

    The scenario has a measure of kind price_floor. With --json: every table of the result by name, the price
    ladder first; findings go to standard error. With --out: the same tables as Parquet, the ladder for a
    spreadsheet and as a picture.
    """
    from evernormal.market import bloc_study, read_projects
    from evernormal.network.question import network_of
    from evernormal.report.language import language

    chosen = _chosen(scenario, focal)
    table = None if projects is None else read_projects(projects)
    with progress(f"Balancing {chosen.form}", quiet=as_json):
        network = network_of(chosen, facts=facts, trade=trade, folder=settings.store_folder(), as_of=as_of)
    with progress("Holding prices", quiet=as_json):
        result = bloc_study(network, chosen, projects=table, discount_rate=discount_rate)
    result = result.with_call(as_of=as_of)
    files = {} if out is None else _write(result, out, lang.value)
    if as_json:
        output.print_json({"ladder": result["ladder"], **result.tables})
    else:
        _print(result, lang.value, every_member)
        for path in files.values():
            output.print_line(str(path))
    words = language(lang.value)
    for level in ("warning", "caution", "info"):
        for finding in result.findings:
            if finding.level == level and _told(finding.code):
                name = words.inline(words.text(f"level.{level}"))
                output.print_line(f"{name}: {words.finding(finding)}", error=as_json)


def _chosen(name: str, focal: str | None) -> Scenario:
    from evernormal.network.scenario import load_scenario

    chosen = load_scenario(name)
    return chosen if focal is None else chosen.with_focal(focal)


def _told(code: str) -> bool:
    """Whether a finding is about the bloc; those about the network stand with `network show`."""
    return code.startswith(("bloc-", "project-", "measure-"))


def _print(result: Result, lang: str, every_member: bool) -> None:
    """Print the answer in sentences, what matters first, then the tables behind it."""
    from evernormal.report.bloc_sheets import bloc_sheets
    from evernormal.report.bloc_words import bloc_heading, bloc_sentences

    screen = output.console()
    for line in bloc_heading(result, lang):
        screen.print(line)
    screen.print()
    for sentence in bloc_sentences(result, lang):
        screen.print(f"- {sentence}")
    for sheet in bloc_sheets(result, lang, every_member=every_member):
        output.print_line()
        _print_sheet(sheet)
    output.print_line()


def _print_sheet(sheet: Sheet) -> None:
    from rich import box
    from rich.table import Table

    screen = output.console()
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 0, 0, 1))
    for number, column in enumerate(sheet.columns):
        if number >= sheet.numbers:
            shown.add_column(column.replace(" ", "\n"), justify="right", no_wrap=True, vertical="bottom")
        else:
            shown.add_column(column)
    for row in sheet.rows:
        shown.add_row(*row)
    screen.print(sheet.title)
    screen.print(shown)
    if sheet.note:
        screen.print(sheet.note)


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
