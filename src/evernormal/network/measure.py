"""What every measure has: who acts against whom, which forms, when; and the checked types of a scenario file.

**Dates.** Each date is the *first day* of a new state: from ``effective`` on the measure is in force, from
``suspended`` on it is not, from ``resumes`` on it is again, from ``ends`` on it never is.  A measure without
``ends`` stays.  A measure becomes known when it is ``announced``, a suspension on the day it begins.

**Hardness** is a number or a range (:class:`~evernormal.network.uncertain.Uncertain`).

**Who.** ``by`` acts on what it ships to ``against`` (nobody named: everyone) except ``exempt``; ``focal``
stands for the scenario's focal country.  A tariff is the one exception: ``by`` levies it on what it buys from
``against``.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from evernormal.errors import InputError
from evernormal.network.known import (
    FOCAL,
    check_actor,
    check_corridor,
    check_country,
    check_form,
    check_party,
    check_region,
    refuse,
)
from evernormal.network.uncertain import Uncertain, Within
from evernormal.result import Parameter

__all__ = [
    "Actor",
    "Corridor",
    "Country",
    "Day",
    "Form",
    "Measure",
    "Model",
    "Parties",
    "Party",
    "Region",
    "Share",
    "Text",
    "Texts",
    "Tonnes",
    "as_sequence",
    "exactly_one",
    "months_later",
    "valid_day",
]

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2200, 12, 31)


def parse_day(value: object) -> date:
    """Return a date from a date or from text in the form YYYY-MM-DD."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return _within_calendar(value)
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    parts = re.fullmatch(r"(\d{4})[-/. ]?(\d{1,2})[-/. ]?(\d{1,2})", text)
    if not parts:
        refuse(f"must be a date, got {value!r}", "Write year-month-day, such as 2024-01-31.")
    year, month, day = (int(part) for part in parts.groups())
    if not (1 <= month <= 12 and 1 <= day <= 31 and year >= 1):
        refuse(f"no such date: {text}", "Write year-month-day, such as 2024-01-31.")
    last = calendar.monthrange(year, month)[1]
    right = f"{year:04}-{month:02}-{min(day, last):02}"
    if day > last:
        refuse(f"no such date: {text}", f"The month ends on {right}.")
    if text != right or not isinstance(value, str):
        refuse(f"must be a date, got {text}", f"Write {right}.")
    return _within_calendar(date(year, month, day))


def valid_day(value: object) -> date | None:
    """Return the date that ``value`` says, None when it says none."""
    try:
        return parse_day(value)
    except ValueError:
        return None


def _within_calendar(day: date) -> date:
    if not FIRST_DAY <= day <= LAST_DAY:
        refuse(f"date {day} is not between {FIRST_DAY} and {LAST_DAY}")
    return day


def as_sequence(value: object) -> object:
    """Let a list stand for a tuple; refuse what looks like a forgotten list."""
    if isinstance(value, str):
        refuse(f"must be a list, got {value!r}", f"Write [{value}].")
    return tuple(value) if isinstance(value, list) else value


def _distinct(value: tuple[str, ...]) -> tuple[str, ...]:
    twice = sorted({item for item in value if value.count(item) > 1})
    if twice:
        refuse(f"{', '.join(map(repr, twice))} is listed twice", "List each once.")
    return value


def _printable(text: str) -> str:
    for character in text:
        if not character.isprintable() and character not in "\n ":
            refuse(f"holds the control character U+{ord(character):04X}", "Remove it.")
    return text


Text = Annotated[str, StringConstraints(max_length=4000), AfterValidator(_printable)]
Day = Annotated[date, BeforeValidator(parse_day)]
Slug = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80)]
Country = Annotated[str, AfterValidator(check_country)]
Party = Annotated[str, AfterValidator(check_party)]
Region = Annotated[str, AfterValidator(check_region)]
Actor = Annotated[Text, AfterValidator(check_actor)]
Form = Annotated[str, AfterValidator(check_form)]
Corridor = Annotated[str, AfterValidator(check_corridor)]
Parties = Annotated[tuple[Party, ...], BeforeValidator(as_sequence), AfterValidator(_distinct)]
Forms = Annotated[tuple[Form, ...], BeforeValidator(as_sequence), AfterValidator(_distinct)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(as_sequence), AfterValidator(_distinct)]
Share = Annotated[Uncertain, Within(0, 1, "share")]
Tonnes = Annotated[Uncertain, Within(0, None, "t contained")]


