"""The installed plugin: the kit, and each formula against one written here from its source."""

import math
from importlib.resources import files

import pytest
from schedframe_classic import Chebyshev, CosineRestarts, KDecay, Noam, Tanh, TriStage

from schedframe import ConfigError, Schedule, branch, load
from schedframe.styles import LRPoint
from schedframe.testing import parametrize_styles

torch = pytest.importorskip("torch")
lr_scheduler = torch.optim.lr_scheduler


@parametrize_styles(
    [
        "tanh",
        {"style": "tanh", "lower": -6.0, "upper": 6.0},
        "tanh-decay",
        "k-decay",
        "half-cosine",
        {"style": "cosine-power", "power": 3},
        "cosine-cycles",
        {"style": "cosine-restarts", "period_steps": 100},
        {"style": "cosine-restarts", "period_steps": 100, "period_mult": 2, "peak_mult": 0.7},
        {"style": "cosine-restarts", "cycles": 3, "boundaries": "closed"},
        {"style": "tri-stage", "hold_steps": 300},
        "chebyshev",
        {"style": "chebyshev", "levels": 64, "low": 0.01},
    ]
)
def test_conforms(style, check):
    check(style)


@parametrize_styles(
    [
        {"style": "one-cycle", "steps_per_update": 1},
        {"style": "one-cycle", "three_phase": True, "shape": "linear", "steps_per_update": 10},
        {"style": "triangular", "up_steps": 200, "down_steps": 300, "peak_mult": 0.5},
        "range-test",
        {"style": "range-test", "rise": "geometric", "stairs": 50},
    ],
    expected_failures=dict.fromkeys(("check_start", "check_group_bounds"), "its own rise begins below the peak"),
)
def test_conforms_but_for_its_own_rise(style, check):
    check(style)


@parametrize_styles(
    [{"style": "noam", "d_model": 1, "factor": 8, "steps_per_update": 1}],
    expected_failures={"check_group_bounds": "its peak follows from the width and the warmup"},
)
def test_noam_conforms_but_for_max_lrs_of_groups(style, check):
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


def lrs_of(style, updates, **keys):
    """The learning rates of all updates of a run that counts iterations."""
    keys = {"max_lr": 1.0, "clock": "iters", "lr_decay_steps": updates, **keys}
    schedule = Schedule(**keys, lr_decay_style=style)
    return [schedule.lr_at(update) for update in range(updates)]


def torchs(make, updates, **options):
    """The learning rates that a scheduler of torch gives to the updates of a run with learning rate 1."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0, momentum=0.9)
    scheduler, values = make(optimizer, **options), []
    for _ in range(updates):
        values.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return values


@pytest.mark.parametrize(("mult", "floor"), [(1, 0.0), (1, 0.1), (2, 0.0), (3, 0.05)])
def test_restarts_are_torchs_at_every_update(mult, floor):
    style = {"style": "cosine-restarts", "period_steps": 7, "period_mult": mult}
    expected = torchs(lr_scheduler.CosineAnnealingWarmRestarts, 200, T_0=7, T_mult=mult, eta_min=floor)
    assert lrs_of(style, 200, min_lr=floor) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("cycles", [1, 3, 4])
def test_cycles_are_transformers_hard_restarts_at_every_update(cycles):
    """max(0, (1 + cos(pi * ((num_cycles * p) % 1))) / 2), get_cosine_with_hard_restarts_schedule_with_warmup."""
    expected = [0.5 * (1 + math.cos(math.pi * ((cycles * n / 120) % 1))) for n in range(120)]
    assert lrs_of({"style": "cosine-restarts", "cycles": cycles}, 120) == pytest.approx(expected, abs=1e-14)


def test_cosine_cycles_are_transformers_at_every_update():
    """max(0, (1 + cos(pi * num_cycles * 2 * p)) / 2), get_cosine_schedule_with_warmup."""
    expected = [max(0.0, 0.5 * (1 + math.cos(math.pi * 1.75 * 2 * n / 90))) for n in range(90)]
    assert lrs_of({"style": "cosine-cycles", "cycles": 1.75}, 90) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize(("mult", "decay"), [(1.0, 0.5), (2.0, 1.0), (1.5, 0.8)])
def test_each_restart_lowers_max_lr_and_not_the_way_to_min_lr(mult, decay):
    """lr_min + (lr_max * cycle_decay**i - lr_min) * (1 + cos(pi * t_curr / t_i)) / 2, timm's CosineLRScheduler."""
    style = CosineRestarts(period_steps=50, period_mult=mult, peak_mult=decay)
    start, length, height = 0.0, 50.0, 1.0
    while start + length < 1000:
        for part in range(8):
            expected = 0.1 + (max(height, 0.1) - 0.1) * 0.5 * (1 + math.cos(math.pi * part / 8))
            lr = style.lr(LRPoint(start + length * part / 8, 0, 1000, 1.0, 0.1))
            assert lr == pytest.approx(expected, abs=1e-12)
        start, length, height = start + length, length * mult, height * decay


