"""Names of other code bases, and what a user who writes one is told."""

import re
from pathlib import Path
from typing import Any

import pytest

import schedframe
from schedframe import ConfigError, Schedule, UnknownStyleError, lr_styles
from schedframe._elsewhere import PLUGINS, hint_for_key, hint_for_lr_style, hint_for_unit, hint_for_warmup
from schedframe._schedule.shorthand import all_keys
from schedframe.styles._warmup import PRESETS, SHAPES

tomllib = pytest.importorskip("tomllib" if __import__("sys").version_info >= (3, 11) else "tomli")

ROOT = Path(__file__).parents[1]
ARGUMENTS = """\
lr: 3e-4
min-lr: 3e-5
lr-decay-style: cosine
lr-decay-samples: 131835937
lr-warmup-samples: 126953125
weight-decay: 0.1
global-batch-size: 512
num-layers: 24
hidden-size: 1024
"""
"""A list of Megatron's arguments, pasted into a file."""


@pytest.fixture(autouse=True)
def _built_ins_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCHEDFRAME_ALLOW", "")
    monkeypatch.delenv("SCHEDFRAME_BLOCK", raising=False)


def told(**keys: Any) -> str:
    """What is wrong with `keys` in a schedule that is right without them."""
    with pytest.raises(ConfigError) as caught:
        Schedule(**{"max_lr": 1.0, "lr_decay_steps": 100, **keys})
    return str(caught.value).removeprefix("the schedule: ")


@pytest.mark.parametrize(
    ("key", "value", "hint"),
    [
        ("lr_decay_iters", 100, "is a name of Megatron-LM; in schedframe it is `lr_decay_steps: 100 iters`"),
        (
            "lr-decay-samples",
            131835937,
            "is a name of Megatron-LM; in schedframe it is `lr_decay_steps: 131835937 samples`",
        ),
        ("--lr-warmup-fraction", 0.01, "is a name of Megatron-LM; in schedframe it is `lr_warmup_steps: 1%`"),
        ("weight_decay", 0.1, "is a name of Megatron-LM; in schedframe it is `start_wd: 0.1`"),
        ("lr-warmup-tokens", "3B", "is a name of Megatron-DeepSpeed; in schedframe it is `lr_warmup_steps: 3B tokens`"),
        ("learning_rate", "3e-4", "is a name of transformers; in schedframe it is `max_lr: 3e-4`"),
        ("warmup_ratio", 0.07, "is a name of transformers; in schedframe it is `lr_warmup_steps: 7%`"),
        ("warmup_steps", 2000, "is a name of transformers; in schedframe it is `lr_warmup_steps: 2000 iters`"),
        ("max_steps", 100, "is a name of transformers; in schedframe it is `train_iters: 100`"),
        ("num_training_steps", 100, "is a name of transformers; in schedframe it is `train_iters: 100`"),
        ("lr_scheduler_type", "cosine", "is a name of transformers; in schedframe it is `lr_decay_style: cosine`"),
        (
            "lr_scheduler_type",
            "inverse_sqrt",
            "is a name of transformers; in schedframe it is `lr_decay_style: inverse-square-root`",
        ),
        ("T_max", 100, "is a name of PyTorch; in schedframe it is `lr_decay_steps: 100 iters`"),
        ("eta_min", 1e-5, "is a name of PyTorch; in schedframe it is `min_lr: 1e-05`"),
        ("alpha_f", 0.1, "is a name of OLMo; in schedframe it is `min_lr: 10%`"),
        ("decay_ratio", 0.2, "is a name of torchtitan; in schedframe it is `wsd_decay_steps: 20%`"),
        ("decoupled_lr", 1e-3, "is a name of Megatron-LM; in schedframe it is max_lr of a rule in groups"),
        ("lr_warmup_iters", None, "is a name of Megatron-LM; in schedframe it is `lr_warmup_steps`"),
        ("lr", "3e-4\nmin_lr: 0", "is a name of Megatron-LM; in schedframe it is `max_lr`"),
        ("override_opt_param_scheduler", True, "is a name of Megatron-LM; in schedframe it is `resume: override`"),
        ("override_opt_param_scheduler", False, "is a name of Megatron-LM; remove it"),
        ("seed", 1, ""),
    ],
)
def test_a_key_of_another_code_base_is_answered_with_ours(key: str, value: object, hint: str) -> None:
    assert hint_for_key(key, value) == hint


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("inv_sqrt", "inverse-square-root, or power-law, which has no end"),
        ("none", "constant"),
        ("cosine_with_min_lr", "cosine, with min_lr"),
        ("warmup_stable_decay", "WSD, with wsd_decay_steps"),
        ("constant_with_warmup", "constant, with lr_warmup_steps"),
        ("CosineAnnealingLR", "cosine"),
        ("cosine_with_restarts", "cosine-restarts, of the plugin schedframe-classic"),
    ],
)
def test_a_style_of_another_code_base_is_answered_with_ours(name: str, hint: str) -> None:
    assert told(lr_decay_style=name).endswith(f"; in schedframe it is {hint}")


