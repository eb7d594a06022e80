"""Fit and try: without the mineral, on the frozen split, on earlier years alone, on nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from evernormal.errors import NotCoveredError
from evernormal.market.history.common_factor import CommonFactor
from evernormal.market.history.cross_validation import Models, Trial, choose_elasticities, try_episode
from evernormal.market.history.episodes import HELD_OUT, TRAIN, Episode, check_split
from evernormal.market.history.equilibria import Elasticities
from evernormal.market.history.families import family_of
from evernormal.market.history.folds import FOLDS, folds_of, itself
from evernormal.market.history.panel import Panel, panel
from evernormal.market.history.prices import PriceRows, fit_prices, price_rows
from evernormal.market.history.records import TradeRecords
from evernormal.market.history.reduced_form import ReducedForm, fit, fit_folds

__all__ = [
    "Advance",
    "Apart",
    "Fitted",
    "Ground",
    "cross_validated",
    "earlier_years",
    "frozen",
    "ground",
    "nothing_learned",
]

Advance = Callable[[int, int], None]
Apart = Literal["mineral", "code", "years"]
"""What coefficients must not have seen: the mineral, the code alone, or the year and any later one."""

HELD_OUT_FOLDS = 5
STEPS = 6

FEWEST_YEARS_BEFORE = 4
"""Years of training rows that an episode needs before it to be forecast from earlier years alone."""

SEED = 20_240_102


@dataclass(frozen=True)
class Ground:
    """What training stands on: trade, known cuts, and the rows made from them once.

    Attributes:
        trade: records of every code.
        episodes: core episodes, for quantities.
        cuts: episodes of both tiers, for prices.
        factors: common factors.
        panels: training rows by side.
        prices: training rows of prices.
    """

    trade: TradeRecords
    episodes: tuple[Episode, ...]
    cuts: tuple[Episode, ...]
    factors: CommonFactor
    panels: Mapping[str, Panel]
    prices: PriceRows


@dataclass(frozen=True)
class Fitted:
    """What was fitted on everything, and the models of each fold; standard errors need every fold."""

    plain: ReducedForm
    with_factor: ReducedForm
    elasticities: Elasticities
    folds: Mapping[int, Models] = field(default_factory=dict)


def ground(trade: TradeRecords, episodes: Iterable[Episode], cuts: Iterable[Episode]) -> Ground:
    """Return the rows to train on.

    Args:
        trade: records of every code.
        episodes: core episodes.
        cuts: those of the wider tier, for prices; core episodes are added.
    """
    core = tuple(episodes)
    known = {(e.code, e.year) for e in core}
    both = (*core, *(e for e in cuts if (e.code, e.year) not in known))
    factors = CommonFactor(trade)
    return Ground(trade, core, both, factors, panel(trade, core, factors), price_rows(trade, both, factors))


def cross_validated(
    on: Ground,
    tested: Sequence[Episode],
    *,
    apart: Apart = "mineral",
    every_fold: bool = False,
    advance: Advance | None = None,
) -> tuple[tuple[Trial, ...], Fitted]:
    """Try every episode by models that never saw its mineral, and return what all codes give.

    Args:
        on: what to train on.
        tested: episodes to try.
        apart: what a fold leaves out: the mineral, or the code alone.
        every_fold: fit the folds too in which no episode is tried.
        advance: called with the steps done and the steps in all.

    Raises:
        InputError: no episode, or one twice.
    """
    check_split(tested)
    folds = folds_of(on.trade.codes, FOLDS, itself if apart == "code" else family_of)
    numbers = sorted(set(folds.values()) if every_fold else {folds[e.code] for e in tested})
    plain = fit(on.panels)
    with_factor = fit(on.panels, with_factor=True, start=plain)
    _tell(advance, 1)
    plain, left = fit_folds(on.panels, folds, plain, numbers=numbers)
    _tell(advance, 2)
    with_factor, left_factor = fit_folds(on.panels, folds, with_factor, left, numbers, on.factors)
    _tell(advance, 3)
    chosen, best = choose_elasticities(on.trade, on.episodes, folds)
    models = {n: _models(on, on.prices, folds, n, left[n], left_factor[n], chosen[n]) for n in numbers}
    trials = tuple(try_episode(on.trade, e, models[folds[e.code]], on.factors) for e in tested)
    _tell(advance, 4)
    return trials, Fitted(plain, with_factor, best, models)


def frozen(on: Ground, *, advance: Advance | None = None) -> tuple[tuple[Trial, ...], tuple[Trial, ...]]:
    """Fit on the training split alone; return its episodes, and those held out.

    A held-out episode is tried by models that saw no held-out episode, nor any year of its mineral.  A
    training episode is tried by models that were fitted on it.
    """
    train = [e for e in on.episodes if e.split == TRAIN]
    out = [e for e in on.episodes if e.split == HELD_OUT]
    hidden = [e for e in on.cuts if e.split == HELD_OUT]
    panels = {name: part.without(out) for name, part in on.panels.items()}
    prices = on.prices.without(hidden)
    plain = fit(panels)
    with_factor = fit(panels, with_factor=True, start=plain)
    _tell(advance, 5)
    folds = folds_of(on.trade.codes, HELD_OUT_FOLDS)
    numbers = sorted({folds[e.code] for e in out})
    _, left = fit_folds(panels, folds, plain, numbers=numbers)
    _, left_factor = fit_folds(panels, folds, with_factor, left, numbers, on.factors)
    chosen, best = choose_elasticities(on.trade, train, folds)
    seen = Models(plain, with_factor, fit_prices(prices), fit_prices(prices, with_factor=True), best)
    unseen = {n: _models(on, prices, folds, n, left[n], left_factor[n], chosen[n]) for n in numbers}
    trained = tuple(try_episode(on.trade, e, seen, on.factors) for e in train)
    held = tuple(try_episode(on.trade, e, unseen[folds[e.code]], on.factors) for e in out)
    _tell(advance, STEPS)
    return trained, held


def earlier_years(
    on: Ground, tested: Sequence[Episode], *, advance: Advance | None = None
) -> tuple[tuple[Trial, ...], Fitted]:
    """Try every episode by models that were fitted on the years before it, and on nothing later (law 11).

    This is what a forecaster of that year could have had: other minerals' past and the mineral's own.
    Episodes with fewer than four years of training rows before them are left out.

    Raises:
        NotCoveredError: no episode has enough years before it.
    """
    check_split(tested)
    first = int(min(part.year.min() for part in on.panels.values())) + FEWEST_YEARS_BEFORE
    years = sorted({e.year for e in tested if e.year >= first})
    if not years:
        raise NotCoveredError(
            "no episode has enough years before it to learn from",
            cure=f"Give episodes of {first} or later, or leave apart the mineral.",
        )
    trials: list[Trial] = []
    models: Models | None = None
    for done, year in enumerate(years, start=1):
        models = _of_years_before(on, year, models)
        trials += [try_episode(on.trade, e, models, on.factors) for e in tested if e.year == year]
        if advance is not None:
            advance(done, len(years))
    assert models is not None
    return tuple(trials), Fitted(models.plain, models.with_factor, models.elasticities)


def _of_years_before(on: Ground, year: int, start: Models | None) -> Models:
    panels = {name: part.before(year) for name, part in on.panels.items()}
    plain = fit(panels, start=None if start is None else start.plain)
    prices = on.prices.before(year)
    _, best = choose_elasticities(on.trade, [e for e in on.episodes if e.year < year], {})
    return Models(
        plain,
        fit(panels, with_factor=True, start=plain),
        fit_prices(prices),
        fit_prices(prices, with_factor=True),
        best,
    )


def nothing_learned(on: Ground, tested: Sequence[Episode]) -> tuple[Trial, ...]:
    """Try every episode by models fitted on shuffled outcomes.

    What they still gain is no knowledge: it is what a forecast gains that is a little too small.  Skill has
    to be read against this line.
    """
    rng = np.random.default_rng(SEED)
    panels = {name: replace(part, target=rng.permutation(part.target)) for name, part in on.panels.items()}
    prices = replace(on.prices, target=rng.permutation(on.prices.target))
    plain = fit(panels)
    models = Models(
        plain,
        fit(panels, with_factor=True, start=plain),
        fit_prices(prices),
        fit_prices(prices, with_factor=True),
        choose_elasticities(on.trade, on.episodes, {})[1],
    )
    return tuple(try_episode(on.trade, e, models, on.factors) for e in tested)


def _models(
    on: Ground,
    prices: PriceRows,
    folds: Mapping[str, int],
    number: int,
    plain: ReducedForm,
    with_factor: ReducedForm,
    elasticities: Elasticities,
) -> Models:
    out = [code for code, fold in folds.items() if fold == number]
    return Models(
        plain,
        with_factor,
        fit_prices(prices, without=out),
        fit_prices(prices.with_factors(on.factors.without(out)), with_factor=True, without=out),
        elasticities,
    )


def _tell(advance: Advance | None, done: int) -> None:
    if advance is not None:
        advance(done, STEPS)
