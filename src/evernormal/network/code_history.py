"""What a form's customs codes are: in every revision, in national systems, on a day, and who shares them."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from evernormal.data.concordance_links import concordance, link_findings
from evernormal.data.concordance_steps import IN_FORCE, check_revision, revision_on
from evernormal.data.geography import check_iso3
from evernormal.data.schema import day
from evernormal.errors import InputError, UnknownNameError
from evernormal.network.form_tables import Code
from evernormal.network.forms import form, form_names
from evernormal.result import Derivation, Finding, Input, Lineage, Result

__all__ = ["NATIONAL_SYSTEMS", "codes_of_form", "forms_of_code"]

NATIONAL_SYSTEMS: Mapping[str, str] = {"KOR": "HSK"} | dict.fromkeys(
    (
        *("AUT", "BEL", "BGR", "CYP", "CZE", "DEU", "DNK", "ESP", "EST", "FIN", "FRA", "GRC", "HRV", "HUN"),
        *("IRL", "ITA", "LTU", "LUX", "LVA", "MLT", "NLD", "POL", "PRT", "ROU", "SVK", "SVN", "SWE"),
    ),
    "CN",
)
"""National code system of a country, where the catalogue has codes of it: Korea's ten digits, the eight of
the European Union's Combined Nomenclature."""

_COLUMNS: dict[str, pl.DataType] = {
    **dict.fromkeys(("form", "system", "revision", "code"), pl.String()),
    "valid_from": pl.Date(),
    "valid_to": pl.Date(),
    "description": pl.String(),
    "basket": pl.Boolean(),
    "shared_with": pl.String(),
    "source": pl.String(),
}


def codes_of_form(
    form_name: str,
    revision: str | None = None,
    country: str | None = None,
    on: date | str | None = None,
    *,
    weights: pl.DataFrame | Result | None = None,
    dataset: str | Sequence[str] | None = None,
    folder: str | Path | None = None,
    as_of: date | str | None = None,
) -> Result:
    """Return every customs code of a form, when it holds, who shares it, and how it became the next one.

    Args:
        form_name: form name.
        revision: only this revision, such as ``HS2022`` or ``HSK2022``; None for all.
        country: ISO 3166 alpha-3: the Harmonized System and the national codes of this country; None for
            every system in the catalogue.
        on: only codes in force on this day.
        weights: as in :func:`evernormal.data.concordance`, for the links.
        dataset: as in :func:`evernormal.data.concordance`.
        folder: as in :func:`evernormal.data.concordance`.
        as_of: leave out codes that were not in force yet on this day (law 11).

    Returns:
        Result ``form-codes`` with tables ``codes``: form, system (HS, HSK or CN), revision, code, valid_from,
        valid_to (null: open, or not known), description, basket (other goods are declared under it too),
        shared_with (other forms of the catalogue under the same code, joined by ;), source; and ``links``:
        from_revision, from_code, to_revision, to_code, weight, low, high (fraction of the value of
        from_code), basis, grade: where the goods of each code go in the next revision.

    Raises:
        UnknownNameError: no such form, country, revision or data set.
        InputError: ``on`` is no day.

    >>> table = codes_of_form("germanium/metal", country="USA")["codes"]
    >>> table.select("revision", "code", "shared_with").tail(2).rows()
    [('HS2017', '811292', 'niobium/metal; gallium/metal; indium/metal'), ('HS2022', '811292', \
'niobium/metal; gallium/metal; indium/metal')]
    """
    this = form(form_name)
    wanted = None if revision is None else _revision(revision)
    place = None if country is None else next(iter(check_iso3([country], where="country")))
    moment, known_on = _day(on, "on"), day(as_of)
    kept = [
        row
        for row in (_row(this.name, code) for code in this.codes)
        if _is_asked(row, wanted, place) and _holds(row, moment) and _is_known(row, known_on)
    ]
    order = {name: index for index, name in enumerate(IN_FORCE)}
    kept.sort(key=lambda r: (r["system"] != "HS", order.get(r["revision"], 99), r["revision"], r["code"]))
    links = _links(kept, weights, dataset, folder, as_of)
    table = pl.DataFrame(kept, schema=_COLUMNS)
    findings = [*_findings(this.name, kept, wanted, place, moment), *(links.findings if links else ())]
    call = {
        **{"form": this.name, "revision": wanted, "country": place},
        **{
            "on": None if moment is None else str(moment),
            "as_of": None if known_on is None else str(known_on),
        },
    }
    return Result(
        "form-codes",
        {"codes": table, "links": links["links"] if links else pl.DataFrame()},
        {"links": dict.fromkeys(("weight", "low", "high"), "fraction")},
        _lineage(call, links),
        tuple(findings),
    )


