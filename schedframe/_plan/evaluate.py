"""Evaluates a run at a step: warm-up, styles, param-group bounds. Pure, without state.

A *run* is anything with Megatron's attribute names: a declared `Schedule` or a running
`OptimizerParamScheduler`. The order of operations is Megatron's
(``megatron/core/optimizer_param_scheduler.py`` at core_v0.16.1), so that results are equal float for float.
A group's value of ``None`` counts as absent. A step here is the run's own, counted from its ``start_step``.
"""

from collections.abc import Callable, Iterable, Mapping
from math import isfinite
from typing import Any, Literal, Protocol

from schedframe._errors import PluginError, StateError
from schedframe.styles._base import LRPoint, LRStyle, Style, WDPoint, WDStyle
from schedframe.styles._warmup import Warmup

Group = Mapping[str, Any]


class Run(Protocol):
    """What determines both curves."""

    @property
    def init_lr(self) -> float | Literal["current"]: ...
    @property
    def max_lr(self) -> float: ...
    @property
    def min_lr(self) -> float: ...
    @property
    def lr_warmup_steps(self) -> float: ...
    @property
    def lr_warmup_style(self) -> Warmup: ...
    @property
    def lr_decay_steps(self) -> float: ...
    @property
    def lr_style(self) -> LRStyle: ...
    @property
    def start_wd(self) -> float | None: ...
    @property
    def end_wd(self) -> float | None: ...
    @property
    def wd_incr_steps(self) -> float: ...
    @property
    def wd_style(self) -> WDStyle: ...


class Running(Run, Protocol):
    """A run whose styles' coefficient methods are at hand; ``None`` for a style that is no shape."""

    @property
    def lr_coefficient_at(self) -> Callable[[float, float, float], float] | None: ...
    @property
    def wd_coefficient_at(self) -> Callable[[float, float], float] | None: ...


def lr_at(run: Run, step: float, group: Group) -> float:
    """Return the learning rate at `step` for one param group, whose own bounds win."""
    max_lr = _own(group, "max_lr", run.max_lr)
    warmup_steps = run.lr_warmup_steps
    if warmup_steps > 0 and step <= warmup_steps:
        init_lr, warmup = _known(run.init_lr), run.lr_warmup_style
        if warmup.is_megatrons:
            return init_lr + ((max_lr - init_lr) * float(step) / float(warmup_steps))
        return init_lr + (max_lr - init_lr) * warmup.share(step, warmup_steps)
    point = LRPoint(step, warmup_steps, run.lr_decay_steps, max_lr, _own(group, "min_lr", run.min_lr))
    return _finite(run.lr_style.lr(point), run.lr_style, step)


def wd_at(run: Run, step: float, group: Group) -> float | None:
    """Return the weight decay at `step` for one param group, before its ``wd_mult``.

    ``None`` where the run leaves weight decay alone.
    """
    if run.start_wd is None or run.end_wd is None:
        return None
    start_wd, end_wd = _own(group, "start_wd", run.start_wd), _own(group, "end_wd", run.end_wd)
    max_lr = _own(group, "max_lr", run.max_lr)
    lr = lr_at(run, step, group)
    point = WDPoint(step, run.wd_incr_steps, start_wd, end_wd, lr, max_lr, run.lr_warmup_steps)
    return _finite(run.wd_style.wd(point), run.wd_style, step)


Answer = tuple[float, float | None, list[float] | None, list[float] | None]
"""Coefficients of learning rate and weight decay, or the values themselves, one for each group."""


def write_each(runs: Iterable[tuple[Running, list[dict[str, Any]]]], step: float) -> None:
    """Set ``lr`` and ``weight_decay`` of the groups of several runs; all styles are asked before the first write."""
    answers = [(run, groups, asked(run, step, groups)) for run, groups in runs]
    for answer in answers:
        put(*answer)


def asked(run: Running, step: float, groups: list[dict[str, Any]]) -> Answer:
    """Return what `put` writes into `groups` at `step`.

    A shape is asked for its coefficient once, whatever the number of groups.

    Raises:
        PluginError: a style gives NaN or infinity.
    """
    warmup_steps = run.lr_warmup_steps
    lrs: list[float] | None = None
    wds: list[float] | None = None
    lr_c, wd_c = 0.0, None
    if warmup_steps > 0 and step <= warmup_steps:
        lrs = _warming_lrs(run, step, groups)
    elif run.lr_coefficient_at is None:
        lrs = _asked_lrs(run, step, groups)
    elif step <= run.lr_decay_steps:
        lr_c = run.lr_coefficient_at(step, warmup_steps, run.lr_decay_steps)
        if lr_c - lr_c != 0.0:
            _finite(lr_c, run.lr_style, step)
    if run.start_wd is not None:
        if run.wd_coefficient_at is None:
            wds = _asked_wds(run, step, groups)
        elif step <= run.wd_incr_steps:
            wd_c = run.wd_coefficient_at(step, run.wd_incr_steps)
            if wd_c - wd_c != 0.0:
                _finite(wd_c, run.wd_style, step)
    return lr_c, wd_c, lrs, wds


