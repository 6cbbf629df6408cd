"""The second level of the cache: five million answers in a file that outlives the process.

Look-ups are made where they are asked for, in microseconds, from the memory-mapped file; what is to be written waits in
a batch that one thread commits four times a second at most. Whatever happens to the file, nobody who asks sees more of
it than a miss: it is set aside or left alone, one warning says so, and it is tried again later.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import lmdb
import structlog

from smartdoh.cache.batch import Batch
from smartdoh.cache.opening import (
    BROKEN_SUFFIX,
    NotNowError,
    Opened,
    UnjudgedError,
    alone,
    open_store,
    reason_of,
    set_aside,
)
from smartdoh.cache.records import domain_key
from smartdoh.cache.steady import Clock, SteadyClock, this_boot
from smartdoh.cache.store import BROKEN, Store

FILE_NAME = "cache.lmdb"
COMMIT_EVERY = 0.25  # seconds that answers wait for others to be written with: what a kill -9 may lose
FULL_BATCH = 8192  # changes that are not kept waiting
MOST_WAITING = 50_000  # answers; what comes while so many wait is not kept on disk
CROWDED = 0.8  # of what may be kept
SYNC_AFTER = 30.0  # seconds without a commit, after which the disk gets what the kernel still has
MOST_OCTETS = 32 << 20  # of those answers; as much again may be being written
FIRST_PAUSE = 1.0  # seconds until what failed is tried again; doubles up to LONGEST_PAUSE
LONGEST_PAUSE = 600.0
CALM = 2 * LONGEST_PAUSE  # seconds after a failure, past which another one is news again
MANY_LOOKS = 1024  # look-ups, after which the pages that they touched are given back: 64 MB at most
GIVE_BACK_EVERY = 10.0  # seconds, after which those are that were touched by writing
SLOW = 0.25  # seconds that no look-up may take: a disk that does has a rest
REST = 30.0  # seconds without look-ups

_log = structlog.get_logger()


@dataclass(slots=True)
class Counts:
    """Plain counters since the start."""

    hits: int = 0
    misses: int = 0
    damaged: int = 0  # records that were not what was written; they counted as misses
    stored: int = 0
    dropped: int = 0  # answers that were not written: too many waited, or the disk would not take them
    evicted: int = 0
    commits: int = 0
    failures: int = 0  # batches that could not be written, and files that could not be opened or read
    waiting: int = 0  # changes not written yet
    entries: int = 0
    octets: int = 0
    is_open: bool = False


class Disk:
    """Keys to records. All methods but `settle`, `items` and `close` return at once, and none raises."""

    def __init__(
        self,
        directory: Path,
        entries: int,
        *,
        stale: float = 0.0,
        boot: Clock = time.monotonic,
        wall: Clock = time.time,
        boot_id: str | None = None,
    ) -> None:
        """Open the file in `directory`, at most `entries` records, and start the thread that writes.

        `stale` is how long past its life a record may still be of use (seconds); `boot` is the cache's clock.
        """
        self.directory = directory
        self._path = directory / FILE_NAME
        self._limits = (entries, stale)
        self._boot_id = this_boot() if boot_id is None else boot_id
        self._boot = boot
        self.now = SteadyClock(boot, wall, self._boot_id)
        """The clock of `stored` times; goes on from run to run."""
        self.is_crowded = False
        """Whether eviction is near, so that it is worth a write to note what is asked for."""
        self._groups: dict[bytes, str] = {}
        self._are_groups_named = True
        self._counts = Counts()
        self._pending = Batch()
        self._writing = Batch()
        self._lock = threading.Lock()
        self._written = threading.Condition(self._lock)
        self._work = threading.Event()
        self._hurry = threading.Event()
        self._closing = threading.Event()
        self._opened: Opened | None = None
        self._readable: Store | None = None
        self._damage: lmdb.Error | None = None
        self._can_write = True
        self._is_synced = True
        self._is_warned = False
        self._failed_at = -math.inf
        self._pause = FIRST_PAUSE
        self._resting_until = 0.0
        self._looked = 0
        self._gave_back_at = boot()
        self._open(may_judge=False)
        self._thread = threading.Thread(target=self._run, name="smartdoh-cache", daemon=True)
        self._thread.start()

    # What the event loop calls

    def get(self, key: bytes) -> bytes | None:
        """The record under `key`, written or still waiting to be."""
        with self._lock:
            octets = self._pending.look(key)
            if octets is None:
                octets = self._writing.look(key)
            if octets is None and self._readable is not None:
                octets = self._read(self._readable, key)
            if octets:
                self._counts.hits += 1
            else:
                self._counts.misses += 1
        return octets or None

    def put(self, key: bytes, octets: bytes) -> None:
        """Keep `octets` under `key`, in a moment."""
        with self._lock:
            waiting = len(self._pending)
            if self._readable is None or waiting >= MOST_WAITING or self._pending.octets >= MOST_OCTETS:
                self._counts.dropped += 1
            elif self._can_write:
                self._pending.put(key, octets)
                self._counts.stored += 1
                self._wake(waiting)
            else:
                self._pending.delete(key)  # what is there is older
                self._counts.dropped += 1

    def delete(self, key: bytes, *, is_damaged: bool = False) -> None:
        """Keep nothing under `key`, from now on."""
        with self._lock:
            self._counts.damaged += is_damaged
            waiting = len(self._pending)
            if self._readable is not None and waiting < MOST_WAITING:
                self._pending.delete(key)
                self._wake(waiting)

    def flush(self, name: bytes | None = None, *, below: bool = False, qtype: int | None = None) -> None:
        """Forget everything, or one name's answers, or also those below it, from now on.

        `name` is folded wire format. Without `below`, `qtype` leaves the answers to questions for other types.
        """
        start = b"" if name is None else domain_key(name)
        if name is not None and not below:
            start += b"\0" + (b"" if qtype is None else qtype.to_bytes(2))
        with self._lock:
            self._pending.flush(start)  # also while the file is not open: it may be again
            self._wake(len(self._pending))

    def limit(self, entries: int, stale: float) -> None:
        """Other bounds, soon."""
        with self._lock:
            self._limits = (entries, stale)
        self._work.set()

    def name_groups(self, groups: dict[bytes, str]) -> None:
        """Fingerprints and the groups' names that people know them by, to be kept in the file for `items`."""
        with self._lock:
            self._groups = {**self._groups, **groups}
            self._are_groups_named = False
        self._work.set()

    def statistics(self) -> Counts:
        """A copy of the counters."""
        with self._lock:
            counts = replace(self._counts, waiting=len(self._pending) + len(self._writing))
            counts.is_open = self._readable is not None
            if self._readable is not None:
                try:
                    counts.entries, counts.octets = self._readable.size()
                except lmdb.Error as error:
                    self._unreadable(error)
            return counts

    # What may wait

    def settle(self, seconds: float) -> bool:
        """Wait until nothing is left to be written, at most so long; whether that is so."""
        self._hurry.set()
        with self._written:
            return self._written.wait_for(lambda: not self._pending and not self._writing, seconds)

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """All keys and records that are in the file, for an export. Raises lmdb.Error."""
        store = self._readable
        return iter(()) if store is None else store.items()

    def close(self, seconds: float = 5.0) -> None:
        """Write what waits, let the disk have it, and close. What takes longer than `seconds` is left to the kernel."""
        self._closing.set()
        self._work.set()
        self._hurry.set()
        self._thread.join(seconds)

    # On either side, with the lock held

    def _wake(self, waiting: int) -> None:
        if waiting >= FULL_BATCH and not self._hurry.is_set():
            self._hurry.set()
        if not self._work.is_set():
            self._work.set()

    def _read(self, store: Store, key: bytes) -> bytes | None:
        started = self._boot()
        if started < self._resting_until:
            return None
        try:
            octets = store.get(key)
        except lmdb.Error as error:
            self._unreadable(error)
            return None
        self._looked += 1
        if self._looked >= MANY_LOOKS:
            self._work.set()
            self._hurry.set()
        if self._boot() - started > SLOW:
            self._resting_until = started + REST
            _log.warning("the disk is slow: the cache on it rests", seconds=REST)
        return octets

    def _unreadable(self, error: lmdb.Error) -> None:
        """A damaged file is read no more; what else may go wrong with a look-up concerns that alone."""
        self._counts.failures += 1
        if isinstance(error, BROKEN):
            self._readable = None
            self._damage = error
        self._work.set()

    # What the thread does

    def _run(self) -> None:
        while not self._closing.is_set():
            if self._opened is None:
                self._closing.wait(self._pause)
                self._open(may_judge=True)
            elif not self._can_write:
                self._closing.wait(self._pause)
                self._turn(self._opened)
            elif self._work.wait(None if self._is_synced else SYNC_AFTER):
                self._hurry.wait(COMMIT_EVERY)
                self._hurry.clear()
                self._work.clear()
                self._turn(self._opened)
            else:
                self._sync(self._opened)
        if self._opened is not None:
            self._finish(self._opened)

    def _turn(self, opened: Opened) -> None:
        """Do all that waits."""
        try:
            if self._damage is not None:
                raise self._damage
            if not opened.store.is_in_place():
                self._leave(opened)
                return
            self._follow_limits(opened.store)
            self._commit(opened.store)
            if self._looked >= MANY_LOOKS or self._boot() - self._gave_back_at >= GIVE_BACK_EVERY:
                self._give_back_pages(opened.store)
        except BROKEN as error:
            self._abandon(opened, error)
        except lmdb.MapResizedError:
            self._follow_resize(opened.store)
        except (OSError, lmdb.Error) as error:
            self._cannot_write(opened, error)
        finally:
            with self._written:
                written, self._writing = self._writing, Batch()
                self._written.notify_all()
            written.let_go()

    def _commit(self, store: Store) -> None:
        with self._lock:
            batch, self._pending = self._pending, Batch()
            self._writing = batch
            unnamed, self._are_groups_named = not self._are_groups_named, True
        if unnamed:
            store.name_groups(self._groups)
        if batch or not self._can_write or store.fullness() > 1:
            gone = store.write(batch, self.now.save(), self.now())
            self._is_synced = False
            with self._lock:
                self._counts.commits += 1
                self._counts.evicted += gone
        self._can_write = True
        if batch.puts:  # on a full disk what only removes may succeed
            self._works_again("the cache on disk is written again")
        fullness = store.fullness()
        self.is_crowded = fullness > CROWDED
        if fullness > 1:
            self._work.set()

    def _follow_limits(self, store: Store) -> None:
        entries, stale = self._limits
        if (entries, stale) != (store.entries, store.sweep.stale):
            with self._lock:
                store.limit(entries, stale)

    def _follow_resize(self, store: Store) -> None:
        """Another process has made the file's map larger."""
        with self._lock:
            self._writing.removals_before(self._pending)
            self._counts.dropped += len(self._writing.puts)
            store.follow_resize()
            self._wake(len(self._pending))

    def _cannot_write(self, opened: Opened, error: Exception) -> None:
        """Keep what is there, and what has to go from it, and try again later."""
        with self._lock:
            self._writing.removals_before(self._pending)
            self._counts.failures += 1
            self._counts.dropped += len(self._writing.puts)
        self._can_write = False
        self._warn("the cache on disk cannot be written, new answers are kept in memory only", error)
        if isinstance(error, lmdb.PanicError):
            self._close(opened)

    def _abandon(self, opened: Opened, error: lmdb.Error) -> None:
        """The file is damaged: put it aside; an empty one takes its place."""
        self._damage = None
        self._close(opened)
        try:
            with alone(self.directory):
                if opened.store.is_in_place():
                    set_aside(self._path, BROKEN_SUFFIX, str(error))
        except OSError as why:
            self._warn("the cache on disk is damaged, answers are kept in memory only", why)

    def _leave(self, opened: Opened) -> None:
        """The file is not the one at its path any more: another process found it damaged, or somebody removed it."""
        _log.info("the cache on disk was replaced, the new one is opened")
        self._close(opened)
        self._pause = 0.0

    def _open(self, *, may_judge: bool) -> None:
        try:
            opened = open_store(self._path, *self._limits, self._boot_id, may_judge=may_judge)
            saved = opened.store.saved_clock()
            self.is_crowded = opened.store.fullness() > CROWDED
        except UnjudgedError:
            _log.info("the machine went down while the cache on disk was in use: it is looked through first")
            self._pause = 0.0
            return
        except (NotNowError, lmdb.Error) as error:
            self._counts.failures += 1
            self._warn("the cache on disk cannot be opened, answers are kept in memory only", error)
            return
        self._works_again("the cache on disk is open")
        self.now.resume(saved)
        self._opened = opened
        with self._lock:
            self._readable = opened.store
            self._can_write = True
            self._are_groups_named = False
            self._wake(len(self._pending))

    def _works_again(self, event: str) -> None:
        if self._is_warned:
            _log.info(event)
        self._is_warned = False

    def _warn(self, event: str, error: Exception) -> None:
        """Once in a while, not for each failure that follows another; and wait longer each time."""
        now = self._boot()
        if now - self._failed_at > CALM:
            self._pause = FIRST_PAUSE
            self._is_warned = True
            _log.warning(event, directory=str(self.directory), reason=reason_of(error, self.directory))
        else:
            self._pause = min(max(self._pause, FIRST_PAUSE) * 2, LONGEST_PAUSE)
        self._failed_at = now

    def _give_back_pages(self, store: Store) -> None:
        self._looked = 0
        self._gave_back_at = self._boot()
        store.give_back_pages()

    def _sync(self, opened: Opened) -> None:
        """Nothing has been written for a while: let the disk have it, and look after what the killed left."""
        self._is_synced = True
        try:
            opened.store.sync()
            opened.store.clear_dead_readers()
            self._give_back_pages(opened.store)
        except lmdb.Error as error:
            self._cannot_write(opened, error)

    def _finish(self, opened: Opened) -> None:
        self._turn(opened)
        if self._opened is None:
            return
        try:
            opened.store.sync()
            opened.mark.clear()
        except (OSError, lmdb.Error) as error:
            self._warn("the cache on disk could not be synced", error)
        self._close(opened)

    def _close(self, opened: Opened) -> None:
        with self._lock:
            self._opened = self._readable = None
            flushes, self._pending = self._pending.flushes, Batch()
            self._pending.flushes = flushes
        opened.store.close()
        opened.mark.close()
