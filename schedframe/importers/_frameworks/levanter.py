"""Levanter: its YAML.

stanford-crfm/levanter:src/levanter/optim/config.py (``OptimizerConfig.lr_scheduler``) and
src/levanter/trainer.py at 9263f81. A length up to 1 is a part of the run or of a cycle, rounded down.
"""

from collections.abc import Mapping
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

from schedframe._errors import did_you_mean
from schedframe.importers._draft import Draft
from schedframe.importers._frameworks.words import constant_weight_decay, in_iters, iters, percent
from schedframe.importers._importer import Importer
from schedframe.importers._source import Source

_OWN = "optimizer"
_STYLE = f"{_OWN}.lr_schedule"
_STYLES = ("constant", "cosine", "linear", "inv_sqrt", "inv")
_NOT_WRITTEN = {
    "power": "depends on the tokens of a batch, which is not imported; write it with `power` of schedframe-power",
}
_LENGTH = 400_000
"""How many updates a run has by default."""


class _Cycle(NamedTuple):
    """The lengths of a cycle, in iterations."""

    warmup: int
    stable: int
    decay: int


def recognises(source: Source) -> bool:
    """Return whether `source` has the tables of a Levanter run."""
    has_length = source.has("trainer.num_train_steps") or source.has("trainer.train_batch_size")
    return has_length and (source.has("model.type") or source.has(f"{_OWN}.learning_rate"))


def convert(draft: Draft) -> None:
    """Put what the YAML declares into `draft`.

    Raises:
        ConfigError: a value is wrong or missing, or the schedule cannot be written.
    """
    rate = draft.number(f"{_OWN}.learning_rate", 6e-4)
    draft.put("max_lr", rate, f"{_OWN}.learning_rate")
    run = draft.count("trainer.num_train_steps", _LENGTH)
    if run < 1:
        raise draft.error("trainer.num_train_steps", "must be at least 1")
    in_iters(draft, run, "trainer.num_train_steps")
    name, style = _style(draft)
    cooldown = _length(draft, "cooldown", run) if draft.source.has(f"{_OWN}.cooldown") else 0
    if name != "constant" or cooldown:
        draft.put("min_lr", percent(draft.number(f"{_OWN}.min_lr_ratio", 0.1)), f"{_OWN}.min_lr_ratio")
    ends = _ends(draft, run - cooldown)
    cycles = [_cycle(draft, index, end - start) for index, (start, end) in enumerate(pairwise([0, *ends]))]
    if cycles[0].warmup:
        draft.put("lr_warmup_steps", iters(cycles[0].warmup), f"{_OWN}.warmup")
    written = _written(draft, name, style, cycles, cooldown)
    places = [f"{_OWN}.{key}" for key in ("decay", "cooldown", "cycles", "cycle_length", "haps", "rewarmup")]
    draft.put("lr_decay_style", written, _STYLE, *places)
    constant_weight_decay(draft, f"{_OWN}.weight_decay", 0.1)


def _style(draft: Draft) -> tuple[str, Any]:
    """Return the name of the schedule, and its decay as a style."""
    value = draft.source.get(_STYLE)
    options: Mapping[str, Any] = value if isinstance(value, Mapping) else {}
    path = f"{_STYLE}.type" if options else _STYLE
    name = draft.text(path, "cosine")
    if name in _NOT_WRITTEN:
        raise draft.error(path, _NOT_WRITTEN[name])
    if name not in _STYLES:
        raise draft.error(path, f"is no schedule of Levanter{did_you_mean(name, (*_STYLES, *_NOT_WRITTEN))}")
    draft.table(_STYLE, ("type", "exponent", "timescale")) if options else None
    exponent = draft.number(f"{_STYLE}.exponent") if name == "cosine" and options else None
    if exponent not in (None, 1):
        draft.assume("cosine-power is installed, a style of schedframe-classic")
        return name, {"style": "cosine-power", "power": exponent}
    return name, name


def _length(draft: Draft, key: str, steps: int, default: float | None = None) -> int:
    """Return a length: whole iterations above 1, otherwise a part of `steps`, rounded down."""
    path = f"{_OWN}.{key}"
    value = draft.number(path, default)
    if value < 0 or (value > 1 and value != int(value)):
        raise draft.error(path, "must be a part from 0 to 1, or a whole number of iterations")
    return int(value * steps) if value <= 1 else int(value)


def _ends(draft: Draft, steps: int) -> list[int]:
    """Return where each cycle ends."""
    given = [f"{_OWN}.{key}" for key in ("cycle_length", "cycles", "haps") if draft.source.get(f"{_OWN}.{key}")]
    if len(given) > 1:
        raise draft.error(given[1], f"is given beside {given[0]}; Levanter takes one of them")
    ends: list[int] = []
    if given:
        ends = _ends_at(draft, given[0], draft.source.get(given[0]), steps)
        if any(late <= early for early, late in pairwise([0, *ends])) or ends[-1] > steps:
            raise draft.error(given[0], f"must be cycles one after the other within {steps} iterations")
    return ends if ends and ends[-1] == steps else [*ends, steps]


