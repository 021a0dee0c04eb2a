"""Trainings with accelerate; as a program, ``accelerate_run.py FOLDER`` makes those of ``FOLDER/trainings.json``."""

import json
import os
import signal
import sys
import warnings
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator, DataLoaderConfiguration
from accelerate.state import AcceleratorState, GradientState

import schedframe
from schedframe import SchedframeWarning
from schedframe.adapters.accelerate import scheduler_for
from schedframe.adapters.torch import ScheduledLR
from tests.adapters import one_file


def train(
    folder: Path,
    file: Path,
    *,
    split_batches: bool = False,
    step_scheduler_with_optimizer: bool = True,
    is_prepared_before: bool = False,
    calls_per_update: int | None = None,
    is_of_torch: bool = False,
    overrides: bool | None = None,
    resume: str | None = None,
    save_at: int | None = None,
    state: str = "state",
    die_at: int | None = None,
) -> dict[str, Any]:
    """Train for 40 updates of two micro-batches, the last of one, and return the groups' values and the weights.

    Args:
        folder: where a state is saved.
        file: of the schedule.
        split_batches: an argument of accelerate.
        step_scheduler_with_optimizer: an argument of accelerate; without it, the loop steps once an update.
        is_prepared_before: make the scheduler for the optimizer that accelerate has wrapped.
        calls_per_update: make the scheduler without the adapter, with this number.
        is_of_torch: run the same learning rates by a scheduler of torch, and no weight decay.
        overrides: the schedule is used whatever the state has.
        resume: a state to go on from.
        save_at: save a state after this update.
        state: its name.
        die_at: kill the process after this update.
    """
    AcceleratorState._reset_state(reset_partial_state=False)
    GradientState._reset_state()
    accelerator = Accelerator(
        cpu=True,
        gradient_accumulation_steps=2,
        dataloader_config=DataLoaderConfiguration(split_batches=split_batches),
        step_scheduler_with_optimizer=step_scheduler_with_optimizer,
    )
    model = one_file.Net()
    groups = [
        {"params": [model.body.weight], "weight_decay": 0.1, "role": "default"},
        {"params": [model.head.weight], "weight_decay": 0.1, "role": "head"},
        {"params": [model.body.bias], "weight_decay": 0.0, "role": "default"},
        {"params": [model.head.bias], "weight_decay": 0.0, "role": "head"},
    ]
    optimizer = torch.optim.AdamW(groups, lr=1.0)
    inputs = torch.randn(79 * 8, 6, generator=torch.Generator().manual_seed(0))
    size = 8 if split_batches else 8 // accelerator.num_processes
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(inputs), batch_size=size)
    if is_prepared_before:
        optimizer = accelerator.prepare(optimizer)
    scheduler: Any
    if is_of_torch:
        rate = schedframe.load(file).lr_at
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda calls: rate(calls / accelerator.num_processes))
    elif calls_per_update is not None:
        scheduler = ScheduledLR(optimizer, file, calls_per_update=calls_per_update)
    else:
        scheduler = scheduler_for(
            accelerator, optimizer, file, num_training_steps=40, override_opt_param_scheduler=overrides
        )
    model, optimizer, loader, scheduler = accelerator.prepare(model, optimizer, loader, scheduler)
    done = 0
    if resume is not None:
        accelerator.load_state(resume)
        done = scheduler.scheduler.last_epoch
    values: list[one_file.Values] = []
    for (x,) in accelerator.skip_first_batches(loader, 2 * done):
        with accelerator.accumulate(model):
            accelerator.backward((model(x[:, :4]) - x[:, 4:]).square().mean())
            optimizer.step()
            if accelerator.sync_gradients:
                values.append(one_file.values_of(optimizer))
            if accelerator.sync_gradients or step_scheduler_with_optimizer:
                scheduler.step()
            optimizer.zero_grad()
        if accelerator.sync_gradients and done + len(values) == save_at:
            accelerator.save_state(str(folder / state))
        if done + len(values) == die_at:
            os.kill(os.getpid(), signal.SIGKILL)
    return {"values": values, "weights": [parameter.detach() for parameter in model.parameters()]}


def main(folder: Path) -> None:
    """Make each training, with the number of this process in the name of the file that it writes."""
    for name, settings in json.loads((folder / "trainings.json").read_text()).items():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", SchedframeWarning)
            seen = train(folder, folder / settings.pop("file", "run.yaml"), **settings)
        seen["told"] = [str(warning.message) for warning in caught if issubclass(warning.category, SchedframeWarning)]
        torch.save(seen, folder / f"{name}-{os.environ['RANK']}.pt")
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
