"""Exponential decays by factor and length, products of styles, and three ways to min_lr, against their sources."""

import json
import math
from collections.abc import Callable
from typing import Any

import pytest

from schedframe import ConfigError, Schedule
from schedframe.styles.combined import Floored, Product
from schedframe.styles.lr import Cosine
from schedframe.testing import parametrize_styles

from ..runs import Optimizer

torch = pytest.importorskip("torch")
lr_scheduler = torch.optim.lr_scheduler


@parametrize_styles(
    [
        {"style": "each", "factor": "97%", "every": 24},
        {"style": "each", "factor": 0.5, "every": 100, "stairs": True, "boundaries": "closed"},
        {"style": "product", "of": ["cosine", {"style": "each", "factor": 0.5, "every": 300}]},
        {"style": "power-law", "floor": "tend"},
        {"style": "power-law", "floor": "reach"},
        {"style": "cosine", "floor": "cut"},
        {"style": "polynomial", "power": 2, "k": 3},
    ]
)
def test_conforms(style: Any, check: Any) -> None:
    check(style)


def lrs_of(style: Any, updates: int, **keys: Any) -> list[float]:
    """The learning rates of all updates of a run that counts iterations."""
    schedule = Schedule(**{"max_lr": 1.0, "clock": "iters", "lr_decay_steps": updates, **keys}, lr_decay_style=style)
    return schedule.lr_at(range(updates))


def torchs(make: Callable[[Any], Any], updates: int) -> list[float]:
    """The learning rates that a scheduler of torch gives to the updates of a run with learning rate 1."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler, values = make(optimizer), []
    for _ in range(updates):
        values.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return values


class TestEach:
    def test_is_torchs_exponential(self) -> None:
        expected = torchs(lambda optimizer: lr_scheduler.ExponentialLR(optimizer, 0.97), 300)
        assert lrs_of({"style": "each", "factor": 0.97, "every": "1 iters"}, 300) == pytest.approx(expected, abs=1e-14)

    @pytest.mark.parametrize(("size", "factor"), [(10, 0.1), (7, 0.5), (1, 0.9)])
    def test_stairs_are_torchs_step(self, size: int, factor: float) -> None:
        expected = torchs(lambda optimizer: lr_scheduler.StepLR(optimizer, size, factor), 100)
        style = {"style": "each", "factor": factor, "every": f"{size} iters", "stairs": True}
        assert lrs_of(style, 100) == pytest.approx(expected, abs=1e-14)

    def test_every_stair_is_on_time_where_its_length_is_a_percentage(self) -> None:
        style = {"style": "each", "factor": 0.5, "every": "7%", "stairs": True}
        assert lrs_of(style, 100) == [0.5 ** (n // 7) for n in range(100)]

    def test_efficientnets_epochs(self) -> None:
        """decay_t 2.4 epochs, decay_rate 0.97, in stairs: timm's StepLRScheduler."""
        run = {"max_lr": 1.0, "train_samples": "10 epochs", "dataset_samples": 1000, "global_batch_size": 100}
        schedule = Schedule(
            **run, lr_decay_style={"style": "each", "factor": "97%", "every": "2.4 epochs", "stairs": True}
        )
        expected = [0.97 ** ((10 * n) // 240) for n in range(100)]
        assert [schedule.lr_at(100 * n) for n in range(100)] == pytest.approx(expected, abs=1e-15)

    def test_it_goes_on_and_stays_above_min_lr(self) -> None:
        style = {"style": "each", "factor": 0.5, "every": 10}
        schedule = Schedule(max_lr=1.0, min_lr=0.2, clock="iters", lr_decay_steps="open", lr_decay_style=style)
        assert [schedule.lr_at(n) for n in (0, 10, 20, 30, 10**9)] == [1.0, 0.5, 0.25, 0.2, 0.2]

    def test_stairs_are_declared_jumps(self) -> None:
        style = {"style": "each", "factor": 0.5, "every": "10%", "stairs": True}
        schedule = Schedule(max_lr=3e-4, min_lr="1%", train_samples=1000, lr_decay_style=style)
        assert not [found for found in schedule.findings() if found.code.startswith("SF3")]

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"factor": 1.5, "every": 10}, "lr_decay_style.factor = 1.5: is above 1"),
            ({"factor": 0.5, "every": 0}, "every must be above 0"),
            ({"factor": 0.5}, "lr_decay_style.every: missing required key"),
        ],
    )
    def test_what_is_refused(self, options: dict[str, Any], message: str) -> None:
        with pytest.raises(ConfigError) as caught:
            lrs_of({"style": "each", **options}, 100)
        assert message in str(caught.value)


