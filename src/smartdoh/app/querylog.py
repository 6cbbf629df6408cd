"""The log of questions as text: a line for each, made aside from the answers and written by a thread.

It is a sink of the hub. Lines are kept as far as there is room; what finds none is lost, and a line says how many.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from smartdoh.app.logs import Renderer
from smartdoh.app.outlet import Outlet
from smartdoh.app.questions.seen import Seen
from smartdoh.config import qtype_text
from smartdoh.wire.codes import IN
from smartdoh.wire.names import to_text

ROOM = 8192  # hits, and as many others, that are taken at a look; twice as many wait to be written
EVERY = 0.25  # seconds between two times that lines are written
SLICE = 16  # lines made at a time, some tenths of a millisecond
LAST_WORDS = 1.0  # seconds that the end waits for what is to be written
RCODES = ("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED")

Line = dict[str, Any]


class QueryLog:
    """Writes what it takes, in the form that `serve` says; None is for nothing."""

    def __init__(self, outlet: Outlet, wall: Callable[[], float] = time.time, room: int = ROOM) -> None:
        """`wall` is the time of day."""
        self._outlet = outlet
        self._wall = wall
        self._room = 2 * room
        self._render: Renderer | None = None
        self.is_followed = False
        self._waiting: deque[Seen] = deque()  # taken, but not given to the outlet yet
        self._lost = 0

    def serve(self, render: Renderer | None) -> None:
        """Log what is taken from now on in this form; None: log nothing."""
        self._render = render
        if render is None:
            self._waiting.clear()
            self._lost = 0

    def take(self, batch: Sequence[Seen], lost: int) -> None:
        """Keep these, as far as there is room."""
        room = max(0, self._room - len(self._waiting))
        self._waiting += batch[:room]
        self._lost += lost + len(batch[room:])

    async def follow(self) -> None:
        """Write what there is, a few times a second, for as long as it is wanted."""
        self.is_followed = True
        try:
            while self._render is not None:
                await asyncio.sleep(EVERY)
                if not self._outlet.is_busy:  # else nobody reads: what finds no room meanwhile is lost
                    await self.write()
        finally:
            self.is_followed = False

    async def write(self) -> None:
        """Have all that is kept written, giving way to answers all along."""
        render, waiting = self._render, self._waiting
        if render is None:
            return
        lost, self._lost = self._lost, 0
        while waiting:
            part = [_line(waiting.popleft()) for _ in range(min(SLICE, len(waiting)))]
            self._outlet.write([f"{render(line)}\n".encode() for line in part])
            await asyncio.sleep(0)
        if lost:
            event = "questions are not in the log: there were too many, or nobody read it"
            line = {"at": _time(self._wall()), "level": "warning", "event": event, "lost": lost}
            self._outlet.write([f"{render(line)}\n".encode()])

    async def end(self) -> None:
        """Write what is left, as far as somebody reads it."""
        await self.write()
        await asyncio.to_thread(self._outlet.finish, LAST_WORDS)


def _line(seen: Seen) -> Line:
    line: Line = {"at": _time(seen.at), "level": "info", "event": "question"}
    line["client"], line["transport"] = seen.client, seen.transport
    line["name"], line["type"] = to_text(seen.name), qtype_text(seen.qtype)
    if seen.qclass != IN:
        line["class"] = f"CLASS{seen.qclass}"  # RFC 3597 section 5
    line["rcode"], line["outcome"] = _rcode(seen.rcode), seen.outcome
    for key in ("group", "upstream", "rule"):
        if value := getattr(seen, key):
            line[key] = value
    if seen.seconds is not None:
        line["ms"] = round(seen.seconds * 1000, 1)
    return line


def _time(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _rcode(number: int) -> str:
    return RCODES[number] if number < len(RCODES) else f"RCODE{number}"
