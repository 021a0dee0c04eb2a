"""``python -m schedframe.megatron`` on Megatron-LM's own training loop, of three versions."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from schedframe import Schedule

from .megatron_lm import TINY, Ran, Run, environment, printed, run_all, saved_groups, wheel

COSINE = "--lr 1e-3 --min-lr 1e-4 --lr-decay-style cosine --lr-warmup-iters 4 --weight-decay 0.1".split()
CHANGED = "--lr 5e-4 --min-lr 5e-5 --lr-decay-style cosine --lr-warmup-iters 4 --weight-decay 0.05".split()
DECOUPLED = "--decoupled-lr 5e-4 --decoupled-min-lr 2e-5".split()
OVERRIDE = "--override-opt_param-scheduler"

ENDS = ["0.17.1", "0.19.2"]
LATEST = "0.19.2"

FILE = """\
max_lr: 1e-3
min_lr: 10%
lr_warmup_steps: 4 iters
lr_decay_style: {style: rex, beta: 0.8}
start_wd: 0.02
end_wd: 0.1
wd_incr_style: linear
train_iters: 10
"""
WARMUP = """\
max_lr: 1e-3
lr_warmup_steps: 2000 iters
lr_decay_steps: 100_000 iters
"""
RULES = """\
groups:
  - role: embedding
    match: {param: '*word_embeddings*'}
    lr_mult: 0.1
