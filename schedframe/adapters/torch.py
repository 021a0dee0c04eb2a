"""A schedule as a ``torch.optim.lr_scheduler.LRScheduler``, for every loop that steps one once an update."""

import inspect
from collections.abc import Mapping, Sequence
from math import isclose
from types import FrameType
from typing import Any

import torch
from torch.optim.lr_scheduler import ChainedScheduler, LRScheduler, SequentialLR

from schedframe._errors import SchedframeError, StateError
from schedframe._schedule.schedule import Schedule
from schedframe.adapters._hooks import replace_hook
from schedframe.adapters._jump import Values, refuse_jump
from schedframe.adapters._rate import StepRate, without_wrappers
from schedframe.adapters._undecayed import Undecayed
from schedframe.adapters._updates import ScheduleLike, Updates, as_schedule, whole

Group = dict[str, Any]


class ScheduledLR(LRScheduler):
    """Writes the learning rate and the weight decay of a schedule into the param groups of a torch optimizer.

    One ``step()`` is one update of the optimizer, which is one iteration of the schedule: the config's
    ``global_batch_size``, its ramp and its ``seq_length`` count. The values are those of
    `schedframe.OptimizerParamScheduler` at the same iteration, and a state of the one loads into the other.

    Where an optimizer has param groups with a ``weight_decay`` of 0 beside others, as trainers make for biases and
    norms, those keep none.

    Args:
        optimizer: a torch optimizer, or a wrapper of one that is an optimizer too, such as accelerate's.
        schedule: a `Schedule`, or the path of its file.
        num_training_steps: how many updates the trainer makes. It must be the length of the schedule's run; a schedule
            without one is checked as if it had this one.
        calls_per_update: how often ``step()`` is called for one update: ``accelerator.num_processes`` under accelerate.
        last_epoch: as in torch, the index of the last update that was made, from 0: n - 1 to go on after n updates of
            whatever scheduler. The optimizer must hold the learning rates of that update then, as it does after its
            checkpoint is loaded.
        allow_jump: let the learning rate jump where the schedule goes on from another scheduler.
        process_group: the ranks that build; see `Schedule.build`.
        use_checkpoint_opt_param_scheduler: on resume the checkpoint's schedule is used; see `Schedule.build`.
        override_opt_param_scheduler: on resume this schedule is used, also where the checkpoint is of another
            scheduler; see `Schedule.build`.

    Raises:
        ConfigError: the schedule has problems, does not give the samples of an update, is for another number of
            updates, or contradicts the optimizer's groups.
        StateError: the learning rate would jump at `last_epoch`.

    Attributes:
        schedule: the schedule.
        running: the `OptimizerParamScheduler` behind it.
        last_epoch: how many updates were made, from the start of the run; that of the file's parent counts.
    """

    _is_started = False
    _loaded: Mapping[str, Any] | None = None
    _has_loaded_values = False
    _update: int
    _increment: int
    _until: float

    def __init__(
        self,
        optimizer: Any,
        schedule: ScheduleLike,
        *,
        num_training_steps: int | None = None,
        calls_per_update: int = 1,
        last_epoch: int = -1,
        allow_jump: bool = False,
        process_group: Any = None,
        use_checkpoint_opt_param_scheduler: bool | None = None,
        override_opt_param_scheduler: bool | None = None,
    ) -> None:
        """Write the first values, or those of the update after `last_epoch`."""
        schedule = as_schedule(schedule)
        self._updates = Updates(schedule)
        self.schedule: Schedule = self._updates.schedule_for(num_training_steps)
        if whole(calls_per_update) < 1:
            raise SchedframeError("calls_per_update must be at least 1")
        self._calls_per_update = calls_per_update
        self._allows_jump = allow_jump
        inner = without_wrappers(optimizer)
        before = _values(inner.param_groups)
        self._undecayed = Undecayed(schedule, inner)
        self.running = self.schedule.build(
            optimizer,
            process_group=process_group,
            use_checkpoint_opt_param_scheduler=use_checkpoint_opt_param_scheduler,
            override_opt_param_scheduler=override_opt_param_scheduler,
        )
        self._undecayed.remember(optimizer.param_groups)
        for group in optimizer.param_groups:
            own = group.get("max_lr")
            group["initial_lr"] = self.running.plan_of(group).max_lr if own is None else own
        replace_hook(inner, "register_load_state_dict_post_hook", self._follow_optimizer)
        self.rate = StepRate(inner, calls_per_update, self._is_followed)
        super().__init__(optimizer)
        self._is_started = True
        if last_epoch != -1:
            self._take_over(whole(last_epoch) + 1, before)
        else:
            self._arrive(int(self._updates.first))

    def step(self, epoch: int | None = None) -> None:
        """Advance by one update, or, with ``calls_per_update``, by one call.

        Args:
            epoch: go to this update instead, from the start of the run.

        Raises:
            PluginError: a style fails.
            StateError: `epoch` is not a number of updates, or lies before the start of the schedule.
        """
        if not self._is_started:
            return  # the base class steps once when it is built
        rate = self.rate
        rate.calls += 1
        if rate.calls == 1:
            self._loaded, self._has_loaded_values = None, False
            _refuse_composition(inspect.currentframe())
        if epoch is not None:
            self._go_to(epoch)
            return
        if rate.calls % self._calls_per_update:
            return
        update = self._update + 1
        if update > self._until:
            self._increment, self._until = self._updates.stretch_at(self._update)
        self.running.step(self._increment)
        self._update = update
        self._step_count = update + 1
        self._last_lr = [
            lr if (lr := group["lr"]).__class__ is float else _copied(lr) for group in self.optimizer.param_groups
        ]

    @property
    def last_epoch(self) -> int:
        """How many updates were made, from the start of the run."""
        return self._update

    @last_epoch.setter
    def last_epoch(self, update: int) -> None:
        if self._is_started and update != self._update:
            raise SchedframeError(
                f"last_epoch of a ScheduledLR cannot be set; step(epoch={update}) goes there. SequentialLR sets it: "
                f"several schedules one after the other are the phases of one file (lr_decay_style: phases)"
            )
        self._update = update

    def get_lr(self) -> list[Any]:
        """Return the learning rate that each param group has now."""
        return _copies([group["lr"] for group in self.optimizer.param_groups])

    def report(self) -> dict[str, dict[str, float | str | None]]:
        """Return what runs now, by role; see `OptimizerParamScheduler.report`."""
        return self.running.report()

    def metrics(self, prefix: str = "schedule/") -> dict[str, float]:
        """Return what runs now as flat numbers for a tracker; see `OptimizerParamScheduler.metrics`."""
        return self.running.metrics(prefix)

    @property
    def fingerprint(self) -> str:
        """A digest of everything that determines the curves, for the tracker's config; see `Schedule.fingerprint`."""
        return self.running.fingerprint

    def state_dict(self) -> dict[str, Any]:
        """Return the state of `OptimizerParamScheduler`, which loads it as it is, and torch's ``last_epoch``."""
        return {**self.running.state_dict(), "last_epoch": self._update}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a checkpoint, by the policy of `resume`.

        With ``override``, the state of another scheduler is taken too, by its number of updates, where the two curves
        meet there: of torch, Hugging Face and Lightning (``last_epoch``), and DeepSpeed (``last_batch_iteration``).
        With ``calls_per_update`` it was called as often for each. The optimizer's own state is loaded before, or right
        after, as DeepSpeed's ZeRO does.

        Args:
            state_dict: of `ScheduledLR`, `OptimizerParamScheduler`, Megatron's class, or another scheduler.

        Raises:
            StateError: the state is broken, differs where it must not, or the curves do not meet.
        """
        self._loaded = state_dict
        self._undecayed.restore(self.optimizer.param_groups)
        calls = _calls_of_another(state_dict)
        if calls is not None:
            updates, rest = divmod(calls, self._calls_per_update)
            if rest:
                raise StateError(
                    f"the checkpoint holds the state of another scheduler after {calls} calls of step(), which is not "
                    f"a whole number of updates with calls_per_update={self._calls_per_update}"
                )
            if not self.running.override_opt_param_scheduler:
                raise StateError(
                    f"the checkpoint holds the state of another scheduler, after {updates} updates, and no schedule. "
                    "To continue from there with this schedule, give override_opt_param_scheduler=True, or "
                    "`resume: override` in "
                    f"the file"
                )
            held = _values(self.optimizer.param_groups) if self._has_loaded_values else ()
            self._take_over(updates, _values_of_another(state_dict, held, len(self.optimizer.param_groups)))
            return
        self.running.load_state_dict(state_dict)
        self._arrive(int(self._updates.update_at(self.running.num_steps)))

    def _follow_optimizer(self, _: Any) -> None:
        """Load again after the optimizer, which has the values of the checkpoint in its groups now."""
        self._has_loaded_values = True
        self._undecayed.restore(self.optimizer.param_groups)
        if self._loaded is not None:
            self.load_state_dict(self._loaded)

    def _take_over(self, update: int, before: Sequence[Values]) -> None:
        """Go on after `update` updates of another scheduler, which left the values `before` in the groups.

        Raises:
            StateError: a value would jump; nothing is changed.
        """
        count = self._updates.count_after(update)
        for index, (group, values) in enumerate(zip(self.optimizer.param_groups, before, strict=False)):
            if not self._allows_jump:
                own = self.running.values_at(count, group)
                refuse_jump(f"of param_groups[{index}]", f"{update} updates", values, own)
        self._go_to(update)

    def _go_to(self, update: Any) -> None:
        """Go to `update`, and write its values.

        Raises:
            StateError: it is not a number of updates, or lies before the start of the schedule.
        """
        update = whole(update)
        self.running.num_steps = self._updates.count_after(update)
        self.running.step(0)
        self._arrive(update)

    def _is_followed(self) -> bool:
        """Return whether every group has the learning rate that the last step wrote."""
        return all(map(isclose, self.get_lr(), self._last_lr))

    def _arrive(self, update: int) -> None:
        self._update, self._step_count = update, update + 1
        self._increment, self._until = self._updates.stretch_at(update)
        self._last_lr = self.get_lr()
        self.rate.restart()


def _refuse_composition(frame: FrameType | None) -> None:
    """Refuse a call of the function of `frame` by what combines several schedulers."""
    caller = frame.f_back.f_locals.get("self") if frame is not None and frame.f_back is not None else None
    if isinstance(caller, ChainedScheduler | SequentialLR):
        raise SchedframeError(
            f"a ScheduledLR cannot be part of a {type(caller).__name__}, which lets several schedulers change one "
            f"learning rate; write the parts as phases of one file (lr_decay_style: phases), and step that alone"
        )


def _copies(lrs: Sequence[Any]) -> list[Any]:
    return [_copied(lr) for lr in lrs]


def _copied(lr: Any) -> Any:
    return lr.clone() if isinstance(lr, torch.Tensor) else lr


def _values(groups: Sequence[Group]) -> list[Values]:
    return [(_copied(group.get("lr")), _copied(group.get("weight_decay"))) for group in groups]


def _calls_of_another(state: Mapping[str, Any]) -> int | None:
    """Return after how many calls the state of another scheduler was saved; ``None`` for one of ours or Megatron's.

    torch's ``last_epoch`` is the number of calls of ``step()``; DeepSpeed's ``last_batch_iteration`` is one less
    (deepspeedai/DeepSpeed:deepspeed/runtime/lr_schedules.py at v0.17.0).
    """
    if "num_steps" in state or "max_lr" in state or "start_lr" in state:
        return None
    if "last_epoch" in state:
        return whole(state["last_epoch"])
    if "last_batch_iteration" in state:
        return whole(state["last_batch_iteration"] + 1)
    return None


def _values_of_another(state: Mapping[str, Any], held: Sequence[Values], groups: int) -> list[Values]:
    """Return what another scheduler left in so many `groups`: what they hold, and the state's learning rates."""
    values = list(held) or [(None, None)] * groups
    lrs = state.get("_last_lr")
    if not isinstance(lrs, list | tuple) or len(lrs) != groups:
        return values
    return [(lr, wd) for lr, (_, wd) in zip(lrs, values, strict=True)]
