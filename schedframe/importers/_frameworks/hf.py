"""Hugging Face transformers: ``TrainingArguments`` as JSON, YAML, ``training_args.bin`` or flags of a command.

The schedules are those of huggingface/transformers:src/transformers/optimization.py, the lengths those of
``TrainingArguments.get_warmup_steps``, at v5.23.0. ``warmup_ratio``, which versions up to 4 have, is read too.
"""

from math import ceil
from typing import Any

from schedframe._errors import did_you_mean
from schedframe.importers._draft import Draft
from schedframe.importers._frameworks.hf_arguments import belongs, read_arguments, refuse_others
from schedframe.importers._frameworks.words import (
    constant_weight_decay,
    iters,
    percent,
    warm_up,
    whole_run,
)
from schedframe.importers._importer import Importer
from schedframe.importers._source import Source

_PATH = "lr_scheduler_kwargs"
_OPTIONS = {
    "linear": (),
    "cosine": ("num_cycles",),
    "cosine_with_restarts": ("num_cycles",),
    "polynomial": ("lr_end", "power"),
    "constant": (),
    "constant_with_warmup": (),
    "inverse_sqrt": ("timescale",),
    "cosine_with_min_lr": ("num_cycles", "min_lr", "min_lr_rate"),
    "cosine_warmup_with_min_lr": ("num_cycles", "min_lr", "min_lr_rate", "warmup_lr_rate"),
    "warmup_stable_decay": (
        "num_decay_steps",
        "num_stable_steps",
        "warmup_type",
        "decay_type",
        "min_lr_ratio",
        "num_cycles",
    ),
}
_METRIC = ("reduce_lr_on_plateau", "greedy")


def recognises(source: Source) -> bool:
    """Return whether `source` has the keys of ``TrainingArguments``, or is an object of the class."""
    if source.saved_class:
        return "learning_rate" in source.data and "lr_scheduler_type" in source.data
    return belongs(source, "hf")


def convert(draft: Draft) -> None:
    """Put what the arguments declare into `draft`.

    Raises:
        ConfigError: a value is wrong, or the schedule follows a metric or cannot be written.
    """
    read_arguments(draft, "hf")
    if not draft.source.saved_class:
        refuse_others(draft)
    rate = draft.number("learning_rate", 5e-5)
    convert_with(draft, rate, "lr_scheduler_type", draft.text("lr_scheduler_type", "linear"))
    constant_weight_decay(draft, "weight_decay", 0.0)


def convert_with(draft: Draft, rate: float, path: str, name: str) -> None:
    """Put the schedule `name`, which stands at `path`, into `draft`, with the max LR `rate`.

    Raises:
        ConfigError: as `convert`.
    """
    draft.put("max_lr", rate, "learning_rate")
    why = "has no max_steps, and num_train_epochs needs the size of the dataset; the trainer logs its total steps"
    _check(draft, path, name)
    run = whole_run(draft, "max_steps", why=why)
    steps, sources = warmup_of(draft, run)
    write_named(draft, path, name, run, steps, sources)


def write_named(draft: Draft, path: str, name: str, run: int, steps: int, sources: tuple[str, ...]) -> None:
    """Put the scheduler `name` of transformers, which stands at `path`, into `draft`.

    Args:
        draft: has the run and the max LR.
        path: the key that names the scheduler.
        name: the scheduler.
        run: the steps of the run.
        steps: those of the warmup.
        sources: the keys that give the warmup.

    Raises:
        ConfigError: as `convert`.
    """
    name = _check(draft, path, name)
    draft.table(_PATH, _OPTIONS[name])
    _write(draft, name, 0 if name == "constant" else steps, run, path, sources)


def _check(draft: Draft, path: str, name: str) -> str:
    """Return the name of a scheduler, unless it follows a metric or is unknown."""
    name = name.rpartition(".")[2].lower()
    if name in _METRIC:
        raise draft.error(path, "follows a metric of the run; a schedule here depends on the step alone")
    if name not in _OPTIONS:
        raise draft.error(path, f"is no scheduler of transformers{did_you_mean(name, _OPTIONS)}")
    return name


def warmup_of(draft: Draft, run: int) -> tuple[int, tuple[str, ...]]:
    """Return the steps of the warmup, and the keys that give them."""
    given = draft.number("warmup_steps")
    if given:
        if given < 0:
            raise draft.error("warmup_steps", "must not be negative")
        return (int(given) if given >= 1 else ceil(run * given)), ("warmup_steps",)
    share = draft.number("warmup_ratio")
    if share:
        if not 0 <= share <= 1:
            raise draft.error("warmup_ratio", "must lie between 0 and 1")
        return ceil(run * share), ("warmup_ratio",)
    return 0, ("warmup_steps", "warmup_ratio")


