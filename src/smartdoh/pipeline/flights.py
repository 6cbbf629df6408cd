"""Questions under way: one fetch for each, and everybody who waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from smartdoh.model import Query, Reply, Route

MOST_FLIGHTS = 10_000  # fetches under way
MOST_WAITING = 50_000  # clients' questions that wait for them


class Waiter:
    """One client's question that waits. It is answered once: by the fetch, or earlier by a stale answer."""

    __slots__ = ("query", "reply", "route", "since", "udp")

    def __init__(self, query: Query, reply: Reply | None, since: float, *, udp: bool) -> None:
        """`since` is when it came, by the loop's clock."""
        self.query = query
        self.reply = reply
        self.since = since
        self.route: Route | None = None
        self.udp = udp


class Flights:
    """Keys to fetches. A fetch goes on when its waiters leave: the next one will want its answer."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.waiting = 0
        self._loop = loop
        self._waiters: dict[bytes, list[Waiter]] = {}
        self._tasks: dict[bytes, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        return len(self._waiters)

    def __contains__(self, key: bytes) -> bool:
        """Whether a fetch of `key` is under way."""
        return key in self._waiters

    @property
    def has_room(self) -> bool:
        """Whether one more question may wait."""
        return len(self._waiters) < MOST_FLIGHTS and self.waiting < MOST_WAITING

    def join(self, key: bytes, waiter: Waiter | None) -> bool:
        """Wait for the fetch of `key`; False if there is none yet, so that the caller has to `start` it."""
        waiters = self._waiters.get(key)
        is_under_way = waiters is not None
        if waiters is None:
            waiters = self._waiters[key] = []
        if waiter is not None:
            waiters.append(waiter)
            self.waiting += 1
        return is_under_way

    def start(self, key: bytes, fetch: Coroutine[Any, Any, None]) -> None:
        """Run the fetch of `key`; it never raises, and calls `land` when it is done."""
        self._tasks[key] = self._loop.create_task(fetch)

    def land(self, key: bytes) -> list[Waiter]:
        """End the fetch of `key`, giving those who waited."""
        waiters = self._waiters.pop(key)
        self._tasks.pop(key, None)
        self.waiting -= len(waiters)
        return waiters

    async def finish(self, seconds: float) -> None:
        """Wait until what is under way has landed, at most so long."""
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=seconds)

    async def aclose(self) -> None:
        """End every fetch."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
