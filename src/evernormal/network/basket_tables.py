"""What a basket code may hold.

The tables stand beside the forms: ``basket_members.csv`` (members of customs codes by revision, national ones
included), ``basket_prices.csv`` (published prices), ``basket_bands.csv`` (how far a unit value may stray from
a price) and ``rare_earth_mix.csv`` (composition of ores).  A code that they do not name is read from
``codes.csv``: every form that is declared under it is a member, and goods of which the catalogue knows
nothing are one more.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources

import polars as pl

from evernormal.errors import InputError, NotCoveredError, UnknownNameError
from evernormal.network.forms import form, form_names, forms, material
from evernormal.result import Input

__all__ = [
    "OTHER",
    "REVISIONS",
    "Basket",
    "Member",
    "basket",
    "basket_table",
    "baskets_of",
    "members_of_national_code",
    "national_codes",
    "symbol_of",
    "table_inputs",
]

OTHER = "other goods"
"""Member of a code whose list of members is not known to be complete."""

REVISIONS = ("HS1992", "HS1996", "HS2002", "HS2007", "HS2012", "HS2017", "HS2022")
"""Revisions of the Harmonized System, oldest first."""

_TABLES = ("basket_members", "basket_prices", "basket_bands", "basket_content", "rare_earth_mix")


@dataclass(frozen=True)
class Member:
    """One kind of goods inside a code.

    Attributes:
        name: form, such as ``neodymium/oxide``, or words where the catalogue has no such form.
        element: chemical symbol; empty where it is not one element.
        source: where it was read that the code holds it.
    """

    name: str
    element: str
    source: str

    @property
    def material(self) -> str:
        """First part of the name, such as ``neodymium``."""
        return self.name.split("/")[0]


@dataclass(frozen=True)
class Basket:
    """A six-digit code and everything that may be declared under it."""

    code: str
    revision: str
    description: str
    members: tuple[Member, ...]
    closed: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the members."""
        return tuple(member.name for member in self.members)


@functools.cache
def basket_table(name: str) -> pl.DataFrame:
    """Read one of the packaged tables as text; an empty cell is an empty text."""
    path = resources.files("evernormal.network") / "tables" / f"{name}.csv"
    read = pl.read_csv(path.read_bytes(), infer_schema=False, encoding="utf8")
    return read.with_columns(pl.all().fill_null(""))


def table_inputs() -> tuple[Input, ...]:
    """Return the tables of this file as inputs of a result."""
    folder = resources.files("evernormal.network") / "tables"
    pinned = []
    for name in (*_TABLES, "codes", "content"):
        digest = hashlib.sha256((folder / f"{name}.csv").read_bytes()).hexdigest()
        pinned.append(Input(f"{name}.csv", digest, "evernormal, each row names its source"))
    return tuple(pinned)


# --- members ----------------------------------------------------------------


def basket(code: str, revision: str, members: Iterable[str] | None = None) -> Basket:
    """Return what a six-digit code may hold.

    Args:
        code: six digits.
        revision: such as ``HS2017``.
        members: names of the members, when you know better; they are then taken for complete.

    Raises:
        InputError: the code is not six digits, or two members have one name.
        UnknownNameError: no such revision.
        NotCoveredError: nothing is known of the code.

    >>> len(basket("284690", "HS2022").members), basket("284690", "HS2022").closed
    (16, True)
    >>> [m.element for m in basket("811292", "HS2022").members]
    ['Ga', 'Ge', 'In', 'Nb', 'V']
    >>> basket("253090", "HS2017").names
    ('lithium/ore', 'rare-earths/ore', 'strontium/ore', 'other goods')
    """
    if not (isinstance(code, str) and len(code) == 6 and code.isascii() and code.isdigit()):
        raise InputError(f"code must be six digits as text, got {code!r}", cure="Write it like '284690'.")
    if revision not in REVISIONS:
        raise UnknownNameError("revision of the Harmonized System", revision, REVISIONS)
    if members is not None:
        names = tuple(members)
        if len(set(names)) < len(names) or not names:
            raise InputError("members must be different names, at least one", where="members")
        found = tuple(Member(name, symbol_of(name), "given by the caller") for name in names)
        return Basket(code, revision, "as given by the caller", found, closed=True)
    return _typed_basket(code, revision) or _catalogue_basket(code, revision)


def _typed_basket(code: str, revision: str) -> Basket | None:
    rows = basket_table("basket_members").filter((pl.col("system") == "HS") & (pl.col("code") == code))
    place = REVISIONS.index(revision)
    found = [
        row
        for row in rows.iter_rows(named=True)
        if REVISIONS.index(row["first"]) <= place <= REVISIONS.index(row["last"])
    ]
    if not found:
        return None
    members = tuple(Member(row["member"], row["element"], row["source"]) for row in found)
    return Basket(code, revision, found[0]["description"], members, closed=True)


def _other_way(code: str, revision: str) -> str:
    """Return what to ask instead of a code that a revision does not have."""
    from evernormal.data import concordance  # noqa: PLC0415  reads a table only when it is needed

    members = basket_table("basket_members").filter((pl.col("system") == "HS") & (pl.col("code") == code))
    if members.is_empty():
        return "Give another code; in Python, members=[...] says what it holds."
    first = str(members["first"].min())
    links = concordance(first, revision, [code])["links"]
    codes = ", ".join(sorted(set(links["to_code"].drop_nulls().to_list())))
    return (
        f"In {revision} its goods are under {codes}: ask for one of these, or give trade that is coded in"
        f" {first} or later."
    )


