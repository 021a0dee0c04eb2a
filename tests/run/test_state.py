"""What is saved, what is loaded, and what a load never does."""

import copy
import json
import re
import warnings
from typing import Any

import pytest

from schedframe import OptimizerParamScheduler, SchedframeWarning, Schedule, StateError, lr_styles
from schedframe._plan.plan import fingerprint
from schedframe._run.resume.write import TEN_KEYS

from ..runs import Optimizer
from ..states import as_written, with_details

RUN: dict[str, Any] = {
    "init_lr": 0.01,
    "max_lr": 1.0,
    "min_lr": 0.1,
    "lr_warmup_steps": 10,
    "lr_decay_steps": 110,
    "lr_decay_style": {"style": "WSD", "wsd_decay_steps": 30, "lr_wsd_decay_style": "minus_sqrt"},
    "start_wd": 0.1,
    "end_wd": 0.2,
    "wd_incr_steps": 100,
    "wd_incr_style": "cosine",
}
FLAGS = {"checkpoint": (True, False), "override": (False, True), "neither": (False, False)}


def build(optimizer: Any, flags: str = "checkpoint", **changes: Any) -> OptimizerParamScheduler:
    use_checkpoint, override = FLAGS[flags]
    return OptimizerParamScheduler(
        optimizer,
        **{**RUN, **changes},
        use_checkpoint_opt_param_scheduler=use_checkpoint,
        override_opt_param_scheduler=override,
    )


def saved_at(optimizer: Any, step: int, **changes: Any) -> dict[str, Any]:
    scheduler = build(optimizer(), **changes)
    scheduler.step(step)
    return scheduler.state_dict()


def test_the_state_is_plain_and_survives_json(optimizer) -> None:
    state = saved_at(optimizer, 42)
    assert json.loads(json.dumps(state)) == state
    assert tuple(state) == (*TEN_KEYS, "schedframe")
    details = json.loads(state["schedframe"])
    assert details["init_lr"] == 0.01
    assert details["lr_style"]["wsd_decay_steps"] == 30
    assert details["lr_style"]["lr_wsd_decay_style"] == {"style": "minus_sqrt"}
    assert details["sources"]["lr_style"]["distribution"] == "schedframe"


@pytest.mark.parametrize("flags", FLAGS)
@pytest.mark.parametrize("name", list(lr_styles.builtins))
def test_a_run_that_is_saved_and_loaded_at_any_step_continues_equal(optimizer, name: str, flags: str) -> None:
    options = {
        "WSD": {"wsd_decay_steps": 30},
        "each": {"factor": 0.5, "every": 25, "stairs": True},
        "floored": {"of": "power-law", "floor": "tend"},
        "product": {"of": ["cosine", {"style": "each", "factor": 0.5, "every": 25}]},
        "multi-step": {"milestones": [0.5, 0.9], "multipliers": [0.3, 0.1]},
        "minus-power": {"power": 0.6},
        "phases": {"phases": [{"style": "cosine", "length": 50, "to": "50%"}, {"style": "linear"}]},
        "polynomial": {"power": 1.5},
    }
    style = {"style": name, **options.get(name, {})}
    whole, schedulers = optimizer(), build(optimizer(), flags, lr_decay_style=style)
    uninterrupted = build(whole, flags, lr_decay_style=style)
    for _ in range(13):
        uninterrupted.step(9)
        schedulers.load_state_dict(uninterrupted.state_dict())
        assert schedulers.optimizer.param_groups == whole.param_groups
        assert schedulers.state_dict() == uninterrupted.state_dict()


def test_loading_sets_the_position_and_twice_is_once(optimizer) -> None:
    state = saved_at(optimizer, 50)
    scheduler = build(optimizer())
    scheduler.step(7)
    for _ in range(2):
        scheduler.load_state_dict(state)
        assert scheduler.num_steps == 50


def test_loading_does_not_change_the_state(optimizer) -> None:
    state = saved_at(optimizer, 50)
    before = copy.deepcopy(state)
    build(optimizer()).load_state_dict(state)
    assert state == before


def test_values_are_right_before_the_next_step(optimizer) -> None:
    opt = optimizer({"wd_mult": 0.5})
    scheduler = build(opt)
    scheduler.load_state_dict(saved_at(optimizer, 100))
    assert opt.param_groups[0]["lr"] == scheduler.get_lr({})
    assert opt.param_groups[0]["weight_decay"] == 0.2 * 0.5


