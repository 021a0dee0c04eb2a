"""The running scheduler: Megatron's ``OptimizerParamScheduler``, with styles from the registry."""

import warnings
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Generic, Literal, TypeVar, get_args

from schedframe._errors import (
    ConfigError,
    PluginError,
    Problem,
    SchedframeError,
    SchedframeWarning,
    StateError,
    written,
)
from schedframe._plan import evaluate
from schedframe._plan.evaluate import Value, values_at, write, write_value
from schedframe._plan.plan import CURRENT, WARMUP, DecayFrom, Parent, Plan, fingerprint
from schedframe._plan.rule import GroupRule
from schedframe._plan.summary import short, style_with_options, value_of_key
from schedframe._plugins import hooks
from schedframe._process import log_once, log_the_first_time
from schedframe._run import agreement
from schedframe._run.arguments import check, parse_decay_from, parse_field, problems_with, resolve_style
from schedframe._run.groups import bounds
from schedframe._run.groups.following import RolePlans
from schedframe._run.groups.report import metrics_of_roles, report_of_roles
from schedframe._run.groups.roles import Roles
from schedframe._run.groups.watch import Watch
from schedframe._run.optimizers import as_one
from schedframe._run.policy import parse_override, parse_parent, policy_of
from schedframe._run.resume.decide import decide
from schedframe._run.resume.read import read
from schedframe._run.resume.report import report
from schedframe._run.resume.write import unknown_to_megatron, write_state
from schedframe._units.numbers import moved, parse_position, plain, plain_size
from schedframe._units.units import Clock, Units, parse_clock
from schedframe.styles._base import LRStyle, Style, WDStyle
from schedframe.styles._byname import by_lr_style, by_wd_style
from schedframe.styles._flat_wsd import flat_of, is_bare, table_of
from schedframe.styles._installed import source_of
from schedframe.styles._warmup import MEGATRONS, Warmup, parse_warmup

T = TypeVar("T")

_NOT_GIVEN: Any = object()
_FAR = 2**62
"""Below it, an ``int`` added to an ``int`` needs no further look."""

StyleLike = str | Mapping[str, Any]
"""A style's name, or a table with its options; wherever one is taken, a style object is too."""


