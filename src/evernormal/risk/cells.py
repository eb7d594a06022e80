"""Sums behind GeoPolRisk for every country, material and year at once, as dense arrays.

Axes are always (country, material, year).  ``published`` rules repeat what geopolrisk-py 2.0.1 does with
gaps in its data, so that the two can be compared; the other rules keep what is unknown unknown.
"""

from __future__ import annotations

import csv
import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from evernormal.data.geography import aliases
from evernormal.errors import UnknownNameError

__all__ = ["EUROPEAN_UNION", "MEMBERS", "YEARS", "Cells", "Material", "gather", "materials", "reporters"]

EUROPEAN_UNION = "EU"
MEMBERS = (
    "AUT", "BEL", "BGR", "CYP", "CZE", "DEU", "DNK", "ESP", "EST", "FIN", "FRA", "GRC", "HRV", "HUN", "IRL",
    "ITA", "LTU", "LUX", "LVA", "MLT", "NLD", "POL", "PRT", "ROU", "SVK", "SVN", "SWE",
)  # fmt: skip
"""The 27 members since February 2020, taken for every year."""

YEARS = tuple(range(2018, 2025))
"""Years for which trade, production and governance are all shipped."""

Numbers = npt.NDArray[np.float64]

_TONNES = {"t": 1.0, "kg": 1e-3, "million m3": 1.0}
_OTHER_LABEL = {"GUY": "GUF", "R20": "XKX"}
_MISSING = 0.5
_UNREAD = frozenset({("PYF", 2018)})
"""Cells that hold the text "nan" in the packed data, and make the package answer NaN."""

_COPIED_GOLD = {2023: 1164.0, 2024: 1072.0}
"""Kilograms of gold that the packed data give to Guyana and that are French Guiana's."""


@dataclass(frozen=True)
class Material:
    """One material of the method: what its production is called and which trade codes stand for it.

    Attributes:
        name: name of the method.
        production: label of World Mining Data.
        codes: six-digit codes of HS 1992.
    """

    name: str
    production: str
    codes: tuple[str, ...]


@dataclass(frozen=True)
class Cells:
    """Sums per country, material and year; shape (countries, materials, years).

    Attributes:
        hhi: concentration of world production; shape (materials, years); NaN where nothing is listed.
        production: domestic production in tonnes (million cubic metres for natural gas).
        quantity: imports in tonnes, of the shipments whose quantity is known.
        weighted: imports x governance risk, of the exporters whose governance is known.
        unrated: imports in tonnes from exporters whose governance is unknown.
        taiwan: imports in tonnes from Taiwan.
        value: value of those imports, thousand USD.
        blank: value of shipments whose quantity is unknown, thousand USD.
    """

    hhi: Numbers
    production: Numbers
    quantity: Numbers
    weighted: Numbers
    unrated: Numbers
    taiwan: Numbers
    value: Numbers
    blank: Numbers


@functools.cache
def materials() -> dict[str, Material]:
    """Return the materials of the method by name.

    >>> len(materials()), materials()["Lithium"].codes
    (53, ('282520', '283691'))
    """
    path = Path(__file__).parent / "tables" / "geopolrisk_materials.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {r["material"]: Material(r["material"], r["production"], tuple(r["codes"].split())) for r in rows}


@functools.cache
def reporters() -> tuple[str, ...]:
    """Return every country that the trade table can name, sorted.

    >>> "TWN" in reporters(), "EU" in reporters()
    (True, False)
    """
    return tuple(sorted(set(aliases("baci").values())))


def gather(chosen: Sequence[str], years: Sequence[int], *, published: bool) -> Cells:
    """Sum trade, production and governance for every reporter, and the European Union in the last row.

    Args:
        chosen: names of materials.
        years: years, within :data:`YEARS`.
        published: treat gaps as geopolrisk-py 2.0.1 does.

    Raises:
        UnknownNameError: a material that the method does not have.
    """
    for name in chosen:
        if name not in materials():
            raise UnknownNameError("material of GeoPolRisk", name, materials())
    every = list(materials())
    rows = [every.index(name) for name in chosen]
    columns = [YEARS.index(year) for year in years]
    known = _world(published)
    picked = np.ix_(rows, columns)
    kept = (known.production, known.quantity, known.weighted, known.unrated, known.taiwan, known.value)
    return Cells(known.hhi[picked], *(part[:, *picked] for part in (*kept, known.blank)))


@functools.lru_cache(maxsize=2)
def _world(published: bool) -> Cells:
    """Sums of every material and year of the shipped tables, which no call changes; made once."""
    every = list(materials())
    hhi, production = _production(every, YEARS, published=published)
    flows = _flows(list(materials().values()), YEARS)
    return Cells(hhi, production, *_trade(flows, len(every), YEARS, published=published))


def _flows(chosen: Sequence[Material], years: Sequence[int]) -> pl.DataFrame:
    """Trade rows of the materials; a code that stands for two materials counts for both."""
    from evernormal.data.snapshot import scan  # noqa: PLC0415 - opens the snapshot

    pairs = [(int(code), number) for number, one in enumerate(chosen) for code in one.codes]
    lookup = pl.DataFrame(pairs, schema={"code": pl.Int32, "material": pl.Int64}, orient="row")
    rows = scan("trade").filter(pl.col("year").is_in(years), pl.col("code").is_in(lookup["code"].implode()))
    return rows.collect().join(lookup, on="code", maintain_order="left")


