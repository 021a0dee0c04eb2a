"""What each command says in an environment with really installed plugins that are wrong, each in its own way."""

import json
from pathlib import Path

import pytest

from schedframe import __version__
from schedframe._cli.starter import Starter, start
from schedframe.testing import CHECKS

from ..environments import ROOT, Environment

pytest.importorskip("typer")
pytest.importorskip("hatchling")


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with schedframe, and no plugin."""
    made = Environment(tmp_path_factory.mktemp("environments") / "bare")
    made.install(ROOT)
    return made


def edited(project: Path, *changes: tuple[str, str]) -> Path:
    """Replace words in the project's own files."""
    for file in (project / "pyproject.toml", project / f"{project.name.replace('-', '_')}.py"):
        text = file.read_text()
        for old, new in changes:
            text = text.replace(old, new)
        file.write_text(text)
    return project


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with schedframe, and a plugin of each sort."""
    folder = tmp_path_factory.mktemp("environments")

    def made(name: str, *changes: tuple[str, str], kind: str = "lr") -> Path:
        return edited(start(Starter(name, kind, "MIT", "A. Author"), folder), *changes)

    environment = Environment(folder / "crowded")
    environment.install(
        ROOT,
        made("good"),
        made("raising", ("from typing", "raise RuntimeError('no such luck')\nfrom typing")),
        made("twice"),
        made("again", ('again = "', 'twice = "'), ('"again"', '"twice"')),
        made("future", ("schedframe>=0.1,<1", "schedframe>=99")),
        made("barred", ("from typing", "raise SystemExit('imported although it is blocked')\nfrom typing")),
        made("moved"),
        made("rules", kind="hook"),
    )
    left = environment.site / "schedframe_left.egg-info"
    left.mkdir()
    (left / "PKG-INFO").write_text("Metadata-Version: 1.2\nName: schedframe-left\nVersion: 0.0.1\n")
    (left / "entry_points.txt").write_text("[schedframe.lr_styles]\nleft = schedframe_left:Left\n")
    return environment


SENTENCES = {
    "raising": (
        "LR style 'raising' from schedframe-raising 0.1.0 (schedframe_raising:Raising) cannot be imported: "
        "RuntimeError: no such luck; repair or reinstall it, or leave the style out"
    ),
    "twice": (
        "LR style 'twice' is provided more than once: schedframe-again 0.1.0 (schedframe_again:Again); "
        "schedframe-twice 0.1.0 (schedframe_twice:Twice); uninstall all but one, or set SCHEDFRAME_BLOCK to those "
        "that you do not want (schedframe-again,schedframe-twice)"
    ),
    "future": (
        "LR style 'future' from schedframe-future 0.1.0 (schedframe_future:Future) cannot be used: "
        f"it requires schedframe>=99, and this is schedframe {__version__}; install versions that fit each other"
    ),
    "barred": (
        "the LR style 'barred' comes from schedframe-barred 0.1.0 (schedframe_barred:Barred), and SCHEDFRAME_BLOCK "
        "blocks it; change the variable to use it"
    ),
    "left": (
        "LR style 'left' from schedframe-left 0.0.1 (schedframe_left:Left) cannot be imported: ModuleNotFoundError: "
        "No module named 'schedframe_left'; repair or reinstall it, or leave the style out"
    ),
}
CAUSES = {
    ("schedframe-again", "LR twice"): ("clashing", SENTENCES["twice"].replace("LR style 'twice'", "twice")),
    ("schedframe-barred", "LR barred"): ("blocked", "SCHEDFRAME_BLOCK blocks it"),
    ("schedframe-future", "LR future"): (
        "incompatible",
        f"it requires schedframe>=99, and this is schedframe {__version__}",
    ),
    ("schedframe-good", "LR good"): ("ok", ""),
    ("schedframe-left", "LR left"): ("broken", SENTENCES["left"]),
    ("schedframe-moved", "LR moved"): ("ok", ""),
    ("schedframe-raising", "LR raising"): ("broken", SENTENCES["raising"]),
    ("schedframe-rules", "hooks"): ("ok", ""),
    ("schedframe-twice", "LR twice"): ("clashing", SENTENCES["twice"].replace("LR style 'twice'", "twice")),
}


def said(environment: Environment, *arguments: str, **variables: str) -> tuple[int, str, str]:
    done = environment.run("schedframe", *arguments, **{"SCHEDFRAME_BLOCK": "schedframe-barred", **variables})
    return done.returncode, done.stdout, done.stderr


def config(environment: Environment, style: str) -> str:
    """Write a schedule of `style`, and return the file's name."""
    file = environment.folder / f"{style}.yaml"
    file.write_text(f"max_lr: 1e-3\nlr_decay_steps: 1000\nlr_decay_style: {style}\n")
    return file.name


def test_without_plugins_it_says_how_to_begin_one(bare: Environment) -> None:
    done = bare.run("schedframe", "plugins")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "no plugins are installed; `schedframe new` creates one\n"


def test_plugins_tells_what_is_wrong_with_each(crowded: Environment) -> None:
    code, out, err = said(crowded, "plugins", "--format", "json")
    found = {(row["distribution"], row["adds"]): (row["state"], row["cause"]) for row in json.loads(out)["plugins"]}
    assert (code, err) == (1, "")
    assert found == CAUSES
    code, out, err = said(crowded, "plugins")
    assert (code, err) == (1, "")
    rows = [line.split() for line in out.splitlines()]
    for (distribution, adds), (state, cause) in CAUSES.items():
        assert [distribution, "0.0.1" if distribution == "schedframe-left" else "0.1.0", *adds.split(), state] in rows
        assert not cause or f"\n{distribution}, {adds}: {cause}\n" in out


