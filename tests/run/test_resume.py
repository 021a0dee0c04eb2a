"""What counts when a run is resumed, where it starts, and how it is told."""

import copy
import json
import logging
import warnings
from typing import Any

import pytest

from schedframe import (
    ConfigError,
    OptimizerParamScheduler,
    PluginError,
    SchedframeWarning,
    Schedule,
    StateError,
    load,
    lr_styles,
)
from schedframe._plan.plan import Parent

from ..states import as_written, with_details

WSD = {"style": "WSD", "wsd_decay_steps": 30, "lr_wsd_decay_style": "minus_sqrt"}
RUN: dict[str, Any] = {
    "max_lr": 1.0,
    "min_lr": 0.125,
    "lr_warmup_steps": 10,
    "lr_decay_steps": 110,
    "lr_decay_style": WSD,
    "start_wd": 0.1,
    "end_wd": 0.2,
    "wd_incr_steps": 100,
    "wd_incr_style": "linear",
}


def schedule(**changes: Any) -> Schedule:
    return Schedule(**{key: value for key, value in {**RUN, **changes}.items() if value is not None})


def state_at(optimizer: Any, step: int, **changes: Any) -> dict[str, Any]:
    scheduler = schedule(**changes).build(optimizer())
    scheduler.step(step - scheduler.num_steps)
    return scheduler.state_dict()


def snapshot(scheduler: OptimizerParamScheduler) -> Any:
    return scheduler.state_dict(), copy.deepcopy(scheduler.optimizer.param_groups)


class TestPolicyOfAConfig:
    """``resume:`` and Megatron's flags are two ways to say one thing."""

    @pytest.mark.parametrize("policy", ["strict", "checkpoint", "override"])
    @pytest.mark.parametrize("form", ["name", "table"])
    def test_becomes_megatrons_flags(self, optimizer, policy: str, form: str) -> None:
        said = policy if form == "name" else {"policy": policy}
        scheduler = schedule(resume=said).build(optimizer())
        assert scheduler.use_checkpoint_opt_param_scheduler is (policy == "checkpoint")
        assert scheduler.override_opt_param_scheduler is (policy == "override")

    def test_is_strict_where_nothing_is_given(self, optimizer) -> None:
        scheduler = schedule().build(optimizer())
        assert not scheduler.use_checkpoint_opt_param_scheduler
        assert not scheduler.override_opt_param_scheduler

    def test_is_what_the_flags_say_where_the_config_says_nothing(self, optimizer) -> None:
        scheduler = schedule().build(optimizer(), use_checkpoint_opt_param_scheduler=True)
        assert scheduler.use_checkpoint_opt_param_scheduler
        assert not scheduler.override_opt_param_scheduler

    @pytest.mark.parametrize(
        ("policy", "flags"),
        [
            ("strict", {"override_opt_param_scheduler": True}),
            ("checkpoint", {"override_opt_param_scheduler": True}),
            ("override", {"use_checkpoint_opt_param_scheduler": True}),
            ("override", {"use_checkpoint_opt_param_scheduler": False, "override_opt_param_scheduler": False}),
        ],
    )
    def test_may_not_contradict_a_flag(self, optimizer, tmp_path, policy: str, flags: dict[str, bool]) -> None:
        path = tmp_path / "run.yaml"
        path.write_text(f"max_lr: 1.0\nlr_decay_steps: 100\nresume: {policy}\n")
        with pytest.raises(
            ConfigError, match=rf"run.yaml: line 3, resume = {policy}: the flags select \w+; remove one"
        ):
            load(path).build(optimizer(), **flags)

    def test_may_agree_with_a_flag(self, optimizer) -> None:
        scheduler = schedule(resume="override").build(optimizer(), override_opt_param_scheduler=True)
        assert scheduler.override_opt_param_scheduler

    @pytest.mark.parametrize(
        ("resume", "text"),
        [
            (
                "strikt",
                "resume = 'strikt': is not a policy; did you mean 'strict'? it is strict, checkpoint or override",
            ),
            (
                3,
                "resume = 3: must be a policy, strict, checkpoint or override, or a table with `policy` and `override`",
            ),
            ({"policy": "never"}, "resume.policy = 'never': is not a policy; it is strict, checkpoint or override"),
            ({"polcy": "strict"}, "has no option 'polcy'; its options are policy and override"),
            ({"override": "max_lr"}, "resume.override = 'max_lr': must be a list of keys, such as [max_lr, min_lr]"),
            ({"override": ["maxlr"]}, "maxlr is not a key of the curves; did you mean 'max_lr'?"),
            ({"override": ["wsd_decay_steps"]}, "wsd_decay_steps is an option of the style; name lr_decay_style"),
            ({"policy": "override", "override": ["max_lr"]}, "has no effect: with the policy override this run"),
        ],
    )
    def test_is_refused_with_a_readable_message(self, resume: Any, text: str) -> None:
        with pytest.raises(ConfigError) as caught:
            schedule(resume=resume)
        assert text in str(caught.value)

    def test_does_not_change_the_fingerprint(self) -> None:
        parent = {"fingerprint": "0" * 16, "step": 5}
        assert schedule(resume="override", parent=parent).fingerprint == schedule().fingerprint


