"""Hits first: what is kept is given between two pieces of a long stretch of work, and not only after all of it."""

from __future__ import annotations

import time
from collections.abc import Callable

EVERY = 0.0002  # seconds of work, after which the next piece waits for one more look at the sockets


class Between:
    """Called after each piece of work that others like it may follow at once: a miss, an answer of an upstream.

    Many of these may fall into one turn of the loop, which looks at its sockets only once a turn.
    """

    __slots__ = ("_clock", "_looks", "_next")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._looks: list[Callable[[], None]] = []
        self._next = 0.0

    def look(self, look: Callable[[], None]) -> None:
        """Call `look` too, from now on, when it is time. It may not call this object again."""
        self._looks.append(look)

    def __call__(self) -> None:
        """Look at the sockets if that was not done just now."""
        now = self._clock()
        if now >= self._next:
            for look in self._looks:
                look()
            self._next = self._clock() + EVERY
