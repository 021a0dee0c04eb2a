"""The installed plugin: the kit, and each formula against one written here from its source."""

import math

import pytest
from schedframe_classic import Chebyshev, CosineRestarts, KDecay, Noam, OneCycle, Tanh, TriStage

from schedframe import ConfigError, Schedule, branch
from schedframe.styles import LRPoint
from schedframe.testing import parametrize_styles


@parametrize_styles(
    [
        "tanh",
        {"style": "tanh", "lower": -6.0, "upper": 6.0},
        "k-decay",
        {"style": "cosine-restarts", "period_steps": 100},
        {"style": "cosine-restarts", "period_steps": 100, "period_mult": 2, "peak_mult": 0.7},
        {"style": "one-cycle", "start_div": 10},
        {"style": "tri-stage", "hold_steps": 300},
        "chebyshev",
        {"style": "chebyshev", "levels": 64, "low": 0.01},
    ]
)
def test_conforms(style, check):
    check(style)


@parametrize_styles(
    [{"style": "noam", "d_model": 1, "factor": 8}],
    expected_failures={"check_group_bounds": "its peak follows from the width and the warmup"},
)
def test_noam_conforms_but_for_peaks_of_groups(style, check):
    check(style)


def test_tanh_is_the_papers_but_for_its_ends():
    """half of (1 - tanh(lower * (1 - p) + upper * p)), as timm has it, misses 1 by 8e-7 and 0 by 0.0025."""
    for part in range(65):
        p = part / 64
        papers = 0.5 * (1 - math.tanh(-7 * (1 - p) + 3 * p))
        assert Tanh().coefficient(p) == pytest.approx(papers, abs=0.0025)
    assert (Tanh().coefficient(0.0), Tanh().coefficient(1.0)) == (1.0, 0.0)


def test_k_decay_of_1_is_cosine():
    for part in range(65):
        assert KDecay(k=1).coefficient(part / 64) == pytest.approx(math.cos(math.pi * part / 128) ** 2, abs=1e-15)


@pytest.mark.parametrize(("mult", "decay"), [(1.0, 1.0), (1.0, 0.5), (2.0, 1.0), (1.5, 0.8)])
def test_restarts_are_where_sgdr_has_them(mult, decay):
    style = CosineRestarts(period_steps=50, period_mult=mult, peak_mult=decay)
    start, length, height = 0.0, 50.0, 1.0
    while start + length < 1000:
        for part in range(1, 9):
            expected = height * 0.5 * (1 + math.cos(math.pi * part / 8))
            assert style.coefficient_at(start + length * part / 8, 0, 1000) == pytest.approx(expected, abs=1e-12)
        start, length, height = start + length, length * mult, height * decay


def test_one_cycle_goes_down_as_long_as_it_went_up_and_then_far_below():
    schedule = Schedule(
        max_lr=1.0,
        init_lr=0.1,
        lr_decay_steps=400,
        lr_warmup_steps=100,
        lr_decay_style={"style": "one-cycle", "start_div": 10},
    )
    for n in range(101):
        assert schedule.lr_at(100 + n) == pytest.approx(schedule.lr_at(100 - n))
    assert schedule.lr_at(300) == pytest.approx(0.05)
    assert OneCycle().start_div == 25


@pytest.mark.parametrize("warmup", [0, 200, 300])
def test_one_cycle_refuses_a_warm_up_that_does_not_fit(warmup):
    with pytest.raises(ConfigError, match="one-cycle needs a warmup of less than half of lr_decay_steps"):
        Schedule(max_lr=1.0, lr_decay_steps=400, lr_warmup_steps=warmup, lr_decay_style="one-cycle")


def test_tri_stage_is_fairseqs():
    """peak * exp(-decay_factor * t), decay_factor = -ln(final_lr_scale) / decay_steps."""
    style = TriStage(hold_steps=100)
    factor = -math.log(0.01) / 200
    for n in range(100, 301):
        expected = math.exp(-factor * (n - 100))
        assert style.lr(LRPoint(n, 0, 300, 1.0, 0.01)) == pytest.approx(expected)
    with pytest.raises(ConfigError, match="tri-stage needs max_lr and min_lr above 0"):
        Schedule(max_lr=1.0, lr_decay_steps=100, lr_decay_style={"style": "tri-stage", "hold_steps": 10})


def test_noam_is_the_transformers():
    peak = 512**-0.5 * 4000**-0.5
    style = Noam(d_model=512, steps_per_update=32)
    for update in range(4000, 100_000, 997):
        expected = 512**-0.5 * min(update**-0.5, update * 4000**-1.5)
        assert style.lr(LRPoint(32 * update, 32 * 4000, 10**7, peak, 0.0)) == pytest.approx(expected, rel=1e-12)
    with pytest.raises(ConfigError, match=r"noam's peak is 0.000698\d+ with this width and warmup; make max_lr that"):
        Schedule(
            max_lr=1e-3,
            train_iters=100_000,
            global_batch_size=32,
            lr_warmup_steps="4000 iters",
            lr_decay_style={"style": "noam", "d_model": 512, "steps_per_update": "1 iters"},
        )


def test_chebyshev_has_the_papers_order_and_nodes():
    style = Chebyshev(levels=8, low=0.05)
    order = [0, 7, 3, 4, 1, 6, 2, 5]
    nodes = [1 / (0.525 - 0.475 * math.cos((one + 0.5) * math.pi / 8)) for one in order]
    levels = [style.coefficient_at(part * 100 + 50, 0, 800) for part in range(8)]
    spread = max(nodes) - min(nodes)
    assert levels == pytest.approx([(node - min(nodes)) / spread for node in nodes])


def test_a_branch_of_tri_stage_has_its_decay():
    style = {"style": "tri-stage", "hold_steps": 500}
    parent = Schedule(max_lr=1.0, min_lr=0.01, lr_decay_steps=1000, lr_decay_style=style)
    child = branch(parent, 200, wsd_decay_steps=100).schedule
    assert [child.lr_at(step) for step in (200, 250, 300)] == pytest.approx([1.0, 0.1, 0.01])
