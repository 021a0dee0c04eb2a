"""The names of Megatron's module, and ``from_args`` on its argument namespace."""

from argparse import Namespace
from typing import Any

import pytest

import schedframe
from schedframe import ConfigError, megatron
from schedframe.megatron._versions import takes_ramps

ARGS: dict[str, Any] = {
    "train_iters": None,
    "train_samples": None,
    "global_batch_size": 4,
    "lr_decay_iters": None,
    "lr_decay_samples": None,
    "lr_wsd_decay_iters": None,
    "lr_wsd_decay_samples": None,
    "lr_warmup_fraction": None,
    "lr_warmup_iters": 0,
    "lr_warmup_samples": 0,
    "lr_warmup_init": 0.0,
    "lr": 1e-3,
    "min_lr": 1e-4,
    "lr_decay_style": "cosine",
    "start_weight_decay": 0.1,
    "end_weight_decay": 0.1,
    "weight_decay_incr_style": "constant",
    "use_checkpoint_opt_param_scheduler": False,
    "override_opt_param_scheduler": False,
    "lr_wsd_decay_style": "exponential",
    "rampup_batch_size": None,
}


def lengths(scheduler: Any) -> tuple[Any, ...]:
    return (scheduler.lr_warmup_steps, scheduler.lr_decay_steps, scheduler.wd_incr_steps, scheduler.wsd_decay_steps)


def test_iterations_become_samples_and_the_decay_defaults_to_the_run(optimizer) -> None:
    args = Namespace(**{**ARGS, "train_iters": 100, "lr_warmup_iters": 10})
    scheduler = megatron.from_args(optimizer(), args)
    assert lengths(scheduler) == (40, 400, 400, None)
    assert args.lr_decay_iters == 100
    assert (scheduler.max_lr, scheduler.min_lr, scheduler.init_lr) == (1e-3, 1e-4, 0.0)


def test_given_iterations_are_kept(optimizer) -> None:
    args = Namespace(
        **{**ARGS, "train_iters": 100, "lr_decay_iters": 80, "lr_wsd_decay_iters": 20, "lr_decay_style": "WSD"}
    )
    scheduler = megatron.from_args(optimizer(), args)
    assert lengths(scheduler) == (0, 320, 400, 80)
    assert scheduler.lr_wsd_decay_style == "exponential"
    assert args.lr_decay_iters == 80


def test_a_warmup_fraction_is_a_float_of_the_decay(optimizer) -> None:
    args = Namespace(**{**ARGS, "train_iters": 101, "lr_warmup_fraction": 0.01})
    scheduler = megatron.from_args(optimizer(), args)
    assert scheduler.lr_warmup_steps == 0.01 * 404
    assert isinstance(scheduler.lr_warmup_steps, float)


def test_samples_set_the_iterations_that_the_training_loop_needs(optimizer) -> None:
    args = Namespace(**{**ARGS, "train_samples": 1002, "lr_warmup_samples": 7, "lr_wsd_decay_samples": 100})
    scheduler = megatron.from_args(optimizer(), args)
    assert lengths(scheduler) == (7, 1002, 1002, 100)
    assert (args.train_iters, args.lr_decay_samples) == (250, 1002)


def test_neither_iterations_nor_samples_is_refused(optimizer) -> None:
    with pytest.raises(ConfigError, match="give --train-iters or --train-samples"):
        megatron.from_args(optimizer(), Namespace(**ARGS))


@pytest.mark.parametrize("flag", ["use_checkpoint_opt_param_scheduler", "override_opt_param_scheduler"])
def test_the_flags_are_taken(optimizer, flag: str) -> None:
    scheduler = megatron.from_args(optimizer(), Namespace(**{**ARGS, "train_iters": 5, flag: True}))
    assert getattr(scheduler, flag) is True


