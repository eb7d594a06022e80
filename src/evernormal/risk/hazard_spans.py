"""How hard, how soon, how long: severity, onset and duration, exporters drawn to what all did."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import betaln
from scipy.stats import beta as beta_distribution

from evernormal.errors import InputError
from evernormal.risk.hazard_events import Spans
from evernormal.risk.hazard_rates import Factors, pooled

__all__ = ["Durations", "Onsets", "Severities", "fit_durations", "fit_onsets", "fit_severities"]

Floats = NDArray[np.float64]

_MEANS = np.array([0.5, 1, 2, 5, 10, 20, 50, 200])
_PRECISIONS = np.array([1, 1.5, 2, 3, 4, 6, 8, 12, 20, 40])


@dataclass(frozen=True)
class Severities:
    """Share of shipments lost in the first year: floor + (1 - floor) x beta (equation E147).

    Attributes:
        floor: least share that counts as an event.
        mean: common mean of the beta part.
        precision: sum of its two parameters.
        weight: how many own events weigh as much as the common mean.
        own: exporter to (number of events, mean of the beta part).
    """

    floor: float
    mean: float
    precision: float
    weight: float
    own: dict[str, tuple[int, float]]

    def parameters(self, exporter: str) -> tuple[float, float]:
        """Return the two parameters of the beta part of an exporter."""
        count, mean = self.own.get(exporter, (0, self.mean))
        centre = (self.weight * self.mean + count * mean) / (self.weight + count)
        return self.precision * centre, self.precision * (1 - centre)

    def quantile(self, exporter: str, chance: Floats | float) -> Floats:
        """Return quantiles of the share lost."""
        a, b = self.parameters(exporter)
        return np.asarray(self.floor + (1 - self.floor) * beta_distribution.ppf(chance, a, b))


def fit_severities(exporters: tuple[str, ...], lost: Floats, floor: float) -> Severities:
    """Fit severities; how far exporters differ is what forecasts each event best from all others.

    Raises:
        InputError: fewer than three events.
    """
    if len(lost) < 3:
        raise InputError(
            f"{len(lost)} events are too few for a severity", cure="Take a wider tier or all forms."
        )
    x = np.clip((lost - floor) / (1 - floor), 0.005, 0.995)
    names = sorted(set(exporters))
    members = {name: np.array([e == name for e in exporters]) for name in names}
    total, best = float(np.sort(x).sum()), (-np.inf, 1.0, 2.0)
    for weight in _MEANS:
        centre = np.empty(len(x))
        for mine in members.values():
            rest = (total - x[mine]) / (len(x) - 1)
            own, count = float(np.sort(x[mine]).sum()), int(mine.sum())
            centre[mine] = (weight * rest + own - x[mine]) / (weight + count - 1)
        for precision in _PRECISIONS:
            a, b = precision * centre, precision * (1 - centre)
            score = float(np.sort((a - 1) * np.log(x) + (b - 1) * np.log1p(-x) - betaln(a, b)).sum())
            best = max(best, (score, float(weight), float(precision)))
    own_means = {name: (int(mine.sum()), float(np.sort(x[mine]).mean())) for name, mine in members.items()}
    return Severities(floor, total / len(x), best[2], best[1], own_means)


@dataclass(frozen=True)
class Onsets:
    """Days from announcement to effect: log(1 + days) is normal, exporters' means drawn together (E147).

    Attributes:
        mean: of log(1 + days).
        spread: standard deviation within an exporter.
        between: standard deviation of exporters' means.
        own: exporter to (number of acts, mean).
    """

    mean: float
    spread: float
    between: float
    own: dict[str, tuple[int, float]]

    def parameters(self, exporter: str) -> tuple[float, float]:
        """Return mean and standard deviation of log(1 + days) for the next act of an exporter."""
        count, mean = self.own.get(exporter, (0, self.mean))
        prior, noise = self.between**2, self.spread**2
        if prior <= 0:
            return self.mean, float(np.sqrt(noise))
        weight = count * prior / (count * prior + noise)
        left = prior * (1 - weight)
        return self.mean + weight * (mean - self.mean), float(np.sqrt(left + noise))

    def quantile(self, exporter: str, normal: float) -> float:
        """Return days at a standard normal quantile."""
        mean, spread = self.parameters(exporter)
        return float(max(0.0, np.expm1(mean + spread * normal)))


def fit_onsets(exporters: tuple[str, ...], days: Floats) -> Onsets:
    """Fit onsets by moments: what differs between exporters beyond chance.

    Raises:
        InputError: fewer than three acts with both days, or an effect before the announcement.
    """
    if len(days) < 3:
        raise InputError(f"{len(days)} acts with both days are too few for an onset")
    if (days < 0).any():
        raise InputError(f"an effect {-days.min():.0f} days before its announcement", where="onset")
    x = np.log1p(days)
    names = sorted(set(exporters))
    groups = [x[np.array([e == name for e in exporters])] for name in names]
    own = {name: (len(g), float(np.sort(g).mean())) for name, g in zip(names, groups, strict=True)}
    free = len(x) - len(groups)
    inside = np.sort(np.concatenate([(g - g.mean()) ** 2 for g in groups])).sum()
    whole = float(np.sort(x).mean())
    spread = float(np.sqrt(inside / free)) if free > 0 and inside > 0 else float(x.std())
    sizes = np.array([len(g) for g in groups], dtype=np.float64)
    means = np.array([own[name][1] for name in names])
    excess = float((sizes * (means - whole) ** 2).sum()) - (len(groups) - 1) * spread**2
    room = len(x) - float((sizes**2).sum()) / len(x)
    between = np.sqrt(max(0.0, excess / room)) if room > 0 else 0.0
    return Onsets(whole, spread, float(between), own)


@dataclass(frozen=True)
class Durations:
    """Months that an event lasts: Weibull with a factor of speed of ending by exporter (equation E148).

    Attributes:
        shape: below 1 the longer it has lasted, the longer it will.
        scale: months; characteristic life with factor 1.
        exporters: gamma factors on the rate of ending.
        ended: number that ended.
        open: number that had not.
    """

    shape: float
    scale: float
    exporters: Factors
    ended: int
    open: int

    def factor(self, exporter: str) -> float:
        """Return how much faster than others an exporter's events end."""
        return self.exporters.mean(exporter)

    def quantile(self, exporter: str, chance: Floats | float) -> Floats:
        """Return months at a chance; the uncertainty of the factor is not in it."""
        life = self.scale * self.factor(exporter) ** (-1 / self.shape)
        return np.asarray(life * (-np.log1p(-np.asarray(chance))) ** (1 / self.shape))


