"""The schedulers of OLMo-core: allenai/OLMo-core:src/olmo_core/optim/scheduler.py of ai2-olmo-core 3.0.0."""

from collections.abc import Callable
from typing import Any, NamedTuple

from schedframe.importers._draft import Draft
from schedframe.importers._frameworks.words import percent, phased

_WARMUP = ("warmup", "warmup_steps", "warmup_fraction", "warmup_min_lr")
_TAIL = ("decay", "decay_steps", "decay_fraction", "decay_min_lr")
_COSINE = (*_WARMUP, "alpha_f", "t_max")
KEYS = {
    "cos_with_warmup": _COSINE,
    "half_cos_with_warmup": _COSINE,
    "cos_with_warmup_and_linear_decay": (*_COSINE, *_TAIL),
    "linear_with_warmup": _COSINE,
    "constant_with_warmup": _WARMUP,
    "constant": (),
    "wsd": (*_WARMUP, *_TAIL),
    "power_lr": (*_WARMUP, *_TAIL, "b"),
    "inv_sqrt_with_warmup": (*_WARMUP, "alpha_f"),
    "exponential": ("lr_min",),
    "wsds": (
        *("period_lengths", "period_lr_multipliers", "warmup", "warmup_fraction", "decay", "decay_fraction"),
        *("warmup_min_lr", "decay_min_lr"),
    ),
    "composable": ("stages", "override_decay"),
    "sequential": ("schedulers", "schedulers_max", "schedulers_max_steps", "override_decay"),
}
"""The schedulers by their registered names, with their keys."""

_STAGE = ("duration", "shape", "start_lr", "start_lr_fraction", "end_lr", "end_lr_fraction", "_CLASS_", "type")


class Run(NamedTuple):
    """The length of the run, in iterations or tokens."""

    length: int
    unit: str

    def written(self, length: int) -> str:
        """Return a length in the unit of the run, as a schedule has it."""
        return f"{length} {self.unit}"


def write(draft: Draft, path: str, name: str, run: Run, rate: float, name_at: Callable[[Draft, str], str]) -> None:
    """Put the scheduler `name`, which stands at `path`, into `draft`, with the max LR `rate`.

    Raises:
        ConfigError: a value is wrong, or the scheduler cannot be written.
    """
    if name == "constant":
        draft.put("lr_decay_style", "constant", path)
        return
    draft.put("first_update", 1)
    draft.assume("OLMo-core counts an update before it makes it, which is first_update: 1")
    if name == "composable":
        _composed(draft, path, run)
    elif name == "sequential":
        _sequence(draft, path, run, rate, name_at)
    elif name == "wsds":
        _periods(draft, path, run, rate)
    elif name == "exponential":
        least = draft.number(f"{path}.lr_min", 1e-9)
        rise = {"style": "geometric", "from": least, "to": "100%", "jump": True}
        draft.put("lr_decay_style", phased(rise), path, f"{path}.lr_min")
    else:
        _warmed(draft, path, name, run, rate)


def _length(draft: Draft, path: str, name: str, run: int, default: float | None = None) -> tuple[int, str]:
    """Return the warmup or the decay, and the key that gives it."""
    for key in (name, f"{name}_steps"):
        length = draft.count(f"{path}.{key}")
        if length is not None:
            return length, f"{path}.{key}"
    share = draft.number(f"{path}.{name}_fraction", default)
    if share is None or not 0 <= share <= 1:
        raise draft.error(f"{path}.{name}_fraction", f"must lie between 0 and 1, or {name} must be given")
    return round(run * share), f"{path}.{name}_fraction"


def _warm_up(draft: Draft, path: str, warmup: int, where: str, run: Run) -> None:
    if warmup:
        draft.put("lr_warmup_steps", run.written(warmup), where)
        draft.put("init_lr", draft.number(f"{path}.warmup_min_lr", 0.0), f"{path}.warmup_min_lr")


def _warmed(draft: Draft, path: str, name: str, run: Run, rate: float) -> None:
    end = draft.count(f"{path}.t_max")
    if end == 0:
        raise draft.error(f"{path}.t_max", "must be above 0")
    end = end or run.length
    warmup, where = _length(draft, path, "warmup", end)
    if warmup >= end:
        raise draft.error(where, f"gives a warmup of {run.written(warmup)}, and the schedule has {end}")
    if not warmup and name in ("inv_sqrt_with_warmup", "power_lr"):
        raise draft.error(where, "is 0, and this scheduler has no learning rate without a warmup")
    _warm_up(draft, path, warmup, where, run)
    if end != run.length:
        draft.put("lr_decay_steps", run.written(end), f"{path}.t_max")
    if name == "constant_with_warmup":
        draft.put("lr_decay_style", "constant", path)
    elif name in ("wsd", "power_lr"):
        _with_tail(draft, path, name, run, warmup)
    elif name == "cos_with_warmup_and_linear_decay":
        _cut_cosine(draft, path, run, warmup, end)
    else:
        _to_share(draft, path, name, rate)