OLDEST = {"start_lr": 1.0, "min_lr": 0.1, "warmup_iter": 10, "num_iters": 60, "decay_style": "linear", "end_iter": 110}
"""A state of Megatron's oldest class, and of GPT-NeoX's."""

IN_TOKENS = {
    "max_lr": 1.0,
    "min_lr": 0.1,
    "lr_warmup_steps": 0,
    "lr_warmup_tokens": 1000,
    "num_steps": 3,
    "num_tokens": 6000,
    "lr_decay_style": "linear",
    "lr_decay_steps": 5,
    "lr_decay_tokens": 11_000,
    "start_wd": 0.1,
    "end_wd": 0.1,
    "wd_incr_style": "constant",
    "wd_incr_steps": 5,
}
"""A state of Megatron-DeepSpeed's class."""


def of_clock(clock: str) -> OptimizerParamScheduler:
    keys = {"max_lr": 2.0, "lr_decay_steps": 100, "start_wd": 0.3, "clock": clock}
    return Schedule(**keys, resume={"policy": "checkpoint", "override": ["init_lr"]}).build(Optimizer())


def test_a_state_that_counts_iterations_is_read_in_iterations() -> None:
    scheduler = of_clock("iters")
    scheduler.load_state_dict(OLDEST)
    assert (scheduler.num_steps, scheduler.optimizer.param_groups[0]["lr"]) == (60, 0.55)


def test_it_is_refused_where_the_clock_counts_samples() -> None:
    with pytest.raises(StateError, match=r"the checkpoint counts iters, this run counts samples, .* set clock: iters"):
        of_clock("samples").load_state_dict(OLDEST)


def test_a_state_that_counts_tokens_is_read_in_tokens() -> None:
    scheduler = of_clock("tokens")
    scheduler.load_state_dict(IN_TOKENS)
    assert scheduler.num_steps == 6000
    assert scheduler.optimizer.param_groups == [{"lr": 0.55, "weight_decay": 0.1, "params": []}]


def test_weight_decay_that_rises_with_the_samples_is_this_runs_where_the_clock_counts_tokens() -> None:
    scheduler = of_clock("tokens")
    scheduler.load_state_dict({**IN_TOKENS, "end_wd": 0.2, "wd_incr_style": "linear"})
    assert scheduler.optimizer.param_groups[0]["weight_decay"] == 0.3


def test_tokens_that_were_only_counted_change_nothing() -> None:
    scheduler = of_clock("samples")
    scheduler.load_state_dict({**IN_TOKENS, "lr_warmup_tokens": None, "lr_decay_tokens": None})
    assert scheduler.num_steps == 3


def test_a_warmup_in_samples_before_a_decay_in_tokens_is_refused() -> None:
    with pytest.raises(StateError, match="warms up in samples and decays in tokens"):
        of_clock("tokens").load_state_dict({**IN_TOKENS, "lr_warmup_tokens": None})


CHANGED = {
    "max_lr": 0.5,
    "min_lr": 0.05,
    "init_lr": 0.0,
    "lr_warmup_steps": 20,
    "lr_decay_steps": 200,
    "start_wd": 0.05,
    "end_wd": 0.4,
    "wd_incr_steps": 50,
    "wd_incr_style": "linear",
    "lr_decay_style": {"style": "WSD", "wsd_decay_steps": 40, "lr_wsd_decay_style": "minus_sqrt"},
}


@pytest.mark.parametrize("key", CHANGED)
def test_with_neither_flag_any_difference_is_refused_and_nothing_changes(optimizer, key: str) -> None:
    scheduler = build(optimizer(), "neither", **{key: CHANGED[key]})
    scheduler.step(3)
    before = (scheduler.state_dict(), copy.deepcopy(scheduler.optimizer.param_groups))
    with pytest.raises(StateError) as caught:
        scheduler.load_state_dict(saved_at(optimizer, 50))
    text = str(caught.value)
    assert re.search(rf"^  {key}(\.wsd_decay_steps)? ", text, re.MULTILINE)
    assert "learning rate at step 50" in text
    assert "weight decay at step 50" in text
    assert "use_checkpoint_opt_param_scheduler" in text
    assert "override_opt_param_scheduler" in text
    assert (scheduler.state_dict(), scheduler.optimizer.param_groups) == before


