"""The global batch size over a run, and with it where each iteration lies among the samples.

Sizes that do not fit together raise a ``ValueError`` whose text is a sentence without its subject.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from math import ceil
from operator import itemgetter

from schedframe._units.numbers import Ratio, scaled

_MOST_INCREMENTS = 100_000


@dataclass(frozen=True)
class BatchSizes:
    """Stretches of iterations with one global batch size each.

    Attributes:
        stretches: for each its first iteration, its first sample and its batch size, in samples.
    """

    stretches: tuple[tuple[int, int, int], ...]

    def samples_at(self, iters: Ratio) -> Ratio:
        """Return how many samples are consumed after `iters` iterations, of which the last may be a part."""
        amount, parts = iters
        first_iter, first_sample, size = self._stretch(0, amount // parts)
        return first_sample * parts + (amount - first_iter * parts) * size, parts

    def iters_at(self, samples: Ratio) -> Ratio:
        """Return how many iterations consume `samples`, the last one in part."""
        amount, parts = samples
        first_iter, first_sample, size = self._stretch(1, amount // parts)
        return first_iter * parts * size + amount - first_sample * parts, parts * size

    def _stretch(self, column: int, position: int) -> tuple[int, int, int]:
        behind = bisect_right(self.stretches, position, key=itemgetter(column))
        return self.stretches[max(behind - 1, 0)]


def constant(size: int, divisor: int = 1) -> BatchSizes:
    """Return one batch size for the whole run.

    Args:
        size: the global batch size, in samples.
        divisor: micro-batch size times data-parallel size, where Megatron shall decrease the batch size to a
            multiple of it, which must leave a batch.
    """
    return _stretches(lambda consumed: size, (), divisor)


@lru_cache(maxsize=16)
def ramped(start: int, increment: int, samples: int, size: int, divisor: int = 1) -> BatchSizes:
    """Return Megatron's ramp-up: from `start` by `increment` to `size`, over the first `samples`.

    The batch size after c samples is ``start + int(c / (samples / increments)) * increment``, with
    ``increments = (size - start) / increment``, and `size` above `samples`
    (NVIDIA/Megatron-LM:megatron/core/num_microbatches_calculator.py at core_v0.16.1).

    Args:
        start: the first batch size, in samples.
        increment: what each step of the ramp adds, in samples.
        samples: length of the ramp.
        size: the batch size after it, in samples.
        divisor: as for `constant`.
    """
    if min(start, increment, samples) < 1:
        raise ValueError("must be three whole numbers above 0: start, increment, samples")
    if size <= start or (size - start) % increment:
        raise ValueError(f"must rise to global_batch_size ({size}) in whole increments of {increment}, from {start}")
    increments = (size - start) // increment
    if increments > _MOST_INCREMENTS:
        raise ValueError(f"has {increments} increments, but at most {_MOST_INCREMENTS} are allowed")
    samples_per_increment = samples / increments

    def size_at(consumed: int) -> int:
        return size if consumed > samples else start + int(consumed / samples_per_increment) * increment

    def first_with(steps: int) -> int:
        first = ceil(Fraction(samples_per_increment) * steps)
        while int((first - 1) / samples_per_increment) >= steps:
            first -= 1
        while int(first / samples_per_increment) < steps:
            first += 1
        return first

    return _stretches(size_at, [*map(first_with, range(1, increments + 1)), samples + 1], divisor)


@lru_cache(maxsize=16)
def stepped(schedule: str, seq_length: int) -> BatchSizes:
    """Return Megatron's step schedule ``"THRESHOLD:SIZE THRESHOLD:SIZE ..."``, thresholds in tokens.

    A size holds from the first batch on that starts at or after its threshold
    (NVIDIA/Megatron-LM:megatron/core/num_microbatches_calculator.py at core_v0.19.0).

    Args:
        schedule: the pairs, with ``K``, ``M``, ``B`` and ``T`` as suffixes.
        seq_length: tokens of a sample; a threshold is the whole number of samples below it.
    """
    pairs = [_pair(entry, seq_length) for entry in schedule.replace(",", " ").split()]
    if not pairs or pairs[0][0] != 0:
        raise ValueError("must begin with the threshold 0, such as '0:768 250B:1536'")
    if any(later <= earlier for (earlier, _), (later, _) in pairwise(pairs)):
        raise ValueError("must have thresholds that rise, by at least one sample")
    thresholds = [threshold for threshold, _ in pairs]

    def size_at(consumed: int) -> int:
        return pairs[bisect_right(thresholds, consumed) - 1][1]

    return _stretches(size_at, thresholds)


def _pair(entry: str, seq_length: int) -> tuple[int, int]:
    threshold, colon, size = entry.partition(":")
    try:
        samples, whole_size = int(scaled(threshold, "")) // seq_length, int(scaled(size, ""))
    except ValueError:
        colon = ""
    if not colon or whole_size < 1 or samples < 0:
        raise ValueError(f"has {entry!r}, which is not a THRESHOLD:SIZE such as 250B:1536")
    return samples, whole_size


def _stretches(size_at: Callable[[int], int], changes: Iterable[int], divisor: int = 1) -> BatchSizes:
    """Return the stretches of a size that changes only where `changes` samples are consumed."""
    stretches: list[tuple[int, int, int]] = []
    iteration = consumed = 0

    def running() -> int:
        size = size_at(consumed) // divisor * divisor
        if not size:
            raise ValueError(
                f"is {size_at(consumed)} after {consumed} samples, which is not a multiple of micro_batch_size * "
                f"data_parallel_size ({divisor}), and decreasing it to a multiple leaves 0"
            )
        return size

    for change in changes:
        if change > consumed:
            size = running()
            stretches.append((iteration, consumed, size))
            iterations = -(-(change - consumed) // size)
            iteration, consumed = iteration + iterations, consumed + iterations * size
    return BatchSizes((*stretches, (iteration, consumed, running())))
