"""Where in a file a scheduler's state is found, what of it is refused, and which param groups are told. No torch."""

import argparse
import collections
import json
import math
import pickle
import zipfile

import pytest

from schedframe._errors import StateError
from schedframe._files.checkpoint import Checkpoint, read

NOT_KNOWN = "what bounds the param groups have of their own, which decide their LR, is not known"


def refusal(path) -> str:
    with pytest.raises(StateError) as caught:
        read(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    return text.removeprefix(f"{path}: ")


def test_a_file_that_is_the_state_itself(archive, state):
    path = archive(state)
    keys = ", ".join(list(state)[:10])
    note = f"none found: nothing under {keys}{', …' if len(state) > 10 else ''} holds param_groups; {NOT_KNOWN}"
    assert read(path) == read(str(path)) == Checkpoint(path, "torch.save", "", state, None, None, note)


def test_a_checkpoint_of_megatron_shape(archive, state, groups):
    path = archive(
        {
            "args": argparse.Namespace(lr=1e-3),
            "checkpoint_version": 3.0,
            "iteration": 10,
            "model": collections.OrderedDict(weight=argparse.Namespace()),
            "optimizer": {"optimizer": {"state": {0: {"step": 1}}, "param_groups": groups}, "grad_scaler": {}},
            "opt_param_scheduler": state,
            "rng_state": [{"numpy": ("MT19937", b"\0" * 600)}],
        },
        "model_optim_rng.pt",
    )
    told = read(path)
    assert (told.format, told.slot, told.state, told.iteration) == ("torch", "opt_param_scheduler", state, 10)
    kept = [{key: value for key, value in group.items() if key not in ("betas", "params")} for group in groups]
    assert told.groups == tuple(kept)
    assert told.groups_note == ""


@pytest.mark.parametrize(
    ("wrap", "slot"),
    [
        (lambda state: {"opt_param_scheduler": state}, "opt_param_scheduler"),
        (lambda state: {"lr_scheduler": state, "opt_param_scheduler": {**state, "num_steps": 7}}, "lr_scheduler"),
        (lambda state: {"lr_scheduler": {"last_epoch": 3}, "opt_param_scheduler": state}, "opt_param_scheduler"),
        (lambda state: {"scheduler": state, "other": {"deep": {**state, "num_steps": 7}}}, "scheduler"),
        (lambda state: {"scheduler": [state]}, "scheduler.0"),
        (lambda state: {"scheduler": (state,)}, "scheduler.0"),
        (lambda state: [state], "0"),
        (
            lambda state: {"opt_param_scheduler": {"language": state, "images": dict(state)}},
            "opt_param_scheduler.language",
        ),
        (lambda state: {"scheduler": [state, dict(state)]}, "scheduler.0"),
        (lambda state: {"train": {"things": {"sched": {"mine": state}}}}, "train.things.sched.mine"),
        (lambda state: {"extra": {5: {"mine": state}}}, "extra.5.mine"),
        (lambda state: collections.OrderedDict(scheduler=collections.OrderedDict(state)), "scheduler"),
    ],
)
def test_the_state_is_found_where_it_stands(wrap, slot, archive, state):
    told = read(archive(wrap(state)))
    assert (told.slot, told.state) == (slot, state)


def test_a_slot_is_reported_as_it_can_be_printed(archive, state):
    assert read(archive({"\x1b[2J": state})).slot == r"'\x1b[2J'"
    assert read(archive({"a" * 1000: state})).slot == "a" * 100 + "…"


def test_old_spellings_are_a_state_too(archive):
    old = {"start_lr": 1e-3, "num_iters": 10, "decay_style": "cosine"}
    assert read(archive({"lr_scheduler": old})).state == old


@pytest.mark.parametrize("protocol", range(6))
def test_every_protocol_and_a_compressed_archive(protocol, archive, state):
    assert read(archive({"scheduler": state}, protocol=protocol)).state == state
    assert read(archive({"scheduler": state}, compression=zipfile.ZIP_DEFLATED, protocol=protocol)).state == state


def test_plain_values_stay_what_they_are(archive, state):
    more = {"none": None, "flag": True, "list": [1, {"a": (2.5, "é")}], "nan": math.nan, "huge": -math.inf}
    told = read(archive({"scheduler": {**state, **more}})).state
    assert math.isnan(told.pop("nan"))
    assert told == {**state, "none": None, "flag": True, "list": [1, {"a": [2.5, "é"]}], "huge": -math.inf}


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ({"model": {}, "optimizer": {"state": {}}}, "; its keys are model, optimizer"),
        ({f"key{index:02}": {} for index in range(12)}, "key08, key09, …"),
        ({"a": {"b": {"c": {"d": {"e": {"num_steps": 1, "max_lr": 1}}}}}}, "; its keys are a"),
        ({"lr_scheduler": {"last_epoch": 3}}, "; what stands at lr_scheduler is the state of a torch LRScheduler"),
        ({"base_lrs": [1.0], "last_epoch": 3}, "; it is the state of a torch LRScheduler (last_epoch 3). A schedule"),
        (
            {"lr_scheduler": {"last_epoch": "3"}},
            "; what stands at lr_scheduler is the state of a torch LRScheduler (last",
        ),
        (
            {"lr_scheduler": {"last_epoch": -1}},
            "; what stands at lr_scheduler is the state of a torch LRScheduler (last",
        ),
        ({"a\x1b[2J": 1}, r"; its keys are 'a\x1b[2J'"),
        ({"num_steps": 3, "min_lr": 1e-5}, "; its keys are num_steps, min_lr"),
        ([1, 2], "(num_steps with max_lr)"),
        ({3: 4}, "(num_steps with max_lr)"),
        (7, "(num_steps with max_lr)"),
        ({}, "(num_steps with max_lr)"),
    ],
)
def test_a_file_without_a_state_says_what_it_has(held, said, archive):
    text = refusal(archive(held))
    assert text.startswith("holds no scheduler state of Megatron's kind (num_steps with max_lr)")
    assert said in text


