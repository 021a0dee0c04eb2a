"""NeMo: the YAML of ``megatron_gpt_config.yaml`` and its kind.

NVIDIA/NeMo:nemo/core/optim/lr_scheduler.py at 8cfedd7. ``CosineAnnealing`` has two warmups: (n + 1) / (W + 1), and with
``constant_steps`` n / W.
"""

from schedframe._errors import did_you_mean
from schedframe.importers._draft import Draft
from schedframe.importers._frameworks.words import constant_weight_decay, iters, whole_run
from schedframe.importers._importer import Importer
from schedframe.importers._source import Source

_PATHS = ("model.optim", "optim")
_KEYS = ("name", "warmup_steps", "warmup_ratio", "constant_steps", "constant_ratio", "min_lr", "max_steps")
_KNOWN = ("CosineAnnealing",)


def recognises(source: Source) -> bool:
    """Return whether `source` has NeMo's table of the optimizer with its scheduler."""
    return any(source.has(f"{path}.sched.name", f"{path}.lr") for path in _PATHS)


def convert(draft: Draft) -> None:
    """Put what the YAML declares into `draft`.

    Raises:
        ConfigError: a value is wrong, or the scheduler is not imported.
    """
    optim = next(path for path in (*_PATHS, "") if not path or draft.source.has(f"{path}.sched"))
    path = f"{optim}.sched"
    name = draft.text(f"{path}.name", "")
    if name not in _KNOWN:
        raise draft.error(f"{path}.name", f"is not imported{did_you_mean(name, _KNOWN)}")
    draft.table(path, _KEYS)
    draft.put("max_lr", draft.number(f"{optim}.lr"), f"{optim}.lr")
    run = whole_run(draft, "trainer.max_steps", why="has no trainer.max_steps")
    end = draft.count(f"{path}.max_steps") or run
    warmup = _length(draft, path, "warmup", end)
    hold = _length(draft, path, "constant", end)
    if warmup >= end - hold:
        raise draft.error(f"{path}.warmup_steps", f"leaves no decay of {end} iterations, of which {hold} are constant")
    if warmup:
        draft.put("lr_warmup_steps", iters(warmup), f"{path}.warmup_steps", f"{path}.warmup_ratio")
        draft.put("lr_warmup_style", "megatron" if hold else "nemo", f"{path}.constant_steps")
    draft.put("lr_decay_steps", iters(end - hold), f"{path}.constant_steps", f"{path}.max_steps")
    draft.put("lr_decay_style", "cosine", f"{path}.name")
    draft.put("min_lr", draft.number(f"{path}.min_lr", 0.0), f"{path}.min_lr")
    constant_weight_decay(draft, f"{optim}.weight_decay", 0.0)


def _length(draft: Draft, path: str, name: str, end: int) -> int:
    """Return the warmup or the constant part at the end in iterations."""
    steps, share = draft.count(f"{path}.{name}_steps"), draft.number(f"{path}.{name}_ratio")
    if steps is not None and share is not None:
        raise draft.error(f"{path}.{name}_ratio", f"is given beside {name}_steps, which NeMo refuses; leave one out")
    if share is not None and not 0 <= share <= 1:
        raise draft.error(f"{path}.{name}_ratio", "must lie between 0 and 1")
    return int(share * end) if share is not None else int(steps or 0)


IMPORTER = Importer("nemo", "NeMo 8cfedd7", recognises, convert)
"""The importer of NeMo."""
