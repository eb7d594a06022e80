"""Published statistics that the user added: production, capacity, reserves, shares and more by country.

Each data set is one publisher's release (``usgs-mcs2026-commodities-data``, ``bgs-cobalt``); rows of
different sources stand beside each other and are never merged; :mod:`evernormal.data.comparison` compares
them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import polars as pl

from evernormal.data.geography import check_iso3
from evernormal.data.schema import day, public_columns
from evernormal.data.store import vintages
from evernormal.data.stored import datasets, stored
from evernormal.errors import NotCoveredError, UnknownNameError
from evernormal.result import Input

__all__ = ["statistics", "statistics_inputs"]


def statistics(
    materials: Iterable[str] | None = None,
    countries: Iterable[str] | None = None,
    years: Iterable[int] | None = None,
    statistic: str | None = None,
    stage: str | None = None,
    *,
    dataset: str | None = None,
    folder: str | Path | None = None,
    as_of: date | str | None = None,
) -> pl.DataFrame:
    """Return published statistics, one row per figure.

    Args:
        materials: such as ``gallium``; None for all, and for labels that are none of the materials.
        countries: ISO 3166 alpha-3, ``WLD`` for the publisher's world total, ``ROW`` for its other countries.
        years: calendar years; None for all.
        statistic: such as ``production``, ``capacity``, ``reserves``, ``net_import_reliance``; None for all.
        stage: ``ore``, ``refined``, ``material`` or ``component``; None for all.
        dataset: name of one data set; None for every data set of statistics in ``folder``.
        folder: folder of the user's store.
        as_of: what was knowable on this day (law 11): the vintage of that day, and of it the rows.

    Returns:
        year, country, commodity (the publisher's label), material, stage, form, statistic, scenario, value,
        low, high (in ``unit`` of ``basis``; null where not known), unit, basis, flag (the publisher's marks
        and notes), source, source_ref, as_of, grade; in the order of source, label, year and country.

    Raises:
        NotCoveredError: no data set of statistics was added, or none was knowable on ``as_of``.
        UnknownNameError: a data set, material, country, statistic or stage that is not there.
    """
    found = statistics_inputs(dataset, folder, as_of)
    rows = pl.concat([table for table, _ in found])
    for column, wanted in (("material", materials), ("statistic", statistic), ("stage", stage)):
        if wanted is not None:
            names = [wanted] if isinstance(wanted, str) else list(wanted)
            _require_known(rows, column, names)
            rows = rows.filter(pl.col(column).is_in(names))
    if countries is not None:
        rows = rows.filter(pl.col("country").is_in(check_iso3(countries, where="countries")))
    if years is not None:
        rows = rows.filter(pl.col("year").is_in([years] if isinstance(years, int) else list(years)))
    return rows.sort("source", "commodity", "statistic", "year", "country", "source_ref")


def _require_known(rows: pl.DataFrame, column: str, names: list[str]) -> None:
    known = rows[column].drop_nulls().unique().to_list()
    for name in names:
        if name not in known:
            raise UnknownNameError(f"{column} of the statistics that were added", name, known)


def statistics_inputs(
    dataset: str | None, folder: str | Path | None, as_of: date | str | None = None
) -> list[tuple[pl.DataFrame, Input]]:
    """Return the rows of each data set of statistics that was knowable on a day, and the file behind them.

    Raises:
        NotCoveredError: none was added, or none was knowable.
    """
    if dataset is not None:
        return [stored("statistics", dataset, folder, as_of)]
    known_on = day(as_of)
    names = datasets("statistics", folder)
    if not names:
        raise NotCoveredError(
            "no statistics were added", cure="Add a publisher's file: evernormal data add usgs FILE."
        )
    first = dict.fromkeys(names, "9999")
    assert folder is not None
    for found in vintages(folder):
        if found.kind == "statistics":
            first[found.dataset] = min(first[found.dataset], found.as_of)
    knowable = [name for name in names if known_on is None or first[name] <= str(known_on)]
    if not knowable:
        raise NotCoveredError(
            f"none of the statistics that were added was knowable on {known_on}; the first is of"
            f" {min(first.values())}"
        )
    wanted = [column.name for column in public_columns("statistics")]
    tables = [stored("statistics", name, folder, known_on) for name in sorted(knowable)]
    return [(table.select(wanted), pinned) for table, pinned in tables]
