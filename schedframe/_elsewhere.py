"""The names that other code bases use, so that an error about an unknown name gives schedframe's name for it."""

import re
from collections.abc import Mapping

_LONGEST = 30
"""The longest value, in characters, that a hint repeats."""

_KEYS = {
    "Megatron-LM": {
        "lr": "max_lr: {value}",
        "weight_decay": "start_wd: {value}",
        "start_weight_decay": "start_wd: {value}",
        "end_weight_decay": "end_wd: {value}",
        "weight_decay_incr_style": "wd_incr_style: {value}",
        "lr_warmup_init": "init_lr: {value}",
        "lr_warmup_iters": "lr_warmup_steps: {value} iters",
        "lr_warmup_samples": "lr_warmup_steps: {value} samples",
        "lr_warmup_fraction": "lr_warmup_steps: {percent}",
        "lr_decay_iters": "lr_decay_steps: {value} iters",
        "lr_decay_samples": "lr_decay_steps: {value} samples",
        "lr_wsd_decay_iters": "wsd_decay_steps: {value} iters",
        "lr_wsd_decay_samples": "wsd_decay_steps: {value} samples",
        "override_opt_param_scheduler": "resume: override",
        "use_checkpoint_opt_param_scheduler": "resume: checkpoint",
        "decoupled_lr": "max_lr of a rule in groups",
        "decoupled_min_lr": "min_lr of a rule in groups",
    },
    "Megatron-DeepSpeed": {
        "lr_warmup_tokens": "lr_warmup_steps: {value} tokens",
        "lr_decay_tokens": "lr_decay_steps: {value} tokens",
    },
    "GPT-NeoX": {
        "warmup": "lr_warmup_steps: {percent}",
        "lr_decay_fraction": "lr_decay_steps: {percent} of run",
    },
    "transformers": {
        "learning_rate": "max_lr: {value}",
        "lr_scheduler_type": "lr_decay_style: {style}",
        "warmup_steps": "lr_warmup_steps: {value} iters",
        "warmup_ratio": "lr_warmup_steps: {percent}",
        "num_warmup_steps": "lr_warmup_steps: {value} iters",
        "warmup_type": "lr_warmup_style: {value}",
        "decay_type": "lr_wsd_decay_style: {style}",
        "num_decay_steps": "wsd_decay_steps: {value} iters",
        "max_steps": "train_iters: {value}",
        "num_training_steps": "train_iters: {value}",
        "num_train_epochs": "train_samples: {value} epochs",
        "min_lr_ratio": "min_lr: {percent}",
        "min_lr_rate": "min_lr: {percent}",
        "lr_end": "min_lr: {value}",
    },
    "axolotl": {"cosine_min_lr_ratio": "min_lr: {percent}", "lr_scheduler": "lr_decay_style: {style}"},
    "PyTorch": {
        "t_max": "lr_decay_steps: {value} iters",
        "eta_min": "min_lr: {value}",
        "total_steps": "train_iters: {value}",
        "total_iters": "lr_decay_steps: {value} iters",
        "initial_lr": "max_lr: {value}",
        "pct_start": "lr_warmup_steps: {percent}",
    },
    "NeMo": {"sched": "lr_decay_style: {style}"},
    "torchtitan": {
        "decay_ratio": "wsd_decay_steps: {percent}",
        "min_lr_factor": "min_lr: {percent}",
        "lr_min": "min_lr: {percent}",
        "seq_len": "seq_length: {value}",
        "steps": "train_iters: {value}",
    },
    "OLMo": {
        "scheduler": "lr_decay_style: {style}",
        "t_warmup": "lr_warmup_steps: {value} iters",
        "warmup_fraction": "lr_warmup_steps: {percent}",
        "warmup_min_lr": "init_lr: {value}",
        "decay_fraction": "wsd_decay_steps: {percent}",
        "alpha_f": "min_lr: {percent}",
    },
    "DeepSpeed": {
        "warmup_max_lr": "max_lr: {value}",
        "warmup_num_steps": "lr_warmup_steps: {value} iters",
        "total_num_steps": "train_iters: {value}",
        "cos_min_ratio": "min_lr: {percent}",
        "train_batch_size": "global_batch_size: {value}",
    },
    "fairseq": {
        "warmup_updates": "lr_warmup_steps: {value} iters",
        "warmup_init_lr": "init_lr: {value}",
        "total_num_update": "lr_decay_steps: {value} iters",
        "max_update": "train_iters: {value}",
        "end_learning_rate": "min_lr: {value}",
    },
    "nanotron": {"min_decay_lr": "min_lr: {value}", "train_steps": "train_iters: {value}"},
    "nanoGPT": {"warmup_iters": "lr_warmup_steps: {value} iters", "max_iters": "train_iters: {value}"},
    "LitGPT": {"max_tokens": "train_tokens: {value}"},
    "optax": {"peak_value": "max_lr: {value}", "init_value": "init_lr: {value}", "end_value": "min_lr: {value}"},
    "other code bases": {
        "peak_lr": "max_lr: {value}",
        "base_lr": "max_lr: {value}",
        "start_lr": "max_lr: {value}",
        "final_lr": "min_lr: {value}",
        "end_lr": "min_lr: {value}",
        "wd": "start_wd: {value}",
        "decay_iters": "lr_decay_steps: {value} iters",
        "batch_size": "global_batch_size: {value}",
        "sequence_length": "seq_length: {value}",
        "tokens": "train_tokens: {value}",
        "total_tokens": "train_tokens: {value}",
        "epochs": "train_samples: {value} epochs",
    },
}
"""Keys and flags of each code base, and what they are here; the first code base that has a name is used."""