class Model(BaseModel):
    """Base of everything in a scenario file: frozen, no unknown keys, no silent conversion."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _document_measure(schema: dict[str, Any]) -> None:
    """Say in the JSON Schema that ``kind`` must be written and what is made when left out."""
    schema["properties"]["kind"].pop("default", None)
    schema["properties"]["kind"]["description"] = "Kind of measure."
    schema["properties"]["id"].pop("default", None)
    schema["properties"]["announced"].pop("default", None)
    schema["required"] = ["kind", *schema.get("required", [])]


class Measure(Model):
    """One dated act by someone; the base of every kind."""

    model_config = ConfigDict(json_schema_extra=_document_measure)

    targeted: ClassVar[bool] = True
    """Whether ``against`` and ``exempt`` mean anything for this kind."""

    kind: str
    id: Slug = Field(
        default="", description="Unique within the scenario; made from kind, by and effective when left out."
    )
    by: str = Field(description="Who acts.")
    against: Parties = Field(
        default=(),
        description="Against whom: ISO 3166 alpha-3 codes or 'focal'; empty means everyone.",
    )
    exempt: Parties = Field(default=(), description="Who is spared: ISO 3166 alpha-3 codes or 'focal'.")
    forms: Forms = Field(default=(), description="Forms concerned; empty means the scenario's form.")
    effective: Day = Field(description="First day in force (ISO 8601 date).")
    announced: Day = Field(
        default=FIRST_DAY,
        description="Day on which it becomes known; the effective day when left out (ISO 8601 date).",
    )
    suspended: Day | None = Field(
        default=None, description="First day of a suspension, known from that day on (ISO 8601 date)."
    )
    resumes: Day | None = Field(
        default=None, description="First day in force again after a suspension (ISO 8601 date)."
    )
    ends: Day | None = Field(
        default=None, description="First day on which it is over; left out: it stays (ISO 8601 date)."
    )
    source: Text = Field(default="", description="Where this measure is documented, or 'assumption: why'.")
    note: Text = Field(default="", description="What a reader must know.")

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, data: Any) -> Any:
        """Make the id from kind, by and effective, and announce on the effective day, where not said."""
        if not isinstance(data, Mapping):
            return data
        filled = dict(data)
        if not data.get("id"):
            kind, by = (data.get(name, cls.model_fields[name].default) for name in ("kind", "by"))
            words = re.sub(r"[^a-z0-9]+", "-", f"{kind} {by} {data.get('effective')}".lower()).strip("-")
            filled["id"] = words[:80] or "measure"
        if data.get("announced") is None:
            filled["announced"] = valid_day(data.get("effective"))
        return {key: value for key, value in filled.items() if key != "announced" or value is not None}

    @field_validator("against", "exempt")
    @classmethod
    def _check_targets(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        by, against = info.data.get("by"), info.data.get("against", ())
        if value and not cls.targeted:
            refuse(f"a {_kind_of(cls)} has no target", f"Remove {info.field_name!r}.")
        if info.field_name == "against" and by in value:
            refuse(f"{by!r} acts against itself", f"Remove {by!r} or name another 'by'.")
        both = sorted(set(value) & set(against)) if info.field_name == "exempt" else []
        if both:
            refuse(f"{', '.join(map(repr, both))} is both a target and exempt", "Keep one of the two.")
        return value

    @field_validator("announced", "suspended", "resumes", "ends")
    @classmethod
    def _check_dates(cls, value: date | None, info: ValidationInfo) -> date | None:
        """``announced <= effective <= suspended < resumes <= ends`` and ``effective < ends``."""
        effective = info.data.get("effective")
        if value is None or effective is None:
            return value
        suspended: date | None = info.data.get("suspended")
        resumes: date | None = info.data.get("resumes")
        name = info.field_name
        if name == "announced" and value > effective:
            refuse(
                f"announced {value} is after effective {effective}",
                f"Write {effective} or earlier, or leave it out.",
            )
        if name == "suspended" and value < effective:
            refuse(f"suspended {value} is before effective {effective}", f"Write {effective} or later.")
        if name == "resumes" and suspended is None:
            refuse(f"resumes {value} but nothing was suspended", "Add 'suspended' or remove 'resumes'.")
        if name == "resumes" and suspended is not None and value <= suspended:
            refuse(f"resumes {value} is not after suspended {suspended}", "Write a later day.")
        if name == "ends" and value <= effective:
            refuse(
                f"ends {value} is not after effective {effective}",
                "Write a later day: the first on which it is over.",
            )
        for other, day in (("suspended", suspended), ("resumes", resumes)):
            if name == "ends" and day is not None and value < day:
                refuse(f"ends {value} is before {other} {day}", f"Write {day} or later, or remove {other!r}.")
        return value

    def window(self) -> tuple[tuple[date, date | None], ...]:
        """Return the periods in force as (first day, first day after); None: without end."""
        if self.suspended is None:
            periods: list[tuple[date, date | None]] = [(self.effective, self.ends)]
        else:
            periods = [(self.effective, self.suspended)]
            if self.resumes is not None:
                periods.append((self.resumes, self.ends))
        return tuple((first, after) for first, after in periods if after is None or first < after)

    def in_force(self, day: date) -> bool:
        """Return whether the measure is in force on ``day``.

        >>> from evernormal.network.measures import Ban
        >>> measure = Ban(by="CHN", against=["USA"], severity=1, effective=date(2024, 12, 3),
        ...               suspended=date(2025, 11, 9), resumes=date(2026, 11, 28))
        >>> measure.in_force(date(2024, 12, 3)), measure.in_force(date(2025, 11, 9))
        (True, False)
        """
        return any(first <= day and (after is None or day < after) for first, after in self.window())

    def share_in_force(self, month_start: date) -> float:
        """Return the share of the days of a month (0..1) on which the measure is in force (equation E38).

        Args:
            month_start: first day of the month.

        Raises:
            InputError: not the first day of a month.

        >>> from evernormal.network.measures import Ban
        >>> Ban(by="CHN", severity=1, effective=date(2024, 9, 16)).share_in_force(date(2024, 9, 1))
        0.5
        """
        if month_start.day != 1:
            raise InputError(
                f"{month_start} is not the first day of a month", cure=f"Give {month_start.replace(day=1)}."
            )
        days = calendar.monthrange(month_start.year, month_start.month)[1]
        first, after = month_start.toordinal(), month_start.toordinal() + days
        covered = sum(
            max(0, min(after, end.toordinal() if end else after) - max(first, begin.toordinal()))
            for begin, end in self.window()
        )
        return covered / days

    def as_known(self, day: date) -> Self | None:
        """Return the measure as it was known on ``day``: None before it is announced (law 11).

        The end is known with the announcement; a suspension and what follows it from its first day on.
        """
        if day < self.announced:
            return None
        if self.suspended is not None and day < self.suspended:
            return self.model_copy(update={"suspended": None, "resumes": None})
        return self

    def hardness(self) -> dict[str, Uncertain]:
        """Return every number of the measure that may be a range, by field name in alphabetical order."""
        values = {name: getattr(self, name) for name in sorted(type(self).model_fields)}
        return {name: value for name, value in values.items() if isinstance(value, Uncertain)}

    def drawn(self, rng: np.random.Generator) -> Self:
        """Return a copy with one value drawn for every range, fields taken in alphabetical order."""
        return self._with_hardness(lambda value: value.sample(rng))

    def central(self) -> Self:
        """Return a copy with the central value of every range."""
        return self._with_hardness(Uncertain.central)

    def _with_hardness(self, pick: Callable[[Uncertain], float]) -> Self:
        return self.model_copy(update={name: Uncertain.of(pick(u)) for name, u in self.hardness().items()})

    def measured(self, focal: str, form: str) -> tuple[Parameter, ...]:
        """Return the numbers that are left out and that the record of earlier acts says; none for most
        kinds."""
        return ()

    def filled(self, focal: str, form: str) -> Self:
        """Return a copy in which no number is left out that the record of earlier acts says."""
        found = {p.name: Uncertain(p.low, p.high, p.value) for p in self.measured(focal, form)}
        return self.model_copy(update=found) if found else self

    def resolved(self, focal: str, form: str) -> Self:
        """Return a copy in which ``focal`` is a country, ``forms`` is never empty and no number is left out.

        Raises:
            InputError: the measure would then act against itself.
        """
        update: dict[str, Any] = {"forms": self.forms or (form,)}
        for name in ("by", "partner"):
            if getattr(self, name, None) == FOCAL:
                update[name] = focal
        for name in ("against", "exempt", "regions", "members", "partners", "through"):
            named = getattr(self, name, ())
            if FOCAL in named:
                update[name] = tuple(dict.fromkeys(focal if item == FOCAL else item for item in named))
        copy = self.filled(focal, form).model_copy(update=update)
        if copy.by in copy.against:
            raise InputError(
                f"measure {self.id!r} is an act of {focal} and would hit {focal} itself",
                where=f"focal {focal}",
                cure="Choose another focal country or another 'by'.",
            )
        return copy


def _kind_of(cls: type[Measure]) -> str:
    return str(cls.model_fields["kind"].default).replace("_", " ")


def exactly_one(value: Uncertain | None, info: ValidationInfo, other: str) -> Uncertain | None:
    """Return ``value`` when it or the field ``other`` is given, not both."""
    if other in info.data and (value is None) == (info.data[other] is None):
        said = "neither" if value is None else "both"
        refuse(f"{said} {other} and {info.field_name} given", f"Write one of {other} and {info.field_name}.")
    return value


def months_later(day: date, months: int) -> date:
    """Return the same day of the month ``months`` later, or the last day of that month."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
