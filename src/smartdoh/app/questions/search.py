"""Searching the query log: read-only, from the newest to the oldest, within a time and a number of lines.

A search walks back through the ids in stretches. Of each the database is asked for what fits, by the index where a name
is given; so a search that takes too long ends between two stretches, and says from where to go on.
"""

from __future__ import annotations

import heapq
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from smartdoh.app.questions.log.privacy import client_of
from smartdoh.app.questions.log.schema import (
    end_below,
    first_since,
    ids,
    is_begun,
    key_of,
    name_of,
    open_to_read,
)
from smartdoh.app.questions.seen import Seen
from smartdoh.fastpath.packed import packed_client

FIRST_STRETCH = 50_000  # ids; doubles up to LONGEST_STRETCH
LONGEST_STRETCH = 1_000_000
LONGEST = 5.0  # seconds that a search takes
LOOK_EVERY = 20_000  # steps of the database's machine between two looks at the time, some ms
FEW_NAMES = 256  # below a name: so many are looked up one by one
OUT_OF_ORDER = 5000  # milliseconds by which lines of several workers may be out of order

SELECTED = """
    SELECT q.id, q.at, w.transport, c.address, n.key, w.qtype, w.qclass, w.rcode, w.outcome,
        w."group", w.upstream, w.rule, w.list, w.line, q.took
    FROM questions AS q {plan}
    CROSS JOIN names AS n ON n.id = q.name
    CROSS JOIN clients AS c ON c.id = q.client
    CROSS JOIN ways AS w ON w.id = q.way
    WHERE q.id >= ? AND q.id < ? {also}
    ORDER BY q.id DESC LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is searched for; what is None or empty matches everything."""

    name: bytes | None = None  # in wire form, folded
    below: bool = False  # all names below it too
    client: str = ""  # an address; where only a part of it was kept, that part
    outcome: str = ""
    group: str = ""
    list: str = ""
    qtype: int | None = None
    rcode: int | None = None
    since: float | None = None  # seconds since the epoch
    until: float | None = None
    before: int | None = None  # lines with smaller ids alone
    limit: int = 100

    def fits(self, seen: Seen) -> bool:
        """Whether a question that was just answered is wanted; `since`, `until` and `before` are not looked at."""
        return (
            (self.name is None or seen.name == self.name or (self.below and _is_below(seen.name, self.name)))
            and self.client in ("", seen.client)
            and self.outcome in ("", seen.outcome)
            and self.group in ("", seen.group)
            and self.list in ("", seen.list)
            and self.qtype in (None, seen.qtype)
            and self.rcode in (None, seen.rcode)
        )


class Line(NamedTuple):
    """One line of the log."""

    id: int
    seen: Seen


class Found(NamedTuple):
    """What a search found, the newest first. `before` is what to ask for next; None: there is no more."""

    lines: list[Line]
    before: int | None


class Stop:
    """Ends a search from another thread."""

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def __call__(self) -> None:
        """End it as soon as may be: nobody waits for it any more."""
        self._stopped.set()

    @property
    def is_set(self) -> bool:
        """Whether it is to end."""
        return self._stopped.is_set()


def search(path: Path, wanted: Wanted, seconds: float = LONGEST, stop: Stop | None = None) -> Found:
    """What is in the log at `path`, nothing where there is none. It blocks, and raises sqlite3.Error."""
    if not path.exists():
        return Found([], None)
    end, stop = time.monotonic() + seconds, stop or Stop()
    with closing(open_to_read(path)) as db:
        if not is_begun(db):
            return Found([], None)
        db.set_progress_handler(lambda: stop.is_set or time.monotonic() > end + seconds, LOOK_EVERY)
        return _search(db, wanted, end, stop)


def _search(db: sqlite3.Connection, wanted: Wanted, end: float, stop: Stop) -> Found:
    low, high = _bounds(db, wanted)
    conditions = _Conditions(db, wanted)
    lines: list[Line] = []
    stretch = FIRST_STRETCH
    while high > low and not conditions.is_hopeless:
        start = max(low, high - stretch)
        lines += conditions.lines(start, high, wanted.limit - len(lines))
        if len(lines) >= wanted.limit:
            return Found(lines, lines[-1].id)
        high, stretch = start, min(LONGEST_STRETCH, stretch * 2)
        if high > low and (stop.is_set or time.monotonic() > end):
            return Found(lines, high)
    return Found(lines, None)


