"""Folders in which every value stands apart, as torch.distributed.checkpoint lays them out. No torch."""

import io
import pickle
import struct
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from schedframe._errors import StateError
from schedframe._files.checkpoint import read


@dataclass(frozen=True)
class Index:
    """Stands for torch's MetadataIndex; the reader does not look at the names of classes."""

    fqn: object
    offset: object = None


@dataclass
class Place:
    """Stands for torch's _StorageInfo."""

    relative_path: object
    offset: object
    length: object


@dataclass
class Metadata:
    """Stands for torch's Metadata."""

    storage_data: object
    planner_data: object = field(default_factory=dict)


def saved(value: object) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("archive/data.pkl", pickle.dumps(value))
    return stream.getvalue()


def write(folder: Path, values: dict[str, Any], names: object = None) -> Path:
    """Write `values` by their names; a name that is a tuple of a name and an offset is a tensor's."""
    folder.mkdir(exist_ok=True)
    places, content = {}, b"tensors"
    for name, value in values.items():
        data = saved(value)
        index = Index(name) if type(name) is str else Index(*name)
        places[index] = Place("__0_0.distcp", len(content), len(data))
        content += data
    (folder / "__0_0.distcp").write_bytes(content)
    (folder / ".metadata").write_bytes(pickle.dumps(Metadata(places, names or {}), protocol=4))
    return folder


def refusal(path) -> str:
    with pytest.raises(StateError) as caught:
        read(path)
    return str(caught.value)


def test_a_state_whose_keys_stand_apart(tmp_path, state):
    values = {f"opt_param_scheduler.{key}": value for key, value in state.items()}
    told = read(write(tmp_path, {"iteration": 7, **values, ("model.weight", (0, 0)): b"numbers"}))
    assert (told.path, told.format, told.slot) == (tmp_path / "__0_0.distcp", "dcp", "opt_param_scheduler")
    assert (told.state, told.iteration, told.groups) == (state, 7, None)


def test_a_state_that_is_one_value(tmp_path, state, groups):
    told = read(write(tmp_path, {"scheduler": state, "optimizer.param_groups": groups}))
    assert (told.path, told.slot, told.state) == (tmp_path / "__0_0.distcp", "scheduler", state)
    assert [group["wd_mult"] for group in told.groups] == [1.0, 0.0]


def test_names_lead_to_lists_and_keys_with_dots(tmp_path, state):
    values = {f"a.b.0.{key}": value for key, value in state.items()}
    names = {name: ("a.b", 0, name.removeprefix("a.b.0.")) for name in values}
    assert read(write(tmp_path, values, names)).slot == "a.b.0"


def test_the_first_of_two_values_at_one_place_counts(tmp_path, state):
    values = {"scheduler": state, "scheduler.max_lr": 7, "a": 1, "a.b.c": 2}
    names = {"scheduler.max_lr": ("scheduler",)}
    assert read(write(tmp_path, values, names)).state == state


def test_names_that_lead_too_deep_are_left_out(tmp_path, state):
    names = {"deep": ("a",) * 1000, "odd": ("a", None), "none": ()}
    assert read(write(tmp_path, {"deep": 1, "odd": 2, "none": 3, "scheduler": state}, names)).state == state


def test_the_metadata_of_64_ranks(tmp_path, state):
    write(tmp_path, {"scheduler": state})
    storage = {Index("scheduler"): Place("__0_0.distcp", 7, len(saved(state)))}
    for tensor in range(873):
        for rank in range(64):
            storage[Index(f"layer.{tensor}.weight", (rank * 64, 0))] = Place(
                f"__{rank}_0.distcp", tensor << 20, 1 << 20
            )
    (tmp_path / ".metadata").write_bytes(pickle.dumps(Metadata(storage), protocol=4))
    assert read(tmp_path).state == state


@dataclass
class Planned(Metadata):
    """Stands for torch's Metadata with the plans of all ranks, as Megatron saves it."""

    all_local_plans: object = None


