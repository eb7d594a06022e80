"""Settings of the documentation; built by ``make docs`` with no network."""

import sys
from pathlib import Path

import evernormal

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "evernormal"
author = "The evernormal developers"
copyright = "The evernormal developers, Apache-2.0"  # noqa: A001
version = release = evernormal.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "mathml",
    "generated_tables",
]

source_suffix = {".md": "markdown"}
exclude_patterns = ["_build", "_extensions"]
default_role = "literal"
nitpicky = False  # other projects' names have no local inventory; MyST checks internal links

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "fieldlist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = f"evernormal {version}"
html_static_path = ["_static"]
html_css_files = ["evernormal.css"]
html_math_renderer = "mathml"
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
html_use_index = True
html_last_updated_fmt = None  # no clock: the same source gives the same pages
pygments_style = "friendly"
pygments_dark_style = "monokai"