@pytest.mark.parametrize("key", CHANGED)
def test_the_checkpoints_value_wins_with_use_checkpoint(optimizer, key: str) -> None:
    scheduler = build(optimizer(), "checkpoint", **{key: CHANGED[key]})
    state = saved_at(optimizer, 50)
    scheduler.load_state_dict(state)
    assert scheduler.state_dict() == state


@pytest.mark.parametrize("key", CHANGED)
def test_this_runs_value_wins_with_override_at_the_checkpoints_position(optimizer, key: str) -> None:
    scheduler = build(optimizer(), "override", **{key: CHANGED[key]})
    scheduler.load_state_dict(saved_at(optimizer, 50))
    assert scheduler.state_dict() == saved_at(optimizer, 50, **{key: CHANGED[key]})


class TestGroups:
    """An optimizer's load replaces group dicts with the checkpoint's; they are no source."""

    OWN = {"max_lr": 5.0, "min_lr": 0.5, "start_wd": 0.3, "end_wd": 0.6, "default_config": False}

    def test_followers_follow_and_the_others_keep_what_this_run_gave_them(self, optimizer) -> None:
        follower = {"max_lr": 0.5, "min_lr": 0.1, "default_config": True}
        opt = optimizer(follower, {**self.OWN}, {"default_config": True}, {"max_lr": None, "default_config": True})
        scheduler = build(opt, "override", max_lr=0.5)
        for group in opt.param_groups:
            group.update(max_lr=1.0, min_lr=0.7, start_wd=9.0, end_wd=9.0)
        opt.param_groups.append({"max_lr": 7.0})
        scheduler.load_state_dict(saved_at(optimizer, 50))
        assert [group.get("max_lr", "absent") for group in opt.param_groups] == [0.5, 5.0, "absent", None, 7.0]
        assert [group.get("min_lr", "absent") for group in opt.param_groups][:3] == [0.1, 0.5, "absent"]
        assert [group.get("start_wd", "absent") for group in opt.param_groups][:3] == ["absent", 0.3, "absent"]
        assert [group["lr"] for group in opt.param_groups] == [0.5, 5.0, 0.5, 0.5, 7.0]

    def test_followers_take_the_checkpoints_bounds_where_those_win(self, optimizer) -> None:
        opt = optimizer({"max_lr": 0.5, "min_lr": 0.1}, {**self.OWN})
        scheduler = build(opt, "checkpoint", max_lr=0.5)
        scheduler.load_state_dict(saved_at(optimizer, 50))
        assert [group["max_lr"] for group in opt.param_groups] == [1.0, 5.0]

    def test_a_real_torch_load_brings_no_stale_bounds(self) -> None:
        torch = pytest.importorskip("torch")

        def adamw(peak: float) -> Any:
            return torch.optim.AdamW(
                [{"params": [torch.nn.Parameter(torch.ones(1))], "max_lr": peak, "min_lr": 0.1}], lr=0.0
            )

        first = adamw(1.0)
        old = build(first)
        old.step(50)
        second = adamw(0.5)
        new = build(second, "override", max_lr=0.5)
        second.load_state_dict(first.state_dict())
        assert second.param_groups[0]["max_lr"] == 1.0
        new.load_state_dict(old.state_dict())
        assert second.param_groups[0]["max_lr"] == 0.5
        assert second.param_groups[0]["lr"] == 0.5


