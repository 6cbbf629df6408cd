"""Questions as lines of the database: gathered, then written in one transaction a second.

What goes wrong with the disk costs lines, and nothing else: what cannot be written is kept for a while, then counted as
lost, and the database is tried again with growing pauses. One that is broken is set aside, and a new one begun.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from smartdoh.app.questions.log.ids import Ids, id_of
from smartdoh.app.questions.log.privacy import Excluded, Privacy, client_of
from smartdoh.app.questions.log.retention import Retention
from smartdoh.app.questions.log.schema import StrangeError, key_of, open_to_write, set_aside
from smartdoh.app.questions.seen import from_text
from smartdoh.app.workers.plainlog import PlainLog
from smartdoh.fastpath.packed import OUTCOMES, TRANSPORTS, WAY, Packed

EVERY = 1.0  # seconds between two transactions
MOST_WAITING = 200_000  # lines, while the disk does not take them
MANY = MOST_WAITING // 2  # lines that are written at once, as when a proxy had held them
FIRST_PAUSE = 1.0  # seconds before the disk is tried again; doubles up to LONGEST_PAUSE
LONGEST_PAUSE = 30.0
LEFT_OUT = 0  # instead of the id of a name that is left out: ids begin at 1
BROKEN = frozenset((sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB))
TELL_EVERY = 60.0  # seconds between two lines about what was lost
PRIMARY = 0xFF  # of an error's code; the rest says it more exactly

Row = tuple[int, int, int, int, int | None]


@dataclass(frozen=True, slots=True)
class LinesSettings:
    """What is written, where, and for how long."""

    path: str
    days: float
    size: int
    privacy: Privacy
    exclude: tuple[str, ...]


class Lines:
    """The database as an output of the writer."""

    def __init__(self, settings: LinesSettings, log: PlainLog) -> None:
        self._settings = settings
        self._log = log
        self._path = Path(settings.path)
        self._excluded = Excluded(settings.exclude)
        self._retention = Retention(settings.days, settings.size)
        self._db: sqlite3.Connection | None = None
        self._inode = 0
        self._names = Ids(self._name_id)
        self._clients = Ids(self._client_id)
        self._ways = Ids(self._way_id)
        self._waiting: list[tuple[float, list[Packed]]] = []
        self._count = self._lost = 0
        self._untold = 0  # lost lines that nobody has read of in the log
        self._next = self._tell_at = 0.0
        self._pause = 0.0  # since the last write failed; 0.0: it did not

    def take(self, records: list[Packed], ahead: float, lost: int) -> None:
        """Keep records for the next transaction; `ahead` is how far the time of day is ahead of their clock."""
        self._lost += lost
        if self._count + len(records) > MOST_WAITING:
            self._lost += len(records)
            return
        self._count += len(records)
        self._waiting.append((ahead, records))

    def tick(self, now: float, wall: float) -> None:
        """Write what there is if it is time, and remove what is too old. `now` is any clock, `wall` the time of day."""
        if now < self._next and (self._pause or self._count < MANY):
            return
        self._next = now + EVERY
        try:
            self._write(wall)
        except (sqlite3.Error, OSError) as error:
            self._fail(error, wall)
            self._next = now + self._pause

    def close(self, wall: float) -> None:
        """Write what is left."""
        self.tick(self._next, wall)
        self._close()

    def _write(self, wall: float) -> None:
        db, count, lost = self._open(), self._count, self._lost
        if count or lost:
            db.execute("BEGIN IMMEDIATE")
            db.executemany(
                "INSERT INTO questions (at, name, client, way, took) VALUES (?, ?, ?, ?, ?)",
                self._rows(),
            )
            if lost:
                db.execute("INSERT INTO lost (at, lines) VALUES (?, ?)", (int(wall * 1000), lost))
            db.execute("COMMIT")
            self._waiting, self._count, self._lost = [], 0, 0
        self._tell(lost)
        if self._retention.step(db, wall, count):
            self._names.forget()

    def _tell(self, lost: int) -> None:
        """Say that it goes on, and now and then how many lines were lost."""
        self._untold += lost
        if self._pause:
            self._pause = 0.0
            self._log.warning("the query log goes on", file=str(self._path), lost=self._untold)
        elif self._untold and self._next >= self._tell_at:
            self._log.warning("questions are not in the query log: there were too many", lost=self._untold)
        else:
            return
        self._untold, self._tell_at = 0, self._next + TELL_EVERY

    def _rows(self) -> list[Row]:
        rows: list[Row] = []
        for ahead, records in self._waiting:
            self._add_rows(rows, records, ahead)
        return rows

    def _add_rows(self, rows: list[Row], records: Iterable[Packed], ahead: float) -> None:
        """Append a row for each record. This is what limits how many lines a second there may be."""
        names, clients, ways = self._names, self._clients, self._ways
        append = rows.append
        for at, seconds, way, client, name, text in records:
            name_id = names.recent.get(name)
            if name_id is None:
                name_id = names.find(name)
            if name_id == LEFT_OUT:
                continue
            what = way + text if text else way
            append(
                (
                    int((at + ahead) * 1000),
                    name_id,
                    clients.recent.get(client) or clients.find(client),
                    ways.recent.get(what) or ways.find(what),
                    int(seconds * 1e6) if seconds >= 0 else None,
                )
            )

    def _name_id(self, name: bytes) -> int:
        if name in self._excluded:
            return LEFT_OUT
        return id_of(self._open(), "names", {"key": key_of(name)})

    def _client_id(self, client: bytes) -> int:
        return id_of(self._open(), "clients", {"address": client_of(client, self._settings.privacy)})

    def _way_id(self, way: bytes) -> int:
        transport, outcome, qtype, qclass, rcode = WAY.unpack_from(way)
        who = from_text(way[WAY.size :])._asdict()
        numbers = {"qtype": qtype, "qclass": qclass, "rcode": rcode}
        shown = {"transport": TRANSPORTS[transport], "outcome": OUTCOMES[outcome]}
        return id_of(self._open(), "ways", {**shown, **numbers, **who})

    def _open(self) -> sqlite3.Connection:
        """The database; another one if somebody has taken it away."""
        if self._db is not None and not self._db.in_transaction and self._is_gone():
            self._log.warning("the query log's file is gone; another is begun", file=str(self._path))
            self._close()
        if self._db is None:
            self._db = open_to_write(self._path)
            self._inode = self._path.stat().st_ino
        return self._db

    def _is_gone(self) -> bool:
        try:
            return os.stat(self._path).st_ino != self._inode
        except OSError:
            return True

    def _fail(self, error: Exception, wall: float) -> None:
        """Say so once, and try again later."""
        if not self._pause:
            reason, file = str(error), str(self._path)
            self._log.error("the query log cannot be written; answers go on", file=file, reason=reason)
        self._pause = min(LONGEST_PAUSE, self._pause * 2 or FIRST_PAUSE)
        self._close()
        code = getattr(error, "sqlite_errorcode", 0) & PRIMARY
        if code in BROKEN or isinstance(error, StrangeError):
            self._set_aside(wall)

    def _set_aside(self, wall: float) -> None:
        try:
            aside = set_aside(self._path, wall)
        except OSError:
            return
        self._log.warning("the query log was broken, and a new one is begun", aside=str(aside))
        self._pause = FIRST_PAUSE

    def _close(self) -> None:
        """Close the database as it is; nothing that is known of it holds for the next one."""
        db, self._db = self._db, None
        for ids in (self._names, self._clients, self._ways):
            ids.forget()
        if db is not None:
            db.close()
