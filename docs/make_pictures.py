"""Draws the pictures of the documentation: ``python docs/make_pictures.py``; it needs matplotlib and every plugin.

Those of the README and of the page on seeing a schedule are drawn by the commands that stand there.
"""

import json
import os
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from typer.testing import CliRunner

import schedframe
from schedframe._cli.app import app
from schedframe._pictures.figure import COLOURS, SMALL, WIDTH
from schedframe._tools.recipes import recipes

PICTURES = Path(__file__).parent / "pictures"
README = Path(__file__).parent.parent / "README.md"
PAGE = Path(__file__).parent / "how-to" / "see-a-schedule.md"
FILE = re.compile(r"<!-- file: (\S+) -->\n```\w*\n(.*?)\n```", re.DOTALL)
COMMAND = re.compile(r"^\$ schedframe (.* -o (\w+\.svg).*)$", re.MULTILINE)
OPTIONS: dict[str, dict[str, Any]] = {
    "WSD": {"wsd_decay_steps": "20%", "lr_wsd_decay_style": "minus_sqrt"},
    "cosine-restarts": {"period_steps": 200},
    "cosine-cycles": {"cycles": 1.5},
    "cosine-power": {"power": 2},
    "each": {"factor": 0.6, "every": 125, "stairs": True},
    "floored": {"of": "linear", "floor": "cut"},
    "infinite": {"cooldown_steps": 200, "constant": 0.5, "anneal_steps": 200},
    "minus-power": {"power": 3},
    "multi-step": {"milestones": [0.8, 0.9], "multipliers": [0.316, 0.1]},
    "noam": {"d_model": 512, "factor": 1e-3 * (512 * 100) ** 0.5},
    "phases": {
        "phases": [
            {"style": "constant", "length": 300},
            {"style": "cosine", "length": 300, "to": "40%"},
            {"style": "minus_sqrt", "to": "min_lr"},
        ]
    },
    "polynomial": {"power": 2},
    "power": {"batch_size": 1, "tokens_per_step": 100_000, "wsd_decay_steps": 200, "lr_wsd_decay_style": "linear"},
    "power-law": {"timescale": 100},
    "product": {"of": ["cosine", {"style": "each", "factor": 0.6, "every": 250}]},
    "tri-stage": {"hold_steps": 200},
    "triangular": {"up_steps": 150, "peak_mult": 0.7},
    "wsd-s": {"period_steps": [300, 300, 300], "decay_share": 0.3},
}
"""The options of styles that need some, or show more with them."""


def gallery() -> Figure:
    """Return every learning-rate style that is installed, one small picture each."""
    drawn = {name: _schedule(name).sample(200) for name in schedframe.lr_styles}
    columns = 4
    rows = -(-len(drawn) // columns)
    figure = Figure(figsize=(WIDTH, 1.25 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, sharex=True, sharey=True).flat
    for ax, (name, samples) in zip(axes, drawn.items(), strict=False):
        ax.plot(samples["step"], samples["lr"], color=COLOURS[0], linewidth=1.3, clip_on=False)
        ax.set_title(name, fontsize=SMALL, pad=3)
    for ax in figure.axes:
        ax.set(xticks=[], yticks=[], xlim=(0, 1000), ylim=(0, 1.05e-3))
        for side in ("top", "right"):
            ax.spines[side].set_visible(False)
    for ax in figure.axes[len(drawn) :]:
        ax.set_visible(False)
    return figure


def recipe_gallery() -> Figure:
    """Return the learning rate of every recipe of schedframe over its run, one small picture each."""
    drawn = [each for each in recipes()[0] if each.provider.startswith("schedframe ")]
    columns = 3
    rows = -(-len(drawn) // columns)
    figure = Figure(figsize=(WIDTH, 0.85 * rows), layout="constrained")
    axes = figure.subplots(rows, columns).flat
    for ax, each in zip(axes, drawn, strict=False):
        samples = each.schedule.sample(600)
        ax.plot(samples["step"], samples["lr"], color=COLOURS[0], linewidth=1.3, clip_on=False)
        ax.set_title(each.name, fontsize=SMALL, pad=3)
        ax.set(xticks=[], yticks=[], xlim=(0, samples["step"][-1]), ylim=(0, 1.05 * each.schedule.max_lr))
        for side in ("top", "right"):
            ax.spines[side].set_visible(False)
    for ax in figure.axes[len(drawn) :]:
        ax.set_visible(False)
    return figure


def _schedule(name: str) -> schedframe.Schedule:
    keys: dict[str, Any] = {"clock": "iters", "train_iters": 1000, "max_lr": 1e-3, "lr_warmup_steps": 100}
    if name in ("geometric", "tri-stage", "exponential-to", "half-life", "infinite"):
        keys["min_lr"] = "1%"
    if name == "floored":
        keys["min_lr"] = "30%"
    options = OPTIONS.get(name, {})
    return schedframe.Schedule(**keys, lr_decay_style={"style": name, **options})


def write_files(page: Path, folder: Path) -> None:
    """Write the files of `page` into `folder`."""
    for name, text in FILE.findall(page.read_text()):
        (folder / name).write_text(f"{text}\n")


def write_checkpoint(folder: Path) -> None:
    """Write the checkpoint that the page names into `folder`."""
    schedule = schedframe.load(folder / "wsd.yaml")
    scheduler = schedule.build(SimpleNamespace(param_groups=[{"params": []}]))
    scheduler.step(schedule.step_at("300B tokens"))
    (folder / "state.json").write_text(json.dumps(scheduler.state_dict()))


def documented(page: Path, folder: Path) -> Iterator[Path]:
    """Run the commands of `page` that draw pictures, in `folder`, and yield what each wrote."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        for command, name in COMMAND.findall(page.read_text()):
            done = CliRunner().invoke(app, shlex.split(command))
            if done.exit_code not in (0, 1):  # 1: the curves differ
                raise RuntimeError(f"{command}\n{done.output}")
            yield folder / name
    finally:
        os.chdir(before)


def draw(folder: Path) -> list[Path]:
    """Draw every picture into `folder`, which then has the files of the page too, and return the pictures."""
    write_files(PAGE, folder)
    write_checkpoint(folder)
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "schedframe"}), TemporaryDirectory() as apart:
        write_files(README, Path(apart))
        gallery().savefig(folder / "styles.svg", metadata={"Date": None})
        recipe_gallery().savefig(folder / "recipes.svg", metadata={"Date": None})
        of_readme = [Path(shutil.copy(picture, folder)) for picture in documented(README, Path(apart))]
        return [folder / "styles.svg", folder / "recipes.svg", *of_readme, *documented(PAGE, folder)]


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder:
        for picture in draw(Path(folder)):
            (PICTURES / picture.name).write_bytes(picture.read_bytes())
            print("wrote", PICTURES / picture.name, picture.stat().st_size)
