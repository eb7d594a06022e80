"""Supply risk as the European Commission computes it for its list of critical raw materials."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from evernormal.errors import InputError, LabelError

__all__ = [
    "THRESHOLDS",
    "Sourcing",
    "eu_critical",
    "eu_supply_risk",
    "eu_supply_risk_interval",
    "hhi_wgi_t",
]

Sourcing = Literal["both", "global", "eu"]
Numbers = npt.NDArray[np.float64]

THRESHOLDS = {2017: (1.0, 2.8), 2020: (1.0, 2.8), 2023: (1.0, 2.8)}
"""Supply risk and economic importance from which a material is critical, by study; both must be reached.

Regulation (EU) 2024/1252, Annex II, keeps the method and the thresholds of the study of 2017."""

_WEIGHTS = ("both", "global", "eu")
_HIGHEST_CONCENTRATION = 20.0
_HALF_TENTH, _HALF_PER_CENT = 0.05, 0.005


def eu_supply_risk(
    hhi_global: npt.ArrayLike,
    hhi_eu: npt.ArrayLike,
    import_reliance: npt.ArrayLike,
    eol_recycling_input_rate: npt.ArrayLike,
    substitution: npt.ArrayLike,
    sourcing: Sourcing | npt.ArrayLike = "both",
) -> Numbers:
    """Return the supply risk of materials by the method of 2017, also used in 2020 and 2023 (equation E104).

    Args:
        hhi_global: concentration of world supply weighted by governance and trade (:func:`hhi_wgi_t`).
        hhi_eu: the same of the supply that the European Union actually draws on.
        import_reliance: fraction 0 to 1; a negative one (net exporter) counts as 0.
        eol_recycling_input_rate: share of secondary input from end-of-life scrap in all input, fraction 0 to
            1.  Not the recycling rate of end-of-life products.
        substitution: substitution index for supply risk, above 0 to 1.
        sourcing: ``both``, or ``global`` or ``eu`` when the study uses one of the two only; one word, or an
            array of words.

    Returns:
        Supply risk per material, shape of the broadcast arguments.  An input that is not needed (the EU's
        concentration when sourcing is global) may be NaN; one that is needed makes the answer NaN (law 2).

    Raises:
        InputError: an unknown sourcing, a negative concentration, or a fraction outside its range (per cent
            given for a fraction).
        LabelError: shapes that do not fit.

    Germanium, European Commission (2017), published 1.9:

    >>> float(eu_supply_risk(2.9, 1.5, 0.64, 0.02, 1.0).round(1))
    1.9
    """
    given = (hhi_global, hhi_eu, import_reliance, eol_recycling_input_rate, substitution)
    words = np.asarray(sourcing, dtype=str)
    unknown = sorted(set(words.ravel().tolist()) - set(_WEIGHTS))
    if unknown:
        raise InputError(f"sourcing must be 'both', 'global' or 'eu', got {unknown[0]!r}", where="sourcing")
    arrays = [np.asarray(one, dtype=np.float64) for one in given]
    try:
        world, union, reliance, recycled, index, words = np.broadcast_arrays(*arrays, words)
    except ValueError as error:
        shapes = ", ".join(str(one.shape) for one in (*arrays, words))
        raise LabelError(f"shapes do not fit: {shapes}", cure="Give one number or one per material.") from (
            error
        )
    _require(world, "hhi_global", 0, np.inf)
    _require(union, "hhi_eu", 0, np.inf)
    _require(reliance, "import_reliance", -np.inf, 1)
    _require(recycled, "eol_recycling_input_rate", 0, 1)
    _require(index, "substitution", 0, 1)
    half = np.maximum(reliance, 0) / 2
    mixed = world * half + union * (1 - half)
    concentration = np.where(words == "global", world, np.where(words == "eu", union, mixed))
    return np.asarray(concentration * (1 - recycled) * index, dtype=np.float64)


def eu_supply_risk_interval(
    hhi_global: npt.ArrayLike,
    hhi_eu: npt.ArrayLike,
    import_reliance: npt.ArrayLike,
    eol_recycling_input_rate: npt.ArrayLike,
    substitution: npt.ArrayLike,
    sourcing: Sourcing | npt.ArrayLike = "both",
    *,
    rounded: bool = True,
) -> tuple[Numbers, Numbers]:
    """Return the least and the greatest supply risk that inputs allow (equation E108).

    An input that is unknown (NaN) takes its whole range: import reliance, recycling input rate and
    substitution index 0 to 1, a concentration 0 to 20 (governance at most 10, trade parameter at most 2).
    One that is not needed does not count (law 2).

    Args:
        hhi_global: as :func:`eu_supply_risk`.
        hhi_eu: as :func:`eu_supply_risk`.
        import_reliance: as :func:`eu_supply_risk`.
        eol_recycling_input_rate: as :func:`eu_supply_risk`.
        substitution: as :func:`eu_supply_risk`.
        sourcing: as :func:`eu_supply_risk`.
        rounded: the inputs are rounded as the studies print them, concentrations and the substitution index
            to one decimal, the two rates to whole per cent; False when they are exact.

    Returns:
        Two arrays: low and high.  A printed score, itself rounded to one decimal, agrees with its printed
        inputs when it is at most 0.05 outside.

    Raises:
        InputError, LabelError: as :func:`eu_supply_risk`.

    Antimony, European Commission (2017), published 4.3:

    >>> low, high = eu_supply_risk_interval(7.1, 5.7, 1.0, 0.28, 0.9)
    >>> float(low.round(2)), float(high.round(2))
    (3.86, 4.44)
    """
    eu_supply_risk(hhi_global, hhi_eu, import_reliance, eol_recycling_input_rate, substitution, sourcing)
    tenth, per_cent = (_HALF_TENTH, _HALF_PER_CENT) if rounded else (0.0, 0.0)
    world = _ends(hhi_global, tenth, _HIGHEST_CONCENTRATION)
    union = _ends(hhi_eu, tenth, _HIGHEST_CONCENTRATION)
    reliance = _ends(import_reliance, per_cent, 1.0)
    recycled = _ends(eol_recycling_input_rate, per_cent, 1.0)
    index = _ends(substitution, tenth, 1.0)
    low, high = (
        [
            eu_supply_risk(world[end], union[end], share, recycled[1 - end], index[end], sourcing)
            for share in reliance
        ]
        for end in (0, 1)
    )
    return np.minimum(*low), np.maximum(*high)


def _ends(values: npt.ArrayLike, half: float, high: float) -> tuple[Numbers, Numbers]:
    """Ends of a rounded value inside 0 to ``high``, or all of it where the value is unknown."""
    known = np.maximum(np.asarray(values, dtype=np.float64), 0)
    blank = np.isnan(known)
    upper = np.maximum(known, high)
    return (
        np.where(blank, 0.0, np.maximum(known - half, 0)),
        np.where(blank, high, np.minimum(known + half, upper)),
    )


def eu_critical(
    supply_risk: npt.ArrayLike, economic_importance: npt.ArrayLike, edition: int = 2023
) -> Numbers:
    """Return 1 where a material is critical by the thresholds of a study, 0 where not, NaN where unknown.

    A material that misses one threshold is not critical, whatever the other score is.

    Args:
        supply_risk: scores, rounded to one decimal as the studies print them.
        economic_importance: scores, likewise.
        edition: 2017, 2020 or 2023.

    Raises:
        InputError: no thresholds are known for the edition.
        LabelError: shapes that do not fit.

    Gallium is critical, nickel is not (on the list as a strategic material), of xenon nothing is known yet:

    >>> eu_critical([3.9, 0.5, float("nan")], [3.7, 5.7, 3.1]).tolist()
    [1.0, 0.0, nan]
    """
    if edition not in THRESHOLDS:
        raise InputError(
            f"no thresholds of {edition} are known",
            where="edition",
            cure=f"Known: {', '.join(map(str, THRESHOLDS))}.",
        )
    risk, importance = (np.asarray(one, dtype=np.float64) for one in (supply_risk, economic_importance))
    try:
        risk, importance = np.broadcast_arrays(risk, importance)
    except ValueError as error:
        raise LabelError(f"shapes do not fit: {risk.shape}, {importance.shape}") from error
    least_risk, least_importance = THRESHOLDS[edition]
    missed = (risk < least_risk - 1e-9) | (importance < least_importance - 1e-9)
    unknown = np.isnan(risk) | np.isnan(importance)
    return np.asarray(np.where(missed, 0.0, np.where(unknown, np.nan, 1.0)), dtype=np.float64)


def hhi_wgi_t(
    shares: npt.ArrayLike, wgi: npt.ArrayLike, trade_parameter: npt.ArrayLike = 1.0
) -> np.float64 | Numbers:
    """Return concentration weighted by governance and trade (equation E105).

    Args:
        shares: fractions per country along the last axis, as in :func:`~evernormal.risk.shares.herfindahl`.
        wgi: governance per country, scaled 0 (good) to 10 (bad).
        trade_parameter: trade parameter t per country: 0.8 within the European Union or its free-trade
            agreements, 1 without restrictions, up to 2 with them.

    Raises:
        InputError: shares that are amounts, governance outside 0..10, a trade parameter outside 0..2.
        LabelError: shapes that do not fit.

    >>> float(round(hhi_wgi_t([0.8, 0.2], [6.0, 2.0], [1.1, 1.0]), 3))
    4.304
    """
    from evernormal.risk.shares import herfindahl  # noqa: PLC0415 - for its checks

    part, level, factor = (np.asarray(one, dtype=np.float64) for one in (shares, wgi, trade_parameter))
    herfindahl(part)
    _require(level, "wgi", 0, 10)
    _require(factor, "trade_parameter", 0, 2)
    try:
        terms = part * part * level * factor
    except ValueError as error:
        raise LabelError(
            f"shapes do not fit: shares {part.shape}, wgi {level.shape}, trade_parameter {factor.shape}",
            cure="Give one number per country on the last axis.",
        ) from error
    total: np.float64 | Numbers = terms.sum(axis=-1)
    return total


def _require(values: Numbers, name: str, low: float, high: float) -> None:
    """Raise when a known value is outside its range."""
    known = values[~np.isnan(values)]
    wrong = known[(known < low) | (known > high + 1e-9)]
    if wrong.size:
        limit = f"from {low:g} to {high:g}" if np.isfinite([low, high]).all() else (
            f"at least {low:g}" if np.isfinite(low) else f"at most {high:g}"
        )  # fmt: skip
        cure = "Give a fraction, not per cent." if high == 1 and wrong[0] > 1 else ""
        raise InputError(f"{name} must be {limit}, got {wrong[0]:g}", where=name, cure=cure)
