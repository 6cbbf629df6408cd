"""Whether somebody watches: the live view is there while that is so, and costs nothing when it is not.

Where there is a dashboard it is always there, so that a page which is opened has a past.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Iterator

from smartdoh.app.questions.hub import Hub
from smartdoh.app.questions.live import Counters, LiveView, Look
from smartdoh.tasks import Tasks

PATIENCE = 60.0  # seconds after somebody last looked
MOST_FOLLOWERS = 8
RECORDS = 256  # of hits, and as many of others, that are looked at five times a second: a hundredth of a core
FEW = 64  # the same while nobody looks
LATE = 0.005  # seconds after a full one that it is closed: a timer may come a little early


class Watching:
    """Starts the live view with the first look at it, and ends it a minute after the last, unless it is kept."""

    def __init__(
        self,
        hub: Hub,
        counters: Counters,
        tasks: Tasks,
        now: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Nobody has looked yet."""
        self._hub, self._counters, self._tasks = hub, counters, tasks
        self._now, self._wall = now, wall
        self._view: LiveView | None = None
        self._looked = -math.inf
        self._is_kept = False
        self._ticked = asyncio.Event()
        self._followers = 0

    @property
    def is_full(self) -> bool:
        """Whether as many follow as may."""
        return self._followers >= MOST_FOLLOWERS

    @contextlib.contextmanager
    def following(self) -> Iterator[None]:
        """While this is open, one more follows."""
        self._followers += 1
        try:
            yield
        finally:
            self._followers -= 1

    def keep(self, is_wanted: bool) -> None:
        """Have it there also while nobody looks, or no more."""
        self._is_kept = is_wanted
        if is_wanted and self._view is None:
            self._begin(FEW)

    def look(self) -> Look:
        """What there is to see; nothing yet when nobody has watched before."""
        return self._for_somebody().look()

    async def next_second(self) -> None:
        """Wait until there is more to see."""
        self._for_somebody()
        await self._ticked.wait()

    def _for_somebody(self) -> LiveView:
        """The view, which sees enough from now on."""
        had_looked, self._looked = self._is_looked_at, self._now()
        if self._view is None:
            return self._begin(RECORDS)
        if not had_looked:
            self._hub.add(self._view, RECORDS)
        return self._view

    @property
    def _is_looked_at(self) -> bool:
        return self._now() - self._looked < PATIENCE

    def _begin(self, most: int) -> LiveView:
        view = self._view = LiveView(self._counters, self._now, self._wall)
        self._hub.add(view, most)
        self._tasks.start(self._follow(view), "live view")
        return view

    async def _follow(self, view: LiveView) -> None:
        try:
            was_looked_at = self._is_looked_at
            while self._is_kept or self._is_looked_at:
                if was_looked_at and not self._is_looked_at:
                    self._hub.add(view, FEW)
                was_looked_at = self._is_looked_at
                await asyncio.sleep(1 + LATE - self._wall() % 1)
                view.tick()
                ticked, self._ticked = self._ticked, asyncio.Event()
                ticked.set()
        finally:
            self._hub.remove(view)
            self._view = None
