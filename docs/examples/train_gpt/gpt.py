"""A small GPT and its optimizer, all Megatron Core's own: GPTModel, DistributedDataParallel, FP32Optimizer.

Nothing here knows of schedframe.
"""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import megatron_on_cpu
import torch
import torch.distributed as dist

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"

megatron_on_cpu.install()
# Megatron falls back to torch without Transformer Engine and Apex, which only a GPU needs, and warns six times.
for _message in ("Transformer Engine and Apex are not installed", "Apex is not installed", "full scope is deprecated"):
    warnings.filterwarnings("ignore", message=_message, category=UserWarning, module=r"megatron\.core\.")

from megatron.core import parallel_state  # noqa: E402
from megatron.core.distributed import DistributedDataParallel, DistributedDataParallelConfig  # noqa: E402
from megatron.core.models.gpt import GPTModel  # noqa: E402
from megatron.core.models.gpt.gpt_layer_specs import get_gpt_layer_local_spec  # noqa: E402
from megatron.core.optimizer import MegatronOptimizer, OptimizerConfig, get_megatron_optimizer  # noqa: E402
from megatron.core.tensor_parallel import model_parallel_cuda_manual_seed  # noqa: E402
from megatron.core.transformer import TransformerConfig  # noqa: E402


@contextmanager
def distributed(seed: int) -> Iterator[int]:
    """Join the ranks that torchrun started, or be the only one; all are data-parallel. Yields this one's number."""
    backend = "gloo"
    if DEVICE == "cuda":
        backend = "nccl"
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without it cuBLAS is not deterministic
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    if "RANK" in os.environ:
        dist.init_process_group(backend)
    else:
        alone = dist.TCPStore("127.0.0.1", 0, world_size=1, is_master=True)  # port 0 is any free port
        dist.init_process_group(backend, store=alone, rank=0, world_size=1)
    try:
        parallel_state.initialize_model_parallel()
        torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))  # a small model is fastest on one
        torch.use_deterministic_algorithms(True, warn_only=True)  # a resumed run is compared bit for bit
        torch.manual_seed(seed)
        model_parallel_cuda_manual_seed(seed)
        yield dist.get_rank()
    finally:
        parallel_state.destroy_model_parallel()
        dist.destroy_process_group()


def build_model(vocabulary: int, layers: int, hidden: int, heads: int, length: int) -> DistributedDataParallel:
    """Return a GPT in fp32, the same on every rank."""
    config = TransformerConfig(
        num_layers=layers,
        hidden_size=hidden,
        num_attention_heads=heads,
        hidden_dropout=0.0,
        attention_dropout=0.0,
        use_cpu_initialization=True,
    )
    model = GPTModel(
        config,
        get_gpt_layer_local_spec(),
        vocab_size=vocabulary,
        max_sequence_length=length,
        position_embedding_type="rope",
    )
    return DistributedDataParallel(config, DistributedDataParallelConfig(), model.to(DEVICE))


def describe(model: DistributedDataParallel) -> str:
    """Return one line for the user."""
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return f"GPT of {parameters:,} parameters on {dist.get_world_size()} x {DEVICE}"


def build_optimizer(model: DistributedDataParallel, lr: float, min_lr: float, weight_decay: float) -> MegatronOptimizer:
    """Return Megatron's AdamW, whose param groups carry these bounds."""
    config = OptimizerConfig(lr=lr, min_lr=min_lr, weight_decay=weight_decay, adam_beta2=0.95, clip_grad=1.0)
    return get_megatron_optimizer(config, [model])


def loss_of(model: DistributedDataParallel, samples: torch.Tensor) -> torch.Tensor:
    """Return the mean loss of predicting each sample's next byte."""
    samples = samples.to(DEVICE)
    tokens, labels = samples[:, :-1], samples[:, 1:]
    positions = torch.arange(tokens.shape[1], device=DEVICE).expand_as(tokens)
    return model(tokens, positions, attention_mask=None, labels=labels).mean()


def mean_over_ranks(loss: torch.Tensor) -> float:
    """Return the mean of all ranks' losses."""
    total = loss.detach().clone()
    dist.all_reduce(total)
    return total.item() / dist.get_world_size()
