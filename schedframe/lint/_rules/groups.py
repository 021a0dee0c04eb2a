"""Rules for param groups."""

from collections.abc import Iterator
from itertools import combinations

from schedframe.lint._context import RuleContext
from schedframe.lint._rule import Found, rule

_BASE = "train_samples: 1M\nmax_lr: 3e-4\n"
_MATCH = 'match: {param: "*.router.*"}'


@rule(
    "SF401",
    "rule-without-effect",
    "warning",
    bad=f"{_BASE}groups:\n  - {{role: router, {_MATCH}, max_lr: 3e-4}}\n",
    good=f"{_BASE}groups:\n  - {{role: router, {_MATCH}, max_lr: 1e-4}}\n",
)
def find_rules_without_effect(context: RuleContext) -> Iterator[Found]:
    """A rule gives its param groups the schedule that they have without it."""
    default, *others = context.groups
    for group in others:
        if group.plan == default.plan and group.wd_mult in (None, 1.0):
            yield Found(group.path, f"changes nothing for {group.role}", "remove the rule, or change a value")


@rule(
    "SF402",
    "equal-rules",
    "note",
    bad=f"{_BASE}groups:\n  - {{role: router, {_MATCH}, lr_mult: 0.1}}\n"
    '  - {role: head, match: {param: "*.head.*"}, lr_mult: 0.1}\n',
    good=f"{_BASE}groups:\n  - {{role: router, {_MATCH}, lr_mult: 0.1}}\n"
    '  - {role: head, match: {param: "*.head.*"}, lr_mult: 0.2}\n',
)
def find_equal_rules(context: RuleContext) -> Iterator[Found]:
    """Two rules give their param groups the same schedule; one rule whose match covers both is enough."""
    _, *others = context.groups
    for first, second in combinations(others, 2):
        if first.plan == second.plan and first.wd_mult == second.wd_mult:
            yield Found(second.path, f"gives {second.role} the schedule of {first.role}")


@rule(
    "SF403",
    "wd-mult-without-schedule",
    "warning",
    bad=f"{_BASE}groups:\n  - {{role: router, {_MATCH}, wd_mult: 0.0}}\n",
    good=f"{_BASE}start_wd: 0.1\ngroups:\n  - {{role: router, {_MATCH}, wd_mult: 0.0}}\n",
)
def find_ignored_wd_mult(context: RuleContext) -> Iterator[Found]:
    """A rule multiplies a weight decay that the schedule leaves to the optimizer, so the factor is never used."""
    for group in context.groups:
        if group.wd_mult is not None and group.plan.start_wd is None:
            fix = "give start_wd, or set the weight decay of these groups in the optimizer"
            yield Found(group.key("wd_mult"), "is never used, because weight decay is not scheduled", fix)
