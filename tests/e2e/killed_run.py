"""A training run that is killed again and again, beside the same run that never is; prints what both held, as JSON.

``python killed_run.py FOLDER``, with docs/examples/train_gpt on the path. Every attempt is a process of its own, which
starts from what is on disk, writes checkpoints, and tells through a pipe what it does; the parent, which has
imported Megatron for all of them, kills it with SIGKILL. What is right is said in test_killed.py.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

if __name__ == "__main__":  # pytest looks for doctests in here, and needs no Megatron for that
    import gpt
    import text
    import torch
    from megatron.core.distributed import finalize_model_grads

    from schedframe import Schedule

ITERATIONS, BATCH, LENGTH = 240, 4, 16
BETWEEN_CHECKPOINTS = 10
SCHEDULE = {
    "train_samples": ITERATIONS * BATCH,
    "max_lr": 1e-2,
    "min_lr": 1e-3,
    "lr_warmup_steps": "10%",
    "lr_decay_style": {"style": "WSD", "wsd_decay_steps": "40%", "lr_wsd_decay_style": "minus_sqrt"},
    "start_wd": 0.1,
    "end_wd": 0.01,
    "wd_incr_style": "cosine",
}

WRITING = ("opened", "piece", "synced", "replaced", "pointed")
"""What a run tells between the beginning of a checkpoint and its end."""

KILLS, KILLS_IN_A_WRITE, KILLS_IN_A_FILE, MOST_ATTEMPTS = 24, 8, 4, 100
"""The run is killed at least so often: at all, in a write, where a file was half there."""

Report = Callable[..., None]


def train(folder: Path, data: torch.Tensor, report: Report, forget: tuple[str, ...] = ()) -> None:
    """Train to the end, from the latest checkpoint in `folder` if there is one; `forget` what it has under these keys.

    Tells each iteration before its update: the loss, the position, and what the param groups hold.
    """
    schedule = Schedule(**SCHEDULE)
    with gpt.distributed(seed=1):
        model = gpt.build_model(text.VOCABULARY, layers=1, hidden=16, heads=2, length=LENGTH)
        optimizer = gpt.build_optimizer(model, schedule.max_lr, schedule.min_lr, schedule.start_wd)
        scheduler = schedule.build(optimizer)
        samples = Samples()
        parts = {"model": model, "optimizer": optimizer, "opt_param_scheduler": scheduler, "data": samples}
        path = latest(folder)
        if path is not None:
            report("loading")
            state = torch.load(path)
            for key, part in parts.items():
                if key not in forget:
                    part.load_state_dict(state[key])

        for iteration in range(samples.batches, ITERATIONS + 1):
            model.zero_grad_buffer()
            optimizer.zero_grad()
            loss = gpt.loss_of(model, samples.next(data))
            report(
                "iteration",
                iteration=iteration,
                loss=loss.item(),
                num_steps=scheduler.num_steps,
                groups=held(optimizer.param_groups),
            )
            if iteration == ITERATIONS:
                break
            loss.backward()
            finalize_model_grads([model])
            updated, _, _ = optimizer.step()
            assert updated
            scheduler.step(BATCH)
            if (iteration + 1) % BETWEEN_CHECKPOINTS == 0:
                state = {key: part.state_dict() for key, part in parts.items()}
                write(folder, iteration + 1, state, report)
                report("saved", iteration=iteration + 1, digest=digest(state))

        state = {key: part.state_dict() for key, part in parts.items()}
        groups = [{key: value for key, value in group.items() if key != "params"} for group in optimizer.param_groups]
        report(
            "finished",
            weights=digests(state["model"]),
            moments=digests(state["optimizer"]["state"]),
            groups=groups,
            scheduler=state["opt_param_scheduler"],
        )


class Samples:
    """The data: random places in the text, and how many batches were taken from it."""

    def __init__(self) -> None:
        self.batches = 0
        self._random = torch.Generator().manual_seed(2)

    def next(self, data: torch.Tensor) -> torch.Tensor:
        self.batches += 1
        numbers = torch.randint(2**20, (BATCH,), generator=self._random).tolist()
        return text.samples(data, numbers, LENGTH)

    def state_dict(self) -> dict[str, Any]:
        return {"batches": self.batches, "random": self._random.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.batches = state["batches"]
        self._random.set_state(state["random"])


def write(folder: Path, iteration: int, state: dict[str, Any], report: Report) -> None:
    """Write a checkpoint, whole or not at all, then the file that names it; keep the last two."""
    content = io.BytesIO()
    torch.save(state, content)
    path = folder / f"iteration_{iteration:04}.pt"
    replace(path, content.getvalue(), report)
    report("replaced")
    replace(folder / "latest", path.name.encode(), report)
    report("pointed")
    for old in sorted(folder.glob("*.pt"))[:-2]:
        old.unlink()


def replace(path: Path, content: bytes, report: Report) -> None:
    part = path.with_name(f"{path.name}.part")
    with part.open("wb", buffering=0) as file:
        report("opened")
        size = len(content) // 8 + 1
        for start in range(0, len(content), size):
            file.write(content[start : start + size])
            report("piece")
            time.sleep(0.001)  # a slow disk, which a kill can hit
        os.fsync(file.fileno())
    report("synced")
    part.replace(path)


def latest(folder: Path) -> Path | None:
    pointer = folder / "latest"
    return folder / pointer.read_text() if pointer.exists() else None


def held(param_groups: list[dict[str, Any]]) -> list[list[float]]:
    """Return [lr, weight_decay, wd_mult] of every group."""
    return [[group["lr"], group["weight_decay"], group["wd_mult"]] for group in param_groups]


def digests(state: dict[Any, Any]) -> dict[str, str]:
    """Return a digest of the bytes of every tensor."""
    return {name: hashlib.sha256(tensor.numpy().tobytes()).hexdigest() for name, tensor in tensors(state)}


def digest(state: dict[str, Any]) -> str:
    """Return one digest of everything in a checkpoint that is a tensor: weights, moments, random state."""
    return hashlib.sha256(json.dumps(digests(state), sort_keys=True).encode()).hexdigest()


def tensors(state: dict[Any, Any], prefix: str = "") -> Iterator[tuple[str, torch.Tensor]]:
    for key, value in state.items():
        if isinstance(value, dict):
            yield from tensors(value, f"{prefix}{key}/")
        elif isinstance(value, torch.Tensor):
            yield f"{prefix}{key}", value.detach().contiguous()


class Kill(NamedTuple):
    """When to kill: `delay` seconds after `word` was told `count` times."""

    word: str
    count: int
    delay: float


def attempt(folder: Path, data: torch.Tensor, kill: Kill | None = None, forget: tuple[str, ...] = ()) -> dict[str, Any]:
    """Run a process until it ends or is killed; return what it told and how it ended."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _be_the_child(folder, data, writer, forget)
    os.close(writer)
    told: list[dict[str, Any]] = []
    with os.fdopen(reader, "rb") as lines:
        for line in lines:
            if not line.endswith(b"\n"):
                break  # it was killed while it told this
            told.append(json.loads(line))
            if kill and told[-1]["word"] == kill.word and [one["word"] for one in told].count(kill.word) == kill.count:
                time.sleep(kill.delay)
                os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    if status and not killed:
        sys.exit(f"an attempt failed with status {status}")
    return {"killed": killed, "told": told}


