"""Sums behind GeoPolRisk for every country, material and year at once, as dense arrays.

Axes are always (country, material, year).  ``published`` rules repeat what geopolrisk-py 2.0.1 does with
gaps in its data, so that the two can be compared; the other rules keep what is unknown unknown.
"""

from __future__ import annotations

import csv
import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from evernormal.data.european_union import EUROPEAN_UNION, MEMBERS
from evernormal.data.geography import aliases
from evernormal.data.parts import Question
from evernormal.errors import NotCoveredError, UnknownNameError
from evernormal.risk.world_tables import WorldTables, open_world, production_of, trade_of

__all__ = [
    "COPIED_GOLD",
    "EUROPEAN_UNION",
    "MEMBERS",
    "MISSING",
    "OTHER_LABEL",
    "REST",
    "UNREAD",
    "YEARS",
    "Cells",
    "Material",
    "gather",
    "gather_groups",
    "materials",
    "reporters",
]

YEARS = tuple(range(2018, 2025))
"""Years for which trade, production and governance are all shipped."""

Numbers = npt.NDArray[np.float64]

OTHER_LABEL = {"GUY": "GUF", "R20": "XKX"}
"""Countries for which the package takes the governance and the production of another."""

MISSING = 0.5
"""What the package takes for an exporter without an indicator."""

UNREAD = frozenset({("PYF", 2018)})
"""Cells that hold the text "nan" in the packed data, and make the package answer NaN."""

REST = "ROW"
"""Other countries together, in statistics that do not list small producers."""

_SHIFTS = {"taiwan": "TWN", "guyana": "GUY", "europe": "R20"}

COPIED_GOLD = {2023: 1164.0, 2024: 1072.0}
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
    """Sums per country, material and year; shape (countries, materials, years), ``hhi`` without countries.

    Attributes:
        hhi: concentration of world production; NaN where nothing is listed.
        hhi_truncated: the same with production cut to whole numbers, as the package does.
        hhi_package: that with the gold that the package gives to Guyana too.
        production: domestic production in tonnes (million cubic metres for natural gas); NaN where nothing
            is known of the material and year.
        unlisted: whether the country is listed as a producer without a figure.
        other_production: what the package would take for the domestic production.
        quantity: imports in tonnes, of the shipments whose quantity is known.
        weighted: imports x governance risk, of the exporters whose governance is known.
        unrated: imports in tonnes from exporters whose governance is unknown.
        taiwan: imports in tonnes from Taiwan.
        taiwan_shift: how much more ``weighted`` would be with the package's 0.5 for Taiwan.
        guyana_shift: the same with French Guiana's governance for Guyana.
        europe_shift: the same with Kosovo's governance for other European countries.
        unread: shipments from where the package reads governance as NaN.
        inside: for a group of countries, shipments among its members.
        value: value of those imports, thousand USD.
        blank: value of shipments whose quantity is unknown, thousand USD.
    """

    hhi: Numbers
    hhi_truncated: Numbers
    hhi_package: Numbers
    production: Numbers
    unlisted: Numbers
    other_production: Numbers
    quantity: Numbers
    weighted: Numbers
    unrated: Numbers
    taiwan: Numbers
    taiwan_shift: Numbers
    guyana_shift: Numbers
    europe_shift: Numbers
    unread: Numbers
    inside: Numbers
    value: Numbers
    blank: Numbers

    def picked(self, rows: Sequence[int] | None, materials: Sequence[int], years: Sequence[int]) -> Cells:
        """Return the same sums of some countries, materials and years; None for every country."""
        at = np.ix_(materials, years)
        every = {name: getattr(self, name) for name in self.__dataclass_fields__}
        cut = {name: part[..., *at] for name, part in every.items()}
        if rows is not None:
            cut |= {name: part[rows] for name, part in cut.items() if part.ndim == 3}
        return Cells(**cut)


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


def gather(
    chosen: Sequence[str],
    years: Sequence[int],
    *,
    published: bool,
    tables: WorldTables | None = None,
    members: tuple[str, ...] = MEMBERS,
) -> Cells:
    """Sum trade, production and governance for every reporter, and a group of countries in the last row.

    Args:
        chosen: names of materials.
        years: years, within those of the tables.
        published: treat gaps as geopolrisk-py 2.0.1 does.
        tables: the tables to sum; None for the shipped ones.
        members: the countries of the group, reporters all; those of the European Union by default.

    Raises:
        UnknownNameError: a material that the method does not have.
    """
    for name in chosen:
        if name not in materials():
            raise UnknownNameError("material of GeoPolRisk", name, materials())
    every = list(materials())
    opened = open_world() if tables is None else tables
    known = _world(opened, members, published=published)
    return known.picked(
        None, [every.index(name) for name in chosen], [opened.years.index(year) for year in years]
    )


