"""Failures at second zero: what people read when a schedule is wrong, word for word."""

import pickle
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

import schedframe
from schedframe import (
    ConfigError,
    PluginError,
    Problem,
    SchedframeError,
    Schedule,
    StyleConflictError,
    StyleLoadError,
    UnknownStyleError,
    lr_styles,
    wd_styles,
)

GOOD = "max_lr: 1.0\nlr_decay_steps: 100\n"
LR_STYLES, WD_STYLES = (", ".join(sorted(registry.builtins)) for registry in (lr_styles, wd_styles))
KEYS = textwrap.fill(
    "The keys of a schedule: start_step, "
    "train_samples, train_iters, train_tokens, lr_decay_steps, max_lr, min_lr, init_lr, lr_warmup_steps, "
    "lr_warmup_style, first_update, interval, decay_from, "
    "lr_decay_style, wsd_decay_steps, lr_wsd_decay_style, start_wd, end_wd, wd_incr_steps, wd_incr_style, groups, "
    "resume, ignore, parent, clock, global_batch_size, seq_length, dataset_samples, micro_batch_size, "
    "data_parallel_size, decrease_batch_size_if_needed, rampup_batch_size, step_batch_size_schedule",
    80,
    subsequent_indent="  ",
)
DECAY = (
    "Where the decay ends; needed unless train_samples, train_iters or train_tokens is given. `open` if the end is "
    "not known."
)
TAIL = "Length of the cooldown, in steps or percent of lr_decay_steps."

