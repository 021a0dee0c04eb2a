"""The site, built as ``make docs`` builds it, and served on this machine."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ..environments import ROOT

CONFIGURED = "https://docs.example.org/en/stable/"
"""The address that the site is built for, as a fork would build its own."""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built site; a warning of Sphinx fails."""
    for module in ("furo", "myst_parser", "sphinx_sitemap"):
        pytest.importorskip(module, reason="needs the dependency group docs: make docs")
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "--quiet", "--builder", "html"]
    variables = {**os.environ, "SCHEDFRAME_DOCS_URL": CONFIGURED}
    made = subprocess.run([*build, ROOT / "docs", folder], cwd=ROOT, env=variables, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return folder


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """Where the site is served."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def pages(site: Path) -> list[str]:
    """The pages of the site, as paths from its root; without those of the sources and of the index."""
    made = (path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    return sorted(page for page in made if not page.startswith(("_static/", "_modules/")))
