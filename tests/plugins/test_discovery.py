"""What is read to find one style among many installed distributions: counted, never timed."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import schedframe
from schedframe._plugins.claims import snapshot

DISTRIBUTIONS = 500
STYLE = """
from typing import Literal
from schedframe.styles import LRCurve


class S(LRCurve):
    style: Literal[{name!r}] = {name!r}

    def coefficient(self, progress):
        return 1.0 - progress
"""
COUNTED = """
import json, sys
from collections import Counter

site, read, told = sys.argv[1], Counter(), {}
sys.path += [site, sys.argv[2]]

def audit(event, arguments):
    if event in ("open", "os.listdir", "os.scandir") and str(arguments[0]).startswith(site):
        read[event if event != "open" else str(arguments[0]).rsplit("/", 1)[-1]] += 1

def counted(what, action):
    read.clear()
    action()
    told[what] = {name: read[name] for name in ("entry_points.txt", "METADATA")} | {"all": read.total()}

def imported():
    import schedframe

sys.addaudithook(audit)
counted("import", imported)
import schedframe
counted("first model", lambda: schedframe.Schedule)
counted("a plugin's style", lambda: schedframe.lr_styles["style-007"])
counted("again", lambda: schedframe.lr_styles["style-007"])
open(site + "/training.log", "w").close()
counted("after another file", lambda: schedframe.lr_styles["style-007"])
counted("a built-in style", lambda: schedframe.lr_styles["cosine"])
counted("a name in a registry", lambda: "style-008" in schedframe.lr_styles)
counted("a schedule", lambda: schedframe.Schedule(max_lr=1, lr_decay_steps=10, lr_decay_style="style-009"))
counted("where a class is from", lambda: schedframe.source_of(schedframe.styles.lr.Linear))
counted("an unknown name", lambda: schedframe.lr_styles.get("no-such-style"))
print(json.dumps(told))
"""


@pytest.fixture
def counts(install: Callable[..., Path], tmp_path: Path) -> dict[str, dict[str, int]]:
    """Files of the 500 distributions, a tenth of them plugins, that a fresh process reads for each action."""
    for number in range(DISTRIBUTIONS):
        name, style = f"x-{number:03}", f"style-{number:03}"
        declared = {style: f"x_{number:03}_mod:S"} if number % 10 == 7 or number in (8, 9) else {}
        site = install(name, STYLE.format(name=style), lr_styles=declared)
    program = tmp_path / "counted.py"
    program.write_text(COUNTED)
    command = [sys.executable, str(program), str(site), str(Path(schedframe.__file__).parents[1])]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_each_entry_point_is_read_once_and_the_metadata_of_the_styles_own_distribution_alone(counts):
    once, kept = ({"entry_points.txt": count} for count in (DISTRIBUTIONS, 0))
    assert counts["import"]["all"] == 0
    assert counts["first model"]["METADATA"] == 0  # pydantic looks for plugins of its own
    assert counts["a plugin's style"].items() >= {**once, "METADATA": 2}.items()
    assert counts["again"]["all"] == 0
    assert counts["after another file"].items() >= {**kept, "METADATA": 0}.items()
    assert counts["a built-in style"].items() >= {**kept, "METADATA": 0}.items()
    assert counts["a name in a registry"].items() >= {**kept, "METADATA": 2}.items()
    assert counts["a schedule"].items() >= {**kept, "METADATA": 2}.items()
    assert counts["an unknown name"]["METADATA"] <= 2 * DISTRIBUTIONS  # it may be one that hides another copy
    assert counts["where a class is from"]["all"] == 0


def test_what_is_installed_and_removed_while_a_process_runs_is_seen(install):
    assert "style-1" not in schedframe.lr_styles
    site = install("x-1", STYLE.format(name="style-1"), lr_styles={"style-1": "x_1_mod:S"})
    assert "style-1" in schedframe.lr_styles
    install("x-2", STYLE.format(name="style-2"), lr_styles={"style-2": "x_2_mod:S"})
    assert {"style-1", "style-2"} <= set(schedframe.lr_styles)
    (site / "x_1-1.0.dist-info" / "entry_points.txt").write_text("[schedframe.lr_styles]\nother = x_1_mod:S\n")
    assert "style-1" not in schedframe.lr_styles
    assert "other" in schedframe.lr_styles
    shutil.rmtree(site / "x_2-1.0.dist-info")
    assert "style-2" not in schedframe.lr_styles


def test_a_schedule_is_validated_against_one_look_at_what_is_installed(install, monkeypatch):
    monkeypatch.setenv("SCHEDFRAME_BLOCK", "")
    blocks = 'import os\nos.environ["SCHEDFRAME_BLOCK"] = "x-2"\n'
    install("x-1", blocks + STYLE.format(name="style-1"), lr_styles={"style-1": "x_1_mod:S"})
    install("x-2", STYLE.format(name="style-2"), lr_styles={"style-2": "x_2_mod:S"})
    phases = [{"style": "style-1", "length": 5}, {"style": "style-2"}]

    def schedule() -> schedframe.Schedule:
        return schedframe.Schedule(
            max_lr=1, lr_decay_steps=10, lr_decay_style={"style": "phases", "phases": phases}, start_wd=0.1
        )

    assert [phase.style.style for phase in schedule().lr_style.phases] == ["style-1", "style-2"]
    with pytest.raises(schedframe.ConfigError, match=r"'style-2' comes from x-2 .* SCHEDFRAME_BLOCK blocks it"):
        schedule()


def test_what_is_installed_during_a_snapshot_is_seen_after_it(install):
    with snapshot():
        assert "style-1" not in schedframe.lr_styles
        install("x-1", STYLE.format(name="style-1"), lr_styles={"style-1": "x_1_mod:S"})
        with snapshot():
            assert "style-1" not in schedframe.lr_styles
        assert "style-1" not in schedframe.lr_styles
    assert "style-1" in schedframe.lr_styles


def test_an_installation_that_is_seen_half_done_is_seen_whole_afterwards(install, tmp_path):
    site = install("x-1", "", lr_styles={})
    half = site / "x_2-1.0.dist-info"
    half.mkdir()
    (half / "METADATA").write_text("Metadata-Version: 2.1\nName: x-2\nVersion: 1.0\n")
    assert "style-2" not in schedframe.lr_styles
    (half / "entry_points.txt").write_text("[schedframe.lr_styles]\nstyle-2 = x_2_mod:S\n")
    assert "style-2" in schedframe.lr_styles
