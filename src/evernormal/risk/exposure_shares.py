"""Supplier shares of every form and year at once, for one importer: one pass over trade."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from evernormal.risk.cells import EUROPEAN_UNION, MEMBERS

__all__ = ["Shares", "shares_of"]

Floats = npt.NDArray[np.float64]

_MILLI = 1_000


@dataclass(frozen=True)
class Shares:
    """Shares of the value of one importer's recorded imports.

    Attributes:
        forms: forms that have any recorded import, sorted.
        suppliers: every supplier, sorted.
        years: every year from the first recorded to the last asked.
        value: USD, ``(forms, years, suppliers)``; a supplier that nobody recorded in a year that has imports
            supplied none of what is recorded.
        total: USD, ``(forms, years)``; NaN where no import is recorded: unknown, not zero.
        as_of: day on which the trade rows were knowable.
        source: where they come from.
        grade: their grade.
    """

    forms: tuple[str, ...]
    suppliers: tuple[str, ...]
    years: tuple[int, ...]
    value: Floats
    total: Floats
    as_of: date | None
    source: str
    grade: str

    @property
    def share(self) -> Floats:
        """Fractions of the recorded value, NaN where none is recorded."""
        with np.errstate(invalid="ignore"):
            answer: Floats = self.value / self.total[..., None]
        return answer

    def row(self, form: str) -> int | None:
        """Return the place of a form; None where it has no recorded import at all."""
        return self.forms.index(form) if form in self.forms else None


def shares_of(
    importer: str,
    codes: Mapping[str, Sequence[str]],
    last: int,
    *,
    dataset: str | None = None,
    folder: str | Path | None = None,
    as_of: date | str | None = None,
) -> Shares:
    """Return the value shares of every form and year up to ``last`` (equation E11).

    Args:
        importer: ISO 3166 alpha-3, or ``EU``: imports of its members from outside.
        codes: form to its codes; a code belongs to one form.
        last: last calendar year.
        dataset: as in :func:`evernormal.data.trade`.
        folder: as in :func:`evernormal.data.trade`.
        as_of: as in :func:`evernormal.data.trade`.

    Raises:
        InputError, UnknownNameError, NotCoveredError, SnapshotError: as :func:`evernormal.data.trade`.
    """
    from evernormal.data import trade  # noqa: PLC0415 - opens the snapshot

    union = importer == EUROPEAN_UNION
    owner = {code: name for name, listed in codes.items() for code in listed}
    whom = list(MEMBERS) if union else [importer]
    rows = trade(sorted(owner), whom, dataset=dataset, folder=folder, as_of=as_of)
    inside = list(MEMBERS) if union else [importer]
    rows = rows.filter((pl.col("year") <= last) & ~pl.col("exporter").is_in(inside))
    if rows.is_empty():
        empty = np.zeros((0, 1, 0))
        return Shares((), (), (last,), empty, np.zeros((0, 1)), None, "", "")
    sums = (
        rows.with_columns(
            form=pl.col("code").replace_strict(owner, return_dtype=pl.String),
            # whole thousandths of a dollar: sums of integers know no order of rows (law 7)
            milli=(pl.col("value_usd") * _MILLI).round().cast(pl.Int64),
        )
        .group_by("form", "year", "exporter")
        .agg(pl.col("milli").sum())
        .sort("form", "year", "exporter")
    )
    forms = tuple(sorted(set(sums["form"].to_list())))
    suppliers = tuple(sorted(set(sums["exporter"].to_list())))
    first = int(str(sums["year"].min()))
    years = tuple(range(first, last + 1))
    at = [
        sums["form"].replace_strict(dict(zip(forms, range(len(forms)), strict=True)), return_dtype=pl.Int64),
        sums["year"].cast(pl.Int64) - first,
        sums["exporter"].replace_strict(
            dict(zip(suppliers, range(len(suppliers)), strict=True)), return_dtype=pl.Int64
        ),
    ]
    milli = np.zeros((len(forms), len(years), len(suppliers)), dtype=np.int64)
    milli[at[0].to_numpy(), at[1].to_numpy(), at[2].to_numpy()] = sums["milli"].to_numpy()
    whole = milli.sum(axis=-1).astype(np.float64)
    total = np.where(whole > 0, whole, np.nan) / _MILLI
    head = rows.row(0, named=True)
    return Shares(
        forms, suppliers, years, milli / _MILLI, total, head["as_of"], head["source"], head["grade"]
    )
