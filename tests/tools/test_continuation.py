"""Schedules that go on from another one, and the files that they are written to."""

import warnings
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import schedframe
from schedframe import ConfigError, OptimizerParamScheduler, SchedframeWarning, Schedule, StateError, load

RUN = """\
# the run
train_samples: 5000        # all of it
max_lr: 3e-4
min_lr: 10%                # of the peak
lr_warmup_steps: 2%
lr_decay_style:
  style: WSD
  wsd_decay_steps: 10%     # the cooldown
  lr_wsd_decay_style: cosine
start_wd: 0.1
# the end
"""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    path = tmp_path / "run.yaml"
    path.write_text(RUN)
    return path


def state_at(optimizer: Any, schedule: Schedule, step: int) -> dict[str, Any]:
    scheduler = schedule.build(optimizer())
    scheduler.step(step - scheduler.num_steps)
    return scheduler.state_dict()


def resumed(optimizer: Any, file: Path, state: dict[str, Any]) -> OptimizerParamScheduler:
    """A run that is started with `file` and loads `state`, strictly."""
    scheduler = load(file).build(optimizer())
    scheduler.load_state_dict(state)
    return scheduler


LARGE = """\
train_samples: 800M # all
max_lr: 3e-4
lr_warmup_steps: 2%
lr_decay_style: {style: WSD, wsd_decay_steps: 10%, lr_wsd_decay_style: minus_sqrt}
"""