def test_states_that_differ_are_all_named(archive, state):
    other = {**state, "num_steps": 7}
    assert refusal(archive({"a": state, "b": {"c": other}})) == (
        "holds 2 scheduler states, which are not all equal, at a, b.c"
    )
    assert "at opt_param_scheduler.x, opt_param_scheduler.y" in refusal(
        archive({"opt_param_scheduler": {"x": state, "y": other}, "scheduler": state})
    )
    assert refusal(archive([state] * 17)).endswith("at 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, …")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (print, "a builtins.print"),
        (argparse.Namespace(), "an argparse.Namespace"),
        ([1, {"deep": b"bytes"}], "a bytes object"),
        ({1, 2}, "a set"),
        ("a" * 70_000, "a text of 70000 characters"),
        (1 << 65, "an integer of more than 64 bits"),
        (complex(1, 2), "a builtins.complex"),
    ],
)
def test_what_is_no_plain_value_is_refused_with_its_place(value, said, archive, state):
    text = refusal(archive({"opt_param_scheduler": {**state, "extra": value}}, protocol=4))
    assert text.startswith("opt_param_scheduler.extra")
    assert f"holds {said}" in text
    assert "which is not a plain value" in text
    assert ("schedframe does not run what a checkpoint names" in text) == ("." in said)


def test_a_slot_that_names_code_is_refused_by_the_name(archive):
    text = refusal(archive(b"\x80\x02}X\x13\0\0\0opt_param_schedulercposix\nsystem\nX\x02\0\0\0id\x85Rs."))
    assert text == (
        "opt_param_scheduler holds a posix.system, which is not a plain value; "
        "schedframe does not run what a checkpoint names"
    )
    assert refusal(archive(b"cposix\nsystem\n.")).startswith("holds a posix.system, ")
    assert refusal(archive(b"c\x1b[2J\nx\n.")).startswith(r"holds a '\x1b[2J.x', ")


def test_keys_of_a_state_are_text(archive, state):
    assert refusal(archive({"scheduler": {**state, "table": {3: 1}}})).startswith(
        "holds a key at scheduler.table that is not text"
    )
    assert refusal(archive({**state, (1, 2): 1})).startswith("holds a key that is not text")


def test_a_state_is_of_bounded_size(archive, state):
    assert "more than 100000 values" in refusal(archive({**state, "list": [0] * 100_001}))
    laughs: list = ["ha"] * 10
    for _ in range(12):
        laughs = [laughs] * 10
    assert "more than 100000 values" in refusal(archive({**state, "list": laughs}))
    long = ["x" * 60_000] * 1000
    assert "more than 100000 values" in refusal(archive({**state, "list": long}))
    deep: list = []
    for _ in range(60):
        deep = [deep]
    assert "more levels at list.0.0.0" in refusal(archive({**state, "list": deep}))
    state["self"] = state
    assert "more levels at self.self.self" in refusal(archive(state))


def test_recursive_containers_beside_the_state_do_no_harm(archive, state):
    tree: dict = {"scheduler": state, "iteration": 5}
    tree["model"] = tree
    assert read(archive(tree)).iteration == 5
    wide: list = [{}] * 100
    for _ in range(3):
        wide = [wide] * 100
    assert "holds more values in lists and dicts than schedframe searches" in refusal(archive({"a": wide}))


@pytest.mark.parametrize("iteration", [True, 3.0, "10", None, 1 << 70, [1]])
def test_an_iteration_is_an_integer_or_unknown(iteration, archive, state):
    assert read(archive({"scheduler": state, "iteration": iteration})).iteration is None


