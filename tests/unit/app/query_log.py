"""A query log on a real disk, fed by hand."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from smartdoh.app.questions.log.lines import Lines, LinesSettings
from smartdoh.app.questions.log.schema import FILE
from smartdoh.app.questions.search import Found, Wanted, search
from smartdoh.app.questions.seen import Decided, to_text
from smartdoh.app.workers.plainlog import PlainLog
from smartdoh.fastpath.packed import OUTCOMES, WAY, Packed, packed_client
from smartdoh.wire.names import from_text

NOON = 1_800_000_000.0  # seconds since the epoch
WHO = Decided("main", "dns.example", "routing.rules[0]: ads line 17", "ads", 17)


def record(
    name: str = "www.example.com.",
    *,
    at: float = NOON,
    client: str = "192.0.2.77",
    outcome: str = "hit",
    qtype: int = 1,
    rcode: int = 0,
    who: Decided | None = None,
    seconds: float = -1.0,
) -> Packed:
    """One record."""
    way = WAY.pack(0, OUTCOMES.index(outcome), qtype, 1, rcode)
    size, octets = packed_client(client)
    octets = octets if size in (4, 16) else bytes(16) + octets
    return Packed(at, seconds, way, octets, from_text(name), to_text(who) if who is not None else b"")


class Log:
    """The writer's output, with a clock of its own."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.path = folder / FILE
        given = {"path": str(self.path), "days": 7, "size": 1 << 30, "privacy": "whole", "exclude": ()}
        self.lines = Lines(LinesSettings(**{**given, **settings}), PlainLog("info", as_text=False))
        self.now = 0.0
        self.wall = NOON

    def write(self, *records: Packed, lost: int = 0) -> None:
        """Take these, and let the time come at which they are written."""
        self.lines.take(list(records), 0.0, lost)
        self.wait(100.0)

    def wait(self, seconds: float = 1.0) -> None:
        self.now += seconds
        self.lines.tick(self.now, self.wall)

    def search(self, **wanted: Any) -> Found:
        return search(self.path, Wanted(**wanted))

    def names(self, **wanted: Any) -> list[bytes]:
        """The names of what is found, the oldest first."""
        return [line.seen.name for line in reversed(self.search(**{"limit": 100_000, **wanted}).lines)]

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path)) as db:
            return db.execute(sql).fetchall()
