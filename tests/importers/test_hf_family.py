"""TRL, axolotl, LLaMA-Factory and ms-swift, whose trainers have transformers' schedules, and some of their own.

axolotl's are those of src/axolotl/utils/schedulers.py at v0.19.0.
"""

from collections.abc import Callable
from math import cos, pi, sqrt
from pathlib import Path

import pytest

from schedframe import ConfigError

from .imports import assert_equal, imported, schedule_of
from .test_hf import cosine, linear, stable


def quadratic(k: int, warmup: int, run: int) -> float:
    return (k / warmup) ** 2 if k < warmup else 0.5 * (1.0 + cos(pi * (k - warmup) / (run - warmup)))


def held(k: int, warmup: int, end: int, least: float) -> float:
    if k < warmup:
        return k / warmup
    return (1 - least) * 0.5 * (1.0 + cos(pi * (min(k, end) - warmup) / (end - warmup))) + least


def rex(k: int, warmup: int, run: int, least: float) -> float:
    """Return axolotl's REX, whose first update is step 1."""
    step = k + 1
    if step <= warmup:
        return step / warmup
    if step >= run:
        return least
    z = (run - step) / (run - warmup)
    return least + (1 - least) * z / (0.1 + 0.9 * z)


def one_cycle(k: int, rise: int, run: int, divided: float = 25.0) -> float:
    """Return torch's OneCycleLR from 1 / `divided` on, which is 1 at the last update of the rise."""
    low, end = 1 / divided, 1 / divided / 1e4
    if k <= rise - 1:
        return 1 + (low - 1) / 2 * (1 + cos(pi * k / (rise - 1)))
    return end + (1 - end) / 2 * (1 + cos(pi * (k - rise + 1) / (run - rise)))


TRL = """\
model_name_or_path: example/model-1b
dataset_name: example/chat
learning_rate: 2.0e-5
num_train_epochs: 1
per_device_train_batch_size: 16
gradient_accumulation_steps: 2
"""
AXOLOTL = """\
base_model: example/model-8b
datasets:
  - path: example/alpaca
    type: alpaca
micro_batch_size: 2
gradient_accumulation_steps: 4
optimizer: adamw_torch_fused
"""
FACTORY = """\
model_name_or_path: example/model-8b
stage: sft
do_train: true
finetuning_type: lora
template: llama3
cutoff_len: 2048
per_device_train_batch_size: 1
gradient_accumulation_steps: 8
"""
SWIFT = """\
model: example/model-7b
tuner_type: lora
dataset: [example/data]
per_device_train_batch_size: 1
"""

