"""Files made to run code, to exhaust memory or to take for ever; and thousands of files that chance has changed."""

import builtins
import io
import json
import os
import pickle
import shutil
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from schedframe._errors import StateError
from schedframe._files.checkpoint import read

GUARDED = Path(__file__).parent / "guarded.py"


def guarded(*arguments: object) -> dict:
    """What `guarded.py` prints; it fails where memory or time ran out."""
    command = [sys.executable, str(GUARDED), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def texts() -> bytes:
    text = ("\U0001f600" + "a" * 64_996).encode()
    return (b"X" + struct.pack("<I", len(text)) + text) * 900


def stray_memo() -> bytes:
    return b"N" + b"".join(b"r" + struct.pack("<I", (1 << 32) - 1 - index) for index in range(500_000))


def colliding_keys() -> bytes:
    keys = (((1 << 61) - 1) * (index + 1) for index in range(100_000))
    return b"}(" + b"".join(b"\x8a\x0a" + key.to_bytes(10, "little") + b"N" for key in keys) + b"u."


def shared(value: object, width: int, levels: int) -> object:
    """A value that refers to `value` `width` to the power of `levels` times."""
    for _ in range(levels):
        value = [value] * width
    return value


def called_with(arguments: int, times: int) -> bytes:
    """Calls a name `times` times with a tuple of `arguments`."""
    return b"cx\ny\nq\0(" + b"N" * arguments + b"tq\1" + b"h\0h\1R0h\0h\1\x810" * (times // 2) + b"N."


def puts_of_one_hash() -> bytes:
    return b"N" + b"".join(b"p%d\n" % (((1 << 61) - 1) * (index + 1)) for index in range(100_000)) + b"."


def tuples_of_tuples(end: bytes) -> bytes:
    """A tuple of itself twice, 100 levels deep: its hash takes 2 to the power of 100 steps."""
    return b"}(" + b"N" + b"2\x86" * 100 + end


def nested_tuples(end: bytes) -> bytes:
    """A tuple of so many levels that computing its hash would overflow the stack of C."""
    return b"}(" + b"N" + b"\x85" * 1_000_000 + end


STATE = {"num_steps": 1, "max_lr": 1.0}
PICKLES: dict[str, Callable[[], bytes]] = {
    "a memo entry far away": lambda: b"Nr\xff\xff\xff\x7f.",
    "the last memo entry": lambda: b"Nr\xff\xff\xff\xff.",
    "text of 2^40": lambda: b"\x8d" + struct.pack("<Q", 1 << 40) + b".",
    "frame of 2^62": lambda: b"\x95" + struct.pack("<Q", 1 << 62) + b"N.",
    "a million nested lists": lambda: b"]" * 1_000_000 + b"a" * 999_999 + b".",
    "a million nested states": lambda: b"cx\ny\nq\1" + b"h\1)\x81" * 1_000_000 + b"b" * 1_000_000 + b".",
    "calls with many arguments": lambda: called_with(1_000_000, 200_000),
    "a memo of one hash": puts_of_one_hash,
    "a key of shared tuples": lambda: tuples_of_tuples(b"Nu."),
    "a set of shared tuples": lambda: b"\x8f" + tuples_of_tuples(b"\x90."),
    "a frozenset of shared tuples": lambda: tuples_of_tuples(b"\x91."),
    "a dict of shared tuples": lambda: tuples_of_tuples(b"Nd."),
    "a key of nested tuples": lambda: nested_tuples(b"Nu."),
    "a frozenset of nested tuples": lambda: nested_tuples(b"\x91."),
    "text of 4 GiB": lambda: b"X\xff\xff\xff\xff.",
    "bytes of 2^63": lambda: b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",
    "bytearray of 2^63": lambda: b"\x96\xff\xff\xff\xff\xff\xff\xff\x7f.",
    "frame of 2^63": lambda: b"\x95\xff\xff\xff\xff\xff\xff\xff\x7fN.",
    "integer of 2 GiB": lambda: b"\x8b\xff\xff\xff\x7f.",
    "integer of -1 bytes": lambda: b"\x8b\xff\xff\xff\xff.",
    "integer of a million digits": lambda: b"L" + b"9" * 1_000_000 + b"L\n.",
    "integers of 399 digits": lambda: (b"I" + b"9" * 399 + b"\n") * 30_000,
    "copies": lambda: b"N" + b"2" * 5_000_000,
    "dicts with an item": lambda: b"}K\x01K\x02s" * 900_000,
    "dicts in the memo": lambda: b"}\x94" * 2_500_000,
    "nested lists": lambda: b"]" * 200_000 + b"a" * 199_999 + b".",
    "nested tuples": lambda: b"N" + b"\x85" * 200_000 + b".",
    "nested dicts": lambda: b"}K\x01" * 100_000 + b"N" + b"s" * 100_000 + b".",
    "nested objects": lambda: b"cx\ny\nq\1" + b"h\1)\x81" * 200_000 + b"b" * 200_000 + b".",
    "a nested state": lambda: b"}X\x09\0\0\0num_stepsK\1sX\x06\0\0\0max_lr" + b"]" * 99_999 + b"a" * 99_998 + b"s.",
    "texts of wide characters": texts,
    "a memo without order": stray_memo,
    "keys of one hash": colliding_keys,
    "a billion laughs": lambda: pickle.dumps({"scheduler": {**STATE, "more": shared("ha", 10, 30)}}, 2),
    "a search of long lists": lambda: pickle.dumps({"more": [[[0] * 1_000_000] * 1_000] * 1_000}, 2),
    "a wide search": lambda: pickle.dumps({"more": shared({}, 1000, 3)}, 2),
    "a wide optimizer": lambda: pickle.dumps({"scheduler": STATE, "optimizer": shared({"state": {}}, 100, 4)}, 2),
}


def directory(entry: bytes, count: int) -> bytes:
    """A zip archive whose directory is `entry` so many times."""
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0, 0, len(entry) * count, 4, 0)
    return b"PK\x03\x04" + entry * count + end


def entry(name: bytes, extra: bytes) -> bytes:
    numbers = (*(0,) * 9, len(name), len(extra), *(0,) * 5)
    return struct.pack("<4s6H3L5H2L", b"PK\x01\x02", *numbers) + name + extra


def bomb(method: int) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method, compresslevel=1) as file:
        file.writestr("a/data.pkl", b"(" * (40 << 20))
    return stream.getvalue()


