"""The schedule that a file and Megatron-LM's flags declare together.

A flag sets a key of the schedule. A key that only one of the two sets is used; a key that both set must be the same.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from schedframe._errors import ConfigError, Problem, SchedframeError
from schedframe._files.config.document import Document, parse_text, read
from schedframe._plan.words import written
from schedframe._schedule.schedule import Schedule
from schedframe._units.units import RUN_KEYS
from schedframe.megatron._launch.flags import OPTIONS, PLACES, flag_of
from schedframe.styles._byname import by_lr_style, by_wd_style
from schedframe.styles._flat_wsd import FLAT_WSD, is_bare

_STYLES = {"lr_decay_style": by_lr_style, "wd_incr_style": by_wd_style}
_COOLDOWN = "lr_wsd_decay_style"


class Setting(NamedTuple):
    """What flags set one key to.

    Attributes:
        value: the key's value; of a style the part of its table that is given.
        flags: the flags as they were written, for errors.
    """

    value: Any
    flags: str


def table_of(text: Any, argument: str) -> dict[str, Any]:
    """Return the options of a style that are the value of a flag.

    Args:
        text: a YAML or JSON table as text, or the table itself, from Megatron's YAML.
        argument: the flag's argument.

    Raises:
        ConfigError: it is not such a table.
    """
    if text is None:
        return {}
    table = _parsed(text) if isinstance(text, str) else getattr(text, "__dict__", text)
    if not isinstance(table, dict) or "style" in table:
        fault = "must be a table of options, such as '{beta: 0.5}'; the style's name is given by the other flag"
        shown = str(text) if str(text).isprintable() else repr(text)
        raise ConfigError("the flags", [Problem(flag_of(argument), fault, shown)])
    return table


def _parsed(text: str) -> Any:
    """Return `text` read as YAML; ``None`` if it is not a table in YAML."""
    try:
        document = parse_text(Path("options.yaml"), text)
    except ConfigError:
        return None
    return None if document.problems else document.data


def styled(name: Any, options: dict[str, Any]) -> Any:
    """Return a style as a config declares it: its name, or a table where there are options."""
    return {"style": name, **options} if options else name


def combine(path: str, given: Mapping[str, Any], place: str, weight_decay: float | None) -> Schedule:
    """Return the schedule that the file at `path` and the arguments that are `given` declare.

    Args:
        path: a YAML, TOML or JSON file.
        given: Megatron's arguments that are given, by name.
        place: where they are given, for errors.
        weight_decay: Megatron's default, for where neither sets one.

    Raises:
        ConfigError: the file is broken, the two disagree, or together they do not declare a schedule.
    """
    document = read(path)
    file, flags = _in_tables(document.data), _by_key(given)
    is_decided = file.get("start_step") or any(key in file for key in RUN_KEYS)
    runs = {key: flags.pop(key) for key in RUN_KEYS if key in flags} if is_decided else {}
    keys = {**{key: flag.value for key, flag in flags.items()}, **file}
    for key in flags.keys() & file.keys() & _STYLES.keys():
        keys[key] = _joined(key, flags[key].value, file[key])
    if keys.get("start_wd") is None and keys.get("end_wd") is None and weight_decay is not None:
        keys["start_wd"] = weight_decay
    schedule = _schedule(keys, document, flags)
    problems = list(_other_ends(schedule, file, runs, place))
    for key, flag in flags.items():
        if key in file:
            value = _joined(key, file[key], flag.value)
            by_flags = getattr(_schedule({**keys, key: value}, document, flags), key)
            by_file = getattr(schedule, key)
            if by_file != by_flags:
                fault = f"{flag.flags} {place} gives {written(by_flags)}; leave one of the two out"
                problems.append(_located(Problem(key, fault, written(by_file)), document))
    if problems:
        raise ConfigError(str(document.path), problems)
    return schedule


def _by_key(given: Mapping[str, Any]) -> dict[str, Setting]:
    """Return the keys of a schedule that flags set."""
    tables = {argument: table_of(given.get(options), options) for argument, options in OPTIONS.items()}
    if tables[_COOLDOWN] and _COOLDOWN not in given:
        fault = f"needs {flag_of(_COOLDOWN)} beside it"
        raise ConfigError("the flags", [Problem(flag_of(OPTIONS[_COOLDOWN]), fault)])
    settings: dict[str, Setting] = {}

    def add(argument: str, key: str, value: Any) -> None:
        flags = f"{flag_of(argument)} {given[argument]}"
        if key in settings and isinstance(value, dict):
            value, flags = {**settings[key].value, **value}, f"{settings[key].flags} {flags}"
        settings[key] = Setting(value, flags)

    for argument, place in PLACES.items():
        if argument in given:
            value = place.value(given[argument])
            if argument == _COOLDOWN:
                value = styled(value, tables[argument])
            add(argument, place.key, {place.option: value} if place.option else value)
        if OPTIONS.get(argument) in given and argument != _COOLDOWN:
            add(OPTIONS[argument], place.key, tables[argument])
    return settings


def _in_tables(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of a file with every style as a table, which has WSD's flat keys."""
    keys = dict(data)
    for key in _STYLES:
        if isinstance(keys.get(key), str):
            keys[key] = {"style": keys[key]}
    style = keys.get("lr_decay_style")
    if isinstance(style, dict) and len(style) == 1 and is_bare(style.get("style")):
        keys["lr_decay_style"] = {**style, **{name: keys.pop(name) for name in FLAT_WSD if name in keys}}
    return keys


