"""The conformance kit: every built-in style passes it, and each check catches a style that is wrong in that way."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import schedframe
from schedframe import Registry, lr_styles, testing, wd_styles
from schedframe.styles import LRShape, Style
from schedframe.testing import CHECKS, check_import, check_pure, check_style, parametrize_styles

from . import bad_styles

pytest.importorskip("jsonschema")

LR_WITH_OPTIONS = [
    {"style": "WSD", "wsd_decay_steps": 200},
    {"style": "WSD", "wsd_decay_steps": 1000, "lr_wsd_decay_style": "minus_sqrt"},
    {"style": "minus-power", "power": 0.6},
    {"style": "each", "factor": "90%", "every": 100, "stairs": True},
    {"style": "product", "of": ["cosine", {"style": "each", "factor": 0.5, "every": 250}]},
    {"style": "floored", "of": "minus_sqrt", "floor": "cut"},
    {"style": "multi-step", "milestones": [0.5, 0.9], "multipliers": [0.316, 0.1]},
    {"style": "phases", "phases": [{"style": "constant"}, {"style": "cosine", "length": 200}]},
    {"style": "polynomial", "power": 3},
    {"style": "power-law", "timescale": 100},
]
WD_WITH_OPTIONS = [
    {"style": "cooldown", "wd_cooldown_steps": 200},
    {"style": "lr-curve", "curve": "minus_sqrt"},
    {"style": "phases", "phases": [{"style": "linear", "length": 200, "to": 0.05}, {"style": "cosine"}]},
]


def with_every_other(registry: Registry, tables: list[dict[str, Any]]) -> list[Any]:
    """Return `tables` and the name of every built-in style that is in none of them."""
    return [*tables, *sorted(registry.builtins.keys() - {table["style"] for table in tables})]


@parametrize_styles(with_every_other(lr_styles, LR_WITH_OPTIONS))
def test_every_built_in_lr_style_conforms(style: Style, check: Callable[[Style], None]) -> None:
    check(style)


@parametrize_styles(with_every_other(wd_styles, WD_WITH_OPTIONS), kind="wd")
def test_every_built_in_wd_style_conforms(style: Style, check: Callable[[Style], None]) -> None:
    check(style)


@pytest.fixture
def register(unregister: None) -> Callable[[type[Any]], Any]:
    """Register a style until the end of the test."""
    return lr_styles.register


def test_a_style_that_is_right_passes_every_check(register: Callable[[type[Any]], None]) -> None:
    register(bad_styles.Good)
    check_style(bad_styles.Good(power=2.5))


HOUSE = """
import schedframe


@schedframe.hookimpl
def schedframe_check(schedule):
    return ["nothing is allowed here"]


@schedframe.hookimpl
def schedframe_built(scheduler):
    raise RuntimeError("a scheduler was shown")


@schedframe.hookimpl
def schedframe_read_state(state):
    raise RuntimeError("a state was shown")
"""
ASKED = """
from types import SimpleNamespace
from schedframe import ConfigError, Schedule, styles
from schedframe.testing import check_style

check_style(styles.lr.Cosine())
try:
    Schedule(max_lr=1.0, lr_decay_steps=10).build(SimpleNamespace(param_groups=[{}]))
except ConfigError as error:
    print(error)
