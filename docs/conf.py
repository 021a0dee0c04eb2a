"""The site: Sphinx with MyST and furo. ``make docs`` builds it, offline, with warnings as errors."""

import os
import re
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sphinx.ext.autodoc.mock import _MockObject

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import schedframe  # noqa: E402

URLS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["urls"]

project = "schedframe"
author = "The schedframe authors"
copyright = author
version = release = schedframe.__version__

FRAMEWORKS = (
    *("accelerate", "axolotl", "composer", "hjson", "jax", "keras", "lightning", "olmo_core", "pytorch_lightning"),
    *("torch", "torchtitan", "transformers"),
)
"""What the adapters import; their pages are made without those that are not installed."""

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.intersphinx",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_sitemap",
]
exclude_patterns = ["reference/_*", "examples/**/runs", "_build"]
nitpicky = False
suppress_warnings = ["myst.xref_missing"]  # tests/test_docs.py checks every link, those that leave docs/ too

html_theme = "furo"
html_title = "schedframe"
html_favicon = "_static/favicon.svg"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_baseurl = os.environ.get("SCHEDFRAME_DOCS_URL", URLS["Documentation"])
sitemap_url_scheme = "{link}"
html_theme_options = {
    "source_repository": URLS["Repository"],
    "source_branch": "main",
    "source_directory": "docs/",
    "navigation_with_keys": True,
}

myst_enable_extensions = ["colon_fence", "deflist", "substitution"]
myst_heading_anchors = 4

default_role = "py:obj"  # in docstrings, `name` is a link where there is such a name, else code
autodoc_member_order = "bysource"
autodoc_mock_imports = [name for name in FRAMEWORKS if find_spec(name) is None]
_MockObject.__call__ = lambda mock, *args, **options: args[0] if args and isinstance(args[0], type) else mock
"""A mocked decorator returns the class that it decorates, so that the class is documented."""
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_default_options = {"members": True, "show-inheritance": True}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_custom_sections = [("Formula", "params_style"), "Source"]

intersphinx_mapping = (
    {"python": ("https://docs.python.org/3", None), "torch": ("https://docs.pytorch.org/docs/stable", None)}
    if os.environ.get("SCHEDFRAME_DOCS_ONLINE")
    else {}
)


def show_names_of_files(app: Any, page: str, text: list[str]) -> None:
    """Turn ``<!-- file: NAME -->`` above a block of a page into the block's caption."""
    mark = re.compile(r"^<!-- (?:file|script): (\S+) -->\n(`{3,})(\w+)\n", re.MULTILINE)
    text[0] = mark.sub(r"\2{code-block} \3\n:caption: \1\n\n", text[0])


def setup(app: Any) -> None:
    """Connect what the pages need beside extensions."""
    app.connect("source-read", show_names_of_files)
