"""A training script as users of Megatron-LM write it: a tiny GPT on random tokens. It knows nothing of schedframe."""

import inspect
from functools import partial
from typing import Any

import torch
from megatron.core.enums import ModelType
from megatron.core.models.gpt import GPTModel
from megatron.core.models.gpt.gpt_layer_specs import get_gpt_layer_local_spec
from megatron.training import get_args, pretrain
from megatron.training.arguments import core_transformer_config_from_args

TOKENS = 127


class Tokens(torch.utils.data.Dataset):
    """Random samples, the same for the same index."""

    def __init__(self, length: int, seq_length: int) -> None:
        self.length, self.seq_length = length, seq_length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        random = torch.Generator().manual_seed(index)
        return {"tokens": torch.randint(TOKENS, (self.seq_length + 1,), generator=random)}


def datasets(sizes: list[int], **_options: Any) -> list[Tokens]:
    return [Tokens(max(size or 1, 1), get_args().seq_length) for size in sizes]


datasets.is_distributed = True  # type: ignore[attr-defined]


def model(pre_process: bool = True, post_process: bool = True, **_options: Any) -> GPTModel:
    args = get_args()
    return GPTModel(
        config=core_transformer_config_from_args(args),
        transformer_layer_spec=get_gpt_layer_local_spec(normalization=args.normalization),
        vocab_size=args.padded_vocab_size,
        max_sequence_length=args.max_position_embeddings,
        pre_process=pre_process,
        post_process=post_process,
        share_embeddings_and_output_weights=not args.untie_embeddings_and_output_weights,
    )


def loss_of(output: torch.Tensor) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    loss = output.float().mean()
    return loss, {"lm loss": loss.detach().clone().view(1)}


def forward_step(samples: Any, gpt: torch.nn.Module, **_options: Any) -> tuple[torch.Tensor, Any]:
    tokens = next(samples)["tokens"]
    length = tokens.shape[1] - 1
    positions = torch.arange(length).expand(len(tokens), -1)
    mask = torch.ones(1, 1, length, length).tril() < 0.5
    return gpt(tokens[:, :-1], positions, mask, labels=tokens[:, 1:]), loss_of


def main() -> None:
    takes = inspect.signature(pretrain).parameters
    run = partial(pretrain, train_valid_test_dataset_provider=datasets, model_provider=model)
    run = partial(run, model_type=ModelType.encoder_or_decoder, forward_step_func=forward_step)
    if "cfg_container" in takes:
        from megatron.training.argument_utils import pretrain_cfg_container_from_args
        from megatron.training.arguments import parse_and_validate_args

        run(cfg_container=pretrain_cfg_container_from_args(parse_and_validate_args()))
    else:
        run()


if __name__ == "__main__":
    main()
