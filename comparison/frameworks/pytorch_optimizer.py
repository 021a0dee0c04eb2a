"""pytorch-optimizer: kozistr/pytorch_optimizer:pytorch_optimizer/lr_scheduler/.

Its schedulers are stepped after each update, as PyTorch's; some set the first learning rate to min_lr.
"""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from case import Case, Framework
from frameworks._torch import stepped
from pytorch_optimizer import lr_scheduler as kozistr
from pytorch_optimizer.lr_scheduler.chebyshev import get_chebyshev_perm_steps

UPDATES = 100
PEAK = 1e-3
LOW = 1e-5
WARM = {"lr_warmup_steps": 10}
BEHIND = {"first_update": -1}
FIRST = "its first learning rate is min_lr, also without a warmup"
LINEAR, COSINE, REX = kozistr.LinearScheduler, kozistr.CosineScheduler, kozistr.REXScheduler
RESTARTS = kozistr.CosineAnnealingWarmupRestarts
CHEBYSHEV = {"style": "chebyshev", "levels": 64}
LEVELS = get_chebyshev_perm_steps(64)


def keys(style: Any, updates: int = UPDATES, **others: Any) -> dict[str, Any]:
    return {"clock": "iters", "train_iters": updates, "max_lr": PEAK, "lr_decay_style": style, **others}


def case(name: str, make: Callable[..., Any], style: Any, options: dict[str, Any], **others: Any) -> Case:
    return Case(name, UPDATES, stepped(make, PEAK, UPDATES, **options), keys(style, **others))


def lengths(warmup: int, min_lr: float = 0.0, init_lr: float = 0.0) -> dict[str, Any]:
    return {"t_max": UPDATES, "max_lr": PEAK, "min_lr": min_lr, "init_lr": init_lr, "warmup_steps": warmup}


def without_warmup(name: str, make: Callable[..., Any], style: str) -> Case:
    return Case(
        name,
        UPDATES,
        stepped(make, PEAK, UPDATES, **lengths(0, LOW)),
        keys(style, min_lr=LOW, **BEHIND),
        keys(style, min_lr=LOW, lr_warmup_steps=1, init_lr=LOW, lr_decay_steps=UPDATES + 1),
        FIRST,
    )


def phases(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"style": "phases", "phases": list(parts)}


def wsd(name: str, cooldown: Any, options: dict[str, Any], warmup: int = 10, **others: Any) -> Case:
    parts = {"num_warmup_steps": warmup, "num_stable_steps": 80 - warmup, "num_decay_steps": 20}
    style = {"style": "WSD", "wsd_decay_steps": "20 iters", "lr_wsd_decay_style": cooldown}
    warm = WARM if warmup else {}
    return case(name, kozistr.get_wsd_schedule, style, {**parts, **options}, **warm, **others)


def past_the_cooldown(ratio: float) -> Case:
    options = {"num_warmup_steps": 10, "num_stable_steps": 50, "num_decay_steps": 20, "min_lr_ratio": ratio}
    return Case(
        "warmup_stable_decay, min_lr_ratio 0.1, past its end",
        UPDATES,
        stepped(kozistr.get_wsd_schedule, PEAK, UPDATES, **options),
        keys(
            {"style": "WSD", "wsd_decay_steps": "20 iters", "lr_wsd_decay_style": "1-sqrt"},
            min_lr="10%",
            lr_decay_steps=80,
            **WARM,
        ),
        keys(
            phases(
                {"style": "constant", "length": "50 iters"},
                {"style": "1-sqrt", "length": "20 iters"},
                {"style": "constant", "from": "10%", "jump": True},
            ),
            **WARM,
        ),
        "the cooldown goes to 0, and the learning rate rises to min_lr_ratio after it",
    )


def cycle(length: int, to: str = "100%", low: float = LOW) -> list[dict[str, Any]]:
    return [
        {"style": "linear", "length": "10 iters", "to": to},
        {"style": "cosine", "length": f"{length - 10} iters", "to": low},
    ]


