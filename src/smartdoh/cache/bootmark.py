"""A small file beside the cache: who uses it, and whether the machine went down while somebody did.

Commits do not wait for the disk, so after a power cut the file may be a mixture of two. A process that opens it writes
the kernel's boot id here, and the last one to close it in order, all synced, takes it out again. An id of another
boot means that the machine went down in between. A process that was killed under the same boot is no danger: the
kernel kept all its commits. The file is locked meanwhile: shared by those who use the cache, exclusively by one who
opens or judges it while nobody does.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class BusyError(Exception):
    """Another process is just opening or judging the cache."""


class BootMark:
    """The mark of this process, from opening the cache to closing it."""

    def __init__(self, path: Path, boot_id: str) -> None:
        """Raises OSError, or BusyError."""
        self._boot_id = boot_id.encode()
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self.is_alone = self._enter()
            found = os.pread(self._fd, 64, 0)
        except BaseException:
            os.close(self._fd)
            raise
        self.is_torn = self.is_alone and found not in (b"", self._boot_id)
        """Whether the machine went down while the cache was in use, so that it has to be judged first."""

    def set(self) -> None:
        """Say that the cache is in use from now on, durably, and let others use it too. Raises OSError."""
        if self.is_alone:
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, self._boot_id, 0)
            os.fsync(self._fd)
            fcntl.flock(self._fd, fcntl.LOCK_SH)  # whoever has it in between does the same at once

    def clear(self) -> None:
        """Say that all is on the disk, unless somebody else still uses the cache. Raises OSError."""
        if self._lock(fcntl.LOCK_EX):
            os.ftruncate(self._fd, 0)

    def close(self) -> None:
        """Let go; without `clear` before, the mark stays."""
        os.close(self._fd)

    def _enter(self) -> bool:
        """Whether nobody else uses the cache. Raises BusyError."""
        if self._lock(fcntl.LOCK_EX):
            return True
        if self._lock(fcntl.LOCK_SH):
            return False
        raise BusyError

    def _lock(self, how: int) -> bool:
        try:
            fcntl.flock(self._fd, how | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
