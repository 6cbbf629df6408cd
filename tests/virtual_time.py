"""An event loop whose clock jumps: where every task waits, the next timer is due at once, so no test ever sleeps."""

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

START = 1000.0  # seconds; no code may take 0.0 for the beginning of time


class _Nothing:
    """A selector of no sockets, which instead of waiting moves the clock."""

    def __init__(self) -> None:
        self.now = START

    def select(self, timeout: float | None) -> list[Any]:
        """Let `timeout` seconds pass."""
        if timeout is None:
            raise AssertionError("everything waits, and nothing will ever happen")
        self.now += timeout
        return []


class VirtualLoop(asyncio.BaseEventLoop):
    """A loop of timers and tasks alone. `complaints` is what would have been logged as an error."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = _Nothing()
        self.complaints: list[dict[str, Any]] = []
        self.set_exception_handler(lambda _, context: self.complaints.append(context))

    def time(self) -> float:
        """Seconds since some moment, as every loop has them."""
        return self._selector.now

    def _process_events(self, _: list[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody sleeps who would have to be woken."""


def run(main: Coroutine[Any, Any, T]) -> T:
    """What `main` returns, run to its end in virtual time.

    Whatever else is still under way goes on for a (virtual) minute. Fails where an exception was lost or a task is
    left over.
    """
    loop = VirtualLoop()
    try:
        asyncio.set_event_loop(loop)
        result = loop.run_until_complete(main)
        loop.run_until_complete(asyncio.sleep(60))
        left = asyncio.all_tasks(loop)
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    gc.collect()  # a future that is dropped with an exception complains when it is collected
    assert not loop.complaints
    assert not left
    return result
