"""Turns what pydantic collects into problems that name line, key and the nearest right value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from evernormal.errors import ScenarioError, nearest
from evernormal.network.measures import KINDS
from evernormal.network.yaml_reader import Document, Path_, Problem, on_one_line

__all__ = ["problems_of", "raise_problems"]

MOST_SHOWN = 100

_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "model_type": "a block of keys",
    "model_attributes_type": "a block of keys",
    "dict_type": "a block of keys",
    "date_type": "a date",
}


def problems_of(error: ValidationError, document: Document, model: type[BaseModel]) -> list[Problem]:
    """Return one problem per thing that pydantic found wrong with ``document.data`` read as ``model``."""
    found: list[Problem] = []
    for detail in error.errors(include_url=False):
        found.extend(_problems(detail, document, model))
    return found


def raise_problems(problems: list[Problem], where: str) -> None:
    """Raise one :class:`ScenarioError` for all problems, in the order of the file; none: return."""
    if not problems:
        return
    unique = list(dict.fromkeys(problems))
    unique.sort(key=lambda p: (p.place.line, p.place.column) if p.place else (0, 0))
    if len(unique) == 1:
        only = unique[0]
        what, cure = on_one_line(only.what).rstrip("."), on_one_line(only.cure)
        raise ScenarioError(what, where=only.spot(where), cure=cure)
    lines = "\n".join(f"  {problem.text(where)}" for problem in unique[:MOST_SHOWN])
    more = f", the first {MOST_SHOWN} of them" if len(unique) > MOST_SHOWN else ""
    raise ScenarioError(f"{len(unique)} problems{more}\n{lines}", where=where)


def _problems(detail: ErrorDetails, document: Document, model: type[BaseModel]) -> Iterator[Problem]:
    path = _real_path(detail["loc"], document.data)
    context: Mapping[str, Any] = detail.get("ctx") or {}
    if "problems" in context:
        for inner, what, cure in context["problems"]:
            full = (*path, *inner)
            yield Problem(full, what, cure, document.place(full))
        return
    kind = detail["type"]
    if kind == "missing":
        yield _missing(detail, path, document, model)
    elif kind == "extra_forbidden":
        what, cure = _unknown_key(detail, model)
        yield Problem(path, what, cure, document.place(path, key=True))
    elif kind.startswith("union_tag"):
        what, cure = _unknown_kind(detail)
        inner = (*path, "kind") if kind == "union_tag_invalid" else path
        yield Problem(inner, what, cure, document.place(inner))
    else:
        what, cure = _wrong_value(detail, context)
        yield Problem(path, what, cure, document.place(path))


def _real_path(location: tuple[int | str, ...], data: Any) -> Path_:
    """Return pydantic's location without the parts that are no keys of the data (the tag of a union)."""
    path: list[str | int] = []
    node = data
    for position, step in enumerate(location):
        in_list = isinstance(node, list | tuple) and isinstance(step, int) and step < len(node)
        if in_list or (isinstance(node, Mapping) and step in node):
            node = node[step]
        elif position < len(location) - 1 or step in KINDS:
            continue
        else:
            node = None
        path.append(step)
    return tuple(path)


def _model_at(location: tuple[int | str, ...], model: type[BaseModel]) -> type[BaseModel]:
    """Return the model whose keys stand at ``location``."""
    here = model
    for step in location:
        if isinstance(step, str) and step in KINDS:
            here = KINDS[step]
        elif isinstance(step, str) and step in here.model_fields:
            here = next(_models_in(here.model_fields[step].annotation), here)
    return here


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


def _missing(detail: ErrorDetails, path: Path_, document: Document, model: type[BaseModel]) -> Problem:
    name = str(detail["loc"][-1])
    field = _model_at(detail["loc"][:-1], model).model_fields.get(name)
    cure = f"Add it: {field.description}" if field is not None and field.description else ""
    return Problem(path[:-1], f"the key {name!r} is missing", cure, document.place(path[:-1]))


def _unknown_key(detail: ErrorDetails, model: type[BaseModel]) -> tuple[str, str]:
    name = str(detail["loc"][-1])
    known = list(_model_at(detail["loc"][:-1], model).model_fields)
    close = nearest(name, known, 2)
    cure = f"Did you mean {' or '.join(map(repr, close))}?" if close else f"Known: {', '.join(known)}."
    return f"unknown key {name!r}", cure


def _unknown_kind(detail: ErrorDetails) -> tuple[str, str]:
    if detail["type"] == "union_tag_not_found":
        return "the key 'kind' is missing", f"Known: {', '.join(KINDS)}."
    tag = str((detail.get("ctx") or {}).get("tag", ""))
    close = nearest(tag, KINDS, 2)
    cure = f"Did you mean {' or '.join(map(repr, close))}?" if close else f"Known: {', '.join(KINDS)}."
    return f"unknown kind of measure {tag!r}", cure


def _wrong_value(detail: ErrorDetails, context: Mapping[str, Any]) -> tuple[str, str]:
    if "what" in context:
        return str(context["what"]), str(context.get("cure", ""))
    kind, given = detail["type"], repr(detail["input"])
    given = given if len(given) <= 60 else f"{given[:57]}..."
    if kind == "literal_error":
        options = [
            word.strip(" '") for word in str(context.get("expected", "")).replace(" or ", ", ").split(",")
        ]
        close = nearest(str(detail["input"]), options, 1)
        cure = f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(options)}."
        return f"must be one of {', '.join(options)}, got {given}", cure
    if kind in _WANTED:
        cure = (
            "Put it in quotes." if kind == "string_type" and isinstance(detail["input"], int | float) else ""
        )
        return f"must be {_WANTED[kind]}, got {given}", cure
    if kind == "string_pattern_mismatch":
        return f"must be a short name without spaces, got {given}", "Use letters, digits and hyphens."
    message = detail["msg"].replace("Input should be", "must be").replace("String should have", "must have")
    return f"{message}, got {given}", ""
