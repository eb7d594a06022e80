"""Figures of the IEA's critical minerals dataset as statistics: names of minerals, stages and scenarios."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from evernormal.data.geography import aliases, named
from evernormal.errors import SourceFormatError, nearest
from evernormal.result import Finding, Level

__all__ = ["EDITIONS", "Figures", "scenario_name", "stage_of"]

EDITIONS = {
    2022: date(2023, 7, 11),
    2023: date(2024, 5, 17),
    2024: date(2025, 5, 21),
    2025: date(2026, 7, 27),
}
"""Base year of each edition of the dataset and the day of its release."""

_MATERIALS = {
    "battery-grade graphite": "graphite",
    "magnet rare earth elements": "rare-earths",
    "rare earth elements": "rare-earths",
    "total rare earth elements": "rare-earths",
    "total ree": "rare-earths",
    "pgms": "platinum-group",
}
_SCENARIOS = {
    "STEPS": "Stated Policies",
    "APS": "Announced Pledges",
    "NZE": "Net Zero Emissions by 2050",
    "CPS": "Current Policies",
}
_BASIS = "as the IEA counts: element contained; graphite as graphite, magnet rare earths as Pr, Nd, Tb and Dy"
_TOLERANCE = 2e-3


@dataclass
class Figures:
    """What is noted of one file.

    Attributes:
        file: its name.
        unit: unit of its masses.
        problems: faults, by place (sheet and cell, or path in the JSON) and text.
        rows: rows of kind statistics without source, day and grade.
        findings: what a reader must know.
        seen: place of each figure, so that none is there twice.
    """

    file: str
    unit: str = "kt"
    problems: list[tuple[str, str]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    seen: dict[tuple[object, ...], str] = field(default_factory=dict)

    def fault(self, place: str, text: str) -> None:
        """Note a fault."""
        self.problems.append((place, text))

    def tell(self, code: str, level: Level, text: str, values: Mapping[str, Any]) -> None:
        """Note a finding."""
        self.findings.append(Finding(code, level, text, values))

    def demand(
        self,
        place: str,
        statistic: str,
        mineral: str,
        use: str,
        scenario: str | None,
        year: int,
        value: object,
    ) -> None:
        """Note demand for a mineral by one use, or the share of a use in it."""
        share = use.casefold().startswith("share of")
        kind = {"statistic": "clean_energy_share", "unit": "1"} if share else {"statistic": statistic}
        label = f"{mineral}; {use}" if use and not share else mineral
        self._note(place, label, mineral, value, year, scenario, {"country": "WLD", **kind})

    def supply(
        self, place: str, label: str, stage: str, country: str, scenario: str | None, year: int, value: object
    ) -> None:
        """Note supply of a mineral at a stage by a country, the rest of the world, or all."""
        mineral = label.partition(" - ")[0]
        name = country.casefold()
        if name.startswith("top 3"):
            more = {"country": "WLD", "statistic": "top_3_share", "unit": "1", "stage": stage}
        else:
            iso3 = "WLD" if name.startswith("total") else self._country(place, country)
            if iso3 is None:
                return
            more = {"country": iso3, "statistic": "production", "stage": stage}
        self._note(place, label, mineral, value, year, scenario, more)

    def _country(self, place: str, name: str) -> str | None:
        found = aliases("iea").get(name) or named(name)
        if found is None:
            close = nearest(name, aliases("iea"))
            hint = f"; nearest is {close[0]!r}" if close else ""
            shown = name if len(name) <= 60 else f"{name[:59]}…"
            self.fault(place, f"{shown!r} is no country of this dataset{hint}")
        return found

    def _note(
        self, place: str, label: str, mineral: str, value: object, year: int, scenario: str | None,
        more: Mapping[str, Any],
    ) -> None:  # fmt: skip
        number = self._number(place, value, 1.0 + 1e-9 if more.get("unit") == "1" else math.inf)
        key = (label, more["country"], more["statistic"], more.get("stage"), scenario, year)
        if key in self.seen:
            self.fault(place, f"the same figure is already in {self.seen[key]}")
            return
        self.seen[key] = place
        self.rows.append(
            {"year": year, "commodity": label, "material": _material(mineral), "scenario": scenario}
            | {"value": number, "unit": self.unit, "basis": _BASIS, "source_ref": f"{self.file} {place}"}
            | dict(more)
        )

    def _number(self, place: str, value: object, high: float) -> float | None:
        if value is None or (isinstance(value, str) and value.strip() in {"", "-", "–", "n.a.", "N/A"}):
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self.fault(place, f"{str(value)[:40]!r} is no number (write 1234.5, no thousands separator)")
            return None
        if not 0 <= value <= high:
            limit = "at least 0" if math.isinf(high) else "a fraction from 0 to 1"
            self.fault(place, f"must be {limit}, got {value:g}")
            return None
        return float(value)

    def raise_if_faulty(self) -> None:
        """Raise one error that names the first faults, and how many there are."""
        if self.problems:
            shown = "; ".join(f"{place}: {text}" for place, text in self.problems[:10])
            more = f"; and {len(self.problems) - 10} more" if len(self.problems) > 10 else ""
            raise SourceFormatError(
                f"{shown}{more}",
                where=self.file,
                cure="Give the file as the IEA ships it, or correct these cells; nothing was stored.",
            )

    def tell_totals(self) -> None:
        """Tell where countries and the rest of the world do not add up to the printed total."""
        sums: dict[tuple[object, ...], float] = defaultdict(float)
        totals: dict[tuple[object, ...], float] = {}
        for row in self.rows:
            if row["statistic"] != "production" or row["value"] is None:
                continue
            key = (row["commodity"], row["stage"], row["year"])
            if row["country"] == "WLD":
                totals[key] = row["value"]
            else:
                sums[key] += row["value"]
        wrong = [
            f"{key[0]} {key[2]}: {sums[key]:.6g} of {total:.6g}"
            for key, total in totals.items()
            if abs(sums[key] - total) > _TOLERANCE * total
        ]
        if wrong:
            text = (
                f"Countries and the rest of the world do not add up to the printed total: {'; '.join(wrong)}."
            )
            self.tell("total-differs-from-sum", "caution", text, {"totals": wrong})

    def base_year(self) -> int:
        """Return the year that every scenario starts from."""
        observed = [row["year"] for row in self.rows if row["scenario"] is None]
        if not observed:
            raise SourceFormatError("no figure of a base year was found", where=self.file)
        return int(min(observed))


def scenario_name(text: str) -> str:
    """Return a scenario's name without the word scenario; a short name is written out.

    >>> scenario_name("Stated Policies scenario"), scenario_name("APS")
    ('Stated Policies', 'Announced Pledges')
    """
    name = re.sub(r"\s*\bscenario\b\s*", " ", " ".join(text.split()), flags=re.IGNORECASE).strip()
    return _SCENARIOS.get(name, name)


def stage_of(text: str) -> str | None:
    """Return the stage that a heading of supply names; None where it names none.

    >>> stage_of("Copper - Mining (kt)"), stage_of("Lithium - Chemicals"), stage_of("Graphite")
    ('ore', 'refined', None)
    """
    word = text.partition(" - ")[2].partition("(")[0].strip().casefold()
    if not word:
        return None
    return "ore" if word.startswith(("mining", "mined")) else "refined"


def _material(label: str) -> str:
    name = label.partition("(")[0].strip().casefold()
    return _MATERIALS.get(name, re.sub(r"[^a-z0-9]+", "-", name).strip("-"))
