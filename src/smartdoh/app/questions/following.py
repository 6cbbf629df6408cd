"""Following what is asked: a sink that keeps what fits until it is fetched, and counts what finds no room."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence

from smartdoh.app.questions.search import Wanted
from smartdoh.app.questions.seen import Seen

ROOM = 1000  # questions that wait to be fetched
MOST = 100  # of each kind a look: what is more than a person can read
MOST_LOOKED_AT = 2000  # the same where only some of them are wanted


class Following:
    """One who follows."""

    def __init__(self, wanted: Wanted) -> None:
        self.most = MOST if wanted == Wanted(limit=wanted.limit) else MOST_LOOKED_AT
        """How many the hub is to give at a look."""
        self._wanted = wanted
        self._waiting: deque[Seen] = deque()
        self._lost = 0
        self._news = asyncio.Event()

    def take(self, batch: Sequence[Seen], lost: int) -> None:
        """Keep what is wanted of it. What was left out of the batch may have been wanted, so it counts as lost."""
        fits = self._wanted.fits
        found = [seen for seen in batch if fits(seen)]
        room = ROOM - len(self._waiting)
        self._waiting += found[:room]
        self._lost += lost + len(found[room:])
        if self._waiting or self._lost:
            self._news.set()

    def fetch(self) -> tuple[list[Seen], int]:
        """What there is since the last time, and how many were lost."""
        found, lost = list(self._waiting), self._lost
        self._waiting.clear()
        self._lost = 0
        self._news.clear()
        return found, lost

    async def news(self, seconds: float) -> None:
        """Wait until there is something to fetch, but not for longer than this."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()
