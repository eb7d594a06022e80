"""Stocks at the start: what firms hold and what the state holds, as days of use (equation E25)."""

from __future__ import annotations

from typing import cast

import polars as pl

from evernormal.result import Finding, Grade, Parameter

__all__ = ["COMMERCIAL_DAYS", "commercial_days", "nearest_period", "state_days", "stock_findings"]

COMMERCIAL_DAYS = Parameter(
    "commercial_stock_days",
    30.0,
    15.0,
    60.0,
    "days",
    "C",
    "assumption: about a month; manufacturers of the United States held 1.38 months of shipments in all"
    " stages together (Census Bureau, April 2017), battery makers of China 1 to 1.5 months (Sinolink"
    " Securities, January 2024)",
)


def nearest_period(facts: pl.DataFrame, year: int) -> pl.DataFrame:
    """Sort facts by distance of their period from a year; the user's, short and early periods first.

    A column ``own``, where there is one, marks the rows that are the user's.
    """
    first = pl.col("period").str.slice(0, 4).cast(pl.Int64, strict=False)
    last = pl.col("period").str.extract(r"/(\d{4})", 1).cast(pl.Int64, strict=False).fill_null(first)
    away = pl.max_horizontal(first - year, year - last, pl.lit(0))
    own = pl.col("own") if "own" in facts.columns else pl.lit(value=False)
    return (
        facts.with_columns(_away=away, _theirs=~own, _long=last - first)
        .filter(pl.col("_away").is_not_null())
        .sort("_away", "_theirs", "_long", "period", "fact_id")
    )


def commercial_days(form: str, region: str, facts: pl.DataFrame, year: int) -> Parameter:
    """Days of use that firms of a region hold: a published figure, else the general assumption.

    Args:
        form: form name.
        region: region label.
        facts: facts of the form with topic ``stock_days``.
        year: base year; the nearest figure counts.
    """
    firms = facts.filter((pl.col("basis") == "firms") & pl.col("region").is_in([region, "WLD"]))
    if firms.is_empty():
        general = COMMERCIAL_DAYS
        name = f"{general.name} {form}"
        return Parameter(
            name, general.value, general.low, general.high, general.unit, general.grade, general.source
        )
    own = firms.filter(pl.col("region") == region)
    return _days(f"commercial_stock_days {form} {region}", nearest_period(own if len(own) else firms, year))


def state_days(form: str, region: str, facts: pl.DataFrame, year: int) -> Parameter | None:
    """Days of use that a state holds; None when nothing is published for this very form."""
    state = facts.filter((pl.col("basis") == "state") & (pl.col("region") == region))
    return _days(f"state_stock_days {form} {region}", nearest_period(state, year)) if len(state) else None


def _days(name: str, ranked: pl.DataFrame) -> Parameter:
    row = ranked.row(0, named=True)
    value = float(row["value"])
    low = value if row["low"] is None else float(row["low"])
    high = value if row["high"] is None else float(row["high"])
    source = f"{row['definition']}; {row['source']}, {row['period']}"
    return Parameter(name, value, low, high, "days", cast(Grade, row["grade"]), source)


def stock_findings(focal: str, form: str, state: Parameter | None, commercial: Parameter) -> list[Finding]:
    """Say what is not known of the focal region's stocks."""
    found = []
    if state is None:
        found.append(
            Finding(
                "state-stock-unknown",
                "warning",
                f"No figure of {focal}'s state stock of {form} is published here: it is taken as none; days"
                " of cover are too few and the stop date is too early if there is one.",
                {"form": form, "region": focal},
            )
        )
    if commercial.grade == "C":
        found.append(
            Finding(
                "commercial-stock-assumed",
                "caution",
                f"Stocks of firms of {form} are an assumption: {commercial.value:.0f} days of use"
                f" ({commercial.low:.0f} to {commercial.high:.0f}).",
                {"form": form, "days": commercial.value, "low": commercial.low, "high": commercial.high},
            )
        )
    return found
