"""Releases are made from a checkout, with Python 3.11 or later; elsewhere these tests are left out."""

import sys
from importlib.util import find_spec
from pathlib import Path

_CAN_RELEASE = (
    sys.version_info >= (3, 11)
    and all(find_spec(name) for name in ("copier", "release"))
    and (Path(__file__).parents[2] / ".git").exists()
)
collect_ignore_glob = [] if _CAN_RELEASE else ["test_*.py"]
