"""Fit and try: leave-code-out cross-validation, and the frozen split."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from evernormal.market.history.common_factor import CommonFactor
from evernormal.market.history.cross_validation import Models, Trial, choose_elasticities, try_episode
from evernormal.market.history.episodes import HELD_OUT, TRAIN, Episode, check_split
from evernormal.market.history.equilibria import Elasticities
from evernormal.market.history.folds import FOLDS, folds_of
from evernormal.market.history.panel import Panel, panel
from evernormal.market.history.prices import PriceRows, fit_prices, price_rows
from evernormal.market.history.records import TradeRecords
from evernormal.market.history.reduced_form import ReducedForm, fit, fit_folds

__all__ = ["Advance", "Fitted", "Ground", "cross_validated", "frozen", "ground"]

Advance = Callable[[int, int], None]
HELD_OUT_FOLDS = 5


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
    """What was fitted on everything: with standard errors where folds gave them."""

    plain: ReducedForm
    with_factor: ReducedForm
    elasticities: Elasticities


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
    on: Ground, tested: Sequence[Episode], *, advance: Advance | None = None
) -> tuple[tuple[Trial, ...], Fitted]:
    """Try every episode by models that never saw its code, and return what all codes give.

    Args:
        on: what to train on.
        tested: episodes to try.
        advance: called with the steps done and the steps in all.

    Raises:
        InputError: no episode, or one twice.
    """
    check_split(tested)
    folds = folds_of((e.code for e in tested), FOLDS)
    panels = on.panels
    plain = fit(panels)
    with_factor = fit(panels, with_factor=True, start=plain)
    _tell(advance, 1)
    plain, left = fit_folds(panels, folds, plain)
    _tell(advance, 2)
    with_factor, left_factor = fit_folds(panels, folds, with_factor, left)
    _tell(advance, 3)
    chosen, best = choose_elasticities(on.trade, on.episodes, folds)
    models = {
        number: _models(on.prices, folds, number, left[number], left_factor[number], chosen[number])
        for number in sorted(set(folds.values()))
    }
    trials = tuple(try_episode(on.trade, e, models[folds[e.code]], on.factors) for e in tested)
    _tell(advance, 4)
    return trials, Fitted(plain, with_factor, best)


def frozen(on: Ground, *, advance: Advance | None = None) -> tuple[tuple[Trial, ...], tuple[Trial, ...]]:
    """Fit on the training split alone; return its episodes, and those held out.

    A held-out episode is tried by models that saw no held-out episode, nor any year of its code.  A
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
    folds = folds_of((e.code for e in out), HELD_OUT_FOLDS)
    _, left = fit_folds(panels, folds, plain)
    _, left_factor = fit_folds(panels, folds, with_factor, left)
    chosen, best = choose_elasticities(on.trade, train, folds)
    seen = Models(plain, with_factor, fit_prices(prices), fit_prices(prices, with_factor=True), best)
    unseen = {
        number: _models(prices, folds, number, left[number], left_factor[number], chosen[number])
        for number in sorted(set(folds.values()))
    }
    trained = tuple(try_episode(on.trade, e, seen, on.factors) for e in train)
    held = tuple(try_episode(on.trade, e, unseen[folds[e.code]], on.factors) for e in out)
    _tell(advance, 6)
    return trained, held


def _models(
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
        fit_prices(prices, with_factor=True, without=out),
        elasticities,
    )


def _tell(advance: Advance | None, done: int) -> None:
    if advance is not None:
        advance(done, 6)
