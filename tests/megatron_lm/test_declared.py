"""What a file and Megatron-LM's flags say together, and what Megatron's arguments then are."""

from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from schedframe import ConfigError, Schedule
from schedframe._errors import Problem
from schedframe.megatron._from_args import arguments
from schedframe.megatron._launch.command_line import CommandLine
from schedframe.megatron._launch.file_and_flags import combine
from schedframe.megatron._launch.fill import fill, refuse_other_batches, rounding
from schedframe.megatron._launch.flags import LENGTHS, once

WHOLE = "max_lr: 1e-3\nlr_warmup_steps: 40\ntrain_samples: 400\nstart_wd: 0.1\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "run.yaml"


def both(file: Path, text: str, **said: Any) -> Schedule:
    file.write_text(text)
    return combine(str(file), said, "on the command line", 0.01)


def told(file: Path, text: str, **said: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        both(file, text, **said)
    return str(caught.value).replace(str(file), "run.yaml")


def test_a_file_alone_is_the_schedule(file):
    assert both(file, WHOLE) == Schedule(max_lr=1e-3, lr_warmup_steps=40, train_samples=400, start_wd=0.1)


def test_a_flag_says_what_the_file_does_not(file):
    schedule = both(
        file,
        "lr_decay_style: {style: WSD, wsd_decay_steps: 10%}\nmin_lr: 10%\n",
        lr=2e-3,
        train_iters=100,
        global_batch_size=4,
        seq_length=32,
        lr_warmup_fraction=0.07,
        lr_decay_iters=90,
        lr_wsd_decay_style="minus-power",
        lr_wsd_decay_style_options="{power: 2}",
        start_weight_decay=0.0,
        end_weight_decay=0.1,
        weight_decay_incr_style="cosine",
    )
    assert (schedule.max_lr, schedule.min_lr, schedule.lr_decay_steps) == (2e-3, 2e-4, 360)
    assert schedule.lr_warmup_steps == 0.07 * 360
    assert schedule.lr_style.model_dump()["lr_wsd_decay_style"] == {"style": "minus-power", "power": 2.0}
    assert schedule.lr_style.model_dump()["wsd_decay_steps"] == 36
    assert (schedule.start_wd, schedule.end_wd, schedule.wd_style.style) == (0.0, 0.1, "cosine")


def test_the_run_and_the_batch_of_flags_are_keys_of_the_files_schedule(file):
    said = {"train_iters": 100_000, "global_batch_size": 1024}
    schedule = both(file, "max_lr: 3e-4\nlr_warmup_steps: 2000\n", **said)
    assert {key: getattr(schedule, key) for key in said} == said
    assert schedule.units_at(schedule.lr_warmup_steps)["iters"] == 1.953125
    assert str(schedule.origin) == str(file)
    assert schedule.origin.located(Problem("lr_warmup_steps", "is short")).line == 2


@pytest.mark.parametrize(("unit", "run"), [("iters", 100), ("samples", 400)])
def test_flags_alone_make_a_schedule_with_its_run_and_batch(unit, run):
    lengths = {argument: None for setting in LENGTHS.values() for argument in setting}
    args = Namespace(
        **{**lengths, f"train_{unit}": run, f"lr_warmup_{unit}": 4},
        lr=1e-3,
        min_lr=0.0,
        lr_warmup_init=0.0,
        lr_decay_style="cosine",
        lr_wsd_decay_style=None,
        start_weight_decay=0.1,
        end_weight_decay=0.1,
        weight_decay_incr_style="constant",
        use_checkpoint_opt_param_scheduler=False,
        override_opt_param_scheduler=False,
        global_batch_size=4,
    )
    schedule = CommandLine().by_flags(args, arguments(args))
    assert (getattr(schedule, f"train_{unit}"), schedule.global_batch_size) == (run, 4)
    assert schedule.train_steps == schedule.lr_decay_steps == 400
    assert not [finding for finding in schedule.findings() if finding.severity != "note"]


def test_options_of_a_flag_are_added_to_the_files_style(file):
    schedule = both(file, f"{WHOLE}lr_decay_style: rex\n", lr_decay_style_options="{beta: 0.8}")
    assert schedule.lr_style.model_dump() == {"style": "rex", "beta": 0.8}


def test_what_both_say_in_other_words_is_the_same(file):
    text = "max_lr: 1e-3\nlr_warmup_steps: 10%\nlr_decay_style: {style: wsd, wsd_decay_steps: 40}\ntrain_samples: 400\n"
    said = {"lr_warmup_samples": 40, "lr_decay_style": "WSD", "train_iters": 100, "global_batch_size": 4}
    schedule = both(file, text, **said, lr=0.001, lr_wsd_decay_iters=10, weight_decay=0.1)
    assert (schedule.lr_warmup_steps, schedule.train_steps, schedule.start_wd) == (40, 400, 0.1)


def test_megatrons_own_weight_decay_counts_where_nobody_says_one(file):
    schedule = both(file, "max_lr: 1e-3\ntrain_samples: 400\n")
    assert (schedule.start_wd, schedule.end_wd) == (0.01, 0.01)


def test_what_they_say_differently_is_refused_with_all_of_it(file):
    text = f"{WHOLE}lr_decay_style: {{style: rex, beta: 0.5}}\nglobal_batch_size: 4\n"
    said = {"lr": 2e-3, "lr_decay_style_options": "{beta: 0.8}", "train_iters": 99, "lr_warmup_samples": 40}
    assert told(file, text, **said, weight_decay=0.1, start_weight_decay=0.2) == (
        "run.yaml has 4 problems:\n"
        "  line 1, max_lr = 0.001: --lr 0.002 on the command line gives 0.002; leave one of the two out\n"
        "  line 3, train_samples = 400: --train-iters 99 on the command line gives 396; leave one of the two out\n"
        "  line 4, start_wd = 0.1: --start-weight-decay 0.2 on the command line gives 0.2; leave one of the two out\n"
        "  line 5, lr_decay_style = rex(beta=0.5): --lr-decay-style-options {beta: 0.8} on the command line gives "
        "rex(beta=0.8); leave one of the two out"
    )


def test_another_style_is_one_thing_that_differs(file):
    assert told(file, f"{WHOLE}lr_decay_style: {{style: rex, beta: 0.5}}\n", lr_decay_style="cosine") == (
        "run.yaml: line 5, lr_decay_style = rex(beta=0.5): --lr-decay-style cosine on the command line gives cosine; "
        "leave one of the two out"
    )


def test_a_value_that_only_a_flag_says_is_blamed_on_the_flag(file):
    assert told(file, "train_samples: 400\nlr_warmup_steps: x\n", lr=-1.0) == (
        "run.yaml has 2 problems:\n"
        "  --lr -1.0: must be above 0\n"
        "  line 2, lr_warmup_steps = 'x': is not a length such as 2000, 500M, 2000 iters or 10%"
    )


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (
            {"lr_decay_style_options": "0.8"},
            "the flags: --lr-decay-style-options = 0.8: must be a table of options, such as '{beta: 0.5}'; the style's "
            "name is given by the other flag",
        ),
        (
            {"lr_decay_style_options": "{style: rex}"},
            "the flags: --lr-decay-style-options = {style: rex}: must be a table of options, such as '{beta: 0.5}'; "
            "the style's name is given by the other flag",
        ),
        (
            {"lr_wsd_decay_style_options": "{power: 2}"},
            "the flags: --lr-wsd-decay-style-options: needs --lr-wsd-decay-style beside it",
        ),
    ],
)
def test_options_must_be_a_table(file, said, text):
    assert told(file, WHOLE, **said) == text


