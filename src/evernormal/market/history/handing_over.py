"""What a back-test hands over: tables, findings, and where every number comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from evernormal.market.history.candidates import WIDER, candidate
from evernormal.market.history.cleaning import broken_rules
from evernormal.market.history.cross_validation import Trial
from evernormal.market.history.episodes import Episode
from evernormal.market.history.intervals import ErrorRow
from evernormal.market.history.records import TradeRecords
from evernormal.market.history.reduced_form import ReducedForm, terms_of
from evernormal.market.history.score_tables import (
    SPLITS,
    UNITS,
    episode_table,
    forecast_table,
    held_of,
    interval_table,
    score_table,
)
from evernormal.result import Derivation, Finding, Input, Lineage, Result

__all__ = ["Tried", "named", "result_of"]

FEWEST_EPISODES = 30
SMALL_CUT = WIDER.cut
SHOWN = 5


@dataclass(frozen=True)
class Tried:
    """Trials by split, past errors behind intervals, coefficients without and with the year's factor."""

    trials: Mapping[str, Sequence[Trial]]
    errors: Sequence[ErrorRow]
    forms: Sequence[ReducedForm]


def result_of(
    run: Tried,
    trade: TradeRecords,
    source: Input,
    own: bool,
    findings: Iterable[Finding],
    call: Mapping[str, Any],
) -> Result:
    """Return the result of a back-test.

    Args:
        run: what was tried.
        trade: on what.
        source: where the trade is from.
        own: whether the episodes are the user's.
        findings: what is known already.
        call: arguments, for the lineage.
    """
    from evernormal import __version__  # noqa: PLC0415

    tried = next(iter(run.trials.values()))
    broken = {trial.episode.name: _broken(trade, trial.episode) for trial in tried}
    held = held_of(run.trials, run.errors)
    tables = {
        "scores": score_table(run.trials, held),
        "episodes": episode_table(tried, run.errors, broken),
        "forecasts": forecast_table(tried, run.errors),
        "intervals": interval_table(run.errors, held.get(SPLITS["mineral"])),
        "coefficients": _coefficients(run.forms),
    }
    asked = [f"{e.code},{'+'.join(e.exporters)},{e.year}" for e in (t.episode for t in tried)]
    given = {name: value for name, value in call.items() if value is not None}
    return Result(
        "backtest",
        tables,
        UNITS,
        Lineage(
            __version__,
            inputs=(source,),
            derivations=DERIVATIONS,
            call={"episodes": asked if own else None, **given},
        ),
        (*findings, *_findings(tried, broken, own)),
    )


def _coefficients(forms: Sequence[ReducedForm]) -> pl.DataFrame:
    rows = [
        {
            "known": "year's factor" if form.with_factor else "nothing else",
            "fitted": side,
            "term": term,
            "value": value,
            "standard_error": error,
        }
        for form in forms
        for side, term, value, error in terms_of(form)
    ]
    return pl.DataFrame(rows).with_columns(pl.col("standard_error").fill_nan(None))


def _broken(trade: TradeRecords, episode: Episode) -> tuple[str, ...]:
    """Return the cleaning rules that an episode breaks, of all its exporters."""
    records = trade.records(episode.code)
    found: dict[str, None] = {}
    for exporter in episode.exporters:
        found |= dict.fromkeys(broken_rules(trade, candidate(records, exporter, episode.year)))
    return tuple(found)


