"""Pairs an optimizer's param groups with those of a checkpoint, whatever their bounds are.

Megatron Core finds a group's saved counterpart by some of its keys (``param_group_identifier_keys`` of
NVIDIA/Megatron-LM:megatron/core/optimizer/optimizer.py). At core_v0.14.0 to core_v0.18.2 bounds are not among them, so
that two groups that differ in nothing else are taken for one; at core_v0.19.0 they are, so that a run with another
``--lr`` finds none. Here groups are paired by the rest first, and by bounds where that does not decide; Megatron is
then told the pairs, and the saved groups get the bounds of this run, which the scheduler's own load decides about.
"""

import importlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any

from schedframe._errors import StateError
from schedframe._run.groups.roles import is_tag

Group = dict[str, Any]

_BOUNDS = ("max_lr", "min_lr", "start_wd", "end_wd")
_PAIR = "schedframe_pair"
_MATCHERS = ("megatron.core.optimizer.optimizer", "megatron.core.optimizer.distrib_optimizer")
_IDENTITY = "param_group_identifier_keys"


def pair_on_load(optimizer: Any) -> None:
    """Let every load of `optimizer` pair groups as this module does.

    Args:
        optimizer: Megatron's, whose leaves get another ``load_state_dict``.
    """
    for leaf in _leaves(optimizer):
        leaf.load_state_dict = _pairing(leaf, leaf.load_state_dict)


def _leaves(optimizer: Any) -> Iterator[Any]:
    """The optimizers that hold param groups, one by one."""
    if hasattr(optimizer, "chained_optimizers"):
        for inner in optimizer.chained_optimizers:
            yield from _leaves(inner)
    elif hasattr(optimizer, "module_infos"):
        for info in optimizer.module_infos.values():
            if info.optimizer is not None:
                yield from _leaves(info.optimizer)
    else:
        yield optimizer


def _pairing(leaf: Any, load: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(load)
    def load_state_dict(state_dict: Any, *arguments: Any, **options: Any) -> Any:
        groups, saved = list(leaf.param_groups), _saved_groups(state_dict)
        if saved is None or len(saved) != len(groups):
            return load(state_dict, *arguments, **options)
        pairs = paired(groups, saved)
        _reorder(groups, saved, pairs)
        with _told(groups, saved, pairs):
            result = load(state_dict, *arguments, **options)
        for group in leaf.param_groups:
            group.pop(_PAIR, None)
        return result

    return load_state_dict


def _saved_groups(state_dict: Any) -> list[Group] | None:
    """The param groups in what a leaf is given to load; ``None`` where they are kept in another way."""
    for inner in (state_dict, *(state_dict.get(key) for key in ("optimizer", "optimizer_state_dict"))):
        groups = inner.get("param_groups") if isinstance(inner, dict) else None
        if isinstance(groups, list):
            return groups
    return None


def paired(groups: Sequence[Group], saved: Sequence[Group]) -> list[int]:
    """Return for each of `groups` the index of its counterpart among `saved`.

    Raises:
        StateError: some group has none.
    """
    rests = [key for key in _identity() if key not in _BOUNDS]
    found: dict[int, int] = {}
    for alike in (_also_alike, _bounds, None):
        for key in {_key(group, rests) for group in groups}:
            ours = [index for index, group in enumerate(groups) if index not in found and _key(group, rests) == key]
            theirs = [
                index for index, group in enumerate(saved) if index not in found.values() and _key(group, rests) == key
            ]
            found.update(_pairs(groups, ours, saved, theirs, alike))
    for index, group in enumerate(groups):
        if index not in found:
            told = ", ".join(f"{name} = {value}" for name, value in zip(rests, _key(group, rests), strict=True))
            raise StateError(
                f"the checkpoint has no counterpart of param_groups[{index}], whose {told}; its groups were made by "
                f"other rules: --no-load-optim leaves its optimizer out"
            )
    return [found[index] for index in range(len(groups))]


def _pairs(
    groups: Sequence[Group],
    ours: list[int],
    saved: Sequence[Group],
    theirs: list[int],
    alike: Callable[[Group, Group], bool] | None,
) -> Iterator[tuple[int, int]]:
    """Yield pairs of groups that only one on either side can be, or, as the last resort, in their order."""
    if alike is None or len(ours) == len(theirs) == 1:
        yield from zip(ours, theirs)  # noqa: B905
        return
    for own in ours:
        fits = [other for other in theirs if alike(groups[own], saved[other])]
        if len(fits) == 1 and sum(alike(groups[mine], saved[fits[0]]) for mine in ours) == 1:
            yield own, fits[0]


def _also_alike(group: Group, saved: Group) -> bool:
    """Say whether two groups agree in what else tells them apart: Megatron's default, and schedframe's rules."""
    tags = {key for key in (*group, *saved) if is_tag(key)}
    kept = {"default_config"} & group.keys() & saved.keys()
    return all(group.get(key) == saved.get(key) for key in tags | kept)


def _bounds(group: Group, saved: Group) -> bool:
    return _also_alike(group, saved) and all(group.get(key) == saved.get(key) for key in _BOUNDS)


def _key(group: Group, names: Iterable[str]) -> tuple[Any, ...]:
    """A group's identity; NeMo writes ``wd_mult`` as ``pre_wd_mult``."""
    return tuple(group.get(name, group.get(f"pre_{name}")) for name in names)


def _reorder(groups: Sequence[Group], saved: list[Group], pairs: list[int]) -> None:
    """Bring `saved` into the order of `groups`, where each saved group has its own parameters.

    FP32Optimizer and Float16OptimizerWithFloat16Params take the parameters by position. In the format ``torch`` those
    of a position are the saved group's; in ``torch_dist`` they are this run's, whatever was saved there.

    Raises:
        StateError: the order differs, and which of the two it is cannot be told.
    """
    if pairs == list(range(len(groups))) or not all("params" in group for group in saved):
        return
    sizes = [len(group["params"]) for group in groups]
    by_position = [len(group["params"]) for group in saved]
    by_pair = [by_position[index] for index in pairs]
    if by_pair == sizes and by_position == sizes:
        raise StateError(
            "the checkpoint's param groups stand in another order than this run's, and groups of one size changed "
            "places, so that which parameters a saved group has cannot be told; resume once with the bounds of the "
            "checkpoint, or leave its optimizer out with --no-load-optim"
        )
    if by_pair == sizes:
        saved[:] = [saved[index] for index in pairs]
        pairs[:] = range(len(groups))


@contextmanager
def _told(groups: Sequence[Group], saved: Sequence[Group], pairs: Sequence[int]) -> Iterator[None]:
    """Mark both of each pair, give the saved one this run's bounds, and let Megatron match by the mark."""
    for number, (group, index) in enumerate(zip(groups, pairs, strict=True)):
        group[_PAIR] = saved[index][_PAIR] = number
        for key in _BOUNDS:
            if key in group:
                saved[index][key] = group[key]
            else:
                saved[index].pop(key, None)
    before = {name: _matcher(name) for name in _MATCHERS}
    for module in before.values():
        setattr(module, _IDENTITY, (*getattr(module, _IDENTITY), _PAIR))
    try:
        yield
    finally:
        for module in before.values():
            setattr(module, _IDENTITY, tuple(key for key in getattr(module, _IDENTITY) if key != _PAIR))
        for group in (*groups, *saved):
            group.pop(_PAIR, None)


def _identity() -> tuple[str, ...]:
    """The keys by which this Megatron Core matches groups."""
    return tuple(getattr(_matcher(_MATCHERS[0]), _IDENTITY))


def _matcher(name: str) -> Any:
    return importlib.import_module(name)
