"""Writes the reference pages that come from the code: styles, config keys and lint rules.

``python docs/make_reference.py`` writes them; a test fails where they are not current.
"""

import inspect
import json
from collections.abc import Iterator
from pathlib import Path

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

import schedframe
from schedframe._schedule.groups import FIELDS
from schedframe._schedule.keys import Keys
from schedframe._schedule.shorthand import FLAT_WSD
from schedframe._tools.schema import schema
from schedframe.lint._engine import all_rules
from schedframe.styles import LRCurve, LRShape, Style, WDCurve, WDShape
from schedframe.styles.lr import WSD

REFERENCE = Path(__file__).parent / "reference"


def pages() -> dict[str, str]:
    """Return each page's file name and text."""
    made, _ = schema(builtin=True)
    return {
        "styles.md": "\n".join(_styles()) + "\n",
        "config.md": "\n".join(_config()) + "\n",
        "rules.md": "\n".join(_rules()) + "\n",
        "schedframe.schema.json": json.dumps(made, indent=2) + "\n",
    }


def _rules() -> Iterator[str]:
    rules = [rule for rule, plugin in all_rules().values() if not plugin]
    yield "# Lint rules\n"
    yield "Made from the rules by `python docs/make_reference.py`. `schedframe check` uses these rules and those of"
    yield "installed plugins; `schedframe rule CODE` shows the same. `--select` and `--ignore` take codes, beginnings"
    yield "of codes, and names. In a file, the key `ignore` leaves a rule out and gives the reason.\n"
    yield "An error is refused by `Schedule.build` and by the launcher, which log warnings once, on the first rank."
    yield "Notes are shown by `schedframe check --notes` and in JSON.\n"
    yield "| code | name | severity | |\n|---|---|---|---|"
    for rule in rules:
        yield f"| [{rule.code}](#{rule.code.lower()}-{rule.name}) | {rule.name} | {rule.severity} | {rule.summary} |"
    for rule in rules:
        yield f"\n## {rule.code} {rule.name}\n"
        yield f"Severity: {rule.severity}.\n"
        yield rule.explanation
        if rule.bad:
            yield f"\nIt finds something in:\n\n```yaml\n{rule.bad.rstrip()}\n```\n"
            yield f"and nothing in:\n\n```yaml\n{rule.good.rstrip()}\n```"


def _styles() -> Iterator[str]:
    yield "# Styles\n"
    yield "Made from the docstrings by `python docs/make_reference.py`. `schedframe styles NAME` shows the same for"
    yield "every installed style, plugins included.\n"
    for title, registry in (("Learning rate", schedframe.lr_styles), ("Weight decay", schedframe.wd_styles)):
        yield f"## {title}\n"
        for name in sorted(registry.builtins, key=str.lower):
            yield from _style(name, registry[name], [a for a, full in registry.aliases.items() if full == name])


def _style(name: str, cls: type[Style], aliases: list[str]) -> Iterator[str]:
    also = f" (also `{'`, `'.join(aliases)}`)" if aliases else ""
    yield f"### `{name}`{also}\n"
    yield f"{_tier(cls)} · `{cls.__module__}.{cls.__name__}`\n"
    yield f"```text\n{inspect.cleandoc(cls.__doc__ or '')}\n```\n"
    options = {key: field for key, field in cls.model_fields.items() if key != "style"}
    if options:
        yield "| option | default | |\n|---|---|---|"
        for key, field in options.items():
            yield f"| `{key}` | {_default(field)} | {field.description} |"
        yield ""


def _tier(cls: type[Style]) -> str:
    if issubclass(cls, LRCurve | WDCurve):
        return "curve"
    return "shape" if issubclass(cls, LRShape | WDShape) else "style"


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "needed"
    if field.default is None:
        return "none"
    return f"`{field.default.style if isinstance(field.default, Style) else field.default}`"


DEFAULTS = {
    "lr_decay_steps": "the run; one of the two is needed",
    "start_wd": "`end_wd`; without both, weight decay is not scheduled",
    "end_wd": "`start_wd`",
    "wd_incr_steps": "the run, else `lr_decay_steps`",
    "groups": "none",
    "resume": "`strict`",
}


BASE = {"max_lr": "1e-3", "train_samples": "500M", "global_batch_size": "1024", "seq_length": "4096"}
"""What every example stands beside."""

INSTEAD = {
    "train_iters": ("train_samples",),
    "train_tokens": ("train_samples",),
    "step_batch_size_schedule": ("global_batch_size",),
}
"""Keys that stand in the place of some of those."""

