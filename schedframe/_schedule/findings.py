"""What lint rules and policy checks find in a declared schedule, each with the file and the line where it stands."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from schedframe._errors import Problem, written
from schedframe._plugins.hooks import complaints_by_plugin, is_muted
from schedframe._process import log_once
from schedframe._schedule.keys import Keys
from schedframe._schedule.origin import Origin
from schedframe.lint._context import RuleContext
from schedframe.lint._engine import all_rules, check, policy_check, rules_named, value_at
from schedframe.lint._rule import Finding, Found, Rule


def find(
    keys: Keys,
    origin: Origin,
    *,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    param_groups: Sequence[Mapping[str, Any]] = (),
) -> list[Finding]:
    """Return what the rules find in the schedule with `keys`, in the order of the file; see `Schedule.findings`."""
    context = RuleContext(keys.plan, keys.scale, origin.given, param_groups)
    sources = all_rules()
    rules = [rule for rule, _ in sources.values()]
    ignored = rules_named(ignore, rules)
    wanted = rules_named(select, rules) or set(sources)
    in_file = {rule.code for rule in rules for name in keys.ignored if name in (rule.code, rule.name)}
    active = [rule for rule in rules if rule.code in wanted - ignored - in_file]
    found = [(rule, found, sources[rule.code][1]) for rule, found in check(context, active)]
    if policy_check.code in wanted - ignored:
        found += [(policy_check, Found("", text), plugin) for plugin, text in complaints_by_plugin(keys)]
    return [_finding(context, origin, *each) for each in found]


def errors_of(keys: Keys, origin: Origin, param_groups: Sequence[Mapping[str, Any]] = ()) -> list[Problem]:
    """Return the errors among the findings, and log the warnings once, on the first rank.

    Nothing is looked for where hooks are muted: nobody runs such a schedule.
    """
    return [] if is_muted() else _errors(find(keys, origin, param_groups=param_groups))


def errors_in(context: RuleContext) -> list[Problem]:
    """Return the errors that the rules find in a run without a config, and log the warnings; see `errors_of`."""
    found = check(context, [rule for rule, _ in all_rules().values()])
    return _errors(_finding(context, Origin(context.given), rule, each, "") for rule, each in found)


def _errors(findings: Iterable[Finding]) -> list[Problem]:
    findings = list(findings)
    for finding in findings:
        if finding.severity == "warning":
            log_once("%s", finding, warn=True)
    return [
        Problem(
            finding.path, f"{finding.message}{f'; {finding.fix}' if finding.fix else ''}{_code(finding)}", finding.value
        )
        for finding in findings
        if finding.severity == "error"
    ]


def _code(finding: Finding) -> str:
    return "" if finding.code == policy_check.code else f" ({finding.code})"


def _finding(context: RuleContext, origin: Origin, rule: Rule, found: Found, source: str) -> Finding:
    given = value_at(context.given, found.path)
    place = origin.located(Problem(found.path, ""))
    file = "" if origin.document is None else place.file or str(origin.document.path)
    step = None if found.step is None else context.plan.start_step + found.step
    return Finding(
        code=rule.code,
        name=rule.name,
        severity=found.severity or rule.severity,
        message=found.message,
        fix=found.fix,
        path=found.path,
        value=found.value or ("" if given is None else written(given)),
        step=step,
        units={} if found.step is None else context.units_at(found.step),
        role=found.role,
        source=source,
        file=file,
        line=place.line,
    )
