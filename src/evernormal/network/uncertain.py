"""A number that may be known only as a range: fixed, uniform or triangular.

In a scenario file a hardness is written as ``0.6``, ``{low: 0.4, high: 0.8}`` (uniform) or
``{low: 0.4, mode: 0.6, high: 0.8}`` (triangular).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import PydanticCustomError, core_schema

from evernormal.errors import InputError, nearest

__all__ = ["Uncertain", "Within"]

_KEYS = ("low", "mode", "high")


@dataclass(frozen=True)
class Uncertain:
    """A number with its range.

    Attributes:
        low: smallest value.
        high: largest value.
        mode: most likely value of a triangular distribution; None makes the distribution uniform.  A number
            without a range has low = mode = high.

    >>> Uncertain(0.4, 0.8, 0.6).central()
    0.6
    >>> Uncertain(0.4, 0.9).at(0.5)
    0.65
    >>> Uncertain.of(0.6)
    Uncertain(low=0.6, high=0.6, mode=0.6)
    """

    low: float
    high: float
    mode: float | None = None

    def __post_init__(self) -> None:
        for name in _KEYS:
            value = getattr(self, name)
            if value is None and name == "mode":
                continue
            if isinstance(value, bool) or not isinstance(value, int | float | np.floating | np.integer):
                raise InputError(f"{name} must be a number, got {value!r}")
            if not math.isfinite(value):
                raise InputError(f"{name} must be finite, got {value!r}")
            object.__setattr__(self, name, float(value) + 0.0)
        if self.low > self.high:
            raise InputError(f"low {self.low:g} is above high {self.high:g}", cure="Swap them.")
        if self.low == self.high and self.mode is None:
            object.__setattr__(self, "mode", self.low)
        if self.mode is not None and not self.low <= self.mode <= self.high:
            raise InputError(
                f"mode {self.mode:g} is outside low {self.low:g} to high {self.high:g}",
                cure="The mode is the most likely value between the two.",
            )

    @classmethod
    def of(cls, value: object) -> Uncertain:
        """Return the number, mapping or :class:`Uncertain` as an :class:`Uncertain`.

        Raises:
            InputError: not a number and not ``{low, high}`` or ``{low, mode, high}``.
        """
        if isinstance(value, Uncertain):
            return value
        if isinstance(value, Mapping):
            return cls(**_checked_keys(value))
        if isinstance(value, bool) or not isinstance(value, int | float | np.floating | np.integer):
            raise InputError(f"must be a number, got {_short(value)}", cure=_number_in(value))
        return cls(float(value), float(value), float(value))

    @property
    def is_fixed(self) -> bool:
        """True when the number has no range."""
        return self.low == self.high

    def central(self) -> float:
        """Return the value for a run without draws: the mode where one is stated, else the midpoint.

        The mode, not the mean, because it is the figure that the author of the scenario wrote down and that
        the report repeats.
        """
        return self.mode if self.mode is not None else 0.5 * (self.low + self.high)

    def at(self, probability: float) -> float:
        """Return the quantile at ``probability`` (0..1): the inverse distribution function (equation E39)."""
        if not 0.0 <= probability <= 1.0:
            raise InputError(f"a probability must be between 0 and 1, got {probability!r}")
        span = self.high - self.low
        if span == 0.0:
            return self.low
        if self.mode is None:
            return self.low + probability * span
        left, right = self.mode - self.low, self.high - self.mode
        if probability <= left / span:
            value = self.low + math.sqrt(probability * span * left)
        else:
            value = self.high - math.sqrt((1.0 - probability) * span * right)
        return min(max(value, self.low), self.high)

    def sample(self, rng: np.random.Generator) -> float:
        """Draw one value.

        Takes exactly one number from ``rng``, also for a fixed number, so that two scenarios with the same
        measures stay comparable draw by draw when one of them is harder.
        """
        return self.at(float(rng.random()))

    def plain(self) -> float | dict[str, float]:
        """Return the form that a scenario file holds."""
        if self.is_fixed:
            return self.low
        if self.mode is None:
            return {"low": self.low, "high": self.high}
        return {"low": self.low, "mode": self.mode, "high": self.high}


def _checked_keys(value: Mapping[Any, Any]) -> dict[str, Any]:
    unknown = [key for key in value if key not in _KEYS]
    if unknown:
        close = nearest(str(unknown[0]), _KEYS)
        cure = f"Did you mean {close[0]!r}?" if close else "Known: low, mode, high."
        raise InputError(f"unknown key {unknown[0]!r} in a range", cure=cure)
    missing = [key for key in ("low", "high") if value.get(key) is None]
    if missing:
        raise InputError(
            f"a range lacks {' and '.join(missing)}", cure="Write {low: 0.4, high: 0.8} or add a mode."
        )
    return dict(value)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _number_in(value: object) -> str:
    """Return the cure for a number that came as text."""
    default = "Write a number such as 0.6, or {low: 0.4, high: 0.8}."
    if not isinstance(value, str):
        return default
    text = value.strip().replace("_", "").replace(",", "")
    if re.fullmatch(r"[-+]?\d+(\.\d+)?\s*%", text):
        return f"Write {float(text.rstrip(' %')) / 100:g}."
    if re.fullmatch(r"[-+]?\d+(\.\d+)?", text):
        return f"Write {text} without quotes or separators."
    return default


@dataclass(frozen=True)
class Within:
    """The range and unit of an :class:`Uncertain` field; both reach the published JSON Schema.

    Attributes:
        low: smallest allowed value.
        high: largest allowed value; None for no upper bound.
        unit: unit of the number.
    """

    low: float
    high: float | None
    unit: str

    def parse(self, value: object) -> Uncertain:
        """Return ``value`` as a checked :class:`Uncertain`; raise what pydantic collects."""
        try:
            number = Uncertain.of(value)
            self._check(number)
        except InputError as error:
            cure = f" {error.cure}" if error.cure else ""
            raise PydanticCustomError(
                "uncertain", "{what}.{space}", {"what": error.what, "cure": error.cure, "space": cure}
            ) from None
        return number

    def _check(self, number: Uncertain) -> None:
        for name in _KEYS:
            value = getattr(number, name)
            if value is None or (value >= self.low and (self.high is None or value <= self.high)):
                continue
            which = "" if number.is_fixed else f"{name} "
            bounds = (
                f"at least {self.low:g}" if self.high is None else f"between {self.low:g} and {self.high:g}"
            )
            edge = self.low if value < self.low or self.high is None else self.high
            cure = f"The nearest right value is {edge:g} ({self.unit})."
            if self.high == 1 and 1 < value <= 100:
                cure = f"Write {value / 100:g} for {value:g} %."
            raise InputError(f"{which}must be {bounds}, got {value:g}", cure=cure)

    def __get_pydantic_core_schema__(
        self, source: type[Any], handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Tell pydantic to parse with :meth:`parse` and to write with :meth:`Uncertain.plain`."""
        return core_schema.no_info_plain_validator_function(
            self.parse,
            serialization=core_schema.plain_serializer_function_ser_schema(Uncertain.plain),
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Return the JSON Schema: a number or one of the two ranges, with bounds and unit."""
        number: dict[str, Any] = {"type": "number", "minimum": self.low}
        if self.high is not None:
            number["maximum"] = self.high
        bounds = {"low": number, "high": number}
        closed = {"type": "object", "additionalProperties": False}
        return {
            "unit": self.unit,
            "anyOf": [
                number,
                {"title": "Uniform", **closed, "properties": bounds, "required": ["low", "high"]},
                {
                    "title": "Triangular",
                    **closed,
                    "properties": {"low": number, "mode": number, "high": number},
                    "required": ["low", "mode", "high"],
                },
            ],
        }
