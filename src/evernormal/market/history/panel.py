"""The training panel: every code and year of the table, calm or not, as situations.

Calm years teach how trade returns to the usual; years of cuts teach what a cut adds.  All cuts together
weigh as much as all calm years together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

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
        share: (n,) share of the world's trade, so that fitting minimises the error that is scored.
        factor: (n, 2) common factors of the row's year.
        code: (n,) place of the row's code in ``codes``.
        year: (n,) calendar year.
        cut: (n,) whether exporters cut.
        codes: every code of the panel.
    """

    side: Side
    names: tuple[str, ...]
    matrix: Floats
    target: Floats
    share: Floats
    factor: Floats
    code: Integers
    year: Integers
    cut: NDArray[np.bool_]
    codes: tuple[str, ...]

    @cached_property
    def weight(self) -> Floats:
        """(n,) shares, those of cuts raised until all cuts weigh as much as all calm years."""
        case = self.code * 10_000 + self.year
        cuts, calm = len(np.unique(case[self.cut])), len(np.unique(case[~self.cut]))
        return self.share * np.where(self.cut, calm / cuts if cuts and calm else 1.0, 1.0)

    def without(self, hidden: Iterable[Episode]) -> Panel:
        """Return the panel without the years of some episodes, as cuts or as calm years."""
        places = {code: n for n, code in enumerate(self.codes)}
        out = [places[e.code] * 10_000 + e.year for e in hidden if e.code in places]
        return self.only(~np.isin(self.code * 10_000 + self.year, out))

    def before(self, year: int) -> Panel:
        """Return the panel of the years before one."""
        return self.only(self.year < year)

    def with_factors(self, factors: CommonFactor) -> Panel:
        """Return the panel with other common factors."""
        case = self.code * 10_000 + self.year
        keys, place = np.unique(case, return_inverse=True)
        known = factors.rows((self.codes[key // 10_000] for key in keys), keys % 10_000)
        return replace(self, factor=known[place])

    def only(self, kept: NDArray[np.bool_]) -> Panel:
        """Return the panel of some rows, weighted among themselves."""
        parts = {
            name: getattr(self, name)[kept]
            for name in ("matrix", "target", "share", "factor", "code", "year", "cut")
        }
        return replace(self, **parts)


def panel(
    trade: TradeRecords,
    episodes: Iterable[Episode],
    factors: CommonFactor | None = None,
) -> dict[str, Panel]:
    """Return the training panel of every side.

    Args:
        trade: records of every code.
        episodes: the cuts that are known; every other year of a code is calm.
        factors: common factors of ``trade``.

    Raises:
        NotCoveredError: the table has too few years to train on.
    """
    cuts = {(episode.code, episode.year): episode for episode in episodes}
    found = factors or CommonFactor(trade)
    codes = tuple(trade.codes)
    parts: dict[str, list[_Part]] = {s.name: [] for s in SIDES}
    names: dict[str, tuple[str, ...]] = {}
    for number, code in enumerate(codes):
        for t in range(2, len(trade.years)):
            case = _case(trade, code, t, cuts)
            if case is None:
                continue
            factor, year = np.asarray(found.of(code, t)), trade.years[t]
            for side in SIDES:
                rows = side.rows(case, side.smallest)
                names[side.name] = rows.names
                ratio = np.minimum(side.actual(case)[rows.place] / rows.base, LARGEST_FACTOR)
                parts[side.name].append(
                    _Part(year, bool(case.cutting), number, factor, rows.matrix, ratio, rows.base / case.size)
                )
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


@dataclass(frozen=True)
class _Part:
    """Rows of one code and year."""

    year: int
    cut: bool
    code: int
    factor: Floats
    matrix: Floats
    target: Floats
    share: Floats


def _joined(side: Side, names: tuple[str, ...], parts: list[_Part], codes: tuple[str, ...]) -> Panel:
    lengths = [len(part.target) for part in parts]
    return Panel(
        side,
        names,
        np.concatenate([part.matrix for part in parts]),
        np.concatenate([part.target for part in parts]),
        np.concatenate([part.share for part in parts]),
        np.repeat(np.stack([part.factor for part in parts]), lengths, axis=0),
        np.repeat([part.code for part in parts], lengths),
        np.repeat([part.year for part in parts], lengths),
        np.repeat([part.cut for part in parts], lengths),
        codes,
    )