def _findings(tried: Sequence[Trial], broken: Mapping[str, Sequence[str]], own: bool) -> Iterable[Finding]:
    dirty = [name for name, rules in broken.items() if rules]
    if dirty and own:
        shown = "; ".join(f"{name}: {', '.join(broken[name])}" for name in dirty[:SHOWN])
        text = (
            f"Cleaning rules of the registry are broken in {len(dirty)} of {len(tried)} episodes ({shown}):"
            " their cut may be none of goods."
        )
        yield Finding("episode-breaks-rules", "caution", text, named(dirty))
    small = [trial.episode.name for trial in tried if _cut(trial) < SMALL_CUT]
    if small:
        text = (
            f"Less than {SMALL_CUT:.0%} was cut in {len(small)} of {len(tried)} episodes"
            f" ({', '.join(small[:SHOWN])}); intervals were made from larger cuts."
        ).replace("%", " %")
        yield Finding("episode-small-cut", "caution", text, named(small))
    blind = [trial.episode.name for trial in tried if trial.price_actual != trial.price_actual]
    if blind:
        text = f"The world unit value is unknown in {len(blind)} episodes ({', '.join(blind[:SHOWN])})."
        yield Finding("episode-price-unknown", "caution", text, named(blind))
    if len(tried) < FEWEST_EPISODES:
        counted = "1 episode tells" if len(tried) == 1 else f"{len(tried)} episodes tell"
        text = f"{counted} little about skill; the registry's scores tell more."
        yield Finding("few-episodes", "info", text, {"episodes": len(tried)})


def named(names: Sequence[str]) -> dict[str, object]:
    """Return the values of a finding about episodes: all of them, how many, and the first five in words."""
    more = " …" if len(names) > SHOWN else ""
    return {"episodes": list(names), "count": len(names), "shown": ", ".join(names[:SHOWN]) + more}


def _cut(trial: Trial) -> float:
    case = trial.case
    before = sum(float(case.records.exports[place, case.t - 1]) for place in case.cutting)
    return 1 - float(case.known_exports.sum()) / before


def _of_errors(column: str, forecast: str) -> Derivation:
    inputs = (f"forecasts.{forecast}", "forecasts.actual_t")
    return Derivation("episodes", column, "E70", inputs, "Error of one episode.")


DERIVATIONS = (
    Derivation(
        "scores", "error", "E70", ("forecasts.forecast_t", "forecasts.actual_t"), "Mean over episodes."
    ),
    Derivation(
        "scores",
        "value",
        "E71",
        ("scores.error",),
        "Change against the pro-rata cut, or as the measure says.",
    ),
    Derivation(
        "forecasts",
        "forecast_t",
        "E68",
        ("coefficients.value",),
        "Medians of the reduced form, made to add up.",
    ),
    *(
        Derivation(
            "forecasts",
            end,
            "E73",
            (f"intervals.{end[:-2]}",),
            "Forecast times the factor of its class and unrest.",
        )
        for end in ("low_t", "high_t")
    ),
    Derivation("forecasts", "before_t", "", (), "Sum of the trade rows of the year before."),
    Derivation("forecasts", "actual_t", "", (), "Sum of the trade rows of the year."),
    Derivation(
        "forecasts",
        "pro_rata_t",
        "",
        ("forecasts.before_t",),
        "Last year's flows, those of the cutting exporters in proportion to what they still ship.",
    ),
    Derivation("episodes", "lost", "", (), "Tonnes withheld over the world's trade of the year before."),
    *(
        _of_errors(f"{side}_{who}", forecast)
        for side in ("imports", "exporters", "flows")
        for who, forecast in (("rule", "pro_rata_t"), ("model", "forecast_t"))
    ),
    Derivation(
        "episodes",
        "unit_value_forecast",
        "E72",
        ("episodes.lost",),
        "World unit value over that of the year before.",
    ),
    Derivation("episodes", "unit_value_actual", "", (), "World unit value over that of the year before."),
    *(
        Derivation(
            "episodes",
            f"unit_value_{end}",
            "E73",
            ("episodes.unit_value_forecast", f"intervals.{end}"),
            "Forecast times the factor of its class and unrest.",
        )
        for end in ("low", "high")
    ),
    Derivation("coefficients", "value", "E65", (), "Least absolute deviations over every code and year."),
    *(
        Derivation(
            "intervals",
            end,
            "E73",
            (),
            "Shortest interval of past errors, for an amount of typical unrest.",
        )
        for end in ("low", "high")
    ),
    Derivation(
        "intervals", "coverage", "E73", (), "Share of errors inside intervals made without their mineral."
    ),
)