class TestSomeKeysOnly:
    """``resume: {policy: strict, override: [max_lr]}``."""

    def test_strict_takes_this_runs_value_of_the_keys_that_are_named(self, optimizer) -> None:
        resume = {"policy": "strict", "override": ["max_lr"]}
        scheduler = schedule(max_lr=0.5, resume=resume).build(optimizer())
        scheduler.load_state_dict(state_at(optimizer, 50))
        assert (scheduler.max_lr, scheduler.num_steps) == (0.5, 50)
        assert scheduler.optimizer.param_groups[0]["lr"] == 0.5

    def test_strict_refuses_every_other_difference(self, optimizer) -> None:
        resume = {"policy": "strict", "override": ["max_lr"]}
        scheduler = schedule(max_lr=0.5, min_lr=0.25, resume=resume).build(optimizer())
        with pytest.raises(StateError, match=r"min_lr +0.125 +0.25"):
            scheduler.load_state_dict(state_at(optimizer, 50))

    def test_checkpoint_takes_the_rest_from_the_checkpoint(self, optimizer) -> None:
        resume = {"policy": "checkpoint", "override": ["max_lr", "lr_decay_style"]}
        scheduler = schedule(max_lr=0.5, min_lr=0.25, lr_decay_style="cosine", resume=resume).build(optimizer())
        scheduler.load_state_dict(state_at(optimizer, 50))
        assert (scheduler.max_lr, scheduler.min_lr, scheduler.lr_decay_style) == (0.5, 0.125, "cosine")

    def test_a_combination_that_cannot_run_is_refused(self, optimizer) -> None:
        resume = {"policy": "checkpoint", "override": ["min_lr"]}
        scheduler = schedule(min_lr=0.5, resume=resume).build(optimizer())
        before = snapshot(scheduler)
        with pytest.raises(StateError, match=r"min_lr = 0.5: must not be above max_lr \(0.25\)"):
            scheduler.load_state_dict(state_at(optimizer, 50, max_lr=0.25))
        assert snapshot(scheduler) == before


def test_strict_refuses_with_both_sides_and_both_values_at_the_resume_step(optimizer) -> None:
    changed = {**WSD, "wsd_decay_steps": 80, "lr_wsd_decay_style": "linear"}
    scheduler = schedule(max_lr=0.5, lr_decay_style=changed, start_wd=0.05).build(optimizer())
    with pytest.raises(StateError) as caught:
        scheduler.load_state_dict(state_at(optimizer, 70))
    assert str(caught.value).splitlines()[:8] == [
        "the checkpoint's schedule is not this run's, and the policy is strict:",
        "                                     checkpoint           this run",
        "  max_lr                             1.0                  0.5",
        "  lr_decay_style.wsd_decay_steps     30                   80",
        "  lr_decay_style.lr_wsd_decay_style  minus_sqrt           linear",
        "  start_wd                           0.1                  0.05",
        "  learning rate at step 70           1.0                  0.3125",
        "  weight decay at step 70            0.16999999999999998  0.15500000000000003",
    ]
    assert "override: [max_lr, lr_decay_style, start_wd]" in str(caught.value)


