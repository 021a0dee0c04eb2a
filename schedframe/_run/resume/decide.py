"""What counts when a run is resumed: the checkpoint's schedule, this run's, or nothing but equality of the two."""

import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from schedframe._errors import SchedframeWarning, StateError
from schedframe._plan.conditions import CONDITIONS, CONDITIONS_OF_GROUPS, broken_conditions
from schedframe._plan.evaluate import values_by_role
from schedframe._plan.plan import CURRENT, NAMES, Parent, Plan, fingerprint, styles_of
from schedframe._plan.rule import DEFAULT, GroupRule, key_of
from schedframe._plan.words import written
from schedframe._plugins.source import Source
from schedframe._run.policy import KEYS, Policy
from schedframe._run.resume.report import Decision, Row, refusal
from schedframe._run.resume.state import Saved, SavedRule, SavedStyle
from schedframe.styles._base import Style
from schedframe.styles._byname import by_lr_style, by_wd_style
from schedframe.styles._flat_wsd import is_bare, table_of
from schedframe.styles._installed import sources_within
from schedframe.styles.wd import WDConstant


def decide(
    saved: Saved,
    declared: Plan,
    *,
    policy: Policy,
    override: Collection[str] = (),
    parent: Parent | None = None,
    tail: tuple[Any, Any] = (None, None),
) -> Decision:
    """Return what a load of `saved` does to a run that declares `declared`; nothing is changed.

    Args:
        saved: what the checkpoint says.
        declared: what this run says.
        policy: which of the two counts.
        override: keys in which this run counts whatever the policy.
        parent: the schedule that this one continues; its checkpoint is taken with ``strict`` too.
        tail: this run's ``wsd_decay_steps`` and ``lr_wsd_decay_style``, given beside a style that is not WSD.

    Raises:
        StateError: the checkpoint's schedule is needed and cannot be had or run, or the policy refuses.
    """
    if saved.doubt and policy == "strict":
        raise StateError(f"{saved.doubt}; the policy strict refuses it, checkpoint or override let the ten keys count")
    if saved.numbers["clock"] != declared.clock:
        raise StateError(
            f"the checkpoint's clock counts {saved.numbers['clock']}, and this run's {declared.clock}: step "
            f"{saved.num_steps} of the one is none of the other; say clock: {saved.numbers['clock']}"
        )
    ours = frozenset(KEYS if policy == "override" else override)
    said, reason = _said(saved, declared, ours, tail)
    theirs = Plan(**said) if not reason else None
    checked = declared
    if policy != "checkpoint" or "init_lr" in ours:
        declared = _with_init_lr(declared, theirs, reason)
    chosen, handed_over = declared, False
    if policy == "checkpoint":
        chosen = replace(declared, **{name: value for name, value in said.items() if key_of(name) not in ours})
        _refuse_other_matches(chosen, declared)
    elif policy == "strict":
        handed_over = _continues(parent, saved.num_steps, theirs, declared)
    rows = tuple(_rows(saved, said, declared))
    decision = Decision(policy, saved.num_steps, chosen, declared, theirs, handed_over, rows)
    if policy == "strict" and not handed_over and any(row.key.split(".")[0] not in ours for row in rows):
        raise StateError(refusal(decision, parent))
    mistakes = _refuse_what_cannot_run(decision, checked)
    for mistake in (*_warnings_about_gaps(saved, chosen, ours), *mistakes, *_changed_sources(saved, chosen)):
        warnings.warn(mistake, SchedframeWarning, stacklevel=3)
    return decision


def plan_of(saved: Saved) -> Plan:
    """Return the checkpoint's plan by itself; of Megatron's, ``init_lr`` is not known and says ``current``.

    Raises:
        StateError: its style cannot be had, or is WSD, whose tail Megatron does not save.
    """
    if saved.by_megatron and is_bare(saved.lr.name):
        raise StateError("the style is WSD, and Megatron does not save its tail")
    lr_style: Any = saved.lr.resolve(by_lr_style)
    nothing = {"init_lr": CURRENT, "start_wd": None, "end_wd": None, "wd_incr_steps": saved.numbers["lr_decay_steps"]}
    wd_style: Any = WDConstant() if saved.wd is None else saved.wd.resolve(by_wd_style)
    groups = tuple(rule.resolve() for rule in saved.groups or ())
    return Plan(**{**nothing, **saved.numbers}, lr_style=lr_style, wd_style=wd_style, groups=groups)


