"""Opening the cache's file, and setting aside one that cannot be used."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import lmdb
import structlog

from smartdoh.cache.bootmark import BootMark, BusyError
from smartdoh.cache.reader import OtherFormatError
from smartdoh.cache.store import BROKEN, Store

LOCK_SUFFIX = "-lock"  # LMDB's own name for the file beside
MARK_SUFFIX = ".boot"
BROKEN_SUFFIX = ".broken"
OLD_SUFFIX = ".old-format"
LONGEST_JUDGING = 600.0  # seconds; five million answers take twelve

LOOKS = 200  # whether another process has opened the file, which takes it milliseconds
LOOK_EVERY = 0.005  # seconds

FULL = 1 << 20  # octets left, below which a failure is put down to that
NO_SPACE = os.strerror(errno.ENOSPC)

_JUDGE = """
import contextlib, os, sys
import lmdb.verify
with contextlib.suppress(OSError):
    os.nice(10)
sys.exit(1 if lmdb.verify.verify(sys.argv[1], subdir=False) else 0)
"""

_log = structlog.get_logger()


class NotNowError(Exception):
    """The file cannot be opened at present, through no fault of its own."""


class UnjudgedError(Exception):
    """The machine went down while the file was in use; it has to be judged, which takes seconds."""


class Opened(NamedTuple):
    """An open file and its mark, to be closed in this order."""

    store: Store
    mark: BootMark


def open_store(path: Path, entries: int, stale: float, boot_id: str, *, may_judge: bool) -> Opened:
    """Open `path`, or an empty one in its place where it is damaged or of another format.

    Raises NotNowError; UnjudgedError where it would have to be judged and `may_judge` is false.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        mark = BootMark(path.with_name(path.name + MARK_SUFFIX), boot_id)
    except BusyError as error:
        raise NotNowError("another process is opening it") from error
    except OSError as error:
        raise NotNowError(reason_of(error, path.parent)) from error
    try:
        if boot_id and mark.is_torn and path.exists():
            _judge(path, may_judge=may_judge)
        mark.set()
        with alone(path.parent):
            store = _open_or_replace(path, entries, stale, power_safe=not boot_id)
    except (OSError, lmdb.Error) as error:
        mark.close()
        raise NotNowError(reason_of(error, path.parent)) from error
    except BaseException:
        mark.close()
        raise
    return Opened(store, mark)


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """While inside, no other process opens or sets aside a file in `directory`.

    A file and LMDB's lock beside it have to be opened as the pair that they are: two processes with the same file and
    different locks would destroy it. Raises OSError where another takes too long.
    """
    folder = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for _ in range(LOOKS):
            if _is_locked(folder):
                break
            time.sleep(LOOK_EVERY)
        else:
            raise BlockingIOError(errno.EWOULDBLOCK, "another process is opening it")
        yield
    finally:
        os.close(folder)


def _is_locked(folder: int) -> bool:
    """Whether the folder is locked, or is on a file system that locks none and has no second process either."""
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def set_aside(path: Path, suffix: str, reason: str) -> None:
    """Give the file another name, in place of what had that name before. Raises OSError."""
    aside = path.with_name(path.name + suffix)
    os.replace(path, aside)
    with suppress(OSError):  # readers and transactions that it remembers are not those of the next file
        os.unlink(path.with_name(path.name + LOCK_SUFFIX))
    _log.warning("the cache on disk was set aside, a new one begins", reason=reason, kept_as=str(aside))


def _open_or_replace(path: Path, entries: int, stale: float, *, power_safe: bool) -> Store:
    try:
        return Store(path, entries, stale, power_safe=power_safe)
    except OtherFormatError as error:
        set_aside(path, OLD_SUFFIX, f"another format: {error}")
    except BROKEN as error:
        set_aside(path, BROKEN_SUFFIX, str(error))
    return Store(path, entries, stale, power_safe=power_safe)


def _judge(path: Path, *, may_judge: bool) -> None:
    if not may_judge:
        raise UnjudgedError
    if not _is_sound(path):
        set_aside(path, BROKEN_SUFFIX, "the machine went down while it was written")


def _is_sound(path: Path) -> bool:
    """Whether every page of the file is where it should be, judged by another process that never opens it."""
    if not sys.executable:
        return False
    with suppress(OSError, subprocess.TimeoutExpired):
        command = [sys.executable, "-c", _JUDGE, str(path)]
        done = subprocess.run(command, timeout=LONGEST_JUDGING, capture_output=True, check=False)  # noqa: S603
        return done.returncode == 0
    return False


def reason_of(error: Exception, directory: Path) -> str:
    """What went wrong, for a log line. A write that a full disk cuts short is an input/output error to LMDB."""
    words = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
    with suppress(OSError):
        place = os.statvfs(directory)
        if place.f_bavail * place.f_frsize < FULL and not words.startswith(NO_SPACE):
            return f"{words} ({NO_SPACE})"
    return words