_LR_STYLES = {
    "transformers": {
        "cosine_with_min_lr": "cosine, with min_lr",
        "cosine_warmup_with_min_lr": "cosine, with min_lr and first_update: 1",
        "cosine_with_restarts": "cosine-restarts, of the plugin schedframe-classic",
        "constant_with_warmup": "constant, with lr_warmup_steps",
        "inverse_sqrt": "inverse-square-root, or power-law, which has no end",
        "warmup_stable_decay": "WSD, with wsd_decay_steps",
        "reduce_lr_on_plateau": "",
        "greedy": "",
    },
    "PyTorch": {
        "cosineannealinglr": "cosine",
        "cosineannealingwarmrestarts": "cosine-restarts, of the plugin schedframe-classic",
        "onecyclelr": "one-cycle, of the plugin schedframe-classic",
        "polynomiallr": "polynomial",
        "exponentiallr": "each, with factor",
        "linearlr": "linear",
        "multisteplr": "multi-step",
        "steplr": "each, with stairs",
        "sequentiallr": "phases",
        "chainedscheduler": "product",
        "cycliclr": "triangular, of the plugin schedframe-classic",
        "reducelronplateau": "",
    },
    "NeMo": {
        "cosineannealing": "cosine",
        "noamannealing": "noam, of the plugin schedframe-classic",
        "inversesquarerootannealing": "inverse-square-root",
        "polynomialdecayannealing": "polynomial",
        "squareannealing": "polynomial, with power: 2 and floor: cut",
        "warmupannealing": "linear",
    },
    "torchtitan": {"sqrt": "minus_sqrt"},
    "OLMo": {
        "coswithwarmup": "cosine, with lr_warmup_steps",
        "cosine_with_warmup": "cosine, with lr_warmup_steps",
        "linearwithwarmup": "linear, with lr_warmup_steps",
        "linear_with_warmup": "linear, with lr_warmup_steps",
        "constantwithwarmup": "constant, with lr_warmup_steps",
        "invsqrtwithwarmup": "power-law, with floor: tend",
        "halfcoswithwarmup": "half-cosine, of the plugin schedframe-classic",
        "half_cos_with_warmup": "half-cosine, of the plugin schedframe-classic",
        "wsds": "wsd-s, of the plugin schedframe-wsds",
    },
    "llm-foundry": {
        "inv_sqrt_with_warmup": "power-law, with floor: tend",
        "linear_decay_with_warmup": "linear, with lr_warmup_steps",
    },
    "DeepSpeed": {
        "warmuplr": "constant, with lr_warmup_steps",
        "warmupdecaylr": "linear, with lr_warmup_steps",
        "warmupcosinelr": "cosine, with lr_warmup_steps",
        "lrrangetest": "range-test, of the plugin schedframe-classic",
    },
    "fairseq": {"fixed": "constant", "tri_stage": "tri-stage, of the plugin schedframe-classic"},
    "levanter": {"inv_sqrt": "inverse-square-root, or power-law, which has no end"},
    "timm": {"poly": "polynomial", "plateau": ""},
    "other code bases": {
        "none": "constant",
        "exponential_decay": "each, with factor",
        "rsqrt": "inverse-square-root, or power-law, which has no end",
        "trapezoid": "WSD, with lr_wsd_decay_style: linear",
        "trapezoidal": "WSD, with lr_wsd_decay_style: linear",
        "warmup_cosine": "cosine, with lr_warmup_steps",
    },
}
"""Learning-rate styles of each code base, and what they are here; empty for those that follow a metric."""

