"""A real Megatron Core mixture of experts trained under rules for param groups; prints what happened, as JSON.

``python groups_run.py``, with docs/examples/train_gpt on the path. What is right is said in test_groups.py.
"""

from __future__ import annotations

import copy
import json
from importlib.metadata import version
from typing import Any

from packaging.version import Version

if __name__ == "__main__":  # pytest looks for doctests in here, and needs no Megatron for that
    import gpt
    import mixture
    import torch

    from schedframe import Schedule

STEPS = 40

PIECEWISE = {
    "style": "phases",
    "phases": [
        {"style": "constant", "length": 60, "name": "plateau"},
        {"style": {"style": "minus-power", "power": 0.6}, "length": 80, "to": "20%", "name": "fast"},
        {"style": "linear", "name": "slow"},
    ],
}
BASE: dict[str, Any] = {
    "train_samples": 160,
    "max_lr": 1e-3,
    "min_lr": 1e-4,
    "lr_warmup_steps": 8,
    "lr_decay_style": "cosine",
    "start_wd": 0.1,
    "end_wd": 0.2,
    "wd_incr_style": "linear",
}
RULES: list[dict[str, Any]] = [
    {"role": "router", "match": {"param": "*.router.*"}, "lr_mult": 0.1},
    {"role": "experts", "match": {"regex": r"experts\..*weight$"}, "lr_mult": 20, "lr_decay_style": PIECEWISE},
    {"role": "no decay", "match": {"key": {"wd_mult": 0.0}}, "lr_warmup_steps": 40},
]
OWN_BOUNDS: dict[str, Any] = {"role": "experts", "match": {"param": "*experts*"}, "max_lr": 2e-2, "start_wd": 0.01}


def bounds_are_identity() -> bool:
    """Whether a load of Megatron's optimizer finds a group by its bounds, and refuses others, as from 0.19 on."""
    return Version(version("megatron-core")) >= Version("0.19")


def built(rules: list[dict[str, Any]], distributed: bool, **changes: Any) -> tuple[Any, Any, Any]:
    """Return a model, its optimizer and its scheduler under `rules`."""
    return mixture.built(Schedule(**{**BASE, **changes}, groups=rules), distributed)


def trained(model: Any, optimizer: Any, scheduler: Any, steps: int) -> dict[str, Any]:
    """Train, and return the losses and what each group held before each update."""
    generator = torch.Generator().manual_seed(scheduler.num_steps)
    losses, rows = [], []
    for _ in range(steps):
        rows.append([[group["lr"], group["weight_decay"]] for group in optimizer.param_groups])
        samples = torch.randint(mixture.VOCABULARY, (4, 1), generator=generator).repeat(1, mixture.LENGTH + 1)
        losses.append(mixture.update(model, optimizer, samples))
        scheduler.step(increment=4)
    return {"losses": losses, "rows": rows, "report": scheduler.report()}


def groups_of(optimizer: Any, scheduler: Any) -> list[dict[str, Any]]:
    kept = ("max_lr", "min_lr", "start_wd", "wd_mult", "lr_mult", "default_config")
    roles = scheduler._role_plans.roles.by_index
    return [
        {"role": role, **{key: group[key] for key in kept if key in group}}
        for role, group in zip(roles, optimizer.param_groups, strict=True)
    ]


def training(rules: list[dict[str, Any]], distributed: bool) -> dict[str, Any]:
    model, optimizer, scheduler = built(rules, distributed)
    return {"groups": groups_of(optimizer, scheduler), **trained(model, optimizer, scheduler, STEPS)}


def resuming(**changes: Any) -> dict[str, Any]:
    """Stop in the middle, load everything in a fresh model and optimizer, and go on."""
    model, optimizer, scheduler = built(RULES, False)
    trained(model, optimizer, scheduler, STEPS // 2)
    state = copy.deepcopy([model.state_dict(), optimizer.state_dict(), scheduler.state_dict()])
    model, optimizer, scheduler = built(RULES, False, **changes)
    model.load_state_dict(state[0])
    optimizer.load_state_dict(state[1])
    scheduler.load_state_dict(state[2])
    return {"groups": groups_of(optimizer, scheduler), **trained(model, optimizer, scheduler, STEPS // 2)}


def unbroken() -> dict[str, Any]:
    """The same without a stop; the samples are those of two halves."""
    model, optimizer, scheduler = built(RULES, False)
    trained(model, optimizer, scheduler, STEPS // 2)
    return trained(model, optimizer, scheduler, STEPS // 2)


def main() -> dict[str, Any]:
    """Return the answers."""
    with gpt.distributed(seed=1):
        return {
            "fp32": training(RULES, False),
            "distributed": training(RULES, True),
            "own bounds": training([OWN_BOUNDS], True),
            "unbroken": unbroken(),
            "resumed": resuming(),
            "resumed with another peak": None if bounds_are_identity() else resuming(max_lr=5e-4, resume="override"),
        }


if __name__ == "__main__":
    print(json.dumps(main()))
