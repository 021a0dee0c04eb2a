"""What importers write: shares, lengths in iterations, constant weight decay."""

from decimal import Decimal
from typing import Any

from schedframe.importers._draft import Draft


def percent(share: float) -> str:
    """Return a share as a percentage, without the rounding of a multiplication."""
    return f"{(Decimal(str(share)) * 100).normalize():f}%"


def iters(count: float) -> str:
    """Return a length in iterations as a config has it."""
    return f"{count} iters"


def in_iters(draft: Draft, run: Any, *paths: str) -> None:
    """Let the schedule count iterations, of which the run has as many as `run`, from the values at `paths`."""
    draft.put("clock", "iters")
    draft.put("train_iters", run, *paths)


def whole_run(draft: Draft, *paths: str, why: str) -> int:
    """Return the iterations of the run: the first positive count at `paths`, or what ``--train-iters`` gives."""
    for path in paths:
        value = draft.number(path)
        if value is not None and value > 0:
            run = draft.count(path)
            in_iters(draft, run, path)
            return int(run)
    run = int(draft.ask("train_iters", why))
    in_iters(draft, run)
    return run


def constant_weight_decay(draft: Draft, path: str, default: float) -> None:
    """Set the weight decay, which does not change in most frameworks."""
    draft.put("start_wd", draft.number(path, default), path)


def warm_up(draft: Draft, steps: int, run: int, *paths: str) -> None:
    """Set the warmup of `steps` iterations; a run may end within it."""
    if steps:
        draft.put("lr_warmup_steps", iters(steps), *paths)
    if steps >= run:
        draft.assume(f"the run of {run} iterations ends within its warmup of {steps}")


def phased(*phases: dict[str, Any]) -> dict[str, Any]:
    """Return the style that runs `phases` one after the other."""
    return {"style": "phases", "phases": list(phases)}
