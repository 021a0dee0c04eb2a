"""What branch, extend and rewarm keep of the schedule that they continue, on the scheduler that runs it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import schedframe
from schedframe import ConfigError, Schedule, branch, extend, load, rewarm

from ..runs import Optimizer, cli

MOE = """\
train_tokens: 500B
seq_length: 4096
global_batch_size: 1024
rampup_batch_size: [256, 256, 20M]     # iterations are counted through the ramp
max_lr: 3e-4
lr_warmup_steps: 2000 iters
lr_decay_style:
  style: phases
  phases:
    - {style: constant, name: stable}
    - {style: minus_sqrt, length: 50B tokens, to: 10%, name: anneal}
start_wd: 0.1
wd_incr_style: adamc                   # weight decay in proportion to the learning rate
groups:
  - {role: router, match: {index: 1}, lr_mult: 0.1}
  - {role: biases, match: {index: 2}, wd_mult: 0.0}
  - {role: norms, match: {index: 3}, max_lr: 1e-3, min_lr: 1e-6}
"""
ROLES = ("default", "router", "biases", "norms")
AT, LENGTH = 60_000_000, 10_000_000


@pytest.fixture
def moe(tmp_path: Path) -> Path:
    path = tmp_path / "moe.yaml"
    path.write_text(MOE)
    return path


def values(schedule: Schedule, step: float, roles: Any = ROLES) -> list[Any]:
    """Return learning rate and weight decay of each role."""
    return [(schedule.lr_at(step, role), schedule.wd_at(step, role)) for role in roles]


def ran(schedule: Schedule, count: int = len(ROLES)) -> Any:
    return schedule.build(Optimizer(*({} for _ in range(count))))


def written(scheduler: Any) -> list[tuple[float, float]]:
    return [(group["lr"], group.get("weight_decay")) for group in scheduler.optimizer.param_groups]


def numbers(pairs: Any) -> list[float]:
    return [number for pair in pairs for number in pair if number is not None]


class TestBranchOfPhasesWithACoupling:
    """The branch of a run with phases, coupled weight decay and rules for param groups."""

    def test_a_resumed_run_goes_on_where_every_group_was(self, moe: Path) -> None:
        before = ran(load(moe))
        before.step(AT)
        branch(load(moe), AT, wsd_decay_steps="10M").write(moe.with_name("c.yaml"))
        after = ran(load(moe.with_name("c.yaml")))
        after.load_state_dict(before.state_dict())
        assert written(after) == written(before)

    def test_it_falls_along_the_curve_of_the_parents_last_phase(self, moe: Path) -> None:
        parent, child = load(moe), branch(load(moe), AT, wsd_decay_steps="10M").schedule
        marks = parent.landmarks()
        begin, length = marks["anneal"], marks["decay end"] - marks["anneal"]
        for part in (0.0, 0.25, 0.5, 0.875):
            of_parent, of_child = values(parent, begin + part * length), values(child, AT + part * LENGTH)
            assert of_child == [pytest.approx(pair, rel=1e-12) for pair in of_parent]

    def test_it_ends_where_the_parent_ends(self, moe: Path) -> None:
        parent, child = load(moe), branch(load(moe), AT, wsd_decay_steps="10M").schedule
        for beyond in (0, 1, 10**9):
            assert values(child, AT + LENGTH + beyond) == values(parent, parent.landmarks()["decay end"] + beyond)

    def test_it_writes_only_what_changes(self, moe: Path) -> None:
        made = branch(load(moe), AT, wsd_decay_steps="10M")
        phase = {"style": "minus_sqrt", "length": "10M", "to": "10%", "name": "anneal"}
        assert made.changes == {
            "start_step": "60M",
            "lr_warmup_steps": 0,
            "train_tokens": "40.96B",
            "lr_decay_style": {"style": "phases", "phases": [phase]},
            "parent": {"fingerprint": load(moe).fingerprint, "step": "60M"},
        }

    def test_it_stays_in_the_stable_phase_as_long_as_is_given(self, moe: Path) -> None:
        child = branch(load(moe), AT, wsd_decay_steps="10M", stable_until="70M").schedule
        assert values(child, 70_000_000) == values(load(moe), AT)
        assert values(child, 80_000_000) == values(load(moe), 10**9)

    def test_another_end_or_curve_takes_the_place_of_the_parents(self, moe: Path) -> None:
        to_zero = branch(load(moe), AT, wsd_decay_steps="10M", min_lr=0).schedule
        straight = branch(load(moe), AT, wsd_decay_steps="10M", lr_wsd_decay_style="linear").schedule
        assert to_zero.lr_at(AT + LENGTH / 4) == pytest.approx(1.5e-4)
        assert straight.lr_at(AT + LENGTH / 2) == pytest.approx(1.65e-4)

    def test_a_branch_of_the_branch_keeps_them_too(self, moe: Path) -> None:
        branch(load(moe), AT, wsd_decay_steps="10M", stable_until="90M").write(moe.with_name("c.yaml"))
        second = branch(load(moe.with_name("c.yaml")), "70M", wsd_decay_steps="5M").schedule
        assert values(second, 70_000_000) == values(load(moe), AT)
        assert values(second, 75_000_000) == values(load(moe), 10**9)

    def test_the_command_prints_every_key_that_changes(self, moe: Path) -> None:
        words = ("branch", moe, "--at", "60M", "--wsd-decay-steps", "10M", "-o", moe.with_name("c.yaml"))
        code, out, _ = cli(*words)
        made = branch(load(moe), AT, wsd_decay_steps="10M")
        assert (code, [line.split(":")[0] for line in out.splitlines()[3:]]) == (
            0,
            ["added start_step", *(f"changed {key}" for key in list(made.changes)[1:-1]), "added parent"],
        )
        _, out, _ = cli(*words, "--force", "--format", "json")
        printed = json.loads(out)["changes"]
        assert {key: change["after"] for key, change in printed.items()} == made.changes
        assert printed["lr_warmup_steps"] == {"before": "2000 iters", "after": 0}


class TestCooldownOfTheStyle:
    """Which curve a branch has by default."""

    def ends(self, style: Any, at: float = 50, **changes: Any) -> Any:
        parent = Schedule(**{"max_lr": 1.0, "min_lr": 0.25, "lr_decay_steps": 100, "lr_decay_style": style, **changes})
        child = branch(parent, at, wsd_decay_steps=20).schedule
        assert child.lr_at(at) == parent.lr_at(at)
        return [child.lr_at(at + step) for step in (10, 20, 30)]

    def phases(self, *phases: dict[str, Any]) -> dict[str, Any]:
        return {"style": "phases", "phases": list(phases)}

    def test_without_one_it_is_megatrons_exponential_to_min_lr(self) -> None:
        assert self.ends("constant") == pytest.approx([0.25 + 0.75 * (2 * 0.5**0.5 - 1), 0.25, 0.25])

    def test_of_wsd_it_is_its_own(self) -> None:
        style = {"style": "WSD", "wsd_decay_steps": 10, "lr_wsd_decay_style": "linear"}
        assert self.ends(style) == [0.625, 0.25, 0.25]

    def test_of_phases_it_is_the_last_one_that_falls(self) -> None:
        style = self.phases(
            {"style": "constant"},
            {"style": "linear", "length": 10, "to": "50%"},
            {"style": "constant", "length": 5},
        )
        assert self.ends(style) == [0.75, 0.5, 0.5]

    def test_a_phase_that_is_behind_is_not_the_cooldown(self) -> None:
        style = self.phases({"style": "linear", "length": 30, "to": "50%"}, {"style": "constant"})
        assert self.ends(style)[1:] == [0.25, 0.25]

    def test_of_a_phase_that_is_wsd_it_is_that_ones(self) -> None:
        inner = {"style": "WSD", "wsd_decay_steps": 10, "lr_wsd_decay_style": "linear"}
        style = self.phases({"style": "linear", "length": 30, "to": "50%"}, {"style": inner, "to": 0.3})
        assert self.ends(style) == pytest.approx([0.4, 0.3, 0.3])

    def test_a_style_that_is_no_curve_goes_on_as_a_phase(self) -> None:
        style = self.phases({"style": "constant"}, {"style": "geometric", "length": 10})
        assert self.ends(style) == [0.5, 0.25, 0.25]

    def test_from_a_plateau_below_max_lr_every_role_starts_where_it_is(self) -> None:
        style = self.phases(
            {"style": "linear", "length": 30, "to": "50%"}, {"style": "constant"}, {"style": "linear", "length": 5}
        )
        groups = [{"role": "large", "match": {"index": 1}, "max_lr": 2.0}]
        parent = Schedule(max_lr=1.0, lr_decay_steps=100, lr_decay_style=style, groups=groups, start_wd=0.1)
        child = branch(parent, 50, wsd_decay_steps=20).schedule
        assert child.max_lr == 1.0
        assert [child.lr_at(step, "large") for step in (50, 60, 70)] == [1.0, 0.5, 0.0]

    def test_a_plateau_at_a_number_is_one_for_every_role(self) -> None:
        style = self.phases({"style": "linear", "length": 30, "to": 0.3}, {"style": "constant"})
        groups = [{"role": "large", "match": {"index": 1}, "max_lr": 2.0}]
        parent = Schedule(max_lr=1.0, lr_decay_steps=100, lr_decay_style=style, groups=groups)
        child = branch(parent, 50, wsd_decay_steps=20).schedule
        assert child.lr_at(50) == child.lr_at(50, "large") == 0.3

    @pytest.mark.parametrize("coupling", ["adamc", "independent", "constant-effective"])
    def test_a_coupling_goes_on_from_a_plateau(self, coupling: str) -> None:
        style = self.phases({"style": "linear", "length": 30, "to": "50%"}, {"style": "constant"})
        parent = Schedule(
            max_lr=1.0, min_lr=0.1, lr_decay_steps=100, lr_decay_style=style, start_wd=0.1, wd_incr_style=coupling
        )
        made = branch(parent, 50, wsd_decay_steps=20)
        assert made.wd_before == made.wd_after == parent.wd_at(50)
        assert "wd_incr_style" not in made.changes

    def test_a_cooldown_that_does_not_fall_is_refused(self) -> None:
        style = self.phases({"style": "linear", "length": 30}, {"style": "constant"})
        with pytest.raises(ConfigError, match=r"min_lr = 0\.25: is where the cooldown ends, and the learning rate at"):
            self.ends(style)

    def test_a_rules_own_cooldown_has_the_length_of_the_branch(self) -> None:
        own = {"style": "WSD", "wsd_decay_steps": "40%", "lr_wsd_decay_style": "linear"}
        groups = [{"role": "muon", "match": {"index": 1}, "lr_decay_style": own}]
        parent = Schedule(max_lr=1.0, lr_decay_steps=100, lr_decay_style="constant", groups=groups)
        child = branch(parent, 50, wsd_decay_steps=20).schedule
        assert [child.lr_at(step, "muon") for step in (50, 60, 70)] == [1.0, 0.5, 0.0]


class TestCoupledWeightDecay:
    """A style that follows the learning rate goes on to follow it, whatever its base does."""

    def made(self, to: Any = None, **keys: Any) -> Any:
        parent = Schedule(
            **{"max_lr": 1.0, "lr_decay_steps": 100, "lr_decay_style": "constant", "start_wd": 0.1, **keys}
        )
        return branch(parent, 50, wsd_decay_steps=20, lr_wsd_decay_style="linear", end_wd=to)

    def test_its_base_goes_to_the_end_that_is_given(self) -> None:
        made = self.made(0.4, end_wd=0.3, wd_incr_style={"style": "adamc", "base": "cosine"})
        assert made.changes["wd_incr_style"] == {"style": "adamc", "base": "linear"}
        assert [made.schedule.wd_at(step) for step in (50, 60)] == pytest.approx([0.2, 0.15])

    def test_a_base_that_has_arrived_stays(self) -> None:
        made = self.made(end_wd=0.2, wd_incr_steps=40, wd_incr_style={"style": "adamc", "base": "cosine"})
        assert [made.schedule.wd_at(step) for step in (50, 60)] == pytest.approx([0.2, 0.1])

    def test_a_base_that_moves_is_refused_with_its_own_values(self) -> None:
        style = {"style": "cooldown", "wd_cooldown_steps": 10, "base": "adamc"}
        with pytest.raises(ConfigError, match=r"is 0\.1 there and ends at 0\.0\. Set its end with end_wd"):
            self.made(wd_incr_style=style)
        assert self.made("current", wd_incr_style=style).schedule.wd_style.style == "adamc"

    def test_of_a_plugin_it_stays_where_only_the_learning_rate_moves_it(self, unregister: None) -> None:
        register_coupling()
        made = self.made(wd_incr_style="follows")
        assert [made.schedule.wd_at(step) for step in (50, 60)] == [0.1, 0.05]

    def test_of_a_plugin_without_a_base_it_is_not_lost(self, unregister: None) -> None:
        register_coupling()
        with pytest.raises(ConfigError, match="wd_incr_style = follows: follows the learning rate and has no base"):
            self.made(0.3, wd_incr_style="follows")

    def test_of_a_plugin_that_would_jump_is_refused(self, unregister: None) -> None:
        register_coupling()
        with pytest.raises(ConfigError, match=r"the weight decay at step 50 is 0\.1 and would become 0\.2"):
            self.made(wd_incr_style="in-warmup", lr_warmup_steps=10)


def register_coupling() -> None:
    from typing import Literal, final

    from schedframe.styles import WDPoint, WDStyle

    @final
    class Follows(WDStyle):
        """A coupling that knows nothing of bases."""

        style: Literal["follows"] = "follows"

        def wd(self, point: WDPoint) -> float:
            return point.end_wd * point.lr / point.max_lr

    @final
    class InWarmup(WDStyle):
        """It has another value without a warmup."""

        style: Literal["in-warmup"] = "in-warmup"

        def wd(self, point: WDPoint) -> float:
            return point.end_wd if point.warmup_steps else 2 * point.end_wd

    schedframe.wd_styles.register(Follows)
    schedframe.wd_styles.register(InWarmup)


class TestJump:
    """Rewarming starts where the run is, unless a jump is asked for."""

    PARENT = Schedule(max_lr=1.0, min_lr=0.25, lr_decay_steps=100, lr_decay_style="linear")
    LENGTHS: dict[str, Any] = {"lr_warmup_steps": 10, "lr_decay_steps": 50}

    def test_of_the_first_learning_rate_is_refused_with_both(self) -> None:
        with pytest.raises(ConfigError) as caught:
            rewarm(self.PARENT, 100, **self.LENGTHS, init_lr=0)
        assert str(caught.value) == (
            "the schedule: init_lr = 0.0: the learning rate at step 100 is 0.25 and would become 0.0. Begin there with "
            "--init-lr current, or, if the jump is intended, pass allow_jump (--allow-jump)"
        )

    def test_without_a_warmup_is_of_the_new_max_lr(self) -> None:
        with pytest.raises(
            ConfigError, match=r"max_lr = 1\.0: the learning rate at step 100 is 0\.25 and would become"
        ):
            rewarm(self.PARENT, 100, lr_warmup_steps=0, lr_decay_steps=50)

    def test_that_is_asked_for_is_made(self) -> None:
        made = rewarm(self.PARENT, 100, **self.LENGTHS, init_lr=0, allow_jump=True)
        assert (made.lr_before, made.lr_after) == (0.25, 0.0)

    def test_is_none_from_the_current_learning_rate(self) -> None:
        made = rewarm(self.PARENT, 100, lr_warmup_steps=0, lr_decay_steps=50, max_lr="current", min_lr=0)
        assert [made.schedule.lr_at(step) for step in (100, 125, 150)] == [0.25, 0.125, 0.0]

    def test_to_the_current_learning_rate_is_refused_where_that_is_0(self) -> None:
        parent = Schedule(max_lr=1.0, lr_decay_steps=100)
        with pytest.raises(ConfigError, match="max_lr = current: is the learning rate at step 100, which is 0; give"):
            rewarm(parent, 100, **self.LENGTHS, max_lr="current")

    def test_is_none_of_a_warmup_that_is_one_iteration_ahead(self) -> None:
        parent = Schedule(clock="iters", max_lr=1.0, lr_decay_steps=100, lr_warmup_style="torchtitan")
        assert rewarm(parent, 50, **self.LENGTHS).schedule.init_lr == 0.5

    def test_of_a_rule_is_refused_and_can_be_asked_for(self) -> None:
        groups = [{"role": "large", "match": {"index": 1}, "max_lr": 2.0}]
        parent = Schedule(max_lr=1.0, lr_decay_steps=100, lr_decay_style="constant", groups=groups)
        with pytest.raises(ConfigError, match=r"groups\.0 = large: has learning rate 2\.0 .* would continue with 1\.0"):
            rewarm(parent, 50, **self.LENGTHS)
        assert rewarm(parent, 50, **self.LENGTHS, allow_jump=True).schedule.lr_at(60, "large") == 2.0

    def test_on_the_command_line(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        Path("run.yaml").write_text("max_lr: 1.0\nmin_lr: 0.25\nlr_decay_steps: 100\nlr_decay_style: linear\n")
        words = ("rewarm", "run.yaml", "--at", 100, "--lr-warmup-steps", 0, "--lr-decay-steps", 50, "-o", "new.yaml")
        code, _, err = cli(*words)
        assert (code, "is 0.25 and would become 1.0" in " ".join(err.split())) == (2, True)
        assert cli(*words, "--allow-jump").code == 0
        assert cli(*words, "--max-lr", "current", "--force").code == 0
        assert load("new.yaml").max_lr == 0.25


LENGTH_OF = st.sampled_from(["10%", "10% of decay", "10% of run", 100])
CURVES = st.sampled_from(["linear", "cosine", "minus_sqrt", "exponential"])
LR_STYLES = st.one_of(
    st.sampled_from(["constant", "cosine", "geometric", "inverse-square-root"]),
    st.builds(lambda n, c: {"style": "WSD", "wsd_decay_steps": n, "lr_wsd_decay_style": c}, LENGTH_OF, CURVES),
    st.builds(
        lambda n, c, to: {"style": "phases", "phases": [{"style": "constant"}, {"style": c, "length": n, "to": to}]},
        LENGTH_OF,
        CURVES,
        st.sampled_from(["10%", "min_lr", 1e-4]),
    ),
    st.builds(
        lambda n, c: {
            "style": "phases",
            "phases": [{"style": c, "length": n, "to": "50%"}, {"style": "constant"}, {"style": c, "length": n}],
        },
        LENGTH_OF,
        CURVES,
    ),
    st.just({"style": "multi-step", "milestones": [0.3, 0.8], "multipliers": [0.5, 0.2]}),
)
WD_STYLES = st.sampled_from(
    [
        {},
        {"start_wd": 0.1},
        *({"start_wd": 0.1, "wd_incr_style": name} for name in ("adamc", "independent", "constant-effective")),
        {"start_wd": 0.1, "end_wd": 0.3, "wd_incr_style": "cosine"},
        {"start_wd": 0.1, "end_wd": 0.3, "wd_incr_steps": "10% of run", "wd_incr_style": "linear"},
        {"start_wd": 0.1, "end_wd": 0.3, "wd_incr_style": {"style": "adamc", "base": "linear"}},
    ]
)
RULES = st.one_of(
    st.sampled_from([{"lr_mult": 0.1}, {"wd_mult": 0.0}, {"max_lr": 2e-3}, {"min_lr": 1e-5}, {"start_wd": 0.2}]),
    st.builds(lambda n: {"lr_warmup_steps": n}, LENGTH_OF),
    st.builds(lambda n: {"lr_decay_style": {"style": "WSD", "wsd_decay_steps": n}}, LENGTH_OF),
)


@st.composite
def parents(draw: st.DrawFn) -> dict[str, Any]:
    clock = draw(st.sampled_from(["samples", "iters", "tokens"]))
    rules = draw(st.lists(RULES, max_size=2))
    return {
        "clock": clock,
        "global_batch_size": 4,
        "seq_length": 8,
        "start_step": draw(st.sampled_from([0, 400])),
        f"train_{clock}": 1000,
        "max_lr": 1e-3,
        "min_lr": draw(st.sampled_from(["1%", 1e-5, 3e-6])),
        "lr_warmup_steps": draw(st.sampled_from([0, 50, "5%", "5% of run"])),
        "lr_decay_style": draw(LR_STYLES),
        **draw(WD_STYLES),
        "groups": [{"role": f"rule {n}", "match": {"index": n}, **sets} for n, sets in enumerate(rules, 1)],
    }


CONTINUED = {
    "branch": lambda schedule, at: branch(schedule, at, wsd_decay_steps=60, stable_until=at + 30, end_wd="current"),
    "extend": lambda schedule, at: extend(schedule, at, lr_decay_steps=3000),
    "rewarm": lambda schedule, at: rewarm(schedule, at, lr_warmup_steps="10%", lr_decay_steps=400, end_wd="current"),
}


@pytest.mark.parametrize("operation", CONTINUED)
@settings(max_examples=40)
@given(keys=parents(), own_step=st.sampled_from([60, 110, 200, 400, 700, 850]))
def test_what_can_be_continued_goes_on_where_every_role_was(
    operation: str, keys: dict[str, Any], own_step: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("run")
    (folder / "run.json").write_text(json.dumps(keys))
    parent, at = load(folder / "run.json"), keys["start_step"] + own_step
    assume(operation != "rewarm" or keys.get("wd_incr_style") != "constant-effective")  # in a warmup, it is its base
    try:
        made = CONTINUED[operation](parent, at)
    except ConfigError:
        assume(False)
    made.write(folder / "new.yaml")
    child, roles = load(folder / "new.yaml"), list(parent.plan.roles())
    assert child == made.schedule
    assert numbers(values(child, at, roles)) == pytest.approx(numbers(values(parent, at, roles)), rel=1e-11)
    before, after = ran(parent, len(roles)), ran(child, len(roles))
    before.step(at - before.num_steps)
    after.load_state_dict(before.state_dict())
    assert numbers(written(after)) == pytest.approx(numbers(written(before)), rel=1e-11)
    if operation == "extend":
        past = [keys["start_step"] + step for step in range(0, own_step + 1, 10)]
        assert [values(child, step, roles) for step in past] == [values(parent, step, roles) for step in past]
