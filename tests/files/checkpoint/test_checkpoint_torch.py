"""Files that torch itself wrote: torch.save in both formats, and torch.distributed.checkpoint in one process."""

import warnings
from pathlib import Path

import pytest

import schedframe
from schedframe._errors import StateError
from schedframe._files.checkpoint import read

torch = pytest.importorskip("torch")
dcp = pytest.importorskip("torch.distributed.checkpoint")


NOT_OF_TORCH = "does not specify where values are (storage_data) as torch.distributed.checkpoint does"


def refusal(path) -> str:
    with pytest.raises(StateError) as caught:
        read(path)
    return str(caught.value)


def training(state: dict, **more: object) -> dict:
    """What a training script saves: a model, its optimizer after a step, and the scheduler's state."""
    model = torch.nn.Linear(3, 2)
    groups = [
        {"params": [model.weight], "max_lr": 1e-3, "min_lr": 1e-4, "wd_mult": 1.0},
        {"params": [model.bias], "max_lr": 5e-4, "min_lr": 1e-5, "wd_mult": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=3e-4, weight_decay=0.1)
    model(torch.ones(3)).sum().backward()
    optimizer.step()
    return {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scheduler": state,
        "iteration": 7,
        **more,
    }


def assert_read(told, state: dict) -> None:
    assert (told.slot, told.state, told.iteration) == ("scheduler", state, 7)
    assert told.groups == (
        {"lr": 3e-4, "weight_decay": 0.1, "max_lr": 1e-3, "min_lr": 1e-4, "wd_mult": 1.0},
        {"lr": 3e-4, "weight_decay": 0.1, "max_lr": 5e-4, "min_lr": 1e-5, "wd_mult": 0.0},
    )
    assert told.groups_note == ""


@pytest.mark.parametrize("options", [{}, {"pickle_protocol": 4}, {"_use_new_zipfile_serialization": False}])
@pytest.mark.parametrize("name", ["model.pt", "checkpoint", "last.ckpt"])
def test_torch_save(name, options, tmp_path, state):
    torch.save(training(state, file=torch.arange(5)), tmp_path / name, **options)
    told = read(tmp_path / name)
    assert (told.path, told.format) == (tmp_path / name, "torch.save")
    assert_read(told, state)


def test_torch_save_without_checksums(tmp_path, state):
    before = torch.serialization.get_crc32_options()
    torch.serialization.set_crc32_options(False)
    try:
        torch.save(training(state), tmp_path / "model.pt")
    finally:
        torch.serialization.set_crc32_options(before)
    assert_read(read(tmp_path / "model.pt"), state)


@pytest.mark.parametrize("old", [False, True])
def test_a_file_that_is_the_state_itself(old, tmp_path, state):
    torch.save(state, tmp_path / "state.pt", _use_new_zipfile_serialization=not old)
    assert read(tmp_path / "state.pt").state == state


def test_an_old_file_cut_short(tmp_path, state):
    path = tmp_path / "old.pt"
    torch.save(training(state), path, _use_new_zipfile_serialization=False)
    whole = path.read_bytes()
    for length in range(1, 400, 7):
        path.write_bytes(whole[:length])
        assert "holds a pickle that is cut short or damaged" in refusal(path)


@pytest.mark.parametrize(
    "value", [torch.tensor(40), torch.tensor(1.0).to("meta"), torch.float32, torch.Size([2]), torch.device("cpu")]
)
@pytest.mark.parametrize("old", [False, True])
def test_what_torch_alone_knows_is_no_plain_value(value, old, tmp_path, state):
    path = tmp_path / "model.pt"
    torch.save({"scheduler": {**state, "num_steps": value}}, path, _use_new_zipfile_serialization=not old)
    assert "scheduler.num_steps holds a torch." in refusal(path)


def test_a_number_of_numpy_is_its_number(tmp_path, state):
    numpy = pytest.importorskip("numpy")
    torch.save({"scheduler": {**state, "num_steps": numpy.int64(40)}}, tmp_path / "model.pt")
    assert read(tmp_path / "model.pt").state == state


def test_the_scheduler_object_itself_is_refused(tmp_path):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 3)
    torch.save({"scheduler": scheduler}, tmp_path / "model.pt")
    assert "scheduler holds a torch.optim.lr_scheduler.StepLR, which is not a plain value" in refusal(
        tmp_path / "model.pt"
    )
    torch.save(scheduler.state_dict(), tmp_path / "scheduler.pt")
    assert "is the state of a torch LRScheduler" in refusal(tmp_path / "scheduler.pt")


