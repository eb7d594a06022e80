"""How often: a regression on governance and share, exporters and codes drawn to it by what they did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import gammaln

from evernormal.errors import InputError

__all__ = ["Factors", "Rates", "firth", "fit_rates", "pooled", "shrinkage"]

Floats = NDArray[np.float64]

Z80 = 1.2815515655446004
"""Standard normal quantile of 90 %: the ends of an 80 % interval."""


def firth(covariates: npt.ArrayLike, events: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return coefficients and their covariance of a logistic regression with Firth's correction (E145).

    The correction keeps estimates finite and nearly unbiased when events are few (Firth 1993).

    Args:
        covariates: (n, k), the constant among them.
        events: (n,) whether it happened.

    >>> constant = np.ones((10, 1))
    >>> beta, _ = firth(constant, [1, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    >>> round(float(1 / (1 + np.exp(-beta[0]))), 4)  # (1 + 0.5) / (10 + 1)
    0.1364
    """
    x, y = np.asarray(covariates, dtype=np.float64), np.asarray(events, dtype=np.float64)
    beta = np.zeros(x.shape[1])
    for _ in range(100):
        p = 1 / (1 + np.exp(-np.clip(x @ beta, -30, 30)))
        weight = p * (1 - p)
        inverse = np.linalg.pinv(x.T @ (x * weight[:, None]), hermitian=True)
        leverage = weight * np.einsum("ij,jk,ik->i", x, inverse, x)
        step = inverse @ (x.T @ (y - p + leverage * (0.5 - p)))
        step *= min(1.0, 3.0 / max(float(np.abs(step).max()), 1e-300))
        beta = beta + step
        if float(np.abs(step).max()) < 1e-10:
            break
    return beta, np.asarray(inverse, dtype=np.float64)


@dataclass(frozen=True)
class Factors:
    """What each member of a group does against expectation: gamma distributions (equation E146).

    Attributes:
        shape: of the common distribution, whose mean is 1; infinite where members do not differ.
        posterior: member to (shape, rate) of its own distribution.
    """

    shape: float
    posterior: dict[str, tuple[float, float]]

    def own_shape(self, member: str) -> float:
        """Return the shape of a member's own distribution; the common one where it is unknown."""
        return self.posterior.get(member, (self.shape, self.shape))[0]

    def mean(self, member: str) -> float:
        """Return the mean factor; 1 where the member is unknown."""
        shape, rate = self.posterior.get(member, (1.0, 1.0))
        return shape / rate if np.isfinite(self.shape) else 1.0


def shrinkage(estimate: Floats, variance: Floats) -> Floats:
    """Return the share of each coefficient that is kept: 1 - variance / estimate squared, at least 0 (E145).

    Empirical Bayes for a coefficient around zero: what its own error could have made is taken off.

    >>> shrinkage(np.array([2.0, 0.5]), np.array([1.0, 1.0])).tolist()
    [0.75, 0.0]
    """
    square = np.maximum(estimate**2, 1e-300)
    return np.asarray(np.where(variance > 0, np.maximum(0.0, 1.0 - variance / square), 1.0))


LARGEST_SHAPE = 200.0
"""Members that differ less than this shape says (a spread of 7 %) are taken as alike."""


def pooled(counts: dict[str, float], expected: dict[str, float]) -> Factors:
    """Return gamma factors whose common shape is the likeliest for the counts (equation E146)."""
    names = sorted(counts)
    n, mu = np.array([counts[k] for k in names]), np.array([expected[k] for k in names])

    def against(log_shape: float) -> float:
        a = np.exp(log_shape)
        terms = gammaln(a + n) - gammaln(a) + a * np.log(a / (a + mu)) + n * np.log(mu / (a + mu))
        return -float(np.sort(terms).sum())

    best = minimize_scalar(against, bounds=(np.log(0.05), np.log(LARGEST_SHAPE)), method="bounded")
    shape = float(np.exp(best.x))
    if shape > 0.95 * LARGEST_SHAPE:
        return Factors(float("inf"), {})
    return Factors(shape, {k: (shape + n[i], shape + mu[i]) for i, k in enumerate(names)})


