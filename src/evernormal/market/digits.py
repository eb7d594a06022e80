"""How many digits of a drawn number are kept."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["DIGITS", "rounded"]

DIGITS = 9
"""Significant digits kept of every drawn number, so that a solver's rounding does not reach a file."""


def rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keep :data:`DIGITS` significant digits.

    >>> float(rounded(np.array([1234.56789012]))[0])
    1234.56789
    """
    size = np.where(np.isfinite(values) & (values != 0), np.abs(values), 1.0)
    places = DIGITS - 1 - np.floor(np.log10(size))
    finer, coarser = 10.0 ** np.maximum(places, 0.0), 10.0 ** np.maximum(-places, 0.0)
    return np.asarray(np.round(values * finer / coarser) * coarser / finer)
