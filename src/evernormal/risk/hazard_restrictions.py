"""What restrictions did: days from announcement to effect, months in force, exports lost in a year."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evernormal.market.history.records import TradeRecords
from evernormal.risk.hazard_events import Spans, items_of_codes

__all__ = ["restriction_lost", "restriction_onsets", "restriction_spans"]

Floats = NDArray[np.float64]

MONTH = 30.4375


def restriction_onsets(acts: pl.DataFrame) -> tuple[tuple[str, ...], Floats]:
    """Return who acted and the days from announcement to effect; acts of the same days count once."""
    known = acts.filter(pl.col("announced").is_not_null(), pl.col("effective").is_not_null())
    single = known.unique(["by", "announced", "effective"], keep="first", maintain_order=True)
    single = single.filter(pl.col("effective") >= pl.col("announced")).sort("by", "announced", "material")
    days = (single["effective"] - single["announced"]).dt.total_days().to_numpy().astype(np.float64)
    return tuple(single["by"].to_list()), days


def restriction_spans(acts: pl.DataFrame) -> Spans:
    """Return how long acts were in force: until they ended, or at least until they were last seen."""
    known = acts.filter(pl.col("effective").is_not_null()).sort("by", "material", "effective")
    who, item, low, high = [], [], [], []
    for by, material, begin, end, seen in known.select(
        "by", "material", "effective", "ends", "last_known"
    ).iter_rows():
        if end is not None and end > begin:
            months = (end - begin).days / MONTH
            bounds = (max(months - 0.5, 0.0), months + 0.5)
        elif end is None and seen is not None and seen > begin:
            bounds = ((seen - begin).days / MONTH, np.inf)
        else:
            continue
        who.append(by)
        item.append(material)
        low.append(bounds[0])
        high.append(bounds[1])
    return Spans(tuple(who), tuple(item), np.array(low), np.array(high))


def restriction_lost(
    acts: pl.DataFrame, trade: TradeRecords, revision: str
) -> tuple[tuple[str, ...], Floats]:
    """Return the share of exports lost in the first year of each act on a material with codes of its own.

    The first year is the calendar year of the effect when it came before July, else the next; it is compared
    with the year before the effect.  A gain counts as no loss.
    """
    own = items_of_codes(trade.codes, revision)
    codes: dict[str, set[str]] = {}
    for name, mine in own.items():
        codes.setdefault(name.partition("/")[0], set()).update(mine)
    who, lost = [], []
    known = acts.filter(pl.col("effective").is_not_null(), pl.col("against").is_null())
    for by, material, begin in (
        known.select("by", "material", "effective").sort("by", "material", "effective").iter_rows()
    ):
        year = begin.year if begin.month < 7 else begin.year + 1
        before = begin.year - 1
        worst = [
            change
            for code in sorted(codes.get(material, ()))
            if (change := _change(trade, code, by, before, year)) is not None
        ]
        if worst:
            who.append(by)
            lost.append(max(0.0, *worst))
    return tuple(who), np.array(lost)


def _change(trade: TradeRecords, code: str, exporter: str, before: int, year: int) -> float | None:
    """Return the share lost of an exporter of at least 15 % of a code; None where it is not measured."""
    records = trade.codes[code]
    if exporter not in records.countries or not (records.years[0] <= before and year <= records.years[-1]):
        return None
    own = records.exports[records.place(exporter)]
    a, b = records.column(before), records.column(year)
    if own[a] < 0.15 * records.world[a] or own[a] <= 0:
        return None
    return float(1 - own[b] / own[a])
