"""Rows of a kind that the snapshot does not ship: they come from data sets that the user added."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl

from evernormal.data.publishers.adapters import Kind
from evernormal.data.schema import day
from evernormal.data.store import scan, vintage, vintages
from evernormal.errors import InputError
from evernormal.result import Input

__all__ = ["datasets", "stored"]


def stored(
    kind: Kind, dataset: str, folder: str | Path | None, as_of: date | str | None = None
) -> tuple[pl.DataFrame, Input]:
    """Return the rows of one data set as it was knowable on a day, and the file that they come from.

    For trade use :func:`evernormal.data.trade` or :func:`evernormal.data.scan_trade`, which read no more than
    is asked for.

    Args:
        kind: what it must hold; not trade.
        dataset: its name.
        folder: folder of the user's store.
        as_of: the latest vintage of that day; None for the latest of all (law 11).

    Raises:
        InputError: no folder was given.
        UnknownNameError: there is no such data set of this kind.
        NotCoveredError: every vintage is later than ``as_of``.
        SnapshotError: the stored file was truncated or changed.
    """
    if folder is None:
        raise InputError(f"data set {dataset!r} needs the folder of the store", cure="Give folder=...")
    known_on = day(as_of)
    found = vintage(dataset, folder, kind=kind, as_of=known_on)
    rows = scan(found).collect()
    if known_on is not None and "as_of" in rows.columns:
        rows = rows.filter(pl.col("as_of") <= known_on)
    return rows, found.as_input()


def datasets(kind: Kind, folder: str | Path | None) -> tuple[str, ...]:
    """Return the names of the data sets of a kind in a store, oldest first."""
    if folder is None:
        return ()
    return tuple(dict.fromkeys(v.dataset for v in vintages(folder) if v.kind == kind))
