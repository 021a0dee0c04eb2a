"""The time of fitting a law, of predicting and of proposing, as ratios to what each may take: 1 s, 0.1 s and 3 s.

The log has 25,000 updates, of which each is logged. numpy runs on one core.
"""

import os
import sys
import time
from collections.abc import Callable

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_threads] = "1"

import numpy as np  # noqa: E402
from table import Table, arguments  # noqa: E402

from schedframe import Schedule  # noqa: E402
from schedframe.foresight import fit, log_of, loss_laws, propose  # noqa: E402

LENGTH = 25_000
KEYS = {"clock": "iters", "train_iters": LENGTH, "max_lr": 1e-3, "lr_warmup_steps": 300}


def budget(seconds: float) -> Callable[[], object]:
    """Return what takes so many `seconds`."""
    return lambda: time.sleep(seconds)


def main() -> int:
    options = arguments(__doc__, pairs=3)
    cosine = Schedule(**KEYS, lr_decay_style="cosine")
    wsd = Schedule(**KEYS, lr_decay_style={"style": "WSD", "wsd_decay_steps": "20%", "lr_wsd_decay_style": "linear"})
    steps = np.arange(1, LENGTH + 1)
    decay = np.cos(np.pi * steps / LENGTH)
    noise = np.random.default_rng(0).normal(0, 0.05, LENGTH)
    log = log_of(steps, 2.8 + 0.25 * (steps / LENGTH) ** -0.5 + 0.06 * decay + noise)
    law = fit([(log, cosine)])
    table = Table(f"a log of {LENGTH:,} updates", "s")
    for name in loss_laws:
        table.measure(
            f"fit {name} / 1 s", 1.0, lambda name=name: fit([(log, cosine)], name), budget(1.0), options.pairs
        )
    table.measure("predict / 0.1 s", 1.0, lambda: law.predict(wsd), budget(0.1), options.pairs)
    table.measure("propose / 3 s", 1.0, lambda: propose(law, cosine), budget(3.0), options.pairs)
    return table.finish(options.json)


if __name__ == "__main__":
    sys.exit(main())
