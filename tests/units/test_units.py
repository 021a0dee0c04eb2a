"""Iterations, samples, tokens and epochs: what each length is in the scheduler's own steps."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import schedframe
from schedframe import ConfigError, OptimizerParamScheduler, Schedule, StateError
from schedframe._cli.app import app
from schedframe._units.batches import BatchSizes, constant, ramped, stepped
from schedframe._units.units import Units

from ..runs import Optimizer

RAMP = ramped(8, 8, 160, 32)
BASE: dict[str, Any] = {"max_lr": 1.0, "global_batch_size": 10, "seq_length": 4, "dataset_samples": 50}


def optimizer() -> Any:
    return Optimizer()


class TestBatchSizes:
    def test_a_ramp_by_hand(self) -> None:
        """Three increments over 160 samples: 8 up to 53.3 samples, 16 up to 106.7, 24 up to 160, then 32."""
        assert BatchSizes(((0, 0, 8), (7, 56, 16), (11, 120, 24), (13, 168, 32))) == RAMP

    def test_a_step_schedule_by_hand(self) -> None:
        assert stepped("0:8 100:16 1K:32", 4) == BatchSizes(((0, 0, 8), (4, 32, 16), (18, 256, 32)))

    def test_a_step_that_lies_within_one_batch_is_never_seen(self) -> None:
        assert stepped("0:100 10:7 20:5", 1) == BatchSizes(((0, 0, 100), (1, 100, 5)))

    def test_a_part_of_an_iteration_is_a_part_of_its_batch(self) -> None:
        assert Fraction(*RAMP.samples_at((15, 2))) == 64
        assert Fraction(*RAMP.iters_at((64, 1))) == Fraction(15, 2)

    @given(st.fractions(0, 10_000))
    def test_there_and_back_is_the_same(self, position: Fraction) -> None:
        ratio = position.as_integer_ratio()
        assert Fraction(*RAMP.samples_at(RAMP.iters_at(ratio))) == position
        assert Fraction(*RAMP.iters_at(RAMP.samples_at(ratio))) == position

    def test_a_batch_that_is_decreased_to_nothing_is_refused(self) -> None:
        with pytest.raises(ValueError, match="is 8 after 0 samples, which is not a multiple of micro_batch_size"):
            constant(8, 16)


class TestUnits:
    @pytest.mark.parametrize("clock", ["samples", "iters", "tokens"])
    @pytest.mark.parametrize("unit", ["samples", "iters", "tokens", "epochs"])
    @given(position=st.fractions(0, 10_000))
    def test_every_unit_goes_to_every_clock_and_back(self, position: Fraction, unit: str, clock: Any) -> None:
        units = Units(clock, RAMP, 4096, 1000)
        assert units.converted(units.converted(position, unit, clock), clock, unit) == position

    @pytest.mark.parametrize("unit", ["samples", "iters", "tokens", "epochs"])
    @given(position=st.integers(0, 10_000) | st.floats(0, 1e6))
    def test_a_converter_gives_the_exact_position_as_a_plain_number(self, position: float, unit: str) -> None:
        units = Units("samples", RAMP, 4096, 1000)
        exact = units.converted(Fraction(position), "samples", unit)
        assert units.converter("samples", unit)(position) == float(exact)

    def test_a_converter_gives_whole_positions_as_int(self) -> None:
        assert type(Units("tokens", None, 4).converter("tokens", "samples")(20.0)) is int

    def test_only_what_can_be_converted_is_known(self) -> None:
        assert Units().known() == ["samples"]
        assert Units("tokens", None, 4096).known() == ["tokens", "samples"]
        assert Units("iters", constant(8), None, 100).known() == ["iters", "samples", "epochs"]

    @pytest.mark.parametrize(
        ("clock", "unit", "missing"),
        [
            ("samples", "iters", "global_batch_size"),
            ("samples", "tokens", "seq_length"),
            ("samples", "epochs", "dataset_samples"),
            ("iters", "samples", "global_batch_size"),
            ("tokens", "samples", "seq_length"),
        ],
    )
    def test_what_is_missing_is_named(self, clock: Any, unit: str, missing: str) -> None:
        with pytest.raises(ValueError, match=f"is in {unit}, the clock counts {clock}, and {missing} is missing"):
            Units(clock).converted(Fraction(1), unit, clock)


class TestLengths:
    @pytest.mark.parametrize(
        ("clock", "written", "steps"),
        [
            ("samples", "20 iters", 200),
            ("samples", "150 samples", 150),
            ("samples", "600 tokens", 150),
            ("samples", "601 tokens", 150.25),
            ("samples", "2 epochs", 100),
            ("samples", "10% of run", 100),
            ("samples", "10%", 80),
            ("samples", "150", 150),
            ("iters", "20 iters", 20),
            ("iters", "155 samples", 15.5),
            ("iters", "600 tokens", 15),
            ("iters", "0.5 epochs", 2.5),
            ("iters", 15, 15),
            ("tokens", "20 iters", 800),
            ("tokens", "150 samples", 600),
            ("tokens", "1K tokens", 1000),
            ("tokens", "2 epochs", 400),
        ],
    )
    def test_is_in_the_clocks_steps(self, clock: str, written: str, steps: float) -> None:
        schedule = Schedule(
            **BASE, clock=clock, train_samples=1000, lr_decay_steps="800 samples", lr_warmup_steps=written
        )
        assert schedule.lr_warmup_steps == steps
        assert type(schedule.lr_warmup_steps) is type(steps)

    def test_each_key_takes_them(self) -> None:
        schedule = Schedule(
            **BASE,
            train_tokens="4K",
            lr_decay_steps="90% of run",
            lr_warmup_steps="5 iters",
            lr_decay_style={"style": "WSD", "wsd_decay_steps": "1 epoch"},
            start_wd=0.1,
            end_wd=0.2,
            wd_incr_steps="2K tokens",
            wd_incr_style="linear",
        )
        assert (schedule.train_steps, schedule.lr_decay_steps, schedule.lr_warmup_steps) == (1000, 900, 50)
        assert schedule.lr_style.wsd_decay_steps == 50
        assert schedule.wd_incr_steps == 500

    @pytest.mark.parametrize(
        ("key", "steps"), [("train_samples", 1000), ("train_iters", 10_000), ("train_tokens", 250)]
    )
    def test_the_run_is_given_in_one_unit(self, key: str, steps: float) -> None:
        schedule = Schedule(**BASE, **{key: 1000})
        assert (schedule.train_steps, schedule.lr_decay_steps, schedule.wd_incr_steps) == (steps,) * 3
        assert getattr(schedule, key) == 1000

    def test_the_run_may_be_in_epochs(self) -> None:
        assert Schedule(**BASE, train_samples="3 epochs").lr_decay_steps == 150
        assert Schedule(**BASE, train_iters="3 epochs").train_iters == 15

    def test_the_clocks_own_run_needs_no_key(self) -> None:
        for clock in ("samples", "iters", "tokens"):
            schedule = Schedule(max_lr=1.0, clock=clock, **{f"train_{clock}": "1K"})
            assert (schedule.lr_decay_steps, schedule.landmarks()["run end"]) == (1000, 1000)

    def test_a_cooldown_in_iterations_ends_where_the_decay_does(self) -> None:
        run = {**BASE, "global_batch_size": 32, "rampup_batch_size": [8, 8, 160], "train_iters": 15}
        tail = {"style": "WSD", "wsd_decay_steps": "6 iters", "lr_wsd_decay_style": "linear"}
        schedule = Schedule(**run, lr_decay_style=tail)
        assert schedule.lr_decay_steps == 168 + 2 * 32
        assert schedule.landmarks()["cooldown start"] == 88
        longer = {**tail, "wsd_decay_steps": "16 iters"}
        with pytest.raises(ConfigError, match=r"= '16 iters': is longer than the 232 steps"):
            Schedule(**run, lr_decay_style=longer)

    def test_lengths_count_from_start_step(self) -> None:
        run = {**BASE, "global_batch_size": 32, "rampup_batch_size": [8, 8, 160]}
        schedule = Schedule(**run, start_step="11 iters", train_iters=4, lr_warmup_steps="2 iters")
        assert (schedule.start_step, schedule.lr_warmup_steps, schedule.lr_decay_steps) == (120, 48, 48 + 64)
        assert schedule.landmarks()["run end"] == RAMP.samples_at((15, 1))[0]

    def test_positions_are_reported_in_every_unit(self) -> None:
        schedule = Schedule(**BASE, train_samples=1000)
        assert schedule.units_at(100) == {"samples": 100, "iters": 10, "tokens": 400, "epochs": 2}
        assert schedule.step_at("10 iters") == schedule.step_at("400 tokens") == schedule.step_at(100) == 100
        with pytest.raises(ValueError, match="is a percentage"):
            schedule.step_at("10%")


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no batch size": (
        {"global_batch_size": None, "lr_warmup_steps": "5 iters"},
        "lr_warmup_steps = '5 iters': is in iters, the clock counts samples, and global_batch_size is missing or wrong",
    ),
    "no sequence length": (
        {"seq_length": None, "lr_warmup_steps": "5M tokens"},
        "lr_warmup_steps = '5M tokens': is in tokens, the clock counts samples, and seq_length is missing or wrong",
    ),
    "a wrong sequence length": (
        {"seq_length": 4.5, "lr_warmup_steps": "5 tokens"},
        "seq_length = 4.5: must be a whole number above 0\n"
        "  lr_warmup_steps = '5 tokens': is in tokens, the clock counts samples, and seq_length is missing or wrong",
    ),
    "two runs": ({"train_iters": 5}, "train_iters = 5: is a second length of the run; remove one of the two"),
    "two runs, one of them in tokens": (
        {"train_tokens": 5},
        "train_tokens = 5: is a second length of the run; remove one of the two",
    ),
    "a unit that is none": (
        {"lr_warmup_steps": "5 steps"},
        "lr_warmup_steps = '5 steps': is not a length: there is no unit 'steps', only iters",
    ),
    "a clock that is none": (
        {"clock": "token"},
        "clock = 'token': is not a clock; did you mean 'tokens'? the clocks are samples",
    ),
    "a percentage of a run that is not said": (
        {"train_samples": None, "lr_decay_steps": 100, "lr_warmup_steps": "5% of run"},
        "lr_warmup_steps = '5% of run': is a percentage of the run, whose length (train_samples, train_iters, "
        "train_tokens) is missing or wrong",
    ),
    "a percentage as start": ({"start_step": "5%"}, "start_step = '5%': is a percentage, where only a length of its"),
    "a ramp without an end": (
        {"rampup_batch_size": [8, 8, 160], "global_batch_size": None},
        "rampup_batch_size = [8, 8, 160]: needs global_batch_size, at which the ramp ends",
    ),
    "a ramp that falls": (
        {"rampup_batch_size": [16, 8, 160]},
        "rampup_batch_size = [16, 8, 160]: must rise to global_batch_size (10) in whole increments of 8, from 16",
    ),
    "a ramp that misses": (
        {"rampup_batch_size": [1, 8, 160]},
        "rampup_batch_size = [1, 8, 160]: must rise to global_batch_size (10) in whole increments of 8, from 1",
    ),
    "a ramp of two": (
        {"rampup_batch_size": [1, 9]},
        "rampup_batch_size = [1, 9]: must be a list of three: the first batch size, the increment, and the samples",
    ),
    "a ramp of words": (
        {"rampup_batch_size": [1, "x", 3]},
        "rampup_batch_size = [1, 'x', 3]: is not a whole number such as 4096 or 20M",
    ),
    "an endless ramp": (
        {"rampup_batch_size": [1, 1, 160], "global_batch_size": 10**9},
        "rampup_batch_size = [1, 1, 160]: has 999999999 increments, but at most 100000 are allowed",
    ),
    "a decrease without sizes": (
        {"decrease_batch_size_if_needed": True},
        "decrease_batch_size_if_needed = True: needs micro_batch_size and data_parallel_size",
    ),
    "a decrease to nothing": (
        {"decrease_batch_size_if_needed": True, "micro_batch_size": 4, "data_parallel_size": 4},
        "decrease_batch_size_if_needed = True: is 10 after 0 samples, which is not a multiple of micro_batch_size",
    ),
    "a decrease that is a word": (
        {"decrease_batch_size_if_needed": "yes"},
        "decrease_batch_size_if_needed = 'yes': must be true or false",
    ),
    "two kinds of sizes": (
        {"step_batch_size_schedule": "0:8"},
        "step_batch_size_schedule = '0:8': sets the batch sizes, and so does global_batch_size",
    ),
    "steps without tokens": (
        {"step_batch_size_schedule": "0:8", "global_batch_size": None, "seq_length": None},
        "step_batch_size_schedule = '0:8': needs seq_length, because its thresholds are tokens",
    ),
    "steps that fall": (
        {"step_batch_size_schedule": "0:8 9:16 9:4", "global_batch_size": None},
        "step_batch_size_schedule = '0:8 9:16 9:4': must have thresholds that rise, by at least one sample",
    ),
    "steps that begin late": (
        {"step_batch_size_schedule": "8:8", "global_batch_size": None},
        "step_batch_size_schedule = '8:8': must begin with the threshold 0, such as '0:768 250B:1536'",
    ),
    "steps that are none": (
        {"step_batch_size_schedule": "0:8 5", "global_batch_size": None},
        "step_batch_size_schedule = '0:8 5': has '5', which is not a THRESHOLD:SIZE such as 250B:1536",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_converted_is_refused_with_a_readable_message(name: str) -> None:
    changes, text = BAD[name]
    with pytest.raises(ConfigError) as caught:
        Schedule(**{**BASE, "train_samples": 1000, **changes})
    assert text in str(caught.value)


def test_a_wrong_key_of_units_is_reported_once_for_each_key_that_needs_it() -> None:
    with pytest.raises(ConfigError) as caught:
        Schedule(max_lr=1.0, global_batch_size=0, train_iters=5, lr_warmup_steps="1 iter")
    assert [problem.path for problem in caught.value.problems] == [
        "global_batch_size",
        "lr_warmup_steps",
        "train_iters",
    ]


class TestClock:
    def test_a_curve_by_tokens_does_not_see_the_batch_size(self) -> None:
        """Twice the batch size from step 500 on: the curve is the same as a function of tokens."""
        schedule = Schedule(
            max_lr=1.0, clock="tokens", train_tokens="2M", lr_warmup_steps="100K", lr_decay_style="cosine"
        )
        by_tokens: list[dict[int, float]] = []
        for after in (1024, 2048):
            scheduler, lrs = schedule.build(optimizer()), {}
            while scheduler.num_steps < 2_000_000:
                scheduler.step(1024 if scheduler.num_steps < 500 * 1024 else after)
                lrs[scheduler.num_steps] = scheduler.optimizer.param_groups[0]["lr"]
            by_tokens.append(lrs)
        small, large = by_tokens
        assert len(large) < len(small)
        assert {tokens: small[tokens] for tokens in large if tokens in small} == {
            tokens: lr for tokens, lr in large.items() if tokens in small
        }
        assert set(list(large)[:-1]) <= set(small)

    def test_it_is_saved_and_compared(self) -> None:
        run = {"max_lr": 1.0, "lr_decay_steps": 100}
        tokens = Schedule(**run, clock="tokens").build(optimizer())
        tokens.step(50)
        state = tokens.state_dict()
        assert json.loads(state["schedframe"])["clock"] == "tokens"
        again = Schedule(**run, clock="tokens").build(optimizer())
        again.load_state_dict(state)
        assert (again.num_steps, again.clock) == (50, "tokens")
        for policy in ("strict", "checkpoint", "override"):
            samples = Schedule(**run, resume=policy).build(optimizer())
            with pytest.raises(StateError, match="the checkpoint counts tokens, this run counts samples, so step 50"):
                samples.load_state_dict(state)
            assert samples.num_steps == 0

    def test_a_state_without_one_counts_samples(self) -> None:
        state = Schedule(max_lr=1.0, lr_decay_steps=100).build(optimizer()).state_dict()
        del state["schedframe"]
        with pytest.raises(StateError, match="counts samples, this run counts iters"):
            Schedule(max_lr=1.0, lr_decay_steps=100, clock="iters").build(optimizer()).load_state_dict(state)

    def test_it_counts_in_the_fingerprint(self) -> None:
        prints = {Schedule(max_lr=1.0, lr_decay_steps=100, clock=c).fingerprint for c in ("samples", "iters", "tokens")}
        assert len(prints) == 3

    def test_units_do_not_count_in_the_fingerprint(self) -> None:
        assert Schedule(**BASE, train_iters=10).fingerprint == Schedule(max_lr=1.0, lr_decay_steps=100).fingerprint

    def test_the_constructor_checks_it(self) -> None:
        run = {"init_lr": 0.0, "max_lr": 1.0, "min_lr": 0.0, "lr_warmup_steps": 0, "lr_decay_steps": 9}
        run |= {"lr_decay_style": "linear", "start_wd": 0.1, "end_wd": 0.1, "wd_incr_steps": 9}
        with pytest.raises(ConfigError, match="clock = 'iter': is not a clock; did you mean 'iters'"):
            OptimizerParamScheduler(optimizer(), **run, wd_incr_style="constant", clock="iter")


RUN = """\
train_iters: 100
global_batch_size: 16
rampup_batch_size: [8, 8, 160]
seq_length: 4
max_lr: 1.0
lr_warmup_steps: 10 iters
lr_decay_style: {style: WSD, wsd_decay_steps: 20 iters, lr_wsd_decay_style: linear}
"""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    file = tmp_path / "run.yaml"
    file.write_text(RUN)
    return file


def preview(*words: object) -> str:
    result = CliRunner().invoke(app, ["preview", *map(str, words)], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return result.stdout


class TestFiles:
    def test_preview_shows_every_unit(self, run: Path) -> None:
        points = json.loads(preview(run, "--format", "json", "--at", "50 iters", "--at", "4K tokens"))["points"]
        shown = {point["label"]: (point["step"], point["iters"], point["tokens"], point["lr"]) for point in points}
        assert shown["warmup end"] == (80, 10, 320, 1.0)
        assert shown["at 50 iters"] == (640, 50, 2560, 1.0)
        assert shown["at 4K tokens"] == (1000, 72.5, 4000, 1.0)
        assert shown["cooldown start"] == (1120, 80, 4480, 1.0)
        assert shown["decay end, run end"] == (1440, 100, 5760, 0.0)
        assert preview(run, "--format", "csv").startswith("step,label,iters,tokens,lr\n0,start,0,0,0.0\n80,")
        assert "iters  tokens" in preview(run, "--no-chart")

    def test_a_branch_says_lengths_in_units(self, run: Path) -> None:
        made = schedframe.branch(
            schedframe.load(run), "50 iters", wsd_decay_steps="20 iters", lr_wsd_decay_style="linear"
        )
        made.write(run.with_name("branch.yaml"))
        child = schedframe.load(run.with_name("branch.yaml"))
        assert (child.start_step, child.train_iters, child.lr_decay_steps) == (640, 20, 320)
        assert (child.lr_at(640), child.lr_at(800), child.lr_at(960)) == (1.0, 0.5, 0.0)

    def test_extended_in_units(self, run: Path) -> None:
        made = schedframe.extend(schedframe.load(run), "50 iters", lr_decay_steps="200 iters")
        assert (made.schedule.train_iters, made.schedule.lr_decay_steps) == (200, 3040)
        assert made.schedule.landmarks()["cooldown start"] == 3040 - 320

    def test_rewarmed_in_units(self, run: Path) -> None:
        schedule = schedframe.load(run)
        made = schedframe.rewarm(schedule, "100 iters", lr_warmup_steps="5 iters", lr_decay_steps="50 iters")
        assert (made.schedule.start_step, made.schedule.lr_warmup_steps, made.schedule.train_iters) == (1440, 80, 50)
        assert made.schedule.lr_at(1440 + 80) == 1.0


STABLE = {"style": "phases", "phases": [{"style": "cosine", "length": 3000, "to": "50%"}, {"style": "constant"}]}
OPEN_ENDED: dict[str, Any] = {"max_lr": 1e-3, "lr_decay_steps": "open", "lr_warmup_steps": 1000}
NEEDS_AN_END = (
    "needs a known end, but lr_decay_steps is open; set it to a length, or use a style without an end, "
    "such as constant, or phases whose last one has no end, and branch from it"
)


class TestOpenEnd:
    """A run of which nobody knows yet where it ends."""

    @pytest.mark.parametrize(
        "style", ["constant", STABLE, {"style": "power-law", "timescale": 1000}, "inverse-square-root"]
    )
    def test_a_style_that_goes_on_needs_none(self, style: Any) -> None:
        schedule = Schedule(**OPEN_ENDED, lr_decay_style=style)
        known = Schedule(**{**OPEN_ENDED, "lr_decay_steps": "10B"}, lr_decay_style=style)
        for step in (0, 500, 1000, 2500, 4000, 10**6, 10**9):
            assert schedule.lr_at(step) == known.lr_at(step) > 0 or step == 0
        assert "decay end" not in schedule.landmarks()

    @pytest.mark.parametrize(
        "style",
        [
            "linear",
            "cosine",
            "geometric",
            {"style": "WSD", "wsd_decay_steps": 1000},
            {"style": "multi-step", "milestones": [0.5], "multipliers": [0.5]},
            {"style": "phases", "phases": [{"style": "constant"}, {"style": "linear", "length": 100}]},
            {"style": "phases", "phases": [{"style": "constant", "length": 100}, {"style": "linear"}]},
        ],
    )
    def test_a_style_that_ends_needs_one(self, style: Any) -> None:
        with pytest.raises(ConfigError) as caught:
            Schedule(**OPEN_ENDED, min_lr=1e-4, lr_decay_style=style)
        assert [problem.message for problem in caught.value.problems] == [NEEDS_AN_END]

    def test_percentages_of_it_are_none(self) -> None:
        with pytest.raises(ConfigError, match="'1%': is a percentage of lr_decay_steps, which is open"):
            Schedule(**{**OPEN_ENDED, "lr_warmup_steps": "1%"}, lr_decay_style="constant")

    def test_weight_decay_that_varies_needs_an_end_of_its_own(self) -> None:
        falling = {"start_wd": 0.1, "end_wd": 0.0, "wd_incr_style": "linear"}
        with pytest.raises(ConfigError, match="the schedule is open-ended; set wd_incr_steps to a length"):
            Schedule(**OPEN_ENDED, lr_decay_style="constant", **falling)
        schedule = Schedule(**OPEN_ENDED, lr_decay_style="constant", **falling, wd_incr_steps="1M")
        assert [schedule.wd_at(step) for step in (0, 500_000, 10**9)] == [0.1, 0.05, 0.0]
        assert (
            Schedule(**OPEN_ENDED, lr_decay_style="constant", start_wd=0.1, wd_incr_style="adamc").wd_at(10**9) == 0.1
        )

    def test_it_trains_resumes_and_is_annealed_on_request(self, tmp_path: Path) -> None:
        path = tmp_path / "run.yaml"
        path.write_text(
            "max_lr: 1e-3\nlr_decay_steps: open   # until told\nlr_warmup_steps: 1000\nlr_decay_style:\n"
            "  style: phases\n  phases:\n  - {style: cosine, length: 3000, to: 50%}\n"
            "  - {style: constant, name: stable}\n"
        )
        schedule = schedframe.load(path)
        first, second = schedule.build(optimizer()), schedule.build(optimizer())
        first.step(50_000)
        state = json.loads(json.dumps(first.state_dict()))
        second.load_state_dict(state)
        assert second.report() == {"default": {"lr": 5e-4, "wd": None, "phase": "stable", "progress": None}}
        annealed = schedframe.branch(schedule, state, wsd_decay_steps=1000, lr_wsd_decay_style="linear")
        annealed.write(tmp_path / "anneal.yaml")
        third = schedframe.load(tmp_path / "anneal.yaml").build(optimizer())
        third.load_state_dict(state)
        rates = []
        for _ in range(3):
            rates.append(third.optimizer.param_groups[0]["lr"])
            third.step(500)
        assert rates == [5e-4, 2.5e-4, 0.0]
        ended = schedframe.extend(schedule, state, lr_decay_steps="1M").schedule
        assert (ended.lr_at(50_000), ended.lr_decay_steps) == (5e-4, 1_000_000)

    def test_another_end_is_reported_with_a_readable_message(self) -> None:
        first = Schedule(**OPEN_ENDED, lr_decay_style=STABLE).build(optimizer())
        other = Schedule(**{**OPEN_ENDED, "lr_decay_steps": "1M"}, lr_decay_style=STABLE).build(optimizer())
        with pytest.raises(StateError, match=r"lr_decay_steps +open +1000000"):
            other.load_state_dict(first.state_dict())

    def test_preview_and_check_say_that_it_is_open(self, tmp_path: Path) -> None:
        path = tmp_path / "run.yaml"
        path.write_text("max_lr: 1e-3\nlr_decay_steps: open\nlr_decay_style: constant\n")
        assert "decay open" in preview(path, "--no-chart")
        points = json.loads(preview(path, "--format", "json"))["points"]
        assert [(point["step"], point["label"]) for point in points] == [(0, "start"), (1, "open")]
        path.write_text("max_lr: 1e-3\nlr_decay_steps: open\nlr_decay_style: constant\nlr_warmup_steps: 1K\n")
        points = json.loads(preview(path, "--format", "json"))["points"]
        assert [point["step"] for point in points] == [0, 1000, 2000]