def gather_groups(
    wanted: Sequence[str],
    groups: Mapping[str, tuple[str, ...]],
    chosen: Sequence[str],
    years: Sequence[int],
    *,
    published: bool,
    members_produce: bool = False,
    tables: WorldTables | None = None,
) -> Cells:
    """Sum trade, production and governance for countries and groups of countries, in the order wanted.

    Args:
        wanted: reporters and names of groups.
        groups: members of each group; the European Union need not be among them.
        chosen: names of materials.
        years: years, within those of the tables.
        published: treat gaps as geopolrisk-py 2.0.1 does.
        members_produce: with ``published``, what members produce counts, as in the package's ``gprs_calc``.
        tables: the tables to sum; None for the shipped ones.
    """
    every = range(len(chosen)), range(len(years))
    row_of = {name: number for number, name in enumerate(reporters())}
    base = gather(chosen, years, published=published, tables=tables)
    parts = [base.picked([row_of[name] for name in wanted if name in row_of], *every)]
    place = {name: number for number, name in enumerate(name for name in wanted if name in row_of)}
    for name in (name for name in wanted if name not in row_of):
        members = groups.get(name, MEMBERS)
        sums = gather(chosen, years, published=published, tables=tables, members=members)
        if members_produce:
            made = sums.production[[row_of[member] for member in members]].sum(axis=0)
            sums.production[-1] = made
        place[name] = len(place)
        parts.append(sums.picked([len(row_of)], *every))
    return _stacked(parts).picked([place[name] for name in wanted], *every)


def _stacked(parts: Sequence[Cells]) -> Cells:
    """Put the countries of all parts under each other."""
    every = {name: [getattr(part, name) for part in parts] for name in parts[0].__dataclass_fields__}
    return Cells(**{k: v[0] if v[0].ndim == 2 else np.concatenate(v) for k, v in every.items()})


@functools.lru_cache(maxsize=8)
def _world(tables: WorldTables, members: tuple[str, ...], *, published: bool) -> Cells:
    """Sums of every material and year of some tables, which no call changes; made once for each."""
    every = list(materials().values())
    made = _production(tables, members, published=published)
    flows = _flows(every, tables)
    return Cells(**made, **_trade(flows, len(every), tables.years, members, published=published))


def _flows(chosen: Sequence[Material], tables: WorldTables) -> pl.DataFrame:
    """Trade rows of the materials; a code that stands for two materials counts for both."""
    pairs = [(int(code), number) for number, one in enumerate(chosen) for code in one.codes]
    lookup = pl.DataFrame(pairs, schema={"code": pl.Int32, "material": pl.Int64}, orient="row")
    asked = Question(codes=frozenset(lookup["code"].to_list()), years=frozenset(tables.years))
    rows = trade_of(tables).rows_of(asked).collect().with_columns(pl.col("code").cast(pl.Int32))
    if tables.folder is not None:
        rows = rows.sort("code", "year", "exporter", "importer")  # parts come in any order (law 6)
    return rows.join(lookup, on="code", maintain_order="left")


def _trade(
    flows: pl.DataFrame, count: int, years: Sequence[int], members: tuple[str, ...], *, published: bool
) -> dict[str, Numbers]:
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
    risk = _governance(years, published=published)
    rated = ~np.isnan(risk[source, year])
    inside = np.isin(np.arange(len(names)), [names[member] for member in members])
    shape = (len(names) + 1, count, len(years))
    place = flows["material"].to_numpy() * len(years) + year
    add = _Adder(target, place, shape, inside[target], inside[target] & ~inside[source])
    exposed = tonnes * (risk[source, year] if published else np.where(rated, risk[source, year], 0.0))
    whole = published
    sums = {
        "quantity": add(tonnes, inside=whole),
        "weighted": add(exposed),
        "unrated": add(np.where(rated, 0.0, tonnes), inside=whole),
        "value": add(np.where(known, value, 0.0), inside=whole),
        "blank": add(blank, inside=whole),
    }
    other = _governance(years, published=True)
    middle = np.where(np.isnan(risk), MISSING, risk)
    for name, country in _SHIFTS.items():
        only = source == names[country]
        shift = tonnes[only] * (other - middle)[source[only], year[only]]
        sums[f"{name}_shift"] = add(shift, only=only)
    only = source == names["TWN"]
    sums["taiwan"] = add(tonnes[only], only=only, inside=whole)
    only = np.isnan(other)[source, year]
    sums["unread"] = add(np.ones(int(only.sum())), only=only, inside=True)
    among = inside[target] & inside[source]
    sums["inside"] = np.zeros_like(sums["quantity"])
    sums["inside"][-1] = add(np.ones(int(among.sum())), only=among, inside=True)[-1]
    return sums