class TestBranch:
    """A cooldown that starts now."""

    BRANCHES = {
        "200 minus_sqrt": ({"wsd_decay_steps": 200, "lr_wsd_decay_style": "minus_sqrt"}, 1200),
        "400 linear": ({"wsd_decay_steps": 400, "lr_wsd_decay_style": "linear"}, 1400),
        "stable, then 300": ({"wsd_decay_steps": 300, "stable_until": 2000}, 2300),
        "to nothing": ({"wsd_decay_steps": "1K", "min_lr": 0}, 2000),
        "to a third": ({"wsd_decay_steps": 100, "min_lr": "33.3%"}, 1100),
    }

    @pytest.mark.parametrize("name", BRANCHES)
    def test_starts_at_the_parents_learning_rate_and_ends_at_min_lr(self, optimizer, run: Path, name: str) -> None:
        changes, end = self.BRANCHES[name]
        state, before = state_at(optimizer, load(run), 1000), run.read_bytes()
        made = schedframe.branch(load(run), state, **changes)
        made.write(run.with_name("branch.yaml"))

        scheduler = resumed(optimizer, run.with_name("branch.yaml"), state)
        group = scheduler.optimizer.param_groups[0]
        assert group["lr"] == load(run).lr_at(1000) == made.lr_before == made.lr_after
        stable_until = changes.get("stable_until", 1000)
        history = []
        while scheduler.num_steps < end:
            scheduler.step(10)
            history.append((scheduler.num_steps, group["lr"]))
        assert all(lr == made.lr_before for step, lr in history if step <= stable_until)
        falling = [lr for step, lr in history if step > stable_until]
        assert all(later < earlier for earlier, later in pairwise(falling))
        assert falling[0] < made.lr_before
        assert group["lr"] == load(run.with_name("branch.yaml")).min_lr
        assert (group["weight_decay"], made.wd_before, made.wd_after) == (0.1, 0.1, 0.1)
        assert run.read_bytes() == before

    @pytest.mark.parametrize("peak", [3e-4, 1e-3, 0.1, 6.25e-5, 4.2e-4, 1 / 3])
    @pytest.mark.parametrize("floor", [0, 1e-6, "7%", "10%", "49%", "51%"])
    def test_is_continuous_to_the_last_bit_whatever_min_lr_is(self, peak: float, floor: Any) -> None:
        for old in (0.0, "10%", "3%", 1e-5):
            parent = Schedule(
                max_lr=peak, min_lr=old, lr_decay_steps=100, lr_decay_style={"style": "WSD", "wsd_decay_steps": 10}
            )
            made = schedframe.branch(parent, 50, wsd_decay_steps=10, min_lr=floor)
            assert made.lr_after == made.lr_before == parent.lr_at(50)
            assert made.schedule.lr_at(60) == made.schedule.min_lr

    def test_writes_what_changes_and_what_it_extends(self, run: Path) -> None:
        schedframe.branch(load(run), 1000, wsd_decay_steps=200).write(run.with_name("branch.yaml"))
        assert run.with_name("branch.yaml").read_text() == (
            "# schedframe branch of run.yaml at step 1000\n"
            "# learning rate 0.0003 before, 0.0003 after\n"
            "# weight decay 0.1 before, 0.1 after\n"
            "extends: run.yaml\n"
            "start_step: 1000\n"
            "lr_warmup_steps: 0\n"
            "train_samples: 200\n"
            "lr_decay_style: {style: WSD, wsd_decay_steps: 200, lr_wsd_decay_style: cosine}\n"
            f"parent: {{fingerprint: {load(run).fingerprint}, step: 1000}}\n"
        )
        assert run.read_text() == RUN

    def test_a_schedule_that_is_constant_is_stable_for_ever(self) -> None:
        parent = Schedule(max_lr=1.0, lr_decay_steps=10, lr_decay_style="constant")
        made = schedframe.branch(parent, "1M", wsd_decay_steps=100, lr_wsd_decay_style="linear")
        assert [made.schedule.lr_at(1_000_000 + step) for step in (0, 50, 100)] == [1.0, 0.5, 0.0]

    @pytest.mark.parametrize(
        ("at", "text"),
        [
            (50, "lr_warmup_steps = 100: step 50 lies in the warmup, not in a stable phase; branch from a later step"),
            (4600, "lr_decay_style = WSD: step 4600 does not lie in a stable phase: the learning rate is "),
            (6000, "step 6000 does not lie in a stable phase: the learning rate is 3e-05 there, and was 0.000277"),
            ("never", "start_step = 'never': is not a length such as"),
            (-3, "start_step = -3: must not be negative"),
        ],
    )
    def test_is_refused_outside_of_a_stable_phase(self, run: Path, at: Any, text: str) -> None:
        with pytest.raises(ConfigError) as caught:
            schedframe.branch(load(run), at, wsd_decay_steps=200)
        assert text in str(caught.value)

    @pytest.mark.parametrize(
        ("changes", "text"),
        [
            ({"wsd_decay_steps": "10%"}, "wsd_decay_steps = '10%': is a percentage, where only a length of its own"),
            ({"wsd_decay_steps": 0}, "train_samples = 0: must be above 0"),
            ({"wsd_decay_steps": 9, "min_lr": 1}, "must not be above max_lr"),
            ({"wsd_decay_steps": 9, "lr_wsd_decay_style": "linaer"}, "did you mean 'linear'?"),
            ({"wsd_decay_steps": 9, "stable_until": 999}, "stable_until = 999: lies before step 1000, where"),
            ({"wsd_decay_steps": 9, "end_wd": "x"}, "end_wd = 'x': is not a number"),
        ],
    )
    def test_is_refused_with_a_readable_message(self, run: Path, changes: dict[str, Any], text: str) -> None:
        with pytest.raises(ConfigError) as caught:
            schedframe.branch(load(run), 1000, **changes)
        assert text in str(caught.value)

    def test_is_refused_from_the_checkpoint_of_another_schedule(self, optimizer, run: Path) -> None:
        other = Schedule(max_lr=1.0, lr_decay_steps=100)
        with pytest.raises(StateError, match="the checkpoint's schedule is not this run's"):
            schedframe.branch(load(run), state_at(optimizer, other, 50), wsd_decay_steps=200)

    def test_goes_on_from_a_checkpoint_of_megatrons(self, optimizer, run: Path) -> None:
        state = state_at(optimizer, load(run), 1000)
        del state["schedframe"]
        with pytest.warns(SchedframeWarning, match="the checkpoint does not specify"):
            made = schedframe.branch(load(run), state, wsd_decay_steps=200)
        assert (made.step, made.lr_before, made.lr_after) == (1000, 3e-4, 3e-4)

    def test_of_a_branch_counts_from_the_start_of_the_run(self, optimizer, run: Path) -> None:
        first = schedframe.branch(load(run), 1000, wsd_decay_steps=200, stable_until=3000)
        first.write(run.with_name("first.yaml"))
        second = schedframe.branch(load(run.with_name("first.yaml")), 2000, wsd_decay_steps=100)
        assert (second.schedule.start_step, second.schedule.lr_decay_steps) == (2000, 100)
        assert second.schedule.parent.fingerprint == first.schedule.fingerprint
        assert second.lr_after == 3e-4

    def test_keeps_the_flat_keys_of_megatron(self, tmp_path: Path) -> None:
        path = tmp_path / "flat.toml"
        path.write_text('lr_decay_steps = 100\nmax_lr = 1.0\nlr_decay_style = "WSD"\nwsd_decay_steps = "10%"  # tail\n')
        made = schedframe.branch(load(path), 50, wsd_decay_steps=5, lr_wsd_decay_style="linear")
        made.write(tmp_path / "branch.toml")
        assert load(tmp_path / "branch.toml") == made.schedule
        assert 'wsd_decay_steps = 5\nlr_wsd_decay_style = "linear"\n' in (tmp_path / "branch.toml").read_text()


