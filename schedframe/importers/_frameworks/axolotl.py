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
_KWARGS = "lr_scheduler_kwargs"
_CYCLE = ("pct_start", "anneal_strategy", "div_factor", "final_div_factor", "three_phase")


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
    rate = draft.number("learning_rate")
    if rate is None:
        rate = draft.ask("max_lr", "has no learning_rate")
    quadratic = draft.flag("lr_quadratic_warmup")
    least = draft.number("cosine_min_lr_ratio")
    if name == "one_cycle":
        _one_cycle(draft, rate)
    elif name == "rex":
        _rex(draft, rate, least)
    elif name == "cosine" and (quadratic or least):
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


def _one_cycle(draft: Draft, rate: float) -> None:
    """Set torch's ``OneCycleLR``, which rises for as long as the warmup is."""
    run, steps, paths = _warmup(draft, _run(draft, rate))
    draft.table(_KWARGS, _CYCLE)
    share = draft.number(f"{_KWARGS}.pct_start")
    share = steps / run if share is None else share
    if share * run <= 1:
        where = next(filter(draft.source.has, (f"{_KWARGS}.pct_start", *paths)), "lr_scheduler")
        raise draft.error(where, "leaves no rise; OneCycleLR needs more than 1 iteration")
    shape = draft.text(f"{_KWARGS}.anneal_strategy") or "cos"
    if shape not in ("cos", "linear"):
        raise draft.error(f"{_KWARGS}.anneal_strategy", "must be cos or linear")
    style = {
        "style": "one-cycle",
        "pct_start": share,
        "shape": "cosine" if shape == "cos" else "linear",
    }
    for key in ("div_factor", "final_div_factor"):
        if draft.source.has(f"{_KWARGS}.{key}"):
            style[key] = draft.number(f"{_KWARGS}.{key}")
    if draft.flag(f"{_KWARGS}.three_phase"):
        style["three_phase"] = True
    draft.put("lr_decay_style", style, "lr_scheduler", *paths, _KWARGS)
    draft.assume("one-cycle is a style of the distribution schedframe-classic, which must be installed")


def _rex(draft: Draft, rate: float, least: float | None) -> None:
    """Set ``RexLR``, which is one step ahead, with the beta of its code."""
    run, steps, paths = _warmup(draft, _run(draft, rate))
    warm_up(draft, steps, run, *paths)
    if least is not None:
        if not 0 <= least <= 1:
            raise draft.error("cosine_min_lr_ratio", "must lie between 0 and 1")
        draft.put("min_lr", percent(least), "cosine_min_lr_ratio")
    draft.put("lr_decay_style", {"style": "rex", "beta": 0.9}, "lr_scheduler")
    draft.put("first_update", 1, "lr_scheduler")
    draft.assume("this scheduler of axolotl is one step ahead, which is first_update: 1")
    draft.assume("rex is a style of the distribution schedframe-rex, which must be installed")


IMPORTER = Importer("axolotl", "axolotl 0.19 with transformers", recognises, convert)
"""The importer of axolotl."""
