"""verl: the overrides of a command such as ``python -m verl.trainer.main_ppo``, or the config that Hydra writes.

With FSDP the schedulers are those of verl/utils/torch_functional.py, created in verl/workers/fsdp_workers.py and
verl/workers/engine/fsdp/transformer_impl.py; with Megatron the class is Megatron Core's, created in
verl/utils/megatron/optimizer.py. Defaults are those of verl/trainer/config in verl 0.9.1; the older SFT trainer is that
of volcengine/verl at b178a3cd5. Each scheduler is stepped once in a step of the trainer, which may update the
parameters several times.
"""

import re
from typing import Any

from schedframe.importers._command import Command, find_commands
from schedframe.importers._draft import Draft
from schedframe.importers._frameworks.words import constant_weight_decay, iters, percent, warm_up, whole_run
from schedframe.importers._importer import Importer
from schedframe.importers._overrides import read_overrides
from schedframe.importers._source import Source

_ACTOR, _CRITIC, _SFT = "actor_rollout_ref.actor.optim", "critic.optim", "optim"
_RATES = {_ACTOR: 1e-6, _CRITIC: 1e-5, _SFT: None}
"""The default learning rate of each optimizer; those of the trainers for supervised fine-tuning differ."""

_RUN = "trainer.total_training_steps"
_STRATEGIES = ("actor_rollout_ref.actor.strategy", "critic.strategy", "engine.strategy", "model_engine")
_OF_FSDP = ("lr_scheduler_type", "warmup_style", "min_lr_ratio", "num_cycles", "lr_scheduler", "zero_indexed_step")
_OF_MEGATRON = (
    "lr_decay_style",
    "lr_decay_steps",
    "lr_warmup_init",
    "min_lr",
    "lr_wsd_decay_style",
    "lr_wsd_decay_steps",
    "use_checkpoint_opt_param_scheduler",
)
_SIGN = re.compile(rf"verl\.\w[\w.]*\.(main_ppo|\w*sft_trainer\w*)$|\+*{re.escape(_ACTOR)}\.")
"""A word that shows a command with a schedule: the trainer, or an override of the actor's optimizer."""

_NEEDED = "is needed, because its default depends on the trainer"
_STABLE = 0.9
"""How much of what the warmup leaves the ``wsd`` of the older SFT trainer stays at the max LR."""


def recognises(source: Source) -> bool:
    """Return whether a script has a command of verl, or a config the optimizer of its actor."""
    return bool(find_commands(source, _is_meant)) or source.has(_ACTOR)


def convert(draft: Draft) -> None:
    """Put the schedule of the actor into `draft`, or that of the model for supervised fine-tuning.

    Raises:
        ConfigError: a value is wrong, or missing, or belongs to another backend.
    """
    _read(draft)
    base = _SFT if draft.source.has(_SFT) and not draft.source.has(_ACTOR) else _ACTOR
    if base == _ACTOR and draft.source.has(_CRITIC):
        draft.assume("critic.optim is a schedule of its own; import it with --from verl-critic")
    _convert(draft, base)


def convert_critic(draft: Draft) -> None:
    """Put the schedule of the critic into `draft`.

    Raises:
        ConfigError: as `convert`.
    """
    _read(draft)
    _convert(draft, _CRITIC)


def _is_meant(command: Command) -> bool:
    return any(word.text is not None and _SIGN.match(word.text) for word in command.words)


def _concerns(path: str) -> bool:
    return path.rpartition(".")[0] in _RATES or path in (_RUN, *_STRATEGIES)


def _read(draft: Draft) -> None:
    if draft.source.script is not None:
        draft.source, notes = read_overrides(draft.source, _is_meant, _concerns, "verl")
        for note, line in notes.items():
            draft.assume(f"{note} (line {line})")
    config = draft.source.get("config_name")
    if isinstance(config, str):
        draft.assume(f"the config {config} sets nothing of the schedule")


def _convert(draft: Draft, base: str) -> None:
    is_megatron = _is_megatron(draft, base)
    for key in _OF_FSDP if is_megatron else _OF_MEGATRON:
        if draft.source.has(f"{base}.{key}"):
            used, other = ("Megatron", "FSDP") if is_megatron else ("FSDP", "Megatron")
            raise draft.error(f"{base}.{key}", f"is read with {other} alone, and the model is trained with {used}")
    rate = draft.number(f"{base}.lr", _RATES[base])
    if rate is None:
        rate = draft.ask("max_lr", f"has no {base}.lr, whose default depends on the trainer")
    draft.put("max_lr", rate, f"{base}.lr")
    run = whole_run(draft, _RUN, why=f"has no {_RUN}; the trainer logs its total training steps")
    draft.assume("a step is one of the trainer's, which may update the parameters several times")
    if is_megatron:
        _write_megatron(draft, base, run)
    else:
        _write_fsdp(draft, base, run)
    constant_weight_decay(draft, f"{base}.weight_decay", 0.01)


