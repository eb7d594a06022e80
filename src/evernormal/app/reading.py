"""What people type for a country, a form or a year, read the same way by every command."""

from __future__ import annotations

from datetime import date

import typer

from evernormal.errors import InputError, UnknownNameError

__all__ = [
    "country_named",
    "form_named",
    "material_named",
    "read_countries",
    "read_country",
    "read_day",
    "read_focal",
    "read_form",
    "read_forms",
    "read_material",
    "read_materials",
    "read_region",
    "read_regions",
    "read_topics",
    "read_year",
    "read_years",
    "region_named",
    "the_country",
]

Parameter = typer.CallbackParam

UNION, UNION_CODE = "EU", "EUU"
FIRST_YEAR, LAST_YEAR = 1900, 2100
LONGEST_LIST = 12


def read_country(parameter: Parameter, value: str | None) -> str | None:
    """Return the ISO 3166 alpha-3 code of a code of three or two letters or a name in English or Korean.

    Raises:
        UnknownNameError: no such country; the nearest is named.
    """
    return None if value is None else country_named(value, _place(parameter))


def read_countries(parameter: Parameter, value: list[str] | None) -> list[str] | None:
    """Return the codes of countries, each as :func:`read_country` reads it; None for none."""
    return [country_named(one, _place(parameter)) for one in value] if value else None


def read_focal(parameter: Parameter, value: str | None) -> str | None:
    """Return one country, in whose place to stand, as :func:`read_country` does.

    Raises:
        InputError: a group of countries, which no network has as one region.
    """
    found = read_country(parameter, value)
    if found in _groups():
        raise InputError(f"{value} is a group of countries, not one", where=_place(parameter),
                         cure="Name one country, such as DEU; groups go with shares, exposure, indicator"
                              " and trace.")  # fmt: skip
    return found


def _groups() -> frozenset[str]:
    from evernormal.data import countries

    return frozenset(code for code, kind in countries().select("iso3", "kind").iter_rows() if kind == "group")


def read_region(parameter: Parameter, value: str | None) -> str | None:
    """Return a country as :func:`read_country` does, and ``EU`` for the European Union."""
    return None if value is None else region_named(value, _place(parameter))


def read_regions(parameter: Parameter, value: list[str] | None) -> list[str] | None:
    """Return countries or ``EU``, each as :func:`read_region` reads it; None for none."""
    return [region_named(one, _place(parameter)) for one in value] if value else None


def country_named(text: str, where: str) -> str:
    """Return the ISO 3166 alpha-3 code that a text names."""
    from evernormal.data import country

    asked = text.strip()
    if not asked:
        raise InputError("the country is empty", where=where, cure="Write, for instance, KOR, KR or 한국.")
    try:
        return country(asked.upper() if len(asked) == 2 and asked.isascii() else asked, where=where)
    except UnknownNameError as error:
        if not error.suggestions:
            error.cure = "Write an ISO 3166 code or a name, such as KOR, KR, Korea or 대한민국."
        raise


def region_named(text: str, where: str) -> str:
    """Return the ISO 3166 alpha-3 code that a text names, or ``EU``."""
    found = country_named(text, where)
    return UNION if found == UNION_CODE else found


def the_country(given: str | None, named: str | None, command: str) -> str:
    """Return the country of a command that takes it as an argument or as ``--country``.

    Raises:
        InputError: none was given, or two that differ.
    """
    if given is not None and named is not None and given != named:
        raise InputError(f"two countries were given, {given} and {named}", where="--country",
                         cure="Give one of them.")  # fmt: skip
    found = named if given is None else given
    if found is None:
        raise InputError("no country was given", where="COUNTRY",
                         cure=f"Write, for instance, evernormal {command} KOR.")  # fmt: skip
    return found


def read_form(parameter: Parameter, value: str | None) -> str | None:
    """Return the name of the form that a name of it, or its material where it has one form, means.

    Raises:
        UnknownNameError: no such form; the nearest is named.
        InputError: a material of several forms; all are listed.
    """
    return None if value is None else form_named(value, _place(parameter))


def read_forms(parameter: Parameter, value: list[str] | None) -> list[str] | None:
    """Return the names of forms, each as :func:`read_form` reads it; None for none."""
    return [form_named(one, _place(parameter)) for one in value] if value else None


