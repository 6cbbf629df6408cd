"""The LMDB file of answers while it is open: look-ups, batches, eviction. No threads, no retries.

Sync settings. Commits go to the kernel's page cache without waiting for the disk (MDB_NOSYNC, MDB_NOMETASYNC): data
pages first, then the page that points to them, so whenever the process is killed, what the kernel has is one whole
commit. Only when the machine itself goes down can the disk hold a mixture, which `bootmark` finds out. MDB_WRITEMAP
is never used: a full disk would then be SIGBUS instead of an error, and a stray pointer could write to the file.
Read-ahead is off (MDB_NORDAHEAD), for answers lie in random order and pages that nobody asked for count as memory.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import lmdb

from smartdoh.cache.batch import Batch
from smartdoh.cache.pause import pause
from smartdoh.cache.reader import (
    ABOUT,
    ANSWERS,
    CLOCK_KEY,
    FORMAT,
    FORMAT_KEY,
    GROUP_KEY,
    OtherFormatError,
    Reader,
    refuse_other_formats,
)
from smartdoh.cache.resident import MappedFile
from smartdoh.cache.sweep import Sweep

OCTETS_PER_ENTRY = 1024  # on average, before the file counts as full
LEAST_OCTETS = 64 << 20
LARGEST_MAP_32 = 1 << 30  # octets of address space that a 32-bit process can spare
LARGEST_WRITE = 8192  # records that one transaction adds
AT_A_TIME = 64  # records that it adds between two pauses: a third of a millisecond
READERS = 1024  # processes and threads that look at the file at a time
EXPORT_SLICE = (
    1000  # records that one read transaction of an export sees: a longer one would keep pages from reuse
)

BROKEN = (
    lmdb.CorruptedError,
    lmdb.InvalidError,
    lmdb.PageNotFoundError,
    lmdb.VersionMismatchError,
    lmdb.IncompatibleError,
    lmdb.PageFullError,
    lmdb.CursorFullError,
    lmdb.BadDbiError,
)
"""Errors that say the file itself is no good."""


class Store(Reader):
    """An open file. Only one thread may write; reading is safe beside it."""

    def __init__(self, path: Path, entries: int, stale: float, *, power_safe: bool = False) -> None:
        """Open or create `path`.

        Raises OtherFormatError, one of BROKEN where the file is damaged, another lmdb.Error or OSError where
        it cannot be opened now. `power_safe` waits for the disk at each commit.
        """
        self.entries = entries
        self.sweep = Sweep(stale)
        self._map_size = _map_size(entries)
        self._env = lmdb.open(
            str(path),
            subdir=False,
            map_size=self._map_size,
            mode=0o600,
            sync=power_safe,
            metasync=False,
            readahead=False,
            max_dbs=2,
            max_readers=READERS,
            max_spare_txns=1,
        )
        try:
            self._path, self._mapped = path, MappedFile(path)
            self._identity = _identity(path)
            self._make_whole(path)
            self.clear_dead_readers()
            self._check_format()
        except BaseException:
            self._env.close()
            raise

    def write(self, batch: Batch, clock: bytes, now: float) -> int:
        """Make all changes of `batch`, and evict; how many were evicted. Raises lmdb.Error.

        A large batch takes several transactions: each one copies the pages that it changes, and the file has to have
        room for three of them. Each call into LMDB lets go of the interpreter's lock, nothing between two of them goes
        over many records, and there are pauses, so that the event loop never waits for a batch.
        """
        puts = iter(batch.puts.items())
        gone = self._write(batch.flushes, batch.deletes, islice(puts, LARGEST_WRITE), clock, now)
        for _ in range(LARGEST_WRITE, len(batch.puts), LARGEST_WRITE):
            gone += self._write((), (), islice(puts, LARGEST_WRITE), clock, now)
        return gone

    def _write(
        self,
        flushes: Iterable[bytes],
        deletes: Iterable[bytes],
        puts: Iterator[tuple[bytes, bytes]],
        clock: bytes,
        now: float,
    ) -> int:
        with self._env.begin(self._answers, write=True) as txn:
            for start in flushes:
                self._flush(txn, start)
            for key in deletes:
                txn.delete(key)
            with txn.cursor(self._answers) as cursor:
                while cursor.putmulti(islice(puts, AT_A_TIME))[0] == AT_A_TIME:
                    pause()
                gone = self.sweep.run(cursor, self._excess(txn), now)
            txn.put(CLOCK_KEY, clock, db=self._about)
        return gone

    def name_groups(self, groups: dict[bytes, str]) -> None:
        """Keep the groups' names beside their fingerprints, for people who read an export."""
        wanted = {GROUP_KEY + fingerprint: name.encode() for fingerprint, name in groups.items()}
        with self._env.begin(self._about) as txn:
            missing = {key: name for key, name in wanted.items() if txn.get(key) != name}
        if missing:
            with self._env.begin(self._about, write=True) as txn:
                for key, name in missing.items():
                    txn.put(key, name)

    def fullness(self) -> float:
        """The share of what may be kept that is there, by number or by room; past 1.0 eviction has not caught up."""
        with self._env.begin(self._answers) as txn:
            entries, octets = self._size(txn)
        return max(entries / self.entries, octets / self._most_octets())

    def limit(self, entries: int, stale: float) -> None:
        """Other bounds from now on. No transaction may be open."""
        self.entries = entries
        self.sweep.stale = stale
        if _map_size(entries) > self._map_size:
            self._map_size = _map_size(entries)
            self._env.set_mapsize(self._map_size)
            self._mapped = MappedFile(self._path)

    def follow_resize(self) -> None:
        """Take over the size that another process gave the map. No transaction may be open."""
        self._env.set_mapsize(0)
        self._mapped = MappedFile(self._path)

    def is_in_place(self) -> bool:
        """Whether what lies at the path is still this file: another process may have set it aside."""
        try:
            return _identity(self._path) == self._identity
        except OSError:
            return False

    def give_back_pages(self) -> None:
        """Have no page of the file count as this process's memory, until it is looked at again."""
        self._mapped.give_back()

    def clear_dead_readers(self) -> None:
        """Free what processes that were killed still hold."""
        self._env.reader_check()

    def sync(self) -> None:
        """Wait until all is on the disk. Raises lmdb.Error."""
        self._env.sync(True)

    def close(self) -> None:
        """As in Reader. What is mapped at those addresses afterwards is somebody else's."""
        self._mapped.forget()
        super().close()

    def _make_whole(self, path: Path) -> None:
        """Append what a cut-off file lacks, as zeros: a page that is not there is SIGBUS, one of zeros an error."""
        wanted = (self._env.info()["last_pgno"] + 1) * self._env.stat()["psize"]
        if path.stat().st_size < wanted:
            os.truncate(path, wanted)

    def _check_format(self) -> None:
        is_new = self._env.stat()["entries"] == 0
        if not is_new:
            self._refuse_strangers()
        self._about = self._env.open_db(ABOUT)
        self._answers = self._env.open_db(ANSWERS)
        with self._env.begin(self._about) as txn:
            found = txn.get(FORMAT_KEY)
        if found is None and self.size()[0] == 0:
            with self._env.begin(self._about, write=True) as txn:
                txn.put(FORMAT_KEY, FORMAT)
        else:
            refuse_other_formats(found)

    def _refuse_strangers(self) -> None:
        """Before anything is added to a file that may be somebody else's."""
        with self._env.begin() as txn:
            names = set(txn.cursor().iternext(keys=True, values=False))
        if not names <= {ABOUT, ANSWERS}:
            raise OtherFormatError("unknown")

    def _flush(self, txn: lmdb.Transaction[bytes], start: bytes) -> None:
        if not start:
            txn.drop(self._answers, delete=False)
            return
        with txn.cursor(self._answers) as cursor:
            cursor.set_range(start)
            while cursor.key().startswith(start):  # the key is empty at the end
                cursor.delete()

    def _excess(self, txn: lmdb.Transaction[bytes]) -> int:
        """Records that are too many, by number or by the room they take."""
        entries, octets = self._size(txn)
        most = self._most_octets()
        by_room = entries * (octets - most) // octets if octets > most else 0
        return max(entries - self.entries, by_room)

    def _most_octets(self) -> int:
        return max(LEAST_OCTETS, self.entries * OCTETS_PER_ENTRY)


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


def _map_size(entries: int) -> int:
    """Address space for twice what may be kept: pages of the last commits cannot be used again at once."""
    wanted = 2 * max(LEAST_OCTETS, entries * OCTETS_PER_ENTRY) + LEAST_OCTETS
    return wanted if sys.maxsize >= 1 << 32 else min(wanted, LARGEST_MAP_32)
