"""verl: overrides in commands. The formulas are those of verl/utils/torch_functional.py in verl 0.9.1."""

from math import cos, pi
from pathlib import Path
from typing import Any

import pytest

from schedframe import ConfigError

from .imports import assert_equal, imported, schedule_of

ACTOR = "actor_rollout_ref.actor.optim"
PPO = f"""\
#!/bin/bash
MODEL=$HOME/models/m
files="['$HOME/a.parquet', '$HOME/b.parquet']"
python3 -m verl.trainer.main_ppo algorithm.adv_estimator=grpo data.train_files="$files" \\
    actor_rollout_ref.model.path=$MODEL {ACTOR}.lr=1e-6 {ACTOR}.weight_decay=0.1 \\
    actor_rollout_ref.actor.ppo_mini_batch_size=256 trainer.logger='["console","wandb"]' \\
    trainer.total_epochs=15 $@"""
SFT = "torchrun --nnodes 1 -m verl.trainer.fsdp_sft_trainer data.train_files=a optim.lr=1e-4 trainer.total_epochs=1 "
MEGATRON = PPO.replace("main_ppo ", "main_ppo --config-path=config --config-name='ppo_megatron_trainer.yaml' ")


def constant(k: int, warmup: int) -> float:
    return k / max(1.0, warmup) if k < warmup else 1.0


def cosine(k: int, warmup: int, run: int, least: float) -> float:
    if k < warmup:
        return k / max(1, warmup)
    x = cos(pi * 0.5 * 2.0 * ((k - warmup) / max(1, run - warmup)))
    return max(least, x * (1 - least) * 0.5 + (1 + least) * 0.5)


def stable(k: int, warmup: int, run: int) -> float:
    hold = int((run - warmup) * 0.9)
    if k < warmup + hold:
        return k / max(1, warmup) if k < warmup else 1.0
    return 0.5 * (1.0 + cos(pi * 0.5 * 2.0 * ((k - warmup - hold) / (run - warmup - hold))))