def test_styles_lists_every_one_and_imports_none(crowded: Environment) -> None:
    code, out, err = said(crowded, "styles", "--format", "json")
    assert (code, err) == (0, "")
    faults = {row["name"]: row["fault"] for row in json.loads(out)["styles"] if row["distribution"] != "schedframe"}
    known = {adds.removeprefix("LR "): cause for (_, adds), (_, cause) in CAUSES.items() if adds != "hooks"}
    known |= {"raising": "", "left": "", "twice": SENTENCES["twice"].removeprefix("LR style 'twice' ")}
    assert faults == {name: cause or None for name, cause in known.items()}


@pytest.mark.parametrize("name", SENTENCES)
def test_styles_name_says_why_it_cannot_be_used(crowded: Environment, name: str) -> None:
    assert said(crowded, "styles", name) == (2, "", f"{SENTENCES[name]}\n")


def test_check_names_the_line_of_each(crowded: Environment) -> None:
    files = {name: config(crowded, name) for name in SENTENCES}
    code, out, err = said(crowded, "check", *files.values())
    assert (code, err) == (2, "")
    wrong = [f"{file}:3: error: lr_decay_style = '{name}': {SENTENCES[name]}" for name, file in files.items()]
    assert [line for line in out.splitlines() if ": error: " in line] == wrong


@pytest.mark.parametrize("name", ["raising", "twice"])
def test_preview_and_conform_say_it_too(crowded: Environment, name: str) -> None:
    file = config(crowded, name)
    place = f"{file}: line 3, lr_decay_style = '{name}': "
    assert said(crowded, "preview", file) == (2, "", f"{place}{SENTENCES[name]}\n")
    assert said(crowded, "conform", name) == (2, "", f"{SENTENCES[name]}\n")


PREVIEWED = "step,label,lr\n0,start,0.001\n500,,0.00075\n1000,decay end,0.0\n1001,after the end,0.0\n"


def test_a_good_one_beside_them_is_untouched(crowded: Environment) -> None:
    code, out, err = said(crowded, "styles", "good")
    assert (code, err) == (0, "")
    assert "from  schedframe-good 0.1.0 (schedframe_good:Good)" in out
    file = config(crowded, "good")
    assert said(crowded, "check", file)[:2] == (
        0,
        f"{file}: ok\n  good(power=2), max LR 1e-3, min LR 0, no warmup, decay 1K, weight decay not scheduled\n"
        "1 note; --notes shows the notes\n",
    )
    previewed = said(crowded, "preview", file, "--points", "2", "--format", "csv")
    assert previewed == (0, PREVIEWED, "")
    code, out, err = said(crowded, "conform", "good")
    assert (code, err) == (0, "")
    passed = f"{len(CHECKS)} of {len(CHECKS)} checks pass"
    assert out == f"good(power=2) (LR) from schedframe-good 0.1.0 (schedframe_good:Good)\n  {passed}\n"


UNTOUCHED = """
import sys
import schedframe
from schedframe import StyleConflictError, lr_styles, wd_styles

for registry in (lr_styles, wd_styles):
    assert set(registry.builtins) <= set(registry)
    for name in registry.builtins:
        assert registry[name].model_fields["style"].default == name
assert not [name for name in sys.modules if name.startswith("schedframe_")]
assert lr_styles["good"].__module__ == "schedframe_good"
assert lr_styles["moved"].__module__ == "schedframe_moved"
for kept_out in ("raising", "future", "barred", "left", "twice"):
    try:
        lr_styles[kept_out]
    except schedframe.SchedframeError as error:
        assert isinstance(error, StyleConflictError) == (kept_out == "twice")
    else:
        raise AssertionError(kept_out)
loaded = {name for name in sys.modules if name.startswith("schedframe_")}
assert loaded == {"schedframe_good", "schedframe_moved"}, loaded
"""


def test_the_import_and_every_other_style_are_untouched_by_all_of_them(crowded: Environment) -> None:
    done = crowded.run("python", "-W", "error", "-c", UNTOUCHED, SCHEDFRAME_BLOCK="schedframe-barred")
    assert done.returncode == 0, done.stderr


def test_a_stale_egg_info_earlier_on_the_path_is_reported(crowded: Environment) -> None:
    old = crowded.folder / "checkout" / "schedframe_moved.egg-info"
    old.mkdir(parents=True)
    (old / "PKG-INFO").write_text("Metadata-Version: 1.2\nName: schedframe-moved\nVersion: 0.0.1\n")
    told = (
        f"schedframe-moved is on the path 2 times ({old.parent}, {crowded.site}); only the first is read, reinstall it"
    )
    code, out, err = said(crowded, "plugins", PYTHONPATH=str(old.parent))
    assert (code, err) == (1, "")
    assert f"\nschedframe-moved, stale: {told}\n" in out
    code, out, err = said(crowded, "check", config(crowded, "moved"), PYTHONPATH=str(old.parent))
    assert (code, err) == (2, "")
    first = out.splitlines()[0]
    assert first.startswith(
        "moved.yaml:3: error: lr_decay_style = 'moved': there is no LR style 'moved'. Installed: WSD, "
    )
    assert first.endswith(f"Other styles come from plugins: pip install the one that provides 'moved'. {told}")
    assert said(crowded, "check", config(crowded, "good"), PYTHONPATH=str(old.parent))[0] == 0
