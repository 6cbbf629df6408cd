"""How long clients waited for what the table did not have: a histogram that the spine fills."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

BOUNDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)  # seconds


@dataclass(frozen=True, slots=True)
class Latency:
    """A histogram: `counts[n]` waited at most `bounds[n]` seconds and longer than the bound before; the last, longer
    than any. `seconds` is the sum."""

    bounds: tuple[float, ...] = BOUNDS
    counts: tuple[int, ...] = (0,) * (len(BOUNDS) + 1)
    count: int = 0
    seconds: float = 0.0


class Waits:
    """What the histogram is made of."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS) + 1)
        self._seconds = 0.0

    def add(self, seconds: float) -> None:
        """One client waited so long."""
        self._counts[bisect_left(BOUNDS, seconds)] += 1
        self._seconds += seconds

    def snapshot(self) -> Latency:
        """The histogram until now."""
        return Latency(counts=tuple(self._counts), count=sum(self._counts), seconds=self._seconds)
