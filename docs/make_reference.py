"""Writes the reference pages that come from the code: styles and config keys.

``python docs/make_reference.py`` writes them; a test fails where they are not current.
"""

import inspect
from collections.abc import Iterator
from pathlib import Path

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

import schedframe
from schedframe.styles import LRCurve, LRShape, Style, WDCurve, WDShape

REFERENCE = Path(__file__).parent / "reference"


def pages() -> dict[str, str]:
    """Return each page's file name and text."""
    return {"styles.md": "\n".join(_styles()) + "\n", "config.md": "\n".join(_config()) + "\n"}


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
    "lr_decay_steps": "`train_samples`; one of the two is needed",
    "start_wd": "`end_wd`; without both, weight decay is left alone",
    "end_wd": "`start_wd`",
    "wd_incr_steps": "`train_samples`, else `lr_decay_steps`",
    "resume": "`strict`",
}


def _config() -> Iterator[str]:
    yield "# Config\n"
    yield "The table is made from the model by `python docs/make_reference.py`.\n"
    yield "A schedule is YAML 1.2 (`.yaml`, `.yml`), TOML or JSON, or `schedframe.Schedule(**keys)`. The keys are flat,"
    yield "in Megatron's words:\n"
    yield "| key | default | |\n|---|---|---|"
    for key, field in schedframe.Schedule.model_fields.items():
        yield f"| `{key}` | {DEFAULTS.get(key) or _default(field)} | {field.description} |"
    yield (Path(__file__).parent / "reference" / "_config_notes.md").read_text().rstrip("\n")


if __name__ == "__main__":
    for file, text in pages().items():
        (REFERENCE / file).write_text(text)
        print("wrote", REFERENCE / file)
