"""Extremes of one part of a basket in closed form, where prices are all that is known (equations E60, E62).

Goods of the other members together can have any unit value between the lowest and the highest of theirs, so
that a member's quantity and value lie in a polygon of the plane, and its extremes at corners.  The linear
programs of :mod:`evernormal.network.basket_limits` give the same numbers; this gives them at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["part_bounds", "part_possible"]

Floats = NDArray[np.float64]


def part_possible(quantity: float, value: float, low: Floats, high: Floats) -> bool:
    """Whether goods between these unit values can make up this quantity and value.

    Args:
        quantity: tonnes.
        value: USD.
        low: (M,) least unit values, 0 where unknown.
        high: (M,) greatest unit values, inf where unknown.
    """
    return bool(low.min() * quantity <= value <= high.max() * quantity)


def part_bounds(quantity: float, value: float, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Return the extremes of every member's quantity and value in a part of known quantity and value.

    Args:
        quantity: tonnes, above 0.
        value: USD, above 0.
        low: (M,) least unit values of the members, 0 where unknown.
        high: (M,) greatest unit values, inf where unknown.

    Returns:
        (M, 2) least and greatest share of the quantity, and the same of the value.

    >>> shares, _ = part_bounds(10.0, 40.0, np.array([1.0, 10.0]), np.array([2.0, 20.0]))
    >>> shares.round(3).tolist()   # 40 = at least 1 x cheap + 10 x dear, at most 2 x cheap + 20 x dear
    [[0.667, 0.889], [0.111, 0.333]]
    """
    count = len(low)
    if count == 1:
        return np.ones((1, 2)), np.ones((1, 2))
    unit = value / quantity
    bounds = np.array([_member(m, low / unit, high / unit) for m in range(count)])
    return bounds[:, :2], bounds[:, 2:]


def _member(member: int, low: Floats, high: Floats) -> tuple[float, float, float, float]:
    """Return the extremes of one member, in shares of a part whose unit value is 1."""
    cheap, dear = float(np.delete(low, member).min()), float(np.delete(high, member).max())
    mine_low, mine_high = float(low[member]), float(high[member])
    first, last = _range(1.0 - cheap, mine_low - cheap)
    if np.isfinite(dear) and np.isfinite(mine_high):
        lower, upper = _range(dear - 1.0, dear - mine_high)
        first, last = max(first, lower), min(last, upper)
    last = max(first, last)
    ends = {first, last}
    ends |= {t for t in (_crossing(mine_low, dear), _crossing(mine_high, cheap)) if first < t < last}
    least = min(max(mine_low * t, _other(t, dear, -np.inf)) for t in ends)
    most = max(min(_scaled(mine_high, t), _other(t, cheap, np.inf)) for t in ends)
    return first, last, max(least, 0.0), min(most, 1.0)


def _range(right: float, slope: float) -> tuple[float, float]:
    """Return where ``slope * t <= right`` within 0 to 1."""
    if slope > 0:
        return 0.0, min(1.0, right / slope)
    if slope < 0:
        return max(0.0, right / slope), 1.0
    return 0.0, 1.0


def _crossing(mine: float, other: float) -> float:
    """Return where ``mine * t`` meets ``1 - other * (1 - t)``; -1 where it does not."""
    if not (np.isfinite(mine) and np.isfinite(other)) or mine == other:
        return -1.0
    return (1.0 - other) / (mine - other)


def _other(share: float, unit: float, unbounded: float) -> float:
    """Return what is left of the value when the others trade at ``unit``."""
    return unbounded if not np.isfinite(unit) else 1.0 - unit * (1.0 - share)


def _scaled(unit: float, share: float) -> float:
    return np.inf if not np.isfinite(unit) else unit * share
