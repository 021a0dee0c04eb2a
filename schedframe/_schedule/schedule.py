"""The declared schedule: validated, frozen, with Megatron's names."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, final, overload

from pydantic import PrivateAttr

from schedframe._errors import ConfigError, Problem
from schedframe._files.config.document import Document, read
from schedframe._pictures import figure
from schedframe._pictures.series import Named, Quantity, picture_of
from schedframe._plain import plain
from schedframe._plan import evaluate
from schedframe._plan.plan import CURRENT, NAMES, Plan, fingerprint
from schedframe._plan.rule import DEFAULT, key_of, merge, rules_named
from schedframe._plan.samples import Samples
from schedframe._plan.summary import summary, value_of_key
from schedframe._run.groups.report import phase_at
from schedframe._run.groups.roles import make_groups, rules_for
from schedframe._schedule.curves import RoleCurves
from schedframe._schedule.fields import updates_of
from schedframe._schedule.findings import find
from schedframe._schedule.given import fields_as_given
from schedframe._schedule.keys import Keys
from schedframe._schedule.notebook import as_html
from schedframe._schedule.origin import Origin
from schedframe._schedule.written import given_keys, resolved_keys
from schedframe._units.lengths import OPEN
from schedframe.lint._rule import Finding
from schedframe.styles._base import LRStyle, WDStyle

if TYPE_CHECKING:
    import numpy
    from matplotlib.axes import Axes

    from schedframe._run.scheduler import OptimizerParamScheduler


_Array: TypeAlias = "numpy.ndarray[Any, Any]"


@final
class Schedule(Keys):
    """A learning-rate and weight-decay schedule; it is immutable.

    Keys are Megatron's constructor arguments. A step is one unit of the scheduler's position; in Megatron
    it is one sample. Lengths are steps: ``2000``, ``500M``, ``2e9``, ``1_000_000``, or a percentage of
    ``lr_decay_steps``. A style is a name, or a table with the style's options.

    Examples:
        >>> schedule = Schedule(max_lr=1.0, lr_decay_steps=100, lr_warmup_steps="10%", lr_decay_style="cosine")
        >>> schedule.lr_at(5), schedule.lr_at(55), schedule.lr_at(100)
        (0.5, 0.5, 0.0)

    Raises:
        ConfigError: with every problem of the keys.
    """

    _origin: Origin = PrivateAttr(default_factory=Origin)

    def __init__(self, /, **keys: Any) -> None:
        """Validate `keys`; see the class for what they mean."""
        keys = plain(keys)
        super().__init__(**keys)
        self._origin = Origin(keys)

    def __init_subclass__(cls, **_: Any) -> None:
        """Reject a subclass, whose fields would not be validated."""
        raise TypeError(f"{cls.__name__} cannot be a subclass of Schedule; a class can have a schedule as an attribute")

    def __repr__(self) -> str:
        """Return the keys that were given and are not at their default, in one line, lengths in steps."""
        fields, given = Keys.model_fields, self._origin.given or self.model_fields_set
        values = {key: getattr(self, key) for key in fields if key in given}
        values |= {key: updates_of(value) for key, value in values.items() if key == "first_update"}
        keys = (f"{key}={value_of_key(value)}" for key, value in values.items() if value != fields[key].default)
        return f"{type(self).__name__}({', '.join(keys)})"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the summary, the curves, and what the lint rules find."""
        return as_html(
            self.summary(), lambda: figure.svg_of(picture_of([Named("schedule", self)], title="")), self.findings
        )

    def summary(self) -> str:
        """Return styles, bounds, lengths in steps and weight decay in one line, as ``schedframe preview`` shows it."""
        return summary(self.plan, self.train_steps)

    def plot(
        self,
        ax: "Axes | None" = None,
        *,
        unit: str | None = None,
        what: Quantity = "lr",
        log: bool = False,
        title: str = "",
        label: str = "",
    ) -> "Axes":
        """Draw the curves of all roles on an axis of matplotlib, and return it; the extra ``plot`` is needed.

        Phases are shaded and named; where an axis shows several schedules, only if their phases are the same.

        Args:
            ax: the axis, which may show other schedules; by default that of a new figure of ``matplotlib.pyplot``.
            unit: of the positions: ``tokens``, ``samples``, ``iters``, ``epochs``; by default tokens where they are
                known, else the clock's.
            what: ``lr``, ``wd``, ``lrwd``, their product, or ``cumulative``, the sum of the learning rate.
            log: use a logarithmic axis for the values.
            title: above the axis.
            label: what the schedule is called in the legend of an axis with several.

        Raises:
            ValueError: the unit is not known, weight decay is not scheduled and `what` needs it, or `ax` shows another
                quantity or unit.
            PluginError: a style fails at one of the steps.
            StateError: `init_lr` is ``current``.
        """
        picture = picture_of([Named("schedule", self)], unit=unit, what=[what], log=log, title=title)
        if not picture.panels:
            raise ValueError(f"{what} cannot be drawn: weight decay is not scheduled; give start_wd or end_wd")
        return figure.draw(picture, ax, label)

    @property
    def origin(self) -> Origin:
        """Where the schedule was declared."""
        return self._origin

    def declared_in(self, document: Document) -> "Schedule":
        """Return this schedule as the one that `document` declares: errors about it name the file.

        Raises:
            ConfigError: the file continues the one that it extends, and that file has changed since.
        """
        self._origin = Origin(document.data, document)
        if document.extends and "parent" in document.local_keys:
            self._refuse_changed_parent(document.extends[0])
        return self

    def _refuse_changed_parent(self, path: Path) -> None:
        parent, expected = load(path), self.parent
        if expected is None or parent.init_lr == CURRENT or parent.fingerprint == expected.fingerprint:
            return
        fault = (
            f"is not the fingerprint of {path}, which is {parent.fingerprint}: that file was changed after this one "
            f"was made from it. Restore it, or write this file again (schedframe branch, extend or rewarm)"
        )
        raise self.origin.error([Problem("parent.fingerprint", fault, repr(expected.fingerprint))])

    @property
    def lr_style(self) -> LRStyle:
        """The learning-rate style, the object behind ``lr_decay_style``."""
        return self.lr_decay_style

    @property
    def wd_style(self) -> WDStyle:
        """The weight-decay style, the object behind ``wd_incr_style``."""
        return self.wd_incr_style

    @property
    def fingerprint(self) -> str:
        """A digest of everything that determines the curves, and of nothing else: 16 hexadecimal digits.

        Equal in every process, for every spelling of the same schedule; plugin versions do not change it.
        """
        return fingerprint(self.plan)

    @property
    def end_step(self) -> float:
        """The scheduler's count at which the decay ends, from the start of the run; infinity where that is open.

        `lr_decay_steps` is counted from `start_step`. A loop that trains to the end compares `end_step` with the
        scheduler's ``num_steps``.
        """
        return inf if self.lr_decay_steps == OPEN else self.start_step + self.lr_decay_steps

    @property
    def train_steps(self) -> float | None:
        """Length of the run in the scheduler's steps; ``None`` where it is not given."""
        return self.scale.run_steps

    def step_at(self, position: float | str) -> float:
        """Return the scheduler's count at a `position` of the run, such as ``"2000 iters"`` or ``"10B tokens"``.

        Args:
            position: from the start of the run; a plain number is the scheduler's count itself.

        Raises:
            ValueError: it is not a length, is a percentage, or a key that is needed to convert it is missing.
        """
        return replace(self.scale, start=0).absolute(position)

    def units_at(self, step: float) -> dict[str, float]:
        """Return the position at the scheduler's count `step` in every unit that is known, the clock's own first.

        Args:
            step: the scheduler's count, from the start of the run.
        """
        units = self.scale.units
        return {unit: units.converter(units.clock, unit)(step) for unit in units.known()}

    @overload
    def lr_at(self, step: float, param_group: evaluate.Group | str | None = None) -> float: ...
    @overload
    def lr_at(self, step: Sequence[float], param_group: evaluate.Group | str | None = None) -> list[float]: ...
    @overload
    def lr_at(self, step: _Array, param_group: evaluate.Group | str | None = None) -> _Array: ...
    def lr_at(self, step: Any, param_group: evaluate.Group | str | None = None) -> Any:
        """Return the learning rate at `step`.

        Args:
            step: the scheduler's count, from `start_step`; of a list or a numpy array, each of them.
            param_group: a group whose own ``max_lr`` and ``min_lr`` take precedence, under the rules of `groups`
                with which the group is marked; or the name of a rule, or of several joined by ``+``; or nothing, for
                the schedule's own bounds.

        Raises:
            ValueError: `step` lies before `start_step`, or there is no such rule.
            StateError: `init_lr` is ``current``, and `step` lies in the warmup.
        """
        plan = self._plan_for(param_group)
        group = {} if param_group is None or isinstance(param_group, str) else param_group
        if isinstance(step, Sequence) and not group:
            return evaluate.lrs_at(plan, [self._local(at) for at in step])
        return _each(lambda at: evaluate.lr_at(plan, self._local(at), group), step)

    @overload
    def wd_at(self, step: float, param_group: evaluate.Group | str | None = None) -> float | None: ...
    @overload
    def wd_at(self, step: Sequence[float], param_group: evaluate.Group | str | None = None) -> list[float | None]: ...
    @overload
    def wd_at(self, step: _Array, param_group: evaluate.Group | str | None = None) -> _Array: ...
    def wd_at(self, step: Any, param_group: evaluate.Group | str | None = None) -> Any:
        """Return the weight decay at `step`; ``None`` where it is not scheduled.

        Args:
            step: the scheduler's count, from `start_step`; of a list or a numpy array, each of them.
            param_group: a group whose own ``start_wd`` and ``end_wd`` take precedence, before its ``wd_mult``, under
                the rules of `groups` with which the group is marked; or the name of a rule, after that rule's
                ``wd_mult``.

        Raises:
            ValueError: `step` lies before `start_step`, or there is no such rule.
        """
        plan = self._plan_for(param_group)
        group = {} if param_group is None or isinstance(param_group, str) else param_group
        rules = rules_named(self.groups, param_group) if isinstance(param_group, str) else ()
        wd_mult = merge(rules).get("wd_mult", 1.0)

        def value_at(at: float) -> float | None:
            wd = evaluate.wd_at(plan, self._local(at), group)
            return None if wd is None else wd * wd_mult

        return _each(value_at, step)

    def sample(self, points: int | Sequence[float] = 1000, unit: str | None = None, role: str | None = None) -> Samples:
        """Return the curves as columns of points, from `start_step` to the end of the run, or of the decay.

        A line through the points is within 0.2 % of the highest value of each curve everywhere, unless the curve jumps
        so often that 10,000 points cannot show it. The first 400 breakpoints are among them, each with a point right
        before and right behind it, and the others lie where a line is far from a curve.

        Args:
            points: how many there are, more where that many are too few for such lines; or the steps themselves, the
                scheduler's counts from `start_step`, rising.
            unit: over which unit lines are drawn; by default the clock's. It matters where a ramp-up of the batch size
                makes iterations of different lengths.
            role: the name of a rule, several with ``+`` between them, or ``default``.

        Raises:
            ValueError: the unit is not known, there is no such rule, or a step lies before `start_step`.
            PluginError: a style fails at one of the steps.
            StateError: `init_lr` is ``current``.
        """
        known = self.scale.units.known()
        if unit is not None and unit not in known:
            raise ValueError(f"the unit {unit!r} is not known here; the known units are {', '.join(known)}")
        role = DEFAULT if role is None else role
        curves, start = RoleCurves(self, role), self.start_step
        steps = list(points) if isinstance(points, Sequence) else [start + step for step in curves.steps(points)]
        local = list(map(self._local, steps))
        lrs, wds = curves.values(local)
        units, (clock, *others) = self.scale.units, known
        columns: dict[str, list[Any]] = {"step": steps}
        columns |= {other: list(map(units.converter(clock, other), steps)) for other in others}
        columns["lr"] = lrs
        if curves.plan.start_wd is not None:
            columns["wd"] = wds
            columns["lr_wd"] = [lr * (wd or 0.0) for lr, wd in zip(lrs, wds, strict=True)]
        columns["phase"] = [phase_at(curves.plan, step) for step in local]
        return Samples(role, unit or known[0], columns)

    def for_role(self, role: str) -> "Schedule":
        """Return the schedule of the param groups with `role` as a separate one, but for ``wd_mult``.

        Args:
            role: the name of a rule of `groups`, several with ``+`` between them, or ``default``.

        Raises:
            ValueError: there is no such rule, or several contradict each other.
        """
        return self.with_plan(self._plan_for(role))

    def with_plan(self, plan: Plan) -> "Schedule":
        """Return a schedule with the units and the run of this one, and the curves of `plan`, which is not checked."""
        schedule = self.model_copy(update={key_of(name): getattr(plan, name) for name in NAMES})
        schedule._origin = Origin()
        return schedule

    def _plan_for(self, param_group: evaluate.Group | str | None) -> Plan:
        """Return the plan of the groups with a role, or of one group."""
        if isinstance(param_group, str):
            return self.plan.under(rules_named(self.groups, param_group))
        if not self.groups or param_group is None:
            return self.plan
        return self.plan.under(rules_for(self.groups, param_group))

    def landmarks(self) -> dict[str, float]:
        """Return the steps that matter, by label, in their order: start, end of the warmup, breakpoints of styles, end.

        They are the scheduler's counts: the first is `start_step`.
        """
        marks: dict[str, float] = {"start": 0.0}
        warmup_end, decay_end = self.plan.ends()
        if self.lr_warmup_steps:
            marks["warmup end"] = warmup_end
        if self.lr_decay_steps != OPEN:
            marks["decay end"] = decay_end
        if self.train_steps is not None:
            marks["run end"] = self.train_steps
        for label, step in self.plan.landmarks().items():
            marks[f"{label} of {self.lr_style.style}" if label in marks else label] = step
        if self.start_wd is not None:
            for label, step in self.wd_style.landmarks(self.wd_incr_steps).items():
                marks[f"weight decay {label}"] = self.plan.position_of(step)
            if self.start_wd != self.end_wd:
                marks["weight decay end"] = self.plan.position_of(self.wd_incr_steps)
        return {label: self.start_step + step for label, step in sorted(marks.items(), key=lambda mark: mark[1])}

    def param_groups(self, model: Any, *, process_group: Any = None) -> list[dict[str, Any]]:
        """Return the param groups of `model` for a torch optimizer, one for each set of rules that fits a parameter.

        Each has ``params`` and its ``role``, the rule's name (``router``, ``router+muon`` for both, ``default`` for
        none). Only parameters with ``requires_grad`` are in them; tied weights are one parameter with several names.
        Under ``torch.distributed`` it is a collective, and every rank has the same groups, empty where it lacks the
        parameters.

        Args:
            model: a module, several, or pairs of name and parameter.
            process_group: the ranks that call it; by default all.

        Raises:
            ConfigError: a rule fits no parameter of any rank, or two rules set one thing to different values.
        """
        try:
            return make_groups(self.groups, model, process_group)
        except ConfigError as error:
            raise self.origin.error(error.problems) from None

    def to_dict(self, *, resolve: bool = False) -> dict[str, Any]:
        """Return the keys of this schedule as plain data: dicts, lists, numbers and texts, which may be changed.

        ``Schedule(**schedule.to_dict())`` equals this schedule. Keys of a file are those of the files that it extends
        too. A schedule that was derived from another one, such as `for_role`'s, has its lengths in steps.

        Args:
            resolve: return every key, those that were left out at their default, as ``schedframe resolve`` prints
                them; otherwise those that were given, as they were given.
        """
        given = self._origin.given if self._is_declared_by(self._origin.given) else {}
        return resolved_keys(self, given) if resolve else given_keys(self, given)

    def _is_declared_by(self, keys: Mapping[str, Any]) -> bool:
        """Return whether `keys` declare this schedule, which `model_copy` may have changed since."""
        try:
            return Schedule(**keys) == self
        except ConfigError:
            return False

    def findings(self, *, select: Iterable[str] = (), ignore: Iterable[str] = ()) -> list[Finding]:
        """Return the probable mistakes in this schedule, as ``schedframe check`` reports them.

        The rules evaluate the curves of every role over the whole run. Those that the key `ignore` names are left out.

        Args:
            select: only rules with these codes, prefixes of codes, or names; policy checks of plugins are left out.
            ignore: rules that are not applied, in the same form.

        Raises:
            ConfigError: `select` or `ignore` names no rule.
            PluginError: a style fails at a step of the run, or a hook plugin fails.
        """
        return find(self, self.origin, select=select, ignore=ignore)

    def build(
        self,
        optimizer: Any,
        *,
        process_group: Any = None,
        use_checkpoint_opt_param_scheduler: bool | None = None,
        override_opt_param_scheduler: bool | None = None,
    ) -> "OptimizerParamScheduler":
        """Return the scheduler that runs this schedule on `optimizer`, after its first ``step(0)``.

        Args:
            optimizer: an object with ``param_groups``: a torch optimizer, Megatron's ChainedOptimizer, or a list of
                such optimizers.
            process_group: the ranks that build; by default all. Where a rule of `groups` matches by key or index,
                building is a collective under ``torch.distributed``.
            use_checkpoint_opt_param_scheduler: on resume the checkpoint's schedule is used: `resume` as
                ``checkpoint``.
            override_opt_param_scheduler: on resume this schedule is used: `resume` as ``override``. Both
                flags false are ``strict``; without any, `resume` specifies it.

        Raises:
            ConfigError: the optimizer's groups contradict the schedule, the flags contradict `resume`, or a
                policy check of an installed plugin is broken.
            PluginError: an installed hook plugin fails.
        """
        from schedframe._schedule.build import build

        return build(
            self,
            optimizer,
            use_checkpoint=use_checkpoint_opt_param_scheduler,
            override=override_opt_param_scheduler,
            process_group=process_group,
        )

    def _local(self, step: float) -> float:
        """Return `step` as this schedule counts it, from its own step 0."""
        if not step >= self.start_step:
            what = "be a number" if step != step else "not be negative" if step < 0 else ""
            raise ValueError(f"step must {what or f'not lie before start_step, {self.start_step}'}, got {step}")
        return step - self.start_step


