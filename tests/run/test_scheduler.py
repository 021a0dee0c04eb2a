"""The running scheduler on plain groups, on torch optimizers, and where something goes wrong."""

import copy
import logging
import pickle
import warnings
from types import SimpleNamespace
from typing import Any

import pytest

from schedframe import (
    ConfigError,
    OptimizerParamScheduler,
    PluginError,
    SchedframeWarning,
    Schedule,
    UnknownStyleError,
)
from schedframe.styles import LRCurve, LRStyle, WDCurve, WDPoint, WDStyle
from schedframe.styles.lr import WSD, Cosine, Linear

RUN: dict[str, Any] = {
    "init_lr": 0.0,
    "max_lr": 1.0,
    "min_lr": 0.1,
    "lr_warmup_steps": 10,
    "lr_decay_steps": 110,
    "lr_decay_style": "linear",
    "start_wd": 0.1,
    "end_wd": 0.2,
    "wd_incr_steps": 100,
    "wd_incr_style": "linear",
}


def build(optimizer: Any, **changes: Any) -> OptimizerParamScheduler:
    return OptimizerParamScheduler(optimizer, **{**RUN, **changes})


def test_the_first_values_are_written_by_the_constructor(optimizer) -> None:
    opt = optimizer()
    build(opt, init_lr=0.5)
    assert opt.param_groups[0] == {"params": [], "lr": 0.5, "weight_decay": 0.1}


def test_empty_groups_are_written_too(optimizer) -> None:
    opt = optimizer({"params": []}, {"params": [1]})
    build(opt).step(60)
    assert [group["lr"] for group in opt.param_groups] == [0.55, 0.55]


def test_a_groups_own_bounds_win_and_none_counts_as_absent(optimizer) -> None:
    opt = optimizer(
        {"max_lr": 5.0, "min_lr": 0.5, "default_config": False},
        {"max_lr": None, "min_lr": None, "start_wd": None, "end_wd": None, "wd_mult": None, "default_config": True},
        {"start_wd": 1.0, "end_wd": 3.0, "wd_mult": 0.5, "default_config": True},
    )
    scheduler = build(opt)
    scheduler.step(60)
    assert [group["lr"] for group in opt.param_groups] == [2.75, 0.55, 0.55]
    assert [group["weight_decay"] for group in opt.param_groups] == pytest.approx([0.16, 0.16, 1.1])
    for group in opt.param_groups:
        assert scheduler.get_lr(group) == group["lr"]


def test_in_a_log_it_says_position_and_schedule(optimizer) -> None:
    scheduler = build(optimizer(), lr_decay_style={"style": "WSD", "wsd_decay_steps": 20})
    scheduler.step(60)
    said = str(scheduler)
    assert said == repr(scheduler)
    assert said == (
        "OptimizerParamScheduler(num_steps=60, lr=1, wd=0.16, max_lr=1.0, min_lr=0.1, lr_warmup_steps=10, "
        "lr_decay_steps=110, lr_decay_style=WSD(wsd_decay_steps=20, lr_wsd_decay_style=exponential), "
        "wd_incr_style=linear)"
    )


def test_before_the_checkpoint_is_loaded_its_log_line_has_no_learning_rate(optimizer) -> None:
    assert "num_steps=50, lr=unknown, max_lr=1.0" in repr(build(optimizer(), init_lr="current", start_step=50))


def test_get_wd_takes_no_group_or_one(optimizer) -> None:
    scheduler = build(optimizer())
    scheduler.step(50)
    assert scheduler.get_wd() == pytest.approx(0.15)
    assert scheduler.get_wd({"start_wd": 1.0, "end_wd": 2.0, "wd_mult": 0.0}) == 1.5


def test_weight_decay_is_left_alone_without_bounds(optimizer) -> None:
    opt = optimizer({"weight_decay": 0.07})
    scheduler = build(opt, start_wd=None, end_wd=None, wd_incr_style="constant")
    scheduler.step(5)
    assert opt.param_groups[0]["weight_decay"] == 0.07
    assert scheduler.get_wd() is None


def test_weight_decay_may_fall(optimizer) -> None:
    opt = optimizer()
    build(opt, start_wd=0.1, end_wd=0.01).step(50)
    assert opt.param_groups[0]["weight_decay"] == pytest.approx(0.055)