CASES: dict[str, tuple[str, str, int, float, Callable[[int], float]]] = {
    "trl: a linear decay": ("trl", TRL + "max_steps: 250\n", 250, 2e-5, lambda k: linear(k, 0, 250)),
    "trl: a cosine": (
        "trl",
        TRL + "max_steps: 1000\nlr_scheduler_type: cosine\nwarmup_ratio: 0.03\nweight_decay: 0.1\n",
        1000,
        2e-5,
        lambda k: cosine(k, 30, 1000),
    ),
    "trl: a cosine with a min LR": (
        "trl",
        TRL + "max_steps: 400\nlr_scheduler_type: cosine_with_min_lr\nlr_scheduler_kwargs:\n  min_lr_rate: 0.1\n"
        "warmup_steps: 12\n",
        400,
        2e-5,
        lambda k: cosine(k, 12, 400, 0.1),
    ),
    "trl: constant": (
        "trl",
        TRL + "max_steps: 80\nlr_scheduler_type: constant_with_warmup\nwarmup_steps: 8\n",
        80,
        2e-5,
        lambda k: min(k / 8, 1.0),
    ),
    "trl: a share of steps": (
        "trl",
        TRL + "max_steps: 333\nlr_scheduler_type: cosine\nwarmup_steps: 0.1\n",
        333,
        2e-5,
        lambda k: cosine(k, 34, 333),
    ),
    "axolotl: the default": (
        "axolotl",
        AXOLOTL + "learning_rate: 0.0002\nmax_steps: 900\n",
        900,
        2e-4,
        lambda k: cosine(k, 27, 900),
    ),
    "axolotl: steps": (
        "axolotl",
        AXOLOTL + "learning_rate: 2e-5\nlr_scheduler: linear\nwarmup_steps: 100\nmax_steps: 700\n",
        700,
        2e-5,
        lambda k: linear(k, 100, 700),
    ),
    "axolotl: a warmup of 1 is 2": (
        "axolotl",
        AXOLOTL + "learning_rate: 1e-5\nwarmup_steps: 1\nmax_steps: 60\n",
        60,
        1e-5,
        lambda k: cosine(k, 2, 60),
    ),
    "axolotl: a min LR": (
        "axolotl",
        AXOLOTL + "learning_rate: 3e-4\nwarmup_ratio: 0.1\nmax_steps: 505\ncosine_min_lr_ratio: 0.2\n",
        505,
        3e-4,
        lambda k: cosine(k, 50, 505, 0.2),
    ),
    "axolotl: a min LR that holds": (
        "axolotl",
        AXOLOTL + "learning_rate: 3e-4\nwarmup_steps: 20\nmax_steps: 501\ncosine_min_lr_ratio: 0.1\n"
        "cosine_constant_lr_ratio: 0.8\n",
        501,
        3e-4,
        lambda k: held(k, 20, 400, 0.1),
    ),
    "axolotl: a quadratic warmup": (
        "axolotl",
        AXOLOTL + "learning_rate: 3e-4\nlr_scheduler: cosine\nwarmup_steps: 50\nmax_steps: 300\n"
        "lr_quadratic_warmup: true\n",
        300,
        3e-4,
        lambda k: quadratic(k, 50, 300),
    ),
    "axolotl: rex": (
        "axolotl",
        AXOLOTL + "learning_rate: 2e-4\nlr_scheduler: rex\nwarmup_steps: 30\nmax_steps: 300\n",
        300,
        2e-4,
        lambda k: rex(k, 30, 300, 0.0),
    ),
    "axolotl: rex with a min LR": (
        "axolotl",
        AXOLOTL + "learning_rate: 2e-4\nlr_scheduler: rex\nwarmup_steps: 0\nmax_steps: 200\ncosine_min_lr_ratio: 0.1\n",
        200,
        2e-4,
        lambda k: rex(k, 0, 200, 0.1),
    ),
    "axolotl: one cycle": (
        "axolotl",
        AXOLOTL + "learning_rate: 2e-4\nlr_scheduler: one_cycle\nwarmup_steps: 30\nmax_steps: 300\n",
        300,
        2e-4,
        lambda k: one_cycle(k, 30, 300),
    ),
    "axolotl: one cycle with options": (
        "axolotl",
        AXOLOTL + "learning_rate: 2e-4\nlr_scheduler: one_cycle\nwarmup_ratio: 0.1\nmax_steps: 300\n"
        "lr_scheduler_kwargs: {pct_start: 0.25, div_factor: 10}\n",
        300,
        2e-4,
        lambda k: one_cycle(k, 75, 300, 10.0),
    ),
    "factory: a cosine": (
        "llama-factory",
        FACTORY + "learning_rate: 1.0e-4\nmax_steps: 1200\nlr_scheduler_type: cosine\nwarmup_ratio: 0.1\n",
        1200,
        1e-4,
        lambda k: cosine(k, 120, 1200),
    ),
    "factory: the default": (
        "llama-factory",
        FACTORY + "max_steps: 100\n",
        100,
        5e-5,
        lambda k: linear(k, 0, 100),
    ),
    "factory: a third stays": (
        "llama-factory",
        FACTORY + "learning_rate: 5e-6\nmax_steps: 500\nlr_scheduler_type: warmup_stable_decay\nwarmup_steps: 40\n",
        500,
        5e-6,
        lambda k: stable(k, 40, 153, 307, 0.0, ("linear", "cosine")),
    ),
    "factory: lengths of its own": (
        "llama-factory",
        FACTORY + "learning_rate: 5e-6\nmax_steps: 500\nlr_scheduler_type: warmup_stable_decay\nwarmup_steps: 40\n"
        "lr_scheduler_kwargs: {num_stable_steps: 360, num_decay_steps: 100, min_lr_ratio: 0.1, decay_type: linear}\n",
        500,
        5e-6,
        lambda k: stable(k, 40, 360, 100, 0.1, ("linear", "linear")),
    ),
    "factory: pretraining": (
        "llama-factory",
        FACTORY.replace("sft", "pt") + "learning_rate: 3e-4\nmax_steps: 200\nlr_scheduler_type: constant\n",
        200,
        3e-4,
        lambda k: 1.0,
    ),
    "swift: its default": (
        "ms-swift",
        SWIFT + "learning_rate: 1e-4\nwarmup_ratio: 0.05\nmax_steps: 410\n",
        410,
        1e-4,
        lambda k: cosine(k, 21, 410),
    ),
    "swift: linear": (
        "ms-swift",
        SWIFT + "learning_rate: 1e-5\nwarmup_steps: 0\nlr_scheduler_type: linear\nmax_steps: 99\n",
        99,
        1e-5,
        lambda k: linear(k, 0, 99),
    ),
    "swift: a share of steps": (
        "ms-swift",
        SWIFT + "learning_rate: 1e-4\nwarmup_steps: 0.25\nmax_steps: 64\n",
        64,
        1e-4,
        lambda k: cosine(k, 16, 64),
    ),
    "swift: a min LR": (
        "ms-swift",
        SWIFT + "learning_rate: 1e-4\nwarmup_steps: 5\nmax_steps: 100\nlr_scheduler_type: cosine_with_min_lr\n"
        "lr_scheduler_kwargs: {min_lr: 1e-6}\n",
        100,
        1e-4,
        lambda k: cosine(k, 5, 100, 0.01),
    ),
    "swift: an older key": (
        "ms-swift",
        SWIFT.replace("tuner_type", "train_type")
        + "learning_rate: 1e-4\nwarmup_ratio: 0.03\nmax_steps: 1000\nlr_scheduler_type: constant_with_warmup\n",
        1000,
        1e-4,
        lambda k: min(k / 30, 1.0),
    ),
}
PUBLISHED: dict[str, tuple[str, str, int, float, Callable[[int], float]]] = {
    "huggingface/alignment-handbook: zephyr-7b-beta/sft": (
        "trl",
        TRL + "lr_scheduler_type: cosine\nwarmup_ratio: 0.1\n",
        1090,
        2e-5,
        lambda k: cosine(k, 109, 1090),
    ),
    "huggingface/alignment-handbook: smollm3/sft": (
        "trl",
        TRL + "lr_scheduler_type: cosine_with_min_lr\nlr_scheduler_kwargs:\n  min_lr_rate: 0.1\nwarmup_ratio: 0.03\n",
        8125,
        2e-5,
        lambda k: cosine(k, 244, 8125, 0.1),
    ),
    "huggingface/alignment-handbook: zephyr-141b-A35b/orpo": (
        "trl",
        TRL.replace("2.0e-5", "5.0e-6") + "lr_scheduler_type: inverse_sqrt\nwarmup_steps: 100\n",
        710,
        5e-6,
        lambda k: k / 100 if k < 100 else sqrt(100 / k),
    ),
    "huggingface/alignment-handbook: smollm2/dpo": (
        "trl",
        TRL.replace("2.0e-5", "1.0e-6") + "lr_scheduler_type: cosine\nwarmup_ratio: 0.1\n",
        1434,
        1e-6,
        lambda k: cosine(k, 144, 1434),
    ),
    "huggingface/alignment-handbook: llama3-70b/orpo": (
        "trl",
        TRL.replace("2.0e-5", "5.0e-6") + "lr_scheduler_type: cosine\nwarmup_ratio: 0.1\n",
        2715,
        5e-6,
        lambda k: cosine(k, 272, 2715),
    ),
    "axolotl: llama-3/lora-8b": (
        "axolotl",
        AXOLOTL + "num_epochs: 4\nlr_scheduler: cosine\nlearning_rate: 0.0002\nwarmup_ratio: 0.1\nweight_decay: 0.0\n",
        2408,
        2e-4,
        lambda k: cosine(k, 240, 2408),
    ),
    "axolotl: llama-3/3b-qat-fsdp2": (
        "axolotl",
        AXOLOTL + "num_epochs: 1\ncosine_constant_lr_ratio: 0\ncosine_min_lr_ratio: 1.0\nlearning_rate: 2e-5\n"
        "warmup_ratio: 0.1\nweight_decay: 0.0\n",
        3235,
        2e-5,
        lambda k: cosine(k, 323, 3235, 1.0),
    ),
    "axolotl: llama-3/3b-fp8-fsdp2": (
        "axolotl",
        AXOLOTL + "num_epochs: 1\ncosine_constant_lr_ratio: 0\ncosine_min_lr_ratio: 1.0\nlearning_rate: 2e-5\n"
        "warmup_steps: 10\nweight_decay: 0.0\n",
        1617,
        2e-5,
        lambda k: cosine(k, 10, 1617, 1.0),
    ),
    "axolotl: qwen3/reward-model": (
        "axolotl",
        AXOLOTL
        + "num_epochs: 3\nlr_scheduler: linear\nlearning_rate: 0.00002\nwarmup_ratio: 0.1\nweight_decay: 0.01\n",
        1500,
        2e-5,
        lambda k: linear(k, 150, 1500),
    ),
    "axolotl: gpt-oss/gpt-oss-120b-fft-fsdp2-offload": (
        "axolotl",
        AXOLOTL + "num_epochs: 1\nlr_scheduler: constant_with_warmup\nlearning_rate: 2e-5\nwarmup_ratio: 0.03\n",
        740,
        2e-5,
        lambda k: min(k / 22, 1.0),
    ),
    "LLaMA-Factory: extras/fsdp_qlora/llama3_lora_sft": (
        "llama-factory",
        FACTORY + "learning_rate: 1.0e-4\nnum_train_epochs: 3.0\nlr_scheduler_type: cosine\nwarmup_ratio: 0.1\n",
        369,
        1e-4,
        lambda k: cosine(k, 37, 369),
    ),
    "LLaMA-Factory: full_multi_gpu/minicpm_full_sft": (
        "llama-factory",
        FACTORY + "learning_rate: 0.0001\nnum_train_epochs: 3.0\nlr_scheduler_type: cosine\nwarmup_steps: 0.1\n",
        1111,
        1e-4,
        lambda k: cosine(k, 112, 1111),
    ),
    "LLaMA-Factory: extras/adam_mini/qwen2_full_sft": (
        "llama-factory",
        FACTORY + "learning_rate: 1.0e-5\nnum_train_epochs: 3.0\nlr_scheduler_type: cosine\nwarmup_ratio: 0.1\n",
        738,
        1e-5,
        lambda k: cosine(k, 74, 738),
    ),
    "LLaMA-Factory: extras/oft/llama3_oft_dpo": (
        "llama-factory",
        FACTORY.replace("stage: sft", "stage: dpo")
        + "learning_rate: 5.0e-6\nnum_train_epochs: 3.0\nlr_scheduler_type: cosine\nwarmup_ratio: 0.1\n",
        375,
        5e-6,
        lambda k: cosine(k, 38, 375),
    ),
    "LLaMA-Factory: ascend/qwen3_full_sft_fsdp2": (
        "llama-factory",
        FACTORY + "max_steps: 500\nlearning_rate: 1.0e-5\nlr_scheduler_type: cosine\nwarmup_ratio: 0.1\n",
        500,
        1e-5,
        lambda k: cosine(k, 50, 500),
    ),
    "ms-swift: circle_rope/sft": (
        "ms-swift",
        SWIFT.replace("tuner_type", "train_type")
        + "learning_rate: 1e-4\nweight_decay: 0.01\nlr_scheduler_type: cosine\nwarmup_ratio: 0.05\n",
        1501,
        1e-4,
        lambda k: cosine(k, 76, 1501),
    ),
    "ms-swift: train/full/qwen2_5_32b": (
        "ms-swift",
        SWIFT.replace("tuner_type: lora", "train_type: full")
        + "max_steps: 2000\nlearning_rate: 1e-5\nwarmup_ratio: 0.05\n",
        2000,
        1e-5,
        lambda k: cosine(k, 100, 2000),
    ),
    "ms-swift: train/grpo/internal/gspo": (
        "ms-swift",
        SWIFT.replace("tuner_type: lora", "train_type: full")
        + "num_train_epochs: 1\nlearning_rate: 1e-6\nwarmup_ratio: 0.05\n",
        1250,
        1e-6,
        lambda k: cosine(k, 63, 1250),
    ),
    "ms-swift: train/embedding/train_gte": (
        "ms-swift",
        SWIFT.replace("tuner_type", "train_type") + "num_train_epochs: 10\nlearning_rate: 5e-6\nwarmup_ratio: 0.05\n",
        449,
        5e-6,
        lambda k: cosine(k, 23, 449),
    ),
    "ms-swift: train/grpo/external/grpo_7b": (
        "ms-swift",
        SWIFT.replace("tuner_type: lora", "train_type: full")
        + "num_train_epochs: 3\nlearning_rate: 1e-6\nwarmup_ratio: 0.05\n",
        1000,
        1e-6,
        lambda k: cosine(k, 50, 1000),
    ),
}
"""Of recipes at 19f0345, and examples of axolotl-ai-cloud/axolotl at 067b021, with a number of iterations; of
hiyouga/LLaMA-Factory:examples/ at 00b3fb4, 5a4ab49, 1773be0, 73d02bb and e8deda5; of modelscope/ms-swift at eabfe07,
9c20051, 17959a3, 2e024a4 and 73c0bab, whose scripts have the same arguments on the command line.
"""


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_configs(name: str, tmp_path: Path) -> None:
    importer, text, run, peak, factor = PUBLISHED[name]
    (tmp_path / "config.yaml").write_text(text)
    answers = {} if "max_steps" in text else {"train_iters": run}
    assert imported(tmp_path / "config.yaml", **answers).importer == importer
    schedule = schedule_of(tmp_path / "config.yaml", **answers)
    assert_equal(schedule, lambda k: peak * factor(k), run, peak)


