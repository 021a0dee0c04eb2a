"""The site: Sphinx with MyST and furo. ``make docs`` builds it, offline, with warnings as errors."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import schedframe  # noqa: E402

project = "schedframe"
author = "The schedframe authors"
copyright = author
version = release = schedframe.__version__

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
html_baseurl = os.environ.get("SCHEDFRAME_DOCS_URL", "https://schedframe.readthedocs.io/en/latest/")
sitemap_url_scheme = "{link}"
html_theme_options = {"source_repository": "", "navigation_with_keys": True}

myst_enable_extensions = ["colon_fence", "deflist", "substitution"]
myst_heading_anchors = 4

autodoc_member_order = "bysource"
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
