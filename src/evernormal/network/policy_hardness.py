"""How hard an act of policy bites where its record does not say: measured effects of earlier acts.

The table ``policy_hardness.csv`` holds what restrictions of 2010 to 2025 did to exports, each row with its
source.  The row that fits best is taken: same country and material before same country before any; what is an
assumption says so (law 10).
"""

from __future__ import annotations

import csv
import functools
from datetime import date
from importlib import resources
from typing import cast

from evernormal.network.forms import material as material_of
from evernormal.result import Grade, Parameter

__all__ = ["hardness_of", "table_hash"]

_UNITS = {"delay_days": "d", "rate": "fraction"}


def hardness_of(kind: str, by: str, form: str, known_on: date | None = None) -> tuple[Parameter, ...]:
    """Return the parameters of a kind of measure for an actor and a form, one for each field of the measure.

    A share of a basket that a licence covers is given only for forms that are such a basket.  With
    ``known_on`` only what had been measured by that day counts (law 11).

    >>> [(p.name, p.value, p.grade) for p in hardness_of("licence", "CHN", "graphite/natural")]
    [('delay_days', 45.0, 'B'), ('approval_share', 0.69, 'B')]
    >>> [(p.value, p.grade) for p in hardness_of("ban", "NAM", "lithium/ore")]
    [(1.0, 'C')]
    >>> [p.high for p in hardness_of("licence", "CHN", "graphite/natural", date(2023, 11, 1))]
    [90.0, 1.0]
    """
    material = form.partition("/")[0]
    tried = [material, *(["rare-earths"] if material_of(material).rare_earth else []), "*"]
    found: dict[str, Parameter] = {}
    for who in dict.fromkeys((by, "*")):
        for what in tried:
            for row in _rows():
                if (row["kind"], row["by"], row["material"]) != (kind, who, what) or row["field"] in found:
                    continue
                if known_on is not None and date.fromisoformat(row["known_on"]) > known_on:
                    continue
                if row["field"] == "covers" and material != "rare-earths":
                    continue
                found[row["field"]] = _parameter(row)
    return tuple(found.values())


def _parameter(row: dict[str, str]) -> Parameter:
    low, mode, high = (float(row[name]) for name in ("low", "mode", "high"))
    unit = _UNITS.get(row["field"], "fraction")
    return Parameter(row["field"], mode, low, high, unit, cast(Grade, row["grade"]), row["source"])


@functools.cache
def _rows() -> tuple[dict[str, str], ...]:
    return tuple(csv.DictReader(_path().read_text("utf-8").splitlines()))


def _path() -> resources.abc.Traversable:
    return resources.files("evernormal.network") / "tables" / "policy_hardness.csv"


@functools.cache
def table_hash() -> str:
    """Return the SHA-256 of the table."""
    import hashlib  # noqa: PLC0415

    return hashlib.sha256(_path().read_bytes()).hexdigest()
