"""The names that authors of lint rules import.

A rule is a function that takes a `RuleContext`, the curves and the keys of one schedule, and yields a `Found` for
everything that is probably a mistake. The decorator `rule` gives it a code, a name and a severity; the function's
docstring explains it. A plugin adds its rules by the hook ``schedframe_rules``.
"""

from schedframe.lint._context import Curve, Gap, GroupCurves, RuleContext
from schedframe.lint._rule import Finding, Found, Rule, Severity, rule

__all__ = ["Curve", "Finding", "Found", "Gap", "GroupCurves", "Rule", "RuleContext", "Severity", "rule"]
