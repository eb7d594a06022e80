"""Behavioural parameters: one table with value, interval, grade and source; kinds are never
mixed."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from evernormal.errors import InputError, UnknownNameError
from evernormal.result import Parameter

__all__ = [
    "MONTHLY_KINDS",
    "Behaviour",
    "behaviour",
    "market_parameters",
    "parameter_of",
    "sample_behaviour",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MONTHLY_KINDS = frozenset({"monthly_use", "supply", "trade", "stock", "regime"})
"""Kinds the monthly engine may use; ``annual_import`` elasticities hold stocks and other forms inside
them."""


@lru_cache(maxsize=1)
def _rows() -> tuple[dict[str, str], ...]:
    text = files("evernormal.market").joinpath("parameters.csv").read_text("utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def market_parameters(kinds: Iterable[str] | None = None) -> tuple[Parameter, ...]:
    """Return the shipped parameters of the given kinds (all when omitted).

    Raises:
        UnknownNameError: a kind that the table does not have.

    Example:
        >>> [p.name for p in market_parameters(["regime"])]
        ['choke_ratio']
    """
    known = {row["kind"] for row in _rows()}
    wanted = known if kinds is None else set(kinds)
    for kind in sorted(wanted - known):
        raise UnknownNameError("kind of parameter", kind, known)
    return tuple(parameter_of(row) for row in _rows() if row["kind"] in wanted)


def parameter_of(row: Mapping[str, str]) -> Parameter:
    """Return the parameter in a row of a table with name, value, low, high, unit, grade and source."""
    return Parameter(
        row["name"],
        float(row["value"]),
        float(row["low"]),
        float(row["high"]),
        row["unit"],
        row["grade"],  # type: ignore[arg-type]
        row["source"],
    )


@dataclass(frozen=True)
class Behaviour:
    """One value for every behavioural parameter of the monthly engine; meanings in ``parameters.csv``."""

    use_elasticity: float
    use_elasticity_growth: float
    use_elasticity_months: float
    supply_elasticity: float
    spare_capacity: float
    idle_discount: float
    absorption_discount: float
    processing_elasticity: float
    processing_spare: float
    other_supply_limit: float
    other_supply_start: float
    other_supply_full: float
    other_supply_months: float
    substitution_short: float
    substitution_long: float
    rerouting_months: float
    new_route_premium: float
    new_route_size: float
    convenience_slope: float
    commercial_stock_scale: float
    choke_ratio: float

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if not (np.isfinite(value) and value > 0):
                raise InputError(f"{item.name} must be a number above 0, got {value}", where="behaviour")
        if self.choke_ratio <= 1:
            raise InputError(f"choke_ratio must be above 1, got {self.choke_ratio}", where="behaviour")
        if self.other_supply_full <= self.other_supply_start:
            raise InputError(
                f"other_supply_full {self.other_supply_full} must be above other_supply_start",
                where="behaviour",
            )

    def substitution(self, months_known: Integers) -> Floats:
        """Return the elasticity of a route after so many months of knowing (equation E46)."""
        step = self.substitution_long - self.substitution_short
        return self.substitution_short + step * _adjusted(months_known, self.rerouting_months)

    def use_factor(self, months_known: Integers) -> Floats:
        """Return the factor on the short-run elasticity of use (equation E57)."""
        return 1.0 + (self.use_elasticity_growth - 1.0) * _adjusted(months_known, self.use_elasticity_months)

    def other_supply(self, months_known: Integers) -> Floats:
        """Return the largest share of base use that other supply takes over (equation E58)."""
        return self.other_supply_limit * _adjusted(months_known, self.other_supply_months)


def _adjusted(months_known: Integers, months: float) -> Floats:
    """Share of an adjustment that is made after so many months, 63 % after ``months``; 0 before anything is
    known."""
    return np.asarray(1.0 - np.exp(-np.maximum(months_known, 0) / months))


def behaviour(overrides: Mapping[str, float] | None = None) -> Behaviour:
    """Return the central behaviour, with ``overrides`` by name.

    Example:
        >>> behaviour({"choke_ratio": 5.0}).choke_ratio
        5.0
    """
    names = [item.name for item in fields(Behaviour)]
    central = Behaviour(**{p.name: p.value for p in market_parameters(MONTHLY_KINDS)})
    for name in overrides or {}:
        if name not in names:
            raise UnknownNameError("behavioural parameter", name, names)
    return replace(central, **dict(overrides or {}))


def sample_behaviour(rng: np.random.Generator, fixed: Mapping[str, float] | None = None) -> Behaviour:
    """Draw every parameter from the triangle (low, value, high); ``fixed`` names stay as given.

    The long elasticity of a route is never below the short one.
    """
    drawn: dict[str, float] = {}
    for p in market_parameters(MONTHLY_KINDS):
        drawn[p.name] = float(rng.triangular(p.low, p.value, p.high))
    drawn.update(fixed or {})
    drawn["substitution_long"] = max(drawn["substitution_long"], drawn["substitution_short"])
    return Behaviour(**drawn)
