"""``Schedule.build`` refuses an optimizer that silently contradicts the file."""

from pathlib import Path

import pytest

import schedframe
from schedframe import ConfigError, Schedule

MEGATRON_GROUP = {"params": [], "wd_mult": 1.0, "lr_mult": 1.0, "is_decoupled_lr": False, "default_config": True}


@pytest.fixture
def schedule(tmp_path: Path) -> Schedule:
    file = tmp_path / "run.yaml"
    file.write_text("train_samples: 1000\nmax_lr: 3e-4\nmin_lr: 3e-5\nstart_wd: 0.1\n")
    return schedframe.load(file)


def megatron_group(**changes: object) -> dict:
    return {**MEGATRON_GROUP, "max_lr": 3e-4, "min_lr": 3e-5, **changes}


def test_groups_that_agree_are_taken(schedule, optimizer) -> None:
    opt = optimizer(megatron_group(), megatron_group(wd_mult=0.0), megatron_group(max_lr=None))
    schedule.build(opt).step(1000)
    assert [group["lr"] for group in opt.param_groups] == [3e-5] * 3
    assert [group["weight_decay"] for group in opt.param_groups] == [0.1, 0.0, 0.1]


def test_a_default_groups_other_max_lr_is_refused_with_both_numbers_and_places(schedule, optimizer) -> None:
    opt = optimizer(megatron_group(max_lr=1e-3), megatron_group(max_lr=1e-3), megatron_group())
    with pytest.raises(ConfigError) as caught:
        schedule.build(opt)
    text = str(caught.value)
    assert "run.yaml: line 2, max_lr = 0.0003: the optimizer's param_groups[0, 1] have max_lr = 0.001" in text
    assert "OptimizerConfig(lr=schedule.max_lr)" in text
    assert "lr" not in opt.param_groups[0]


def test_several_contradictions_come_at_once(schedule, optimizer) -> None:
    with pytest.raises(ConfigError) as caught:
        schedule.build(optimizer(megatron_group(max_lr=1e-3, min_lr=0.0)))
    assert [(problem.path, problem.line) for problem in caught.value.problems] == [("max_lr", 2), ("min_lr", 3)]


def test_a_group_that_is_not_default_keeps_its_own_bounds(schedule, optimizer) -> None:
    opt = optimizer(megatron_group(), megatron_group(max_lr=1e-3, min_lr=1e-4, default_config=False))
    schedule.build(opt).step(1000)
    assert [group["lr"] for group in opt.param_groups] == [3e-5, 1e-4]


def test_so_does_a_decoupled_group_of_an_older_megatron(schedule, optimizer) -> None:
    older = {key: value for key, value in megatron_group().items() if key != "default_config"}
    opt = optimizer(older, {**older, "max_lr": 1e-4, "min_lr": 1e-5, "is_decoupled_lr": True})
    schedule.build(opt).step(1000)
    assert [group["lr"] for group in opt.param_groups] == [3e-5, 1e-5]


def test_where_no_group_says_default_config_every_group_must_agree(schedule, optimizer) -> None:
    with pytest.raises(ConfigError, match=r"param_groups\[1\] have max_lr = 0.001"):
        schedule.build(optimizer({"max_lr": 3e-4}, {"max_lr": 1e-3}))


@pytest.mark.parametrize(
    ("bounds", "sentence"),
    [
        ({"max_lr": 1e-5}, "min_lr = 3e-05 above its max_lr = 1e-05"),
        ({"min_lr": 1.0}, "min_lr = 1.0 above its max_lr = 0.0003"),
    ],
)
def test_a_min_lr_above_a_groups_max_lr_is_refused(schedule, optimizer, bounds, sentence) -> None:
    with pytest.raises(ConfigError) as caught:
        schedule.build(optimizer(megatron_group(), megatron_group(**bounds, default_config=False)))
    assert sentence in str(caught.value)


def test_a_warmup_that_would_fall_is_refused(optimizer) -> None:
    schedule = Schedule(max_lr=1.0, init_lr=0.5, lr_warmup_steps=5, lr_decay_steps=10)
    own = {"max_lr": 0.1, "min_lr": 0.0, "default_config": False}
    with pytest.raises(ConfigError, match=r"the warmup of param_groups\[1\] would fall, from 0.5 to 0.1"):
        schedule.build(optimizer({"default_config": True}, own))


