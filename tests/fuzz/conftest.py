"""The fuzzers use the fixtures of the tests of checkpoints."""

from ..files.checkpoint.conftest import archive, groups

__all__ = ["archive", "groups"]
