"""A Python file that is run as it was read, and the digest by which it is known on every machine."""

import hashlib
import os
import re
import sys
from functools import cached_property
from importlib.machinery import SourceFileLoader
from importlib.util import decode_source, module_from_spec, spec_from_file_location
from types import CodeType

from schedframe._reading import read_regular

_LARGEST = 16 << 20

PACKAGE = "schedframe._plugins.imported"
"""The package of the modules that files become; see there."""


class PythonFile(SourceFileLoader):
    """A file, read once: its digest, its code and its source are of the same bytes.

    Attributes:
        name: the name of its module: the same wherever the file lies, another for other content.
        path: where it lies, absolute.
        content: its bytes.
    """

    def __init__(self, path: str) -> None:
        """Read the file, which may raise an ``OSError``."""
        self.content = read_regular(path, _LARGEST)
        stem = os.path.splitext(os.path.basename(path))[0]
        plain = re.sub(r"^(?=[0-9])|[^0-9A-Za-z_]", "_", stem)
        super().__init__(f"{PACKAGE}.{plain}_{digest_of(self.content)[:16]}", path)

    @cached_property
    def code(self) -> CodeType:
        """The compiled content.

        Raises:
            UnicodeDecodeError: it is not text.
            SyntaxError: it is not Python.
        """
        return self.source_to_code(decode_source(self.content), self.path)

    def run(self) -> None:
        """Run the file as the module `name`, which is taken back where it fails."""
        spec = spec_from_file_location(self.name, self.path, loader=self)
        assert spec is not None
        module = sys.modules[self.name] = module_from_spec(spec)
        try:
            self.exec_module(module)
        except BaseException:
            del sys.modules[self.name]
            raise

    def get_code(self, fullname: str) -> CodeType:
        """Return the code that runs; Python's own method would write it to a file beside this one."""
        return self.code

    def get_data(self, path: str) -> bytes:
        """Return the bytes that were read, whatever lies there now; of another file those that it has."""
        return self.content if path == self.path else super().get_data(path)


def digest_of(content: bytes) -> str:
    """Return the SHA-256 of `content`, 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()
