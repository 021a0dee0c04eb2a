"""Logs as records, whatever format they have and whatever is between the lines."""

import json
import os
import struct
import tracemalloc
from pathlib import Path

import pytest

from schedframe import LogError
from schedframe._files.logs.formats import open_log
from schedframe._files.logs.record import folded

from ...logs import lines, write

EVERY_TEN = range(10, 51, 10)


def read(path: Path, *wanted: str) -> list[tuple[int, dict[str, float]]]:
    found = []
    with open_log(path, wanted or ("lr", "samples")) as log:
        for iterations, numbers in log.columns:
            rows = zip(*numbers.values(), strict=True)
            found += [
                (iteration, {name: float(x) for name, x in zip(numbers, row, strict=True) if x is not None})
                for iteration, row in zip(iterations, rows, strict=True)
            ]
    return found


def format_of(path: Path) -> str:
    with open_log(path, ("lr",)) as log:
        return log.format.name


RIGHT = [(n, {"lr": n / 1000, "samples": 8.0 * n}) for n in EVERY_TEN]


@pytest.fixture
def printed() -> list[str]:
    return list(lines(lambda n: n / 1000, EVERY_TEN))


def test_megatrons_lines_are_read(tmp_path: Path, printed: list[str]) -> None:
    assert read(write(tmp_path / "a.log", ["using world size: 1", *printed, "done"])) == RIGHT


def test_any_number_of_a_line_can_be_asked_for(tmp_path: Path, printed: list[str]) -> None:
    assert read(write(tmp_path / "a.log", printed), "loss", "grad_norm")[0] == (
        10,
        {"loss": 2.345678, "grad_norm": 0.123},
    )


@pytest.mark.parametrize("prefix", ["[rank7]: ", "default3]:", "\x1b[32m[INFO]\x1b[0m ", "\0\0\0"])
def test_what_stands_before_a_line_does_not_matter(tmp_path: Path, printed: list[str], prefix: str) -> None:
    assert read(write(tmp_path / "a.log", [prefix + line for line in printed])) == RIGHT


def test_colours_within_a_line_are_left_out(tmp_path: Path, printed: list[str]) -> None:
    coloured = [
        line.replace("learning rate: ", "learning rate: \x1b[1;31m").replace(" | global", "\x1b[0m | global")
        for line in printed
    ]
    assert read(write(tmp_path / "a.log", coloured)) == RIGHT


def test_windows_line_ends_are_line_ends(tmp_path: Path, printed: list[str]) -> None:
    (tmp_path / "a.log").write_bytes("\r\n".join(printed).encode())
    assert read(tmp_path / "a.log") == RIGHT


def test_a_cut_number_is_none(tmp_path: Path, printed: list[str]) -> None:
    cut = printed[-1][: printed[-1].index("learning rate: ") + len("learning rate: 5.0")]
    assert read(write(tmp_path / "a.log", [*printed[:-1], cut]), "lr") == [
        (n, {"lr": n / 1000}) for n in range(10, 41, 10)
    ]


def test_a_line_that_another_rank_interrupts_gives_nothing_to_it(tmp_path: Path, printed: list[str]) -> None:
    half = printed[0][: printed[0].index("elapsed")]
    assert read(write(tmp_path / "a.log", [half + printed[1]]), "lr") == [(20, {"lr": 0.02})]


def test_bytes_that_are_no_text_do_not_matter(tmp_path: Path, printed: list[str]) -> None:
    (tmp_path / "a.log").write_bytes(b"\xff\xfe\x80\n" + "\n".join(printed).encode() + b"\n\xc3")
    assert read(tmp_path / "a.log") == RIGHT


LONG = range(1, 2001)
"""More iterations than are read at once."""


