"""Two ranks of real Megatron Core with an expert each, under rules for param groups; writes what each rank holds.

``python -m torch.distributed.run --standalone --nproc-per-node 2 groups_ranks_run.py FOLDER``, with
docs/examples/train_gpt on the path. What is right is said in test_groups.py.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # pytest looks for doctests in here, and needs no Megatron for that
    import gpt
    import torch
    import torch.distributed as dist
    from megatron.core import parallel_state
    from megatron.core.distributed import DistributedDataParallel, DistributedDataParallelConfig, finalize_model_grads
    from megatron.core.models.gpt import GPTModel
    from megatron.core.models.gpt.gpt_layer_specs import get_gpt_layer_local_spec
    from megatron.core.optimizer import OptimizerConfig, get_megatron_optimizer, get_standard_config_overrides
    from megatron.core.tensor_parallel import model_parallel_cuda_manual_seed
    from megatron.core.transformer import TransformerConfig
    from megatron.core.transformer.module import Float16Module
    from megatron.core.transformer.moe import moe_utils

    from schedframe import Schedule
    from schedframe.megatron import build, config_overrides

    # 0.16.1 defines this name only where Transformer Engine is installed, and reads it everywhere.
    moe_utils.te_general_gemm = getattr(moe_utils, "te_general_gemm", None)

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
    torch.manual_seed(1)
    half = {"bf16": True, "params_dtype": torch.bfloat16} if distributed else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        config = TransformerConfig(
            num_layers=1,
            hidden_size=8,
            num_attention_heads=2,
            hidden_dropout=0.0,
            attention_dropout=0.0,
            use_cpu_initialization=True,
            add_bias_linear=False,
            num_moe_experts=2,
            moe_router_topk=1,
            moe_router_pre_softmax=True,
            moe_ffn_hidden_size=16,
            moe_token_dispatcher_type="allgather",
            expert_model_parallel_size=2,
            **half,
        )
    layers = get_gpt_layer_local_spec(num_experts=2, moe_grouped_gemm=False)
    model = GPTModel(config, layers, 32, 8, position_embedding_type="rope")
    options = DistributedDataParallelConfig(use_distributed_optimizer=distributed)
    model = DistributedDataParallel(config, options, Float16Module(config, model) if distributed else model)
    schedule = Schedule(**SCHEDULE)
    adam = OptimizerConfig(
        lr=1e-3, min_lr=1e-4, weight_decay=0.1, bf16=distributed, use_distributed_optimizer=distributed
    )
    overrides = {**get_standard_config_overrides(adam), **config_overrides(schedule, [model])}
    optimizer = get_megatron_optimizer(adam, [model], config_overrides=overrides)
    scheduler = build(schedule, optimizer)
    scheduler.verify_ranks()
    for _ in range(STEPS):
        model.zero_grad_buffer()
        optimizer.zero_grad()
        gpt.loss_of(model, torch.randint(32, (2, 9))).backward()
        finalize_model_grads([model])
        assert optimizer.step()[0]
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