def test_options_that_are_no_yaml_are_reported(file):
    told_of = told(file, WHOLE, lr_decay_style_options="{beta: ")
    assert told_of.startswith("the flags: --lr-decay-style-options = {beta: : must be a table of options")


class TestAContinuedSchedule:
    """Megatron's ``--train-samples`` counts from the first step of all, a continued schedule's own from its start."""

    text = "max_lr: 1e-3\nstart_step: 400\ntrain_samples: 100\n"

    def test_the_run_ends_where_the_schedule_does(self, file):
        schedule = both(file, self.text, train_samples=500)
        args = Namespace()
        fill(args, schedule, {"train_samples"})
        assert args.lr_decay_samples == 100
        args = Namespace()
        fill(args, schedule, ())
        assert args.train_samples == 500

    def test_another_end_is_refused(self, file):
        assert told(file, self.text, train_samples=100) == (
            "run.yaml: line 2, start_step = 400: and its run end at step 500, and --train-samples 100 on the command "
            "line gives 100"
        )

    def test_any_end_will_do_where_the_file_says_none(self, file):
        schedule = both(file, "max_lr: 1e-3\nstart_step: 400\nlr_decay_steps: 100\n", train_samples=900)
        assert (schedule.start_step, schedule.lr_decay_steps, schedule.train_steps) == (400, 100, None)