@pytest.mark.parametrize(
    "between", ["", "saving checkpoint at iteration    10 to a", "{line}", " iteration 7/ 9 | cut"]
)
def test_lines_between_those_of_iterations_do_not_matter(tmp_path: Path, between: str) -> None:
    text = [part for line in lines(lambda n: n / 1000, LONG) for part in (line, between.format(line=line))]
    found = read(write(tmp_path / "a.log", text))
    assert list(dict(found).items()) == [(n, {"lr": n / 1000, "samples": 8.0 * n}) for n in LONG]


def test_fields_may_change_within_a_log(tmp_path: Path) -> None:
    text = list(lines(lambda n: n / 1000, LONG))
    text[1000:1500] = [line.replace("| global", "| weight decay: 0.1 | global") for line in text[1000:1500]]
    text[1500:] = [line.replace("loss scale: 1.0", "weight decay: 0.2") for line in text[1500:]]
    found = read(write(tmp_path / "a.log", text), "lr", "wd")
    assert found == [
        (n, {"lr": n / 1000, "wd": 0.1 if n <= 1500 else 0.2} if n > 1000 else {"lr": n / 1000}) for n in LONG
    ]


def test_a_line_that_is_broken_in_two_has_no_rate(tmp_path: Path) -> None:
    text = list(lines(lambda n: n / 1000, LONG))
    text[500] = text[500].replace("101.5 |", "10\n1.5 |")
    text[501] = text[501].replace(" | global", " \n| global")
    assert [n for n, numbers in read(write(tmp_path / "a.log", text), "lr") if n in (501, 502)] == []


def test_memory_does_not_grow_with_other_text(tmp_path: Path, printed: list[str]) -> None:
    with (tmp_path / "a.log").open("w") as file:
        for _ in range(40):
            file.write("x" * (1 << 20))
        file.write("\n" + "\n".join(["some other text"] * 200_000) + "\n" + "\n".join(printed))
    tracemalloc.start()
    found = read(tmp_path / "a.log")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == RIGHT
    assert peak < 12 << 20


def test_a_file_that_cannot_end_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(LogError, match="pipe is not a regular file"):
        read(tmp_path / "pipe")


def test_a_folder_is_refused_with_the_logs_in_it(tmp_path: Path) -> None:
    (tmp_path / "events.out.tfevents.1").touch()
    with pytest.raises(LogError, match=r"is a folder with events.out.tfevents.1; give the log's files"):
        read(tmp_path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LogError, match=r"no\.log does not exist"):
        read(tmp_path / "no.log")


def test_json_lines_are_read(tmp_path: Path) -> None:
    rows = [{"_step": 1, "train/lr": 1e-4}, {"_step": 2, "loss": 3.0}, {"_step": 3, "train/lr": 2.5e-05}]
    path = write(tmp_path / "a.jsonl", [*map(json.dumps, rows), '{"_step": 4, "train/l'])
    assert (format_of(path), read(path, "lr")) == ("jsonl", [(1, {"lr": 1e-4}), (3, {"lr": 2.5e-05})])