def refusal_of(saved: Schedule, declared: Schedule, optimizer) -> str:
    first = saved.build(optimizer())
    first.step(64)
    with pytest.raises(StateError) as caught:
        declared.build(optimizer()).load_state_dict(first.state_dict())
    return str(caught.value)


def in_iterations(batch: int, **changes: Any) -> Schedule:
    tail = {"wsd_decay_steps": "20 iters", "lr_wsd_decay_style": "linear"}
    keys = {"max_lr": 1.0, "train_iters": 100, "lr_warmup_steps": "10 iters", "lr_decay_style": "WSD", **tail}
    return Schedule(**{**keys, **changes}, global_batch_size=batch)


@pytest.mark.parametrize(("batch", "factor"), [(16, "2"), (4, "0.5"), (24, "3")])
def test_a_changed_batch_size_is_named_where_it_moves_every_length(optimizer, batch: int, factor: str) -> None:
    text = refusal_of(in_iterations(8), in_iterations(batch), optimizer)
    assert f"Each length that differs is {factor} times the checkpoint's: the batch size changed, which" in text


def test_it_is_named_beside_other_differences_and_lengths_that_stay(optimizer) -> None:
    stays = {"train_iters": None, "train_samples": 800}
    text = refusal_of(in_iterations(8, **stays), in_iterations(16, **stays, max_lr=0.5), optimizer)
    assert "Each length that differs is 2 times" in text


def test_it_is_not_named_where_lengths_change_in_different_ways(optimizer) -> None:
    assert "Each length" not in refusal_of(in_iterations(8), in_iterations(8, lr_warmup_steps="11 iters"), optimizer)
    assert "Each length" not in refusal_of(in_iterations(8), in_iterations(16, lr_warmup_steps="11 iters"), optimizer)


class TestReport:
    """Every load is told on one screen, by the first rank."""

    def told(self, caplog: pytest.LogCaptureFixture) -> list[str]:
        return [line for record in caplog.records for line in record.getMessage().splitlines()]

    def test_of_a_load_that_changes_nothing(self, optimizer, caplog) -> None:
        scheduler = schedule().build(optimizer())
        with caplog.at_level(logging.INFO, "schedframe"):
            scheduler.load_state_dict(state_at(optimizer, 50))
        record = caplog.records[-1]
        assert record.levelname == "INFO"
        assert record.getMessage().splitlines() == [
            "resumed at step 50, was at 0; policy strict",
            "  learning rate: 1.0 in the checkpoint, 1.0 now",
            "  weight decay: 0.15000000000000002 in the checkpoint, 0.15000000000000002 now",
            "  the schedule is the checkpoint's",
        ]

    def test_of_a_load_that_changes_something_is_a_warning(self, optimizer, caplog) -> None:
        resume = {"policy": "checkpoint", "override": ["max_lr"]}
        scheduler = schedule(max_lr=0.5, min_lr=0.25, resume=resume).build(optimizer())
        scheduler.load_state_dict(state_at(optimizer, 50))
        record = caplog.records[-1]
        assert record.levelname == "WARNING"
        assert record.getMessage().splitlines()[1:] == [
            "  learning rate: 1.0 in the checkpoint, 0.5 now",
            "  weight decay: 0.15000000000000002 in the checkpoint, 0.15000000000000002 now",
            "          checkpoint  this run  used",
            "  max_lr  1.0         0.5       this run",
            "  min_lr  0.125       0.25      checkpoint",
        ]

    def test_comes_from_the_first_rank_alone(self, optimizer, caplog, monkeypatch) -> None:
        monkeypatch.setenv("RANK", "1")
        scheduler = schedule(max_lr=0.5, resume="override").build(optimizer())
        scheduler.load_state_dict(state_at(optimizer, 50))
        assert not caplog.records

    def test_says_once_that_megatrons_class_cannot_go_on(self, optimizer, caplog) -> None:
        scheduler = schedule(lr_decay_style={"style": "polynomial", "power": 1.75}).build(optimizer())
        with caplog.at_level(logging.INFO, "schedframe"):
            scheduler.state_dict()
            scheduler.state_dict()
        said = [record.getMessage() for record in caplog.records if "Megatron" in record.getMessage()]
        assert len(said) <= 1
        assert not any("polynomial" not in text for text in said)