class TestWeightDecay:
    """Weight decay continues from its value at the branch point; `end_wd` is needed where it still changes."""

    def parent(self, **changes: Any) -> Schedule:
        keys = {"max_lr": 1.0, "lr_decay_steps": 1000, "lr_decay_style": "constant", "start_wd": 0.1, "end_wd": 0.3}
        return Schedule(**{**keys, "wd_incr_style": "cosine", "wd_incr_steps": 800, **changes})

    def test_that_is_still_moving_needs_an_end(self) -> None:
        with pytest.raises(ConfigError) as caught:
            schedframe.branch(self.parent(), 400, wsd_decay_steps=100)
        text = "weight decay still changes at step 400: it is 0.2 there and ends at 0.3. Set its end with"
        assert text in str(caught.value)

    @pytest.mark.parametrize(("end_wd", "end"), [(0.3, 0.3), ("0.05", 0.05), ("current", 0.2)])
    def test_goes_to_the_end_that_is_given(self, end_wd: Any, end: float) -> None:
        made = schedframe.branch(self.parent(), 400, wsd_decay_steps=100, end_wd=end_wd)
        assert made.wd_before == made.wd_after == 0.2
        assert made.schedule.wd_at(450) == 0.2 + 0.5 * (end - 0.2)
        assert made.schedule.wd_at(501) == end

    def test_that_has_arrived_stays(self) -> None:
        made = schedframe.branch(self.parent(), 900, wsd_decay_steps=100)
        assert [made.schedule.wd_at(step) for step in (900, 950, 2000)] == [0.3, 0.3, 0.3]

    def test_that_is_left_alone_stays_alone(self) -> None:
        parent = Schedule(max_lr=1.0, lr_decay_steps=1000, lr_decay_style="constant")
        made = schedframe.branch(parent, 900, wsd_decay_steps=100)
        assert (made.wd_before, made.wd_after) == (None, None)


