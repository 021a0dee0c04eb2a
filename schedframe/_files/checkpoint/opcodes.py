"""What each opcode of a pickle does, but for the few that `schedframe._files.checkpoint.pickle` does itself.

The opcodes are those of Python's ``Lib/pickletools.py`` at 3.13, protocols 0 to 5, without those of out-of-band
buffers and ``bytearray``. Not one of them imports, calls or instantiates what the pickle names.
"""

import codecs
import struct
from collections.abc import Callable
from typing import Any

from schedframe._files.checkpoint.broken import Broken
from schedframe._files.checkpoint.machine import DAMAGED, LONGEST_LINE, Inert, Machine, Stop

LONGEST_TEXT = 65_536
"""Bytes of text that are kept; longer text becomes inert."""

_LONGEST_NUMBER = 400
_ORDERED = "collections.OrderedDict"
_UINT1, _UINT2, _UINT4, _UINT8, _INT4, _FLOAT8 = map(struct.Struct, ("<B", "<H", "<I", "<Q", "<i", ">d"))

Handler = Callable[[Machine, int], int]
"""Reads an opcode's argument at a position, does what the opcode says, and returns the position behind both."""


def _refuse(machine: Machine, position: int) -> int:
    raise Broken(f"holds a pickle with opcode {machine.data[position - 1]:#04x}, which schedframe does not read")


HANDLERS: list[Handler] = [_refuse] * 256
"""The function of each opcode."""


def _on(*opcodes: bytes) -> Callable[[Handler], Handler]:
    """Enter a function for `opcodes`."""

    def enter(handler: Handler) -> Handler:
        for opcode in opcodes:
            HANDLERS[opcode[0]] = handler
        return handler

    return enter


# The frame of a pickle, and the stack as such.


@_on(b"\x80")
def _proto(machine: Machine, position: int) -> int:
    if machine.data[position] > 5:
        raise Broken(f"holds a pickle of protocol {machine.data[position]}, and schedframe reads up to 5")
    return position + 1


@_on(b"\x95")
def _frame(machine: Machine, position: int) -> int:
    return machine.skip(position, 8)


@_on(b".")
def _stop(machine: Machine, position: int) -> int:
    raise Stop(machine.stack.pop(), position)


@_on(b"0")
def _pop(machine: Machine, position: int) -> int:
    machine.stack.pop()
    return position


@_on(b"1")
def _pop_mark(machine: Machine, position: int) -> int:
    machine.since_mark()
    return position


@_on(b"2")
def _dup(machine: Machine, position: int) -> int:
    machine.stack.append(machine.stack[-1])
    return position


@_on(b"q")
def _binput(machine: Machine, position: int) -> int:
    machine.put(machine.data[position])
    return position + 1


@_on(b"p")
def _put(machine: Machine, position: int) -> int:
    line, position = machine.line(position)
    machine.put(_index(line))
    return position


@_on(b"g")
def _get(machine: Machine, position: int) -> int:
    line, position = machine.line(position)
    machine.get(_index(line))
    return position


def _index(line: bytes) -> int:
    if not line.isdigit() or len(line) > _LONGEST_NUMBER:
        raise Broken(DAMAGED)
    return int(line)


# Constants and numbers.


def _constant(value: Any) -> Handler:
    def push(machine: Machine, position: int) -> int:
        machine.stack.append(value)
        return position

    return push


_on(b"N")(_constant(None))
_on(b"\x88")(_constant(True))
_on(b"\x89")(_constant(False))
_on(b")")(_constant(()))


def _binint(layout: struct.Struct) -> Handler:
    def read(machine: Machine, position: int) -> int:
        machine.push(layout.unpack_from(machine.data, position)[0], 32)
        return position + layout.size

    return read


_on(b"M")(_binint(_UINT2))
_on(b"J")(_binint(_INT4))


@_on(b"\x8a")
def _long1(machine: Machine, position: int) -> int:
    size = machine.data[position]
    machine.push(int.from_bytes(machine.take(position + 1, size), "little", signed=True), 32 + 2 * size)
    return position + 1 + size


