"""Reads a pickle as data. What a pickle names or calls becomes an `Inert` object: nothing is imported, nothing runs.

Work and memory are bounded by a `Budget`, because a pickle of a few bytes can ask for any amount of both.
"""

import struct
from dataclasses import dataclass
from typing import Any, NoReturn

from schedframe._files.checkpoint.broken import Broken
from schedframe._files.checkpoint.machine import DAMAGED, INSTEAD, Machine, Stop
from schedframe._files.checkpoint.opcodes import HANDLERS

LARGEST = 64 << 20
"""Bytes of a pickle that is read."""

_BATCH = 1_000
_uint4 = struct.Struct("<I").unpack_from


@dataclass
class Budget:
    """How much may still be done, over all the pickles of one checkpoint.

    Attributes:
        opcodes: number of opcodes; a tensor takes about 30, an entry of a distributed checkpoint about 110.
        room: bytes of memory, by an estimate that is rather too high.
        size: bytes to read from files.
    """

    opcodes: int = 2_000_000
    room: int = 128_000_000
    size: int = 2 * LARGEST

    def count_bytes(self, size: int) -> None:
        """Count `size` bytes as read.

        Raises:
            Broken: they are more than a pickle may have, or than may be read in all.
        """
        self.size -= size
        if size > LARGEST or self.size < 0:
            raise Broken(f"holds more than schedframe reads beside tensors, {LARGEST >> 20} MiB; {INSTEAD}")


def load(data: bytes, budget: Budget, start: int = 0) -> tuple[Any, int]:
    """Return the object that the pickle at `start` of `data` describes, and where the pickle ends.

    Lists, dicts, text, numbers, booleans and ``None`` are themselves. A tuple stays a tuple; an ``OrderedDict`` is a
    dict; a key that is neither text, a small integer, a boolean nor ``None`` is an `Inert` one.

    Raises:
        Broken: it is no whole pickle, uses what schedframe does not read, or exceeds the `budget`.
    """
    machine = Machine(data, budget.room)
    try:
        _run(machine, budget, start)
    except Stop as stop:
        budget.room = machine.room
        return stop.value, stop.end
    except (IndexError, KeyError, TypeError, ValueError, struct.error):
        raise Broken(DAMAGED) from None


def _run(machine: Machine, budget: Budget, position: int) -> NoReturn:
    """Do one opcode after the other, up to the one that raises `Stop`.

    The opcodes that make up most of a checkpoint are done here, for speed.
    """
    data, stack, marks, memo, handlers = machine.data, machine.stack, machine.marks, machine.memo, HANDLERS
    while True:
        budget.opcodes -= _BATCH
        if budget.opcodes < 0:
            raise Broken(f"holds more than schedframe reads of a pickle, {Budget.opcodes:,} opcodes; {INSTEAD}")
        machine.charge(0, held=12 * (len(stack) + len(memo)) + 40 * len(marks))
        for _ in range(_BATCH):
            opcode = data[position]
            position += 1
            if opcode == 0x72:  # LONG_BINPUT
                index = _uint4(data, position)[0]
                if index == len(memo):
                    memo.append(stack[-1])
                else:
                    machine.put(index)
                position += 4
            elif opcode == 0x68:  # BINGET
                index = data[position]
                stack.append(memo[index] if index < len(memo) else machine.strays[index])
                position += 1
            elif opcode == 0x94:  # MEMOIZE
                memo.append(stack[-1])
            elif opcode == 0x4B:  # BININT1
                stack.append(data[position])
                position += 1
            elif opcode == 0x28:  # MARK
                marks.append(len(stack))
            elif opcode == 0x6A:  # LONG_BINGET
                machine.get(_uint4(data, position)[0])
                position += 4
            else:
                position = handlers[opcode](machine, position)