def _to_share(draft: Draft, path: str, name: str, rate: float) -> None:
    """Set a curve whose min LR is a share of the max LR."""
    styles: dict[str, Any] = {
        "cos_with_warmup": "cosine",
        "half_cos_with_warmup": "half-cosine",
        "linear_with_warmup": "linear",
        "inv_sqrt_with_warmup": {"style": "power-law", "floor": "tend"},
    }
    share = draft.number(f"{path}.alpha_f", 0.1)
    draft.put("lr_decay_style", styles[name], path)
    if name != "half_cos_with_warmup":
        draft.put("min_lr", percent(share), f"{path}.alpha_f")
        return
    least = rate * share
    draft.put("max_lr", least + (rate - least) / 2, "train_module.optim.lr", f"{path}.alpha_f")
    draft.put("min_lr", least, f"{path}.alpha_f")
    draft.assume("max_lr is where the warmup ends, halfway between the two learning rates of the whole cosine")
    draft.assume("half-cosine is a style of the distribution schedframe-classic, which must be installed")


def _cut_cosine(draft: Draft, path: str, run: Run, warmup: int, end: int) -> None:
    """Set a cosine to `end` that is cut where the run's last iterations begin, which are a straight line."""
    decay, where = _length(draft, path, "decay", run.length, 0.1)
    cut = run.length - decay
    if not warmup < cut < end:
        raise draft.error(where, f"begins at {run.written(cut)}, which is not within the cosine")
    share = percent(draft.number(f"{path}.alpha_f", 0.1))
    curve = {"style": "cosine-cycles", "cycles": 0.5 * (cut - warmup) / (end - warmup)}
    draft.put("min_lr", draft.number(f"{path}.decay_min_lr", 0.0), f"{path}.decay_min_lr")
    draft.put("lr_decay_steps", run.written(run.length), "trainer.max_duration")
    parts = ({"style": curve, "length": run.written(cut - warmup), "to": share}, {"style": "linear"})
    draft.put("lr_decay_style", phased(*parts), path, where)
    draft.assume("cosine-cycles is a style of the distribution schedframe-classic, which must be installed")


def _with_tail(draft: Draft, path: str, name: str, run: Run, warmup: int) -> None:
    """Set ``wsd`` or ``power_lr``, whose last iterations are a straight line."""
    decay, where = _length(draft, path, "decay", run.length, 0.1)
    draft.put("min_lr", draft.number(f"{path}.decay_min_lr", 0.0), f"{path}.decay_min_lr")
    if name == "wsd":
        style = {"style": "WSD", "wsd_decay_steps": run.written(decay), "lr_wsd_decay_style": "linear"}
        draft.put("lr_decay_style", style if decay else "constant", path, where)
        return
    held = run.length - decay - warmup
    if held <= 0:
        raise draft.error(where, f"begins at {run.written(run.length - decay)}, within the warmup")
    power = {"style": "power-law", "exponent": draft.number(f"{path}.b", -0.51), "timescale": run.written(warmup)}
    parts = ({"style": power, "length": run.written(held)}, {"style": "linear", "length": run.written(decay)})
    draft.put("lr_decay_style", phased(*parts) if decay else power, path, where)


def _entries(draft: Draft, path: str) -> int:
    """Return how many entries the list at `path` has."""
    value = draft.source.get(path)
    if not isinstance(value, list) or not value:
        raise draft.error(path, "must be a list that is not empty")
    return len(value)


def _periods(draft: Draft, path: str, run: Run, rate: float) -> None:
    """Set ``wsds``: periods that each end in a straight line, after which the learning rate is high again."""
    count = _entries(draft, f"{path}.period_lengths")
    lengths = [draft.count(f"{path}.period_lengths.{index}") or 0 for index in range(count)]
    peaks = [rate] * count
    if draft.source.has(f"{path}.period_lr_multipliers"):
        if _entries(draft, f"{path}.period_lr_multipliers") != count:
            raise draft.error(f"{path}.period_lr_multipliers", f"must have {count} numbers, as period_lengths has")
        peaks = [rate * (draft.number(f"{path}.period_lr_multipliers.{index}") or 0.0) for index in range(count)]
    warmup, where = _length(draft, path, "warmup", lengths[0])
    least = draft.number(f"{path}.decay_min_lr", 0.0)
    parts: list[dict[str, Any]] = []
    for index, (length, peak) in enumerate(zip(lengths, peaks, strict=True)):
        decay, key = _length(draft, path, "decay", length)
        stable = length - decay - (0 if index else warmup)
        if not decay or stable < 0:
            raise draft.error(key, f"gives period {index + 1} a decay of {run.written(decay)}, and it has {length}")
        period: list[dict[str, Any]] = [{"style": "constant", "length": run.written(stable)}] if stable else []
        period.append({"style": "linear", "length": run.written(decay), "to": least})
        if index or (not warmup and peak < max(peaks)):
            period[0] |= {"from": peak, "jump": True}
        parts += period
    draft.put("min_lr", least, f"{path}.decay_min_lr")
    if peaks[0] == max(peaks):
        _warm_up(draft, path, warmup, where, run)
    elif warmup:
        low = draft.number(f"{path}.warmup_min_lr", 0.0)
        draft.put("min_lr", min(low, least), f"{path}.decay_min_lr")
        parts.insert(0, {"style": "linear", "length": run.written(warmup), "from": low, "to": peaks[0], "jump": True})
    draft.put("max_lr", max(peaks), "train_module.optim.lr")
    draft.put("lr_decay_steps", run.written(sum(lengths)), f"{path}.period_lengths")
    draft.put("lr_decay_style", {**phased(*parts), "boundaries": "closed"}, path)


