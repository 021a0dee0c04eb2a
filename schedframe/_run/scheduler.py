"""The running scheduler: Megatron's ``OptimizerParamScheduler``, with styles from the registry."""

import warnings
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Generic, Literal, TypeVar, get_args

from schedframe._errors import ConfigError, Problem, SchedframeWarning, StateError
from schedframe._plan import evaluate
from schedframe._plan.evaluate import values_at, write, write_each
from schedframe._plan.plan import CURRENT, NAMES, Parent, Plan, fingerprint
from schedframe._plan.rule import GroupRule
from schedframe._plugins import hooks as _hooks
from schedframe._process import log_once, log_the_first_time
from schedframe._run import agreement as _ranks
from schedframe._run import arguments as _arguments
from schedframe._run.groups import bounds as _bounds
from schedframe._run.groups import report as _reports
from schedframe._run.groups.following import RolePlans
from schedframe._run.groups.roles import Roles
from schedframe._run.optimizers import together
from schedframe._run.policy import parse_override, parse_parent, policy_of
from schedframe._run.resume import decide as _resume
from schedframe._run.resume import state as _state
from schedframe._run.resume.report import report
from schedframe._units.units import Clock, parse_clock
from schedframe.styles._base import LRStyle, Style, WDStyle
from schedframe.styles._byname import by_lr_style, by_wd_style
from schedframe.styles._flat_wsd import flat_of, is_bare, table_of
from schedframe.styles._installed import source_of
from schedframe.styles._warmup import MEGATRONS, Warmup, parse_warmup

T = TypeVar("T")

StyleLike = str | Mapping[str, Any]
"""A style's name, or a table with its options; wherever one is taken, a style object is too."""