BAD = {
    "style-misspelt": (
        GOOD + "lr_decay_style: cosin\n",
        (
            "run.yaml: line 3, lr_decay_style = 'cosin': there is no LR style 'cosin'; did you mean "
            f"'cosine'? Installed: {LR_STYLES}. Other styles come from plugins: pip install the one that "
            "provides 'cosin'"
        ),
    ),
    "style-in-table-misspelt": (
        GOOD + "lr_decay_style: {style: polinomial, power: 2}\n",
        (
            "run.yaml: line 3, lr_decay_style = {style, power}: there is no LR style 'polinomial'; did "
            f"you mean 'polynomial'? Installed: {LR_STYLES}. Other styles come from plugins: pip install the "
            "one that provides 'polinomial'"
        ),
    ),
    "wd-style-misspelt": (
        GOOD + "start_wd: 0.1\nwd_incr_style: linaer\n",
        (
            "run.yaml: line 4, wd_incr_style = 'linaer': there is no WD style 'linaer'; did you mean "
            f"'linear'? Installed: {WD_STYLES}. Other styles come from plugins: pip install the one that "
            "provides 'linaer'"
        ),
    ),
    "lr-style-for-wd": (
        GOOD + "start_wd: 0.1\nwd_incr_style: inverse-square-root\n",
        (
            "run.yaml: line 4, wd_incr_style.curve = {style}: 'inverse-square-root' is not a curve; only a curve "
            "is valid here"
        ),
    ),
    "tail-misspelt": (
        GOOD + "lr_decay_style: WSD\nwsd_decay_steps: 10\nlr_wsd_decay_style: minus_sqr\n",
        (
            "run.yaml: line 5, lr_wsd_decay_style = 'minus_sqr': there is no LR style 'minus_sqr'; did you "
            f"mean 'minus_sqrt'? Installed: {LR_STYLES}. Other styles come from plugins: pip install the one "
            "that provides 'minus_sqr'"
        ),
    ),
    "tail-in-table-misspelt": (
        GOOD + "lr_decay_style:\n  style: WSD\n  wsd_decay_steps: 10\n  lr_wsd_decay_style: minus_sqr\n",
        (
            "run.yaml: line 6, lr_decay_style.lr_wsd_decay_style = 'minus_sqr': there is no LR style "
            f"'minus_sqr'; did you mean 'minus_sqrt'? Installed: {LR_STYLES}. Other styles come from "
            "plugins: pip install the one that provides 'minus_sqr'"
        ),
    ),
    "style-far-off": (
        GOOD + "lr_decay_style: chinchilla\n",
        (
            "run.yaml: line 3, lr_decay_style = 'chinchilla': there is no LR style 'chinchilla'. Installed: "
            f"{LR_STYLES}. Other styles come from plugins: pip install the one that provides 'chinchilla'"
        ),
    ),
    "key-misspelt": (
        GOOD + "lr_warmup_step: 10\n",
        (f"run.yaml: line 3, lr_warmup_step = 10: is not a key of a schedule; did you mean 'lr_warmup_steps'?\n{KEYS}"),
    ),
    "key-far-off": (
        GOOD + "optimizer: adam\n",
        f"run.yaml: line 3, optimizer = 'adam': is not a key of a schedule\n{KEYS}",
    ),
    "key-of-megatron": (
        GOOD + "lr_warmup_fraction: 0.01\n",
        "run.yaml: line 3, lr_warmup_fraction = 0.01: is a name of Megatron-LM; in schedframe it is "
        "`lr_warmup_steps: 1%`",
    ),
    "option-misspelt": (
        GOOD + "lr_decay_style: {style: polynomial, pwoer: 2}\n",
        (
            "run.yaml: line 3, lr_decay_style.pwoer = 2: is not an option of 'polynomial'; did you mean "
            "'power'?\nThe options of 'polynomial': power, k"
        ),
    ),
    "option-of-a-style-without": (
        GOOD + "lr_decay_style: {style: cosine, power: 2}\n",
        "run.yaml: line 3, lr_decay_style.power = 2: is not an option of 'cosine'\nThe options of 'cosine': none",
    ),
    "word-for-number": (
        "max_lr: fast\nlr_decay_steps: 100\n",
        "run.yaml: line 1, max_lr = 'fast': is not a number",
    ),
    "word-for-length": (
        "max_lr: 1.0\nlr_decay_steps: forever\n",
        "run.yaml: line 2, lr_decay_steps = 'forever': is not a length such as 2000, 500M, 2000 iters or 10%",
    ),
    "word-for-option": (
        GOOD + "lr_decay_style: {style: polynomial, power: steep}\n",
        "run.yaml: line 3, lr_decay_style.power = 'steep': is not a number",
    ),
    "boolean": (
        "max_lr: true\nlr_decay_steps: 100\n",
        "run.yaml: line 1, max_lr = True: is not a number",
    ),
    "boolean-length": (
        GOOD + "lr_warmup_steps: false\n",
        "run.yaml: line 3, lr_warmup_steps = False: is not a length such as 2000, 500M, 2000 iters or 10%",
    ),
    "boolean-option": (
        GOOD + "lr_decay_style: {style: polynomial, power: true}\n",
        "run.yaml: line 3, lr_decay_style.power = True: is not a number",
    ),
    "yes": (
        "max_lr: yes\nlr_decay_steps: 100\n",
        "run.yaml: line 1, max_lr = 'yes': is not a number",
    ),
    "nan": (
        "max_lr: .nan\nlr_decay_steps: 100\n",
        "run.yaml: line 1, max_lr = nan: is not a finite number",
    ),
    "inf": (
        "max_lr: 1.0\nlr_decay_steps: .inf\n",
        "run.yaml: line 2, lr_decay_steps = inf: is not a finite number",
    ),
    "nan-option": (
        GOOD + "lr_decay_style: {style: polynomial, power: .nan}\n",
        "run.yaml: line 3, lr_decay_style.power = nan: is not a finite number",
    ),
    "nothing": (
        "max_lr:\nlr_decay_steps: 100\n",
        "run.yaml: line 1, max_lr = None: has no value",
    ),
    "negative-peak": (
        "max_lr: -1.0\nlr_decay_steps: 100\n",
        "run.yaml: line 1, max_lr = -1.0: must be above 0",
    ),
    "zero-peak": (
        "max_lr: 0\nlr_decay_steps: 100\n",
        "run.yaml: line 1, max_lr = 0: must be above 0",
    ),
    "negative-length": (
        GOOD + "lr_warmup_steps: -5\n",
        "run.yaml: line 3, lr_warmup_steps = -5: must not be negative",
    ),
    "negative-floor": (
        GOOD + "min_lr: -0.1\n",
        "run.yaml: line 3, min_lr = -0.1: must not be negative",
    ),
    "negative-wd": (
        GOOD + "start_wd: -0.1\n",
        "run.yaml: line 3, start_wd = -0.1: must not be negative",
    ),
    "negative-percent": (
        GOOD + "min_lr: -10%\n",
        "run.yaml: line 3, min_lr = '-10%': must not be negative",
    ),
    "negative-option": (
        GOOD + "lr_decay_style: {style: polynomial, power: -2}\n",
        "run.yaml: line 3, lr_decay_style.power = -2: must be above 0",
    ),
    "zero-decay": (
        "max_lr: 1.0\nlr_decay_steps: 0\n",
        "run.yaml: line 2, lr_decay_steps = 0: must be above 0",
    ),
    "zero-run": (
        "max_lr: 1.0\ntrain_samples: 0\n",
        "run.yaml: line 2, train_samples = 0: must be above 0",
    ),
    "tail-beyond": (
        GOOD + "lr_warmup_steps: 20\nlr_decay_style: WSD\nwsd_decay_steps: 90\n",
        (
            "run.yaml: line 5, wsd_decay_steps = 90: is longer than the 80 steps between the end of the warmup "
            "and lr_decay_steps, so the learning rate would jump where the warmup ends; make it at most 80"
        ),
    ),
    "tail-beyond-table": (
        GOOD + "lr_warmup_steps: 20\nlr_decay_style: {style: WSD, wsd_decay_steps: 90%}\n",
        (
            "run.yaml: line 4, lr_decay_style.wsd_decay_steps = '90%': is longer than the 80 steps between "
            "the end of the warmup and lr_decay_steps, so the learning rate would jump where the warmup ends; "
            "make it at most 80"
        ),
    ),
    "tail-zero": (
        GOOD + "lr_decay_style: WSD\nwsd_decay_steps: 0\n",
        "run.yaml: line 4, wsd_decay_steps = 0: must be above 0; the style without a cooldown is `constant`",
    ),
    "tail-zero-table": (
        GOOD + "lr_decay_style: {style: WSD, wsd_decay_steps: 0}\n",
        "run.yaml: line 3, lr_decay_style.wsd_decay_steps = 0: must be above 0; the style without a cooldown is "
        "`constant`",
    ),
    "tail-missing": (
        GOOD + "lr_decay_style: WSD\n",
        f"run.yaml: line 3, wsd_decay_steps: missing required key: {TAIL}",
    ),
    "tail-missing-table": (
        GOOD + "lr_decay_style: {style: WSD}\n",
        f"run.yaml: line 3, lr_decay_style.wsd_decay_steps: missing required key: {TAIL}",
    ),
    "tail-of-cosine": (
        GOOD + "lr_decay_style: cosine\nwsd_decay_steps: 10\n",
        ("run.yaml: line 4, wsd_decay_steps = 10: is only for lr_decay_style: WSD, and that is 'cosine' here"),
    ),
    "tail-of-nothing": (
        GOOD + "wsd_decay_steps: 10\n",
        ("run.yaml: line 3, wsd_decay_steps = 10: is only for lr_decay_style: WSD, and that is 'linear' here"),
    ),
    "tail-twice": (
        GOOD + "lr_decay_style: {style: WSD, wsd_decay_steps: 10}\nwsd_decay_steps: 10\n",
        "run.yaml: line 4, wsd_decay_steps = 10: is given beside the table of lr_decay_style; give it in the table",
    ),
    "tail-no-curve": (
        GOOD + "lr_decay_style: WSD\nwsd_decay_steps: 10\nlr_wsd_decay_style: constant\n",
        ("run.yaml: line 5, lr_wsd_decay_style = 'constant': 'constant' is not a curve; only a curve is valid here"),
    ),
    "tail-wsd": (
        GOOD
        + "lr_decay_style: {style: WSD, wsd_decay_steps: 10, lr_wsd_decay_style: {style: WSD, wsd_decay_steps: 5}}\n",
        (
            "run.yaml: line 3, lr_decay_style.lr_wsd_decay_style = {style, wsd_decay_steps}: 'WSD' is not a "
            "curve; only a curve is valid here"
        ),
    ),
    "floor-above-peak": (
        GOOD + "min_lr: 2.0\n",
        "run.yaml: line 3, min_lr = 2.0: must not be above max_lr (1.0)",
    ),
    "floor-above-peak-percent": (
        GOOD + "min_lr: 101%\n",
        "run.yaml: line 3, min_lr = '101%': must not be above max_lr (1.0)",
    ),
    "init-above-peak": (
        GOOD + "init_lr: 2.0\n",
        "run.yaml: line 3, init_lr = 2.0: must not be above max_lr (1.0)",
    ),
    "constant-wd": (
        GOOD + "start_wd: 0.0\nend_wd: 0.1\n",
        (
            "run.yaml: wd_incr_style: is constant, but start_wd (0.0) and end_wd (0.1) differ; "
            "name a style that changes, such as linear or cosine, or make them the same"
        ),
    ),
    "constant-wd-named": (
        GOOD + "start_wd: 0.0\nend_wd: 0.1\nwd_incr_style: constant\n",
        (
            "run.yaml: line 5, wd_incr_style = 'constant': is constant, but start_wd (0.0) and end_wd (0.1) "
            "differ; name a style that changes, such as linear or cosine, or make them the same"
        ),
    ),
    "wd-no-length": (
        GOOD + "start_wd: 0.0\nend_wd: 0.1\nwd_incr_steps: 0\nwd_incr_style: linear\n",
        "run.yaml: line 6, wd_incr_style = 'linear': wd_incr_steps must be above 0",
    ),
    "geometric-to-zero": (
        GOOD + "lr_decay_style: geometric\n",
        ("run.yaml: line 3, lr_decay_style = 'geometric': geometric needs max_lr and min_lr above 0, got 1.0 and 0.0"),
    ),
    "wd-geometric-from-zero": (
        GOOD + "start_wd: 0.0\nend_wd: 0.1\nwd_incr_style: geometric\n",
        ("run.yaml: line 5, wd_incr_style = 'geometric': geometric needs start_wd and end_wd above 0, got 0.0 and 0.1"),
    ),
    "percent-of-nothing": (
        "max_lr: 1.0\nlr_warmup_steps: 1%\n",
        (
            "run.yaml has 2 problems:\n"
            f"  lr_decay_steps: missing required key: {DECAY}\n"
            "  line 2, lr_warmup_steps = '1%': is a percentage of lr_decay_steps, which is missing or wrong"
        ),
    ),
    "percent-in-option-of-nothing": (
        "max_lr: 1.0\nlr_decay_style: {style: WSD, wsd_decay_steps: 10%}\n",
        (
            "run.yaml has 2 problems:\n"
            f"  lr_decay_steps: missing required key: {DECAY}\n"
            "  line 2, lr_decay_style.wsd_decay_steps = '10%': is a percentage of lr_decay_steps, which is "
            "missing or wrong"
        ),
    ),
    "percent-for-peak": (
        "max_lr: 10%\nlr_decay_steps: 100\n",
        "run.yaml: line 1, max_lr = '10%': is not a number",
    ),
    "percent-for-decay": (
        "max_lr: 1.0\ntrain_samples: 100\nlr_decay_steps: 90%\n",
        (
            "run.yaml: line 3, lr_decay_steps = '90%': is a percentage of itself; a part of the run is written "
            "`90% of run`"
        ),
    ),
    "percent-for-run": (
        "max_lr: 1.0\ntrain_samples: 90%\n",
        (
            "run.yaml: line 2, train_samples = '90%': is a percentage, where only a length of its own can stand, "
            "such as 500M or 2000 iters"
        ),
    ),
    "percent-for-wd": (
        GOOD + "start_wd: 10%\n",
        "run.yaml: line 3, start_wd = '10%': is not a number",
    ),
    "percent-no-number": (
        GOOD + "lr_warmup_steps: ten%\n",
        "run.yaml: line 3, lr_warmup_steps = 'ten%': is not a percentage such as 10%",
    ),
    "steps-lengths-differ": (
        GOOD + "lr_decay_style: {style: multi-step, milestones: [0.5, 0.8], multipliers: [0.1]}\n",
        (
            "run.yaml: line 3, lr_decay_style = {style, milestones, multipliers}: needs one multiplier "
            "for each milestone, got 1 for 2"
        ),
    ),
    "steps-not-rising": (
        GOOD + "lr_decay_style: {style: multi-step, milestones: [0.8, 0.5], multipliers: [0.5, 0.1]}\n",
        ("run.yaml: line 3, lr_decay_style = {style, milestones, multipliers}: milestones must rise, got [0.8, 0.5]"),
    ),
    "steps-outside": (
        GOOD + "lr_decay_style: {style: multi-step, milestones: [0.5, 80 %%], multipliers: [0.5, 0.1]}\n",
        "run.yaml: line 3, lr_decay_style.milestones.1 = '80 %%': is not a percentage such as 10%",
    ),
    "steps-empty": (
        GOOD + "lr_decay_style: {style: multi-step, milestones: [], multipliers: []}\n",
        (
            "run.yaml has 2 problems:\n"
            "  line 3, lr_decay_style.milestones = []: needs at least 1 item\n"
            "  line 3, lr_decay_style.multipliers = []: needs at least 1 item"
        ),
    ),
    "steps-missing": (
        GOOD + "lr_decay_style: multi-step\n",
        (
            "run.yaml has 2 problems:\n"
            "  line 3, lr_decay_style.milestones: missing required key: Parts of lr_decay_steps or positions, "
            "rising: 80%, 0.8, 1.6T tokens.\n"
            "  line 3, lr_decay_style.multipliers: missing required key: Part of max_lr from each milestone on: "
            "0.316 or 31.6%."
        ),
    ),
    "steps-word": (
        GOOD + "lr_decay_style: {style: multi-step, milestones: [half], multipliers: [0.1]}\n",
        "run.yaml: line 3, lr_decay_style.milestones.0 = 'half': is not a length such as 2000, 500M, 2000 iters or 10%",
    ),
    "steps-no-list": (
        GOOD + "lr_decay_style: {style: multi-step, milestones: 0.5, multipliers: [0.1]}\n",
        "run.yaml: line 3, lr_decay_style.milestones = 0.5: must be a list",
    ),
    "list-for-number": (
        "max_lr: [1.0]\nlr_decay_steps: 100\n",
        "run.yaml: line 1, max_lr = [1.0]: is not a number",
    ),
    "table-for-number": (
        "max_lr: {value: 1.0}\nlr_decay_steps: 100\n",
        "run.yaml: line 1, max_lr = {value}: is not a number",
    ),
    "number-for-style": (
        GOOD + "lr_decay_style: 5\n",
        "run.yaml: line 3, lr_decay_style = 5: must be the name of a style, or a table with a `style` key",
    ),
    "list-for-style": (
        GOOD + "lr_decay_style: [cosine]\n",
        ("run.yaml: line 3, lr_decay_style = ['cosine']: must be the name of a style, or a table with a `style` key"),
    ),
    "table-without-style": (
        GOOD + "lr_decay_style: {power: 2}\n",
        "run.yaml: line 3, lr_decay_style = {power}: needs a `style` key with the style's name",
    ),
    "style-is-a-list": (
        GOOD + "lr_decay_style: {style: [cosine]}\n",
        "run.yaml: line 3, lr_decay_style = {style}: needs a `style` key with the style's name",
    ),
    "nothing-for-style": (
        GOOD + "lr_decay_style:\n",
        "run.yaml: line 3, lr_decay_style = None: must be the name of a style, or a table with a `style` key",
    ),
    "no-peak": (
        "lr_decay_steps: 100\n",
        "run.yaml: max_lr: missing required key: The peak learning rate.",
    ),
    "no-length": (
        "max_lr: 1.0\n",
        f"run.yaml: lr_decay_steps: missing required key: {DECAY}",
    ),
    "suffix-twice": (
        "max_lr: 1.0\nlr_decay_steps: 5 MM\n",
        "run.yaml: line 2, lr_decay_steps = '5 MM': is not a length: there is no unit 'MM', only iters, "
        "samples, tokens and epochs",
    ),
    "suffix-for-rate": (
        "max_lr: 1K\nlr_decay_steps: 100\n",
        "run.yaml: line 1, max_lr = '1K': is not a number",
    ),
    "too-large": (
        "max_lr: 1.0\nlr_decay_steps: '1e999'\n",
        "run.yaml: line 2, lr_decay_steps = '1e999': is too large",
    ),
    "several": (
        "max_lr: fast\nlr_warmup_steps: 1%\nlr_decay_style: cosin\nmin_lr: 10%\nsurplus: 1\nmax_lr: 1.0\n",
        (
            "run.yaml has 7 problems:\n"
            f"  lr_decay_steps: missing required key: {DECAY}\n"
            "  line 1, max_lr = 'fast': is not a number\n"
            "  line 2, lr_warmup_steps = '1%': is a percentage of lr_decay_steps, which is missing or wrong\n"
            "  line 3, lr_decay_style = 'cosin': there is no LR style 'cosin'; did you mean 'cosine'? "
            f"Installed: {LR_STYLES}. Other styles come from plugins: pip install the one that provides "
            "'cosin'\n"
            "  line 4, min_lr = '10%': is a percentage of max_lr, which is missing or wrong\n"
            "  line 5, surplus = 1: is not a key of a schedule\n"
            f"  line 6, max_lr: is given twice, first on line 1; keep one\n{KEYS}"
        ),
    ),
    "several-rules": (
        "end_wd: -1\nlr_warmup_steps: -200\nmin_lr: 2.0\nmax_lr: 1.0\nlr_decay_steps: 100\n"
        "lr_decay_style: {style: multi-step, milestones: [half], multipliers: [-1], bend: 3}\n",
        (
            "run.yaml has 6 problems:\n"
            "  line 1, end_wd = -1: must not be negative\n"
            "  line 2, lr_warmup_steps = -200: must not be negative\n"
            "  line 3, min_lr = 2.0: must not be above max_lr (1.0)\n"
            "  line 6, lr_decay_style.milestones.0 = 'half': is not a length such as 2000, 500M, 2000 iters or 10%\n"
            "  line 6, lr_decay_style.multipliers.0 = -1: must not be negative\n"
            "  line 6, lr_decay_style.bend = 3: is not an option of 'multi-step'\n"
            "The options of 'multi-step': milestones, multipliers, boundaries"
        ),
    ),
    "tail-key-misspelt": (
        GOOD + "lr_decay_style: WSD\nwsd_decay_step: 10\n",
        (
            "run.yaml has 2 problems:\n"
            f"  line 3, wsd_decay_steps: missing required key: {TAIL}\n"
            f"  line 4, wsd_decay_step = 10: is not a key of a schedule; did you mean 'wsd_decay_steps'?\n{KEYS}"
        ),
    ),
}