def _joined(key: str, value: Any, other: Any) -> Any:
    """Return `other`; of two tables of one style, `value` with the options of `other`."""
    if not (isinstance(value, dict) and isinstance(other, dict)):
        return other
    try:
        names = {table["style"] for table in (value, other) if "style" in table}
        is_one_style = len(names) < 2 or len({_STYLES[key].model_of(name) for name in names}) == 1
    except (SchedframeError, TypeError):
        is_one_style = False
    return {**value, **other} if is_one_style else other


def _other_ends(
    schedule: Schedule, file: Mapping[str, Any], runs: Mapping[str, Setting], place: str
) -> Iterator[Problem]:
    """Yield a problem for each length of Megatron's run, from its first step, that is not where the schedule ends."""
    run_key = next((key for key in RUN_KEYS if key in file), None)
    if run_key is None:
        return
    start, steps = schedule.start_step, schedule.train_steps
    end = None if steps is None else start + steps
    for key, flag in runs.items():
        unit = RUN_KEYS[key]
        try:
            flags_end = schedule.step_at(f"{flag.value} {unit}")
        except ValueError as error:
            if end is not None:
                yield Problem(flag.flags, str(error))
            continue
        if end is not None and abs(schedule.units_at(end)[unit] - flag.value) < 1:
            continue  # Megatron trains whole ones
        by_flag = f"{flag.flags} {place} gives {written(flags_end)}"
        if start:
            fault = f"and its run end at step {written(end)}, and {by_flag}"
            yield schedule.origin.located(Problem("start_step", fault, written(start)))
        else:
            yield schedule.origin.located(Problem(run_key, f"{by_flag}; leave one of the two out", written(steps)))


def _schedule(keys: Mapping[str, Any], document: Document, flags: Mapping[str, Setting]) -> Schedule:
    """Return the schedule of `keys`; a problem names the line of the file, or the flags that set the key."""
    problems = list(document.problems)
    try:
        schedule = Schedule(**keys)
    except ConfigError as error:
        for problem in error.problems:
            if problem.path not in document.unreadable:
                located, flag = _located(problem, document), flags.get(problem.path.partition(".")[0])
                if located.line is None and flag is not None:
                    located = replace(problem, path=flag.flags, value="")
                problems.append(located)
    if problems:
        raise ConfigError(str(document.path), problems)
    return schedule.declared_in(document)


def _located(problem: Problem, document: Document) -> Problem:
    return document.located(problem, problem.path.rpartition(".")[2])