@pytest.mark.parametrize(
    ("changes", "beyond"),
    [
        ({}, ""),
        ({"lr_decay_style": "inverse-square-root"}, ""),
        ({"lr_decay_style": {"style": "geometric"}}, "lr_decay_style geometric"),
        ({"lr_decay_style": {**WSD, "lr_wsd_decay_style": "polynomial"}}, "lr_wsd_decay_style polynomial"),
        ({"wd_incr_style": "exponential"}, "wd_incr_style exponential"),
        ({"start_wd": 0.3}, "weight decay that falls"),
        ({"start_wd": None, "end_wd": None, "wd_incr_style": None}, "weight decay that is not scheduled"),
        ({"start_step": 7}, "start_step 7"),
    ],
)
def test_what_megatrons_class_cannot_go_on_with(changes: dict[str, Any], beyond: str) -> None:
    from schedframe._run.resume.write import unknown_to_megatron

    assert unknown_to_megatron(schedule(**changes)) == beyond


class TestStartStep:
    """Where the schedule's own step 0 lies; ``num_steps`` stays the absolute count."""

    def test_the_curves_are_shifted_and_nothing_else(self, optimizer) -> None:
        plain, shifted = schedule(), schedule(start_step=1000)
        for step in range(0, 130, 3):
            assert shifted.lr_at(1000 + step) == plain.lr_at(step)
            assert shifted.wd_at(1000 + step) == plain.wd_at(step)
        assert list(shifted.landmarks().values()) == [1000 + step for step in plain.landmarks().values()]

    def test_the_scheduler_begins_there_and_steps_from_there(self, optimizer) -> None:
        scheduler = schedule(start_step=1000).build(optimizer())
        assert scheduler.num_steps == 1000
        for _ in range(40):
            scheduler.step(3)
            group = scheduler.optimizer.param_groups[0]
            assert (group["lr"], group["weight_decay"]) == (
                schedule().lr_at(scheduler.num_steps - 1000),
                schedule().wd_at(scheduler.num_steps - 1000),
            )
            assert scheduler.get_lr({}) == group["lr"]
            assert scheduler.get_wd({}) == group["weight_decay"]

    def test_it_is_saved_and_loaded(self, optimizer) -> None:
        state = state_at(optimizer, 1050, start_step=1000)
        scheduler = schedule(start_step=1000).build(optimizer())
        scheduler.load_state_dict(state)
        assert scheduler.state_dict() == state
        other = schedule(resume="checkpoint").build(optimizer())
        other.load_state_dict(state)
        assert (other.start_step, other.state_dict()) == (1000, state)

    @pytest.mark.parametrize("policy", ["strict", "override"])
    def test_a_checkpoint_before_it_is_refused(self, optimizer, policy: str) -> None:
        scheduler = schedule(start_step=1000, resume={"policy": policy}).build(optimizer())
        before = snapshot(scheduler)
        state = state_at(optimizer, 999)
        with pytest.raises(StateError, match="999"):
            scheduler.load_state_dict(state)
        assert snapshot(scheduler) == before

    def test_a_position_before_it_is_refused(self, optimizer) -> None:
        scheduler = schedule(start_step=1000).build(optimizer())
        scheduler.num_steps = 12
        with pytest.raises(StateError, match="step 12 lies before start_step 1000, where the schedule starts"):
            scheduler.step(0)
        with pytest.raises(ValueError, match="not lie before start_step, 1000, got 999"):
            schedule(start_step=1000).lr_at(999)

    def test_it_counts_in_the_fingerprint(self) -> None:
        assert schedule(start_step=1).fingerprint != schedule().fingerprint
        assert schedule(start_step=0).fingerprint == schedule().fingerprint

    def test_a_state_of_an_older_version_starts_at_0(self, optimizer) -> None:
        state = state_at(optimizer, 50)
        scheduler = schedule().build(optimizer())
        scheduler.load_state_dict(with_details(state, start_step=..., sources=..., fingerprint=...))
        assert scheduler.state_dict() == state


