"""Questions under way: one fetch for each, and everybody who waits for it, each client with its share of the places."""

from __future__ import annotations

import asyncio
import math
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
        self.under_way: dict[bytes, list[Waiter]] = {}
        """Who waits for the fetch of each key; only those that are in `places` still do."""
        self.places: FairQueue[Waiter] = FairQueue(questions)
        self.is_looking = False
        self.joined_at = -math.inf
        """When a question last came in while it was under way, by the loop's clock."""
        self._loop = loop
        self._patience = patience
        self._tasks: dict[bytes, asyncio.Task[None]] = {}
        self._looking: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self.under_way)

    def __contains__(self, key: bytes) -> bool:
        """Whether a fetch of `key` is under way."""
        return key in self.under_way

    @property
    def waiting(self) -> int:
        """Questions that wait."""
        return len(self.places)

    @property
    def is_full(self) -> bool:
        """Whether no more fetches may be begun: there are some of questions that nobody waits for any more."""
        return len(self.under_way) >= 2 * self.places.most

    @property
    def is_calm(self) -> bool:
        """Whether there is time for fetches that nobody waits for."""
        return 2 * len(self.under_way) < self.places.most

    def start(self, key: bytes, waiters: list[Waiter], fetch: Coroutine[Any, Any, None]) -> None:
        """Run the fetch of `key`; it never raises, and calls `land` when it is done."""
        self.under_way[key] = waiters
        self._tasks[key] = self._loop.create_task(fetch)

    def land(self, key: bytes) -> list[Waiter]:
        """End the fetch of `key`, giving those who waited."""
        waiters = self.under_way.pop(key)
        self._tasks.pop(key, None)
        discard = self.places.discard
        for waiter in waiters:
            discard(waiter.query.host, waiter)
        return waiters

    def look_for(self, overdue: Overdue) -> None:
        """Tell of those that have waited too long, from now on and for as long as any wait."""
        self.is_looking = True
        self._looking = self._loop.call_later(LOOK_EVERY, self._look, overdue)

    async def landed(self, key: bytes) -> None:
        """Wait until the fetch of `key` has ended, if there is one under way."""
        if (task := self._tasks.get(key)) is not None:
            await asyncio.wait((task,))

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
        self._looking, self.is_looking = None, False
        before = self._loop.time() - self._patience
        for waiter in self.places.take_oldest(lambda waiter: waiter.since <= before):
            overdue(waiter)
        if self.places:
            self.look_for(overdue)
