"""Reads a file whole, without ever waiting for one that is not on a disk, or that has no end."""

import os
import stat


def read_regular(path: str | os.PathLike[str], largest: int) -> bytes:
    """Return the content of the regular file at `path`, of `largest` bytes at most.

    Raises:
        OSError: it cannot be read, is not a regular file, or is larger; ``strerror`` names the reason.
    """
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode):
        raise OSError(None, "it is a folder" if stat.S_ISDIR(mode) else "it is not a regular file")
    with open(path, "rb") as file:
        content = file.read(largest + 1)
    if len(content) > largest:
        raise OSError(None, f"it is larger than {largest >> 20} MiB")
    return content
