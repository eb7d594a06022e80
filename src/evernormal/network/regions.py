"""Which countries are shown by themselves, and the sums of the rest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

from evernormal.network.network import REST_OF_WORLD
from evernormal.network.observations import Observed

__all__ = ["choose_regions", "regional_flows", "regional_production"]

SUPPLIER_SHARE = 0.005


def choose_regions(
    observed: Sequence[Observed], focal: str, keep: Iterable[str] = (), max_regions: int = 24
) -> tuple[str, ...]:
    """Choose the regions of a network: the focal one, those asked for, its suppliers, the largest traders.

    Args:
        observed: observations of every form.
        focal: focal region, first in the answer.
        keep: countries that must be shown, such as those that act in a scenario.
        max_regions: number of regions, the rest of the world included; exceeded only for ``keep``.

    Returns:
        Labels: focal, then in alphabetical order, then ``ROW``.
    """
    ranks: dict[str, float] = {}
    for one in observed:
        sums = _throughput(one)
        total = sum(sums.values()) or 1.0
        for country, amount in sums.items():
            ranks[country] = max(ranks.get(country, 0.0), amount / total)
    present = set(ranks)
    chosen = [focal, *(c for c in dict.fromkeys(keep) if c != focal)]
    for country in [*_suppliers(observed, focal), *sorted(ranks, key=lambda c: (-ranks[c], c))]:
        if len(chosen) >= max_regions - 1:
            break
        if country not in chosen and country != REST_OF_WORLD:
            chosen.append(country)
    rest = [REST_OF_WORLD] if present - set(chosen) else []
    return (focal, *sorted(set(chosen) - {focal, REST_OF_WORLD}), *rest)


def _throughput(one: Observed) -> dict[str, float]:
    """Imports, exports and production of each country, tonnes contained."""
    sums: dict[str, float] = {}
    for column in ("exporter", "importer"):
        for country, amount in (
            one.flows.group_by(column).agg(pl.col("contained_t").sum()).sort(column).iter_rows()
        ):
            sums[country] = sums.get(country, 0.0) + amount
    for country, amount in one.production.select("country", "contained_t").iter_rows():
        sums[country] = sums.get(country, 0.0) + amount
    return sums


def _suppliers(observed: Sequence[Observed], focal: str) -> list[str]:
    """Countries that supply a visible share of the focal region's imports, largest share first."""
    best: dict[str, float] = {}
    for one in observed:
        total = one.imports_of(focal)
        mine = one.flows.filter(pl.col("importer") == focal)
        for country, amount in mine.select("exporter", "contained_t").iter_rows():
            best[country] = max(best.get(country, 0.0), amount / total)
    return sorted((c for c, share in best.items() if share >= SUPPLIER_SHARE), key=lambda c: (-best[c], c))


def _label(column: str, regions: Sequence[str]) -> pl.Expr:
    named = pl.col(column)
    return pl.when(named.is_in(list(regions))).then(named).otherwise(pl.lit(REST_OF_WORLD))


def regional_flows(flows: pl.DataFrame, regions: Sequence[str]) -> tuple[pl.DataFrame, float]:
    """Sum flows by region; also return the tonnes within the rest of the world, which are left out."""
    named = flows.with_columns(exporter=_label("exporter", regions), importer=_label("importer", regions))
    inside = pl.col("exporter") == pl.col("importer")
    table = (
        named.filter(~inside)
        .group_by("exporter", "importer")
        .agg(
            pl.col("contained_t").sum(),
            pl.col("gross_t").sum(),
            pl.col("value_usd").sum(),
            sigma_t=(pl.col("sigma_t") ** 2).sum().sqrt(),
            grade=pl.col("grade").max(),
        )
        .sort("exporter", "importer")
    )
    return table, float(named.filter(inside)["contained_t"].sum())


def regional_production(production: pl.DataFrame, regions: Sequence[str]) -> pl.DataFrame:
    """Sum known production by region: ``country, contained_t, sigma_t, grade``."""
    return (
        production.with_columns(country=_label("country", regions))
        .group_by("country")
        .agg(
            pl.col("contained_t").sum(),
            sigma_t=(pl.col("sigma_t") ** 2).sum().sqrt(),
            grade=pl.col("grade").max(),
        )
        .sort("country")
    )