class TestCurrent:
    """``init_lr: current`` is the learning rate of the checkpoint's schedule at `start_step`."""

    CHANGES = {"init_lr": "current", "start_step": 100, "max_lr": 2.0, "lr_decay_style": "cosine"}

    def test_is_resolved_at_the_branch_point_and_stored(self, optimizer) -> None:
        parent = state_at(optimizer, 100)
        expected = schedule().lr_at(100)
        scheduler = schedule(**self.CHANGES, resume="override").build(optimizer())
        scheduler.load_state_dict(parent)
        assert scheduler.init_lr == expected
        assert scheduler.optimizer.param_groups[0]["lr"] == expected
        scheduler.step(5)
        again = schedule(**self.CHANGES).build(optimizer())
        again.load_state_dict(scheduler.state_dict())
        assert again.init_lr == expected
        assert snapshot(again) == snapshot(scheduler)

    def test_is_the_same_for_a_checkpoint_of_the_old_schedule_after_the_branch_point(self, optimizer) -> None:
        scheduler = schedule(**self.CHANGES, resume="override").build(optimizer())
        scheduler.load_state_dict(state_at(optimizer, 105))
        assert scheduler.init_lr == schedule().lr_at(100)

    def test_is_resolved_from_megatrons_state_too(self, optimizer) -> None:
        state = state_at(optimizer, 100, lr_decay_style="linear")
        del state["schedframe"]
        scheduler = schedule(**self.CHANGES, resume="override").build(optimizer())
        scheduler.load_state_dict(state)
        assert scheduler.init_lr == schedule(lr_decay_style="linear").lr_at(100)

    def test_is_not_guessed(self, optimizer) -> None:
        scheduler = schedule(**self.CHANGES, resume="override").build(optimizer())
        for use in (
            lambda: scheduler.step(5),
            lambda: scheduler.get_lr({}),
            lambda: schedule(**self.CHANGES).lr_at(100),
        ):
            with pytest.raises(StateError, match=r"init_lr is `current`, .* load one, or give init_lr a number"):
                use()
        json.dumps(scheduler.state_dict())

    def test_needs_a_start(self) -> None:
        with pytest.raises(
            ConfigError, match=r"init_lr = 'current': is the learning rate .* give its step as start_step"
        ):
            schedule(init_lr="current")

    def test_cannot_come_from_a_schedule_that_starts_later(self, optimizer) -> None:
        scheduler = schedule(**self.CHANGES, resume="override").build(optimizer())
        with pytest.raises(StateError, match="that schedule itself starts at step 150; give a number"):
            scheduler.load_state_dict(state_at(optimizer, 160, start_step=150))