def _bounds(db: sqlite3.Connection, wanted: Wanted) -> tuple[int, int]:
    """From which id on, and before which one, there may be what is wanted."""
    low, high = ids(db)
    if wanted.since is not None:
        low = max(low, first_since(db, _milliseconds(wanted.since) - OUT_OF_ORDER))
    if wanted.until is not None:
        high = min(high, first_since(db, _milliseconds(wanted.until) + OUT_OF_ORDER))
    if wanted.before is not None:
        high = min(high, wanted.before)
    return low, high


class _Conditions:
    """What is wanted, as the database is asked for it."""

    def __init__(self, db: sqlite3.Connection, wanted: Wanted) -> None:
        self._db = db
        self._also: list[str] = []
        self._values: list[object] = []
        self._names: list[int] | None = (
            None  # ids that are looked up one by one; None: lines are walked through
        )
        self.is_hopeless = False
        """Whether something is wanted that is nowhere in the log."""
        self._of_time(wanted)
        self._of_client(wanted)
        self._of_way(wanted)
        if wanted.name is not None:
            self._of_name(key_of(wanted.name), below=wanted.below)

    def lines(self, start: int, end: int, limit: int) -> list[Line]:
        """The newest lines from `start` on and before `end`."""
        if self._names is None:
            return [_line(row) for row in self._rows("NOT INDEXED", "", (start, end), limit)]
        found: Iterator[tuple[Any, ...]] = heapq.merge(
            *(
                self._rows("INDEXED BY questions_by_name", f"AND q.name = {name}", (start, end), limit)
                for name in self._names
            ),
            key=lambda row: -row[0],
        )
        return [_line(row) for row, _ in zip(found, range(limit), strict=False)]

    def _rows(self, plan: str, name: str, ids: tuple[int, int], limit: int) -> list[tuple[Any, ...]]:
        sql = SELECTED.format(plan=plan, also=" ".join((name, *self._also)))
        return self._db.execute(sql, (*ids, *self._values, limit)).fetchall()

    def _add(self, condition: str, *values: object) -> None:
        self._also.append(f"AND {condition}")
        self._values += values

    def _of_time(self, wanted: Wanted) -> None:
        if wanted.since is not None:
            self._add("q.at >= ?", _milliseconds(wanted.since))
        if wanted.until is not None:
            self._add("q.at <= ?", _milliseconds(wanted.until))

    def _of_client(self, wanted: Wanted) -> None:
        if not wanted.client:
            return
        short = client_of(packed_client(wanted.client)[1], "short")
        ids = self._ids(
            "SELECT id FROM clients WHERE address IN (?, ?)", wanted.client, short or wanted.client
        )
        self._add(f"q.client IN ({', '.join(map(str, ids))})")
        self.is_hopeless = self.is_hopeless or not ids

    def _of_way(self, wanted: Wanted) -> None:
        said = {
            "outcome": wanted.outcome or None,
            '"group"': wanted.group or None,
            "list": wanted.list or None,
            "qtype": wanted.qtype,
            "rcode": wanted.rcode,
        }
        given = {column: value for column, value in said.items() if value is not None}
        if not given:
            return
        where = " AND ".join(f"{column} = ?" for column in given)
        ways = f"SELECT id FROM ways WHERE {where}"  # noqa: S608 - our own words
        self._add(f"q.way IN ({ways})", *given.values())
        self.is_hopeless = self.is_hopeless or not self._ids(f"{ways} LIMIT 1", *given.values())

    def _of_name(self, key: bytes, *, below: bool) -> None:
        if not below:
            self._names = self._ids("SELECT id FROM names WHERE key = ?", key)
            self.is_hopeless = self.is_hopeless or not self._names
            return
        names = "SELECT id FROM names WHERE key >= ? AND key < ?"
        ids = self._ids(f"{names} LIMIT ?", key, end_below(key), FEW_NAMES + 1)
        self.is_hopeless = self.is_hopeless or not ids
        if len(ids) <= FEW_NAMES:
            self._names = ids
        else:
            self._add(f"q.name IN ({names})", key, end_below(key))

    def _ids(self, sql: str, *values: object) -> list[int]:
        return [row[0] for row in self._db.execute(sql, values)]


def _line(row: tuple[Any, ...]) -> Line:
    number, at, transport, client, key, *rest, took = row
    seconds = None if took is None else took / 1e6
    return Line(number, Seen._make((at / 1000, transport, client, name_of(key), *rest, seconds, 1.0)))


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)


def _is_below(name: bytes, zone: bytes) -> bool:
    """Whether a wire name is below another: both are folded."""
    return key_of(name).startswith(key_of(zone))
