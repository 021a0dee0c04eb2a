"""OLMo-core: the config of a run, ``config.json`` or YAML.

allenai/OLMo-core:src/olmo_core/optim/scheduler.py of ai2-olmo-core 3.0.0. Its trainer counts an update before it
makes it, so that its schedulers are one iteration ahead: W iterations of warmup are W - 1 here with ``nemo``, and the
end T is T - 1.
"""

from schedframe._errors import did_you_mean
from schedframe.importers._draft import Draft
from schedframe.importers._frameworks.words import constant_weight_decay, iters, percent, whole_run
from schedframe.importers._importer import Importer
from schedframe.importers._source import Source

_PLACES = (
    "train_module.scheduler",
    "trainer.callbacks.lr_scheduler.scheduler",
    "trainer.callbacks.scheduler.scheduler",
)
_NAMES = {
    "CosWithWarmup": "cos_with_warmup",
    "LinearWithWarmup": "linear_with_warmup",
    "ConstantWithWarmup": "constant_with_warmup",
    "ConstantScheduler": "constant",
    "WSD": "wsd",
    "PowerLR": "power_lr",
    "InvSqrtWithWarmup": "inv_sqrt_with_warmup",
}
_WARMUP = ("warmup", "warmup_steps", "warmup_fraction", "warmup_min_lr")
_TAIL = ("decay", "decay_steps", "decay_fraction", "decay_min_lr")
_CALLED = ("_CLASS_", "type", "name", "units", "lr_field", "initial_lr_field")
_KEYS = {
    "cos_with_warmup": (*_WARMUP, "alpha_f", "t_max"),
    "linear_with_warmup": (*_WARMUP, "alpha_f", "t_max"),
    "constant_with_warmup": _WARMUP,
    "constant": (),
    "wsd": (*_WARMUP, *_TAIL),
    "power_lr": (*_WARMUP, *_TAIL, "b"),
    "inv_sqrt_with_warmup": (*_WARMUP, "alpha_f"),
}


def recognises(source: Source) -> bool:
    """Return whether `source` has the tables of an OLMo-core run."""
    return source.has("train_module.optim") and any(map(source.has, _PLACES))


def convert(draft: Draft) -> None:
    """Put what the config declares into `draft`.

    Raises:
        ConfigError: a value is wrong, or the schedule cannot be written.
    """
    path = next((place for place in _PLACES if draft.source.has(place)), _PLACES[0])
    name = _name(draft, path)
    draft.table(path, (*_CALLED, *_KEYS[name]))
    if draft.text(f"{path}.units") not in (None, "steps"):
        raise draft.error(f"{path}.units", "other than steps are not imported; tokens seen depend on the data loader")
    for index, override in enumerate(draft.source.get("train_module.optim.group_overrides") or ()):
        if isinstance(override, dict) and "lr" in (override.get("opts") or {}):
            where = f"train_module.optim.group_overrides.{index}.opts.lr"
            raise draft.error(where, "gives some parameters another learning rate, which is not imported")
    rate = draft.number("train_module.optim.lr", 1e-3)
    draft.put("max_lr", rate, "train_module.optim.lr")
    run = _run(draft)
    if name == "constant":
        draft.put("lr_decay_style", "constant", path)
    else:
        _scheduled(draft, path, name, run)
    constant_weight_decay(draft, "train_module.optim.weight_decay", 0.01)


def _name(draft: Draft, path: str) -> str:
    """Return the registered name of the scheduler."""
    for key in _CALLED[:3]:
        written = draft.text(f"{path}.{key}")
        if written is not None:
            last = written.rpartition(".")[2]
            name: str = _NAMES.get(last, last)
            if name not in _KEYS:
                raise draft.error(f"{path}.{key}", f"is not imported{did_you_mean(last, (*_NAMES, *_KEYS))}")
            return name
    raise draft.error(path, "does not name its class; give it with --set " + f"{path}._CLASS_=NAME")


def _run(draft: Draft) -> int:
    unit = draft.text("trainer.max_duration.unit")
    why = f"has a max_duration in {unit}, which are no iterations without the data" if unit else "has no max_duration"
    return whole_run(draft, *(["trainer.max_duration.value"] if unit == "steps" else []), why=why)


def _length(draft: Draft, path: str, name: str, run: int, default: float | None = None) -> tuple[int, str]:
    """Return the warmup or the decay in iterations, and the key that gives it."""
    for key in (name, f"{name}_steps"):
        length = draft.count(f"{path}.{key}")
        if length is not None:
            return length, f"{path}.{key}"
    share = draft.number(f"{path}.{name}_fraction", default)
    if share is None or not 0 <= share <= 1:
        raise draft.error(f"{path}.{name}_fraction", f"must lie between 0 and 1, or {name} must be given")
    return round(run * share), f"{path}.{name}_fraction"


def _scheduled(draft: Draft, path: str, name: str, run: int) -> None:
    end = draft.count(f"{path}.t_max") or run
    warmup, where = _length(draft, path, "warmup", end)
    if not warmup:
        raise draft.error(where, "is 0, and a schedule that is one iteration ahead cannot be written without a warmup")
    if warmup >= end:
        raise draft.error(where, f"gives a warmup of {warmup} iterations, and the schedule has {end}")
    if warmup > 1:
        draft.put("lr_warmup_steps", iters(warmup - 1), where)
        draft.put("lr_warmup_style", "nemo")
        draft.put("init_lr", draft.number(f"{path}.warmup_min_lr", 0.0), f"{path}.warmup_min_lr")
    draft.assume("lengths are one iteration shorter, because OLMo-core counts an update before it makes it")
    draft.put("lr_decay_steps", iters(end - 1), f"{path}.t_max")
    if name == "constant_with_warmup":
        draft.put("lr_decay_style", "constant", path)
    elif name in ("cos_with_warmup", "linear_with_warmup"):
        draft.put("lr_decay_style", "cosine" if name == "cos_with_warmup" else "linear", path)
        draft.put("min_lr", percent(draft.number(f"{path}.alpha_f", 0.1)), f"{path}.alpha_f")
    elif name == "inv_sqrt_with_warmup":
        if draft.number(f"{path}.alpha_f", 0.1) != 0:
            raise draft.error(f"{path}.alpha_f", "above 0 is a min LR that the curve tends to, which cannot be written")
        draft.put("lr_decay_style", {"style": "power-law", "exponent": -0.5, "timescale": iters(warmup)}, path)
    else:
        _with_tail(draft, path, name, run, warmup)


def _with_tail(draft: Draft, path: str, name: str, run: int, warmup: int) -> None:
    """Set ``wsd`` or ``power_lr``, whose last iterations are a straight line."""
    decay, where = _length(draft, path, "decay", run, 0.1)
    draft.put("min_lr", draft.number(f"{path}.decay_min_lr", 0.0), f"{path}.decay_min_lr")
    if name == "wsd":
        style = {"style": "WSD", "wsd_decay_steps": iters(decay), "lr_wsd_decay_style": "linear"}
        draft.put("lr_decay_style", style if decay else "constant", path, where)
        return
    power = {"style": "power-law", "exponent": draft.number(f"{path}.b", -0.51), "timescale": iters(warmup)}
    phases = [{"style": power, "length": iters(run - decay - warmup)}, {"style": "linear", "length": iters(decay)}]
    draft.put("lr_decay_style", {"style": "phases", "phases": phases} if decay else power, path, where)


IMPORTER = Importer("olmo-core", "OLMo-core 3.0.0", recognises, convert)
"""The importer of OLMo-core."""
