"""Proposes a schedule: the least steep of those of a family that are predicted to be as good as the best one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from schedframe._errors import ConfigError, ForesightError
from schedframe._schedule.schedule import Schedule
from schedframe.foresight._declared import Declared, declared
from schedframe.foresight._law import CLOSE, Difference, Law
from schedframe.foresight._optimum import lowest_loss
from schedframe.foresight._reasons import Reason, refuse
from schedframe.foresight._same_run import reasons_of_target
from schedframe.styles._flat_wsd import FLAT_WSD

SHARES = (0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Lengths of the cooldown, as shares of the decay."""

RULE_SHARE = 0.4
"""The rule of thumb: WSD with a linear cooldown of this share, to 0."""

_CURVES: Mapping[str, Any] = {
    "linear": "linear",
    "1-sqrt": "minus_sqrt",
    "power 1.5": {"style": "minus-power", "power": 1.5},
    "cosine": "cosine",
}
_LOWEST = {"0": 0.0, "10%": "10%"}
_WINDOW = 0.01


@dataclass(frozen=True, eq=False)
class Candidate:
    """A schedule of a family.

    Attributes:
        label: its shape, such as ``WSD, linear cooldown of 40% to 0``.
        changes: the config keys that make it of the given schedule; ``None`` takes a key away.
        schedule: the schedule.
        final: the predicted final loss.
        steepness: how much of its whole fall the learning rate falls within 1 % of the run at most.
        run: what the schedule declares.
    """

    label: str
    changes: Mapping[str, Any]
    schedule: Schedule
    final: float
    steepness: float
    run: Declared


@dataclass(frozen=True, eq=False)
class Proposal:
    """What is proposed, and what it was chosen from.

    Attributes:
        given: the schedule to improve.
        chosen: the least steep candidate of the plateau.
        plateau: all candidates that are too close to the best one to call, the best first.
        candidates: all of the family, the best first.
        rule: WSD with a linear cooldown of 40 % to 0.
        cosine: a cosine decay to 10 %.
        against_given: the chosen one minus the given one; ``None`` where that is not known.
        against_rule: the chosen one minus the rule of thumb.
        against_cosine: the chosen one minus cosine.
        lowest: below this loss nothing can be predicted, whatever curve falls from the peak.
    """

    given: Candidate | None
    chosen: Candidate
    plateau: tuple[Candidate, ...]
    candidates: tuple[Candidate, ...]
    rule: Candidate
    cosine: Candidate
    against_given: Difference | None
    against_rule: Difference
    against_cosine: Difference
    lowest: float


Family = Callable[[Schedule, float, Any], Mapping[str, Any]]
"""The keys of a candidate, by the given schedule, the share of the cooldown and its curve."""


def _wsd(schedule: Schedule, share: float, curve: Any) -> Mapping[str, Any]:
    return {"lr_decay_style": {"style": "WSD", "wsd_decay_steps": f"{share:.0%}", "lr_wsd_decay_style": curve}}


def _phases(schedule: Schedule, share: float, curve: Any) -> Mapping[str, Any]:
    stable = round((1 - share) * schedule.lr_decay_steps - schedule.lr_warmup_steps)
    phases = [{"style": "constant", "length": stable}, {"style": curve}]
    return {"lr_decay_style": {"style": "phases", "phases": phases}}


FAMILIES: Mapping[str, Family] = {"wsd": _wsd, "phases": _phases}
"""How candidates are declared, by name; their curves are the same."""


