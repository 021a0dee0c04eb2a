"""Decides which schedule a resumed run uses: the checkpoint's, this run's, or only one that both have."""

import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from schedframe._errors import SchedframeWarning, StateError
from schedframe._plan.conditions import CONDITIONS, CONDITIONS_OF_GROUPS, broken_conditions
from schedframe._plan.evaluate import values_by_role
from schedframe._plan.plan import CURRENT, NAMES, STYLES, Parent, Plan, fingerprint, sources_of
from schedframe._plan.rule import DEFAULT, GroupRule, key_of
from schedframe._plan.words import written
from schedframe._run.policy import KEYS, Policy
from schedframe._run.resume.read import Saved, SavedRule, SavedStyle
from schedframe._run.resume.report import Load, Row, refusal
from schedframe.styles._base import Style
from schedframe.styles._flat_wsd import is_bare, table_of
from schedframe.styles._warmup import options_of
from schedframe.styles.wd import WDConstant


def decide(
    saved: Saved,
    declared: Plan,
    *,
    policy: Policy,
    override: Collection[str] = (),
    parent: Parent | None = None,
    cooldown: tuple[Any, Any] = (None, None),
) -> Load:
    """Return what a load of `saved` does to a run that declares `declared`; nothing is changed.

    Args:
        saved: what the checkpoint specifies.
        declared: this run's plan.
        policy: which of the two is used.
        override: keys that are taken from this run whatever the policy.
        parent: the schedule that this one continues; its checkpoint is loaded with ``strict`` too.
        cooldown: this run's ``wsd_decay_steps`` and ``lr_wsd_decay_style``, given beside a style that is not WSD.

    Raises:
        StateError: the checkpoint's schedule is needed and cannot be resolved or run, or the policy refuses.
    """
    if saved.doubt and policy == "strict":
        raise StateError(
            f"{saved.doubt}; the policy strict rejects it; the policies checkpoint and override use the ten keys"
        )
    clock = saved.numbers["clock"]
    if clock != declared.clock:
        raise StateError(
            f"the checkpoint counts {clock}, this run counts {declared.clock}, so step {saved.num_steps} does not "
            f"convert; set clock: {clock}"
        )
    kept = frozenset(KEYS if policy == "override" else override)
    values, reason = _checkpoint_plan(saved, declared, kept, cooldown)
    checkpoint = None if reason else Plan(**values)
    checked = declared
    if policy != "checkpoint" or "init_lr" in kept:
        declared = _with_init_lr(declared, checkpoint, reason)
    chosen, handed_over = declared, False
    if policy == "checkpoint":
        chosen = replace(declared, **{name: value for name, value in values.items() if key_of(name) not in kept})
        _refuse_other_matches(chosen, declared)
    elif policy == "strict":
        handed_over = _continues(parent, saved.num_steps, checkpoint, declared)
    rows = (*_group_rows(values.get("groups"), declared.groups), *_rows(saved, values, declared))
    load = Load(policy, saved.num_steps, chosen, declared, checkpoint, handed_over, rows)
    if policy == "strict" and not handed_over and any(row.key.split(".")[0] not in kept for row in rows):
        raise StateError(refusal(load, parent))
    mistakes = _mistakes(load, checked)
    for mistake in (*_warnings_about_gaps(saved, chosen, kept), *mistakes, *_changed_sources(saved, chosen)):
        warnings.warn(mistake, SchedframeWarning, stacklevel=3)
    return load


def plan_of(saved: Saved) -> Plan:
    """Return the checkpoint's plan by itself; of Megatron's, ``init_lr`` is not known and is ``current``.

    Raises:
        StateError: a style cannot be resolved, or is WSD, whose cooldown Megatron does not save.
    """
    if saved.by_megatron and is_bare(saved.lr.name):
        raise StateError("the style is WSD, and Megatron does not save its cooldown")
    defaults = {"init_lr": CURRENT, "start_wd": None, "end_wd": None, "wd_incr_steps": saved.numbers["lr_decay_steps"]}
    styles = {"lr_style": saved.lr.resolve(), "wd_style": WDConstant() if saved.wd is None else saved.wd.resolve()}
    return Plan(**{**defaults, **saved.numbers}, **styles, groups=tuple(rule.resolve() for rule in saved.groups or ()))