RUNS = [
    ({"train_tokens": "500B", "seq_length": 4096}, {"train_samples": 122070312}),
    ({"train_tokens": "500B", "seq_length": 4096}, {"train_samples": 122070313}),
    ({"train_tokens": "500B", "seq_length": 4096}, {"train_iters": 119209, "global_batch_size": 1024}),
    ({"train_samples": 402}, {"train_iters": 100, "global_batch_size": 4}),
    ({"train_samples": 402}, {"train_iters": 101, "global_batch_size": 4}),
]


@pytest.mark.parametrize(("keys", "said"), RUNS)
def test_a_run_that_is_less_than_one_of_the_flags_units_away_is_the_same(file, keys, said):
    text = "".join(f"{key}: {value}\n" for key, value in keys.items())
    schedule = both(file, f"max_lr: 1e-3\n{text}", **said)
    args = Namespace(**{"train_samples": None, **said})
    fill(args, schedule, said)
    unit = "iters" if "train_iters" in said else "samples"
    assert rounding(args, schedule).endswith(f"{unit}, and Megatron trains whole ones: {said[f'train_{unit}']}")


DOUBLES = [
    ({"lr_warmup_iters": 50, "lr_warmup_fraction": 0.01}, "--lr-warmup-iters 50", "--lr-warmup-fraction 0.01"),
    ({"lr_warmup_samples": 50, "lr_warmup_fraction": 0.01}, "--lr-warmup-samples 50", "--lr-warmup-fraction 0.01"),
    ({"lr_warmup_samples": 50, "lr_warmup_iters": 5}, "--lr-warmup-iters 5", "--lr-warmup-samples 50"),
    ({"lr_decay_samples": 50, "lr_decay_iters": 5}, "--lr-decay-iters 5", "--lr-decay-samples 50"),
    ({"lr_wsd_decay_samples": 9, "lr_wsd_decay_iters": 5}, "--lr-wsd-decay-iters 5", "--lr-wsd-decay-samples 9"),
    ({"train_samples": 50, "train_iters": 5}, "--train-iters 5", "--train-samples 50"),
]


@pytest.mark.parametrize(("said", "one", "other"), DOUBLES)
def test_two_flags_for_one_length_are_refused_by_name(said, one, other):
    with pytest.raises(ConfigError) as caught:
        once(said)
    assert str(caught.value) == f"the flags: {one}: sets the same length as {other}; leave all but one out"


@pytest.mark.parametrize("zero", ["lr_warmup_iters", "lr_warmup_samples"])
def test_a_warmup_of_0_beside_another_is_megatrons_default(zero):
    assert once({zero: 0, "lr_warmup_fraction": 0.01, "lr": 1e-3}) == {"lr_warmup_fraction": 0.01, "lr": 1e-3}
    assert once({zero: 0}) == {zero: 0}


def test_two_warmups_of_0_are_one():
    assert once({"lr_warmup_iters": 0, "lr_warmup_samples": 0}) == {"lr_warmup_iters": 0}


def test_a_fraction_of_0_is_none_that_megatron_takes_beside_another():
    with pytest.raises(ConfigError, match="--lr-warmup-iters 50: sets the same length as --lr-warmup-fraction 0"):
        once({"lr_warmup_iters": 50, "lr_warmup_fraction": 0})


