"""Runs the engine beside the server: typing never waits for it, and a style that never returns does not stop it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import Any

PATIENCE = 20.0
"""Seconds after which a check is given up."""

_MOST_STUCK = 3
"""How many checks that were given up may still run."""


class StuckError(Exception):
    """A check does not finish; the text gives the remedy."""


class Engine:
    """Runs one check after another, each in a thread."""

    def __init__(self, patience: float = PATIENCE) -> None:
        """Give a check up after `patience` seconds."""
        self._patience = patience
        self._one_by_one = asyncio.Lock()
        self._ended = asyncio.Event()
        self._threads: list[Thread] = []

    @property
    def running(self) -> int:
        """How many checks run, those that were given up among them."""
        return sum(thread.is_alive() for thread in self._threads)

    def end(self) -> None:
        """Give up every check."""
        self._ended.set()

    async def run(self, check: Callable[[], Any]) -> Any:
        """Return what `check` returns, or raise what it raises.

        Raises:
            StuckError: it takes too long, too many before it still run, or nothing is checked any more.
        """
        async with self._one_by_one:
            if self.running >= _MOST_STUCK:
                raise StuckError(
                    f"{_MOST_STUCK} checks have not finished, and no further checks run; save the text if you want to "
                    f"keep it, and restart the designer"
                )
            done: Future[Any] = Future()
            thread = Thread(target=_settle, args=(done, check), daemon=True)
            self._threads = [*filter(Thread.is_alive, self._threads), thread]
            thread.start()
            checked = asyncio.wrap_future(done)
            ended = asyncio.ensure_future(self._ended.wait())
            await asyncio.wait({checked, ended}, timeout=self._patience, return_when=asyncio.FIRST_COMPLETED)
            ended.cancel()
            if checked.done():
                return checked.result()
            checked.cancel()
            raise StuckError(
                f"the check has not finished after {self._patience:g} seconds; the cause is a style, a plugin, or a "
                f"very large number in the text"
            )


def _settle(done: "Future[Any]", check: Callable[[], Any]) -> None:
    """Give `done` what `check` returns or raises."""
    done.set_running_or_notify_cancel()
    try:
        result = check()
    except BaseException as error:
        done.set_exception(error)
    else:
        done.set_result(result)
