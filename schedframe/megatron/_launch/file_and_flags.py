"""The schedule that a file and Megatron-LM's flags declare together, and what the flags declare alone.

A flag that is said is a key of the schedule. The same key in the file must say the same; a key that only one of the
two says counts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from schedframe._errors import ConfigError, Problem, SchedframeError
from schedframe._files.config import document as _document
from schedframe._files.config.document import Document
from schedframe._plan.words import written
from schedframe._schedule.schedule import Schedule
from schedframe._units.units import RUN_KEYS
from schedframe.megatron._launch.flags import OPTIONS
from schedframe.styles._byname import by_lr_style, by_wd_style
from schedframe.styles._flat_wsd import FLAT_WSD, is_bare

_PLAIN = {
    "lr": "max_lr",
    "min_lr": "min_lr",
    "lr_warmup_init": "init_lr",
    "train_iters": "train_iters",
    "train_samples": "train_samples",
    "global_batch_size": "global_batch_size",
    "seq_length": "seq_length",
    "step_batch_size_schedule": "step_batch_size_schedule",
    "decrease_batch_size_if_needed": "decrease_batch_size_if_needed",
    "micro_batch_size": "micro_batch_size",
    "weight_decay": "start_wd",
    "start_weight_decay": "start_wd",
    "end_weight_decay": "end_wd",
}
_LENGTHS = {
    "lr_warmup_iters": ("lr_warmup_steps", "iters"),
    "lr_warmup_samples": ("lr_warmup_steps", "samples"),
    "lr_warmup_fraction": ("lr_warmup_steps", "%"),
    "lr_decay_iters": ("lr_decay_steps", "iters"),
    "lr_decay_samples": ("lr_decay_steps", "samples"),
}
_TAILS = {"lr_wsd_decay_iters": "iters", "lr_wsd_decay_samples": "samples"}
_STYLES = {"lr_decay_style": by_lr_style, "wd_incr_style": by_wd_style}


@dataclass(frozen=True)
class _Said:
    """What flags say about one key.

    Attributes:
        value: the key's value; of a style the part of its table that is said.
        flags: the flags as they were written, for errors.
    """

    value: Any
    flags: str


def table_of(text: Any, argument: str) -> dict[str, Any]:
    """Return the options of a style that the value of a flag says.

    Args:
        text: a YAML or JSON table as text, or the table itself, from Megatron's YAML.
        argument: the flag's argument.

    Raises:
        ConfigError: it is no such table.
    """
    if text is None:
        return {}
    table = _read(text) if isinstance(text, str) else getattr(text, "__dict__", text)
    if not isinstance(table, dict) or "style" in table:
        fault = "must be a table of options, such as '{beta: 0.5}'; the style's name is said by the other flag"
        raise ConfigError("the flags", [Problem(_spelled(argument), fault, str(text))])
    return table


def _read(text: str) -> Any:
    """What `text` says as YAML; ``None`` where it is none."""
    try:
        return _document.parse_text(Path("options.yaml"), f"options: {text}\n").data["options"]
    except ConfigError:
        return None


def styled(name: Any, options: dict[str, Any]) -> Any:
    """Return a style as a config says it: its name, or a table where there are options."""
    return {"style": name, **options} if options else name


def declared(path: str, said: Mapping[str, Any], place: str, weight_decay: float | None) -> Schedule:
    """Return the schedule that the file at `path` and the arguments that are `said` declare.

    Args:
        path: a YAML, TOML or JSON file.
        said: Megatron's arguments that are said, by name.
        place: where they are said, for errors.
        weight_decay: Megatron's own, for where neither says one.

    Raises:
        ConfigError: the file is broken, the two disagree, or together they are no schedule.
    """
    document = _document.read(path)
    flags = _by_key(said)
    file = _in_tables(document.data)
    runs = {}
    if file.get("start_step"):
        runs = {key: flags.pop(key) for key in RUN_KEYS if key in flags}
    keys = _merged(flags, file)
    if keys.get("start_wd") is None and keys.get("end_wd") is None and weight_decay is not None:
        keys["start_wd"] = weight_decay
    schedule = _made(keys, document, flags)
    problems = [
        document.located(
            Problem(own_key, f"{said_by.flags} {place} says {other}; leave one of the two out", own),
            own_key.rpartition(".")[2],
        )
        for key, said_by in flags.items()
        for own_key, own, other in _disagreement(key, said_by, flags, file, keys, schedule, document)
    ]
    problems += _other_ends(schedule, runs, place)
    if problems:
        raise ConfigError(str(document.path), problems)
    return schedule


def _by_key(said: Mapping[str, Any]) -> dict[str, _Said]:
    """The keys of a schedule that flags say."""
    found: dict[str, _Said] = {}

    def add(key: str, argument: str, value: Any) -> None:
        flag = f"{_spelled(argument)} {said[argument]}"
        before = found.get(key)
        if before is not None and isinstance(value, dict):
            found[key] = _Said({**before.value, **value}, f"{before.flags} {flag}")
        else:
            found[key] = _Said(value, flag)

    for argument, key in _PLAIN.items():
        if argument in said:
            add(key, argument, said[argument])
    if "rampup_batch_size" in said:
        add("rampup_batch_size", "rampup_batch_size", [int(size) for size in said["rampup_batch_size"]])
    for argument, (key, unit) in _LENGTHS.items():
        if argument in said:
            share = unit == "%"
            amount = Decimal(str(said[argument])) * 100 if share else said[argument]
            add(key, argument, f"{amount:f}%" if share else f"{amount} {unit}")
    for argument, key in (("lr_decay_style", "lr_decay_style"), ("weight_decay_incr_style", "wd_incr_style")):
        if argument in said:
            add(key, argument, {"style": said[argument]})
        if OPTIONS[argument] in said:
            add(key, OPTIONS[argument], table_of(said[OPTIONS[argument]], OPTIONS[argument]))
    for argument, unit in _TAILS.items():
        if argument in said:
            add("lr_decay_style", argument, {"wsd_decay_steps": f"{said[argument]} {unit}"})
    tail, tails_options = "lr_wsd_decay_style", OPTIONS["lr_wsd_decay_style"]
    options = table_of(said.get(tails_options), tails_options)
    if tail in said:
        add("lr_decay_style", tail, {tail: styled(said[tail], options)})
    elif options:
        raise ConfigError("the flags", [Problem(_spelled(tails_options), f"needs {_spelled(tail)} beside it")])
    return found


def _in_tables(data: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a file, every style as a table, with WSD's flat keys in its own."""
    keys = dict(data)
    for key in _STYLES:
        if isinstance(keys.get(key), str):
            keys[key] = {"style": keys[key]}
    style = keys.get("lr_decay_style")
    if isinstance(style, dict) and len(style) == 1 and is_bare(style.get("style")):
        keys["lr_decay_style"] = {**style, **{name: keys.pop(name) for name in FLAT_WSD if name in keys}}
    return keys