class TestSpelling:
    """Megatron takes lengths all in iterations or all in samples; which of the two the flags decide."""

    samples = "max_lr: 1e-3\ntrain_samples: 64\nlr_warmup_steps: 16\n"
    iters = "max_lr: 1e-3\ntrain_iters: 16\nlr_warmup_steps: 4 iters\n"

    def filled(self, file: Path, text: str, **said: Any) -> dict[str, Any]:
        args = Namespace(**said)
        fill(args, both(file, text, **said, global_batch_size=4), said)
        names = [name for arguments in LENGTHS.values() for name in arguments]
        return {name: value for name, value in vars(args).items() if name in names and value}

    @pytest.mark.parametrize("said", [{"train_iters": 16}, {"lr_warmup_iters": 4}, {"lr_decay_iters": 16}])
    @pytest.mark.parametrize("text", [samples, iters])
    def test_iterations_where_a_flag_has_them(self, file, text, said):
        assert self.filled(file, text, **said) == {"train_iters": 16, "lr_warmup_iters": 4, "lr_decay_iters": 16}

    @pytest.mark.parametrize("said", [{"train_samples": 64}, {"lr_warmup_samples": 16}, {"lr_decay_samples": 64}])
    @pytest.mark.parametrize("text", [samples, iters])
    def test_samples_where_a_flag_has_them(self, file, text, said):
        assert self.filled(file, text, **said) == {
            "train_samples": 64,
            "lr_warmup_samples": 16,
            "lr_decay_samples": 64,
        }

    def test_of_several_flags_that_of_the_run_decides(self, file):
        filled = self.filled(file, "max_lr: 1e-3\n", train_samples=64, lr_warmup_iters=4)
        assert filled == {"train_samples": 64, "lr_warmup_samples": 16, "lr_decay_samples": 64}

    def test_a_fraction_stays_a_fraction(self, file):
        filled = self.filled(file, "max_lr: 1e-3\ntrain_samples: 64\n", lr_warmup_fraction=0.25)
        assert filled == {"train_samples": 64, "lr_warmup_fraction": 0.25, "lr_decay_samples": 64}

    def test_samples_beside_a_ramp_where_megatron_takes_no_iterations(self, file):
        ramp = "rampup_batch_size: [2, 2, 8]\n"
        filled = self.filled(file, f"{self.samples.replace('16', '12')}{ramp}", lr_warmup_iters=5)
        assert filled == {"train_samples": 64, "lr_warmup_samples": 12, "lr_decay_samples": 64}

    def test_a_cooldown_is_converted_where_it_lies(self, file):
        text = "max_lr: 1e-3\ntrain_samples: 64\nlr_decay_style: {style: WSD, wsd_decay_steps: 20}\n"
        assert self.filled(file, text, train_iters=16)["lr_wsd_decay_iters"] == 5


class TestDecreasedBatches:
    """Megatron may decrease batches to what the ranks divide, and iterations are then other samples."""

    flags = {"global_batch_size": 8, "rampup_batch_size": ["3", "5", "16"], "decrease_batch_size_if_needed": True}
    text = "max_lr: 1e-3\ntrain_samples: 400\nlr_warmup_steps: 4 iters\n"

    def test_iterations_are_counted_with_them(self, file):
        plain = both(file, self.text, **{**self.flags, "decrease_batch_size_if_needed": False}, micro_batch_size=1)
        decreased = both(file, f"{self.text}data_parallel_size: 2\n", **self.flags, micro_batch_size=1)
        assert (plain.lr_warmup_steps, decreased.lr_warmup_steps) == (12, 8)

    def test_without_the_ranks_they_cannot_be_counted_and_that_is_reported(self, file):
        assert told(file, self.text, **self.flags, micro_batch_size=1).startswith(
            "run.yaml: --decrease-batch-size-if-needed True: needs micro_batch_size and data_parallel_size"
        )


