"""A real Megatron Core mixture of experts trained under rules for param groups; prints what happened, as JSON.

``python groups_run.py``, with docs/examples/train_gpt on the path. What is right is said in test_groups.py.
"""

from __future__ import annotations

import copy
import json
import warnings
from typing import Any

if __name__ == "__main__":  # pytest looks for doctests in here, and needs no Megatron for that
    import gpt
    import torch
    from megatron.core.distributed import DistributedDataParallel, DistributedDataParallelConfig, finalize_model_grads
    from megatron.core.models.gpt import GPTModel
    from megatron.core.models.gpt.gpt_layer_specs import get_gpt_layer_local_spec
    from megatron.core.optimizer import OptimizerConfig, get_megatron_optimizer, get_standard_config_overrides
    from megatron.core.transformer import TransformerConfig
    from megatron.core.transformer.module import Float16Module
    from megatron.core.transformer.moe import moe_utils

    from schedframe import Schedule
    from schedframe.megatron import config_overrides

    # 0.16.1 defines this name only where Transformer Engine is installed, and reads it everywhere.
    moe_utils.te_general_gemm = getattr(moe_utils, "te_general_gemm", None)

VOCABULARY, LENGTH, STEPS = 32, 8, 40

PIECEWISE = {
    "style": "phases",
    "phases": [
        {"style": "constant", "length": 60, "name": "plateau"},
        {"style": {"style": "minus-power", "power": 0.6}, "length": 80, "to": "20%", "name": "fast"},
        {"style": "linear", "name": "slow"},
    ],
}
BASE: dict[str, Any] = {
    "train_samples": 160,
    "max_lr": 1e-3,
    "min_lr": 1e-4,
    "lr_warmup_steps": 8,
    "lr_decay_style": "cosine",
    "start_wd": 0.1,
    "end_wd": 0.2,
    "wd_incr_style": "linear",
}
RULES: list[dict[str, Any]] = [
    {"role": "router", "match": {"param": "*.router.*"}, "lr_mult": 0.1},
    {"role": "experts", "match": {"regex": r"experts\..*weight$"}, "lr_mult": 20, "lr_decay_style": PIECEWISE},
    {"role": "no decay", "match": {"key": {"wd_mult": 0.0}}, "lr_warmup_steps": 40},
]
OWN_BOUNDS: dict[str, Any] = {"role": "experts", "match": {"param": "*experts*"}, "max_lr": 2e-2, "start_wd": 0.01}


def built(rules: list[dict[str, Any]], distributed: bool, **changes: Any) -> tuple[Any, Any, Any]:
    """Return a model, its optimizer, made by Megatron with our overrides beside its own, and the scheduler."""
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
        )
    layers = get_gpt_layer_local_spec(num_experts=2, moe_grouped_gemm=False)
    model = GPTModel(config, layers, VOCABULARY, LENGTH, position_embedding_type="rope")
    options = DistributedDataParallelConfig(use_distributed_optimizer=distributed)
    model = DistributedDataParallel(config, options, Float16Module(config, model) if distributed else model)
    schedule = Schedule(**{**BASE, **changes}, groups=rules)
    adam = OptimizerConfig(
        lr=schedule.max_lr,
        min_lr=schedule.min_lr,
        weight_decay=0.1,
        bf16=distributed,
        use_distributed_optimizer=distributed,
    )
    overrides = {**get_standard_config_overrides(adam), **config_overrides(schedule, [model])}
    optimizer = get_megatron_optimizer(adam, [model], config_overrides=overrides)
    return model, optimizer, schedule.build(optimizer)


def trained(model: Any, optimizer: Any, scheduler: Any, steps: int) -> dict[str, Any]:
    """Train, and return the losses and what each group held before each update."""
    generator = torch.Generator().manual_seed(scheduler.num_steps)
    losses, rows = [], []
    for _ in range(steps):
        rows.append([[group["lr"], group["weight_decay"]] for group in optimizer.param_groups])
        model.zero_grad_buffer()
        optimizer.zero_grad()
        samples = torch.randint(VOCABULARY, (4, 1), generator=generator).repeat(1, LENGTH + 1)
        loss = gpt.loss_of(model, samples)
        loss.backward()
        finalize_model_grads([model])
        updated, _, _ = optimizer.step()
        assert updated
        losses.append(loss.item())
        scheduler.step(increment=4)
    return {"losses": losses, "rows": rows, "report": scheduler.report()}


def groups_of(optimizer: Any, scheduler: Any) -> list[dict[str, Any]]:
    kept = ("max_lr", "min_lr", "start_wd", "wd_mult", "lr_mult", "default_config")
    roles = scheduler._role_plans.roles.by_index
    return [
        {"role": role, **{key: group[key] for key in kept if key in group}}
        for role, group in zip(roles, optimizer.param_groups, strict=True)
    ]


def training(rules: list[dict[str, Any]], distributed: bool) -> dict[str, Any]:
    model, optimizer, scheduler = built(rules, distributed)
    return {"groups": groups_of(optimizer, scheduler), **trained(model, optimizer, scheduler, STEPS)}


def resuming(**changes: Any) -> dict[str, Any]:
    """Stop in the middle, load everything in a fresh model and optimizer, and go on."""
    model, optimizer, scheduler = built(RULES, False)
    trained(model, optimizer, scheduler, STEPS // 2)
    state = copy.deepcopy([model.state_dict(), optimizer.state_dict(), scheduler.state_dict()])
    model, optimizer, scheduler = built(RULES, False, **changes)
    model.load_state_dict(state[0])
    optimizer.load_state_dict(state[1])
    scheduler.load_state_dict(state[2])
    return {"groups": groups_of(optimizer, scheduler), **trained(model, optimizer, scheduler, STEPS // 2)}


def unbroken() -> dict[str, Any]:
    """The same without a stop; the samples are those of two halves."""
    model, optimizer, scheduler = built(RULES, False)
    trained(model, optimizer, scheduler, STEPS // 2)
    return trained(model, optimizer, scheduler, STEPS // 2)


def main() -> dict[str, Any]:
    """Return the answers."""
    with gpt.distributed(seed=1):
        return {
            "fp32": training(RULES, False),
            "distributed": training(RULES, True),
            "own bounds": training([OWN_BOUNDS], True),
            "unbroken": unbroken(),
            "resumed": resuming(),
            "resumed with another peak": resuming(max_lr=5e-4, resume="override"),
        }


if __name__ == "__main__":
    print(json.dumps(main()))