class TestProduct:
    def test_is_torchs_chain(self) -> None:
        def make(optimizer: Any) -> Any:
            return lr_scheduler.ChainedScheduler(
                [
                    lr_scheduler.LinearLR(optimizer, 0.1, 1.0, 20),
                    lr_scheduler.CosineAnnealingLR(optimizer, 100),
                    lr_scheduler.ExponentialLR(optimizer, 0.99),
                ]
            )

        rise = {"style": "linear", "from": "10%", "jump": True, "to": "100%", "length": 20}
        rise = {"style": "phases", "phases": [rise, {"style": "constant"}]}
        style = {"style": "product", "of": [rise, "cosine", {"style": "each", "factor": 0.99, "every": 1}]}
        assert lrs_of(style, 100) == pytest.approx(torchs(make, 100), abs=1e-14)

    def test_is_torchs_exp_range(self) -> None:
        def make(optimizer: Any) -> Any:
            return lr_scheduler.CyclicLR(
                optimizer, 0.1, 1.0, step_size_up=10, mode="exp_range", gamma=0.98, cycle_momentum=False
            )

        each = {"style": "each", "factor": 0.98, "every": 1}
        style = {"style": "product", "of": [{"style": "triangular", "up_steps": 10}, each]}
        assert lrs_of(style, 100, min_lr=0.1) == pytest.approx(torchs(make, 100), abs=1e-14)

    def test_lengths_have_units_and_faults_are_found_inside(self) -> None:
        wsd = {"style": "WSD", "wsd_decay_steps": "200%"}
        with pytest.raises(ConfigError, match="WSD: wsd_decay_steps is longer than"):
            lrs_of({"style": "product", "of": ["cosine", wsd]}, 100)
        with pytest.raises(ConfigError, match="geometric needs max_lr and min_lr above 0"):
            lrs_of({"style": "product", "of": ["cosine", "geometric"]}, 100, min_lr=0.1)
        with pytest.raises(ConfigError, match="needs at least 2 items"):
            lrs_of({"style": "product", "of": ["cosine"]}, 100)

    def test_jumps_and_breakpoints_are_those_of_all(self) -> None:
        steps = {"style": "multi-step", "milestones": [0.5], "multipliers": [0.1]}
        style = Product(of=(Schedule(max_lr=1.0, lr_decay_steps=9, lr_decay_style=steps).lr_style, Cosine()))
        assert (style.landmarks(0, 100), style.jumps_at(0, 100)) == ({"milestone 0.5": 50}, [50])


# Of each row: the style, warmup, total, min_lr, and the published formula of the update n.
FLOORS = {
    "OLMo-core InvSqrtWithWarmup, alpha_f 0.1": (
        {"style": "power-law", "floor": "tend"},
        (10, 100, 0.1),
        lambda n: 0.1 + 0.9 * math.sqrt(10 / n),
    ),
    "NeMo SquareAnnealing": (
        {"style": "polynomial", "power": 2, "floor": "cut"},
        (10, 100, 0.05),
        lambda n: max(0.05, ((100 - n) / 90) ** 2),
    ),
    "NeMo WarmupHoldAnnealOneMinusSquareRoot": (
        {"style": "minus_sqrt", "floor": "cut"},
        (10, 100, 0.2),
        lambda n: max(0.2, 1 - math.sqrt((n - 10) / 90)),
    ),
    "gpt-neox linear": ({"style": "linear", "floor": "cut"}, (10, 100, 0.3), lambda n: max(0.3, 1 - (n - 10) / 90)),
    "timm poly, k_decay 2": (
        {"style": "polynomial", "power": 0.5, "k": 2},
        (10, 100, 0.1),
        lambda n: 0.1 + 0.9 * (1 - ((n - 10) / 90) ** 2) ** 0.5,
    ),
    "torch PolynomialLR": ("polynomial", (0, 100, 0.0), lambda n: 1 - n / 100),
}


