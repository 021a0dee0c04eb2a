"""Rules for param groups as a config says them: what each comes to, and everything that is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

import schedframe
from schedframe import ConfigError, Schedule
from schedframe._plan.plan import NAMES
from schedframe._plan.rule import Match
from schedframe._schedule.groups import FIELDS

BASE: dict[str, Any] = {
    "train_samples": 1000,
    "max_lr": 1e-3,
    "min_lr": "10%",
    "lr_warmup_steps": "1%",
    "lr_decay_style": "cosine",
    "start_wd": 0.1,
}
ROUTER: dict[str, Any] = {"role": "router", "match": {"param": "*.router.*"}}
STEPS = (0, 5, 10, 11, 200, 500, 777, 999, 1000, 1001, 5000)


def with_rule(**sets: Any) -> Schedule:
    return Schedule(**BASE, groups=[{**ROUTER, **sets}])


def curve(schedule: Schedule, role: str | None = None) -> list[tuple[float, float | None]]:
    return [(schedule.lr_at(step, role), schedule.wd_at(step, role)) for step in STEPS]


EXAMPLES: dict[str, Any] = {
    "max_lr": 2e-2,
    "min_lr": 1e-4,
    "init_lr": 1e-5,
    "lr_warmup_steps": 100,
    "lr_warmup_style": "quadratic",
    "lr_decay_steps": 500,
    "lr_decay_style": {"style": "polynomial", "power": 2},
    "start_wd": 0.01,
    "end_wd": 0.1,
    "wd_incr_steps": 300,
    "wd_incr_style": "adamc",
}


class TestWhatARuleComesTo:
    @pytest.mark.parametrize(("key", "value"), EXAMPLES.items())
    def test_its_groups_run_the_schedule_that_the_file_would_be(self, key: str, value: Any) -> None:
        assert curve(with_rule(**{key: value}), "router") == curve(Schedule(**{**BASE, key: value}))
        assert curve(with_rule(**{key: value})) == curve(Schedule(**BASE))

    def test_every_key_that_a_rule_sets_has_an_example(self) -> None:
        assert {*EXAMPLES, "lr_mult", "wd_mult", "wsd_decay_steps", "lr_wsd_decay_style"} == set(FIELDS)

    def test_every_field_of_a_plan_that_is_not_the_runs_can_be_set(self) -> None:
        decided = {name for fields in FIELDS.values() for name in fields}
        assert decided == {*NAMES} - {"clock", "start_step", "groups", "first_update", "decay_from", "interval"}

    def test_a_percentage_in_the_file_is_of_the_rules_max_lr_and_end(self) -> None:
        schedule = with_rule(max_lr=2e-2, lr_decay_steps=500)
        router = schedule.for_role("router")
        assert (router.min_lr, router.lr_warmup_steps) == (2e-3, 5)

    def test_megatrons_flat_keys_of_wsd_work_in_a_rule(self) -> None:
        flat = {"lr_decay_style": "WSD", "wsd_decay_steps": "20%", "lr_wsd_decay_style": "minus_sqrt"}
        assert curve(with_rule(**flat), "router") == curve(Schedule(**{**BASE, **flat}))

    def test_a_cooldown_of_its_own_changes_the_files_wsd(self) -> None:
        flat = {**BASE, "lr_decay_style": "WSD", "wsd_decay_steps": 100, "lr_wsd_decay_style": "linear"}
        schedule = Schedule(**flat, groups=[{**ROUTER, "wsd_decay_steps": 300}])
        assert curve(schedule, "router") == curve(Schedule(**{**flat, "wsd_decay_steps": 300}))

    def test_lr_mult_multiplies_max_lr_min_lr_and_init_lr_in_decimal(self) -> None:
        schedule = Schedule(**{**BASE, "max_lr": 3e-4, "init_lr": 1e-6}, groups=[{**ROUTER, "lr_mult": 0.1}])
        router = schedule.for_role("router")
        assert (router.max_lr, router.min_lr, router.init_lr) == (3e-5, 3e-6, 1e-7)
        absolute = Schedule(**{**BASE, "min_lr": 1e-4}, groups=[{**ROUTER, "lr_mult": 0.1}])
        assert absolute.for_role("router").min_lr == 1e-5

    def test_lr_mult_multiplies_the_rules_own_max_lr_too(self) -> None:
        assert with_rule(max_lr=2e-2, lr_mult=0.5).for_role("router").max_lr == 1e-2

    def test_wd_mult_multiplies_the_weight_decay(self) -> None:
        schedule = with_rule(wd_mult=0.5)
        assert [schedule.wd_at(step, "router") for step in STEPS] == [0.05] * len(STEPS)
        assert with_rule(wd_mult=0.0).wd_at(10, "router") == 0.0

    @pytest.mark.parametrize("sets", [{"max_lr": 0.0, "min_lr": 0.0}, {"lr_mult": 0.0}, {"lr_mult": "0"}])
    def test_a_max_lr_of_zero_freezes(self, sets: dict[str, Any]) -> None:
        schedule = with_rule(**sets)
        assert {schedule.lr_at(step, "router") for step in STEPS} == {0.0}

    def test_weight_decay_that_the_file_leaves_alone_may_be_a_rules(self) -> None:
        keys = {key: value for key, value in BASE.items() if key != "start_wd"}
        schedule = Schedule(**keys, groups=[{**ROUTER, "start_wd": 0.3}])
        assert (schedule.wd_at(50), schedule.wd_at(50, "router")) == (None, 0.3)

    def test_several_rules_together(self) -> None:
        schedule = Schedule(**BASE, groups=[{**ROUTER, "lr_mult": 0.1}, {**ROUTER, "role": "biases", "wd_mult": 0.0}])
        assert schedule.lr_at(500, "router+biases") == schedule.lr_at(500, "router")
        assert schedule.wd_at(500, "router+biases") == 0.0
        assert curve(schedule, "default") == curve(schedule)

    def test_a_length_in_a_rule_has_units(self) -> None:
        schedule = Schedule(
            train_iters=100, global_batch_size=10, max_lr=1.0, groups=[{**ROUTER, "lr_warmup_steps": "20 iters"}]
        )
        assert schedule.for_role("router").lr_warmup_steps == 200

    @pytest.mark.parametrize("suffix", ["yaml", "toml", "json"])
    def test_every_format_can_say_it(self, tmp_path: Path, suffix: str) -> None:
        texts = {
            "yaml": "max_lr: 1.0\nlr_decay_steps: 100\ngroups:\n- role: a\n  match: {index: 0}\n  lr_mult: 0.5\n",
            "toml": 'max_lr = 1.0\nlr_decay_steps = 100\n[[groups]]\nrole = "a"\nmatch = {index = 0}\nlr_mult = 0.5\n',
            "json": json.dumps(
                {
                    "max_lr": 1.0,
                    "lr_decay_steps": 100,
                    "groups": [{"role": "a", "match": {"index": 0}, "lr_mult": 0.5}],
                }
            ),
        }
        path = tmp_path / f"run.{suffix}"
        path.write_text(texts[suffix])
        schedule = schedframe.load(path)
        assert schedule.lr_at(50, "a") == 0.25
        assert schedule.groups[0].match == Match("index", 0)

    def test_rules_count_in_equality_hash_and_fingerprint(self) -> None:
        one, same, other = with_rule(lr_mult=0.1), with_rule(lr_mult=0.1), with_rule(lr_mult=0.2)
        assert one == same
        assert hash(one) == hash(same)
        assert one.fingerprint == same.fingerprint
        assert one != other
        assert len({one.fingerprint, other.fingerprint, Schedule(**BASE).fingerprint}) == 3

    def test_a_dump_says_the_numbers_that_rules_come_to(self) -> None:
        schedule = with_rule(lr_mult=0.1, wd_mult=0.5, lr_decay_style={"style": "polynomial", "power": 2})
        (table,) = json.loads(schedule.model_dump_json())["groups"]
        assert table == {
            **ROUTER,
            "init_lr": 0.0,
            "max_lr": 1e-4,
            "min_lr": 1e-5,
            "lr_decay_style": {"style": "polynomial", "power": 2.0},
            "wd_mult": 0.5,
        }
        again = Schedule(**schedule.model_dump())
        assert curve(again, "router") == curve(schedule, "router")

    def test_no_rules_are_no_difference(self) -> None:
        assert Schedule(**BASE, groups=[]) == Schedule(**BASE)
        assert Schedule(**BASE, groups=[]).fingerprint == Schedule(**BASE).fingerprint


KEYS = ", ".join(FIELDS)
BAD: dict[str, tuple[Any, list[str]]] = {
    "no list": ("router", ["groups = 'router': must be a list of rules, each with role, match and what it sets"]),
    "no table": (["router"], ["groups.0 = 'router': must be a table with role, match and what it sets"]),
    "nothing but what it sets": (
        [{"lr_mult": 0.1}],
        [
            "groups.0.role: missing required key: the name of the rule, for reports",
            "groups.0.match: missing required key: a table with param, regex, ndim, key or index",
        ],
    ),
    "nothing set": ([ROUTER], [f"groups.0: sets nothing; it can set {KEYS}"]),
    "key misspelt": (
        [{**ROUTER, "lr_mul": 0.1}],
        ["groups.0.lr_mul = 0.1: cannot be set by a rule; did you mean 'lr_mult'?"],
    ),
    "key of the run": (
        [{**ROUTER, "train_samples": 10}],
        ["groups.0.train_samples = 10: cannot be set by a rule"],
    ),
    "kind misspelt": (
        [{**ROUTER, "match": {"params": "*"}, "lr_mult": 1}],
        [
            "groups.0.match = {params}: must be a table with one of param, regex, ndim, key or index; did you mean "
            "'param'?"
        ],
    ),
    "two kinds": (
        [{**ROUTER, "match": {"param": "*", "index": 0}, "lr_mult": 1}],
        ["groups.0.match = {param, index}: must be a table with one of param, regex, ndim, key or index"],
    ),
    "match is a text": (
        [{**ROUTER, "match": "*.router.*", "lr_mult": 1}],
        ["groups.0.match = '*.router.*': must be a table with one of param, regex, ndim, key or index"],
    ),
    "empty glob": (
        [{**ROUTER, "match": {"param": ""}, "lr_mult": 1}],
        ["groups.0.match = {param}: param must be a text, such as *.router.*"],
    ),
    "broken expression": (
        [{**ROUTER, "match": {"regex": "(bias"}, "lr_mult": 1}],
        [
            "groups.0.match = {regex}: regex is not a regular expression: missing ), unterminated subpattern at "
            "position 0",
        ],
    ),
    "negative index": (
        [{**ROUTER, "match": {"index": -1}, "lr_mult": 1}],
        ["groups.0.match = {index}: index must be the position of a param group, from 0 on"],
    ),
    "index is true": (
        [{**ROUTER, "match": {"index": True}, "lr_mult": 1}],
        ["groups.0.match = {index}: index must be the position of a param group, from 0 on"],
    ),
    "empty key": (
        [{**ROUTER, "match": {"key": {}}, "lr_mult": 1}],
        ["groups.0.match = {key}: key must be a table of what the group holds, such as {is_expert_parallel: true}"],
    ),
    "key with a list": (
        [{**ROUTER, "match": {"key": {"betas": [0.9, 0.95]}}, "lr_mult": 1}],
        ["groups.0.match = {key}: key must be a table of what the group holds, such as {is_expert_parallel: true}"],
    ),
    "role of the others": (
        [{**ROUTER, "role": "default", "lr_mult": 1}],
        ["groups.0.role = 'default': is the name of the groups for which there is no rule; choose another"],
    ),
    "role with a plus": (
        [{**ROUTER, "role": "a+b", "lr_mult": 1}],
        ["groups.0.role = 'a+b': must be a name, a text without +"],
    ),
    "role is a number": (
        [{**ROUTER, "role": 7, "lr_mult": 1}],
        ["groups.0.role = 7: must be a name, a text without +"],
    ),
    "role twice": (
        [{**ROUTER, "lr_mult": 1}, {**ROUTER, "wd_mult": 1}],
        ["groups.1.role = 'router': is the name of groups.0 too; give each rule its own"],
    ),
    "negative factor": ([{**ROUTER, "wd_mult": -1}], ["groups.0.wd_mult = -1: must not be negative"]),
    "factor is no number": ([{**ROUTER, "lr_mult": "tenth"}], ["groups.0.lr_mult = 'tenth': is not a number"]),
    "factor is true": ([{**ROUTER, "lr_mult": True}], ["groups.0.lr_mult = True: is not a number"]),
    "negative peak": ([{**ROUTER, "max_lr": -1}], ["groups.0.max_lr = -1: must not be negative"]),
    "peak below min_lr": (
        [{**ROUTER, "max_lr": 1e-5}],
        ["groups.0: with what it sets, min_lr = 0.0001 must not be above max_lr (1e-05); let the rule set min_lr too"],
    ),
    "own floor above the peak": (
        [{**ROUTER, "min_lr": 1.0}],
        ["groups.0.min_lr = 1.0: must not be above max_lr (0.001)"],
    ),
    "style misspelt": (
        [{**ROUTER, "lr_decay_style": {"style": "polynomial", "pwoer": 2}}],
        ["groups.0.lr_decay_style.pwoer = 2: is not an option of 'polynomial'; did you mean 'power'?"],
    ),
    "warmup below 0": (
        [{**ROUTER, "lr_warmup_steps": -1}],
        ["groups.0.lr_warmup_steps = -1: must not be negative"],
    ),
    "a unit that is not known": (
        [{**ROUTER, "lr_warmup_steps": "10 iters"}],
        [
            "groups.0.lr_warmup_steps = '10 iters': is in iters, the clock counts samples, and global_batch_size is "
            "missing or wrong; add it, or write `clock: iters`"
        ],
    ),
    "a target that the multiplied peak does not reach": (
        [
            {
                **ROUTER,
                "lr_mult": 0.1,
                "lr_decay_style": {"style": "phases", "phases": [{"style": "linear", "to": 5e-4}]},
            }
        ],
        ["groups.0.lr_decay_style = {style, phases}: the target 0.0005 does not lie between 1e-05 and 0.0001"],
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_rule_says(case: str) -> None:
    groups, messages = BAD[case]
    with pytest.raises(ConfigError) as caught:
        Schedule(
            **{**BASE, "min_lr": 1e-4 if case != "a target that the multiplied peak does not reach" else "10%"},
            groups=groups,
        )
    assert [str(problem) for problem in caught.value.problems] == messages


def test_problems_of_the_file_and_of_rules_are_reported_once() -> None:
    with pytest.raises(ConfigError) as caught:
        Schedule(
            max_lr=-1, lr_decay_steps=100, lr_decay_style="cosin", groups=[{**ROUTER, "lr_mult": "x", "start_wd": -1}]
        )
    assert [problem.path for problem in caught.value.problems] == [
        "max_lr",
        "lr_decay_style",
        "groups.0.lr_mult",
        "groups.0.start_wd",
    ]


def test_problems_of_rules_have_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(
        "max_lr: 1.0\nlr_decay_steps: 100\ngroups:\n"
        "- role: a\n  match: {index: 0}\n  lr_mult: 0.5\n"
        "- role: b\n  match: {index: 1}\n  max_lr: fast\n  lr_decay_style: {style: polynomial, power: -1}\n"
    )
    with pytest.raises(ConfigError) as caught:
        schedframe.load(path)
    assert [(problem.line, problem.path) for problem in caught.value.problems] == [
        (9, "groups.1.max_lr"),
        (10, "groups.1.lr_decay_style.power"),
    ]


@pytest.mark.parametrize("role", ["rooter", "router+biases", "", "router+"])
def test_a_role_that_is_none_is_refused(role: str) -> None:
    schedule = with_rule(lr_mult=0.1)
    for ask in (schedule.for_role, lambda name: schedule.lr_at(0, name), lambda name: schedule.wd_at(0, name)):
        with pytest.raises(
            ValueError, match=r"there is no role .* the roles are default, router|did you mean 'router'"
        ):
            ask(role)


def test_rules_that_contradict_each_other_have_no_common_role() -> None:
    schedule = Schedule(**BASE, groups=[{**ROUTER, "lr_mult": 0.1}, {**ROUTER, "role": "big", "max_lr": 1.0}])
    with pytest.raises(ValueError, match="the rules 'router' and 'big' give one param group two values of max_lr"):
        schedule.lr_at(0, "router+big")