def forms_of_code(code: str, revision: str | None = None) -> Result:
    """Return the forms that are declared under a customs code.

    Args:
        code: six digits, or more of a national code; as text.
        revision: only in this revision; None for every revision in which the catalogue has it.

    Returns:
        Result ``code-forms`` with table ``forms``: code, revision, system, form, name_en, name_ko, stage,
        basket, description.

    Raises:
        InputError: the code is not digits as text.
        UnknownNameError: no form has the code in this revision; the nearest are named.

    >>> forms_of_code("280530", "HS2022")["forms"].height > 5
    True
    """
    wanted = None if revision is None else _revision(revision)
    if not (isinstance(code, str) and code.isascii() and code.isdigit() and 6 <= len(code) <= 10):
        raise InputError(
            f"a customs code is 6 to 10 digits as text, got {code!r}",
            where="code",
            cure="Write it like 811292.",
        )
    found = []
    for name in form_names():
        this = form(name)
        for entry in this.codes:
            if entry.code == code and wanted in (None, entry.revision):
                found.append(
                    {
                        **{"code": code, "revision": entry.revision, "system": entry.system, "form": name},
                        **{"name_en": this.name_en, "name_ko": this.name_ko, "stage": this.stage},
                        **{"basket": entry.basket, "description": entry.description},
                    }
                )
    if not found:
        known = {entry.code for name in form_names() for entry in form(name).codes}
        where = f"forms in {wanted}" if wanted else "forms"
        raise UnknownNameError("customs code", code, known, where=where)
    table = pl.DataFrame(found).sort("revision", "form")
    return Result("code-forms", {"forms": table}, {}, _lineage({"code": code, "revision": wanted}, None))


# --- what is asked -----------------------------------------------------------------


def _revision(name: str) -> str:
    """Return a revision that the catalogue has."""
    if name.strip().upper() in IN_FORCE:
        return check_revision(name, "revision")
    known = {entry.revision for each in form_names() for entry in form(each).codes}
    if name.strip().upper() not in known:
        raise UnknownNameError("revision", name, known | set(IN_FORCE))
    return name.strip().upper()


def _day(value: date | str | None, where: str) -> date | None:
    if not isinstance(value, str):
        return value
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise InputError(f"{value!r} is no day", where=where, cure="Write it like 2024-12-31.") from None


def _row(name: str, code: Code) -> dict[str, Any]:
    first, last = _period(code)
    return {
        **{"form": name, "system": code.system, "revision": code.revision, "code": code.code},
        **{"valid_from": first, "valid_to": last, "description": code.description, "basket": code.basket},
        "shared_with": "; ".join(f for f in _sharing()[code.revision, code.code] if f != name) or None,
        "source": code.source,
    }


def _period(code: Code) -> tuple[date | None, date | None]:
    """Return from when to when a code holds: its revision says it, or, for a national code, its row."""
    if code.revision in IN_FORCE:
        names = list(IN_FORCE)
        later = names[names.index(code.revision) + 1 :]
        return IN_FORCE[code.revision], IN_FORCE[later[0]] - timedelta(days=1) if later else None
    said = (code.valid_from, code.valid_to)
    return (
        date.fromisoformat(said[0]) if said[0] else None,
        date.fromisoformat(said[1]) if said[1] else None,
    )


