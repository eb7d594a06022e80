"""The direct suppliers of a form that no customs code shows: published shares of one importer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from evernormal.network.forms import Form
from evernormal.result import Finding
from evernormal.risk.origin_accounts import Sources

__all__ = ["Basket", "published_basket"]

_SLACK = 1.02
"""Rounded shares may sum to a little more than 1."""


@dataclass(frozen=True)
class Basket:
    """What one importer buys of a form.

    Attributes:
        focal: importer.
        shares: share of the imports by direct supplier; the rest is from suppliers that nobody names.
        tonnes: imports, t contained; NaN where unknown.
        known_by: ``trade`` or ``published shares``.
        findings: what a reader must know.
        by: what published shares are shares of, ``value`` or ``quantity``; empty for trade.
        as_of: day on which published shares were knowable.
        grade: grade of published shares.
    """

    focal: str
    shares: npt.NDArray[np.float64]
    tonnes: float
    known_by: str
    findings: tuple[Finding, ...]
    by: str = ""
    as_of: date | None = None
    grade: str = ""


def published_basket(sources: Sources, found: Form, focal: str, year: int) -> Basket | None:
    """Return the suppliers that publications name for an importer and a year; None where none does.

    Of several publications the one that names most of the imports counts, quantity before value.
    """
    last = pl.col("period").str.extract_all(r"\d{4}").list.last().cast(pl.Int64, strict=False)
    first = pl.col("period").str.slice(0, 4).cast(pl.Int64, strict=False)
    rows = sources.import_shares.filter((pl.col("form") == found.name) & (pl.col("region") == focal))
    if rows.is_empty():
        return None
    # a figure of a basket code is one of several goods: it says nothing of this one (law 2)
    basket = pl.col("definition").fill_null("").str.contains("(?i)basket of")
    rows = rows.filter(pl.lit(year).is_between(first, last) & ~basket).with_columns(
        by=pl.col("basis").fill_null("value")
    )
    places = sources.place()
    rows = rows.filter(pl.col("partner").is_in(list(places)) & (pl.col("partner") != focal))
    sets = (
        rows.group_by("source", "period", "by")
        .agg(total=pl.col("value").sum())
        .filter(pl.col("total") <= _SLACK)
        .sort(
            pl.col("total").round(2), pl.col("by") != "quantity", "source", "period",
            descending=[True, False, False, False],
        )
    )  # fmt: skip
    if sets.is_empty():
        return None
    best = sets.head(1)
    chosen = rows.join(best, on=["source", "period", "by"], how="semi").unique("partner", keep="first")
    shares = np.zeros(len(sources.labels))
    for partner, value in chosen.select("partner", "value").sort("partner").iter_rows():
        shares[places[partner]] += value
    shares /= max(1.0, float(shares.sum()))
    source, period, by, _ = best.row(0)
    text = (
        f"No customs code shows {found.name}: its direct suppliers are the published shares by {by} of"
        f" {focal} ({source}, {period}); hubs cannot be corrected for: a supplier that may make it counts"
        " as its maker."
    )
    values = {"form": found.name, "focal": focal, "source": source, "period": period}
    said = (Finding("hubs-not-corrected", "warning", text, values),)
    newest, worst = max(chosen["as_of"].to_list()), max(chosen["grade"].to_list())
    return Basket(focal, shares, float("nan"), "published shares", said, str(by), newest, worst)
