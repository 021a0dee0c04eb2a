"""Reads checkpoints in a process of its own, where memory and time are limited.

``python guarded.py MEMORY read FILE …`` reads each; ``python guarded.py MEMORY mutated FOLDER COUNT SEED`` reads COUNT
changed copies of every file of each checkpoint in FOLDER. Either prints how the readings ended, as JSON.
"""

import collections
import io
import json
import random
import shutil
import signal
import struct
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

SECONDS = 120
OPCODES = b"(.0123FGIJKLMNPQRSTUVX]abcdeghijlopqrstu})\x80\x81\x82\x85\x86\x87\x88\x8a\x8b\x8c\x8e\x8f\x92\x93\x94\x95"


def limit(memory: int) -> None:
    """Let this process use `memory` MiB more than it does now, and end it after `SECONDS`."""
    signal.alarm(SECONDS)
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (memory << 20),) * 2)
    except (ImportError, OSError):
        return


def ending(path: Path) -> str:
    """How reading `path` ends: ``read``, the text of a `StateError`, or any other exception."""
    from schedframe._errors import StateError
    from schedframe._files.checkpoint import read

    try:
        read(path)
    except StateError as error:
        return f"StateError: {error}"
    except BaseException as error:
        return f"WRONG: {error!r}"
    return "read"


def zipped(data: bytes) -> bytes:
    """A file of the layout of ``torch.save``, without a checksum, so that changed data is read."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("a/data.pkl", data)
    with zipfile.ZipFile(stream) as file:
        checksum = struct.pack("<L", file.getinfo("a/data.pkl").CRC)
    return stream.getvalue().replace(checksum, b"\0\0\0\0")


def changed(data: bytes, chance: random.Random) -> bytes:
    """`data` with some bytes replaced, deleted, inserted, copied or cut off."""
    new = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 4, 16))):
        start, length = chance.randrange(len(new) + 1), chance.choice((1, 1, 2, 4, 8, 100))
        kind = chance.randrange(7)
        if kind == 0:
            new[start : start + length] = chance.randbytes(length)
        elif kind == 1:
            del new[start : start + length]
        elif kind == 2:
            new[start:start] = chance.randbytes(length)
        elif kind == 3:
            other = chance.randrange(len(new) + 1)
            new[start:start] = new[other : other + length]
        elif kind == 4:
            new[start : start + length] = chance.choice((b"\xff", b"\0", b"\x7f")) * length
        else:
            new[start : start + 1] = bytes([chance.choice(OPCODES)])
    if chance.randrange(10) == 0:
        del new[chance.randrange(len(new) + 1) :]
    return bytes(new)


def _files(checkpoint: Path) -> list[Path]:
    return sorted(path for path in checkpoint.rglob("*") if path.is_file()) if checkpoint.is_dir() else [checkpoint]


def read_mutated(folder: Path, count: int, seed: int) -> Iterator[str]:
    """Read `count` changed copies of every file of each checkpoint in `folder`.

    A file ``*.pkl`` is read within an archive.
    """
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as scratch:
        for source in sorted(folder.iterdir()):
            copy = Path(scratch) / source.name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, copy)
            wrap = zipped if source.suffix == ".pkl" else bytes
            for path in _files(copy):
                whole = path.read_bytes()
                for _ in range(count):
                    path.write_bytes(wrap(changed(whole, chance)))
                    yield ending(copy)
                path.write_bytes(whole)


def main(memory: str, what: str, *arguments: str) -> None:
    """Do what is asked for, and print how it ended."""
    import schedframe._files.checkpoint

    assert schedframe._files.checkpoint
    limit(int(memory))
    if what == "read":
        print(json.dumps({name: ending(Path(name)) for name in arguments}))
    else:
        ends = read_mutated(Path(arguments[0]), int(arguments[1]), int(arguments[2]))
        print(
            json.dumps(collections.Counter(end if end.startswith("WRONG") else end.partition(":")[0] for end in ends))
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