@_on(b"\x8b")
def _long4(machine: Machine, position: int) -> int:
    size: int = _INT4.unpack_from(machine.data, position)[0]
    if size > _LONGEST_NUMBER:
        machine.push(Inert(f"integer of {size} bytes"), 200)
        return machine.skip(position + 4, size)
    machine.push(int.from_bytes(machine.take(position + 4, size), "little", signed=True), 32 + 2 * size)
    return position + 4 + size


@_on(b"I", b"L")
def _int(machine: Machine, position: int) -> int:
    line, position = machine.line(position)
    if len(line) > _LONGEST_NUMBER:
        machine.push(Inert(f"integer of {len(line)} digits"), 200)
    elif line in (b"00", b"01"):
        machine.push(line == b"01", 0)
    else:
        machine.push(int(line.removesuffix(b"L"), 0), 32 + len(line))
    return position


@_on(b"F")
def _float(machine: Machine, position: int) -> int:
    line, position = machine.line(position)
    machine.push(float(line), 32)
    return position


@_on(b"G")
def _binfloat(machine: Machine, position: int) -> int:
    machine.push(_FLOAT8.unpack_from(machine.data, position)[0], 32)
    return position + 8


# Text and bytes.


def _binunicode(length: struct.Struct) -> Handler:
    def read(machine: Machine, position: int) -> int:
        start = position + length.size
        size: int = length.unpack_from(machine.data, position)[0]
        if size > LONGEST_TEXT:
            machine.push(Inert(f"text of {size} bytes"), 200)
            return machine.skip(start, size)
        machine.charge(60 + 5 * size)
        machine.stack.append(_decoded(machine.take(start, size)))
        return start + size

    return read


_on(b"\x8c", b"U")(_binunicode(_UINT1))
_on(b"X")(_binunicode(_UINT4))
_on(b"T")(_binunicode(_INT4))
_on(b"\x8d")(_binunicode(_UINT8))


def _decoded(data: bytes) -> str | Inert:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return Inert("text that is no UTF-8")


@_on(b"S")
def _string(machine: Machine, position: int) -> int:
    line, position = machine.line(position, LONGEST_TEXT)
    if len(line) < 2 or line[:1] not in (b"'", b'"') or line[:1] != line[-1:]:
        raise Broken(DAMAGED)
    machine.charge(60 + 5 * len(line))
    machine.stack.append(_decoded(codecs.escape_decode(line[1:-1])[0]))
    return position


@_on(b"V")
def _unicode(machine: Machine, position: int) -> int:
    line, position = machine.line(position, LONGEST_TEXT)
    machine.charge(60 + 5 * len(line))
    machine.stack.append(line.decode("raw-unicode-escape"))
    return position


def _binbytes(length: struct.Struct) -> Handler:
    def read(machine: Machine, position: int) -> int:
        machine.push(Inert("bytes object"), 64)
        return machine.skip(position + length.size, length.unpack_from(machine.data, position)[0])

    return read


_on(b"C")(_binbytes(_UINT1))
_on(b"B")(_binbytes(_UINT4))
_on(b"\x8e")(_binbytes(_UINT8))


# Lists, tuples, dicts, sets.


@_on(b"]")
def _empty_list(machine: Machine, position: int) -> int:
    machine.push([], 72)
    return position


@_on(b"l")
def _list(machine: Machine, position: int) -> int:
    values = machine.since_mark()
    machine.push(values, 72 + 8 * len(values))
    return position


@_on(b"a")
def _append(machine: Machine, position: int) -> int:
    value = machine.stack.pop()
    machine.extend([value])
    return position


@_on(b"e", b"\x90")
def _appends(machine: Machine, position: int) -> int:
    machine.extend(machine.since_mark())
    return position


@_on(b"t")
def _tuple(machine: Machine, position: int) -> int:
    values = machine.since_mark()
    machine.room -= 64 + 8 * len(values)
    machine.stack.append(tuple(values))
    return position


