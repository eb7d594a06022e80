"""Tables of the supply-stability index from its components: index, band, interval, what each part adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from evernormal.risk.stability import BANDS, DISCOUNTS, stability_band, stability_index, weights_sensitivity

__all__ = ["Components", "stability_tables"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Components:
    """What the index is made of; shape (countries, forms, time), the discounts on a last axis of their own.

    Attributes:
        measures: price and each discount as measured: price over its past, world supply over its past, index
            of concentration of world exports, imports over their past, index of concentration of imports.
        price_rank: where the price stands in its own history.
        tightness: of each discount, 0 easy to 1 tight.
    """

    measures: Floats
    price_rank: Floats
    tightness: Floats


def stability_tables(
    found: Components,
    keys: tuple[Sequence[str], Sequence[str], Sequence[str]],
    places: Sequence[int],
    events: Mapping[tuple[str, str], frozenset[str]],
    shares: Floats,
    most: float,
    draws: int,
    seed: int,
) -> dict[str, pl.DataFrame]:
    """Return the tables ``stability`` and ``components`` for the positions in time that are asked.

    Args:
        found: the components.
        keys: countries, forms and periods that the axes stand for.
        places: positions in time.
        events: country and form to the periods in which an event happened.
        shares: weights of the discounts.
        most: the discount.
        draws: draws behind the interval.
        seed: of the draws.
    """
    countries, forms, periods = keys
    happened = np.zeros(found.price_rank.shape, dtype=np.bool_)
    for (country, name), when in events.items():
        at = [place for place, period in enumerate(periods) if period in when]
        happened[list(countries).index(country), list(forms).index(name), at] = True
    level = np.clip(np.asarray(stability_index(found.price_rank, found.tightness, shares, most)), 0, 100)
    bands = stability_band(level, happened)
    since = _since(level, bands)
    index = level[..., places].ravel()
    base = found.price_rank[..., places].ravel()
    tight = found.tightness[:, :, places].reshape(-1, len(DISCOUNTS))
    event = happened[..., places].ravel()
    low, high, chance = _interval(index, base, tight, event, draws, seed, most, shares)
    shape = (len(countries), len(forms), len(places))
    spots = np.indices(shape).reshape(3, -1)
    axes = {
        "country": pl.Series(list(countries)).gather(spots[0]),
        "form": pl.Series(list(forms)).gather(spots[1]),
        "period": pl.Series([periods[p] for p in places]).gather(spots[2]),
    }
    names = {"": None, **{band.key: band.name_ko for band in BANDS}}
    shown = bands[..., places].ravel().tolist()
    began = since[..., places].ravel()
    main = pl.DataFrame(
        {
            **axes,
            "index": _known(index), "index_low": _known(low), "index_high": _known(high),
            "band": pl.Series([b or None for b in shown], dtype=pl.String),
            "band_ko": pl.Series([names[b] for b in shown], dtype=pl.String),
            "event": pl.Series(event),
            "band_chance": _known(chance),
            "since": pl.Series([periods[b] if b >= 0 else None for b in began.tolist()], dtype=pl.String),
        }
    )  # fmt: skip
    seen = ~np.isnan(found.measures[:, :, places, -1]).ravel()
    parts = _parts(found, axes, places, base, tight, shares, most)
    keep = pl.Series(seen)
    return {"stability": main.filter(keep), "components": parts.filter(pl.concat([keep] * 5))
            .sort("_row", "_at").drop("_row", "_at")}  # fmt: skip


def _interval(
    index: Floats,
    base: Floats,
    tight: Floats,
    event: npt.NDArray[np.bool_],
    draws: int,
    seed: int,
    most: float,
    shares: Floats,
) -> tuple[Floats, Floats, Floats]:
    """Ends over other weights; where a discount is unknown, over its range, and no chance of a band."""
    spread = weights_sensitivity(base, tight, event, draws=draws, seed=seed)
    keys = [band.key for band in BANDS]
    bands = stability_band(index, event)
    chance = np.full(index.shape, np.nan)
    for number, key in enumerate(keys):
        chance = np.where(bands == key, spread.chance[:, number], chance)
    partly = np.isnan(tight).any(axis=1) & ~np.isnan(base)
    ends = [
        100.0 * (1.0 - base) * (1.0 - most * (np.where(np.isnan(tight), fill, tight) * shares).sum(axis=1))
        for fill in (1.0, 0.0)
    ]
    low, high = (
        np.where(partly, end, known) for end, known in zip(ends, (spread.low, spread.high), strict=True)
    )
    return low, high, chance


def _parts(
    found: Components,
    axes: Mapping[str, pl.Series],
    places: Sequence[int],
    base: Floats,
    tight: Floats,
    shares: Floats,
    most: float,
) -> pl.DataFrame:
    """One row per cell and component."""
    measures = found.measures[:, :, places].reshape(-1, len(DISCOUNTS) + 1)
    rows = pl.Series(np.arange(len(base)))
    tables = []
    for number, name in enumerate(("price", *DISCOUNTS)):
        tightness = base if number == 0 else tight[:, number - 1]
        rank = 1.0 - tightness if name == "supply" else tightness
        points = 100.0 * (1.0 - base)
        if number:
            points = -points * most * shares[number - 1] * tightness
        weight = np.full(base.shape, 1.0 if number == 0 else most * shares[number - 1])
        tables.append(
            pl.DataFrame(
                {
                    **axes, "component": pl.repeat(name, len(base), eager=True),
                    "measure": _known(measures[:, number]), "rank": _known(rank),
                    "tightness": _known(tightness), "weight": _known(weight), "points": _known(points),
                    "_row": rows, "_at": pl.repeat(number, len(base), eager=True),
                }
            )
        )  # fmt: skip
    return pl.concat(tables)


def _since(level: Floats, bands: npt.NDArray[np.str_]) -> npt.NDArray[np.int64]:
    """Place of the first period of the run in which the band was this one or a tighter one; -1 unknown."""
    order = {"": -1, **{band.key: number for number, band in enumerate(BANDS)}}
    place = (
        np.vectorize(order.__getitem__, otypes=[np.int64])(bands)
        if bands.size
        else np.zeros(bands.shape, int)
    )
    began = np.full(level.shape, -1, dtype=np.int64)
    for t in range(level.shape[-1]):
        inside = (place[..., : t + 1] >= 0) & (place[..., : t + 1] <= place[..., t : t + 1])
        run = np.logical_and.accumulate(inside[..., ::-1], axis=-1).sum(axis=-1)
        began[..., t] = np.where(place[..., t] >= 0, t + 1 - run, -1)
    return began


def _known(values: Floats) -> pl.Series:
    return pl.Series(np.asarray(values, dtype=np.float64), dtype=pl.Float64, nan_to_null=True)
