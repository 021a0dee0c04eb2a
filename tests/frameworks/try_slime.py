"""slime: its parser, its scheduler of samples, Megatron-LM's checkpoints."""

import os
import sys
import tempfile
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from trial import BATCH, ITERATIONS, MAX_LR, MIN_LR, WARMUP, Framework, StandIns, module_of_the_page

LINE = (
    f"--num-layers 1 --hidden-size 8 --num-attention-heads 2 --seq-length 8 --max-position-embeddings 8 "
    f"--tokenizer-type NullTokenizer --vocab-size 31 --moe-token-dispatcher-type alltoall --debug-train-only "
    f"--actor-num-nodes 1 --actor-num-gpus-per-node 1 --micro-batch-size 1 --global-batch-size {BATCH} "
    f"--rollout-batch-size {BATCH} --n-samples-per-prompt 1 --num-rollout {ITERATIONS} "
    f"--lr {MAX_LR} --min-lr {MIN_LR} --lr-warmup-iters {WARMUP} --lr-wsd-decay-iters 5 "
    f"--no-save-rng --no-load-rng"
)


class Slime(Framework):
    """The style's name stands in the file of --custom-config-path, which the parser does not check."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def replace(self) -> None:
        from slime.utils.misc import load_function

        args = _args({"lr": "rex"}, "--custom-megatron-init-path", f"{module_of_the_page('slime')}.init")
        load_function(args.custom_megatron_init_path)(args)

    def build(self, said: Mapping[str, Any]) -> tuple[Any, Any]:
        import gpt
        from slime.backends.megatron_utils import model

        self.args = _args(said)
        optimizer = gpt.build_optimizer(self.model, MAX_LR, MIN_LR, 0.1)
        return optimizer, model.get_optimizer_param_scheduler(self.args, optimizer)

    def step(self, scheduler: Any) -> None:
        scheduler.step(increment=BATCH)

    def save(self, folder: str, optimizer: Any, scheduler: Any) -> None:
        from slime.backends.megatron_utils import model

        self._set_args(save=folder)
        model.save(1, [self.model], optimizer, scheduler)

    def load(self, folder: str, optimizer: Any, scheduler: Any) -> None:
        from slime.backends.megatron_utils.checkpoint import load_checkpoint

        # As its parser leaves them where the folder of --load exists.
        self._set_args(load=folder, finetune=False, no_load_optim=False)
        load_checkpoint([self.model], optimizer, scheduler, {}, skip_load_to_model_and_opt=False)

    def _set_args(self, **changed: Any) -> None:
        from megatron.core.num_microbatches_calculator import (
            init_num_microbatches_calculator,
            unset_num_microbatches_calculator,
        )
        from megatron.training import global_vars

        vars(self.args).update(changed)
        global_vars.destroy_global_vars()
        global_vars.set_args(self.args)
        unset_num_microbatches_calculator()
        init_num_microbatches_calculator(0, None, BATCH, 1, 1)

    def ask(self, optimizer: Any, scheduler: Any) -> list[str]:
        scheduler.step(increment=5 * BATCH)
        assert [scheduler.get_lr(group) for group in optimizer.param_groups] == [
            group["lr"] for group in optimizer.param_groups
        ]
        return []


def _args(said: Mapping[str, Any], *more: str) -> Namespace:
    import torch
    from slime.utils.arguments import parse_args

    config = {"lr_decay_style": said["lr"], "lr_wsd_decay_style": said.get("tail", "exponential")}
    if "wd" in said:
        config |= {"weight_decay_incr_style": said["wd"], "start_weight_decay": 0.01, "end_weight_decay": 0.1}
    file = Path(tempfile.mkdtemp()) / "custom.yaml"
    file.write_text(yaml.safe_dump(config))
    sys.argv = ["train.py", *LINE.split(), "--custom-config-path", str(file), *more]
    args = parse_args()
    # Mixed precision and the distributed optimizer, which slime sets, want a GPU.
    args.bf16 = args.use_distributed_optimizer = False
    args.params_dtype = torch.float32
    return args


def prepare() -> None:
    """Stand in for the inference engine, whose options the parser asks for."""
    StandIns("sglang", "sglang_router")
    os.environ["CUDA_DEVICE_MAX_CONNECTIONS"] = "1"


def trial() -> Framework:
    """Return the framework, at the first import of its modules."""
    import gpt

    return Slime(gpt.build_model(vocabulary=32, layers=1, hidden=8, heads=2, length=8))
