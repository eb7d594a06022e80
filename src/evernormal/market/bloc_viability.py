"""Which projects pay at which reference price."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evernormal.market.bloc import solve_pair
from evernormal.market.bloc_act import MONTHS
from evernormal.market.bloc_projects import Plants
from evernormal.market.bloc_question import BlocQuestion
from evernormal.market.bloc_year import Year

__all__ = ["RUNGS", "project_tables"]

RUNGS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
"""Multiples of the asked reference prices at which projects are judged."""


def project_tables(
    question: BlocQuestion, plants: Plants, before: Year, after: Year
) -> tuple[pl.DataFrame, pl.DataFrame, NDArray[np.bool_]]:
    """Return projects with their break-even price, the ladder of references, and who builds on the floor.

    A project pays where its maker's price is at least its break-even price (equation E87).  What projects
    supply does not lower the price here; :func:`evernormal.market.bloc_path.path_of` counts it.
    """
    without, held = (_prices(plants, year) for year in (before, after))
    pays_without, pays = without >= plants.needed, held >= plants.needed
    ladder, least = _rungs(question, plants)
    unknown = np.isnan(plants.needed) | np.isnan(without) | np.isnan(held)
    table = plants.table.select("name", "country", "form").with_columns(
        capacity_t=pl.Series(plants.capacity),
        operating_usd_t=pl.Series(plants.operating),
        break_even_usd_t=pl.Series(
            [None if np.isnan(x) else float(x) for x in plants.needed], dtype=pl.Float64
        ),
        price_without_usd_t=pl.Series(without).fill_nan(None),
        price_usd_t=pl.Series(held).fill_nan(None),
        pays_without=_known(pays_without, unknown),
        pays_with=_known(pays, unknown),
        least_reference_usd_t=pl.Series(least, dtype=pl.Float64),
        grade=plants.table["grade"],
        source=plants.table["source"],
    )
    return table, ladder, pays & ~pays_without & ~unknown


def _known(values: NDArray[np.bool_], unknown: NDArray[np.bool_]) -> pl.Series:
    pairs = zip(values.tolist(), unknown.tolist(), strict=True)
    return pl.Series([None if blind else value for value, blind in pairs], dtype=pl.Boolean)


def _prices(plants: Plants, year: Year) -> NDArray[np.float64]:
    return np.asarray(year.maker[plants.region, plants.form], dtype=float)


def _rungs(question: BlocQuestion, plants: Plants) -> tuple[pl.DataFrame, list[float | None]]:
    """The same mechanism at multiples of its references, and the least tried reference at which each pays."""
    rows: list[dict[str, object]] = []
    least: list[float | None] = [None] * len(plants.region)
    year = question.shown
    for rung in RUNGS if len(plants.region) else ():
        mechanism = replace(question.mechanism, reference=question.mechanism.reference * rung)
        held = solve_pair(question.setting, mechanism, question.acts[year], MONTHS * (year + 1))[1]
        for j, (price, needed) in enumerate(zip(_prices(plants, held), plants.needed, strict=True)):
            reference = mechanism.reference[plants.region[j], plants.form[j]]
            known = float(reference) if np.isfinite(reference) else None
            if np.isfinite(needed) and price >= needed and least[j] is None:
                least[j] = known
            rows.append(
                {
                    "multiple_ratio": rung,
                    "name": plants.table["name"][j],
                    "reference_usd_t": known,
                    "price_usd_t": None if np.isnan(price) else float(price),
                    "break_even_usd_t": None if np.isnan(needed) else float(needed),
                    "pays": None if np.isnan(needed + price) else bool(price >= needed),
                }
            )
    schema = {
        "multiple_ratio": pl.Float64, "name": pl.String, "reference_usd_t": pl.Float64,
        "price_usd_t": pl.Float64, "break_even_usd_t": pl.Float64, "pays": pl.Boolean,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema), least
