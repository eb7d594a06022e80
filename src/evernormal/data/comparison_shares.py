"""Which figures are compared, and each one's share of its own source's world."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from evernormal.data.comparison_rows import Said, contained

__all__ = ["Row", "chosen", "in_series", "ratio", "with_shares"]


@dataclass(frozen=True)
class _World:
    """The world of one series in one year: as printed, and as the sum of its countries."""

    printed: float | None
    summed: float | None
    unknown: int
    countries: int

    @property
    def total(self) -> float | None:
        """What shares are taken of: the printed total, else the sum."""
        return self.printed if self.printed else self.summed


@dataclass(frozen=True)
class Row:
    """One figure with its shares."""

    said: Said
    asked: int
    contained_t: float | None
    reason: str
    share: float | None
    share_of_sum: float | None


def chosen(said: Sequence[Said], year: int, within: int, coverage: list[dict[str, Any]]) -> list[Said]:
    """Return the figures of the year, and of each publisher without it those of its nearest year."""
    years: dict[tuple[str, str, str], set[int]] = {}
    for one in said:
        years.setdefault((one.publisher, one.source, one.series), set()).add(one.year)
    exact = {publisher for (publisher, _, _), has in years.items() if year in has}
    taken: dict[tuple[str, str], int] = {}
    for (publisher, source, series), has in years.items():
        nearest = min(has, key=lambda known: (abs(known - year), known))
        usable = nearest == year or (publisher not in exact and abs(nearest - year) <= within)
        if usable:
            taken[source, series] = nearest
        covered = "observed" if nearest == year else "other year" if usable else "unknown"
        what = f"{source}: {series}"
        coverage.append({"asked_year": year, "what": what, "covered": covered, "detail": f"has {nearest}"})
    return [one for one in said if taken.get((one.source, one.series)) == one.year]


def in_series(said: Sequence[Said]) -> list[list[Said]]:
    """Return the figures grouped by source, line and basis, in a fixed order (law 7)."""
    groups: dict[tuple[str, str, str, str], list[Said]] = {}
    for one in said:
        groups.setdefault((one.source, one.series, one.basis, one.dataset), []).append(one)
    return [sorted(groups[key], key=lambda one: (one.country, one.source_ref)) for key in sorted(groups)]


def with_shares(series: Sequence[Said], year: int, material: str) -> tuple[list[Row], dict[str, Any]]:
    """Return the rows of one series with their shares, and its world."""
    world = _world(series)
    rows = []
    for one in series:
        tonnes, reason = contained(one.tonnes, one.basis, material)
        shares = [
            one.share if one.share is not None else ratio(one.tonnes, total)
            for total in (world.total, world.summed)
        ]
        if one.part_of:
            shares, reason = [None, None], f"one part of {one.part_of}"
        elif world.total is None and one.share is None and not one.withheld:
            reason = reason or "only one country is listed: no world to take a share of"
        elif one.withheld:
            reason = f"no figure is given ({one.flag.partition(';')[0] or 'blank'})"
        elif one.share is not None:
            reason = "the source gives a share"
        rows.append(Row(one, year, tonnes, reason, *shares))
    first = series[0]
    return rows, {
        "asked_year": year,
        "source": first.source,
        "series": first.series,
        "year": first.year,
        "basis": first.basis,
        "printed_t": world.printed,
        "summed_t": world.summed,
        "ratio": ratio(world.summed, world.printed),
        "countries": world.countries,
        "unknown": world.unknown,
    }


def _world(series: Sequence[Said]) -> _World:
    printed = [one.tonnes for one in series if one.country == "WLD"]
    others = [one for one in series if one.country != "WLD"]
    numbers = sorted(one.tonnes for one in others if one.tonnes is not None)
    alone = len({one.country for one in others}) < 2
    return _World(
        printed[0] if printed else None,
        math.fsum(numbers) if numbers and not (alone and not printed) else None,
        sum(one.withheld for one in others),
        len({one.country for one in others} - {"ROW"}),
    )


def ratio(part: float | None, whole: float | None) -> float | None:
    """Return a part over a whole; None where either is not known or the whole is zero (law 2)."""
    return None if part is None or not whole else part / whole
