"""Megatron-LM: a command line, a shell script that has one, or the YAML of ``--yaml-cfg``.

Flags become keys by the table with which the launcher of ``schedframe.megatron`` reads them, and lengths keep their
unit. ``get_optimizer_param_scheduler`` of NVIDIA/Megatron-LM:megatron/training/training.py uses them, with the
defaults of megatron/training/arguments.py, at core_v0.16.1.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import PurePath
from typing import Any, NamedTuple

from schedframe._errors import ConfigError, Problem, did_you_mean
from schedframe._files.shell.script import Expanded, Field, divided, line_of, text_of, unread_in
from schedframe.importers._draft import Draft
from schedframe.importers._importer import Importer
from schedframe.importers._source import Source
from schedframe.megatron._launch.flags import LENGTHS, PLACES, flag_of

_NUMBERS = {
    "lr",
    "min_lr",
    "lr_warmup_init",
    "lr_warmup_fraction",
    "weight_decay",
    "start_weight_decay",
    "end_weight_decay",
    "decoupled_lr",
    "decoupled_min_lr",
}
_TEXTS = {"lr_decay_style", "lr_wsd_decay_style", "weight_decay_incr_style", "step_batch_size_schedule"}
_FLAGS = {
    "decrease_batch_size_if_needed",
    "use_checkpoint_opt_param_scheduler",
    "override_opt_param_scheduler",
}
_LISTS = {"rampup_batch_size": 3}
_COUNTS = set(PLACES) - _NUMBERS - _TEXTS - _FLAGS - set(_LISTS)
_KNOWN = _NUMBERS | _TEXTS | _FLAGS | _LISTS.keys() | _COUNTS
_REFUSED = {
    "schedule": "names a schedule file of schedframe already; use that file",
    "yaml_cfg": "names the file that Megatron reads in place of flags; import that file",
}
_OF_SCHEDULES = ("--lr", "--min-lr", "--decoupled-", "--weight-decay", "--start-weight-decay", "--end-weight-decay")
_UNRELATED = ("--lr-mult-", "--lrelu")
_MARKS = ("lr", "train_iters", "train_samples", "yaml_cfg")
_SILENT = ("echo", "printf", "#")
_COOLDOWN_DEFAULT = "exponential"
_OUTPUT = r"(embedding\.word_embeddings|output_layer)\.weight$"


class _Word(NamedTuple):
    """A word of the command: its text where it is known, and its line."""

    field: Field
    text: str | None
    line: int


def recognises(source: Source) -> bool:
    """Return whether a script has a command with Megatron's flags, or a YAML has its arguments."""
    if source.script is not None:
        return any(map(_has_flags, _commands(source)))
    is_flat = source.has("lr", "lr_decay_style") or source.has("lr", "lr_warmup_init")
    return is_flat and (source.has("train_iters") or source.has("train_samples") or source.has("global_batch_size"))


def convert(draft: Draft) -> None:
    """Put what the flags declare into `draft`.

    Raises:
        ConfigError: with the line of what cannot be read, contradicts another flag, or is not known.
    """
    source = draft.source
    if source.script is not None:
        notes = dict(source.script.notes)
        draft.source = replace(_of_script(source, notes), script=None)
        for note, line in notes.items():
            draft.assume(f"{note} (line {line})")
    _refuse_contradictions(draft)
    _rates(draft)
    is_in_samples = _lengths(draft)
    _batches(draft, is_in_samples)
    _style(draft)
    _weight_decay(draft)
    _decoupled(draft)
    _policy(draft)


def _has_flags(command: Expanded) -> bool:
    words = divided(command.fields)
    if not words or text_of(words[0]) in _SILENT:
        return False
    texts = [text.partition("=")[0] for word in words if (text := text_of(word)) is not None]
    return any(flag_of(mark) in texts for mark in _MARKS)


def _commands(source: Source) -> list[Expanded]:
    return [] if source.script is None else source.script.commands


def _of_script(source: Source, notes: dict[str, int]) -> Source:
    """Return the arguments of the one command that has Megatron's flags, with the line of each; see `_arguments`."""
    found = [command for command in _commands(source) if _has_flags(command)]
    if len(found) != 1:
        places = " and ".join(str(command.line) for command in found) or "none"
        fault = f"has {len(found)} commands with flags of Megatron (lines: {places}); leave one in the file"
        raise ConfigError(str(source.path), [Problem("", fault)])
    words = [_Word(field, text_of(field), line_of(field)) for field in divided(found[0].fields)]
    data: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for name, values, line in _arguments(source, _after_the_script(words), notes):
        data[name], lines[name] = values, line
    settings = {name: value for name, value in source.data.items() if name in _KNOWN}
    for name in source.data.keys() - settings.keys():
        raise ConfigError(f"--set {name}", [Problem("", f"is no flag of a schedule{did_you_mean(name, _KNOWN)}")])
    return replace(source, data={**data, **settings}, lines={k: v for k, v in lines.items() if k not in settings})


