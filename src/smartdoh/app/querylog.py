"""The log of questions: a line for each, made aside from the answers, written by a thread that nobody waits for.

Hits come from the fast path's records, all others are told by the resolver. Both are kept as far as there is room,
taken a few times a second, and put in order; what finds no room is lost, and a line says how many.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from smartdoh.app import clock
from smartdoh.app.logs import Renderer
from smartdoh.app.outlet import Outlet
from smartdoh.config import qtype_text
from smartdoh.fastpath import FastPath
from smartdoh.fastpath.log import Logged
from smartdoh.pipeline.resolve import Resolver
from smartdoh.pipeline.told import Told
from smartdoh.wire.codes import IN
from smartdoh.wire.names import to_text

ROOM = 8192  # records of hits, and as many of others, between two looks
EVERY = 0.25  # seconds between them
SLICE = 16  # lines made at a time, some tenths of a millisecond
LAST_WORDS = 1.0  # seconds that the end waits for what is to be written
RCODES = ("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED")

Line = dict[str, Any]


class QueryLog:
    """Off until `serve` says that it is wanted; then it follows the parts that answer."""

    def __init__(
        self,
        outlet: Outlet,
        now: Callable[[], float] = clock.now,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`now` is the fast path's clock, `wall` the time of day."""
        self._outlet = outlet
        self._now, self._wall = now, wall
        self._fast: FastPath | None = None
        self._render: Renderer | None = None
        self.is_followed = False
        self._hits: list[Logged] = []  # taken from the fast path, but not made lines yet
        self._others: list[tuple[float, Told]] = []
        self._lines: deque[Line] = deque()  # taken, but not given to the outlet yet
        self._lost = 0

    def serve(self, fast: FastPath, resolver: Resolver, render: Renderer | None) -> None:
        """Log what these answer from now on, in this form; None: log nothing."""
        self._keep_hits()
        if self._fast is not None and self._fast is not fast:
            self._fast.log(0)
        self._fast, self._render = fast, render
        if render is None:
            fast.log(0)
            resolver.tell = None
            self._forget()
        else:
            fast.log(ROOM)
            resolver.tell = self.tell

    def tell(self, told: Told) -> None:
        """Keep what the resolver says of a question."""
        if self._render is None:  # of a runtime that is ending, and no more is wanted
            return
        if len(self._others) < ROOM:
            self._others.append((self._now(), told))
        else:
            self._lost += 1

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
        render = self._render
        if render is None:
            return
        lines = self._lines
        lines += self._take(self._wall() - self._now())
        while lines:
            part = [lines.popleft() for _ in range(min(SLICE, len(lines)))]
            self._outlet.write([f"{render(line)}\n".encode() for line in part])
            await asyncio.sleep(0)

    async def end(self) -> None:
        """Write what is left, as far as somebody reads it."""
        await self.write()
        await asyncio.to_thread(self._outlet.finish, LAST_WORDS)

    def _keep_hits(self) -> None:
        if self._fast is not None:
            hits, lost = self._fast.take_log()
            room = ROOM - len(self._hits)
            self._hits += hits[:room]
            self._lost += lost + len(hits[room:])

    def _forget(self) -> None:
        self._hits, self._others, self._lost = [], [], 0
        self._lines.clear()

    def _take(self, ahead: float) -> list[Line]:
        """The lines to be, in order; `ahead` is how far the time of day is ahead of the fast path's clock."""
        self._keep_hits()
        hits, others, lost = self._hits, self._others, self._lost
        self._hits, self._others, self._lost = [], [], 0
        timed = [(hit.at, _of_hit(hit)) for hit in hits] + [(at, _of_other(told)) for at, told in others]
        timed.sort(key=lambda one: one[0])
        if lost:
            event = "questions are not in the log: there were too many, or nobody read it"
            timed.append((self._now(), {"level": "warning", "event": event, "lost": lost}))
        return [{"at": datetime.fromtimestamp(at + ahead, UTC), **line} for at, line in timed]


def _of_hit(hit: Logged) -> Line:
    line = _line(hit.host, hit.transport, hit.name, hit.qtype, hit.qclass)
    return {**line, "rcode": _rcode(hit.rcode), "outcome": hit.outcome}


def _of_other(told: Told) -> Line:
    query, route, outcome = told.query, told.route, told.outcome
    line = _line(query.host, "udp" if told.udp else "tcp", query.name, query.qtype, query.qclass)
    if route is not None:
        if outcome != "here":
            line["group"] = route.group
        elif route.is_blocked:
            outcome = "blocked"
        line["rule"] = route.why
    return {**line, "rcode": _rcode(told.rcode), "outcome": outcome, "ms": round(told.seconds * 1000, 1)}


def _line(host: str, transport: str, name: bytes, qtype: int, qclass: int) -> Line:
    line: Line = {"level": "info", "event": "question", "client": host, "transport": transport}
    line["name"], line["type"] = to_text(name), qtype_text(qtype)
    if qclass != IN:
        line["class"] = f"CLASS{qclass}"  # RFC 3597 section 5
    return line


def _rcode(number: int) -> str:
    return RCODES[number] if number < len(RCODES) else f"RCODE{number}"
