"""The ledger as an output of the writer process: what was counted is added to the table every few seconds."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from smartdoh.app.leaks import table
from smartdoh.app.ledger import Leaves
from smartdoh.app.questions.log.privacy import Excluded
from smartdoh.app.questions.log.schema import open_to_write
from smartdoh.app.workers.plainlog import PlainLog
from smartdoh.fastpath.packed import Packed

EVERY = 5.0  # seconds between two transactions
LONGEST_PAUSE = 60.0  # seconds, where the disk does not take them
MOST_WAITING = 200_000  # lines, meanwhile
TRIM_EVERY = 3600.0  # seconds between two looks whether there are too many lines
OCTETS_A_LINE = (
    1000  # of the log's size there is one line for so many, so that the ledger is at most a tenth of it
)

Key = tuple[bytes, str, str]


@dataclass(frozen=True, slots=True)
class LedgerSettings:
    """Where it is written, and how much of it."""

    path: str
    size: int
    exclude: tuple[str, ...]


class LedgerTable:
    """Adds up what comes, and adds that to the table. What goes wrong with the disk costs counts, and nothing else."""

    def __init__(self, settings: LedgerSettings, log: PlainLog) -> None:
        self._path = Path(settings.path)
        self._most = min(table.MOST, settings.size // OCTETS_A_LINE)
        self._excluded = Excluded(settings.exclude)
        self._log = log
        self._waiting: dict[Key, int] = {}
        self._lost = 0
        self._next = self._trim_at = 0.0
        self._pause = 0.0  # since the last write failed; 0.0: it did not

    def take(self, records: list[Packed], ahead: float, lost: int) -> None:
        """As in Output: the questions themselves are not its business."""

    def take_leaves(self, leaves: list[Leaves], lost: int) -> None:
        """As in TakesLeaves."""
        self._lost += lost
        for name, group, upstream, times in leaves:
            key = name, group, upstream
            if key in self._waiting:
                self._waiting[key] += times
            elif name in self._excluded:
                continue
            elif len(self._waiting) < MOST_WAITING:
                self._waiting[key] = times
            else:
                self._lost += times

    def tick(self, now: float, wall: float) -> None:
        """As in Output."""
        if now < self._next:
            return
        self._next = now + EVERY
        try:
            self._write(now, wall)
        except (sqlite3.Error, OSError) as error:
            if not self._pause:
                self._log.error("the ledger cannot be written", file=str(self._path), reason=str(error))
            self._pause = min(LONGEST_PAUSE, self._pause * 2 or EVERY)
            self._next = now + self._pause
        else:
            self._pause = 0.0

    def close(self, wall: float) -> None:
        """As in Output."""
        self.tick(self._next, wall)

    def _write(self, now: float, wall: float) -> None:
        """One transaction. The file is opened anew each time: it may be set aside, or taken away, at any moment."""
        if not (self._waiting or self._lost):
            return
        with closing(open_to_write(self._path)) as database:
            database.execute("BEGIN IMMEDIATE")
            table.create(database)
            table.add(database, [Leaves(*key, times) for key, times in self._waiting.items()], wall)
            if now >= self._trim_at:
                table.trim(database, self._most, self._most // 20)
                self._trim_at = now + TRIM_EVERY
            database.execute("COMMIT")
        self._waiting = {}
        if self._lost:
            self._log.warning("not all that was sent to upstreams is in the ledger", lost=self._lost)
            self._lost = 0
