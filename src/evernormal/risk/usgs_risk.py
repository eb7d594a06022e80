"""Supply risk in the manner of the U.S. Geological Survey: will it fail, do we need it, can we bear it?

The published form is the cube root of three parts (Nassar and others 2020, 10.1126/sciadv.aay8647).  What
each part is made of here, and where that departs from the paper, stands with each function and in the
findings of :func:`usgs_supply_risk_table`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt

from evernormal.errors import InputError, LabelError
from evernormal.result import Result
from evernormal.risk.momentum_panel import countries_asked, form_codes, last_year, opened, whole_years

__all__ = ["disruption_potential", "economic_vulnerability", "usgs_supply_risk", "usgs_supply_risk_table"]

Floats = npt.NDArray[np.float64]


def usgs_supply_risk(
    disruption_potential: npt.ArrayLike,
    trade_exposure: npt.ArrayLike,
    economic_vulnerability: npt.ArrayLike,
) -> np.float64 | Floats:
    """Return the supply risk: the cube root of its three parts (equation E120).

    Args:
        disruption_potential: how likely foreign supply is disrupted, 0 to 1.
        trade_exposure: how much of use comes from abroad, 0 to 1: net import reliance.
        economic_vulnerability: how badly industry can bear it, 0 to 1.

    Returns:
        0 to 1, in the shape to which the three broadcast; NaN where a part is NaN (law 2), but 0 where a
        known part is 0.

    Raises:
        InputError: a part outside 0..1.
        LabelError: shapes that do not fit.

    >>> float(round(usgs_supply_risk(0.4, 1.0, 0.16), 4))
    0.4
    >>> usgs_supply_risk([0.5, 0.5], [0.0, 1.0], float("nan")).tolist()
    [0.0, nan]
    """
    given = {
        "disruption_potential": disruption_potential,
        "trade_exposure": trade_exposure,
        "economic_vulnerability": economic_vulnerability,
    }
    parts = {name: np.asarray(value, dtype=np.float64) for name, value in given.items()}
    for name, values in parts.items():
        _require_fraction(name, values)
    try:
        shaped = np.broadcast_arrays(*parts.values())
    except ValueError as error:
        shapes = ", ".join(f"{name} {values.shape}" for name, values in parts.items())
        raise LabelError(f"shapes do not fit: {shapes}") from error
    product = np.cbrt(shaped[0] * shaped[1] * shaped[2])
    nothing = (shaped[0] == 0) | (shaped[1] == 0) | (shaped[2] == 0)
    risk: np.float64 | Floats = np.where(nothing, 0.0, product)[()]
    return risk


def disruption_potential(
    shares: npt.ArrayLike, hazard: npt.ArrayLike, domestic: npt.ArrayLike | None = None
) -> np.float64 | Floats:
    """Return how concentrated world supply is in countries that may stop supplying (equation E121).

    Args:
        shares: shares of world supply along the last axis, fractions that sum to at most 1.
        hazard: how likely each of these countries is to stop, 0 to 1.  The published method takes indices of
            ability and of willingness to supply the United States; any index of 0 (never) to 1 serves.
        domestic: true for the focal country itself, whose supply is not foreign.

    Raises:
        InputError: a share or a hazard outside 0..1, or shares that sum to more than 1.
        LabelError: shapes that do not fit.

    >>> float(round(disruption_potential([0.8, 0.2], [0.5, 1.0]), 3))
    0.36
    >>> float(round(disruption_potential([0.8, 0.2], [0.5, 1.0], [True, False]), 3))
    0.04
    """
    part, risk = np.asarray(shares, dtype=np.float64), np.asarray(hazard, dtype=np.float64)
    home = np.asarray(False if domestic is None else domestic, dtype=np.bool_)
    for name, values in (("shares", part), ("hazard", risk)):
        _require_fraction(name, values)
    if part.ndim == 0:
        raise InputError("shares must be a list or an array, got one number", where="shares")
    sums = part.sum(axis=-1)
    if np.any(sums > 1 + 1e-6):
        raise InputError(f"shares sum to {np.nanmax(sums):g}, more than 1", where="shares")
    try:
        found: np.float64 | Floats = np.where(home, 0.0, part * part * risk).sum(axis=-1)
    except ValueError as error:
        raise LabelError(
            f"shapes do not fit: shares {part.shape}, hazard {risk.shape}, domestic {home.shape}"
        ) from error
    return found


def economic_vulnerability(
    use_shares: npt.ArrayLike, price: npt.ArrayLike, value_added: npt.ArrayLike
) -> np.float64 | Floats:
    """Return what users pay for a form against what they earn with it (equation E122).

    The published part sets an industry's expenditure on a commodity against its operating profit.  Here value
    added per tonne used stands for the profit, and end uses of the form for industries.

    Args:
        use_shares: share of each end use along the last axis, fractions that sum to at most 1.
        price: price of the form, one per row, USD per tonne contained.
        value_added: value added that hangs on a tonne in each end use, USD per tonne contained; above 0.

    Returns:
        0 (nothing) to 1 (every user pays at least what it earns).

    Raises:
        InputError: a share outside 0..1, a negative price, or a value added that is not above 0.
        LabelError: shapes that do not fit.

    >>> float(economic_vulnerability([0.5, 0.5], 10_000.0, [20_000.0, 5_000.0]))
    0.75
    """
    part, cost = np.asarray(use_shares, dtype=np.float64), np.asarray(price, dtype=np.float64)
    earned = np.asarray(value_added, dtype=np.float64)
    _require_fraction("use_shares", part)
    if np.any(cost < 0) or np.any(earned <= 0):
        raise InputError("price must be at least 0 and value added above 0", where="price, value_added")
    try:
        ratio = np.minimum(cost[..., None] / earned, 1.0)
        found: np.float64 | Floats = np.minimum((part * ratio).sum(axis=-1), 1.0)
    except ValueError as error:
        raise LabelError(f"shapes do not fit: {part.shape}, {cost.shape}, {earned.shape}") from error
    return found


def _require_fraction(name: str, values: Floats) -> None:
    known = values[~np.isnan(values)]
    if known.size and not (known.min() >= 0 and known.max() <= 1 + 1e-9):
        raise InputError(
            f"{name} must be from 0 to 1, got {known.min():g} to {known.max():g}",
            where=name,
            cure="Give a fraction.",
        )


def usgs_supply_risk_table(
    countries: Iterable[str] | None = None,
    years: int | Iterable[int] | None = None,
    forms: Iterable[str] | None = None,
    *,
    vulnerability: float | Mapping[str, float] | None = None,
    as_of: date | str | None = None,
    dataset: str | None = None,
    folder: str | Path | None = None,
) -> Result:
    """Return the supply risk of every country, form and year in the manner of the USGS (E120 to E122).

    Disruption potential is taken over world production, from statistics or published shares, without the
    focal country's own; political stability stands for ability and willingness to supply.  Trade exposure is
    net import reliance in tonnes contained.  Economic vulnerability sets what the country pays per tonne
    against the value added that hangs on it.  An input that is not known takes its whole range: the score
    then has two ends and no middle (law 2).

    Args:
        countries: ISO 3166 alpha-3, or ``EU`` (its 27 members as one country); None for all and the EU.
        years: calendar years; None for the last that the trade table holds.
        forms: forms with codes of their own in the trade table; None for all.
        vulnerability: economic vulnerability by form, or one number, 0 to 1, in place of ours.
        as_of: use only what was knowable on this day (law 11).
        dataset: None for the shipped trade, or a data set of the user's store.
        folder: folder of the user's store; needed with ``dataset``.

    Returns:
        Result ``usgs-supply-risk`` with table ``usgs_supply_risk``: country, form, year, and for each of
        disruption_potential, trade_exposure, economic_vulnerability and supply_risk the middle, ``_low`` and
        ``_high`` (0 to 1; the middle null where an input is wholly unknown; all null where no trade of the
        country is recorded), world_supply (``statistics``, ``published shares`` or ``unknown``).

    Raises:
        UnknownNameError, NotCoveredError: no such country, form or data set, or no trade of a year.
        InputError: a vulnerability outside 0..1.

    >>> import polars as pl
    >>> table = usgs_supply_risk_table(["KOR"], 2023, ["nickel/ore"])["usgs_supply_risk"]
    >>> table.select("trade_exposure", pl.col("disruption_potential").round(2)).row(0)
    (1.0, 0.2)
    """
    from evernormal.risk.usgs_risk_cells import table_of  # noqa: PLC0415 - reads tables

    chosen = opened(dataset, folder, as_of)
    names = countries_asked(countries)
    period = [last_year(chosen)] if years is None else whole_years(years)
    for year in period:
        last_year(chosen, year)
    codes = form_codes(forms, chosen)
    given = _given(vulnerability, list(codes))
    return table_of(chosen, names, period, codes, given, as_of=as_of, dataset=dataset, folder=folder)


def _given(vulnerability: float | Mapping[str, float] | None, forms: list[str]) -> dict[str, float]:
    from evernormal.errors import UnknownNameError  # noqa: PLC0415

    if vulnerability is None:
        return {}
    if not isinstance(vulnerability, Mapping):
        vulnerability = dict.fromkeys(forms, float(vulnerability))
    for name, value in vulnerability.items():
        if name not in forms:
            raise UnknownNameError("form", name, forms, where="vulnerability")
        _require_fraction("vulnerability", np.array([value], dtype=np.float64))
    return dict(vulnerability)
