"""Pages that are written by the program itself, so that they cannot fall behind it.

Use it in a page as::

    ```{generated} equations
    ```

Each name below is a function that returns Markdown.  What holds headings must begin with one: text before
the first heading would be lost.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import backtest_pages
import data_pages
import method_pages
import model_pages
import python_pages
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

ROOT = Path(__file__).resolve().parents[2]

LAW = re.compile(r"\blaws?\s+((?:\d+)(?:(?:,\s*|\s+and\s+|,\s+and\s+|\s+to\s+)\d+)*)", re.IGNORECASE)


def laws_of(text: str) -> set[int]:
    """Return the law numbers that a docstring names.

    >>> sorted(laws_of("Law 3 and laws 6, 7 and 9 hold."))
    [3, 6, 7, 9]
    """
    return {int(number) for match in LAW.finditer(text) for number in re.findall(r"\d+", match.group(1))}


@lru_cache(maxsize=1)
def _tests() -> tuple[tuple[str, str], ...]:
    """Name and docstring of every test."""
    return tuple(
        (f"{path.relative_to(ROOT).as_posix()}::{node.name}", ast.get_docstring(node) or "")
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


def guards(number: str) -> str:
    """The tests whose docstring names law ``number``, one per line."""
    found = []
    for name, text in _tests():
        if int(number) in laws_of(text):
            first = " ".join(text.split("\n\n")[0].split())
            found.append(f"- `{name}`: {first.replace('*', chr(92) + '*')}")
    return "\n".join(found) + "\n" if found else "No test names this law yet.\n"


RENDERERS: dict[str, Callable[..., str]] = {
    "backtest_aims": backtest_pages.backtest_aims,
    "backtest_bans": backtest_pages.backtest_bans,
    "backtest_defaults": backtest_pages.backtest_defaults,
    "backtest_failures": backtest_pages.backtest_failures,
    "backtest_intervals": backtest_pages.backtest_intervals,
    "backtest_licences": backtest_pages.backtest_licences,
    "backtest_misses": backtest_pages.backtest_misses,
    "backtest_models": backtest_pages.backtest_models,
    "backtest_record": backtest_pages.backtest_record,
    "backtest_registry": backtest_pages.backtest_registry,
    "backtest_rules": backtest_pages.backtest_rules,
    "backtest_splits": backtest_pages.backtest_splits,
    "backtest_words": backtest_pages.backtest_words,
    "equations": model_pages.equations,
    "errors": model_pages.errors,
    "facts": data_pages.facts,
    "forms": data_pages.forms,
    "guards": guards,
    "method_agreement": method_pages.method_agreement,
    "method_ranks": method_pages.method_ranks,
    "oracles": model_pages.oracles,
    "parameters": model_pages.parameters,
    "python": python_pages.python_reference,
    "result_tables": model_pages.result_tables,
    "scenario_schema": data_pages.scenario_schema_page,
    "scenarios": data_pages.scenarios,
    "shares_compared": data_pages.shares_compared,
    "sources": data_pages.sources,
    "stability_published": method_pages.stability_published,
}


class Generated(SphinxDirective):
    """Put the Markdown that a renderer returns in the place of the directive."""

    required_arguments = 1
    optional_arguments = 2

    def run(self) -> list[nodes.Node]:
        """Render and parse."""
        name, *rest = self.arguments
        if name not in RENDERERS:
            raise self.error(f"no renderer {name!r}; known: {', '.join(RENDERERS)}")
        text = RENDERERS[name](*rest)
        if "\n## " in text and not text.startswith(("## ", "(")):
            raise self.error(f"what {name!r} returns has text before its first heading, which would be lost")
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive."""
    app.add_directive("generated", Generated)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
