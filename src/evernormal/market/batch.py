"""The work of an ensemble: a plan that travels once to every worker, and batches of draws that it runs.

Every draw starts from the active set of its nearest neighbour in an *atlas*: the central run and the first
batch of draws, solved one after the other before anything is shared out.  The atlas is the same for every
worker, so a draw does not depend on what a worker did before (law 6), and a start near the answer costs a few
iterations only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from evernormal.errors import ModelError
from evernormal.market.digits import rounded
from evernormal.market.dual_newton import ActiveSet
from evernormal.market.factors import Draw, Space
from evernormal.market.outcome import Outcome, calendar_of, outcome_of
from evernormal.market.prepared import Prepared
from evernormal.market.solver import SolverName
from evernormal.network.network import Network
from evernormal.network.scenario import Scenario

__all__ = ["BATCH", "OUTCOMES", "SERIES", "Atlas", "Batch", "Kernel", "Plan", "bare"]

Floats = NDArray[np.float64]

BATCH = 50
"""Draws in a batch: what one task runs and one file holds."""

FEWEST_HIT = 20
"""Points of the atlas at which a chain must be hit before it is learned which factors matter to it."""

SERIES = ("imports_t", "price_ratio", "cover_days", "shortage_t", "loss_usd")
OUTCOMES = (
    "shortage_t", "loss_usd", "peak_price_ratio", "min_cover_days", "imports_lost_t", "stop_days", "hit",
)  # fmt: skip
"""What is kept of a draw and chain; ``stop_days`` counts from the start (NaN: no stop), ``hit`` is 1 where a
measure happens."""


@dataclass(frozen=True)
class Atlas:
    """Points of the unit cube with the active sets of their solutions, by chain and first month.

    Attributes:
        points: (K, factors) where they lie.
        standing: per point and chain; empty where a chain was not hit.
        weights: (C, factors) how much a squared difference in a factor moves the active set of a chain; None:
            all alike.
    """

    points: Floats
    standing: tuple[tuple[Mapping[int, ActiveSet], ...], ...]
    weights: Floats | None = None

    def weighed(self) -> Atlas:
        """Return the atlas with weights learned from how its own active sets differ."""
        chains = range(len(self.standing[0]))
        found = [_weights(self.points, [stood[k] for stood in self.standing]) for k in chains]
        return replace(self, weights=np.array(found))


@dataclass(frozen=True)
class Plan:
    """What all draws have in common.

    Attributes:
        networks: one per chain, without their tables.
        scenarios: one per chain.
        space: factors.
        solver: which solver is asked first.
        atlas: where draws start from; None before it is made.
    """

    networks: tuple[Network, ...]
    scenarios: tuple[Scenario, ...]
    space: Space
    solver: SolverName = "newton"
    atlas: Atlas | None = None


@dataclass(frozen=True)
class Batch:
    """Results of draws ``first`` to ``first + N``, C chains, T months.

    Attributes:
        first: number of the first draw.
        values: (N, factors) value of every factor.
        outcomes: (N, C) by name of :data:`OUTCOMES`.
        series: (N, C, T) by name of :data:`SERIES`.
        failures: draws without a proven answer: (draw, chain, why).
    """

    first: int
    values: Floats
    outcomes: dict[str, Floats]
    series: dict[str, Floats]
    failures: tuple[tuple[int, int, str], ...] = ()


class Kernel:
    """Runs draws of a plan; one per worker, so that networks are prepared once."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._calendars = [calendar_of(scenario) for scenario in plan.scenarios]
        self._prepared = [Prepared(network) for network in plan.networks]
        self._relevant = [plan.space.relevant(k) for k in range(len(plan.networks))]

    def central(self) -> tuple[Outcome, ...]:
        """Return the central run of every chain."""
        draw = self.plan.space.central()
        with threadpool_limits(1, "blas"):
            return tuple(self._outcome(draw, k, None) for k in range(len(self.plan.networks)))

    def survey(self, points: Floats, central: Iterable[Outcome]) -> tuple[Batch, Atlas]:
        """Run the first draws one after the other, each from the nearest before it; return them and the
        atlas."""
        space = self.plan.space
        middle = np.zeros((1, len(space.factors)))
        middle[:, : space.dimension] = 0.5
        atlas = Atlas(middle, (tuple(out.run.standing for out in central),))
        parts = []
        for n in range(len(points)):
            batch, standing = self.run_from(n, points[n : n + 1], atlas)
            parts.append(batch)
            place = space.coordinates(points[n : n + 1], n)
            atlas = Atlas(np.concatenate([atlas.points, place]), (*atlas.standing, *standing))
        with threadpool_limits(1, "blas"):
            return _joined(parts), atlas.weighed()

    def run(self, first: int, points: Floats) -> Batch:
        """Run the draws of ``points`` (N, d), numbered from ``first``."""
        if self.plan.atlas is None:
            raise ValueError("a plan without an atlas cannot run draws")
        return self.run_from(first, points, self.plan.atlas)[0]

    def run_from(
        self, first: int, points: Floats, atlas: Atlas
    ) -> tuple[Batch, tuple[tuple[Mapping[int, ActiveSet], ...], ...]]:
        """Run draws from any atlas; return them and the active sets per draw and chain."""
        space, chains = self.plan.space, len(self.plan.networks)
        months = max(len(c.months) for c in self._calendars)
        shape = (len(points), chains)
        outcomes = {name: np.full(shape, np.nan) for name in OUTCOMES}
        series = {name: np.full((*shape, months), np.nan) for name in SERIES}
        failures, standing = [], []
        with threadpool_limits(1, "blas"):
            places = space.coordinates(points, first)
            for n, draw in enumerate(space.draws(points, first)):
                stood: list[Mapping[int, ActiveSet]] = []
                for k in range(chains):
                    try:
                        out = self._outcome(draw, k, self._nearest(places[n], k, atlas))
                    except ModelError as error:
                        failures.append((first + n, k, error.what))
                        stood.append({})
                        continue
                    stood.append(out.run.standing)
                    _keep(out, bool(draw.acts[k]), n, k, outcomes, series)
                standing.append(tuple(stood))
        values = rounded(space.values(points, first))
        batch = Batch(
            first,
            values,
            {name: rounded(part) for name, part in outcomes.items()},
            {name: rounded(part) for name, part in series.items()},
            tuple(failures),
        )
        return batch, tuple(standing)

    def _outcome(self, draw: Draw, chain: int, near: Mapping[int, ActiveSet] | None) -> Outcome:
        plan = self.plan
        return outcome_of(
            plan.networks[chain],
            draw.behaviour,
            self._calendars[chain],
            draw.acts[chain],
            stand=draw.stand,
            solver=plan.solver,
            near=near,
            prepared=self._prepared[chain],
            rest_known=True,
        )

    def _nearest(self, point: Floats, chain: int, atlas: Atlas) -> Mapping[int, ActiveSet] | None:
        """Active sets of the nearest point of the atlas at which the chain was hit."""
        known = np.array([bool(stood[chain]) for stood in atlas.standing])
        if not known.any():
            return None
        relevant = self._relevant[chain]
        weights = np.ones(len(point)) if atlas.weights is None else atlas.weights[chain]
        away = (atlas.points[:, relevant] - point[relevant]) ** 2 @ weights[relevant]
        return atlas.standing[int(np.argmin(np.where(known, away, np.inf)))][chain]


