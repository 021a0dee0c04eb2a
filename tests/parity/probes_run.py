"""Real Megatron Core optimizers, saved and resumed under Megatron's scheduler and under ours; prints both, as JSON.

``python probes_run.py``, with docs/examples/train_gpt on the path. Every probe is a run that saves what a training
script saves, through torch.save, and another that loads it. What is right is said in test_probes.py.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

if __name__ == "__main__":  # pytest looks for doctests in here, and needs no Megatron for that
    import gpt
    import torch
    from megatron.core.distributed import DistributedDataParallel, DistributedDataParallelConfig, finalize_model_grads
    from megatron.core.models.gpt import GPTModel
    from megatron.core.models.gpt.gpt_layer_specs import get_gpt_layer_local_spec
    from megatron.core.optimizer import OptimizerConfig, get_megatron_optimizer
    from megatron.core.optimizer.distrib_optimizer import DistributedOptimizer
    from megatron.core.optimizer_param_scheduler import OptimizerParamScheduler as Megatrons
    from megatron.core.transformer import TransformerConfig
    from megatron.core.transformer.module import Float16Module

    from schedframe import OptimizerParamScheduler as Ours
    from schedframe import Schedule

VOCABULARY, LENGTH = 32, 8

RUN: dict[str, Any] = {
    "init_lr": 0.0,
    "max_lr": 1.0,
    "min_lr": 0.1,
    "lr_warmup_steps": 10,
    "lr_decay_steps": 110,
    "lr_decay_style": "cosine",
    "start_wd": 0.1,
    "end_wd": 0.1,
    "wd_incr_steps": 110,
    "wd_incr_style": "constant",
}
WSD_SAVED = {"lr_decay_style": "WSD", "wsd_decay_steps": 20, "lr_wsd_decay_style": "linear"}
WSD_RESUMED = {"lr_decay_style": "WSD", "wsd_decay_steps": 80, "lr_wsd_decay_style": "exponential"}
FALLING_WD = {"start_wd": 0.1, "end_wd": 0.01, "wd_incr_style": "linear"}
GROWING_WD = {"start_wd": 0.01, "end_wd": 0.05, "wd_incr_style": "linear"}
EXTENDED = {"max_lr": 1.0, "min_lr": 0.1, "lr_warmup_steps": 10, "lr_decay_style": "cosine", "lr_decay_steps": 200}
DECOUPLED = {"max_lr": 0.5, "min_lr": 0.02}

POLICIES = {
    "checkpoint": {"use_checkpoint_opt_param_scheduler": True, "override_opt_param_scheduler": False},
    "override": {"use_checkpoint_opt_param_scheduler": False, "override_opt_param_scheduler": True},
    "neither": {"use_checkpoint_opt_param_scheduler": False, "override_opt_param_scheduler": False},
    "default": {},
}


class Training:
    """A model, its optimizer and its scheduler, as at the start of a process."""

    def __init__(self, scheduler: Any, policy: str = "neither", distributed: bool = False, **changes: Any) -> None:
        run = {**RUN, **changes}
        if distributed:
            self.model, self.optimizer = distributed_optimizer(run)
        else:
            self.model = gpt.build_model(VOCABULARY, layers=1, hidden=8, heads=2, length=LENGTH)
            self.optimizer = gpt.build_optimizer(self.model, run["max_lr"], run["min_lr"], run["start_wd"])
        self.distributed = distributed
        self.scheduler = scheduler(self.optimizer, **run, **POLICIES[policy])

    def saved_at(self, step: int) -> bytes:
        """Update once, so that there are moments, go to `step`, and return the checkpoint."""
        self.update()
        self.scheduler.step(step)
        file, parameters = io.BytesIO(), io.BytesIO()
        state = {"optimizer": self.optimizer.state_dict(), "opt_param_scheduler": self.scheduler.state_dict()}
        if self.distributed:
            self.optimizer.save_parameter_state(parameters)
            state["parameters"] = parameters.getvalue()
        torch.save(state, file)
        return file.getvalue()

    def load_optimizer(self, checkpoint: bytes) -> dict[str, Any]:
        """Load all but the scheduler, as Megatron-LM does before it; return the checkpoint."""
        state = torch.load(io.BytesIO(checkpoint))
        self.optimizer.load_state_dict(state["optimizer"])
        if self.distributed:
            with what_is_not_saved_stays():
                self.optimizer.load_parameter_state(io.BytesIO(state["parameters"]))
        return state

    def load(self, checkpoint: bytes) -> Training:
        self.scheduler.load_state_dict(self.load_optimizer(checkpoint)["opt_param_scheduler"])
        return self

    def update(self) -> None:
        self.model.zero_grad_buffer()
        self.optimizer.zero_grad()
        samples = torch.randint(VOCABULARY, (2, LENGTH + 1), generator=torch.Generator().manual_seed(1))
        gpt.loss_of(self.model, samples).backward()
        finalize_model_grads([self.model])
        updated, _, _ = self.optimizer.step()
        assert updated

    def of_groups(self, key: str) -> list[float]:
        """Return what each group holds; the last one decays no weights."""
        return [group[key] for group in self.optimizer.param_groups]


def distributed_optimizer(run: dict[str, Any]) -> tuple[Any, Any]:
    """Return a GPT and Megatron's DistributedOptimizer with --decoupled-lr; on a CPU it needs bf16."""
    config = TransformerConfig(
        num_layers=1,
        hidden_size=8,
        num_attention_heads=2,
        hidden_dropout=0.0,
        attention_dropout=0.0,
        use_cpu_initialization=True,
        bf16=True,
        params_dtype=torch.bfloat16,
    )
    layers = get_gpt_layer_local_spec()
    model = GPTModel(config, layers, VOCABULARY, LENGTH, position_embedding_type="rope")
    options = DistributedDataParallelConfig(use_distributed_optimizer=True)
    model = DistributedDataParallel(config, options, Float16Module(config, model))
    adam = OptimizerConfig(
        lr=run["max_lr"],
        min_lr=run["min_lr"],
        weight_decay=run["start_wd"],
        decoupled_lr=DECOUPLED["max_lr"],
        decoupled_min_lr=DECOUPLED["min_lr"],
        bf16=True,
        use_distributed_optimizer=True,
    )
    return model, get_megatron_optimizer(adam, [model])


