"""What is imported, with the code of the frameworks that are installed, at every update."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from schedframe._files.config.yaml import parse

from ..importers import (
    test_deepspeed,
    test_hf,
    test_hf_family,
    test_llm_foundry,
    test_nanotron,
    test_nemo,
    test_olmo_core,
    test_torchtitan,
)
from ..importers.imports import assert_equal, schedule_of, some_updates


def optimizer(lr: float) -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)


def rates(steps: int, stepped: torch.optim.Optimizer, scheduler: Any) -> list[float]:
    """Return the learning rate of each update, after each of which the scheduler is stepped."""
    found = []
    for _ in range(steps):
        found.append(float(stepped.param_groups[0]["lr"]))
        stepped.step()
        scheduler.step()
    return found


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", test_hf.CASES)
def test_transformers(name: str, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="needs transformers")
    arguments, run, peak, _ = test_hf.CASES[name]
    (tmp_path / "args.json").write_text(json.dumps({**test_hf.BASE, **arguments}))
    given = {key: value for key, value in arguments.items() if key not in ("learning_rate", "warmup_ratio")}
    if "warmup_ratio" in arguments and "warmup_steps" not in given:
        given["warmup_steps"] = arguments["warmup_ratio"]
    made = transformers.TrainingArguments(output_dir=str(tmp_path / "out"), learning_rate=peak, use_cpu=True, **given)
    stepped = optimizer(peak)
    scheduler = transformers.get_scheduler(
        made.lr_scheduler_type, stepped, made.get_warmup_steps(run), run, made.lr_scheduler_kwargs
    )
    theirs = rates(run, stepped, scheduler)
    assert_equal(schedule_of(tmp_path / "args.json"), theirs.__getitem__, run, peak)


@pytest.mark.parametrize("kind", ["cosine", "warmup_stable_decay"])
def test_training_args_bin_of_transformers(kind: str, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="needs transformers")
    options = {"lr_scheduler_kwargs": {"num_decay_steps": 20}} if kind != "cosine" else {}
    made = transformers.TrainingArguments(
        output_dir=str(tmp_path / "out"),
        learning_rate=3e-5,
        lr_scheduler_type=kind,
        max_steps=100,
        warmup_steps=10,
        use_cpu=True,
        **options,
    )
    torch.save(made, tmp_path / "training_args.bin")
    stepped = optimizer(3e-5)
    scheduler = transformers.get_scheduler(made.lr_scheduler_type, stepped, 10, 100, made.lr_scheduler_kwargs)
    theirs = rates(100, stepped, scheduler)
    assert_equal(schedule_of(tmp_path / "training_args.bin"), theirs.__getitem__, 100, 3e-5)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", test_torchtitan.CASES)
def test_torchtitans_container(name: str, tmp_path: Path) -> None:
    module = pytest.importorskip("torchtitan.components.optimizer.lr_scheduler", reason="needs torchtitan")
    text, _ = test_torchtitan.CASES[name]
    (tmp_path / "train.toml").write_text(test_torchtitan.HEAD + text)
    schedule = schedule_of(tmp_path / "train.toml")
    parsed: dict[str, Any] = {}
    table: dict[str, Any] = {}
    for row in text.splitlines():
        if row.startswith("["):
            table = parsed.setdefault(row.strip("[]"), {})
        else:
            key, _, value = row.partition(" = ")
            table[key] = json.loads(value.replace("1_500", "1500"))
    options = parsed.get("lr_scheduler", {})
    if "lr_min" in options:
        options["min_lr_factor"] = options.pop("lr_min")
    stepped = optimizer(parsed["optimizer"]["lr"])
    run = parsed["training"]["steps"]
    container = module.LRSchedulersContainer.Config(**options).build(optimizers=[stepped], training_steps=run)
    theirs = rates(run, stepped, container)
    assert_equal(schedule, theirs.__getitem__, run, parsed["optimizer"]["lr"])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", test_olmo_core.CASES)
def test_olmo_cores_schedulers(name: str, tmp_path: Path) -> None:
    module = pytest.importorskip("olmo_core.optim.scheduler", reason="needs ai2-olmo-core")
    options, steps, peak, _ = test_olmo_core.CASES[name]
    (tmp_path / "config.json").write_text(test_olmo_core.config(options, steps, peak))
    schedule = schedule_of(tmp_path / "config.json")
    scheduler = olmo_cores(module, options)
    assert_equal(schedule, lambda update: scheduler.get_lr(peak, update + 1, steps), steps, peak)


def olmo_cores(module: Any, options: dict[str, Any]) -> Any:
    """Return the scheduler of OLMo-core that a config declares."""
    kind = str(options.get("_CLASS_", "WSD")).rpartition(".")[2]
    arguments = {key: value for key, value in options.items() if key not in ("_CLASS_", "type", "units")}
    if "stages" in arguments:
        arguments["stages"] = [module.ComposableSchedulerStage(**stage) for stage in arguments["stages"]]
    if "schedulers" in arguments:
        arguments["schedulers"] = [olmo_cores(module, one) for one in arguments["schedulers"]]
    return getattr(module, kind)(**arguments)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", test_olmo_core.PUBLISHED)
def test_published_configs_of_olmo_core(name: str, tmp_path: Path) -> None:
    module = pytest.importorskip("olmo_core.optim.scheduler", reason="needs ai2-olmo-core")
    scheduler, peak, _, _ = test_olmo_core.PUBLISHED[name]
    made = olmo_cores(module, scheduler)
    test_olmo_core.published(name, tmp_path, lambda position, end: made.get_lr(peak, position, end))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [*test_deepspeed.CASES, *test_deepspeed.PUBLISHED])
def test_deepspeeds_schedulers(name: str, tmp_path: Path) -> None:
    module = pytest.importorskip("deepspeed.runtime.lr_schedules", reason="needs deepspeed")
    if name in test_deepspeed.CASES:
        (kind, params, run), peak = test_deepspeed.CASES[name], 1e-3
    else:
        kind, params, peak, run = test_deepspeed.PUBLISHED[name]
    schedule = test_deepspeed.converted(tmp_path, kind, params, run, peak)
    stepped = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=peak)
    theirs = rates(run, stepped, getattr(module, kind)(stepped, **params))
    for update in some_updates(run, params.get("warmup_num_steps", 0)):
        assert abs(schedule.lr_at(update) - theirs[update]) <= 1e-14 * schedule.max_lr


def composers(module: Any, text: str, max_duration: str, peak: float) -> Callable[[int], float]:
    """Return the learning rates that Composer's scheduler gives, by the update, where batches are counted."""
    from composer.core import Time, Timestamp

    rows = dict(
        row.strip().split(": ") for row in text.split("scheduler:\n")[1].split("optimizer:")[0].splitlines() if row
    )
    kinds = {
        "cosine_with_warmup": module.CosineAnnealingWithWarmupScheduler,
        "linear_decay_with_warmup": module.LinearWithWarmupScheduler,
        "constant_with_warmup": module.ConstantWithWarmupScheduler,
    }
    kind = kinds[rows.pop("name")]
    scheduler = kind(**{key: value if key.startswith("t_") else float(value) for key, value in rows.items()})

    class State:
        timestamp = Timestamp()
        dataloader_len = Time.from_timestring("1000ba")

    State.max_duration = Time.from_timestring(max_duration)

    def lr(update: int) -> float:
        State.timestamp = Timestamp(batch=max(update - 1, 0))
        return float(peak * scheduler(State()))

    return lr


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [*test_llm_foundry.CASES, *test_llm_foundry.PUBLISHED])
def test_composers_schedulers(name: str, tmp_path: Path) -> None:
    module = pytest.importorskip("composer.optim.scheduler", reason="needs mosaicml")
    text, run, (peak, warmup, *_) = {**test_llm_foundry.CASES, **test_llm_foundry.PUBLISHED}[name]
    (tmp_path / "train.yaml").write_text(text)
    schedule = schedule_of(tmp_path / "train.yaml", **({"train_iters": run} if "ep\n" in text else {}))
    lr = composers(module, text, f"{run}ba", peak)
    for update in some_updates(run, warmup):
        assert abs(schedule.lr_at(update) - lr(update)) <= 1e-14 * peak


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [*test_nanotron.CASES, *test_nanotron.PUBLISHED, *test_nanotron.COLD])
def test_nanotrons_scheduler(name: str, tmp_path: Path) -> None:
    module = pytest.importorskip("nanotron.helpers", reason="needs nanotron")
    text, run, (peak, warmup, start, steps, *_) = {
        **test_nanotron.CASES,
        **test_nanotron.PUBLISHED,
        **test_nanotron.COLD,
    }[name]
    (tmp_path / "config.yaml").write_text(text)
    schedule = schedule_of(tmp_path / "config.yaml")
    arguments = SimpleNamespace(**parse(text).data["optimizer"]["learning_rate_scheduler"])
    stepped = optimizer(peak)
    wrapped = SimpleNamespace(get_base_optimizer=lambda: stepped)
    factor = module.lr_scheduler_builder(wrapped, arguments, run).lr_lambdas[0]
    for step in some_updates(run, warmup, start, start + steps):
        assert abs(schedule.lr_at(step) - peak * factor(step)) <= 1e-14 * peak


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [*test_nemo.NAMED, *test_nemo.PUBLISHED])
def test_nemos_schedulers(name: str, tmp_path: Path) -> None:
    module = pytest.importorskip("nemo.core.optim.lr_scheduler", reason="needs nemo_toolkit")
    kind, sched, run, peak, _ = {**test_nemo.NAMED, **test_nemo.PUBLISHED}[name]
    (tmp_path / "asr.yaml").write_text(test_nemo.named(kind, run, peak, **sched))
    schedule = schedule_of(tmp_path / "asr.yaml")
    scheduler = module.AVAILABLE_SCHEDULERS[kind](optimizer(peak), **{"max_steps": run, **sched})
    for update in some_updates(run, *test_nemo.landmarks(sched, run)):
        scheduler.last_epoch = update
        assert abs(schedule.lr_at(update) - scheduler.get_lr()[0]) <= 1e-13 * schedule.max_lr, update


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [name for name in test_hf_family.PUBLISHED if name.startswith("huggingface")])
def test_published_configs_of_the_alignment_handbook(name: str, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="needs transformers")
    _, text, run, peak, _ = test_hf_family.PUBLISHED[name]
    (tmp_path / "config.yaml").write_text(text)
    given = parse(text).data
    share = given.get("warmup_steps", given.get("warmup_ratio"))
    kind, options = given["lr_scheduler_type"], given.get("lr_scheduler_kwargs")
    made = transformers.TrainingArguments(output_dir=str(tmp_path / "out"), warmup_steps=share, use_cpu=True)
    stepped = optimizer(peak)
    scheduler = transformers.get_scheduler(kind, stepped, made.get_warmup_steps(run), run, options)
    theirs = rates(run, stepped, scheduler)
    assert_equal(schedule_of(tmp_path / "config.yaml", train_iters=run), theirs.__getitem__, run, peak)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "name", [name for name in (*test_hf_family.CASES, *test_hf_family.PUBLISHED) if name.startswith("axolotl")]
)
def test_axolotls_schedulers(name: str, tmp_path: Path) -> None:
    module = pytest.importorskip("axolotl.utils.schedulers", reason="needs axolotl")
    from transformers import get_scheduler

    _, text, run, peak, _ = {**test_hf_family.CASES, **test_hf_family.PUBLISHED}[name]
    (tmp_path / "config.yaml").write_text(text)
    schedule = schedule_of(tmp_path / "config.yaml", **({} if "max_steps" in text else {"train_iters": run}))
    given = parse(text).data
    warmup = given.get("warmup_steps", int(given.get("warmup_ratio", 0.03) * run))
    warmup = 2 if warmup == 1 else warmup
    kind, least, stepped = given.get("lr_scheduler", "cosine"), given.get("cosine_min_lr_ratio"), optimizer(peak)
    lengths = {"num_warmup_steps": warmup, "num_training_steps": run}
    if kind == "rex":
        scheduler = module.RexLR(stepped, peak, peak * (least or 0.0), run, warmup)
    elif kind == "one_cycle":
        options = {"pct_start": warmup / run, "anneal_strategy": "cos", **given.get("lr_scheduler_kwargs", {})}
        scheduler = torch.optim.lr_scheduler.OneCycleLR(stepped, peak, total_steps=run, cycle_momentum=False, **options)
    elif given.get("lr_quadratic_warmup"):
        scheduler = module.get_cosine_schedule_with_quadratic_warmup(stepped, **lengths)
    elif least and given.get("cosine_constant_lr_ratio"):
        held = {"min_lr_ratio": least, "constant_lr_ratio": given["cosine_constant_lr_ratio"]}
        scheduler = module.get_cosine_schedule_with_warmup_decay_constant(stepped, **lengths, **held)
    elif least:
        scheduler = module.get_cosine_schedule_with_min_lr(stepped, **lengths, min_lr_ratio=least)
    else:
        scheduler = get_scheduler(kind, stepped, warmup, run)
    theirs = []
    for update in range(run):
        theirs.append(float(stepped.param_groups[0]["lr"]))
        stepped.step()
        if update + 1 < run:
            scheduler.step()
    assert_equal(schedule, theirs.__getitem__, run, peak)