@dataclass(frozen=True)
class Rates:
    """A fitted model of frequency.

    Attributes:
        beta: coefficients of constant, governance and log share, both standardised.
        covariance: of them.
        centre: means of governance and log share.
        scale: their standard deviations.
        exporters: factors of exporters.
        items: factors of codes or materials.
        base: pooled rate, events per exposed year.
    """

    beta: Floats
    covariance: Floats
    centre: Floats
    scale: Floats
    exporters: Factors
    items: Factors
    base: float

    def design(self, governance: Floats, share: Floats) -> Floats:
        """(n, 3) covariates; an unknown governance or share stands at its mean."""
        raw = np.column_stack([governance, np.log(np.maximum(share, 1e-6))])
        standard = (raw - self.centre) / self.scale
        return np.column_stack([np.ones(len(raw)), np.nan_to_num(standard, nan=0.0)])

    def expected(self, governance: Floats, share: Floats) -> Floats:
        """(n,) rate by covariates alone, events per year."""
        z = self.design(governance, share) @ self.beta
        return np.asarray(np.log1p(np.exp(z)))

    def rates(
        self, exporters: list[str], items: list[str], governance: Floats, share: Floats
    ) -> tuple[Floats, Floats]:
        """Return the mean rate of each cell and the shape of its gamma distribution (equation E146).

        The variances of coefficients and of both factors are put together as those of a product.
        """
        x = self.design(governance, share)
        mu = self.expected(governance, share)
        spread = np.expm1(np.einsum("ij,jk,ik->i", x, self.covariance, x))
        pairs = list(zip(exporters, items, strict=True))
        factor = np.array([self.exporters.mean(e) * self.items.mean(i) for e, i in pairs])
        relative = np.array(
            [(1 + 1 / self.exporters.own_shape(e)) * (1 + 1 / self.items.own_shape(i)) for e, i in pairs]
        )
        return mu * factor, 1 / np.maximum((1 + spread) * relative - 1, 1e-9)


def fit_rates(panel: pl.DataFrame, *, covariates: bool = True, factors: bool = True) -> Rates:
    """Fit the model of frequency on a panel of exposed years (equations E145, E146).

    Raises:
        InputError: nothing was exposed, or nothing happened.
    """
    if panel.is_empty() or not panel["event"].any():
        raise InputError(
            "no event in the exposed years: a frequency cannot be fitted",
            cure="Ask for more years, a wider tier, or give your own judgement.",
        )
    panel = panel.sort("exporter", "item", "year")
    governance, share = panel["governance"].to_numpy(), panel["share"].to_numpy()
    events = panel["event"].to_numpy().astype(np.float64)
    raw = np.column_stack([governance, np.log(np.maximum(share, 1e-6))])
    centre, scale = np.nanmean(raw, axis=0), np.maximum(np.nanstd(raw, axis=0), 1e-9)
    plain = Factors(float("inf"), {})
    base = float(events.mean())
    rates = Rates(np.zeros(3), np.zeros((3, 3)), centre, scale, plain, plain, base)
    x = rates.design(governance, share)
    if not covariates:
        x[:, 1:] = 0.0
    beta, covariance = np.zeros(3), np.zeros((3, 3))
    kept = np.array([0, *(k for k in (1, 2) if covariates and np.ptp(x[:, k]) > 1e-9)])
    beta[kept], covariance[np.ix_(kept, kept)] = firth(x[:, kept], events)
    beta[1:] *= shrinkage(beta[1:], np.diag(covariance)[1:])
    rates = Rates(beta, covariance, centre, scale, plain, plain, base)
    if not factors:
        return rates
    return _with_factors(rates, panel, events)


def _with_factors(rates: Rates, panel: pl.DataFrame, events: Floats) -> Rates:
    mu = rates.expected(panel["governance"].to_numpy(), panel["share"].to_numpy())
    frame: dict[str, Any] = {"exporter": panel["exporter"], "item": panel["item"], "n": events, "mu": mu}
    names = {side: panel[side].to_list() for side in ("exporter", "item")}
    found = {"exporter": Factors(float("inf"), {}), "item": Factors(float("inf"), {})}
    for _ in range(6):
        for side, other in (("exporter", "item"), ("item", "exporter")):
            factor = np.array([found[other].mean(name) for name in names[other]])
            sums = (
                pl.DataFrame({**frame, "mu": mu * factor})
                .group_by(side, maintain_order=True)
                .agg(pl.col("n").sum(), pl.col("mu").sum())
            )
            counts = dict(sums.select(side, "n").iter_rows())
            expected = dict(sums.select(side, "mu").iter_rows())
            found[side] = pooled(counts, expected)
    return Rates(
        rates.beta, rates.covariance, rates.centre, rates.scale, found["exporter"], found["item"], rates.base
    )
