"""Loads the states of every step of many runs and follows them; prints what was not equal, as JSON.

``python resume_every_step.py FILE FOLDER``. FILE is what test_resume_every_step.py wrote: what each run says, its
state at every step, and the curve of the run that was never interrupted. FOLDER holds the plugins.
"""

from __future__ import annotations

import json
import logging
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # pytest looks for doctests in here
    from schedframe import OptimizerParamScheduler, Schedule

STEPS, LAST = 400, 420
"""A state is saved at each step up to STEPS; curves go on to LAST, past the end."""

STARTS_AT = {"constructor": 0, "schedule": 1000}
"""Each run is made in two ways; with the second it starts at this count."""

FLAGS = {"strict": (False, False), "checkpoint": (True, False), "override": (False, True)}

OWN = {"max_lr": 5.0, "min_lr": 0.5, "start_wd": 0.4, "end_wd": 0.03, "default_config": False}
OTHER = {
    "max_lr": 2.0,
    "min_lr": 0.0,
    "init_lr": 0.5,
    "lr_warmup_steps": 7,
    "lr_decay_steps": 77,
    "lr_decay_style": {"style": "WSD", "wsd_decay_steps": 11, "lr_wsd_decay_style": "polynomial"},
    "start_wd": 0.3,
    "end_wd": 0.3,
    "wd_incr_steps": 55,
    "wd_incr_style": "constant",
}
"""What a process says whose checkpoint must count: no number and no style is a run's."""


class Optimizer:
    """One group that follows with bounds written out, one with its own, one that follows and has half the decay."""

    def __init__(self, max_lr: float, min_lr: float) -> None:
        self.param_groups: list[dict[str, Any]] = [
            {"params": [], "max_lr": max_lr, "min_lr": min_lr, "default_config": True},
            {"params": [], **OWN},
            {"params": [], "wd_mult": 0.5, "default_config": True},
        ]


def build(way: str, policy: str, said: dict[str, Any], start_step: int) -> Any:
    """Return a scheduler that says `said`; the constructor has Megatron's flags, a schedule says ``resume``."""
    optimizer = Optimizer(said["max_lr"], said["min_lr"])
    if way == "schedule":
        return Schedule(**said, start_step=start_step, resume=policy).build(optimizer)
    use_checkpoint, override = FLAGS[policy]
    return OptimizerParamScheduler(
        optimizer,
        **said,
        use_checkpoint_opt_param_scheduler=use_checkpoint,
        override_opt_param_scheduler=override,
    )


def held(scheduler: Any) -> list[float]:
    """Return learning rate and weight decay of each group."""
    return [group[key] for group in scheduler.optimizer.param_groups for key in ("lr", "weight_decay")]


def evaluated(scheduler: Any) -> list[float]:
    """Return the same without a step, from the two methods that say it."""
    found = []
    for group in scheduler.optimizer.param_groups:
        found += [scheduler.get_lr(group), scheduler.get_wd(group) * group.get("wd_mult", 1.0)]
    return found


def forget_bounds(scheduler: Any) -> None:
    """Put other bounds into every group, as an optimizer does that loads its own checkpoint."""
    for group in scheduler.optimizer.param_groups:
        group.update(max_lr=77.0, min_lr=7.0, start_wd=0.7, end_wd=0.77)


def bounds(scheduler: Any) -> list[dict[str, Any]]:
    """Return what each group holds, but for learning rate and weight decay."""
    kept = [dict(group) for group in scheduler.optimizer.param_groups]
    for group in kept:
        del group["lr"], group["weight_decay"], group["params"]
    return kept


def schedule_of(scheduler: Any) -> dict[str, Any]:
    """Return every attribute that determines the curves."""
    names = ("init_lr", "max_lr", "min_lr", "lr_warmup_steps", "lr_decay_steps", "lr_style")
    names += ("start_wd", "end_wd", "wd_incr_steps", "wd_style", "start_step")
    return {name: getattr(scheduler, name) for name in names}


