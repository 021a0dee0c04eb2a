"""Whether a page is open."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

GRACE = 3.0
"""Seconds in which a page that is loaded again comes back."""


class Presence:
    """Counts the open pages, and acts when the last one has been closed for a while."""

    def __init__(self, act: Callable[[], None], grace: float = GRACE) -> None:
        """Call `act` once no page has been open for `grace` seconds, after one was."""
        self._act, self._grace = act, grace
        self._open = 0
        self._leaving: asyncio.TimerHandle | None = None

    @contextmanager
    def page(self) -> Iterator[None]:
        """Count a page while it is open."""
        self._open += 1
        if self._leaving is not None:
            self._leaving.cancel()
        try:
            yield
        finally:
            self._open -= 1
            if not self._open:
                self._leaving = asyncio.get_running_loop().call_later(self._grace, self._act)