def _trade(
    flows: pl.DataFrame, count: int, years: Sequence[int], *, published: bool
) -> tuple[Numbers, Numbers, Numbers, Numbers, Numbers, Numbers]:
    names = {name: number for number, name in enumerate(reporters())}
    lookup = np.zeros(1000, dtype=np.int64)
    for code, iso3 in aliases("baci").items():
        lookup[int(code)] = names[iso3]
    when = np.zeros(max(years) + 1, dtype=np.int64)
    when[list(years)] = np.arange(len(years))
    year = when[flows["year"].to_numpy()]
    source = lookup[flows["exporter"].to_numpy()]
    target = lookup[flows["importer"].to_numpy()]
    tonnes = flows["quantity_kg"].cast(pl.Float64).to_numpy() / 1000
    value = flows["value_usd"].cast(pl.Float64).to_numpy() / 1000
    known = ~np.isnan(tonnes)
    tonnes = np.where(known, tonnes, 0.0)
    blank = np.where(known, 0.0, value)
    if published:
        known, blank = np.ones_like(known), np.zeros_like(blank)
    risk = _governance(years, published=published)[source, year]
    rated = ~np.isnan(risk)
    of_taiwan = source == names["TWN"]
    columns = np.stack(
        (
            tonnes,
            tonnes * (risk if published else np.where(rated, risk, 0.0)),
            np.where(rated, 0.0, tonnes),
            np.where(of_taiwan, tonnes, 0.0),
            np.where(known, value, 0.0),
            blank,
        )
    )
    inside = np.isin(np.arange(len(names)), [names[member] for member in MEMBERS])
    shape = (len(names) + 1, count, len(years))
    place = flows["material"].to_numpy() * len(years) + year
    sums = np.zeros((6, *shape))
    for number, column in enumerate(columns):
        cell = target * (count * len(years)) + place
        summed = np.bincount(cell, column, minlength=shape[0] * count * len(years))
        sums[number] = summed.reshape(shape)
        into = inside[target] & (True if published and number != 1 else ~inside[source])
        union = np.bincount(place[into], column[into], minlength=count * len(years))
        sums[number, -1] = union.reshape(shape[1:])
    return sums[0], sums[1], sums[2], sums[3], sums[4], sums[5]


def _governance(years: Sequence[int], *, published: bool) -> Numbers:
    """Governance risk per reporter and year (equation E10); NaN where none is published."""
    from evernormal.data import governance  # noqa: PLC0415 - opens the snapshot

    places = {name: number for number, name in enumerate(reporters())}
    risk = np.full((len(places), len(years)), np.nan)
    rows = governance(years=years, indicators="normalized").select("country", "year", "value")
    found = {(country, year): value for country, year, value in rows.iter_rows() if value is not None}
    for name, place in places.items():
        for column, year in enumerate(years):
            value = found.get((name, year), np.nan)
            if published:
                other = found.get((_OTHER_LABEL.get(name, name), year), value)
                value = _MISSING if name == "TWN" or np.isnan(other) else other
                value = np.nan if (name, year) in _UNREAD else value
            risk[place, column] = value
    return risk


def _production(chosen: Sequence[str], years: Sequence[int], *, published: bool) -> tuple[Numbers, Numbers]:
    from evernormal.data import production  # noqa: PLC0415 - opens the snapshot

    labels = {materials()[name].production: number for number, name in enumerate(chosen)}
    places = {name: number for number, name in enumerate(reporters())}
    when = {year: number for number, year in enumerate(years)}
    squares, totals = np.zeros((2, len(chosen), len(years)))
    domestic = np.zeros((len(places) + 1, len(chosen), len(years)))
    rows = production(list(labels), years=years).select("country", "material", "year", "value", "unit")
    known = [row for row in rows.iter_rows() if row[3] is not None]
    if published:
        known += [
            ("GUY", "Gold", year, _COPIED_GOLD[year], "kg")
            for year in years
            if year in _COPIED_GOLD and "Gold" in labels
        ]
    listed: dict[str, set[str]] = {label: set() for label in labels}
    for country, label, *_ in known:
        listed[label].add(country)
    renamed = {other: name for name, other in _OTHER_LABEL.items()} if published else {}
    for country, label, year, value, unit in known:
        material, column = labels[label], when[year]
        tonnes = value * _TONNES[unit]
        counted = math.floor(value) if published else value
        squares[material, column] += counted * counted
        totals[material, column] += counted
        place = places.get(renamed.get(country, country))
        taken = published and _OTHER_LABEL.get(country) in listed[label]
        if place is not None and not taken:
            domestic[place, material, column] += tonnes
        if country in MEMBERS and not published:
            domestic[-1, material, column] += tonnes
    with np.errstate(invalid="ignore", divide="ignore"):
        hhi = np.where(totals > 0, squares / totals**2, np.nan)
    return hhi, domestic
