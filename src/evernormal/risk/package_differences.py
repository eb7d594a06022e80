"""Every cell in which our GeoPolRisk and that of geopolrisk-py 2.0.1 differ, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from evernormal.errors import ModelError
from evernormal.result import Finding, Lineage, Result
from evernormal.risk.cells import EUROPEAN_UNION, gather, reporters
from evernormal.risk.geopolitical import geopolrisk
from evernormal.risk.package_habits import HABITS, TOLERANCE, marks_of
from evernormal.risk.world_tables import open_world

__all__ = ["geopolrisk_differences"]

_KEYS = ("country", "material", "year")
_VALUES = ("hhi", "import_risk", "score", "characterization_factor")


def geopolrisk_differences(
    countries: Iterable[str] | None = None,
    years: Iterable[int] | None = None,
    materials: Iterable[str] | None = None,
    *,
    dataset: str | None = None,
    folder: str | Path | None = None,
    as_of: date | str | None = None,
) -> Result:
    """Return every cell whose GeoPolRisk is not that of geopolrisk-py 2.0.1, with every reason that applies.

    Args:
        countries: as :func:`evernormal.risk.geopolrisk`.
        years: as there.
        materials: as there.
        dataset: as there.
        folder: as there.
        as_of: as there.

    Returns:
        Result ``geopolrisk-differences`` with tables ``differences``: country, material, year, reasons (codes
        of findings, joined by a comma), and hhi, import_risk, score, characterization_factor as we give them
        and with ``_package`` as the package does (null: it answers not a number); and ``reasons``: reason,
        cells, text.

    Raises:
        UnknownNameError, InputError, NotCoveredError: as :func:`evernormal.risk.geopolrisk`.
        ModelError: a cell differs for no known reason.

    >>> found = geopolrisk_differences(["KOR"], [2023], ["Nickel", "Germanium", "Tin"])["differences"]
    >>> found.select("material", "reasons").rows()
    [('Nickel', 'quantity-left-out'), ('Germanium', 'imports-unrecorded')]
    """
    where: dict[str, Any] = {"dataset": dataset, "folder": folder, "as_of": as_of}
    ours = geopolrisk(countries, years, materials, **where)
    theirs = geopolrisk(countries, years, materials, compatible=True, **where)
    call = ours.lineage.call
    wanted = call["countries"] or [*reporters(), EUROPEAN_UNION]
    chosen = call["materials"] or ours["geopolrisk"]["material"].unique(maintain_order=True).to_list()
    every = [*reporters(), EUROPEAN_UNION]
    tables = open_world(dataset, None, folder, as_of)
    cells = gather(chosen, call["years"], published=False, tables=tables)
    cells = cells.picked([every.index(c) for c in wanted], range(len(chosen)), range(len(call["years"])))
    marks = {code: mark.ravel() for code, mark in marks_of(cells, wanted).items()}
    both = ours["geopolrisk"].with_columns(
        theirs["geopolrisk"].select(pl.col(_VALUES).name.suffix("_package"))
    )
    apart = np.logical_or.reduce([_apart(both, name) for name in _VALUES])
    known = np.logical_or.reduce(list(marks.values()))
    if not np.array_equal(apart, known):
        row = both.row(int(np.flatnonzero(apart != known)[0]), named=True)
        raise ModelError(
            f"{int((apart != known).sum())} cells differ and have no reason, or have one and do not differ",
            where=" ".join(str(row[key]) for key in _KEYS),
            cure="This is a defect: report it with the version.",
        )
    table = both.with_columns(reasons=_joined(marks)).filter(pl.Series(apart))
    shown = [f"{name}{end}" for name in _VALUES for end in ("", "_package")]
    reasons = pl.DataFrame(
        [(one.code, int(marks[one.code].sum()), one.text) for one in HABITS],
        schema={"reason": pl.String, "cells": pl.Int64, "text": pl.String},
        orient="row",
    )
    units = {name: "kg Cu-eq/kg" if name.startswith("character") else "1" for name in shown}
    lineage = Lineage(ours.lineage.version, ours.lineage.inputs, call={k: call[k] for k in _ASKED})
    text = (
        f"{table.height:,} of {both.height:,} cells differ from geopolrisk-py 2.0.1, each for a known reason."
    )
    values = {"cells": table.height, "of": both.height}
    return Result(
        "geopolrisk-differences",
        {"differences": table.select(*_KEYS, "reasons", *shown), "reasons": reasons},
        {"differences": units, "reasons": {}},
        lineage,
        (Finding("geopolrisk-differs", "info", text, values),),
    )


_ASKED = ("countries", "years", "materials", "dataset", "as_of")


def _apart(both: pl.DataFrame, name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Whether two columns differ by more than rounding; one known and one not differ."""
    one, other = (both[column].fill_null(np.nan).to_numpy() for column in (name, f"{name}_package"))
    with np.errstate(invalid="ignore"):
        gap = np.abs(one - other) > TOLERANCE * np.maximum(np.abs(one), np.abs(other))
    return np.asarray(gap | (np.isnan(one) != np.isnan(other)))


def _joined(marks: Mapping[str, np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]) -> pl.Series:
    """Codes of all marks of each cell, joined by a comma."""
    columns = [pl.when(pl.Series(mark)).then(pl.lit(code)) for code, mark in marks.items()]
    return pl.select(pl.concat_str(columns, separator=",", ignore_nulls=True)).to_series()
