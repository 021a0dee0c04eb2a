"""OLMo-core: the config of a run, ``config.json`` or YAML.

allenai/OLMo-core:src/olmo_core/optim/scheduler.py of ai2-olmo-core 3.0.0. Its trainer counts an update, and the tokens
of its batch, before it makes it (src/olmo_core/train/trainer.py), which is ``first_update: 1``.
"""

from typing import Any

from schedframe._errors import did_you_mean
from schedframe.importers._draft import Draft
from schedframe.importers._frameworks.olmo_core_curves import KEYS, Run, write
from schedframe.importers._frameworks.words import constant_weight_decay, in_iters, whole_run
from schedframe.importers._importer import Importer
from schedframe.importers._source import Source

_PLACES = (
    "train_module.scheduler",
    "trainer.callbacks.lr_scheduler.scheduler",
    "trainer.callbacks.scheduler.scheduler",
)
_NAMES = {
    "CosWithWarmup": "cos_with_warmup",
    "HalfCosWithWarmup": "half_cos_with_warmup",
    "CosWithWarmupAndLinearDecay": "cos_with_warmup_and_linear_decay",
    "LinearWithWarmup": "linear_with_warmup",
    "ConstantWithWarmup": "constant_with_warmup",
    "ConstantScheduler": "constant",
    "ComposableScheduler": "composable",
    "ExponentialScheduler": "exponential",
    "InvSqrtWithWarmup": "inv_sqrt_with_warmup",
    "PowerLR": "power_lr",
    "SequentialScheduler": "sequential",
    "WSD": "wsd",
    "WSDS": "wsds",
}
_CALLED = ("_CLASS_", "type", "name", "units", "lr_field", "initial_lr_field")
_DURATION = "trainer.max_duration"
_BATCH = "data_loader.global_batch_size"


def recognises(source: Source) -> bool:
    """Return whether `source` has the tables of an OLMo-core run."""
    return source.has("train_module.optim") and any(map(source.has, _PLACES))


def convert(draft: Draft) -> None:
    """Put what the config declares into `draft`.

    Raises:
        ConfigError: a value is wrong, or the schedule cannot be written.
    """
    path = next((place for place in _PLACES if draft.source.has(place)), _PLACES[0])
    name = name_at(draft, path)
    unit = draft.text(f"{path}.units") or "steps"
    if unit not in ("steps", "tokens"):
        raise draft.error(f"{path}.units", "must be steps or tokens")
    _no_other_rate(draft, "train_module.optim.group_overrides")
    rate = draft.number("train_module.optim.lr", 1e-3)
    draft.put("max_lr", rate, "train_module.optim.lr")
    run = _in_tokens(draft) if unit == "tokens" else Run(_in_steps(draft), "iters")
    write(draft, path, name, run, rate, name_at)
    constant_weight_decay(draft, "train_module.optim.weight_decay", 0.01)


def _no_other_rate(draft: Draft, path: str) -> None:
    """Refuse a group of parameters with a learning rate of its own."""
    overrides = draft.source.get(path)
    if not isinstance(overrides, list | None):
        raise draft.error(path, "must be a list")
    for index in range(len(overrides or ())):
        if draft.source.get(f"{path}.{index}.opts.lr") is not None:
            fault = "gives some parameters another learning rate, which is not imported"
            raise draft.error(f"{path}.{index}.opts.lr", fault)


def name_at(draft: Draft, path: str) -> str:
    """Return the registered name of the scheduler at `path`, whose keys are known.

    Raises:
        ConfigError: it has no name, or another one, or another key.
    """
    for key in _CALLED[:3]:
        written = draft.text(f"{path}.{key}")
        if written is not None:
            last = written.rpartition(".")[2]
            name: str = _NAMES.get(last, last)
            if name not in KEYS:
                raise draft.error(f"{path}.{key}", f"is not imported{did_you_mean(last, (*_NAMES, *KEYS))}")
            draft.table(path, (*_CALLED, *KEYS[name]))
            return name
    raise draft.error(path, "does not name its class; give it with --set " + f"{path}._CLASS_=NAME")


def _in_steps(draft: Draft) -> int:
    """Return the iterations of the run; a length in tokens is rounded up to whole batches, as in the trainer."""
    unit = draft.text(f"{_DURATION}.unit")
    batch = draft.count(_BATCH)
    if unit == "tokens" and batch and not _changes_batch(draft):
        run = -(-_duration(draft) // int(batch))
        in_iters(draft, run, f"{_DURATION}.value", _BATCH)
        return run
    why = f"has a max_duration in {unit}, which are no iterations without the data" if unit else "has no max_duration"
    return whole_run(draft, *([f"{_DURATION}.value"] if unit == "steps" else []), why=why)


def _in_tokens(draft: Draft) -> Run:
    """Let the schedule count tokens, of which each batch has as many."""
    where = _changes_batch(draft)
    if where:
        raise draft.error(where, "changes the batch size, with which tokens at an update are not imported")
    batch = draft.count(_BATCH)
    if not batch:
        raise draft.error(_BATCH, "is needed where the scheduler counts tokens")
    unit = draft.text(f"{_DURATION}.unit")
    if unit not in ("steps", "tokens"):
        raise draft.error(f"{_DURATION}.unit", "must be steps or tokens where the scheduler counts tokens")
    value = _duration(draft)
    tokens = value if unit == "tokens" else value * batch
    paths = ("dataset.sequence_length", "train_module.max_sequence_length")
    sequence = next(filter(None, map(draft.count, paths)), None)
    if sequence is None:
        sequence = draft.ask("seq_length", "has no sequence_length, without which tokens are no samples")
    if batch % sequence:
        raise draft.error(_BATCH, f"is no multiple of the {sequence} tokens of a sequence")
    draft.put("clock", "tokens")
    draft.put("train_tokens", tokens, f"{_DURATION}.value")
    draft.put("global_batch_size", batch // sequence, _BATCH)
    draft.put("seq_length", sequence, *paths)
    return Run(tokens, "tokens")


def _duration(draft: Draft) -> int:
    value = draft.count(f"{_DURATION}.value")
    if not value:
        raise draft.error(f"{_DURATION}.value", "must be above 0")
    return int(value)


def _changes_batch(draft: Draft) -> str:
    """Return the path of the callback that changes the batch size, empty where there is none."""
    callbacks: Any = draft.source.get("trainer.callbacks")
    for name, callback in callbacks.items() if isinstance(callbacks, dict) else ():
        if isinstance(callback, dict) and callback.get("batch_sizes"):
            return f"trainer.callbacks.{name}.batch_sizes"
    return ""


IMPORTER = Importer("olmo-core", "OLMo-core 3.0.0", recognises, convert)
"""The importer of OLMo-core."""
