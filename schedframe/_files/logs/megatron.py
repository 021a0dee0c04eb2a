"""Reads what Megatron-LM prints on standard output.

A line is ``iteration  100/ 1000 | consumed samples: 400 | ... | learning rate: 3.000000E-05 | global batch size: 4 |``,
behind whatever a launcher puts before it (``training_log`` of NVIDIA/Megatron-LM:megatron/training/training.py at
core_v0.19.2).
"""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import BinaryIO

from schedframe._files.logs.lines import blocks
from schedframe._files.logs.record import SPELLINGS, Progress, Record

_START = re.compile(rb"iteration +(\d{1,15})/ *\d+ \|")


def read(file: BinaryIO, wanted: Collection[str], progress: Progress, iteration: Sequence[str]) -> Iterator[Record]:
    """Yield the `wanted` numbers of every line that Megatron prints for an iteration.

    A number counts only with the bar behind it, so that a cut line has no cut number. Where the lines of two ranks are
    mixed, what follows the second start belongs to that.
    """
    labels = [
        (name, f" {spelling.replace('_', ' ')}: ".encode())
        for name in wanted
        for spelling in SPELLINGS.get(name, (name,))
    ]
    for block in blocks(file, progress):
        here = [(name, label, len(label)) for name, label in labels if label in block]
        parts = _START.split(block)[1:] if here else []
        for number, text in zip(parts[::2], parts[1::2], strict=True):
            end = text.find(b"\n")
            numbers: dict[str, str | float] = {}
            for name, label, length in here:
                at = text.find(label, 0, end)
                if at >= 0:
                    bar = text.find(b" |", at + length, end)
                    if bar > 0:
                        numbers[name] = text[at + length : bar].decode("ascii", "replace")
            if numbers:
                yield Record(int(number), numbers)


def recognises(name: str, start: bytes, iteration: Sequence[str]) -> bool:
    """Return whether a log can be of this format: any text can."""
    return True