class _OfPlan(Generic[T]):
    """An attribute that the scheduler's plan holds: assigning it makes another plan, which acts at the next step."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, scheduler: "OptimizerParamScheduler", owner: type) -> T:
        found: T = getattr(scheduler.plan, self._name)
        return found

    def __set__(self, scheduler: "OptimizerParamScheduler", value: T) -> None:
        changed: dict[str, Any] = {self._name: value}
        scheduler.plan = replace(scheduler.plan, **changed)


class OptimizerParamScheduler:
    """Anneals learning rate and weight decay of an optimizer's param groups.

    The arguments are those of ``megatron.core.optimizer_param_scheduler.OptimizerParamScheduler``, in its
    order, and become attributes of the same name. They may be assigned from outside: a new value acts at
    the next ``step()``, ``step(0)`` included. Results are equal float for float to Megatron Core 0.16 to
    0.19 wherever Megatron accepts the arguments; docs/explanation/differences.md lists what is different
    on purpose. The constructor ends with ``step(0)``, so that every group holds its first values.

    Args:
        optimizer: anything with ``param_groups``, a list of dicts, or a list of such optimizers; a group's own
            ``max_lr``, ``min_lr``, ``start_wd``, ``end_wd`` win over the scheduler's, and ``wd_mult`` multiplies its
            weight decay.
        init_lr: learning rate at step 0; ``"current"`` is the one that the checkpoint has at `start_step`.
        max_lr: learning rate at the end of warm-up.
        min_lr: the floor.
        lr_warmup_steps: length of the warm-up, in steps of the clock (Megatron: samples).
        lr_decay_steps: where the decay ends, in steps from the start of the run.
        lr_decay_style: a learning-rate style: its name, a table with options, or a `LRStyle`.
        start_wd: weight decay at step 0; ``None``, with `end_wd`, leaves weight decay alone.
        end_wd: weight decay at `wd_incr_steps` and after; it may be below `start_wd`.
        wd_incr_steps: where the weight-decay schedule ends, in steps.
        wd_incr_style: a weight-decay style: its name, a table with options, or a `WDStyle`.
        use_checkpoint_opt_param_scheduler: `load_state_dict` takes the checkpoint's schedule.
        override_opt_param_scheduler: `load_state_dict` keeps this schedule, at the checkpoint's position.
        wsd_decay_steps: length of the tail of ``WSD``, in steps, where the style is given by that name.
        lr_wsd_decay_style: curve of that tail: a name, a table, or a `LRCurve`.
        start_step: the count at which the schedule's own step 0 lies; Megatron's class has no such argument.
        override_keys: keys in which `load_state_dict` keeps this schedule, whatever the flags.
        parent: the schedule that this one continues, ``{"fingerprint": ..., "step": ...}``; its checkpoint is
            loaded with neither flag, too.
        clock: what `step` counts: ``"samples"``, as Megatron, ``"iters"`` or ``"tokens"``.
        lr_warmup_style: shape of the warm-up, a name or a table; by default Megatron's, a straight line.
        roles: rules of a `Schedule` and the groups that they are for, from `Schedule.build`; by default none.

    Raises:
        ConfigError: with everything that is wrong with the arguments.

    Attributes:
        num_steps: the position, in steps; it begins at `start_step`.
        plan: everything that determines both curves; assigning an attribute that it holds makes another plan.
        groups: the rules for param groups.
    """

    plan: Plan
    clock = _OfPlan[Clock]()
    start_step = _OfPlan[float]()
    init_lr = _OfPlan[float | Literal["current"]]()
    max_lr = _OfPlan[float]()
    min_lr = _OfPlan[float]()
    lr_warmup_steps = _OfPlan[float]()
    lr_warmup_style = _OfPlan[Warmup]()
    lr_decay_steps = _OfPlan[float]()
    lr_style = _OfPlan[LRStyle]()
    start_wd = _OfPlan[float | None]()
    end_wd = _OfPlan[float | None]()
    wd_incr_steps = _OfPlan[float]()
    wd_style = _OfPlan[WDStyle]()
    groups = _OfPlan[tuple[GroupRule, ...]]()

    _clocks: ClassVar[tuple[str, ...]] = get_args(Clock)
    _ignores_lr_mult: ClassVar[bool] = True

    def __init__(
        self,
        optimizer: Any,
        init_lr: float | Literal["current"],
        max_lr: float,
        min_lr: float,
        lr_warmup_steps: float,
        lr_decay_steps: float,
        lr_decay_style: StyleLike | LRStyle,
        start_wd: float | None,
        end_wd: float | None,
        wd_incr_steps: float,
        wd_incr_style: StyleLike | WDStyle,
        use_checkpoint_opt_param_scheduler: bool | None = True,
        override_opt_param_scheduler: bool | None = False,
        wsd_decay_steps: float | None = None,
        lr_wsd_decay_style: StyleLike | LRStyle | None = None,
        *,
        start_step: float = 0,
        override_keys: Collection[str] = (),
        parent: Parent | Mapping[str, Any] | None = None,
        clock: Clock = "samples",
        lr_warmup_style: str | Mapping[str, Any] | Warmup = MEGATRONS,
        roles: Roles | None = None,
    ) -> None:
        """Check every argument, then write the first values."""
        self._tail: tuple[Any, Any] = (wsd_decay_steps, lr_wsd_decay_style)
        checked = _arguments.check(
            type(self).__name__,
            numbers={
                "lr_decay_steps": lr_decay_steps,
                "max_lr": max_lr,
                "min_lr": min_lr,
                "init_lr": init_lr,
                "lr_warmup_steps": lr_warmup_steps,
                "start_wd": start_wd,
                "end_wd": end_wd,
                "wd_incr_steps": wd_incr_steps,
                "start_step": start_step,
            },
            lr_decay_style=self._with_tail(lr_decay_style),
            wd_incr_style=wd_incr_style,
            other_problems=[
                *_overridden(type(self)),
                *_contradictory_flags(use_checkpoint_opt_param_scheduler, override_opt_param_scheduler),
                *_arguments.unreadable(
                    "override_keys", lambda keys: parse_override(keys, "strict"), list(override_keys)
                ),
                *_arguments.unreadable("parent", parse_parent, parent),
                *_arguments.unreadable("clock", lambda said: parse_clock(said, known=self._clocks), clock),
                *_arguments.unreadable("lr_warmup_style", parse_warmup, lr_warmup_style),
            ],
        )

        roles = roles or Roles()
        plan = Plan(
            clock=clock,
            start_step=start_step,
            init_lr=init_lr,
            max_lr=float(max_lr),
            min_lr=min_lr,
            lr_warmup_steps=lr_warmup_steps,
            lr_warmup_style=parse_warmup(lr_warmup_style),
            lr_decay_steps=lr_decay_steps,
            lr_style=checked.lr_style,
            start_wd=start_wd,
            end_wd=end_wd,
            wd_incr_steps=wd_incr_steps,
            wd_style=checked.wd_style,
            groups=roles.rules,
        )
        self.use_checkpoint_opt_param_scheduler = use_checkpoint_opt_param_scheduler
        self.override_opt_param_scheduler = override_opt_param_scheduler
        self.override_keys = tuple(override_keys)
        self.parent = None if parent is None else parse_parent(parent)
        self._start(plan, optimizer, roles, checked.mistakes, level=3)

    @classmethod
    def from_plan(
        cls,
        plan: Plan,
        optimizer: Any,
        *,
        roles: Roles,
        policy: str = "strict",
        override_keys: Collection[str] = (),
        parent: Parent | None = None,
    ) -> "OptimizerParamScheduler":
        """Return the scheduler that runs `plan`, whose values are checked already, as `Schedule.build` does.

        Args:
            plan: everything that determines both curves.
            optimizer: as for the constructor.
            roles: the rules of `plan` and the groups that they apply to.
            policy: what `load_state_dict` does; see `Schedule.build`.
            override_keys: as for the constructor.
            parent: as for the constructor.

        Raises:
            ConfigError: the plan's clock is not one of this class, or a subclass overrides `get_lr` or `get_wd`.
        """
        problems = [
            *_overridden(cls),
            *_arguments.unreadable("clock", lambda said: parse_clock(said, known=cls._clocks), plan.clock),
        ]
        if problems:
            raise ConfigError(cls.__name__, problems)
        self = cls.__new__(cls)
        self._tail = (None, None)
        self.use_checkpoint_opt_param_scheduler = policy == "checkpoint"
        self.override_opt_param_scheduler = policy == "override"
        self.override_keys = tuple(override_keys)
        self.parent = parent
        self._start(plan, optimizer, roles, (), level=5)
        return self

    def _start(self, plan: Plan, optimizer: Any, roles: Roles, mistakes: Iterable[str], *, level: int) -> None:
        """Take the groups of `optimizer` over, and write the first values."""
        self.plan = plan
        self.num_steps = plan.start_step
        self.optimizer = together(optimizer)
        self._role_plans = RolePlans(roles)
        groups = list(self.optimizer.param_groups)
        own = self._role_plans.mistakes(plan, groups, ignores_lr_mult=self._ignores_lr_mult)
        for mistake in (*mistakes, *own):
            warnings.warn(mistake, SchedframeWarning, stacklevel=level)
        for followed, group in zip(self._role_plans.each(self.plan, groups), groups, strict=True):
            if followed.plan is not plan:
                group.update(_bounds.with_followed_bounds(plan, followed, group))
        _bounds.unshare(groups)
        self._memory = _bounds.OriginalBounds(
            self._role_plans.each(self.plan, groups), groups, with_roles=bool(roles.rules)
        )
        if plan.init_lr != CURRENT:
            self.step(0)
        log_once(
            "lr style %s from %s; wd style %s from %s",
            *(self.lr_decay_style, source_of(self.lr_style)),
            *(self.wd_incr_style, source_of(self.wd_style)),
        )
        _hooks.announce(self)

    def __repr__(self) -> str:
        """Return the position and the schedule, attribute by attribute: frameworks write it into their logs."""
        said = ", ".join(f"{name}={getattr(self, name)!r}" for name in ("num_steps", *NAMES))
        return f"{type(self).__name__}({said})"

    @property
    def lr_decay_style(self) -> str:
        """The learning-rate style's name; assigning a name, a table or a style changes `lr_style`."""
        return self.lr_style.style

    @lr_decay_style.setter
    def lr_decay_style(self, style: StyleLike | LRStyle) -> None:
        self.lr_style = _arguments.resolved("lr_decay_style", by_lr_style, self._with_tail(style), self.lr_decay_steps)

    @property
    def wd_incr_style(self) -> str:
        """The weight-decay style's name; assigning a name, a table or a style changes `wd_style`."""
        return self.wd_style.style

    @wd_incr_style.setter
    def wd_incr_style(self, style: StyleLike | WDStyle) -> None:
        self.wd_style = _arguments.resolved("wd_incr_style", by_wd_style, style, self.lr_decay_steps)

    @property
    def wsd_decay_steps(self) -> float | None:
        """Length of the tail of ``WSD``, in steps; for another style, what the constructor was given."""
        wsd = flat_of(self.lr_style)
        return self._tail[0] if wsd is None else wsd.wsd_decay_steps

    @wsd_decay_steps.setter
    def wsd_decay_steps(self, steps: float | None) -> None:
        self._change_tail(steps, self._tail[1])

    @property
    def lr_wsd_decay_style(self) -> str | None:
        """Name of the tail of ``WSD``; for another style, what the constructor was given."""
        wsd = flat_of(self.lr_style)
        tail = self._tail[1] if wsd is None else wsd.lr_wsd_decay_style
        return tail.style if isinstance(tail, Style) else tail

    @lr_wsd_decay_style.setter
    def lr_wsd_decay_style(self, style: StyleLike | LRStyle | None) -> None:
        self._change_tail(self._tail[0], style)

    def get_lr(self, param_group: Mapping[str, Any]) -> float:
        """Return the learning rate at `num_steps` for one param group.

        Args:
            param_group: a group of an optimizer; its own ``max_lr`` and ``min_lr`` win.
        """
        return evaluate.lr_at(self._run_of(param_group), self.num_steps - self.start_step, param_group)

    def get_wd(self, param_group: Mapping[str, Any] | None = None) -> float | None:
        """Return the weight decay at `num_steps`, before ``wd_mult``; ``None`` where weight decay is left alone.

        Args:
            param_group: a group of an optimizer; its own ``start_wd`` and ``end_wd`` win.
        """
        return evaluate.wd_at(self._run_of(param_group or {}), self.num_steps - self.start_step, param_group or {})

    def step(self, increment: int) -> None:
        """Advance, and write ``lr`` and ``weight_decay`` into every param group, empty ones too.

        A group whose value is a tensor has it filled in place. Where a style fails, nothing changes.

        Args:
            increment: how far to advance, in steps of the clock (Megatron: the samples of one batch).

        Raises:
            PluginError: a style gives NaN or infinity.
            StateError: the position lies before `start_step`, or `init_lr` is ``current`` and no checkpoint was
                loaded.
        """
        num_steps = self.num_steps + increment
        plan = self.plan
        start_step = plan.start_step
        if start_step and num_steps < start_step:
            raise StateError(f"step {num_steps} lies before start_step {start_step}, where the schedule starts")
        groups = self.optimizer.param_groups
        if groups.__class__ is not list:
            groups = list(groups)
        if plan.groups:
            write_each(self._role_plans.plans(plan, groups), num_steps - start_step)
        else:
            write(plan, groups, values_at(plan, num_steps - start_step, groups))
        self.num_steps = num_steps

    @property
    def fingerprint(self) -> str:
        """A digest of everything that determines the curves, as `Schedule.fingerprint`."""
        return fingerprint(self.plan)

    def state_dict(self) -> dict[str, Any]:
        """Return Megatron's ten keys, with its types, and one more, ``schedframe``: a JSON string with the rest."""
        beyond = _state.unknown_to_megatron(self.plan)
        if beyond:
            log_the_first_time(
                "Megatron's own class cannot go on with checkpoints of this run: it does not know %s", beyond
            )
        return _state.dump(self.plan, self.num_steps)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go to a checkpoint's position, and to the schedule that the policy chooses.

        With ``use_checkpoint_opt_param_scheduler`` the checkpoint's, with ``override_opt_param_scheduler``
        this one; with neither, the two must be equal, but for `override_keys`. The position is set, not added
        to, and every group holds its learning rate and weight decay at once: loading twice is loading once.
        Groups hold the bounds that were chosen, or their own of this run, whatever the optimizer's load put
        into them. What was done is logged on the first rank: as a warning where the checkpoint's schedule was
        not this run's.

        Args:
            state_dict: ours, Megatron's, or one with Megatron's legacy keys.

        Raises:
            StateError: the state is broken, or differs where it must not; the scheduler is unchanged.
            PluginError: an installed hook plugin fails; the scheduler is unchanged.
        """
        policy = policy_of(self.use_checkpoint_opt_param_scheduler, self.override_opt_param_scheduler)
        decision = _resume.decide(
            _state.read(_hooks.translate_state(state_dict)),
            self.plan,
            policy=policy,
            override=self.override_keys,
            parent=self.parent,
            tail=self._tail,
        )
        came_from = self.num_steps
        self._go_to(decision.plan, decision.position)
        log_once("%s", report(decision, came_from), warn=bool(decision.rows))

    def report(self) -> dict[str, dict[str, float | str | None]]:
        """Return what runs at `num_steps`, by role: ``default`` and the rules' names.

        It is what the schedule says, whatever bounds of its own a group has, and the same on every rank. In each:
        ``lr``; ``wd``, after the rule's ``wd_mult``, ``None`` where weight decay is left alone; ``phase``, what the
        schedule is doing; and ``progress``, 0 to 1 from the end of warm-up to the end of the decay, ``None`` where
        that end is open.
        """
        return _reports.report(self.plan, self.num_steps - self.start_step, self._role_plans.roles.indices)

    def verify_ranks(self, group: Any = None) -> None:
        """Refuse ranks that do not run the same schedule, at the same step, from the same plugins.

        It is a collective: every rank of `group` must call it, after the checkpoint is loaded. Nothing calls it
        by itself, because it would wait for ever where only some ranks build a scheduler.

        Args:
            group: the process group of ``torch.distributed``; by default all ranks. Without one there is one rank.

        Raises:
            RankMismatchError: on every rank, naming those that differ and in what.
        """
        _ranks.verify(self.plan, self.num_steps, group)

    def restore_bounds(self) -> None:
        """Give every param group the bounds that it is to have, and write its values.

        `load_state_dict` does it too; this is for what overwrites groups after it, as Megatron-LM's own
        ``load_checkpoint`` does under ``--override-opt-param-scheduler``
        (NVIDIA/Megatron-LM:megatron/training/checkpointing.py at d98e8a64dd; issue 7173 there).

        Raises:
            StateError: a style fails; nothing is changed.
        """
        self._go_to(self.plan, self.num_steps)

    def _go_to(self, plan: Plan, position: float) -> None:
        """Run `plan` from `position`, or leave everything as it is.

        Raises:
            StateError: a style fails there.
        """
        groups = list(self.optimizer.param_groups)
        was, came_from, held = self.plan, self.num_steps, self._memory.held(groups)
        try:
            self.plan, self.num_steps = plan, position
            _bounds.unshare(groups)
            self._memory.restore(self._role_plans.each(self.plan, groups), groups)
            if plan != was:
                self._role_plans.refuse_unrunnable(plan, groups)
            self.step(0)
        except Exception as error:
            self.plan, self.num_steps = was, came_from
            self._memory.put_back(held, groups)
            if isinstance(error, StateError):
                raise
            raise StateError(f"the schedule fails at step {position}: {type(error).__name__}: {error}") from error

    def _run_of(self, param_group: Mapping[str, Any]) -> Plan:
        return self._role_plans.of_group(self.plan, param_group, self.optimizer.param_groups)

    def _with_tail(self, style: Any) -> Any:
        """The table for a bare ``WSD``, from the two arguments that Megatron has for it."""
        return table_of(*self._tail) if is_bare(style) else style

    def _change_tail(self, steps: float | None, style: Any) -> None:
        if flat_of(self.lr_style) is not None:
            table = table_of(steps, style)
            self.lr_style = _arguments.resolved("lr_decay_style", by_lr_style, table, self.lr_decay_steps)
        self._tail = (steps, style)


_GET_LR, _GET_WD = OptimizerParamScheduler.get_lr, OptimizerParamScheduler.get_wd


def _overridden(cls: type[OptimizerParamScheduler]) -> list[Problem]:
    """Refuse a subclass or a patch that changes one group's formula: `step` does not ask it."""
    if cls.get_lr is _GET_LR and cls.get_wd is _GET_WD:
        return []
    return [
        Problem(
            "", "get_lr or get_wd is overridden, which step() would ignore; write a style instead, and pass it by name"
        )
    ]


def _contradictory_flags(use_checkpoint: object, override: object) -> list[Problem]:
    if not (use_checkpoint and override):
        return []
    return [
        Problem(
            "override_opt_param_scheduler",
            "use_checkpoint_opt_param_scheduler is set too, and they contradict each other; set one of them",
            "True",
        )
    ]
