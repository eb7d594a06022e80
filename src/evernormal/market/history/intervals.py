"""Intervals that cover: quantiles of past errors, by what is forecast and how large it is.

Conformal calibration: nothing is assumed about the shape of errors, only that the next episode is drawn like
those of the registry.  An interval multiplies the forecast, and is
wider where trade has been unsteady.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evernormal.market.history.closing import Closed
from evernormal.market.history.common_factor import price_change
from evernormal.market.history.cross_validation import KNOWN, Trial
from evernormal.market.history.families import family_of
from evernormal.market.history.records import exports_of, imports_of
from evernormal.market.history.situation import Situation

__all__ = [
    "CLASSES",
    "ErrorRow",
    "Interval",
    "amounts",
    "calibrate",
    "coverage",
    "error_rows",
    "price_scale",
    "scale_of",
]

Floats = NDArray[np.float64]

NOMINAL = 0.8

TAILS = (0.06, 0.08, 0.10, 0.12, 0.14)
"""Shares that may stay below the interval; the rest of 20 % stays above."""

CENTRED = ("world unit value",)
"""Classes that leave as much above as below: in a price the far upper end is what matters."""

FLOOR = 0.4
"""Scale of an amount that never changed (assumption: between 0.2 and 0.4 the widths differ by a tenth)."""

FARTHEST = 3.0
FEWEST_ERRORS = 15

CLASSES: tuple[tuple[str, float, float], ...] = (
    ("importer over 10 %", 0.10, np.inf),
    ("importer 3 to 10 %", 0.03, 0.10),
    ("importer 1 to 3 %", 0.01, 0.03),
    ("other exporter over 10 %", 0.10, np.inf),
    ("other exporter 3 to 10 %", 0.03, 0.10),
    ("other exporter 1 to 3 %", 0.01, 0.03),
    ("world total", 0.0, np.inf),
    ("world unit value", 0.0, np.inf),
)
"""What is forecast, and the share of the world's trade of the year before that puts it into the class."""


@dataclass(frozen=True)
class ErrorRow:
    """One forecast and what happened.

    Attributes:
        group: name of the class.
        error: log of what happened over what was forecast, cut at a factor of a million.
        scale: how unsteady the amount has been, plus a floor; errors are compared in these units.
        code: of the episode.
        policy: whether a named policy is behind the episode.
        episode: its name.
    """

    group: str
    error: float
    scale: float
    code: str
    policy: bool
    episode: str


@dataclass(frozen=True)
class Interval:
    """The shortest interval that holds 80 % of past errors, in units of their scale.

    Attributes:
        low: lower end.
        high: upper end.
        typical: median scale of the class.
        rows: how many errors say so.
    """

    low: float
    high: float
    typical: float
    rows: int

    def factors(self, scale: float | None = None) -> tuple[float, float]:
        """Return the factors on a forecast between which 80 % lies; of a typical amount when no scale is
        given."""
        unit = self.typical if scale is None else scale
        return float(np.exp(self.low * unit)), float(np.exp(self.high * unit))

    def holds(self, row: ErrorRow) -> bool:
        """Whether an error lies inside."""
        return self.low <= row.error / row.scale <= self.high


def scale_of(lags: Floats) -> Floats:
    """Return (n,) the scale of errors of amounts with these (n, LAGS) lags: mean change, plus a floor."""
    logs = np.log(np.maximum(lags, 1e-300))
    steps = np.clip(logs[:, :-1] - logs[:, -1:], -FARTHEST, FARTHEST)
    path = np.column_stack([steps, np.zeros(len(lags))])
    return np.asarray(np.minimum(np.abs(np.diff(path, axis=1)).mean(axis=1), FARTHEST) + FLOOR)


def price_scale(case: Situation) -> float:
    """Return the scale of the error of a world unit value: its mean change over four years, plus a floor."""
    change = price_change(case.records)[: case.t]
    known = change[np.isfinite(change)][-4:]
    return float(np.abs(known).mean() if len(known) else 0.0) + FLOOR


