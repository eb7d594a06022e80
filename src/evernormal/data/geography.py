"""Countries: ISO 3166 alpha-3 inside, and one alias table per source.

Sources disagree about codes: BACI writes Taiwan 490, the United States 842, France 251; World Mining Data
writes names; Namibia's two letters are ``NA``, which careless readers take for a missing value.
:func:`country` translates one code of one source, exactly; :func:`aliases` gives the whole table of a
source for joins.
"""

from __future__ import annotations

import csv
import functools
import re
import unicodedata
from collections.abc import Iterable, Mapping
from types import MappingProxyType

import polars as pl

from evernormal.data.schema import TABLES, public_columns
from evernormal.errors import UnknownNameError, nearest

__all__ = ["aliases", "check_iso3", "codes_of", "countries", "country", "country_sources", "named"]

_NUMERIC = frozenset({"baci", "comtrade", "numeric"})
_SHORT = {
    "rep": "republic", "dem": "democratic", "fed": "federated", "federal": "federated", "fmr": "former",
    "isds": "islands", "isl": "islands", "is": "islands", "island": "islands", "st": "saint",
    "sts": "states", "prov": "province",
}  # fmt: skip
_BY_NAME = frozenset({"bgs", "eu-crm", "eurostat", "gta", "iea", "iea-policies", "oecd", "usgs", "wmd"})


@functools.cache
def countries() -> pl.DataFrame:
    """Return every country, former country and group that tables may name.

    Returns:
        iso3, iso2, numeric, name_en, name_ko, kind (``country``, ``former`` or ``group``), note; text, null
        where there is no such code.

    >>> countries().filter(pl.col("iso3") == "NAM")["iso2"].item()
    'NA'
    """
    wanted = {c.name: c.dtype for c in public_columns("countries")}
    rows = [[cell or None for cell in row] for row in _read("countries.csv")]
    return pl.DataFrame(rows, schema=wanted, orient="row")


def country_sources() -> tuple[str, ...]:
    """Return the names that ``source`` of :func:`country` may take.

    >>> "baci" in country_sources()
    True
    """
    return tuple(
        sorted({row[0] for row in _read("country_aliases.csv")} | {"iso3", "iso2", "numeric", "name"})
    )


def country(name_or_code: str | int, source: str = "iso3", *, where: str = "") -> str:
    """Return the ISO 3166 alpha-3 code that ``source`` means by ``name_or_code``.

    Args:
        name_or_code: the code or name as the source writes it; numbers with or without leading zeros.
        source: ``iso3`` (default; a name or an alpha-2 code will do), ``iso2``, ``numeric``, ``name``
            (English, Korean and common other names, as :func:`named` reads them), or a publisher: ``baci``,
            ``comtrade``, ``wmd``, ``wgi``, ``usgs``, ``bgs``, ``eurostat``.
        where: file and row, for the message.

    Raises:
        UnknownNameError: the source has no such code; names the nearest.

    >>> country(490, source="baci"), country("842", source="baci"), country("NA", source="iso2")
    ('TWN', 'USA', 'NAM')
    >>> country("한국"), country("Taiwan")
    ('KOR', 'TWN')
    """
    key = _key(name_or_code, source)
    found = aliases(source).get(key)
    if found is None and source in ("iso3", "name"):
        found = named(key) or (aliases("iso2").get(key) if source == "iso3" else None)
    if found is None:
        kind = "country" if source == "iso3" else f"country of source {source!r}"
        raise UnknownNameError(
            kind, name_or_code, _candidates(str(name_or_code), aliases(source)), where=where
        )
    return found


def named(name: str) -> str | None:
    """Return the country that a name means, however its words are ordered, shortened or accented.

    >>> named("Korea, Rep. of"), named("Republic of Korea"), named("Korea, Dem. People's Rep. of")
    ('KOR', 'KOR', 'PRK')
    >>> named("China, Taiwan Province of"), named("Cote d'Ivoire"), named("Korea Peninsula")
    ('TWN', 'CIV', None)
    """
    return aliases("name").get(name.strip().casefold()) or _by_words().get(_words(name))


def check_iso3(codes: Iterable[str], *, where: str = "") -> list[str]:
    """Return ``codes`` as a list when each is an ISO 3166 alpha-3 code or a group that tables may name.

    >>> check_iso3(["KOR", "WLD"])
    ['KOR', 'WLD']
    """
    wanted = [codes] if isinstance(codes, str) else list(codes)
    for code in wanted:
        if code not in aliases("iso3"):
            raise UnknownNameError("country", code, _candidates(str(code), aliases("iso3")), where=where)
    return wanted


@functools.cache
def aliases(source: str) -> MappingProxyType[str, str]:
    """Return code to ISO 3166 alpha-3 for every code of ``source``.

    >>> aliases("baci")["58"]
    'BEL'
    """
    if source not in country_sources():
        raise UnknownNameError("country source", source, country_sources())
    table: dict[str, str] = {}
    for iso3, iso2, numeric, name_en, name_ko, *_ in _read("countries.csv"):
        own = {"iso3": [iso3], "iso2": [iso2], "numeric": [numeric], "name": [iso3, name_en, name_ko]}
        names = own.get(source, [name_en] if source in _BY_NAME else [])
        table.update({_key(name, source): iso3 for name in names if name})
    for owner, code, iso3, _ in _read("country_aliases.csv"):
        if owner == source:
            table[_key(code, source)] = iso3
    return MappingProxyType(table)


@functools.cache
def codes_of(iso3: str, source: str) -> tuple[str, ...]:
    """Return every code that ``source`` uses for a country, former codes included.

    >>> codes_of("BEL", "baci")
    ('56', '58')
    """
    check_iso3([iso3])
    return tuple(code for code, owner in aliases(source).items() if owner == iso3)


@functools.cache
def _by_words() -> MappingProxyType[frozenset[str], str]:
    """Return the countries by the words of their names; words that two countries share name neither."""
    found: dict[frozenset[str], set[str]] = {}
    for name, iso3 in aliases("name").items():
        if len(name) > 3:
            found.setdefault(_words(name), set()).add(iso3)
    return MappingProxyType({words: owners.pop() for words, owners in found.items() if len(owners) == 1})


def _words(name: str) -> frozenset[str]:
    bare = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    plain = unicodedata.normalize("NFC", re.sub(r"[.'’`]", "", bare.casefold()))
    words = (_SHORT.get(word, word) for word in re.findall(r"\w+", plain))
    return frozenset(word for word in words if word not in ("of", "the", "and"))


def _key(code: str | int, source: str) -> str:
    text = str(code).strip()
    if source in _NUMERIC and text.isdigit():
        return str(int(text))
    return text.casefold() if source == "name" else text


def _candidates(name: str, table: Mapping[str, str]) -> list[str]:
    """Return codes that the writer of ``name`` may have meant: near codes, and codes of near names."""
    swapped = [code for code in table if sorted(code) == sorted(name)]
    if swapped:
        return swapped
    names = aliases("name")
    by_name = {names[n] for n in nearest(name, names)}
    meant = [code for code, iso3 in table.items() if iso3 in by_name]
    return [*nearest(name, table), *meant] or list(table)


@functools.cache
def _read(name: str) -> tuple[tuple[str, ...], ...]:
    with (TABLES / name).open(encoding="utf-8", newline="") as stream:
        rows = csv.reader(stream)
        next(rows)
        return tuple(tuple(row) for row in rows)
