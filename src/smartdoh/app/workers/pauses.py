"""How long to wait before a worker that died is started again."""

from __future__ import annotations

SETTLED = 60.0  # seconds that a worker has lived, after which its death is not one of a series
FIRST = 0.5  # seconds, after the second death of a series; doubles up to LONGEST
LONGEST = 30.0


class Pauses:
    """The pauses of one worker: none after a long life, then growing ones."""

    def __init__(self) -> None:
        self._deaths = 0

    def next(self, lived: float) -> float:
        """Seconds until the next start, of a worker that has lived for so many."""
        self._deaths = 1 if lived >= SETTLED else self._deaths + 1
        if self._deaths == 1:
            return 0.0
        return float(min(LONGEST, FIRST * 2.0 ** min(self._deaths - 2, 16)))
