"""Folders, files that are none of a checkpoint's, and zip archives that are damaged, huge or lie. No torch."""

import ast
import os
import pickle
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import pytest

from schedframe._errors import StateError
from schedframe._files.checkpoint import read

READABLE = (
    "schedframe reads Megatron torch_dist checkpoints, torch.distributed.checkpoint folders, "
    "Megatron torch checkpoints, torch.save files and JSON"
)
DAMAGED = "is a zip archive that is cut short or damaged"
UNKNOWN = "is not a checkpoint: the file has an unknown format"


def refusal(path) -> str:
    with pytest.raises(StateError) as caught:
        read(path)
    return str(caught.value)


@pytest.fixture
def root(archive, state, tmp_path) -> Path:
    """A checkpoint as Megatron writes it with two ranks of a pipeline; of an earlier iteration, too."""
    for rank in ("mp_rank_00_000", "mp_rank_00_001"):
        archive({"iteration": 10, "opt_param_scheduler": state}, f"root/iter_0000010/{rank}/model_optim_rng.pt")
    archive(
        {"iteration": 5, "opt_param_scheduler": {**state, "num_steps": 20}},
        "root/iter_0000005/mp_rank_00/model_optim_rng.pt",
    )
    (tmp_path / "root" / "latest_checkpointed_iteration.txt").write_text("10\n")
    return tmp_path / "root"


@pytest.mark.parametrize("below", ["", "iter_0000010", "iter_0000010/mp_rank_00_000", "FILE"])
def test_a_checkpoint_can_be_named_by_any_of_its_folders(below, root, state):
    file = root / "iter_0000010" / "mp_rank_00_000" / "model_optim_rng.pt"
    told = read(file if below == "FILE" else root / below)
    assert (told.path, told.format, told.state, told.iteration) == (file, "torch", state, 10)


def test_another_iteration_can_be_named(root):
    assert read(root / "iter_0000005").state["num_steps"] == 20


def test_another_rank_can_be_named(root):
    assert read(root / "iter_0000010" / "mp_rank_00_001").path.parent.name == "mp_rank_00_001"


def test_a_release(root, archive, state):
    archive({"opt_param_scheduler": {**state, "num_steps": 1}}, "root/release/mp_rank_00/model_optim_rng.pt")
    (root / "latest_checkpointed_iteration.txt").write_text("release")
    assert read(root).state["num_steps"] == 1


def test_a_common_part(archive, state, tmp_path):
    path = archive({"iteration": 10, "opt_param_scheduler": state}, "root/iter_0000010/common.pt")
    (tmp_path / "root" / "latest_checkpointed_iteration.txt").write_text("10")
    for given in (tmp_path / "root", path.parent, path, path.parent / ".metadata"):
        told = read(given)
        assert (told.path, told.format, told.state, told.groups) == (path, "torch_dist", state, None)
        assert told.groups_note.startswith(f"{path.parent / '.metadata'} does not exist; ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("11", "specifies 11, and there is no checkpoint in {root}/iter_0000011"),
        ("release", "specifies release, and there is no checkpoint in {root}/release"),
        ("ten", "specifies 'ten', and Megatron writes the number of an iteration, or release"),
        ("", "specifies '', and Megatron writes"),
        ("-1", "specifies '-1', and Megatron writes"),
        ("²", "specifies '²', and Megatron writes"),
        ("\x1b[2J", "and Megatron writes"),
        ("9" * 200, f"specifies {'9' * 100}, and there is no checkpoint in"),
    ],
)
def test_a_tracker_that_leads_nowhere(text, said, root):
    tracker = root / "latest_checkpointed_iteration.txt"
    tracker.write_text(text, "utf-8")
    told = refusal(root)
    assert told.startswith(f"{tracker}: ")
    assert said.format(root=root) in told
    assert "\x1b" not in told


def test_a_folder_of_iterations_without_a_tracker(root):
    (root / "latest_checkpointed_iteration.txt").unlink()
    assert refusal(root) == (
        f"{root}: is a folder without latest_checkpointed_iteration.txt; "
        f"give the folder of one iteration, for example {root / 'iter_0000010'}"
    )