def fresh(run: dict[str, Any], policy: str) -> Callable[[], Any]:
    """Return what builds the scheduler of a process that resumes `run`; where the checkpoint's counts, of another."""
    said, start_step = (OTHER, run["start_step"] // 2) if policy == "checkpoint" else (run["said"], run["start_step"])
    first = build(run["way"], policy, said, start_step)
    said = {**said, "lr_decay_style": first.lr_style, "wd_incr_style": first.wd_style}  # looked up by name once
    return lambda: build(run["way"], policy, said, start_step)


def followed(run: dict[str, Any], policy: str, curve: list[list[float]], at: range) -> Iterator[tuple[str, int]]:
    """Load each state of `at` and step on, from every tenth to the end; yield what differs, at which state.

    Where the checkpoint's schedule counts, each is loaded into a scheduler of its own, which says another.
    """
    flat = [value for values in curve for value in values]
    another = fresh(run, policy)
    scheduler = another()
    for turn, k in enumerate(at):
        if policy == "checkpoint":
            scheduler = another()
        forget_bounds(scheduler)
        scheduler.load_state_dict(run["states"][k])
        if bounds(scheduler) != run["bounds"]:
            yield "bounds", k
        first, own, half = scheduler.optimizer.param_groups
        found = held(scheduler)
        last = LAST if turn % 10 == 0 else min(k + 20, LAST)
        for _ in range(k, last):
            scheduler.step(1)
            found += (first["lr"], first["weight_decay"], own["lr"], own["weight_decay"])
            found += (half["lr"], half["weight_decay"])
        if found != flat[6 * k : 6 * (last + 1)]:
            yield "curve", k
        if scheduler.num_steps != run["start_step"] + last:
            yield "position", k


def loaded(
    run: dict[str, Any], policy: str, curve: list[list[float]], at: range, draw: random.Random
) -> Iterator[tuple[str, int]]:
    """Load the states of `at` into one scheduler in random order; yield what differs, at which state.

    Where a load leaves the same schedule and bounds as an earlier one, the rest of the curve is the same too:
    each different schedule is evaluated over the whole of it.
    """
    known: list[Any] = []
    scheduler = fresh(run, policy)()
    for k in draw.sample(at, len(at)):
        forget_bounds(scheduler)
        scheduler.load_state_dict(run["states"][k])
        if held(scheduler) != curve[k] or evaluated(scheduler) != curve[k]:
            yield "values at the load", k
        if bounds(scheduler) != run["bounds"]:
            yield "bounds", k
        if scheduler.num_steps != run["start_step"] + k:
            yield "position", k
        schedule = schedule_of(scheduler)
        if schedule not in known:
            known.append(schedule)
            for step in range(LAST + 1):
                scheduler.num_steps = run["start_step"] + step
                if evaluated(scheduler) != curve[step]:
                    yield f"value at step {step}", k
            scheduler.num_steps = run["start_step"] + k
        later = draw.randint(k, LAST)
        scheduler.step(later - k)
        if held(scheduler) != curve[later]:
            yield f"value at step {later}", k
    if len(known) != 1:
        yield f"{len(known)} schedules", STEPS


def main(file: Path, plugins: str) -> dict[str, Any]:
    """Resume each run with each policy, in both ways: each state is loaded in both, with one policy."""
    runs, draw = json.loads(file.read_text(encoding="utf-8")), random.Random(7)
    import packaging.requirements  # noqa: F401  which is imported late, and lies in site-packages

    path = [entry for entry in sys.path if "site-packages" not in entry]
    told = []
    for number, run in enumerate(runs):
        # A style that is looked up reads the metadata of all distributions on the path; no other matters here.
        sys.path[:] = [plugins, *path] if "rex" in run["name"] else path
        curve = [[float.fromhex(value) for value in values] for values in run["curve"]]
        for turn, policy in enumerate(FLAGS):
            stepped = (number + turn) % 3 == 0
            at = range((number // 2 + turn) % len(FLAGS), len(run["states"]), len(FLAGS))
            wrong = list(followed(run, policy, curve, at) if stepped else loaded(run, policy, curve, at, draw))
            case = {"run": run["name"], "way": run["way"], "policy": policy, "stepped": stepped}
            told.append({**case, "states": list(at), "wrong": wrong})
    return {"cases": told, "modules": [name for name in ("torch", "megatron") if name in sys.modules]}


if __name__ == "__main__":
    logging.getLogger("schedframe").setLevel(logging.ERROR)
    warnings.simplefilter("error")
    print(json.dumps(main(Path(sys.argv[1]), sys.argv[2])))