def test_a_closed_boundary_restarts_one_update_later():
    style = {"style": "cosine-restarts", "period_steps": 4}
    assert lrs_of(style, 10)[4] == 1.0
    assert lrs_of({**style, "boundaries": "closed"}, 10)[4] == 0.0


def test_no_restart_lies_on_the_end():
    schedule = Schedule(max_lr=1.0, lr_decay_steps=8, lr_decay_style={"style": "cosine-restarts", "cycles": 2})
    assert [schedule.lr_at(step) for step in (4, 8, 9)] == [1.0, 0.0, 0.0]


def test_restarts_at_percentages_are_not_late():
    """7 % of 100 is 7.000000000000001 in floating point."""
    assert lrs_of({"style": "cosine-restarts", "period_steps": "7%"}, 100)[7::7] == [1.0] * 14


@pytest.mark.parametrize("options", [{}, {"period_steps": 5, "cycles": 2}, {"period_steps": 0}])
def test_restarts_need_one_length(options):
    with pytest.raises(ConfigError, match=r"needs either period_steps or cycles|period_steps must be above 0"):
        Schedule(max_lr=1.0, lr_decay_steps=10, lr_decay_style={"style": "cosine-restarts", **options})


@pytest.mark.parametrize("shape", ["cosine", "linear"])
@pytest.mark.parametrize("three_phase", [False, True])
@pytest.mark.parametrize(("pct_start", "updates"), [(0.3, 100), (0.25, 40), (0.45, 333)])
def test_one_cycle_is_torchs_bit_for_bit(shape, three_phase, pct_start, updates):
    options = {"pct_start": pct_start, "div_factor": 10.0, "final_div_factor": 1e3, "three_phase": three_phase}
    expected = torchs(
        lr_scheduler.OneCycleLR,
        updates - 1,
        max_lr=1.0,
        total_steps=updates,
        anneal_strategy=shape[:3].replace("lin", "linear"),
        **options,
    )
    assert lrs_of({"style": "one-cycle", "shape": shape, **options}, updates)[: updates - 1] == expected


def test_one_cycle_may_end_above_where_it_began():
    """As in epfml/schedules-and-scaling:src/main.py at 17e78d6: from 1 % to the peak, and down to 10 %."""
    options = {"pct_start": 0.1, "div_factor": 100.0, "final_div_factor": 0.1}
    expected = torchs(lr_scheduler.OneCycleLR, 99, max_lr=1.0, total_steps=100, anneal_strategy="cos", **options)
    assert lrs_of({"style": "one-cycle", **options}, 100)[:99] == expected
    with pytest.raises(ConfigError, match="div_factor \\* final_div_factor must be at least 1"):
        lrs_of({"style": "one-cycle", "div_factor": 2, "final_div_factor": 0.1}, 100)


def test_one_cycle_counts_updates_where_the_scheduler_counts_samples():
    run = {"max_lr": 1.0, "train_iters": 100, "global_batch_size": 32, "lr_decay_style": "one-cycle"}
    schedule = Schedule(**run)
    assert [schedule.lr_at(32 * update) for update in range(100)] == pytest.approx(lrs_of("one-cycle", 100), abs=1e-15)
    with pytest.raises(ConfigError, match="global_batch_size is missing"):
        Schedule(max_lr=1.0, lr_decay_steps=100, lr_decay_style="one-cycle")


def test_one_cycle_refuses_a_rise_that_does_not_fit():
    for style in (
        {"style": "one-cycle", "pct_start": 0.05},
        {"style": "one-cycle", "pct_start": 0.9, "three_phase": True},
    ):
        with pytest.raises(ConfigError, match="one-cycle rises until step"):
            lrs_of(style, 20)


@pytest.mark.parametrize(("down", "mode", "mult"), [(None, "triangular", 1.0), (5, "triangular2", 0.5)])
def test_triangular_is_torchs_at_every_update(down, mode, mult):
    options = {"step_size_up": 10, "step_size_down": down, "mode": mode, "cycle_momentum": False}
    expected = torchs(lr_scheduler.CyclicLR, 100, base_lr=0.1, max_lr=1.0, **options)
    style = {"style": "triangular", "up_steps": 10, "down_steps": down, "peak_mult": mult}
    assert lrs_of({key: value for key, value in style.items() if value}, 100, min_lr=0.1) == pytest.approx(
        expected, abs=1e-15
    )


