"""Command lines of those who build on transformers' Trainer, with its own parser and schedulers at every update."""

import shlex
from pathlib import Path

import pytest

from schedframe import ConfigError

from .imports import assert_equal, imported, schedule_of

RUNS: dict[str, tuple[str, str]] = {
    "a script of transformers": (
        "hf",
        "torchrun --nproc_per_node 8 run_clm.py --model_name_or_path example/m --dataset_name wikitext --do_train "
        '--per_device_train_batch_size 2 --learning_rate 2e-5 --weight_decay 0. --lr_scheduler_type "cosine" '
        "--warmup_steps 0.04 --max_steps 301 --logging_steps 1 --tf32 False --run_name 'a run'",
    ),
    "options as JSON, and hyphens": (
        "hf",
        "accelerate launch --config_file a.yaml train.py --learning-rate=1e-4 --lr-scheduler-type cosine_with_min_lr "
        """--lr_scheduler_kwargs '{"min_lr_rate": 0.1}' --per_device_train_batch_size 4 --max-steps 200 """
        "--warmup_steps 20 --report_to wandb tensorboard",
    ),
    "the last of two counts": (
        "hf",
        "python train.py --learning_rate 1e-3 --num_train_epochs 1 --max_steps 90 --learning_rate 3e-4",
    ),
    "a run that is all warmup": (
        "hf",
        "python train.py --learning_rate 1e-3 --num_train_epochs 1 --max_steps 20 --warmup_steps 100",
    ),
    "a cosine that is not reached": (
        "hf",
        "python train.py --learning_rate 1e-3 --num_train_epochs 1 --max_steps 20 --warmup_steps 20 "
        "--lr_scheduler_type cosine",
    ),
    "ms-swift": (
        "ms-swift",
        "NPROC_PER_NODE=8 swift sft --model example/m --tuner_type lora --dataset a#500 b --learning_rate 1e-4 "
        "--warmup_ratio 0.05 --max_steps 120 --multi_turn_scheduler tool --lr_scheduler_type cosine",
    ),
    "ms-swift by its path": (
        "ms-swift",
        "torchrun --nnodes 2 swift/cli/pt.py --learning_rate 1e-5 --warmup_steps 5 --max_steps 60 "
        "--lr_scheduler_type linear",
    ),
    "LLaMA-Factory": (
        "llama-factory",
        "llamafactory-cli train --stage sft --do_train True --model_name_or_path m --finetuning_type lora "
        "--learning_rate 5e-05 --lr_scheduler_type cosine --max_steps 100 --warmup_steps 10 --use_badam False",
    ),
    "TRL": (
        "trl",
        "trl sft --model_name_or_path m --dataset_name d --learning_rate 2.0e-5 --max_steps 70 --packing "
        "--lr_scheduler_type linear",
    ),
}


@pytest.mark.parametrize("name", RUNS)
def test_every_update_is_the_trainers(name: str, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="needs torch")
    transformers = pytest.importorskip("transformers", reason="needs transformers")
    importer, command = RUNS[name]
    (tmp_path / "train.sh").write_text(f"#!/bin/bash\n{command}\n")
    assert imported(tmp_path / "train.sh").importer == importer
    words = shlex.split(command.replace("--warmup_ratio", "--warmup_steps"))
    parser = transformers.HfArgumentParser(transformers.TrainingArguments)
    arguments, _ = parser.parse_args_into_dataclasses(words, return_remaining_strings=True)
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=arguments.learning_rate)
    run = arguments.max_steps
    scheduler = transformers.get_scheduler(
        arguments.lr_scheduler_type,
        optimizer,
        num_warmup_steps=arguments.get_warmup_steps(run),
        num_training_steps=run,
        scheduler_specific_kwargs=arguments.lr_scheduler_kwargs or {},
    )
    rates = []
    for _ in range(run):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert_equal(schedule_of(tmp_path / "train.sh"), rates.__getitem__, run, arguments.learning_rate)