class TestTorch:
    """Plain torch optimizers: groups without Megatron's keys."""

    @pytest.fixture
    def adamw(self):
        torch = pytest.importorskip("torch")

        def adamw(*groups: dict, **options):
            filled = [{"params": [torch.nn.Parameter(torch.ones(1))], **group} for group in groups]
            return torch.optim.AdamW(filled, **options)

        return adamw

    def test_one_lr_for_all_groups_is_overwritten(self, schedule, adamw) -> None:
        opt = adamw({}, {}, lr=1.0)
        schedule.build(opt)
        assert [group["lr"] for group in opt.param_groups] == [3e-4, 3e-4]

    def test_different_lr_is_refused_with_the_way_to_declare_it(self, schedule, adamw) -> None:
        opt = adamw({"lr": 1e-3}, {}, {}, lr=1e-4)
        with pytest.raises(ConfigError) as caught:
            schedule.build(opt)
        text = str(caught.value)
        assert "different lr (0.001 in param_groups[0], 0.0001 in param_groups[1, 2])" in text
        assert "its own max_lr and min_lr, and default_config=False" in text
        assert [group["lr"] for group in opt.param_groups] == [1e-3, 1e-4, 1e-4]

    def test_different_weight_decay_is_refused_with_the_way_to_declare_it(self, schedule, adamw) -> None:
        with pytest.raises(ConfigError) as caught:
            schedule.build(adamw({"weight_decay": 0.0}, {"weight_decay": 0.1}))
        assert "different weight_decay" in str(caught.value)
        assert "wd_mult, 0.0 for none" in str(caught.value)

    def test_different_weight_decay_is_fine_where_it_is_left_alone(self, adamw) -> None:
        opt = adamw({"weight_decay": 0.0}, {"weight_decay": 0.1})
        Schedule(max_lr=1.0, lr_decay_steps=9).build(opt).step(3)
        assert [group["weight_decay"] for group in opt.param_groups] == [0.0, 0.1]

    def test_what_is_declared_is_kept(self, schedule, adamw) -> None:
        opt = adamw(
            {"default_config": True, "wd_mult": 0.0, "weight_decay": 0.0},
            {"max_lr": 1e-3, "min_lr": 1e-4, "default_config": False, "lr": 1.0, "wd_mult": 2.0},
            lr=1e-4,
        )
        schedule.build(opt).step(1000)
        assert [group["lr"] for group in opt.param_groups] == [3e-5, 1e-4]
        assert [group["weight_decay"] for group in opt.param_groups] == [0.0, 0.2]

    def test_a_tensor_lr_is_compared_by_value(self, schedule, adamw) -> None:
        import torch

        with pytest.raises(ConfigError, match="different lr"):
            schedule.build(adamw({"lr": torch.tensor(0.5)}, {"lr": 0.25}))


def test_many_groups_make_one_short_sentence(schedule, optimizer) -> None:
    with pytest.raises(ConfigError) as caught:
        schedule.build(optimizer(*[megatron_group(max_lr=1.0)] * 1000))
    assert "param_groups[0, 1, 2, 3 and 996 more]" in str(caught.value)
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize("flag", ["use_checkpoint_opt_param_scheduler", "override_opt_param_scheduler"])
def test_the_flags_reach_the_scheduler(schedule, optimizer, flag) -> None:
    assert getattr(schedule.build(optimizer()), flag) is False
    assert getattr(schedule.build(optimizer(), **{flag: True}), flag) is True


def test_a_style_that_has_no_value_between_a_groups_own_bounds_is_refused(optimizer) -> None:
    schedule = Schedule(max_lr=1.0, min_lr=0.1, lr_decay_steps=100, lr_decay_style="geometric")
    own = {"max_lr": 5.0, "min_lr": 0.0, "default_config": False}
    text = r"lr_decay_style = .*: with the bounds of param_groups\[1\], 5.0 and 0.0: geometric needs max_lr and"
    with pytest.raises(ConfigError, match=text):
        schedule.build(optimizer({"max_lr": 1.0, "min_lr": 0.1, "default_config": True}, own))


def geometric_with_a_rule() -> Schedule:
    rule = {"role": "expert", "match": {"key": {"kind": "expert"}}, "lr_mult": 0.5}
    return Schedule(max_lr=1.0, min_lr=0.1, lr_decay_steps=100, lr_decay_style="geometric", groups=[rule])


@pytest.mark.parametrize("kind", ["expert", "other"])
def test_so_is_one_beside_a_rule(optimizer, kind) -> None:
    own_bounds = {"params": [], "kind": kind, "max_lr": 5.0, "min_lr": 0.0, "default_config": False}
    expert = {"params": [], "kind": "expert"}
    text = r"lr_decay_style = .*: with the bounds of param_groups\[0\], 5.0 and 0.0: geometric needs max_lr and"
    with pytest.raises(ConfigError, match=text):
        geometric_with_a_rule().build(optimizer(own_bounds, expert))


def test_the_plan_of_a_schedule_is_made_once() -> None:
    schedule = geometric_with_a_rule()
    assert schedule.plan is schedule.plan
    assert schedule.model_copy().plan == schedule.plan
    assert schedule.model_copy(update={"max_lr": 2.0}).plan.max_lr == 2.0
    assert schedule.model_copy(update={"max_lr": 2.0}, deep=True).lr_at(0) == 2.0
    assert schedule.for_role("expert").plan.max_lr == 0.5
