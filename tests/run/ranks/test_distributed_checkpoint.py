"""The state in checkpoints of torch.distributed.checkpoint, where a template says what is loaded."""

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schedframe import OptimizerParamScheduler, SchedframeWarning, StateError

torch = pytest.importorskip("torch")
dcp = pytest.importorskip("torch.distributed.checkpoint")

FLAGS = {"checkpoint": (True, False), "override": (False, True), "neither": (False, False)}
SAVED_AT = 50
INCREMENTS = [1, 29, 1, 10, 19, 5]

pytestmark = pytest.mark.filterwarnings("ignore:torch.distributed is disabled, unavailable or uninitialized")


@pytest.fixture(scope="module")
def stock() -> Any:
    """Return Megatron's class."""
    with warnings.catch_warnings():
        # Megatron says at import that Transformer Engine and Apex are not installed.
        warnings.simplefilter("ignore")
        return pytest.importorskip("megatron.core.optimizer_param_scheduler").OptimizerParamScheduler


@pytest.fixture
def build(optimizer, run: dict[str, Any]) -> Callable[..., Any]:
    """Build a scheduler of either class over two param groups."""

    def build(cls: Any = OptimizerParamScheduler, flags: str = "checkpoint", **changes: Any) -> Any:
        use_checkpoint, override = FLAGS[flags]
        return cls(
            optimizer({"wd_mult": 1.0}, {"wd_mult": 0.0}),
            **{**run, **changes},
            use_checkpoint_opt_param_scheduler=use_checkpoint,
            override_opt_param_scheduler=override,
        )

    return build


