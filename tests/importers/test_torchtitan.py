"""torchtitan's TOML. Its formula is that of torchtitan/components/optimizer/lr_scheduler.py at v0.3.0."""

from math import cos, pi, sqrt
from pathlib import Path

import pytest

from .imports import assert_equal, imported, schedule_of

HEAD = '[job]\ndump_folder = "./out"\n[model]\nname = "llama3"\nflavor = "8B"\n'


def factor(step: int, warmup: int, decay: int, total: int, kind: str, least: float) -> float:
    """Return torchtitan's ``linear_warmup_stable_decay`` at the update `step`."""
    stable = total + 1 - warmup - decay
    if step < warmup:
        return (step + 1) / warmup
    if step < warmup + stable:
        return 1.0
    progress = (step + 1 - warmup - stable) / decay
    curve = {"linear": 1 - progress, "sqrt": 1 - sqrt(progress), "cosine": 0.5 * (1.0 + cos(pi * progress))}[kind]
    return least + (1 - least) * curve


CASES = {
    "a debug model": (
        "[optimizer]\nlr = 8e-4\n[lr_scheduler]\nwarmup_steps = 2\ndecay_ratio = 0.8\n"
        'decay_type = "linear"\nmin_lr_factor = 0.0\n[training]\nsteps = 10\n',
        (8e-4, 2, 8, 10, "linear", 0.0),
    ),
    "8B": (
        "[optimizer]\nlr = 3e-4\n[lr_scheduler]\nwarmup_steps = 200\n[training]\nsteps = 1000\n",
        (3e-4, 200, 800, 1000, "linear", 0.0),
    ),
    "405B with a min LR and a cosine": (
        '[optimizer]\nlr = 8e-5\nweight_decay = 0.05\n[lr_scheduler]\nwarmup_steps = 600\ndecay_type = "cosine"\n'
        "min_lr_factor = 0.1\n[training]\nsteps = 3000\n",
        (8e-5, 600, 2400, 3000, "cosine", 0.1),
    ),
    "a cooldown by square root, with the older key": (
        '[optimizer]\nlr = 2.2e-4\n[lr_scheduler]\nwarmup_steps = 20\ndecay_ratio = 0.15\ndecay_type = "sqrt"\n'
        "lr_min = 0.05\n[training]\nsteps = 501\n",
        (2.2e-4, 20, 75, 501, "sqrt", 0.05),
    ),
    "defaults": ("[optimizer]\nlr = 4e-3\n[training]\nsteps = 1_500\n", (4e-3, 200, 1300, 1500, "linear", 0.0)),
    "no warmup": (
        "[optimizer]\nlr = 1e-3\n[lr_scheduler]\nwarmup_steps = 0\ndecay_ratio = 0.5\n[training]\nsteps = 99\n",
        (1e-3, 0, round(49.5), 99, "linear", 0.0),
    ),
    "a decay that is cut to what the warmup leaves": (
        "[optimizer]\nlr = 1e-3\n[lr_scheduler]\nwarmup_steps = 40\ndecay_ratio = 0.9\n[training]\nsteps = 100\n",
        (1e-3, 40, 60, 100, "linear", 0.0),
    ),
    "a warmup that is cut to the run": (
        "[optimizer]\nlr = 1e-3\n[lr_scheduler]\nwarmup_steps = 200\n[training]\nsteps = 5\n",
        (1e-3, 5, 0, 5, "linear", 0.0),
    ),
    "a schedule that is longer than the run": (
        "[optimizer]\nlr = 1e-3\n[lr_scheduler]\nwarmup_steps = 10\ntotal_steps = 400\n[training]\nsteps = 50\n",
        (1e-3, 10, 390, 400, "linear", 0.0),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_every_update_is_torchtitans(name: str, tmp_path: Path) -> None:
    text, (peak, warmup, decay, total, kind, least) = CASES[name]
    (tmp_path / "train.toml").write_text(HEAD + text)
    schedule = schedule_of(tmp_path / "train.toml")
    assert schedule.train_steps is not None
    assert_equal(
        schedule,
        lambda step: peak * factor(step, warmup, decay, total, kind, least),
        int(schedule.train_steps),
        peak,
    )


def test_the_file_names_lines_and_defaults(tmp_path: Path) -> None:
    source = tmp_path / "train.toml"
    source.write_text(HEAD + CASES["defaults"][0])
    found = imported(source)
    taken = {each.key: (each.paths, each.lines) for each in found.taken}
    assert found.importer == "torchtitan"
    assert taken["max_lr"] == (("optimizer.lr",), (7,))
    assert taken["train_iters"] == (("training.steps",), (9,))
    assert "lr_scheduler.warmup_steps is not given, and is 200 by default in torchtitan 0.3.0" in found.assumed
    assert found.keys["start_wd"] == 0.1
