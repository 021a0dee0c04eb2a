"""A list of phases, each a style between the value at which the previous one ended and a target."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate
from math import fsum, isclose, ulp
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    ValidationError,
    ValidationInfo,
    model_serializer,
    model_validator,
)

from schedframe._problems import lines_of
from schedframe._units.json_schema import JSONSchema
from schedframe._units.lengths import Length, Scale, scale_in
from schedframe._units.numbers import NUMBER_TEXT, PERCENT_TEXT, json_number, parse_number, settled, share_of, whole
from schedframe.styles._base import Cooldown, LRPoint
from schedframe.styles._byname import AnyLRStyle

ENDS = ("min_lr", "end_wd")
"""The words for the value at the end of all phases: the group's min LR, or its end_wd."""

Boundaries = Literal["open", "closed"]
"""Which of two neighbours holds at the boundary between them: the next one, or the one before."""

_CLOSE = 1e-9
_MOST_KEPT = 64


def parse_target(value: Any) -> float | str:
    """Return `value` as a target: a word of `ENDS`, a percentage of the peak, or an absolute number."""
    if isinstance(value, str) and (value in ENDS or share_of(value) is not None):
        return value
    if value == "floor":
        raise ValueError("is not a target; did you mean 'min_lr'?")
    try:
        number = parse_number(value)
    except ValueError as error:
        raise ValueError(
            f"{error}; a target is a number, a percentage, or `min_lr` (of weight decay `end_wd`)"
        ) from None
    if number < 0:
        raise ValueError("must not be negative")
    return number


_TARGET = JSONSchema(json_number("a number, a percentage or min_lr", NUMBER_TEXT, PERCENT_TEXT, words=ENDS))

Target = Annotated[float | str, PlainValidator(parse_target), _TARGET]
"""The target of a phase: ``min_lr``, ``31.6%`` of max LR, or an absolute number; see `parse_target`."""


class Phase(BaseModel):
    """One phase.

    Attributes:
        length: in steps; ``None`` for the time that the other phases leave.
        style: the style of the phase, evaluated as on a separate run, from step 0 to `length`, between the value
            where it begins (its max LR) and its target (its min LR).
        to: the target; ``None`` is the value at the end of all phases.
        from_: the value where it begins, ``from`` in a config; by default that at which the previous phase ended, or
            max LR.
        jump: whether it begins at another value than the previous phase ended.
        name: the name in previews and reports; if it is empty, the number is shown.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, defer_build=True)

    length: Length | None = Field(None, description="Length in steps; by default the time that the other phases leave.")
    style: AnyLRStyle = Field(description="The style of the phase.")
    to: Target | None = Field(None, description="Target: `min_lr`, a percentage of max LR, or a number.")
    from_: Target | None = Field(
        None, alias="from", description="The value at which the phase begins; needs jump: true."
    )
    jump: bool = Field(
        False, strict=True, description="The phase begins at another value than the previous phase ended."
    )
    name: str = Field("", description="Name of the phase in previews and reports.")

    @model_validator(mode="after")
    def _check_jump(self) -> "Phase":
        if (self.from_ is not None) != self.jump:
            fault = "has `from` without jump: true" if self.from_ is not None else "has jump: true without `from`"
            raise ValueError(
                f"{fault}; a phase begins at the value at which the previous one ended, or jumps to the value of `from`"
            )
        if self.length == 0:
            raise ValueError("has no length; leave the phase out")
        if self.style.style == "constant" and self.to is not None:
            raise ValueError("is constant, and cannot have a target; use `from` with jump: true, or another style")
        return self

    @model_serializer(mode="wrap")
    def _as_written(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what is not set, and write ``from_``, which Python needs, as ``from``."""
        written = {key.rstrip("_"): value for key, value in dump(self).items()}
        return {key: value for key, value in written.items() if value not in (None, "") and value is not False}

    def value(self, step: float, length: float, start: float, goal: float) -> float:
        """Return the value at `step` of the phase, which goes from `start` to `goal` over `length` steps.

        At its first step it is exactly `start`, unless the style begins elsewhere, as a triangular one does.
        """
        value = self.style.lr(LRPoint(max(step, 0), 0, length, start, goal))
        return start if step <= 0 and isclose(value, start, rel_tol=_CLOSE) else value


