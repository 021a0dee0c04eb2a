"""What the tests of checkpoints share: a state, and files like those of ``torch.save`` without torch."""

import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Archive = Callable[..., Path]


@pytest.fixture
def state() -> dict[str, Any]:
    """A scheduler's state as Megatron's class writes it."""
    return {
        "max_lr": 1e-3,
        "lr_warmup_steps": 16,
        "num_steps": 40,
        "lr_decay_style": "cosine",
        "lr_decay_steps": 400,
        "min_lr": 1e-4,
        "start_wd": 0.1,
        "end_wd": 0.1,
        "wd_incr_style": "constant",
        "wd_incr_steps": 400,
    }


@pytest.fixture
def groups() -> list[dict[str, Any]]:
    """Two param groups as Megatron writes them."""
    shared = {"lr": 1e-4, "max_lr": 1e-3, "min_lr": 1e-4, "lr_mult": 1.0, "default_config": True}
    shared |= {"is_decoupled_lr": False, "is_expert_parallel": False}
    return [
        {**shared, "weight_decay": 0.1, "wd_mult": 1.0, "betas": (0.9, 0.95), "params": [0, 1]},
        {**shared, "weight_decay": 0.0, "wd_mult": 0.0, "betas": (0.9, 0.95), "params": [2]},
    ]


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """Write a file with the layout of ``torch.save``'s: a zip archive with the pickle in ``NAME/data.pkl``."""

    def archive(
        content: Any, name: str | Path = "model.pt", *, compression: int = zipfile.ZIP_STORED, protocol: int = 2
    ) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = content if isinstance(content, bytes) else pickle.dumps(content, protocol=protocol)
        with zipfile.ZipFile(path, "w", compression) as file:
            file.writestr(f"{path.stem}/data.pkl", data)
            file.writestr(f"{path.stem}/data/0", b"\0" * 64)
            file.writestr(f"{path.stem}/version", b"3\n")
        return path

    return archive