class TestFloors:
    @pytest.mark.parametrize("name", FLOORS)
    def test_is_published(self, name: str) -> None:
        style, (warmup, total, min_lr), formula = FLOORS[name]
        lrs = lrs_of(style, total, lr_warmup_steps=warmup, min_lr=min_lr)
        expected = [n / warmup if n <= warmup and warmup else formula(n) for n in range(total)]
        assert lrs == pytest.approx(expected, abs=1e-15)

    def test_reach_ends_at_min_lr(self) -> None:
        keys = {"max_lr": 1.0, "min_lr": 0.1, "lr_decay_steps": 100, "lr_warmup_steps": 10, "clock": "iters"}
        schedule = Schedule(**keys, lr_decay_style={"style": "power-law", "floor": "reach"})
        last = math.sqrt(0.1)
        expected = [0.1 + 0.9 * (math.sqrt(10 / n) - last) / (1 - last) for n in range(10, 100)]
        assert schedule.lr_at(range(10, 100)) == pytest.approx(expected, abs=1e-15)
        assert (schedule.lr_at(100), schedule.lr_at(10**6)) == (0.1, 0.1)

    @pytest.mark.parametrize("floor", ["reach", "tend"])
    def test_a_curve_that_ends_at_min_lr_is_itself(self, floor: str) -> None:
        keys = {"max_lr": 1.0, "lr_decay_steps": 100}
        assert Schedule(**keys, lr_decay_style={"style": "cosine", "floor": floor}) == Schedule(
            **keys, lr_decay_style="cosine"
        )

    def test_groups_have_their_own_min_lr(self) -> None:
        keys = {"max_lr": 1.0, "min_lr": 0.1, "lr_decay_steps": 100}
        schedule = Schedule(**keys, lr_decay_style={"style": "linear", "floor": "cut"})
        assert [schedule.lr_at(80, {"min_lr": low}) for low in (0.0, 0.1, 0.5)] == pytest.approx([0.2, 0.2, 0.5])

    def test_it_stands_in_a_phase(self) -> None:
        cut = {"style": "linear", "floor": "cut"}
        phases = [{"style": cut, "length": 50, "to": "50%"}, {"style": "constant"}]
        assert lrs_of({"style": "phases", "phases": phases}, 100)[20:30:5] == pytest.approx([0.6, 0.5])

    def test_it_is_saved_resolved_and_written(self) -> None:
        keys = {"max_lr": 1.0, "min_lr": 0.1, "lr_decay_steps": 100, "lr_warmup_steps": 10}
        schedule = Schedule(**keys, lr_decay_style={"style": "power-law", "floor": "tend"})
        assert isinstance(schedule.lr_style, Floored)
        scheduler = schedule.build(Optimizer())
        scheduler.step(50)
        resumed = Schedule(**keys, resume="checkpoint").build(Optimizer())
        resumed.load_state_dict(json.loads(json.dumps(scheduler.state_dict())))
        assert resumed.optimizer.param_groups == scheduler.optimizer.param_groups
        for written in (schedule.to_dict(), schedule.to_dict(resolve=True), schedule.for_role("default").to_dict()):
            assert Schedule(**written).lr_style == schedule.lr_style

    @pytest.mark.parametrize(
        ("style", "message"),
        [
            ({"style": "cosine", "floor": "hold"}, "lr_decay_style.floor = 'hold': should be 'reach', 'cut' or 'tend'"),
            ({"style": "cosin", "floor": "cut"}, "there is no LR style 'cosin'"),
            ({"style": "polynomial", "powr": 2, "floor": "cut"}, "powr = 2: is not an option of 'polynomial'"),
            ({"style": "constant", "floor": "reach"}, "floor: reach needs a style that falls"),
            (
                {"style": "WSD", "wsd_decay_steps": 9, "lr_wsd_decay_style": {"style": "linear", "floor": "cut"}},
                "floor",
            ),
        ],
    )
    def test_what_is_refused(self, style: Any, message: str) -> None:
        with pytest.raises(ConfigError) as caught:
            lrs_of(style, 100)
        assert message in str(caught.value)


def test_a_summary_has_the_style_as_a_file_does() -> None:
    run = {"clock": "iters", "train_iters": 100, "max_lr": 1.0, "min_lr": 0.1}
    assert (
        Schedule(**run, lr_decay_style={"style": "cosine", "floor": "cut"}).summary().startswith("cosine(floor=cut),")
    )
    law = Schedule(**run, lr_decay_style={"style": "power-law", "timescale": 10, "floor": "tend"})
    assert law.summary().startswith("power-law(exponent=-0.5, timescale=10, floor=tend),")