@pytest.fixture(autouse=True)
def _built_ins_only(monkeypatch):
    monkeypatch.setenv("SCHEDFRAME_ALLOW", "")
    monkeypatch.delenv("SCHEDFRAME_BLOCK", raising=False)


@pytest.fixture
def refused(tmp_path: Path) -> Callable[[str], ConfigError]:
    """Load a YAML text that must be refused, by exactly a `ConfigError`."""

    def refused(text: str) -> ConfigError:
        path = tmp_path / "run.yaml"
        path.write_text(text)
        with pytest.raises(Exception) as caught:
            schedframe.load(path)
        assert type(caught.value) is ConfigError, repr(caught.value)
        assert caught.value.where == str(path)
        return caught.value

    return refused


def said(error: ConfigError) -> str:
    """The text of `error` with the file's name instead of its path."""
    return str(error).replace(error.where, "run.yaml")


@pytest.mark.parametrize(("text", "expected"), BAD.values(), ids=BAD)
def test_a_bad_file_says(refused, text, expected):
    assert said(refused(text)) == expected


@pytest.mark.parametrize("text", [text for text, _ in BAD.values()], ids=BAD)
def test_every_problem_has_its_parts_and_they_stand_in_the_order_of_the_lines(refused, text):
    error = refused(text)
    assert error.problems
    lines = [problem.line or 0 for problem in error.problems]
    assert lines == sorted(lines)
    for problem in error.problems:
        assert problem.path
        assert problem.message
        assert str(problem) in str(error)
        if problem.line is not None:
            assert problem.path.rpartition(".")[2].isdigit() or problem.line <= text.count("\n")


