"""Records of policies as measures of a scenario, and why a record cannot be one.

A record becomes a measure when it says who acts at which border on what from which day, and its kind is one
that the scenario model has.  How hard it bites is what the record says (a rate, a cut of a quota), else what
earlier acts of the kind did (:mod:`evernormal.network.policy_hardness`).  Every record that is not made a
measure is listed with its reason.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import ValidationError

from evernormal.data import policies
from evernormal.data.schema import day as day_of
from evernormal.errors import InputError, UnknownNameError
from evernormal.network.known import FOCAL, check_country
from evernormal.network.measures import KINDS, AnyMeasure, Measure
from evernormal.network.policy_acts import Act, Refusal, act_of
from evernormal.network.policy_hardness import hardness_of, table_hash
from evernormal.result import Derivation, Finding, Input, Lineage, Parameter, Result

__all__ = ["measures_from_policies"]

_SAME_ACT = timedelta(days=31)
_MANY = 6
"""So many countries named as affected are everyone who buys, not a target."""

_COLUMNS = (
    *("id", "kind", "by", "against", "forms", "announced", "effective", "suspended", "resumes", "ends"),
    *("hardness", "grade", "records", "url", "note", "definition"),
)
_DATES = frozenset({"announced", "effective", "suspended", "resumes", "ends"})


@dataclass
class _Made:
    """One act that becomes a measure, and the records that tell of it."""

    act: Act
    records: list[str] = field(default_factory=list)


def measures_from_policies(
    records: pl.DataFrame | str | Sequence[str] | None,
    focal: str,
    forms: str | Iterable[str],
    start: str,
    *,
    months: int = 24,
    base_year: int | None = None,
    whole_years: bool = False,
    folder: str | Path | None = None,
    as_of: date | str | None = None,
) -> Result:
    """Return the measures that records of policies make for a scenario.

    Args:
        records: rows of :func:`evernormal.data.policies`; or the name of a data set, or several; None for
            every data set of policies in ``folder``.
        focal: focal country of the scenario: ISO 3166 alpha-3.
        forms: forms that the scenario is about.
        start: first month of the horizon, like ``2023-10``.
        months: length of the horizon.
        base_year: year of the base picture, by default the year before ``start``: what was in force before
            it is in its trade already.
        whole_years: let the last day of a year stand where only the year of an act is known.
        folder: folder of the user's store.
        as_of: use only what was announced on this day or before (law 11).

    Returns:
        Result ``policy-measures`` with tables ``measures`` (one row per measure; ``hardness`` in words,
        ``records`` that tell of it, ``definition`` as JSON that a scenario file takes) and ``unmade``
        (record, by, kind, side, title, reason, why).

    Raises:
        UnknownNameError: a form or a data set that does not exist.
        InputError: a focal country, month or base year that is none.
        NotCoveredError: no policies were added, or none was knowable.
    """
    names = [forms] if isinstance(forms, str) else list(forms)
    frame = _frame(names, focal, start, months, base_year)
    known_on = day_of(as_of)
    rows, findings, inputs = _records(records, folder, known_on)
    made: list[_Made] = []
    unmade: list[dict[str, Any]] = []
    order = ["announced", "effective", "record", "by", "source", "title"]
    for row in rows.sort(*[c for c in order if c in rows.columns], nulls_last=True).iter_rows(named=True):
        found = act_of(row, names, focal, whole_years=whole_years)
        acts = [found] if isinstance(found, Refusal) else list(found)
        for act in acts:
            refusal = act if isinstance(act, Refusal) else _misfit(act, frame)
            if refusal is not None:
                unmade.append(_listed(row, refusal))
            elif not isinstance(act, Refusal):
                _add(made, act, row, unmade)
    tables, parameters = _tables(made, unmade, focal, known_on)
    findings += _told(tables, known_on)
    return Result(
        "policy-measures",
        tables,
        {},
        _lineage(inputs, parameters, focal, names, start, known_on),
        tuple(findings),
    )


# --- records -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Frame:
    """Horizon and base year of the scenario."""

    first: date
    after: date
    base_year: int


def _frame(forms: Sequence[str], focal: str, start: str, months: int, base_year: int | None) -> _Frame:
    from evernormal.network.forms import form_names  # noqa: PLC0415  (heavy tables load only when needed)

    for name in forms:
        if name not in form_names():
            raise UnknownNameError("form", name, form_names())
    try:
        check_country(focal)
    except ValueError as error:
        raise InputError(str(error), where="focal") from None
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", start):
        raise InputError(f"{start!r} is no month", where="start", cure="Write it like 2023-10.")
    if not 1 <= months <= 60:
        raise InputError(f"months must be 1 to 60, got {months}", where="months")
    year, month = int(start[:4]), int(start[5:])
    end = year * 12 + month - 1 + months
    base = base_year if base_year is not None else year - 1
    if base > year:
        raise InputError(f"base_year {base} is after the start {start}", where="base_year")
    return _Frame(date(year, month, 1), date(end // 12, end % 12 + 1, 1), base)


def _records(
    records: pl.DataFrame | str | Sequence[str] | None, folder: str | Path | None, known_on: date | None
) -> tuple[pl.DataFrame, list[Finding], tuple[Input, ...]]:
    """Return rows as they were knowable; what was announced later is left out and counted."""
    if not isinstance(records, pl.DataFrame):
        found = policies(dataset=records, folder=folder, as_of=known_on)
        return found["policies"], list(found.findings), found.lineage.inputs
    missing = [
        name
        for name in ("record", "by", "kind", "side", "announced", "effective")
        if name not in records.columns
    ]
    if missing:
        raise InputError(
            f"the records have no column {', '.join(missing)}",
            where="records",
            cure="Give the table `policies` of evernormal.data.policies.",
        )
    if known_on is None:
        return records, [], ()
    known = records.filter(pl.col("as_of") <= known_on)
    suspended = pl.col("suspended") <= known_on
    known = known.with_columns(
        *(pl.when(suspended).then(pl.col(name)).alias(name) for name in ("suspended", "resumes")),
        pl.when(pl.col("ends") <= known_on).then(pl.col("ends")).alias("ends"),
    )
    later = records.height - known.height
    text = f"{later} records were not known on {known_on} and are not used."
    told = [Finding("policy-records-later", "info", text, {"records": later})] if later else []
    return known, told, ()


def _misfit(act: Act, frame: _Frame) -> Refusal | None:
    """Return why an act has no place in the scenario, None when it has one."""
    if act.effective.year < frame.base_year:
        return Refusal(
            "in-base-year", f"in force since {act.effective}: the trade of {frame.base_year} has it already"
        )
    if act.ends is not None and act.ends <= frame.first:
        return Refusal("over", f"ended on {act.ends}, before the horizon")
    if act.effective >= frame.after:
        return Refusal("later-than-horizon", f"in force from {act.effective}, after the horizon")
    pause = act.suspended
    if pause is not None and pause <= frame.first and (act.resumes is None or act.resumes >= frame.after):
        return Refusal("suspended", f"suspended from {pause} over the whole horizon")
    return None


def _add(made: list[_Made], act: Act, row: Mapping[str, Any], unmade: list[dict[str, Any]]) -> None:
    """Add an act, or join it to the same act that another record tells of."""
    for other in made:
        if _is_same(other.act, act):
            other.act = _joined(other.act, act)
            other.records.append(act.record)
            why = f"the same act as record {other.records[0]}, to which it is joined"
            unmade.append(_listed(row, Refusal("same-act", why)))
            return
    made.append(_Made(act, [act.record]))


def _is_same(one: Act, other: Act) -> bool:
    """Whether two records tell of one act: same kind, actor and target, days at most a month apart."""
    if (one.kind, one.by) != (other.kind, other.by) or not set(one.forms) & set(other.forms):
        return False
    if one.against and other.against and not set(one.against) & set(other.against):
        return False
    if bool(one.against) != bool(other.against) and max(len(one.against), len(other.against)) < _MANY:
        return False
    near = [
        abs(a - b) <= _SAME_ACT
        for a, b in ((one.announced, other.announced), (one.effective, other.effective))
    ]
    return all(near)


def _joined(one: Act, other: Act) -> Act:
    """Return an act with the exact days of the record that has them, and what only the other says."""
    exact, rest = (one, other) if one.exact >= other.exact else (other, one)
    by_code = one if one.by_code >= other.by_code else other
    return replace(
        exact,
        forms=by_code.forms,
        by_code=by_code.by_code,
        suspended=exact.suspended or rest.suspended,
        resumes=exact.resumes or rest.resumes,
        ends=exact.ends or rest.ends,
        hard={**rest.hard, **exact.hard},
        url=exact.url or rest.url,
        notes=tuple(dict.fromkeys((*exact.notes, *rest.notes))),
    )


def _listed(row: Mapping[str, Any], refusal: Refusal) -> dict[str, Any]:
    return {
        **{name: row[name] for name in ("record", "by", "kind", "side")},
        "title": row.get("title") or "",
        "reason": refusal.reason,
        "why": refusal.why,
    }


# --- measures ----------------------------------------------------------------------------------


def _tables(
    made: list[_Made], unmade: list[dict[str, Any]], focal: str, known_on: date | None
) -> tuple[dict[str, pl.DataFrame], tuple[Parameter, ...]]:
    rows: list[dict[str, Any]] = []
    parameters: list[Parameter] = []
    taken: Counter[str] = Counter()
    for one in sorted(made, key=lambda m: (m.act.effective, m.act.by, m.act.kind, m.act.record)):
        hard, told = _hardness(one.act, known_on)
        try:
            measure = _measure(one, hard, told, taken, focal)
        except ValidationError as error:
            why = "; ".join(str(problem["msg"]) for problem in error.errors())
            row = {"record": one.act.record, "by": one.act.by, "kind": one.act.kind, "side": one.act.side}
            unmade.append(_listed(row | {"title": one.act.title}, Refusal("invalid", why)))
            continue
        plain = _plain(measure)
        parameters += [replace(p, name=f"{measure.id} {p.name}") for p in told]
        grades = [p.grade for p in told] or ["B"]
        rows.append(
            {
                name: plain.get(name)
                for name in _COLUMNS
                if name not in ("hardness", "grade", "records", "url")
            }
            | {"against": ";".join(measure.against) or None, "forms": ";".join(measure.forms)}
            | {name: getattr(measure, name) for name in _DATES}
            | {
                "hardness": "; ".join(f"{k} {_words(v)}" for k, v in sorted(hard.items())),
                "grade": max(grades),
            }
            | {"records": ";".join(one.records), "url": one.act.url}
            | {"definition": json.dumps(plain, ensure_ascii=False, sort_keys=False)}
        )
    schema = {name: pl.Date() if name in _DATES else pl.String() for name in _COLUMNS}
    listed = {name: pl.String() for name in ("record", "by", "kind", "side", "title", "reason", "why")}
    tables = {
        "measures": pl.DataFrame([{name: row.get(name) for name in _COLUMNS} for row in rows], schema=schema),
        "unmade": pl.DataFrame(unmade, schema=listed).sort("reason", "record", "by", maintain_order=True),
    }
    return tables, tuple(parameters)


def _hardness(act: Act, known_on: date | None) -> tuple[dict[str, Any], list[Parameter]]:
    """Return the numbers of a measure, as the record says them or else as earlier acts of the kind did."""
    hard: dict[str, Any] = dict(act.hard)
    told = [
        Parameter(name, value, value, value, "fraction", "B", f"record {act.record}: {act.title[:200]}")
        for name, value in act.hard.items()
    ]
    for parameter in hardness_of(act.kind, act.acts or act.by, act.forms[0], known_on):
        if parameter.name not in hard:
            hard[parameter.name] = _range(parameter)
            told.append(parameter)
    return hard, told


def _range(parameter: Parameter) -> float | dict[str, float]:
    if parameter.low == parameter.high:
        return parameter.value
    return {"low": parameter.low, "mode": parameter.value, "high": parameter.high}


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{value['low']:g} to {value['high']:g}, mode {value['mode']:g}"
    return f"{value:g}"


def _measure(
    one: _Made, hard: Mapping[str, Any], told: Sequence[Parameter], taken: Counter[str], focal: str
) -> Measure:
    act = one.act
    by = FOCAL if act.by == focal and act.kind == "tariff" else act.by
    words = f"{act.kind}-{act.by}-{act.effective}".lower()
    taken[words] += 1
    name = words if taken[words] == 1 else f"{words}-{taken[words]}"
    source = f"{act.source}, record {', '.join(one.records)}: {act.title}"
    grounds = " ".join(f"{p.name} ({p.grade}): {p.source}." for p in told)
    note = " ".join(filter(None, (grounds, *(f"{text}." for text in act.notes))))
    fields: dict[str, Any] = {
        "id": name,
        "by": by,
        "against": [code for code in act.against if code != by],
        "forms": list(act.forms),
        "announced": act.announced,
        "effective": act.effective,
        "suspended": act.suspended,
        "resumes": act.resumes,
        "ends": act.ends,
        "source": source[:3900],
        "note": note[:3900],
        **hard,
    }
    return KINDS[act.kind](**{key: value for key, value in fields.items() if value not in (None, [])})


def _plain(measure: AnyMeasure | Measure) -> dict[str, Any]:
    """Return a measure as plain data, without what is empty, as a scenario file writes it."""
    plain = json.loads(measure.model_dump_json())
    return {key: value for key, value in plain.items() if value not in (None, "", [])}


def _told(tables: Mapping[str, pl.DataFrame], known_on: date | None) -> list[Finding]:
    unmade = tables["unmade"]
    found = []
    counts = Counter(unmade["reason"].to_list())
    if counts:
        shown = ", ".join(f"{reason} {number}" for reason, number in sorted(counts.items()))
        text = f"{unmade.height} records became no measure of their own: {shown}."
        values = {"records": unmade.height, "reasons": dict(sorted(counts.items()))}
        found.append(Finding("policy-records-unmade", "info", text, values))
    assumed = tables["measures"].filter(pl.col("grade") == "C")
    if assumed.height:
        shown = ", ".join(assumed["id"][:5])
        text = f"How hard {assumed.height} measures bite is partly an assumption: {shown}."
        found.append(
            Finding(
                "policy-hardness-assumed",
                "caution",
                text,
                {"measures": assumed.height, "ids": list(assumed["id"])},
            )
        )
    if tables["measures"].is_empty():
        when = f" by {known_on}" if known_on else ""
        text = f"No record became a measure{when}: the scenario is the base scenario."
        found.append(Finding("policy-no-measure", "caution", text, {}))
    return found


def _lineage(
    inputs: tuple[Input, ...],
    parameters: tuple[Parameter, ...],
    focal: str,
    forms: Sequence[str],
    start: str,
    known_on: date | None,
) -> Lineage:
    from evernormal import __version__  # noqa: PLC0415

    table = Input(
        "policy_hardness", table_hash(), "evernormal, measured effects of restrictions; each row its source"
    )
    text = "What the record says, else what earlier acts of the kind did to exports."
    return Lineage(
        __version__,
        (*inputs, table),
        parameters,
        (Derivation("measures", "hardness", "", (), text),),
        call={
            "focal": focal,
            "forms": list(forms),
            "start": start,
            "as_of": str(known_on) if known_on else None,
        },
    )