class TestStockStates:
    """States of Megatron's class: no ``init_lr``, no tail."""

    def stock(self, optimizer: Any, step: int, **changes: Any) -> dict[str, Any]:
        state = saved_at(optimizer, step, **changes)
        del state["schedframe"]
        return state

    def test_the_cooldown_is_this_runs(self, optimizer) -> None:
        scheduler = build(optimizer(), max_lr=0.5)
        with pytest.warns(
            SchedframeWarning,
            match=r"the options of lr_decay_style \(WSD\(wsd_decay_steps=30, .*; this run's values are used",
        ):
            scheduler.load_state_dict(self.stock(optimizer, 95))
        assert scheduler.wsd_decay_steps == 30
        assert scheduler.get_lr({}) == saved_lr(optimizer, 95)

    def test_init_lr_is_this_runs_with_a_warning(self, optimizer) -> None:
        scheduler = build(optimizer(), lr_decay_style="cosine")
        with pytest.warns(
            SchedframeWarning, match=r"the checkpoint does not specify init_lr \(0.01\); this run's values are used"
        ):
            scheduler.load_state_dict(self.stock(optimizer, 5, lr_decay_style="cosine"))
        assert scheduler.init_lr == 0.01

    def test_what_does_not_matter_is_not_warned_about(self, optimizer) -> None:
        cosine = {"lr_decay_style": "cosine", "lr_warmup_steps": 0}
        loads = {
            "checkpoint": (build(optimizer(), **cosine), self.stock(optimizer, 5, **cosine)),
            "override": (build(optimizer(), "override"), self.stock(optimizer, 5)),
        }
        with warnings.catch_warnings(record=True) as caught:
            for scheduler, state in loads.values():
                scheduler.load_state_dict(state)
        assert caught == []
        assert [scheduler.num_steps for scheduler, _ in loads.values()] == [5, 5]

    def test_strict_takes_one_that_differs_in_nothing_it_says(self, optimizer) -> None:
        scheduler = build(optimizer(), "neither")
        with pytest.warns(SchedframeWarning, match="does not specify"):
            scheduler.load_state_dict(self.stock(optimizer, 95))
        assert scheduler.get_lr({}) == saved_lr(optimizer, 95)

    def test_wsd_is_refused_in_a_run_that_has_no_cooldown(self, optimizer) -> None:
        scheduler = build(optimizer(), lr_decay_style="cosine")
        with pytest.raises(StateError, match="Megatron does not save its cooldown; give this run wsd_decay_steps"):
            scheduler.load_state_dict(self.stock(optimizer, 50))
        assert (scheduler.num_steps, scheduler.lr_decay_style) == (0, "cosine")

    def test_wsd_takes_the_cooldown_that_this_run_was_given_beside_another_style(self, optimizer) -> None:
        scheduler = build(optimizer(), lr_decay_style="cosine", wsd_decay_steps=30, lr_wsd_decay_style="minus_sqrt")
        with pytest.warns(SchedframeWarning, match="the options of lr_decay_style"):
            scheduler.load_state_dict(self.stock(optimizer, 95))
        assert scheduler.get_lr({}) == saved_lr(optimizer, 95)


def saved_lr(optimizer: Any, step: int) -> float:
    scheduler = build(optimizer())
    scheduler.step(step)
    return scheduler.get_lr({})


def edited(state: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**state, **changes}


def test_ten_keys_that_do_not_belong_to_the_rest_count_with_a_warning(optimizer) -> None:
    state = edited(saved_at(optimizer, 50), max_lr=2.0)
    scheduler = build(optimizer())
    with pytest.warns(SchedframeWarning) as caught:
        scheduler.load_state_dict(state)
    assert "edited, or loaded in part; the ten keys are used" in str(caught[0].message)
    assert "init_lr (0.01) and the options of lr_decay_style (WSD(" in str(caught[1].message)
    assert (scheduler.max_lr, scheduler.num_steps) == (2.0, 50)


def test_ten_keys_that_do_not_belong_to_the_rest_are_refused_with_neither_flag(optimizer) -> None:
    with pytest.raises(StateError, match="edited, or loaded in part; the policy strict rejects it"):
        build(optimizer(), "neither").load_state_dict(edited(saved_at(optimizer, 50), num_steps=51))


