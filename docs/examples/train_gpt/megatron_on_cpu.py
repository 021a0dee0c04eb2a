"""Lets Megatron Core train on a machine without a GPU.

Megatron Core asks for CUDA devices by name. `install` answers with the CPU: it changes the few parts of torch
that a GPTModel in fp32, DistributedDataParallel and get_megatron_optimizer ask for, and nothing of Megatron.
Where there is a GPU it does nothing.

It is for demonstrations and tests: a CPU is slow, and numbers that depend on a GPU mean nothing on it.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.cuda.random
from torch.overrides import TorchFunctionMode

_CPU = torch.device("cpu")


@functools.cache
def install() -> None:
    """Make the CPU stand in for CUDA in this process; call it before the first import of ``megatron``."""
    if torch.cuda.is_available():
        return
    _CudaMeansCpu().__enter__()
    torch.cuda.current_device = lambda: _CPU
    torch.cuda.current_stream = lambda *_args, **_options: None
    # There is one random generator, the CPU's; and what waits for CUDA to start would wait for ever.
    for module in (torch.cuda, torch.cuda.random):
        module.get_rng_state = lambda *_args, **_options: torch.get_rng_state()
    torch.cuda._lazy_call = lambda *_args, **_options: None


class _CudaMeansCpu(TorchFunctionMode):
    """Turns ``device="cuda"`` into the CPU in every call of a torch function."""

    def __torch_function__(
        self, function: Callable[..., Any], types: Sequence[type], args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if str(kwargs.get("device", "")).startswith("cuda"):
            kwargs = {**kwargs, "device": _CPU}
        answer = function(*args, **kwargs)
        if function is torch.Tensor.type and isinstance(answer, str):
            return answer.replace("torch.", "torch.cuda.", 1)  # Megatron asserts 'torch.cuda.FloatTensor'
        return answer
