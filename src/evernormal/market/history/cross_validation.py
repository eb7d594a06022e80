"""Try every rule and model on every episode, each with coefficients that never saw the episode's code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
from numpy.typing import NDArray

from evernormal.market.history.baselines import BASELINES
from evernormal.market.history.closing import Closed, close
from evernormal.market.history.common_factor import CommonFactor, price_change
from evernormal.market.history.episodes import Episode
from evernormal.market.history.equilibria import TEXTBOOK, Cleared, Elasticities, isoelastic, linear
from evernormal.market.history.prices import PriceModel
from evernormal.market.history.records import TradeRecords
from evernormal.market.history.reduced_form import ReducedForm
from evernormal.market.history.scores import SCORES, flow_scores
from evernormal.market.history.situation import Situation, situation

__all__ = [
    "GRID",
    "KNOWN",
    "Models",
    "Trial",
    "choose_elasticities",
    "elasticity_errors",
    "elasticity_intervals",
    "try_episode",
]

Floats = NDArray[np.float64]

KNOWN = ("nothing else", "year's factor", "importers cut")

GRID = tuple(
    Elasticities(demand, supply, substitution)
    for demand, supply, substitution in product(
        (0.5, 1.0, 2.5, 5.0, 10.0), (0.05, 0.15, 0.3), (0.3, 1.0, 3.0)
    )
)
"""Elasticities among which each fold chooses."""


@dataclass(frozen=True)
class Models:
    """What was fitted without the codes on which it is tried."""

    plain: ReducedForm
    with_factor: ReducedForm
    price: PriceModel
    price_with_factor: PriceModel
    elasticities: Elasticities


@dataclass(frozen=True)
class Trial:
    """One episode, tried.

    Attributes:
        episode: which.
        case: its situation.
        scores: (what is known, model) to score to value.
        price: (what is known, model) to forecast log change of the world unit value.
        price_actual: log change that happened; nan where unknown.
        closed: the reduced form's forecast, by what is known.
    """

    episode: Episode
    case: Situation
    scores: Mapping[tuple[str, str], Mapping[str, float]]
    price: Mapping[tuple[str, str], float]
    price_actual: float
    closed: Mapping[str, Closed] = field(default_factory=dict)


def try_episode(trade: TradeRecords, episode: Episode, models: Models, factors: CommonFactor) -> Trial:
    """Return the scores of every rule and model on an episode.

    Raises:
        UnknownNameError, NotCoveredError, InputError: the episode is not in the trade table.
    """
    records = trade.records(episode.code)
    case = situation(records, episode.exporters, episode.year)
    aware = situation(records, episode.exporters, episode.year, importers_known=True)
    factor = factors.of(episode.code, case.t)
    scores: dict[tuple[str, str], dict[str, float]] = {}
    price: dict[tuple[str, str], float] = {}
    for name, rule in BASELINES.items():
        scores[KNOWN[0], name] = flow_scores(case, rule(case))
        price[KNOWN[0], name] = 0.0
    scores[KNOWN[2], "pro-rata cut"] = flow_scores(aware, aware.pro_rata)
    textbook, fitted = linear(case, TEXTBOOK), isoelastic(case, models.elasticities)
    for name, cleared in (("textbook equilibrium", textbook), ("fitted equilibrium", fitted)):
        scores[KNOWN[0], name] = flow_scores(case, cleared.flows)
        price[KNOWN[0], name] = float(np.log(max(cleared.world_price, 1e-12)))
    closed: dict[str, Closed] = {}
    for known, where, form in (
        (KNOWN[0], case, models.plain),
        (KNOWN[1], case, models.with_factor),
        (KNOWN[2], aware, models.plain),
    ):
        amounts = form.amounts(where, factor if form.with_factor else None)
        made = close(where, amounts)
        closed[known] = made
        scores[known, "reduced form"] = flow_scores(where, made.flows, made.imports, made.exports)
        scores[known, "reduced form, routes spread"] = flow_scores(where, made.spread)
        scores[known, "reduced form, not closed"] = flow_scores(
            where, amounts["routes"], amounts["importers"], amounts["exporters"]
        )
    scores[KNOWN[0], "half and half"] = _half(case, closed[KNOWN[0]], fitted)
    price[KNOWN[0], "reduced form"] = models.price.change(case)
    price[KNOWN[1], "reduced form"] = models.price_with_factor.change(case, factor.unit_value)
    return Trial(episode, case, scores, price, float(price_change(records)[case.t]), closed)


def _half(case: Situation, closed: Closed, cleared: Cleared) -> dict[str, float]:
    from evernormal.market.history.records import exports_of, imports_of  # noqa: PLC0415

    records = case.records
    return flow_scores(
        case,
        (closed.flows + cleared.flows) / 2,
        (closed.imports + imports_of(records, cleared.flows)) / 2,
        (closed.exports + exports_of(records, cleared.flows)) / 2,
    )


def choose_elasticities(
    trade: TradeRecords, episodes: Sequence[Episode], folds: Mapping[str, int]
) -> tuple[dict[int, Elasticities], Elasticities]:
    """Return the elasticities with the least error outside each fold, and those of all.

    The error of a choice is the mean over the three scores of its error over that of the pro-rata cut.
    """
    errors, rule = elasticity_errors(trade, episodes)
    number = np.array([folds.get(episode.code, -1) for episode in episodes])
    chosen = {f: _best(errors, rule, number != f) for f in sorted(set(folds.values()))}
    return chosen, _best(errors, rule, number >= -1)


def elasticity_errors(trade: TradeRecords, episodes: Sequence[Episode]) -> tuple[Floats, Floats]:
    """Return (choices, episodes, scores) errors of :data:`GRID`, and (episodes, scores) of the rule."""
    errors = np.zeros((len(GRID), len(episodes), len(SCORES)))
    rule = np.zeros((len(episodes), len(SCORES)))
    for n, episode in enumerate(episodes):
        case = situation(trade.records(episode.code), episode.exporters, episode.year)
        rule[n] = _three(flow_scores(case, case.pro_rata))
        for g, elasticities in enumerate(GRID):
            errors[g, n] = _three(flow_scores(case, isoelastic(case, elasticities).flows))
    return errors, rule


def elasticity_intervals(
    errors: Floats, rule: Floats, codes: Sequence[str], draws: int = 500, seed: int = 1
) -> dict[str, tuple[float, float]]:
    """Return the 10 and 90 % points of each elasticity when codes are drawn again.

    Args:
        errors: as :func:`elasticity_errors` returns.
        rule: likewise.
        codes: code of each episode.
        draws: how often.
        seed: of the draws.
    """
    names, place = np.unique(np.asarray(codes), return_inverse=True)
    picks = np.random.default_rng(seed).integers(0, len(names), (draws, len(names)))
    chosen = []
    for pick in picks:
        weight = np.bincount(pick, minlength=len(names))[place].astype(float)
        ratio = np.einsum("e,ges->gs", weight, errors) / (weight @ rule)
        chosen.append(GRID[int(np.argmin(ratio.mean(axis=1)))])
    return {
        name: tuple(np.quantile([getattr(one, name) for one in chosen], [0.1, 0.9]).tolist())
        for name in ("demand", "supply", "substitution")
    }


def _three(scores: Mapping[str, float]) -> list[float]:
    return [scores[name] for name in SCORES]


def _best(errors: Floats, rule: Floats, used: NDArray[np.bool_]) -> Elasticities:
    if not used.any():
        return Elasticities(2.5, 0.15, 1.0)
    ratio = errors[:, used].sum(axis=1) / rule[used].sum(axis=0)
    return GRID[int(np.argmin(ratio.mean(axis=1)))]
