"""Two ranks of real Megatron Core with an expert each, under rules for param groups; writes what each rank holds.

``python -m torch.distributed.run --standalone --nproc-per-node 2 groups_ranks_run.py FOLDER``, with
docs/examples/train_gpt on the path. What is right is said in test_groups.py.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # pytest looks for doctests in here, and needs no Megatron for that
    import gpt  # noqa: F401  the CPU stands in for CUDA from here on
    import mixture
    import torch
    import torch.distributed as dist
    from megatron.core import parallel_state
    from megatron.core.tensor_parallel import model_parallel_cuda_manual_seed

    from schedframe import Schedule

STEPS = 10
SCHEDULE: dict[str, Any] = {
    "train_samples": 160,
    "max_lr": 1e-3,
    "min_lr": 1e-4,
    "lr_warmup_steps": 8,
    "lr_decay_style": "cosine",
    "start_wd": 0.1,
    "groups": [
        {"role": "experts", "match": {"key": {"is_expert_parallel": True}}, "lr_mult": 0.5},
        {"role": "router", "match": {"param": "*.router.*"}, "lr_mult": 0.1, "lr_decay_style": "linear"},
    ],
}


def trained(distributed: bool) -> dict[str, Any]:
    """Train, in fp32 or with the DistributedOptimizer, whose groups hold flat shards, empty on some ranks."""
    model, optimizer, scheduler = mixture.built(Schedule(**SCHEDULE), distributed, expert_model_parallel_size=2)
    scheduler.verify_ranks()
    for _ in range(STEPS):
        mixture.update(model, optimizer, torch.randint(mixture.VOCABULARY, (2, mixture.LENGTH + 1)))
        scheduler.step(increment=4)
    return {
        "optimizers": [type(leaf).__name__ for leaf in optimizer.chained_optimizers],
        "roles": list(scheduler._role_plans.roles.by_index),
        "sizes": [sum(parameter.numel() for parameter in group["params"]) for group in optimizer.param_groups],
        "held": [[group["lr"], group["weight_decay"]] for group in optimizer.param_groups],
        "report": scheduler.report(),
        "state": scheduler.state_dict(),
    }


def main(folder: Path) -> None:
    """Write the answers of this rank."""
    dist.init_process_group("gloo")
    parallel_state.initialize_model_parallel(expert_model_parallel_size=2)
    torch.set_num_threads(1)
    model_parallel_cuda_manual_seed(1)
    answers = {"fp32": trained(False), "distributed": trained(True)}
    (folder / f"{dist.get_rank()}.json").write_text(json.dumps(answers))
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