def _short_tuple(length: int) -> Handler:
    def read(machine: Machine, position: int) -> int:
        values = tuple(machine.stack[-length:])
        if len(values) < length:
            raise Broken(DAMAGED)
        machine.room -= 64 + 8 * length
        machine.stack[-length:] = [values]
        return position

    return read


_on(b"\x85")(_short_tuple(1))
_on(b"\x86")(_short_tuple(2))
_on(b"\x87")(_short_tuple(3))


@_on(b"}")
def _empty_dict(machine: Machine, position: int) -> int:
    machine.push({}, 72)
    return position


@_on(b"d")
def _dict(machine: Machine, position: int) -> int:
    values = machine.since_mark()
    machine.push({}, 72)
    machine.fill(values[::2], values[1::2])
    return position


@_on(b"s")
def _setitem(machine: Machine, position: int) -> int:
    value, key = machine.stack.pop(), machine.stack.pop()
    machine.set_item(key, value)
    return position


@_on(b"u")
def _setitems(machine: Machine, position: int) -> int:
    values = machine.since_mark()
    machine.fill(values[::2], values[1::2])
    return position


@_on(b"\x8f")
def _empty_set(machine: Machine, position: int) -> int:
    machine.push(Inert("set"), 64)
    return position


@_on(b"\x91")
def _frozenset(machine: Machine, position: int) -> int:
    machine.since_mark()
    machine.push(Inert("frozenset"), 64)
    return position


# What would import, call or instantiate something.


def _name(machine: Machine, module: str, name: str) -> None:
    machine.push(Inert(f"{module}.{name}"), 250 + 5 * (len(module) + len(name)))


@_on(b"c")
def _global(machine: Machine, position: int) -> int:
    module, position = machine.line(position)
    name, position = machine.line(position)
    _name(machine, module.decode(), name.decode())
    return position


@_on(b"\x93")
def _stack_global(machine: Machine, position: int) -> int:
    name, module = machine.stack.pop(), machine.stack.pop()
    if type(name) is not str or type(module) is not str or len(name) + len(module) > LONGEST_LINE:
        raise Broken(DAMAGED)
    _name(machine, module, name)
    return position


def _extension(code: struct.Struct) -> Handler:
    def read(machine: Machine, position: int) -> int:
        machine.push(Inert(f"copyreg extension {code.unpack_from(machine.data, position)[0]}"), 200)
        return position + code.size

    return read


_on(b"\x82")(_extension(_UINT1))
_on(b"\x83")(_extension(_UINT2))
_on(b"\x84")(_extension(_INT4))


def _instance(machine: Machine, of: Any) -> None:
    machine.push(Inert(of.what if type(of) is Inert else "object"), 64)


@_on(b"R")
def _reduce(machine: Machine, position: int) -> int:
    arguments, function = machine.stack.pop(), machine.stack.pop()
    if arguments == () and type(function) is Inert and function.what == _ORDERED:
        machine.push({}, 72)
    else:
        _instance(machine, function)
    return position


@_on(b"\x81")
def _newobj(machine: Machine, position: int) -> int:
    machine.stack.pop()
    _instance(machine, machine.stack.pop())
    return position


@_on(b"\x92")
def _newobj_ex(machine: Machine, position: int) -> int:
    machine.stack.pop()
    return _newobj(machine, position)


@_on(b"o")
def _obj(machine: Machine, position: int) -> int:
    _instance(machine, machine.since_mark()[0])
    return position


@_on(b"i")
def _inst(machine: Machine, position: int) -> int:
    machine.since_mark()
    return _global(machine, position)


@_on(b"b")
def _build(machine: Machine, position: int) -> int:
    state = machine.stack.pop()
    target = machine.stack[-1]
    if type(target) is Inert:
        target.state = state
    return position


@_on(b"Q")
def _binpersid(machine: Machine, position: int) -> int:
    machine.stack.pop()
    machine.push(Inert("persistent object"), 64)
    return position


@_on(b"P")
def _persid(machine: Machine, position: int) -> int:
    _, position = machine.line(position)
    machine.push(Inert("persistent object"), 64)
    return position