def bomb_that_lies() -> bytes:
    """A zip bomb whose directory says that its content is short, and has no checksum."""
    data = bomb(zipfile.ZIP_DEFLATED)
    end = data.index(b"PK\x01\x02")
    return data[:end] + data[end : end + 16] + b"\0" * 4 + data[end + 20 : end + 24] + b"\x10\0\0\0" + data[end + 28 :]


FILES: dict[str, Callable[[], bytes]] = {
    "a nine-byte memo": lambda: b"\x80\x04Nr\xff\xff\xff\x7f.",
    "a zip bomb": lambda: bomb(zipfile.ZIP_DEFLATED),
    "a zip bomb of bzip2": lambda: bomb(zipfile.ZIP_BZIP2),
    "a zip bomb that lies": bomb_that_lies,
    "a directory beyond all bounds": lambda: directory(entry(b"a/data.pkl", b""), 700_000),
    "a directory of many entries": lambda: directory(entry(b"", b""), 250_000),
    "a directory of long entries": lambda: directory(entry(b"a/data.pkx", struct.pack("<2H", 7, 0) * 16_000), 130),
    "an entry of many extra fields": lambda: directory(entry(b"a/data.pkl", struct.pack("<2H", 1, 0) * 16_000), 1),
    "JSON of empty objects": lambda: b"[" + b"{}," * 1_300_000 + b"{}]",
    "JSON of levels": lambda: b"[" * 4_000_000,
    "JSON of one integer": lambda: b'{"num_steps": ' + b"9" * 4_000_000 + b"}",
}


HEAVY = {
    "a million nested lists",
    "a million nested states",
    "a key of nested tuples",
    "a frozenset of nested tuples",
    "copies",
    "dicts with an item",
    "dicts in the memo",
    "texts of wide characters",
    "a zip bomb",
    "a directory of many entries",
    "a directory of long entries",
    "JSON of empty objects",
}
"""Files that take memory in proportion to their size."""


@pytest.mark.parametrize("memory", [110, 1000])
def test_no_file_exhausts_memory_or_time(memory, tmp_path):
    names = []
    for name, content in {**PICKLES, **FILES}.items():
        if (name in HEAVY) != (memory == 1000):
            continue
        path = tmp_path / name
        if name in PICKLES:
            with zipfile.ZipFile(path, "w") as file:
                file.writestr("a/data.pkl", b"\x80\x02" + content())
        else:
            path.write_bytes(content())
        names.append(path)
    endings = guarded(memory, "read", *names)
    assert {name: end for name, end in endings.items() if not end.startswith(f"StateError: {name}: ")} == {
        str(path): "read" for path in names if path.name == "a wide optimizer"
    }


