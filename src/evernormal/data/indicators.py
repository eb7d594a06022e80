"""Governance: how stable a country is, with the uncertainty that the publisher gives."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from evernormal.data.geography import check_iso3
from evernormal.data.publishers.governance import INDICATORS
from evernormal.data.publishers.registry import source_of_table
from evernormal.data.schema import public_columns
from evernormal.data.snapshot import scan, source_day
from evernormal.errors import UnknownNameError

__all__ = ["governance"]

_DOUBTFUL = ("PUS", "VGB")
"""Countries whose label in the packed file is doubtful (see the alias table)."""


def governance(
    countries: Iterable[str] | None = None,
    years: Iterable[int] | None = None,
    indicators: Iterable[str] | None = None,
) -> pl.DataFrame:
    """Return the Worldwide Governance Indicators' political stability and absence of violence.

    Two editions are joined: levels up to 2022 and from 2023 on are not comparable, as the column ``basis``
    says.

    Args:
        countries: ISO 3166 alpha-3; None for all.
        years: calendar years (every second year until 2002); None for all.
        indicators: ``estimate`` (-2.5 bad to 2.5 good), ``standard_error``, ``source_count``,
            ``percentile_rank`` (to 2022), ``score`` (from 2023), both with ``_lower`` and ``_upper`` (90 %
            interval), ``normalized`` (0 good to 1 bad, equation E10); None for all.

    Returns:
        year, country, dimension, indicator, value (null where unknown), unit, basis, source, source_ref,
        as_of, grade.

    Raises:
        UnknownNameError: a country or an indicator that does not exist; names the nearest.

    >>> rows = governance(["TWN"], years=[2022], indicators=["estimate"])
    >>> round(rows["value"].item(), 4)
    0.7542
    """
    rows = scan("governance")
    if countries is not None:
        rows = rows.filter(pl.col("country").is_in(check_iso3(countries, where="countries")))
    if years is not None:
        rows = rows.filter(pl.col("year").is_in(list(years)))
    if indicators is not None:
        names = [indicators] if isinstance(indicators, str) else list(indicators)
        for name in names:
            if name not in INDICATORS:
                raise UnknownNameError("governance indicator", name, INDICATORS)
        rows = rows.filter(pl.col("indicator").is_in(names))
    source = source_of_table("governance")
    grade = pl.when(pl.col("country").is_in(_DOUBTFUL)).then(pl.lit("C")).otherwise(pl.lit(source.grade))
    common = (
        rows.collect()
        .rechunk()
        .with_columns(
            source=pl.lit(source.label),
            source_ref=pl.format(
                "political stability, {}, {}, {}", pl.col("indicator"), pl.col("country"), pl.col("year")
            ),
            as_of=pl.lit(source_day("governance")),
            grade=grade,
        )
    )
    return common.select([column.name for column in public_columns("governance")])
