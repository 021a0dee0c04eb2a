"""The good files of this repository, how they are changed, and what every changed one must do."""

import copy
import json
import os
import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import schedframe
from schedframe import SchedframeError
from schedframe._files.config.document import FORMATS, parse_text

ROOT = Path(__file__).parents[2]
SECONDS = 60
"""Far more than a case takes."""


def examples(few: int) -> range:
    """The seeds of a run: `few`, times what the environment variable ``SCHEDFRAME_FUZZ`` says."""
    return range(few * int(os.environ.get("SCHEDFRAME_FUZZ", "1")))


class Hang(BaseException):
    """A case that takes too long; nothing in schedframe catches it."""


@contextmanager
def in_time() -> Iterator[None]:
    """Raise `Hang` within the block after `SECONDS`."""

    def hang(*signal: object) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, hang)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@cache
def good_files() -> list[Path]:
    """Every config file of the repository that declares a schedule."""
    found = []
    for folder in ("docs", "plugins", "tests"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in FORMATS and path.stat().st_size < 20_000:
                try:
                    schedframe.load(path)
                except SchedframeError:
                    continue
                found.append(path)
    return found


@cache
def good_texts() -> list[str]:
    """Every config within the pages, and every one that a test of errors changes."""
    texts = []
    for page in (ROOT / "docs").rglob("*.md"):
        for block in page.read_text().split("```yaml\n")[1:]:
            texts.append(block.partition("```")[0])
    texts += (ROOT / "tests/schedule/bad_configs.txt").read_text().split("\n=== ")
    return [text.partition("--- says")[0] for text in texts]


@cache
def good_data() -> list[dict[str, Any]]:
    """What the good files and the blocks of the pages hold."""
    data = [parse_text(path, path.read_text()).data for path in good_files()]
    for text in good_texts():
        try:
            data.append(parse_text(Path("page.yaml"), text).data)
        except SchedframeError:
            continue
    return data


JUNK: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 0.5, 1e-320, 1e99, 1e300, 10**400, -0.0, float("inf"), float("nan"), 2**62, 2**63),
    *("", " ", "x", "10%", "110%", "-5%", "5% of run", "1e999", "1e-999", "500M", "0.1 iters", "3 epochs", "7B tokens"),
    *("open", "current", "cosine", "phases", "WSD", "constant", "min_lr", "\0", "\ud7ff", "ü", "9" * 500, "x" * 2000),
    *([], {}, [[]], [None], [1, 2], {"style": "cosine"}, {"style": "x"}, {"style": None}, {"": 1}, {"a": {"b": []}}),
    *(
        {"style": "phases", "phases": []},
        {"style": "WSD"},
        {"style": "multi-step", "milestones": [2]},
    ),
)


SYNTAX = (b"\n", b" ", b"[", b"{", b'"', b"9", b"-", b":", b"&a ", b"*a", b"!!x ", b"%", b"<<: ", b"\t")


def places(data: Any) -> list[tuple[Any, Any]]:
    """Every dict and list in `data`, with each of its keys or indices."""
    found = []
    for key in list(data) if isinstance(data, dict) else range(len(data)):
        found.append((data, key))
        if isinstance(data[key], dict | list):
            found += places(data[key])
    return found


def changed_data(data: Any, chance: random.Random) -> Any:
    """A copy of `data` with some values replaced, taken away, renamed, doubled, or taken from another file."""
    data = copy.deepcopy(data)
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        found = places(data)
        if not found:
            return data
        held, key = chance.choice(found)
        other = chance.choice(places(chance.choice(good_data())) or [([0], 0)])
        kind = chance.randrange(6)
        if kind < 2:
            held[key] = copy.deepcopy(chance.choice(JUNK))
        elif kind == 2:
            held[key] = copy.deepcopy(other[0][other[1]])
        elif kind == 3:
            del held[key]
        elif isinstance(held, list):
            held.insert(key, copy.deepcopy(held[key]))
        else:
            held[str(other[1]) if kind == 4 else f"{key}_"] = held[key]
    return data


def changed_bytes(content: bytes, chance: random.Random) -> bytes:
    """`content` with some bytes replaced, taken away, doubled, or cut off."""
    new = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        start, length = chance.randrange(len(new) + 1), chance.choice((1, 1, 2, 5, 40))
        kind = chance.randrange(5)
        if kind == 0:
            new[start : start + length] = chance.randbytes(length)
        elif kind == 1:
            del new[start : start + length]
        elif kind == 2:
            other = chance.randrange(len(new) + 1)
            new[start:start] = new[other : other + length]
        elif kind == 3:
            new[start:start] = chance.choice(
                (b"\n", b" ", b"[", b"{", b'"', b"9", b"-", b":", b"&a ", b"*a", b"!!x ", b"%")
            )
        else:
            del new[chance.randrange(len(new) + 1) :]
    return bytes(new)


def as_json(data: Any) -> str:
    """`data` as JSON, infinities and all."""
    return json.dumps(data)
