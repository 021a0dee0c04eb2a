"""Branch, extend and rewarm of a schedule that has rules for param groups."""

import copy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from schedframe import ConfigError, Schedule, branch, extend, load, rewarm

STABLE = """\
lr_decay_steps: 1M
max_lr: 1e-3
min_lr: 10%   # of every peak
lr_warmup_steps: 10K
lr_decay_style: constant
groups:
- role: router   # calmer
  match: {index: 1}
"""
GROUPS: list[dict[str, Any]] = [{}, {}]


def file(folder: Path, sets: str, **changes: str) -> Schedule:
    text = STABLE
    for key, value in changes.items():
        lines = [line if not line.startswith(f"{key}:") else f"{key}: {value}" for line in text.splitlines()]
        text = "\n".join(lines) + "\n"
    path = folder / "run.yaml"
    path.write_text(text + f"  {sets}\n")
    return load(path)


def run(schedule: Schedule, steps: int) -> Any:
    scheduler = schedule.build(SimpleNamespace(param_groups=copy.deepcopy(GROUPS)))
    scheduler.step(steps)
    return scheduler


def rates(scheduler: Any) -> list[float]:
    return [group["lr"] for group in scheduler.optimizer.param_groups]


@pytest.mark.parametrize("sets", ["lr_mult: 0.1", "max_lr: 5e-3"])
def test_a_branch_takes_every_role_from_where_it_was(tmp_path: Path, sets: str) -> None:
    parent = file(tmp_path, sets)
    before = run(parent, 100_000)
    branch(parent, 100_000, wsd_decay_steps=1000, lr_wsd_decay_style="linear").write(tmp_path / "cooldown.yaml")
    child = load(tmp_path / "cooldown.yaml")
    after = run(child, 0)
    after.load_state_dict(before.state_dict())
    assert rates(after) == pytest.approx(rates(before), rel=1e-12)
    after.step(500)
    assert rates(after) == pytest.approx([0.55 * rate for rate in rates(before)])
    after.step(500)
    assert rates(after) == pytest.approx([0.1 * rate for rate in rates(before)])


def test_a_rule_with_a_curve_of_its_own_would_jump(tmp_path: Path) -> None:
    parent = file(tmp_path, "lr_decay_style: cosine")
    with pytest.raises(ConfigError) as caught:
        branch(parent, 500_000, wsd_decay_steps=1000)
    (problem,) = caught.value.problems
    lr = parent.lr_at(500_000, "router")
    assert (problem.path, problem.value) == ("groups.0", "router")
    assert problem.message == (
        f"has learning rate {lr} and weight decay None at step 500000, and would continue with 0.001 and None, because "
        f"branch leaves rules as they are; write the file by hand, with start_step: 500000, or let the rule set "
        f"lr_mult instead"
    )


def test_a_finished_warmup_of_its_own_does_not_begin_again(tmp_path: Path) -> None:
    parent = file(tmp_path, "lr_warmup_steps: 50K")
    child = branch(parent, 100_000, wsd_decay_steps=1000)
    assert child.changes["groups"] == [{"role": "router", "match": {"index": 1}, "lr_warmup_steps": 0}]
    assert [child.schedule.lr_at(step, "router") for step in (100_000, 101_000)] == [1e-3, 1e-4]


def test_a_warmup_of_its_own_that_is_not_finished_is_refused(tmp_path: Path) -> None:
    parent = file(tmp_path, "lr_warmup_steps: 50K")
    with pytest.raises(ConfigError, match=r"groups\.0 = router: .*\.0004 .* would continue with 0\.0 "):
        branch(parent, 20_000, wsd_decay_steps="100K", stable_until="100K")


def test_a_new_warmup_begins_where_each_role_was(tmp_path: Path) -> None:
    parent = file(tmp_path, "lr_mult: 0.1")
    child = rewarm(parent, 100_000, lr_warmup_steps=100, lr_decay_steps=1000, max_lr=2e-3, lr_decay_style="linear")
    assert [child.schedule.lr_at(100_000, role) for role in ("default", "router")] == [1e-3, 1e-4]
    assert [child.schedule.lr_at(100_100, role) for role in ("default", "router")] == [2e-3, 2e-4]
    with pytest.raises(ConfigError, match="because rewarm leaves rules as they are"):
        rewarm(file(tmp_path, "max_lr: 5e-3"), 100_000, lr_warmup_steps=100, lr_decay_steps=1000)


def test_a_later_end_leaves_the_past_of_every_role(tmp_path: Path) -> None:
    style = "{style: WSD, wsd_decay_steps: 10K}"
    parent = file(tmp_path, "lr_mult: 0.1", lr_decay_style=style)
    longer = extend(parent, 500_000, lr_decay_steps="2M").schedule
    for step in (0, 5000, 10_000, 500_000, 980_000):
        for role in ("default", "router"):
            assert longer.lr_at(step, role) == parent.lr_at(step, role)
    assert longer.lr_at(2_000_000, "router") == pytest.approx(1e-5)
    with pytest.raises(ConfigError, match="because extend leaves rules as they are"):
        extend(file(tmp_path, "lr_decay_style: linear", lr_decay_style=style), 500_000, lr_decay_steps="2M")


def test_a_schedule_from_no_file_is_written_as_it_was_declared(tmp_path: Path) -> None:
    said = {
        "lr_decay_steps": "1M",
        "max_lr": 1e-3,
        "min_lr": "10%",
        "lr_decay_style": "constant",
        "groups": [{"role": "router", "match": {"param": "*.router.*"}, "max_lr": 5e-3}],
    }
    branch(Schedule(**said), 1000, wsd_decay_steps=100).write(tmp_path / "child.yaml")
    child = load(tmp_path / "child.yaml")
    assert child.for_role("router").min_lr == 5e-4
    assert child.lr_at(1000, "router") == pytest.approx(5e-3)