def _be_the_child(folder: Path, data: torch.Tensor, writer: int, forget: tuple[str, ...]) -> None:
    def report(word: str, **facts: Any) -> None:
        os.write(writer, json.dumps({"word": word, **facts}).encode() + b"\n")

    code = 1
    try:
        report("started")
        train(folder, data, report, forget)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def random_kill(draw: random.Random, iterations: int) -> Kill:
    """Return a moment within about `iterations`: anywhere in one, in a write, in start or load."""
    kind = draw.choice(("iteration", "iteration", "write", "write", "write", "start"))
    if kind == "iteration":
        return Kill("iteration", draw.randint(1, iterations), draw.uniform(0, 0.02))
    if kind == "write":
        word = draw.choice(WRITING)
        return Kill(word, draw.randint(1, 8 if word == "piece" else 2), draw.uniform(0, 0.001))
    return Kill(draw.choice(("started", "loading")), 1, draw.uniform(0, 0.2))


def on_disk(folder: Path) -> dict[str, Any]:
    """Return what a kill left: the checkpoints, loaded; which of them the pointer names; files that are none."""
    checkpoints = {}
    for path in sorted(folder.glob("*.pt")):
        state = torch.load(path)
        checkpoints[path.name] = {
            "iteration": state["data"]["batches"],
            "num_steps": state["opt_param_scheduler"]["num_steps"],
            "groups": held(state["optimizer"]["param_groups"]),
            "digest": digest(state),
        }
    path = latest(folder)
    parts = sorted(part.name for part in folder.glob("*.part"))
    return {"checkpoints": checkpoints, "latest": path and path.name, "parts": parts}


def main(folder: Path) -> dict[str, Any]:
    """Run to the end without a kill, then with many."""
    data = text.read()
    draw = random.Random(20)
    whole, killed = folder / "whole", folder / "killed"
    whole.mkdir()
    killed.mkdir()
    never_killed = attempt(whole, data)
    attempts: list[dict[str, Any]] = []
    kills = in_a_write = in_a_file = position = 0
    while len(attempts) < MOST_ATTEMPTS:
        enough = kills >= KILLS and in_a_write >= KILLS_IN_A_WRITE and in_a_file >= KILLS_IN_A_FILE
        # Early kills leave iterations for the later ones to hit.
        share = max(1, (ITERATIONS - position) // max(1, KILLS - kills))
        kill = None if enough else random_kill(draw, 2 * min(BETWEEN_CHECKPOINTS, share))
        this = {**attempt(killed, data, kill), "disk": on_disk(killed)}
        attempts.append(this)
        if not this["killed"]:
            break
        last = this["told"][-1]["word"]
        kills += 1
        in_a_write += last in WRITING
        in_a_file += last in ("opened", "piece")
        name = this["disk"]["latest"]
        position = this["disk"]["checkpoints"][name]["iteration"] if name else 0

    (whole / "latest").write_text(f"iteration_{ITERATIONS - BETWEEN_CHECKPOINTS:04}.pt")
    forgetful = attempt(whole, data, forget=("opt_param_scheduler",))
    return {"never_killed": never_killed, "attempts": attempts, "forgetful": forgetful}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