def _checkpoint_plan(
    saved: Saved, declared: Plan, kept: Collection[str], cooldown: tuple[Any, Any]
) -> tuple[dict[str, Any], str]:
    """Return the checkpoint's plan, completed from this run; and the reason if a style could not be resolved."""
    values = {name: saved.numbers.get(name, getattr(declared, name)) for name in NAMES}
    unresolved: dict[str, Callable[[], Any]] = {}
    for name, style in (("lr_style", saved.lr), ("wd_style", saved.wd)):
        if style is not None and not _same_style(style, getattr(declared, name), saved.by_megatron):
            unresolved[name] = partial(_resolve, style, cooldown if saved.by_megatron else None)
    if saved.groups is not None:
        unresolved["groups"] = partial(_resolve_rules, saved.groups, declared.groups)
    reason = ""
    for name, resolve in unresolved.items():
        try:
            values[name] = resolve()
        except StateError as error:
            if key_of(name) not in kept:
                raise
            reason = str(error)
            del values[name]
    return values, reason


def _same_style(saved: SavedStyle, declared: Style, by_megatron: bool) -> bool:
    """Return whether the two are one style; of a style that Megatron saved, only the name is known."""
    return saved.name == declared.style if by_megatron else saved.table == declared.model_dump(mode="json")


def _resolve(style: SavedStyle, cooldown: tuple[Any, Any] | None) -> Any:
    if cooldown is None or not is_bare(style.name):
        return style.resolve()
    if None in cooldown:
        raise StateError(
            "the checkpoint's style is WSD, and Megatron does not save its cooldown; "
            "give this run wsd_decay_steps and lr_wsd_decay_style"
        )
    return replace(style, table=table_of(*cooldown)).resolve()


def _resolve_rules(saved: Iterable[SavedRule], declared: Iterable[GroupRule]) -> tuple[GroupRule, ...]:
    """Return the checkpoint's rules; one that this run declares too need not be resolved."""
    known = {rule.role: rule for rule in declared}
    roles = [(rule, known.get(rule.table["role"])) for rule in saved]
    return tuple(own if own is not None and own.table() == rule.table else rule.resolve() for rule, own in roles)


def _refuse_other_matches(chosen: Plan, declared: Plan) -> None:
    """Refuse a checkpoint's rules that match other groups than this run's, whose groups exist already."""
    matches = [{rule.role: str(rule.match) for rule in plan.groups} for plan in (chosen, declared)]
    if matches[0] != matches[1]:
        listed = [", ".join(f"{role} ({match})" for role, match in side.items()) or "none" for side in matches]
        raise StateError(
            f"the checkpoint's rules for param groups are {listed[0]}, and this run's groups were made by {listed[1]}; "
            f"declare the checkpoint's rules, or use this run's (resume: {{policy: checkpoint, override: "
            f"[groups]}})"
        )


def _with_init_lr(declared: Plan, checkpoint: Plan | None, reason: str) -> Plan:
    """Return `declared` with a number for ``init_lr: current``: the checkpoint's learning rate where it starts."""
    if declared.init_lr != CURRENT:
        return declared
    start = f"init_lr is `current`, the learning rate of the checkpoint's schedule at start_step {declared.start_step}"
    if checkpoint is None:
        raise StateError(f"{start}, which is not known: {reason}")
    if declared.start_step < checkpoint.start_step:
        raise StateError(f"{start}, and that schedule itself starts at step {checkpoint.start_step}; give a number")
    lrs = {role: lr for role, (lr, _) in values_by_role(checkpoint, declared.start_step).items()}
    rules = tuple(_starting_at(rule, lrs.get(rule.role, lrs[DEFAULT]), lrs[DEFAULT]) for rule in declared.groups)
    return replace(declared, init_lr=lrs[DEFAULT], groups=rules)


def _starting_at(rule: GroupRule, lr: float, default: float) -> GroupRule:
    """Return `rule` with `lr` as its ``init_lr``, unless the rule sets a number, or `lr` is the `default`."""
    values = dict(rule.values)
    if values.pop("init_lr", CURRENT) != CURRENT:
        return rule
    if lr != default:
        values["init_lr"] = lr
    return replace(rule, values=tuple(sorted(values.items())))


def _continues(parent: Parent | None, position: float, checkpoint: Plan | None, declared: Plan) -> bool:
    """Return whether the declared parent wrote the checkpoint, and this schedule continues it without a jump.

    At the declared step a jump is intended.
    """
    if parent is None or checkpoint is None or fingerprint(checkpoint) != parent.fingerprint:
        return False
    if position == parent.step:
        return True
    if position < declared.start_step:
        return False
    return values_by_role(checkpoint, position) == values_by_role(declared, position)


