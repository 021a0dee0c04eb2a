"""Lets Megatron-LM's training loop run on a machine without a GPU: more of CUDA than the demonstration needs.

What is asked of CUDA is answered by the CPU or does nothing, and Triton, whose kernels need a GPU, may be missing.
Learning rates, checkpoints and losses are real; times and memory mean nothing.
"""

import collections
import contextlib
import sys
import types
import typing
from pathlib import Path
from typing import Any
from unittest import mock

import torch
import torch.utils.data._utils.pin_memory
import typing_extensions
from torch.utils._triton import has_triton_package

sys.path.append(str(Path(__file__).parents[2] / "docs" / "examples" / "train_gpt"))

import megatron_on_cpu

_CPU = torch.device("cpu")


def install() -> None:
    """Make the CPU stand in; call it before the first import of ``megatron``."""
    if torch.cuda.is_available():
        return
    megatron_on_cpu.install()
    cuda = torch.cuda
    answers = {
        "is_available": True,
        "device_count": 1,
        "get_device_properties": types.SimpleNamespace(
            major=8, minor=0, name="cpu", total_memory=1 << 34, multi_processor_count=1
        ),
        "get_device_capability": (8, 0),
        "get_device_name": "cpu",
        "mem_get_info": (1 << 34, 1 << 34),
        **dict.fromkeys(("memory_allocated", "max_memory_allocated", "memory_reserved", "max_memory_reserved"), 0),
        **dict.fromkeys(("set_device", "synchronize", "empty_cache", "set_stream", "manual_seed", "manual_seed_all")),
        "_lazy_init": None,
    }
    for name, answer in answers.items():
        setattr(cuda, name, _says(answer))
    cuda.memory_stats = lambda *_args, **_options: collections.defaultdict(int)
    for module in (cuda, torch.cuda.random):
        module.set_rng_state = lambda state, *_args, **_options: torch.set_rng_state(state)
        module.manual_seed = module.manual_seed_all = _says(None)
    cuda.Event, cuda.Stream = _Event, _Stream
    cuda.current_stream = cuda.default_stream = lambda *_args, **_options: _Stream()
    cuda.stream = lambda *_args, **_options: contextlib.nullcontext()
    for kind in ("Float", "Int", "Long", "Byte", "Double", "Half", "BFloat16"):
        setattr(cuda, f"{kind}Tensor", getattr(torch, f"{kind}Tensor"))
    torch.Tensor.cuda = torch.Tensor.pin_memory = torch.nn.Module.cuda = lambda self, *_args, **_options: self
    torch.utils.data._utils.pin_memory.pin_memory = lambda data, device=None: data
    torch.optim.Optimizer._accelerator_graph_capture_health_check = _says(None)
    torch.optim.Optimizer._cuda_graph_capture_health_check = _says(None)
    # Megatron-LM 0.18 and later are for Python 3.12; on 3.11 this is all that they miss.
    typing.override = typing_extensions.override
    # Older scripts compile fused kernels at their start, for a GPU.
    sys.modules.setdefault("megatron.legacy.fused_kernels", types.SimpleNamespace(load=_says(None)))  # type: ignore
    if not has_triton_package():  # asked before, torch goes on without it
        for name in ("triton", "triton.language"):
            sys.modules[name] = mock.MagicMock(name=name, __spec__=None, __version__="0")


def resume_without_transformer_engine() -> None:
    """Let a DistributedOptimizer load a checkpoint into torch's own Adam.

    That keeps its step as a tensor beside the moments: with ``torch`` Megatron looks for it among the saved ones, with
    ``torch_dist`` among those of an optimizer that has made no step yet.
    """
    from megatron.core.optimizer.distrib_optimizer import DistributedOptimizer

    put, sharded = DistributedOptimizer._set_main_param_and_optimizer_states, DistributedOptimizer.sharded_state_dict

    def begun(self: Any, *arguments: Any, **options: Any) -> Any:
        self.init_state_fn(self.optimizer, self.config)
        for state in self.optimizer.state.values():
            state.setdefault("step", torch.tensor(0.0))
        return sharded(self, *arguments, **options)

    def with_step(self: Any, model_param: Any, tensors: dict[str, Any]) -> None:
        index, order = self.model_param_group_index_map[model_param]
        state = self.optimizer.state[self.optimizer.param_groups[index]["params"][order]]
        put(self, model_param, {**tensors, "step": state["step"]} if "step" in state else tensors)

    DistributedOptimizer._set_main_param_and_optimizer_states = with_step
    DistributedOptimizer.sharded_state_dict = begun


def _says(answer: Any) -> Any:
    return lambda *_args, **_options: answer


class _Event:
    def __init__(self, *_args: Any, **_options: Any) -> None: ...
    def record(self, *_args: Any, **_options: Any) -> None: ...
    def wait(self, *_args: Any, **_options: Any) -> None: ...
    def synchronize(self, *_args: Any, **_options: Any) -> None: ...

    def query(self) -> bool:
        return True

    def elapsed_time(self, _other: Any) -> float:
        return 0.0


class _Stream:
    cuda_stream = 0

    def __init__(self, *_args: Any, **_options: Any) -> None: ...
    def wait_stream(self, *_args: Any) -> None: ...
    def wait_event(self, *_args: Any) -> None: ...
    def synchronize(self) -> None: ...

    def record_event(self, *_args: Any) -> _Event:
        return _Event()