@pytest.fixture
def through(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Save one state, and load it into another as its template."""

    def through(state: dict[str, Any], template: dict[str, Any], **options: Any) -> dict[str, Any]:
        dcp.save({"opt_param_scheduler": state}, checkpoint_id=tmp_path / "checkpoint", no_dist=True)
        loaded = {"opt_param_scheduler": template}
        planner = dcp.DefaultLoadPlanner(**options)
        dcp.load(loaded, checkpoint_id=tmp_path / "checkpoint", planner=planner, no_dist=True)
        return loaded["opt_param_scheduler"]

    return through


def at(scheduler: Any, num_steps: int) -> Any:
    scheduler.step(num_steps)
    return scheduler


def values(scheduler: Any) -> list[list[float]]:
    return [[group["lr"], group["weight_decay"]] for group in scheduler.optimizer.param_groups]


def continued(scheduler: Any) -> list[list[list[float]]]:
    """Return what the groups hold now, and after each increment."""
    held = [values(scheduler)]
    for increment in INCREMENTS:
        scheduler.step(increment)
        held.append(values(scheduler))
    return held


def test_what_four_ranks_save_two_load_and_go_on_equal(world, run: dict[str, Any], build, tmp_path: Path) -> None:
    rows = [[float(row), row + 0.5] for row in range(10)]
    zeros = [[0.0, 0.0]] * len(rows)
    folder = str(tmp_path)
    saved = world("save", 4, run=run, num_steps=SAVED_AT, rows=rows, folder=folder)
    loaded = world("load", 2, run={**run, "max_lr": 0.5}, increments=INCREMENTS, rows=zeros, folder=folder)
    assert [len(rank["rows"]) for rank in saved] == [3, 3, 3, 1]
    assert [rank["rows"] for rank in loaded] == [rows[:5], rows[5:]]
    uninterrupted = at(build(), SAVED_AT)
    assert [rank["state"] for rank in loaded] == [uninterrupted.state_dict()] * 2
    assert [rank["held"] for rank in loaded] == [continued(uninterrupted)] * 2


TEMPLATES = {
    "the same run": {},
    "another peak": {"max_lr": 0.5},
    "another style": {"lr_decay_style": "cosine", "wd_incr_style": "linear"},
    "another tail": {"lr_decay_style": {"style": "WSD", "wsd_decay_steps": 60, "lr_wsd_decay_style": "linear"}},
    "a style with more options": {
        "lr_decay_style": {"style": "multi-step", "milestones": [0.5, 0.9], "multipliers": [0.3, 0.1]}
    },
    "weight decay not scheduled": {"start_wd": None, "end_wd": None},
}


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_checkpoints_schedule_counts_whatever_the_template_runs(build, through, template: str) -> None:
    uninterrupted = at(build(), SAVED_AT)
    resumed = build(**TEMPLATES[template])
    state = through(uninterrupted.state_dict(), resumed.state_dict())
    assert state == uninterrupted.state_dict()
    resumed.load_state_dict(state)
    assert continued(resumed) == continued(uninterrupted)


def test_the_templates_schedule_counts_with_override(build, through) -> None:
    resumed = build(flags="override", **TEMPLATES["another style"])
    resumed.load_state_dict(through(at(build(), SAVED_AT).state_dict(), resumed.state_dict()))
    assert continued(resumed) == continued(at(build(**TEMPLATES["another style"]), SAVED_AT))


def test_a_template_that_runs_another_style_is_refused_with_neither_flag(build, through) -> None:
    resumed = build(flags="neither", **TEMPLATES["another style"])
    with pytest.raises(StateError, match="lr_decay_style"):
        resumed.load_state_dict(through(at(build(), SAVED_AT).state_dict(), resumed.state_dict()))
    assert resumed.num_steps == 0


def test_a_partial_load_of_a_state_of_megatrons_goes_on_equal_with_a_warning(build, through, stock) -> None:
    uninterrupted = at(build(stock, **tail_of_megatrons()), SAVED_AT)
    resumed = build(max_lr=0.5)
    template = resumed.state_dict()
    state = through(uninterrupted.state_dict(), dict(template), allow_partial_load=True)
    assert state == {**uninterrupted.state_dict(), "schedframe": template["schedframe"]}
    with pytest.warns(SchedframeWarning) as caught:
        resumed.load_state_dict(state)
    assert any("loaded in part; the ten keys are used" in str(warning.message) for warning in caught)
    assert continued(resumed) == continued(uninterrupted)


def test_a_partial_load_of_a_state_of_megatrons_is_refused_with_neither_flag(build, through, stock) -> None:
    uninterrupted = at(build(stock, **tail_of_megatrons()), SAVED_AT)
    resumed = build(flags="neither")
    state = through(uninterrupted.state_dict(), resumed.state_dict(), allow_partial_load=True)
    with pytest.raises(StateError, match="loaded in part"):
        resumed.load_state_dict(state)
    assert resumed.num_steps == 0


def test_a_whole_load_of_a_state_of_megatrons_fails_with_what_is_no_exception(build, through, stock) -> None:
    assert not issubclass(dcp.CheckpointException, Exception)
    state = at(build(stock, **tail_of_megatrons()), SAVED_AT).state_dict()
    with pytest.raises(
        dcp.CheckpointException, match=r"Missing key in checkpoint state_dict: opt_param_scheduler\.sch"
    ):
        through(state, build().state_dict())


def test_megatrons_class_loads_ours_and_goes_on_equal(build, through, stock) -> None:
    uninterrupted = at(build(), SAVED_AT)
    resumed = build(stock, max_lr=0.5, **tail_of_megatrons())
    state = through(uninterrupted.state_dict(), resumed.state_dict())
    assert state == {key: value for key, value in uninterrupted.state_dict().items() if key != "schedframe"}
    resumed.load_state_dict(state)
    assert continued(resumed) == continued(uninterrupted)


OLDER = {
    "format": 1,
    "init_lr": 0.01,
    "lr_style": {"style": "WSD", "wsd_decay_steps": 30.0, "lr_wsd_decay_style": {"style": "minus_sqrt"}},
    "wd_style": {"style": "cosine"},
    "sources": {
        "lr_style": {"distribution": "schedframe", "version": "0.1.0", "target": "schedframe.styles.lr:WSD"},
        "wd_style": {"distribution": "schedframe", "version": "0.1.0", "target": "schedframe.styles.wd:WDCosine"},
    },
    "fingerprint": "a51e49eadaa71e37",
    "digest": "6e3e153b5528e78b",
}
"""The key ``schedframe`` at step 50 of the run, as the first states of format 1 had it: without ``start_step``."""


@pytest.mark.parametrize("flags", FLAGS)
def test_an_older_state_of_ours_goes_on_equal(build, through, flags: str) -> None:
    uninterrupted = at(build(), SAVED_AT)
    older = {**uninterrupted.state_dict(), "schedframe": json.dumps(OLDER, sort_keys=True)}
    resumed = build(flags=flags)
    state = through(older, resumed.state_dict())
    assert state == older
    resumed.load_state_dict(state)
    assert resumed.state_dict() == uninterrupted.state_dict()
    assert continued(resumed) == continued(uninterrupted)


def tail_of_megatrons() -> dict[str, Any]:
    """Return the cooldown of the run as Megatron's class takes it."""
    return {"lr_decay_style": "WSD", "wsd_decay_steps": 30, "lr_wsd_decay_style": "minus_sqrt"}
