"""Reads a pickle as data: what it names becomes an `Inert` object. Nothing is imported, called or filled.

The unpickler is the standard library's in Python. The one in C cannot be used: it allocates its memo by an index that
the file specifies, so that a file of 9 bytes makes it take 16 GiB.
"""

import pickle
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

from schedframe._files.checkpoint.broken import Broken

LARGEST = 64 << 20
"""Bytes of a pickle that is read."""

_DAMAGED = "holds a pickle that is cut short or damaged"
_INSTEAD = "if you trust it, load it with torch, save the scheduler's state alone as JSON, and give that"
_LONGEST_LINE = 65_536
_LARGEST_INDEX = 1 << 32
_WIDEST_KEY = 1 << 60


@dataclass
class Budget:
    """How much may still be read, over all the pickles of one checkpoint.

    Attributes:
        size: bytes to read from files.
        operations: opcodes to execute. One takes up to about 120 bytes of memory beside the text that the file holds,
            most take less, so that all of them stay below 1.2 GB; a tensor of ``torch.save`` needs about 30 of them,
            and an entry of a distributed checkpoint about 100.
    """

    size: int = 2 * LARGEST
    operations: int = 10_000_000

    def count_bytes(self, size: int) -> None:
        """Count `size` bytes as read.

        Raises:
            Broken: they are more than a pickle may have, or than may be read in all.
        """
        self.size -= size
        if size > LARGEST or self.size < 0:
            raise Broken(f"holds more than schedframe reads beside tensors, {LARGEST >> 20} MiB; {_INSTEAD}")


class Inert:
    """Stands where a pickle names code, calls something, or holds what a scheduler state does not need.

    Attributes:
        what: the dotted name that the pickle gives; a word for the type where it gives none.
        state: what the pickle would have handed to the object to build it; ``None`` where it did not.
    """

    __slots__ = ("state", "what")

    def __init__(self, what: str) -> None:
        """Create an object of which only the name is known."""
        self.what = what
        self.state: Any = None


def load(file: BinaryIO, budget: Budget) -> Any:
    """Return the object that the pickle at the position of `file` describes, and leave `file` behind the pickle.

    Lists, tuples, dicts, text, bytes, numbers, booleans and ``None`` are themselves, and an ``OrderedDict`` is a dict.
    A key that is neither text, a small integer, a boolean nor ``None`` is an `Inert` one.

    Args:
        file: a file in memory, because a pickle may ask for more bytes than there are.
        budget: how much may be read.

    Raises:
        Broken: it is not a whole pickle, uses what schedframe does not read, or exceeds the `budget`.
    """
    try:
        return _Unpickler(file, budget).load()
    except (pickle.UnpicklingError, LookupError, ValueError, OverflowError, struct.error):
        raise Broken(_DAMAGED) from None


class _Unpickler(pickle._Unpickler):
    """Python's unpickler, without what imports, calls, hashes or fills an object as the file likes.

    A method ``load_…`` executes one opcode.
    """

    append: Callable[[Any], None]
    load_global: Callable[[], None]
    pop_mark: Callable[[], list[Any]]

    def __init__(self, file: BinaryIO, budget: Budget) -> None:
        super().__init__(file, encoding="utf-8", errors="surrogateescape")
        self._file, self._budget = file, budget
        self.read = file.read
        self.memo: dict[int, Any] = {}
        self.metastack: list[list[Any]] = []
        self.stack: list[Any] = []
        self.append = self.stack.append

    def load(self) -> Any:
        """Execute the opcodes, and count them."""
        read, operations = self.read, _OPERATIONS
        for left in range(self._budget.operations, 0, -1):
            opcode = read(1)
            if opcode == pickle.STOP:
                self._budget.operations = left - 1
                return self.stack.pop()
            operations[opcode[0]](self)
        raise Broken(f"holds pickles of more operations than schedframe executes, {Budget.operations:,}; {_INSTEAD}")

    def readline(self) -> bytes:
        line = self._file.readline(_LONGEST_LINE)
        if not line.endswith(b"\n"):
            raise Broken(_DAMAGED)
        return line

    def find_class(self, module: str, name: str) -> Inert:
        return Inert(f"{module}.{name}")

    def persistent_load(self, pid: Any) -> Inert:
        return Inert("persistent object")

    def get_extension(self, code: int) -> None:
        self.append(Inert(f"copyreg extension {code}"))

    def load_frame(self) -> None:
        self.read(8)  # a hint for buffering

    def load_bytearray8(self) -> None:
        raise Broken("holds a pickle with a bytearray or with buffers, which schedframe does not read")

    load_next_buffer = load_readonly_buffer = load_bytearray8

    def load_put(self) -> None:
        index = int(self.readline())
        if not 0 <= index < _LARGEST_INDEX:
            raise Broken(_DAMAGED)
        self.memo[index] = self.stack[-1]

    def load_reduce(self) -> None:
        arguments, function = self.stack.pop(), self.stack.pop()
        made = _made_by(function)
        self.append({} if made.what == "collections.OrderedDict" and arguments == () else made)

    def load_newobj(self) -> None:
        self.stack.pop()
        self.append(_made_by(self.stack.pop()))

    def load_newobj_ex(self) -> None:
        self.stack.pop()
        self.load_newobj()

    def load_obj(self) -> None:
        function = self.pop_mark()[0]
        self.append(_made_by(function))

    def load_inst(self) -> None:
        self.pop_mark()
        self.load_global()

    def load_build(self) -> None:
        state = self.stack.pop()
        if type(self.stack[-1]) is Inert:
            self.stack[-1].state = state

    def load_append(self) -> None:
        self._extend([self.stack.pop()])

    def load_appends(self) -> None:
        self._extend(self.pop_mark())

    load_additems = load_appends

    def _extend(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is list:
            target.extend(items)
        elif type(target) is not Inert:
            raise Broken(_DAMAGED)

    def load_setitem(self) -> None:
        self._fill([self.stack.pop(-2), self.stack.pop()])

    def load_setitems(self) -> None:
        self._fill(self.pop_mark())

    def load_dict(self) -> None:
        items = self.pop_mark()
        self.append({})
        self._fill(items)

    def _fill(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is dict:
            target.update((_key(key), value) for key, value in zip(items[::2], items[1::2], strict=True))
        elif type(target) is not Inert:
            raise Broken(_DAMAGED)

    def load_empty_set(self) -> None:
        self.append(Inert("set"))

    def load_frozenset(self) -> None:
        self.pop_mark()
        self.append(Inert("frozenset"))


_OPERATIONS: dict[int, Callable[[_Unpickler], None]] = {
    opcode: getattr(_Unpickler, operation.__name__) for opcode, operation in pickle._Unpickler.dispatch.items()
}


def _made_by(function: Any) -> Inert:
    """The object that a call of `function` would have made."""
    if type(function) is not Inert:
        raise Broken(_DAMAGED)
    return Inert(function.what)


def _key(value: Any) -> Any:
    """`value` as a key. What cannot be hashed, or to a hash that a file may choose freely, becomes inert."""
    kind = type(value)
    if kind in (str, bool, type(None), Inert) or (kind is int and -_WIDEST_KEY < value < _WIDEST_KEY):
        return value
    return Inert(kind.__name__)
