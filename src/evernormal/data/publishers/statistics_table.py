"""Rows of kind statistics as a table: what an adapter noted becomes the columns of ``tables/schema.csv``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from evernormal.data.schema import public_columns

__all__ = ["statistics_table"]


def statistics_table(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Return statistics with every column of the schema, in its order; what a row does not name is null.

    Raises:
        KeyError: a row names a column that the schema does not have.
    """
    columns = public_columns("statistics")
    names = {column.name for column in columns}
    typed = []
    for row in rows:
        strange = set(row) - names
        if strange:
            raise KeyError(f"statistics has no column {', '.join(sorted(strange))}")
        typed.append({column.name: row.get(column.name) for column in columns})
    return pl.DataFrame(typed, schema={column.name: column.dtype for column in columns})
