"""Reads a pickle as data: what it names becomes an `Inert` object. Nothing is imported or called.

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
        size: bytes to read from files. Each of them is at most one opcode, which takes constant time, and up to about
            120 bytes of memory.
    """

    size: int = 2 * LARGEST

    def count_bytes(self, size: int) -> None:
        """Count `size` bytes as read, and raise `Broken` if they are too many for a pickle, or with all before."""
        self.size -= size
        if size > LARGEST or self.size < 0:
            raise Broken(f"holds more than schedframe reads beside tensors, {LARGEST >> 20} MiB; {_INSTEAD}")


class Inert:
    """Stands where a pickle names code, calls something, or holds what a scheduler state does not need.

    Items that the pickle adds to it are dropped.

    Attributes:
        what: the dotted name that the pickle gives; a word for the type where it gives none.
        state: what the pickle would have handed to the object to build it; ``None`` where it did not.
    """

    __slots__ = ("state", "what")

    def __init__(self, what: str) -> None:
        """Create an object of which only the name is known."""
        self.what = what
        self.state: Any = None

    def append(self, *item: Any) -> None:
        """Drop an item."""

    add = __setitem__ = append


def load(file: BinaryIO) -> Any:
    """Return the object that the pickle at the position of `file` describes, and leave `file` behind the pickle.

    Lists, tuples, dicts, text, bytes, numbers, booleans and ``None`` are themselves, and an ``OrderedDict`` is a dict.
    A key that is neither text, a small integer, a boolean nor ``None`` is an `Inert` one.

    Args:
        file: a file in memory, because a pickle may ask for more bytes than there are.

    Raises:
        Broken: it is not a whole pickle, or uses what schedframe does not read.
    """
    try:
        return _Unpickler(file).load()
    except (pickle.UnpicklingError, AttributeError, LookupError, OverflowError, TypeError, ValueError, struct.error):
        raise Broken(_DAMAGED) from None


class _Unpickler(pickle._Unpickler):
    """Python's unpickler, without what imports, calls, or takes more memory or time than the file has bytes for.

    A method ``load_…`` executes one opcode. Inherited ones are safe because every object is one of those that the
    function `load` lists, so that none can be called.
    """

    append: Callable[[Any], None]
    pop_mark: Callable[[], list[Any]]

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file, encoding="utf-8", errors="surrogateescape")
        self._file = file
        self.read = file.read
        self.memo: dict[int, Any] = {}
        self.metastack: list[list[Any]] = []
        self.stack: list[Any] = []
        self.append = self.stack.append

    def load(self) -> Any:
        """Execute the opcodes up to the end of the pickle."""
        read = self.read
        while (opcode := read(1)) != pickle.STOP:
            _OPERATIONS[opcode](self)
        return self.stack.pop()

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
        (size,) = struct.unpack("<Q", self.read(8))
        if len(self.read(size)) != size:
            raise Broken(_DAMAGED)
        self.append(Inert("bytearray"))

    def load_next_buffer(self) -> None:
        raise Broken("holds a pickle whose buffers are elsewhere, which schedframe does not read")

    load_readonly_buffer = load_next_buffer

    def load_put(self) -> None:
        index = int(self.readline())
        if not 0 <= index < _LARGEST_INDEX:
            raise Broken(_DAMAGED)
        self.memo[index] = self.stack[-1]

    def _instantiate(self, klass: Any, args: Any) -> None:
        self.append(Inert(klass.what))

    def load_newobj(self) -> None:
        self.stack.pop()
        self.stack[-1] = Inert(self.stack[-1].what)

    def load_newobj_ex(self) -> None:
        self.stack.pop()
        self.load_newobj()

    def load_reduce(self) -> None:
        arguments = self.stack.pop()
        self.stack[-1] = _made(self.stack[-1].what, arguments)

    def load_build(self) -> None:
        state = self.stack.pop()
        if type(self.stack[-1]) is Inert:
            self.stack[-1].state = (self.stack[-1].state, state) if self.stack[-1].what == _DTYPE else state

    def load_setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self.stack[-1][_safe_key(key)] = value

    def load_setitems(self) -> None:
        items = self.pop_mark()
        target = self.stack[-1]
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[_safe_key(key)] = value

    def load_dict(self) -> None:
        items = self.pop_mark()
        self.append(dict(zip(map(_safe_key, items[::2]), items[1::2], strict=True)))

    def load_empty_set(self) -> None:
        self.append(Inert("set"))

    def load_frozenset(self) -> None:
        self.pop_mark()
        self.append(Inert("frozenset"))


_OPERATIONS: dict[bytes, Callable[[_Unpickler], None]] = {
    bytes([opcode]): getattr(_Unpickler, operation.__name__) for opcode, operation in pickle._Unpickler.dispatch.items()
}


_DTYPE = "numpy.dtype"
_LETTERS = dict(b1="?", f2="e", f4="f", f8="d", i1="b", i2="h", i4="i", i8="q", u1="B", u2="H", u4="I", u8="Q")  # noqa: C408
"""The letters of `struct` for those of numpy."""

_LONGEST_SCALAR = 8


def _made(name: str, arguments: Any) -> Any:
    """Return what calling `name` stands for: a number of numpy's is a number, and an empty ``OrderedDict`` a dict."""
    match name, arguments:
        case "collections.OrderedDict", ():
            return {}
        case "_codecs.encode", (str(text), *_) if len(text) <= _LONGEST_SCALAR:  # bytes, in a pickle of protocol 2
            return text.encode("latin-1", errors="replace")
        case (("numpy.core.multiarray.scalar" | "numpy._core.multiarray.scalar"), (Inert(), bytes())):
            number = _number(*arguments)
            if number is not None:
                return number
    made = Inert(name)
    if name == _DTYPE or _is_of_one_text(arguments):  # an enumeration's member is made of its value
        made.state = arguments
    return made


def _is_of_one_text(arguments: Any) -> bool:
    return isinstance(arguments, tuple) and len(arguments) == 1 and isinstance(arguments[0], str)


def _number(kind: Inert, content: bytes) -> float | None:
    """Return the number that numpy pickles as its `kind` and its `content`; ``None`` where it is another thing."""
    try:
        (letters, *_), (_, order, *_) = kind.state
        (number,) = struct.unpack(("=" if order == "|" else order) + _LETTERS[letters], content)
    except (TypeError, ValueError, LookupError, struct.error):
        return None
    return float(number) if letters[0] == "f" else int(number) if letters[0] in "iu" else bool(number)


def _safe_key(value: Any) -> Any:
    """Return `value`, or an `Inert` key for what cannot be hashed or hashes to a value that a file may choose."""
    kind = type(value)
    if kind in (str, bool, type(None), Inert) or (kind is int and -_WIDEST_KEY < value < _WIDEST_KEY):
        return value
    return Inert(kind.__name__)