@pytest.mark.parametrize(
    "text",
    [
        "max_lr: '1e-4'\nlr_decay_steps: 100\n",
        "max_lr: 1e-4\nlr_decay_steps: '1e2'\n",
        "max_lr: 1e-4\nlr_decay_steps: 100\nlr_decay_style: {style: polynomial, power: '1e0'}\n",
    ],
    ids=["rate", "length", "option"],
)
def test_a_quoted_number_is_a_number(tmp_path, text):
    path = tmp_path / "run.yaml"
    path.write_text(text)
    schedule = schedframe.load(path)
    assert schedule.max_lr == 1e-4
    assert schedule.lr_decay_steps == 100


def test_a_problem_carries_path_line_value_and_the_error_behind_it(refused):
    error = refused(GOOD + "lr_decay_style: {style: WSD, wsd_decay_steps: 5,\n  lr_wsd_decay_style: cosin}\n")
    (problem,) = error.problems
    assert (problem.path, problem.line, problem.value) == ("lr_decay_style.lr_wsd_decay_style", 4, "'cosin'")
    assert isinstance(problem.error, UnknownStyleError)
    assert problem.message == str(problem.error)
    assert error.errors == (problem.error,)


def test_errors_holds_every_error_of_ours(refused):
    error = refused(GOOD + "lr_decay_style: cosin\nstart_wd: 0.1\nwd_incr_style: cosin\nmin_lr: x\n")
    ours = [inner for inner in error.errors if isinstance(inner, SchedframeError)]
    assert [type(inner) for inner in ours] == [UnknownStyleError, UnknownStyleError]
    assert [str(inner).split("'")[0] for inner in ours] == ["there is no LR style ", "there is no WD style "]


