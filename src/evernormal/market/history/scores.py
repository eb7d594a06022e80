"""Scores of a forecast against what happened, episode by episode, and their change against a rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from evernormal.market.history.records import exports_of, imports_of
from evernormal.market.history.situation import Situation

__all__ = ["SCORES", "Change", "bootstrap_change", "bootstrap_mean", "flow_scores"]

Floats = NDArray[np.float64]

SCORES = ("imports", "other exporters", "flows")
RANKED_SHARE = 0.02
"""Importers with at least this share of the world's imports are ranked by their loss."""

DRAWS = 2_000
SEED = 20_240_101


def flow_scores(
    case: Situation, flows: Floats, imports: Floats | None = None, exports: Floats | None = None
) -> dict[str, float]:
    """Return the errors of a forecast, as fractions of the world's trade (equation E70).

    Sums of absolute errors over importers, over exporters that did not cut, and over pairs, each over the
    mean of the world's tonnes of the year before and of the year.  ``rank of losses`` is Spearman's
    correlation of the relative change of imports, over importers with 2 % of the world or more; nan below
    four of them.  ``rank of tonnes lost`` is the same of the change in tonnes.

    Args:
        case: the situation, whose year is now looked at.
        flows: (P,) tonnes forecast.
        imports: (N,) tonnes forecast; sums of the flows when omitted.
        exports: (N,) likewise.
    """
    records, t = case.records, case.t
    received = imports_of(records, flows) if imports is None else imports
    shipped = exports_of(records, flows) if exports is None else exports
    others = np.ones(len(records.countries), dtype=np.bool_)
    others[list(case.cutting)] = False
    before, after = records.imports[:, t - 1], records.imports[:, t]
    large = before >= RANKED_SHARE * case.world[-1]
    return {
        "imports": float(np.abs(received - after).sum() / case.size),
        "other exporters": float(np.abs(shipped - records.exports[:, t])[others].sum() / case.size),
        "flows": float(np.abs(flows - records.quantity[:, t]).sum() / case.size),
        "rank of losses": _spearman(
            (received / np.maximum(before, 1e-300))[large], (after / np.maximum(before, 1e-300))[large]
        ),
        "rank of tonnes lost": _spearman((received - before)[large], (after - before)[large]),
    }


def _spearman(one: Floats, two: Floats) -> float:
    if len(one) < 4:
        return float("nan")
    first, second = rankdata(one.round(12)), rankdata(two.round(12))
    spread = first.std() * second.std()
    if spread == 0:
        return 0.0
    return float(((first - first.mean()) * (second - second.mean())).mean() / spread)


@dataclass(frozen=True)
class Change:
    """A figure with the ends of its 80 % interval."""

    value: float
    low: float
    high: float
    episodes: int


def bootstrap_change(errors: Sequence[float], rule: Sequence[float], codes: Sequence[str]) -> Change:
    """Return by how much an error is below that of a rule, as a fraction: 1 - sum / sum (equation E71).

    The 80 % interval draws codes with replacement: episodes of one code share their statistics.  Where the
    rule makes no error there is no fraction, and the figures are nan.

    Example:
        >>> bootstrap_change([0.9, 0.9], [1.0, 1.0], ["260400", "260600"]).value.__round__(3)
        0.1
    """
    pairs = np.column_stack([np.asarray(errors, dtype=float), np.asarray(rule, dtype=float)])
    pairs, groups = _by_code(pairs, codes)
    total = pairs.sum(axis=0)
    drawn = groups.sum(axis=1)
    if not total[1] > 0:
        return Change(float("nan"), float("nan"), float("nan"), len(pairs))
    drawn = drawn[drawn[:, 1] > 0]
    low, high = np.quantile(1 - drawn[:, 0] / drawn[:, 1], [0.1, 0.9])
    return Change(float(1 - total[0] / total[1]), float(low), float(high), len(pairs))


def bootstrap_mean(values: Sequence[float], codes: Sequence[str]) -> Change:
    """Return the mean of the known values with its 80 % interval, codes drawn with replacement."""
    known = np.asarray(values, dtype=float)
    table = np.column_stack([np.nan_to_num(known), np.isfinite(known).astype(float)])
    table, groups = _by_code(table, codes)
    total, drawn = table.sum(axis=0), groups.sum(axis=1)
    means = drawn[:, 0] / np.maximum(drawn[:, 1], 1e-300)
    low, high = np.quantile(means, [0.1, 0.9])
    return Change(float(total[0] / max(total[1], 1e-300)), float(low), float(high), int(total[1]))


def _by_code(table: Floats, codes: Sequence[str]) -> tuple[Floats, Floats]:
    """Return the table, and (draws, codes, columns) sums by drawn code."""
    names, place = np.unique(np.asarray(codes), return_inverse=True)
    sums = np.zeros((len(names), table.shape[1]))
    np.add.at(sums, place, table)
    drawn = np.random.default_rng(SEED).integers(0, len(names), (DRAWS, len(names)))
    return table, sums[drawn]
