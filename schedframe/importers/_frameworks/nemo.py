"""NeMo: the YAML of ``megatron_gpt_config.yaml`` and its kind.

NVIDIA/NeMo:nemo/core/optim/lr_scheduler.py at 8cfedd7. Its warmup is (n + 1) / (W + 1), except that of
``CosineAnnealing`` with ``constant_steps``, which is n / W, and that of ``NoamAnnealing``, which begins at step 1.
"""

from typing import Any

from schedframe._errors import did_you_mean
from schedframe.importers._draft import Draft
from schedframe.importers._frameworks.words import constant_weight_decay, iters, phased, whole_run
from schedframe.importers._importer import Importer
from schedframe.importers._source import Source

_PATHS = ("model.optim", "optim")
_WARM = ("warmup_steps", "warmup_ratio")
_HELD = (*_WARM, "hold_steps", "hold_ratio")
_COMMON = ("name", "min_lr", "max_steps", "last_epoch", "monitor", "reduce_on_plateau")
_KEYS: dict[str, tuple[str, ...]] = {
    "WarmupPolicy": _WARM,
    "WarmupHoldPolicy": _HELD,
    "SquareAnnealing": _WARM,
    "SquareRootAnnealing": _WARM,
    "CosineAnnealing": (*_WARM, "constant_steps", "constant_ratio"),
    "NoamAnnealing": (*_WARM, "d_model"),
    "NoamHoldAnnealing": (*_HELD, "decay_rate"),
    "WarmupHoldAnnealOneMinusSquareRoot": _HELD,
    "WarmupHoldAnnealLinear": _HELD,
    "WarmupAnnealing": _WARM,
    "InverseSquareRootAnnealing": _WARM,
    "T5InverseSquareRootAnnealing": ("constant_steps",),
    "PolynomialDecayAnnealing": (*_WARM, "power", "cycle"),
    "PolynomialHoldDecayAnnealing": (*_HELD, "power", "cycle"),
}
_OPEN = (
    *("WarmupPolicy", "WarmupHoldPolicy", "NoamHoldAnnealing"),
    *("InverseSquareRootAnnealing", "T5InverseSquareRootAnnealing"),
)
"""The schedulers that do not reach the min LR at the end, and jump to it there."""
_OTHERS = {
    "ReduceLROnPlateau": "follows a metric of the run; a schedule here depends on the step alone",
    "ExponentialLR": "is torch's, and is stepped once in an epoch; write it by hand as the style `each`",
    "StepLR": "is torch's; write it by hand as the style `each`",
    "CyclicLR": "is torch's; write it by hand as the style `triangular` of schedframe-classic",
}


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
    if name in _OTHERS:
        raise draft.error(f"{path}.name", _OTHERS[name])
    if name not in _KEYS:
        raise draft.error(f"{path}.name", f"is not imported{did_you_mean(name, _KEYS)}")
    draft.table(path, (*_COMMON, *_KEYS[name]))
    if draft.number(f"{path}.last_epoch") not in (None, -1):
        raise draft.error(f"{path}.last_epoch", "is of a run that goes on, which is not imported")
    rate = draft.number(f"{optim}.lr")
    if rate is None:
        raise draft.error(optim, "has no lr")
    draft.put("max_lr", rate, f"{optim}.lr")
    run = whole_run(draft, "trainer.max_steps", why="has no trainer.max_steps")
    end = draft.count(f"{path}.max_steps") or run
    if name == "NoamAnnealing":
        _noam(draft, path, rate, _warmup(draft, path, end, run))
    else:
        _annealed(draft, path, name, end, run)
    constant_weight_decay(draft, f"{optim}.weight_decay", 0.0)


def _annealed(draft: Draft, path: str, name: str, end: int, run: int) -> None:
    """Set a scheduler that ends at ``max_steps``."""
    if end < run and name in _OPEN:
        raise draft.error(f"{path}.max_steps", "is below the run, and this scheduler jumps to min_lr there")
    if name == "T5InverseSquareRootAnnealing":
        _t5(draft, path)
        return
    warmup = _warmup(draft, path, end, end)
    if name == "CosineAnnealing":
        _cosine(draft, path, warmup, end)
        return
    if warmup:
        draft.put("lr_warmup_steps", iters(warmup), f"{path}.warmup_steps", f"{path}.warmup_ratio")
        draft.put("lr_warmup_style", "nemo", f"{path}.name")
    if end != run:
        draft.put("lr_decay_steps", iters(end), f"{path}.max_steps")
    style = _style(draft, path, name, warmup)
    if name not in ("WarmupPolicy", "WarmupHoldPolicy", "InverseSquareRootAnnealing"):
        least = draft.number(f"{path}.min_lr", 1e-5 if name == "SquareAnnealing" else 0.0)
        draft.put("min_lr", least, f"{path}.min_lr")
    if "hold_steps" in _KEYS[name] and name != "WarmupHoldPolicy":
        style = _held(draft, path, name, style, warmup, end)
    draft.put("lr_decay_style", style, f"{path}.name", f"{path}.hold_steps", f"{path}.hold_ratio", f"{path}.power")


