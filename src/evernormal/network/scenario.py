"""Scenarios: focal country, base year, horizon, measures, policies, uncertainty and seed in one YAML file.

Python, the command line and the web desk build the same object.  The file format is published as a JSON
Schema (:func:`scenario_schema`); an error in a file names file, line, column, key and the nearest right
value, all errors at once.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
import yaml
from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from evernormal.errors import UnknownNameError
from evernormal.network.known import refuse
from evernormal.network.measure import Country, Form, Measure, Model, Text, Texts, as_sequence
from evernormal.network.measures import AnyMeasure, describe
from evernormal.network.scenario_fit import misfits, month_start
from evernormal.network.scenario_problems import problems_of, raise_problems
from evernormal.network.yaml_reader import Document, Problem, core_tag, read_bytes, read_yaml
from evernormal.result import Parameter

__all__ = [
    "Scenario",
    "Source",
    "Uncertainty",
    "Words",
    "load_scenario",
    "read_scenario",
    "scenario_from",
    "scenario_names",
    "scenario_schema",
]

SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SHIPPED = "scenarios"


def _or_text(schema: dict[str, Any]) -> None:
    """Say in the JSON Schema that plain text stands for the English."""
    block = dict(schema)
    schema.clear()
    schema["anyOf"] = [{"type": "string", "minLength": 1}, block]


class Words(Model):
    """A text in English and Korean."""

    model_config = ConfigDict(json_schema_extra=_or_text)

    en: Text = Field(min_length=1, description="English.")
    ko: Text = Field(default="", description="Korean; the English text stands in where it is left out.")

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"en": value} if isinstance(value, str) else value

    def __getitem__(self, language: str) -> str:
        """Return the text in ``en`` or ``ko``."""
        if language not in {"en", "ko"}:
            raise UnknownNameError("language", language, ("en", "ko"))
        return self.ko or self.en if language == "ko" else self.en


class Source(Model):
    """Where a scenario is documented."""

    title: Text = Field(min_length=1, description="Title of the document, or 'assumption'.")
    reference: Text = Field(min_length=1, description="Address, document number, or why it is assumed.")


class Uncertainty(Model):
    """How the range of the results is made."""

    draws: int = Field(
        default=200,
        ge=0,
        le=100_000,
        description="Draws of parameters and hardness; 0 for none.",
        json_schema_extra={"unit": "draws"},
    )


Month = Annotated[str, StringConstraints(strip_whitespace=False)]


def _check_month(value: str) -> str:
    parts = re.fullmatch(r"(\d{4})[-/.]?(\d{1,2})([-/.]\d{1,2})?", value.strip())
    if not parts or not 1 <= int(parts[2]) <= 12 or not 1900 <= int(parts[1]) <= 2200:
        refuse(f"must be a month, got {value!r}", "Write year-month, such as 2024-01.")
    right = f"{parts[1]}-{int(parts[2]):02}"
    if value != right:
        refuse(f"must be a month, got {value!r}", f"Write {right}.")
    return value


def _check_name(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", value):
        right = re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-")
        refuse(
            f"must be lower-case words joined by hyphens, got {value!r}", f"Write {right!r}." if right else ""
        )
    return value


class Scenario(Model):
    """One question to the model: who does what to whom, when and how hard.

    >>> scenario = load_scenario("lithium-hydroxide-100")
    >>> scenario.form, scenario.focal, scenario.month_starts[0]
    ('lithium/hydroxide', 'KOR', datetime.date(2024, 1, 1))
    """

    name: Annotated[Text, AfterValidator(_check_name)] = Field(
        min_length=1, max_length=80, description="Lower-case words joined by hyphens."
    )
    title: Words = Field(description="One line in English and Korean.")
    description: Words = Field(
        default=Words(en="-"),
        description="What is assumed and why, in English and Korean; the title when left out.",
    )
    form: Form = Field(description="The form that the question is about, such as lithium/hydroxide.")
    focal: Country = Field(description="The country whose supply is asked about: ISO 3166 alpha-3.")
    base_year: int = Field(
        ge=1990, le=2100, description="Year of the base picture.", json_schema_extra={"unit": "year"}
    )
    base: Literal["year", "averaged"] = Field(
        default="year",
        description="'year': the base year alone; 'averaged': mixed with the two years before.",
    )
    start: Annotated[Month, AfterValidator(_check_month)] = Field(
        description="First month of the horizon: year-month."
    )
    months: int = Field(
        ge=1, le=60, description="Length of the horizon in months.", json_schema_extra={"unit": "months"}
    )
    measures: Annotated[tuple[AnyMeasure, ...], BeforeValidator(as_sequence)] = Field(
        default=(), description="What happens; none is the base scenario."
    )
    policies: Annotated[tuple[AnyMeasure, ...], BeforeValidator(as_sequence)] = Field(
        default=(), description="What the focal side does about it; left out in the run without policies."
    )
    uncertainty: Uncertainty = Field(default=Uncertainty(), description="How the range is made.")
    seed: int = Field(
        default=0, ge=0, le=2**63 - 1, description="Seed of the draws.", json_schema_extra={"unit": "1"}
    )
    tags: Texts = Field(default=(), description="Words that group scenarios.")
    sources: Annotated[tuple[Source, ...], BeforeValidator(as_sequence)] = Field(
        default=(), description="Where the facts come from."
    )

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, data: Any) -> Any:
        """Let the title stand in for a missing description."""
        if not isinstance(data, Mapping) or data.get("description") is not None:
            return data
        title = data.get("title")
        plain = title if isinstance(title, str) else title.get("en") if isinstance(title, Mapping) else title
        known = isinstance(title, Words) or (isinstance(plain, str) and plain)
        rest = {key: value for key, value in data.items() if key != "description"}
        return {**rest, "description": title} if known else rest

    @field_validator("start")
    @classmethod
    def _base_is_not_later(cls, value: str, info: ValidationInfo) -> str:
        base_year = info.data.get("base_year")
        if base_year is not None and base_year > int(value[:4]):
            refuse(f"starts in {value}, before its base year {base_year}", "Choose an earlier base_year.")
        return value

    @field_validator("measures", "policies")
    @classmethod
    def _fit_together(cls, value: tuple[Measure, ...], info: ValidationInfo) -> tuple[Measure, ...]:
        numbered = list(enumerate(value))
        found = misfits(numbered, str(info.field_name), info.data)
        if found:
            text = "; ".join(f"{what}. {cure}" for _, what, cure in found)
            raise PydanticCustomError("misfits", "{text}", {"text": text, "problems": found})
        return value

    @property
    def start_date(self) -> date:
        """First day of the horizon."""
        return date.fromisoformat(f"{self.start}-01")

    @property
    def end_date(self) -> date:
        """First day after the horizon."""
        return month_start(self.start, self.months)

    @property
    def month_starts(self) -> tuple[date, ...]:
        """First day of every month of the horizon."""
        return tuple(month_start(self.start, index) for index in range(self.months))

    def resolved_measures(self) -> tuple[Measure, ...]:
        """Return the measures with ``focal`` made a country and ``forms`` filled, sorted by id (law 7)."""
        return self._resolved(self.measures)

    def resolved_policies(self) -> tuple[Measure, ...]:
        """Return the policies, resolved like :meth:`resolved_measures`."""
        return self._resolved(self.policies)

    def _resolved(self, acts: Iterable[Measure]) -> tuple[Measure, ...]:
        resolved = [act.resolved(self.focal, self.form) for act in acts]
        return tuple(sorted(resolved, key=lambda act: act.id))

    def measured(self) -> tuple[Parameter, ...]:
        """Return the numbers that the file leaves out and the record of earlier acts says.

        Named like those of :func:`~evernormal.network.policy_measures.measures_from_policies`: id of the
        measure and field; with interval, grade and source (law 10).
        """
        acts = (*self.measures, *self.policies)
        return tuple(
            replace(parameter, name=f"{act.id} {parameter.name}")
            for act in sorted(acts, key=lambda act: act.id)
            for parameter in act.measured(self.focal, self.form)
        )

    def news_dates(self) -> tuple[date, ...]:
        """Return the days on which something becomes known: announcements and first days of suspensions."""
        acts = (*self.measures, *self.policies)
        days = {act.announced for act in acts} | {act.suspended for act in acts if act.suspended}
        return tuple(sorted(days))

    def describe(self, measure: Measure, language: str = "en") -> str:
        """Return one plain sentence about a measure of this scenario, in ``en`` or ``ko``."""
        return describe(measure, language, focal=self.focal, form=self.form)

    def with_focal(self, focal: str) -> Scenario:
        """Return the same question for another country.

        Raises:
            ScenarioError: unknown country, or a measure that would then be an act against oneself.
        """
        return self._with({"focal": focal})

    def with_severity(self, severity: float) -> Scenario:
        """Return a copy in which every measure that has a ``severity`` has this one (0..1).

        Raises:
            ScenarioError: outside 0..1.
        """
        plain = self.plain()
        for act in plain.get("measures", ()):
            if "severity" in act:
                act["severity"] = severity
        return self._with(plain)

    def drawn(self, rng: np.random.Generator) -> Self:
        """Return a copy with one value drawn for every range.

        Measures are taken in the order of their ids, then policies, so the order in the file does not matter.
        """
        update: dict[str, tuple[Measure, ...]] = {}
        for name in ("measures", "policies"):
            acts: tuple[Measure, ...] = getattr(self, name)
            values = {
                act.id: act.filled(self.focal, self.form).drawn(rng)
                for act in sorted(acts, key=lambda act: act.id)
            }
            update[name] = tuple(values[act.id] for act in acts)
        return self.model_copy(update=update)

    def _with(self, update: Mapping[str, Any]) -> Scenario:
        return scenario_from({**self.plain(), **update}, where=f"scenario {self.name}")

    def plain(self) -> dict[str, Any]:
        """Return the scenario as plain data without what is empty; :func:`scenario_from` reads it back."""
        data: dict[str, Any] = _without_empty(self.model_dump())
        return data

    def to_yaml(self) -> str:
        """Return the scenario as a YAML file that :func:`read_scenario` reads back unchanged."""
        return str(
            yaml.dump(self.plain(), Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=110, indent=2)
        )

    def sha256(self) -> str:
        """Return the hash of what the scenario says, whatever the order of keys, measures and names."""
        data = json.loads(json.dumps(self.plain(), default=date.isoformat))
        for name in ("measures", "policies"):
            acts = [{k: _sorted_names(k, v) for k, v in act.items()} for act in data.get(name, ())]
            data[name] = sorted(acts, key=lambda act: str(act["id"]))
        data["tags"] = sorted(data.get("tags", ()))
        data["sources"] = sorted(data.get("sources", ()), key=lambda s: (s["title"], s["reference"]))
        text = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()


def _sorted_names(key: str, value: Any) -> Any:
    """Sort the lists whose order says nothing; the order of ``end_uses`` in an allocation order does."""
    return sorted(value) if isinstance(value, list) and key != "end_uses" else value


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        pruned = {key: _without_empty(inner) for key, inner in value.items()}
        return {key: inner for key, inner in pruned.items() if inner is not None and inner not in ("", [])}
    if isinstance(value, list | tuple):
        return [_without_empty(inner) for inner in value]
    return value


class _Dumper(yaml.SafeDumper):
    """Writes text so that YAML 1.1 and YAML 1.2 readers both read text."""


def _write_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    quoted = '"' if core_tag(text) != "str" else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=quoted)


_Dumper.add_representer(str, _write_text)
_Dumper.ignore_aliases = lambda self, data: True  # type: ignore[method-assign]  # readers refuse aliases


def scenario_from(data: Mapping[str, Any], *, where: str = "scenario") -> Scenario:
    """Return the scenario that plain data says; what the web desk sends and Python users type.

    Raises:
        ScenarioError: lists every problem with its key and the nearest right value.
    """
    return _build(Document(data=data), where)


def read_scenario(text: str | bytes, *, where: str = "scenario") -> Scenario:
    """Return the scenario that a YAML text says.

    Args:
        text: the content of a scenario file.
        where: what errors call the text.

    Raises:
        ScenarioError: lists every problem as ``where:line:column key: problem. cure``.

    >>> read_scenario("name: x\\nform: lithium/hydroxyde")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    evernormal.errors.ScenarioError: scenario: 6 problems
    ...
    """
    return _build(read_yaml(text), where)


def _build(document: Document, where: str) -> Scenario:
    if document.data is None:
        empty = Problem((), "the file is empty", "See `evernormal scenario show base` for an example.")
        raise_problems(document.problems or [empty], where)
    if not isinstance(document.data, Mapping):
        what = f"must be a block of keys, got {type(document.data).__name__}"
        raise_problems(
            [*document.problems, Problem((), what, "Begin with name: ...", document.place(()))], where
        )
    problems = list(document.problems)
    try:
        scenario = Scenario.model_validate(document.data)
    except ValidationError as error:
        problems += problems_of(error, document, Scenario)
        problems += _misfits_despite(document, error)
        raise_problems(problems, where)
        raise
    raise_problems(problems, where)
    return scenario


def _misfits_despite(document: Document, error: ValidationError) -> list[Problem]:
    """Check how the sound measures fit together although others are broken: all problems at once."""
    broken = {detail["loc"][0] for detail in error.errors(include_url=False) if detail["loc"]}
    data = {
        k: document.data[k] for k in ("focal", "start", "months") if k in document.data and k not in broken
    }
    found: list[Problem] = []
    adapter: TypeAdapter[Measure] = TypeAdapter(AnyMeasure)
    for name in sorted({"measures", "policies"} & broken):
        acts = document.data.get(name)
        sound: list[tuple[int, Measure]] = []
        for index, act in enumerate(acts if isinstance(acts, list) else ()):
            try:
                sound.append((index, adapter.validate_python(act)))
            except ValidationError:
                continue
        for inner, what, cure in misfits(sound, name, data):
            path = (name, *inner)
            found.append(Problem(path, what, cure, document.place(path)))
    return found


def scenario_names() -> tuple[str, ...]:
    """Return the names of the shipped scenarios in alphabetical order."""
    folder = resources.files("evernormal.network") / _SHIPPED
    return tuple(sorted(p.name.removesuffix(".yaml") for p in folder.iterdir() if p.name.endswith(".yaml")))


def load_scenario(path_or_name: str | Path) -> Scenario:
    """Return a shipped scenario by name or a scenario file by path.

    Args:
        path_or_name: a name of :func:`scenario_names`, or the path of a YAML file (it ends in ``.yaml`` or
            ``.yml``, or holds a slash, or is a :class:`~pathlib.Path`).

    Raises:
        UnknownNameError: no shipped scenario has the name; offers the nearest.
        InputError: the file cannot be read.
        ScenarioError: the file does not say what a scenario must say.

    >>> load_scenario("lithium-hydroxide-60").measures[0].severity.central()
    0.6
    """
    if isinstance(path_or_name, Path) or _looks_like_path(path_or_name):
        path = Path(path_or_name)
        return read_scenario(read_bytes(path), where=str(path_or_name))
    if path_or_name not in scenario_names():
        raise UnknownNameError("scenario", path_or_name, scenario_names())
    shipped = resources.files("evernormal.network") / _SHIPPED / f"{path_or_name}.yaml"
    return read_scenario(shipped.read_bytes(), where=f"{path_or_name}.yaml")


def _looks_like_path(text: str) -> bool:
    return text.endswith((".yaml", ".yml")) or "/" in text or "\\" in text


def scenario_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a scenario file.

    >>> scenario_schema()["properties"]["months"]["maximum"]
    60
    """
    schema = Scenario.model_json_schema()
    return {"$schema": SCHEMA_DIALECT, **schema, "title": "evernormal scenario"}
