"""Reads TensorBoard's event files, without TensorBoard.

A file is a row of records: 8 bytes length, 4 bytes checksum, the event, 4 bytes checksum (tensorflow/tensorflow:
tensorflow/core/lib/io/record_writer.cc). An event is a protocol buffer with a step and tagged values
(tensorflow/tensorboard:tensorboard/compat/proto/event.proto, summary.proto, tensor.proto).
"""

import struct
from collections.abc import Collection, Iterator, Sequence
from typing import BinaryIO

from schedframe._files.logs.record import BrokenLog, Progress, Record, name_of, whole_number

_LARGEST = 64 << 20
_LARGEST_SCALAR = 64 << 10
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_STEP, _SUMMARY, _VALUE, _TAG, _SIMPLE, _TENSOR = 2, 5, 1, 1, 2, 8
_CONTENT, _FLOATS, _DOUBLES, _DTYPE = 4, 5, 6, 1
_DOUBLE = 2
"""The number of the type of 64-bit floats among those of a tensor."""


def read(file: BinaryIO, wanted: Collection[str], progress: Progress, iteration: Sequence[str]) -> Iterator[Record]:
    """Yield the `wanted` scalars of every event; a record that is still being written ends the file.

    Raises:
        BrokenLog: a record is damaged.
    """
    for event in _events(file, progress):
        try:
            fields = list(_fields(event))
            numbers = {
                name: value
                for number, summary in fields
                if number == _SUMMARY and isinstance(summary, bytes)
                for name, value in _scalars(summary, wanted)
            }
        except (IndexError, struct.error, ValueError):
            raise BrokenLog("has a damaged event") from None
        step = next((value for number, value in fields if number == _STEP), 0)
        at = whole_number(step)
        if numbers and at is not None:
            yield Record(at, numbers)


def _events(file: BinaryIO, progress: Progress) -> Iterator[bytes]:
    while len(head := file.read(12)) == 12:
        (length,) = struct.unpack("<Q", head[:8])
        if length > _LARGEST:
            raise BrokenLog(f"is damaged: a record has {length} bytes")
        event = file.read(length + 4)
        progress(12 + len(event))
        if len(event) < length + 4:
            return
        if length <= _LARGEST_SCALAR:
            yield event[:length]


def _scalars(summary: bytes, wanted: Collection[str]) -> Iterator[tuple[str, float]]:
    for _, value in (field for field in _fields(summary) if field[0] == _VALUE):
        if not isinstance(value, bytes):
            continue
        parts = dict(_fields(value))
        tag, simple, tensor = parts.get(_TAG), parts.get(_SIMPLE), parts.get(_TENSOR)
        name = name_of(tag.decode("utf-8", "replace")) if isinstance(tag, bytes) else ""
        if name in wanted:
            if isinstance(simple, bytes):
                yield name, struct.unpack("<f", simple)[0]
            elif isinstance(tensor, bytes):
                yield from ((name, number) for number in _of_tensor(tensor))


def _of_tensor(tensor: bytes) -> tuple[float, ...]:
    """Return the one number of a tensor without dimensions."""
    parts = dict(_fields(tensor))
    packed = parts.get(_CONTENT, parts.get(_FLOATS, parts.get(_DOUBLES)))
    is_double = parts.get(_DTYPE) == _DOUBLE
    if not isinstance(packed, bytes) or len(packed) != (8 if is_double else 4):
        return ()
    return struct.unpack("<d" if is_double else "<f", packed)


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the number and the value of each field of a protocol buffer."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        if kind == _BYTES:
            length, at = _varint(message, at)
        elif kind in (_FIXED64, _FIXED32):
            length = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(kind)
        if at + length > len(message):
            raise IndexError(length)
        yield key >> 3, message[at : at + length]
        at += length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def recognises(name: str, start: bytes, iteration: Sequence[str]) -> bool:
    """Return whether a log is an event file, by its name or its first event."""
    return "tfevents" in name or b"brain.Event:" in start[:64]
