"""The public loss curves, where they are: each as a log and the schedule that its run had.

``SCHEDFRAME_LOSS_CURVES`` names their folder; by default it is ``../shared/loss_curves`` beside the checkout. It has

- ``multi-power-law/``: the 100M and 400M models of thu-yao-01-luo/MultiPowerLaw at 8da9f19;
- ``lr-scheduling/``: the 124M model of fabian-sp/lr-scheduling at 8ace3a3, and ``index.csv`` with what each run was;
- ``unseen/SET/``: what ``unseen_curves.py`` writes;
- ``own/SET/NAME.csv`` (or ``.jsonl``, ``.log``) beside ``own/SET/NAME.yaml``: runs of your own, a folder a model.
"""

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from schedframe import Schedule, load
from schedframe.foresight import Log, log_of, read

ROOT = Path(__file__).resolve().parents[1]
"""The root of the checkout."""

FOLDER = Path(os.environ.get("SCHEDFRAME_LOSS_CURVES") or ROOT.parent / "shared" / "loss_curves")


@dataclass(frozen=True, eq=False)
class Run:
    """A run of a set.

    Attributes:
        set: the model, and its peak learning rate where it was trained with several.
        name: of the run within the set.
        log: its losses.
        schedule: its learning rate.
    """

    set: str
    name: str
    log: Log
    schedule: Schedule


def schedule(length: int, **keys: Any) -> Schedule:
    """Return a schedule that counts updates."""
    return Schedule(clock="iters", train_iters=length, **keys)


def wsd(length: int, share: float, curve: Any = "linear", **keys: Any) -> Schedule:
    """Return a WSD schedule with a cooldown of a share of its length."""
    style = {"style": "WSD", "wsd_decay_steps": round(share * length), "lr_wsd_decay_style": curve}
    return schedule(length, lr_decay_style=style, **keys)


@cache
def multi_power() -> tuple[Run, ...]:
    """Return the runs of the 100M and 400M models: peak 3e-4, end 3e-5, warmup of 2,160 updates."""
    return tuple(_multi_power())


def _multi_power() -> Iterator[Run]:
    for path in sorted((FOLDER / "multi-power-law").glob("*.csv")):
        size, _, name = path.stem.partition("_")
        yield Run(size, name, _log(path, "step", "loss"), multi_power_schedule(name))


def multi_power_schedule(name: str) -> Schedule:
    """Return the schedule of a run of thu-yao-01-luo/MultiPowerLaw, by its name."""
    keys: dict[str, Any] = {"max_lr": 3e-4, "min_lr": 3e-5, "lr_warmup_steps": 2160}
    kind, *numbers = name.split("_")
    if kind == "wsdcon":
        after = {"9": 0.3, "18": 0.6, "3": 0.1}[numbers[0]]
        style: Any = {"style": "multi-step", "milestones": [0.5], "multipliers": [after]}
        return schedule(16000, lr_decay_style=style, **{**keys, "min_lr": 0.0})
    if kind in ("cosine", "constant"):
        return schedule(int(numbers[0]), lr_decay_style=kind, **keys)
    phases = [
        {"style": "constant", "length": 20000 - 2160},
        {"style": {"wsd": "geometric"}.get(kind, "linear")},
    ]
    return schedule(24000, lr_decay_style={"style": "phases", "phases": phases}, **keys)


@cache
def scheduling() -> tuple[Run, ...]:
    """Return the runs of the 124M model: three peaks, 15,000 to 50,000 updates, warmup of 300.

    A run with a cooldown branched off a run at a constant learning rate: its log begins with that one's.
    """
    folder = FOLDER / "lr-scheduling"
    rows = list(csv.DictReader((folder / "index.csv").read_text().splitlines()))
    logs = {row["file"]: _log(folder / row["file"], "iter", "val_loss") for row in rows}
    return tuple(_scheduling(rows, logs))


def _scheduling(rows: list[dict[str, str]], logs: dict[str, Log]) -> Iterator[Run]:
    trunks = {row["peak_lr"]: logs[row["file"]] for row in rows if "50000_cooldown0_" in row["file"]}
    for row in rows:
        length, peak, share = int(row["iterations"]), float(row["peak_lr"]), float(row["cooldown_fraction"])
        log, keys = logs[row["file"]], {"max_lr": peak, "lr_warmup_steps": 300}
        if row["scheduler"] == "cos":
            end = float(row["lr_at_last_logged_iter"])
            made = schedule(length, lr_decay_style="cosine", min_lr=end, **keys)
        elif share == 0:
            made = schedule(length, lr_decay_style="constant", **keys)
        else:
            made = wsd(length, share, {"linear": "linear", "sqrt": "minus_sqrt"}[row["cooldown_shape"]], **keys)
            trunk = trunks[row["peak_lr"]]
            before = trunk.steps < log.steps[0]
            log = log_of([*trunk.steps[before], *log.steps], [*trunk.loss[before], *log.loss], name=row["file"])
        yield Run(f"124M, {row['peak_lr']}", row["file"][: -len(".csv")], log, made)


def _log(path: Path, step: str, loss: str) -> Log:
    rows = list(csv.DictReader(path.read_text().splitlines()))
    lr = [float(row["lr"]) for row in rows] if "lr" in rows[0] else None
    return log_of([float(row[step]) for row in rows], [float(row[loss]) for row in rows], lr, path.name)


def own() -> tuple[Run, ...]:
    """Return the runs that a person added."""
    return _of_files("own")


def unseen() -> tuple[Run, ...]:
    """Return the runs that ``unseen_curves.py`` wrote, on which nothing was chosen."""
    return _of_files("unseen")


@cache
def _of_files(folder: str) -> tuple[Run, ...]:
    files = sorted((FOLDER / folder).glob("*/*.yaml"))
    return tuple(
        Run(file.parent.name, file.stem, read(log), load(file))
        for file in files
        for log in sorted(file.parent.glob(f"{file.stem}.*"))
        if log.suffix in (".csv", ".jsonl", ".log")
    )


def of(runs: tuple[Run, ...], set_: str, name: str) -> Run:
    """Return one run."""
    return next(run for run in runs if (run.set, run.name) == (set_, name))
