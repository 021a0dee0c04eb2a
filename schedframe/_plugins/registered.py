"""The classes that this process registered, by kind and name."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

registered: dict[str, dict[str, Any]] = {"LR": {}, "WD": {}}


@contextmanager
def registering() -> Iterator[Callable[[], bool]]:
    """On an error within the block, take back the classes of modules that it leaves unimported.

    Yields a function that returns whether the block has registered anything.
    """
    before = {kind: dict(classes) for kind, classes in registered.items()}
    try:
        yield lambda: registered != before
    except BaseException:
        for kind, classes in registered.items():
            left = {name: cls for name, cls in classes.items() if cls.__module__ in sys.modules}
            classes.clear()
            classes.update({**before[kind], **left})
        raise
