"""Rules on real torch optimizers: which groups they are for, what runs in each, and what survives a load."""

import copy
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

torch = pytest.importorskip("torch")

from schedframe import ConfigError, OptimizerParamScheduler, PluginError, Schedule, StateError, load  # noqa: E402
from schedframe._run.groups.roles import Roles  # noqa: E402
from schedframe.styles import LRCurve  # noqa: E402

PIECEWISE = {
    "style": "phases",
    "phases": [
        {"style": "constant", "length": "30%", "name": "plateau"},
        {"style": {"style": "minus-power", "power": 0.6}, "length": "40%", "to": "20%", "name": "fast"},
        {"style": "linear", "name": "slow"},
    ],
}
BASE: dict[str, Any] = {
    "train_samples": 1000,
    "max_lr": 1e-3,
    "min_lr": "10%",
    "lr_warmup_steps": "1%",
    "lr_decay_style": "cosine",
    "start_wd": 0.1,
}
ROUTER: dict[str, Any] = {"role": "router", "match": {"param": "*router.weight"}, "lr_mult": 0.1}
MUON: dict[str, Any] = {
    "role": "muon",
    "match": {"regex": r"fc\d\.weight$"},
    "max_lr": 2e-2,
    "min_lr": 0.0,
    "lr_decay_style": PIECEWISE,
}
BIASES: dict[str, Any] = {"role": "biases", "match": {"param": "*.bias"}, "wd_mult": 0.0}
THREE = Schedule(**BASE, groups=[ROUTER, MUON, BIASES])


