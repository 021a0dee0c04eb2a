"""Files beside flags, and flags beside flags, before Megatron's own validation of each version."""

import json
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from .megatron_lm import HERE, MODEL, environment, wheel

VERSIONS = ["0.17.1", "0.18.2", "0.19.2"]
FILES = {
    "samples": "train_samples: 64\nlr_warmup_steps: 16\n",
    "iters": "train_iters: 16\nlr_warmup_steps: 4 iters\n",
    "tokens": "train_tokens: 2048\nlr_warmup_steps: 512 tokens\n",
    "no warmup": "train_samples: 64\n",
    "no run": "lr_warmup_steps: 25%\n",
}
RUN = {"iters": "--train-iters=16", "samples": "--train-samples=64"}
FLAGS = {
    "none": [],
    **{f"train {unit}": [flag] for unit, flag in RUN.items()},
    "decay iters": ["--lr-decay-iters=16"],
    "decay samples": ["--lr-decay-samples=64"],
    "warmup iters": ["--lr-warmup-iters=4"],
    "warmup samples": ["--lr-warmup-samples=16"],
    "warmup fraction": ["--lr-warmup-fraction=0.25"],
    "warmup 0 and fraction": ["--lr-warmup-iters=0", "--lr-warmup-fraction=0.25"],
    "all iters": ["--train-iters=16", "--lr-decay-iters=16", "--lr-warmup-iters=4"],
    "all samples": ["--train-samples=64", "--lr-decay-samples=64", "--lr-warmup-samples=16"],
    "both units": ["--train-samples=64", "--lr-warmup-iters=4"],
}


def is_whole(file: str, flags: str) -> bool:
    """Return whether a file and flags declare a run and a warmup together."""
    has_run = file != "no run" or "train" in flags or "all" in flags or "both" in flags
    has_warmup = file != "no warmup" or "warmup" in flags or "all" in flags or "both" in flags
    return has_run and has_warmup


CASES = [case for case in product(FILES, FLAGS) if is_whole(*case)]
TAIL = "lr_decay_style: {style: WSD, wsd_decay_steps: 20}\n"
TAILS = {"iters": "--lr-wsd-decay-iters=5", "samples": "--lr-wsd-decay-samples=20"}
DECREASED = "train_samples: 64\nlr_warmup_steps: 4 iters\ndata_parallel_size: 1\n"
"""Micro batches of 2 make 4 samples of a batch of 5."""

Validated = Callable[[str], dict[Any, Any]]


@pytest.fixture(scope="module")
def validated(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Validated:
    """What each version makes of every command line, by version and case."""
    folder = tmp_path_factory.mktemp("files")

    def schedule(name: str, text: str) -> list[str]:
        path = folder / f"{name}.yaml"
        path.write_text(f"max_lr: 1e-3\n{text}")
        return ["--schedule", str(path)]

    lines = {case: [*schedule(case[0], FILES[case[0]]), *FLAGS[case[1]]] for case in CASES}
    for tail, text in product(TAILS, ("samples", "iters")):
        lines["tail", text, tail] = [*schedule(f"tail-{text}", FILES[text] + TAIL), TAILS[tail]]
    lines["budget"] = schedule("budget", "train_tokens: 1000\n")
    lines["decreased"] = [*schedule("decreased", DECREASED), "--decrease-batch-size-if-needed", "--global-batch-size=5"]
    ramp = schedule("ramp", f"{FILES['samples']}rampup_batch_size: [2, 2, 8]\n")
    lines["ramp"] = [*ramp, "--rampup-batch-size", "2", "2", "8"]
    stock = ["--lr=1e-3", "--train-iters=16", "--lr-warmup-fraction=0.25"]
    no_cooldown = ["--lr-decay-style=WSD", "--lr-wsd-decay-style=linear", "--lr-wsd-decay-iters=0"]
    lines["no cooldown"] = [*stock, *no_cooldown]
    lines["no cooldown beside a file"] = [*schedule("samples", FILES["samples"]), *no_cooldown]
    lines["stock"], lines["twice"] = stock, [*stock, "--lr-warmup-iters=4"]

    def of_version(version: str) -> dict[Any, Any]:
        more = ["--eval-global-batch-size=4"] if version != "0.17.1" else []
        done = subprocess.run(
            [sys.executable, str(HERE / "validate.py")],
            input=json.dumps([[*MODEL, *more, *line] for line in lines.values()]),
            env=environment(wheel(version, wheels)),
            text=True,
            capture_output=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stderr
        outcomes = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        return dict(zip(lines, outcomes, strict=True))

    return cache(of_version)


everywhere = pytest.mark.parametrize("version", VERSIONS)


@everywhere
def test_flags_of_any_unit_beside_a_file_that_says_the_same_are_what_megatron_takes(validated, version):
    right = {"lr_warmup_steps": 16, "lr_decay_steps": 64, "wsd_decay_steps": None, "wd_incr_steps": 64}
    outcomes = {case: validated(version)[case] for case in CASES}
    assert {case: outcome.get("scheduler", outcome) for case, outcome in outcomes.items()} == dict.fromkeys(
        CASES, right
    )


@everywhere
def test_the_cooldown_of_wsd_too(validated, version):
    outcomes = [validated(version)["tail", text, tail] for text in ("samples", "iters") for tail in TAILS]
    assert [outcome.get("scheduler", outcome)["wsd_decay_steps"] for outcome in outcomes] == [20] * 4


@everywhere
def test_the_flags_own_unit_is_the_spelling(validated, version):
    assert validated(version)["samples", "warmup iters"]["lengths"] == {
        "train_iters": 16,
        "lr_decay_iters": 16,
        "lr_warmup_iters": 4,
    }
    assert validated(version)["no warmup", "warmup fraction"]["lengths"] == {
        "train_samples": 64,
        "lr_decay_samples": 64,
        "lr_warmup_fraction": 0.25,
    }


@everywhere
def test_a_rounded_budget_is_reported_in_one_line(validated, version):
    assert validated(version)["budget"]["said"] == [
        "schedframe 0.1.0: the run is 31.25 samples, and Megatron trains whole ones: 31"
    ]


@everywhere
def test_a_run_of_decreased_batches_is_in_the_iterations_that_consume_it(validated, version):
    assert validated(version)["decreased"]["lengths"] == {
        "train_iters": 16,
        "lr_decay_iters": 16,
        "lr_warmup_iters": 4,
    }


@everywhere
def test_two_flags_for_one_length_are_refused_without_a_file_too(validated, version):
    assert "error" not in validated(version)["stock"]
    assert validated(version)["twice"]["error"] == (
        "ConfigError: the flags: --lr-warmup-iters 4: sets the same length as --lr-warmup-fraction 0.25; leave all but "
        "one out"
    )


@everywhere
def test_a_ramp_that_megatron_ignores_is_refused(validated, version):
    outcome = validated(version)["ramp"]
    if version == "0.17.1":
        assert outcome["lengths"] == {"train_samples": 64, "lr_decay_samples": 64, "lr_warmup_samples": 16}
    else:
        assert "rampup_batch_size = (2, 2, 8): this Megatron-LM ignores --rampup-batch-size" in outcome["error"]


@everywhere
@pytest.mark.parametrize("case", ["no cooldown", "no cooldown beside a file"])
def test_a_cooldown_of_no_iterations_is_refused_with_the_style_that_has_none(validated, version, case):
    error = validated(version)[case]["error"]
    assert error.endswith("must be above 0; the style without a cooldown is `constant`")
