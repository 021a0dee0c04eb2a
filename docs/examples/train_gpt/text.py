"""The data: the sources of Python's standard library, byte by byte. Every machine with Python has it."""

import sysconfig
from collections.abc import Iterable
from math import modf
from pathlib import Path

import torch

VOCABULARY = 256
"""A token is one byte."""

_GOLDEN = 0.6180339887498949


def read() -> torch.Tensor:
    """Return the bytes of the library's top-level modules, in the order of their names."""
    paths = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    return torch.frombuffer(bytearray(b"".join(path.read_bytes() for path in paths)), dtype=torch.uint8)


def samples(text: torch.Tensor, numbers: Iterable[int], length: int) -> torch.Tensor:
    """Return the samples with these `numbers`, one a row: `length` tokens and the one that follows.

    A number always means the same place in the text, whatever the batch size and the number of ranks.
    Multiples of the golden ratio spread the places evenly.
    """
    places = len(text) - length
    starts = torch.tensor([int(modf(number * _GOLDEN)[0] * places) for number in numbers])
    return text[starts[:, None] + torch.arange(length + 1)].long()
