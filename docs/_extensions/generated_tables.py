"""Pages that are written by the program itself, so that they cannot fall behind it.

Use it in a page as::

    ```{generated} equations
    ```

Each name below is a function that returns Markdown.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from evernormal.equations import EQUATIONS
from evernormal.errors import EvernormalError

ROOT = Path(__file__).resolve().parents[2]

LAW = re.compile(r"\blaws?\s+((?:\d+)(?:(?:,\s*|\s+and\s+|,\s+and\s+)\d+)*)", re.IGNORECASE)


def table(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a Markdown table; a bar inside a cell is escaped, an unknown value is an empty cell."""
    names = list(header)
    lines = ["| " + " | ".join(names) + " |", "|" + " --- |" * len(names)]
    lines += ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        value = f"{value:.6g}"
    return str(value).replace("|", "\\|").replace("\n", " ")


def equations() -> str:
    """Every numbered equation, with the place that computes it."""
    parts = []
    for key, equation in EQUATIONS.items():
        parts.append(
            f"({key.lower()})=\n\n## {key}. {equation.name}\n\n"
            f"```{{math}}\n{equation.latex}\n```\n\n"
            f"In words: {equation.text}.\n\n"
            f"Source: {equation.source}. Computed by `{equation.where}`.\n"
        )
    return "\n".join(parts)


def errors() -> str:
    """Every error class, its exit code and its meaning."""

    def family(kind: type[EvernormalError], depth: int = 0) -> Iterator[tuple[str, object, str]]:
        meaning = (kind.__doc__ or "").split("\n")[0]
        yield ("— " * depth + f"`{kind.__name__}`", kind.exit_code, meaning)
        for child in kind.__subclasses__():
            if child.__module__ == EvernormalError.__module__:
                yield from family(child, depth + 1)

    return table(("class", "exit code", "meaning"), family(EvernormalError))


def laws_of(text: str) -> set[int]:
    """Return the law numbers that a docstring names.

    >>> sorted(laws_of("Law 3 and laws 6, 7 and 9 hold."))
    [3, 6, 7, 9]
    """
    return {int(number) for match in LAW.finditer(text) for number in re.findall(r"\d+", match.group(1))}


def guards(number: str) -> str:
    """The tests whose docstring names law ``number``, one per line."""
    found = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                text = ast.get_docstring(node) or ""
                if int(number) in laws_of(text):
                    first = " ".join(text.split("\n\n")[0].split())
                    found.append(f"- `{path.relative_to(ROOT).as_posix()}::{node.name}`: {first}")
    return "\n".join(found) + "\n" if found else "No test names this law yet.\n"


RENDERERS: dict[str, Callable[..., str]] = {
    "equations": equations,
    "errors": errors,
    "guards": guards,
}


class Generated(SphinxDirective):
    """Put the Markdown that a renderer returns in the place of the directive."""

    required_arguments = 1
    optional_arguments = 2
    option_spec: ClassVar = {"class": directives.class_option}

    def run(self) -> list[nodes.Node]:
        """Render and parse."""
        name, *rest = self.arguments
        if name not in RENDERERS:
            raise self.error(f"no renderer {name!r}; known: {', '.join(RENDERERS)}")
        return self.parse_text_to_nodes(RENDERERS[name](*rest), allow_section_headings=True)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive."""
    app.add_directive("generated", Generated)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