CASES: dict[str, tuple[str, int, float, Any]] = {
    "a constant without a warmup": (f"{PPO} trainer.total_training_steps=90", 90, 1e-6, lambda k: 1.0),
    "a warmup in steps": (
        f"{PPO} trainer.total_training_steps=90 {ACTOR}.lr_warmup_steps=10",
        90,
        1e-6,
        lambda k: constant(k, 10),
    ),
    "a cosine by ratio": (
        f"{PPO} trainer.total_training_steps=151 +{ACTOR}.lr_scheduler_type=cosine {ACTOR}.min_lr_ratio=0.1 "
        f"{ACTOR}.lr_warmup_steps_ratio=0.05 {ACTOR}.lr=3e-6",
        151,
        3e-6,
        lambda k: cosine(k, 7, 151, 0.1),
    ),
    "the older name, one step ahead": (
        f"{PPO} trainer.total_training_steps=60 {ACTOR}.warmup_style=cosine {ACTOR}.zero_indexed_step=False",
        60,
        1e-6,
        lambda k: cosine(k + 1, 0, 60, 0.0),
    ),
    "a constant is never ahead": (
        f"{PPO} trainer.total_training_steps=60 {ACTOR}.zero_indexed_step=False {ACTOR}.lr_warmup_steps=5",
        60,
        1e-6,
        lambda k: constant(k, 5),
    ),
    "cycles": (
        f"{PPO} trainer.total_training_steps=60 {ACTOR}.lr_scheduler_type=cosine {ACTOR}.num_cycles=1.5",
        60,
        1e-6,
        lambda k: max(0.0, 0.5 + 0.5 * cos(pi * 1.5 * 2.0 * (k / 60))),
    ),
    "a value that is removed": (
        f"{PPO} trainer.total_training_steps=50 {ACTOR}.lr_warmup_steps=10 ~{ACTOR}.lr_warmup_steps",
        50,
        1e-6,
        lambda k: 1.0,
    ),
    "supervised fine-tuning": (
        f"{SFT} trainer.total_training_steps=77 optim.lr_warmup_steps_ratio=0.1 optim.lr_scheduler=wsd",
        77,
        1e-4,
        lambda k: stable(k, 7, 77),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_every_step_is_that_of_verl(name: str, tmp_path: Path) -> None:
    text, run, peak, factor = CASES[name]
    (tmp_path / "train.sh").write_text(f"{text}\n")
    assert imported(tmp_path / "train.sh").importer == "verl"
    schedule = schedule_of(tmp_path / "train.sh")
    assert schedule.train_iters == run
    assert_equal(schedule, lambda k: peak * factor(k), run, peak)


@pytest.mark.parametrize(
    ("more", "options"),
    [
        (
            f"{ACTOR}.lr_decay_style=cosine {ACTOR}.lr_warmup_steps=5",
            {"lr_decay_style": "cosine", "lr_warmup_steps": 5},
        ),
        (
            f"{ACTOR}.lr_decay_style=linear {ACTOR}.lr_decay_steps=80 {ACTOR}.lr_warmup_steps_ratio=0.1 "
            f"{ACTOR}.min_lr=1e-7 {ACTOR}.lr_warmup_init=1e-8",
            {"lr_decay_style": "linear", "lr_decay_steps": 80, "lr_warmup_steps": 8, "min_lr": 1e-7, "init_lr": 1e-8},
        ),
        (
            f"{ACTOR}.lr_decay_style=WSD {ACTOR}.lr_wsd_decay_steps=20 {ACTOR}.lr_wsd_decay_style=linear",
            {"lr_decay_style": "WSD", "wsd_decay_steps": 20, "lr_wsd_decay_style": "linear"},
        ),
    ],
)
def test_every_step_is_that_of_megatrons_class(more: str, options: dict[str, Any], tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="needs torch")
    scheduler = pytest.importorskip("megatron.core.optimizer_param_scheduler", reason="needs Megatron Core")
    (tmp_path / "train.sh").write_text(f"{MEGATRON} trainer.total_training_steps=100 {more}\n")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = scheduler.OptimizerParamScheduler(
        optimizer,
        **{
            "init_lr": 0.0,
            "max_lr": 1e-6,
            "min_lr": 0.0,
            "lr_warmup_steps": 0,
            "lr_decay_steps": 100,
            "start_wd": 0.1,
            "end_wd": 0.1,
            "wd_incr_steps": 100,
            "wd_incr_style": "constant",
            **options,
        },
    )
    rates = []
    for _ in range(100):
        rates.append(optimizer.param_groups[0]["lr"])
        theirs.step(1)
    assert_equal(schedule_of(tmp_path / "train.sh"), rates.__getitem__, 100, 1e-6)


def test_the_critic_has_a_schedule_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "train.sh").write_text(
        f"{PPO} trainer.total_training_steps=40 critic.optim.lr=1e-5 critic.optim.lr_warmup_steps_ratio=0.25\n"
    )
    actor, critic = imported(tmp_path / "train.sh"), imported(tmp_path / "train.sh", "verl-critic")
    assert (actor.keys["max_lr"], critic.keys["max_lr"]) == (1e-6, 1e-5)
    assert "lr_warmup_steps" not in actor.keys
    assert critic.keys["lr_warmup_steps"] == "10 iters"
    assert any("import it with --from verl-critic" in sentence for sentence in actor.assumed)


def test_a_config_of_hydra_is_read(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(
        "actor_rollout_ref:\n  actor:\n    strategy: fsdp\n    optim:\n      lr: 1e-6\n      lr_warmup_steps: -1\n"
        "      lr_warmup_steps_ratio: 0.1\n      lr_scheduler_type: cosine\n      min_lr_ratio: null\n"
        "      weight_decay: 0.01\ntrainer:\n  total_epochs: 3\n  total_training_steps: 70\n"
    )
    assert_equal(schedule_of(tmp_path / "config.yaml"), lambda k: 1e-6 * cosine(k, 7, 70, 0.0), 70, 1e-6)
    lines = {taken.key: taken.lines for taken in imported(tmp_path / "config.yaml").taken}
    assert (lines["max_lr"], lines["train_iters"]) == ((5,), (13,))


REFUSED = {
    "epochs": (PPO, "give it with --train-iters"),
    "another backend's key": (
        f"{PPO} trainer.total_training_steps=9 {ACTOR}.lr_decay_style=cosine",
        "lr_decay_style = 'cosine': is read with Megatron alone, and the model is trained with FSDP",
    ),
    "two lengths of the warmup": (
        f"{PPO} trainer.total_training_steps=9 {ACTOR}.lr_warmup_steps=0 {ACTOR}.lr_warmup_steps_ratio=0.1",
        "lr_warmup_steps = 0: is 0 beside lr_warmup_steps_ratio",
    ),
    "a scheduler that does not exist": (
        f"{PPO} trainer.total_training_steps=9 {ACTOR}.lr_scheduler_type=linear",
        "line 7, actor_rollout_ref.actor.optim.lr_scheduler_type = 'linear': is not one of constant and cosine",
    ),
    "a value that is not known": (
        f"{PPO} trainer.total_training_steps=$STEPS",
        "line 7, trainer.total_training_steps: has the value $STEPS, which is not set in the file; give it with "
        "--set STEPS=VALUE",
    ),
    "overrides that are not known": (f"{PPO} $OPTIONS", "it may hold overrides; give it with --set OPTIONS=VALUE"),
    "overrides under a condition": (
        f"if [ -n $FAST ]; then\n  MORE=({ACTOR}.lr=1)\nfi\n{PPO.removeprefix('#!/bin/bash')} ${{MORE[@]}}",
        f"it may hold {ACTOR}.lr",
    ),
    "no rate": (SFT.replace("optim.lr=1e-4", "optim.clip_grad=1"), "give it with --max-lr"),
    "no warmup": (f"{SFT} trainer.total_training_steps=9", "lr_warmup_steps_ratio: is needed"),
    "no scheduler": (
        f"{SFT} trainer.total_training_steps=9 optim.lr_warmup_steps_ratio=0",
        "give it with --set optim.lr_scheduler_type=VALUE",
    ),
    "WSD without a length": (
        f"{MEGATRON} trainer.total_training_steps=9 {ACTOR}.lr_decay_style=WSD",
        "needs lr_wsd_decay_steps",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_it_cannot_say_is_refused(name: str, tmp_path: Path) -> None:
    text, expected = REFUSED[name]
    (tmp_path / "train.sh").write_text(f"{text}\n")
    with pytest.raises(ConfigError) as error:
        imported(tmp_path / "train.sh")
    assert expected in str(error.value)
