"""Param groups that were made without weight decay keep none, as Megatron's groups with ``wd_mult`` 0 do."""

from collections.abc import Iterable, Sequence
from typing import Any

from schedframe._errors import Problem
from schedframe._process import log_once
from schedframe._run.groups.roles import is_tag
from schedframe._schedule.schedule import Schedule
from schedframe.adapters._hooks import replace_hook

Group = dict[str, Any]

WD_MULT = "wd_mult"


class Undecayed:
    """Which param groups of an optimizer have a ``wd_mult``, by index.

    Loading an optimizer replaces the dicts of its groups by the checkpoint's, which may lack it.
    """

    def __init__(self, schedule: Schedule, optimizer: Any) -> None:
        """Mark the groups with a ``weight_decay`` of 0 beside others, and mark them again after each load.

        Raises:
            ConfigError: the schedule has weight decay, and all of several groups were made with none.
        """
        groups: Sequence[Group] = optimizer.param_groups
        mark_undecayed(schedule, groups)
        self._held = [group.get(WD_MULT) for group in groups]
        replace_hook(optimizer, "register_load_state_dict_post_hook", self._restore_hook)

    def remember(self, groups: Iterable[Group]) -> None:
        """Remember what `groups` hold now."""
        self._held = [group.get(WD_MULT) for group in groups]

    def restore(self, groups: Iterable[Group]) -> None:
        """Give each of `groups` that has none its ``wd_mult`` back."""
        for held, group in zip(self._held, groups, strict=False):
            if held is not None and group.get(WD_MULT) is None:
                group[WD_MULT] = held

    def _restore_hook(self, optimizer: Any) -> None:
        self.restore(optimizer.param_groups)


def mark_undecayed(schedule: Schedule, groups: Sequence[Group]) -> None:
    """Give each of `groups` with a ``weight_decay`` of 0 beside others a ``wd_mult`` of 0, and the others 1.

    Those that have one keep it. The others are marked where they were made with one value, so that they stay what they
    are when the schedule has brought their weight decay to 0 and another one is built.

    Raises:
        ConfigError: the schedule has weight decay, and all of several groups were made with none.
    """
    unmarked = [(index, group) for index, group in enumerate(groups) if group.get(WD_MULT) is None]
    free = [index for index, group in unmarked if group.get("weight_decay") == 0.0]
    has_wd = schedule.start_wd is not None or any("start_wd" in rule.sets() for rule in schedule.groups)
    if not has_wd or not free or len(groups) == 1:
        return
    if len(free) < len(groups):
        decayed = [group for index, group in unmarked if index not in free]
        if len({group.get("weight_decay") for group in decayed}) == 1:
            for group in decayed:
                group[WD_MULT] = 1.0
        for index in free:
            groups[index][WD_MULT] = 0.0
        log_once("param groups %s have no weight decay, beside others that have, and keep none: wd_mult = 0.0", free)
    elif not any(is_tag(key) for group in groups for key in group):
        fault = (
            "cannot be used: all of the optimizer's param groups were made with weight_decay = 0.0, the default of "
            "transformers.TrainingArguments, and nothing shows which of them are to have weight decay. Make those with "
            "another value, such as start_wd, or give each group its wd_mult, 1.0 or 0.0"
        )
        raise schedule.origin.error([Problem("start_wd", fault, str(schedule.start_wd))])
