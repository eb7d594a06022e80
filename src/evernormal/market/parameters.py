"""Behavioural parameters: one table with value, interval, grade and source; kinds are never mixed (DESIGN
4)."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from importlib.resources import files

import numpy as np

from evernormal.errors import InputError, UnknownNameError
from evernormal.result import Parameter

__all__ = ["MONTHLY_KINDS", "Behaviour", "behaviour", "market_parameters", "sample_behaviour"]

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
        >>> [p.name for p in market_parameters(["monthly_use"])]
        ['use_elasticity']
    """
    known = {row["kind"] for row in _rows()}
    wanted = known if kinds is None else set(kinds)
    for kind in sorted(wanted - known):
        raise UnknownNameError("kind of parameter", kind, known)
    return tuple(
        Parameter(
            row["name"],
            float(row["value"]),
            float(row["low"]),
            float(row["high"]),
            row["unit"],
            row["grade"],  # type: ignore[arg-type]
            row["source"],
        )
        for row in _rows()
        if row["kind"] in wanted
    )


@dataclass(frozen=True)
class Behaviour:
    """One value for every behavioural parameter of the monthly engine; meanings in ``parameters.csv``."""

    use_elasticity: float
    supply_elasticity: float
    spare_capacity: float
    idle_discount: float
    processing_elasticity: float
    processing_spare: float
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

    def substitution(self, months_known: int) -> float:
        """Return the elasticity of a route after so many months of knowing (equation E46)."""
        share = 1.0 - float(np.exp(-max(months_known, 0) / self.rerouting_months))
        return self.substitution_short + (self.substitution_long - self.substitution_short) * share


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
