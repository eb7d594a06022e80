"""Back-test: would the model have been right?  On the registry, or on anybody's own episodes and trade."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from evernormal.errors import InputError, NotCoveredError, UnknownNameError
from evernormal.market.history.candidates import CORE, TIERS, WIDER, candidate
from evernormal.market.history.cleaning import broken_rules
from evernormal.market.history.common_factor import CommonFactor
from evernormal.market.history.cross_validation import Trial, try_episode
from evernormal.market.history.episodes import Episode, build_registry, check_split, registry
from evernormal.market.history.intervals import ErrorRow, error_rows
from evernormal.market.history.known import policy_episodes
from evernormal.market.history.layout import read_trade
from evernormal.market.history.records import TradeRecords, arrange
from evernormal.market.history.reduced_form import ReducedForm, terms_of
from evernormal.market.history.runs import Advance, cross_validated, frozen, ground
from evernormal.market.history.score_tables import (
    UNITS,
    episode_table,
    forecast_table,
    interval_table,
    score_table,
)
from evernormal.market.history.shipped import shipped_codes, shipped_errors, shipped_models
from evernormal.market.history.situation import situation
from evernormal.result import Derivation, Finding, Input, Lineage, Result

__all__ = ["backtest"]

FEWEST_CODES, FEWEST_YEARS = 20, 8
"""With fewer codes or years than these the shipped coefficients are used: too little to learn from."""

MOST_CODES = 150
"""Codes that are trained on at most."""

FEWEST_ERRORS = 30
SMALL_CUT = WIDER.cut


def backtest(
    episodes: Iterable[Any] | None = None,
    trade: Any = None,
    *,
    tier: str = "core",
    frozen_split: bool = True,
    folder: str | Path | None = None,
    as_of: date | str | None = None,
    advance: Advance | None = None,
) -> Result:
    """Try baselines, equilibria and the reduced form on past export cuts.

    Every episode is tried by coefficients that were fitted without its code (equations E65 to E73).  With
    the shipped trade and no episodes, the frozen registry is tried, and the frozen split beside it.

    Args:
        episodes: ``(code, exporter, year)`` each, exporter in ISO 3166 alpha-3; several exporters of one
            code and year are one episode.  None for the registry: the frozen one for the shipped trade, one
            made by the same rules for any other.
        trade: None for the shipped trade; the name of a data set in ``folder``; the path of a CSV or Parquet
            file; or a table in BACI's layout (t, i, j, k, v, q) or ours (year, exporter, importer, code,
            value_usd, quantity_t).  Codes are whatever the table holds.
        tier: ``core`` (share of world exports 15 %, cut 40 %) or ``wider`` (10 %, 25 %), without episodes.
        frozen_split: try the frozen split too, without episodes.
        folder: folder of the user's store, for a data set.
        as_of: use only what was knowable on this day (law 11).
        advance: called with the steps done and the steps in all.

    Returns:
        Result ``backtest`` with tables ``scores`` (split, known, model, score, measure, value, low, high,
        error, episodes), ``episodes``, ``forecasts`` (tonnes of importers and other exporters with 1 % of the
        world), ``intervals`` (factors on a forecast between which 80 % lies) and ``coefficients``.  Errors
        are sums of absolute errors over the mean of the world's tonnes of the year before and of the year.

    Raises:
        InputError: no episode, one that is not three parts, one twice, one whose exporter shipped nothing or
            an unknown quantity the year before, a trade table without the columns or with a wrong value.
        UnknownNameError: an episode's code or exporter is not in the trade.
        NotCoveredError: an episode's year is not in the trade.

    Example:
        Indonesia's nickel ore ban of 2014, on a small table and by the shipped coefficients:

        >>> from evernormal.data import scan_trade
        >>> from evernormal.market import backtest
        >>> ores = scan_trade(["260400", "260600"]).collect()
        >>> tried = backtest([("260400", "IDN", 2014)], ores)["episodes"].row(0, named=True)
        >>> tried["flows_model"] < tried["flows_rule"]
        True
        >>> tried["unit_value_low"] < tried["unit_value_actual"] < tried["unit_value_high"]
        True
    """
    if tier not in TIERS:
        raise InputError(f"tier must be one of {', '.join(TIERS)}, got {tier!r}")
    asked = None if episodes is None else _asked(episodes)
    rows, revision, source = read_trade(trade, folder=folder, as_of=as_of)
    known = _known_cuts(rows, trade is None, asked, revision)
    tested = asked if asked is not None else tuple(e for e in known.cuts if e.tier == tier)
    tested = tuple(_measured(known.trade, one) for one in tested)
    check_split(tested)
    run = _run(known, tested, asked is None and trade is None and frozen_split and tier == CORE.name, advance)
    return _result(run, known, source, asked is not None, {"tier": tier, "as_of": as_of})


@dataclass(frozen=True)
class _Known:
    """Trade, the cuts in it, and whether it is the shipped one."""

    trade: TradeRecords
    cuts: tuple[Episode, ...]
    shipped: bool

    @property
    def core(self) -> tuple[Episode, ...]:
        return tuple(e for e in self.cuts if e.tier == CORE.name)


@dataclass(frozen=True)
class _Run:
    """Trials by split, errors behind intervals, coefficients, findings."""

    trials: Mapping[str, Sequence[Trial]]
    errors: Sequence[ErrorRow]
    forms: Sequence[ReducedForm]
    findings: tuple[Finding, ...]


def _asked(episodes: Iterable[Any]) -> tuple[Episode, ...]:
    """Return the episodes that a user gave, those of one code and year together."""
    together: dict[tuple[str, int], list[str]] = {}
    for number, given in enumerate(episodes, start=1):
        if isinstance(given, Episode):
            together.setdefault((given.code, given.year), []).extend(given.exporters)
            continue
        code, exporter, year = _three(given, number)
        own = together.setdefault((code, year), [])
        if exporter in own:
            raise InputError(f"{code}, {exporter}, {year} is given twice", where=f"episode {number}")
        own.append(exporter)
    if not together:
        raise InputError("no episode was given", cure="Give at least one (code, exporter, year).")
    policies = policy_episodes()
    return tuple(
        Episode(
            code,
            year,
            tuple(sorted(exporters)),
            "asked",
            "",
            "; ".join(policies[code, e, year].name for e in sorted(exporters) if (code, e, year) in policies),
        )
        for (code, year), exporters in sorted(together.items())
    )


def _three(given: Any, number: int) -> tuple[str, str, int]:
    cure = 'Write it like ("260400", "IDN", 2014).'
    parts = (
        list(given.split(","))
        if isinstance(given, str)
        else list(given)
        if hasattr(given, "__iter__")
        else []
    )
    if len(parts) != 3:
        raise InputError(f"{given!r} is not code, exporter and year", where=f"episode {number}", cure=cure)
    code, exporter, year = (str(part).strip() for part in parts)
    if not (code.isascii() and code.isdigit() and len(code) == 6):
        raise InputError(
            f"code must be six digits as text, got {parts[0]!r}", where=f"episode {number}", cure=cure
        )
    if not (year.isascii() and year.isdigit() and len(year) == 4):
        raise InputError(f"year must be four digits, got {parts[2]!r}", where=f"episode {number}", cure=cure)
    return code, exporter, int(year)


def _known_cuts(
    rows: pl.DataFrame, shipped: bool, asked: tuple[Episode, ...] | None, revision: str
) -> _Known:
    """Return the trade as arrays and the cuts that are known in it."""
    if shipped:
        return _Known(arrange(rows, revision=revision), (*registry(CORE.name), *registry(WIDER.name)), True)
    wanted = {one.code for one in asked or ()}
    codes = sorted(rows["code"].unique().to_list())
    for code in sorted(wanted - set(codes)):
        raise UnknownNameError("code", code, codes, where="trade table")
    if len(codes) > MOST_CODES and asked is not None:
        step = len(codes) / MOST_CODES
        wanted |= {codes[int(n * step)] for n in range(MOST_CODES)}
        rows = rows.filter(pl.col("code").is_in(sorted(wanted)))
    trade = arrange(rows, revision=revision)
    if len(trade.years) < 3:
        raise NotCoveredError(
            "the trade table has fewer than three years", cure="An episode needs two years before it."
        )
    return _Known(trade, build_registry(trade)[0], False)


def _measured(trade: TradeRecords, episode: Episode) -> Episode:
    """Return the episode with its lost share, after checking that the trade holds it."""
    case = situation(trade.records(episode.code), episode.exporters, episode.year)
    return replace(episode, lost=case.lost)


def _run(known: _Known, tested: tuple[Episode, ...], with_split: bool, advance: Advance | None) -> _Run:
    if len(known.trade.codes) < FEWEST_CODES or len(known.trade.years) < FEWEST_YEARS:
        return _with_shipped(known, tested)
    out = {(e.code, e.year) for e in tested}
    core = (*tested, *(e for e in known.core if (e.code, e.year) not in out))
    on = ground(known.trade, core, (*known.core, *(e for e in known.cuts if e.tier == WIDER.name)))
    tried, fitted = cross_validated(on, tested, advance=advance)
    trials: dict[str, Sequence[Trial]] = {"cross-validated": tried}
    if with_split:
        trials["train"], trials["held-out"] = frozen(on, advance=advance)
    own = error_rows(tried)
    errors = own if len(tried) >= FEWEST_ERRORS else shipped_errors()
    return _Run(trials, errors, (fitted.plain, fitted.with_factor), ())


def _with_shipped(known: _Known, tested: tuple[Episode, ...]) -> _Run:
    factors, models = CommonFactor(known.trade), shipped_models()
    tried = tuple(try_episode(known.trade, e, models, factors) for e in tested)
    codes, years = len(known.trade.codes), len(known.trade.years)
    text = (
        f"The trade table has {codes} codes and {years} years: too little to learn from, so that the shipped"
        " coefficients were used."
    )
    findings = [Finding("shipped-coefficients", "info", text, {"codes": codes, "years": years})]
    seen = sorted({e.code for e in tested} & shipped_codes())
    if seen:
        text = (
            f"The shipped coefficients were fitted on the trade of {', '.join(seen)} too; the scores of these"
            " codes are not out of sample."
        )
        findings.append(Finding("code-seen-in-training", "caution", text, {"codes": seen}))
    forms = (models.plain, models.with_factor)
    return _Run({"shipped coefficients": tried}, shipped_errors(), forms, tuple(findings))


def _result(run: _Run, known: _Known, source: Input, own: bool, call: dict[str, Any]) -> Result:
    from evernormal import __version__  # noqa: PLC0415

    tried = next(iter(run.trials.values()))
    broken = {trial.episode.name: _broken(known.trade, trial.episode) for trial in tried}
    coefficients = [
        {
            "known": "year's factor" if form.with_factor else "nothing else",
            "side": side,
            "term": term,
            "value": value,
            "standard_error": error,
        }
        for form in run.forms
        for side, term, value, error in terms_of(form)
    ]
    tables = {
        "scores": score_table(run.trials, run.errors),
        "episodes": episode_table(tried, run.errors, broken),
        "forecasts": forecast_table(tried, run.errors),
        "intervals": interval_table(run.errors),
        "coefficients": pl.DataFrame(coefficients).with_columns(pl.col("standard_error").fill_nan(None)),
    }
    asked = (
        [f"{e.code},{'+'.join(e.exporters)},{e.year}" for e in (t.episode for t in tried)] if own else None
    )
    return Result(
        "backtest",
        tables,
        UNITS,
        Lineage(
            __version__,
            inputs=(source,),
            derivations=_derivations(),
            call={"episodes": asked, **{k: str(v) for k, v in call.items() if v is not None}},
        ),
        (*run.findings, *_findings(tried, broken)),
    )


def _broken(trade: TradeRecords, episode: Episode) -> tuple[str, ...]:
    """Return the cleaning rules that an episode breaks, of all its exporters."""
    records = trade.records(episode.code)
    found: dict[str, None] = {}
    for exporter in episode.exporters:
        found |= dict.fromkeys(broken_rules(trade, candidate(records, exporter, episode.year)))
    return tuple(found)


def _findings(tried: Sequence[Trial], broken: Mapping[str, Sequence[str]]) -> Iterable[Finding]:
    dirty = [name for name, rules in broken.items() if rules]
    asked = any(trial.episode.tier == "asked" for trial in tried)
    if dirty and asked:
        shown = "; ".join(f"{name}: {', '.join(broken[name])}" for name in dirty[:5])
        text = (
            f"{len(dirty)} episodes break cleaning rules of the registry ({shown}):"
            " their cut may be none of goods."
        )
        yield Finding("episode-breaks-rules", "caution", text, {"episodes": dirty})
    small = [trial.episode.name for trial in tried if _cut(trial) < SMALL_CUT]
    if small:
        text = (
            f"{len(small)} episodes cut less than {SMALL_CUT:.0%} ({', '.join(small[:5])}); intervals were"
            " made from larger cuts."
        )
        yield Finding("episode-small-cut", "caution", text, {"episodes": small})
    if len(tried) < FEWEST_ERRORS:
        text = f"{len(tried)} episodes tell little about skill; the registry's scores tell more."
        yield Finding("few-episodes", "info", text, {"episodes": len(tried)})


def _cut(trial: Trial) -> float:
    case = trial.case
    before = sum(float(case.records.exports[place, case.t - 1]) for place in case.cutting)
    return 1 - float(case.known_exports.sum()) / before


def _derivations() -> tuple[Derivation, ...]:
    return (
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
        Derivation(
            "forecasts",
            "low_t",
            "E73",
            ("intervals.low",),
            "Forecast times the factor of its class and unrest.",
        ),
        Derivation(
            "forecasts",
            "high_t",
            "E73",
            ("intervals.high",),
            "Forecast times the factor of its class and unrest.",
        ),
        Derivation(
            "episodes",
            "unit_value_forecast",
            "E72",
            ("episodes.lost",),
            "World unit value over that of the year before.",
        ),
        Derivation("coefficients", "value", "E65", (), "Least absolute deviations over every code and year."),
        Derivation(
            "intervals",
            "low",
            "E73",
            (),
            "Shortest interval of past errors, for an amount of typical unrest.",
        ),
        Derivation(
            "intervals",
            "high",
            "E73",
            (),
            "Shortest interval of past errors, for an amount of typical unrest.",
        ),
    )