class TestExtend:
    """A later end; what is behind stays as it was."""

    @pytest.mark.parametrize("at", [10, 100, 101, 1000, 4500])
    def test_the_stable_phase_grows_and_the_cooldown_keeps_its_length(self, optimizer, run: Path, at: int) -> None:
        before = load(run)
        state = state_at(optimizer, before, at)
        made = schedframe.extend(load(run), state, lr_decay_steps=8000)
        made.write(run.with_name("longer.yaml"))
        longer = load(run.with_name("longer.yaml"))
        assert longer.landmarks() == {
            "start": 0,
            "warmup end": 100,
            "cooldown start": 7500,
            "decay end": 8000,
            "run end": 8000,
        }
        scheduler = resumed(optimizer, run.with_name("longer.yaml"), state)
        assert scheduler.optimizer.param_groups[0]["lr"] == before.lr_at(at) == made.lr_before
        for step in range(0, 4501, 50):
            assert longer.lr_at(step) == before.lr_at(step)
        assert longer.lr_at(8000) == longer.min_lr

    def test_writes_lengths_as_a_person_does(self, tmp_path: Path) -> None:
        file = tmp_path / "run.yaml"
        file.write_text(LARGE)
        longer = schedframe.extend(load(file), "500M", lr_decay_steps="1.5B")
        longer.write(tmp_path / "longer.yaml")
        assert (tmp_path / "longer.yaml").read_text() == (
            "# schedframe extend of run.yaml at step 500M\n"
            "# learning rate 0.0003 before, 0.0003 after\n"
            "extends: run.yaml\n"
            "lr_warmup_steps: 16M\n"
            "lr_decay_style: {style: WSD, wsd_decay_steps: 80M, lr_wsd_decay_style: minus_sqrt}\n"
            "train_samples: 1.5B\n"
            f"parent: {{fingerprint: {load(file).fingerprint}, step: 500M}}\n"
        )
        odd = schedframe.extend(load(file), 500_000_001, lr_decay_steps=1_000_000_001)
        odd.write(tmp_path / "odd.yaml")
        assert "\ntrain_samples: 1000000001\n" in (tmp_path / "odd.yaml").read_text()
        assert [load(tmp_path / f"{name}.yaml").fingerprint for name in ("longer", "odd")] == [
            made.schedule.fingerprint for made in (longer, odd)
        ]

    @pytest.mark.parametrize("style", ["cosine", "linear", {"style": "polynomial", "power": 2}, "geometric"])
    def test_a_style_that_would_be_another_curve_is_refused_with_both_values(self, style: Any) -> None:
        parent = Schedule(max_lr=1.0, min_lr=0.1, lr_decay_steps=100, lr_decay_style=style)
        with pytest.raises(ConfigError) as caught:
            schedframe.extend(parent, 50, lr_decay_steps=200)
        reshaped = schedframe.extend(parent, 50, lr_decay_steps=200, reshape=True)
        text = f"The learning rate at step 50 is {parent.lr_at(50)} and would become {reshaped.lr_after}"
        assert text in str(caught.value)
        assert reshaped.schedule.lr_at(200) == 0.1
        assert reshaped.lr_after > reshaped.lr_before

    def test_wsd_past_the_start_of_its_cooldown_is_refused(self, run: Path) -> None:
        with pytest.raises(
            ConfigError, match="WSD cannot end at another step without a different curve before step 4800"
        ):
            schedframe.extend(load(run), 4800, lr_decay_steps=8000)

    @pytest.mark.parametrize("style", ["constant", "inverse-square-root"])
    def test_a_style_that_does_not_know_its_end_grows(self, style: str) -> None:
        parent = Schedule(max_lr=1.0, lr_decay_steps=100, lr_decay_style=style, lr_warmup_steps=10)
        assert schedframe.extend(parent, 50, lr_decay_steps=200).lr_after == parent.lr_at(50)

    def test_weight_decay_is_not_stretched(self) -> None:
        keys = {"max_lr": 1.0, "lr_decay_style": "constant", "start_wd": 0.1, "end_wd": 0.3, "wd_incr_style": "linear"}
        parent = Schedule(train_samples=1000, **keys)
        longer = schedframe.extend(parent, 500, lr_decay_steps=2000).schedule
        assert [longer.wd_at(step) for step in range(0, 2000, 7)] == [parent.wd_at(step) for step in range(0, 2000, 7)]
        assert longer.wd_incr_steps == 1000

    def test_a_run_longer_than_its_decay_keeps_its_length(self, tmp_path: Path) -> None:
        (tmp_path / "run.json").write_text(
            '{"train_samples": 900, "lr_decay_steps": 500, "max_lr": 1, "lr_decay_style": "constant"}'
        )
        for end, length in ((700, 900), (1000, 1000)):
            longer = schedframe.extend(load(tmp_path / "run.json"), 100, lr_decay_steps=end).schedule
            assert (longer.lr_decay_steps, longer.train_samples) == (end, length)

    def test_an_end_that_is_behind_is_refused(self, run: Path) -> None:
        with pytest.raises(
            ConfigError, match="lr_decay_steps = 900: must be after step 1000, from which the run continues"
        ):
            schedframe.extend(load(run), 1000, lr_decay_steps=900)


