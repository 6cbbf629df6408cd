"""The clock of the file on disk: it goes on from run to run, and no change of the date turns it back.

While a process runs it counts with the cache's own clock (CLOCK_BOOTTIME). Between two runs it counts what the wall
clock says has passed, or what the boot clock says where the machine was not restarted, whichever is more: a
clock that was set back never makes an answer younger than it was, one that was set forward only ends it early.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_SAVED = struct.Struct("!36sddd")  # which boot it was, then this clock, the wall clock and the boot clock

Clock = Callable[[], float]


def this_boot(environ: Mapping[str, str] = os.environ) -> str:
    """A name for the time since the machine was started; empty where the system has none.

    A service that may not see the kernel's file (ProcSubset=pid) is told by its unit: `Environment=BOOT_ID=%b`.
    """
    given = environ.get("BOOT_ID", "")
    if not given:
        try:
            given = BOOT_ID.read_text("ascii")
        except (OSError, ValueError):
            return ""
    return given.strip().replace("-", "")


class SteadyClock:
    """Seconds; about those since 1970, but only differences mean something."""

    def __init__(self, boot: Clock, wall: Clock, boot_id: str) -> None:
        """`boot` never jumps while the machine is up; `boot_id` names that time, empty if there is no name."""
        self._boot = boot
        self._wall = wall
        self._boot_id = boot_id.encode("ascii", "replace")[:36].ljust(36, b"\0") if boot_id else b""
        self._offset = wall() - boot()

    def __call__(self) -> float:
        return self._boot() + self._offset

    def resume(self, saved: bytes | None) -> None:
        """Go on from what `save` returned in an earlier run; nonsense and None change nothing."""
        if saved is None or len(saved) != _SAVED.size:
            return
        boot_id, then, wall, boot = _SAVED.unpack(saved)
        passed = max(0.0, self._wall() - wall)
        if self._boot_id and boot_id == self._boot_id:
            passed = max(passed, self._boot() - boot)
        if then == then and passed == passed:  # noqa: PLR0124 - neither is NaN
            self._offset = then + passed - self._boot()

    def save(self) -> bytes:
        """All that another run needs to go on from here."""
        return _SAVED.pack(self._boot_id, self(), self._wall(), self._boot())
