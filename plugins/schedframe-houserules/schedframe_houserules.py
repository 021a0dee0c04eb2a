"""Policy checks from a policy file, for schedframe.

The environment variable ``SCHEDFRAME_HOUSERULES`` names a TOML file with caps for every schedule::

    max_lr = 1e-2          # highest max_lr
    end_wd = 0.2           # highest end_wd
    lr_warmup_share = 0.2  # longest warmup, as a part of the decay

The schedules of param groups with rules are checked too. Without the variable there are no caps.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import schedframe

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

VARIABLE = "SCHEDFRAME_HOUSERULES"
CAPS = ("max_lr", "min_lr", "init_lr", "start_wd", "end_wd", "lr_warmup_share")


@schedframe.hookimpl
def schedframe_check(schedule: "schedframe.Schedule") -> list[str]:
    """Return a complaint for each cap that `schedule`, or the schedule of one of its roles, is above."""
    path = os.environ.get(VARIABLE)
    if not path:
        return []
    caps = read(Path(path))
    roles = ["default", *(rule.role for rule in schedule.groups)]
    return [complaint for role in roles for complaint in _complaints(schedule.for_role(role), role, caps, path)]


def read(path: Path) -> Mapping[str, float]:
    """Return the caps of the policy file at `path`.

    Raises:
        ValueError: it cannot be read, or contains something else than caps.
    """
    try:
        caps = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{VARIABLE} names {path}, which cannot be read: {error}") from error
    for key, value in caps.items():
        if key not in CAPS:
            raise ValueError(f"{path}: {key} is not a cap; the caps are {', '.join(CAPS)}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
            raise ValueError(f"{path}: {key} = {value!r} is not a number of at least 0")
    return caps


def _complaints(schedule: Any, role: str, caps: Mapping[str, float], path: str) -> Iterator[str]:
    values = {key: getattr(schedule, key) for key in CAPS if key != "lr_warmup_share"}
    values["lr_warmup_share"] = schedule.lr_warmup_steps / schedule.lr_decay_steps
    of_role = "" if role == "default" else f" of the role {role}"
    for key, cap in caps.items():
        value = values[key]
        if isinstance(value, int | float) and value > cap:
            yield f"{key}{of_role} is {value:g}, above the cap of {cap:g} in {path}"
