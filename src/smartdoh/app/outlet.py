"""A descriptor that is written to from a thread of its own, so that a reader who does not read holds up nobody."""

from __future__ import annotations

import contextlib
import os
import select
import threading
from queue import SimpleQueue

WHOLE = 4096  # octets that a pipe takes whole (POSIX PIPE_BUF, at least 512; 4096 on Linux)


class Outlet:
    """Lines to a descriptor, in order. What cannot be written is lost."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._waiting: SimpleQueue[bytes | None] = SimpleQueue()
        self._given = self._written = 0
        self._thread: threading.Thread | None = None

    @property
    def is_busy(self) -> bool:
        """Whether something that was given is not written yet."""
        return self._given != self._written

    def write(self, lines: list[bytes]) -> None:
        """Have these lines written, each of at most WHOLE octets, never mixed with what others write to a pipe."""
        for part in _parts(lines):
            self._given += 1
            self._waiting.put(part)
        if self._thread is None:
            self._thread = threading.Thread(target=self._write_all, name="query log", daemon=True)
            self._thread.start()

    def finish(self, seconds: float) -> None:
        """Wait until all is written, but not longer than this."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join(seconds)
            self._thread = None

    def _write_all(self) -> None:
        while (part := self._waiting.get()) is not None:
            with contextlib.suppress(OSError):  # nobody is there to be told
                self._write(part)
            self._written += 1

    def _write(self, part: bytes) -> None:
        while part:
            try:
                part = part[os.write(self._descriptor, part) :]
            except BlockingIOError:
                select.select((), (self._descriptor,), ())


def _parts(lines: list[bytes]) -> list[bytes]:
    """The lines put together, as many at a time as are written whole."""
    parts, part = [], b""
    for line in lines:
        if part and len(part) + len(line) > WHOLE:
            parts.append(part)
            part = b""
        part += line
    return [*parts, part] if part else parts