@contextlib.contextmanager
def what_is_not_saved_stays() -> Iterator[None]:
    """Get over a KeyError of Megatron's: torch's AdamW has a `step` where Megatron saves and loads none."""
    original = DistributedOptimizer._set_main_param_and_optimizer_states

    def keeping(self: Any, model_param: Any, tensors: dict[str, Any]) -> None:
        original(self, model_param, {**self._get_main_param_and_optimizer_states(model_param), **tensors})

    DistributedOptimizer._set_main_param_and_optimizer_states = keeping
    try:
        yield
    finally:
        DistributedOptimizer._set_main_param_and_optimizer_states = original


def answer(call: Callable[[], Any]) -> Any:
    """Return what `call` returns, or its error."""
    try:
        return call()
    except Exception as error:
        return {"error": type(error).__name__, "text": str(error)}


def loading_twice(scheduler: Any) -> Any:
    checkpoint = Training(scheduler).saved_at(50)
    training = Training(scheduler).load(checkpoint)
    once = [training.scheduler.num_steps, training.of_groups("lr")[0]]
    training.load(checkpoint)
    return {"once": once, "twice": [training.scheduler.num_steps, training.of_groups("lr")[0]]}


def overriding_the_peak(scheduler: Any) -> Any:
    training = Training(scheduler, "override", max_lr=0.5)
    state = training.load_optimizer(Training(scheduler).saved_at(10))
    replaced = training.of_groups("max_lr")[0]
    training.scheduler.load_state_dict(state["opt_param_scheduler"])
    return {
        "max_lr of the group after the optimizer's load": replaced,
        "max_lr of the scheduler": training.scheduler.max_lr,
        "lr": training.of_groups("lr")[0],
    }


def another_tail(scheduler: Any) -> Any:
    checkpoint = Training(scheduler, **WSD_SAVED).saved_at(100)

    def resumed(policy: str) -> float:
        return Training(scheduler, policy, **WSD_RESUMED).load(checkpoint).of_groups("lr")[0]

    return {policy: answer(lambda policy=policy: resumed(policy)) for policy in ("checkpoint", "neither")}


def falling_weight_decay(scheduler: Any) -> Any:
    def run() -> list[float]:
        training = Training(scheduler, **FALLING_WD)
        found = []
        for _ in range(3):
            found.append(training.of_groups("weight_decay")[0])
            training.scheduler.step(55)
        return found

    return answer(run)


def weight_decay_after_a_load(scheduler: Any) -> Any:
    training = Training(scheduler, "checkpoint", start_wd=0.3, end_wd=0.3)
    training.load(Training(scheduler, **GROWING_WD).saved_at(110))
    first = training.of_groups("weight_decay")[0]
    training.update()
    training.scheduler.step(1)
    return {"first update": first, "second update": training.of_groups("weight_decay")[0]}


def extending(scheduler: Any) -> Any:
    checkpoint = Training(scheduler, lr_decay_steps=100).saved_at(50)

    def resumed(policy: str) -> list[float]:
        training = Training(scheduler, policy, lr_decay_steps=200).load(checkpoint)
        training.scheduler.step(100)
        return [training.scheduler.lr_decay_steps, training.of_groups("lr")[0]]

    return {policy: answer(lambda policy=policy: resumed(policy)) for policy in ("default", "neither", "override")}


def extending_a_schedule() -> Any:
    """Schedule.build, whose default is neither flag."""
    schedule = Schedule(**EXTENDED, start_wd=0.1, wd_incr_steps=110)
    checkpoint = Training(Ours, lr_decay_steps=100).saved_at(50)

    def resumed(policy: str) -> float:
        training = Training(Ours)
        training.scheduler = schedule.build(training.optimizer, **POLICIES[policy])
        training.load(checkpoint).scheduler.step(100)
        return training.of_groups("lr")[0]

    return {policy: answer(lambda policy=policy: resumed(policy)) for policy in POLICIES}


def groups_that_differ_in_bounds_alone(scheduler: Any) -> Any:
    first = Training(scheduler, distributed=True)
    checkpoint = first.saved_at(60)
    training = Training(scheduler, distributed=True)
    state = training.load_optimizer(checkpoint)
    collided = training.of_groups("max_lr")
    training.scheduler.load_state_dict(state["opt_param_scheduler"])
    return {
        "saved": first.of_groups("lr"),
        "max_lr after the optimizer's load": collided,
        "resumed": training.of_groups("lr"),
    }


def main() -> dict[str, Any]:
    """Return the answers of every probe, by class."""
    probes = (
        loading_twice,
        overriding_the_peak,
        another_tail,
        falling_weight_decay,
        weight_decay_after_a_load,
        extending,
        groups_that_differ_in_bounds_alone,
    )
    with gpt.distributed(seed=1):
        answers = {
            probe.__name__: {
                "megatron": answer(lambda probe=probe: probe(Megatrons)),
                "ours": answer(lambda probe=probe: probe(Ours)),
            }
            for probe in probes
        }
        return {**answers, "extending_a_schedule": extending_a_schedule()}


if __name__ == "__main__":
    print(json.dumps(main()))
