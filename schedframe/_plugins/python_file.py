"""Python files: what lies in one, run as it was read, and the digest by which it is known on every machine."""

import hashlib
import os
import re
import sys
from dataclasses import dataclass
from functools import cached_property
from importlib.machinery import SourceFileLoader
from importlib.util import decode_source, module_from_spec, spec_from_file_location
from types import CodeType
from typing import Any

PACKAGE = "schedframe._plugins.imported"
"""Below it lie the modules that files become; see there."""


@dataclass(frozen=True)
class Origin:
    """The Python file that a module was read from.

    Attributes:
        name: the module's dotted name; of a file that was named as a file, ``my_styles.py``.
        path: where the file lies, absolute.
        sha256: the digest of its bytes, 64 hexadecimal digits.
    """

    name: str
    path: str
    sha256: str


class PythonFile(SourceFileLoader):
    """A file, read once: its digest, its code and its source are of the same bytes.

    Attributes:
        name: of the module that it becomes: the same wherever the file lies, another for other content.
        path: where it lies, absolute.
        content: its bytes.
    """

    def __init__(self, path: str) -> None:
        """Read the file.

        Raises:
            OSError: it cannot be read.
        """
        with open(path, "rb") as file:
            self.content = file.read()
        stem = os.path.splitext(os.path.basename(path))[0]
        plain = re.sub(r"^(?=[0-9])|[^0-9A-Za-z_]", "_", stem)
        super().__init__(f"{PACKAGE}.{plain}_{_digest(self.content)[:16]}", path)

    @cached_property
    def code(self) -> CodeType:
        """What it says, compiled.

        Raises:
            UnicodeDecodeError: it is no text.
            SyntaxError: it is no Python.
        """
        return self.source_to_code(decode_source(self.content), self.path)

    def run(self) -> None:
        """Make it the module `name`, whole or not at all."""
        spec = spec_from_file_location(self.name, self.path, loader=self)
        assert spec is not None
        module = sys.modules[self.name] = module_from_spec(spec)
        try:
            self.exec_module(module)
        except BaseException:
            del sys.modules[self.name]
            raise

    def get_code(self, fullname: str) -> CodeType:
        """What runs; Python's own would keep it in a file beside this one."""
        return self.code

    def get_data(self, path: str) -> bytes:
        """The bytes that were read, whatever lies there now; those of another file as they are."""
        return self.content if path == self.path else super().get_data(path)


def origin_of(module: str) -> Origin | None:
    """Return the file of the imported module called `module`; ``None`` where it has no Python file, as a script."""
    spec = getattr(sys.modules.get(module), "__spec__", None)
    path: str = getattr(spec, "origin", None) or ""
    loader: Any = getattr(spec, "loader", None)
    if not hasattr(loader, "get_data") or not (path.endswith(".py") or isinstance(loader, PythonFile)):
        return None
    name = os.path.basename(path) if isinstance(loader, PythonFile) else module
    try:
        return Origin(name, path, _digest(loader.get_data(path)))
    except OSError:
        return None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
