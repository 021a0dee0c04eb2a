"""``schedframe audit`` on what Megatron-LM's own training loop prints."""

from pathlib import Path

import pytest

import schedframe
from schedframe import Schedule
from schedframe._tools.audit.audit import Audit

from .megatron_lm import TINY, Run, environment, run_all, wheel

KEYS = {"max_lr": 1e-3, "min_lr": 1e-4, "lr_warmup_steps": "4 iters", "lr_decay_style": "cosine", "train_iters": 20}
FLAGS = "--train-iters 20 --lr 1e-3 --min-lr 1e-4 --lr-decay-style cosine --lr-warmup-iters 4".split()
HALF = "--train-iters 20 --lr 5e-4 --min-lr 5e-5 --lr-decay-style cosine --lr-warmup-iters 4".split()
RAMP = ["--rampup-batch-size", "2", "2", "10", "--train-samples", "70", "--lr-decay-samples", "70"]
RAMPED = "--lr 1e-3 --min-lr 1e-4 --lr-decay-style cosine --lr-warmup-samples 12".split()
RAMPED_KEYS = {
    "max_lr": 1e-3,
    "min_lr": 1e-4,
    "lr_decay_style": "cosine",
    "lr_warmup_steps": 12,
    "train_samples": 70,
    "global_batch_size": 4,
    "rampup_batch_size": [2, 2, 10],
}
RUN = Schedule(**KEYS, global_batch_size=4)
HALVED = Schedule(**{**KEYS, "max_lr": 5e-4, "min_lr": 5e-5}, global_batch_size=4)


class Logs:
    """Runs of one version, each with its log."""

    def __init__(self, version: str, place: Path, folder: Path) -> None:
        saved = ["--ckpt-format", "torch", "--save", str(folder / "saved"), "--save-interval", "10"]
        loaded = ["--ckpt-format", "torch", "--load", str(folder / "saved")]
        self.folder, self.version = folder, version
        runs = [
            Run("right", False, [*FLAGS, *saved, "--exit-interval=10"]),
            Run("resumed", False, [*FLAGS, *loaded]),
            Run("not restored", False, [*FLAGS, *loaded, "--no-load-optim"]),
            Run("old bounds", False, [*HALF, *loaded, "--override-opt_param-scheduler"]),
            Run("every third", False, [*FLAGS, "--log-interval=3"]),
            Run("ramped", False, [*RAMPED, *RAMP]),
        ]
        self.ran = run_all(runs, folder, TINY, environment(place))

    def audit(self, schedule: Schedule, *names: str) -> Audit:
        assert all(self.ran[name].code == 0 for name in names), self.ran[names[-1]].text[-2000:]
        return schedframe.audit(schedule, [self.folder / f"{name}.log" for name in names])


@pytest.fixture(scope="module", params=["0.17.1", "0.19.2"])
def logs(request: pytest.FixtureRequest, wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Logs:
    version = request.param
    return Logs(version, wheel(version, wheels), tmp_path_factory.mktemp(f"audited-{version}"))


@pytest.mark.parametrize(("names", "count"), [(["right"], 10), (["right", "resumed"], 20), (["every third"], 7)])
def test_a_right_run_is_silent(logs: Logs, names: list[str], count: int) -> None:
    (found,) = logs.audit(RUN, *names).verdicts
    assert (found.compared, found.different, found.shown) == (count, 0, "next")


def test_a_ramp_is_followed_and_that_019_ignores_it_is_named(logs: Logs) -> None:
    (found,) = logs.audit(Schedule(**RAMPED_KEYS), "ramped").verdicts
    if logs.version == "0.17.1":
        assert (found.compared, found.different) == (20, 0)
    else:
        assert (found.first.iteration, found.cause.name) == (1, "batch-size")
        assert "4 consumed at iteration 1" in found.cause.sentence


def test_megatron_logs_the_rate_of_the_next_update(logs: Logs) -> None:
    first, second = logs.audit(RUN, "right").comparisons[0].points.values[:2]
    assert (first, second) == pytest.approx((RUN.lr_at(4), RUN.lr_at(8)))


def test_a_resume_without_the_schedulers_state_is_named(logs: Logs) -> None:
    (found,) = logs.audit(RUN, "right", "not restored").verdicts
    assert (found.first.iteration, found.cause.name) == (11, "not-restored")


def test_a_resume_with_the_old_bounds_is_named(logs: Logs) -> None:
    if logs.version != "0.17.1":
        assert "Could not find parameter group with key" in logs.ran["old bounds"].text
        return
    (found,) = logs.audit(HALVED, "old bounds").verdicts
    assert (found.first.iteration, found.cause.name) == (11, "old-bounds")
    assert "max_lr 1e-3 and min_lr 1e-4" in found.cause.sentence


def test_a_resume_with_other_flags_than_the_file_is_named(logs: Logs) -> None:
    (found,) = logs.audit(HALVED, "right", "resumed").verdicts
    assert (found.first.iteration, found.cause.name, found.cause.share) == (1, "factor", 1.0)
