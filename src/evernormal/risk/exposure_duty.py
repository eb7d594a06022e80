"""When a country's duty of early warning begins: shares of one country, and of neighbouring countries."""

from __future__ import annotations

import csv
import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from evernormal.errors import InputError, LabelError
from evernormal.result import Parameter

__all__ = ["Duty", "concentration_duty", "duty_parameters", "neighbours_of"]

Floats = npt.NDArray[np.float64]

_ONE, _NEAR = "early-warning-duty-one-country-kor", "early-warning-duty-neighbours-kor"


@dataclass(frozen=True)
class Duty:
    """Whether a duty of early warning applies, per row of shares.

    Attributes:
        largest: place of the largest supplier; -1 where no share is known.
        largest_share: its share; NaN where no share is known.
        neighbour_share: share of all neighbouring countries together; NaN where none is named or known.
        one_country: the largest share reaches its threshold.
        neighbouring: two or more neighbouring countries supply, and together reach theirs.
    """

    largest: npt.NDArray[np.int64]
    largest_share: Floats
    neighbour_share: Floats
    one_country: npt.NDArray[np.bool_]
    neighbouring: npt.NDArray[np.bool_]

    @property
    def reached(self) -> npt.NDArray[np.bool_]:
        """Either rule."""
        return self.one_country | self.neighbouring


def concentration_duty(
    shares: npt.ArrayLike,
    suppliers: Sequence[str],
    neighbours: Iterable[str] = (),
    *,
    one_country: float = 0.5,
    neighbouring_countries: float = 0.75,
) -> Duty:
    """Return whether a country's imports are concentrated enough for its early-warning duty (equation E117).

    Args:
        shares: fractions of the imports, suppliers along the last axis; NaN where a row is unknown.
        suppliers: ISO 3166 alpha-3 of the last axis.
        neighbours: countries that count as neighbouring; without any that rule is not judged.
        one_country: threshold on the largest supplier.
        neighbouring_countries: threshold on two or more neighbouring countries together.

    Raises:
        InputError: a share or a threshold outside 0..1.
        LabelError: not one supplier per share.

    >>> duty = concentration_duty([0.4, 0.38, 0.22], ["CHN", "JPN", "USA"], ["CHN", "JPN"])
    >>> bool(duty.one_country), bool(duty.neighbouring), round(float(duty.neighbour_share), 2)
    (False, True, 0.78)
    """
    values = np.asarray(shares, dtype=np.float64)
    if values.ndim == 0 or values.shape[-1] != len(suppliers):
        raise LabelError(f"shares have shape {values.shape}, {len(suppliers)} suppliers are named")
    for name, limit in (("one_country", one_country), ("neighbouring_countries", neighbouring_countries)):
        if not 0 <= limit <= 1:
            raise InputError(f"{name} must be from 0 to 1, got {limit:g}", cure="Give a fraction.")
    known = values[~np.isnan(values)]
    if known.size and (known.min() < 0 or known.max() > 1 + 1e-9):
        raise InputError(
            f"a share must be from 0 to 1, got {known.min():g} to {known.max():g}", where="shares"
        )
    near = np.isin(np.array(suppliers, dtype=str), sorted(set(neighbours)))
    if not len(suppliers):
        nothing = np.full(values.shape[:-1], np.nan)
        none = np.zeros(values.shape[:-1], dtype=bool)
        return Duty(np.full(values.shape[:-1], -1), nothing, nothing, none, none)
    blank = np.isnan(values).all(axis=-1)
    filled = np.nan_to_num(values)
    largest = np.where(blank, -1, filled.argmax(axis=-1))
    top = np.where(blank, np.nan, filled.max(axis=-1))
    together = np.where(blank | ~near.any(), np.nan, filled[..., near].sum(axis=-1))
    several = (filled[..., near] > 0).sum(axis=-1) >= 2
    with np.errstate(invalid="ignore"):
        return Duty(
            largest, top, together, top >= one_country, several & (together >= neighbouring_countries)
        )


def duty_parameters() -> tuple[Parameter, Parameter]:
    """Return the two thresholds of the Korean duty, as the table of facts has them.

    >>> [parameter.value for parameter in duty_parameters()]
    [0.5, 0.75]
    """
    from evernormal.data import facts  # noqa: PLC0415 - reads tables

    rows = {row["fact_id"]: row for row in facts("policy").iter_rows(named=True)}
    return (_parameter(rows[_ONE]), _parameter(rows[_NEAR]))


def _parameter(row: Mapping[str, object]) -> Parameter:
    value = float(str(row["value"]))
    grade = "C" if row["grade"] == "C" else "B" if row["grade"] == "B" else "A"
    return Parameter(str(row["fact_id"]), value, value, value, "fraction", grade, str(row["source"]))  # type: ignore[arg-type]


@functools.cache
def _table() -> dict[str, tuple[tuple[str, ...], str]]:
    path = Path(__file__).parent / "tables" / "neighbours.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        return {
            row["country"]: (tuple(row["neighbours"].split()), row["source"])
            for row in csv.DictReader(stream)
        }


def neighbours_of(country: str) -> tuple[tuple[str, ...], str]:
    """Return the countries that count as neighbouring by default, and why; none for most countries.

    >>> neighbours_of("KOR")[0]
    ('CHN', 'JPN', 'PRK', 'RUS')
    """
    return _table().get(country, ((), ""))
