"""A supply-stability index with the bands of KOMIR's: 0 is tight, 100 is too much.

KOMIR publishes what goes in (medium-term price risk as the base; ratio of world supply, concentration of
production, growth of imports and concentration of import countries as discounts) and the bands; it publishes
no formula and no weights.  Formula and weights here are ours and of grade C: assumptions, configurable.
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

from evernormal.errors import InputError, LabelError, UnknownNameError
from evernormal.result import Grade, Parameter

__all__ = [
    "BANDS",
    "DISCOUNTS",
    "Band",
    "Sensitivity",
    "past_ratio",
    "percentile_rank",
    "stability_band",
    "stability_index",
    "stability_parameters",
    "weights_sensitivity",
]

Floats = npt.NDArray[np.float64]

DISCOUNTS = ("supply", "monopoly", "import_growth", "import_concentration")
"""What takes from the base, in the order of the last axis of ``tightness``."""

_FEWEST = 5
_PAST, _FEWEST_PAST = 5, 3


@dataclass(frozen=True)
class Band:
    """One band of the index.

    Attributes:
        key: stable name.
        low: least index.
        high: greatest index; belongs to the next band, but for 100.
        name_ko: Korean name, as KOMIR writes it.
    """

    key: str
    low: float
    high: float
    name_ko: str


BANDS = (
    Band("crisis", 0.0, 1.0, "수급위기"),
    Band("unstable", 0.0, 5.0, "수급불안"),
    Band("caution", 5.0, 20.0, "수급주의"),
    Band("stable", 20.0, 80.0, "수급안정"),
    Band("oversupply", 80.0, 100.0, "공급과잉"),
)
"""KOMIR, press release of 10 December 2024 (Etoday): 0-1 with an event crisis, 0-5, 5-20, 20-80, 80-100."""


@functools.cache
def stability_parameters() -> tuple[Parameter, ...]:
    """Return the weights of the discounts, and last how much all of them may take.

    >>> [(p.name, p.value, p.grade) for p in stability_parameters()][-1]
    ('discount', 0.5, 'C')
    """
    path = Path(__file__).parent / "tables" / "stability_weights.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        return tuple(
            Parameter(
                row["component"],
                float(row["weight"]),
                float(row["low"]),
                float(row["high"]),
                "fraction",
                cast(Grade, row["grade"]),
                row["source"],
            )
            for row in csv.DictReader(stream)
        )


def percentile_rank(values: npt.ArrayLike) -> Floats:
    """Return where each value stands among those up to and with itself, 0 to 1 (equation E124).

    Nothing later is used (law 11).

    Args:
        values: series with time along the last axis; NaN where unknown, which is left out.

    Returns:
        Middle ranks in the open interval 0..1; NaN where the value is, or where fewer than five are known.

    >>> percentile_rank([1.0, 2.0, 3.0, 4.0, 5.0, 0.0]).round(3).tolist()[4:]
    [0.9, 0.083]
    """
    series = np.asarray(values, dtype=np.float64)
    if series.ndim == 0:
        raise InputError("a rank needs a series, got one number", where="values")
    ranks = np.full(series.shape, np.nan)
    for t in range(series.shape[-1]):
        past, now = series[..., : t + 1], series[..., t : t + 1]
        known = (~np.isnan(past)).sum(axis=-1)
        below, same = (past < now).sum(axis=-1), (past == now).sum(axis=-1)
        enough = (known >= _FEWEST) & ~np.isnan(now[..., 0])
        ranks[..., t] = np.where(enough, (below + 0.5 * same) / np.maximum(known, 1), np.nan)
    return ranks


def past_ratio(values: npt.ArrayLike, past: int = _PAST) -> Floats:
    """Return each value over the mean of the values before it (equation E125).

    So a price that general inflation lifts every year stands at its own level, not at a record.

    Args:
        values: amounts or prices with time along the last axis, at least 0; NaN where unknown.
        past: how many positions before count; three of them, or all where fewer are asked, must be known.

    >>> past_ratio([1.0, 1.0, 1.0, 2.0]).tolist()[-1]
    2.0
    """
    series = np.asarray(values, dtype=np.float64)
    if series.ndim == 0 or past < 1:
        raise InputError(
            "a ratio to the past needs a series and at least one position before", where="values"
        )
    ratio = np.full(series.shape, np.nan)
    need = min(_FEWEST_PAST, past)
    for t in range(1, series.shape[-1]):
        before = series[..., max(0, t - past) : t]
        known = (~np.isnan(before)).sum(axis=-1)
        mean = np.nansum(before, axis=-1) / np.maximum(known, 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio[..., t] = np.where((known >= need) & (mean > 0), series[..., t] / mean, np.nan)
    return ratio


def stability_index(
    price_rank: npt.ArrayLike,
    tightness: npt.ArrayLike,
    weights: Mapping[str, float] | Sequence[float] | Floats | None = None,
    discount: float | None = None,
) -> np.float64 | Floats:
    """Return the index: how low the price stands, less what tightness takes from it (equation E123).

    Args:
        price_rank: where the price stands in its own history, 0 low to 1 high.
        tightness: of each of :data:`DISCOUNTS` along the last axis, 0 easy to 1 tight.
        weights: of the discounts, by name or in order; they are scaled to sum to 1.  None for
            :func:`stability_parameters`.
        discount: share of the base that all discounts together take at most; None likewise.

    Returns:
        0 (tight) to 100; NaN where an input is NaN (law 2).

    Raises:
        InputError: a rank, a weight or a discount outside 0..1, or weights that are all 0.
        LabelError: not one tightness per discount.
        UnknownNameError: a weight of no discount.

    >>> float(stability_index(0.9, [0.5, 0.5, 0.5, 0.5]).round(6))
    7.5
    """
    rank, tight = np.asarray(price_rank, dtype=np.float64), np.asarray(tightness, dtype=np.float64)
    if tight.ndim == 0 or tight.shape[-1] != len(DISCOUNTS):
        raise LabelError(f"tightness has shape {tight.shape}; its last axis must be {', '.join(DISCOUNTS)}")
    for name, values in (("price_rank", rank), ("tightness", tight)):
        known = values[~np.isnan(values)]
        if known.size and not (known.min() >= 0 and known.max() <= 1):
            raise InputError(
                f"{name} must be from 0 to 1, got {known.min():g} to {known.max():g}", where=name
            )
    shares, most = checked_weights(weights, discount)
    taken = (tight * shares).sum(axis=-1)
    index: np.float64 | Floats = 100.0 * (1.0 - rank) * (1.0 - most * taken)
    return index


def checked_weights(
    weights: Mapping[str, float] | Sequence[float] | Floats | None, discount: float | None
) -> tuple[Floats, float]:
    """Return weights that sum to 1, and the discount.

    Raises:
        InputError, UnknownNameError, LabelError: as :func:`stability_index`.
    """
    shipped = {parameter.name: parameter.value for parameter in stability_parameters()}
    most = shipped["discount"] if discount is None else float(discount)
    if weights is None:
        weights = {name: shipped[name] for name in DISCOUNTS}
    if isinstance(weights, Mapping):
        for name in weights:
            if name not in DISCOUNTS:
                raise UnknownNameError("component of the index", name, DISCOUNTS, where="weights")
        weights = [weights.get(name, 0.0) for name in DISCOUNTS]
    shares = np.asarray(weights, dtype=np.float64)
    if shares.shape != (len(DISCOUNTS),):
        raise LabelError(f"{shares.size} weights; one each for {', '.join(DISCOUNTS)}")
    if not (0 <= most <= 1) or not np.all(shares >= 0) or not shares.sum() > 0:
        raise InputError(
            "weights must be at least 0 and not all 0, the discount from 0 to 1", where="weights"
        )
    return shares / shares.sum(), most


def stability_band(index: npt.ArrayLike, event: npt.ArrayLike = False) -> npt.NDArray[np.str_]:
    """Return the key of the band of each index; empty where the index is NaN.

    A crisis needs both an index below 1 and an event, such as an export ban in force: a low index alone is
    ``unstable``, however low.

    Args:
        index: 0 to 100.
        event: whether an event has happened; broadcasts.

    Raises:
        InputError: an index outside 0..100.

    >>> stability_band([0.5, 0.5, 4.9, 5.0, 50.0, 100.0], [True, False, True, False, False, False]).tolist()
    ['crisis', 'unstable', 'unstable', 'caution', 'stable', 'oversupply']
    """
    level, happened = np.broadcast_arrays(np.asarray(index, np.float64), np.asarray(event, np.bool_))
    known = level[~np.isnan(level)]
    if known.size and not (known.min() >= 0 and known.max() <= 100):
        raise InputError(f"an index is from 0 to 100, got {known.min():g} to {known.max():g}", where="index")
    keys = np.array([band.key for band in BANDS], dtype=np.str_)
    with np.errstate(invalid="ignore"):
        place = 1 + (level >= 5).astype(int) + (level >= 20) + (level >= 80)
        place = np.where(happened & (level < 1), 0, place)
    found: npt.NDArray[np.str_] = np.where(np.isnan(level), "", keys[place])
    return found


@dataclass(frozen=True)
class Sensitivity:
    """What the index would be with other weights and another discount.

    Attributes:
        low: tenth percentile over the draws.
        high: ninetieth.
        chance: probability of each band of :data:`BANDS` along the last axis.
    """

    low: Floats
    high: Floats
    chance: Floats


def weights_sensitivity(
    price_rank: npt.ArrayLike,
    tightness: npt.ArrayLike,
    event: npt.ArrayLike = False,
    *,
    draws: int = 500,
    seed: int = 0,
) -> Sensitivity:
    """Return how much the index hangs on weights that nobody publishes (equations E123 and E127).

    Every draw takes weights evenly from all that sum to 1, and a discount evenly from its interval.

    Args:
        price_rank: one per cell, shape (cells,).
        tightness: shape (cells, discounts).
        event: whether an event has happened, per cell.
        draws: at least 1.
        seed: of the draws; the same for every cell.

    Raises:
        InputError: fewer than one draw.

    >>> found = weights_sensitivity([0.5], [[0.0, 0.0, 0.0, 1.0]], draws=200)
    >>> bool(found.low[0] < float(stability_index(0.5, [0.0, 0.0, 0.0, 1.0])) < found.high[0])
    True
    """
    if isinstance(draws, bool) or draws < 1:
        raise InputError(f"draws must be at least 1, got {draws!r}", where="draws")
    rank, tight = np.asarray(price_rank, dtype=np.float64), np.asarray(tightness, dtype=np.float64)
    happened = np.broadcast_to(np.asarray(event, np.bool_), rank.shape)
    spread = stability_parameters()[-1]
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    weights = rng.dirichlet(np.ones(len(DISCOUNTS)), size=draws)
    most = rng.uniform(spread.low, spread.high, size=draws)
    low, high = np.full(rank.shape, np.nan), np.full(rank.shape, np.nan)
    chance = np.zeros((*rank.shape, len(BANDS)))
    keys = [band.key for band in BANDS]
    step = max(1, 4_000_000 // draws)
    for start in range(0, len(rank), step):
        part = slice(start, start + step)
        taken = np.einsum("cw,dw->cd", tight[part], weights, optimize=False)
        drawn = np.clip(100.0 * (1.0 - rank[part, None]) * (1.0 - most * taken), 0.0, 100.0)
        low[part], high[part] = np.quantile(drawn, [0.1, 0.9], axis=1)
        bands = stability_band(drawn, happened[part, None])
        for number, key in enumerate(keys):
            chance[part, number] = (bands == key).mean(axis=1)
    chance[np.isnan(low)] = np.nan
    return Sensitivity(low, high, chance)