def _no_override(draft: Draft, path: str) -> None:
    if draft.source.has(f"{path}.override_decay"):
        raise draft.error(f"{path}.override_decay", "cuts the schedule, which is not imported")


def _composed(draft: Draft, path: str, run: Run) -> None:
    """Set ``composable``: stages, each from one learning rate to another."""
    _no_override(draft, path)
    parts: list[dict[str, Any]] = []
    total = 0
    for index in range(_entries(draft, f"{path}.stages")):
        stage = f"{path}.stages.{index}"
        draft.table(stage, _STAGE)
        duration, shape = draft.count(f"{stage}.duration"), draft.text(f"{stage}.shape") or "linear"
        end, start = _rate(draft, stage, "end"), _rate(draft, stage, "start")
        if not duration or end is None:
            raise draft.error(stage, "needs a duration above 0, and end_lr or end_lr_fraction")
        if shape not in ("linear", "cosine"):
            raise draft.error(f"{stage}.shape", "must be linear or cosine")
        jump = {} if start is None else {"from": start, "jump": True}
        parts.append({"style": shape, "length": run.written(duration), **jump, "to": end})
        total += duration
    draft.put("lr_decay_steps", run.written(total), f"{path}.stages")
    draft.put("lr_decay_style", phased(*parts), path)


def _rate(draft: Draft, stage: str, side: str) -> Any:
    """Return a learning rate of a stage as a schedule has it; ``None`` where it is not given."""
    rate, share = draft.number(f"{stage}.{side}_lr"), draft.number(f"{stage}.{side}_lr_fraction")
    if rate is not None and share is not None:
        raise draft.error(f"{stage}.{side}_lr", f"is given beside {side}_lr_fraction; leave one out")
    return rate if share is None else percent(share)


def _sequence(draft: Draft, path: str, run: Run, rate: float, name_at: Callable[[Draft, str], str]) -> None:
    """Set ``sequential``: schedulers, each from where the one before ends."""
    _no_override(draft, path)
    count = _entries(draft, f"{path}.schedulers")
    ends = next((key for key in ("schedulers_max", "schedulers_max_steps") if draft.source.has(f"{path}.{key}")), None)
    given = _entries(draft, f"{path}.{ends}") if ends else 0
    if given not in (count, count - 1):
        raise draft.error(f"{path}.{ends or 'schedulers'}", f"must give {count - 1} lengths, one less than schedulers")
    lengths = [draft.count(f"{path}.{ends}.{index}") or 0 for index in range(count - 1)]
    lengths.append(run.length - sum(lengths))
    parts: list[dict[str, Any]] = []
    for index, length in enumerate(lengths):
        one = f"{path}.schedulers.{index}"
        name = name_at(draft, one)
        if name not in ("constant", "constant_with_warmup", "cos_with_warmup", "linear_with_warmup"):
            raise draft.error(one, "is a scheduler that is not imported as a part of a sequence")
        warmup, where = (0, one) if name == "constant" else _length(draft, one, "warmup", length)
        if (warmup and index) or draft.source.has(f"{one}.t_max"):
            raise draft.error(where, "has a warmup after the first part, or a t_max, which is not imported")
        if warmup >= length:
            raise draft.error(where, f"gives a warmup of {run.written(warmup)}, and this part has {length}")
        _warm_up(draft, one, warmup, where, run)
        if name.startswith("constant"):
            parts.append({"style": "constant", "length": run.written(length - warmup)})
            continue
        rate *= draft.number(f"{one}.alpha_f", 0.1)
        style = "cosine" if name.startswith("cos") else "linear"
        parts.append({"style": style, "length": run.written(length - warmup), "to": rate})
    draft.put("lr_decay_style", phased(*parts), path)
