"""An asyncio loop in a thread of its own, so that a test can be plain code beside its servers."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
CALL_SECONDS = 10


class LoopThread:
    """Runs a loop until closed; coroutines and calls are handed to it from outside."""

    def __init__(self, name: str) -> None:
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(self._keep)
        self._failures: list[dict[str, Any]] = []
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def _keep(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self._failures.append(context)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What the coroutine returns, once the loop has run it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(CALL_SECONDS)

    def call(self, work: Callable[[], T]) -> T:
        """What a plain function returns, called in the loop's thread."""

        async def wrapped() -> T:
            return work()

        return self.run(wrapped())

    def close(self) -> None:
        """Cancels what is left, stops the loop, and raises what nobody had caught in it."""
        self.run(_cancel_all())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()
        if self._failures:
            raise AssertionError(f"in {self._thread.name}: {self._failures}")


async def _cancel_all() -> None:
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    await asyncio.sleep(0)  # one more turn: closed transports tell their protocols
