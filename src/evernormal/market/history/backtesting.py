"""Back-test: would the model have been right?  On the registry, or on anybody's own episodes and trade."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, get_args

from evernormal.errors import EvernormalError, InputError, NotCoveredError
from evernormal.market.history.asked import asked_episodes
from evernormal.market.history.candidates import CORE, TIERS, WIDER
from evernormal.market.history.common_factor import CommonFactor
from evernormal.market.history.cross_validation import Trial, try_episode
from evernormal.market.history.episodes import HELD_OUT, TRAIN, Episode, build_registry, check_split, registry
from evernormal.market.history.handing_over import Tried, named, result_of
from evernormal.market.history.intervals import ErrorRow, error_rows
from evernormal.market.history.layout import read_trade
from evernormal.market.history.records import TradeRecords, arrange
from evernormal.market.history.reduced_form import ReducedForm
from evernormal.market.history.runs import Advance, Apart, cross_validated, earlier_years, frozen, ground
from evernormal.market.history.score_tables import SPLITS
from evernormal.market.history.shipped import shipped_errors, shipped_fold, shipped_models
from evernormal.market.history.situation import situation
from evernormal.result import Finding, Result

__all__ = ["backtest"]

FEWEST_CODES, FEWEST_YEARS = 20, 8
"""With fewer codes or years than these nothing is fitted anew: too little to learn from."""

FEWEST_ERRORS = 30
"""With fewer episodes than these, intervals come from the registry's errors."""


def backtest(
    episodes: Any = None,
    trade: Any = None,
    *,
    tier: str = "core",
    refit: bool | None = None,
    apart: Apart = "mineral",
    skip: bool = False,
    frozen_split: bool = True,
    folder: str | Path | None = None,
    as_of: date | str | None = None,
    advance: Advance | None = None,
) -> Result:
    """Try baselines, equilibria and the reduced form on past export cuts.

    Every episode is tried by coefficients that never saw its mineral (equations E65 to E73).  With the
    shipped trade and no episodes, the frozen registry is tried, and the frozen split beside it.

    Args:
        episodes: ``(code, exporter, year)`` each, exporter in ISO 3166 alpha-3 or BACI's number, and
            ``train`` or ``held-out`` as a fourth part where there is a split; or a table of these, or the
            path of one as CSV.  Several exporters of one code and year are one episode.  None for the
            registry: the frozen one for the shipped trade, one made by the same rules for any other.
        trade: None for the shipped trade; the name of a data set in ``folder``; the path of a CSV or Parquet
            file; or a table in BACI's layout (t, i, j, k, v, q) or ours (year, exporter, importer, code,
            value_usd, quantity_t).  Codes are whatever the table holds.
        tier: ``core`` (share of world exports 15 %, cut 40 %) or ``wider`` (10 %, 25 %), without episodes.
        refit: fit anew on this trade, fold by fold, which takes a minute; False to use the coefficients that
            come with the program, of which each fold has its own.  Left out: fit anew for a registry,
            not for episodes, and not on fewer than 20 codes or 8 years.
        apart: what coefficients must not have seen: ``mineral`` (the code and every other stage and grade of
            its mineral), ``code`` (the code alone) or ``years`` (the year and any later one).  The last two
            fit anew.
        skip: leave out episodes that cannot be tried and say which, in place of an error.
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
        InputError: no episode, one that is not three parts, one twice, a split that leaks, an exporter that
            shipped nothing or an unknown quantity the year before, a trade table without the columns, with a
            wrong value or with a row twice; several episodes that cannot be tried.
        UnknownNameError: an episode's code or exporter is not in the trade.
        NotCoveredError: an episode's year is not in the trade; too little trade to fit on.
        SourceFormatError: a file that cannot be read.

    Example:
        Indonesia's nickel ore ban of 2020, on a small table and by the shipped coefficients:

        >>> from evernormal.data import scan_trade
        >>> from evernormal.market import backtest
        >>> ores = scan_trade(["260400", "260600"]).collect()
        >>> tried = backtest([("260400", "IDN", 2020)], ores)["episodes"].row(0, named=True)
        >>> tried["flows_model"] < tried["flows_rule"]
        True
        >>> tried["unit_value_low"] < tried["unit_value_actual"] < tried["unit_value_high"]
        True
    """
    _require(tier, apart, refit)
    asked = None if episodes is None else asked_episodes(episodes)
    if asked is not None:
        check_split(asked)
    wanted = {one.code for one in asked or ()}
    rows, revision, source = read_trade(trade, folder=folder, as_of=as_of, wanted=wanted)
    records = arrange(rows, revision=revision)
    if len(records.years) < 3:
        raise NotCoveredError(
            "the trade table has fewer than three years", cure="An episode needs two years before it."
        )
    anew, findings = _anew(records, refit, apart, asked is None)
    known = _Trade(records, _cuts(records, trade is None) if anew or asked is None else (), trade is None)
    tested = asked if asked is not None else tuple(e for e in known.cuts if e.tier == tier)
    tested, left_out = _measured(records, tested, skip)
    run = _run(known, tested, anew, apart, asked is not None, frozen_split and tier == CORE.name, advance)
    repeated = int(rows.select("year", "exporter", "importer", "code").is_duplicated().sum())
    call = {
        "trade": trade if trade is None or isinstance(trade, str) else "given",
        "tier": tier,
        "refit": refit,
        "apart": apart,
        "skip": skip,
        "frozen_split": frozen_split,
        "as_of": None if as_of is None else str(as_of),
    }
    early = _too_early(tested, run.trials[SPLITS[apart]])
    findings = (*findings, *_of_rows(repeated), *left_out, *early)
    return result_of(run, records, source, asked is not None, findings, call)


