"""Questions under way: one fetch for each, and everybody who waits for it, each client with its share of the places."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from smartdoh.fair import FairQueue
from smartdoh.model import Query, Reply, Route

QUESTIONS = 10_000  # that may wait, of all clients
PATIENCE = 5.0  # seconds that one may wait: what stub resolvers take before they ask again (resolv.conf(5))
LOOK_EVERY = 0.25  # seconds between two looks at who has waited too long


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


Overdue = Callable[[Waiter], None]


class Flights:
    """Keys to fetches. A fetch goes on when its waiters leave: the next one will want its answer."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        questions: int = QUESTIONS,
        patience: float = PATIENCE,
    ) -> None:
        """At most `questions` wait at a time, none of them longer than `patience` seconds.

        Where all places are taken, clients who have few of them get theirs from those who have most.
        """
        self._loop = loop
        self._patience = patience
        self._waiters: dict[bytes, list[Waiter]] = {}
        self._tasks: dict[bytes, asyncio.Task[None]] = {}
        self._places: FairQueue[Waiter] = FairQueue(questions)
        self._looking: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._waiters)

    def __contains__(self, key: bytes) -> bool:
        """Whether a fetch of `key` is under way."""
        return key in self._waiters

    @property
    def waiting(self) -> int:
        """Questions that wait."""
        return len(self._places)

    @property
    def has_room(self) -> bool:
        """Whether one more fetch may be begun: some are of questions that nobody waits for any more."""
        return len(self._waiters) < 2 * self._places.most

    @property
    def is_calm(self) -> bool:
        """Whether there is time for fetches that nobody waits for."""
        return 2 * len(self._waiters) < self._places.most

    def place(self, waiter: Waiter, overdue: Overdue) -> Waiter | None:
        """Let a question wait. Who has lost a place for it: None where there was room, `waiter` where it gets none.

        `overdue` hears of those that have waited too long; it is the same for all, and kept only while any wait.
        """
        loser = self._places.add(waiter.query.host, waiter)
        if self._looking is None:
            self._looking = self._loop.call_later(LOOK_EVERY, self._look, overdue)
        return loser

    def leave(self, waiter: Waiter) -> None:
        """It was answered before its fetch has landed."""
        self._places.discard(waiter.query.host, waiter)

    def join(self, key: bytes, waiter: Waiter | None) -> bool:
        """Wait for the fetch of `key`; False if there is none yet, so that the caller has to `start` it."""
        waiters = self._waiters.get(key)
        is_under_way = waiters is not None
        if waiters is None:
            waiters = self._waiters[key] = []
        if waiter is not None:
            waiters.append(waiter)
        return is_under_way

    def start(self, key: bytes, fetch: Coroutine[Any, Any, None]) -> None:
        """Run the fetch of `key`; it never raises, and calls `land` when it is done."""
        self._tasks[key] = self._loop.create_task(fetch)

    def land(self, key: bytes) -> list[Waiter]:
        """End the fetch of `key`, giving those who waited."""
        waiters = self._waiters.pop(key)
        self._tasks.pop(key, None)
        for waiter in waiters:
            self._places.discard(waiter.query.host, waiter)
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
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def _look(self, overdue: Overdue) -> None:
        """Tell who has waited too long; as long as anybody waits, look again."""
        self._looking = None
        before = self._loop.time() - self._patience
        for waiter in self._places.take_oldest(lambda waiter: waiter.since <= before):
            overdue(waiter)
        if self._places:
            self._looking = self._loop.call_later(LOOK_EVERY, self._look, overdue)
