"""Param groups: the rules that a schedule has for them, which group has which role, and what each follows."""
