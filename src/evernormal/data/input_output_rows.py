"""Cells of input-output tables that the user added."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import polars as pl

from evernormal.data.geography import check_iso3
from evernormal.data.stored import datasets, stored
from evernormal.errors import NotCoveredError
from evernormal.result import Lineage, Result

__all__ = ["input_output"]


def input_output(
    region: str | None = None,
    year: int | None = None,
    *,
    dataset: str | Sequence[str] | None = None,
    folder: str | Path | None = None,
    as_of: date | str | None = None,
) -> Result:
    """Return cells of input-output tables.

    Args:
        region: country whose table it is: ISO 3166 alpha-3; None for all.
        year: calendar year; None for all.
        dataset: name of a data set, or several; None for every one of this kind in ``folder``.
        folder: folder of the user's store.
        as_of: what was knowable on this day (law 11).

    Returns:
        Result ``input-output`` with table ``cells``: the columns of the kind in ``schema.csv``, and
        ``dataset``.  A cell that is not there is zero: the publisher's sums were checked.

    Raises:
        NotCoveredError: no table was added, or none of this country, year or day.
        UnknownNameError: a country or a data set that does not exist.
    """
    from evernormal import __version__  # noqa: PLC0415

    names = [dataset] if isinstance(dataset, str) else list(dataset or datasets("input_output", folder))
    if not names:
        raise NotCoveredError(
            "no input-output table was added",
            cure="Add one: evernormal data add input-output FILE --as-of DAY (--code KOR for a world table).",
        )
    read = []
    for name in names:
        try:
            read.append((name, *stored("input_output", name, folder, as_of)))
        except NotCoveredError:
            if dataset is not None:
                raise
    if not read:
        raise NotCoveredError(f"no input-output table was knowable on {as_of}")
    rows = pl.concat([table.with_columns(dataset=pl.lit(name)) for name, table, _ in read])
    if region is not None:
        rows = rows.filter(pl.col("region") == check_iso3([region], where="region")[0])
    if year is not None:
        rows = rows.filter(pl.col("year") == year)
    if rows.is_empty():
        raise NotCoveredError(
            f"no input-output table of {region or 'any country'} {year or ''}".rstrip(),
            cure="Add one: evernormal data add input-output FILE.",
        )
    call = {"region": region, "year": year, "as_of": None if as_of is None else str(as_of)}
    lineage = Lineage(__version__, tuple(pinned for *_, pinned in read), call=call)
    return Result("input-output", {"cells": rows}, {"cells": {"value": "see column unit"}}, lineage)