class TestBatchSizeRamp:
    """Megatron's own calculator of batch sizes: ``train_iters`` through it, and whether it is what a file declares."""

    RUN = {"train_samples": 1000, "max_lr": 1e-3, "global_batch_size": 16, "lr_warmup_steps": "10 iters"}

    @pytest.fixture
    def calculator(self) -> Any:
        pytest.importorskip("torch")
        module = pytest.importorskip("megatron.core.num_microbatches_calculator")
        yield module
        module.destroy_num_microbatches_calculator()

    @pytest.fixture
    def _ramping(self, calculator: Any) -> None:
        if not takes_ramps():
            pytest.skip("Megatron Core ignores a ramp-up from 0.18 on")

    @pytest.mark.usefixtures("_ramping")
    @pytest.mark.parametrize(("samples", "iterations"), [(100, 12), (400, 30), (16, 5)])
    def test_a_ramp_up_is_followed(self, calculator, optimizer, samples: int, iterations: int) -> None:
        ramp = ["4", "4", "60"]
        calculator.init_num_microbatches_calculator(0, [int(part) for part in ramp], 16, 2, 1)
        args = Namespace(**{**ARGS, "train_samples": samples, "global_batch_size": 16, "rampup_batch_size": ramp})
        megatron.from_args(optimizer(), args)
        consumed, expected = 0, 0
        while consumed <= min(60, samples):
            consumed += 4 + 4 * min(3, int(consumed / 20))
            expected += 1
        expected += max(0, samples - consumed) // 16
        assert args.train_iters == expected == iterations
        assert calculator.get_current_global_batch_size() == 4

    @pytest.mark.parametrize(
        ("keys", "names"),
        [
            ({"rampup_batch_size": [4, 4, 60]}, ["rampup_batch_size"]),
            ({"global_batch_size": 32}, ["global_batch_size"]),
            (
                {"step_batch_size_schedule": "0:8 100:16", "global_batch_size": None, "seq_length": 10},
                ["step_batch_size_schedule"],
            ),
        ],
        ids=["a ramp", "another size", "steps"],
    )
    def test_a_schedule_with_other_batches_than_megatrons_is_refused(
        self, calculator, optimizer, keys: dict[str, Any], names: list[str]
    ) -> None:
        calculator.init_num_microbatches_calculator(0, None, 16, 2, 1)
        schedule = schedframe.Schedule(**{**self.RUN, **keys})
        with pytest.raises(ConfigError, match=r"all batches of Megatron's loop have 16 samples here") as caught:
            megatron.build(schedule, optimizer())
        assert [problem.path for problem in caught.value.problems] == names

    @pytest.mark.usefixtures("_ramping")
    def test_a_ramp_that_megatron_follows_is_built(self, calculator, optimizer) -> None:
        calculator.init_num_microbatches_calculator(0, [4, 4, 60], 16, 2, 1)
        assert megatron.build(schedframe.Schedule(**self.RUN, rampup_batch_size=[4, 4, 60]), optimizer())

    def test_the_batches_that_megatron_has_are_built(self, calculator, optimizer) -> None:
        calculator.init_num_microbatches_calculator(0, None, 16, 2, 1)
        assert megatron.build(schedframe.Schedule(**self.RUN), optimizer())

    def test_a_ramp_is_built_where_megatron_is_not_set_up(self, optimizer) -> None:
        assert megatron.build(schedframe.Schedule(**self.RUN, rampup_batch_size=[4, 4, 60]), optimizer())