def test_a_style_that_follows_a_metric_is_reported_to_have_no_counterpart() -> None:
    assert "it follows a metric; the styles of schedframe depend on the step alone" in told(
        lr_decay_style="ReduceLROnPlateau"
    )


def test_a_style_of_a_plugin_that_is_not_installed_names_the_plugin() -> None:
    assert hint_for_lr_style("rex") == "it comes from the plugin schedframe-rex: pip install schedframe-rex"


def test_a_name_that_nobody_has_lists_what_is_installed() -> None:
    with pytest.raises(UnknownStyleError, match=r"^there is no LR style 'zigzag'\. Installed: WSD, constant, "):
        lr_styles["zigzag"]


def test_the_warmup_of_another_code_base_is_answered_with_ours() -> None:
    assert told(lr_warmup_style="fairseq").endswith("is the warmup that schedframe calls hf")
    assert told(lr_warmup_style="OLMo-core").endswith(
        "is the warmup that schedframe calls linear, with first_update: 1"
    )


def test_a_share_where_a_rate_stands_is_answered_with_the_rate() -> None:
    assert told(max_lr=3e-4, min_lr=0.1) == "min_lr = 0.1: must not be above max_lr (0.0003); 10% of max_lr is 3e-05"


def test_a_run_in_iterations_alone_is_warned_about_the_step_unit() -> None:
    assert told(lr_decay_steps=None, train_iters=1000).endswith("; add it, or write `clock: iters`")


def test_pasted_arguments_are_each_answered_and_the_keys_are_listed_once(tmp_path: Path) -> None:
    file = tmp_path / "pasted.yaml"
    file.write_text(ARGUMENTS)
    with pytest.raises(ConfigError) as caught:
        schedframe.load(file)
    text = str(caught.value)
    assert text.count("step_batch_size_schedule") == 1
    assert "line 2, min-lr = 3e-05: is spelled min_lr" in text
    assert "line 8, num-layers = 24: is not a key of a schedule\n" in text
    assert max(map(len, text.split("The keys of a schedule")[1].splitlines())) <= 80


def test_the_keys_are_not_listed_where_every_name_has_its_answer() -> None:
    assert "The keys" not in told(learning_rate=1e-3, warmup_ratio=0.1)


# The table itself


def hints_of(module: Any, table: str) -> list[str]:
    return [here for words in getattr(module, table).values() for here in words.values()]


def test_every_answer_is_a_key_of_a_config() -> None:
    known = set(all_keys(Schedule.model_fields))
    for here in hints_of(schedframe._elsewhere, "_KEYS"):
        assert re.split("[: ]", here)[0] in known


def test_no_key_of_ours_is_in_the_table() -> None:
    assert [key for key in all_keys(Schedule.model_fields) if hint_for_key(key, 1)] == []


def test_every_style_in_the_answers_is_built_in_or_of_a_plugin() -> None:
    known = {*lr_styles.builtins, *(style for styles in PLUGINS.values() for style in styles), ""}
    assert {re.split("[ ,]", here)[0] for here in hints_of(schedframe._elsewhere, "_LR_STYLES")} <= known


def test_no_style_of_ours_is_in_the_table() -> None:
    assert [name for name in (*lr_styles.builtins, *lr_styles.aliases) if hint_for_lr_style(name)] == []


def test_every_warmup_in_the_answers_is_one() -> None:
    names = {re.split("[,;]", here)[0] for here in schedframe._elsewhere._WARMUPS.values()}
    assert names <= {*PRESETS, *SHAPES}


def test_no_warmup_and_no_unit_of_ours_is_in_the_table() -> None:
    assert [name for name in PRESETS if hint_for_warmup(name)] == []
    assert [name for name in ("iters", "samples", "tokens", "epochs") if hint_for_unit(name)] == []


def test_the_plugins_are_those_that_declare_styles_in_the_repository() -> None:
    declared = {}
    for file in ROOT.glob("plugins/*/pyproject.toml"):
        project = tomllib.loads(file.read_text())["project"]
        if styles := project["entry-points"].get("schedframe.lr_styles"):
            declared[project["name"]] = tuple(sorted(styles))
    assert declared == PLUGINS
