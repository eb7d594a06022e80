"""What the reduced form looks at, for importers, exporters and routes: the lags of an amount and the cut.

Every feature is a ratio or a share, so that no unit of quantity and no name of a country matters (law 7).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evernormal.market.history.records import exports_of, imports_of
from evernormal.market.history.situation import Situation

__all__ = ["SIDES", "Side", "Sides"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Terms = dict[str, Floats]

SMALLEST = 1e-5
"""Amounts below this share of the world's trade are left as they were."""

MUCH = 0.2
"""Share of the world's trade beyond which a loss is large: scarcity grows faster than the loss."""

FARTHEST = 3.0
"""Logarithms of ratios are cut here: a factor of 20."""


@dataclass(frozen=True)
class Sides:
    """One side of a situation: which amounts are forecast, from what.

    Attributes:
        place: (n,) country, or pair for routes, of each row.
        names: of the features.
        matrix: (n, K) features.
        base: (n,) tonnes that the factor multiplies: what the pro-rata cut says.
    """

    place: Integers
    names: tuple[str, ...]
    matrix: Floats
    base: Floats


@dataclass(frozen=True)
class Side:
    """A side of the reduced form.

    Attributes:
        name: ``purchases`` (imports from those that do not cut), ``importers`` (all imports), ``exporters``
            (that do not cut) or ``routes`` (between those that do not cut and everyone).
        rows: makes the rows of a situation.
        smallest: least share of the world's trade of a row that is trained on.
        actual: (all countries or pairs,) tonnes of the year, for training alone.
        before: (all countries or pairs,) tonnes that the pro-rata cut says.
    """

    name: str
    rows: Callable[[Situation, float], Sides]
    smallest: float
    actual: Callable[[Situation], Floats]
    before: Callable[[Situation], Floats]


def _log_ratio(above: Floats, below: Floats) -> Floats:
    ratio = np.log(np.maximum(above, 1e-300)) - np.log(np.maximum(below, 1e-300))
    return np.asarray(np.clip(ratio, -FARTHEST, FARTHEST))


def _size(amount: Floats, world: float) -> Floats:
    """Size on a scale where 1 is about 13 % of the world and 0 about 0.7 %."""
    share = np.log(np.maximum(amount / world, 1e-300))
    return np.asarray((np.clip(share, -11.0, 0.0) + 5.0) / 3.0)


def _lag_terms(lags: Floats, world: float) -> Terms:
    """Terms of an amount's own past: how far, and how unsteadily, last year is from the usual."""
    last = lags[:, -1]
    size = _size(last, world)
    one, two, three = (_log_ratio(lags[:, -1 - back], last) for back in (1, 2, 3))
    usual = np.median(np.column_stack([np.zeros_like(one), one, two, three]), axis=1)
    mean = np.log((1 + np.exp(one) + np.exp(two) + np.exp(three)) / 4)
    unrest = np.minimum((np.abs(one) + np.abs(two - one) + np.abs(three - two)) / 3, FARTHEST)
    above, below = np.maximum(usual, 0), np.minimum(usual, 0)
    terms: Terms = {"constant": np.ones_like(size), "size": size, "size_squared": size**2}
    for name, lag in (("lag_2", one), ("lag_3", two), ("lag_4", three)):
        terms[f"{name}_above"], terms[f"{name}_below"] = np.maximum(lag, 0), np.minimum(lag, 0)
    return terms | {
        "usual_above": above,
        "usual_below": below,
        "mean": mean,
        "unrest": unrest,
        "unrest_squared": unrest**2,
        "unrest_by_size": unrest * size,
        "usual_above_by_size": above * size,
        "usual_below_by_size": below * size,
        "usual_above_by_unrest": above * unrest,
        "usual_below_by_unrest": below * unrest,
    }


def _cut_terms(case: Situation, terms: Terms, hit: Floats) -> Terms:
    """Terms of the cut and of the world's own past."""
    ones = np.ones_like(hit)
    usual, unrest = terms["usual_above"] + terms["usual_below"], terms["unrest"]
    world = case.world
    return {
        "world_last": ones * np.clip(np.log(world[-1] / world[-2]), -1.0, 1.0),
        "world_three": ones * np.clip(np.log(world[-1] / max(world[0], 1e-300)), -1.5, 1.5),
        "lost": ones * case.lost,
        "lost_much": ones * max(case.lost - MUCH, 0.0),
        "hit": hit,
        "hit_by_size": hit * terms["size"],
        "lost_by_usual": case.lost * usual,
        "lost_by_unrest": case.lost * unrest,
        "hit_by_lost": hit * case.lost,
    }


