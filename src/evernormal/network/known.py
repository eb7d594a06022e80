"""Checks of names that other tables own: forms, countries, corridors.

Each check returns the name as it must be written or raises what pydantic collects, with the nearest right
value.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import NoReturn

from pydantic_core import PydanticCustomError

from evernormal.errors import UnknownNameError, nearest

__all__ = [
    "FOCAL",
    "WORLD",
    "check_actor",
    "check_corridor",
    "check_country",
    "check_form",
    "check_party",
    "check_region",
    "corridor_name",
    "country_name",
    "form_name",
    "refuse",
]

FOCAL = "focal"
"""Stands for the scenario's focal country until the scenario is resolved."""

WORLD = "world"
"""Stands for every country at once."""


def refuse(what: str, cure: str = "") -> NoReturn:
    """Raise the error form that pydantic collects and the scenario reader prints as ``what. cure``."""
    tail = f" {cure}" if cure else ""
    raise PydanticCustomError("scenario", "{what}.{tail}", {"what": what, "cure": cure, "tail": tail})


def check_form(name: str) -> str:
    """Return ``name`` when the form table has it."""
    _require("form", name, _form_names())
    return name


def check_country(code: str) -> str:
    """Return ``code`` when it is an ISO 3166 alpha-3 code of the country table."""
    table = _countries()
    if code in table:
        return code
    for known, names in table.items():
        if code.strip().lower() in names:
            refuse(f"{code!r} is not an ISO 3166 alpha-3 code", f"Write {known!r}.")
    close = _near_codes(code, table)
    if close:
        offers = " or ".join(f"{c!r} ({country_name(c)})" for c in close)
        refuse(f"unknown country {code!r}", f"Did you mean {offers}?")
    by_name = {name: known for known, names in table.items() for name in names}
    close = nearest(code[:60], by_name, 1)
    cure = (
        f"Did you mean {by_name[close[0]]!r}?" if close else "Write the ISO 3166 alpha-3 code, such as 'KOR'."
    )
    refuse(f"unknown country {code!r}", cure)


def _near_codes(code: str, table: Iterable[str]) -> list[str]:
    """Return the codes that share the first two letters, else two letters in place, else the nearest."""
    given, known = code.upper(), sorted(table)
    if len(given) == 3:
        same_start = [other for other in known if other[:2] == given[:2]]
        two_of_three = [o for o in known if sum(a == b for a, b in zip(o, given, strict=True)) == 2]
        for found in (same_start, two_of_three):
            if 0 < len(found) <= 6:
                return found
    return nearest(code[:60], known)


def check_party(name: str) -> str:
    """Return ``name`` when it is a country or ``focal``."""
    return name if name == FOCAL else check_country(name)


def check_region(name: str) -> str:
    """Return ``name`` when it is a country, ``focal`` or ``world``."""
    return name if name in {FOCAL, WORLD} else check_country(name)


def check_actor(name: str) -> str:
    """Return ``name``: any words, but three capital letters must be a country."""
    if not name.strip():
        refuse("the name is empty", "Write who acts.")
    return check_country(name) if re.fullmatch(r"[A-Z]{3}", name) else name


def check_corridor(name: str) -> str:
    """Return ``name`` when sea routes know the passage."""
    _require("corridor", name, _corridors())
    return name


def country_name(code: str, language: str = "en") -> str:
    """Return the English or Korean name of a country or group of countries."""
    from evernormal.data import countries  # noqa: PLC0415  (heavy tables load only when needed)

    table = countries()
    names = dict(zip(table["iso3"], table["name_ko" if language == "ko" else "name_en"], strict=True))
    if code not in names:
        raise UnknownNameError("country", code, names)
    return str(names[code])


def corridor_name(name: str, language: str = "en") -> str:
    """Return the English or Korean name of a sea passage."""
    from evernormal.network.transit import PASSAGES  # noqa: PLC0415

    passage = PASSAGES[name]
    return passage.name_ko if language == "ko" else passage.name_en


def form_name(name: str, language: str = "en") -> str:
    """Return the English or Korean name of a form."""
    from evernormal.network.forms import form  # noqa: PLC0415

    found = form(name)
    return str(found.name_ko if language == "ko" else found.name_en)


@functools.cache
def _countries() -> dict[str, set[str]]:
    """Return alpha-3 code to the other ways of writing the country, in lower case."""
    from evernormal.data import countries  # noqa: PLC0415

    table = countries()
    if "kind" in table.columns:
        table = table.filter(table["kind"] == "country")
    table = table.select("iso3", "iso2", "name_en", "name_ko")
    return {row[0]: {str(word).lower() for word in row if word} for row in table.iter_rows()}


def _corridors() -> tuple[str, ...]:
    from evernormal.network.transit import PASSAGES  # noqa: PLC0415

    return tuple(PASSAGES)


def _form_names() -> list[str]:
    from evernormal.network.forms import forms  # noqa: PLC0415

    return [str(name) for name in forms()["form"]]


def _require(kind: str, name: str, known: Iterable[str]) -> None:
    options = set(known)
    if name not in options:
        error = UnknownNameError(kind, name, options)
        refuse(error.what, error.cure)
