"""Whether every rank runs the same schedule, from the same plugins, at the same position."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from schedframe._errors import RankMismatchError
from schedframe._plan.plan import NAMES, Plan, fingerprint, styles_of
from schedframe._plan.rule import key_of
from schedframe._plan.words import written
from schedframe._version import __version__
from schedframe.styles._base import Style
from schedframe.styles._installed import sources_within

_INSTALL = "install the same versions on every rank"
_SAME_FILE = "give every rank the same file"
_CONFIGURE = "give every rank the same config"
_RESUME = "load the same checkpoint on every rank"


def verify(plan: Plan, num_steps: float, group: Any = None) -> None:
    """Refuse ranks that do not run the same schedule from the same plugins.

    A collective: every rank of `group` calls it, and where they differ, the same error is raised on every one.
    Without an initialised process group there is one rank, and nothing to compare.

    Args:
        plan: what this rank runs.
        num_steps: its position, the scheduler's count.
        group: a process group of ``torch.distributed``; ``None`` for all ranks.

    Raises:
        RankMismatchError: naming the ranks that differ from the majority, and how; of two halves, the one with
            the lowest rank counts.
    """
    distributed = getattr(sys.modules.get("torch"), "distributed", None)
    if distributed is None or not distributed.is_available() or not distributed.is_initialized():
        return
    if distributed.get_rank(group) < 0:
        return
    gathered: list[Any] = [None] * distributed.get_world_size(group)
    distributed.all_gather_object(gathered, (distributed.get_rank(), summary_of(plan, num_steps)), group=group)
    found = list(differences(dict(sorted(gathered))))
    if len(found) == 1:
        raise RankMismatchError(found[0])
    if found:
        listed = "\n".join(f"  {difference}" for difference in found)
        raise RankMismatchError(f"the ranks differ in {len(found)} ways:\n{listed}")


def summary_of(plan: Plan, num_steps: float) -> dict[str, Any]:
    """Return what ranks compare, in plain values; other versions read it, so keys may be added, never removed."""
    found = [item for path, style in styles_of(plan).items() for item in sources_within(path, style).items()]
    sources = {f"{path} {source.name!r}": source for path, source in found if source.distribution != "schedframe"}
    values = {key_of(name): getattr(plan, name) for name in NAMES}
    return {
        "version": __version__,
        "sources": {style: source.identity for style, source in sources.items()},
        "files": {style: str(source) for style, source in sources.items() if source.sha256},
        "fingerprint": fingerprint(plan),
        "plan": {key: written(value) if isinstance(value, Style | tuple) else value for key, value in values.items()},
        "num_steps": num_steps,
    }


def differences(said: Mapping[int, Mapping[str, Any]]) -> Iterator[str]:
    """Yield a sentence for each way in which ranks differ.

    Args:
        said: the summary of each rank, in the order of the ranks.
    """
    versions = _sides({rank: f"schedframe {own['version']}" for rank, own in said.items()})
    if len(versions) > 1:
        yield f"{_listed(versions, 'has', 'have')}; {_INSTALL}"
    for style in sorted({style for own in said.values() for style in own["sources"]}):
        sources = _sides({rank: own["sources"][style] for rank, own in said.items() if style in own["sources"]})
        if len(sources) > 1:
            files = {rank: own["files"][style] for rank, own in said.items() if style in own.get("files", {})}
            told = [(files.get(ranks[0], source), ranks) for source, ranks in sources]
            yield f"{style}: {_listed(told, 'has', 'have')}; {_SAME_FILE if files else _INSTALL}"
    yield from _other_schedules(said)
    positions = _sides({rank: own["num_steps"] for rank, own in said.items()})
    if len(positions) > 1:
        yield f"{_listed(positions, 'is at num_steps', 'are at num_steps')}; {_RESUME}"


def _other_schedules(said: Mapping[int, Mapping[str, Any]]) -> Iterator[str]:
    *others, (counts, majority) = _sides({rank: own["fingerprint"] for rank, own in said.items()})
    expected = said[majority[0]]["plan"]
    for other, ranks in others:
        plan = said[ranks[0]]["plan"]
        fields = [
            f"{key} {plan.get(key)} instead of {value}" for key, value in expected.items() if plan.get(key) != value
        ]
        yield (
            f"{_named(ranks, 'runs', 'run')} another schedule (fingerprint {other}) than {_ranks(majority)} "
            f"(fingerprint {counts}){': ' if fields else ''}{', '.join(fields)}; {_CONFIGURE}"
        )


def _sides(said: Mapping[int, Any]) -> list[tuple[Any, list[int]]]:
    """Each value with the ranks that say it, the majority's last; of equally many, the lowest rank's is."""
    sides: dict[Any, list[int]] = {}
    for rank, value in said.items():
        sides.setdefault(value, []).append(rank)
    majority = max(sides, key=lambda value: len(sides[value]))
    return [*((value, ranks) for value, ranks in sides.items() if value != majority), (majority, sides[majority])]


def _listed(sides: Sequence[tuple[Any, list[int]]], singular: str, plural: str) -> str:
    return ", ".join(f"{_named(ranks, singular, plural)} {value}" for value, ranks in sides)


def _named(ranks: Sequence[int], singular: str, plural: str) -> str:
    """``rank 2 has`` or ``ranks 0, 1 and 3 have``."""
    return f"{_ranks(ranks)} {singular if len(ranks) == 1 else plural}"


def _ranks(ranks: Sequence[int]) -> str:
    """``rank 2``, ``ranks 0, 1 and 3`` or ``ranks 0 to 6 and 8``; `ranks` ascend."""
    runs: list[list[int]] = []
    for rank in ranks:
        if runs and rank == runs[-1][-1] + 1:
            runs[-1].append(rank)
        else:
            runs.append([rank])
    parts = [part for run in runs for part in (map(str, run) if len(run) < 3 else [f"{run[0]} to {run[-1]}"])]
    listed = " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
    return f"rank{'s' if len(ranks) > 1 else ''} {listed}"
