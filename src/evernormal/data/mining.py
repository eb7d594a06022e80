"""Mine and smelter production by country, and the publisher's world totals."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from evernormal.data.geography import check_iso3
from evernormal.data.publishers.registry import source_of_table
from evernormal.data.schema import public_columns
from evernormal.data.snapshot import scan, source_day
from evernormal.errors import UnknownNameError

__all__ = ["production", "production_totals"]


def production(
    materials: Iterable[str] | None = None,
    countries: Iterable[str] | None = None,
    years: Iterable[int] | None = None,
) -> pl.DataFrame:
    """Return production by material, country and year.

    Args:
        materials: publisher's labels, such as ``Lithium (Li2O)``; None for all.
        countries: ISO 3166 alpha-3; None for all.
        years: calendar years; None for all.

    Returns:
        year, country, material, value (in ``unit`` of ``basis``; null where unknown), unit (t, kg, carat or
        million m3), basis (gross, or what is contained), source, source_ref, as_of, grade (A reported, B
        estimated or provisional).  No row is a world total.

    Raises:
        UnknownNameError: a material or a country that does not exist; names the nearest.

    >>> rows = production(["Gallium"], countries=["CHN"], years=[2022])
    >>> rows.select("value", "unit", "basis", "grade").row(0)
    (606.0, 't', 'contained Ga', 'A')
    """
    rows = _chosen("production", materials, years)
    if countries is not None:
        rows = rows.filter(pl.col("country").is_in(check_iso3(countries, where="countries")))
    flag = pl.col("flag")
    grade = pl.when(flag == "r").then(pl.lit("A")).otherwise(pl.lit("B"))
    place = pl.format("table 6.4, {}, {}, flag {}", pl.col("material"), pl.col("country"), flag)
    return _observed("production", rows.collect().rechunk().with_columns(grade=grade, source_ref=place))


def production_totals(
    materials: Iterable[str] | None = None, years: Iterable[int] | None = None
) -> pl.DataFrame:
    """Return the publisher's world totals, which are not always the sum of its countries.

    Args:
        materials: publisher's labels; None for all.
        years: calendar years; None for all.

    Returns:
        year, material, value (in ``unit`` of ``basis``), unit, basis, source, source_ref, as_of, grade.

    >>> production_totals(["Gallium"], years=[2022])["value"].item()
    616.0
    """
    rows = _chosen("production_totals", materials, years)
    place = pl.format("table 6.4, {}, row Total", pl.col("material"))
    return _observed(
        "production_totals", rows.collect().rechunk().with_columns(grade=pl.lit("B"), source_ref=place)
    )


def _chosen(table: str, materials: Iterable[str] | None, years: Iterable[int] | None) -> pl.LazyFrame:
    rows = scan(table)
    if materials is not None:
        wanted = _listed(materials)
        known = scan(table).select(pl.col("material").unique()).collect()["material"].to_list()
        for name in wanted:
            if name not in known:
                raise UnknownNameError("material of World Mining Data", name, known)
        rows = rows.filter(pl.col("material").is_in(wanted))
    if years is not None:
        rows = rows.filter(pl.col("year").is_in(list(years)))
    return rows


def _listed(names: Iterable[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def _observed(table: str, rows: pl.DataFrame) -> pl.DataFrame:
    source = source_of_table(table)
    common = rows.with_columns(source=pl.lit(source.label), as_of=pl.lit(source_day(table)))
    return common.select([column.name for column in public_columns(table)])