def test_a_schedule_made_in_a_program_says_the_same_without_a_file():
    with pytest.raises(ConfigError) as caught:
        Schedule(max_lr="fast", lr_decay_steps=100, min_lr=-1)
    assert str(caught.value) == (
        "the schedule has 2 problems:\n  max_lr = 'fast': is not a number\n  min_lr = -1: must not be negative"
    )
    assert [problem.line for problem in caught.value.problems] == [None, None]


def test_a_long_value_is_cut():
    with pytest.raises(ConfigError) as caught:
        Schedule(max_lr="x" * 1000, lr_decay_steps=100)
    (problem,) = caught.value.problems
    assert len(problem.value) == 60
    assert problem.value.endswith("...")


def test_a_config_error_is_a_value_error_and_survives_another_process(refused):
    error = refused(GOOD + "lr_decay_style: cosin\nmin_lr: x\n")
    assert isinstance(error, ValueError)
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    assert [problem.path for problem in again.problems] == [problem.path for problem in error.problems]
    assert type(again.errors[0]) is UnknownStyleError


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("", "is bad"), "is bad"),
        (Problem("", "is bad", line=3), "line 3: is bad"),
        (Problem("a.b", "is bad"), "a.b: is bad"),
        (Problem("a.b", "is bad", value="5", line=3), "line 3, a.b = 5: is bad"),
    ],
)
def test_a_problem_is_one_line(problem, text):
    assert str(problem) == text