def _ends_at(draft: Draft, path: str, value: Any, steps: int) -> list[int]:
    if isinstance(value, list):
        if not all(isinstance(each, int) and not isinstance(each, bool) for each in value):
            raise draft.error(path, "must be a list of whole numbers")
        return list(accumulate(value)) if path.endswith("cycle_length") else value
    if path.endswith("cycle_length"):
        length = _length(draft, "cycle_length", steps)
        if length < 1:
            raise draft.error(path, "leaves no iteration for a cycle")
        return [number * length for number in range(1, steps // length)] or [steps]
    count = draft.count(path)
    if not 1 <= count <= steps:
        raise draft.error(path, "must be a number of cycles, at least 1")
    return [int(steps / count * (number + 1)) for number in range(count - 1)] or [steps]


def _cycle(draft: Draft, index: int, steps: int) -> _Cycle:
    key, default = ("rewarmup", 0.0) if index else ("warmup", 0.01)
    warmup = _length(draft, key, steps, default)
    has_decay = draft.source.get(f"{_OWN}.decay") is not None
    decay = _length(draft, "decay", steps) if has_decay else steps - warmup
    stable = steps - warmup - decay
    if stable < 0:
        where = f"{_OWN}.decay" if has_decay else f"{_OWN}.{key}"
        raise draft.error(where, f"leaves a cycle of {steps} iterations too few; its warmup has {warmup}")
    return _Cycle(warmup, stable, decay)


def _written(draft: Draft, name: str, style: Any, cycles: list[_Cycle], cooldown: int) -> Any:
    """Return the style of the schedule after the first warmup."""
    if name in ("inv_sqrt", "inv"):
        if len(cycles) > 1 or cooldown:
            raise draft.error(_STYLE, "with cycles or a cooldown is not imported")
        return _inverse_square_root(draft, cycles[0]) if name == "inv_sqrt" else _inverse(draft, cycles[0])
    (first, *others) = cycles
    if name == "constant" and not cooldown:
        return "constant"
    if not others and not cooldown and not first.stable:
        return style
    if not others and not cooldown:
        return {"style": "WSD", "wsd_decay_steps": iters(first.decay), "lr_wsd_decay_style": style}
    if not others and name == "constant":
        return {"style": "WSD", "wsd_decay_steps": iters(cooldown), "lr_wsd_decay_style": "linear"}
    phases = _phases(first, style)
    for cycle in others:
        rise = {"style": "linear", "length": iters(cycle.warmup), "to": "100%"}
        begin = _phases(cycle, style)
        if not cycle.warmup and name != "constant":
            begin[0] |= {"from": "100%", "jump": True}
        phases += [rise, *begin] if cycle.warmup and name != "constant" else begin
    if cooldown:
        phases.append({"style": "linear" if name == "constant" else "constant", "length": iters(cooldown)})
    return {"style": "phases", "phases": phases}


def _phases(cycle: _Cycle, style: Any) -> list[dict[str, Any]]:
    """Return a cycle after its warmup."""
    stable = [{"style": "constant", "length": iters(cycle.stable)}] if cycle.stable else []
    return [*stable, {"style": style, "length": iters(cycle.decay)}] if cycle.decay else stable


def _inverse_square_root(draft: Draft, cycle: _Cycle) -> Any:
    """Return the inverse square root, which falls from the update `timescale` on and is cut at the min LR."""
    timescale = draft.count(f"{_STYLE}.timescale", 10_000)
    if cycle.stable:
        raise draft.error(_STYLE, "with a decay of another length is not imported")
    if timescale < cycle.warmup:
        raise draft.error(_STYLE, f"has a timescale of {timescale} iterations, which lies within the warmup")
    if timescale >= cycle.warmup + cycle.decay:
        draft.assume(f"the run ends before iteration {timescale}, from which the learning rate falls")
        return "constant"
    law = {"style": "power-law", "timescale": iters(timescale), "floor": "cut"}
    held = timescale - cycle.warmup
    phases = [{"style": "constant", "length": iters(held)}] if held else []
    return {"style": "phases", "phases": [*phases, {"style": law}]}


def _inverse(draft: Draft, cycle: _Cycle) -> Any:
    """Return the decay by 1 / n, whose first update has the learning rate of its second."""
    share = draft.number(f"{_OWN}.min_lr_ratio", 0.1)
    if not 0 < share < 1:
        raise draft.error(f"{_OWN}.min_lr_ratio", "must lie between 0 and 1 with `inv`")
    if cycle.decay < 2:
        raise draft.error(_STYLE, "has no update for its decay")
    draft.assume("harmonic is installed, a style of schedframe-cooldowns")
    first = 1 / ((1 / share - 1) / cycle.decay + 1)
    stable = [{"style": "constant", "length": iters(cycle.stable)}] if cycle.stable else []
    repeated = {"style": "constant", "length": "1 iters", "from": first * draft.number(f"{_OWN}.learning_rate", 6e-4)}
    decay = {"style": {"style": "harmonic", "ratio": share / first}, "length": iters(cycle.decay - 1)}
    return {"style": "phases", "phases": [*stable, {**repeated, "jump": True}, decay]}


IMPORTER = Importer("levanter", "Levanter 9263f81", recognises, convert)
"""The importer of Levanter."""