def put(run: Running, groups: list[dict[str, Any]], answer: Answer) -> None:
    """Set ``lr`` and ``weight_decay`` of every group, empty ones too; tensors are filled in place.

    Equal to `lr_at`, and to `wd_at` times the group's ``wd_mult``. The loops over the groups are written out, because
    a call for each would cost more than its arithmetic.
    """
    lr_c, wd_c, lrs, wds = answer
    if lrs is not None:
        _write_each(groups, "lr", lrs)
    else:
        max_lr, min_lr = run.max_lr, run.min_lr
        for group in groups:
            floor = group.get("min_lr", min_lr)
            if floor is None:
                floor = min_lr
            peak = group.get("max_lr", max_lr)
            if peak is None:
                peak = max_lr
            lr = floor + lr_c * (peak - floor)
            if type(group.get("lr")) is float:
                group["lr"] = lr
            else:
                _put(group, "lr", lr)
    if wds is not None:
        _write_each(groups, "weight_decay", wds)
        return
    start_wd, end_wd = run.start_wd, run.end_wd
    if start_wd is not None:
        for group in groups:
            wd: Any = group.get("end_wd", end_wd)
            if wd is None:
                wd = end_wd
            if wd_c is not None:
                first = group.get("start_wd", start_wd)
                if first is None:
                    first = start_wd
                wd = first + wd_c * (wd - first)
            wd_mult = group.get("wd_mult", 1.0)
            if wd_mult is not None:
                wd = wd * wd_mult
            if type(group.get("weight_decay")) is float:
                group["weight_decay"] = wd
            else:
                _put(group, "weight_decay", wd)


def _warming_lrs(run: Run, step: float, groups: list[dict[str, Any]]) -> list[float]:
    init_lr, max_lr, done, total = _known(run.init_lr), run.max_lr, float(step), float(run.lr_warmup_steps)
    peaks = [max_lr if (own := group.get("max_lr")) is None else own for group in groups]
    if not run.lr_warmup_style.is_megatrons:
        share = run.lr_warmup_style.share(step, run.lr_warmup_steps)
        return [init_lr + (peak - init_lr) * share for peak in peaks]
    return [init_lr + ((peak - init_lr) * done / total) for peak in peaks]


def _asked_lrs(run: Run, step: float, groups: list[dict[str, Any]]) -> list[float]:
    """Ask the style once for each pair of bounds: it is pure."""
    known: dict[Any, float] = {}
    lrs = []
    for group in groups:
        bounds = (group.get("max_lr"), group.get("min_lr"))
        if bounds not in known:
            known[bounds] = lr_at(run, step, group)
        lrs.append(known[bounds])
    return lrs


def _asked_wds(run: Run, step: float, groups: list[dict[str, Any]]) -> list[float]:
    known: dict[Any, float] = {}
    wds = []
    for group in groups:
        bounds = (group.get("start_wd"), group.get("end_wd"), group.get("max_lr"), group.get("min_lr"))
        if bounds not in known:
            known[bounds] = wd_at(run, step, group) or 0.0
        wds.append(known[bounds] * _own(group, "wd_mult", 1.0))
    return wds


def _write_each(groups: list[dict[str, Any]], key: str, values: list[float]) -> None:
    for group, value in zip(groups, values):  # noqa: B905
        if type(group.get(key)) is float:
            group[key] = value
        else:
            _put(group, key, value)


def _put(group: dict[str, Any], key: str, value: float) -> None:
    fill_in_place = getattr(group.get(key), "fill_", None)
    if fill_in_place is None:
        group[key] = value
    else:
        fill_in_place(value)


def _known(init_lr: float | Literal["current"]) -> float:
    if isinstance(init_lr, str):
        raise StateError(
            "init_lr is `current`, the learning rate that the checkpoint has where this schedule starts, and no "
            "checkpoint is loaded yet; load one, or give init_lr a number"
        )
    return init_lr


def _own(group: Group, key: str, default: float) -> float:
    own = group.get(key)
    return default if own is None else own


def _finite(value: float, style: Style, step: float) -> float:
    if not isfinite(value):
        raise PluginError(f"style {style!r} gives {value} at step {step}; no param group was changed")
    return value
