"""What one record of a policy does in the terms of the scenario model, or why it cannot be said.

Borders have two sides, the model one: an import ban of A on B is B's ban on what it ships to A.  A tax on
exports has no kind of its own; it is written as a tariff of the focal country on what it buys there, which
raises its price the same and leaves others' prices as they are.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from evernormal.data import countries

__all__ = ["Act", "Refusal", "act_of"]

_ORE = re.compile(
    r"\b(unprocessed|unbeneficiated|unrefined|raw (?:minerals?|materials?)|ores?|concentrates?)\b",
    re.IGNORECASE,
)
_BEYOND_ORE = re.compile(
    r"\b(refined|metals?|oxides?|alloys?|compounds?|magnets?|processed products)\b", re.IGNORECASE
)
_LIFTED = re.compile(
    r"\b(remov(?:e[sd]?|al|ing)|repeal\w*|lift(?:s|ed|ing)?|abolish\w*|relax\w*|eas(?:es|ed|ing)|"
    r"suspen(?:ds|ded) (?:the )?(?:ban|control|restriction)\w*|exempt\w*|decrease[sd]?|"
    r"reduc(?:e[sd]?|tion))\b",
    re.IGNORECASE,
)
_WASTE = re.compile(r"\b(wastes?|scrap|recycl\w*|hazardous|end-of-life)\b", re.IGNORECASE)
_CUT = re.compile(r"\b(?:cut|reduc\w+|lower\w+)\b\D{0,20}(\d{1,2}(?:\.\d+)?) ?(?:%|per ?cent)", re.IGNORECASE)
_KINDS = {"ban", "quota", "licence", "tariff"}
_MONTH_ONLY, _YEAR_ONLY = 1, 40


@dataclass(frozen=True)
class Refusal:
    """Why a record is no measure: a stable word, and one clause."""

    reason: str
    why: str


@dataclass(frozen=True)
class Act:
    """One act as the scenario model says it.

    Attributes:
        record: publisher's number of the record.
        kind: ``ban``, ``quota``, ``licence`` or ``tariff``.
        side: side of the border where it bites, as the record says.
        by: who acts in the model's terms.
        acts: who acts in truth, where that is someone else; empty otherwise.
        against: whom it hits; empty for everyone.
        forms: forms that it is about.
        by_code: whether its codes name the forms.
        announced: day from which it was known.
        effective: first day in force.
        suspended: first day of a suspension.
        resumes: first day in force again.
        ends: first day on which it is over.
        exact: whether its days are days and not months.
        hard: numbers that the record itself says.
        title: title of the record.
        source: publisher.
        url: address of the record.
        notes: what a reader must know.
    """

    record: str
    kind: str
    side: str
    by: str
    acts: str
    against: tuple[str, ...]
    forms: tuple[str, ...]
    by_code: bool
    announced: date
    effective: date
    suspended: date | None
    resumes: date | None
    ends: date | None
    exact: bool
    hard: Mapping[str, float] = field(default_factory=dict)
    title: str = ""
    source: str = ""
    url: str = ""
    notes: tuple[str, ...] = ()


def act_of(
    row: Mapping[str, Any], forms: Sequence[str], focal: str, *, whole_years: bool
) -> Refusal | tuple[Act, ...]:
    """Return the acts that a record is, or why it is none.

    Args:
        row: a row of the table of policies.
        forms: forms that the scenario is about.
        focal: focal country.
        whole_years: let the last day of a year stand where only the year is known.
    """
    refusal = _refused(row)
    if refusal is not None:
        return refusal
    about, by_code, notes = _forms(row, forms)
    if isinstance(about, Refusal):
        return about
    days = _days(row, whole_years=whole_years)
    if isinstance(days, Refusal):
        return days
    hard = _said(row)
    if row["kind"] == "tariff" and "rate" not in hard:
        return Refusal("rate-unknown", "the record gives no single ad valorem rate")
    parts = tuple(_sides(row, focal))
    if not parts:
        return Refusal("hits-others", f"a tax on exports that does not hit {focal}")
    common = {
        "record": row["record"],
        "kind": row["kind"],
        "side": row["side"],
        "forms": about,
        "by_code": by_code,
    }
    return tuple(
        Act(
            **common,
            **days,
            by=by,
            acts=row["by"] if by != row["by"] else "",
            against=against,
            hard=hard,
            title=row.get("title") or "",
            source=row.get("source") or "policy record",
            url=row.get("url") or "",
            notes=(*notes, *told),
        )
        for by, against, told in parts
    )


def _refused(row: Mapping[str, Any]) -> Refusal | None:
    """Return why a record can be no measure whatever the scenario, None when it can."""
    title = row.get("title") or ""
    if row["kind"] not in _KINDS:
        return Refusal("kind", f"{row['kind'].replace('_', ' ')} is no act that the scenario model has")
    if row["side"] not in ("export", "import"):
        return Refusal("side-unknown", f"which side of the border it bites on is {row['side']}")
    if row["by"] not in _countries():
        return Refusal("actor", f"{row['by']} is no single country: name its members")
    if row.get("stance") == "liberalising" or _LIFTED.search(title):
        return Refusal("liberalising", "the record lifts or eases a restriction, or its title says so")
    if _WASTE.search(title):
        return Refusal("waste", "the record is about waste and scrap, which the forms do not hold")
    return None


@functools.cache
def _countries() -> frozenset[str]:
    table = countries()
    return frozenset(table.filter(table["kind"] == "country")["iso3"])


def _forms(
    row: Mapping[str, Any], forms: Sequence[str]
) -> tuple[tuple[str, ...] | Refusal, bool, tuple[str, ...]]:
    """Return the forms of the scenario that a record is about, and whether its codes say so."""
    named, codes, materials = (_list(row, name) for name in ("forms", "codes", "materials"))
    about = tuple(form for form in forms if form in named)
    if about:
        return about, True, ()
    if not materials and not named:
        return Refusal("no-material", "neither words nor codes name a material"), False, ()
    spoken = {form.partition("/")[0] for form in named} | _materials_under(codes)
    about = tuple(form for form in forms if form.partition("/")[0] in materials - spoken)
    if not about and any(form.partition("/")[0] in spoken for form in forms):
        what = ", ".join(sorted(named)[:4] or sorted(codes)[:4])
        return Refusal("other-form", f"its codes name {what}"), True, ()
    if not about:
        return Refusal("other-material", f"it names {', '.join(sorted(materials)[:5])}"), False, ()
    notes = ["the record names the material, not the product"]
    text = row.get("title") or ""
    if not (_ORE.search(text) or _BEYOND_ORE.search(text)):
        text = (row.get("detail") or "").rpartition("materials by words")[2]
    if _ORE.search(text) and not _BEYOND_ORE.search(text):
        mined = tuple(form for form in about if _stage(form) == "ore")
        if not mined:
            return Refusal("ore-only", "it is about ores and unprocessed minerals only"), False, ()
        about, notes = mined, ["the record names ores and unprocessed minerals"]
    return about, False, tuple(notes)


def _list(row: Mapping[str, Any], name: str) -> set[str]:
    return set((row.get(name) or "").split(";")) - {""}


def _materials_under(codes: set[str]) -> set[str]:
    """Return the materials of the catalogue that have a code under the same four digits as one of these."""
    heads = {code[:4] for code in codes}
    return {name for head, name in _headings() if head in heads}


@functools.cache
def _headings() -> frozenset[tuple[str, str]]:
    """Return heading and material of every customs code that belongs to one form alone."""
    from evernormal.network.forms import form as form_of  # noqa: PLC0415  (heavy tables load only when needed)
    from evernormal.network.forms import form_names  # noqa: PLC0415

    return frozenset(
        (code.code[:4], form_of(name).material)
        for name in form_names()
        for code in form_of(name).codes
        if code.system == "HS" and not code.basket
    )


def _stage(form: str) -> str:
    from evernormal.network.forms import form as form_of  # noqa: PLC0415  (heavy tables load only when needed)

    return str(form_of(form).stage)


def _days(row: Mapping[str, Any], *, whole_years: bool) -> dict[str, Any] | Refusal:
    """Return the days of an act; a month or a year counts from its last day on."""
    announced, effective, known = row["announced"], row["effective"], row.get("as_of")
    if announced is None and effective is None:
        if not (whole_years and known is not None):
            return Refusal(
                "day-unknown", f"only the year is known ({known.year if known else 'not even that'})"
            )
        announced = effective = known
    if effective is None:
        return Refusal("not-in-force", "announced, and no first day in force is given")
    announced = announced or effective
    exact = True
    if known is not None and _MONTH_ONLY <= (known - announced).days < _YEAR_ONLY and announced.day == 1:
        announced, exact = known, False
    effective = max(effective, announced)
    suspended, resumes, ends = row.get("suspended"), row.get("resumes"), row.get("ends")
    if suspended is not None and suspended <= effective:
        if resumes is None:
            return Refusal("suspended", f"suspended from {suspended}, before its first day in force")
        effective, suspended, resumes = max(resumes, announced), None, None
    if ends is not None and ends <= effective:
        return Refusal("over", f"ended on {ends}, before or on its first day in force")
    if ends is not None and resumes is not None and ends < resumes:
        ends = None
    return {
        **{"announced": announced, "effective": effective, "exact": exact},
        **{"suspended": suspended, "resumes": resumes, "ends": ends},
    }


def _said(row: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers that a record itself says."""
    if row["kind"] == "tariff" and row.get("rate") is not None:
        return {"rate": float(row["rate"])}
    found = _CUT.search(row.get("title") or "") if row["kind"] == "quota" else None
    return {"share_of_base": round(1 - float(found[1]) / 100, 6)} if found else {}


def _sides(row: Mapping[str, Any], focal: str) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Yield who acts against whom in the terms of the model, with what must be told."""
    known = _countries()
    against = tuple(code for code in (row.get("against") or "").split(";") if code in known)
    by = row["by"]
    if row["kind"] == "tariff" and row["side"] == "import":
        yield by, tuple(code for code in against if code != by), ()
    elif row["kind"] == "tariff":
        if by != focal and (not against or focal in against):
            note = "a tax on exports, written as a tariff of the focal country; what others pay is not raised"
            yield focal, (by,), (note,)
    elif row["side"] == "export":
        yield by, tuple(code for code in against if code != by), ()
    else:
        note = f"an act of {by} on its imports, written as one on what is shipped to it"
        for exporter in against or ("world",):
            if exporter != by:
                yield exporter, (by,), (note,)