def _after_the_script(words: list[_Word]) -> list[_Word]:
    """Return the words behind the Python script; all where there is none."""
    for index, word in enumerate(words):
        if word.text is not None and PurePath(word.text).suffix == ".py":
            return words[index + 1 :]
    return words


def _arguments(source: Source, words: list[_Word], notes: dict[str, int]) -> Iterator[tuple[str, Any, int]]:
    """Yield each argument that concerns the schedule, with its value and line; the last one of a flag counts.

    Args:
        source: the script.
        words: those behind the Python script.
        notes: gets a sentence on each word that was taken for the value of a flag, with its line.
    """
    index, is_value = 0, False
    while index < len(words):
        word = words[index]
        index += 1
        if word.text is None:
            unread = unread_in(word.field)
            if unread is not None and not is_value:
                fault = f"{unread.written} {unread.what}; it may hold flags"
                raise ConfigError(str(source.path), [Problem("", fault, line=unread.line)])
            if unread is not None and unread.written.startswith("$"):
                flag = words[index - 2].text
                notes[f"{unread.written} is not known, and is taken for the value of {flag}"] = unread.line
            is_value = False
            continue
        if not word.text.startswith("--"):
            is_value = False
            continue
        flag, has_value, value = word.text.partition("=")
        name = flag[2:].replace("-", "_")
        is_value = not has_value
        if name not in _KNOWN:
            _refuse_unknown(source, name, flag, word.line)
            continue
        if name in _FLAGS:
            is_value = False
            yield name, True, word.line
            continue
        wanted = _LISTS.get(name, 1)
        values: list[str] = [value] if has_value else []
        line = word.line
        while len(values) < wanted:
            values.append(_value_of(source, flag, words[index] if index < len(words) else None, word.line))
            line = word.line
            index += 1
        is_value = False
        yield name, values if name in _LISTS else values[0], line


def _value_of(source: Source, flag: str, word: _Word | None, line: int) -> str:
    fault = "has no value"
    unread = None if word is None else unread_in(word.field)
    if unread is not None:
        fault = f"has the value {unread.written}, which {unread.what}"
        line = unread.line
    elif word is not None and word.text is not None and not word.text.startswith("--"):
        return word.text
    raise ConfigError(str(source.path), [Problem(flag, fault, line=line)])


def _refuse_unknown(source: Source, name: str, flag: str, line: int) -> None:
    fault = _REFUSED.get(name, "")
    if flag.startswith(_OF_SCHEDULES) and not flag.startswith(_UNRELATED):
        fault = fault or f"is not known to this importer{did_you_mean(flag, map(flag_of, _KNOWN))}"
    if fault:
        raise ConfigError(str(source.path), [Problem(flag, fault, line=line)])


def _is_given(draft: Draft, name: str) -> bool:
    """Return whether an argument is given; Megatron's YAML has all, those not meant as null, false or 0."""
    value = draft.source.get(name)
    return not (value is None or value is False or (value in (0, "0") and name.startswith("lr_warmup_")))


def _refuse_contradictions(draft: Draft) -> None:
    """Refuse what Megatron's validation refuses: two units, and a length that is given twice."""
    given = [name for name in _KNOWN if _is_given(draft, name)]
    for names in LENGTHS.values():
        twice = [name for name in names if name in given]
        if len(twice) > 1:
            raise draft.error(twice[1], f"sets the same length as {flag_of(twice[0])}; leave one out")
    in_samples = "train_samples" in given
    unit, other = ("samples", "iters") if in_samples else ("iters", "samples")
    for name in sorted(given):
        if name.endswith(f"_{other}") and name in PLACES:
            raise draft.error(name, f"is in {other}, and the run is in {unit}; Megatron takes all lengths in one unit")
    if not in_samples and "rampup_batch_size" in given:
        raise draft.error("rampup_batch_size", "needs --train-samples; Megatron ramps no run in iterations")


def _rates(draft: Draft) -> None:
    lr = draft.number("lr")
    draft.put("max_lr", draft.ask("max_lr", "has no --lr") if lr is None else lr, "lr")
    draft.put("min_lr", draft.number("min_lr", 0.0), "min_lr")
    draft.put("init_lr", draft.number("lr_warmup_init", 0.0), "lr_warmup_init")


def _lengths(draft: Draft) -> bool:
    """Set the run, the warmup and the end of the decay, and return whether they are in samples."""
    is_in_samples = _is_given(draft, "train_samples")
    unit = "samples" if is_in_samples else "iters"
    run = draft.count(f"train_{unit}")
    if not run:
        run = draft.ask("train_iters", "has neither --train-iters nor --train-samples")
    draft.put(f"train_{unit}", run, f"train_{unit}")
    for name in (f"lr_warmup_{unit}", "lr_warmup_fraction", f"lr_decay_{unit}"):
        if _is_given(draft, name):
            value = draft.number(name) if name == "lr_warmup_fraction" else draft.count(name)
            draft.put(PLACES[name].key, PLACES[name].value(value), name)
    _refuse_a_long_warmup(draft, unit, run)
    return is_in_samples