class TestParent:
    """A file that declares its parent takes the parent's checkpoint with strict."""

    def child(self, **changes: Any) -> Schedule:
        parent = {"fingerprint": schedule().fingerprint, "step": 60}
        child = {"start_step": 60, "lr_warmup_steps": 0, "lr_decay_steps": 30, "wd_incr_style": "constant"}
        return schedule(**{**child, "parent": parent, "start_wd": 0.2, "lr_decay_style": "minus_sqrt", **changes})

    def test_at_the_declared_step(self, optimizer) -> None:
        scheduler = self.child().build(optimizer())
        scheduler.load_state_dict(state_at(optimizer, 60))
        assert scheduler.num_steps == 60
        assert scheduler.optimizer.param_groups[0]["lr"] == 1.0
        scheduler.step(30)
        assert scheduler.optimizer.param_groups[0]["lr"] == 0.125

    def test_goes_on_from_its_own_checkpoints_then(self, optimizer) -> None:
        first = self.child().build(optimizer())
        first.load_state_dict(state_at(optimizer, 60))
        first.step(7)
        second = self.child().build(optimizer())
        second.load_state_dict(first.state_dict())
        assert snapshot(second) == snapshot(first)

    def test_elsewhere_only_without_a_jump(self, optimizer) -> None:
        parent = {"fingerprint": schedule().fingerprint, "step": 60}
        longer = schedule(lr_decay_steps=300, parent=parent)
        for step in (60, 20, 80):
            scheduler = longer.build(optimizer())
            scheduler.load_state_dict(state_at(optimizer, step))
            assert scheduler.optimizer.param_groups[0]["lr"] == schedule().lr_at(step)
        with pytest.raises(StateError) as caught:
            longer.build(optimizer()).load_state_dict(state_at(optimizer, 90))
        text = f"This schedule continues {schedule().fingerprint} from step 60; the checkpoint is of "
        assert f"{text}{schedule().fingerprint} at step 90." in str(caught.value)

    def test_another_schedules_checkpoint_is_refused(self, optimizer) -> None:
        with pytest.raises(StateError, match=r"This schedule continues .* from step 60; the checkpoint is of"):
            self.child().build(optimizer()).load_state_dict(state_at(optimizer, 60, max_lr=1.5))

    @pytest.mark.parametrize(
        ("parent", "text"),
        [
            ({"fingerprint": "ab", "step": 59}, "parent.step = 59: must not be below start_step (60)"),
            ({"fingerprint": 12, "step": 60}, "parent.fingerprint = 12: must be a text; put it in quotes"),
            ({"fingerprint": "ab", "step": "many"}, "parent.step = 'many': is not a length such as"),
            ({"step": 60}, "must be a table with fingerprint and step"),
        ],
    )
    def test_is_refused_with_a_readable_message(self, parent: Any, text: str) -> None:
        with pytest.raises(ConfigError) as caught:
            self.child(parent=parent)
        assert text in str(caught.value)

    def test_is_plain_data(self) -> None:
        child = self.child()
        assert child.parent == Parent(schedule().fingerprint, 60)
        assert Schedule(**child.model_dump()) == child


CURVE = """
from schedframe.styles import LRCurve
from typing import Literal
class Bent(LRCurve):
    style: Literal["bent"] = "bent"
    def coefficient(self, progress): return 1 - progress
"""


class TestPlugins:
    """A checkpoint's style is only ever the one that it was written with, or an error or a warning says so."""

    def saved_with(self, optimizer: Any, version: str, style: Any) -> dict[str, Any]:
        state = state_at(optimizer, 50, lr_decay_style=style)
        sources = json.loads(state["schedframe"])["sources"]
        for source in sources.values():
            if source["distribution"] == "bent-plugin":
                source["version"] = version
        return with_details(state, sources=sources)

    @pytest.mark.parametrize("style", ["bent", {**WSD, "lr_wsd_decay_style": "bent"}], ids=["style", "tail"])
    def test_another_version_is_warned_about(self, optimizer, install, style: Any) -> None:
        install("bent-plugin", CURVE, lr_styles={"bent": "bent_plugin_mod:Bent"}, version="2.0")
        state = self.saved_with(optimizer, "1.0", style)
        scheduler = schedule(lr_decay_style=style).build(optimizer())
        with pytest.warns(SchedframeWarning) as caught:
            scheduler.load_state_dict(state)
        assert [str(warning.message) for warning in caught] == [
            "the checkpoint's style 'bent' is from bent-plugin 1.0 (bent_plugin_mod:Bent), and here it is from "
            "bent-plugin 2.0 (bent_plugin_mod:Bent): it may differ; pip install 'bent-plugin==1.0' brings that one back"
        ]

    def test_the_same_version_is_not(self, optimizer, install) -> None:
        install("bent-plugin", CURVE, lr_styles={"bent": "bent_plugin_mod:Bent"}, version="2.0")
        scheduler = schedule(lr_decay_style="bent").build(optimizer())
        with warnings.catch_warnings(record=True) as caught:
            scheduler.load_state_dict(self.saved_with(optimizer, "2.0", "bent"))
        assert (caught, scheduler.num_steps) == ([], 50)

    def test_a_cooldown_that_is_missing_names_its_distribution(self, optimizer) -> None:
        source = {
            "name": "bent",
            "distribution": "bent-plugin",
            "version": "1.0",
            "target": "bent_plugin_mod:Bent",
        }
        state = as_written(
            state_at(optimizer, 50),
            lr_style={**WSD, "lr_wsd_decay_style": {"style": "bent"}},
            sources={"lr_style.lr_wsd_decay_style": source},
        )
        scheduler = schedule(lr_decay_style="cosine", resume="checkpoint").build(optimizer())
        before = snapshot(scheduler)
        with pytest.raises(StateError) as caught:
            scheduler.load_state_dict(state)
        text = "style 'WSD' cannot be used: lr_wsd_decay_style = {style}: there is no LR style 'bent'"
        assert text in str(caught.value)
        written = "it was written with bent-plugin 1.0 (bent_plugin_mod:Bent): pip install 'bent-plugin==1.0'"
        assert written in str(caught.value)
        assert snapshot(scheduler) == before


