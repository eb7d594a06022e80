"""The training panel: every code and year of the table, calm or not, as situations.

Calm years teach how trade returns to the usual; years of cuts teach what a cut adds.  All cuts together weigh as
much as all calm years together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evernormal.errors import NotCoveredError
from evernormal.market.history.common_factor import CommonFactor
from evernormal.market.history.episodes import Episode
from evernormal.market.history.features import SIDES, Side
from evernormal.market.history.records import TradeRecords
from evernormal.market.history.situation import Situation, situation

__all__ = ["Panel", "panel"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

LARGEST_FACTOR = 8.0
LARGEST_WORLD_CHANGE = 3.0
"""A calm year in which the world's tonnes change more than this is a break in the statistics."""


@dataclass(frozen=True)
class Panel:
    """Rows of one side for training.

    Attributes:
        side: which amounts.
        names: of the features.
        matrix: (n, K) features.
        target: (n,) amount of the year over what the pro-rata cut says.
        weight: (n,) share of the world's trade, so that fitting minimises the error that is scored.
        code: (n,) place of the row's code in ``codes``.
        factor: (n, 2) common factors of the row's year.
        codes: every code of the panel.
        episode: (n,) whether a cut happened.
    """

    side: Side
    names: tuple[str, ...]
    matrix: Floats
    target: Floats
    weight: Floats
    code: Integers
    factor: Floats
    codes: tuple[str, ...]
    episode: NDArray[np.bool_]


def panel(
    trade: TradeRecords,
    episodes: Iterable[Episode],
    factors: CommonFactor | None = None,
    left_out: Iterable[Episode] = (),
) -> dict[str, Panel]:
    """Return the training panel of every side.

    Args:
        trade: records of every code.
        episodes: the cuts that are known; every other year of a code is calm.
        factors: common factors of ``trade``.
        left_out: episodes whose year is not trained on, as a cut or as a calm year.

    Raises:
        NotCoveredError: the table has too few years to train on.
    """
    hidden = {(episode.code, episode.year) for episode in left_out}
    cuts = {(episode.code, episode.year): episode for episode in episodes}
    found = factors or CommonFactor(trade)
    codes = tuple(trade.codes)
    parts: dict[str, list[tuple[Floats, Floats, Floats, Floats, int, bool]]] = {s.name: [] for s in SIDES}
    names: dict[str, tuple[str, ...]] = {}
    for number, code in enumerate(codes):
        for t in range(2, len(trade.years)):
            case = None if (code, trade.years[t]) in hidden else _case(trade, code, t, cuts)
            if case is None:
                continue
            factor = np.asarray(found.of(code, t))
            for side in SIDES:
                rows = side.rows(case, side.smallest)
                names[side.name] = rows.names
                ratio = np.minimum(side.actual(case)[rows.place] / rows.base, LARGEST_FACTOR)
                part = (rows.matrix, ratio, rows.base / case.size, factor, number, bool(case.cutting))
                parts[side.name].append(part)
    if not names:
        raise NotCoveredError("no code has three years of trade to train on", cure="Give more years.")
    return {side.name: _joined(side, names[side.name], parts[side.name], codes) for side in SIDES}


def _case(
    trade: TradeRecords, code: str, t: int, cuts: Mapping[tuple[str, int], Episode]
) -> Situation | None:
    """Return the situation of a code and year; None where nothing can be learned from it."""
    records = trade.codes[code]
    episode = cuts.get((code, records.years[t]))
    if episode is not None:
        return situation(records, episode.exporters, episode.year)
    case = Situation(records, t)
    if not (case.world[-2:] > 0).all() or records.world[t] <= 0:
        return None
    change = records.world[t] / case.world[-1]
    return case if 1 / LARGEST_WORLD_CHANGE < change < LARGEST_WORLD_CHANGE else None


def _joined(
    side: Side,
    names: tuple[str, ...],
    parts: list[tuple[Floats, Floats, Floats, Floats, int, bool]],
    codes: tuple[str, ...],
) -> Panel:
    lengths = [len(part[1]) for part in parts]
    episode = np.repeat([part[5] for part in parts], lengths)
    weight = np.concatenate([part[2] for part in parts])
    cuts = sum(part[5] for part in parts)
    balance = (len(parts) - cuts) / cuts if cuts else 1.0
    return Panel(
        side,
        names,
        np.concatenate([part[0] for part in parts]),
        np.concatenate([part[1] for part in parts]),
        np.where(episode, balance, 1.0) * weight,
        np.repeat([part[4] for part in parts], lengths),
        np.repeat(np.stack([part[3] for part in parts]), lengths, axis=0),
        codes,
        episode,
    )
