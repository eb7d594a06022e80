"""What the members of a basket cost, of what ores an exporter's goods are made, how rich goods are."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import date

import polars as pl

from evernormal.elements import ATOMIC_WEIGHTS
from evernormal.errors import InputError, UnknownNameError
from evernormal.network.basket_tables import Basket, Member, basket_table, symbol_of
from evernormal.network.forms import form, form_names
from evernormal.result import Grade, Parameter
from evernormal.units import element_fraction

__all__ = ["Band", "Mix", "band_parameters", "content_of", "elements_of", "mixes", "price_bands"]


_WHOLE = {
    "280530": "rare-earths/metals",
    "284610": "rare-earths/cerium-compounds",
    "284690": "rare-earths/compounds",
}
"""Form that stands for a whole basket: the content of its goods, in tonnes of oxide or metal."""


@dataclass(frozen=True)
class Band:
    """Unit values between which goods of a member are believed to trade, USD per tonne gross."""

    low: float
    high: float | None
    middle: float | None
    source: str


@dataclass(frozen=True)
class Mix:
    """Share of some members in an exporter's rare-earth oxides.

    Attributes:
        exporter: ISO 3166 alpha-3.
        origin: ore.
        binding: every shipment has this composition; else it only guides the central figure.
        members: names, taken together.
        low: least share.
        high: greatest share.
        grade: A, B or C.
        source: where it was read.
    """

    exporter: str
    origin: str
    binding: bool
    members: tuple[str, ...]
    low: float
    high: float
    grade: str
    source: str


# --- prices -----------------------------------------------------------------


def price_bands(
    known: Basket, year: int, as_of: date | None = None, prices: pl.DataFrame | None = None
) -> dict[str, Band]:
    """Return the unit values between which each member trades (equation E60); no entry means unknown.

    A price holds for its own year only.  A rare-earth metal without a price of its own is bounded from below
    by the oxide that it is made of, and not from above.

    Args:
        known: the basket.
        year: calendar year.
        as_of: prices that were knowable on this day (law 11).
        prices: bands of the caller: member, low_usd_t, high_usd_t (null: none) and, if it has one, year; they
            replace the shipped ones of the members that they name.

    >>> from evernormal.network.basket_tables import basket
    >>> bands = price_bands(basket("284690", "HS2022"), 2023)
    >>> bands["dysprosium/oxide"].low, bands["dysprosium/oxide"].high, "thulium/oxide" in bands
    (99000.0, 3300000.0, False)
    """
    low, high, _ = _factors(known.code)
    found: dict[str, Band] = {}
    for member in known.members:
        price = _price(member.name, year, as_of)
        if price is not None:
            found[member.name] = Band(low * price[0], high * price[0], price[0], price[1])
        elif member.name.endswith("/metal") and (oxide := _price(f"{member.material}/oxide", year, as_of)):
            made = element_fraction(form(f"{member.material}/oxide").formula, member.element)
            floor = oxide[0] / made
            found[member.name] = Band(low * floor, None, None, f"oxide that it is made of: {oxide[1]}")
    return found | _given_bands(known, year, prices)


def _given_bands(known: Basket, year: int, prices: pl.DataFrame | None) -> dict[str, Band]:
    if prices is None:
        return {}
    missing = {"member", "low_usd_t", "high_usd_t"} - set(prices.columns)
    if missing:
        raise InputError(f"no column {', '.join(sorted(missing))}", where="prices")
    found = {}
    for row in prices.iter_rows(named=True):
        if row["member"] not in known.names:
            raise UnknownNameError("member of the code", row["member"], known.names, where="prices")
        if row.get("year") not in (None, year):
            continue
        low, high = row["low_usd_t"] or 0.0, row["high_usd_t"]
        if low < 0 or (high is not None and high < low):
            raise InputError(f"{row['member']}: low {low} and high {high} are no band", where="prices")
        middle = None if high is None else (low + high) / 2
        found[row["member"]] = Band(float(low), high, middle, "given by the caller")
    return found


def _price(member: str, year: int, as_of: date | None) -> tuple[float, str] | None:
    rows = basket_table("basket_prices").filter((pl.col("member") == member) & (pl.col("year") == str(year)))
    if as_of is not None:
        rows = rows.filter(pl.col("as_of") <= str(as_of))
    if rows.is_empty():
        return None
    row = rows.sort("as_of").row(-1, named=True)
    return float(row["price_usd_t"]), f"{row['definition']}; {row['source']}"


def _factors(code: str) -> tuple[float, float, str]:
    rows = [r for r in basket_table("basket_bands").iter_rows(named=True) if code.startswith(r["prefix"])]
    row = max(rows, key=lambda r: len(r["prefix"]))
    return float(row["low_factor"]), float(row["high_factor"]), str(row["source"])


def band_parameters(code: str) -> tuple[Parameter, Parameter]:
    """Return the two factors that widen a price to a band, as parameters of a result."""
    low, high, source = _factors(code)
    grade: Grade = "C"
    return (
        Parameter(f"lowest unit value over price, {code}", low, low / 2, 1.0, "1", grade, source),
        Parameter(f"highest unit value over price, {code}", high, 1.0, 2 * high, "1", grade, source),
    )


def mixes(known: Basket, as_of: date | None = None) -> tuple[Mix, ...]:
    """Return what is known of the composition of exporters' rare earths, for the members of a code.

    Compositions are of oxides; those of a code of metals are read for the same elements.
    """
    element = {member.element: member.name for member in known.members}
    if not {"La", "Nd", "Y"} <= set(element):
        return ()
    found = []
    for row in basket_table("rare_earth_mix").iter_rows(named=True):
        if as_of is not None and row["as_of"] > str(as_of):
            continue
        names = tuple(
            element[symbol_of(name)] for name in row["members"].split(";") if symbol_of(name) in element
        )
        low, high = float(row["low"]), float(row["high"])
        binding = row["use"] == "flow" and known.code == "284690"
        found.append(
            Mix(row["exporter"], row["origin"], binding, names, low, high, row["grade"], row["source"])
        )
    return tuple(found)


def elements_of(member: Member) -> tuple[str, ...]:
    """Return the elements that goods of a member hold, as far as contents are known.

    >>> elements_of(Member("neodymium/magnet", "Nd", ""))
    ('Nd', 'Pr', 'Dy', 'Tb')
    """
    rows = basket_table("basket_content").filter(pl.col("member") == member.name)
    return tuple(rows["element"].to_list()) or ((member.element,) if member.element in ATOMIC_WEIGHTS else ())


@functools.lru_cache(maxsize=4096)
def content_of(member: Member, code: str, exporter: str, element: str = "") -> tuple[float, float] | None:
    """Return the least and greatest kilograms of an element in a kilogram of a member's goods.

    Compounds of rare earths are oxides, carbonates, chlorides and more: the range of the code as a whole
    (tonnes of oxide) times the stoichiometry of the oxide.

    Args:
        member: the goods.
        code: six-digit code that they are declared under.
        exporter: ISO 3166 alpha-3.
        element: chemical symbol; that of the member itself when empty.

    >>> low, high = content_of(Member("neodymium/oxide", "Nd", ""), "284690", "JPN")
    >>> round(low, 3), round(high, 3)
    (0.386, 0.857)
    """
    element = element or member.element
    typed = basket_table("basket_content").filter(
        (pl.col("member") == member.name) & (pl.col("element") == element)
    )
    if typed.height:
        return float(typed["low"][0]), float(typed["high"][0])
    whole = _WHOLE.get(code)
    named = form(member.name) if member.name in form_names() else None
    if element != member.element or element not in ATOMIC_WEIGHTS or (whole is None and named is None):
        return None
    rows = form(whole or member.name).content
    chosen = [row for row in rows if row.exporter == exporter] or [row for row in rows if not row.exporter]
    if not chosen or (whole is None and named is not None and named.contained != element):
        return None
    scale = element_fraction(named.formula, element) if whole and named and named.formula else 1.0
    return min(r.low for r in chosen) * scale, max(r.high for r in chosen) * scale
