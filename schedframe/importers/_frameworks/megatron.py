"""Megatron-LM: a command line, a shell script that has one, or the YAML of ``--yaml-cfg``.

Flags become keys by the table with which the launcher of ``schedframe.megatron`` reads them, and lengths keep their
unit. ``get_optimizer_param_scheduler`` of NVIDIA/Megatron-LM:megatron/training/training.py uses them, with the
defaults of megatron/training/arguments.py, at core_v0.16.1.
"""

from collections.abc import Mapping
from typing import Any

from schedframe._errors import did_you_mean
from schedframe.importers._command import Command, Flags, find_commands
from schedframe.importers._draft import Draft
from schedframe.importers._frameworks.hf_arguments import is_megatron_swift
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
_SWITCHES = {
    "decrease_batch_size_if_needed",
    "use_checkpoint_opt_param_scheduler",
    "override_opt_param_scheduler",
}
_LISTS = {"rampup_batch_size": 3}
_COUNTS = set(PLACES) - _NUMBERS - _TEXTS - _SWITCHES - set(_LISTS)
_KNOWN = _NUMBERS | _TEXTS | _SWITCHES | _LISTS.keys() | _COUNTS
_REFUSED = {
    "schedule": "names a schedule file of schedframe already; use that file",
    "yaml_cfg": "names the file that Megatron reads in place of flags; import that file",
}
_OF_SCHEDULES = ("--lr", "--min-lr", "--decoupled-", "--weight-decay", "--start-weight-decay", "--end-weight-decay")
_UNRELATED = ("--lr-mult-", "--lrelu")
_MARKS = ("lr", "train_iters", "train_samples", "yaml_cfg")
DEFAULTS: Mapping[str, Any] = {"lr_decay_style": "linear", "weight_decay": 0.01, "global_batch_size": None}
_COOLDOWN_DEFAULT = "exponential"
_OUTPUT = r"(embedding\.word_embeddings|output_layer)\.weight$"


def recognises(source: Source) -> bool:
    """Return whether a script has a command with Megatron's flags, or a YAML has its arguments."""
    if source.script is not None:
        return bool(find_commands(source, _is_meant))
    is_flat = source.has("lr", "lr_decay_style") or source.has("lr", "lr_warmup_init")
    return is_flat and (source.has("train_iters") or source.has("train_samples") or source.has("global_batch_size"))


def convert(draft: Draft) -> None:
    """Put what the flags declare into `draft`.

    Raises:
        ConfigError: with the line of what cannot be read, contradicts another flag, or is not known.
    """
    if draft.source.script is not None:
        draft.read_command(_is_meant, FLAGS, "Megatron")
    convert_arguments(draft)


def convert_arguments(draft: Draft, defaults: Mapping[str, Any] = DEFAULTS) -> None:
    """Put what Megatron's arguments declare into `draft`.

    Args:
        draft: has the arguments by their names.
        defaults: of those whose default is not the same in each program.

    Raises:
        ConfigError: as `convert`.
    """
    _refuse_contradictions(draft)
    _rates(draft)
    is_in_samples = _lengths(draft)
    _batches(draft, is_in_samples, defaults["global_batch_size"])
    _style(draft, defaults["lr_decay_style"])
    _weight_decay(draft, defaults["weight_decay"])
    _decoupled(draft)
    _policy(draft)


def _is_meant(command: Command) -> bool:
    """Return whether a command is one of Megatron-LM's; ms-swift's ``megatron`` has other defaults."""
    return not (command.names.isdisjoint(_MARKS) or is_megatron_swift(command))


def _fault(name: str) -> str:
    flag = flag_of(name)
    if name not in _REFUSED and flag.startswith(_OF_SCHEDULES) and not flag.startswith(_UNRELATED):
        return f"is not known to this importer{did_you_mean(flag, map(flag_of, _KNOWN))}"
    return _REFUSED.get(name, "")


FLAGS = Flags(_KNOWN, _fault, switches=_SWITCHES, lists=_LISTS, spare=("seq_length", "micro_batch_size"))
"""The flags of Megatron-LM that are read."""


def _is_given(draft: Draft, name: str) -> bool:
    """Return whether an argument is given; Megatron's YAML has all, those not meant as null, false or 0."""
    if draft.source.is_unreadable(name):
        return True
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


def _batches(draft: Draft, is_in_samples: bool, default: int | None) -> None:
    """Set the batch sizes, with which iterations become samples."""
    steps = draft.text("step_batch_size_schedule") if _is_given(draft, "step_batch_size_schedule") else None
    size = draft.count("global_batch_size", None if steps is not None else default)
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
    if draft.source.is_unreadable("seq_length"):
        draft.assume("--seq-length is not known, and is left out; only lengths in tokens need it")
    elif _is_given(draft, "seq_length"):
        draft.put("seq_length", draft.count("seq_length"), "seq_length")
    if _is_given(draft, "decrease_batch_size_if_needed"):
        if ramp is not None or steps is not None:
            why = "decreases batches to multiples of the micro batch times the data-parallel size, which no file has"
            raise draft.error("decrease_batch_size_if_needed", why)
        draft.assume("--global-batch-size is a multiple of the micro batch times the data-parallel size")


def _ramp(draft: Draft, ramp: Any) -> list[int]:
    if not isinstance(ramp, list) or len(ramp) != 3 or not all(str(size).strip().isdecimal() for size in ramp):
        raise draft.error("rampup_batch_size", "must be three whole numbers: first size, increment, samples")
    return [int(size) for size in ramp]


def _style(draft: Draft, default: str) -> None:
    name = draft.text("lr_decay_style", default)
    style: dict[str, Any] = {"style": name}
    paths = ["lr_decay_style"]
    if name == "WSD":
        lengths = [f"lr_wsd_decay_{unit}" for unit in ("iters", "samples")]
        given = next((length for length in lengths if _is_given(draft, length)), None)
        if given is None:
            raise draft.error("lr_decay_style", "needs --lr-wsd-decay-iters or --lr-wsd-decay-samples")
        length = draft.count(given)
        if not length and not any(_is_given(draft, f"lr_decay_{unit}") for unit in ("iters", "samples")):
            draft.assume("WSD without a cooldown is the style constant")
            draft.put("lr_decay_style", "constant", "lr_decay_style", given)
            return
        style["wsd_decay_steps"] = PLACES[given].value(length)
        style["lr_wsd_decay_style"] = draft.text("lr_wsd_decay_style", _COOLDOWN_DEFAULT)
        paths += [given, "lr_wsd_decay_style"]
    draft.put("lr_decay_style", style if len(style) > 1 else name, *paths)


def _weight_decay(draft: Draft, default: float) -> None:
    style = draft.text("weight_decay_incr_style", "constant")
    ends = {"start_weight_decay": "start_wd", "end_weight_decay": "end_wd"}
    given = [name for name in ends if _is_given(draft, name)]
    if style == "constant":
        for name in given:
            value = draft.number(name)
            if value != draft.number("weight_decay", default):
                raise draft.error(name, "is given, and --weight-decay-incr-style is constant; Megatron refuses it")
        draft.put("start_wd", draft.number("weight_decay", default), "weight_decay")
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
