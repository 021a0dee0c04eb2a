"""One length is continued in one way, however it is spelled and wherever it stands."""

from collections.abc import Callable
from typing import Any

import pytest

from schedframe import ConfigError, Continuation, Schedule, branch, extend, rewarm

SPELLINGS = {
    "one length for decay and run": (100, "10%", "10% of decay", "10 % OF RUN"),
    "a run twice as long": (100, "10%", "10% of decay", "5% of run"),
}
RUNS: dict[str, dict[str, Any]] = {
    "one length for decay and run": {"train_samples": 1000},
    "a run twice as long": {"train_samples": 2000, "lr_decay_steps": 1000},
}
PLACES: dict[str, Callable[[Any], dict[str, Any]]] = {
    "warmup": lambda length: {"lr_warmup_steps": length},
    "cooldown": lambda length: {"lr_decay_style": {"style": "WSD", "wsd_decay_steps": length}},
    "flat cooldown": lambda length: {"lr_decay_style": "WSD", "wsd_decay_steps": length},
    "phase": lambda length: {"lr_decay_style": phases(length)},
    "first phase": lambda length: {
        "lr_decay_style": {
            "style": "phases",
            "phases": [{"style": "linear", "length": length, "to": "50%"}, {"style": "constant"}],
        }
    },
    "timescale": lambda length: {"lr_decay_style": {"style": "power-law", "timescale": length}},
    "shift of the warmup": lambda length: {
        "lr_warmup_steps": 50,
        "lr_warmup_style": {"style": "linear", "shift": length, "stretched": True},
    },
    "weight decay": lambda length: {**MOVING, "wd_incr_steps": length},
    "phase of weight decay": lambda length: {**MOVING, "wd_incr_style": wd_phases(length)},
    "cooldown of weight decay": lambda length: {
        "start_wd": 0.1,
        "wd_incr_style": {"style": "cooldown", "wd_cooldown_steps": length, "base": "adamc"},
    },
    "warmup of a rule": lambda length: rule(lr_warmup_steps=length),
    "warmup and multiplier of a rule": lambda length: rule(lr_warmup_steps=length, lr_mult=0.1),
    "cooldown of a rule": lambda length: rule(lr_decay_style={"style": "WSD", "wsd_decay_steps": length}),
    "phase of a rule": lambda length: rule(lr_decay_style=phases(length)),
    "flat cooldown of a rule": lambda length: {
        "lr_decay_style": "WSD",
        "wsd_decay_steps": 50,
        **rule(wsd_decay_steps=length),
    },
    "weight decay of a rule": lambda length: {**MOVING, "wd_incr_steps": 50, **rule(wd_incr_steps=length)},
    "end of a rule": lambda length: rule(lr_decay_steps=length if isinstance(length, int) else of_run(length)),
}
OPERATIONS: dict[str, Callable[[Schedule], Continuation]] = {
    "extend": lambda schedule: extend(schedule, 400, lr_decay_steps=4000),
    "extend within the warmup": lambda schedule: extend(schedule, 40, lr_decay_steps=4000),
    "extend, reshaped": lambda schedule: extend(schedule, 950, lr_decay_steps=4000, reshape=True),
    "branch": lambda schedule: branch(schedule, 400, wsd_decay_steps=30),
    "branch and stay": lambda schedule: branch(schedule, 400, wsd_decay_steps=30, stable_until=800, end_wd="current"),
    "rewarm": lambda schedule: rewarm(schedule, 400, lr_warmup_steps=20, lr_decay_steps=500, end_wd=0.2),
    "rewarm, long": lambda schedule: rewarm(
        schedule, 950, lr_warmup_steps=20, lr_decay_steps=5000, end_wd="current", allow_jump=True
    ),
}
MOVING: dict[str, Any] = {"start_wd": 0.1, "end_wd": 0.3, "wd_incr_style": "linear"}


def rule(**sets: Any) -> dict[str, Any]:
    return {"groups": [{"role": "router", "match": {"index": 1}, **sets}]}


def phases(length: Any) -> dict[str, Any]:
    last = {"style": "minus_sqrt", "length": length, "to": "10%"}
    return {"style": "phases", "phases": [{"style": "constant"}, last]}


def wd_phases(length: Any) -> dict[str, Any]:
    return {"style": "phases", "phases": [{"style": "linear", "length": length, "to": 0.2}, {"style": "constant"}]}


def of_run(length: str) -> str:
    """The only percentage that the end of the decay may be: of the run."""
    return length if "run" in length.lower() else "100"


def outcome(run: str, place: str, spelling: Any, operation: str) -> Any:
    """What the operation makes of a file in which a length at `place` is spelled so: its curves, or what is refused."""
    keys = {"max_lr": 1e-3, "min_lr": "1%", "lr_decay_style": "constant", **RUNS[run], **PLACES[place](spelling)}
    try:
        made = OPERATIONS[operation](Schedule(**keys))
    except ConfigError as error:
        return [(problem.path, problem.message) for problem in error.problems]
    return made.schedule.fingerprint, made.schedule.landmarks(), made.schedule.train_samples


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("run", RUNS)
def test_every_spelling_of_a_length_is_continued_alike(run: str, place: str, operation: str) -> None:
    number, *others = SPELLINGS[run]
    expected = outcome(run, place, number, operation)
    assert {spelling: outcome(run, place, spelling, operation) for spelling in others} == dict.fromkeys(
        others, expected
    )


@pytest.mark.parametrize("spelling", ["10%", "10% of decay", "10% of run"])
@pytest.mark.parametrize("place", ["warmup", "cooldown", "phase", "warmup of a rule", "cooldown of a rule"])
def test_a_percentage_can_be_extended(place: str, spelling: str) -> None:
    _, landmarks, _ = outcome("one length for decay and run", place, spelling, "extend")
    assert landmarks["decay end"] == 4000


@pytest.mark.parametrize("spelling", [50, "10%", "10% of decay", "10% of run"])
def test_the_new_warmup_may_be_any_percentage_of_the_new_run(spelling: Any) -> None:
    parent = Schedule(train_samples=1000, max_lr=1e-3, lr_warmup_steps="10% of decay", lr_decay_style="constant")
    assert rewarm(parent, 400, lr_warmup_steps=spelling, lr_decay_steps=500).schedule.lr_warmup_steps == 50


@pytest.mark.parametrize("spelling", ["10%", "10% of decay", "10% of run"])
def test_the_length_of_a_branch_is_no_percentage(spelling: str) -> None:
    parent = Schedule(train_samples=1000, max_lr=1e-3, lr_decay_style="constant")
    with pytest.raises(ConfigError, match="is a percentage, where only a length of its own can stand"):
        branch(parent, 400, wsd_decay_steps=spelling)
