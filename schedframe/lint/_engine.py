"""The rules that are installed, the rules that are selected, and their findings."""

from collections.abc import Iterable, Iterator, Mapping

from schedframe._errors import ConfigError, PluginError, Problem, did_you_mean
from schedframe._plan.rule import DEFAULT
from schedframe._plugins.hooks import rules_by_plugin
from schedframe.lint._context import RuleContext
from schedframe.lint._rule import Found, Rule, rule
from schedframe.lint._rules import RULES

_OURS = "SF"


@rule("SF001", "policy-check", "error")
def policy_check(context: RuleContext) -> Iterator[Found]:
    """A policy check of an installed plugin is broken.

    The hook ``schedframe_check`` of the plugin returns the complaint. The key ``ignore`` has no effect on it.
    """
    yield from ()


@rule("SF003", "no-value", "error")
def no_value(context: RuleContext) -> Iterator[Found]:
    """A style fails, or has no finite value from 0 to max_lr, at a step of the run.

    The scheduler rejects that step and changes nothing. Other rules are not applied, because there is no curve.
    """
    try:
        for group in context.groups:
            _ = group.lr_curve, group.wd_curve
    except PluginError as error:
        yield Found("lr_decay_style", str(error))


@rule(
    "SF002",
    "unknown-rule",
    "warning",
    bad="train_samples: 1M\nmax_lr: 3e-4\nignore: {SF999: there is no such rule}\n",
    good="train_samples: 1M\nmax_lr: 3e-4\n",
)
def find_unknown_rules(context: RuleContext) -> Iterator[Found]:
    """The key ``ignore`` names something that is neither the code nor the name of a rule.

    A rule of a plugin is known only where that plugin is installed.
    """
    known = {name for rule, _ in all_rules().values() for name in (rule.code, rule.name)}
    for name in context.given.get("ignore") or ():
        if name not in known:
            yield Found(f"ignore.{name}", "is not the code or name of an installed rule", "remove it")


OWN_RULES = (policy_check, find_unknown_rules, no_value, *RULES)
"""The rules of schedframe itself."""


def all_rules() -> dict[str, tuple[Rule, str]]:
    """Return every rule with the plugin that has it, by its code; the plugin is empty for schedframe's own.

    Raises:
        PluginError: a plugin returns something that is not a rule, or a rule whose code is already used.
    """
    known = {each.code: (each, "") for each in OWN_RULES}
    for plugin, rules in rules_by_plugin():
        for each in rules:
            if not isinstance(each, Rule):
                raise PluginError(f"schedframe_rules of {plugin} returns {each!r}, which is not a schedframe.lint.Rule")
            if each.code.startswith(_OURS) or each.code in known:
                owner = known[each.code][1] if each.code in known else ""
                raise PluginError(f"the rule {each.code} of {plugin} has a code of {owner or 'schedframe'}; rename it")
            known[each.code] = each, plugin
    return known


def rules_named(patterns: Iterable[str], rules: Iterable[Rule]) -> set[str]:
    """Return the codes of the `rules` that `patterns` name: a code, the beginning of one, or a name.

    Raises:
        ConfigError: a pattern names no rule.
    """
    rules = list(rules)
    codes: set[str] = set()
    for pattern in patterns:
        named = {rule.code for rule in rules if pattern == rule.name or (pattern and rule.code.startswith(pattern))}
        if not named:
            known = [name for rule in rules for name in (rule.code, rule.name)]
            fault = f"there is no rule {pattern!r}{did_you_mean(pattern, known) or ';'} `schedframe rule` lists them"
            raise ConfigError("the rules", [Problem("", fault)])
        codes |= named
    return codes


def check(context: RuleContext, rules: Iterable[Rule]) -> Iterator[tuple[Rule, Found]]:
    """Yield what `rules` find, unless a style has no value somewhere; then that alone.

    What is found at one step for the groups without a rule is not repeated for those of each rule.
    """
    without_value = list(no_value.check(context))
    yield from ((no_value, found) for found in without_value)
    others = [] if without_value else [each for each in rules if each is not no_value]
    for each in others:
        seen: set[float | None] = set()
        for found in each.check(context):
            if found.role == DEFAULT:
                seen.add(found.step)
            elif found.step in seen:
                continue
            yield each, found


def value_at(given: Mapping[str, object], path: str) -> object:
    """Return the value at the dotted `path` of `given`; ``None`` where there is none."""
    value: object = given
    for part in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list | tuple) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value
