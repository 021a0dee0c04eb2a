"""Megatron-Bridge: its configuration, its optimizer with its scheduler, and the schedulers of MIMO."""

import ast
import inspect
import typing
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from trial import BATCH, ITERATIONS, MAX_LR, MIN_LR, WARMUP, Framework, StandIns, lines


class MegatronBridge(Framework):
    """Its configuration checks no style."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def replace(self) -> None:
        exec(lines("megatron-bridge"), {})

    def build(self, said: Mapping[str, Any]) -> tuple[Any, Any]:
        from megatron.bridge.training.optim import setup_optimizer

        config = _configured(said)
        return setup_optimizer(config.optimizer, config.scheduler, [self.model])

    def step(self, scheduler: Any) -> None:
        scheduler.step(increment=BATCH)

    def save(self, folder: str, optimizer: Any, scheduler: Any) -> None:
        from megatron.core import dist_checkpointing

        dist_checkpointing.save(self._state(optimizer, scheduler, is_loading=False), folder)

    def load(self, folder: str, optimizer: Any, scheduler: Any) -> None:
        from megatron.core import dist_checkpointing

        state = dist_checkpointing.load(self._state(optimizer, scheduler, is_loading=True), folder)
        optimizer.load_state_dict(state["optimizer"])
        scheduler.load_state_dict(state["opt_param_scheduler"])

    def _state(self, optimizer: Any, scheduler: Any, *, is_loading: bool) -> dict[str, Any]:
        from megatron.bridge.training.checkpointing import generate_state_dict
        from megatron.bridge.training.config import CheckpointConfig

        config = CheckpointConfig(save_rng=False)
        options = {"is_loading": is_loading}
        return generate_state_dict(config, [self.model.module], optimizer, scheduler, None, optim_sd_kwargs=options)

    def ask(self, optimizer: Any, scheduler: Any) -> list[str]:
        scheduler.step(increment=5 * BATCH)
        # As NeMo-RL, whose optimizer and scheduler Bridge sets up.
        group = optimizer.param_groups[0]
        assert (scheduler.get_lr(group), scheduler.get_wd() * group["wd_mult"]) == (group["lr"], group["weight_decay"])
        return [self._mimo()]

    def _mimo(self) -> str:
        from megatron.bridge.training.optim import setup_optimizer

        from schedframe import OptimizerParamScheduler

        exec(lines("megatron-bridge, MIMO"), {})
        config = _configured({"lr": "rex"})
        optimizers = [setup_optimizer(config.optimizer, config.scheduler, [self.model])[0] for _ in range(2)]
        infos = {
            name: SimpleNamespace(is_active=True, optimizer=one) for name, one in zip("ab", optimizers, strict=True)
        }
        first, second = _schedulers_of_mimo(optimizer=SimpleNamespace(module_infos=infos), cfg=config).values()
        for one in (first, second):
            assert isinstance(one, OptimizerParamScheduler), f"MIMO built a scheduler of {type(one).__module__}"
        first.step(increment=5 * BATCH)
        second.load_state_dict(first.state_dict())
        assert first.get_lr(first.optimizer.param_groups[0]) == second.optimizer.param_groups[0]["lr"]
        return "MIMO's schedulers too"


def _configured(said: Mapping[str, Any]) -> Any:
    from megatron.bridge.training.config import ConfigContainer, OptimizerConfig, SchedulerConfig, TrainingConfig

    decay = {"start_weight_decay": 0.01, "end_weight_decay": 0.1} if "wd" in said else {}
    config = SimpleNamespace(
        train=TrainingConfig(train_iters=ITERATIONS, global_batch_size=BATCH, micro_batch_size=1),
        optimizer=OptimizerConfig(lr=MAX_LR, min_lr=MIN_LR, weight_decay=0.1, optimizer="adam"),
        scheduler=SchedulerConfig(
            lr_decay_style=said["lr"],
            lr_wsd_decay_style=said.get("tail", "exponential"),
            lr_wsd_decay_iters=5,
            lr_warmup_iters=WARMUP,
            weight_decay_incr_style=said.get("wd", "constant"),
            **{"start_weight_decay": 0.1, "end_weight_decay": 0.1, **decay},
        ),
    )
    config.train.finalize()
    config.optimizer.finalize()
    config.scheduler.finalize()
    ConfigContainer._calculate_scheduler_steps(config)
    return config


def _schedulers_of_mimo(**local: Any) -> dict[str, Any]:
    """Run the part of its set-up that imports the class and builds a scheduler for each module."""
    from megatron.bridge.training import setup_megatron_mimo as module

    tree = ast.parse(inspect.getsource(module))
    for function in tree.body:
        body = getattr(function, "body", [])
        for index, statement in enumerate(body):
            if isinstance(statement, ast.ImportFrom) and statement.module == "megatron.core.optimizer_param_scheduler":
                part = ast.Module(body[index : index + 3], type_ignores=[])
                names = {**vars(module), **local}
                exec(compile(part, module.__file__, "exec"), names)
                return names["schedulers"]
    raise LookupError("setup_megatron_mimo no longer imports the class in a function")


def prepare() -> None:
    """Stand in for what only a GPU needs, after Megatron has found that Transformer Engine is not there."""
    import typing_extensions

    if not hasattr(typing, "override"):
        typing.override = typing_extensions.override  # Megatron of its submodule is for Python 3.12

    import gpt  # noqa: F401

    StandIns("transformer_engine", "transformer_engine_torch", "nvidia_resiliency_ext", "modelopt")


def trial() -> Framework:
    """Return the framework, at the first import of its modules."""
    import gpt

    return MegatronBridge(gpt.build_model(vocabulary=32, layers=1, hidden=8, heads=2, length=8))
