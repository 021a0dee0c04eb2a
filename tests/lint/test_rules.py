"""Every rule finds what it is for, and nothing in what is right."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, final

import pytest
from ruamel.yaml import YAML

import schedframe
from schedframe._files.config.document import parse_text
from schedframe._schedule.schedule import declare
from schedframe.lint import Finding, Rule
from schedframe.lint._engine import all_rules
from schedframe.styles import LRCurve, LRPoint, LRShape, LRStyle

HERE = Path(__file__).parent
ALL = [rule for rule, _ in all_rules().values()]
SHOWN = [pytest.param(rule, id=rule.code) for rule in ALL if rule.bad]


def schedule_of(text: str) -> schedframe.Schedule:
    return declare(parse_text(Path("run.yaml"), text))


def findings_in(text: str) -> list[Finding]:
    return schedule_of(text).findings()


def codes_in(text: str) -> list[str]:
    return [finding.code for finding in findings_in(text)]


def serious(schedule: schedframe.Schedule) -> list[str]:
    return [str(finding) for finding in schedule.findings() if finding.severity != "note"]


@pytest.mark.parametrize("rule", SHOWN)
def test_a_rule_finds_something_in_its_bad_example(rule: Rule) -> None:
    assert (rule.code, rule.severity) in [(found.code, found.severity) for found in findings_in(rule.bad)]


@pytest.mark.parametrize("rule", SHOWN)
def test_a_rule_finds_nothing_in_its_good_example(rule: Rule) -> None:
    assert rule.code not in codes_in(rule.good)


@pytest.mark.parametrize("rule", SHOWN)
def test_nothing_is_worse_than_a_note_in_a_good_example(rule: Rule) -> None:
    assert serious(schedule_of(rule.good)) == []


@pytest.mark.parametrize("rule", SHOWN)
def test_a_finding_names_the_line_of_its_key(rule: Rule) -> None:
    found = next(finding for finding in findings_in(rule.bad) if finding.code == rule.code)
    key = found.path.split(".")[0]
    assert found.line is not None
    assert rule.bad.splitlines()[found.line - 1].lstrip(" -{").startswith((key, found.path.split(".")[-1], "role"))


def test_codes_and_names_are_unique() -> None:
    assert len({rule.code for rule in ALL}) == len({rule.name for rule in ALL}) == len(ALL)


def test_every_rule_is_explained() -> None:
    assert all(rule.summary.endswith(".") for rule in ALL)


# --- styles that are at fault ---------------------------------------------------------------------------------


@final
class Backwards(LRCurve):
    style: Literal["backwards"] = "backwards"

    def coefficient(self, progress: float) -> float:
        return progress


@final
class HalfHeight(LRCurve):
    style: Literal["half-height"] = "half-height"

    def coefficient(self, progress: float) -> float:
        return 0.5 * (1.0 - progress)


@final
class Overshoot(LRStyle):
    style: Literal["overshoot"] = "overshoot"

    def lr(self, point: LRPoint) -> float:
        return point.max_lr * (2.0 if 0.51 < point.step / point.decay_steps < 0.53 else 1.0)


@final
class Low(LRStyle):
    style: Literal["low"] = "low"

    def lr(self, point: LRPoint) -> float:
        return point.min_lr if not 0.51 < point.step / point.decay_steps < 0.53 else 0.5 * point.min_lr


@final
class HiddenJump(LRShape):
    style: Literal["hidden-jump"] = "hidden-jump"

    def coefficient_at(self, step: float, warmup_steps: float, decay_steps: float) -> float:
        return 1.0 if step < 0.4321 * decay_steps else 0.5 * (1 - step / decay_steps)


FAULTY: list[tuple[type[LRStyle], list[str]]] = [
    (Backwards, ["SF304", "SF302"]),
    (HalfHeight, ["SF304"]),
    (Overshoot, ["SF003"]),
    (Low, ["SF303"]),
    (HiddenJump, ["SF301"]),
]


@pytest.mark.parametrize(("style", "expected"), FAULTY)
def test_a_faulty_style_is_found_at_once(style: Callable[[], LRStyle], expected: list[str]) -> None:
    schedule = schedframe.Schedule(
        max_lr=1e-3, min_lr=1e-4, lr_decay_steps=1000, lr_warmup_steps=100, lr_decay_style=style()
    )
    assert set(expected) <= {finding.code for finding in schedule.findings()}


def test_a_hidden_jump_is_found_where_it_is() -> None:
    schedule = schedframe.Schedule(max_lr=1e-3, lr_decay_steps=1000, lr_decay_style=HiddenJump())
    (found,) = (finding for finding in schedule.findings() if finding.code == "SF301")
    assert found.step == pytest.approx(432.1, abs=0.1)


def test_a_style_of_a_program_is_noted_as_one_off() -> None:
    schedule = schedframe.Schedule(max_lr=1e-3, lr_decay_steps=1000, lr_decay_style=HiddenJump())
    assert "SF702" in [finding.code for finding in schedule.findings()]


def test_weight_decay_that_a_cuda_graph_freezes_is_logged_at_the_build(caplog: pytest.LogCaptureFixture) -> None:
    torch = pytest.importorskip("torch")
    weight = torch.nn.Parameter(torch.zeros(2))
    optimizer = torch.optim.AdamW([weight], lr=torch.tensor(1e-3), weight_decay=0.1, capturable=True, fused=False)
    schedule = schedframe.Schedule(max_lr=1e-3, lr_decay_steps=100, start_wd=0.0, end_wd=0.1, wd_incr_style="linear")
    schedule.build(optimizer)
    assert [record for record in caplog.records if "SF501" in record.getMessage()]


# --- what is right --------------------------------------------------------------------------------------------


def right_files() -> list[Any]:
    files = YAML(typ="safe").load(HERE / "right_files.yaml")
    return [pytest.param({**file}, id=file["source"][:40]) for file in files]


@pytest.mark.parametrize("keys", right_files())
def test_nothing_is_worse_than_a_note_in_a_schedule_that_was_trained(keys: dict[str, Any]) -> None:
    keys.pop("source")
    assert serious(schedframe.Schedule(**keys)) == []


def keys_of(flags: dict[str, Any]) -> dict[str, Any]:
    """Return the keys of a config that mean what Megatron's `flags` mean."""
    names = {"lr": "max_lr", "min_lr": "min_lr", "lr_warmup_init": "init_lr", "global_batch_size": "global_batch_size"}
    keys = {ours: flags[name] for name, ours in names.items() if name in flags}
    keys["lr_decay_style"] = flags.get("lr_decay_style", "linear")
    for name, ours in (("train", "train"), ("lr_decay", "lr_decay_steps"), ("lr_warmup", "lr_warmup_steps")):
        for unit in ("iters", "samples"):
            if f"{name}_{unit}" in flags:
                value = flags[f"{name}_{unit}"]
                keys[f"train_{unit}" if name == "train" else ours] = value if name == "train" else f"{value} {unit}"
    if "lr_warmup_fraction" in flags:
        keys["lr_warmup_steps"] = f"{100 * flags['lr_warmup_fraction']:g}%"
    if keys["lr_decay_style"] == "WSD":
        tail = {"wsd_decay_steps": flags["lr_wsd_decay_samples"], "lr_wsd_decay_style": flags["lr_wsd_decay_style"]}
        keys["lr_decay_style"] = {"style": "WSD", **tail}
    if "step_batch_size_schedule" in flags:
        keys |= {"step_batch_size_schedule": flags["step_batch_size_schedule"], "seq_length": 8192}
    if "decoupled_lr" in flags:
        head = {"max_lr": flags["decoupled_lr"], "min_lr": flags.get("decoupled_min_lr", flags["min_lr"])}
        keys["groups"] = [{"role": "head", "match": {"param": "*output_layer*"}, **head}]
    if "weight_decay" in flags:
        keys["start_wd"] = flags["weight_decay"]
    return keys


FUNCTIONAL_TESTS = YAML(typ="safe").load(HERE / "megatron_functional_tests.yaml")


@pytest.mark.parametrize("flags", FUNCTIONAL_TESTS, ids=range(len(FUNCTIONAL_TESTS)))
def test_nothing_is_worse_than_a_note_in_megatrons_functional_tests(flags: dict[str, Any]) -> None:
    assert serious(schedframe.Schedule(**keys_of(flags))) == []