"""


def test_no_hook_plugin_is_asked_by_the_kit_and_every_one_is_asked_after_it(install: Callable[..., Path]) -> None:
    site = install("acme-house", HOUSE, hooks={"acme": "acme_house_mod"})
    path = os.pathsep.join((str(site), str(Path(schedframe.__file__).parents[1])))
    done = subprocess.run(
        [sys.executable, "-c", ASKED], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "the schedule: nothing is allowed here\n"


SAYS = {
    "name": "the name 'linear' gives schedframe.styles.lr:Linear, and the style is ",
    "frozen": "the option style can be assigned; a style is frozen, so leave model_config alone",
    "hashable": "it has no hash: unhashable type: 'list'; declare tuples instead of lists and dicts",
    "picklable": "it cannot be pickled: TypeError: cannot pickle",
    "round_trip": "from a dict it comes back as round_trip(style='rounded', power=0.33), and was ",
    "schema": "its JSON schema is not valid: 12 is not valid under any of the given schemas",
    "options": "the options power have no description; add Field(description=...)",
    "docstring": "its docstring lacks At the edges:, Examples:, References:",
    "example": "1 of its examples do not print what they show:",
    "unknown_keys": "it takes an option that it does not have; leave model_config alone",
    "finite": "at step 525 it gives nan, and not a finite number of at least 0",
    "pure": "asked again, in another order; a style has no state",
    "start": "it starts at 0.7250000000000001, and not at 0.8, max_lr where the warmup ends",
    "bounds": "which is not between 0.05 and 0.8",
    "past_the_end": "at step 1101, past the end, it gives 0.05000185054930317, and ended at 0.05: it comes back up",
    "group_bounds": "in a group that starts at 3.0 it starts at 0.8; read the bounds from the point",
    "resume": "stopped at step 50, it goes on with ",
}


@pytest.mark.parametrize("name", SAYS)
def test_each_check_catches_what_is_wrong(name: str, register: Callable[[type[Any]], None]) -> None:
    cls = getattr(bad_styles, name)
    if name != "name":
        register(cls)
    style = cls(power=2.0) if name == "resume" else cls()
    with pytest.raises(AssertionError) as caught:
        getattr(testing, f"check_{name}")(style)
    assert SAYS[name] in str(caught.value)


def test_every_check_is_tried() -> None:
    assert {check.__name__ for check in CHECKS} == {f"check_{name}" for name in (*SAYS, "import")}
    assert set(testing.__all__) == {
        *(check.__name__ for check in CHECKS),
        *("CHECKS", "DECAY_STEPS", "WARMUP_STEPS", "check_style", "parametrize_styles"),
    }


def test_check_style_names_the_check(register: Callable[[type[Any]], None]) -> None:
    register(bad_styles.options)
    with pytest.raises(AssertionError, match="check_options: the options power have no description"):
        check_style(bad_styles.options())


def test_an_import_that_is_heavy_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cupy.py").write_text("")
    (tmp_path / "heavy_style.py").write_text(
        "import cupy\nfrom typing import Literal\nfrom schedframe.styles import LRCurve\n\n\n"
        "class Heavy(LRCurve):\n    style: Literal['heavy'] = 'heavy'\n\n"
        "    def coefficient(self, progress):\n        return 1.0 - progress\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    import heavy_style  # type: ignore[import-not-found]

    with pytest.raises(AssertionError, match="importing heavy_style imports cupy; import it where it is needed"):
        check_import(heavy_style.Heavy())
    (tmp_path / "heavy_style.py").write_text("raise RuntimeError('gone')\n")
    with pytest.raises(AssertionError, match="a fresh process cannot import heavy_style: RuntimeError: gone"):
        check_import(heavy_style.Heavy())


SUITE = """
from schedframe.testing import parametrize_styles
from tests.bad_styles import options
from schedframe import lr_styles

lr_styles.register(options)

@parametrize_styles([options()], expected_failures={EXPECTED})
def test_conforms(style, check):
    check(style)
"""


@pytest.mark.parametrize(
    ("expected", "code", "told"),
    [
        ({"check_options": "known", "check_docstring": "known", "check_example": "known"}, 0, "3 xfailed"),
        ({"check_options": "known"}, 1, "2 failed"),
        (
            dict.fromkeys(("check_options", "check_docstring", "check_example", "check_start"), "known"),
            1,
            "1 failed",
        ),
        ({"check_opions": "known"}, 2, "there is no check check_opions; they are check_name,"),
    ],
    ids=["expected", "not expected", "expected and passes", "misspelt"],
)
def test_expected_failures_are_strict(tmp_path: Path, expected: dict[str, str], code: int, told: str) -> None:
    suite = tmp_path / "test_suite.py"
    suite.write_text(SUITE.replace("{EXPECTED}", repr(expected)))
    root = Path(schedframe.__file__).parents[1]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", str(suite)]
    done = subprocess.run(
        command, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, text=True
    )
    assert done.returncode == code, done.stdout
    assert told in done.stdout


def test_a_shape_that_gives_another_coefficient_over_a_run_fails() -> None:
    class Other(LRShape):
        style: str = "other"

        def coefficient_at(self, step: float, warmup_steps: float, decay_steps: float) -> float:
            return 1.0

        def over(self, warmup_steps: float, decay_steps: float) -> Callable[[float], float]:
            return lambda step: 0.5

    with pytest.raises(AssertionError, match=r"at step 100 over\(\) gives the coefficient 0.5, and coefficient_at 1.0"):
        check_pure(Other())