# Plugins


def style(name: str, body: str, options: str = "", base: str = "LRCurve") -> str:
    return f'''
from typing import Any, Literal
from pydantic import Field, field_validator
from schedframe.styles import LRCurve, LRStyle, Length, WDCurve


class Curve({base}):
    """A curve that does not work."""

    style: Literal["{name}"] = "{name}"
    {options}

    def coefficient(self, progress: float) -> float:
        {body}
'''


@pytest.fixture
def plugin(install, monkeypatch):
    """Install one distribution, ``acme-<style>``, with one style, and allow it."""

    def plugin(name: str, module: str, kind: str = "lr_styles", **metadata) -> str:
        distribution = f"acme-{name}"
        modname = f"{distribution.replace('-', '_')}_mod"
        install(distribution, module, **{kind: {name: f"{modname}:Curve"}}, **metadata)
        monkeypatch.setenv("SCHEDFRAME_ALLOW", distribution)
        return f"{distribution} 1.0 ({modname}:Curve)"

    return plugin


def test_a_plugin_that_cannot_be_imported(refused, plugin):
    plugin("sick", "raise RuntimeError('no licence')")
    error = refused(GOOD + "lr_decay_style: sick\n")
    assert said(error) == (
        "run.yaml: line 3, lr_decay_style = 'sick': LR style 'sick' from acme-sick 1.0 (acme_sick_mod:Curve) cannot "
        "be imported: RuntimeError: no licence; repair or reinstall it, or leave the style out"
    )
    assert type(error.errors[0]) is StyleLoadError
    assert str(error.errors[0].__cause__) == "no licence"


def test_a_plugin_that_exits_does_not_end_the_program(refused, plugin):
    plugin("quitter", "import sys; sys.exit(0)")
    assert "SystemExit: 0" in said(refused(GOOD + "lr_decay_style: quitter\n"))


def test_a_plugin_that_is_no_style(refused, plugin):
    plugin("lump", "class Curve: pass")
    error = refused(GOOD + "lr_decay_style: {style: lump, weight: 5}\n")
    assert said(error) == (
        "run.yaml: line 3, lr_decay_style = {style, weight}: LR style 'lump' from acme-lump 1.0 "
        "(acme_lump_mod:Curve) cannot be used: it is not a subclass of schedframe.styles.LRStyle"
    )


def test_an_incompatible_plugin(refused, plugin):
    plugin("future", style("future", "return 1.0"), requires="schedframe>=99")
    assert said(refused(GOOD + "lr_decay_style: future\n")) == (
        "run.yaml: line 3, lr_decay_style = 'future': LR style 'future' from acme-future 1.0 (acme_future_mod:Curve) "
        f"cannot be used: it requires schedframe>=99, and this is schedframe {schedframe.__version__}; "
        "install versions that fit each other"
    )