def _write(draft: Draft, name: str, steps: int, run: int, path: str, sources: tuple[str, ...]) -> None:
    if name == "cosine_warmup_with_min_lr":
        _ahead(draft, steps, run, path, sources)
        return
    warm_up(draft, steps, run, *sources)
    if name in ("constant", "constant_with_warmup"):
        draft.put("lr_decay_style", "constant", path)
    elif name == "linear":
        draft.put("lr_decay_style", "linear", path)
    elif name in ("cosine", "cosine_with_restarts", "cosine_with_min_lr"):
        draft.put("lr_decay_style", _waves(draft, name), path, f"{_PATH}.num_cycles")
        if name == "cosine_with_min_lr":
            _least(draft, path)
    elif name == "polynomial":
        power = draft.number(f"{_PATH}.power", 1.0)
        draft.put("lr_decay_style", {"style": "polynomial", "power": power}, path, f"{_PATH}.power")
        draft.put("min_lr", draft.number(f"{_PATH}.lr_end", 1e-7), f"{_PATH}.lr_end")
    elif name == "inverse_sqrt":
        timescale = draft.count(f"{_PATH}.timescale") or steps or 10_000
        style = {"style": "power-law", "exponent": -0.5, "timescale": iters(timescale)}
        draft.put("lr_decay_style", style, path, f"{_PATH}.timescale")
    else:
        _stable(draft, steps, run, path)


def _waves(draft: Draft, name: str) -> Any:
    """Return the style of a cosine with ``num_cycles``."""
    cycles = draft.number(f"{_PATH}.num_cycles")
    if cycles is None or cycles == (1 if name == "cosine_with_restarts" else 0.5):
        return "cosine"
    if cycles <= 0:
        raise draft.error(f"{_PATH}.num_cycles", "must be above 0")
    if name == "cosine_with_restarts":
        style = {"style": "cosine-restarts", "cycles": draft.count(f"{_PATH}.num_cycles")}
    else:
        style = {"style": "cosine-cycles", "cycles": cycles}
    draft.assume(f"{style['style']} is a style of the distribution schedframe-classic, which must be installed")
    return style


def _least(draft: Draft, path: str) -> None:
    """Set min_lr, of which one of two options is needed."""
    least, share = draft.number(f"{_PATH}.min_lr"), draft.number(f"{_PATH}.min_lr_rate")
    if (least is None) == (share is None):
        raise draft.error(_PATH if draft.source.has(_PATH) else path, "needs one of min_lr and min_lr_rate")
    if least is not None:
        draft.put("min_lr", least, f"{_PATH}.min_lr")
    else:
        draft.put("min_lr", percent(share), f"{_PATH}.min_lr_rate")


def _ahead(draft: Draft, steps: int, run: int, path: str, sources: tuple[str, ...]) -> None:
    """Set ``cosine_warmup_with_min_lr``, which is one step ahead."""
    start = draft.number(f"{_PATH}.warmup_lr_rate") if steps else None
    if start is not None and steps < 2:
        raise draft.error(f"{_PATH}.warmup_lr_rate", "cannot be written with a warmup of 1 iteration")
    _least(draft, path)
    draft.put("lr_decay_style", _waves(draft, "cosine"), path, f"{_PATH}.num_cycles")
    if start is None:
        warm_up(draft, steps, run, *sources)
        draft.put("first_update", 1, path)
        draft.assume("this scheduler of transformers is one step ahead, which is first_update: 1")
        return
    warm_up(draft, steps - 1, run - 1, *sources)
    draft.put("init_lr", percent(start), f"{_PATH}.warmup_lr_rate")
    draft.put("lr_decay_steps", iters(run - 1), path)
    draft.assume("lengths are one iteration shorter: with warmup_lr_rate only the cosine is one step ahead")


def _stable(draft: Draft, steps: int, run: int, path: str) -> None:
    """Set ``warmup_stable_decay``, whose warmup begins at min_lr."""
    decay = draft.count(f"{_PATH}.num_decay_steps")
    if not decay:
        raise draft.error(_PATH if draft.source.has(_PATH) else path, "needs num_decay_steps")
    stable = draft.count(f"{_PATH}.num_stable_steps")
    shape = draft.text(f"{_PATH}.warmup_type", "linear")
    curve = draft.text(f"{_PATH}.decay_type", "cosine")
    curves = {"linear": "linear", "cosine": "cosine", "1-sqrt": "minus_sqrt"}
    if shape not in ("linear", "cosine", "1-sqrt"):
        raise draft.error(f"{_PATH}.warmup_type", "is not one of linear, cosine, 1-sqrt")
    if draft.number(f"{_PATH}.num_cycles") not in (None, 0.5):
        raise draft.error(f"{_PATH}.num_cycles", "other than 0.5 is not imported for this scheduler")
    if curve not in curves:
        raise draft.error(f"{_PATH}.decay_type", f"is not one of {', '.join(curves)}")
    least = draft.number(f"{_PATH}.min_lr_ratio", 0.0)
    draft.put("min_lr", percent(least), f"{_PATH}.min_lr_ratio")
    if steps:
        draft.put("init_lr", percent(least), f"{_PATH}.min_lr_ratio")
        draft.put("lr_warmup_style", shape, f"{_PATH}.warmup_type")
    if stable is not None:
        draft.put("lr_decay_steps", iters(steps + stable + decay), f"{_PATH}.num_stable_steps")
    style = {"style": "WSD", "wsd_decay_steps": iters(decay), "lr_wsd_decay_style": curves[curve]}
    draft.put("lr_decay_style", style, path, f"{_PATH}.num_decay_steps", f"{_PATH}.decay_type")


IMPORTER = Importer("hf", "transformers 5.23", recognises, convert)
"""The importer of ``TrainingArguments``."""
