"""Tries one framework in this process, and ends with what was seen or with what failed."""

import importlib
import sys
import traceback


def main(name: str) -> str:
    """Return what was seen in a trial of the framework."""
    module = importlib.import_module("try_" + name.replace("-", "_"))
    module.prepare()

    import gpt
    import torch
    from trial import tried

    if not torch.cuda.is_available():
        torch.cuda.synchronize = lambda *_args: None  # Megatron's checkpoints wait for the device
    with gpt.distributed(seed=1):
        return tried(module.trial())


if __name__ == "__main__":
    try:
        print(main(sys.argv[1]))
    except BaseException as error:  # torch's CheckpointException is no Exception
        traceback.print_exc()
        sys.exit(f"{type(error).__name__}: {error}".strip().partition("\n")[0])
