"""``evernormal ensemble``: thousands of draws of a scenario, what they say, and which assumption drives
it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from evernormal.app import output, settings
from evernormal.app.completion import complete_scenario
from evernormal.app.options import AsOf, Facts, Focal, Json, Out, Trade
from evernormal.app.progress import progress
from evernormal.errors import InputError

if TYPE_CHECKING:
    from evernormal.market.factors import Joint
    from evernormal.network.scenario import Scenario
    from evernormal.network.uncertain import Uncertain
    from evernormal.result import Result

__all__ = ["register"]

DRIVERS_SHOWN = 8
OUTCOMES = {
    "shortage_t": "shortage, t contained",
    "loss_usd": "loss, million USD",
    "peak_price_ratio": "peak price, base = 1",
    "min_cover_days": "least cover, days",
    "imports_lost_t": "imports lost, t contained",
}
WHAT = {"delta": "shift of distribution", "total_order": "variance with others"}


class Executor(StrEnum):
    """Who runs the draws."""

    local = "local"
    dask = "dask"


class Sensitivity(StrEnum):
    """How drivers are found."""

    delta = "delta"
    sobol = "sobol"
    none = "none"


class Hazards(StrEnum):
    """Which hazards are drawn."""

    restriction = "restriction"
    cut = "cut"


class Failures(StrEnum):
    """What becomes of draws without a proven answer."""

    refuse = "refuse"
    flag = "flag"


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command(
        "ensemble",
        epilog="Example: evernormal ensemble rare-earths-2025 --draws 1000 --seed 1 --out out/rare-earths",
    )(ensemble)


def ensemble(
    scenario: Annotated[
        list[str],
        typer.Argument(
            help="Names of shipped scenarios, or paths of scenario files; several are drawn jointly.",
            autocompletion=complete_scenario,
        ),
    ],
    draws: Annotated[
        int,
        typer.Option(min=1, help="Number of draws; with --sensitivity sobol a power of two of base points."),
    ] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything drawn.")] = 1,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Processes that share the draws; results do not depend on it."),
    ] = None,
    executor: Annotated[
        Executor, typer.Option(help="Processes of this machine, or a Dask cluster.")
    ] = Executor.local,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Dask scheduler, such as tcp://host:8786; left out, a cluster starts here.",
        ),
    ] = None,
    correlation: Annotated[
        float | None,
        typer.Option(
            help="Correlation of one actor's measures, 0 to below 1; an assumption of 0.5 if left out."
        ),
    ] = None,
    probability: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID=P", help="Chance that a measure happens, such as china-ban=0.3; repeatable."
        ),
    ] = None,
    duration: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID=LOW:MODE:HIGH",
            help="Factor on how long a measure lasts, such as china-ban=0.25:1:2; repeatable.",
        ),
    ] = None,
    hazards: Annotated[
        Hazards | None,
        typer.Option(
            help="Draw what happens from these hazards of its forms, in place of the scenario's measures.",
            show_default=False,
        ),
    ] = None,
    judgement: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH", help="With --hazards: figures of your own, CSV or YAML.", show_default=False
        ),
    ] = None,
    sensitivity: Annotated[
        Sensitivity, typer.Option(help="Which assumption drives the result, and how it is found.")
    ] = Sensitivity.delta,
    failures: Annotated[
        Failures, typer.Option(help="Refuse a result with draws that have no answer, or flag them.")
    ] = Failures.refuse,
    focal: Focal = None,
    facts: Facts = None,
    trade: Trade = None,
    as_of: AsOf = None,
    out: Out = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with what a killed run left in --out.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Draw a scenario many times: distribution and tail of the loss, stops, and what drives them.

    The folder is out/SCENARIO-ensemble when --out is left out; batches of draws are kept there as they are
    done. With --json: one document with distribution, exceedance, stop_dates, bands, drivers and findings.
    """
    from evernormal.market.many import ensemble as run
    from evernormal.network.question import network_of

    if judgement is not None and hazards is None:
        raise InputError("judgements are about hazards", where="--judgement", cure="Add --hazards.")
    chosen = [_chosen(name, focal) for name in scenario]
    joint = _joint(correlation, probability or [], duration or [])
    folder = out if out is not None else Path("out") / f"{'-'.join(s.name for s in chosen)}-ensemble"
    store = settings.store_folder()
    events, keep = None, ()
    if hazards is not None:
        chosen = [asked.model_copy(update={"measures": ()}) for asked in chosen]
        with progress("Fitting hazards", quiet=as_json):
            known = {"dataset": trade, "folder": store, "as_of": as_of}
            events = _events(chosen, hazards.value, judgement, draws, seed, known)
        keep = tuple(events["chances"]["exporter"].unique().sort().to_list())
    networks = []
    for asked in chosen:
        with progress(f"Balancing {asked.form}", quiet=as_json):
            networks.append(network_of(asked, facts=facts, trade=trade, folder=store, as_of=as_of, keep=keep))
    with progress(f"Drawing {draws:,} times", quiet=as_json) as advance:
        result = run(
            networks,
            chosen,
            draws,
            seed,
            executor=executor.value,
            workers=settings.workers() if workers is None else workers,
            scheduler=scheduler,
            joint=joint,
            events=events,
            sensitivity=sensitivity.value,
            failures=failures.value,
            out=folder,
            resume=resume,
            progress=advance,
        )
    _tell(result, folder, as_json=as_json)


def _chosen(name: str, focal: str | None) -> Scenario:
    from evernormal.network.scenario import load_scenario

    chosen = load_scenario(name)
    return chosen if focal is None else chosen.with_focal(focal)


