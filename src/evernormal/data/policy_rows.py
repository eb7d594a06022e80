"""Policy records that the user added: who restricted, licensed, taxed or supported what, and since when.

A record of an act is dated by its announcement, while the file that brings it is dated by its download.  A
question about an earlier day is answered from the vintage of that day where there is one; where every vintage
is later, from the earliest, cut back to what was announced by then: later records, ends and suspensions are
left out, and a finding says so (law 11).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

import polars as pl

from evernormal.data.geography import check_iso3
from evernormal.data.schema import day, public_columns
from evernormal.data.store import scan, vintages
from evernormal.data.stored import datasets
from evernormal.errors import InputError, NotCoveredError, UnknownNameError
from evernormal.result import Finding, Input, Lineage, Result

__all__ = ["KINDS", "SIDES", "policies"]

KINDS = (
    *("ban", "quota", "licence", "tariff", "price_floor", "stock_release", "subsidy"),
    *("local_processing", "investment_screening", "other"),
)
"""Kinds of policy."""

SIDES = ("export", "import", "domestic", "unknown")
"""Sides of the border where a policy bites."""

Names = str | Iterable[str] | None


def policies(
    by: Names = None,
    forms: Names = None,
    materials: Names = None,
    kinds: Names = None,
    sides: Names = None,
    against: Names = None,
    since: date | str | None = None,
    until: date | str | None = None,
    *,
    dataset: str | Sequence[str] | None = None,
    folder: str | Path | None = None,
    as_of: date | str | None = None,
) -> Result:
    """Return policy records.

    Args:
        by: who acts: ISO 3166 alpha-3, or a group that the table of countries names; None for all.
        forms: such as ``graphite/natural``: records whose codes name the form, and records without codes that
            name its material; None for all.
        materials: such as ``graphite``; None for all.
        kinds: of :data:`KINDS`; None for all.
        sides: of :data:`SIDES`; None for all.
        against: countries that a record must hit: it names them, or names nobody and so means everyone.
        since: records announced, or else in force, on this day or later.
        until: records announced, or else in force, on this day or before.
        dataset: name of a data set, or several; None for every data set of policies in ``folder``.
        folder: folder of the user's store.
        as_of: what was knowable on this day (law 11).

    Returns:
        Result ``policies`` with table ``policies``: the columns of that table in ``schema.csv`` and
        ``dataset``; ``rate`` is a fraction.  In the order of day, record and who acts.

    Raises:
        NotCoveredError: no policies were added, or none was knowable.
        UnknownNameError: a data set, country, form, material, kind or side that is not there.
    """
    known_on = day(as_of)
    names = [dataset] if isinstance(dataset, str) else list(dataset or datasets("policies", folder))
    if not names:
        raise NotCoveredError(
            "no policies were added", cure="Add a publisher's file: evernormal data add gta FILE."
        )
    findings: list[Finding] = []
    found = [_rows(name, folder, known_on, findings) for name in names]
    read = [pair for pair in found if pair is not None]
    if not read:
        raise NotCoveredError(f"none of the policies that were added was knowable on {known_on}")
    rows = pl.concat([table for table, _ in read])
    chosen = _chosen(rows, by, forms, materials, kinds, sides, against)
    chosen = _between(chosen, day(since), day(until), findings)
    chosen = chosen.sort("_day", "record", "by", "dataset", nulls_last=True, maintain_order=True).drop("_day")
    call = {"as_of": str(known_on) if known_on else None, "by": _listed(by), "forms": _listed(forms)}
    from evernormal import __version__  # noqa: PLC0415

    lineage = Lineage(__version__, tuple(pinned for _, pinned in read), call=call)
    return Result(
        "policies", {"policies": chosen}, {"policies": {"rate": "fraction"}}, lineage, tuple(findings)
    )


def _listed(names: Names) -> list[str] | None:
    return None if names is None else [names] if isinstance(names, str) else list(names)


def _rows(
    name: str, folder: str | Path | None, known_on: date | None, findings: list[Finding]
) -> tuple[pl.DataFrame, Input] | None:
    """Return the rows of one data set as they were knowable, None when none was."""
    if folder is None:
        raise InputError(f"data set {name!r} needs the folder of the store", cure="Give folder=...")
    mine = [v for v in vintages(folder) if v.kind == "policies"]
    named = [v for v in mine if v.dataset == name]
    if not named:
        raise UnknownNameError("data set of kind policies", name, {v.dataset for v in mine})
    in_time = [v for v in named if known_on is None or v.as_of <= str(known_on)]
    if in_time:
        used = max(in_time, key=lambda v: (v.as_of, v.sequence))
    else:
        used = min(named, key=lambda v: (v.as_of, v.sequence))
    wanted = [column.name for column in public_columns("policies")]
    rows = scan(used).select(wanted).collect()
    if known_on is not None:
        rows = rows.filter(pl.col("as_of") <= known_on)
        rows = _without_later(rows, known_on, ends=not in_time)
    if not in_time:
        if rows.is_empty():
            return None
        text = (
            f"{name} was added as of {used.as_of}, later than {known_on}: of it only what was announced by"
            " then is used, without ends and suspensions that came later; the wording is of the later day."
        )
        findings.append(Finding("vintage-later", "caution", text, {"dataset": name, "as_of": used.as_of}))
    return rows.with_columns(dataset=pl.lit(name)), used.as_input()


def _without_later(rows: pl.DataFrame, known_on: date, *, ends: bool) -> pl.DataFrame:
    """Return rows without suspensions that began after a day, and on demand without ends after it."""
    known = pl.col("suspended") <= known_on
    masked = [pl.when(known).then(pl.col(name)).alias(name) for name in ("suspended", "resumes")]
    if ends:
        masked.append(pl.when(pl.col("ends") <= known_on).then(pl.col("ends")).alias("ends"))
    return rows.with_columns(masked)


def _chosen(
    rows: pl.DataFrame, by: Names, forms: Names, materials: Names, kinds: Names, sides: Names, against: Names
) -> pl.DataFrame:
    """Keep what was asked for; a name that nothing can have is an error."""
    wanted_by, wanted_against = _listed(by), _listed(against)
    if wanted_by is not None:
        rows = rows.filter(pl.col("by").is_in(check_iso3(wanted_by, where="by")))
    if wanted_against is not None:
        hits = [_holds("against", code) for code in check_iso3(wanted_against, where="against")]
        rows = rows.filter(pl.any_horizontal(hits) | pl.col("against").is_null())
    for column, wanted, known in (("kind", _listed(kinds), KINDS), ("side", _listed(sides), SIDES)):
        for name in wanted or ():
            if name not in known:
                raise UnknownNameError(column, name, known)
        if wanted is not None:
            rows = rows.filter(pl.col(column).is_in(wanted))
    wanted_forms, wanted_materials = _listed(forms), _listed(materials)
    if wanted_forms is not None:
        rows = rows.filter(pl.any_horizontal([_about(_checked_form(name)) for name in wanted_forms]))
    if wanted_materials is not None:
        for name in wanted_materials:
            _checked_material(name)
        rows = rows.filter(pl.any_horizontal([_holds("materials", name) for name in wanted_materials]))
    return rows


def _holds(column: str, name: str) -> pl.Expr:
    """Whether a list joined by semicolons holds a name."""
    return pl.col(column).str.contains(rf"(^|;){re.escape(name)}(;|$)").fill_null(value=False)


def _about(form: str) -> pl.Expr:
    """Whether a record is about a form: by its codes, or by its material where no code is of a form."""
    material = form.partition("/")[0]
    return _holds("forms", form) | (pl.col("forms").is_null() & _holds("materials", material))


def _checked_form(name: str) -> str:
    from evernormal.data.publishers.firm_layout import form_names  # noqa: PLC0415 - a small table

    if name not in form_names():
        raise UnknownNameError("form", name, form_names())
    return name


def _checked_material(name: str) -> str:
    from evernormal.data.publishers.firm_layout import form_names  # noqa: PLC0415 - a small table

    known = {form.partition("/")[0] for form in form_names()}
    if name not in known:
        raise UnknownNameError("material", name, known)
    return name


def _between(
    rows: pl.DataFrame, since: date | None, until: date | None, findings: list[Finding]
) -> pl.DataFrame:
    """Keep records of a period; a record without a day is known by its year only and told."""
    rows = rows.with_columns(_day=pl.coalesce("announced", "effective"))
    if since is None and until is None:
        return rows
    dated = pl.col("_day").is_not_null()
    undated = rows.filter(~dated)
    if undated.height:
        text = f"{undated.height} records without a day are placed by the end of the year that they name."
        findings.append(Finding("records-without-day", "info", text, {"records": undated.height}))
    moment = pl.coalesce("_day", "as_of")
    if since is not None:
        rows = rows.filter(moment >= since)
    return rows if until is None else rows.filter(moment <= until)