class TestNames:
    """The public names are Megatron's, and do what Megatron's do."""

    @pytest.fixture
    def theirs(self) -> Any:
        pytest.importorskip("torch")
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return pytest.importorskip("megatron.core.optimizer_param_scheduler")

    def test_every_public_name_is_there(self, theirs) -> None:
        public = {
            name
            for name, value in vars(theirs).items()
            if getattr(value, "__module__", "") == theirs.__name__ and not name.startswith("_")
        }
        assert public <= set(megatron.__all__)
        assert issubclass(megatron.OptimizerParamScheduler, schedframe.OptimizerParamScheduler)

    def test_the_overrides_have_megatrons_keys(self, theirs) -> None:
        assert set(theirs.ParamGroupOverride.__annotations__) <= set(megatron.ParamGroupOverride.__annotations__)
        assert megatron.ParamGroupOverride(max_lr=1.0) == {"max_lr": 1.0}

    @pytest.mark.parametrize(
        "groups",
        [
            [],
            [{"lr": 1.0}],
            [{"lr": 1.0, "default_config": False}, {"lr": 2.0, "default_config": True, "params": []}],
            [{"default_config": True}],
        ],
        ids=str,
    )
    def test_the_canonical_lr_is_megatrons(self, theirs, groups: list[dict]) -> None:
        assert megatron.get_canonical_lr_for_logging(groups) == theirs.get_canonical_lr_for_logging(groups)

    @pytest.mark.parametrize("override", [None, {}, {"min_lr": 1.0, "max_lr": 2.0}, {"wd_mult": 0.0, "end_wd": 1}])
    def test_an_override_as_a_tuple_is_megatrons(self, theirs, override: Any) -> None:
        assert megatron.param_group_override_to_tuple(override) == theirs.param_group_override_to_tuple(override)

    @pytest.mark.parametrize(
        "overrides",
        [[], [None], [{"max_lr": 1.0}, None, {"min_lr": 0.5, "max_lr": 1.0}], [{"x": 1}, {"y": 2}]],
        ids=str,
    )
    def test_combined_overrides_are_megatrons(self, theirs, overrides: Any) -> None:
        assert megatron.combine_param_group_overrides(overrides) == theirs.combine_param_group_overrides(overrides)

    def test_contradicting_overrides_are_refused(self, theirs) -> None:
        for module in (theirs, megatron):
            with pytest.raises(ValueError, match="max_lr"):
                module.combine_param_group_overrides([{"max_lr": 1.0}, {"max_lr": 2.0}])


class TestClock:
    TEN = (0.0, 1.0, 0.0, 0, 100, "linear", 0.0, 0.0, 100, "constant")

    def test_the_class_counts_samples_alone(self, optimizer) -> None:
        assert megatron.OptimizerParamScheduler(optimizer(), *self.TEN).clock == "samples"
        with pytest.raises(ConfigError) as caught:
            megatron.OptimizerParamScheduler(optimizer(), *self.TEN, clock="iters")
        assert str(caught.value) == (
            "OptimizerParamScheduler: clock = 'iters': cannot be the clock here: Megatron passes samples to step(). "
            "Use clock: samples, and lengths in iters with their unit"
        )

    def test_a_file_of_another_clock_is_refused_by_its_line(self, optimizer, tmp_path) -> None:
        file = tmp_path / "run.yaml"
        file.write_text("max_lr: 1.0\nclock: tokens\nlr_decay_steps: 100\n")
        schedule = schedframe.load(file)
        for refusing in (lambda: megatron.build(schedule, optimizer()), lambda: megatron.config_overrides(schedule)):
            with pytest.raises(ConfigError) as caught:
                refusing()
            assert str(caught.value).startswith(f"{file}: line 2, clock = tokens: cannot be the clock here")

    def test_samples_are_built(self, optimizer) -> None:
        scheduler = megatron.build(schedframe.Schedule(max_lr=1.0, lr_decay_steps=100), optimizer(), process_group=None)
        scheduler.step(50)
        assert scheduler.optimizer.param_groups[0]["lr"] == 0.5


def test_overrides_need_a_megatron_that_has_them(monkeypatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "megatron.core.optimizer.optimizer_config", None)
    rule = {"role": "a", "match": {"param": "*"}, "lr_mult": 0.5}
    schedule = schedframe.Schedule(max_lr=1.0, lr_decay_steps=100, groups=[rule])
    with pytest.raises(ConfigError, match=r"need Megatron Core 0.16 or later, whose .*ParamWithNamePredicate"):
        megatron.config_overrides(schedule)


def test_a_warning_of_the_linter_is_logged(optimizer, caplog) -> None:
    args = Namespace(**{**ARGS, "train_iters": 100, "lr_decay_iters": 40, "lr": 1e-3})
    megatron.from_args(optimizer(), args)
    assert [record.getMessage() for record in caplog.records if "SF203" in record.getMessage()]


def test_an_error_of_the_linter_is_refused(optimizer) -> None:
    args = Namespace(**{**ARGS, "train_samples": 1000, "lr_warmup_samples": 0.1})
    with pytest.raises(ConfigError, match=r"lr_warmup_steps = '0.1 samples': is less than one sample.*\(SF101\)"):
        megatron.from_args(optimizer(), args)
