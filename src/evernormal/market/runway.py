"""The runway: how long plants run at the base rate on what arrives and what is stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from evernormal.market.acts import Calendar

__all__ = ["Runway", "runway"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Runway:
    """Stock at the end of every day when plants keep running at the base rate (equation E55).

    Attributes:
        stock: (D,) tonnes.
        cover_days: (D,) stock over daily base use.
        use_possible: (D,) fraction of base use that arrivals and stock allow.
        stop: first day on which the base rate cannot be kept, or ``None`` within the horizon.
    """

    stock: Floats
    cover_days: Floats
    use_possible: Floats
    stop: date | None


def runway(calendar: Calendar, stock: float, monthly_inflow: Floats, monthly_use: Floats) -> Runway:
    """Run a stock down day by day; inflow and use are spread evenly over the days of each month.

    Args:
        calendar: months and days.
        stock: tonnes at the start of the first day.
        monthly_inflow: (T,) arrivals and domestic output, tonnes per month.
        monthly_use: (T,) what plants use at the base rate, tonnes per month.

    Example:
        Ten days of stock and nothing coming in last ten days:

        >>> from datetime import date
        >>> calendar = Calendar.of(date(2024, 4, 1), 1)
        >>> run = runway(calendar, 10.0, np.zeros(1), np.full(1, 30.0))
        >>> run.stop
        datetime.date(2024, 4, 11)
    """
    days = calendar.days_in_month
    inflow = (monthly_inflow / days)[calendar.month_of_day]
    use = (monthly_use / days)[calendar.month_of_day]
    change = stock + np.cumsum(inflow - use)
    left = change - np.minimum.accumulate(np.minimum(change, 0.0))
    available = np.concatenate([[stock], left[:-1]]) + inflow
    possible = np.minimum(np.divide(available, use, out=np.ones_like(left), where=use > 0), 1.0)
    cover = np.divide(left, use, out=np.full_like(left, np.nan), where=use > 0)
    short = np.flatnonzero(possible < 1 - 1e-6)
    return Runway(left, cover, possible, calendar.days[int(short[0])] if len(short) else None)
