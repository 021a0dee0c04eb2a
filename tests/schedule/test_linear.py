"""What a schedule takes to load grows in proportion to what its file holds, counted in calls of functions."""

import sys
from collections.abc import Callable
from typing import Any

import pytest

from schedframe import ConfigError, Schedule
from schedframe._files.config import json, toml, yaml

RUN = {"max_lr": 1.0, "lr_decay_steps": 1_000_000}


def phases(count: int) -> dict[str, Any]:
    lengths = [1_000_000 // count] * (count - 1)
    tables = [{"style": "linear", "length": length, "to": "50%" if length % 2 else "60%"} for length in lengths]
    return {"style": "phases", "phases": [*tables, {"style": "linear", "to": 0.0}]}


def rules(count: int) -> list[dict[str, Any]]:
    return [{"role": f"r{index}", "match": {"index": index}, "lr_mult": 0.5} for index in range(count)]


def landmarks(count: int) -> dict[str, float]:
    return Schedule(**RUN, lr_decay_style=phases(count)).landmarks()


def steps(count: int) -> None:
    schedule = Schedule(**RUN, lr_decay_style=phases(count))
    for step in range(0, 1_000_000, 1_000_000 // count):
        schedule.lr_at(step)


def milestones(count: int) -> dict[str, Any]:
    parts = [(index + 1) / count for index in range(count)]
    return {"style": "multi-step", "milestones": parts, "multipliers": parts[::-1]}


def ramp(count: int) -> dict[str, Any]:
    return {"rampup_batch_size": [1, 1, 10**8], "global_batch_size": count + 1, "lr_warmup_steps": "10 iters"}


LOADS: dict[str, Callable[[int], Any]] = {
    "phases": lambda count: Schedule(**RUN, lr_decay_style=phases(count)),
    "phases of weight decay": lambda count: Schedule(**RUN, start_wd=0.1, end_wd=0.0, wd_incr_style=phases(count)),
    "landmarks": landmarks,
    "steps through phases": steps,
    "milestones": lambda count: Schedule(**RUN, lr_decay_style=milestones(count)),
    "increments of a ramp": lambda count: Schedule(**RUN, **ramp(count)).landmarks(),
    "rules": lambda count: Schedule(**RUN, groups=rules(count)),
    "rules beside a misspelt style": lambda count: Schedule(**RUN, lr_decay_style="cosin", groups=rules(count)),
    "lines of YAML": lambda count: yaml.parse("".join(f"a{index}: [1, {{b: 2}}]\n" for index in range(count))),
    "lines of TOML": lambda count: toml.parse("".join("[[a]]\nb.c = [1, { d = 2 }]\n" for index in range(count))),
    "lines of JSON": lambda count: json.parse("[" + ",\n".join(['{"a": [1, {"b": 2}]}'] * count) + "]"),
}


def calls(load: Callable[[int], Any], count: int) -> int:
    """How many functions are called, those of C too."""
    counted = 0

    def count_call(frame: Any, event: str, argument: Any) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    sys.setprofile(count_call)
    try:
        load(count)
    except ConfigError:
        pass
    finally:
        sys.setprofile(None)
    return counted


@pytest.mark.no_cover
@pytest.mark.parametrize("name", LOADS)
def test_four_times_as_much_takes_about_four_times_as_many_calls(name):
    load = LOADS[name]
    calls(load, 3)
    assert calls(load, 200) < 6 * calls(load, 50)


def test_a_ramp_of_100_000_increments_is_converted():
    keys = {"rampup_batch_size": [1, 1, 10**10], "global_batch_size": 100_001, "lr_warmup_steps": "100 iters"}
    assert Schedule(max_lr=1.0, train_iters=10**6, **keys).lr_warmup_steps == 100


@pytest.mark.parametrize("missing", [100, 2])
def test_phases_that_miss_the_end_by_little_of_much_are_refused(missing):
    half = 5 * 10**11
    style = {
        "style": "phases",
        "phases": [{"style": "linear", "length": half}, {"style": "linear", "length": half - missing}],
    }
    with pytest.raises(ConfigError, match=f"have {10**12 - missing} steps together, and the decay has {10**12} from"):
        Schedule(max_lr=1.0, lr_decay_steps=10**12, lr_decay_style=style)


@pytest.mark.parametrize("total", [10**12 + 1, 100.1, 7, 1e100])
def test_phases_in_percent_fill_a_run_of_any_length(total):
    shares = [{"style": "linear", "length": length, "to": "50%"} for length in ("33.3%", "33.3%", "33.4%")]
    style = {"style": "phases", "phases": shares}
    assert Schedule(max_lr=1.0, lr_decay_steps=total, lr_decay_style=style).lr_at(0) == 1.0


RULE = {"role": "router", "match": {"index": 0}}
SPELLINGS = [{"lr_mult": 0.5}, {"max_lr": 0.5}, {"max_lr": "0.5", "min_lr": 0.0}, {"max_lr": 0.5, "init_lr": "0%"}]


def test_one_curve_has_one_fingerprint_however_its_rule_is_written():
    schedules = [Schedule(**RUN, groups=[{**RULE, **sets}]) for sets in SPELLINGS]
    dumped = [Schedule(**schedule.model_dump()) for schedule in schedules]
    assert len({schedule.fingerprint for schedule in (*schedules, *dumped)}) == 1


@pytest.mark.parametrize("sets", [{"max_lr": 0.25}, {"max_lr": 0.5, "wd_mult": 2.0}, {"max_lr": 0.5, "min_lr": 0.1}])
def test_another_curve_of_a_rule_has_another_fingerprint(sets):
    one, other = (Schedule(**RUN, groups=[{**RULE, **values}]) for values in (SPELLINGS[0], sets))
    assert one.fingerprint != other.fingerprint