_WARMUPS = {
    "dion": "nanochat",
    "fairseq": "hf",
    "levanter": "hf",
    "lingua": "hf",
    "composer": "linear, with first_update: -1",
    "llm_foundry": "linear, with first_update: -1",
    "modded_nanogpt": "torchtitan; it has none at f411b3d",
    "olmo": "linear, with first_update: 1",
    "olmo_core": "linear, with first_update: 1",
    "optax": "hf",
    "torchtune": "hf",
    "verl": "hf",
}
"""Code bases, and the value of `lr_warmup_style` that is equal to their warmup."""

_UNITS = {
    "steps": "a plain number counts the scheduler's steps, and iterations of training are `iters`",
    "updates": "optimizer updates are `iters`",
    "batches": "batches are `iters`",
    "ba": "batches are `iters`",
    "sp": "samples are `samples`",
    "tok": "tokens are `tokens`",
    "ep": "epochs are `epochs`",
}
"""Units of other code bases."""

PLUGINS = {
    "schedframe-classic": (
        "chebyshev",
        "cosine-cycles",
        "cosine-power",
        "cosine-restarts",
        "half-cosine",
        "k-decay",
        "noam",
        "one-cycle",
        "range-test",
        "tanh",
        "tanh-decay",
        "tri-stage",
        "triangular",
    ),
    "schedframe-cooldowns": ("exponential-to", "half-life", "harmonic", "mirror-cosine"),
    "schedframe-infinite": ("infinite",),
    "schedframe-power": ("power",),
    "schedframe-rex": ("rex",),
    "schedframe-wsds": ("wsd-s",),
}
"""The distributions that are developed beside schedframe, and their learning-rate styles."""


def hint_for_key(key: str, value: object) -> str:
    """Return what the unknown `key` with `value` is here, as a sentence without its subject; empty if that is unknown.

    A hyphen is equal to an underscore, and capitals to small letters, as in all functions of this file.
    """
    whose, here = _found(key, _KEYS)
    if not whose:
        return ""
    if value is False:
        return f"is a name of {whose}; remove it"
    text = _short(value)
    words = {"value": text, "percent": _percentage(text), "style": _here(text)}
    exact = here.format(**words) if text or "{" not in here else here.partition(":")[0]
    return f"is a name of {whose}; in schedframe it is {f'`{exact}`' if ': ' in here else exact}"


def hint_for_lr_style(name: str) -> str:
    """Return what the unknown learning-rate style `name` is here, as a sentence; empty if that is unknown."""
    whose, here = _found(name, _LR_STYLES)
    if whose:
        if not here:
            return f"{whose} has it, and it follows a metric; the styles of schedframe depend on the step alone"
        return f"that is a name of {whose}; in schedframe it is {here}"
    plugin = next((plugin for plugin, styles in PLUGINS.items() if name in styles), "")
    return f"it comes from the plugin {plugin}: pip install {plugin}" if plugin else ""


def hint_for_warmup(name: str) -> str:
    """Return the warmup that is equal to that of the code base `name`; empty if that is unknown."""
    return _WARMUPS.get(_folded(name), "")


def hint_for_unit(name: str) -> str:
    """Return what the unknown unit `name` is here; empty if that is unknown."""
    return _UNITS.get(_folded(name), "")


def _found(name: str, names: Mapping[str, Mapping[str, str]]) -> tuple[str, str]:
    """Return the first code base that has `name`, and what that is here; two empty texts where none has it."""
    folded = _folded(name)
    return next(((whose, words[folded]) for whose, words in names.items() if folded in words), ("", ""))


def _here(style: str) -> str:
    """Return the name of the style that another code base calls `style`; `style` itself where that is unknown."""
    return re.split("[ ,]", _found(style, _LR_STYLES)[1] or style)[0]


def _short(value: object) -> str:
    """Return a number or a short text as a config has it; empty for everything else."""
    is_scalar = isinstance(value, int | float | str) and not isinstance(value, bool)
    text = str(value) if is_scalar else ""
    return text if len(text) <= _LONGEST and text.isprintable() else ""


def _percentage(text: str) -> str:
    try:
        return f"{100 * float(text):g}%"
    except ValueError:
        return text


def _folded(name: str) -> str:
    return name.lstrip("-").replace("-", "_").lower()
