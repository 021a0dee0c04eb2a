"""Published configs, by their numbers: Megatron-LM, Megatron-Bridge, transformers, torchtitan."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .imports import SMALL, imported, schedule_of
from .test_torchtitan import factor

MEGATRON: dict[str, dict[str, Any]] = {
    "bert/train_bert_340m_distributed": {
        "train-iters": 1_000_000,
        "global-batch-size": 32,
        "lr": 1e-4,
        "min-lr": 1e-5,
        "lr-decay-style": "linear",
        "lr-decay-iters": 990_000,
        "lr-warmup-fraction": 0.01,
        "weight-decay": 1e-2,
    },
    "mixtral/train_mixtral_8x7b_distributed": {
        "train-iters": 500_000,
        "global-batch-size": 256,
        "lr": 1e-4,
        "min-lr": 1e-5,
        "lr-decay-style": "cosine",
        "lr-decay-iters": 320_000,
        "lr-warmup-iters": 500,
        "weight-decay": 0.1,
    },
    "t5/train_t5_220m_distributed": {
        "train-iters": 1_000_000,
        "global-batch-size": 512,
        "lr": 1e-4,
        "min-lr": 1e-5,
        "lr-decay-style": "linear",
        "lr-decay-iters": 1_000_000,
        "lr-warmup-fraction": 0.01,
        "weight-decay": 1e-2,
    },
    "mamba/train": {
        "train-samples": 73_242_188,
        "global-batch-size": 32,
        "lr": 2.5e-4,
        "min-lr": 2.5e-5,
        "lr-decay-style": "cosine",
        "lr-decay-samples": 73_192_188,
        "lr-warmup-samples": 50_000,
        "weight-decay": 0.1,
    },
    "gptoss/02_train": {
        "train-samples": 1_953_125_000,
        "global-batch-size": 128,
        "lr": 1e-5,
        "min-lr": 1e-6,
        "lr-decay-style": "cosine",
        "lr-decay-samples": 1_949_218_748,
        "lr-warmup-fraction": 0.05,
        "weight-decay": 0.1,
    },
}
"""Of NVIDIA/Megatron-LM:examples/NAME.sh at d98e8a6; mamba/train.sh has another batch size for another model."""

BRIDGE: dict[str, tuple[float, float, int, int, int]] = {
    "common, pretraining": (3e-4, 3e-5, 500, 300_000, 32),
    "common, finetuning": (5e-6, 0.0, 50, 1000, 128),
    "common, adapters": (1e-4, 0.0, 50, 1000, 128),
    "deepseek/h100/deepseek_v3": (3e-4, 3e-5, 2000, 1_000_000, 4096),
    "deepseek/h100/deepseek_v4": (2.7e-4, 2.7e-5, 2000, 1_000_000, 128),
}
"""Of NVIDIA-NeMo/Megatron-Bridge:src/megatron/bridge/recipes at 067f987, all with a cosine over the run: the learning
rate, the min LR, the iterations of the warmup and of the run, the batch size."""

TRANSFORMERS: dict[str, tuple[float, float, int]] = {
    "olmo2/olmo2_1124_13b_sft": (6e-6, 0.03, 13_000),
    "olmo2/olmo2_1124_7b_dpo": (5e-7, 0.1, 2_100),
    "dpo/final_best_70b_dpo_config": (2e-7, 0.1, 2_640),
    "sft/olmo_7b_17_sft": (2e-6, 0.03, 7_500),
    "sft/default": (2e-5, 0.03, 5_001),
}
"""The learning rate and warmup ratio of allenai/open-instruct:configs/train_configs/NAME.yaml at e6c3044, all with a
linear decay and epochs, and how many updates the run may have."""

TORCHTITAN: dict[str, tuple[float, int, float | None, int, str, float]] = {
    "llama3/debug_model": (8e-4, 2, 0.8, 10, "linear", 0.0),
    "llama3/llama3_8b": (3e-4, 200, None, 1000, "linear", 0.0),
    "llama3/llama3_70b": (1.5e-4, 200, None, 1000, "linear", 0.0),
    "llama3/llama3_405b": (8e-5, 600, None, 3000, "linear", 0.0),
    "llama4/llama4_17bx16e": (4e-3, 600, None, 3000, "linear", 0.1),
    "deepseek_v3/deepseek_v3_16b": (2.2e-4, 200, 0.8, 1000, "cosine", 0.1),
    "deepseek_v3/deepseek_v3_671b": (2.2e-4, 2000, 0.8, 10_000, "cosine", 0.1),
}
"""Of pytorch/torchtitan:torchtitan/models/*/train_configs/NAME.toml at 4a950ea: the learning rate, the warmup, the
decay as a part of the run, the run, the curve and the min LR as a part."""


def megatrons(flags: dict[str, Any]) -> Callable[[int], float]:
    """Return the learning rate of Megatron's own class at an update, as its training script makes it of `flags`."""
    pytest.importorskip("megatron.core")
    import torch
    from megatron.core.optimizer_param_scheduler import OptimizerParamScheduler

    batch, unit = flags["global-batch-size"], "iters" if "train-iters" in flags else "samples"
    size = batch if unit == "iters" else 1
    decay = flags[f"lr-decay-{unit}"] * size
    share = flags.get("lr-warmup-fraction")
    warmup = share * decay if share is not None else flags[f"lr-warmup-{unit}"] * size
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=flags["lr"])
    bounds = (0.0, flags["lr"], flags["min-lr"], warmup, decay)
    weight_decay = {"start_wd": flags["weight-decay"], "end_wd": flags["weight-decay"], "wd_incr_steps": decay}
    theirs = OptimizerParamScheduler(
        optimizer, *bounds, flags["lr-decay-style"], **weight_decay, wd_incr_style="constant"
    )

    def lr(update: int) -> float:
        theirs.num_steps = update * batch
        return float(theirs.get_lr(optimizer.param_groups[0]))

    return lr


@pytest.mark.parametrize("name", MEGATRON)
def test_scripts_of_megatron(name: str, tmp_path: Path) -> None:
    flags = MEGATRON[name]
    theirs, path = megatrons(flags), tmp_path / "train.sh"
    path.write_text(
        "#!/bin/bash\nTRAINING_ARGS=(\n"
        + "\n".join(f"    --{flag} {value}" for flag, value in flags.items())
        + "\n)\ntorchrun --nproc_per_node 8 pretrain_gpt.py \\\n    ${TRAINING_ARGS[@]}\n"
    )
    assert imported(path).importer == "megatron"
    schedule, batch = schedule_of(path), flags["global-batch-size"]
    run = flags["train-iters"] if "train-iters" in flags else flags["train-samples"] // batch
    for update in sorted({*range(600), *range(0, run, run // 2000), *range(run - 50, run)}):
        assert abs(schedule.lr_at(update * batch) - theirs(update)) <= SMALL * flags["lr"], update
    assert schedule.start_wd == flags["weight-decay"]


@pytest.mark.parametrize("name", BRIDGE)
def test_recipes_of_megatron_bridge(name: str, tmp_path: Path) -> None:
    rate, least, warmup, run, batch = BRIDGE[name]
    flags = {"lr": rate, "min-lr": least, "lr-warmup-iters": warmup, "lr-decay-iters": run, "train-iters": run}
    theirs = megatrons({**flags, "global-batch-size": batch, "lr-decay-style": "cosine", "weight-decay": 0.033})
    path = tmp_path / "config.yaml"
    path.write_text(
        "_target_: megatron.bridge.training.config.ConfigContainer\nmodel:\n  seq_length: 4096\n"
        f"optimizer:\n  optimizer: adam\n  lr: {rate}\n  min_lr: {least}\n  weight_decay: 0.1\n"
        "scheduler:\n  start_weight_decay: 0.033\n  end_weight_decay: 0.033\n  weight_decay_incr_style: constant\n"
        "  lr_decay_style: cosine\n  lr_wsd_decay_style: minus_sqrt\n  lr_wsd_decay_iters:\n"
        f"  lr_warmup_iters: {warmup}\n  lr_warmup_init: 0.0\n  lr_decay_iters: {run}\n"
        "  override_opt_param_scheduler: true\n"
        f"train:\n  train_iters: {run}\n  global_batch_size: {batch}\n  micro_batch_size: 1\n"
    )
    found, schedule = imported(path), schedule_of(path)
    assert found.importer == "megatron-bridge"
    assert (schedule.start_wd, schedule.end_wd) == (0.033, 0.033)
    assert "weight decay is 0.033, that of the scheduler, which replaces optimizer.weight_decay" in found.assumed
    for update in sorted({*range(600), *range(0, run, run // 1000), *range(run - 50, run)}):
        assert abs(schedule.lr_at(update * batch) - theirs(update)) <= SMALL * rate, update


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_configs_of_transformers(name: str, tmp_path: Path) -> None:
    peak, share, run = TRANSFORMERS[name]
    torch = pytest.importorskip("torch")
    optimization = pytest.importorskip("transformers.optimization")
    path = tmp_path / "config.yaml"
    path.write_text(
        f"model_name_or_path: example/model\nlearning_rate: {peak}\nlr_scheduler_type: linear\nwarmup_ratio: {share}\n"
        "weight_decay: 0.0\nnum_train_epochs: 2\nper_device_train_batch_size: 1\ngradient_accumulation_steps: 4\n"
    )
    schedule = schedule_of(path, "hf", train_iters=run)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=peak)
    warmup = -int(-run * share // 1)
    theirs = optimization.get_linear_schedule_with_warmup(optimizer, warmup, run)
    for update in range(run):
        assert abs(schedule.lr_at(update) - theirs.get_last_lr()[0]) <= SMALL * peak, update
        optimizer.step()
        theirs.step()


@pytest.mark.parametrize("name", TORCHTITAN)
def test_configs_of_torchtitan(name: str, tmp_path: Path) -> None:
    peak, warmup, ratio, run, kind, least = TORCHTITAN[name]
    path = tmp_path / "train.toml"
    cooldown = "" if ratio is None else f'decay_ratio = {ratio}\ndecay_type = "{kind}"\n'
    path.write_text(
        f'[model]\nname = "{name}"\n[optimizer]\nname = "AdamW"\nlr = {peak}\neps = 1e-8\n[lr_scheduler]\n'
        f"warmup_steps = {warmup}\n{cooldown}min_lr_factor = {least}\n[training]\nsteps = {run}\n"
    )
    assert imported(path).importer == "torchtitan"
    schedule = schedule_of(path)
    decay = run - warmup if ratio is None else min(round(run * ratio), run - warmup)
    for update in range(run):
        theirs = peak * factor(update, warmup, decay, run, kind, least)
        assert abs(schedule.lr_at(update) - theirs) <= SMALL * peak, update
