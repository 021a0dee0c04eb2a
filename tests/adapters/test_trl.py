"""A schedule in TRL's SFTTrainer; see `make adapters`."""

from pathlib import Path
from typing import Any

import pytest

import schedframe
from tests.adapters import one_file

pytest.importorskip("trl", reason="needs trl: make adapters")

from datasets import Dataset
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from trl import SFTConfig, SFTTrainer

from schedframe.adapters import hf
from tests.adapters import hf_trainer

WORDS = {"<pad>": 0, "<eos>": 1, **{f"w{number}": number for number in range(2, 32)}}


def make(trainer: type[SFTTrainer], folder: Path, **arguments: Any) -> tuple[SFTTrainer, hf_trainer.Recorder]:
    """Return a trainer of a small model, whose ``lm_head`` the rule of the one file names."""
    size = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=32, **size))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(WordLevel(WORDS)), pad_token="<pad>", eos_token="<eos>"
    )
    rows = [[2 + (row + place) % 30 for place in range(8)] for row in range(4 * 79)]
    recorder = hf_trainer.Recorder()
    made = trainer(
        model,
        args=SFTConfig(str(folder), bf16=False, max_length=8, **{**hf_trainer.ARGUMENTS, **arguments}),
        train_dataset=Dataset.from_dict({"input_ids": rows}),
        processing_class=tokenizer,
        callbacks=[recorder],
    )
    return made, recorder


def expected(file: Path) -> list[one_file.Values]:
    """Return what the Megatron drop-in gives: decayed groups by the rules, then those without."""
    schedule = schedframe.load(file)
    ruled = schedule.param_groups(one_file.Net())
    return [[*row, [row[0][0], 0.0]] for row in one_file.expected(ruled, schedule)]


def test_every_update_gets_the_values_of_the_megatron_drop_in(tmp_path: Path) -> None:
    file = one_file.write_file(tmp_path)
    trainer, recorder = make(SFTTrainer, tmp_path, save_strategy="steps", save_steps=20)
    hf.log_metrics(hf.use(trainer, file)).train()
    assert recorder.values == expected(file)
    assert trainer.state.log_history[4]["schedule/head/lr"] == expected(file)[4][1][0]
    resumed, recorder = make(SFTTrainer, tmp_path)
    hf.use(resumed, file).train(resume_from_checkpoint=str(tmp_path / "checkpoint-20"))
    assert recorder.values == expected(file)[20:]


def test_a_class_with_the_mixin_is_the_same(tmp_path: Path) -> None:
    class Scheduled(hf.ScheduleTrainerMixin, SFTTrainer):
        schedule = one_file.write_file(tmp_path)

    trainer, recorder = make(Scheduled, tmp_path)
    trainer.train()
    assert recorder.values == expected(Scheduled.schedule)


def test_its_own_default_of_the_learning_rate_is_not_reported(tmp_path: Path) -> None:
    trainer, _ = make(SFTTrainer, tmp_path)
    assert trainer.args.learning_rate == 2e-5
    hf.use(trainer, one_file.write_file(tmp_path)).create_optimizer_and_scheduler(40)
