"""The live view: what was asked in the last minutes, by whom and what became of it, kept while somebody watches."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from smartdoh.app.questions.busiest import Busiest
from smartdoh.app.questions.seconds import KEPT, Growth, Second, Seconds
from smartdoh.app.questions.seen import Seen
from smartdoh.app.questions.spread import Spread, step_of

LAST = 50  # questions that are shown
TOP = 100  # names, clients and blocked names of one process; fewer are shown, when those of all workers are known
LISTS = 1000  # blocked names of which it is remembered which list has them
WAITED_FOR = frozenset(("hit", "stale", "miss", "failed"))  # not in memory: on disk, or at an upstream

Counters = Callable[[], Mapping[str, float]]
"""How many questions were answered since the start, by outcome: exact, whatever is sampled."""


class Look(NamedTuple):
    """What one look at the live view shows. Names are in wire form, counts are since it is watched, at most minutes."""

    at: float  # seconds since the epoch
    seconds: float  # that the counts are of
    last_second: Second | None
    counts: Mapping[str, float]  # answers by outcome
    spread: Spread
    names: list[tuple[bytes, int]]
    clients: list[tuple[str, int]]
    blocked: list[tuple[bytes, int, str]]  # with the list that has it; empty where that is not known
    last: list[Seen]  # the newest first
    history: list[Second]
    sampled: bool  # whether some were counted by what was seen of others


class LiveView:
    """A sink of the hub. What comes is counted, not kept: its memory is bounded whatever is asked."""

    def __init__(
        self,
        counters: Counters,
        now: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`counters` are read once a second."""
        self._counters = counters
        self._now, self._wall = now, wall
        self._second = int(wall())
        self._growth = Growth(counters())
        self._seconds = Seconds(now())
        self._names, self._clients = Busiest[bytes](), Busiest[str]()
        self._blocked = Busiest[bytes]()
        self._lists: dict[bytes, str] = {}
        self._last: deque[Seen] = deque(maxlen=LAST)
        self._sampled_at = -math.inf

    def take(self, batch: Sequence[Seen], lost: int) -> None:
        """Count what was asked. What is lost is counted too: the weights of the batch stand for it."""
        now = self._now()
        self.tick()
        if lost:
            self._sampled_at = now
        for seen in batch:
            self._count(seen, now)
        self._last.extend(batch[-LAST:])

    def tick(self) -> None:
        """Close the second that is over, if one is."""
        second = int(self._wall())
        if second != self._second:
            self._second = second
            self._seconds.close(self._growth.until(self._counters()), self._now(), second)

    def look(self) -> Look:
        """What there is to see now."""
        self.tick()
        now, seconds = self._now(), self._seconds
        blocked = self._blocked.top(TOP, now)
        return Look(
            at=self._wall(),
            seconds=seconds.length(),
            last_second=seconds.last(),
            counts=seconds.counts(),
            spread=seconds.spread(),
            names=self._names.top(TOP, now),
            clients=self._clients.top(TOP, now),
            blocked=[(name, count, self._lists.get(name, "")) for name, count in blocked],
            last=list(reversed(self._last)),
            history=seconds.all(),
            sampled=now - self._sampled_at < KEPT,
        )

    def _count(self, seen: Seen, now: float) -> None:
        weight = seen.weight
        self._names.add(seen.name, weight, now)
        self._clients.add(seen.client, weight, now)
        if seen.outcome == "blocked":
            self._blocked.add(seen.name, weight, now)
            self._remember(seen)
        if seen.seconds is not None and seen.outcome in WAITED_FOR:
            self._seconds.took(step_of(seen.seconds), weight)

    def _remember(self, seen: Seen) -> None:
        """Which list blocks a name, as far as that is told."""
        if not seen.list:
            return
        if seen.name not in self._lists and len(self._lists) >= LISTS:
            del self._lists[next(iter(self._lists))]
        self._lists[seen.name] = seen.list
