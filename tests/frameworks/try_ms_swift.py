"""ms-swift: its argument parser, its checkpoints."""

import functools
import tempfile
from collections.abc import Mapping
from typing import Any

from trial import BATCH, ITERATIONS, MAX_LR, MIN_LR, WARMUP, Framework, StandIns, lines


class MsSwift(Framework):
    """Its constructor call passes neither flag, so the checkpoint's schedule counts."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def replace(self) -> None:
        exec(lines("ms-swift"), {})

    def build(self, said: Mapping[str, Any]) -> tuple[Any, Any]:
        from megatron.core.optimizer import OptimizerConfig, get_megatron_optimizer
        from swift.megatron.utils import get_optimizer_param_scheduler

        self.args = _args(said)
        config = OptimizerConfig(lr=MAX_LR, min_lr=MIN_LR, weight_decay=0.1, clip_grad=0.0)
        optimizer = get_megatron_optimizer(config, [self.model])
        return optimizer, get_optimizer_param_scheduler(self.args, optimizer)

    def step(self, scheduler: Any) -> None:
        scheduler.step(increment=self.args.global_batch_size)

    def save(self, folder: str, optimizer: Any, scheduler: Any) -> None:
        from swift.megatron.utils import save_mcore_checkpoint

        save_mcore_checkpoint(self.args, [self.model], optimizer, scheduler, output_dir=folder)

    def load(self, folder: str, optimizer: Any, scheduler: Any) -> None:
        from swift.megatron.utils import load_mcore_checkpoint

        self.args.mcore_model = folder
        load_mcore_checkpoint(self.args, [self.model], optimizer, scheduler)


def _args(said: Mapping[str, Any]) -> Any:
    """Return what ms-swift's parser makes of a command line; a table of options is said in Python."""
    from swift.megatron.arguments import MegatronSftArguments
    from swift.utils import parse_args

    style = said["lr"]
    words = f"--lr {MAX_LR} --min_lr {MIN_LR} --lr_warmup_iters {WARMUP} --lr_wsd_decay_iters 5 --finetune false"
    words += f" --micro_batch_size 1 --global_batch_size {BATCH} --train_iters {ITERATIONS} --model {_model()}"
    words += (
        f" --model_type llama --template dummy --dataset none --output_dir {tempfile.mkdtemp()} --add_version false"
    )
    words += " --ddp_backend gloo"
    words += f" --lr_decay_style {style if isinstance(style, str) else style['style']}"
    if "tail" in said:
        words += f" --lr_wsd_decay_style {said['tail']}"
    if "wd" in said:
        words += f" --weight_decay_incr_style {said['wd']} --start_weight_decay 0.01 --end_weight_decay 0.1"
    args, _ = parse_args(MegatronSftArguments, words.split())
    args.lr_decay_style = style
    return args


@functools.cache
def _model() -> str:
    """Write the config of a small model, which the parser asks for."""
    from transformers import LlamaConfig

    folder = tempfile.mkdtemp()
    config = LlamaConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=2, architectures=["LlamaForCausalLM"])
    config.save_pretrained(folder)
    return folder


def prepare() -> None:
    """Stand in for Transformer Engine, which Megatron takes for real; its AdamW is torch's."""
    if StandIns("transformer_engine", "transformer_engine_torch").packages:
        import torch
        import transformer_engine.pytorch.optimizers

        class FusedAdam(torch.optim.AdamW):
            def __init__(self, *given: Any, adam_w_mode: bool = True, **options: Any) -> None:
                super().__init__(*given, **options)

        transformer_engine.pytorch.optimizers.FusedAdam = FusedAdam

    # Before Megatron, as in the page's lines: typing keeps the first order of two equal unions, and its parser minds.
    import swift.megatron.arguments  # noqa: F401


def trial() -> Framework:
    """Return the framework, at the first import of its modules."""
    import torch
    from megatron.core import utils
    from megatron.core.distributed import DistributedDataParallel, DistributedDataParallelConfig
    from megatron.core.optimizer import clip_grads
    from megatron.core.tensor_parallel import ColumnParallelLinear
    from megatron.core.transformer import TransformerConfig
    from megatron.core.transformer.module import MegatronModule

    class Model(MegatronModule):
        """A GPT's layers would ask for the real Transformer Engine."""

        def __init__(self, config: TransformerConfig) -> None:
            super().__init__(config)
            self.linear = ColumnParallelLinear(8, 8, config=config, init_method=torch.nn.init.ones_)

    # Without Transformer Engine Megatron takes these.
    clip_grads.l2_norm_impl = utils.local_multi_tensor_l2_norm
    clip_grads.multi_tensor_applier = utils.local_multi_tensor_applier

    config = TransformerConfig(num_layers=1, hidden_size=8, num_attention_heads=2, use_cpu_initialization=True)
    return MsSwift(DistributedDataParallel(config, DistributedDataParallelConfig(), Model(config)))
