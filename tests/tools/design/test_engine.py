"""Checks run one after another, and one that never ends does not stop those after it."""

import asyncio
from collections.abc import Callable, Iterator
from threading import Event
from typing import Any

import pytest

from schedframe._tools.design.engine import Engine, StuckError


@pytest.fixture
def never() -> Iterator[Event]:
    """An event that nobody sets while the test runs."""
    event = Event()
    yield event
    event.set()


def run(check: Callable[[], Any]) -> Any:
    """Run one check."""

    async def one() -> Any:
        return await Engine().run(check)

    return asyncio.run(one())


def test_a_check_returns_what_it_returns() -> None:
    assert run(lambda: 5) == 5


def test_a_check_raises_what_it_raises() -> None:
    with pytest.raises(ZeroDivisionError):
        run(lambda: 1 // 0)


def test_checks_run_one_after_another() -> None:
    running: list[int] = []

    def check() -> int:
        running.append(1)
        most = len(running)
        Event().wait(0.05)
        running.pop()
        return most

    async def both() -> list[int]:
        engine = Engine()
        return await asyncio.gather(engine.run(check), engine.run(check))

    assert asyncio.run(both()) == [1, 1]


def test_a_check_that_never_ends_is_given_up_and_the_next_one_runs(never: Event) -> None:
    async def both() -> int:
        engine = Engine(patience=0.05)
        with pytest.raises(StuckError, match=r"has not finished after 0\.05 seconds"):
            await engine.run(never.wait)
        return await engine.run(lambda: 5)

    assert asyncio.run(both()) == 5


def test_after_three_nothing_more_is_checked_until_one_ends(never: Event) -> None:
    async def many() -> int:
        engine = Engine(patience=0.05)
        for _ in range(3):
            with pytest.raises(StuckError, match="a style, a plugin"):
                await engine.run(never.wait)
        with pytest.raises(StuckError, match="3 checks have not finished"):
            await engine.run(lambda: 5)
        never.set()
        await asyncio.sleep(0.2)
        return await engine.run(lambda: 5)

    assert asyncio.run(many()) == 5


def test_an_engine_that_ends_waits_for_no_check(never: Event) -> None:
    async def one() -> None:
        engine = Engine()
        asyncio.get_running_loop().call_later(0.05, engine.end)
        with pytest.raises(StuckError):
            await engine.run(never.wait)
        assert engine.running == 1

    asyncio.run(one())