BROKEN = {
    "no dict": None,
    "a list": [],
    "empty": {},
    "no position": {"num_steps": ...},
    "no peak": {"max_lr": ...},
    "negative position": {"num_steps": -1},
    "position is a word": {"num_steps": "50"},
    "position is true": {"num_steps": True},
    "peak is NaN": {"max_lr": float("nan")},
    "floor is a list": {"min_lr": [0.1]},
    "decay is infinite": {"lr_decay_steps": float("inf")},
    "style is a number": {"lr_decay_style": 3},
    "style would clear the terminal": {"lr_decay_style": "\x1b[2Jcosine"},
    "style is as long as a book": {"lr_decay_style": "cosine" * 1000},
    "position is beyond everything": {"num_steps": 10**400},
    "peak is beyond everything": {"max_lr": 1e200},
    "details are no JSON": {"schedframe": "{"},
    "details are bytes of nothing": {"schedframe": 7},
    "details are a list": {"schedframe": "[]"},
    "details lack the styles": {"schedframe": '{"format": 1, "digest": "", "init_lr": 0}'},
    "details hold NaN": {"schedframe": '{"format": 1, "digest": "", "init_lr": NaN, "lr_style": {}, "wd_style": {}}'},
    "a style is no table": {
        "schedframe": '{"format": 1, "digest": "", "init_lr": 0, "lr_style": "WSD", "wd_style": {"style": "linear"}}'
    },
    "details nest deeply": {"schedframe": "[" * 100_000},
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_state_is_refused_with_a_readable_message_and_changes_nothing(optimizer, name: str) -> None:
    change = BROKEN[name]
    state: Any = change
    if isinstance(change, dict) and change:
        state = {key: value for key, value in {**saved_at(optimizer, 50), **change}.items() if value is not ...}
    scheduler = build(optimizer())
    before = (scheduler.state_dict(), copy.deepcopy(scheduler.optimizer.param_groups))
    with pytest.raises(StateError, match="scheduler state"):
        scheduler.load_state_dict(state)
    assert (scheduler.state_dict(), scheduler.optimizer.param_groups) == before


def test_a_newer_format_says_to_upgrade(optimizer) -> None:
    state = with_details(saved_at(optimizer, 50), format=2)
    with pytest.raises(StateError, match="format 2, this version reads 1; upgrade schedframe"):
        build(optimizer()).load_state_dict(state)


def test_a_style_that_is_not_installed_names_where_it_came_from(optimizer, install) -> None:
    install("state-plugin", CURVE.format(name="bendy"), lr_styles={"bendy": "state_plugin_mod:Bendy"}, version="3.1")
    first = build(optimizer(), lr_decay_style="bendy")
    state = first.state_dict()
    state = as_written({**state, "lr_decay_style": "gone"}, lr_style={"style": "gone"})
    scheduler = build(optimizer())
    with pytest.raises(StateError, match=r"style 'gone' cannot be used: there is no LR") as caught:
        scheduler.load_state_dict(state)
    source = "; it was written with state-plugin 3.1 (state_plugin_mod:Bendy): pip install 'state-plugin==3.1'"
    assert source in str(caught.value)
    build(optimizer(), "override").load_state_dict(state)


CURVE = """
from schedframe.styles import LRCurve
from typing import Literal
class Bendy(LRCurve):
    style: Literal["{name}"] = "{name}"
    def coefficient(self, progress): return 1 - progress
"""


def test_a_checkpoints_schedule_that_cannot_run_is_refused(optimizer) -> None:
    state = saved_at(optimizer, 50)
    del state["schedframe"]
    with pytest.raises(StateError, match="must not be above max_lr"):
        build(optimizer()).load_state_dict({**state, "min_lr": 500})


class TestFingerprint:
    """Changes with every number that enters a formula, and with nothing else."""

    BASE = {"max_lr": 1.0, "lr_decay_steps": 100, "lr_warmup_steps": 10, "lr_decay_style": "cosine", "start_wd": 0.1}

    def test_it_ignores_spelling_and_what_the_styles_do_not_use(self) -> None:
        base = fingerprint(Schedule(**self.BASE))
        assert fingerprint(Schedule(**{**self.BASE, "lr_decay_steps": "100", "lr_warmup_steps": "10%"})) == base
        assert fingerprint(Schedule(**{**self.BASE, "train_samples": 500})) == base
        assert fingerprint(Schedule(**{**self.BASE, "wd_incr_steps": 7})) == base
        no_warmup = {**self.BASE, "lr_warmup_steps": 0}
        assert fingerprint(Schedule(**no_warmup)) == fingerprint(Schedule(**no_warmup, init_lr=0.5))

    @pytest.mark.parametrize(
        "change",
        [
            {"max_lr": 1.0000000000000002},
            {"min_lr": 1e-300},
            {"init_lr": 1e-9},
            {"lr_decay_steps": 101},
            {"lr_warmup_steps": 10.5},
            {"lr_decay_style": "linear"},
            {"lr_decay_style": {"style": "polynomial", "power": 2}},
            {"start_wd": 0.2},
            {"end_wd": 0.2, "wd_incr_style": "linear"},
        ],
        ids=str,
    )
    def test_it_changes_with_every_number_of_the_curve(self, change: dict[str, Any]) -> None:
        assert fingerprint(Schedule(**{**self.BASE, **change})) != fingerprint(Schedule(**self.BASE))

    def test_it_is_the_same_in_every_process(self) -> None:
        assert fingerprint(Schedule(**self.BASE)) == "5bf7ad148fde483e"