def _style(draft: Draft, path: str, name: str, warmup: int) -> Any:
    """Return the style after the warmup, and after what is held."""
    if name.startswith("Polynomial"):
        return {"style": "polynomial", "power": draft.number(f"{path}.power", 1.0)}
    if name == "NoamHoldAnnealing":
        if not warmup:
            raise draft.error(f"{path}.name", "needs a warmup, which NeMo needs too")
        rate = draft.number(f"{path}.decay_rate", 0.5)
        return {"style": "power-law", "exponent": -rate, "timescale": iters(warmup)}
    if name == "SquareRootAnnealing" and warmup:
        draft.put("lr_warmup_steps", iters(warmup + 1), f"{path}.warmup_steps", f"{path}.warmup_ratio")
        draft.put("lr_warmup_style", "torchtitan", f"{path}.name")
        draft.put("decay_from", 0, f"{path}.name")
        draft.assume("the decay counts from the start of the run, and begins one iteration after the warmup")
    styles: dict[str, Any] = {
        "WarmupPolicy": "constant",
        "WarmupHoldPolicy": "constant",
        "WarmupAnnealing": "linear",
        "WarmupHoldAnnealLinear": "linear",
        "SquareAnnealing": {"style": "polynomial", "power": 2.0, "floor": "cut"},
        "SquareRootAnnealing": {"style": "polynomial", "power": 0.5, "floor": "cut"},
        "WarmupHoldAnnealOneMinusSquareRoot": {"style": "minus_sqrt", "floor": "cut"},
        "InverseSquareRootAnnealing": {"style": "power-law", "exponent": -0.5, "timescale": iters(warmup + 1)},
    }
    return styles[name]


def _held(draft: Draft, path: str, name: str, style: Any, warmup: int, end: int) -> Any:
    """Return the style after what is held at the max LR."""
    is_given = draft.source.has(f"{path}.hold_steps") or draft.source.has(f"{path}.hold_ratio")
    if not is_given and warmup and name != "NoamHoldAnnealing":
        raise draft.error(f"{path}.name", "needs hold_steps or hold_ratio; without them NeMo decays below its warmup")
    hold = _length(draft, path, "hold", end)
    if warmup + hold >= end:
        raise draft.error(f"{path}.hold_steps", f"leaves no decay of {end} iterations, of which {hold} are held")
    return phased({"style": "constant", "length": iters(hold)}, {"style": style}) if hold else style


def _cosine(draft: Draft, path: str, warmup: int, end: int) -> None:
    hold = _length(draft, path, "constant", end)
    if warmup >= end - hold:
        raise draft.error(f"{path}.warmup_steps", f"leaves no decay of {end} iterations, of which {hold} are constant")
    if warmup:
        draft.put("lr_warmup_steps", iters(warmup), f"{path}.warmup_steps", f"{path}.warmup_ratio")
        draft.put("lr_warmup_style", "megatron" if hold else "nemo", f"{path}.constant_steps")
    draft.put("lr_decay_steps", iters(end - hold), f"{path}.constant_steps", f"{path}.max_steps")
    draft.put("lr_decay_style", "cosine", f"{path}.name")
    draft.put("min_lr", draft.number(f"{path}.min_lr", 0.0), f"{path}.min_lr")


def _noam(draft: Draft, path: str, rate: float, warmup: int) -> None:
    """Set ``NoamAnnealing``, of which the optimizer's learning rate is only a factor."""
    width = draft.count(f"{path}.d_model")
    if not width:
        raise draft.error(f"{path}.d_model", "must be a number above 0; give it with --set " + f"{path}.d_model=VALUE")
    peak = rate * width**-0.5 * max(1, warmup) ** -0.5
    draft.put("max_lr", peak, f"{path.removesuffix('.sched')}.lr", f"{path}.d_model", f"{path}.warmup_steps")
    draft.assume("max_lr is lr / sqrt(d_model * warmup_steps), which this scheduler of NeMo reaches")
    if warmup:
        draft.put("lr_warmup_steps", iters(warmup), f"{path}.warmup_steps", f"{path}.warmup_ratio")
        draft.put("lr_warmup_style", "gpt-neox", f"{path}.name")
    draft.put("min_lr", draft.number(f"{path}.min_lr", 0.0), f"{path}.min_lr")
    draft.put("lr_decay_style", "inverse-square-root", f"{path}.name")


def _t5(draft: Draft, path: str) -> None:
    """Set ``T5InverseSquareRootAnnealing``, which does not use the optimizer's learning rate."""
    constant = draft.count(f"{path}.constant_steps")
    if not constant:
        raise draft.error(f"{path}.constant_steps", "must be given, which NeMo needs too")
    draft.put("max_lr", constant**-0.5, f"{path}.constant_steps")
    draft.put("init_lr", "100%")
    draft.put("lr_warmup_steps", iters(constant), f"{path}.constant_steps")
    draft.put("lr_warmup_style", "constant", f"{path}.name")
    draft.put("lr_decay_style", "inverse-square-root", f"{path}.name")
    draft.assume("max_lr is 1 / sqrt(constant_steps); this scheduler of NeMo does not use lr")


def _warmup(draft: Draft, path: str, end: int, limit: int) -> int:
    warmup = _length(draft, path, "warmup", end)
    if warmup >= limit:
        fault = f"gives a warmup of {warmup} iterations, and the schedule has {limit}; it leaves no decay"
        raise draft.error(f"{path}.warmup_steps", fault)
    return warmup


def _length(draft: Draft, path: str, name: str, end: int) -> int:
    """Return the warmup, or the constant part after it or at the end, in iterations."""
    steps, share = draft.count(f"{path}.{name}_steps"), draft.number(f"{path}.{name}_ratio")
    if steps is not None and share is not None:
        raise draft.error(f"{path}.{name}_ratio", f"is given beside {name}_steps, which NeMo refuses; leave one out")
    if share is not None and not 0 <= share <= 1:
        raise draft.error(f"{path}.{name}_ratio", "must lie between 0 and 1")
    return int(share * end) if share is not None else int(steps or 0)


IMPORTER = Importer("nemo", "NeMo 8cfedd7", recognises, convert)
"""The importer of NeMo."""
