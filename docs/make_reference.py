"""Writes the reference pages that come from the code: styles, config keys, recipes and lint rules.

``python docs/make_reference.py`` writes them; a test fails where they are not current.
"""

import inspect
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

import schedframe
from schedframe._schedule.groups import FIELDS
from schedframe._schedule.keys import Keys
from schedframe._schedule.shorthand import FLAT_WSD
from schedframe._tools.recipes import recipes
from schedframe._tools.schema import schema
from schedframe._units.notation import rate
from schedframe.lint._engine import all_rules
from schedframe.styles import LRCurve, LRShape, Style, WDCurve, WDShape
from schedframe.styles.lr import WSD

REFERENCE = Path(__file__).parent / "reference"
_BLOCKS = "▁▂▃▄▅▆▇█"


def pages() -> dict[str, str]:
    """Return each page's file name and text."""
    made, _ = schema(builtin=True)
    return {
        "styles.md": "\n".join(_styles()) + "\n",
        "config.md": "\n".join(_config()) + "\n",
        "recipes.md": "\n".join(_recipes()) + "\n",
        "rules.md": "\n".join(_rules()) + "\n",
        "schedframe.schema.json": json.dumps(made, indent=2) + "\n",
    }


def _recipes() -> Iterator[str]:
    yield _RECIPES
    found = [each for each in recipes()[0] if each.provider.startswith("schedframe ")]
    yield "| name | year | style | length | max LR | |\n|---|---|---|---|---|---|"
    for each, anchor in zip(found, _anchors(each.name for each in found), strict=True):
        yield (
            f"| [{each.name}](#{anchor}) | {each.year} | {each.style} | {each.length} "
            f"| {rate(each.schedule.max_lr)} | `{_small_curve(each.schedule)}` |"
        )
    for each in found:
        yield f"\n## {each.name}\n"
        yield f"{each.title}, {each.year}: `{_small_curve(each.schedule)}`\n"
        yield "Sources:\n"
        yield from (f"- {_linked(source)}" for source in each.sources)
        if each.unsaid:
            yield "\nWhat they leave open:\n"
            yield from (f"- {text}" for text in each.unsaid)
        body = [line for line in each.text.splitlines() if not line.startswith("#")]
        yield "\n<!-- notest -->\n```yaml\n{}\n```".format("\n".join(body))


def _anchors(headings: Iterable[str]) -> Iterator[str]:
    """Yield the anchor of each heading: without dots, and with a number if an earlier one has the same."""
    met: Counter[str] = Counter()
    for heading in headings:
        anchor = heading.replace(".", "")
        yield f"{anchor}-{met[anchor]}" if met[anchor] else anchor
        met[anchor] += 1


def _small_curve(schedule: schedframe.Schedule) -> str:
    """Return the learning rate over the run, or over the decay if that is longer, as a line of characters."""
    end = schedule.train_steps or schedule.lr_decay_steps
    shares = [lr / schedule.max_lr for lr in schedule.lr_at([end * index / 31 for index in range(32)])]
    return "".join(_BLOCKS[min(len(_BLOCKS) - 1, int(share * len(_BLOCKS)))] for share in shares)


def _linked(source: str) -> str:
    """Return a source with its address as a link, and with a path of a repository as code."""
    first, space, rest = source.partition(" ")
    first, comma = first.removesuffix(","), "," if first.endswith(",") else ""
    if first.startswith("https://arxiv.org/abs/"):
        return f"[arXiv {first.rpartition('/')[2]}]({first}){comma}{space}{rest}"
    return f"`{first}`{comma}{space}{rest}" if ":" in first else source


_RECIPES = """# Recipes

This page is generated from the files by `python docs/make_reference.py`. Recipes are published schedules as files.
Every number is stated by a source. Each recipe lists what its sources leave open, and what the file does there. The
same text is in the comment at the top of each file.

```console
$ schedframe recipes
$ schedframe recipes deepseek-v3
$ schedframe preview recipe:kimi-k2
$ schedframe check recipe:kimi-k2
$ schedframe recipes llama-2-7b --write run.yaml
$ schedframe recipes smollm3-3b --scale tokens=2T --write shorter.yaml
```

`recipe:NAME` is accepted in place of a file by `check`, `preview`, `plot`, `diff`, by `schedframe.load`, and by the key
[`extends`](../how-to/extend-a-file.md).

With `--scale`, a recipe is written for a run of another length. Lengths in percent follow the run. Other lengths are
scaled by the same factor as the run, except for the warmup and the ramp-up of the batch size, which do not change. A
comment in the file records each change. Learning rates do not change: you decide whether they suit a run of another
length.

A recipe is the published curve over the run. A trainer may evaluate the curve one update earlier or later; the file
does not contain this difference.

A plugin adds recipes with an entry point in the group `schedframe.recipes`, whose value is a folder in one of its
packages. Each file `NAME.schedule.yaml` in it is a recipe; it begins with a comment that is YAML and has `title`,
`year`, `sources` and `unsaid`. Nothing of the plugin is imported.

```toml
[project.entry-points."schedframe.recipes"]
acme = "acme_runs.recipes"
```

![A small picture of the learning rate of every recipe](../pictures/recipes.svg)
"""


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
            yield f"\nConfig with a finding:\n\n```yaml\n{rule.bad.rstrip()}\n```\n"
            yield f"Config without:\n\n```yaml\n{rule.good.rstrip()}\n```"


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