def validated(value: Any, info: ValidationInfo) -> tuple[Phase, ...]:
    """Return the list `value` as phases; lengths are measured where each phase lies on the run.

    A `ValidationError` has what is wrong in each phase.
    """
    if not isinstance(value, list | tuple) or not value:
        raise ValueError("must be a list of phases")
    lengths = [_length_in(table) for table in value]
    without = [str(number) for number, length in enumerate(lengths, 1) if length is None]
    if len(without) > 1:
        raise ValueError(f"has phases {' and '.join(without)} without length, but only one phase may have none")
    scale = scale_in(info)
    phases, faults = [], []
    for index, (table, place) in enumerate(zip(value, _places(lengths, scale), strict=True)):
        if isinstance(table, dict) and place.length is not None:
            table = {**table, "length": place.length}
        begin = place.begin or 0
        context = {"scale": replace(scale, begin=begin, end=place.end, zero=begin)}
        try:
            phases.append(Phase.model_validate(table, context=context))
        except ValidationError as error:
            faults += lines_of(error, Phase, (index,))
    if faults:
        raise ValidationError.from_exception_data("phases", faults)
    return tuple(phases)


class _Place(NamedTuple):
    """Where a phase lies on the run, as far as that is known."""

    begin: float | None = None
    end: float | None = None
    length: float | None = None


def _places(lengths: Sequence[Any], scale: Scale) -> list[_Place]:
    """Return the place of each phase: up to the one without length from the start, behind it from the end."""
    places = [_Place()] * len(lengths)
    open_one = lengths.index(None) if None in lengths else len(lengths)
    begin: float | None = scale.begin
    for index in range(open_one):
        length = None if begin is None else _steps(replace(scale, begin=begin).steps, lengths[index])
        end = None if begin is None or length is None else begin + length
        places[index], begin = _Place(begin, end, length), end
    end = scale.end
    for index in reversed(range(open_one + 1, len(lengths))):
        length = None if end is None else _steps(replace(scale, end=end).steps_before_the_end, lengths[index])
        first = None if end is None or length is None else end - length
        places[index], end = _Place(first, end, length), first
    if open_one < len(lengths):
        places[open_one] = _Place(begin, end)
    return places


def _steps(convert: Callable[[Any], float], length: Any) -> float | None:
    """Return the length in steps; ``None`` where it is not a length, which the phase's validation reports."""
    try:
        return convert(length)
    except ValueError:
        return None


def _length_in(table: Any) -> Any:
    return table.get("length") if isinstance(table, dict) else getattr(table, "length", 0)


def _dumped(phases: tuple[Phase, ...], info: SerializationInfo) -> list[dict[str, Any]]:
    return [phase.model_dump(mode=info.mode) for phase in phases]


PHASES_MARK = "x-schedframe-phases"
"""Key of the schema of a list of phases."""

BOUNDARIES = "Whether the next phase, or the one before, holds at the boundary: open or closed."
"""The description of an option of the type `Boundaries`."""

_SCHEMA: dict[str, Any] = {"type": "array", "minItems": 1, "items": {"type": "object"}, PHASES_MARK: True}

AnyPhases = Annotated[tuple[Phase, ...], PlainValidator(validated), PlainSerializer(_dumped), JSONSchema(_SCHEMA)]
"""A list of phases, of which one may have no length."""


def without_word(of_the_other: str, phases: tuple[Phase, ...]) -> tuple[Phase, ...]:
    """Return `phases`, unless a target is the word for the end of the other quantity."""
    if any(of_the_other in (phase.to, phase.from_) for phase in phases):
        own, quantity = ("end_wd", "learning rates") if of_the_other == "min_lr" else ("min_lr", "weight decay")
        raise ValueError(f"`{of_the_other}` is a target of {quantity}; here the end is `{own}`")
    return phases


def _ends(total: float, lengths: Sequence[float | None]) -> tuple[float, ...]:
    """Return where phases of these `lengths` end, in steps from the start of the first; the last one at `total`."""
    known = [length for length in lengths if length is not None]
    together, whole_length = whole(fsum(known)), whole(total)
    rest = total - together
    if None not in lengths:
        if abs(rest) > max(min(_CLOSE * total, 1), len(known) * ulp(total)):
            raise ValueError(
                f"the phases have {together} steps together, and the decay has {whole_length} from the end of the "
                f"warmup on; remove the length of one of them"
            )
        return (*map(settled, accumulate(known[:-1])), total)
    if rest <= 0:
        raise ValueError(
            f"the phases have {together} steps, which leaves none of {whole_length} for the one without length"
        )
    middle = lengths.index(None)
    behind = [total - left for left in accumulate(reversed(known[middle:]), initial=0)]
    return (*map(settled, accumulate(known[:middle])), *map(settled, reversed(behind)))


class Bounds(NamedTuple):
    """Between which values phases lie.

    Attributes:
        start: where the first phase begins; percentages are of it.
        end: what no target, ``min_lr`` and ``end_wd`` stand for.
        lowest: no target may lie below it.
        highest: nor above it.
    """

    start: float
    end: float
    lowest: float
    highest: float