def form_named(text: str, where: str) -> str:
    """Return the name of the form that a text means.

    Raises:
        UnknownNameError: no such form; the nearest is named.
        InputError: the text is empty, or means several forms; all are listed.
    """
    from evernormal.network.forms import form_names, forms

    if text in form_names():
        return text
    asked = _plain(text)
    if not asked:
        raise InputError("the form is empty", where=where, cure="See: evernormal form list")
    found = _forms_of_material(text)
    if not found:
        columns = ("form", "name_en", "name_ko")
        rows = list(forms().select(columns).iter_rows())
        found = [row[0] for row in rows if asked in map(_plain, row)]
        known = [word for row in rows for word in row]
    if len(found) == 1:
        return str(found[0])
    if found:
        listed = ", ".join(found[:LONGEST_LIST]) + (", ..." if len(found) > LONGEST_LIST else "")
        raise InputError(f"{text} has {len(found)} forms: {listed}; say which", where=where,
                         cure=f"Write, for instance, {found[0]}.")  # fmt: skip
    error = UnknownNameError("form", text, known, where=where)
    if not error.suggestions:
        error.cure = "See: evernormal form list"
    raise error


def _forms_of_material(text: str) -> list[str]:
    """Return the forms of a material by its name in English or Korean, or its symbol as chemists write it."""
    from evernormal.network.forms import forms

    name = material_named(text)
    return [form for form, of in forms().select("form", "material").iter_rows() if of == name]


def material_named(text: str) -> str:
    """Return the material that a name in English or Korean or a symbol means; any other text as it is."""
    from evernormal.network.forms import materials

    asked = text.strip()
    for symbol, *names in materials().select("symbol", "material", "name_en", "name_ko").iter_rows():
        if asked == symbol or _plain(asked) in map(_plain, names):
            return str(names[0])
    return text


def read_material(value: str | None) -> str | None:
    """Return a material as :func:`material_named` does; the command itself refuses what is none."""
    return None if value is None else material_named(value)


def read_materials(value: list[str] | None) -> list[str] | None:
    """Return materials as :func:`material_named` does; None for none."""
    return [material_named(one) for one in value] if value else None


def read_topics(value: list[str] | None) -> list[str] | None:
    """Return forms, materials or codes; what is the name of a form or material becomes its key."""
    return [_topic(one) for one in value] if value else None


def _topic(text: str) -> str:
    from evernormal.network.forms import forms

    material = material_named(text)
    if material != text:
        return material
    columns = ("form", "name_en", "name_ko")
    found = [row[0] for row in forms().select(columns).iter_rows() if _plain(text) in map(_plain, row)]
    return str(found[0]) if found else text


def read_day(parameter: Parameter, value: str | None) -> str | None:
    """Return a day as it was written.

    Raises:
        InputError: it is no day of the calendar.
    """
    if value is not None:
        try:
            date.fromisoformat(value)
        except ValueError:
            raise InputError(f"{value!r} is no day", where=_place(parameter),
                             cure="Write it like 2024-12-31.") from None  # fmt: skip
    return value


def read_year(parameter: Parameter, value: int | None) -> int | None:
    """Return a calendar year.

    Raises:
        InputError: the number is no year of our time.
    """
    return None if value is None else _year(value, _place(parameter))


def read_years(parameter: Parameter, value: list[int] | None) -> list[int] | None:
    """Return calendar years; None for none."""
    return [_year(one, _place(parameter)) for one in value] if value else None


def _year(value: int, where: str) -> int:
    if not FIRST_YEAR <= value <= LAST_YEAR:
        raise InputError(f"must be a calendar year, got {value}", where=where,
                         cure="Write four digits, such as 2023.")  # fmt: skip
    return value


def _plain(word: str) -> str:
    """Return a word as it is compared: no difference of case, spaces, hyphens."""
    return "".join(word.casefold().replace("-", " ").replace("_", " ").split())


def _place(parameter: Parameter) -> str:
    """Return what a person calls a parameter: its first option, or its name in capitals."""
    named = parameter.param_type_name == "option"
    return str(parameter.opts[0] if named else (parameter.name or "").upper())