@pytest.mark.parametrize("name", ["lr_decay_style", "weight_decay", "global_batch_size"])
def test_megatron_swift_has_other_defaults_than_megatron(name: str, tmp_path: Path) -> None:
    command = "megatron sft --model m --lr 1e-5 --min_lr 1e-6 --lr_warmup_fraction 0.05 --train_iters 200"
    (tmp_path / "train.sh").write_text(f"{command}\n")
    found = imported(tmp_path / "train.sh")
    assert found.importer == "megatron-swift"
    expected = {"lr_decay_style": "cosine", "weight_decay": 0.1, "global_batch_size": 16}[name]
    assert found.keys[{"weight_decay": "start_wd"}.get(name, name)] == expected
    assert any(sentence.startswith(f"{name} is not given") for sentence in found.assumed)


REFUSED = {
    "epochs": ("python a.py --learning_rate 1e-5 --num_train_epochs 3", "give it with --train-iters"),
    "another learning rate": (
        "python a.py --learning_rate 1e-5 --num_train_epochs 3 --mm_projector_lr 2e-5",
        "line 2, --mm_projector_lr: is not known to this importer, and may concern the schedule",
    ),
    "a script without the Trainer": (
        "python a.py --learning_rate 1e-5 --lr_scheduler_type linear --num_warmup_steps 5 --max_train_steps 50",
        "line 2, --num_warmup_steps: is not known to this importer",
    ),
    "the beginning of a name": (
        "python train.py --learning_rate 1e-4 --num_train_epochs 1 --max_steps 9 --learn 1e-3",
        "--learn: is the beginning of --learning_rate, and may be taken for it; write the whole",
    ),
    "a scheduler that does not exist": (
        "python a.py --learning_rate 1e-5 --max_steps 5 --lr_scheduler_type cosin",
        "line 2, lr_scheduler_type = 'cosin': is no scheduler of transformers",
    ),
    "options that are no table": (
        "python a.py --learning_rate 1e-5 --max_steps 5 --lr_scheduler_type linear --lr_scheduler_kwargs a.json",
        "line 2, lr_scheduler_kwargs = 'a.json': must be a table",
    ),
    "ms-swift: a vision tower": ("swift sft --learning_rate 1e-5 --max_steps 5 --vit_lr 1e-6", "line 2, vit_lr"),
    "ms-swift: version 3": (
        "swift sft --train_type lora --learning_rate 1e-5 --max_steps 5",
        "warmup_ratio: is needed",
    ),
    "LLaMA-Factory: BAdam": (
        "llamafactory-cli train --learning_rate 1e-5 --max_steps 5 --use_badam",
        "line 2, use_badam",
    ),
    "TRL: no rate": ("trl dpo --dataset_name d --max_steps 5", "give it with --max-lr"),
    "Megatron-SWIFT: no rate": ("megatron pt --train_iters 5", "give it with --max-lr"),
    "Megatron-SWIFT: two lengths": (
        "megatron sft --lr 1e-5 --train_iters 5 --max_epochs 2",
        "line 2, max_epochs = '2': takes the place of --train_iters",
    ),
    "Megatron-SWIFT: a vision tower": ("megatron sft --lr 1e-5 --train_iters 5 --vit_lr 1e-6", "line 2, vit_lr"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_it_cannot_say_is_refused(name: str, tmp_path: Path) -> None:
    command, expected = REFUSED[name]
    (tmp_path / "train.sh").write_text(f"#!/bin/bash\n{command}\n")
    with pytest.raises(ConfigError) as error:
        imported(tmp_path / "train.sh")
    assert expected in str(error.value)


@pytest.mark.parametrize("value", ["{scheduler: {type: WarmupLR}}", "zero3.json"])
def test_a_scheduler_of_deepspeed_takes_the_place_of_the_trainers(value: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        f"learning_rate: 1e-5\nlr_scheduler_type: linear\nmax_steps: 9\ndeepspeed: {value}\n"
    )
    if value.startswith("{"):
        with pytest.raises(ConfigError, match=r"line 4, deepspeed.scheduler: takes the place of lr_scheduler_type"):
            imported(tmp_path / "a.yaml")
    else:
        assert any("zero3.json has no scheduler" in sentence for sentence in imported(tmp_path / "a.yaml").assumed)


def test_an_argument_of_a_scripts_own_is_refused_in_yaml_too(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("learning_rate: 1e-5\nnum_train_epochs: 1\nmax_steps: 9\nmm_projector_lr: 2e-5\n")
    with pytest.raises(ConfigError, match="line 4, mm_projector_lr"):
        imported(tmp_path / "a.yaml")