def test_a_group_added_later_is_written(optimizer) -> None:
    opt = optimizer()
    scheduler = build(opt)
    opt.param_groups.append({"max_lr": 2.0})
    scheduler.step(10)
    assert [group["lr"] for group in opt.param_groups] == [1.0, 2.0]


def test_param_groups_may_be_any_iterable() -> None:
    class Chained:
        first, second = {"params": []}, {"params": []}

        @property
        def param_groups(self) -> Any:
            return iter((self.first, self.second))

    opt = Chained()
    build(opt).step(10)
    assert opt.first["lr"] == opt.second["lr"] == 1.0


@pytest.mark.parametrize(
    ("style", "kind"), [("cosine", Cosine), ({"style": "cosine"}, Cosine), (Cosine(), Cosine), ("wsd", WSD)]
)
def test_a_style_is_a_name_a_table_or_an_object_and_the_attribute_stays_the_name(optimizer, style, kind) -> None:
    scheduler = build(optimizer(), lr_decay_style=style, wsd_decay_steps=20, lr_wsd_decay_style="linear")
    assert isinstance(scheduler.lr_style, kind)
    assert scheduler.lr_decay_style == kind.model_fields["style"].default


def test_the_cooldown_may_be_a_table_with_options(optimizer) -> None:
    tail = {"style": "polynomial", "power": 3.0}
    scheduler = build(optimizer(), lr_decay_style="WSD", wsd_decay_steps=20, lr_wsd_decay_style=tail)
    assert scheduler.lr_wsd_decay_style == "polynomial"
    scheduler.step(100)
    assert scheduler.get_lr({}) == 0.1 + 0.125 * 0.9


def test_assigning_a_style_acts_at_the_next_step(optimizer) -> None:
    opt = optimizer()
    scheduler = build(opt)
    scheduler.step(60)
    scheduler.lr_decay_style = {"style": "polynomial", "power": 2.0}
    scheduler.wd_incr_style = "cosine"
    scheduler.step(0)
    assert opt.param_groups[0]["lr"] == 0.1 + 0.25 * 0.9
    scheduler.lr_style = Linear()
    scheduler.step(0)
    assert opt.param_groups[0]["lr"] == 0.55


def test_assigning_a_wrong_style_is_refused_and_changes_nothing(optimizer) -> None:
    scheduler = build(optimizer())
    with pytest.raises(ConfigError, match="did you mean 'cosine'"):
        scheduler.lr_decay_style = "cosin"
    with pytest.raises(ConfigError, match="did you mean 'linear'"):
        scheduler.wd_incr_style = "linaer"
    assert (scheduler.lr_decay_style, scheduler.wd_incr_style) == ("linear", "linear")


def test_the_cooldowns_arguments_are_kept_for_another_style(optimizer) -> None:
    scheduler = build(optimizer(), wsd_decay_steps=20, lr_wsd_decay_style="exponential")
    assert (scheduler.wsd_decay_steps, scheduler.lr_wsd_decay_style) == (20, "exponential")
    scheduler.lr_decay_style = "WSD"
    assert scheduler.lr_style == WSD(wsd_decay_steps=20, lr_wsd_decay_style="exponential")