def checkpoints(folder: Path, archive, state: dict, groups: list) -> None:
    """Write one checkpoint of every kind that this machine can write."""
    tree = {
        "iteration": 10,
        "model": {"weight": complex(1, 2)},
        "optimizer": [{"optimizer": {"state": {0: {"step": 1}}, "param_groups": groups}}],
        "opt_param_scheduler": state,
    }
    folder.mkdir()
    for protocol in range(6):
        (folder / f"protocol{protocol}.pkl").write_bytes(pickle.dumps(tree, protocol))
    (folder / "state.json").write_text(json.dumps({"opt_param_scheduler": state, "iteration": 10}))
    root = archive(tree, folder / "root" / "iter_0000010" / "mp_rank_00" / "model_optim_rng.pt").parents[2]
    (root / "latest_checkpointed_iteration.txt").write_text("10")
    try:
        import torch
        import torch.distributed.checkpoint as dcp
    except ImportError:
        return
    tree["model"] = {"weight": torch.zeros(3, 2), "scale": torch.tensor(1.0)}
    torch.save(tree, folder / "model.pt")
    torch.save(tree, folder / "old.pt", _use_new_zipfile_serialization=False)
    with zipfile.ZipFile(folder / "model.pt") as file:
        (folder / "torch.pkl").write_bytes(file.read("model/data.pkl"))
    dcp.save({"scheduler": state, "model": tree["model"]}, checkpoint_id=folder / "apart", no_dist=True)


@pytest.mark.filterwarnings("ignore")
def test_a_file_that_chance_changed_is_read_or_refused(tmp_path, archive, state, groups):
    checkpoints(tmp_path / "all", archive, state, groups)
    for path in sorted((tmp_path / "all").glob("[!p]*[!l]")):
        assert read(path).state == state
    endings = guarded(200, "mutated", tmp_path / "all", 120, 20_240_817)
    assert sorted(endings) == ["StateError", "read"]
    assert sum(endings.values()) >= 1000
    assert min(endings.values()) >= 50


class Runs:
    """Pickles as a call."""

    def __init__(self, *call: object) -> None:
        self.call = call

    def __reduce__(self) -> tuple:
        return self.call


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("beside", [False, True])
def test_nothing_that_a_checkpoint_names_runs(beside, protocol, tmp_path, archive, state, monkeypatch):
    mark = tmp_path / "mark"
    (tmp_path / "marking.py").write_text(f"open({str(mark)!r}, 'w').close()\nclass Thing: pass\ndef call(*_): pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    code = f"open({str(mark)!r}, 'w').close()"
    things = [Runs(os.system, (f"touch {mark}",)), Runs(builtins.exec, (code,)), Runs(builtins.eval, (code,))]
    held = {"opt_param_scheduler": state} if beside else {"opt_param_scheduler": {**state, "more": things}}
    data = pickle.dumps({**held, "things": things}, protocol)
    names = b"cmarking\nThing\n0(imarking\nThing\n0(cmarking\nThing\no0cmarking\nThing\n)\x810cmarking\ncall\n)R0"
    names += b"\x8c\x07marking\x8c\x05Thing\x930cmarking\nThing\n}b0cantigravity\ngeohash\n0"
    start = 2 if protocol > 1 else 0
    path = archive(data[:start] + names + data[start:])
    before = set(sys.modules)

    def imported() -> set[str]:
        return {name for name in sys.modules.keys() - before if not name.startswith("encodings.")}

    if beside:
        assert read(path).state == state
    else:
        with pytest.raises(StateError, match=r"more\.0 holds an? \w+\.system, which is not a plain value"):
            read(path)
    assert imported() == set()
    assert not mark.exists()
    pickle.loads(pickle.dumps(things[1:2], protocol))
    assert mark.exists(), "the call does run where Python's own reader reads it"


def test_reading_leaves_a_checkpoint_as_it_is(tmp_path, archive, state):
    path = archive(state, "folder/model.pt")
    copy = shutil.copytree(path.parent, tmp_path / "copy")
    read(path)
    assert [(file.name, file.read_bytes()) for file in path.parent.iterdir()] == [
        (file.name, file.read_bytes()) for file in copy.iterdir()
    ]
