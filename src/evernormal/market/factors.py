"""What is uncertain in an ensemble: one factor per independent source of chance, from the unit cube to a
draw.

Factors are behavioural parameters, the stand of the end uses, every hardness that is a range, how long a
measure lasts and whether it happens at all, and one common factor per actor: a capital that is in the mood to
withhold acts on several forms at once, harder and for longer (equation E90).  A draw is a point of the unit
cube; which way is *harder* is known per kind of number, so the common factor pushes all acts of an actor the
same way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from evernormal.errors import InputError, UnknownNameError
from evernormal.market.acts import Act
from evernormal.market.outcome import Stand
from evernormal.market.parameters import MONTHLY_KINDS, Behaviour, market_parameters

if TYPE_CHECKING:
    from evernormal.market.futures import Futures
    from evernormal.network.measures import Measure
    from evernormal.network.scenario import Scenario
    from evernormal.network.uncertain import Uncertain

__all__ = ["DEFAULT_CORRELATION", "Draw", "Factor", "Joint", "Space"]

Floats = NDArray[np.float64]

DEFAULT_CORRELATION = 0.5
"""Assumption: half of the variance of how hard an actor's acts are is common to them; no study of ours says
more."""

EASIER_WHEN_MORE = frozenset({"approval_share", "first_approval_share", "share_of_base", "tonnes_per_year"})
"""Numbers of which less is harder for who is hit; of all others more is."""

EDGE = 1e-12
"""Points of the unit cube are kept this far from its faces, where normal scores are infinite."""


@dataclass(frozen=True)
class Joint:
    """How the measures of an ensemble hang together.

    Attributes:
        correlation: share of the variance of the normal scores that all numbers of one actor's measures have
            in common, 0 (independent) to below 1.
        probability: chance that a measure happens, by its id; a measure that is not named always happens.
        duration: factor on the days from effect to end, by id of the measure; not named: as written.
    """

    correlation: float = DEFAULT_CORRELATION
    probability: Mapping[str, float] = field(default_factory=dict)
    duration: Mapping[str, Uncertain] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not (np.isfinite(self.correlation) and 0 <= self.correlation < 1):
            raise InputError(f"correlation must be at least 0 and below 1, got {self.correlation}")
        for name, chance in self.probability.items():
            if not (np.isfinite(chance) and 0 < chance <= 1):
                raise InputError(f"the probability of {name!r} must be above 0 and at most 1, got {chance}")
        for name, factor in self.duration.items():
            if factor.low <= 0:
                raise InputError(
                    f"the factor on the duration of {name!r} must be above 0, got {factor.low:g}"
                )


@dataclass(frozen=True)
class Factor:
    """One independent source of chance.

    Attributes:
        name: ``use_elasticity``, ``china-ban.severity``, ``actor CHN`` ...
        kind: ``parameter``, ``end use``, ``hardness``, ``duration``, ``occurrence``, ``actor``, or ``event``
            (drawn outside; its value is the share of the horizon's shipments that is withheld).
        low: smallest value.
        mode: most likely value; None: every value alike.
        high: largest value.
        actor: who acts; empty for what nobody does.
    """

    name: str
    kind: str
    low: float
    mode: float | None
    high: float
    actor: str = ""


@dataclass(frozen=True)
class Draw:
    """One point of the unit cube made numbers.

    Attributes:
        behaviour: behavioural parameters.
        stand: where in the intervals of the end uses.
        acts: measures of every chain with their hardness; none where nothing happens.
    """

    behaviour: Behaviour
    stand: Stand
    acts: tuple[tuple[Act, ...], ...]


@dataclass(frozen=True)
class _Driver:
    """One number of one measure that is drawn: which factor moves it, and which common factor."""

    chain: int
    measure: int
    what: str
    column: int
    actor: int
    easier: bool
    number: Uncertain | None
    chance: float


class Space:
    """The factors of an ensemble and the way from a point of their unit cube to a :class:`Draw`.

    Args:
        scenarios: one per chain.
        fixed: behavioural parameters that are not drawn.
        joint: how measures hang together.
        futures: events that are drawn elsewhere; their factors come last and are not in the cube.
    """

    def __init__(
        self,
        scenarios: Sequence[Scenario],
        fixed: Mapping[str, float],
        joint: Joint,
        futures: Futures | None = None,
    ) -> None:
        self.joint, self.futures, self._fixed = joint, futures, dict(fixed)
        self._measures = [scenario.resolved_measures() for scenario in scenarios]
        self._policies = [scenario.resolved_policies() for scenario in scenarios]
        self._prefixes = [f"{s.name}/" if len(scenarios) > 1 else "" for s in scenarios]
        self._check_names()
        self.factors: list[Factor] = []
        self._parameters = self._add_parameters()
        self._stands = [self._add(Factor(n, "end use", -1.0, 0.0, 1.0)) for n in _stand_names()]
        self._actors = self._add_actors()
        self._drivers = self._add_drivers()
        self.dimension = len(self.factors)
        self._add_events()

    def _check_names(self) -> None:
        known = {m.id for group in self._measures for m in group}
        for kind, named in (("probability", self.joint.probability), ("duration", self.joint.duration)):
            for name in named:
                if name not in known:
                    raise UnknownNameError("measure", name, known, where=f"joint {kind}")
        for measure in (m for group in self._measures for m in group):
            if measure.id in self.joint.duration and measure.ends is None:
                raise InputError(
                    f"measure {measure.id!r} has no end, so its duration cannot vary",
                    where="joint duration",
                    cure="Write 'ends' into the scenario.",
                )

    def _add(self, factor: Factor) -> int:
        self.factors.append(factor)
        return len(self.factors) - 1

    def _add_parameters(self) -> list[tuple[str, float, int]]:
        """(name, value where it is not drawn, column or -1) of every behavioural parameter."""
        rows = []
        for p in market_parameters(MONTHLY_KINDS):
            drawn = p.name not in self._fixed and p.high > p.low
            column = self._add(Factor(p.name, "parameter", p.low, p.value, p.high)) if drawn else -1
            rows.append((p.name, self._fixed.get(p.name, p.value), column))
        return rows

    def _numbers(self, measure: Measure) -> list[tuple[str, Uncertain | None, float]]:
        """(what, its range, chance) of everything that is drawn of a measure."""
        found: list[tuple[str, Uncertain | None, float]] = []
        chance = self.joint.probability.get(measure.id, 1.0)
        if chance < 1:
            found.append(("occurs", None, chance))
        if measure.id in self.joint.duration and not self.joint.duration[measure.id].is_fixed:
            found.append(("duration", self.joint.duration[measure.id], 1.0))
        return found + [(name, number, 1.0) for name, number in _ranges(measure)]

    def _add_actors(self) -> dict[str, int]:
        """A common factor for every actor with two numbers or more that are drawn."""
        if self.joint.correlation == 0:
            return {}
        counts: dict[str, int] = {}
        for measure in (m for group in self._measures for m in group):
            counts[measure.by] = counts.get(measure.by, 0) + len(self._numbers(measure))
        return {
            actor: self._add(Factor(f"actor {actor}", "actor", -np.inf, 0.0, np.inf, actor))
            for actor in sorted(counts)
            if counts[actor] > 1
        }

    def _add_drivers(self) -> list[_Driver]:
        drivers = []
        for chain, measures in enumerate(self._measures):
            for index, measure in enumerate(measures):
                for what, number, chance in self._numbers(measure):
                    factor = self._factor(chain, measure, what, number, measure.by)
                    actor = self._actors.get(measure.by, -1)
                    easier = what in EASIER_WHEN_MORE
                    drivers.append(
                        _Driver(chain, index, what, self._add(factor), actor, easier, number, chance)
                    )
            for index, policy in enumerate(self._policies[chain], start=len(measures)):
                for what, number in _ranges(policy):
                    factor = self._factor(chain, policy, what, number, "")
                    drivers.append(_Driver(chain, index, what, self._add(factor), -1, False, number, 1.0))
        return drivers

    def _add_events(self) -> None:
        for chain, exporter in self.futures.columns if self.futures else ():
            name = f"{self._prefixes[chain]}event {exporter}"
            self._add(Factor(name, "event", 0.0, None, np.inf, exporter))

    def _factor(self, chain: int, measure: Measure, what: str, number: Uncertain | None, by: str) -> Factor:
        name = f"{self._prefixes[chain]}{measure.id}.{what}"
        if number is None:
            return Factor(name, "occurrence", 0.0, None, 1.0, by)
        kind = "duration" if what == "duration" else "hardness"
        return Factor(name, kind, number.low, number.mode, number.high, by)

    # From the cube to numbers -----------------------------------------------------------------------------

    def coordinates(self, points: Floats, first: int = 0) -> Floats:
        """(N, factors) where draws from ``first`` on lie; an event counts as much as all other factors."""
        if self.futures is None:
            return points
        reach = self.futures.reach(first, len(points))
        return np.hstack([points, np.sqrt(self.dimension) * reach])

    def values(self, points: Floats, first: int = 0) -> Floats:
        """(N, factors) value of every factor; of an actor its normal score; of an occurrence 1 or 0."""
        values = np.empty((len(points), self.dimension))
        for column, factor in enumerate(self.factors[: self.dimension]):
            if factor.kind == "actor":
                values[:, column] = _scores(points[:, column])
            elif factor.kind in {"parameter", "end use"}:
                values[:, column] = _quantiles(factor.low, factor.mode, factor.high, points[:, column])
        for driver in self._drivers:
            values[:, driver.column] = self._driven(driver, points)
        if self.futures is None:
            return values
        return np.hstack([values, self.futures.reach(first, len(points))])

    def _driven(self, driver: _Driver, points: Floats) -> Floats:
        """Values of one number of a measure: its own chance mixed with its actor's mood (equation E90)."""
        own = points[:, driver.column]
        if driver.actor >= 0:
            weight = self.joint.correlation
            mood = np.sqrt(weight) * _scores(points[:, driver.actor])
            own = _chances(mood + np.sqrt(1.0 - weight) * _scores(own))
        if driver.number is None:
            return (own > 1.0 - driver.chance).astype(np.float64)
        number = driver.number
        return _quantiles(number.low, number.mode, number.high, 1.0 - own if driver.easier else own)

    def central(self) -> Draw:
        """Return the draw in which every number has its central value and everything happens."""
        behaviour = {name: self._fixed.get(name, value) for name, value, _ in self._parameters}
        acts = tuple(self._acts(chain, {}, set()) for chain in range(len(self._measures)))
        return Draw(_behaviour(behaviour), Stand(), acts)

    def draws(self, points: Floats, first: int = 0) -> list[Draw]:
        """Return the draw of every point (N, d), numbered from ``first``."""
        values = self.values(np.clip(points, EDGE, 1.0 - EDGE), first)
        return [self._draw(row, first + n) for n, row in enumerate(values)]

    def _draw(self, row: Floats, number: int) -> Draw:
        chosen = {n: value if c < 0 else float(row[c]) for n, value, c in self._parameters}
        numbers: list[dict[tuple[int, str], float]] = [{} for _ in self._measures]
        absent: list[set[int]] = [set() for _ in self._measures]
        for driver in self._drivers:
            value = float(row[driver.column])
            if driver.what == "occurs" and driver.number is None:
                absent[driver.chain] |= set() if value else {driver.measure}
            else:
                numbers[driver.chain][driver.measure, driver.what] = value
        drawn = [() if self.futures is None else self.futures.acts(k, number) for k in range(len(absent))]
        acts = tuple(self._acts(k, numbers[k], absent[k], drawn[k]) for k in range(len(absent)))
        return Draw(_behaviour(chosen), Stand(*(float(row[c]) for c in self._stands)), acts)

    def _acts(
        self,
        chain: int,
        numbers: Mapping[tuple[int, str], float],
        absent: set[int],
        drawn: tuple[Act, ...] = (),
    ) -> tuple[Act, ...]:
        """Acts of one chain; policies answer measures, so where none happens there is no policy either."""
        measures, policies = self._measures[chain], self._policies[chain]
        happens = drawn or len(absent) < len(measures)
        if not happens and (measures or self.futures is not None):
            return ()
        acts = list(drawn)
        for index, measure in enumerate((*measures, *policies)):
            if index in absent:
                continue
            hardness = {
                name: numbers.get((index, name), number.central())
                for name, number in measure.hardness().items()
            }
            fixed = self.joint.duration.get(measure.id) if index < len(measures) else None
            factor = numbers.get((index, "duration"), fixed.central() if fixed else 1.0)
            acts.append(Act(measure if factor == 1.0 else lasting(measure, factor), hardness))
        return tuple(acts)

    def relevant(self, chain: int) -> NDArray[np.bool_]:
        """(factors,) those that can move a chain: all but the measures and events of other chains."""
        mine = np.ones(len(self.factors), dtype=bool)
        for driver in self._drivers:
            mine[driver.column] = driver.chain == chain
        if self.futures is not None:
            mine[self.dimension :] = [column[0] == chain for column in self.futures.columns]
        return mine


def lasting(measure: Measure, factor: float) -> Measure:
    """Return a measure that lasts ``factor`` times as long, at least a day.

    A suspension or a resumption that would come after the new end is left out.

    >>> from datetime import date
    >>> from evernormal.network.measures import Ban
    >>> ban = Ban(by="CHN", severity=1, effective=date(2024, 1, 1), ends=date(2024, 1, 31))
    >>> lasting(ban, 0.5).ends
    datetime.date(2024, 1, 16)
    """
    if measure.ends is None:
        return measure
    days = max(1, round((measure.ends - measure.effective).days * factor))
    update: dict[str, Any] = {"ends": measure.effective + timedelta(days=days)}
    if measure.suspended is not None and measure.suspended >= update["ends"]:
        update |= {"suspended": None, "resumes": None}
    elif measure.resumes is not None and measure.resumes >= update["ends"]:
        update["resumes"] = None
    return measure.model_copy(update=update)


def _ranges(measure: Measure) -> list[tuple[str, Uncertain]]:
    return [(name, number) for name, number in measure.hardness().items() if not number.is_fixed]


def _stand_names() -> tuple[str, ...]:
    return tuple(f"end use {item.name.replace('_', ' ')}" for item in fields(Stand))


def _behaviour(values: dict[str, float]) -> Behaviour:
    """The long elasticity of a route is never below the short one."""
    values["substitution_long"] = max(values["substitution_long"], values["substitution_short"])
    return Behaviour(**values)


def _quantiles(low: float, mode: float | None, high: float, chance: Floats) -> Floats:
    """Quantiles of a uniform or triangular distribution (equation E39)."""
    span = high - low
    if mode is None:
        return low + chance * span
    left, right = mode - low, high - mode
    value = np.where(
        chance * span <= left,
        low + np.sqrt(np.maximum(chance * span * left, 0.0)),
        high - np.sqrt(np.maximum((1.0 - chance) * span * right, 0.0)),
    )
    return np.clip(value, low, high)


def _scores(chance: Floats) -> Floats:
    """Normal score of a chance."""
    from scipy.special import ndtri  # noqa: PLC0415 - loaded when an ensemble is drawn

    return np.asarray(ndtri(np.clip(chance, EDGE, 1.0 - EDGE)))


def _chances(score: Floats) -> Floats:
    """Chance of a normal score."""
    from scipy.special import ndtr  # noqa: PLC0415

    return np.asarray(ndtr(score))
