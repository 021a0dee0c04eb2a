"""Megatron-LM's command lines and scripts, each with the class of the installed Megatron Core at every update."""

import re
import warnings
from pathlib import Path
from typing import Any

import pytest

from schedframe import ConfigError

from .imports import imported, schedule_of

CONSTANT_WD = {"start_wd": 0.1, "end_wd": 0.1, "wd_incr_style": "constant"}

SIMPLE = """\
#!/bin/bash
# Trains a model of 345M parameters.
export CUDA_DEVICE_MAX_CONNECTIONS=1
GPUS_PER_NODE=$(nvidia-smi --list-gpus | wc -l)
CHECKPOINT_PATH=${1:-checkpoints}

DISTRIBUTED_ARGS="
    --nproc_per_node $GPUS_PER_NODE \\
    --nnodes 1
"
GPT_ARGS="
    --num-layers 24 \\
    --micro-batch-size 4 \\
    --global-batch-size 8 \\
    --lr 0.00015 \\
    --train-iters 500 \\
    --lr-decay-iters 320 \\
    --lr-decay-style cosine \\
    --min-lr 1.0e-5 \\
    --weight-decay 1e-1 \\
    --lr-warmup-fraction .01 \\
    --clip-grad 1.0 \\
    --fp16
"
torchrun $DISTRIBUTED_ARGS pretrain_gpt.py \\
    $GPT_ARGS \\
    --save $CHECKPOINT_PATH
"""

ARRAYS = """\
#!/bin/bash
set -euo pipefail
BATCH=64
SEQ=4096
TRAIN_SAMPLES=$((BATCH * 300))
WARMUP_SAMPLES=$((TRAIN_SAMPLES / 10))
TRAINING_ARGS=(
    --micro-batch-size 1
    --global-batch-size ${BATCH}
    --rampup-batch-size 16 16 3200   # first size, increment, samples
    --train-samples ${TRAIN_SAMPLES}
    --lr-warmup-samples "$WARMUP_SAMPLES"
    --lr-decay-samples "$TRAIN_SAMPLES"
)
TRAINING_ARGS+=(--lr 3.0e-4 --min-lr=3.0e-5 --lr-decay-style 'cosine')
OPTIM_ARGS=(--weight-decay 0.1 --adam-beta2 0.95)
cat <<EOF > config.json
{"lr": 1, "note": "--lr 5"}
EOF
torchrun --nproc_per_node 8 \\
    pretrain_gpt.py ${TRAINING_ARGS[@]} "${OPTIM_ARGS[@]}" --seq-length $SEQ
"""

WSD = """\
srun bash -c "torchrun --nnodes 4 pretrain_gpt.py --lr 2e-3 --min-lr 2e-5 --train-iters 1000 \\
  --global-batch-size 16 --lr-warmup-iters 50 --lr-decay-style WSD --lr-wsd-decay-style minus_sqrt \\
  --lr-wsd-decay-iters 200 --lr-warmup-init 1e-6 --weight-decay-incr-style cosine \\
  --start-weight-decay 0.033 --end-weight-decay 0.1"
"""

FLAGS = """\
--lr 6e-5 --min-lr 6e-6 --lr-decay-style linear --train-iters 400 --lr-warmup-iters 40
--lr-decay-iters 300 --global-batch-size 4 --weight-decay 0.1 --override-opt_param-scheduler
"""

TRACED = """\
+ export CUDA_DEVICE_MAX_CONNECTIONS=1
+ CUDA_DEVICE_MAX_CONNECTIONS=1
++ date +%s
+ STAMP=17
+ torchrun pretrain_gpt.py --tensorboard-dir 'logs/a b' --lr 1e-3 --lr-decay-style inverse-square-root{rest}
W0101 12:00:00 torch/distributed/run.py: --lr 5
""".format(rest=" --train-iters 600 --lr-warmup-iters 100 --global-batch-size 2 --min-lr 1e-5 --weight-decay 0.1")

YAML = """\
language_model:
  num_layers: 24
lr: 2.5e-4
lr_decay_style: linear
lr_decay_iters: null
lr_decay_samples: null
lr_warmup_fraction: null
lr_warmup_iters: 30
lr_warmup_samples: 0
lr_warmup_init: 0.0
min_lr: 1.0e-5
train_iters: 300
train_samples: null
global_batch_size: 32
weight_decay: 0.1
start_weight_decay: 0.1
end_weight_decay: 0.1
weight_decay_incr_style: constant
rampup_batch_size: null
override_opt_param_scheduler: False
"""

