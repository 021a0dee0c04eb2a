"""nanochat: karpathy/nanochat:scripts at 92d63d4.

base_train.py and chat_rl.py read the factor of the step, from 0 on, before each update. chat_sft.py reads that of the
progress of its data loader, which has fetched the first batch, and the next one, before the first update; here with one
micro-batch in an update.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from case import Case, Framework
from frameworks._checkout import checkout, definitions

UPDATES = 100
PEAK = 0.02


def factor_of(script: str, **used: Any) -> Callable[[float], float]:
    """Return the function of `script` that gives the factor on the learning rates."""
    file = checkout("nanochat") / "scripts" / f"{script}.py"
    multiplier: Callable[[float], float] = definitions(file, "get_lr_multiplier", **used).get_lr_multiplier
    return multiplier


def base(warmup: int, ratio: float, final: float, updates: int = UPDATES) -> Callable[[], list[float]]:
    settings = SimpleNamespace(warmup_steps=warmup, warmdown_ratio=ratio, final_lr_frac=final)
    factor = factor_of("base_train", args=settings, num_iterations=UPDATES)
    return lambda: [PEAK * factor(update) for update in range(updates)]


def sft(warmup_ratio: float, ratio: float, final: float) -> Callable[[], list[float]]:
    settings = SimpleNamespace(warmup_ratio=warmup_ratio, warmdown_ratio=ratio, final_lr_frac=final)
    factor = factor_of("chat_sft", args=settings)
    return lambda: [PEAK * factor((update + 2) / UPDATES) for update in range(UPDATES - 1)]


def rl() -> list[float]:
    factor = factor_of("chat_rl", num_steps=UPDATES)
    return [PEAK * factor(update) for update in range(UPDATES)]


def keys(style: Any, warmup: Any = 0, **others: Any) -> dict[str, Any]:
    rise = {"lr_warmup_steps": warmup, "lr_warmup_style": "nanochat"} if warmup else {}
    return {"clock": "iters", "train_iters": UPDATES, "max_lr": PEAK, **rise, "lr_decay_style": style, **others}


def cooldown(length: str) -> dict[str, Any]:
    return {"style": "WSD", "wsd_decay_steps": length, "lr_wsd_decay_style": "linear"}


SFT = {"train_iters": 99, "lr_decay_steps": 98}


def ahead(updates: float) -> dict[str, Any]:
    return {"style": "linear", "shift": f"{updates} iters", "stretched": True}


CASES = [
    Case(
        "base_train --warmup-steps 10 --warmdown-ratio 0.65 --final-lr-frac 0.05",
        UPDATES,
        base(10, 0.65, 0.05),
        keys(cooldown("65%"), 10, min_lr="5%"),
    ),
    Case(
        "base_train --warmup-steps 0 --warmdown-ratio 0.5 --final-lr-frac 0",
        UPDATES,
        base(0, 0.5, 0.0),
        keys(cooldown("50%")),
    ),
    Case("base_train --warmdown-ratio 0", UPDATES, base(10, 0.0, 0.0), keys("constant", 10)),
    Case(
        "chat_sft --warmdown-ratio 0.5, with --num-iterations",
        99,
        sft(0.0, 0.5, 0.0),
        keys(cooldown("50 iters"), **SFT),
        note="The decay is two updates ahead, and the run one update shorter than num-iterations.",
    ),
    Case(
        "chat_sft --warmup-ratio 0.1 --warmdown-ratio 0.4 --final-lr-frac 0.1, with --num-iterations",
        99,
        sft(0.1, 0.4, 0.1),
        keys(cooldown("40 iters"), 8, min_lr="10%", **SFT) | {"lr_warmup_style": ahead(2)},
        keys(cooldown("40 iters"), 7.999999, min_lr="10%", **SFT) | {"lr_warmup_style": ahead(2.000001)},
        "As above; the warmup adds 1e-8 to the progress, here 0.000001 updates.",
    ),
    Case("chat_rl", UPDATES, rl, keys("linear")),
]
FRAMEWORK = Framework(
    "nanochat",
    "karpathy/nanochat at 92d63d4",
    CASES,
    {"chat_sft without --num-iterations": "its progress is that of packed conversations, not of updates"},
)
