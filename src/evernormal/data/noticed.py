"""What is worth a word about a file that was added: unusual values, years that an older vintage had."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import polars as pl

from evernormal.data.publishers.adapters import Kind
from evernormal.data.schema import columns
from evernormal.result import Finding

if TYPE_CHECKING:
    from evernormal.data.editions import Vintage

__all__ = ["Noticed", "lost_years", "years_of"]


class Noticed:
    """Counts values outside their expected range while the rows of a file go by."""

    def __init__(self, kind: Kind) -> None:
        self._columns = [c for c in columns(kind) if c.expected != (None, None)]
        self._counts: Counter[str] = Counter()

    def watch(self, tables: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """Yield every table after looking at it."""
        for table in tables:
            self.see(table)
            yield table

    def see(self, table: pl.DataFrame) -> None:
        """Look at the rows of one table."""
        for column in self._columns:
            if column.name in table.columns:
                low, high = column.expected
                value = pl.col(column.name)
                outside = (value < (low or -1e300)) | (value > (high or 1e300))
                self._counts[column.name] += table.select(outside.sum()).item()

    def findings(self) -> Iterator[Finding]:
        """Yield a finding for each column with values outside its expected range."""
        for column in self._columns:
            count = self._counts[column.name]
            if count:
                low, high = column.expected
                usual = f"{low:g} to {high:g} {column.unit}".rstrip()
                text = f"{count:,} rows have {column.name} outside the usual {usual}"
                yield Finding(
                    "outside-expected-range", "caution", f"{text}.", {"column": column.name, "rows": count}
                )


def years_of(found: Vintage) -> set[int]:
    """Return the years that a vintage of trade has."""
    manifest = found.manifest
    if manifest is not None:
        return set(manifest.years)
    return set(pl.read_parquet(found.path, columns=["year"])["year"].unique().to_list())


def lost_years(found: Vintage, before: Iterable[Vintage]) -> Iterator[Finding]:
    """Yield a finding when an older vintage of the data set has years that the new one lacks."""
    years = years_of(found)
    for old in before:
        if old.dataset == found.dataset and old.path.is_file():
            lost = sorted(years_of(old) - years)
            if lost:
                shown = ", ".join(map(str, lost))
                text = (
                    f"Vintage {old.vintage} of {old.dataset} has {shown}, the new one has not; "
                    "one vintage is read at a time. Add the zip file of the release, which holds every year."
                )
                yield Finding(
                    "years-not-in-vintage", "warning", text, {"dataset": old.dataset, "years": lost}
                )
