"""Pairs an optimizer's param groups with those of a checkpoint, whatever their bounds are.

Megatron Core finds a group's saved counterpart by some of its keys (``param_group_identifier_keys`` of
NVIDIA/Megatron-LM:megatron/core/optimizer/optimizer.py). At core_v0.14.0 to core_v0.18.2 bounds are not among them, so
that two groups that differ in nothing else are taken for one; at core_v0.19.0 they are, so that a run with another
``--lr`` finds none. Here groups are paired by the rest first, and by bounds where that does not decide. Each pair is
then marked for Megatron, and the saved groups get the bounds of this run, which the scheduler's own load decides about.
"""

import importlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial, wraps
from typing import Any

from schedframe._errors import StateError
from schedframe._run.groups.roles import is_tag
from schedframe.megatron._versions import IDENTITY, MATCHERS

Group = dict[str, Any]

_BOUNDS = ("max_lr", "min_lr", "start_wd", "end_wd")
_PAIR = "schedframe_pair"


def pair_on_load(optimizer: Any) -> None:
    """Let every load of `optimizer` pair groups as this module does.

    Args:
        optimizer: Megatron's, whose leaves get another ``load_state_dict``.
    """
    for leaf in _leaves(optimizer):
        leaf.load_state_dict = wraps(leaf.load_state_dict)(partial(_load, leaf, leaf.load_state_dict))


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


def _load(leaf: Any, load: Callable[..., Any], state_dict: Any, *arguments: Any, **options: Any) -> Any:
    """Load `state_dict` into an optimizer that holds param groups, which are paired first."""
    groups, saved = list(leaf.param_groups), _saved_groups(state_dict)
    if saved is None or len(saved) != len(groups):
        return load(state_dict, *arguments, **options)
    pairs = paired(groups, saved)
    _reorder(groups, saved, pairs)
    with _marked(groups, saved, pairs):
        result = load(state_dict, *arguments, **options)
    for group in leaf.param_groups:
        group.pop(_PAIR, None)
    return result


def _saved_groups(state_dict: Any) -> list[Group] | None:
    """Return the param groups in what a leaf is given to load; ``None`` where they are kept in another way."""
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
    names = [key for key in getattr(_matchers()[0], IDENTITY) if key not in _BOUNDS]
    keys, saved_keys = ([_key(group, names) for group in each] for each in (groups, saved))
    pairs: dict[int, int] = {}
    for alike in (_also_alike, _bounds, None):
        for key in set(keys):
            free = [index for index, each in enumerate(keys) if each == key and index not in pairs]
            saved_free = [index for index, each in enumerate(saved_keys) if each == key and index not in pairs.values()]
            if alike is None or len(free) == len(saved_free) == 1:
                pairs.update(zip(free, saved_free, strict=False))
            else:
                pairs.update(_only_pairs([(i, j) for i in free for j in saved_free if alike(groups[i], saved[j])]))
    for index, key in enumerate(keys):
        if index not in pairs:
            identity = ", ".join(f"{name} = {value}" for name, value in zip(names, key, strict=True))
            raise StateError(
                f"the checkpoint has no counterpart of param_groups[{index}], whose {identity}; its groups were made "
                f"by other rules: --no-load-optim leaves its optimizer out"
            )
    return [pairs[index] for index in range(len(groups))]


def _only_pairs(candidates: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the candidates both sides of which are in no other one."""
    return [(i, j) for i, j in candidates if sum(i == first or j == second for first, second in candidates) == 1]


def _also_alike(group: Group, saved: Group) -> bool:
    """Return whether two groups agree in Megatron's default and in schedframe's rules."""
    tags = {key for key in (*group, *saved) if is_tag(key)}
    kept = {"default_config"} & group.keys() & saved.keys()
    return all(group.get(key) == saved.get(key) for key in tags | kept)


def _bounds(group: Group, saved: Group) -> bool:
    return _also_alike(group, saved) and all(group.get(key) == saved.get(key) for key in _BOUNDS)


def _key(group: Group, names: Iterable[str]) -> tuple[Any, ...]:
    """Return a group's identity; NeMo writes ``wd_mult`` as ``pre_wd_mult``."""
    return tuple(group.get(name, group.get(f"pre_{name}")) for name in names)


def _reorder(groups: Sequence[Group], saved: list[Group], pairs: list[int]) -> None:
    """Bring `saved` into the order of `groups`, where each saved group has its own parameters.

    FP32Optimizer and Float16OptimizerWithFloat16Params take the parameters by position. In the format ``torch`` those
    of a position are the saved group's; in ``torch_dist`` they are this run's, whatever was saved there.

    Raises:
        StateError: the order differs, and which of the two it is cannot be determined.
    """
    if pairs == list(range(len(groups))) or not all("params" in group for group in saved):
        return
    sizes = [len(group["params"]) for group in groups]
    by_position = [len(group["params"]) for group in saved]
    by_pair = [by_position[index] for index in pairs]
    if by_pair == sizes and by_position == sizes:
        raise StateError(
            "the checkpoint's param groups stand in another order than this run's, and groups of one size changed "
            "places, so that the parameters of a saved group are not known; resume once with the bounds of the "
            "checkpoint, or leave its optimizer out with --no-load-optim"
        )
    if by_pair == sizes:
        saved[:] = [saved[index] for index in pairs]
        pairs[:] = range(len(groups))


@contextmanager
def _marked(groups: Sequence[Group], saved: Sequence[Group], pairs: Sequence[int]) -> Iterator[None]:
    """Mark each pair with a common key, so that Megatron matches by it, and give the saved group this run's bounds."""
    for number, (group, index) in enumerate(zip(groups, pairs, strict=True)):
        group[_PAIR] = saved[index][_PAIR] = number
        for key in _BOUNDS:
            if key in group:
                saved[index][key] = group[key]
            else:
                saved[index].pop(key, None)
    for module in _matchers():
        setattr(module, IDENTITY, (*getattr(module, IDENTITY), _PAIR))
    try:
        yield
    finally:
        for module in _matchers():
            setattr(module, IDENTITY, tuple(key for key in getattr(module, IDENTITY) if key != _PAIR))
        for group in (*groups, *saved):
            group.pop(_PAIR, None)


def _matchers() -> list[Any]:
    return [importlib.import_module(name) for name in MATCHERS]