def test_the_iteration_is_preferred_to_the_loggers_own_step(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", ['{"_step": 17, "iteration": 5, "lr": 0.5}'])
    assert read(path, "lr") == [(5, {"lr": 0.5})]


def test_csv_is_read_as_wandb_exports_it(tmp_path: Path) -> None:
    header = '"Step","run-7 - learning-rate","run-7 - learning-rate__MIN"'
    path = write(
        tmp_path / "a.csv", [header, '"1","0.0001","0.0001"', '"2","",""', '"3","0.0002","0.0002"', '"4","0.0']
    )
    assert (format_of(path), read(path, "lr")) == ("csv", [(1, {"lr": 1e-4}), (3, {"lr": 2e-4})])


def test_columns_of_two_runs_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", ["Step,a - lr,b - lr", "1,0.1,0.2"])
    with pytest.raises(LogError, match="has several columns for lr: a - lr, b - lr; keep the one of the run"):
        read(path, "lr")


def test_the_state_of_transformers_trainer_is_read(tmp_path: Path) -> None:
    history = [{"step": 10, "learning_rate": 5e-05, "loss": 2.0}, {"step": 10, "eval_loss": 2.1}]
    (tmp_path / "trainer_state.json").write_text(json.dumps({"global_step": 10, "log_history": history}, indent=2))
    path = tmp_path / "trainer_state.json"
    assert (format_of(path), read(path, "lr")) == ("trainer_state", [(10, {"lr": 5e-05})])


@pytest.mark.parametrize(
    ("text", "says"), [('{"a":\n', "is not complete JSON"), ('{\n"a": 1}', "without the list log_history")]
)
def test_other_json_is_refused(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(LogError, match=says):
        read(tmp_path / "a.json")


def event(step: int, tag: str, value: bytes) -> bytes:
    scalar = b"\x0a" + bytes([len(tag)]) + tag.encode() + value
    summary = b"\x0a" + bytes([len(scalar)]) + scalar
    content = b"\x09" + struct.pack("<d", 1.0) + b"\x10" + bytes([step]) + b"\x2a" + bytes([len(summary)]) + summary
    return struct.pack("<Q", len(content)) + b"\0" * 4 + content + b"\0" * 4


def simple(value: float) -> bytes:
    return b"\x15" + struct.pack("<f", value)


def of_tensor(value: float) -> bytes:
    return b"\x42\x08\x08\x01\x22\x04" + struct.pack("<f", value)


def test_event_files_are_read_up_to_an_unfinished_record(tmp_path: Path) -> None:
    whole = event(1, "learning-rate", simple(0.5)) + event(2, "learning-rate vs samples", simple(9.0))
    path = tmp_path / "events.out.tfevents.1"
    path.write_bytes(whole + event(3, "train/lr", of_tensor(0.25)) + event(4, "lr", simple(1.0))[:-6])
    assert read(path, "lr") == [(1, {"lr": 0.5}), (3, {"lr": 0.25})]


def test_event_files_are_read_as_their_writer_writes_them(tmp_path: Path) -> None:
    tensorboardX = pytest.importorskip("tensorboardX")
    with tensorboardX.SummaryWriter(str(tmp_path)) as writer:
        for step in (1, 300):
            writer.add_scalar("learning-rate", step / 1024, step)
            writer.add_histogram("weights", [1.0, 2.0], step)
    (path,) = tmp_path.iterdir()
    assert (format_of(path), read(path, "lr")) == ("tensorboard", [(1, {"lr": 1 / 1024}), (300, {"lr": 300 / 1024})])


def test_a_damaged_event_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "events.out.tfevents.1").write_bytes(b"\xff" * 100)
    with pytest.raises(LogError, match="is damaged"):
        read(tmp_path / "events.out.tfevents.1")


@pytest.mark.parametrize(
    "name", ["learning rate", "Learning-Rate", "train/learning_rate", "run - learning-rate", "_learning_rate"]
)
def test_loggers_prefixes_and_spellings_are_one_name(name: str) -> None:
    assert folded(name) == "learning_rate"


def test_metrics_of_other_roles_and_of_the_schedules_step_are_not_the_runs(tmp_path: Path) -> None:
    row = {"schedule/default/lr": 0.5, "schedule/head/lr": 0.25, "step": 3, "schedule/step": 24}
    orders = [row, dict(sorted(row.items())), dict(reversed(row.items()))]
    path = write(tmp_path / "a.jsonl", [json.dumps(each) for each in orders])
    assert read(path, "lr") == [(3, {"lr": 0.5})] * 3


@pytest.mark.parametrize(
    ("name", "text"), [("a.csv", ["update,lr", "1,0.5"]), ("a.jsonl", ['{"update": 1, "lr": 0.5}'])]
)
def test_the_column_of_the_iteration_can_have_another_name(tmp_path: Path, name: str, text: list[str]) -> None:
    with open_log(write(tmp_path / name, text), ("lr",), iteration=("update",)) as log:
        assert [list(columns.iterations) for columns in log.columns] == [[1]]
