"""How many digits a number is told with."""

from __future__ import annotations

import math

__all__ = ["by_ten_thousands", "decimals_for", "decimals_of_total", "significant"]


def significant(value: float, figures: int) -> float:
    """Round to a number of significant figures.

    >>> significant(12345.6, 3)
    12300.0
    """
    if value == 0:
        return 0.0
    return round(value, figures - 1 - math.floor(math.log10(abs(value))))


def decimals_for(value: float, figures: int = 3) -> int:
    """Return the decimals that show a number to so many significant figures, six at most."""
    if value == 0:
        return 0
    return min(6, max(0, figures - 1 - math.floor(math.log10(abs(value)))))


def decimals_of_total(total: float) -> int:
    """Return the decimals that show the parts of a total to four figures of it.

    >>> [decimals_of_total(t) for t in (18_000.0, 180.0, 1.8)]
    [0, 1, 3]
    """
    if total <= 0 or not math.isfinite(total):
        return 0
    return min(6, max(0, 3 - math.floor(math.log10(total))))


def by_ten_thousands(value: int) -> str:
    """Return a whole number as Korean reads it.

    >>> by_ten_thousands(752_000), by_ten_thousands(120_000_000)
    ('75만 2,000', '1억 2,000만')
    """
    upper, lower = divmod(value, 10_000)
    highest, middle = divmod(upper, 10_000)
    parts = ((highest, "억"), (middle, "만"), (lower, ""))
    return " ".join(f"{part:,}{name}" for part, name in parts if part) or "0"