"""


def iters(count: int) -> list[str]:
    return ["--train-iters", str(count)]


class Trial:
    """The runs of one version, and where their checkpoints are."""

    def __init__(self, version: str, place: Path, folder: Path) -> None:
        self.version, self.folder = version, folder
        self.settings = environment(place)
        self.file, self.rules, self.policy = folder / "run.yaml", folder / "rules.yaml", folder / "policy.toml"
        self.warmup = folder / "warmup.yaml"
        self.warmup.write_text(WARMUP)
        self.no_warmup = folder / "no_warmup.yaml"
        self.file.write_text(FILE)
        self.no_warmup.write_text("max_lr: 1e-3\ntrain_samples: 64\n")
        self.rules.write_text(FILE + RULES)
        self.policy.write_text("max_lr = 5e-4\n")
        self.ran: dict[str, Ran] = run_all(self.runs(), folder, TINY, self.settings)

    def save(self, name: str, form: str = "torch") -> list[str]:
        return f"--ckpt-format {form} --save {self.folder / name} --save-interval 10".split()

    def load(self, name: str, form: str = "torch") -> list[str]:
        return f"--ckpt-format {form} --load {self.folder / name}".split()

    def runs(self) -> list[Run]:
        bf16 = ["--bf16", "--use-distributed-optimizer"]
        whole = [*iters(13), *COSINE, *DECOUPLED]
        rex = [*iters(10), "--lr=1e-3", "--lr-decay-style=rex"]
        schedule = ["--schedule", str(self.file)]
        everywhere = [
            Run("stock", False, [*iters(10), *COSINE, *self.save("stock")]),
            Run("launched", True, [*iters(10), *COSINE]),
            Run("resumed", True, [*iters(13), *CHANGED, *self.load("stock"), OVERRIDE]),
            Run("decoupled first", False, [*whole, *self.save("first"), "--exit-interval=10"]),
            Run("decoupled", True, [*whole, *self.load("first"), *self.save("resumed")]),
            Run("file", True, [*schedule, "--lr=1e-3", *self.save("file")]),
            Run("fraction", True, ["--schedule", str(self.no_warmup), "--lr-warmup-fraction=0.25"]),
        ]
        distributed = [
            Run("distributed", False, [*iters(10), *COSINE, *bf16, *self.save("distributed")]),
            Run(
                "distributed resumed",
                True,
                [*iters(13), *CHANGED, *bf16, *self.load("distributed"), OVERRIDE, *self.save("changed")],
            ),
            Run("resumed stock", False, [*iters(13), *CHANGED, *self.load("stock"), OVERRIDE]),
            Run("decoupled stock", False, [*whole, *self.load("first")]),
        ]
        once = [
            Run("rex", True, [*rex, "--lr-decay-style-options={beta: 0.8}"]),
            Run("resumed strictly", True, [*iters(13), *CHANGED, *self.load("stock")]),
            Run("sharded", True, [*iters(10), *COSINE, *bf16, *self.save("sharded", "torch_dist")]),
            Run("sharded resumed", True, [*iters(13), *CHANGED, *bf16, *self.load("sharded", "torch_dist"), OVERRIDE]),
            Run("rules", True, ["--schedule", str(self.rules), *self.save("rules")]),
            Run("warmup", True, ["--schedule", str(self.warmup), *iters(3)]),
            Run("other flag", True, [*schedule, "--lr=2e-3", "--lr-warmup-iters=5"]),
            Run("unknown style", True, [*iters(10), "--lr=1e-3", "--lr-decay-style=cosin"]),
            Run("bad options", True, [*rex, "--lr-decay-style-options={b: 1}"]),
            Run("policy check", True, [*iters(10), *COSINE], {"SCHEDFRAME_HOUSERULES": str(self.policy)}),
        ]
        return everywhere + (distributed if self.version in ENDS else []) + (once if self.version == LATEST else [])


@pytest.fixture(scope="module")
def trials(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Trial]:
    """All runs of a version, which are run once."""
    return cache(lambda version: Trial(version, wheel(version, wheels), tmp_path_factory.mktemp(version)))


@pytest.fixture
def trial(request: pytest.FixtureRequest, trials: Callable[[str], Trial]) -> Trial:
    """All runs of one version, by default the latest."""
    return trials(getattr(request, "param", LATEST))


everywhere = pytest.mark.parametrize("trial", ["0.17.1", "0.18.2", "0.19.2"], indirect=True)
at_both_ends = pytest.mark.parametrize("trial", ENDS, indirect=True)


@everywhere
def test_a_stock_style_trains_as_in_megatron(trial):
    stock, launched = trial.ran["stock"], trial.ran["launched"]
    assert stock.code == launched.code == 0
    assert len(stock.rows) == 10
    assert launched.rows == stock.rows


def test_a_plugins_style_trains_and_one_line_says_what_runs(trial):
    rex = trial.ran["rex"]
    style = {"style": "rex", "beta": 0.8}
    assert rex.rates == printed(Schedule(max_lr=1e-3, lr_decay_steps=40, lr_decay_style=style), range(4, 44, 4))
    assert rex.said == ["schedframe 0.1.0: rex(beta=0.8) from schedframe-rex 0.1.0"]


@everywhere
def test_a_run_resumes_with_other_bounds(trial):
    resumed = trial.ran["resumed"]
    assert resumed.code == 0
    assert [row[0] for row in resumed.rows] == ["11", "12", "13"]
    assert resumed.rates[-1] == "5.000000E-05"


@at_both_ends
def test_which_megatron_alone_does_not(trial):
    bounds, decoupled = trial.ran["resumed stock"], trial.ran["decoupled stock"]
    if trial.version == LATEST:
        assert "ValueError: Could not find parameter group with key" in bounds.text
        assert decoupled.rates == trial.ran["decoupled"].rates
    else:
        assert bounds.rates[-1] == "1.000000E-04"
        assert "ValueError: loaded state dict contains a parameter group that doesn't match" in decoupled.text


@at_both_ends
def test_so_does_one_with_the_distributed_optimizer(trial):
    assert trial.ran["distributed resumed"].rates[-1] == "5.000000E-05"
    groups = saved_groups(trial.folder / "changed", trial.settings)
    assert [(group["max_lr"], group["min_lr"], group["lr"]) for group in groups] == [(5e-4, 5e-5, 5e-5)] * len(groups)
    assert sorted((group["wd_mult"], group["weight_decay"]) for group in groups) == [(0.0, 0.0), (1.0, 0.05)]
    assert not any("schedframe" in key for group in groups for key in group)


def test_and_one_from_a_sharded_checkpoint(trial):
    assert trial.ran["sharded resumed"].rates[-1] == "5.000000E-05", trial.ran["sharded resumed"].text


def test_without_the_flag_other_bounds_are_refused(trial):
    refused = trial.ran["resumed strictly"]
    assert refused.code == 2
    assert any("max_lr" in line and "0.0005" in line for line in refused.text.splitlines())
    assert not refused.rows


@everywhere
def test_decoupled_rates_resume_with_unchanged_flags(trial):
    decoupled = trial.ran["decoupled"]
    assert decoupled.rates == printed(Schedule(**{**BASE, "lr_decay_steps": 52}), [44, 48, 52])
    groups = saved_groups(trial.folder / "resumed", trial.settings)
    assert sorted((group["lr"], group["max_lr"], group["wd_mult"]) for group in groups) == [
        (2e-5, 5e-4, 1.0),
        (1e-4, 1e-3, 0.0),
        (1e-4, 1e-3, 1.0),
    ]


BASE = {"max_lr": 1e-3, "min_lr": 1e-4, "lr_warmup_steps": 16, "lr_decay_style": "cosine"}


@everywhere
def test_a_file_fills_every_argument_that_no_flag_says(trial):
    from_file = trial.ran["file"]
    assert from_file.code == 0, from_file.text
    schedule = Schedule(**{**PLAIN, "lr_decay_steps": 40})
    assert from_file.rates == printed(schedule, range(4, 44, 4))
    said = "rex(beta=0.8) from schedframe-rex 0.1.0, weight decay linear from schedframe 0.1.0"
    assert from_file.said == [f"schedframe 0.1.0: {said}"]
    for argument, value in (("lr", 0.001), ("min_lr", 0.0001), ("lr_warmup_iters", 4), ("lr_decay_iters", 10)):
        assert re.search(rf"^  {argument} \.+ {value}$", from_file.text, re.MULTILINE)
    groups = saved_groups(trial.folder / "file", trial.settings)
    assert {group["weight_decay"] for group in groups if group["wd_mult"]} == {schedule.wd_at(40)}


@everywhere
def test_a_fraction_is_the_warmup_of_a_file_without_one(trial):
    fraction = trial.ran["fraction"]
    assert fraction.code == 0, fraction.text
    assert fraction.rates == printed(Schedule(max_lr=1e-3, lr_decay_steps=64, lr_warmup_steps=16), range(4, 68, 4))


PLAIN: dict[str, Any] = {
    "max_lr": 1e-3,
    "min_lr": 1e-4,
    "lr_warmup_steps": 16,
    "lr_decay_style": {"style": "rex", "beta": 0.8},
    "start_wd": 0.02,
    "end_wd": 0.1,
    "wd_incr_style": "linear",
}


def test_a_run_ends_within_the_warmup_where_the_decay_ends_beyond_it(trial):
    schedule = Schedule(max_lr=1e-3, lr_warmup_steps=8000, lr_decay_steps=400_000)
    assert trial.ran["warmup"].rates == printed(schedule, range(4, 16, 4))


def test_rules_make_megatrons_param_groups(trial):
    rules = trial.ran["rules"]
    assert rules.code == 0, rules.text
    assert rules.said[-1].endswith("rules for embedding")
    groups = saved_groups(trial.folder / "rules", trial.settings)
    assert sorted({group["lr"] for group in groups}) == [1e-5, 1e-4]


def test_a_flag_that_says_something_else_is_refused(trial):
    refused = trial.ran["other flag"]
    assert refused.code == 2
    assert refused.text.strip().endswith(
        f"""schedframe: {trial.file} has 2 problems:
  line 1, max_lr = 0.001: --lr 0.002 on the command line gives 0.002; leave one of the two out
  line 3, lr_warmup_steps = 16: --lr-warmup-iters 5 on the command line gives 20; leave one of the two out"""
    )


def test_an_unknown_style_is_reported_before_anything_is_built(trial):
    refused = trial.ran["unknown style"]
    assert refused.code == 2
    assert "argument --lr-decay-style: there is no LR style 'cosin'; did you mean 'cosine'?" in refused.text


def test_so_are_options_that_the_style_does_not_have(trial):
    refused = trial.ran["bad options"]
    assert refused.code == 2
    assert "lr_decay_style.b" in refused.said[-1]
    assert "building" not in refused.text.lower().replace("building gpt", "")


def test_policy_checks_hold(trial):
    refused = trial.ran["policy check"]
    assert refused.code == 2
    assert f"max_lr is 0.001, above the cap of 0.0005 in {trial.policy}" in refused.said[-1]
