"""Writes checkpoints in Megatron's layouts, with Megatron Core's own model, optimizers and scheduler, on a CPU.

``python write_megatron.py FOLDER`` with ``docs/examples/train_gpt`` on ``PYTHONPATH``. Each checkpoint is a folder in
FOLDER, and ``expected.json`` there says what it holds. The layouts follow ``megatron/training/checkpointing.py`` at
core_v0.16.1, which Megatron Core's package does not have.
"""

import argparse
import contextlib
import json
import sys
from pathlib import Path

ITERATION = 10
SAMPLES = 4


def main(folder: Path) -> None:
    """Write every checkpoint, and what it holds."""
    import gpt
    import torch
    from megatron.core.distributed import DistributedDataParallel, DistributedDataParallelConfig
    from megatron.core.models.gpt import GPTModel
    from megatron.core.models.gpt.gpt_layer_specs import get_gpt_layer_local_spec
    from megatron.core.optimizer import OptimizerConfig, get_megatron_optimizer
    from megatron.core.optimizer_param_scheduler import OptimizerParamScheduler
    from megatron.core.transformer import TransformerConfig

    if not torch.cuda.is_available():
        torch.cuda.synchronize = lambda *_arguments: None  # what copies tensors for the writer waits for CUDA
    expected = {}
    with gpt.distributed(seed=1):
        for name, distributed in (("fp32", False), ("distributed", True)):
            dtype = torch.bfloat16 if distributed else torch.float32
            config = TransformerConfig(
                num_layers=1, hidden_size=16, num_attention_heads=2, use_cpu_initialization=True,
                bf16=distributed, params_dtype=dtype,
            )  # fmt: skip
            model = GPTModel(config, get_gpt_layer_local_spec(), vocab_size=64, max_sequence_length=8)
            wrapped = DistributedDataParallel(
                config, DistributedDataParallelConfig(use_distributed_optimizer=distributed), model.to(dtype)
            )
            settings = OptimizerConfig(
                lr=1e-3, min_lr=1e-4, weight_decay=0.1,
                bf16=distributed, params_dtype=dtype, use_distributed_optimizer=distributed,
            )  # fmt: skip
            optimizer = get_megatron_optimizer(settings, [wrapped])
            scheduler = OptimizerParamScheduler(
                optimizer, init_lr=0.0, max_lr=1e-3, min_lr=1e-4, lr_warmup_steps=16, lr_decay_steps=400,
                lr_decay_style="cosine", start_wd=0.1, end_wd=0.1, wd_incr_steps=400, wd_incr_style="constant",
            )  # fmt: skip
            for parameter in wrapped.parameters():
                parameter.main_grad.fill_(0.01)
            optimizer.step()
            scheduler.step(ITERATION * SAMPLES)
            expected[name] = {"state": scheduler.state_dict(), "groups": _values(optimizer.param_groups)}
            _save_torch(folder / f"torch-{name}", wrapped, optimizer, scheduler)
            _save_torch_dist(folder / f"torch_dist-{name}", model, optimizer, scheduler, distributed)
    (folder / "expected.json").write_text(json.dumps(expected))


def _values(groups: list) -> list:
    return [{key: value for key, value in group.items() if key != "params"} for group in groups]


def _common(scheduler) -> dict:
    return {
        "args": argparse.Namespace(lr=1e-3, world_size=1),
        "checkpoint_version": 3.0,
        "iteration": ITERATION,
        "opt_param_scheduler": scheduler.state_dict(),
    }


def _tracked(root: Path) -> Path:
    folder = root / f"iter_{ITERATION:07d}"
    folder.mkdir(parents=True)
    (root / "latest_checkpointed_iteration.txt").write_text(str(ITERATION))
    return folder


def _save_torch(root: Path, model, optimizer, scheduler) -> None:
    import torch

    folder = _tracked(root) / "mp_rank_00"
    folder.mkdir()
    state = {"model": model.state_dict_for_save_checkpoint(), "optimizer": optimizer.state_dict()}
    torch.save({**_common(scheduler), **state}, folder / "model_optim_rng.pt")


def _save_torch_dist(root: Path, model, optimizer, scheduler, distributed: bool) -> None:
    from megatron.core import dist_checkpointing, parallel_state

    metadata = {"dp_cp_group": parallel_state.get_data_parallel_group(with_context_parallel=True)}
    metadata |= {"singleton_local_shards": False, "chained_optim_avoid_prefix": True}
    if distributed:
        metadata["distrib_optim_sharding_type"] = "dp_reshardable"
    sharded = {**_common(scheduler), "model": model.sharded_state_dict(metadata=metadata)}
    sharded["optimizer"] = optimizer.sharded_state_dict({"model": sharded["model"]}, metadata=metadata)
    with contextlib.redirect_stdout(sys.stderr):
        dist_checkpointing.save(sharded, str(_tracked(root)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