def test_names_in_an_archive_are_reported_as_they_can_be_printed(tmp_path, state):
    path = tmp_path / "a.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as file:
        file.writestr("\x1b[2J/data.pkl", pickle.dumps(state))
    assert r"holds '\x1b[2J/data.pkl' compressed by method 14" in refusal(path)


def test_a_folder_without_a_checkpoint(tmp_path):
    (tmp_path / "notes.txt").write_text("none")
    (tmp_path / "mp_rank_00").mkdir()
    assert refusal(tmp_path) == (
        f"{tmp_path}: is a folder without a checkpoint: none of latest_checkpointed_iteration.txt, mp_rank_…, "
        f"common.pt, .metadata, model_optim_rng.pt is in it. {READABLE}"
    )


def test_a_folder_of_hugging_face(archive, tmp_path):
    path = archive({"base_lrs": [1.0], "last_epoch": 3, "_step_count": 4}, "scheduler.pt")
    assert f"is in it; give scheduler.pt in it. {READABLE}" in refusal(tmp_path)
    assert refusal(path) == (
        f"{path}: holds no scheduler state of Megatron's kind (num_steps with max_lr); "
        f"it is the state of a torch LRScheduler (last_epoch 3). A schedule continues there with "
        f"scheduler.num_steps = schedule.step_at('3 iters') and scheduler.step(0)"
    )


@pytest.mark.parametrize(
    "name", ["scheduler.bin", "mp_rank_00_model_states.pt", "epoch=1-step=10.ckpt", "global_step10"]
)
def test_a_folder_of_another_framework_names_what_to_give(name, tmp_path):
    (tmp_path / name).mkdir()
    assert f"; give {name} in it" in refusal(tmp_path)


def test_a_part_of_a_distributed_checkpoint(tmp_path):
    path = tmp_path / "__0_0.distcp"
    path.write_bytes(b"PK\x03\x04")
    assert refusal(path) == f"{path}: is one part of a distributed checkpoint; give its folder"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", f"is not a checkpoint: the file is empty. {READABLE}"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 99, f"{UNKNOWN}. {READABLE}"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 99, f"{UNKNOWN}. {READABLE}"),
        (struct.pack("<Q", 64) + b'{"w":{"dtype":"F32"}}' + b" " * 99, f"{UNKNOWN}. {READABLE}"),
        (b"PK\x03\x04", "is a zip archive that is cut short or damaged (zipfile: "),
        (b"PK\x03\x04" + b"\0" * 100_000, "is a zip archive that is cut short"),
        (b"\x80", "holds a pickle that is cut short or damaged"),
        (b"\x80\x02K\x01.", "is a pickle, and not one that torch.save wrote"),
    ],
)
def test_other_files_are_refused(content, said, tmp_path):
    path = tmp_path / "thing.bin"
    path.write_bytes(content)
    assert refusal(path).startswith(f"{path}: {said}")


def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path):
    assert refusal(tmp_path / "none.pt") == f"{tmp_path / 'none.pt'}: does not exist"
    assert refusal("a\0b").startswith("a\0b: is not a path: ")
    assert "cannot be read: File name too long" in refusal(tmp_path / ("a" * 5000))
    assert refusal(os.devnull).endswith("is not a regular file")
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert "cannot be read: Too many levels of symbolic links" in refusal(loop)
    os.mkfifo(tmp_path / "fifo")
    assert refusal(tmp_path / "fifo").endswith("is not a regular file")
    (tmp_path / "common.pt").mkdir()
    assert refusal(tmp_path) == f"{tmp_path / 'common.pt'}: is not a regular file"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_refused(archive, state):
    path = archive(state)
    path.chmod(0)
    assert refusal(path) == f"{path}: cannot be read: Permission denied"
    path.parent.chmod(0)
    try:
        assert "Permission denied" in refusal(path.parent)
    finally:
        path.parent.chmod(0o700)


def test_a_file_cut_anywhere_is_refused(archive, state, tmp_path):
    whole = archive({"opt_param_scheduler": state}).read_bytes()
    cut = tmp_path / "cut.pt"
    for length in range(0, len(whole), 3):
        cut.write_bytes(whole[:length])
        assert refusal(cut).startswith(f"{cut}: is ")