def _events(
    chosen: list[Scenario],
    kind: Literal["restriction", "cut"],
    judgement: Path | None,
    draws: int,
    seed: int,
    known: dict[str, Any],
) -> Result:
    """Draw events of every form's exporters over the horizon."""
    from evernormal import risk

    years = -(-chosen[0].months // 12)
    forms = [asked.form for asked in chosen]
    told = risk.hazards(forms, kind=kind, judgements=judgement, score=False, **known)
    return risk.draw_hazards(told, draws, seed, chosen[0].start_date, years=years)


def _joint(correlation: float | None, probability: list[str], duration: list[str]) -> Joint:
    from evernormal.market.factors import DEFAULT_CORRELATION, Joint

    if correlation is not None and not 0 <= correlation < 1:
        raise InputError(f"must be at least 0 and below 1, got {correlation:g}", where="--correlation",
                         cure="Write, for instance, --correlation 0.5.")  # fmt: skip
    chances = {name: _chance(text) for name, text in (_pair(given, "--probability") for given in probability)}
    lengths = {name: _range(text) for name, text in (_pair(given, "--duration") for given in duration)}
    return Joint(DEFAULT_CORRELATION if correlation is None else correlation, chances, lengths)


def _pair(text: str, where: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not (name and sign and value):
        raise InputError(
            f"must be ID=VALUE, got {text!r}", where=where, cure="Write, for instance, china-ban=0.3."
        )
    return name, value


def _chance(text: str) -> float:
    chance = _number(text, "--probability")
    if not 0 < chance <= 1:
        raise InputError(f"must be above 0 and at most 1, got {text}", where="--probability",
                         cure="Write, for instance, china-ban=0.3.")  # fmt: skip
    return chance


def _number(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"must be a number, got {text!r}", where=where) from None


def _range(text: str) -> Uncertain:
    from evernormal.network.uncertain import Uncertain

    parts = [_number(part, "--duration") for part in text.split(":")]
    if len(parts) == 1:
        return Uncertain(parts[0], parts[0])
    if len(parts) == 2:
        return Uncertain(parts[0], parts[1])
    if len(parts) == 3:
        return Uncertain(parts[0], parts[2], parts[1])
    raise InputError(f"must be LOW:HIGH or LOW:MODE:HIGH, got {text!r}", where="--duration")


def _tell(result: Result, folder: Path, *, as_json: bool) -> None:
    if as_json:
        names = ("distribution", "exceedance", "stop_dates", "bands", "drivers")
        tables = {name: result[name] for name in names}
        output.print_json({**tables, "findings": result.findings, "folder": folder})
        return
    _print_distribution(result)
    _print_stops(result)
    _print_drivers(result)
    output.print_findings(result.findings)
    output.print_line(str(folder / "result.json"))


def _print_distribution(result: Result) -> None:
    """One table per form: percentiles, and where the worst twentieth of the draws begins."""
    import polars as pl

    table = result["distribution"]
    money = pl.when(pl.col("name") == "loss_usd").then(1e6).otherwise(1.0)
    numbers = {
        "p10": "p10", "p50": "p50", "p90": "p90", "value_at_risk": "worst 5 % at", "tail_mean": "their mean",
    }  # fmt: skip
    for form in table["form"].unique(maintain_order=True):
        mine = table.filter(pl.col("form") == form, pl.any_horizontal(pl.col(*numbers).is_not_null()))
        shown = mine.select(
            pl.col("name").replace_strict(OUTCOMES, default=pl.first()).alias("outcome"),
            *((pl.col(name) / money).alias(heading) for name, heading in numbers.items()),
        )
        output.print_table(shown, title=f"{form}: distribution over the draws")
        output.print_line()


def _print_stops(result: Result) -> None:
    """When plants stop: the chance, and the month by which a share of the draws has stopped."""
    import polars as pl

    rows = []
    for form in result["stop_dates"]["form"].unique(maintain_order=True):
        mine = result["stop_dates"].filter(pl.col("form") == form)
        reached = {
            f"{share:.0%} by".replace("%", " %"): mine.filter(pl.col("probability_by") >= share)["month"]
            for share in (0.1, 0.5, 0.9)
        }
        dates = {name: f"{month[0]:%Y-%m}" if len(month) else "–" for name, month in reached.items()}
        rows.append({"plants stop": form, "chance": mine["probability_by"][-1], **dates})
    table = pl.DataFrame(rows)
    if table["chance"].max():
        output.print_table(table, units={"chance": "fraction"})
    else:
        output.print_line("Plants stop in none of the draws.")
    output.print_line()


def _print_drivers(result: Result) -> None:
    """The factors that can be told from none, of the loss of all forms, or of the shortage without one."""
    import polars as pl

    drivers = result["drivers"]
    if drivers.is_empty():
        return
    form = drivers["form"][-1]
    mine = drivers.filter(pl.col("form") == form)
    outcome = mine["outcome"][0]
    mine = mine.filter(pl.col("outcome") == outcome)
    key = "delta" if mine["delta"].is_not_null().any() else "total_order"
    told = mine.filter(pl.col(key) > pl.col(f"{key}_error")).head(DRIVERS_SHOWN)
    rest = mine.height - told.height
    if told.is_empty():
        output.print_line(
            f"What drives {outcome} of {form}: no factor can be told from none; take more draws."
        )
        return
    shown = told.select(
        "factor",
        pl.col(key).round(3).alias(WHAT[key]),
        pl.col(f"{key}_error").round(3).alias("+/- (95 %)"),
        pl.col("first_order").round(3).alias("variance alone"),
    )
    output.print_table(shown, title=f"What drives {outcome} of {form}", units={"variance alone": "fraction"})
    if rest:
        output.print_line(
            f"{rest} other factors are smaller, or cannot be told from none with so many draws."
        )
