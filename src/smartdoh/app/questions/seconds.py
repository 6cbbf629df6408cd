"""What each of the last seconds had: answers by outcome, and how long they took."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from smartdoh.app.questions.spread import Key, Spread, add_up
from smartdoh.fastpath.counts import Answered

KEPT = 300  # seconds
NOTHING = 1e-6


def totals(answered: Iterable[Answered]) -> dict[str, float]:
    """Answers that were counted by kind, by their outcome."""
    return add_up({one.outcome: float(one.count)} for one in answered)


class Second(NamedTuple):
    """One second, or more where nobody came round to look."""

    at: int  # when it ended, seconds since the epoch
    length: float
    counts: Mapping[str, float]  # answers by outcome
    spread: Spread  # how long those took that were not in memory


class Growth:
    """By how much counters grew since they were last read."""

    def __init__(self, counters: Mapping[str, float]) -> None:
        self._before = counters

    def until(self, counters: Mapping[str, float]) -> dict[str, float]:
        """Since the last time; one that was begun anew has grown from nothing."""
        before, self._before = self._before, counters
        grown = {name: (count - before.get(name, 0), count) for name, count in counters.items()}
        return {name: more if more >= 0 else count for name, (more, count) in grown.items()}


class Seconds:
    """The last ones, as far as somebody watched."""

    def __init__(self, now: float, kept: int = KEPT) -> None:
        """The first one begins now (seconds)."""
        self._since = now
        self._spread: Spread = {}
        self._kept = kept
        self._seconds: deque[Second] = deque()
        self._counts: dict[str, float] = {}
        self._spreads: Spread = {}

    def took(self, step: int, count: float) -> None:
        """So many answers took so long (a step of `spread`)."""
        self._spread[step] = self._spread.get(step, 0.0) + count

    def close(self, counts: Mapping[str, float], now: float, at: int) -> None:
        """A second is over, with so many answers by outcome."""
        second = Second(at, now - self._since, counts, self._spread)
        self._seconds.append(second)
        _add(self._counts, second.counts)
        _add(self._spreads, second.spread)
        if len(self._seconds) > self._kept:
            oldest = self._seconds.popleft()
            _take_away(self._counts, oldest.counts)
            _take_away(self._spreads, oldest.spread)
        self._since, self._spread = now, {}

    def last(self) -> Second | None:
        """The last whole one."""
        return self._seconds[-1] if self._seconds else None

    def length(self) -> float:
        """How many seconds they are, and parts of them."""
        return sum(second.length for second in self._seconds)

    def all(self) -> list[Second]:
        """All that are kept, the oldest first."""
        return list(self._seconds)

    def counts(self) -> dict[str, float]:
        """Answers by outcome in all of them."""
        return dict(self._counts)

    def spread(self) -> Spread:
        """How long answers took, in all of them."""
        return dict(self._spreads)


def _add(sums: dict[Key, float], counts: Mapping[Key, float]) -> None:
    for key, count in counts.items():
        sums[key] = sums.get(key, 0.0) + count


def _take_away(sums: dict[Key, float], counts: Mapping[Key, float]) -> None:
    """Whatever floats leave of nothing is nothing."""
    for key, count in counts.items():
        sums[key] -= count
        if sums[key] < NOTHING:
            del sums[key]
