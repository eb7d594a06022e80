"""Economic importance as the European Commission computes it for its list of critical raw materials."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from evernormal.errors import InputError, LabelError

__all__ = ["economic_importance", "economic_importance_interval"]

Numbers = npt.NDArray[np.float64]

_SCALE = 10.0
_ROUNDING = 0.05
"""How far printed shares of use may sum above 1: whole per cent over many uses."""


def economic_importance(
    use_shares: npt.ArrayLike,
    value_added: npt.ArrayLike,
    substitution: npt.ArrayLike = 1.0,
    *,
    largest: float | None = None,
) -> np.float64 | Numbers:
    """Return the economic importance of materials by the method of 2017, also used in 2020 and 2023 (E109).

    The study of 2017 replaced the megasectors of 2011 and 2014 by sectors of two digits of NACE and brought
    in the substitution index; 2020 and 2023 renewed the data only, and Regulation (EU) 2024/1252, Annex II,
    made the formula law.

    Args:
        use_shares: shares of use per sector along the last axis, fractions that sum to 1; what rounding does
            to them (up to 1.05) is left in.  One row per material.
        value_added: value added of each sector on the same axis, any one unit.
        substitution: substitution index for economic importance, above 0 to 1; one per material.
        largest: value added of the largest manufacturing sector, which stands for 10; the largest of
            ``value_added`` when not given, which is right only when that sector is among them.

    Returns:
        0 to 10 per material.  A share or a value added that is unknown (NaN) makes the answer NaN (law 2),
        except a value added that no share of use meets.

    Raises:
        InputError: shares outside 0..1 or that sum to more than 1.05, a negative value added, a
            substitution index outside 0..1.
        LabelError: shapes that do not fit.

    Aggregates, all used in sector C23 of 64,990 million euro where the largest sector has 204,200 (European
    Commission 2023); published 3.2:

    >>> float(round(economic_importance([1.0], [64990], largest=204200), 2))
    3.18
    """
    part, added, index = _checked(use_shares, value_added, substitution)
    if largest is None:
        largest = float(np.nanmax(added)) if np.isfinite(added).any() else float("nan")
    if largest <= 0:
        raise InputError(f"largest must be above 0, got {largest:g}", where="largest")
    terms = np.where(part == 0, 0.0, part * added)
    score: np.float64 | Numbers = terms.sum(axis=-1) * index * (_SCALE / largest)
    return score


def economic_importance_interval(
    use_shares: npt.ArrayLike,
    value_added: npt.ArrayLike,
    substitution: npt.ArrayLike = float("nan"),
    *,
    largest: float,
) -> tuple[np.float64 | Numbers, np.float64 | Numbers]:
    """Return the least and the greatest economic importance that inputs allow (equation E109).

    An unknown value added lies between 0 and the largest sector's, an unknown substitution index between 0
    and 1 (law 2).

    Args:
        use_shares: as :func:`economic_importance`; none may be unknown.
        value_added: as :func:`economic_importance`.
        substitution: as :func:`economic_importance`; unknown when not given.
        largest: value added of the largest manufacturing sector.

    Returns:
        Two arrays: low and high.

    Raises:
        InputError, LabelError: as :func:`economic_importance`.

    >>> low, high = economic_importance_interval([0.9, 0.1], [100, float("nan")], 0.9, largest=200)
    >>> float(round(low, 3)), float(round(high, 3))
    (4.05, 4.95)
    """
    part, added, index = _checked(use_shares, value_added, substitution)
    blank, open_index = np.isnan(added), np.isnan(index)
    low = economic_importance(
        part, np.where(blank, 0.0, added), np.where(open_index, 0.0, index), largest=largest
    )
    high = economic_importance(
        part, np.where(blank, largest, added), np.where(open_index, 1.0, index), largest=largest
    )
    return low, high


def _checked(
    use_shares: npt.ArrayLike, value_added: npt.ArrayLike, substitution: npt.ArrayLike
) -> tuple[Numbers, Numbers, Numbers]:
    part, added, index = (
        np.asarray(one, dtype=np.float64) for one in (use_shares, value_added, substitution)
    )
    if part.ndim == 0 or part.shape[-1] == 0:
        raise InputError("use_shares must have one share per sector", where="use_shares")
    _require(part, "use_shares", 1.0, "Give fractions, not per cent.")
    _require(added, "value_added", np.inf, "")
    _require(index, "substitution", 1.0, "Give the index, 0 to 1.")
    sums = part.sum(axis=-1)
    if np.any(sums > 1 + _ROUNDING):
        raise InputError(f"shares of use sum to {np.nanmax(sums):g}, more than 1", where="use_shares")
    try:
        np.broadcast_shapes(part.shape, added.shape)
        np.broadcast_shapes(np.broadcast_shapes(part.shape, added.shape)[:-1], index.shape)
    except ValueError as error:
        raise LabelError(
            f"shapes do not fit: use_shares {part.shape}, value_added {added.shape}, index {index.shape}",
            cure="Give one share and one value added per sector on the last axis, one index per material.",
        ) from error
    return part, added, index


def _require(values: Numbers, name: str, high: float, cure: str) -> None:
    known = values[~np.isnan(values)]
    wrong = known[(known < 0) | (known > high + 1e-9)]
    if wrong.size:
        limit = "at least 0" if np.isinf(high) else f"from 0 to {high:g}"
        raise InputError(f"{name} must be {limit}, got {wrong[0]:g}", where=name, cure=cure)
