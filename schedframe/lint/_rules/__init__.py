"""The rules of schedframe itself, a module for each family."""

from schedframe.lint._rule import Rule
from schedframe.lint._rules import curve, groups, lengths, magnitudes, provenance, run, weight_decay

FAMILIES = (lengths, run, curve, groups, weight_decay, magnitudes, provenance)

RULES: tuple[Rule, ...] = tuple(
    value for family in FAMILIES for value in vars(family).values() if isinstance(value, Rule)
)
"""Every rule, in the order of its codes."""
