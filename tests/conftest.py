"""Fixtures that several modules share."""

import importlib
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from schedframe._plugins.registered import registered

from .runs import Optimizer

os.environ.setdefault("OMP_NUM_THREADS", "1")  # torch's threads wait for each other longer than these tests compute

settings.register_profile("untimed", deadline=None)  # time is measured in benchmarks/ and never asserted
settings.load_profile("untimed")

collect_ignore = ["bad_styles.py"]
"""Its examples are wrong on purpose."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Measure no coverage in what only repeats, with random input: tracing takes most of its time."""
    for item in items:
        if getattr(getattr(item, "function", None), "is_hypothesis_test", False):
            item.add_marker("no_cover")


@pytest.fixture
def optimizer() -> Callable[..., Optimizer]:
    """Build an object with the given param groups."""
    return Optimizer


@pytest.fixture
def unregister() -> Iterator[None]:
    """Forget after the test which styles it registered."""
    before = {kind: dict(classes) for kind, classes in registered.items()}
    yield
    for kind, classes in before.items():
        registered[kind].clear()
        registered[kind].update(classes)


Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put real distributions on the path: a ``dist-info`` folder and a module, as an installer leaves them."""
    modules: list[str] = []

    def install(
        name: str,
        module: str,
        *,
        lr_styles: dict[str, str] | None = None,
        wd_styles: dict[str, str] | None = None,
        hooks: dict[str, str] | None = None,
        version: str = "1.0",
        requires: str = "",
        summary: str = "A plugin.",
        path: str = "site",
        groups: dict[str, dict[str, str]] | None = None,
    ) -> Path:
        site = tmp_path / path
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        requirement = f"Requires-Dist: {requires}\n" if requires else ""
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: {summary}\n{requirement}"
        )
        ours = {"schedframe.lr_styles": lr_styles, "schedframe.wd_styles": wd_styles, "schedframe": hooks}
        lines = []
        for group, points in {**ours, **(groups or {})}.items():
            if points:
                lines += [f"[{group}]", *(f"{key} = {value}" for key, value in points.items())]
        (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
        modname = f"{name.replace('-', '_')}_mod"
        modules.append(modname)
        (site / f"{modname}.py").write_text(textwrap.dedent(module))
        if str(site) not in sys.path:
            monkeypatch.syspath_prepend(str(site))
        importlib.invalidate_caches()
        return site

    yield install
    for modname in modules:
        sys.modules.pop(modname, None)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A headless Chromium: the one that is installed, which Playwright drives.

    Playwright's event loop runs until the fixture ends, and other modules run loops of their own in the same process.
    """
    playwright = pytest.importorskip("playwright.sync_api")
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("no Chromium is installed")
    as_root = ["--no-sandbox"] if hasattr(os, "getuid") and os.getuid() == 0 else []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=as_root)
        yield browser
        browser.close()
