"""Days from port to port, the passages on the way, and the detour when a passage is closed (equation E26).

The tables hold sea distances between ports and passages (``scripts/build_transit.py`` builds them with
``searoute``).
A route is the quickest path over them, from whichever port of the one country to whichever of the other, or
by land between neighbours.  Distances do not depend on the direction.
"""

from __future__ import annotations

import csv
import functools
import heapq
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType

from evernormal.errors import UnknownNameError
from evernormal.result import Parameter

__all__ = [
    "HANDLING",
    "PASSAGES",
    "SPEED",
    "Passage",
    "Route",
    "passages",
    "route",
    "transit_days",
    "transit_known",
]

SPEED = Parameter(
    "transit_speed",
    14.0,
    11.0,
    16.0,
    "knots",
    "C",
    "assumption: container ships averaged 13.7 to 13.9 knots and bulk carriers 10.9 in 2023"
    " (Clarksons Research, in Splash247, 2023)",
)
HANDLING = Parameter(
    "transit_handling",
    5.0,
    2.0,
    18.0,
    "days",
    "C",
    "assumption: 2.5 days at each end; containers take 44 days from entering the port of export to leaving"
    " that of destination, about 60 % of it at sea (World Bank, Logistics Performance Index 2023)",
)

_ALIASES = {
    "bab-el-mandeb": "babelmandeb",
    "bab el-mandeb": "babelmandeb",
    "babalmandab": "babelmandeb",
    "ormuz": "hormuz",
    "cape": "cape-of-good-hope",
    "taiwan_strait": "taiwan-strait",
}


@dataclass(frozen=True)
class Passage:
    """A strait or canal that can close.

    Attributes:
        name: key, such as ``malacca``.
        name_en: English name.
        name_ko: Korean name.
        days: queue and passage beyond plain sailing.
        source: where ``days`` comes from.
    """

    name: str
    name_en: str
    name_ko: str
    days: float
    source: str


@dataclass(frozen=True)
class Route:
    """The quickest way from one country to another.

    Attributes:
        days: from port to port with handling, and on land where there is no port; ``inf``: no way is open.
        nautical_miles: sea distance; 0 by land.
        passages: passages on the way, in order from the exporter.
        grade: B where both ends have tabled ports, C where days on land or an average are assumed.
        note: empty, or what was assumed.
    """

    days: float
    nautical_miles: float
    passages: tuple[str, ...]
    grade: str
    note: str = ""


def transit_days(exporter: str, importer: str, closed: Iterable[str] = ()) -> float:
    """Days from port to port including handling (equation E26).

    Args:
        exporter: ISO 3166 alpha-3, or ``ROW``.
        importer: ISO 3166 alpha-3, or ``ROW``.
        closed: passages that cannot be used.

    Returns:
        Days; the same in both directions; never fewer when more passages are closed; ``inf`` when no way is
        left.  A country without tabled port, and ``ROW``, counts as the mean over all tabled countries.

    Raises:
        UnknownNameError: no such passage.

    >>> round(transit_days("CHN", "KOR"), 1)
    6.4
    >>> transit_days("CHL", "KOR", closed=["malacca"]) == transit_days("KOR", "CHL")
    True
    """
    return route(exporter, importer, closed).days


def passages(exporter: str, importer: str) -> tuple[str, ...]:
    """Passages on the quickest way, in order from the exporter.

    >>> passages("ZAF", "KOR")
    ('malacca', 'taiwan-strait')
    """
    return route(exporter, importer).passages


def transit_known(country: str) -> bool:
    """Whether the tables know a country's ports.

    >>> transit_known("KOR"), transit_known("ROW")
    (True, False)
    """
    return country in _tables().ports


def route(exporter: str, importer: str, closed: Iterable[str] = ()) -> Route:
    """Quickest way with some passages closed.

    >>> route("KOR", "NLD").passages
    ('taiwan-strait', 'malacca', 'babelmandeb', 'suez', 'gibraltar')
    >>> extra = route("KOR", "NLD", ["suez"]).days - route("KOR", "NLD").days
    >>> 7 < extra < 14
    True
    """
    shut = frozenset(_passage(name) for name in closed)
    first, last = sorted((exporter, importer))
    found = _route(first, last, shut)
    if first == exporter:
        return found
    return Route(found.days, found.nautical_miles, found.passages[::-1], found.grade, found.note)


def _passage(name: str) -> str:
    key = str(name).strip().lower()
    key = _ALIASES.get(key, key)
    if key not in PASSAGES:
        raise UnknownNameError("passage", name, PASSAGES)
    return key


