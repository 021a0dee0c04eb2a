"""Where curves jump: at their boundaries, as in PyTorch, or one update later; milestones in every unit."""

from typing import Any, ClassVar

import pytest

from schedframe import ConfigError, Schedule, branch
from schedframe.styles import LRPoint, LRStyle
from schedframe.styles.lr import MultiStep

from ..runs import Optimizer

torch = pytest.importorskip("torch")
lr_scheduler = torch.optim.lr_scheduler


def lrs_of(style: Any, updates: int, **keys: Any) -> list[float]:
    """The learning rates of all updates of a run that counts iterations."""
    schedule = Schedule(**{"max_lr": 1.0, "clock": "iters", "lr_decay_steps": updates, **keys}, lr_decay_style=style)
    return schedule.lr_at(range(updates))


def torchs(make: Any, updates: int) -> list[float]:
    """The learning rates that a scheduler of torch gives to the updates of a run with learning rate 1."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler, values = make(optimizer), []
    for _ in range(updates):
        values.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return values


def multi_step(milestones: list[Any], **options: Any) -> dict[str, Any]:
    multipliers = [0.1 ** (number + 1) for number in range(len(milestones))]
    return {"style": "multi-step", "milestones": milestones, "multipliers": multipliers, **options}


class TestMultiStep:
    @pytest.mark.parametrize("milestones", [[8, 9], [1, 10, 20], [3]])
    def test_is_torchs_at_every_update(self, milestones: list[int]) -> None:
        expected = torchs(lambda optimizer: lr_scheduler.MultiStepLR(optimizer, milestones), 30)
        iters = [f"{milestone} iters" for milestone in milestones]
        assert lrs_of(multi_step(iters), 30) == pytest.approx(expected, rel=1e-15)

    @pytest.mark.parametrize("share", ["7%", 0.07, "0.07"])
    def test_a_part_of_the_decay_is_the_decimal_product(self, share: Any) -> None:
        """In floating point 0.07 * 100 is 7.000000000000001, behind the seventh update."""
        assert lrs_of(multi_step([share]), 100)[6:8] == [1.0, 0.1]

    def test_closed_is_one_update_later(self) -> None:
        assert lrs_of(multi_step([0.8]), 10)[7:10] == [1.0, 0.1, 0.1]
        assert lrs_of(multi_step([0.8], boundaries="closed"), 10)[7:10] == [1.0, 1.0, 0.1]

    def test_milestones_have_units(self) -> None:
        run = {"max_lr": 1.0, "train_tokens": "2T", "seq_length": 4096, "global_batch_size": 1024}
        schedule = Schedule(**run, lr_decay_style=multi_step(["1.6T tokens", "1.8T tokens"]))
        assert [schedule.lr_at(schedule.step_at(f"{t} tokens")) for t in ("1.59T", "1.6T", "1.8T")] == pytest.approx(
            [1.0, 0.1, 0.01]
        )
        assert schedule.lr_at(schedule.step_at("1.6T tokens") - 1) == 1.0

    def test_positions_are_counted_from_the_start_of_the_run_also_under_a_ramp(self) -> None:
        run = {"max_lr": 1.0, "train_iters": 40, "global_batch_size": 32, "rampup_batch_size": [8, 8, 160]}
        schedule = Schedule(**run, lr_warmup_steps="4 iters", lr_decay_style=multi_step(["10 iters"]))
        lrs = [schedule.lr_at(schedule.step_at(f"{update} iters")) for update in range(4, 40)]
        assert lrs == [1.0] * 6 + [0.1] * 30

    def test_a_milestone_may_lie_at_the_end(self) -> None:
        schedule = Schedule(max_lr=1.0, lr_decay_steps=50, lr_decay_style=multi_step(["50%", "100%"]))
        assert [schedule.lr_at(step) for step in (24, 25, 49, 50, 99)] == pytest.approx([1.0, 0.1, 0.1, 0.01, 0.01])

    @pytest.mark.parametrize(
        ("milestones", "message"),
        [
            ([0.9, 0.8], "milestones must rise"),
            (["30 iters", 0.2], "milestones must rise"),
            (["0.5 iters"], "is 0.5 steps of the scheduler, and a milestone lies at step 1 or later, or at 0"),
            (["10 steps"], "there is no unit 'steps'"),
            ([-1], "must not be negative"),
        ],
    )
    def test_what_is_no_milestone_is_refused(self, milestones: list[Any], message: str) -> None:
        keys = {"max_lr": 1.0, "lr_decay_steps": 100, "clock": "iters"}
        with pytest.raises(ConfigError) as caught:
            Schedule(**keys, lr_decay_style=multi_step(milestones))
        assert message in str(caught.value)

    def test_it_comes_back_from_a_state(self) -> None:
        keys = {"max_lr": 1.0, "lr_decay_steps": 100, "clock": "iters"}
        style = Schedule(**keys, lr_decay_style=multi_step([0.25, "60 iters", "100%"])).lr_decay_style
        assert style.model_dump()["milestones"] == (0.25, 60, 100)
        assert MultiStep(**style.model_dump(mode="json")) == style

    def test_in_a_phase_it_counts_from_the_phases_start(self) -> None:
        inner = multi_step(["5 iters"])
        phases = [{"style": "constant", "length": 20}, {"style": inner, "length": 20}, {"style": "constant"}]
        lrs = lrs_of({"style": "phases", "phases": phases}, 50)
        assert (lrs[24], lrs[25], lrs[49]) == (1.0, 0.1, 0.1)


class TestPhases:
    def test_a_sequence_is_torchs(self) -> None:
        def make(optimizer: Any) -> Any:
            first = lr_scheduler.ConstantLR(optimizer, factor=0.25, total_iters=100)
            return lr_scheduler.SequentialLR(optimizer, [first, lr_scheduler.LinearLR(optimizer, 1.0, 0.0, 20)], [10])

        phases = [{"style": "constant", "from": "25%", "jump": True, "length": 10}]
        phases += [{"style": "linear", "from": "100%", "jump": True}]
        lrs = lrs_of({"style": "phases", "phases": phases}, 30)
        assert lrs == pytest.approx(torchs(make, 30), abs=1e-15)

    @pytest.mark.parametrize("length", ["7%", "14%", "28%", "29%", "57%"])
    def test_a_jump_after_a_percentage_is_not_late(self, length: str) -> None:
        phases = [{"style": "constant", "length": length}, {"style": "constant", "from": "50%", "jump": True}]
        at = int(length[:-1])
        assert lrs_of({"style": "phases", "phases": phases}, 100)[at - 1 : at + 1] == [1.0, 0.5]

    def test_closed_is_one_update_later(self) -> None:
        phases = [{"style": "constant", "length": 5}, {"style": "constant", "from": "50%", "jump": True}]
        assert lrs_of({"style": "phases", "phases": phases, "boundaries": "closed"}, 10)[4:7] == [1.0, 1.0, 0.5]

    def test_weight_decay_jumps_at_its_boundary_too(self) -> None:
        phases = [{"style": "constant", "length": 5}, {"style": "constant", "from": 0.3, "jump": True}]
        keys = {"max_lr": 1.0, "clock": "iters", "lr_decay_steps": 10, "end_wd": 0.1}
        for boundaries, expected in (("open", 0.3), ("closed", 0.1)):
            style = {"style": "phases", "phases": phases, "boundaries": boundaries}
            assert Schedule(**keys, wd_incr_style=style).wd_at(5) == expected


def test_reports_name_the_phase_that_begins() -> None:
    phases = [{"style": "constant", "length": 5, "name": "high"}]
    phases += [{"style": "constant", "from": "50%", "jump": True, "name": "low"}]
    schedule = Schedule(
        max_lr=1.0, clock="iters", lr_decay_steps=10, lr_decay_style={"style": "phases", "phases": phases}
    )
    assert schedule.sample([4, 5])["phase"] == ["high", "low"]


def test_lint_knows_the_jumps_and_where_they_are() -> None:
    declared = Schedule(max_lr=3e-4, train_samples=1000, lr_decay_style=multi_step([0.8]))
    assert not [finding for finding in declared.findings() if finding.code.startswith("SF30")]


def test_a_branch_begins_at_a_milestone_with_the_new_value() -> None:
    parent = Schedule(max_lr=1.0, clock="iters", lr_decay_steps=100, lr_decay_style=multi_step([0.8]))
    child = branch(parent, 80, wsd_decay_steps=10, lr_wsd_decay_style="linear").schedule
    assert [child.lr_at(step) for step in (80, 85, 90)] == pytest.approx([0.1, 0.05, 0.0])


class TestWhereTheWarmupEnds:
    RUN: ClassVar[dict[str, Any]] = {"lr_warmup_steps": 10, "min_lr": 0.1}

    HALVED: ClassVar[dict[str, Any]] = {"style": "phases", "phases": [{"style": "linear", "from": "50%", "jump": True}]}

    def test_a_decay_that_jumps_there_has_its_own_value(self) -> None:
        assert lrs_of(self.HALVED, 100, **self.RUN)[9:12] == pytest.approx([0.9, 0.5, 0.5 - 0.4 / 90], abs=1e-15)
        assert lrs_of(multi_step(["10 iters"]), 100, **self.RUN)[9:12] == pytest.approx([0.9, 0.1, 0.1], abs=1e-15)

    def test_a_decay_that_begins_at_the_peak_begins_after_it(self) -> None:
        assert lrs_of("cosine", 100, **self.RUN)[10] == lrs_of(multi_step(["11 iters"]), 100, **self.RUN)[10] == 1.0

    def test_with_closed_boundaries_the_warmup_holds(self) -> None:
        for style in (self.HALVED, multi_step(["10 iters"])):
            assert lrs_of({**style, "boundaries": "closed"}, 100, **self.RUN)[10] == 1.0

    def test_groups_get_it_and_it_is_a_declared_jump(self) -> None:
        schedule = Schedule(
            max_lr=1.0, clock="iters", lr_decay_steps=100, lr_decay_style=multi_step(["10 iters"]), lr_warmup_steps=10
        )
        optimizer = Optimizer({"params": []}, {"params": [], "max_lr": 0.5, "default_config": False})
        scheduler = schedule.build(optimizer)
        scheduler.step(10)
        assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.1, 0.05], abs=1e-15)
        assert "SF301" not in [found.code for found in schedule.findings()]

    def test_a_style_whose_jumps_fail_has_none_there(self) -> None:
        class Broken(LRStyle):
            style: str = "broken"

            def lr(self, point: LRPoint) -> float:
                return point.min_lr

            def jumps_at(self, warmup_steps: float, decay_steps: float) -> list[float]:
                raise KeyError(warmup_steps)

        assert lrs_of(Broken(), 100, **self.RUN)[10:12] == [1.0, 0.1]
