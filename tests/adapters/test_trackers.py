"""What real trackers keep of `metrics()`. MLflow, W&B and TensorBoard's own reader are installed by `make adapters`."""

import importlib
import json
import runpy
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import schedframe
from schedframe import OptimizerParamScheduler, Schedule
from tests.adapters.pages import PAGES, write_scripts
from tests.runs import Optimizer

ROLES = ("router", "no decay", "heads/first", "Köpfe ✓")
KEYS: dict[str, Any] = {
    "train_iters": 40,
    "clock": "iters",
    "global_batch_size": 8,
    "seq_length": 128,
    "max_lr": 1e-3,
    "start_wd": 0.1,
    "groups": [{"role": role, "match": {"index": at // 2}, "wd_mult": 0.5} for at, role in enumerate(ROLES)],
}


@pytest.fixture
def scheduler() -> OptimizerParamScheduler:
    """Return one whose roles have names that trackers refuse; two of them are joined with ``+``."""
    scheduler = Schedule(**KEYS).build(Optimizer({}, {}, {}))
    scheduler.step(7)
    return scheduler


@pytest.fixture
def metrics(scheduler: OptimizerParamScheduler) -> dict[str, float]:
    return scheduler.metrics()


def test_each_role_has_a_name_that_every_tracker_takes(metrics: dict[str, float]) -> None:
    assert {name.split("/")[1] for name in metrics if name.count("/") == 2} == {
        *("default", "router", "no_decay", "router.no_decay"),
        *("heads_first", "K_pfe__", "heads_first.K_pfe__"),
    }


def test_roles_that_differ_in_what_is_refused_keep_names_of_their_own() -> None:
    groups = [{"role": role, "match": {"index": at}, "wd_mult": 0.5} for at, role in enumerate(("ä b", "ö_b", "_ b"))]
    scheduler = Schedule(**{**KEYS, "groups": groups}).build(Optimizer({}, {}, {}))
    assert {name.split("/")[1] for name in scheduler.metrics() if name.endswith("/lr")} == {
        *("default", "__b", "__b_", "__b__"),
    }


def events(folder: Path) -> Iterator[bytes]:
    """Yield the records of the event file in `folder`: a length, its checksum, the record, its checksum."""
    (file,) = folder.glob("events*")
    data = file.read_bytes()
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        yield data[12 : 12 + length]
        data = data[16 + length :]


@pytest.mark.parametrize("writer", ["tensorboardX", "torch.utils.tensorboard"])
def test_tensorboard(writer: str, metrics: dict[str, float], tmp_path: Path) -> None:
    module = pytest.importorskip(writer)
    proto = importlib.import_module(
        "tensorboardX.proto.event_pb2" if writer == "tensorboardX" else "tensorboard.compat.proto.event_pb2"
    )
    with module.SummaryWriter(str(tmp_path)) as board:
        for name, value in metrics.items():
            board.add_scalar(name, value, 7)
    summaries = [event.summary.value for event in map(proto.Event.FromString, events(tmp_path))]
    kept = {value.tag: value.simple_value for values in summaries for value in values}
    assert kept == pytest.approx(metrics)


def test_the_script_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    event_pb2 = pytest.importorskip("tensorboardX.proto.event_pb2")
    write_scripts(PAGES / "log-to-a-tracker.md", tmp_path)
    monkeypatch.chdir(tmp_path)
    runpy.run_path("train.py")
    summaries = [event.summary.value for event in map(event_pb2.Event.FromString, events(tmp_path / "logs"))]
    lrs = [value.simple_value for values in summaries for value in values if value.tag == "schedule/default/lr"]
    assert lrs == pytest.approx(schedframe.load("run.yaml").lr_at(range(100)))


def test_mlflow(
    scheduler: OptimizerParamScheduler, metrics: dict[str, float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # mlflow-skinny has no other store of its own
    mlflow.set_tracking_uri((tmp_path / "mlruns").as_uri())
    with mlflow.start_run() as run:
        mlflow.log_metrics(metrics, step=7)
        mlflow.log_param("schedule_fingerprint", scheduler.fingerprint)
        mlflow.log_dict(Schedule(**KEYS).to_dict(), "schedule.json")
        kept = json.loads(Path(run.info.artifact_uri.removeprefix("file://"), "schedule.json").read_text())
    data = mlflow.get_run(run.info.run_id).data
    assert (data.metrics, data.params) == (metrics, {"schedule_fingerprint": scheduler.fingerprint})
    assert Schedule(**kept) == Schedule(**KEYS)


def test_wandb(
    scheduler: OptimizerParamScheduler, metrics: dict[str, float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wandb = pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_SILENT", "true")
    config = {"schedule": Schedule(**KEYS).to_dict(), "schedule_fingerprint": scheduler.fingerprint}
    run = wandb.init(project="test", mode="offline", dir=str(tmp_path), config=config)
    assert Schedule(**run.config["schedule"]) == Schedule(**KEYS)
    run.log(metrics, step=7)
    run.finish()
    wandb.teardown()  # what was logged is in the file when its process has ended
    (file,) = tmp_path.rglob("*.wandb")
    kept = file.read_bytes()
    assert [name for name in metrics if name.encode() not in kept] == []
    assert [value for value in metrics.values() if json.dumps(value).encode() not in kept] == []
    assert scheduler.fingerprint.encode() in kept
