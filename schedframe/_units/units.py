"""What the scheduler's steps are in iterations, samples, tokens and epochs of a run.

What cannot be read or converted raises a ``ValueError`` whose text is a sentence without its subject.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, NamedTuple, get_args

from schedframe._errors import did_you_mean
from schedframe._units import batches as _batches
from schedframe._units.batches import BatchSizes
from schedframe._units.numbers import Ratio, parse_count, quotient, ratio_of

Clock = Literal["samples", "iters", "tokens"]
"""What one step of the scheduler is."""


class Unit(NamedTuple):
    """A unit of a position on a run.

    Attributes:
        name: ``iters``.
        pattern: its spellings, as a regular expression in lower case.
        needs: the attribute of `Units` that the conversion uses; empty for samples.
        key: the config key that is missing where that attribute is ``None``.
        to_samples: what is needed and a position in this unit, to the position in samples.
        from_samples: what is needed and a position in samples, to the position in this unit.
    """

    name: str
    pattern: str
    needs: str
    key: str
    to_samples: Callable[[Any, Ratio], Ratio]
    from_samples: Callable[[Any, Ratio], Ratio]


def _times(size: int, position: Ratio) -> Ratio:
    return position[0] * size, position[1]


def _divided(size: int, position: Ratio) -> Ratio:
    return position[0], position[1] * size


_ROWS = (
    Unit("iters", "iter(?:s|ations?)?", "batch_sizes", "global_batch_size", BatchSizes.samples_at, BatchSizes.iters_at),
    Unit("samples", "samples?", "", "", lambda _, position: position, lambda _, samples: samples),
    Unit("tokens", "tokens?", "seq_length", "seq_length", _divided, _times),
    Unit("epochs", "epochs?", "dataset_samples", "dataset_samples", _times, _divided),
)
UNITS = {unit.name: unit for unit in _ROWS}
"""Every unit, by name."""

RUN_KEYS = {"train_samples": "samples", "train_iters": "iters", "train_tokens": "tokens"}
"""The config keys for the length of the run, each with its unit."""


@dataclass(frozen=True)
class Units:
    """Converts positions on a run, exactly.

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

    def known(self) -> list[str]:
        """Return the units into which steps can be converted, the clock's own first."""
        if self._is_missing(self.clock):
            return [self.clock]
        return [self.clock, *(unit for unit in UNITS if unit != self.clock and not self._is_missing(unit))]

    def _is_missing(self, unit: str) -> bool:
        needs = UNITS[unit].needs
        return bool(needs) and getattr(self, needs) is None

    def converted(self, position: Fraction, unit: str, into: str) -> Fraction:
        """Return `position`, which is in `unit` from the start of the run, in the unit `into`."""
        return Fraction(*self._conversion(unit, into)(position.as_integer_ratio()))

    def converter(self, unit: str, into: str) -> Callable[[float], float]:
        """Return what converts positions as `converted` does, for many of them; a result is rounded once."""
        convert = self._conversion(unit, into)
        return lambda position: quotient(convert(ratio_of(position)))

    def _conversion(self, unit: str, into: str) -> Callable[[Ratio], Ratio]:
        if unit == into:
            return lambda position: position
        other = unit if into == self.clock else into
        for name in (unit, into):
            if self._is_missing(name):
                key = UNITS[name].key
                remedy = f"; add it, or write `clock: {other}`" if other in get_args(Clock) else ""
                raise ValueError(f"is in {other}, the clock counts {self.clock}, and {key} is missing or wrong{remedy}")
        source, target = UNITS[unit], UNITS[into]
        to_samples, from_samples = source.to_samples, target.from_samples
        given, wanted = getattr(self, source.needs, None), getattr(self, target.needs, None)
        return lambda position: from_samples(wanted, to_samples(given, position))


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
    """Return the batch sizes that Megatron's arguments of these names mean; ``None`` where none is given."""
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
    """Return `value` as what one step of the scheduler is, one of those that are `known` here."""
    if value not in get_args(Clock):
        near = did_you_mean(str(value), get_args(Clock)) or ";"
        raise ValueError(f"is not a clock{near} the clocks are samples, iters and tokens")
    if value not in known:
        raise ValueError(
            f"cannot be the clock here: Megatron passes {' or '.join(known)} to step(). Use clock: samples, and "
            f"lengths in {value} with their unit"
        )
    clock: Clock = value
    return clock


def parse_ramp(value: Any) -> tuple[int, int, int]:
    """Return `value` as Megatron's ``--rampup-batch-size``: first batch size, increment, samples."""
    if not isinstance(value, list | tuple) or len(value) != 3:
        raise ValueError("must be a list of three: the first batch size, the increment, and the samples of the ramp")
    start, increment, samples = map(parse_count, value)
    return start, increment, samples