def test_a_style_that_fails_at_the_position_changes_nothing(optimizer) -> None:
    from typing import Literal

    from schedframe.styles import LRCurve

    fails: list[bool] = []

    class Sour(LRCurve):
        style: Literal["sour"] = "sour"

        def coefficient(self, progress: float) -> float:
            if fails and 0.4 < progress < 0.41:
                raise RuntimeError("no")
            return 1 - progress

    bounds = {"max_lr": 1.0, "min_lr": 0.125, "default_config": True}
    scheduler = schedule(lr_decay_style=Sour(), resume="override").build(optimizer({**bounds}))
    for group in scheduler.optimizer.param_groups:
        group["max_lr"] = 9.0
    fails.append(True)
    before = snapshot(scheduler)
    with pytest.raises((StateError, PluginError), match=r"the schedule fails at step 50\.5: RuntimeError: no"):
        scheduler.load_state_dict({**state_at(optimizer, 50), "num_steps": 50.5})
    assert snapshot(scheduler) == before


def test_every_built_in_may_be_missing_from_a_run_that_overrides(optimizer) -> None:
    state = state_at(optimizer, 50, lr_decay_style={"style": "polynomial", "power": 3})
    scheduler = schedule(resume="override").build(optimizer())
    scheduler.load_state_dict(as_written({**state, "lr_decay_style": "nowhere"}, lr_style={"style": "nowhere"}))
    assert scheduler.optimizer.param_groups[0]["lr"] == schedule().lr_at(50)
    assert "nowhere" not in lr_styles


def test_the_constructor_checks_what_it_is_warned_about_resuming(optimizer) -> None:
    arguments = {**RUN, "init_lr": 0.0, "override_keys": ["maxlr"], "parent": {"step": 3}}
    with pytest.raises(ConfigError) as caught:
        OptimizerParamScheduler(optimizer(), **arguments)
    assert "override_keys = ['maxlr']: maxlr is not a key of the curves; did you mean 'max_lr'?" in str(caught.value)
    assert "parent = {'step': 3}: must be a table with fingerprint and step" in str(caught.value)


def test_a_mistake_in_the_checkpoints_schedule_is_reported(optimizer) -> None:
    state = as_written(state_at(optimizer, 50), init_lr=-0.5)
    scheduler = schedule(resume="checkpoint").build(optimizer())
    with pytest.warns(SchedframeWarning, match=r"init_lr = -0\.5: must not be negative"):
        scheduler.load_state_dict(state)
    assert scheduler.init_lr == -0.5


def test_where_ten_keys_take_precedence_their_start_is_reported(optimizer) -> None:
    state = {**state_at(optimizer, 50), "max_lr": 0.5}
    scheduler = schedule(resume="checkpoint", start_step=20).build(optimizer())
    with pytest.warns(SchedframeWarning) as caught:
        scheduler.load_state_dict(state)
    assert "edited, or loaded in part; the ten keys are used, with start_step 0" in str(caught[0].message)
    assert scheduler.start_step == 0


def test_a_max_lr_that_megatron_saved_as_an_integer_is_a_float(optimizer) -> None:
    state = {key: value for key, value in state_at(optimizer, 50).items() if key != "schedframe"}
    scheduler = schedule(lr_decay_style="cosine", lr_warmup_steps=0, resume="checkpoint").build(optimizer())
    scheduler.load_state_dict({**state, "lr_decay_style": "cosine", "lr_warmup_steps": 0, "max_lr": 2})
    assert (scheduler.max_lr, type(scheduler.max_lr), type(scheduler.state_dict()["max_lr"])) == (2.0, float, float)