def _said(saved: Saved, declared: Plan, ours: Collection[str], tail: tuple[Any, Any]) -> tuple[dict[str, Any], str]:
    """The checkpoint's plan, what it does not say taken from this run; and why a style is missing from it."""
    said = {name: saved.numbers.get(name, getattr(declared, name)) for name in NAMES}
    reason = ""
    for name, style, by_name in (("lr_style", saved.lr, by_lr_style), ("wd_style", saved.wd, by_wd_style)):
        own = getattr(declared, name)
        if style is None or _is(style, own, saved.by_megatron):
            continue
        try:
            said[name] = (_with_tail(style, tail) if saved.by_megatron else style).resolve(by_name)
        except StateError as error:
            if key_of(name) not in ours:
                raise
            reason = str(error)
            del said[name]
    if saved.groups is not None:
        try:
            said["groups"] = _rules(saved.groups, declared.groups)
        except StateError as error:
            if "groups" not in ours:
                raise
            reason = str(error)
            del said["groups"]
    return said, reason


def _rules(saved: Iterable[SavedRule], own: Iterable[GroupRule]) -> tuple[GroupRule, ...]:
    """The checkpoint's rules; one that is this run's need not be looked up."""
    known = {rule.role: rule for rule in own}
    return tuple(
        known[rule.table["role"]]
        if rule.table["role"] in known and known[rule.table["role"]].table() == rule.table
        else rule.resolve()
        for rule in saved
    )


def _refuse_other_matches(chosen: Plan, declared: Plan) -> None:
    """Refuse a checkpoint's rules that are for other groups than this run's: its groups are made already."""
    theirs, own = ({rule.role: str(rule.match) for rule in plan.groups} for plan in (chosen, declared))
    if theirs != own:
        listed = [", ".join(f"{role} ({match})" for role, match in said.items()) or "none" for said in (theirs, own)]
        raise StateError(
            f"the checkpoint's rules for param groups are {listed[0]}, and this run's groups were made by {listed[1]}; "
            f"declare the checkpoint's rules, or let this run's count (resume: {{policy: checkpoint, override: "
            f"[groups]}})"
        )


def _is(style: SavedStyle, own: Style, by_megatron: bool) -> bool:
    """Say whether `style` is `own`; of a style that Megatron saved, only its name is known."""
    return style.name == own.style if by_megatron else style.table == own.model_dump(mode="json")


def _with_tail(style: SavedStyle, tail: tuple[Any, Any]) -> SavedStyle:
    if not is_bare(style.name):
        return style
    if None in tail:
        raise StateError(
            "the checkpoint's style is WSD, and Megatron does not save its tail; "
            "give this run wsd_decay_steps and lr_wsd_decay_style"
        )
    return replace(style, table=table_of(*tail))


def _with_init_lr(declared: Plan, theirs: Plan | None, reason: str) -> Plan:
    """`declared`, with the learning rate that the checkpoint's schedule has at its start for ``init_lr: current``."""
    if declared.init_lr != CURRENT:
        return declared
    start = f"init_lr is `current`, the learning rate of the checkpoint's schedule at start_step {declared.start_step}"
    if theirs is None:
        raise StateError(f"{start}, which is not known: {reason}")
    if declared.start_step < theirs.start_step:
        raise StateError(f"{start}, and that schedule itself starts at step {theirs.start_step}; give a number")
    there = {role: lr for role, (lr, _) in values_by_role(theirs, declared.start_step).items()}
    rules = tuple(_starting_at(rule, there.get(rule.role, there[DEFAULT]), there[DEFAULT]) for rule in declared.groups)
    return replace(declared, init_lr=there[DEFAULT], groups=rules)


def _starting_at(rule: GroupRule, lr: float, default: float) -> GroupRule:
    """`rule` with the learning rate at which its warm-up begins, unless that is a number of its own or everyone's."""
    values = dict(rule.values)
    if values.get("init_lr", CURRENT) != CURRENT:
        return rule
    values.pop("init_lr", None)
    if lr != default:
        values["init_lr"] = lr
    return replace(rule, values=tuple(sorted(values.items())))


def _continues(parent: Parent | None, position: float, theirs: Plan | None, declared: Plan) -> bool:
    """Say whether the checkpoint is the declared parent's, where this schedule goes on from it without a jump.

    At the declared step a jump is what was asked for.
    """
    if parent is None or theirs is None or fingerprint(theirs) != parent.fingerprint:
        return False
    if position == parent.step:
        return True
    return position >= declared.start_step and values_by_role(theirs, position) == values_by_role(declared, position)