def _weights(points: Floats, standing: Sequence[Mapping[int, ActiveSet]]) -> Floats:
    """(factors,) non-negative least squares of how many variables stand elsewhere on squared differences.

    All alike where too few points were hit, or where nothing that was drawn moves the set.
    """
    from scipy.optimize import nnls  # noqa: PLC0415 - heavy

    alike = np.ones(points.shape[1])
    hit = [n for n, stood in enumerate(standing) if stood]
    if len(hit) < FEWEST_HIT:
        return alike
    one, two = (np.array(hit)[side] for side in np.triu_indices(len(hit), 1))
    apart = np.array([_differing(standing[i], standing[j]) for i, j in zip(one, two, strict=True)])
    found, _ = nnls((points[one] - points[two]) ** 2, apart)
    return found if found.any() else alike


def _differing(one: Mapping[int, ActiveSet], two: Mapping[int, ActiveSet]) -> float:
    """Variables that stand elsewhere; those of a month from which only one was solved all do."""
    count = 0
    for month in sorted({*one, *two}):
        sets = [stood[month] for stood in (one, two) if month in stood]
        comparable = len(sets) == 2 and sets[0].shape == sets[1].shape
        count += int((sets[0] != sets[1]).sum()) if comparable else max(len(part) for part in sets)
    return float(count)


def _keep(
    out: Outcome, hit: bool, n: int, k: int, outcomes: dict[str, Floats], series: dict[str, Floats]
) -> None:
    """Write what is kept of one run into the arrays of its batch."""
    months = len(out.imports)
    shown = (out.imports, out.price_ratio, out.cover_days, out.shortage, out.loss)
    for name, path in zip(SERIES, shown, strict=True):
        series[name][n, k, :months] = path
    known = out.cover_days[np.isfinite(out.cover_days)]
    stop = out.stop.stop
    kept = {
        "shortage_t": out.shortage.sum(),
        "loss_usd": out.loss.sum(),
        "peak_price_ratio": out.price_ratio.max(),
        "min_cover_days": known.min() if len(known) else np.nan,
        "imports_lost_t": (out.base_imports - out.imports)[out.biting()].sum(),
        "stop_days": np.nan if stop is None else float((stop - out.calendar.months[0]).days),
        "hit": float(hit),
    }
    for name, value in kept.items():
        outcomes[name][n, k] = value


def _joined(parts: list[Batch]) -> Batch:
    return Batch(
        parts[0].first,
        np.concatenate([part.values for part in parts]),
        {name: np.concatenate([part.outcomes[name] for part in parts]) for name in OUTCOMES},
        {name: np.concatenate([part.series[name] for part in parts]) for name in SERIES},
        tuple(failure for part in parts for failure in part.failures),
    )


def bare(network: Network) -> Network:
    """Return a network without its tables, to travel light."""
    import polars as pl  # noqa: PLC0415

    return replace(network, tables={}, coverage=pl.DataFrame(), findings=())
