"""Reads a YAML file that a stranger wrote: plain data, every value with its line, nothing executed.

YAML 1.2 core rules: only ``true`` and ``false`` are truth values (``NO`` is text), dates stay text, numbers
have no underscores or colons.  Aliases are refused altogether, so that nothing can be expanded; so are tags,
duplicate keys, several documents, deep nesting and large files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.parser import Parser
from yaml.reader import Reader, ReaderError
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

from evernormal.errors import InputError

__all__ = [
    "MAX_BYTES",
    "Document",
    "Place",
    "Problem",
    "core_tag",
    "key_path",
    "on_one_line",
    "read_bytes",
    "read_yaml",
]

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
MAX_VALUES = 5_000
LONGEST = 300

Path_ = tuple[str | int, ...]
_TAG = "tag:yaml.org,2002:"
_CORE = (
    ("null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""]),
    ("bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")),
    ("int", re.compile(r"^(?:[-+]?[0-9]{1,30}|0o[0-7]{1,40}|0x[0-9a-fA-F]{1,30})$"), list("-+0123456789")),
    (
        "float",
        re.compile(
            r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
            r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
        ),
        list("-+0123456789."),
    ),
)


@dataclass(frozen=True)
class Place:
    """Line and column, both counted from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, where, and the cure.

    Attributes:
        path: keys from the root, such as ``("measures", 0, "severity")``.
        what: what is wrong.
        cure: what would be right; may be empty.
        place: line and column; None where the data came from elsewhere.
    """

    path: Path_
    what: str
    cure: str = ""
    place: Place | None = None

    def text(self, where: str) -> str:
        """Return ``where:line:column key: what. cure``."""
        tail = f". {on_one_line(self.cure)}" if self.cure else "."
        return f"{self.spot(where)}: {on_one_line(self.what).rstrip('.')}{tail}"

    def spot(self, where: str) -> str:
        """Return ``where:line:column key``."""
        spot = f"{where}:{self.place.line}:{self.place.column}" if self.place else where
        key = on_one_line(key_path(self.path))
        return f"{spot} {key}" if key else spot


@dataclass
class Document:
    """What a file says: plain data and where each key and value stands."""

    data: Any = None
    keys: dict[Path_, Place] = field(default_factory=dict)
    values: dict[Path_, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def place(self, path: Path_, *, key: bool = False) -> Place | None:
        """Return the place of a value (or of its key), else of the nearest part that holds it."""
        if key and path in self.keys:
            return self.keys[path]
        while path not in self.values and path:
            path = path[:-1]
        return self.values.get(path)


def on_one_line(text: str) -> str:
    """Return a message as one readable line, whatever a hostile file put into it."""
    flat = "".join(c if c.isprintable() else "?" for c in text)
    return flat if len(flat) <= LONGEST else f"{flat[: LONGEST - 3]}..."


def key_path(path: Path_) -> str:
    """Return a path as text.

    >>> key_path(("measures", 0, "severity"))
    'measures[0].severity'
    """
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


class _CoreResolver(BaseResolver):
    """Resolves plain scalars by the YAML 1.2 core schema."""


for _name, _pattern, _first in _CORE:
    _CoreResolver.add_implicit_resolver(_TAG + _name, _pattern, _first)


class _Loader(Reader, Scanner, Parser, Composer, _CoreResolver):
    """PyYAML's own parts without any constructor: it can build no object."""

    def __init__(self, stream: str) -> None:
        Reader.__init__(self, stream)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        _CoreResolver.__init__(self)