def test_two_distributions_with_one_style(refused, install, monkeypatch):
    for distribution, version in (("acme-pair", "1.1"), ("bolt-pair", "0.2")):
        module = f"{distribution.replace('-', '_')}_mod"
        install(distribution, style("pair", "return 1.0"), lr_styles={"pair": f"{module}:Curve"}, version=version)
    monkeypatch.delenv("SCHEDFRAME_ALLOW")
    error = refused(GOOD + "lr_decay_style: pair\n")
    assert said(error) == (
        "run.yaml: line 3, lr_decay_style = 'pair': LR style 'pair' is provided more than once: acme-pair 1.1 "
        "(acme_pair_mod:Curve); bolt-pair 0.2 (bolt_pair_mod:Curve); uninstall all but one, or set SCHEDFRAME_BLOCK "
        "to those that you do not want (acme-pair,bolt-pair)"
    )
    assert [type(inner) for inner in error.errors] == [StyleConflictError]


def test_a_plugin_called_cosine(refused, install, monkeypatch):
    install("acme-thief-2", style("cosine", "return 1.0"), lr_styles={"cosine": "acme_thief_2_mod:Curve"})
    monkeypatch.delenv("SCHEDFRAME_ALLOW")
    error = refused(GOOD + "lr_decay_style: cosine\n")
    assert said(error) == (
        "run.yaml: line 3, lr_decay_style = 'cosine': LR style 'cosine' is built in "
        f"(schedframe {schedframe.__version__} (schedframe.styles.lr:Cosine)) and claimed by acme-thief-2 1.0 "
        "(acme_thief_2_mod:Curve); built-in names and their aliases cannot be taken: uninstall the other, "
        "or set SCHEDFRAME_BLOCK=acme-thief-2"
    )
    assert [type(inner) for inner in error.errors] == [StyleConflictError]


def test_a_blocked_plugin(refused, plugin, monkeypatch):
    plugin("barred", style("barred", "return 1.0"))
    monkeypatch.setenv("SCHEDFRAME_BLOCK", "acme_barred")
    assert said(refused(GOOD + "lr_decay_style: barred\n")) == (
        "run.yaml: line 3, lr_decay_style = 'barred': the LR style 'barred' comes from acme-barred 1.0 "
        "(acme_barred_mod:Curve), and SCHEDFRAME_BLOCK blocks it; change the variable to use it"
    )


def test_a_variable_that_names_what_is_not_installed(refused, monkeypatch):
    monkeypatch.setenv("SCHEDFRAME_ALLOW", "no-such-dist")
    error = refused(GOOD + "lr_decay_style: cosine\n")
    assert said(error) == (
        "run.yaml: line 3, lr_decay_style = 'cosine': SCHEDFRAME_ALLOW names 'no-such-dist', which is not installed; "
        "correct it, or install the distribution"
    )
    assert [type(inner) for inner in error.errors] == [PluginError]


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("nan", "return float('nan')", "Curve(style='nan') from {source} gives nan at step 0"),
        ("infinite", "return 1e300 * 1e300", "Curve(style='infinite') from {source} gives inf at step 0"),
        ("below", "return 1.0 - 2.0 * progress", "Curve(style='below') from {source} gives -0.125 at step 56.25"),
        (
            "zero-division",
            "raise ZeroDivisionError('no room')",
            "Curve(style='zero-division') from {source} fails when it is evaluated: ZeroDivisionError: no room",
        ),
        (
            "key-error",
            "return {}['x']",
            "Curve(style='key-error') from {source} fails when it is evaluated: KeyError: 'x'",
        ),
    ],
)
def test_a_curve_that_gives_no_learning_rate(refused, plugin, name, body, says):
    source = plugin(name, style(name, body))
    expected = f"run.yaml: line 3, lr_decay_style = {name!r}: {says.format(source=source)}"
    assert said(refused(GOOD + f"lr_decay_style: {name}\n")) == expected


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("gives-none", "return None"),
        ("gives-text", "return '1'"),
        ("gives-complex", "return (1.0 - 2.0 * progress) ** 0.5"),
        ("gives-list", "return [1.0]"),
        ("nan-late", "return 1.0 - progress if progress < 1 else float('nan')"),
        ("dies-late", "return 1.0 / (1.0 - progress) * 0.001"),
        ("math-domain", "import math; return math.sqrt(0.5 - progress)"),
        ("recursive", "return self.coefficient(progress)"),
    ],
)
def test_a_curve_that_gives_no_number_is_refused_with_its_source(refused, plugin, name, body):
    source = plugin(name, style(name, body))
    text = said(refused(GOOD + f"lr_decay_style: {name}\n"))
    assert text.startswith(f"run.yaml: line 3, lr_decay_style = {name!r}: ")
    assert source in text


