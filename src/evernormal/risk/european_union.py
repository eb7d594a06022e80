"""Supply risk as the European Commission computes it for its list of critical raw materials."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from evernormal.errors import InputError, LabelError

__all__ = ["Sourcing", "eu_supply_risk", "hhi_wgi_t"]

Sourcing = Literal["both", "global", "eu"]
Numbers = npt.NDArray[np.float64]

_WEIGHTS = ("both", "global", "eu")


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