def _refuse_a_long_warmup(draft: Draft, unit: str, run: int) -> None:
    """Refuse a warmup that does not end before the decay, as Megatron's scheduler does."""
    end = draft.count(f"lr_decay_{unit}") if _is_given(draft, f"lr_decay_{unit}") else run
    for name, most in ((f"lr_warmup_{unit}", end), ("lr_warmup_fraction", 1)):
        if _is_given(draft, name) and not 0 <= draft.number(name) < most:
            raise draft.error(name, f"must be below {most}, the end of the decay, which Megatron requires")


def _batches(draft: Draft, is_in_samples: bool) -> None:
    """Set the batch sizes, with which iterations become samples."""
    steps = draft.text("step_batch_size_schedule") if _is_given(draft, "step_batch_size_schedule") else None
    size = draft.count("global_batch_size")
    if steps is not None:
        draft.put("step_batch_size_schedule", steps, "step_batch_size_schedule")
    elif size is not None:
        draft.put("global_batch_size", size, "global_batch_size")
    elif not is_in_samples:
        why = "has no --global-batch-size, without which the batch depends on the number of GPUs"
        draft.put("global_batch_size", draft.ask("global_batch_size", why))
    ramp = draft.source.get("rampup_batch_size")
    if ramp is not None:
        draft.put("rampup_batch_size", _ramp(draft, ramp), "rampup_batch_size")
    if _is_given(draft, "seq_length"):
        draft.put("seq_length", draft.count("seq_length"), "seq_length")
    if _is_given(draft, "decrease_batch_size_if_needed"):
        why = "decreases batches to multiples of the micro batch times the data-parallel size, which no file has"
        raise draft.error("decrease_batch_size_if_needed", why)


def _ramp(draft: Draft, ramp: Any) -> list[int]:
    if not isinstance(ramp, list) or len(ramp) != 3 or not all(str(size).strip().isdecimal() for size in ramp):
        raise draft.error("rampup_batch_size", "must be three whole numbers: first size, increment, samples")
    return [int(size) for size in ramp]


def _style(draft: Draft) -> None:
    name = draft.text("lr_decay_style", "linear")
    style: dict[str, Any] = {"style": name}
    paths = ["lr_decay_style"]
    if name == "WSD":
        lengths = [f"lr_wsd_decay_{unit}" for unit in ("iters", "samples")]
        given = next((length for length in lengths if _is_given(draft, length)), None)
        if given is None:
            raise draft.error("lr_decay_style", "needs --lr-wsd-decay-iters or --lr-wsd-decay-samples")
        style["wsd_decay_steps"] = PLACES[given].value(draft.count(given))
        style["lr_wsd_decay_style"] = draft.text("lr_wsd_decay_style", _COOLDOWN_DEFAULT)
        paths += [given, "lr_wsd_decay_style"]
    draft.put("lr_decay_style", style if len(style) > 1 else name, *paths)


def _weight_decay(draft: Draft) -> None:
    style = draft.text("weight_decay_incr_style", "constant")
    ends = {"start_weight_decay": "start_wd", "end_weight_decay": "end_wd"}
    given = [name for name in ends if _is_given(draft, name)]
    if style == "constant":
        for name in given:
            value = draft.number(name)
            if value != draft.number("weight_decay", 0.01):
                raise draft.error(name, "is given, and --weight-decay-incr-style is constant; Megatron refuses it")
        draft.put("start_wd", draft.number("weight_decay", 0.01), "weight_decay")
        return
    for name, key in ends.items():
        value = draft.number(name)
        if value is None:
            raise draft.error("weight_decay_incr_style", f"needs {flag_of(name)}")
        draft.put(key, value, name)
    draft.put("wd_incr_style", style, "weight_decay_incr_style")


def _decoupled(draft: Draft) -> None:
    """Set the rule for the embedding and the output layer, which ``--decoupled-lr`` gives rates of their own."""
    rate, least = draft.number("decoupled_lr"), draft.number("decoupled_min_lr")
    if rate is None:
        if least is not None:
            raise draft.error("decoupled_min_lr", "needs --decoupled-lr")
        return
    rule: dict[str, Any] = {"role": "decoupled", "match": {"regex": _OUTPUT}, "max_lr": rate}
    if least is not None:
        rule["min_lr"] = least
    draft.put("groups", [rule], "decoupled_lr", "decoupled_min_lr")
    draft.assume(f"--decoupled-lr is for the parameters whose names match {_OUTPUT}, as in megatron.core's GPTModel")


def _policy(draft: Draft) -> None:
    names: Mapping[str, str] = {
        "use_checkpoint_opt_param_scheduler": "checkpoint",
        "override_opt_param_scheduler": "override",
    }
    given = [name for name in names if _is_given(draft, name) and draft.flag(name)]
    if len(given) > 1:
        raise draft.error(given[1], f"contradicts {flag_of(given[0])}; Megatron refuses both")
    for name in given:
        draft.put("resume", names[name], name)


IMPORTER = Importer("megatron", "Megatron-LM core_v0.16.1", recognises, convert)
"""The importer of Megatron-LM."""
