"""Checks that every rank runs the same schedule, from the same plugins, at the same position."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from schedframe._errors import RankMismatchError
from schedframe._plan.plan import NAMES, Plan, fingerprint, sources_of
from schedframe._plan.rule import key_of
from schedframe._plan.words import written
from schedframe._process import gathered
from schedframe._version import __version__
from schedframe.styles._base import Style

_INSTALL = "install the same versions on every rank"


def verify(plan: Plan, num_steps: float, group: Any = None) -> None:
    """Refuse ranks that do not run the same schedule from the same plugins; see `verify_ranks` of the scheduler.

    Raises:
        RankMismatchError: naming the ranks that differ from the majority, and how.
    """
    distributed = getattr(sys.modules.get("torch"), "distributed", None)
    if distributed is None or not distributed.is_available() or not distributed.is_initialized():
        return
    summaries = gathered((distributed.get_rank(), summary_of(plan, num_steps)), group)
    sentences = list(differences(dict(sorted(summaries))))
    if len(sentences) == 1:
        raise RankMismatchError(sentences[0])
    if sentences:
        listed = "\n".join(f"  {sentence}" for sentence in sentences)
        raise RankMismatchError(f"the ranks differ in {len(sentences)} ways:\n{listed}")


def summary_of(plan: Plan, num_steps: float) -> dict[str, Any]:
    """Return what ranks compare, in plain values; other versions read it, so keys may be added, never removed."""
    sources = {
        f"{path} {source.name!r}": source
        for path, source in sources_of(plan).items()
        if source.distribution != "schedframe"
    }
    values = {key_of(name): getattr(plan, name) for name in NAMES}
    return {
        "version": __version__,
        "sources": {style: source.identity for style, source in sources.items()},
        "files": {style: str(source) for style, source in sources.items() if source.sha256},
        "fingerprint": fingerprint(plan),
        "plan": {key: written(value) if isinstance(value, Style | tuple) else value for key, value in values.items()},
        "num_steps": num_steps,
    }


def differences(summaries: Mapping[int, Mapping[str, Any]]) -> Iterator[str]:
    """Yield a sentence for each way in which ranks differ; `summaries` are in the order of the ranks."""
    versions = _sides({rank: f"schedframe {summary['version']}" for rank, summary in summaries.items()})
    if len(versions) > 1:
        yield f"{_listed(versions, 'has', 'have')}; {_INSTALL}"
    for style in sorted({style for summary in summaries.values() for style in summary["sources"]}):
        with_style = {rank: summary for rank, summary in summaries.items() if style in summary["sources"]}
        sources = _sides({rank: summary["sources"][style] for rank, summary in with_style.items()})
        if len(sources) > 1:
            files = {rank: summary.get("files", {}).get(style) for rank, summary in with_style.items()}
            origins = [(files[ranks[0]] or source, ranks) for source, ranks in sources]
            remedy = (
                "give every rank the same file" if any(files.values()) else "install the same versions on every rank"
            )
            yield f"{style}: {_listed(origins, 'has', 'have')}; {remedy}"
    yield from _other_schedules(summaries)
    positions = _sides({rank: summary["num_steps"] for rank, summary in summaries.items()})
    if len(positions) > 1:
        yield f"{_listed(positions, 'is at num_steps', 'are at num_steps')}; load the same checkpoint on every rank"


def _other_schedules(summaries: Mapping[int, Mapping[str, Any]]) -> Iterator[str]:
    *others, (expected, majority) = _sides({rank: summary["fingerprint"] for rank, summary in summaries.items()})
    for other, ranks in others:
        plan, expected_plan = summaries[ranks[0]]["plan"], summaries[majority[0]]["plan"]
        changes = [(key, plan.get(key), value) for key, value in expected_plan.items() if plan.get(key) != value]
        fields = ", ".join(f"{key} {value} instead of {expected_value}" for key, value, expected_value in changes)
        yield (
            f"{_named(ranks, 'runs', 'run')} another schedule (fingerprint {other}) than {_ranks(majority)} "
            f"(fingerprint {expected}){': ' if fields else ''}{fields}; give every rank the same config"
        )


def _sides(values: Mapping[int, Any]) -> list[tuple[Any, list[int]]]:
    """Return each value with the ranks that have it, the majority's last; of equally many, the lowest rank's."""
    sides: dict[Any, list[int]] = {}
    for rank, value in values.items():
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
