"""``evernormal brief``: from a scenario to a briefing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evernormal.app import output, settings
from evernormal.app.options import AsOf, Facts, Focal, Json, Language, LanguageOption, Out, Trade
from evernormal.app.options import Scenario as ScenarioArgument
from evernormal.app.progress import progress
from evernormal.errors import InputError

if TYPE_CHECKING:
    from evernormal.network.network import Network
    from evernormal.network.scenario import Scenario
    from evernormal.result import Result

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("brief", epilog="Example: evernormal brief lithium-hydroxide-100 --country JPN --lang ko")(
        brief
    )


def brief(
    scenario: ScenarioArgument,
    focal: Focal = None,
    lang: LanguageOption = Language.en,
    out: Out = None,
    draws: Annotated[
        int | None,
        typer.Option(min=0, help="Draws for the ranges; the scenario's own when left out, 0 for none."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of the draws; the scenario's own when left out.")
    ] = None,
    severity: Annotated[
        float | None,
        typer.Option(
            min=0.0, max=1.0, help="Share withheld by every ban and closure of the scenario, 0 to 1."
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes that share the draws; results do not depend on it.")
    ] = None,
    facts: Facts = None,
    trade: Trade = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Write the briefing on a scenario: page, workbook and data; print the answer and the page's path.

    The folder is out/SCENARIO-FOCAL when --out is left out.  With --json: series by month, bands with 10, 50
    and 90 %, findings and the files written.
    """
    from evernormal.report.brief import write_brief
    from evernormal.report.summary import brief_json, terminal_summary

    chosen = _chosen(scenario, focal, severity)
    network = _network(chosen, facts, trade, as_of, quiet=as_json)
    result = _simulated(network, chosen, draws, seed, workers, quiet=as_json)
    result = result.with_call(severity=severity, as_of=as_of)
    folder = out if out is not None else Path("out") / f"{chosen.name}-{chosen.focal}"
    with progress("Writing the brief", quiet=as_json):
        files = write_brief(result, folder, lang.value)
    if as_json:
        output.print_json({**brief_json(result), "files": files})
        return
    output.page().print(terminal_summary(result, lang.value))
    output.print_line()
    for path in reversed(files.values()):
        output.print_line(str(path))


def _chosen(name: str, focal: str | None, severity: float | None) -> Scenario:
    """Return the scenario with what the command line changes."""
    from evernormal.network.scenario import load_scenario

    chosen = load_scenario(name)
    if focal is not None:
        chosen = chosen.with_focal(focal)
    if severity is not None:
        if not any("severity" in measure.hardness() for measure in chosen.measures):
            raise InputError(
                f"scenario {chosen.name!r} has no measure with a severity",
                where="--severity",
                cure="Leave it out, or change the measures in a copy: evernormal scenario show",
            )
        chosen = chosen.with_severity(severity)
    return chosen


def _network(
    scenario: Scenario, facts: str | None, trade: str | None, as_of: str | None, *, quiet: bool
) -> Network:
    from evernormal.network.question import network_of

    with progress(f"Balancing {scenario.form}", quiet=quiet):
        return network_of(scenario, facts=facts, trade=trade, folder=settings.store_folder(), as_of=as_of)


def _simulated(
    network: Network,
    scenario: Scenario,
    draws: int | None,
    seed: int | None,
    workers: int | None,
    *,
    quiet: bool,
) -> Result:
    from evernormal.market.simulate import simulate

    with progress(f"Simulating {scenario.months} months", quiet=quiet) as advance:
        return simulate(
            network, scenario, draws=draws, seed=seed, workers=workers or settings.workers(), progress=advance
        )