def _is_megatron(draft: Draft, base: str) -> bool:
    strategies = [draft.source.get(path) for path in _STRATEGIES]
    given = next((name for name in strategies if isinstance(name, str)), "")
    signs = (given, str(draft.source.get("config_name") or ""), str(draft.source.get(f"{base}._target_") or ""))
    return any("megatron" in sign.lower() or "mcore" in sign.lower() for sign in signs)


def _warmup(draft: Draft, base: str, run: int) -> int:
    """Return the steps of the warmup: a count, or a share of `run`."""
    count, share = draft.number(f"{base}.lr_warmup_steps"), draft.number(f"{base}.lr_warmup_steps_ratio")
    if count is not None and count > 0:
        return int(count)
    if count == 0 and share:
        fault = "is 0 beside lr_warmup_steps_ratio, of which versions of verl use one or the other; leave one out"
        raise draft.error(f"{base}.lr_warmup_steps", fault)
    if base == _SFT and count is None and share is None:
        raise draft.error(
            f"{base}.lr_warmup_steps_ratio", f"{_NEEDED}; give it with --set {base}.lr_warmup_steps_ratio=VALUE"
        )
    return int((share or 0.0) * run)


def _write_fsdp(draft: Draft, base: str, run: int) -> None:
    paths = (f"{base}.lr_warmup_steps", f"{base}.lr_warmup_steps_ratio")
    warmup = _warmup(draft, base, run)
    warm_up(draft, warmup, run, *paths)
    path = next((f"{base}.{key}" for key in _OF_FSDP[:2] if draft.source.has(f"{base}.{key}")), None)
    older = f"{base}.lr_scheduler"
    name = draft.text(path or older, None if path else _default(draft, base, older))
    if name not in ("constant", "cosine", "wsd") or (name == "wsd" and path):
        raise draft.error(path or older, "is not one of constant and cosine")
    style: Any = name
    if name != "constant":
        draft.put("min_lr", percent(draft.number(f"{base}.min_lr_ratio") or 0.0), f"{base}.min_lr_ratio")
    if name == "wsd":
        left = max(0, run - warmup)
        cooldown = left - int(left * _STABLE)
        style = {"style": "WSD", "wsd_decay_steps": iters(cooldown), "lr_wsd_decay_style": "cosine"}
    if name == "cosine":
        style = _cosine(draft, base)
    draft.put("lr_decay_style", style, path or older, f"{base}.num_cycles")


def _cosine(draft: Draft, base: str) -> Any:
    """Return the style of the cosine, which may have cycles, and may be one step ahead."""
    if draft.flag(f"{base}.zero_indexed_step") is False:
        draft.put("first_update", 1, f"{base}.zero_indexed_step")
    cycles = draft.number(f"{base}.num_cycles")
    if cycles in (None, 0.5):
        return "cosine"
    draft.assume("cosine-cycles is a style of the distribution schedframe-classic, which must be installed")
    return {"style": "cosine-cycles", "cycles": cycles}


def _default(draft: Draft, base: str, older: str) -> str:
    """Return the default scheduler: the trainers of reinforcement learning have a constant, the older SFT a cosine."""
    if base == _SFT and not draft.source.has(older):
        fault = (
            "is needed, because its default depends on the trainer; give it with --set optim.lr_scheduler_type=VALUE"
        )
        raise draft.error(f"{base}.lr_scheduler_type", fault)
    return "constant"


def _write_megatron(draft: Draft, base: str, run: int) -> None:
    end = draft.count(f"{base}.lr_decay_steps") or run
    warmup = _warmup(draft, base, end)
    draft.put("min_lr", draft.number(f"{base}.min_lr", 0.0), f"{base}.min_lr")
    draft.put("init_lr", draft.number(f"{base}.lr_warmup_init", 0.0), f"{base}.lr_warmup_init")
    if warmup:
        draft.put("lr_warmup_steps", iters(warmup), f"{base}.lr_warmup_steps", f"{base}.lr_warmup_steps_ratio")
    if end != run:
        draft.put("lr_decay_steps", iters(end), f"{base}.lr_decay_steps")
    style: Any = draft.text(f"{base}.lr_decay_style", "constant")
    if style == "WSD":
        cooldown = draft.count(f"{base}.lr_wsd_decay_steps")
        if cooldown is None:
            raise draft.error(f"{base}.lr_decay_style", "needs lr_wsd_decay_steps")
        curve = draft.text(f"{base}.lr_wsd_decay_style", "exponential")
        style = {"style": "WSD", "wsd_decay_steps": iters(cooldown), "lr_wsd_decay_style": curve}
    draft.put("lr_decay_style", style, f"{base}.lr_decay_style")


IMPORTER = Importer("verl", "verl 0.9.1", recognises, convert)
"""The importer of verl."""
