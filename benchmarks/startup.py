"""The time that whole processes take, as ratios to a peer measured in turn with them.

``import schedframe`` against ``import pydantic``, and ``schedframe preview FILE`` against importing
Megatron Core's scheduler module.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SCHEDULE = """\
train_samples: 500M
max_lr: 3e-4
min_lr: 10%
lr_warmup_steps: 1%
lr_decay_style: {style: WSD, wsd_decay_steps: 10%, lr_wsd_decay_style: minus_sqrt}
start_wd: 0.1
"""


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def compare(ours: list[str], theirs: list[str], pairs: int) -> tuple[float, float, float]:
    """Return the median ratio of the pairs, and the median seconds of each."""
    seconds(ours), seconds(theirs)
    measured = [(seconds(ours), seconds(theirs)) for _ in range(pairs)]
    return (
        statistics.median(a / b for a, b in measured),
        statistics.median(a for a, _ in measured),
        statistics.median(b for _, b in measured),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=15, help="alternating pairs per case")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    python = [sys.executable, "-c"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "run.yaml")
        file.write_text(SCHEDULE)
        preview = [sys.executable, "-m", "schedframe", "preview", str(file)]
        cases = (
            ("import schedframe / import pydantic", 1.6, [*python, "import schedframe"], [*python, "import pydantic"]),
            (
                "schedframe preview FILE / import Megatron's scheduler",
                0.25,
                preview,
                [*python, "import megatron.core.optimizer_param_scheduler"],
            ),
        )
        rows = []
        for what, limit, ours, theirs in cases:
            pairs = options.pairs if "pydantic" in what else max(3, options.pairs // 3)
            ratio, a, b = compare(ours, theirs, pairs)
            rows.append(
                {"case": what, "ratio": round(ratio, 2), "limit": limit, "s": round(a, 3), "peer_s": round(b, 3)}
            )
    if options.json:
        print(json.dumps(rows))
    else:
        print(f"{'whole processes':<55} {'ratio':>6} {'limit':>6} {'ours, s':>8} {'peer, s':>8}")
        for row in rows:
            print(f"{row['case']:<55} {row['ratio']:>6} {row['limit']:>6} {row['s']:>8} {row['peer_s']:>8}")
    over = [row["case"] for row in rows if row["ratio"] > row["limit"]]
    if over:
        print("above the limit:", "; ".join(over), file=sys.stderr)
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