class TestFilling:
    def test_lengths_are_in_iterations_where_the_run_is(self, file):
        schedule = both(file, "max_lr: 1e-3\ntrain_iters: 100\nglobal_batch_size: 4\nlr_warmup_steps: 10\n")
        args = Namespace(lr=0.5)
        fill(args, schedule, {"lr"})
        assert vars(args) == {
            "lr": 0.5,
            "min_lr": 0.0,
            "lr_warmup_init": 0.0,
            "lr_decay_style": "linear",
            "lr_decay_iters": 100,
            "lr_warmup_iters": 2.5,
            "train_iters": 100,
            "weight_decay_incr_style": "constant",
            "weight_decay": 0.01,
        }

    def test_a_cooldown_a_policy_and_a_weight_decay_that_changes(self, file):
        schedule = both(
            file,
            "max_lr: 1e-3\ntrain_samples: 400\nlr_decay_style: WSD\nwsd_decay_steps: 40\nlr_wsd_decay_style: cosine\n"
            "start_wd: 0.2\nend_wd: 0.1\nwd_incr_style: linear\nresume: override\ninit_lr: 1e-5\n",
        )
        args = Namespace()
        fill(args, schedule, ())
        assert vars(args) == {
            "lr": 1e-3,
            "min_lr": 0.0,
            "lr_warmup_init": 1e-5,
            "lr_decay_style": "WSD",
            "lr_wsd_decay_style": "cosine",
            "lr_decay_samples": 400,
            "lr_warmup_samples": 0,
            "lr_wsd_decay_samples": 40,
            "train_samples": 400,
            "weight_decay_incr_style": "linear",
            "weight_decay": 0.2,
            "start_weight_decay": 0.2,
            "end_weight_decay": 0.1,
            "override_opt_param_scheduler": True,
        }

    def test_the_checkpoints_policy(self, file):
        args = Namespace()
        fill(args, both(file, f"{WHOLE}resume: checkpoint\n"), ())
        assert args.use_checkpoint_opt_param_scheduler

    @pytest.mark.parametrize(
        ("budget", "seq_length", "samples"),
        [
            ("500B", 4096, 122070312),
            ("1T", 8192, 122070312),
            ("15T", 8192, 1831054688),
            ("25T", 8192, 3051757812),
            ("1000", 32, 31),
        ],
    )
    def test_a_budget_of_tokens_is_rounded_to_whole_samples(self, file, budget, seq_length, samples):
        schedule = both(file, f"max_lr: 1e-3\ntrain_tokens: {budget}\n", seq_length=seq_length)
        args = Namespace()
        fill(args, schedule, ())
        assert args.train_samples == samples
        assert schedule.train_steps not in (samples, int(schedule.train_steps))
        assert rounding(args, schedule) == (
            f"the run is {schedule.train_steps} samples, and Megatron trains whole ones: {samples}"
        )

    def test_iterations_are_those_that_the_whole_samples_fill(self, file):
        schedule = both(file, "max_lr: 1e-3\ntrain_samples: 43\n", lr_warmup_iters=2, global_batch_size=4)
        args = Namespace(train_samples=None)
        fill(args, schedule, {"lr_warmup_iters"})
        assert args.train_iters == 10
        assert rounding(args, schedule) == "the run is 10.75 iters, and Megatron trains whole ones: 10"

    def test_a_run_of_whole_samples_needs_no_rounding(self, file):
        args = Namespace()
        schedule = both(file, WHOLE)
        fill(args, schedule, ())
        assert rounding(args, schedule) == ""

    def test_a_run_of_less_than_an_iteration_is_refused(self, file):
        schedule = both(file, "max_lr: 1e-3\ntrain_samples: 3\n", lr_warmup_iters=0, global_batch_size=4)
        with pytest.raises(
            ConfigError, match="train_samples = 3: is less than one iteration, and Megatron trains whole ones"
        ):
            fill(Namespace(), schedule, {"lr_warmup_iters"})

    def test_other_batches_than_megatrons_are_refused(self, file):
        schedule = both(file, f"{WHOLE}global_batch_size: 8\nseq_length: 32\nrampup_batch_size: [2, 2, 100]\n")
        args = Namespace(global_batch_size=8, seq_length=32, rampup_batch_size=["2", "2", "100"])
        refuse_other_batches(args, schedule, takes_ramps=True)
        other = Namespace(global_batch_size=4, seq_length=32, rampup_batch_size=None)
        with pytest.raises(ConfigError) as caught:
            refuse_other_batches(other, schedule, takes_ramps=True)
        assert str(caught.value).replace(str(file), "run.yaml") == (
            "run.yaml has 2 problems:\n"
            "  line 5, global_batch_size = 8: Megatron runs with 4; make both the same, pass --global-batch-size to "
            "Megatron\n"
            "  line 7, rampup_batch_size = (2, 2, 100): Megatron runs with None; make both the same, "
            "pass --rampup-batch-size to Megatron"
        )