@pytest.mark.parametrize("name", CASES)
def test_every_update_is_the_trainers(name: str, tmp_path: Path) -> None:
    importer, text, run, peak, factor = CASES[name]
    (tmp_path / "config.yaml").write_text(text)
    assert imported(tmp_path / "config.yaml").importer == importer
    schedule = schedule_of(tmp_path / "config.yaml")
    assert schedule.train_steps == run
    assert_equal(schedule, lambda k: peak * factor(k), run, peak)


REFUSED = {
    "trl: no rate": (TRL.replace("learning_rate: 2.0e-5\n", "max_steps: 5\n"), "give it with --max-lr"),
    "axolotl: epochs": (AXOLOTL + "learning_rate: 1e-4\nnum_epochs: 2\n", "give it with --train-iters"),
    "axolotl: groups": (
        AXOLOTL + "learning_rate: 1e-4\nmax_steps: 10\nembedding_lr: 1e-5\n",
        "line 10, embedding_lr = 1e-05",
    ),
    "axolotl: restarts": (
        AXOLOTL + "learning_rate: 1e-4\nmax_steps: 10\njagged_restart_steps: 5\n",
        "line 10, jagged_restart_steps = 5: restarts",
    ),
    "axolotl: an option of rex": (
        AXOLOTL + "learning_rate: 1e-4\nmax_steps: 10\nlr_scheduler: rex\ncosine_min_lr_ratio: 2\n",
        "line 11, cosine_min_lr_ratio",
    ),
    "axolotl: an option of one cycle": (
        AXOLOTL + "learning_rate: 1e-4\nmax_steps: 9\nlr_scheduler: one_cycle\nlr_scheduler_kwargs: {max_lr: 1}\n",
        "line 11, lr_scheduler_kwargs.max_lr",
    ),
    "axolotl: one cycle without a rise": (
        AXOLOTL + "learning_rate: 1e-4\nmax_steps: 90\nlr_scheduler: one_cycle\nwarmup_steps: 0\n",
        "line 11, warmup_steps = 0: leaves no rise",
    ),
    "factory: loraplus": (FACTORY + "loraplus_lr_ratio: 16\nmax_steps: 9\n", "line 9, loraplus_lr_ratio = 16"),
    "factory: a metric": (
        FACTORY + "max_steps: 9\nlr_scheduler_type: reduce_lr_on_plateau\n",
        "line 10, lr_scheduler_type = 'reduce_lr_on_plateau': follows a metric",
    ),
    "swift: no warmup": (
        SWIFT.replace("tuner_type", "train_type") + "learning_rate: 1e-4\nmax_steps: 9\n",
        "warmup_ratio: is needed",
    ),
    "swift: groups": (SWIFT + "learning_rate: 1e-4\nvit_lr: 1e-5\n", "line 6, vit_lr"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_written_is_refused(name: str, tmp_path: Path) -> None:
    text, expected = REFUSED[name]
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(ConfigError) as error:
        imported(tmp_path / "config.yaml")
    assert expected in str(error.value)