def core_tag(text: str) -> str:
    """Return what plain ``text`` means: ``null``, ``bool``, ``int``, ``float`` or ``str``.

    >>> core_tag("NO"), core_tag("2024-01"), core_tag("1e3")
    ('str', 'str', 'float')
    """
    return next((name for name, pattern, _ in _CORE if pattern.match(text)), "str")


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a file that is at most :data:`MAX_BYTES` long.

    Raises:
        InputError: no such file, not a file, not readable, too large.
    """
    where = str(path)
    if not path.exists():
        raise InputError("no such file", where=where, cure="Check the path.")
    if not path.is_file():
        raise InputError("is not a file", where=where, cure="Give the path of a scenario file (YAML).")
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=where) from error
    if len(content) > MAX_BYTES:
        raise InputError(
            f"is larger than {MAX_BYTES // 1024} KiB",
            where=where,
            cure="A scenario file holds measures, not data tables.",
        )
    return content


def read_yaml(content: bytes | str) -> Document:
    """Return what a YAML text says, with every problem found on the way.

    A text that cannot be parsed gives a document without data and with one problem.
    """
    document = Document()
    text = content if isinstance(content, str) else _decoded(content, document)
    if text is None:
        return document
    try:
        if len(text.encode("utf-8", "replace")) > MAX_BYTES:
            document.problems.append(Problem((), f"the text is larger than {MAX_BYTES // 1024} KiB"))
            return document
        if not _structure_is_fair(text, document):
            return document
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
        finally:
            loader.dispose()
    except ReaderError as error:
        document.problems.append(_unreadable(text, error))
    except yaml.MarkedYAMLError as error:
        document.problems.append(_malformed(error))
    else:
        if root is not None:
            document.data = _plain(root, (), document)
    return document


def _decoded(content: bytes, document: Document) -> str | None:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        place = Place(before.count(b"\n") + 1, error.start - before.rfind(b"\n"))
        problem = Problem(
            (), f"byte 0x{content[error.start]:02x} is not UTF-8", "Save the file as UTF-8.", place
        )
        document.problems.append(problem)
        return None


def _structure_is_fair(text: str, document: Document) -> bool:
    """Walk the events once; refuse what could exhaust memory or time before anything is built."""
    depth = documents = 0
    for count, event in enumerate(yaml.parse(text, Loader=_Loader), 1):  # type: ignore[arg-type]
        mark = event.start_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else None
        trouble = ("", "")
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                trouble = ("a second document begins", "Write one scenario per file.")
        elif isinstance(event, yaml.AliasEvent):
            trouble = (f"the alias *{event.anchor} is not allowed", "Write the part out.")
        elif isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            trouble = (f"is nested deeper than {MAX_DEPTH} levels", "A scenario needs four.")
        if count > MAX_VALUES:
            trouble = (
                f"holds more than {MAX_VALUES:,} values",
                "A scenario file holds measures, not tables.",
            )
        if trouble[0]:
            document.problems.append(Problem((), *trouble, place))
            return False
    return True


def _unreadable(text: str, error: ReaderError) -> Problem:
    before = text[: error.position]
    place = Place(before.count("\n") + 1, error.position - before.rfind("\n"))
    code = error.character if isinstance(error.character, int) else ord(error.character[:1] or "\0")
    return Problem((), f"the character U+{code:04X} is not allowed", "Remove it.", place)


def _malformed(error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    place = Place(mark.line + 1, mark.column + 1) if mark else None
    what = error.problem or error.context or "is not YAML"
    cure = "Check the indentation, and put text that holds ': ' or ' #' in quotes."
    if "'\\t'" in what:
        what, cure = "a tab stands where YAML needs spaces", "Indent with spaces."
    elif "mapping values are not allowed" in what:
        what, cure = "a second ': ' on one line", "Put text that holds ': ' in quotes, or begin a new line."
    elif "could not find expected ':'" in what:
        what, cure = "a key without ': '", "Write key: value."
    elif what.startswith("expected <block end>"):
        what, cure = "the indentation does not fit the lines above", "Align keys of one level."
    return Problem((), what, cure, place)


def _place(node: Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)


def _plain(node: Node, path: Path_, document: Document) -> Any:
    document.values[path] = _place(node)
    if isinstance(node, MappingNode) and node.tag == f"{_TAG}map":
        return _mapping(node, path, document)
    if isinstance(node, SequenceNode) and node.tag == f"{_TAG}seq":
        return [_plain(child, (*path, index), document) for index, child in enumerate(node.value)]
    if isinstance(node, ScalarNode) and node.tag.startswith(_TAG):
        kind = node.tag.removeprefix(_TAG)
        if kind == "str":
            return node.value
        if kind in {"null", "bool", "int", "float"} and core_tag(node.value) == kind:
            return _scalar(kind, node.value)
    tag = node.tag.replace(_TAG, "!!")
    document.problems.append(
        Problem(path, f"the tag {tag} is not allowed", "Write the value without a tag.", _place(node))
    )
    return None


def _scalar(kind: str, text: str) -> Any:
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind == "int":
        digits = text.lower()
        base = 16 if digits.startswith("0x") else 8 if digits.startswith("0o") else 10
        return int(digits, base)
    if text.lower().endswith(("inf", "nan")):
        return float(text.replace(".", ""))
    return float(text)


def _mapping(node: MappingNode, path: Path_, document: Document) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        place = _place(key_node)
        if not isinstance(key_node, ScalarNode):
            document.problems.append(Problem(path, "a key must be a word", "Write key: value.", place))
            continue
        key = key_node.value
        if key in found:
            first = document.keys[(*path, key)].line
            document.problems.append(
                Problem((*path, key), f"the key stands twice, first on line {first}", "Keep one.", place)
            )
            continue
        document.keys[(*path, key)] = place
        found[key] = _plain(value_node, (*path, key), document)
    return found