def _catalogue_basket(code: str, revision: str) -> Basket:
    """Return the forms of ``codes.csv`` under a code, in this revision or the nearest one that names it."""
    named: dict[str, list[tuple[str, bool, str, str]]] = {}
    for name in form_names():
        for used in form(name).codes:
            if used.system == "HS" and used.code == code:
                row = (name, used.basket, used.description, used.source)
                named.setdefault(used.revision, []).append(row)
    place = REVISIONS.index(revision)
    if basket_table("basket_members").filter((pl.col("system") == "HS") & (pl.col("code") == code)).height:
        named = {}  # the code is known, and not of this revision
    order = sorted(named, key=lambda r: (abs(REVISIONS.index(r) - place), REVISIONS.index(r)))
    if not order:
        raise NotCoveredError(
            f"nothing is known of what {revision} code {code} holds", cure=_other_way(code, revision)
        )
    rows = named[order[0]]
    closed = any(not row[1] for row in rows)
    single = [row for row in rows if row[1] or material(form(row[0]).material).symbol]
    kept = single or rows  # a form that stands for a group gives way to the members of the group
    members = [Member(row[0], symbol_of(row[0]), row[3]) for row in kept]
    if not closed:
        members.append(Member(OTHER, "", "goods of the code that the catalogue does not name"))
    return Basket(code, revision, rows[0][2], tuple(members), closed)


def symbol_of(name: str) -> str:
    """Return the chemical symbol of the first part of a name; empty where it is not one element."""
    head = name.split("/", maxsplit=1)[0]
    try:
        return material(head).symbol
    except UnknownNameError:
        typed = basket_table("basket_members").filter(pl.col("member").str.starts_with(f"{head}/"))
        return str(typed["element"][0]) if typed.height else ""


def baskets_of(name: str, revision: str) -> tuple[Basket, ...]:
    """Return every code of a revision under which a material, an element or a form may be declared.

    Raises:
        NotCoveredError: there is none.

    >>> [b.code for b in baskets_of("neodymium", "HS1992")]
    ['280530', '284690', '850511']
    """
    typed = basket_table("basket_members").filter(pl.col("system") == "HS")
    hit = (pl.col("member") == name) | (pl.col("element") == name)
    hit |= pl.col("member").str.starts_with(f"{name}/")
    codes = set(typed.filter(hit)["code"].to_list())
    for row in forms().iter_rows(named=True):
        this = form(row["form"])
        if name in (this.name, this.material, material(this.material).symbol):
            codes |= {used.code for used in this.codes if used.system == "HS" and used.revision == revision}
    found = []
    for code in sorted(codes):
        try:
            this_basket = basket(code, revision)
        except NotCoveredError:
            continue
        if any(name in (m.name, m.element, m.material) for m in this_basket.members):
            found.append(this_basket)
    if not found:
        raise NotCoveredError(
            f"no code of {revision} is known under which {name} is declared",
            cure="Give a six-digit code instead.",
        )
    return tuple(found)


def members_of_national_code(system: str, code: str, year: int) -> tuple[str, ...]:
    """Return the members that a national code may hold in a year; empty when nothing is known of it.

    Args:
        system: ``CN`` (European Union), ``HTS`` (United States), ``HSK`` (South Korea), ``CHN``, ``JPN``.
        code: digits, without full stops; a longer code than the table's is matched by its beginning.
        year: calendar year.

    >>> members_of_national_code("CN", "81129289", 2023)
    ('gallium/metal',)
    >>> members_of_national_code("CHN", "2846901300", 2024)
    ('neodymium/oxide',)
    """
    digits = code.replace(".", "").replace(" ", "")
    rows = basket_table("basket_members").filter(pl.col("system") == system)
    fits = [
        (row["code"], row["member"])
        for row in rows.iter_rows(named=True)
        if digits.startswith(row["code"])
        and (not row["first"] or int(row["first"]) <= year)
        and (not row["last"] or year <= int(row["last"]))
    ]
    fits += [pair for pair in _catalogue_codes(system) if digits.startswith(pair[0])]
    longest = max((len(pair[0]) for pair in fits), default=0)
    return tuple(dict.fromkeys(name for known, name in fits if len(known) == longest))


def national_codes(system: str, prefix: str, year: int) -> dict[str, tuple[str, ...]]:
    """Return every national code known below a six-digit code in a year, with its members.

    >>> sorted(national_codes("JPN", "811292", 2020))
    ['811292100', '811292200', '811292910', '811292990']
    """
    typed = basket_table("basket_members").filter(pl.col("system") == system)["code"].to_list()
    codes = {code for code in typed if code.startswith(prefix)}
    codes |= {code for code, _ in _catalogue_codes(system) if code.startswith(prefix)}
    found = {code: members_of_national_code(system, code, year) for code in sorted(codes)}
    return {code: members for code, members in found.items() if members}


@functools.cache
def _catalogue_codes(system: str) -> tuple[tuple[str, str], ...]:
    """Return the national codes of ``codes.csv`` and the forms that each may hold."""
    pairs = []
    for name in form_names():
        pairs += [(used.code, name) for used in form(name).codes if used.system == system]
    return tuple(pairs)
