"""Render equations to MathML while the pages are built, so that a reader's browser fetches nothing.

The conversion is docutils' own (``docutils.utils.math.latex2mathml``); a formula that it cannot read is
a build error, never a broken page.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.errors import SphinxError
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator

SYNONYMS = {r"\dots": r"\ldots"}
"""Commands of LaTeX that docutils knows by another name."""


def to_mathml(latex: str, *, block: bool) -> str:
    """Return MathML for ``latex``.

    Raises:
        SphinxError: docutils does not know a command that the formula uses.
    """
    latex = re.sub(r"\\[a-zA-Z]+", lambda match: SYNONYMS.get(match.group(), match.group()), latex)
    try:
        return str(tex2mathml(latex, as_block=block))
    except MathError as error:
        raise SphinxError(f"cannot render {latex!r} as MathML: {error}") from error


def visit_inline(self: HTML5Translator, node: nodes.math) -> Any:
    """Write an inline formula."""
    self.body.append(to_mathml(node.astext(), block=False))
    raise nodes.SkipNode


def visit_block(self: HTML5Translator, node: nodes.math_block) -> Any:
    """Write a displayed formula."""
    self.body.append(f'<div class="equation">{to_mathml(node.astext(), block=True)}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the renderer under the name ``mathml``."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