def test_a_bit_that_flipped_is_noticed(archive, state, tmp_path):
    whole = archive({"opt_param_scheduler": state}).read_bytes()
    place = whole.index(struct.pack(">d", 1e-3))
    path = tmp_path / "flipped.pt"
    path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    assert "cut short or damaged (zipfile: Bad CRC-32 for file 'model/data.pkl')" in refusal(path)


def packed(data: bytes, **lies: int) -> bytes:
    """A zip archive with the entry ``a/data.pkl``, whose directory says what `lies` say."""
    true = {"method": 0, "flags": 0, "checksum": zlib.crc32(data), "stored": len(data), "size": len(data), "offset": 0}
    says = {**true, "sign": 0x02014B50, "place": 30 + 10 + len(data), "length": 46 + 10, **lies}
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 0, 0, 0, true["checksum"], len(data), len(data), 10, 0)
    entry = struct.pack(
        "<L6H3L5H2L",
        *(says["sign"], 20, 20, says["flags"], says["method"], 0, 0, says["checksum"], says["stored"], says["size"]),
        *(10, 0, 0, 0, 0, 0, says["offset"]),
    )
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, says["length"], says["place"], 0)
    return local + b"a/data.pkl" + data + entry + b"a/data.pkl" + end


def test_an_archive_may_leave_out_the_checksum(tmp_path, state):
    path = tmp_path / "a.pt"
    path.write_bytes(packed(pickle.dumps(state), checksum=0))
    assert read(path).state == state


@pytest.mark.parametrize(
    ("lies", "said"),
    [
        ({"checksum": 7}, f"{DAMAGED} (zipfile: Bad CRC-32 for file 'a/data.pkl')"),
        ({"size": 7}, f"{DAMAGED} (zipfile: Bad CRC-32"),
        ({"size": 7, "checksum": 0}, "holds a pickle that is cut short or damaged"),
        ({"size": 5000, "checksum": 0}, DAMAGED),
        ({"size": 1 << 27}, "holds a/data.pkl of 134217728 bytes, and schedframe reads up to 67108864"),
        ({"stored": 0xFFFFFFFE}, "holds a/data.pkl of 4294967294 bytes"),
        ({"stored": 5000, "size": 5000}, DAMAGED),
        ({"offset": 7}, DAMAGED),
        ({"offset": 1 << 30}, DAMAGED),
        ({"method": 8}, f"{DAMAGED} (zipfile: Error -3"),
        ({"method": 9}, "holds a/data.pkl compressed by method 9"),
        ({"method": 12}, "holds a/data.pkl compressed by method 12"),
        ({"flags": 1}, "holds a/data.pkl encrypted"),
        ({"place": 0}, DAMAGED),
        ({"place": 1 << 30}, DAMAGED),
        ({"length": 1 << 30}, DAMAGED),
        ({"length": 1 << 20}, DAMAGED),
        ({"length": 20}, DAMAGED),
        ({"sign": 7}, DAMAGED),
        ({"place": 0xFFFFFFFF}, DAMAGED),
    ],
)
def test_an_archive_that_lies_is_refused(lies, said, tmp_path, state):
    path = tmp_path / "a.pt"
    path.write_bytes(packed(pickle.dumps(state), **lies))
    assert said in refusal(path)


@pytest.mark.parametrize("name", ["data.pkl", "a/b/data.pkl", "/data.pkl", "a/xdata.pkl", "a/data.pkl.bak"])
def test_only_the_pickle_at_the_top_counts(name, tmp_path, state):
    path = tmp_path / "a.pt"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(name, pickle.dumps(state))
    assert refusal(path) == f"{path}: is a zip archive with 0 entries NAME/data.pkl, and torch.save writes one"


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("second", ["a/data.pkl", "b/data.pkl"])
def test_two_pickles_at_the_top_are_refused(second, tmp_path, state):
    path = tmp_path / "a.pt"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a/data.pkl", pickle.dumps(state))
        file.writestr(second, pickle.dumps({**state, "num_steps": 7}))
    assert refusal(path) == f"{path}: is a zip archive with 2 entries NAME/data.pkl, and torch.save writes one"