@dataclass(frozen=True)
class _Trade:
    """Trade, the cuts that are known in it, and whether it is the shipped one."""

    records: TradeRecords
    cuts: tuple[Episode, ...]
    shipped: bool

    @property
    def core(self) -> tuple[Episode, ...]:
        return tuple(e for e in self.cuts if e.tier == CORE.name)


def _require(tier: str, apart: str, refit: bool | None) -> None:
    if tier not in TIERS:
        raise InputError(f"tier must be one of {', '.join(TIERS)}, got {tier!r}")
    if apart not in get_args(Apart):
        raise InputError(f"apart must be one of {', '.join(get_args(Apart))}, got {apart!r}")
    if refit is False and apart != "mineral":
        raise InputError(
            f"apart={apart!r} fits anew, and refit is False",
            cure="Leave refit out, or apart: the shipped coefficients are apart by mineral.",
        )


def _anew(
    records: TradeRecords, refit: bool | None, apart: str, of_registry: bool
) -> tuple[bool, tuple[Finding, ...]]:
    """Return whether to fit anew, and what to say about it."""
    codes, years = len(records.codes), len(records.years)
    enough = codes >= FEWEST_CODES and years >= FEWEST_YEARS
    demanded = refit is True or apart != "mineral"
    if demanded and not enough:
        raise NotCoveredError(
            f"the trade table has {codes} codes and {years} years, too little to fit on",
            cure=f"Give {FEWEST_CODES} codes and {FEWEST_YEARS} years, or use the shipped coefficients.",
        )
    if demanded or (of_registry and refit is None and enough):
        return True, ()
    text = (
        "Coefficients come with the program. No episode was tried by any that saw its mineral: those of its"
        " fold were fitted without it."
    )
    return False, (Finding("shipped-coefficients", "info", text, {"codes": codes, "years": years}),)


def _of_rows(repeated: int) -> tuple[Finding, ...]:
    if not repeated:
        return ()
    text = (
        f"{repeated} rows have year, exporter, importer and code in common with another row: their values"
        " and quantities were added up."
    )
    return (Finding("trade-rows-added", "caution", text, {"rows": repeated}),)