def _rows(saved: Saved, values: Mapping[str, Any], declared: Plan) -> Iterator[Row]:
    names = {"lr_style": saved.lr.name, "wd_style": saved.wd.name if saved.wd else ""}
    for name in NAMES:
        key, now = key_of(name), getattr(declared, name)
        was = values.get(name, names.get(name))
        if was is now or name == "groups":
            continue
        if isinstance(was, Style) and type(was) is type(now):
            old, new = ({"style": style.style, **options_of(style)} for style in (was, now))
            for option in {**old, **new}:
                yield from _difference(f"{key}.{option}", old.get(option, "none"), new.get(option, "none"))
        else:
            yield from _difference(key, was, now)


def _group_rows(saved: Iterable[GroupRule] | None, declared: tuple[GroupRule, ...]) -> Iterator[Row]:
    if saved is None:
        yield Row("groups", "unknown", written(declared))
        return
    before, after = ({rule.role: rule for rule in rules} for rules in (saved, declared))
    for role in {**before, **after}:
        was, now = before.get(role), after.get(role)
        if was is None or now is None:
            yield from _difference(f"groups.{role}", was or "no rule", now or "no rule")
            continue
        old, new = ({"match": rule.match, **rule.sets()} for rule in (was, now))
        for name in {**old, **new}:
            yield from _difference(f"groups.{role}.{key_of(name)}", old.get(name, _NOT_SET), new.get(name, _NOT_SET))


_NOT_SET = "as everywhere"


def _difference(key: str, was: Any, now: Any) -> Iterator[Row]:
    if was != now:
        yield Row(key, written(was), written(now))


def _mistakes(load: Load, checked: Plan) -> list[str]:
    """Reject a load whose plan cannot run from its position; return the mistakes that Megatron accepts.

    Mistakes of `checked`, this run's own plan, were reported when it was built.
    """
    plan, position = load.plan, load.position
    if position < plan.start_step:
        raise StateError(
            f"the checkpoint is at step {position}, before start_step {plan.start_step}, where the schedule starts; "
            f"load a checkpoint from there or later, or correct start_step"
        )
    if (plan.start_wd is None) != (plan.end_wd is None):
        raise StateError(f"start_wd = {plan.start_wd} and end_wd = {plan.end_wd}: one needs the other")
    mistakes: list[str] = []
    for role, role_plan in plan.roles().items() if plan != checked else ():
        conditions = CONDITIONS if role == DEFAULT else CONDITIONS_OF_GROUPS
        refused, found = broken_conditions({key_of(name): getattr(role_plan, name) for name in NAMES}, conditions)
        of_role = "" if role == DEFAULT else f" for the role {role}"
        if refused:
            raise StateError(f"the schedule cannot run{of_role}: " + "; ".join(map(str, refused)))
        mistakes += [f"{mistake}{of_role}" for mistake in found]
    values_by_role(plan, position)
    return mistakes


def _warnings_about_gaps(saved: Saved, chosen: Plan, kept: Collection[str]) -> Iterator[str]:
    """Yield what the checkpoint does not specify although its schedule is used."""
    if saved.doubt:
        yield f"{saved.doubt}; the ten keys are used, with start_step {chosen.start_step}"
    taken = []
    if "init_lr" not in saved.numbers and "init_lr" not in kept and chosen.lr_warmup_steps > 0:
        taken.append(f"init_lr ({chosen.init_lr})")
    for name in STYLES:
        key, style = key_of(name), getattr(chosen, name)
        if saved.by_megatron and key not in kept and len(type(style).model_fields) > 1:
            taken.append(f"the options of {key} ({written(style)})")
    if saved.groups is None and chosen.groups and "groups" not in kept:
        taken.append("the rules for param groups")
    if taken:
        yield f"the checkpoint does not specify {' and '.join(taken)}; this run's values are used"


def _changed_sources(saved: Saved, chosen: Plan) -> Iterator[str]:
    """Yield a warning for each plugin that is another one than the checkpoint was written with."""
    saved_sources = [item for style in saved.styles() for item in style.sources.items()]
    plugins = {path: source for path, source in saved_sources if source.distribution != "schedframe"}
    sources = sources_of(chosen) if plugins else {}
    for path, was in plugins.items():
        now = sources.get(path)
        if now is None or now.name != was.name or now.identity == was.identity:
            continue
        back = f"; pip install '{was.distribution}=={was.version}' brings that one back" if was.distribution else ""
        yield f"the checkpoint's style {now.name!r} is from {was}, and here it is from {now}: it may differ{back}"
