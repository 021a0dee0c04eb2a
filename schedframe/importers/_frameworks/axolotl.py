"""axolotl: its YAML.

Warmup lengths are those of ``_configure_warmup_and_logging`` in
axolotl-ai-cloud/axolotl:src/axolotl/core/builders/base.py, the schedules those of its core/trainers/mixins/scheduler.py
and utils/schedulers.py, at v0.19.0; all others are transformers'.
"""

from math import ceil

from schedframe.importers._draft import Draft
from schedframe.importers._frameworks import hf
from schedframe.importers._frameworks.words import constant_weight_decay, iters, percent, warm_up, whole_run
from schedframe.importers._importer import Importer
from schedframe.importers._source import Source

_OTHER_RATES = ("embedding_lr", "embedding_lr_scale", "loraplus_lr_ratio", "lr_groups", "lisa_step_interval")
_RESTARTS = ("jagged_restart_steps", "relora_steps", "relora")
_NOT_WRITTEN = {
    "one_cycle": "is torch's OneCycleLR, which is not imported; the plugin schedframe-classic has one-cycle",
    "rex": "is one step ahead, and its curve comes from the plugin schedframe-rex; write it by hand",
}


def recognises(source: Source) -> bool:
    """Return whether `source` has axolotl's keys."""
    return source.has("base_model") and (source.has("micro_batch_size") or source.has("datasets"))


def convert(draft: Draft) -> None:
    """Put what the YAML declares into `draft`.

    Raises:
        ConfigError: a value is wrong, or param groups have other learning rates, or the schedule cannot be written.
    """
    for names, fault in (
        (_OTHER_RATES, "gives some parameters another learning rate, which is not imported"),
        (_RESTARTS, "restarts the schedule, which is not imported"),
    ):
        for name in names:
            if draft.source.get(name) not in (None, False, []):
                raise draft.error(name, fault)
    name = draft.text("lr_scheduler", "cosine")
    if name in _NOT_WRITTEN:
        raise draft.error("lr_scheduler", _NOT_WRITTEN[name])
    rate = draft.number("learning_rate")
    if rate is None:
        rate = draft.ask("max_lr", "has no learning_rate")
    quadratic = draft.flag("lr_quadratic_warmup")
    least = draft.number("cosine_min_lr_ratio")
    if name == "cosine" and (quadratic or least):
        _cosine(draft, rate, is_quadratic=bool(quadratic), least=None if quadratic else least)
    else:
        steps = _warmup(draft, _run(draft, rate))
        hf.write_named(draft, "lr_scheduler", name, *steps)
    constant_weight_decay(draft, "weight_decay", 0.0)


def _run(draft: Draft, rate: float) -> int:
    draft.put("max_lr", rate, "learning_rate")
    return whole_run(draft, "max_steps", why="has no max_steps, and num_epochs needs the size of the dataset")


def _warmup(draft: Draft, run: int) -> tuple[int, int, tuple[str, ...]]:
    """Return the run, the steps of its warmup, and the keys that give them."""
    steps, path = draft.number("warmup_steps"), "warmup_steps"
    if steps is None:
        share, path = draft.number("warmup_ratio"), "warmup_ratio"
        steps = min(int(0.03 * run), 100) if share is None else max(int(share * run), 0)
        if share is None:
            draft.assume(f"no warmup is given, and it is {steps} iterations by default in {draft.title}")
    if steps < 0:
        raise draft.error(path, "must not be negative")
    if steps == 1:
        draft.assume(f"a warmup of 1 iteration is made 2 by {draft.title}")
        steps = 2
    return run, (int(steps) if steps >= 1 else ceil(run * steps)), (path,)


def _cosine(draft: Draft, rate: float, *, is_quadratic: bool, least: float | None) -> None:
    """Set axolotl's own cosines: with a quadratic warmup, or with a min LR."""
    run, steps, paths = _warmup(draft, _run(draft, rate))
    warm_up(draft, steps, run, *paths)
    draft.put("lr_decay_style", "cosine", "lr_scheduler")
    if is_quadratic:
        draft.put("lr_warmup_style", "quadratic", "lr_quadratic_warmup")
        return
    if least is None or not 0 <= least <= 1:
        raise draft.error("cosine_min_lr_ratio", "must lie between 0 and 1")
    draft.put("min_lr", percent(least), "cosine_min_lr_ratio")
    share = draft.number("cosine_constant_lr_ratio")
    if share:
        if not 0 <= share <= 1:
            raise draft.error("cosine_constant_lr_ratio", "must lie between 0 and 1")
        draft.put("lr_decay_steps", iters(int(run * share)), "cosine_constant_lr_ratio")


IMPORTER = Importer("axolotl", "axolotl 0.19 with transformers", recognises, convert)
"""The importer of axolotl."""