def _merged(flags: Mapping[str, _Said], file: Mapping[str, Any]) -> dict[str, Any]:
    """Both as one; where both say a key, the file's value."""
    keys = {key: said.value for key, said in flags.items()}
    for key, value in file.items():
        own = keys.get(key)
        keys[key] = {**own, **value} if isinstance(own, dict) and _of_one_style(key, own, value) else value
    if any(key in file for key in RUN_KEYS):
        keys = {key: value for key, value in keys.items() if key not in RUN_KEYS or key in file}
    return keys


def _of_one_style(key: str, own: dict[str, Any], other: Any) -> bool:
    """Say whether two tables may be parts of one: one says no name, or both say the same style's."""
    if not isinstance(other, dict):
        return False
    names = [table["style"] for table in (own, other) if "style" in table]
    if len(names) < 2 or names[0] == names[1]:
        return True
    try:
        models = {_STYLES[key].model_of(name) for name in names}
    except (SchedframeError, TypeError):
        return False
    return len(models) == 1


def _disagreement(
    key: str,
    said: _Said,
    flags: Mapping[str, _Said],
    file: Mapping[str, Any],
    keys: Mapping[str, Any],
    schedule: Schedule,
    document: Document,
) -> Iterator[tuple[str, str, str]]:
    """Yield the file's key, what it says and what the flags say about `key`, where that is not the same."""
    runs = [name for name in RUN_KEYS if name in file] if key in RUN_KEYS else []
    own_key = runs[0] if runs else key
    if own_key not in file:
        return
    attribute = "train_steps" if runs else key
    others = {name: value for name, value in keys.items() if name not in runs}
    value = said.value
    if isinstance(value, dict) and _of_one_style(key, value, file.get(key)):
        value = {**file[key], **value}
    theirs = _made({**others, key: value}, document, flags)
    own, other = getattr(schedule, attribute), getattr(theirs, attribute)
    if own != other:
        yield own_key, written(own), written(other)


def _other_ends(schedule: Schedule, runs: Mapping[str, _Said], place: str) -> Iterator[Problem]:
    """Yield for each length of Megatron's run, from its first step, that is not where a continued schedule ends."""
    if schedule.train_steps is None:
        return
    end = schedule.start_step + schedule.train_steps
    for key, said in runs.items():
        theirs = schedule.step_at(f"{said.value} {RUN_KEYS[key]}")
        if theirs != end:
            fault = f"and its run end at step {written(end)}, and {said.flags} {place} says {written(theirs)}"
            yield schedule.origin.located(Problem("start_step", fault, written(schedule.start_step)))


def _made(keys: Mapping[str, Any], document: Document, flags: Mapping[str, _Said]) -> Schedule:
    """Return the schedule of `keys`, or say what is wrong where it was written."""
    problems = list(document.problems)
    try:
        schedule = Schedule(**keys)
    except ConfigError as error:
        problems += [
            _where_it_was_said(problem, document, flags)
            for problem in error.problems
            if problem.path not in document.unreadable
        ]
    if problems:
        raise ConfigError(str(document.path), problems)
    return schedule.declared_in(document)


def _where_it_was_said(problem: Problem, document: Document, flags: Mapping[str, _Said]) -> Problem:
    located = document.located(problem, problem.path.rpartition(".")[2])
    said = flags.get(problem.path.partition(".")[0])
    if located.line is None and said is not None:
        return replace(problem, path=said.flags, value="")
    return located


def _spelled(argument: str) -> str:
    """The flag of an argument."""
    return f"--{argument.replace('_', '-')}"