def test_a_weight_decay_curve_that_gives_no_number(refused, plugin):
    source = plugin("wd-nan", style("wd-nan", "return float('nan')", base="WDCurve"), kind="wd_styles")
    assert said(refused(GOOD + "start_wd: 0.0\nend_wd: 0.1\nwd_incr_style: wd-nan\n")) == (
        f"run.yaml: line 5, wd_incr_style = 'wd-nan': Curve(style='wd-nan') from {source} gives nan at step 0"
    )


@pytest.mark.parametrize("length", ["50%", "5%", "0.1%"])
def test_a_cooldown_that_fails_in_its_middle_is_found_whatever_its_length(refused, plugin, length):
    body = "return float('nan') if 0.3 < progress < 0.7 else 1.0 - progress"
    plugin(f"hole-{length[:-1].replace('.', '-')}", style(f"hole-{length[:-1].replace('.', '-')}", body))
    name = f"hole-{length[:-1].replace('.', '-')}"
    text = said(
        refused(GOOD + f"lr_decay_style: {{style: WSD, wsd_decay_steps: {length}, lr_wsd_decay_style: {name}}}\n")
    )
    assert "gives nan" in text
    assert name in text


@pytest.mark.parametrize(
    ("name", "landmarks"),
    [("mark-dies", "return 1 / 0"), ("mark-none", "return None"), ("mark-text", "return {'bend': 'late'}")],
)
def test_landmarks_that_do_not_work_are_refused(refused, plugin, name, landmarks):
    method = f"\n    def landmarks(self, warmup_steps, decay_steps):\n        {landmarks}\n"
    source = plugin(name, style(name, "return 1.0 - progress") + method)
    assert source in said(refused(GOOD + f"lr_decay_style: {name}\n"))


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("strict-value", "ValueError('is odd')"),
        ("strict-type", "TypeError('is odd')"),
        ("strict-key", "KeyError('odd')"),
    ],
)
def test_a_validator_of_a_plugin_that_raises_is_a_problem(refused, plugin, name, fault):
    options = (
        "beta: float = 0.5\n\n    @field_validator('beta')\n    @classmethod\n"
        f"    def _check(cls, value):\n        raise {fault}\n"
    )
    plugin(name, style(name, "return 1.0 - progress", options))
    error = refused(GOOD + f"lr_decay_style: {{style: {name}, beta: 3}}\n")
    assert error.problems[0].path.startswith("lr_decay_style")
    assert "odd" in said(error)


@pytest.mark.parametrize(
    ("name", "options", "value"),
    [
        ("opt-float", "beta: float", "true"),
        ("opt-int", "beta: int", "true"),
        ("opt-list", "beta: list[float]", "[1, true]"),
        ("opt-pair", "beta: tuple[int, float]", "[true, 1]"),
        ("opt-dict", "beta: dict[str, float]", "{a: true}"),
        ("opt-optional", "beta: float | None = None", "true"),
        ("opt-alias", "beta: float = Field(alias='bent')", "true"),
        ("opt-length", "beta: Length", "true"),
        ("opt-fraction", "beta: int", "1.5"),
        ("opt-nan", "beta: float", ".nan"),
        ("opt-nan-list", "beta: list[float]", "[.nan]"),
    ],
)
def test_an_option_of_a_plugin_takes_no_boolean_for_a_number(refused, plugin, name, options, value):
    plugin(name, style(name, "return 1.0 - progress", options))
    key = "bent" if "alias" in options else "beta"
    error = refused(GOOD + f"lr_decay_style: {{style: {name}, {key}: {value}}}\n")
    assert error.problems[0].path.startswith(f"lr_decay_style.{key}")


@pytest.mark.parametrize(("options", "value"), [("beta: bool", "true"), ("beta: bool | None = None", "false")])
def test_a_switch_of_a_plugin_takes_a_boolean(plugin, tmp_path, options, value):
    name = f"switch-{len(options)}"
    plugin(name, style(name, "return 1.0 - progress", options))
    path = tmp_path / "run.yaml"
    path.write_text(GOOD + f"lr_decay_style: {{style: {name}, beta: {value}}}\n")
    assert schedframe.load(path).lr_style.beta is (value == "true")


def test_a_length_of_a_plugin_takes_percent_and_suffix(plugin, tmp_path):
    plugin("long", style("long", "return 1.0 - progress", "beta: Length\n    gamma: Length = 0"))
    path = tmp_path / "run.yaml"
    path.write_text("max_lr: 1\nlr_decay_steps: 1M\nlr_decay_style: {style: long, beta: 10%, gamma: 2K}\n")
    style_read = schedframe.load(path).lr_style
    assert (style_read.beta, style_read.gamma) == (100_000, 2000)


def test_an_installed_curve_is_a_cooldown_with_its_options_checked(refused, plugin):
    plugin("bend", style("bend", "return 1.0 - progress", "beta: float = Field(0.5, gt=0)"))
    tail = "{style: bend, beta: -1}"
    error = refused(GOOD + f"lr_decay_style: WSD\nwsd_decay_steps: 10\nlr_wsd_decay_style: {tail}\n")
    (problem,) = error.problems
    assert (problem.path, problem.line, problem.value) == ("lr_wsd_decay_style.beta", 5, "-1")