class Model(torch.nn.Module):
    """A mixture of two experts, with the embedding's weights also at the output."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embedding = torch.nn.Embedding(16, 8)
        self.fc1 = torch.nn.Linear(8, 8)
        self.fc2 = torch.nn.Linear(8, 8)
        self.router = torch.nn.Linear(8, 2)
        self.output = torch.nn.Linear(8, 16, bias=False)
        self.output.weight = self.embedding.weight
        self.frozen = torch.nn.Parameter(torch.zeros(1), requires_grad=False)

    def forward(self, tokens: Any) -> Any:
        hidden = self.embedding(tokens)
        weight = self.router(hidden).softmax(-1)
        hidden = weight[..., :1] * self.fc1(hidden).relu() + weight[..., 1:] * self.fc2(hidden).relu()
        return self.output(hidden)


def trained(model: Any, optimizers: list[Any], steps: int, scheduler: Any, increment: int = 10) -> Iterator[float]:
    tokens = torch.arange(16)
    for _ in range(steps):
        loss = torch.nn.functional.cross_entropy(model(tokens), tokens.roll(-1))
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        scheduler.step(increment)
        yield loss.item()


def muon_and_adam(model: Any, schedule: Schedule = THREE) -> list[Any]:
    groups = schedule.param_groups(model)
    return [
        torch.optim.Muon([group for group in groups if group["role"] == "muon"], lr=0.02, momentum=0.9),
        torch.optim.AdamW([group for group in groups if group["role"] != "muon"], lr=1e-3),
    ]


def names_of(model: Any, group: dict[str, Any]) -> set[str]:
    own = {id(parameter) for parameter in group["params"]}
    return {name for name, parameter in model.named_parameters() if id(parameter) in own}


class TestGroupsThatAreMade:
    def test_each_set_of_rules_is_a_group(self) -> None:
        model = Model()
        found = {group["role"]: names_of(model, group) for group in THREE.param_groups(model)}
        assert found == {
            "default": {"embedding.weight"},
            "router": {"router.weight"},
            "muon": {"fc1.weight", "fc2.weight"},
            "biases": {"fc1.bias", "fc2.bias", "router.bias"},
        }

    def test_a_parameter_that_two_rules_fit_has_both(self) -> None:
        model = Model()
        schedule = Schedule(**BASE, groups=[{**ROUTER, "match": {"param": "router.*"}}, BIASES])
        roles = {group["role"]: names_of(model, group) for group in schedule.param_groups(model)}
        assert roles["router+biases"] == {"router.bias"}

    def test_nanogpts_rule_by_the_number_of_dimensions(self) -> None:
        """Weight decay for what has two dimensions or more: karpathy/nanoGPT:model.py, configure_optimizers."""
        model = Model()
        flat = {"role": "flat", "match": {"ndim": [0, 1]}, "wd_mult": 0.0}
        schedule = Schedule(**BASE, groups=[flat])
        groups = schedule.param_groups(model)
        expected = {name for name, parameter in model.named_parameters() if parameter.dim() < 2 and name != "frozen"}
        assert {group["role"]: names_of(model, group) for group in groups}["flat"] == expected
        scheduler = schedule.build(torch.optim.AdamW(groups))
        decays = {group["role"]: group["weight_decay"] for group in scheduler.optimizer.param_groups}
        assert (decays["flat"], decays["default"] > 0) == (0.0, True)
        again = schedule.build(torch.optim.AdamW(schedule.param_groups(Model())))
        again.load_state_dict(scheduler.state_dict())
        assert again.groups == scheduler.groups

    def test_a_rule_by_dimensions_fits_groups_that_were_made_elsewhere(self) -> None:
        model = Model()
        schedule = Schedule(**BASE, groups=[{"role": "flat", "match": {"ndim": 1}, "wd_mult": 0.0}])
        flat = [parameter for parameter in model.parameters() if parameter.dim() == 1]
        rest = [parameter for parameter in model.parameters() if parameter.dim() > 1]
        scheduler = schedule.build(torch.optim.AdamW([{"params": rest}, {"params": flat}]))
        assert scheduler.optimizer.param_groups[1]["weight_decay"] == 0.0
        with pytest.raises(ConfigError, match=r"fits .* and does not fit .*, which are both in param_groups"):
            schedule.build(torch.optim.AdamW(model.parameters()))

    @pytest.mark.parametrize("value", [-1, 1.5, "1", [], True, [1, "x"]])
    def test_what_is_no_number_of_dimensions_is_refused(self, value: Any) -> None:
        with pytest.raises(ConfigError, match="ndim must be a number of dimensions"):
            Schedule(**BASE, groups=[{"role": "flat", "match": {"ndim": value}, "wd_mult": 0.0}])

    def test_dimensions_that_no_parameter_has_are_reported(self) -> None:
        schedule = Schedule(**BASE, groups=[{"role": "filters", "match": {"ndim": 4}, "wd_mult": 0.0}])
        with pytest.raises(ConfigError, match="ndim 4: matches no parameter that is trained"):
            schedule.param_groups(Model())

    def test_any_name_of_tied_weights_will_do(self) -> None:
        model = Model()
        schedule = Schedule(**BASE, groups=[{"role": "head", "match": {"param": "output.*"}, "lr_mult": 0.5}])
        (head,) = (group for group in schedule.param_groups(model) if group["role"] == "head")
        assert names_of(model, head) == {"embedding.weight"}

    def test_without_rules_there_is_one_group(self) -> None:
        (group,) = Schedule(**BASE).param_groups(Model())
        assert group["role"] == "default"
        assert len(group["params"]) == 7

    def test_a_list_of_models_and_pairs_of_names_and_parameters_are_taken(self) -> None:
        one, two = Model(), Model()
        schedule = Schedule(**BASE, groups=[ROUTER])
        assert [len(group["params"]) for group in schedule.param_groups([one, two])] == [12, 2]
        assert [len(group["params"]) for group in schedule.param_groups(one.named_parameters())] == [6, 1]

    def test_a_rule_that_fits_nothing_is_reported_with_the_nearest_names(self) -> None:
        schedule = Schedule(**BASE, groups=[{**ROUTER, "match": {"param": "*.routers.weight"}}])
        with pytest.raises(ConfigError) as caught:
            schedule.param_groups(Model())
        (problem,) = caught.value.problems
        assert str(problem) == (
            "groups.0.match = param *.routers.weight: matches no parameter that is trained; "
            "the nearest names are router.weight, output.weight, router.bias"
        )

    def test_what_is_frozen_is_no_match(self) -> None:
        schedule = Schedule(**BASE, groups=[{**ROUTER, "match": {"param": "frozen"}}])
        with pytest.raises(ConfigError, match="matches no parameter that is trained"):
            schedule.param_groups(Model())

    def test_two_rules_that_contradict_each_other_are_reported_with_the_parameter(self) -> None:
        schedule = Schedule(**BASE, groups=[ROUTER, {"role": "all", "match": {"param": "*"}, "max_lr": 1.0}])
        with pytest.raises(ConfigError) as caught:
            schedule.param_groups(Model())
        assert str(caught.value.problems[0]) == (
            "groups.1: parameter router.weight: the rules 'router' and 'all' give one param group two values of "
            "max_lr, 0.0001 and 1.0; give both the same value, or let their matches not overlap"
        )

    def test_two_rules_that_say_the_same_agree(self) -> None:
        rules = [{**ROUTER, "lr_mult": 0.1}, {"role": "all", "match": {"param": "*"}, "lr_mult": 0.1}]
        groups = Schedule(**BASE, groups=rules).param_groups(Model())
        assert [group["role"] for group in groups] == ["router+all", "all"]


class TestTraining:
    def test_three_groups_train_and_each_follows_its_stand_alone_schedule(self) -> None:
        model = Model()
        optimizers = muon_and_adam(model)
        scheduler = THREE.build(optimizers)
        alone = {
            "default": Schedule(**BASE),
            "router": Schedule(**{**BASE, "max_lr": 1e-4}),
            "muon": Schedule(**{**BASE, "max_lr": 2e-2, "min_lr": 0.0, "lr_decay_style": PIECEWISE}),
            "biases": Schedule(**{**BASE, "start_wd": 0.0}),
        }
        losses = []
        for loss in trained(model, optimizers, 110, scheduler):
            losses.append(loss)
            step = scheduler.num_steps
            for group in scheduler.optimizer.param_groups:
                schedule = alone[group["role"]]
                assert group["lr"] == schedule.lr_at(step) == scheduler.get_lr(group)
                assert group["weight_decay"] == schedule.wd_at(step)
                assert (group["lr"], group["weight_decay"]) == (
                    THREE.lr_at(step, group["role"]),
                    THREE.wd_at(step, group["role"]),
                )
        assert losses[-1] < 0.5 * losses[0]

    def test_each_runs_as_a_scheduler_of_its_own_would(self) -> None:
        together = [{"params": [], "role": role} for role in ("default", "router", "muon", "biases", "router+biases")]
        scheduler = THREE.build(Together(together))
        alone = []
        for group in together:
            own: dict[str, Any] = {"params": [], "wd_mult": 0.0 if "biases" in group["role"] else 1.0}
            alone.append(THREE.for_role(group["role"]).build(Together([own])))
        for _ in range(220):
            scheduler.step(5)
            for group, other in zip(together, alone, strict=True):
                other.step(5)
                own = other.optimizer.param_groups[0]
                assert (group["lr"], group["weight_decay"]) == (own["lr"], own["weight_decay"])

    def test_a_frozen_group_stays_at_zero(self) -> None:
        model = Model()
        schedule = Schedule(**BASE, groups=[{**ROUTER, "lr_mult": 0.0}])
        optimizer = torch.optim.AdamW(schedule.param_groups(model))
        before = model.router.weight.detach().clone()
        scheduler = schedule.build(optimizer)
        for _ in trained(model, [optimizer], 20, scheduler):
            assert optimizer.param_groups[1]["lr"] == 0.0
        assert torch.equal(model.router.weight, before)

    def test_tensors_are_filled_in_place(self) -> None:
        schedule = Schedule(**BASE, groups=[ROUTER])
        optimizer = torch.optim.AdamW(schedule.param_groups(Model()), lr=torch.tensor(1e-3))
        scheduler = schedule.build(optimizer)
        held = [group["lr"] for group in optimizer.param_groups]
        scheduler.step(500)
        assert [group["lr"] is own for group, own in zip(optimizer.param_groups, held, strict=True)] == [True, True]
        assert held[1].item() == pytest.approx(schedule.lr_at(500, "router"))

    def test_a_group_that_is_added_later_follows_the_schedule(self) -> None:
        schedule = Schedule(**BASE, groups=[ROUTER])
        optimizer = torch.optim.AdamW(schedule.param_groups(Model()))
        scheduler = schedule.build(optimizer)
        optimizer.add_param_group({"params": [torch.nn.Parameter(torch.zeros(1))]})
        scheduler.step(500)
        assert [group["lr"] for group in optimizer.param_groups] == [
            schedule.lr_at(500),
            schedule.lr_at(500, "router"),
            schedule.lr_at(500),
        ]

    def test_a_group_that_is_gone_is_refused(self) -> None:
        scheduler = THREE.build(Together([{"role": role} for role in ("default", "router", "muon", "biases")]))
        scheduler.optimizer.param_groups.pop()
        with pytest.raises(StateError, match="has 3 param groups and had 4 when the scheduler was built"):
            scheduler.step(1)

    def test_an_assigned_value_acts_at_the_next_step_also_where_a_rule_counts(self) -> None:
        scheduler = THREE.build(Together([{"role": role} for role in ("default", "router", "muon", "biases")]))
        scheduler.step(500)
        scheduler.lr_decay_style = "linear"
        scheduler.step(0)
        base = {**BASE, "lr_decay_style": "linear"}
        expected = [Schedule(**base).lr_at(500), Schedule(**{**base, "max_lr": 1e-4}).lr_at(500)]
        assert [group["lr"] for group in scheduler.optimizer.param_groups[:2]] == expected
        assert scheduler.optimizer.param_groups[2]["lr"] == THREE.lr_at(500, "muon")

    def test_where_one_style_fails_no_group_has_changed(self) -> None:
        schedule = Schedule(**BASE, groups=[{**ROUTER, "lr_decay_style": Fails()}])
        scheduler = schedule.build(Together([{"role": "default"}, {"role": "router"}]))
        scheduler.step(500)
        before = copy.deepcopy(scheduler.optimizer.param_groups)
        FAULTS.append("broken")
        try:
            with pytest.raises(PluginError, match="fails at step 501: ZeroDivisionError: float division by zero; no p"):
                scheduler.step(1)
        finally:
            FAULTS.clear()
        assert scheduler.optimizer.param_groups == before
        assert scheduler.num_steps == 500


FAULTS: list[str] = []


class Fails(LRCurve):
    """A straight line, until it is broken."""

    style: Literal["fails"] = "fails"

    def coefficient(self, progress: float) -> float:
        """Return 1 - progress."""
        return (1 - progress) / (0 if FAULTS else 1)


class Together:
    """The one thing that a scheduler needs of an optimizer."""

    def __init__(self, groups: list[dict[str, Any]]) -> None:
        self.param_groups = groups


def build(rules: list[dict[str, Any]], groups: list[dict[str, Any]], **base: Any) -> OptimizerParamScheduler:
    return Schedule(**{**BASE, **base}, groups=rules).build(Together(groups))


def refused(rules: list[dict[str, Any]], groups: list[dict[str, Any]], **base: Any) -> list[str]:
    before = copy.deepcopy(groups)
    with pytest.raises(ConfigError) as caught:
        build(rules, groups, **base)
    assert groups == before
    return [str(problem) for problem in caught.value.problems]


class TestGroupsThatAreThere:
    def test_by_index(self) -> None:
        scheduler = build([{"role": "second", "match": {"index": 1}, "lr_mult": 0.5}], [{}, {}])
        scheduler.step(500)
        first, second = scheduler.optimizer.param_groups
        assert second["lr"] == pytest.approx(first["lr"] / 2)

    def test_by_key(self) -> None:
        rule = {"role": "experts", "match": {"key": {"is_expert_parallel": True}}, "max_lr": 5e-4}
        scheduler = build([rule], [{"is_expert_parallel": False}, {"is_expert_parallel": True}, {}])
        scheduler.step(10)
        assert [group["lr"] for group in scheduler.optimizer.param_groups] == [1e-3, 5e-4, 1e-3]

    def test_by_several_keys(self) -> None:
        rule = {"role": "a", "match": {"key": {"kind": "x", "deep": True}}, "max_lr": 5e-4}
        scheduler = build([rule], [{"kind": "x"}, {"kind": "x", "deep": True}, {"deep": True}])
        scheduler.step(10)
        assert [group["lr"] for group in scheduler.optimizer.param_groups] == [1e-3, 5e-4, 1e-3]

    def test_by_names_that_torch_keeps(self) -> None:
        model = Model()
        named = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
        router = [pair for pair in named if "router" in pair[0]]
        rest = [pair for pair in named if "router" not in pair[0]]
        optimizer = torch.optim.AdamW([{"params": rest}, {"params": router}])
        rule = {**ROUTER, "match": {"param": "router.*"}}
        scheduler = Schedule(**BASE, groups=[rule]).build(optimizer)
        scheduler.step(10)
        assert [group["lr"] for group in optimizer.param_groups] == [1e-3, 1e-4]

    def test_a_rule_does_not_split_a_group(self) -> None:
        optimizer = torch.optim.AdamW(
            [(name, parameter) for name, parameter in Model().named_parameters() if parameter.requires_grad]
        )
        with pytest.raises(ConfigError) as caught:
            Schedule(**BASE, groups=[ROUTER]).build(optimizer)
        assert [str(problem) for problem in caught.value.problems] == [
            "groups.0.match = param *router.weight: fits router.weight and does not fit embedding.weight, which are "
            "both in param_groups[0]; a rule cannot split a group, so make the groups with "
            "schedule.param_groups(model)"
        ]

    def test_names_without_groups_that_were_made_by_them(self) -> None:
        assert refused([ROUTER], [{}]) == [
            "groups.0.match = param *router.weight: is about names, and the optimizer has no group that was made by "
            "it; make its groups with schedule.param_groups(model), in Megatron with "
            "schedframe.megatron.config_overrides(schedule, model), which report where no name matches"
        ]

    def test_nothing_matches(self) -> None:
        rules = [
            {"role": "a", "match": {"index": 2}, "lr_mult": 0.5},
            {"role": "b", "match": {"key": {"kind": "x"}}, "lr_mult": 0.5},
            {"role": "c", "match": {"key": {"color": "red"}}, "lr_mult": 0.5},
        ]
        assert refused(rules, [{"params": [], "kind": "y"}, {"kind": "z"}]) == [
            "groups.0.match = index 2: matches nothing: the optimizer has 2 param groups, counted from 0",
            "groups.1.match = key kind: x: matches none of the optimizer's 2 param groups: kind is 'y' or 'z'",
            "groups.2.match = key color: red: matches none of the optimizer's 2 param groups: color is no key of "
            "theirs, they have kind",
        ]

    def test_a_group_of_another_config(self) -> None:
        assert refused([ROUTER], [{"role": "default"}, {"role": "rooter"}])[0] == (
            "groups: param_groups[1] was made by another config: there is no role 'rooter'; did you mean 'router'? "
            "the roles are default, router"
        )

    def test_two_rules_that_contradict_each_other(self) -> None:
        rules = [
            {"role": "a", "match": {"index": 0}, "wd_mult": 0.5},
            {"role": "b", "match": {"key": {"kind": "x"}}, "wd_mult": 0.0},
        ]
        assert refused(rules, [{"kind": "x"}]) == [
            "groups.1: param_groups[0]: the rules 'a' and 'b' give one param group two values of wd_mult, 0.5 and "
            "0.0; give both the same value, or let their matches not overlap"
        ]

    def test_bounds_of_megatrons_config_become_the_rules(self) -> None:
        groups = [
            {"max_lr": 1e-3, "min_lr": 1e-4, "wd_mult": 1.0, "default_config": True},
            {"max_lr": 1e-3, "min_lr": 1e-4, "wd_mult": 1.0, "default_config": True, "kind": "x"},
        ]
        scheduler = build([{"role": "x", "match": {"key": {"kind": "x"}}, "lr_mult": 0.1, "wd_mult": 0.5}], groups)
        assert (groups[1]["max_lr"], groups[1]["min_lr"], groups[1]["wd_mult"]) == (1e-4, 1e-5, 0.5)
        assert [group["default_config"] for group in groups] == [True, False]
        scheduler.step(10)
        assert (groups[1]["lr"], groups[1]["weight_decay"]) == (1e-4, 0.05)

    def test_bounds_that_are_neither_the_files_nor_the_rules_are_refused(self) -> None:
        groups = [{"max_lr": 1e-3, "min_lr": 1e-4}, {"max_lr": 5e-4, "min_lr": 1e-4}]
        (text,) = refused([{"role": "x", "match": {"index": 1}, "max_lr": 2e-4}], groups)
        assert text.startswith("groups.0.max_lr = 0.0002: the optimizer's param_groups[1] have max_lr = 0.0005")

    def test_a_multiplier_that_is_not_the_rules_is_refused(self) -> None:
        assert refused([{"role": "x", "match": {"index": 1}, "wd_mult": 0.5}], [{}, {"wd_mult": 0.0}]) == [
            "groups.0.wd_mult = 0.5: param_groups[1] has wd_mult = 0.0 from where the groups were made, and the rule "
            "has 0.5; let the rule match other groups only, or make both the same"
        ]

    def test_a_multiplier_of_zero_from_elsewhere_is_honoured(self) -> None:
        scheduler = build([{"role": "x", "match": {"index": 1}, "lr_mult": 0.5}], [{}, {"wd_mult": 0.0}])
        assert scheduler.optimizer.param_groups[1]["weight_decay"] == 0.0

    def test_rates_that_optimizers_have_by_default_may_differ_between_roles(self) -> None:
        build([{"role": "x", "match": {"index": 1}, "lr_mult": 0.5}], [{"lr": 1e-3}, {"lr": 0.02}])
        (text,) = refused([{"role": "x", "match": {"index": 1}, "lr_mult": 0.5}], [{"lr": 1e-3}, {}, {"lr": 0.02}])
        assert "different lr (0.001 in param_groups[0], 0.02 in param_groups[2])" in text
        assert text.endswith("or a rule under `groups`")


class TestKeysOfTheUsersOwn:
    def test_a_role_of_groups_made_by_hand_may_be_matched_as_a_key(self) -> None:
        rule = {"role": "matrices", "match": {"key": {"role": "muon"}}, "lr_mult": 0.5}
        scheduler = build([rule], [{"role": "muon"}, {"role": "adam"}])
        scheduler.step(10)
        assert [group["lr"] for group in scheduler.optimizer.param_groups] == [5e-4, 1e-3]

    def test_without_rules_a_load_leaves_them(self) -> None:
        scheduler = build([], [{"role": "muon"}])
        scheduler.optimizer.param_groups[0]["role"] = "other"
        scheduler.load_state_dict(scheduler.state_dict())
        assert scheduler.optimizer.param_groups[0]["role"] == "other"


class TestAsking:
    def test_a_group_that_was_made_is_asked_for_its_own_schedule(self) -> None:
        for group in THREE.param_groups(Model()):
            assert THREE.lr_at(500, group) == THREE.lr_at(500, group["role"])
        experts = Schedule(**BASE, groups=[{"role": "x", "match": {"key": {"kind": "x"}}, "lr_mult": 0.5}])
        assert experts.lr_at(500, {"kind": "x"}) == experts.lr_at(500, "x")
        assert experts.wd_at(500, {"kind": "x"}) == 0.1
        assert experts.lr_at(500, {"kind": "y"}) == experts.lr_at(500)

    def test_a_group_of_another_config_has_none(self) -> None:
        with pytest.raises(ConfigError, match="was made by another config: there is no role 'rooter'"):
            THREE.lr_at(500, {"role": "rooter"})

    def test_bounds_of_its_own_win_there_too(self) -> None:
        assert THREE.lr_at(10, {"role": "muon", "max_lr": 5.0}) == 5.0

    def test_a_schedule_for_a_role_is_from_no_file(self, tmp_path: Path) -> None:
        file = tmp_path / "run.yaml"
        file.write_text("max_lr: 1.0\nlr_decay_steps: 100\ngroups:\n- {role: a, match: {index: 0}, max_lr: 0.5}\n")
        own = load(file).for_role("a")
        assert own.to_dict()["max_lr"] == 0.5
        assert "groups" not in own.to_dict()


class TestReport:
    def test_it_tells_what_runs_by_role(self) -> None:
        scheduler = THREE.build(
            Together([{"role": role} for role in ("default", "router", "muon", "router+biases")] + [{"role": "biases"}])
        )
        scheduler.step(505)
        assert scheduler.report() == {
            role: {
                "lr": THREE.lr_at(505, role),
                "wd": THREE.wd_at(505, role),
                "phase": "fast" if role == "muon" else "cosine",
                "progress": 0.5,
            }
            for role in ("default", "router", "muon", "biases", "router+biases")
        }

    @pytest.mark.parametrize(
        ("step", "phase", "progress"),
        [
            (0, "warmup", 0.0),
            (10, "warmup", 0.0),
            (11, "plateau", 1 / 990),
            (310, "plateau", 300 / 990),
            (311, "fast", 301 / 990),
            (711, "slow", 701 / 990),
            (1000, "slow", 1.0),
            (1001, "done", 1.0),
        ],
    )
    def test_phases_have_their_names(self, step: int, phase: str, progress: float) -> None:
        scheduler = THREE.build(Together([{"role": role} for role in ("default", "router", "muon", "biases")]))
        scheduler.step(step)
        assert (scheduler.report()["muon"]["phase"], scheduler.report()["muon"]["progress"]) == (phase, progress)

    def test_without_rules_there_is_one_role(self) -> None:
        scheduler = Schedule(max_lr=1.0, lr_decay_steps=100, lr_decay_style="WSD", wsd_decay_steps=20).build(
            Together([{}])
        )
        told = []
        for _ in range(5):
            told.append(scheduler.report()["default"]["phase"])
            scheduler.step(25)
        assert told == ["stable", "stable", "stable", "stable", "cooldown"]
        assert scheduler.report()["default"]["wd"] is None

    def test_bounds_of_a_groups_own_do_not_count(self) -> None:
        groups = [{"max_lr": 5.0, "min_lr": 0.0, "default_config": False}, {"default_config": True}]
        scheduler = Schedule(max_lr=1.0, lr_decay_steps=100, lr_decay_style="linear").build(Together(groups))
        assert scheduler.report()["default"]["lr"] == 1.0
        assert groups[0]["lr"] == 5.0


def run_of(schedule: Schedule, steps: int = 0) -> tuple[Any, list[Any], OptimizerParamScheduler]:
    model = Model()
    optimizers = muon_and_adam(model, schedule)
    scheduler = schedule.build(optimizers)
    list(trained(model, optimizers, steps, scheduler))
    return model, optimizers, scheduler


def saved(run: tuple[Any, list[Any], OptimizerParamScheduler]) -> dict[str, Any]:
    model, optimizers, scheduler = run
    return copy.deepcopy(
        {
            "model": model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in optimizers],
            "opt_param_scheduler": scheduler.state_dict(),
        }
    )


def resumed(schedule: Schedule, state: dict[str, Any]) -> tuple[Any, list[Any], OptimizerParamScheduler]:
    model, optimizers, scheduler = run_of(schedule)
    model.load_state_dict(state["model"])
    for optimizer, own in zip(optimizers, state["optimizers"], strict=True):
        optimizer.load_state_dict(copy.deepcopy(own))
    scheduler.load_state_dict(state["opt_param_scheduler"])
    return model, optimizers, scheduler


def held(scheduler: OptimizerParamScheduler) -> list[Any]:
    return [(group["role"], group["lr"], group["weight_decay"]) for group in scheduler.optimizer.param_groups]


class TestResume:
    @pytest.mark.parametrize("steps", [0, 1, 7, 40, 75, 105])
    def test_a_resumed_run_is_the_one_that_ran_on(self, steps: int) -> None:
        through = run_of(THREE, steps)
        again = resumed(THREE, saved(through))
        assert held(again[2]) == held(through[2])
        losses = [list(trained(model, optimizers, 8, scheduler)) for model, optimizers, scheduler in (through, again)]
        assert losses[0] == losses[1]
        assert held(again[2]) == held(through[2])

    @pytest.mark.parametrize("policy", ["strict", "checkpoint", "override"])
    def test_at_every_step_the_rest_of_each_curve_is_the_same(self, policy: str) -> None:
        roles = ("default", "router", "muon", "biases", "router+biases")
        through = THREE.build(Together([{"role": role} for role in roles]))
        states, curve = [through.state_dict()], [held(through)]
        for _ in range(206):
            through.step(5)
            states.append(through.state_dict())
            curve.append(held(through))
        again = Schedule(**BASE, groups=[ROUTER, MUON, BIASES], resume=policy).build(
            Together([{"role": role} for role in roles])
        )
        for at, state in enumerate(states):
            again.load_state_dict(state)
            found = [held(again)]
            for _ in range(3):
                again.step(5)
                found.append(held(again))
            assert found[: len(curve) - at] == curve[at : at + 4]

    def test_the_state_holds_rules_and_no_values_of_groups(self) -> None:
        state = run_of(THREE, 3)[2].state_dict()
        assert '"role": "router"' in state["schedframe"]
        more = THREE.build(Together([{"role": role} for role in ("default", "router", "muon", "biases")] * 3))
        more.step(30)
        assert more.state_dict() == state

    def changed(self, **sets: Any) -> Schedule:
        return Schedule(**BASE, groups=[{**ROUTER, **sets}, MUON, BIASES])

    def test_strict_refuses_another_rule_with_the_difference(self) -> None:
        state = saved(run_of(THREE, 50))
        with pytest.raises(StateError) as caught:
            resumed(self.changed(lr_mult=0.2), state)
        text = str(caught.value)
        assert "groups.router.max_lr" in text
        assert "groups.router.lr_mult" in text
        assert "learning rate of router at step 500" in text
        assert "override: [groups]" in text

    def test_strict_refuses_a_rule_more_and_a_rule_less(self) -> None:
        less = Schedule(**BASE, groups=[MUON, BIASES])
        with pytest.raises(StateError, match=r"groups\.router +no rule +router\(param \*router.weight: init_lr=0.0"):
            THREE.build(Together([{"role": role} for role in ("default", "router", "muon", "biases")])).load_state_dict(
                less.build(Together([{"role": role} for role in ("default", "muon", "biases")])).state_dict()
            )
        with pytest.raises(StateError, match=r"groups\.router +router\(param .* +no rule"):
            less.build(Together([{"role": role} for role in ("default", "muon", "biases")])).load_state_dict(
                run_of(THREE, 50)[2].state_dict()
            )

    def test_override_lets_this_runs_rules_count(self) -> None:
        state = saved(run_of(THREE, 50))
        ours = Schedule(**BASE, groups=[{**ROUTER, "lr_mult": 0.2}, MUON, BIASES], resume="override")
        scheduler = resumed(ours, state)[2]
        assert {role: lr for role, lr, _ in held(scheduler)}["router"] == ours.lr_at(500, "router")

    def test_one_key_may_be_this_runs(self) -> None:
        state = saved(run_of(THREE, 50))
        keys = {"policy": "strict", "override": ["groups"]}
        ours = Schedule(**BASE, groups=[{**ROUTER, "lr_mult": 0.2}, MUON, BIASES], resume=keys)
        assert {role: lr for role, lr, _ in held(resumed(ours, state)[2])}["router"] == ours.lr_at(500, "router")

    def test_checkpoint_lets_its_rules_count(self) -> None:
        state = saved(run_of(THREE, 50))
        ours = Schedule(
            **BASE,
            groups=[{**ROUTER, "lr_mult": 0.2}, {**MUON, "lr_decay_style": "linear"}, BIASES],
            resume="checkpoint",
        )
        scheduler = resumed(ours, state)[2]
        assert {role: lr for role, lr, _ in held(scheduler)} == {
            role: THREE.lr_at(500, role) for role in ("default", "router", "muon", "biases")
        }
        assert scheduler.groups == THREE.groups
        scheduler.step(100)
        assert {role: lr for role, lr, _ in held(scheduler)}["muon"] == THREE.lr_at(600, "muon")

    def test_checkpoint_cannot_bring_rules_for_other_groups(self) -> None:
        state = saved(run_of(THREE, 50))
        ours = Schedule(
            **BASE,
            groups=[{**ROUTER, "match": {"param": "router.*"}}, MUON, {**BIASES, "match": {"param": "fc*.bias"}}],
            resume="checkpoint",
        )
        with pytest.raises(
            StateError, match=r"the checkpoint's rules for param groups are router \(param \*router.weight\)"
        ):
            ours.build(muon_and_adam(Model(), ours)).load_state_dict(state["opt_param_scheduler"])

    def test_a_state_of_megatrons_says_nothing_of_rules(self) -> None:
        from schedframe import SchedframeWarning
        from schedframe._run.resume.write import TEN_KEYS

        state = run_of(THREE, 50)[2].state_dict()
        scheduler = run_of(Schedule(**BASE, groups=[ROUTER, MUON, BIASES], resume="override"))[2]
        scheduler.load_state_dict({key: state[key] for key in TEN_KEYS})
        assert held(scheduler) == held(run_of(THREE, 50)[2])
        strict = run_of(THREE)[2]
        with pytest.warns(SchedframeWarning, match="the rules for param groups"):
            strict.load_state_dict({key: state[key] for key in TEN_KEYS})

    def test_roles_in_a_checkpoints_groups_do_not_count(self) -> None:
        """An optimizer's load brings the old run's roles and multipliers with the groups."""
        scheduler = THREE.build(Together([{"role": role} for role in ("default", "router", "muon", "biases")]))
        state = scheduler.state_dict()
        before = copy.deepcopy(scheduler.optimizer.param_groups)
        stale = [{"role": "muon", "wd_mult": 7.0, "lr": 9.0, "weight_decay": 9.0} for _ in range(4)]
        scheduler.optimizer.param_groups = [{**old} for old in stale]
        scheduler.load_state_dict(state)
        after = [
            {key: group.get(key) for key in old}
            for group, old in zip(scheduler.optimizer.param_groups, before, strict=True)
        ]
        assert [group["role"] for group in after] == ["default", "router", "muon", "biases"]
        assert [group["lr"] for group in after] == [group["lr"] for group in before]
        assert after[3]["weight_decay"] == 0.0

    def test_a_load_that_fails_leaves_everything(self) -> None:
        scheduler = THREE.build(Together([{"role": role} for role in ("default", "router", "muon", "biases")]))
        scheduler.step(500)
        before = copy.deepcopy(scheduler.optimizer.param_groups)
        other = self.changed(lr_mult=0.2).build(
            Together([{"role": role} for role in ("default", "router", "muon", "biases")])
        )
        with pytest.raises(StateError):
            scheduler.load_state_dict(other.state_dict())
        assert scheduler.optimizer.param_groups == before
        assert scheduler.groups == THREE.groups

    def test_current_is_each_roles_own_rate(self) -> None:
        state = run_of(THREE, 50)[2].state_dict()
        keys = {**BASE, "start_step": 500, "init_lr": "current", "lr_warmup_steps": 100, "resume": "override"}
        again = Schedule(**keys, groups=[ROUTER, MUON, BIASES])
        scheduler = again.build(Together([{"role": role} for role in ("default", "router", "muon", "biases")]))
        scheduler.load_state_dict(state)
        assert held(scheduler) == [
            (role, THREE.lr_at(500, role), THREE.wd_at(500, role)) for role in ("default", "router", "muon", "biases")
        ]
        scheduler.step(100)
        assert [lr for _, lr, _ in held(scheduler)] == [1e-3, 1e-4, 2e-2, 1e-3]


class TestSeveralOptimizers:
    def test_groups_are_seen_as_they_are_now(self) -> None:
        first, second = Together([{}]), Together([{}])
        scheduler = Schedule(**BASE).build([first, second])
        second.param_groups = [{}]
        scheduler.step(10)
        assert [first.param_groups[0]["lr"], second.param_groups[0]["lr"]] == [1e-3, 1e-3]

    def test_the_constructor_takes_a_list_too(self) -> None:
        first, second = Together([{}]), Together([{}])
        scheduler = OptimizerParamScheduler([first, second], 0.0, 1.0, 0.0, 0, 100, "linear", 0.0, 0.0, 100, "constant")
        scheduler.step(50)
        assert [group["lr"] for group in scheduler.optimizer.param_groups] == [0.5, 0.5]


def test_no_rules_are_no_roles() -> None:
    scheduler = Schedule(**BASE).build(Together([{"role": "mine"}]))
    assert scheduler.groups == ()
    assert scheduler.optimizer.param_groups[0]["role"] == "mine"
    assert Roles().indices == {"default": []}


def test_a_build_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        THREE.build(muon_and_adam(Model()))