def _stack(place: Integers, terms: Terms, base: Floats) -> Sides:
    return Sides(
        place,
        tuple(terms),
        np.column_stack(list(terms.values())) if len(place) else np.zeros((0, len(terms))),
        base,
    )


def _importers(case: Situation, smallest: float) -> Sides:
    records, world = case.records, float(case.world[-1])
    lags = imports_of(records, case.lags)
    after = imports_of(records, case.pro_rata)
    place = np.flatnonzero((lags[:, -1] > smallest * world) & (after > 1e-7 * world))
    terms = _lag_terms(lags[place], world)
    hit, size = case.importer_loss[place], terms["size"]
    usual = terms["usual_above"] + terms["usual_below"]
    total = np.where(lags[:, -1] > 0, lags[:, -1], 1.0)
    supplier = imports_of(records, (case.base / total[records.importer]) ** 2)[place]
    shipped = exports_of(records, case.base)[place]
    rest = _lag_terms(imports_of(records, case.rest)[place] + 1e-9 * world, world)
    from_others = (rest["usual_above"] + rest["usual_below"]) * (hit > 0)
    terms |= _cut_terms(case, terms, hit) | {
        "hit_squared": hit**2,
        "hit_by_usual": hit * usual,
        "hit_by_unrest": hit * terms["unrest"],
        "supplier_concentration": supplier,
        "supplier_concentration_by_hit": supplier * hit,
        "passed_on": np.minimum(shipped / lags[place, -1], 2.0),
        "lost_by_size": case.lost * size,
        "usual_from_others": from_others,
        "usual_above_from_others": np.maximum(from_others, 0),
        "unrest_from_others": rest["unrest"] * (hit > 0),
    }
    return _stack(place, terms, after[place])


def _purchases(case: Situation, smallest: float) -> Sides:
    records, world = case.records, float(case.world[-1])
    lags = imports_of(records, case.rest)
    place = np.flatnonzero(lags[:, -1] > smallest * world)
    terms = _lag_terms(lags[place], world)
    terms |= _cut_terms(case, terms, case.importer_loss[place])
    return _stack(place, terms, lags[place, -1])


def _exporters(case: Situation, smallest: float) -> Sides:
    records, world = case.records, float(case.world[-1])
    lags = exports_of(records, case.rest)
    place = np.flatnonzero(lags[:, -1] > smallest * world)
    terms = _lag_terms(lags[place], world)
    terms |= _cut_terms(case, terms, case.market_loss[place])
    del terms["hit_by_lost"]  # a mean over markets says little about each of them
    return _stack(place, terms, lags[place, -1])


def _routes(case: Situation, smallest: float) -> Sides:
    records, world = case.records, float(case.world[-1])
    place = np.flatnonzero(case.rest[:, -1] > smallest * world)
    terms = _lag_terms(case.rest[place], world)
    exporter, importer = records.exporter[place], records.importer[place]
    shipped, bought = exports_of(records, case.lags)[exporter], imports_of(records, case.lags)[importer]
    terms |= _cut_terms(case, terms, case.importer_loss[importer])
    for name, total in (("exporter", shipped), ("importer", bought)):
        grown = np.clip(_log_ratio(total[:, -2], total[:, -1]), -2.0, 2.0)
        terms |= {
            f"{name}_size": _size(total[:, -1], world),
            f"{name}_lag_2_above": np.maximum(grown, 0),
            f"{name}_lag_2_below": np.minimum(grown, 0),
            f"share_of_{name}": case.rest[place, -1] / total[:, -1],
        }
    return _stack(place, terms, case.rest[place, -1])


def _actual_imports(case: Situation) -> Floats:
    return np.asarray(case.records.imports[:, case.t])


def _actual_exports(case: Situation) -> Floats:
    return np.asarray(case.records.exports[:, case.t])


def _actual_flows(case: Situation) -> Floats:
    return np.asarray(case.records.quantity[:, case.t])


def _actual_purchases(case: Situation) -> Floats:
    flows = case.records.quantity[:, case.t]
    return imports_of(case.records, np.where(case.of_cutting, 0.0, flows))


SIDES = (
    Side(
        "purchases",
        _purchases,
        SMALLEST,
        _actual_purchases,
        lambda case: imports_of(case.records, case.rest[:, -1]),
    ),
    Side(
        "importers",
        _importers,
        SMALLEST,
        _actual_imports,
        lambda case: imports_of(case.records, case.pro_rata),
    ),
    Side(
        "exporters",
        _exporters,
        SMALLEST,
        _actual_exports,
        lambda case: exports_of(case.records, case.rest[:, -1]),
    ),
    Side("routes", _routes, 3e-4, _actual_flows, lambda case: case.rest[:, -1].copy()),
)