@pytest.mark.parametrize(
    "wrap",
    [
        lambda model, optimizer, state: {"model": model, "opt": optimizer, "sched": state},
        lambda model, optimizer, state: {"model_state_dict": model, "optimizer_state_dict": optimizer, "lr": state},
        lambda model, optimizer, state: {
            "state_dict": model,
            "optimizer_states": [optimizer],
            "lr_schedulers": [state],
        },
        lambda model, optimizer, state: {"train": {"optim": {"adam": optimizer}, "sched": state}},
    ],
)
def test_param_groups_are_found_under_any_name(wrap, tmp_path, state):
    saved = training(state)
    torch.save(wrap(saved["model"], saved["optimizer"], state), tmp_path / "model.pt")
    assert [group["wd_mult"] for group in read(tmp_path / "model.pt").groups] == [1.0, 0.0]


def test_where_there_are_no_param_groups_it_says_where_it_looked(tmp_path, state):
    torch.save({"model": training(state)["model"], "sched": state}, tmp_path / "model.pt")
    told = read(tmp_path / "model.pt")
    assert told.groups is None
    assert told.groups_note.startswith("none found: nothing under model, sched holds param_groups; ")


def torch_scheduler(steps: int) -> dict:
    """The state of torch's scheduler, as transformers, accelerate and torchtitan save it too, after `steps`."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)
    for _ in range(steps):
        optimizer.step()
        scheduler.step()
    return scheduler.state_dict()


OTHERS = {
    "scheduler.pt": (torch_scheduler(12), "it is the state of a torch LRScheduler (last_epoch 12)", 12),
    "model.pt": (
        {"model": {}, "sched": torch_scheduler(12)},
        "what stands at sched is the state of a torch LRScheduler (last_epoch 12)",
        12,
    ),
    "last.ckpt": (
        {"global_step": 50, "pytorch-lightning_version": "2.6.6", "lr_schedulers": [torch_scheduler(2)]},
        "it is a checkpoint of Lightning (global_step 50)",
        50,
    ),
    "mp_rank_00_model_states.pt": (
        {"module": {}, "lr_scheduler": {"last_batch_iteration": 99}},
        "what stands at lr_scheduler is the state of a DeepSpeed scheduler (last_batch_iteration 99)",
        100,
    ),
    "trainer_state.bin": (
        {"global_step": 500, "max_steps": 1000, "log_history": []},
        "it is the state of transformers' Trainer (global_step 500)",
        500,
    ),
}
"""Files of other schedulers: what they hold, what that is called, and how many updates were done."""


@pytest.mark.parametrize("name", OTHERS)
def test_the_state_of_another_scheduler_is_named_with_the_way_on(name, tmp_path):
    held, what, updates = OTHERS[name]
    torch.save(held, tmp_path / name)
    way = f"scheduler.num_steps = schedule.step_at('{updates} iters') and scheduler.step(0)"
    assert refusal(tmp_path / name).endswith(f"; {what}. A schedule continues there with {way}")


def test_the_way_on_from_another_scheduler_leads_there():
    schedule = schedframe.Schedule(max_lr=1.0, train_iters=100, global_batch_size=8, lr_decay_style="cosine")
    scheduler = schedule.build(torch.optim.SGD([torch.zeros(1)], lr=1.0))
    scheduler.num_steps = schedule.step_at("12 iters")
    scheduler.step(0)
    assert scheduler.optimizer.param_groups[0]["lr"] == schedule.lr_at(96)


def test_a_distributed_checkpoint_with_the_state_of_torchs_scheduler(tmp_path):
    state = {key: value for key, value in torch_scheduler(12).items() if key != "lr_lambdas"}
    save_apart(tmp_path, {"lr_scheduler": state})
    assert "what stands at lr_scheduler is the state of a torch LRScheduler (last_epoch 12)" in refusal(tmp_path)


def test_a_learning_rate_that_is_a_tensor_is_left_out(tmp_path, state):
    saved = training(state)
    for group in saved["optimizer"]["param_groups"]:
        group["lr"] = torch.tensor(3e-4)
    torch.save(saved, tmp_path / "model.pt")
    told = read(tmp_path / "model.pt")
    assert [sorted(group) for group in told.groups] == [["max_lr", "min_lr", "wd_mult", "weight_decay"]] * 2
    assert told.groups_note == "lr of some param groups is not a plain value, and left out"


def test_thousands_of_tensors(tmp_path, state):
    tensors = {index: {"exp_avg": torch.zeros(2)} for index in range(2000)}
    torch.save({"opt_param_scheduler": state, "optimizer": {"state": tensors}}, tmp_path / "model.pt")
    assert read(tmp_path / "model.pt").state == state


def save_apart(folder: Path, tree: dict, flat: bool = True) -> None:
    planner = dcp.DefaultSavePlanner(flatten_state_dict=flat)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dcp.save(tree, checkpoint_id=folder, planner=planner, no_dist=True)


@pytest.fixture
def folder(tmp_path, state) -> Path:
    """A distributed checkpoint."""
    save_apart(tmp_path / "folder", training(state))
    return tmp_path / "folder"


@pytest.mark.parametrize("given", ["", ".metadata"])
def test_a_distributed_checkpoint(given, folder, state):
    told = read(folder / given)
    assert (told.path, told.format) == (folder / "__0_0.distcp", "dcp")
    assert_read(told, state)


def test_megatron_folder_of_a_distributed_checkpoint(tmp_path, state):
    save_apart(tmp_path / "root" / "iter_0000007", {"opt_param_scheduler": state, "iteration": 7})
    (tmp_path / "root" / "latest_checkpointed_iteration.txt").write_text("7")
    told = read(tmp_path / "root")
    assert (told.format, told.slot, told.iteration) == ("dcp", "opt_param_scheduler", 7)
    assert told.groups_note.startswith("none found: nothing under opt_param_scheduler, iteration holds param_groups; ")


@pytest.mark.parametrize(
    ("wrap", "slot"),
    [
        (lambda state: state, ""),
        (lambda state: {"scheduler": [state]}, "scheduler.0"),
        (lambda state: {"train": {"sched.0": state}, "iteration": 3}, "train.sched.0"),
        (lambda state: {"lr_scheduler": (state,)}, "lr_scheduler.0"),
    ],
)
def test_the_state_is_found_in_a_distributed_checkpoint(wrap, slot, tmp_path, state):
    save_apart(tmp_path / "folder", wrap(state))
    told = read(tmp_path / "folder")
    assert (told.slot, told.state, told.path.name) == (slot, state, "__0_0.distcp")


def test_a_distributed_checkpoint_of_20_000_tensors(tmp_path, state):
    tensors = {f"layers.{index}.weight": torch.zeros(1) for index in range(20_000)}
    save_apart(tmp_path / "folder", {"scheduler": state, "model": tensors})
    told = read(tmp_path / "folder")
    assert (told.format, told.slot, told.state) == ("dcp", "scheduler", state)


def test_names_that_tell_no_path_are_split_at_their_dots(tmp_path, state):
    flat = {f"opt_param_scheduler.{key}": value for key, value in state.items()}
    save_apart(tmp_path / "folder", flat, flat=False)
    assert read(tmp_path / "folder").slot == "opt_param_scheduler"


def test_a_distributed_checkpoint_with_a_tensor_in_the_state(tmp_path, state):
    save_apart(tmp_path / "folder", {"scheduler": {**state, "num_steps": torch.tensor(40)}})
    assert refusal(tmp_path / "folder") == (
        f"{tmp_path / 'folder' / '.metadata'}: scheduler.num_steps holds a tensor, which is not a plain value"
    )


def test_a_distributed_checkpoint_without_a_state(tmp_path):
    save_apart(tmp_path / "folder", {"model": {"weight": torch.zeros(2)}, "lr": 3})
    assert "holds no scheduler state of Megatron's kind (num_steps with max_lr); its keys are lr, model" in refusal(
        tmp_path / "folder"
    )


def test_a_distributed_checkpoint_that_lost_a_file(folder):
    (folder / "__0_0.distcp").unlink()
    assert refusal(folder) == f"{folder / '__0_0.distcp'}: does not exist"
    (folder / "__0_0.distcp").write_bytes(b"PK\x03\x04")
    assert f"{folder / '__0_0.distcp'}: is cut short: " in refusal(folder)


@pytest.mark.parametrize("part", ["../../../etc/passwd", "/etc/passwd_", "a\\..\\..\\b", "C:\\windows", "a\x1bb"])
def test_a_distributed_checkpoint_stays_in_its_folder(part, folder):
    metadata = folder / ".metadata"
    data = metadata.read_bytes()
    old = b"\x8c\x0c__0_0.distcp"
    assert data.count(old) == 1
    metadata.write_bytes(data.replace(old, b"\x8c" + bytes([len(part)]) + part.encode()))
    assert "which is not a file within its folder" in refusal(folder)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"storage_data", b"starage_data", NOT_OF_TORCH),
        (b"relative_path", b"relatove_path", NOT_OF_TORCH),
        (b"fqn", b"fqm", NOT_OF_TORCH),
        (b"\x80\x04", b"\x80\x09", "holds a pickle that is cut short or damaged"),
        (b"\x8c\x05index", b"\x8c\x04index", "holds a pickle"),
    ],
)
def test_a_distributed_checkpoint_with_other_metadata(old, new, said, folder):
    metadata = folder / ".metadata"
    metadata.write_bytes(metadata.read_bytes().replace(old, new))
    assert refusal(folder).startswith(f"{metadata}: {said}")


def test_compressed_values_of_a_distributed_checkpoint_are_refused(tmp_path, state):
    save_apart(tmp_path, {"scheduler": state})
    data = (tmp_path / ".metadata").read_bytes()
    length = b"\x8c\x06length"
    assert data.count(length) == 1
    (tmp_path / ".metadata").write_bytes(data.replace(length, b"\x8c\x15transform_descriptors]" + length))
    assert "holds compressed or encrypted values, which schedframe does not read" in refusal(tmp_path)


def test_the_common_part_within_a_distributed_checkpoint(tmp_path, state, groups):
    """The layout of Megatron Core from 0.19: no common.pt, but a sharded object common_state."""
    common = {"iteration": 7, "opt_param_scheduler": state, "optimizer": {"kind": "dp_reshardable"}}
    shard = "optimizer/shard_0_1"
    tree = {
        "common_state/shard_0_1": [common],
        f"chained_0.optimizer.distributed.dp_group_idx_0.{shard}": [{"optimizer": {"param_groups": groups[:1]}}],
        f"chained_0.optimizer.distributed.dp_group_idx_1.{shard}": [{"optimizer": {"param_groups": groups[:1]}}],
        f"chained_1.optimizer.distributed.dp_group_idx_0.{shard}": [{"param_groups": groups[1:]}],
        "mimo.images.optimizer.mimo.images.param_groups/shard_0_1": [[{**groups[0], "wd_mult": 0.5}]],
        "weight": torch.zeros(2),
    }
    save_apart(tmp_path / "folder", tree, flat=False)
    told = read(tmp_path / "folder")
    assert (told.path, told.format) == (tmp_path / "folder" / "__0_0.distcp", "torch_dist")
    assert (told.slot, told.state, told.iteration) == ("opt_param_scheduler", state, 7)
    assert [group["wd_mult"] for group in told.groups] == [1.0, 0.0, 0.5]
    assert told.groups_note == ""


@pytest.mark.parametrize("held", [[], {}, [[]]])
def test_a_common_part_without_a_state(held, tmp_path):
    save_apart(tmp_path / "folder", {"common_state/shard_0_1": held}, flat=False)
    assert "holds no scheduler state" in refusal(tmp_path / "folder")