@functools.lru_cache(maxsize=65536)
def _route(first: str, last: str, shut: frozenset[str]) -> Route:
    tables = _tables()
    unknown = [country for country in (first, last) if country not in tables.ports]
    if first == last and not unknown:
        return Route(HANDLING.value, 0.0, (), "C", "within one country: handling only")
    if len(unknown) == 2:
        days = sum(_mean_days(country, shut) for country in tables.ports) / len(tables.ports)
        return Route(days, 0.0, (), "C", f"mean of all pairs: no ports tabled for {first} and {last}")
    if unknown:
        known = last if unknown[0] == first else first
        return Route(
            _mean_days(known, shut), 0.0, (), "C", f"mean of all countries: no port tabled for {unknown[0]}"
        )
    best = Route(math.inf, 0.0, (), "B", "no way is open")
    for port, land in tables.ports[first]:
        for other, more_land in tables.ports[last]:
            miles, days, way = _voyage(port, other, shut)
            days += HANDLING.value + land + more_land
            if days < best.days:
                ashore = land + more_land
                note = f"{ashore:.1f} days on land are an assumption" if ashore else ""
                best = Route(days, miles, way, "C" if ashore else "B", note)
    by_land = tables.land.get((first, last), math.inf)
    if by_land < best.days:
        return Route(by_land, 0.0, (), "C", "by road or rail: assumption")
    return best


@functools.lru_cache(maxsize=65536)
def _mean_days(country: str, shut: frozenset[str]) -> float:
    """Mean days to every other tabled country that can be reached."""
    others = sorted(_tables().ports.keys() - {country})
    days = [_route(min(country, other), max(country, other), shut).days for other in others]
    open_ways = [d for d in days if math.isfinite(d)]
    if not open_ways:
        return math.inf
    mean = sum(open_ways) / len(open_ways)
    return max(mean, _mean_days(country, frozenset())) if shut else mean


def _voyage(port: str, other: str, shut: frozenset[str]) -> tuple[float, float, tuple[str, ...]]:
    """Nautical miles, sailing days and passages of the quickest voyage between two ports."""
    if port == other:
        return 0.0, 0.0, ()
    legs = _tables().legs
    ends = legs[other]
    straight = ends.get(port, math.inf)
    best: tuple[float, tuple[str, ...], float] = (straight / (24.0 * SPEED.value), (), straight)
    for gate, (days, way, miles) in _to_gates(port, shut).items():
        leg = ends.get(gate)
        if leg is not None:
            best = min(best, (days + leg / (24.0 * SPEED.value), way, miles + leg))
    return best[2], best[0], best[1]


@functools.lru_cache(maxsize=4096)
def _to_gates(port: str, shut: frozenset[str]) -> Mapping[str, tuple[float, tuple[str, ...], float]]:
    """Days, passages (the last included) and nautical miles from a port through each open passage."""
    legs = _tables().legs
    gates = {gate: passage.days for gate, passage in PASSAGES.items() if gate not in shut}
    queue: list[tuple[float, tuple[str, ...], float, str]] = [(0.0, (), 0.0, port)]
    done: dict[str, tuple[float, tuple[str, ...], float]] = {}
    while queue:
        days, way, miles, here = heapq.heappop(queue)
        if here in done:
            continue
        done[here] = (days, way, miles)
        ahead = legs[here]
        for there, queueing in gates.items():
            leg = ahead.get(there)
            if leg is not None and there not in done:
                more = leg / (24.0 * SPEED.value) + queueing
                heapq.heappush(queue, (days + more, (*way, there), miles + leg, there))
    del done[port]
    return MappingProxyType(done)


@dataclass(frozen=True)
class _Tables:
    ports: Mapping[str, tuple[tuple[str, float], ...]]
    legs: Mapping[str, Mapping[str, float]]
    land: Mapping[tuple[str, str], float]


@functools.cache
def _tables() -> _Tables:
    ports: dict[str, list[tuple[str, float]]] = {}
    for country, port, _, days, _, _ in _rows("transit_ports.csv"):
        ports.setdefault(country, []).append((port, float(days)))
    legs: dict[str, dict[str, float]] = {}
    for a, b, miles in _rows("transit.csv"):
        legs.setdefault(a, {})[b] = legs.setdefault(b, {})[a] = float(miles)
    land = {(a, b): float(days) + HANDLING.value / 2 for a, b, days in _rows("transit_land.csv")}
    return _Tables({c: tuple(p) for c, p in ports.items()}, legs, land)


def _rows(name: str) -> list[list[str]]:
    text = resources.files("evernormal.network").joinpath("tables", name).read_text("utf-8")
    return list(csv.reader(text.splitlines()))[1:]


class _LazyPassages(Mapping[str, Passage]):
    """The passages by name; the table is read at the first look, not at import."""

    def __getitem__(self, name: str) -> Passage:
        return _read_passages()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_read_passages())

    def __len__(self) -> int:
        return len(_read_passages())


@functools.cache
def _read_passages() -> Mapping[str, Passage]:
    return MappingProxyType(
        {
            name: Passage(name, english, korean, float(days), source)
            for name, english, korean, days, _, source in _rows("transit_passages.csv")
        }
    )


PASSAGES: Mapping[str, Passage] = _LazyPassages()
"""Every passage that can be closed, by name."""
