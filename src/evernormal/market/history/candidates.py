"""Candidates for an episode: an exporter that matters loses much of its exports in one year."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evernormal.errors import InputError
from evernormal.market.history.records import Records, TradeRecords

__all__ = ["CORE", "TIERS", "WIDER", "Candidate", "Tier", "candidate", "candidates"]


@dataclass(frozen=True)
class Tier:
    """What makes a cut large enough.

    Attributes:
        name: ``core`` or ``wider``.
        share: least share of the exporter in the code's world exports, mean of the two years before.
        cut: least fraction of its exports that the exporter loses from one year to the next.
    """

    name: str
    share: float
    cut: float

    def __post_init__(self) -> None:
        for name, value in (("share", self.share), ("cut", self.cut)):
            if not 0 < value <= 1:
                raise InputError(f"{name} of a tier must be above 0 and at most 1, got {value}")


CORE = Tier("core", 0.15, 0.40)
WIDER = Tier("wider", 0.10, 0.25)
TIERS = {tier.name: tier for tier in (CORE, WIDER)}


@dataclass(frozen=True)
class Candidate:
    """One exporter's cut in one code and year.

    Attributes:
        code: six digits.
        exporter: who ships less.
        year: the year of the cut.
        share: of the code's world exports, mean of the two years before; fraction.
        cut: fraction of its exports that the exporter loses.
        lost: the same loss as a fraction of the world's trade of the year before.
    """

    code: str
    exporter: str
    year: int
    share: float
    cut: float
    lost: float

    @property
    def key(self) -> tuple[str, str, int]:
        """Code, exporter and year."""
        return self.code, self.exporter, self.year


def candidates(trade: TradeRecords, tier: Tier = CORE) -> tuple[Candidate, ...]:
    """Return every cut of a tier, genuine or not, by code, year and exporter."""
    found = [one for records in trade.codes.values() for one in _of_code(records, tier)]
    return tuple(sorted(found, key=lambda one: (one.code, one.year, one.exporter)))


def _of_code(records: Records, tier: Tier) -> list[Candidate]:
    found = []
    exports, world = records.exports, records.world
    for t in range(2, len(records.years)):
        before = (world[t - 1] + world[t - 2]) / 2
        mean = (exports[:, t - 1] + exports[:, t - 2]) / 2
        large = (mean >= tier.share * before) & (exports[:, t - 1] > 0)
        falls = exports[:, t] <= (1 - tier.cut) * exports[:, t - 1]
        found += [_measured(records, int(i), t) for i in np.flatnonzero(large & falls)]
    return found


def candidate(records: Records, exporter: str, year: int) -> Candidate:
    """Return the measures of one cut, whatever its size.

    Raises:
        UnknownNameError: the exporter does not trade the code.
        NotCoveredError: the year is outside the table.
        InputError: the two years before are not covered, or the exporter shipped nothing the year before.
    """
    place, t = records.place(exporter), records.column(year)
    where = f"episode {records.code}, {exporter}, {year}"
    if t < 2:
        raise InputError(
            "the two years before are not in the table",
            where=where,
            cure=f"The earliest year of an episode is {records.years[0] + 2}.",
        )
    if records.exports[place, t - 1] <= 0:
        unknown = records.export_blank[place, t - 1] > 0
        raise InputError(
            "the exporter's quantity of the year before is unknown"
            if unknown
            else "the exporter shipped nothing the year before",
            where=where,
            cure="An episode needs exports of a known quantity that can be cut.",
        )
    return _measured(records, place, t)


def _measured(records: Records, place: int, t: int) -> Candidate:
    own, world = records.exports[place], records.world
    before = (world[t - 1] + world[t - 2]) / 2
    return Candidate(
        records.code,
        records.countries[place],
        records.years[t],
        float((own[t - 1] + own[t - 2]) / 2 / before),
        float(1 - own[t] / own[t - 1]),
        float((own[t - 1] - own[t]) / world[t - 1]),
    )