def amounts(case: Situation, closed: Closed) -> list[tuple[str, int, float, float, float]]:
    """Return class, place, share of the world, forecast and scale of everything that gets an interval.

    The place of the world's total is -1.
    """
    found = []
    for word, lags, forecast in (
        ("importer", imports_of(case.records, case.lags), closed.imports),
        ("other exporter", exports_of(case.records, case.lags), closed.exports),
    ):
        share, scale = lags[:, -1] / case.world[-1], scale_of(lags)
        for group, low, high in CLASSES:
            if not group.startswith(word):
                continue
            for place in np.flatnonzero((share >= low) & (share < high) & (forecast > 0)):
                if word == "importer" or place not in case.cutting:
                    found.append(
                        (group, int(place), float(share[place]), float(forecast[place]), float(scale[place]))
                    )
    world, forecast_world = float(scale_of(case.world[None, :])[0]), float(closed.imports.sum())
    return [*found, ("world total", -1, 1.0, forecast_world, world)] if forecast_world > 0 else found


def error_rows(trials: Iterable[Trial], known: str = KNOWN[0]) -> tuple[ErrorRow, ...]:
    """Return the errors of the reduced form on every episode, by class."""
    rows: list[ErrorRow] = []
    for trial in trials:
        rows += _of_trial(trial, known)
    return tuple(rows)


def _of_trial(trial: Trial, known: str) -> list[ErrorRow]:
    case, closed, episode = trial.case, trial.closed[known], trial.episode
    records, t = case.records, case.t
    found = []
    for group, place, _, forecast, scale in amounts(case, closed):
        actual = records.imports if group.startswith("importer") else records.exports
        happened = float(records.world[t] if place < 0 else actual[place, t])
        error = float(np.log(max(happened / forecast, 1e-6)))
        found.append(ErrorRow(group, error, scale, episode.code, bool(episode.policy), episode.name))
    if np.isfinite(trial.price_actual):
        error = trial.price_actual - trial.price[KNOWN[0] if known == KNOWN[2] else known, "reduced form"]
        row = ErrorRow(
            CLASSES[-1][0], error, price_scale(case), episode.code, bool(episode.policy), episode.name
        )
        found.append(row)
    return found


def calibrate(rows: Sequence[ErrorRow], without: str | None = None) -> dict[str, Interval]:
    """Return the interval of every class (equation E73).

    Of the intervals that leave 20 % of the errors outside, the shortest; of a price, the centred one.  Its
    ends are order statistics moved outwards by the one error that is still to come (split conformal
    prediction; Vovk, Gammerman and Shafer 2005, Algorithmic Learning in a Random World).

    Args:
        rows: errors of past episodes.
        without: leave the errors of this code out, and those of other codes of its mineral.
    """
    found = {}
    mineral = None if without is None else family_of(without)
    kept = [row for row in rows if family_of(row.code) != mineral]
    for group, _, _ in CLASSES:
        own = [row for row in kept if row.group == group]
        if len(own) < FEWEST_ERRORS:
            continue
        sizes = np.sort([row.error / row.scale for row in own])
        ends = [_ends(sizes, tail) for tail in (TAILS if group not in CENTRED else (0.10,))]
        low, high = min(ends, key=lambda pair: pair[1] - pair[0])
        found[group] = Interval(low, high, float(np.median([row.scale for row in own])), len(own))
    return found


def _ends(sizes: Floats, below: float) -> tuple[float, float]:
    n = len(sizes)
    first = max(int(np.floor((n + 1) * below)), 1)
    last = min(int(np.ceil((n + 1) * (NOMINAL + below))), n)
    return float(sizes[first - 1]), float(sizes[last - 1])


def coverage(rows: Sequence[ErrorRow], pool: Sequence[ErrorRow] | None = None) -> list[tuple[ErrorRow, bool]]:
    """Return for each error whether the interval of its class, made without its mineral, holds it.

    Args:
        rows: errors to hold.
        pool: errors that intervals are made from; the same when omitted.
    """
    source = rows if pool is None else pool
    made = {code: calibrate(source, code) for code in sorted({row.code for row in rows})}
    return [(row, made[row.code][row.group].holds(row)) for row in rows if row.group in made[row.code]]
