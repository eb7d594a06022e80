"""``evernormal forecast``: what a country will take in of a form, and how far such forecasts were off."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evernormal.app import output, settings
from evernormal.app.completion import complete_country, complete_form
from evernormal.app.drawing import check_chart, draw_chart, tell_chart
from evernormal.app.keeping import kept
from evernormal.app.options import AsOf, Chart, ChartLanguage, Explain, Json, Language, Out, Trade
from evernormal.app.progress import progress
from evernormal.app.reading import read_form, read_region, read_year

if TYPE_CHECKING:
    from evernormal.result import Result

__all__ = ["register"]

SEED = 0


class Measure(StrEnum):
    """What stands for demand."""

    imports = "imports"
    net_imports = "net_imports"
    apparent_use = "apparent_use"


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command("forecast", epilog="Example: evernormal forecast lithium/hydroxide --scenario iea-steps")(
        forecast
    )


def forecast(
    form: Annotated[
        str | None,
        typer.Argument(
            metavar="FORM",
            help="Form with a customs code of its own, such as lithium/hydroxide; none with --evaluate.",
            autocompletion=complete_form,
            callback=read_form,
        ),
    ] = None,
    country: Annotated[
        str,
        typer.Option(
            "--country",
            "--focal",
            metavar="ISO3",
            help="Country: ISO 3166 code or name, or EU; WLD for world trade.",
            autocompletion=complete_country,
            callback=read_region,
        ),
    ] = "KOR",
    years: Annotated[
        int | None,
        typer.Option(help="Years ahead: 1 to 5, with --customs 1 to 2.", show_default=False),
    ] = None,
    scenario: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Path that drives batteries: iea-steps, iea-aps, iea-nze, icct-ambitious, or a CSV file of"
            " your own. Without it statistics alone speak.",
        ),
    ] = None,
    market: Annotated[
        str, typer.Option(help="Whose car sales drive: WLD, CHN, EU, JPN, KOR or USA.", callback=read_region)
    ] = "WLD",
    measure: Annotated[Measure, typer.Option(help="What stands for demand.")] = Measure.imports,
    origin: Annotated[
        int | None,
        typer.Option(
            help="Last year that may be used: replays an earlier forecast.",
            show_default=False,
            callback=read_year,
        ),
    ] = None,
    trade: Trade = None,
    customs: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Monthly customs data that you added: a forecast by month."),
    ] = None,
    as_of: AsOf = None,
    evaluate: Annotated[
        bool,
        typer.Option("--evaluate", help="Run the whole back-test anew; takes minutes."),
    ] = False,
    chart: Chart = None,
    lang: ChartLanguage = Language.en,
    out: Out = None,
    explain: Explain = None,
    as_json: Json = False,
) -> None:
    """Forecast demand for a form by end use, with an 80 % interval and how well both did in the past.

    With --json: a list of rows with form, country, end_use, period, year, horizon, p10, p50, p90 (tonnes
    contained) and driver_share (fraction).
    """
    from evernormal.errors import InputError

    check_chart(chart)
    if evaluate == (form is not None):
        raise InputError(
            "give a form, or --evaluate for the back-test of all",
            where="FORM",
            cure="Write, for instance, evernormal forecast lithium/hydroxide.",
        )
    if evaluate:
        result = _evaluated(as_json)
        table = "skill"
    else:
        from evernormal import risk

        asked: dict[str, Any] = {"measure": measure.value, "scenario": scenario, "market": market}
        asked |= {"origin": origin, "dataset": trade, "customs": customs, "as_of": as_of}
        with progress("Forecasting", quiet=as_json):
            assert form is not None
            result = risk.forecast(form, country, years, folder=settings.store_folder(), **asked)
        table = "forecast"
    drawn = draw_chart(result, None if evaluate else chart, lang, quiet=as_json)
    if out is not None:
        _write(result, out, shipped=evaluate)
    if kept(result, None, explain, lang, as_json=as_json):
        return
    if as_json:
        output.print_json(result[table])
    elif evaluate:
        _print_evaluation(result)
    else:
        _print_forecast(result)
    tell_chart(drawn, error=as_json)
    output.print_findings(result.findings, error=as_json)


def _evaluated(quiet: bool) -> Result:
    """Run the whole back-test on every processor."""
    import numpy as np

    from evernormal import risk

    with progress("Forecasting the past", quiet=quiet) as advance:
        return risk.evaluate_forecasts(
            np.random.default_rng(SEED), workers=settings.workers(), progress=advance
        )


def _write(result: Result, folder: Path, *, shipped: bool) -> None:
    """Save the result; after the whole back-test also the tables that the package ships."""
    from evernormal.risk.forecast_evaluation import shipped_tables
    from evernormal.storage import written

    makers: dict[str, Callable[[Path], Path]] = {"result": result.write_into}
    if shipped:
        makers |= {name: _writer(name, text) for name, text in shipped_tables(result).items()}
    written(folder, makers)


def _writer(name: str, text: str) -> Callable[[Path], Path]:
    def write(place: Path) -> Path:
        (place / name).write_text(text, "utf-8")
        return place / name

    return write


def _print_forecast(result: Result) -> None:
    """Print the forecast, then how good it was."""
    table = result["forecast"]
    unit = result.units["forecast"]["p50"]
    first = table.row(0, named=True)
    output.print_table(
        table.select("end_use", "period", "p10", "p50", "p90", "driver_share"),
        title=f"{first['country']}: {first['form']}, {unit}",
        units=result.units["forecast"],
    )
    skill = result["skill"].filter(result["skill"]["horizon"] == 0)
    output.print_table(
        skill.select("scored", "benchmark", "errors", "skill", "skill_low", "skill_high"),
        title="Skill: how much smaller the error was than that of the benchmark (80 % interval)",
        units=result.units["skill"],
    )
    held = result["interval_coverage"]
    output.print_table(
        held.filter(held["horizon"] == 0).select("scored", "errors", "coverage"),
        title="What share of outcomes the 80 % interval held",
        units=result.units["interval_coverage"],
    )


def _print_evaluation(result: Result) -> None:
    """Print skill by method, and coverage by horizon."""
    skill = result["skill"].filter(result["skill"]["horizon"] == 0)
    columns = ("scored", "method", "forms", "errors", "skill", "skill_low", "skill_high", "square_skill")
    output.print_table(skill.select(columns), title="Skill against naive", units=result.units["skill"])
    held = result["interval_coverage"]
    output.print_table(
        held, title="Outcomes inside the 80 % interval", units=result.units["interval_coverage"]
    )