def fit_durations(spans: Spans) -> Durations:
    """Fit durations to lengths known between two ends; an infinite upper end is one that still lasts.

    Raises:
        InputError: fewer than three lengths say anything.

    >>> many = Spans(("A",) * 400, ("x",) * 400, np.full(400, 5.9), np.full(400, 6.1))
    >>> round(float(fit_durations(many).quantile("A", 0.5)), 0)
    6.0
    """
    told = (spans.low > 0) | np.isfinite(spans.high)
    low, high = spans.low[told], spans.high[told]
    if len(low) < 3 or not np.isfinite(high).any():
        raise InputError(f"{int(np.isfinite(high).sum())} ended events are too few for a duration")

    def against(theta: Floats) -> float:
        shape, scale = np.exp(np.clip(theta, -8, 8))
        before = np.exp(-((low / scale) ** shape))
        after = np.where(
            np.isfinite(high), np.exp(-((np.where(np.isfinite(high), high, 1.0) / scale) ** shape)), 0.0
        )
        prior = 0.5 * (theta[0] / 1.0) ** 2
        return -float(np.sort(np.log(np.maximum(before - after, 1e-12))).sum()) + float(prior)

    start = np.log([1.0, max(float(np.median(np.where(np.isfinite(high), high, low))), 1.0)])
    found = minimize(
        against, start, method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-10, "maxiter": 4000}
    )
    shape, scale = (float(v) for v in np.exp(np.clip(found.x, -8, 8)))
    ended = np.isfinite(high)
    middle = np.where(ended, (low + np.where(ended, high, 0.0)) / 2, low)
    hazard = (middle / scale) ** shape
    names = [e for e, t in zip(spans.exporter, told, strict=True) if t]
    counts: dict[str, float] = {}
    expected: dict[str, float] = {}
    for name, done, risk in sorted(zip(names, ended.tolist(), hazard.tolist(), strict=True)):
        counts[name] = counts.get(name, 0.0) + done
        expected[name] = expected.get(name, 0.0) + risk
    return Durations(shape, scale, pooled(counts, expected), int(ended.sum()), int((~ended).sum()))
