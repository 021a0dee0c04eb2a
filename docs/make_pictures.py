"""Draws the pictures of the documentation: ``python docs/make_pictures.py``; it needs matplotlib and every plugin."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

import schedframe
from schedframe._pictures.figure import COLOURS, figure_of
from schedframe._pictures.series import Named, picture_of

PICTURES = Path(__file__).parent / "pictures"
TAIL = {"style": "WSD", "wsd_decay_steps": "20%", "lr_wsd_decay_style": "minus_sqrt"}
RUN: dict[str, Any] = {
    "train_tokens": "500B",
    "seq_length": 4096,
    "global_batch_size": 1024,
    "max_lr": 3e-4,
    "min_lr": "10%",
    "lr_warmup_steps": "2000 iters",
    "start_wd": 0.1,
}
OPTIONS: dict[str, dict[str, Any]] = {
    "WSD": {"wsd_decay_steps": "20%", "lr_wsd_decay_style": "minus_sqrt"},
    "cosine-restarts": {"period_steps": 200},
    "infinite": {"cooldown_steps": 200, "constant": 0.5, "anneal_steps": 200},
    "minus-power": {"power": 3},
    "multi-step": {"milestones": [0.8, 0.9], "multipliers": [0.316, 0.1]},
    "noam": {"d_model": 512, "factor": 1e-3 * (512 * 100) ** 0.5},
    "phases": {
        "phases": [
            {"style": "constant", "length": 300},
            {"style": "cosine", "length": 300, "to": "40%"},
            {"style": "minus_sqrt", "to": "floor"},
        ]
    },
    "power": {"batch_size": 1, "tokens_per_step": 100_000, "wsd_decay_steps": 200, "lr_wsd_decay_style": "linear"},
    "power-law": {"timescale": 100},
    "tri-stage": {"hold_steps": 200},
    "wsd-s": {"period_steps": [300, 300, 300], "decay_share": 0.3},
}
"""The options of styles that need some, or show more with them."""


def gallery() -> Figure:
    """Return every learning-rate style that is installed, one small picture each."""
    drawn = {name: _schedule(name).sample(200) for name in schedframe.lr_styles}
    columns = 6
    rows = -(-len(drawn) // columns)
    figure = Figure(figsize=(9, 1.25 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, sharex=True, sharey=True).flat
    for ax, (name, samples) in zip(axes, drawn.items(), strict=False):
        ax.plot(samples["step"], samples["lr"], color=COLOURS[0], linewidth=1.3, clip_on=False)
        ax.set_title(name, fontsize=8, pad=3)
    for ax in figure.axes:
        ax.set(xticks=[], yticks=[], xlim=(0, 1000), ylim=(0, 1.05e-3))
        for side in ("top", "right"):
            ax.spines[side].set_visible(False)
    for ax in figure.axes[len(drawn) :]:
        ax.set_visible(False)
    return figure


def _schedule(name: str) -> schedframe.Schedule:
    keys: dict[str, Any] = {"clock": "iters", "train_iters": 1000, "max_lr": 1e-3, "lr_warmup_steps": 100}
    if name in ("geometric", "tri-stage", "exponential-to", "half-life", "infinite"):
        keys["min_lr"] = "1%"
    options = OPTIONS.get(name, {})
    return schedframe.Schedule(**keys, lr_decay_style={"style": name, **options})


def pictures() -> dict[str, Figure]:
    """Return each picture by its file name."""
    groups = [
        {"role": "router", "match": {"param": "*.router.*"}, "lr_mult": 0.3, "wd_mult": 0.0},
        {"role": "embedding", "match": {"param": "*.embedding.*"}, "lr_mult": 0.6},
    ]
    wsd = schedframe.Schedule(**RUN, lr_decay_style=TAIL, groups=groups)
    plain = Named("wsd.yaml", schedframe.Schedule(**RUN, lr_decay_style=TAIL))
    cosine = Named("cosine.yaml", schedframe.Schedule(**RUN, lr_decay_style="cosine"))
    return {
        "groups.svg": figure_of(picture_of([Named("run.yaml", wsd)], points=300)),
        "overlaid.svg": figure_of(picture_of([plain, cosine], what=["lr"], points=300)),
        "styles.svg": gallery(),
    }


if __name__ == "__main__":
    mpl.rcParams["svg.fonttype"] = "none"
    mpl.rcParams["svg.hashsalt"] = "schedframe"
    PICTURES.mkdir(exist_ok=True)
    for file, figure in pictures().items():
        figure.savefig(PICTURES / file, metadata={"Date": None})
        print("wrote", PICTURES / file, (PICTURES / file).stat().st_size)
