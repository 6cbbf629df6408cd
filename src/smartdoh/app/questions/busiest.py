"""What occurs most often, counted in bounded memory whatever comes: space-saving counters in panes of a sliding window.

A full set of counters gives the place of its least to whoever is new, and that count to go on from (Metwally, Agrawal
and El Abbadi 2005). So each count is too high by at most what it began with, which is kept beside it, and whatever is
more than one in `room` of all that came has a place.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Hashable, Iterator
from operator import itemgetter
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)

PANES = 5
PANE = 60.0  # seconds; what is counted is the last four to five of them
ROOM = 400  # counters in a pane: 2,000 in all


class Counters(Generic[Key]):
    """At most `room` counters."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._counts: dict[Key, float] = {}
        self._excess: dict[Key, float] = {}  # what a counter began with: not its own
        self._heap: list[
            tuple[float, int, Key]
        ] = []  # with the count that each had when it was last looked at
        self._order = itertools.count()  # so that keys are never compared
        self.total = 0.0

    def __len__(self) -> int:
        return len(self._counts)

    def add(self, key: Key, weight: float = 1.0) -> None:
        """`key` came once more, or stands for so many."""
        self.total += weight
        if key in self._counts:
            self._counts[key] += weight
            return
        before = self._free_place() if len(self._counts) >= self._room else 0.0
        self._counts[key], self._excess[key] = before + weight, before
        heapq.heappush(self._heap, (before + weight, next(self._order), key))

    def counts(self) -> Iterator[tuple[Key, float]]:
        """How often each surely came: not more than that is ever claimed."""
        return ((key, count - self._excess[key]) for key, count in self._counts.items())

    def most(self, key: Key) -> float:
        """How often `key` can have come at most."""
        least = self._least() if len(self._counts) >= self._room else 0.0
        return self._counts.get(key, least)

    def _free_place(self) -> float:
        """Take the place of the least; its count."""
        least = self._least()
        _, _, key = heapq.heappop(self._heap)
        del self._counts[key], self._excess[key]
        return least

    def _least(self) -> float:
        """The lowest count, brought to the heap's top. Counts only grow: each is put in order when it comes up."""
        while True:
            noted, order, key = self._heap[0]
            count = self._counts[key]
            if noted == count:
                return count
            heapq.heapreplace(self._heap, (count, order, key))


class Busiest(Generic[Key]):
    """Counters over the last minutes: as many sets of them as panes, the oldest forgotten whole."""

    def __init__(self, panes: int = PANES, seconds: float = PANE, room: int = ROOM) -> None:
        self._panes, self._seconds, self._room = panes, seconds, room
        self._number = 0  # of the pane that is being filled: the time in panes
        self._kept: dict[int, Counters[Key]] = {}
        self._full: dict[Key, float] = {}  # the sums of all but the one that is being filled

    def add(self, key: Key, weight: float, now: float) -> None:
        """`key` came now, `weight` times."""
        self._turn(now)
        self._kept[self._number].add(key, weight)

    def top(self, most: int, now: float) -> list[tuple[Key, int]]:
        """What came most often, and how often at least."""
        self._turn(now)
        sums = self._full.copy()
        _add(sums, self._kept[self._number])
        ranked = heapq.nlargest(most, sums.items(), key=itemgetter(1))
        return [(key, max(1, round(count))) for key, count in ranked]

    def _turn(self, now: float) -> None:
        number = max(self._number, int(now // self._seconds))
        if number in self._kept:
            return
        self._number = number
        self._kept[number] = Counters(self._room)
        for old in [one for one in self._kept if one <= number - self._panes]:
            del self._kept[old]
        self._full = {}
        for one, counters in self._kept.items():
            if one != number:
                _add(self._full, counters)


def _add(sums: dict[Key, float], counters: Counters[Key]) -> None:
    for key, count in counters.counts():
        sums[key] = sums.get(key, 0.0) + count
