"""What is known when an exporter cuts: the trade of the years before, and what it still ships."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from evernormal.errors import InputError, NotCoveredError
from evernormal.market.history.records import Records, exports_of, imports_of

__all__ = ["LAGS", "Situation", "situation"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

LAGS = 4
"""Years before the cut that a forecast may look at."""


@dataclass(frozen=True)
class Situation:
    """One code and year as a forecaster sees it.

    Nothing of the year itself is used, apart from what is said to be known: what the cutting exporters ship
    in all, and, where ``importers_known``, to whom.

    Attributes:
        records: trade of the code.
        t: column of the year.
        cutting: places of the exporters whose exports of the year are known; empty in a calm year.
        importers_known: whether it is known to whom they still ship.
    """

    records: Records
    t: int
    cutting: tuple[int, ...] = ()
    importers_known: bool = False

    @cached_property
    def columns(self) -> list[int]:
        """Columns of the years before, oldest first.

        A year without any trade of the code is missing and not zero (law 2): the year after it stands in, as
        the first year does for those before it.
        """
        found = [self.t - 1]
        for back in range(2, LAGS + 1):
            known = self.t - back >= 0 and self.records.world[self.t - back] > 0
            found.insert(0, self.t - back if known else found[0])
        return found

    @cached_property
    def of_cutting(self) -> NDArray[np.bool_]:
        """(P,) pairs whose exporter cuts."""
        return np.isin(self.records.exporter, np.asarray(self.cutting, dtype=np.int64))

    @cached_property
    def lags(self) -> Floats:
        """(P, LAGS) tonnes of the years before."""
        return np.asarray(self.records.quantity[:, self.columns])

    @cached_property
    def rest(self) -> Floats:
        """(P, LAGS) tonnes of the years before that do not come from the cutting exporters."""
        return np.where(self.of_cutting[:, None], 0.0, self.lags)

    @property
    def base(self) -> Floats:
        """(P,) tonnes of the year before."""
        return self.lags[:, -1]

    @cached_property
    def world(self) -> Floats:
        """(LAGS,) tonnes of the world in the years before."""
        return np.asarray(self.records.world[self.columns])

    @cached_property
    def known_exports(self) -> Floats:
        """(N,) tonnes that the cutting exporters ship in the year; 0 for everyone else."""
        known = np.zeros(len(self.records.countries))
        for place in self.cutting:
            known[place] = self.records.exports[place, self.t]
        return known

    @cached_property
    def kept(self) -> Floats:
        """(P,) tonnes of the cutting exporters' flows: known, or last year's in proportion; 0 for others."""
        if self.importers_known:
            return np.where(self.of_cutting, self.records.quantity[:, self.t], 0.0)
        base = self.records.exports[:, self.t - 1]
        share = np.divide(self.known_exports, base, out=np.zeros_like(base), where=base > 0)
        return np.where(self.of_cutting, self.base * share[self.records.exporter], 0.0)

    @cached_property
    def pro_rata(self) -> Floats:
        """(P,) last year's flows, those of the cutting exporters as in ``kept``."""
        return np.where(self.of_cutting, self.kept, self.base)

    @cached_property
    def lost(self) -> float:
        """Fraction of the world's trade of the year before that the cutting exporters withhold."""
        before = self.records.exports[:, self.t - 1]
        return float(sum(before[p] - self.known_exports[p] for p in self.cutting) / self.world[-1])

    @cached_property
    def importer_loss(self) -> Floats:
        """(N,) fraction of each country's imports that the cut takes away, before any reaction."""
        before = imports_of(self.records, self.base)
        after = imports_of(self.records, self.pro_rata)
        return np.divide(before - after, before, out=np.zeros_like(before), where=before > 0)

    @cached_property
    def market_loss(self) -> Floats:
        """(N,) mean of ``importer_loss`` over what each other exporter ships."""
        flows = self.rest[:, -1]
        shipped = exports_of(self.records, flows)
        hit = exports_of(self.records, flows * self.importer_loss[self.records.importer])
        return np.divide(hit, shipped, out=np.zeros_like(hit), where=shipped > 0)

    @cached_property
    def size(self) -> float:
        """Tonnes by which errors are divided: the world's trade, mean of the year before and of the year."""
        return float((self.world[-1] + self.records.world[self.t]) / 2)


def situation(
    records: Records, exporters: Sequence[str], year: int, *, importers_known: bool = False
) -> Situation:
    """Return the situation of an episode.

    Raises:
        UnknownNameError: an exporter does not trade the code.
        NotCoveredError: the year, or the world's trade of the years before, is not in the table.
        InputError: the exporters shipped nothing of known quantity the year before, or now more.
    """
    t = records.column(year)
    where = f"episode {records.code}, {'+'.join(exporters)}, {year}"
    if t < 2:
        raise InputError(
            "the two years before are not in the table",
            where=where,
            cure=f"The earliest year of an episode is {records.years[0] + 2}.",
        )
    places = tuple(records.place(name) for name in exporters)
    made = Situation(records, t, places, importers_known)
    if not (made.world[-2:] > 0).all():
        raise NotCoveredError("the world's trade of a year before is unknown", where=where)
    for name, place in zip(exporters, places, strict=True):
        if records.exports[place, t - 1] <= 0:
            unknown = records.export_blank[place, t - 1] > 0
            raise InputError(
                f"{name}'s quantity of the year before is unknown"
                if unknown
                else f"{name} shipped nothing the year before",
                where=where,
                cure="An episode needs exports of a known quantity that can be cut.",
            )
        if records.exports[place, t] <= 0 and records.export_blank[place, t] > 0:
            raise InputError(f"{name}'s quantity of the year is unknown", where=where, cure="Leave it out.")
    if records.world[t] <= 0:
        raise NotCoveredError("nothing of known quantity was traded in the year", where=where)
    return made