class TestRewarm:
    """Continual pre-training: a new warmup, then a style."""

    @pytest.mark.parametrize(("init_lr", "first"), [("current", 3e-05), (0, 0.0), ("1e-6", 1e-06)])
    def test_from_the_current_or_a_given_learning_rate_to_a_new_max_lr(
        self, optimizer, run: Path, init_lr: Any, first: float
    ) -> None:
        state = state_at(optimizer, load(run), 5000)
        made = schedframe.rewarm(
            load(run),
            state,
            max_lr=2e-4,
            init_lr=init_lr,
            lr_warmup_steps="1%",
            lr_decay_steps=2000,
            lr_decay_style="cosine",
            allow_jump=True,
        )
        made.write(run.with_name("continued.yaml"))
        scheduler = resumed(optimizer, run.with_name("continued.yaml"), state)
        group = scheduler.optimizer.param_groups[0]
        assert (made.lr_before, made.lr_after, group["lr"]) == (3e-05, first, first)
        scheduler.step(20)
        assert group["lr"] == 2e-4
        scheduler.step(2000 - 20)
        assert group["lr"] == 3e-05

    def test_keeps_the_parents_style_and_bounds_by_default(self) -> None:
        parent = Schedule(max_lr=1.0, min_lr=0.25, lr_decay_steps=100, lr_decay_style={"style": "polynomial"})
        made = schedframe.rewarm(parent, 100, lr_warmup_steps=10, lr_decay_steps=50).schedule
        assert (made.max_lr, made.min_lr, made.init_lr, made.lr_style) == (1.0, 0.25, 0.25, parent.lr_style)

    def test_takes_a_style_with_options(self) -> None:
        parent = Schedule(max_lr=1.0, lr_decay_steps=100)
        style = {"style": "WSD", "wsd_decay_steps": "20%"}
        made = schedframe.rewarm(parent, 60, lr_warmup_steps=10, lr_decay_steps=50, lr_decay_style=style).schedule
        assert made.landmarks() == {"start": 60, "warmup end": 70, "cooldown start": 100, "decay end": 110}


class TestWrite:
    """The new file is whole or not there, and the parent is never touched."""

    def made(self, run: Path) -> schedframe.Continuation:
        return schedframe.branch(load(run), 1000, wsd_decay_steps=200)

    @pytest.mark.parametrize("overwrite", [False, True])
    def test_the_parent_is_never_replaced(self, run: Path, overwrite: bool) -> None:
        link = run.with_name("link.yaml")
        link.symlink_to(run)
        for path in (run, link):
            with pytest.raises(ConfigError):
                self.made(run).write(path, overwrite=overwrite)
        assert run.read_text() == RUN

    def test_a_file_that_is_there_is_only_replaced_with_overwrite(self, run: Path) -> None:
        path = run.with_name("there.yaml")
        path.write_text("precious")
        with pytest.raises(ConfigError):
            self.made(run).write(path)
        assert path.read_text() == "precious"
        self.made(run).write(path, overwrite=True)
        assert load(path) == self.made(run).schedule

    @pytest.mark.parametrize("suffix", ["yaml", "yml", "toml", "json"])
    def test_any_format_extends_any_other(self, run: Path, suffix: str) -> None:
        path = run.parent / "runs" / f"branch.{suffix}"
        path.parent.mkdir()
        self.made(run).write(path)
        assert "../run.yaml" in path.read_text()
        assert load(path) == self.made(run).schedule

    def test_an_unknown_suffix_is_refused(self, run: Path) -> None:
        with pytest.raises(ConfigError, match=r"has an unknown suffix '.ini'; use one of .yaml, .yml, .toml, .json"):
            self.made(run).write(run.with_name("branch.ini"))
        assert not run.with_name("branch.ini").exists()

    def test_a_file_that_the_parent_extends_is_never_replaced(self, run: Path) -> None:
        child = run.with_name("child.yaml")
        child.write_text("extends: run.yaml\nmin_lr: 0\n")
        with pytest.raises(ConfigError, match="is the same file as"):
            schedframe.branch(load(child), 1000, wsd_decay_steps=200).write(run, overwrite=True)
        assert run.read_text() == RUN

    def test_toml_writes_the_value_of_a_key_that_is_taken_away(self, tmp_path: Path) -> None:
        (tmp_path / "run.toml").write_text(
            "train_samples = 1000\nmax_lr = 1\nlr_decay_style = 'constant'\n"
            "start_wd = 0.1\nend_wd = 0.2\nwd_incr_style = 'linear'\nwd_incr_steps = 900\n"
        )
        made = schedframe.branch(load(tmp_path / "run.toml"), 500, wsd_decay_steps=100, end_wd=0.3)
        assert made.changes["wd_incr_steps"] is None
        for name in ("branch.toml", "branch.yaml"):
            made.write(tmp_path / name)
            assert load(tmp_path / name) == made.schedule
        assert "wd_incr_steps = 100\n" in (tmp_path / "branch.toml").read_text()
        assert "wd_incr_steps: null\n" in (tmp_path / "branch.yaml").read_text()

    def test_toml_cannot_take_a_flat_key_away(self, tmp_path: Path) -> None:
        (tmp_path / "run.yaml").write_text(
            "train_samples: 1000\nmax_lr: 1\nlr_decay_style: WSD\nwsd_decay_steps: 10%\n"
        )
        keys = {"lr_warmup_steps": 10, "lr_decay_steps": 100, "lr_decay_style": "cosine"}
        made = schedframe.rewarm(load(tmp_path / "run.yaml"), 500, **keys)
        with pytest.raises(ConfigError, match="wsd_decay_steps: would be removed by a null, which TOML does not have"):
            made.write(tmp_path / "new.toml")
        assert not (tmp_path / "new.toml").exists()
        made.write(tmp_path / "new.yaml")
        assert load(tmp_path / "new.yaml") == made.schedule

    def test_a_schedule_from_no_file_is_written_whole(self, tmp_path: Path) -> None:
        parent = Schedule(
            max_lr=1.0,
            lr_decay_steps=100,
            lr_decay_style={"style": "WSD", "wsd_decay_steps": 10, "lr_wsd_decay_style": {"style": "polynomial"}},
            start_wd=0.1,
            resume={"override": ["max_lr"]},
        )
        made = schedframe.extend(parent, 50, lr_decay_steps=200)
        made.write(tmp_path / "longer.yml")
        assert load(tmp_path / "longer.yml") == made.schedule