@pytest.mark.parametrize(
    "wrap",
    [
        lambda groups: {"state": {}, "param_groups": groups},
        lambda groups: {"optimizer": {"state": {}, "param_groups": groups}, "fp32_from_fp16_params": [[1], [2]]},
        lambda groups: {"optimizer_state_dict": {"param_groups": groups}},
        lambda groups: [{"optimizer": {"param_groups": groups[:1]}}, {"param_groups": groups[1:]}],
        lambda groups: {0: {"optimizer": {"param_groups": groups[:1]}}, 1: {"optimizer": {"param_groups": groups[1:]}}},
        lambda groups: {"language": {"optimizer": {"param_groups": groups}}, "images": None},
    ],
)
def test_param_groups_are_found_in_every_shape_of_an_optimizer(wrap, archive, state, groups):
    told = read(archive({"scheduler": state, "optimizer": wrap(groups)}))
    assert [group["wd_mult"] for group in told.groups] == [1.0, 0.0]
    assert told.groups_note == ""


@pytest.mark.parametrize(
    ("optimizer", "note"),
    [
        (None, "none found: nothing under scheduler, optimizer holds param_groups"),
        ({"state": {}}, "none found: nothing under scheduler, optimizer holds param_groups"),
        ({"param_groups": []}, "none found: nothing under scheduler, optimizer holds param_groups"),
        ({"param_groups": {"weight": 1}}, "the checkpoint keeps param_groups in a form that schedframe does not read"),
        ({"param_groups": [1]}, "the checkpoint keeps param_groups in a form that schedframe does not read"),
        ({"param_groups": [{}] * 10_001}, "the checkpoint holds more param groups than schedframe reads"),
    ],
)
def test_unknown_groups_are_a_note(optimizer, note, archive, state):
    told = read(archive({"scheduler": state, "optimizer": optimizer}))
    assert (told.groups, told.groups_note) == (None, f"{note}; {NOT_KNOWN}")


def test_values_of_groups_that_are_not_plain_are_left_out(archive, state, groups):
    groups[0]["lr"] = argparse.Namespace()
    groups[1]["end_wd"] = b"bytes"
    told = read(archive({"scheduler": state, "optimizer": {"param_groups": groups}}, protocol=4))
    assert ["lr" in group for group in told.groups] == [False, True]
    assert told.groups_note == "lr, end_wd of some param groups is not a plain value, and left out"


@pytest.mark.parametrize("wrap", [lambda state: state, lambda state: {"iteration": 4, "opt_param_scheduler": state}])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_json(wrap, encoding, tmp_path, state):
    path = tmp_path / "state.json"
    path.write_text("\n " * (encoding == "utf-8") + json.dumps(wrap(state), indent=1), encoding)
    told = read(path)
    assert (told.path, told.format, told.state) == (path, "json", state)
    assert told.slot == ("" if wrap(state) is state else "opt_param_scheduler")
    assert told.iteration == (None if wrap(state) is state else 4)


def test_json_may_hold_what_is_no_finite_number(tmp_path):
    path = tmp_path / "state.json"
    path.write_text('{"num_steps": 1, "max_lr": NaN, "min_lr": -Infinity, "end_wd": 1e999}')
    assert [str(value) for value in read(path).state.values()] == ["1", "nan", "-inf", "inf"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'{"num_steps": 3,', "is not complete JSON: "),
        (b'{"num_steps": ' + b"9" * 401 + b', "max_lr": 1}', "is not usable JSON: it holds an integer of 401 digits"),
        (b'{"num_steps": 18446744073709551616, "max_lr": 1}', "num_steps holds an integer of more than 64 bits"),
        (b'{"num_steps": 1, "max_lr": "\\ud800"}', "max_lr holds a text that is not UTF-8"),
        (b'{"num_steps": 1, "max_lr": 1, "\\ud800": 1}', "holds a key that is not text"),
        (b'{"num_steps": "\xff"}', "is not usable JSON: 'utf-8' codec"),
        (b"[" * 100_000, "is JSON of more levels than schedframe reads"),
        (b"[" + b" " * (4 << 20) + b"]", "looks like JSON of 4194306 bytes, and schedframe reads up to 4194304"),
        (b"[]", "holds no scheduler state"),
    ],
)
def test_json_that_is_refused(text, said, tmp_path):
    path = tmp_path / "state.json"
    path.write_bytes(text)
    assert refusal(path).startswith(said)


def test_a_plain_pickle_is_refused(tmp_path, state):
    path = tmp_path / "state.pkl"
    path.write_bytes(pickle.dumps(state))
    assert refusal(path) == "is a pickle, and not one that torch.save wrote"