BESIDE = {
    "decrease_batch_size_if_needed": ("micro_batch_size", "data_parallel_size"),
    "wd_incr_steps": ("start_wd", "end_wd"),
    "wd_incr_style": ("start_wd",),
}
"""Keys that need others."""

FACTORS = {
    "lr_mult": ("0.1", "Factor on max_lr, min_lr and init_lr, in decimal."),
    "wd_mult": ("0.0", "Factor on the weight decay; the group's own key of Megatron."),
}


def examples() -> dict[str, str]:
    """Return a whole config for each key."""
    found = {}
    for key in Keys.model_fields:
        lines = {name: value for name, value in BASE.items() if name != key and name not in INSTEAD.get(key, ())}
        lines.update({name: _example(name) for name in BESIDE.get(key, ())})
        lines[key] = _example(key)
        if key == "wd_incr_steps":
            lines["wd_incr_style"] = "linear"
        found[key] = "".join(f"{name}: {value}\n" for name, value in lines.items())
    return found


def rule_examples() -> dict[str, str]:
    """Return a whole config for each key that a rule for param groups sets."""
    base = "".join(f"{name}: {value}\n" for name, value in BASE.items())
    rule = "groups:\n- role: router\n  match: {param: '*.router.*'}\n"
    beside = dict.fromkeys(FLAT_WSD, ("lr_decay_style: WSD", "wsd_decay_steps: 10%", "lr_wsd_decay_style: linear"))
    beside["end_wd"] = ("wd_incr_style: linear",)
    found = {}
    for key in FIELDS:
        lines = {**dict.fromkeys(beside.get(key, ()), ""), f"{key}: {_rule_example(key)}": ""}
        unique = {line.split(":")[0]: line for line in lines}
        found[key] = base + "start_wd: 0.0\n" + rule + "".join(f"  {line}\n" for line in unique.values())
    return found


def _example(key: str) -> str:
    (value,) = Keys.model_fields[key].examples or ()
    return _flow(value)


def _rule_example(key: str) -> str:
    if key in FACTORS:
        return FACTORS[key][0]
    return {"wsd_decay_steps": "20%", "lr_wsd_decay_style": "minus_sqrt"}.get(key) or _example(key)


def _flow(value: object) -> str:
    """`value` as YAML on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) and set(value) & set("*:") else str(value)


def _config() -> Iterator[str]:
    yield "# Config\n"
    yield "The tables are made from the models by `python docs/make_reference.py`; a test loads every example.\n"
    yield "A schedule is YAML 1.2 (`.yaml`, `.yml`), TOML or JSON, or `schedframe.Schedule(**keys)`. The keys are flat,"
    yield "in Megatron's words. A file has 1 MiB, 10,000 values and 50 levels at most, and numbers lie within 1e100:\n"
    yield "| key | default | example | |\n|---|---|---|---|"
    for key, field in Keys.model_fields.items():
        yield f"| `{key}` | {DEFAULTS.get(key) or _default(field)} | `{_example(key)}` | {field.description} |"
    yield "\n## Rules for param groups\n"
    yield "`groups` is a list of rules. Each has a `role`, its name in reports, and a `match`:\n"
    yield "| `match` | |\n|---|---|"
    yield "| `{param: \"*.router.*\"}` | a glob of parameters' names, as in Megatron's `ParamKey` |"
    yield '| `{regex: "bias$"}` | an expression that is found somewhere in a parameter\'s name |'
    yield "| `{key: {is_expert_parallel: true}}` | what the group holds, all of it |"
    yield "| `{index: 1}` | its position in the optimizer, from 0 on |"
    yield "\nand sets any of these, each as the file sets it for all other groups. How rules are applied stands in"
    yield "[Give param groups a schedule of their own](../how-to/param-groups.md).\n"
    yield "| key | example | |\n|---|---|---|"
    for key in FIELDS:
        yield f"| `{key}` | `{_rule_example(key)}` | {_rule_description(key)} |"
    yield ""
    yield (Path(__file__).parent / "reference" / "_config_notes.md").read_text().strip("\n")


def _rule_description(key: str) -> str | None:
    if key in FACTORS:
        return FACTORS[key][1]
    field = (WSD if key in FLAT_WSD else Keys).model_fields[key]
    return field.description


if __name__ == "__main__":
    for file, text in pages().items():
        (REFERENCE / file).write_text(text)
        print("wrote", REFERENCE / file)
