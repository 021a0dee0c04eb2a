"""llm-foundry: mosaicml/llm-foundry:llmfoundry/optim/scheduler.py, in Composer's trainer."""

import importlib
import sys
from importlib.metadata import distribution, version
from types import ModuleType
from typing import Any

from case import Case, Framework
from frameworks.composer import UPDATES, WARM, keys, run


def loaded() -> Any:
    """Return the module of the scheduler, without running what its packages import, which needs accelerators."""
    for package in ("llmfoundry", "llmfoundry.utils", "llmfoundry.optim"):
        module = sys.modules[package] = ModuleType(package)
        module.__path__ = [str(distribution("llm-foundry").locate_file(package.replace(".", "/")))]
    return importlib.import_module("llmfoundry.optim.scheduler")


scheduler = loaded().InverseSquareRootWithWarmupScheduler
POWER_LAW = {"style": "power-law", "timescale": "10 iters"}


def phases(length: int, style: dict[str, Any], **options: Any) -> dict[str, Any]:
    cooldown = {"style": "linear", **options}
    return {"style": "phases", "phases": [{"style": style, "length": f"{length} iters"}, cooldown]}


CASES = [
    Case(
        "InverseSquareRootWithWarmupScheduler, t_warmup 10ba, t_scale 10ba, t_cooldown 0ba",
        UPDATES,
        run(scheduler("10ba", "10ba", "0ba")),
        keys("inverse-square-root", **WARM),
    ),
    Case(
        "t_scale 20ba, alpha_f_decay 0.1",
        UPDATES,
        run(scheduler("10ba", "20ba", "0ba", alpha_f_decay=0.1)),
        keys({"style": "power-law", "timescale": "20 iters", "floor": "tend"}, min_lr="10%", **WARM),
    ),
    Case(
        "t_scale 10ba, t_cooldown 20ba",
        UPDATES,
        run(scheduler("10ba", "10ba", "20ba")),
        keys(phases(30, POWER_LAW), **WARM),
    ),
    Case(
        "t_scale 10ba, t_cooldown 20ba, alpha_f_decay 0.1, alpha_f_cooldown 0.1",
        UPDATES,
        run(scheduler("10ba", "10ba", "20ba", alpha_f_decay=0.1, alpha_f_cooldown=0.1)),
        keys(phases(30, {**POWER_LAW, "floor": "tend"}), min_lr="10%", **WARM),
    ),
]
FRAMEWORK = Framework("llm-foundry", f"llm-foundry {version('llm-foundry')}", CASES)