@functools.cache
def _sharing() -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the forms under each code of each revision, in the order of the catalogue."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for name in form_names():
        for entry in form(name).codes:
            key = (entry.revision, entry.code)
            found[key] = (*found.get(key, ()), name)
    return found


def _is_asked(row: Mapping[str, Any], revision: str | None, country: str | None) -> bool:
    if revision is not None and row["revision"] != revision:
        return False
    return country is None or row["system"] in ("HS", NATIONAL_SYSTEMS.get(country))


def _holds(row: Mapping[str, Any], moment: date | None) -> bool:
    """Say whether a code holds on a day; a national code without dates goes by the year of its table."""
    if moment is None:
        return True
    if row["revision"] in IN_FORCE:
        return bool(row["revision"] == revision_on(moment))
    first = row["valid_from"] or date(int(row["revision"][-4:]), 1, 1)
    return bool(first <= moment <= (row["valid_to"] or date.max))


def _is_known(row: Mapping[str, Any], known_on: date | None) -> bool:
    first = row["valid_from"] or date(int(row["revision"][-4:]), 1, 1)
    return known_on is None or first <= known_on


# --- how one revision became the next --------------------------------------------------


def _links(
    rows: Iterable[Mapping[str, Any]],
    weights: pl.DataFrame | Result | None,
    dataset: str | Sequence[str] | None,
    folder: str | Path | None,
    as_of: date | str | None,
) -> Result | None:
    """Return where the codes of each revision go in the next one that is there."""
    codes: dict[str, set[str]] = {}
    for row in rows:
        if row["system"] == "HS":
            codes.setdefault(row["revision"], set()).add(row["code"])
    present = [name for name in IN_FORCE if name in codes]
    steps = [
        concordance(one, other, codes[one], weights=weights, dataset=dataset, folder=folder, as_of=as_of)
        for one, other in itertools.pairwise(present)
    ]
    if not steps:
        return None
    table = pl.concat([step["links"] for step in steps])
    units = dict.fromkeys(("weight", "low", "high"), "fraction")
    return Result("concordance", {"links": table}, {"links": units}, steps[0].lineage, link_findings(table))


def _findings(
    name: str, rows: Sequence[Mapping[str, Any]], revision: str | None, country: str | None, on: date | None
) -> list[Finding]:
    found = []
    if not rows:
        when = f" on {on}" if on else ""
        text = f"The catalogue has no {revision or 'customs'} code of {name}{when}: not known, not none."
        found.append(Finding("form-without-code", "caution", text, {"form": name}))
    if country is not None and country not in NATIONAL_SYSTEMS:
        text = f"The catalogue has no national codes of {country}; the six digits hold there too."
        found.append(Finding("national-codes-unknown", "info", text, {"country": country}))
    undated = sorted({r["code"] for r in rows if r["system"] != "HS" and r["valid_from"] is None})
    if undated:
        text = f"From when the national codes {', '.join(undated)} hold is not known."
        found.append(Finding("national-code-dates-unknown", "info", text, {"codes": undated}))
    return found


def _lineage(call: Mapping[str, Any], links: Result | None) -> Lineage:
    from evernormal import __version__  # noqa: PLC0415

    pinned = Input(
        "codes", _table_hash(), "Forms catalogue of evernormal, table codes.csv; each row its source"
    )
    inputs = (pinned, *(links.lineage.inputs if links else ()))
    text = "The product of the weights of each step; the interval is the least and most that they allow."
    derived = (Derivation("links", "weight", "E19", (), text),) if links else ()
    return Lineage(__version__, inputs=inputs, derivations=derived, call=dict(call))


@functools.cache
def _table_hash() -> str:
    import hashlib  # noqa: PLC0415
    from importlib import resources  # noqa: PLC0415

    path = resources.files("evernormal.network") / "tables" / "codes.csv"
    return hashlib.sha256(path.read_bytes()).hexdigest()