def test_every_wrong_argument_is_reported_at_once(optimizer) -> None:
    with pytest.raises(ConfigError) as caught:
        build(
            optimizer(),
            max_lr="1e-4",
            min_lr=float("nan"),
            init_lr=True,
            lr_decay_style="cosin",
            wd_incr_style="linaer",
            start_wd=-1,
        )
    text = str(caught.value)
    assert text.startswith("OptimizerParamScheduler has 6 problems:")
    for part in (
        "max_lr = '1e-4': must be a number, not a str",
        "min_lr = nan: must be finite",
        "init_lr = True: must be a number, not a bool",
        "there is no LR style 'cosin'; did you mean 'cosine'?",
        "there is no WD style 'linaer'; did you mean 'linear'?",
        "start_wd = -1: must not be negative",
    ):
        assert part in text
    assert [type(error) for error in caught.value.errors] == [UnknownStyleError, UnknownStyleError]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"lr_decay_style": "WSD"}, r"lr_decay_style.wsd_decay_steps = None: has no value"),
        (
            {"lr_decay_style": "WSD", "wsd_decay_steps": 9},
            r"lr_decay_style.lr_wsd_decay_style = None: must be the name of a style",
        ),
        (
            {"lr_decay_style": "WSD", "wsd_decay_steps": 9, "lr_wsd_decay_style": "1-sqr"},
            "no LR style '1-sqr'; did you mean '1-sqrt'?",
        ),
        (
            {"use_checkpoint_opt_param_scheduler": True, "override_opt_param_scheduler": True},
            "contradict each other; set one of them",
        ),
        ({"lr_decay_steps": 0}, "lr_decay_steps = 0: must be above 0"),
        ({"lr_decay_style": "multi-step"}, "lr_decay_style.milestones: missing required key"),
        ({"lr_decay_style": {"style": "polynomial", "power": 0}}, "lr_decay_style.power = 0: must be above 0"),
        ({"lr_decay_style": {"style": "polynomial", "pover": 2}}, "did you mean 'power'?"),
        ({"start_wd": None}, "start_wd = None: must be a number"),
    ],
)
def test_a_wrong_argument_is_refused_with_a_readable_message(optimizer, changes, sentence) -> None:
    with pytest.raises(ConfigError) as caught:
        build(optimizer(), **changes)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("groups", "changes", "sentence"),
    [
        ([{}], {"lr_decay_style": "WSD", "wsd_decay_steps": 105, "lr_wsd_decay_style": "linear"}, "is longer than"),
        ([{}], {"lr_decay_style": "WSD", "wsd_decay_steps": 0, "lr_wsd_decay_style": "linear"}, "must be above 0"),
        ([{}], {"lr_warmup_steps": -5}, "lr_warmup_steps = -5: must not be negative"),
        ([{"max_lr": 0.05}], {}, "min_lr = 0.1 above its max_lr = 0.05"),
        ([{"max_lr": 2.0, "default_config": True}], {}, "max_lr = 1.0: the optimizer's param_groups[0] have max_lr"),
        ([{"lr": 0.1}, {"lr": 0.2}], {}, "have different lr (0.1 in param_groups[0], 0.2 in param_groups[1])"),
        ([{"lr_mult": 10.0}], {}, "lr_mult = 10.0, which is ignored"),
        ([{"max_lr": 0.5, "default_config": False}], {"init_lr": 0.9}, "would fall, from 0.9 to 0.5"),
    ],
)
def test_what_megatron_runs_although_it_is_a_mistake_is_run_with_a_warning(
    optimizer, groups, changes, sentence
) -> None:
    with pytest.warns(SchedframeWarning) as caught:
        build(optimizer(*groups), **changes)
    assert sentence in "\n".join(str(warning.message) for warning in caught)


def test_a_warning_points_at_the_line_that_builds_the_scheduler(optimizer) -> None:
    with pytest.warns(SchedframeWarning) as caught:
        OptimizerParamScheduler(optimizer({"lr_mult": 2.0}), **RUN)
    assert caught[0].filename == __file__


class Jumpy(LRCurve):
    style: str = "jumpy"

    def coefficient(self, progress: float) -> float:
        return float("nan") if progress == 0.3 else 1.0


class Picky(LRStyle):
    style: str = "picky"

    def lr(self, point: Any) -> float:
        return float("inf") if point.step == 40 and point.max_lr == 2.0 else 1.0


@pytest.mark.parametrize("style", [Jumpy(), Picky()], ids=["curve", "style"])
def test_a_style_that_fails_at_a_step_changes_no_group(optimizer, style) -> None:
    opt = optimizer({"default_config": True}, {"max_lr": 2.0, "default_config": False})
    scheduler = build(opt, lr_decay_style=style)
    scheduler.step(39)
    before = copy.deepcopy(opt.param_groups)
    with pytest.raises(PluginError, match="no param group was changed"):
        scheduler.step(1)
    assert (opt.param_groups, scheduler.num_steps) == (before, 39)


class JumpyWD(WDCurve):
    style: str = "jumpy-wd"

    def coefficient(self, progress: float) -> float:
        return float("inf") if progress == 0.4 else progress


def test_a_weight_decay_style_that_fails_at_a_step_changes_no_group(optimizer) -> None:
    opt = optimizer()
    scheduler = build(opt, wd_incr_style=JumpyWD())
    scheduler.step(39)
    before = copy.deepcopy(opt.param_groups)
    with pytest.raises(PluginError, match=r"JumpyWD.* gives inf at step 40; no param group was changed"):
        scheduler.step(1)
    assert (opt.param_groups, scheduler.num_steps) == (before, 39)


class FollowsLR(WDStyle):
    style: str = "follows-lr"

    def wd(self, point: Any) -> float:
        return point.end_wd * point.lr / point.max_lr


