"""No style is special: a copy of WSD under another name, in a plugin, is treated exactly as the built-in one."""

import json
from pathlib import Path
from typing import Any

import pytest

import schedframe

from ..runs import Optimizer, cli

COPY = '''
from collections.abc import Iterator
from typing import Literal, final

from pydantic import Field

from schedframe.styles import AnyLRCurve, Cooldown, LRShape, CooldownLength


@final
class Trapezoid(LRShape):
    """What WSD is."""

    style: Literal["trapezoid"] = "trapezoid"
    wsd_decay_steps: CooldownLength = Field(description="Length of the cooldown.")
    lr_wsd_decay_style: AnyLRCurve = Field("exponential", description="Curve of the cooldown.")

    def coefficient_at(self, step: float, warmup_steps: float, decay_steps: float) -> float:
        start = decay_steps - self.wsd_decay_steps
        if step <= start:
            return 1.0
        return self.lr_wsd_decay_style.coefficient(min(float(step - start) / float(self.wsd_decay_steps), 1.0))

    def landmarks(self, warmup_steps: float, decay_steps: float) -> dict[str, float]:
        return {"cooldown start": decay_steps - self.wsd_decay_steps}

    def phase(self, step: float, warmup_steps: float, decay_steps: float) -> str:
        return "stable" if step <= decay_steps - self.wsd_decay_steps else "cooldown"

    def faults(self, warmup_steps: float, decay_steps: float) -> Iterator[tuple[str, str]]:
        room = decay_steps - warmup_steps
        if self.wsd_decay_steps == 0:
            yield "wsd_decay_steps", "must be above 0; the style without a cooldown is `constant`"
        elif self.wsd_decay_steps > room:
            yield (
                "wsd_decay_steps",
                f"is longer than the {room} steps between the end of the warmup and lr_decay_steps, "
                f"so the learning rate would jump where the warmup ends; make it at most {room}",
            )

    def cooldown(self, step: float, warmup_steps: float, decay_steps: float) -> Cooldown:
        return Cooldown(self.lr_wsd_decay_style)
'''
NAMES = ("WSD", "trapezoid")
FILE = """\
train_samples: 500M
max_lr: 3e-4
min_lr: 10%
lr_warmup_steps: 1%
lr_decay_style: {{style: {name}, wsd_decay_steps: {length}, lr_wsd_decay_style: minus_sqrt}}
start_wd: 0.1
"""


@pytest.fixture(autouse=True)
def copy(install: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install("schedframe-copy", COPY, lr_styles={"trapezoid": "schedframe_copy_mod:Trapezoid"})
    monkeypatch.chdir(tmp_path)


def each(run: Any, length: str = "10%") -> list[Any]:
    """Return what `run` gives for a file with each of the two styles, the name aside."""
    found = []
    for name in NAMES:
        Path("run.yaml").write_text(FILE.format(name=name, length=length))
        found.append(json.loads(json.dumps(run()).replace("trapezoid", "WSD")))
    return found


def the_same(run: Any, length: str = "10%") -> Any:
    built_in, plugin = each(run, length)
    assert built_in == plugin
    return built_in


@pytest.mark.parametrize("length", ["10%", "0", "499M", "5M tokens", "fast"])
def test_it_is_validated(length: str) -> None:
    code, _, _ = the_same(lambda: cli("check", "run.yaml", "--ignore", "SF701"), length)
    assert bool(code) == (length != "10%")


@pytest.mark.parametrize("format", ["table", "json", "csv"])
def test_it_is_previewed(format: str) -> None:
    def preview() -> list[Any]:
        code, out, err = cli("preview", "run.yaml", "--format", format)
        return [code, err, " ".join(out.replace("trapezoid", "WSD").split())]

    assert the_same(preview)[0] == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["branch", "run.yaml", "--at", "200M", "--wsd-decay-steps", "20M"],
        ["branch", "run.yaml", "--at", "480M", "--wsd-decay-steps", "20M"],
        ["extend", "run.yaml", "--at", "200M", "--lr-decay-steps", "800M"],
        ["extend", "run.yaml", "--at", "480M", "--lr-decay-steps", "800M"],
    ],
    ids=["branch", "branch within the cooldown", "extend", "extend within the cooldown"],
)
def test_it_is_branched_and_extended(arguments: list[str]) -> None:
    def derive() -> dict[str, Any]:
        done = cli(*arguments, "-o", "new.yaml", "--force")
        schedule = schedframe.load("new.yaml") if done.code == 0 else None
        steps = range(200_000_000, 800_000_001, 10_000_000)
        curve = [schedule.lr_at(step) for step in steps if step >= schedule.start_step] if schedule else []
        done_but_for_the_fingerprint = [done.code, done.out.partition("added parent")[0], done.err]
        return {"done": done_but_for_the_fingerprint, "curve": curve}

    derived = the_same(derive)
    assert bool(derived["curve"]) == ("200M" in arguments)


@pytest.mark.parametrize("policy", ["strict", "checkpoint", "override"])
def test_it_is_resumed(policy: str, recwarn: pytest.WarningsRecorder) -> None:
    def resume() -> list[Any]:
        schedule = schedframe.load("run.yaml")
        written = schedule.build(Optimizer())
        written.step(470_000_000)
        flags = {"use_checkpoint_opt_param_scheduler": policy == "checkpoint"}
        flags["override_opt_param_scheduler"] = policy == "override"
        found: list[Any] = []
        for change in ({}, {"min_lr": 0.0}, {"lr_decay_style": "cosine"}):
            other = schedframe.Schedule(**{**schedule.origin.given, **change})
            resumed = other.build(Optimizer(), **flags)
            try:
                resumed.load_state_dict(written.state_dict())
            except schedframe.StateError as error:
                found.append(" ".join(str(error).replace("trapezoid", "WSD").split()))
            found.append([resumed.get_lr({}), resumed.num_steps])
        return found

    assert len(the_same(resume)) == (5 if policy == "strict" else 3)