def test_plans_beside_the_metadata_are_left_out(tmp_path, state):
    write(tmp_path, {"scheduler": state})
    place = Place("__0_0.distcp", 7, len(saved(state)))
    plans = [[Index(f"{rank}.{item}", (0, 0)) for item in range(500)] for rank in range(64)]
    metadata = Planned({Index("scheduler"): place}, {}, plans)
    (tmp_path / ".metadata").write_bytes(pickle.dumps(metadata, protocol=4))
    assert read(tmp_path).state == state


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        [],
        Metadata(None),
        Metadata([1]),
        Metadata({"name": "place"}),
        Metadata({Index(7): Place("a", 0, 1)}),
        Metadata({Index("a"): Place(7, 0, 1)}),
        Metadata({Index("a"): Place("a", None, 1)}),
        Metadata({Index("a"): Place("a", 0, 1.5)}),
    ],
)
def test_other_metadata_is_refused(metadata, tmp_path):
    (tmp_path / ".metadata").write_bytes(pickle.dumps(metadata))
    assert refusal(tmp_path).startswith(f"{tmp_path / '.metadata'}: does not specify where values are ")


@pytest.mark.parametrize(
    ("offset", "length", "said"),
    [
        (0, 1 << 40, "is cut short: 1099511627776 bytes are expected at 0, and it has "),
        (1 << 40, 1, "is cut short: 1 bytes are expected at 1099511627776"),
        (-1, 1, "is cut short"),
        (0, -1, "is cut short"),
        (0, 0, "holds a pickle that is cut short"),
        (0, 7, "holds a pickle"),
    ],
)
def test_a_place_that_is_no_place_is_refused(offset, length, said, tmp_path, state):
    write(tmp_path, {"scheduler": state})
    metadata = Metadata({Index("scheduler"): Place("__0_0.distcp", offset, length)})
    (tmp_path / ".metadata").write_bytes(pickle.dumps(metadata))
    assert refusal(tmp_path).startswith(f"{tmp_path / '__0_0.distcp'}: {said}")


def test_metadata_is_of_bounded_size(tmp_path, state):
    write(tmp_path, {"scheduler": state})
    with (tmp_path / ".metadata").open("r+b") as file:
        file.truncate((64 << 20) + 1)
    assert refusal(tmp_path) == (
        f"{tmp_path / '.metadata'}: holds more than schedframe reads beside tensors, 64 MiB; "
        f"if you trust it, load it with torch, save the scheduler's state alone as JSON, and give that"
    )


def test_values_are_of_bounded_size_together(tmp_path, state):
    write(tmp_path, {"scheduler": state})
    place = Place("__0_0.distcp", 7, 60 << 20)
    metadata = Metadata({Index(f"scheduler.{key}"): place for key in state})
    (tmp_path / ".metadata").write_bytes(pickle.dumps(metadata))
    data = saved(1.0)
    with (tmp_path / "__0_0.distcp").open("r+b") as file:
        file.write(b"tensors" + data[: data.index(b"PK\x01\x02")])
        directory = data[data.index(b"PK\x01\x02") :]
        file.seek(7 + (60 << 20) - len(directory))
        place_of_directory = struct.pack("<L", (60 << 20) - len(directory))
        file.write(directory[:-6] + place_of_directory + directory[-2:])
    assert "holds more than schedframe reads beside tensors" in refusal(tmp_path)


def test_unreadable_groups_are_a_note(tmp_path, state):
    folder = write(tmp_path, {"scheduler": state, "optimizer.param_groups.0.lr": 1.0, "optimizer.param_groups.1": 3})
    told = read(folder)
    assert told.groups is None
    assert told.groups_note.startswith("the checkpoint keeps param_groups in a form that schedframe does not read; ")


@pytest.mark.parametrize("shard", [7, "text", {}, [7], {1, 2}])
@pytest.mark.parametrize("kind", ["optimizer", "param_groups"])
def test_shards_of_other_shapes_are_a_note(kind, shard, tmp_path, state):
    values = {"common_state/shard_0_1": [{"opt_param_scheduler": state}], f"optimizer.d.{kind}/shard_0_1": shard}
    told = read(write(tmp_path, values))
    assert (told.format, told.state, told.groups) == ("torch_dist", state, None)
    assert told.groups_note.startswith(("the checkpoint keeps", "none found: "))


def test_an_optimizer_that_cannot_be_read_is_a_note(tmp_path, state):
    folder = write(tmp_path, {"scheduler": state, "optimizer": "text"})
    whole = (tmp_path / "__0_0.distcp").read_bytes()
    (tmp_path / "__0_0.distcp").write_bytes(whole[:-30])
    told = read(folder)
    assert (told.state, told.groups) == (state, None)
    assert told.groups_note.startswith(f"{tmp_path / '__0_0.distcp'} is cut short")
