"""The time of one ``step()`` against Megatron Core's class, side by side in one process.

WSD with ``minus_sqrt`` and cosine weight decay, for a number of param groups; each figure is the median
of the ratios of alternating pairs, so that a drift of the machine's speed cancels out.
"""

import argparse
import json
import statistics
import sys
import time
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from megatron.core.optimizer_param_scheduler import OptimizerParamScheduler as Megatron

import schedframe
from schedframe import OptimizerParamScheduler as Ours

WARMUP, STABLE_END, DECAY = 1_000, 90_000, 100_000
PHASES = {"warmup": 500, "stable": 50_000, "cooldown": 95_000, "past the end": 150_000}


class Optimizer:
    def __init__(self, groups: int, own_bounds: bool) -> None:
        self.param_groups = [{"params": [], "wd_mult": 1.0, "lr": 0.0, "weight_decay": 0.0} for _ in range(groups)]
        if own_bounds:
            for index, group in enumerate(self.param_groups):
                group.update(max_lr=1.0 + index, min_lr=0.1 + index, default_config=False)


def scheduler(cls, groups: int, own_bounds: bool, at: int, lr_style: str = "WSD", wd_style: str = "cosine"):
    built = cls(
        Optimizer(groups, own_bounds),
        init_lr=0.0,
        max_lr=1.0,
        min_lr=0.1,
        lr_warmup_steps=WARMUP,
        lr_decay_steps=DECAY,
        lr_decay_style=lr_style,
        start_wd=0.1,
        end_wd=0.1 if wd_style == "constant" else 0.3,
        wd_incr_steps=DECAY,
        wd_incr_style=wd_style,
        wsd_decay_steps=DECAY - STABLE_END,
        lr_wsd_decay_style="minus_sqrt",
    )
    built.num_steps = at
    built.step(0)
    return built


def ruled(groups: int, rules: int, own_styles: bool, at: int):
    """Return our scheduler with so many rules, each for as many groups, with a peak and maybe a style of its own."""
    built = Optimizer(groups, own_bounds=False)
    for index, group in enumerate(built.param_groups):
        group["role"] = f"rule {index % rules}"
    style = {"lr_decay_style": {"style": "phases", "phases": [{"style": "constant"}, {"style": "linear", "length": 9}]}}
    schedule = schedframe.Schedule(
        max_lr=1.0,
        min_lr="10%",
        lr_warmup_steps=WARMUP,
        lr_decay_steps=DECAY,
        lr_decay_style={"style": "WSD", "wsd_decay_steps": DECAY - STABLE_END, "lr_wsd_decay_style": "minus_sqrt"},
        start_wd=0.1,
        end_wd=0.3,
        wd_incr_style="cosine",
        groups=[
            {
                "role": f"rule {rule}",
                "match": {"param": f"*.{rule}.*"},
                "lr_mult": 1 + rule,
                **(style if own_styles and rule % 2 else {}),
            }
            for rule in range(rules)
        ],
    ).build(built)
    schedule.num_steps = at
    schedule.step(0)
    return schedule


def seconds(step, repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        step(0)
    return time.perf_counter() - start


def ratio(pairs: int, ours, theirs) -> tuple[float, float]:
    """Return the median ratio ours / Megatron, and the median microseconds of one of our steps."""
    repeats = max(1, int(2_000 / len(ours.optimizer.param_groups)))
    ours, theirs = ours.step, theirs.step
    seconds(ours, repeats), seconds(theirs, repeats)
    ratios, times = [], []
    for _ in range(pairs):
        a, b = seconds(ours, repeats), seconds(theirs, repeats)
        ratios.append(a / b)
        times.append(a / repeats * 1e6)
    return statistics.median(ratios), statistics.median(times)


def cases():
    """Yield (what, limit, ours, Megatron's); a limit of None is printed only."""
    for what, limit, arguments in plain_cases():
        yield what, limit, scheduler(Ours, *arguments), scheduler(Megatron, *arguments)
    for phase in ("cooldown", "warmup"):
        theirs = scheduler(Megatron, 1000, True, PHASES[phase])
        limit = 0.6 if phase == "cooldown" else 1.1
        yield f"G=1000, {phase}, 20 rules", limit, ruled(1000, 20, False, PHASES[phase]), theirs
    yield "G=1000, cooldown, 10 of 20 rules with phases", None, ruled(1000, 20, True, PHASES["cooldown"]), theirs


def plain_cases():
    """Yield (what, limit, arguments of `scheduler`)."""
    for groups, limit in ((1, 1.3), (2, 1.2), (8, 0.6), (100, 0.4), (1000, 0.4)):
        for own in (False, True):
            bounds = "own bounds" if own else "shared bounds"
            own_limit = 0.5 if own and groups >= 100 else limit  # the bounds of every group are checked
            yield f"G={groups}, cooldown, {bounds}", own_limit, (groups, own, PHASES["cooldown"])
    for phase in ("warmup", "stable", "past the end"):
        yield f"G=1000, {phase}", 1.1, (1000, False, PHASES[phase])
    yield "G=1000, cooldown, constant WD", 1.1, (1000, False, PHASES["cooldown"], "WSD", "constant")
    for phase in ("warmup", "stable", "past the end"):
        yield f"G=1000, {phase}, constant WD", 1.1, (1000, False, PHASES[phase], "WSD", "constant")
    for style in ("constant", "inverse-square-root"):
        yield f"G=1000, {style}", None, (1000, False, PHASES["cooldown"], style)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=41, help="alternating pairs per case")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    warnings.simplefilter("ignore", schedframe.SchedframeWarning)
    rows = []
    for what, limit, ours, theirs in cases():
        measured, micros = ratio(options.pairs, ours, theirs)
        rows.append({"case": what, "ratio": round(measured, 2), "limit": limit, "us": round(micros, 2)})
    if options.json:
        print(json.dumps(rows))
    else:
        print(f"{'step()':<40} {'ours/Megatron':>13} {'limit':>6} {'ours, us':>9}")
        for row in rows:
            limit = "" if row["limit"] is None else row["limit"]
            print(f"{row['case']:<40} {row['ratio']:>13} {limit:>6} {row['us']:>9}")
    over = [row["case"] for row in rows if row["limit"] is not None and row["ratio"] > row["limit"]]
    if over:
        print("above the limit:", "; ".join(over), file=sys.stderr)
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
