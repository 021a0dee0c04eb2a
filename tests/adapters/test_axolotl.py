"""A schedule in axolotl's trainer, by its plugin manager; see `make adapters`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import schedframe
from tests.adapters import one_file

pytest.importorskip("axolotl", reason="needs axolotl: make adapters")

from axolotl.core.trainers.base import AxolotlTrainer
from axolotl.core.training_args import AxolotlTrainingArguments
from axolotl.integrations.base import PluginManager
from axolotl.utils.config import prepare_plugins, validate_config
from axolotl.utils.dict import DictDefault
from datasets import Dataset
from transformers import LlamaConfig, LlamaForCausalLM

from tests.adapters import hf_trainer

PLUGIN = "schedframe.adapters.axolotl.SchedulePlugin"


@pytest.fixture(autouse=True)
def manager() -> Iterator[PluginManager]:
    """The manager, which is one for the process, without the plugins of another test."""
    manager = PluginManager.get_instance()
    yield manager
    manager.plugins.clear()


def validated(**keys: Any) -> DictDefault:
    """Return what axolotl makes of its file, with the keys that training needs."""
    cfg = DictDefault(
        base_model="a/model",
        datasets=[{"path": "a/dataset", "type": "alpaca"}],
        micro_batch_size=4,
        gradient_accumulation_steps=2,
        num_epochs=1,
        learning_rate=1e-3,
        plugins=[PLUGIN],
        **keys,
    )
    prepare_plugins(cfg)
    return validate_config(cfg)


def test_its_file_may_have_the_keys_of_the_plugin() -> None:
    cfg = validated(schedule="run.yaml", schedule_options={"allow_jump": True})
    assert (cfg.schedule, cfg.schedule_options) == ("run.yaml", {"allow_jump": True})


def test_the_plugin_needs_a_schedule() -> None:
    with pytest.raises(ValueError, match=r"schedule\n +Field required"):
        validated()


def test_every_update_gets_the_values_of_the_megatron_drop_in(manager: PluginManager, tmp_path: Path) -> None:
    file = one_file.write_file(tmp_path)
    cfg = validated(schedule=str(file))
    size = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    rows = [[2 + (row + place) % 30 for place in range(8)] for row in range(4 * 79)]
    recorder = hf_trainer.Recorder()
    trainer = AxolotlTrainer(
        model=LlamaForCausalLM(LlamaConfig(vocab_size=32, **size)),
        args=AxolotlTrainingArguments(output_dir=str(tmp_path), **hf_trainer.ARGUMENTS),
        train_dataset=Dataset.from_dict({"input_ids": rows, "labels": rows}),
        callbacks=[recorder],
    )
    manager.post_trainer_create(cfg, trainer)
    trainer.train()
    schedule = schedframe.load(file)
    ruled = one_file.expected(schedule.param_groups(one_file.Net()), schedule)
    assert recorder.values == [[*row, [row[0][0], 0.0]] for row in ruled]
    assert trainer.state.log_history[4]["schedule/head/lr"] == ruled[4][1][0]
