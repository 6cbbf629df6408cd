"""What the spine answered, counted by what it was and timed by what became of it; the table counts its own answers."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict

from smartdoh.fastpath import counts
from smartdoh.fastpath.counts import PER_OUTCOME, PER_TRANSPORT, RCODES, TYPES, Answered
from smartdoh.fastpath.latency import BOUNDS, Latency
from smartdoh.outcome import BLOCKED, FAILED, LOCAL, MISS, NAMES, STALE

TIMED = (STALE, MISS, BLOCKED, LOCAL, FAILED)


class Asked:
    """Counters since the start, which outlive each reload."""

    def __init__(self) -> None:
        self._counts: defaultdict[int, int] = defaultdict(int)  # by the numbers that `counts` gives
        self._waits = [[0] * (len(BOUNDS) + 1) for _ in NAMES]
        self._seconds = [0.0] * len(NAMES)

    def add(self, outcome: int, qtype: int, rcode: int, seconds: float, *, udp: bool) -> None:
        """One more question has its answer, after so long. On the path of each miss: half a microsecond."""
        kind = outcome * PER_OUTCOME + rcode
        if qtype < TYPES:
            kind += qtype * RCODES
        self._counts[kind if udp else kind + PER_TRANSPORT] += 1
        self._waits[outcome][bisect_left(BOUNDS, seconds)] += 1
        self._seconds[outcome] += seconds

    def answered(self) -> list[Answered]:
        """How many of each kind, in their order."""
        return counts.answered(sorted(self._counts.items()))

    def latency(self) -> dict[str, Latency]:
        """How long those who asked waited, by outcome: for none that was known at once, or not looked for."""
        return {NAMES[outcome]: self._latency(outcome) for outcome in TIMED}

    def _latency(self, outcome: int) -> Latency:
        waits = self._waits[outcome]
        return Latency(BOUNDS, tuple(waits), sum(waits), self._seconds[outcome])