CASES: dict[str, tuple[str, str, int, dict[str, Any]]] = {
    "a script with a text of flags": (
        "train.sh",
        SIMPLE,
        8,
        {
            **CONSTANT_WD,
            "init_lr": 0.0,
            "max_lr": 0.00015,
            "min_lr": 1.0e-5,
            "lr_warmup_steps": 0.01 * 320 * 8,
            "lr_decay_steps": 320 * 8,
            "lr_decay_style": "cosine",
            "wd_incr_steps": 500 * 8,
        },
    ),
    "arrays, arithmetic and a ramp-up": (
        "train.sh",
        ARRAYS,
        64,
        {
            **CONSTANT_WD,
            "init_lr": 0.0,
            "max_lr": 3e-4,
            "min_lr": 3e-5,
            "lr_warmup_steps": 1920,
            "lr_decay_steps": 19200,
            "lr_decay_style": "cosine",
            "wd_incr_steps": 19200,
        },
    ),
    "WSD within bash -c": (
        "job.slurm",
        WSD,
        16,
        {
            "init_lr": 1e-6,
            "max_lr": 2e-3,
            "min_lr": 2e-5,
            "lr_warmup_steps": 800,
            "lr_decay_steps": 16000,
            "lr_decay_style": "WSD",
            "lr_wsd_decay_style": "minus_sqrt",
            "wsd_decay_steps": 3200,
            "start_wd": 0.033,
            "end_wd": 0.1,
            "wd_incr_style": "cosine",
            "wd_incr_steps": 16000,
        },
    ),
    "flags alone": (
        "flags.txt",
        FLAGS.replace("\n", " \\\n", 1),
        4,
        {
            **CONSTANT_WD,
            "init_lr": 0.0,
            "max_lr": 6e-5,
            "min_lr": 6e-6,
            "lr_warmup_steps": 160,
            "lr_decay_steps": 1200,
            "lr_decay_style": "linear",
            "wd_incr_steps": 1600,
        },
    ),
    "what bash -x prints": (
        "trace.log",
        TRACED,
        2,
        {
            **CONSTANT_WD,
            "init_lr": 0.0,
            "max_lr": 1e-3,
            "min_lr": 1e-5,
            "lr_warmup_steps": 200,
            "lr_decay_steps": 1200,
            "lr_decay_style": "inverse-square-root",
            "wd_incr_steps": 1200,
        },
    ),
    "the YAML of --yaml-cfg": (
        "example.yaml",
        YAML,
        32,
        {
            **CONSTANT_WD,
            "init_lr": 0.0,
            "max_lr": 2.5e-4,
            "min_lr": 1e-5,
            "lr_warmup_steps": 960,
            "lr_decay_steps": 9600,
            "lr_decay_style": "linear",
            "wd_incr_steps": 9600,
        },
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_every_update_is_megatrons(name: str, tmp_path: Path) -> None:
    module = pytest.importorskip("megatron.core.optimizer_param_scheduler")
    file, text, batch, arguments = CASES[name]
    (tmp_path / file).write_text(text)
    schedule = schedule_of(tmp_path / file)

    class Optimizer:
        param_groups: list[dict[str, Any]] = [{"params": []}]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = module.OptimizerParamScheduler(Optimizer(), **arguments)
    assert schedule.train_steps == arguments["wd_incr_steps"]
    for _ in range(int(arguments["wd_incr_steps"]) // batch + 2):
        step, group = theirs.num_steps, theirs.optimizer.param_groups[0]
        assert schedule.lr_at(step) == group["lr"], step
        assert schedule.wd_at(step) == theirs.get_wd(), step
        theirs.step(increment=batch)


def test_lines_are_those_of_the_flags(tmp_path: Path) -> None:
    (tmp_path / "train.sh").write_text(SIMPLE)
    lines = {taken.key: taken.lines for taken in imported(tmp_path / "train.sh").taken}
    assert lines["max_lr"] == (15,)
    assert lines["lr_warmup_steps"] == (21,)
    assert lines["start_wd"] == (20,)


def test_batches_policy_and_decoupled_rates(tmp_path: Path) -> None:
    (tmp_path / "a.sh").write_text(ARRAYS.replace("--adam-beta2 0.95", "--decoupled-lr 1e-3 --decoupled-min-lr 1e-4"))
    schedule = schedule_of(tmp_path / "a.sh")
    assert schedule.rampup_batch_size == (16, 16, 3200)
    assert schedule.seq_length == 4096
    (rule,) = imported(tmp_path / "a.sh").keys["groups"]
    assert re.search(rule["match"]["regex"], "module.embedding.word_embeddings.weight")
    assert re.search(rule["match"]["regex"], "output_layer.weight")
    assert not re.search(rule["match"]["regex"], "decoder.layers.0.mlp.linear_fc1.weight")
    assert schedule.for_role("decoupled").max_lr == 1e-3
    assert schedule.for_role("decoupled").min_lr == 1e-4
    (tmp_path / "flags.txt").write_text(FLAGS.replace("\n", " \\\n", 1))
    assert imported(tmp_path / "flags.txt").keys["resume"] == "override"


REFUSED = {
    "a value that a command gives": (
        SIMPLE.replace("--lr 0.00015", "--lr $(cat lr.txt)"),
        "line 15, --lr: has the value $(cat lr.txt), which is the output of a command, and no command is run",
    ),
    "a variable that is not set": (
        SIMPLE.replace("--lr 0.00015", "--lr $PEAK"),
        "line 15, --lr: has the value $PEAK, which is not set in the file; give it with --set PEAK=VALUE",
    ),
    "flags that only running it would give": (
        SIMPLE.replace("    --save", "    $EXTRA_ARGS --save").replace("$GPT_ARGS \\", "$GPT_ARGS --fp16 --bf16 x \\"),
        "line 27: $EXTRA_ARGS is not set in the file; it may hold flags; give it with --set EXTRA_ARGS=VALUE",
    ),
    "a value that depends on a condition": (
        SIMPLE.replace("GPT_ARGS=", "LR=1e-4\nif [ $BIG = 1 ]; then\n  LR=5e-5\nfi\nGPT_ARGS=").replace(
            "0.00015", "$LR"
        ),
        "line 13, --lr: has the value $LR, which is set within the `if` on line 12, which is not evaluated",
    ),
    "a schedule flag that is not known": (
        SIMPLE.replace("--fp16", "--lr-decay-tokens 100"),
        "line 23, --lr-decay-tokens: is not known to this importer",
    ),
    "two units": (
        SIMPLE.replace("--lr-decay-iters 320", "--lr-decay-samples 320"),
        "line 17, lr_decay_samples = '320': is in samples, and the run is in iters",
    ),
    "one length twice": (
        SIMPLE.replace("--fp16", "--lr-warmup-iters 10"),
        "sets the same length as --lr-warmup-iters; leave one out",
    ),
    "no batch size": (
        SIMPLE.replace("--global-batch-size 8", ""),
        "has no --global-batch-size, without which the batch depends on the number of GPUs; give it with "
        "--global-batch-size",
    ),
    "no run": (SIMPLE.replace("--train-iters 500", ""), "give it with --train-iters"),
    "no number": (SIMPLE.replace("0.00015", "high"), "line 15, lr = 'high': must be a finite number"),
    "WSD without a length": (SIMPLE.replace("cosine", "WSD"), "line 18, lr_decay_style = 'WSD': needs"),
    "two commands": (
        SIMPLE + SIMPLE.replace("0.00015", "0.0003"),
        "has 2 commands with flags of Megatron (lines: 25 and 52)",
    ),
    "a flag without its value": (
        SIMPLE.replace("--lr 0.00015", "--lr"),
        "line 15, --lr: has no value",
    ),
    "a ramp-up in iterations": (
        SIMPLE.replace("--fp16", "--rampup-batch-size 2 2 100"),
        "needs --train-samples",
    ),
    "a style that is not installed": (SIMPLE.replace("cosine", "zigzag"), "line 18, lr_decay_style"),
    "a schedule file": (SIMPLE.replace("--fp16", "--schedule run.yaml"), "line 23, --schedule: names a schedule file"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_it_does_not_know_it_refuses_with_the_line(name: str, tmp_path: Path) -> None:
    text, expected = REFUSED[name]
    (tmp_path / "train.sh").write_text(text)
    with pytest.raises(ConfigError) as error:
        imported(tmp_path / "train.sh")
    assert expected in str(error.value)
