"""A small mixture of experts of real Megatron Core, its optimizer and our scheduler, for programs of their own."""

from __future__ import annotations

import warnings
from typing import Any

VOCABULARY, LENGTH = 32, 8


def built(schedule: Any, distributed: bool, **parallel: int) -> tuple[Any, Any, Any]:
    """Return a model, its optimizer, made by Megatron with our overrides beside its own, and the scheduler.

    Args:
        schedule: what the groups follow.
        distributed: in bf16 with Megatron's DistributedOptimizer, not in fp32.
        parallel: sizes of Megatron's parallel groups.
    """
    import gpt  # noqa: F401  the CPU stands in for CUDA from here on
    import torch
    from megatron.core.distributed import DistributedDataParallel, DistributedDataParallelConfig
    from megatron.core.models.gpt import GPTModel
    from megatron.core.models.gpt.gpt_layer_specs import get_gpt_layer_local_spec
    from megatron.core.optimizer import OptimizerConfig, get_megatron_optimizer, get_standard_config_overrides
    from megatron.core.transformer import TransformerConfig
    from megatron.core.transformer.module import Float16Module
    from megatron.core.transformer.moe import moe_utils

    from schedframe.megatron import build, config_overrides

    # 0.16.1 defines this name only where Transformer Engine is installed, and reads it everywhere.
    moe_utils.te_general_gemm = getattr(moe_utils, "te_general_gemm", None)
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
            **half,
            **parallel,
        )
    layers = get_gpt_layer_local_spec(num_experts=2, moe_grouped_gemm=False)
    model: Any = GPTModel(config, layers, VOCABULARY, LENGTH, position_embedding_type="rope")
    options = DistributedDataParallelConfig(use_distributed_optimizer=distributed)
    model = DistributedDataParallel(config, options, Float16Module(config, model) if distributed else model)
    adam = OptimizerConfig(
        lr=schedule.max_lr,
        min_lr=schedule.min_lr,
        weight_decay=0.1,
        bf16=distributed,
        use_distributed_optimizer=distributed,
    )
    overrides = {**get_standard_config_overrides(adam), **config_overrides(schedule, [model])}
    optimizer = get_megatron_optimizer(adam, [model], config_overrides=overrides)
    return model, optimizer, build(schedule, optimizer)


def update(model: Any, optimizer: Any, samples: Any) -> float:
    """Train on `samples` once, and return the loss."""
    import gpt
    from megatron.core.distributed import finalize_model_grads

    model.zero_grad_buffer()
    optimizer.zero_grad()
    loss = gpt.loss_of(model, samples)
    loss.backward()
    finalize_model_grads([model])
    updated, _, _ = optimizer.step()
    assert updated
    return loss.item()
