"""What a pickle does its work on: a stack, marks and a memo; and what stands for anything that is no data."""

from typing import Any

from schedframe._files.checkpoint.broken import Broken

DAMAGED = "holds a pickle that is cut short or damaged"
INSTEAD = "if you trust it, load it with torch, save the scheduler's state alone as JSON, and give that"
LONGEST_LINE = 1_000

_WIDEST_KEY = 1 << 60


class Inert:
    """Stands where a pickle names code, calls something, or holds what no scheduler state needs.

    Attributes:
        what: the dotted name that the pickle gives; a word for the type where it gives none.
        state: what the pickle would have handed to the object to build it; ``None`` where it did not.
    """

    __slots__ = ("state", "what")

    def __init__(self, what: str) -> None:
        """An object of which only `what` it is will be known."""
        self.what = what
        self.state: Any = None


class Stop(Exception):
    """The pickle's end."""

    def __init__(self, value: Any, end: int) -> None:
        """Keep the object that the pickle describes, and where the pickle ends."""
        super().__init__()
        self.value = value
        self.end = end


class Machine:
    """The state of a pickle that is being read.

    Attributes:
        data: the pickle.
        stack: the objects at work.
        marks: heights of the stack at which groups begin.
        memo: the memo's entries 0, 1, 2, …, as Python's picklers number them.
        strays: the memo's entries that are numbered otherwise.
        room: bytes of memory that new objects may still take.
    """

    __slots__ = ("data", "marks", "memo", "room", "stack", "strays")

    def __init__(self, data: bytes, room: int) -> None:
        """Start on `data` with nothing on the stack."""
        self.data = data
        self.room = room
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: list[Any] = []
        self.strays: dict[int, Any] = {}

    def take(self, start: int, size: int) -> bytes:
        """Return the `size` bytes at `start`, all of them."""
        taken = self.data[start : start + size]
        if size < 0 or len(taken) != size:
            raise Broken(DAMAGED)
        return taken

    def skip(self, start: int, size: int) -> int:
        """Return where the `size` bytes at `start` end."""
        if size < 0 or start + size > len(self.data):
            raise Broken(DAMAGED)
        return start + size

    def line(self, start: int, longest: int = LONGEST_LINE) -> tuple[bytes, int]:
        """Return the line at `start`, without its newline, and where the next begins."""
        end = self.data.index(b"\n", start, start + longest + 1)
        return self.data[start:end], end + 1

    def charge(self, size: int, held: int = 0) -> None:
        """Count `size` bytes as used, and refuse to go on where they and the `held` ones are more than there is."""
        self.room -= size
        if self.room < held:
            raise Broken(f"holds a pickle of more objects than schedframe keeps in memory; {INSTEAD}")

    def push(self, value: Any, size: int) -> None:
        """Put a new object of about `size` bytes on the stack."""
        self.room -= size
        self.stack.append(value)

    def since_mark(self) -> list[Any]:
        """Take what is on the stack above the last mark."""
        mark = self.marks.pop()
        values = self.stack[mark:]
        del self.stack[mark:]
        return values

    def put(self, index: int) -> None:
        """Remember the top of the stack as the memo's entry `index`."""
        if index == len(self.memo):
            self.memo.append(self.stack[-1])
        elif index < len(self.memo):
            self.memo[index] = self.stack[-1]
        else:
            self.room -= 200
            self.strays[index] = self.stack[-1]

    def get(self, index: int) -> None:
        """Put the memo's entry `index` on the stack."""
        self.stack.append(self.memo[index] if index < len(self.memo) else self.strays[index])

    def extend(self, values: list[Any]) -> None:
        """Append `values` to the list on top of the stack; what is inert stays as it is."""
        target = self.stack[-1]
        self.room -= 16 * len(values)
        if type(target) is list:
            target.extend(values)
        elif type(target) is not Inert:
            raise Broken(DAMAGED)

    def set_item(self, key: Any, value: Any) -> None:
        """Set one item of the dict on top of the stack; what is inert stays as it is."""
        target = self.stack[-1]
        self.room -= 130
        if type(target) is dict:
            target[key if type(key) is str else _key(key)] = value
        elif type(target) is not Inert:
            raise Broken(DAMAGED)

    def fill(self, keys: list[Any], values: list[Any]) -> None:
        """Set items of the dict on top of the stack; what is inert stays as it is."""
        target = self.stack[-1]
        self.charge(100 * len(keys))
        if type(target) is dict:
            safe = keys if set(map(type, keys)) == {str} else map(_key, keys)
            target.update(zip(safe, values, strict=True))
        elif type(target) is not Inert:
            raise Broken(DAMAGED)


def _key(value: Any) -> Any:
    """`value` as a key. What cannot be hashed, or to a hash that a file may choose freely, becomes inert."""
    kind = type(value)
    if kind in (str, bool, type(None), Inert) or (kind is int and -_WIDEST_KEY < value < _WIDEST_KEY):
        return value
    return Inert(kind.__name__)
