"""What a program hands over, as plain data."""

from collections.abc import Mapping, Sequence
from typing import Any


def plain(value: Any) -> Any:
    """Return `value` with each mapping in it as a dict, and each sequence but a text or a tuple as a list.

    Configuration libraries have containers of their own, such as OmegaConf's ``DictConfig`` and ``ListConfig``.
    """
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    if type(value) is tuple:
        return tuple(map(plain, value))
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray | tuple):
        return [plain(inner) for inner in value]
    return value