@pytest.mark.parametrize("style", ["geometric", FollowsLR()], ids=["geometric", "coupled"])
def test_a_weight_decay_style_that_is_no_shape_is_asked_for_each_group(optimizer, style) -> None:
    opt = optimizer(
        {"default_config": True},
        {"max_lr": 5.0, "min_lr": 0.5, "start_wd": 0.5, "end_wd": 1.0, "wd_mult": 0.5, "default_config": False},
    )
    scheduler = build(opt, wd_incr_style=style)
    for step in (0, 5, 10, 60, 100, 110, 200):
        scheduler.num_steps = step
        scheduler.step(0)
        for group in opt.param_groups:
            expected = scheduler.wd_style.wd(
                WDPoint(
                    step,
                    100,
                    group.get("start_wd", 0.1),
                    group.get("end_wd", 0.2),
                    group["lr"],
                    group.get("max_lr", 1.0),
                )
            )
            assert scheduler.get_wd(group) == expected
            assert group["weight_decay"] == expected * group.get("wd_mult", 1.0)


def test_a_style_that_is_neither_name_nor_table_is_refused(optimizer) -> None:
    with pytest.raises(
        ConfigError, match="wd_incr_style = 5: must be the name of a style, or a table with a `style` key"
    ):
        build(optimizer(), wd_incr_style=5)


def test_a_subclass_that_changes_a_formula_is_refused(optimizer) -> None:
    class Fork(OptimizerParamScheduler):
        def get_lr(self, param_group: Any) -> float:
            return 1.0

    with pytest.raises(ConfigError, match="get_lr or get_wd is overridden, which step\\(\\) would ignore"):
        Fork(optimizer(), **RUN)


def test_a_patched_formula_is_refused(optimizer, monkeypatch) -> None:
    monkeypatch.setattr(OptimizerParamScheduler, "get_wd", lambda self, group=None: 0.0)
    with pytest.raises(ConfigError, match="write a style instead"):
        build(optimizer())


def test_a_subclass_that_only_adds_is_fine(optimizer) -> None:
    class Named(OptimizerParamScheduler):
        name = "main"

    assert Named(optimizer(), **RUN).num_steps == 0


def test_it_logs_what_runs_on_the_first_rank_only(optimizer, caplog, monkeypatch) -> None:
    with caplog.at_level(logging.INFO, "schedframe"):
        build(optimizer())
    assert "lr style linear from schedframe" in caplog.text
    caplog.clear()
    monkeypatch.setenv("RANK", "3")
    with caplog.at_level(logging.INFO, "schedframe"):
        build(optimizer())
    assert caplog.text == ""


def test_it_can_be_copied_and_pickled(optimizer) -> None:
    import sys
    import types

    module = types.ModuleType("schedframe_pickle_helper")
    module.Optimizer = type(optimizer())
    sys.modules["schedframe_pickle_helper"] = module
    module.Optimizer.__module__, module.Optimizer.__qualname__ = module.__name__, "Optimizer"
    scheduler = build(optimizer())
    scheduler.step(30)
    for other in (copy.deepcopy(scheduler), pickle.loads(pickle.dumps(scheduler))):
        other.step(5)
        assert other.optimizer.param_groups[0]["lr"] == other.get_lr({})
        assert other.num_steps == 35
    assert scheduler.num_steps == 30


def test_step_equals_schedule_at_every_step(optimizer) -> None:
    schedule = Schedule(
        max_lr=3e-4,
        min_lr="10%",
        train_samples=500,
        lr_warmup_steps="7%",
        lr_decay_style={"style": "WSD", "wsd_decay_steps": "20%", "lr_wsd_decay_style": "1-sqrt"},
        start_wd=0.1,
        end_wd=0.3,
        wd_incr_style="exponential",
    )
    opt = optimizer({"params": []}, {"max_lr": 1.0, "min_lr": 0.2, "wd_mult": 0.5, "default_config": False})
    scheduler = schedule.build(opt)
    for step in range(520):
        for group in opt.param_groups:
            assert group["lr"] == schedule.lr_at(step, group)
            assert group["weight_decay"] == schedule.wd_at(step, group) * group.get("wd_mult", 1.0)
        scheduler.step(1)