def test_a_comment_behind_the_archive_does_no_harm(archive, state):
    path = archive(state)
    with zipfile.ZipFile(path, "a") as file:
        file.comment = b"x" * 60_000
    assert read(path).state == state


def test_an_entry_that_inflates_to_too_much_is_refused(archive):
    bomb = archive(b"\x80\x02" + b"N" * (70 << 20), compression=zipfile.ZIP_DEFLATED)
    assert bomb.stat().st_size < 200_000
    assert "holds model/data.pkl of 73400322 bytes, and schedframe reads up to" in refusal(bomb)
    bomb.write_bytes(bomb.read_bytes().replace(struct.pack("<L", 73400322), struct.pack("<L", 1000)))
    assert "Bad CRC-32" in refusal(bomb)


def huge(path: Path, size: int, data: bytes) -> None:
    """Write a zip archive with 64-bit sizes: a hole of `size` bytes, then the pickle."""

    def local(name: bytes, length: int, checksum: int) -> bytes:
        extra = struct.pack("<2H2Q", 1, 16, length, length)
        full = 0xFFFFFFFF
        return (
            struct.pack("<4s5H3L2H", b"PK\x03\x04", 45, 0, 0, 0, 0, checksum, full, full, len(name), 20) + name + extra
        )

    def entry(name: bytes, length: int, checksum: int, offset: int) -> bytes:
        extra = struct.pack("<2HL", 0x4246, 4, 0) + struct.pack("<2H3Q", 1, 24, length, length, offset)
        full = 0xFFFFFFFF
        numbers = (45, 45, 0, 0, 0, 0, checksum, full, full, len(name), len(extra), 0, 0, 0, 0, full)
        return struct.pack("<4s6H3L5H2L", b"PK\x01\x02", *numbers) + name + extra

    with path.open("wb") as file:
        file.write(local(b"a/data/0", size, 0))
        file.seek(size, os.SEEK_CUR)
        pickle_at = file.tell()
        file.write(local(b"a/data.pkl", len(data), zlib.crc32(data)) + data)
        directory_at = file.tell()
        directory = entry(b"a/data/0", size, 0, 0) + entry(b"a/data.pkl", len(data), zlib.crc32(data), pickle_at)
        file.write(directory)
        end_at = file.tell()
        file.write(struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 2, 2, len(directory), directory_at))
        file.write(struct.pack("<4sLQL", b"PK\x06\x07", 0, end_at, 1))
        file.write(struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0))


def test_a_file_of_20_gigabytes(tmp_path, state):
    path = tmp_path / "huge.pt"
    try:
        huge(path, 20 << 30, pickle.dumps({"scheduler": state}))
        on_disk = path.stat().st_blocks * 512
    except OSError as error:
        pytest.skip(f"no room for a sparse file: {error}")
    try:
        if on_disk > 1 << 20:
            pytest.skip("the file system has no sparse files")
        with zipfile.ZipFile(path) as file:
            assert file.getinfo("a/data.pkl").header_offset > 20 << 30
        assert read(path).state == state
        with path.open("r+b") as file:
            file.seek(-98, os.SEEK_END)
            file.write(b"PK\0\0")
        assert "is a zip archive with a directory of more than 16 MiB" in refusal(path)
    finally:
        path.unlink()


def test_an_archive_of_100_000_entries(tmp_path, state):
    path = tmp_path / "many.pt"
    with zipfile.ZipFile(path, "w") as file:
        for index in range(100_000):
            file.writestr(f"many/data/{index}", b"")
        file.writestr("many/data.pkl", pickle.dumps(state))
    assert read(path).state == state


def test_importing_the_reader_imports_the_standard_library_alone():
    listing = "print({name.partition('.')[0] for name in sys.modules} - {*sys.stdlib_module_names, 'schedframe'})"

    def imported(script: str) -> set[str]:
        command = [sys.executable, "-c", f"import sys{script}; {listing}"]
        return ast.literal_eval(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    assert imported(", schedframe._files.checkpoint") == imported("")