CASES = [
    case("linear, warmup_steps 10", LINEAR, "linear", lengths(10), **BEHIND, **WARM),
    case(
        "linear, min_lr and init_lr 1e-5",
        LINEAR,
        "linear",
        lengths(10, LOW, LOW),
        min_lr=LOW,
        init_lr=LOW,
        **BEHIND,
        **WARM,
    ),
    without_warmup("linear, min_lr 1e-5, without a warmup", LINEAR, "linear"),
    case("cosine, warmup_steps 10", COSINE, "cosine", lengths(10), **BEHIND, **WARM),
    case(
        "cosine, min_lr and init_lr 1e-5",
        COSINE,
        "cosine",
        lengths(10, LOW, LOW),
        min_lr=LOW,
        init_lr=LOW,
        **BEHIND,
        **WARM,
    ),
    without_warmup("cosine, min_lr 1e-5, without a warmup", COSINE, "cosine"),
    Case(
        "cosine, min_lr 1e-5, init_lr 0",
        UPDATES,
        stepped(COSINE, PEAK, UPDATES, **lengths(10, LOW)),
        keys("cosine", min_lr=LOW, **BEHIND, **WARM),
        keys(
            phases(
                {"style": "constant", "length": "1 iters", "from": LOW, "jump": True},
                {"style": "linear", "length": "10 iters", "from": "0%", "jump": True, "to": "100%"},
                {"style": "cosine", "to": LOW},
            ),
            lr_decay_steps=UPDATES + 1,
        ),
        "its first learning rate is min_lr, and the second init_lr",
    ),
    Case(
        "rex, min_lr 1e-5",
        UPDATES,
        stepped(REX, PEAK, UPDATES, total_steps=UPDATES, max_lr=PEAK, min_lr=LOW),
        keys("rex", min_lr=LOW),
        keys("rex", min_lr=LOW, lr_warmup_steps=1, init_lr=LOW, decay_from=0),
        FIRST,
    ),
    case(
        "cosine_annealing_with_warmup, gamma 1",
        RESTARTS,
        phases(*cycle(50)[1:], *cycle(50)),
        {"first_cycle_steps": 50, "max_lr": PEAK, "min_lr": LOW, "warmup_steps": 10, "gamma": 1.0},
        min_lr=LOW,
        init_lr=LOW,
        **WARM,
    ),
    case(
        "cosine_annealing_with_warmup, gamma 0.5, cycle_mult 2",
        RESTARTS,
        phases(*cycle(30)[1:], *cycle(50, "50%"), *cycle(90, "25%")),
        {"first_cycle_steps": 30, "cycle_mult": 2.0, "max_lr": PEAK, "min_lr": LOW, "warmup_steps": 10, "gamma": 0.5},
        min_lr=LOW,
        init_lr=LOW,
        lr_decay_steps=170,
        **WARM,
    ),
    wsd("warmup_stable_decay", "1-sqrt", {}),
    wsd("warmup_stable_decay, without a warmup", "1-sqrt", {}, 0),
    wsd("warmup_stable_decay, cooldown_type linear", "linear", {"cooldown_type": "linear"}),
    wsd(
        "warmup_stable_decay, cooldown_type 1-square",
        {"style": "minus-power", "power": 2.0},
        {"cooldown_type": "1-square"},
    ),
    wsd("warmup_stable_decay, cooldown_type cosine", "cosine", {"cooldown_type": "cosine"}),
    wsd(
        "warmup_stable_decay, cooldown_type cosine, min_lr_ratio 0.1",
        "cosine",
        {"cooldown_type": "cosine", "min_lr_ratio": 0.1},
        min_lr="10%",
    ),
    past_the_cooldown(0.1),
    Case(
        "chebyshev, num_epochs 64, an epoch an update",
        64,
        stepped(kozistr.get_chebyshev_schedule, PEAK, 64, num_epochs=64),
        keys(CHEBYSHEV, 64),
        keys(
            phases({"style": "constant", "length": "2 iters"}, {"style": CHEBYSHEV}),
            64,
            max_lr=PEAK * float(LEVELS[0]),
            min_lr=PEAK * float(min(LEVELS)),
            lr_decay_steps=66,
        ),
        "its learning rate is that of two epochs before, and a multiple of the optimizer's",
    ),
]
FRAMEWORK = Framework(
    "pytorch-optimizer",
    f"pytorch_optimizer {version('pytorch_optimizer')}",
    CASES,
    {
        "poly": "it rises above max_lr after its warmup, without a bound",
        "proportion": "it is not a learning rate",
        "deberta_v3_large_lr_scheduler": "it makes param groups, each with a constant learning rate",
        "constant, step, multi_step, multiplicative, cyclic, one_cycle, cosine_annealing, "
        "cosine_annealing_with_warm_restart": "they are PyTorch's",
    },
)