Schedule.model_rebuild()  # with pydantic's own fields, before jsonargparse is given its
Schedule.model_fields.update(fields_as_given())


def load(path: str | Path) -> Schedule:
    """Read the schedule declared in a YAML 1.2, TOML or JSON file.

    Nothing that the file names is executed or imported, except the installed styles.

    Raises:
        ConfigError: with every problem of the file, each with its line.
    """
    return declare(read(path))


def declare(document: Document) -> Schedule:
    """Return the schedule that `document` declares.

    Raises:
        ConfigError: with every problem of the file, each with its line.
    """
    try:
        schedule = Schedule(**document.data)
    except ConfigError as error:
        problems = [problem for problem in error.problems if problem.path not in document.unreadable]
        raise Origin(document.data, document).error([*document.problems, *problems]) from None
    if document.problems:
        raise ConfigError(str(document.path), document.problems)
    return schedule.declared_in(document)


def _each(value_at: Callable[[float], Any], step: Any) -> Any:
    """Return the value at `step`, or at each of several."""
    if isinstance(step, Sequence):
        return [value_at(at) for at in step]
    if getattr(step, "ndim", 0) and hasattr(step, "ravel"):
        import numpy

        return numpy.array([value_at(at) for at in step.ravel().tolist()]).reshape(step.shape)
    return value_at(step)
