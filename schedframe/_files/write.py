"""Writes a file whole or not at all."""

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from schedframe._errors import ConfigError, Problem


def write_new(path: Path, text: str, *, overwrite: bool = False, never: Iterable[Path] = ()) -> None:
    """Write `text` to `path` as UTF-8, its newlines as they are: whole, or not at all.

    Nobody sees a part of it. A process that is killed may leave a hidden file ``.schedframe-*`` in the folder.

    Args:
        path: the file.
        text: what to write.
        overwrite: replace a file that is there, whose permissions stay; a symbolic link is replaced, not followed.
        never: files that are not replaced in any case, by whatever name `path` calls them.

    Raises:
        ConfigError: `path` is there already, is one of `never`, or cannot be written.
    """
    content = text.encode()
    for kept in never:
        if is_same_file(path, kept):
            raise _refusal(path, f"is the same file as {kept}, which is never overwritten; choose another name")
    temporary = path.parent / f".schedframe-{os.urandom(8).hex()}"
    try:
        try:
            with open(temporary, "xb") as file:
                if overwrite:
                    _copy_mode(path, temporary)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            (os.replace if overwrite else _create)(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except FileExistsError:
        raise _refusal(path, "already exists; choose another name, or allow it to be overwritten") from None
    except FileNotFoundError:
        raise _refusal(path, f"cannot be written: there is no folder {path.parent}") from None
    except (OSError, ValueError) as error:
        raise _refusal(path, f"cannot be written: {getattr(error, 'strerror', None) or error}") from None


def _copy_mode(path: Path, temporary: Path) -> None:
    """Give the file `temporary` the permissions of the regular file at `path`, if there is one."""
    with suppress(FileNotFoundError):
        mode = os.lstat(path).st_mode
        if stat.S_ISREG(mode):
            os.chmod(temporary, stat.S_IMODE(mode))


def _create(temporary: Path, path: Path) -> None:
    """Give the file `temporary` the name `path`, which nothing may have yet."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except (OSError, AttributeError):
        # No hard links on this file system: take the name with an empty file, then replace that.
        open(path, "xb").close()
        try:
            os.replace(temporary, path)
        except BaseException:
            path.unlink()
            raise


def is_same_file(path: Path, other: Path) -> bool:
    """Whether two paths lead to one file, which need not exist."""
    try:
        return os.path.samefile(path, other)
    except OSError:
        return os.path.realpath(path) == os.path.realpath(other)
    except ValueError:
        return False


def _refusal(path: Path, message: str) -> ConfigError:
    return ConfigError(str(path), [Problem("", message)])