class TestTensors:
    """Groups of real torch optimizers whose values are tensors."""

    @pytest.fixture
    def torch(self) -> Any:
        return pytest.importorskip("torch")

    def test_lr_and_weight_decay_are_filled_in_place(self, torch) -> None:
        weight = torch.nn.Parameter(torch.ones(2))
        opt = torch.optim.AdamW([weight], lr=torch.tensor(1.0, dtype=torch.float64), capturable=False, foreach=False)
        group = opt.param_groups[0]
        group["weight_decay"] = torch.tensor(0.0, dtype=torch.float64)
        lr, wd = group["lr"], group["weight_decay"]
        scheduler = build(opt)
        for _ in range(1000):
            scheduler.step(1)
            assert group["lr"] is lr
            assert group["weight_decay"] is wd
            assert lr.item() == scheduler.get_lr(group)
            assert wd.item() == scheduler.get_wd(group)

    def test_a_load_fills_in_place_too(self, torch) -> None:
        opt = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=torch.tensor(0.0))
        scheduler = build(opt)
        lr = opt.param_groups[0]["lr"]
        scheduler.step(60)
        state = scheduler.state_dict()
        scheduler.step(20)
        scheduler.load_state_dict(state)
        assert opt.param_groups[0]["lr"] is lr
        assert lr.item() == pytest.approx(0.55)

    def test_groups_that_share_one_tensor_get_their_own(self, torch) -> None:
        groups = [{"params": [torch.nn.Parameter(torch.ones(1))]} for _ in range(2)]
        groups[1].update(max_lr=5.0, min_lr=0.5, default_config=False)
        groups[0].update(default_config=True)
        shared = torch.tensor(1.0, dtype=torch.float64)
        opt = torch.optim.AdamW(groups, lr=shared)
        assert opt.param_groups[0]["lr"] is opt.param_groups[1]["lr"]
        build(opt).step(60)
        assert opt.param_groups[0]["lr"] is shared
        assert [group["lr"].item() for group in opt.param_groups] == pytest.approx([0.55, 2.75])

    def test_a_torch_optimizer_trains_with_it(self, torch) -> None:
        weight = torch.nn.Parameter(torch.tensor([1.0]))
        opt = torch.optim.SGD([weight], lr=0.0)
        scheduler = Schedule(max_lr=0.5, lr_decay_steps=4, lr_decay_style="constant").build(opt)
        weight.grad = torch.tensor([1.0])
        opt.step()
        scheduler.step(1)
        opt.step()
        assert weight.item() == 0.0

    def test_the_state_survives_a_weights_only_load(self, torch, tmp_path, optimizer) -> None:
        scheduler = build(optimizer())
        scheduler.step(42)
        torch.save(scheduler.state_dict(), tmp_path / "state.pt")
        assert torch.load(tmp_path / "state.pt", weights_only=True) == scheduler.state_dict()


def test_torch_is_not_imported_by_a_run_without_tensors() -> None:
    import subprocess
    import sys

    program = """
import sys, schedframe
class Optimizer: param_groups = [{"params": []}]
scheduler = schedframe.Schedule(max_lr=1, lr_decay_steps=9, start_wd=0.1).build(Optimizer)
scheduler.step(3); scheduler.load_state_dict(scheduler.state_dict())
print("torch" in sys.modules)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"


def test_no_warning_without_a_mistake(optimizer) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        build(optimizer({"max_lr": 1.0, "min_lr": 0.1, "wd_mult": 1.0, "lr_mult": 1.0, "default_config": True}))
    assert caught == []


def test_bounds_that_a_loop_overwrote_are_restored(optimizer) -> None:
    own, default = {"max_lr": 0.5, "min_lr": 0.05}, {"max_lr": 1.0, "min_lr": 0.1, "default_config": True}
    scheduler = build(optimizer({**own, "default_config": False}, default, {}))
    scheduler.step(60)
    groups = scheduler.optimizer.param_groups
    before = [dict(group) for group in groups]
    for group in groups:
        group.update(max_lr=2.0, min_lr=0.2, lr=9.0)
    scheduler.restore_bounds()
    assert groups == before
    assert scheduler.num_steps == 60


@pytest.mark.parametrize("value", [1.1e100, 10**101, 10**5000], ids=range(3))
def test_a_number_that_no_state_could_hold_is_refused(value):
    with pytest.raises(ConfigError, match=r"max_lr = .*: is too large"):
        OptimizerParamScheduler(
            SimpleNamespace(param_groups=[{}]), 0.0, value, 0.0, 0, 100, "linear", 0.1, 0.1, 100, "constant"
        )