def test_a_policy_of_the_parents_file_is_not_taken_over(tmp_path: Path, optimizer) -> None:
    """With ``resume: checkpoint`` the parent's schedule would count, and the branch would not be one."""
    path = tmp_path / "run.yaml"
    path.write_text(RUN + "resume: checkpoint\n")
    made = schedframe.branch(load(path), 1000, wsd_decay_steps=200)
    made.write(tmp_path / "branch.yaml")
    assert made.schedule.resume.policy == "strict"
    assert load(tmp_path / "branch.yaml").resume.policy == "strict"


def test_init_lr_current_needs_a_checkpoint_to_go_on_from(optimizer) -> None:
    keys = {"max_lr": 1.0, "lr_decay_steps": 100, "lr_warmup_steps": 20, "lr_decay_style": "constant"}
    old = Schedule(max_lr=0.5, lr_decay_steps=100, lr_decay_style="constant")
    parent = Schedule(**keys, start_step=50, init_lr="current", resume="override")
    scheduler = parent.build(optimizer())
    scheduler.load_state_dict(state_at(optimizer, old, 50))
    scheduler.step(30)
    made = schedframe.extend(parent, scheduler.state_dict(), lr_decay_steps=500)
    assert made.schedule.init_lr == 0.5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made.schedule.build(optimizer()).load_state_dict(scheduler.state_dict())


def test_a_branch_on_a_real_optimizer_whose_groups_carry_bounds(run: Path) -> None:
    """As in Megatron: the optimizer's load brings the old floor into the groups, and the branch has another."""
    torch = pytest.importorskip("torch")

    def adamw(schedule: Schedule) -> Any:
        bounds = {"max_lr": schedule.max_lr, "min_lr": schedule.min_lr, "default_config": True}
        own = {"max_lr": 5.0, "min_lr": 0.5, "default_config": False, "wd_mult": 0.0}
        groups = [{"params": [torch.nn.Parameter(torch.ones(2))], **keys} for keys in (bounds, own)]
        return torch.optim.AdamW(groups, lr=0.0)

    old = adamw(load(run))
    parent = load(run).build(old)
    parent.step(1000)
    schedframe.branch(load(run), parent.state_dict(), wsd_decay_steps=200, min_lr=0).write(run.with_name("new.yaml"))
    new = adamw(load(run.with_name("new.yaml")))
    scheduler = load(run.with_name("new.yaml")).build(new)
    new.load_state_dict(old.state_dict())
    assert new.param_groups[0]["min_lr"] == 3e-5
    scheduler.load_state_dict(parent.state_dict())
    assert [group["lr"] for group in new.param_groups] == [group["lr"] for group in old.param_groups] == [3e-4, 5.0]
    scheduler.step(200)
    assert [group["lr"] for group in new.param_groups] == [0.0, 0.5]
    assert [group["weight_decay"] for group in new.param_groups] == [0.1, 0.0]