def _rows(saved: Saved, said: Mapping[str, Any], declared: Plan) -> Iterator[Row]:
    names = {"lr_style": saved.lr.name, "wd_style": saved.wd.name if saved.wd else ""}
    yield from _group_rows(said.get("groups"), declared.groups)
    for name in NAMES:
        if name == "groups":
            continue
        key, own = key_of(name), getattr(declared, name)
        theirs = said.get(name, names.get(name))
        if isinstance(theirs, Style) and type(theirs) is type(own):
            for option in type(own).model_fields:
                was, now = getattr(theirs, option), getattr(own, option)
                if was != now:
                    yield Row(f"{key}.{option}", written(was), written(now))
        elif theirs != own:
            yield Row(key, written(theirs), written(own))


def _group_rows(saved: Iterable[GroupRule] | None, declared: Iterable[GroupRule]) -> Iterator[Row]:
    if saved is None:
        yield Row("groups", "unknown", written(tuple(declared)))
        return
    theirs, own = ({rule.role: rule for rule in rules} for rules in (saved, declared))
    for role in {**theirs, **own}:
        was, now = theirs.get(role), own.get(role)
        if was is None or now is None:
            yield Row(f"groups.{role}", *("no rule" if rule is None else written(rule) for rule in (was, now)))
            continue
        before, after = ({"match": rule.match, **rule.sets()} for rule in (was, now))
        for name in {**before, **after}:
            if before.get(name, _AS_ALL) != after.get(name, _AS_ALL):
                values = (written(side.get(name, _AS_ALL)) for side in (before, after))
                yield Row(f"groups.{role}.{key_of(name)}", *values)


_AS_ALL = "as everywhere"


def _refuse_what_cannot_run(decision: Decision, checked: Plan) -> list[str]:
    """Refuse a position before the start, and a plan that breaks a rule; return what it says that is a mistake.

    Of `checked`, this run's own plan, all was told when it was built.
    """
    plan, position = decision.plan, decision.position
    if position < plan.start_step:
        raise StateError(
            f"the checkpoint is at step {position}, before start_step {plan.start_step}, where the schedule starts; "
            f"load a checkpoint from there or later, or correct start_step"
        )
    if (plan.start_wd is None) != (plan.end_wd is None):
        raise StateError(f"start_wd = {plan.start_wd} and end_wd = {plan.end_wd}: one needs the other")
    mistakes: list[str] = []
    for role, own in plan.roles().items() if plan != checked else ():
        rules = CONDITIONS if role == DEFAULT else CONDITIONS_OF_GROUPS
        refused, found = broken_conditions({key_of(name): getattr(own, name) for name in NAMES}, rules)
        of_role = "" if role == DEFAULT else f" for the role {role}"
        if refused:
            raise StateError(f"the schedule cannot run{of_role}: " + "; ".join(map(str, refused)))
        mistakes += [f"{mistake}{of_role}" for mistake in found]
    values_by_role(plan, position)
    return mistakes


def _warnings_about_gaps(saved: Saved, chosen: Plan, ours: Collection[str]) -> Iterator[str]:
    """Yield what the checkpoint does not specify although its schedule is used."""
    if saved.doubt:
        yield f"{saved.doubt}; the ten keys count, with start_step {chosen.start_step}"
    taken = []
    if "init_lr" not in saved.numbers and "init_lr" not in ours and chosen.lr_warmup_steps > 0:
        taken.append(f"init_lr ({chosen.init_lr})")
    for key, style in (("lr_decay_style", chosen.lr_style), ("wd_incr_style", chosen.wd_style)):
        if saved.by_megatron and key not in ours and len(type(style).model_fields) > 1:
            taken.append(f"the options of {key} ({written(style)})")
    if saved.groups is None and chosen.groups and "groups" not in ours:
        taken.append("the rules for param groups")
    if taken:
        yield f"the checkpoint does not specify {' and '.join(taken)}; this run's values are used"


def _changed_sources(saved: Saved, chosen: Plan) -> Iterator[str]:
    """Yield for each plugin that is not the one that the checkpoint was written with."""
    styles = [style for style in (saved.lr, saved.wd) if style is not None]
    styles += [style for rule in saved.groups or () for style in rule.styles.values()]
    now = {
        at: source for path, style in styles_of(chosen).items() for at, source in sources_within(path, style).items()
    }
    for saved_style in styles:
        for path, source in saved_style.sources.items():
            here = now.get(path)
            if here is None or here.name != source.name or source.distribution == "schedframe":
                continue
            if here.identity != source.identity:
                yield _changed(source, here)


def _changed(was: Source, now: Source) -> str:
    way_back = f"; pip install '{was.distribution}=={was.version}' brings that one back" if was.distribution else ""
    return f"the checkpoint's style {now.name!r} is from {was}, and here it is from {now}: it may differ{way_back}"
