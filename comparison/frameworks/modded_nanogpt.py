"""modded-nanogpt: KellerJordan/modded-nanogpt:train_gpt.py and train_gpt_medium.py at f411b3d.

``step_optimizers`` there multiplies all learning rates by the factor of the step, from 0 on, before each update. The
peak here is that factor's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate, pairwise
from types import SimpleNamespace
from typing import Any

import torch
from case import Case, Framework
from frameworks._checkout import checkout, definitions

FOLDER = checkout("modded-nanogpt")
SCHEDULED, EXTENSION = 1270, 15
SCHEDULED_MEDIUM, EXTENSION_MEDIUM = 4700, 40


def small(cooldown_frac: float) -> Callable[[], list[float]]:
    """Return the factors of train_gpt.py, with its own stages."""

    def rates() -> list[float]:
        used = {"dataclass": dataclass, "accumulate": accumulate, "pairwise": pairwise, "torch": torch, "device": "cpu"}
        names = ("TrainingStage", "TrainingSchedule", "TRAINING_STAGES")
        script = definitions(FOLDER / "train_gpt.py", *names, **used)
        schedule = script.TrainingSchedule(script.TRAINING_STAGES, SCHEDULED, EXTENSION, cooldown_frac)
        return [schedule.get_lr(update) for update in range(SCHEDULED + EXTENSION)]

    return rates


def medium() -> list[float]:
    """Return the factors of train_gpt_medium.py."""
    settings = SimpleNamespace(num_scheduled_iterations=SCHEDULED_MEDIUM, cooldown_frac=0.7)
    script = definitions(FOLDER / "train_gpt_medium.py", "get_lr", args=settings)
    return [script.get_lr(update) for update in range(SCHEDULED_MEDIUM + EXTENSION_MEDIUM)]


def keys(peak: float, last: float, updates: int, *phases: dict[str, Any]) -> dict[str, Any]:
    style = {"style": "phases", "phases": list(phases)}
    return {"clock": "iters", "train_iters": updates, "max_lr": peak, "min_lr": last, "lr_decay_style": style}


def hold(length: int, start: float) -> dict[str, Any]:
    return {"style": "constant", "length": f"{length} iters", "from": start, "jump": True}


def fall(length: int, start: float) -> dict[str, Any]:
    return {"style": "linear", "length": f"{length} iters", "from": start, "jump": True}


def small_keys(cooldown_start: int) -> dict[str, Any]:
    """Return the file of train_gpt.py: three stages of a third, of which the last two are cooled down."""
    second, third = round(SCHEDULED / 3), round(SCHEDULED * 2 / 3)
    done = (third - cooldown_start) / (SCHEDULED - cooldown_start)
    return keys(
        1.73,
        0.15,
        SCHEDULED + EXTENSION,
        hold(second, 1.0),
        hold(cooldown_start - second, 1.52),
        {"style": "linear", "length": f"{third - cooldown_start} iters", "to": 1.52 * (1 - done) + 0.15 * done},
        fall(SCHEDULED - third, 1.73 * (1 - done) + 0.15 * done),
        {"style": "constant"},
    )


CASES = [
    Case(
        "train_gpt.py, cooldown_frac 0.6",
        SCHEDULED + EXTENSION,
        small(0.6),
        keys(
            1.73,
            0.15,
            SCHEDULED + EXTENSION,
            hold(423, 1.0),
            hold(85, 1.52),
            {"style": "linear", "length": "762 iters"},
            {"style": "constant"},
        ),
        small_keys(508),
        "The factor of a stage is multiplied within the cooldown too, which jumps there; its ends are computed.",
    ),
    Case(
        "train_gpt.py, cooldown_frac 0.3",
        SCHEDULED + EXTENSION,
        small(0.3),
        keys(
            1.73,
            0.15,
            SCHEDULED + EXTENSION,
            hold(423, 1.0),
            hold(424, 1.52),
            hold(42, 1.73),
            {"style": "linear", "length": "381 iters"},
            {"style": "constant"},
        ),
    ),
    Case(
        "train_gpt_medium.py",
        SCHEDULED_MEDIUM + EXTENSION_MEDIUM,
        medium,
        keys(
            2.0,
            0.1,
            SCHEDULED_MEDIUM + EXTENSION_MEDIUM,
            hold(392, 1.0),
            hold(392, 1.52),
            hold(392, 1.73),
            hold(234, 2.0),
            {"style": "linear", "length": "3290 iters"},
            {"style": "constant"},
        ),
        note="A stage begins after each twelfth of the run.",
    ),
]
FRAMEWORK = Framework("modded-nanogpt", "KellerJordan/modded-nanogpt at f411b3d", CASES)