def propose(law: Law, schedule: Schedule, family: str = "wsd") -> Proposal:
    """Propose a schedule for the run of `schedule`: its length, peak, warmup, batch size and weight decay.

    The optimum of a law is where its errors are, so none is proposed: of all candidates that are predicted to be as
    good as the best one, and no worse than the rule of thumb, the least steep is chosen.

    Args:
        law: a fitted law.
        schedule: the run; what replaces its learning-rate style and its min LR is proposed.
        family: ``wsd`` or ``phases``: how candidates are declared.

    Raises:
        ForesightError: nothing can be predicted for a run like this one, with every reason.
        ValueError: there is no such family.
    """
    if family not in FAMILIES:
        raise ValueError(f"there is no family {family!r}; choose {' or '.join(FAMILIES)}")
    run = declared(schedule)
    refuse(_reasons(law, schedule, run))
    rule = _of_keys(
        law, schedule, "WSD, linear cooldown of 40% to 0", {**_wsd(schedule, RULE_SHARE, "linear"), "min_lr": 0.0}
    )
    cosine = _of_keys(law, schedule, "cosine to 10%", {"lr_decay_style": "cosine", "min_lr": "10%"})
    candidates = sorted(_candidates(law, schedule, family), key=lambda candidate: candidate.final)
    plateau = plateau_of(candidates)
    chosen = chosen_of(plateau, rule)
    given = None if list(reasons_of_target(run, law.runs)) else _candidate(law, schedule, run.name, {}, run)
    return Proposal(
        given=given,
        chosen=chosen,
        plateau=tuple(plateau),
        candidates=tuple(candidates),
        rule=rule,
        cosine=cosine,
        against_given=None if given is None else law.difference_of(law.end_of(chosen.run), law.end_of(given.run)),
        against_rule=law.difference_of(law.end_of(chosen.run), law.end_of(rule.run)),
        against_cosine=law.difference_of(law.end_of(chosen.run), law.end_of(cosine.run)),
        lowest=min(lowest_loss(law, run), candidates[0].final),
    )


def plateau_of(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates that are too close to the best one to call, in their order."""
    best = min(candidate.final for candidate in candidates)
    return [candidate for candidate in candidates if candidate.final <= best + CLOSE]


def chosen_of(plateau: Sequence[Candidate], rule: Candidate) -> Candidate:
    """Return the candidate of the `plateau` whose learning rate falls most gently; of equal ones, the best.

    None that is predicted to end above the `rule` of thumb is chosen.
    """
    usable = [candidate for candidate in plateau if candidate.final <= rule.final] or [rule]
    return min(usable, key=lambda candidate: (round(candidate.steepness, 6), candidate.final))


def _reasons(law: Law, schedule: Schedule, run: Declared) -> Iterator[Reason]:
    """Yield what stands in the way of every candidate: all but the shape of the given curve."""
    shapes = {"abrupt-step", "re-warmup"}
    yield from (reason for reason in reasons_of_target(run, law.runs) if reason.name not in shapes)
    if not schedule.origin.given:
        sentence = "it was derived by a program and has no keys of its own; declare it in a file or by Schedule(...)"
        yield Reason("no-keys", run.name, sentence)
    room = 1 - schedule.lr_warmup_steps / schedule.lr_decay_steps
    if room <= RULE_SHARE:
        yield Reason(
            "long-warmup",
            run.name,
            f"its warmup takes {1 - room:.0%} of the decay, and the cooldown of the rule of thumb {RULE_SHARE:.0%}",
        )


def _candidates(law: Law, schedule: Schedule, family: str) -> Iterator[Candidate]:
    room = 1 - schedule.lr_warmup_steps / schedule.lr_decay_steps
    for share in (share for share in SHARES if share < room):
        for name, curve in _CURVES.items():
            for spelled, lowest in _LOWEST.items():
                changes = {**FAMILIES[family](schedule, share, curve), "min_lr": lowest}
                yield _of_keys(law, schedule, f"WSD, {name} cooldown of {share:.0%} to {spelled}", changes)


def _of_keys(law: Law, schedule: Schedule, label: str, changes: Mapping[str, Any]) -> Candidate:
    given = schedule.origin.given
    whole = {**dict.fromkeys(key for key in FLAT_WSD if key in given), **changes}
    keys = {key: value for key, value in {**given, **whole}.items() if value is not None}
    try:
        made = Schedule(**keys)
    except ConfigError as error:
        fault = f"the schedule cannot be declared like this: {'; '.join(map(str, error.problems))}"
        raise ForesightError([Reason("no-candidate", label, fault)]) from None
    return _candidate(law, made, label, whole, declared(made, label))


def _candidate(law: Law, schedule: Schedule, label: str, changes: Mapping[str, Any], run: Declared) -> Candidate:
    refuse(reasons_of_target(run, law.runs))
    return Candidate(label, changes, schedule, law.loss_of(run.curve), steepness(run), run)


def steepness(run: Declared) -> float:
    """Return how much of its whole fall the learning rate falls within 1 % of the run at most."""
    window = _WINDOW * run.curve.length
    starts = np.linspace(run.curve.warmup, run.curve.length - window, 1000)
    fallen = run.curve.peak * (1 - run.trough)
    return float((run.curve.at(starts) - run.curve.at(starts + window)).max()) / fallen
