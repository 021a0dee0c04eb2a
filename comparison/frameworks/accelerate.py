"""Accelerate: huggingface/accelerate:src/accelerate/scheduler.py.

It has no schedules, and counts those of others: a prepared scheduler is stepped with every update, as often as there
are processes, or once with ``split_batches``. The loop is that of the
documentation of ``accumulate`` (src/accelerate/accelerator.py).
"""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import accelerate
import torch
from accelerate.state import AcceleratorState, GradientState, PartialState
from case import Case, Framework
from torch.optim import lr_scheduler as lrs

UPDATES = 40
PEAK = 5e-5
PROCESSES = 2


def train(make: Callable[..., Any], file: Path, options: dict[str, Any]) -> None:
    """Write the learning rate of each update to `file`."""
    for state in (AcceleratorState, GradientState, PartialState):
        state._reset_state()
    split = accelerate.utils.DataLoaderConfiguration(split_batches=options.pop("split_batches", False))
    accelerator = accelerate.Accelerator(cpu=True, dataloader_config=split, **options)
    accumulated = accelerator.gradient_accumulation_steps
    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=PEAK)
    samples = torch.ones(UPDATES * accumulated * accelerator.num_processes * 2, 1)
    loader = torch.utils.data.DataLoader(
        samples, batch_size=2 * (accelerator.num_processes if split.split_batches else 1)
    )
    model, optimizer, loader, scheduler = accelerator.prepare(model, optimizer, loader, make(optimizer))
    read = []
    for batch in loader:
        with accelerator.accumulate(model):
            accelerator.backward(model(batch).sum())
            if accelerator.sync_gradients:
                read.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad()
    if accelerator.is_main_process:
        file.write_text(json.dumps(read))


def run(make: Callable[..., Any], processes: int = 1, **options: Any) -> Callable[[], list[float]]:
    def rates() -> list[float]:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "rates.json")
            if processes == 1:
                train(make, file, options)
            else:
                accelerate.debug_launcher(train, (make, file, options), num_processes=processes)
            read: list[float] = json.loads(file.read_text())
        return read

    return rates


def cosine(length: int) -> Callable[..., Any]:
    return lambda optimizer: lrs.CosineAnnealingLR(optimizer, length, 5e-6)


def one_cycle(optimizer: torch.optim.Optimizer) -> Any:
    return lrs.OneCycleLR(optimizer, PEAK, total_steps=UPDATES)


def warm(warmup: int) -> Callable[..., Any]:
    return lambda optimizer: lrs.LinearLR(optimizer, 0.1, 1.0, warmup)


def keys(style: Any, **others: Any) -> dict[str, Any]:
    return {"clock": "iters", "train_iters": UPDATES, "max_lr": PEAK, "lr_decay_style": style, **others}


DOUBLED = "made for 80 steps: two processes step it twice an update"
CASES = [
    Case("CosineAnnealingLR(T_max=40)", UPDATES, run(cosine(UPDATES)), keys("cosine", min_lr=5e-6)),
    Case(
        "CosineAnnealingLR(T_max=40), gradient_accumulation_steps=4",
        UPDATES,
        run(cosine(UPDATES), gradient_accumulation_steps=4),
        keys("cosine", min_lr=5e-6),
    ),
    Case("OneCycleLR(total_steps=40)", UPDATES, run(one_cycle), keys("one-cycle")),
    Case(
        "CosineAnnealingLR(T_max=80), two processes",
        UPDATES,
        run(cosine(2 * UPDATES), PROCESSES),
        keys("cosine", min_lr=5e-6),
        note=DOUBLED,
    ),
    Case(
        "LinearLR(total_iters=20), two processes, gradient_accumulation_steps=2",
        UPDATES,
        run(warm(20), PROCESSES, gradient_accumulation_steps=2),
        keys("constant", lr_warmup_steps=10, init_lr="10%"),
        note="two processes step it twice an update",
    ),
    Case(
        "CosineAnnealingLR(T_max=40), two processes, split_batches",
        UPDATES,
        run(cosine(UPDATES), PROCESSES, split_batches=True),
        keys("cosine", min_lr=5e-6),
    ),
    Case(
        "CosineAnnealingLR(T_max=40), two processes, step_scheduler_with_optimizer=False",
        UPDATES,
        run(cosine(UPDATES), PROCESSES, step_scheduler_with_optimizer=False),
        keys("cosine", min_lr=5e-6),
    ),
]
FRAMEWORK = Framework(
    "Accelerate",
    f"accelerate {accelerate.__version__}",
    CASES,
    {
        "step_scheduler_with_optimizer=False with accumulated gradients": "the scheduler counts batches then: the "
        "learning rate of an update is that of its last batch",
    },
)
