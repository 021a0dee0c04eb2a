"""What the scheduler's steps are in iterations, samples, tokens and epochs of a run."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Annotated, Any, Literal, get_args

from pydantic import PlainValidator, WithJsonSchema

from schedframe._errors import did_you_mean
from schedframe._units import batches as _batches
from schedframe._units.batches import BatchSizes
from schedframe._units.numbers import JSON_COUNT, parse_count

Clock = Literal["samples", "iters", "tokens"]
"""What one step of the scheduler is."""

UNITS = ("iters", "samples", "tokens", "epochs")

KEYS = (
    "clock",
    "global_batch_size",
    "seq_length",
    "dataset_samples",
    "micro_batch_size",
    "data_parallel_size",
    "decrease_batch_size_if_needed",
    "rampup_batch_size",
    "step_batch_size_schedule",
)
"""Keys of a config that say how units are converted."""

RUN_KEYS = {"train_samples": "samples", "train_iters": "iters", "train_tokens": "tokens"}
"""Keys that say the length of the run, each in its unit."""


@dataclass(frozen=True)
class Units:
    """How positions on a run are converted. All are exact: `Fraction` in, `Fraction` out.

    Attributes:
        clock: what one step of the scheduler is.
        batch_sizes: the global batch size over the run; ``None`` where it is not known.
        seq_length: tokens of a sample; ``None`` where it is not known.
        dataset_samples: samples of an epoch; ``None`` where it is not known.
    """

    clock: Clock = "samples"
    batch_sizes: BatchSizes | None = None
    seq_length: int | None = None
    dataset_samples: int | None = None

    def steps_at(self, position: Fraction, unit: str) -> Fraction:
        """Return the scheduler's count at `position`, which is in `unit` from the start of the run.

        Raises:
            ValueError: a key that the conversion needs is missing.
        """
        return self.converted(position, unit, self.clock)

    def position_at(self, steps: Fraction, unit: str) -> Fraction:
        """Return the position in `unit` at the scheduler's count `steps`.

        Raises:
            ValueError: a key that the conversion needs is missing.
        """
        return self.converted(steps, self.clock, unit)

    def known(self) -> list[str]:
        """Return the units into which steps can be converted, the clock's own first."""
        units: list[str] = [self.clock]
        for unit in UNITS:
            try:
                self.position_at(Fraction(0), unit)
            except ValueError:
                continue
            if unit != self.clock:
                units.append(unit)
        return units

    def converted(self, position: Fraction, unit: str, into: str) -> Fraction:
        """Return `position`, which is in `unit` from the start of the run, in the unit `into`.

        Raises:
            ValueError: a key that the conversion needs is missing.
        """
        if unit == into:
            return position
        told = unit if into == self.clock else into
        samples: Fraction = position
        if unit == "iters":
            samples = self._need(self.batch_sizes, "global_batch_size", told).samples_at(position)
        elif unit == "tokens":
            samples = position / self._need(self.seq_length, "seq_length", told)
        elif unit == "epochs":
            samples = position * self._need(self.dataset_samples, "dataset_samples", told)
        found: Fraction = samples
        if into == "iters":
            found = self._need(self.batch_sizes, "global_batch_size", told).iters_at(samples)
        elif into == "tokens":
            found = samples * self._need(self.seq_length, "seq_length", told)
        elif into == "epochs":
            found = samples / self._need(self.dataset_samples, "dataset_samples", told)
        return found

    def _need(self, known: Any, key: str, told: str) -> Any:
        if known is None:
            raise ValueError(f"is in {told}, the clock counts {self.clock}, and {key} is missing or wrong")
        return known


def units_of(values: Mapping[str, Any]) -> Units:
    """Return the units of a config from the `values` of its keys, as far as they are known and fit together."""
    said = tuple(values.get(key) for key in KEYS)
    return _units(*said)


@lru_cache(maxsize=64)
def _units(clock: Clock | None, *said: Any) -> Units:
    values = dict(zip(KEYS[1:], said, strict=True))
    try:
        batch_sizes = batch_sizes_of(**{key: value for key, value in values.items() if key != "dataset_samples"})
    except ValueError:
        batch_sizes = None
    return Units(clock or "samples", batch_sizes, values["seq_length"], values["dataset_samples"])


def batch_sizes_of(
    *,
    global_batch_size: int | None = None,
    seq_length: int | None = None,
    micro_batch_size: int | None = None,
    data_parallel_size: int | None = None,
    decrease_batch_size_if_needed: bool | None = None,
    rampup_batch_size: tuple[int, int, int] | None = None,
    step_batch_size_schedule: str | None = None,
) -> BatchSizes | None:
    """Return the batch sizes that Megatron's arguments of these names mean; ``None`` where they say none.

    Raises:
        ValueError: they do not fit together.
    """
    divisor = 1
    if decrease_batch_size_if_needed:
        if micro_batch_size is None or data_parallel_size is None:
            return None
        divisor = micro_batch_size * data_parallel_size
    if step_batch_size_schedule is not None:
        return None if seq_length is None else _batches.stepped(step_batch_size_schedule, seq_length)
    if global_batch_size is None:
        return None
    if rampup_batch_size is not None:
        return _batches.ramped(*rampup_batch_size, global_batch_size, divisor)
    return _batches.constant(global_batch_size, divisor)


def parse_clock(value: Any, *, known: tuple[str, ...] = get_args(Clock)) -> Clock:
    """`value` as what one step of the scheduler is.

    Raises:
        ValueError: it is no clock, or none of those that are `known` here.
    """
    if value not in get_args(Clock):
        near = did_you_mean(str(value), get_args(Clock)) or ";"
        raise ValueError(f"is no clock{near} it is samples, iters or tokens")
    if value not in known:
        raise ValueError(
            f"cannot be the clock here: Megatron passes {' or '.join(known)} to step(). Say clock: samples, and "
            f"lengths in {value} with their unit"
        )
    clock: Clock = value
    return clock


def parse_ramp(value: Any) -> tuple[int, int, int]:
    """`value` as Megatron's ``--rampup-batch-size``: first batch size, increment, samples.

    Raises:
        ValueError: it is no list of three whole numbers above 0.
    """
    if not isinstance(value, list | tuple) or len(value) != 3:
        raise ValueError("must be a list of three: the first batch size, the increment, and the samples of the ramp")
    start, increment, samples = map(parse_count, value)
    return start, increment, samples


_RAMP_SCHEMA = {"type": "array", "items": JSON_COUNT, "minItems": 3, "maxItems": 3}

Ramp = Annotated[tuple[int, int, int], PlainValidator(parse_ramp), WithJsonSchema(_RAMP_SCHEMA)]
"""A ramp-up of the batch size: the first size, the increment, samples."""

AnyClock = Annotated[Clock, PlainValidator(parse_clock), WithJsonSchema({"enum": list(get_args(Clock))})]
"""A clock, by name."""
