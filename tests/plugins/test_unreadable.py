"""A distribution that cannot be read, on a real path: it is skipped and reported, and everything else works."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pydantic
import pytest
from packaging.version import Version

import schedframe

ROOT = Path(schedframe.__file__).parents[1]
STYLE = """
from typing import Literal
from schedframe.styles import LRCurve

print("imported")


class S(LRCurve):
    style: Literal["sound"] = "sound"

    def coefficient(self, progress):
        return 1.0 - progress
"""
NOT_TEXT = "[console_scripts]\n\xff = a:b\n".encode("latin-1")
OURS = b"[schedframe.lr_styles]\nsound = sound_module:S\n"
LOAD = "import schedframe; print(schedframe.load('run.yaml').lr_at(50))"

needs_no_plugins_of_pydantic = pytest.mark.skipif(
    Version(pydantic.VERSION) < Version("2.8"),
    reason="typer's own models look for plugins of pydantic, which an older pydantic cannot be told not to do",
)


def add(site: Path, name: str, entry_points: bytes, metadata: bytes | None = None) -> None:
    folder = site / f"{name}-1.0.dist-info"
    folder.mkdir()
    (folder / "entry_points.txt").write_bytes(entry_points)
    if metadata is None:
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode()
    (folder / "METADATA").write_bytes(metadata)


@pytest.fixture(params=["entry points", "metadata", "metadata of ours"])
def site(request, tmp_path) -> Path:
    site = tmp_path / "site"
    site.mkdir()
    (tmp_path / "run.yaml").write_text("max_lr: 1\nlr_decay_steps: 100\nlr_decay_style: sound\n")
    (site / "sound_module.py").write_text(STYLE)
    add(site, "sound", OURS)
    if request.param == "entry points":
        add(site, "broken", NOT_TEXT)
    else:
        points = b"[console_scripts]\nx = y:z\n" if request.param == "metadata" else OURS.replace(b"sound", b"other")
        add(site, "broken", points, b"Metadata-Version: 2.1\nName: brok\xff\nVersion: 1.0\n")
    return site


def ran(site: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    path = os.pathsep.join(map(str, (ROOT, site)))
    settings = {**os.environ, "PYTHONPATH": path, "COLUMNS": "200"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=site.parent, env=settings, capture_output=True, text=True, timeout=120)


def test_a_file_loads(site):
    done = ran(site, "-c", LOAD)
    assert (done.returncode, done.stdout) == (0, "0.5\n"), done.stderr


@needs_no_plugins_of_pydantic
def test_json_output_is_json_although_the_plugin_prints(site):
    done = ran(site, "-m", "schedframe", "check", "run.yaml", "--format", "json")
    assert json.loads(done.stdout)["files"][0]["ok"]
    assert "imported\n" in done.stderr


@needs_no_plugins_of_pydantic
def test_plugins_lists_it_as_broken(site):
    done = ran(site, "-m", "schedframe", "plugins", "--json")
    rows = {row["distribution"]: row for row in json.loads(done.stdout)["plugins"]}
    (broken,) = (row for row in rows.values() if row["state"] == "broken")
    assert done.returncode == 1
    assert "cannot be read: UnicodeDecodeError" in broken["cause"]
    assert rows["sound"]["state"] == "ok"


def test_an_unknown_style_is_reported(site):
    (site.parent / "run.yaml").write_text("max_lr: 1\nlr_decay_steps: 100\nlr_decay_style: unsound\n")
    done = ran(site, "-c", LOAD)
    assert "there is no LR style 'unsound'; did you mean 'sound'?" in done.stderr