def test_a_range_test_is_deepspeeds():
    """min_lr * (1 + rate * n / size), with stairs the whole part of n / size: LRRangeTest."""
    rate, size, updates = 2.0, 10, 60
    keys = {"min_lr": 0.01, "max_lr": 0.01 * (1 + rate * updates / size)}
    expected = [0.01 * (1 + rate * n / size) for n in range(updates)]
    assert lrs_of("range-test", updates, **keys) == pytest.approx(expected, abs=1e-15)
    stairs = [0.01 * (1 + rate * (n // size)) for n in range(updates)]
    assert lrs_of({"style": "range-test", "stairs": size}, updates, **keys) == pytest.approx(stairs, abs=1e-15)
    with pytest.raises(ConfigError, match="a geometric range test needs min_lr and max_lr above 0"):
        lrs_of({"style": "range-test", "rise": "geometric"}, 10)


def test_half_cosine_is_olmos():
    """Half of the way from alpha_f, then (1 + cos(pi * (p + 1) / 2)) / 2: HalfCosWithWarmup."""
    expected = [0.1 + 0.9 * (1 + math.cos(math.pi * (n + 50) / 100)) / 2 for n in range(50)]
    assert lrs_of("half-cosine", 50, max_lr=0.55, min_lr=0.1) == pytest.approx(expected, abs=1e-15)


def test_olmo_3_7b_is_olmos():
    """CosWithWarmup over 5T tokens up to half of the way, and HalfCosWithWarmup over 7T tokens from there."""
    schedule = load(files("schedframe_classic.recipes") / "olmo-3-7b.schedule.yaml")
    first, planned, extended = 597_046, 5e12 / 2**22, 7e12 / 2**22

    def expected(step):
        if step < first:
            progress = (step - 2000) / (int(planned) - 2000)
        else:
            progress = 1 / 2 + (step - first) / (extended - first) / 2
        return 3e-5 + 2.7e-4 * (1 + math.cos(math.pi * progress)) / 2

    steps = [2000, 100_000, 400_000, first - 1, first, first + 1, 1_000_000, 1_413_814]
    assert [schedule.lr_at(schedule.step_at(f"{step} iters")) for step in steps] == pytest.approx(
        [expected(step) for step in steps], rel=1e-12
    )
    assert (schedule.lr_at(0), schedule.units_at(schedule.train_steps)["tokens"]) == (0.0, 5_929_965_715_456)
    assert [finding for finding in schedule.findings() if finding.severity != "note"] == []


def test_cosine_power_is_optaxs():
    """cosine_decay_schedule: (1 - alpha) * ((1 + cos(pi * count / decay_steps)) / 2)**exponent + alpha."""
    expected = [0.9 * (0.5 * (1 + math.cos(math.pi * n / 50))) ** 1.5 + 0.1 for n in range(50)]
    assert lrs_of({"style": "cosine-power", "power": 1.5}, 50, min_lr=0.1) == pytest.approx(expected, abs=1e-15)


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


def test_the_max_lr_of_noam_need_not_be_given():
    run = {"train_iters": 20_000, "global_batch_size": 32, "lr_warmup_steps": "4000 iters", "min_lr": "1%"}
    schedule = Schedule(**run, lr_decay_style={"style": "noam", "d_model": 512, "factor": 2})
    peak = 2 * 512**-0.5 * 4000**-0.5
    assert schedule.max_lr == pytest.approx(peak, rel=1e-15)
    for update in (1, 100, 4000, 16_000):
        expected = max(2 * 512**-0.5 * min(update**-0.5, update * 4000**-1.5), 0.01 * peak if update > 4000 else 0)
        assert schedule.lr_at(32 * update) == pytest.approx(expected, rel=1e-12)
    assert "max_lr" not in schedule.to_dict()
    assert Schedule(**schedule.to_dict()) == Schedule(**schedule.to_dict(resolve=True)) == schedule
    assert schedule.for_role("default").fingerprint == schedule.fingerprint
    rule = {"role": "router", "match": {"param": "*"}, "lr_mult": 0.5, "lr_decay_style": "linear"}
    both = Schedule(**run, lr_decay_style={"style": "noam", "d_model": 512, "factor": 2}, groups=[rule])
    assert both.lr_at(4000 * 32, "router") == pytest.approx(peak / 2)
    with pytest.raises(ConfigError, match="max_lr: missing required key"):
        Schedule(**run, lr_decay_style="cosine")
    with pytest.raises(ConfigError, match="noam needs a warmup"):
        Schedule(max_lr=1.0, lr_decay_steps=10, clock="iters", lr_decay_style={"style": "noam", "d_model": 512})


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
