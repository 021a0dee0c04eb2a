"""What a config may declare in another way: keys that another key stands in for, and Megatron's flat keys of WSD.

`expand` brings the keys into the one form that is validated; `as_written` brings problems back into the form in
which the keys were given.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from schedframe._errors import Problem, written
from schedframe._files.config.document import EXTENDS
from schedframe._schedule.fields import UNIT_KEYS
from schedframe._units.lengths import parse_measure
from schedframe._units.units import RUN_KEYS
from schedframe.styles._flat_wsd import FLAT_WSD, description_of, is_bare

STANDS_IN = {
    "lr_decay_steps": tuple(RUN_KEYS),
    "wd_incr_steps": (*RUN_KEYS, "lr_decay_steps"),
    "start_wd": ("end_wd",),
    "end_wd": ("start_wd",),
}
"""Keys that default to another key, the first that is given."""

_STYLE = "lr_decay_style"


def expand(keys: dict[str, Any]) -> dict[str, Any]:
    """Return `keys` with flat options of a bare WSD in its table, and with keys that others stand in for."""
    keys = dict(keys)
    flat = [name for name in FLAT_WSD if name in keys]
    if flat and is_bare(keys.get(_STYLE)):
        keys[_STYLE] = {"style": keys[_STYLE], **{name: keys.pop(name) for name in flat}}
    for name, others in STANDS_IN.items():
        given = [_in_its_unit(keys, other) for other in others if keys.get(other) is not None]
        if keys.get(name) is None:
            keys.pop(name, None)
            keys.update({name: given[0]} if given else {})
    return keys


def _in_its_unit(keys: dict[str, Any], name: str) -> Any:
    """Return the value of the key `name`, with its unit where that is not the scheduler's own."""
    value, unit = keys[name], RUN_KEYS.get(name)
    is_plain = isinstance(value, int | float | str) and not isinstance(value, bool)
    if unit is None or not is_plain or unit == keys.get("clock", "samples"):
        return value
    try:
        return value if parse_measure(value).unit else f"{value} {unit}"
    except ValueError:
        return value


def all_keys(fields: Iterable[str]) -> Iterator[str]:
    """Yield every key that may be given: `fields`, those of units last, and WSD's flat options after the style."""
    for name in sorted(fields, key=UNIT_KEYS.__contains__):
        yield name
        if name == _STYLE:
            yield from FLAT_WSD


def describe(schema: dict[str, Any]) -> None:
    """Let a JSON schema of the one form admit the other ways too."""
    schema["required"] = [name for name in schema["required"] if name not in STANDS_IN]
    for name in FLAT_WSD:
        description = f"{description_of(name)} Only with {_STYLE}: WSD."
        schema["properties"][name] = {"description": description}


def stands_on(path: str) -> str:
    """Return the path whose line a problem of `path` has where its own key is not in the file."""
    return _STYLE if path in FLAT_WSD else path


def as_written(problems: Iterable[Problem], keys: dict[str, Any]) -> list[Problem]:
    """Rewrite `problems` of expanded keys so that each names the key among `keys` that the user wrote, once."""
    translated: list[Problem] = []
    filled_in: list[Problem] = []
    for problem in problems:
        top, _, option = problem.path.partition(".")
        if top in STANDS_IN and keys.get(top) is None:
            filled_in.append(problem)
        elif top == _STYLE and option.split(".")[0] in FLAT_WSD and is_bare(keys.get(_STYLE)):
            translated.append(replace(problem, path=option))
        elif problem.path == EXTENDS:
            fault = "is only for files: read them with schedframe.load"
            translated.append(replace(problem, value="", message=fault, note=""))
        elif problem.path in FLAT_WSD:
            translated.append(replace(problem, message=_misplaced(keys.get(_STYLE, "linear")), note=""))
        else:
            translated.append(problem if top in keys else replace(problem, value=""))
    blamed = {problem.path for problem in translated}
    for problem in filled_in:
        given = [name for name in STANDS_IN[problem.path] if keys.get(name) is not None]
        path = given[0] if given else problem.path
        if path not in blamed and (given or problem.path != "wd_incr_steps"):
            translated.append(replace(problem, path=path))
            blamed.add(path)
    return [_with_given_value(problem, keys) for problem in translated]


def _with_given_value(problem: Problem, keys: dict[str, Any]) -> Problem:
    """Return `problem` with its value as it was given: a condition reads ``90%`` as a number."""
    value: Any = keys
    for part in problem.path.split("."):
        if not isinstance(value, dict) or part not in value:
            return problem
        value = value[part]
    return replace(problem, value=written(value)) if problem.value else problem


def _misplaced(style: object) -> str:
    """Return what is wrong with a flat option of WSD beside `style`, which is not a bare WSD."""
    name = style.get("style") if isinstance(style, dict) else getattr(style, "style", style)
    if is_bare(name):
        return f"is given beside the table of {_STYLE}; give it in the table"
    return f"is only for {_STYLE}: WSD, and that is {name!r} here"
