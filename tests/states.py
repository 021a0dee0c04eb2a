"""Scheduler states as tests need them: another run's, edited ones, damaged ones."""

import json
from collections.abc import Mapping
from typing import Any

from schedframe._plan.plan import digest, fingerprint_of
from schedframe._run.resume.write import TEN_KEYS

LEGACY = {
    "max_lr": "start_lr",
    "lr_warmup_steps": "warmup_iter",
    "lr_decay_steps": "end_iter",
    "lr_decay_style": "decay_style",
    "num_steps": "num_iters",
}
"""Older spellings of Megatron's."""


def with_details(state: Mapping[Any, Any], **changes: Any) -> dict[Any, Any]:
    """`state` with `changes` in what our key says, as an editor would make them; ``...`` leaves a part out."""
    details = {**json.loads(state["schedframe"]), **changes}
    return {**state, "schedframe": json.dumps({key: value for key, value in details.items() if value is not ...})}


def as_written(state: Mapping[Any, Any], **changes: Any) -> dict[Any, Any]:
    """`state` with `changes` in what our key says, as a run would have written it that says so: all parts fit.

    Raises:
        Exception: what a state says cannot be written.
    """
    ten = {key: state.get(LEGACY.get(key), state.get(key)) for key in TEN_KEYS}
    said = {**ten, "start_step": 0, **json.loads(state["schedframe"]), **changes}
    fitting = {"digest": digest(ten), "fingerprint": fingerprint_of(said)}
    return with_details(state, **{**changes, **{key: value for key, value in fitting.items() if key not in changes}})