@dataclass(frozen=True)
class _Adder:
    """Adds columns of trade rows up to cells, and to the group in the last row."""

    target: npt.NDArray[np.int64]
    place: npt.NDArray[np.int64]
    shape: tuple[int, int, int]
    into: npt.NDArray[np.bool_]
    from_outside: npt.NDArray[np.bool_]

    def __call__(
        self, column: Numbers, *, only: npt.NDArray[np.bool_] | None = None, inside: bool = False
    ) -> Numbers:
        """Sum a column; ``only`` says which rows it is of, ``inside`` counts trade among members too."""
        rows = slice(None) if only is None else only
        target, place = self.target[rows], self.place[rows]
        into = (self.into if inside else self.from_outside)[rows]
        size = self.shape[1] * self.shape[2]
        sums = np.bincount(target * size + place, column, minlength=self.shape[0] * size)
        found: Numbers = sums.astype(np.float64, copy=False).reshape(self.shape)
        union = np.bincount(place[into], column[into], minlength=size)
        found[-1] = union.reshape(self.shape[1:])
        return found


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
                other = found.get((OTHER_LABEL.get(name, name), year), value)
                value = MISSING if name == "TWN" or np.isnan(other) else other
                value = np.nan if (name, year) in UNREAD else value
            risk[place, column] = value
    return risk


def _production(tables: WorldTables, members: tuple[str, ...], *, published: bool) -> dict[str, Numbers]:
    """Concentration of the world and production at home, of every material and year."""
    every = {name: one.production for name, one in materials().items()}
    made = production_of(tables, every)
    if tables.statistics is not None and not made.own:
        raise NotCoveredError(
            f"statistics {tables.statistics.name!r} count the production of no material of GeoPolRisk",
            where="statistics",
            cure="Leave them out, or add a release that lists production by country.",
        )
    rows = made.rows
    places = {name: number for number, name in enumerate(reporters())}
    number_of = {name: number for number, name in enumerate(every)}
    when = {year: number for number, year in enumerate(tables.years)}
    rows = rows.filter(pl.col("year").is_in(tables.years))
    known = [
        (country, number_of[name], when[year], value, tonnes, own)
        for name, country, year, value, tonnes, own in rows.filter(
            pl.col("tonnes").is_not_null()
        ).select("name", "country", "year", "value", "tonnes", "own").iter_rows()
    ]  # fmt: skip
    gold = number_of["Gold"]
    copied = [
        ("GUY", gold, when[year], value, value / 1000, False)
        for year, value in COPIED_GOLD.items()
        if year in when and not (rows["own"] & (rows["name"] == "Gold")).any()
    ]
    shape = (len(every), len(tables.years))
    hhi = {
        "hhi": _squares(known + (copied if published else []), shape, whole=published),
        "hhi_truncated": _squares(known, shape, whole=True),
        "hhi_package": _squares(known + copied, shape, whole=True),
    }
    domestic = _at_home(known, places, shape, members, renamed=False)
    package = _at_home(known + copied, places, shape, members, renamed=True)
    if not published:
        domestic[:, np.isnan(hhi["hhi"])] = np.nan
    unlisted = np.zeros_like(domestic)
    for name, country, year in (
        rows.filter(pl.col("tonnes").is_null()).select("name", "country", "year").iter_rows()
    ):
        if country in places:
            unlisted[places[country], number_of[name], when[year]] = 1
        if country in members:
            unlisted[-1, number_of[name], when[year]] = 1
    home = package if published else domestic
    return hhi | {"production": home, "other_production": package, "unlisted": unlisted}


_Made = tuple[str, int, int, float, float, bool]


def _squares(known: Sequence[_Made], shape: tuple[int, int], *, whole: bool) -> Numbers:
    """Concentration per material and year (equation E100)."""
    squares, totals = np.zeros((2, *shape))
    for country, material, column, value, tonnes, own in known:
        amount = tonnes if own else math.floor(value) if whole else value
        totals[material, column] += amount
        if country != REST:  # many small producers: their squares are unknown, and the sum a lower bound
            squares[material, column] += amount * amount
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Numbers = np.where(totals > 0, squares / totals**2, np.nan)
    return found


def _at_home(
    known: Sequence[_Made],
    places: Mapping[str, int],
    shape: tuple[int, int],
    members: tuple[str, ...],
    *,
    renamed: bool,
) -> Numbers:
    """Tonnes made per country; ``renamed`` as the package labels them, the group left out."""
    domestic = np.zeros((len(places) + 1, *shape))
    listed = {(country, material) for country, material, *_ in known}
    other = {old: new for new, old in OTHER_LABEL.items()} if renamed else {}
    for country, material, column, _, tonnes, _ in known:
        place = places.get(other.get(country, country))
        taken = renamed and (OTHER_LABEL.get(country), material) in listed
        if place is not None and not taken:
            domestic[place, material, column] += tonnes
        if country in members and not renamed:
            domestic[-1, material, column] += tonnes
    return domestic
