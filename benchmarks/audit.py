"""The time of auditing what Megatron-LM printed, as a ratio to five times ``grep -c iteration`` and 1 us for each line.

The log has a million iterations in 363 MB. Reading is what `schedframe.audit` does before it compares: iteration,
learning rate, consumed samples and skipped iterations of each line. The microseconds are spent in computing, so that a
busy machine slows both sides.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from table import Table, arguments

import schedframe
from schedframe._tools.audit.points import read_all

LINES = 1_000_000
KEYS = {"max_lr": 3e-4, "lr_warmup_steps": "2000 iters", "lr_decay_style": "cosine"}
LINE = (
    " [2025-01-01 10:00:00.123456] iteration {n:8d}/ 1000000 | consumed samples: {samples:12d} | elapsed time per "
    "iteration (ms): 1234.5 | throughput per GPU (TFLOP/s/GPU): 400.1 | learning rate: {lr:.6E} | global batch size: "
    "    4 | lm loss: 2.345678E+00 | loss scale: 1.0 | grad norm: 0.123 | number of skipped iterations:   0 | "
    "number of nan iterations:   0 |\n"
)


def budget(log: Path) -> Callable[[], object]:
    """Return what takes the time of `grep` five times, and computes 1 us for each line."""

    def spend() -> None:
        for _ in range(5):
            subprocess.run(["grep", "-c", "iteration", log], check=True, capture_output=True)
        end = time.process_time() + LINES * 1e-6
        while time.process_time() < end:
            pass

    return spend


def main() -> int:
    options = arguments(__doc__, pairs=5)
    schedule = schedframe.Schedule(**KEYS, train_iters=LINES, global_batch_size=4)
    table = Table(f"{LINES:,} lines of Megatron-LM", "s")
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "train.log")
        with log.open("w") as file:
            for n in range(1, LINES + 1):
                file.write(LINE.format(n=n, samples=4 * n, lr=schedule.lr_at(4 * n)))
        peer = budget(log)
        table.measure("reading / 5 grep -c, 1 us a line", 1.0, lambda: read_all([log]), peer, options.pairs)
        table.measure(
            "schedframe.audit / 5 grep -c, 1 us a line",
            1.0,
            lambda: schedframe.audit(schedule, [log]),
            peer,
            options.pairs,
        )
    return table.finish(options.json)


if __name__ == "__main__":
    sys.exit(main())
