"""Isoelastic curves through the base point, and their piecewise-linear form for the quadratic engine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evernormal.errors import InputError

__all__ = ["UseCurve", "constant_elasticity_price", "use_curve"]

Floats = NDArray[np.float64]

DEFAULT_BREAKPOINTS = (0.9, 0.7, 0.5, 0.3, 0.0)
"""Fractions of base use between which the marginal benefit is a straight line."""


def constant_elasticity_price(
    lost_share: ArrayLike, supply_elasticity: ArrayLike, demand_elasticity: ArrayLike
) -> Floats:
    """Return the price ratio at which what is left of supply meets demand (equation E40).

    Remaining supply ``(1 - x) P^es`` meets demand ``P^ed`` at ``P = (1 - x)^(1 / (ed - es))``.

    Args:
        lost_share: x, fraction of supply lost at the old price, 0 <= x < 1.
        supply_elasticity: es >= 0.
        demand_elasticity: ed < 0.

    Returns:
        New price over old price, dimensionless, broadcast over the arguments.

    Raises:
        InputError: a share outside [0, 1), a negative es or a non-negative ed.

    Example:
        >>> float(constant_elasticity_price(0.5, 0.0, -0.5))
        4.0
        >>> round(float(constant_elasticity_price(0.1, 0.0, -0.2)), 4)
        1.6935
    """
    x, es, ed = (np.asarray(v, dtype=float) for v in (lost_share, supply_elasticity, demand_elasticity))
    if not ((x >= 0) & (x < 1)).all():
        raise InputError(f"lost_share must be at least 0 and below 1, got {lost_share!r}")
    if not (es >= 0).all():
        raise InputError(f"supply_elasticity must be at least 0, got {supply_elasticity!r}")
    if not (ed < 0).all():
        raise InputError(f"demand_elasticity must be below 0, got {demand_elasticity!r}")
    return np.asarray((1.0 - x) ** (1.0 / (ed - es)))


@dataclass(frozen=True)
class UseCurve:
    """Marginal benefit of use as a continuous chain of straight lines (equation E41).

    Everything is relative: widths to base use, premiums to the base price.  Segment 0 passes through the
    base point and runs ``widths[0]`` below it; each further segment takes over where the one before ends.

    Attributes:
        widths: (K,) fraction of base use that each segment gives up.
        start: (K, ...) price premium at which the segment begins; 0 for segment 0.
        slope: (K, ...) rise of the premium per unit of base use given up.
    """

    widths: Floats
    start: Floats
    slope: Floats

    def premium(self, given_up: ArrayLike) -> Floats:
        """Return the price premium at which this fraction of base use is given up, for a single curve."""
        ends = np.cumsum(self.widths)
        points = np.concatenate([[0.0], ends])
        values = np.concatenate([[0.0], self.start + self.slope * self.widths])
        return np.asarray(np.interp(np.asarray(given_up, dtype=float), points, values))


def use_curve(
    elasticity: ArrayLike, choke_ratio: float, breakpoints: tuple[float, ...] = DEFAULT_BREAKPOINTS
) -> UseCurve:
    """Return the piecewise-linear form of an isoelastic use curve, flat at the choke price (equation E41).

    Between breakpoints the marginal benefit is the chord of ``P = d^(1/elasticity)``; no user pays more than
    ``choke_ratio`` times the base price.

    Args:
        elasticity: own-price elasticity of use, below 0; any shape, one curve each.
        choke_ratio: price ratio beyond which users stop or substitute, above 1.
        breakpoints: falling fractions of base use; the last must be 0.

    Example:
        With elasticity -0.5, giving up 30 % of use takes a price of 0.7^-2 = 2.04 times the base price:

        >>> round(float(use_curve(-0.5, 10.0).premium(0.3)) + 1, 2)
        2.04
    """
    own = np.asarray(elasticity, dtype=float)
    if not (own < 0).all():
        raise InputError(f"elasticity of use must be below 0, got {elasticity!r}")
    if choke_ratio <= 1:
        raise InputError(f"choke_ratio must be above 1, got {choke_ratio}")
    levels = np.array([1.0, *breakpoints])
    if levels[-1] != 0 or (np.diff(levels) >= 0).any():
        raise InputError(f"breakpoints must fall from below 1 to 0, got {breakpoints}")
    shaped = levels.reshape((-1,) + (1,) * own.ndim)
    with np.errstate(divide="ignore", over="ignore"):
        ratio = np.where(shaped > 0, shaped ** (1.0 / own), np.inf)
    premium = np.minimum(ratio, choke_ratio) - 1.0
    widths = -np.diff(levels)
    slope = np.diff(premium, axis=0) / widths.reshape((-1,) + (1,) * own.ndim)
    return UseCurve(widths, premium[:-1], slope)
