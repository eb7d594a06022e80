"""Country names as the Mineral Commodity Summaries print them, with their footnotes and qualifiers.

``Other countries6``, ``Russiae``, ``United States (kyanite)``, ``World total (rounded), excluding U.S.
production``, ``Côte d’Ivoire`` read with the wrong encoding: the country is found, what is left over is kept.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from evernormal.data.geography import aliases, named

__all__ = ["Place", "place", "repaired"]

_QUALIFIED = re.compile(r"(.+?) ?\((.+?)\)\W*\d*(?:, ?(.+))?")
_WORLD = re.compile(r"world totals?\b", re.IGNORECASE)
_ROUNDED = re.compile(r"[,(]?\s*\brounded\b\s*\)?,?", re.IGNORECASE)
_FOOTNOTE = re.compile(r"\s*\d+$")
_ESTIMATE = re.compile(r"e\d*$")
_JOIN = re.compile(r",? and |, ")


@dataclass(frozen=True)
class Place:
    """A country, ``WLD`` or ``ROW``; None where the name is of several countries together or not known."""

    iso3: str | None
    qualifier: str = ""
    several: bool = False


def repaired(text: str) -> str:
    """Return a text that was read with the wrong encoding as it was written, where that can be told.

    >>> repaired("CÃ´te dâ€™Ivoire"), repaired("TÃ¼rkiye"), repaired("Côte d’Ivoire")
    ('Côte d’Ivoire', 'Türkiye', 'Côte d’Ivoire')
    """
    for codec in ("cp1252", "latin-1"):
        try:
            return text.encode(codec).decode("utf-8")
        except UnicodeError:
            continue
    return text


@functools.cache
def place(name: str, source: str = "usgs") -> Place:
    """Return the country that a printed name means.

    >>> place("Other countries6").iso3, place("Russiae").iso3, place("World total (rounded)").iso3
    ('ROW', 'RUS', 'WLD')
    >>> place("Korea, Republic of").iso3, place("Argentina, crude ore")
    ('KOR', Place(iso3='ARG', qualifier='crude ore', several=False))
    >>> place("United States and Canada").several
    True
    """
    text = " ".join(repaired(name).replace("\xa0", " ").split()).rstrip(".,;")
    known = aliases(source)
    if text in known:
        return Place(known[text])
    if _WORLD.match(text):
        rest = _ROUNDED.sub(" ", _WORLD.sub("", text, count=1))
        return Place("WLD", " ".join(re.sub(r"\d+$", "", rest).split()).strip(" ,()"))
    if iso3 := named(text):
        return Place(iso3)
    bare = [name for name in (_FOOTNOTE.sub("", text), _ESTIMATE.sub("", text)) if name in known]
    if bare:
        return Place(known[bare[0]])
    return _qualified(text, source) or _several(text, source) or Place(_wild(text, source))


def _qualified(text: str, source: str) -> Place | None:
    """Return the country of a name with a qualifier in brackets or behind a comma."""
    if (found := _QUALIFIED.fullmatch(text)) and _exact(found[1], source):
        rest = "" if found[2] == "rounded" else ", ".join(part for part in found.groups()[1:] if part)
        return Place(_exact(found[1], source), rest)
    head, comma, rest = text.partition(", ")
    if comma and _exact(head, source) and not _exact(rest.removeprefix("and "), source):
        several = any(_exact(part, source) for part in _JOIN.split(rest))
        return None if several else Place(_exact(head, source), rest)
    return None


def _several(text: str, source: str) -> Place | None:
    parts = [part for part in _JOIN.split(text) if part]
    joined = len(parts) > 1 and all(_exact(part, source) for part in parts)
    return Place(None, several=True) if joined else None


def _exact(name: str, source: str) -> str | None:
    known = aliases(source)
    return known.get(name) or known.get(_FOOTNOTE.sub("", name)) or named(name)


def _wild(text: str, source: str) -> str | None:
    """Return the one country whose name fits where letters were lost to ``?`` or ``\ufffd``."""
    if "?" not in text and "\ufffd" not in text:
        return None
    pattern = re.compile(re.sub(r"(\\\?|\ufffd)+", ".", re.escape(text)))
    found = {iso3 for name, iso3 in aliases(source).items() if pattern.fullmatch(name)}
    return found.pop() if len(found) == 1 else None
