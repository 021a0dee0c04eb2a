"""A page of two param groups and its schedule, and a real Chromium to look at pages with."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schedframe import Schedule, load
from schedframe._tools.views.page.html import is_built

from ..runs import SCHEDULES, cli

BEGIN, END = '<script type="application/json" id="data">', "</script>"


@pytest.fixture
def moe(tmp_path: Path) -> Path:
    """A file with phases, a ramp-up of the batch size, and three roles."""
    path = tmp_path / "moe.yaml"
    path.write_text(SCHEDULES.joinpath("moe.yaml").read_text())
    return path


@pytest.fixture
def schedule(moe: Path) -> Schedule:
    """What the file declares."""
    return load(moe)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a page with ``schedframe plot``."""
    pytest.importorskip("typer")
    if not is_built():
        pytest.skip("the page is not built: it needs Node.js, and then `make frontend`")

    def write(*arguments: object) -> Path:
        page = tmp_path / "page.html"
        done = cli("plot", *arguments, "-o", page)
        assert done.code == 0, done.err
        return page

    return write


def data_of(page: Path) -> dict[str, Any]:
    """Return the data that stand in `page`, as its script reads them."""
    return json.loads(page.read_text("utf-8").partition(BEGIN)[2].partition(END)[0])