def _cuts(records: TradeRecords, shipped: bool) -> tuple[Episode, ...]:
    if shipped:
        return (*registry(CORE.name), *registry(WIDER.name))
    return build_registry(records)[0]


def _measured(
    records: TradeRecords, episodes: Sequence[Episode], skip: bool
) -> tuple[tuple[Episode, ...], tuple[Finding, ...]]:
    """Return the episodes with their lost share, after checking that the trade holds them."""
    found, wrong = [], []
    for one in episodes:
        try:
            case = situation(records.records(one.code), one.exporters, one.year)
        except EvernormalError as error:
            wrong.append((one, error))
        else:
            found.append(replace(one, lost=case.lost))
    if wrong and (not skip or not found):
        if len(wrong) == 1:
            raise wrong[0][1]
        shown = "; ".join(f"{one.name}: {error.what}" for one, error in wrong[:5])
        shown += " ..." if wrong[5:] else ""
        raise InputError(
            f"{len(wrong)} of {len(episodes)} episodes cannot be tried ({shown})",
            where="episodes",
            cure="Correct them, or leave them out with skip.",
        )
    check_split(found)
    return tuple(found), _left_out(wrong)


def _left_out(wrong: Sequence[tuple[Episode, EvernormalError]]) -> tuple[Finding, ...]:
    if not wrong:
        return ()
    names = [one.name for one, _ in wrong]
    shown = "; ".join(f"{one.name}: {error.what}" for one, error in wrong[:5])
    text = f"Left out because they cannot be tried, {len(wrong)} of all episodes ({shown})."
    return (Finding("episodes-left-out", "caution", text, named(names)),)


def _too_early(tested: Sequence[Episode], tried: Sequence[Trial]) -> tuple[Finding, ...]:
    done = {trial.episode.name for trial in tried}
    names = [one.name for one in tested if one.name not in done]
    if not names:
        return ()
    text = f"Left out for want of earlier years to learn from, {len(names)} of {len(tested)} episodes."
    return (Finding("episodes-too-early", "info", text, named(names)),)


def _run(
    on: _Trade,
    tested: tuple[Episode, ...],
    anew: bool,
    apart: Apart,
    own: bool,
    with_split: bool,
    advance: Advance | None,
) -> Tried:
    """Try the episodes, by coefficients fitted anew or by those that are shipped."""
    trials: dict[str, Sequence[Trial]] = {}
    if anew:
        out = {(e.code, e.year) for e in tested}
        core = (*tested, *(e for e in on.core if (e.code, e.year) not in out))
        base = ground(on.records, core, on.cuts)
        try_all = earlier_years if apart == "years" else cross_validated
        keys: Mapping[str, Any] = {} if apart == "years" else {"apart": apart}
        trials[SPLITS[apart]], fitted = try_all(base, tested, advance=advance, **keys)
        if with_split and on.shipped and not own and apart == "mineral":
            trials[TRAIN], trials[HELD_OUT] = frozen(base, advance=advance)
        forms: tuple[ReducedForm, ...] = (fitted.plain, fitted.with_factor)
    else:
        trials[SPLITS["mineral"]] = _by_shipped(on.records, tested, advance)
        forms = (shipped_models().plain, shipped_models().with_factor)
    tried = trials[SPLITS[apart]]
    if own:
        for side in (TRAIN, HELD_OUT):
            chosen = [trial for trial in tried if trial.episode.split == side]
            trials |= {side: chosen} if chosen else {}
    errors: Sequence[ErrorRow] = shipped_errors()
    if anew and not own and len(tried) >= FEWEST_ERRORS:
        errors = error_rows(tried)
    return Tried(trials, errors, forms)


def _by_shipped(
    records: TradeRecords, tested: Sequence[Episode], advance: Advance | None
) -> tuple[Trial, ...]:
    factors, tried = CommonFactor(records), []
    for done, one in enumerate(tested, start=1):
        tried.append(try_episode(records, one, shipped_models(shipped_fold(one.code)), factors))
        if advance is not None:
            advance(done, len(tested))
    return tuple(tried)