class _Leg(NamedTuple):
    """A phase between two bounds: where it begins, in steps from the start of the first, from and to which value."""

    phase: Phase
    begin: float
    end: float
    start: float
    goal: float

    def value(self, step: float) -> float:
        """Return the value at `step`, from the start of the first phase."""
        return self.phase.value(step - self.begin, self.end - self.begin, self.start, self.goal)


def _kept(values: dict[Any, Any], key: Any, make: Callable[[], Any]) -> Any:
    """Return the value of `key` in `values`, made where there is none; few are kept."""
    if key not in values:
        if len(values) >= _MOST_KEPT:
            values.clear()
        values[key] = make()
    return values[key]


class Course:
    """Evaluates a list of phases. How they lie is computed once for each length and each pair of bounds."""

    def __init__(self, phases: tuple[Phase, ...], boundaries: Boundaries) -> None:
        """Keep the `phases`, from the first on."""
        self._phases = phases
        self._number_at = bisect_right if boundaries == "open" else bisect_left
        self._ends: dict[float, tuple[float, ...]] = {}
        self._legs: dict[tuple[float, Bounds], list[_Leg]] = {}

    def ends(self, total: float) -> tuple[float, ...]:
        """Return where each phase ends when all have `total` steps, in steps from the start of the first.

        Raises:
            ValueError: they do not fill `total`.
        """
        found: tuple[float, ...] = _kept(
            self._ends, total, lambda: _ends(total, [phase.length for phase in self._phases])
        )
        return found

    def value_at(self, step: float, total: float, bounds: Bounds) -> float:
        """Return the value at `step`; past the end the last phase's style decides.

        Args:
            step: from the start of the first phase.
            total: length of all phases.
            bounds: between which they lie.

        Raises:
            ValueError: the phases do not fill `total`, or a target up to `step` lies outside of `bounds`.
        """
        ends = self.ends(total)
        number = min(self._number_at(ends, settled(step)), len(ends) - 1)
        legs: list[_Leg] = _kept(self._legs, (total, bounds), list)
        if len(legs) <= number:
            legs = self._legs[total, bounds] = [*legs, *self._next(legs, ends[: number + 1], bounds)]
        return legs[number].value(step)

    def starts(self, first: float, total: float) -> Iterator[tuple[str, float]]:
        """Yield the name of each phase, with the step at which it begins; of the first, where it has one."""
        if self._phases[0].name:
            yield self._phases[0].name, first
        for number, (phase, end) in enumerate(zip(self._phases[1:], self.ends(total), strict=False), 2):
            yield phase.name or f"phase {number}", first + end

    def jumps(self, first: float, total: float) -> Iterator[float]:
        """Yield the steps at which the value jumps by design; the phases begin at `first` and fill `total` steps."""
        begin = 0.0
        for phase, end in zip(self._phases, self.ends(total), strict=True):
            if phase.jump:
                yield first + begin
            yield from (first + begin + step for step in phase.style.jumps_at(0, end - begin))
            begin = end

    def last_cooldown(self, step: float, total: float) -> Cooldown | None:
        """Return the last phase that is not constant, or its style's cooldown; ``None`` if the phase has begun.

        Args:
            step: from the start of the first phase.
            total: length of all phases.
        """
        ends = self.ends(total)
        for phase, begin, end in reversed(list(zip(self._phases, (0.0, *ends), ends, strict=False))):
            if phase.style.style == "constant":
                continue
            to = None if phase.to in ENDS else phase.to
            own = phase.style.cooldown(step - begin, 0, end - begin)
            if own is None:
                return Cooldown(phase.style, to, phase.name) if step <= begin else None
            return Cooldown(own.style, to, phase.name) if own.to is None else None
        return None

    def _next(self, legs: list[_Leg], ends: Sequence[float], bounds: Bounds) -> Iterator[_Leg]:
        """Yield the legs after `legs`, up to the one at the last of `ends`."""
        last = legs[-1] if legs else None
        for index in range(len(legs), len(ends)):
            phase, end = self._phases[index], ends[index]
            begin, value = (0.0, bounds.start) if last is None else (last.end, last.value(last.end))
            start = value if phase.from_ is None else _resolved(phase.from_, bounds)
            last = _Leg(phase, begin, end, start, _resolved(phase.to, bounds))
            yield last


@lru_cache(maxsize=4096)
def _resolved(target: float | str | None, bounds: Bounds) -> float:
    if target is None or target in ENDS:
        return bounds.end
    share = share_of(target)
    value = float(target) if share is None else float(Fraction(repr(bounds.start)) * share)
    if not bounds.lowest <= value <= bounds.highest:
        subject = f"the target {target}" if share is None else f"the target {target} is {value}, which"
        raise ValueError(f"{subject} does not lie between {bounds.lowest} and {bounds.highest}")
    return value
