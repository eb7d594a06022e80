"""Who makes a form that trade codes cannot show: tonnes and shares of world output from published facts."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from evernormal.network.balance import RELATIVE_SIGMA
from evernormal.network.network import REST_OF_WORLD as REST
from evernormal.network.observations import FLOW_SCHEMA, PRODUCTION_SCHEMA
from evernormal.network.relays import Relays, implied_flows

__all__ = ["GRADES", "SHARE_TOLERANCE", "Made", "completed", "made_by", "with_implied"]

GRADES = {"A": "B", "B": "B", "C": "C"}
"""Grade of a published figure in a network: its definition is not the model's."""

SHARE_TOLERANCE = 1.02
COMPLETE = 0.95
"""A list of producers' shares that sums to this much of the world says how little all others make."""

_Output = tuple[float, str, str]
"""Tonnes contained, grade, source."""


@dataclass(frozen=True)
class Made:
    """World production, tonnes contained.

    ``countries`` are those known, with the columns of ``PRODUCTION_SCHEMA``; ``unlisted`` is what all others
    make together, None where no publication says that its list or its total covers the world.
    """

    world: float | None
    countries: pl.DataFrame
    unlisted: float | None


def made_by(
    rows: pl.DataFrame,
    shares: pl.DataFrame,
    statistics: pl.DataFrame,
    tonnes: Callable[[dict[str, object]], float],
) -> Made:
    """World production and that of each country: published tonnes, else statistics, else shares of the total.

    Args:
        rows: facts of production in tonnes, the nearest period first.
        shares: facts of shares of world output, the nearest period first.
        statistics: production statistics of the year, as an observation holds them (``PRODUCTION_SCHEMA``).
        tonnes: tonnes contained a year of a fact.
    """
    totals = rows.filter(pl.col("region") == "WLD")
    single = rows.filter(~pl.col("region").is_in(["WLD", REST]))
    named = {
        row["region"]: (tonnes(row), GRADES[row["grade"]], f"{row['source']}, {row['period']}")
        for row in single.unique("region", keep="first", maintain_order=True).iter_rows(named=True)
    }
    for row in statistics.iter_rows(named=True):
        named.setdefault(row["country"], (row["contained_t"], GRADES[row["grade"]], row["source"]))
    if totals.is_empty():
        return Made(None, _producers(named), None)
    total = totals.row(0, named=True)
    world, said = tonnes(total), str(total["definition"]).lower()
    shares = shares.filter(~pl.col("region").is_in(["WLD", REST]))
    for row in shares.unique("region", keep="first", maintain_order=True).iter_rows(named=True):
        note = f"share of world output; {row['source']}, {row['period']}"
        named.setdefault(row["region"], (row["value"] * world, GRADES[row["grade"]], note))
    if "sum of the countries listed" in said:
        # such a total says nothing of countries that it does not list; published shares may
        return Made(world, _producers(named), _others_by_share(shares, world))
    if "excludes united states" in said:
        world += named.get("USA", (0.0, "", ""))[0]
    known = _sum(named)
    if known > world:
        named = _scaled(named, world / known)
    rest = max(world - known, 0.0)
    return Made(world, _producers(named), rest if rest > 1e-9 * world else 0.0)


def _sum(parts: dict[str, _Output]) -> float:
    return math.fsum(amount for amount, _, _ in parts.values())


def _scaled(parts: dict[str, _Output], factor: float) -> dict[str, _Output]:
    return {country: (amount * factor, "C", note) for country, (amount, _, note) in parts.items()}


def _producers(parts: dict[str, _Output]) -> pl.DataFrame:
    rows = [
        {
            "country": country,
            "contained_t": amount,
            "sigma_t": amount * RELATIVE_SIGMA[grade],
            "grade": grade,
            "source": source,
        }
        for country, (amount, grade, source) in sorted(parts.items())
        if amount > 0
    ]
    return pl.DataFrame(rows, schema=PRODUCTION_SCHEMA)


def _others_by_share(shares: pl.DataFrame, world: float) -> float | None:
    """Return what a list of shares that names nearly all of the world leaves to others; None without one."""
    sets = (
        shares.unique(["region", "source", "period"], keep="first", maintain_order=True)
        .sort("region")
        .group_by("source", "period", maintain_order=True)
        .agg(pl.col("value").sum())
        .filter(pl.col("value").is_between(COMPLETE, SHARE_TOLERANCE))
        .sort("value", "source", "period", descending=[True, False, False])
    )
    return None if sets.is_empty() else max(1.0 - float(sets["value"][0]), 0.0) * world


def with_implied(flows: pl.DataFrame, implied: pl.DataFrame, price: float, content: float) -> pl.DataFrame:
    """Add implied flows; what a country's published total exports hold already is not added twice."""
    if implied.is_empty():
        return flows
    relayed = implied.sort("supplier", "relay").group_by("supplier").agg(pl.col("implied_t").sum())
    to_rest = (pl.col("importer") == REST) & pl.col("implied_t").is_not_null()
    left = (1.0 - pl.col("implied_t") / pl.col("contained_t")).clip(0.0, 1.0)
    part = pl.when(to_rest).then(left).otherwise(1.0)
    kept = flows.join(relayed, left_on="exporter", right_on="supplier", how="left").with_columns(
        pl.col(name) * part for name in ("contained_t", "gross_t", "value_usd", "sigma_t")
    )
    rows = pl.concat([kept.select(list(FLOW_SCHEMA)), implied_flows(implied, price, content)])
    numbers = ("contained_t", "gross_t", "value_usd")
    return (
        rows.sort("exporter", "importer", "contained_t")
        .group_by("exporter", "importer")
        .agg(
            *(pl.col(name).sum() for name in numbers),
            sigma_t=(pl.col("sigma_t") ** 2).sum().sqrt(),
            grade=pl.col("grade").max(),
        )
        .filter(pl.col("contained_t") > 0)
        .select(list(FLOW_SCHEMA))
        .sort("exporter", "importer")
    )


def completed(made: Made, hidden: Relays) -> pl.DataFrame:
    """Add what relays recover, and what the listed producers leave to the rest of the world."""
    back = pl.col("country").replace_strict(dict(hidden.recovered), default=0.0, return_dtype=pl.Float64)
    table = made.countries.with_columns(
        contained_t=pl.col("contained_t") + back,
        sigma_t=(pl.col("sigma_t") ** 2 + (RELATIVE_SIGMA["C"] * back) ** 2).sqrt(),
        grade=pl.when(back > 0).then(pl.lit("C")).otherwise("grade"),
    )
    named = math.fsum(amount for country, amount in hidden.own.items() if country != REST)
    rest = max((made.unlisted or 0.0) - named, 0.0) + hidden.recovered.get(REST, 0.0)
    if made.unlisted is None or rest <= 1e-9 * float(table["contained_t"].sum()):
        return table
    row = {
        "country": REST,
        "contained_t": rest,
        "sigma_t": RELATIVE_SIGMA["C"] * rest,
        "grade": "C",
        "source": "world less those listed",
    }
    return pl.concat([table, pl.DataFrame([row], schema=PRODUCTION_SCHEMA)]).sort("country")