class _PlanField(Generic[T]):
    """An attribute that the scheduler's plan holds: assigning it makes another plan, which the next step uses."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, scheduler: "OptimizerParamScheduler", owner: type) -> T:
        value: T = getattr(scheduler.plan, self._name)
        return value

    def __set__(self, scheduler: "OptimizerParamScheduler", value: T) -> None:
        changed = {self._name: parse_field(type(scheduler).__name__, self._name, value)}
        scheduler.plan = replace(scheduler.plan, **changed)


class OptimizerParamScheduler:
    """Schedules the learning rate and the weight decay of an optimizer's param groups.

    The arguments are those of ``megatron.core.optimizer_param_scheduler.OptimizerParamScheduler``, in its order, and
    become attributes of the same name. A value assigned to one is used by the next ``step()``, ``step(0)`` included; a
    number of any kind, a tensor that holds one too, becomes a plain one, and anything else is a `ConfigError`, or for
    ``num_steps`` a `StateError`, with nothing changed.
    Results are bit-for-bit identical to Megatron Core 0.16 to 0.19 wherever Megatron accepts the arguments;
    docs/explanation/differences.md lists what is different on purpose. The constructor ends with ``step(0)``, so that
    every group holds its first values.

    Args:
        optimizer: anything with ``param_groups``, a list of dicts, or a list of such optimizers; a group's own
            ``max_lr``, ``min_lr``, ``start_wd``, ``end_wd`` take precedence over the scheduler's, and ``wd_mult``
            multiplies its weight decay.
        init_lr: learning rate at step 0; ``"current"`` is the one that the checkpoint has at `start_step`.
        max_lr: learning rate at the end of the warmup.
        min_lr: learning rate at the end of the decay.
        lr_warmup_steps: length of the warmup, in steps of the clock (Megatron: samples).
        lr_decay_steps: where the decay ends, in steps from the start of the run.
        lr_decay_style: a learning-rate style: its name, a table with options, or a `LRStyle`.
        start_wd: weight decay at step 0; ``None``, with `end_wd`, means that weight decay is not scheduled.
        end_wd: weight decay at `wd_incr_steps` and after; it may be below `start_wd`.
        wd_incr_steps: where the weight-decay schedule ends, in steps.
        wd_incr_style: a weight-decay style: its name, a table with options, or a `WDStyle`.
        use_checkpoint_opt_param_scheduler: `load_state_dict` uses the checkpoint's schedule.
        override_opt_param_scheduler: `load_state_dict` keeps this schedule, at the checkpoint's position.
        wsd_decay_steps: length of the cooldown of ``WSD``, in steps, where the style is given by that name.
        lr_wsd_decay_style: curve of that cooldown: a name, a table, or a `LRCurve`.
        start_step: the count at which the schedule's own step 0 lies; Megatron's class has no such argument.
        override_keys: keys in which `load_state_dict` keeps this schedule, whatever the flags.
        parent: the schedule that this one continues, ``{"fingerprint": ..., "step": ...}``; its checkpoint is
            loaded with neither flag, too.
        clock: what `step` counts: ``"samples"``, as Megatron, ``"iters"`` or ``"tokens"``.
        lr_warmup_style: shape of the warmup, a name or a table; by default Megatron's, a straight line.
        first_update: how far ahead of the position the curves are read, in steps of the clock; below 0 behind it.
        decay_from: where the decay begins: ``"warmup"``, its end, or 0, below the warmup from the start of the run.
        interval: how many steps of the clock the curves hold their values; 0 is none.
        roles: rules of a `Schedule` and the groups that they match, from `Schedule.build`; by default none.

    Raises:
        ConfigError: with everything that is wrong with the arguments.

    Attributes:
        num_steps: the position, in steps; it starts at `start_step`.
        plan: everything that determines both curves; assigning an attribute that it holds makes another plan.
        groups: the rules for param groups.
    """

    plan: Plan
    clock = _PlanField[Clock]()
    start_step = _PlanField[float]()
    init_lr = _PlanField[float | Literal["current"]]()
    max_lr = _PlanField[float]()
    min_lr = _PlanField[float]()
    lr_warmup_steps = _PlanField[float]()
    lr_warmup_style = _PlanField[Warmup]()
    lr_decay_steps = _PlanField[float]()
    lr_style = _PlanField[LRStyle]()
    start_wd = _PlanField[float | None]()
    end_wd = _PlanField[float | None]()
    wd_incr_steps = _PlanField[float]()
    wd_style = _PlanField[WDStyle]()
    groups = _PlanField[tuple[GroupRule, ...]]()
    first_update = _PlanField[float]()
    decay_from = _PlanField[DecayFrom]()
    interval = _PlanField[float]()

    _clocks: ClassVar[tuple[str, ...]] = get_args(Clock)
    _ignores_lr_mult: ClassVar[bool] = True
    _values_at = staticmethod(values_at)

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
        first_update: float = 0,
        decay_from: DecayFrom = WARMUP,
        interval: float = 0,
        roles: Roles | None = None,
    ) -> None:
        """Check every argument, then write the first values."""
        self._cooldown: tuple[Any, Any] = (wsd_decay_steps, lr_wsd_decay_style)
        numbers: dict[str, Any] = {
            "lr_decay_steps": lr_decay_steps,
            "max_lr": max_lr,
            "min_lr": min_lr,
            "init_lr": init_lr,
            "lr_warmup_steps": lr_warmup_steps,
            "start_wd": start_wd,
            "end_wd": end_wd,
            "wd_incr_steps": wd_incr_steps,
            "start_step": start_step,
        }
        problems = [
            *self._class_problems(clock),
            *problems_with("override_keys", lambda keys: parse_override(keys, "strict"), list(override_keys)),
            *problems_with("parent", parse_parent, parent),
            *problems_with("lr_warmup_style", parse_warmup, lr_warmup_style),
            *problems_with("first_update", plain, first_update),
            *problems_with("decay_from", parse_decay_from, decay_from),
            *problems_with("interval", plain_size, interval),
        ]
        if use_checkpoint_opt_param_scheduler and override_opt_param_scheduler:
            fault = "use_checkpoint_opt_param_scheduler is set too, and they contradict each other; set one of them"
            problems.insert(0, Problem("override_opt_param_scheduler", fault, "True"))
        numbers, lr_style, wd_style, mistakes = check(
            type(self).__name__, numbers, self._with_cooldown(lr_decay_style), wd_incr_style, problems
        )
        roles = roles or Roles()
        numbers["max_lr"] = float(numbers["max_lr"])
        warmup = parse_warmup(lr_warmup_style)
        plan = Plan(
            **numbers,
            clock=clock,
            lr_warmup_style=warmup,
            lr_style=lr_style,
            wd_style=wd_style,
            groups=roles.rules,
            first_update=plain(first_update),
            decay_from=parse_decay_from(decay_from),
            interval=plain_size(interval),
        )
        self.use_checkpoint_opt_param_scheduler = use_checkpoint_opt_param_scheduler
        self.override_opt_param_scheduler = override_opt_param_scheduler
        self.override_keys = tuple(override_keys)
        self.parent = None if parent is None else parse_parent(parent)
        self._units = Units(plan.clock)
        self._start(plan, optimizer, roles, mistakes, level=3)

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
        units: Units | None = None,
    ) -> "OptimizerParamScheduler":
        """Return the scheduler that runs `plan`, whose values are checked already, as `Schedule.build` does.

        The other arguments are those of the constructor; `policy` stands for its two flags, and `units` convert
        positions for `metrics`.

        Raises:
            ConfigError: the plan's clock is not one of this class, or a subclass overrides `get_lr` or `get_wd`.
        """
        if problems := cls._class_problems(plan.clock):
            raise ConfigError(cls.__name__, problems)
        self = cls.__new__(cls)
        self._cooldown = (None, None)
        self.use_checkpoint_opt_param_scheduler = policy == "checkpoint"
        self.override_opt_param_scheduler = policy == "override"
        self.override_keys = tuple(override_keys)
        self.parent = parent
        self._units = units or Units(plan.clock)
        self._start(plan, optimizer, roles, (), level=5)
        return self

    @classmethod
    def _class_problems(cls, clock: Any) -> list[Problem]:
        """Return what this class cannot run: another clock, or one group's formula changed by a subclass or a patch."""
        problems = problems_with("clock", lambda value: parse_clock(value, known=cls._clocks), clock)
        if cls.get_lr is not _GET_LR or cls.get_wd is not _GET_WD:
            fault = "get_lr or get_wd is overridden, which step() would ignore"
            problems.insert(0, Problem("", f"{fault}; write a style instead, and pass it by name"))
        return problems

    def _start(self, plan: Plan, optimizer: Any, roles: Roles, mistakes: Iterable[str], *, level: int) -> None:
        """Take the groups of `optimizer` over, and write the first values."""
        self.plan = plan
        self.optimizer = as_one(optimizer)
        self._role_plans = RolePlans(roles)
        groups = list(self.optimizer.param_groups)
        bounds.make_plain(groups)
        self._watch = Watch(len(groups), ignores_lr_mult=self._ignores_lr_mult)
        self._written: list[Value] = []
        self.num_steps = plan.start_step
        of_groups = self._role_plans.mistakes(plan, groups, ignores_lr_mult=self._ignores_lr_mult)
        for mistake in (*mistakes, *of_groups):
            warnings.warn(mistake, SchedframeWarning, stacklevel=level)
        for followed, group in zip(self._role_plans.each(self.plan, groups), groups, strict=True):
            if followed.plan is not plan:
                group.update(bounds.with_followed_bounds(plan, followed, group))
        bounds.unshare(groups)
        self._memory = bounds.OriginalBounds(
            self._role_plans.each(self.plan, groups), groups, with_roles=bool(roles.rules)
        )
        if plan.init_lr != CURRENT:
            self.step(0)
        log_once(
            "lr style %s from %s; wd style %s from %s",
            *(self.lr_decay_style, source_of(self.lr_style)),
            *(self.wd_incr_style, source_of(self.wd_style)),
        )
        hooks.announce(self)

    def __repr__(self) -> str:
        """Return position, learning rate and weight decay there, and styles, in one line for a log."""
        try:
            lr, wd = evaluate.finite_values(self.plan, self.num_steps)
            now = f"lr={lr:g}" if wd is None else f"lr={lr:g}, wd={wd:g}"
        except SchedframeError:
            now = "lr=unknown"
        plan, styles = self.plan, f"lr_decay_style={style_with_options(self.lr_style)}"
        if plan.start_wd is not None:
            styles += f", wd_incr_style={style_with_options(self.wd_style)}"
        if plan.groups:
            styles += f", groups={value_of_key(plan.groups)}"
        lengths = f"lr_warmup_steps={short(plan.lr_warmup_steps)}, lr_decay_steps={short(plan.lr_decay_steps)}"
        bounds_of_lr = f"max_lr={plan.max_lr}, min_lr={plan.min_lr}"
        return f"{type(self).__name__}(num_steps={self.num_steps}, {now}, {bounds_of_lr}, {lengths}, {styles})"

    @property
    def num_steps(self) -> float:
        """The position, in steps of the clock; a number that is assigned is used by the next `step`."""
        return self._num_steps

    @num_steps.setter
    def num_steps(self, position: float) -> None:
        try:
            self._num_steps = parse_position(position)
        except ValueError as error:
            raise StateError(f"num_steps = {written(position)} {error}") from None
        self._watch.begin_at(self._num_steps)

    @property
    def lr_decay_style(self) -> str:
        """The learning-rate style's name; assigning a name, a table or a style changes `lr_style`."""
        return self.lr_style.style

    @lr_decay_style.setter
    def lr_decay_style(self, style: StyleLike | LRStyle) -> None:
        self.lr_style = resolve_style("lr_decay_style", by_lr_style, self._with_cooldown(style), self.lr_decay_steps)

    @property
    def wd_incr_style(self) -> str:
        """The weight-decay style's name; assigning a name, a table or a style changes `wd_style`."""
        return self.wd_style.style

    @wd_incr_style.setter
    def wd_incr_style(self, style: StyleLike | WDStyle) -> None:
        self.wd_style = resolve_style("wd_incr_style", by_wd_style, style, self.lr_decay_steps)

    @property
    def wsd_decay_steps(self) -> float | None:
        """Length of the cooldown of ``WSD``, in steps; for another style, what the constructor was given."""
        wsd = flat_of(self.lr_style)
        return self._cooldown[0] if wsd is None else wsd.wsd_decay_steps

    @wsd_decay_steps.setter
    def wsd_decay_steps(self, steps: float | None) -> None:
        self._change_cooldown(steps, self._cooldown[1])

    @property
    def lr_wsd_decay_style(self) -> str | None:
        """Name of the cooldown of ``WSD``; for another style, what the constructor was given."""
        wsd = flat_of(self.lr_style)
        cooldown = self._cooldown[1] if wsd is None else wsd.lr_wsd_decay_style
        return cooldown.style if isinstance(cooldown, Style) else cooldown

    @lr_wsd_decay_style.setter
    def lr_wsd_decay_style(self, style: StyleLike | LRStyle | None) -> None:
        self._change_cooldown(self._cooldown[0], style)

    def get_lr(self, param_group: Mapping[str, Any]) -> float:
        """Return the learning rate at `num_steps` for one param group.

        Args:
            param_group: a group of an optimizer; its own ``max_lr`` and ``min_lr`` take precedence.
        """
        return evaluate.lr_at(self.plan_of(param_group), self.num_steps - self.start_step, param_group)

    def get_wd(self, param_group: Mapping[str, Any] | None = None) -> float | None:
        """Return the weight decay at `num_steps`, before ``wd_mult``; ``None`` where weight decay is not scheduled.

        Args:
            param_group: a group of an optimizer; its own ``start_wd`` and ``end_wd`` take precedence.
        """
        return evaluate.wd_at(self.plan_of(param_group or {}), self.num_steps - self.start_step, param_group or {})

    def values_at(self, num_steps: float, param_group: Mapping[str, Any]) -> tuple[float, float | None]:
        """Return what a step to the count `num_steps` writes into `param_group`, one of the optimizer's.

        Raises:
            StateError: `num_steps` lies before `start_step`.
        """
        plan = self.plan_of(param_group)
        if num_steps < plan.start_step:
            raise _before_start(num_steps, plan.start_step)
        [(_, lr, wd)] = self._values_at(plan, num_steps - plan.start_step, [dict(param_group)])
        return lr, wd

    def step(self, increment: int = _NOT_GIVEN) -> None:
        """Advance, and write ``lr`` and ``weight_decay`` into every param group, empty ones too.

        A group whose value is a tensor has it filled in place. A step is taken wholly or not at all: where it is
        refused nothing changes, and an interrupt while groups are written takes effect when all are. Where something
        else writes the groups' ``lr`` too, a `SchedframeWarning` reports it once; some of the steps look for it.

        Args:
            increment: how far to advance, in steps of the clock (Megatron: the samples of one batch): a number of any
                kind, a tensor that holds one too. Without it, one step, where the clock counts iterations.

        Raises:
            PluginError: a style fails, or gives a value that is not finite, is negative, or lies above the max LR.
            StateError: `increment` or a bound of a group is not a finite number of at least 0, the position lies
                before `start_step`, or `init_lr` is ``current`` and no checkpoint was loaded.
            TypeError: there is no `increment`, and the clock counts samples or tokens.
        """
        before: int | float = self._num_steps
        if increment.__class__ is int and before.__class__ is int and 0 <= increment < _FAR:
            num_steps: int | float = before + increment
        else:
            num_steps = self._position_after(increment)
        plan = self.plan
        start_step = plan.start_step
        if start_step and num_steps < start_step:
            raise _before_start(num_steps, start_step)
        groups = self.optimizer.param_groups
        if groups.__class__ is not list:
            groups = list(groups)
        if num_steps > self._watch.next_look:
            self._watch.look(groups, self._written, num_steps, num_steps - before)
        try:
            if plan.groups:
                values = self._values_of_roles(plan, num_steps - start_step, groups)
            else:
                values = self._values_at(plan, num_steps - start_step, groups)
        except Exception as error:
            self._explain(error, num_steps, groups)
            raise
        try:
            try:
                for group, lr, wd in values:
                    if wd is not None:  # first, because Python 3.13 leaves a jump from here to the next group unguarded
                        if group["weight_decay"].__class__ is float:
                            group["weight_decay"] = wd
                        else:
                            write_value(group, "weight_decay", wd)
                    if group["lr"].__class__ is float:
                        group["lr"] = lr
                    else:
                        write_value(group, "lr", lr)
            except KeyError:
                write(values)
            self._num_steps, self._written = num_steps, values
        except BaseException:
            write(values)
            self._num_steps, self._written = num_steps, values
            raise

    @property
    def fingerprint(self) -> str:
        """A digest of everything that determines the curves, as `Schedule.fingerprint`."""
        return fingerprint(self.plan)

    def state_dict(self) -> dict[str, Any]:
        """Return Megatron's ten keys, with its types, and one more, ``schedframe``: a JSON string with the rest."""
        if unknown := unknown_to_megatron(self.plan):
            log_the_first_time(
                "Megatron's own class cannot continue from checkpoints of this run: it does not know %s", unknown
            )
        return write_state(self.plan, self.num_steps)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go to a checkpoint's position, and to the schedule that the policy chooses.

        That is the checkpoint's with ``use_checkpoint_opt_param_scheduler``, and this one with
        ``override_opt_param_scheduler``; with neither flag, the two must be equal, except for `override_keys`. The
        position is set, not added to, so that a second load changes nothing. Every group holds its values at once,
        and the bounds of the chosen schedule, or its own of this run, whatever the optimizer's load wrote into it.
        The first rank logs what was done, as a warning where the two schedules differ.

        Args:
            state_dict: ours, Megatron's, or one with Megatron's legacy keys.

        Raises:
            StateError: the state is broken, or differs where it must not; the scheduler is unchanged.
            PluginError: an installed hook plugin fails; the scheduler is unchanged.
        """
        policy = policy_of(self.use_checkpoint_opt_param_scheduler, self.override_opt_param_scheduler)
        saved, came_from = read(hooks.translate_state(state_dict)), self.num_steps
        load = decide(
            saved, self.plan, policy=policy, override=self.override_keys, parent=self.parent, cooldown=self._cooldown
        )
        self._go_to(load.plan, load.position)
        log_once("%s", report(load, came_from), warn=bool(load.rows))

    def report(self) -> dict[str, dict[str, float | str | None]]:
        """Return what runs at `num_steps`, by role: ``default`` and the rules' names.

        The values are those of the schedule, without a group's own bounds, and the same on every rank: ``lr``; ``wd``,
        after the rule's ``wd_mult``, ``None`` where weight decay is not scheduled; ``phase``, the current phase; and
        ``progress``, 0 to 1 from the end of the warmup to the end of the decay, ``None`` where that end is open.
        """
        return report_of_roles(self.plan, self.num_steps - self.start_step, self._role_plans.roles.indices)

    def metrics(self, prefix: str = "schedule/") -> dict[str, float]:
        """Return what runs at `num_steps` as flat, finite numbers, for a tracker's ``log``.

        ``schedule/step`` is the scheduler's count, ``schedule/iters``, ``schedule/samples``, ``schedule/tokens`` and
        ``schedule/epochs`` the same position as far as the schedule can convert it. ``schedule/default/lr``, ``/wd``,
        ``/progress`` and ``/phase`` are those of `report`, for each role, without what is ``None`` there; the phase is
        its number, 0 for the warmup. In a role's name ``+`` becomes ``.``, and what trackers refuse ``_``.

        Args:
            prefix: before every name.
        """
        return metrics_of_roles(self.plan, self.num_steps, self._role_plans.roles.indices, self._units, prefix)

    def verify_ranks(self, group: Any = None) -> None:
        """Refuse ranks that do not run the same schedule, at the same step, from the same plugins.

        It is a collective: every rank of `group` must call it, after the checkpoint is loaded. It is never called
        automatically, because it would never return if only some ranks build a scheduler.

        Args:
            group: the process group of ``torch.distributed``; by default all ranks. Without one there is one rank.

        Raises:
            RankMismatchError: on every rank, naming those that differ and in what.
        """
        agreement.verify(self.plan, self.num_steps, group)

    def restore_bounds(self) -> None:
        """Restore the bounds of every param group, and write its values, as `load_state_dict` does.

        Call it where something overwrites groups after that, as Megatron-LM's ``load_checkpoint`` does under
        ``--override-opt-param-scheduler`` (NVIDIA/Megatron-LM:megatron/training/checkpointing.py at d98e8a64dd; issue
        7173 there).

        Raises:
            StateError: a style fails; nothing is changed.
        """
        self._go_to(self.plan, self.num_steps)

    def _go_to(self, plan: Plan, position: float) -> None:
        """Run `plan` from `position`, or leave everything as it is; an interrupt leaves the one or the other.

        Everything is prepared on copies of the groups. The last part cannot fail and is the same however often it is
        done, so that an interrupt within it is kept until it is done.

        Raises:
            StateError: a style fails there.
        """
        if position < plan.start_step:
            raise _before_start(position, plan.start_step)
        groups = list(self.optimizer.param_groups)
        copies = [dict(group) for group in groups]
        bounds.unshare(copies)
        try:
            self._memory.restore(self._role_plans.each(plan, copies), copies)
            if plan != self.plan:
                self._role_plans.refuse_unrunnable(plan, copies)
            evaluated = self._values_of_roles(plan, position - plan.start_step, copies)
        except StateError:
            raise
        except Exception as error:
            raise StateError(f"the schedule fails at step {position}: {type(error).__name__}: {error}") from error
        originals = {id(copy): group for copy, group in zip(copies, groups, strict=True)}
        contents = [(originals[id(copy)], copy) for copy, _, _ in evaluated]
        values = [(originals[id(copy)], lr, wd) for copy, lr, wd in evaluated]
        try:
            self._commit(plan, position, contents, values)
        except BaseException:
            self._commit(plan, position, contents, values)
            raise

    def _commit(
        self,
        plan: Plan,
        position: float,
        contents: Iterable[tuple[dict[str, Any], dict[str, Any]]],
        values: list[Value],
    ) -> None:
        """Run `plan` from `position`, where groups have `contents` and `values`; doing it again changes nothing."""
        for group, content in contents:
            for key in [key for key in group if key not in content]:
                del group[key]
            group.update(content)
        write(values)
        self.plan, self._num_steps, self._written = plan, position, values
        self._watch.begin_at(position)

    def _values_of_roles(self, plan: Plan, step: float, groups: list[dict[str, Any]]) -> list[Value]:
        """Return what is to be written into `groups` at `step`, each by the plan that it follows."""
        followed = self._role_plans.plans(plan, groups)
        return [value for role_plan, members in followed for value in self._values_at(role_plan, step, members)]

    def _position_after(self, increment: Any) -> float:
        """Return the position after a step by `increment`, whatever that is.

        Raises:
            StateError: it is not a finite number of at least 0.
            TypeError: it is not given, and the clock does not count iterations.
        """
        if increment is _NOT_GIVEN:
            if self.clock == "iters":
                return self._num_steps + 1
            raise TypeError(
                f"step() needs increment, how many {self.clock} the batch has; without it a step is one iteration, "
                f"and this scheduler counts {self.clock}"
            )
        try:
            return moved(self._num_steps, increment)
        except ValueError as error:
            raise StateError(f"increment = {written(increment)} {error}; nothing was changed") from None

    def _explain(self, error: Exception, num_steps: float, groups: list[dict[str, Any]]) -> None:
        """Raise the cause of a step that fails, unless `error` is it: a bound of a group, or a style's own error."""
        faults = "; ".join(map(str, bounds.problems(groups)))
        if faults:
            raise StateError(f"{faults}; no param group was changed") from None
        if not isinstance(error, SchedframeError):
            name = type(error).__name__
            raise PluginError(
                f"the schedule fails at step {num_steps}: {name}: {error}; no param group was changed"
            ) from error

    def plan_of(self, param_group: Mapping[str, Any]) -> Plan:
        """Return the plan that `param_group`, one of the optimizer's, follows."""
        return self._role_plans.of_group(self.plan, param_group, self.optimizer.param_groups)

    def _with_cooldown(self, style: Any) -> Any:
        """The table for a bare ``WSD``, from the two arguments that Megatron has for it."""
        return table_of(*self._cooldown) if is_bare(style) else style

    def _change_cooldown(self, steps: float | None, style: Any) -> None:
        if flat_of(self.lr_style) is not None:
            table = table_of(steps, style)
            self.lr_style = resolve_style("lr_decay_style", by_lr_style, table, self.lr_decay_steps)
        self._cooldown = (steps, style)


def _before_start(position: float, start_step: float) -> StateError:
    return StateError(f"step {position} lies before start_step {start_step}, where the schedule starts")


_GET_LR, _GET_WD = OptimizerParamScheduler.get_lr, OptimizerParamScheduler.get_wd
